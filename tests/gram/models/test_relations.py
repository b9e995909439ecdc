"""Networks that mix along a board's relations: what they promise, each against the board's own symmetries."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gram.board import NEAR, Board
from gram.checkpoint import CheckpointError, build, load, save_weights
from gram.config import ConfigError
from gram.inference.noise import SamplingNoise
from gram.inference.sample import sample
from gram.models import MODELS, Model
from gram.models.ar import PastRelations
from gram.models.base import initialize
from gram.models.blocks import Block, NetworkConfig
from gram.models.folded import FoldedBlock, FoldedGaussian, folded
from gram.models.relations import Graph, Relations, incidence
from gram.presets import preset
from gram.tasks import arc, coloring, images, nqueens, sudoku
from gram.training.carry import Sampler
from gram.training.run import Run

SHARED = NetworkConfig(
    features=12, heads=2, hidden=16, blocks=2, mixing="relations", symbols="shared", positions="none"
)
SUDOKU, QUEENS, GRAPH = sudoku.board(4, "sudoku"), nqueens.board(5), coloring.board(5)
BOARDS = {"sudoku": SUDOKU, "sudoku6": sudoku.board(6, "sudoku"), "queens": QUEENS, "graph": GRAPH}
ABSORBING = {"d3pm": {"diffusion": "absorbing"}}  # uniform noise is tokens by their number, which no symmetry keeps


def made(kind: str, board: Board, network: NetworkConfig = SHARED, **changes: Any) -> Model:
    """A model of this kind, every weight off its start (heads at rest would hide mistakes)."""
    torch.manual_seed(0)
    model = MODELS[kind](MODELS[kind].Config(network=network, **ABSORBING.get(kind, {}), **changes), board)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval().requires_grad_(False)


def puzzles(board: Board, batch: int = 3) -> tuple[Tensor, Tensor]:
    """Random puzzles and answers [row, position], not all of which obey the rules."""
    rng = np.random.default_rng(0)
    y = rng.choice(board.symbols if len(board.symbols) > 1 else [1, 2], (batch, board.positions))
    x = np.where(rng.random(y.shape) < 0.5, y, board.blank[-1])
    if board.nodes:
        y[:, board.nodes :] = x[:, board.nodes :] = rng.integers(1, 3, y[:, board.nodes :].shape)
    return torch.from_numpy(x), torch.from_numpy(y)


def answer(model: Model, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, halting belief, and what the target tells, after transitions along the mean of all noise."""
    state, told = model.init(x), None
    for _ in range(1 if model.samples_tokens else 2):  # what is written where two tokens tie is the first of them
        state, transition = model.step(state, torch.zeros_like, y if model.has_guidance else None)
        told = transition.posterior
    readout = model.decode(state)
    if model.samples_tokens:
        return model.logits(state.h, state.graph), readout.halt, readout.halt
    return readout.logits, readout.halt, readout.halt if told is None else told.mean.square().sum((1, 2))


