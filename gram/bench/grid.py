"""What a grid of depths and widths costs, beside its largest cell alone: `gram bench grid`.

A grid is one pass, so it should cost little more: what it adds are the figures of its cells.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gram import compute
from gram.checkpoint import load
from gram.evaluation.evaluate import evaluate, grid


def cost(
    checkpoint: str, *, depths: list[int], trajectories: list[int], limit: int, repeats: int = 2
) -> dict[str, Any]:
    """Seconds of a grid and of its largest cell alone, with and without halting, and whether that cell is the same.

    The two take turns `repeats` times, and the quickest of each counts. On a CPU they are seconds of the processor, so
    that what else runs on the machine does not count.
    """
    opened = load(checkpoint)
    depth, width = max(depths), max(trajectories)
    found = {}
    for halting in (False, True):
        how: dict[str, Any] = {"limit": limit, "halting": halting}
        alone = partial(evaluate, opened, supervision_steps=depth, trajectories=width, **how)
        whole = partial(grid, opened, depths=depths, trajectories=trajectories, **how)
        rounds = [(_timed(alone), _timed(whole)) for _ in range(repeats)]
        (_, cell), (_, cells) = rounds[0]
        seconds = [min(each[at][0] for each in rounds) for at in (0, 1)]
        last = cells["cells"][-1]
        found["with halting" if halting else "without halting"] = {
            "largest_cell_seconds": round(seconds[0], 2),
            "grid_seconds": round(seconds[1], 2),
            "ratio": round(seconds[1] / seconds[0], 3),
            "same_cell": all(cell[name] == last[name] for name in last if name != "seconds"),
        }
    return {
        "checkpoint": opened.name, "depths": depths, "trajectories": trajectories, "limit": limit, **found
    }  # fmt: skip


def _timed(run: Callable[[], dict[str, Any]]) -> tuple[float, dict[str, Any]]:
    clock = time.process_time if compute.device().type == "cpu" else time.perf_counter
    start = clock()
    figures = run()
    return clock() - start, figures
