"""The curves of a training run, from its folder: what `metrics.jsonl` holds, in lanes over one axis of optimizer steps.

    gv.views.training.draw("runs/queens")       # a run that trains, one that has ended, or an artifact

One color for each kind of row (docs/training.md), the same in all lanes, so there is one legend. A lane of which
nothing was measured is left out. It needs no rollout, so it is not among `VIEWS`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gram import run_folder
from gramviz.theme import NOTE, Palette, palette
from gramviz.views.parts import Margins, beside, figure, heading, line, note, now_line

_WIDTH, _LANE, _GAP = 600, 84, 22  # px
_MARGINS = Margins(left=152, right=70, top=84, bottom=108)


@dataclass(frozen=True)
class Lane:
    """One lane: its name, its unit, the metrics that it shows (name -> kind of row), and whether its top is at least 1.

    `instead` are shown where none of them was measured.
    """

    title: str
    unit: str
    metrics: dict[str, str]
    share: bool = False
    instead: dict[str, str] | None = None


# Kinds of rows, in the order of the legend; of each its color, dash, and what a reader calls it.
KINDS: dict[str, tuple[str, str, str]] = {
    "prior": ("blue", "solid", "prior rows"),
    "posterior": ("purple", "dash", "posterior rows"),
    "learning": ("ink", "solid", "all learning rows"),
    "hinted": ("gold", "dot", "rows with extra givens"),
    "held out": ("green", "solid", "held-out puzzles"),
}
LANES = (
    Lane(
        "Accuracy", "share of rows<br>that end solved",
        {
            "prior_exact": "prior", "posterior_exact": "posterior", "target_exact": "learning",
            "hinted_exact": "hinted", "held_out/accuracy": "held out",
        },
        share=True,
    ),
    Lane("Coverage", "share of the<br>solutions found", {"held_out/coverage": "held out"}, share=True),
    Lane(
        "Cross-entropy", "nats per token",
        {"token_prior": "prior", "token_posterior": "posterior"}, instead={"token": "learning"},
    ),
    Lane("KL rate", "nats per token", {"kl_posterior": "posterior"}),
    Lane("Bound", "nats per token", {"bound": "learning"}),
    Lane("Learning rate", "of AdamW", {"lr": "learning"}),
)  # fmt: skip


def draw(run: str | os.PathLike[str], theme: str = "light", *, at: int | None = None) -> go.Figure:
    """The curves of the run, or checkpoint, in the folder `run`, as far as they have come.

    Args:
        theme: light or dark.
        at: an optimizer step that is marked by a line.
    Raises:
        RunFolderError: there is no run.
    """
    folder, colors = Path(run), palette(theme)
    steps = run_folder.all_steps(folder)
    measured = [run_folder.flat(one) for one in run_folder.lines(folder)]
    last = measured[-1] if measured else {"step": 0, "seconds": 0}
    known = {name for one in measured for name in one}
    lanes = [(lane, shown) for lane in LANES if (shown := _shown(lane, known))]
    inner = max(1, len(lanes)) * (_LANE + _GAP) - _GAP
    drawn = figure(theme, _WIDTH, inner, _MARGINS)
    for number, (lane, shown) in enumerate(lanes, 1):
        high = 1 - (number - 1) * (_LANE + _GAP) / inner
        _lane(drawn, "" if number == 1 else str(number), lane, shown, measured, (high - _LANE / inner, high), colors)
    drawn.update_layout(
        xaxis={
            "range": [0, 1.01 * (last["step"] or steps)], "domain": [0, 1], "separatethousands": True,
            "anchor": f"y{len(lanes) if len(lanes) > 1 else ''}", "ticks": "outside", "ticklen": 4,
            "title": {"text": "Optimizer steps", "standoff": 6},
        },
        hovermode="x",
    )  # fmt: skip
    if not lanes:
        drawn.update_layout(xaxis={"visible": False}, yaxis={"visible": False})
    kinds = {kind for _, shown in lanes for kind in shown.values()}
    for kind in (kind for kind in KINDS if kind in kinds):
        drawn.add_scatter(
            x=[None], y=[None], name=KINDS[kind][2], meta="legend", hoverinfo="skip", legendgroup=kind,
            **_look(kind, colors),
        )  # fmt: skip
    if at is not None:
        now_line(drawn, at, {"color": colors.ink, "width": 1.4}, xref="x")
    heading(
        drawn,
        f"Training of {folder.resolve().name}",
        f"{last['step']:,} of {steps:,} optimizer steps in {duration(last['seconds'])}",
        "Each point is the mean since the one before." if measured else "Nothing was measured yet.",
    )
    return drawn


def duration(seconds: float) -> str:
    """`42 seconds`, `7 minutes`, `3.2 hours`."""
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def _shown(lane: Lane, known: set[str]) -> dict[str, str]:
    """The metrics of a lane that were measured, with their kinds of row."""
    found = {name: kind for name, kind in lane.metrics.items() if name in known}
    return found or {name: kind for name, kind in (lane.instead or {}).items() if name in known}


def _look(kind: str, colors: Palette) -> dict[str, Any]:
    """Rows are measured all the time, held-out puzzles now and then: those have marks."""
    hue, dash, _ = KINDS[kind]
    look: dict[str, Any] = {"mode": "lines", "line": {"color": getattr(colors, hue), "width": 2, "dash": dash}}
    return look | ({"mode": "lines+markers", "marker": {"size": 6}} if kind == "held out" else {})


def _lane(
    drawn: go.Figure,
    number: str,
    lane: Lane,
    shown: dict[str, str],
    measured: list[dict[str, float]],
    domain: tuple[float, float],
    colors: Palette,
) -> None:
    top, said = 1.0 if lane.share else 0.0, []
    for name, kind in shown.items():
        points = [(one["step"], one[name]) for one in measured if name in one]
        x, y = np.array(points, dtype=np.float64).T
        top = max(top, float(np.nanmax(y, initial=0.0)))
        look = _look(kind, colors)
        words = f"{KINDS[kind][2]} %{{y:.3g}}<extra></extra>"
        line(
            drawn, x, y, name, look.pop("line"), xaxis="x", yaxis=f"y{number}", legendgroup=kind, hovertemplate=words,
            **look,
        )  # fmt: skip
        hue = "text2" if KINDS[kind][0] == "gold" else KINDS[kind][0]  # gold is no color for text
        said.append(f"<span style='color:{getattr(colors, hue)}'>{y[-1]:.{3 if y[-1] > 0.01 else 2}g}</span>")
    drawn.layout[f"yaxis{number}"] = {
        "domain": domain, "anchor": "x", "range": [-0.04 * (top or 1.0), (top or 1.0) * 1.06], "nticks": 3,
        "showline": True,
    }  # fmt: skip
    unit = f"<span style='font-size:{NOTE}px;color:{colors.text3}'>{lane.unit}</span>"
    middle, common = sum(domain) / 2, dict[str, Any](yref="paper", yanchor="middle", align="left")
    note(
        drawn, 0, middle, f"<b>{lane.title}</b><br>{unit}", colors.ink,
        xref="paper", xanchor="left", xshift=16 - _MARGINS.left, **common,
    )  # fmt: skip
    beside(drawn, middle, "<br>".join(said), colors.ink, 8, **common)
