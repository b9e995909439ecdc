"""Two planes through the states of a model: what the answer costs on one, and where starting states of another lead.

`landscape`: the plane through three recorded states h; at each of its points the decoder is asked for its answer, and
the loss is the cross-entropy of the right answer that it fits best, in nats per position. The paper (Appendix D.6,
Fig. 18 and 19) interpolates the losses of recorded states in the plane of their PCA, as `gramviz.measure.landscape`
does; here every point is a state of its own, so the picture holds on this plane, and says nothing of what lies beside.

`starts`: a plane of initial states around the stored z0, with the same puzzle and the same sampling noise; the answer
that each one reaches draws the basins of attraction.

Both give plain data (`xarray`), so that `gramviz` draws them without a model.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from numpy.typing import NDArray

from gram.checkpoint import Checkpoint, load
from gram.inference.chain import Chain, Row, batches, computing
from gram.inference.noise import PLANE, generator_for
from gram.inference.request import SampleError, Selection, check, data_of, sampling_noise, select
from gram.inference.sample import as_rollout, default_steps
from gram.models import State
from gram.rollout import RolloutError, need
from gram.tasks import NoSolverError, Puzzles
from gram.tasks.base import PAD
from gram.tasks.own import MAX_SOLUTIONS

MAX_ROWS = 128  # of a batch of starts


def landscape(
    checkpoint: Checkpoint | str | os.PathLike[str],
    rollout: xr.Dataset,
    puzzle: int = 0,
    corners: Sequence[tuple[int, int]] | None = None,
    *,
    size: int = 49,
    margin: float = 0.25,
) -> xr.Dataset:
    """The loss of the decoder on the plane through three states, and where the trajectories pass it.

    Args:
        rollout: drawn from this checkpoint, with h.
        puzzle: index in the rollout.
        corners: three states as (trajectory, step); default: see `three`.
        size: points along each axis.
        margin: how far the picture reaches beyond the trajectories, as a share of their extent.
    Returns:
        `loss` [row, column] in nats per position, `valid` [row, column]; `coordinates` [trajectory, step, axis] and
        `outside` [trajectory, step], the share of a state's squared distance from the first corner that the plane does
        not show; `corner` [corner, axis]; coordinates `row` and `column` in units of |h|. Distances in the plane are
        true.
    Raises:
        RolloutError: no h; another checkpoint's; no right answer is known; or the three states lie on a line.
    """
    opened = load(checkpoint)
    if rollout.attrs.get("checkpoint") != opened.digest:
        raise RolloutError(f"this rollout was not drawn from {opened.name}; its h mean nothing to that decoder")
    one = rollout.isel(puzzle=puzzle)
    h = need(one, "h").transpose("trajectory", "step", "position", "feature").values.astype(np.float32)
    chosen = list(corners) if corners is not None else three(one)
    if len(chosen) != 3:
        raise RolloutError(f"{len(chosen)} corners do not span a plane; give three states as (trajectory, step)")
    origin, *others = (h[n, t].ravel().astype(np.float64) for n, t in chosen)
    axes, scale = np.linalg.qr(np.stack([other - origin for other in others], 1))
    axes, scale = axes * np.sign(scale.diagonal()), np.abs(scale.diagonal())
    if not scale.min() > 1e-3 * max(scale.max(), 1e-9):
        raise RolloutError(f"the states {chosen} lie on a line; choose corners that differ, or draw more trajectories")
    away = h.reshape(*h.shape[:2], -1) - origin
    places = away @ axes
    energy = (away**2).sum(-1)
    outside = np.divide(energy - (places**2).sum(-1), energy, out=np.zeros_like(energy), where=energy > 0).clip(0, 1)
    low, high = places.min((0, 1)), places.max((0, 1))
    half = (0.5 + margin) * float((high - low).max())  # a square: one scale for both axes
    columns, rows = (center + np.linspace(-half, half, size) for center in (low + high) / 2)
    points = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    answers = right_answers(opened, one)
    loss, tokens = [], []
    model = opened.model.cpu()
    with torch.inference_mode():
        graph = model.relate(torch.from_numpy(one["x"].values[None].astype(np.int64)))
        for start in range(0, len(points), 512):
            states = origin + points[start : start + 512] @ axes.T
            shown = torch.from_numpy(states.astype(np.float32)).view(-1, *h.shape[2:])
            full = F.pad(shown[:, : model.places], (0, 0, model.prefix, 0))  # the decoder reads each place by itself
            logits = model.logits(full, None if graph is None else graph.expand(len(full), -1, -1, -1))
            loss.append(best_loss(logits.log_softmax(-1).numpy(), answers))
            tokens.append(logits.argmax(-1).numpy())
    x = one["x"].values
    verdict = opened.task.judge(_one(opened, one, answers), np.concatenate(tokens)[None].astype(x.dtype))
    shape = (size, size)
    return xr.Dataset(
        {
            "loss": (("row", "column"), np.concatenate(loss).reshape(shape).astype(np.float32)),
            "valid": (("row", "column"), verdict.valid[0].reshape(shape)),
            "coordinates": (("trajectory", "step", "axis"), places.astype(np.float32)),
            "outside": (("trajectory", "step"), outside.astype(np.float32)),
            "corner": (("corner", "axis"), np.stack([places[n, t] for n, t in chosen]).astype(np.float32)),
        },
        coords={"row": rows, "column": columns},
        attrs={
            "name": opened.name,
            "unit": "nats per position",
            "corners": [f"{n},{t}" for n, t in chosen],
            "answers": len(answers),
        },
    )


def three(one: xr.Dataset) -> list[tuple[int, int]]:
    """Three states that span an informative plane: the ends of the three most frequent answers that differ.

    Where fewer are reached, the initial state takes the place of the third, and the state after a quarter of the steps
    that of the second.
    """
    finals = [row.tobytes() for row in np.ascontiguousarray(one["tokens"].values[:, -1])]
    order = sorted(dict.fromkeys(finals), key=lambda key: (-finals.count(key), finals.index(key)))
    last = one.sizes["step"] - 1
    chosen = [(finals.index(key), last) for key in order[:3]]
    spare = [(0, 0), (0, max(1, last // 4))]
    return chosen + spare[: 3 - len(chosen)]


def right_answers(opened: Checkpoint, one: xr.Dataset) -> NDArray[np.integer]:
    """Right answers [answer, position]: all solutions where a solver finds them, and those that the rollout knows."""
    known = [one["y"].values[None]] if "y" in one else []
    if "valid" in one:
        known.append(one["tokens"].values[:, -1][one["valid"].values[:, -1]])
    with contextlib.suppress(NoSolverError):  # then its answers are known only from its data
        known.append(opened.task.solve(one["x"].values, limit=MAX_SOLUTIONS))
    found = np.concatenate([part.astype(np.int64) for part in known]) if known else np.empty((0, 1), np.int64)
    if not len(found):
        raise RolloutError("no right answer of this puzzle is known, so its loss is not defined; choose one with `y`")
    return np.unique(found, axis=0)


def best_loss(logp: NDArray[np.floating], answers: NDArray[np.integer]) -> NDArray[np.float64]:
    """Cross-entropy [state] of the answer [answer, position] that log-probabilities [state, position, token] fit best.

    Mean over the positions of that answer that are not padding, in nats.
    """
    meant = (answers[..., None] == np.arange(logp.shape[-1])) & (answers != PAD)[..., None]
    flat = meant.reshape(len(answers), -1).astype(np.float64)
    total = -logp.reshape(len(logp), -1).astype(np.float64) @ flat.T
    return (total / flat.sum(1).clip(1)).min(1)


def starts(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzles: Selection = 0,
    *,
    size: int = 21,
    radius: float = 1.5,
    trajectory: int = 0,
    supervision_steps: int | None = None,
    seed: int = 0,
    split: str = "test",
    noise: float | None = None,
    perturb: float | None = None,
    exact: bool = False,
) -> xr.Dataset:
    """Where a plane of initial states around the stored z0 leads: a rollout whose trajectories are its points.

    z0 is a vector for h and one for l, the same at every position; so are the two directions, drawn once per seed,
    at right angles, and as long as z0 itself: at distance 1 a start is as far from z0 as z0 is from 0.

    Args:
        size: points along each axis, an odd number, so that z0 itself is one of them.
        radius: how far the plane reaches, in lengths of z0.
        trajectory: whose sampling noise all points share.
        noise, perturb, supervision_steps, seed, split, exact: as in `gram.sample`.
    Returns:
        A rollout of one puzzle with the first and the last state, row by row; coordinates `row` and `column` on
        `trajectory` say where each starts, in lengths of z0.
    Raises:
        SampleError: an even or too small size; a model that does not read its state; or see `gram.sample`.
    """
    opened = load(checkpoint)
    model = opened.model
    if size < 3 or size % 2 == 0:
        raise SampleError(f"size is {size}; it must be an odd number from 3 on, so that z0 is one of the points")
    if not model.recurrent:
        raise SampleError(f"{opened.name} answers in one pass and does not read its start, so all would be equal")
    steps = default_steps(opened) if supervision_steps is None else supervision_steps
    chosen = sampling_noise(opened, noise=noise, perturb=perturb, random_start=False, temperature=0.0)
    check(trajectories=size * size, supervision_steps=steps, seed=seed, noise=chosen, precision="auto")
    found, ids = select(model, opened.task, puzzles, split)
    if len(found) != 1:
        raise SampleError(f"{len(found)} puzzles were chosen; a plane of starts is of one")
    key = (seed, ids[0], trajectory)
    drawn = torch.empty(2 * model.features, 2).normal_(generator=generator_for((*key, PLANE)))
    at = np.linspace(-radius, radius, size)
    points = np.stack(np.meshgrid(at, at), -1).reshape(-1, 2)  # column, row
    tokens: list[NDArray[np.uint8]] = []  # of each batch [row, first and last state, position]
    with computing(model, "auto"):
        for rows in batches(found, [Row(0, key)] * len(points), MAX_ROWS, exact):
            chain = Chain(model, rows, chosen)
            done = sum(map(len, tokens))
            chain.state = _moved(chain.state, points[done : done + rows.count], drawn)
            ends = [chain.read_out()[0]]
            for _ in chain.run(steps):
                pass
            ends.append(chain.read_out()[0])
            tokens.append(torch.stack(ends, 1)[: rows.count].to(torch.uint8).cpu().numpy())
    made = as_rollout(
        opened, found, {"tokens": np.concatenate(tokens)[None]}, [(0, 0, 0), (steps, model.high_steps, 0)],
        seed=seed, mode="prior", data=json.dumps(data_of(opened.task, puzzles, split, found)),
    )  # fmt: skip
    return made.assign_coords(column=("trajectory", points[:, 0]), row=("trajectory", points[:, 1]))


def _moved(state: State, points: NDArray[np.float64], drawn: torch.Tensor) -> State:
    """Initial states whose first rows stand at these points [row, axis] of the plane of two vectors [of h and l, 2]."""
    z0 = torch.stack([state.h[0, 0], state.l[0, 0]]).cpu()
    directions = (torch.linalg.qr(drawn)[0].T * (z0.norm() or 1)).view(2, *z0.shape)  # [axis, of h and l, feature]
    at = torch.zeros(len(state.h), 2)
    at[: len(points)] = torch.from_numpy(points.astype(np.float32))
    h, l = torch.einsum("pa,asf->spf", at, directions)[:, :, None].to(state.h)
    return replace(state, h=state.h + h, l=state.l + l)


def _one(opened: Checkpoint, one: xr.Dataset, answers: NDArray[np.integer]) -> Puzzles:
    """The puzzle of a rollout as `Task.judge` wants it."""
    return Puzzles(one["x"].values[None], (answers.astype(one["x"].dtype),), complete=False)
