"""The curves: what is known of each path at each step, in lanes over one time axis.

Per outcome a median with its 10 to 90 % band from five paths on, single lines below; the chosen path, and a run of one
path, in ink. Wrong is dashed and not finished dotted, so that no line depends on its colour. The legend of a lane says
what was measured; a lane whose variable was not recorded is left out, and said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import RolloutError, board_of, need
from gramviz import measure
from gramviz.theme import LABEL, NOTE, Palette, outcome_mark, palette
from gramviz.views import LETTERS, Cursor, view
from gramviz.views.parts import (
    LISTED,
    STACKED,
    address,
    at_end,
    escape,
    figure,
    heading,
    path_name,
    plural,
    run_name,
    step_word,
    supervision_ticks,
)

_WIDTH, _LANE, _GAP, _LEFT, _RIGHT, _TOP, _BOTTOM = 772, 84, 22, 132, 76, 92, 92  # px
_BAND_FROM = 5  # paths; fewer are drawn one by one


@dataclass(frozen=True)
class Lane:
    """One lane: its name, its unit, how it is measured [puzzle, trajectory, step], and the least top of its axis."""

    title: str
    unit: str
    of: Callable[[xr.Dataset], xr.DataArray]
    top: float = 0.0


LANES: dict[str, Lane] = {
    "certainty": Lane("Certainty", "mean over cells", lambda run: measure.certainty(run).mean("position"), 1.0),
    "conflicts": Lane("Conflicts", "violated rules", measure.conflicts),
    "drift": Lane("Drift", "|h(t) − h(t−1)|", measure.drift),
    "changed": Lane("Changed", "cells", lambda run: measure.changed(run).sum("position")),
    "halt": Lane("Halt", "probability", lambda run: need(run, "halt"), 1.0),
    "value": Lane("Value", "predicted correctness", lambda run: need(run, "value"), 1.0),
    "kl": Lane("KL", "posterior to prior, nats", lambda run: need(run, "kl")),
    "spread": Lane("Spread", "mean distance to centre", lambda run: _spread(run)),
}
DEFAULT = ("certainty", "conflicts", "drift")


@view("Curves", many=True)
def draw(
    rollouts: list[xr.Dataset],
    at: Cursor = Cursor(),  # noqa: B008
    theme: str = "light",
    *,
    lanes: tuple[str, ...] | None = None,
) -> go.Figure:
    """The lanes at a cursor, whose path of run A is drawn in ink.

    Args:
        lanes: names in `LANES`, from top to bottom; by default those of `DEFAULT` that were recorded, and the number of
            changed cells where there is only one.
    Raises:
        RolloutError: a lane was asked for by name, and no run can show it.
        ValueError: an unknown lane.
    """
    colours = palette(theme)
    states = [measure.ends(run) for run in rollouts]
    chosen, left_out = _lanes(states, lanes)
    height = _TOP + _BOTTOM + len(chosen) * _LANE + (len(chosen) - 1) * _GAP
    drawn = figure(theme, _WIDTH, height, margin={"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BOTTOM})
    now = at_end(rollouts[0], at.step)
    longest = max(states, key=lambda one: one.sizes["step"])
    where, names = supervision_ticks(longest)
    inner = height - _TOP - _BOTTOM
    for k, name in enumerate(chosen):
        high = 1 - k * (_LANE + _GAP) / inner
        _lane(drawn, k + 1, LANES[name], states, at, now, (high - _LANE / inner, high), colours)
    last = len(chosen)
    drawn.update_layout(
        xaxis={
            "domain": [0, 1],
            "anchor": f"y{last if last > 1 else ''}",
            "range": [-0.4, longest.sizes["step"] - 0.6],
            "tickvals": where,
            "ticktext": names,
            "title": {"text": step_word(longest), "standoff": 6},
            "ticks": "outside",
            "ticklen": 4,
        }
    )
    drawn.add_shape(
        type="line", x0=now, x1=now, y0=0, y1=1, xref="x", yref="paper", line={"color": colours.ink, "width": 1.4}
    )
    _legend(drawn, states, at, colours)
    total = " and ".join(plural(run.sizes["trajectory"], f"{run_name(run)} path") for run in rollouts)
    heading(
        drawn,
        f"Curves, {address(rollouts[0], at.step)}",
        f"{total}; in ink: {path_name(rollouts[0], at.trajectory)}",
        f"Not recorded: {', '.join(left_out)}." if left_out else "Line: median of the paths; band: 10 to 90 % of them.",
    )
    return drawn


def _lanes(states: list[xr.Dataset], asked: tuple[str, ...] | None) -> tuple[list[str], list[str]]:
    """The lanes to draw, and the titles of the default ones that cannot be."""
    for name in asked or ():
        if name not in LANES:
            raise ValueError(f"unknown lane {name!r}; known: {', '.join(LANES)}")
    shown, left_out = [], []
    for name in asked or DEFAULT:
        errors = [error for one in states if (error := _error(one, LANES[name])) is not None]
        if len(errors) < len(states):
            shown.append(name)
        elif asked:
            raise errors[0]
        else:
            left_out.append(LANES[name].title.lower())
    if len(shown) < 2 and not asked:
        shown.append("changed")  # needs nothing but tokens
    return shown, left_out


def _spread(run: xr.Dataset) -> xr.DataArray:
    if run.sizes["trajectory"] == 1:
        raise RolloutError("one path has no spread; sample more trajectories")
    return measure.spread(run)


def _error(one: xr.Dataset, lane: Lane) -> RolloutError | None:
    try:
        lane.of(one.isel(step=[0], puzzle=[0]))
    except RolloutError as error:
        return error
    return None


def _lane(
    drawn: go.Figure,
    number: int,
    lane: Lane,
    states: list[xr.Dataset],
    at: Cursor,
    now: int,
    domain: tuple[float, float],
    colours: Palette,
) -> None:
    on = {"xaxis": "x", "yaxis": f"y{'' if number == 1 else number}"}
    if lane is LANES["conflicts"] and not board_of(states[0]).ruled:
        lane = replace(lane, title="Wrong cells", unit="not as in the solution")
    top, bottom = lane.top, 0.0
    said: list[str] = []
    for index, one in enumerate(states):
        if _error(one, lane) is not None:  # this run cannot show the lane; another one can
            continue
        values = lane.of(one.isel(puzzle=[at.puzzle])).values[0]
        values = np.atleast_2d(values).astype(np.float64)  # the spread is one line for the whole run
        finite = values[np.isfinite(values)]
        top, bottom = max(top, finite.max(initial=0.0)), min(bottom, finite.min(initial=0.0))
        ink = 0 if len(values) == 1 else at.trajectory if index == 0 else None
        codes = measure.outcome(one).values[at.puzzle]
        if len(values) > 1:
            for code in STACKED:
                members = [n for n in np.flatnonzero(codes == code) if n != ink]
                _group(drawn, lane, LETTERS[index], code, values[members], on, colours)
        if ink is not None:
            name = f"{LETTERS[index]} {run_name(one)}" if len(values) == 1 else f"{LETTERS[index]} #{ink + 1}"
            _ink(drawn, lane, name, values[ink], on, colours, index)
            here = values[ink, min(now, values.shape[1] - 1)]
            said.append(f"{LETTERS[index] + ' ' if len(states) > 1 else ''}{_number(here)}")
    drawn.layout[f"yaxis{'' if number == 1 else number}"] = {
        "domain": domain,
        "anchor": "x",
        "range": [bottom - 0.04 * (top - bottom), (top or 1.0) * 1.06],
        "nticks": 3,
        "showline": True,
    }
    middle = sum(domain) / 2
    drawn.add_annotation(
        x=0,
        y=middle,
        xref="paper",
        yref="paper",
        xanchor="left",
        xshift=20 - _LEFT,
        showarrow=False,
        align="left",
        text=f"<b>{lane.title}</b><br><span style='font-size:{NOTE}px;color:{colours.text3}'>{_wrap(lane.unit)}</span>",
        font={"size": LABEL, "color": colours.ink},
    )
    drawn.add_annotation(
        x=1,
        y=middle,
        xref="paper",
        yref="paper",
        xanchor="left",
        xshift=8,
        showarrow=False,
        align="left",
        text="<br>".join(said),
        font={"size": LABEL, "color": colours.ink},
    )


def _group(
    drawn: go.Figure,
    lane: Lane,
    letter: str,
    code: int,
    values: NDArray[np.float64],
    on: dict[str, str],
    colours: Palette,
) -> None:
    """The paths of one outcome: a band with its median, or single lines where they are few."""
    if not len(values):
        return
    mark = outcome_mark(code, colours.name)
    steps = np.arange(values.shape[1])
    line = {"color": mark.colour, "width": 2, "dash": mark.dash}
    if len(values) < _BAND_FROM:
        for path in values:
            drawn.add_scatter(
                x=steps,
                y=path,
                mode="lines",
                line=line | {"width": 1.2},
                meta=f"{letter} {mark.word}",
                showlegend=False,
                hoverinfo="skip",
                **on,
            )
        return
    low, middle, high = measure.band(values)
    known = np.isfinite(low)
    drawn.add_scatter(
        x=np.concatenate([steps[known], steps[known][::-1]]),
        y=np.concatenate([high[known], low[known][::-1]]),
        mode="lines",
        line={"width": 0, "color": mark.colour},
        fill="toself",
        fillcolor=mark.colour,
        opacity=0.18,
        meta=f"{letter} {mark.word} band",
        showlegend=False,
        hoverinfo="skip",
        **on,
    )
    drawn.add_scatter(
        x=steps,
        y=middle,
        mode="lines",
        line=line,
        meta=f"{letter} {mark.word} median",
        showlegend=False,
        hovertemplate=f"{letter} {mark.word}, median of {len(values)}: %{{y:.3g}}<extra>{lane.title}</extra>",
        **on,
    )


def _ink(
    drawn: go.Figure,
    lane: Lane,
    name: str,
    values: NDArray[np.float64],
    on: dict[str, str],
    colours: Palette,
    index: int,
) -> None:
    steps = np.arange(len(values))
    drawn.add_scatter(
        x=steps,
        y=values,
        mode="lines",
        line={"color": colours.bg, "width": 5},
        meta="casing",
        showlegend=False,
        hoverinfo="skip",
        **on,
    )
    drawn.add_scatter(
        x=steps,
        y=values,
        mode="lines",
        line={"color": colours.ink, "width": 2, "dash": "solid" if index == 0 else "dashdot"},
        meta=f"ink {name}",
        showlegend=False,
        hovertemplate=f"{name}: %{{y:.3g}}<extra>{lane.title}</extra>",
        **on,
    )


def _legend(drawn: go.Figure, states: list[xr.Dataset], at: Cursor, colours: Palette) -> None:
    codes = np.concatenate([measure.outcome(one).values[at.puzzle] for one in states])
    for code in LISTED:
        if count := int((codes == code).sum()):
            mark = outcome_mark(code, colours.name)
            drawn.add_scatter(
                x=[None],
                y=[None],
                mode="lines",
                line={"color": mark.colour, "width": 2, "dash": mark.dash},
                name=f"{mark.word} {count}",
                meta="legend",
                hoverinfo="skip",
            )
    for index, one in enumerate(states):
        if index == 0 or one.sizes["trajectory"] == 1:
            words = f"{LETTERS[index]} {run_name(one)}" if len(states) > 1 else f"path {at.trajectory + 1}"
            drawn.add_scatter(
                x=[None],
                y=[None],
                mode="lines",
                name=words,
                meta="legend",
                hoverinfo="skip",
                line={"color": colours.ink, "width": 2, "dash": "solid" if index == 0 else "dashdot"},
            )


def _number(value: float) -> str:
    """Three digits, and never more characters than the margin holds."""
    if not np.isfinite(value):
        return "–"
    if 0 < value < 0.001:
        return escape("< 0.001")
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) >= 0.1 else f"{value:.3f}".rstrip("0").rstrip(".")


def _wrap(words: str, most: int = 15) -> str:
    """A unit in lines that fit the gutter."""
    lines = [""]
    for word in words.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)
