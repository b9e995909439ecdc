"""What counts for an ARC task: two attempts, chosen by a vote of all its versions; and the same without learning.

The answers to every version that was trained on, of every trajectory, are changed back and put to the vote
(`ARC.attempts`). The baselines learn nothing: the input itself as the answer, and the input with each color replaced
by the one that most often stands at its places in the demonstrations' answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gram.evaluation.intervals import wilson
from gram.evaluation.metrics import Answers
from gram.tasks import Puzzles
from gram.tasks.arc import ARC, solved
from gram.tasks.arc_files import ArcTask, Grid
from gram.tasks.arc_grids import decode

Right = NDArray[np.bool_]  # [puzzle], whether an attempt is the answer


def voted(
    task: ARC, ids: NDArray[np.integer], widths: Sequence[int], run: Callable[[Puzzles, list[int]], dict[int, Answers]]
) -> dict[tuple[int, int], Right]:
    """Which puzzles of the test split one of two attempts solves, at each (depth, width).

    Args:
        ids: the puzzles' numbers in the split.
        widths: trajectories of each version that vote.
        run: answers to puzzles with these numbers, at each depth.
    """
    puzzles, of = task.versions()
    rows = np.flatnonzero(np.isin(of, ids))
    asked = puzzles.take(rows.tolist())
    number = np.searchsorted(ids, of[rows])
    truth = task.puzzles("test").take(ids)
    return {
        (depth, width): solved(task.attempts(asked, number, found.tokens[:, :width], found.value[:, :width]), truth)
        for depth, found in run(asked, rows.tolist()).items()
        for width in widths
        if len(found.tokens) == len(rows)  # else it was interrupted
    }


def without_learning(task: ARC, ids: NDArray[np.integer]) -> dict[str, dict[str, Any]]:
    """The share of the test split's puzzles that each baseline solves with one attempt, and its interval."""
    truth = task.puzzles("test").take(ids)
    assert truth.identifier is not None
    tasks = map(task.task_of, truth.identifier.tolist())
    given = [(one, cast(Grid, decode(x))) for one, x in zip(tasks, truth.x, strict=True)]
    answers = {"input": [[grid] for _, grid in given], "colors": [[recolored(*one)] for one in given]}
    right = {name: int(solved(each, truth).sum()) for name, each in answers.items()}
    return {name: {"value": n / len(ids), "interval": wilson(n, len(ids))} for name, n in right.items()}


def recolored(arc_task: ArcTask, grid: Grid) -> Grid:
    """The grid, each color replaced by the one most often in its place in the demonstrations; unseen ones stay."""
    pairs = [(x, y) for x, y in arc_task.demonstrations if x.shape == y.shape]
    count = np.eye(10, dtype=np.int64)  # a color stays where it is not seen, and where counts are equal
    for x, y in pairs:
        np.add.at(count, (x.ravel(), y.ravel()), 2)
    return count.argmax(1).astype(np.uint8)[grid]
