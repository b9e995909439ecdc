"""Measuring, against figures worked out by hand for a scripted model whose every answer is known."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import gram
from gram.evaluation.metrics import grid_table, table
from gram.evaluation.select import SELECTORS
from gram.inference.noise import RowGenerators, SamplingNoise
from gram.inference.request import SampleError
from gram.inference.sample import sample
from gram.models import Model, Noise, Readout, State, Transition
from gram.tasks import NQueens, TaskError
from gram.tasks.nqueens import NQueensConfig

module = importlib.import_module("gram.evaluation.evaluate")  # `gram.evaluate` is the function
answer, score_grid = module.answer, module.score_grid

TASK = NQueens(NQueensConfig(board_size=5, removed_min=3, removed_max=5, train_share=0.5))
TEST = TASK.puzzles("test")
WRONG = np.ones(25, dtype=np.uint8)  # an empty board keeps nobody's given
LOOK_UP = {x.tobytes(): found for x, found in zip(TEST.x, TEST.solutions, strict=True)}


def score(model: Model, task: Any, *, supervision_steps: int, trajectories: int, **settings: Any) -> dict[str, Any]:
    """The figures at one depth and width."""
    (cell,) = score_grid(model, task, depths=[supervision_steps], trajectories=[trajectories], **settings).values()
    return cell


class Scripted(Model):
    """Draws one number per trajectory, at the first step, and answers by it: one of the solutions, or a wrong board.

    It answers from step `depth` on (a wrong board before), halts there, and is as sure of itself as the number is high.
    """

    name = "scripted"
    high_steps, low_steps = 2, 1
    blocks_per_transition = 3

    def __init__(self, *, stochastic: bool = True, wrong: bool = True, depth: int = 1) -> None:
        super().__init__()
        self.stochastic, self.wrong, self.depth, self.rows = stochastic, wrong, depth, 0

    def init(self, x: Tensor, identifier: Tensor | None = None) -> State:
        blank = torch.zeros(*x.shape, 3)
        return State(torch.nn.functional.one_hot(x, 3).float(), blank, blank.clone())

    def step(self, state: State, noise: Noise, y: Tensor | None = None, watch: Any = None) -> tuple[State, Transition]:
        h, l = state.h.clone(), state.l.clone()
        drawn = noise(h)[:, 0, 0] if self.stochastic else torch.full((len(h),), -9.0)
        h[:, 0, 0] = torch.where(l[:, 0, 0] == 0, drawn, h[:, 0, 0])
        l[:, 0, 0] += 1
        self.rows += len(h)
        return State(state.e_x, h, l), Transition(h)

    def decode(self, state: State) -> Readout:
        logits, value = torch.zeros_like(state.h), state.h[:, 0, 0]
        late = state.l[:, 0, 0] >= self.depth * self.high_steps
        for row, x in enumerate(state.e_x.argmax(-1).numpy().astype(np.uint8)):
            board = self.choose(x, float(value[row])) if late[row] else WRONG
            logits[row, range(25), board.astype(int)] = 1.0
        return Readout(logits, torch.where(late, 1.0, -1.0), value)

    def choose(self, x: np.ndarray, die: float) -> np.ndarray:
        """The board that it answers to x when the die fell so."""
        found = LOOK_UP.get(x.tobytes())
        if found is None:  # a row that is not in use
            return WRONG
        choices = [*found, WRONG] if self.wrong else [*found]
        return choices[min(int(0.5 * (1 + erf(die / sqrt(2))) * len(choices)), len(choices) - 1)]


def dice(puzzle: int, trajectories: int, seed: int = 0) -> list[float]:
    """The first number of each trajectory's stream."""
    like = torch.empty(1, 25, 3)
    return [float(RowGenerators([(seed, puzzle, n)])(like)[0, 0, 0]) for n in range(trajectories)]


