"""One puzzle looked at from all sides: the data behind every analysis, for `gramviz.analyze` to show.

trm, gram_ = gram.probe("nqueens8-trm"), gram.probe("nqueens8-gram")
gramviz.analyze(trm, gram_)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import xarray as xr

from gram.analysis.lyapunov import lyapunov
from gram.analysis.plane import landscape, starts
from gram.checkpoint import Checkpoint, load
from gram.inference.sample import Record, sample
from gram.progress import bar
from gram.rollout import RolloutError


@dataclass(frozen=True)
class Probe:
    """What one model does with one puzzle; plain data, no model.

    Attributes:
        rollout: the paths, see `gram.sample`.
        exponents: along the same paths, see `gram.analysis.lyapunov.lyapunov`.
        landscape: see `gram.analysis.plane.landscape`; None where `left_out` says why.
        starts: see `gram.analysis.plane.starts`.
        left_out: parts that could not be computed, each with the reason in words.
    """

    rollout: xr.Dataset
    exponents: xr.Dataset
    landscape: xr.Dataset | None
    starts: xr.Dataset
    left_out: dict[str, str]


def probe(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzle: int | str = 0,
    *,
    trajectories: int = 20,
    supervision_steps: int | None = None,
    seed: int = 0,
    split: str = "test",
    points: int = 49,
    start_points: int = 11,
    noise: float | None = None,
    perturb: float | None = None,
    exact: bool = False,
    progress: bool | None = None,
) -> Probe:
    """Sample one puzzle, and ask the model what a rollout alone cannot show.

    In float32, so that exponents and paths are of the same numbers.

    Args:
        points, start_points: points along each axis of the landscape and of the plane of starts; the latter are each a
            path of their own, `start_points` squared, and take most of the time.
        progress: whether to show a bar; by default in a notebook and a terminal.
        puzzle, trajectories, supervision_steps, seed, split, noise, perturb, exact: as in `gram.sample`.
    Raises:
        SampleError, TaskError, CheckpointError: see the messages.
    """
    opened = load(checkpoint)
    both: dict[str, Any] = {
        "supervision_steps": supervision_steps, "seed": seed, "split": split, "noise": noise, "perturb": perturb,
        "exact": exact,
    }  # fmt: skip

    left_out, plane = {}, None
    with bar(4, "part", progress, f"probe {opened.name}") as counter:
        rollout = sample(
            opened, puzzle, trajectories=trajectories, record=Record(h=True), precision="float32", progress=False,
            **both,
        )  # fmt: skip
        counter.update()
        exponents = lyapunov(opened, puzzle, trajectories=trajectories, **both)
        counter.update()
        try:
            plane = landscape(opened, rollout, size=points)
        except RolloutError as error:  # no right answer is known, or all states lie on a line: the rest is worth seeing
            left_out["landscape"] = str(error)
        counter.update()
        begun = starts(opened, puzzle, size=start_points, **both)
        counter.update()
    return Probe(rollout, exponents, plane, begun, left_out)
