"""Basins: how often each answer is reached; and from which starts, where the trajectories begin on a plane.

A bar is a share of the trajectories with its 95 % interval (`gramviz.measure.basins`). Of trajectories that start on a
plane (`gram.analysis.plane.starts`) the plane is drawn too, each start in the color of the answer that it reaches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import RolloutError
from gramviz import measure
from gramviz.theme import Palette, category, outcome_mark, palette
from gramviz.views.parts import Margins, address, beside, figure, heading, marks, plural, series_name, trajectory_name
from gramviz.views.registry import Cursor, view

_BARS, _PLANE, _GAP, _MARGINS = 400, 380, 70, Margins(left=60, right=176, top=100, bottom=84)  # px
_SHOWN = 10  # answers with a bar of their own; the rest is "others"


@view("Basins")
def draw(rollout: xr.Dataset, at: Cursor = Cursor(), theme: str = "light") -> go.Figure:  # noqa: B008
    """The basins at the cursor's step; the answer of its trajectory is marked."""
    colors = palette(theme)
    until = rollout.isel(step=slice(0, at.step + 1))
    found = measure.basins(until, at.puzzle)
    try:
        grid, rows, columns = measure.on_plane(until, at.puzzle)
    except RolloutError:
        grid = None
    left = _PLANE + _GAP if grid is not None else 0
    inner = left + (_BARS if grid is None else 260)
    shown = min(len(found.share), _SHOWN)
    rest = len(found.share) - shown
    height = _PLANE if grid is not None else max(110, 30 * (shown + bool(rest)))
    drawn = figure(theme, inner, height, _MARGINS)
    chosen = int(found.answers.final[0].values[at.trajectory])
    # How an answer ended is how the trajectories that reach it ended; the first of them stands for all.
    codes = measure.outcome(until).values[at.puzzle]
    final = found.answers.final[0].values
    ends = [int(codes[np.flatnonzero(final == k)[0]]) for k in range(shown)]
    _bars(drawn, found, ends, rest, chosen, at.trajectory, theme, by_outcome=grid is None)
    drawn.update_layout(xaxis={"domain": [left / inner, 1]}, yaxis={"anchor": "x"})
    total = found.answers.final[0].size
    said = f"{plural(len(found.share), 'answer')} from {plural(total, 'trajectory')} of {series_name(rollout)}"
    if grid is not None:
        _plane(drawn, grid, rows, columns, found, until, at, (0.0, _PLANE / inner), colors)
        said = (
            f"{plural(len(found.share), 'answer')} from {plural(total, 'start')} of {series_name(rollout)}; "
            f"{100 * measure.border(grid):.0f} % of neighbors reach different ones"
        )
    correct = sum(float(s) for s, a in zip(found.share, found.answers.found, strict=True) if a.valid)
    right = "" if found.answers.found[0].valid is None else f"{100 * correct:.0f} % are correct. "
    marked = trajectory_name(rollout, at.trajectory) if grid is None else f"start #{at.trajectory} of {total}"
    heading(
        drawn,
        f"Basins, {address(rollout, at.step)}",
        f"{said}; entropy {found.entropy:.2f} nats",
        f"{right}Line: 95 % interval (Wilson). Marked: {marked}.",
    )
    return drawn


