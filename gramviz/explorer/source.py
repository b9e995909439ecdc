"""What an explorer was made of: its series, how they were packed, and how a model may draw more of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.bounded import InputError
from gram.rollout import board_of, check, load
from gramviz.explorer.extra import boarded
from gramviz.explorer.pack import Packing, packed
from gramviz.explorer.payload import LETTERS, Payload
from gramviz.measure import matched
from gramviz.measure.pair import pair

Rollout = xr.Dataset | str | os.PathLike[str]
Other = Rollout | Callable[[xr.Dataset], xr.Dataset]  # what "+ Compare" adds


def opened(rollout: Rollout) -> xr.Dataset:
    """The rollout itself, or the one stored at this path.

    Raises:
        RolloutError: it is none.
    """
    return boarded(load(Path(rollout)) if isinstance(rollout, str | os.PathLike) else check(rollout))


class BranchError(InputError):
    """A branch or a puzzle that cannot be; the message gives the value, what is allowed, and the fix."""


class Rerun(Protocol):
    """Draws a recorded rollout again; `gram.rerun` is one, and says what each argument means."""

    def __call__(
        self,
        rollout: xr.Dataset,
        /,
        *,
        puzzle: int = ...,
        x: NDArray[Any] | None = ...,
        trajectory: int | Sequence[int] = ...,
        step: int | None = ...,
        h: NDArray[Any] | None = ...,
        l: NDArray[Any] | None = ...,
        trajectories: int | None = ...,
        supervision_steps: int | None = ...,
        seed: int | None = ...,
        keys: Sequence[int] | None = ...,
        noise: float = ...,
    ) -> xr.Dataset:
        """A rollout of one puzzle."""


@dataclass(frozen=True)
class Source:
    """What an explorer shows.

    Attributes:
        rollouts, puzzles, names: of each series.
        packing: how they are packed.
        own: how many series it was opened with; those after are branches, whose puzzle may have been edited.
    """

    rollouts: tuple[xr.Dataset, ...]
    puzzles: tuple[int, ...]
    names: tuple[str | None, ...]
    packing: Packing
    own: int

    @classmethod
    def of(
        cls,
        rollouts: Sequence[Rollout],
        puzzle: int | Sequence[int],
        names: Sequence[str | None] | None = None,
        packing: Packing | None = None,
    ) -> Source:
        """Of rollouts, or paths of them, and one puzzle, the same for all or one each."""
        series = tuple(opened(one) for one in rollouts)
        puzzles = tuple(puzzle) if isinstance(puzzle, Sequence) else (puzzle,) * len(series)
        return cls(series, puzzles, tuple(names or [None] * len(series)), packing or Packing(), own=len(series))

    def payload(self) -> Payload:
        """The payload of all series."""
        series = zip(self.rollouts, self.names, strict=True)
        names = [name or str(one.attrs.get("name") or one.attrs["model"]) for one, name in series]
        return packed(self.rollouts, self.puzzles, names, replace(self.packing, own=self.own))

    def at(self, puzzle: int) -> Source:
        """The same with another puzzle of series A; branches are of the one that is left, and go.

        Raises:
            BranchError: there is no such puzzle, or not in every series.
        """
        own = self.rollouts[: self.own]
        count = own[0].sizes["puzzle"]
        if not 0 <= puzzle < count:
            raise BranchError(f"there is no puzzle {puzzle}; this explorer has 0 to {count - 1}")
        puzzles = tuple(int(matched(own[0], one)[puzzle]) for one in own)
        if -1 in puzzles:
            raise BranchError(
                f"{LETTERS[puzzles.index(-1)]} does not hold puzzle {puzzle} of A; choose one that all series hold"
            )
        # Of puzzles that are cut to their grids, a cell has another number in each.
        cells = () if board_of(own[0]).apart else self.packing.planes_of
        packing = replace(self.packing, planes_of=cells)
        return replace(self, rollouts=own, puzzles=puzzles, names=self.names[: self.own], packing=packing)

    def beside(self, branches: Sequence[tuple[xr.Dataset, int, str]]) -> Source:
        """Its own series with these (rollout, puzzle, name) after them, and no others."""
        rollouts, puzzles, names = zip(*branches, strict=True) if branches else ((), (), ())
        wider = replace(
            self,
            rollouts=(*self.rollouts[: self.own], *rollouts),
            puzzles=(*self.puzzles[: self.own], *puzzles),
            names=(*self.names[: self.own], *names),
        )
        return replace(wider, packing=replace(self.packing, planes_of=tuple(self.moved(self.packing.planes_of, wider))))

    def holds(self, rollout: xr.Dataset, name: str) -> int:
        """Which puzzle of a rollout is the one that is shown.

        Raises:
            BranchError: none is.
        """
        x = self.one(0)["x"].values
        same = (rollout["x"].values == x).all(1) if rollout["x"].shape[1:] == x.shape[1:] else np.zeros(1, bool)
        if not same.any():
            raise BranchError(
                f"{name} does not hold this puzzle; give a rollout that does, or a function that draws it"
            )
        return int(same.argmax())

    def moved(self, cells: Sequence[int], to: Source) -> list[int]:
        """The same places where `to` is drawn: an answer of ARC is drawn as wide as the widest of its series."""
        here, there = self._width(), to._width()
        return [cell // here * there + cell % here for cell in cells]

    def _width(self) -> int:
        both = pair(self.rollouts, self.puzzles)
        return (both.board if both else board_of(self.rollouts[0])).width

    def one(self, series: int) -> xr.Dataset:
        """The rollout of a series, of the puzzle that is shown."""
        puzzle = self.puzzles[series]
        return self.rollouts[series].isel(puzzle=slice(puzzle, puzzle + 1))  # a list would copy h
