"""What our notebooks say around the explorers: guesses, checks, intervals, tables, small figures, and the footer.

What is shown is a `Block`: HTML that reads the same in JupyterLab, in an offline report and to a screen reader, and
where a machine is to read on, data beside it. Figures are inline SVG of a few kilobytes, so that a report stays small.

Numbers: a share of independent answers carries a Wilson interval; whatever is summed over puzzles (coverage, and
accuracy too, because the samples of one puzzle are not independent) is bootstrapped over puzzles; two models are
compared on the same puzzles, paired. All intervals are 95 %. numpy and xarray only: nothing here loads torch.
"""

from __future__ import annotations

import contextlib
import html
import importlib.metadata
import json
import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gram.rollout import board_of, digest, need

METRICS = "application/vnd.gramviz.metrics+json"
PROVENANCE = "application/vnd.gramviz.provenance+json"


@dataclass(frozen=True)
class Block:
    """What a notebook shows: `html` for people, `data` (type -> JSON) for machines, `text` where there is no page."""

    html: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self.html, "text/plain": self.text, **self.data}


def say(text: str) -> Block:
    """A sentence printed from data: no number that a rerun can change stands in Markdown."""
    return Block(f"<p>{html.escape(text)}</p>", text)


def together(*blocks: Block) -> Block:
    """Several blocks under one another, as one output."""
    data = {kind: value for block in blocks for kind, value in block.data.items()}
    return Block("".join(block.html for block in blocks), "\n".join(block.text for block in blocks), data)


# Guesses and checks ---------------------------------------------------------------------------------------------------


def reveal(
    question: str,
    guess: float | None,
    truth: Estimate | float,
    unit: str = "",
    scale: tuple[float, float] | None = None,
) -> Block:
    """A guess and the truth in one picture: hollow diamond = guess, dot and bar = truth and its interval.

    Args:
        guess: None shows the truth alone, so that Run All and reports go through.
        scale: the ends of the axis; by default from 0 to a little beyond the larger of the two.
    """
    true = truth if isinstance(truth, Estimate) else Estimate(float(truth), float(truth), float(truth), 1)
    numbers = [true.low, true.high, *([] if guess is None else [float(guess)])]
    low, high = scale or (min(0.0, *numbers), max(1e-9, *numbers) * 1.15)
    unit = f" {unit}" if unit else ""
    shown = str(true) if true.high > true.low else _number(true.value)
    words = f"{question} Truth: {shown}{unit}."
    words += " No guess was made." if guess is None else f" Your guess: {_number(float(guess))}{unit}."

    def x(value: float) -> float:
        return 20 + 560 * (min(max(value, low), high) - low) / (high - low)

    marks = f'<line x1="{x(true.low):.1f}" x2="{x(true.high):.1f}" y1="24" y2="24" class="bar"/>'
    marks += f'<circle cx="{x(true.value):.1f}" cy="24" r="6" class="dot"/>'
    if guess is not None:
        at = x(float(guess))
        marks += f'<path d="M{at:.1f} 14 l9 10 l-9 10 l-9 -10 z" class="guess"/>'
    ends = f'<text x="20" y="58">{_number(low)}</text>'
    ends += f'<text x="580" y="58" text-anchor="end">{_number(high)}{html.escape(unit)}</text>'
    figure = _svg(600, 64, f'<line x1="20" x2="580" y1="40" y2="40" class="axis"/>{marks}{ends}', words)
    legend = "Dot: truth" + (", bar: 95 % interval" if true.high > true.low else "")
    legend += "." if guess is None else ", hollow diamond: your guess."
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{html.escape(words)} {legend}</figcaption></figure>", words
    )


def value(question: str, answer: float | None, truth: float, tolerance: float = 0.0, hint: str = "") -> Block:
    """Hold a number against the computed truth; a miss says on which side it lies, not what is right."""
    if answer is None:
        return _verdict(question, None)
    if abs(float(answer) - truth) <= tolerance:
        return _verdict(
            question,
            True,
            f"{_number(float(answer))} is right" + (f", within {_number(tolerance)}" if tolerance else "") + ".",
        )
    side = "high" if answer > truth else "low"
    return _verdict(question, False, f"{_number(float(answer))} is too {side}. {hint}")


