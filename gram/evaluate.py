"""Measuring a checkpoint on held-out puzzles by the protocol of docs/training.md.

`accuracy` is the share of single samples that obey every rule and keep the givens, `coverage` the distinct valid
solutions found among N samples of each puzzle, summed, over the solutions that exist, summed. Both weigh a puzzle by
its number of solutions, and both are reported on the puzzles with at least two solutions (Table 1's) and on all.

Rows are computed in a carried batch: a row that has halted, or reached the depth, makes room for the next, and when
none is waiting the batch shrinks, so halting saves what it promises. A row's result does not depend on its neighbours.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

from gram import compute
from gram.checkpoint import Checkpoint, load
from gram.models import Model, State
from gram.sample import SampleError, Streams, check, stream
from gram.select import SELECTORS, select
from gram.tasks import Puzzles, Task

ROWS = 256  # rows of the carried batch; fixed, as it takes part in rounding


@dataclass(frozen=True)
class Answers:
    """What N trajectories of each puzzle ended with.

    Attributes:
        tokens: [puzzle, trajectory, position].
        value: [puzzle, trajectory], predicted correctness.
        depth: [puzzle, trajectory], supervision steps taken.
        halted: [puzzle, trajectory], it stopped by itself.
    """

    tokens: NDArray[np.uint8]
    value: NDArray[np.float32]
    depth: NDArray[np.int32]
    halted: NDArray[np.bool_]


def evaluate(
    checkpoint: Checkpoint | str | os.PathLike[str],
    *,
    trajectories: int = 20,
    split: str = "test",
    seed: int = 0,
    puzzles: int | None = None,
    supervision_steps: int | None = None,
    halting: bool | None = None,
    noise: float | None = None,
    precision: str = "auto",
    progress: bool = False,
) -> dict[str, Any]:
    """All figures of a checkpoint as plain data; `gram evaluate --json` prints them.

    Args:
        trajectories: N samples per puzzle. A deterministic model is run once and counted N times: all would be equal.
        puzzles: only so many of the split, evenly chosen; default all.
        supervision_steps, halting, noise: default: the checkpoint's inference settings.
    Raises:
        CheckpointError, TaskError, SampleError: see the messages.
    """
    opened = checkpoint if isinstance(checkpoint, Checkpoint) else load(checkpoint)
    inference = opened.config.inference
    result = score(
        opened.model,
        opened.task,
        trajectories=trajectories,
        split=split,
        seed=seed,
        puzzles=puzzles,
        supervision_steps=inference.supervision_steps if supervision_steps is None else supervision_steps,
        halting=inference.halting if halting is None else halting,
        halt_above=inference.halt_above,
        noise=inference.noise if noise is None else noise,
        precision=precision,
        progress=progress,
    )
    return {"checkpoint": opened.name, "sha256": opened.digest, "model": opened.model.name} | result


def score(model: Model, task: Task, *, supervision_steps: int, **settings: Any) -> dict[str, Any]:
    """The figures of a model on a task at one depth; the settings are those of `score_depths`."""
    return score_depths(model, task, depths=[supervision_steps], **settings)[supervision_steps]


def score_depths(
    model: Model,
    task: Task,
    *,
    trajectories: int,
    depths: Sequence[int],
    halting: bool,
    seed: int,
    halt_above: float = 0.5,
    split: str = "test",
    puzzles: int | None = None,
    noise: float = 1.0,
    precision: str = "auto",
    progress: bool = False,
) -> dict[int, dict[str, Any]]:
    """The figures of a model on a task at each of several depths, from one pass; see `evaluate`."""
    for depth in depths:
        check(trajectories=trajectories, supervision_steps=depth, seed=seed, noise=noise, precision=precision)
    if puzzles is not None and puzzles < 1:
        raise SampleError(f"puzzles is {puzzles}; it must be at least 1")
    started = time.perf_counter()
    available = task.puzzles(split)  # type: ignore[arg-type]
    ids = np.arange(len(available))
    if puzzles is not None and puzzles < len(ids):
        ids = np.linspace(0, len(ids) - 1, puzzles).round().astype(int)
    chosen = available.take(ids)
    drawn = trajectories if model.stochastic else 1
    answers = answer(
        model, chosen, ids, trajectories=drawn, depths=depths, halting=halting, seed=seed,
        halt_above=halt_above, noise=noise, precision=precision, progress=progress,
    )  # fmt: skip
    seconds = round(time.perf_counter() - started, 2)
    several = np.flatnonzero(chosen.counts >= 2)
    everything = np.arange(len(chosen))
    results = {}
    for depth, found in answers.items():
        valid = task.judge(chosen, found.tokens).valid
        found = replace(found, tokens=task.canonical(chosen.x[:, None], found.tokens))
        results[depth] = {
            "task": task.board.title,
            "split": split,
            "protocol": "inputs with at least two solutions" if len(several) else "all inputs",
            "trajectories": trajectories,
            "supervision_steps": depth,
            "halting": halting,
            "noise": noise,
            "seed": seed,
            "precision": str(compute.dtype(precision, compute.device().type)).removeprefix("torch."),
            **summary(chosen, found, valid, several if len(several) else everything),
            "all_inputs": summary(chosen, found, valid, everything),
            "seconds": seconds,
        }
    return results


@torch.inference_mode()
def answer(
    model: Model,
    puzzles: Puzzles,
    ids: NDArray[np.integer],
    *,
    trajectories: int,
    depths: Sequence[int],
    halting: bool,
    seed: int,
    halt_above: float = 0.5,
    noise: float = 1.0,
    precision: str = "auto",
    progress: bool = False,
) -> dict[int, Answers]:
    """The answers of N trajectories of each puzzle at each of several depths, in one pass.

    A deeper run contains the shallower ones: what a trajectory shows at depth 8 is the same whether it stops there or
    goes on to 32. With halting, a trajectory stops once the halting head's belief in its answer passes `halt_above`,
    and one that never does gives the answer that the head believed in most. `ids` key the noise, so a subset of the
    puzzles draws what the whole draws.
    """
    device = compute.device()
    model.to(device)
    shape = (len(puzzles), trajectories)
    results = {
        depth: Answers(
            np.zeros((*shape, puzzles.x.shape[1]), dtype=np.uint8),
            np.zeros(shape, dtype=np.float32),
            np.zeros(shape, dtype=np.int32),
            np.zeros(shape, dtype=bool),
        )
        for depth in sorted(depths)
    }
    waiting = deque((p, n) for p in range(shape[0]) for n in range(shape[1]))
    rows: list[tuple[int, int] | None] = [None] * ROWS
    streams = Streams([(seed,)] * ROWS, noise)
    x = torch.zeros(ROWS, puzzles.x.shape[1], dtype=torch.int64, device=device)
    identifier = torch.zeros(ROWS, dtype=torch.int64, device=device)
    age = np.zeros(ROWS, dtype=np.int32)
    threshold = math.log(halt_above / (1 - halt_above))  # as a logit
    belief = np.full(ROWS, -np.inf, dtype=np.float32)  # of the answer that each row would give
    given = np.zeros((ROWS, puzzles.x.shape[1]), dtype=np.uint8)
    worth = np.zeros(ROWS, dtype=np.float32)
    bar = tqdm(
        total=len(waiting), unit="trajectory", disable=not progress, mininterval=0.5 if sys.stderr.isatty() else 30
    )
    with compute.autocast(precision, device.type), bar:
        state: State | None = None
        while True:
            empty = [at for at, row in enumerate(rows) if row is None]
            fresh = []
            for at in empty[: len(waiting)]:
                row = waiting.popleft()
                rows[at], age[at], belief[at] = row, 0, -np.inf
                x[at] = torch.from_numpy(puzzles.x[row[0]].astype(np.int64))
                if puzzles.identifier is not None:
                    identifier[at] = int(puzzles.identifier[row[0]])
                streams.generators[at] = stream((seed, int(ids[row[0]]), row[1]))
                fresh.append(at)
            if len(empty) == len(rows) and not fresh:
                break
            if fresh:
                start = model.init(x, identifier)
                state = start if state is None else _replace(state, start, fresh)
            assert state is not None  # the first round always brings fresh rows
            busy = [at for at, row in enumerate(rows) if row is not None]
            if not waiting and 2 * len(busy) <= len(rows):  # the last ones do not need the whole batch
                rows, streams.generators = [rows[at] for at in busy], [streams.generators[at] for at in busy]
                state, x, identifier = State(state.e_x[busy], state.h[busy], state.l[busy]), x[busy], identifier[busy]
                age, belief, given, worth = age[busy], belief[busy], given[busy], worth[busy]
            for _ in range(model.high_steps):
                state, _ = model.step(state, streams)
            readout = model.decode(state)
            age += 1
            halt = readout.halt.cpu().numpy()
            stops = halt > threshold
            better = halt > belief if halting else np.ones(len(rows), dtype=bool)
            belief = np.where(better, halt, belief)
            given[better] = readout.logits.argmax(-1).to(torch.uint8).cpu().numpy()[better]
            worth[better] = readout.value.sigmoid().cpu().numpy()[better]
            for at, place in enumerate(rows):
                if place is None:
                    continue
                ends = halting and bool(stops[at])
                for depth, result in results.items():
                    if age[at] == depth or (ends and age[at] < depth):
                        result.tokens[place], result.value[place] = given[at], worth[at]
                        result.depth[place], result.halted[place] = age[at], stops[at]
                if ends or age[at] >= max(results):
                    rows[at] = None
                    bar.update()
    return results


def _replace(state: State, start: State, fresh: list[int]) -> State:
    """The state with the rows `fresh` set back to the start of their new puzzles."""
    h, l = state.h.clone(), state.l.clone()
    h[fresh], l[fresh] = start.h[fresh], start.l[fresh]
    return State(start.e_x, h, l)


def summary(puzzles: Puzzles, answers: Answers, valid: NDArray[np.bool_], rows: NDArray[np.integer]) -> dict[str, Any]:
    """Accuracy, coverage and their kin over the puzzles `rows`, each puzzle weighed by its number of solutions."""
    counts = puzzles.counts[rows]
    found = np.array([_distinct(answers.tokens[row][valid[row]]) for row in rows])
    accuracy = valid[rows].mean(1)
    chosen = {
        how: np.array([
            valid[row][select(how, answers.tokens[row], answers.value[row], valid[row])] for row in rows
        ], dtype=float)
        for how in SELECTORS
    }  # fmt: skip
    by_solutions = []
    for low, high in ((1, 1), (2, 2), (3, 4), (5, 9), (10, 10**9)):
        inside = (counts >= low) & (counts <= high)
        if inside.any():
            by_solutions.append({
                "solutions": str(low) if low == high else f"{low}-{high}" if high < 10**9 else f"{low}+",
                "inputs": int(inside.sum()),
                "accuracy": float(np.average(accuracy[inside], weights=counts[inside])),
                "coverage": float(found[inside].sum() / counts[inside].sum()),
            })  # fmt: skip
    return {
        "inputs": len(rows),
        "solutions": int(counts.sum()),
        "accuracy": float(np.average(accuracy, weights=counts)),
        "coverage": float(found.sum() / counts.sum()),
        "by_solutions": by_solutions,
        "best_of_n": {how: float(np.average(right, weights=counts)) for how, right in chosen.items()},
        "distinct": float(np.mean([_distinct(answers.tokens[row]) for row in rows])),
        "mean_halt_step": float(answers.depth[rows].mean()),
        "halted": float(answers.halted[rows].mean()),
    }


def _distinct(tokens: NDArray[np.integer]) -> int:
    """Number of different boards among [board, position]."""
    return len(np.unique(tokens, axis=0)) if len(tokens) else 0
