"""A run's folder as others see it: what was measured, checkpoints by optimizer step, whether it trains. No torch.

    config.json                    the RunConfig
    weights.safetensors            the averaged weights
    metrics.jsonl                  one line per report
    snapshots/000500.safetensors   the averaged weights after that many optimizer steps (`train.snapshots`)
    training.lock                  locked by the process that trains
    training.stop                  asks that process to stop
    training.log                   what a process that `start` made wrote

A published checkpoint has the first three. What resuming needs is `gram.training.state`'s.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import safe_open

from gram.bounded import InputError, content, parse_json, read_json

CONFIG, WEIGHTS, METRICS, SNAPSHOTS = "config.json", "weights.safetensors", "metrics.jsonl", "snapshots"
LOCK, STOP, LOG = "training.lock", "training.stop", "training.log"

MOST_METRICS = 1_000_000_000  # bytes

_started: dict[Path, subprocess.Popen[bytes]] = {}  # the last one that `start` made, by folder


def folders() -> list[Path]:
    """Where a checkpoint's name is looked up, in order: `$GRAM_ARTIFACTS`, ./runs, ./artifacts, the source tree's."""
    named = os.environ.get("GRAM_ARTIFACTS")
    places = [Path(named)] if named else []
    return [*places, Path("runs"), Path("artifacts"), Path(__file__).parent.parent / "artifacts"]


def find(name: str | os.PathLike[str]) -> Path | None:
    """The folder of a checkpoint, given its name or its path; None if there is none."""
    return next((place for place in (Path(name), *(f / name for f in folders())) if (place / WEIGHTS).is_file()), None)


class RunFolderError(InputError):
    """A folder that holds no run, or one that is busy; one sentence with the fix."""


def settings(path: Path) -> dict[str, Any]:
    """The configuration of a run as plain data.

    Raises:
        RunFolderError: there is none.
    """
    try:
        read: dict[str, Any] = read_json(path / CONFIG)
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{path} holds no run: its {CONFIG} cannot be read; give the folder of one") from error
    return read


def all_steps(path: Path) -> int:
    """Optimizer steps of the whole run."""
    train = settings(path)["train"]
    return int(train["steps"] + train["head_steps"])


def lines(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl, empty if there is none; one that was cut short (by a kill, or half written) is not
    read."""
    found = []
    for line in content(path / METRICS, MOST_METRICS).splitlines() if (path / METRICS).is_file() else ():
        try:
            found.append(parse_json(line))
        except ValueError:
            continue
    return found


def flat(line: Mapping[str, Any]) -> dict[str, float]:
    """A line as one level of names: the metrics of `held_out` are `held_out/accuracy`, ..."""
    held_out = {f"held_out/{name}": value for name, value in line.get("held_out", {}).items()}
    return {name: value for name, value in line.items() if name != "held_out"} | held_out


def csv_text(path: Path) -> str:
    """All lines as CSV: a column for each metric that any of them has, empty where a line has it not.

    Raises:
        RunFolderError: there are none.
    """
    rows = [flat(line) for line in lines(path)]
    if not rows:
        why = f"it has no {METRICS}" if path.is_dir() else "there is no such folder"
        if (path / METRICS).is_file() and (path / METRICS).stat().st_size:
            raise RunFolderError(f"{path / METRICS} is damaged: no line of it is whole; restore it, or train anew")
        raise RunFolderError(f"{path} has measured nothing: {why}; give the folder of a run")
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = [names, *([str(row.get(name, "")) for name in names] for row in rows)]
    return "".join(",".join(cells) + "\n" for cells in table)


def snapshots(path: Path) -> dict[int, Path]:
    """The files of the snapshots by optimizer step, in order."""
    files = {int(file.stem): file for file in (path / SNAPSHOTS).glob("*.safetensors")}
    return dict(sorted(files.items()))


def thinned(steps: list[int], every: int, most: int) -> list[int]:
    """Those of these steps (from 0) that are multiples of `every`, or of it times the power of 2 at which no more than
    `most` fit."""
    while max(steps) // every >= most:
        every *= 2
    return [step for step in steps if step % every == 0]


def checkpoints(path: Path) -> dict[int, str]:
    """What `gram.load` opens, by optimizer step, in order: the snapshots, and the weights that the run keeps."""
    found = {step: f"{path}@{step}" for step in snapshots(path)}
    if (path / WEIGHTS).is_file():
        with safe_open(path / WEIGHTS, framework="numpy") as opened:
            found[int(opened.metadata()["step"])] = str(path)
    return dict(sorted(found.items()))


# -- the process that trains it
@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the run's lock, so that nobody else trains it; the system lets it go with the process, however that ends.

    Raises:
        RunFolderError: another process holds it.
    """
    with (path / LOCK).open("w") as file:
        for attempt in range(5):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == 4:
                    raise RunFolderError(
                        f"{path} is being trained by another process; stop that one, or choose another folder"
                    ) from None
                time.sleep(0.05)  # `is_training` holds it for a moment too
        (path / STOP).unlink(missing_ok=True)
        yield


def is_training(path: Path) -> bool:
    """Whether a process trains it, or was started to."""
    process = _started.get(path.resolve())
    if process and process.poll() is None:
        return True
    if not (path / LOCK).is_file():
        return False
    with (path / LOCK).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def stop(path: Path) -> None:
    """Ask the process that trains it, wherever that was started, to save and end after its present optimizer step."""
    if is_training(path):
        (path / STOP).touch()


def is_asked_to_stop(path: Path) -> bool:
    """Whether that was asked of the process that trains it."""
    return (path / STOP).is_file()


def start(path: Path, *, minutes: float | None = None, tensorboard: bool = False) -> None:
    """Train or resume a run in a process of its own, which outlives this one.

    Raises:
        RunFolderError: a process trains it already, or there is no run.
    """
    settings(path)
    if is_training(path):
        raise RunFolderError(f"{path} is being trained already; stop it first, or choose another folder")
    command = [sys.executable, "-m", "gram.cli", "train", str(path / CONFIG), "-o", str(path), "--quiet"]
    command += ["--tensorboard"] * tensorboard + (["--minutes", str(minutes)] if minutes is not None else [])
    with (path / LOG).open("wb") as log:
        _started[path.resolve()] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip


def failure(path: Path) -> str:
    """What the process that `start` made failed with, its last line; "" if it did not."""
    process = _started.get(path.resolve())
    if process is None or not process.poll():
        return ""
    said = (path / LOG).read_text(errors="replace").split("\n")
    return next((line for line in reversed(said) if line.strip()), f"the process ended with {process.returncode}")
