"""A solver by search: right where it knows the rule, near where it does not."""

from __future__ import annotations

import numpy as np

from gram.tasks import arc_grids, arc_practice, arc_search


def test_who_knows_every_rule_solves_every_task_after_its_demonstrations() -> None:
    rules = arc_search.library(1.0, 0)
    for task in arc_practice.tasks(16, demonstrations=4, tests=1, canvas=12, seed=0):
        [found] = arc_search.answers(task, [arc_grids.Augmentation()], rules, seed=0)
        assert len(found) == 5
        assert np.array_equal(found[-1], task.tests[0][1]), task.name


def test_an_answer_is_changed_back() -> None:
    [task] = arc_practice.tasks(1, demonstrations=3, tests=1, canvas=12, seed=0)  # a mirror: known in any orientation
    versions = arc_grids.augmentations(task, 4, seed=0)
    found = arc_search.answers(task, versions, arc_search.library(1.0, 0), seed=0)
    assert all(np.array_equal(row[-1], task.tests[0][1]) for row in found)


def test_a_rule_that_is_not_defined_on_a_grid_is_wrong_in_every_cell() -> None:
    even = np.ones((2, 6), np.uint8)  # `overlap` needs two halves and a line between them
    assert arc_search.apply(("overlap", (2,)), even) is None
    assert arc_search.wrong(("overlap", (2,)), (even, even)) == 12


def test_a_library_is_the_same_for_a_seed() -> None:
    half = arc_search.library(0.5, 1)
    assert half == arc_search.library(0.5, 1)
    assert 0 < len(half) < len(arc_search.library(1.0, 1))
