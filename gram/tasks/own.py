"""A person's own puzzles: a file, texts, an array, a table or graphs, as `Puzzles` with the solutions that exist.

    read(task, "puzzles.sdm")              a file, also gzipped; which kind, its content says, not its name. Or the
                                           name of one that `gram data add` registered
    read(task, ["53..7....", ...])         texts, each a puzzle as `Task.parse` reads it; a pandas column too
    read(task, array)                      [puzzle, position] digits, 0 for a blank; or the rows of one board
    read(task, frame)                      a table: a pandas DataFrame, or a file of CSV
    read(task, [graph, ...])               networkx graphs, or their adjacency matrices [puzzle, node, node]

A table (a mapping, or CSV with a header, between commas, semicolons or tabs) has the puzzles in a column `question`,
`quizzes` or `puzzle`, and may have answers (`answer`, `solutions`, `solution`) and ratings (`rating`); an answer that
is none is refused, an empty cell is not known. JSON, one text or a line each, holds such rows, texts, entries of
reasoning-gym (Sudoku, mini Sudoku, queens, graph coloring) or graphs. `write` writes what is read here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gram import atomic
from gram.bounded import parse_json, unpacked
from gram.tasks.base import NoSolverError, Puzzles, Task, TaskError, Tokens
from gram.tasks.digests import own_file
from gram.tasks.graph_files import from_matrix, from_object
from gram.tasks.written import QUESTIONS

MAX_SOLUTIONS = 1_000  # of a puzzle; only if there are fewer are they known to be all
MAX_ALL = 1_000_000  # of all puzzles of a file
MAX_BYTES = 64_000_000
ANSWERS, RATING = ("answer", "solutions", "solution"), "rating"


class Row(NamedTuple):
    """A puzzle as it was written, and what stands beside it."""

    puzzle: str
    answer: str | None = None
    rating: Any = None


def read(task: Task, source: Any) -> Puzzles:
    """The puzzles of a file, of texts, of a table or of an array; see the head of this file.

    Raises:
        TaskError: a file that cannot be read, no puzzles, or one that the task cannot take; it names the file and
            which.
    """
    where = ""
    if isinstance(source, (str, Path)):
        where, path = f"{source}, ", own_file(str(source)) or Path(source)
        if (own := task.own(path)) is not None:
            return own
        rows = _rows(task, file_text(path), where)
    elif hasattr(source, "columns"):
        places = {str(name): at for at, name in enumerate(source.columns)}
        rows = _columns(task, {name: source.iloc[:, at].tolist() for name, at in places.items()}, "the table, ")
    elif isinstance(source, Mapping) and not _is_graph(source):
        rows = _columns(task, {str(name): _listed(values) for name, values in source.items()}, "the table, ")
    else:
        listed = _listed(source)
        if _is_board(task, listed):
            listed = [listed]
        rows = [Row(_line(task, one, f"puzzle {at}: ")) for at, one in enumerate(listed, 1)]
    if not rows:
        raise TaskError(f"{where}no puzzle stands there; write {task.board.title} puzzles, one after the other")
    x = np.stack([_parsed(task, row.puzzle, f"{where}puzzle {at}: ") for at, row in enumerate(rows, 1)])
    _compare(task, x, rows, where)
    try:
        rated = all(row.rating is not None for row in rows)
        ratings = np.array([int(row.rating) for row in rows], dtype=np.int64) if rated else None
    except (TypeError, ValueError, OverflowError) as error:
        raise TaskError(f"{where}a rating is no whole number ({error}); correct it or leave the column out") from error
    return _solved(task, x, ratings)


def is_own(source: Any) -> bool:
    """Whether these are a person's own puzzles, not indices in a split: a path, texts, or more than one dimension."""
    if isinstance(source, Path) or (isinstance(source, str) and is_file(source)):
        return True
    if hasattr(source, "columns") or isinstance(source, bytes | Mapping | Iterator) or _is_graph(source):
        return True
    return (
        not isinstance(source, str)
        and np.iterable(source)
        and any(isinstance(one, str) or _is_graph(one) or np.ndim(one) for one in source)
    )


