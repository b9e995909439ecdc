"""Freezing: an explorer, a payload or rollouts as one HTML page that plays without kernel or network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from gram.progress import bar
from gramviz.explorer.frame import Page, write_page
from gramviz.explorer.models import carried
from gramviz.explorer.payload import Payload
from gramviz.explorer.source import BranchError, Rollout, Source
from gramviz.explorer.state import State
from gramviz.explorer.widget import Explorer


def freeze(
    source: Explorer | Payload | Rollout | Sequence[Rollout],
    path: str | os.PathLike[str] | None = None,
    *,
    puzzle: int | Sequence[int] = 0,
    puzzles: Sequence[int] = (),
    state: State | Mapping[str, Any] | None = None,
    models: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
) -> Page:
    """The page as text, shown as one line; written to `path` (whole or not at all) if that is given.

    Args:
        source: an explorer (with the view it shows), a payload (`gramviz.pack` says what can be chosen of it), or one
            to four rollouts or paths of them.
        path: where to write the page.
        puzzle: which puzzle, for rollouts.
        puzzles: others that the page shall hold too, at the size of a payload each; it lists all of the rollout.
        state: the view that it opens with; by default the explorer's, else the final step.
        models: a checkpoint or several, by name or folder, that the page can run on a puzzle that its reader types
            ("Your puzzle"): TRMs and GRAMs of this board that mix along its relations. Each adds 40 to 130 kB.
    Raises:
        RolloutError, PackError, StateError: the rollouts or the state are not legal.
        BranchError: there is no such puzzle among `puzzles`, or only a payload was given.
        ProgramError: a page cannot run one of the models.
        PageError: the place cannot be written.
    """
    shown: Mapping[str, Any] = {}
    made: Source | None = None
    if isinstance(source, Explorer):
        payload, shown, made = source.payload, source.state, source.source
    elif isinstance(source, Payload):
        payload = source
    if puzzles and made is None and isinstance(source, Explorer | Payload):
        raise BranchError("this holds one puzzle and no rollout; freeze the rollout, or gv.explore(rollout)")
    with bar(1 + len(puzzles), "puzzle", text="freeze") as counter:
        if not isinstance(source, Explorer | Payload):
            given: Sequence[Any] = source if isinstance(source, list | tuple) else [source]
            made = Source.of(given, puzzle)
            payload = made.payload()
        counter.update()
        more = []
        for one in dict.fromkeys(puzzles):
            if made is not None and one != payload.meta["puzzle"]:
                more.append(made.at(one).payload())
            counter.update()
    if state is not None:
        shown = State.of(state).keys
    models = [models] if isinstance(models, str | os.PathLike) else models
    return write_page(payload, shown, path, more, carried(models, payload) if models else None)
