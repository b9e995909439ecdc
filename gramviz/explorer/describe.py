"""What `gramviz check` says of a rollout file: what it holds, how each variable is drawn, and how large its page is."""

from __future__ import annotations

import os
from pathlib import Path

from gram.rollout import VARIABLES, board_of, extras, load
from gramviz.explorer.pack import Packing, packed
from gramviz.explorer.payload import clean


def describe(path: str | os.PathLike[str]) -> list[str]:
    """The lines of `gramviz check`.

    Raises:
        RolloutError: the file breaks a rule of `docs/rollout.md`; the message names the first one.
    """
    path = Path(path)
    data = load(path)
    sizes, further = data.sizes, extras(data)
    shown = f"{clean(board_of(data).title)}, {sizes['position']} positions" if "board" in data.attrs else "no answers"
    known = [name for name in VARIABLES if name in data]
    payload = packed([data], 0, None, Packing(budget=None)).size / 1e6
    lines = [
        f"{path}: a legal {data.attrs['schema']}, {path.stat().st_size / 1e6:.2f} MB",
        f"sizes    puzzle {sizes['puzzle']}, trajectory {sizes['trajectory']}, step {sizes['step']}; {shown}",
        f"named    {', '.join(known) or 'none'}",
    ]
    for kind in ("curve", "layer", "map", "kept"):
        names = [name for name, one in further.items() if one == kind]
        if names:
            lines.append(f"{kind:<8} {', '.join(names)}" + (" (not drawn)" if kind == "kept" else ""))
    fits = "within" if payload <= 4 else "over"
    return [*lines, f"page     {payload:.2f} MB for a puzzle, {fits} the budget of 4 MB"]
