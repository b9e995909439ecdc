"""Which states are looked at, and what is known of each position at each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.rollout import board_of, need
from gramviz.measure.plain import changed_tokens, token_counts

Every = Literal["transition", "supervision"]


def shades(board: Board) -> NDArray[np.float64]:
    """Light [token, row, column] of the pixels of each token of an image: 0 paper to 1 ink, NaN where it is no pixel.

    A token's symbol lists its pixels (`Board.patch`); tokens without such a symbol are grays in order of their ids.
    """
    ids = [at for at, token in enumerate(board.tokens) if token.glyph == "pixel"]
    found = np.full((len(board.tokens), board.patch, board.patch), np.nan)
    for order, at in enumerate(ids):
        symbol = board.tokens[at].symbol
        listed = len(symbol) == board.patch**2 and set(symbol) <= {"0", "1"}
        gray = order / max(1, len(ids) - 1)
        found[at] = np.reshape([int(bit) for bit in symbol], found.shape[1:]) if listed else gray
    return found


def ends(data: xr.Dataset, every: Every = "transition") -> xr.Dataset:
    """The states at the end of each transition, or only of each supervision step; the initial state always stays."""
    keep: NDArray[np.bool_] = data["low_step"].values == 0
    if every == "supervision":
        supervision = data["supervision_step"].values[keep]
        keep[np.flatnonzero(keep)[:-1][supervision[1:] == supervision[:-1]]] = False
    elif every != "transition":
        raise ValueError(f"every={every!r} is unknown; known: 'transition', 'supervision'")
    return data if keep.all() else data.isel(step=np.flatnonzero(keep))  # indexing by a list would copy h


def address(data: xr.Dataset, index: int) -> str:
    """The step at an index in words: `init`, `7.2` (supervision step.transition) or `7.2.4` (.low-level step)."""
    at = [int(data[name].values[index]) for name in ("supervision_step", "transition", "low_step")]
    if not any(at):
        return "init"
    return f"{at[0]}.{at[1]}" + (f".{at[2]}" if at[2] else "")


def shown(data: xr.Dataset) -> xr.Dataset:
    """The rollout at the positions that are drawn: of a graph whose edges are tokens its nodes, else all.

    The pairs of nodes repeat the puzzle, so certainty, changes and answers are measured at the nodes alone.
    """
    nodes = board_of(data).nodes
    return data.isel(position=slice(nodes)) if nodes else data


def probability(data: xr.Dataset) -> xr.DataArray:
    """Probability of each token [puzzle, trajectory, step, position, token], float32; from `logits` if need be.

    As all that is measured per position: at the positions that are drawn, see `shown`.

    Raises:
        RolloutError: neither `probability` nor `logits` was recorded.
    """
    data = shown(data)
    if "probability" not in data and "logits" in data:
        logits = data["logits"].astype(np.float32)
        raised = logits.copy(data=np.exp(logits - logits.max("token")))  # less the largest: exp cannot overflow
        return raised / raised.sum("token")
    return need(data, "probability").astype(np.float32)


def certainty(data: xr.Dataset) -> xr.DataArray:
    """Probability of the shown token [puzzle, trajectory, step, position], 0 to 1."""
    p, tokens = probability(data).values, shown(data)["tokens"]
    return tokens.copy(data=np.take_along_axis(p, tokens.values.astype(np.intp)[..., None], -1)[..., 0]).rename(
        "certainty"
    )


def second(data: xr.Dataset) -> xr.Dataset:
    """The runner-up at each position: `token` and its `probability` [puzzle, trajectory, step, position].

    The runner-up is the most probable token other than the shown one (which need not be the most probable: a model
    may sample); equal ones: the lowest id.
    """
    p = probability(data).values.copy()
    like = shown(data)["tokens"]
    np.put_along_axis(p, like.values.astype(np.intp)[..., None], -1.0, -1)
    token = p.argmax(-1)
    value = np.take_along_axis(p, token[..., None], -1)[..., 0].clip(0)  # with a single token there is no runner-up: 0
    return xr.Dataset({"token": like.copy(data=token.astype(like.dtype)), "probability": like.copy(data=value)})


def entropy(data: xr.Dataset) -> xr.DataArray:
    """Entropy of the token distribution [puzzle, trajectory, step, position], in nats."""
    p = probability(data)
    return -(p * np.log(p.clip(min=np.finfo(np.float32).tiny))).sum("token").rename("entropy")


def changed(data: xr.Dataset) -> xr.DataArray:
    """True where the token differs from the state before [puzzle, trajectory, step, position]; False at step 0."""
    tokens = shown(data)["tokens"]
    return tokens.copy(data=changed_tokens(tokens.values)).rename("changed")


def distribution(
    data: xr.Dataset, step: int = -1, puzzle: int = 0, trajectories: Sequence[int] | None = None
) -> xr.DataArray:
    """How many of the trajectories (or of the `trajectories` named) show each token at one step: counts [position,
    token]."""
    tokens = shown(data)["tokens"].isel(puzzle=puzzle, step=step)
    if trajectories is not None:
        tokens = tokens.isel(trajectory=list(trajectories))
    counts = token_counts(tokens.values, len(board_of(data).tokens))
    return xr.DataArray(counts, dims=("position", "token"), name="trajectories")
