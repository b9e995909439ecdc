"""Named runs: the experiments of the paper at the size of a laptop, and `debug`, which takes seconds.

`gram train PRESET key=value ...` starts from one of these. `TASK-MODEL` trains each model on the same data with about
the same compute: a model whose optimizer step applies four times as many blocks gets a quarter of the steps. Only the
settings of 8 queens were searched for (docs/training.md); the other tasks train with the same.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import Any

from gram.config import ConfigError, InferenceConfig, OptimConfig, RunConfig, TrainConfig
from gram.models.ar import ARConfig
from gram.models.blocks import NetworkConfig
from gram.models.d3pm import D3PMConfig
from gram.models.direct import DirectConfig
from gram.models.gram import GRAMConfig
from gram.models.hrm import HRMConfig
from gram.models.looped import LoopedConfig
from gram.models.mdlm import MDLMConfig
from gram.models.trm import TRMConfig
from gram.models.vae import VAEConfig
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
    "digits": ImagesConfig(patch=2),  # a quarter of the positions: several times the pictures in the same time
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


# Boards on which attention learns several times as fast if it is told which positions share a line, or are neighbours
# (docs/training.md).
_RELATED = SudokuConfig | SudokuGenerationConfig | ColoringConfig | ImagesConfig

# The generators. A block is applied once per step, so a model of as many weights as GRAM's has several blocks in a row;
# the small D3PM has as many as GRAM has (2 blocks, 4 SwiGLUs, heads), the big one 3 times as many.
_writing = replace(
    _deep, steps=9_000, head_steps=0, batch=128, prior_rows=0, supervision_steps=1, kl_target=0, kl_hold=0
)
# A VAE at the full charge tells nothing and draws the mean picture; told 0.2 nats per token (13 of a digit) it draws.
_one_draw = replace(
    _deep, steps=9_000, head_steps=0, batch=128, supervision_steps=1, prior_steps=1, kl_target=0.2, kl_hold=0
)
_conditional: dict[str, tuple[Any, TrainConfig]] = {
    "ar": (ARConfig(NetworkConfig(blocks=3)), _writing),
    "mdlm": (MDLMConfig(NetworkConfig(blocks=5)), _writing),
}
_unconditional: dict[str, tuple[Any, TrainConfig]] = {
    f"d3pm-{diffusion}{size}": (D3PMConfig(NetworkConfig(blocks=blocks), diffusion=diffusion), _writing)
    for diffusion in ("uniform", "absorbing")
    for size, blocks in (("-small", 5), ("-big", 15))
}
# From nothing: a whole board must be told, little by little (gram/training/kl_control.py). One transition per supervision step, so
# that each is charged, and no uncharged one adds noise between; measured in docs/training.md.
_told = replace(
    _deep, steps=3_000, head_steps=300, kl_target=0.15, kl_hold=50, kl_apart=True, kl_start=0.4, kl_floor=0.6
)
_from_nothing: dict[str, tuple[Any, TrainConfig]] = {
    "gram": (GRAMConfig(high_steps=1, low_steps=3), _told),
    "trm": (TRMConfig(high_steps=1, low_steps=3), _told),
}
# What is told in all should be about what there is to tell, half a nat per patch of MNIST, or the prior cannot follow.
# A picture of 8 x 8 is told over twice the steps (docs/training.md). The heads have nothing to learn.
_TOLD_OF_IMAGES: dict[str, dict[str, Any]] = {
    "digits": {"steps": 7_000, "head_steps": 0, "supervision_steps": 16, "kl_target": 0.08},
    "mnist": {"steps": 7_000, "head_steps": 0, "batch": 24, "prior_rows": 8, "kl_target": 0.05},
}
_of_images: dict[str, tuple[Any, TrainConfig]] = {"vae": (VAEConfig(NetworkConfig(blocks=2)), _one_draw)}


def _of_sudoku(size: int) -> dict[str, tuple[Any, TrainConfig]]:
    """An MLP over positions, as TRM and GRAM have it for Sudoku: 8/3 as wide as there are cells, rounded up by 64."""
    across = NetworkConfig(mixing="mlp", mixing_hidden={4: 64, 6: 128, 9: 256}[size])
    return {"trm-mlp": (TRMConfig(across), _deep), "gram-mlp": (GRAMConfig(across), _deep)}


def _of(task: str) -> dict[str, tuple[Any, TrainConfig]]:
    """The models that there are presets of for a task: ablations where the paper has them, on queens and Sudoku."""
    given = _of_puzzles
    if isinstance(_tasks[task], SudokuGenerationConfig | ImagesConfig):
        given = _from_nothing | _unconditional | (_of_images if isinstance(_tasks[task], ImagesConfig) else {})
    if isinstance(_tasks[task], NQueensConfig | ColoringConfig):
        given = given | _conditional
    if isinstance(_tasks[task], SudokuConfig):
        given = given | _of_sudoku(_tasks[task].size)
    return _models | given | (_ablations if task in ("nqueens8", "sudoku4", "sudoku9", "sudoku9-extreme") else {})


def _cells(task: NQueensConfig | ColoringConfig) -> int:
    """The most positions that a puzzle leaves blank, which AR writes one by one."""
    return task.board_size**2 if isinstance(task, NQueensConfig) else task.vertices


def _run(task: Any, model: Any, train: TrainConfig, **answers: Any) -> RunConfig:
    if isinstance(task, ARCConfig):
        model = replace(model, puzzle_tokens=4)
    if isinstance(task, _RELATED) and model.network.mixing == "attention":
        model = replace(model, network=replace(model.network, positions="relations"))
    if isinstance(task, SudokuConfig) and task.dataset == "extreme":  # longer boards: an hour's worth of two cores
        steps, head_steps, kl_hold = train.steps * 4 // 9, train.head_steps * 2 // 5, train.kl_hold * 7 // 15
        train = replace(train, batch=48, prior_rows=12, steps=steps, head_steps=head_steps, kl_hold=kl_hold)
    inference = _queens8.inference if isinstance(task, NQueensConfig) else InferenceConfig()
    if isinstance(task, ColoringConfig):  # the halting head stops too early: on the training split 0.44 right for 0.62
        inference = replace(inference, halting=False)
    if train.supervision_steps == 1:  # what it was trained for; more is depth beyond training
        inference = replace(inference, supervision_steps=1, halting=False)
    if isinstance(task, SudokuGenerationConfig | ImagesConfig) and train.supervision_steps > 1:  # all go on as long
        inference = replace(inference, supervision_steps=32, halting=False)
        if isinstance(task, ImagesConfig):
            train = replace(train, **_TOLD_OF_IMAGES[task.dataset])
            if task.dataset == "digits" and isinstance(model, GRAMConfig):
                inference = replace(inference, noise=0.8)
        if task == SudokuGenerationConfig(size=9):
            inference = replace(inference, supervision_steps=64)
            train = replace(train, steps=4_000, head_steps=400, batch=32, prior_rows=8)
    if isinstance(model, ARConfig | MDLMConfig | D3PMConfig):  # until the board is whole
        until = _cells(task) if isinstance(model, ARConfig) else model.diffusion_steps
        inference = InferenceConfig(supervision_steps=until)
    if isinstance(model, HRMConfig):  # halting is worth more than going on: no belief to set a limit for
        inference = replace(inference, halt_above=0.5)
    return RunConfig(task, model, train, replace(inference, **answers))


PRESETS: dict[str, RunConfig] = (
    {
        f"{task}-{model}": _run(_tasks[task], *what, **_inference.get(model, {}))
        for task in _tasks
        for model, what in _of(task).items()
    }
    | {
        "debug": _debug,
        "debug-trm": replace(_debug, model=TRMConfig(network=_TINY, low_steps=1)),
        "debug-hrm": replace(_debug, model=HRMConfig(network=_TINY)),
        "debug-vae": replace(
            _debug,
            model=VAEConfig(network=_TINY),
            train=replace(_debug.train, supervision_steps=1, prior_steps=1, kl_balance=0),
            inference=InferenceConfig(supervision_steps=1),
        ),
    }
    | {
        f"debug-{name}": replace(
            _debug,
            model=model,
            train=replace(_debug.train, steps=16, head_steps=0, prior_rows=0),
            inference=InferenceConfig(supervision_steps=steps),
        )
        for name, model, steps in (
            ("ar", ARConfig(_TINY), 25),
            ("mdlm", MDLMConfig(_TINY, diffusion_steps=6), 6),
            ("d3pm", D3PMConfig(_TINY, diffusion_steps=6), 6),
        )
    }
)


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
        f"{', '.join(_ablations)}; for nqueens and coloring also {', '.join(_conditional)}; to generate also "
        f"{', '.join(_unconditional)}, pictures also {', '.join(_of_images)}), "
        f"debug and debug-KIND (trm, hrm, ar, mdlm, d3pm, vae)"
    )
