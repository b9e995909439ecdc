"""The full bound of GRAM: closed forms, an independent derivation, its limits against brute force; the diagnosis."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

import gram
from gram import cli
from gram.checkpoint import Checkpoint, build
from gram.config import RunConfig, TrainConfig
from gram.evaluation.likelihood import PROPOSALS, bound, follow, importance, log_likelihood, log_ratio
from gram.inference.chain import Chain, Row, Rows
from gram.inference.noise import RowGenerators
from gram.inference.request import SampleError
from gram.models.blocks import NetworkConfig
from gram.models.gaussian import Gaussian
from gram.models.gram import GRAMConfig
from gram.tasks.sudoku import SudokuConfig

SMALL = RunConfig(
    task=SudokuConfig(size=4, generated=24, clues_min=10, clues_max=12),
    model=GRAMConfig(network=NetworkConfig(features=4, heads=1, hidden=8, blocks=1), low_steps=1, guidance_hidden=8),
    train=TrainConfig(supervision_steps=2),
)


def opened(config: RunConfig = SMALL, loud: float = 0.0) -> Checkpoint:
    """An untrained model whose prior and posterior are equal (loud = 0), or differ by chance."""
    task, model = build(config)
    torch.manual_seed(1)
    with torch.no_grad():
        for head in (model.prior, model.posterior):
            for part in (head.mean, head.log_sigma):
                part.down.weight.normal_(std=loud)
    return Checkpoint("toy", Path("toy"), config, task, model.eval(), "0" * 64, 0)


def pair(checkpoint: Checkpoint, puzzle: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    given = checkpoint.task.puzzles("test")
    x, y = given.x[[puzzle]], given.solutions[puzzle][[0]]
    return torch.from_numpy(x.astype(np.int64)), torch.from_numpy(y.astype(np.int64))


@pytest.fixture(autouse=True)
def _one_thread(one_thread: None) -> None:
    """The models here are tiny."""


def test_the_elbo_is_what_torchs_distributions_give_transition_by_transition() -> None:
    toy = opened(loud=0.3)
    model, (x, y) = toy.model, pair(toy)
    noise = RowGenerators([(5, 0, 0, 0)])
    with torch.no_grad():
        state = model.init(x)
        e_x, h, l = state.e_x, state.h, state.l
        spent, surrogate, weight = 0.0, [], 0.0
        for _ in range(2):
            for _ in range(model.high_steps):
                l = model.f_low(l + h + e_x)
                u = model.f_high(h + l)
                said = model.prior(u), model.posterior(torch.cat([u, model.embed_y(y)], -1))
                p, q = (Normal(each.mean, each.log_sigma.exp()) for each in said)
                eps = q.mean + q.stddev * noise(h)
                h = u + eps
                cost = kl_divergence(q, p).sum().item()
                spent += cost
                weight += (p.log_prob(eps) - q.log_prob(eps)).sum().item()
            every = model.decoder(h).log_softmax(-1)[0]
            likelihood = sum(every[at, y[0, at]].item() for at in range(16))
            surrogate.append(likelihood - cost)
    found = bound(toy, [0], samples=1, seed=5, precision="float32")
    assert spent > 1
    assert found["kl"] == pytest.approx(spent, rel=1e-4)
    assert found["elbo"] == pytest.approx(likelihood - spent, rel=1e-4)
    assert found["surrogate"] == pytest.approx(np.mean(surrogate), rel=1e-4)
    assert found["importance"] == pytest.approx(likelihood + weight, rel=1e-4)


def test_the_log_ratio_equals_torchs_densities() -> None:
    torch.manual_seed(0)
    q, p = (Gaussian(torch.randn(3, 5, 4), 0.5 * torch.randn(3, 5, 4)) for _ in range(2))
    noise = torch.randn(3, 5, 4)
    eps = q.sample(noise)
    by_torch = Normal(p.mean, p.sigma).log_prob(eps) - Normal(q.mean, q.sigma).log_prob(eps)
    torch.testing.assert_close(log_ratio(q, p, noise), by_torch.double().sum((1, 2)), rtol=1e-4, atol=1e-4)


def test_the_likelihood_leaves_padding_out() -> None:
    logits, y = torch.randn(2, 6, 5), torch.randint(1, 5, (2, 6))
    y[0, 4:] = 0
    torch.testing.assert_close(log_likelihood(logits, y)[0], log_likelihood(logits[:1, :4], y[:1, :4])[0])


def test_one_draw_gives_the_elbo_in_expectation() -> None:
    """log p/q of a draw is -KL on average: 512 draws, 4 standard errors."""
    found = bound(opened(loud=0.3), [0], samples=512, supervision_steps=1, precision="float32")
    toy = opened(loud=0.3)
    with torch.no_grad():
        rows = Rows(toy.task.puzzles("test"), tuple(Row(0, (0, 0, 0, draw)) for draw in range(512)), 512)
        paths = follow(Chain(toy.model, rows), rows.y, 1, "posterior")
    gap = paths.log_weight - paths.elbo
    assert gap.std() > 0.1
    assert abs(gap.mean()) < 4 * gap.std() / math.sqrt(512)
    assert found["importance_by_samples"]["1"] - found["elbo"] == pytest.approx(gap.mean(), abs=1e-2)


@pytest.mark.parametrize("proposal", PROPOSALS)
def test_where_posterior_and_prior_agree_the_weight_is_the_likelihood(proposal: str) -> None:
    found = bound(opened(loud=0.0), [0, 1], samples=3, proposal=proposal, precision="float32")
    assert found["kl"] == 0
    assert found["elbo"] == found["log_likelihood"]
    assert found["importance_by_samples"]["1"] == pytest.approx(found["log_likelihood"], rel=1e-6)


def test_it_approaches_the_log_likelihood_that_brute_force_finds() -> None:
    """log p(y | x) by 20,000 draws of the prior, from torch's own noise and a loop of its own."""
    toy = opened(loud=0.01)  # near enough that 1,024 weights can tell
    x, y = pair(toy)
    rows = 20_000
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        state = toy.model.init(x.expand(rows, -1))
        for _ in range(toy.model.high_steps):
            state, _ = toy.model.step(state, lambda like: torch.randn(like.shape, generator=generator))
        said = toy.model.decode(state).logits.log_softmax(-1).gather(2, y.expand(rows, -1)[..., None]).sum((1, 2))
    exact = (torch.logsumexp(said, 0) - math.log(rows)).item()
    error = (said - exact).exp().std().item() / math.sqrt(rows)  # relative, that is absolute in nats
    found = {
        proposal: bound(toy, [0], samples=1024, supervision_steps=1, proposal=proposal, precision="float32")
        for proposal in PROPOSALS
    }
    assert found["posterior"]["elbo"] < found["posterior"]["importance"] - 0.05
    for one in found.values():
        spread = math.hypot(1 / math.sqrt(one["effective_samples"]), error)
        assert one["effective_samples"] > 50
        assert one["importance"] == pytest.approx(exact, abs=4 * spread)
    assert found["posterior"]["elbo"] < found["last"]["elbo"] < exact  # by chance it is no help, and costs


