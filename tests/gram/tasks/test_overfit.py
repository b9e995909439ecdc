"""A small model learns 32 instances of every task by heart: data, encoding and training loop fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gram.presets import preset
from gram.tasks import TASKS
from gram.training.loop import train

INSTANCES = 32
SMALL = [
    "model.network.features=64", "model.network.hidden=64", "model.network.heads=2", "model.network.blocks=1",
    "train.head_steps=0", "train.batch=32", "train.augment=false", "train.prior_rows=0", "train.supervision_steps=2",
    "train.check_every=100000", "train.save_every=100000", "train.log_every=20",
    "train.optim.lr=0.003", "train.optim.warmup=20", "train.optim.weight_decay=0.0", "train.optim.ema=0.9",
]  # fmt: skip
# Which instances: as many as a small configuration of the task gives, of which the first 32 are kept below.
DATA = {
    "nqueens": ["task.board_size=6"],
    "coloring": ["task.vertices=6", "task.train_max=32", "task.test_max=4"],
    "sudoku": ["task.size=4", "task.generated=60"],
    "sudoku_generation": ["task.size=4", "task.grids=32"],
    "arc": ["task.canvas=8", "task.tasks=4", "task.demonstrations=8", "task.tests=2", "task.augmentations=0"],
    "images": ["task.train_max=32"],
}
# From one blank board to 32 answers leads only what the posterior tells.
FROM_NOTHING = {"sudoku_generation", "images"}


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_a_small_model_learns_32_instances_by_heart(
    name: str, one_thread: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = TASKS[name]
    whole = kind.puzzles

    def few(self: object, split: str) -> object:
        """The first 32 pairs of the split, as puzzles with one answer each; a blank board keeps 32 answers."""
        puzzles = whole(self, split)  # type: ignore[arg-type]
        if name in FROM_NOTHING:
            return type(puzzles)(puzzles.x, tuple(found[:INSTANCES] for found in puzzles.solutions), False)
        kept = puzzles.take(range(min(INSTANCES, len(puzzles))))
        return type(kept)(kept.x, tuple(found[:1] for found in kept.solutions), False, kept.identifier)

    monkeypatch.setattr(kind, "puzzles", few)
    base = "debug" if name in FROM_NOTHING else "debug-trm"
    own = ["train.kl_weight=0.001", "train.steps=300", "train.batch=16"] if name in FROM_NOTHING else []
    config = preset(base).override([f"task.kind={name}", *DATA[name], *SMALL, "train.steps=400", *own])
    assert sum(map(len, kind(config.task).puzzles("train").solutions)) == INSTANCES  # type: ignore[call-arg]
    exact: list[float] = []

    def learned(line: dict[str, Any]) -> bool:
        exact.append(line.get("posterior_exact" if name in FROM_NOTHING else "target_exact", 0.0))
        return exact[-1] > 0.95

    train(config, tmp_path / "run", quiet=True, watch=learned)
    assert exact[-1] > 0.95, [round(value, 2) for value in exact]
