"""Interventions: closed forms of patching, what an edit and a patch are said to have done, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import gram
from gram.analysis.intervene import intervene
from gram.evaluation import intervals
from gram.inference.request import SampleError
from gram.inference.rerun import rerun
from gram.inference.sample import Record, sample
from gram.patching import InterventionError, edited, effect, patched
from gram.rollout import RolloutError, board_of

STEP = 3  # within a supervision step


@pytest.fixture(scope="module")
def recorded(debug_checkpoint: Path) -> xr.Dataset:
    """Four trajectories of a GRAM on two puzzles, three supervision steps of two transitions."""
    return sample(debug_checkpoint, [3, 4], trajectories=4, supervision_steps=3, seed=5, record=Record(l=True))


@pytest.fixture(scope="module")
def trm(debug_trm_checkpoint: Path) -> xr.Dataset:
    """A TRM's trajectory on each of two puzzles, and PTRM's noise to have several of them."""
    return sample(debug_trm_checkpoint, [3, 4], trajectories=3, supervision_steps=3, perturb=3.0, record=Record(l=True))


def resumed(data: xr.Dataset, folder: Path, trajectory: int, **how: object) -> xr.Dataset:
    return rerun(data, trajectory=[trajectory], keys=[0], step=STEP, checkpoints=[folder], **how)


@pytest.mark.parametrize("which", ["gram", "trm"])
def test_all_cells_of_a_source_are_its_continuation_and_none_is_the_original(
    which: str, recorded: xr.Dataset, trm: xr.Dataset, debug_checkpoint: Path, debug_trm_checkpoint: Path
) -> None:
    """Bit for bit, of a stochastic and of a deterministic model, without noise and with equal noise on both sides."""
    data, folder = (recorded, debug_checkpoint) if which == "gram" else (trm, debug_trm_checkpoint)
    one = data.isel(puzzle=[0])
    for noise in (0.0, 1.0):
        source = resumed(one, folder, 2, noise=noise)
        base = resumed(one, folder, 0, noise=noise)
        assert not np.array_equal(source["h"].values[..., -1, :, :], base["h"].values[..., -1, :, :])
        for cells, wanted in ((None, source), ([[]], base)):
            found = resumed(one, folder, 0, noise=noise, **patched(one, [0], one, [2], STEP, cells))
            for name in ("tokens", "h", "l", "probability"):
                assert np.array_equal(found[name].values[:, :, STEP:], wanted[name].values[:, :, STEP:]), (noise, name)


def test_the_effect_is_1_of_the_source_itself_and_0_of_a_cell_patched_with_itself(
    recorded: xr.Dataset, debug_checkpoint: Path
) -> None:
    known = {"checkpoints": [debug_checkpoint], "progress": False}
    whole = intervene(recorded, STEP, source=recorded.isel(trajectory=[2]), **known)
    assert whole["effect"].dims == ("puzzle", "trajectory")
    differs = whole["differs"].values
    assert differs.any()
    np.testing.assert_allclose(whole["effect"].values[differs], 1, atol=1e-6)
    assert whole["followed"].values.all()
    assert not differs[:, 2].any()
    assert float(whole["share"]) == 1
    own = intervene(recorded.isel(puzzle=[0]), STEP, source=recorded.isel(puzzle=[0]), cells="each", **known)
    assert own["changed"].sizes == {"puzzle": 1, "trajectory": 4, "position": recorded.sizes["position"]}
    assert not own["changed"].any()
    assert own["effect"].isnull().all(), "there is nothing to follow"
    assert own["n"].values.tolist() == [0] * recorded.sizes["position"]


def test_each_cell_in_turn_is_each_cell_alone(recorded: xr.Dataset, debug_checkpoint: Path) -> None:
    one = recorded.isel(puzzle=[0])
    known = {"checkpoints": [debug_checkpoint], "progress": False, "trajectories": [1, 3]}
    each = intervene(one, STEP, source=0, cells="each", **known)
    for cell in (0, 7):
        alone = intervene(one, STEP, source=0, cells=[cell], **known)
        for name in ("effect", "changed", "followed", "valid", "share", "n"):
            np.testing.assert_allclose(
                each[name].isel(position=cell).values, alone[name].values, atol=2e-3, err_msg=name
            )


def test_a_deterministic_model_has_effects_too(trm: xr.Dataset, debug_trm_checkpoint: Path) -> None:
    found = intervene(trm, STEP, source=1, cells="each", noise=0, checkpoints=[debug_trm_checkpoint])
    differs = found["differs"].values
    assert differs.any()
    assert np.isfinite(found["effect"].values[differs]).all()
    assert np.ptp(found["effect"].values[differs]) > 0


def test_a_source_may_be_another_puzzle_whose_answer_is_its_own(trm: xr.Dataset, debug_trm_checkpoint: Path) -> None:
    one, other = (trm.isel(puzzle=[p], trajectory=[0]) for p in (0, 1))
    known = {"noise": 0, "checkpoints": [debug_trm_checkpoint]}
    found = intervene(one, STEP, source=other, **known)
    answers = [rerun(data, trajectory=[0], step=STEP, **known)["tokens"].values[0, 0, -1] for data in (one, other)]
    assert bool(found["differs"].all()) == (answers[0] != answers[1]).any()


def test_an_edit_is_a_table_with_the_share_that_followed(recorded: xr.Dataset, debug_checkpoint: Path) -> None:
    one = recorded.isel(puzzle=[0])
    free = int(np.flatnonzero(one["x"].values[0] == 1)[0])
    edit = {free: board_of(one).tokens[one["y"].values[0, free]].label}
    found = intervene(one, STEP, edit=edit, checkpoints=[debug_checkpoint], progress=False)
    again = rerun(one, trajectory=range(4), step=STEP, x=edited(one, edit), checkpoints=[debug_checkpoint])
    followed = again["tokens"].values[0, :, -1, free] == one["y"].values[0, free]
    assert (found["followed"].values[0] == followed).all()
    assert (found["valid"].values[0] == again["valid"].values[0, :, -1]).all()
    assert float(found["share"]) == followed.mean()
    assert found["interval"].values.tolist() == intervals.wilson(followed.sum(), 4)
    assert found["interval"].coords["bound"].values.tolist() == ["low", "high"]
    assert "effect" not in found


def test_the_effect_is_linear_in_the_logits() -> None:
    """Two cells of three tokens; the answers differ in the first cell only, so only its logits count."""
    dims = ("puzzle", "trajectory", "step", "position", "token")

    def rollout(first: list[float]) -> xr.Dataset:
        logits = np.array([first, [0.0, 5.0, 0.0]])[None, None, None]
        return xr.Dataset({"logits": (dims, logits), "tokens": (dims[:-1], logits.argmax(-1))})

    base, source, after = rollout([2.0, 0, 0]), rollout([0.0, 4, 0]), rollout([1.0, 1.5, 0])
    found = effect(base, source, after)
    assert float(found["effect"][0]) == pytest.approx((0.5 - -2) / (4 - -2))
    assert found["changed"].values.tolist() == [1]
    assert found["followed"].values.tolist() == [True]


def test_noise_is_a_factor_on_the_recorded_one(
    recorded: xr.Dataset, debug_checkpoint: Path, debug_trm_checkpoint: Path
) -> None:
    one = recorded.isel(puzzle=[0])
    ends = [
        rerun(one, trajectory=[0, 0], step=STEP, noise=noise, checkpoints=[debug_checkpoint])["h"].values[0, :, -1]
        for noise in (0, 1, 3)
    ]
    apart = [np.abs(a.astype(float) - b).mean() for a, b in ends]
    assert apart[0] == 0 < apart[1] < apart[2]
    still = sample(debug_trm_checkpoint, 1, supervision_steps=2, record=Record(l=True))
    with pytest.raises(SampleError, match="was sampled without noise, so a factor changes nothing"):
        rerun(still, noise=2, checkpoints=[debug_trm_checkpoint])


def test_what_cannot_be_is_said(recorded: xr.Dataset, debug_checkpoint: Path) -> None:
    known = {"checkpoints": [debug_checkpoint], "progress": False}
    for how, says in (
        ({}, "give one change, either edit="),
        ({"edit": {0: 1}, "source": 1}, "give one change, either edit="),
        ({"edit": {0: 1}, "cells": [3]}, "an edit names its own, so leave cells out"),
        ({"edit": {}}, "the edit is empty"),
        ({"edit": {99: "Q"}}, "there is no cell 99; choose 0 to 24"),
        ({"edit": {0: 9}}, "9 is no token of this board; write .*, or None for a blank"),
        ({"source": 1, "cells": [25]}, "there is no cell 25; choose 0 to 24"),
        ({"source": 9}, "there is no trajectory 9; choose 0 to 3|trajectory is 9; this rollout has 0 to 3"),
        ({"source": recorded.isel(trajectory=[0, 1])}, "the source has 2 of trajectory; give 1, or as many as here, 4"),
        ({"source": recorded.assign_attrs(checkpoint="another")}, "different checkpoints|no checkpoint here"),
    ):
        with pytest.raises((InterventionError, SampleError), match=says):
            intervene(recorded, STEP, **how, **known)
    with pytest.raises(RolloutError, match=r"has no `l`; record it with Record\(l=True\)"):
        intervene(recorded.drop_vars("l"), STEP, source=1, **known)
    with pytest.raises(InterventionError, match="the source has no step 3; it ends at 2"):
        patched(recorded, [0], recorded.isel(step=slice(3)), [0], STEP)
    assert gram.intervene is intervene
