"""The noise control: the map of h beside that of random walks whose steps are as many and as long.

What both panels show is what a projection makes of anything that moves; only what sets the first apart is the model's
(`gramviz.measure.random_walk`). Each panel has components and a scale of its own.
"""

from __future__ import annotations

import plotly.graph_objects as go
import xarray as xr

from gramviz import measure
from gramviz.theme import outcome_mark, palette
from gramviz.views import Cursor, view
from gramviz.views.latent import Panel
from gramviz.views.parts import LISTED, address, at_end, figure, heading, key, outcome_key, path_name, run_name

_PANEL, _GAP, _LEFT, _TOP, _BOTTOM = 406, 56, 40, 112, 84  # px


@view("Noise control", needs=("h",))
def draw(
    rollout: xr.Dataset,
    at: Cursor = Cursor(),  # noqa: B008
    theme: str = "light",
    *,
    seed: int = 0,
) -> go.Figure:
    """Both maps at a cursor. `seed` is that of the walks.

    Raises:
        RolloutError: h was not recorded.
    """
    colours = palette(theme)
    states = measure.ends(rollout)
    walk = measure.random_walk(states, seed)
    inner = 2 * _PANEL + _GAP
    drawn = figure(
        theme, _LEFT + 20 + inner, _PANEL + _TOP + _BOTTOM, margin={"l": _LEFT, "r": 20, "t": _TOP, "b": _BOTTOM}
    )
    now = at_end(rollout, at.step)
    shares = []
    for k, (one, title) in enumerate(((states, run_name(rollout)), (walk, "random walks, steps as long"))):
        projection = measure.project([one], "h", at.puzzle)
        shares.append(100 * projection.plane)
        left = k * (_PANEL + _GAP) / inner
        panel = Panel(drawn, k + 1, (left, left + _PANEL / inner), projection, colours)
        panel.run(0, one.isel(puzzle=at.puzzle), projection.runs[0], now, at.trajectory, 1)
        panel.finish([title])
    codes = measure.outcome(states).values[at.puzzle]
    for code in LISTED:
        if count := int((codes == code).sum()):
            outcome_key(drawn, outcome_mark(code, theme), count)
    key(
        drawn, "halo: energy outside the plane", {"symbol": "circle", "size": 15, "color": colours.grey, "opacity": 0.3}
    )
    heading(
        drawn,
        f"Noise control, {address(rollout, at.step)}",
        f"These planes show {shares[0]:.1f} % of the variance of h, and {shares[1]:.1f} % of that of the walks",
        f"In ink: {path_name(rollout, at.trajectory)}. What both panels share is not the model's.",
    )
    return drawn
