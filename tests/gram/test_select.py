"""Choosing one answer among many, by hand-made answers."""

from __future__ import annotations

import numpy as np
import pytest

from gram.select import SELECTORS, select

TOKENS = np.array([[1, 2], [3, 4], [1, 2], [5, 6], [3, 4], [3, 4]])
VALUE = np.array([0.1, 0.2, 0.9, 0.95, 0.3, 0.0], dtype=np.float32)
VALID = np.array([False, False, True, False, False, True])


@pytest.mark.parametrize(("how", "chosen"), [("majority", 1), ("value", 3), ("oracle", 2)])
def test_each_selector_chooses_what_its_name_says(how: str, chosen: int) -> None:
    assert select(how, TOKENS, VALUE, VALID) == chosen


def test_a_tie_of_the_majority_goes_to_the_answer_reached_first_not_to_the_smallest() -> None:
    tokens = np.array([[9, 9], [1, 1], [1, 1], [9, 9]])
    assert select("majority", tokens, VALUE[:4], VALID[:4]) == 0


def test_majority_never_looks_at_value_or_validity() -> None:
    flipped = select("majority", TOKENS, 1 - VALUE, ~VALID)
    assert flipped == select("majority", TOKENS, VALUE, VALID)


@pytest.mark.parametrize("how", SELECTORS)
def test_one_trajectory_leaves_no_choice(how: str) -> None:
    assert select(how, TOKENS[:1], VALUE[:1], VALID[:1]) == 0


def test_the_oracle_is_a_bound_on_every_selector() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        tokens, value, valid = rng.integers(0, 3, (6, 2)), rng.random(6), rng.random(6) < 0.3
        best = valid[select("oracle", tokens, value, valid)]
        assert all(valid[select(how, tokens, value, valid)] <= best for how in SELECTORS)


def test_an_unknown_selector_names_the_known() -> None:
    with pytest.raises(ValueError, match="unknown selector 'luck'; known: majority, value, oracle"):
        select("luck", TOKENS, VALUE, VALID)