def _bars(
    drawn: go.Figure,
    found: measure.Basins,
    ends: list[int],
    rest: int,
    chosen: int,
    trajectory: int,
    theme: str,
    by_outcome: bool,
) -> None:
    """One bar per answer, the rest together; beside a plane in the color that the answer has there."""
    colors, shown = palette(theme), len(ends)
    marks = [outcome_mark(code, theme) for code in ends]
    share, low, high = found.share[:shown] * 100, found.low[:shown] * 100, found.high[:shown] * 100
    drawn.add_bar(
        x=share,
        y=np.arange(shown),
        orientation="h",
        marker={"color": [mark.color if by_outcome else category(k, theme) for k, mark in enumerate(marks)]},
        error_x={
            "type": "data", "symmetric": False, "array": high - share, "arrayminus": share - low,
            "color": colors.ink, "thickness": 1.2, "width": 4,
        },
        width=0.62,
        meta="share",
        showlegend=False,
        hovertemplate="%{x:.1f} %<extra></extra>",
    )  # fmt: skip
    level = 100 * float(found.share[shown:].sum())
    if rest:
        drawn.add_bar(
            x=[level], y=[shown], orientation="h", marker={"color": colors.gray, "opacity": 0.45}, width=0.62,
            meta="others", showlegend=False, hovertemplate="%{x:.1f} %<extra></extra>",
        )  # fmt: skip
    for k in range(shown + bool(rest)):
        if k < shown:
            answer = found.answers.found[k]
            words = f"<b>{answer.letter}</b>  {answer.counts[0]}"
            words += f": {answer.outcome}" if answer.valid is not None else ""
            words += f"  ◀ #{trajectory}" if k == chosen else ""
        else:
            counts = [sum(answer.counts) for answer in found.answers.found[shown:]]
            words = f"{plural(rest, 'other')}: {sum(counts)}"
            words += f"  ◀ #{trajectory}" if chosen >= shown else ""
        mark = marks[k] if k < shown else None
        beside(drawn, k, mark.text if mark else "", mark.color if mark else colors.ink, 10, name="answer")
        beside(drawn, k, words, colors.ink, 27, name="answer")
    top = max(float(high.max()), level)
    drawn.update_xaxes(
        range=[0, min(100.0, top) * 1.04],
        title={"text": "Share of the trajectories, %", "standoff": 6},
        ticks="outside",
        ticklen=4,
        showline=True,
        nticks=6,
    )
    drawn.update_yaxes(range=[shown + bool(rest) - 0.4, -0.6], visible=False)


def _plane(
    drawn: go.Figure,
    grid: NDArray[np.integer],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    found: measure.Basins,
    until: xr.Dataset,
    at: Cursor,
    domain: tuple[float, float],
    colors: Palette,
) -> None:
    """Each start a square in the color of its answer; a dot where that is correct; a diamond at z0."""
    kinds = 6  # five colors, and gray for all that come after
    scale = []
    for k in range(kinds):
        color = category(k, colors.name) if k < kinds - 1 else colors.line
        scale += [[k / kinds, color], [(k + 1) / kinds, color]]
    letters = np.array([answer.letter or "another" for answer in found.answers.found])
    drawn.add_heatmap(
        x=columns, y=rows, z=np.minimum(grid, kinds - 1), zmin=-0.5, zmax=kinds - 0.5, colorscale=scale,
        showscale=False, xaxis="x2", yaxis="y2", xgap=1, ygap=1, meta="plane", text=letters[grid],
        hovertemplate="start %{x:.2f}, %{y:.2f}: answer %{text}<extra></extra>",
    )  # fmt: skip
    right = np.array([bool(answer.valid) for answer in found.answers.found])[grid]
    y, x = np.nonzero(right)
    on: dict[str, Any] = {"xaxis": "x2", "yaxis": "y2"}
    dot = {"size": max(3, 100 // len(columns)), "color": colors.bg, "line": {"width": 1, "color": colors.ink}}
    named: dict[str, Any] = {"name": "dot: this start ends correct", "showlegend": bool(right.any())}
    marks(drawn, columns[x], rows[y], "correct", dot, **named, **on)
    diamond = {"symbol": "diamond-open", "size": 15, "color": colors.ink, "line": {"width": 2.4}}
    marks(drawn, [0], [0], "z0", diamond, name="z0, the stored start", showlegend=True, **on)
    here = until["column"].values[[at.trajectory]], until["row"].values[[at.trajectory]]
    if any(here[0]) or any(here[1]):  # z0 has a mark of its own
        square = {"symbol": "square-open", "size": 13, "color": colors.ink, "line": {"width": 2}}
        marks(drawn, *here, "chosen", square, **on)
    title = {"standoff": 6, "text": "One direction from z0, in lengths of z0"}
    drawn.update_layout(
        xaxis2={"domain": list(domain), "anchor": "y2", "title": title, "ticks": "outside", "ticklen": 4},
        yaxis2={"anchor": "x2", "title": {"text": "Another, at right angles", "standoff": 4}, "nticks": 7},
    )
