"""What a recording refuses before anything runs, and of each value that comes: one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gram.board import Board
from gram.rollout import ENTRIES, RolloutError, is_text
from gram.schema import ATTRS, DIMS, NAME, PUZZLE_COORDS, STEP_COORDS, VARIABLES
from gram.suggest import did_you_mean

ROWS = ("puzzles", "trajectories", None)
MAX_TOKENS = 65_535
STEPWISE = ("puzzle", "trajectory", "step")
MAX_ARRAYS = ENTRIES - len(DIMS) - len(STEP_COORDS) - len(("x", "y", "tokens", "conflict", "valid"))
_TAKEN = (*DIMS, *STEP_COORDS, *PUZZLE_COORDS)


class RecordError(RolloutError):
    """A recording that cannot be made; the message gives the value, what is allowed, and the fix."""


def check_arguments(
    rows: Any, board: Any, prefix: Any, steps: Any, dtype: Any, max_bytes: Any, units: Any, attrs: Any
) -> None:
    """Refuse arguments of `gram.recorder.record` that have no meaning."""
    if rows not in ROWS:
        raise RecordError(f"rows is {rows!r}; known: {', '.join(map(repr, ROWS))}")
    if dtype not in ("float32", "float16"):
        raise RecordError(f"dtype is {dtype!r}; known: float32, float16")
    sides = isinstance(board, tuple | list) and len(board) == 2 and all(_whole(side, 1) for side in board)
    if not (board is None or isinstance(board, Board) or sides):
        raise RecordError(f"board is {board!r:.80}; give a Board, or (height, width), two whole numbers from 1")
    if not all(_whole(count, 0) for count in (prefix.values() if isinstance(prefix, Mapping) else [prefix])):
        raise RecordError(f"prefix is {prefix!r:.80}; give a count of positions from 0, or a count of each name")
    if not (steps is None or _whole(steps, 1)):
        raise RecordError(f"steps is {steps!r:.80}; give a whole number from 1, or leave it out")
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, int | float) or not max_bytes > 0:
        raise RecordError(f"max_bytes is {max_bytes!r:.80}; give a number of bytes, as 4 * 2**30")
    if not (isinstance(units or {}, Mapping) and all(is_text(unit) for unit in (units or {}).values())):
        raise RecordError(f"units is {units!r:.80}; give a text for each variable, as {{'loss': 'nats'}}")
    if not isinstance(attrs or {}, Mapping):
        raise RecordError(f"attrs is {attrs!r:.80}; give a mapping, as {{'name': 'mine'}}")
    for name, value in (attrs or {}).items():
        if name not in ATTRS:
            raise RecordError(f"unknown attribute {name!r}; known: {', '.join(ATTRS)}{did_you_mean(name, ATTRS)}")
        number = name == "seed" and isinstance(value, int | np.integer)
        if not (value is None or is_text(value) or number):
            raise RecordError(f"attribute {name!r} is {value!r:.80}; give a text in UTF-8, or of seed an integer")


def check_sources(model: Any, variables: Mapping[str, Any]) -> None:
    """Refuse what cannot be hooked."""
    if model is None and variables:
        raise RecordError(f"{', '.join(variables)} cannot be hooked without a model; give it, or call step(...)")
    if model is None:
        return
    if not hasattr(model, "named_modules"):
        raise RecordError(
            f"the model is {model!r:.80}, which is no torch.nn.Module; give one, or leave it out and call step(...)"
        )
    if not variables:
        raise RecordError('nothing to record was named; name a module, as record(model, h="f")')
    for name, source in variables.items():
        check_name(name)
        if hasattr(source, "named_modules"):
            where = next((place for place, module in model.named_modules() if module is source and place), "f")
            raise RecordError(f"{name!r} is a module; give its name in the model, {name}={where!r}, or a function")
        if not (isinstance(source, str) or callable(source)):
            raise RecordError(
                f"{name!r} is {source!r:.80}; give the name of a module, or a function of a module and its output"
            )


def check_name(name: str) -> None:
    """Refuse a name that no variable of a rollout may have, or that is not recorded step by step."""
    if name in _TAKEN:
        raise RecordError(f"{name!r} is a dim or a coordinate of a rollout; call the variable otherwise")
    if not NAME.fullmatch(name):
        raise RecordError(f"{name!r} cannot name a variable; use 1 to 40 letters, digits and _, a letter first")
    if name in VARIABLES and VARIABLES[name].dims[:3] != STEPWISE:
        raise RecordError(f"{name!r} is not recorded step by step; x and y are arguments of record")


def check_count(values: Mapping[str, NDArray[Any]]) -> None:
    """Refuse more variables [row, ...] than a file of a rollout holds; a vector has a dim of its own there."""
    count = sum(1 + (name not in VARIABLES and array.ndim > 1) for name, array in values.items())
    if count > MAX_ARRAYS:
        raise RecordError(
            f"{len(values)} variables take {count} arrays of a file (a vector takes two), over {MAX_ARRAYS}; record "
            "fewer, or several as one vector"
        )


def expected(name: str, rows: str | None) -> str:
    """The axes that a value of a reserved variable must have, in words."""
    axes = ", ".join(VARIABLES[name].dims[3:])
    if rows is None:
        return f"with rows=None it must be [{axes}]; for a batch, [row, {axes}], pass rows='puzzles'"
    return f"expected [row, {axes}]; for one without rows pass rows=None"


def check_value(name: str, array: NDArray[Any], rows: str | None) -> None:
    """Refuse a value [row, ...] with nothing in it, one that is not finite where a picture needs it to be, and answers
    that are not [row, position] of few tokens."""
    if 0 in array.shape:
        raise RecordError(f"{name!r} is {array.shape}, nothing; give at least one row, position and number")
    _check_finite(name, array)
    if name not in ("tokens", "logits", "probability"):
        return
    dims = VARIABLES[name].dims[3:]
    if array.ndim != 1 + len(dims):
        raise RecordError(f"{name!r} is {array.shape[rows is None :]}; {expected(name, rows)}")
    if name == "tokens" and (array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= MAX_TOKENS):
        raise RecordError(
            f"'tokens' are {array.dtype} from {array.min()} to {array.max()}; give whole numbers from 0 to "
            f"{MAX_TOKENS - 1:,}, or call the variable otherwise (z=...)"
        )
    if name != "tokens" and array.shape[-1] > MAX_TOKENS:
        raise RecordError(
            f"{name!r} knows {array.shape[-1]:,} tokens, over {MAX_TOKENS:,}; choose some with a function"
        )


def _check_finite(name: str, array: NDArray[Any]) -> None:
    """Refuse NaN where a token is read from it, and infinite states; -inf is a logit of what is ruled out."""
    if array.dtype.kind != "f":
        return
    answers = name in ("logits", "probability")
    if answers and np.isnan(array).any():
        raise RecordError(
            f"{name!r} holds NaN, from which no token can be read; the steps before are kept: find where it begins"
        )
    if np.isposinf(array).any() if answers else array.ndim > 1 and np.isinf(array).any():
        raise RecordError(
            f"{name!r} holds infinite numbers, which have no place on a map; give finite ones, with dtype='float32' "
            "where float16 (65,504 at most) is too small, or NaN for what is not known"
        )


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= least
