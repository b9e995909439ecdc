"""The explorer as a widget: the payload once, a small state both ways, and the frozen page beside it for reports.

    gv.compare(trm, gram, puzzle=16).go("7.2").pin("A").select("B", [3, 12])

The rollout travels once, as one compressed buffer; playing, scrubbing and pointing happen in the page and send nothing.
What comes back, 150 ms after the last gesture, is `state`: a plain object that also is what Python sets to move the
view. `State` checks it. No torch here, and no logic of the picture: that is `frontend/*.js`.
"""

from __future__ import annotations

import difflib
import json
import keyword
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import anywidget
import traitlets
import xarray as xr

from gram import rollout as rollouts_
from gramviz.link import link
from gramviz.pack import Payload, pack

Rollout = xr.Dataset | str | os.PathLike[str]

CURVES = ("certainty", "conflicts", "drift", "changed", "halt", "value", "kl", "spread")
LAYERS = ("halo", "labels", "hulls", "trail", "truth")
FRAME_HEIGHT = 900  # px of the frozen frame in a notebook or report: header, panels, three curves, ruler, transport


class StateError(ValueError):
    """A state that no explorer could show; the message gives the value, what is allowed, and the cure."""


# ------------------------------------------------------------------------------------------------------------ the state
Check = Callable[[Any], bool]


def _index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _letter(value: Any) -> bool:
    return isinstance(value, str) and value in {"A", "B", "C", "D"}


