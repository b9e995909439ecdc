"""Two attempts by a vote, and what they are worth without learning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gram.checkpoint import build
from gram.evaluation import attempts
from gram.evaluation.evaluate import score_grid
from gram.evaluation.metrics import Answers
from gram.evaluation.select import VOTES
from gram.presets import preset
from gram.tasks import Puzzles
from gram.tasks.arc import ARC, ARCConfig
from gram.tasks.arc_files import ArcTask

TASK = ARC(ARCConfig(tasks=6, augmentations=3, canvas=10))


@pytest.mark.parametrize(("right", "solved"), [(2, True), (1, True), (0, False)])
def test_an_answer_that_two_versions_share_wins_a_vote(right: int, solved: bool) -> None:
    """Two of four versions agree on another grid, so one right answer is the second attempt, and two are the first."""
    ids = np.array([1, 4, 5])

    def run(puzzles: Puzzles, rows: list[int]) -> dict[int, Answers]:
        assert TASK.versions()[0].take(rows).digest == puzzles.digest
        assert puzzles.identifier is not None
        version = puzzles.identifier % 4
        truth = np.stack([answer[0] for answer in puzzles.solutions])
        tokens = np.where((version < right)[:, None], truth, puzzles.x)[:, None]
        blank = np.zeros(tokens.shape[:2])
        return {16: Answers(tokens.astype(np.uint8), *[blank] * 6)}  # type: ignore[arg-type]

    found = attempts.voted(TASK, ids, [1], run)
    assert found.keys() == {(16, 1)}
    truth = TASK.puzzles("test").take(ids)
    moves = [not np.array_equal(x, answer[0]) for x, answer in zip(truth.x, truth.solutions, strict=True)]
    assert found[16, 1].tolist() == [solved or not moved for moved in moves]


def test_colors_are_mapped_as_the_demonstrations_show_most_often() -> None:
    grid = np.array([[1, 2], [3, 1]], np.uint8)
    pairs = ((grid, np.array([[4, 5], [3, 4]], np.uint8)), (grid, np.array([[4, 6], [6, 7]], np.uint8)))
    one = ArcTask("of colors", pairs, (), training=True)
    assert attempts.recolored(one, np.array([[1, 2, 3, 8]], np.uint8)).tolist() == [[4, 5, 3, 8]]


def test_an_evaluation_of_arc_counts_votes_and_stands_beside_no_learning() -> None:
    config = replace(preset("debug-trm"), task=TASK.config, model=replace(preset("debug-trm").model, puzzle_tokens=1))
    _, model = build(config)
    (cell,) = score_grid(
        model, TASK, depths=[2], trajectories=[1], halting=False, seed=0, limit=4, votes=True, per_puzzle=True
    ).values()  # fmt: skip
    assert cell["best_of_n"][VOTES] == np.mean(cell["per_puzzle"]["best_of_n"][VOTES])
    assert cell["without_learning"].keys() == {"input", "colors"}
    (plain,) = score_grid(model, TASK, depths=[2], trajectories=[1], halting=False, seed=0, limit=4).values()
    assert VOTES not in plain["best_of_n"]
