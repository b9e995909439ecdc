"""What a board shows of its positions, and the shapes that its pictures are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gramviz import measure
from gramviz.theme import Palette
from gramviz.views.parts import broken, escape, key, line, marks
from gramviz.views.registry import Cursor

Lines = Sequence[NDArray[np.float64]]  # polylines [point, 2] in cells, y down
UNSURE = 0.6  # below this certainty the runner-up is shown beside the token

# A queen in the unit square, y down: a crown of five points and a base; the same shape as in frontend/draw.js.
_CROWN = np.array(
    [(0.25, 0.7), (0.13, 0.36), (0.32, 0.52), (0.32, 0.24), (0.43, 0.48), (0.5, 0.2), (0.57, 0.48), (0.68, 0.24),
     (0.68, 0.52), (0.87, 0.36), (0.75, 0.7), (0.25, 0.7)]
)  # fmt: skip
_BALLS = ((0.12, 0.33), (0.31, 0.21), (0.5, 0.16), (0.69, 0.21), (0.88, 0.33))
_BASE = np.array([(0.23, 0.75), (0.77, 0.75), (0.77, 0.85), (0.23, 0.85), (0.23, 0.75)])


@dataclass(frozen=True)
class Shown:
    """What one board shows, per position."""

    tokens: NDArray[np.integer]  # of a given the given, whatever the answer says there
    decoded: NDArray[np.integer]
    given: NDArray[np.bool_]
    conflict: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    certainty: NDArray[np.floating] | None
    second: NDArray[np.integer] | None
    second_certainty: NDArray[np.floating] | None


def collect(rollout: xr.Dataset, board: Board, at: Cursor) -> Shown:
    """What the board of a rollout shows at a cursor."""
    one = measure.shown(rollout).isel(puzzle=[at.puzzle], trajectory=[at.trajectory])
    now = one.isel(step=[at.step])
    known = "probability" in one or "logits" in one
    runner_up = measure.second(now) if known else None
    here = (0, 0, 0)
    nothing = np.zeros(board.positions, bool)
    x, decoded = one["x"].values[0], now["tokens"].values[here]
    given = board.given(x)
    tokens = np.where(given, x, decoded)
    return Shown(
        tokens=tokens,
        decoded=decoded,
        given=given,
        conflict=(now["conflict"].values[here] if "conflict" in now and board.kind != "image" else nothing)
        | (tokens != decoded),
        changed=measure.changed(one).values[0, 0, at.step],
        certainty=measure.certainty(now).values[here] if known else None,
        second=runner_up["token"].values[here] if runner_up is not None else None,
        second_certainty=runner_up["probability"].values[here] if runner_up is not None else None,
    )


def areas(drawn: go.Figure, name: str, outlines: Lines, color: str) -> None:
    """Filled outlines."""
    if outlines:
        x, y = broken(outlines).T
        line(drawn, x, y, name, {"width": 0, "color": color}, fill="toself", fillcolor=color, name=name)


def lines(
    drawn: go.Figure,
    name: str,
    trajectories: Lines,
    color: str,
    width: float,
    *,
    opacity: float = 1,
    legend: str | None = None,
) -> None:
    """Polylines; with an entry in the legend where it has words."""
    if trajectories:
        x, y = broken(trajectories).T
        entry = {"name": legend or name, "showlegend": legend is not None}
        line(drawn, x, y, name, {"color": color, "width": width}, opacity=opacity, **entry)


def text(
    drawn: go.Figure,
    name: str,
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    texts: list[str],
    color: list[str],
    size: float,
    *,
    bold: bool,
) -> None:
    """A text at each place."""
    drawn.add_scatter(
        x=x, y=y, mode="text", text=[escape(text) for text in texts], name=name, meta=name, showlegend=False,
        textfont={"size": size, "color": color, "weight": 700 if bold else 400}, hoverinfo="skip",
    )  # fmt: skip


def changed_key(drawn: go.Figure, colors: Palette) -> None:
    """The entry of the legend for a change."""
    key(drawn, "changed in this step", {"symbol": "square-open", "color": colors.ink, "line": {"width": 2}})


def speak(
    drawn: go.Figure, board: Board, shown: Shown, x: NDArray[np.floating], y: NDArray[np.floating],
    input: bool = False,
) -> None:  # fmt: skip
    """Invisible marks that say each position in a sentence when pointed at; the figure's text alternative."""
    sentences = []
    for p in range(board.positions):
        words = [f"<b>{board.place(p)}</b>: {escape(board.tokens[shown.tokens[p]].label)}"]
        words.append("input" if input else "given" if shown.given[p] else "guess")
        if shown.decoded[p] != shown.tokens[p]:
            words.append(f"the answer has {escape(board.tokens[shown.decoded[p]].label)} against it")
        words += ["changed"] * bool(shown.changed[p])
        words += ["breaks a rule" if board.ruled else "not as in the solution"] * bool(shown.conflict[p])
        if shown.certainty is not None:
            words.append(f"certainty {shown.certainty[p]:.2f}")
            if shown.second is not None and shown.second_certainty is not None:
                label = escape(board.tokens[shown.second[p]].label)
                words[-1] += f" (next: {label} at {shown.second_certainty[p]:.2f})"
        sentences.append(", ".join(words))
    invisible = {"size": 18, "opacity": 0, "symbol": "square"}
    marks(drawn, x, y, "cells", invisible, sentences, name="cells")


def squares(places: NDArray[np.integer], width: int) -> list[NDArray[np.float64]]:
    """The outlines of cells."""
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], np.float64)
    return [moved(square, p % width, p // width) for p in places]


def moved(line: NDArray[np.float64], x: float, y: float) -> NDArray[np.float64]:
    """A line [point, 2] moved by (x, y)."""
    return line + np.array([x, y])


def rules(board: Board, rows: int = 1, columns: int = 1) -> list[NDArray[np.float64]]:
    """Horizontal and vertical lines of a grid every few rows and columns."""
    level = [np.array([(0, y), (board.width, y)], np.float64) for y in range(0, board.height + 1, rows)]
    return level + [np.array([(x, 0), (x, board.height)], np.float64) for x in range(0, board.width + 1, columns)]


def queen() -> list[NDArray[np.float64]]:
    """Outlines of a queen in the middle of a unit cell."""
    turn = np.linspace(0, 2 * np.pi, 13)
    ball = 0.045 * np.stack([np.cos(turn), np.sin(turn)], 1)
    return [0.12 + 0.76 * part for part in (_CROWN, *(ball + center for center in _BALLS), _BASE)]
