"""The names of a rollout, version by version: its dims, coordinates, reserved variables and attributes."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCHEMA = "gram-rollout 3"
OLDER = ("gram-rollout 2",)  # legal as they are: 3 only allows more
DIMS = ("puzzle", "trajectory", "step", "position", "feature", "token")
STEP_COORDS = ("supervision_step", "transition", "low_step")
PUZZLE_COORDS = ("puzzle_index", "rating")
REQUIRED_ATTRS = ("schema", "task", "model", "seed", "mode")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


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
    "data": "JSON: name and sha256 of the data, and how many puzzles of them",
    "commit": "source commit, '-dirty' appended",
    "seed": "random seed",
    "mode": "prior or posterior",
    "sampling_noise": "JSON: noise (factor on the guidance), perturb, random_start, temperature",
    "created_at": "UTC, ISO 8601",
    "levels": "the model's words for its step levels, JSON list, outermost first",
}
