"""Where two trajectories part, and the tree of partings of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gramviz.measure.plain import each, since
from gramviz.measure.positions import shown


@dataclass(frozen=True)
class Parting:
    """Two trajectories part at state `index`, and first at `position`, whose difference lasts from `position_index`
    on."""

    index: int
    position: int
    position_index: int


def parting(a: xr.Dataset, i: int, b: xr.Dataset, j: int, puzzle: int | Sequence[int] = 0) -> Parting | None:
    """Where trajectory i of series a and trajectory j of series b part; None if they reach the same answer. See
    `parting_of`.

    Indices count the states of the longer series; the shorter one keeps its last board.
    """
    p, q = each(puzzle, (a, b))
    return parting_of(shown(a)["tokens"].values[p, i], shown(b)["tokens"].values[q, j])


def parting_of(a: NDArray[np.integer], b: NDArray[np.integer]) -> Parting | None:
    """Where two sequences of boards [step, position] part, or None if they end alike.

    The parting is the smallest t from which, to the end, each board is strictly nearer (Hamming) to its own last board
    than to the other's. The position is the one whose difference lasts from the earliest time; of equals the first.
    """
    steps = max(len(a), len(b))
    a, b = (np.concatenate([one, np.repeat(one[-1:], steps - len(one), 0)]) for one in (a, b))
    if (a[-1] == b[-1]).all():
        return None
    own = ((a != a[-1]).sum(1) < (a != b[-1]).sum(1)) & ((b != b[-1]).sum(1) < (b != a[-1]).sum(1))
    lasting = since(a != b)
    position = int(lasting.argmin())
    return Parting(int(since(own[:, None])[0]), position, int(lasting[position]))


@dataclass(frozen=True)
class Fork:
    """A branch comes apart after state `index` (a mean, so between states) into `parts`.

    Attributes:
        index: mean over the pairs of trajectories across it of the last state at which they are not yet parted.
        parts: the trajectories of each branch, large branches first.
        position: the one where most pairs across it part.
    """

    index: float
    parts: tuple[tuple[int, ...], ...]
    position: int


@dataclass(frozen=True)
class Branching:
    """Where many trajectories part from each other.

    Attributes:
        together: [trajectory, trajectory] the last state at which two trajectories are not yet parted, the last of all
            where they reach the same answer: one less than `Parting.index`.
        position: [trajectory, trajectory] the position of their parting, -1 where they reach the same answer.
        forks: from the last to the first.
        order: the trajectories so that those of one branch stand side by side, large branches first.
    """

    together: NDArray[np.integer]
    position: NDArray[np.integer]
    forks: tuple[Fork, ...]
    order: tuple[int, ...]

    def branches(self, index: float) -> tuple[tuple[int, ...], ...]:
        """The branches at a state, largest first: trajectories whose forks all lie at it or later."""
        label = (self.position < 0).argmax(1)  # the first trajectory with the same answer
        for fork in self.forks:
            if fork.index >= index:
                label[[n for part in fork.parts for n in part]] = fork.parts[0][0]
        return _groups(label)


def branching(data: xr.Dataset, puzzle: int = 0) -> Branching:
    """The tree of partings of all trajectories of one puzzle.

    Trajectories of one answer are one branch to the end. Of others those are joined first that stay together longest,
    and two branches part when the pairs of trajectories across them do on average (`parting`; average linkage, Sokal &
    Michener 1958). A trajectory that wanders has no answer to be nearer to before its last steps, and so parts late
    from all.
    """
    tokens = shown(data)["tokens"].transpose("puzzle", "trajectory", "step", "position").values[puzzle]
    trajectories, steps = tokens.shape[:2]
    together = np.full((trajectories, trajectories), steps - 1)
    position = np.full((trajectories, trajectories), -1)
    for i in range(trajectories):
        for j in range(i):
            if (found := parting_of(tokens[i], tokens[j])) is not None:
                together[i, j] = together[j, i] = found.index - 1
                position[i, j] = position[j, i] = found.position
    answer = (position < 0).argmax(1)  # the first trajectory with the same answer
    groups = {int(k): tuple(np.flatnonzero(answer == k).tolist()) for k in np.unique(answer)}
    forks = []
    while len(groups) > 1:
        keys = list(groups)
        mean = {(a, b): float(together[np.ix_(groups[a], groups[b])].mean()) for a in keys for b in keys if a < b}
        latest = max(mean.values())
        a, b = next(pair for pair in mean if mean[pair] == latest)
        parts = tuple(sorted((groups[a], groups[b]), key=lambda part: (-len(part), part[0])))
        kinds, counts = np.unique(position[np.ix_(groups[a], groups[b])], return_counts=True)
        forks.append(Fork(latest, parts, int(kinds[counts.argmax()])))
        groups[a] = tuple(sorted(groups[a] + groups.pop(b)))
    return Branching(together, position, tuple(forks), _order(forks, trajectories))


def _groups(label: NDArray[np.integer]) -> tuple[tuple[int, ...], ...]:
    """Trajectories with the same label, largest group first, of equals that with the first trajectory."""
    found = [tuple(np.flatnonzero(label == k).tolist()) for k in np.unique(label)]
    return tuple(sorted(found, key=lambda part: (-len(part), part[0])))


def _order(forks: Sequence[Fork], trajectories: int) -> tuple[int, ...]:
    """Trajectories in the order of the tree's leaves: at each fork the larger part first."""
    rank = np.zeros((trajectories, len(forks)), int)
    for at, fork in enumerate(reversed(forks)):  # from the first fork to the last
        for k, part in enumerate(fork.parts):
            rank[list(part), at] = k
    return tuple(sorted(range(trajectories), key=lambda trajectory: (*rank[trajectory], trajectory)))