def _path(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and _letter(value[0]) and _index(value[1])


def _list(of: Check) -> Check:
    return lambda value: isinstance(value, list) and all(of(item) for item in value)


def _one(*allowed: Any) -> Check:
    return lambda value: any(value == item and type(value) is type(item) for item in allowed)


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _pair(of: Check) -> Check:
    return lambda value: _list(of)(value) and len(value) == 2


def _object(**keys: Check) -> Check:
    def check(value: Any) -> bool:
        return isinstance(value, dict) and value.keys() == keys.keys() and all(keys[k](value[k]) for k in keys)

    return check


def _brush(value: Any) -> bool:
    lasso = _object(kind=_one("lasso"), plane=_index, points=_list(_pair(_number)))
    box = _object(kind=_one("box"), lane=_one(*CURVES), x=_pair(_number), y=_pair(_number))
    return lasso(value) or box(value)


# Key -> (check, what is allowed). The order is that of the page, and of the JSON.
_KEYS: dict[str, tuple[Check, str]] = {
    "v": (_one(1), "1, the version of this format"),
    "puzzle": (_index, "a puzzle's index, from 0"),
    "cursor": (
        _object(step=_index, low=_or_none(_index)),
        "{'step': index, 'low': None or the low-level step}; go('7.2') writes it",
    ),
    "focus": (_path, "[run letter, path index], e.g. ['B', 12]"),
    "pinned": (_or_none(_path), "[run letter, path index], or None"),
    "selected": (
        lambda value: isinstance(value, dict) and all(_letter(k) and _list(_index)(v) for k, v in value.items()),
        "{run letter: [path indices]}",
    ),
    "hidden": (_list(_letter), "a list of run letters"),
    "cells": (_list(_index), "a list of positions, from 0; cells(['r4c6']) writes it"),
    "token": (_or_none(_index), "a token's id, or None"),
    "brush": (_or_none(_brush), "a lasso or box as the page writes it, or None"),
    "range": (_or_none(_pair(_index)), "[first, last] step of the loop, or None"),
    "board": (_one("focus", "differ", "all", "A", "B", "C", "D"), "focus, differ, all, or a run letter"),
    "color_by": (
        _one("outcome", "answer", "run", "value", "certainty", "step", "cell"),
        "outcome, answer, run, value, certainty, step, cell",
    ),
    "answers_at": (_one("final", "cursor"), "final, cursor"),
    "basis": (_or_none(lambda value: isinstance(value, str)), "the name of a basis, e.g. h, answers, steps"),
    "camera": (_or_none(_object(x=_number, y=_number, k=_number)), "{'x', 'y', 'k'}, or None for all"),
    "layers": (_list(_one(*LAYERS)), f"a list of {', '.join(LAYERS)}"),
    "lanes": (_list(_one(*CURVES)), f"a list of {', '.join(CURVES)}"),
    "speed": (_one(1, 2, 4, 8, 16), "1, 2, 4, 8, 16 transitions per second"),
    "loop": (_one(True, False), "True, False"),
    "theme": (_one("auto", "light", "dark"), "auto, light, dark"),
    "motion": (_one("auto", "calm"), "auto, calm"),
    "panel": (_one("board", "map", "answers"), "board, map, answers"),
}


class State:
    """What an explorer shows, as checked keys. A key that is left out takes the page's default for the rollout.

    Args:
        **keys: see the error for what each key allows.
    Raises:
        StateError: an unknown key, or a value that it does not allow.
    """

    def __init__(self, **keys: Any) -> None:
        checked = {}
        for key, raw in keys.items():
            if key not in _KEYS:
                close = difflib.get_close_matches(key, _KEYS, 1)
                hint = f" (did you mean {close[0]!r}?)" if close else ""
                raise StateError(f"unknown key {key!r} of the state; known: {', '.join(_KEYS)}{hint}")
            check, allowed = _KEYS[key]
            value = _plain(raw)
            if not check(value):
                raise StateError(f"{key} is {_short(raw)}; allowed: {allowed}")
            checked[key] = value
        self.keys = {key: checked[key] for key in _KEYS if key in checked}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.keys == other.keys

    __hash__ = None  # type: ignore[assignment]  # its lists can change

    def __repr__(self) -> str:
        return f"State({', '.join(f'{key}={value!r}' for key, value in self.keys.items())})"

    @staticmethod
    def known() -> tuple[str, ...]:
        """Every key, in order."""
        return tuple(_KEYS)

    def to_json(self) -> str:
        """The state as JSON, keys in their fixed order; `from_json` reads it back as an equal state."""
        return json.dumps(self.keys, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> State:
        """Read what "Copy view (JSON)" gave.

        Raises:
            StateError: not a JSON object, or not a state.
        """
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as error:
            raise StateError(f"this is not JSON: {error}; paste what 'Copy view (JSON)' gave") from error
        if not isinstance(raw, dict):
            raise StateError(f"a state is a JSON object, not {_short(raw)}; paste what 'Copy view (JSON)' gave")
        return cls(**raw)

    def to_python(self, meta: Mapping[str, Any] | None = None) -> str:
        """The line that opens this view: `gv.compare(trm, gram, puzzle=16).go("7.2").pin("A", 0)`.

        Args:
            meta: the payload's; without it the runs are called `rollout`, steps go by index and cells by position.
        """
        keys = dict(self.keys)
        opening = [f"puzzle={keys.pop('puzzle')}"] if "puzzle" in keys else []
        keys.pop("v", None)
        names = _variables(meta["runs"]) if meta else ["rollout"]
        parts = [f"gv.{'compare' if len(names) > 1 else 'explore'}({', '.join([*names, *opening])})"]
        if "cursor" in keys:
            parts.append(f"go({_literal(_address(meta, **keys.pop('cursor')))})")
        if "pinned" in keys:
            pinned = keys.pop("pinned")
            parts.append(f"pin({', '.join(map(_literal, pinned))})" if pinned else "pin(None)")
        selected = keys.pop("selected", {})
        parts += [f"select({_literal(letter)}, {_literal(paths)})" for letter, paths in selected.items()]
        if "focus" in keys:
            parts.append(f"focus({', '.join(map(_literal, keys.pop('focus')))})")
        if "cells" in keys:
            cells = keys.pop("cells")
            parts.append(f"cells({_literal([_cell_name(meta['board'], cell) for cell in cells] if meta else cells)})")
        if keys:
            parts.append(f"set({', '.join(f'{key}={_literal(value)}' for key, value in keys.items())})")
        return ".".join(parts)


def _plain(value: Any) -> Any:
    """Tuples and numpy numbers as JSON has them, so that a state equals itself after a round trip."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | range):
        return [_plain(item) for item in (sorted(value) if isinstance(value, set) else value)]
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _literal(value: Any) -> str:
    """A value as source code: `json` for text (its escapes are legal in Python), Python for the rest."""
    if isinstance(value, str):
        text = json.dumps(value)
        surrogates = r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})"
        return re.sub(
            surrogates,
            lambda pair: f"\\U{0x10000 + ((int(pair[1], 16) - 0xD800) << 10) + int(pair[2], 16) - 0xDC00:08x}",
            text,
        )
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(key)}: {_literal(item)}' for key, item in value.items())}}}"
    return repr(value)


def _variables(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """A variable name for each run, from its reader's name; the page names them the same way (python.js)."""
    names: list[str] = []
    for run in runs:
        plain = re.sub(r"^[_0-9]+|_+$", "", re.sub(r"[^a-z0-9_]+", "_", str(run["name"]).lower()))
        taken = not plain or keyword.iskeyword(plain) or plain == "gv" or plain in names
        names.append(f"{plain or 'run'}_{run['letter'].lower()}" if taken else plain)
    return names


# ------------------------------------------------------------------------------------------------ addresses and cells
def _lead(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """The longest run: its steps make the ruler."""
    return max(meta["runs"], key=lambda run: run["steps"])


def _address(meta: Mapping[str, Any] | None, step: int, low: int | None) -> str | int:
    if meta is None:
        return step
    lead = _lead(meta)
    at = min(step, lead["steps"] - 1)
    if at <= 0 and low is None:
        return "init"
    parts = [lead["supervision_step"][at]]
    if max(lead["transition"]) > 1:
        parts.append(lead["transition"][at])
    return ".".join(map(str, parts if low is None else [*parts, low]))


def _step_of(meta: Mapping[str, Any], address: str | int) -> dict[str, int | None]:
    """The cursor at "init", "end", "7" (its last transition), "7.2", "7.2.4" or an index.

    Raises:
        StateError: there is no such moment.
    """
    lead = _lead(meta)
    last = lead["steps"] - 1
    if isinstance(address, int) or address in ("init", "end"):
        step = {"init": 0, "end": last}.get(str(address), address)
        if not 0 <= int(step) <= last:
            raise StateError(f"there is no step {step}; this rollout has steps 0 to {last}")
        return {"step": int(step), "low": None}
    parts = str(address).split(".")
    nested = max(lead["transition"]) > 1
    if all(part.isdigit() for part in parts) and len(parts) <= (3 if nested else 2):
        wanted = [int(part) for part in parts]
        low = wanted.pop() if len(wanted) > (2 if nested else 1) else None
        found = [
            step
            for step, at in enumerate(zip(lead["supervision_step"], lead["transition"], strict=True))
            if step and list(at[: len(wanted)]) == wanted
        ]
        if found and (low is None or 1 <= low <= lead["low_steps"]):
            return {"step": found[-1], "low": low}
    first, final = _address(meta, 1, None) if last else "init", _address(meta, last, None)
    raise StateError(f"there is no moment {address!r}; write 'init', 'end', or from {first!r} to {final!r}")


def _cell_name(board: Mapping[str, Any], position: int) -> str:
    if board["kind"] == "graph":
        return f"n{position + 1}"
    return f"r{position // board['width'] + 1}c{position % board['width'] + 1}"


def _cell(board: Mapping[str, Any], name: str | int) -> int:
    size = board["height"] * board["width"]
    if isinstance(name, int) and 0 <= name < size:
        return name
    found = re.fullmatch(r"r(\d+)c(\d+)|n(\d+)", str(name))
    if found and found[3] and board["kind"] == "graph" and 1 <= int(found[3]) <= size:
        return int(found[3]) - 1
    if found and found[1] and board["kind"] != "graph":
        row, column = int(found[1]), int(found[2])
        if 1 <= row <= board["height"] and 1 <= column <= board["width"]:
            return (row - 1) * board["width"] + column - 1
    raise StateError(f"there is no cell {name!r}; write {_cell_name(board, 0)!r} to {_cell_name(board, size - 1)!r}")


# ----------------------------------------------------------------------------------------------------------- the widget
@cache
def _module() -> str:
    return link()


class Explorer(anywidget.AnyWidget):
    """One puzzle of one to four rollouts, linked board, map, curves and timeline. Make it with `explore` or `compare`.

    Attributes:
        meta, data: the payload (docs/payload.md); set once.
        state: what is shown; set it or use the methods, which return the explorer. The page's own changes arrive here
            150 ms after the last gesture, so `explorer.observe(f, "state")` sees settled views only.
        status: what went wrong in the page, or "".
    """

    meta = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)

    def __init__(self, payload: Payload, **state: Any) -> None:
        self._esm = _module()
        super().__init__(meta=payload.meta, data=payload.data, state={"puzzle": payload.meta["puzzle"]} | state)

    @traitlets.validate("state")
    def _checked(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        state = State(**proposal["value"])
        runs = {run["letter"]: run for run in self.meta.get("runs", ())}
        if runs:
            for letter, path in [*filter(None, (state.keys.get("focus"), state.keys.get("pinned")))]:
                self._path(letter, path)
            for letter, paths in state.keys.get("selected", {}).items():
                for path in paths:
                    self._path(letter, path)
        return state.keys

    # -- moving the view; every method returns the explorer
    def set(self, **keys: Any) -> Self:
        """Change any keys of the state, e.g. `set(color_by="answer", theme="dark")`.

        Raises:
            StateError: an unknown key or value, with what is allowed.
        """
        self.state = {**self.state, **State(**keys).keys}
        return self

    def go(self, address: str | int) -> Self:
        """Put the cursor at a moment: "7.2" = supervision step 7, transition 2; "init"; "end"; or a step's index."""
        return self.set(cursor=_step_of(self.meta, address))

    def focus(self, run: str, path: int = 0) -> Self:
        """Follow one path with board, curves and details."""
        return self.set(focus=self._path(run, path))

    def pin(self, run: str | None, path: int = 0) -> Self:
        """Keep one path in ink beside whatever is focused; `pin(None)` takes it away."""
        return self.set(pinned=None if run is None else self._path(run, path))

    def select(self, run: str, paths: Sequence[int]) -> Self:
        """Choose paths of one run (and keep those of other runs); the rest turns grey."""
        chosen = [self._path(run, int(path))[1] for path in paths]
        kept = {letter: list(old) for letter, old in self.state.get("selected", {}).items() if letter != run}
        return self.set(selected=dict(sorted((kept | {run: chosen}).items())))

    def cells(self, names: Sequence[str | int]) -> Self:
        """Choose cells of the board: `cells(["r4c6"])`, `cells(["n3"])` in a graph, or positions."""
        return self.set(cells=[_cell(self.meta["board"], name) for name in names])

    @property
    def selection(self) -> dict[str, list[int]]:
        """The chosen paths of each run, by index: `{"B": [3, 12]}`; empty where nothing is chosen."""
        return {letter: list(paths) for letter, paths in self.state.get("selected", {}).items()}

    # -- leaving the notebook
    def to_python(self) -> str:
        """The line that opens this view."""
        return State(**self.state).to_python(self.meta)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """The explorer as one HTML page that plays without kernel or network; written to `path` if that is given."""
        from gramviz.freeze import freeze

        return freeze(self, path)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live widget and, as `text/html`, its frozen twin: what a report keeps when the kernel is gone."""
        from gramviz.freeze import frame

        found = super()._repr_mimebundle_(**kwargs)
        data, metadata = found if isinstance(found, tuple) else (found or {}, {})
        return {**data, "text/html": frame(self)}, metadata

    def __repr__(self) -> str:
        runs = ", ".join(f"{run['letter']} {run['name']} ({run['trajectories']} paths)" for run in self.meta["runs"])
        return f"Explorer({self.meta['title']}, puzzle {self.meta['puzzle'] + 1} of {self.meta['puzzles']}: {runs})"

    def _path(self, letter: str, path: int) -> list[Any]:
        runs = {run["letter"]: run for run in self.meta["runs"]}
        if letter not in runs:
            shown = ", ".join(f"{run['letter']} ({run['name']})" for run in runs.values())
            raise StateError(f"there is no run {letter!r}; this explorer shows {shown}")
        most = runs[letter]["trajectories"] - 1
        if not _index(path) or path > most:
            raise StateError(f"run {letter} has no path {path!r}; choose 0 to {most}")
        return [letter, path]


def explore(rollout: Rollout, *, puzzle: int = 0, name: str | None = None, **packing: Any) -> Explorer:
    """Open one rollout.

    Args:
        rollout: a rollout, or the path of one.
        puzzle: which of its puzzles, from 0.
        name: what a reader calls it; by default the rollout's own name.
        **packing: `budget`, `second`, `every`, `trajectories`, as in `gramviz.pack.pack`.
    Raises:
        RolloutError, PackError: it is not a rollout, there is no such puzzle, or it is over the budget.
    """
    return Explorer(pack([_opened(rollout)], puzzle=puzzle, names=None if name is None else [name], **packing))


def compare(
    a: Rollout,
    b: Rollout,
    *more: Rollout,
    puzzle: int | Sequence[int] = 0,
    names: Sequence[str] | None = None,
    share_h: bool = False,
    **packing: Any,
) -> Explorer:
    """Two to four rollouts of the same puzzle, as runs A, B, ...; if A has one path, it is pinned.

    Different checkpoints open on "PCA of answers", the space that all models share; their `h` are unrelated spaces, and
    "PCA of h" splits the map. `share_h=True` forces one plane, and the page says what that is worth.

    Args:
        a, b, *more: rollouts, or paths of them.
        puzzle: which of their puzzles, from 0; one index each, if they are stored differently.
        names: what a reader calls the runs; by default their models' names where those tell them apart.
        share_h: see above.
        **packing: `budget`, `second`, `every`, `trajectories`, as in `gramviz.pack.pack`.
    Raises:
        RolloutError, PackError: not rollouts, not the same puzzle, or over the budget.
    """
    runs = [_opened(run) for run in (a, b, *more)]
    models = [str(run.attrs["model"]).upper() for run in runs]
    if names is None and len(set(models)) == len(models):
        names = models
    return Explorer(pack(runs, puzzle=puzzle, names=names, share_h=share_h, **packing))


def _opened(rollout: Rollout) -> xr.Dataset:
    return rollouts_.load(Path(rollout)) if isinstance(rollout, str | os.PathLike) else rollout
