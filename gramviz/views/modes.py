"""Modes: when each path becomes right for good, and how much it still moves in the end.

To the right the step of lasting success, with failures in a lane of their own; upward the drift in the end, as a share
of that in the beginning. The borders between quick and delayed, settled and wandering, are those of `gramviz.measure`.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from gramviz import measure
from gramviz.theme import LABEL, NOTE, outcome_mark, palette
from gramviz.views import Cursor, view
from gramviz.views.parts import (
    address,
    at_end,
    escape,
    figure,
    heading,
    outcome_key,
    path_name,
    step_word,
    supervision_ticks,
)

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 440, 84, 24, 112, 96  # px
_LOWEST = 1e-3  # of the first drift; what moves less is drawn here


@view("Modes", needs=("valid",))
def draw(rollout: xr.Dataset, at: Cursor = Cursor(), theme: str = "light") -> go.Figure:  # noqa: B008
    """The paths of one puzzle, each a mark; the cursor's is ringed in ink.

    Raises:
        RolloutError: `valid` was not recorded.
    """
    colours = palette(theme)
    states = measure.ends(rollout)
    found = measure.modes(states).isel(puzzle=at.puzzle)
    mode, since = found["mode"].values, found["since"].values
    rest = found["rest"].values.astype(np.float64) if "rest" in found else np.full(len(mode), np.nan)
    moving = bool(np.isfinite(rest).any())
    last = states.sizes["step"] - 1
    lane = last + max(2.0, 0.1 * last)  # where failures stand
    index = {int(label): k for k, label in enumerate(states["step"].values)}
    order = np.arange(len(mode))
    spread = np.linspace(-0.35, 0.35, len(mode)) * (lane - last) if len(mode) > 1 else np.zeros(1)
    x = np.array([lane + spread[n] if since[n] < 0 else index[int(since[n])] for n in order])
    y = np.where(np.isfinite(rest), rest.clip(_LOWEST), 1.0) if moving else order + 1.0
    drawn = figure(theme, _WIDTH, _HEIGHT, margin={"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BOTTOM})
    number = states["supervision_step"].values
    border = float(np.flatnonzero(number <= measure.QUICK * number[-1])[-1]) + 0.5
    words = {"quick": (-0.7, border), "delayed": (border, last + 0.7), "failure": (last + 0.7, lane + (lane - last))}
    for k, (name, (left, right)) in enumerate(words.items()):
        count = int((mode == k).sum())
        drawn.add_shape(
            type="rect", x0=left, x1=right, y0=0, y1=1, yref="paper", line={"width": 0}, layer="below",
            fillcolor=colours.sunk if k != 1 else colours.bg,
        )  # fmt: skip
        drawn.add_annotation(
            x=(left + right) / 2,
            y=1,
            yref="paper",
            text=f"<b>{name}</b> {count}",
            showarrow=False,
            yanchor="bottom",
            yshift=3,
            font={"size": LABEL, "color": colours.ink},
            name=name,
        )
    codes = measure.outcome(states).values[at.puzzle]
    for code in (1, 0, 2):
        members = np.flatnonzero(codes == code)
        mark = outcome_mark(code, theme)
        if len(members):
            outcome_key(drawn, mark, len(members))
            drawn.add_scatter(
                x=x[members],
                y=y[members],
                mode="markers",
                marker={
                    "symbol": mark.symbol,
                    "size": 10,
                    "color": mark.colour,
                    "line": {"width": 1.5, "color": mark.colour},
                },
                text=[_say(int(n), states, measure.MODES[mode[n]], index.get(int(since[n])), rest[n]) for n in members],
                hovertemplate="%{text}<extra></extra>",
                meta=mark.word,
                showlegend=False,
            )
    drawn.add_scatter(
        x=x[[at.trajectory]],
        y=y[[at.trajectory]],
        mode="markers",
        marker={"symbol": "circle-open", "size": 19, "color": colours.ink, "line": {"width": 2.2}},
        meta="chosen",
        hoverinfo="skip",
        showlegend=False,
    )
    now = at_end(rollout, at.step)
    drawn.add_shape(
        type="line", x0=now, x1=now, y0=0, y1=1, yref="paper", line={"color": colours.ink, "width": 1.2, "dash": "dot"}
    )
    where, names = supervision_ticks(states)
    drawn.update_xaxes(
        range=[-0.7, lane + (lane - last)],
        tickvals=[*where, lane],
        ticktext=[*names, "never"],
        title={"text": f"Right for good from {step_word(states).lower()}", "standoff": 6},
        ticks="outside",
        ticklen=4,
        showline=True,
    )
    if moving:
        top = max(2.0, 1.3 * float(np.nanmax(rest)))
        drawn.update_yaxes(
            type="log",
            range=[np.log10(_LOWEST) - 0.15, np.log10(top)],
            tickvals=[0.001, 0.01, 0.05, 0.1, 0.5, 1],
            ticktext=["≤ 0.1 %", "1 %", "5 %", "10 %", "50 %", "100 %"],
            title={"text": "Drift in the end, of that in the beginning", "standoff": 8},
            showline=True,
        )
        drawn.add_hline(y=measure.REST, line={"color": colours.edge, "width": 1, "dash": "dash"})
        for text, shift in (("wanders", 9), ("settled", -9)):
            drawn.add_annotation(
                x=1,
                xref="paper",
                y=np.log10(measure.REST),
                text=text,
                showarrow=False,
                xanchor="right",
                xshift=-4,
                yshift=shift,
                font={"size": NOTE, "color": colours.text2},
            )
        rests = int((rest <= measure.REST).sum())
        said = f"{rests} of {len(rest)} settled: in the end they move at most 5 % of what they moved in the beginning."
    else:
        drawn.update_yaxes(range=[len(mode) + 1, 0], title={"text": "Path"}, nticks=6, showline=True)
        missing = "h was not recorded" if "h" not in rollout else "fewer than four supervision steps"
        said = f"Whether they settle is not known: {missing}."
    heading(
        drawn,
        f"Modes, {address(rollout, at.step)}",
        f"Quick: right for good within the first quarter. Ringed: {path_name(rollout, at.trajectory)}",
        said,
    )
    return drawn


def _say(n: int, states: xr.Dataset, mode: str, since: int | None, rest: float) -> str:
    words = f"<b>#{n + 1}</b> {escape(mode)}"
    words += f"<br>right for good from {measure.address(states, since)}" if since is not None else ""
    return words + (f"<br>still moves {100 * rest:.1f} % of the beginning" if np.isfinite(rest) else "")
