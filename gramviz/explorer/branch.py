"""New runs from what an explorer shows: go on from a recorded state, perhaps moved a little, or draw a changed puzzle.

    explorer = gv.explore(rollout, rerun=gram.rerun)
    explorer.branch("B", 12, "7.2", towards=("B", 3), by=0.5)
    explorer.edit({"r4c6": 7})

Which state, and where it is moved to, is decided here from recorded numbers alone. What comes of it only a model knows:
`rerun` is a function that the notebook hands in, such as `gram.rerun`, because nothing here may know one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.rollout import board_of, need
from gramviz import measure
from gramviz.explorer.pack import pack
from gramviz.explorer.payload import LETTERS, Payload
from gramviz.measure.pair import pair

TRAJECTORIES = 8  # paths of a branch: as many as the map needs to draw their density


class BranchError(ValueError):
    """A branch or a puzzle that cannot be; the message gives the value, what is allowed, and the cure."""


class Rerun(Protocol):
    """Draws a recorded rollout again; `gram.rerun` is one, and says what each argument means."""

    def __call__(
        self,
        rollout: xr.Dataset,
        /,
        *,
        puzzle: int = ...,
        x: NDArray[Any] | None = ...,
        trajectory: int = ...,
        step: int | None = ...,
        h: NDArray[Any] | None = ...,
        l: NDArray[Any] | None = ...,
        trajectories: int | None = ...,
        supervision_steps: int | None = ...,
        seed: int | None = ...,
    ) -> xr.Dataset:
        """A rollout of one puzzle."""


@dataclass(frozen=True)
class Source:
    """What an explorer was made of.

    Attributes:
        rollouts, puzzles, names: of each run.
        packing: how they were packed, see `gramviz.pack.pack`.
        own: how many runs it was opened with; those after are branches.
        made: how many branches were ever drawn, so that each throws other dice.
    """

    rollouts: tuple[xr.Dataset, ...]
    puzzles: tuple[int, ...]
    names: tuple[str | None, ...]
    packing: Mapping[str, Any]
    own: int
    made: int = 0

    def payload(self) -> Payload:
        """The payload of all runs."""
        runs = zip(self.rollouts, self.names, strict=True)
        names = [name or str(run.attrs.get("name") or run.attrs["model"]) for run, name in runs]
        return pack(self.rollouts, puzzle=self.puzzles, names=names, **self.packing)

    def room(self) -> Source:
        """The same with a place for one more run: where there is none, the last branch makes room."""
        if len(self.rollouts) < len(LETTERS):
            return self
        if self.own == len(LETTERS):
            raise BranchError(f"the explorer shows {len(LETTERS)} runs already; open fewer, then branch")
        return replace(self, rollouts=self.rollouts[:-1], puzzles=self.puzzles[:-1], names=self.names[:-1])

    def joined(self, rollout: xr.Dataset, name: str) -> Source:
        """With a branch more."""
        return replace(
            self,
            rollouts=(*self.rollouts, rollout),
            puzzles=(*self.puzzles, 0),
            names=(*self.names, name),
            made=self.made + 1,
        )

    def beside(self, rollout: xr.Dataset, name: str) -> Source:
        """With a further rollout of the puzzle that is shown; a run of its own, unless branches stand before it.

        Raises:
            BranchError: there is no place, or the rollout does not hold this puzzle.
        """
        if len(self.rollouts) == len(LETTERS):
            raise BranchError(f"the explorer shows {len(LETTERS)} runs already; open fewer, then compare")
        x = self.one(0)["x"].values
        same = (rollout["x"].values == x).all(1) if rollout["x"].shape[1:] == x.shape[1:] else np.zeros(1, bool)
        if not same.any():
            raise BranchError(
                f"{name} does not hold this puzzle; lend a rollout that does, or a function that draws it"
            )
        wider = replace(
            self,
            rollouts=(*self.rollouts, rollout),
            puzzles=(*self.puzzles, int(same.argmax())),
            names=(*self.names, name),
            own=self.own + (self.own == len(self.rollouts)),
        )
        return replace(wider, packing={**self.packing, "cells": self.moved(self.packing.get("cells", ()), wider)})

    def moved(self, cells: Sequence[int], to: Source) -> list[int]:
        """The same places where `to` is drawn: an answer of ARC is drawn as wide as the widest of its runs."""
        here, there = self._width(), to._width()
        return [cell // here * there + cell % here for cell in cells]

    def _width(self) -> int:
        both = pair(self.rollouts, self.puzzles)
        return (both.board if both else board_of(self.rollouts[0])).width

    def one(self, run: int) -> xr.Dataset:
        """The rollout of a run, of the puzzle that is shown."""
        return self.rollouts[run].isel(puzzle=[self.puzzles[run]])


def to_path(one: xr.Dataset, path: int, other: xr.Dataset, to: int, step: int, by: float) -> dict[str, NDArray[Any]]:
    """`h`, and `l` where it was recorded: the share `by` of the way from a path's state to another's at that step.

    Args:
        one, other: rollouts of one puzzle and one checkpoint.
    Raises:
        RolloutError: `h` was not recorded.
        BranchError: the two states lie in unrelated spaces, or the other path has ended before.
    """
    checkpoints = [str(data.attrs.get("checkpoint", "")) for data in (one, other)]
    if one is not other and (checkpoints[0] != checkpoints[1] or not checkpoints[0]):
        raise BranchError(
            "the two paths are of different checkpoints, whose states have nothing in common; choose a path of the same"
        )
    if step >= other.sizes["step"]:
        raise BranchError(f"the other path has no step {step}; it ends at {other.sizes['step'] - 1}")
    names = ["h", *(name for name in ("l",) if name in one and name in other)]
    pairs = {name: [_state(data, name, n, step) for data, n in ((one, path), (other, to))] for name in names}
    return {name: here + by * (there - here) for name, (here, there) in pairs.items()}


def along_component(
    runs: Sequence[xr.Dataset], one: xr.Dataset, path: int, component: int, step: int, by: float
) -> NDArray[Any]:
    """`h` moved along a principal component of `h`, by so many standard deviations of all states along it.

    Args:
        runs: rollouts of one puzzle and one checkpoint, whose states the components are of.
        component: from 1.
    Raises:
        RolloutError: `h` was not recorded.
        BranchError: there is no such component.
    """
    if component not in range(1, measure.COMPONENTS + 1):
        raise BranchError(f"along is {component!r}; choose a component from 1 to {measure.COMPONENTS}")
    runs = [measure.ends(run) for run in runs]
    scores = [run["coordinates"].values[..., component - 1] for run in measure.project(runs, "h").runs]
    spread = float(np.nanstd(np.concatenate([score.ravel() for score in scores])))
    if not spread > 0:
        raise BranchError(f"these states do not differ along component {component}; choose a lower one")
    # X = U S V', so V is X' (U S) but for its length: the sum of the states, each times its score.
    weighted = [np.einsum("nt,ntpf->pf", np.nan_to_num(score), np.nan_to_num(run["h"].values[0].astype(np.float32)))
                for score, run in zip(scores, runs, strict=True)]  # fmt: skip
    direction = np.sum(weighted, axis=0)
    moved: NDArray[Any] = _state(one, "h", path, step) + by * spread * direction / np.linalg.norm(direction)
    return moved


def changed(data: xr.Dataset, changes: Mapping[int, Any]) -> NDArray[np.integer]:
    """The puzzle [position] of a rollout of one, with other tokens at some positions.

    Args:
        changes: position -> a token as it is written on the board, or None for a blank.
    Raises:
        BranchError: no change, no such token, or a board whose puzzle stands beside its answer.
    """
    board = board_of(data)
    if board.apart:
        raise BranchError(f"the puzzle of {board.title} stands beside its answer, which has no cells to be given")
    if not changes:
        raise BranchError("cells is empty; give at least one, e.g. {'r1c1': 2}, or {'r1c1': None} for a blank")
    x = data["x"].values[0].copy()
    for position, token in changes.items():
        x[position] = _token(board, token)
    return x


def _state(data: xr.Dataset, name: str, path: int, step: int) -> NDArray[np.float32]:
    return need(data, name).values[0, path, step].astype(np.float32)


def _token(board: Board, written: Any) -> int:
    """The id of a token, given its symbol or its label; None is the blank."""
    blank = max(board.blank, default=0)
    if written is None or written == "":
        return blank
    for at, token in enumerate(board.tokens):
        if str(written) in (token.symbol, token.label) and (at == blank or at not in board.blank):
            return at
    symbols = [token.symbol for at, token in enumerate(board.tokens) if token.symbol and at not in board.blank]
    known = symbols or [token.label for at, token in enumerate(board.tokens) if at not in board.blank]
    raise BranchError(f"{written!r} is no token of this board; write {', '.join(known)}, or None for a blank")
