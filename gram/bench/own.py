"""What a text file of one's own puzzles costs beside the held-out set: `gram bench own`."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from gram import compute
from gram.checkpoint import load
from gram.inference.sample import Record, sample
from gram.tasks import own

KEPT = Record(h=False, probability=False, every="supervision")


def cost(checkpoint: str, *, puzzles: int = 1_000, supervision_steps: int = 16, rounds: int = 3) -> dict[str, Any]:
    """Puzzles per second with one trajectory each: of the held-out set, and the same ones read from a text file.

    Reading, checking and solving the file is part of its time; the held-out set is in memory already. The two take
    turns; medians count. On a CPU they are seconds of the processor, so that other programs do not count.
    """
    opened = load(checkpoint)
    held_out = opened.task.puzzles("test")
    chosen = range(min(puzzles, len(held_out)))
    clock = time.process_time if compute.device().type == "cpu" else time.perf_counter
    seconds: dict[str, list[float]] = {"held_out": [], "file": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "puzzles.sdm"
        own.write(opened.task, held_out.take(chosen), path)
        start = clock()
        own.read(opened.task, path)
        reading = clock() - start
        for _ in range(rounds):
            for name, given in (("held_out", list(chosen)), ("file", path)):
                start = clock()
                sample(opened, given, trajectories=1, supervision_steps=supervision_steps, record=KEPT, progress=False)
                seconds[name].append(clock() - start)
    one, other = (len(chosen) / statistics.median(measured) for measured in seconds.values())
    return {
        "checkpoint": opened.name,
        "puzzles": len(chosen),
        "supervision_steps": supervision_steps,
        "held_out_per_second": round(one, 2),
        "file_per_second": round(other, 2),
        "reading_seconds": round(reading, 3),
        "ratio": round(other / one, 3),
    }
