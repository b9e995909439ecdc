"""The registered tasks, those of plug-ins among them. What every one promises, `gram.tasks.contract` tests."""

from gram import plugins
from gram.tasks.arc import ARC
from gram.tasks.base import SPLITS, NoSolverError, Puzzles, Split, Task, TaskError, Verdict
from gram.tasks.coloring import Coloring
from gram.tasks.images import Images
from gram.tasks.nqueens import NQueens
from gram.tasks.sudoku import Sudoku, SudokuGeneration

TASKS: dict[str, type[Task]] = {task.name: task for task in (NQueens, Coloring, Sudoku, SudokuGeneration, ARC, Images)}
plugins.load("gram.tasks", TASKS, plugins.of_kind(Task, TASKS))

__all__ = [
    "ARC",
    "SPLITS",
    "TASKS",
    "Coloring",
    "Images",
    "NQueens",
    "NoSolverError",
    "Puzzles",
    "Split",
    "Sudoku",
    "SudokuGeneration",
    "Task",
    "TaskError",
    "Verdict",
]
