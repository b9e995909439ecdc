"""Sampling: many trajectories of one puzzle, recorded as a rollout.

Width is batching: N trajectories of a puzzle are rows of a batch, and memory beyond the record itself does not grow
with the width. Each row draws its noise from a generator of its own, keyed by (seed, puzzle, trajectory), so trajectory
7 is the same, up to rounding, drawn among 8 or 800; with `exact`, bit for bit (`gram.inference.chain`).
"""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from gram import rollout
from gram.checkpoint import Checkpoint, load
from gram.inference.chain import Chain, Row, Rows, batch_size, batches, computing, quickest
from gram.inference.request import SampleError, Selection, check, data_of, sampling_noise, select
from gram.models import Model, State, Transition
from gram.models.gaussian import Gaussian
from gram.progress import UntilInterrupt, bar
from gram.provenance import commit
from gram.tasks import Puzzles, own

MAX_ROWS = 32  # of a batch: between two moments of `gram.watch` lies one transition of these
DEFAULT_RECORDED_STEPS = 16  # supervision steps that are recorded unless others are asked for
MAX_RECORD_BYTES = 4 * 2**30  # of a record that is made without being asked twice


@dataclass(frozen=True)
class Start:
    """Where trajectories start instead of the initial state (`gram.rerun`).

    Attributes:
        h, l: their states [trajectory, position, feature] on the board; `l` None leaves that of the initial state.
        done: transitions behind them.
        keys: [trajectory], the number in the key of each one's noise; equal numbers, equal noise.
        past: name -> the states before them that the record begins with [trajectory, step, ...].
    """

    h: np.ndarray
    l: np.ndarray | None
    done: int
    keys: Sequence[int]
    past: dict[str, np.ndarray]

    def put(self, state: State, which: np.ndarray) -> State:
        """The state of some rows, each at one of these starts."""
        h, l = (
            old if new is None else torch.from_numpy(new[which].astype(np.float32)).to(old)[:, : old.shape[1]]
            for old, new in ((state.h, self.h), (state.l, self.l))
        )
        return replace(state, h=h.contiguous(), l=l.contiguous())


@dataclass(frozen=True)
class Record:
    """What to keep of each recorded state; `x`, `tokens`, `valid` and `conflict` always are.

    Attributes:
        every: `transition`, or `supervision` to keep the last transition of each supervision step only.
        low: keep the states after each low-level update too (as steps of their own, with `l`).
        others: the variables of `gram.schema.VARIABLES`; `guidance` is mu and sigma of prior (and posterior).
    """

    h: bool = True
    probability: bool = True
    halt: bool = True
    value: bool = True
    logits: bool = False
    l: bool = False
    u: bool = False
    guidance: bool = False
    low: bool = False
    every: str = "transition"

    def __post_init__(self) -> None:
        if self.every not in ("transition", "supervision"):
            raise SampleError(f"every is {self.every!r}; known: transition, supervision")
        if self.low and self.every != "transition":
            raise SampleError("low=True keeps low-level states, which lie between transitions; use every='transition'")

    def size(
        self, model: Model, puzzles: int, trajectories: int, supervision_steps: int, positions: int, tokens: int,
        mode: str = "prior",
    ) -> int:  # fmt: skip
        """Bytes that the variables of such a record with a step will take."""
        features = model.features
        steps = 1 + supervision_steps * (model.high_steps if self.every == "transition" else 1)
        if self.low:
            steps += supervision_steps * model.high_steps * model.low_steps
        heads = 2 * (1 + (mode == "posterior")) if self.guidance and model.has_guidance else 0
        wide = self.h + (self.l or self.low) + self.u + heads
        position = (
            2 + 2 * wide * features + 2 * tokens * self.probability + 4 * tokens * self.logits
        )  # tokens, conflict
        state = positions * position + 1 + 4 * self.halt + 4 * self.value  # valid
        return puzzles * trajectories * steps * state