def choose(question: str, answer: str | None, right: str, why: Mapping[str, str]) -> Block:
    """One of several; each choice, wrong or right, is answered with its reason.

    Raises:
        ValueError: `right` is not among the choices.
    """
    if right not in why:
        raise ValueError(f"the right choice {right!r} has no reason; choices: {', '.join(why)}")
    if answer is None:
        return _verdict(question, None)
    if answer not in why:
        return _verdict(question, False, f"{answer!r} is no choice; choose one of {', '.join(why)}.")
    return _verdict(question, answer == right, why[answer])


def find(question: str, answer: Any, accepted: Collection[Any], hint: str = "") -> Block:
    """Something found in the explorer, verified from the rollout; several finds may be right, or none exist."""
    if answer is None:
        return _verdict(question, None)
    if answer in accepted:
        more = len(accepted) - 1
        return _verdict(
            question, True, f"{answer} is right" + (f"; there are {more} more." if more else ", and the only one.")
        )
    return _verdict(
        question,
        False,
        f"{answer} is not one of them. {hint}" if accepted else f"There is none here, so {answer} cannot be one.",
    )


def _verdict(question: str, right: bool | None, words: str = "") -> Block:
    """✓, ✗ or ○ before the word that says the same."""
    mark, state = {True: ("✓", "Yes"), False: ("✗", "Not yet"), None: ("○", "Not tried yet")}[right]
    words = f": {words.strip()}" if words else "."
    shown = f"{html.escape(question)} <strong>{state}</strong>{html.escape(words)}"
    return Block(f"<p><span aria-hidden='true'>{mark}</span> {shown}</p>", f"{question} {state}{words}")


# Numbers with intervals -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval and the count n that it rests on."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{_number(self.value)} [{_number(self.low)}, {_number(self.high)}]"


def wilson(successes: float, n: int) -> Estimate:
    """A share of n independent answers with its Wilson interval (Wilson 1927), which stays within [0, 1] at the ends.

    Raises:
        ValueError: no answers, or more successes than answers.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} is no share; n must be at least 1 and hold the successes")
    z, p = 1.959963984540054, successes / n
    centre, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)
    # At the ends the formula gives 0 and 1 but for rounding.
    return Estimate(p, 0.0 if successes == 0 else low, 1.0 if successes == n else high, n)


def ratio(part: ArrayLike, whole: ArrayLike, *, draws: int = 4000, seed: int = 0) -> Estimate:
    """sum(part) / sum(whole) over puzzles with a bootstrap interval over puzzles: percentiles of `draws` resamples."""
    a, b = np.asarray(part, float), np.asarray(whole, float)
    return _percentiles(_resampled(a, b, draws, seed), float(a.sum() / b.sum()), len(a))


def difference(part: ArrayLike, other: ArrayLike, whole: ArrayLike, *, draws: int = 4000, seed: int = 0) -> Estimate:
    """ratio(part, whole) - ratio(other, whole) on the same puzzles, paired: each resample takes both models' values."""
    gap, b = np.asarray(part, float) - np.asarray(other, float), np.asarray(whole, float)
    return _percentiles(_resampled(gap, b, draws, seed), float(gap.sum() / b.sum()), len(gap))


def _resampled(a: NDArray[np.float64], b: NDArray[np.float64], draws: int, seed: int) -> NDArray[np.float64]:
    if a.shape != b.shape or a.ndim != 1 or len(a) == 0:
        raise ValueError(f"one number per puzzle is needed on both sides; got shapes {a.shape} and {b.shape}")
    # How often each puzzle is drawn, [draw, puzzle]: the resample without the copies.
    counts = np.random.default_rng(seed).multinomial(len(a), np.full(len(a), 1 / len(a)), size=draws)
    return (counts @ a) / (counts @ b)


