"""What several views share: figures of a fixed size, headings, time axes, lines with gaps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gramviz import measure
from gramviz.theme import LABEL, OutcomeMark, Palette, outcome_mark, template

# Outcomes in the order of a legend, and from the back of a picture to its front: what is correct lies on top.
LISTED = (measure.CORRECT, measure.WRONG, measure.NOT_FINISHED, measure.UNKNOWN, measure.DRAWN)
STACKED = (measure.DRAWN, measure.UNKNOWN, measure.NOT_FINISHED, measure.WRONG, measure.CORRECT)


@dataclass(frozen=True)
class Margins:
    """Room in px around the drawing of a figure."""

    left: int = 20
    right: int = 20
    top: int = 84
    bottom: int = 60


def figure(theme: str, width: int, height: int, margins: Margins) -> go.Figure:
    """An empty figure in the theme, whose drawing is this wide and high in CSS px."""
    high = height + margins.top + margins.bottom
    return go.Figure(
        layout={
            "template": template(theme),
            "width": width + margins.left + margins.right,
            "height": high,
            "legend": {"y": 10 / high},  # the legend's lower edge, 10 px above that of the figure
            "margin": {"l": margins.left, "r": margins.right, "t": margins.top, "b": margins.bottom},
        }
    )


def heading(figure: go.Figure, title: str, *lines: str) -> None:
    """Set a title and up to three lines under it, as plain text."""
    figure.update_layout(title={"text": escape(title), "subtitle": {"text": "<br>".join(map(escape, lines))}})


def line(drawn: go.Figure, x: Any, y: Any, meta: str, style: Mapping[str, Any], **more: Any) -> None:
    """A line without an entry in the legend, silent when pointed at unless `more` has a `hovertemplate`."""
    silent = {} if "hovertemplate" in more else {"hoverinfo": "skip"}
    defaults = {"mode": "lines", "showlegend": False, **silent}
    drawn.add_scatter(x=x, y=y, line=dict(style), meta=meta, **defaults | more)


def marks(
    drawn: go.Figure, x: Any, y: Any, meta: str | None, marker: Mapping[str, Any], texts: Sequence[str] | None = None,
    **more: Any,
) -> None:  # fmt: skip
    """Marks without an entry in the legend; each says its text when pointed at, without texts they are silent."""
    says = {"hoverinfo": "skip"} if texts is None else {"text": texts, "hovertemplate": "%{text}<extra></extra>"}
    defaults = {"mode": "markers", "showlegend": False, **says}
    drawn.add_scatter(x=x, y=y, marker=dict(marker), meta=meta, **defaults | more)


def note(drawn: go.Figure, x: Any, y: Any, text: str, color: str | None, size: int = LABEL, **more: Any) -> None:
    """A text on the figure; `more` as in plotly's annotations."""
    drawn.add_annotation(x=x, y=y, text=text, showarrow=False, font={"size": size, "color": color}, **more)


def beside(drawn: go.Figure, y: float, text: str, color: str, shift: int, size: int = LABEL, **more: Any) -> None:
    """A text right of the drawing, `shift` px away from it."""
    note(drawn, 1, y, text, color, size, xref="paper", xanchor="left", xshift=shift, **more)


def outcome_marker(mark: OutcomeMark, size: float = 8, width: float = 1.5) -> dict[str, Any]:
    """The shape and color of an outcome."""
    return {
        "symbol": mark.symbol, "size": size, "color": mark.color, "line": {"width": width, "color": mark.color}
    }  # fmt: skip


def halo(outside: NDArray[np.floating], color: str, opacity: float) -> dict[str, Any]:
    """Markers whose radius grows with the share of the energy outside the plane: 3 + 12 sqrt(share) px."""
    share = np.nan_to_num(outside, nan=1.0)
    return {"size": 2 * (3 + 12 * np.sqrt(share)), "color": color, "opacity": opacity, "line": {"width": 0}}


def now_line(drawn: go.Figure, now: int, style: Mapping[str, Any], **more: Any) -> None:
    """The cursor: a line over the whole height at a step."""
    drawn.add_shape(type="line", x0=now, x1=now, y0=0, y1=1, yref="paper", line=dict(style), **more)


