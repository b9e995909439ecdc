"""What a task is: a folder of puzzles with known answers, an encoding, and rules that decide an answer.

A task yields token arrays and judges token arrays. It holds no torch module and knows no model.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gram import plugins
from gram.board import Board
from gram.bounded import InputError

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
Tokens = NDArray[np.uint8]


PAD = 0  # in every vocabulary; where a target holds it, there is nothing to learn


class TaskError(InputError):
    """A puzzle, split or size that a task cannot take; the message is one sentence with a cure."""


class NoSolverError(TaskError):
    """Nobody can search for the answers of this task."""


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
        identifier: [puzzle] which ARC task each puzzle belongs to, else None.
        rating: [puzzle] how hard each one is, from 0, in the task's own unit (Sudoku: dead ends), else None.
    """

    x: Tokens
    solutions: tuple[Tokens, ...]
    complete: bool = True
    identifier: NDArray[np.int32] | None = None
    rating: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of solutions of each puzzle."""
        return np.array([len(found) for found in self.solutions], dtype=np.int64)

    @cached_property
    def digest(self) -> str:
        """sha256 (hex) of the inputs and their solutions."""
        sha = hashlib.sha256()
        for part in (self.x, *self.solutions):
            sha.update(f"{part.dtype} {part.shape}".encode() + np.ascontiguousarray(part).tobytes())
        return sha.hexdigest()

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> Puzzles:
        """The puzzles at these indices, in this order."""
        chosen = [int(index) for index in indices]
        return Puzzles(
            self.x[chosen],
            tuple(self.solutions[index] for index in chosen),
            self.complete,
            None if self.identifier is None else self.identifier[chosen],
            None if self.rating is None else self.rating[chosen],
        )

    def pairs(self) -> tuple[NDArray[np.int64], Tokens]:
        """Every (puzzle, solution) pair: puzzle index [pair] and solution [pair, position]."""
        return np.repeat(np.arange(len(self)), self.counts), np.concatenate(self.solutions)


class Task(ABC):
    """A registered task. `Config` holds every choice that changes its data; equal configs give equal data.

    Attributes:
        board: the geometry of its puzzles.
        identifiers: how many puzzle embeddings its puzzles ask for (`Puzzles.identifier`, ARC); 0 if none.
        ruled: whether rules alone can judge an answer; if not, it is compared with the known ones.
    """

    name: ClassVar[str]
    Config: ClassVar[type]
    config: Any
    board: Board
    identifiers: int = 0
    ruled: ClassVar[bool] = True

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        plugins.defined(cls)

    @property
    def blank_puzzle(self) -> Tokens | None:
        """The blank puzzle [position], where it is the only one: generation is unconditional. Else None.

        Known without the data: who generates needs none.
        """
        return None

    @property
    def data_name(self) -> str:
        """What its data are called: the board, and every setting that is not the default."""
        chosen = [
            f"{field.name} {getattr(self.config, field.name)}"
            for field in fields(self.config)
            if getattr(self.config, field.name) != field.default
        ]
        return ", ".join([self.board.title, *chosen])

    @abstractmethod
    def puzzles(self, split: Split) -> Puzzles:
        """All puzzles of one split, in a fixed order.

        Raises:
            TaskError: unknown split.
        """

    def loaded(self, split: Split) -> Puzzles:
        """`puzzles(split)`, the same object at each call: made once, and its digest computed once."""
        if split not in self._loaded:
            self._loaded[split] = self.puzzles(split)
        return self._loaded[split]

    @cached_property
    def _loaded(self) -> dict[Split, Puzzles]:
        return {}

    @abstractmethod
    def parse(self, text: str) -> Tokens:
        """The puzzle [position] that a person wrote, e.g. rows of characters.

        Raises:
            TaskError: wrong size, unknown character, or givens that already break a rule.
        """

    def split(self, text: str) -> list[str]:
        """The puzzles of a text that holds several, each as `parse` reads it; by default blank lines divide them."""
        return [part for part in re.split(r"\n\s*\n", text.replace("\r", "").strip()) if part.strip()]

    @abstractmethod
    def source(self) -> str:
        """Where the data come from, in a sentence without a full stop: generated, embedded, or which files."""

    def solve(self, x: Tokens, limit: int | None = None) -> Tokens:
        """Solutions [solution, position] of the puzzle [position] by exact search, at most `limit`.

        Raises:
            NoSolverError: the answers of this task are known only from its data.
        """
        raise NoSolverError(f"{self.name} has no exact solver; its answers are known only from its data")

    def solve_each(self, x: Tokens, limit: int) -> tuple[Tokens, ...]:
        """Solutions [solution, position] of each puzzle [puzzle, position], at most `limit`; errors as in `solve`."""
        return tuple(self.solve(each, limit) for each in x)

    def own(self, path: Path) -> Puzzles | None:
        """A person's puzzles in a form that only this task knows; None: `gram.tasks.own` reads it as text."""
        return None

    def augment(self, x: Tokens, y: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        """Puzzles and answers [row, position], each row changed by a random symmetry under which it stays right.

        Called on every pair that is drawn for training; here nothing is changed.
        """
        return x, y

    def namings(self, x: Tokens, solutions: Tokens) -> Tokens:
        """Solutions [solution, position] of the puzzle [position] in every naming of symbols that it leaves free.

        Where symbols that are interchangeable are not given (colors of a graph), each is one answer under many names;
        elsewhere these are the solutions themselves.
        """
        return solutions

    def check(self, x: Tokens, tokens: Tokens) -> Verdict:
        """Judge answers [..., position] to puzzles that broadcast against them."""
        keeps = ((tokens == x) | ~self.board.given(x)).all(-1)
        conflict = self.board.conflict(tokens)
        return Verdict((self.board.violations(tokens) == 0) & keeps, conflict)

    def conflicts(self, x: Tokens, tokens: Tokens) -> NDArray[np.int64]:
        """Number of rules that answers [..., position] to puzzles that broadcast against them break [...]."""
        return self.board.violations(tokens)

    def judge(self, puzzles: Puzzles, tokens: Tokens) -> Verdict:
        """Judge answers [puzzle, ..., position]; a task that is not `ruled` compares them with the known ones."""
        return self.check(puzzles.x.reshape(len(puzzles), *[1] * (tokens.ndim - 2), puzzles.x.shape[1]), tokens)

    def canonical(self, x: Tokens, tokens: Tokens) -> Tokens:
        """Answers [..., position] to puzzles that broadcast against them, in a form in which equal ones are equal.

        Where two token arrays can mean one answer (colors renamed), they become one; elsewhere nothing changes.
        """
        return tokens

    def text(self, tokens: Tokens) -> str:
        """The board [position] as rows of characters; `parse` reads it back."""
        symbols = [token.symbol or "." for token in self.board.tokens]
        rows = tokens.reshape(self.board.height, self.board.width)
        return "\n".join("".join(symbols[value] for value in row) for row in rows)

    def _known_split(self, split: str) -> None:
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
