"""What a task is: a folder of puzzles with known answers, an encoding, and rules that decide an answer.

A task yields token arrays and judges token arrays. It holds no torch module and knows no model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gram.board import Board

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
Tokens = NDArray[np.uint8]


class TaskError(ValueError):
    """A puzzle, split or size that a task cannot take; the message is one sentence with a cure."""


@dataclass(frozen=True)
class Verdict:
    """Judgement of answers.

    Attributes:
        valid: [...] the answer obeys every rule and keeps the givens.
        conflict: [..., position] this position takes part in a broken rule.
    """

    valid: NDArray[np.bool_]
    conflict: NDArray[np.bool_]


@dataclass(frozen=True)
class Puzzles:
    """Puzzles with at least one solution each; row i of `x` has `solutions[i]`.

    Attributes:
        x: [puzzle, position] what is given.
        solutions: per puzzle [solution, position], every solution that exists or (where they cannot all be listed)
            those that are known.
        complete: whether `solutions` lists *all* of them, so that coverage means something.
    """

    x: Tokens
    solutions: tuple[Tokens, ...]
    complete: bool = True

    def __len__(self) -> int:
        return len(self.x)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of solutions of each puzzle."""
        return np.array([len(found) for found in self.solutions], dtype=np.int64)

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> Puzzles:
        """The puzzles at these indices, in this order."""
        chosen = [int(index) for index in indices]
        return Puzzles(self.x[chosen], tuple(self.solutions[index] for index in chosen), self.complete)

    def pairs(self) -> tuple[NDArray[np.int64], Tokens]:
        """Every (puzzle, solution) pair: puzzle index [pair] and solution [pair, position]."""
        return np.repeat(np.arange(len(self)), self.counts), np.concatenate(self.solutions)


class Task(ABC):
    """A registered task. `Config` holds every choice that changes its data; equal configs give equal data."""

    name: ClassVar[str]
    Config: ClassVar[type]
    config: Any
    board: Board

    @abstractmethod
    def puzzles(self, split: Split) -> Puzzles:
        """All puzzles of one split, in a fixed order.

        Raises:
            TaskError: unknown split.
        """

    @abstractmethod
    def parse(self, text: str) -> Tokens:
        """The puzzle [position] that a person wrote, e.g. rows of characters.

        Raises:
            TaskError: wrong size, unknown character, or givens that already break a rule.
        """

    @abstractmethod
    def solve(self, x: Tokens, limit: int | None = None) -> Tokens:
        """Solutions [solution, position] of the puzzle [position] by exact search, at most `limit`."""

    def check(self, x: Tokens, tokens: Tokens) -> Verdict:
        """Judge answers [..., position] to puzzles that broadcast against them."""
        keeps = ((tokens == x) | ~self.board.given(x)).all(-1)
        conflict = self.board.conflict(tokens)
        return Verdict((self.board.violations(tokens) == 0) & keeps, conflict)

    def text(self, tokens: Tokens) -> str:
        """The board [position] as rows of characters; `parse` reads it back."""
        symbols = [token.symbol or "." for token in self.board.tokens]
        rows = tokens.reshape(self.board.height, self.board.width)
        return "\n".join("".join(symbols[value] for value in row) for row in rows)

    def _known_split(self, split: str) -> None:
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
