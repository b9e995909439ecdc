"""AR, MDLM, D3PM and VAE against their closed forms, on boards so small that everything can be enumerated."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gram.board import Board, Token
from gram.checkpoint import load
from gram.config import ConfigError
from gram.evaluation.likelihood import bound
from gram.inference.request import SampleError
from gram.inference.sample import sample
from gram.models import MODELS, VAE, TokenModel
from gram.models.ar import ARConfig
from gram.models.blocks import NetworkConfig
from gram.models.d3pm import D3PM, transitions
from gram.models.mdlm import MDLM
from gram.models.token_model import choose, uniform
from gram.presets import preset
from gram.training import losses
from gram.training.loop import train
from gram.training.run import Run

TINY = NetworkConfig(features=16, heads=2, hidden=24, blocks=2)
BOARD = Board("toy", "Two by two", "grid", 2, 2, tuple(map(Token, ("pad", "a", "b", "c"))), blank=(0,))
PAIR = Board("toy", "A pair", "grid", 1, 2, tuple(map(Token, ("pad", "a", "b"))), blank=(0,))
DIFFUSIONS = ("uniform", "absorbing")


def tiny(kind: str, board: Board = BOARD, seed: int = 0, **changes: Any) -> Any:
    """A model with weights that are far from their start."""
    torch.manual_seed(seed)
    model = MODELS[kind](MODELS[kind].Config(network=TINY, **changes), board)  # type: ignore[call-arg]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.requires_grad_(False)


def strings(board: Board) -> Tensor:
    """Every board without padding [string, position]."""
    return torch.tensor(list(itertools.product(range(1, len(board.tokens)), repeat=board.positions)))


def die(seed: int = 0) -> Any:
    generator = torch.Generator().manual_seed(seed)
    return lambda like: torch.randn(like.shape, generator=generator)


def run(model: TokenModel, x: Tensor, seed: int = 0) -> Any:
    """The last state of a chain."""
    noise, state = die(seed), model.init(x)
    for _ in range(int(state.time.max())):  # type: ignore[attr-defined]
        state, _ = model.step(state, noise)
    return state


class TestDice:
    def test_normal_noise_becomes_uniform(self) -> None:
        drawn = uniform(torch.randn(20_000, generator=torch.Generator().manual_seed(0)))
        for share in (0.1, 0.5, 0.9):
            assert (drawn < share).float().mean() == pytest.approx(share, abs=5 * (0.25 / 20_000) ** 0.5)

    def test_a_choice_follows_its_probabilities_and_without_noise_the_largest(self) -> None:
        p = torch.tensor([0.1, 0.6, 0.3])
        noise = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0))
        shares = torch.bincount(choose(p.log().expand(20_000, 3), noise)) / 20_000
        torch.testing.assert_close(shares, p, atol=5 * (0.25 / 20_000) ** 0.5, rtol=0)
        assert choose(p.log(), torch.zeros(3)) == 1
        assert choose(torch.tensor([0.0, 0.0]), torch.tensor([40.0, -40.0])) == 0  # far out, still finite


WRITERS: dict[str, tuple[str, dict[str, Any]]] = {
    "ar": ("ar", {}),
    "mdlm": ("mdlm", {"diffusion_steps": 5}),
    **{f"d3pm-{kind}": ("d3pm", {"diffusion": kind, "diffusion_steps": 5}) for kind in DIFFUSIONS},
}


@pytest.mark.parametrize("which", WRITERS)
class TestBoard:
    """What every chain does to the board."""

    def test_it_ends_whole_keeps_what_is_given_and_then_stays(self, which: str) -> None:
        kind, changes = WRITERS[which]
        model, x = tiny(kind, **changes), torch.tensor([[0, 2, 0, 0], [1, 0, 3, 0], [0, 0, 0, 0], [1, 2, 3, 1]])
        state = run(model, x)
        assert (state.time == 0).all()
        assert (state.tokens > 0).all()
        assert torch.equal(state.tokens[x > 0], x[x > 0])
        assert (model.decode(state).halt > 0).all()
        after, _ = model.step(state, die(1))
        assert torch.equal(after.tokens, state.tokens)
        assert torch.equal(model.decode(after).tokens, state.tokens)

    def test_it_is_not_sure_of_itself_before(self, which: str) -> None:
        kind, changes = WRITERS[which]
        model, noise = tiny(kind, **changes), die()
        state, halts = model.init(torch.zeros(1, 4, dtype=torch.long)), []
        while state.time.any():
            halts.append(float(model.decode(state).halt))
            state, _ = model.step(state, noise)
        assert max(halts) < 0
        assert halts == sorted(halts)  # with halting, the last answer counts

    def test_what_no_answer_holds_is_never_written(self, which: str) -> None:
        kind, changes = WRITERS[which]
        board = Board(
            "toy", "Two by two", "grid", 2, 2, BOARD.tokens, blank=(0, 1), required=((0, 0), (1, 0))
        )  # as in Sudoku
        state = run(tiny(kind, board, **changes), torch.ones(200, 4, dtype=torch.long))
        assert set(state.tokens.flatten().tolist()) == {2, 3}


@pytest.mark.parametrize("which", ["ar", "mdlm", "d3pm-absorbing"])
def test_a_written_token_stays(which: str) -> None:
    kind, changes = WRITERS[which]
    model, noise = tiny(kind, **changes), die()
    state = model.init(torch.zeros(50, 4, dtype=torch.long))
    while state.time.any():
        after, _ = model.step(state, noise)
        written = state.tokens > 0
        assert torch.equal(after.tokens[written], state.tokens[written])
        if kind == "ar":
            assert ((after.tokens > 0).sum(1) == written.sum(1) + 1).all()
            assert (after.tokens > 0).float().diff(dim=1).max() <= 0  # from the first on
        state = after


class TestAR:
    def test_the_probabilities_of_all_answers_sum_to_one(self) -> None:
        model = tiny("ar")
        for x in ([0, 0, 0, 0], [0, 3, 0, 0], [2, 0, 1, 0]):
            given = torch.tensor(x)
            every = strings(BOARD)
            every = every[((every == given) | (given == 0)).all(1)]
            p = torch.exp(-4 * model.loss(given.expand(len(every), -1), every, None, die())["bound"])
            assert p.sum() == pytest.approx(1, abs=1e-5)
            assert p.max() < 0.9  # a model that is sure would prove nothing

    def test_the_readout_holds_the_probabilities_with_which_the_board_was_drawn(self) -> None:
        model, x = tiny("ar"), torch.tensor([[0, 2, 0, 0]]).expand(64, -1)
        state = run(model, x)
        logits = model.decode(state).logits.log_softmax(-1)
        drawn = logits.gather(-1, state.tokens[..., None])[..., 0]
        assert (drawn[:, 1] == 0).all()
        torch.testing.assert_close(-drawn.sum(1) / 4, model.loss(x, state.tokens, None, die())["bound"])

    def test_positions_see_the_whole_puzzle_and_of_the_answer_only_what_comes_before(self) -> None:
        model, x = tiny("ar"), torch.zeros(1, 4, dtype=torch.long)
        y = torch.tensor([[1, 2, 3, 1]])
        e_x = model.encoder(model.embed(x, None))
        changed = model.read(e_x, torch.tensor([[1, 3, 3, 1]])) != model.read(e_x, y)
        assert changed.any(-1).tolist() == [[False, False, True, True]]
        other = model.encoder(model.embed(torch.tensor([[0, 0, 0, 2]]), None))
        assert (model.read(other, y) != model.read(e_x, y)).any(-1).all()

    def test_a_mix_of_all_positions_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"mixing is 'mlp'.*choose attention"):
            ARConfig(NetworkConfig(mixing="mlp"))


class TestTransitions:
    ANSWERS = torch.tensor([False, False, True, True, True])

    @pytest.mark.parametrize("diffusion", DIFFUSIONS)
    def test_cumulative_matrices_are_products_and_end_in_noise(self, diffusion: str) -> None:
        one, through = transitions(diffusion, 7, self.ANSWERS)
        torch.testing.assert_close(one.sum(-1), torch.ones(8, 5))
        product = torch.eye(5)
        for t in range(8):
            product = product @ one[t]
            torch.testing.assert_close(through[t], product, atol=1e-6, rtol=1e-5)
        noise = torch.tensor([1.0, 0, 0, 0, 0]) if diffusion == "absorbing" else self.ANSWERS / 3
        torch.testing.assert_close(through[7, 2:], noise.expand(3, -1))
        torch.testing.assert_close(through[:, :2, :2], torch.eye(2).expand(8, 2, 2))  # pad and blank stay

    @pytest.mark.parametrize("diffusion", DIFFUSIONS)
    def test_the_posterior_is_bayes_rule(self, diffusion: str) -> None:
        T = 4
        model = tiny("d3pm", diffusion=diffusion, diffusion_steps=T)
        one, through = (part.double() for part in transitions(diffusion, T, model.answers))
        for t, start, end in itertools.product(range(1, T + 1), (1, 2, 3), range(4)):
            joint = through[t - 1, start] * one[t, :, end]  # q(x_{t-1} | x_0) q(x_t | x_{t-1})
            if joint.sum() == 0:
                continue
            answer = torch.nn.functional.one_hot(torch.tensor([[start]]), 4).float()
            found = model.posterior(torch.tensor([[end]]), answer, torch.tensor([t]))[0, 0]
            torch.testing.assert_close(found.double(), joint / joint.sum(), atol=1e-6, rtol=1e-4)
            if t == 1:
                assert found[start] == pytest.approx(1)


def expected(model: D3PM, y: Tensor) -> float:
    """The bound of one board [position] in nats, every t and every noisy board taken with its probability."""
    T, total = model.config.diffusion_steps, 0.0
    boards = torch.tensor(list(itertools.product(range(len(model.answers)), repeat=len(y))))
    e_x = model.embed(torch.zeros_like(boards), None)
    for t in range(1, T + 1):
        weight = model.through[t][y, boards].double().prod(1)
        here = weight > 0
        time = torch.full((int(here.sum()),), t)
        nats, _ = model.nats(e_x[here], y.expand(len(time), -1), boards[here], time)
        total += float((weight[here] * nats.double().sum(1)).sum())
    return total


class TestD3PM:
    @pytest.mark.parametrize("diffusion", DIFFUSIONS)
    def test_chains_are_drawn_from_the_model_and_its_bound_lies_above(self, diffusion: str) -> None:
        """Two cells, two tokens, three steps: the probability of an answer is a sum over all chains that end there."""
        T = 3
        model = tiny("d3pm", PAIR, diffusion=diffusion, diffusion_steps=T)
        boards = torch.tensor(list(itertools.product(range(3), repeat=2)))
        start = model.through[T, 1].double()
        p = start[boards].prod(1)
        e_x = model.embed(torch.zeros_like(boards), None)
        for t in range(T, 0, -1):
            time = torch.full((len(boards),), t)
            predicted = model.predict(model.read(e_x, boards, time)).exp()
            before = model.posterior(boards, predicted, time).double()  # [board, position, token]
            p = sum(p[i] * before[i, 0, boards[:, 0]] * before[i, 1, boards[:, 1]] for i in range(len(boards)))
        assert float(p.sum()) == pytest.approx(1, abs=1e-6)
        rows = 20_000
        ends = run(model, torch.zeros(rows, 2, dtype=torch.long)).tokens
        for board, probability in zip(boards, p, strict=True):
            drawn = (ends == board).all(1).float().mean()
            assert float(drawn) == pytest.approx(float(probability), abs=5 * (0.25 / rows) ** 0.5)
        for y in strings(PAIR):
            exact = -math.log(float(p[(boards == y).all(1)]))
            assert exact - 1e-6 < expected(model, y) < exact + 1.5

    @pytest.mark.parametrize("diffusion", DIFFUSIONS)
    def test_the_loss_estimates_the_bound(self, diffusion: str) -> None:
        model = tiny("d3pm", PAIR, diffusion=diffusion, diffusion_steps=4)
        y, rows = torch.tensor([1, 2]), 20_000
        found = 2 * model.loss(torch.zeros(rows, 2, dtype=torch.long), y.expand(rows, -1), None, die())["bound"]
        error = float(found.std()) / rows**0.5
        assert float(found.mean()) == pytest.approx(expected(model, y), abs=5 * error)

    def test_given_cells_are_never_noisy_and_never_charged(self) -> None:
        model = tiny("d3pm", diffusion="uniform", diffusion_steps=4)
        x = torch.tensor([[1, 2, 3, 1]])
        terms = model.loss(x, x, None, die())
        assert float(terms["bound"]) == float(terms["token"]) == 0


class TestMDLM:
    def masked(self, model: MDLM, y: Tensor) -> float:
        """The bound of one board [position] in nats: the integral over t of each mask's weight is a Beta function."""
        L, total = len(y), 0.0
        for mask in itertools.product((False, True), repeat=L):
            m = sum(mask)
            if m:
                beta = math.gamma(m) * math.gamma(L - m + 1) / math.gamma(L + 1)
                e_x = model.embed(torch.zeros(1, L, dtype=torch.long), None)
                total += beta * float(model.nats(e_x, y[None], torch.tensor([mask])).sum())
        return total

    def test_the_loss_estimates_the_bound(self) -> None:
        model, y, rows = tiny("mdlm"), torch.tensor([1, 3, 2, 2]), 40_000
        found = 4 * model.loss(torch.zeros(rows, 4, dtype=torch.long), y.expand(rows, -1), None, die())["bound"]
        assert float(found.mean()) == pytest.approx(self.masked(model, y), abs=5 * float(found.std()) / rows**0.5)

    def test_absorbing_diffusion_in_ever_more_steps_has_its_bound(self) -> None:
        """Equal predictions: D3PM without its time, and MDLM that reads the board with D3PM's weights."""
        y, gaps = torch.tensor([1, 3, 2, 2]), []
        for T in (2, 8, 32, 128):
            diffusion = tiny("d3pm", diffusion="absorbing", diffusion_steps=T, seed=3)
            torch.manual_seed(4)
            for parameter in diffusion.parameters():
                parameter.copy_(0.3 * torch.randn_like(parameter) if parameter.shape[0] != T + 1 else 0 * parameter)
            diffusion.embed_time.weight.zero_()
            masked = tiny("mdlm")
            for name in ("embed_x", "embed_y", "place", "decoder"):
                setattr(masked, name, getattr(diffusion, name))
            masked.read = lambda e_x, tokens, graph=None, model=diffusion: model.read(
                e_x, tokens, torch.ones(len(tokens)).long()
            )
            gaps.append(expected(diffusion, y) - self.masked(masked, y))
        assert abs(gaps[0]) > 0.1  # so that there is something to approach
        assert all(abs(after) < 0.5 * abs(before) for before, after in itertools.pairwise(gaps))
        assert abs(gaps[-1]) < 0.02

    def test_a_position_is_written_at_every_step_with_equal_probability(self) -> None:
        model, noise, rows = tiny("mdlm", diffusion_steps=4), die(), 5_000
        state, moments = model.init(torch.zeros(rows, 4, dtype=torch.long)), []
        for _ in range(4):
            after, _ = model.step(state, noise)
            moments.append(float(((state.tokens == 0) & (after.tokens > 0)).float().mean()))
            state = after
        assert moments == pytest.approx([0.25] * 4, abs=5 * (0.25 / (4 * rows)) ** 0.5)


