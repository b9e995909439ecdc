"""Finite-time Lyapunov exponents: how fast two neighbouring states of one trajectory part, in nats per transition.

A transition is a map z -> F(z) of the state z = (h, l), with the puzzle and the numbers of the die held fixed. A small
difference v becomes J v, where J is the derivative of F at z. With v_0 of length 1, drawn at random,

    growth(t)   = ln |J_t v_(t-1)|,   v_t = J_t v_(t-1) / |J_t v_(t-1)|
    exponent(t) = (growth(1) + ... + growth(t)) / t

Below 0 neighbours are drawn together and small errors are forgotten; above 0 they part: what a path answers then hangs
on details of its state. For several directions the v are kept orthonormal by a QR decomposition after every transition
and growth is ln of the diagonal of R: the leading exponents, the first of which is that of a single direction.

Source: Benettin et al. 1980, "Lyapunov characteristic exponents for smooth dynamical systems", Part 2. The derivative
is exact (forward-mode differentiation), so no size of a difference has to be chosen. `docs/analysis.md` tells how the
exponent is read: recent work finds that along the rollout it separates success from failure of recursive reasoners.

In models without low-level steps z is h alone, because l stands still there and a difference in it would never fade.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from gram import compute
from gram.checkpoint import Checkpoint, load
from gram.inference.noise import Streams, stream
from gram.inference.sample import CHUNK, WATCHED, SampleError, _puzzles, check, choose
from gram.models import Model, State

TANGENT = (
    3  # the stream of a trajectory that its first differences are drawn from, beside those of `gram.inference.noise`
)
LEAST = 16  # rows computed at once


def lyapunov(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzles: Any = 0,
    *,
    trajectories: int = 20,
    supervision_steps: int | None = None,
    directions: int = 1,
    seed: int = 0,
    split: str = "test",
    **chance: Any,
) -> xr.Dataset:
    """Growth and exponent along the trajectories that `gram.sample` draws for the same arguments, in float32.

    Args:
        directions: how many exponents; in time they order themselves, the largest first.
        puzzles, trajectories, supervision_steps, seed, split, chance: as in `gram.sample`.
    Returns:
        `growth` and `exponent` [puzzle, trajectory, step, direction], in nats per transition, NaN at the initial state;
        coordinates `supervision_step` and `transition` as in a rollout; attrs `name` and `numbers` (in a state).
    Raises:
        SampleError: the model answers in one pass; or more directions than numbers in a state; or see `gram.sample`.
    """
    opened = checkpoint if isinstance(checkpoint, Checkpoint) else load(checkpoint)
    model = opened.model
    if not model.recurrent:
        raise SampleError(f"{opened.name} answers in one pass: there is no recursion whose exponent could be measured")
    steps = min(WATCHED, opened.config.inference.supervision_steps) if supervision_steps is None else supervision_steps
    chosen = choose(opened, **chance)
    check(trajectories=trajectories, supervision_steps=steps, seed=seed, chance=chosen, precision="float32")
    found, ids = _puzzles(opened, puzzles, split)
    if not chosen.divides(model):
        trajectories = 1
    numbers = opened.task.board.positions * model.features * (1 + bool(model.low_steps))
    if not 1 <= directions <= numbers:
        raise SampleError(f"directions is {directions}; it must be from 1 to {numbers}, the numbers in a state")
    device = compute.device()
    model.to(device)
    rows = [(p, n) for p in range(len(found)) for n in range(trajectories)]
    grown = []
    with torch.no_grad(), _differentiable(device.type):
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            padded = part + [part[-1]] * (LEAST - len(part))  # from 16 rows on products round as in `gram.sample`
            keys = [(seed, ids[p], n) for p, n in padded]
            own = [p for p, _ in padded]
            x = torch.from_numpy(found.x[own].astype(np.int64)).to(device)
            book = None if found.identifier is None else torch.from_numpy(found.identifier[own].astype(np.int64))
            state = chosen.start(model, model.init(x, None if book is None else book.to(device)), keys)
            frame = first_frame(keys, directions, pack(model, state))
            noise, kept = chosen.streams(keys), []
            for _ in range(steps):
                state = chosen.disturb(model, state, noise)  # adds a number: its derivative is 1
                for _ in range(model.high_steps):
                    state, frame, growth = transition(model, state, noise, frame)
                    kept.append(growth.cpu().numpy())
            grown.append(np.stack(kept, 1)[: len(part)])
    shape = (len(found), trajectories, steps * model.high_steps, directions)
    growth_ = np.concatenate(grown).reshape(shape)
    exponent = growth_.cumsum(2, dtype=np.float64) / np.arange(1, shape[2] + 1)[:, None]
    gap = np.full((*shape[:2], 1, directions), np.nan)
    dims = ("puzzle", "trajectory", "step", "direction")
    clock = [(0, 0)] + [(s, t) for s in range(1, steps + 1) for t in range(1, model.high_steps + 1)]
    return xr.Dataset(
        {
            "growth": (dims, np.concatenate([gap, growth_], 2).astype(np.float32)),
            "exponent": (dims, np.concatenate([gap, exponent], 2).astype(np.float32)),
        },
        coords={
            "step": np.arange(len(clock)),
            "supervision_step": ("step", [s for s, _ in clock]),
            "transition": ("step", [t for _, t in clock]),
        },
        attrs={"name": opened.name, "numbers": numbers, "unit": "nats per transition"},
    )


def advance(function: Callable[[Tensor], Tensor], z: Tensor, frame: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One application of a map to some states and to orthonormal differences at each of them.

    Args:
        function: [row, number] -> same; each row's result depends on that row alone.
        z: the states [row, number].
        frame: the differences [direction, row, number], orthonormal in each row.
    Returns:
        The new states, the new orthonormal frame, and ln of what each direction grew by [row, direction].
    """
    _ready()
    images = []
    after = z
    for direction in frame:
        with forward_ad.dual_level():
            after, image = forward_ad.unpack_dual(function(forward_ad.make_dual(z, direction)))
        images.append(torch.zeros_like(z) if image is None else image)  # None: the map is constant
    turned, scale = torch.linalg.qr(torch.stack(images, -1))  # [row, number, direction], [row, direction, direction]
    return after, turned.permute(2, 0, 1), scale.diagonal(dim1=-2, dim2=-1).abs().log()


