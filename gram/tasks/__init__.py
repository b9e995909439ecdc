"""The registered tasks. Registering one is what gets it tested (`tests/gram/test_tasks.py`)."""

from gram.tasks.base import SPLITS, Puzzles, Split, Task, TaskError, Verdict
from gram.tasks.nqueens import NQueens

TASKS: dict[str, type[Task]] = {task.name: task for task in (NQueens,)}

__all__ = ["SPLITS", "TASKS", "NQueens", "Puzzles", "Split", "Task", "TaskError", "Verdict"]
