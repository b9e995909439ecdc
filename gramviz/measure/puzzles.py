"""What tells the puzzles of a rollout apart: how often each is solved, and how far its trajectories agree."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gramviz.measure.plain import judged
from gramviz.measure.trajectories import CORRECT, outcome


def per_puzzle(data: xr.Dataset) -> xr.Dataset:
    """For each puzzle [puzzle] how its trajectories end.

    Returns:
        `right`: the share of trajectories whose last answer is right; NaN where nobody can judge.
        `answers`: how many different last answers there are.
        `disagreement`: the share of trajectories that do not give the most frequent one.
    """
    last = np.ascontiguousarray(data["tokens"].isel(step=-1).transpose("puzzle", "trajectory", "position").values)
    rows = last.view(np.dtype((np.void, last.dtype.itemsize * last.shape[2])))[..., 0]
    counts = [np.unique(each, return_counts=True)[1] for each in rows]
    right = np.full(len(rows), np.nan)
    if judged(data):
        right = (outcome(data).values == CORRECT).mean(1)
    return xr.Dataset(
        {
            "right": ("puzzle", right),
            "answers": ("puzzle", np.array([len(each) for each in counts])),
            "disagreement": ("puzzle", np.array([1 - each.max() / each.sum() for each in counts])),
        }
    )


def matched(first: xr.Dataset, other: xr.Dataset) -> NDArray[np.int64]:
    """For each puzzle of the first rollout the index of the same one in the other, or -1.

    Of several equal puzzles, the n-th is that which is the n-th of the other.
    """
    x, theirs = (np.ascontiguousarray(data["x"].values.astype(np.uint16)) for data in (first, other))
    if np.array_equal(x, theirs):
        return np.arange(len(x))
    where: dict[bytes, list[int]] = defaultdict(list)
    for index in range(len(theirs) - 1, -1, -1):
        where[theirs[index].tobytes()].append(index)
    return np.array([known.pop() if (known := where[row.tobytes()]) else -1 for row in x])
