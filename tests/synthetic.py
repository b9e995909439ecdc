"""Rollouts for tests: real puzzles and real answers, but no model. Chains that morph from noise to a chosen board.

Every rollout here is made by `gram.rollout.make`, so it is as legal as a recorded one. What is synthetic is said, so
that nobody mistakes it for a result: each trajectory is given its final board beforehand (a true solution, or one
broken in one place), the token probabilities drift from one shared noise towards that board, `h` is a fixed random
linear code of those probabilities, and `halt` and `value` rise with certainty. The checkpoint's text seeds the code,
so that rollouts "of one checkpoint" share a space of h, and those of two do not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram import rollout
from gram.board import Board, Token

Tokens = NDArray[np.int8]


def queens(
    trajectories: int = 50,
    *,
    supervision_steps: int = 16,
    transitions: int = 2,
    low_steps: int = 0,
    seed: int = 0,
    model: str = "gram",
    name: str | None = None,
    checkpoint: str = "synthetic-gram",
    size: int = 8,
    givens: int = 2,
    wrong: float = 0.38,
    features: int = 128,
    puzzles: int = 1,
) -> xr.Dataset:
    """A rollout of n-queens with `givens` queens given; the same puzzles for every seed, model and checkpoint.

    A share `wrong` of the trajectories ends with a queen that attacks another. Steps = 1 + supervision_steps x
    transitions, and with `low_steps` = K also the K low-level updates before each transition's end (with the
    variable `l`).
    """
    board = queens_board(size)
    solutions = queens_solutions(size)
    chosen = np.random.default_rng(8)  # the puzzles must not depend on `seed`: rollouts are compared on the same puzzle
    x, y, targets, known = [], [], [], []
    rng = np.random.default_rng(seed)
    for _ in range(puzzles):
        solution = solutions[chosen.integers(len(solutions))]
        places = chosen.choice(np.flatnonzero(solution == 2), size=givens, replace=False)
        puzzle = np.ones(board.positions, np.int8)
        puzzle[places] = 2
        fitting = solutions[(solutions[:, places] == 2).all(1)]
        x.append(puzzle)
        y.append(solution)
        known.append(len(fitting))
        targets.append([_break(board, puzzle, fitting, rng, wrong) for _ in range(trajectories)])
    return _record(
        board, np.stack(x), np.stack(y), np.array(targets), np.array(known), supervision_steps, transitions, low_steps,
        seed, model, name, checkpoint, features,
    )  # fmt: skip


def sudoku(
    trajectories: int = 6,
    *,
    box: int = 2,
    supervision_steps: int = 6,
    transitions: int = 2,
    low_steps: int = 0,
    seed: int = 0,
    model: str = "gram",
    name: str | None = None,
    checkpoint: str = "synthetic-gram",
    wrong: float = 0.38,
    features: int = 16,
    puzzles: int = 1,
) -> xr.Dataset:
    """A rollout of Sudoku, box x box boxes (2 = 4x4, 3 = 9x9), about two cells in five given."""
    board, side = sudoku_board(box), box * box
    chosen, rng = np.random.default_rng(9), np.random.default_rng(seed)
    x, y, targets = [], [], []
    for _ in range(puzzles):
        row, column = np.divmod(np.arange(side * side), side)
        digit = chosen.permutation(side)[(box * (row % box) + row // box + column) % side]
        solution = (digit + 2).astype(np.int8)
        puzzle = np.where(chosen.random(side * side) < 0.4, solution, 1).astype(np.int8)
        x.append(puzzle)
        y.append(solution)
        targets.append([_break(board, puzzle, solution[None], rng, wrong) for _ in range(trajectories)])
    return _record(
        board, np.stack(x), np.stack(y), np.array(targets), np.ones(puzzles, int), supervision_steps, transitions,
        low_steps, seed, model, name, checkpoint, features,
    )  # fmt: skip


def graph(trajectories: int = 5, *, supervision_steps: int = 5, seed: int = 0, **more: Any) -> xr.Dataset:
    """A rollout of coloring a ring of eight nodes with two chords in three colors, one node given."""
    board = graph_board()
    ring = np.array([2, 3, 2, 3, 2, 3, 4, 3], np.int8)
    solutions = np.stack([np.r_[ring[:6], 4, 3], np.r_[2, 3, 4, 3, 2, 3, 4, 3]]).astype(np.int8)
    x = np.ones(8, np.int8)
    x[0] = 2
    rng = np.random.default_rng(seed)
    targets = np.array([[_break(board, x, solutions, rng, 0.4) for _ in range(trajectories)]])
    settings = {"model": "gram", "name": None, "checkpoint": "synthetic-gram", "features": 16} | more
    return _record(
        board, x[None], solutions[:1], targets, np.array([len(solutions)]), supervision_steps, 2, 0, seed, **settings
    )


def colors(trajectories: int = 3, *, supervision_steps: int = 4, seed: int = 0) -> xr.Dataset:
    """A rollout in the manner of ARC: a 5x6 grid of ten colors without rules; `valid` says whether the answer is y."""
    names = ("black", "blue", "red", "green", "yellow", "gray", "pink", "orange", "azure", "maroon")
    tokens = (Token("padding"), Token("outside"), *(Token(name, str(i), "color") for i, name in enumerate(names)))
    board = Board("arc", "Mirror the figure", "grid", 5, 6, tokens, blank=(1,))
    solution = (2 + (np.arange(30) * 7 // 3) % 10).astype(np.int8)
    return _free(board, np.ones(30, np.int8), solution, trajectories, supervision_steps, seed)


def image(trajectories: int = 4, *, supervision_steps: int = 4, seed: int = 0, size: int = 8) -> xr.Dataset:
    """A rollout of a black and white picture (a ring) without givens and without rules."""
    tokens = (Token("padding"), Token("black", "", "pixel"), Token("white", "", "pixel"))
    board = Board("mnist", "A digit", "image", size, size, tokens, blank=(0, 1, 2))
    row, column = (np.mgrid[:size, :size] - (size - 1) / 2) * 8 / size
    picture = np.where(np.abs(np.hypot(row, column) - 2.7) < 0.8, 2, 1).astype(np.int8).ravel()
    return _free(board, np.zeros(size * size, np.int8), picture, trajectories, supervision_steps, seed)


def queens_board(size: int = 8) -> Board:
    """Ranks and files hold one queen; diagonals at most one. Tokens: 0 padding, 1 empty (not given in x), 2 queen."""
    cell = np.arange(size * size).reshape(size, size)
    lines = [*cell, *cell.T]
    for turned in (cell, cell[::-1]):
        lines += [turned.diagonal(k) for k in range(2 - size, size - 1)]
    return Board(
        "nqueens", f"{size} queens", "grid", size, size,
        (Token("padding"), Token("empty"), Token("queen", "Q", "queen")),
        blank=(1,), groups=tuple(tuple(map(int, line)) for line in lines), exclusive=(2,), required=((2, size),),
        checkered=True,
    )  # fmt: skip


def queens_solutions(size: int = 8) -> Tokens:
    """All solutions [solution, position] in lexicographic order of the files; 92 for eight queens."""
    rows = np.arange(size)
    found = [
        files
        for files in permutations(range(size))
        if len(set(np.add(files, rows))) == size == len(set(np.subtract(files, rows)))
    ]
    boards = np.ones((len(found), size, size), np.int8)
    for board, files in zip(boards, found, strict=True):
        board[rows, files] = 2
    return boards.reshape(len(found), -1)


def sudoku_board(box: int = 3) -> Board:
    """Rows, columns and boxes hold each digit once. Tokens: 0 padding, 1 blank, 2 onwards the digits from 1."""
    side = box * box
    cell = np.arange(side * side).reshape(side, side)
    boxes = cell.reshape(box, box, box, box).swapaxes(1, 2).reshape(side, side)
    digits = tuple(Token(str(d), str(d)) for d in range(1, side + 1))
    return Board(
        "sudoku", f"Sudoku {side}x{side}", "grid", side, side, (Token("padding"), Token("blank"), *digits), blank=(1,),
        groups=tuple(tuple(map(int, g)) for g in (*cell, *cell.T, *boxes)), exclusive=tuple(range(2, side + 2)),
        box=(box, box),
    )  # fmt: skip


def graph_board() -> Board:
    """Eight nodes on a circle, edges of the ring and two chords; tokens 2 to 4 are colors."""
    edges = [(i, (i + 1) % 8) for i in range(8)] + [(0, 3), (2, 7)]
    angle = np.arange(8) * np.pi / 4
    return Board(
        "coloring", "Coloring of 8 nodes", "graph", 1, 8,
        (Token("padding"), Token("blank"), Token("red", "R", "color"), Token("green", "G", "color"),
         Token("blue", "B", "color")),
        blank=(1,), groups=tuple(edges), exclusive=(2, 3, 4),
        xy=tuple((0.5 + 0.45 * float(np.sin(a)), 0.5 - 0.45 * float(np.cos(a))) for a in angle),
    )  # fmt: skip


def without(data: xr.Dataset, *names: str) -> xr.Dataset:
    """The same rollout with some variables never recorded."""
    return data.drop_vars(list(names), errors="ignore")


def _break(board: Board, x: Tokens, solutions: Tokens, rng: np.random.Generator, wrong: float) -> Tokens:
    """One of the solutions or, with probability `wrong`, one of its first few broken by exchanging two free tokens."""
    if rng.random() >= wrong:
        return solutions[rng.integers(len(solutions))]
    target = solutions[rng.integers(min(2, len(solutions)))].copy()  # few wrong valleys: several trajectories share one
    free = np.flatnonzero(~board.given(x))
    local = np.random.default_rng(rng.integers(2))
    while True:
        a, b = local.choice(free, 2, replace=False)
        if target[a] != target[b]:
            broken = target.copy()
            broken[[a, b]] = broken[[b, a]]
            if board.violations(broken) > 0:
                return broken


def _free(board: Board, x: Tokens, y: Tokens, trajectories: int, supervision_steps: int, seed: int) -> xr.Dataset:
    """A rollout on a board without rules: each trajectory ends in y, or in y with one position changed."""
    targets = np.repeat(y[None], trajectories, 0)
    targets[1::2, 0] = np.where(targets[1::2, 0] == 2, 1, 2)
    data = _record(
        board, x[None], y[None], targets[None], np.array([1]), supervision_steps, 2, 0, seed, "gram", None, "synthetic",
        8,
    )  # fmt: skip
    data["valid"] = (data["tokens"] == data["y"]).all("position")
    return rollout.check(data)


def _record(
    board: Board, x: Tokens, y: Tokens, targets: Tokens, known: NDArray[np.integer], supervision_steps: int,
    transitions: int, low_steps: int, seed: int, model: str, name: str | None, checkpoint: str, features: int,
) -> xr.Dataset:  # fmt: skip
    """The rollout whose trajectories [puzzle, trajectory] end in `targets` [puzzle, trajectory, position]."""
    at = _times(supervision_steps, transitions, low_steps)  # [step, 3]
    ends = np.flatnonzero(at[:, 2] == 0)
    puzzles, trajectories, positions = targets.shape
    vocabulary, count = len(board.tokens), supervision_steps * transitions
    rng = np.random.default_rng(seed + 1)
    shared = np.random.default_rng(int.from_bytes(hashlib.sha256(checkpoint.encode()).digest()[:4], "big"))

    time = np.arange(count + 1)
    middle = count * (0.15 + 0.3 * rng.random((puzzles, trajectories, 1, positions)))  # when a cell makes up its mind
    pull = 1 / (1 + np.exp(-(time[:, None] - middle) / (0.03 * count + 0.3)))  # [puzzle, trajectory, time, position]
    pull[:, :, 0] = 0
    start = shared.normal(size=(positions, vocabulary))
    walk = np.cumsum(rng.normal(size=(puzzles, trajectories, count + 1, positions, vocabulary)), 2)
    noise = start + 0.25 * np.where(time[:, None, None] > 0, walk, 0) * (1 - pull[..., None])
    final = np.eye(vocabulary)[targets][:, :, None]
    given = np.eye(vocabulary)[x] * board.given(x)[..., None]
    logits = noise + 7 * pull[..., None] * final + 9 * given[:, None, None] * (time > 0)[:, None, None]
    logits[..., 0] -= 6  # padding is never an answer
    probability = np.exp(logits - logits.max(-1, keepdims=True))
    probability /= probability.sum(-1, keepdims=True)
    probability = probability.astype(np.float16)
    tokens = probability.argmax(-1).astype(np.uint8)

    code = shared.normal(size=(positions, vocabulary, features)).astype(np.float32)
    still = np.float32(0.3) * (1 - pull.mean(-1)).astype(np.float32)
    h = np.einsum("pntlv,lvf->pntlf", probability.astype(np.float32), code, optimize=True)
    rough = rng.standard_normal(h.shape, dtype=np.float32)
    rough[:, :, 0] = 0  # the initial state is one fixed state
    h = (h + still[..., None, None] * rough).astype(np.float16)

    sure = probability.max(-1).mean(-1).astype(np.float32)  # [puzzle, trajectory, time]
    right = board.violations(tokens) == 0 if board.groups else (tokens == y[:, None, None]).all(-1)
    # Most wrong trajectories stop all the same, sure of themselves; the others never do ("not finished").
    trust = np.where(right, 1, np.where(rng.random((puzzles, trajectories, 1)) < 0.7, 0.8, 0.45))
    halt = (0.98 * sure**2 * trust).astype(np.float32)
    value = np.clip(sure - 0.3 * ~right + 0.02 * rng.normal(size=sure.shape), 0, 1).astype(np.float32)
    variables = {"tokens": tokens, "probability": probability, "h": h, "halt": halt, "value": value}
    # A recorded low-level step (i, j, k) shows the answer of the transition before it, as the schema says.
    shown = np.searchsorted(ends, np.arange(len(at)))
    variables = {key: array[:, :, np.where(at[:, 2] == 0, shown, shown - 1)] for key, array in variables.items()}
    if low_steps:
        part = np.where(at[:, 2] == 0, low_steps, at[:, 2]) / low_steps  # how far l has moved in its transition
        before, after = h[:, :, np.maximum(shown - 1, 0)], h[:, :, shown]
        blend = part.astype(np.float16)[:, None, None]
        variables["l"] = (before * (1 - blend) + after * blend).astype(np.float16)
    stops = variables["halt"] > 0.5
    halted_at = np.where(stops.any(-1), stops.argmax(-1), -1)
    return rollout.make(
        board, {"x": x, "y": y, "solutions_known": known, "halted_at": halted_at, **variables},
        supervision_step=at[:, 0], transition=at[:, 1], low_step=at[:, 2], model=model, name=name or model.upper(),
        checkpoint=hashlib.sha256(checkpoint.encode()).hexdigest(), seed=seed, created_at="2026-11-23T00:00:00+00:00",
        config='{"synthetic": true}',
    )  # fmt: skip


def _times(supervision_steps: int, transitions: int, low_steps: int) -> NDArray[np.int32]:
    """(supervision step, transition, low step) of every recorded state [step, 3]; see gram.rollout."""
    rows: list[Sequence[int]] = [(0, 0, 0)]
    for i in range(1, supervision_steps + 1):
        for j in range(1, transitions + 1):
            rows += [(i, j, k) for k in range(1, low_steps + 1)] + [(i, j, 0)]
    return np.array(rows, np.int32)
