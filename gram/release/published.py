"""Published weights open here: a state dict of the official TRM and HRM repositories becomes a checkpoint.

Sources: SamsungSAILMontreal/TinyRecursiveModels and sapientinc/HRM, the names of their parameters. What they write
otherwise than we do, without computing anything else:

    embeddings     have deviation 1 / sqrt(D) there and are multiplied by sqrt(D); here the factor is in the weights
    q_head         holds two values read from the first token. HRM halts where the first is greater, TRM where it is
                   above 0 (`no_ACT_continue`), or like HRM. It stands for our value head too, as PTRM selects by it
    puzzle_emb     is there for Sudoku too: one scratch pad before every board
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from gram import checkpoint as store
from gram.bounded import read_json, regular
from gram.models import Model
from gram.release.published_config import FAMILIES, Arch, PublishedError
from gram.release.published_config import read as read_config
from gram.release.published_config import run as run_of
from gram.tasks import Task
from gram.tasks.arc import ARC

PREFIX = re.compile(r"(_orig_mod\.|module\.|model\.|inner\.)*")  # of torch.compile, DDP, the loss head, the ACT wrapper
SOME = 3  # names that a message lists


def import_checkpoint(
    file: str | os.PathLike[str],
    family: str,
    config: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    identifiers: str | os.PathLike[str] | None = None,
    overrides: Iterable[str] = (),
) -> Path:
    """Write published weights as a checkpoint in the folder `out`, and return that.

    Args:
        file: a state dict as they save it (`step_12345`), or the same as `.safetensors`. Nothing in it is run.
        family: whose code made it, `trm` or `hrm`.
        config: their `all_config.yaml`, or its part `arch` alone, as YAML or JSON.
        identifiers: of ARC, the `identifiers.json` beside their data: which vector belongs to which ARC task.
        overrides: changes of the resulting run, such as `task.dataset=generated`.
    Raises:
        PublishedError: a file that cannot be read, or does not fit the configuration.
        ConfigError: an override that cannot be.
        CheckpointError: the folder cannot be written.
    """
    file, config, out = Path(file), Path(config), Path(out)
    identifiers = None if identifiers is None else Path(identifiers)
    if family not in FAMILIES:
        raise PublishedError(f"family is {family!r}; known: {', '.join(FAMILIES)}")
    if any((out / name).exists() for name in (store.WEIGHTS, store.CONFIG)):
        raise PublishedError(f"{out} holds a checkpoint already; choose another folder, or delete it")
    arch, trained_on = read_config(config, family)
    theirs = read_tensors(file)
    names = _names(arch, family)
    _compare(theirs, names, family, file)
    tokens = theirs["embed_tokens.embedding_weight"].shape[:1].numel()
    said = run_of(arch, family, tokens, trained_on, config)
    run = said.override(overrides)
    if run.model != said.model:
        raise PublishedError(
            "an override changes the model, which the weights have made; change task or inference only"
        )
    task, model = store.build(run)
    weights = {ours: theirs[name] for ours, name in names.items()}
    if "puzzle_embedding.embed" in weights:
        vectors = weights["puzzle_embedding.embed"]
        rows = _rows(task, vectors.shape[:1].numel(), identifiers, file)
        weights["puzzle_embedding.embed"] = vectors[rows] if vectors.ndim and len(vectors) > max(rows) else vectors
    _rewrite(weights, arch, family, file)
    _fill(model, weights, names, file)
    step = re.search(r"step_(\d+)", file.name)
    store.write_atomic(out / store.CONFIG, run.to_json())
    store.write_atomic(out / "README.md", _card(file, family, config, out))
    store.save_weights(out, model, int(step[1]) if step else 0)
    return out


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, in float32, without the prefixes that wrappers leave."""
    try:
        if path.suffix == ".safetensors":
            raw: Any = load_file(regular(path))
        else:
            _refuse_packed(path)
            raw = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise PublishedError(f"cannot read {path}: {error.strerror or error}; give a state dict of theirs") from error
    except Exception as error:  # torch and safetensors raise whatever damaged bytes provoke
        raise PublishedError(
            f"{path} is damaged, or holds more than tensors, which is not opened because it could run code; "
            "save it anew with torch.save(model.state_dict(), ...)"
        ) from error
    if not isinstance(raw, dict) or not all(isinstance(tensor, Tensor) for tensor in raw.values()):
        raise PublishedError(f"{path} is no state dict; it must map names to tensors and hold nothing else")
    tensors: dict[str, Tensor] = {}
    for name, tensor in raw.items():
        bare = PREFIX.sub("", str(name), count=1)
        if bare in tensors:
            raise PublishedError(f"{path} holds {bare} under several prefixes; save one model alone")
        if tensor.nbytes > tensor.untyped_storage().nbytes():
            raise PublishedError(f"{bare} in {path} repeats one value {tuple(tensor.shape)} times; save a copy of it")
        if not tensor.isfinite().all():
            raise PublishedError(f"{bare} in {path} holds what is no finite number; take an earlier step of that run")
        tensors[bare] = tensor.float()
    return tensors


def _refuse_packed(path: Path) -> None:
    """Refuse an archive that unpacks to more than its own size, as none of torch's does."""
    if zipfile.is_zipfile(regular(path)):
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
                raise ValueError("it is packed")


