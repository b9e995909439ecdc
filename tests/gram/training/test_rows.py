"""Kinds of rows, targets in hindsight, replacement, curriculum and best weights; and that all of it resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gram import checkpoint as store
from gram.checkpoint import TRAINING, WEIGHTS
from gram.config import ConfigError, CurriculumConfig, RunConfig, TrainConfig
from gram.models import Model
from gram.presets import preset
from gram.tasks.coloring import Coloring, ColoringConfig
from gram.training import losses
from gram.training.curriculum import UNHINTED, Curriculum
from gram.training.loop import train
from gram.training.run import Run

BOTH = ["train.posterior_share=0.5", "train.prior_rows=0", "train.augment=false", "train.precision=float32"]
ALL = [
    *BOTH, "train.kl_target=0.02", "train.kl_weight_min=0.3", "train.kl_weight_min_init=0.3", "train.kl_target_end=0.5",
    "train.hindsight=8", "train.replace_solved=0.5", "train.replace_solved_end=0.1", "train.keep_best=true",
    "train.optim.muon_lr=0.02", "train.optim.beta2=0.98",
]  # fmt: skip


def config(*overrides: str) -> RunConfig:
    return preset("debug").override(overrides)


class TestKinds:
    """Rows that follow the posterior, and rows that follow the prior and learn all the same."""

    def test_one_transition_serves_both_and_only_the_first_rows_see_their_target(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = Run(config(*BOTH), tmp_path)
        seen: list[tuple[int, int | None, bool]] = []
        step = type(run.model).step

        def spy(model: Model, state: Any, noise: Any, y: Any = None, watch: Any = None) -> Any:
            seen.append((len(state.h), None if y is None else len(y), torch.is_grad_enabled()))
            return step(model, state, noise, y, watch)

        monkeypatch.setattr(type(run.model), "step", spy)
        run.advance()
        assert [call for call in seen if call[0]] == [(8, None, False), (8, 4, True)]

    def test_the_rows_of_the_prior_are_those_of_a_batch_without_target(self, tmp_path: Path) -> None:
        run = Run(config(*BOTH), tmp_path)
        state = run.model.init(run.carry.x)
        noise = torch.randn(state.h.shape, generator=torch.Generator().manual_seed(0))
        mixed, transition = run.model.step(state, lambda _: noise, run.carry.y[:4])
        whole, _ = run.model.step(state, lambda _: noise, run.carry.y)
        free, _ = run.model.step(state, lambda _: noise)
        torch.testing.assert_close(mixed.h[:4], whole.h[:4])
        torch.testing.assert_close(mixed.h[4:], free.h[4:])
        assert {name: len(half) for name, half in losses.guidance(transition).items()} == {
            "kl_prior": 4,
            "kl_posterior": 4,
        }

    def test_all_rows_pay_cross_entropy_and_the_posterior_rows_the_kl(self, tmp_path: Path) -> None:
        run = Run(config(*BOTH, "train.kl_weight=3", "train.kl_balance=0.7"), tmp_path)
        for _ in range(3):
            got = run.advance()
            kl = 3 * (0.7 * got["kl_prior"] + 0.3 * got["kl_posterior"])
            assert got["loss"] == pytest.approx(got["token"] + 0.5 * kl, rel=1e-5)
            assert got["token"] == pytest.approx((got["token_prior"] + got["token_posterior"]) / 2)
            assert {"guidance_sigma", "guidance_mean", "kl_weight"} <= got.keys()

    def test_accuracy_is_logged_of_each_kind_where_it_ends(self, tmp_path: Path) -> None:
        run = Run(config(*BOTH), tmp_path)
        run.objective = right_in(run, [0, 1, 2, 3])
        seen = [run.advance() for _ in range(2)]
        assert {got["posterior_exact"] for got in seen} == {1.0}
        assert {got["prior_exact"] for got in seen} == {0.0}

    @pytest.mark.parametrize("share", ["1.0", "0.0"])
    def test_a_share_of_all_or_none(self, share: str, tmp_path: Path) -> None:
        run = Run(config(*BOTH, f"train.posterior_share={share}"), tmp_path)
        got = [run.advance() for _ in range(2)][-1]
        assert ("kl_prior" in got) is (share == "1.0")
        assert ("prior_exact" in got) is (share == "0.0")

    def test_guidance_may_be_switched_on_later(self, tmp_path: Path) -> None:
        run = Run(
            config(*BOTH, "train.steps=4", "train.head_steps=0", "train.guidance_from=0.5", "train.keep_best=true"),
            tmp_path,
        )
        before = [weight.clone() for weight in run.model.prior.parameters()]
        got = [run.advance() for _ in range(2)]
        assert all("kl_posterior" not in measured for measured in got)
        assert all(map(torch.equal, before, run.model.prior.parameters()))
        run.keep_best(1.0)
        assert not run.best
        got = [run.advance() for _ in range(2)]
        assert all("kl_posterior" in measured for measured in got)
        run.keep_best(1.0)
        assert run.best


def right_in(run: Run, rows: list[int]) -> Any:
    """The run's objective, but with the target as the answer of these learning rows, and nonsense in the others."""
    objective = run.objective

    def changed(given: Any, *others: Any) -> dict[str, Any]:
        out = objective(given, *others)
        tokens = torch.ones_like(given.y)
        tokens[rows] = given.y[rows]
        return out | {"tokens": tokens}

    return changed


