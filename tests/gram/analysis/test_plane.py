"""Planes of states: distances, losses and starts that can be told by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import gram
from gram.analysis.plane import best_loss, landscape, right_answers, starts, three
from gram.checkpoint import Checkpoint
from gram.inference.request import SampleError
from gram.inference.sample import sample
from gram.rollout import RolloutError


@pytest.fixture(scope="module")
def opened(debug_checkpoint: Path) -> Checkpoint:
    """A GRAM whose guidance is loud enough that paths differ."""
    found = gram.load(debug_checkpoint)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in found.model.prior.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return found


@pytest.fixture(scope="module")
def drawn(opened: Checkpoint) -> xr.Dataset:
    return sample(opened, 1, trajectories=6, supervision_steps=3, precision="float32")


def test_the_loss_is_that_of_the_answer_that_fits_best() -> None:
    p = np.array([[[0.1, 0.6, 0.3], [0.2, 0.3, 0.5]]])
    answers = np.array([[1, 1], [2, 2], [0, 2]])  # 0 is padding: of the last answer one position counts
    costs = [-np.log([0.6, 0.3]).mean(), -np.log([0.3, 0.5]).mean(), -np.log(0.5)]
    for chosen in ([0], [1], [0, 1], [0, 1, 2]):
        assert best_loss(np.log(p), answers[chosen])[0] == pytest.approx(min(costs[k] for k in chosen))


def test_the_plane_shows_true_distances_and_the_decoder_s_loss(opened: Checkpoint, drawn: xr.Dataset) -> None:
    last = drawn.sizes["step"] - 1
    corners = [(0, 0), (0, last), (1, last)]
    found = landscape(opened, drawn, corners=corners, size=9)
    h = drawn["h"].values[0].astype(np.float64).reshape(6, last + 1, -1)
    states = np.stack([h[n, t] for n, t in corners])
    for i, j in ((0, 1), (0, 2), (1, 2)):
        shown = np.linalg.norm(found["corner"][i] - found["corner"][j])
        assert shown == pytest.approx(np.linalg.norm(states[i] - states[j]), rel=1e-4)
    assert found["corner"][0].values.tolist() == [0, 0]
    for n, t in corners:
        assert found["outside"][n, t] == pytest.approx(0, abs=1e-5)
    assert (found["outside"][2:, last] > 0.01).all()
    # At a corner the landscape says what the recorded state says.
    answers = right_answers(opened, drawn.isel(puzzle=0))
    near = landscape(opened, drawn, corners=corners, size=401, margin=0.1)
    here = near["loss"].sel(row=0, column=0, method="nearest")
    logp = np.log(drawn["probability"].values[0, 0, 0].astype(np.float64).clip(1e-7))
    assert float(here) == pytest.approx(float(best_loss(logp[None], answers)[0]), rel=0.05)


def test_which_corners_are_chosen(drawn: xr.Dataset) -> None:
    one = drawn.isel(puzzle=0)
    last = one.sizes["step"] - 1
    assert three(one.isel(trajectory=[0])) == [(0, last), (0, 0), (0, max(1, last // 4))]
    ends = np.zeros((6, one.sizes["position"]), np.uint8)
    ends[[1, 4]], ends[5] = 1, 2  # three paths answer 0, two 1, one 2
    tokens = one["tokens"].copy()
    tokens[:, -1] = ends
    assert three(one.assign(tokens=tokens)) == [(0, last), (1, last), (5, last)]


def test_refusals(opened: Checkpoint, drawn: xr.Dataset) -> None:
    with pytest.raises(RolloutError, match="lie on a line; choose corners that differ"):
        landscape(opened, drawn, corners=[(0, 0), (1, 0), (0, 3)])
    with pytest.raises(RolloutError, match="2 corners do not span a plane"):
        landscape(opened, drawn, corners=[(0, 0), (1, 0)])
    with pytest.raises(RolloutError, match="no `h`; record it with Record"):
        landscape(opened, drawn.drop_vars("h"))
    with pytest.raises(RolloutError, match="was not drawn from"):
        landscape(opened, drawn.assign_attrs(checkpoint="another"))
    with pytest.raises(SampleError, match="size is 4; it must be an odd number"):
        starts(opened, size=4)
    with pytest.raises(SampleError, match="2 puzzles were chosen"):
        starts(opened, [0, 1], size=3)


def test_the_center_of_the_starts_is_the_trajectory_that_is_sampled(opened: Checkpoint) -> None:
    plane = starts(opened, 2, size=5, radius=0.5, trajectory=3, supervision_steps=2, seed=4, exact=True)
    rollout = sample(opened, 2, trajectories=4, supervision_steps=2, seed=4, exact=True)
    center = int(np.flatnonzero((plane["row"] == 0) & (plane["column"] == 0))[0])
    np.testing.assert_array_equal(plane["tokens"][0, center, -1], rollout["tokens"][0, 3, -1])
    np.testing.assert_array_equal(plane["tokens"][0, center, 0], rollout["tokens"][0, 3, 0])
    assert plane.sizes["trajectory"] == 25
    assert np.unique(plane["row"]).tolist() == pytest.approx([-0.5, -0.25, 0, 0.25, 0.5])
    assert plane["supervision_step"].values.tolist() == [0, 2]
    again = starts(opened, 2, size=5, radius=0.5, trajectory=3, supervision_steps=2, seed=4, exact=True)
    np.testing.assert_array_equal(plane["tokens"], again["tokens"])
