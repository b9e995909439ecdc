"""Curves over steps as a small figure and the same as a table: validity of boards, accuracy during a training."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from gramviz.reports.blocks.block import COLORS, Block, glyph, number, svg, table, with_interval

_LEFT, _WIDTH, _TOP, _HEIGHT = 56, 600, 30, 180  # px


@dataclass(frozen=True)
class Curve:
    """One line of a figure: its name, x and y of each point, with [low, high] each where these are known.

    `color` is an index; `dashed` tells two lines of one color apart.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    intervals: Sequence[Sequence[float]] = field(default=())
    color: int = 0
    dashed: bool = False


def curves(
    title: str,
    *lines: Curve,
    x: str,
    mark: tuple[float, str] | None = None,
    log: bool = False,
    top: float = 1.0,
) -> Block:
    """Lines over one axis, each with marks of its own shape; below, the same as a table.

    Args:
        x: what stands on the horizontal axis.
        mark: where a dashed vertical line stands, and what it says.
        log: a horizontal axis whose ticks are powers of two; it then begins at 1.
        top: upper end of the vertical axis, which begins at 0.
    """
    last = max(max(line.x) for line in lines)
    scale = math.log2 if log else float
    first, span = scale(1) if log else 0.0, max(scale(last) - (scale(1) if log else 0.0), 1e-9)

    def across(value: float) -> float:
        return _LEFT + _WIDTH * (scale(value) - first) / span

    def up(value: float) -> float:
        return _TOP + _HEIGHT * (1 - min(value / top, 1.0))

    drawn = [f'<text x="{_LEFT}" y="16" class="title">{html.escape(title)}</text>']
    for share in (0.0, 0.5, 1.0):
        drawn.append(_rule(_LEFT, _LEFT + _WIDTH, up(share * top), up(share * top), "grid"))
        drawn.append(f'<text x="{_LEFT - 8}" y="{up(share * top) + 4:.1f}" text-anchor="end">{share * top:.3g}</text>')
    ticks = [2**k for k in range(int(math.log2(last)) + 1)] if log else [round(last * k / 4) for k in range(5)]
    low = _TOP + _HEIGHT + 20
    drawn += [f'<text x="{across(tick):.1f}" y="{low}" text-anchor="middle">{tick:,}</text>' for tick in ticks]
    drawn.append(f'<text x="{_LEFT + _WIDTH / 2}" y="{low + 20}" text-anchor="middle">{html.escape(x)}</text>')
    if mark:
        at, words = mark
        drawn.append(_rule(across(at), across(at), _TOP, _TOP + _HEIGHT, "ceiling"))
        drawn.append(f'<text x="{across(at) - 6:.1f}" y="{_TOP + 14}" text-anchor="end">{html.escape(words)}</text>')
    for number_of, line in enumerate(lines):
        color, dash = COLORS[line.color], ' stroke-dasharray="6 4"' if line.dashed else ""
        points = [(across(a), up(b)) for a, b in zip(line.x, line.y, strict=True)]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"{dash}/>')
        for (a, _), (bottom, upper) in zip(points, line.intervals, strict=False):
            drawn.append(
                f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{up(bottom):.1f}" y2="{up(upper):.1f}" stroke="{color}"/>'
            )
        drawn += [glyph(a, b, line.color) for a, b in points]
        y = low + 46 + 22 * number_of
        drawn.append(
            f'<line x1="{_LEFT}" x2="{_LEFT + 40}" y1="{y}" y2="{y}" stroke="{color}" stroke-width="2"{dash}/>'
        )
        drawn.append(glyph(_LEFT + 20, y, line.color))
        drawn.append(f'<text x="{_LEFT + 50}" y="{y + 4}">{html.escape(line.name)}</text>')
    bars = any(line.intervals for line in lines)
    figure = svg(_LEFT + _WIDTH + 34, low + 40 + 22 * len(lines), "".join(drawn), title)
    rows = _rows(lines)
    note = "Brackets: intervals of 95 %." if bars else ""
    same = table([x.capitalize(), *(line.name for line in lines)], rows, note)
    return Block(
        f"<figure class='gram-figure'>{figure}{'<figcaption>Bars: 95 %.</figcaption>' if bars else ''}</figure>"
        f"<details><summary>The same as a table ({len(rows)} rows)</summary>{same}</details>",
        "\n".join([title, *(" | ".join(row) for row in rows)]),
    )


def _rows(lines: Sequence[Curve]) -> list[list[str]]:
    """One row for each x that any line has."""
    cells: list[dict[float, str]] = []
    for line in lines:
        around = line.intervals or [()] * len(line.x)
        shown = [with_interval(b, both) if both else number(b) for b, both in zip(line.y, around, strict=True)]
        cells.append(dict(zip(line.x, shown, strict=True)))
    every = sorted({a for one in cells for a in one})
    return [[f"{a:,}", *(one.get(a, "") for one in cells)] for a in every]


def _rule(x1: float, x2: float, y1: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" class="{kind}"/>'