def by_hand(model: Scripted, ids: Any, trajectories: int, seed: int = 0) -> dict[str, Any]:
    """The protocol of recipe.md in plain loops: each puzzle weighs as much as it has solutions."""
    hits = total = found = distinct = 0.0
    best = dict.fromkeys(SELECTORS, 0.0)
    for p in ids:
        thrown = dice(p, trajectories, seed)
        boards = [model.choose(TEST.x[p], die).tobytes() for die in thrown]
        right = [any(board == solution.tobytes() for solution in TEST.solutions[p]) for board in boards]
        weight = len(TEST.solutions[p])
        total += weight
        hits += weight * sum(right) / trajectories
        found += len({board for board, good in zip(boards, right, strict=True) if good})
        distinct += len(set(boards))
        favorite = max(boards, key=lambda board: (boards.count(board), -boards.index(board)))
        best["majority"] += weight * right[boards.index(favorite)]
        best["value"] += weight * right[thrown.index(max(thrown))]
        best["halt"] += weight * right[0]  # it believes in all alike
        best["residual"] += weight * right[int(np.argmin(np.abs(thrown)))]  # h changes from 0 to the number thrown
        best["stability"] += weight * right[0]  # all halt at once
        best["rules"] += weight * any(right)
        best["any"] += weight * any(right)
    return {
        "inputs": len(ids), "solutions": int(total), "accuracy": hits / total, "coverage": found / total,
        "distinct": distinct / len(ids), "best_of_n": {how: right / total for how, right in best.items()},
    }  # fmt: skip


SETTINGS: dict[str, Any] = {"trajectories": 6, "supervision_steps": 3, "halting": True, "seed": 0}
SEVERAL = np.flatnonzero(TEST.counts >= 2)


def approximately(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: approximately(v) if isinstance(v, dict) else pytest.approx(v) for name, v in figures.items()}


def assert_equal_answers(one: Any, other: Any) -> None:
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


class Doubtful(Scripted):
    """Believes its answer of supervision step k as much as `beliefs[k - 1]` says, and answers 0, 0, ..., k, k."""

    def __init__(self, *beliefs: float) -> None:
        super().__init__()
        self.beliefs = torch.tensor(beliefs).logit()

    def decode(self, state: State) -> Readout:
        k = (state.l[:, 0, 0] / self.high_steps).long().clamp(max=len(self.beliefs))
        shown = torch.stack([k.new_zeros(len(k))] * 20 + [k] * 5, 1)
        logits = torch.nn.functional.one_hot(shown, len(self.beliefs) + 1).float()
        return Readout(logits, self.beliefs[(k - 1).clamp(min=0)], 10.0 * k)

    def ask(self, *depths: int, halting: bool = True, **settings: Any) -> dict[int, Any]:
        """At each depth: the step whose answer is given, the steps taken, and whether it halted. All rows are alike."""
        told = answer(
            self, TEST, np.arange(len(TEST)), trajectories=2, depths=depths, halting=halting, seed=0, **settings
        )
        found = {}
        for depth, answers in told.items():
            (at,) = np.unique(answers.tokens[..., 20:])
            assert (answers.tokens[..., :20] == 0).all()
            np.testing.assert_allclose(answers.value, 1 / (1 + np.exp(-10.0 * at)), rtol=1e-6)  # of that same answer
            (taken,), (halted,) = np.unique(answers.depth), np.unique(answers.halted)
            found[depth] = (int(at), int(taken), bool(halted))
        return found


def test_the_toy_task_has_what_the_tests_need() -> None:
    assert set(TEST.counts.tolist()) >= {1, 2}
    assert len(SEVERAL) > 3


@pytest.mark.parametrize("seed", [0, 3])
def test_the_figures_are_those_worked_out_by_hand(seed: int) -> None:
    figures = score(Scripted(), TASK, **SETTINGS | {"seed": seed})
    for part, ids in ((figures, SEVERAL), (figures["all_inputs"], range(len(TEST)))):
        expected = by_hand(Scripted(), ids, 6, seed)
        assert {name: part[name] for name in expected} == approximately(expected)
    assert 0 < figures["accuracy"] < 1
    assert figures["protocol"] == "inputs with at least two solutions"


