"""N-Queens: complete a board on which no two queens attack each other. GRAM, Section 5.2 and Appendix B.

Data: all solutions by exact search; inputs are made by removing queens from them, so that one input may have many
solutions. Unique inputs are split into train and test, as in the paper; every solution of an input is kept. Of eight
queens most test inputs are then images of training inputs, turned or mirrored; `split="orbit"` keeps all images of an
input in one split. For boards with too many partial inputs to list (n >= 11), a seeded sample of them is used and each
is solved exactly.

Vocabulary (3 tokens, Table 6): 0 pad, 1 empty, 2 queen. In a puzzle an empty cell means "not given".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gram.board import Board, Token
from gram.tasks.base import Puzzles, Split, Task, TaskError, Tokens
from gram.tasks.written import cell_rows, grid, listed, valued

PAD, EMPTY, QUEEN = 0, 1, 2
_COLUMN = r"(-?[0-9]{1,3}|\.)"
COLUMNS = re.compile(rf"{_COLUMN}((\s*,\s*|[ \t]+){_COLUMN})+\s*,?")
Unit = Literal["input", "orbit"]


@dataclass(frozen=True)
class NQueensConfig:
    """Choices of the data. `removed` defaults to the paper's ranges: 5 to 7 of 8 queens, 7 to 9 of 10.

    Attributes:
        board_size: n, at least 4 (no board of 2 or 3 has a solution).
        removed_min, removed_max: how many queens are taken away; 0 means the default, n - 3 and n - 1.
        split: what is trained on or held out as one: each `input`, or each `orbit`, an input with its images under the
            eight symmetries of the board.
        train_share: share of them that may be trained on.
        split_seed: which those are.
        inputs_max: at most this many unique inputs; more than that are sampled with `split_seed`.
    """

    board_size: int = 8
    removed_min: int = 0
    removed_max: int = 0
    split: Unit = "input"
    train_share: float = 0.85
    split_seed: int = 0
    inputs_max: int = 40_000

    def __post_init__(self) -> None:
        n = self.board_size
        if not 4 <= n <= 20:
            raise TaskError(f"board_size is {n}; N-Queens is offered from 4 to 20")
        low, high = self.removed
        if not 0 <= low <= high <= n:
            raise TaskError(f"removed_min to removed_max is {low} to {high}; they must rise within 0 to {n}")
        if self.split not in get_args(Unit):
            raise TaskError(f"split is {self.split!r}; known: {', '.join(get_args(Unit))}")
        if not 0 < self.train_share < 1:
            raise TaskError(f"train_share is {self.train_share}; it must lie between 0 and 1")
        if self.inputs_max < 2:
            raise TaskError(f"inputs_max is {self.inputs_max}; it must be at least 2, one input for each split")
        if self.split_seed < 0:
            raise TaskError(f"split_seed is {self.split_seed}; it must be at least 0")

    @property
    def removed(self) -> tuple[int, int]:
        """Smallest and largest number of queens taken away."""
        return self.removed_min or self.board_size - 3, self.removed_max or self.board_size - 1


class NQueens(Task):
    """The n-queens completion task."""

    name: ClassVar[str] = "nqueens"
    Config: ClassVar[type] = NQueensConfig

    def __init__(self, config: NQueensConfig) -> None:
        self.config = config
        self.board = board(config.board_size)

    def puzzles(self, split: Split) -> Puzzles:
        self._known_split(split)
        unit = orbits(self._all.x) if self.config.split == "orbit" else np.arange(len(self._all))
        order = np.random.default_rng(self.config.split_seed).permutation(unit.max() + 1)
        cut = round(self.config.train_share * len(order))
        if not 0 < cut < len(order):
            raise TaskError(
                f"train_share {self.config.train_share} leaves a split of {len(order)} {self.config.split}s empty; "
                "choose e.g. 0.85"
            )
        return self._all.take(np.flatnonzero(np.isin(unit, order[:cut]) == (split == "train")))

    def source(self) -> str:
        config, (low, high) = self.config, self.config.removed
        return (
            f"generated: the solutions of {config.board_size} queens by exact search, {low} to {high} of them removed, "
            f"unique {config.split}s split {config.train_share:.0%} to {1 - config.train_share:.0%} with split seed "
            f"{config.split_seed}"
        )

    @cached_property
    def _all(self) -> Puzzles:
        """Every unique input with all its solutions, ordered by its givens."""
        n = self.config.board_size
        low, high = self.config.removed
        if n > 10 or sum(comb(n, n - gone) for gone in range(low, high + 1)) * 724 > 40 * self.config.inputs_max:
            return self._sampled(low, high)
        extensions: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        for solution in solutions(n):
            for gone in range(low, high + 1):
                for kept in combinations(range(n), n - gone):
                    givens = tuple(solution[row] if row in kept else -1 for row in range(n))
                    extensions.setdefault(givens, []).append(solution)
        keys = sorted(extensions)
        if len(keys) > self.config.inputs_max:
            chosen = np.random.default_rng(self.config.split_seed).choice(
                len(keys), self.config.inputs_max, replace=False
            )
            keys = [keys[index] for index in np.sort(chosen)]
        return Puzzles(_encode(keys, n), tuple(_encode(extensions[key], n) for key in keys))

    def _sampled(self, low: int, high: int) -> Puzzles:
        """A seeded sample of inputs of a board that has too many of them, each solved exactly."""
        n = self.config.board_size
        rng = np.random.default_rng(self.config.split_seed)
        keys: set[tuple[int, ...]] = set()
        misses = 0
        while len(keys) < self.config.inputs_max and misses < 1_000:
            solution = _random_solution(n, rng)
            gone = set(rng.choice(n, int(rng.integers(low, high + 1)), replace=False).tolist())
            key = tuple(-1 if row in gone else column for row, column in enumerate(solution))
            misses = misses + 1 if key in keys else 0
            keys.add(key)
        ordered = sorted(keys)
        return Puzzles(_encode(ordered, n), tuple(_encode(solutions(n, key), n) for key in ordered))

    def parse(self, text: str) -> Tokens:
        """Rows of `Q` (or 1) and `.` (or -, _, 0), the first row on top; or in one line one of these.

        `Q7/8/8/8/8/8/8/8` is FEN: rows from the top, numbers count empty cells. `[0, -1, 3, ...]` has the column
        of each row's queen, from 0 on the left; -1 is a row without. Lists, tables and blanks that are spaces are read
        as `gram.tasks.written` says.
        """
        n = self.config.board_size
        rows = self._rows(text)
        if len(rows) != n or any(len(row) != n for row in rows):
            sizes = ", ".join(str(len(row)) for row in rows)
            raise TaskError(
                f"the puzzle has rows of {sizes or 'no'} characters; this board needs {n} rows of {n}, with . for an "
                "empty cell"
            )
        meanings = {**dict.fromkeys(".0_-", EMPTY), "Q": QUEEN, "q": QUEEN, "1": QUEEN}
        for at, row in enumerate(rows, 1):
            for character in row:
                if character not in meanings:
                    raise TaskError(f"row {at} holds {character!r}; write Q for a queen and . for an empty cell")
        x = np.array([[meanings[character] for character in row] for row in rows], dtype=np.uint8).reshape(-1)
        attacked = np.flatnonzero(self.board.conflict(x))
        if len(attacked):
            places = " and ".join(self.board.place(int(position)) for position in attacked[:2])
            raise TaskError(f"the queens at {places} attack each other; remove one of them")
        return x

    def split(self, text: str) -> list[str]:
        """Puzzles in a line each, or in as many lines as they have rows."""
        n = self.config.board_size
        lines = [line for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
        if all("/" in line or self._columns(line) for line in lines):
            return lines
        if len(lines) <= n:
            return [text]
        rows = cell_rows(text, n, n)
        return ["\n".join(rows[at : at + n]) for at in range(0, len(rows), n)]

    def _rows(self, text: str) -> list[str]:
        """The rows of characters, with FEN and the list of columns written out."""
        n = self.config.board_size
        columns = self._columns(text)
        if columns is None:
            return grid(re.sub(r"\s[wb] [-KQkq]+ .*", "", text), n, n, "Qq", fen=True)
        wrong = [column for column in columns if not -1 <= column < n]
        if wrong:
            raise TaskError(f"column {wrong[0]} is not on this board; columns are 0 to {n - 1}, and -1 for no queen")
        return ["".join("Q" if at == column else "." for at in range(n)) for column in columns]

    def _columns(self, text: str) -> list[int] | None:
        """The column of each row's queen, -1 without, where a text lists them; 0 and 1 alone are cells."""
        text = listed(valued(text)).strip("()[] \n")
        found = re.findall(_COLUMN, text) if COLUMNS.fullmatch(text) else []
        columns, n = [-1 if one == "." else int(one) for one in found], self.config.board_size
        if len(columns) not in (0, n, n * n) and "," in text:
            raise TaskError(f"the list has {len(columns)} columns; this board needs {n}, one for each row")
        return columns if len(columns) == n and not {*columns} <= {0, 1} else None

    def solve(self, x: Tokens, limit: int | None = None) -> Tokens:
        n = self.config.board_size
        grid = np.asarray(x).reshape(n, n) == QUEEN
        if (grid.sum(1) > 1).any():
            return np.empty((0, n * n), dtype=np.uint8)
        givens = tuple(int(row.argmax()) if row.any() else -1 for row in grid)
        return _encode(solutions(n, givens, limit), n)


