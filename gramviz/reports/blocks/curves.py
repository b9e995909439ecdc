"""Curves over something that grows, as a small figure and as a table: steps, samples, noise, a training."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gramviz.reports.blocks.block import COLORS, Block, glyph, number, svg, table, with_interval
from gramviz.reports.blocks.panels import axes, height, level, mark, tick

_LEFT, _WIDTH = 56, 600  # px


@dataclass(frozen=True)
class Curve:
    """One line of a figure: its name, x and y of each point, with [low, high] each where these are known.

    `color` is an index, by default the place among the curves; `dashed` tells two lines of one color apart.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    intervals: Sequence[Sequence[float]] = ()
    color: int | None = None
    dashed: bool = False


def shares(name: str, x: Sequence[float], runs: Sequence[Mapping[str, Any]], *path: str) -> Curve:
    """A share of several results of `gram.evaluate`, such as `"coverage"` or `"best_of_n", "value"`, as a curve."""
    values: list[Any] = list(runs)
    intervals: list[Any] = [run["intervals"] for run in runs]
    for part in path:
        values, intervals = [value[part] for value in values], [interval[part] for interval in intervals]
    return Curve(name, x, values, intervals)


def curves(
    title: str,
    *lines: Curve,
    x: str,
    vertical: tuple[float, str] | None = None,
    ceiling: tuple[float, str] | None = None,
    log: bool = False,
    top: float | None = None,
    base: float = 0.0,
) -> Block:
    """Curves over one axis, each with marks of its own shape; below, the same as a table.

    Args:
        x: what stands on the horizontal axis.
        vertical: where a dashed vertical line stands, and what it says.
        ceiling: how high a dashed horizontal line lies, and what it says.
        log: a logarithmic horizontal axis, which then begins at the least x and not at 0.
        top: upper end of the vertical axis, which begins at 0; by default 1, or the greatest y above it.
        base: a power of ten at which the vertical axis begins, which then is logarithmic and ends at one, too.
    """
    top = top or max(1.0, *(y for line in lines for y in line.y))
    every = sorted({value for line in lines for value in line.x})
    if base:
        top = 10.0 ** max(math.ceil(math.log10(top)), math.log10(base) + 1)
    scale = math.log2 if log else float
    first = scale(every[0]) if log else 0.0

    def across(value: float) -> float:
        return _LEFT + _WIDTH * (scale(value) - first) / max(scale(every[-1]) - first, 1e-9)

    def up(value: float) -> float:
        return min(math.log(max(value, base) / base) / math.log(top / base) if base else value / top, 1)

    drawn = [axes(_LEFT, _WIDTH, title, x, top, base)]
    drawn += [tick(across(value), f"{value:,g}") for value in _ticks(every, log)]
    if ceiling:
        drawn.append(level("ceiling", _LEFT, _LEFT + _WIDTH, up(ceiling[0])))
    if vertical:
        at = f"{across(vertical[0]):.1f}"
        drawn.append(f'<line x1="{at}" x2="{at}" y1="{height(1)}" y2="{height(0)}" class="ceiling"/>')
        drawn.append(
            f'<text x="{across(vertical[0]) - 6:.1f}" y="44" text-anchor="end">{html.escape(vertical[1])}</text>'
        )
    bars = sum(bool(line.intervals) for line in lines)
    for place, line in enumerate(lines):
        color = place if line.color is None else line.color
        look = _look(color, line.dashed)
        points = " ".join(f"{across(a):.1f},{height(up(b))}" for a, b in zip(line.x, line.y, strict=True))
        drawn.append(f'<polyline points="{points}" fill="none" {look}/>')
        shift = 5 * (place - (len(lines) - 1) / 2) if bars > 1 else 0  # bars at one x would hide each other
        for a, b, interval in zip(line.x, line.y, line.intervals or [()] * len(line.x), strict=True):
            drawn.append(mark(across(a) + shift, up(b), [up(end) for end in interval], color))
        y = 276 + 22 * place
        drawn.append(_key(y, look, line.name) + glyph(_LEFT + 20, y, color))
    if ceiling:
        drawn.append(_key(276 + 22 * len(lines), 'class="ceiling"', ceiling[1]))
    figure = svg(690, 270 + 22 * (len(lines) + bool(ceiling)), "".join(drawn), title)
    rows = _rows(every, lines)
    same = table(
        [x[0].upper() + x[1:], *(line.name for line in lines)], rows, "Brackets: intervals of 95 %." if bars else ""
    )
    return Block(
        f"<figure class='gram-figure'>{figure}{'<figcaption>Bars: 95 %.</figcaption>' if bars else ''}</figure>"
        f"<details><summary>The same as a table ({len(rows)} rows)</summary>{same}</details>",
        "\n".join([title, *(" | ".join(row) for row in rows)]),
    )


def _ticks(every: Sequence[float], log: bool) -> list[float]:
    """Where labels stand: on a logarithmic axis at a few x or at powers of two, else at most seven round values."""
    last = every[-1]
    if log:
        return (
            list(every)
            if len(every) <= 8
            else [2**k for k in range(math.ceil(math.log2(every[0])), int(math.log2(last)) + 1)]
        )
    power = 10.0 ** math.floor(math.log10(last / 6)) if last else 1.0
    step = next(power * digit for digit in (1, 2, 4, 5, 10) if last <= 6 * power * digit)
    return [step * k for k in range(int(last / step + 1e-9) + 1)]


def _look(color: int, dashed: bool) -> str:
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    return f'stroke="{COLORS[color % len(COLORS)]}" stroke-width="2"{dash}'


def _key(y: int, look: str, name: str) -> str:
    """A row of the legend."""
    text = f'<text x="{_LEFT + 50}" y="{y + 4}">{html.escape(name)}</text>'
    return f'<line x1="{_LEFT}" x2="{_LEFT + 40}" y1="{y}" y2="{y}" {look}/>{text}'


def _rows(every: Sequence[float], lines: Sequence[Curve]) -> list[list[str]]:
    """One row for each x that any line has."""
    cells: list[dict[float, str]] = []
    for line in lines:
        around = line.intervals or [()] * len(line.x)
        shown = [with_interval(b, both) if both else number(b) for b, both in zip(line.y, around, strict=True)]
        cells.append(dict(zip(line.x, shown, strict=True)))
    return [[f"{a:,g}", *(one.get(a, "") for one in cells)] for a in every]
