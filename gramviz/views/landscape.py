"""The loss landscape: what the answer costs at each point of a plane of states, and the trajectories over it (Fig. 18,
19).

By default the plane of the first two components, with the loss interpolated between recorded states and left blank
where none came near (`gramviz.measure.landscape`), as in the paper. Given a plane that the model itself was asked
about (`gram.analysis.plane.landscape`), that one: each of its points is then a state of its own.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gramviz import measure
from gramviz.theme import NOTE, Palette, outcome_mark, palette
from gramviz.views.parts import (
    STACKED,
    Margins,
    address,
    at_end,
    broken,
    figure,
    halo,
    heading,
    line,
    marks,
    note,
    outcome_keys,
    outcome_marker,
    series_name,
    trajectory_name,
)
from gramviz.views.registry import Cursor, view

_SIZE, _MARGINS = 500, Margins(left=46, right=124, top=104, bottom=80)  # px
_BANDS = 8  # of equal width in the logarithm of the loss, or in the number of violated rules
_FLOOR = 1e-3  # nats per position: what costs less is drawn as this


@view("Loss landscape", needs=("h",))
def draw(
    rollout: xr.Dataset,
    at: Cursor = Cursor(),  # noqa: B008
    theme: str = "light",
    *,
    plane: xr.Dataset | None = None,
) -> go.Figure:
    """The landscape of one puzzle with all its trajectories up to the cursor; its own trajectory in ink.

    Args:
        plane: of `gram.analysis.plane.landscape` for this rollout and puzzle; by default interpolated between
            recorded states.
    Raises:
        RolloutError: h was not recorded.
        ValueError: the plane is that of other trajectories.
    """
    colors = palette(theme)
    states = measure.ends(rollout)
    asked = plane is not None
    found = measure.landscape(states, at.puzzle) if plane is None else plane
    places, outside = found["coordinates"].values, found["outside"].values
    if places.shape[:2] != (states.sizes["trajectory"], states.sizes["step"]):
        raise ValueError(
            f"this plane shows {places.shape[0]} trajectories of {places.shape[1]} states, the rollout has "
            f"{states.sizes['trajectory']} of {states.sizes['step']}; draw the plane for this rollout"
        )
    drawn = figure(theme, _SIZE, _SIZE, _MARGINS)
    _ground(drawn, found, colors)
    now = at_end(rollout, at.step)
    codes = measure.outcome(states).values[at.puzzle]
    _trajectories(drawn, places, outside, codes, now, at.trajectory, colors)
    outcome_keys(drawn, codes, theme)
    rows, columns = found["row"].values, found["column"].values
    titles = ["In the plane through three states", ""]
    if not asked:
        titles = [
            f"PC {k + 1}   {100 * share:.1f} % of the variance of h" for k, share in enumerate(found.attrs["variance"])
        ]
    drawn.update_xaxes(
        range=[columns[0], columns[-1]], showticklabels=False, title={"text": titles[0], "standoff": 8},
        mirror=True, showline=True, constrain="domain",
    )  # fmt: skip
    drawn.update_yaxes(
        range=[rows[0], rows[-1]], showticklabels=False, scaleanchor="x", mirror=True, showline=True,
        constrain="domain", title={"text": titles[1], "standoff": 8},
    )  # fmt: skip
    far = float(np.nanmedian(outside[:, now]))
    kind = "each point is a state that the decoder was asked about" if asked else "between recorded states, else blank"
    heading(
        drawn,
        f"Loss landscape, {address(rollout, at.step)}",
        f"{series_name(rollout)}: loss in {found.attrs['unit']}, {kind}",
        f"{100 * far:.0f} % of a typical head is outside the plane; in ink: {trajectory_name(rollout, at.trajectory)}",
    )
    return drawn


def _ground(drawn: go.Figure, found: xr.Dataset, colors: Palette) -> None:
    """The loss in bands, darker where it is lower; a line round the states whose answer is correct."""
    loss = found["loss"].values.astype(np.float64)
    nats = found.attrs["unit"] != "violated rules"
    height = np.log10(np.maximum(loss, _FLOOR)) if nats else loss
    low, high = float(np.nanmin(height)), float(np.nanmax(height))
    step = max((high - low) / _BANDS, 1e-9)
    grays = colors.landscape[::-1]
    at = np.linspace(low, high, 5)
    drawn.add_contour(
        x=found["column"].values,
        y=found["row"].values,
        z=height,
        colorscale=[[k / (len(grays) - 1), gray] for k, gray in enumerate(grays)],
        contours={"start": low + step, "end": high - step / 2, "size": step, "coloring": "fill"},
        line={"color": colors.edge, "width": 0.6},
        zmin=low,
        zmax=high,
        connectgaps=False,
        hovertemplate="loss %{text}<extra></extra>",
        text=np.array([[f"{value:.3g}" for value in row] for row in loss]),
        meta="landscape",
        colorbar={
            "tickvals": at,
            "ticktext": [f"{10**value:.2g}" if nats else f"{value:.1f}" for value in at],
            "tickfont": {"size": NOTE, "color": colors.text3},
            "thickness": 12,
            "len": 0.6,
            "outlinecolor": colors.line,
            "x": 1.02,
        },
    )
    # The bar's own title would stand on its topmost tick.
    note(
        drawn, 1.02, 0.8, f"loss,<br>{found.attrs['unit']}", colors.text2, NOTE,
        xref="paper", yref="paper", xanchor="left", yanchor="bottom", xshift=6, yshift=2, align="left", name="unit",
    )  # fmt: skip
    if "valid" in found and found["valid"].values.any():
        drawn.add_contour(
            x=found["column"].values,
            y=found["row"].values,
            z=found["valid"].values.astype(float),
            contours={"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"},
            line={"color": colors.blue, "width": 2, "dash": "dash"},
            showscale=False,
            hoverinfo="skip",
            meta="correct",
            name="dashed: a correct answer inside",
            showlegend=True,
        )


def _trajectories(
    drawn: go.Figure,
    places: NDArray[np.floating],
    outside: NDArray[np.floating],
    codes: NDArray[np.integer],
    now: int,
    chosen: int,
    colors: Palette,
) -> None:
    """Trajectories by outcome up to the cursor, heads with halos, and one trajectory in ink."""
    for code in STACKED:
        mark = outcome_mark(code, colors.name)
        members = [int(n) for n in np.flatnonzero(codes == code)]
        if not members:
            continue
        if now:
            x, y = broken([places[n, : now + 1] for n in members]).T
            line(drawn, x, y, f"past {mark.word}", {"color": mark.color, "width": 1.1}, opacity=0.5)
        x, y = places[members, now].T
        share = outside[members, now]
        marks(drawn, x, y, "halo", halo(share, mark.color, 0.12))
        lost = 100 * np.nan_to_num(share, nan=1.0)
        texts = [f"#{n}: {mark.word}<br>{s:.0f} % outside" for n, s in zip(members, lost, strict=True)]
        marks(drawn, x, y, f"heads {mark.word}", outcome_marker(mark), texts)
    x, y = places[chosen, : now + 1].T
    line(drawn, x, y, "casing", {"color": colors.bg, "width": 5.5})
    line(drawn, x, y, "chosen", {"color": colors.ink, "width": 2.4})
    mark = outcome_mark(int(codes[chosen]), colors.name)
    disk = {"symbol": "circle", "size": 17, "color": colors.bg, "line": {"width": 2, "color": colors.ink}}
    for marker in (disk, outcome_marker(mark, width=2)):
        marks(drawn, x[-1:], y[-1:], "chosen head", marker)
    if now:
        x, y = places[0, 0]
        note(drawn, x, y, "init", None, yshift=-18, name="init", bgcolor=colors.bg, opacity=0.9, borderpad=1)
        diamond = {"symbol": "diamond", "size": 10, "color": colors.bg, "line": {"color": colors.ink, "width": 2}}
        marks(drawn, places[:1, 0, 0], places[:1, 0, 1], "init", diamond)
