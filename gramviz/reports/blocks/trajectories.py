"""What the trajectories of a rollout end with: on which boards, when they are valid, when many cells change."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gram.rollout import need
from gramviz.reports.blocks.block import Block, number, say, svg
from gramviz.reports.blocks.curves import Curve, curves


def endings(rollout: xr.Dataset, puzzle: int = 0) -> Block:
    """The final answers of one puzzle in a sentence: valid ones, distinct solutions, those that exist."""
    one = rollout.isel(puzzle=puzzle)
    tokens = one["tokens"].values[:, -1]
    valid = need(rollout, "valid").values[puzzle, :, -1]
    count, boards = len(tokens), distinct(rollout, puzzle)
    found = len(np.unique(tokens[valid], axis=0)) if valid.any() else 0
    exist = int(one["solutions_known"]) if "solutions_known" in one else None
    known = (
        "; no solution exists"
        if exist == 0
        else f" solution{'s' * (found != 1)}"
        if exist is None
        else f" of the {exist} solutions that exist"
    )
    name = rollout.attrs.get("name") or rollout.attrs["model"]
    plural = "trajectory ends" if count == 1 else "trajectories end"
    return say(
        f"{name}: {count} {plural} on {boards} different board{'s' * (boards != 1)}; {int(valid.sum())} of {count} "
        f"{'is' if count == 1 else 'are'} valid, which gives {found}{known}."
    )


def distinct(rollout: xr.Dataset, puzzle: int = 0) -> int:
    """On how many different boards the trajectories of one puzzle end."""
    return len(np.unique(rollout["tokens"].values[puzzle, :, -1], axis=0))


def variety(rollout: xr.Dataset, puzzle: int = 0) -> Block:
    """How many different boards the trajectories of one puzzle show at each supervision step, and how many valid ones.

    Raises:
        RolloutError: `valid` was not recorded.
    """
    clock = rollout["supervision_step"].values
    ends = np.flatnonzero(np.append(clock[1:] != clock[:-1], True))
    tokens, valid = (need(rollout, name).values[puzzle][:, ends] for name in ("tokens", "valid"))
    counts = [
        [len(np.unique(tokens[keep[:, at], at], axis=0)) if keep[:, at].any() else 0 for at in range(len(ends))]
        for keep in (np.ones_like(valid), valid)
    ]
    names = ("different boards", "different valid boards")
    both = [Curve(name, clock[ends].tolist(), found) for name, found in zip(names, counts, strict=True)]
    return curves("Boards that the trajectories show.", *both, x="supervision step")


def first_valid(rollout: xr.Dataset) -> NDArray[np.int64]:
    """The supervision step at which each trajectory is valid for the first time, or -1 [puzzle, trajectory]."""
    valid = need(rollout, "valid").values
    return np.where(valid.any(-1), rollout["supervision_step"].values[valid.argmax(-1)], -1)


def busiest(rollout: xr.Dataset, puzzle: int = 0, trajectory: int = 0, least: int = 3) -> list[int]:
    """The supervision steps within which at least `least` cells of a trajectory change."""
    tokens = rollout["tokens"].values[puzzle, trajectory]
    clock = rollout["supervision_step"].values
    ends = np.flatnonzero(np.append(clock[1:] != clock[:-1], True))
    moved = (tokens[ends[1:]] != tokens[ends[:-1]]).sum(1)
    return [int(step) for step in clock[ends[1:]][moved >= least]]


def dots(question: str, values: ArrayLike, never: int = -1) -> Block:
    """Whole numbers as a strip of stacked dots with their median; the value `never` is counted apart."""
    all_values = np.ravel(values)
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
    words = f"{question} Median {number(middle)}, from {low} to {high}, over {len(seen)} of {len(all_values)}"
    words += f"; {missing} never did." if missing else "."
    figure = svg(600, 160, '<line x1="20" x2="580" y1="134" y2="134" class="axis"/>' + "".join(sorted(marks)), words)
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{words} Dashed: median.</figcaption></figure>", words
    )
