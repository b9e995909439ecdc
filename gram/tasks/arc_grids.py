"""ARC grids as canvases of tokens and back, and the augmentations of an ARC task.

Encoding (12 tokens, HRM and TRM): 0 pad, 1 end, 2 to 11 the colors 0 to 9. A grid stands in the upper left corner of
a square canvas, and a line of end markers below it and one to its right close it, where the canvas has room for them.

Augmentation: the 8 symmetries of the square times the permutations of the colors 1 to 9 (black stays).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gram.board import largest
from gram.tasks.arc_files import SIDE, ArcTask, Grid
from gram.tasks.base import TaskError, Tokens

PAD, END, FIRST = 0, 1, 2  # FIRST is black; the color c is the token FIRST + c
RETRIES = 5  # draws per augmentation before a task is taken to have no more versions; HRM's ARCAugmentRetriesFactor


def encode(grid: Grid, canvas: int = SIDE) -> Tokens:
    """The canvas [..., position] of a grid [..., row, column].

    Raises:
        TaskError: the grid is larger than the canvas.
    """
    rows, columns = grid.shape[-2:]
    if max(rows, columns) > canvas:
        raise TaskError(f"the grid is {rows} x {columns}; this canvas holds at most {canvas} x {canvas}")
    tokens = np.full((*grid.shape[:-2], canvas, canvas), PAD, dtype=np.uint8)
    tokens[..., :rows, :columns] = grid + FIRST
    tokens[..., rows : rows + 1, :columns] = END  # empty slices where the grid reaches the rim
    tokens[..., :rows, columns : columns + 1] = END
    return tokens.reshape(*grid.shape[:-2], -1)


def decode(tokens: Tokens) -> Grid | None:
    """The grid [row, column] of a canvas [position]; None if no color stands in its corner.

    Of a malformed canvas it is the largest rectangle of colors in the upper left corner, the first of equals by its
    number of rows; this is HRM's and TRM's `_crop`, so scores can be compared.
    """
    rows, columns = (int(size) for size in sizes(tokens))
    if rows == 0:
        return None
    side = isqrt(tokens.shape[-1])
    return tokens.reshape(side, side)[:rows, :columns] - np.uint8(FIRST)


def sizes(tokens: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns [...] of the grids that `decode` reads from canvases [..., position]; 0 and 0 for None."""
    side = isqrt(tokens.shape[-1])
    return largest(tokens.reshape(*tokens.shape[:-1], side, side) >= FIRST)


def tidy(tokens: Tokens) -> Tokens:
    """Canvases [..., position] with only the grids that `decode` reads, so that equal answers are equal tokens."""
    side = isqrt(tokens.shape[-1])
    rows, columns = (size[..., None, None] for size in sizes(tokens))
    row, column = np.arange(side)[:, None], np.arange(side)
    inside = (row < rows) & (column < columns)
    end = ((row == rows) & (column < columns)) | ((row < rows) & (column == columns))
    canvas = tokens.reshape(*tokens.shape[:-1], side, side)
    return np.where(inside, canvas, np.where(end, END, PAD)).astype(np.uint8).reshape(tokens.shape)


def corner(tokens: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column [...] of the first color, in reading order, of canvases [..., position]; 0 and 0 without any."""
    down, right = np.divmod((tokens >= FIRST).argmax(-1), isqrt(tokens.shape[-1]))
    return down, right


def shifted(tokens: NDArray[Any], down: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[Any]:
    """Canvases [row, position] moved by N cells [row] each; what leaves is lost, what comes in is pad."""
    side = isqrt(tokens.shape[-1])
    rows = np.arange(side) - np.reshape(down, (-1, 1))  # [row, canvas row] where each comes from
    columns = np.arange(side) - np.reshape(right, (-1, 1))
    on = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[:, None, :]
    at = (rows % side * side)[:, :, None] + (columns % side)[:, None, :]
    moved = np.take_along_axis(tokens, np.broadcast_to(at, (len(tokens), side, side)).reshape(len(tokens), -1), 1)
    return np.where(on.reshape(-1, side * side), moved, np.zeros_like(moved))


@dataclass(frozen=True)
class Augmentation:
    """A change of task: new colors, then a symmetry of the square.

    Attributes:
        symmetry: 0 to 7: none, a quarter turn, a half, three quarters, left to right, upside down, transposed, and
            transposed across the other diagonal; HRM's `dihedral_transform`.
        colors: what each color becomes.
    """

    symmetry: int = 0
    colors: tuple[int, ...] = tuple(range(10))

    def apply(self, grid: Grid) -> Grid:
        """The changed grid."""
        return _dihedral(np.array(self.colors, dtype=np.uint8)[grid], self.symmetry)

    def invert(self, grid: Grid) -> Grid:
        """The grid that was changed into this one."""
        back = _dihedral(grid, {1: 3, 3: 1}.get(self.symmetry, self.symmetry))
        return np.argsort(self.colors).astype(np.uint8)[back]


def _dihedral(grid: Grid, symmetry: int) -> Grid:
    """A grid [row, column, ...] turned or mirrored."""
    if symmetry < 4:
        return np.rot90(grid, symmetry)
    return (np.fliplr(grid), np.flipud(grid), np.swapaxes(grid, 0, 1), np.fliplr(np.rot90(grid)))[symmetry - 4]


def augmentations(arc_task: ArcTask, count: int, seed: int) -> list[Augmentation]:
    """The unchanged version and at most `count` others, no two of which give equal grids.

    Drawn from (seed, name of the arc_task), so they do not depend on which other tasks there are.
    """
    rng = np.random.default_rng([seed, zlib.crc32(arc_task.name.encode())])
    made = {_digests(arc_task, [Augmentation()])[0]: Augmentation()} if count else {b"": Augmentation()}
    for _ in range(RETRIES):
        if len(made) > count:
            break
        colors = rng.permuted(np.tile(np.arange(1, 10), (count, 1)), axis=1).tolist()
        tried = [
            Augmentation(symmetry, (0, *row))
            for symmetry, row in zip(rng.integers(8, size=count).tolist(), colors, strict=True)
        ]
        for seen, version in zip(_digests(arc_task, tried), tried, strict=True):
            made.setdefault(seen, version)
    return list(made.values())[: count + 1]


def _digests(arc_task: ArcTask, versions: Sequence[Augmentation]) -> list[bytes]:
    """A digest of all grids of the arc_task in each version."""
    hashes = [hashlib.blake2b(digest_size=16) for _ in versions]
    for pair in arc_task.pairs:
        for grid in pair:
            for which, grids in changed(grid, versions):
                shape = bytes(grids.shape[1:])
                for at, version in zip(which, grids, strict=True):
                    hashes[at].update(shape + version.tobytes())
    return [digest.digest() for digest in hashes]


def changed(grid: Grid, versions: Sequence[Augmentation]) -> Iterator[tuple[NDArray[np.int64], Tokens]]:
    """Per symmetry: which versions have it, and the grid in each of them [version, row, column]."""
    symmetries = np.array([version.symmetry for version in versions])
    colors = np.array([version.colors for version in versions], dtype=np.uint8)
    for symmetry in np.unique(symmetries):
        which = np.flatnonzero(symmetries == symmetry)
        yield which, np.moveaxis(_dihedral(colors[which].T[grid], int(symmetry)), 2, 0)
