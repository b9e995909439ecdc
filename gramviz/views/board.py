"""The board of one path at one moment: what was given, what is guessed, how surely, what changed, what breaks a rule.

Everything is drawn in units of a cell, as lines and areas, so that a print is as sharp as a screen. Givens stand bold
on a tint (a given queen is filled, a guessed one outlined); a conflict is hatched and has a filled corner; a change has
an ink frame; the bar under a guess is the probability of the shown token. No mark depends on colour alone.

A graph whose edges are tokens is drawn as its nodes, joined by the edges of the puzzle. Where puzzle and answer are two
pictures (ARC), the input stands left of the answer, both cut to their grids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.rollout import board_of
from gramviz import measure
from gramviz.measure.graph import picture
from gramviz.measure.pair import Pair, pair
from gramviz.theme import NOTE, Palette, palette, readable, token_colour
from gramviz.views import Cursor, view
from gramviz.views.parts import address, broken, escape, figure, heading, key, path_name, plural

Lines = Sequence[NDArray[np.float64]]  # polylines [point, 2] in cells, y down
UNSURE = 0.6  # below this certainty the runner-up is shown beside the token
_TOP, _BOTTOM = 84, 60  # px for the heading and for two rows of legend
_PAIR, _GAP, _LABEL = 1.7, 44, 22  # a pair's width in boards; px between its pictures and above them

# A queen in the unit square, y down: a crown of five points and a base; the same shape as in frontend/draw.js.
_CROWN = np.array(
    [(0.25, 0.7), (0.13, 0.36), (0.32, 0.52), (0.32, 0.24), (0.43, 0.48), (0.5, 0.2), (0.57, 0.48), (0.68, 0.24),
     (0.68, 0.52), (0.87, 0.36), (0.75, 0.7), (0.25, 0.7)]
)  # fmt: skip
_BALLS = ((0.12, 0.33), (0.31, 0.21), (0.5, 0.16), (0.69, 0.21), (0.88, 0.33))
_BASE = np.array([(0.23, 0.75), (0.77, 0.75), (0.77, 0.85), (0.23, 0.85), (0.23, 0.75)])


@dataclass(frozen=True)
class _Shown:
    """What one board shows, per position."""

    tokens: NDArray[np.integer]
    given: NDArray[np.bool_]
    conflict: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    certainty: NDArray[np.floating] | None
    second: NDArray[np.integer] | None
    second_certainty: NDArray[np.floating] | None


@view("Board")
def draw(rollout: xr.Dataset, at: Cursor = Cursor(), theme: str = "light", *, size: int = 360) -> go.Figure:  # noqa: B008
    """The board at a cursor.

    Args:
        size: width of the drawing in px; the figure adds margins. Cells below 12 px are drawn without text.
    """
    both = pair([rollout], at.puzzle)
    board = both.board if both else picture(board_of(rollout), rollout["x"].values[at.puzzle])
    rollout = both.cut(rollout) if both else rollout
    colours = palette(theme)
    shown = _look(rollout, board, at)
    if both:
        cell, width, height = _pair_size(both, size)
    else:
        cell, width = (size if board.kind == "graph" else size / board.width), float(size)
        height = width if board.kind == "graph" else cell * board.height
    drawn = figure(theme, round(width) + 40, round(height) + _TOP + _BOTTOM)
    if board.kind == "graph":
        _graph(drawn, board, shown, colours)
        x, y = _places(board).T
    else:
        (_image if board.kind == "image" else _grid)(drawn, board, shown, colours, cell)
        row, column = np.divmod(np.arange(board.positions), board.width)
        x, y = column + 0.5, row + 0.5
    _speak(drawn, board, shown, x, y)
    span = (board.width, board.height) if board.kind != "graph" else (1.0, 1.0)
    rim = (0.04 if board.kind == "graph" else 0.004) * span[0]  # a node leans out of the square by half
    left, top, low = -rim, -rim, span[1] + rim
    if both:
        left -= _beside(drawn, both, board.extent(shown.tokens), colours, cell)
        top -= _LABEL / cell
        low = top + height / cell
    drawn.update_xaxes(visible=False, range=[left, span[0] + rim], constrain="domain", fixedrange=True)
    drawn.update_yaxes(visible=False, range=[low, top], scaleanchor="x", constrain="domain", fixedrange=True)
    drawn.update_layout(margin={"l": 20, "r": 20, "t": _TOP, "b": _BOTTOM})
    said = [plural(int(shown.changed.sum()), "cell" if board.kind != "graph" else "node") + " changed"]
    if board.ruled or ("conflict" in rollout and board.kind != "image"):
        count = measure.conflicts(rollout.isel(puzzle=[at.puzzle], trajectory=[at.trajectory], step=[at.step]))
        said.append(plural(int(count.item()), "conflict" if board.ruled else "wrong cell"))
    if shown.certainty is None:
        said.append("certainty not recorded")
    else:
        said.append(f"mean certainty {shown.certainty.mean():.2f}")
    heading(drawn, f"{board.title}, {address(rollout, at.step)}", path_name(rollout, at.trajectory), ", ".join(said))
    return drawn


def _look(rollout: xr.Dataset, board: Board, at: Cursor) -> _Shown:
    one = measure.shown(rollout).isel(puzzle=[at.puzzle], trajectory=[at.trajectory])
    now = one.isel(step=[at.step])
    known = "probability" in one or "logits" in one
    runner_up = measure.second(now) if known else None
    here = (0, 0, 0)
    nothing = np.zeros(board.positions, bool)
    return _Shown(
        tokens=now["tokens"].values[here],
        given=board.given(one["x"].values[0]),
        conflict=now["conflict"].values[here] if "conflict" in now and board.kind != "image" else nothing,
        changed=measure.changed(one).values[0, 0, at.step],
        certainty=measure.certainty(now).values[here] if known else None,
        second=runner_up["token"].values[here] if runner_up is not None else None,
        second_certainty=runner_up["probability"].values[here] if runner_up is not None else None,
    )


# ----------------------------------------------------------------------------------------------------------------- pair
def _pair_size(both: Pair, size: int) -> tuple[float, float, float]:
    """Px of a cell, and the width and height of the drawing: one scale for both grids, so that they can be compared."""
    (given, _), (rows, columns) = both.input, both.size
    width, height = max(_PAIR * size, 1), max(given.height, rows)
    cell = min((width - _GAP) / (given.width + columns), size / height, size / 9)  # small grids are not blown up
    return cell, max(float(size), cell * (given.width + columns) + _GAP), cell * height + _LABEL


def _beside(
    drawn: go.Figure, both: Pair, extent: tuple[NDArray[np.integer], NDArray[np.integer]], colours: Palette, cell: float
) -> float:
    """Draw the input left of the answer, an arrow between, and the sizes above; returns how many cells wide that is."""
    board, tokens = both.input
    calm = np.zeros(board.positions, bool)
    shown = _Shown(tokens, calm, calm, calm, None, None, None)
    beside = go.Figure()
    _grid(beside, board, shown, colours, cell)
    row, column = np.divmod(np.arange(board.positions), board.width)
    _speak(beside, board, shown, column + 0.5, row + 0.5, input=True)
    gap = _GAP / cell
    for trace in beside.data:
        trace.update(x=np.asarray(trace.x) - board.width - gap, meta=f"input {trace.meta}", showlegend=False)
    drawn.add_traces(beside.data)
    middle = min(board.height, both.board.height) / 2
    head, tip = min(0.22 * gap, 6 / cell), -0.25 * gap
    arrow = [
        np.array([(-0.75 * gap, middle), (tip, middle)]),
        np.array([(tip - head, middle - head), (tip, middle), (tip - head, middle + head)]),
    ]
    _lines(drawn, "arrow", arrow, colours.text3, 1.5)
    rows, columns = (int(side) for side in extent)
    said = f"answer, {rows} × {columns}" if rows else "answer, no grid"
    for x, words in ((-gap - board.width, f"input, {board.height} × {board.width}"), (0, said)):
        drawn.add_annotation(
            x=x, y=-4 / cell, text=words, showarrow=False, xanchor="left", yanchor="bottom",
            font={"size": NOTE, "color": colours.text2},
        )  # fmt: skip
    return board.width + gap


# ---------------------------------------------------------------------------------------------------------- grid, image
def _grid(drawn: go.Figure, board: Board, shown: _Shown, colours: Palette, cell: float) -> None:
    """A grid of text, queens or colours. `cell` is the size of a cell in px."""
    row, column = np.divmod(np.arange(board.positions), board.width)
    quiet = np.isin(shown.tokens, board.blank)  # "nothing here" is drawn as nothing
    if board.apart:  # save where every place may hold a colour, black among them
        _blanks(drawn, np.flatnonzero(quiet), board.width, colours)
    glyphs = np.array([token.glyph for token in board.tokens])[shown.tokens]
    if board.checkered:
        _areas(drawn, "checkered", _squares(np.flatnonzero((row + column) % 2 == 1), board.width), colours.sunk)
    tinted = np.flatnonzero(shown.given & (glyphs != "colour"))
    _areas(drawn, "given", _squares(tinted, board.width), colours.given)
    if len(tinted):
        tint = {"symbol": "square", "color": colours.given, "line": {"color": colours.edge, "width": 1}}
        key(drawn, "given", tint)
    for order, token in enumerate(board.tokens):
        if token.glyph == "colour":
            places = np.flatnonzero((shown.tokens == order) & ~quiet)
            _areas(drawn, f"token {order}", _squares(places, board.width), token_colour(token, order, colours.name))
    _lines(drawn, "grid", _rules(board), colours.line, 1)
    if board.box:
        _lines(drawn, "boxes", _rules(board, *board.box), colours.edge, 1.6)
    else:
        _lines(drawn, "frame", _rules(board, board.height, board.width), colours.edge, 1)
    _conflicts(drawn, np.flatnonzero(shown.conflict), board, colours, cell)
    for name, here in (("given", shown.given), ("guess", ~shown.given)):
        queens = np.flatnonzero(here & (glyphs == "queen") & ~quiet)
        outlines = [_moved(line, column[p], row[p]) for p in queens for line in _queen()]
        if name == "given":
            _areas(drawn, "given queen", outlines, colours.ink)
        else:
            _lines(drawn, "guessed queen", outlines, colours.ink, max(1.0, cell / 26))
        texts = np.flatnonzero(here & np.isin(glyphs, ["text", "colour"]) & ~quiet)
        if cell >= 12 and len(texts):
            symbols = [board.tokens[t].symbol for t in shown.tokens[texts]]
            on = [
                readable(token_colour(board.tokens[t], int(t), colours.name), colours.name)
                if board.tokens[t].glyph == "colour"
                else colours.ink
                for t in shown.tokens[texts]
            ]
            middle = column[texts] + 0.5, row[texts] + 0.5
            _text(drawn, f"{name} text", *middle, symbols, on, min(26, cell * 0.5), bold=name == "given")
    _changes(drawn, np.flatnonzero(shown.changed), board.width, colours, cell)
    _certainty(drawn, board, shown, colours, cell)


def _image(drawn: go.Figure, board: Board, shown: _Shown, colours: Palette, cell: float) -> None:
    """The pixels of each token; a blank is sunk and crossed. The larger the dot on a token, the less sure it is."""
    side = board.patch
    light = measure.shades(board)[shown.tokens]
    z = light.reshape(board.height, board.width, side, side).swapaxes(1, 2)
    _blanks(drawn, np.flatnonzero(np.isnan(light).all((1, 2))), board.width, colours)
    drawn.add_heatmap(
        z=z.reshape(board.height * side, board.width * side),
        x0=0.5 / side,
        dx=1 / side,
        y0=0.5 / side,
        dy=1 / side,
        zmin=0,
        zmax=1,
        colorscale=[[0, "#000000"], [1, "#FFFFFF"]],
        showscale=False,
        name="pixels",
        hoverinfo="skip",
    )
    _lines(drawn, "frame", _rules(board, board.height, board.width), colours.edge, 1)
    if shown.certainty is not None:
        row, column = np.divmod(np.arange(board.positions), board.width)
        unsure = np.flatnonzero(shown.certainty < 0.9)
        drawn.add_scatter(
            x=column[unsure] + 0.5,
            y=row[unsure] + 0.5,
            mode="markers",
            name="uncertainty (dot: 1 − probability)",
            marker={
                "size": 0.5 * cell * (1 - shown.certainty[unsure]),
                "color": colours.gold,
                "opacity": 0.6,
                "line": {"width": 0},
            },
            hoverinfo="skip",
            showlegend=bool(len(unsure)),
        )
    _changes(drawn, np.flatnonzero(shown.changed), board.width, colours, cell)


def _blanks(drawn: go.Figure, places: NDArray[np.integer], width: int, colours: Palette) -> None:
    """Sunk and crossed: neither paper nor ink, and no colour."""
    _areas(drawn, "blank", _squares(places, width), colours.sunk)
    cross = [_moved(np.array([(0.3, 0.7), (0.7, 0.3)]), int(p) % width, int(p) // width) for p in places]
    _lines(drawn, "blank mark", cross, colours.edge, 1)


def _conflicts(drawn: go.Figure, places: NDArray[np.integer], board: Board, colours: Palette, cell: float) -> None:
    """45 degree hatch and a filled corner, both vermilion, which must show on every colour."""
    hatch, corners = [], []
    coloured = any(token.glyph == "colour" for token in board.tokens)
    count = max(2, round(cell / 12)) if coloured else max(3, round(cell / 7))
    corner = min(0.26, 10 / cell)
    for p in places:
        row, column = divmod(int(p), board.width)
        for k in range(1, 2 * count):
            a = k / count  # the line x + y = a inside the unit square
            ends = np.array([(min(a, 1), max(0, a - 1)), (max(0, a - 1), min(a, 1))])
            hatch.append(_moved(ends, column, row))
        corners.append(_moved(np.array([(1 - corner, 0), (1, 0), (1, corner), (1 - corner, 0)]), column, row))
    if coloured:
        _lines(drawn, "conflict casing", [*hatch, *corners], colours.bg, 2.5, opacity=0.6)
        _lines(drawn, "conflict hatch", hatch, colours.vermilion, 1)
    else:
        _lines(drawn, "conflict hatch", hatch, colours.vermilion, 1, opacity=0.45)
    _areas(drawn, "conflict", corners, colours.vermilion)
    if corners:
        words = "breaks a rule" if board.ruled else "not as in the solution"
        key(drawn, words, {"symbol": "triangle-ne", "color": colours.vermilion})


def _changes(drawn: go.Figure, places: NDArray[np.integer], width: int, colours: Palette, cell: float) -> None:
    inset = min(0.12, 3 / cell)
    frame = np.array([(inset, inset), (1 - inset, inset), (1 - inset, 1 - inset), (inset, 1 - inset), (inset, inset)])
    frames = [_moved(frame, p % width, p // width) for p in places]
    _lines(drawn, "changed casing", frames, colours.bg, 4)  # ink alone is lost on a dark pixel
    _lines(drawn, "changed", frames, colours.ink, 2)
    if frames:
        key(drawn, "changed in this step", {"symbol": "square-open", "color": colours.ink, "line": {"width": 2}})


def _certainty(drawn: go.Figure, board: Board, shown: _Shown, colours: Palette, cell: float) -> None:
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
    coloured = any(board.tokens[t].glyph == "colour" for t in shown.tokens)
    _lines(drawn, "certainty scale", full, colours.bg if coloured else colours.line, 4 if coloured else 2)
    _lines(drawn, "certainty", bars, colours.ink if coloured else colours.text2, 2, legend="certainty")
    if shown.second is None or cell < 26:
        return
    unsure = np.flatnonzero(~shown.given & (shown.certainty < UNSURE))
    marks = [(p, board.tokens[shown.second[p]]) for p in unsure if shown.second[p] not in board.blank]
    if marks:
        row, column = np.divmod(np.array([p for p, _ in marks]), board.width)
        texts = [token.symbol for _, token in marks]
        _text(drawn, "runner-up", column + 0.84, row + 0.74, texts, [colours.text3] * len(marks), NOTE, bold=False)


# ---------------------------------------------------------------------------------------------------------------- graph
def _graph(drawn: go.Figure, board: Board, shown: _Shown, colours: Palette) -> None:
    """Nodes as circles with a colour and a letter; an edge whose ends clash is thick and zigzags, its ends have a ring.

    A node without a colour is hollow; one that shows another token than a colour (an untrained model may) names it.
    """
    place = _places(board)
    clashing = set(measure.conflict_pairs(board, shown.tokens))
    calm: list[NDArray[np.float64]] = []
    angry: list[NDArray[np.float64]] = []
    for group in board.groups:
        for a, b in ((a, b) for k, a in enumerate(group) for b in group[k + 1 :]):
            (angry if (min(a, b), max(a, b)) in clashing else calm).append(place[[a, b]])
    _lines(drawn, "edge", calm, colours.edge, 1.8)
    _lines(drawn, "conflict", [_zigzag(*line) for line in angry], colours.vermilion, 2.5, legend="breaks a rule")
    hues = [t for t, token in enumerate(board.tokens) if token.glyph == "colour"]
    # A smaller graph pads its board with nodes that do not exist; where padding means "not given" they do.
    padding = [t for t, token in enumerate(board.tokens) if token.label.startswith("pad") and t not in board.blank]
    used = np.flatnonzero(~np.isin(shown.tokens, padding))
    fills = [
        token_colour(board.tokens[token], hues.index(token), colours.name) if token in hues else colours.bg
        for token in map(int, shown.tokens[used])
    ]
    rings = used[shown.conflict[used]]
    if len(rings):
        _nodes(drawn, "conflict ring", place[rings], 38, {"color": colours.vermilion, "width": 2.5}, "circle-open")
    _nodes(
        drawn, "node", place[used], 30, {"color": colours.ink, "width": np.where(shown.given[used], 3.5, 1.2)},
        "circle", fills,
    )  # fmt: skip
    if shown.given[used].any():
        key(drawn, "given", {"color": colours.bg, "line": {"color": colours.ink, "width": 3}})
    symbols = ["" if t in board.blank else board.tokens[t].symbol for t in shown.tokens[used]]
    x, y = place[used].T
    _text(drawn, "node text", x, y, symbols, [readable(fill, colours.name) for fill in fills], 14, bold=True)
    changed = used[shown.changed[used]]
    if len(changed):
        _nodes(drawn, "changed", place[changed], 44, {"color": colours.ink, "width": 2}, "square-open")
        key(drawn, "changed in this step", {"symbol": "square-open", "color": colours.ink, "line": {"width": 2}})
    if shown.certainty is not None:
        guesses = [p for p in used if not shown.given[p]]
        bars, scales = [], []
        for p in guesses:
            left, below = place[p, 0] - 0.04, place[p, 1] + 0.071
            scales.append(np.array([(left, below), (left + 0.08, below)]))
            bars.append(np.array([(left, below), (left + 0.08 * shown.certainty[p], below)]))
        _lines(drawn, "certainty casing", scales, colours.bg, 7)  # a bar must show on every edge
        _lines(drawn, "certainty scale", scales, colours.line, 3)
        _lines(drawn, "certainty", bars, colours.text2, 3, legend="certainty")
        if shown.second is None:
            return
        unsure = [p for p in guesses if shown.certainty[p] < UNSURE and shown.second[p] not in board.blank]
        if unsure:
            x, y = place[unsure].T
            texts = [board.tokens[shown.second[p]].symbol for p in unsure]
            _text(drawn, "runner-up", x + 0.065, y + 0.045, texts, [colours.text2] * len(unsure), NOTE, bold=False)


def _nodes(
    drawn: go.Figure,
    name: str,
    place: NDArray[np.float64],
    size: int,
    line: Mapping[str, Any],
    symbol: str,
    fill: list[str] | str | None = None,
) -> None:
    """Marks [node, 2] of one shape, `size` px wide; without a fill, the outline has the line's colour."""
    marker = {"size": size, "symbol": symbol, "color": line["color"] if fill is None else fill, "opacity": 1}
    drawn.add_scatter(
        x=place[:, 0], y=place[:, 1], mode="markers", name=name, meta=name, hoverinfo="skip", showlegend=False,
        marker=marker | {"line": dict(line)},
    )  # fmt: skip


