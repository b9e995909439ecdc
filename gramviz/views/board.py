"""The board of one trajectory at one moment: what was given, what is guessed, how surely, what changed, what breaks a
rule.

Everything is drawn in units of a cell, as lines and areas, so that a print is as sharp as a screen. Givens stand bold
on a tint (a given queen is filled, a guessed one outlined); a conflict is hatched and has a filled corner; a change has
an ink frame; the bar under a guess is the probability of the shown token. No mark depends on color alone.

A graph whose edges are tokens is drawn as its nodes, joined by the edges of the puzzle. Where puzzle and answer are two
pictures (ARC), the input stands left of the answer, both cut to their grids.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import board_of
from gramviz import measure
from gramviz.measure.graph import picture
from gramviz.measure.pair import Pair, pair
from gramviz.theme import NOTE, Palette, palette
from gramviz.views.cells import Shown, collect, lines, speak
from gramviz.views.grid import grid, image
from gramviz.views.nodes import graph, places
from gramviz.views.parts import Margins, address, figure, heading, note, plural, trajectory_name
from gramviz.views.registry import Cursor, view

_PAIR, _GAP, _LABEL = 1.7, 44, 22  # a pair's width in boards; px between its pictures and above them


@view("Board")
def draw(rollout: xr.Dataset, at: Cursor = Cursor(), theme: str = "light", *, size: int = 360) -> go.Figure:  # noqa: B008
    """The board at a cursor.

    Args:
        size: width of the drawing in px; the figure adds margins. Cells below 12 px are drawn without text.
    """
    both = pair([rollout], at.puzzle)
    board = both.board if both else picture(board_of(rollout), rollout["x"].values[at.puzzle])
    rollout = both.cut(rollout) if both else rollout
    colors = palette(theme)
    shown = collect(rollout, board, at)
    if both:
        cell, width, height = _pair_size(both, size)
    else:
        cell, width = (size if board.kind == "graph" else size / board.width), float(size)
        height = width if board.kind == "graph" else cell * board.height
    drawn = figure(theme, round(width), round(height), Margins())
    if board.kind == "graph":
        graph(drawn, board, shown, colors)
        x, y = places(board).T
    else:
        (image if board.kind == "image" else grid)(drawn, board, shown, colors, cell)
        row, column = np.divmod(np.arange(board.positions), board.width)
        x, y = column + 0.5, row + 0.5
    speak(drawn, board, shown, x, y)
    span = (board.width, board.height) if board.kind != "graph" else (1.0, 1.0)
    rim = (0.04 if board.kind == "graph" else 0.004) * span[0]  # a node leans out of the square by half
    left, top, low = -rim, -rim, span[1] + rim
    if both:
        left -= _beside(drawn, both, board.extent(shown.tokens), colors, cell)
        top -= _LABEL / cell
        low = top + height / cell
    drawn.update_xaxes(visible=False, range=[left, span[0] + rim], constrain="domain", fixedrange=True)
    drawn.update_yaxes(visible=False, range=[low, top], scaleanchor="x", constrain="domain", fixedrange=True)
    said = [plural(int(shown.changed.sum()), "cell" if board.kind != "graph" else "node") + " changed"]
    if board.ruled or ("conflict" in rollout and board.kind != "image"):
        count = measure.conflicts(rollout.isel(puzzle=[at.puzzle], trajectory=[at.trajectory], step=[at.step]))
        said.append(plural(int(count.item()), "conflict" if board.ruled else "wrong cell"))
    if shown.certainty is None:
        said.append("certainty not recorded")
    else:
        said.append(f"mean certainty {shown.certainty.mean():.2f}")
    heading(
        drawn, f"{board.title}, {address(rollout, at.step)}", trajectory_name(rollout, at.trajectory), ", ".join(said)
    )
    return drawn


def _pair_size(both: Pair, size: int) -> tuple[float, float, float]:
    """Px of a cell, and the width and height of the drawing: one scale for both grids, so that they can be compared."""
    (given, _), (rows, columns) = both.input, both.size
    width, height = max(_PAIR * size, 1), max(given.height, rows)
    cell = min((width - _GAP) / (given.width + columns), size / height, size / 9)  # small grids are not blown up
    return cell, max(float(size), cell * (given.width + columns) + _GAP), cell * height + _LABEL


def _beside(
    drawn: go.Figure, both: Pair, extent: tuple[NDArray[np.integer], NDArray[np.integer]], colors: Palette, cell: float
) -> float:
    """Draw the input left of the answer, an arrow between, and the sizes above; returns how many cells wide that is."""
    board, tokens = both.input
    calm = np.zeros(board.positions, bool)
    shown = Shown(tokens, tokens, calm, calm, calm, None, None, None)
    beside = go.Figure()
    grid(beside, board, shown, colors, cell)
    row, column = np.divmod(np.arange(board.positions), board.width)
    speak(beside, board, shown, column + 0.5, row + 0.5, input=True)
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
    lines(drawn, "arrow", arrow, colors.text3, 1.5)
    rows, columns = (int(side) for side in extent)
    said = f"answer, {rows} × {columns}" if rows else "answer, no grid"
    for x, words in ((-gap - board.width, f"input, {board.height} × {board.width}"), (0, said)):
        note(drawn, x, -4 / cell, words, colors.text2, NOTE, xanchor="left", yanchor="bottom")
    return board.width + gap
