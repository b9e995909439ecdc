"""The parts of a panel of inline SVG, 180 px high: its frame, horizontal lines, and values with their intervals."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from gramviz.reports.blocks.block import COLORS, glyph


def height(share: float) -> float:
    """The y of a share of the panel."""
    return round(210 - 180 * share, 1)


def level(kind: str, left: float, right: float, share: float) -> str:
    """A horizontal line of a kind that the style knows: `grid` or `ceiling`."""
    return f'<line x1="{left:.0f}" x2="{right:.0f}" y1="{height(share)}" y2="{height(share)}" class="{kind}"/>'


def axes(left: int, width: int, title: str, below: str, top: float = 1.0, base: float = 0.0) -> str:
    """The frame of a panel whose values reach from 0 to `top`, or in powers of ten from `base` to `top`; `below` names
    the horizontal axis."""
    drawn = [f'<text x="{left}" y="16" class="title">{html.escape(title)}</text>']
    powers = round(math.log10(top / base)) if base else 0
    ticks = (
        [(k / powers, base * 10**k) for k in range(powers + 1)] if base else [(k / 2, k / 2 * top) for k in range(3)]
    )
    for at, value in ticks:
        shown = f"{value:,g}" if base else f"{value:.3g}"
        drawn.append(level("grid", left, left + width, at))
        drawn.append(f'<text x="{left - 10}" y="{height(at) + 4}" text-anchor="end">{shown}</text>')
    drawn.append(f'<text x="{left + width / 2}" y="250" text-anchor="middle">{html.escape(below)}</text>')
    return "".join(drawn)


def tick(x: float, label: str) -> str:
    """What stands below the horizontal axis at x."""
    return f'<text x="{x:.1f}" y="230" text-anchor="middle">{html.escape(label)}</text>'


def mark(x: float, share: float, interval: Sequence[float], index: int) -> str:
    """A value and its interval, as shares of the panel; no interval, no bar."""
    bar = ""
    if len(interval):
        (low, high), color = map(height, interval), COLORS[index % len(COLORS)]
        bar = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low}" y2="{high}" stroke="{color}" stroke-width="2"/>'
    return bar + glyph(x, height(share), index)
