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
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board, Token
from gram.recorder_checks import (
    STEPWISE,
    RecordError,
    check_arguments,
    check_count,
    check_name,
    check_sources,
    check_value,
    expected,
)
from gram.rollout import make
from gram.schema import VARIABLES
from gram.suggest import did_you_mean

MAX_BYTES = 4 * 2**30
_STATE = ("position", "feature")

Source = str | Callable[[Any, Any], Any]
Array = NDArray[Any]


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
        attrs: of the rollout, as in `gram.schema.ATTRS`; `checkpoint` lets series of one model share a plane.
        **variables: name -> the name of a module, whose output it is (of a tuple the first), or a function of the
            module `at` and its output, None where that is none of its values. Names of `gram.schema.VARIABLES` keep
            their meaning: `h` is [row, position, feature] or [row, feature], `logits` [row, position, token], and give
            `tokens`. Any other is kept as its shape says: [row] a number, [row, position] a number a position, else a
            vector.
    Raises:
        RecordError: no such module, a size over `max_bytes`, shapes that do not fit, NaN in `logits`, infinite states,
            nothing recorded.
    """
    return Recording(
        model, variables, rows=rows, at=at, x=x, y=y, board=board, prefix=prefix, steps=steps, dtype=dtype,
        max_bytes=max_bytes, units=units, attrs=attrs,
    )  # fmt: skip


class Recording:
    """What `record` keeps; arguments are those of `record`.

    Attributes:
        calls: module name -> how often it was called; "" is the model itself.
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
        check_arguments(rows, board, prefix, steps, dtype, max_bytes, units, attrs)
        check_sources(model, variables)
        self.model, self.variables, self.rows, self.at = model, dict(variables), rows, at
        self.x, self.y = (None if one is None else np.asarray(_array(name, one)) for name, one in (("x", x), ("y", y)))
        self.board, self.prefix, self.steps, self.dtype, self.max_bytes = board, prefix, steps, dtype, max_bytes
        self.units, self.attrs = dict(units or {}), dict(attrs or {})
        self.calls: dict[str, int] = {}
        self.step_bytes = 0
        self._stack = ExitStack()
        self._begin: dict[str, Array] = {}
        self._kept: list[dict[str, Array]] = []
        self._run_of: list[int] = []  # of each step, how often the model had been called
        self._pending: dict[str, Array] = {}
        self._busy = False
        self._runs = 0

    def __repr__(self) -> str:
        size = f"{len(self) * self.step_bytes / 1e6:.1f} MB, {self.step_bytes / 1e3:.0f} kB a step"
        return f"Recording({', '.join(self._kept[0]) if self._kept else 'nothing'}: {len(self)} steps, {size})"

    def __len__(self) -> int:
        return len(self._kept)

    # ------------------------------------------------------------------------------------------------------ recording
    def __enter__(self) -> Self:
        if self.model is not None:
            self._hook()
        return self

    def __exit__(self, *failed: Any) -> None:
        self._stack.close()
        if self._pending and failed[0] is None:
            counts = ", ".join(f"{name or 'the model'} {count} times" for name, count in self.calls.items())
            warnings.warn(
                f"{', '.join(self._pending)} came once more than the others (calls: {counts}), and a step ends when "
                "each has come: where that pairs the wrong ones, give all but one as functions of the module and its "
                "output, as logits=lambda f, h: model.head(h)",
                stacklevel=2,
            )

    def initial(self, **values: Any) -> None:
        """The state before the first step, as in `step`; what is not given is not known of it."""
        self._begin = {name: self._taken(name, value) for name, value in values.items()}

    def step(self, **values: Any) -> None:
        """Record a step of a loop outside a module: arrays or tensors of any library, the same names at each step."""
        self._keep({name: self._taken(name, value) for name, value in values.items()})

    def _hook(self) -> None:
        """Hook every module that a variable names, and the model itself, whose calls are supervision steps."""
        import torch

        if isinstance(self.model, torch.nn.DataParallel):
            raise RecordError("DataParallel divides the rows among devices; record the module in it, model.module")
        model = getattr(self.model, "_orig_mod", self.model)  # of torch.compile
        if isinstance(model, torch.nn.parallel.DistributedDataParallel):
            model = model.module
        modules = {name.replace("_orig_mod.", ""): module for name, module in model.named_modules()}
        named = [source for source in self.variables.values() if isinstance(source, str)]
        at = self.at if self.at is not None else (named or [""])[0]
        for name in [*named, at]:
            if name not in modules:
                some = ", ".join([*modules][1:9]) or "none"
                raise RecordError(f"the model has no module {name!r}; it has {some}{did_you_mean(name, modules)}")
            if isinstance(modules[name], torch.jit.ScriptModule):
                raise RecordError(f"module {name!r} is a ScriptModule, which hooks cannot follow; record its source")
        if "torch._dynamo" in sys.modules:  # something may be compiled, and its graph would pass the hooks by
            self._stack.enter_context(torch.compiler.set_stance("force_eager"))
        self._stack.callback(model.register_forward_pre_hook(self._run).remove)
        for name in dict.fromkeys([*named, at]):
            mine = [
                one for one, source in self.variables.items() if (source if isinstance(source, str) else at) == name
            ]
            self._stack.callback(modules[name].register_forward_hook(partial(self._called, name, mine)).remove)

    def _run(self, module: Any, inputs: Any) -> None:
        self._runs += not self._busy

    def _called(self, place: str, names: list[str], module: Any, inputs: Any, output: Any) -> None:
        """Take what a hooked module has given; a function of ours may call modules that are hooked too."""
        if self._busy:
            return
        self.calls[place] = self.calls.get(place, 0) + 1
        self._busy = True
        try:
            for name in names:
                source = self.variables[name]
                value = output if isinstance(source, str) else source(module, output)
                if value is not None:
                    self._pending[name] = self._taken(name, value)
        finally:
            self._busy = False
        if len(self._pending) == len(self.variables):
            self._keep({name: self._pending[name] for name in self.variables})
            self._pending = {}

    def _taken(self, name: str, value: Any) -> Array:
        """A value as an array of its own, [row, ...]."""
        check_name(name)
        array = _array(name, value, self.dtype)
        if self.rows is None:
            array = array[None]
        if name == "tokens" and array.dtype.kind == "b":
            array = array.astype(np.uint8)
        if not array.ndim:
            raise RecordError(f"{name!r} is one number, without a batch axis; pass rows=None, or a number each row")
        check_value(name, array, self.rows)
        return array

    def _keep(self, values: dict[str, Array]) -> None:
        first = self._kept[0] if self._kept else values
        for name in first.keys() | values.keys():
            before, now = (None if name not in one else one[name].shape for one in (first, values))
            if before != now:
                raise RecordError(f"{name!r} was {before} at the first step and is {now} at step {len(self) + 1}")
        check_count(values)
        if len({len(value) for value in values.values()}) > 1:
            shapes = ", ".join(f"{name} {value.shape}" for name, value in values.items())
            raise RecordError(f"the variables have different numbers of rows: {shapes}; the first axis is the batch")
        self.step_bytes = sum(value.nbytes for value in values.values())
        size = self.step_bytes * max(self.steps or 0, len(self) + 1)
        if size > self.max_bytes:
            raise RecordError(
                f"this recording takes {size / 1e6:,.1f} MB ({self.step_bytes / 1e6:,.1f} MB a step), over "
                f"{self.max_bytes / 1e6:,.1f} MB; record less, fewer rows, dtype='float16', or pass max_bytes={size}"
            )
        self._kept.append(values)
        self._run_of.append(self._runs)

    # ------------------------------------------------------------------------------------------------------ the rollout
    @property
    def rollout(self) -> xr.Dataset:
        """What was recorded. State 0 is the initial one; where it is not known its numbers are NaN, its tokens those of
        the puzzle, all of them equally probable. A model that is called more than once has a supervision step each
        call."""
        if not self._kept:
            called = ", ".join(f"{name or 'the model'} {count} times" for name, count in self.calls.items()) or "none"
            raise RecordError(
                f"nothing was recorded; a step ends when each variable has come, and called was: {called}"
            )
        if strange := self._begin.keys() - self._kept[0].keys():
            raise RecordError(f"the initial state has {', '.join(sorted(strange))}, which no step has; name the same")
        arrays = {name: self._stacked(name) for name in self._kept[0]}
        if "tokens" not in arrays and (of := arrays.get("logits", arrays.get("probability"))) is not None:
            arrays["tokens"] = of.argmax(-1).astype(np.uint16)
        arrays = self._without_prefix(arrays)
        board, x = self._puzzle(arrays)
        if board and not {"tokens", "logits", "probability"} & self._begin.keys():
            arrays["tokens"][:, 0] = x
        variables: dict[str, Any] = {name: self._placed(name, array, board) for name, array in arrays.items()}
        if board:
            variables |= {
                name: self._per_puzzle(array) for name, array in (("x", x), ("y", self.y)) if array is not None
            }
        runs, levels = self._times()
        model = type(self.model).__name__ if self.model is not None else "loop"
        defaults = {
            "model": model,
            "name": model,
            "task": board.task if board else "none",
            "levels": json.dumps(levels),
        }
        return make(board, variables, **runs, **(defaults | self.attrs))

    def _stacked(self, name: str) -> Array:
        """[row, step, ...], its initial state first."""
        first, begin = self._kept[0][name], self._begin.get(name)
        if begin is not None and begin.shape != first.shape:
            raise RecordError(f"the initial {name!r} is {begin.shape}; at the steps it is {first.shape}")
        floats = name not in VARIABLES or "f" in VARIABLES[name].kinds
        unknown = {"logits": 0.0, "probability": 1 / (first.shape or (1,))[-1]}.get(name, np.nan) if floats else 0
        numbers = self.dtype if floats and (begin is None or begin.dtype.kind == "f") else first.dtype
        found = np.empty((len(first), 1 + len(self), *first.shape[1:]), numbers)
        found[:, 0] = unknown if begin is None else begin
        for step, values in enumerate(self._kept, 1):
            found[:, step] = values[name]
        return found

    def _without_prefix(self, arrays: dict[str, Array]) -> dict[str, Array]:
        """The same without the positions before the board's; those that have a name as vectors, `h_NAME`."""
        named = self.prefix if isinstance(self.prefix, Mapping) else {"": self.prefix}
        count = sum(named.values())
        if not count:
            return arrays
        found = {}
        longest = max((array.shape[2] for array in arrays.values() if array.ndim > 2), default=0)
        if longest <= count:
            name = next((one for one, array in arrays.items() if array.ndim > 2), "nothing")
            raise RecordError(f"prefix is {count} positions, and {name!r} has {longest}; give those before the board's")
        positions = self._positions() or longest - count
        for name, array in arrays.items():
            if array.ndim < 3 or array.shape[2] != positions + count:
                found[name] = array
                continue
            found[name], at = array[:, :, count:], 0
            for word, size in named.items():
                if word and name not in ("logits", "probability", "tokens"):
                    found[f"{name}_{word}"] = array[:, :, at : at + size].reshape(*array.shape[:2], -1)
                at += size
        return found

    def _positions(self) -> int | None:
        """Positions of the board, where it or the puzzle was given."""
        if isinstance(self.board, Board):
            return self.board.positions
        if self.board:
            return self.board[0] * self.board[1]
        return None if self.x is None else int(self.x.shape[-1])

    def _puzzle(self, arrays: dict[str, Array]) -> tuple[Board | None, Array | None]:
        """The board and the puzzle [row, position] or [position]. A board of numbers has a token more, which the puzzle
        holds everywhere: nothing is given."""
        if "tokens" not in arrays:
            if self.board is not None or self.x is not None:
                raise RecordError("a board shows tokens; record tokens or logits, or leave board and x out")
            return None, None
        tokens = arrays["tokens"]
        likely = {name: least for name, least in (("logits", -np.inf), ("probability", 0)) if name in arrays}
        if isinstance(self.board, Board):
            board = self.board
            x = np.full(tokens.shape[2], (*board.blank, 0)[0]) if self.x is None else self.x
        elif self.x is not None:
            raise RecordError("x needs a board that says which tokens mean 'not given'; pass board=Board(...)")
        else:
            height, width = self.board or (1, tokens.shape[2])
            kinds = max([1 + int(tokens.max()), *(arrays[name].shape[-1] for name in likely)])
            words = (*(Token(str(k), str(k)) for k in range(kinds)), Token("not given"))
            board = Board("recording", "Recording", "grid", height, width, words, blank=(kinds,))
            x = np.full(tokens.shape[2], kinds)
        for name, least in likely.items():
            more = len(board.tokens) - arrays[name].shape[-1]
            if more < 0:
                raise RecordError(f"{name!r} knows {arrays[name].shape[-1]} tokens, the board {len(board.tokens)}")
            arrays[name] = np.pad(arrays[name], [(0, 0)] * 3 + [(0, more)], constant_values=least)
        return board, x

    def _placed(self, name: str, array: Array, board: Board | None) -> Any:
        """A variable [row, step, ...] with the dims of the schema."""
        positions = board.positions if board else None
        if name in VARIABLES:
            rest = VARIABLES[name].dims[3:]
            if rest == _STATE and array.ndim != 4:  # a number of each position, else one vector
                side = positions if positions and array.shape[2:] == (positions,) else 1
                array = array.reshape(*array.shape[:2], side, -1)
            if array.ndim != 2 + len(rest):
                shape = array.shape[2:] if self.rows is None else array.shape[:1] + array.shape[2:]
                raise RecordError(f"{name!r} is {shape}; {expected(name, self.rows)}")
            if rest and positions and array.shape[2] != positions:
                raise RecordError(
                    f"{name!r} has {array.shape[2]} positions, the board {positions}; drop those before the board's "
                    "(prefix=), or call it otherwise (z=...), a vector with a map of its own"
                )
            return self._divided(array)
        rest = ()
        if array.ndim > 2:
            position = ("position",) if positions and array.shape[2] == positions else ()
            feature = (f"feature_{name}",) if array.ndim > 2 + len(position) else ()
            array = array.reshape(*array.shape[: 2 + len(position)], *([-1] if feature else []))
            rest = (*position, *feature)
        return (*STEPWISE, *rest), self._divided(array), {"units": self.units.get(name, "")}

    def _divided(self, array: Array) -> Array:
        """[row, ...] as [puzzle, trajectory, ...]."""
        return array[:, None] if self.rows == "puzzles" else array[None]

    def _per_puzzle(self, tokens: Array) -> Array:
        """[puzzle, position] of tokens [row, position] or [position]."""
        rows = len(next(iter(self._kept[0].values())))
        count = rows if self.rows == "puzzles" else 1
        if tokens.ndim == 2 and self.rows != "puzzles":
            if (tokens != tokens[0]).any():
                raise RecordError("the rows of x differ, so they are no trajectories of one puzzle; rows='puzzles'")
            tokens = tokens[:1]
        return np.array(np.broadcast_to(tokens, (count, tokens.shape[-1])))

    def _times(self) -> tuple[dict[str, Array], list[str]]:
        """The step coordinates, and the words for their levels."""
        runs = np.array(self._run_of)
        if runs[0] == runs[-1] or not runs[0]:  # one call, or none: a flat loop
            return {}, ["Step"]
        _, index = np.unique(runs, return_inverse=True)
        within = np.arange(len(runs)) - np.searchsorted(index, index) + 1
        first = np.zeros(1, int)
        times = {"supervision_step": np.r_[first, index + 1], "transition": np.r_[first, within]}
        return times, ["Call", "Step"] if within.max() > 1 else ["Call"]


def _array(name: str, value: Any, dtype: str = "float32") -> Array:
    """A copy on the host; of a tuple its first, floats in `dtype`."""
    if isinstance(value, tuple | list) and value and hasattr(value[0], "shape"):
        value = value[0]
    if isinstance(value, Mapping):
        raise RecordError(f"{name!r} is a mapping of {', '.join(map(str, value))}; choose one with a function")
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = (value.float() if value.is_floating_point() else value).numpy()
        array = np.array(value)
    except (TypeError, ValueError, NotImplementedError) as error:  # ragged, sparse, without data
        raise RecordError(
            f"{name!r} cannot be an array ({str(error).partition(chr(10))[0]}); give one with a function"
        ) from error
    if array.dtype.kind not in "biuf":
        raise RecordError(
            f"{name!r} is {type(value).__name__}, which is no array of numbers (it holds {array.dtype}); "
            "choose one with a function"
        )
    with np.errstate(over="ignore"):  # what has become infinite is refused in words
        return array.astype(dtype) if array.dtype.kind == "f" else array
