"""RunConfig: everything that decides a run, strict, with a JSON round trip and `a.b=value` overrides.

A part that is chosen by name (task, model) is written `{"kind": "nqueens", ...}`; its fields are those of the `Config`
that stands beside the class. An unknown key, kind or type is an error that names the known ones.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gram.bounded import parse_json
from gram.models import MODELS
from gram.models.gram import GRAMConfig
from gram.strict import ConfigError as ConfigError
from gram.strict import one_of, read, require, unknown
from gram.tasks import TASKS
from gram.tasks.nqueens import NQueensConfig

MOST_ROWS = 1 << 16  # of a batch: more would not fit a machine, and say so only after minutes
MOST_STEPS = 10**9


@dataclass(frozen=True)
class OptimConfig:
    """How the weights move.

    Attributes:
        lr: learning rate on the plateau.
        weight_decay: of AdamW, on every weight that it moves.
        beta2: of AdamW, decay of its average of squared gradients.
        muon_lr: learning rate of Muon on the plateau, on the matrices of the recursive network, e.g. 0.02; 0: AdamW
            moves them too.
        muon_weight_decay: of Muon.
        puzzle_lr: of AdamW on the puzzle embedding, without weight decay; 0: as all else. Few rows have a given entry,
            so it moves seldom (HRM and TRM: a hundred times the rate of the rest).
        clip: largest gradient norm.
        warmup: optimizer steps of linear warm-up.
        decay_from: share of the run after which the cosine begins.
        lr_floor: learning rate at the end, as a share of `lr`.
        ema: decay of the weight average that is evaluated and exported.
    """

    lr: float = 1e-3
    weight_decay: float = 0.1
    beta2: float = 0.95
    muon_lr: float = 0.0
    muon_weight_decay: float = 0.01
    puzzle_lr: float = 0.0
    clip: float = 1.0
    warmup: int = 200
    decay_from: float = 0.5
    lr_floor: float = 0.05
    ema: float = 0.999

    def __post_init__(self) -> None:
        require(self, "ema", 0 <= self.ema < 1, "it must lie in [0, 1), e.g. 0.999")
        require(self, "lr", self.lr > 0, "it must be positive, e.g. 1e-3")
        require(self, "muon_lr", self.muon_lr >= 0, "it must be 0 (AdamW alone) or positive, e.g. 0.02")
        require(self, "puzzle_lr", self.puzzle_lr >= 0, "it must be 0 (as lr) or positive, e.g. 0.02")
        require(self, "beta2", 0 <= self.beta2 < 1, "it must lie in [0, 1), e.g. 0.98")
        require(self, "clip", self.clip > 0, "it must be positive, e.g. 1.0")
        require(self, "warmup", self.warmup >= 0, "it must be at least 0")


@dataclass(frozen=True)
class CurriculumConfig:
    """Which rated puzzles are drawn, and how hard they are made (`gram.training.curriculum`); by default as they are.

    Attributes:
        hinted: share of the rows rated `hint_from` or more that get extra givens, few enough that half are solved.
        hint_from: the least rating of such a row.
        step: how fast the number of extra givens of a class of ratings moves, per row that ends.
        hardest_share: largest share of the draws that the hardest class (100 and more) makes; 0: as it is.
    """

    hinted: float = 0.0
    hint_from: int = 5
    step: float = 0.04
    hardest_share: float = 0.0

    def __post_init__(self) -> None:
        for name in ("hinted", "hardest_share"):
            require(self, name, 0 <= getattr(self, name) <= 1, "it is a share from 0 to 1")


@dataclass(frozen=True)
class TrainConfig:
    """How a run trains; see docs/training.md for what was measured.

    Attributes:
        steps: optimizer steps; each advances every row of the carried batch by one supervision step.
        head_steps: further steps in which the averaged recursion stands still and its two heads learn to judge it.
        batch: rows that learn.
        posterior_share: share of them (of stochastic models) that draw their guidance from the posterior for life and
            pay for the KL; the others draw it from the prior, and learn the target all the same.
        guidance_from: share of the steps after which the guidance is switched on; before, h = u, as in TRM.
        hindsight: a row that follows the prior is scored against one of its known solutions, drawn with a probability
            as they have under its answer, of at most N known ones; 0: against the one that it was drawn with.
        any_naming: targets in every naming of interchangeable symbols that the puzzle leaves free (colors of a graph).
        replace_solved, replace_solved_end: probability with which a learning row that is solved makes room for a new
            one, at each supervision step; it falls from the first to the second with the learning rate.
        curriculum: which rated puzzles are drawn, and with how many extra givens.
        augment: change each pair that is drawn by a random symmetry of its task (`Task.augment`).
        supervision_steps: N_sup, supervision steps that a row stays; 1: no deep supervision.
        random_start: each row begins at a z0 of its own, drawn anew (GRAM, Table 3b), not at the stored one.
        gradient_steps: transitions of a supervision step, counted from its end, through which the gradient goes, and
            whose KL is paid (GRAM, Section 3.3: the last one); 0: all of them.
        prior_rows: further rows that follow the prior and teach only the halting and value heads (stochastic models).
        prior_steps: supervision steps that such a row stays; longer than N_sup, as sampling goes on longer too.
        kl_weight: beta, on the KL in nats per token.
        kl_balance: alpha, the share of it that moves the prior; 1 - alpha moves the posterior (the paper: 0.8).
        kl_target: information rate, in nats per token, of a transition with KL; the weight of the posterior's half then
            starts at beta and adapts to it (`gram.training.kl_control`), and `kl_balance` is not used. 0: fixed
            weights, as in the paper.
        kl_warmup_steps, kl_rate: optimizer steps before the weight adapts, and how fast it may (share per step).
        kl_per_step: each supervision step has a KL weight of its own, so that all carry about as much.
        kl_target_init: the target at the beginning, from where it goes to `kl_target` in 3/5 of the steps; 0: constant.
        kl_target_end: share of the target that is left when the learning rate has fallen to nothing; 1: it does not
            fall.
        kl_weight_min, kl_weight_min_init: the least KL weight, to which it rises from `kl_weight_min_init` in 3/5 of
            the steps; equal, they bound the rate from above alone. 0: always 0.01.
        no_grad_guidance: what the transitions without KL sample in rows that follow the posterior, `prior` or (the
            paper) `posterior`.
        halt_weight, value_weight: of the two heads' losses.
        keep_best: the weights that are kept are not the last ones, but the last whose accuracy by the prior is as good
            as ever.
        precision: `auto` (bf16 where this processor is quick at it), `float32` or `bfloat16`.
        compile: compile the recursive network (slow to start, then 1.1 to 1.4 times as fast on CPU).
        log_every, save_every, check_every: optimizer steps between metrics, checkpoints, and looks at held-out puzzles.
        snapshots: at most N copies of the averaged weights as they were at such looks, evenly spaced; 0: none.
            `gram.load("runs/NAME@500")` opens one.
        check_puzzles, check_trajectories: size of such a look.
    """

    steps: int = 12_000
    head_steps: int = 0
    batch: int = 64
    posterior_share: float = 1.0
    guidance_from: float = 0.0
    hindsight: int = 0
    any_naming: bool = False
    replace_solved: float = 0.0
    replace_solved_end: float = 0.0
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    augment: bool = True
    supervision_steps: int = 8
    random_start: bool = False
    gradient_steps: int = 1
    prior_rows: int = 16
    prior_steps: int = 16
    kl_weight: float = 1.0
    kl_balance: float = 0.8
    kl_target: float = 0.0
    kl_warmup_steps: int = 0
    kl_rate: float = 0.02
    kl_per_step: bool = False
    kl_target_init: float = 0.0
    kl_target_end: float = 1.0
    kl_weight_min: float = 0.0
    kl_weight_min_init: float = 0.1
    no_grad_guidance: str = "prior"
    halt_weight: float = 0.5
    value_weight: float = 0.5
    keep_best: bool = False
    precision: str = "auto"
    compile: bool = False
    log_every: int = 50
    save_every: int = 250
    check_every: int = 1_000
    snapshots: int = 16
    check_puzzles: int = 64
    check_trajectories: int = 8
    optim: OptimConfig = field(default_factory=OptimConfig)

    @property
    def all_steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.steps + self.head_steps

    def __post_init__(self) -> None:
        one_of(self, "no_grad_guidance", ("prior", "posterior"))
        one_of(self, "precision", ("auto", "float32", "bfloat16"))
        for name in (
            "steps", "batch", "supervision_steps", "prior_steps", "log_every", "save_every", "check_every",
            "check_puzzles", "check_trajectories",
        ):  # fmt: skip
            require(self, name, getattr(self, name) >= 1, "it must be at least 1")
        for name in ("batch", "prior_rows"):
            require(self, name, getattr(self, name) <= MOST_ROWS, f"it must be at most {MOST_ROWS}")
        for name in ("steps", "head_steps"):
            require(self, name, getattr(self, name) <= MOST_STEPS, f"it must be at most {MOST_STEPS}")
        require(self, "prior_rows", self.prior_rows >= 0, "it must be at least 0")
        for name in ("head_steps", "snapshots", "kl_target", "kl_warmup_steps", "kl_target_init", "kl_weight_min"):
            require(self, name, getattr(self, name) >= 0, "it must be 0 (none) or more")
        require(self, "gradient_steps", self.gradient_steps >= 0, "it must be 0 (all) or more")
        if not self.kl_target and (self.kl_per_step or self.kl_target_init or self.kl_weight_min):
            raise ConfigError(
                "kl_per_step, kl_target_init and kl_weight_min need an adaptive weight: set kl_target=0.15"
            )
        for name in ("posterior_share", "guidance_from", "replace_solved", "replace_solved_end", "kl_target_end"):
            require(self, name, 0 <= getattr(self, name) <= 1, "it is a share from 0 to 1")
        require(self, "hindsight", self.hindsight >= 0, "it must be 0 (none) or more, e.g. 32")
        if self.hindsight and self.augment:
            raise ConfigError("hindsight cannot follow a random symmetry of the puzzle; set augment=false with it")
        require(self, "kl_weight_min_init", self.kl_weight_min_init > 0, "it must be positive, e.g. 0.1")
        require(self, "kl_rate", self.kl_rate > 0, "it must be positive, e.g. 0.02")
        require(self, "kl_balance", 0 <= self.kl_balance <= 1, "it must lie in [0, 1]")


@dataclass(frozen=True)
class InferenceConfig:
    """How a checkpoint answers by default.

    Attributes:
        supervision_steps: how long a trajectory may go on.
        halting: a trajectory stops at the first supervision step at which the halting probability passes `halt_above`.
        halt_above: the halting probability at which it stops (the paper: 1/2).
        noise: factor on the deviation of the guidance; 1 is the prior as it was learned.
        perturb, random_start, temperature: further sampling noise, of any model; see `gram.inference.noise`.
    """

    supervision_steps: int = 16
    halting: bool = True
    halt_above: float = 0.5
    noise: float = 1.0
    perturb: float = 0.0
    random_start: bool = False
    temperature: float = 0.0

    def __post_init__(self) -> None:
        require(self, "supervision_steps", self.supervision_steps >= 1, "it must be at least 1")
        require(self, "halt_above", 0 < self.halt_above < 1, "it is a probability between 0 and 1, e.g. 0.5")
        for name, example in (("noise", 1), ("perturb", 0.3), ("temperature", 1)):
            fits = 0 <= getattr(self, name) < math.inf
            require(self, name, fits, f"it must be a number from 0 (none) upward, e.g. {example}")


@dataclass(frozen=True)
class RunConfig:
    """One run: which task, which model, how it trains, how it answers, and the seed of it all."""

    task: Any = field(default_factory=NQueensConfig)
    model: Any = field(default_factory=GRAMConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, "seed", 0 <= self.seed < 2**63, "it must be a whole number from 0 to 2^63 - 1")

    def to_dict(self) -> dict[str, Any]:
        """Plain data; the chosen parts carry their `kind`."""
        plain = dataclasses.asdict(self)
        kinds = {name: {"kind": _kind_of(getattr(self, name), found)} for name, found in _REGISTRIES.items()}
        return plain | {name: kind | plain[name] for name, kind in kinds.items()}

    def to_json(self) -> str:
        """The configuration as indented JSON text."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> RunConfig:
        """Read plain data.

        Raises:
            ConfigError: an unknown key, kind or type, with its dotted place.
        """
        return read(cls, raw, parts={name: partial(_read_kind, found) for name, found in _REGISTRIES.items()})

    @classmethod
    def from_json(cls, text: str) -> RunConfig:
        """Read JSON text; errors as in `from_dict`."""
        try:
            raw = parse_json(text)
        except ValueError as error:
            raise ConfigError(f"the configuration is not JSON: {error}") from error
        return cls.from_dict(raw)

    def override(self, assignments: Iterable[str]) -> RunConfig:
        """This configuration after assignments such as `train.steps=200` or `model.kind=trm`.

        Raises:
            ConfigError: not of the form a.b=value, an unknown key, or a value of another type.
        """
        values = []
        for assignment in assignments:
            path, equals, text = assignment.partition("=")
            if not equals:
                raise ConfigError(f"cannot read {assignment!r}; write key=value, e.g. train.steps=200")
            values.append((path.strip(), _literal(text.strip())))
        return self.changed(values)

    def changed(self, values: Iterable[tuple[str, Any]]) -> RunConfig:
        """This configuration with other values at dotted paths; another `kind` starts from its own defaults.

        Raises:
            ConfigError: an unknown path, or a value of another type.
        """
        raw = self.to_dict()
        for path, value in values:
            *parents, last = path.split(".")
            place = raw
            for depth, name in enumerate(parents):
                if not isinstance(place.get(name), dict):
                    raise ConfigError(unknown(".".join(parents[: depth + 1]), _siblings(place, parents[:depth])))
                place = place[name]
            if last not in place:
                raise ConfigError(unknown(path, _siblings(place, parents)))
            if last == "kind" and value != place["kind"]:
                kind = _read_kind(_REGISTRIES[parents[0]], {"kind": value}, parents[0])
                raw[parents[0]] = {"kind": value} | dataclasses.asdict(kind)
            else:
                place[last] = value
        return self.from_dict(raw)


_REGISTRIES: dict[str, Mapping[str, Any]] = {"task": TASKS, "model": MODELS}


def _read_kind(registry: Mapping[str, Any], raw: Any, where: str) -> Any:
    if not isinstance(raw, Mapping) or "kind" not in raw:
        raise ConfigError(f"{where} needs a kind; known: {', '.join(sorted(registry))}")
    kind = raw["kind"]
    if not isinstance(kind, str) or kind not in registry:
        raise ConfigError(unknown(f"{kind}", sorted(registry), what=where))
    return read(registry[kind].Config, {k: v for k, v in raw.items() if k != "kind"}, where)


def _kind_of(config: Any, registry: Mapping[str, Any]) -> str:
    for kind, entry in registry.items():
        if type(config) is entry.Config:
            return kind
    raise ConfigError(f"{type(config).__name__} belongs to no registered kind; known: {', '.join(sorted(registry))}")


def _literal(text: str) -> Any:
    """The value of an override: JSON where it is JSON (true, 3, 1e-3, [..]), else the text itself."""
    try:
        return parse_json(text)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text, text)


def _siblings(place: Mapping[str, Any], parents: list[str]) -> list[str]:
    """The dotted keys beside each other at one place."""
    return [".".join([*parents, name]) for name in place]