def _percentiles(draws: NDArray[np.float64], value: float, n: int) -> Estimate:
    low, high = np.quantile(draws, (0.025, 0.975))
    return Estimate(value, float(min(low, value)), float(max(high, value)), n)


def _number(value: float) -> str:
    """A number as it is read: whole ones bare, others with three digits that matter."""
    if value == round(value) and abs(value) < 1e6:
        return str(round(value))
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


# A checkpoint's results -----------------------------------------------------------------------------------------------

# Table 1 of the paper (20 samples, boards with several solutions): accuracy and coverage as shares.
PAPER: dict[tuple[str, int], dict[str, tuple[float, float]]] = {
    ("nqueens", 8): {"gram": (0.997, 0.903), "trm": (0.668, 0.361)},
    ("nqueens", 10): {"gram": (0.897, 0.575), "trm": (0.175, 0.020)},
}
PAPER_SAMPLES = 20


@dataclass(frozen=True)
class Scores:
    """What N samples of each puzzle came to; every field is one number per puzzle, [puzzle].

    Attributes:
        name: what a reader calls this run.
        samples: N.
        known: how many solutions exist.
        valid: share of the samples that obey every rule and keep the givens.
        found: distinct valid solutions among the samples.
        majority, value, oracle: whether the answer chosen in this way is valid (the oracle is a bound, not a method).
        steps: mean supervision steps that a sample took.
    """

    name: str
    samples: int
    known: NDArray[np.int64]
    valid: NDArray[np.float64]
    found: NDArray[np.int64]
    majority: NDArray[np.bool_]
    value: NDArray[np.bool_]
    oracle: NDArray[np.bool_]
    steps: NDArray[np.float64]

    @property
    def accuracy(self) -> Estimate:
        """Share of valid samples; a puzzle weighs as much as it has solutions (the protocol of `gram.evaluate`)."""
        return ratio(self.valid * self.known, self.known)

    @property
    def coverage(self) -> Estimate:
        """Distinct solutions found over solutions that exist, both summed over puzzles."""
        return ratio(self.found, self.known)

    @property
    def ceiling(self) -> float:
        """The best coverage of a model that gives one answer per puzzle: puzzles over solutions."""
        return float(len(self.known) / self.known.sum())


class Answers(Protocol):
    """What `gram.evaluate.answer` returns, as far as it is read here."""

    @property
    def tokens(self) -> NDArray[Any]:
        """Final answers [puzzle, trajectory, position]."""

    @property
    def value(self) -> NDArray[Any]:
        """The model's own estimate that each is right [puzzle, trajectory]."""

    @property
    def depth(self) -> NDArray[Any]:
        """Supervision steps taken [puzzle, trajectory]."""


def scores(
    name: str, answers: Answers, valid: NDArray[np.bool_], known: NDArray[np.integer], samples: int | None = None
) -> Scores:
    """Scores per puzzle from the final answers of a run.

    Args:
        valid: which answers are right [puzzle, trajectory].
        known: solutions that exist [puzzle].
        samples: look only at the first so many trajectories (they are the same however many are drawn).
    Raises:
        ValueError: the shapes do not fit.
    """
    tokens, value, steps = answers.tokens, answers.value, answers.depth
    if tokens.ndim != 3 or {valid.shape, value.shape, steps.shape} != {tokens.shape[:2]} or len(known) != len(tokens):
        shapes = ", ".join(str(array.shape) for array in (tokens, valid, value, steps, known))
        raise ValueError(
            f"tokens, valid, value, depth and known have shapes {shapes}; their puzzles and samples differ"
        )
    cut = slice(samples)
    tokens, valid, value, steps = tokens[:, cut], valid[:, cut], value[:, cut], steps[:, cut]
    found, majority = [], []
    for boards, right in zip(tokens, valid, strict=True):
        _, first, which, counts = np.unique(boards, axis=0, return_index=True, return_inverse=True, return_counts=True)
        found.append(len(np.unique(which.reshape(-1)[right])))
        # A tie goes to the answer that was drawn first.
        majority.append(right[first[counts == counts.max()].min()])
    best = value.argmax(1)
    return Scores(
        name=name,
        samples=tokens.shape[1],
        known=known.astype(np.int64),
        valid=valid.mean(1),
        found=np.array(found, dtype=np.int64),
        majority=np.array(majority, dtype=bool),
        value=np.take_along_axis(valid, best[:, None], 1)[:, 0],
        oracle=np.asarray(valid.any(1)),
        steps=steps.mean(1),
    )


