"""Sampling: many trajectories of one puzzle, recorded as a rollout.

Width is batching: N trajectories of a puzzle are rows of one batch. Each row draws its noise from a stream of its own,
keyed by (seed, puzzle, trajectory), and rows are computed in chunks of one fixed size, so trajectory 7 is the same, bit
for bit, drawn among 8 or 800; and memory beyond the record itself does not grow with the width.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from gram import compute, rollout
from gram.checkpoint import Checkpoint, load
from gram.inference.noise import Chance, Streams, stream
from gram.models import Model, State, Transition
from gram.provenance import commit
from gram.tasks import NoSolverError, Puzzles, Task, TaskError
from gram.tasks.base import Tokens
from gram.tasks.files import DataError

CHUNK = 32  # rows computed at once; part of what makes results repeatable, so not tuned per machine
SOLUTIONS = 1_000  # solutions of a typed puzzle that are searched for; only fewer are known to be all
WATCHED = 16  # supervision steps that are recorded unless told otherwise
LARGEST = 4 * 2**30  # bytes of a record that is made without being asked twice


class SampleError(ValueError):
    """A request that sampling cannot serve; one sentence with a cure."""


@dataclass(frozen=True)
class Start:
    """Where all trajectories of a drawing go on from, instead of the initial state (`gram.rerun`).

    Attributes:
        h, l: the state [position, feature] of the board; `l` None leaves that of the initial state.
        done: transitions behind it.
        past: name -> the states before it that the record begins with [step, ...].
    """

    h: np.ndarray
    l: np.ndarray | None
    done: int
    past: dict[str, np.ndarray]

    def put(self, state: State) -> State:
        """The state of some rows, all standing here."""
        h, l = (
            old if new is None else torch.from_numpy(new.astype(np.float32)).to(old)[: old.shape[1]].expand(old.shape)
            for old, new in ((state.h, self.h), (state.l, self.l))
        )
        return replace(state, h=h, l=l)


@dataclass(frozen=True)
class Record:
    """What to keep of each recorded state; `x`, `tokens`, `valid` and `conflict` always are.

    Attributes:
        every: `transition`, or `supervision` to keep the last transition of each supervision step only.
        low: keep the states after each low-level update too (as steps of their own, with `l`).
        others: the variables of `gram.rollout.VARIABLES`; `guidance` is mu and sigma of prior (and posterior).
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
    puzzles: int | Sequence[int] | Puzzles | str = 0,
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
    largest: int = LARGEST,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Draw trajectories and record them as a rollout.

    Args:
        checkpoint: opened, or its name or folder.
        puzzles: index or indices in the split, `Puzzles`, or the text of one puzzle.
        trajectories: N per puzzle (1 for a deterministic model to which no chance is added: all would be equal).
        supervision_steps: how long each goes on, without halting; default: 16, or the checkpoint's inference depth if
            that is less (an answer may be worth 256 steps, but a record of them is for nobody's eyes) or if the model
            writes its answer, which is not whole before.
        seed: of the noise.
        mode: `prior`, or `posterior` to let the guidance see the first known solution.
        noise: factor on the deviation of the guidance; default: the checkpoint's, and 1 with a target.
        perturb, random_start, temperature: further ways for chance to enter, of any model (`gram.inference.noise`): the
            deviation of PTRM's noise on the latent, whether z0 is drawn per trajectory, and the decoder's temperature;
            default: the checkpoint's. A rollout made so says so in its name and in `chance`.
        record: what to keep.
        largest: refuse records of more bytes than this.
        progress: called with (rows done, rows in all) after each chunk.
    Raises:
        SampleError, TaskError, CheckpointError: see the messages.
    """
    return prepare(
        checkpoint, puzzles, trajectories=trajectories, supervision_steps=supervision_steps, seed=seed, split=split,
        mode=mode, noise=noise, perturb=perturb, random_start=random_start, temperature=temperature, record=record,
        precision=precision, largest=largest,
    ).draw(progress)  # fmt: skip


def prepare(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzles: int | Sequence[int] | Puzzles | str = 0,
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
    largest: int = LARGEST,
) -> Drawing:
    """What `sample` is about to compute, checked; arguments and errors are those of `sample`."""
    opened = checkpoint if isinstance(checkpoint, Checkpoint) else load(checkpoint)
    record = record or Record()
    model, task = opened.model, opened.task
    longest = opened.config.inference.supervision_steps
    if not model.writes:
        longest = min(WATCHED, longest)
    steps = longest if supervision_steps is None else supervision_steps
    if noise is None and mode != "prior":
        noise = 1.0
    chance = choose(opened, noise=noise, perturb=perturb, random_start=random_start, temperature=temperature)
    check(trajectories=trajectories, supervision_steps=steps, seed=seed, chance=chance, precision=precision)
    if mode not in ("prior", "posterior"):
        raise SampleError(f"mode is {mode!r}; known: prior, posterior")
    if mode == "posterior" and not model.has_guidance:
        what = "writes tokens" if model.writes else "is deterministic"
        raise SampleError(f"{opened.name} {what} and has no posterior; use mode='prior'")
    chosen, ids = _puzzles(opened, puzzles, split, mode)
    if mode == "posterior" and not all(len(found) for found in chosen.solutions):
        raise SampleError("the posterior sees a solution, but this puzzle has none; use mode='prior'")
    if not chance.divides(model):
        trajectories = 1
    size = record.size(model, len(chosen), trajectories, steps, task.board.positions, len(task.board.tokens), mode)
    if size > largest:
        raise SampleError(
            f"this record takes {size / 1e9:.1f} GB, over {largest / 1e9:.1f} GB; keep less (Record(h=False) or "
            f"every='supervision'), draw fewer trajectories, or pass largest={size}"
        )
    return Drawing(opened, chosen, ids, trajectories, steps, seed, mode, chance, record, precision)


@dataclass
class Drawing:
    """Trajectories while they are drawn: chunks of rows that advance step by step, and what was recorded of them.

    Attributes:
        rows: (puzzle, trajectory) of each row; puzzles and their `ids` are counted alike.
        begin: where they go on from, if not from the start.
        kept: of each chunk, name -> the recorded states, each [row of the chunk, ...].
    """

    opened: Checkpoint
    chosen: Puzzles
    ids: list[int]
    trajectories: int
    supervision_steps: int
    seed: int
    mode: str
    chance: Chance
    record: Record
    precision: str
    begin: Start | None = None
    kept: list[dict[str, list[np.ndarray]]] = field(default_factory=list)

    @property
    def rows(self) -> list[tuple[int, int]]:
        """In the order in which they are computed."""
        return [(p, n) for p in range(len(self.chosen)) for n in range(self.trajectories)]

    @property
    def transitions(self) -> int:
        """How often a chunk advances, its initial state included."""
        behind = self.begin.done if self.begin else 0
        return 1 + self.supervision_steps * self.opened.model.high_steps - behind

    @contextmanager
    def computing(self) -> Iterator[None]:
        """The mode in which chunks advance."""
        device = compute.device()
        self.opened.model.to(device)
        with torch.inference_mode(), compute.autocast(self.precision, device.type):
            yield

    def draw(self, progress: Callable[[int, int], None] | None = None) -> xr.Dataset:
        """All of it, chunk by chunk; `progress` as in `sample`."""
        with self.computing():
            for number, chunk in enumerate(self.chunks(), 1):
                for _ in chunk:
                    pass
                if progress:
                    progress(min(number * CHUNK, len(self.rows)), len(self.rows))
        return self.rollout()

    def chunks(self) -> list[Iterator[None]]:
        """The chunks, each to be advanced by `next` until it ends: first its initial state, then every transition."""
        parts = [self.rows[start : start + CHUNK] for start in range(0, len(self.rows), CHUNK)]
        self.kept = [{} for _ in parts]
        return [self._chunk(part, kept) for part, kept in zip(parts, self.kept, strict=True)]

    def _chunk(self, part: list[tuple[int, int]], kept: dict[str, list[np.ndarray]]) -> Iterator[None]:
        device, chosen, model = compute.device(), self.chosen, self.opened.model
        padded = part + [part[-1]] * (CHUNK - len(part))
        keys = [(self.seed, self.ids[p], n) for p, n in padded]
        x = torch.from_numpy(chosen.x[[p for p, _ in padded]].astype(np.int64)).to(device)
        y = None
        if self.mode == "posterior":
            y = torch.from_numpy(np.stack([chosen.solutions[p][0] for p, _ in padded]).astype(np.int64)).to(device)
        identifier = None
        if chosen.identifier is not None:
            identifier = torch.from_numpy(chosen.identifier[[p for p, _ in padded]].astype(np.int64)).to(device)
        state = self.chance.start(model, model.init(x, identifier), keys)
        behind = 0
        if self.begin:
            state, behind = self.begin.put(state), self.begin.done
            kept |= {
                name: [np.repeat(one[None], len(part), 0) for one in past] for name, past in self.begin.past.items()
            }
        ahead = range(behind, self.supervision_steps * model.high_steps)
        return _record(model, state, y, self.chance, keys, len(part), ahead, self.record, kept)

    def rollout(self) -> xr.Dataset:
        """The states that all chunks have recorded by now.

        Raises:
            SampleError: some have none.
        """
        states = min((len(kept.get("tokens", ())) for kept in self.kept), default=0)
        if not states:
            raise SampleError("nothing is recorded yet; let every chunk advance once")
        opened, chosen, model, task = self.opened, self.chosen, self.opened.model, self.opened.task
        arrays: dict[str, Any] = {}
        for name in self.kept[0]:
            whole = np.concatenate([np.stack(kept[name][:states], axis=1) for kept in self.kept])
            arrays[name] = whole.reshape(len(chosen), self.trajectories, *whole.shape[1:])
        arrays["x"] = chosen.x
        if task.ruled or all(len(found) for found in chosen.solutions):
            verdict = task.judge(chosen, arrays["tokens"])
            arrays["valid"], arrays["conflict"] = verdict.valid, verdict.conflict
        if all(len(found) for found in chosen.solutions):
            arrays["y"] = np.stack([found[0] for found in chosen.solutions])
        if chosen.complete:
            arrays["solutions_known"] = chosen.counts
        clock = _clock(model, self.supervision_steps, self.record)[:states]
        if "halt" in arrays:
            ends = np.array([low_step == 0 and at == model.high_steps for _, at, low_step in clock])
            stopped = (arrays["halt"] > opened.config.inference.halt_above) & ends
            arrays["halted_at"] = np.where(stopped.any(-1), stopped.argmax(-1), -1).astype(np.int32)
        supervision, transition, low = zip(*clock, strict=True)
        return rollout.make(
            task.board,
            arrays,
            supervision_step=supervision,
            transition=transition,
            low_step=low,
            model=model.name,
            name=f"{opened.name} ({self.chance.name})" if self.chance.name else opened.name,
            config=opened.config.to_json(),
            checkpoint=opened.digest,
            commit=commit(),
            seed=self.seed,
            mode=self.mode,
            chance=json.dumps(asdict(self.chance)),
            levels=json.dumps(model.levels),
        )


def _record(
    model: Model,
    state: State,
    y: Tensor | None,
    chance: Chance,
    keys: list[tuple[int, int, int]],
    rows: int,
    ahead: range,
    record: Record,
    kept: dict[str, list[np.ndarray]],
) -> Iterator[None]:
    """Run one chunk from `state`, keep what `record` names of its first `rows` rows: name -> [row, ...].

    `ahead` counts the transitions to come, from 0 at the initial state. It stops for a moment at `state` and after
    every transition. Of a state only the positions of the board
    are kept, not those of the tokens that name its rule book.
    """

    def keep(name: str, tensor: Tensor, dtype: torch.dtype) -> None:
        kept.setdefault(name, []).append(tensor[:rows].to(dtype).cpu().numpy())

    noise = chance.streams(keys)

    def look(state: State, transition: Transition) -> None:
        readout = model.decode(state)
        keep("tokens", chance.answer(readout, keys), torch.uint8)
        if record.probability:
            keep("probability", readout.logits.softmax(-1), torch.float16)
        if record.logits:
            keep("logits", readout.logits, torch.float32)
        if record.halt:
            keep("halt", readout.halt.sigmoid(), torch.float32)
        if record.value and not model.writes:
            keep("value", readout.value.sigmoid(), torch.float32)
        if record.h:
            keep("h", model.on_board(state.h), torch.float16)
        if record.l or record.low:
            keep("l", model.on_board(state.l), torch.float16)
        if record.u:
            keep("u", model.on_board(transition.u), torch.float16)
        for which in ("prior", "posterior"):
            if record.guidance and getattr(transition, which) is not None:
                keep(f"mu_{which}", model.on_board(getattr(transition, which).mean), torch.float16)
                keep(f"sigma_{which}", model.on_board(getattr(transition, which).sigma), torch.float16)

    still = Transition(state.h, *_silent(model, state, y))
    look(state, still)
    yield
    for at in ahead:
        number = at % model.high_steps + 1
        if number == 1:
            state = chance.disturb(model, state, noise)
        lows: list[Tensor] = []
        before = state
        state, transition = model.step(state, noise, y, lows.append if record.low else None)
        for low in lows:  # h stands still while l moves
            look(replace(before, l=low.float()), still)
        still = transition
        if record.every == "transition" or number == model.high_steps:
            look(state, transition)
        yield


def _silent(model: Model, state: State, y: Tensor | None) -> tuple[Any, Any]:
    """The guidance of step 0, where none is thrown: mean and deviation 0, so that recorded arrays have one shape."""
    if not model.has_guidance:
        return None, None
    from gram.models.gaussian import Gaussian

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


def _puzzles(opened: Checkpoint, wanted: Any, split: str, mode: str = "prior") -> tuple[Puzzles, list[int]]:
    """The puzzles that were asked for, and the number that keys each one's noise."""
    if isinstance(wanted, str):
        x = opened.task.parse(wanted)
        if opened.model.prefix and opened.task.identifiers:
            raise SampleError(
                f"a typed puzzle of {opened.task.name} does not say which rule book it follows; give the index of one"
            )
        try:
            found = opened.task.solve(x, limit=SOLUTIONS)
        except NoSolverError:
            return _unanswered(x), [0]
        return Puzzles(x[None], (found,), complete=len(found) < SOLUTIONS), [0]
    if isinstance(wanted, Puzzles):
        return wanted, list(range(len(wanted)))
    available = _available(opened.task, split, mode)
    ids = [int(wanted)] if isinstance(wanted, int | np.integer) else [int(index) for index in wanted]
    if not ids:
        raise SampleError("puzzles is empty; give at least one index")
    for index in ids:
        if not 0 <= index < len(available):
            raise SampleError(f"puzzle {index} is not in the {split} split; it has 0 to {len(available) - 1}")
    return available.take(ids), ids


def _available(task: Task, split: str, mode: str) -> Puzzles:
    """The puzzles of a split; the blank one of a task that asks nothing is here even where the data are not."""
    try:
        return task.puzzles(split)  # type: ignore[arg-type]
    except DataError as error:
        if task.nothing is None and error.missing:
            raise DataError(f"{error}, or give a puzzle as text", error.missing) from error
        if task.nothing is None or mode != "prior" or error.missing is None:
            raise
        return _unanswered(task.nothing)


def _unanswered(x: Tokens) -> Puzzles:
    """A puzzle [position] no answer of which is known."""
    return Puzzles(x[None], (np.empty((0, len(x)), np.uint8),), complete=False)


def choose(
    opened: Checkpoint,
    *,
    noise: float | None = None,
    perturb: float | None = None,
    random_start: bool | None = None,
    temperature: float | None = None,
) -> Chance:
    """How chance enters: what was asked for, and what the checkpoint says of the rest.

    Raises:
        SampleError: it would enter a state that this model never looks at.
    """
    own = opened.config.inference
    chance = Chance(
        noise=own.noise if noise is None else noise,
        perturb=own.perturb if perturb is None else perturb,
        random_start=own.random_start if random_start is None else random_start,
        temperature=own.temperature if temperature is None else temperature,
    )
    model = opened.model
    if not model.recurrent and (chance.perturb or chance.random_start):
        cure = "leave it out" if model.writes else "leave it out, or give a temperature"
        why = "goes on from its tokens alone" if model.writes else "answers in one pass"
        raise SampleError(
            f"{opened.name} {why} and never looks at its latent state, so {chance.name} changes nothing; {cure}"
        )
    if model.writes and chance.temperature:
        raise SampleError(
            f"{opened.name} throws a die for every token that it writes, so there is no decoder to heat; leave "
            "temperature out, and give a noise below 1 for the more probable tokens (0: the most probable)"
        )
    return chance


def check(*, trajectories: int, supervision_steps: int, seed: int, chance: Chance, precision: str) -> None:
    """Refuse settings that neither sampling nor evaluating can serve.

    Raises:
        SampleError: names the first of them.
    """
    for name, count in (("trajectories", trajectories), ("supervision_steps", supervision_steps)):
        if count < 1:
            raise SampleError(f"{name} is {count}; it must be at least 1")
    if not 0 <= seed < 2**63:
        raise SampleError(f"seed is {seed}; it must be a whole number from 0 to 2^63 - 1")
    for name, meaning in (
        ("noise", "0 (no dice)"), ("perturb", "0 (nothing is disturbed)"), ("temperature", "0 (the most probable)"),
    ):  # fmt: skip
        value = getattr(chance, name)
        if not (math.isfinite(value) and value >= 0):
            raise SampleError(f"{name} is {value}; it must be a number from {meaning} upward")
    if precision not in ("auto", "float32", "bfloat16"):
        raise SampleError(f"precision is {precision!r}; known: auto, float32, bfloat16")


__all__ = ["Record", "SampleError", "Streams", "TaskError", "asdict", "check", "choose", "sample", "stream"]
