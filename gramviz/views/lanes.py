"""What river and answer map share: which series they take, and how lanes and trajectories are named and marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gramviz import measure
from gramviz.measure.answer_space import AnswerSpace
from gramviz.theme import outcome_mark, palette
from gramviz.views.parts import LISTED, STACKED, broken, escape, key, line, marks, outcome_marker

NO_LANE = "No trajectory stays at an answer."
_HOMELESS = "no answer"


def space_of(rollouts: Sequence[xr.Dataset], puzzle: int) -> tuple[list[xr.Dataset], AnswerSpace, list[str]]:
    """The ends of transitions of some series, their answer space, and the names of its lanes: `a x 11`."""
    states = [measure.ends(rollout) for rollout in rollouts]
    space = measure.answer_space(states, puzzle)
    letters = space.letters(measure.answers(states, puzzle))
    series = np.repeat(np.arange(len(space.sizes)), space.sizes)
    names = []
    for k, letter in enumerate(letters):
        counts = [int((space.found.last[series == s] == k).sum()) for s in range(len(space.sizes))]
        word = letter or ("right" if space.found.right[k] else "wrong")
        names.append(f"{word} × {' / '.join(map(str, counts))}")
    return states, space, names


def lane_color(space: AnswerSpace, lane: int, theme: str) -> str:
    """The color of a lane by its verdict."""
    colors = palette(theme)
    if not space.judged:
        return colors.text2
    return colors.blue if space.found.right[lane] else colors.vermilion


def cell_name(board: Board, position: int) -> str:
    """`r4c6`, or `n3` in a graph."""
    if board.kind == "graph":
        return f"n{position + 1}"
    return f"r{position // board.width + 1}c{position % board.width + 1}"


def draw_trajectories(
    drawn: go.Figure, space: AnswerSpace, points: NDArray[np.floating], now: int, ink: int, names: Sequence[str],
    theme: str,
) -> None:  # fmt: skip
    """All trajectories thin, by how they end, with their heads at a state; one of them in ink.

    Args:
        points: [trajectory, step, axis].
        names: what a head says when pointed at.
    """
    for code in STACKED:
        members = [int(i) for i in np.flatnonzero(space.marks == code) if i != ink]
        if not members:
            continue
        mark = outcome_mark(code, theme)
        x, y = broken(list(points[members])).T
        line(drawn, x, y, "trajectories", {"color": mark.color, "width": 1}, opacity=0.45)
        x, y = points[members, now].T
        marks(drawn, x, y, "heads", outcome_marker(mark, 6), [escape(names[i]) for i in members])
    color = palette(theme).ink
    x, y = points[ink].T
    line(drawn, x, y, "in ink", {"color": color, "width": 2.5})
    marks(drawn, [x[now]], [y[now]], "head", {"size": 11, "color": color}, [escape(names[ink])])


def mark_keys(drawn: go.Figure, space: AnswerSpace, theme: str) -> None:
    """An entry of the legend for each way to end that occurs, with its count."""
    for code in LISTED:
        if count := int((space.marks == code).sum()):
            mark = outcome_mark(code, theme)
            word = _HOMELESS if code == measure.NOT_FINISHED else mark.word
            style: dict[str, Any] = {"symbol": mark.symbol, "size": 10, "color": mark.color}
            key(drawn, f"{word} {count}", style | {"line": {"width": 2, "color": mark.color}})
