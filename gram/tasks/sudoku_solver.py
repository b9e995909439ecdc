"""Exact search for Sudoku, many boards at once; by means of it, random boards and puzzles; and which are symmetric.

A board is a column of bit masks, options [cell, board]: bit d - 1 says that digit d may still stand there. All boards
of a batch are propagated together, with numpy over the last axis, and every guess makes one new board per digit. What
is searched does not depend on the batch: naked and hidden singles are followed to their end, then the first cell with
the fewest options is tried with each of its digits. The number of contradictions met while the whole tree is searched
is the rating of a puzzle (as in shared/data/README.md, there averaged over eight presentations of it).

Left out: stronger rules (pairs, chains), as ratings are counted without them; and uniform sampling. A random board is
filled cell by cell with random digits and begun anew when it contradicts itself, so not all boards are equally likely.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

BOXES: dict[int, tuple[int, int]] = {4: (2, 2), 6: (2, 3), 9: (3, 3), 16: (4, 4)}
"""Rows and columns of a box, by the size of the board."""

Options = NDArray[np.uint16]
Digits = NDArray[np.uint8]

# Boards propagated together: enough to hide numpy's overhead, few enough to stay in the cache of a core.
CHUNK = 1024


@dataclass(frozen=True)
class Found:
    """What a search met.

    Attributes:
        count: [board] solutions, at most the limit.
        contradictions: [board] dead ends; the rating of the board if the search had no limit.
        digits: [solution, cell] the solutions, and `board`: [solution] which board each belongs to, rising.
        finished: whether the search came to its end.
    """

    count: NDArray[np.int64]
    contradictions: NDArray[np.int64]
    digits: Digits
    board: NDArray[np.int64]
    finished: bool


@cache
def units(size: int) -> NDArray[np.int64]:
    """The cells of every row, column and box: [unit, member], rows first, then columns, then boxes."""
    high, wide = BOXES[size]
    cells = np.arange(size * size).reshape(size, size)
    boxes = cells.reshape(size // high, high, size // wide, wide).swapaxes(1, 2).reshape(size, size)
    return np.concatenate([cells, cells.T, boxes])


@cache
def _units_of(size: int) -> NDArray[np.int64]:
    """The row, column and box of every cell: [3, cell], as indices into `units`."""
    return np.argsort(units(size).reshape(3, -1), axis=1) // size + np.arange(3)[:, None] * size


def options(digits: Digits, size: int) -> Options:
    """Boards of digits [board, cell], 0 where nothing is known, as options [cell, board]."""
    bits = np.array([(1 << size) - 1, *(1 << digit for digit in range(size))], dtype=np.uint16)
    return bits[np.asarray(digits).T]


def search(start: Options, size: int, limit: int | None = None, effort: int | None = None) -> Found:
    """Every solution of each board, or the first `limit` of each.

    Args:
        start: [cell, board] options.
        limit: leave a board alone once it has `limit` solutions; which these are depends on nothing but the batch.
        effort: give up when more boards than this, guesses included, were propagated.
    """
    boards = start.shape[1]
    count = np.zeros(boards, dtype=np.int64)
    contradictions = np.zeros(boards, dtype=np.int64)
    digits, board = [np.empty((0, size * size), dtype=np.uint8)], [np.empty(0, dtype=np.int64)]
    pieces = range((boards - 1) // CHUNK * CHUNK, -1, -CHUNK)
    seen = 0
    stack = [(start[:, at : at + CHUNK], np.arange(at, min(at + CHUNK, boards))) for at in pieces]
    while stack and (effort is None or seen <= effort):
        state, owner = stack.pop()
        while stack and state.shape[1] + stack[-1][0].shape[1] <= CHUNK:
            more, whose = stack.pop()
            state, owner = np.concatenate([more, state], axis=1), np.concatenate([whose, owner])
        if limit is not None:
            wanted = count[owner] < limit
            state, owner = state[:, wanted], owner[wanted]
        seen += state.shape[1]
        state, dead = propagate(state, size)
        np.add.at(contradictions, owner[dead], 1)
        left = np.bitwise_count(state)
        ended = (left == 1).all(0) & ~dead
        if ended.any():
            np.add.at(count, owner[ended], 1)
            digits.append(_digits(state[:, ended]))
            board.append(owner[ended])
        going = ~ended & ~dead
        if going.any():
            children, parent = _guess(state[:, going], left[:, going], size)
            owner = owner[going][parent]
            stack += [
                (children[:, at : at + CHUNK], owner[at : at + CHUNK])
                for at in range((len(owner) - 1) // CHUNK * CHUNK, -1, -CHUNK)
            ]
    whose = np.concatenate(board)
    order = np.argsort(whose, kind="stable")
    whose, found = whose[order], np.concatenate(digits)[order]
    if limit is not None:
        first = np.arange(len(whose)) - np.searchsorted(whose, whose) < limit
        whose, found, count = whose[first], found[first], np.minimum(count, limit)
    return Found(count, contradictions, found, whose, not stack)


def propagate(state: Options, size: int) -> tuple[Options, NDArray[np.bool_]]:
    """Follow naked and hidden singles to their end: options [cell, board], and which boards contradict themselves."""
    members, of = units(size).T, _units_of(size)
    every = np.uint16((1 << size) - 1)
    result, dead = state.copy(), np.zeros(state.shape[1], dtype=bool)
    active, part = np.arange(state.shape[1]), state
    while len(active):
        known = np.where(part & (part - np.uint16(1)), np.uint16(0), part)
        taken = np.bitwise_or.reduce(known[members], axis=0)  # [unit, board]
        after = np.where(known, part, part & ~_any(taken, of))
        once = np.zeros_like(taken)
        twice = np.zeros_like(taken)
        for cells in members:
            here = after[cells]
            twice |= once & here
            once |= here
        # A digit without a place; a digit known twice (elsewhere it was just struck out); a cell without a digit.
        wrong = ((once != every) | (twice & taken)).any(0) | (after == 0).any(0)
        alone = after & _any(once & ~twice, of)
        after = np.where(alone, alone, after)
        # A cell that must hold two digits at once.
        wrong |= (alone & (alone - np.uint16(1)) & np.where(alone, every, np.uint16(0))).any(0)
        changed = (after != part).any(0) & ~wrong
        dead[active[wrong]] = True
        result[:, active] = after
        active, part = active[changed], after[:, changed]
    return result, dead


def _any(unit: Options, of: NDArray[np.int64]) -> Options:
    """Digits [unit, board] gathered to the cells of the units: [cell, board]."""
    return unit[of[0]] | unit[of[1]] | unit[of[2]]


def _guess(state: Options, left: Digits, size: int) -> tuple[Options, NDArray[np.int64]]:
    """Each board once for every option of its first cell with fewest: options [cell, child] and parent [child]."""
    cell = np.where(left == 1, size + 1, left).argmin(0)
    bits = (1 << np.arange(size)).astype(np.uint16)
    parent, digit = np.nonzero(state[cell, np.arange(len(cell))][:, None] & bits)
    children = state[:, parent]
    children[cell[parent], np.arange(len(parent))] = bits[digit]
    return children, parent


def _digits(state: Options) -> Digits:
    """Solved options [cell, board] as digits [board, cell]."""
    return (np.bitwise_count(state - np.uint16(1)) + 1).T.astype(np.uint8)


def random_boards(size: int, boards: int, rng: np.random.Generator) -> Digits:
    """Full boards [board, cell], each filled at random; every board can occur, though not equally often."""
    result = np.empty((boards, size * size), dtype=np.uint8)
    state, active = _begun(size, boards, rng), np.arange(boards)
    while len(active):
        state, dead = propagate(state, size)
        state[:, dead] = _begun(size, int(dead.sum()), rng)
        left = np.bitwise_count(state)
        ended = (left == 1).all(0)
        result[active[ended]] = _digits(state[:, ended])
        state, left, active = state[:, ~ended], left[:, ~ended], active[~ended]
        at = np.arange(len(active))
        # One of the cells with fewest options, and one of its digits: the largest of random numbers.
        cell = np.where(left == 1, size + 1, left + rng.random(left.shape)).argmin(0)
        bits = (1 << np.arange(size)).astype(np.uint16)
        choice = (((state[cell, at][:, None] & bits) > 0) * (1 - rng.random((len(at), size)))).argmax(1)
        state[cell, at] = bits[choice]
    return result


def _begun(size: int, boards: int, rng: np.random.Generator) -> Options:
    """Options [cell, board] of boards whose first row is filled at random."""
    digits = np.zeros((boards, size * size), dtype=np.uint8)
    digits[:, :size] = rng.permuted(np.tile(np.arange(1, size + 1, dtype=np.uint8), (boards, 1)), axis=1)
    return options(digits, size)


def dig(full: Digits, clues: NDArray[np.integer], size: int, rng: np.random.Generator) -> Digits:
    """Take digits away from full boards [board, cell], in random order, as long as one solution remains.

    Args:
        clues: [board] stop when N digits are left; a board of which none can be spared any more keeps more.
    Returns:
        puzzles [board, cell], 0 where a digit was taken.
    """
    puzzles = full.copy()
    every = np.uint16((1 << size) - 1)
    for cell in rng.permuted(np.tile(np.arange(size * size), (len(full), 1)), axis=1).T:
        which = np.flatnonzero((puzzles > 0).sum(1) > clues)
        cell = cell[which]
        # The digit can be spared if no other digit at its place leads to a solution.
        state = options(puzzles[which], size)
        state[cell, np.arange(len(which))] ^= every
        spared = search(state, size, limit=1).count == 0
        puzzles[which[spared], cell[spared]] = 0
    return puzzles


def symmetric(x: Digits, y: Digits, size: int, rng: np.random.Generator) -> tuple[Digits, Digits]:
    """Tokens of puzzles [row, cell] and their answers (0 pad, 1 blank), each row under a random symmetry of its own."""
    rows = len(x)
    high, wide = BOXES[size]
    names = np.tile(np.arange(size + 2, dtype=np.uint8), (rows, 1))  # [row, token]; pad and blank stay
    names[:, 2:] = rng.permuted(names[:, 2:], axis=1)

    def lines(group: int) -> NDArray[np.int64]:
        """Rows or columns [row, line] in an order that keeps groups together."""
        outer = rng.random((rows, size // group, 1)).argsort(1)
        inner = rng.random((rows, size // group, group)).argsort(2)
        return (outer * group + inner).reshape(rows, size)

    down, across = lines(high)[:, :, None], lines(wide)[:, None, :]
    place = down * size + across
    if high == wide:
        place = np.where(rng.random((rows, 1, 1)) < 0.5, place.swapaxes(1, 2), place)
    place = place.reshape(rows, size * size)
    moved = (np.take_along_axis(tokens, place, axis=1) for tokens in (x, y))
    one, other = (np.take_along_axis(names, tokens.astype(np.int64), axis=1) for tokens in moved)
    return one, other


def puzzle_classes(digits: Digits) -> NDArray[np.int64]:
    """A number [puzzle], equal for just those 4 x 4 puzzles [puzzle, cell] (0 = blank) that are symmetric copies.

    It is the smallest, over all 128 arrangements of rows and columns, of the board read as a number to the base 5, its
    digits renamed in the order in which they are met.
    """
    lines = [order for order in permutations(range(4)) if order[0] // 2 == order[1] // 2]
    places = np.array([np.add.outer(np.multiply(4, down), across) for down in lines for across in lines])
    smallest = np.full(len(digits), 5**16)
    for place in np.concatenate([places, places.swapaxes(1, 2)]).reshape(-1, 16):
        moved = digits[:, place]
        here = moved[:, :, None] == np.arange(1, 5)  # [puzzle, cell, digit]
        met = np.where(here.any(1), here.argmax(1), 16)
        names = np.pad(met.argsort(1, kind="stable").argsort(1) + 1, ((0, 0), (1, 0)))
        renamed = np.take_along_axis(names, moved.astype(np.int64), axis=1)
        smallest = np.minimum(smallest, renamed @ 5 ** np.arange(16))
    return smallest


def board_classes(full: Digits, size: int) -> NDArray[np.int64]:
    """A number [board] that is equal for full boards [board, cell] that are the same up to symmetry.

    It may be equal for others too, which only makes classes larger. Two rows of a band are a permutation of the
    digits; the lengths of its cycles outlast every symmetry, up to the order of rows and bands, and which are rows.
    """
    high, wide = BOXES[size]
    square = full.reshape(-1, size, size).astype(np.int64) - 1
    turned = square.swapaxes(1, 2)
    if high == wide:  # rows may become columns, so their numbers must mean the same
        sides = np.sort(_cycles(np.concatenate([square, turned]), high).reshape(2, -1).T, axis=1)
    else:
        sides = np.stack([_cycles(square, high), _cycles(turned, wide)], axis=1)
    return np.unique(sides, axis=0, return_inverse=True)[1].reshape(-1)


def unseen_kinds(boards: Digits, train: Digits, size: int, random: int) -> tuple[int, int]:
    """How many full boards [board, cell] no training board equals up to symmetry, and how many of `random` boards that
    are drawn at random; kinds are those of `board_classes`, so what is unseen is surely so."""
    drawn = random_boards(size, random, np.random.default_rng(0))
    digits = np.concatenate([part - np.min(part) + 1 for part in (train, boards, drawn)])
    known, *kinds = np.split(board_classes(digits, size), np.cumsum([len(train), len(boards)]))
    of_boards, of_drawn = (int(np.isin(part, known, invert=True).sum()) for part in kinds)
    return of_boards, of_drawn


def _cycles(square: NDArray[np.int64], group: int) -> NDArray[np.int64]:
    """Of each board [board, line, place], one number [board] for the cycles between the lines of every group."""
    boards, size, _ = square.shape
    where = square.argsort(2)  # [board, line, digit]
    first, second = np.array([(a, b) for a in range(size) for b in range(a + 1, size) if a // group == b // group]).T
    turn = np.take_along_axis(square[:, second], where[:, first], axis=2)  # [board, pair, digit] -> digit
    power, kind = turn, np.zeros((boards, len(first)), dtype=np.int64)
    for _ in range(size // 2):
        kind = kind * (size + 1) + (power == np.arange(size)).sum(2)
        power = np.take_along_axis(turn, power, axis=2)
    bands = np.sort(kind.reshape(boards, size // group, -1), axis=2)
    names = np.unique(bands.reshape(-1, bands.shape[2]), axis=0, return_inverse=True)[1]
    return np.unique(np.sort(names.reshape(boards, -1), axis=1), axis=0, return_inverse=True)[1].reshape(-1)
