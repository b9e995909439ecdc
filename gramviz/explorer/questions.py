"""What a page may ask of the kernel, and how an explorer answers; `frontend/offers.js` and `parts/branches.js` ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gramviz.explorer.source import BranchError

if TYPE_CHECKING:
    from gramviz.explorer.widget import Explorer


def answer(explorer: Explorer, asked: Mapping[str, Any]) -> str:
    """Do what a page asks for; returns a sentence to show where the payload stays as it is.

    Raises:
        Exception: what went wrong; the page shows it.
    """
    if asked["ask"] == "cell":
        explorer.set(basis=f"cell{int(asked['cell'])}", camera=None, brush=None)
        return ""
    if asked["ask"] == "puzzle":
        explorer.set(puzzle=int(asked["puzzle"]))
        return ""
    if asked["ask"] == "compare":
        explorer.compare(explorer.others[int(asked["other"])])  # by number: a page names no file to be opened
        return ""
    if asked["ask"] == "tree":
        return _tend(explorer, str(asked["name"]), asked)
    series, trajectory, step = asked["series"], asked.get("trajectory"), asked.get("step", 0)
    patch = asked.get("patch")
    source = (str(patch[0]), int(patch[1])) if patch else None
    if asked["ask"] == "each" and source:
        explorer.patch_each(series, int(trajectory or 0), step, source)
        return ""
    edit, nudge = asked.get("edit"), asked.get("nudge")
    explorer.branch(
        series, trajectory, step, patch=source, cells=asked.get("cells"), by=float(asked.get("by", 1)),
        edit={int(cell): token for cell, token in edit.items()} if edit else None,
        nudge=(int(nudge[0]), float(nudge[1])) if nudge else None,
    )  # fmt: skip
    return ""


def _tend(explorer: Explorer, name: str, asked: Mapping[str, Any]) -> str:
    """Do something with a branch."""
    branch, act = explorer.branches[name], asked.get("act")
    if act == "rename":
        branch.rename(str(asked["to"]))
    elif act == "pin":
        branch.pin(not branch.pinned)
    elif act in ("show", "hide", "compare", "delete", "replay"):
        getattr(branch, act)()
    else:
        raise BranchError(
            f"{act!r} is nothing to do with a branch; known: rename, pin, show, hide, compare, delete, replay"
        )
    return ""
