"""Sampling noise: what it does to a state, that it is a trajectory's own, and that it is recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gram
from gram import checkpoint as store
from gram import rollout
from gram.checkpoint import Checkpoint
from gram.config import RunConfig
from gram.evaluation.evaluate import answer
from gram.inference.noise import RowGenerators, SamplingNoise
from gram.inference.request import SampleError, sampling_noise
from gram.inference.sample import MAX_ROWS, Record, sample
from gram.models import MODELS, Readout, State
from gram.models.blocks import NetworkConfig
from gram.presets import preset
from gram.training.run import Run

KINDS = sorted(MODELS)
RECURRENT = [kind for kind in KINDS if MODELS[kind].recurrent]
ADDED: dict[str, dict[str, Any]] = {
    "perturb": {"perturb": 0.7},
    "random start": {"random_start": True},
    "temperature": {"temperature": 1.0},
    "all": {"perturb": 0.3, "random_start": True, "temperature": 0.5},
}


def untrained(kind: str) -> Checkpoint:
    """A model of this kind for 5 queens as it is before training: undecided, so that noise shows."""
    network = NetworkConfig(features=32, heads=2, hidden=32, blocks=1)
    shape: dict[str, Any] = {"high_steps": 3} if kind == "looped" else {}
    config: RunConfig = replace(preset("debug"), model=MODELS[kind].Config(network=network, **shape))
    task, model = store.build(config)
    return Checkpoint(kind, None, config, task, model.eval(), "", 0)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trm(one_thread: None) -> Checkpoint:
    return untrained("trm")


def shows(logits: torch.Tensor) -> Readout:
    """A readout of nothing but these logits."""
    return Readout(logits, logits[:, 0, 0], logits[:, 0, 0])


def same(one: Any, other: Any) -> bool:
    return rollout.digest(one) == rollout.digest(other)


@pytest.mark.parametrize(
    ("kind", "added"),
    [
        (kind, added)
        for kind in KINDS
        for added in ([""] if MODELS[kind].samples_tokens else ADDED)
        if kind in RECURRENT or added in ("", "temperature")
    ],
)
def test_each_model_has_many_trajectories_of_which_each_is_its_own(kind: str, added: str, one_thread: None) -> None:
    opened = untrained(kind)
    how: dict[str, Any] = {"supervision_steps": 2, "record": Record(l=True), "exact": True} | ADDED.get(added, {})
    if opened.model.samples_tokens:  # noise of its own, and a board that fills
        how |= {"supervision_steps": 25, "record": Record()}
    many = sample(opened, [1, 2], trajectories=MAX_ROWS // 2 + 3, **how)
    last = many["tokens" if added in ("", "temperature") else "h"].values[:, :, -1].reshape(2, MAX_ROWS // 2 + 3, -1)
    assert all(len(np.unique(rows, axis=0)) == MAX_ROWS // 2 + 3 for rows in last)
    assert same(sample(opened, 2, trajectories=3, **how), many.isel(puzzle=[1], trajectory=slice(3)))
    assert same(sample(opened, [1, 2], trajectories=1, **how), many.isel(trajectory=[0]))
    assert not same(sample(opened, [1, 2], trajectories=1, seed=1, **how), many.isel(trajectory=[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_recurrent_if_a_step_depends_on_the_state_that_it_begins_from(kind: str, one_thread: None) -> None:
    opened = untrained(kind)
    model = opened.model
    with torch.inference_mode():
        start = model.init(torch.from_numpy(opened.task.puzzles("test").x[:2].astype(np.int64)))
        other = SamplingNoise(random_start=True).start(model, start, [(0, 0, 0), (0, 0, 1)])
        ends = [model.step(state, RowGenerators([(1, 0, 0), (1, 0, 1)]))[0].h for state in (start, other)]
    assert torch.equal(*ends) is not model.recurrent


@pytest.mark.parametrize("added", ADDED)
@pytest.mark.parametrize("kind", ["trm", "gram"])
def test_an_evaluation_draws_what_a_rollout_records(kind: str, added: str, one_thread: None) -> None:
    opened, ids = untrained(kind), np.array([0, 3, 5])
    how: dict[str, Any] = {"trajectories": 5, "seed": 4, "precision": "float32"}
    recorded = sample(opened, ids.tolist(), supervision_steps=3, record=Record(low=True), **how, **ADDED[added])
    chosen = opened.task.puzzles("test").take(ids)
    answers = answer(
        opened.model, chosen, ids, depths=[1, 3], halting=False, noise=sampling_noise(opened, **ADDED[added]), **how
    )
    for depth, found in answers.items():
        at = (recorded["supervision_step"] == depth) & (recorded["transition"] == opened.model.high_steps)
        state = recorded.isel(step=np.flatnonzero(at & (recorded["low_step"] == 0))[0])
        np.testing.assert_array_equal(found.tokens, state["tokens"])
        np.testing.assert_allclose(found.value, state["value"], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found.halt, state["halt"], rtol=1e-4, atol=1e-5)


class TestPerturb:
    """PTRM: noise on the latent before each supervision step."""

    @pytest.mark.parametrize("kind", ["trm", "gram", "looped"])
    def test_it_is_the_plain_loop_with_noise_on_the_latent_once_per_supervision_step(
        self, kind: str, one_thread: None
    ) -> None:
        opened, steps = untrained(kind), 3
        model = opened.model
        data = sample(
            opened, 3, trajectories=2, supervision_steps=steps, seed=9, perturb=0.4, noise=2.0, precision="float32",
            record=Record(every="supervision"),
        )  # fmt: skip
        for n in range(2):
            generators = RowGenerators([(9, 3, n)], 2.0)
            with torch.inference_mode():
                state = model.init(torch.from_numpy(data["x"].values.astype(np.int64)))
                for step in range(steps):
                    drawn = 0.4 * generators.normal(state.l)  # `noise` is the factor on the guidance, not on this
                    if kind == "looped":
                        state = State(state.e_x, state.h + drawn, state.l)
                    else:
                        state = State(state.e_x, state.h, state.l + drawn)
                    for _ in range(model.high_steps):
                        state, _ = model.step(state, generators)
                    seen = data["h"].isel(puzzle=0, trajectory=n, step=step + 1)
                    np.testing.assert_allclose(seen, state.h[0], rtol=5e-3, atol=5e-3)

    def test_the_initial_state_is_recorded_as_it_is_stored(self, trm: Checkpoint) -> None:
        h = sample(trm, 0, trajectories=3, perturb=1.0)["h"].values[:, :, 0]
        assert (h == trm.model.state_dict()["h0"].numpy().astype(np.float16)).all()

    def test_a_little_noise_moves_a_state_little(self, trm: Checkpoint) -> None:
        still, stirred = (
            sample(trm, 0, trajectories=1, perturb=sigma, supervision_steps=1, precision="float32")["h"].values
            for sigma in (0.0, 1e-4)
        )
        np.testing.assert_allclose(still, stirred, atol=0.01)


class TestRandomStart:
    """z0 of each trajectory."""

    def test_it_is_one_normal_vector_truncated_at_2_at_every_position(self, trm: Checkpoint) -> None:
        data = sample(trm, 0, trajectories=400, random_start=True, supervision_steps=1, record=Record(l=True))
        for name in ("h", "l"):
            z0 = data[name].values[0, :, 0].astype(float)
            assert (z0 == z0[:, :1]).all()
            drawn = z0[:, 0].ravel()  # 400 x 32 numbers: five standard errors are allowed
            assert np.abs(drawn).max() <= 2
            assert abs(drawn.mean()) < 5 * 0.88 / 113
            assert drawn.std() == pytest.approx(0.8796, abs=5 * 0.88 / 160)  # of N(0, 1) cut at 2
        assert abs(np.corrcoef(*(data[name].values[0, :, 0, 0].ravel() for name in ("h", "l")))[0, 1]) < 5 / 113

    def test_training_may_begin_at_random_states_too(self, one_thread: None, tmp_path: Path) -> None:
        config = preset("debug-trm").override(["train.random_start=true"])
        run, again, plain = (
            Run(chosen, tmp_path / str(at)) for at, chosen in enumerate((config, config, preset("debug-trm")))
        )
        assert len(np.unique(run.carry.h[:, 0], axis=0)) == len(run.carry.h)
        assert torch.equal(run.carry.h, again.carry.h)
        assert len(np.unique(plain.carry.h[:, 0], axis=0)) == 1
        begun = []
        for _ in range(4):
            run.advance()
            begun.append(run.carry.h[run.carry.age == 0][:, 0])
        z0 = torch.cat(begun)
        assert len(np.unique(z0, axis=0)) == len(z0) > 5
        assert z0.abs().max() <= 2


class TestTemperature:
    """Answers drawn from the decoder's softmax."""

    def test_answers_are_as_frequent_as_the_softmax_says(self) -> None:
        logits = torch.tensor([[1.0, 0.0, -1.0], [0.3, 0.2, 0.1]])
        for temperature in (0.5, 1.0, 2.0):
            rows = 4_000
            drawn = SamplingNoise(temperature=temperature).sample_tokens(
                shows(logits.expand(rows, 2, 3)), [(0, 0, n) for n in range(rows)]
            )
            share = torch.nn.functional.one_hot(drawn, 3).float().mean(0)
            expected = (logits / temperature).softmax(-1)
            assert (share - expected).abs().max() < 5 * 0.5 / rows**0.5

    def test_positions_are_drawn_independently(self) -> None:
        keys = [(0, 0, n) for n in range(4_000)]
        drawn = SamplingNoise(temperature=1.0).sample_tokens(shows(torch.zeros(4_000, 2, 2)), keys).double()
        assert abs(torch.corrcoef(drawn.T)[0, 1]) < 5 / 4_000**0.5

    def test_cold_answers_are_the_most_probable(self, trm: Checkpoint) -> None:
        cold, plain = (sample(trm, 0, trajectories=1, temperature=t)["tokens"].values for t in (1e-6, 0.0))
        np.testing.assert_array_equal(cold, plain)

    def test_it_touches_no_state_and_the_same_logits_give_the_same_answer(self, trm: Checkpoint) -> None:
        drawn, plain = (sample(trm, 0, trajectories=4, temperature=t, record=Record(low=True)) for t in (1.0, 0.0))
        assert (drawn["h"].values == plain["h"].values).all()
        for step in np.flatnonzero(drawn["low_step"] > 0):  # h, and so the logits, stand still
            np.testing.assert_array_equal(drawn["tokens"].isel(step=step), drawn["tokens"].isel(step=step - 1))