def _names(arch: Arch, family: str) -> dict[str, str]:
    """Our name of each parameter -> theirs."""
    names = {
        "embed_x.weight": "embed_tokens.embedding_weight",
        "decoder.weight": "lm_head.weight",
        "heads.judge.weight": "q_head.weight",
        "heads.judge.bias": "q_head.bias",
        "h0": "H_init",
        "l0": "L_init",
    }
    if arch.puzzle_emb_ndim:
        names["puzzle_embedding.embed"] = "puzzle_emb.weights"
    if arch.pos_encodings == "learned":
        names["place.embed.weight"] = "embed_pos.embedding_weight"
    parts = {"feed_forward.gate_up": "mlp.gate_up_proj", "feed_forward.down": "mlp.down_proj"}
    if arch.mlp_t:
        parts |= {"mixing.gate_up": "mlp_t.gate_up_proj", "mixing.down": "mlp_t.down_proj"}
    else:
        parts |= {"attention.qkv": "self_attn.qkv_proj", "attention.out": "self_attn.o_proj"}
    for ours, level in (
        {"f": "L_level"}.items() if family == "trm" else {"f_low": "L_level", "f_high": "H_level"}.items()
    ):
        for block in range(arch.L_layers):
            for part, name in parts.items():
                names[f"{ours}.blocks.{block}.{part}.weight"] = f"{level}.layers.{block}.{name}.weight"
    return names


def _compare(theirs: dict[str, Tensor], names: dict[str, str], family: str, path: Path) -> None:
    """Refuse a file that lacks a parameter of the configuration, or has another one."""
    for what, found in (
        ("lacks", sorted(set(names.values()) - theirs.keys())),
        ("also holds", sorted(theirs.keys() - set(names.values()))),
    ):
        if found:
            more = f" and {len(found) - SOME} more" if len(found) > SOME else ""
            raise PublishedError(
                f"{path} {what} {', '.join(found[:SOME])}{more}, which does not fit a {family} of this configuration; "
                "give the configuration and the family that it was trained with"
            )


def _rewrite(weights: dict[str, Tensor], arch: Arch, family: str, path: Path) -> None:
    """Their embeddings and their Q head, as we write them."""
    for name in ("embed_x.weight", "place.embed.weight", "puzzle_embedding.embed"):
        if name in weights:
            weights[name] = weights[name] * math.sqrt(arch.hidden_size)
    for name in ("heads.judge.weight", "heads.judge.bias"):
        if weights[name].shape[:1] != (2,):
            raise PublishedError(f"q_head in {path} is {tuple(weights[name].shape)}; theirs has two outputs")
        q_halt, q_continue = weights[name]
        if family == "hrm":
            rows = [q_halt, q_halt, q_continue]  # q_halt, value, q_continue: see gram.models.heads
        else:
            rows = [q_halt if arch.no_ACT_continue else q_halt - q_continue, q_halt]
        weights[name] = torch.stack(rows)


def _rows(task: Task, known: int, identifiers: Path | None, path: Path) -> list[int]:
    """Which of their vectors belong to our tasks, in our order."""
    if not isinstance(task, ARC):
        return list(range(max(1, task.identifiers)))
    if identifiers is None:
        raise PublishedError(
            f"{path} holds {known} vectors of ARC tasks, and identifiers.json beside their data says which is whose; "
            "give it with --identifiers"
        )
    if task.config.augmentations:
        raise PublishedError(
            f"task.augmentations is {task.config.augmentations}; their versions of a task are others than ours, so "
            "only the tasks as they are can be taken over: leave it at 0"
        )
    try:
        names = read_json(identifiers)
    except (OSError, ValueError) as error:
        raise PublishedError(f"{identifiers} cannot be read as JSON: {error}") from error
    if not isinstance(names, list) or len(names) != known:
        raise PublishedError(f"{identifiers} is no list of {known} names, one for each vector in {path}")
    at = {str(name): row for row, name in enumerate(names)}
    missing = [name for name in task.task_names if name not in at]
    if missing:
        raise PublishedError(
            f"{identifiers} lacks {', '.join(missing[:SOME])} and so {len(missing)} of the {len(task.task_names)} "
            f"tasks of {task.config.dataset}; choose their data set with task.dataset"
        )
    return [at[name] for name in task.task_names]


def _fill(model: Model, weights: dict[str, Tensor], names: dict[str, str], path: Path) -> None:
    """Load the weights, every shape compared first."""
    for ours, expected in model.state_dict().items():
        if weights[ours].shape != expected.shape:
            raise PublishedError(
                f"{names[ours]} in {path} gives {ours} {tuple(weights[ours].shape)}, but this configuration and task "
                f"ask for {tuple(expected.shape)}; give the configuration that it was trained with"
            )
    model.load_state_dict(weights)


def _card(file: Path, family: str, config: Path, out: Path) -> str:
    """What is known of an imported checkpoint."""
    with file.open("rb") as opened:
        sha = hashlib.file_digest(opened, "sha256").hexdigest()
    return (
        f"# {out.name}\n\nA published {family.upper()}, taken over with `gram import-checkpoint` from `{file.name}` "
        f"(sha256 {sha}) and `{config.name}`. It was not trained here: `config.json` says the model, the depth and the "
        f"task, and nothing of how it was trained. No figures were measured; `gram evaluate` measures them.\n"
    )
