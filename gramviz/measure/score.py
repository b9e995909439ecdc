"""The score of one trajectory: its open cells in the order in which they settle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gram.board import Board

_FEW = 3  # kinds of tokens that are written; of fewer, most cells say nothing


def telling(board: Board) -> tuple[int, ...]:
    """The tokens that make a cell worth a row, as the queen; none where all are."""
    return board.exclusive if len(board.tokens) - len(board.blank) < _FEW else ()


def score_rows(tokens: NDArray[np.integer], telling: tuple[int, ...] = ()) -> NDArray[np.int64]:
    """The cells of boards [step, cell], the first to rest first: by the step of the last change, then by the number of
    changes, then by their place. Where some tokens are `telling`, only cells that ever held one."""
    changed: NDArray[np.bool_] = np.asarray(tokens[1:] != tokens[:-1])
    steps = np.arange(1, len(tokens))[:, None]
    last = np.where(changed, steps, 0).max(0, initial=0)
    order = np.lexsort((np.arange(tokens.shape[1]), changed.sum(0), last))
    held = np.flatnonzero(np.isin(tokens, telling or tokens).any(0))
    return order[np.isin(order, held)]
