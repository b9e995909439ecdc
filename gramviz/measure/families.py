"""Which answers trajectories settle at: the warm-up, families of boards ("lanes"), and when each trajectory commits.

Plain numpy over boards [trajectory, step, cell] at the cells that the puzzle leaves open; distances are Hamming, in
cells. A lane is hindsight (its leader is a board that a trajectory ends with) and no verdict: on boards of few cells
even random walks fall into lanes, so there the step of commitment, not the lane, is evidence of settling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_LANES = 7
_NEAR = 0.15  # of the way from the end of the warm-up to the last board: boards that near are of one family
_DROP = 0.5  # the warm-up lasts while the cells that change fall to less than this share of those before
_STAY = 3  # steps, and trajectories, that a wrong family needs at least


@dataclass(frozen=True)
class Families:
    """The lanes of some trajectories, largest first.

    Attributes:
        leaders: boards [lane, cell] that the lanes are around.
        right: [lane] whether the leader obeys every rule.
        size: [lane] trajectories that end in it.
        radius: cells; a board that differs in at most that number of cells from a leader is in its lane.
        distance: [trajectory, step, lane] cells in which a board differs from each leader.
        lane: [trajectory, step] the nearest lane within `radius`, of equals the first; -1 for none.
        commit: [trajectory] the first step from which on a trajectory stays in its last lane; the number of steps where
            it ends in none.
        settled: [trajectory] whether it has stayed so for the last sixth of the steps, and three at least.
        others: trajectories that end right, but in no lane, as there are more answers than lanes.
    """

    leaders: NDArray[np.integer]
    right: NDArray[np.bool_]
    size: NDArray[np.int64]
    radius: int
    distance: NDArray[np.int64]
    lane: NDArray[np.int64]
    commit: NDArray[np.int64]
    settled: NDArray[np.bool_]
    others: int

    @property
    def last(self) -> NDArray[np.int64]:
        """The lane in which each trajectory ends [trajectory]; -1 for none."""
        return self.lane[:, -1]


def warm_up(tokens: NDArray[np.integer]) -> int:
    """The step from which on boards [trajectory, step, cell] are worth a map: 1, and one later as long as the median
    number of cells changed in that transition is less than half of that before; at most a quarter of the steps."""
    changed = np.median((tokens[:, 1:] != tokens[:, :-1]).sum(-1), axis=0)
    start, most = 1, min(max(1, tokens.shape[1] // 4), len(changed) - 1)
    while start < most and changed[start] < _DROP * changed[start - 1]:
        start += 1
    return min(start, tokens.shape[1] - 1)


def families(tokens: NDArray[np.integer], right: NDArray[np.bool_], start: int) -> Families:
    """The lanes of boards [trajectory, step, cell], of which `right` [trajectory] end in a right answer.

    Two boards are of one family within 15 % of the median distance from step `start` to the last board, at least one
    cell, and less than half way between two right answers. Leaders are the right answers, then the other last boards
    with most neighbors that are of no family yet. A wrong family is a lane only if max(3, 6 % of the) trajectories have
    stayed in it for the last max(3, a sixth of the) steps. One trajectory: its own last board is its lane.
    """
    count, steps = tokens.shape[:2]
    final = tokens[:, -1]
    tail = max(_STAY, steps // 6)
    apart = (final[:, None] != final[None]).sum(-1)
    radius = max(1, round(_NEAR * float(np.median((tokens[:, start] != final).sum(1)))))
    near = (apart <= radius).sum(1)
    leads: list[int] = []
    for i in sorted(range(count), key=lambda i: (not right[i], -near[i], i)):
        if (apart[i, leads] > np.where(right[i] & right[leads], 0, radius)).all():
            leads.append(i)
    answers = [i for i in leads if right[i]]
    if len(answers) > 1:
        least = min(int(apart[i, j]) for i in answers for j in answers if i < j)
        radius = max(0, min(radius, (least - 1) // 2))
    lane = nearest(_apart(tokens[:, -tail:], final[leads]), radius)
    last = lane[:, -1]
    stays = (lane == last[:, None]).all(1) & (last >= 0)
    size = np.bincount(last[last >= 0], minlength=len(leads))
    resting = np.bincount(last[stays], minlength=len(leads))
    enough = max(_STAY, round(0.06 * count))
    legal = [k for k in range(len(leads)) if (right[leads[k]] and size[k]) or resting[k] >= enough or count == 1]
    kept = sorted(legal, key=lambda k: (-size[k], k))[:MOST_LANES]
    leaders = final[[leads[k] for k in kept]]
    distance = _apart(tokens, leaders)
    lane = nearest(distance, radius)
    last = lane[:, -1]
    commit = np.where(last >= 0, steps - np.logical_and.accumulate((lane == last[:, None])[:, ::-1], 1).sum(1), steps)
    return Families(
        leaders=leaders,
        right=right[[leads[k] for k in kept]],
        size=np.bincount(last[last >= 0], minlength=len(kept)),
        radius=radius,
        distance=distance,
        lane=lane,
        commit=commit,
        settled=(last >= 0) & (commit <= steps - tail),
        others=int((right & (last < 0)).sum()),
    )


def _apart(tokens: NDArray[np.integer], leaders: NDArray[np.integer]) -> NDArray[np.int64]:
    """Cells in which boards [..., cell] differ from each of the leaders [lane, cell]: [..., lane]."""
    found = np.empty((*tokens.shape[:-1], len(leaders)), np.int64)
    for k, leader in enumerate(leaders):
        found[..., k] = (tokens != leader).sum(-1)
    return found


def nearest(distance: NDArray[np.integer], radius: int) -> NDArray[np.int64]:
    """The nearest of the last axis within `radius`, of equals the first; -1 for none."""
    if not distance.shape[-1]:
        return np.full(distance.shape[:-1], -1)
    return np.where(distance.min(-1) <= radius, distance.argmin(-1), -1)


def canonical(tokens: NDArray[np.integer], symbols: tuple[int, ...], vocabulary: int) -> NDArray[np.int64]:
    """How interchangeable symbols are renamed [trajectory, token] so that those of each last board [trajectory, step,
    cell] come in the order in which they first stand there; along a whole trajectory the same, so it moves as it did.
    """
    names = np.tile(np.arange(vocabulary), (len(tokens), 1))
    for row, board in zip(names, tokens[:, -1], strict=True):
        seen = [int(token) for token in dict.fromkeys(board.tolist()) if token in symbols]
        order = seen + [symbol for symbol in symbols if symbol not in seen]
        row[order] = symbols
    return names