def board(n: int) -> Board:
    """The n x n chess board; its groups are ranks, files and diagonals of at least two cells."""
    cells = np.arange(n * n).reshape(n, n)
    lines = [*cells, *cells.T]
    for offset in range(2 - n, n - 1):
        lines += [np.diagonal(cells, offset), np.diagonal(cells[:, ::-1], offset)]
    return Board(
        task="nqueens",
        title=f"{n} queens",
        kind="grid",
        height=n,
        width=n,
        tokens=(Token("pad"), Token("empty", "."), Token("queen", "Q", "queen")),
        blank=(PAD, EMPTY),
        groups=tuple(tuple(int(cell) for cell in line) for line in lines),
        exclusive=(QUEEN,),
        required=((QUEEN, n),),
        checkered=True,
    )


def orbits(x: Tokens) -> NDArray[np.intp]:
    """The number of the orbit of each board [board, cell]: equal for those that turning or mirroring makes equal."""
    n = round(x.shape[1] ** 0.5)
    cells = np.arange(n * n).reshape(n, n)
    images = np.stack([np.rot90(side, turns).ravel() for side in (cells, cells.T) for turns in range(4)])
    boards = np.ascontiguousarray(x[:, images]).view(f"S{n * n}")[..., 0]  # [board, image]; no token is 0, an S's end
    return np.unique(np.sort(boards, 1)[:, 0], return_inverse=True)[1]


