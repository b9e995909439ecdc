"""Sampling that can be watched: what `gram.sample` computes, in the same order within each batch, step by step.

All batches of rows advance together, one transition at a time, so that a record of everything up to now exists at any
moment; whoever iterates may stop at any of them. When it has run to its end, the rollout is that of `gram.sample` with
the same arguments, bit for bit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import xarray as xr

from gram.checkpoint import Checkpoint
from gram.inference.request import Selection
from gram.inference.sample import MAX_RECORD_BYTES, Record, Sampling, prepare


@dataclass(frozen=True)
class Moment:
    """How far a sampling is.

    Attributes:
        done, total: transitions of batches, initial states included; equal when all is sampled.
        whole: whether all rows stand at the same step, which is then new.
    """

    done: int
    total: int
    whole: bool
    sampling: Sampling

    def rollout(self) -> xr.Dataset:
        """Every state that all rows have reached; to be called before the next moment. At least one `whole` has passed.

        Raises:
            SampleError: none has.
        """
        return self.sampling.rollout()


def watch(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzles: Selection = 0,
    *,
    trajectories: int = 50,
    supervision_steps: int | None = None,
    seed: int = 0,
    split: str = "test",
    mode: str = "prior",
    noise: float | None = None,
    perturb: float | None = None,
    random_start: bool | None = None,
    temperature: float | None = None,
    record: Record | None = None,
    precision: str = "auto",
    exact: bool = False,
    max_bytes: int = MAX_RECORD_BYTES,
) -> Iterator[Moment]:
    """Draw trajectories as `gram.sample` does, with its arguments and errors, and stop after every transition.

    Between two moments lies one transition of at most `gram.inference.sample.MAX_ROWS` rows.
    """
    return _moments(
        prepare(
            checkpoint, puzzles, trajectories=trajectories, supervision_steps=supervision_steps, seed=seed,
            split=split, mode=mode, noise=noise, perturb=perturb, random_start=random_start, temperature=temperature,
            record=record, precision=precision, exact=exact, max_bytes=max_bytes,
        )
    )  # fmt: skip


def _moments(sampling: Sampling) -> Iterator[Moment]:
    with sampling.computing():
        batches = sampling.batches()
    total = len(batches) * sampling.transitions
    for step in range(sampling.transitions):
        for at, batch in enumerate(batches, 1):
            with sampling.computing():  # not over a yield: the mode belongs to the thread
                next(batch)
            yield Moment(step * len(batches) + at, total, at == len(batches), sampling)
