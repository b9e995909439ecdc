"""What is worth naming in river and map: cells that tell the answer, places where states are dense, typical
trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARES = (0.25, 0.5, 0.75)  # of the lanes' entropy
_SHUFFLES, _PERCENT = 20, 95
_SIDE = 48  # cells of the histogram of a map
_WIDTH = 1.5  # of its smoothing, in cells; a place is what lies within twice of it
_LEAST_SHARE, _LEAST_TRAJECTORIES, _MOST_PLACES = 0.03, 3, 6
_LEAST_MORE = 0.2  # more probable there than elsewhere, for a token to name a place


@dataclass(frozen=True)
class Decisive:
    """From step `step` on, the token of `cell` (a column of the boards) tells `share` of the lanes' entropy."""

    step: int
    cell: int
    share: float


@dataclass(frozen=True)
class Place:
    """Where states are dense on a map: its center and reach, the share of the states there, and two (cell, token) that
    are far more probable there than elsewhere."""

    x: float
    y: float
    reach: float
    share: float
    names: tuple[tuple[int, int], ...]


def decisive(tokens: NDArray[np.integer], last: NDArray[np.integer], vocabulary: int) -> list[Decisive]:
    """The cells that tell first how trajectories end: for 25, 50 and 75 % the first step at which the best cell does.

    Mutual information of the token of a cell [trajectory, step, cell] and the last lane [trajectory], as a share of the
    lanes' entropy; it counts where it exceeds the 95th percentile of the best cell's after 20 shuffles of the lanes
    (with few trajectories some cell always seems to know). Empty where all end alike.
    """
    kinds = np.unique(last)
    if len(kinds) < 2:
        return []
    count, steps, cells = tokens.shape
    labels = (last[:, None] == kinds).astype(np.float32)
    rng = np.random.default_rng(0)
    shuffled = [labels, *(labels[rng.permutation(count)] for _ in range(_SHUFFLES))]
    states = (tokens.reshape(count, -1, 1) == np.arange(vocabulary)).astype(np.float32).reshape(count, -1)
    joint = (states.T @ np.concatenate(shuffled, 1)).astype(np.intp)  # counts, so n log n comes from a table
    n = np.arange(count + 1)
    table = n * np.log2(n.clip(1)).astype(np.float32)
    joint = joint.reshape(steps, cells, vocabulary, len(shuffled), len(kinds))
    alone = table[joint[:, :, :, 0].sum(-1)].sum(-1)  # sum over tokens of n log n [step, cell]
    lanes = float(table[labels.sum(0).astype(np.intp)].sum())
    bits = (table[joint].sum((2, 4)) - alone[..., None] - lanes + float(table[count])) / count
    entropy = float(np.log2(count)) - lanes / count
    best, threshold = bits[..., 0].max(1), np.percentile(bits[..., 1:].max(1), _PERCENT, axis=1)
    found: dict[int, Decisive] = {}
    for share in SHARES:
        reached = np.flatnonzero((best >= share * entropy) & (best > threshold))
        if len(reached):  # two shares at one step: the larger
            step = int(reached[0])
            found[step] = Decisive(step, int(bits[step, :, 0].argmax()), share)
    return list(found.values())


def places(
    xy: NDArray[np.floating], states: NDArray[np.float32], vocabulary: int, names: Sequence[int],
    anchors: NDArray[np.floating],
) -> list[Place]:  # fmt: skip
    """Where the states of a map are dense and no answer is: most states first.

    Args:
        xy: [trajectory, step, axis] of the states [trajectory, step, cell and token].
        names: the tokens that may name a place.
        anchors: [lane, axis], which have a name of their own.
    """
    count, steps = xy.shape[:2]
    flat, rows = xy.reshape(-1, 2).astype(np.float64), states.reshape(count * steps, -1)
    low, high = np.percentile(flat, 0.5, axis=0), np.percentile(flat, 99.5, axis=0)
    step = float((high - low).max()) / _SIDE
    if not step > 0:
        return []
    cell = np.clip(((flat - (low + high) / 2) / step + _SIDE / 2).astype(int), 0, _SIDE - 1)
    histogram = np.zeros((_SIDE, _SIDE))
    np.add.at(histogram, (cell[:, 0], cell[:, 1]), 1)
    at = np.arange(_SIDE)
    bell = np.exp(-0.5 * ((at[:, None] - at) / _WIDTH) ** 2)
    smooth = bell @ histogram @ bell
    around = np.pad(smooth, 1)
    highest = np.max([around[i : i + _SIDE, j : j + _SIDE] for i in range(3) for j in range(3)], axis=0)
    tops = np.argwhere((smooth == highest) & (histogram > 0))
    centers = (tops + 0.5 - _SIDE / 2) * step + (low + high) / 2
    reach, mean = 2 * _WIDTH * step, rows.mean(0)
    found: list[Place] = []
    for center in centers[np.argsort(-smooth[tops[:, 0], tops[:, 1]], kind="stable")]:
        apart = [np.hypot(*(center - other)) for other in (*anchors, *((one.x, one.y) for one in found))]
        here = np.hypot(*(flat - center).T) <= reach
        inside = float(here.mean())
        visitors = int(here.reshape(count, steps).any(1).sum())
        if inside < _LEAST_SHARE or inside == 1 or visitors < _LEAST_TRAJECTORIES or min(apart, default=9) < 2 * reach:
            continue
        mine = here.astype(np.float32) @ rows / here.sum()
        more = ((mine - mean) / (1 - inside)).reshape(-1, vocabulary)[:, list(names)]
        cells = np.argsort(-more.max(1), kind="stable")[:2]
        called = tuple((int(k), int(names[more[k].argmax()])) for k in cells if more[k].max() >= _LEAST_MORE)
        if called:
            found.append(Place(float(center[0]), float(center[1]), reach, inside, called))
        if len(found) == _MOST_PLACES:
            break
    return found


def medoids(states: NDArray[np.float32], last: NDArray[np.integer]) -> list[int]:
    """The typical trajectory of each lane, and of those in none: least sum of squared distances to the others over
    states [trajectory, step, feature]."""
    rows = states.reshape(len(states), -1)
    found = []
    for k in np.unique(last):
        members = np.flatnonzero(last == k)
        product = rows[members] @ rows[members].T
        square = product.diagonal()
        found.append(int(members[(square[:, None] + square - 2 * product).clip(0).sum(1).argmin()]))
    return found
