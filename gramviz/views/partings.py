"""Where paths part: the tree of partings, from the common start to the answers.

Time runs to the right; a branch is the paths that have not yet parted (`gramviz.measure.branching`), as thick as they
are many; a fork names the cell where most pairs across it part for good. A leaf is an answer. Ink: the chosen path.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from gram.rollout import board_of
from gramviz import measure
from gramviz.theme import LABEL, NOTE, outcome_mark, palette
from gramviz.views import Cursor, view
from gramviz.views.parts import (
    LISTED,
    address,
    at_end,
    figure,
    heading,
    outcome_key,
    path_name,
    plural,
    step_word,
    supervision_ticks,
)

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 800, 32, 216, 100, 88  # px
_LABELLED = 14  # px per leaf from which on each has a label
_NAMED = 6  # forks that are named on the picture: those that part the most paths


@view("Where paths part")
def draw(rollout: xr.Dataset, at: Cursor = Cursor(), theme: str = "light") -> go.Figure:  # noqa: B008
    """The tree of one puzzle, with the cursor as a line and its path in ink."""
    colours = palette(theme)
    states = measure.ends(rollout)
    tree = measure.branching(states, at.puzzle)
    board = board_of(rollout)
    last = states.sizes["step"] - 1
    leaves = sorted(tree.branches(last), key=lambda leaf: tree.order.index(leaf[0]))
    reached = measure.answers([states], at.puzzle)
    codes = measure.outcome(states).values[at.puzzle]
    pitch = float(np.clip(900 / len(leaves), 3, 24))
    height = round(max(pitch * len(leaves), 60)) + _TOP + _BOTTOM
    drawn = figure(theme, _WIDTH, height, margin={"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BOTTOM})

    level = {leaf: float(k) for k, leaf in enumerate(leaves)}
    end = dict.fromkeys(leaves, last + 0.5)  # where the branch that is drawn so far begins, seen from the right
    size = len(codes)
    lines: dict[tuple[str, float, bool], list[tuple[float, float]]] = {}

    def line(paths: tuple[int, ...], *points: tuple[float, float]) -> None:
        kinds = {int(codes[n]) for n in paths}
        colour = outcome_mark(kinds.pop(), theme).colour if len(kinds) == 1 else colours.text3
        width = 1.2 + 5 * round((len(paths) / size) ** 0.5, 1)
        for ink in (False, True)[: 1 + (at.trajectory in paths)]:
            lines.setdefault((colours.ink if ink else colour, 1.6 if ink else width, ink), []).extend(
                [*points, (np.nan, np.nan)]
            )

    below: dict[tuple[int, ...], bool] = {}  # whether a fork lies below the one that it comes from
    labels: dict[tuple[int, ...], tuple[float, str]] = {}
    named = sorted(range(len(tree.forks)), key=lambda k: -sum(map(len, tree.forks[k].parts)))[:_NAMED]
    for k, fork in enumerate(tree.forks):
        parts = sorted(fork.parts, key=lambda part: level[part])
        where = fork.index + 0.5
        joined = tuple(sorted(n for part in parts for n in part))
        middle = float(np.mean([level[part] for part in parts]))
        for part in parts:
            below[part] = level[part] > middle
            line(part, (end[part], level[part]), (where, level[part]), (where, middle))
        level[joined], end[joined] = middle, where
        words = f"{plural(len(joined), 'path')} part about {measure.address(states, round(fork.index))}"
        cell = board.place(fork.position)
        drawn.add_scatter(
            x=[where],
            y=[middle],
            mode="markers",
            marker={"size": 7, "color": colours.bg, "line": {"width": 1.5, "color": colours.ink}},
            text=[f"{words}, first in {cell}<br>{' against '.join(str(len(part)) for part in fork.parts)}"],
            hovertemplate="%{text}<extra></extra>",
            meta="fork",
            showlegend=False,
        )
        room = _LEFT + (where + 0.5) / (last + 1) * (_WIDTH - _LEFT - _RIGHT)  # px, to the left of the fork
        if k in named and pitch >= 9 and room > 7 + 0.6 * NOTE * len(cell):
            labels[joined] = where, cell
    for joined, (where, cell) in labels.items():
        # On the side where the branch that leads here does not come from: it would cross the name.
        drawn.add_annotation(
            x=where,
            y=level[joined],
            text=cell,
            showarrow=False,
            xanchor="right",
            xshift=-7,
            yshift=-9 if below.get(joined) else 9,
            font={"size": NOTE, "color": colours.text2},
            name="cell",
        )
    for root in tree.branches(0):
        line(root, (end[root], level[root]), (-0.5, level[root]))
    for (colour, width, ink), points in sorted(lines.items(), key=lambda item: item[0][2]):
        x, y = np.array(points).T
        drawn.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": colour, "width": width},
            meta="chosen" if ink else "branch",
            showlegend=False,
            hoverinfo="skip",
        )
    drawn.data = sorted(drawn.data, key=lambda trace: trace.meta == "fork")  # forks lie above the lines
    for leaf in leaves:
        answer = reached.found[int(reached.final[0][leaf[0]])]
        mark = outcome_mark(int(codes[leaf[0]]), theme)
        words = f"<b>{answer.letter}</b>  {plural(len(leaf), 'path')}"
        words += f": {answer.outcome}" if answer.valid is not None else ""
        words += f"  ◀ #{at.trajectory + 1}" if at.trajectory in leaf else ""
        if pitch >= _LABELLED or at.trajectory in leaf:
            for text, shift, colour in ((mark.text, 8, mark.colour), (words, 24, colours.ink)):
                drawn.add_annotation(
                    x=1,
                    y=level[leaf],
                    xref="paper",
                    text=text,
                    showarrow=False,
                    xanchor="left",
                    xshift=shift,
                    font={"size": LABEL if pitch >= 17 else NOTE, "color": colour},
                    name="leaf",
                )
    for code in LISTED:
        if count := int((codes == code).sum()):
            outcome_key(drawn, outcome_mark(code, theme), count)
    now = at_end(rollout, at.step)
    drawn.add_shape(
        type="line", x0=now, x1=now, y0=0, y1=1, yref="paper", line={"color": colours.ink, "width": 1.2, "dash": "dot"}
    )
    where_, names = supervision_ticks(states)
    drawn.update_xaxes(
        range=[-0.5, last + 0.5],
        tickvals=where_,
        ticktext=names,
        title={"text": step_word(states), "standoff": 6},
        showline=True,
        ticks="outside",
        ticklen=4,
    )
    drawn.update_yaxes(range=[len(leaves) - 0.4, -0.8], visible=False)
    branches = len(tree.branches(now))
    same = "; all paths reach the same answer" if len(leaves) == 1 and size > 1 else ""
    heading(
        drawn,
        f"Where paths part, {address(rollout, at.step)}",
        f"{plural(branches, 'branch').replace('branchs', 'branches')} now, {plural(len(leaves), 'answer')} in the end"
        f"{same}; in ink: {path_name(rollout, at.trajectory)}",
        "Ring: a fork, and the cell where its paths part for good. Line: as thick as its paths are many.",
    )
    return drawn
