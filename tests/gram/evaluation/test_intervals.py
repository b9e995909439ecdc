"""Intervals: against scipy and published values, at the ends, and how often they cover the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from gram.evaluation.intervals import Z, mean, total, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (0, 30), (3, 10), (10, 10), (412, 1000)])
def test_wilson_of_a_count_is_that_of_scipy(successes: int, n: int) -> None:
    assert wilson(successes, n) == pytest.approx(list(binomtest(successes, n).proportion_ci(method="wilson")))


def test_wilson_agrees_with_published_values() -> None:
    """Newcombe 1998, Table I, method 3."""
    for successes, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(successes, n) == pytest.approx([low, high], abs=5e-5)  # the table has four digits


@pytest.mark.parametrize(("weight", "right"), [(1, 12), (3, 12), (1, 0), (1, 20)])
def test_puzzles_of_one_weight_that_are_right_or_wrong_are_a_count(weight: int, right: int) -> None:
    answers = np.arange(20) < right
    assert mean(answers, np.full(20, weight)) == pytest.approx(wilson(right, 20))


def test_where_all_are_right_or_wrong_the_interval_is_that_of_kish_s_sample_size() -> None:
    weights = np.array([1, 1, 2, 5, 1, 1, 3, 1])
    n = weights.sum() ** 2 / (weights**2).sum()
    assert mean(np.ones(8), weights) == pytest.approx(wilson(n, n))
    assert mean(np.zeros(8), weights) == pytest.approx(wilson(0, n))
    assert mean(np.ones(8), weights)[1] == 1
    assert mean(np.zeros(8), weights)[0] == 0


def test_many_puzzles_have_the_normal_interval() -> None:
    rng = np.random.default_rng(0)
    values, weights = rng.random(5_000), rng.integers(1, 9, 5_000)
    center = np.average(values, weights=weights)
    error = 1.96 * math.sqrt(weights**2 @ (values - center) ** 2) / weights.sum()
    assert mean(values, weights) == pytest.approx([center - error, center + error], abs=0.05 * error)


def test_other_bounds_move_and_stretch_the_interval() -> None:
    gaps, weights = np.array([0.5, 0, -0.25, 1]), np.array([1, 2, 3, 1])
    low, high = mean((gaps + 1) / 2, weights)
    assert mean(gaps, weights, (-1, 1)) == pytest.approx([2 * low - 1, 2 * high - 1])


numbers = st.tuples(st.floats(0, 1), st.floats(1e-3, 1e3))


@given(st.lists(numbers, min_size=1, max_size=9))
def test_it_holds_the_mean_stays_in_bounds_and_never_collapses(puzzles: list[tuple[float, float]]) -> None:
    values, weights = np.array(puzzles).T
    low, high = mean(values, weights)
    assert 0 <= low <= np.average(values, weights=weights) + 1e-9
    assert np.average(values, weights=weights) - 1e-9 <= high <= 1
    assert high - low > 0.97 * Z**2 / (len(puzzles) + Z**2)  # about the width where all are right, 3.8 / n


@pytest.mark.parametrize("puzzles", [8, 20, 64])
@pytest.mark.parametrize("truth", [0.5, 0.9, 0.997])
@pytest.mark.parametrize("alike", [0.1, 0.5, 0.9])
def test_it_covers_the_truth_in_95_of_100_samples(puzzles: int, truth: float, alike: float) -> None:
    """Twenty samples of each puzzle, whose rate is drawn from a beta law of mean `truth` and correlation `alike`."""
    rng = np.random.default_rng(0)
    a, b = truth * (1 - alike) / alike, (1 - truth) * (1 - alike) / alike
    draws = 400
    weights = rng.integers(2, 12, (draws, puzzles))
    values = rng.binomial(20, rng.beta(a, b, (draws, puzzles))) / 20
    ends = [mean(*each) for each in zip(values, weights, strict=True)]
    covered = np.mean([low <= truth <= high for low, high in ends])
    assert covered > 0.95 - 3 * math.sqrt(0.95 * 0.05 / draws)  # three deviations of the simulation itself


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.2), (0.95, 0.9), (0.995, 0.99)])
def test_a_paired_difference_covers_the_truth(first: float, second: float) -> None:
    rng = np.random.default_rng(0)
    draws, puzzles = 400, 20
    one, other = (rng.binomial(20, rng.beta(p, 1 - p, (draws, puzzles))) / 20 for p in (first, second))
    weights = rng.integers(2, 12, (draws, puzzles))
    ends = [mean(*each, (-1, 1)) for each in zip(one - other, weights, strict=True)]
    assert np.mean([low <= first - second <= high for low, high in ends]) > 0.95 - 3 * math.sqrt(0.95 * 0.05 / draws)


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="6 successes of 5 are no share"):
        wilson(6, 5)
    for values, weights in (([], []), ([1, 1], [1, 2, 3]), ([[1]], [[1]]), ([1], [0])):
        with pytest.raises(ValueError, match="give one value and one positive weight per puzzle"):
            mean(values, weights)
    with pytest.raises(ValueError, match="values from 0 to 2 leave the bounds; give values in 0 to 1"):
        mean([0, 2], [1, 1])


def test_a_total_of_single_events_has_the_score_interval_of_poisson() -> None:
    z = Z**2 / 2
    assert total(np.zeros(10_000)) == pytest.approx([0, 2 * z], rel=1e-3)
    alone = np.arange(100_000) < 20
    half = Z * math.sqrt(20 + z / 2)
    assert total(alone) == pytest.approx([20 + z - half, 20 + z + half], rel=1e-2)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.7])
@pytest.mark.parametrize("samples", [1, 20])
def test_a_total_covers_the_truth_in_95_of_100_samples(rate: float, samples: int) -> None:
    """255 graphs, whose samples have one gamma-distributed rate: most have no conflict, few have many."""
    rng = np.random.default_rng(0)
    rates = rng.gamma(0.3, rate / 0.3, (400, 255, 1))
    counts = rng.poisson(rates.repeat(samples, 2)).mean(2)
    ends = np.array([total(row) for row in counts])
    covered = np.mean((ends[:, 0] <= 255 * rate) & (255 * rate <= ends[:, 1]))
    assert covered > 0.9
