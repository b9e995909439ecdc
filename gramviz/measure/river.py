"""The answer river: time against answers, one line for each trajectory, without a projection.

A trajectory runs in the trunk while its board is near no answer, and rises (a right answer) or falls (a wrong one) into
the lane of the answer as its open cells come to agree with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from gramviz.measure.families import Families

TRUNK = -1
_GAP = 2.5  # slots between two lanes
_LEAST_TRUNK = 6  # slots; it has a third of one for each trajectory that ends in it, as they lie denser there
_DENSE = 0.12  # slots between two trajectories in the trunk


@dataclass(frozen=True)
class River:
    """Where trajectories are in the river; the unit is a slot, the place of one trajectory in a lane.

    Attributes:
        y: [trajectory, step].
        spans: from where to where each lane runs, by its number; `TRUNK` is that of no answer.
    """

    y: NDArray[np.float64]
    spans: dict[int, tuple[float, float]]


def river(found: Families, start: int) -> River:
    """y = (1 - s) trunk + s (lanes + own slot).

    s is the share of the median distance to the nearest answer, at step `start`, that has gone, 0 to 1: moving away
    from all answers looks flat. Lanes weigh exp(-distance / tau), tau = max(0.2, an eighth of the least distance
    between two of them). Right lanes lie above the trunk in the order that makes moves between them short, wrong ones
    below. Slots within a lane stand in the order of commitment; they count only while the nearest lane is the last one.
    """
    last, lanes = found.last, len(found.size)
    right = _short_moves(found, [k for k in range(lanes) if found.right[k]])
    order = [*[k for k in range(lanes) if not found.right[k]][::-1], TRUNK, *right[::-1]]
    slot, middle, spans, y = np.zeros(len(last)), {}, {}, 0.0
    for k in order:  # from below
        members = sorted(np.flatnonzero(last == k), key=lambda i: (found.commit[i], i))
        height = max(len(members) // 3, _LEAST_TRUNK) if k == TRUNK else max(len(members), 1)
        # The first to commit lies furthest from the trunk, so that nobody crosses those who are there.
        for j, i in enumerate(members[::-1] if k != TRUNK and found.right[k] else members):
            slot[i] = y + j + (height - len(members)) / 2
        middle[k], spans[k] = y + (height - 1) / 2, (y - 0.5, y + height - 0.5)
        y += height + _GAP
    trunk = np.empty(len(last))
    trunk[np.argsort(slot, kind="stable")] = middle[TRUNK] + (np.arange(len(last)) - (len(last) - 1) / 2) * _DENSE
    if not lanes:
        return River(np.repeat(trunk[:, None], found.lane.shape[1], 1), spans)
    distance = found.distance.astype(np.float64)
    near = distance.min(-1)
    share = np.clip(1 - near / max(float(np.median(near[:, start])), 1.0), 0, 1)
    between = (found.leaders[:, None] != found.leaders[None]).sum(-1)
    tau = max(0.2, between[between > 0].min() / 8) if lanes > 1 else 1.0
    weight = np.exp((near[..., None] - distance) / tau)
    weight /= weight.sum(-1, keepdims=True)
    home = (last[:, None] >= 0) & (distance.argmin(-1) == last[:, None])
    own = np.where(home, (slot - np.array([middle[k] for k in last]))[:, None], 0)
    level = weight @ np.array([middle[k] for k in range(lanes)])
    return River((1 - share) * trunk[:, None] + share * (level + own), spans)


def _short_moves(found: Families, lanes: list[int]) -> list[int]:
    """Lanes in the order in which the moves between them are shortest; of equal orders the first, largest first."""
    before, after = found.lane[:, :-1].ravel(), found.lane[:, 1:].ravel()
    moved = (before >= 0) & (after >= 0) & (before != after)
    moves = np.zeros((len(found.size),) * 2)
    np.add.at(moves, (before[moved], after[moved]), 1)
    moves = (moves + moves.T)[np.ix_(lanes, lanes)]
    if len(lanes) < 3 or not moves.any():
        return lanes
    orders = np.array(list(permutations(range(len(lanes)))))
    place = np.argsort(orders, axis=1)  # [order, lane]
    cost = (moves * np.abs(place[:, :, None] - place[:, None, :])).sum((1, 2))
    return [lanes[k] for k in orders[cost.argmin()]]
