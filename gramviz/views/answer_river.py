"""The answer river: time against answers, a line for each trajectory, which rises into the lane of the answer it comes
to; what each answer draws to itself, and when, is seen without a projection."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from gramviz.measure.river import TRUNK
from gramviz.theme import palette
from gramviz.views.lanes import NO_LANE, cell_name, draw_trajectories, lane_color, mark_keys, space_of
from gramviz.views.parts import (
    Margins,
    address,
    at_end,
    beside,
    figure,
    heading,
    marks,
    note,
    now_line,
    series_counts,
    step_axis,
    trajectory_name,
)
from gramviz.views.registry import Cursor, view

_WIDTH, _HEIGHT = 640, 440  # px
_ABOVE = 0.06  # of the height, for each row of cells that tell


@view("Answer river", many=True)
def draw(rollouts: list[xr.Dataset], at: Cursor = Cursor(), theme: str = "light") -> go.Figure:  # noqa: B008
    """The river of all series at a cursor, whose trajectory of series A is drawn in ink. Definitions:
    `gramviz.measure.river`."""
    states, space, names = space_of(rollouts, at.puzzle)
    colors = palette(theme)
    longest = max(states, key=lambda one: one.sizes["step"])
    last = longest.sizes["step"] - 1
    now = at_end(rollouts[0], at.step)
    drawn = figure(theme, _WIDTH, _HEIGHT, Margins(left=24, right=130, top=104, bottom=92))
    spans = space.river.spans
    low, high = min(span[0] for span in spans.values()), max(span[1] for span in spans.values())
    room = _ABOVE * (high - low)
    for lane, (bottom, top) in spans.items():
        color = colors.gray if lane == TRUNK else lane_color(space, lane, theme)
        rest = f"{'others' if space.found.others else 'no answer'} × {int((space.found.last < 0).sum())}"
        name = rest if lane == TRUNK else names[lane]
        drawn.add_shape(type="rect", x0=0, x1=last, y0=bottom, y1=top, fillcolor=color, opacity=0.11, line={"width": 0})
        beside(drawn, (bottom + top) / 2, f"<b>{name}</b>", colors.text2 if lane == TRUNK else color, 8, yref="y")
    steps = np.broadcast_to(np.arange(last + 1), space.river.y.shape)
    said = [trajectory_name(one, i) for one in rollouts for i in range(one.sizes["trajectory"])]
    draw_trajectories(drawn, space, np.stack([steps, space.river.y], -1), now, at.trajectory, said, theme)
    rings = np.flatnonzero(space.found.commit <= last)
    commits = space.found.commit[rings]
    ring = {"size": 6, "color": colors.bg, "line": {"width": 1.2, "color": colors.ink}}
    marks(drawn, commits, space.river.y[rings, commits], "commits", ring)
    for row, decisive in enumerate(space.decisive):
        words = f"{cell_name(space.board, int(space.cells[decisive.cell]))} tells {100 * decisive.share:.0f} %"
        now_line(drawn, decisive.step, {"color": colors.text2, "width": 1, "dash": "dot"})
        level = high + room * (0.5 + row % 3)
        note(drawn, decisive.step, level, words, colors.text2, xanchor="left", xshift=2)
    now_line(drawn, now, {"color": colors.ink, "width": 1})
    drawn.update_xaxes(**step_axis(longest, -0.3, last + 0.2), showgrid=False)
    drawn.update_yaxes(visible=False, range=[low, high + 3 * room])
    mark_keys(drawn, space, theme)
    heading(
        drawn,
        f"Answer river, {address(rollouts[0], at.step)}",
        f"{series_counts(rollouts)}; in ink: {trajectory_name(rollouts[0], at.trajectory)}",
        "A ring: it stays from here; wrong answers lie below the others" if names else NO_LANE,
    )
    return drawn
