"""A person's own puzzles: a file, texts, an array or a column of a table, as `Puzzles` with the solutions that exist.

    read(task, "puzzles.sdm")              a file, also gzipped; which kind, its content says, not its name
    read(task, ["53..7....", ...])         texts, each a puzzle as `Task.parse` reads it; a pandas column too
    read(task, array)                      [puzzle, position] digits, 0 for a blank

A table (CSV with a header) has the puzzles in a column `question`, `quizzes` or `puzzle`, and may have answers
(`answer`, `solutions`, `solution`) and ratings (`rating`); an answer that is none is refused.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from gram.bounded import unpacked
from gram.tasks.base import NoSolverError, Puzzles, Task, TaskError

MAX_SOLUTIONS = 1_000  # of a puzzle; only if there are fewer are they known to be all
MAX_BYTES = 64_000_000
QUESTIONS, ANSWERS, RATING = ("question", "quizzes", "puzzle"), ("answer", "solutions", "solution"), "rating"


def read(task: Task, source: Any) -> Puzzles:
    """The puzzles of a file, of texts or of an array; see the head of this file.

    Raises:
        TaskError: a file that cannot be read, no puzzles, or one that the task cannot take; it names the file and
            which.
    """
    where = ""
    if isinstance(source, (str, Path)):
        where, text = f"{source}, ", file_text(Path(source))
        table = _table(text, where)
        if table is None:
            texts, answers, ratings = task.split(text), None, None
        else:
            texts, answers, ratings = table
    else:
        texts, answers, ratings = [_line(one) for one in _listed(source)], None, None
    if not texts:
        raise TaskError(f"{where}no puzzle stands there; write {task.board.title} puzzles, one after the other")
    puzzles = [_one(task, text, f"{where}puzzle {at}: ") for at, text in enumerate(texts, 1)]
    for at, answer in enumerate(answers or (), 1):
        given, place = puzzles[at - 1], f"{where}puzzle {at}: "
        if not task.judge(given, _one(task, answer, f"{place}its answer: ").x[:, None]).valid.all():
            raise TaskError(f"{place}its answer breaks a rule or changes a given; correct it or leave the column out")
    return Puzzles(
        np.concatenate([one.x for one in puzzles]),
        tuple(one.solutions[0] for one in puzzles),
        complete=all(one.complete for one in puzzles),
        rating=None if ratings is None else np.array(ratings, dtype=np.int64),
    )


def is_own(source: Any) -> bool:
    """Whether these are a person's own puzzles, not indices in a split: a path, texts, or more than one dimension."""
    if isinstance(source, Path) or (isinstance(source, str) and is_file(source)):
        return True
    return (
        not isinstance(source, str)
        and np.iterable(source)
        and any(np.ndim(one) or isinstance(one, str) for one in source)
    )


def is_file(text: str) -> bool:
    """Whether a text is the path of a file rather than a puzzle."""
    return "\n" not in text and len(text) < 1_000 and Path(text).is_file()


def typed(task: Task, text: str) -> Puzzles:
    """The puzzle that a person wrote, with its solutions; of a task without a solver none are known."""
    x = task.parse(text)
    try:
        solutions = task.solve(x, limit=MAX_SOLUTIONS)
    except NoSolverError:
        return unanswered(x)
    return Puzzles(x[None], (solutions,), complete=len(solutions) < MAX_SOLUTIONS)


def unanswered(x: np.ndarray) -> Puzzles:
    """A puzzle [position] no answer of which is known."""
    return Puzzles(x[None], (np.empty((0, len(x)), np.uint8),), complete=False)


def file_text(path: Path) -> str:
    """The text of a file, also gzipped, without a byte order mark.

    Raises:
        TaskError: it cannot be opened, is larger than 64 MB (unpacked), or is no UTF-8.
    """
    try:
        return unpacked(path, MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {error.strerror or error}; give another file, or split it") from error
    except UnicodeDecodeError as error:
        raise TaskError(f"{path} is no text in UTF-8 ({error.reason} at byte {error.start}); convert it") from error


def _one(task: Task, text: str, place: str) -> Puzzles:
    try:
        return typed(task, text)
    except TaskError as error:
        raise type(error)(f"{place}{error}") from error


def _listed(source: Any) -> list[Any]:
    """The members of a list, an array or a column; a single text or number is refused."""
    if isinstance(source, bytes) or not isinstance(source, Iterable):
        raise TaskError(f"{source!r} is no list of puzzles; give a path, texts, or an array [puzzle, position]")
    return list(source)


def _line(one: Any) -> str:
    """A puzzle as text: as it is, or the digits of an array [position]."""
    if isinstance(one, str):
        return one
    digits = np.asarray(one)
    if digits.ndim == 2 and digits.dtype.kind in "iu":
        return "\n".join(_line(row) for row in digits)
    if digits.ndim != 1 or digits.dtype.kind not in "iu" or not ((digits >= 0) & (digits <= 9)).all():
        raise TaskError(f"a puzzle is {str(one)[:60]!r}; give a text, or its digits from 0 (a blank) to 9")
    return "".join(map(str, digits.tolist()))


def _table(text: str, where: str) -> tuple[list[str], list[str] | None, list[int] | None] | None:
    """Puzzles, answers and ratings of a CSV text whose header names a column of puzzles; else None."""
    rows = csv.reader(io.StringIO(text))
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        question = next((name for name in QUESTIONS if name in header), None)
        if question is None:
            return None
        every = [row for row in rows if row]
    except csv.Error as error:
        raise TaskError(f"{where}row {rows.line_num}: {error}; correct it") from error
    for at, row in enumerate(every, 2):
        if len(row) != len(header):
            raise TaskError(f"{where}row {at} has {len(row)} fields under {len(header)} columns; correct it")

    def column(name: str) -> list[str]:
        return [row[header.index(name)] for row in every]

    answer = next((name for name in ANSWERS if name in header), None)
    try:
        ratings = [int(value) for value in column(RATING)] if RATING in header else None
    except ValueError as error:
        raise TaskError(f"{where}a rating is no whole number ({error}); correct it or leave the column out") from error
    return column(question), column(answer) if answer else None, ratings
