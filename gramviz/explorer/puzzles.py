"""The puzzles of the rollouts: what is said of the one that is shown, and the list from which another is chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.rollout import RolloutError, board_of, need
from gramviz import measure
from gramviz.explorer.payload import FORMAT, LETTERS, NONE, PayloadWriter
from gramviz.measure.graph import picture
from gramviz.measure.pair import Pair


def puzzle_meta(whole: Sequence[xr.Dataset], p: int, both: Pair | None) -> dict[str, Any]:
    """What `meta` says of the puzzle: its board, its solution, what is not known of it, and where it comes from."""
    first = measure.shown(both.cut(whole[0]) if both else whole[0])
    # Of a graph: its nodes, joined by its edges.
    board = both.board if both else picture(board_of(whole[0]), whole[0]["x"].values[p])
    return {
        "format": list(FORMAT),
        "title": board.title,
        "board": json.loads(board.to_json()),
        "puzzle": p,
        "puzzles": first.sizes["puzzle"],
        "puzzle_index": int(first["puzzle_index"].values[p]) if "puzzle_index" in first.coords else None,
        "x": None if both else first["x"].values[p].tolist(),
        "input": both and _input(*both.input),
        "y": first["y"].values[p].tolist() if "y" in first else None,
        "solutions_known": int(first["solutions_known"].values[p]) if "solutions_known" in first else None,
        "missing": {name: sentence for name in ("y", "solutions_known") if (sentence := fix(first, name))},
        "provenance": {
            "created_at": str(first.attrs.get("created_at", "")),
            "versions": {name: _version(name) for name in ("gram-explorer", "numpy", "scipy", "xarray")},
        },
    }


def puzzle_name(meta: Mapping[str, Any]) -> str:
    """What a reader calls the puzzle: its index in the split where it was chosen by that, else its place."""
    place = f"{meta['puzzle'] + 1} of {meta['puzzles']}"
    if meta.get("puzzle_index") in (None, meta["puzzle"]):
        return f"puzzle {place}"
    return f"puzzle #{meta['puzzle_index']}" + (f", {place}" if meta["puzzles"] > 1 else "")


def counted(count: int) -> str:
    """A number of trajectories, in words."""
    return f"{count} {'trajectory' if count == 1 else 'trajectories'}"


def list_puzzles(writer: PayloadWriter, whole: Sequence[xr.Dataset]) -> None:
    """Pack of each puzzle of the first series what it asks, and of each series how its trajectories end."""
    first = whole[0]
    if first.sizes["puzzle"] == 1:
        return
    board, x = board_of(first), first["x"].values
    if board.nodes:  # the pairs of nodes after the nodes: 1 where they are joined
        x = np.concatenate([x[:, : board.nodes], x[:, board.nodes :] == board.joined], axis=1)
    elif board.kind != "graph":
        x = x.reshape(-1, board.height, board.width)
    writer.series = LETTERS[0]
    writer.add("puzzle_x", x.astype(np.uint8))
    for name in ("puzzle_index", "rating", "solutions_known"):
        if name in first.variables:
            writer.add(f"puzzle_{name.removeprefix('puzzle_')}", first[name].values.astype(np.int32))
    for letter, rollout in zip(LETTERS, whole, strict=False):
        writer.series = letter
        at, count = measure.matched(first, rollout), rollout.sizes["trajectory"]
        found = measure.per_puzzle(rollout).isel(puzzle=at)
        counts = {
            "right": count * found["right"].values,
            "agree": count * (1 - found["disagreement"].values),
            "answers": found["answers"].values,
        }
        for name, values in counts.items():
            known = (at >= 0) & np.isfinite(values)
            writer.add(f"puzzle_{name}", np.where(known, np.rint(np.nan_to_num(values)), NONE).astype(np.uint16))


def _input(board: Board, tokens: NDArray[np.integer]) -> dict[str, Any]:
    """The picture of a puzzle that stands beside its answer."""
    return {"height": board.height, "width": board.width, "tokens": tokens.tolist()}


def fix(rollout: xr.Dataset, name: str) -> str | None:
    """Why a variable is missing and what records it; None if it is there."""
    try:
        need(rollout, name)
    except RolloutError as error:
        return str(error)
    return None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unknown"
