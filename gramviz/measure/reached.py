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
        """In words: `correct`, `2 conflicts`, `2 wrong cells`, what else is wrong, `wrong` or `unknown`."""
        if self.valid is None:
            return "unknown"
        if self.valid:
            return "correct"
        if self.conflicts:
            return f"{self.conflicts} {self.fault}{'s' * (self.conflicts != 1)}"
        return "a given changed or a blank left" if self.conflicts == 0 and self.fault == "conflict" else "wrong"


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
    rows = [_keys(one["tokens"].values) for one in chosen]
    where: dict[bytes, int] = {}
    counts: list[list[int]] = []
    first: list[tuple[int, int]] = []
    for series, keys in enumerate(rows):
        for trajectory, (*_, key) in enumerate(keys):
            if key not in where:
                where[key] = len(where)
                counts.append([0] * len(rows))
                first.append((series, trajectory))
            counts[where[key]][series] += 1
    ends = [_ends(one) for one in chosen]
    last = [{name: states[trajectory] for name, states in ends[series].items()} for series, trajectory in first]
    order = sorted(range(len(counts)), key=lambda i: (-sum(counts[i]), not last[i].get("valid"), i))
    found = []
    for place, i in enumerate(order):
        valid, conflicts = last[i].get("valid"), last[i].get("conflicts")
        found.append(
            Answer(
                letter=chr(ord("a") + place) if place < 26 else "",
                tokens=last[i]["tokens"][: board.nodes or None],
                valid=None if valid is None else bool(valid),
                conflicts=None if conflicts is None else int(conflicts),
                counts=tuple(counts[i]),
                fault="conflict" if board.ruled else "wrong cell",
            )
        )
    rank = {old: new for new, old in enumerate(order)}
    ranked = {key: rank[old] for key, old in where.items()}
    at = [np.array([[ranked.get(key, -1) for key in states] for states in keys]) for keys in rows]
    return Answers(
        tuple(found),
        tuple(xr.DataArray(one[:, -1], dims="trajectory", name="answer") for one in at),
        tuple(xr.DataArray(one, dims=("trajectory", "step"), name="answer") for one in at),
    )


def _keys(tokens: NDArray[np.integer]) -> list[list[bytes]]:
    """Boards [trajectory, step, position] as texts that are equal where they are."""
    raw = np.ascontiguousarray(tokens.astype(np.uint16))
    keys: list[list[bytes]] = raw.view(f"V{raw.itemsize * raw.shape[-1]}")[..., 0].tolist()
    return keys


def _ends(data: xr.Dataset) -> dict[str, NDArray[np.generic]]:
    """Of the last state of each trajectory `tokens` and, where they are known, `valid` and `conflicts`."""
    board, last = board_of(data), data.isel(step=-1)
    tokens = last["tokens"].values
    found: dict[str, NDArray[np.generic]] = {"tokens": tokens}
    if judged(data):
        found["valid"] = last["valid"].values
    if board.nodes:
        found["conflicts"] = board.violations(on_edges(board, last["x"].values, tokens))
    elif board.groups or board.required:
        found["conflicts"] = board.violations(tokens)
    elif "conflict" in last and board.kind != "image":
        found["conflicts"] = last["conflict"].values.sum(-1)
    return found