def step_axis(states: xr.Dataset, low: float, high: float, **more: Any) -> dict[str, Any]:
    """An axis of transitions, which names the supervision steps."""
    where, names = supervision_ticks(states)
    return {
        "range": [low, high], "tickvals": where, "ticktext": names,
        "title": {"text": step_word(states), "standoff": 6}, "ticks": "outside", "ticklen": 4, **more,
    }  # fmt: skip


def key(drawn: go.Figure, words: str, marker: Mapping[str, Any]) -> None:
    """An entry of the legend that looks like the mark on the picture, not like the trace that draws it."""
    marks(drawn, [None], [None], "legend", {"size": 12, **marker}, name=words, showlegend=True)


def outcome_keys(drawn: go.Figure, codes: NDArray[np.integer], theme: str, listed: Sequence[int] = LISTED) -> None:
    """An entry of the legend for each outcome [trajectory] that occurs, with its count."""
    for code in listed:
        if count := int((codes == code).sum()):
            mark = outcome_mark(code, theme)
            line = {"width": 2, "color": mark.color}
            key(
                drawn, f"{mark.word} {count}",
                {"symbol": mark.symbol, "size": 10, "color": mark.color, "line": line},
            )  # fmt: skip


def halo_key(drawn: go.Figure, colors: Palette) -> None:
    """The entry of the legend that says what the ring of a head means."""
    key(drawn, "halo: energy outside the plane", {"symbol": "circle", "size": 15, "color": colors.gray, "opacity": 0.3})


def escape(text: str) -> str:
    """A text that plotly shows as it is: it reads a little markup, and names come from files."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def series_name(rollout: xr.Dataset) -> str:
    """What a reader calls a series."""
    return str(rollout.attrs.get("name") or rollout.attrs["model"])


def trajectory_name(rollout: xr.Dataset, trajectory: int) -> str:
    """A trajectory of a series in words: `GRAM #3 of 50`, counted from 0 as in Python."""
    return f"{series_name(rollout)} #{trajectory} of {rollout.sizes['trajectory']}"


def series_counts(rollouts: Sequence[xr.Dataset]) -> str:
    """`1 TRM trajectory and 50 GRAM trajectories`."""
    return " and ".join(plural(one.sizes["trajectory"], f"{series_name(one)} trajectory") for one in rollouts)


def plural(count: int, word: str) -> str:
    """`1 cell`, `3 cells`, `3 trajectories`."""
    return f"{count} {word if count == 1 else word[:-1] + 'ies' if word.endswith('y') else word + 's'}"


def broken(lines: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Several polylines [point, 2] as one [point, 2] with a gap (NaN) after each, so that one trace draws them all."""
    gap = np.full((1, 2), np.nan)
    parts = [np.asarray(part, np.float64) for line in lines for part in (line, gap)]
    return np.concatenate(parts) if parts else np.empty((0, 2))


def at_end(rollout: xr.Dataset, step: int) -> int:
    """Index among `measure.ends(rollout)` of the last end of a transition at or before the recorded state `step`."""
    return int(np.searchsorted(np.flatnonzero(rollout["low_step"].values == 0), step, side="right") - 1)


def supervision_ticks(states: xr.Dataset, most: int = 17) -> tuple[list[int], list[str]]:
    """Where an axis of transitions names the supervision steps, and the names; `init` at 0, at most `most` of them."""
    numbers = states["supervision_step"].values
    last = [int(np.flatnonzero(numbers == number)[-1]) for number in np.unique(numbers)]
    kept = last[:: max(1, -(-len(last) // most))]
    return kept, ["init" if numbers[k] == 0 else str(numbers[k]) for k in kept]


def step_word(rollout: xr.Dataset) -> str:
    """What the series's model calls its outermost step: `Supervision step`, `Denoising step`, ... Escaped."""
    return escape(str((json.loads(rollout.attrs.get("levels") or "[]") or ["Supervision step"])[0]))


def address(rollout: xr.Dataset, step: int) -> str:
    """`at step 7.2`, or `at the initial state`."""
    words = measure.address(rollout, step)
    return "at the initial state" if words == "init" else f"at step {words}"
