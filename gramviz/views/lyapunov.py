"""Lyapunov exponents along the trajectories: do neighbors of a trajectory fall back to it, or part from it?

Left the exponent up to each step, right the last one of each trajectory beside how the trajectory ended. Not one of
`VIEWS`: it draws what `gram.analysis.lyapunov.lyapunov` computes, which needs the model, beside the rollouts of the
same trajectories.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import RolloutError
from gramviz import measure
from gramviz.theme import LABEL, NOTE, outcome_mark, palette
from gramviz.views.parts import (
    STACKED,
    Margins,
    beside,
    broken,
    escape,
    figure,
    heading,
    line,
    marks,
    outcome_keys,
    outcome_marker,
    plural,
    series_name,
    step_axis,
)
from gramviz.views.registry import LETTERS

_WIDTH, _HEIGHT, _SPLIT = 724, 228, 0.6  # px; share of the width
_MARGINS = Margins(left=72, right=148, top=104, bottom=88)


def draw(
    exponents: Sequence[xr.Dataset], rollouts: Sequence[xr.Dataset], puzzle: int = 0, theme: str = "light"
) -> go.Figure:
    """The first exponent of 1 to 4 series.

    Args:
        exponents: as `gram.analysis.lyapunov.lyapunov` returns them, one per series.
        rollouts: of the same trajectories, which tell how each one ended.
    Raises:
        RolloutError: exponents and rollout are not of the same trajectories.
        ValueError: no series or more than four; or not one rollout for each.
    """
    colors = palette(theme)
    if not 1 <= len(exponents) <= len(LETTERS) or len(exponents) != len(rollouts):
        raise ValueError(
            f"{len(exponents)} exponents and {len(rollouts)} rollouts; give 1 to {len(LETTERS)}, a pair each"
        )
    drawn = figure(theme, _WIDTH, _HEIGHT, _MARGINS)
    all_codes, said = [], []
    for series, (found, rollout) in enumerate(zip(exponents, rollouts, strict=True)):
        states = measure.ends(rollout)
        values = found["exponent"].isel(puzzle=puzzle, direction=0).transpose("trajectory", "step").values
        if values.shape != (states.sizes["trajectory"], states.sizes["step"]):
            raise RolloutError(
                f"{LETTERS[series]} has exponents of {values.shape[0]} trajectories and {values.shape[1]} states, "
                f"and a rollout of {states.sizes['trajectory']} and {states.sizes['step']}; compute both with the same "
                "arguments"
            )
        codes = measure.outcome(states).values[puzzle]
        _series(drawn, series, values, codes, theme)
        all_codes.append(codes)
        said.append(_said(series, rollout, values[:, -1], codes))
    outcome_keys(drawn, np.concatenate(all_codes), theme)
    lead = max((measure.ends(one) for one in rollouts), key=lambda one: one.sizes["step"])
    drawn.update_layout(
        xaxis=step_axis(lead, 0, lead.sizes["step"] - 0.5, domain=[0, _SPLIT], showline=True),
        xaxis2={
            "domain": [_SPLIT + 0.05, 1], "anchor": "y", "range": [-0.6, len(rollouts) - 0.4],
            "tickvals": list(range(len(rollouts))), "title": {"text": "At the end, each trajectory", "standoff": 6},
            "ticktext": [f"{LETTERS[k]} {escape(series_name(one))}" for k, one in enumerate(rollouts)],
            "showline": True, "ticks": "outside", "ticklen": 4,
        },
        yaxis={"title": {"text": "Exponent so far, nats per transition", "standoff": 8}, "showline": True},
    )  # fmt: skip
    drawn.add_shape(type="line", x0=0, x1=1, xref="paper", y0=0, y1=0, line={"color": colors.ink, "width": 1})
    for text, shift in (("▲ neighbors part", 9), ("▼ neighbors fall back", -9)):  # beside the points, never on them
        beside(drawn, 0, text, colors.text2, 6, NOTE, yshift=shift, name="side")
    heading(drawn, "Lyapunov exponents along the trajectories", *_two(said))
    drawn.update_layout(legend={"font": {"size": LABEL}})
    return drawn


def _series(
    drawn: go.Figure, number: int, values: NDArray[np.floating], codes: NDArray[np.integer], theme: str
) -> None:
    """Exponents [trajectory, step] over time, and the last ones in the column of their series."""
    letter, single, steps = LETTERS[number], len(values) == 1, np.arange(values.shape[1])
    for code in STACKED:
        members = np.flatnonzero(codes == code)
        if not len(members):
            continue
        mark = outcome_mark(code, theme)
        x, y = broken([np.stack([steps, values[n]], 1)[1:] for n in members]).T
        style = {"color": mark.color, "width": 2.2 if single else 1.2, "dash": mark.dash}
        line(drawn, x, y, f"{letter} {mark.word}", style, opacity=1 if single else 0.65)
        place = [0.0] if single else np.random.default_rng(0).uniform(-0.3, 0.3, len(values))[members]
        marks(
            drawn, number + np.asarray(place), values[members, -1], f"{letter} ends {mark.word}",
            outcome_marker(mark, 9), [f"{letter} #{n}: {mark.word}" for n in members], xaxis="x2",
            hovertemplate="%{text}, %{y:.3f} nats per transition<extra></extra>",
        )  # fmt: skip


def _said(series: int, rollout: xr.Dataset, last: np.ndarray, codes: np.ndarray) -> str:
    """One series in words: medians of the correct and of the other trajectories."""
    words = f"{LETTERS[series]} {series_name(rollout)}, {plural(len(last), 'trajectory')}"
    right = codes == measure.CORRECT
    if right.all() or not right.any():
        return f"{words}, {'all' if right.any() else 'none'} correct: median {np.median(last):+.2f}"
    return (
        f"{words}: median of the {right.sum()} correct {np.median(last[right]):+.2f}, "
        f"of the {(~right).sum()} others {np.median(last[~right]):+.2f}"
    )


def _two(said: list[str]) -> list[str]:
    """The sentences in at most two lines."""
    half = -(-len(said) // 2)
    return [".  ".join(said[:half]), ".  ".join(said[half:])] if len(said) > 1 else said
