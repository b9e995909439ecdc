"""The distinct answers that the trajectories reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import board_of
from gramviz.measure.plain import each, judged, on_edges


@dataclass(frozen=True)
class Answer:
    """One distinct final answer.

    Attributes:
        letter: a, b, ... z by size; empty from the 27th on.
        tokens: [position], at the positions that are drawn (see `shown`).
        valid: None where `valid` was not recorded, or nobody can judge (a picture).
        conflicts: violated rules, on a board without rules wrong cells; None where neither is known.
        counts: number of trajectories of each series, in the order of the series.
        fault: what `conflicts` counts, in words.
    """

    letter: str
    tokens: NDArray[np.integer]
    valid: bool | None
    conflicts: int | None
    counts: tuple[int, ...]
    fault: str = "conflict"

    @property
    def outcome(self) -> str:
        """In words: `correct`, `2 conflicts`, `2 wrong cells`, `wrong` or `unknown`."""
        if self.valid is None:
            return "unknown"
        if self.valid:
            return "correct"
        return f"{self.conflicts} {self.fault}{'s' * (self.conflicts != 1)}" if self.conflicts else "wrong"


@dataclass(frozen=True)
class Answers:
    """The distinct final answers of one puzzle over all series, largest first.

    Attributes:
        found: the answers.
        final: per series, index into `found` [trajectory].
        at: per series, index into `found` of the answer that each state shows [trajectory, step]; -1 for none of them.
    """

    found: tuple[Answer, ...]
    final: tuple[xr.DataArray, ...]
    at: tuple[xr.DataArray, ...]


def answers(rollouts: Sequence[xr.Dataset], puzzle: int | Sequence[int] = 0) -> Answers:
    """The answers that the trajectories reach, lettered by the number of trajectories of all series together.

    Equal numbers: right answers come first, then the one that the first trajectory (in order of series, then
    trajectories) reaches.
    """
    chosen = [data.isel(puzzle=p) for data, p in zip(rollouts, each(puzzle, rollouts), strict=True)]
    board = board_of(rollouts[0])
    rows = [np.ascontiguousarray(one["tokens"].values.astype(np.uint16)) for one in chosen]
    where: dict[bytes, int] = {}
    counts: list[list[int]] = []
    first: list[tuple[int, int]] = []
    for series, tokens in enumerate(rows):
        for trajectory, row in enumerate(tokens[:, -1]):
            key = row.tobytes()
            if key not in where:
                where[key] = len(where)
                counts.append([0] * len(rows))
                first.append((series, trajectory))
            counts[where[key]][series] += 1
    ends = [chosen[series].isel(trajectory=trajectory, step=-1) for series, trajectory in first]
    right = [judged(end) and bool(end["valid"]) for end in ends]
    order = sorted(range(len(counts)), key=lambda i: (-sum(counts[i]), not right[i], i))
    rank = {old: new for new, old in enumerate(order)}
    found = []
    for place, i in enumerate(order):
        last = ends[i]
        tokens = last["tokens"].values
        conflicts: int | None = None
        if board.nodes:
            conflicts = int(board.violations(on_edges(board, last["x"].values, tokens)))
        elif board.groups or board.required:
            conflicts = int(board.violations(tokens))
        elif "conflict" in last and board.kind != "image":
            conflicts = int(last["conflict"].sum())
        found.append(
            Answer(
                letter=chr(ord("a") + place) if place < 26 else "",
                tokens=tokens[: board.nodes or None],
                valid=bool(last["valid"]) if judged(last) else None,
                conflicts=conflicts,
                counts=tuple(counts[i]),
                fault="conflict" if board.ruled else "wrong cell",
            )
        )
    at = [
        np.array([[rank[where[key]] if (key := row.tobytes()) in where else -1 for row in states] for states in tokens])
        for tokens in rows
    ]
    return Answers(
        tuple(found),
        tuple(xr.DataArray(one[:, -1], dims="trajectory", name="answer") for one in at),
        tuple(xr.DataArray(one, dims=("trajectory", "step"), name="answer") for one in at),
    )
