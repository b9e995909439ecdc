"""Starting from a recorded state: the same chain, the recorded past, other noise, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import gram
from gram import rollout
from gram.checkpoint import Checkpoint
from gram.inference.chain import computing
from gram.inference.request import SampleError
from gram.inference.sample import Record, sample
from gram.rollout import RolloutError
from gram.tasks import TaskError

EVERYTHING = Record(l=True, u=True, logits=True, guidance=True)


@pytest.fixture(scope="module")
def recorded(debug_checkpoint: Path) -> xr.Dataset:
    """Three paths of a GRAM, four supervision steps of two transitions, with all that can be recorded."""
    return sample(debug_checkpoint, 1, trajectories=3, supervision_steps=4, seed=5, record=EVERYTHING)


@pytest.fixture(scope="module")
def trm(debug_trm_checkpoint: Path) -> Checkpoint:
    return gram.load(debug_trm_checkpoint)


def again(data: xr.Dataset, folder: Path, **how: object) -> xr.Dataset:
    return gram.rerun(data, checkpoints=[folder], **how)


@pytest.mark.parametrize("step", [0, 1, 2, 5])
def test_from_an_exact_state_it_is_the_chain_itself_bit_for_bit(
    trm: Checkpoint, debug_trm_checkpoint: Path, step: int
) -> None:
    """A rollout stores half precision; handed the very numbers, at the end of a supervision step or within one, a
    model without noise computes what it had computed."""
    whole = sample(trm, 1, supervision_steps=4, record=EVERYTHING)
    x = torch.from_numpy(whole["x"].values.astype(np.int64))
    with computing(trm.model, "auto", rows=1):
        state = trm.model.init(x)
        for _ in range(step):
            state, _ = trm.model.step(state, torch.zeros_like)
    h, l = (part[0].numpy() for part in (state.h, state.l))
    found = again(whole, debug_trm_checkpoint, step=step, h=h, l=l)
    assert found.sizes == whole.sizes
    for name in ("tokens", "h", "l", "logits", "halt", "valid", "supervision_step", "transition"):
        assert (found[name] == whole[name]).all(), name


@pytest.mark.parametrize("record", [EVERYTHING, Record(l=True, every="supervision"), Record(low=True)])
def test_the_past_stands_as_it_was_and_the_noise_is_another(debug_checkpoint: Path, record: Record) -> None:
    data = sample(debug_checkpoint, 1, trajectories=3, supervision_steps=4, seed=5, record=record)
    ends = np.flatnonzero((data["low_step"] == 0).values)
    step = int(ends[len(ends) // 2])
    found = again(data, debug_checkpoint, trajectory=2, step=step, trajectories=4)
    assert found.sizes["trajectory"] == 4
    assert found.attrs["seed"] == data.attrs["seed"] + 1
    for name in ("supervision_step", "transition", "low_step"):
        assert (found[name].values == data[name].values).all(), name
    for name in ("tokens", "h", "l", "probability"):
        past = data[name].isel(trajectory=[2, 2, 2, 2], step=slice(step))
        assert (found[name].isel(step=slice(step)).values == past.values).all(), name
        assert (found[name].isel(step=step).values == found[name].isel(step=step).values[:, :1]).all(), name
    assert np.array_equal(found["h"].values[0, 0, step], data["h"].values[0, 2, step])
    ends = found["h"].values[0, :, -1]
    assert len({end.tobytes() for end in ends}) == 4, "each trajectory has its own noise"
    assert rollout.digest(found) == rollout.digest(
        again(data, debug_checkpoint, trajectory=2, step=step, trajectories=4)
    )


def test_a_state_that_was_moved_is_where_it_begins(recorded: xr.Dataset, debug_checkpoint: Path) -> None:
    h = recorded["h"].values[0, 0, 4].astype(np.float32) + 1
    found = again(recorded, debug_checkpoint, trajectory=0, step=4, h=h, trajectories=1)
    assert np.array_equal(found["h"].values[0, 0, 4], h.astype(np.float16))
    assert np.array_equal(found["l"].values[0, 0, 4], recorded["l"].values[0, 0, 4])
    assert not np.array_equal(found["h"].values[0, 0, 5], recorded["h"].values[0, 0, 5])


def test_it_may_go_on_for_longer(recorded: xr.Dataset, debug_checkpoint: Path) -> None:
    last = recorded.sizes["step"] - 1
    found = again(recorded, debug_checkpoint, step=last, supervision_steps=6)
    assert found.sizes["step"] == last + 1 + 4
    assert int(found["supervision_step"][-1]) == 6


def test_another_puzzle_is_the_sample_of_that_puzzle(recorded: xr.Dataset, debug_checkpoint: Path) -> None:
    opened = gram.load(debug_checkpoint)
    x = recorded["x"].values[0].copy()
    x[np.flatnonzero(x != 1)[0]] = 1  # one given less
    found = again(recorded, debug_checkpoint, x=x)
    wanted = sample(opened, opened.task.text(x), trajectories=3, supervision_steps=4, seed=5, record=EVERYTHING)
    assert (found["x"].values == x).all()
    assert rollout.digest(found) == rollout.digest(wanted)


def test_what_cannot_be_is_said(recorded: xr.Dataset, debug_checkpoint: Path, debug_trm_checkpoint: Path) -> None:
    with pytest.raises(SampleError, match=r"nothing lies ahead; choose an earlier one, or pass supervision_steps=8"):
        again(recorded, debug_checkpoint, step=recorded.sizes["step"] - 1)
    with pytest.raises(SampleError, match="step is 99; choose the end of a transition"):
        again(recorded, debug_checkpoint, step=99)
    with pytest.raises(SampleError, match="trajectory is 7; this rollout has 0 to 2"):
        again(recorded, debug_checkpoint, trajectory=7, step=1)
    with pytest.raises(RolloutError, match=r"has no `l`; record it with Record\(l=True\)"):
        again(recorded.drop_vars("l"), debug_checkpoint, step=1)
    with pytest.raises(SampleError, match=r"h has shape \(2, 2\); that of the recorded state"):
        again(recorded, debug_checkpoint, step=1, h=np.zeros((2, 2)))
    with pytest.raises(SampleError, match="not finite"):
        again(recorded, debug_checkpoint, step=1, h=np.full(recorded["h"].shape[-2:], np.inf))
    with pytest.raises(SampleError, match=r"no checkpoint here has the weights .* pass checkpoints="):
        again(recorded, debug_trm_checkpoint, step=1)
    x = recorded["x"].values[0].copy()
    x[:2] = 2  # the same digit twice in a row
    with pytest.raises(TaskError):
        again(recorded, debug_checkpoint, x=x)


def test_several_trajectories_each_go_from_their_own_state(recorded: xr.Dataset, debug_checkpoint: Path) -> None:
    found = again(recorded, debug_checkpoint, trajectory=[2, 0], keys=[7, 7], step=3)
    assert found.sizes["trajectory"] == 2
    for row, trajectory in enumerate((2, 0)):
        for name in ("tokens", "h", "l"):
            past = recorded[name].values[0, trajectory, : 3 if name == "tokens" else 4]
            assert np.array_equal(found[name].values[0, row, : len(past)], past), name
    assert np.array_equal(found["mu_prior"].values[0, 0, :3], recorded["mu_prior"].values[0, 2, :3]), (
        "the recorded past"
    )
    alone = again(recorded, debug_checkpoint, trajectory=[0], keys=[7], step=3)
    assert np.array_equal(found["tokens"].values[0, 1], alone["tokens"].values[0, 0])
    with pytest.raises(SampleError, match="2 trajectories and 1 keys; give at least one, and one key each"):
        again(recorded, debug_checkpoint, trajectory=[0, 1], keys=[7], step=3)
