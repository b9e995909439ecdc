"""The configuration of a published TRM, HRM or EqR, and the run of ours that it says.

Sources: the YAML and the classes of SamsungSAILMontreal/TinyRecursiveModels (`trm.py`, its `hrm.py`), sapientinc/HRM
(`hrm_act_v1.py`), locuslab/EqR (`eqr.py`, its `trm.py`) and olivkoch/nano-trm (`trm.py`, whose checkpoints of Lightning
hold the configuration themselves). The inner width of a SwiGLU is 2/3 of `expansion` times its outer width, rounded up
to a multiple of 256. All answer at their last supervision step, whatever the halting head says, and so does ours then.

Left out: mazes (there is no such task here), other rotary bases, rotary embeddings in two dimensions, boards that are
padded to a larger canvas (nano-trm's default for 4 x 4 and 6 x 6), and HRMs whose two networks differ in depth.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from gram.bounded import InputError
from gram.config import InferenceConfig, RunConfig, TrainConfig
from gram.models.blocks import NetworkConfig
from gram.models.hrm import HRMConfig
from gram.models.rotary import BASE
from gram.models.trm import TRMConfig
from gram.safe_yaml import read_yaml
from gram.strict import ConfigError
from gram.tasks.arc import ARCConfig
from gram.tasks.arc_files import SIDE
from gram.tasks.sudoku import SudokuConfig
from gram.tasks.sudoku_solver import BOXES

# And the modules in which their classes stand.
FAMILIES = {"trm": ("trm",), "hrm": ("hrm", "hrm_act_v1"), "eqr": ("eqr",), "nano-trm": ("trm",)}
POSITIONS: dict[str, Any] = {"rope": "rotary", "learned": "learned", "none": "none"}
OUTPUTS = {"stablemax_cross_entropy": "stablemax", "softmax_cross_entropy": "softmax"}
# Keys of `arch` that say how it was trained, or that the weights or the task say too.
UNUSED = (
    "name", "short_name", "loss", "halt_exploration_prob", "forward_dtype", "causal", "batch_size", "seq_len",
    "vocab_size", "num_puzzle_identifiers", "board_height", "board_width", "disable_act_halt", "act_inference",
    "halt_threshold", "halt_confirm_steps", "halt_confirm_mode",
)  # fmt: skip
EQR = ("lambda_", "noise_scale", "H_init_std", "L_init_std")  # keys that only EqR's own model has
NANO = {  # nano-trm's keys -> the official ones; its others say how it was trained
    "num_layers": "L_layers",
    "N_supervision_val": "halt_max_steps",
    "ffn_expansion": "expansion",
    "puzzle_emb_dim": "puzzle_emb_ndim",
    "puzzle_emb_len": "puzzle_emb_len",
    "use_mlp_t": "mlp_t",
    "pos_emb_type": "pos_encodings",
    **{name: name for name in ("H_cycles", "L_cycles", "hidden_size", "num_heads", "rope_theta")},
}


MOST = 10_000  # cycles, steps, layers and features: far above all that were published, and the work that they ask for


class PublishedError(InputError):
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
    output: str = "softmax"
    lambda_: float = 1.0
    noise_scale: float = 0.0
    H_init_std: float = 1.0
    L_init_std: float = 1.0

    @property
    def tokens(self) -> int:
        """Tokens before the board."""
        return self.puzzle_emb_len or math.ceil(self.puzzle_emb_ndim / self.hidden_size)

    def inner(self, outer: int) -> int:
        """Inner width of a SwiGLU that is so wide outside."""
        return math.ceil(round(self.expansion * outer * 2 / 3) / 256) * 256


def read(
    path: Path | None, family: str, held: Mapping[str, Any] | None = None, notes: list[str] | None = None
) -> tuple[Arch, str]:
    """Their `arch`, and the paths of the data that it was trained on (may be empty).

    Args:
        path: their `all_config.yaml`, or its part `arch` alone, as YAML or JSON; None: what the weights' file holds.
        held: the configuration in that file.
        notes: gets a line for what is read and for what is left.
    Raises:
        PublishedError: it cannot be read, is of another model, or says what is not read here.
    """
    said = notes if notes is not None else []
    if path is None and held is None:
        raise PublishedError("the file of weights holds no configuration; give their all_config.yaml with --config")
    try:
        raw: Any = held if path is None else read_yaml(path)  # JSON is YAML
    except ConfigError as error:
        raise PublishedError(f"{error}; give their all_config.yaml, as YAML or JSON") from error
    where = path or Path("the configuration in the file")
    data = raw.get("data_paths", raw.get("data_path", "")) if isinstance(raw, Mapping) else ""
    for part in ("arch", "model_tuning"):
        raw = raw.get(part, raw) if isinstance(raw, Mapping) else raw
    if not isinstance(raw, Mapping):
        raise PublishedError(f"{where} holds no settings of a model; give their all_config.yaml, or its part arch")
    if family == "nano-trm":
        raw = _of_nano(raw, where)
    name = raw.get("name", f"{FAMILIES[family][0]}@")
    if str(name).partition("@")[0].split(".")[-1] not in FAMILIES[family]:
        raise PublishedError(f"{where} is of {name}; of the family {family} are {', '.join(FAMILIES[family])}")
    arch = _arch(raw, family, where, said)
    _check(arch, family, where)
    return arch, str(data or raw.get("data_paths", raw.get("data_path", "")))


def _of_nano(raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The settings of nano-trm by the official names."""
    for name in ("use_conv_swiglu", "use_board_swiglu"):
        if raw.get(name):
            raise PublishedError(f"{name} in {path} is true; networks with convolutions are not read here")
    found = {official: raw[name] for name, official in NANO.items() if name in raw}
    kinds = {"1d": "rope", "null": "none", "none": "none", "None": "none"}
    found["pos_encodings"] = kinds.get(str(found.get("pos_encodings")), str(found.get("pos_encodings")))
    return found | {"H_layers": 0, "loss": {"loss_type": "stablemax_cross_entropy"}}


