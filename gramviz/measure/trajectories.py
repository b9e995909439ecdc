"""One trajectory: rules broken, how far it moves, when it is right, whether it rests, how it ends."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gram.rollout import RolloutError, board_of, config_of, need
from gramviz.measure.plain import STATE, first, judged, on_edges
from gramviz.measure.positions import ends

OUTCOMES = ("wrong", "correct", "not finished", "unknown", "drawn")  # index = the code in `outcome` and in the payload
WRONG, CORRECT, NOT_FINISHED, UNKNOWN, DRAWN = range(5)
REST = 0.05  # of the drift of the first supervision step: a trajectory that moves less in the end has settled


def conflicts(data: xr.Dataset) -> xr.DataArray:
    """Number of violated rules [puzzle, trajectory, step]: see `gram.board.Board.violations`.

    Of a graph whose edges are tokens, the rules are the edges of the puzzle, whatever the answer says of them. On a
    board without rules, the number of positions marked in the recorded `conflict`.

    Raises:
        RolloutError: the board has no rules and `conflict` was not recorded, or it is a picture.
    """
    board = board_of(data)
    if board.nodes:
        x = data["x"].values[:, None, None]
        return xr.DataArray(
            board.violations(on_edges(board, x, data["tokens"].values)),
            dims=data["tokens"].dims[:-1],
            name="conflicts",
        )
    if board.groups or board.required:
        return xr.DataArray(board.violations(data["tokens"].values), dims=data["tokens"].dims[:-1], name="conflicts")
    if board.kind == "image":
        raise RolloutError("a picture has no rules, so nothing in it is in conflict")
    return need(data, "conflict").sum("position").rename("conflicts")


def drift(data: xr.Dataset) -> xr.DataArray:
    """|h(t) - h(t-1)| [puzzle, trajectory, step], Euclidean over positions and features; NaN at step 0.

    Between *recorded* states: take `ends(data)` first to have it per transition.
    """
    h = need(data, "h").transpose("puzzle", "trajectory", "step", *STATE)
    found = np.full(h.shape[:3], np.nan, np.float32)
    # one trajectory at a time: h may be hundreds of MB, and float16 squares overflow
    for index in np.ndindex(h.shape[:2]):
        trajectory = h.values[index].reshape(h.shape[2], -1).astype(np.float32)
        with np.errstate(invalid="ignore"):  # of a diverged model: from infinity to infinity is NaN
            step = trajectory[1:] - trajectory[:-1]
        found[index][1:] = np.sqrt(np.einsum("tf,tf->t", step, step))
    return xr.DataArray(found, dims=("puzzle", "trajectory", "step"), name="drift")


def spread(data: xr.Dataset) -> xr.DataArray:
    """Mean distance of the trajectories' h to their center [puzzle, step]; 0 for a single trajectory."""
    h = need(data, "h").transpose("puzzle", "trajectory", "step", *STATE)
    found = np.zeros((h.shape[0], h.shape[2]), np.float32)
    for puzzle, step in np.ndindex(found.shape):
        states = h.values[puzzle, :, step].reshape(h.shape[1], -1).astype(np.float32)
        with np.errstate(invalid="ignore"):  # as in `drift`
            states -= states.mean(0)
        found[puzzle, step] = np.sqrt(np.einsum("nf,nf->n", states, states)).mean()
    return xr.DataArray(found, dims=("puzzle", "step"), name="spread")


def halting(data: xr.Dataset) -> bool:
    """Whether halting stops a trajectory of this model: there is a halting head, and `inference.halting` of its series
    is on.

    With it off every trajectory continues as long as it was asked to, whatever the head predicts: so do the published
    ones.
    """
    heads = {"halted_at", "halt"} & set(map(str, data.data_vars))
    return bool(heads) and bool(config_of(data).get("inference", {}).get("halting", True))


def halted(data: xr.Dataset) -> xr.DataArray:
    """The first step (label) at which the model says that it is right [puzzle, trajectory], or -1: never.

    `halted_at` if recorded, else the first step with `halt` > 1/2.
    """
    if "halted_at" in data:
        return data["halted_at"].rename("halted")
    return first(data, need(data, "halt") > 0.5).rename("halted")


def first_correct(data: xr.Dataset) -> xr.DataArray:
    """The first step (label) whose answer is `valid` [puzzle, trajectory], or -1: never. It may become wrong again."""
    return first(data, need(data, "valid")).rename("first_correct")


def rest(data: xr.Dataset) -> xr.DataArray:
    """How much a trajectory still moves in the end [puzzle, trajectory]: 0 not at all, 1 as much as in the beginning.

    The mean drift per transition over the last three supervision steps, as a share of that over the first; NaN with
    fewer than four supervision steps, because the first is among the last three then.
    """
    states = ends(data)
    supervision = states["supervision_step"].values
    numbers = np.unique(supervision[supervision > 0])
    moved = drift(states)
    if len(numbers) < 4:
        return xr.full_like(moved.isel(step=0, drop=True), np.nan).rename("rest")
    first = moved.isel(step=supervision == numbers[0]).mean("step")
    last = moved.isel(step=np.isin(supervision, numbers[-3:])).mean("step")
    return xr.where(last == 0, 0.0, last / first.where(first > 0)).astype(np.float32).rename("rest")


def settled(data: xr.Dataset) -> xr.DataArray:
    """True where a trajectory has stopped moving [puzzle, trajectory]: `rest` is at most `REST` (our definition)."""
    return (rest(data) <= REST).rename("settled")


def outcome(data: xr.Dataset) -> xr.DataArray:
    """How each trajectory ended [puzzle, trajectory]: 0 wrong, 1 correct, 2 not finished, 3 unknown, 4 drawn
    (`OUTCOMES`).

    Correct: the last recorded answer is `valid`. Not finished: it is not, and the model never said that it was right,
    or only the initial state was recorded.
    Where nothing stops a trajectory (`halting`) none is unfinished: what is not correct in the end is wrong, whatever
    the model predicts of it. Unknown: `valid` was not recorded, or the states have no answers.
    Drawn: a picture without a blank, which nobody can call right or wrong; with one it is not finished.
    """
    who = [dim for dim in ("puzzle", "trajectory") if dim in data.sizes]
    coords = {name: one for name, one in data.coords.items() if set(one.dims) <= set(who)}
    like = xr.DataArray(np.zeros([data.sizes[dim] for dim in who], np.uint8), dims=who, coords=coords)
    if "valid" not in data:
        return like.copy(data=np.full(like.shape, UNKNOWN, np.uint8)).rename("outcome")
    valid = data["valid"].isel(step=-1).values
    if not judged(data):
        return like.copy(data=np.where(valid, DRAWN, NOT_FINISHED).astype(np.uint8)).rename("outcome")
    never = halted(data).values < 0 if halting(data) else np.zeros_like(valid)
    if "supervision_step" in data.coords and not data["supervision_step"].values[-1]:
        never = np.ones_like(valid)  # no step has been made
    found = np.where(valid, CORRECT, np.where(never, NOT_FINISHED, WRONG)).astype(np.uint8)
    return like.copy(data=found).rename("outcome")
