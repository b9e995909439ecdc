"""Plain data made into dataclasses, every key, type and value checked; an error is one sentence with the place."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gram.bounded import InputError
from gram.suggest import did_you_mean

_hints = functools.cache(typing.get_type_hints)


class ConfigError(InputError):
    """A configuration that cannot be; the message is one sentence: the value, what is allowed, the fix."""


def read(cls: Any, raw: Any, where: str = "", parts: Mapping[str, Callable[[Any, str], Any]] | None = None) -> Any:
    """An instance of the dataclass `cls` from plain data.

    Args:
        raw: what should be a mapping of field names to values.
        where: the dotted place of `raw`, for messages.
        parts: how to read fields whose class is not in their type, given their data and place.
    Raises:
        ConfigError: an unknown key, another type, or a value that the class refuses.
    """
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{where or 'the configuration'} is {raw!r}; it must be an object with named values")
    hints = _hints(cls)
    known = {f.name for f in dataclasses.fields(cls)}
    values = {}
    for name, value in raw.items():
        place = f"{where}.{name}" if where else str(name)
        if name not in known:
            raise ConfigError(unknown(place, [f"{where}.{n}" if where else n for n in sorted(known)]))
        if parts and name in parts:
            values[name] = parts[name](value, place)
        elif dataclasses.is_dataclass(hints[name]):
            values[name] = read(hints[name], value, place)
        else:
            values[name] = typed(value, hints[name], place)
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}" if where else str(error)) from error


def typed(value: Any, hint: Any, place: str) -> Any:
    """The value, if it is of the hinted type (an int will do for a float), or one of those that a Literal names."""
    if typing.get_origin(hint) is typing.Literal:
        if value not in typing.get_args(hint):
            raise ConfigError(f"{place} is {value!r}; known: {', '.join(map(str, typing.get_args(hint)))}")
        return value
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in allowed and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{place} is {value}; it must be a finite number")
    if type(value) in allowed:
        return value
    if isinstance(value, str) and float in allowed and value.strip(" +-.").lower() in ("nan", "inf", "infinity"):
        raise ConfigError(f"{place} is {value}; it must be a finite number")
    names = " or ".join(getattr(kind, "__name__", str(kind)) for kind in allowed)
    raise ConfigError(f"{place} is {value!r}; it must be of type {names}")


def require(config: Any, name: str, fits: bool, allowed: str) -> None:
    """Refuse the value of a field unless it fits; `allowed` is the rest of the sentence."""
    if not fits:
        raise ConfigError(f"{name} is {getattr(config, name)}; {allowed}")


def one_of(config: Any, name: str, allowed: Iterable[str]) -> None:
    """Refuse the value of a field that is none of these words."""
    if getattr(config, name) not in allowed:
        raise ConfigError(unknown(getattr(config, name), allowed, what=name))


def unknown(name: str, known: Iterable[str], what: str = "key") -> str:
    """The sentence for a name that is none of the known ones."""
    return f"unknown {what} {name!r}; known: {', '.join(known)}{did_you_mean(name, known)}"
