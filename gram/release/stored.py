"""What `gram results` and `gram export` wrote, read again and checked before anything is measured or replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gram import checkpoint as store
from gram.checkpoint import CheckpointError, folders

Results = dict[str, Any]


def _object(required: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": [*required], "properties": required, **more}


TEXT, NUMBER, COUNT, OBJECT = ({"type": kind} for kind in ("string", "number", "integer", "object"))
SHARES = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}
METRICS = {"type": "object", "additionalProperties": _object({"value": NUMBER, "interval": SHARES})}
EFFORTS = {"enum": ["full", "quick", "cards"]}
MADE = _object({"command": TEXT, "effort": EFFORTS, "machine": TEXT, "torch": TEXT, "cpu_seconds": NUMBER})
CELL = _object({
    "trajectories": COUNT, "supervision_steps": COUNT, "inputs": COUNT, "protocol": TEXT, "command": TEXT,
    "measured": TEXT, "metrics": METRICS, "calls": _object({"trajectory": NUMBER, "all": NUMBER}),
    "agrees_with_card": {"type": ["boolean", "null"]},
})  # fmt: skip
GROUP = _object({"inputs": COUNT, "metrics": METRICS})
CELL["properties"]["by_rating"] = {"type": "object", "additionalProperties": GROUP}
TRAINING = _object({"minutes": NUMBER})
TRAINING["properties"] |= {"cpu_minutes": NUMBER, "optimizer_steps": COUNT, "machine": TEXT, "torch": TEXT}
DATA = _object({"name": TEXT})
DATA["properties"] |= {"sha256": TEXT, "held_out": COUNT, "missing": TEXT}
ROW = _object({
    "artifact": TEXT, "parameters": COUNT, "training": TRAINING,
    "paper": {"type": "object", "additionalProperties": NUMBER}, "data": DATA,
    "cells": {"type": "array", "items": CELL},
})  # fmt: skip
ROW["properties"] |= {"weights": {"type": "boolean"}, "training_seeds": {"type": "array", "items": COUNT}}
PAIR = _object({"better": OBJECT, "than": OBJECT, "difference": NUMBER, "interval": SHARES})
TABLE = _object({"made": MADE, "rows": {"type": "array", "items": ROW}, "pairs": {"type": "array", "items": PAIR}})
RESULTS = _object({"tables": {"type": "object", "additionalProperties": TABLE}})
EVALUATED = _object({
    "trajectories": COUNT, "supervision_steps": COUNT, "inputs": COUNT, "halting": {"type": "boolean"},
    "precision": TEXT, "accuracy": NUMBER, "coverage": NUMBER, "best_of_n": OBJECT,
    "intervals": _object({"accuracy": SHARES, "coverage": SHARES, "best_of_n": OBJECT}), "all_inputs": OBJECT,
})  # fmt: skip
OF_TODAY = {"if": {"required": ["intervals"]}, "then": EVALUATED, "else": OBJECT}  # older ones had none
GENERATED = _object({"samples": COUNT, "supervision_steps": COUNT, "precision": TEXT})
CARD = _object(
    {"name": TEXT, "parameters": COUNT, "training": TRAINING},
    anyOf=[{"required": ["generated"]}, {"required": ["by_seed"]}],
)
CARD["properties"] |= {
    "sha256": TEXT,
    "generated": {"type": "array", "items": GENERATED, "minItems": 1},
    "by_seed": {"type": "array", "items": OF_TODAY, "minItems": 1},
    "grid": {"type": "array", "items": OF_TODAY},
}


def results(folder: Path | None = None) -> Results:
    """The stored results: `tables`, each with how it was `made`, and `claims`, as `gram.release.results` says.

    Args:
        folder: where they are; if there are none, empty ones. Default: where artifacts are looked up.
    Raises:
        CheckpointError: none are stored, or they are damaged.
    """
    for place in [folder] if folder else folders():
        if (place / store.RESULTS).exists():
            return _checked(place / store.RESULTS, RESULTS, "remove it, or give another folder with -o")
    if folder is None:
        raise CheckpointError(f"there is no artifacts/{store.RESULTS}; `gram results` makes it")
    return {"tables": {}, "claims": {}}


def card(folder: Path) -> Results:
    """The metrics that `gram export` wrote into the folder of an artifact.

    Raises:
        CheckpointError: they are damaged.
    """
    return _checked(folder / store.RESULTS, CARD, "make it anew with `gram export`")


def _finite(constant: str) -> None:
    raise ValueError(f"{constant} is no finite number")


def _checked(path: Path, schema: dict[str, Any], fix: str) -> Results:
    from jsonschema import Draft7Validator  # late: a tenth of a second

    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_finite)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); {fix}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); {fix}") from None
    for wrong in Draft7Validator(schema).iter_errors(found):
        place = ".".join(map(str, wrong.absolute_path)) or "the file"
        raise CheckpointError(f"{path} is damaged ({place}: {wrong.message:.120}); {fix}")
    return found
