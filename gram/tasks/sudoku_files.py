"""Sudoku puzzles as tables: the columns source, question, answer, rating of HRM's Sudoku-Extreme, gzipped CSV."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gram.bounded import regular
from gram.tasks.base import SPLITS, TaskError, Tokens
from gram.tasks.digests import named
from gram.tasks.sudoku_solver import units

BLANK = 1
LINE, ROWS = 2_000, 20_000_000  # of characters, and of lines; Sudoku-Extreme has 3,831,994 rows
COLUMNS = ("source", "question", "answer", "rating")


def read(path: Path, all_lists: bool) -> tuple[Tokens, Tokens, NDArray[np.int64]]:
    """Questions and answers [puzzle, position] and ratings [puzzle] of a table, gzipped or not, of the columns COLUMNS.

    Args:
        all_lists: also rows whose source does not start with `puzzles`.
    Raises:
        TaskError: no such table; it names the row, where the header is row 1.
    """
    sources, questions, answers, ratings = [], [], [], []
    row = 1
    try:
        with regular(path).open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = io.TextIOWrapper(gzip.GzipFile(fileobj=raw) if packed else raw, encoding="utf-8-sig", newline="")
            lines = csv.reader(iter(lambda: file.readline(LINE), ""), strict=True)
            header = next(lines, [])
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                raise _bad(path, 1, f"the column {missing[0]!r} is missing; the columns are {', '.join(COLUMNS)}")
            source, question, answer, rating = (header.index(name) for name in COLUMNS)
            for row, fields in enumerate(lines, 2):
                if row > ROWS:
                    raise _bad(path, row, f"it has more than {ROWS:,} rows")
                if len(fields) != len(header):
                    raise _bad(path, row, f"{len(fields)} fields stand under {len(header)} columns")
                for name, at in (("question", question), ("answer", answer)):
                    if len(fields[at]) != 81 or not fields[at].isascii():
                        raise _bad(path, row, f"the {name} is not 81 digits or dots, but {fields[at][:90]!r}")
                if not re.fullmatch("[0-9]{1,9}", fields[rating]):
                    raise _bad(path, row, f"the rating is {fields[rating][:90]!r}, not a whole number from 0")
                sources.append(fields[source].startswith("puzzles"))
                questions.append(fields[question])
                answers.append(fields[answer])
                ratings.append(int(fields[rating]))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise _bad(path, row, f"the file cannot be read further: {error}") from error
    meaning = np.full(256, 255, dtype=np.uint8)
    meaning[np.frombuffer(b".0123456789", dtype=np.uint8)] = [BLANK, BLANK, *range(2, 11)]
    x, y = (
        meaning[np.frombuffer("".join(texts).encode(), dtype=np.uint8)].reshape(-1, 81)
        for texts in (questions, answers)
    )
    every = np.uint16(0b1111111110)
    bits = np.left_shift(np.uint16(1), np.where(y <= 10, y - BLANK, 0), dtype=np.uint16)
    full = np.ones(len(y), dtype=bool)
    for unit in units(9):
        full &= np.bitwise_or.reduce(bits[:, unit], axis=1) == every
    for good, complaint in (
        ((x != 255).all(1), "the question holds other characters than digits and dots"),
        (full, "the answer does not hold every digit once in each row, column and box"),
        (((x == y) | (x == BLANK)).all(1), "the answer contradicts its question"),
    ):
        if not good.all():
            raise _bad(path, int(good.argmin()) + 2, complaint)
    wanted = np.array(sources, dtype=bool) | all_lists
    if not wanted.any():
        raise _bad(path, row, "no puzzle of the wished lists stands here")
    return x[wanted], y[wanted], np.array(ratings, dtype=np.int64)[wanted]


def _bad(path: Path, row: int, complaint: str) -> TaskError:
    return TaskError(f"{path}, row {row}: {' '.join(complaint.split())}; restore the file and read it again")


def describe(all_lists: bool) -> str:
    """Which puzzles these are, in words: those of this project by the digests of the files, or somebody's own."""
    names = [named(f"sudoku/{split}.csv.gz") for split in SPLITS]
    if any(name.startswith("your file") for name in names):
        return f"9 x 9 puzzles of {' and '.join(names)}"
    lists = "all lists, also those of repositories under the GPL" if all_lists else "only the lists named puzzles*"
    return (
        f"9 x 9 puzzles of public lists, the files {' and '.join(names)} ({lists}); in the schema of HRM's "
        "Sudoku-Extreme, but not that set"
    )
