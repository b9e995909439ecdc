"""Named runs: the experiments of the paper at the size of a laptop, and `debug`, which takes seconds.

`gram train PRESET key=value ...` starts from one of these. `TASK-MODEL` trains each model on the same data with about
the same compute: a model whose optimizer step applies four times as many blocks gets a quarter of the steps. Only the
settings of 8 queens were searched for (docs/training.md); the other tasks train with the same.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import Any

from gram.config import ConfigError, InferenceConfig, RunConfig, TrainConfig
from gram.models.blocks import NetworkConfig
from gram.models.direct import DirectConfig
from gram.models.gram import GRAMConfig
from gram.models.hrm import HRMConfig
from gram.models.looped import LoopedConfig
from gram.models.trm import TRMConfig
from gram.optim import OptimConfig
from gram.tasks.arc import ARCConfig
from gram.tasks.coloring import ColoringConfig
from gram.tasks.images import ImagesConfig
from gram.tasks.nqueens import NQueensConfig
from gram.tasks.sudoku import SudokuConfig, SudokuGenerationConfig

_TINY = NetworkConfig(features=32, heads=2, hidden=32, blocks=1)

_queens8 = RunConfig(
    task=NQueensConfig(board_size=8),
    model=GRAMConfig(),
    train=TrainConfig(
        steps=9_000,
        head_steps=1_000,
        kl_target=0.02,
        kl_hold=1_500,
        compile=True,
        optim=OptimConfig(ema=0.998),
    ),
    inference=InferenceConfig(supervision_steps=256, halt_above=0.95, noise=2.0),
)
_debug = RunConfig(
    task=NQueensConfig(board_size=5),
    model=GRAMConfig(network=_TINY, low_steps=1, guidance_hidden=32),
    train=TrainConfig(
        steps=12,
        head_steps=4,
        batch=8,
        supervision_steps=2,
        prior_rows=4,
        prior_steps=3,
        log_every=2,
        save_every=4,
        check_every=6,
        check_puzzles=4,
        check_trajectories=2,
        optim=OptimConfig(warmup=2, ema=0.9),
    ),
    inference=InferenceConfig(supervision_steps=3),
)

_tasks: dict[str, Any] = {
    "nqueens8": NQueensConfig(board_size=8),
    "nqueens10": NQueensConfig(board_size=10),
    "coloring8": ColoringConfig(vertices=8),
    "coloring10": ColoringConfig(vertices=10, edge_probability=0.5, train_max=13_465, test_max=192),
    "sudoku4": SudokuConfig(size=4, generated=2_000, clues_min=4, clues_max=8),
    "sudoku6": SudokuConfig(size=6, generated=4_000, clues_max=14),
    "sudoku9": SudokuConfig(size=9, generated=1_000, clues_min=28, clues_max=36),
    "sudoku9-extreme": SudokuConfig(size=9, dataset="extreme", test_max=2_000, hints=0.6),
    "sudoku4-generate": SudokuGenerationConfig(size=4),
    "sudoku6-generate": SudokuGenerationConfig(size=6),
    "sudoku9-generate": SudokuGenerationConfig(size=9),
    "arc-practice": ARCConfig(canvas=10, books=32, demonstrations=64, tests=4, augmentations=3),
    "arc1-small": ARCConfig(dataset="arc-agi-1", canvas=10, augmentations=20),
    "digits": ImagesConfig(),
    "mnist": ImagesConfig(dataset="mnist"),
}


_deep = _queens8.train
# Without deep supervision: a row has one supervision step, and the loss stands at its end. Sixteen transitions with the
# gradient through all of them cost what four optimizer steps of TRM cost.
_one_pass = replace(_deep, supervision_steps=1, gradient_steps=0, prior_steps=1)
_long_pass = replace(_one_pass, steps=2_250, head_steps=250, kl_hold=400)

_models: dict[str, tuple[Any, TrainConfig]] = {
    "gram": (GRAMConfig(), _deep),
    "trm": (TRMConfig(), _deep),
}
_of_puzzles: dict[str, tuple[Any, TrainConfig]] = {
    "hrm": (HRMConfig(), _deep),
    "looped": (LoopedConfig(), _long_pass),
    "direct8": (DirectConfig(NetworkConfig(blocks=8)), _one_pass),
    "direct32": (DirectConfig(NetworkConfig(blocks=32)), _long_pass),
}
_ablations: dict[str, tuple[Any, TrainConfig]] = {
    # Table 3a: which of guidance (SG), deep supervision (DS) and hierarchy (HR) matters. None of them is `looped`,
    # DS + HR is `trm` or `gram-unguided`, all of them `gram`.
    "looped-guided": (GRAMConfig(low_steps=0, high_steps=16), _long_pass),
    "gram-flat": (GRAMConfig(low_steps=0, high_steps=6), replace(_deep, gradient_steps=3)),
    # Table 3b: what the guidance must be.
    "gram-unguided": (GRAMConfig(guided=False), _deep),
    "gram-zero-mean": (GRAMConfig(guidance="zero-mean"), _deep),
    "gram-zero-sigma": (GRAMConfig(guidance="zero-sigma"), _deep),
    "gram-absolute": (GRAMConfig(guidance="absolute"), _deep),
    # And what chance does elsewhere: in the initial state, or in the decoder alone.
    "trm-random-start": (TRMConfig(), replace(_deep, random_start=True)),
    "trm-stochastic-decoder": (TRMConfig(), _deep),
}
_inference: dict[str, dict[str, Any]] = {
    "trm-random-start": {"random_start": True},
    "trm-stochastic-decoder": {"temperature": 1.0},
}


def _of_sudoku(size: int) -> dict[str, tuple[Any, TrainConfig]]:
    """An MLP over positions, as TRM and GRAM have it for Sudoku: 8/3 as wide as there are cells, rounded up by 64."""
    across = NetworkConfig(mixing="mlp", mixing_hidden={4: 64, 6: 128, 9: 256}[size])
    return {"trm-mlp": (TRMConfig(across), _deep), "gram-mlp": (GRAMConfig(across), _deep)}


def _of(task: str) -> dict[str, tuple[Any, TrainConfig]]:
    """The models that there are presets of for a task: ablations where the paper has them, on queens and Sudoku."""
    given = _of_puzzles if not isinstance(_tasks[task], SudokuGenerationConfig | ImagesConfig) else {}
    if isinstance(_tasks[task], SudokuConfig):
        given = given | _of_sudoku(_tasks[task].size)
    return _models | given | (_ablations if task in ("nqueens8", "sudoku4", "sudoku9", "sudoku9-extreme") else {})


def _run(task: Any, model: Any, train: TrainConfig, **answers: Any) -> RunConfig:
    if isinstance(task, ARCConfig):
        model = replace(model, puzzle_tokens=4)
    if isinstance(task, SudokuConfig) and task.dataset == "extreme":  # longer boards: fewer rows, as many steps
        train = replace(train, batch=48, prior_rows=12)
    inference = _queens8.inference if isinstance(task, NQueensConfig) else InferenceConfig()
    if train.supervision_steps == 1:  # what it was trained for; more is depth beyond training
        inference = replace(inference, supervision_steps=1, halting=False)
    if isinstance(model, HRMConfig):  # halting is worth more than going on: no belief to set a limit for
        inference = replace(inference, halt_above=0.5)
    return RunConfig(task, model, train, replace(inference, **answers))


PRESETS: dict[str, RunConfig] = {
    f"{task}-{model}": _run(_tasks[task], *what, **_inference.get(model, {}))
    for task in _tasks
    for model, what in _of(task).items()
} | {
    "debug": _debug,
    "debug-trm": replace(_debug, model=TRMConfig(network=_TINY, low_steps=1)),
    "debug-hrm": replace(_debug, model=HRMConfig(network=_TINY)),
}


def preset(name: str) -> RunConfig:
    """The run of this name.

    Raises:
        ConfigError: unknown name; the message says how names are made, or names the nearest.
    """
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, 1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ConfigError(f"unknown preset {name!r}; known: {known()}{hint}")
    return PRESETS[name]


def known() -> str:
    """How the names of presets are made, for a reader: there are too many to list one by one."""
    return (
        f"TASK-MODEL (tasks: {', '.join(_tasks)}; models: {', '.join(_models | _of_puzzles)}; "
        f"for Sudoku also {', '.join(_of_sudoku(9))}; for nqueens8 and 4 x 4 and 9 x 9 Sudoku also "
        f"{', '.join(_ablations)}), debug, debug-trm, debug-hrm"
    )
