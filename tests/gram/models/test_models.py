"""The contract of every registered model, and each recursion against the paper's equations written out again here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gram.board import Board, Token
from gram.config import RunConfig
from gram.models import GRAM, MODELS, TRM, Model, State, TokenModel
from gram.models.blocks import Attention, AttentionBias, Block, Network, NetworkConfig, SwiGLU, rms_norm
from gram.models.gaussian import Gaussian
from gram.models.gram import GRAMConfig
from gram.models.positions import Lines, layout
from gram.models.rotary import Rotary
from gram.models.trm import TRMConfig
from gram.presets import preset
from gram.tasks import TASKS
from gram.tasks.nqueens import NQueens, NQueensConfig
from gram.training import losses
from gram.training.carry import Sampler
from gram.training.run import Run

TOKENS, POSITIONS, BATCH = 3, 9, 5
BOARD = Board("toy", "Three by three", "grid", 3, 3, (Token("a"), Token("b"), Token("c")), blank=(0, 1))
TINY = NetworkConfig(features=16, heads=2, hidden=24, blocks=2)
ACROSS = replace(TINY, mixing="mlp", mixing_hidden=20)
RELATED = replace(TINY, mixing="relations")


def tiny(kind: str, network: NetworkConfig = TINY, **changes: object) -> Model:
    """A model of this kind at toy size, every weight off its start (heads at rest would hide mistakes)."""
    torch.manual_seed(0)
    model = MODELS[kind](MODELS[kind].Config(network=network, **changes), BOARD)  # type: ignore[call-arg]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def puzzles(batch: int = BATCH, seed: int = 0) -> Tensor:
    return torch.randint(TOKENS, (batch, POSITIONS), generator=torch.Generator().manual_seed(seed))


class Die:
    """Seeded noise that remembers what it gave."""

    def __init__(self, seed: int = 0, scale: float = 1.0) -> None:
        self.generator, self.scale = torch.Generator().manual_seed(seed), scale
        self.given: list[Tensor] = []

    def __call__(self, like: Tensor) -> Tensor:
        self.given.append(self.scale * torch.randn(like.shape, generator=self.generator))
        return self.given[-1]


# Every registered model with each kind of mixing; positions as others tell them; the settings of GRAM that are models
# of their own (Table 3).
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{kind: (kind, {}) for kind in MODELS},
    **{f"{kind}-mlp": (kind, {"network": ACROSS}) for kind in MODELS if kind != "ar"},
    **{f"{kind}-related": (kind, {"network": RELATED}) for kind in MODELS},
    "d3pm-absorbing": ("d3pm", {"diffusion": "absorbing"}),
    "hrm-correct": ("hrm", {"halting": "correct", "judge": "first"}),
    "gram-rotary": ("gram", {"network": replace(TINY, positions="rotary")}),
    "gram-relations": ("gram", {"network": replace(TINY, positions="relations")}),
    "gram-learned": ("gram", {"network": replace(TINY, positions="learned")}),
    "trm-published": ("trm", {"network": replace(ACROSS, positions="none", norm_eps=1e-5), "judge": "first"}),
    "gram-flat": ("gram", {"low_steps": 0}),
    "gram-zero-mean": ("gram", {"guidance": "zero-mean"}),
    "gram-zero-sigma": ("gram", {"guidance": "zero-sigma"}),
    "gram-absolute": ("gram", {"guidance": "absolute"}),
}


@pytest.fixture(params=VARIANTS)
def model(request: pytest.FixtureRequest) -> Model:
    kind, changes = VARIANTS[request.param]
    return tiny(kind, **changes)


@pytest.fixture(autouse=True)
def _no_graph(request: pytest.FixtureRequest) -> Iterator[None]:
    with torch.set_grad_enabled("gradient" in request.node.name or "overfits" in request.node.name):
        yield


class TestContract:
    """What every model promises."""

    def test_it_is_registered_under_its_own_name_with_its_config(self, model: Model) -> None:
        assert MODELS[model.name] is type(model)
        assert type(model.config) is type(model).Config
        assert len(model.levels) == 3

    def test_init_step_and_decode_have_the_shapes_that_the_contract_says(self, model: Model) -> None:
        state = model.init(puzzles())
        wide = (BATCH, POSITIONS, TINY.features)
        for _ in range(3):
            assert state.e_x.shape == state.h.shape == state.l.shape == wide
            assert state.h.dtype == state.l.dtype == torch.float32
            readout = model.decode(state)
            assert readout.logits.shape == (BATCH, POSITIONS, TOKENS)
            assert readout.halt.shape == readout.value.shape == (BATCH,)
            assert readout.logits.dtype == readout.halt.dtype == readout.value.dtype == torch.float32
            state, transition = model.step(state, Die())
            assert transition.u.shape == wide

    def test_the_initial_state_is_one_fixed_vector_at_every_position_of_every_puzzle(self, model: Model) -> None:
        one, other = model.init(puzzles(seed=0)), model.init(puzzles(seed=1))
        for name in ("h", "l"):
            vector = getattr(one, name)[0, 0]
            assert (getattr(one, name) == vector).all()
            assert torch.equal(getattr(one, name), getattr(other, name))
        assert not torch.equal(one.e_x, other.e_x)

    def test_z0_is_stored_with_the_weights_and_not_learned(self, model: Model) -> None:
        start = model.init(puzzles())
        learned = dict(model.named_parameters())
        fixed = [tensor for name, tensor in model.state_dict().items() if name not in learned]
        for vector in (start.h[0, 0], start.l[0, 0]):
            assert any(torch.equal(tensor, vector) for tensor in fixed)

    def test_the_state_stays_bounded_however_long_it_goes_on(self, model: Model) -> None:
        state, noise = model.init(puzzles()), Die()
        for _ in range(200):
            state, _ = model.step(state, noise)
        for tensor in (state.h, state.l, model.decode(state).logits):
            assert tensor.isfinite().all()
        if model.low_steps:
            assert state.l.square().mean().sqrt() == pytest.approx(1, abs=0.01)  # it ends in a norm
        assert state.h.square().mean().sqrt() < 30  # norm + guidance; sigma is clamped at e, the mean is not

    def test_it_says_how_many_blocks_a_transition_applies(self, model: Model) -> None:
        state, seen = model.init(puzzles()), []
        blocks = [part for part in model.modules() if isinstance(part, Block)]
        hooks = [block.register_forward_hook(lambda block, *_: seen.append(block)) for block in blocks]
        model.step(state, Die())
        assert len(seen) == model.blocks_per_transition
        for hook in hooks:
            hook.remove()

    def test_a_row_does_not_depend_on_its_neighbors(self, model: Model) -> None:
        x = puzzles()

        def run(rows: list[int]) -> Tensor:
            dice = [Die(seed) for seed in rows]  # one for each row
            state = model.init(x[rows])
            for _ in range(3):
                state, _ = model.step(state, lambda like: torch.cat([die(like[:1]) for die in dice]))
            return model.decode(state).logits

        together = run([0, 1, 2, 3, 4])
        for row in range(BATCH):
            torch.testing.assert_close(run([row])[0], together[row], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(run([3, 1]), together[[3, 1]], rtol=1e-4, atol=1e-5)

    def test_the_answer_depends_on_the_puzzle_and_on_where_things_stand(self, model: Model) -> None:
        x = torch.ones(2, POSITIONS, dtype=torch.long)
        x[1, 4] = 2
        state = model.init(x)
        for _ in range(POSITIONS if model.name == "ar" else 1):  # one position after another
            state, _ = model.step(state, Die(scale=0))
        logits = model.decode(state).logits
        assert (logits[0] - logits[1]).abs().amax(-1).gt(1e-4).all()  # attention carries it to every position
        assert not torch.allclose(logits[1, 0], logits[1, 1])  # equal tokens, different places

    def test_noise_matters_to_a_stochastic_model_and_to_no_other(self, model: Model) -> None:
        ends = []
        for seed in (0, 1):
            state, die = model.init(puzzles()), Die(seed)
            for _ in range(40 if model.samples_tokens else 1):  # until the board is whole
                state, _ = model.step(state, die)
            ends.append(model.decode(state))
        dice = model.stochastic and getattr(model.config, "guidance", None) != "zero-sigma"
        assert torch.equal(ends[0].logits, ends[1].logits) is not dice
        assert not model.samples_tokens or not torch.equal(ends[0].tokens, ends[1].tokens)

    def test_a_transition_has_a_prior_exactly_if_guided_and_a_posterior_exactly_if_shown_a_target(
        self, model: Model
    ) -> None:
        start = model.init(puzzles())
        blind, shown = model.step(start, Die())[1], model.step(start, Die(), puzzles(seed=1))[1]
        assert (blind.prior is not None) == (shown.prior is not None) == model.has_guidance
        assert blind.posterior is None
        assert (shown.posterior is not None) == model.has_guidance

    def test_watch_sees_each_low_level_update_and_the_last_is_the_new_l(self, model: Model) -> None:
        seen: list[Tensor] = []
        state, _ = model.step(model.init(puzzles()), Die(), watch=seen.append)
        assert len(seen) == model.low_steps
        assert not seen or torch.equal(seen[-1].float(), state.l)

    def test_a_step_leaves_its_state_as_it_was(self, model: Model) -> None:
        start = model.init(puzzles())
        copies = [tensor.clone() for tensor in (start.e_x, start.h, start.l)]
        model.step(start, Die())
        assert all(torch.equal(*pair) for pair in zip(copies, (start.e_x, start.h, start.l), strict=True))

    def test_detach_cuts_the_state(self, model: Model) -> None:
        with torch.enable_grad():
            state, _ = model.step(model.init(puzzles()), Die())
            assert state.h.requires_grad
            assert not any(t.requires_grad for t in state.detach().parts().values())

    def test_the_gradient_of_the_objective_reaches_every_parameter(self, model: Model) -> None:
        y = puzzles(seed=1)
        if isinstance(model, TokenModel):
            losses.total(model.loss(puzzles(), y, None, Die()), model.weights).backward()
        else:
            state, transition = model.step(model.init(puzzles()), Die(), y)
            readout = model.decode(state)
            terms = {"token": losses.token(readout.logits, y)}
            if model.stochastic:
                terms |= losses.guidance(transition)
            right = torch.ones(BATCH)
            terms |= {
                "halt": losses.bce_with_logits(readout.halt, right),
                "value": losses.bce_with_logits(readout.value, right),
            }
            losses.total(terms, dict.fromkeys(terms, 1.0)).backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.abs().sum() > 0, name

    def test_the_gradient_of_the_heads_stops_at_the_state(self, model: Model) -> None:
        state, _ = model.step(model.init(puzzles()), Die())
        readout = model.decode(state)
        if model.samples_tokens:
            assert not readout.halt.requires_grad
            assert not readout.value.requires_grad
            return
        (readout.halt.sum() + readout.value.sum()).backward()
        moved = {name.split(".")[0] for name, parameter in model.named_parameters() if parameter.grad is not None}
        assert moved == {"heads"}

    def test_equal_seeds_make_equal_weights(self, model: Model) -> None:
        made = []
        for _ in range(2):
            torch.manual_seed(3)
            made.append(type(model)(model.config, BOARD).state_dict())
        assert all(torch.equal(made[0][key], made[1][key]) for key in made[0])

    def test_bf16_autocast_keeps_the_carried_state_in_float32(self, model: Model) -> None:
        with torch.autocast("cpu", torch.bfloat16):
            state, transition = model.step(model.init(puzzles()), Die(), puzzles(seed=1))
            readout = model.decode(state)
        tensors = [state.h, state.l, transition.u, readout.logits, readout.halt, readout.value]
        if transition.posterior is not None:
            tensors += [transition.prior.mean, transition.posterior.log_sigma]
        assert {tensor.dtype for tensor in tensors} == {torch.float32}


def block(network: Network, z: Tensor, index: int) -> Tensor:
    """One post-norm block from its weights, with torch's own attention as the reference."""
    part = network.blocks[index]
    batch, positions, features = z.shape
    if hasattr(part, "mixing"):
        z = torch.stack([norm(z[..., d] + swiglu(part.mixing, z[..., d])) for d in range(features)], -1)
    else:
        q, k, v = (
            chunk.view(batch, positions, TINY.heads, -1).transpose(1, 2)
            for chunk in (z @ part.attention.qkv.weight.T).chunk(3, -1)
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, positions, features)
        z = norm(z + mixed @ part.attention.out.weight.T)
    return norm(z + swiglu(part.feed_forward, z))