def test_a_rollout_says_how_noise_entered(trm: Checkpoint) -> None:
    plain, ptrm = sample(trm, 0), sample(trm, 0, trajectories=2, perturb=0.3)
    assert plain.sizes["trajectory"] == 1
    assert json.loads(plain.attrs["sampling_noise"]) == {
        "noise": 1.0, "perturb": 0.0, "random_start": False, "temperature": 0.0,
    }  # fmt: skip
    assert json.loads(ptrm.attrs["sampling_noise"])["perturb"] == 0.3
    assert (plain.attrs["name"], ptrm.attrs["name"]) == ("trm", "trm (perturb=0.3)")
    everything = sample(trm, 0, trajectories=2, **ADDED["all"])
    assert everything.attrs["name"] == "trm (perturb=0.3, random start, temperature=0.5)"


def test_a_checkpoint_may_ask_for_noise_itself(trm: Checkpoint) -> None:
    inference = replace(trm.config.inference, perturb=0.3)
    asks = replace(trm, config=replace(trm.config, inference=inference))
    assert same(sample(asks, 0, trajectories=3), sample(trm, 0, trajectories=3, perturb=0.3))
    assert sample(asks, 0, trajectories=3, perturb=0.0).sizes["trajectory"] == 1
    assert gram.evaluate(asks, trajectories=2, limit=2)["perturb"] == 0.3


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("trm", {"perturb": -0.1}, "perturb is -0.1; it must be a number from 0"),
        ("trm", {"temperature": float("inf")}, "temperature is inf"),
        ("direct", {"perturb": 0.3}, "direct answers in one pass .* perturb=0.3 changes nothing; leave it out"),
        ("direct", {"random_start": True}, "random start changes nothing"),
        ("ar", {"perturb": 0.3}, "ar continues from its tokens alone .* perturb=0.3 changes nothing; leave it out"),
        ("mdlm", {"temperature": 0.5}, "mdlm samples every token .* leave temperature out"),
    ],
)
def test_noise_that_cannot_be_is_one_sentence(kind: str, settings: dict[str, Any], words: str) -> None:
    opened = untrained(kind)
    for ask in (lambda: sample(opened, 0, **settings), lambda: gram.evaluate(opened, **settings)):
        with pytest.raises(SampleError, match=words):
            ask()


def test_trm_and_ptrm_stand_beside_each_other_in_one_plane(debug_trm_checkpoint: Path) -> None:
    from gramviz.explorer.pack import pack

    plain, ptrm = (sample(debug_trm_checkpoint, 1, trajectories=4, perturb=sigma) for sigma in (0.0, 0.5))
    meta = pack([plain, ptrm]).meta
    name = debug_trm_checkpoint.name
    assert [one["name"] for one in meta["series"]] == [name, f"{name} (perturb=0.5)"]
    assert [one["trajectories"] for one in meta["series"]] == [1, 4]
    assert next(basis for basis in meta["bases"] if basis["name"] == "h")["series"] == ["A", "B"]
