"""One intervention repeated: over all trajectories of a rollout, over its puzzles, over the cells of the board.

    table = gram.intervene(rollout, 20, edit={30: 7})                    # the puzzle changes at step 20
    table = gram.intervene(rollout, 20, source=3, cells=[30, 31])        # h and l of two cells, from trajectory 3
    table = gram.intervene(rollout, 20, source=3, cells="each")          # the same with each cell in turn
    table["share"], table["interval"]                                    # how often the answer followed

Every trajectory is resumed twice from its recorded state, with and without the change, and with the same sampling
noise, so what differs is due to the change alone. The source is resumed with that noise too.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr

from gram.checkpoint import Checkpoint
from gram.evaluation import intervals
from gram.inference.rerun import find_checkpoint, rerun
from gram.patching import InterventionError, cells_of, edited, effect, obeyed, patched
from gram.progress import UntilInterrupt, bar
from gram.rollout import board_of


def intervene(
    rollout: xr.Dataset,
    step: int,
    *,
    edit: Mapping[int, Any] | None = None,
    source: int | xr.Dataset | None = None,
    cells: Sequence[int] | Literal["each"] | None = None,
    by: float = 1.0,
    trajectories: Sequence[int] | None = None,
    seed: int | None = None,
    noise: float = 1.0,
    supervision_steps: int | None = None,
    exact: bool = False,
    checkpoints: Sequence[Checkpoint | str | os.PathLike[str]] | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """What follows from a change of every trajectory at one step: an edit of the puzzle, or a patch of the state.

    Args:
        rollout: with `h`, and with the `l` that the model needs: `Record(l=True)`.
        step: the end of a transition, an index of `step`.
        edit: position -> token as it is written on the board, or None for a blank.
        source: whose state is put in: a trajectory of the same puzzle, or a rollout of the same checkpoint with as many
            puzzles, or one, and as many trajectories, or one. Of several, each is the source of its own counterpart.
        cells: of which positions; None: of all; "each": of one after another.
        by: the share of the way to the source's state.
        trajectories: which are changed; default: all.
        seed, noise, supervision_steps, exact, checkpoints: as in `gram.rerun`.
        progress: whether to show a bar; by default in a notebook and a terminal. An interrupt (Ctrl+C) leaves the
            puzzles that are done; with False it raises.
    Returns:
        By puzzle and trajectory, and with "each" by position: `followed`, `changed` (cells of the final answer), of a
        patch `differs` and `effect` (see `gram.patching.effect`; of an edit: `obeyed`), and where they are known
        `valid` and `valid_before` of the final answer. Of all trajectories: `share`, how many followed (of a patch,
        among those from which the source `differs`); `n`, of how many; `interval` [bound], its 95 % interval
        (`gram.evaluation.intervals`; over several puzzles the puzzles are its samples).
    Raises:
        InterventionError: not one change, or no such cell, token or trajectory.
        SampleError, RolloutError, TaskError: as `gram.rerun`.
    """
    if (edit is None) == (source is None):
        raise InterventionError("give one change, either edit={30: 7} or source=3, the trajectory to patch from")
    if edit is not None and cells is not None:
        raise InterventionError("cells says what is patched; an edit names its own, so leave cells out")
    board = board_of(rollout)
    sets = [[cell] for cell in cells_of(board, None)] if isinstance(cells, str) else [cells_of(board, cells)]
    chosen = list(range(rollout.sizes["trajectory"])) if trajectories is None else [int(n) for n in trajectories]
    again = partial(
        rerun, step=step, noise=noise, supervision_steps=supervision_steps, exact=exact, progress=False,
        seed=int(rollout.attrs["seed"]) + 1 if seed is None else seed,
        checkpoints=[find_checkpoint(rollout, checkpoints)],
    )  # fmt: skip
    found: list[xr.Dataset] = []
    with bar(rollout.sizes["puzzle"], "puzzle", progress, "intervene") as counter, UntilInterrupt(progress):
        for puzzle in range(rollout.sizes["puzzle"]):
            one = rollout.isel(puzzle=[puzzle])
            if edit is None:
                found.append(_patches(again, one, *_source(rollout, source, puzzle, chosen), chosen, step, sets, by))
            else:
                before, after = (again(one, trajectory=chosen, keys=chosen, x=x) for x in (None, edited(one, edit)))
                found.append(_judged(obeyed(before, after), before, after))
            counter.update()
    if not found:
        raise KeyboardInterrupt
    if len(found) < rollout.sizes["puzzle"]:
        warnings.warn(f"interrupted: {len(found)} of {rollout.sizes['puzzle']} puzzles", stacklevel=2)
    return _summary(found, chosen)


def _patches(
    again: Callable[..., xr.Dataset],
    one: xr.Dataset,
    theirs: xr.Dataset,
    sources: Sequence[int],
    chosen: Sequence[int],
    step: int,
    sets: Sequence[Sequence[int]],
    by: float,
) -> xr.Dataset:
    """What followed from each set of cells, by trajectory, and by position where there are several sets."""
    base, goal = again(one, trajectory=chosen, keys=chosen), again(theirs, trajectory=sources, keys=chosen)
    if len(sets) == 1:
        states = patched(one, chosen, theirs, sources, step, list(sets) * len(chosen), by)
        after = again(one, trajectory=chosen, keys=chosen, **states)
        return _judged(effect(base, goal, after), base, after)
    rows = []
    for k, (n, m) in enumerate(zip(chosen, sources, strict=True)):
        many = [n] * len(sets)
        after = again(one, trajectory=many, keys=many, **patched(one, many, theirs, [m] * len(sets), step, sets, by))
        before, wanted = (data.isel(trajectory=[k]) for data in (base, goal))
        rows.append(_judged(effect(before, wanted, after), before, after).rename(trajectory="position"))
    return xr.concat(rows, "trajectory")


def _source(
    rollout: xr.Dataset, source: int | xr.Dataset | None, puzzle: int, chosen: Sequence[int]
) -> tuple[xr.Dataset, list[int]]:
    """The source's rollout of one puzzle, and which of its trajectories is put into each chosen one."""
    if not isinstance(source, xr.Dataset):
        return rollout.isel(puzzle=[puzzle]), [int(source or 0)] * len(chosen)
    for name in ("puzzle", "trajectory"):
        if source.sizes[name] not in (1, rollout.sizes[name]):
            raise InterventionError(
                f"the source has {source.sizes[name]} of {name}; give 1, or as many as here, {rollout.sizes[name]}"
            )
    one = source.isel(puzzle=[puzzle if source.sizes["puzzle"] > 1 else 0])
    return one, list(chosen) if source.sizes["trajectory"] > 1 else [0] * len(chosen)


