"""Results of `gram.evaluate` in words, as a table beside the paper's values, and by the number of solutions.

Nothing is computed here: a run is the plain dict that `gram.evaluate` returns (with `per_puzzle=True` for `examples`),
a difference that of `gram.evaluation.metrics.difference`.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gramviz.reports.blocks.block import COLORS, METRICS, Block, glyph, number, say, svg, table, together, with_interval
from gramviz.reports.blocks.panels import axes, level, mark, tick

Run = Mapping[str, Any]
# Name -> where a run has it.
_SHARES = {
    "Accuracy": ("accuracy",),
    "Coverage": ("coverage",),
    "Best of N by majority": ("best_of_n", "majority"),
    "Best of N by value head": ("best_of_n", "value"),
    "Any of N right (a bound, not a method)": ("best_of_n", "any"),
}


def headline(result: Run, reference: Run | None = None, difference: Run | None = None) -> Block:
    """The result in one sentence, with intervals; with a reference, which of the two finds more of the solutions.

    Args:
        difference: by how much the result exceeds the reference, paired.
    """
    text = (
        f"{result['checkpoint']}: accuracy {_share(result, 'accuracy')}, coverage {_share(result, 'coverage')}, from "
        f"{result['trajectories']} samples of each of {result['inputs']} held-out puzzles."
    )
    if reference and difference:
        sign = _sign(difference["coverage"])
        more = ("about as many of the solutions as", "more of the solutions than", "fewer of the solutions than")[sign]
        text += f" It finds {more} {reference['checkpoint']} ({_share(reference, 'coverage')}): a difference of "
        text += f"{_gap(difference['coverage'])}{'' if sign else ', within noise'}."
    return Block(f"<p class='gram-headline'><strong>{html.escape(text)}</strong></p>", text)


def results(
    result: Run,
    reference: Run | None = None,
    difference: Run | None = None,
    paper: Mapping[str, Mapping[str, float]] | None = None,
) -> Block:
    """The table of results: this run, the reference, the paired difference, the paper; and the numbers as `METRICS`:
    those of this run, both runs, the difference.

    Args:
        difference: by how much the result exceeds the reference, paired.
        paper: model -> metric -> value, with as many samples; shown for the models of the two runs.
    """
    runs = [run for run in (result, reference) if run]
    rows = []
    for title, path in _SHARES.items():
        row = [title, *(_share(run, *path) for run in runs)]
        if difference:
            gap = _at(difference, *path)
            row.append(f"{'○▲▼'[_sign(gap)]} {_gap(gap)}")
        if paper:
            theirs = [(run["model"], paper.get(run["model"], {}).get(path[0])) for run in runs]
            row.append(", ".join(f"{model.upper()} {value:.3f}" for model, value in theirs if value is not None))
        rows.append(row)
    steps = [f"{run['mean_halt_step']:.1f}" for run in runs]
    rows.append(["Supervision steps taken", *steps, *[""] * (bool(difference) + bool(paper))])
    header = ["Metric", *(run["checkpoint"] for run in runs)]
    header += ["Difference"] * bool(difference) + ["Paper, Table 1"] * bool(paper)
    note = (
        f"{result['inputs']} puzzles with {result['solutions']} solutions, {result['trajectories']} samples of each. "
        "Brackets: intervals of 95 %, over puzzles; a puzzle's weight is its number of solutions. "
    )
    note += (
        "Difference, paired by puzzle: ▲ better, ▼ worse, ○ within noise. " if difference else "No reference given. "
    )
    for run in runs:
        if _one_answer(run):
            note += (
                f"{run['checkpoint']} gives one answer per puzzle and cannot cover more than {number(run['ceiling'])}. "
            )
    hidden = ("cells", "per_puzzle", "seconds")
    machine: dict[str, Any] = {run["checkpoint"]: {k: v for k, v in run.items() if k not in hidden} for run in runs}
    judged = {name: result[name] for name in ("accuracy", "coverage", "best_of_n", "mean_halt_step", "intervals")}
    return Block(
        table(header, rows, note),
        "\n".join(" | ".join(row) for row in rows),
        {METRICS: {**judged, "runs": machine, "difference": difference}},
    )


def width(few: Run, many: Run) -> Block:
    """What more samples of the same puzzles add to coverage, in a sentence."""
    if few["trajectories"] >= many["trajectories"]:
        return say(f"{many['trajectories']} samples of each puzzle were drawn; there are no more to compare with.")
    return say(
        f"All {many['trajectories']} samples of each puzzle cover {_share(many, 'coverage')} of the solutions, the "
        f"first {few['trajectories']} of them {_share(few, 'coverage')}."
    )


EXAMPLES = (
    "Typical: the share of solutions found is nearest to the median puzzle's (then the share of valid samples). "
    "Best: most of its solutions found (then most valid samples). Worst: fewest valid samples (then fewest solutions "
    "found). Ties go to the puzzle with more solutions, then to the lower index; none is shown twice."
)


def examples(run: Run) -> dict[str, int]:
    """A typical, the best and the worst puzzle by the rule of `EXAMPLES`: their indices in the split."""
    each = run["per_puzzle"]
    solutions, accuracy, coverage = (np.array(each[name]) for name in ("solutions", "accuracy", "coverage"))
    apart = [np.abs(values - np.median(values)) for values in (accuracy, coverage)]
    order = {
        "typical": np.lexsort((-solutions, *apart)),
        "best": np.lexsort((-solutions, -accuracy, -coverage)),
        "worst": np.lexsort((-solutions, coverage, accuracy)),
    }
    shown: dict[str, int] = {}
    for name in ("best", "worst", "typical"):
        first, *_ = [at for at in order[name].tolist() if at not in shown.values()] or order[name].tolist()
        shown[name] = first
    return {name: int(each["puzzle"][shown[name]]) for name in order}


def by_solutions(*runs: Run) -> Block:
    """Accuracy and coverage by the number of solutions that exist, as figure (Fig. 4 right, Fig. 15) and as table."""
    names = [
        f"{run['checkpoint']} ({'one answer' if _one_answer(run) else str(run['trajectories']) + ' samples'})"
        for run in runs
    ]
    drawn, rows = [], []
    for panel, metric in enumerate(("Accuracy", "Coverage")):
        left, width = 50 + panel * 330, 270
        drawn.append(axes(left, width, metric, "solutions that exist"))
        groups = list(zip(*(run["by_solutions"] for run in runs), strict=True))
        for column, group in enumerate(groups):
            center, label = left + width * (column + 0.5) / len(groups), group[0]["solutions"]
            drawn.append(tick(center, label))
            if metric == "Coverage":
                half = 0.42 * width / len(groups)
                drawn.append(level("ceiling", center - half, center + half, group[0]["ceiling"]))
            for index, row in enumerate(group):
                value, interval = row[metric.lower()], row["intervals"][metric.lower()]
                drawn.append(mark(center + 18 * (index - (len(runs) - 1) / 2), value, interval, index))
                rows.append([metric, label, names[index], with_interval(value, interval), str(row["inputs"])])
    for index, name in enumerate(names):
        y = 274 + 20 * index
        drawn.append(f'{glyph(60, y, index)}<text x="74" y="{y + 4}">{html.escape(name)}</text>')
    drawn.append('<line x1="380" x2="416" y1="274" y2="274" class="ceiling"/>')
    drawn.append('<text x="424" y="278">ceiling of one answer per puzzle</text>')
    words = "Accuracy and coverage by the number of solutions that exist."
    figure = svg(690, 268 + 20 * max(1, len(names)), "".join(drawn), words)
    same = table(["Metric", "Solutions", "Run", "Value", "Puzzles"], rows, "Brackets: intervals of 95 %, over puzzles.")
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{words} Bars: 95 %.</figcaption></figure>"
        f"<details><summary>The same as a table ({len(rows)} rows)</summary>{same}</details>",
        "\n".join(" | ".join(row) for row in rows),
    )


def depth_width(cells: Sequence[Run], selector: str = "value") -> Block:
    """The share solved over depth and width (Fig. 4 left): tiles, thin lines between those of equal network calls.

    Args:
        cells: of `gram.grid`, every depth with every width.
        selector: how one answer of N is chosen.
    """
    at = {(cell["trajectories"], cell["supervision_steps"]): cell for cell in cells}
    widths, depths = (sorted(set(part)) for part in zip(*at, strict=True))
    solved = {place: cell["best_of_n"][selector] for place, cell in at.items()}
    rivals = {place: [solved[other] for other in at if math.prod(other) == math.prod(place)] for place in at}
    left, top, wide, high = 130, 44, 84, 40
    drawn = [f'<text x="{left}" y="16" class="title">supervision steps of each trajectory</text>']
    drawn += [
        f'<text x="{left + wide * (column + 0.5)}" y="36" text-anchor="middle">{depth}</text>'
        for column, depth in enumerate(depths)
    ]
    rows = []
    for row, width in enumerate(widths):
        y, label = top + high * row, f"{width} trajector{'y' if width == 1 else 'ies'}"
        drawn.append(f'<text x="{left - 10}" y="{y + 25}" text-anchor="end">{label}</text>')
        rows.append([label])
        for column, depth in enumerate(depths):
            x, place = left + wide * column, (width, depth)
            value, few = solved[place], len(rivals[place]) == 1
            star = "" if few or value < max(rivals[place]) else "★ "
            drawn.append(
                f'<rect x="{x + 1}" y="{y + 1}" width="{wide - 2}" height="{high - 2}" fill="{COLORS[0]}" '
                f'fill-opacity="{0.05 + 0.4 * value:.2f}"/><text x="{x + wide / 2}" y="{y + 25}" '
                f'text-anchor="middle">{star}{value:.2f}</text>'
            )
            below = (widths[row + 1], depths[column - 1]) if row + 1 < len(widths) and column else place
            if below != place and math.prod(below) == math.prod(place):
                drawn.append(
                    f'<line x1="{x + 14}" x2="{x - 14}" y1="{y + high - 7}" y2="{y + high + 7}" stroke="currentColor"/>'
                )
            rows[-1].append(star + _share(at[place], "best_of_n", selector))
    words = f"Share of boards solved, chosen by {selector}. ★: the best at equal network calls; equal ones share it."
    figure = svg(left + wide * len(depths) + 10, top + high * len(widths) + 10, "".join(drawn), words)
    same = table(["", *(f"{depth} steps" for depth in depths)], rows, "Brackets: intervals of 95 %, over puzzles.")
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{words}</figcaption></figure>"
        f"<details><summary>The same with intervals ({len(rows)} rows)</summary>{same}</details>",
        "\n".join(" | ".join(row) for row in rows),
    )


def budgets(rows: Sequence[Run], metric: str = "best by value") -> Block:
    """What the cells of a table of `gram.results()` solve, by network calls; equal trajectories are counted once."""
    cells = [(row["artifact"], cell) for row in rows for cell in row["cells"]]
    own = [
        (name, cell)
        for name, cell in cells
        if cell["calls"]["all"] == cell["trajectories"] * cell["calls"]["trajectory"]
    ]
    lines = [
        [
            f"{cell['calls']['all']:,.0f}",
            name,
            f"{cell['trajectories']} x {cell['supervision_steps']}",
            with_interval(cell["metrics"][metric]["value"], cell["metrics"][metric]["interval"]),
            f"{cell['inputs']:,}",
        ]
        for name, cell in sorted(own, key=lambda one: (one[1]["calls"]["all"], one[1]["trajectories"]))
    ]
    header = ["Network calls", "Model", "Trajectories x steps", metric[0].upper() + metric[1:], "Puzzles"]
    return Block(table(header, lines, "Brackets: intervals of 95 %."), "\n".join(" | ".join(line) for line in lines))


def compared(claim: Run) -> Block:
    """What each comparison of a claim of `gram.results()` says: by the difference of each puzzle where it was measured,
    else by the intervals of both sides."""
    said = []
    for pair in claim["compare"]:
        sides = (pair["better"], pair["than"])
        better, than = (f"{one['artifact']} {one['trajectories']} x {one['supervision_steps']}" for one in sides)
        if gap := pair.get("paired"):
            low, high = gap["interval"]
            words = f": {with_interval(gap['difference'], gap['interval'])} more, paired by puzzle"
        else:
            (least, most), (below, above) = (one["interval"] for one in sides)
            low, high, words = least - above, most - below, ", by intervals that were not paired"
        verdict = "more than" if low > 0 else "fewer than" if high < 0 else "about as many as"
        said.append(say(f"{better} solves {verdict} {than}, which costs the same{words}."))
    return together(*said)


def _at(run: Any, *path: str) -> Any:
    for name in path:
        run = run[name]
    return run


def _share(run: Run, *path: str) -> str:
    return with_interval(_at(run, *path), _at(run["intervals"], *path))


def _gap(difference: Run) -> str:
    return with_interval(difference["difference"], difference["interval"])


def _sign(difference: Run) -> int:
    """1 or -1 where the interval of a difference excludes 0, else 0."""
    low, high = difference["interval"]
    return int(low > 0) - int(high < 0)


def _one_answer(run: Run) -> bool:
    return bool(run["distinct"] == 1)
