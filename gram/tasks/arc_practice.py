"""Small tasks of our own in the manner of ARC, to practice without files: sixteen rules, random grids.

Each rule is a function of the input grid and of a few parameters (an axis, a color, ...) that stay the same within a
task, so a task is one rule with its parameters. `0` is black, the background. Source: ours; what the rules
do is what many ARC tasks do (core knowledge of objects, symmetry, counting; Chollet 2019, "On the Measure of
Intelligence", Section III.1.2), but none is copied. Left out: rules that combine several of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gram.tasks.arc_files import ArcTask, Pair
from gram.tasks.base import TaskError

Cells = NDArray[np.integer]  # a grid before its numbers are made small

LARGEST = 10  # rows and columns of the largest grid, where the canvas has room for it
GRAY = 5
_COLORS = tuple(range(1, 10))


@dataclass(frozen=True)
class Rule:
    """One kind of rule.

    Attributes:
        apply: (input, *parameters) -> output.
        draw: (rng, side, *parameters) -> an input on which the rule does something; no grid is larger than side.
        parameters: every choice of parameters.
    """

    apply: Callable[..., Cells]
    draw: Callable[..., Cells]
    parameters: tuple[tuple[int, ...], ...]


def tasks(count: int, demonstrations: int, tests: int, canvas: int, seed: int) -> list[ArcTask]:
    """`count` different tasks, taken in turn from the kinds of rules; no input occurs twice among them all.

    Raises:
        TaskError: more tasks than there are, or more pairs than the canvas has inputs for.
    """
    rng = np.random.default_rng(seed)
    shuffled = {
        name: [rule.parameters[k] for k in rng.permutation(len(rule.parameters))] for name, rule in RULES.items()
    }
    turns = range(max(map(len, shuffled.values())))
    every = [(name, kinds[turn]) for turn in turns for name, kinds in shuffled.items() if turn < len(kinds)]
    if count > len(every):
        raise TaskError(f"tasks is {count}; there are {len(every)} tasks to practice with")
    seen: set[tuple[tuple[int, ...], bytes]] = set()
    made = []
    for name, parameters in every[:count]:
        rule = RULES[name]
        pairs: list[Pair] = []
        misses = 0
        while len(pairs) < demonstrations + tests:
            grid = rule.draw(rng, min(canvas, LARGEST), *parameters).astype(np.uint8)
            answer = np.ascontiguousarray(rule.apply(grid, *parameters), dtype=np.uint8)
            key = (grid.shape, grid.tobytes())
            if key in seen or np.array_equal(grid, answer):
                misses += 1
                if misses > 10_000:
                    raise TaskError(
                        f"{demonstrations + tests} pairs per task are too many for {name} on canvas {canvas}; "
                        "ask for fewer demonstrations or a larger canvas"
                    )
                continue
            seen.add(key)
            pairs.append((grid, answer))
        label = "-".join([name, *map(str, parameters)])
        made.append(ArcTask(label, tuple(pairs[:demonstrations]), tuple(pairs[demonstrations:]), training=False))
    return made


# ------------------------------------------------------------------------------------------------------------ the rules
def mirror(grid: Cells, axis: int) -> Cells:
    """Upside down (axis 0) or left to right (axis 1)."""
    return np.flip(grid, axis)


def turn(grid: Cells, quarters: int) -> Cells:
    """Turned by N quarters, against the clock."""
    return np.rot90(grid, quarters)


def recolor(grid: Cells, one: int, other: int) -> Cells:
    """Two colors change places."""
    return np.where(grid == one, other, np.where(grid == other, one, grid))


def fall(grid: Cells, side: int) -> Cells:
    """Every colored cell falls down (side 0), or to the right, up or left (1, 2, 3), and rests on what lies there."""
    turned = np.rot90(grid, -side)
    order = np.argsort(turned != 0, axis=0, kind="stable")  # black first, the others in their order
    return np.rot90(np.take_along_axis(turned, order, axis=0), side)


def slide(grid: Cells, down: int, right: int) -> Cells:
    """Everything moves; what leaves the grid comes in again on the other side."""
    return np.roll(grid, (down, right), (0, 1))


def outline(grid: Cells, color: int) -> Cells:
    """Black cells that touch a colored one, corners included, take the color."""
    near = np.lib.stride_tricks.sliding_window_view(np.pad(grid != 0, 1), (3, 3)).any((-2, -1))
    return np.where(near & (grid == 0), color, grid)


def fill(grid: Cells, edge: int, color: int) -> Cells:
    """Black cells that a closed line of color `edge` surrounds take the color."""
    return np.where(_inside(grid == edge) & (grid == 0), color, grid)


def crop(grid: Cells) -> Cells:
    """The smallest rectangle that holds every colored cell."""
    rows, columns = (np.flatnonzero((grid != 0).any(axis)) for axis in (1, 0))
    return grid[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def count(grid: Cells, color: int) -> Cells:
    """One row with a cell for each time that the color stands in the grid."""
    return np.full((1, int((grid == color).sum())), color)


def enlarge(grid: Cells, factor: int) -> Cells:
    """Every cell becomes a square."""
    return np.kron(grid, np.ones((factor, factor), dtype=grid.dtype))


def rays(grid: Cells, axis: int) -> Cells:
    """Every colored cell colors its whole column (axis 0) or row (axis 1)."""
    return np.broadcast_to(grid.max(axis, keepdims=True), grid.shape)


def majority(grid: Cells) -> Cells:
    """One cell of the most frequent color, black left aside."""
    return np.array([[np.bincount(grid[grid != 0]).argmax()]])


def overlap(grid: Cells, color: int) -> Cells:
    """Of two halves with a gray line between them: the color where both are colored."""
    half = grid.shape[1] // 2
    return np.where((grid[:, :half] != 0) & (grid[:, half + 1 :] != 0), color, 0)


def complete(grid: Cells, axis: int) -> Cells:
    """The black half becomes the mirror image of the other."""
    return np.where(grid == 0, np.flip(grid, axis), grid)


def clean(grid: Cells) -> Cells:
    """Colored cells with no neighbor of their color, to the left, right, above or below, vanish."""
    same = np.zeros(grid.shape, dtype=bool)
    for axis in (0, 1):
        equal = np.diff(grid, axis=axis) == 0
        same |= np.insert(equal, 0, False, axis) | np.insert(equal, equal.shape[axis], False, axis)
    return np.where(same, grid, 0)


def frame(grid: Cells, color: int) -> Cells:
    """The rim of the grid takes the color."""
    framed = np.full_like(grid, color)
    framed[1:-1, 1:-1] = grid[1:-1, 1:-1]
    return framed


# ----------------------------------------------------------------------------------------------------------- the inputs
def _shape(rng: np.random.Generator, side: int, least: int = 3) -> NDArray[np.int64]:
    return rng.integers(min(least, side), side + 1, 2)


def _palette(rng: np.random.Generator, without: Sequence[int] = ()) -> NDArray[np.int64]:
    """Two to four colors."""
    return rng.choice([color for color in _COLORS if color not in without], int(rng.integers(2, 5)), replace=False)


def _scattered(
    rng: np.random.Generator, side: int, *parameters: int, share: float = 0.4, without: Sequence[int] = ()
) -> Cells:
    """Cells of a few colors on black, at least one."""
    shape = _shape(rng, side)
    grid = np.where(rng.random(shape) < share, rng.choice(_palette(rng, without), shape), 0)
    grid[tuple(rng.integers(0, shape))] = _palette(rng, without)[0]
    return grid


def _with_both(rng: np.random.Generator, side: int, one: int, other: int) -> Cells:
    grid = _scattered(rng, side)
    first, second = rng.choice(grid.size, 2, replace=False)
    grid.flat[first], grid.flat[second] = one, other
    return grid


def _dots(rng: np.random.Generator, side: int, color: int) -> Cells:
    return _scattered(rng, side, share=0.06, without=(color,))


def _boxes(rng: np.random.Generator, side: int, edge: int, color: int) -> Cells:
    """One or two hollow boxes, which may share cells, and loose cells of another color outside them."""
    shape = _shape(rng, side, least=5)
    grid = np.zeros(shape, dtype=np.int64)
    for _ in range(int(rng.integers(1, 3))):
        height, width = (int(rng.integers(3, most + 1)) for most in shape)
        top, left = int(rng.integers(0, shape[0] - height + 1)), int(rng.integers(0, shape[1] - width + 1))
        grid[[top, top + height - 1], left : left + width] = edge
        grid[top : top + height, [left, left + width - 1]] = edge
    outside = ~_inside(grid == edge) & (rng.random(shape) < 0.1)
    return np.where(outside, _palette(rng, (edge, color))[0], grid)


def _patch(rng: np.random.Generator, side: int) -> Cells:
    """A small pattern somewhere on black."""
    grid = np.zeros(_shape(rng, side, least=4), dtype=np.int64)
    pattern = _scattered(rng, max(2, min(grid.shape) // 2))
    down, right = (int(rng.integers(0, most - size + 1)) for most, size in zip(grid.shape, pattern.shape, strict=True))
    grid[down : down + pattern.shape[0], right : right + pattern.shape[1]] = pattern
    return grid


def _counted(rng: np.random.Generator, side: int, color: int) -> Cells:
    """The color 1 to `side` times, among cells of other colors."""
    grid = _scattered(rng, side, share=0.3, without=(color,))
    places = rng.choice(grid.size, int(rng.integers(1, min(side, grid.size) + 1)), replace=False)
    grid.flat[places] = color
    return grid


def _small(rng: np.random.Generator, side: int, factor: int) -> Cells:
    return _scattered(rng, max(1, side // factor), share=0.6)


def _apart(rng: np.random.Generator, side: int, axis: int) -> Cells:
    """Colored cells of which no two stand in one column (axis 0) or row (axis 1), and not all lines have one."""
    grid = np.zeros(_shape(rng, side), dtype=np.int64)
    lines = grid.shape[1 - axis]
    for line in rng.choice(lines, int(rng.integers(1, lines)), replace=False):
        np.moveaxis(grid, 1 - axis, 0)[line, rng.integers(grid.shape[axis])] = rng.choice(_COLORS)
    return grid


def _ruled(rng: np.random.Generator, side: int) -> Cells:
    """One color is strictly more frequent than any other."""
    while True:
        grid = _scattered(rng, side, share=0.7)
        counts = np.sort(np.bincount(grid[grid != 0], minlength=10))
        if counts[-1] > counts[-2] > 0:
            return grid


def _halves(rng: np.random.Generator, side: int, color: int) -> Cells:
    height, half = int(rng.integers(2, side + 1)), int(rng.integers(2, (side - 1) // 2 + 1))
    left, right = _palette(rng, (GRAY, color))[:2]
    grid = np.full((height, 2 * half + 1), GRAY)
    grid[:, :half] = left * (rng.random((height, half)) < 0.5)
    grid[:, half + 1 :] = right * (rng.random((height, half)) < 0.5)
    return grid


def _half(rng: np.random.Generator, side: int, axis: int) -> Cells:
    """One half colored, the other black."""
    grid = np.moveaxis(_scattered(rng, side, share=0.6), axis, 0)
    middle = grid.shape[0] // 2
    if rng.random() < 0.5:
        grid[grid.shape[0] - middle :] = 0
    else:
        grid[:middle] = 0
    return np.moveaxis(grid, 0, axis)


def _noisy(rng: np.random.Generator, side: int) -> Cells:
    """Rectangles with loose cells between them."""
    grid = _scattered(rng, side, share=0.12)
    for _ in range(int(rng.integers(1, 3))):
        height, width = (int(rng.integers(2, max(3, most // 2) + 1)) for most in grid.shape)
        down, right = (
            int(rng.integers(0, most - size + 1)) for most, size in zip(grid.shape, (height, width), strict=True)
        )
        grid[down : down + height, right : right + width] = rng.choice(_COLORS)
    return grid


def _inside(line: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells of a line, and those that it surrounds."""
    from scipy import ndimage  # most of what `import gram` would cost beside torch

    return ndimage.binary_fill_holes(line)


