"""Interventions on a recorded chain, as numbers: states to put in, puzzles to change, and what followed from it.

Activation patching (Vig et al. 2020; "interchange intervention", Geiger et al. 2021) puts the state of some cells of a
source trajectory into a base trajectory at one step, resumes, and asks how far the answer follows the source's. What a
model makes of it is `gram.rerun`'s; `gram.intervene` and the explorer are both made of these functions.

numpy and xarray only: importing this module leaves torch unloaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.bounded import InputError
from gram.rollout import board_of, need

LEAST = 2.0**-24  # the least probability that half precision can hold


class InterventionError(InputError):
    """An intervention that cannot be; the message gives the value, what is allowed, and the fix."""


def edited(data: xr.Dataset, changes: Mapping[int, Any]) -> NDArray[np.integer]:
    """The puzzle [position] of a rollout of one, with other tokens at some positions.

    Args:
        changes: position -> a token as it is written on the board, or None for a blank.
    Raises:
        InterventionError: no change, no such cell or token, or a board whose puzzle stands beside its answer.
    """
    board = board_of(data)
    if board.apart:
        raise InterventionError(f"the puzzle of {board.title} stands beside its answer, which has no cells to be given")
    if not changes:
        raise InterventionError("the edit is empty; give at least one cell and its token, or None for a blank")
    x: NDArray[np.integer] = data["x"].values[0].copy()
    for position, written in changes.items():
        x[cells_of(board, [position])] = _token(board, written)
    return x


def cells_of(board: Board, cells: Sequence[int] | None) -> list[int]:
    """The positions of these cells; of None all that have a state of their own.

    Raises:
        InterventionError: there is no such cell.
    """
    count = board.nodes or board.positions
    if cells is None:
        return list(range(count))
    for cell in cells:
        if cell not in range(count):
            raise InterventionError(f"there is no cell {cell!r}; choose 0 to {count - 1}")
    return [int(cell) for cell in cells]


def patched(
    base: xr.Dataset,
    trajectories: Sequence[int],
    source: xr.Dataset,
    sources: Sequence[int],
    step: int,
    cells: Sequence[Sequence[int]] | None = None,
    by: float = 1.0,
) -> dict[str, NDArray[np.float32]]:
    """`h`, and `l` where it was recorded, of base trajectories with some cells patched: [patch, position, feature].

    Args:
        base, source: rollouts of one puzzle each and of one checkpoint.
        trajectories, sources: [patch], whose state is changed, and whose is put there.
        cells: [patch], which cells; None: all.
        by: the share of the way to the source's state; 1 puts that itself.
    Raises:
        RolloutError: a state was not recorded.
        InterventionError: the states lie in unrelated spaces, or there is no such state.
    """
    checkpoints = [str(data.attrs.get("checkpoint", "")) for data in (base, source)]
    if base is not source and (checkpoints[0] != checkpoints[1] or not checkpoints[0]):
        raise InterventionError(
            "the two trajectories are of different checkpoints, whose states have nothing in common; choose one of the "
            "same checkpoint"
        )
    if step >= source.sizes["step"]:
        raise InterventionError(f"the source has no step {step}; it ends at {source.sizes['step'] - 1}")
    for data, wanted in ((base, trajectories), (source, sources)):
        for n in wanted:
            if not 0 <= n < data.sizes["trajectory"]:
                raise InterventionError(f"there is no trajectory {n}; choose 0 to {data.sizes['trajectory'] - 1}")
    states = {}
    for name in ("h", *(["l"] if "l" in base else [])):
        here, there = (
            need(data, name).values[0, list(rows), step].astype(np.float32)
            for data, rows in ((base, trajectories), (source, sources))
        )
        moved = there if by == 1 else here + by * (there - here)
        if cells is not None:
            for row, chosen in enumerate(cells):
                here[row, list(chosen)] = moved[row, list(chosen)]
            moved = here
        states[name] = moved
    return states


def effect(base: xr.Dataset, source: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    """How far the final answers of patched trajectories moved from the base's to the source's, by trajectory.

    Each argument is a rollout of one puzzle; `base` and `source` may have one trajectory for all.

    Returns:
        changed: cells whose final answer is not the base's.
        followed: whether the final answer is the source's in all cells.
        differs: whether the base's is not; only then is there something to follow.
        effect: the logit difference (logit of the source's token - logit of the base's, mean over the cells where their
            answers differ) on the scale on which the base is 0 and the source 1 (Zhang & Nanda 2023, Section 2); NaN
            where they do not differ. Where logits were not recorded, logarithms of the recorded probabilities have the
            same difference; none counts as less than 2^-24.
    Raises:
        RolloutError: neither logits nor probabilities were recorded.
    """
    count = after.sizes["trajectory"]
    answers, logits = [], []
    for data in (base, source, after):
        rows = np.arange(count) if data.sizes["trajectory"] == count else np.zeros(count, int)
        answers.append(data["tokens"].values[0, rows, -1].astype(np.intp))
        logits.append(_logits(data)[rows])
    old, new, found = answers
    apart = old != new
    gaps = []
    for each in logits:
        gap = [np.take_along_axis(each, tokens[..., None], -1)[..., 0] for tokens in (new, old)]
        gaps.append(((gap[0] - gap[1]) * apart).sum(-1) / np.maximum(1, apart.sum(-1)))
    low, high, reached = gaps
    differs = apart.any(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = np.where(differs & (high > low), (reached - low) / (high - low), np.nan)
    return xr.Dataset(
        {
            "effect": ("trajectory", moved.astype(np.float32)),
            "changed": ("trajectory", (found != old).sum(-1)),
            "followed": ("trajectory", (found == new).all(-1)),
            "differs": ("trajectory", differs),
        }
    )


def obeyed(before: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    """What became of an edit, by trajectory: `changed` cells of the final answer, and whether the answer `followed`.

    It follows where every edited cell shows its new token in the end, and every erased one no longer its old token.

    Args:
        before, after: rollouts of one puzzle each, on the puzzle as it was and as it is now.
    """
    old, new = (data["x"].values[0] for data in (before, after))
    first, last = (data["tokens"].values[0, :, -1] for data in (before, after))
    blank = np.isin(new, board_of(after).blank)
    kept = np.where(blank, last != old, last == new)
    return xr.Dataset(
        {
            "changed": ("trajectory", (last != first).sum(-1)),
            "followed": ("trajectory", kept[:, old != new].all(-1)),
        }
    )


def _logits(data: xr.Dataset) -> NDArray[np.float64]:
    """Of the final answers [trajectory, position, token], up to a constant of each position."""
    if "logits" in data:
        return data["logits"].values[0, :, -1].astype(np.float64)
    found: NDArray[np.float64] = np.log(need(data, "probability").values[0, :, -1].astype(np.float64).clip(LEAST))
    return found


def _token(board: Board, written: Any) -> int:
    """The id of a token, given its symbol or its label; None is the blank."""
    blank = max(board.blank, default=0)
    if written is None or written == "":
        return blank
    for at, token in enumerate(board.tokens):
        if str(written) in (token.symbol, token.label) and (at == blank or at not in board.blank):
            return at
    symbols = [token.symbol for at, token in enumerate(board.tokens) if token.symbol and at not in board.blank]
    known = symbols or [token.label for at, token in enumerate(board.tokens) if at not in board.blank]
    raise InterventionError(f"{written!r} is no token of this board; write {', '.join(known)}, or None for a blank")
