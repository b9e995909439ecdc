"""Watching a drawing changes nothing of it, and stopping leaves what exists."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gram import rollout
from gram.inference.request import SampleError
from gram.inference.sample import MAX_ROWS, Record, sample
from gram.inference.watch import watch


@pytest.mark.parametrize("record", [Record(), Record(low=True), Record(every="supervision")])
def test_it_ends_in_the_rollout_of_sample_bit_for_bit(debug_checkpoint: Path, record: Record) -> None:
    how = {"trajectories": MAX_ROWS + 3, "supervision_steps": 3, "seed": 5, "perturb": 0.2, "record": record}
    moments = [(moment.done, moment.whole) for moment in watch(debug_checkpoint, 1, **how)]
    *_, last = watch(debug_checkpoint, 1, **how)
    assert rollout.digest(last.rollout()) == rollout.digest(sample(debug_checkpoint, 1, **how))
    assert moments == [(at, at % 2 == 0) for at in range(1, last.total + 1)]


def test_what_exists_is_a_rollout_at_every_step(debug_checkpoint: Path) -> None:
    whole = sample(debug_checkpoint, 0, trajectories=3, supervision_steps=2)
    for moment in watch(debug_checkpoint, 0, trajectories=3, supervision_steps=2):
        found = moment.rollout()
        assert found.sizes["step"] == moment.done
        cut = whole.isel(step=slice(moment.done))
        for name in ("tokens", "h", "probability", "supervision_step", "transition"):
            assert (found[name] == cut[name]).all(), name


def test_the_mode_of_computing_does_not_leak_between_moments(debug_checkpoint: Path) -> None:
    for moment in watch(debug_checkpoint, 0, trajectories=MAX_ROWS + 1, supervision_steps=1):
        assert not torch.is_inference_mode_enabled()
        if not moment.whole and moment.done == 1:
            with pytest.raises(SampleError, match="nothing is recorded yet"):
                moment.rollout()


def test_what_cannot_be_is_said_at_once(debug_checkpoint: Path) -> None:
    with pytest.raises(SampleError, match="trajectories is 0"):
        watch(debug_checkpoint, 0, trajectories=0)
