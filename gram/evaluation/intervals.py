"""Intervals of 95 % for the figures of an evaluation.

A share of independent inputs carries a Wilson interval (Wilson 1927). Whatever is a mean over the samples of each
input, or weighs inputs, is bootstrapped over inputs: percentiles of resamples of whole inputs. All figures over equally
many inputs share their resamples, so the interval of the difference of two is that of `ratio` of the differences.

`gramviz.reports.blocks.estimates` has the same estimators for notebooks, which know nothing of `gram.evaluate`; a test holds
the two together.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Interval = list[float]  # low, high; a list, as in JSON
DRAWS = 4_000
BLOCK = 500  # resamples that are looked at at once


def wilson(successes: float, n: int) -> Interval:
    """Interval of the share of n independent inputs; it stays within [0, 1].

    Raises:
        ValueError: no inputs, or more successes than inputs.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} is no share; n must be at least 1 and hold the successes")
    z, p = 1.959963984540054, successes / n
    centre, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)
    return [0.0 if successes == 0 else low, 1.0 if successes == n else high]  # but for rounding


def ratio(part: ArrayLike, whole: ArrayLike) -> Interval:
    """Interval of sum(part) / sum(whole) over inputs, one number of each [input], by bootstrap over inputs.

    Raises:
        ValueError: not one number per input on both sides.
    """
    a, b = np.asarray(part, float), np.asarray(whole, float)
    if a.shape != b.shape or a.ndim != 1 or len(a) == 0:
        raise ValueError(f"one number per input is needed on both sides; got shapes {a.shape} and {b.shape}")
    counts, both = _resamples(len(a)), np.stack([a, b], 1)
    sums = np.concatenate([counts[at : at + BLOCK].astype(float) @ both for at in range(0, DRAWS, BLOCK)])
    low, high = np.quantile(sums[:, 0] / sums[:, 1], (0.025, 0.975))
    value = a.sum() / b.sum()
    return [float(min(low, value)), float(max(high, value))]


def share(part: ArrayLike, whole: ArrayLike) -> Interval:
    """Interval of a share, sum(part * whole) / sum(whole), of inputs that count as much as `whole` says.

    Wilson's where each input counts alike and is right or wrong, and where all are right or all wrong, because a
    bootstrap of what does not vary has no width; else a bootstrap.
    """
    a, b = np.asarray(part, float), np.asarray(whole, float)
    if np.isin(a, (0, 1)).all() and len(a) and ((a == a[0]).all() or (b == b[0]).all()):
        return wilson(float(a.sum()), len(a))
    return ratio(a * b, b)


@functools.lru_cache(maxsize=16)
def _resamples(inputs: int) -> NDArray[np.uint8]:
    """How often each input is drawn in each resample [draw, input]."""
    rng = np.random.default_rng(0)
    uniform = np.full(inputs, 1 / inputs)
    blocks = [rng.multinomial(inputs, uniform, size=BLOCK).astype(np.uint8) for _ in range(0, DRAWS, BLOCK)]
    return np.concatenate(blocks)
