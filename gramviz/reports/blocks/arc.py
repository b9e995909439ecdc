"""ARC grids: a task as a card, and the vote over answers taken apart."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gramviz import theme
from gramviz.reports.blocks.block import Block, svg, table

Grid = NDArray[np.integer]
Pair = tuple[Grid, Grid]
_SIDE, _SPACE = 110, 34  # px


def arc_card(demonstrations: Sequence[Pair], test: Grid) -> Block:
    """The demonstrations of a task, input above output, and the test input above a question mark."""
    drawn, pitch = [], _SIDE + _SPACE
    for column, (above, below) in enumerate([*demonstrations, (test, None)]):
        left = column * pitch
        name = "test" if below is None else f"demonstration {column + 1}"
        drawn.append(f'<text x="{left}" y="14" class="title">{name}</text>')
        drawn.append(_grid(above, left, 24, _SIDE))
        drawn.append(f'<text x="{left + _SIDE / 2}" y="{_SIDE + 44}" text-anchor="middle">↓</text>')
        if below is None:
            at = f'x="{left + _SIDE / 2}" y="{1.5 * _SIDE + 70}"'
            drawn.append(f'<text {at} text-anchor="middle" style="font-size:44px">?</text>')
        else:
            drawn.append(_grid(below, left, _SIDE + 54, _SIDE))
    words = f"An ARC task: {len(demonstrations)} demonstrations, and a test input whose output is asked for."
    figure = svg(pitch * (len(demonstrations) + 1), 2 * _SIDE + 64, "".join(drawn), words)
    return Block(f"<figure class='gram-figure'>{figure}<figcaption>{words}</figcaption></figure>", words)


def arc_votes(answers: Sequence[Grid], solution: Grid) -> Block:
    """One row for each different answer, most votes first: the grid, and a mark for each view that gave it.

    Args:
        answers: of the views, changed back.
    """
    cast: dict[tuple[tuple[int, ...], bytes], list[int]] = {}
    for view, grid in enumerate(answers):
        cast.setdefault((grid.shape, grid.astype(np.uint8).tobytes()), []).append(view)
    ranked = sorted(cast.values(), key=len, reverse=True)
    drawn, rows, high = [], [], 84
    for place, views in enumerate(ranked):
        top, right = place * high, np.array_equal(answers[views[0]], solution)
        drawn.append(_grid(answers[views[0]], 0, top, 72))
        label = f"{len(views)} of {len(answers)} votes{', correct' if right else ''}"
        drawn.append(f'<text x="92" y="{top + 20}" class="title">{"✓ " * right}{label}</text>')
        for column, view in enumerate(views):
            x = 92 + 44 * column
            look = 'fill-opacity=".9"' if right else 'fill-opacity=".35"'
            drawn.append(f'<rect x="{x}" y="{top + 32}" width="40" height="24" class="dot" {look}/>')
            drawn.append(f'<text x="{x + 20}" y="{top + 70}" text-anchor="middle">{view}</text>')
        rows.append([f"Answer {place + 1}", label, ", ".join(map(str, views))])
    words = "Answers by votes; below each bar the number of its view (0: unchanged)."
    figure = svg(92 + 44 * len(answers), high * len(ranked), "".join(drawn), words)
    same = table(["Answer", "Votes", "Views"], rows, "")
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{html.escape(words)}</figcaption></figure>"
        f"<details><summary>The same as a table ({len(rows)} rows)</summary>{same}</details>",
        "\n".join(" | ".join(row) for row in rows),
    )


def _grid(grid: Grid, left: float, top: float, side: float) -> str:
    """A grid in ARC's colors, its longer side of this many pixels."""
    rows, columns = grid.shape
    cell = side / max(rows, columns)
    cells = "".join(
        f'<rect x="{left + column * cell:.1f}" y="{top + row * cell:.1f}" width="{cell:.1f}" height="{cell:.1f}" '
        f'fill="{theme.ARC[int(grid[row, column])]}" stroke="#777" stroke-width=".5"/>'
        for row in range(rows)
        for column in range(columns)
    )
    return f"<g>{cells}</g>"
