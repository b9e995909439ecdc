"""The tensors of a published file: a state dict alone, or one in a checkpoint of Lightning (nano-trm) or of EqR.

Nothing in a file is run. Only torch's own loader for weights opens it, and classes that it does not know (the carry,
the random state, paths of a trainer) become `Nothing`, which holds nothing and does nothing. What is taken and what is
left is noted in words, for whoever imports.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from gram.bounded import regular
from gram.release.published_config import PublishedError

PREFIX = re.compile(r"(_orig_mod\.|module\.|model\.|inner\.)*")  # of torch.compile, DDP, the loss head, the ACT wrapper
# What a model computes anew: angles of rotary embeddings, and the rows of a batch that a sparse embedding caches.
COMPUTED = re.compile(r"(.*\.)?(local_weights|local_ids|inv_freq|(cos|sin)_cached\w*|absolute_pos_embedding)")
# nano-trm's names -> the official ones.
RENAMED = {
    "lenet.": "L_level.",
    "input_embedding.": "embed_tokens.",
    "z_H_init": "H_init",
    "z_L_init": "L_init",
}


class Nothing:
    """Stands for an object of a class that is not known here; holds nothing, does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass


@dataclass
class Weights:
    """What a file holds.

    Attributes:
        tensors: by their official names, in float32, without the prefixes that wrappers leave.
        settings: the configuration that stands in the file itself, or None.
        notes: what was taken, what was left and why, a line each.
    """

    tensors: dict[str, Tensor]
    settings: Mapping[str, Any] | None = None
    notes: list[str] = field(default_factory=list)


def read_tensors(path: Path) -> Weights:
    """The tensors of a file.

    Raises:
        PublishedError: it cannot be read, is damaged, or holds no state dict.
    """
    raw = _loaded(path)
    notes: list[str] = []
    settings = None
    if isinstance(raw, Mapping) and isinstance(raw.get("state_dict"), Mapping):
        settings = raw.get("hyper_parameters")
        averages = [state for state in _mappings(raw.get("callbacks")) if isinstance(state.get("shadow"), Mapping)]
        raw = _averaged(raw["state_dict"], averages[:1], notes, "a checkpoint of Lightning")
    elif isinstance(raw, Mapping) and isinstance(raw.get("model"), Mapping):
        settings = raw.get("config")
        raw = _averaged(raw["model"], _mappings({"ema": raw.get("ema")}), notes, "a checkpoint of EqR's trainer")
    if not isinstance(raw, Mapping) or not all(isinstance(tensor, Tensor) for tensor in raw.values()):
        raise PublishedError(f"{path} is no state dict; it must map names to tensors and hold nothing else")
    tensors: dict[str, Tensor] = {}
    for name, tensor in raw.items():
        bare = _official(str(name))
        if COMPUTED.fullmatch(bare):
            notes.append(f"left: {bare}, which is computed and not learned")
            continue
        if bare in tensors:
            raise PublishedError(f"{path} holds {bare} under several prefixes; save one model alone")
        if tensor.nbytes > tensor.untyped_storage().nbytes():
            raise PublishedError(f"{bare} in {path} repeats one value {tuple(tensor.shape)} times; save a copy of it")
        if not tensor.isfinite().all():
            raise PublishedError(f"{bare} in {path} holds what is no finite number; take an earlier step of that run")
        tensors[bare] = tensor.float()
    return Weights(tensors, settings if isinstance(settings, Mapping) else None, notes)


def _loaded(path: Path) -> Any:
    """What the file holds, by loaders that run nothing."""
    try:
        if path.suffix == ".safetensors":
            return load_file(regular(path))
        unknown: list[str] = []
        if zipfile.is_zipfile(regular(path)):
            _refuse_packed(path)
            unknown = torch.serialization.get_unsafe_globals_in_checkpoint(path)
        with torch.serialization.safe_globals([(Nothing, name) for name in unknown]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise PublishedError(f"cannot read {path}: {error.strerror or error}; give a state dict of theirs") from error
    except Exception as error:  # torch and safetensors raise whatever damaged bytes provoke
        raise PublishedError(
            f"{path} is damaged, or holds more than tensors, which is not opened because it could run code; "
            "save it anew with torch.save(model.state_dict(), ...)"
        ) from error


def _refuse_packed(path: Path) -> None:
    """Refuse an archive that unpacks to more than its own size, as none of torch's does."""
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
            raise ValueError("it is packed")


def _mappings(parts: Any) -> list[Mapping[str, Any]]:
    """The members of a mapping that are mappings themselves."""
    return [part for part in parts.values() if isinstance(part, Mapping)] if isinstance(parts, Mapping) else []


def _averaged(
    state: Mapping[Any, Any], averages: list[Mapping[str, Any]], notes: list[str], what: str
) -> dict[str, Any]:
    """The state dict of a trainer's checkpoint, with the moving average of the weights in their place."""
    found = {_official(str(name)): tensor for name, tensor in state.items()}
    shadow = averages[0].get("shadow") if averages else None
    taken = {_official(str(name)): value for name, value in shadow.items()} if isinstance(shadow, Mapping) else {}
    taken = {name: value for name, value in taken.items() if name in found}
    notes.append(f"read: {what}; left: optimizer, counters and random state, which only training needs")
    if taken:
        notes.append(f"read: the moving average of {len(taken)} of its {len(found)} tensors, as its authors evaluate")
    return found | taken


def _official(name: str) -> str:
    """The official name of a tensor."""
    bare = PREFIX.sub("", name, count=1)
    for theirs, official in RENAMED.items():
        if bare.startswith(theirs):
            return official + bare.removeprefix(theirs)
    return bare
