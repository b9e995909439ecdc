"""What several views share: figures of a fixed size, headings, time axes, lines with gaps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gramviz import measure
from gramviz.theme import OutcomeMark, template

# Outcomes in the order of a legend, and from the back of a picture to its front: what is correct lies on top.
LISTED = (measure.CORRECT, measure.WRONG, measure.NOT_FINISHED, measure.UNKNOWN, measure.DRAWN)
STACKED = (measure.DRAWN, measure.UNKNOWN, measure.NOT_FINISHED, measure.WRONG, measure.CORRECT)


def figure(theme: str, width: int, height: int, **layout: Any) -> go.Figure:
    """An empty figure of a fixed size in CSS px, in the theme."""
    below = {"y": 10 / height}  # the legend's lower edge, 10 px above that of the figure
    return go.Figure(layout={"template": template(theme), "width": width, "height": height, "legend": below, **layout})


def heading(figure: go.Figure, title: str, *lines: str) -> None:
    """Set a title and up to two lines under it, as plain text."""
    figure.update_layout(title={"text": escape(title), "subtitle": {"text": "<br>".join(map(escape, lines))}})


def key(drawn: go.Figure, words: str, marker: Mapping[str, Any]) -> None:
    """An entry of the legend that looks like the mark on the picture, not like the trace that draws it."""
    drawn.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={"size": 12, **marker},
        name=words,
        meta="legend",
        hoverinfo="skip",
        showlegend=True,
    )


def outcome_key(drawn: go.Figure, mark: OutcomeMark, count: int) -> None:
    """The entry of an outcome, with how many paths came to it."""
    line = {"width": 2, "color": mark.colour}
    key(drawn, f"{mark.word} {count}", {"symbol": mark.symbol, "size": 10, "color": mark.colour, "line": line})


def escape(text: str) -> str:
    """A text that plotly shows as it is: it reads a little markup, and names come from files."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def run_name(run: xr.Dataset) -> str:
    """What a reader calls a run."""
    return str(run.attrs.get("name") or run.attrs["model"])


def path_name(run: xr.Dataset, trajectory: int) -> str:
    """A path of a run in words: `GRAM, path 3 of 50`. Counted from 1."""
    return f"{run_name(run)}, path {trajectory + 1} of {run.sizes['trajectory']}"


def plural(count: int, word: str) -> str:
    """`1 cell`, `3 cells`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def broken(lines: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Several polylines [point, 2] as one [point, 2] with a gap (NaN) after each, so that one trace draws them all."""
    gap = np.full((1, 2), np.nan)
    parts = [np.asarray(part, np.float64) for line in lines for part in (line, gap)]
    return np.concatenate(parts) if parts else np.empty((0, 2))


def at_end(run: xr.Dataset, step: int) -> int:
    """Index among `measure.ends(run)` of the last end of a transition at or before the recorded state `step`."""
    return int(np.searchsorted(np.flatnonzero(run["low_step"].values == 0), step, side="right") - 1)


def supervision_ticks(states: xr.Dataset, most: int = 17) -> tuple[list[int], list[str]]:
    """Where an axis of transitions names the supervision steps, and the names; `init` at 0, at most `most` of them."""
    numbers = states["supervision_step"].values
    last = [int(np.flatnonzero(numbers == number)[-1]) for number in np.unique(numbers)]
    kept = last[:: max(1, -(-len(last) // most))]
    return kept, ["init" if numbers[k] == 0 else str(numbers[k]) for k in kept]


def step_word(run: xr.Dataset) -> str:
    """What the run's model calls its outermost step: `Supervision step`, `Denoising step`, ... Escaped."""
    return escape(str((json.loads(run.attrs.get("levels") or "[]") or ["Supervision step"])[0]))


def address(run: xr.Dataset, step: int) -> str:
    """`at step 7.2`, or `at the initial state`."""
    words = measure.address(run, step)
    return "at the initial state" if words == "init" else f"at step {words}"
