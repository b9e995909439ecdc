"""Boards and pictures that are made from a blank one: as film strips, by the steps that they took, and counted."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.evaluation.intervals import wilson
from gram.rollout import board_of, need
from gramviz import measure
from gramviz.reports.blocks.block import COLORS, Block, say, svg, table, with_interval
from gramviz.reports.blocks.curves import Curve
from gramviz.reports.blocks.pictures import ink
from gramviz.reports.blocks.trajectories import first_valid

_BOARD, _SPACE = 104, 14  # px


def slowest(rollout: xr.Dataset) -> int:
    """The trajectory of the first puzzle that is valid for the first time later than all others; 0 if none ever is."""
    return int(first_valid(rollout)[0].argmax())


def valid_by_step(rollout: xr.Dataset, name: str) -> Curve:
    """The share of trajectories of the first puzzle that are valid at each supervision step from 1, as a curve."""
    valid = need(rollout, "valid").values[0, :, 1:]
    count, steps = valid.shape[0], rollout["supervision_step"].values[1:].tolist()
    whole = valid.sum(0)
    shown = [at for at, step in enumerate(steps) if step & (step - 1) == 0 or step in (6, 12, 24, steps[-1])]
    return Curve(
        name,
        [steps[at] for at in shown],
        [float(whole[at] / count) for at in shown],
        [wilson(int(whole[at]), count) for at in shown],
    )


def film(rollouts: Sequence[xr.Dataset], names: Sequence[str], steps: Sequence[int], which: Sequence[int]) -> Block:
    """One trajectory of each rollout as a row of boards, on which cells that break a rule are hatched.

    Of pictures, where no rule exists, gray is the probability of ink (if it was recorded).

    Args:
        steps: supervision steps that are shown, the same in all rows; a row ends where its rollout ends.
        which: the trajectory of each.
    """
    drawn, rows = [_HATCH], []
    pitch, height = _BOARD + _SPACE, _BOARD + 52
    pictures = board_of(rollouts[0]).kind == "image"
    for row, (rollout, name, trajectory) in enumerate(zip(rollouts, names, which, strict=True)):
        board, clock, top = board_of(rollout), rollout["supervision_step"].values, row * height
        drawn.append(f'<text x="0" y="{top + 16}" class="title">{html.escape(name)}</text>')
        said = []
        for column, step in enumerate(steps):
            if step > clock[-1]:
                continue
            at = rollout.isel(puzzle=0, trajectory=trajectory, step=int(np.flatnonzero(clock == step)[-1]))
            drawn.append(f'<text x="{column * pitch}" y="{top + 34}">step {step}</text>')
            drawn.append(_answer(board, at, column * pitch, top + 40))
            if pictures:
                before = rollout["tokens"].values[0, trajectory, max(int(at["step"]) - 1, 0)]
                said.append(str(int((at["tokens"].values != before).sum())))
            else:
                said.append(str(int(need(at, "conflict").values.sum())))
        rows.append([name, *said, *[""] * (len(steps) - len(said))])
    words = f"At some steps; {'gray: probability of ink' if pictures else 'cells that break a rule are hatched'}."
    counted = "places changed by a step" if pictures else "cells that break a rule"
    figure = svg(pitch * len(steps), height * len(rollouts), "".join(drawn), words)
    same = table([counted.capitalize(), *(f"step {step}" for step in steps)], rows, "")
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{words}</figcaption></figure>"
        f"<details><summary>As a table: {counted}</summary>{same}</details>",
        "\n".join(" | ".join(row) for row in rows),
    )


def finals(rollout: xr.Dataset, name: str, columns: int = 8) -> Block:
    """The final answers of the first trajectories of the first puzzle, two rows of them."""
    board, drawn_as = board_of(rollout), rollout.drop_vars("probability", errors="ignore")  # answers, not doubts
    shown = drawn_as.isel(puzzle=0, step=-1, trajectory=slice(2 * columns))
    pitch = _BOARD + _SPACE
    drawn = [_HATCH]
    for place in range(shown.sizes["trajectory"]):
        row, column = divmod(place, columns)
        drawn.append(_answer(board, shown.isel(trajectory=place), column * pitch, row * pitch))
    words = f"{name}: what its first {shown.sizes['trajectory']} trajectories end with."
    figure = svg(pitch * columns, pitch * -(-shown.sizes["trajectory"] // columns), "".join(drawn), words)
    return Block(f"<figure class='gram-figure'>{figure}<figcaption>{html.escape(words)}</figcaption></figure>", words)


def new_kinds(count: int, new: int, random: int, usual: int) -> Block:
    """How many of `count` valid boards no training board equals up to symmetry, beside how many of `random` boards that
    were drawn at random; `gram.tasks.sudoku_solver.unseen_kinds` counts both."""
    if not count:
        return say("No board is valid, so there is no kind to compare.")
    around = wilson(new, count)
    how = (
        "more rarely than"
        if around[1] < usual / random
        else "more often than"
        if around[0] > usual / random
        else "as often as"
    )
    return say(
        f"Of {count} valid boards {new} are of a kind that no training board has, however it is turned, "
        f"mirrored, permuted or relabeled: a share of {with_interval(new / count, around)}. Of {random:,} boards "
        f"drawn at random by search it is {with_interval(usual / random, wilson(usual, random))}. So the generator "
        f"makes unseen kinds {how} a random search."
    )


def generated(runs: Mapping[str, Mapping[str, Any]], paper: Mapping[str, float]) -> Block:
    """A table of generators, one in each row.

    Args:
        runs: name -> what `gram.evaluation.generate.figures` found, with `samples`, `steps` and `calls` beside it.
        paper: name -> the share of valid boards that the paper publishes.
    """
    rows = []
    for name, run in runs.items():
        if run["samples"] > 1:
            found = (run[part] for part in ("valid", "distinct", "copies"))
            shares = [with_interval(one["value"], one["interval"]) for one in found]
        else:
            shares = ["yes" if run["valid"]["value"] else "no", "the only board it makes", ""]
        value = f"{paper[name]:.3f}" if name in paper else ""
        rows.append([name, f"{run['samples']} x {run['steps']}", str(run["calls"]), *shares, value])
    header = ["Generator", "Boards x steps", "Network calls", "Valid", "Distinct", "Copies", "Paper, Table 9: valid"]
    note = (
        "Brackets: intervals of 95 %. Distinct: the first of its kind among these boards. Copies: equal to a training "
        "board. Network calls: blocks applied one after another for one board. The paper's values are of other, larger "
        "models and of 100,000 boards."
    )
    return Block(table(header, rows, note), "\n".join(" | ".join(row) for row in rows))


_HATCH = (
    '<defs><pattern id="gram-broken" width="6" height="6" patternUnits="userSpaceOnUse">'
    f'<path d="M0 6 L6 0" stroke="{COLORS[1]}" stroke-width="1.4" opacity=".6" fill="none"/></pattern></defs>'
)


def _answer(board: Board, at: xr.Dataset, left: float, top: float) -> str:
    """One state as a picture, or as a board on which cells that break a rule are hatched."""
    if board.kind == "image":
        return ink(_shades(board, at), left, top, _BOARD)
    return _board(board, at["tokens"].values, need(at, "conflict").values, left, top)


def _shades(board: Board, at: xr.Dataset) -> NDArray[np.float64]:
    """The picture [row, column] of one state, as the probability of ink where it was recorded."""
    light = np.nan_to_num(measure.shades(board))
    side, tokens = board.patch, at["tokens"].values
    of = np.tensordot(at["probability"].values.astype(float), light, 1) if "probability" in at else light[tokens]
    of[tokens == 0] = 0  # blank: nothing was written yet
    grid = of.reshape(board.height, board.width, side, side).swapaxes(1, 2)
    return np.asarray(grid.reshape(board.height * side, board.width * side))


def _board(board: Board, tokens: Any, conflict: Any, left: float, top: float) -> str:
    """One board as squares with digits; thick lines between its boxes."""
    cell = _BOARD / board.width
    high, wide = board.box or (board.height, board.width)
    size = min(13.0, 0.72 * cell)
    parts = []
    for position in range(board.positions):
        row, column = divmod(position, board.width)
        x, y = left + column * cell, top + row * cell
        if conflict[position]:
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{cell:.1f}" height="{cell:.1f}" fill="url(#gram-broken)"/>'
            )
        symbol = board.tokens[int(tokens[position])].symbol
        parts.append(
            f'<text x="{x + cell / 2:.1f}" y="{y + cell / 2 + 0.36 * size:.1f}" text-anchor="middle" '
            f'style="font-size:{size:.0f}px">{html.escape(symbol)}</text>'
        )
    for line in range(board.width + 1):
        strong, x = line % wide == 0, left + line * cell
        parts.append(_line(x, x, top, top + cell * board.height, strong))
    for line in range(board.height + 1):
        strong, y = line % high == 0, top + line * cell
        parts.append(_line(left, left + _BOARD, y, y, strong))
    return "".join(parts)


def _line(x1: float, x2: float, y1: float, y2: float, strong: bool) -> str:
    look = "stroke-width='1.4' opacity='.8'" if strong else "stroke-width='.7' opacity='.3'"
    return f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" stroke="currentColor" {look}/>'
