"""Modes: when each trajectory becomes right for good, and how much it still moves in the end.

To the right the step of lasting success, with failures in a lane of their own; upward the drift in the end, as a share
of that in the beginning. The borders between quick and delayed, settled and wandering, are those of `gramviz.measure`.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gramviz import measure
from gramviz.theme import NOTE, Palette, outcome_mark, palette
from gramviz.views.parts import (
    Margins,
    address,
    at_end,
    escape,
    figure,
    heading,
    marks,
    note,
    now_line,
    outcome_keys,
    outcome_marker,
    step_axis,
    step_word,
    trajectory_name,
)
from gramviz.views.registry import Cursor, view

_WIDTH, _HEIGHT, _MARGINS = 612, 232, Margins(left=84, right=24, top=112, bottom=96)  # px
_LOWEST = 1e-3  # of the first drift; what moves less is drawn here


@view("Modes", needs=("valid",))
def draw(rollout: xr.Dataset, at: Cursor = Cursor(), theme: str = "light") -> go.Figure:  # noqa: B008
    """The trajectories of one puzzle, each a mark; the cursor's is ringed in ink.

    Raises:
        RolloutError: `valid` was not recorded.
    """
    colors = palette(theme)
    states = measure.ends(rollout)
    found = measure.modes(states).isel(puzzle=at.puzzle)
    mode, since = found["mode"].values, found["since"].values
    rest = found["rest"].values.astype(np.float64) if "rest" in found else np.full(len(mode), np.nan)
    moving = bool(np.isfinite(rest).any())
    last = states.sizes["step"] - 1
    lane = last + max(2.0, 0.1 * last)  # where failures stand
    index = {int(label): k for k, label in enumerate(states["step"].values)}
    spread = np.linspace(-0.35, 0.35, len(mode)) * (lane - last) if len(mode) > 1 else np.zeros(1)
    x = np.array([lane + spread[n] if since[n] < 0 else index[int(since[n])] for n in range(len(mode))])
    y = np.where(np.isfinite(rest), rest.clip(_LOWEST), 1.0) if moving else np.arange(len(mode)) + 1.0
    drawn = figure(theme, _WIDTH, _HEIGHT, _MARGINS)
    _columns(drawn, states, mode, last, lane, colors)
    codes = measure.outcome(states).values[at.puzzle]
    for code in (measure.CORRECT, measure.WRONG, measure.NOT_FINISHED):
        members = np.flatnonzero(codes == code)
        if len(members):
            outcome_keys(drawn, codes, theme, [code])
            mark = outcome_mark(code, theme)
            texts = [_say(int(n), states, measure.MODES[mode[n]], index.get(int(since[n])), rest[n]) for n in members]
            marks(drawn, x[members], y[members], mark.word, outcome_marker(mark, 10), texts)
    ring = {"symbol": "circle-open", "size": 19, "color": colors.ink, "line": {"width": 2.2}}
    marks(drawn, x[[at.trajectory]], y[[at.trajectory]], "chosen", ring)
    now_line(drawn, at_end(rollout, at.step), {"color": colors.ink, "width": 1.2, "dash": "dot"})
    axis = step_axis(states, -0.7, lane + (lane - last), showline=True)
    drawn.update_xaxes(
        **axis | {
            "tickvals": [*axis["tickvals"], lane], "ticktext": [*axis["ticktext"], "never"],
            "title": {"text": f"Right for good from {step_word(states).lower()}", "standoff": 6},
        }
    )  # fmt: skip
    heading(
        drawn,
        f"Modes, {address(rollout, at.step)}",
        f"Quick: right for good within the first quarter. Ringed: {trajectory_name(rollout, at.trajectory)}",
        _rest_axis(drawn, rest, "h" in rollout, colors),
    )
    return drawn


def _columns(
    drawn: go.Figure, states: xr.Dataset, mode: NDArray[np.integer], last: int, lane: float, colors: Palette
) -> None:
    """A column for each mode, with its name and how many end in it."""
    number = states["supervision_step"].values
    border = float(np.flatnonzero(number <= measure.QUICK * number[-1])[-1]) + 0.5
    columns = {"quick": (-0.7, border), "delayed": (border, last + 0.7), "failure": (last + 0.7, lane + (lane - last))}
    for k, (name, (left, right)) in enumerate(columns.items()):
        drawn.add_shape(
            type="rect", x0=left, x1=right, y0=0, y1=1, yref="paper", line={"width": 0}, layer="below",
            fillcolor=colors.sunk if k != 1 else colors.bg,
        )  # fmt: skip
        words = f"<b>{name}</b> {int((mode == k).sum())}"
        note(drawn, (left + right) / 2, 1, words, colors.ink, yref="paper", yanchor="bottom", yshift=3, name=name)


def _rest_axis(drawn: go.Figure, rest: NDArray[np.float64], recorded: bool, colors: Palette) -> str:
    """Lay out the axis of the drift in the end; returns what is known of it in words."""
    if not np.isfinite(rest).any():
        drawn.update_yaxes(range=[len(rest) + 1, 0], title={"text": "Trajectories"}, nticks=6, showline=True)
        missing = "fewer than four supervision steps" if recorded else "h was not recorded"
        return f"Whether they settle is not known: {missing}."
    drawn.update_yaxes(
        type="log",
        range=[np.log10(_LOWEST) - 0.15, np.log10(max(2.0, 1.3 * float(np.nanmax(rest))))],
        tickvals=[0.001, 0.01, 0.05, 0.1, 0.5, 1],
        ticktext=["≤ 0.1 %", "1 %", "5 %", "10 %", "50 %", "100 %"],
        title={"text": "Drift in the end, of that in the beginning", "standoff": 8},
        showline=True,
    )
    drawn.add_hline(y=measure.REST, line={"color": colors.edge, "width": 1, "dash": "dash"})
    for text, shift in (("wanders", 9), ("settled", -9)):
        level = np.log10(measure.REST)
        note(drawn, 1, level, text, colors.text2, NOTE, xref="paper", xanchor="right", xshift=-4, yshift=shift)
    rests = int((rest <= measure.REST).sum())
    return f"{rests} of {len(rest)} settled: in the end they move at most 5 % of what they moved in the beginning."


def _say(n: int, states: xr.Dataset, mode: str, since: int | None, rest: float) -> str:
    words = f"<b>#{n}</b> {escape(mode)}"
    words += f"<br>right for good from {measure.address(states, since)}" if since is not None else ""
    return words + (f"<br>still moves {100 * rest:.1f} % of the beginning" if np.isfinite(rest) else "")