def telling(result: Scores) -> dict[str, int]:
    """Three puzzles to look at, by the rule of `TELLING`: indices of a typical, the best and the worst one."""
    covered = result.found / result.known
    middle = np.median(covered)
    order = {
        "typical": np.lexsort(
            (-result.known, np.abs(result.valid - np.median(result.valid)), np.abs(covered - middle))
        ),
        "best": np.lexsort((-result.known, -result.valid, -covered)),
        "worst": np.lexsort((-result.known, covered, result.valid)),
    }
    return {name: int(indices[0]) for name, indices in order.items()}


TELLING = (
    "Typical: the share of solutions found is nearest to the median puzzle's (then the share of valid samples). "
    "Best: most of its solutions found (then most valid samples). Worst: fewest valid samples (then fewest solutions "
    "found). Ties go to the puzzle with more solutions, then to the lower index."
)


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
            f" {reference.name} gives one answer per puzzle, so it cannot cover more than {_number(reference.ceiling)}."
        )
    return Block(_table(header, rows, note), "\n".join(" | ".join(row) for row in rows), {METRICS: machine})


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
    figure = _svg(690, 268 + 20 * max(1, len(names)), "".join(drawn), words)
    table = _table(["Metric", "Solutions", "Run", "Value", "Puzzles"], rows, "Brackets: 95 %, bootstrap over puzzles.")
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{words} Bars: 95 %.</figcaption></figure>"
        f"<details><summary>The same as a table ({len(rows)} rows)</summary>{table}</details>",
        "\n".join(" | ".join(row) for row in rows),
    )


def _inside(known: NDArray[np.integer], low: int, high: int | None) -> NDArray[np.bool_]:
    return np.asarray((known >= low) & (known <= (np.iinfo(np.int64).max if high is None else high)))


# Rollouts -------------------------------------------------------------------------------------------------------------


def undated(rollout: xr.Dataset) -> xr.Dataset:
    """The rollout without the time of its making, so that equal runs freeze into equal pages."""
    return rollout.assign_attrs(created_at="")


def endings(rollout: xr.Dataset, puzzle: int = 0) -> Block:
    """What the paths of one puzzle came to, in a sentence: valid ones, distinct solutions, those that exist."""
    one = rollout.isel(puzzle=puzzle)
    tokens = one["tokens"].values[:, -1]
    valid = need(rollout, "valid").values[puzzle, :, -1]
    paths, boards = len(tokens), distinct(rollout, puzzle)
    found = len(np.unique(tokens[valid], axis=0)) if valid.any() else 0
    known = f" of the {int(one['solutions_known'])} solutions that exist" if "solutions_known" in one else " solutions"
    name = rollout.attrs.get("name") or rollout.attrs["model"]
    plural = "path ends" if paths == 1 else "paths end"
    return say(
        f"{name}: {paths} {plural} on {boards} different board{'s' * (boards != 1)}; {int(valid.sum())} of {paths} "
        f"{'is' if paths == 1 else 'are'} valid, which gives {found}{known}."
    )


def distinct(rollout: xr.Dataset, puzzle: int = 0) -> int:
    """On how many different boards the paths of one puzzle end."""
    return len(np.unique(rollout["tokens"].values[puzzle, :, -1], axis=0))


def first_valid(rollout: xr.Dataset) -> NDArray[np.int64]:
    """The supervision step at which each path is valid for the first time, or -1 [puzzle, trajectory]."""
    valid = need(rollout, "valid").values
    return np.where(valid.any(-1), rollout["supervision_step"].values[valid.argmax(-1)], -1)


