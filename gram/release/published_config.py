"""The configuration of a published TRM or HRM, and the run of ours that it says.

Sources: the YAML and the classes of SamsungSAILMontreal/TinyRecursiveModels (`trm.py`, its `hrm.py`) and sapientinc/HRM
(`hrm_act_v1.py`). The inner width of a SwiGLU is 2/3 of `expansion` times its outer width, rounded up to a multiple of
256. Both models answer at their last supervision step, whatever the halting head says, and so does ours then.

Left out: mazes (there is no such task here), other rotary bases, and HRMs whose two networks differ in depth.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from gram.config import InferenceConfig, RunConfig, TrainConfig
from gram.models.blocks import NetworkConfig
from gram.models.hrm import HRMConfig
from gram.models.rotary import BASE
from gram.models.trm import TRMConfig
from gram.safe_yaml import read_yaml
from gram.strict import ConfigError
from gram.tasks.arc import ARCConfig
from gram.tasks.sudoku import SudokuConfig

FAMILIES = {"trm": ("trm",), "hrm": ("hrm", "hrm_act_v1")}  # and the modules in which their classes stand
POSITIONS: dict[str, Any] = {"rope": "rotary", "learned": "learned", "none": "none"}
# Keys of `arch` that say how it was trained, or that the weights say too.
UNUSED = (
    "name", "loss", "halt_exploration_prob", "forward_dtype", "causal", "batch_size", "seq_len", "vocab_size",
    "num_puzzle_identifiers",
)  # fmt: skip


class PublishedError(ValueError):
    """Weights or a configuration that cannot be taken over; one sentence with a cure."""


@dataclass(frozen=True)
class Arch:
    """Their `arch`, by their names, with the defaults of their classes."""

    H_cycles: int
    L_cycles: int
    H_layers: int
    L_layers: int
    hidden_size: int
    num_heads: int
    expansion: float
    pos_encodings: str
    puzzle_emb_ndim: int = 0
    puzzle_emb_len: int = 16
    mlp_t: bool = False
    no_ACT_continue: bool = True  # noqa: N815 (their name)
    halt_max_steps: int = 16
    rms_norm_eps: float = 1e-5
    rope_theta: float = BASE

    @property
    def tokens(self) -> int:
        """Tokens before the board."""
        return self.puzzle_emb_len or math.ceil(self.puzzle_emb_ndim / self.hidden_size)

    def inner(self, outer: int) -> int:
        """Inner width of a SwiGLU that is so wide outside."""
        return math.ceil(round(self.expansion * outer * 2 / 3) / 256) * 256


def read(path: Path, family: str) -> tuple[Arch, str]:
    """Their `arch`, and the paths of the data that it was trained on (may be empty).

    Args:
        path: their `all_config.yaml`, or its part `arch` alone, as YAML or JSON.
    Raises:
        PublishedError: it cannot be read, is of another model, or says what is not read here.
    """
    try:
        raw = read_yaml(path)  # JSON is YAML
    except ConfigError as error:
        raise PublishedError(f"{error}; give their all_config.yaml, as YAML or JSON") from error
    raw = raw.get("arch", raw) if isinstance(raw, dict) else raw
    if not isinstance(raw, dict):
        raise PublishedError(f"{path} holds no settings of a model; give their all_config.yaml, or its part arch")
    name = raw.get("name", f"{family}@")
    if str(name).partition("@")[0].split(".")[-1] not in FAMILIES[family]:
        raise PublishedError(f"{path} is of {name}; of the family {family} are {', '.join(FAMILIES[family])}")
    arch = _arch(raw, family, path)
    _check(arch, family, path)
    return arch, str(raw.get("data_paths", raw.get("data_path", "")))


def _arch(raw: Mapping[str, Any], family: str, path: Path) -> Arch:
    """Every key known, every value of its type."""
    known = {field.name: field for field in fields(Arch)}
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key in UNUSED:
            continue
        if key not in known:
            raise PublishedError(f"unknown key {key!r} in {path}; known: {', '.join(sorted([*known, *UNUSED]))}")
        same = re.fullmatch(r"\$\{\.(\w+)\}", value) if isinstance(value, str) else None  # hydra: as another key
        values[key] = _typed(raw.get(same[1]) if same else value, str(known[key].type), f"{key} in {path}")
    lacking = [name for name, field in known.items() if name not in values and field.default is MISSING]
    if lacking:
        raise PublishedError(f"{path} lacks {', '.join(lacking)}; give their all_config.yaml")
    if family == "hrm":  # its code knows neither
        values |= {"puzzle_emb_len": 0, "no_ACT_continue": False}
    return Arch(**values)


def _typed(value: Any, kind: str, where: str) -> Any:
    """The value as `kind`: "int", "float", "bool" or "str"; YAML reads 1e-5 as text."""
    if kind == "float" and isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            pass
    elif type(value).__name__ == kind:
        return value
    raise PublishedError(f"{where} is {value!r}; it must be of type {kind}")


def _check(arch: Arch, family: str, path: Path) -> None:
    """Refuse what their code cannot run, and what is not read here."""
    for name in ("H_cycles", "L_cycles", "L_layers", "hidden_size", "num_heads", "halt_max_steps"):
        if getattr(arch, name) < 1:
            raise PublishedError(f"{name} in {path} is {getattr(arch, name)}; it must be at least 1")
    for name in ("puzzle_emb_ndim", "puzzle_emb_len"):
        if getattr(arch, name) < 0:
            raise PublishedError(f"{name} in {path} is {getattr(arch, name)}; it must be 0 (none) or more")
    if not (math.isfinite(arch.expansion) and arch.expansion > 0):
        raise PublishedError(f"expansion in {path} is {arch.expansion}; it must be positive, e.g. 4")
    if arch.pos_encodings not in POSITIONS:
        raise PublishedError(f"pos_encodings in {path} is {arch.pos_encodings!r}; known: {', '.join(POSITIONS)}")
    if arch.rope_theta != BASE:
        raise PublishedError(f"rope_theta in {path} is {arch.rope_theta:g}; only {BASE:g} is read here")
    if family == "hrm" and arch.H_layers != arch.L_layers:
        raise PublishedError(
            f"H_layers and L_layers in {path} are {arch.H_layers} and {arch.L_layers}; only equal ones are read here"
        )
    if arch.tokens and not arch.puzzle_emb_ndim:
        raise PublishedError(
            f"puzzle_emb_ndim in {path} is 0 and puzzle_emb_len {arch.puzzle_emb_len}, which their code cannot run; "
            "set puzzle_emb_len to 0"
        )


def run(arch: Arch, family: str, tokens: int, trained_on: str, path: Path) -> RunConfig:
    """The run that such weights come from, as far as it can be said here.

    Args:
        tokens: size of the vocabulary, which names the task: 11 Sudoku, 12 ARC.
        trained_on: the paths of its data, which tell ARC-AGI-2 from ARC-AGI-1.
        path: of the configuration, for messages.
    Raises:
        PublishedError: there is no such task here, or parts that do not go together.
    """
    if tokens == 11:
        task: SudokuConfig | ARCConfig = SudokuConfig(size=9, dataset="extreme")
        cells = 81
    elif tokens == 12:
        task = ARCConfig(dataset="arc-agi-2" if re.search(r"arc[-_]?(agi[-_]?)?2", trained_on) else "arc-agi-1")
        cells = task.canvas**2
    else:
        raise PublishedError(f"its vocabulary has {tokens} tokens; known: 11 (Sudoku, 9 x 9) and 12 (ARC)")
    positions = POSITIONS[arch.pos_encodings]
    try:
        network = NetworkConfig(
            features=arch.hidden_size,
            heads=arch.num_heads,
            hidden=arch.inner(arch.hidden_size),
            blocks=arch.L_layers,
            mixing="mlp" if arch.mlp_t else "attention",
            mixing_hidden=arch.inner(arch.tokens + cells),
            positions="none" if arch.mlp_t and positions == "rotary" else positions,  # an MLP has nothing to turn
            norm_eps=arch.rms_norm_eps,
        )
        model = (TRMConfig if family == "trm" else HRMConfig)(
            network=network,
            low_steps=arch.L_cycles,
            high_steps=arch.H_cycles,
            puzzle_tokens=arch.tokens,
            puzzle_features=arch.puzzle_emb_ndim,
            judge="first",
        )
    except ValueError as error:
        raise PublishedError(f"the model that {path} says cannot be: {error}") from error
    return RunConfig(
        task=task,
        model=model,
        train=TrainConfig(supervision_steps=arch.halt_max_steps),
        inference=InferenceConfig(supervision_steps=arch.halt_max_steps, halting=False),
    )
