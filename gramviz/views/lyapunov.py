"""Lyapunov exponents along the paths: do neighbours of a path fall back to it, or part from it?

Left the exponent up to each step, right the last one of each path beside how the path ended. Not one of `VIEWS`: it
draws what `gram.analysis.lyapunov.lyapunov` computes, which needs the model, beside the rollouts of the same paths.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from gram.rollout import RolloutError
from gramviz import measure
from gramviz.theme import LABEL, NOTE, outcome_mark, palette
from gramviz.views import LETTERS
from gramviz.views.parts import (
    LISTED,
    STACKED,
    broken,
    escape,
    figure,
    heading,
    outcome_key,
    plural,
    run_name,
    step_word,
    supervision_ticks,
)

_WIDTH, _HEIGHT, _SPLIT, _LEFT, _RIGHT, _TOP, _BOTTOM = 944, 420, 0.6, 72, 148, 104, 88  # px; share of the width


def draw(
    exponents: Sequence[xr.Dataset], rollouts: Sequence[xr.Dataset], puzzle: int = 0, theme: str = "light"
) -> go.Figure:
    """The first exponent of 1 to 4 runs.

    Args:
        exponents: as `gram.analysis.lyapunov.lyapunov` returns them, one per run.
        rollouts: of the same paths, which tell how each one ended.
    Raises:
        RolloutError: exponents and rollout are not of the same paths.
        ValueError: no run or more than four; or not one rollout for each.
    """
    colours = palette(theme)
    if not 1 <= len(exponents) <= len(LETTERS) or len(exponents) != len(rollouts):
        raise ValueError(
            f"{len(exponents)} exponents and {len(rollouts)} rollouts; give 1 to {len(LETTERS)}, a pair each"
        )
    drawn = figure(theme, _WIDTH, _HEIGHT, margin={"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BOTTOM})
    counts = dict.fromkeys(LISTED, 0)
    said, longest = [], 0
    for run, (found, rollout) in enumerate(zip(exponents, rollouts, strict=True)):
        states = measure.ends(rollout)
        values = found["exponent"].isel(puzzle=puzzle, direction=0).transpose("trajectory", "step").values
        if values.shape != (states.sizes["trajectory"], states.sizes["step"]):
            raise RolloutError(
                f"{LETTERS[run]} has exponents of {values.shape[0]} paths and {values.shape[1]} states, and a rollout "
                f"of {states.sizes['trajectory']} and {states.sizes['step']}; compute both with the same arguments"
            )
        codes = measure.outcome(states).values[puzzle]
        steps = np.arange(values.shape[1])
        longest = max(longest, len(steps) - 1)
        for code in STACKED:
            members = np.flatnonzero(codes == code)
            counts[code] += len(members)
            if not len(members):
                continue
            mark = outcome_mark(code, theme)
            x, y = broken([np.stack([steps, values[n]], 1)[1:] for n in members]).T
            line = {"color": mark.colour, "width": 2.2 if len(values) == 1 else 1.2, "dash": mark.dash}
            drawn.add_scatter(
                x=x, y=y, mode="lines", line=line, opacity=1 if len(values) == 1 else 0.65, hoverinfo="skip",
                showlegend=False, meta=f"{LETTERS[run]} {mark.word}",
            )  # fmt: skip
            place = np.random.default_rng(0).uniform(-0.3, 0.3, len(values))[members] if len(values) > 1 else [0.0]
            drawn.add_scatter(
                x=run + np.asarray(place), y=values[members, -1], mode="markers", xaxis="x2", showlegend=False,
                meta=f"{LETTERS[run]} ends {mark.word}",
                marker={
                    "symbol": mark.symbol, "size": 9, "color": mark.colour, "line": {"width": 1.5, "color": mark.colour}
                },
                text=[f"{LETTERS[run]} #{n + 1}: {mark.word}" for n in members],
                hovertemplate="%{text}, %{y:.3f} nats per transition<extra></extra>",
            )  # fmt: skip
        said.append(_said(run, rollout, values[:, -1], codes))
    for code in LISTED:
        if counts[code]:
            outcome_key(drawn, outcome_mark(code, theme), counts[code])
    lead = max((measure.ends(one) for one in rollouts), key=lambda one: one.sizes["step"])
    where, names = supervision_ticks(lead)
    axis = {"showline": True, "ticks": "outside", "ticklen": 4}
    drawn.update_layout(
        xaxis={
            "domain": [0, _SPLIT], "range": [0, longest + 0.5], "tickvals": where, "ticktext": names,
            "title": {"text": step_word(lead), "standoff": 6}, **axis,
        },
        xaxis2={
            "domain": [_SPLIT + 0.05, 1], "anchor": "y", "range": [-0.6, len(rollouts) - 0.4],
            "tickvals": list(range(len(rollouts))), "title": {"text": "At the end, each path", "standoff": 6},
            "ticktext": [f"{LETTERS[k]} {escape(run_name(one))}" for k, one in enumerate(rollouts)], **axis,
        },
        yaxis={"title": {"text": "Exponent so far, nats per transition", "standoff": 8}, "showline": True},
    )  # fmt: skip
    drawn.add_shape(type="line", x0=0, x1=1, xref="paper", y0=0, y1=0, line={"color": colours.ink, "width": 1})
    for text, shift in (("▲ neighbours part", 9), ("▼ neighbours fall back", -9)):  # beside the points, never on them
        drawn.add_annotation(
            x=1, xref="paper", y=0, text=text, showarrow=False, xanchor="left", yshift=shift, xshift=6,
            font={"size": NOTE, "color": colours.text2}, name="side",
        )  # fmt: skip
    heading(drawn, "Lyapunov exponents along the paths", *_two(said))
    drawn.update_layout(legend={"font": {"size": LABEL}})
    return drawn


def _said(run: int, rollout: xr.Dataset, last: np.ndarray, codes: np.ndarray) -> str:
    """One run in words: medians of the correct and of the other paths."""
    words = f"{LETTERS[run]} {run_name(rollout)}, {plural(len(last), 'path')}"
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