def _judged(found: xr.Dataset, before: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    """With whether the final answers are right, where that is known."""
    if "valid" not in after or "valid" not in before:
        return found
    were = np.broadcast_to(before["valid"].values[0, :, -1], found.sizes["trajectory"])
    return found.assign(valid=("trajectory", after["valid"].values[0, :, -1]), valid_before=("trajectory", were))


def _summary(found: Sequence[xr.Dataset], chosen: Sequence[int]) -> xr.Dataset:
    """The table of all puzzles, with the share that followed and its interval."""
    table = xr.concat(found, "puzzle").assign_coords(trajectory=list(chosen))
    order = [name for name in ("puzzle", "trajectory", "position") if name in table.dims]
    table = table.transpose(*order)
    counts = table["differs"] if "differs" in table else xr.ones_like(table["followed"])
    n = counts.sum("trajectory")
    hits = (table["followed"] & counts).sum("trajectory")
    rows = [n.values.reshape(len(n["puzzle"]), -1).T, hits.values.reshape(len(n["puzzle"]), -1).T]
    ends = np.array([_interval(hit, of) for of, hit in zip(*rows, strict=True)])
    dims = [name for name in n.dims if name != "puzzle"]
    total = n.sum("puzzle")
    return table.assign(
        share=hits.sum("puzzle") / total,
        n=total,
        interval=((*dims, "bound"), ends.reshape(*total.shape, 2)),
    ).assign_coords(bound=["low", "high"])


def _interval(hits: np.ndarray, n: np.ndarray) -> list[float]:
    """Of the share of `hits` [puzzle] among `n` [puzzle]; NaN where there is none."""
    some = n > 0
    if not some.any():
        return [np.nan, np.nan]
    if len(n) == 1:
        return intervals.wilson(float(hits[0]), float(n[0]))
    return intervals.mean(hits[some] / n[some], n[some])
