"""GRAM and its relatives: models, tasks, training, sampling, evaluation.

    checkpoint = gram.load("nqueens8-gram")
    rollout = gram.sample(checkpoint, puzzles=3, trajectories=50, seed=0)
    figures = gram.evaluate(checkpoint, trajectories=20)
    cells = gram.grid(checkpoint, depths=[4, 16, 64], trajectories=[1, 5, 20])["cells"]
    table = gram.intervene(rollout, 20, source=3, cells="each")
    bounds = gram.bound(checkpoint, limit=64, samples=16)
    rows = gram.results()["tables"]["nqueens8"]["rows"]     # what docs/results.md shows

`import gram`, `gram.rollout` and `gram.board` leave torch unloaded: the names above are imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gram.analysis.intervene import intervene as intervene
    from gram.analysis.probe import Probe as Probe
    from gram.analysis.probe import probe as probe
    from gram.checkpoint import Checkpoint as Checkpoint
    from gram.checkpoint import load as load
    from gram.checkpoint import names as names
    from gram.config import RunConfig as RunConfig
    from gram.evaluation.evaluate import evaluate as evaluate
    from gram.evaluation.evaluate import grid as grid
    from gram.evaluation.generate import generate as generate
    from gram.evaluation.likelihood import bound as bound
    from gram.inference.rerun import rerun as rerun
    from gram.inference.sample import Record as Record
    from gram.inference.sample import sample as sample
    from gram.inference.watch import watch as watch
    from gram.presets import preset as preset
    from gram.release.stored import results as results
    from gram.training.loop import train as train

__version__ = "0.1.0"

_HOME = {
    "load": "checkpoint",
    "names": "checkpoint",
    "Checkpoint": "checkpoint",
    "RunConfig": "config",
    "preset": "presets",
    "train": "training.loop",
    "sample": "inference.sample",
    "rerun": "inference.rerun",
    "Record": "inference.sample",
    "evaluate": "evaluation.evaluate",
    "grid": "evaluation.evaluate",
    "bound": "evaluation.likelihood",
    "generate": "evaluation.generate",
    "watch": "inference.watch",
    "results": "release.results",
    "intervene": "analysis.intervene",
    "probe": "analysis.probe",
    "Probe": "analysis.probe",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gram' has no attribute {name!r}; it offers {', '.join(__dir__())}")
    return getattr(importlib.import_module(f"gram.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