def norm(z: Tensor) -> Tensor:
    return F.rms_norm(z, z.shape[-1:], eps=1e-6)


def swiglu(part: SwiGLU, z: Tensor) -> Tensor:
    gate, up = part.gate_up.weight.chunk(2)
    return (F.silu(z @ gate.T) * (z @ up.T)) @ part.down.weight.T


def f(network: Network, z: Tensor) -> Tensor:
    for index in range(TINY.blocks):
        z = block(network, z, index)
    return z


def gaussian(head: object, z: Tensor) -> Gaussian:
    log_sigma = swiglu(head.log_sigma, z) + np.log(0.1)  # type: ignore[attr-defined]
    return Gaussian(swiglu(head.mean, z), log_sigma.clamp(-6, 1))  # type: ignore[attr-defined]


def embedded(model: Model, x: Tensor) -> Tensor:
    """The puzzle's tokens and the four lines through each cell: 3 rows, 3 columns, 5 and 5 diagonals."""
    lines = model.place.embed.weight  # type: ignore[union-attr]
    places = [
        (lines[row] + lines[3 + column] + lines[6 + row + column] + lines[11 + row - column + 2]) / 2
        for row in range(3)
        for column in range(3)
    ]
    return (model.embed_x.weight[x] + torch.stack(places)) / sqrt(2)  # type: ignore[union-attr]