def busiest(rollout: xr.Dataset, puzzle: int = 0, trajectory: int = 0, least: int = 3) -> list[int]:
    """The supervision steps within which at least `least` cells of a path change."""
    tokens = rollout["tokens"].values[puzzle, trajectory]
    clock = rollout["supervision_step"].values
    ends = np.flatnonzero(np.append(clock[1:] != clock[:-1], True))
    moved = (tokens[ends[1:]] != tokens[ends[:-1]]).sum(1)
    return [int(step) for step in clock[ends[1:]][moved >= least]]


# What a notebook needs around its cells -------------------------------------------------------------------------------

# `scale` picks sizes from this one table; it never decides which cell runs. (trajectories, supervision steps, puzzles)
SCALES = {"debug": (4, 3, 3), "lesson": (50, 16, 20), "full": (50, 32, 200)}


@dataclass(frozen=True)
class Size:
    """How much a notebook does at a scale."""

    trajectories: int
    supervision_steps: int
    puzzles: int


def size(scale: str) -> Size:
    """The sizes of a scale.

    Raises:
        ValueError: unknown scale; the message lists the known ones.
    """
    if scale not in SCALES:
        raise ValueError(f"unknown scale {scale!r}; known: {', '.join(SCALES)}")
    return Size(*SCALES[scale])


def banner(scale: str) -> Block:
    """Says that the numbers of a debug run mean nothing; empty at other scales."""
    if scale != "debug":
        return Block("", "")
    text = "Debug run: models and sizes are tiny, and the numbers mean nothing."
    return Block(f"<p role='note' class='gram-headline'><strong>{text}</strong></p>", text)


def held_out(known: ArrayLike, least: int = 2, up_to: int = 0, most: int = 0) -> NDArray[np.int64]:
    """Indices of the puzzles with `least` solutions or more (of all, if none has), evenly thinned to `most` of them.

    Args:
        known: solutions that exist [puzzle].
        up_to: leave out puzzles with more solutions than this; 0 leaves none out.
        most: 0 keeps all.
    Raises:
        ValueError: `most` is negative.
    """
    if most < 0:
        raise ValueError(f"puzzles is {most}; it must be at least 1, or 0 for all")
    counts = np.asarray(known)
    fits = (counts >= least) & ((counts <= up_to) | (up_to == 0))
    chosen = np.flatnonzero(fits) if fits.any() else np.arange(len(counts))
    if 0 < most < len(chosen):
        chosen = chosen[np.linspace(0, len(chosen) - 1, most).round().astype(int)]
    return chosen


def at_least(least: int, **values: int) -> None:
    """Nothing, if every value is large enough.

    Raises:
        ValueError: names the first parameter that is too small.
    """
    for name, value in values.items():
        if value < least:
            raise ValueError(f"{name} is {value}; it must be at least {least}")


def comparable(first: Any, second: Any) -> None:
    """Nothing, if two checkpoints were made for the same puzzles (their `config.task` are equal).

    Raises:
        ValueError: they were not; a difference between them would mean nothing.
    """
    if first.config.task != second.config.task:
        raise ValueError(
            f"{first.name} and {second.name} were made for different puzzles ({first.config.task} and "
            f"{second.config.task}); choose a reference of the same task, or none with -p reference="
        )


def settings(**values: Any) -> Block:
    """The parameters of this run as a table of names and values."""
    rows = [[name.replace("_", " "), str(value) if value != "" else "(none)"] for name, value in values.items()]
    return Block(_table(["Parameter", "Value"], rows, ""), "\n".join(" = ".join(row) for row in rows))


