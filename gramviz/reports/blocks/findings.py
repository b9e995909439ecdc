"""A checkpoint's results in words, as a table beside the paper's, and by the number of solutions that exist."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gramviz.reports.blocks.block import COLOURS, METRICS, Block, number, say, svg, table
from gramviz.reports.blocks.estimates import Estimate, difference, ratio
from gramviz.reports.blocks.scoring import Scores

# Table 1 of the paper (20 samples, boards with several solutions): accuracy and coverage as shares.
PAPER: dict[tuple[str, int], dict[str, tuple[float, float]]] = {
    ("nqueens", 8): {"gram": (0.997, 0.903), "trm": (0.668, 0.361)},
    ("nqueens", 10): {"gram": (0.897, 0.575), "trm": (0.175, 0.020)},
}
PAPER_SAMPLES = 20


def headline(result: Scores, reference: Scores | None = None) -> Block:
    """The result in one sentence, with intervals; it says the opposite when the data do."""
    text = (
        f"{result.name}: accuracy {result.accuracy}, coverage {result.coverage}, from {result.samples} samples of each "
        f"of {len(result.known)} held-out puzzles."
    )
    if reference is not None:
        gap = difference(result.found, reference.found, result.known)
        how = "more" if gap.low > 0 else "fewer" if gap.high < 0 else "about as many"
        text += f" It finds {how} of the solutions {'as' if how == 'about as many' else 'than'} {reference.name} "
        text += (
            f"({reference.coverage}): a difference of {gap}{'' if gap.low > 0 or gap.high < 0 else ', within noise'}."
        )
    return Block(f"<p class='gram-headline'><strong>{html.escape(text)}</strong></p>", text)


# Name -> the part of a run's solutions that it counts, [puzzle]; each is read as part / solutions that exist.
_METRICS: dict[str, Callable[[Scores], NDArray[np.float64]]] = {
    "Accuracy": lambda run: run.valid * run.known,
    "Coverage": lambda run: run.found.astype(float),
    "Best of N by vote": lambda run: run.majority * run.known.astype(float),
    "Best of N by value head": lambda run: run.value * run.known.astype(float),
    "Any of N right": lambda run: run.oracle * run.known.astype(float),
}


def results(result: Scores, reference: Scores | None, task: str, size: int) -> Block:
    """The table of results: this run, the reference, the paired difference, the paper; and the numbers as `METRICS`.

    Args:
        task, size: registered task and board size, which choose the paper's row.
    """
    runs = [run for run in (result, reference) if run is not None]
    header = ["Metric", *(run.name for run in runs), *(["Difference"] if reference else []), "Paper, Table 1"]
    rows: list[list[str]] = []
    kept: dict[str, dict[str, Any]] = {run.name: {"samples": run.samples} for run in runs}
    for metric, part in _METRICS.items():
        estimates = [ratio(part(run), run.known) for run in runs]
        row = [metric + (" (a bound, not a method)" if metric == "Any of N right" else ""), *map(str, estimates)]
        if reference:
            gap = difference(part(result), part(reference), result.known)
            row.append(f"{'▲' if gap.low > 0 else '▼' if gap.high < 0 else '○'} {gap}")
        rows.append([*row, _published(task, size, metric, result.samples)])
        for run, estimate in zip(runs, estimates, strict=True):
            key = metric.lower().replace(" ", "_")
            kept[run.name][key] = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    rows.append(
        ["Supervision steps taken", *(f"{run.steps.mean():.1f}" for run in runs), *([""] if reference else []), ""]
    )
    machine = {"puzzles": len(result.known), "solutions": int(result.known.sum()), "runs": kept}
    note = (
        f"{len(result.known)} puzzles with {int(result.known.sum())} solutions; samples of each: "
        f"{', '.join(f'{run.samples} ({run.name})' for run in runs)}. Brackets: 95 %, bootstrap over puzzles; a puzzle "
        "weighs as much as it has solutions. "
    )
    note += (
        "Difference on the same puzzles, paired: ▲ better, ▼ worse, ○ within noise."
        if reference
        else "No reference given."
    )
    if reference and reference.samples == 1:
        note += (
            f" {reference.name} gives one answer per puzzle, so it cannot cover more than {number(reference.ceiling)}."
        )
    return Block(table(header, rows, note), "\n".join(" | ".join(row) for row in rows), {METRICS: machine})


def width(few: Scores, many: Scores) -> Block:
    """What more samples of the same puzzles add, in a sentence."""
    if few.samples >= many.samples:
        return say(f"{many.samples} samples of each puzzle were drawn, so there is no wider run to compare with.")
    gap = difference(many.found, few.found, many.known)
    return say(
        f"With all {many.samples} samples of each puzzle instead of {few.samples}, coverage is {many.coverage}: a "
        f"difference of {gap}."
    )


def _published(task: str, size: int, metric: str, samples: int) -> str:
    """The paper's figures for a metric, where ours may stand beside them: its coverage is that of 20 samples."""
    place = ("Accuracy", "Coverage").index(metric) if metric in ("Accuracy", "Coverage") else None
    row = PAPER.get((task, size))
    if row is None or place is None or (place == 1 and samples != PAPER_SAMPLES):
        return ""
    return ", ".join(f"{model.upper()} {figures[place]:.3f}" for model, figures in row.items())