def test_attention_equals_torchs() -> None:
    torch.manual_seed(0)
    part = Attention(16, 2)
    z = torch.randn(2, POSITIONS, 16)
    q, k, v = (chunk.view(2, POSITIONS, 2, 8).transpose(1, 2) for chunk in part.qkv(z).chunk(3, -1))
    reference = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, POSITIONS, 16)
    torch.testing.assert_close(part(z), part.out(reference))


def test_the_bias_of_a_head_is_added_to_the_scores_of_the_pairs_that_are_related() -> None:
    torch.manual_seed(0)
    relations = (torch.rand(3, POSITIONS, POSITIONS) < 0.5).float()
    part = Attention(16, 2, attention_bias=AttentionBias(relations, heads=2, first=2))
    assert part.attention_bias.weight.tolist() == [[0, 0, 3], [3, 0, 0]]  # one after another, and round again
    torch.nn.init.normal_(part.attention_bias.weight)
    z = torch.randn(2, POSITIONS, 16)
    q, k, v = (chunk.view(2, POSITIONS, 2, 8).transpose(1, 2) for chunk in part.qkv(z).chunk(3, -1))
    bias = sum(part.attention_bias.weight[:, kind, None, None] * relations[kind] for kind in range(3))
    reference = F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).reshape(2, POSITIONS, 16)
    torch.testing.assert_close(part(z), part.out(reference))


