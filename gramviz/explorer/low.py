"""The low-level steps of a payload: how far l moved, in all and in each cell, and the plane of l.

At a low-level step h, and so the answer, stays; what moves is l. So the page draws l where it is recorded
(`Record(low=True)`): as a curve, on the board as how far each cell moved, and in a plane of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from gramviz import measure
from gramviz.explorer.maps import entry, extent
from gramviz.explorer.payload import LETTERS, NO_PLACE, PayloadWriter, fraction
from gramviz.explorer.puzzles import fix

LEVELS = 255


def low_steps(writer: PayloadWriter, full: xr.Dataset, kept: xr.Dataset, missing: dict[str, str]) -> int:
    """Pack how far l moved in each low-level update of a series; returns how many a transition has, 0 if not recorded.

    Args:
        full: with all its steps. kept: with those that are packed, the ends of transitions.
    """
    count = int(full["low_step"].values.max())
    if not count:
        cure = " Record(low=True) keeps them." if "config" in full.attrs else ""  # else the model is not ours
        missing["low"] = f"Low-level steps were not recorded.{cure}"
        return 0
    if "l" not in full:
        missing["low"] = missing["l"] = str(fix(full, "l"))
        return count
    states = measure.shown(full)["l"].transpose("puzzle", "trajectory", "step", "position", ...).values[0]
    moved = np.full((*states.shape[:1], kept.sizes["step"], count, states.shape[2]), np.nan, np.float32)
    for (t, k), index in _updates(full, kept).items():
        step = states[:, index].astype(np.float32) - states[:, index - 1]
        moved[:, t, k] = np.sqrt((step**2).reshape(*step.shape[:2], -1).sum(-1))
    whole = np.sqrt((moved**2).sum(-1))
    writer.quantized("low_drift", whole)
    writer.curve("low", whole.max(-1))
    most = float(np.nanmax(moved)) or 1.0
    writer.add("low_moved", fraction(np.nan_to_num(moved) / most, LEVELS), scale=most / LEVELS, zero=0.0)
    return count


def low_maps(
    writer: PayloadWriter, full: Sequence[xr.Dataset], kept: Sequence[xr.Dataset], share: bool
) -> list[dict[str, Any]]:
    """Pack the place of l in a plane of its own at the end of each transition and after each low-level update."""
    recorded = [bool("l" in one and one["low_step"].values.any()) for one in full]
    of_l = [
        one.assign(h=one["l"]) if known else one.drop_vars("h", errors="ignore")
        for one, known in zip(full, recorded, strict=True)
    ]
    found = []
    for group in measure.planes(of_l, "h", share):
        projection = measure.projections([of_l[i] for i in group], ["h"], late=True)["h"]
        places = [one["coordinates"].values for one in projection.series]
        low, high = extent(places)
        scale, zero = np.where(high > low, (high - low) / 65534, 1.0), (high + low) / 2
        for i, place in zip(group, places, strict=True):
            k = np.where(np.isfinite(place), np.rint((np.nan_to_num(place) - zero) / scale), NO_PLACE).astype(np.int16)
            ends = np.searchsorted(full[i]["step"].values, kept[i]["step"].values)
            between = np.full(
                (len(k), len(ends), int(full[i]["low_step"].values.max()), k.shape[-1]), NO_PLACE, np.int16
            )
            for (t, at), index in _updates(full[i], kept[i]).items():
                between[:, t, at] = k[:, index]
            writer.series = LETTERS[i]
            writer.add("map_l", k[:, ends], scale=scale.tolist(), zero=zero.tolist())
            writer.add("map_l_low", between, scale=scale.tolist(), zero=zero.tolist())
        found.append(entry(projection, "l", group) | {"label": "PCA of l", "of": projection.of.replace("h", "l", 1)})
    return found


def _updates(full: xr.Dataset, kept: xr.Dataset) -> dict[tuple[int, int], int]:
    """(kept step, low-level update from 0) -> the index in `full` of the state after it, where one is before it."""
    low = full["low_step"].values
    found = {}
    for t, end in enumerate(np.searchsorted(full["step"].values, kept["step"].values)):
        begin = int(end)
        while begin > 0 and low[begin - 1] > 0:
            begin -= 1
        found.update({(t, int(low[index]) - 1): index for index in range(max(begin, 1), int(end))})
    return found
