"""Rollouts of graph coloring for tests: real graphs of the task and their real solutions, but no model.

A trajectory starts with nodes that have no color, guesses, and node by node takes the colors of one of the solutions;
every third trajectory ends with one node wrong on purpose.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from gram import rollout
from gram.tasks.base import Puzzles
from gram.tasks.coloring import FIRST, Coloring, ColoringConfig


def task(vertices: int = 8) -> Coloring:
    """A small set of graphs of 8 or 10 nodes."""
    probability = 0.6 if vertices <= 8 else 0.5
    return Coloring(ColoringConfig(vertices=vertices, edge_probability=probability, train_max=200, test_max=40))


def make(
    vertices: int = 8, puzzles: tuple[int, ...] = (0, 1), trajectories: int = 6, steps: int = 6, seed: int = 0,
    model: str = "gram",
) -> xr.Dataset:  # fmt: skip
    """A rollout of the test graphs `puzzles`, judged by the task."""
    from_task = task(vertices)
    chosen: Puzzles = from_task.puzzles("test").take(puzzles)
    board, rng = from_task.board, np.random.default_rng(seed)
    kinds, n = len(board.tokens), board.nodes
    shape = (len(chosen), trajectories, steps + 1, board.positions)
    tokens, probability = np.zeros(shape, np.uint8), np.zeros((*shape, kinds), np.float32)
    for p, k in np.ndindex(shape[:2]):
        target = chosen.solutions[p][k % len(chosen.solutions[p])].copy()
        if k % 3 == 2:
            end = board.edges(chosen.x[p])[0]
            target[end[0]] = target[end[1]]
        guess = np.concatenate([rng.integers(FIRST, kinds, n), chosen.x[p, n:]])
        when = rng.integers(1, steps, board.positions)
        for s in range(steps + 1):
            decided = s >= when
            shows = np.where(decided, target, guess)
            shows[:n] = shows[:n] * (s > 0)
            sure = np.where(decided, 0.96, 0.5)
            probability[p, k, s] = ((1 - sure) / (kinds - 1))[:, None]
            probability[p, k, s, np.arange(board.positions), shows] = sure
            tokens[p, k, s] = shows
    judged = from_task.check(chosen.x[:, None, None], tokens)
    code = np.random.default_rng(5).normal(size=(kinds, 8))
    return rollout.make(
        board,
        {
            "x": chosen.x, "y": np.stack([found[0] for found in chosen.solutions]), "solutions_known": chosen.counts,
            "tokens": tokens, "probability": probability, "valid": judged.valid, "conflict": judged.conflict,
            "h": np.einsum("pnslv,vf->pnslf", probability, code).astype(np.float16),
        },
        model=model, checkpoint=model, seed=seed, created_at="2026-11-24T00:00:00+00:00",
    )  # fmt: skip
