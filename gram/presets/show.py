"""A configuration as text for people: YAML with the layer of each value, and the difference of two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gram.presets.layers import Named, flat
from gram.safe_yaml import write_scalar

DEFAULTS = "defaults"


def text(named: Named) -> str:
    """The whole configuration as YAML, each value with a comment that names its layer; `preset` reads it back."""
    lines = [*_lines(named.config.to_dict(), named.origins)]
    width = max(len(line) for line, _ in lines)
    head = f"# {named.name} = {' < '.join([DEFAULTS, *named.layers])}"
    return "\n".join([head, *(f"{line:{width}}  # {layer}" if layer else line for line, layer in lines)])


def difference(a: Named, b: Named) -> str:
    """A table of the values that differ, with their layers; `-` where a configuration has no such value."""
    values = [dict(flat(named.config.to_dict())) for named in (a, b)]
    rows: list[tuple[str, ...]] = [("", a.name, b.name)]
    for path in values[0] | values[1]:
        if path not in values[0] or path not in values[1] or values[0][path] != values[1][path]:
            cells = (
                f"{write_scalar(found[path])} ({named.origins.get(path, DEFAULTS)})" if path in found else "-"
                for named, found in zip((a, b), values, strict=True)
            )
            rows.append((path, *cells))
    if len(rows) == 1:
        return f"{a.name} and {b.name} are the same"
    widths = [max(len(row[at]) for row in rows) for at in range(2)]
    return "\n".join(f"{key:{widths[0]}}  {one:{widths[1]}}  {two}" for key, one, two in rows)


def _lines(raw: Mapping[str, Any], origins: Mapping[str, str], where: str = "") -> Iterator[tuple[str, str]]:
    """The lines of nested mappings, each with the layer of its value; a line that opens a mapping has none."""
    indent = "  " * where.count(".")
    for name, value in raw.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:", ""
            yield from _lines(value, origins, f"{where}{name}.")
        else:
            yield f"{indent}{name}: {write_scalar(value)}", origins.get(where + name, DEFAULTS)
