"""Basins: how often each answer is reached; and from which starts, where the paths begin on a plane.

A bar is a share of the paths with its 95 % interval (`gramviz.measure.basins`). Of paths that start on a plane
(`gram.analysis.plane.starts`) the plane is drawn too, each start in the colour of the answer that it reaches.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import RolloutError
from gramviz import measure
from gramviz.theme import LABEL, Palette, category, outcome_mark, palette
from gramviz.views import Cursor, view
from gramviz.views.parts import address, figure, heading, path_name, plural, run_name

_BARS, _PLANE, _GAP, _LEFT, _RIGHT, _TOP, _BOTTOM = 400, 380, 70, 60, 176, 100, 84  # px
_SHOWN = 10  # answers with a bar of their own; the rest is "others"


@view("Basins")
def draw(rollout: xr.Dataset, at: Cursor = Cursor(), theme: str = "light") -> go.Figure:  # noqa: B008
    """The basins at the cursor's step; the answer of its path is marked."""
    colours = palette(theme)
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
    drawn = figure(
        theme, _LEFT + inner + _RIGHT, height + _TOP + _BOTTOM,
        margin={"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BOTTOM},
    )  # fmt: skip
    chosen = int(found.answers.final[0].values[at.trajectory])
    # How an answer ended is how the paths that reach it ended; the first of them stands for all.
    codes = measure.outcome(until).values[at.puzzle]
    final = found.answers.final[0].values
    ends = [int(codes[np.flatnonzero(final == k)[0]]) for k in range(shown)]
    _bars(drawn, found, ends, rest, chosen, at.trajectory, theme, by_outcome=grid is None)
    drawn.update_layout(xaxis={"domain": [left / inner, 1]}, yaxis={"anchor": "x"})
    total = found.answers.final[0].size
    said = f"{plural(len(found.share), 'answer')} from {plural(total, 'path')} of {run_name(rollout)}"
    if grid is not None:
        _plane(drawn, grid, rows, columns, found, until, at, (0.0, _PLANE / inner), colours)
        said = (
            f"{plural(len(found.share), 'answer')} from {plural(total, 'start')} of {run_name(rollout)}; "
            f"{100 * measure.border(grid):.0f} % of neighbours reach different ones"
        )
    correct = sum(float(s) for s, a in zip(found.share, found.answers.found, strict=True) if a.valid)
    right = "" if found.answers.found[0].valid is None else f"{100 * correct:.0f} % are correct. "
    marked = path_name(rollout, at.trajectory) if grid is None else f"start {at.trajectory + 1} of {total}"
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
    """One bar per answer, the rest together; beside a plane in the colour that the answer has there."""
    colours, shown = palette(theme), len(ends)
    marks = [outcome_mark(code, theme) for code in ends]
    share, low, high = found.share[:shown] * 100, found.low[:shown] * 100, found.high[:shown] * 100
    drawn.add_bar(
        x=share,
        y=np.arange(shown),
        orientation="h",
        marker={"color": [mark.colour if by_outcome else category(k, theme) for k, mark in enumerate(marks)]},
        error_x={
            "type": "data", "symmetric": False, "array": high - share, "arrayminus": share - low,
            "color": colours.ink, "thickness": 1.2, "width": 4,
        },
        width=0.62,
        meta="share",
        showlegend=False,
        hovertemplate="%{x:.1f} %<extra></extra>",
    )  # fmt: skip
    level = 100 * float(found.share[shown:].sum())
    if rest:
        drawn.add_bar(
            x=[level], y=[shown], orientation="h", marker={"color": colours.grey, "opacity": 0.45}, width=0.62,
            meta="others", showlegend=False, hovertemplate="%{x:.1f} %<extra></extra>",
        )  # fmt: skip
    for k in range(shown + bool(rest)):
        if k < shown:
            answer = found.answers.found[k]
            words = f"<b>{answer.letter}</b>  {answer.counts[0]}"
            words += f": {answer.outcome}" if answer.valid is not None else ""
            words += f"  ◀ #{trajectory + 1}" if k == chosen else ""
        else:
            counts = [sum(answer.counts) for answer in found.answers.found[shown:]]
            words = f"{plural(rest, 'other')}: {sum(counts)}"
            words += f"  ◀ #{trajectory + 1}" if chosen >= shown else ""
        mark = marks[k] if k < shown else None
        for text, shift, colour in ((mark.text if mark else "", 10, mark.colour if mark else ""), (words, 27, "")):
            drawn.add_annotation(
                x=1, xref="paper", y=k, text=text, showarrow=False, xanchor="left", xshift=shift,
                font={"size": LABEL, "color": colour or colours.ink}, name="answer",
            )  # fmt: skip
    top = max(float(high.max()), level)
    drawn.update_xaxes(
        range=[0, min(100.0, top) * 1.04],
        title={"text": "Share of the paths, %", "standoff": 6},
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
    colours: Palette,
) -> None:
    """Each start a square in the colour of its answer; a dot where that is correct; a diamond at z0."""
    kinds = 6  # five colours, and grey for all that come after
    scale = []
    for k in range(kinds):
        colour = category(k, colours.name) if k < kinds - 1 else colours.line
        scale += [[k / kinds, colour], [(k + 1) / kinds, colour]]
    letters = np.array([answer.letter or "another" for answer in found.answers.found])
    drawn.add_heatmap(
        x=columns, y=rows, z=np.minimum(grid, kinds - 1), zmin=-0.5, zmax=kinds - 0.5, colorscale=scale,
        showscale=False, xaxis="x2", yaxis="y2", xgap=1, ygap=1, meta="plane", text=letters[grid],
        hovertemplate="start %{x:.2f}, %{y:.2f}: answer %{text}<extra></extra>",
    )  # fmt: skip
    right = np.array([bool(answer.valid) for answer in found.answers.found])[grid]
    y, x = np.nonzero(right)
    drawn.add_scatter(
        x=columns[x], y=rows[y], mode="markers", xaxis="x2", yaxis="y2", hoverinfo="skip", meta="correct",
        marker={
            "size": max(3, 100 // len(columns)), "color": colours.bg, "line": {"width": 1, "color": colours.ink}
        },
        name="dot: this start ends correct", showlegend=bool(right.any()),
    )  # fmt: skip
    drawn.add_scatter(
        x=[0], y=[0], mode="markers", xaxis="x2", yaxis="y2", hoverinfo="skip", meta="z0", name="z0, the stored start",
        marker={"symbol": "diamond-open", "size": 15, "color": colours.ink, "line": {"width": 2.4}}, showlegend=True,
    )  # fmt: skip
    here = until["column"].values[[at.trajectory]], until["row"].values[[at.trajectory]]
    if any(here[0]) or any(here[1]):  # z0 has a mark of its own
        drawn.add_scatter(
            x=here[0], y=here[1], mode="markers",
            xaxis="x2", yaxis="y2", hoverinfo="skip", meta="chosen", showlegend=False,
            marker={"symbol": "square-open", "size": 13, "color": colours.ink, "line": {"width": 2}},
        )  # fmt: skip
    title = {"standoff": 6, "text": "One direction from z0, in lengths of z0"}
    drawn.update_layout(
        xaxis2={"domain": list(domain), "anchor": "y2", "title": title, "ticks": "outside", "ticklen": 4},
        yaxis2={"anchor": "x2", "title": {"text": "Another, at right angles", "standoff": 4}, "nticks": 7},
    )