def _each(values: Sequence[Any]) -> tuple[tuple[int, ...], ...]:
    return tuple((int(value),) for value in values)


RULES: dict[str, Rule] = {
    "mirror": Rule(mirror, _scattered, _each((0, 1))),
    "turn": Rule(turn, _scattered, _each((1, 2, 3))),
    "recolor": Rule(recolor, _with_both, tuple(combinations(_COLORS, 2))),
    "fall": Rule(fall, _scattered, _each((0, 1, 2, 3))),
    "slide": Rule(slide, _scattered, tuple(way for way in product((-1, 0, 1), repeat=2) if any(way))),
    "outline": Rule(outline, _dots, _each(_COLORS)),
    "fill": Rule(fill, _boxes, tuple(permutations(_COLORS, 2))),
    "crop": Rule(crop, _patch, ((),)),
    "count": Rule(count, _counted, _each(_COLORS)),
    "enlarge": Rule(enlarge, _small, _each((2, 3))),
    "rays": Rule(rays, _apart, _each((0, 1))),
    "majority": Rule(majority, _ruled, ((),)),
    "overlap": Rule(overlap, _halves, _each([color for color in _COLORS if color != GRAY])),
    "complete": Rule(complete, _half, _each((0, 1))),
    "clean": Rule(clean, _noisy, ((),)),
    "frame": Rule(frame, _scattered, _each(_COLORS)),
}
