"""What people paste is read where its meaning is plain, else refused in a sentence; the page reads the same texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gram.tasks import Task, TaskError, own
from gram.tasks.coloring import Coloring, ColoringConfig
from gram.tasks.images import Images, ImagesConfig
from gram.tasks.nqueens import NQueens, NQueensConfig
from gram.tasks.sudoku import Sudoku, SudokuConfig

PASTED = json.loads((Path(__file__).parents[2] / "vectors/pasted.json").read_text())
SUDOKU, QUEENS, GRAPH = Sudoku(SudokuConfig(size=9)), NQueens(NQueensConfig()), Coloring(ColoringConfig())
TASKS: dict[str, Task] = {
    "sudoku9-gram": SUDOKU,
    "nqueens8-gram": QUEENS,
    "coloring8-gram": GRAPH,
    "digits-pixels-gram": Images(ImagesConfig(dataset="digits")),
}
COLUMNS = [0, 4, 7, 5, 2, 6, 1, 3]


def of(kind: str) -> list[tuple[str, str]]:
    return [(name, text) for name in TASKS for text in PASTED[name].get(kind, ())]


@pytest.mark.parametrize(("name", "text"), of("same"))
def test_one_puzzle_however_it_is_written(name: str, text: str) -> None:
    task = TASKS[name]
    np.testing.assert_array_equal(task.parse(text), task.parse(PASTED[name]["puzzle"]))


@pytest.mark.parametrize(("name", "text"), of("refused"))
def test_what_is_not_plain_is_refused_in_a_sentence(name: str, text: str) -> None:
    with pytest.raises(TaskError) as caught:
        TASKS[name].parse(text)
    assert len(str(caught.value).splitlines()) == 1


LONG = ("-" * 100_000 + "x", "a" * 100_000, "a." * 50_000, "'" * 100_000, "0." * 50_000, "1\n" * 50_000, "(1," * 30_000)


@pytest.mark.parametrize("name", ["sudoku9-gram", "nqueens8-gram", "coloring8-gram"])
def test_no_pattern_takes_time_to_the_square_of_a_long_text(name: str) -> None:
    """Hours, if one did."""
    for text in LONG:
        with pytest.raises(TaskError):
            TASKS[name].parse(text)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("nqueens8-gram", "[0, 4, 7]", "the list has 3 columns; this board needs 8, one for each row"),
        ("sudoku9-gram", "53 7\n" * 9, "9 rows of 9, or all 81 in one line, with . for a blank"),
        ("sudoku9-gram", "puzzle\n1\n2\n3", "the table has 3 puzzles; write one of them"),
    ],
)
def test_the_sentence_says_what_was_met_and_what_to_write(name: str, text: str, words: str) -> None:
    with pytest.raises(TaskError, match=words):
        TASKS[name].parse(text)


X = SUDOKU.parse(PASTED["sudoku9-gram"]["puzzle"])
DIGITS = (X.reshape(9, 9) - 1).astype(int)
QUEEN = np.eye(8, dtype=int)[COLUMNS]
JOINED = np.zeros((8, 8), int)
JOINED[[0, 1, 2, 3], [1, 0, 3, 2]] = 1


@pytest.mark.parametrize(
    ("task", "board"),
    [
        (SUDOKU, DIGITS),
        (SUDOKU, DIGITS.tolist()),
        (SUDOKU, np.where(DIGITS == 0, np.nan, DIGITS)),
        (SUDOKU, [[int(digit) or None for digit in row] for row in DIGITS]),
        (SUDOKU, [[str(digit or "") for digit in row] for row in DIGITS]),
        (SUDOKU, ["".join(str(digit or " ") for digit in row) for row in DIGITS]),
        (QUEENS, QUEEN.astype(bool)),
        (QUEENS, QUEEN),
        (GRAPH, JOINED.astype(bool)),
    ],
)
def test_a_single_board_in_memory_is_one_puzzle(task: Task, board: Any) -> None:
    name = next(name for name, one in TASKS.items() if one is task)
    for given in (board, [board]):
        assert own.is_own(given)
        np.testing.assert_array_equal(own.read(task, given).x, task.parse(PASTED[name]["puzzle"])[None])


def test_columns_of_queens_are_a_puzzle_a_row() -> None:
    assert len(own.read(QUEENS, [COLUMNS] * 8)) == 8
    x = own.read(QUEENS, [[0, None, -1, None, 2, None, None, None]]).x[0]
    assert np.flatnonzero(x == 2).tolist() == [0, 34]


def test_a_file_of_one_board_is_read_as_its_text(tmp_path: Path) -> None:
    for at, text in enumerate(PASTED["sudoku9-gram"]["same"]):
        path = tmp_path / f"{at}.txt"
        path.write_text(text)
        if "1" * 81 not in text:  # in a file answers are compared
            np.testing.assert_array_equal(own.read(SUDOKU, path).x, X[None], err_msg=text)
