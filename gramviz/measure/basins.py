"""Basins: which answers are reached from many starts (or with other sampling noise), and how finely they interlace.

A rollout's trajectories may differ by their guidance, by their start (`random_start`), or lie on a plane of starts
(`gram.analysis.plane.starts`): the question is the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.evaluation.intervals import wilson
from gram.rollout import RolloutError
from gramviz.measure.reached import Answers, answers


@dataclass(frozen=True)
class Basins:
    """The answers that are reached, and how often.

    Attributes:
        answers: see `Answers`; index 0 is the largest basin.
        share: [answer] of the trajectories that end there.
        low, high: [answer] 95 % interval of each share (Wilson): what other trajectories of this kind would give.
        entropy: of the shares, in nats: 0 if all end alike, ln of the number of answers if all are equally frequent.
    """

    answers: Answers
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    entropy: float


def basins(data: xr.Dataset, puzzle: int = 0) -> Basins:
    """The basins of one puzzle."""
    found = answers([data], puzzle)
    counts = np.array([answer.counts[0] for answer in found.found])
    total = int(counts.sum())
    share = counts / total
    low, high = np.array([wilson(int(n), total) for n in counts]).T
    return Basins(found, share, low, high, max(0.0, float(-(share * np.log(share)).sum())))


def on_plane(data: xr.Dataset, puzzle: int = 0) -> tuple[NDArray[np.integer], NDArray[np.float64], NDArray[np.float64]]:
    """The final answer [row, column] of each start on a plane, and the places of rows and columns.

    Raises:
        RolloutError: the trajectories do not lie on a plane of starts.
    """
    if not {"row", "column"} <= set(data.coords):
        raise RolloutError(
            "the trajectories of this rollout do not start on a plane; gram.plane.starts(checkpoint) draws one"
        )
    rows, columns = np.unique(data["row"].values), np.unique(data["column"].values)
    final = answers([data], puzzle).final[0].values
    grid = np.full((len(rows), len(columns)), -1)
    grid[np.searchsorted(rows, data["row"].values), np.searchsorted(columns, data["column"].values)] = final
    return grid, rows, columns


def border(grid: NDArray[np.integer]) -> float:
    """Share of neighboring pairs of points [row, column], side by side, that reach different answers.

    0: one basin. For basins with smooth borders it falls as 1 / size when the plane is drawn more finely; where it
    does not fall, the basins interlace at every scale that was looked at (Grebogi et al. 1983), and the answer is not
    to be predicted from the start.
    """
    different = (grid[1:] != grid[:-1]).sum() + (grid[:, 1:] != grid[:, :-1]).sum()
    pairs = grid[1:].size + grid[:, 1:].size
    return float(different) / pairs if pairs else math.nan
