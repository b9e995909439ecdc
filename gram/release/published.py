"""Published weights open here: a state dict of TRM, HRM, EqR or nano-trm becomes a checkpoint.

Sources: SamsungSAILMontreal/TinyRecursiveModels, sapientinc/HRM, locuslab/EqR and olivkoch/nano-trm, the names of their
parameters. What they write otherwise than we do, without computing anything else:

    embeddings     have deviation 1 / sqrt(D) there and are multiplied by sqrt(D); here the factor is in the weights
    q_head         holds two values read from the first token. HRM halts where the first is greater, TRM and EqR where
                   it is above 0 (`no_ACT_continue`), or like HRM; nano-trm has the first alone. It stands for our
                   value head too, as PTRM selects by it
    puzzle_emb     is there for Sudoku too: one scratch pad before every board
    stablemax      makes probabilities where their loss says so: `NetworkConfig.output`
    H_init, L_init are not in a file of EqR, which draws a start for every trajectory
    the end token  of nano-trm's vocabulary is on no board of ours; its row is left out
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

from gram import checkpoint as store
from gram.bounded import read_json
from gram.models import Model
from gram.release.published_config import FAMILIES, Arch, PublishedError
from gram.release.published_config import read as read_config
from gram.release.published_config import run as run_of
from gram.release.published_files import read_tensors
from gram.tasks import Task
from gram.tasks.arc import ARC

SOME = 3  # names that a message lists


class PublishedWarning(UserWarning):
    """Published weights that open with an assumption; one sentence."""


def import_checkpoint(
    file: str | os.PathLike[str],
    family: str,
    config: str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    *,
    identifiers: str | os.PathLike[str] | None = None,
    overrides: Iterable[str] = (),
    say: Callable[[str], object] = lambda line: None,
) -> Path:
    """Write published weights as a checkpoint in the folder `out`, and return that.

    Args:
        file: a state dict as they save it (`step_12345`), the same as `.safetensors`, or a checkpoint of Lightning or
            of EqR's trainer. Nothing in it is run.
        family: whose code made it: `trm`, `hrm`, `eqr` or `nano-trm`.
        config: their `all_config.yaml`, or its part `arch` alone, as YAML or JSON; None: it is in the file.
        identifiers: of ARC, the `identifiers.json` beside their data: which vector belongs to which ARC task.
        overrides: changes of the resulting run, such as `task.dataset=generated`.
        say: called with each line on what was read, and what was left and why; the card holds them too.
    Raises:
        PublishedError: a file that cannot be read, or does not fit the configuration.
        ConfigError: an override that cannot be.
        CheckpointError: the folder cannot be written.
    """
    file, out = Path(file), Path(out)
    config = None if config is None else Path(config)
    identifiers = None if identifiers is None else Path(identifiers)
    if family not in FAMILIES:
        raise PublishedError(f"family is {family!r}; known: {', '.join(FAMILIES)}")
    if any((out / name).exists() for name in (store.WEIGHTS, store.CONFIG)):
        raise PublishedError(f"{out} holds a checkpoint already; choose another folder, or delete it")
    held = read_tensors(file)
    theirs, notes = held.tensors, held.notes
    arch, trained_on = read_config(config, family, held.settings, notes)
    names = _names(arch, family)
    _compare(theirs, names, family, file)
    tokens = theirs["embed_tokens.embedding_weight"].shape[:1].numel()
    cells = int((held.settings or {}).get("seq_len") or 0) if family == "nano-trm" else 0
    said = run_of(arch, family, tokens, trained_on, config, cells)
    run = said.override(overrides)
    if run.model != said.model:
        raise PublishedError(
            "an override changes the model, which the weights have made; change task or inference only"
        )
    task, model = store.build(run)
    weights = {ours: theirs[name] for ours, name in names.items()}
    if "puzzle_embedding.embed" in weights:
        weights["puzzle_embedding.embed"] = _vectors(weights["puzzle_embedding.embed"], task, identifiers, file, notes)
    _rewrite(weights, arch, family, file)
    _drop_end(weights, len(task.board.tokens), notes)
    _fill(model, weights, names, file, notes)
    step = re.search(r"step[_=](\d+)", file.name)
    store.write_atomic(out / store.CONFIG, run.to_json())
    store.write_atomic(out / "README.md", _card(file, family, config, out, notes))
    store.save_weights(out, model, int(step[1]) if step else 0)
    for line in notes:
        say(line)
    return out


def _names(arch: Arch, family: str) -> dict[str, str]:
    """Our name of each parameter -> theirs."""
    names = {
        "embed_x.weight": "embed_tokens.embedding_weight",
        "decoder.weight": "lm_head.weight",
        "heads.judge.weight": "q_head.weight",
        "heads.judge.bias": "q_head.bias",
    }
    if family != "eqr":
        names |= {"h0": "H_init", "l0": "L_init"}
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
        {"f_low": "L_level", "f_high": "H_level"}.items() if family == "hrm" else {"f": "L_level"}.items()
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
    outputs = 1 if family == "nano-trm" else 2
    for name in ("heads.judge.weight", "heads.judge.bias"):
        if weights[name].shape[:1] != (outputs,):
            due = "two outputs" if outputs == 2 else "one output"
            raise PublishedError(f"q_head in {path} is {tuple(weights[name].shape)}; theirs has {due}")
        q_halt, q_continue = weights[name][0], weights[name][-1]
        if family == "hrm":
            rows = [q_halt, q_halt, q_continue]  # q_halt, value, q_continue: see gram.models.heads
        else:
            rows = [q_halt if arch.no_ACT_continue else q_halt - q_continue, q_halt]
        weights[name] = torch.stack(rows)


def _drop_end(weights: dict[str, Tensor], tokens: int, notes: list[str]) -> None:
    """Leave out the row of an end token that our board does not have."""
    if len(weights["embed_x.weight"]) == tokens + 1:
        for name in ("embed_x.weight", "decoder.weight"):
            weights[name] = torch.cat([weights[name][:1], weights[name][2:]])
        notes.append("left: the row of the end token, which no cell here can be; probabilities are those without it")


def _vectors(vectors: Tensor, task: Task, identifiers: Path | None, path: Path, notes: list[str]) -> Tensor:
    """Their vector of each of our tasks, in our order; of tasks that they do not name, the mean of theirs."""
    known = vectors.shape[:1].numel()
    if not isinstance(task, ARC):
        return vectors[: max(1, task.identifiers)] if vectors.ndim else vectors
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
        said = (
            f"{identifiers.name} lacks {', '.join(missing[:SOME])} and so {len(missing)} of the {len(task.task_names)} "
            f"tasks of {task.config.dataset}: they have the mean of all {known} vectors, which knows no rule"
        )
        warnings.warn(said, PublishedWarning, stacklevel=3)
        notes.append(f"assumed: {said}")
    return torch.stack([vectors[at[name]] if name in at else vectors.mean(0) for name in task.task_names])


def _fill(model: Model, weights: dict[str, Tensor], names: dict[str, str], path: Path, notes: list[str]) -> None:
    """Load the weights, every shape compared first; a start that EqR does not store stays as it was drawn."""
    for ours, expected in model.state_dict().items():
        if ours in ("h0", "l0") and ours not in names:
            weights[ours] = expected
            continue
        if weights[ours].shape != expected.shape:
            raise PublishedError(
                f"{names[ours]} in {path} gives {ours} {tuple(weights[ours].shape)}, but this configuration and task "
                f"ask for {tuple(expected.shape)}; give the configuration that it was trained with"
            )
    model.load_state_dict(weights)
    notes.append(f"read: {len(names)} tensors, {sum(part.numel() for part in model.parameters()):,} parameters")
    if "h0" not in names:
        notes.append("assumed: random starts, as the file stores none; each trajectory draws its own")


def _card(file: Path, family: str, config: Path | None, out: Path, notes: list[str]) -> str:
    """What is known of an imported checkpoint."""
    with file.open("rb") as opened:
        sha = hashlib.file_digest(opened, "sha256").hexdigest()
    source = f"`{config.name}`" if config else "the configuration in it"
    return (
        f"# {out.name}\n\nA published {family.upper()}, taken over with `gram import-checkpoint` from `{file.name}` "
        f"(sha256 {sha}) and {source}. It was not trained here: `config.json` says the model, the depth and the "
        f"task, and nothing of how it was trained. No figures were measured; `gram evaluate` measures them.\n\n"
        "## What was read, and what was left\n\n" + "".join(f"- {line}\n" for line in notes)
    )
