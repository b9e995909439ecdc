"""Panels of inline SVG: marks with intervals, and lines over something that grows."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gramviz.reports.blocks.block import COLORS, Block, glyph, number, svg, table, with_interval


@dataclass(frozen=True)
class Line:
    """One line of `lines`: a value for each x, and where there are any, their intervals."""

    values: Sequence[float]
    intervals: Sequence[Sequence[float]] | None = None


def shares(runs: Sequence[Mapping[str, Any]], *path: str) -> Line:
    """A share of several results of `gram.evaluate`, such as `"coverage"` or `"best_of_n", "value"`, as a line."""
    values, intervals = [], []
    for run in runs:
        value, interval = run, run["intervals"]
        for name in path:
            value, interval = value[name], interval[name]
        values.append(value)
        intervals.append(interval)
    return Line(values, intervals)  # type: ignore[arg-type]


def lines(
    title: str, below: str, x: Sequence[float], drawn: Mapping[str, Line], ceiling: tuple[str, float] | None = None
) -> Block:
    """Up to four lines over the same x, drawn at even distances, as figure and as table.

    Args:
        below: what x is.
        drawn: name -> line.
        ceiling: words and height of a dashed line.
    """
    most = max(1.0, *(value for line in drawn.values() for value in line.values))
    left, width = 50, 600
    at = [left + width * (column + 0.5) / len(x) for column in range(len(x))]
    parts = [axes(left, width, "", below, most)]
    parts += [f'<text x="{c:.0f}" y="228" text-anchor="middle">{v:g}</text>' for c, v in zip(at, x, strict=True)]
    if ceiling:
        parts.append(level("ceiling", left, left + width, ceiling[1] / most))
    for index, line in enumerate(drawn.values()):
        points = " ".join(f"{c:.1f},{height(v / most)}" for c, v in zip(at, line.values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLORS[index]}" stroke-width="1.5"/>')
        for column, value in enumerate(line.values):
            interval = line.intervals[column] if line.intervals else (value, value)
            shift = 5 * (index - (len(drawn) - 1) / 2) if line.intervals else 0
            parts.append(mark(at[column] + shift, value / most, [end / most for end in interval], index))
    for index, name in enumerate(drawn):
        y = 274 + 20 * index
        parts.append(f'{glyph(60, y, index)}<text x="74" y="{y + 4}">{html.escape(name)}</text>')
    if ceiling:
        parts.append('<line x1="380" x2="416" y1="274" y2="274" class="ceiling"/>')
        parts.append(f'<text x="424" y="278">{html.escape(ceiling[0])}</text>')
    rows = [
        [f"{value:g}", *(with_interval(line.values[k], line.intervals[k]) if line.intervals else
          number(line.values[k]) for line in drawn.values())]
        for k, value in enumerate(x)
    ]  # fmt: skip
    bars = any(line.intervals for line in drawn.values())
    same = table([below, *drawn], rows, "Brackets: intervals of 95 %, over puzzles." if bars else "")
    figure = svg(690, 268 + 20 * max(1, len(drawn)), "".join(parts), title)
    caption = html.escape(title) + (" Bars: 95 %." if bars else "")
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{caption}</figcaption></figure>"
        f"<details><summary>The same as a table ({len(rows)} rows)</summary>{same}</details>",
        "\n".join(" | ".join(row) for row in rows),
    )


def height(share: float) -> float:
    """The y of a share of the panel."""
    return round(210 - 180 * share, 1)


def level(kind: str, left: float, right: float, share: float) -> str:
    """A horizontal line of a kind that the style knows: `grid` or `ceiling`."""
    return f'<line x1="{left:.0f}" x2="{right:.0f}" y1="{height(share)}" y2="{height(share)}" class="{kind}"/>'


def axes(left: int, width: int, title: str, below: str, most: float = 1.0) -> str:
    """The frame of a panel whose values reach from 0 to `most`."""
    drawn = [f'<text x="{left}" y="16" class="title">{title}</text>']
    for tick in (0.0, 0.5, 1.0):
        drawn.append(level("grid", left, left + width, tick))
        drawn.append(f'<text x="{left - 6}" y="{height(tick) + 4}" text-anchor="end">{tick * most:g}</text>')
    drawn.append(f'<text x="{left + width / 2}" y="248" text-anchor="middle">{html.escape(below)}</text>')
    return "".join(drawn)


def mark(x: float, value: float, interval: Sequence[float], index: int) -> str:
    """A value and its interval."""
    (low, high), color = map(height, interval), COLORS[index % len(COLORS)]
    bar = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low}" y2="{high}" stroke="{color}" stroke-width="2"/>'
    return bar + glyph(x, height(value), index)
