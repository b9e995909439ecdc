"""A solver of practice tasks by search: it applies the rule of its library that explains the demonstrations best.

No network and no training: a stand-in where no ARC model is trained, to show what augmentation, vote and attempts add
to a score. A library that holds a random part of the rules solves some versions of a task and not others, as a network
does that has learned a rule for one direction or color only; where the rule is absent it answers with the nearest one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gram.tasks.arc_files import ArcTask, Grid, Pair
from gram.tasks.arc_grids import Augmentation, encode
from gram.tasks.arc_practice import RULES

Known = tuple[str, tuple[int, ...]]  # the name of a rule and its parameters


def library(share: float, seed: int) -> list[Known]:
    """Each rule of `RULES`, with each choice of its parameters, with this probability."""
    every = [(name, parameters) for name, rule in RULES.items() for parameters in rule.parameters]
    kept = np.random.default_rng(seed).random(len(every)) < share
    return [known for known, keep in zip(every, kept, strict=True) if keep]


def wrong(rule: Known, pair: Pair) -> int:
    """How many cells of the pair's output the rule gets wrong; all, where its output has another size or none."""
    found = apply(rule, pair[0])
    return int(pair[1].size if found is None or found.shape != pair[1].shape else (found != pair[1]).sum())


def apply(rule: Known, grid: Grid) -> Grid | None:
    """The output of a rule; None for a grid on which it is not defined, such as one without the line it looks for."""
    name, parameters = rule
    try:
        found = np.ascontiguousarray(RULES[name].apply(grid, *parameters), dtype=np.uint8)
    except (IndexError, ValueError):
        return None
    return found if found.size else None


def answers(arc_task: ArcTask, versions: Sequence[Augmentation], rules: Sequence[Known], seed: int) -> list[list[Grid]]:
    """The answer to the task's first test input in each version, changed back, after 0, 1, ... demonstrations.

    It is that of the rule with the fewest wrong cells so far; of equals one is drawn. Where that rule is not defined on
    the input, the answer is the input.
    """
    rng, test = np.random.default_rng(seed), arc_task.tests[0][0]
    found = []
    for version in versions:
        pairs = [(version.apply(grid), version.apply(answer)) for grid, answer in arc_task.demonstrations]
        cells = np.array([[0, *(wrong(rule, pair) for pair in pairs)] for rule in rules]).cumsum(1)
        drawn = rng.random((len(rules), 1))  # below one cell, so it decides only between equals
        best = [rules[at] for at in (cells + drawn).argmin(0)]
        given = [apply(rule, version.apply(test)) for rule in best]
        found.append([test if grid is None else version.invert(grid) for grid in given])
    return found


def canvases(found: Sequence[Sequence[Grid]], canvas: int) -> NDArray[np.uint8]:
    """Answers as `answers` gives them as tokens [version, demonstrations seen, position]; what is too large is cut."""
    return np.array([[encode(grid[:canvas, :canvas], canvas) for grid in row] for row in found])
