"""A puzzle and its answer as two pictures, each cut to its grid: what is drawn of a board whose pictures are `apart`.

On the canvas of ARC most positions hold nothing. What is drawn of the answer is the rectangle that holds the grid of
the known solution and of every trajectory's last answer: it stays as it is while the steps go by, and an answer of the
wrong size is seen in full. What an earlier state shows outside of it is not drawn, and not measured either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board, largest
from gram.rollout import board_of


@dataclass(frozen=True)
class Pair:
    """Where the two grids lie on the canvas.

    Attributes:
        canvas: the whole board.
        top, left: row and column of the upper left corner of both grids.
        given: rows and columns of the puzzle's grid.
        size: rows and columns that are drawn of the answer.
        x: tokens [position] of the puzzle, on the canvas.
    """

    canvas: Board
    top: int
    left: int
    given: tuple[int, int]
    size: tuple[int, int]
    x: NDArray[np.integer]

    @cached_property
    def board(self) -> Board:
        """The board of the answer as it is drawn."""
        return replace(self.canvas, height=self.size[0], width=self.size[1])

    @property
    def input(self) -> tuple[Board, NDArray[np.integer]]:
        """The board of the puzzle as it is drawn, and its tokens [position]."""
        rows, columns = self.given
        return replace(self.canvas, height=rows, width=columns), self.x[self._positions(rows, columns)]

    def cut(self, data: xr.Dataset) -> xr.Dataset:
        """The rollout at the positions that are drawn of the answer, without its latents."""
        return self.with_latents(data.drop_vars([name for name in data.data_vars if "feature" in str(data[name].dims)]))

    def with_latents(self, data: xr.Dataset) -> xr.Dataset:
        """As `cut`, with the latents at these positions too: each cell's own, which is what its plane is of."""
        return data.isel(position=self._positions(*self.size)).assign_attrs(board=self.board.to_json())

    def _positions(self, rows: int, columns: int) -> NDArray[np.int64]:
        row, column = np.mgrid[self.top : self.top + rows, self.left : self.left + columns]
        return (row * self.canvas.width + column).ravel()


def pair(rollouts: Sequence[xr.Dataset], puzzle: int | Sequence[int] = 0) -> Pair | None:
    """The pair of one puzzle, the same for all these series; None where puzzle and answer are one picture.

    Args:
        puzzle: its index, one for all series or one each.
    """
    board = board_of(rollouts[0])
    if not board.apart:
        return None
    chosen = [puzzle] * len(rollouts) if isinstance(puzzle, int | np.integer) else list(puzzle)
    x = rollouts[0]["x"].values[chosen[0]]
    filled = _filled(board, x)
    top, left = int(filled.any(1).argmax()), int(filled.any(0).argmax())
    given = _extent(filled[None], top, left)
    shown = [rollout["tokens"].isel(puzzle=p, step=-1).values for rollout, p in zip(rollouts, chosen, strict=True)]
    shown += [rollout["y"].values[p][None] for rollout, p in zip(rollouts, chosen, strict=True) if "y" in rollout]
    size = _extent(_filled(board, np.concatenate(shown)), top, left)
    return Pair(board, top, left, given, size, x)


def _filled(board: Board, tokens: NDArray[np.integer]) -> NDArray[np.bool_]:
    """True [..., row, column] where a token [..., position] is part of a grid."""
    return ~np.isin(tokens, board.blank).reshape(*tokens.shape[:-1], board.height, board.width)


def _extent(filled: NDArray[np.bool_], top: int, left: int) -> tuple[int, int]:
    """Most rows and most columns of the grids in several canvases [canvas, row, column]; at least one cell."""
    rows, columns = largest(filled[:, top:, left:])
    return max(1, int(rows.max())), max(1, int(columns.max()))
