"""The answer map: each answer is a circle, "+" the mean state after the warm-up, and short of a circle is doubt.

It is of answers, which all models share; the h of a model has a map of its own (`latent`).
"""

from __future__ import annotations

import plotly.graph_objects as go
import xarray as xr

from gramviz.theme import NOTE, outcome_mark, palette
from gramviz.views.lanes import NO_LANE, cell_name, draw_trajectories, lane_color, mark_keys, space_of
from gramviz.views.parts import (
    Margins,
    address,
    at_end,
    escape,
    figure,
    heading,
    line,
    marks,
    note,
    series_counts,
    trajectory_name,
)
from gramviz.views.registry import Cursor, view

_SIDE = 540  # px


@view("Answer map", many=True)
def draw(rollouts: list[xr.Dataset], at: Cursor = Cursor(), theme: str = "light") -> go.Figure:  # noqa: B008
    """The map of all series at a cursor, whose trajectory of series A is drawn in ink; thick are the typical
    trajectories of each answer. Definitions: `gramviz.measure.answer_map`."""
    _, space, names = space_of(rollouts, at.puzzle)
    colors = palette(theme)
    now = at_end(rollouts[0], at.step)
    drawn = figure(theme, _SIDE, _SIDE, Margins(left=24, right=24, top=120, bottom=84))
    said = [trajectory_name(one, i) for one in rollouts for i in range(one.sizes["trajectory"])]
    late = space.map.xy[:, space.start :]
    for trajectory in space.medoids:
        x, y = late[trajectory].T
        color = outcome_mark(int(space.marks[trajectory]), theme).color
        line(drawn, x, y, "casing", {"color": colors.bg, "width": 5})
        line(drawn, x, y, "medoid", {"color": color, "width": 2})
    draw_trajectories(drawn, space, space.map.xy, now, at.trajectory, said, theme)
    marks(drawn, [0], [0], "warm-up", {"symbol": "cross-thin", "size": 12, "line": {"width": 2, "color": colors.ink}})
    for lane, (x, y) in zip(space.map.lanes, space.map.anchors, strict=True):
        color = lane_color(space, lane, theme)
        circle = {"symbol": "circle-open", "size": 15, "color": color, "line": {"width": 2}}
        marks(drawn, [x], [y], "answer", circle)
        shift = -18 if y < -0.2 else 18
        note(drawn, x, y, f"<b>{names[lane]}</b>", color, xshift=14 * x, yshift=shift, bgcolor=colors.bg, opacity=0.9)
    for place in space.places:
        tokens = space.board.tokens
        pairs = [
            f"{cell_name(space.board, int(space.cells[k]))}={tokens[token].symbol or tokens[token].label}"
            for k, token in place.names
        ]
        said_there = escape(", ".join(pairs))
        note(drawn, place.x, place.y, said_there, colors.ink, NOTE, bgcolor=colors.bg, opacity=0.85, borderpad=2)
    low, high = space.extent
    half = max(float((high - low).max()) / 2, 1e-6) * 1.2  # a square window: both axes have one scale
    for axis, center in zip("xy", (low + high) / 2, strict=True):
        drawn.layout[f"{axis}axis"].update(
            range=[center - half, center + half], showticklabels=False, showgrid=False, zeroline=False, showline=True,
            mirror=True, linecolor=colors.line,
        )  # fmt: skip
    drawn.update_yaxes(scaleanchor="x")
    mark_keys(drawn, space, theme)
    kind = "Answer map" if space.map.kind != "pca" else "PCA of answers"
    shear = f", shear {space.map.shear:.1f}" if space.map.kind == "star" else ""
    reading = "A circle is an answer, short of it is doubt" if len(space.map.lanes) else NO_LANE[:-1]
    across = "; across: what varies most besides" if space.map.kind == "line" else ""
    heading(
        drawn,
        f"{kind}, {address(rollouts[0], at.step)}",
        series_counts(rollouts),
        f"{reading}; +: mean after the warm-up (step {space.start})",
        f"Of {space.known}, not of h: {100 * space.map.share:.0f} % of the variance since then{shear}{across}",
    )
    return drawn
