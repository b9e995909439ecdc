"""Generated pictures: as contact sheets, by the last change of their class, and what a classifier makes of them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gramviz.reports.blocks.block import Block, say, svg, table, with_interval
from gramviz.reports.blocks.curves import Curve

_PICTURE, _SPACE = 40, 6  # px


def ink(shades: NDArray[np.floating], left: float, top: float, side: float) -> str:
    """A picture [row, column] of shades from 0, paper, to 1, ink, as SVG of this width in pixels."""
    parts = []
    for level in range(1, 5):  # of opacity
        squares = "".join(f"M{c} {r}h1v1h-1z" for r, c in np.argwhere(np.round(shades * 4) == level))
        if squares:
            parts.append(f'<path d="{squares}" fill="currentColor" fill-opacity="{level / 4:g}"/>')
    width = shades.shape[1]
    frame = (
        f'<path d="M0 0h{width}v{width}h-{width}z" fill="none" stroke="currentColor" stroke-width=".1" opacity=".5"/>'
    )
    return f'<g transform="translate({left:g} {top:g}) scale({side / width:g})">{"".join(parts)}{frame}</g>'


def sheets(pictures: Mapping[str, NDArray[np.integer]], columns: int = 10, rows: int = 3) -> Block:
    """Contact sheets, two side by side: the first pictures [picture, row, column] of 0 and 1 of each name."""
    pitch = _PICTURE + _SPACE
    wide, high = columns * pitch + 24, rows * pitch + 36
    drawn = []
    for place, (name, shown) in enumerate(pictures.items()):
        left, top = wide * (place % 2), high * (place // 2)
        drawn.append(f'<text x="{left}" y="{top + 16}" class="title">{html.escape(name)}</text>')
        for at, picture in enumerate(shown[: columns * rows]):
            row, column = divmod(at, columns)
            drawn.append(ink(picture, left + column * pitch, top + 26 + row * pitch, _PICTURE))
    words = f"Contact sheets of pictures: {', '.join(pictures)}."
    figure = svg(2 * wide - 24, high * -(-len(pictures) // 2), "".join(drawn), words)
    return Block(f"<figure class='gram-figure'>{figure}</figure>", words)


def last_change(classes: ArrayLike) -> NDArray[np.int64]:
    """The last step at which each trajectory's class [trajectory, step] is another one than before; 0 if none is."""
    found = np.asarray(classes)
    changes = found[:, 1:] != found[:, :-1]
    last = changes.shape[1] - changes[:, ::-1].argmax(1)
    return np.where(changes.any(1), last, 0)


def fid_by_steps(name: str, runs: Sequence[Mapping[str, Any]]) -> Curve:
    """FID by our own classifier over the depth of runs as `judged` takes them, as a curve with its intervals."""
    scores = [run["fidelity"]["FID (own classifier)"] for run in runs]
    ends = [(score["value"] - score["plus_minus"], score["value"] + score["plus_minus"]) for score in scores]
    return Curve(name, [run["supervision_steps"] for run in runs], [score["value"] for score in scores], ends)


def ranked(cards: Mapping[str, Sequence[Mapping[str, Any]]]) -> Block:
    """The generators of `cards` (name -> runs as `judged` takes them) in the order of their best FID, and of each that
    was run at several depths whether depth makes a difference that exceeds the intervals; in sentences."""
    lines = {name: fid_by_steps(name, runs) for name, runs in cards.items()}
    best = {name: int(np.argmin(line.y)) for name, line in lines.items()}
    order = sorted(lines, key=lambda name: lines[name].y[best[name]])
    shown = [f"{name} {lines[name].y[best[name]]:.1f} at {lines[name].x[best[name]]} steps" for name in order]
    first, second = (lines[name].intervals[best[name]] for name in order[:2])
    lead = "more than the intervals allow" if first[1] < second[0] else "less than the intervals allow"
    said = f"By their best FID, in order: {'; '.join(shown)}. The first leads by {lead}."
    for name, line in lines.items():
        low, high = min(end for _, end in line.intervals), max(start for start, _ in line.intervals)
        if len(line.x) > 1:
            said += f" Depth makes {'a' if low < high else 'no'} difference to {name} that exceeds the intervals."
    return say(said)


def judged(runs: Sequence[Mapping[str, Any]]) -> Block:
    """A table of generators of pictures, one row each.

    Args:
        runs: what `gram.evaluation.generate.generate` returns, as the cards of artifacts keep it.
    """
    rows = []
    for run in runs:
        found = run["fidelity"]
        scores = (found["FID (own classifier)"], found["IS (own classifier)"])
        shown = [f"{score['value']:.1f} ± {score['plus_minus']:.1f}" for score in scores]
        shares = [with_interval(run[name]["value"], run[name]["interval"]) for name in ("distinct", "copies")]
        near = f"{run['nearest_training']['value']:.1f}"
        rows.append([run["checkpoint"], f"{run['samples']} x {run['supervision_steps']}", *shown, *shares, near])
    floor = runs[0]["fidelity"]["held_out"]
    real = [f"{floor[f'{name} (own classifier)']:.1f}" for name in ("FID", "IS")]
    rows.append(["real held-out digits", str(floor["pictures"]), *real, "", "", f"{floor['nearest_training']:.1f}"])
    header = ["Generator", "Pictures x steps", "FID, own classifier", "IS, own classifier", "Distinct", "Copies"]
    note = (
        "±: half of an interval of 95 %; brackets: the interval. Nearest: mean distance to the nearest training digit, "
        "in pixels. Both scores use a small classifier of our own and compare with no published value."
    )
    return Block(table([*header, "Nearest"], rows, note), "\n".join(" | ".join(row) for row in rows))