class TestHindsight:
    KNOWN = torch.tensor([[[1, 1], [2, 2], [0, 0]]], dtype=torch.uint8)  # the third is padding

    def draws(self, logits: torch.Tensor, count: int = 4000) -> np.ndarray:
        uniform = torch.rand(count, 3, generator=torch.Generator().manual_seed(0))
        drawn = losses.in_hindsight(logits.expand(count, -1, -1), self.KNOWN.expand(count, -1, -1), uniform)
        return drawn.numpy()

    def test_a_solution_is_drawn_as_probable_as_it_is_under_the_logits(self) -> None:
        logits = torch.tensor([[[0.0, 0.5, 0.0], [0.0, 0.3, 0.0]]])  # log-odds of the first: 0.8
        drawn = self.draws(logits)
        assert (drawn[:, 0] == drawn[:, 1]).all()  # whole solutions, and never the padding
        assert set(np.unique(drawn)) == {1, 2}
        share = 1 / (1 + np.exp(-0.8))
        assert (drawn[:, 0] == 1).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 4000))

    def test_no_gradient_goes_through_the_choice(self) -> None:
        logits = torch.zeros(1, 2, 3, requires_grad=True)
        assert not losses.in_hindsight(logits, self.KNOWN, torch.full((1, 3), 0.5)).requires_grad

    def test_rows_hold_all_known_solutions_of_their_puzzle(self, tmp_path: Path) -> None:
        run = Run(config(*BOTH, "train.hindsight=64"), tmp_path)
        for x, y, known in zip(run.carry.x, run.carry.y, run.carry.known, strict=True):
            at = int(np.flatnonzero((run.sampler.puzzles.x == x.numpy()).all(1))[0])
            found = {tuple(row) for row in known.tolist() if any(row)}
            assert found == {tuple(row) for row in run.sampler.puzzles.solutions[at].tolist()}
            assert tuple(y.tolist()) in found

    def test_another_known_solution_counts_as_solved(self, tmp_path: Path) -> None:
        run = Run(config(*BOTH, "train.hindsight=64"), tmp_path)
        answers = torch.stack([known[(known != 0).any(-1)][-1] for known in run.carry.known]).long()
        assert run._solved(answers).all()
        assert not run._solved(torch.ones_like(answers)).any()

    def test_it_refuses_augmentation(self) -> None:
        with pytest.raises(ConfigError, match="set augment=false"):
            TrainConfig(hindsight=8)

    def test_colors_that_no_node_is_given_may_be_named_in_any_way(self) -> None:
        task = Coloring(ColoringConfig(vertices=5))
        puzzles = task.puzzles("train")
        x, found = puzzles.x[0], puzzles.solutions[0]
        every = task.namings(x, found)
        assert task.check(x, every).valid.all()
        assert len(np.unique(every, axis=0)) == len(every)
        assert {row.tobytes() for row in task.canonical(x, every)} == {row.tobytes() for row in found}
        x = x.copy()
        x[0] = found[0, 0]
        assert (task.namings(x, found[:1])[:, 0] == found[0, 0]).all()  # a given color keeps its name


