"""Rollouts of ARC for tests: real pairs of the task, but no model.

A trajectory starts with colors all over its canvas and, cell by cell, takes those of its answer. The first ends right,
the second with one cell wrong, the third with the last row missing; and again.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from gram import rollout
from gram.tasks.arc import ARC, ARCConfig
from gram.tasks.arc_grids import FIRST, decode, encode


def task(dataset: str = "practice", canvas: int = 12) -> ARC:
    """A few tasks."""
    return ARC(ARCConfig(dataset=dataset, canvas=canvas, tasks=16, demonstrations=2, tests=1))


def make(
    from_task: ARC | None = None, puzzles: tuple[int, ...] = (0,), trajectories: int = 6, steps: int = 6, seed: int = 0,
    model: str = "gram", split: str = "test",
) -> xr.Dataset:  # fmt: skip
    """A rollout of the pairs `puzzles`, judged by the task."""
    from_task = from_task or task()
    chosen = from_task.puzzles(split).take(puzzles)  # type: ignore[arg-type]
    board, rng = from_task.board, np.random.default_rng(seed)
    kinds = len(board.tokens)
    shape = (len(chosen), trajectories, steps + 1, board.positions)
    tokens, probability = np.zeros(shape, np.uint8), np.full((*shape, kinds), 0.0, np.float32)
    for p, k in np.ndindex(shape[:2]):
        target = answer(chosen.solutions[p][0], k % 3)
        guess = rng.integers(FIRST, kinds, board.positions)
        when = rng.integers(1, steps, board.positions)
        for s in range(steps + 1):
            decided = s >= when
            tokens[p, k, s] = np.where(decided, target, guess)
            sure = np.where(decided, 0.96, 0.5)
            probability[p, k, s] = ((1 - sure) / (kinds - 1))[:, None]
            probability[p, k, s, np.arange(board.positions), tokens[p, k, s]] = sure
    judged = from_task.judge(chosen, tokens)
    code = np.random.default_rng(5).normal(size=(kinds, 4))
    return rollout.make(
        board,
        {
            "x": chosen.x, "y": np.stack([found[0] for found in chosen.solutions]), "solutions_known": chosen.counts,
            "tokens": tokens, "probability": probability, "valid": judged.valid, "conflict": judged.conflict,
            "h": np.einsum("pnslv,vf->pnslf", probability, code).astype(np.float16),
        },
        model=model, checkpoint=model, seed=seed, created_at="2026-11-24T00:00:00+00:00",
    )  # fmt: skip


def answer(y: np.ndarray, fault: int) -> np.ndarray:
    """The canvas of the solution: as it is (0), with another color in its corner (1), or without its last row (2)."""
    grid = decode(y)
    assert grid is not None
    if fault == 1:
        grid = grid.copy()
        grid[0, 0] = (grid[0, 0] + 3) % 10
    if fault == 2 and len(grid) > 1:
        grid = grid[:-1]
    return encode(grid, int(np.sqrt(y.size)))
