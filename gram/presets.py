"""Named runs: the experiments of the paper at the size of a laptop, and `debug`, which takes seconds.

`gram train PRESET key=value ...` starts from one of these.
"""

from __future__ import annotations

import difflib
from dataclasses import replace

from gram.config import ConfigError, InferenceConfig, RunConfig, TrainConfig
from gram.models.blocks import NetworkConfig
from gram.models.gram import GRAMConfig
from gram.models.trm import TRMConfig
from gram.optim import OptimConfig
from gram.tasks.nqueens import NQueensConfig

_TINY = NetworkConfig(features=32, heads=2, hidden=32, blocks=1)

_queens8 = RunConfig(
    task=NQueensConfig(board_size=8),
    model=GRAMConfig(),
    train=TrainConfig(
        steps=9_000, head_steps=1_000, kl_target=0.02, kl_hold=1_500, compile=True, optim=OptimConfig(ema=0.998)
    ),
    inference=InferenceConfig(supervision_steps=128, halt_above=0.95),
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

PRESETS: dict[str, RunConfig] = {
    "nqueens8-gram": _queens8,
    "nqueens8-trm": replace(_queens8, model=TRMConfig()),
    "debug": _debug,
    "debug-trm": replace(_debug, model=TRMConfig(network=_TINY, low_steps=1)),
}


def preset(name: str) -> RunConfig:
    """The run of this name.

    Raises:
        ConfigError: unknown name; the message lists the known ones.
    """
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, 1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ConfigError(f"unknown preset {name!r}; known: {', '.join(PRESETS)}{hint}")
    return PRESETS[name]
