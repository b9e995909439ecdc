"""Measuring a checkpoint on held-out puzzles by the protocol of docs/training.md; `gram.evaluation.metrics` says what is measured.

Depth and width (trajectories per puzzle) are inference-time compute. A deeper run contains the shallower ones, a wider
one the narrower ones, so a whole grid of both is computed once, at the price of its largest cell.

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
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

from gram import compute
from gram.checkpoint import Checkpoint, load
from gram.evaluation.metrics import Answers, per_puzzle, summary
from gram.inference.noise import Chance, Key, stream
from gram.inference.sample import SampleError, check, choose
from gram.models import Model, State
from gram.tasks import Puzzles, Task

AS_TRAINED = Chance()
ROWS = 256  # rows of the carried batch
FEWEST = 32  # to which it shrinks by halves; below 16 rows, matrix products round otherwise


def evaluate(
    checkpoint: Checkpoint | str | os.PathLike[str],
    *,
    trajectories: int = 20,
    supervision_steps: int | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """All figures of a checkpoint as plain data; `gram evaluate --json` prints them.

    Args:
        trajectories: N samples per puzzle. A deterministic model to which no chance is added is run once and counted N
            times: all would be equal.
        supervision_steps: depth; default: the checkpoint's.
        **settings: those of `grid`.
    Raises:
        CheckpointError, TaskError, SampleError: see the messages.
    """
    opened = checkpoint if isinstance(checkpoint, Checkpoint) else load(checkpoint)
    depth = opened.config.inference.supervision_steps if supervision_steps is None else supervision_steps
    found = grid(opened, depths=[depth], trajectories=[trajectories], **settings)
    (cell,) = found.pop("cells")
    return found | cell


def grid(
    checkpoint: Checkpoint | str | os.PathLike[str],
    *,
    depths: Sequence[int],
    trajectories: Sequence[int],
    split: str = "test",
    seed: int = 0,
    puzzles: int | None = None,
    halting: bool | None = None,
    noise: float | None = None,
    perturb: float | None = None,
    random_start: bool | None = None,
    temperature: float | None = None,
    precision: str = "auto",
    progress: bool = False,
) -> dict[str, Any]:
    """The figures of a checkpoint at each of several depths and widths, from one pass.

    A cell holds what `evaluate` says at its depth and number of trajectories, bit for bit.

    Args:
        depths: supervision steps of each row of the grid.
        trajectories: samples per puzzle of each column; a narrower column has the first of a wider one.
        puzzles: only so many of the split, evenly chosen; default all.
        halting: stop at the halting head's word, at the depth at the latest; default: as the checkpoint does.
        noise, perturb, random_start, temperature: how chance enters (`gram.inference.noise`); default: the checkpoint's.
    Returns:
        `checkpoint`, `sha256`, `model`, `seconds`, and `cells`, a list, depth by depth.
    Raises:
        CheckpointError, TaskError, SampleError: see the messages.
    """
    opened = checkpoint if isinstance(checkpoint, Checkpoint) else load(checkpoint)
    inference = opened.config.inference
    started = time.perf_counter()
    cells = score_grid(
        opened.model,
        opened.task,
        depths=depths,
        trajectories=trajectories,
        split=split,
        seed=seed,
        puzzles=puzzles,
        halting=inference.halting if halting is None else halting,
        halt_above=inference.halt_above,
        chance=choose(opened, noise=noise, perturb=perturb, random_start=random_start, temperature=temperature),
        precision=precision,
        progress=progress,
    )
    about = {"checkpoint": opened.name, "sha256": opened.digest, "model": opened.model.name}
    return about | {"cells": list(cells.values()), "seconds": round(time.perf_counter() - started, 2)}


def score(model: Model, task: Task, *, supervision_steps: int, trajectories: int, **settings: Any) -> dict[str, Any]:
    """The figures of a model on a task at one depth and width; the settings are those of `score_grid`."""
    (cell,) = score_grid(model, task, depths=[supervision_steps], trajectories=[trajectories], **settings).values()
    return cell


def score_grid(
    model: Model,
    task: Task,
    *,
    depths: Sequence[int],
    trajectories: Sequence[int],
    halting: bool,
    seed: int,
    halt_above: float = 0.5,
    split: str = "test",
    puzzles: int | None = None,
    chance: Chance = AS_TRAINED,
    precision: str = "auto",
    progress: bool = False,
) -> dict[tuple[int, int], dict[str, Any]]:
    """The figures of a model on a task at each (depth, width), from one pass; see `grid`."""
    depths, widths = sorted(set(depths)), sorted(set(trajectories))
    if not depths or not widths:
        raise SampleError("the grid is empty; give at least one depth and one number of trajectories")
    for depth, width in ((depths[0], widths[0]), (depths[-1], widths[-1])):
        check(trajectories=width, supervision_steps=depth, seed=seed, chance=chance, precision=precision)
    if puzzles is not None and puzzles < 1:
        raise SampleError(f"puzzles is {puzzles}; it must be at least 1")
    started = time.perf_counter()
    available = task.puzzles(split)  # type: ignore[arg-type]
    ids = np.arange(len(available))
    if puzzles is not None and puzzles < len(ids):
        ids = np.linspace(0, len(ids) - 1, puzzles).round().astype(int)
    chosen = available.take(ids)
    answers = answer(
        model, chosen, ids, trajectories=widths[-1] if chance.divides(model) else 1, depths=depths, halting=halting,
        seed=seed, halt_above=halt_above, chance=chance, precision=precision, progress=progress,
    )  # fmt: skip
    everything = np.arange(len(chosen))
    several = np.flatnonzero(chosen.counts >= 2)
    about = {"task": task.board.title, "split": split}
    about["protocol"] = "inputs with at least two solutions" if len(several) else "all inputs"
    cells = {}
    for depth, found in answers.items():
        valid = task.judge(chosen, found.tokens).valid
        found = replace(found, tokens=task.canonical(chosen.x[:, None], found.tokens))
        for width in widths:
            each = per_puzzle(chosen, found.first(width), valid[:, :width])
            cells[depth, width] = {
                **about,
                "trajectories": width,
                "supervision_steps": depth,
                "halting": halting,
                **asdict(chance),
                "seed": seed,
                "precision": str(compute.dtype(precision, compute.device().type)).removeprefix("torch."),
                **summary(each, several if len(several) else everything),
                "all_inputs": summary(each, everything),
            }
    seconds = round(time.perf_counter() - started, 2)
    return {at: cell | {"seconds": seconds} for at, cell in cells.items()}


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
    chance: Chance = AS_TRAINED,
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
            np.zeros(shape, dtype=np.float32),
            np.zeros(shape, dtype=np.int32),
            np.zeros(shape, dtype=bool),
        )
        for depth in sorted(depths)
    }
    waiting = deque((p, n) for p in range(shape[0]) for n in range(shape[1]))
    rows: list[tuple[int, int] | None] = [None] * ROWS
    keys: list[Key] = [(seed,)] * ROWS
    streams = chance.streams(keys)
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
                keys[at] = (seed, int(ids[row[0]]), row[1])
                streams.generators[at] = stream(keys[at])
                fresh.append(at)
            if len(empty) == len(rows) and not fresh:
                break
            if fresh:
                start = chance.start(model, model.init(x, identifier), keys)
                state = start if state is None else state.put(fresh, start)
            assert state is not None  # the first round always brings fresh rows
            busy = [at for at, row in enumerate(rows) if row is not None]
            size = max(FEWEST, 1 << (len(busy) - 1).bit_length())
            if not waiting and size < len(rows):  # the last ones do not need the whole batch
                stay = (busy + [at for at, row in enumerate(rows) if row is None])[:size]
                rows, keys = [rows[at] for at in stay], [keys[at] for at in stay]
                streams.generators = [streams.generators[at] for at in stay]
                state, x, identifier = state.take(stay), x[stay], identifier[stay]
                age, belief, given, worth = age[stay], belief[stay], given[stay], worth[stay]
            state = chance.disturb(model, state, streams)
            for _ in range(model.high_steps):
                state, _ = model.step(state, streams)
            readout = model.decode(state)
            age += 1
            halt = readout.halt.cpu().numpy()
            stops = halt > threshold
            better = halt > belief if halting else np.ones(len(rows), dtype=bool)
            belief = np.where(better, halt, belief)
            sure = torch.from_numpy(belief).sigmoid().numpy()
            given[better] = chance.answer(readout, keys).to(torch.uint8).cpu().numpy()[better]
            worth[better] = readout.value.sigmoid().cpu().numpy()[better]
            for at, place in enumerate(rows):
                if place is None:
                    continue
                ends = halting and bool(stops[at])
                for depth, result in results.items():
                    if age[at] == depth or (ends and age[at] < depth):
                        result.tokens[place], result.value[place] = given[at], worth[at]
                        result.halt[place] = sure[at]
                        result.depth[place], result.halted[place] = age[at], stops[at]
                if ends or age[at] >= max(results):
                    rows[at] = None
                    bar.update()
    return results
