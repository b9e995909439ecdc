"""Choosing one answer among many, by hand-made answers."""

from __future__ import annotations

import numpy as np
import pytest

from gram.evaluation.select import SELECTORS, select

TOKENS = np.array([[1, 2], [3, 4], [1, 2], [5, 6], [3, 4], [3, 4]])
VALUE = np.array([0.1, 0.2, 0.9, 0.95, 0.3, 0.0], dtype=np.float32)
HALT = np.array([0.1, 0.2, 0.3, 0.4, 0.9, 0.9], dtype=np.float32)
VALID = np.array([False, False, True, False, False, True])
HEADS = {"value": VALUE, "halt": HALT, "valid": VALID}


@pytest.mark.parametrize(("selector", "chosen"), [("majority", 1), ("value", 3), ("halt", 4), ("oracle", 2)])
def test_each_selector_chooses_what_its_name_says(selector: str, chosen: int) -> None:
    assert select(selector, TOKENS, **HEADS) == chosen


def test_a_tie_of_the_majority_goes_to_the_answer_reached_first_not_to_the_smallest() -> None:
    tokens = np.array([[9, 9], [1, 1], [1, 1], [9, 9]])
    assert select("majority", tokens, value=VALUE[:4], halt=HALT[:4], valid=VALID[:4]) == 0


def test_a_selector_looks_only_at_what_is_its_own() -> None:
    for selector, own in (("majority", None), ("value", "value"), ("halt", "halt"), ("oracle", "valid")):
        others = {name: ~scores if name == "valid" else 1 - scores for name, scores in HEADS.items() if name != own}
        assert select(selector, TOKENS, **HEADS | others) == select(selector, TOKENS, **HEADS)


@pytest.mark.parametrize("selector", SELECTORS)
def test_one_trajectory_leaves_no_choice(selector: str) -> None:
    assert select(selector, TOKENS[:1], value=VALUE[:1], halt=HALT[:1], valid=VALID[:1]) == 0


def test_the_oracle_is_a_bound_on_every_selector() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        tokens, valid = rng.integers(0, 3, (6, 2)), rng.random(6) < 0.3
        heads = {"value": rng.random(6), "halt": rng.random(6), "valid": valid}
        best = valid[select("oracle", tokens, **heads)]
        assert all(valid[select(selector, tokens, **heads)] <= best for selector in SELECTORS)


def test_an_unknown_selector_names_the_known() -> None:
    with pytest.raises(ValueError, match="unknown selector 'luck'; known: majority, value, halt, oracle"):
        select("luck", TOKENS, **HEADS)
