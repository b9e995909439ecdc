"""The curves: what is known of each trajectory at each step, in lanes over one time axis.

Per outcome a median with its 10 to 90 % band from five trajectories on, single lines below; the chosen trajectory, and
a series of one trajectory, in ink. Wrong is dashed and not finished dotted, so that no line depends on its color. The
legend of a lane says what was measured; a lane whose variable was not recorded is left out, and said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import RolloutError, board_of, extras, need
from gramviz import measure
from gramviz.theme import NOTE, Palette, outcome_mark, palette
from gramviz.views.parts import (
    LISTED,
    STACKED,
    Margins,
    address,
    at_end,
    beside,
    escape,
    figure,
    heading,
    line,
    note,
    now_line,
    plural,
    series_name,
    step_axis,
    trajectory_name,
)
from gramviz.views.registry import LETTERS, Cursor, view

_WIDTH, _LANE, _GAP = 564, 84, 22  # px
_MARGINS = Margins(left=132, right=76, top=92, bottom=92)
_BAND_FROM = 5  # trajectories; fewer are drawn one by one


@dataclass(frozen=True)
class Lane:
    """One lane: its name, its unit, how it is measured [puzzle, trajectory, step], and the least top of its axis."""

    title: str
    unit: str
    of: Callable[[xr.Dataset], xr.DataArray]
    top: float = 0.0


LANES: dict[str, Lane] = {
    "certainty": Lane("Certainty", "mean over cells", lambda rollout: measure.certainty(rollout).mean("position"), 1.0),
    "conflicts": Lane("Conflicts", "violated rules", measure.conflicts),
    "drift": Lane("Drift", "|h(t) − h(t−1)|", measure.drift),
    "changed": Lane("Changed", "cells", lambda rollout: measure.changed(rollout).sum("position")),
    "halt": Lane("Halt", "probability", lambda rollout: need(rollout, "halt"), 1.0),
    "value": Lane("Value", "predicted correctness", lambda rollout: need(rollout, "value"), 1.0),
    "kl": Lane("KL", "posterior to prior, nats", lambda rollout: need(rollout, "kl")),
    "spread": Lane("Spread", "mean distance to center", lambda rollout: _spread(rollout)),
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
    """The lanes at a cursor, whose trajectory of series A is drawn in ink.

    Args:
        lanes: names in `LANES`, or `extra.NAME` of a number a step beyond the schema, from top to bottom; by default
            those of `DEFAULT` that were recorded and all further ones, and the number of changed cells where there is
            only one.
    Raises:
        RolloutError: a lane was asked for by name, and no series can show it.
        ValueError: an unknown lane.
    """
    colors = palette(theme)
    states = [measure.ends(rollout) for rollout in rollouts]
    chosen, left_out = _lanes(states, lanes)
    inner = len(chosen) * _LANE + (len(chosen) - 1) * _GAP
    drawn = figure(theme, _WIDTH, inner, _MARGINS)
    now = at_end(rollouts[0], at.step)
    longest = max(states, key=lambda one: one.sizes["step"])
    for k, name in enumerate(chosen):
        high = 1 - k * (_LANE + _GAP) / inner
        _lane(drawn, k + 1, _named(name, states), states, at, now, (high - _LANE / inner, high), colors)
    axis = step_axis(longest, -0.4, longest.sizes["step"] - 0.6, domain=[0, 1])
    drawn.update_layout(xaxis=axis | {"anchor": f"y{len(chosen) if len(chosen) > 1 else ''}"})
    now_line(drawn, now, {"color": colors.ink, "width": 1.4}, xref="x")
    _legend(drawn, states, at, colors)
    total = " and ".join(
        plural(rollout.sizes["trajectory"], f"{series_name(rollout)} trajectory") for rollout in rollouts
    )
    heading(
        drawn,
        f"Curves, {address(rollouts[0], at.step)}",
        f"{total}; in ink: {trajectory_name(rollouts[0], at.trajectory)}",
        f"Not recorded: {', '.join(left_out)}."
        if left_out
        else "Line: median of the trajectories; band: 10 to 90 % of them.",
    )
    return drawn


def _lanes(states: list[xr.Dataset], asked: tuple[str, ...] | None) -> tuple[list[str], list[str]]:
    """The lanes to draw, and the titles of the default ones that cannot be."""
    shown, left_out = [], []
    for name in asked or (*DEFAULT, *_further(states)):
        errors = [error for one in states if (error := _error(one, _named(name, states))) is not None]
        if len(errors) < len(states):
            shown.append(name)
        elif asked:
            raise errors[0]
        else:
            left_out.append(LANES[name].title.lower())
    if len(shown) < 2 and not asked and "tokens" in states[0]:
        shown.append("changed")  # needs nothing but tokens
    return shown, left_out


def _further(states: list[xr.Dataset]) -> dict[str, xr.DataArray]:
    """The numbers a step beyond the schema, by their names as lanes."""
    return {f"extra.{name}": one[name] for one in states for name, kind in extras(one).items() if kind == "curve"}


def _named(name: str, states: list[xr.Dataset]) -> Lane:
    further = _further(states)
    if name in LANES:
        return LANES[name]
    if name not in further:
        raise ValueError(f"unknown lane {name!r}; known: {', '.join([*LANES, *further])}")
    variable = name.removeprefix("extra.")
    unit = str(further[name].attrs.get("units", ""))
    return Lane(variable.replace("_", " "), unit, lambda rollout: measure.full(rollout, variable))


def _spread(rollout: xr.Dataset) -> xr.DataArray:
    if rollout.sizes["trajectory"] == 1:
        raise RolloutError("one trajectory has no spread; sample more trajectories")
    return measure.spread(rollout)


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
    colors: Palette,
) -> None:
    on = {"xaxis": "x", "yaxis": f"y{'' if number == 1 else number}"}
    if lane is LANES["conflicts"] and not board_of(states[0]).ruled:
        lane = replace(lane, title="Wrong cells", unit="not as in the solution")
    top, bottom = lane.top, 0.0
    said: list[str] = []
    for index, one in enumerate(states):
        if _error(one, lane) is not None:  # this series cannot show the lane; another one can
            continue
        values = lane.of(one.isel(puzzle=[at.puzzle])).values[0]
        values = np.atleast_2d(values).astype(np.float64)  # the spread is one line for the whole series
        finite = values[np.isfinite(values)]
        top, bottom = max(top, finite.max(initial=0.0)), min(bottom, finite.min(initial=0.0))
        ink = 0 if len(values) == 1 else at.trajectory if index == 0 else None
        codes = measure.outcome(one).values[at.puzzle]
        if len(values) > 1:
            for code in STACKED:
                members = [n for n in np.flatnonzero(codes == code) if n != ink]
                _group(drawn, lane, LETTERS[index], code, values[members], on, colors)
        if ink is not None:
            name = f"{LETTERS[index]} {series_name(one)}" if len(values) == 1 else f"{LETTERS[index]} #{ink}"
            _ink(drawn, lane, name, values[ink], on, colors, index)
            here = values[ink, min(now, values.shape[1] - 1)]
            said.append(f"{LETTERS[index] + ' ' if len(states) > 1 else ''}{_number(here)}")
    drawn.layout[f"yaxis{'' if number == 1 else number}"] = {
        "domain": domain,
        "anchor": "x",
        "range": [bottom - 0.04 * (top - bottom), (top or 1.0) * 1.06],
        "nticks": 3,
        "showline": True,
    }
    unit = f"<span style='font-size:{NOTE}px;color:{colors.text3}'>{_wrap(lane.unit)}</span>"
    middle, common = sum(domain) / 2, dict[str, Any](yref="paper", align="left")
    note(
        drawn, 0, middle, f"<b>{lane.title}</b><br>{unit}", colors.ink,
        xref="paper", xanchor="left", xshift=20 - _MARGINS.left, **common,
    )  # fmt: skip
    beside(drawn, middle, "<br>".join(said), colors.ink, 8, **common)


def _group(
    drawn: go.Figure,
    lane: Lane,
    letter: str,
    code: int,
    values: NDArray[np.float64],
    on: dict[str, str],
    colors: Palette,
) -> None:
    """The trajectories of one outcome: a band with its median, or single lines where they are few."""
    if not len(values):
        return
    mark = outcome_mark(code, colors.name)
    what = f"{letter} {mark.word}"
    steps = np.arange(values.shape[1])
    style = {"color": mark.color, "width": 2, "dash": mark.dash}
    if len(values) < _BAND_FROM:
        for one in values:
            line(drawn, steps, one, what, style | {"width": 1.2}, **on)
        return
    low, middle, high = measure.band(values)
    known = np.isfinite(low)
    x = np.concatenate([steps[known], steps[known][::-1]])
    y = np.concatenate([high[known], low[known][::-1]])
    edge = {"width": 0, "color": mark.color}
    line(drawn, x, y, f"{what} band", edge, fill="toself", fillcolor=mark.color, opacity=0.18, **on)
    said = f"{what}, median of {len(values)}: %{{y:.3g}}<extra>{lane.title}</extra>"
    line(drawn, steps, middle, f"{what} median", style, hovertemplate=said, **on)


def _ink(
    drawn: go.Figure,
    lane: Lane,
    name: str,
    values: NDArray[np.float64],
    on: dict[str, str],
    colors: Palette,
    index: int,
) -> None:
    steps = np.arange(len(values))
    line(drawn, steps, values, "casing", {"color": colors.bg, "width": 5}, **on)
    said = f"{name}: %{{y:.3g}}<extra>{lane.title}</extra>"
    line(drawn, steps, values, f"ink {name}", _style(colors, index), hovertemplate=said, **on)


def _style(colors: Palette, index: int) -> dict[str, Any]:
    return {"color": colors.ink, "width": 2, "dash": "solid" if index == 0 else "dashdot"}


def _legend(drawn: go.Figure, states: list[xr.Dataset], at: Cursor, colors: Palette) -> None:
    def entry(name: str, style: dict[str, Any]) -> None:
        drawn.add_scatter(
            x=[None], y=[None], mode="lines", line=style, name=name, meta="legend", hoverinfo="skip"
        )  # fmt: skip

    codes = np.concatenate([measure.outcome(one).values[at.puzzle] for one in states])
    for code in LISTED:
        if count := int((codes == code).sum()):
            mark = outcome_mark(code, colors.name)
            entry(f"{mark.word} {count}", {"color": mark.color, "width": 2, "dash": mark.dash})
    for index, one in enumerate(states):
        if index == 0 or one.sizes["trajectory"] == 1:
            name = f"{LETTERS[index]} {series_name(one)}" if len(states) > 1 else f"trajectory #{at.trajectory}"
            entry(name, _style(colors, index))


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
