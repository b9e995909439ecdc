"""What a rollout holds beyond the schema's own names: curves, layers of the board, maps. And rollouts without a board.

In a payload, in the state of a page and among the bases such a variable is called `extra.NAME`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from gram.board import Board, Token
from gram.rollout import VARIABLES, board_of, digest, extras
from gramviz import measure
from gramviz.explorer.payload import PayloadWriter


def boarded(rollout: xr.Dataset) -> xr.Dataset:
    """The rollout itself; one without a board with one of a single position and a single token, its states as vectors.

    A board with a single token shows nothing, and neither it nor the answers are drawn.
    """
    if "board" in rollout.attrs:
        return rollout
    sizes = rollout.sizes
    flat: dict[str, Any] = {}
    for name in [str(key) for key in rollout.data_vars]:
        found = rollout[name]
        if "token" in found.dims:
            continue
        if name in VARIABLES and "feature" in found.dims:
            shape = (*(sizes[dim] for dim in found.dims[:3]), 1, -1)
            flat[name] = (found.dims, found.values.reshape(shape), found.attrs)
        elif extras(rollout).get(name) == "map":
            dims = [dim for dim in found.dims if dim in ("puzzle", "trajectory", "step")]
            shape = (*(sizes[dim] for dim in dims), -1)
            flat[name] = ((*dims, f"feature_{name}"), found.values.reshape(shape), found.attrs)
        elif "position" not in found.dims:
            flat[name] = found.variable
    board = Board("none", "Recording", "grid", 1, 1, (Token("none"),), blank=(0,))  # one for all: they can be compared
    tokens = np.zeros((*(sizes[dim] for dim in ("puzzle", "trajectory", "step")), 1), np.uint8)
    shown = xr.Dataset(flat, coords={name: one for name, one in rollout.coords.items() if "position" not in one.dims})
    shown["x"] = (("puzzle", "position"), tokens[:, 0, 0])
    shown["tokens"] = (VARIABLES["tokens"].dims, tokens)
    shown = shown.assign_attrs(rollout.attrs | {"board": board.to_json()})
    shown.encoding["digest"] = digest(rollout)  # no attribute: a file could bring one
    return shown


def is_bare(rollout: xr.Dataset) -> bool:
    """Whether its board has a single token, as that of `boarded`: no answers, and nothing to say of them."""
    return len(board_of(rollout).tokens) == 1


def pack_extras(writer: PayloadWriter, drawn: xr.Dataset) -> None:
    """Pack the curves and layers among the further variables of one puzzle, at the positions that are drawn."""
    for name, kind in extras(drawn).items():
        if kind == "curve":
            own = "trajectory" in drawn[name].dims  # else one line for all
            values = measure.full(drawn, name).values[0]
            writer.curve(f"extra.{name}", values if own else values[:1])
        elif kind == "layer":
            writer.quantized(f"layer_extra.{name}", measure.full(drawn, name).values[0])


def extra_bases(rollouts: Sequence[xr.Dataset]) -> list[str]:
    """The bases of the vectors among the further variables."""
    return list(dict.fromkeys(f"extra.{n}" for one in rollouts for n, kind in extras(one).items() if kind == "map"))


def extra_meta(rollouts: Sequence[xr.Dataset]) -> dict[str, Any]:
    """What `meta` says of them: {"extra.loss": ["loss", "nats"]}, a title and a unit."""
    return {
        f"extra.{name}": [name.replace("_", " "), str(one[name].attrs.get("units", ""))]
        for one in rollouts
        for name, kind in extras(one).items()
        if kind != "kept"
    }
