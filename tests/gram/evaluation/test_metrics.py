"""Metrics from answers that were made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gram.evaluation.intervals import mean, total
from gram.evaluation.metrics import Answers, difference, entry, measure_puzzles, summary
from gram.evaluation.select import SELECTORS
from gram.tasks import Puzzles


def answers(tokens: np.ndarray, **given: np.ndarray) -> Answers:
    nothing = np.zeros(tokens.shape[:2], np.float32)
    others = dict.fromkeys(("value", "halt", "residual"), nothing)
    others |= {"stability": nothing.astype(np.int32), "depth": nothing.astype(np.int32), "halted": nothing > 0}
    return Answers(tokens, **others | given)  # type: ignore[arg-type]


def one_each(puzzles: int, rating: np.ndarray | None = None) -> Puzzles:
    return Puzzles(np.ones((puzzles, 2), np.uint8), (np.ones((1, 2), np.uint8),) * puzzles, rating=rating)


def test_a_summary_weighs_a_puzzle_by_its_number_of_solutions() -> None:
    puzzles = Puzzles(np.ones((2, 2), np.uint8), (np.ones((1, 2), np.uint8), np.ones((3, 2), np.uint8)))
    tokens = np.array([[[1, 1], [1, 1]], [[1, 2], [2, 1]]], np.uint8)  # right, right; one of two right
    valid = np.array([[True, True], [True, False]])
    given = answers(tokens, depth=np.array([[1, 3], [2, 2]]), halted=valid)
    metrics = summary(measure_puzzles(puzzles, given, valid), np.arange(2))
    assert metrics["accuracy"] == (1 * 1.0 + 3 * 0.5) / 4
    assert metrics["coverage"] == (1 + 1) / 4
    assert metrics["ceiling"] == 2 / 4
    assert metrics["distinct"] == (1 + 2) / 2
    assert metrics["mean_halt_step"] == 2
    assert metrics["halted"] == 3 / 4
    assert "by_rating" not in metrics
    assert "conflicts" not in metrics


def test_conflicts_are_those_of_one_sample_of_each_puzzle_summed() -> None:
    found = np.array([[0, 2], [3, 0]])
    each = measure_puzzles(one_each(2), answers(np.ones((2, 2, 2), np.uint8)), found == 0, found)
    metrics = summary(each, np.arange(2))
    assert metrics["conflicts"] == 1 + 1.5
    assert metrics["intervals"]["conflicts"] == total([1, 1.5])


def test_one_sample_and_the_best_of_many_are_compared_on_the_same_puzzles() -> None:
    rng = np.random.default_rng(0)
    valid = rng.random((300, 5)) < rng.random((300, 1))
    value = (valid + rng.normal(size=valid.shape)).astype(np.float32)
    weight = rng.integers(1, 4, 300)
    puzzles = Puzzles(np.ones((300, 2), np.uint8), tuple(np.ones((n, 2), np.uint8) for n in weight))
    metrics = summary(
        measure_puzzles(puzzles, answers(np.ones((300, 5, 2), np.uint8), value=value), valid), np.arange(300)
    )
    best = valid[np.arange(300), value.argmax(1)]
    above = metrics["above_one_sample"]["value"]
    assert above["difference"] == metrics["best_of_n"]["value"] - metrics["accuracy"]
    assert above["interval"] == mean(best - valid.mean(1), weight, (-1, 1))
    assert 0 < above["interval"][0] < above["difference"] < above["interval"][1]
    # Paired: a hard puzzle is hard for both, so their difference is known better than either.
    low, high = metrics["intervals"]["best_of_n"]["value"]
    assert above["interval"][1] - above["interval"][0] < high - low


def test_every_share_has_its_interval() -> None:
    valid = np.random.default_rng(0).random((40, 3)) < 0.6
    each = measure_puzzles(one_each(40), answers(valid[..., None].repeat(2, 2).astype(np.uint8)), valid)
    metrics = summary(each, np.arange(40))
    ones = np.ones(40)
    assert metrics["intervals"]["accuracy"] == mean(valid.mean(1), ones)
    for name in metrics["best_of_n"]:
        assert metrics["intervals"]["best_of_n"][name] == mean(each.chosen[name], ones)
    for name in ("accuracy", "coverage"):
        low, high = metrics["intervals"][name]
        assert low <= metrics[name] <= high


def test_rules_choose_only_where_they_decide_what_is_right() -> None:
    valid, tokens = np.array([[False, True]]), np.array([[[2, 2], [1, 1]]], np.uint8)
    broken = (~valid).astype(int)
    without, ruled = (measure_puzzles(one_each(1), answers(tokens), valid, found) for found in (None, broken))
    assert list(without.chosen) == ["majority", "value", "halt", "residual", "stability", "any"]
    assert list(ruled.chosen) == list(SELECTORS)
    assert [int(right[0]) for right in ruled.chosen.values()] == [0, 0, 0, 0, 0, 1, 1]


def test_more_may_be_found_than_was_known() -> None:
    valid = np.ones((1, 3), bool)
    metrics = summary(
        measure_puzzles(one_each(1), answers(np.arange(3, dtype=np.uint8)[None, :, None]), valid), np.arange(1)
    )
    low, high = metrics["intervals"]["coverage"]
    assert 0 < low < metrics["coverage"] == high == 3


def test_groups_by_rating_hold_each_puzzle_once() -> None:
    rating = np.array([0, 0, 1, 4, 5, 19, 99, 100, 1849])
    valid = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0], bool)[:, None]
    each = measure_puzzles(one_each(9, rating), answers(np.ones((9, 1, 2), np.uint8)), valid)
    rows = summary(each, np.arange(9))["by_rating"]
    assert [(row["rating"], row["inputs"], row["accuracy"]) for row in rows] == [
        ("0", 2, 1.0), ("1-4", 2, 0.5), ("5-19", 2, 0.5), ("20-99", 1, 1.0), ("100+", 2, 0.0),
    ]  # fmt: skip
    assert rows[0]["intervals"]["accuracy"] == mean([1, 1], [1, 1])
    some = summary(each, np.array([0, 7]))["by_rating"]
    assert [(row["rating"], row["inputs"]) for row in some] == [("0", 1), ("100+", 1)]


def test_the_first_trajectories_are_those_of_a_narrower_evaluation() -> None:
    given = answers(np.arange(24, dtype=np.uint8).reshape(2, 6, 2), value=np.arange(12, dtype=np.float32).reshape(2, 6))
    first = given.first(2)
    assert first.tokens.shape == (2, 2, 2)
    assert first.value.tolist() == [[0, 1], [6, 7]]
    assert {values.shape[1] for values in vars(first).values()} == {2}


def test_two_evaluations_are_compared_puzzle_by_puzzle() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(2, 5, 30)
    puzzles = Puzzles(np.ones((30, 2), np.uint8), tuple(np.ones((n, 2), np.uint8) for n in weight))
    ids, rows = np.arange(30) * 3, np.arange(30)

    def result(rate: float) -> dict[str, Any]:
        valid = rng.random((30, 4)) < rate
        each = measure_puzzles(puzzles, answers(rng.integers(0, 2, (30, 4, 1)).astype(np.uint8)), valid)
        return summary(each, rows) | {"per_puzzle": each.plain(rows, ids.tolist())}

    good, bad = result(0.9), result(0.3)
    gap = difference(good, bad)
    for path in (("accuracy",), ("coverage",), ("best_of_n", "value")):
        one, other, values, others, found = (
            entry(part, *path) for part in (good, bad, good["per_puzzle"], bad["per_puzzle"], gap)
        )
        assert one == pytest.approx(np.average(values, weights=weight))
        assert found["difference"] == one - other
        assert found["interval"] == mean(np.subtract(values, others), weight, (-1, 1))
        assert 0 < found["interval"][0] < found["difference"] < found["interval"][1]
    assert good["per_puzzle"]["puzzle"] == ids.tolist()
    none = difference(good, good)["accuracy"]
    assert none["difference"] == 0
    assert none["interval"] == pytest.approx([-none["interval"][1], none["interval"][1]])
    other = bad | {"per_puzzle": bad["per_puzzle"] | {"puzzle": list(range(30))}}
    with pytest.raises(ValueError, match="the two evaluations are of different puzzles"):
        difference(good, other)