def dots(question: str, values: ArrayLike, never: int = -1) -> Block:
    """Whole numbers as a strip of stacked dots with their median; the value `never` is counted apart."""
    all_values = np.asarray(values)
    seen = all_values[all_values != never]
    missing = len(all_values) - len(seen)
    if not len(seen):
        return say(f"{question} None of {len(all_values)} ever did.")
    low, high, middle = int(seen.min()), int(seen.max()), float(np.median(seen))
    last = max(high, low + 1)
    stacks = [int((seen == column).sum()) for column in range(low, last + 1)]
    gap = min(12.0, 110 / max(stacks))

    def x(column: float) -> float:
        return 30 + 540 * (column - low) / (last - low)

    marks = [
        f'<circle cx="{x(low + column):.1f}" cy="{126 - gap * at:.1f}" r="{0.42 * gap:.1f}" class="dot"/>'
        for column, stack in enumerate(stacks)
        for at in range(stack)
    ]
    marks += [f'<text x="{x(c):.1f}" y="152" text-anchor="middle">{c}</text>' for c in {low, high, round(middle)}]
    marks.append(f'<line x1="{x(middle):.1f}" x2="{x(middle):.1f}" y1="8" y2="134" class="ceiling"/>')
    words = f"{question} Median {_number(middle)}, from {low} to {high}, over {len(seen)} of {len(all_values)}"
    words += f"; {missing} never did." if missing else "."
    figure = _svg(600, 160, '<line x1="20" x2="580" y1="134" y2="134" class="axis"/>' + "".join(sorted(marks)), words)
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{words} Dashed: median.</figcaption></figure>", words
    )


# Small figures and tables ---------------------------------------------------------------------------------------------

# Okabe-Ito: told apart by people who see no red or green, and each with a mark of its own.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
# A style in inline SVG holds for the whole page, so each rule is bound to our figures.
_SVG_STYLE = "".join(
    f".gram-svg {rule}"
    for rule in (
        "text{font:13px system-ui,sans-serif;fill:currentColor}",
        ".title{font-weight:600}",
        ":is(.axis,.grid){stroke:currentColor;opacity:.25}",
        f".bar{{stroke:{_COLOURS[0]};stroke-width:3}}",
        f".dot{{fill:{_COLOURS[0]}}}",
        f".guess{{fill:none;stroke:{_COLOURS[1]};stroke-width:2.5}}",
        ".ceiling{stroke:currentColor;stroke-width:1.5;stroke-dasharray:5 4}",
    )
)


def _svg(width: int, height: int, body: str, words: str) -> str:
    return (
        f'<svg class="gram-svg" viewBox="0 0 {width} {height}" width="{width}" style="max-width:100%;height:auto" '
        f'role="img" aria-label="{html.escape(words, quote=True)}"><style>{_SVG_STYLE}</style>{body}</svg>'
    )


def _y(share: float) -> float:
    return round(210 - 180 * share, 1)


def _glyph(x: float, y: float, index: int) -> str:
    """Circle, square, triangle, diamond: the run is told by shape as well as by colour."""
    colour = _COLOURS[index % len(_COLOURS)]
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5"',
        f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"',
        f'<path d="M{x:.1f} {y - 6:.1f} l6 11 h-12 z"',
        f'<path d="M{x:.1f} {y - 7:.1f} l7 7 l-7 7 l-7 -7 z"',
    )
    return f'{shapes[index % len(shapes)]} fill="{colour}"/>'


def _mark(x: float, estimate: Estimate, index: int) -> str:
    low, high, colour = _y(estimate.low), _y(estimate.high), _COLOURS[index % len(_COLOURS)]
    bar = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low}" y2="{high}" stroke="{colour}" stroke-width="2"/>'
    return bar + _glyph(x, _y(estimate.value), index)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], note: str) -> str:
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    told = f"<p><small>{html.escape(note.strip())}</small></p>" if note else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{told}"


# Provenance -----------------------------------------------------------------------------------------------------------

PACKAGES = (
    *("gram-explorer", "torch", "lightning-fabric", "numpy", "xarray", "scikit-learn", "matplotlib", "plotly"),
    *("anywidget", "ipywidgets", "ipykernel", "papermill", "nbconvert"),
)
_BEGIN = "<!-- gram-provenance begins: the only part in which equal runs differ -->"
_END = "<!-- gram-provenance ends -->"


