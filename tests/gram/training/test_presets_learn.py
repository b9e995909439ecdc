"""Every model and every ablation of the paper's Table 3 learns 5 queens and 4 x 4 Sudoku in a few seconds.

A card says what a preset reaches when it is trained small: a quarter of the size or less, seed 0, at most 120 optimizer
steps: it ends once 30 of them were nearly all right on training puzzles.
The bars lie well below the held-out accuracy that was measured (in the comments; one core, torch 2.13), since another
processor rounds otherwise, and far above chance: a random filling of the empty cells is right less than once in 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gram.evaluation.evaluate import evaluate
from gram.evaluation.generate import generate
from gram.presets import PRESETS, preset
from gram.training.loop import train

SMALL = [
    "seed=0", "model.network.features=32", "model.network.hidden=32",
    "train.steps=120", "train.head_steps=0", "train.compile=false", "train.batch=32", "train.prior_rows=0",
    "train.kl_warmup_steps=40", "train.log_every=10", "train.save_every=100000", "train.check_every=100000",
    "train.optim.warmup=10", "train.optim.ema=0.95", "train.precision=float32",
]  # fmt: skip
TASKS = {
    # 2 or 3 of 5 queens stand; most such boards can be completed in one way only.
    "nqueens8": ["task.board_size=5", "task.removed_min=2", "task.removed_max=3", "train.augment=false"],
    "sudoku4": ["task.generated=600"],
}
# Dense networks must first learn how the board hangs together.
DENSE = [
    "model.network.features=64", "model.network.heads=4", "model.network.hidden=64", "model.network.blocks=1",
    "model.low_steps=1", "train.steps=250", "train.supervision_steps=4", "train.prior_steps=4", "train.prior_rows=4",
    "train.optim.lr=0.003", "train.optim.weight_decay=0", "train.optim.warmup=30", "train.optim.ema=0.98",
]  # fmt: skip
CHANGES = {
    "direct8": ["model.network.blocks=4"], "looped": ["model.high_steps=4"], "looped-guided": ["model.high_steps=4"],
    "gram-dense": [*DENSE, "model.network.positions=relations"],
    "trm-dense": [*DENSE, "model.network.positions=relations"],
    "gram-mlp": DENSE, "trm-mlp": DENSE,
}  # fmt: skip


WRITERS = {"nqueens8-ar", "nqueens8-mdlm"}  # they write tokens instead of recursing: tests/gram/test_writers.py


@dataclass(frozen=True)
class Card:
    """What a preset is changed to, and what it must reach.

    Attributes:
        changes: overrides beside `SMALL` and those of its task.
        least, most: bounds of its accuracy on held-out puzzles, a share of single samples.
        one_answer: its samples of a puzzle are all the same.
    """

    changes: list[str]
    least: float
    most: float = 1.0
    one_answer: bool = False


def _cards(task: str, bars: dict[str, float]) -> dict[str, Card]:
    """The cards of a task, given the bar of each model."""
    still = {"direct8", "looped", "trm", "trm-dense", "hrm", "gram-unguided", "gram-zero-sigma", "trm-mlp"}
    return {
        f"{task}-{model}": Card([*CHANGES.get(model, ["train.supervision_steps=4"])], bar, 1.0, model in still)
        for model, bar in bars.items()
    }


# The accuracy that was measured is 1.00 unless a comment says otherwise.
CARDS = _cards(
    "nqueens8",
    {
        "direct8": 0.75, "looped": 0.75, "looped-guided": 0.75, "hrm": 0.75, "trm": 0.75, "gram": 0.75,
        "trm-dense": 0.75, "gram-dense": 0.6,  # 0.90
        "gram-flat": 0.75, "gram-unguided": 0.75, "gram-zero-mean": 0.75,
        "gram-zero-sigma": 0.4,  # 0.83: without noise the mean alone conveys the target, and the prior lags behind
        "trm-random-start": 0.6, "trm-stochastic-decoder": 0.4,  # 0.72
    },
) | _cards(
    "sudoku4",
    {
        "direct8": 0.75, "looped": 0.75, "looped-guided": 0.75, "hrm": 0.75, "trm": 0.75, "gram": 0.75,
        "gram-flat": 0.75, "gram-unguided": 0.75, "gram-zero-mean": 0.75, "gram-zero-sigma": 0.75,
        "gram-absolute": 0.6,  # 0.94
        "trm-random-start": 0.75, "trm-stochastic-decoder": 0.75,
        "trm-mlp": 0.6,  # 0.94
        "gram-mlp": 0.5,  # 0.87
    },
)  # fmt: skip
# Table 3b: an ablation that is meant to be worse, and is: perhaps because its mean starts at 0, and guidance in the
# place of the proposal at first hides all of it from the decoder.
CARDS["nqueens8-gram-absolute"] = Card(["train.supervision_steps=4"], 0.0, most=0.4)  # 0.00
CARDS["nqueens8-trm-random-start"].changes.append("train.steps=360")


def test_every_preset_of_these_tasks_has_a_card() -> None:
    tasks = tuple(f"{task}-" for task in TASKS)
    named = {name for name in PRESETS if name.startswith(tasks) and not {"generate", "orbit"} & {*name.split("-")}}
    deeper = {"nqueens8-direct32", "sudoku4-direct32"}  # direct8, but four times as deep
    assert named - set(CARDS) - WRITERS == deeper


@pytest.mark.slow
@pytest.mark.parametrize("name", CARDS)
def test_a_preset_reaches_what_its_card_states(name: str, one_thread: None, tmp_path: Path) -> None:
    card = CARDS[name]
    config = preset(name).override([*SMALL, *TASKS[name.partition("-")[0]], *card.changes])
    exact: list[float] = []

    def learned(line: dict[str, Any]) -> bool:
        exact.append(line.get("prior_exact", line.get("target_exact", 0.0)))
        return len(exact) >= 3 and min(exact[-3:]) > 0.97

    folder = train(config, tmp_path / "run", quiet=True, watch=learned)
    found = evaluate(folder, limit=48, trajectories=8, halting=False, supervision_steps=config.train.supervision_steps)
    assert card.least <= found["accuracy"] <= card.most, found["accuracy"]
    if card.one_answer:
        assert found["distinct"] <= 1


@pytest.mark.slow
def test_gram_makes_boards_from_nothing(one_thread: None, tmp_path: Path) -> None:
    """4 x 4 Sudoku from the blank board, a tenth of the preset's work. A random filling is right once in 15 million."""
    config = preset("sudoku4-generate-gram").override(
        [*SMALL, "model.low_steps=1", "train.steps=600", "train.kl_warmup_steps=50", "train.optim.warmup=50",
         "train.optim.lr=0.002"]
    )  # fmt: skip
    folder = train(config, tmp_path / "run", quiet=True)
    found = generate(folder, tmp_path / "boards", 256)
    assert found["valid"]["value"] > 0.7, found["valid"]  # 1.00; with seed 1 0.99
    assert found["valid_kinds"] > 100, found["valid_kinds"]  # 161 of 288, not one board again and again; 168