def test_cells_are_related_that_share_a_line_and_tokens_of_a_rule_book_to_nothing() -> None:
    network = replace(TINY, positions="relations")
    board = replace(BOARD, height=4, width=4, box=(2, 2))
    relations = layout(network, board, 2).relations
    assert relations is not None
    assert relations.shape == (5, 18, 18)
    assert not relations[:, :2].any()
    assert not relations[:, :, :2].any()
    for p in range(16):
        for q in range(16):
            (r, c), (s, d) = divmod(p, 4), divmod(q, 4)
            same = [r == s, c == d, r + c == s + d, r - c == s - d, (r // 2, c // 2) == (s // 2, d // 2)]
            assert relations[:, 2 + p, 2 + q].tolist() == same
    assert layout(TINY, board, 2).relations is None


def test_in_a_graph_a_pair_is_related_to_its_two_nodes_and_to_the_pairs_that_share_one() -> None:
    board = TASKS["coloring"](TASKS["coloring"].Config(vertices=4)).board  # type: ignore[call-arg]
    relations = layout(replace(TINY, positions="relations"), board, 0).relations
    ends = [{node} for node in range(4)] + [set(pair) for pair in board.pairs]
    for p, of_p in enumerate(ends):
        for q, of_q in enumerate(ends):
            shared = bool(of_p & of_q)
            assert relations[:, p, q].tolist() == [shared, shared and len(of_p) != len(of_q)]


def test_in_a_picture_neighbors_are_related_by_the_way_between_them() -> None:
    board = TASKS["images"](TASKS["images"].Config()).board
    relations = layout(replace(TINY, positions="relations"), board, 1).relations
    assert relations is not None
    assert relations.shape == (25, 65, 65)
    assert not relations[:, 0].any()
    ways = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    for p in range(64):
        for q in range(64):
            way = (p // 8 - q // 8, p % 8 - q % 8)
            assert relations[:, 1 + p, 1 + q].tolist() == [way == each for each in ways]


def test_rms_norm_equals_torchs_and_leaves_root_mean_square_one() -> None:
    z = 7 * torch.randn(3, 4, 16)
    torch.testing.assert_close(rms_norm(z), F.rms_norm(z, (16,), eps=1e-6))
    torch.testing.assert_close(rms_norm(z).square().mean(-1), torch.ones(3, 4))
    assert (rms_norm(torch.zeros(1, 16)) == 0).all()


@pytest.mark.parametrize(
    "board", [task(task.Config()).board for task in TASKS.values()] + [BOARD], ids=lambda b: b.title
)
def test_every_position_has_a_place_of_its_own_and_every_place_is_used(board: Board) -> None:
    torch.manual_seed(0)
    place = Lines(board, 16)
    assert len(torch.unique(place.vectors(), dim=0)) == board.positions
    assert set(place.lines.flatten().tolist()) == set(range(place.embed.num_embeddings))


def test_rotary_turns_pairs_of_features_like_complex_numbers_and_keeps_distances() -> None:
    z, rotary = torch.randn(2, 3, 8, 6), Rotary(8, 6)
    speed = torch.tensor([1, 10_000 ** (-1 / 3), 10_000 ** (-2 / 3)])
    turns = torch.polar(torch.ones(8, 3), torch.arange(8.0)[:, None] * speed)
    turned = torch.complex(z[..., :3], z[..., 3:]) * turns
    torch.testing.assert_close(rotary(z), torch.cat([turned.real, turned.imag], -1))
    q, k = (rotary(torch.randn(6).expand(8, 6)) for _ in range(2))  # one vector at every position
    for apart in range(-7, 8):
        products = (q @ k.T).diagonal(apart)
        torch.testing.assert_close(products, products[:1].expand_as(products), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("prefix", [0, 2])
def test_learned_places_are_one_free_vector_for_each_position_and_token_of_the_rule_book(prefix: int) -> None:
    network = replace(TINY, positions="learned")
    model, x = MODELS["trm"](TRMConfig(network, puzzle_tokens=prefix), BOARD), puzzles()
    e = torch.cat([torch.zeros(BATCH, prefix, 16), model.embed_x.weight[x]], 1)
    torch.testing.assert_close(model.init(x).e_x, (e + model.place.embed.weight) / sqrt(2))
    assert model.place.embed.weight.shape == (prefix + POSITIONS, 16)


def test_of_the_tokens_of_a_rule_book_only_the_first_entries_can_be_learned() -> None:
    model = TRM(TRMConfig(TINY, puzzle_tokens=3, puzzle_features=20), BOARD, 2)
    torch.nn.init.ones_(model.puzzle_embedding.embed)
    assert model.puzzle_embedding.embed.shape == (2, 20)
    tokens = model.init(puzzles()).e_x[:, :3].flatten(1)
    assert (tokens == torch.cat([torch.ones(20), torch.zeros(28)])).all()


def test_the_first_token_alone_can_be_judged() -> None:
    model = tiny("trm", judge="first")
    state, _ = model.step(model.init(puzzles()), Die())
    readout, judge = model.decode(state), model.heads.judge
    expected = state.h[:, 0] @ judge.weight.T + judge.bias
    torch.testing.assert_close(torch.stack([readout.halt, readout.value], 1), expected)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mixing": "mlp", "positions": "rotary"}, "rotary positions turn pairs .* choose attention"),
        ({"features": 6, "heads": 2, "positions": "rotary"}, "6 features, 2 heads .* an even width of each head"),
        ({"mixing": "mlp", "positions": "relations"}, "a bias of attention, and mixing is .mlp.; choose attention"),
        ({"positions": "none"}, "attention cannot tell places apart; choose lines, or mixing mlp"),
        ({"norm_eps": 0.0}, "norm_eps is 0.0; it must be positive"),
        ({"mixing_hidden": 0}, "mixing_hidden is 0; it must be at least 1"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        NetworkConfig(**change)


def test_more_learned_entries_than_tokens_have_are_refused() -> None:
    with pytest.raises(ValueError, match="puzzle_features is 33; 2 puzzle_tokens have 32 entries"):
        TRMConfig(TINY, puzzle_tokens=2, puzzle_features=33)


def test_a_node_of_a_graph_has_a_vector_of_its_own_and_a_pair_the_sum_of_its_nodes() -> None:
    graph = Board("toy", "Four nodes", "graph", 1, 10, BOARD.tokens, nodes=4, joined=1)
    place = Lines(graph, 16)
    node, seen = place.embed.weight, place.vectors() * 3**0.5
    for k in range(4):
        torch.testing.assert_close(seen[k], 2 * node[k] + node[4])
    for at, (i, j) in enumerate(graph.pairs, 4):
        torch.testing.assert_close(seen[at], node[i] + node[j] + node[5])


@pytest.mark.parametrize("network", [TINY, ACROSS], ids=["attention", "mlp"])
@pytest.mark.parametrize(("low_steps", "transitions"), [(1, 1), (3, 2)])
def test_trm_is_the_recursion_of_its_paper(low_steps: int, transitions: int, network: NetworkConfig) -> None:
    """TRM Fig. 3: z <- net(x + y + z), n times; y <- net(y + z)."""
    model, x = tiny("trm", network, low_steps=low_steps), puzzles()
    state = model.init(x)
    e_x, y, z = embedded(model, x), state.h, state.l
    for _ in range(transitions):
        state, transition = model.step(state, Die())
        for _ in range(low_steps):
            z = f(model.f, e_x + y + z)
        y = f(model.f, y + z)
        torch.testing.assert_close((state.h, state.l, transition.u), (y, z, y), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.decode(state).logits, y @ model.decoder.weight.T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", [TINY, ACROSS], ids=["attention", "mlp"])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("target", [False, True])
def test_gram_is_the_recursion_of_its_paper(shared: bool, target: bool, network: NetworkConfig) -> None:
    """GRAM eq. 3 to 8: l <- f_L(l + h + e_x), K times; u = f_H(h + l); h = u + mu + sigma * noise."""
    model, x = tiny("gram", network, low_steps=3, shared=shared), puzzles()
    y = puzzles(seed=1) if target else None
    state, die = model.init(x), Die()
    e_x, h, l = embedded(model, x), state.h, state.l
    for number in range(2):
        state, transition = model.step(state, die, y)
        for _ in range(3):
            l = f(model.f_low, l + h + e_x)
        u = f(model.f_high, h + l)
        prior = gaussian(model.prior, u)
        drawn = prior
        if y is not None:
            drawn = gaussian(model.posterior, torch.cat([u, model.embed_y.weight[y]], -1))
            torch.testing.assert_close(transition.posterior.mean, drawn.mean, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(transition.posterior.log_sigma, drawn.log_sigma, rtol=1e-4, atol=1e-5)
        h = u + drawn.mean + drawn.sigma * die.given[number]
        torch.testing.assert_close((state.h, state.l, transition.u), (h, l, u), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(transition.prior.mean, prior.mean, rtol=1e-4, atol=1e-5)
    assert (model.f_low is model.f_high) is shared


@pytest.mark.parametrize("network", [TINY, ACROSS], ids=["attention", "mlp"])
@pytest.mark.parametrize(("low_steps", "transitions"), [(1, 1), (3, 2)])
def test_hrm_is_the_recursion_of_its_paper(low_steps: int, transitions: int, network: NetworkConfig) -> None:
    """HRM, Section 2: z_L <- f_L(z_L, z_H, x), and once in K updates z_H <- f_H(z_H, z_L)."""
    model, x = tiny("hrm", network, low_steps=low_steps), puzzles()
    state = model.init(x)
    e_x, z_high, z_low = embedded(model, x), state.h, state.l
    for i in range(low_steps * transitions):
        z_low = f(model.f_low, z_low + z_high + e_x)
        if (i + 1) % low_steps == 0:
            z_high = f(model.f_high, z_high + z_low)
            state, _ = model.step(state, Die())
            torch.testing.assert_close((state.h, state.l), (z_high, z_low), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.decode(state).logits, z_high @ model.decoder.weight.T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_gradient_of_hrm_goes_through_the_last_update_of_each_network_alone(precision: torch.dtype) -> None:
    model, x = tiny("hrm", low_steps=3), puzzles()

    def gradients(h: Tensor) -> list[Tensor]:
        grads = torch.autograd.grad(h.float().pow(3).sum(), [*model.f_low.parameters(), *model.f_high.parameters()])
        return [grad.float() for grad in grads]

    with torch.autocast("cpu", precision, enabled=precision == torch.bfloat16):
        start = model.init(x)
        with torch.no_grad():
            l = start.l
            for _ in range(2):
                l = model.f_low(l + (start.h + start.e_x))
        by_hand = model.f_high(start.h + model.f_low(l + (start.h + start.e_x)))
        state, _ = model.step(start, Die())
    for one, other in zip(gradients(state.h), gradients(by_hand), strict=True):
        assert one.abs().sum() > 0
        torch.testing.assert_close(one, other)


def test_hrm_halts_where_halting_is_worth_more_than_going_on() -> None:
    model = tiny("hrm")
    state, _ = model.step(model.init(puzzles()), Die())
    outputs = model.heads(state.h)
    torch.testing.assert_close(model.decode(state).halt, outputs.q_halt - outputs.q_continue)
    assert len({outputs.q_halt[0].item(), outputs.q_continue[0].item(), outputs.value[0].item()}) == 3
    alone = tiny("hrm", halting="correct")
    assert alone.heads(state.h).q_continue is None
    assert torch.equal(alone.decode(state).halt, alone.heads(state.h).q_halt)


def test_hrm_whose_networks_are_one_is_trm() -> None:
    hrm, trm = tiny("hrm", halting="correct"), tiny("trm")
    named = {key.replace("f_low.", "f."): value for key, value in hrm.state_dict().items()}
    trm.load_state_dict({key: named[key] for key in trm.state_dict()})
    hrm.f_high.load_state_dict(hrm.f_low.state_dict())
    one, other = hrm.init(puzzles()), trm.init(puzzles())
    for _ in range(3):
        one, other = hrm.step(one, Die())[0], trm.step(other, Die())[0]
        assert torch.equal(one.h, other.h)


@pytest.mark.parametrize("loops", [1, 3])
def test_looped_is_one_network_applied_again_and_again(loops: int) -> None:
    """Yang et al. 2024: h <- f(h + e_x)."""
    model, x = tiny("looped", high_steps=loops), puzzles()
    state, e_x = model.init(x), embedded(tiny("looped"), x)
    h = state.h
    for _ in range(loops):
        state, _ = model.step(state, Die())
        h = f(model.f, h + e_x)
    torch.testing.assert_close(state.h, h, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.decode(state).logits, h @ model.decoder.weight.T, rtol=1e-4, atol=1e-5)


def test_direct_passes_its_layers_once_and_a_second_pass_changes_nothing() -> None:
    model, x = tiny("direct"), puzzles()
    seen: list[Tensor] = []
    state, _ = model.step(model.init(x), Die(), watch=seen.append)
    z = embedded(model, x)
    for index in range(TINY.blocks):
        z = block(model.layers, z, index)
        torch.testing.assert_close(seen[index], z, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(state.h, z, rtol=1e-4, atol=1e-5)
    assert torch.equal(model.step(state, Die())[0].h, state.h)


@pytest.mark.parametrize("guidance", ["residual", "zero-mean", "zero-sigma", "absolute"])
@pytest.mark.parametrize("target", [False, True])
def test_each_guidance_of_table_3b_is_what_its_name_says(guidance: str, target: bool) -> None:
    model, x = tiny("gram", guidance=guidance), puzzles()
    y, die = puzzles(seed=1) if target else None, Die()
    state, transition = model.step(model.init(x), die, y)
    u = transition.u
    head, seen = (model.prior, u) if y is None else (model.posterior, torch.cat([u, model.embed_y.weight[y]], -1))
    mean = 0 if guidance == "zero-mean" else swiglu(head.mean, seen)
    sigma = 0 if guidance == "zero-sigma" else (swiglu(head.log_sigma, seen) + np.log(0.1)).clamp(-6, 1).exp()
    drawn = mean + sigma * (die.given[0] if die.given else 0)
    torch.testing.assert_close(state.h, drawn if guidance == "absolute" else u + drawn, rtol=1e-4, atol=1e-5)


def test_the_kl_without_deviations_is_half_the_squared_distance_of_the_means() -> None:
    model = tiny("gram", guidance="zero-sigma")
    _, transition = model.step(model.init(puzzles()), Die(), puzzles(seed=1))
    apart = (transition.posterior.mean - transition.prior.mean).square().sum(-1).mean(-1) / 2
    torch.testing.assert_close(losses.guidance(transition)["kl_prior"], apart)


def test_a_flat_gram_without_guidance_is_the_looped_transformer() -> None:
    flat, looped = tiny("gram", low_steps=0, guided=False), tiny("looped")
    named = {key.replace("f_low.", "f."): value for key, value in flat.state_dict().items()}
    looped.load_state_dict({key: named[key] for key in looped.state_dict()})
    one, other = flat.init(puzzles()), looped.init(puzzles())
    for _ in range(3):
        one, other = flat.step(one, Die())[0], looped.step(other, Die())[0]
        assert torch.equal(one.h, other.h)


def same_weights() -> tuple[GRAM, TRM]:
    """GRAM with its guidance switched off, and TRM with the same network, embeddings, z0 and decoder."""
    unguided, trm = tiny("gram", guided=False), tiny("trm")
    assert isinstance(unguided, GRAM)
    assert isinstance(trm, TRM)
    theirs = {key.replace("f_low.", "f."): value for key, value in unguided.state_dict().items()}
    trm.load_state_dict({key: theirs[key] for key in trm.state_dict()})
    return unguided, trm


def test_gram_with_the_guidance_switched_off_is_trm() -> None:
    unguided, trm = same_weights()
    one, other = unguided.init(puzzles()), trm.init(puzzles())
    for _ in range(6):
        one, transition = unguided.step(one, Die(), puzzles(seed=1))
        other, _ = trm.step(other, Die())
        assert transition.prior is None
        assert transition.posterior is None
        assert torch.equal(one.h, other.h)
        assert torch.equal(one.l, other.l)
    for mine, its in zip(vars(unguided.decode(one)).values(), vars(trm.decode(other)).values(), strict=True):
        assert torch.equal(mine, its)


def test_gram_whose_guidance_vanishes_approaches_trm() -> None:
    guided = GRAM(GRAMConfig(network=TINY), BOARD)  # heads at rest: mean zero
    trm = TRM(TRMConfig(network=TINY), BOARD)
    theirs = {key.replace("f_low.", "f."): value for key, value in guided.state_dict().items()}
    trm.load_state_dict({key: theirs[key] for key in trm.state_dict()})
    one, other = guided.init(puzzles()), trm.init(puzzles())
    for _ in range(3):
        one, other = guided.step(one, Die(scale=0))[0], trm.step(other, Die())[0]
        torch.testing.assert_close(one.h, other.h, rtol=1e-4, atol=1e-5)


def test_gram_without_noise_follows_the_mean() -> None:
    model = tiny("gram")
    state = model.init(puzzles())
    for y in (None, puzzles(seed=1)):
        state, transition = model.step(state, Die(scale=0), y)
        torch.testing.assert_close(state.h, transition.u + (transition.posterior or transition.prior).mean)


def test_guidance_is_h_minus_u_with_the_moments_that_the_head_says() -> None:
    model = tiny("gram")
    start = State(*(tensor[:1].expand(4_000, -1, -1) for tensor in model.init(puzzles()).parts().values()))
    after, transition = model.step(start, Die())
    eps = after.h - transition.u
    prior = transition.prior
    # 4,000 draws: the mean is known to sigma / 63, the deviation to sigma / 89; five of those are allowed.
    assert ((eps.mean(0) - prior.mean[0]).abs() < 5 * prior.sigma[0] / 63).all()
    assert ((eps.std(0) / prior.sigma[0] - 1).abs() < 5 / 89).all()


def test_the_posterior_reads_the_target_only_at_its_own_position() -> None:
    model, x, y = tiny("gram"), puzzles(1), puzzles(1, seed=1)
    changed = y.clone()
    changed[0, 4] = (y[0, 4] + 1) % TOKENS
    means = [model.step(model.init(x), Die(), target)[1].posterior.mean for target in (y, changed)]
    differs = (means[0] != means[1]).any(-1)[0]
    assert differs.tolist() == [position == 4 for position in range(POSITIONS)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "mixing"), [*((kind, "attention") for kind in MODELS), ("trm", "mlp"), ("gram", "mlp")]
)
def test_it_overfits_eight_puzzles(kind: str, mixing: Any, tmp_path: object) -> None:
    """Eight puzzles with one solution each are learned by heart, and the heads know that they are right."""
    network = NetworkConfig(features=48, heads=4, hidden=96, blocks=1, mixing=mixing, mixing_hidden=96)
    model = replace(MODELS[kind].Config(), network=network)
    few = preset("debug").override([
        "task.board_size=5", "train.steps=350", "train.batch=16", "train.supervision_steps=2", "train.prior_steps=2",
        "train.optim.lr=0.003", "train.optim.warmup=20", "train.optim.weight_decay=0.01",
    ])  # fmt: skip
    writes = MODELS[kind].samples_tokens
    vae = ["train.kl_balance=0", "train.steps=600"]  # its own bound
    own = ["train.head_steps=0", "train.steps=900"] if writes else vae if kind == "vae" else []
    config: RunConfig = replace(few, model=model).override(own)
    run = Run(config, tmp_path)  # type: ignore[arg-type]
    every = run.sampler.puzzles
    eight = every.take(np.flatnonzero(every.counts == 1)[::16][:8])
    run.sampler = Sampler(run.task, eight, config, run.device)
    run.carry = run._first_carry()
    x = torch.from_numpy(eight.x.astype(np.int64))
    task = NQueens(NQueensConfig(board_size=5))

    def knows() -> bool:
        learned = run.model.eval()
        with torch.no_grad():
            state, die = learned.init(x), Die()
            for _ in range(40 if writes else 3 * learned.high_steps):
                state, _ = learned.step(state, die)
            readout = learned.decode(state)
        right = task.check(eight.x, readout.tokens.numpy().astype(np.uint8)).valid.all()
        sure = writes or bool((learned.heads(state.h).q_halt > 0).all() and (readout.value > 0).all())
        learned.train()
        return bool(right and sure)

    for step in range(1, config.train.steps + 1):
        run.advance()
        if step % 50 == 0 and knows():
            return
    pytest.fail(f"not learned in {config.train.steps} steps")


@pytest.mark.parametrize("kind", VARIANTS)
class TestRuleBooks:
    """A few learned tokens before the board tell puzzles of different rules apart (ARC)."""

    def made(self, kind: str) -> Model:
        torch.manual_seed(0)
        kind, changes = VARIANTS[kind]
        changes = {"network": TINY, "puzzle_tokens": 2} | changes
        model = MODELS[kind](MODELS[kind].Config(**changes), BOARD, 3)  # type: ignore[call-arg]
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        return model

    def test_states_carry_them_and_answers_do_not(self, kind: str) -> None:
        model = self.made(kind)
        state, transition = model.step(model.init(puzzles(), torch.arange(BATCH) % 3), Die(), puzzles(seed=1))
        assert state.h.shape == transition.u.shape == (BATCH, model.prefix + POSITIONS, 16)
        assert model.prefix == 2
        assert model.decode(state).logits.shape == (BATCH, POSITIONS, TOKENS)

    def test_the_same_puzzle_under_two_books_goes_two_ways_and_under_one_book_one(self, kind: str) -> None:
        model, x = self.made(kind), puzzles(1).expand(3, -1)
        state, _ = model.step(model.init(x, torch.tensor([0, 1, 0])), Die(scale=0))
        torch.testing.assert_close(state.h[0], state.h[2])
        assert not torch.allclose(state.h[0], state.h[1], atol=1e-3)

    def test_a_puzzle_without_a_book_follows_the_first(self, kind: str) -> None:
        model, x = self.made(kind), puzzles()
        torch.testing.assert_close(model.init(x).e_x, model.init(x, torch.zeros(BATCH, dtype=torch.int64)).e_x)

    def test_their_gradient_reaches_only_the_books_that_were_read(self, kind: str) -> None:
        model = self.made(kind)
        state, _ = model.step(model.init(puzzles(), torch.full((BATCH,), 1)), Die())
        model.decode(state).logits.sum().backward()
        touched = model.puzzle_embedding.embed.grad.abs().sum(1) > 0
        assert touched.tolist() == [False, True, False]