def is_file(text: str) -> bool:
    """Whether a text is the path of a file or folder, or the name of a registered one, rather than a puzzle."""
    try:
        return "\n" not in text and 0 < len(text) < 1_000 and (Path(text).exists() or own_file(text) is not None)
    except (OSError, ValueError):
        return False


def typed(task: Task, text: str) -> Puzzles:
    """The puzzle that a person wrote, with its solutions; of a task without a solver none are known."""
    return _solved(task, task.parse(text)[None])


def unanswered(x: np.ndarray) -> Puzzles:
    """A puzzle [position] no answer of which is known."""
    return Puzzles(x[None], (np.empty((0, len(x)), np.uint8),), complete=False)


def counted(puzzles: Puzzles) -> str:
    """How many of the puzzles have no solution, one and several, in words; empty where that is not known."""
    count = puzzles.counts
    groups = {"no solution": count == 0, "one solution": count == 1, "several solutions": count > 1}
    known = [f"{found.sum():,} with {name}" for name, found in groups.items() if found.any()]
    return ", ".join(known) if puzzles.complete or count.any() else ""


def file_text(path: Path) -> str:
    """The text of a file, also gzipped, without a byte order mark.

    Raises:
        TaskError: it cannot be opened, is larger than 64 MB (unpacked), or is no UTF-8.
    """
    try:
        text = unpacked(path, MAX_BYTES).decode("utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {error.strerror or error}; give another file, or split it") from error
    except UnicodeDecodeError as error:
        raise TaskError(f"{path} is no text in UTF-8 ({error.reason} at byte {error.start}); convert it") from error


def write(task: Task, puzzles: Puzzles, path: Path) -> None:
    """Write puzzles as a file that `read` reads back: `.csv` with answers and ratings, `.sdm` of Sudokus, or a text.

    Raises:
        OSError: the place cannot be written.
    """
    joint = "" if task.board.box else "/"  # between the rows of a puzzle that is written in a line

    def line(tokens: Tokens) -> str:
        return task.text(tokens).replace("\n", joint)

    if path.suffix == ".csv":
        columns = {"question": [line(x) for x in puzzles.x]}
        if puzzles.counts.all():
            columns["answer"] = [line(found[0]) for found in puzzles.solutions]
        if puzzles.rating is not None:
            columns["rating"] = puzzles.rating.tolist()
        rows = [list(columns), *zip(*columns.values(), strict=True)]  # no text of a puzzle holds a comma
        atomic.write(path, "".join(",".join(map(str, row)) + "\n" for row in rows))
    elif path.suffix == ".sdm" and task.board.box:
        atomic.write(path, "".join(f"{line(x)}\n" for x in puzzles.x))
    else:
        atomic.write(path, "\n\n".join(map(task.text, puzzles.x)) + "\n")


