"""What one trajectory costs beside its share of a batch: `gram bench rows`."""

from __future__ import annotations

import statistics
import time
from typing import Any

from gram import compute
from gram.checkpoint import load
from gram.inference.sample import MAX_ROWS, sample


def cost(checkpoint: str, *, supervision_steps: int = 16, rounds: int = 5) -> dict[str, Any]:
    """Seconds of one trajectory, and of a full batch of them, of one puzzle; and their ratio per trajectory.

    The two take turns; medians count. On a CPU they are seconds of the processor, so that other programs do not count.
    """
    opened = load(checkpoint)
    clock = time.process_time if compute.device().type == "cpu" else time.perf_counter
    seconds: dict[int, list[float]] = {1: [], MAX_ROWS: []}
    for _ in range(1 + rounds):
        for trajectories, measured in seconds.items():
            start = clock()
            sample(opened, 0, trajectories=trajectories, supervision_steps=supervision_steps, progress=False)
            measured.append(clock() - start)
    one, many = (statistics.median(measured[1:]) for measured in seconds.values())  # the first round warms up
    return {
        "checkpoint": opened.name,
        "supervision_steps": supervision_steps,
        "one_seconds": round(one, 3),
        f"{MAX_ROWS}_seconds": round(many, 3),
        "ratio": round(one / (many / MAX_ROWS), 2),
    }
