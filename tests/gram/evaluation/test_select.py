"""Choosing one answer among many, by hand-made answers."""

from __future__ import annotations

import numpy as np
import pytest

from gram.board import Board, Token
from gram.evaluation.select import SELECTORS, candidates, select
from gram.rollout import make

TOKENS = np.array([[[1, 2], [3, 4], [1, 2], [5, 6], [3, 4], [3, 4]]])
RIGHT = np.array([[False, False, True, False, False, True]])
SCORES = {
    "value": np.array([[0.1, 0.2, 0.9, 0.95, 0.3, 0.0]], dtype=np.float32),
    "halt": np.array([[0.1, 0.2, 0.3, 0.4, 0.9, 0.9]], dtype=np.float32),
    "residual": np.array([[0.3, 0.2, 0.3, 0.1, 0.0, 0.0]], dtype=np.float32),
    "stability": np.array([[0, 2, 7, 1, 0, 7]], dtype=np.int32),
    "rules": RIGHT,
    "any": RIGHT,
}


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [("majority", 1), ("value", 3), ("halt", 4), ("residual", 4), ("stability", 2), ("rules", 2), ("any", 2)],
)
def test_each_selector_chooses_what_its_name_says_and_looks_at_nothing_else(selector: str, chosen: int) -> None:
    assert select(selector, TOKENS, SCORES).tolist() == [chosen]
    reversed_ = {name: scores if name == selector else scores[:, ::-1] for name, scores in SCORES.items()}
    assert select(selector, TOKENS, reversed_).tolist() == [chosen]


def test_each_puzzle_has_a_choice_of_its_own() -> None:
    both = {name: np.concatenate([scores, scores[:, ::-1]]) for name, scores in SCORES.items()}
    assert select("value", np.concatenate([TOKENS, TOKENS[:, ::-1]]), both).tolist() == [3, 2]
    assert select("majority", np.concatenate([TOKENS, TOKENS[:, ::-1]]), both).tolist() == [1, 0]


def test_a_tie_of_the_majority_goes_to_the_answer_reached_first_not_to_the_smallest() -> None:
    assert select("majority", np.array([[[9, 9], [1, 1], [1, 1], [9, 9]]]), {}).tolist() == [0]


@pytest.mark.parametrize("selector", SELECTORS)
def test_one_trajectory_leaves_no_choice(selector: str) -> None:
    one = {name: scores[:, :1] for name, scores in SCORES.items()}
    assert select(selector, TOKENS[:, :1], one).tolist() == [0]


def test_any_is_a_bound_on_every_selector() -> None:
    rng = np.random.default_rng(0)
    tokens, right = rng.integers(0, 3, (50, 6, 2)), rng.random((50, 6)) < 0.3
    scores = {name: rng.random((50, 6)) for name in SCORES} | {"any": right}
    best = right[np.arange(50), select("any", tokens, scores)]
    assert (best == right.any(1)).all()
    for selector in SELECTORS:
        assert (right[np.arange(50), select(selector, tokens, scores)] <= best).all()


def test_a_selector_without_scores_is_absent_and_the_known_are_named() -> None:
    with pytest.raises(ValueError, match="no selector 'luck' here; choose one of majority, value, halt, residual, sta"):
        select("luck", TOKENS, SCORES)
    with pytest.raises(ValueError, match="no selector 'rules' here; choose one of majority, any"):
        select("rules", TOKENS, {"any": RIGHT})


class TestRollout:
    """What a recorded rollout gives to the selectors."""

    BOARD = Board("toy", "toy", "grid", 1, 2, (Token("pad"), Token("a", "a"), Token("b", "b")))

    def test_its_last_answers_are_scored_by_what_was_recorded(self) -> None:
        # One puzzle, three trajectories, steps: initial, then two transitions in each of three supervision steps.
        ends = np.array([[[1, 1], [1, 2], [1, 2]], [[1, 1], [1, 1], [1, 1]], [[2, 2], [2, 1], [1, 1]]])
        tokens = np.concatenate([np.ones((3, 1, 2), int), ends.repeat(2, 1)], 1)
        tokens[1, 1:6:2] = 2  # on the way to the end of a supervision step: counts for nothing
        h = np.zeros((1, 3, 7, 2, 1), np.float16)
        h[0, 0, 6], h[0, 1, 6], h[0, 2, 6, 0] = 2, 1, 1
        h[0, :, 5] = 9
        rollout = make(
            self.BOARD,
            {"x": np.zeros((1, 2), int), "tokens": tokens[None], "h": h, "valid": tokens[None, :, :, 0] == 1},
            supervision_step=[0, 1, 1, 2, 2, 3, 3],
            transition=[0, 1, 2, 1, 2, 1, 2],
        )
        last, scores = candidates(rollout)
        assert last.tolist() == ends[None, :, -1].tolist()
        assert scores["stability"].tolist() == [[1, 2, 0]]
        assert scores["residual"].tolist() == [[4, 1, 0.5]]
        assert set(scores) == {"residual", "stability", "any"}
        assert select("stability", last, scores).tolist() == [1]
        assert select("residual", last, scores).tolist() == [2]