def _arch(raw: Mapping[str, Any], family: str, path: Path, notes: list[str]) -> Arch:
    """Every key known, every value of its type."""
    known = {field.name: field for field in fields(Arch) if field.name != "output"}
    if family != "eqr":
        known = {name: field for name, field in known.items() if name not in EQR}
    values: dict[str, Any] = {"output": _output(raw.get("loss"), path, notes)}
    left = [key for key in raw if key in UNUSED and key != "loss"]
    for key, value in raw.items():
        if key in UNUSED:
            continue
        if key not in known:
            raise PublishedError(f"unknown key {key!r} in {path}; known: {', '.join(sorted([*known, *UNUSED]))}")
        same = re.fullmatch(r"\$\{\.(\w+)\}", value) if isinstance(value, str) else None  # hydra: as another key
        value = raw.get(same[1]) if same else value
        value = "none" if key == "pos_encodings" and value is None else value
        values[key] = _typed(value, str(known[key].type), f"{key} in {path}")
    lacking = [name for name, field in known.items() if name not in values and field.default is MISSING]
    if lacking:
        raise PublishedError(f"{path} lacks {', '.join(lacking)}; give their all_config.yaml")
    if family == "hrm":  # its code knows neither
        values |= {"puzzle_emb_len": 0, "no_ACT_continue": False}
    if family in ("eqr", "nano-trm") or ("puzzle_emb_ndim" not in raw and "puzzle_emb_len" not in raw):
        values.setdefault("puzzle_emb_len", 0)
    if family == "eqr":
        values = {"lambda_": 0.95, "noise_scale": 0.01} | values
    if left:
        notes.append(f"left: {', '.join(left)} of the configuration, which shape no weight here")
    return Arch(**values)


def _output(loss: Any, path: Path, notes: list[str]) -> str:
    """What makes probabilities, as the loss says."""
    kind = loss.get("loss_type") if isinstance(loss, Mapping) else loss
    if kind is None:
        notes.append("assumed: softmax, as the configuration names no loss (stablemax_cross_entropy is TRM's default)")
        return "softmax"
    if not isinstance(kind, str) or kind not in OUTPUTS:
        raise PublishedError(f"the loss in {path} is {kind!r}; known: {', '.join(OUTPUTS)}")
    notes.append(f"read: {OUTPUTS[kind]}, of the loss {kind}")
    return OUTPUTS[kind]