def _places(board: Board) -> NDArray[np.float64]:
    """Where the nodes are [node, 2]; on a circle for a graph that came without places."""
    return np.array(board.xy if board.xy is not None else _circle(board.positions), np.float64)


def _circle(count: int) -> NDArray[np.float64]:
    """Places on a circle for a graph that came without any."""
    angle = 2 * np.pi * np.arange(count) / count
    return np.stack([0.5 + 0.45 * np.sin(angle), 0.5 - 0.45 * np.cos(angle)], 1)


def _zigzag(
    a: NDArray[np.float64], b: NDArray[np.float64], turns: int = 9, width: float = 0.018
) -> NDArray[np.float64]:
    along = np.linspace(0, 1, 2 * turns + 1)[:, None]
    across = np.array([a[1] - b[1], b[0] - a[0]]) / max(float(np.hypot(*(b - a))), 1e-9)
    swing = np.zeros((2 * turns + 1, 1))
    swing[1::2, 0] = width * (-1.0) ** np.arange(turns)
    return a + (b - a) * along + across * swing


# ---------------------------------------------------------------------------------------------------------------- marks
def _areas(drawn: go.Figure, name: str, outlines: Lines, colour: str) -> None:
    if outlines:
        x, y = broken(outlines).T
        drawn.add_scatter(
            x=x,
            y=y,
            mode="lines",
            fill="toself",
            fillcolor=colour,
            line={"width": 0, "color": colour},
            name=name,
            meta=name,
            showlegend=False,
            hoverinfo="skip",
        )


