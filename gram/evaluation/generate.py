"""Generating: many answers to the one blank puzzle of a task, written to the disk in parts, and what they are worth.

    settings.json                  what is drawn; a folder that holds other samples is refused
    part-00000.safetensors         tokens [sample, position] of the first samples; metadata: their count, the seconds

Sample i is trajectory i of `gram sample` and `gram evaluate`: its noise is keyed by (seed, 0, i). So parts can be drawn
one at a time, in bounded memory, and a run that was killed resumes with the first part that is not whole: no sample is
repeated, none is lost. Asking for more samples later draws only those.

Figures (GRAM, Table 9 and Table 2): how many samples obey the rules, how many differ, how many are copies of training
data, how far the others are from it; of pictures also IS and FID by our own classifier (`gram.evaluation.fidelity`).
What compares each sample with all training data is measured on the first `NEAREST`, what needs all samples at once on
the first `MEASURED`.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gram import compute
from gram.bounded import read_json
from gram.checkpoint import Checkpoint, CheckpointError, load, read_tensors, write_atomic, write_tensors
from gram.evaluation import fidelity, intervals
from gram.evaluation.metrics import Figures
from gram.inference.chain import Chain, Row, batches, computing
from gram.inference.noise import SamplingNoise
from gram.inference.request import SampleError, check, data_of, sampling_noise
from gram.progress import bar
from gram.tasks import Task
from gram.tasks.base import SPLITS, Split, Tokens
from gram.tasks.files import DataError
from gram.tasks.images import Images
from gram.tasks.own import unanswered

SETTINGS = "settings.json"
MAX_ROWS = 256  # samples that are computed at once
PART = 2_048  # samples of a file
NEAREST = 1_000  # samples that are compared with all training data
MEASURED = 10_000  # pictures of IS and FID


def generate(
    checkpoint: Checkpoint | str | os.PathLike[str],
    folder: str | os.PathLike[str],
    samples: int,
    *,
    supervision_steps: int | None = None,
    seed: int = 0,
    noise: float | None = None,
    perturb: float | None = None,
    random_start: bool | None = None,
    temperature: float | None = None,
    precision: str = "auto",
    exact: bool = False,
    part: int = PART,
    classifier: str | None = None,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Draw samples into a folder, continuing where an earlier call stopped, and return their figures as plain data.

    Args:
        checkpoint: opened, or its name or folder; of a task that asks nothing (Sudoku generation, images).
        folder: where the parts are; made if absent.
        samples: how many there shall be.
        supervision_steps: depth of each, without halting; default: the checkpoint's.
        noise, perturb, random_start, temperature: sampling noise (`gram.inference.noise`); default: the checkpoint's.
        exact: whether a sample is the same bit for bit however many are drawn with it (`gram.sample`).
        part: samples of a file.
        classifier: of pictures, the name or folder of the classifier; default: DATASET-classifier.
        progress: whether to show a bar; by default in a notebook and a terminal.
    Raises:
        SampleError, CheckpointError, FidelityError: see the messages.
    """
    opened, folder = load(checkpoint), Path(folder)
    steps = opened.config.inference.supervision_steps if supervision_steps is None else supervision_steps
    chosen = sampling_noise(opened, noise=noise, perturb=perturb, random_start=random_start, temperature=temperature)
    check(trajectories=samples, supervision_steps=steps, seed=seed, noise=chosen, precision=precision)
    if part < 1:
        raise SampleError(f"part is {part}; it must be at least 1")
    _nothing(opened.task)
    kind = compute.dtype(precision, compute.device().type)
    settings = {
        "sha256": opened.digest,
        "supervision_steps": steps,
        "seed": seed,
        **asdict(chosen),
        "precision": str(kind).removeprefix("torch."),
        "part": part,
    }
    _settle(folder, settings)
    with bar(samples, "sample", progress, f"generate {opened.name}") as counter:
        for number, start in enumerate(range(0, samples, part)):
            stop = min(start + part, samples)
            if _count(folder, number) < stop - start:
                began = time.perf_counter()
                tokens = draw(
                    opened, range(start, stop), supervision_steps=steps, seed=seed, noise=chosen, precision=precision,
                    exact=exact,
                )  # fmt: skip
                metadata = {"samples": str(len(tokens)), "seconds": repr(time.perf_counter() - began)}
                write_tensors(_path(folder, number), {"tokens": torch.from_numpy(tokens)}, metadata)
            counter.update(stop - start)
    drawn, seconds = 0, 0.0
    for number in range(-(-samples // part)):
        _, metadata = read_tensors(_path(folder, number))
        drawn, seconds = drawn + int(metadata["samples"]), seconds + float(metadata["seconds"])
    about = {
        "checkpoint": opened.name,
        "model": opened.model.name,
        "parameters": sum(weight.numel() for weight in opened.model.parameters()),
        "task": opened.task.board.title,
        "folder": str(folder),
        "samples": samples,
        **{name: value for name, value in settings.items() if name != "part"},
    }
    with suppress(DataError):  # without the data nothing is compared with them
        about["data"] = data_of(opened.task, None, "test", opened.task.puzzles("test"))
    speed = {"seconds": round(seconds, 2), "samples_per_second": drawn / seconds}
    return Figures(about | figures(opened.task, lambda: parts(folder, samples), classifier) | speed, table)


def draw(
    opened: Checkpoint,
    numbers: range,
    *,
    supervision_steps: int,
    seed: int,
    noise: SamplingNoise,
    precision: str,
    exact: bool = False,
) -> Tokens:
    """The samples of these numbers [sample, position]; each is what it is among any others."""
    blank = unanswered(_nothing(opened.task))
    found = []
    with computing(opened.model, precision):
        for rows in batches(blank, [Row(0, (seed, 0, number)) for number in numbers], MAX_ROWS, exact):
            chain = Chain(opened.model, rows, noise)
            for _ in chain.run(supervision_steps):
                pass
            tokens, _ = chain.read_out()
            found.append(tokens[: rows.count].to(torch.uint8).cpu().numpy())
    return np.concatenate(found)


def _nothing(task: Task) -> Tokens:
    """The puzzle [position] that all samples answer."""
    if task.blank_puzzle is None:
        raise SampleError(
            f"there is no blank puzzle of {task.board.title} to generate from; use `gram sample` or `gram evaluate`"
        )
    return task.blank_puzzle


def parts(folder: Path, samples: int) -> Iterator[Tokens]:
    """The first `samples` samples of a folder [sample, position], one part after the other.

    Raises:
        CheckpointError: a part is absent, damaged, or was altered.
    """
    number, left = 0, samples
    while left > 0:
        tokens = read_tensors(_path(folder, number))[0]["tokens"][:left].numpy()
        yield tokens
        number, left = number + 1, left - len(tokens)


def figures(task: Task, samples: Callable[[], Iterator[Tokens]], classifier: str | None = None) -> dict[str, Any]:
    """What samples are worth; shares have a 95 % interval.

    Args:
        samples: gives them anew, part by part [sample, position].
    Returns:
        `valid`: share that obeys the rules. `distinct`: share that is the first of its kind, and `kinds` how many
        these are, `valid_kinds` how many of them are valid. `copies`, `held_out`: shares that equal a training or a
        held-out answer. `nearest_training`: mean number of positions (of pictures: pixels) in which a sample differs
        from the nearest training answer, of the first `NEAREST`. `fidelity`: of pictures, see
        `gram.evaluation.fidelity.measure`.
        Where the data are not here only the first four are measured, and `unmeasured` says what to do for the rest.
    """
    x = _nothing(task)
    known: dict[Split, Tokens] = {}
    unmeasured = None
    try:
        known |= {split: task.puzzles(split).solutions[0] for split in SPLITS}
    except DataError as error:
        if error.missing is None:
            raise
        unmeasured = str(error)
    keys = {split: set(_keys(tokens)) for split, tokens in known.items()}
    seen: set[bytes] = set()
    count = valid = valid_kinds = 0
    equal: dict[Split, int] = dict.fromkeys(SPLITS, 0)
    first: list[Tokens] = []
    for tokens in samples():
        good = task.check(x, tokens).valid
        count, valid = count + len(tokens), valid + int(good.sum())
        for key, fine in zip(_keys(tokens), good, strict=True):
            if key not in seen:
                seen.add(key)
                valid_kinds += bool(fine)
            for split, among in keys.items():
                equal[split] += key in among
        if sum(map(len, first)) < MEASURED:
            first.append(tokens)
    result: dict[str, Any] = {
        "valid": _share(valid, count),
        "distinct": _share(len(seen), count),
        "kinds": len(seen),
        "valid_kinds": valid_kinds,
    }
    if unmeasured:
        return result | {"unmeasured": unmeasured}
    few = np.concatenate(first)[:MEASURED]
    apart = _apart(task, few[:NEAREST], known["train"])
    farthest = task.pixels(few[0]).size if isinstance(task, Images) else few.shape[1]
    around = intervals.mean(apart, np.ones(len(apart)), (0, farthest))
    result |= {
        "copies": _share(equal["train"], count),
        "held_out": _share(equal["test"], count),
        "nearest_training": {"value": float(apart.mean()), "interval": around},
    }
    if isinstance(task, Images) and len(few) > 1:
        judge = fidelity.load(classifier or f"{task.config.dataset}-classifier")
        result["fidelity"] = fidelity.measure(task, judge, few)
    return result


def table(found: dict[str, Any]) -> str:
    """The figures for a reader at a terminal."""

    def share(name: str) -> str:
        low, high = found[name]["interval"]
        return f"{100 * found[name]['value']:.2f} % ({100 * low:.2f} to {100 * high:.2f})"

    lines = [
        f"{found['checkpoint']} ({found['model']}, {found['parameters']:,} parameters), {found['task']}, "
        f"{found['samples']:,} samples of {found['supervision_steps']} steps, seed {found['seed']}",
        f"  valid {share('valid')}",
        f"  distinct {share('distinct')}: {found['kinds']:,} kinds, {found['valid_kinds']:,} of them valid",
    ]
    if "unmeasured" in found:
        lines.append(f"  how near they are to the data was not measured: {found['unmeasured']}")
    else:
        nearest = found["nearest_training"]
        low, high = nearest["interval"]
        lines += [
            f"  copies of training data {share('copies')}, of held-out data {share('held_out')}",
            f"  nearest training answer {nearest['value']:.2f} away ({low:.2f} to {high:.2f})",
        ]
    for name in (fidelity.IS, fidelity.FID):
        if "fidelity" in found:
            one = found["fidelity"][name]
            floor = found["fidelity"]["held_out"][name]
            lines.append(f"  {name} {one['value']:.2f} +- {one['plus_minus']:.2f} (held-out pictures: {floor:.2f})")
    return "\n".join([*lines, f"{found['samples_per_second']:.1f} samples per second; {found['folder']}"])


def _settle(folder: Path, settings: dict[str, Any]) -> None:
    """Say what the folder holds, or refuse it if it holds something else."""
    path = folder / SETTINGS
    if not path.is_file():
        write_atomic(path, json.dumps(settings, indent=2) + "\n")
        return
    try:
        held = read_json(path)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}; delete {folder} or choose another") from error
    for name, value in settings.items():
        if held.get(name) != value:
            raise SampleError(
                f"{folder} holds samples with {name} {held.get(name)!r}, not {value!r}; choose another folder with -o"
            )


def _path(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05}.safetensors"


def _count(folder: Path, number: int) -> int:
    """How many samples a part holds; 0 if there is none. A damaged part is an error: it may be somebody's figures."""
    path = _path(folder, number)
    return int(read_tensors(path)[1]["samples"]) if path.is_file() else 0


def _keys(tokens: Tokens) -> list[bytes]:
    """A short text of bytes per answer [answer, position]; different ones differ but for one case in 2^64 or so."""
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in tokens]


def _share(part: int, whole: int) -> dict[str, Any]:
    return {"value": part / whole, "interval": intervals.wilson(part, whole)}


def _apart(task: Task, tokens: Tokens, known: Tokens) -> NDArray[np.int64]:
    """In how many positions, or pixels, each answer [answer, position] differs from the nearest known one: [answer]."""
    if isinstance(task, Images):
        return fidelity.nearest(task.pixels(tokens), task.pixels(known))
    kinds = range(len(task.board.tokens))
    a, b = (np.concatenate([part == kind for kind in kinds], 1) for part in (tokens, known))
    right = b.astype(np.float32).T  # small whole numbers: exact, and a fast product
    most = [(rows.astype(np.float32) @ right).max(1) for rows in np.array_split(a, max(1, -(-len(a) // 64)))]
    return tokens.shape[1] - np.concatenate(most).astype(np.int64)
