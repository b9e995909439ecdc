"""The maps of a payload: the answer space, the place of every state in each plane of h, and the loss between them.

Which plane exists for which series is decided by `gramviz.measure`; here its coordinates become small integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import RolloutError
from gramviz import measure
from gramviz.explorer.payload import LETTERS, NO_PLACE, PackError, PayloadWriter, fraction

_SIZE = 64
_MARGIN = 0.07  # of the states' extent, on each side
_REACH = 0.06  # of the diagonal: no loss is shown where no state came nearer
_TOP = 254
_BLANK = 255


def maps(
    writer: PayloadWriter, rollouts: Sequence[xr.Dataset], share_h: bool, wanted: Sequence[str]
) -> list[dict[str, Any]]:
    """Pack the coordinates in every basis, and return what `meta` says of the bases."""
    found = []
    groups: dict[tuple[int, ...], list[str]] = {}
    for basis in wanted:
        for group in measure.planes(rollouts, basis, share_h):
            groups.setdefault(group, []).append(basis)
    for group, bases in groups.items():  # the bases of one group of series together: they read h once
        letters = [LETTERS[i] for i in group]
        try:
            projections = measure.projections([rollouts[i] for i in group], bases, late=True)
        except RolloutError as error:
            raise PackError(f"{_and(letters)} share no plane of h: {error}. Leave share_h=False.") from error
        for basis, projection in projections.items():
            places = [one["coordinates"].values for one in projection.series]
            members = [rollouts[i] for i in group]
            low, high = extent(places)
            for i, place, one in zip(group, places, projection.series, strict=True):
                writer.series = LETTERS[i]
                # One scale for the group: equal states must have equal coordinates, whichever series they belong to.
                scale = np.where(high > low, (high - low) / 65534, 1.0)
                zero = (high + low) / 2
                k = np.rint((np.nan_to_num(place) - zero) / scale)
                k = np.where(np.isfinite(place), k, NO_PLACE).astype(np.int16)
                writer.add(f"map_{basis}", k, scale=scale.tolist(), zero=zero.tolist())
                for name in ("outside", "beyond"):
                    writer.add(f"{name}_{basis}", fraction(np.nan_to_num(one[name].values, nan=1.0), 255))
            apart = len(measure.planes([rollouts[i] for i in group], basis)) > 1
            # One cell is not the state, so it has no loss; and of unrelated spaces there is no common one.
            loss = None if apart or basis != "h" else _landscape(writer, basis, letters[0], members, places)
            warning = f"{_and(letters)} were trained apart: distances between them mean nothing."
            found.append(entry(projection, basis, group) | {"note": warning if apart else None, "landscape": loss})
    return sorted(found, key=lambda one: wanted.index(one["name"]))


def entry(projection: measure.Projection, name: str, group: Sequence[int]) -> dict[str, Any]:
    """What `meta` says of a basis."""
    return {
        "name": name,
        "label": projection.label,
        "of": projection.of,
        "series": [LETTERS[i] for i in group],
        "variance": [round(float(v), 6) for v in projection.variance],
        "plane": round(projection.explained_2d, 6),
        "note": None,
        "landscape": None,
    }


def _landscape(
    writer: PayloadWriter,
    basis: str,
    letter: str,
    rollouts: Sequence[xr.Dataset],
    places: Sequence[NDArray[np.floating]],
) -> dict[str, Any] | None:
    """Pack the loss between the recorded states of one plane, and return its extent, range and unit; None without one.

    As `gramviz.measure.landscape`, over all series of the plane; blank where no state comes nearer than 6 % of the
    diagonal. It is stored with the plane's first series.
    """
    try:
        losses = [measure.loss(rollout) for rollout in rollouts]
    except RolloutError:
        return None
    if len({loss.attrs["unit"] for loss in losses}) > 1:
        return None
    points = np.concatenate([place.reshape(-1, place.shape[-1])[:, :2] for place in places]).astype(np.float64)
    values = np.concatenate([loss.values.reshape(-1) for loss in losses]).astype(np.float64)
    known = np.isfinite(points).all(1) & np.isfinite(values)
    points, values = points[known], values[known]
    if len(points) < 3 or not (np.ptp(points, axis=0) > 0).all() or not np.ptp(values) > 0:
        return None
    low, high = points.min(0), points.max(0)
    margin = _MARGIN * (high - low)
    low, high = low - margin, high + margin
    axes = [low[k] + (np.arange(_SIZE) + 0.5) / _SIZE * (high[k] - low[k]) for k in (0, 1)]
    grid = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)  # rows go up, as PC 2 does
    reach = _REACH * float(np.hypot(*np.ptp(points, axis=0)))
    found = measure.shepard(points, values, grid, reach)
    bottom, top = float(values.min()), float(values.max())
    shade = np.rint((np.nan_to_num(found, nan=bottom) - bottom) / (top - bottom) * _TOP)
    writer.series = letter
    writer.add(
        f"landscape_{basis}",
        np.where(np.isfinite(found), shade, _BLANK).astype(np.uint8).reshape(_SIZE, _SIZE),
    )
    return {
        "low": [float(v) for v in low],
        "high": [float(v) for v in high],
        "range": [bottom, top],
        "unit": str(losses[0].attrs["unit"]),
    }


def extent(places: Sequence[NDArray[np.floating]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest finite coordinate [component] of several series; 0, 0 where there is none."""
    rows = np.concatenate([place.reshape(-1, place.shape[-1]) for place in places]).astype(np.float64)
    rows = rows[np.isfinite(rows).all(1)]
    if not len(rows):
        rows = np.zeros((1, measure.COMPONENTS))
    return rows.min(0), rows.max(0)


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