def sample(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzles: Selection = 0,
    *,
    trajectories: int = 50,
    supervision_steps: int | None = None,
    seed: int = 0,
    split: str = "test",
    mode: str = "prior",
    noise: float | None = None,
    perturb: float | None = None,
    random_start: bool | None = None,
    temperature: float | None = None,
    record: Record | None = None,
    precision: str = "auto",
    exact: bool = False,
    max_bytes: int = MAX_RECORD_BYTES,
    progress: bool | None = None,
) -> xr.Dataset:
    """Draw trajectories and record them as a rollout.

    Args:
        checkpoint: opened, or its name or folder.
        puzzles: index or indices in the split, `Puzzles`, or the text of one puzzle.
        trajectories: N per puzzle (1 for a deterministic model to which no noise is added: all would be equal).
        supervision_steps: depth of each, without halting; default: 16, or the checkpoint's inference depth if that is
            less (an answer may be worth 256 steps, but nobody looks at a record of them) or if the model writes its
            answer, which is not complete before.
        seed: of the noise.
        mode: `prior`, or `posterior` to condition the guidance on the first known solution.
        noise: factor on the deviation of the guidance; default: the checkpoint's, and 1 with a target.
        perturb, random_start, temperature: further sampling noise, of any model (`gram.inference.noise`): the
            deviation of PTRM's noise on the latent, whether z0 is drawn per trajectory, and the decoder's temperature;
            default: the checkpoint's. A rollout made so says so in its name and in `sampling_noise`.
        record: what to keep.
        exact: whether a trajectory is the same bit for bit however many are drawn with it; a few then cost as much as
            32. Otherwise it is the same up to rounding, and equal calls give equal bits.
        max_bytes: refuse larger records.
        progress: whether to show a bar; by default in a notebook and a terminal. An interrupt (Ctrl+C) leaves the
            trajectories that are finished, or of the first ones the finished supervision steps; with False it raises.
    Raises:
        SampleError, TaskError, CheckpointError: see the messages.
    """
    return Sampling(
        checkpoint, puzzles, trajectories=trajectories, supervision_steps=supervision_steps, seed=seed, split=split,
        mode=mode, noise=noise, perturb=perturb, random_start=random_start, temperature=temperature, record=record,
        precision=precision, exact=exact, max_bytes=max_bytes,
    ).draw(progress)  # fmt: skip


def default_steps(opened: Checkpoint) -> int:
    """Supervision steps of a record unless others are asked for."""
    depth = opened.config.inference.supervision_steps
    return depth if opened.model.samples_tokens else min(DEFAULT_RECORDED_STEPS, depth)


