"""Confidence intervals of 95 % for shares and for means over puzzles; none collapses where all puzzles agree.

One score interval (Wilson 1927) serves all: of a count, with the number of trials; of a weighted mean over puzzles,
whose samples are not independent, with the effective number of puzzles. Wilson's interval with an effective sample size
is what Franco, Little, Louis and Slud (2019, J. Surv. Stat. Methodol. 7(3)) recommend for shares in cluster samples.
Sums of counts without an upper bound (conflicts) have the Poisson counterpart.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

Interval = list[float]  # low, high; a list, as in JSON
Z = 1.959963984540054  # the normal quantile of 97.5 %


def wilson(successes: float, n: float) -> Interval:
    """Interval of a share: `successes` of `n` independent trials, neither of which must be whole.

    (`scipy.stats.binomtest` has the same interval for whole numbers only.)

    Raises:
        ValueError: no trials, or more successes than trials.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} are no share; give n above 0 and successes from 0 to n")
    p = successes / n
    center, half = p + Z * Z / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    low, high = (center - half) / (1 + Z * Z / n), (center + half) / (1 + Z * Z / n)
    # Exact in spite of rounding.
    return [0.0 if successes == 0 else max(0.0, low), 1.0 if successes == n else min(1.0, high)]


def total(counts: ArrayLike) -> Interval:
    """Interval of the sum of counts, at least 0, one of each puzzle [puzzle].

    It is the score interval of a Poisson count whose variance is a multiple of its mean (McCullagh & Nelder 1989, 6.2);
    the multiple is that between puzzles, of the sample with z^2 / 2 more puzzles that count 1, as in `mean`.

    Raises:
        ValueError: no puzzle, or a negative count.
    """
    a = np.asarray(counts, float)
    if a.ndim != 1 or not len(a) or a.min() < 0:
        raise ValueError(f"got shape {a.shape} with least {a.min(initial=0):g}; give one count from 0 of each puzzle")
    found, more = float(a.sum()), Z * Z / 2
    average = (found + more) / (len(a) + more)
    excess = float(((a - average) ** 2).sum() + more * (1 - average) ** 2) / (found + more) * Z * Z / 2
    half = math.sqrt(excess * (2 * found + excess))
    return [max(0.0, found + excess - half), found + excess + half]


def mean(values: ArrayLike, weights: ArrayLike, bounds: tuple[float, float] = (0.0, 1.0)) -> Interval:
    """Interval of sum(values * weights) / sum(weights), one value and one weight of each puzzle [puzzle].

    It is Wilson's with the effective sample size n = p (1 - p) / variance of p, where the variance is that between
    puzzles (linearized, as for any ratio). A variance estimated from few puzzles that agree is too small, so it is
    taken from the sample with z^2 / 2 more puzzles at each bound, as Agresti and Coull (1998) do for a count, and n is
    less these z^2. With equal weights and all values at the bounds, n is the number of puzzles, and the interval is
    Wilson's; where all values are at one bound, n is Kish's (sum w)^2 / sum w^2.

    Args:
        bounds: between which every value lies: 0 and 1 for shares, -1 and 1 for paired differences of shares.
    Raises:
        ValueError: not one value and one positive weight per puzzle, or a value out of bounds.
    """
    a, b, (low, high) = np.asarray(values, float), np.asarray(weights, float), bounds
    if a.shape != b.shape or a.ndim != 1 or not (b > 0).all() or not len(a):
        raise ValueError(f"got shapes {a.shape} and {b.shape}; give one value and one positive weight per puzzle")
    if not ((low <= a) & (a <= high)).all():
        raise ValueError(f"values from {a.min():g} to {a.max():g} leave the bounds; give values in {low:g} to {high:g}")
    a = (a - low) / (high - low)
    b = b * b.sum() / (b @ b)  # now sum(b) = sum(b^2) = Kish's n, and an added puzzle has weight 1
    total = b.sum() + Z * Z
    p = (a @ b + Z * Z / 2) / total
    variance = (b**2 @ (a - p) ** 2 + Z * Z / 2 * (p**2 + (1 - p) ** 2)) / total**2
    n = float(p * (1 - p) / variance - Z * Z)
    share = min(1.0, float(a @ b / b.sum()))  # rounding
    return [low + (high - low) * end for end in wilson(share * n, n)]
