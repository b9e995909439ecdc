"""The paper's values: each once, shares between 0 and 1, found by table, task and size."""

from __future__ import annotations

from gram.evaluation.paper import VALUES, published, table_1
from gram.models import MODELS
from gram.tasks import TASKS, NQueens, Sudoku
from gram.tasks.nqueens import NQueensConfig
from gram.tasks.sudoku import SudokuConfig


def test_each_value_stands_once_and_shares_are_shares() -> None:
    assert len({value[:5] for value in VALUES}) == len(VALUES)
    assert all(0 <= value.value <= 1 for value in VALUES if value.metric in ("accuracy", "coverage", "valid"))
    assert {value.task for value in VALUES} <= set(TASKS)
    assert {value.row for value in VALUES if value.table == "1"} <= set(MODELS)


def test_values_are_found_by_table_task_and_size() -> None:
    assert published("1", "nqueens", 8)["gram"] == {"accuracy": 0.997, "coverage": 0.903}
    assert published("1", "coloring", 10)["gram"] == {"conflicts": 3.3, "coverage": 0.513}
    assert published("1", "nqueens", 7) == {}
    assert table_1(NQueens(NQueensConfig(board_size=10)))["trm"] == {"accuracy": 0.175, "coverage": 0.02}
    assert table_1(Sudoku(SudokuConfig(generated=10))) == {}
