"""Plain numpy: what the page computes too (held to tests/vectors/ with it), and helpers that the other files share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.rollout import board_of, need

STATE = ("position", "feature")


def full(data: xr.Dataset, name: str) -> xr.DataArray:
    """A variable beyond the schema with the dims of a state first [puzzle, trajectory, step, ...]: what it does not
    depend on is repeated. Of one puzzle, picked by `isel(puzzle=0)`, without `puzzle`.

    Raises:
        RolloutError: it was not recorded.
    """
    first = [dim for dim in ("puzzle", "trajectory", "step") if dim in data.sizes]
    found = need(data, name)
    found = found.expand_dims({dim: data.sizes[dim] for dim in first if dim not in found.dims})
    return found.transpose(*first, ...)


def judged(data: xr.Dataset) -> bool:
    """Whether its answers can be right or wrong: `valid` was recorded, and the board is not a picture.

    Of a picture `valid` says only that nothing was left blank; nobody checks what was drawn.
    """
    return "valid" in data and board_of(data).kind != "image"


def changed_tokens(tokens: NDArray[np.integer]) -> NDArray[np.bool_]:
    """True where tokens [..., step, position] differ from the step before; False at the first step."""
    found = np.zeros(tokens.shape, bool)
    found[..., 1:, :] = tokens[..., 1:, :] != tokens[..., :-1, :]
    return found


def token_counts(tokens: NDArray[np.integer], vocabulary: int) -> NDArray[np.int64]:
    """How many of the boards [trajectory, position] show each token: [position, token]."""
    return (tokens[..., None] == np.arange(vocabulary)).sum(0)


def band(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """10 %, 50 % and 90 % quantiles over trajectories [trajectory, step] -> [3, step]; linear between neighbors, NaN
    left out."""
    found = np.full((3, values.shape[1]), np.nan)
    for step, column in enumerate(np.asarray(values, np.float64).T):
        column = column[~np.isnan(column)]
        if len(column):
            found[:, step] = np.quantile(column, (0.1, 0.5, 0.9))
    return found


def conflict_pairs(board: Board, tokens: NDArray[np.integer]) -> list[tuple[int, int]]:
    """Pairs of positions (a < b, sorted) that share a group and the same exclusive token, on one board [position]."""
    pairs = set()
    for group in board.groups:
        for token in board.exclusive:
            members = sorted(p for p in group if tokens[p] == token)
            pairs |= {(a, b) for k, a in enumerate(members) for b in members[k + 1 :]}
    return sorted(pairs)


def first(data: xr.Dataset, true: xr.DataArray) -> xr.DataArray:
    """Label of the first step at which `true` [..., step] holds, or -1."""
    true = true.transpose(..., "step")
    labels = np.where(true.values.any(-1), data["step"].values[true.values.argmax(-1)], -1)
    return xr.DataArray(labels, dims=true.dims[:-1])


def since(true: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First index from which on `true` [step, ...] holds to the end; the number of steps where it never does."""
    return len(true) - np.logical_and.accumulate(true[::-1], axis=0).sum(0)


def on_edges(board: Board, x: NDArray[np.integer], tokens: NDArray[np.integer]) -> NDArray[np.integer]:
    """The nodes of answers [..., position] on the edges of the puzzle, in a graph whose edges are tokens."""
    x, tokens = np.broadcast_arrays(x, tokens)
    return np.concatenate([tokens[..., : board.nodes], x[..., board.nodes :]], -1)


def each(puzzle: int | Sequence[int], rollouts: Sequence[xr.Dataset]) -> Iterator[int]:
    """The puzzle of each series."""
    if isinstance(puzzle, int | np.integer):
        return iter([int(puzzle)] * len(rollouts))
    if len(puzzle) != len(rollouts):
        raise ValueError(f"{len(puzzle)} puzzle indices for {len(rollouts)} rollouts; give one, or one for each")
    return iter([int(p) for p in puzzle])
