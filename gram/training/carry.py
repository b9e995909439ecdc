"""The carried batch, and where its puzzles come from.

A carried batch, as in HRM and TRM: each optimizer step advances every row by one supervision step, and a row that is
finished is replaced by a new puzzle at z0.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gram.config import RunConfig
from gram.tasks import Puzzles, Task
from gram.training.curriculum import UNHINTED, Curriculum

AUGMENTATION, TARGETS, HINTS = 1, 2, 3  # keep random numbers apart from those that order an epoch


@dataclass
class Rows:
    """Puzzles as rows are given them.

    Attributes:
        x, y: [row, position] the puzzle and the target.
        identifier: [row] the puzzle's embedding, where a task has several.
        known: [row, solution, position] known solutions, padding where there are fewer; none without `train.hindsight`.
        level: [row] the class of ratings in which the row got extra givens, else UNHINTED.
    """

    x: Tensor
    y: Tensor
    identifier: Tensor
    known: Tensor
    level: Tensor

    def take(self, rows: Tensor) -> Rows:
        """What these rows are given."""
        return Rows(**{f.name: getattr(self, f.name)[rows] for f in fields(Rows)})


@dataclass
class Carry(Rows):
    """The carried batch: the learning rows, then those that teach the heads.

    Attributes:
        h, l: [row, position, feature] states. Of several processes each keeps those of its own rows up to date.
        age: [row] supervision steps behind it.
        past: [head row, prior_steps, position, feature] states of the rows that teach the heads, for the value head.
    """

    h: Tensor
    l: Tensor
    age: Tensor
    past: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """By name, for the checkpoint."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def to(self, device: torch.device) -> Carry:
        """The same on a device, but for the ages and levels, which are only counted."""
        kept = ("age", "level")
        return Carry(**{name: part if name in kept else part.to(device) for name, part in self.tensors().items()})

    def replace(self, rows: Tensor, fresh: Rows, h: Tensor, l: Tensor) -> None:
        """New puzzles with these initial states for some rows."""
        for field in fields(fresh):
            getattr(self, field.name)[rows] = getattr(fresh, field.name)
        self.h[rows], self.l[rows] = h, l
        self.age[rows] = 0


class Sampler:
    """Draws training pairs, epoch after epoch, each in an order of its own, augmented and with the curriculum's hints.

    Attributes:
        several: whether rows are given the known solutions of their puzzle, if only where some puzzle has several.
        drawn, epoch_length: pairs drawn so far, and those of an epoch.
    """

    def __init__(self, task: Task, puzzles: Puzzles, config: RunConfig, device: torch.device) -> None:
        self.task, self.puzzles, self.config, self.device = task, puzzles, config, device
        self.pair_puzzle, self.pair_solution = puzzles.pairs()
        self.curriculum = Curriculum(config.train.curriculum, puzzles.rating)
        train = config.train
        self.several = bool(train.hindsight) and (train.any_naming or puzzles.counts.max() > 1)
        self.drawn = 0
        self.epoch_length = len(self.curriculum.thin(self.pair_puzzle))
        self._epoch, self._order = -1, np.zeros(0, dtype=np.int64)

    def draw(self) -> int:
        """The number of the next training pair."""
        epoch, at = divmod(self.drawn, self.epoch_length)
        if epoch != self._epoch:
            order = np.random.default_rng([self.config.seed, epoch]).permutation(len(self.pair_puzzle))
            self._epoch, self._order = epoch, order[self.curriculum.thin(self.pair_puzzle[order])]
        self.drawn += 1
        return int(self._order[at])

    def fresh(self, rows: int, learning: NDArray[np.bool_] | None = None) -> Rows:
        """The next training pairs as rows; `learning` [row] says which may get extra givens, by default none."""
        train, seed = self.config.train, self.config.seed
        pairs = np.array([self.draw() for _ in range(rows)], dtype=np.int64)
        which = self.pair_puzzle[pairs]
        x, y = self.puzzles.x[which], self.pair_solution[pairs]
        if train.augment and rows:
            x, y = self.task.augment(x, y, np.random.default_rng([seed, AUGMENTATION, self.drawn]))
        if train.any_naming and rows:
            rng = np.random.default_rng([seed, TARGETS, self.drawn, 0])
            y = np.stack([rng.choice(self.task.namings(*row)) for row in zip(x, y[:, None], strict=True)])
        level = np.full(rows, UNHINTED)
        if learning is not None and learning.any():
            at, rng = np.flatnonzero(learning), np.random.default_rng([seed, HINTS, self.drawn])
            blank = ~self.task.board.given(x[at])
            x = x.copy()
            x[at], level[at] = self.curriculum.hint(x[at], y[at], blank, which[at], rng)
        identifier = np.zeros(rows) if self.puzzles.identifier is None else self.puzzles.identifier[which]
        known = torch.from_numpy(self._known(which, x)).to(self.device)
        return Rows(self._tensor(x), self._tensor(y), self._tensor(identifier), known, torch.from_numpy(level))

    def _known(self, which: NDArray[np.int64], x: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """[row, solution, position] known solutions, at most `train.hindsight`, at random where there are more."""
        train, positions = self.config.train, self.task.board.positions
        if not self.several:
            return np.zeros((len(which), 0, positions), dtype=np.uint8)
        known = np.zeros((len(which), train.hindsight, positions), dtype=np.uint8)
        rng = np.random.default_rng([self.config.seed, TARGETS, self.drawn, 1])
        for row, puzzle in enumerate(which):
            found = self.puzzles.solutions[puzzle]
            found = self.task.namings(x[row], found) if train.any_naming else found
            if len(found) > train.hindsight:
                found = found[rng.permutation(len(found))[: train.hindsight]]
            known[row, : len(found)] = found
        return known

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(array.astype(np.int64)).to(self.device)
