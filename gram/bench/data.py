"""Benchmarks behind `gram bench`: what is fast enough, as ratios within one run on one machine.

Nothing here is a test. A figure that is quoted elsewhere stands beside the command that printed it.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 4_096  # pairs that are augmented at once

_READING = """
import resource, time
import numpy as np, pandas
from gram.tasks.sudoku import Sudoku, SudokuConfig
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, start = peak(), time.perf_counter()
task = Sudoku(SudokuConfig(dataset="extreme", all_lists=True))
puzzles = task.puzzles("train")
pairs = puzzles.pairs()
print(len(puzzles), time.perf_counter() - start, (peak() - before) * 1024)
"""


def reading() -> dict[str, Any]:
    """Reading all lists of the Sudoku files into training arrays: puzzles, seconds, bytes beyond the imports.

    In a process of its own, so that the peak is that of the reading.
    """
    done = subprocess.run([sys.executable, "-c", _READING], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"the Sudoku files cannot be read: {done.stderr.strip().splitlines()[-1]}")
    puzzles, seconds, peak = done.stdout.split()
    return {"puzzles": int(puzzles), "seconds": round(float(seconds), 2), "megabytes": round(float(peak) / 1e6)}


def feeding(name: str, steps: int = 4) -> dict[str, Any]:
    """How fast training pairs of a preset are augmented, and how fast its model takes them: rows per second of each."""
    from gram.presets import preset
    from gram.training.run import Run

    config = preset(name).override(["train.compile=false"])
    with tempfile.TemporaryDirectory() as folder:
        run = Run(config, Path(folder))
        run.advance()
        start = time.perf_counter()
        for _ in range(steps):
            run.advance()
        step = (time.perf_counter() - start) / steps
    train = config.train
    taken = (train.batch / train.supervision_steps + train.prior_rows / train.prior_steps) / step
    which = np.random.default_rng(0).integers(len(run.sampler.pair_puzzle), size=ROWS)
    x, y = run.sampler.puzzles.x[run.sampler.pair_puzzle[which]], run.sampler.pair_solution[which]
    run.task.augment(x, y, np.random.default_rng(0))
    start = time.perf_counter()
    run.task.augment(x, y, np.random.default_rng(1))
    made = ROWS / (time.perf_counter() - start)
    return {"preset": name, "augmented": round(made), "taken": round(taken, 1), "ratio": round(made / taken)}


def data(presets: list[str]) -> dict[str, Any]:
    """Both: reading the Sudoku files, and feeding the models of these presets."""
    return {
        "reading": reading(),
        "feeding": [feeding(name) for name in presets],
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }
