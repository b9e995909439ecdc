"""Finite-time Lyapunov exponents: how fast two neighboring states of one trajectory diverge, in nats per transition.

A transition is a map z -> F(z) of the state z = (h, l), with the puzzle and the sampling noise held fixed. A small
difference v becomes J v, where J is the derivative of F at z. With v_0 of length 1, drawn at random,

    growth(t)   = ln |J_t v_(t-1)|,   v_t = J_t v_(t-1) / |J_t v_(t-1)|
    exponent(t) = (growth(1) + ... + growth(t)) / t

Below 0 neighbors converge and small errors are forgotten; above 0 they diverge: what a trajectory answers then depends
on details of its state. For several directions the v are kept orthonormal by a QR decomposition after every transition
and growth is ln of the diagonal of R: the leading exponents, the first of which is that of a single direction.

Source: Benettin et al. 1980, "Lyapunov characteristic exponents for smooth dynamical systems", Part 2. The derivative
is exact (forward-mode differentiation), so no size of a difference has to be chosen. `docs/analysis.md` says how the
exponent is read: recent work finds that along the rollout it separates success from failure of recursive reasoners.

In models without low-level steps z is h alone, because l is constant there and a difference in it would never fade.
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
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from gram import compute
from gram.checkpoint import Checkpoint, load
from gram.inference.chain import Chain, Row, Rows, batches
from gram.inference.noise import TANGENT, Key, SamplingNoise, generator_for
from gram.inference.request import SampleError, Selection, check, sampling_noise, select
from gram.inference.sample import MAX_ROWS, default_steps
from gram.models import Model, Noise, State, Transition
from gram.models.base import Watch


def lyapunov(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzles: Selection | None = 0,
    *,
    limit: int | None = None,
    trajectories: int = 20,
    supervision_steps: int | None = None,
    directions: int = 1,
    seed: int = 0,
    split: str = "test",
    noise: float | None = None,
    perturb: float | None = None,
    random_start: bool | None = None,
    temperature: float | None = None,
    exact: bool = False,
) -> xr.Dataset:
    """Growth and exponent along the trajectories that `gram.sample` draws for the same arguments, in float32.

    Args:
        puzzles: as in `gram.sample`; None: all of the split.
        limit: only this many of the puzzles, evenly chosen.
        directions: how many exponents; in time they order themselves, the largest first.
        others: as in `gram.sample`.
    Returns:
        `growth` and `exponent` [puzzle, trajectory, step, direction], in nats per transition, NaN at the initial state;
        coordinates `supervision_step` and `transition` as in a rollout; attrs `name` and `numbers` (in a state).
    Raises:
        SampleError: the model answers in one pass; or more directions than numbers in a state; or see `gram.sample`.
    """
    opened = load(checkpoint)
    model = opened.model
    if not model.recurrent:
        raise SampleError(f"{opened.name} answers in one pass: there is no recursion whose exponent could be measured")
    steps = default_steps(opened) if supervision_steps is None else supervision_steps
    chosen = sampling_noise(opened, noise=noise, perturb=perturb, random_start=random_start, temperature=temperature)
    check(trajectories=trajectories, supervision_steps=steps, seed=seed, noise=chosen, precision="float32")
    found, ids = select(model, opened.task, puzzles, split, limit=limit)
    if not chosen.is_stochastic(model):
        trajectories = 1
    numbers = opened.task.board.positions * model.features * (1 + bool(model.low_steps))
    if not 1 <= directions <= numbers:
        raise SampleError(f"directions is {directions}; it must be from 1 to {numbers}, the numbers in a state")
    device = compute.device()
    model.to(device)
    rows = [Row(p, (seed, ids[p], n)) for p in range(len(found)) for n in range(trajectories)]
    with torch.no_grad(), _differentiable(device.type):
        grown = [_growth(model, part, chosen, directions, steps) for part in batches(found, rows, MAX_ROWS, exact)]
    growth = np.concatenate(grown).reshape(len(found), trajectories, -1, directions)
    exponent = growth.cumsum(2, dtype=np.float64) / np.arange(1, growth.shape[2] + 1)[:, None]
    gap = np.full((*growth.shape[:2], 1, directions), np.nan)
    dims = ("puzzle", "trajectory", "step", "direction")
    clock = [(0, 0)] + [(s, t) for s in range(1, steps + 1) for t in range(1, model.high_steps + 1)]
    return xr.Dataset(
        {
            "growth": (dims, np.concatenate([gap, growth], 2).astype(np.float32)),
            "exponent": (dims, np.concatenate([gap, exponent], 2).astype(np.float32)),
        },
        coords={
            "step": np.arange(len(clock)),
            "supervision_step": ("step", [s for s, _ in clock]),
            "transition": ("step", [t for _, t in clock]),
        },
        attrs={"name": opened.name, "numbers": numbers, "unit": "nats per transition"},
    )


def _growth(model: Model, rows: Rows, noise: SamplingNoise, directions: int, steps: int) -> NDArray[np.float32]:
    """Growth [row, transition, direction] along one batch."""
    frame: Tensor
    grown = []

    def step(state: State, noise: Noise, y: Tensor | None, watch: Watch | None) -> tuple[State, Transition]:
        nonlocal frame
        state, frame, growth = transition(model, state, noise, frame)
        grown.append(growth.cpu().numpy())
        return state, Transition(state.h)

    chain = Chain(model, rows, noise, step)  # a perturbation adds a number: its derivative is 1
    frame = first_frame(rows.keys, directions, pack(model, chain.state))
    for _ in chain.run(steps):
        pass
    return np.stack(grown, 1)[: rows.count]


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


def transition(model: Model, state: State, noise: Noise, frame: Tensor) -> tuple[State, Tensor, Tensor]:
    """One transition of a model under `advance`: new state, new frame, growth. The noise is sampled once."""
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
    """The state that these numbers [row, number] stand for; the rest is that of `like`."""
    h, l = z.chunk(2, 1) if model.low_steps else (z, like.l)
    return replace(like, h=h.reshape(like.h.shape), l=l.reshape(like.l.shape))


def first_frame(keys: Sequence[Key], directions: int, like: Tensor) -> Tensor:
    """Random orthonormal differences [direction, row, number]; those of a trajectory follow from its key alone."""
    drawn = torch.empty(len(keys), directions, like.shape[1])  # the first is the same however many there are
    for row, key in zip(drawn, keys, strict=True):
        row.normal_(generator=generator_for((*key, TANGENT)))
    return torch.linalg.qr(drawn.to(like.device).mT)[0].permute(2, 0, 1)


class _Held:
    """Noise that gives the same numbers every time one transition is run through."""

    def __init__(self, noise: Noise) -> None:
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