def test_the_bound_rises_with_the_draws_on_the_same_weights() -> None:
    weights = np.random.default_rng(0).normal(size=(5, 16)) * 3
    values = [importance(weights, size) for size in (1, 2, 4, 8, 16)]
    assert (np.diff(values, axis=0) >= 0).all()
    np.testing.assert_allclose(values[0], weights.mean(1))
    np.testing.assert_allclose(values[-1], np.log(np.exp(weights).mean(1)))
    np.testing.assert_allclose(importance(weights, 5), importance(weights[:, :15], 5))  # the sixteenth is left out


def test_the_bound_of_a_trained_model_rises_and_its_terms_add_up(debug_checkpoint: Path) -> None:
    found = bound(debug_checkpoint, limit=4, samples=4)
    rising = [*found["importance_by_samples"].values()]
    assert list(found["importance_by_samples"]) == ["1", "2", "4"]
    assert rising == sorted(rising)
    assert rising[-1] == found["importance"]
    assert found["elbo"] == pytest.approx(found["log_likelihood"] - found["kl"])
    assert np.sum(found["kl_by_transition"]) == pytest.approx(found["kl"])
    assert found["log_likelihood_by_step"][-1] == pytest.approx(found["log_likelihood"])
    assert np.shape(found["kl_by_transition"]) == (found["supervision_steps"], 2)
    assert found["pairs"] == len(found["per_pair"]["elbo"]) == 4
    assert json.loads(json.dumps(found)) == found


def test_the_proposal_of_the_last_transition_pays_only_in_the_last_transition() -> None:
    found = bound(opened(loud=0.3), [0], samples=2, proposal="last")
    kl = np.array(found["kl_by_transition"])
    assert (kl[:, :-1] == 0).all()
    assert (kl[:, -1] > 0).all()


def test_a_pairs_figures_do_not_depend_on_the_other_pairs() -> None:
    toy = opened(loud=0.3)
    alone, among = (bound(toy, which, samples=3, exact=True)["per_pair"] for which in ([1], [0, 1]))
    of_one = [at for at, puzzle in enumerate(among["puzzle"]) if puzzle == 1]
    for name in ("elbo", "importance", "surrogate"):
        assert alone[name] == [among[name][at] for at in of_one]
    assert bound(toy, [1], samples=3, seed=1)["per_pair"]["elbo"] != alone["elbo"]


def test_a_number_of_pairs_is_spread_over_the_split() -> None:
    toy = opened()
    found = bound(toy, limit=3, split="train", samples=1)["per_pair"]
    assert found["puzzle"][0] == 0
    assert found["puzzle"][-1] == len(toy.task.puzzles("train")) - 1
    assert bound(toy, limit=10_000, samples=1)["pairs"] == toy.task.puzzles("test").counts.sum()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"samples": 0}, "trajectories is 0|samples is 0"),
        ({"limit": 0}, "limit is 0; it must be at least 1"),
        ({"puzzles": [9_999]}, "puzzle 9999 is not in the test split"),
        ({"puzzles": []}, "puzzles is empty"),
        ({"proposal": "both"}, "proposal is 'both'; known: posterior, last, prior"),
    ],
)
def test_what_cannot_be_served_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SampleError, match=words):
        bound(opened(), **{"samples": 1} | changes)


def test_a_deterministic_model_is_refused_in_one_sentence(debug_trm_checkpoint: Path) -> None:
    with pytest.raises(SampleError, match="is deterministic and has no posterior; the bound needs"):
        gram.bound(debug_trm_checkpoint)
    for changed, words in (({"guided": False}, "deterministic"), ({"guidance": "zero-sigma"}, "samples nothing")):
        config = replace(SMALL, model=replace(SMALL.model, **changed))
        task, model = build(config)
        with pytest.raises(SampleError, match=words):
            bound(Checkpoint("toy", Path("toy"), config, task, model, "", 0))


def test_the_command_prints_json_and_a_table(
    debug_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["gram", "bound", str(debug_checkpoint), *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert not stopped.value.code
        return capsys.readouterr().out

    found = json.loads(say("--limit", 2, "--samples", 2, "--json"))
    assert (found["pairs"], found["samples"]) == (2, 2)
    assert f"ELBO {found['elbo']:.3f}" in say("--limit", 2, "--samples", 2)
