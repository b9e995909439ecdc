"""Sampling: which noise a trajectory draws, that nothing else decides it, and what is recorded."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import gram
from gram import rollout
from gram.checkpoint import Checkpoint
from gram.config import RunConfig
from gram.inference.noise import RowGenerators, generator_for
from gram.inference.request import SampleError
from gram.inference.sample import MAX_ROWS, Record, sample
from gram.schema import STEP_COORDS
from gram.tasks import Puzzles, TaskError


@pytest.fixture(scope="module")
def trained(debug_checkpoint: Path) -> Checkpoint:
    """A GRAM whose guidance is loud enough that wrong noise shows in the answers."""
    opened = gram.load(debug_checkpoint)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in opened.model.prior.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return opened


@pytest.fixture(scope="module")
def trm(debug_trm_checkpoint: Path) -> Checkpoint:
    return gram.load(debug_trm_checkpoint)


MODULE = importlib.import_module("gram.inference.sample")  # `gram.sample` is the function
EVERYTHING = Record(logits=True, l=True, u=True, guidance=True)


def same(one: xr.Dataset, other: xr.Dataset) -> bool:
    """Equal bit for bit."""
    return rollout.digest(one) == rollout.digest(other)


def test_a_rollout_says_where_it_comes_from(trained: Checkpoint) -> None:
    data = sample(trained, 3, trajectories=2, seed=11)
    assert data.attrs["model"] == "gram"
    assert data.attrs["name"] == trained.name
    assert data.attrs["checkpoint"] == trained.digest
    assert data.attrs["seed"] == 11
    assert RunConfig.from_dict(rollout.config_of(data)) == trained.config
    assert json.loads(data.attrs["levels"]) == ["Supervision step", "Transition", "Low-level step"]
    assert rollout.board_of(data) == trained.task.board
    assert data["puzzle_index"].values.tolist() == [3]
    assert "puzzle_index" not in sample(trained, trained.task.puzzles("test").take([3]), trajectories=1).coords
    assert rollout.check(data) is data


def test_the_first_state_is_the_initial_one_and_the_last_the_end_of_the_last_step(trained: Checkpoint) -> None:
    data = sample(trained, 0, trajectories=2, supervision_steps=3)
    at = [*zip(*(data[name].values.tolist() for name in STEP_COORDS), strict=True)]
    assert at == [(0, 0, 0), (1, 1, 0), (1, 2, 0), (2, 1, 0), (2, 2, 0), (3, 1, 0), (3, 2, 0)]
    z0 = trained.model.state_dict()["h0"].numpy().astype(np.float16)
    assert (data["h"].values[:, :, 0] == z0).all()


def test_depth_defaults_to_what_the_checkpoint_says(trained: Checkpoint) -> None:
    assert sample(trained, 0, trajectories=1)["supervision_step"].max() == trained.config.inference.supervision_steps


def test_what_is_recorded_is_what_the_model_computes(trained: Checkpoint) -> None:
    """Against the plain loop `init, step, step, ...` with the same noise, in float32."""
    data = sample(trained, [0, 4], trajectories=3, supervision_steps=2, seed=5, record=EVERYTHING, precision="float32")
    model, x = trained.model, torch.from_numpy(data["x"].values.astype(np.int64))
    with torch.inference_mode():
        for p, puzzle in enumerate((0, 4)):
            for n in range(3):
                noise, state = RowGenerators([(5, puzzle, n)]), model.init(x[p : p + 1])
                for step in range(1, 5):
                    state, transition = model.step(state, noise)
                    readout = model.decode(state)
                    at = {"puzzle": p, "trajectory": n, "step": step}
                    for name, tensor in (
                        ("h", state.h), ("l", state.l), ("u", transition.u), ("logits", readout.logits),
                        ("probability", readout.logits.softmax(-1)), ("halt", readout.halt.sigmoid()),
                        ("value", readout.value.sigmoid()), ("mu_prior", transition.prior.mean),
                        ("sigma_prior", transition.prior.sigma),
                    ):  # fmt: skip
                        np.testing.assert_allclose(data[name].isel(at), tensor[0], rtol=2e-3, atol=2e-3, err_msg=name)
                    np.testing.assert_array_equal(data["tokens"].isel(at), data["logits"].isel(at).argmax("token"))


def test_validity_is_the_tasks_verdict(trained: Checkpoint) -> None:
    data = sample(trained, [0, 1], trajectories=4)
    verdict = trained.task.check(data["x"].values[:, None, None], data["tokens"].values)
    np.testing.assert_array_equal(data["valid"], verdict.valid)
    np.testing.assert_array_equal(data["conflict"], verdict.conflict)


class TestNoise:
    """Each trajectory has a generator of its own."""

    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    def test_trajectory_7_is_the_same_among_8_and_among_40(self, precision: str, trained: Checkpoint) -> None:
        one, few, many = (
            sample(trained, 2, trajectories=n, precision=precision, record=EVERYTHING, exact=True) for n in (1, 8, 40)
        )
        assert same(few, many.isel(trajectory=slice(0, 8)))
        assert same(one, many.isel(trajectory=[0]))

    def test_without_exact_it_is_the_same_up_to_rounding_and_a_call_repeats_its_bits(self, trained: Checkpoint) -> None:
        one, again, few, many = (
            sample(trained, 2, trajectories=n, supervision_steps=2, precision="float32") for n in (1, 1, 5, 40)
        )
        assert same(one, again)
        for name in ("h", "probability", "halt"):
            np.testing.assert_allclose(few[name], many[name][:, :5], rtol=5e-3, atol=5e-3)
            np.testing.assert_allclose(one[name], many[name][:, :1], rtol=5e-3, atol=5e-3)

    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    def test_a_puzzle_draws_the_same_alone_and_among_others(self, precision: str, trained: Checkpoint) -> None:
        how: dict[str, Any] = {"trajectories": MAX_ROWS // 2 + 3, "precision": precision, "exact": True}
        together = sample(trained, [1, 5, 2], **how)
        for place, puzzle in enumerate((1, 5, 2)):
            alone = sample(trained, puzzle, **how)
            assert same(alone, together.isel(puzzle=[place]))

    def test_equal_seeds_give_equal_rollouts_and_others_do_not(self, trained: Checkpoint) -> None:
        one, again, other = (sample(trained, 0, trajectories=4, seed=seed) for seed in (0, 0, 1))
        assert same(one, again)
        assert not same(one, other)

    def test_trajectories_differ(self, trained: Checkpoint) -> None:
        h = sample(trained, 0, trajectories=8)["h"].values[0, :, -1]
        assert len(np.unique(h.reshape(8, -1), axis=0)) == 8

    def test_neither_the_global_random_state_nor_its_own_is_touched(self, trained: Checkpoint) -> None:
        torch.manual_seed(0)
        before = torch.get_rng_state()
        one = sample(trained, 0, trajectories=2)
        assert torch.equal(torch.get_rng_state(), before)
        torch.manual_seed(99)
        assert same(one, sample(trained, 0, trajectories=2))

    def test_no_noise_makes_all_trajectories_one_whatever_the_seed(self, trained: Checkpoint) -> None:
        data = sample(trained, 0, trajectories=3, noise=0.0, record=EVERYTHING)
        for name in ("h", "tokens", "halt"):
            assert (data[name].values == data[name].values[:, :1]).all()
        assert same(data, sample(trained, 0, trajectories=3, noise=0.0, seed=9, record=EVERYTHING))
        moved = (data["h"] - data["u"]).values[:, :, 1:].astype(np.float32)
        np.testing.assert_allclose(moved, data["mu_prior"].values[:, :, 1:], rtol=0.02, atol=0.02)  # float16 apart

    def test_noise_scales_the_deviation_of_the_guidance(self, trained: Checkpoint) -> None:
        quiet, loud = (
            sample(trained, 0, trajectories=32, supervision_steps=1, noise=noise, record=EVERYTHING).isel(step=1)
            for noise in (0.5, 2.0)
        )
        eps = [(data["h"] - data["u"] - data["mu_prior"]).values.astype(np.float32) for data in (quiet, loud)]
        np.testing.assert_allclose(4 * eps[0], eps[1], rtol=0.01, atol=0.1)  # recorded in float16

    def test_generators_are_standard_normal_independent_and_keyed_by_all_parts(self) -> None:
        like = torch.empty(4, 200, 50)
        drawn = RowGenerators([(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)])(like).flatten(1)
        # 10,000 numbers each: mean and correlation to 1/100, deviation to 1/141; five of those are allowed.
        assert drawn.mean(1).abs().max() < 0.05
        assert (drawn.std(1) - 1).abs().max() < 0.036
        assert (torch.corrcoef(drawn) - torch.eye(4)).abs().max() < 0.05
        assert torch.equal(RowGenerators([(0, 0, 1)])(like[:1]).flatten(1)[0], drawn[1])

    def test_a_generator_continues(self) -> None:
        generators, like = RowGenerators([(0, 0, 0)]), torch.empty(1, 5)
        assert not torch.equal(generators(like), generators(like))
        assert generator_for((1, 2, 3)).initial_seed() == generator_for([1, 2, 3]).initial_seed()


class TestRecord:
    """What is kept, and what it costs."""

    ALWAYS = frozenset({"x", "y", "tokens", "valid", "conflict", "solutions_known"})

    @pytest.mark.parametrize(
        ("record", "more"),
        [
            (Record(), {"h", "probability", "halt", "value", "halted_at"}),
            (Record(h=False, probability=False, halt=False, value=False), set()),
            (Record(h=False, probability=False, value=False), {"halt", "halted_at"}),
            (
                EVERYTHING,
                {"h", "probability", "halt", "value", "halted_at", "logits", "l", "u", "mu_prior", "sigma_prior"},
            ),
            (Record(low=True), {"h", "probability", "halt", "value", "halted_at", "l"}),
        ],
    )
    def test_exactly_what_was_asked_for_is_there(self, record: Record, more: set[str], trained: Checkpoint) -> None:
        assert set(sample(trained, 0, trajectories=2, record=record).data_vars) == self.ALWAYS | more

    def test_every_supervision_step_is_the_last_transition_of_each(self, trained: Checkpoint) -> None:
        whole = sample(trained, 0, trajectories=2)
        coarse = sample(trained, 0, trajectories=2, record=Record(every="supervision"))
        last = np.flatnonzero(np.isin(whole["transition"], (0, trained.model.high_steps)))
        assert same(coarse.drop_vars("halted_at"), whole.isel(step=last).drop_vars("halted_at"))

    def test_low_level_states_are_steps_of_their_own_that_move_l_and_leave_h(self, trained: Checkpoint) -> None:
        whole, fine = (
            sample(trained, 0, trajectories=2, record=Record(low=low, l=True, u=True, guidance=True))
            for low in (False, True)
        )
        ends = np.flatnonzero(fine["low_step"] == 0)
        assert same(fine.isel(step=ends).drop_vars("halted_at"), whole.drop_vars("halted_at"))
        for step in np.flatnonzero(fine["low_step"] > 0):
            for name in ("h", "tokens", "halt", "u", "mu_prior"):
                np.testing.assert_array_equal(fine[name].isel(step=step), fine[name].isel(step=step - 1))
            assert (fine["l"].isel(step=step) != fine["l"].isel(step=step - 1)).any()

    def test_the_first_step_has_no_guidance(self, trained: Checkpoint) -> None:
        data = sample(trained, 0, trajectories=2, record=EVERYTHING).isel(step=0)
        for name in ("mu_prior", "sigma_prior"):
            assert (data[name] == 0).all()
        np.testing.assert_array_equal(data["u"], data["h"])

    @pytest.mark.parametrize("record", [Record(), Record(low=True), Record(every="supervision")])
    def test_halted_at_is_the_first_end_of_a_supervision_step_at_which_halt_passes_the_threshold(
        self, record: Record, trained: Checkpoint
    ) -> None:
        told = sample(trained, [0, 1, 2], trajectories=4, record=record)
        transition, low = told["transition"].values, told["low_step"].values
        ends = (transition == trained.model.high_steps) & (low == 0)  # the initial state is no answer to stop at
        assert ends.sum() == trained.config.inference.supervision_steps
        belief = told["halt"].values
        seen, between = set(), 0
        for above in np.quantile(belief.astype(float), [0, 0.3, 0.6, 0.8, 0.9, 1]).clip(1e-9, 1 - 1e-9).tolist():
            inference = replace(trained.config.inference, halt_above=above)
            opened = replace(trained, config=replace(trained.config, inference=inference))
            halted_at = sample(opened, [0, 1, 2], trajectories=4, record=record)["halted_at"].values
            for p, n in np.ndindex(3, 4):
                past = np.flatnonzero((belief[p, n] > above) & ends)
                assert halted_at[p, n] == (past[0] if len(past) else -1)
                believed = np.flatnonzero(belief[p, n, 1:] > above)
                between += bool(len(believed) and not ends[1 + believed[0]])
                seen.add(int(halted_at[p, n]))
        assert -1 in seen
        assert len(seen) > 2
        assert (between > 0) is (record.every == "transition")  # belief within a supervision step stops nothing

    @pytest.mark.parametrize("mode", ["prior", "posterior"])
    @pytest.mark.parametrize(
        "record", [Record(), EVERYTHING, Record(low=True), Record(every="supervision", value=False)]
    )
    def test_the_size_told_beforehand_is_the_size_of_what_has_a_step(
        self, record: Record, mode: str, trained: Checkpoint
    ) -> None:
        data = sample(trained, [0, 1], trajectories=3, supervision_steps=2, record=record, mode=mode)
        told = record.size(trained.model, 2, 3, 2, trained.task.board.positions, 3, mode)
        assert told == sum(array.nbytes for array in data.data_vars.values() if "step" in array.dims)

    def test_a_record_that_is_too_large_is_refused_before_anything_is_computed(self, trained: Checkpoint) -> None:
        told = Record().size(trained.model, 1, 10**9, 3, 25, 3)
        with pytest.raises(SampleError, match=f"draw fewer trajectories or steps, or.*pass max_bytes={told}"):
            sample(trained, 0, trajectories=10**9)
        small = Record().size(trained.model, 1, 2, 3, 25, 3)
        sample(trained, 0, trajectories=2, max_bytes=small)
        with pytest.raises(SampleError):
            sample(trained, 0, trajectories=2, max_bytes=small - 1)

    def test_a_record_cannot_keep_low_level_states_between_transitions_it_drops(self) -> None:
        with pytest.raises(SampleError, match="every='transition'"):
            Record(low=True, every="supervision")
        with pytest.raises(SampleError, match="every is 'second'; known: transition, supervision"):
            Record(every="second")

    @pytest.mark.parametrize(("after", "whole"), [(1, (1, 0)), (4, (1, 1)), (12, (1, 4)), (20, (2, 4))])
    def test_an_interrupt_leaves_what_is_whole(
        self, trained: Checkpoint, monkeypatch: pytest.MonkeyPatch, interrupt: Any, after: int, whole: tuple[int, int]
    ) -> None:
        """Three batches of 8, 8 and 5 rows, each with an initial state and two transitions a supervision step."""
        puzzles, reached = whole
        monkeypatch.setattr(MODULE, "MAX_ROWS", 8)
        call = partial(sample, trained, [0, 1, 2], trajectories=7, supervision_steps=4, record=EVERYTHING)
        full = call()
        interrupt(MODULE, after)
        with pytest.warns(UserWarning, match=rf"interrupted: \d+ of 21 trajectories, {reached} of 4 supervision steps"):
            left = call()
        assert "interrupted" in left.attrs["name"]
        steps = (full["supervision_step"] <= reached).values
        wanted = full.isel(puzzle=slice(puzzles), step=steps).drop_vars("halted_at")
        xr.testing.assert_equal(left.drop_vars("halted_at"), wanted)
        with pytest.raises(KeyboardInterrupt):
            call(progress=False)


class TestModes:
    """Posterior, deterministic, typed puzzles."""

    def test_the_posterior_sees_a_solution_and_is_recorded_beside_the_prior(self, trained: Checkpoint) -> None:
        data = sample(trained, 0, trajectories=2, mode="posterior", record=EVERYTHING)
        assert data.attrs["mode"] == "posterior"
        assert {"mu_prior", "sigma_prior", "mu_posterior", "sigma_posterior"} <= set(data.data_vars)
        assert not same(data[["h"]].assign_coords(data.coords), sample(trained, 0, trajectories=2)[["h"]])
        verdict = trained.task.check(data["x"].values, data["y"].values)
        assert verdict.valid.all()

    def test_a_deterministic_model_has_one_trajectory_whatever_was_asked(self, trm: Checkpoint) -> None:
        data = sample(trm, [0, 1], trajectories=50)
        assert data.sizes["trajectory"] == 1
        assert same(data, sample(trm, [0, 1], seed=4, noise=0.0))
        assert "mu_prior" not in sample(trm, 0, record=EVERYTHING)
        with pytest.raises(SampleError, match="is deterministic and has no posterior; use mode='prior'"):
            sample(trm, 0, mode="posterior")

    def test_a_gram_without_guidance_is_recorded_as_the_deterministic_model_that_it_is(self, tmp_path: Path) -> None:
        from gram import checkpoint as store
        from gram.presets import preset

        config = preset("debug").override(["model.guided=false"])
        store.save_weights(tmp_path, store.build(config)[1], 0)
        (tmp_path / "config.json").write_text(config.to_json())
        data = sample(tmp_path, 0, trajectories=5, record=EVERYTHING)
        assert data.sizes["trajectory"] == 1
        np.testing.assert_array_equal(data["h"], data["u"])

    def test_a_typed_puzzle_is_solved_and_sampled(self, trained: Checkpoint) -> None:
        data = sample(trained, "Q..../...../...../...../.....", trajectories=2)
        assert data.sizes["puzzle"] == 1
        assert int(data["solutions_known"][0]) == 2
        assert trained.task.check(data["x"].values, data["y"].values).valid.all()

    def test_a_typed_puzzle_without_solution_can_be_watched_but_not_by_the_posterior(self, trained: Checkpoint) -> None:
        hopeless = "Q..../....Q/...../...../....."  # neither of the two solutions with a queen in that corner has both
        data = sample(trained, hopeless, trajectories=2)
        assert int(data["solutions_known"][0]) == 0
        assert "y" not in data
        with pytest.raises(SampleError, match="the posterior sees a solution, but this puzzle has none"):
            sample(trained, hopeless, mode="posterior")

    def test_more_solutions_than_are_searched_for_are_not_called_known(
        self, trained: Checkpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gram.tasks.own.MAX_SOLUTIONS", 2)
        blank = "/".join(["....."] * 5)  # ten solutions
        assert "solutions_known" not in sample(trained, blank, trajectories=1)

    def test_puzzles_may_be_handed_over(self, trained: Checkpoint) -> None:
        available = trained.task.puzzles("train").take([3, 1])
        data = sample(trained, available, trajectories=2)
        np.testing.assert_array_equal(data["x"], available.x)
        unknown = Puzzles(available.x, available.solutions, complete=False)
        assert "solutions_known" not in sample(trained, unknown, trajectories=2)

    def test_a_split_is_made_and_digested_once(self, trained: Checkpoint) -> None:
        task = trained.task
        assert task.loaded("test") is task.loaded("test")
        assert task.loaded("test").digest == task.puzzles("test").digest
        assert json.loads(sample(trained, 0, trajectories=1).attrs["data"])["sha256"] == task.loaded("test").digest

    def test_either_split_can_be_sampled(self, trained: Checkpoint) -> None:
        for split in ("train", "test"):
            x = sample(trained, 2, trajectories=1, split=split)["x"].values[0]
            np.testing.assert_array_equal(x, trained.task.puzzles(split).x[2])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"trajectories": 0}, "trajectories is 0; it must be at least 1"),
        ({"supervision_steps": 0}, "supervision_steps is 0; it must be at least 1"),
        ({"seed": -1}, "seed is -1; it must be a whole number from 0"),
        ({"mode": "future"}, "mode is 'future'; known: prior, posterior"),
        ({"noise": -1.0}, "noise is -1.0"),
        ({"noise": math.nan}, "noise is nan"),
        ({"noise": math.inf}, "noise is inf"),
        ({"precision": "half"}, "precision is 'half'; known: auto, float32, bfloat16"),
        ({"puzzles": -1}, "puzzle -1 is not in the test split; it has 0 to"),
        ({"puzzles": [0, 10**6]}, "puzzle 1000000 is not in the test split"),
        ({"puzzles": []}, "puzzles is empty; give at least one index"),
        ({"puzzles": 1.5}, "puzzles is 1.5; it must be an index from 0, several of them"),
        ({"puzzles": [1.5]}, "puzzles is 1.5; it must be an index from 0, several of them"),
        ({"puzzles": np.array([True, False])}, "puzzles is .*True.*; it must be an index from 0, several of them"),
        ({"puzzles": slice(0, 2)}, "puzzles is slice.*; it must be an index from 0, several of them"),
        ({"trajectories": 1.5}, "trajectories is 1.5; it must be a whole number"),
        ({"supervision_steps": "2"}, "supervision_steps is '2'; it must be a whole number"),
        ({"seed": "a"}, "seed is 'a'; it must be a whole number from 0"),
        ({"noise": "x"}, "noise is 'x'; it must be a number from 0"),
    ],
)
def test_a_request_that_cannot_be_served_is_one_sentence(
    settings: dict[str, Any], words: str, trained: Checkpoint
) -> None:
    with pytest.raises(SampleError, match=words):
        sample(trained, **settings)


@pytest.mark.parametrize(
    ("settings", "words"), [({"split": "dev"}, "unknown split 'dev'"), ({"puzzles": "QQ"}, "5 rows of 5")]
)
def test_what_the_task_refuses_stays_the_tasks_sentence(
    settings: dict[str, Any], words: str, trained: Checkpoint
) -> None:
    with pytest.raises(TaskError, match=words):
        sample(trained, **settings)


def test_the_package_offers_its_verbs_as_functions() -> None:
    verbs: list[Callable[..., Any]] = [gram.sample, gram.evaluate, gram.grid, gram.train, gram.load]
    assert all(callable(verb) for verb in verbs)
    module = importlib.import_module("gram.inference.sample")  # importing the module does not hide the function
    assert gram.sample is module.sample
    with pytest.raises(AttributeError, match="no attribute 'smaple'; it offers"):
        gram.smaple  # noqa: B018
