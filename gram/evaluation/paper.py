"""The values that the paper publishes (Generative Recursive Reasoning, arXiv 2605.19376v2).

Shares are numbers from 0 to 1. Rows are named as our models are where we have one. Conflicts are counts over all test
graphs; IS and FID are of a network that the paper does not name, and compare with none of ours.
"""

from __future__ import annotations

from typing import NamedTuple

from gram.tasks import Task


class Value(NamedTuple):
    """One published number: table and row, task as registered and board size, metric, value."""

    table: str
    row: str
    task: str
    size: int
    metric: str
    value: float


SAMPLES = 20  # per puzzle in Table 1

# (table, task, size, metrics) -> row -> one value for each metric, None where there is none.
_TABLES: dict[tuple[str, str, int, tuple[str, ...]], dict[str, tuple[float | None, ...]]] = {
    ("1", "nqueens", 8, ("accuracy", "coverage")): {
        "direct": (0.404, 0.137),
        "looped": (0.684, 0.236),
        "hrm": (0.787, 0.267),
        "trm": (0.668, 0.361),
        "ar": (0.963, 0.848),
        "mdlm": (0.961, 0.872),
        "gram": (0.997, 0.903),
    },
    ("1", "nqueens", 10, ("accuracy", "coverage")): {
        "looped": (0.500, 0.062),
        "hrm": (0.374, 0.047),
        "trm": (0.175, 0.020),
        "ar": (0.900, 0.532),
        "mdlm": (0.743, 0.474),
        "gram": (0.897, 0.575),
    },
    ("1", "coloring", 8, ("conflicts", "coverage")): {
        "direct": (179, 0.199),
        "looped": (136, 0.205),
        "hrm": (109.7, 0.218),
        "trm": (109.3, 0.223),
        "ar": (19, 0.830),
        "mdlm": (2.7, 0.845),
        "gram": (2.7, 0.858),
    },
    ("1", "coloring", 10, ("conflicts", "coverage")): {
        "ar": (61.3, 0.400),
        "mdlm": (12, 0.482),
        "gram": (3.3, 0.513),
    },
    ("2", "images", 28, ("is_8_steps", "is_256_steps", "fid_8_steps", "fid_256_steps")): {
        "gram": (1.85, 2.04, 84.08, 73.34),
    },
    ("2", "images", 28, ("fid",)): {"trm": (303.29,)},
    # Ablations with 5 samples; DS: deep supervision, HR: hierarchical recursion, SG: stochastic guidance.
    ("3a", "sudoku", 9, ("accuracy",)): {
        "looped": (0.6125,),
        "looped+ds+hr": (0.8740,),
        "looped+sg": (0.6564,),
        "looped+ds+sg": (0.7390,),
        "gram": (0.9396,),
    },
    ("3a", "nqueens", 8, ("accuracy",)): {
        "looped": (0.7130,),
        "looped+ds+hr": (0.8070,),
        "looped+sg": (0.8630,),
        "looped+ds+sg": (1.0,),
        "gram": (0.9969,),
    },
    ("3b", "sudoku", 9, ("accuracy",)): {
        "no guidance": (0.8287,),
        "mean 0": (0.9488,),
        "sigma 0": (0.0,),
        "direct": (0.6343,),
        "trm, stochastic decoder": (0.8287,),
        "trm, random initial state": (0.7853,),
    },
    ("3b", "nqueens", 8, ("accuracy",)): {
        "no guidance": (0.7291,),
        "mean 0": (0.5027,),
        "sigma 0": (0.0,),
        "direct": (0.6144,),
        "trm, stochastic decoder": (0.7166,),
        "trm, random initial state": (0.7182,),
    },
    ("8", "sudoku", 9, ("accuracy",)): {
        "looped": (0.613,),
        "hrm": (0.550,),
        "trm": (0.874,),
        "trm, 320 steps": (0.905,),
        "gram": (0.970,),
    },
    ("8", "arc", 1, ("accuracy",)): {"hrm": (0.403,), "trm": (0.446,), "gram": (0.520,)},  # size: ARC-AGI-1 and -2
    ("8", "arc", 2, ("accuracy",)): {"hrm": (0.050,), "trm": (0.078,), "gram": (0.111,)},
    ("9", "sudoku_generation", 9, ("valid",)): {
        "gram": (0.9905,),
        "d3pm uniform, big": (0.9133,),
        "d3pm uniform, small": (0.2924,),
        "d3pm absorbing, big": (0.7918,),
        "d3pm absorbing, small": (0.2188,),
    },
}

VALUES = tuple(
    Value(table, row, task, size, metric, value)
    for (table, task, size, metrics), rows in _TABLES.items()
    for row, values in rows.items()
    for metric, value in zip(metrics, values, strict=True)
    if value is not None
)


def published(table: str, task: str, size: int) -> dict[str, dict[str, float]]:
    """The values of a table for a task and board size: row -> metric -> value; empty if there are none."""
    found: dict[str, dict[str, float]] = {}
    for value in VALUES:
        if (value.table, value.task, value.size) == (table, task, size):
            found.setdefault(value.row, {})[value.metric] = value.value
    return found


def table_1(task: Task) -> dict[str, dict[str, float]]:
    """Table 1's values for the puzzles of a task: model -> metric -> value; empty if it has none of that size."""
    size = getattr(task.config, "board_size", getattr(task.config, "vertices", 0))
    return published("1", task.name, size)