def transition(model: Model, state: State, noise: Streams, frame: Tensor) -> tuple[State, Tensor, Tensor]:
    """One transition of a model under `advance`: new state, new frame, growth. The die is thrown once."""
    held = _Held(noise)

    def function(z: Tensor) -> Tensor:
        held.again()
        return pack(model, model.step(unpack(model, state, z), held)[0])

    after, frame, growth = advance(function, pack(model, state), frame)
    return unpack(model, state, after), frame, growth


def pack(model: Model, state: State) -> Tensor:
    """What the next transition depends on, as one row of numbers: h and l, or h alone: [row, number]."""
    parts = [state.h, state.l] if model.low_steps else [state.h]
    return torch.cat([part.flatten(1) for part in parts], 1)


def unpack(model: Model, like: State, z: Tensor) -> State:
    """The state that these numbers [row, number] stand for; what they do not tell is that of `like`."""
    h, l = z.chunk(2, 1) if model.low_steps else (z, like.l)
    return replace(like, h=h.reshape(like.h.shape), l=l.reshape(like.l.shape))


def first_frame(keys: Sequence[tuple[int, ...]], directions: int, like: Tensor) -> Tensor:
    """Random orthonormal differences [direction, row, number]; those of a trajectory follow from its key alone."""
    drawn = torch.empty(len(keys), directions, like.shape[1])  # the first is the same however many there are
    for row, key in zip(drawn, keys, strict=True):
        row.normal_(generator=stream((*key, TANGENT)))
    return torch.linalg.qr(drawn.to(like.device).mT)[0].permute(2, 0, 1)


class _Held:
    """Noise that gives the same numbers every time one transition is run through."""

    def __init__(self, noise: Streams) -> None:
        self.noise, self.kept, self.at = noise, list[Tensor](), 0

    def again(self) -> None:
        self.at = 0

    def __call__(self, like: Tensor) -> Tensor:
        if self.at == len(self.kept):
            self.kept.append(self.noise(like))
        self.at += 1
        return self.kept[self.at - 1]


@cache
def _ready() -> None:
    """torch loads its rules of forward differentiation at the first use, and warns of itself: not a user's matter."""
    with warnings.catch_warnings(), forward_ad.dual_level():
        warnings.simplefilter("ignore", DeprecationWarning)
        forward_ad.make_dual(torch.zeros(1), torch.zeros(1))


def _differentiable(kind: str) -> AbstractContextManager[Any]:
    """On accelerators the fused attention kernels have no forward derivative; the plain one has."""
    return nullcontext() if kind == "cpu" else sdpa_kernel(SDPBackend.MATH)
