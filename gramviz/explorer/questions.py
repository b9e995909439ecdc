"""What a page may ask of the kernel, and how an explorer answers; `frontend/offers.js` and `parts/branches.js` ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gram.board import Board
from gramviz.explorer.source import BranchError

if TYPE_CHECKING:
    from gramviz.explorer.widget import Explorer

ACTS = ("show", "hide", "compare", "delete")  # methods of a branch


def answer(explorer: Explorer, asked: Mapping[str, Any]) -> str:
    """Do what a page asks for; returns a sentence to show where the payload stays as it is.

    Raises:
        Exception: what went wrong; the page shows it.
    """
    if asked["ask"] == "cell":
        explorer.set(basis=f"cell{int(asked['cell'])}", camera=None, brush=None)
    elif asked["ask"] == "puzzle":
        explorer.set(puzzle=int(asked["puzzle"]))
    elif asked["ask"] == "compare":
        explorer.compare(explorer.others[int(asked["other"])])  # by number: a page names no file to be opened
    elif asked["ask"] == "tree":
        _tend(explorer, asked)
    elif asked["ask"] == "each":
        return _each(explorer, asked)
    else:
        edit, nudge, patch = (asked.get(name) for name in ("edit", "nudge", "patch"))
        explorer.branch(
            asked["series"], asked.get("trajectory"), asked.get("step", 0), cells=asked.get("cells"),
            edit={int(cell): token for cell, token in edit.items()} if edit else None,
            patch=(str(patch[0]), int(patch[1])) if patch else None, by=float(asked.get("by", 1)),
            nudge=(int(nudge[0]), float(nudge[1])) if nudge else None,
        )  # fmt: skip
    return ""


def _each(explorer: Explorer, asked: Mapping[str, Any]) -> str:
    """Patch each cell in turn; says where the effect is largest."""
    letter, trajectory = asked["patch"]
    found = explorer.patch_each(asked["series"], asked["trajectory"], asked["step"], (str(letter), int(trajectory)))
    values = found["effect"].values
    best = int(np.nanargmax(values))
    place = Board.from_json(explorer._source.rollouts[0].attrs["board"]).place(best) if explorer._source else ""
    return f"{place[:1].upper()}{place[1:]} decides most: patched alone, its effect is {values[best]:.2f}."


def _tend(explorer: Explorer, asked: Mapping[str, Any]) -> None:
    """Do something with a branch."""
    branch, act = explorer.branches[str(asked["name"])], asked.get("act")
    if act == "rename":
        branch.rename(str(asked["to"]))
    elif act == "pin":
        branch.pin(not branch.pinned)
    elif act in ACTS:
        getattr(branch, act)()
    else:
        raise BranchError(f"{act!r} is nothing to do with a branch; known: rename, pin, {', '.join(ACTS)}")