class Sampling:
    """Trajectories while they are drawn: batches of rows that advance step by step, and what was recorded of them.

    Arguments and errors are those of `sample`; everything is checked before anything is computed.

    Attributes:
        ids: of the puzzles, for the keys of the noise.
        in_split: whether those are indices in the split.
        begin: where the trajectories start, if not at the initial state.
        kept: of each batch, name -> the recorded states, each [row of the batch, ...].
    """

    begin: Start | None = None

    def __init__(
        self,
        checkpoint: Checkpoint | str | os.PathLike[str],
        puzzles: Selection,
        *,
        trajectories: int,
        supervision_steps: int | None,
        seed: int,
        split: str = "test",
        mode: str = "prior",
        noise: float | None = None,
        perturb: float | None = None,
        random_start: bool | None = None,
        temperature: float | None = None,
        record: Record | None = None,
        precision: str = "auto",
        exact: bool = False,
        max_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        self.opened = opened = load(checkpoint)
        self.record = record = record or Record()
        model, task = opened.model, opened.task
        self.supervision_steps = steps = default_steps(opened) if supervision_steps is None else supervision_steps
        if noise is None and mode != "prior":
            noise = 1.0
        self.noise = sampling_noise(
            opened, noise=noise, perturb=perturb, random_start=random_start, temperature=temperature
        )
        check(trajectories=trajectories, supervision_steps=steps, seed=seed, noise=self.noise, precision=precision)
        if mode not in ("prior", "posterior"):
            raise SampleError(f"mode is {mode!r}; known: prior, posterior")
        if mode == "posterior" and not model.has_guidance:
            what = "writes tokens" if model.samples_tokens else "is deterministic"
            raise SampleError(f"{opened.name} {what} and has no posterior; use mode='prior'")
        found, self.ids = select(model, task, puzzles, split, answered=mode == "posterior")
        self.data = data_of(task, puzzles, split, found)
        self.in_split = not isinstance(puzzles, Puzzles | str) and not own.is_own(puzzles)
        if mode == "posterior" and not all(len(known) for known in found.solutions):
            raise SampleError("the posterior sees a solution, but this puzzle has none; use mode='prior'")
        self.trajectories = trajectories if self.noise.is_stochastic(model) else 1
        symbols = len(task.board.tokens)
        size = record.size(model, len(found), self.trajectories, steps, task.board.positions, symbols, mode)
        if size > max_bytes:
            raise SampleError(
                f"this record takes {size / 1e9:.1f} GB, over {max_bytes / 1e9:.1f} GB; draw fewer trajectories or "
                f"steps, or, in Python, keep less (Record(h=False) or every='supervision') or pass max_bytes={size}"
            )
        self.puzzles, self.seed, self.mode, self.precision, self.exact = found, seed, mode, precision, exact
        self.kept: list[dict[str, list[np.ndarray]]] = []

    @property
    def transitions(self) -> int:
        """How often a batch advances, its initial state included."""
        behind = self.begin.done if self.begin else 0
        return 1 + self.supervision_steps * self.opened.model.high_steps - behind

    def computing(self) -> AbstractContextManager[None]:
        """The mode in which batches advance."""
        rows = batch_size(len(self.puzzles) * self.trajectories, MAX_ROWS)
        return computing(self.opened.model, self.precision, None if self.exact else rows)

    def draw(self, progress: bool | None = None) -> xr.Dataset:
        """All of it, batch by batch; `progress` as in `sample`."""
        with self.computing():
            parts = self.batches()
            with bar(len(parts) * self.transitions, "step", progress, "sample") as counter, UntilInterrupt(progress):
                for part in parts:
                    for _ in part:
                        counter.update()
                return self.rollout()
        return self._interrupted()

    def batches(self) -> list[Iterator[None]]:
        """The batches, each to be advanced by `next` until it ends: first its initial state, then every transition."""
        keys = self.begin.keys if self.begin else range(self.trajectories)
        rows = [Row(p, (self.seed, self.ids[p], n)) for p in range(len(self.puzzles)) for n in keys]
        parts = list(batches(self.puzzles, rows, MAX_ROWS, self.exact))
        self.kept = [{} for _ in parts]
        return [
            self._run(part, kept, MAX_ROWS * k) for k, (part, kept) in enumerate(zip(parts, self.kept, strict=True))
        ]

    def _run(self, rows: Rows, kept: dict[str, list[np.ndarray]], first: int) -> Iterator[None]:
        """Run one batch and keep what `record` names; stops at the first state and after every transition."""
        model, record = quickest(self.opened.model, self.exact), self.record
        chain = Chain(model, rows, self.noise)
        if self.begin:
            which = first + np.arange(len(rows)).clip(max=rows.count - 1)
            chain.state, chain.done = self.begin.put(chain.state, which), self.begin.done
            behind = which[: rows.count]
            kept |= {name: list(past[behind].swapaxes(0, 1)) for name, past in self.begin.past.items()}
        y = rows.y if self.mode == "posterior" else None
        before, shown = chain.state, Transition(chain.state.h, *_zero_guidance(model, chain.state, y))
        self._record_state(chain, before, shown, kept)
        yield
        low_states: list[Tensor] = []
        for transition in chain.run(self.supervision_steps, y, low_states.append if record.low else None):
            for l in low_states:  # h does not change while l does
                self._record_state(chain, replace(before, l=l.float()), shown, kept)
            low_states.clear()
            before, shown = chain.state, transition
            if record.every == "transition" or chain.ends_supervision_step:
                self._record_state(chain, before, shown, kept)
            yield

    def _record_state(
        self, chain: Chain, state: State, transition: Transition, kept: dict[str, list[np.ndarray]]
    ) -> None:
        """Keep what `record` names of a state: of the wanted rows, and of the positions of the board alone."""
        record, on_board = self.record, chain.model.on_board

        def keep(name: str, tensor: Tensor, dtype: torch.dtype) -> None:
            kept.setdefault(name, []).append(tensor[: chain.rows.count].to(dtype).cpu().numpy())

        tokens, readout = chain.read_out(state)
        keep("tokens", tokens, torch.uint8)
        if record.probability:
            keep("probability", readout.logits.softmax(-1), torch.float16)
        if record.logits:
            keep("logits", readout.logits, torch.float32)
        if record.halt:
            keep("halt", readout.halt.sigmoid(), torch.float32)
        if record.value and not chain.model.samples_tokens:
            keep("value", readout.value.sigmoid(), torch.float32)
        if record.h:
            keep("h", on_board(state.h), torch.float16)
        if record.l or record.low:
            keep("l", on_board(state.l), torch.float16)
        if record.u:
            keep("u", on_board(transition.u), torch.float16)
        for which in ("prior", "posterior"):
            if record.guidance and getattr(transition, which) is not None:
                keep(f"mu_{which}", on_board(getattr(transition, which).mean), torch.float16)
                keep(f"sigma_{which}", on_board(getattr(transition, which).sigma), torch.float16)

    def rollout(self) -> xr.Dataset:
        """The states that all batches have recorded by now.

        Raises:
            SampleError: some have none.
        """
        states = min(map(_states, self.kept), default=0)
        if not states:
            raise SampleError("nothing is recorded yet; let every batch advance once")
        return self._rollout(self.kept, states, self.noise.name)

    def _interrupted(self) -> xr.Dataset:
        """What is whole: the trajectories of the finished batches, or the supervision steps of the first."""
        clock, states = _clock(self.opened.model, self.supervision_steps, self.record), _states(self.kept[0])
        if not states:
            raise KeyboardInterrupt
        if states < len(clock):
            states = 1 + max(k for k in range(states) if k == 0 or clock[k][0] < clock[k + 1][0])
        kept = [one for one in self.kept if _states(one) >= states]
        rows = sum(len(one["tokens"][0]) for one in kept)
        said = (
            f"interrupted: {rows} of {len(self.puzzles) * self.trajectories} trajectories, "
            f"{clock[states - 1][0]} of {self.supervision_steps} supervision steps"
        )
        warnings.warn(said, stacklevel=4)
        return self._rollout(kept, states, "; ".join(filter(None, (self.noise.name, said))))

    def _rollout(self, batches: list[dict[str, list[np.ndarray]]], states: int, name: str) -> xr.Dataset:
        """The first `states` of these batches, of all trajectories of a puzzle or else of the first puzzle alone."""
        opened, model = self.opened, self.opened.model
        rows = sum(len(kept["tokens"][0]) for kept in batches)
        trajectories = min(rows, self.trajectories)
        puzzles = self.puzzles.take(range(rows // trajectories))
        arrays: dict[str, Any] = {}
        for variable in batches[0]:
            whole = np.concatenate([np.stack(kept[variable][:states], axis=1) for kept in batches])
            shape = len(puzzles), trajectories, *whole.shape[1:]
            arrays[variable] = whole[: len(puzzles) * trajectories].reshape(shape)
        clock = _clock(model, self.supervision_steps, self.record)[:states]
        if "halt" in arrays:
            ends = np.array([low_step == 0 and at == model.high_steps for _, at, low_step in clock])
            stopped = (arrays["halt"] > opened.config.inference.halt_above) & ends
            arrays["halted_at"] = np.where(stopped.any(-1), stopped.argmax(-1), -1).astype(np.int32)
        return as_rollout(
            opened, puzzles, arrays, clock, name=name, seed=self.seed, mode=self.mode,
            puzzle_index=self.ids[: len(puzzles)] if self.in_split else None,
            data=json.dumps(self.data), sampling_noise=json.dumps(asdict(self.noise)), levels=json.dumps(model.levels),
        )  # fmt: skip


def _states(kept: Mapping[str, Sequence[np.ndarray]]) -> int:
    """How many states of a batch are recorded with all that is kept of them."""
    return min(map(len, kept.values()), default=0)


def as_rollout(
    opened: Checkpoint,
    puzzles: Puzzles,
    arrays: dict[str, Any],
    clock: list[tuple[int, int, int]],
    *,
    name: str = "",
    **attrs: Any,
) -> xr.Dataset:
    """Arrays of states as a rollout, with the puzzles, their answers where they are known, and the verdicts.

    Args:
        arrays: by name, `tokens` [puzzle, trajectory, step, position] among them.
        clock: supervision step, transition and low-level step of each state.
        name: what is not as in the checkpoint, in words.
        attrs: further ones of `gram.schema.ATTRS`, and `puzzle_index`.
    """
    task, model = opened.task, opened.model
    arrays["x"] = puzzles.x
    answered = all(len(found) for found in puzzles.solutions)
    if task.ruled or answered:
        verdict = task.judge(puzzles, arrays["tokens"])
        arrays["valid"], arrays["conflict"] = verdict.valid, verdict.conflict
    if answered:
        arrays["y"] = np.stack([found[0] for found in puzzles.solutions])
    if puzzles.complete:
        arrays["solutions_known"] = puzzles.counts
    supervision, transition, low = zip(*clock, strict=True)
    return rollout.make(
        task.board,
        arrays,
        supervision_step=supervision,
        transition=transition,
        low_step=low,
        rating=puzzles.rating,
        model=model.name,
        name=f"{opened.name} ({name})" if name else opened.name,
        config=opened.config.to_json(),
        checkpoint=opened.digest,
        commit=commit(),
        **attrs,
    )


def _zero_guidance(model: Model, state: State, y: Tensor | None) -> tuple[Gaussian | None, Gaussian | None]:
    """The guidance of step 0, where there is none: mean and deviation 0, so that recorded arrays have one shape."""
    if not model.has_guidance:
        return None, None
    nothing = Gaussian(torch.zeros_like(state.h), torch.full_like(state.h, -math.inf))
    return nothing, nothing if y is not None else None


def _clock(model: Model, supervision_steps: int, record: Record) -> list[tuple[int, int, int]]:
    """Where each recorded state stands: supervision step, transition, low-level step."""
    at = [(0, 0, 0)]
    for supervision in range(1, supervision_steps + 1):
        for transition in range(1, model.high_steps + 1):
            if record.low:
                at += [(supervision, transition, k) for k in range(1, model.low_steps + 1)]
            if record.every == "transition" or transition == model.high_steps:
                at.append((supervision, transition, 0))
    return at