class TestReplacement:
    def test_a_solved_row_makes_room_and_others_stay(self, tmp_path: Path) -> None:
        run = Run(config(*BOTH, "train.replace_solved=1.0", "train.supervision_steps=50"), tmp_path)
        run.carry.age[:] = 0
        run.objective = right_in(run, [1, 6])
        run.advance()
        assert run.carry.age.tolist() == [1, 0, 1, 1, 1, 1, 0, 1]

    def test_its_probability_falls_with_the_learning_rate(self, tmp_path: Path) -> None:
        run = Run(config(*BOTH, "train.replace_solved=0.8", "train.replace_solved_end=0.2"), tmp_path)
        solved = np.ones(20_000, dtype=bool)
        assert float(run._makes_room(solved).float().mean()) == pytest.approx(0.8, abs=0.02)
        run.step = run.config.train.steps
        assert float(run._makes_room(solved).float().mean()) == pytest.approx(0.2 + 0.6 * run.decay, abs=0.02)
        assert not run._makes_room(~solved).any()


class TestCurriculum:
    RATING = np.array([0, 3, 7, 30, 500, 900])

    def test_the_hardest_class_is_thinned_to_its_share(self) -> None:
        puzzle = np.random.default_rng(0).permutation(np.repeat(np.arange(6), 100))
        made = Curriculum(CurriculumConfig(hardest_share=0.2), self.RATING)
        kept = puzzle[made.thin(puzzle)]
        assert (self.RATING[kept] >= 100).mean() == pytest.approx(0.2)
        assert (self.RATING[kept] < 100).sum() == 400
        assert len(Curriculum(CurriculumConfig(hardest_share=0.9), self.RATING).thin(puzzle)) == 600

    def test_hard_rows_get_one_to_most_of_their_missing_tokens(self) -> None:
        made = Curriculum(CurriculumConfig(hinted=1.0), self.RATING)
        made.most[:] = 3
        x, y = np.ones((6, 20), dtype=np.uint8), np.full((6, 20), 2, dtype=np.uint8)
        blank = np.arange(20) < 15
        got, level = made.hint(x, y, np.tile(blank, (6, 1)), np.arange(6), np.random.default_rng(0))
        assert level.tolist() == [UNHINTED, UNHINTED, 2, 3, 4, 4]
        given = (got == 2).sum(1)
        assert (given[:2] == 0).all()
        assert ((given[2:] >= 1) & (given[2:] <= 3)).all()
        assert not (got[:, ~blank] == 2).any()
        assert (x == 1).all()

    def test_it_moves_so_that_half_are_solved(self) -> None:
        made = Curriculum(CurriculumConfig(hinted=1.0), self.RATING)
        before = made.most.copy()
        made.learn(np.array([2, 3, UNHINTED]), np.array([True, False, True]))
        assert made.most[2] == pytest.approx(before[2] * np.exp(-0.04))
        assert made.most[3] == pytest.approx(before[3] * np.exp(0.04))
        made.learn(np.array([2, 3]), np.array([False, True]))
        assert made.most == pytest.approx(before)
        for _ in range(200):
            made.learn(np.array([2, 3]), np.array([True, False]))
        assert (made.most[2], made.most[3]) == (1, 40)

    def test_puzzles_without_ratings_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="needs puzzles with ratings"):
            Run(config("train.curriculum.hinted=0.5"), tmp_path)

    def test_rows_with_extra_givens_count_apart(self, tmp_path: Path) -> None:
        sudoku = preset("sudoku4-trm").override(
            ["task.generated=60", "model.network.features=32", "model.network.hidden=32", "train.batch=8",
             "train.supervision_steps=2", "train.prior_rows=0", "train.compile=false", "train.curriculum.hinted=1.0",
             "train.curriculum.hint_from=0"]
        )  # fmt: skip
        run = Run(sudoku, tmp_path)
        assert (run.carry.level != UNHINTED).all()
        assert ((run.carry.x == run.carry.y) | (run.carry.x == 1)).all()
        before = run.sampler.curriculum.most.copy()
        got = run.advance()
        assert "hinted_exact" in got
        assert "target_exact" not in got
        assert (run.sampler.curriculum.most != before).any()


