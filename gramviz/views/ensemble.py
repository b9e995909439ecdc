"""The ensemble: which trajectory reached which answer, and when.

One row per trajectory, sorted by its final answer and then by the time it got there. A row is thick, in the color of
its outcome, while the trajectory shows the answer that it ends with; thin while it shows the final answer of another
trajectory; a hairline while it shows none of them. The height of a group is its number of trajectories, so the picture
is also the vote: the largest group is the majority's answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import board_of
from gramviz import measure
from gramviz.theme import LABEL, NOTE, Palette, outcome_mark, palette
from gramviz.views.parts import (
    LISTED,
    Margins,
    address,
    at_end,
    beside,
    figure,
    heading,
    line,
    note,
    now_line,
    outcome_keys,
    plural,
    series_name,
    step_axis,
)
from gramviz.views.registry import LETTERS, Cursor, view

_WIDTH, _MARGINS = 472, Margins(left=52, right=236, top=92, bottom=88)  # px
_SHOWN = 8  # groups with a label of their own; the rest is "others"
_GAP = 1.4  # rows between two groups


@dataclass(frozen=True)
class _Row:
    series: int
    trajectory: int
    answer: int
    since: int  # first state from which the trajectory shows its answer to the end


@dataclass(frozen=True)
class _Span:
    """A stretch of states, from `begin` to `end`, in which a row shows one of the final answers."""

    row: _Row
    level: float
    begin: int
    end: int
    answer: int


@view("Answers", many=True)
def draw(rollouts: list[xr.Dataset], at: Cursor = Cursor(), theme: str = "light") -> go.Figure:  # noqa: B008
    """Every trajectory over time, grouped by the answer it ends with; the cursor's trajectory of series A is marked in
    ink."""
    colors = palette(theme)
    states = [measure.ends(one) for one in rollouts]
    answers = measure.answers(states, at.puzzle)
    rows = _rows(answers)
    steps = max(one.sizes["step"] for one in states)
    level, groups = _levels(rows)
    pitch = float(np.clip(520 / (level[-1] + 1), 3, 26))  # px per row
    least = 19 * (min(len(groups), _SHOWN) + 1)  # room for the labels
    inner = round(max(pitch * (level[-1] + 1), least))
    drawn = figure(theme, _WIDTH, inner, _MARGINS)
    x = np.array([[-0.5, states[row.series].sizes["step"] - 0.5, np.nan] for row in rows]).ravel()
    line(drawn, x, np.repeat(level, 3), "no answer yet", {"color": colors.line, "width": 1})
    kinds = [measure.outcome(one).values[at.puzzle] for one in states]
    _rows_of_bars(drawn, rows, level, answers, kinds, states, inner / (float(level[-1]) + 1.6), colors)
    _labels(drawn, groups, level, rows, answers, kinds, colors, inner)
    chosen = next(k for k, row in enumerate(rows) if (row.series, row.trajectory) == (0, at.trajectory))
    note(
        drawn, 0, level[chosen], f"#{at.trajectory} ▶", colors.ink, NOTE,
        xref="paper", yref="y", xanchor="right", xshift=-2, align="right", name="chosen",
    )  # fmt: skip
    now_line(drawn, at_end(rollouts[0], at.step), {"color": colors.ink, "width": 1.4}, xref="x")
    longest = max(states, key=lambda one: one.sizes["step"])
    drawn.update_xaxes(**step_axis(longest, -0.5, steps - 0.5, showline=True))
    drawn.update_yaxes(range=[level[-1] + 0.8, -0.8], visible=False)
    total = " and ".join(plural(one.sizes["trajectory"], f"{series_name(one)} trajectory") for one in rollouts)
    heading(
        drawn,
        f"Answers, {address(rollouts[0], at.step)}",
        f"{total} of {board_of(rollouts[0]).title}. Bar: it shows its final answer; thin: that of another trajectory",
        _found(rollouts[0], answers, at.puzzle),
    )
    return drawn


def _rows(answers: measure.Answers) -> list[_Row]:
    """The trajectories of all series, grouped by answer, in each group those first that reach it first."""
    rows = [
        _Row(series, trajectory, int(answer), _since(answers.at[series].values[trajectory]))
        for series, final in enumerate(answers.final)
        for trajectory, answer in enumerate(final.values)
    ]
    return sorted(rows, key=lambda row: (row.answer, row.series, row.since, row.trajectory))


def _rows_of_bars(
    drawn: go.Figure,
    rows: list[_Row],
    level: NDArray[np.float64],
    answers: measure.Answers,
    kinds: list[NDArray[np.integer]],
    states: list[xr.Dataset],
    height: float,
    colors: Palette,
) -> None:
    """What each row shows when, in rows of this many px; and the legend of the outcomes."""
    spans = [
        _Span(row, y, begin, end, answer)
        for y, row in zip(level, rows, strict=True)
        for begin, end, answer in _segments(answers.at[row.series].values[row.trajectory])
    ]
    letters = [answer.letter for answer in answers.found]
    others = [span for span in spans if span.answer != span.row.answer]
    _bars(drawn, others, letters, "other answer", states, max(1.0, 0.26 * height), colors.text3)
    codes = np.concatenate(kinds)
    for code in LISTED:
        mark = outcome_mark(code, colors.name)
        own = [s for s in spans if s.answer == s.row.answer and kinds[s.row.series][s.row.trajectory] == code]
        _bars(drawn, own, letters, mark.word, states, max(1.5, 0.74 * height), mark.color)
        outcome_keys(drawn, codes, colors.name, [code])


def _since(shown: NDArray[np.integer]) -> int:
    other = np.flatnonzero(shown != shown[-1])
    return int(other[-1]) + 1 if len(other) else 0


def _levels(rows: list[_Row]) -> tuple[NDArray[np.float64], list[list[int]]]:
    """Where each row stands, with a gap between answers; and the rows of each answer."""
    groups: list[list[int]] = []
    for k, row in enumerate(rows):
        if not k or rows[k - 1].answer != row.answer:
            groups.append([])
        groups[-1].append(k)
    gaps = np.array([k for k, group in enumerate(groups) for _ in group], np.float64)
    return np.arange(len(rows)) + _GAP * gaps, groups


def _segments(shown: NDArray[np.integer]) -> list[tuple[int, int, int]]:
    """Stretches (first, last, answer) in which a trajectory shows one of the final answers."""
    edges = np.flatnonzero(np.diff(shown)) + 1
    starts = [0, *edges.tolist()]
    ends = [*(edges - 1).tolist(), len(shown) - 1]
    return [(a, b, int(shown[a])) for a, b in zip(starts, ends, strict=True) if shown[a] >= 0]


def _bars(
    drawn: go.Figure,
    spans: list[_Span],
    letters: list[str],
    what: str,
    states: list[xr.Dataset],
    width: float,
    color: str,
) -> None:
    """All stretches of one kind as one trace of thick lines."""
    if not spans:
        return
    x: list[float | None] = []
    y: list[float | None] = []
    texts: list[str] = []
    for span in spans:
        x += [span.begin - 0.5, span.end + 0.5, None]
        y += [span.level, span.level, None]
        since = measure.address(states[span.row.series], span.begin)
        answer = f"answer {letters[span.answer]}".strip()
        words = f"{LETTERS[span.row.series]} #{span.row.trajectory}: {answer} from {since} ({what})"
        texts += [words, words, ""]
    said = "%{text}<extra></extra>"
    style = {"color": color, "width": width}
    line(drawn, x, y, f"bars {what}", style, name=what, text=texts, hovertemplate=said)


def _labels(
    drawn: go.Figure,
    groups: list[list[int]],
    level: NDArray[np.float64],
    rows: list[_Row],
    answers: measure.Answers,
    kinds: list[NDArray[np.integer]],
    colors: Palette,
    inner: int,
) -> None:
    """At the right of each group: shape of the outcome, letter, number of trajectories, and what is wrong with the
    answer."""
    shown = groups if len(groups) <= _SHOWN + 1 else groups[:_SHOWN]
    apart = (float(level[-1]) + 1.6) * 19 / max(1.0, inner)
    low = -np.inf

    def label(y: float, mark: str, color: str, text: str) -> None:
        beside(drawn, y, mark, color, 12, LABEL + 1, yref="y")
        beside(drawn, y, text, colors.ink, 30, yref="y", align="left")

    for group in shown:
        answer = answers.found[rows[group[0]].answer]
        codes = {int(kinds[rows[k].series][rows[k].trajectory]) for k in group}
        mark = outcome_mark(min(codes, key=lambda code: (code == measure.NOT_FINISHED, code)), colors.name)
        many = plural(sum(answer.counts), "trajectory")
        if len(kinds) > 1:
            many = ", ".join(f"{LETTERS[series]} {n}" for series, n in enumerate(answer.counts) if n)
            many += " trajectory" if sum(answer.counts) == 1 else " trajectories"
        words = "" if answer.valid is None else f": {answer.outcome}"
        low = max(float(np.mean(level[group])), low + apart)
        label(low, mark.text, mark.color, f"<b>{answer.letter}</b>  {many}{words}")
    rest = groups[len(shown) :]
    if rest:
        count = sum(len(group) for group in rest)
        text = f"{plural(len(rest), 'other answer')}, {plural(count, 'trajectory')}"
        label(max(float(level[rest[0][0]]), low + apart), "", colors.gray, text)


def _found(rollout: xr.Dataset, answers: measure.Answers, puzzle: int) -> str:
    """How many solutions were found, of how many."""
    valid = [answer.valid for answer in answers.found]
    if board_of(rollout).kind == "image":
        return "A picture is neither right nor wrong."
    if all(one is None for one in valid):
        return "Outcome unknown: this rollout has no `valid`."
    found = sum(bool(one) for one in valid)
    known = ""
    if "solutions_known" in rollout:
        count = int(rollout["solutions_known"][puzzle])
        if not count:
            return "No solution exists."
        known = f" of {count}"
    all_same = (
        "  All trajectories reach the same answer." if len(valid) == 1 and sum(answers.found[0].counts) > 1 else ""
    )
    return f"Solutions found: {found}{known}.{all_same}"
