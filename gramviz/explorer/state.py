"""The state of an explorer: what is shown, as checked keys, in JSON and as Python; and the names of moments and cells.

    State(cursor={"step": 14, "low": None}, theme="dark").to_python(meta)

`contract.json` says what each key allows, here and in the page (`frontend/state.js`). `explorer.state` carries the
state both ways, files and links keep it.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gram.bounded import InputError, parse_json
from gram.suggest import did_you_mean
from gramviz.contract import CONTRACT, fits

_KEYS: Mapping[str, Mapping[str, Any]] = CONTRACT["state"]  # in the order of the page, and of the JSON


class StateError(InputError):
    """A state that no explorer could show; the message gives the value, what is allowed, and the fix."""


# ------------------------------------------------------------------------------------------------------------ the state
def is_index(value: Any) -> bool:
    """Whether it counts from 0."""
    return fits(value, CONTRACT["defs"]["index"])


def is_trajectory(value: Any) -> bool:
    """Whether it is [series letter, trajectory index]."""
    return fits(value, CONTRACT["defs"]["trajectory"])


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
                raise StateError(
                    f"unknown key {key!r} of the state; known: {', '.join(_KEYS)}{did_you_mean(key, _KEYS)}"
                )
            try:
                value = _plain(raw)
                legal = fits(value, _KEYS[key])
            except (TypeError, RecursionError):  # a set of different things, or what nests without end
                legal = False
            if not legal:
                allowed = _KEYS[key].get("description") or ", ".join(map(str, _KEYS[key]["enum"]))
                raise StateError(f"{key} is {_short(raw)}; allowed: {allowed}")
            checked[key] = _once(value) if key in ("selected", "hidden", "cells") else value
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
            raw = parse_json(text)
        except ValueError as error:
            raise StateError(f"this is not JSON: {error}; paste what 'Copy view (JSON)' gave") from error
        return cls.of(raw)

    @classmethod
    def of(cls, raw: State | Mapping[str, Any]) -> State:
        """The state that a mapping holds.

        Raises:
            StateError: no mapping, or not a state.
        """
        if isinstance(raw, State):
            return raw
        if not isinstance(raw, Mapping):
            raise StateError(f"a state is an object with named keys, not {_short(raw)}; 'Copy view (JSON)' gives one")
        return cls(**{str(key): value for key, value in raw.items()})

    def to_python(self, meta: Mapping[str, Any] | None = None) -> str:
        """The line that opens this view: `gv.compare(trm, gram, puzzle=16).go("7.2").pin("A", 0)`.

        Args:
            meta: the payload's; without it the series are called `rollout`, steps go by index and cells by position.
        """
        keys = dict(self.keys)
        opening = [f"puzzle={keys.pop('puzzle')}"] if "puzzle" in keys else []
        keys.pop("v", None)
        names = _variables(meta["series"]) if meta else ["rollout"]
        parts = [f"gv.{'compare' if len(names) > 1 else 'explore'}({', '.join([*names, *opening])})"]
        if "cursor" in keys:
            parts.append(f"go({_literal(_address(meta, **keys.pop('cursor')))})")
        if "pinned" in keys:
            pinned = keys.pop("pinned")
            parts.append(f"pin({', '.join(map(_literal, pinned))})" if pinned else "pin(None)")
        selected = keys.pop("selected", {})
        parts += [f"select({_literal(letter)}, {_literal(trajectories)})" for letter, trajectories in selected.items()]
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
    """Tuples, arrays and numpy numbers as JSON has them, so that a state equals itself after a round trip."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | range):
        return [_plain(item) for item in (sorted(value) if isinstance(value, set) else value)]
    return np.asarray(value).tolist() if hasattr(value, "ndim") else value


def _once(value: Any) -> Any:
    """A list, or each of several, without what stands in it already."""
    return list(dict.fromkeys(value)) if isinstance(value, list) else {key: _once(one) for key, one in value.items()}


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return "what is too long or too deep to show"
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


def _variables(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """A variable name for each series, from its reader's name; the page names them the same way (python.js)."""
    names: list[str] = []
    for series in entries:
        plain = re.sub(r"^[_0-9]+|_+$", "", re.sub(r"[^a-z0-9_]+", "_", str(series["name"]).lower()))
        taken = not plain or keyword.iskeyword(plain) or plain == "gv" or plain in names
        names.append(f"{plain or 'series'}_{series['letter'].lower()}" if taken else plain)
    return names


# ------------------------------------------------------------------------------------------------ addresses and cells
def lead_of(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """The longest series: its steps make the ruler."""
    return max(meta["series"], key=lambda series: series["steps"])


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
    if (isinstance(address, int) and not isinstance(address, bool)) or address in ("init", "end"):
        step = {"init": 0, "end": last}.get(str(address), address)
        if not 0 <= int(step) <= last:
            raise StateError(f"there is no step {_short(step)}; this rollout has steps 0 to {last}")
        return {"step": int(step), "low": None}
    parts = str(address).split(".")
    nested = max(lead["transition"]) > 1
    if all(re.fullmatch("[0-9]{1,9}", part) for part in parts) and len(parts) <= (3 if nested else 2):
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
    raise StateError(f"there is no moment {_short(address)}; write 'init', 'end', or from {first!r} to {final!r}")


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
    if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < size:
        return name
    found = re.fullmatch(r"r([0-9]{1,4})c([0-9]{1,4})|n([0-9]{1,4})", str(name))
    if found and found[3] and board["kind"] == "graph" and 1 <= int(found[3]) <= size:
        return int(found[3]) - 1
    if found and found[1] and board["kind"] != "graph":
        row, column = int(found[1]), int(found[2])
        if 1 <= row <= board["height"] and 1 <= column <= board["width"]:
            return (row - 1) * board["width"] + column - 1
    raise StateError(
        f"there is no cell {_short(name)}; write {cell_name(board, 0)!r} to {cell_name(board, size - 1)!r}"
    )


def trajectory_of(series: Mapping[str, Any], trajectory: int) -> int:
    """The index in its rollout of a trajectory that is shown."""
    return int(series["kept"][trajectory]) if series["kept"] else trajectory


def trajectory_name(series: Mapping[str, Any], trajectory: int) -> str:
    """What a reader calls a trajectory: A, or B #12."""
    return str(series["letter"]) if series["trajectories"] == 1 else f"{series['letter']} #{trajectory}"
