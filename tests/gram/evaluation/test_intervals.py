"""Intervals: against their definition, against the estimators of the notebooks, and at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gram.evaluation import intervals as estimates
from gramviz.reports.blocks import estimates as of_notebooks


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (0, 30), (3, 10), (10, 10), (412, 1000)])
def test_the_ends_of_wilson_lie_1_96_standard_errors_of_their_own_from_the_share(successes: int, n: int) -> None:
    low, high = estimates.wilson(successes, n)
    for end in (low, high):
        if 0 < end < 1:
            assert abs(successes / n - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / n), rel=1e-6)
    assert 0 <= low <= successes / n <= high <= 1
    assert (low == 0) == (successes == 0)
    assert (high == 1) == (successes == n)


def test_both_sides_of_the_house_estimate_alike() -> None:
    rng = np.random.default_rng(0)
    whole = rng.integers(1, 9, 137)
    one, other = rng.random(137) * whole, rng.random(137) * whole
    ratio, difference = of_notebooks.ratio(one, whole), of_notebooks.difference(one, other, whole)
    assert estimates.ratio(one, whole) == pytest.approx([ratio.low, ratio.high], abs=1e-12)
    assert estimates.ratio(one - other, whole) == pytest.approx([difference.low, difference.high], abs=1e-12)
    wilson = of_notebooks.wilson(5, 17)
    assert estimates.wilson(5, 17) == [wilson.low, wilson.high]


def test_a_bootstrap_of_many_agrees_with_the_normal_interval() -> None:
    values = np.random.default_rng(0).random(2_000)
    low, high = estimates.ratio(values, np.ones(2_000))
    error = 1.96 * values.std() / math.sqrt(2_000)
    assert [low, high] == pytest.approx([values.mean() - error, values.mean() + error], abs=0.05 * error)


@pytest.mark.parametrize(("weight", "right"), [(1, 12), (3, 12), (1, 0), (1, 20)])
def test_a_share_of_inputs_that_count_alike_is_wilsons(weight: int, right: int) -> None:
    answers = np.arange(20) < right
    assert estimates.share(answers, np.full(20, weight)) == estimates.wilson(right, 20)


def test_any_other_share_is_bootstrapped_unless_nothing_varies() -> None:
    whole = np.array([1, 1, 2, 5, 1, 1, 3, 1])
    for part in ([1, 0, 1, 1, 0, 1, 0, 1], [0.5, 0, 1, 1, 0, 1, 0, 1]):
        assert estimates.share(part, whole) == estimates.ratio(np.array(part) * whole, whole)
    assert estimates.share(np.ones(8), whole) == estimates.wilson(8, 8)
    assert estimates.share(np.zeros(8), whole) == estimates.wilson(0, 8)


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="6 successes of 5 is no share"):
        estimates.wilson(6, 5)
    for part, whole in (([], []), ([1, 2], [1, 2, 3]), ([[1]], [[1]])):
        with pytest.raises(ValueError, match="one number per input is needed on both sides"):
            estimates.ratio(part, whole)