def test_figures_per_number_of_solutions_add_up_to_the_whole() -> None:
    figures = score(Scripted(), TASK, **SETTINGS)["all_inputs"]
    seen = 0
    for row in figures["by_solutions"]:
        low, _, high = row["solutions"].partition("-")
        low, high = int(low.rstrip("+")), int(high or ("1000000000" if "+" in low else low))
        ids = np.flatnonzero((TEST.counts >= low) & (TEST.counts <= high))
        expected = by_hand(Scripted(), ids, 6)
        assert {name: row[name] for name in ("inputs", "accuracy", "coverage")} == approximately(
            {name: expected[name] for name in ("inputs", "accuracy", "coverage")}
        )
        seen += row["inputs"]
    assert seen == len(TEST)


def test_a_perfect_model_with_enough_samples_has_all_figures_at_one() -> None:
    figures = score(Scripted(wrong=False), TASK, **SETTINGS | {"trajectories": 80})["all_inputs"]
    assert figures["accuracy"] == figures["coverage"] == 1
    assert figures["best_of_n"] == dict.fromkeys(SELECTORS, 1)


def test_a_model_that_is_always_wrong_has_them_at_zero() -> None:
    figures = score(Scripted(depth=99), TASK, **SETTINGS)
    assert figures["accuracy"] == figures["coverage"] == 0
    assert figures["best_of_n"] == dict.fromkeys(SELECTORS, 0)
    assert figures["distinct"] == 1


def test_figures_are_json_and_show_themselves_as_their_table(debug_checkpoint: Path) -> None:
    how: dict[str, Any] = {"limit": 4, "progress": False}
    one = gram.evaluate(debug_checkpoint, trajectories=2, **how)
    several = gram.grid(debug_checkpoint, depths=[1, 2], trajectories=[1], **how)
    for figures, show in ((one, table), (several, grid_table)):
        assert repr(figures) == show(figures)
        assert json.loads(json.dumps(figures)) == figures


def test_a_perfect_deterministic_model_reaches_exactly_the_ceiling_of_one_answer_per_input() -> None:
    figures = score(Scripted(stochastic=False, wrong=False), TASK, **SETTINGS)
    assert figures["accuracy"] == 1
    assert figures["coverage"] == pytest.approx(len(SEVERAL) / TEST.counts[SEVERAL].sum())
    assert figures["distinct"] == 1
    assert figures["trajectories"] == 6


def test_a_deterministic_model_is_computed_once_not_n_times() -> None:
    model = Scripted(stochastic=False)
    score(model, TASK, **SETTINGS | {"trajectories": 1})
    once = model.rows
    model.rows = 0
    score(model, TASK, **SETTINGS | {"trajectories": 1_000})
    assert model.rows == once


def test_network_calls_are_the_blocks_of_all_transitions_that_were_taken() -> None:
    for depth, halting, steps in ((1, True, 1), (3, True, 3), (3, False, 5)):
        cells = score_grid(Scripted(depth=depth), TASK, depths=[5], trajectories=[2, 6], halting=halting, seed=0)
        assert [cell["network_calls"] for cell in cells.values()] == [steps * 2 * 3 * width for width in (2, 6)]
    (one,) = score_grid(Scripted(stochastic=False), TASK, depths=[5], trajectories=[6], halting=False, seed=0).values()
    assert one["network_calls"] == 5 * 2 * 3  # all trajectories are one


def test_an_answer_knows_for_how_long_it_had_stood_and_by_how_much_h_had_changed() -> None:
    model, depths = Doubtful(0.3, 0.2), [1, 2, 3, 4, 5]
    told = answer(model, TEST, np.arange(len(TEST)), trajectories=2, depths=depths, halting=False, seed=0)
    assert [np.unique(told[depth].stability).tolist() for depth in depths] == [[0], [0], [1], [2], [3]]
    drawn = np.array([dice(puzzle, 2) for puzzle in range(len(TEST))])
    np.testing.assert_allclose(told[1].residual, drawn**2 / (25 * 3), rtol=1e-5)  # one feature of one position
    assert (told[5].residual == 0).all()
    first = answer(model, TEST, np.arange(len(TEST)), trajectories=2, depths=[5], halting=True, seed=0)[5]
    assert (first.stability == 0).all()  # it gives the answer of its first step
    np.testing.assert_array_equal(first.residual, told[1].residual)


