"""A checkpoint is a folder that needs nothing else to become a model again.

    config.json            the RunConfig
    weights.safetensors    the averaged weights, z0 included; metadata: format, optimizer step, sha256 of the tensors,
                           seal, the sha256 of all other metadata
    metrics.jsonl          one line per report
    snapshots/             in a run: the averaged weights as they were after some of its optimizer steps
    training.safetensors   in a run, to resume it: weights, average, optimizer, carried batch, random state
    results.json           metrics, in an artifact; it may be without weights
    README.md              the card, in an artifact

(`gram.run_folder` lists what else a run's folder holds while it trains.)

safetensors only, never pickle: opening a checkpoint cannot run code. Every file is written under a temporary name and
then renamed, so a kill at any moment leaves the old file or the new one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor

from gram import atomic
from gram.bounded import InputError, nameable, read_json
from gram.config import ConfigError, RunConfig
from gram.models import MODELS, Model
from gram.run_folder import CONFIG as CONFIG
from gram.run_folder import METRICS as METRICS
from gram.run_folder import WEIGHTS as WEIGHTS
from gram.run_folder import find as find_folder
from gram.run_folder import folders as folders
from gram.run_folder import snapshots
from gram.suggest import did_you_mean
from gram.tasks import TASKS, Task

FORMAT = "gram-checkpoint 2"
TRAINING = "training.safetensors"
RESULTS, CARD = "results.json", "README.md"


class CheckpointError(InputError):
    """A checkpoint that is not there, damaged, or does not fit its configuration; one sentence with a cure."""


@dataclass(frozen=True)
class Checkpoint:
    """A model with everything that it needs to answer.

    Attributes:
        name: its folder's name; of a snapshot with its step, `nqueens8-gram@500`.
        path: its folder; of a snapshot that of the run.
        config: the run that made it.
        task, model: built from `config`; the model is in eval mode and on the CPU.
        digest: sha256 of the weights.
        step: optimizer steps behind it.
    """

    name: str
    path: Path
    config: RunConfig
    task: Task
    model: Model = field(repr=False)  # a page of modules
    digest: str
    step: int


def build(config: RunConfig) -> tuple[Task, Model]:
    """The task and a freshly initialized model of a run; initialization follows `config.seed`."""
    raw = config.to_dict()
    task = TASKS[raw["task"]["kind"]](config.task)  # type: ignore[call-arg]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = MODELS[raw["model"]["kind"]](config.model, task.board, task.identifiers)
    return task, model


def names() -> list[str]:
    """The names of all checkpoints that `find` would find, sorted."""
    return sorted(
        {entry.parent.name for folder in folders() if folder.is_dir() for entry in folder.glob(f"*/{WEIGHTS}")}
    )


def find(name: str | os.PathLike[str]) -> Path:
    """The folder of a checkpoint, given its name or its path.

    Raises:
        CheckpointError: there is none; the message lists the known names.
    """
    if found := find_folder(name):
        return found
    places = [Path(name), *(folder / name for folder in folders())]
    for place in places:
        if (place / RESULTS).is_file() and (place / CONFIG).is_file():
            raise CheckpointError(
                f"{place} has its metrics and not its weights; train them with "
                f"`gram train {place / CONFIG} -o runs/{place.name}`"
            )
    if (Path(name) / CONFIG).is_file():
        raise CheckpointError(f"{name} has no {WEIGHTS} yet; let `gram train` finish, or stop it once with Ctrl+C")
    known = names()
    raise CheckpointError(
        f"there is no checkpoint {str(name)!r}; known: {', '.join(known) or 'none'}{did_you_mean(str(name), known)}, "
        "or give a folder"
    )


def _snapshot(name: str) -> Path | None:
    """The file of the snapshot `RUN@500`; None if the name is not of this form."""
    folder, at, step = name.rpartition("@")
    if not at or not step.isdecimal() or Path(name).exists():
        return None
    found = [snapshots(place) for place in (Path(folder), *(place / folder for place in folders()))]
    for files in found:
        if int(step) in files:
            return files[int(step)]
    known = ", ".join(f"{folder}@{other}" for other in next(filter(None, found), {}))
    known = known or "none (a run keeps them, `train.snapshots`; published models have none)"
    raise CheckpointError(f"there is no snapshot {name!r}; known: {known}")


def load(name: Checkpoint | str | os.PathLike[str], task: Mapping[str, Any] | None = None) -> Checkpoint:
    """The checkpoint of this name or in this folder, checked; one that is open already is returned as it is.

    Args:
        name: with `@500` behind it, the snapshot of that run after 500 optimizer steps.
        task: settings of its task to change, e.g. `{"board_size": 10}`. Weights that mix along a board's relations open
            on any board of their task.
    Raises:
        CheckpointError: absent, truncated, altered, not fitting its own config.json, or not fitting that board.
        ConfigError: no such setting.
    """
    if isinstance(name, Checkpoint):
        return name
    snapshot = _snapshot(str(name))
    path = snapshot.parents[1] if snapshot else find(name)
    weights = snapshot or path / WEIGHTS
    _check_format(weights, read_metadata(weights))  # first: an older config.json has other keys
    try:
        config = RunConfig.from_dict(read_json(path / CONFIG))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path / CONFIG} cannot be read: {error}") from error
    stored = config
    if task is not None and not isinstance(task, Mapping):
        raise ConfigError(f"task is {task!r}; give settings to change, e.g. {{'board_size': 10}}")
    if task:
        config = config.override(f"task.{key}={json.dumps(value)}" for key, value in task.items())
    _refuse_larger(config, weights, path)
    tensors, metadata = read_tensors(weights)
    try:
        own, model = build(config)
    except ValueError as error:
        if config == stored:
            raise
        raise CheckpointError(f"{path.name} cannot open with task {dict(task or {})}: {error}") from error
    expected = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    found = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    for key in expected.keys() | found.keys():
        if expected.get(key) != found.get(key):
            if config != stored:
                raise CheckpointError(
                    f"{path.name} cannot open with task {dict(task or {})}: its {key} is {found.get(key)} and would be "
                    f"{expected.get(key)}; open it as it was trained, or choose a model with mixing 'relations'"
                )
            raise CheckpointError(
                f"{weights} does not fit its {CONFIG}: {key} is {found.get(key)} in the file and "
                f"{expected.get(key)} in the model; restore both files from one run"
            )
    model.load_state_dict(tensors)
    for key, tensor in model.state_dict().items():  # a network that serves twice in the model, but not in the file
        if not torch.equal(tensor, tensors[key].to(tensor.dtype)):
            raise CheckpointError(
                f"{weights} does not fit its {CONFIG}: {key} equals another weight in the model, but not in "
                "the file; restore both files from one run"
            )
    try:
        step = int(metadata["step"])
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{weights} does not say its optimizer step; restore it") from error
    return Checkpoint(
        name=path.resolve().name + (f"@{step}" if snapshot else ""),
        path=path,
        config=config,
        task=own,
        model=model.eval().requires_grad_(False),
        digest=metadata["sha256"],
        step=step,
    )


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path} is not a readable safetensors file; it may be truncated ({error}); restore it, or train anew in "
        "another folder"
    )


def _refuse_larger(config: RunConfig, weights: Path, path: Path) -> None:
    """Refuse a model of more weights than the file has bytes, before anything of that size is made."""
    sizes = dataclasses.asdict(config.model)
    sizes = sizes.get("network", sizes)
    least = sizes["blocks"] * sizes["features"] * sizes["hidden"]
    if least > weights.stat().st_size:
        raise CheckpointError(
            f"{weights} does not fit its {CONFIG}: {weights.stat().st_size:,} bytes cannot hold the {least:,} weights "
            "of its network; restore both files from one run"
        )


def save_weights(path: Path, model: Model, step: int) -> None:
    """Write the weights of a model as the `weights.safetensors` of the folder `path`."""
    write_tensors(path / WEIGHTS, dict(model.state_dict()), {"step": str(step)})


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and text as one safetensors file, whole or not at all.

    Raises:
        CheckpointError: the place cannot be written.
    """
    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    stamped = {"format": FORMAT, "sha256": digest(plain), **metadata}
    write_atomic(path, serialize(_unshared(plain), stamped | {"seal": _seal(stamped)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and metadata of a safetensors file written by `write_tensors`.

    Raises:
        CheckpointError: absent, truncated, altered, or of another format.
    """
    metadata = read_metadata(path)
    try:
        with safe_open(path, framework="pt") as opened:
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error
    _check_format(path, metadata)
    if metadata.get("sha256") != digest(tensors):
        raise CheckpointError(f"{path} was altered after it was written (its sha256 does not match); restore it")
    return tensors, metadata


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; its tensors are not read.

    Raises:
        CheckpointError: absent, truncated, or the metadata were altered.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            metadata: dict[str, str] = opened.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error
    if metadata.pop("seal", seal := _seal(metadata)) != seal:
        raise CheckpointError(f"{path} was altered after it was written (its metadata do not match); restore it")
    return metadata


def _seal(metadata: Mapping[str, str]) -> str:
    """sha256 (hex) of metadata; a resumed run takes its step and its KL weights from there."""
    plain = {key: value for key, value in metadata.items() if key != "seal"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _check_format(path: Path, metadata: Mapping[str, str]) -> None:
    """Refuse a file of another version."""
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} has format {metadata.get('format')!r}; this version reads {FORMAT!r}: train it again, or "
            "open it with the version that wrote it"
        )


def digest(tensors: Mapping[str, Tensor]) -> str:
    """sha256 (hex) of tensors with their names, dtypes and shapes."""
    sha = hashlib.sha256()
    for key in sorted(tensors):
        tensor = tensors[key]
        sha.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return sha.hexdigest()


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file under a temporary name, flush it to the disk, then rename it.

    Raises:
        CheckpointError: the place cannot be written.
    """
    try:
        nameable(path).parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path, content)
    except OSError as error:
        raise CheckpointError(f"cannot write {path}: {error.strerror}; choose a folder that can be written") from error


def _unshared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies where two names share memory (tied networks), which safetensors refuses to write."""
    seen: set[int] = set()
    result: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        result[key] = tensor.clone() if tensor.data_ptr() in seen else tensor
        seen.add(tensor.data_ptr())
    return result
