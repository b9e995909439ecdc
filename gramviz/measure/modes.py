"""How a trajectory comes to its end: at once, late, or not; and whether it comes to rest.

After the modes that two papers name: quick success, delayed success and failure (PTRM, arXiv 2605.19943); and the
question of whether a failure rests in a false fixed point or wanders (Ren & Liu, arXiv 2601.10679). Neither gives
thresholds that hold for other models, so those here are ours: `QUICK`, and `REST` of `trajectories`.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import RolloutError, board_of, need
from gramviz.measure.plain import since
from gramviz.measure.trajectories import rest

MODES = ("quick success", "delayed success", "failure")  # index = the code in `modes`
QUICK_SUCCESS, DELAYED_SUCCESS, FAILURE = range(3)
QUICK = 0.25  # share of the supervision steps within which a quick success is right for good


def modes(data: xr.Dataset, quick: float = QUICK) -> xr.Dataset:
    """How each trajectory ends [puzzle, trajectory].

    Returns:
        `mode`: see `MODES`. A success is right in the last state; it is quick if it is right for good from a state
            within the first `quick` of the supervision steps on.
        `since`: the state (label) from which on the answer stays right, -1 for a failure.
        `rest`: see `rest`; only where h was recorded.
    Raises:
        RolloutError: `valid` was not recorded, or the board is a picture.
        ValueError: `quick` is not between 0 and 1.
    """
    if not 0 < quick < 1:
        raise ValueError(f"quick is {quick}; it must be a share of the steps between 0 and 1")
    if board_of(data).kind == "image":
        raise RolloutError("a picture is neither right nor wrong, so its trajectories have no modes")
    valid = need(data, "valid").transpose("puzzle", "trajectory", "step")
    index = since(np.moveaxis(valid.values, -1, 0))
    success = valid.values[..., -1]
    number = data["supervision_step"].values
    at = number[np.minimum(index, len(number) - 1)]
    mode = np.where(success, np.where(at <= quick * number[-1], QUICK_SUCCESS, DELAYED_SUCCESS), FAILURE)
    label = np.where(success, data["step"].values[np.minimum(index, len(number) - 1)], -1)
    dims = ("puzzle", "trajectory")
    found = xr.Dataset({"mode": (dims, mode.astype(np.uint8)), "since": (dims, label)})
    return found.assign(rest=rest(data)) if "h" in data else found


def separation(value: NDArray[np.floating], success: NDArray[np.bool_]) -> float:
    """How well a number separates success from failure: the share of pairs in which the success has the smaller one.

    1: every success lies below every failure; 1/2: it says nothing; 0: every success lies above. Ties count half (the
    area under the ROC curve; Mann & Whitney 1947). NaN without a success or without a failure.
    """
    good, bad = value[success], value[~success]
    if not len(good) or not len(bad):
        return float("nan")
    return float((good[:, None] < bad).mean() + 0.5 * (good[:, None] == bad).mean())