_BINS = ((1, 1), (2, 2), (3, 4), (5, 9), (10, None))


def by_solutions(*runs: Scores) -> Block:
    """Accuracy and coverage by the number of solutions that exist, as figure (Fig. 4 right, Fig. 15) and as table."""
    names = [run.name + (" (one answer)" if run.samples == 1 else f" ({run.samples} samples)") for run in runs]
    bins = [(low, high) for low, high in _BINS if _inside(runs[0].known, low, high).any()]
    labels = [str(low) if low == high else f"{low}+" if high is None else f"{low} to {high}" for low, high in bins]
    drawn, rows = [], []
    for panel, metric in enumerate(("Accuracy", "Coverage")):
        left, width = 50 + panel * 330, 270
        drawn.append(f'<text x="{left}" y="16" class="title">{metric}</text>')
        for tick in (0.0, 0.5, 1.0):
            drawn.append(f'<line x1="{left}" x2="{left + width}" y1="{_y(tick)}" y2="{_y(tick)}" class="grid"/>')
            drawn.append(f'<text x="{left - 6}" y="{_y(tick) + 4}" text-anchor="end">{tick:g}</text>')
        for column, (low, high) in enumerate(bins):
            centre = left + width * (column + 0.5) / len(bins)
            inside = _inside(runs[0].known, low, high)
            drawn.append(f'<text x="{centre:.0f}" y="228" text-anchor="middle">{labels[column]}</text>')
            if metric == "Coverage":
                top, half = _y(inside.sum() / runs[0].known[inside].sum()), 0.42 * width / len(bins)
                drawn.append(
                    f'<line x1="{centre - half:.0f}" x2="{centre + half:.0f}" y1="{top}" y2="{top}" class="ceiling"/>'
                )
            for index, run in enumerate(runs):
                estimate = ratio(_METRICS[metric](run)[inside], run.known[inside])
                drawn.append(_mark(centre + 18 * (index - (len(runs) - 1) / 2), estimate, index))
                rows.append([metric, labels[column], names[index], str(estimate), str(estimate.n)])
        drawn.append(f'<text x="{left + width / 2}" y="248" text-anchor="middle">solutions that exist</text>')
    for index, name in enumerate(names):
        drawn.append(
            f'{_glyph(60, 274 + 20 * index, index)}<text x="74" y="{278 + 20 * index}">{html.escape(name)}</text>'
        )
    drawn.append('<line x1="380" x2="416" y1="274" y2="274" class="ceiling"/>')
    drawn.append('<text x="424" y="278">ceiling of one answer per puzzle</text>')
    words = "Accuracy and coverage by the number of solutions that exist."
    figure = svg(690, 268 + 20 * max(1, len(names)), "".join(drawn), words)
    header = ["Metric", "Solutions", "Run", "Value", "Puzzles"]
    same = table(header, rows, "Brackets: 95 %, bootstrap over puzzles.")
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{words} Bars: 95 %.</figcaption></figure>"
        f"<details><summary>The same as a table ({len(rows)} rows)</summary>{same}</details>",
        "\n".join(" | ".join(row) for row in rows),
    )


def _inside(known: NDArray[np.integer], low: int, high: int | None) -> NDArray[np.bool_]:
    return np.asarray((known >= low) & (known <= (np.iinfo(np.int64).max if high is None else high)))


def _y(share: float) -> float:
    return round(210 - 180 * share, 1)


def _glyph(x: float, y: float, index: int) -> str:
    """Circle, square, triangle, diamond: the run is told by shape as well as by colour."""
    colour = COLOURS[index % len(COLOURS)]
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5"',
        f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"',
        f'<path d="M{x:.1f} {y - 6:.1f} l6 11 h-12 z"',
        f'<path d="M{x:.1f} {y - 7:.1f} l7 7 l-7 7 l-7 -7 z"',
    )
    return f'{shapes[index % len(shapes)]} fill="{colour}"/>'


def _mark(x: float, estimate: Estimate, index: int) -> str:
    low, high, colour = _y(estimate.low), _y(estimate.high), COLOURS[index % len(COLOURS)]
    bar = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low}" y2="{high}" stroke="{colour}" stroke-width="2"/>'
    return bar + _glyph(x, _y(estimate.value), index)
