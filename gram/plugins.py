"""Plug-ins: tasks, models, views and parts of the page that other packages bring, by their entry points.

    [project.entry-points."gram.tasks"]       latin = "lab.latin:Latin"        a `Task`
    [project.entry-points."gram.models"]      leaky = "lab.leaky:Leaky"        a `Model`
    [project.entry-points."gramviz.views"]    agreement = "lab.agreement"      a module with a `@view` of this name
    [project.entry-points."gramviz.parts"]    count = "lab:COUNT"              the path of a JavaScript module

A plug-in that cannot be loaded is left out with one sentence, a `PluginWarning`; nothing of ours stops working. It is
code of whoever installed it and may do what that may: only the packages of this Python environment are looked at.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from gram.bounded import InputError

GROUPS = ("gram.tasks", "gram.models", "gramviz.views", "gramviz.parts")


class PluginWarning(UserWarning):
    """A plug-in that is left out; one sentence."""


class PluginError(InputError):
    """What a plug-in lacks, as the rest of a sentence about it."""


def named(group: str) -> list[EntryPoint]:
    """The entry points of a group, by name; nothing is loaded."""
    return sorted(entry_points(group=group), key=lambda entry: entry.name)


def origin(entry: EntryPoint) -> str:
    """The package that an entry point comes from, with its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def described(entry: EntryPoint) -> str:
    """An entry point with its group and package, and whether it was left out; of what is not loaded that is open."""
    out = ", left out" if (entry.group, entry.name) in _left_out else ""
    return f"{entry.name}, {entry.group} of {origin(entry)}{out}"


def load(group: str, into: dict[str, Any], check: Callable[[str, Any], None]) -> None:
    """Put what the plug-ins of a group name into a registry, each after `check(name, loaded)`; what fails is left out.

    A class whose module is just being imported, as that has imported us, is put in when it is defined (`defined`).
    """
    for entry in named(group):
        if _initializing(entry.module):
            _pending[entry.module, entry.attr] = partial(_put, entry, into, check)
            continue
        try:
            loaded = entry.load()
        except (Exception, SystemExit) as error:  # whatever code of others may raise
            leave_out(entry, error)
        else:
            _put(entry, into, check, loaded)


_left_out: set[tuple[str, str]] = set()
_pending: dict[tuple[str, str], Callable[[Any], None]] = {}


def defined(kind: type) -> None:
    """Note that a class of the kind that plug-ins bring now exists; called as it is made."""
    if put := _pending.pop((kind.__module__, kind.__qualname__), None):
        put(kind)


def _put(entry: EntryPoint, into: dict[str, Any], check: Callable[[str, Any], None], loaded: Any) -> None:
    try:
        check(entry.name, loaded)
    except Exception as error:
        leave_out(entry, error)
    else:
        into[entry.name] = loaded


def _initializing(module: str) -> bool:
    """Whether a module is being imported at this moment."""
    return bool(getattr(getattr(sys.modules.get(module), "__spec__", None), "_initializing", False))


def leave_out(entry: EntryPoint, error: BaseException) -> None:
    """Warn that a plug-in is left out, and why."""
    _left_out.add((entry.group, entry.name))
    what = "" if isinstance(error, PluginError) else f"{type(error).__name__}: "
    why = " ".join(str(error).split())[:300]
    warnings.warn(
        f"{entry.group} {entry.name!r} of {origin(entry)} is left out ({what}{why}); update or uninstall that package",
        PluginWarning,
        stacklevel=3,
    )


def of_kind(kind: type, taken: dict[str, Any]) -> Callable[[str, Any], None]:
    """A check that a class is of a kind, has the name of its entry point, and takes none of ours."""

    def check(name: str, loaded: Any) -> None:
        if not (isinstance(loaded, type) and issubclass(loaded, kind)):
            raise PluginError(f"it is {loaded!r:.80} and no {kind.__name__}")
        if getattr(loaded, "name", None) != name:
            raise PluginError(f"its class has the name {getattr(loaded, 'name', None)!r}; both must be equal")
        if name in taken:
            raise PluginError(f"there is a {kind.__name__.lower()} of this name already")

    return check
