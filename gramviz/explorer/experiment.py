"""What is asked of an explorer's model: a branch from recorded states, and each cell patched in turn.

Which states and which puzzle are handed over follows from recorded numbers (`gram.patching`); what comes of them only a
model knows: `rerun` is a function that the notebook hands in, such as `gram.rerun`, because gramviz imports no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.patching import cells_of, edited, effect, obeyed, patched
from gram.rollout import board_of, need
from gram.schema import STEP_COORDS
from gramviz import measure
from gramviz.explorer.branches import Branch
from gramviz.explorer.source import BranchError, Rerun, Source
from gramviz.explorer.state import StateError, cell_name, step_of, trajectory_name, trajectory_of

if TYPE_CHECKING:
    from gramviz.explorer.widget import Explorer

TRAJECTORIES = 8  # of a branch from one state: as many as the map needs to draw their density
NAMED = 3  # cells that a cause names; of more it says how many
Patch = tuple[str, int] | tuple[str, int, int]
"""Whose state is put in: series, trajectory and, where it is not the puzzle that is shown, the index of its puzzle."""


@dataclass(frozen=True)
class Change:
    """What a branch changes; see `Explorer.branch`.

    Attributes:
        edit: position -> token as it is written.
        cells: positions, or None for all.
    """

    edit: Mapping[int, Any] | None
    patch: Patch | None
    cells: Sequence[int] | None
    by: float
    nudge: tuple[int, float] | None
    noise: float
    seed: int | None

    def cause(self, board: Board, seed: int, at: str) -> str:
        """In words: "row 4, column 6 set to 7 at 3.2"."""
        edits = list((self.edit or {}).items())
        parts = [
            f"{board.place(cell)} " + ("erased" if written in (None, "") else f"set to {written}")
            for cell, written in edits[:NAMED]
        ]
        if len(edits) > NAMED:
            parts.append(f"{len(edits) - NAMED} more cells edited")
        if self.patch:
            where = "" if self.cells is None else _places(board, self.cells) + " "
            share = "" if self.by == 1 else f"{self.by:g} of the way "
            parts.append(f"{where}patched {share}from {_name(self.patch)}")
        if self.nudge:
            parts.append(f"nudged along PC {self.nudge[0]} by {self.nudge[1]:+g}")
        if self.noise != 1:
            parts.append(f"noise x {self.noise:g}")
        if self.seed is not None or not parts:
            parts.append(f"seed {seed}")
        return f"{', '.join(parts)} at {at}"

    def label(self, board: Mapping[str, Any], seed: int, at: str) -> str:
        """The same in short: "r4c6 = 7 at 3.2"; `board` is that of the payload."""
        edits = list((self.edit or {}).items())
        parts = [f"{cell_name(board, cell)} = {written or 'blank'}" for cell, written in edits[:NAMED]]
        if self.patch:
            cells = [cell_name(board, cell) for cell in self.cells or []]
            where = " ".join(cells) if len(cells) <= NAMED else f"{len(cells)} cells"
            parts.append(f"{where or 'all'} {'' if self.by == 1 else f'{self.by:g} '}from {_name(self.patch)}")
        parts += [f"PC {self.nudge[0]} {self.nudge[1]:+g}"] if self.nudge else []
        parts += [f"noise x {self.noise:g}"] if self.noise != 1 else []
        return f"{', '.join(parts) or f'seed {seed}'} at {at}"


@dataclass(frozen=True)
class Place:
    """Trajectories of a series at a moment.

    Attributes:
        letter, name: of the series; and of the trajectory, or of the series for all of them.
        one: the rollout, of the puzzle that is shown.
        rows: the trajectories, indices of `one`.
        step, shown: an index of `one`, and of what is shown.
        at: the moment in words.
    """

    letter: str
    name: str
    one: xr.Dataset
    rows: list[int]
    step: int
    shown: int
    at: str


def model(explorer: Explorer) -> tuple[Source, Rerun]:
    """What an explorer was made of, and the function that draws it again.

    Raises:
        BranchError: there is none.
    """
    if explorer._source is None or explorer._rerun is None:
        raise BranchError(
            "this explorer knows no model; open it with a function that does: gv.explore(rollout, rerun=gram.rerun)"
        )
    return explorer._source, explorer._rerun


def place(explorer: Explorer, series: str, trajectory: int | None, at: str | int) -> Place:
    """One trajectory of a series at a moment, or with None all of them.

    Raises:
        StateError: there is no such series, trajectory or moment, or it lies within a transition.
    """
    source, meta = model(explorer)[0], explorer._series(series)
    one = source.one(explorer.meta["series"].index(meta))
    cursor = step_of({"series": [meta]}, at)
    if cursor["low"] is not None:
        raise StateError(f"{at!r} lies within a transition; branch from its end, {str(at).rpartition('.')[0]!r}")
    shown = int(cursor["step"] or 0)
    clock = zip(*(one[name].values.tolist() for name in STEP_COORDS), strict=True)
    step = list(clock).index((meta["supervision_step"][shown], meta["transition"][shown], 0))
    letter = meta["letter"]
    if trajectory is None:
        rows, name = list(range(one.sizes["trajectory"])), letter
    else:
        rows = [trajectory_of(meta, explorer._trajectory(letter, trajectory)[1])]
        name = trajectory_name(meta, trajectory)
    return Place(letter, name, one, rows, step, shown, measure.address(one, step))


def branch(
    explorer: Explorer,
    series: str,
    trajectory: int | None,
    at: str | int,
    change: Change,
    *,
    trajectories: int | None,
    supervision_steps: int | None,
    name: str | None,
    arguments: str,
) -> Branch:
    """As `Explorer.branch`."""
    rerun, tree = model(explorer)[1], explorer.branches
    start = place(explorer, series, trajectory, at)
    one, parent = start.one, tree.of(start.letter)
    source = None if change.patch is None else _source_of(explorer, change.patch)
    how: dict[str, Any] = {"noise": change.noise, "supervision_steps": supervision_steps, "trajectories": trajectories}
    if change.edit is not None:
        how["x"] = edited(one, change.edit)
    states = _states(explorer, start, change, source)
    whole = trajectory is None and not start.step and not states
    if trajectory is not None:
        states = {key: state[0] for key, state in states.items()}
        how |= {"trajectory": start.rows[0], "trajectories": trajectories or TRAJECTORIES}
    elif not whole:
        how["trajectory"] = start.rows
    how |= {} if whole else {"step": start.step, **states}
    # An edit or other noise of the whole keeps the seed, so that what differs is due to that.
    kept = whole and (change.edit or change.noise != 1)
    seed = int(one.attrs["seed"]) + (0 if kept else 1 + tree.made) if change.seed is None else change.seed
    tree.room()
    called = tree.free(name or f"{start.name}: {change.label(explorer.meta['board'], seed, start.at)}")

    def ask() -> xr.Dataset:
        return rerun(one, seed=seed, **how).assign_attrs(name=called)

    rollout = ask()
    tree.made += 1
    grown = Branch(
        tree, called, change.cause(board_of(one), seed, start.at), rollout, parent=parent, series=start.letter,
        trajectory=trajectory, step=start.shown, followed=_followed(start, change, source, rollout), ask=ask,
        arguments=f"{arguments}, seed={seed}",
    )  # fmt: skip
    pinned = None if trajectory is None else [start.letter, trajectory]
    return tree.add(grown, cursor={"step": start.shown, "low": None}, board="focus", pinned=pinned)


def patch_each(
    explorer: Explorer, series: str, trajectory: int, at: str | int, patch: Patch, seed: int | None
) -> xr.Dataset:
    """As `Explorer.patch_each`."""
    rerun, start = model(explorer)[1], place(explorer, series, trajectory, at)
    theirs, m = _source_of(explorer, patch)
    one, (n,) = start.one, start.rows
    cells = cells_of(board_of(one), None)
    many = [n] * len(cells)
    states = patched(one, many, theirs, [m] * len(cells), start.step, [[cell] for cell in cells])
    again = partial(rerun, step=start.step, seed=int(one.attrs["seed"]) + 1 if seed is None else seed)
    base, goal = again(one, trajectory=[n], keys=[n]), again(theirs, trajectory=[m], keys=[n])
    after = again(one, trajectory=many, keys=many, h=states["h"], l=states.get("l"))
    found = effect(base, goal, after).rename(trajectory="position")
    if found["effect"].isnull().all():
        raise BranchError(
            f"{start.name} and {_name(patch)} reach the same answer from {start.at}, so no cell decides between them; "
            "choose another source or another step"
        )
    explorer.effect = {
        "series": start.letter, "trajectory": trajectory, "at": start.at, "source": _name(patch),
        "values": [None if np.isnan(value) else round(float(value), 4) for value in found["effect"].values],
        "changed": found["changed"].values.tolist(),
    }  # fmt: skip
    return found


def deviation(rollouts: Sequence[xr.Dataset], component: int) -> NDArray[np.float32]:
    """One standard deviation of `h` [position, feature] along a principal component, that of the map.

    Args:
        rollouts: rollouts of one puzzle and one checkpoint, whose states the components are of.
        component: from 1.
    Raises:
        RolloutError: `h` was not recorded.
        BranchError: there is no such component.
    """
    if component not in range(1, measure.COMPONENTS + 1):
        raise BranchError(f"the component is {component!r}; choose one from 1 to {measure.COMPONENTS}")
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
    found: NDArray[np.float32] = spread * direction / np.linalg.norm(direction)
    return found


def _states(
    explorer: Explorer, start: Place, change: Change, source: tuple[xr.Dataset, int] | None
) -> dict[str, NDArray[Any]]:
    """The states [trajectory, position, feature] to begin from where they are not the recorded ones, by variable."""
    if source is None and (change.cells is not None or change.by != 1):
        raise BranchError("cells and by say what is patched; give patch=(series, trajectory) too, or leave them out")
    if source is not None and change.nudge is not None:
        raise BranchError("a state is patched or nudged, not both; leave one out")
    one, rows = start.one, start.rows
    if source is not None:
        theirs, m = source
        cells = None if change.cells is None else [change.cells] * len(rows)
        return dict(patched(one, rows, theirs, [m] * len(rows), start.step, cells, change.by))
    if change.nudge is None:
        return {}
    shown = model(explorer)[0]
    number = next(k for k, meta in enumerate(explorer.meta["series"]) if meta["letter"] == start.letter)
    group = next((g for g in measure.planes(shown.rollouts, "h") if number in g), (number,))
    component, by = change.nudge
    h = need(one, "h").values[0, rows, start.step].astype(np.float32)
    return {"h": h + by * deviation([shown.one(k) for k in group], component)}


def _source_of(explorer: Explorer, patch: Patch) -> tuple[xr.Dataset, int]:
    """The rollout of one puzzle whose state is put in, and which of its trajectories."""
    shown, meta = model(explorer)[0], explorer._series(patch[0])
    number = explorer.meta["series"].index(meta)
    n = trajectory_of(meta, explorer._trajectory(meta["letter"], patch[1])[1])
    rollout = shown.rollouts[number]
    puzzle = shown.puzzles[number] if len(patch) == 2 else patch[2]
    if puzzle not in range(rollout.sizes["puzzle"]):
        raise BranchError(f"{patch[0]} has no puzzle {puzzle!r}; choose 0 to {rollout.sizes['puzzle'] - 1}")
    return rollout.isel(puzzle=[puzzle]), n


def _followed(start: Place, change: Change, source: tuple[xr.Dataset, int] | None, after: xr.Dataset) -> str:
    """How many trajectories of a branch end as the edit says, as the source does, or otherwise than they had."""
    before = start.one.isel(trajectory=np.resize(start.rows, after.sizes["trajectory"]))
    last, own = after["tokens"].values[0, :, -1], before["tokens"].values[0, :, -1]
    if change.edit:
        hits, what = obeyed(before, after)["followed"].values, "followed the edit"
    elif source is not None:
        hits, what = (last == source[0]["tokens"].values[0, source[1], -1]).all(-1), "reach the source's answer"
    else:
        hits, what = (last != own).any(-1), "reach another answer"
    return f"{int(hits.sum())} of {len(hits)} {what}"


def _name(patch: Patch) -> str:
    """A source in words."""
    return f"{patch[0]} #{patch[1]}" + "".join(f" of puzzle {puzzle + 1}" for puzzle in patch[2:])


def _places(board: Board, cells: Sequence[int]) -> str:
    return " and ".join(map(board.place, cells)) if len(cells) <= NAMED else f"{len(cells)} cells"
