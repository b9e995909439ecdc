"""Measuring a checkpoint on held-out puzzles by the protocol of docs/training.md; `gram.evaluation.metrics` says what.

Depth and width (trajectories per puzzle) are inference-time compute. A deeper run contains the shallower ones, a wider
one the narrower ones, so a whole grid of both is computed once, at the price of its largest cell. What a cell costs is
its `network_calls`: blocks applied per puzzle, i.e. blocks per transition x transitions taken, summed over the
trajectories that are computed. So N trajectories of D steps stand beside one of N x D.

Rows are computed in a carried batch: a row that has halted, or reached the depth, makes room for the next, and when
none is waiting the batch shrinks, so halting saves what it promises. A row's result does not depend on its neighbors.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gram import compute
from gram.checkpoint import Checkpoint, load
from gram.evaluation import attempts
from gram.evaluation.calibration import reliability
from gram.evaluation.metrics import Answers, Figures, grid_table, measure_puzzles, summary, table
from gram.inference.chain import CarriedChain, Row, computing
from gram.inference.noise import AS_TRAINED, SamplingNoise
from gram.inference.request import SampleError, Selection, check, data_of, sampling_noise, select
from gram.models import Model
from gram.progress import UntilInterrupt, bar
from gram.tasks import Puzzles, Task
from gram.tasks.arc import ARC

MAX_ROWS = 64  # of the carried batch; with more, states leave the CPU's caches, and half of the time allocates memory


def evaluate(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzles: Selection | None = None,
    *,
    trajectories: int = 20,
    supervision_steps: int | None = None,
    split: str = "test",
    seed: int = 0,
    limit: int | None = None,
    halting: bool | None = None,
    noise: float | None = None,
    perturb: float | None = None,
    random_start: bool | None = None,
    temperature: float | None = None,
    precision: str = "auto",
    exact: bool = False,
    per_puzzle: bool = False,
    progress: bool | None = None,
) -> dict[str, Any]:
    """All metrics of a checkpoint as plain data, shown as `gram evaluate` prints them (with --json: all of them).

    Args:
        trajectories: N samples per puzzle. A deterministic model to which no noise is added is run once and counted N
            times: all would be equal.
        supervision_steps: depth; default: the checkpoint's.
        others: as in `grid`.
    Raises:
        CheckpointError, TaskError, SampleError: see the messages.
    """
    opened = load(checkpoint)
    depth = opened.config.inference.supervision_steps if supervision_steps is None else supervision_steps
    found = grid(
        opened, puzzles, depths=[depth], trajectories=[trajectories], split=split, seed=seed, limit=limit,
        halting=halting, noise=noise, perturb=perturb, random_start=random_start, temperature=temperature,
        precision=precision, exact=exact, per_puzzle=per_puzzle, progress=progress,
    )  # fmt: skip
    (cell,) = found.pop("cells")
    return Figures(found | cell, table)


def grid(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzles: Selection | None = None,
    *,
    depths: Sequence[int],
    trajectories: Sequence[int],
    split: str = "test",
    seed: int = 0,
    limit: int | None = None,
    halting: bool | None = None,
    noise: float | None = None,
    perturb: float | None = None,
    random_start: bool | None = None,
    temperature: float | None = None,
    precision: str = "auto",
    exact: bool = False,
    per_puzzle: bool = False,
    progress: bool | None = None,
) -> dict[str, Any]:
    """The metrics of a checkpoint at each of several depths and widths, from one pass.

    A cell holds what `evaluate` says at its depth and number of trajectories; with `exact` bit for bit. Beside the
    metrics of `gram.evaluation.metrics` these are `network_calls` (see above; the mean over its inputs) and
    `reliability` of the heads `value` and `halt`, over the answers to all inputs (`gram.evaluation.calibration`);
    models that sample tokens have no heads.

    Args:
        checkpoint: opened, or its name or folder.
        puzzles: index or indices in the split, `Puzzles`, or the text of one puzzle; default: all of the split.
        depths: supervision steps of each row of the grid.
        trajectories: samples per puzzle of each column; a narrower column has the first of a wider one.
        limit: only this many of the puzzles, evenly chosen.
        halting: stop where the halting head says so, at the depth at the latest; default: as the checkpoint does.
        noise, perturb, random_start, temperature: sampling noise (`gram.inference.noise`); default: the checkpoint's.
        exact: whether an answer is the same bit for bit however many are computed with it (`gram.sample`).
        per_puzzle: add what each puzzle contributes, for `gram.evaluation.metrics.difference`.
        progress: whether to show a bar; by default in a notebook and a terminal. An interrupt (Ctrl+C) leaves the
            figures of the puzzles that are done, and `interrupted` says how many; with False it raises.
    Returns:
        `checkpoint`, `sha256`, `model`, `seconds`, and `cells`, a list, depth by depth.
    Raises:
        CheckpointError, TaskError, SampleError: see the messages.
    """
    opened = load(checkpoint)
    inference = opened.config.inference
    started = time.perf_counter()
    cells = score_grid(
        opened.model,
        opened.task,
        puzzles,
        depths=depths,
        trajectories=trajectories,
        split=split,
        seed=seed,
        limit=limit,
        halting=inference.halting if halting is None else halting,
        halt_above=inference.halt_above,
        noise=sampling_noise(opened, noise=noise, perturb=perturb, random_start=random_start, temperature=temperature),
        precision=precision,
        exact=exact,
        per_puzzle=per_puzzle,
        progress=progress,
        votes=True,
    )
    about = {"checkpoint": opened.name, "sha256": opened.digest, "model": opened.model.name}
    seconds = round(time.perf_counter() - started, 2)
    return Figures(about | {"cells": list(cells.values()), "seconds": seconds}, grid_table)


def score_grid(
    model: Model,
    task: Task,
    puzzles: Selection | None = None,
    *,
    depths: Sequence[int],
    trajectories: Sequence[int],
    halting: bool,
    seed: int,
    halt_above: float = 0.5,
    split: str = "test",
    limit: int | None = None,
    noise: SamplingNoise = AS_TRAINED,
    precision: str = "auto",
    exact: bool = False,
    per_puzzle: bool = False,
    progress: bool | None = False,
    votes: bool = False,
) -> dict[tuple[int, int], dict[str, Any]]:
    """The metrics of a model on a task at each (depth, width), from one pass; see `grid`.

    `votes`: for ARC's held-out tasks the two attempts too, and the baselines, at the price of all their versions.
    """
    depths, widths = sorted(set(depths)), sorted(set(trajectories))
    if not depths or not widths:
        raise SampleError("the grid is empty; give at least one depth and one number of trajectories")
    for depth, width in ((depths[0], widths[0]), (depths[-1], widths[-1])):
        check(width, most=10**6, supervision_steps=depth, seed=seed, noise=noise, precision=precision)
    started = time.perf_counter()
    chosen, ids = select(model, task, puzzles, split, limit=limit, answered=True)
    if not chosen.counts.all():
        at = int(chosen.counts.argmin()) + 1
        raise SampleError(
            f"puzzle {at} has no solution, so no answer to it can be right; leave it out"
            if chosen.complete
            else f"no solution of puzzle {at} is known, so it cannot be scored; choose others"
        )
    run = partial(
        answer, model, trajectories=widths[-1] if noise.is_stochastic(model) else 1, depths=depths, halting=halting,
        seed=seed, halt_above=halt_above, noise=noise, precision=precision, exact=exact, progress=progress,
    )  # fmt: skip
    answers = run(chosen, ids)
    done = len(answers[depths[0]].tokens)
    interrupted = {"interrupted": f"{done} of {len(chosen)} puzzles"} if done < len(chosen) else {}
    if interrupted:
        warnings.warn(f"interrupted: these are the figures of {interrupted['interrupted']}", stacklevel=4)
        chosen, ids = chosen.take(range(done)), ids[:done]
    everything = np.arange(len(chosen))
    several = np.flatnonzero(chosen.counts >= 2)
    about: dict[str, Any] = {"task": task.board.title, "split": split, "data": data_of(task, puzzles, split, chosen)}
    voted: dict[tuple[int, int], attempts.Right] = {}
    if votes and isinstance(task, ARC) and puzzles is None and split == "test" and not interrupted:
        voted = attempts.voted(task, np.array(ids), widths, run)
        about |= {"without_learning": attempts.without_learning(task, np.array(ids))}
    about["protocol"] = "inputs with at least two solutions" if len(several) else "all inputs"
    rows, cells = several if len(several) else everything, {}
    heads = () if model.samples_tokens else ("value", "halt")
    calls = model.high_steps * model.blocks_per_transition  # of a supervision step
    for depth, all_found in answers.items():
        all_valid = task.judge(chosen, all_found.tokens).valid
        broken = task.conflicts(chosen.x[:, None], all_found.tokens) if task.board.ruled else None
        all_found = replace(all_found, tokens=task.canonical(chosen.x[:, None], all_found.tokens))
        for width in widths:
            found, valid = all_found.first(width), all_valid[:, :width]
            conflicts = None if broken is None else broken[:, :width]
            each = measure_puzzles(chosen, found, valid, conflicts, voted.get((depth, width)))
            cells[depth, width] = {
                **about,
                **interrupted,
                "trajectories": width,
                "supervision_steps": depth,
                "halting": halting,
                **asdict(noise),
                "seed": seed,
                "precision": str(compute.dtype(precision, compute.device().type)).removeprefix("torch."),
                "network_calls": float(calls * found.depth.sum(1)[rows].mean()),
                **summary(each, rows),
                "all_inputs": summary(each, everything),
                "reliability": {name: reliability(getattr(found, name), valid) for name in heads},
                **({"per_puzzle": each.plain(rows, ids)} if per_puzzle else {}),
            }
    seconds = round(time.perf_counter() - started, 2)
    return {at: cell | {"seconds": seconds} for at, cell in cells.items()}


def answer(
    model: Model,
    puzzles: Puzzles,
    ids: Sequence[int] | NDArray[np.integer],
    *,
    trajectories: int,
    depths: Sequence[int],
    halting: bool,
    seed: int,
    halt_above: float = 0.5,
    noise: SamplingNoise = AS_TRAINED,
    precision: str = "auto",
    exact: bool = False,
    progress: bool | None = False,
) -> dict[int, Answers]:
    """The answers of N trajectories of each puzzle at each of several depths, in one pass.

    A deeper run contains the shallower ones: what a trajectory shows at depth 8 is the same whether it stops there or
    continues to 32. With halting, a trajectory stops once the halting head's probability that its answer is right
    exceeds `halt_above`, and one that never does gives the answer with the highest one. `ids` key the noise, so a
    subset of the puzzles draws what the whole draws. After an interrupt, only the first puzzles that are done.
    """
    rows = [Row(p, (seed, int(ids[p]), n)) for p in range(len(puzzles)) for n in range(trajectories)]
    now = _blank(len(rows), puzzles.x.shape[1])  # what each row would answer if it ended now
    results = {depth: _blank(len(rows), puzzles.x.shape[1]) for depth in sorted(depths)}
    last = np.zeros_like(now.tokens)  # [row, position], the answer of the last supervision step
    stood = np.zeros(len(rows), dtype=np.int32)  # supervision steps since it changed
    threshold = math.log(halt_above / (1 - halt_above))  # as a logit
    best = np.full(len(rows), -np.inf, dtype=np.float32)  # halting logit of that answer
    stop = UntilInterrupt(progress)
    done = np.zeros((len(puzzles), trajectories), dtype=bool)
    with computing(model, precision), bar(len(rows), "trajectory", progress, "evaluate") as counter, stop:
        chain = CarriedChain(model, puzzles, rows, noise, MAX_ROWS, exact)
        while len(at := chain.busy):
            before = chain.state.h
            chain.supervise()
            row = chain.number[at]
            tokens, readout = chain.read_out()
            shown = {
                "tokens": tokens,
                "value": readout.value.sigmoid(),
                "halt": readout.halt.sigmoid(),
                "residual": (chain.state.h - before).float().square().mean((1, 2)),
            }
            found = {name: part.cpu().numpy()[at] for name, part in shown.items()}
            logit = readout.halt.cpu().numpy()[at]
            stays = (found["tokens"] == last[row]).all(1) & (now.depth[row] > 0)
            stood[row], last[row] = np.where(stays, stood[row] + 1, 0), found["tokens"]
            better = logit > best[row] if halting else np.ones(len(at), dtype=bool)
            best[row[better]] = logit[better]
            for name, part in (found | {"stability": stood[row]}).items():
                getattr(now, name)[row[better]] = part[better]
            now.depth[row] += 1
            now.halted[row] = logit > threshold
            ends = now.halted[row] & halting
            for depth, result in results.items():
                written = row[(now.depth[row] == depth) | (ends & (now.depth[row] < depth))]
                for field in fields(Answers):
                    getattr(result, field.name)[written] = getattr(now, field.name)[written]
            ends |= now.depth[row] >= max(results)
            done.flat[row[ends]] = True
            chain.end(at[ends])
            counter.update(int(ends.sum()))
    count = int(done.all(1).cumprod().sum())
    if count < len(puzzles) and not count:
        raise KeyboardInterrupt
    return {
        depth: Answers(*(part.reshape(*done.shape, *part.shape[1:])[:count] for part in vars(result).values()))
        for depth, result in results.items()
    }


def _blank(rows: int, positions: int) -> Answers:
    """Answers [row] to be filled in."""
    return Answers(
        tokens=np.zeros((rows, positions), dtype=np.uint8),
        value=np.zeros(rows, dtype=np.float32),
        halt=np.zeros(rows, dtype=np.float32),
        residual=np.zeros(rows, dtype=np.float32),
        stability=np.zeros(rows, dtype=np.int32),
        depth=np.zeros(rows, dtype=np.int32),
        halted=np.zeros(rows, dtype=bool),
    )