class TestVAE:
    def model(self) -> VAE:
        return tiny("vae", latent=3)

    def test_the_divergence_is_that_of_the_told_numbers_from_the_standard_normal(self) -> None:
        model, y = self.model(), strings(BOARD)[:7]
        _, transition = model.step(model.init(torch.zeros_like(y)), die(), y)
        q = transition.posterior
        normal = torch.distributions.Normal(q.mean[..., :3], q.sigma[..., :3])
        apart = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0))
        found = losses.guidance(transition)
        torch.testing.assert_close(found["kl_posterior"], apart.sum((1, 2)) / 4)
        assert (q.mean[..., :3].abs() > 1e-3).all()

    def test_numbers_that_are_not_told_are_not_read(self) -> None:
        model, x = self.model(), torch.zeros(2, 4, dtype=torch.long)
        noise = torch.randn(2, 4, 16)
        noise[1] = noise[0]
        noise[1, :, 3:] += 1
        h = model.step(model.init(x), lambda like: noise)[0].h
        assert torch.equal(h[0], h[1])
        noise[1, 2, 2] += 1
        assert not torch.equal(*model.step(model.init(x), lambda like: noise)[0].h)


@pytest.fixture(scope="module", params=["debug-ar", "debug-mdlm", "debug-d3pm", "debug-vae"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(preset(request.param), tmp_path_factory.mktemp("run") / request.param, quiet=True)


class TestRun:
    def test_a_run_that_was_cut_and_resumed_ends_with_the_same_weights(self, folder: Path, tmp_path: Path) -> None:
        config = preset(folder.name)
        first = Run(config, tmp_path)
        for _ in range(5):
            first.advance()
        first.save()
        (tmp_path / "config.json").write_text(config.to_json())
        assert load(train(config, tmp_path, quiet=True)).digest == load(folder).digest

    def test_a_rollout_ends_with_whole_boards_and_says_its_levels(self, folder: Path) -> None:
        opened = load(folder)
        data = sample(opened, 0, trajectories=3)
        assert data.attrs["levels"] == str(list(opened.model.levels)).replace("'", '"')
        if opened.model.samples_tokens:
            assert (data["tokens"].values[:, :, -1] > 0).all()
            assert "value" not in data
            assert (data["halted_at"] > 0).all()
            x = data["x"].values[0]
            given = x == 2  # a queen
            assert (data["tokens"].values[0][..., given] == 2).all()
            with pytest.raises(SampleError, match="writes tokens and has no posterior"):
                sample(opened, 0, mode="posterior")
            with pytest.raises(SampleError, match="no decoder with a temperature; leave temperature out"):
                sample(opened, 0, temperature=1.0)

    def test_its_likelihood_is_bounded(self, folder: Path) -> None:
        opened = load(folder)
        figures = bound(opened, 4, samples=8)
        assert np.isfinite(figures["elbo"])
        assert figures["elbo"] < 0
        if opened.model.name == "ar":
            assert figures["exact"] is True
            assert figures["per_pair"] == bound(opened, 4, samples=2, seed=5)["per_pair"]
        if opened.model.name == "vae":
            assert figures["elbo"] <= figures["importance"]

    def test_heads_that_are_not_there_cannot_be_taught(self, folder: Path, tmp_path: Path) -> None:
        config = preset(folder.name)
        if load(folder).model.samples_tokens:
            with pytest.raises(ConfigError, match=r"head_steps is 2, but .* has no heads"):
                Run(config.override(["train.head_steps=2"]), tmp_path)
