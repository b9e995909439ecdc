"""Where trajectories part: the tree of partings, from the common start to the answers.

Time runs to the right; a branch is the trajectories that have not yet parted (`gramviz.measure.branching`), as thick as
they are many; a fork names the cell where most pairs across it part for good. A leaf is an answer. Ink: the chosen one.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import board_of
from gramviz import measure
from gramviz.theme import LABEL, NOTE, Palette, outcome_mark, palette
from gramviz.views.parts import (
    Margins,
    address,
    at_end,
    beside,
    figure,
    heading,
    line,
    marks,
    note,
    now_line,
    outcome_keys,
    plural,
    step_axis,
    trajectory_name,
)
from gramviz.views.registry import Cursor, view

_WIDTH, _MARGINS = 552, Margins(left=32, right=216, top=100, bottom=88)  # px
_LABELED = 14  # px per leaf from which on each has a label
_NAMED = 6  # forks that are named on the picture: those that part the most trajectories
Part = tuple[int, ...]  # trajectories


@view("Where trajectories part")
def draw(rollout: xr.Dataset, at: Cursor = Cursor(), theme: str = "light") -> go.Figure:  # noqa: B008
    """The tree of one puzzle, with the cursor as a line and its trajectory in ink."""
    colors = palette(theme)
    states = measure.ends(rollout)
    tree = measure.branching(states, at.puzzle)
    last = states.sizes["step"] - 1
    leaves = sorted(tree.branches(last), key=lambda leaf: tree.order.index(leaf[0]))
    codes = measure.outcome(states).values[at.puzzle]
    pitch = float(np.clip(900 / len(leaves), 3, 24))
    drawn = figure(theme, _WIDTH, round(max(pitch * len(leaves), 60)), _MARGINS)
    level = {leaf: float(k) for k, leaf in enumerate(leaves)}
    _branches(drawn, states, tree, level, codes, pitch, at.trajectory, colors)
    _leaves(drawn, leaves, measure.answers([states], at.puzzle), codes, pitch, at.trajectory, colors)
    outcome_keys(drawn, codes, theme)
    now = at_end(rollout, at.step)
    now_line(drawn, now, {"color": colors.ink, "width": 1.2, "dash": "dot"})
    drawn.update_xaxes(**step_axis(states, -0.5, last + 0.5, showline=True))
    drawn.update_yaxes(range=[len(leaves) - 0.4, -0.8], visible=False)
    branches = plural(len(tree.branches(now)), "branch").replace("branchs", "branches")
    same = "; all trajectories reach the same answer" if len(leaves) == 1 and len(codes) > 1 else ""
    heading(
        drawn,
        f"Where trajectories part, {address(rollout, at.step)}",
        f"{branches} now, {plural(len(leaves), 'answer')} in the end"
        f"{same}; in ink: {trajectory_name(rollout, at.trajectory)}",
        "Ring: a fork, and the cell where its trajectories part for good. Line: as thick as its trajectories are many.",
    )
    return drawn


def _branches(
    drawn: go.Figure,
    states: xr.Dataset,
    tree: measure.Branching,
    level: dict[Part, float],
    codes: NDArray[np.integer],
    pitch: float,
    chosen: int,
    colors: Palette,
) -> None:
    """The lines of the tree from its leaves to its roots, a ring at each fork, and the names of some."""
    board, last = board_of(states), states.sizes["step"] - 1
    end = dict.fromkeys(level, last + 0.5)  # where the branch that is drawn so far begins, seen from the right
    lines: dict[tuple[str, float, bool], list[tuple[float, float]]] = {}

    def extend(part: Part, *points: tuple[float, float]) -> None:
        kinds = {int(codes[n]) for n in part}
        color = outcome_mark(kinds.pop(), colors.name).color if len(kinds) == 1 else colors.text3
        styles = [(color, 1.2 + 5 * round((len(part) / len(codes)) ** 0.5, 1), False)]
        for style in [*styles, (colors.ink, 1.6, True)][: 1 + (chosen in part)]:
            lines.setdefault(style, []).extend([*points, (np.nan, np.nan)])

    below: dict[Part, bool] = {}  # whether a fork lies below the one that it comes from
    labels: dict[Part, tuple[float, str]] = {}
    named = sorted(range(len(tree.forks)), key=lambda k: -sum(map(len, tree.forks[k].parts)))[:_NAMED]
    for k, fork in enumerate(tree.forks):
        parts = sorted(fork.parts, key=lambda part: level[part])
        where, cell = fork.index + 0.5, board.place(fork.position)
        joined = tuple(sorted(n for part in parts for n in part))
        middle = float(np.mean([level[part] for part in parts]))
        for part in parts:
            below[part] = level[part] > middle
            extend(part, (end[part], level[part]), (where, level[part]), (where, middle))
        level[joined], end[joined] = middle, where
        words = f"{plural(len(joined), 'trajectory')} part about {measure.address(states, round(fork.index))}"
        said = f"{words}, first in {cell}<br>{' against '.join(str(len(part)) for part in fork.parts)}"
        ring = {"size": 7, "color": colors.bg, "line": {"width": 1.5, "color": colors.ink}}
        marks(drawn, [where], [middle], "fork", ring, [said])
        room = _MARGINS.left + (where + 0.5) / (last + 1) * _WIDTH  # px, to the left of the fork
        if k in named and pitch >= 9 and room > 7 + 0.6 * NOTE * len(cell):
            labels[joined] = where, cell
    for joined, (where, cell) in labels.items():
        # On the side where the branch that leads here does not come from: it would cross the name.
        shift = -9 if below.get(joined) else 9
        note(
            drawn, where, level[joined], cell, colors.text2, NOTE,
            xanchor="right", xshift=-7, yshift=shift, name="cell",
        )  # fmt: skip
    for root in tree.branches(0):
        extend(root, (end[root], level[root]), (-0.5, level[root]))
    for (color, width, ink), points in sorted(lines.items(), key=lambda item: item[0][2]):
        x, y = np.array(points).T
        line(drawn, x, y, "chosen" if ink else "branch", {"color": color, "width": width})
    drawn.data = sorted(drawn.data, key=lambda trace: trace.meta == "fork")  # forks lie above the lines


def _leaves(
    drawn: go.Figure,
    leaves: list[Part],
    reached: measure.Answers,
    codes: NDArray[np.integer],
    pitch: float,
    chosen: int,
    colors: Palette,
) -> None:
    """The answer of each leaf right of it, where there is room; that of the chosen trajectory always."""
    for y, leaf in enumerate(leaves):
        if pitch < _LABELED and chosen not in leaf:
            continue
        answer = reached.found[int(reached.final[0][leaf[0]])]
        mark = outcome_mark(int(codes[leaf[0]]), colors.name)
        words = f"<b>{answer.letter}</b>  {plural(len(leaf), 'trajectory')}"
        words += f": {answer.outcome}" if answer.valid is not None else ""
        words += f"  ◀ #{chosen}" if chosen in leaf else ""
        size = LABEL if pitch >= 17 else NOTE
        beside(drawn, float(y), mark.text, mark.color, 8, size, name="leaf")
        beside(drawn, float(y), words, colors.ink, 24, size, name="leaf")
