"""The board of a graph: nodes, edges, and the edges that break a rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gram.board import Board
from gramviz import measure
from gramviz.theme import NOTE, Palette, readable, token_color
from gramviz.views.cells import UNSURE, Shown, changed_key, lines, text
from gramviz.views.parts import key, marks


def graph(drawn: go.Figure, board: Board, shown: Shown, colors: Palette) -> None:
    """Nodes as circles with a color and a letter; an edge whose ends clash is thick and zigzags, its ends have a ring.

    A node without a color is hollow; one that shows another token than a color (an untrained model may) names it.
    """
    place = places(board)
    clashing = set(measure.conflict_pairs(board, shown.tokens))
    calm: list[NDArray[np.float64]] = []
    angry: list[NDArray[np.float64]] = []
    for group in board.groups:
        for a, b in ((a, b) for k, a in enumerate(group) for b in group[k + 1 :]):
            (angry if (min(a, b), max(a, b)) in clashing else calm).append(place[[a, b]])
    lines(drawn, "edge", calm, colors.edge, 1.8)
    lines(drawn, "conflict", [_zigzag(*line) for line in angry], colors.vermilion, 2.5, legend="breaks a rule")
    hues = [t for t, token in enumerate(board.tokens) if token.glyph == "color"]
    # A smaller graph pads its board with nodes that do not exist; where padding means "not given" they do.
    padding = [t for t, token in enumerate(board.tokens) if token.label.startswith("pad") and t not in board.blank]
    used = np.flatnonzero(~np.isin(shown.tokens, padding))
    fills = [
        token_color(board.tokens[token], hues.index(token), colors.name) if token in hues else colors.bg
        for token in map(int, shown.tokens[used])
    ]
    rings = used[shown.conflict[used]]
    if len(rings):
        _nodes(drawn, "conflict ring", place[rings], 38, {"color": colors.vermilion, "width": 2.5}, "circle-open")
    _nodes(
        drawn, "node", place[used], 30, {"color": colors.ink, "width": np.where(shown.given[used], 3.5, 1.2)},
        "circle", fills,
    )  # fmt: skip
    if shown.given[used].any():
        key(drawn, "given", {"color": colors.bg, "line": {"color": colors.ink, "width": 3}})
    symbols = ["" if t in board.blank else board.tokens[t].symbol for t in shown.tokens[used]]
    x, y = place[used].T
    text(drawn, "node text", x, y, symbols, [readable(fill, colors.name) for fill in fills], 14, bold=True)
    changed = used[shown.changed[used]]
    if len(changed):
        _nodes(drawn, "changed", place[changed], 44, {"color": colors.ink, "width": 2}, "square-open")
        changed_key(drawn, colors)
    if shown.certainty is not None:
        _certainty(drawn, board, shown, place, [int(p) for p in used if not shown.given[p]], colors)


def _certainty(
    drawn: go.Figure, board: Board, shown: Shown, place: NDArray[np.float64], guesses: list[int], colors: Palette
) -> None:
    """A bar under each guess, and the runner-up where the guess is not sure."""
    certainty, second = shown.certainty, shown.second
    if certainty is None or second is None:
        return
    starts = place[guesses] + np.array([-0.04, 0.071])
    scales = [np.array([at, at + np.array((0.08, 0))]) for at in starts]
    bars = [np.array([at, at + np.array((0.08 * certainty[p], 0))]) for at, p in zip(starts, guesses, strict=True)]
    lines(drawn, "certainty casing", scales, colors.bg, 7)  # a bar must show on every edge
    lines(drawn, "certainty scale", scales, colors.line, 3)
    lines(drawn, "certainty", bars, colors.text2, 3, legend="certainty")
    unsure = [p for p in guesses if certainty[p] < UNSURE and second[p] not in board.blank]
    if unsure:
        x, y = place[unsure].T
        texts = [board.tokens[second[p]].symbol for p in unsure]
        text(drawn, "runner-up", x + 0.065, y + 0.045, texts, [colors.text2] * len(unsure), NOTE, bold=False)


def _nodes(
    drawn: go.Figure,
    name: str,
    place: NDArray[np.float64],
    size: int,
    line: Mapping[str, Any],
    symbol: str,
    fill: list[str] | str | None = None,
) -> None:
    """Marks [node, 2] of one shape, `size` px wide; without a fill, the outline has the line's color."""
    marker = {"size": size, "symbol": symbol, "color": line["color"] if fill is None else fill, "opacity": 1}
    marks(drawn, place[:, 0], place[:, 1], name, marker | {"line": dict(line)}, name=name)


def places(board: Board) -> NDArray[np.float64]:
    """Where the nodes are [node, 2]; on a circle for a graph that came without places."""
    if board.xy is not None:
        return np.array(board.xy, np.float64)
    angle = 2 * np.pi * np.arange(board.positions) / board.positions
    return np.stack([0.5 + 0.45 * np.sin(angle), 0.5 - 0.45 * np.cos(angle)], 1)


def _zigzag(
    a: NDArray[np.float64], b: NDArray[np.float64], turns: int = 9, width: float = 0.018
) -> NDArray[np.float64]:
    along = np.linspace(0, 1, 2 * turns + 1)[:, None]
    across = np.array([a[1] - b[1], b[0] - a[0]]) / max(float(np.hypot(*(b - a))), 1e-9)
    swing = np.zeros((2 * turns + 1, 1))
    swing[1::2, 0] = width * (-1.0) ** np.arange(turns)
    return a + (b - a) * along + across * swing