def test_the_gradients_of_both_optimizers_are_clipped_together(tmp_path: Path) -> None:
    run = Run(config(*BOTH, "train.optim.muon_lr=0.02", "train.optim.clip=0.001"), tmp_path)
    got = run.advance()
    every = [weight.grad.square().sum() for weight in run.model.parameters() if weight.grad is not None]
    assert float(torch.stack(every).sum().sqrt()) == pytest.approx(0.001, rel=1e-3)
    assert got["grad_norm"] > 0.001


class TestBest:
    """The weights that are kept are the last whose accuracy by the prior is as good as ever."""

    def test_a_fall_is_not_kept_and_a_rise_is(self, tmp_path: Path) -> None:
        run = Run(config(*BOTH, "train.keep_best=true"), tmp_path)
        for accuracy, kept in [(0.5, 1), (0.8, 2), (0.3, 2), (0.79, 4), (None, 4)]:
            run.advance()
            run.keep_best(accuracy)
            assert run.best_step == kept
        run.save()
        tensors, metadata = store.read_tensors(tmp_path / WEIGHTS)
        assert metadata["step"] == "4"
        assert torch.equal(tensors["decoder.weight"], run.best["decoder.weight"])
        assert not torch.equal(tensors["decoder.weight"], run.averaged.state_dict()["decoder.weight"])

    def test_the_heads_are_trained_on_the_best_weights(self, tmp_path: Path) -> None:
        run = Run(config("train.keep_best=true", "train.steps=3"), tmp_path)
        run.advance()
        run.keep_best(0.5)
        best = run.best["decoder.weight"].clone()
        run.advance(), run.advance()
        assert not run.best
        assert torch.equal(run.model.state_dict()["decoder.weight"], best)
        run.keep_best(0.9)
        assert not run.best


@pytest.mark.parametrize("name", ["gram", "trm"])
def test_a_run_with_all_of_it_resumes_to_the_bit(name: str, one_thread: None, tmp_path: Path) -> None:
    settings = config(*ALL)
    if name == "trm":
        settings = replace(settings, model=preset("debug-trm").model)
    whole = train(settings, tmp_path / "whole", quiet=True)
    for _ in range(5):
        train(settings, tmp_path / "parts", minutes=1e-9, quiet=True)
    parts = train(settings, tmp_path / "parts", quiet=True)
    for file in (WEIGHTS, TRAINING):
        (ours, _), (theirs, _) = (store.read_tensors(path / file) for path in (whole, parts))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_curriculum_resumes_to_the_bit(one_thread: None, tmp_path: Path) -> None:
    settings = preset("sudoku4-gram").override(
        [*ALL, "task.generated=60", "model.network.features=32", "model.network.hidden=32", "train.batch=8",
         "train.supervision_steps=2", "train.compile=false", "train.curriculum.hinted=0.5", "train.steps=12",
         "train.curriculum.hint_from=0", "train.head_steps=0", "train.check_puzzles=2", "train.check_trajectories=2"]
    )  # fmt: skip
    whole = train(settings, tmp_path / "whole", quiet=True)
    for _ in range(5):
        train(settings, tmp_path / "parts", minutes=1e-9, quiet=True)
    parts = train(settings, tmp_path / "parts", quiet=True)
    assert store.load(whole).digest == store.load(parts).digest
