"""Every model and every ablation of the paper's Table 3 learns 5 queens and 4 x 4 Sudoku in a few seconds.

A card says what a preset reaches when it is trained small: a quarter of the size or less, 250 optimizer steps, seed 0.
The bars lie well below the held-out accuracy that was measured (in the comments; one core, torch 2.13), since another
processor rounds otherwise, and far above chance: a random filling of the empty cells is right less than once in 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from gram.evaluation.evaluate import evaluate
from gram.evaluation.generate import generate
from gram.presets import PRESETS, preset
from gram.training.loop import train

SMALL = [
    "seed=0", "model.network.features=64", "model.network.heads=4", "model.network.hidden=64",
    "train.steps=250", "train.head_steps=0", "train.compile=false", "train.batch=32", "train.prior_rows=4",
    "train.kl_warmup_steps=100", "train.log_every=25", "train.save_every=100000", "train.check_every=100000",
    "train.optim.warmup=30", "train.optim.ema=0.98",
    "train.optim.lr=0.003", "train.optim.weight_decay=0.0",
]  # fmt: skip
TASKS = {
    # 2 or 3 of 5 queens stand; most such boards can be completed in one way only.
    "nqueens8": ["task.board_size=5", "task.removed_min=2", "task.removed_max=3", "train.augment=false"],
    "sudoku4": ["task.generated=600"],
}
RELATIONS = ["model.network.positions=relations"]
DEEP = ["train.supervision_steps=4", "train.prior_steps=4", "model.network.blocks=1"]
TWO_LEVELS = [*DEEP, "model.low_steps=1"]
LOOPS = ["model.network.blocks=1", "model.high_steps=4"]


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
    shapes = {
        "direct8": [], "looped": LOOPS, "looped-guided": LOOPS, "gram-flat": [*DEEP, "model.high_steps=3"],
    }  # fmt: skip
    still = {"direct8", "looped", "trm", "trm-dense", "hrm", "gram-unguided", "gram-zero-sigma", "trm-mlp"}
    found = {}
    for model, bar in bars.items():
        places = [] if model.endswith("-mlp") else RELATIONS
        found[f"{task}-{model}"] = Card([*places, *shapes.get(model, TWO_LEVELS)], bar, 1.0, model in still)
    # Table 3b: an ablation that is meant to be worse, and is: 0.02 on queens and 0.00 on Sudoku. Perhaps because its
    # mean starts at 0: guidance in the place of the proposal at first hides all of it from the decoder.
    found[f"{task}-gram-absolute"] = Card([*RELATIONS, *TWO_LEVELS], 0.0, most=0.4)
    return found


CARDS = _cards(
    "nqueens8",
    {
        "direct8": 0.75,  # 1.00
        "looped": 0.75,  # 0.97
        "looped-guided": 0.75,  # 0.95
        "hrm": 0.75,  # 0.97
        "trm-dense": 0.75,  # 1.00
        "gram-dense": 0.6,  # 0.90
        "gram-flat": 0.75,  # 1.00
        "gram-unguided": 0.75,  # 1.00
        "gram-zero-mean": 0.75,  # 0.99
        "gram-zero-sigma": 0.25,  # 0.57: without a die the target is told by the mean alone, and the prior lags behind
        "trm-random-start": 0.75,  # 1.00
        "trm-stochastic-decoder": 0.75,  # 0.96
    },
) | _cards(
    "sudoku4",
    {
        "direct8": 0.75,  # 1.00
        "looped": 0.7,  # 0.96
        "looped-guided": 0.6,  # 0.87
        "hrm": 0.4,  # 0.71
        "trm": 0.5,  # 0.83
        "gram": 0.4,  # 0.72
        "gram-flat": 0.7,  # 0.98
        "gram-unguided": 0.4,  # 0.67
        "gram-zero-mean": 0.5,  # 0.81
        "gram-zero-sigma": 0.5,  # 0.85
        "trm-random-start": 0.45,  # 0.76
        "trm-stochastic-decoder": 0.4,  # 0.67
        "trm-mlp": 0.6,  # 0.94
        "gram-mlp": 0.5,  # 0.87
    },
)
# Networks along relations know the board by themselves.
ALONG = ["train.prior_rows=0", "train.supervision_steps=4"]
CARDS |= {"nqueens8-trm": Card(ALONG, 0.75, 1.0, True), "nqueens8-gram": Card(ALONG, 0.6)}  # TRM, GRAM


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
    folder = train(config, tmp_path / "run", quiet=True)
    found = evaluate(folder, limit=48, trajectories=8, halting=False, supervision_steps=config.train.supervision_steps)
    assert card.least <= found["accuracy"] <= card.most, found["accuracy"]
    if card.one_answer:
        assert found["distinct"] <= 1


@pytest.mark.slow
def test_gram_makes_boards_from_nothing(one_thread: None, tmp_path: Path) -> None:
    """4 x 4 Sudoku from the blank board, a tenth of the preset's work. A random filling is right once in 15 million."""
    config = preset("sudoku4-generate-gram").override(
        [*SMALL, "train.steps=600", "train.batch=48", "train.kl_warmup_steps=50", "train.optim.warmup=100",
         "train.optim.lr=0.002"]
    )  # fmt: skip
    folder = train(config, tmp_path / "run", quiet=True)
    found = generate(folder, tmp_path / "boards", 256)
    assert found["valid"]["value"] > 0.7, found["valid"]  # 0.99; with seed 1 0.98
    assert found["valid_kinds"] > 100, found["valid_kinds"]  # 160 of 288, not one board again and again; 159