def _typed(value: Any, kind: str, where: str) -> Any:
    """The value as `kind`: "int", "float", "bool" or "str"; YAML reads 1e-5 as text."""
    if kind == "float" and isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    elif type(value).__name__ == kind:
        return value
    raise PublishedError(f"{where} is {value!r}; it must be of type {kind}")


def _check(arch: Arch, family: str, path: Path) -> None:
    """Refuse what their code cannot run, and what is not read here."""
    for name in ("H_cycles", "L_cycles", "L_layers", "hidden_size", "num_heads", "halt_max_steps"):
        if not 1 <= getattr(arch, name) <= MOST:
            raise PublishedError(f"{name} in {path} is {getattr(arch, name):,}; it must be from 1 to {MOST:,}")
    for name in ("puzzle_emb_ndim", "puzzle_emb_len"):
        if getattr(arch, name) < 0:
            raise PublishedError(f"{name} in {path} is {getattr(arch, name)}; it must be 0 (none) or more")
    if not (math.isfinite(arch.expansion) and arch.expansion > 0):
        raise PublishedError(f"expansion in {path} is {arch.expansion}; it must be positive, e.g. 4")
    if arch.pos_encodings not in POSITIONS:
        raise PublishedError(f"pos_encodings in {path} is {arch.pos_encodings!r}; known: {', '.join(POSITIONS)}")
    if arch.H_init_std != 1 or arch.L_init_std != 1:
        raise PublishedError(
            f"H_init_std and L_init_std in {path} are not both 1; only random starts of 1 are drawn here"
        )
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


def task_of(tokens: int, family: str, trained_on: str, cells: int = 0) -> SudokuConfig | ARCConfig:
    """The task that a vocabulary is of.

    Args:
        tokens: its size. Officially pad, blank and the digits of a Sudoku, or 12 for ARC; nano-trm has an end token
            too.
        trained_on: the paths of its data, which tell ARC-AGI-2 from ARC-AGI-1.
        cells: positions of its boards, where that is known.
    Raises:
        PublishedError: there is no such task here.
    """
    size = tokens - (3 if family == "nano-trm" and cells != SIDE * SIDE else 2)
    if size in BOXES:
        if cells not in (0, size * size):
            raise PublishedError(
                f"its boards of {size} x {size} are padded to {cells} positions, which are not read here; train it "
                f"with max_grid_size={size}"
            )
        return SudokuConfig(size=size, dataset="extreme" if size == 9 else "generated")
    if tokens == 12:
        return ARCConfig(dataset="arc-agi-2" if re.search(r"arc[-_]?(agi[-_]?)?2", trained_on) else "arc-agi-1")
    known = ", ".join(f"{side + 2} (Sudoku, {side} x {side})" for side in BOXES)
    raise PublishedError(f"its vocabulary has {tokens} tokens; known: {known} and 12 (ARC); nano-trm's have one more")


def run(arch: Arch, family: str, tokens: int, trained_on: str, path: Path | None, cells: int = 0) -> RunConfig:
    """The run that such weights come from, as far as it can be said here.

    Args:
        tokens, trained_on, cells: as in `task_of`.
        path: of the configuration, for messages.
    Raises:
        PublishedError: there is no such task here, or parts that do not go together.
    """
    task = task_of(tokens, family, trained_on, cells)
    cells = task.canvas**2 if isinstance(task, ARCConfig) else task.size**2
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
            output=arch.output,  # type: ignore[arg-type]
            norm_eps=arch.rms_norm_eps,
        )
        size = {
            "network": network,
            "low_steps": arch.L_cycles,
            "high_steps": arch.H_cycles,
            "puzzle_tokens": arch.tokens,
            "puzzle_features": arch.puzzle_emb_ndim,
            "judge": "first",
        }
        if family == "eqr":
            size |= {"relaxation": arch.lambda_, "update_noise": arch.noise_scale, "start": "position"}
        model = (HRMConfig if family == "hrm" else TRMConfig)(**size)  # type: ignore[arg-type]
    except ValueError as error:
        raise PublishedError(f"the model that {path} says cannot be: {error}") from error
    return RunConfig(
        task=task,
        model=model,
        train=TrainConfig(supervision_steps=arch.halt_max_steps),
        inference=InferenceConfig(supervision_steps=arch.halt_max_steps, halting=False, random_start=family == "eqr"),
    )
