"""Recording a recursion that is not ours: whatever a loop passes through, as a legal rollout.

    with gv.record(model, h="f", logits="head", rows="trajectories", board=(9, 9)) as rec:
        model(x)
    gv.explore(rec.rollout)

    with gv.record(rows=None) as rec:                      # a loop outside a module, of any library
        rec.initial(h=theta, loss=loss(theta))
        for _ in range(100):
            theta = theta - rate * gradient(theta)
            rec.step(h=theta, loss=loss(theta))

numpy only, until a `torch.nn.Module` is hooked. What is recorded is copied to the host at once, from any device.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board, Token
from gram.rollout import ATTRS, VARIABLES, RolloutError, make
from gram.suggest import did_you_mean

MAX_BYTES = 4 * 2**30
ROWS = ("puzzles", "trajectories", None)
_STEPWISE = ("puzzle", "trajectory", "step")
# What `step` may take under the schema's own names; all else is a further variable.
_STATES = {name: known for name, known in VARIABLES.items() if known.dims[:3] == _STEPWISE}
_NEVER = set(VARIABLES) - set(_STATES)

Source = str | Callable[[Any, Any], Any]


class RecordError(RolloutError):
    """A recording that cannot be made; the message gives the value, what is allowed, and the fix."""


def record(
    model: Any = None,
    *,
    rows: str | None = "puzzles",
    at: str | None = None,
    x: Any = None,
    y: Any = None,
    board: Board | tuple[int, int] | None = None,
    prefix: int | Mapping[str, int] = 0,
    steps: int | None = None,
    dtype: str = "float32",
    max_bytes: int = MAX_BYTES,
    units: Mapping[str, str] | None = None,
    attrs: Mapping[str, Any] | None = None,
    **variables: Source,
) -> Recording:
    """A context manager that records what the modules of a model give while it runs.

    A step ends when each variable has come at least once; the last value of each counts. So with `h="f", logits="head"`
    and f called three times before each head, a step is three calls of f. Give `logits` as a function to have one step
    a call of f: `logits=lambda f, h: model.head(h)`. Of a model that is itself called several times (TRM's supervision
    steps) each call is a supervision step, and the steps within are its transitions.

    Args:
        model: a `torch.nn.Module`, or None for a loop that calls `Recording.step` itself. A compiled one runs eagerly
            meanwhile, because its graph would pass the hooks by; of a DistributedDataParallel the module is recorded.
        rows: what the rows of a batch are, `puzzles` or `trajectories` of one puzzle; None: values have no batch axis.
        at: the module at whose calls functions are evaluated; default: that of the first named variable, else `model`.
        x, y: the puzzle and its solution, tokens [row, position] or [position].
        board: a `gram.board.Board`, or (height, width) of one whose tokens are numbers; default: one row.
        prefix: positions before those of the board, which are dropped; or {name: count}, each kept as a vector of its
            own of every state, `h_NAME`.
        steps: how many steps are expected: the size of the whole is then checked at the first one.
        dtype: in which numbers are kept, float32 or float16.
        max_bytes: refuse larger recordings.
        units: of further variables, {"loss": "nats"}.
        attrs: of the rollout, as in `gram.rollout.ATTRS`; `checkpoint` lets series of one model share a plane.
        **variables: name -> the name of a module, whose output it is (of a tuple the first), or a function of the
            module `at` and its output. Names of `gram.rollout.VARIABLES` keep their meaning: `h` is [row, position,
            feature] or [row, feature], `logits` [row, position, token], and give `tokens`. Any other is kept as its
            shape says: [row] a number, [row, position] a number a position, else a vector.
    Raises:
        RecordError: no such module, a size over `max_bytes`, shapes that do not fit, nothing recorded.
    """
    return Recording(
        model, variables, rows=rows, at=at, x=x, y=y, board=board, prefix=prefix, steps=steps, dtype=dtype,
        max_bytes=max_bytes, units=units, attrs=attrs,
    )  # fmt: skip


class Recording:
    """What `record` keeps; arguments are those of `record`.

    Attributes:
        calls: module name -> how often it was called.
        step_bytes: of one step; 0 before the first.
    """

    def __init__(
        self,
        model: Any,
        variables: Mapping[str, Source],
        *,
        rows: str | None,
        at: str | None,
        x: Any,
        y: Any,
        board: Board | tuple[int, int] | None,
        prefix: int | Mapping[str, int],
        steps: int | None,
        dtype: str,
        max_bytes: int,
        units: Mapping[str, str] | None,
        attrs: Mapping[str, Any] | None,
    ) -> None:
        if rows not in ROWS:
            raise RecordError(f"rows is {rows!r}; known: {', '.join(map(repr, ROWS))}")
        if dtype not in ("float32", "float16"):
            raise RecordError(f"dtype is {dtype!r}; known: float32, float16")
        for name in attrs or {}:
            if name not in ATTRS:
                raise RecordError(f"unknown attribute {name!r}; known: {', '.join(ATTRS)}{did_you_mean(name, ATTRS)}")
        if (model is None) == bool(variables):
            fix = 'name one, as h="f"' if variables == {} else "give the model, or call step(...) in the loop"
            raise RecordError(f"{'no variable' if not variables else 'no model'} to record; {fix}")
        self._refuse_names(variables)
        self.model, self.variables, self.rows, self.at = model, dict(variables), rows, at
        self.x, self.y, self.board = (None if one is None else _integers(one) for one in (x, y)), None, board
        self.x, self.y = self.x
        self.prefix, self.steps, self.dtype, self.max_bytes = prefix, steps, dtype, max_bytes
        self.units, self.attrs = dict(units or {}), dict(attrs or {})
        self.calls: dict[str, int] = {}
        self.step_bytes = 0
        self._stack = ExitStack()
        self._runs = 0  # calls of the model itself
        self._kept: list[dict[str, NDArray[Any]]] = []
        self._run_of: list[int] = []
        self._pending: dict[str, NDArray[Any]] = {}
        self._first: dict[str, NDArray[Any]] = {}
        self._busy = False