def solutions(n: int, givens: tuple[int, ...] | None = None, limit: int | None = None) -> list[tuple[int, ...]]:
    """Every solution as the column of the queen in each row, in lexicographic order.

    Args:
        givens: column of a given queen in each row, -1 where none is given.
        limit: stop after N.
    Depth-first search over the rows with bit masks of attacked files and diagonals.
    """
    fixed = givens or (-1,) * n
    found: list[tuple[int, ...]] = []
    columns: list[int] = []

    def place(files: int, falling: int, rising: int) -> None:
        row = len(columns)
        if row == n:
            found.append(tuple(columns))
            return
        for column in range(n) if fixed[row] < 0 else (fixed[row],):
            here = 1 << column
            if here & (files | falling | rising):
                continue
            columns.append(column)
            place(files | here, (falling | here) << 1, (rising | here) >> 1)
            columns.pop()
            if limit is not None and len(found) >= limit:
                return

    place(0, 0, 0)
    return found


def _random_solution(n: int, rng: np.random.Generator) -> tuple[int, ...]:
    """One solution by depth-first search with columns in random order (not uniform over solutions)."""

    def place(columns: tuple[int, ...]) -> tuple[int, ...] | None:
        row = len(columns)
        if row == n:
            return columns
        for column in rng.permutation(n).tolist():
            if all(column != c and abs(column - c) != row - r for r, c in enumerate(columns)):
                found = place((*columns, column))
                if found:
                    return found
        return None

    found = place(())
    if found is None:
        raise TaskError(f"{n} queens have no solution")
    return found


def _encode(boards: list[tuple[int, ...]], n: int) -> Tokens:
    """Boards given as column per row (-1 = none) -> tokens [board, position]."""
    tokens = np.full((len(boards), n, n), EMPTY, dtype=np.uint8)
    columns = np.array(boards, dtype=np.int64).reshape(len(boards), n)
    which, row = np.nonzero(columns >= 0)
    tokens[which, row, columns[which, row]] = QUEEN
    return tokens.reshape(len(boards), n * n)
