"""A curriculum over rated puzzles: how often the hardest are drawn, and which of the hard ones come with extra givens.

Extra givens stand at the frontier: in each class of ratings a row gets 1 to `most` of them, and `most` moves by a
factor exp(-+step) with every such row that ends solved or unsolved, so that about half of them are solved. Hints on
rows that are solved without them do not help (measured on 9 x 9 Sudoku).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gram.config import ConfigError, CurriculumConfig
from gram.evaluation.metrics import RATINGS

UNHINTED = -1  # the class of a row without extra givens
START, LEAST, MOST = 8.0, 1.0, 40.0  # of the extra givens of a class: at first, and its bounds


class Curriculum:
    """What is drawn, and how hard.

    Args:
        rating: [puzzle], or None where puzzles are not rated: then there can be no curriculum.
    Attributes:
        most: [class] the most extra givens of a row.
    Raises:
        ConfigError: a curriculum over puzzles that are not rated.
    """

    def __init__(self, config: CurriculumConfig, rating: NDArray[np.int64] | None) -> None:
        if rating is None and config != CurriculumConfig():
            raise ConfigError("train.curriculum needs puzzles with ratings, as Sudoku has; leave it at its defaults")
        self.config = config
        starts = [first for first, _ in RATINGS[1:]]
        self.classes = None if rating is None else np.digitize(rating, starts)
        self.hint_from = int(np.digitize(config.hint_from, starts))
        self.most = np.full(len(RATINGS), START)

    def thin(self, puzzle: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of draws in random order the numbers of those that stay, given the `puzzle` of each.

        All but the hardest class stay, and of that the first ones, up to its share of the draws.
        """
        share = self.config.hardest_share
        if not share or self.classes is None:
            return np.arange(len(puzzle))
        hardest = self.classes[puzzle] == len(RATINGS) - 1
        kept = int((~hardest).sum() * share / (1 - share)) if share < 1 else len(puzzle)
        return np.flatnonzero(~hardest | (hardest.cumsum() <= kept))

    def hint(
        self, x: NDArray[np.uint8], y: NDArray[np.uint8], blank: NDArray[np.bool_], puzzle: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:  # fmt: skip
        """The rows with extra givens [row, position], and the class of each that got some, else UNHINTED [row].

        Args:
            x, y, blank: [row, position]; where the puzzle gives nothing.
            puzzle: [row].
        """
        level = np.full(len(x), UNHINTED)
        if not self.config.hinted or self.classes is None:
            return x, level
        x, classes = x.copy(), self.classes[puzzle]
        chosen = (classes >= self.hint_from) & (rng.random(len(x)) < self.config.hinted)
        for row in np.flatnonzero(chosen):
            places = np.flatnonzero(blank[row])
            count = int(rng.integers(1, max(1, round(self.most[classes[row]])), endpoint=True))
            at = rng.permutation(places)[:count]
            x[row, at], level[row] = y[row, at], classes[row]
        return x, level

    def learn(self, level: NDArray[np.int64], solved: NDArray[np.bool_]) -> None:
        """Move `most` by the rows [row] that ended."""
        for one, right in zip(level, solved, strict=True):
            if one != UNHINTED:
                moved = self.most[one] * math.exp(-self.config.step if right else self.config.step)
                self.most[one] = np.clip(moved, LEAST, MOST)

    def restore(self, most: ArrayLike) -> None:
        """Go back to a saved state."""
        self.most = np.asarray(most, dtype=np.float64).copy()
