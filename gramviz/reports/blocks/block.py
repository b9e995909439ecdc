"""What a notebook shows: a `Block` of HTML, and the tables and small figures in it.

A block reads the same in JupyterLab, in an offline report and to a screen reader, and where a machine is to read on,
it has data beside it. Figures are inline SVG of a few kilobytes, so that a report stays small.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

METRICS = "application/vnd.gramviz.metrics+json"


@dataclass(frozen=True)
class Block:
    """What a notebook shows: `html` for people, `data` (type -> JSON) for machines, `text` where there is no page."""

    html: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self.html, "text/plain": self.text, **self.data}


def say(text: str) -> Block:
    """A sentence printed from data: no number that a rerun can change stands in Markdown."""
    return Block(f"<p>{html.escape(text)}</p>", text)


def claim(text: str, holds: bool, found: str) -> Block:
    """A claim, and whether the figures at hand show it; `found` are these figures."""
    verdict = "Shows here" if holds else "Fails to show here"
    return Block(
        f"<p><strong>{verdict}</strong>: {html.escape(f'{text} ({found})')}.</p>", f"{verdict}: {text} ({found})."
    )


def together(*blocks: Block) -> Block:
    """Several blocks under one another, as one output."""
    data = {kind: value for block in blocks for kind, value in block.data.items()}
    return Block("".join(block.html for block in blocks), "\n".join(block.text for block in blocks), data)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], note: str) -> str:
    """A table of texts whose first column heads its rows; the note stands below it."""
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    small = f"<p><small>{html.escape(note.strip())}</small></p>" if note else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{small}"


def number(value: float) -> str:
    """A number as it is read: whole ones bare, others with three digits that matter."""
    if value == round(value) and abs(value) < 1e6:
        return str(round(value))
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def with_interval(value: float, interval: Sequence[float]) -> str:
    """A number and its interval as they are read."""
    return f"{number(value)} [{number(interval[0])}, {number(interval[1])}]"


# Okabe-Ito: distinct also to people who see no red or green; each has a mark of its own. A dark page sets others.
COLORS = ("var(--gram-1, #0072b2)", "var(--gram-2, #d55e00)", "var(--gram-3, #009e73)", "var(--gram-4, #cc79a7)")
# A style in inline SVG holds for the whole page, so each rule is bound to our figures.
_SVG_STYLE = "".join(
    f".gram-svg {rule}"
    for rule in (
        "text{font:13px system-ui,sans-serif;fill:currentColor}",
        ".title{font-weight:600}",
        ":is(.axis,.grid){stroke:currentColor;opacity:.25}",
        f".bar{{stroke:{COLORS[0]};stroke-width:3}}",
        f".dot{{fill:{COLORS[0]}}}",
        f".guess{{fill:none;stroke:{COLORS[1]};stroke-width:2.5}}",
        ".ceiling{stroke:currentColor;stroke-width:1.5;stroke-dasharray:5 4}",
    )
)


def svg(width: int, height: int, body: str, words: str) -> str:
    """An inline figure of this size in pixels; `words` say to a screen reader what it shows."""
    return (
        f'<svg class="gram-svg" viewBox="0 0 {width} {height}" width="{width}" style="max-width:100%;height:auto" '
        f'role="img" aria-label="{html.escape(words, quote=True)}"><style>{_SVG_STYLE}</style>{body}</svg>'
    )


def glyph(x: float, y: float, index: int) -> str:
    """Circle, square, triangle, diamond: runs differ by shape as well as by color."""
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5"',
        f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"',
        f'<path d="M{x:.1f} {y - 6:.1f} l6 11 h-12 z"',
        f'<path d="M{x:.1f} {y - 7:.1f} l7 7 l-7 7 l-7 -7 z"',
    )
    return f'{shapes[index % len(shapes)]} fill="{COLORS[index % len(COLORS)]}"/>'
