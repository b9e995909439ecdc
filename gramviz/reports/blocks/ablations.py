"""Variants of a model that lack one part each: accuracy and coverage beside the full model's and the paper's."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, NamedTuple

from gramviz.reports.blocks.block import COLORS, Block, number, svg, table, with_interval

_NAMES, _WIDE, _GAP, _HIGH = 290, 170, 40, 30  # px


class Variant(NamedTuple):
    """What one variant reached: metric -> `value` and `interval` (None: not measured), and the paper's accuracy."""

    metrics: Mapping[str, Mapping[str, Any]] | None
    paper: float | None = None


def variants(
    rows: Mapping[str, Variant], full: str, differences: Mapping[str, Mapping[str, Any]] | None = None
) -> Block:
    """A dot plot with one row per variant, and the same as a table.

    Args:
        full: the row with which the others are compared; thin vertical lines continue its values.
        differences: variant -> its paired difference to the full model, of `gram.evaluation.metrics.difference`.
    """
    top, bottom = 44, 44 + _HIGH * len(rows)
    drawn, table_rows = [], []
    for panel, metric in enumerate(("accuracy", "coverage")):
        left = _NAMES + panel * (_WIDE + _GAP)
        drawn.append(f'<text x="{left}" y="16" class="title">{metric.capitalize()}</text>')
        for tick in (0.0, 0.5, 1.0):
            x = left + _WIDE * tick
            drawn.append(f'<line x1="{x}" x2="{x}" y1="{top - 12}" y2="{bottom}" class="grid"/>')
            drawn.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{tick:g}</text>')
        if (whole := rows[full].metrics) is not None:
            x = left + _WIDE * whole[metric]["value"]
            drawn.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 12}" y2="{bottom}" class="ceiling"/>')
        for at, row in enumerate(rows.values()):
            y = top + _HIGH * at + 8
            if row.metrics is None:
                drawn.append(f'<text x="{left + 4}" y="{y + 4}" opacity=".7">not measured</text>')
            else:
                drawn.append(_dot(left, y, **row.metrics[metric]))
            if metric == "accuracy" and row.paper is not None:
                drawn.append(f'<circle cx="{left + _WIDE * row.paper:.1f}" cy="{y}" r="7" class="guess"/>')
    words = "Dot and bar: ours, with its interval of 95 %. "
    known = any(row.paper is not None for row in rows.values())
    words += "Hollow circle: the paper. " if known else ""
    words += f"Dashed: {full}."
    for at, (name, row) in enumerate(rows.items()):
        drawn.append(
            f'<text x="{_NAMES - 16}" y="{top + _HIGH * at + 12}" text-anchor="end">{html.escape(name)}</text>'
        )
        table_rows.append([name, *_cells(row, known), *_gaps((differences or {}).get(name), differences is not None)])
    header = ["Variant", "Accuracy", *["The paper's accuracy"] * known, "Coverage"]
    header += ["Accuracy minus full", "Coverage minus full"] * (differences is not None)
    note = "Differences are paired by puzzle: ▲ more, ▼ less, ○ within noise." if differences is not None else ""
    figure = svg(_NAMES + 2 * _WIDE + _GAP + 20, bottom + 28, "".join(drawn), words)
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{html.escape(words)}</figcaption></figure>"
        f"<details{' open' * (differences is not None)}><summary>The same as a table ({len(table_rows)} rows)</summary>"
        f"{table(header, table_rows, note)}</details>",
        "\n".join(" | ".join(row) for row in table_rows),
    )


def _dot(left: float, y: float, value: float, interval: tuple[float, float]) -> str:
    low, high = (left + _WIDE * end for end in interval)
    bar = f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" class="bar"/>'
    return f'{bar}<circle cx="{left + _WIDE * value:.1f}" cy="{y}" r="5.5" fill="{COLORS[0]}"/>'


def _cells(row: Variant, known: bool) -> list[str]:
    shown = {
        metric: "not measured" if row.metrics is None else with_interval(**row.metrics[metric])
        for metric in ("accuracy", "coverage")
    }
    paper = ["" if row.paper is None else number(row.paper)] * known
    return [shown["accuracy"], *paper, shown["coverage"]]


def _gaps(difference: Mapping[str, Any] | None, wanted: bool) -> list[str]:
    if difference is None:
        return ["", ""] * wanted
    shown = []
    for gap in (difference["accuracy"], difference["coverage"]):
        low, high = gap["interval"]
        sign = "▲" if low > 0 else "▼" if high < 0 else "○"
        shown.append(f"{sign} {with_interval(gap['difference'], gap['interval'])}")
    return shown
