"""The state of an explorer: what is shown, as checked keys, in JSON and as Python; and the names of moments and cells.

    State(cursor={"step": 14, "low": None}, theme="dark").to_python(meta)

The page writes the same object (`frontend/store.js`); `explorer.state` carries it both ways, files and links keep it.
"""

from __future__ import annotations

import difflib
import json
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

CURVES = ("certainty", "conflicts", "drift", "changed", "halt", "value", "kl", "spread")
LAYERS = ("halo", "labels", "landscape", "cloud", "hulls", "trail", "truth", "explain")


class StateError(ValueError):
    """A state that no explorer could show; the message gives the value, what is allowed, and the cure."""


# ------------------------------------------------------------------------------------------------------------ the state
Check = Callable[[Any], bool]


def is_index(value: Any) -> bool:
    """Whether it counts from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _letter(value: Any) -> bool:
    return isinstance(value, str) and value in {"A", "B", "C", "D"}


def is_path(value: Any) -> bool:
    """Whether it is [run letter, path index]."""
    return isinstance(value, list) and len(value) == 2 and _letter(value[0]) and is_index(value[1])


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
    lasso = _object(kind=_one("lasso"), plane=is_index, points=_list(_pair(_number)))
    box = _object(kind=_one("box"), lane=_one(*CURVES), x=_pair(_number), y=_pair(_number))
    return lasso(value) or box(value)


# Key -> (check, what is allowed). The order is that of the page, and of the JSON.
_KEYS: dict[str, tuple[Check, str]] = {
    "v": (_one(1), "1, the version of this format"),
    "puzzle": (is_index, "a puzzle's index, from 0"),
    "cursor": (
        _object(step=is_index, low=_or_none(is_index)),
        "{'step': index, 'low': None or the low-level step}; go('7.2') writes it",
    ),
    "focus": (is_path, "[run letter, path index], e.g. ['B', 12]"),
    "pinned": (_or_none(is_path), "[run letter, path index], or None"),
    "selected": (
        lambda value: isinstance(value, dict) and all(_letter(k) and _list(is_index)(v) for k, v in value.items()),
        "{run letter: [path indices]}",
    ),
    "hidden": (_list(_letter), "a list of run letters"),
    "cells": (_list(is_index), "a list of positions, from 0; select_cells(['r4c6']) writes it"),
    "token": (_or_none(is_index), "a token's id, or None"),
    "brush": (_or_none(_brush), "a lasso or box as the page writes it, or None"),
    "range": (_or_none(_pair(is_index)), "[first, last] step of the loop, or None"),
    "board": (_one("focus", "differ", "all", "A", "B", "C", "D"), "focus, differ, all, or a run letter"),
    "color_by": (
        _one("outcome", "answer", "run", "value", "certainty", "step", "cell"),
        "outcome, answer, run, value, certainty, step, cell",
    ),
    "answers_at": (_one("final", "cursor"), "final, cursor"),
    "tree": (_one(True, False), "True, False"),
    "basis": (_or_none(lambda value: isinstance(value, str)), "the name of a basis: h, answers, steps, random, cell30"),
    "dims": (_one(2, 3), "2, 3"),
    "camera": (_or_none(_object(x=_number, y=_number, k=_number)), "{'x', 'y', 'k'}, or None for all"),
    "turn": (_or_none(_pair(_number)), "[degrees to the right, degrees down] in 3-D, or None for the front"),
    "layers": (_list(_one(*LAYERS)), f"a list of {', '.join(LAYERS)}"),
    "lanes": (_list(_one(*CURVES)), f"a list of {', '.join(CURVES)}"),
    "speed": (_one(1, 2, 4, 8, 16), "1, 2, 4, 8, 16 transitions per second"),
    "loop": (_one(True, False), "True, False"),
    "theme": (_one("auto", "light", "dark"), "auto, light, dark"),
    "motion": (_one("auto", "calm"), "auto, calm"),
    "panel": (_one("board", "map", "answers"), "board, map, answers"),
    "chapter": (_or_none(is_index), "a chapter's index in the lesson, from 0, or None"),
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
            called = [cell_name(meta["board"], cell) for cell in cells] if meta else cells
            parts.append(f"select_cells({_literal(called)})")
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
def lead_of(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """The longest run: its steps make the ruler."""
    return max(meta["runs"], key=lambda run: run["steps"])


def _address(meta: Mapping[str, Any] | None, step: int, low: int | None) -> str | int:
    if meta is None:
        return step
    lead = lead_of(meta)
    at = min(step, lead["steps"] - 1)
    if at <= 0 and low is None:
        return "init"
    parts = [lead["supervision_step"][at]]
    if max(lead["transition"]) > 1:
        parts.append(lead["transition"][at])
    return ".".join(map(str, parts if low is None else [*parts, low]))


def step_of(meta: Mapping[str, Any], address: str | int) -> dict[str, int | None]:
    """The cursor at "init", "end", "7" (its last transition), "7.2", "7.2.4" or an index.

    Raises:
        StateError: there is no such moment.
    """
    lead = lead_of(meta)
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


def cell_name(board: Mapping[str, Any], position: int) -> str:
    """What a reader calls a cell."""
    if board["kind"] == "graph":
        return f"n{position + 1}"
    return f"r{position // board['width'] + 1}c{position % board['width'] + 1}"


def cell_of(board: Mapping[str, Any], name: str | int) -> int:
    """The position of a cell by its name, `r4c6` or in a graph `n3`, or by its index.

    Raises:
        StateError: there is no such cell.
    """
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
    raise StateError(f"there is no cell {name!r}; write {cell_name(board, 0)!r} to {cell_name(board, size - 1)!r}")


def trajectory_of(run: Mapping[str, Any], path: int) -> int:
    """The index in its rollout of a path that is shown."""
    return int(run["paths"][path]) if run["paths"] else path


def path_name(run: Mapping[str, Any], path: int) -> str:
    """What a reader calls a path: A, or B #12."""
    return str(run["letter"]) if run["trajectories"] == 1 else f"{run['letter']} #{path}"
