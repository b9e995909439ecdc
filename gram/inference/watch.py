"""Sampling that can be watched: what `gram.sample` computes, in the same order within each chunk, step by step.

All chunks of rows advance together, one transition at a time, so that a record of everything up to now exists at any
moment; whoever iterates may stop at any of them. When it has run to its end, the rollout is that of `gram.sample` with
the same arguments, bit for bit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr

from gram.checkpoint import Checkpoint
from gram.inference.sample import Drawing, prepare
from gram.tasks import Puzzles


@dataclass(frozen=True)
class Moment:
    """How far a drawing is.

    Attributes:
        done, total: transitions of chunks, initial states included; equal when all is drawn.
        whole: whether all rows stand at the same step, which is then new.
    """

    done: int
    total: int
    whole: bool
    drawing: Drawing

    def rollout(self) -> xr.Dataset:
        """Every state that all rows have reached; to be called before the next moment. At least one `whole` has passed.

        Raises:
            SampleError: none has.
        """
        return self.drawing.rollout()


def watch(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzles: int | Sequence[int] | Puzzles | str = 0,
    **settings: Any,
) -> Iterator[Moment]:
    """Draw trajectories as `gram.sample` does, with its arguments and errors, and stop after every transition.

    Between two moments lies one transition of at most `gram.sample.CHUNK` rows.
    """
    return _moments(prepare(checkpoint, puzzles, **settings))


def _moments(drawing: Drawing) -> Iterator[Moment]:
    with drawing.computing():
        chunks = drawing.chunks()
    total = len(chunks) * drawing.transitions
    for step in range(drawing.transitions):
        for at, chunk in enumerate(chunks, 1):
            with drawing.computing():  # not over a yield: the mode belongs to the thread
                next(chunk)
            yield Moment(step * len(chunks) + at, total, at == len(chunks), drawing)
