"""The metrics of an evaluation from the final answers of its trajectories, each with its interval, and tables of them.

`accuracy` is the share of single samples that obey every rule and keep the givens, `coverage` the distinct valid
solutions found among N samples of each puzzle, summed, over the solutions that exist, summed. The weight of a puzzle is
its number of solutions; metrics are of the puzzles with at least two (Table 1's) and of all. Best of N is the accuracy
of the one answer of N that a selector chose; `above_one_sample` is by how much it exceeds accuracy, paired by puzzle.
`ceiling` is the coverage of one right answer per puzzle. `conflicts` are the broken rules of one sample of each puzzle
(a mean over its samples), summed over the puzzles: Table 1's of coloring, over all test graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gram.evaluation import intervals
from gram.evaluation.intervals import Interval
from gram.evaluation.select import VOTES, select
from gram.tasks import Puzzles

SOLUTIONS = ((1, 1), (2, 2), (3, 4), (5, 9), (10, None))  # groups of puzzles by how many solutions exist
RATINGS = ((0, 0), (1, 4), (5, 19), (20, 99), (100, None))  # and by how hard they are


@dataclass(frozen=True)
class Answers:
    """The final answers of N trajectories of each puzzle.

    Attributes:
        tokens: [puzzle, trajectory, position].
        value: [puzzle, trajectory], predicted correctness.
        halt: [puzzle, trajectory], the halting probability.
        residual: [puzzle, trajectory], mean square, over positions and features, of the change of h in the supervision
            step that ended in this answer.
        stability: [puzzle, trajectory], supervision steps for which this answer had stood then; 0: it was new.
        depth: [puzzle, trajectory], supervision steps taken.
        halted: [puzzle, trajectory], it stopped by itself.
    """

    tokens: NDArray[np.uint8]
    value: NDArray[np.float32]
    halt: NDArray[np.float32]
    residual: NDArray[np.float32]
    stability: NDArray[np.int32]
    depth: NDArray[np.int32]
    halted: NDArray[np.bool_]

    def first(self, trajectories: int) -> Answers:
        """The answers of the first `trajectories` of each puzzle, which are those of a narrower evaluation."""
        return Answers(*(getattr(self, field.name)[:, :trajectories] for field in fields(self)))


@dataclass(frozen=True)
class PerPuzzle:
    """What each puzzle contributes to the metrics, all [puzzle].

    Attributes:
        solutions: how many exist.
        rating: how hard it is, if that is known.
        accuracy: share of its samples that are right.
        found: distinct right answers among them.
        distinct: distinct answers among them.
        chosen: by selector, whether the answer that it chose is right.
        depth, halted: mean supervision steps of its samples, and the share that stopped by themselves.
        conflicts: mean number of rules that a sample breaks, where rules judge.
    """

    solutions: NDArray[np.int64]
    rating: NDArray[np.int64] | None
    accuracy: NDArray[np.float64]
    found: NDArray[np.int64]
    distinct: NDArray[np.int64]
    chosen: Mapping[str, NDArray[np.float64]]
    depth: NDArray[np.float64]
    halted: NDArray[np.float64]
    conflicts: NDArray[np.float64] | None = None

    def plain(self, rows: NDArray[np.integer], ids: Sequence[int]) -> dict[str, Any]:
        """The shares of the puzzles `rows` as lists [puzzle]; `ids` [row] are their indices in the split."""
        return {
            "puzzle": [int(ids[row]) for row in rows],
            "solutions": self.solutions[rows].tolist(),
            "accuracy": self.accuracy[rows].tolist(),
            "coverage": (self.found / self.solutions)[rows].tolist(),
            "best_of_n": {name: right[rows].tolist() for name, right in self.chosen.items()},
        }


def measure_puzzles(
    puzzles: Puzzles, answers: Answers, valid: NDArray[np.bool_], conflicts: NDArray[np.integer] | None = None,
    voted: NDArray[np.bool_] | None = None,
) -> PerPuzzle:  # fmt: skip
    """The contributions of each puzzle.

    Args:
        valid: [puzzle, trajectory], which answers are right.
        conflicts: [puzzle, trajectory], how many rules an answer breaks, where rules alone judge.
        voted: [puzzle], whether one of ARC's two attempts is right (`gram.evaluation.attempts`).
    """
    scores: dict[str, NDArray[np.generic]] = {
        "value": answers.value, "halt": answers.halt, "residual": answers.residual, "stability": answers.stability,
        **({} if conflicts is None else {"rules": valid}), "any": valid,
    }  # fmt: skip
    every = np.arange(len(puzzles))
    chosen = {name: valid[every, select(name, answers.tokens, scores)].astype(float) for name in ("majority", *scores)}
    return PerPuzzle(
        solutions=puzzles.counts,
        rating=puzzles.rating,
        accuracy=valid.mean(1),
        found=np.array([_distinct(answers.tokens[at][valid[at]]) for at in every]),
        distinct=np.array([_distinct(answers.tokens[at]) for at in every]),
        chosen=chosen if voted is None else chosen | {VOTES: voted.astype(float)},
        depth=answers.depth.mean(1),
        halted=answers.halted.mean(1),
        conflicts=None if conflicts is None else conflicts.mean(1),
    )


def summary(each: PerPuzzle, rows: NDArray[np.integer]) -> dict[str, Any]:
    """The metrics over the puzzles `rows`, each puzzle weighted by its number of solutions."""
    weight, accuracy = each.solutions[rows], each.accuracy[rows]
    metrics = _shares(each, rows) | {
        "solutions": int(weight.sum()),
        "by_solutions": _by("solutions", each.solutions, SOLUTIONS, each, rows),
        "distinct": float(each.distinct[rows].mean()),
        "mean_halt_step": float(each.depth[rows].mean()),
        "halted": float(each.halted[rows].mean()),
    }
    metrics["above_one_sample"] = {
        name: _paired(best - metrics["accuracy"], each.chosen[name][rows] - accuracy, weight)
        for name, best in metrics["best_of_n"].items()
    }
    if each.conflicts is not None:
        metrics["conflicts"] = float(each.conflicts[rows].sum())
        metrics["intervals"]["conflicts"] = intervals.total(each.conflicts[rows])
    if each.rating is not None:
        metrics["by_rating"] = _by("rating", each.rating, RATINGS, each, rows)
    return metrics


def difference(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """By how much the shares of one evaluation exceed those of another, paired by puzzle.

    Args:
        first, second: results of `gram.evaluate(..., per_puzzle=True)`.
    Returns:
        `accuracy`, `coverage`, and `best_of_n` of each selector, each a `difference` with its `interval`.
    Raises:
        ValueError: they are not of the same puzzles.
    """
    every = [("accuracy",), ("coverage",), *(("best_of_n", name) for name in first["best_of_n"])]
    accuracy, coverage, *best = (gap(first, second, path, path) for path in every)
    return {"accuracy": accuracy, "coverage": coverage, "best_of_n": dict(zip(first["best_of_n"], best, strict=True))}


def gap(
    first: Mapping[str, Any], second: Mapping[str, Any], better: Sequence[str], than: Sequence[str]
) -> dict[str, Any]:
    """By how much the share `better` of one evaluation exceeds the share `than` of another; see `difference`.

    Args:
        better, than: where the shares are in the results, e.g. `["best_of_n", "value"]` and `["accuracy"]`.
    """
    one, other = first["per_puzzle"], second["per_puzzle"]
    if any(one[name] != other[name] for name in ("puzzle", "solutions")):
        raise ValueError(
            "the two evaluations are of different puzzles; evaluate both with the same task, split and limit"
        )
    gaps = np.subtract(entry(one, *better), entry(other, *than))
    return _paired(entry(first, *better) - entry(second, *than), gaps, np.array(one["solutions"]))


def _paired(value: float, gaps: NDArray[np.float64], weight: NDArray[np.integer]) -> dict[str, Any]:
    return {"difference": value, "interval": intervals.mean(gaps, weight, (-1, 1))}


def _shares(each: PerPuzzle, rows: NDArray[np.integer]) -> dict[str, Any]:
    """The main metrics over the puzzles `rows`, their intervals, and the coverage that one answer cannot exceed."""
    weight, accuracy, found = each.solutions[rows], each.accuracy[rows], each.found[rows]
    chosen = {name: right[rows] for name, right in each.chosen.items()}
    most = max(1.0, float((found / weight).max()))  # above 1 only where not all solutions are known
    return {
        "inputs": len(rows),
        "accuracy": float(np.average(accuracy, weights=weight)),
        "coverage": float(found.sum() / weight.sum()),
        "best_of_n": {name: float(np.average(right, weights=weight)) for name, right in chosen.items()},
        "intervals": {
            "accuracy": intervals.mean(accuracy, weight),
            "coverage": intervals.mean(found / weight, weight, (0, most)),
            "best_of_n": {name: intervals.mean(right, weight) for name, right in chosen.items()},
        },
        "ceiling": float(len(rows) / weight.sum()),
    }


def _by(
    name: str,
    values: NDArray[np.int64],
    groups: Sequence[tuple[int, int | None]],
    each: PerPuzzle,
    rows: NDArray[np.integer],
) -> list[dict[str, Any]]:
    """The main metrics of the puzzles whose value lies in each group (first and last), without empty groups."""
    found = []
    for first, last in groups:
        inside = rows[(values[rows] >= first) & (values[rows] <= (np.inf if last is None else last))]
        if len(inside):
            label = f"{first}+" if last is None else str(first) if first == last else f"{first}-{last}"
            found.append({name: label, **_shares(each, inside)})
    return found


def _distinct(tokens: NDArray[np.integer]) -> int:
    """Number of different boards among [board, position]."""
    return len(np.unique(tokens, axis=0)) if len(tokens) else 0


def entry(metrics: Any, *path: str) -> Any:
    """What nested metrics hold under this path of keys."""
    for name in path:
        metrics = metrics[name]
    return metrics


def with_interval(value: float, interval: Interval, sign: str = "", digits: int = 3) -> str:
    """A number and its interval, for a reader."""
    return f"{value:{sign}.{digits}f} [{interval[0]:{sign}.{digits}f}, {interval[1]:{sign}.{digits}f}]"


def shown(metrics: Mapping[str, Any], *path: str, digits: int = 3) -> str:
    """A metric (`"coverage"`; `"best_of_n", "value"`) and its interval, for a reader."""
    return with_interval(entry(metrics, *path), entry(metrics["intervals"], *path), digits=digits)


def setting(metrics: dict[str, Any]) -> str:
    """How an evaluation was made, for a reader; its depths and widths apart."""
    noise = [f"noise {metrics['noise']:g}"]
    noise += [f"{name} {metrics[name]:g}" for name in ("perturb", "temperature") if metrics[name]]
    noise += ["random start"] if metrics["random_start"] else []
    halting = "with halting" if metrics["halting"] else "without halting"
    return f"{', '.join(noise)}, {halting}, seed {metrics['seed']}"


def of_data(metrics: dict[str, Any]) -> str:
    """On which data metrics rest, in a line; empty if they do not say it."""
    return "data: {puzzles:,} of {name}, sha256 {sha256:.12}".format(**metrics["data"]) if "data" in metrics else ""


class Figures(dict[str, Any]):
    """Plain data, as JSON holds it, that shows itself as the table of its measurement."""

    def __init__(self, figures: Mapping[str, Any], table: Callable[[dict[str, Any]], str]) -> None:
        super().__init__(figures)
        self._table = table

    def __repr__(self) -> str:
        return self._table(self)


def table(metrics: dict[str, Any]) -> str:
    """The metrics of `gram.evaluate` for a reader at a terminal."""
    samples = metrics["trajectories"]
    lines = [
        f"{metrics['checkpoint']} ({metrics['model']}), {metrics['task']}, {metrics['split']} split, "
        f"{samples} samples, depth {metrics['supervision_steps']}, {setting(metrics)}; in brackets intervals of 95 %",
        of_data(metrics),
    ]
    parts = {metrics["protocol"]: metrics, "all inputs": metrics["all_inputs"]}
    for title, part in parts.items():
        lines += [f"\n{title}: {part['inputs']} inputs, {part['solutions']} solutions"]
        lines += [f"  {name:24}{shown(part, name)}" for name in ("accuracy", "coverage")]
        for name in part["best_of_n"]:
            above = part["above_one_sample"][name]
            lines.append(
                f"  {f'best of {samples} by {name}':24}{shown(part, 'best_of_n', name)}   "
                f"above one sample by {with_interval(above['difference'], above['interval'], '+')}"
            )
        lines.append(f"  distinct {part['distinct']:.2f}   mean halt step {part['mean_halt_step']:.1f}")
        if "conflicts" in part:
            lines[-1] += f"   conflicts, a sample of each input {shown(part, 'conflicts', digits=1)}"
        for name in ("solutions", "rating"):
            rows = part.get(f"by_{name}", [])
            if len(rows) > 1:
                lines += ["", *_rows(name, rows, samples)]
    if "without_learning" in metrics:
        lines += ["\nwithout learning, one attempt:", *(
            f"  {name:24}{with_interval(each['value'], each['interval'])}"
            for name, each in metrics["without_learning"].items()
        )]  # fmt: skip
    errors = [f"{name} {found['expected_calibration_error']:.3f}" for name, found in metrics["reliability"].items()]
    if errors:
        lines.append(f"\nexpected calibration error of the heads, all inputs: {', '.join(errors)}")
    calls = f"{metrics['network_calls']:,.0f} network calls per puzzle"
    return "\n".join([*lines, f"\n{calls}, {metrics['seconds']} s"])


def _rows(name: str, rows: list[dict[str, Any]], samples: int) -> list[str]:
    lines = [f"  {name:>9}  {'inputs':>6}  {'accuracy':22} {'coverage':22} best of {samples} by value"]
    for row in rows:
        cells = [shown(row, *path) for path in (("accuracy",), ("coverage",), ("best_of_n", "value"))]
        lines.append(f"  {row[name]:>9}  {row['inputs']:>6}  {'  '.join(cells)}")
    return lines


def grid_table(metrics: dict[str, Any]) -> str:
    """The metrics of `gram.grid` for a reader at a terminal: a line for each cell."""
    cells = metrics["cells"]
    first = cells[0]
    selectors = list(first["best_of_n"])
    lines = [
        f"{metrics['checkpoint']} ({metrics['model']}), {first['task']}, {first['split']} split, {setting(first)}",
        f"{first['protocol']}: {first['inputs']} inputs, {first['solutions']} solutions; in brackets intervals of 95 % "
        "(those of the best of N by each selector: --json)",
        of_data(first),
        "",
        f"  {'depth':>5}  {'samples':>7}  {'network calls':>13}  {'accuracy':22} {'coverage':22} "
        f"{''.join(f'{name:>10}' for name in selectors)}  mean halt step",
    ]
    for cell in cells:
        best = "".join(f"{cell['best_of_n'][name]:>10.3f}" for name in selectors)
        lines.append(
            f"  {cell['supervision_steps']:>5}  {cell['trajectories']:>7}  {cell['network_calls']:>13,.0f}  "
            f"{shown(cell, 'accuracy'):22} {shown(cell, 'coverage'):22} {best}  {cell['mean_halt_step']:>14.1f}"
        )
    return "\n".join([*lines, f"\n{metrics['seconds']} s"])
