"""The noise control: the map of h beside that of random walks whose steps are as many and as long.

What both panels show is what a projection makes of anything that moves; only what sets the first apart is the model's
(`gramviz.measure.random_walk`). Each panel has components and a scale of its own.
"""

from __future__ import annotations

import plotly.graph_objects as go
import xarray as xr

from gramviz import measure
from gramviz.theme import palette
from gramviz.views.latent import Panel
from gramviz.views.parts import (
    Margins,
    address,
    at_end,
    figure,
    halo_key,
    heading,
    outcome_keys,
    series_name,
    trajectory_name,
)
from gramviz.views.registry import Cursor, view

_PANEL, _GAP, _MARGINS = 406, 56, Margins(left=40, top=112, bottom=84)  # px


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
    colors = palette(theme)
    states = measure.ends(rollout)
    walk = measure.random_walk(states, seed)
    inner = 2 * _PANEL + _GAP
    drawn = figure(theme, inner, _PANEL, _MARGINS)
    now = at_end(rollout, at.step)
    shares = []
    for k, (one, title) in enumerate(((states, series_name(rollout)), (walk, "random walks, steps as long"))):
        projection = measure.project([one], "h", at.puzzle)
        shares.append(100 * projection.explained_2d)
        left = k * (_PANEL + _GAP) / inner
        panel = Panel(drawn, k + 1, (left, left + _PANEL / inner), projection, colors)
        panel.series(0, one.isel(puzzle=at.puzzle), projection.series[0], now, at.trajectory, 1)
        panel.finish([title])
    outcome_keys(drawn, measure.outcome(states).values[at.puzzle], theme)
    halo_key(drawn, colors)
    heading(
        drawn,
        f"Noise control, {address(rollout, at.step)}",
        f"These planes show {shares[0]:.1f} % of the variance of h, and {shares[1]:.1f} % of that of the walks",
        f"In ink: {trajectory_name(rollout, at.trajectory)}. What both panels share is not the model's.",
    )
    return drawn
