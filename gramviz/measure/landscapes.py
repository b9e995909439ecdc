"""What answers cost, and that cost as a landscape between recorded states (after the paper's Fig. 18 and 19).

From recorded states alone, so it opens on a laptop without the model. What the decoder says on a plane of states that
nobody visited is `gram.analysis.plane.landscape`, which needs the checkpoint; both have the same form.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import KDTree

from gram.rollout import RolloutError, board_of
from gramviz.measure.components import project
from gramviz.measure.positions import ends, probability, shown
from gramviz.measure.trajectories import conflicts

NEAR = 0.06  # of the diagonal of the picture: further than that from every recorded state, nothing is claimed
NEIGHBORS = 8  # recorded states that a point of the landscape is interpolated from


def loss(data: xr.Dataset, puzzle: int = 0) -> xr.DataArray:
    """What each state's answer costs [trajectory, step], in nats per position.

    The cross-entropy of the right answer that the state fits best, mean over positions; right are `y` and every final
    answer of a trajectory that is `valid`. (One `y` alone would call a trajectory lost that finds another solution.)
    Without probabilities, or where no right answer is known, the number of violated rules; `attrs["unit"]` says which.

    Raises:
        RolloutError: neither is known.
    """
    one = data.isel(puzzle=slice(puzzle, puzzle + 1 or None))  # a list would copy h
    right = _right(one)
    if ("probability" in one or "logits" in one) and len(right):
        p = probability(one).transpose("puzzle", "trajectory", "step", "position", "token").values[0]
        logp = np.log(p.clip(np.finfo(np.float16).tiny))  # recorded in half precision: nothing smaller is known
        at = np.arange(p.shape[2])
        each = [-logp[:, :, at, answer].mean(-1) for answer in right]
        found, unit = np.min(each, axis=0), "nats per position"
    else:
        if not board_of(one).ruled and "conflict" not in one:
            raise RolloutError("no right answer of this puzzle is known and its board has no rules: there is no loss")
        found, unit = conflicts(one).transpose("puzzle", "trajectory", "step").values[0], "violated rules"
    return xr.DataArray(found.astype(np.float32), dims=("trajectory", "step"), name="loss", attrs={"unit": unit})


def landscape(data: xr.Dataset, puzzle: int = 0, *, size: int = 64, margin: float = 0.07) -> xr.Dataset:
    """The loss between recorded states, in the plane of the first two principal components of h over all of them.

    At each point the mean of the `NEIGHBORS` nearest recorded states, weighted by one over squared distance (Shepard
    1968), found with a k-d tree as in the paper; NaN where the nearest is further than `NEAR` of the diagonal. States
    that lie far apart outside the plane may stand side by side in it: where they do, their mean is drawn.

    Returns:
        `loss` [row, column]; `coordinates` [trajectory, step, axis] and `outside` [trajectory, step] as in
        `Projection`; coordinates `row` and `column`; attrs `name`, `unit`, `variance` (shares of the two components).
    Raises:
        RolloutError: h was not recorded.
    """
    states = ends(data)
    projection = project([states], puzzle=puzzle)
    series = projection.series[0]
    coordinates = series["coordinates"].values[..., :2]
    cost = loss(states, puzzle)
    known = np.isfinite(coordinates).all(-1) & np.isfinite(cost.values)
    if not known.any():
        raise RolloutError("no recorded state is finite, so there is no landscape; look at the training of this model")
    places, costs = coordinates[known].astype(np.float64), cost.values[known].astype(np.float64)
    low, high = places.min(0), places.max(0)
    half = max((0.5 + margin) * float((high - low).max()), 1e-6)  # a square: one scale for both axes
    columns, rows = (center + np.linspace(-half, half, size) for center in (low + high) / 2)
    points = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    return xr.Dataset(
        {
            "loss": (("row", "column"), shepard(places, costs, points, NEAR * 2**1.5 * half).reshape(size, size)),
            "coordinates": (("trajectory", "step", "axis"), coordinates),
            "outside": (("trajectory", "step"), series["outside"].values),
        },
        coords={"row": rows, "column": columns},
        attrs={
            "name": str(data.attrs.get("name") or data.attrs["model"]),
            "unit": cost.attrs["unit"],
            "variance": [float(share) for share in projection.variance[:2]],
        },
    )


def shepard(
    places: NDArray[np.float64], values: NDArray[np.float64], points: NDArray[np.float64], reach: float
) -> NDArray[np.float64]:
    """Values [point] between known places [place, axis]: see `landscape`; NaN where none lies within `reach`."""
    count = min(NEIGHBORS, len(places))
    distance, near = KDTree(places).query(points, k=count)
    distance, near = distance.reshape(len(points), count), near.reshape(len(points), count)
    weight = 1 / np.maximum(distance, 1e-9 * max(reach, 1e-300)) ** 2
    found = (weight * values[near]).sum(1) / weight.sum(1)
    return np.where(distance[:, 0] <= reach, found, np.nan)


def _right(one: xr.Dataset) -> NDArray[np.integer]:
    """Right answers [answer, position] that a rollout of one puzzle knows."""
    drawn = shown(one)
    known = [drawn["y"].values.astype(np.int64)] if "y" in drawn else []
    if "valid" in drawn:
        last = drawn.isel(step=-1)
        known.append(last["tokens"].values[0][last["valid"].values[0]].astype(np.int64))
    return np.unique(np.concatenate(known), axis=0) if known else np.empty((0, drawn.sizes["position"]), np.int64)
