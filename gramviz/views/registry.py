"""Pure views: a rollout in, a plotly Figure out. Registering one is what gets it listed, checked and tested.

    VIEWS["latent"].draw(rollout, Cursor(trajectory=12, step=14), theme="dark").show(config=gramviz.theme.CONFIG)

A view computes nothing: its numbers come from `gramviz.measure`. It keeps no state: the same arguments give the same
figure. To add one, write `gramviz/views/x.py` with a decorated `draw` and import it at the end of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import plotly.graph_objects as go
import xarray as xr

from gram.plugins import PluginError
from gram.rollout import RolloutError, board_of, check, need
from gramviz.theme import palette

Rollouts = xr.Dataset | Sequence[xr.Dataset]
LETTERS = "ABCD"


@dataclass(frozen=True)
class Cursor:
    """What is looked at: indices from 0 of the puzzle, of the trajectory, and of the recorded state; -1 is the last."""

    puzzle: int = 0
    trajectory: int = 0
    step: int = -1

    def on(self, data: xr.Dataset) -> Cursor:
        """The same place in this rollout, with indices counted from its start.

        Raises:
            IndexError: the rollout does not reach so far.
        """
        found = []
        for name, index in (("puzzle", self.puzzle), ("trajectory", self.trajectory), ("step", self.step)):
            size = data.sizes[name]
            if not -size <= index < size:
                raise IndexError(f"{name} {index} is not in this rollout, which holds 0 to {size - 1}")
            found.append(index % size)
        return Cursor(*found)


@dataclass(frozen=True)
class View:
    """One registered view.

    Attributes:
        name: the key in `VIEWS`, also the name of its module.
        title: what a reader calls it.
        needs: variables without which it cannot be drawn.
        many: whether it draws several rollouts (1 to 4) in one figure.
        draw: (rollout, at=Cursor(), theme="light", **options) -> Figure.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    many: bool
    draw: Callable[..., go.Figure]


VIEWS: dict[str, View] = {}


def registered(name: str, module: Any) -> None:
    """Check that a plug-in has registered the view that its entry point names.

    Raises:
        PluginError: it has not.
    """
    if name not in VIEWS or VIEWS[name].draw.__module__ != getattr(module, "__name__", None):
        raise PluginError(
            f"it registers no view {name!r}; give its module that name, and its `draw` the decorator @view"
        )


def view(
    title: str, *, needs: Sequence[str] = (), many: bool = False
) -> Callable[[Callable[..., go.Figure]], Callable[..., go.Figure]]:
    """Register a `draw` function. It then receives checked rollouts (a list where `many`) and a cursor that exists.

    The registered function raises `RolloutError` for a variable that was not recorded, naming what to record;
    `IndexError` for a cursor outside the rollout; `ValueError` for an unknown theme.
    """

    def register(function: Callable[..., go.Figure]) -> Callable[..., go.Figure]:
        name = function.__module__.rpartition(".")[2]
        if name in VIEWS and VIEWS[name].draw.__module__ != function.__module__:
            raise PluginError(
                f"there is a view {name!r} already, of {VIEWS[name].draw.__module__}; choose another name"
            )

        @wraps(function)
        def draw(rollout: Rollouts, at: Cursor = Cursor(), theme: str = "light", **options: Any) -> go.Figure:
            given: Any = rollout
            if isinstance(given, str):
                raise ValueError(f"the view {name!r} draws rollouts, not {given!r}; open it with gram.rollout.load")
            rollouts = [rollout] if isinstance(rollout, xr.Dataset) else list(rollout)
            if not many and len(rollouts) != 1:
                raise ValueError(f"the view {name!r} draws one rollout, not {len(rollouts)}; draw one figure for each")
            if not 1 <= len(rollouts) <= len(LETTERS):
                raise ValueError(f"the view {name!r} draws 1 to {len(LETTERS)} rollouts, not {len(rollouts)}")
            for one in rollouts:
                check(one)
                for variable in needs:
                    need(one, variable)
                if not 0 <= at.on(rollouts[0]).puzzle < one.sizes["puzzle"]:
                    raise IndexError(f"puzzle {at.puzzle} is not in every rollout")
            one_puzzle(rollouts, at.on(rollouts[0]).puzzle)
            palette(theme)
            return function(rollouts if many else rollouts[0], at.on(rollouts[0]), theme, **options)

        VIEWS[name] = View(name, title, tuple(needs), many, draw)
        return draw

    return register


def one_puzzle(rollouts: Sequence[xr.Dataset], puzzle: int) -> None:
    """Check that the series show the same puzzle on the same board.

    Raises:
        RolloutError: they do not; a figure of them would compare what cannot be compared.
    """
    for letter, rollout in zip(LETTERS[1:], rollouts[1:], strict=False):
        if board_of(rollout) != board_of(rollouts[0]):
            raise RolloutError(
                f"A and {letter} show different boards: {board_of(rollouts[0]).title}, {board_of(rollout).title}"
            )
        if (rollout["x"].values[puzzle] != rollouts[0]["x"].values[puzzle]).any():
            raise RolloutError(
                f"A and {letter} show different puzzles under number {puzzle + 1}; choose another puzzle"
            )