def _lines(
    drawn: go.Figure,
    name: str,
    lines: Lines,
    colour: str,
    width: float,
    *,
    opacity: float = 1,
    legend: str | None = None,
) -> None:
    if lines:
        x, y = broken(lines).T
        drawn.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": colour, "width": width},
            opacity=opacity,
            name=legend or name,
            meta=name,
            showlegend=legend is not None,
            hoverinfo="skip",
        )


def _text(
    drawn: go.Figure,
    name: str,
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    texts: list[str],
    colour: list[str],
    size: float,
    *,
    bold: bool,
) -> None:
    drawn.add_scatter(
        x=x,
        y=y,
        mode="text",
        text=[escape(text) for text in texts],
        name=name,
        meta=name,
        showlegend=False,
        textfont={"size": size, "color": colour, "weight": 700 if bold else 400},
        hoverinfo="skip",
    )


def _speak(
    drawn: go.Figure, board: Board, shown: _Shown, x: NDArray[np.floating], y: NDArray[np.floating],
    input: bool = False,
) -> None:  # fmt: skip
    """Invisible marks that say each position in a sentence when pointed at; the figure's text alternative."""
    sentences = []
    for p in range(board.positions):
        words = [f"<b>{board.place(p)}</b>: {escape(board.tokens[shown.tokens[p]].label)}"]
        words.append("input" if input else "given" if shown.given[p] else "guess")
        words += ["changed"] * bool(shown.changed[p])
        words += ["breaks a rule" if board.ruled else "not as in the solution"] * bool(shown.conflict[p])
        if shown.certainty is not None:
            words.append(f"certainty {shown.certainty[p]:.2f}")
            if shown.second is not None and shown.second_certainty is not None:
                label = escape(board.tokens[shown.second[p]].label)
                words[-1] += f" (next: {label} at {shown.second_certainty[p]:.2f})"
        sentences.append(", ".join(words))
    drawn.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"size": 18, "opacity": 0, "symbol": "square"},
        text=sentences,
        name="cells",
        meta="cells",
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def _squares(places: NDArray[np.integer], width: int) -> list[NDArray[np.float64]]:
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], np.float64)
    return [_moved(square, p % width, p // width) for p in places]


def _moved(line: NDArray[np.float64], x: float, y: float) -> NDArray[np.float64]:
    """A line [point, 2] moved by (x, y)."""
    return line + np.array([x, y])


def _rules(board: Board, rows: int = 1, columns: int = 1) -> list[NDArray[np.float64]]:
    """Horizontal and vertical lines of a grid every so many rows and columns."""
    level = [np.array([(0, y), (board.width, y)], np.float64) for y in range(0, board.height + 1, rows)]
    return level + [np.array([(x, 0), (x, board.height)], np.float64) for x in range(0, board.width + 1, columns)]


def _queen() -> list[NDArray[np.float64]]:
    """Outlines of a queen in the middle of a unit cell."""
    turn = np.linspace(0, 2 * np.pi, 13)
    ball = 0.045 * np.stack([np.cos(turn), np.sin(turn)], 1)
    return [0.12 + 0.76 * part for part in (_CROWN, *(ball + centre for centre in _BALLS), _BASE)]