def footer(*rollouts: xr.Dataset, **more: Any) -> Block:
    """The provenance footer of a notebook: what ran, on which checkpoints and rollouts; `gramviz report` adds the rest.

    Args:
        more: anything else that the result depends on, such as `seed` or `scale`; JSON types.
    """
    named = [(str(rollout.attrs.get("name", rollout.attrs["model"])), rollout) for rollout in rollouts]
    record: dict[str, Any] = {
        **more,
        "checkpoints": {name: str(rollout.attrs.get("checkpoint", "unknown")) for name, rollout in named},
        "rollouts": [
            {
                "name": name,
                "board": board_of(rollout).title,
                "seed": int(rollout.attrs["seed"]),
                "sha256": digest(rollout),
            }
            for name, rollout in named
        ],
        **device(),
    }
    live = environment() | record
    return Block(provenance_html(live), json.dumps(live, indent=2, sort_keys=True), {PROVENANCE: record})


def environment() -> dict[str, Any]:
    """What ran, where: the commit of this source, Python, the platform, processors, package versions."""
    packages = {}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            packages[name] = importlib.metadata.version(name)
    commit = _git("rev-parse", "HEAD")
    return {
        "commit": commit or "unknown",
        "dirty": bool(_git("status", "--porcelain", "-uno")) if commit else None,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "packages": packages,
    }


def device() -> dict[str, Any]:
    """Device and threads of torch, if this process has loaded it; asking does not load it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    gpu = torch.cuda.is_available()
    return {"device": torch.cuda.get_device_name() if gpu else "cpu", "threads": torch.get_num_threads()}


def _git(*arguments: str) -> str:
    here = str(Path(__file__).parent)
    try:
        done = subprocess.run(["git", "-C", here, *arguments], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):  # no git, or no repository: the record says "unknown"
        return ""
    return done.stdout.strip()


def provenance_html(record: Mapping[str, Any], log: str = "") -> str:
    """A record for people (a table) and for machines (`<script id="gram-provenance">`), between two marks."""

    def text(value: Any) -> str:
        if isinstance(value, Mapping):
            return "<br>".join(f"{html.escape(str(key))} <code>{text(entry)}</code>" for key, entry in value.items())
        if isinstance(value, list | tuple):
            lines = [
                ", ".join(map(str, entry.values())) if isinstance(entry, Mapping) else str(entry) for entry in value
            ]
            return "<br>".join(map(html.escape, lines)) or "none"
        if isinstance(value, bool) or value is None:
            return {True: "yes", False: "no", None: "unknown"}[value]
        return html.escape(str(value)) or "(empty)"

    shown = {key: value for key, value in record.items() if key not in ("command", "changed")}
    rows = "".join(
        f'<tr><th scope="row">{html.escape(key.replace("_", " "))}</th><td>{text(value)}</td></tr>'
        for key, value in shown.items()
    )
    command = record.get("command")
    rerun = f"<p>To run it again:</p><pre><code>{html.escape(command)}</code></pre>" if command else ""
    lines = len(log.splitlines())
    folded = f"<details><summary>Log of the run ({lines} lines)</summary><pre>{html.escape(log)}</pre></details>"
    # `</script>` inside a JSON text would end the element; `\u003c` means the same to every JSON reader.
    machine = json.dumps(record, sort_keys=True).replace("<", "\\u003c")
    return (
        f'{_BEGIN}<section class="gram-provenance" aria-label="Provenance">{rerun}'
        f"<table><tbody>{rows}</tbody></table>{folded if log else ''}"
        f'<script type="application/json" id="gram-provenance">{machine}</script></section>{_END}'
    )


def without_provenance(text: str) -> str:
    """A page without its provenance block; the pages of equal runs are equal in what remains."""
    return re.sub(re.escape(_BEGIN) + ".*?" + re.escape(_END), "", text, flags=re.DOTALL)
