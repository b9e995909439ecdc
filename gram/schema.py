"""The names of a rollout: its dims, coordinates, variables and attributes, and the rules of further variables.

`gram.rollout` makes, checks, saves and loads what stands here; `docs/rollout.md` says it without Python.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import xarray as xr

from gram.suggest import did_you_mean

SCHEMA = "gram-rollout 3"
OLDER = ("gram-rollout 2",)  # legal as they are: 3 only allows more
DIMS = ("puzzle", "trajectory", "step", "position", "feature", "token")
STEP_COORDS = ("supervision_step", "transition", "low_step")
PUZZLE_COORDS = ("puzzle_index", "rating")


class RolloutError(ValueError):
    """A rollout that breaks the schema, lacks a variable, or cannot be read; one sentence with a cure."""


@dataclass(frozen=True)
class Variable:
    """One reserved name of the schema: its dims, kinds of dtype (numpy letters), unit, and meaning."""

    dims: tuple[str, ...]
    kinds: str
    unit: str
    meaning: str
    record: str = ""  # how to obtain it when it is absent


_state = ("puzzle", "trajectory", "step", "position", "feature")
_series = ("puzzle", "trajectory", "step")
VARIABLES: dict[str, Variable] = {
    "x": Variable(("puzzle", "position"), "iu", "token", "the puzzle"),
    "y": Variable(("puzzle", "position"), "iu", "token", "one given solution"),
    "solutions_known": Variable(("puzzle",), "iu", "count", "how many solutions exist"),
    "tokens": Variable((*_series, "position"), "iu", "token", "the answer that the state decodes to"),
    "valid": Variable(_series, "b", "", "the answer obeys every rule and keeps the givens"),
    "conflict": Variable((*_series, "position"), "b", "", "this position breaks a rule"),
    "probability": Variable((*_series, "position", "token"), "f", "1", "of each token", "probability=True"),
    "logits": Variable((*_series, "position", "token"), "f", "nats", "of each token", "logits=True"),
    "h": Variable(_state, "f", "", "high-level state, after the guidance", "h=True"),
    "l": Variable(_state, "f", "", "low-level state", "l=True"),
    "u": Variable(_state, "f", "", "proposal: the high-level state before the guidance", "u=True"),
    "mu_prior": Variable(_state, "f", "", "mean of the guidance", "guidance=True"),
    "sigma_prior": Variable(_state, "f", "", "standard deviation of the guidance", "guidance=True"),
    "mu_posterior": Variable(_state, "f", "", "its mean, given the target", "guidance=True, mode='posterior'"),
    "sigma_posterior": Variable(_state, "f", "", "its deviation, given the target", "guidance=True, mode='posterior'"),
    "kl": Variable(_series, "f", "nats", "KL(posterior || prior), summed", "mode='posterior'"),
    "halt": Variable(_series, "f", "1", "the model's probability that its answer is right", "halt=True"),
    "value": Variable(_series, "f", "1", "predicted correctness of the final answer (LPRM)", "value=True"),
    "halted_at": Variable(("puzzle", "trajectory"), "i", "step", "step at which it would halt, or -1"),
}
ATTRS = {
    "schema": "schema version",
    "task": "registered task",
    "board": "geometry, JSON",
    "model": "registered model",
    "name": "what a reader calls this run",
    "config": "run configuration, JSON",
    "checkpoint": "sha256 of the weights",
    "commit": "source commit, '-dirty' appended",
    "seed": "random seed",
    "mode": "prior or posterior",
    "sampling_noise": "JSON: noise (factor on the guidance), perturb, random_start, temperature",
    "created_at": "UTC, ISO 8601",
    "levels": "the model's words for its step levels, JSON list, outermost first",
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def check_extra(name: str, found: xr.Variable) -> None:
    """The rules of a variable that the schema does not name.

    Raises:
        RolloutError: it breaks one.
    """
    if not _NAME.fullmatch(name) or name in DIMS:
        raise RolloutError(f"{name[:50]!r} cannot name a variable; use 1 to 40 letters, digits and _, a letter first")
    order = [
        DIMS.index("feature" if _is_feature(dim) else dim) for dim in found.dims if _is_feature(dim) or dim in DIMS
    ]
    if len(order) < found.ndim or order != sorted(set(order)) or not order:
        raise RolloutError(
            f"{name!r} has dims {found.dims}; allowed: some of {', '.join(DIMS)}, in this order, with feature_NAME in "
            f"the place of feature{did_you_mean(name, VARIABLES)}"
        )
    if found.dtype.kind not in "biuf":
        raise RolloutError(f"{name!r} has dtype {found.dtype}; expected a kind of 'biuf' (numpy letters)")


def _is_feature(dim: Any) -> bool:
    return str(dim) == "feature" or str(dim).startswith("feature_")


def extras(data: xr.Dataset) -> dict[str, str]:
    """What each variable that the schema does not name is drawn as: a number a step as a `curve`, a number a position
    and step as a `layer` of the board, a vector a step as a `map`; all else is `kept`, and not drawn."""
    found = {}
    for name in [str(key) for key in data.data_vars if key not in VARIABLES]:
        rest = [str(dim) for dim in data[name].dims if dim not in ("puzzle", "trajectory", "step")]
        vector = any(map(_is_feature, rest)) and "token" not in rest
        kind = "map" if vector else {(): "curve", ("position",): "layer"}.get(tuple(rest), "kept")
        found[name] = kind if "step" in data[name].dims else "kept"
    return found
