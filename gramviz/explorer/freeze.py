"""Freezing: an explorer, a payload or rollouts as one HTML page that plays without kernel or network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from gramviz.explorer.frame import write_page
from gramviz.explorer.pack import pack
from gramviz.explorer.payload import Payload
from gramviz.explorer.source import Rollout, opened
from gramviz.explorer.state import State
from gramviz.explorer.widget import Explorer
from gramviz.measure import Every


def freeze(
    source: Explorer | Payload | Rollout | Sequence[Rollout],
    path: str | os.PathLike[str] | None = None,
    *,
    puzzle: int | Sequence[int] = 0,
    state: State | Mapping[str, Any] | None = None,
    names: Sequence[str] | None = None,
    budget: str | float | None = "4 MB",
    share_h: bool = False,
    second: bool = True,
    every: Every = "transition",
    trajectories: int | None = None,
    planes_of: Sequence[int] = (),
) -> str:
    """The page as text; written to `path` (whole or not at all) if that is given.

    Args:
        source: an explorer (with the view it shows), a payload, or one to four rollouts or paths of them.
        path: where to write the page.
        state: the view that it opens with; by default the explorer's, else the final step.
        puzzle, names, budget, share_h, second, every, trajectories, planes_of: for rollouts, as in `gramviz.pack`.
    Raises:
        RolloutError, PackError, StateError: the rollouts or the state are not legal.
        OSError: the place cannot be written.
    """
    shown: Mapping[str, Any] = {}
    if isinstance(source, Explorer):
        payload, shown = source.payload, source.state
    elif isinstance(source, Payload):
        payload = source
    else:
        rollouts = [source] if isinstance(source, xr.Dataset | str | os.PathLike) else source
        payload = pack(
            [opened(one) for one in rollouts], puzzle=puzzle, names=names, budget=budget, share_h=share_h,
            second=second, every=every, trajectories=trajectories, planes_of=planes_of,
        )  # fmt: skip
    if state is not None:
        shown = state.keys if isinstance(state, State) else State(**state).keys
    return write_page(payload, shown, path)