def _solved(task: Task, x: Tokens, rating: np.ndarray | None = None) -> Puzzles:
    """Puzzles [puzzle, position] with their solutions, by exact search where the task has one."""
    limit = min(MAX_SOLUTIONS, max(2, MAX_ALL // len(x)))
    try:
        found = task.solve_each(x, limit)
    except NoSolverError:
        return Puzzles(x, tuple(np.empty((0, x.shape[1]), np.uint8) for _ in x), complete=False, rating=rating)
    return Puzzles(x, found, complete=all(len(each) < limit for each in found), rating=rating)


def _parsed(task: Task, text: str, place: str) -> Tokens:
    try:
        return task.parse(text)
    except TaskError as error:
        raise type(error)(f"{place}{error}") from error


def _compare(task: Task, x: Tokens, rows: list[Row], where: str) -> None:
    """Refuse an answer that is none to its puzzle."""
    for at, (given, row) in enumerate(zip(x, rows, strict=True), 1):
        if row.answer is not None:
            place = f"{where}puzzle {at}: "
            answer = _parsed(task, row.answer, f"{place}its answer: ")
            if not task.check(given, answer).valid:
                raise TaskError(
                    f"{place}its answer breaks a rule or changes a given; correct it or leave the column out"
                )


def _listed(source: Any) -> list[Any]:
    """The members of a list, an array or a column; of a single text or graph, that; bytes and a number are refused."""
    if _is_graph(source) or isinstance(source, str):
        return [source]
    if isinstance(source, bytes) or not isinstance(source, Iterable):
        raise TaskError(f"{source!r} is no list of puzzles; give a path, texts, or an array [puzzle, position]")
    return list(source)


def _is_board(task: Task, rows: list[Any]) -> bool:
    """Whether these are the rows of one board, each of as many cells as it is wide, or the adjacency of one graph."""
    nodes = task.board.nodes
    height, width = (nodes, nodes) if nodes else (task.board.height, task.board.width)
    kinds = (np.ndarray, list, tuple) if nodes else (np.ndarray, list, tuple, str)
    if len(rows) != height or not all(isinstance(row, kinds) and len(row) == width for row in rows):
        return False
    if any(np.ndim(cell) for row in rows for cell in row):
        return False
    columns = task.board.checkered and all(not isinstance(row, str) and set(row) - {0, 1} for row in rows)
    return not columns  # of queens, a list of columns for each puzzle


def _is_graph(one: Any) -> bool:
    """Whether this is a graph of networkx, or a mapping with edges."""
    return (hasattr(one, "adjacency") and hasattr(one, "edges")) or (
        isinstance(one, Mapping) and ("edges" in one or "links" in one)
    )


def _line(task: Task, one: Any, place: str = "") -> str:
    """A puzzle as text: as it is, the digits of an array [position], rows of symbols, a queen's column for each row, or
    a graph."""
    if isinstance(one, str):
        return one
    try:
        return _written(task, one)
    except TaskError as error:
        raise type(error)(f"{place}{error}") from error


def _written(task: Task, one: Any, row: bool = False) -> str:
    if _is_graph(one):
        return from_object(one, task.board.nodes)
    columns, nothing = False, 0
    try:
        array = np.asarray(one)
        columns = array.shape == (task.board.height,) and task.board.checkered and not row
        nothing = -1 if columns else 0
        if array.dtype.kind == "O":
            array = np.array([nothing if cell is None else cell for cell in array.ravel()]).reshape(array.shape)
    except ValueError:
        array = np.empty((0, 0, 0))
    if array.dtype.kind == "f" and not np.isnan(array).all():
        array = np.nan_to_num(array, nan=nothing)
    if array.size and array.dtype.kind == "f" and (array == np.rint(array)).all() and (np.abs(array) < 100).all():
        array = array.astype(int)  # whole numbers, as pandas keeps them beside what is missing
    if array.dtype.kind == "b":
        array = array.astype(int)
    if array.ndim == 2 and array.dtype.kind in "iu" and task.board.nodes:
        return from_matrix(array, task.board.nodes)
    if array.ndim == 2 and array.dtype.kind in "iuU":
        return "\n".join(_written(task, line, row=True) for line in array)
    if array.ndim == 1 and array.dtype.kind == "U":
        cells = [str(cell) if str(cell).strip() else "." for cell in array]
        return ("\n" if any(len(cell) > 1 for cell in cells) else "").join(cells)
    if columns and array.dtype.kind == "i":
        return str(array.tolist())
    most = max(9, task.board.width) if task.name == "sudoku" else 9
    if array.ndim != 1 or array.dtype.kind not in "iu" or not ((array >= 0) & (array <= most)).all():
        raise TaskError(
            f"a puzzle is {str(one)[:60]!r}; give a text, or its digits, whole numbers from 0 (a blank) to {most}"
        )
    return "".join("0123456789ABCDEFG"[digit] for digit in array.tolist())


def _rows(task: Task, text: str, where: str) -> list[Row]:
    """The puzzles of a text: of JSON, of CSV with a header, or else as the task divides it."""
    objects = _objects(text)
    if objects is not None and _is_board(task, objects):
        return [Row(_line(task, objects))]
    if objects is not None:
        return [_of_object(task, one) for one in objects]
    table = _table(text, where)
    if table is None:
        return [Row(one) for one in task.split(text)]
    return _columns(task, table, where)


def _objects(text: str) -> list[Any] | None:
    """The entries of a JSON text, or of a text with an object a line; None if it is neither."""
    begins = text.lstrip()[:1]
    if begins not in ("{", "["):
        return None
    try:
        found = parse_json(text)
    except ValueError:
        if begins == "[":
            return None
        try:
            found = [parse_json(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            return None
    if isinstance(found, Mapping):
        return [found]
    return found if found and all(isinstance(one, Mapping | str) for one in found) else None


def _of_object(task: Task, entry: Mapping[str, Any] | str) -> Row:
    """A puzzle of JSON: a text, an entry of reasoning-gym, a graph, or a row of a table."""
    if isinstance(entry, str):
        return Row(entry)
    about = entry.get("metadata")
    if isinstance(about, Mapping) and "puzzle" in about:
        answer = about.get("solution")
        return Row(_line(task, about["puzzle"]), None if answer is None else _line(task, answer))
    if _is_graph(entry):
        return Row(_line(task, entry))
    (row,) = _columns(task, {name: [value] for name, value in entry.items()}, "an entry, ")
    return row


def _columns(task: Task, table: Mapping[str, list[Any]], where: str) -> list[Row]:
    """The rows of a table by columns."""
    lower = {name.strip().lower(): values for name, values in table.items()}
    question = next((name for name in QUESTIONS if name in lower), None)
    if question is None:
        there = ", ".join(map(str, table))[:200] or "none"
        raise TaskError(f"{where}no column of {there} holds puzzles; name it {' or '.join(QUESTIONS)}")
    nothing: list[Any] = [None] * len(lower[question])
    answers = next((lower[name] for name in ANSWERS if name in lower), nothing)
    ratings = lower.get(RATING, nothing)
    if len({len(lower[question]), len(answers), len(ratings)}) > 1:
        raise TaskError(f"{where}its columns have different lengths; give one value for each puzzle")
    rows = []
    for at, (puzzle, answer, rating) in enumerate(zip(lower[question], answers, ratings, strict=True), 1):
        if _missing(puzzle):
            raise TaskError(f"{where}puzzle {at} is empty; write it, or leave its row out")
        place = f"{where}puzzle {at}: "
        reply = None if _missing(answer) else _line(task, answer, f"{place}its answer: ")
        rows.append(Row(_line(task, puzzle, place), reply, None if _missing(rating) else rating))
    return rows


def _missing(cell: Any) -> bool:
    """Whether a cell of a table is empty: nothing, a blank text, or the NaN of pandas."""
    return cell is None or (isinstance(cell, str) and not cell.strip()) or (isinstance(cell, float) and cell != cell)


def _table(text: str, where: str) -> dict[str, list[Any]] | None:
    """The columns of a CSV text, between commas, semicolons or tabs, whose header names one of puzzles; else None."""
    first = text.partition("\n")[0]
    marks = [mark for mark in ",;\t" if set(QUESTIONS) & {name.strip(' "').lower() for name in first.split(mark)}]
    if not marks:
        return None
    lines = csv.reader(io.StringIO(text), delimiter=marks[0])
    try:
        header = [name.strip().lower() for name in next(lines)]
        every = [row for row in lines if row]
    except csv.Error as error:
        raise TaskError(f"{where}row {lines.line_num}: {error}; correct it") from error
    for at, row in enumerate(every, 2):
        if len(row) != len(header):
            raise TaskError(f"{where}row {at} has {len(row)} fields under {len(header)} columns; correct it")
    return {name: [row[at] for row in every] for at, name in enumerate(header)}
