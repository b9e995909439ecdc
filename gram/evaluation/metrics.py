"""The figures of an evaluation from what its trajectories ended with, each with its interval, and tables of them.

`accuracy` is the share of single samples that obey every rule and keep the givens, `coverage` the distinct valid
solutions found among N samples of each puzzle, summed, over the solutions that exist, summed. All weigh a puzzle by its
number of solutions, and are reported on the puzzles with at least two solutions (Table 1's) and on all. Best of N is
what one answer of N is worth that a selector chose; `above_one_sample` is by how much that exceeds accuracy, on the
same puzzles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gram.evaluation.intervals import Interval, ratio, share
from gram.evaluation.select import SELECTORS, select
from gram.tasks import Puzzles

SOLUTIONS = ((1, 1), (2, 2), (3, 4), (5, 9), (10, None))  # groups of puzzles by how many solutions exist
RATINGS = ((0, 0), (1, 4), (5, 19), (20, 99), (100, None))  # and by how hard they are


@dataclass(frozen=True)
class Answers:
    """What N trajectories of each puzzle ended with.

    Attributes:
        tokens: [puzzle, trajectory, position].
        value: [puzzle, trajectory], predicted correctness.
        halt: [puzzle, trajectory], the halting head's belief in the answer.
        depth: [puzzle, trajectory], supervision steps taken.
        halted: [puzzle, trajectory], it stopped by itself.
    """

    tokens: NDArray[np.uint8]
    value: NDArray[np.float32]
    halt: NDArray[np.float32]
    depth: NDArray[np.int32]
    halted: NDArray[np.bool_]

    def first(self, trajectories: int) -> Answers:
        """What the first so many trajectories ended with: those that a narrower evaluation draws."""
        return Answers(*(getattr(self, field.name)[:, :trajectories] for field in fields(self)))


@dataclass(frozen=True)
class PerPuzzle:
    """What each puzzle contributes to the figures, all [puzzle].

    Attributes:
        solutions: how many exist.
        rating: how hard it is, if that is known.
        accuracy: share of its samples that are right.
        found: distinct right answers among them.
        distinct: distinct answers among them.
        chosen: per selector, whether the answer that it chose is right.
        depth, halted: supervision steps taken, and the share that stopped by themselves, on average.
    """

    solutions: NDArray[np.int64]
    rating: NDArray[np.int64] | None
    accuracy: NDArray[np.float64]
    found: NDArray[np.int64]
    distinct: NDArray[np.int64]
    chosen: Mapping[str, NDArray[np.float64]]
    depth: NDArray[np.float64]
    halted: NDArray[np.float64]


def per_puzzle(puzzles: Puzzles, answers: Answers, valid: NDArray[np.bool_]) -> PerPuzzle:
    """The contributions of each puzzle; `valid` [puzzle, trajectory] says which answers are right."""
    every = range(len(puzzles))
    chosen = {
        how: np.array([
            valid[at, select(how, answers.tokens[at], value=answers.value[at], halt=answers.halt[at], valid=valid[at])]
            for at in every
        ], dtype=float)
        for how in SELECTORS
    }  # fmt: skip
    return PerPuzzle(
        solutions=puzzles.counts,
        rating=puzzles.rating,
        accuracy=valid.mean(1),
        found=np.array([_distinct(answers.tokens[at][valid[at]]) for at in every]),
        distinct=np.array([_distinct(answers.tokens[at]) for at in every]),
        chosen=chosen,
        depth=answers.depth.mean(1),
        halted=answers.halted.mean(1),
    )


def summary(each: PerPuzzle, rows: NDArray[np.integer]) -> dict[str, Any]:
    """The figures over the puzzles `rows`, each puzzle weighed by its number of solutions."""
    weight = each.solutions[rows]
    accuracy, chosen = each.accuracy[rows], {how: right[rows] for how, right in each.chosen.items()}
    best = {how: _mean(right, weight) for how, right in chosen.items()}
    figures = {
        "inputs": len(rows),
        "solutions": int(weight.sum()),
        "accuracy": _mean(accuracy, weight),
        "coverage": float(each.found[rows].sum() / weight.sum()),
        "best_of_n": best,
        "above_one_sample": {
            how: {
                "difference": best[how] - _mean(accuracy, weight),
                "interval": ratio((right - accuracy) * weight, weight),
            }
            for how, right in chosen.items()
        },
        "intervals": {
            "accuracy": share(accuracy, weight),
            "coverage": share(each.found[rows] / weight, weight),
            "best_of_n": {how: share(right, weight) for how, right in chosen.items()},
        },
        "by_solutions": _by("solutions", each.solutions, SOLUTIONS, each, rows),
        "distinct": float(each.distinct[rows].mean()),
        "mean_halt_step": float(each.depth[rows].mean()),
        "halted": float(each.halted[rows].mean()),
    }
    if each.rating is not None:
        figures["by_rating"] = _by("rating", each.rating, RATINGS, each, rows)
    return figures


def _by(
    name: str,
    values: NDArray[np.int64],
    groups: Sequence[tuple[int, int | None]],
    each: PerPuzzle,
    rows: NDArray[np.integer],
) -> list[dict[str, Any]]:
    """The main figures of the puzzles whose value lies in each group (first and last), without empty groups."""
    found = []
    for first, last in groups:
        inside = rows[(values[rows] >= first) & (values[rows] <= (np.inf if last is None else last))]
        if not len(inside):
            continue
        weight = each.solutions[inside]
        found.append({
            name: f"{first}+" if last is None else str(first) if first == last else f"{first}-{last}",
            "inputs": len(inside),
            "accuracy": _mean(each.accuracy[inside], weight),
            "coverage": float(each.found[inside].sum() / weight.sum()),
            "best_of_n": {how: _mean(right[inside], weight) for how, right in each.chosen.items()},
            "intervals": {
                "accuracy": share(each.accuracy[inside], weight),
                "coverage": share(each.found[inside] / weight, weight),
                "best_of_n": {how: share(right[inside], weight) for how, right in each.chosen.items()},
            },
        })  # fmt: skip
    return found


def _mean(values: NDArray[np.float64], weight: NDArray[np.integer]) -> float:
    return float(np.average(values, weights=weight))


def _distinct(tokens: NDArray[np.integer]) -> int:
    """Number of different boards among [board, position]."""
    return len(np.unique(tokens, axis=0)) if len(tokens) else 0


def told(value: float, interval: Interval, sign: str = "") -> str:
    """A figure and its interval, for a reader."""
    return f"{value:{sign}.3f} [{interval[0]:{sign}.3f}, {interval[1]:{sign}.3f}]"


def setting(figures: dict[str, Any]) -> str:
    """How an evaluation was made, for a reader; its depths and widths apart."""
    chance = [f"noise {figures['noise']:g}"]
    chance += [f"{name} {figures[name]:g}" for name in ("perturb", "temperature") if figures[name]]
    chance += ["random start"] if figures["random_start"] else []
    halting = "with halting" if figures["halting"] else "without halting"
    return f"{', '.join(chance)}, {halting}, seed {figures['seed']}"


def table(figures: dict[str, Any]) -> str:
    """The figures of `gram.evaluate` for a reader at a terminal."""
    samples = figures["trajectories"]
    lines = [
        f"{figures['checkpoint']} ({figures['model']}), {figures['task']}, {figures['split']} split, "
        f"{samples} samples, depth {figures['supervision_steps']}, {setting(figures)}; in brackets intervals of 95 %"
    ]
    parts = {figures["protocol"]: figures, "all inputs": figures["all_inputs"]}
    for title, part in parts.items():
        lines += [f"\n{title}: {part['inputs']} inputs, {part['solutions']} solutions"]
        lines += [f"  {name:24}{told(part[name], part['intervals'][name])}" for name in ("accuracy", "coverage")]
        for how in SELECTORS:
            best = told(part["best_of_n"][how], part["intervals"]["best_of_n"][how])
            above = part["above_one_sample"][how]
            lines.append(
                f"  {f'best of {samples} by {how}':24}{best}   "
                f"above one sample by {told(above['difference'], above['interval'], '+')}"
            )
        lines.append(f"  distinct {part['distinct']:.2f}   mean halt step {part['mean_halt_step']:.1f}")
        for name in ("solutions", "rating"):
            rows = part.get(f"by_{name}", [])
            if len(rows) > 1:
                lines += ["", *_rows(name, rows, samples)]
    return "\n".join([*lines, f"\n{figures['seconds']} s"])


def _rows(name: str, rows: list[dict[str, Any]], samples: int) -> list[str]:
    lines = [f"  {name:>9}  {'inputs':>6}  {'accuracy':22} {'coverage':22} best of {samples} by value"]
    for row in rows:
        cells = [told(row[of], row["intervals"][of]) for of in ("accuracy", "coverage")]
        cells.append(told(row["best_of_n"]["value"], row["intervals"]["best_of_n"]["value"]))
        lines.append(f"  {row[name]:>9}  {row['inputs']:>6}  {'  '.join(cells)}")
    return lines


def grid_table(figures: dict[str, Any]) -> str:
    """The figures of `gram.evaluate.grid` for a reader at a terminal: a line for each cell."""
    cells = figures["cells"]
    first = cells[0]
    names = ("accuracy", "coverage", *(f"by {how}" for how in SELECTORS))
    lines = [
        f"{figures['checkpoint']} ({figures['model']}), {first['task']}, {first['split']} split, {setting(first)}",
        f"{first['protocol']}: {first['inputs']} inputs, {first['solutions']} solutions; in brackets intervals of 95 %",
        "",
        f"  {'depth':>5}  {'samples':>7}  {''.join(f'{name:22}' for name in names)}mean halt step",
    ]
    for cell in cells:
        within = cell["intervals"]
        told_of = [told(cell[name], within[name]) for name in ("accuracy", "coverage")]
        told_of += [told(cell["best_of_n"][how], within["best_of_n"][how]) for how in SELECTORS]
        lines.append(
            f"  {cell['supervision_steps']:>5}  {cell['trajectories']:>7}  {' '.join(told_of)} "
            f"{cell['mean_halt_step']:>14.1f}"
        )
    return "\n".join([*lines, f"\n{figures['seconds']} s"])
