"""The score of one trajectory: its open cells in the order in which they settle, step by step."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from gram.board import Board
from gram.rollout import board_of
from gramviz import measure
from gramviz.theme import palette
from gramviz.views.lanes import cell_name
from gramviz.views.parts import Margins, address, at_end, beside, figure, heading, now_line, step_axis, trajectory_name
from gramviz.views.registry import Cursor, view

_WIDTH, _ROW, _NAMED = 640, 12, 64  # px, px, rows that have room for names


@view("Score")
def draw(rollout: xr.Dataset, at: Cursor = Cursor(), theme: str = "light") -> go.Figure:  # noqa: B008
    """A row for each open cell, a column for each state: blue is the token that stays, vermilion another, as deep as it
    is certain; a symbol where a cell changes, and a cross at the right where it is wrong in the end."""
    states = measure.ends(rollout)
    space = measure.answer_space([states], at.puzzle)
    one = measure.shown(states).isel(puzzle=[at.puzzle], trajectory=[at.trajectory])
    board, colors = board_of(one), palette(theme)
    tokens = one["tokens"].values[0, 0]
    order = space.cells[measure.score_rows(tokens[:, space.cells], measure.telling(board))]
    boards = tokens[:, order].T
    known = "probability" in one or "logits" in one
    certain = measure.certainty(one).values[0, 0][:, order].T if known else np.ones(boards.shape)
    stays = boards == boards[:, -1:]
    height = max(240, min(700, _ROW * len(order)))
    drawn = figure(theme, _WIDTH, height, Margins(left=64, right=40, top=104, bottom=56))
    scale = [[0, colors.vermilion], [0.5, colors.bg], [1, colors.blue]]
    names = [cell_name(board, int(k)) for k in order]
    drawn.add_heatmap(
        z=np.where(stays, certain, -certain), zmin=-1, zmax=1, colorscale=scale, showscale=False, ygap=1,
        text=_symbols(board, boards), texttemplate="%{text}" if len(order) <= _NAMED else "", customdata=certain,
        hovertemplate="%{y}: %{text}, certainty %{customdata:.2f}<extra></extra>", y=np.arange(len(order)),
    )  # fmt: skip
    wrong = _wrong(one, tokens[-1])
    for row, k in enumerate(order):
        if wrong[k]:
            beside(drawn, row, "×", colors.vermilion, 4, yref="y")
    now_line(drawn, at_end(rollout, at.step), {"color": colors.ink, "width": 1})
    drawn.update_xaxes(**step_axis(states, -0.5, boards.shape[1] - 0.5), showgrid=False)
    shown_names = len(order) <= _NAMED
    drawn.update_yaxes(
        autorange="reversed", tickvals=np.arange(len(order)) if shown_names else [], ticktext=names, showgrid=False
    )
    apart = (tokens[:, space.cells] != tokens[-1, space.cells]).sum(1)
    heading(
        drawn,
        f"Score, {address(rollout, at.step)}",
        f"{trajectory_name(rollout, at.trajectory)}: {len(order)} open cells, by their last change",
        f"{apart[0]} of {len(space.cells)} differ from the last board in the beginning. Blue: what stays",
    )
    return drawn


def _symbols(board: Board, boards: np.ndarray) -> np.ndarray:
    """The token's symbol where a cell [cell, step] changes, "" elsewhere."""
    changed = np.ones(boards.shape, bool)
    changed[:, 1:] = boards[:, 1:] != boards[:, :-1]
    texts = np.array([token.symbol or token.label[:1] for token in board.tokens])
    return np.where(changed & ~np.isin(boards, board.blank), texts[boards], "")


def _wrong(one: xr.Dataset, end: np.ndarray) -> np.ndarray:
    """Which cells are wrong in the end: not as in the only solution, else those that break a rule."""
    if measure.judged(one) and not one["valid"].values[0, 0, -1]:
        if "y" in one and int(one.get("solutions_known", xr.DataArray([0])).values[0]) == 1:
            return np.asarray(end != one["y"].values[0])
        if "conflict" in one:
            return np.asarray(one["conflict"].values[0, 0, -1])
    return np.zeros(len(end), bool)
