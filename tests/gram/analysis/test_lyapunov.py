"""Lyapunov exponents: closed forms of maps whose exponents are known, then real models against small differences."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import gram
from gram.analysis.lyapunov import advance, first_frame, lyapunov, pack, transition, unpack
from gram.checkpoint import Checkpoint, build
from gram.inference.noise import RowGenerators
from gram.inference.request import SampleError
from gram.inference.sample import sample
from gram.models import State
from gram.presets import preset


def exponents(matrix: Tensor, directions: int, steps: int) -> Tensor:
    """Mean growth [direction] of a linear map over many applications, from random directions."""
    z = torch.zeros(1, len(matrix))
    frame = first_frame([(0, 0, 0)], directions, z)
    total = torch.zeros(directions)
    for _ in range(steps):
        z, frame, growth = advance(lambda z: z @ matrix.T, z, frame)
        total += growth[0]
    return total / steps


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_linear_map_has_the_logarithms_of_its_eigenvalues(seed: int) -> None:
    turn = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(seed)))[0]
    sizes = torch.tensor([1.6, 1.1, 0.7, 0.4, 0.2])
    found = exponents(turn @ sizes.diag() @ turn.T, 5, 400)
    torch.testing.assert_close(found, sizes.log(), atol=0.01, rtol=0)  # the start is forgotten as 1 / steps


def test_contraction_rotation_and_shear() -> None:
    assert exponents(0.5 * torch.eye(4), 2, 10).tolist() == pytest.approx([math.log(0.5)] * 2, abs=1e-5)
    angle = torch.tensor(0.7)
    rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2)
    assert exponents(rotation, 1, 50).item() == pytest.approx(0, abs=1e-5)
    shear = torch.tensor([[1.0, 1.0], [0.0, 1.0]])  # grows, but only as fast as the number of steps
    assert 0 < exponents(shear, 1, 1000).item() < 0.02


def test_the_sum_is_the_growth_of_one_difference() -> None:
    """ln |J_t ... J_1 v| of the first direction, whatever was rescaled on the way."""
    matrices = torch.randn(6, 4, 4, generator=torch.Generator().manual_seed(3))
    z, frame = torch.zeros(1, 4), first_frame([(0, 0, 0)], 2, torch.zeros(1, 4))
    v, total = frame[0, 0], torch.zeros(())
    for matrix in matrices:
        z, frame, growth = advance(lambda z, m=matrix: z @ m.T, z, frame)
        v, total = matrix @ v, total + growth[0, 0]
    assert total.item() == pytest.approx(v.norm().log().item(), abs=1e-4)
    assert (frame[0, 0] @ frame[1, 0]).item() == pytest.approx(0, abs=1e-5)


def test_the_logistic_map_has_exponent_ln_2() -> None:
    """x -> 4 x (1 - x); its exponent is ln 2 for almost every start (Ulam & von Neumann 1947)."""
    z = torch.linspace(0.01, 0.49, 64, dtype=torch.float64)[:, None]
    frame, total = torch.ones(1, 64, 1, dtype=torch.float64), torch.zeros(64, dtype=torch.float64)
    for _ in range(500):
        z, frame, growth = advance(lambda z: 4 * z * (1 - z), z, frame)
        total += growth[:, 0]
    assert (total / 500).mean().item() == pytest.approx(math.log(2), abs=0.01)


@pytest.mark.parametrize("name", ["debug", "debug-trm", "debug-hrm", "nqueens8-looped"])
def test_a_transition_grows_as_a_small_difference_does(name: str, one_thread: None) -> None:
    task, model = build(preset(name))
    x = torch.from_numpy(task.puzzles("test").x[:3].astype(np.int64))
    state, keys = model.init(x), [(0, p, 0) for p in range(3)]
    with torch.no_grad():
        state = model.step(state, RowGenerators(keys))[0]
        frame = first_frame(keys, 1, pack(model, state))
        after, turned, growth = transition(model, state, RowGenerators(keys), frame)
        plain = model.step(state, RowGenerators(keys))[0]
        torch.testing.assert_close(after.h, plain.h)  # the derivative is taken beside, not instead
        torch.testing.assert_close(after.l, plain.l)
        size = 0.01
        z = pack(model, state)
        ends = [
            pack(model, model.step(unpack(model, state, z + sign * size * frame[0]), RowGenerators(keys))[0])
            for sign in (1, -1)
        ]
        difference = (ends[0] - ends[1]) / (2 * size)
    torch.testing.assert_close(difference.norm(dim=1).log(), growth[:, 0], atol=0.02, rtol=0)
    torch.testing.assert_close(turned[0].norm(dim=1), torch.ones(3))
    assert (torch.nn.functional.cosine_similarity(difference, turned[0]).abs() > 0.99).all()


def test_it_follows_the_trajectories_that_are_sampled(debug_checkpoint: Path) -> None:
    opened = gram.load(debug_checkpoint)
    few = lyapunov(opened, [0, 2], trajectories=2, supervision_steps=3, seed=5, exact=True)
    many = lyapunov(opened, [0, 2], trajectories=9, supervision_steps=3, seed=5, exact=True)
    rollout = sample(opened, [0, 2], trajectories=2, supervision_steps=3, seed=5, precision="float32")
    np.testing.assert_array_equal(few["growth"], many["growth"][:, :2])  # width is batching
    for name in ("step", "supervision_step", "transition"):
        np.testing.assert_array_equal(few[name], rollout[name])
    assert few["growth"].dims == ("puzzle", "trajectory", "step", "direction")
    assert np.isnan(few["exponent"][:, :, 0]).all()
    np.testing.assert_allclose(few["exponent"][:, :, -1], few["growth"][:, :, 1:].mean("step"), rtol=1e-4)


def test_one_path_where_all_would_be_equal_and_several_directions(debug_trm_checkpoint: Path) -> None:
    found = lyapunov(debug_trm_checkpoint, trajectories=4, supervision_steps=2, directions=3)
    assert found.sizes["trajectory"] == 1
    alone = lyapunov(debug_trm_checkpoint, supervision_steps=2)
    np.testing.assert_allclose(found["growth"][..., :1], alone["growth"], atol=1e-4)  # not touched by the others


def test_refusals(debug_checkpoint: Path) -> None:
    opened = gram.load(debug_checkpoint)
    with pytest.raises(SampleError, match="directions is 0; it must be from 1 to"):
        lyapunov(opened, directions=0)
    with pytest.raises(SampleError, match="supervision_steps is 0"):
        lyapunov(opened, supervision_steps=0)
    task, model = build(preset("nqueens8-direct8"))
    direct = Checkpoint("direct", Path(), preset("nqueens8-direct8"), task, model, "", 0)
    with pytest.raises(SampleError, match="answers in one pass"):
        lyapunov(direct)


def test_only_h_is_a_state_where_l_stands_still() -> None:
    _, model = build(preset("nqueens8-looped"))
    state = State(*(torch.zeros(2, 64, model.config.network.features) for _ in range(3)))
    assert pack(model, state).shape[1] == 64 * model.config.network.features
