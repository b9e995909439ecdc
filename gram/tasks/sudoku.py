"""Sudoku: fill a board so that every row, column and box holds each digit once. GRAM, Tables 8 and 9.

Two tasks share board, rules and solver. `Sudoku` completes puzzles that have exactly one solution; `SudokuGeneration`
starts from the blank board, and every full board is an answer.

Data: generated here (4 x 4 to 16 x 16), or `extreme`, 9 x 9 puzzles in $GRAM_DATA/sudoku in the schema of HRM's
Sudoku-Extreme. This project's files there, of public lists, hold other puzzles than that set: scores on them are not
scores on it. Which files these are, `source` says by their digests (`gram.tasks.digests`). That the puzzles of ours
have one solution was proved when they were made; here each answer is only checked to be one.

Held out are whole classes under the symmetries of the board (relabeled digits; permuted bands, stacks, rows and
columns; where boxes are square, transposition), so that `augment` never makes a test puzzle out of a training puzzle.
For 6 x 6 and 9 x 9 these are classes of solution boards. There are only two classes of 4 x 4 boards, so there it is
classes of puzzles: a test puzzle is new, but its solution may be a board that stands, perhaps turned, in train.

Vocabulary (11 tokens for 9 x 9, as in the paper): 0 pad, 1 blank, then the digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gram.board import Board, Token
from gram.tasks import files as data
from gram.tasks.base import SPLITS, Puzzles, Split, Task, TaskError, Tokens
from gram.tasks.sudoku_files import describe, read
from gram.tasks.sudoku_solver import (
    BOXES,
    Digits,
    board_classes,
    dig,
    options,
    puzzle_classes,
    random_boards,
    search,
    symmetric,
    units,
)
from gram.tasks.written import cell_rows, grid

PAD, BLANK = 0, 1
BLANKS = ".0_*?xX-"  # how people write a blank

TOGETHER = 1_000  # puzzles in one search, whose effort is bounded: with ten times as many it would be given up
DATASETS = ("generated", "extreme")

# Solutions that `solve` lists when it is given no limit; the blank 9 x 9 board has 6.7e21.
MOST = 20_000
# Boards that `solve` looks at before it gives up, in 5 to 10 s; a puzzle of rating 1,849, the highest of the lists,
# needs fewer than 4,000.
EFFORT = 1_000_000
# Random boards that are searched for; further ones are made from them by symmetries.
SEARCHED = 5_000
# For every N training boards, one is held out.
HELD_OUT = 10
# Digits that are left where fewer would make the search for a second solution long.
FEWEST = {16: 120}
GRIDS = {4: 262, 6: 10_000, 9: 50_000}  # full boards to train a generator on, by size
SIGNS = "123456789ABCDEFG"


@dataclass(frozen=True)
class SudokuConfig:
    """Choices of the data.

    Attributes:
        size: rows, columns and digits: 4 (boxes of 2 x 2), 6 (2 x 3), 9 (3 x 3) or 16 (4 x 4; A to G are 10 to 16).
        dataset: `generated`, or `extreme` (9 x 9 only): the files sudoku/train.csv.gz and sudoku/test.csv.gz,
            packed or not.
        all_lists: of `extreme`, also the lists that come from repositories under the GPL.
        train_max, test_max: the first N puzzles of a split; 0 means all.
        rating_min, rating_max: dead ends that the solver meets; 0 means solved by singles alone; -1, no upper bound.
            Of `extreme` it is the file's rating, a mean over eight presentations; of `generated`, that of the board
            as it stands.
        generated: puzzles of both splits together; 1,000 of 9 x 9 take about 4 s of one core, each time.
        clues_min, clues_max: given digits of a generated puzzle. Digits are taken away until no other can be spared or
            until a number drawn from this range is left; 0 to 0 means as few as can be, of 16 x 16 at least 120: below
            that a search takes minutes.
        train_share: share of the generated puzzles that may be trained on.
        seed: of the generated puzzles and their split.
        augment: train on random symmetric copies.
        hints: share of the puzzles that are made easier when they are drawn for training: a random part of their
            missing digits is given, from none to all. Learning begins where a few steps are enough.
    """

    size: int = 9
    dataset: str = "generated"
    all_lists: bool = False
    train_max: int = 0
    test_max: int = 0
    rating_min: int = 0
    rating_max: int = -1
    generated: int = 1_000
    clues_min: int = 0
    clues_max: int = 0
    train_share: float = 0.9
    seed: int = 0
    augment: bool = True
    hints: float = 0.0

    def __post_init__(self) -> None:
        _known(self.size, self.dataset, self.seed)
        if not 0 <= self.hints <= 1:
            raise TaskError(f"hints is {self.hints}; it is a share from 0 to 1")
        for name in ("train_max", "test_max"):
            if getattr(self, name) < 0:
                raise TaskError(f"{name} is {getattr(self, name)}; it must be 0 (all) or more")
        if self.rating_min < 0 or -1 != self.rating_max < self.rating_min:
            raise TaskError(
                f"rating_min to rating_max is {self.rating_min} to {self.rating_max}; "
                f"they must rise from 0 or end in -1"
            )
        if not 2 <= self.generated <= 20_000:
            raise TaskError(f"generated is {self.generated}; it must be 2 to 20000, at least one puzzle for each split")
        cells = self.size**2
        least = FEWEST.get(self.size, 0)
        if 0 < self.clues_max < least:
            raise TaskError(f"clues_max is {self.clues_max}; of size {self.size} it must be at least {least}, or 0")
        if not 0 <= self.clues_min <= (self.clues_max or cells - 1) < cells:
            raise TaskError(
                f"clues_min to clues_max is {self.clues_min} to {self.clues_max}; "
                f"they must rise within 0 to {cells - 1}"
            )
        if self.dataset == "extreme" and (self.clues_min or self.clues_max):
            raise TaskError("clues_min and clues_max choose generated puzzles; leave them 0 for dataset extreme")
        if not 0 < self.train_share < 1:
            raise TaskError(f"train_share is {self.train_share}; it must lie between 0 and 1")


@dataclass(frozen=True)
class SudokuGenerationConfig:
    """Choices of the boards to learn from.

    Attributes:
        size: 4, 6 or 9.
        dataset: `generated`, or `extreme` (9 x 9 only): the answers of those puzzles, as in the paper.
        all_lists: of `extreme`, also the lists that come from repositories under the GPL.
        grids: full boards to train on; a tenth as many are held out. 0 means 50,000 of 9 x 9 (the paper), 10,000 of
            6 x 6, and all 288 of 4 x 4, less those that are held out.
        seed: of the boards and their split.
        augment: train on random symmetric copies. Not for 4 x 4, where they would be the held-out boards.
    """

    size: int = 9
    dataset: str = "generated"
    all_lists: bool = False
    grids: int = 0
    seed: int = 0
    augment: bool = False

    def __post_init__(self) -> None:
        _known(self.size, self.dataset, self.seed, tuple(GRIDS))
        most = 262 if self.size == 4 else 200_000
        if not (self.grids == 0 or HELD_OUT <= self.grids <= most):
            raise TaskError(f"grids is {self.grids}; it must be {HELD_OUT} to {most}, or 0 for the default")
        if self.augment and self.size == 4:
            raise TaskError("augment would make the held-out boards of 4 x 4 from the others; choose size 6 or 9")

    @property
    def wanted(self) -> int:
        """Full boards to train on."""
        return self.grids or GRIDS[self.size]


def _known(size: int, dataset: str, seed: int, sizes: Sequence[int] = tuple(BOXES)) -> None:
    if size not in sizes:
        raise TaskError(f"size is {size}; it is offered for {', '.join(map(str, sizes))}")
    if dataset not in DATASETS:
        raise TaskError(f"unknown dataset {dataset!r}; known: {', '.join(DATASETS)}")
    if dataset == "extreme" and size != 9:
        raise TaskError(f"dataset extreme holds boards of size 9, not {size}; choose size 9 or dataset generated")
    if seed < 0:
        raise TaskError(f"seed is {seed}; it must be at least 0")


class _Sudoku(Task):
    """Board, text, rules and symmetries, which both tasks share."""

    config: SudokuConfig | SudokuGenerationConfig

    def __init__(self, config: SudokuConfig | SudokuGenerationConfig) -> None:
        self.config = config
        self.board = board(config.size, self.name)

    def parse(self, text: str) -> Tokens:
        """Rows of digits, or all in one line; `.`, `0`, `_`, `*`, `?`, `x` or, beside digits, `-` is a blank.

        Rulers and frames, commas and spaces, comments (`#`), section names in brackets and titles are passed over, so
        that the usual files are read as they are: .sdk, .sdm, .ss, the frame of Simple Sudoku, `Grid 01`; and lists,
        tables and blanks that are spaces as `gram.tasks.written` says.
        """
        n = self.config.size
        signs = SIGNS[:n]
        rows = grid(text, n, n, "1-9" if n < 10 else "1-9A-Ga-g")
        if len(rows) != n or any(len(row) != n for row in rows):
            sizes = ", ".join(str(len(row)) for row in rows[:12]) + (", ..." if len(rows) > 12 else "")
            raise TaskError(
                f"the puzzle has rows of {sizes or 'no'} characters; "
                f"this board needs {n} rows of {n}, or all {n * n} in one line, with . for a blank"
            )
        x = np.full(n * n, BLANK, dtype=np.uint8)
        for position, character in enumerate("".join(rows)):
            if character in BLANKS:
                continue
            if character.upper() not in signs:
                known = f"1 to {n}" if n < 10 else f"1 to 9 or A to {signs[-1]}"
                raise TaskError(
                    f"{self.board.place(position)} holds {character!r}; write a digit from {known}, or . for a blank"
                )
            x[position] = signs.index(character.upper()) + 2
        for unit, group in enumerate(self.board.groups):
            for token in self.board.exclusive:
                twice = [position for position in group if x[position] == token]
                if len(twice) > 1:
                    name = f"{('row', 'column', 'box')[unit // n]} {unit % n + 1}"
                    places = " and ".join(self.board.place(position) for position in twice[:2])
                    digit = self.board.tokens[token].symbol
                    raise TaskError(f"{name} holds the digit {digit} twice, at {places}; remove one of them")
        return x

    def split(self, text: str) -> list[str]:
        """Puzzles in a line each, or in as many lines as they have rows."""
        n, rows = self.config.size, cell_rows(text, self.config.size, self.config.size)
        if rows and all(len(row) == n * n for row in rows):
            return rows
        if 0 < len(rows) <= n or len(rows) % n or sum(map(len, rows)) == n * n:
            return [text]  # `parse` says what is wrong
        return ["\n".join(rows[at : at + n]) for at in range(0, len(rows), n)]

    def solve(self, x: Tokens, limit: int | None = None) -> Tokens:
        digits = np.where(x > BLANK, x - BLANK, 0).astype(np.uint8)[None]
        size, most = self.config.size, MOST + 1 if limit is None else limit
        found = search(options(digits, size), size, most, EFFORT)
        if limit is None and len(found.digits) > MOST:
            raise TaskError(f"the puzzle has more than {MOST} solutions; give a limit, e.g. 1000")
        if not found.finished and len(found.digits) < most:
            raise TaskError(
                f"the search was given up after {EFFORT} boards; give more digits, or ask for fewer solutions"
            )
        return found.digits + np.uint8(BLANK)

    def solve_each(self, x: Tokens, limit: int) -> tuple[Tokens, ...]:
        """As in `Task`, many puzzles in one search."""
        if len(x) > TOGETHER:
            return sum((self.solve_each(x[at : at + TOGETHER], limit) for at in range(0, len(x), TOGETHER)), ())
        digits = np.where(x > BLANK, x - BLANK, 0).astype(np.uint8)
        found = search(options(digits, self.config.size), self.config.size, limit, EFFORT)
        if not found.finished:
            return super().solve_each(x, limit)  # one after the other: the effort is that of one, an error names it
        ends = np.searchsorted(found.board, np.arange(1, len(x)))
        return tuple(np.split(found.digits + np.uint8(BLANK), ends))

    def augment(self, x: Tokens, y: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        """Relabeled digits; permuted bands, stacks, rows and columns; transposition where boxes are square (TRM)."""
        return symmetric(x, y, self.config.size, rng) if self.config.augment else (x, y)


class Sudoku(_Sudoku):
    """Complete a puzzle that has exactly one solution."""

    name: ClassVar[str] = "sudoku"
    Config: ClassVar[type] = SudokuConfig
    config: SudokuConfig

    def augment(self, x: Tokens, y: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        """A random symmetry; and in a share of the rows a random part of the missing digits is given."""
        x, y = super().augment(x, y, rng)
        if not self.config.hints:
            return x, y
        part = rng.random((len(x), 1)) * (rng.random((len(x), 1)) < self.config.hints)
        return np.where(rng.random(x.shape) < part, y, x), y

    def puzzles(self, split: Split) -> Puzzles:
        self._known_split(split)
        every = self._generated[split] if self.config.dataset == "generated" else self._listed(split)
        most = self.config.train_max if split == "train" else self.config.test_max
        return every.take(range(most)) if 0 < most < len(every) else every

    def source(self) -> str:
        if self.config.dataset == "generated":
            what = "puzzles (not solutions, which have two classes)" if self.config.size == 4 else "solutions"
            return (
                f"generated: {self.config.generated} random {self.board.title} puzzles of exactly one solution; "
                f"{what} held out by classes under the board's symmetries"
            )
        return describe(self.config.all_lists)

    def _listed(self, split: Split) -> Puzzles:
        """The puzzles of the file of a split, within the wished ratings; read once."""
        if split in self._read:
            return self._read[split]
        x, y, rating = read(data.path(f"sudoku/{split}.csv.gz"), self.config.all_lists)
        wished = self._wished(rating)
        if not wished.any():
            raise TaskError(f"no puzzle of {split} is rated {self._range()}; ratings are 0 to {rating.max()}")
        return self._read.setdefault(split, _one_each(x[wished], y[wished], rating[wished]))

    @cached_property
    def _read(self) -> dict[Split, Puzzles]:
        return {}

    def _wished(self, rating: NDArray[np.int64]) -> NDArray[np.bool_]:
        low, high = self.config.rating_min, self.config.rating_max
        return (rating >= low) & ((high == -1) | (rating <= high))

    def _range(self) -> str:
        high = self.config.rating_max
        return f"{self.config.rating_min} to {high}" if high >= 0 else f"at least {self.config.rating_min}"

    @cached_property
    def _generated(self) -> dict[Split, Puzzles]:
        """Different random puzzles, of which whole classes are held out."""
        config, size = self.config, self.config.size
        rng = np.random.default_rng(config.seed)
        found: dict[bytes, tuple[Digits, int]] = {}
        tried = 0
        while len(found) < config.generated:
            if tried >= 2_000 and len(found) < tried / 20:
                raise TaskError(
                    f"only {len(found)} of {tried} generated puzzles are new and as wished, rated {self._range()}, "
                    f"with {config.clues_min} to {config.clues_max or 'any number of'} clues; widen one of these ranges"
                )
            rows = min(max(config.generated, 100), 1_000)
            tried += rows
            full = random_boards(size, rows, rng)
            least = max(config.clues_min, FEWEST.get(size, 0))
            left = rng.integers(least, max(config.clues_max, least), rows, endpoint=True)
            puzzles = dig(full, left, size, rng)
            ratings = search(options(puzzles, size), size).contradictions
            wished = self._wished(ratings)
            if config.clues_max:
                wished &= (puzzles > 0).sum(1) <= config.clues_max
            new = zip(puzzles[wished], full[wished], ratings[wished].tolist(), strict=True)
            found |= {puzzle.tobytes(): (board, rating) for puzzle, board, rating in new}
        keys = list(found)[: config.generated]
        digits = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)
        full = np.stack([found[key][0] for key in keys])
        rating = np.array([found[key][1] for key in keys], dtype=np.int64)
        kinds = puzzle_classes(digits) if size == 4 else board_classes(full, size)
        test = _hold_out(kinds, 1 - config.train_share, rng)
        if test.all() or not test.any():
            raise TaskError(
                f"{len(keys)} generated puzzles of {len(np.unique(kinds))} classes leave a split empty at "
                f"train_share {config.train_share}; generate more, or choose e.g. 0.9"
            )
        x, y = digits + np.uint8(BLANK), full + np.uint8(BLANK)
        parts: dict[Split, NDArray[np.bool_]] = {"train": ~test, "test": test}
        return {split: _one_each(x[part], y[part], rating[part]) for split, part in parts.items()}


class SudokuGeneration(_Sudoku):
    """Make full boards from the blank one. GRAM, Table 9: a board counts if it obeys the rules.

    A split holds the one blank puzzle; its `solutions` are the boards that are known of the split, not all there are.
    """

    name: ClassVar[str] = "sudoku_generation"
    Config: ClassVar[type] = SudokuGenerationConfig
    config: SudokuGenerationConfig

    @property
    def blank_puzzle(self) -> Tokens:
        return np.full(self.board.positions, BLANK, dtype=np.uint8)

    def puzzles(self, split: Split) -> Puzzles:
        self._known_split(split)
        return Puzzles(self.blank_puzzle[None], (self._boards[split],), complete=False)

    def source(self) -> str:
        config = self.config
        if config.dataset == "extreme":
            return f"the answers of {describe(config.all_lists)}"
        if config.size == 4:
            return "generated: the 288 boards of 4 x 4 by exact search, some held out"
        bases = min(SEARCHED, config.wanted)
        return (
            f"generated: symmetric copies of {bases} random boards of {config.size} x {config.size}, not uniform over "
            "all boards; held out by classes under those symmetries"
        )

    @cached_property
    def _boards(self) -> dict[Split, Tokens]:
        """Different full boards [board, position] of each split."""
        config, size = self.config, self.config.size
        rng = np.random.default_rng(config.seed)
        sizes: dict[Split, int] = {"train": config.wanted, "test": config.wanted // HELD_OUT}
        if config.dataset == "extreme":
            pools = {split: read(data.path(f"sudoku/{split}.csv.gz"), config.all_lists)[1] for split in SPLITS}
        elif size == 4:
            every = rng.permutation(self.solve(np.full(16, BLANK, dtype=np.uint8)))
            return {"train": every[: sizes["train"]], "test": every[-sizes["test"] :]}
        else:
            bases = random_boards(size, min(SEARCHED, config.wanted), rng)
            test = _hold_out(board_classes(bases, size), 1 / (1 + HELD_OUT), rng)
            pools = {"train": bases[~test] + np.uint8(BLANK), "test": bases[test] + np.uint8(BLANK)}
            for split in SPLITS:
                # A tenth more than wanted, as a copy may come twice.
                copies = np.resize(pools[split], (sizes[split] + sizes[split] // 10 + 10, size * size))
                pools[split] = symmetric(copies, copies, size, rng)[1]
        chosen: dict[Split, Tokens] = {}
        for split, pool in pools.items():
            _, first = np.unique(pool, axis=0, return_index=True)
            if len(first) < sizes[split]:
                raise TaskError(
                    f"grids is {config.wanted}, but {config.dataset} has {len(first)} different boards of {split} "
                    f"where {sizes[split]} are needed; choose fewer"
                )
            chosen[split] = pool[np.sort(first)[: sizes[split]]]
        return chosen


def board(size: int, task: str) -> Board:
    """The size x size board; its groups are rows, columns and boxes, and a finished one has neither blank nor pad."""
    return Board(
        task=task,
        title=f"{size} x {size} Sudoku",
        kind="grid",
        height=size,
        width=size,
        tokens=(Token("pad"), Token("blank", "."), *(Token(str(d + 1), SIGNS[d]) for d in range(size))),
        blank=(PAD, BLANK),
        groups=tuple(tuple(unit) for unit in units(size).tolist()),
        exclusive=tuple(range(BLANK + 1, BLANK + 1 + size)),
        required=((PAD, 0), (BLANK, 0)),
        box=BOXES[size],
    )


def _one_each(x: Tokens, y: Tokens, rating: NDArray[np.int64]) -> Puzzles:
    """Puzzles [puzzle, position] with their only solutions, each a view of one array, and ratings [puzzle]."""
    return Puzzles(x, tuple(y[:, None]), rating=rating)


def _hold_out(kinds: NDArray[np.int64], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which members [member] of classes to hold out: whole classes at random, together at most that share (or one)."""
    names, counts = np.unique(kinds, return_counts=True)
    order = rng.permutation(len(names))
    chosen, room = [], share * len(kinds)
    for at in order:
        if counts[at] <= room:
            chosen.append(names[at])
            room -= counts[at]
    return np.isin(kinds, chosen or names[[counts.argmin()]])