def test_each_head_is_held_against_all_answers() -> None:
    figures = score(Scripted(depth=99), TASK, **SETTINGS)  # always wrong, and halts with probability 0.27
    assert figures["reliability"]["halt"] == {
        "expected_calibration_error": pytest.approx(1 / (1 + np.e)),
        "bins": [{"low": 0.2, "mean": pytest.approx(1 / (1 + np.e)), "right": 0.0, "count": 6 * len(TEST)}],
    }
    assert sum(each["count"] for each in figures["reliability"]["value"]["bins"]) == 6 * len(TEST)


class TestHalting:
    """Stopping early."""

    def test_a_halted_trajectory_answers_at_the_step_of_its_halt_and_others_at_the_depth(self) -> None:
        for depth, halting, expected in ((1, True, 1), (3, True, 3), (3, False, 5), (99, True, 5)):
            figures = score(Scripted(depth=depth), TASK, **SETTINGS | {"supervision_steps": 5, "halting": halting})
            assert figures["mean_halt_step"] == expected
            if halting:
                assert figures["halted"] == (depth <= 5)

    def test_halting_saves_what_it_promises(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_ROWS", 16)
        cost = {}
        for halting in (True, False):
            model = Scripted(depth=1)
            score(model, TASK, **SETTINGS | {"supervision_steps": 8, "halting": halting})
            cost[halting] = model.rows
        assert cost[False] == 8 * cost[True]

    def test_halting_of_a_model_that_stands_still_changes_no_answer(self) -> None:
        one, other = (score(Scripted(depth=1), TASK, **SETTINGS | {"halting": halting}) for halting in (True, False))
        for name in ("accuracy", "coverage", "distinct"):
            assert one[name] == other[name]
        for selector in set(SELECTORS) - {"residual"}:  # what stands still has no residual to choose by
            assert one["best_of_n"][selector] == other["best_of_n"][selector]

    def test_one_that_never_halts_gives_the_answer_that_its_head_believed_in_most(self) -> None:
        model = Doubtful(0.1, 0.4, 0.2, 0.45, 0.3)
        assert model.ask(1, 2, 3, 4, 5) == {
            1: (1, 1, False), 2: (2, 2, False), 3: (2, 3, False), 4: (4, 4, False), 5: (4, 5, False),
        }  # fmt: skip
        assert Doubtful(0.3, 0.3, 0.2).ask(3) == {3: (1, 3, False)}  # of equals, the first

    def test_one_that_halts_gives_the_answer_at_which_it_did_even_after_stronger_doubts(self) -> None:
        assert Doubtful(0.4, 0.1, 0.6, 0.9).ask(1, 2, 3, 4) == {
            1: (1, 1, False), 2: (1, 2, False), 3: (3, 3, True), 4: (3, 3, True),
        }  # fmt: skip

    def test_without_halting_each_depth_gives_its_own_answer(self) -> None:
        assert Doubtful(0.4, 0.9, 0.2).ask(1, 2, 3, halting=False) == {
            1: (1, 1, False), 2: (2, 2, True), 3: (3, 3, False),
        }  # fmt: skip

    @pytest.mark.parametrize(("above", "expected"), [(0.5, 1), (0.59, 1), (0.61, 2), (0.9, 3), (0.05, 1)])
    def test_belief_must_pass_halt_above(self, above: float, expected: int) -> None:
        assert Doubtful(0.6, 0.8, 0.95, 0.97).ask(4, halt_above=above) == {4: (expected, expected, True)}

    def test_a_row_whose_belief_was_strong_leaves_nothing_to_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_ROWS", 1)
        assert Doubtful(0.9, 0.1).ask(2, halt_above=0.95) == {2: (1, 2, False)}

    def test_score_hands_halt_above_on(self) -> None:
        settings = SETTINGS | {"supervision_steps": 5, "halting": True}
        model = Scripted(depth=2)  # sure to 0.73 from its second step on, to 0.27 before
        steps = [score(model, TASK, **settings, halt_above=above)["mean_halt_step"] for above in (0.2, 0.7, 0.8)]
        assert steps == [1, 2, 5]

    def test_a_checkpoint_says_its_own_halt_above(self, debug_checkpoint: Path) -> None:
        opened = gram.load(debug_checkpoint)
        for above, steps, halted in ((1e-9, 1.0, 1.0), (1 - 1e-9, 3.0, 0.0)):
            inference = replace(opened.config.inference, halt_above=above)
            other = replace(opened, config=replace(opened.config, inference=inference))
            figures = gram.evaluate(other, trajectories=2, limit=4)
            assert (figures["mean_halt_step"], figures["halted"]) == (steps, halted)


class TestDepths:
    """Several depths from one pass."""

    @pytest.mark.parametrize("halting", [True, False])
    def test_the_answers_at_a_depth_do_not_depend_on_how_much_deeper_the_pass_goes(
        self, halting: bool, debug_checkpoint: Path
    ) -> None:
        opened = gram.load(debug_checkpoint)
        chosen = opened.task.puzzles("test").take(np.arange(6))
        for model, puzzles in ((opened.model, chosen), (Scripted(depth=2), TEST), (Scripted(depth=3), TEST)):
            settings = {"trajectories": 3, "halting": halting, "seed": 1, "precision": "float32", "exact": True}
            # Rows are freed at other moments, but each is computed as if alone; only which rows share a batch differs.
            (alone,) = answer(model, puzzles, np.arange(len(puzzles)), depths=[2], **settings).values()
            both = answer(model, puzzles, np.arange(len(puzzles)), depths=[4, 2], **settings)
            assert list(both) == [2, 4]
            assert_equal_answers(both[2], alone)

    def test_deeper_costs_no_more_than_the_deepest(self) -> None:
        cost = []
        for depths in ([4], [1, 2, 3, 4]):
            model = Scripted()
            score_grid(model, TASK, trajectories=[2], depths=depths, halting=False, seed=0)
            cost.append(model.rows)
        assert cost[0] == cost[1]

    def test_the_figures_at_each_depth_are_those_of_score_at_it(self) -> None:
        settings = {"halting": True, "seed": 2}
        together = score_grid(Scripted(depth=2), TASK, depths=[4, 1, 2], trajectories=[4, 1], **settings)
        assert list(together) == [(depth, width) for depth in (1, 2, 4) for width in (1, 4)]
        for (depth, width), figures in together.items():
            alone = score(Scripted(depth=2), TASK, supervision_steps=depth, trajectories=width, **settings)
            assert figures | {"seconds": 0} == alone | {"seconds": 0}
        assert together[1, 4]["accuracy"] == 0 < together[2, 4]["accuracy"]

    def test_every_depth_is_checked(self) -> None:
        with pytest.raises(SampleError, match="supervision_steps is 0"):
            score_grid(Scripted(), TASK, depths=[2, 0], trajectories=[1], halting=True, seed=0)
        with pytest.raises(SampleError, match="trajectories is -1"):
            score_grid(Scripted(), TASK, depths=[2], trajectories=[1, -1], halting=True, seed=0)
        with pytest.raises(SampleError, match="the grid is empty"):
            score_grid(Scripted(), TASK, depths=[2], trajectories=[], halting=True, seed=0)


class TestCarriedBatch:
    """Rows come and go; none depends on another."""

    @pytest.mark.parametrize("rows", [1, 7, 64])
    def test_the_size_of_the_batch_changes_nothing(self, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = {"trajectories": 3, "depths": [4], "halting": True, "seed": 1}
        whole = answer(Scripted(depth=2), TEST, np.arange(len(TEST)), **settings)[4]
        monkeypatch.setattr(module, "MAX_ROWS", rows)
        small = answer(Scripted(depth=2), TEST, np.arange(len(TEST)), **settings)[4]
        assert_equal_answers(small, whole)

    def test_a_subset_of_puzzles_draws_what_the_whole_draws(self) -> None:
        settings = {"trajectories": 4, "depths": [2], "halting": False, "seed": 1}
        ids = np.array([7, 2, 9])
        whole = answer(Scripted(), TEST, np.arange(len(TEST)), **settings)[2]
        part = answer(Scripted(), TEST.take(ids), ids, **settings)[2]
        np.testing.assert_array_equal(part.tokens, whole.tokens[ids])
        np.testing.assert_array_equal(part.value, whole.value[ids])

    def test_more_trajectories_begin_with_the_fewer(self) -> None:
        settings = {"depths": [2], "halting": False, "seed": 1}
        few, many = (answer(Scripted(), TEST, np.arange(len(TEST)), trajectories=n, **settings)[2] for n in (3, 9))
        np.testing.assert_array_equal(few.tokens, many.tokens[:, :3])

    def test_an_evaluation_of_few_puzzles_takes_them_evenly_from_the_split(self) -> None:
        figures = score(Scripted(), TASK, **SETTINGS, limit=3)
        ids = np.array([0, (len(TEST) - 1) / 2, len(TEST) - 1]).round().astype(int)
        expected = by_hand(Scripted(), ids, 6)
        assert figures["all_inputs"]["inputs"] == 3
        assert {name: figures["all_inputs"][name] for name in expected} == approximately(expected)
        assert score(Scripted(), TASK, **SETTINGS, limit=10**6)["all_inputs"]["inputs"] == len(TEST)


def test_a_model_that_computes_answers_here_as_it_is_recorded_by_sample(debug_checkpoint: Path) -> None:
    opened = gram.load(debug_checkpoint)
    ids = np.array([0, 3, 5])
    chosen = opened.task.puzzles("test").take(ids)
    settings = {"trajectories": 5, "seed": 4, "precision": "float32"}
    answers = answer(opened.model, chosen, ids, depths=[1, 2], halting=False, **settings)
    recorded = sample(opened, ids.tolist(), supervision_steps=2, **settings)
    for depth, found in answers.items():
        state = recorded.isel(step=depth * opened.model.high_steps)
        np.testing.assert_array_equal(found.tokens, state["tokens"])
        np.testing.assert_allclose(found.value, state["value"], rtol=1e-4, atol=1e-5)


def test_puzzles_without_second_solutions_are_all_measured_and_the_protocol_says_so() -> None:
    alone = NQueens(NQueensConfig(board_size=4))
    model = Scripted(depth=99)
    model.choose = lambda x, die: np.ones(16, dtype=np.uint8)  # type: ignore[method-assign]
    model.decode = lambda state: Readout(state.h, state.h[:, 0, 0], state.h[:, 0, 0])  # type: ignore[method-assign]
    figures = score(model, alone, **SETTINGS)
    assert figures["protocol"] == "all inputs"
    assert figures["inputs"] == figures["all_inputs"]["inputs"] == len(alone.puzzles("test"))


class TestGrid:
    """Depth x width in one pass."""

    @pytest.mark.parametrize("halting", [True, False])
    @pytest.mark.parametrize(("kind", "added"), [("gram", {}), ("trm", {"perturb": 0.5, "temperature": 0.5})])
    def test_each_cell_is_the_evaluation_at_its_depth_and_width_bit_for_bit(
        self, kind: str, added: dict[str, Any], halting: bool, debug_checkpoint: Path, debug_trm_checkpoint: Path
    ) -> None:
        opened = gram.load({"gram": debug_checkpoint, "trm": debug_trm_checkpoint}[kind])
        how: dict[str, Any] = {"limit": 9, "seed": 1, "halting": halting, "exact": True} | added
        found = module.grid(opened, depths=[4, 1, 2], trajectories=[8, 1, 3], **how)
        at = [(cell["supervision_steps"], cell["trajectories"]) for cell in found["cells"]]
        assert at == [(depth, width) for depth in (1, 2, 4) for width in (1, 3, 8)]
        for (depth, width), cell in zip(at, found["cells"], strict=True):
            alone = gram.evaluate(opened, supervision_steps=depth, trajectories=width, **how)
            assert found | cell | {"cells": 0, "seconds": 0} == alone | {"cells": 0, "seconds": 0}

    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    @pytest.mark.parametrize(("kind", "added"), [("gram", {}), ("trm", {"perturb": 0.5, "temperature": 0.5})])
    def test_width_1_is_the_first_of_width_8_and_depth_2_the_beginning_of_depth_4(
        self, kind: str, added: dict[str, Any], precision: str, debug_checkpoint: Path, debug_trm_checkpoint: Path
    ) -> None:
        opened = gram.load({"gram": debug_checkpoint, "trm": debug_trm_checkpoint}[kind])
        ids = np.arange(9)
        chosen = opened.task.puzzles("test").take(ids)
        noise = SamplingNoise(**added)
        how: dict[str, Any] = {"halting": False, "seed": 1, "precision": precision, "noise": noise, "exact": True}
        whole = answer(opened.model, chosen, ids, depths=[2, 4], trajectories=8, **how)
        assert len(np.unique(whole[4].value)) > 30  # they differ
        for depth, width in ((2, 1), (2, 8), (4, 1), (4, 5)):
            alone = answer(opened.model, chosen, ids, depths=[depth], trajectories=width, **how)[depth]
            assert_equal_answers(whole[depth].first(width), alone)

    @pytest.mark.parametrize("halting", [True, False])
    def test_it_computes_no_more_than_its_largest_cell(self, halting: bool) -> None:
        cost = []
        for depths, widths in (([4], [6]), ([1, 2, 3, 4], [1, 2, 4, 6])):
            model = Scripted(depth=2)
            score_grid(model, TASK, depths=depths, trajectories=widths, halting=halting, seed=0)
            cost.append(model.rows)
        assert cost[0] == cost[1]

    def test_a_deterministic_model_is_computed_once_for_all_widths(self) -> None:
        model = Scripted(stochastic=False)
        cells = score_grid(model, TASK, depths=[2], trajectories=[1, 50], halting=False, seed=0)
        once, model.rows = model.rows, 0
        score_grid(model, TASK, depths=[2], trajectories=[1], halting=False, seed=0)
        assert model.rows == once
        assert cells[2, 1]["best_of_n"] == cells[2, 50]["best_of_n"]


class TestCheckpoint:
    """From the outside."""

    def test_the_figures_are_json_and_complete(self, debug_checkpoint: Path) -> None:
        figures = gram.evaluate(debug_checkpoint, trajectories=3, limit=8)
        assert json.loads(json.dumps(figures)) == figures
        assert set(figures) >= {
            "checkpoint", "sha256", "model", "task", "split", "protocol", "trajectories", "supervision_steps",
            "halting",
            "seed", "precision", "accuracy", "coverage", "by_solutions", "best_of_n", "distinct", "mean_halt_step",
            "seconds", "all_inputs", "network_calls", "reliability",
        }  # fmt: skip
        opened = gram.load(debug_checkpoint)
        assert figures["sha256"] == opened.digest
        assert figures["supervision_steps"] == opened.config.inference.supervision_steps
        assert figures["halting"] == opened.config.inference.halting

    def test_an_interrupt_leaves_the_figures_of_the_puzzles_that_are_done(
        self, debug_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, interrupt: Any
    ) -> None:
        opened = gram.load(debug_checkpoint)
        monkeypatch.setattr(module, "MAX_ROWS", 8)  # two puzzles at a time
        how = {"trajectories": 4, "halting": False, "per_puzzle": True, "exact": True}
        whole = gram.evaluate(opened, range(6), **how)
        interrupt(module, after=24)
        with pytest.warns(UserWarning, match="interrupted: these are the figures of 6 of 8 puzzles"):
            left = gram.evaluate(opened, range(8), **how)
        assert left.pop("interrupted") == "6 of 8 puzzles"
        assert left | {"seconds": 0} == whole | {"seconds": 0}
        for more in ({"progress": False}, {"trajectories": 50}):  # left to the caller; no puzzle is done
            with pytest.raises(KeyboardInterrupt):
                gram.evaluate(opened, range(8), **how | more)

    def test_puzzles_are_chosen_by_index_and_each_is_what_it_is_among_all(self, debug_checkpoint: Path) -> None:
        opened = gram.load(debug_checkpoint)
        chosen = gram.evaluate(opened, [0, 5, 7], trajectories=3, exact=True)["all_inputs"]
        handed = gram.evaluate(opened, opened.task.puzzles("test").take([0, 5, 7]), trajectories=3)["all_inputs"]
        assert chosen["inputs"] == handed["inputs"] == 3
        ids = np.array([0, 5, 7])
        found = answer(
            opened.model, opened.task.puzzles("test").take(ids), ids, trajectories=3, depths=[3], exact=True, seed=0,
            halting=opened.config.inference.halting, halt_above=opened.config.inference.halt_above,
        )[3]  # fmt: skip
        assert chosen["mean_halt_step"] == pytest.approx(found.depth.mean())

    def test_the_same_question_has_the_same_answer(self, debug_checkpoint: Path) -> None:
        opened = gram.load(debug_checkpoint)
        one, other = (gram.evaluate(opened, trajectories=3, limit=8) for _ in range(2))
        assert one | {"seconds": 0} == other | {"seconds": 0}

    def test_each_puzzle_says_what_it_contributes(self, debug_checkpoint: Path) -> None:
        found = gram.evaluate(debug_checkpoint, puzzles=[4, 1, 7], trajectories=3, per_puzzle=True)
        each = found["per_puzzle"]
        counts = gram.load(debug_checkpoint).task.puzzles("test").counts
        assert set(each["puzzle"]) <= {4, 1, 7}
        assert each["solutions"] == counts[each["puzzle"]].tolist()
        for name in ("accuracy", "coverage"):
            assert found[name] == pytest.approx(np.average(each[name], weights=each["solutions"]))
        assert json.loads(json.dumps(found)) == found

    def test_a_trained_deterministic_model_stays_under_the_ceiling(self, debug_trm_checkpoint: Path) -> None:
        opened = gram.load(debug_trm_checkpoint)
        counts = opened.task.puzzles("train").counts
        figures = gram.evaluate(opened, trajectories=20, split="train")
        assert figures["coverage"] <= (counts >= 2).sum() / counts[counts >= 2].sum()

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"trajectories": 0}, "trajectories is 0; it must be at least 1"),
            ({"trajectories": 10**11}, "trajectories is 100000000000; it must be at most 1000000"),
            ({"supervision_steps": 0}, "supervision_steps is 0"),
            ({"limit": 0}, "limit is 0"),
            ({"puzzles": []}, "puzzles is empty"),
            ({"seed": -1}, "seed is -1"),
            ({"noise": float("nan")}, "noise is nan"),
            ({"noise": -1.0}, "noise is -1.0"),
            ({"precision": "half"}, "precision is 'half'"),
        ],
    )
    def test_a_request_that_cannot_be_served_is_one_sentence(
        self, settings: dict[str, Any], words: str, debug_checkpoint: Path
    ) -> None:
        with pytest.raises(SampleError, match=words):
            gram.evaluate(debug_checkpoint, **settings)

    def test_an_unknown_split_is_the_tasks_sentence(self, debug_checkpoint: Path) -> None:
        with pytest.raises(TaskError, match="unknown split 'dev'"):
            gram.evaluate(debug_checkpoint, split="dev")
