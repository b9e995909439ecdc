"""The ensemble: which path reached which answer, and when.

One row per path, sorted by its final answer and then by the time it got there. A row is thick, in the colour of its
outcome, while the path shows the answer that it ends with; thin while it shows the final answer of another path; a
hairline while it shows none of them. The height of a group is its number of paths, so the picture is also the vote: the
largest group is the majority's answer.
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
from gramviz.views import LETTERS, Cursor, view
from gramviz.views.parts import (
    LISTED,
    address,
    at_end,
    figure,
    heading,
    outcome_key,
    plural,
    run_name,
    step_word,
    supervision_ticks,
)

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 52, 236, 92, 88  # px
_SHOWN = 8  # groups with a label of their own; the rest is "others"
_GAP = 1.4  # rows between two groups


@dataclass(frozen=True)
class _Row:
    run: int
    path: int
    answer: int
    since: int  # first state from which the path shows its answer to the end


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
    """Every path over time, grouped by the answer it ends with; the cursor's path of run A is marked in ink."""
    colours = palette(theme)
    states = [measure.ends(run) for run in rollouts]
    answers = measure.answers(states, at.puzzle)
    rows = sorted(
        (
            _Row(run, path, int(answer), _since(answers.at[run].values[path]))
            for run in range(len(states))
            for path, answer in enumerate(answers.final[run].values)
        ),
        key=lambda row: (row.answer, row.run, row.since, row.path),
    )
    steps = max(one.sizes["step"] for one in states)
    level, groups = _levels(rows)
    pitch = float(np.clip(520 / (level[-1] + 1), 3, 26))  # px per row
    least = 19 * (min(len(groups), _SHOWN) + 1)  # room for the labels
    height = round(max(pitch * (level[-1] + 1), least)) + _TOP + _BOTTOM
    drawn = figure(theme, _WIDTH, height, margin={"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BOTTOM})
    y = np.repeat(level, 3)
    x = np.array([[-0.5, states[row.run].sizes["step"] - 0.5, np.nan] for row in rows]).ravel()
    drawn.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": colours.line, "width": 1},
        meta="no answer yet",
        showlegend=False,
        hoverinfo="skip",
    )
    kinds = [measure.outcome(one).values[at.puzzle] for one in states]
    row_height = (height - _TOP - _BOTTOM) / (float(level[-1]) + 1.6)
    spans = [
        _Span(row, y, begin, end, answer)
        for y, row in zip(level, rows, strict=True)
        for begin, end, answer in _runs(answers.at[row.run].values[row.path])
    ]
    letters = [answer.letter for answer in answers.found]
    others = [span for span in spans if span.answer != span.row.answer]
    _bars(drawn, others, letters, "other answer", states, max(1.0, 0.26 * row_height), colours.text3)
    for code in LISTED:
        mark = outcome_mark(code, colours.name)
        own = [s for s in spans if s.answer == s.row.answer and kinds[s.row.run][s.row.path] == code]
        _bars(drawn, own, letters, mark.word, states, max(1.5, 0.74 * row_height), mark.colour)
        if count := int(sum((one == code).sum() for one in kinds)):
            outcome_key(drawn, mark, count)
    _labels(drawn, groups, level, rows, answers, kinds, states, colours)
    chosen = next(k for k, row in enumerate(rows) if (row.run, row.path) == (0, at.trajectory))
    drawn.add_annotation(
        x=0,
        y=level[chosen],
        xref="paper",
        yref="y",
        xanchor="right",
        xshift=-2,
        showarrow=False,
        align="right",
        text=f"#{at.trajectory + 1} ▶",
        font={"size": NOTE, "color": colours.ink},
        name="chosen",
    )
    now = at_end(rollouts[0], at.step)
    longest = max(states, key=lambda one: one.sizes["step"])
    where, names = supervision_ticks(longest)
    drawn.add_shape(
        type="line", x0=now, x1=now, y0=0, y1=1, xref="x", yref="paper", line={"color": colours.ink, "width": 1.4}
    )
    drawn.update_xaxes(
        range=[-0.5, steps - 0.5],
        tickvals=where,
        ticktext=names,
        title={"text": step_word(longest), "standoff": 6},
        showline=True,
        ticks="outside",
        ticklen=4,
    )
    drawn.update_yaxes(range=[level[-1] + 0.8, -0.8], visible=False)
    total = " and ".join(plural(run.sizes["trajectory"], f"{run_name(run)} path") for run in rollouts)
    heading(
        drawn,
        f"Answers, {address(rollouts[0], at.step)}",
        f"{total} of {board_of(rollouts[0]).title}. Bar: it shows its final answer; thin: that of another path",
        _found(rollouts[0], answers, at.puzzle),
    )
    return drawn


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


def _runs(shown: NDArray[np.integer]) -> list[tuple[int, int, int]]:
    """Stretches (first, last, answer) in which a path shows one of the final answers."""
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
    colour: str,
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
        since = measure.address(states[span.row.run], span.begin)
        answer = f"answer {letters[span.answer]}".strip()
        words = f"{LETTERS[span.row.run]} #{span.row.path + 1}: {answer} from {since} ({what})"
        texts += [words, words, ""]
    drawn.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": colour, "width": width},
        name=what,
        meta=f"bars {what}",
        text=texts,
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def _labels(
    drawn: go.Figure,
    groups: list[list[int]],
    level: NDArray[np.float64],
    rows: list[_Row],
    answers: measure.Answers,
    kinds: list[NDArray[np.integer]],
    states: list[xr.Dataset],
    colours: Palette,
) -> None:
    """At the right of each group: shape of the outcome, letter, number of paths, and what is wrong with the answer."""
    shown = groups if len(groups) <= _SHOWN + 1 else groups[:_SHOWN]
    span = float(level[-1]) + 1.6
    low = -np.inf
    for group in shown:
        first = rows[group[0]]
        answer = answers.found[first.answer]
        codes = {int(kinds[rows[k].run][rows[k].path]) for k in group}
        mark = outcome_mark(min(codes, key=lambda code: (code == measure.NOT_FINISHED, code)), colours.name)
        many = plural(sum(answer.counts), "path")
        if len(states) > 1:
            many = ", ".join(f"{LETTERS[run]} {n}" for run, n in enumerate(answer.counts) if n)
            many += " path" if sum(answer.counts) == 1 else " paths"
        words = "" if answer.valid is None else f": {answer.outcome}"
        y = max(float(np.mean(level[group])), low + span * 19 / max(1.0, drawn.layout.height - _TOP - _BOTTOM))
        low = y
        _label(drawn, y, mark.text, mark.colour, f"<b>{answer.letter}</b>  {many}{words}", colours)
    rest = groups[len(shown) :]
    if rest:
        count = sum(len(group) for group in rest)
        y = max(float(level[rest[0][0]]), low + span * 19 / max(1.0, drawn.layout.height - _TOP - _BOTTOM))
        text = f"{plural(len(rest), 'other answer')}, {plural(count, 'path')}"
        _label(drawn, y, "", colours.grey, text, colours)


def _label(drawn: go.Figure, y: float, mark: str, colour: str, text: str, colours: Palette) -> None:
    drawn.add_annotation(
        x=1,
        y=y,
        xref="paper",
        yref="y",
        xanchor="left",
        xshift=12,
        showarrow=False,
        text=mark,
        font={"size": LABEL + 1, "color": colour},
    )
    drawn.add_annotation(
        x=1,
        y=y,
        xref="paper",
        yref="y",
        xanchor="left",
        xshift=30,
        showarrow=False,
        align="left",
        text=text,
        font={"size": LABEL, "color": colours.ink},
    )


def _found(run: xr.Dataset, answers: measure.Answers, puzzle: int) -> str:
    """How many solutions were found, of how many."""
    valid = [answer.valid for answer in answers.found]
    if board_of(run).kind == "image":
        return "A picture is neither right nor wrong."
    if all(one is None for one in valid):
        return "Outcome unknown: this rollout has no `valid`."
    found = sum(bool(one) for one in valid)
    known = f" of {int(run['solutions_known'][puzzle])}" if "solutions_known" in run else ""
    all_same = "  All paths reach the same answer." if len(valid) == 1 and sum(answers.found[0].counts) > 1 else ""
    return f"Solutions found: {found}{known}.{all_same}"
