"""Where a branch begins: a recorded state, perhaps moved a little; and the puzzle after an edit.

    explorer = gv.explore(rollout, rerun=gram.rerun)
    explorer.branch("B", 12, "7.2", towards=("B", 3), by=0.5)
    explorer.edit({"r4c6": 7})

All of it follows from recorded numbers. What comes of it only a model knows: `rerun` is a function that the notebook
hands in, such as `gram.rerun`, because gramviz imports no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.rollout import STEP_COORDS, board_of, need
from gramviz import measure
from gramviz.explorer.source import BranchError, Source
from gramviz.explorer.state import StateError, step_of, trajectory_name, trajectory_of

TRAJECTORIES = 8  # of a branch: as many as the map needs to draw their density


def moment(meta: Mapping[str, Any], one: xr.Dataset, at: str | int) -> tuple[int, int]:
    """A moment of a series as an index of what is shown, and of its rollout.

    Raises:
        StateError: there is no such moment, or it lies within a transition.
    """
    cursor = step_of({"series": [meta]}, at)
    if cursor["low"] is not None:
        raise StateError(f"{at!r} lies within a transition; branch from its end, {str(at).rpartition('.')[0]!r}")
    shown = int(cursor["step"] or 0)
    clock = zip(*(one[name].values.tolist() for name in STEP_COORDS), strict=True)
    return shown, list(clock).index((meta["supervision_step"][shown], meta["transition"][shown], 0))


def start(
    source: Source,
    metas: Sequence[Mapping[str, Any]],
    who: tuple[Mapping[str, Any], int],
    step: int,
    towards: tuple[Mapping[str, Any], int] | None,
    along: int | None,
    by: float | None,
) -> tuple[dict[str, Any], str]:
    """The states that a branch begins from where they are not the recorded ones, by variable; and that in words.

    Args:
        metas: the payload's entries of the series of `source`.
        who, towards: a series, by its entry, and the index of a trajectory that is shown of it.
        step: of the rollout.
        along, by: as in `Explorer.branch`.
    Raises:
        BranchError: both directions, or a distance without a direction; or as `to_trajectory`, `along_component`.
    """
    meta, shown = who
    number = metas.index(meta)
    one, trajectory = source.one(number), trajectory_of(meta, shown)
    if towards is not None and along is not None:
        raise BranchError("a state is moved towards another or along a component, not both; leave one out")
    if towards is not None:
        theirs, other = towards
        share = 0.5 if by is None else by
        data = one if theirs is meta else source.one(metas.index(theirs))
        states = to_trajectory(one, trajectory, data, trajectory_of(theirs, other), step, share)
        return states, f", {share:g} to {trajectory_name(theirs, other)}"
    if along is not None:
        deviations = 1.0 if by is None else by
        group = next((g for g in measure.planes(source.rollouts, "h") if number in g), (number,))
        h = along_component([source.one(k) for k in group], one, trajectory, along, step, deviations)
        return {"h": h}, f", PC {along} {deviations:+g}"
    if by is not None:
        raise BranchError(
            f"by is {by:g}, but nothing says where to; give towards=(series, trajectory) or along=component"
        )
    return {}, ""


def to_trajectory(
    one: xr.Dataset, trajectory: int, other: xr.Dataset, to: int, step: int, by: float
) -> dict[str, NDArray[Any]]:
    """`h`, and `l` where it was recorded: the share `by` of the way from a trajectory's state to another's at that
    step.

    Args:
        one, other: rollouts of one puzzle and one checkpoint.
    Raises:
        RolloutError: `h` was not recorded.
        BranchError: the two states lie in unrelated spaces, or the other trajectory has ended before.
    """
    checkpoints = [str(data.attrs.get("checkpoint", "")) for data in (one, other)]
    if one is not other and (checkpoints[0] != checkpoints[1] or not checkpoints[0]):
        raise BranchError(
            "the two trajectories are of different checkpoints, whose states have nothing in common; choose one of the "
            "same checkpoint"
        )
    if step >= other.sizes["step"]:
        raise BranchError(f"the other trajectory has no step {step}; it ends at {other.sizes['step'] - 1}")
    names = ["h", *(name for name in ("l",) if name in one and name in other)]
    pairs = {name: [_state(data, name, n, step) for data, n in ((one, trajectory), (other, to))] for name in names}
    return {name: here + by * (there - here) for name, (here, there) in pairs.items()}


def along_component(
    rollouts: Sequence[xr.Dataset], one: xr.Dataset, trajectory: int, component: int, step: int, by: float
) -> NDArray[Any]:
    """`h` moved along a principal component of `h`, that of the map, by standard deviations of the states that fit it.

    Args:
        rollouts: rollouts of one puzzle and one checkpoint, whose states the components are of.
        component: from 1.
    Raises:
        RolloutError: `h` was not recorded.
        BranchError: there is no such component.
    """
    if component not in range(1, measure.COMPONENTS + 1):
        raise BranchError(f"along is {component!r}; choose a component from 1 to {measure.COMPONENTS}")
    rollouts = [measure.ends(rollout) for rollout in rollouts]
    late = [slice(measure.late_from(rollout.sizes["step"]), None) for rollout in rollouts]
    projection = measure.project(rollouts, "h", late=True)
    scores = [found["coordinates"].values[:, those, component - 1]
              for found, those in zip(projection.series, late, strict=True)]  # fmt: skip
    spread = float(np.nanstd(np.concatenate([score.ravel() for score in scores])))
    if not spread > 0:
        raise BranchError(f"these states do not differ along component {component}; choose a lower one")
    # X = U S V', so V is X' (U S) but for its length: the sum of the states, each times its score.
    states = [rollout["h"].values[0][:, those].astype(np.float32)
              for rollout, those in zip(rollouts, late, strict=True)]  # fmt: skip
    weighted = [np.einsum("nt,ntpf->pf", np.nan_to_num(score), np.nan_to_num(those))
                for score, those in zip(scores, states, strict=True)]  # fmt: skip
    direction = np.sum(weighted, axis=0)
    moved: NDArray[Any] = _state(one, "h", trajectory, step) + by * spread * direction / np.linalg.norm(direction)
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


def _state(data: xr.Dataset, name: str, trajectory: int, step: int) -> NDArray[np.float32]:
    return need(data, name).values[0, trajectory, step].astype(np.float32)


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
