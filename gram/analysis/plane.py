"""Two planes through the states of a model: what the answer costs on one, and where starting states of another lead.

`landscape`: the plane through three recorded states h; at each of its points the decoder is asked for its answer, and
the loss is the cross-entropy of the right answer that it fits best, in nats per position. The paper (Appendix D.6,
Fig. 18 and 19) interpolates the losses of recorded states in the plane of their PCA, as `gramviz.measure.landscape`
does; here every point is a state of its own, so the picture holds on this plane, and says nothing of what lies beside.

`starts`: a plane of initial states around the stored z0, through the same puzzle and with the same numbers of the die;
the answer that each one reaches draws the basins of attraction.

Both give plain data (`xarray`), so that `gramviz` draws them without a model.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from numpy.typing import NDArray

from gram import compute
from gram import rollout as contract
from gram.checkpoint import Checkpoint, load
from gram.inference.noise import Streams, stream
from gram.inference.sample import CHUNK, SOLUTIONS, WATCHED, SampleError, _puzzles, check, choose
from gram.provenance import commit
from gram.rollout import RolloutError, need
from gram.tasks import NoSolverError
from gram.tasks.base import PAD

SLICE = 4  # the stream that the directions of `starts` are drawn from, beside those of `gram.inference.noise`


def landscape(
    checkpoint: Checkpoint | str | os.PathLike[str],
    rollout: xr.Dataset,
    puzzle: int = 0,
    corners: Sequence[tuple[int, int]] | None = None,
    *,
    size: int = 49,
    margin: float = 0.25,
) -> xr.Dataset:
    """The loss of the decoder on the plane through three states, and where the paths pass it.

    Args:
        rollout: drawn from this checkpoint, with h.
        puzzle: index in the rollout.
        corners: three states as (trajectory, step); default: see `three`.
        size: points along each axis.
        margin: how far the picture reaches beyond the paths, as a share of their extent.
    Returns:
        `loss` [row, column] in nats per position, `valid` [row, column]; `path` [trajectory, step, axis] and `outside`
        [trajectory, step], the share of a state's squared distance from the first corner that the plane does not show;
        `corner` [corner, axis]; coordinates `row` and `column` in units of |h|. Distances in the plane are true.
    Raises:
        RolloutError: no h; another checkpoint's; no right answer is known; or the three states lie on a line.
    """
    opened = checkpoint if isinstance(checkpoint, Checkpoint) else load(checkpoint)
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
    path = away @ axes
    energy = (away**2).sum(-1)
    outside = np.divide(energy - (path**2).sum(-1), energy, out=np.zeros_like(energy), where=energy > 0).clip(0, 1)
    low, high = path.min((0, 1)), path.max((0, 1))
    half = (0.5 + margin) * float((high - low).max())  # a square: one scale for both axes
    columns, rows = (centre + np.linspace(-half, half, size) for centre in (low + high) / 2)
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
            "path": (("trajectory", "step", "axis"), path.astype(np.float32)),
            "outside": (("trajectory", "step"), outside.astype(np.float32)),
            "corner": (("corner", "axis"), np.stack([path[n, t] for n, t in chosen]).astype(np.float32)),
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
    """Three states that span a telling plane: the ends of the three most frequent answers that differ.

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
        known.append(opened.task.solve(one["x"].values, limit=SOLUTIONS))
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
    puzzles: Any = 0,
    *,
    size: int = 21,
    radius: float = 1.5,
    trajectory: int = 0,
    supervision_steps: int | None = None,
    seed: int = 0,
    split: str = "test",
    noise: float | None = None,
    perturb: float | None = None,
) -> xr.Dataset:
    """Where a plane of initial states around the stored z0 leads: a rollout whose trajectories are its points.

    z0 is a vector for h and one for l, the same at every position; so are the two directions, drawn once per seed,
    at right angles, and as long as z0 itself: at distance 1 a start is as far from z0 as z0 is from 0.

    Args:
        size: points along each axis, an odd number, so that z0 itself is one of them.
        radius: how far the plane reaches, in lengths of z0.
        trajectory: whose numbers of the die all points share.
        noise, perturb, supervision_steps, seed, split: as in `gram.sample`.
    Returns:
        A rollout of one puzzle with the first and the last state, row by row; coordinates `row` and `column` on
        `trajectory` say where each starts, in lengths of z0.
    Raises:
        SampleError: an even or too small size; a model that never looks at its state; or see `gram.sample`.
    """
    opened = checkpoint if isinstance(checkpoint, Checkpoint) else load(checkpoint)
    model, task = opened.model, opened.task
    if size < 3 or size % 2 == 0:
        raise SampleError(f"size is {size}; it must be an odd number from 3 on, so that z0 is one of the points")
    if not model.recurrent:
        raise SampleError(f"{opened.name} answers in one pass and never looks at its start, so all would be equal")
    steps = min(WATCHED, opened.config.inference.supervision_steps) if supervision_steps is None else supervision_steps
    chance = choose(opened, noise=noise, perturb=perturb)
    check(trajectories=size * size, supervision_steps=steps, seed=seed, chance=chance, precision="auto")
    found, ids = _puzzles(opened, puzzles, split)
    if len(found) != 1:
        raise SampleError(f"{len(found)} puzzles were chosen; a plane of starts is of one")
    device = compute.device()
    model.to(device)
    features = model.features
    drawn = torch.empty(2 * features, 2).normal_(generator=stream((seed, ids[0], trajectory, SLICE)))
    at = np.linspace(-radius, radius, size)
    points = np.stack(np.meshgrid(at, at), -1).reshape(-1, 2)  # column, row
    first: list[NDArray[Any]] = []
    last: list[NDArray[Any]] = []
    key = (seed, ids[0], trajectory)
    book = None if found.identifier is None else torch.from_numpy(found.identifier.astype(np.int64)).to(device)
    x = torch.from_numpy(found.x.astype(np.int64)).to(device)
    with torch.inference_mode(), compute.autocast("auto", device.type):
        begin = model.init(x, book)
        z0 = torch.stack([begin.h[0, 0], begin.l[0, 0]]).cpu()
        directions = (torch.linalg.qr(drawn)[0].T * (z0.norm() or 1)).view(2, 2, features)  # [axis, of h and l, f]
        for start in range(0, len(points), 4 * CHUNK):
            part = torch.from_numpy(points[start : start + 4 * CHUNK].astype(np.float32))
            moved = torch.einsum("pa,asf->spf", part, directions)[:, :, None].to(device)
            state = begin.take(torch.zeros(len(part), dtype=torch.int64))
            state = replace(state, h=begin.h + moved[0], l=begin.l + moved[1])
            streams = chance.streams([key])
            first.append(model.decode(state).logits.argmax(-1).cpu().numpy())
            for _ in range(steps):
                state = chance.disturb(model, state, _Shared(streams))
                for _ in range(model.high_steps):
                    state, _ = model.step(state, _Shared(streams))
            last.append(model.decode(state).logits.argmax(-1).cpu().numpy())
    tokens = np.stack([np.concatenate(first), np.concatenate(last)], 1)[None].astype(np.uint8)
    arrays: dict[str, Any] = {"x": found.x, "tokens": tokens}
    if task.ruled or len(found.solutions[0]):
        verdict = task.judge(found, tokens)
        arrays["valid"], arrays["conflict"] = verdict.valid, verdict.conflict
    if len(found.solutions[0]):
        arrays["y"] = found.solutions[0][:1]
    if found.complete:
        arrays["solutions_known"] = found.counts
    made = contract.make(
        task.board,
        arrays,
        supervision_step=(0, steps),
        transition=(0, model.high_steps),
        low_step=(0, 0),
        model=model.name,
        name=opened.name,
        config=opened.config.to_json(),
        checkpoint=opened.digest,
        commit=commit(),
        seed=seed,
        mode="prior",
    )
    return made.assign_coords(column=("trajectory", points[:, 0]), row=("trajectory", points[:, 1]))


class _Shared(Streams):
    """The numbers of one stream, the same in every row."""

    def __init__(self, streams: Streams) -> None:
        self.streams = streams

    def __call__(self, like: torch.Tensor) -> torch.Tensor:
        return self.streams(like[:1]).expand(like.shape)

    def normal(self, like: torch.Tensor) -> torch.Tensor:
        return self.streams.normal(like[:1]).expand(like.shape)


def _one(opened: Checkpoint, one: xr.Dataset, answers: NDArray[np.integer]) -> Any:
    """The puzzle of a rollout as `Task.judge` wants it."""
    from gram.tasks import Puzzles

    return Puzzles(one["x"].values[None], (answers.astype(one["x"].dtype),), complete=False)
