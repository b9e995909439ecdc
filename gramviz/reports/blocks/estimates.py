"""Numbers with intervals, all of 95 %.

A share of independent answers carries a Wilson interval; whatever is summed over puzzles (coverage, and accuracy too,
because the samples of one puzzle are not independent) is bootstrapped over puzzles; two models are compared on the same
puzzles, paired.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gramviz.reports.blocks.block import number


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval and the count n that it rests on."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{number(self.value)} [{number(self.low)}, {number(self.high)}]"


def wilson(successes: float, n: int) -> Estimate:
    """A share of n independent answers with its Wilson interval (Wilson 1927), which stays within [0, 1] at the ends.

    Raises:
        ValueError: no answers, or more successes than answers.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} is no share; n must be at least 1 and hold the successes")
    z, p = 1.959963984540054, successes / n
    centre, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)
    # At the ends the formula gives 0 and 1 but for rounding.
    return Estimate(p, 0.0 if successes == 0 else low, 1.0 if successes == n else high, n)


def ratio(part: ArrayLike, whole: ArrayLike, *, draws: int = 4000, seed: int = 0) -> Estimate:
    """sum(part) / sum(whole) over puzzles with a bootstrap interval over puzzles: percentiles of `draws` resamples."""
    a, b = np.asarray(part, float), np.asarray(whole, float)
    return _percentiles(_resampled(a, b, draws, seed), float(a.sum() / b.sum()), len(a))


def difference(part: ArrayLike, other: ArrayLike, whole: ArrayLike, *, draws: int = 4000, seed: int = 0) -> Estimate:
    """ratio(part, whole) - ratio(other, whole) on the same puzzles, paired: each resample takes both models' values."""
    gap, b = np.asarray(part, float) - np.asarray(other, float), np.asarray(whole, float)
    return _percentiles(_resampled(gap, b, draws, seed), float(gap.sum() / b.sum()), len(gap))


def _resampled(a: NDArray[np.float64], b: NDArray[np.float64], draws: int, seed: int) -> NDArray[np.float64]:
    if a.shape != b.shape or a.ndim != 1 or len(a) == 0:
        raise ValueError(f"one number per puzzle is needed on both sides; got shapes {a.shape} and {b.shape}")
    # How often each puzzle is drawn, [draw, puzzle]: the resample without the copies.
    counts = np.random.default_rng(seed).multinomial(len(a), np.full(len(a), 1 / len(a)), size=draws)
    return (counts @ a) / (counts @ b)


def _percentiles(draws: NDArray[np.float64], value: float, n: int) -> Estimate:
    low, high = np.quantile(draws, (0.025, 0.975))
    return Estimate(value, float(min(low, value)), float(max(high, value)), n)
