"""The board as a grid of texts, queens, colors or pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gram.board import Board
from gramviz import measure
from gramviz.theme import NOTE, Palette, readable, token_color
from gramviz.views.cells import UNSURE, Shown, areas, changed_key, lines, moved, queen, rules, squares, text
from gramviz.views.parts import key, marks


def grid(drawn: go.Figure, board: Board, shown: Shown, colors: Palette, cell: float) -> None:
    """A grid of text, queens or colors. `cell` is the size of a cell in px."""
    row, column = np.divmod(np.arange(board.positions), board.width)
    quiet = np.isin(shown.tokens, board.blank)  # "nothing here" is drawn as nothing
    if board.apart:  # save where every place may hold a color, black among them
        _blanks(drawn, np.flatnonzero(quiet), board.width, colors)
    glyphs = np.array([token.glyph for token in board.tokens])[shown.tokens]
    if board.checkered:
        areas(drawn, "checkered", squares(np.flatnonzero((row + column) % 2 == 1), board.width), colors.sunk)
    tinted = np.flatnonzero(shown.given & (glyphs != "color"))
    areas(drawn, "given", squares(tinted, board.width), colors.given)
    if len(tinted):
        tint = {"symbol": "square", "color": colors.given, "line": {"color": colors.edge, "width": 1}}
        key(drawn, "given", tint)
    for order, token in enumerate(board.tokens):
        if token.glyph == "color":
            places = np.flatnonzero((shown.tokens == order) & ~quiet)
            areas(drawn, f"token {order}", squares(places, board.width), token_color(token, order, colors.name))
    lines(drawn, "grid", rules(board), colors.line, 1)
    if board.box:
        lines(drawn, "boxes", rules(board, *board.box), colors.edge, 1.6)
    else:
        lines(drawn, "frame", rules(board, board.height, board.width), colors.edge, 1)
    _conflicts(drawn, np.flatnonzero(shown.conflict), board, colors, cell)
    for name, here in (("given", shown.given), ("guess", ~shown.given)):
        queens = np.flatnonzero(here & (glyphs == "queen") & ~quiet)
        outlines = [moved(line, column[p], row[p]) for p in queens for line in queen()]
        if name == "given":
            areas(drawn, "given queen", outlines, colors.ink)
        else:
            lines(drawn, "guessed queen", outlines, colors.ink, max(1.0, cell / 26))
        texts = np.flatnonzero(here & np.isin(glyphs, ["text", "color"]) & ~quiet)
        if cell >= 12 and len(texts):
            symbols = [board.tokens[t].symbol for t in shown.tokens[texts]]
            on = [
                readable(token_color(board.tokens[t], int(t), colors.name), colors.name)
                if board.tokens[t].glyph == "color"
                else colors.ink
                for t in shown.tokens[texts]
            ]
            middle = column[texts] + 0.5, row[texts] + 0.5
            text(drawn, f"{name} text", *middle, symbols, on, min(26, cell * 0.5), bold=name == "given")
    _changes(drawn, np.flatnonzero(shown.changed), board.width, colors, cell)
    _certainty(drawn, board, shown, colors, cell)


def image(drawn: go.Figure, board: Board, shown: Shown, colors: Palette, cell: float) -> None:
    """The pixels of each token; a blank is sunk and crossed. The larger the dot on a token, the less sure it is."""
    side = board.patch
    light = measure.shades(board)[shown.tokens]
    z = light.reshape(board.height, board.width, side, side).swapaxes(1, 2)
    _blanks(drawn, np.flatnonzero(np.isnan(light).all((1, 2))), board.width, colors)
    drawn.add_heatmap(
        z=z.reshape(board.height * side, board.width * side),
        **{"x0": 0.5 / side, "dx": 1 / side, "y0": 0.5 / side, "dy": 1 / side, "zmin": 0, "zmax": 1},
        colorscale=[[0, "#000000"], [1, "#FFFFFF"]],
        showscale=False,
        name="pixels",
        hoverinfo="skip",
    )
    lines(drawn, "frame", rules(board, board.height, board.width), colors.edge, 1)
    if shown.certainty is not None:
        row, column = np.divmod(np.arange(board.positions), board.width)
        unsure = np.flatnonzero(shown.certainty < 0.9)
        dots = {"size": 0.5 * cell * (1 - shown.certainty[unsure]), "color": colors.gold, "opacity": 0.6}
        words: dict[str, Any] = {"name": "uncertainty (dot: 1 − probability)", "showlegend": bool(len(unsure))}
        at = column[unsure] + 0.5, row[unsure] + 0.5
        marks(drawn, *at, None, dots | {"line": {"width": 0}}, **words)
    _changes(drawn, np.flatnonzero(shown.changed), board.width, colors, cell)


def _blanks(drawn: go.Figure, places: NDArray[np.integer], width: int, colors: Palette) -> None:
    """Sunk and crossed: neither paper nor ink, and no color."""
    areas(drawn, "blank", squares(places, width), colors.sunk)
    cross = [moved(np.array([(0.3, 0.7), (0.7, 0.3)]), int(p) % width, int(p) // width) for p in places]
    lines(drawn, "blank mark", cross, colors.edge, 1)


def _conflicts(drawn: go.Figure, places: NDArray[np.integer], board: Board, colors: Palette, cell: float) -> None:
    """45 degree hatch and a filled corner, both vermilion, which must show on every color."""
    hatch, corners = [], []
    colored = any(token.glyph == "color" for token in board.tokens)
    count = max(2, round(cell / 12)) if colored else max(3, round(cell / 7))
    corner = min(0.26, 10 / cell)
    for p in places:
        row, column = divmod(int(p), board.width)
        for k in range(1, 2 * count):
            a = k / count  # the line x + y = a inside the unit square
            ends = np.array([(min(a, 1), max(0, a - 1)), (max(0, a - 1), min(a, 1))])
            hatch.append(moved(ends, column, row))
        corners.append(moved(np.array([(1 - corner, 0), (1, 0), (1, corner), (1 - corner, 0)]), column, row))
    if colored:
        lines(drawn, "conflict casing", [*hatch, *corners], colors.bg, 2.5, opacity=0.6)
        lines(drawn, "conflict hatch", hatch, colors.vermilion, 1)
    else:
        lines(drawn, "conflict hatch", hatch, colors.vermilion, 1, opacity=0.45)
    areas(drawn, "conflict", corners, colors.vermilion)
    if corners:
        words = "breaks a rule" if board.ruled else "not as in the solution"
        key(drawn, words, {"symbol": "triangle-ne", "color": colors.vermilion})


def _changes(drawn: go.Figure, places: NDArray[np.integer], width: int, colors: Palette, cell: float) -> None:
    inset = min(0.12, 3 / cell)
    frame = np.array([(inset, inset), (1 - inset, inset), (1 - inset, 1 - inset), (inset, 1 - inset), (inset, inset)])
    frames = [moved(frame, p % width, p // width) for p in places]
    lines(drawn, "changed casing", frames, colors.bg, 4)  # ink alone is lost on a dark pixel
    lines(drawn, "changed", frames, colors.ink, 2)
    if frames:
        changed_key(drawn, colors)


def _certainty(drawn: go.Figure, board: Board, shown: Shown, colors: Palette, cell: float) -> None:
    """A bar under each guess that is not a sure "nothing", and the runner-up where the guess is not sure."""
    if shown.certainty is None or cell < 20:
        return
    quiet = np.isin(shown.tokens, board.blank)
    places = np.flatnonzero(~shown.given & (~quiet | (shown.certainty < 0.9)))
    row, column = np.divmod(places, board.width)
    y = row + 1 - 5 / cell
    full = [np.array([(c + 0.24, b), (c + 0.76, b)]) for c, b in zip(column, y, strict=True)]
    bars = [
        np.array([(c + 0.24, b), (c + 0.24 + 0.52 * p, b)])
        for c, b, p in zip(column, y, shown.certainty[places], strict=True)
    ]
    colored = any(board.tokens[t].glyph == "color" for t in shown.tokens)
    lines(drawn, "certainty scale", full, colors.bg if colored else colors.line, 4 if colored else 2)
    lines(drawn, "certainty", bars, colors.ink if colored else colors.text2, 2, legend="certainty")
    if shown.second is None or cell < 26:
        return
    unsure = np.flatnonzero(~shown.given & (shown.certainty < UNSURE))
    marks = [(p, board.tokens[shown.second[p]]) for p in unsure if shown.second[p] not in board.blank]
    if marks:
        row, column = np.divmod(np.array([p for p, _ in marks]), board.width)
        texts = [token.symbol for _, token in marks]
        text(drawn, "runner-up", column + 0.84, row + 0.74, texts, [colors.text3] * len(marks), NOTE, bold=False)