def same(one: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> None:
    for left, right in zip(one, other, strict=True):
        torch.testing.assert_close(left, right, atol=2e-4, rtol=2e-3)


@pytest.mark.parametrize("kind", MODELS)
class TestEquivariance:
    """What is done to the puzzle is done to the answer."""

    def test_renaming_the_symbols(self, kind: str) -> None:
        for board in (SUDOKU, GRAPH):
            model, (x, y) = made(kind, board), puzzles(board)
            names = torch.arange(len(board.tokens))
            names[list(board.symbols)] = torch.tensor(board.symbols).roll(1)
            logits, *rest = answer(model, x, y)
            renamed, *others = answer(model, names[x], names[y])
            same((logits, *rest), (renamed[..., names], *others))

    @pytest.mark.parametrize("board", [SUDOKU, QUEENS], ids=["sudoku", "queens"])
    def test_turning_and_transposing_the_board(self, kind: str, board: Board) -> None:
        if kind == "ar":
            pytest.skip("AR writes row by row, which no symmetry of the board keeps")
        network = replace(SHARED, peer_attention=2)
        model, (x, y) = made(kind, board, network), puzzles(board)
        cells = torch.arange(board.positions).view(board.height, board.width)
        for moved in (cells.T.flatten(), cells.rot90().flatten()):
            logits, *rest = answer(model, x, y)
            same((logits[:, moved], *rest), answer(model, x[:, moved], y[:, moved]))

    def test_renaming_the_colors_of_an_arc_task(self, kind: str) -> None:
        """With what its puzzle embedding has learned of each."""
        board = arc.board(5, "ARC")
        model, (x, y) = made(kind, board, puzzle_tokens=2), puzzles(board)
        names = torch.arange(len(board.tokens))
        names[list(board.symbols)] = torch.tensor(board.symbols).roll(1)
        logits, *rest = answer(model, x, y)
        book = model.puzzle_embedding.embed
        assert book is not None
        book.copy_(book.view(1, 2, len(board.symbols), -1).roll(-1, 2).flatten(1))
        renamed, *others = answer(model, names[x], names[y])
        same((logits, *rest), (renamed[..., names], *others))

    def test_renumbering_the_nodes(self, kind: str) -> None:
        if kind == "ar":
            pytest.skip("AR writes the nodes in their order")
        model, (x, y) = made(kind, GRAPH), puzzles(GRAPH)
        order = [3, 0, 4, 1, 2]
        number = {pair: GRAPH.nodes + at for at, pair in enumerate(GRAPH.pairs)}
        pairs = [number[min(order[a], order[b]), max(order[a], order[b])] for a, b in GRAPH.pairs]
        moved = torch.tensor([*order, *pairs])
        logits, *rest = answer(model, x, y)
        same((logits[:, moved], *rest), answer(model, x[:, moved], y[:, moved]))


@pytest.mark.parametrize("name", BOARDS)
def test_all_forms_of_the_relations_agree_with_their_definition(name: str) -> None:
    """By means over axes (where a grid has boxes), by groups, and written out place by place."""
    board = BOARDS[name]
    told = incidence(board, 2)
    torch.manual_seed(0)
    mixing = Relations(6, told)
    initialize(mixing)
    x = torch.randn(2, board.places, 2, 6)
    graph = Graph(board)(puzzles(board, 2)[0]) if board.nodes else None
    expected = mixing.here(x) + mixing.heard["symbols"](x.mean(2, keepdim=True) * math.sqrt(2))
    for relation in board.relations:
        for place in range(board.places):
            group = np.flatnonzero(relation.members[relation.hears[place]])
            expected[:, place] += mixing.heard[relation.kind](x[:, group].mean(1) * math.sqrt(len(group)))
    if graph is not None:
        for kind, matrix in zip(NEAR, graph.unbind(1), strict=True):
            for row, place in np.ndindex(2, board.places):
                group = matrix[row, place].nonzero()[:, 0]
                if len(group):
                    expected[row, place] += mixing.heard[kind](x[row, group].mean(0) * math.sqrt(len(group)))
    torch.testing.assert_close(mixing(x, graph), expected, atol=1e-5, rtol=1e-4)
    mixing.boxes = None
    torch.testing.assert_close(mixing(x, graph), expected, atol=1e-5, rtol=1e-4)


def test_pictures_hear_of_their_four_sides_and_the_book_of_rules_of_all() -> None:
    for board in (images.board("digits", 1), arc.board(5, "ARC")):
        told = incidence(board, 1, prefix=2)
        assert told.dense == ("above", "below", "left", "right")
        assert told.kinds.keys() == {"row", "column", "before", "after"}
        assert told.matrices is not None
        assert told.matrices.sum((1, 2)).tolist() == [board.positions - board.width] * 4
        mixing, x = Relations(6, told), torch.randn(2, 2 + board.positions, 1, 6)
        for moved, expected in zip(mixing.moved(x), mixing.by_matrix(told.matrices, x), strict=True):
            assert torch.equal(moved, expected)


@pytest.mark.parametrize("board", [SUDOKU, GRAPH], ids=["sudoku", "graph"])
def test_along_the_past_no_place_hears_of_itself_or_what_follows(board: Board) -> None:
    graph = Graph(board)(puzzles(board)[0]) if board.nodes else None
    past = PastRelations(incidence(board, 3))
    matrices = past(graph)
    places = board.places
    assert matrices.shape[-3] == len(past.incidence.dense)
    written, blank = matrices[..., :places, :places], matrices[..., places:, :places]
    assert not written.triu(1).any()
    assert not blank.triu().any()
    assert not matrices[..., places:].any()


EMBEDDED = replace(SHARED, symbols="embedded", positions="lines")
NETWORKS = {
    "sudoku": (SUDOKU, replace(SHARED, peer_attention=2), {}),
    "sudoku6": (BOARDS["sudoku6"], replace(SHARED, peer_attention=3), {}),
    "sudoku, embedded": (SUDOKU, replace(EMBEDDED, peer_attention=2), {}),
    "queens": (QUEENS, SHARED, {}),
    "queens, peers": (QUEENS, replace(EMBEDDED, peer_attention=2), {}),
    "graph": (GRAPH, SHARED, {}),
    "graph, embedded": (GRAPH, EMBEDDED, {}),
    "image": (images.board("digits", 1), SHARED, {}),
    "book": (arc.board(5, "ARC"), EMBEDDED, {"puzzle_tokens": 2}),
}


@pytest.mark.parametrize(
    ("kind", "name"),
    [("gram", name) for name in NETWORKS] + [(kind, name) for kind in MODELS for name in ("sudoku6", "graph")],
)
def test_the_folded_form_computes_the_same(kind: str, name: str) -> None:
    board, network, changes = NETWORKS[name]
    if kind == "ar":  # it hears of what came before alone
        network = replace(network, peer_attention=0)
    model = made(kind, board, network, **changes, **({"mean_cap": 0.25, "sigma_cap": 0.5} if kind == "gram" else {}))
    with torch.inference_mode():
        form = folded(model)
        parts = [type(part) for part in form.modules()]
        assert FoldedBlock in parts
        assert Block not in parts
        assert parts.count(FoldedGaussian) == (2 if kind == "gram" else 0)
        for rows in (1, 3):  # float32 rounds at 1e-7 a product, and a state goes through up to two dozen blocks
            x, y = puzzles(board, rows)
            for plain, other in zip(answer(model, x, y), answer(form, x, y), strict=True):
                torch.testing.assert_close(other, plain, atol=1e-4, rtol=1e-4)
    assert FoldedBlock not in map(type, model.modules())


def test_what_has_no_folded_form_is_shared() -> None:
    dense = made("gram", SUDOKU, NetworkConfig(features=12, heads=2, hidden=16, blocks=1))
    assert folded(dense) is dense
    model = made("gram", SUDOKU)
    form = folded(model)
    assert form.embed_x is model.embed_x
    assert form.prior is model.prior  # its mean has no cap
    assert form.f_low.blocks[0] is form.f_high.blocks[0]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", MODELS)
def test_weights_open_on_a_board_of_any_size(kind: str) -> None:
    for small, large in ((QUEENS, nqueens.board(8)), (GRAPH, coloring.board(8)), (SUDOKU, sudoku.board(9, "sudoku"))):
        one, other = made(kind, small), made(kind, large)
        other.load_state_dict(one.state_dict())
        x, y = puzzles(large)
        assert answer(other, x, y)[0].shape == (3, large.positions, len(large.tokens))


def test_a_checkpoint_opens_on_another_board_if_its_weights_fit(tmp_path: Path) -> None:
    shared = ["model.network.mixing=relations", "model.network.symbols=shared", "model.network.positions=none"]
    for name, changes in (("shared", shared), ("dense", [])):
        config = preset("debug").override(changes)
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(config.to_json())
        save_weights(tmp_path / name, build(config)[1], 0)
    opened = load(tmp_path / "shared", {"board_size": 6})
    rollout = sample(opened, 0, trajectories=2, supervision_steps=2)
    assert dict(rollout.sizes) | {"position": 36} == dict(rollout.sizes)
    with pytest.raises(
        CheckpointError, match=r"dense cannot open with task \{'board_size': 6\}: its .*mixing 'relations'"
    ):
        load(tmp_path / "dense", {"board_size": 6})
    with pytest.raises(ConfigError, match=r"task is 5; give settings to change, e\.g\. \{'board_size': 10\}"):
        load(tmp_path / "shared", 5)
    with pytest.raises(CheckpointError, match=r"digits-pixels-gram cannot open with task \{'patch': 2\}: symbols is"):
        load("digits-pixels-gram", {"patch": 2})


def test_states_of_a_graph_are_of_its_nodes_and_its_pairs_are_certain() -> None:
    model, (x, y) = made("gram", GRAPH), puzzles(GRAPH)
    state, _ = model.step(model.init(x), torch.zeros_like, y)
    assert state.h.shape == (3, 5, 3 * 12) == (3, model.places, model.features)
    assert model.on_board(state.h).shape == (3, GRAPH.positions, 36)
    assert torch.equal(model.decode(state).tokens[:, 5:], x[:, 5:])
    assert model.decode(state).logits[:, :5, :3].max() < -1e3  # no node holds an edge, or no color


def test_a_random_start_parts_what_a_network_treats_alike() -> None:
    model = made("trm", SUDOKU)
    blank = torch.full((2, 16), 1)
    tied, _ = model.step(model.init(blank), torch.zeros_like)
    assert torch.equal(tied.h, tied.h[:, :1, :12].repeat(1, 16, 4))
    start = SamplingNoise(random_start=True).start(model, model.init(blank), [(0, 0, 0), (0, 0, 1)])
    assert len(start.h.unflatten(2, (4, 12)).flatten(0, 2).unique(dim=0)) == 2 * 16 * 4
    dense = made("trm", SUDOKU, NetworkConfig(features=12, heads=2, hidden=16, blocks=1))
    start = SamplingNoise(random_start=True).start(dense, dense.init(blank), [(0, 0, 0), (0, 0, 1)])
    assert len(start.h.flatten(0, 1).unique(dim=0)) == 2


def test_peer_attention_starts_at_nothing() -> None:
    torch.manual_seed(0)
    mixing = Relations(8, incidence(SUDOKU, 4), peer_heads=2)
    initialize(mixing)
    x = torch.randn(2, 16, 4, 8)
    assert mixing.peers is not None
    assert not mixing.peers(x).any()
    assert (mixing.peers.closed == 0).sum(1).tolist() == [8] * 16  # three of the row, three of the column, one, itself


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"mixing": "attention"}, "shared symbols need mixing 'relations' and positions 'none'"),
        ({"positions": "lines"}, "shared symbols need mixing 'relations' and positions 'none'"),
        (
            {"mixing": "mlp", "symbols": "embedded", "peer_attention": 2},
            "peer_attention stands beside mixing 'relations'",
        ),
    ],
)
def test_networks_that_cannot_be_are_refused(changes: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        replace(SHARED, **changes)


def test_shared_symbols_need_a_board_that_has_some() -> None:
    with pytest.raises(ValueError, match="the board of images cannot be read symbol by symbol"):
        made("trm", images.board("digits", 2))


# Which color is called red is an accident of the answer: only a posterior can tell it to a network that does not know.
LEARNABLE = [(kind, task) for kind in MODELS for task in ("nqueens", "sudoku")] + [
    ("gram", "coloring"),
    ("vae", "coloring"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "task"), LEARNABLE)
def test_it_overfits_eight_puzzles(kind: str, task: str, tmp_path: Path, one_thread: None) -> None:
    """With relations and shared symbols, of every task that has them: the loss falls to a quarter (a bound to half)."""
    data = {
        "nqueens": ["task.board_size=5"],
        "sudoku": ["task.kind=sudoku", "task.size=4", "task.generated=60"],
        "coloring": ["task.kind=coloring", "task.vertices=5", "task.train_max=32", "task.test_max=4"],
    }[task]
    network = replace(SHARED, features=24, hidden=48, blocks=3 if kind == "direct" else 1)
    model = replace(MODELS[kind].Config(), network=network)
    few = preset("debug").override([
        *data, "train.steps=250", "train.batch=16", "train.supervision_steps=4", "train.prior_rows=0",
        "train.head_steps=0",
        "train.optim.lr=0.004", "train.optim.warmup=20", "train.optim.weight_decay=0.0", "train.augment=false",
        "train.kl_weight=0.001", "train.random_start=true",
    ])  # fmt: skip
    run = Run(replace(few, model=model), tmp_path)
    every = run.task.puzzles("train")
    eight = every.take(np.flatnonzero(every.counts == every.counts.min())[:8])
    run.sampler = Sampler(run.task, eight, run.config, run.device)
    run.carry = run._first_carry()
    name, share = ("bound", 0.5) if MODELS[kind].samples_tokens else ("token", 0.25)
    loss: list[float] = []
    while len(loss) < 40 or (len(loss) < few.train.steps and np.mean(loss[-20:]) >= share * np.mean(loss[:20])):
        loss.append(run.advance()[name])
    first, last = np.mean(loss[:20]), np.mean(loss[-20:])
    assert last < share * first, f"{first:.3f} to {last:.3f} nats per token"


def test_the_deviation_and_the_mean_of_the_guidance_are_capped() -> None:
    model = made("gram", SUDOKU, sigma_cap=0.5, mean_cap=0.25)
    for part in (model.prior.log_sigma, model.prior.mean):  # type: ignore[union-attr]
        part.down.weight.normal_(std=100)  # type: ignore[union-attr, operator]
    _, transition = model.step(model.init(puzzles(SUDOKU)[0]), torch.zeros_like)
    assert transition.prior is not None
    assert float(transition.prior.sigma.max()) == pytest.approx(0.5)
    assert float(transition.prior.mean.abs().max()) == pytest.approx(0.25)
    with pytest.raises(ValueError, match=r"sigma_cap is 0.05; it must lie above 0.1"):
        made("gram", SUDOKU, sigma_cap=0.05)


def test_the_gradient_of_hrm_goes_through_as_many_low_level_updates_as_it_says() -> None:
    found = {}
    for steps in (1, 2, 0):
        model = made("hrm", SUDOKU, low_steps=3, low_gradient_steps=steps).requires_grad_(True)
        state = model.init(puzzles(SUDOKU)[0])
        lows: list[Tensor] = []
        model.step(state, torch.zeros_like, watch=lows.append)
        found[steps] = [low.requires_grad for low in lows]
    assert found == {1: [False, False, True], 2: [False, True, True], 0: [True, True, True]}
