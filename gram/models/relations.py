"""Mixing along the relations of a board: each place hears the mean of its groups, through a weight of each kind.

    m = W_here x + sum over kinds k of W_k (sum over relations of k of mean over the group * sqrt(size of the group))

Weights belong to kinds of relations, not to places, so they run on a board of any size and commute with the symmetries
of the board; and they are shared by all symbols of a place, which hear of each other through a kind of their own. A
mean is scaled by the root of its group's size, else relations are too faint beside W_here to be learned.

A relation is a pair of matrices, `pool` (groups of places) and `spread` (places of groups), so that a group's mean is
sent through its weight once. Relations that a puzzle decides (a graph's neighbors), and those with a group for each
place (the place above), are one matrix [place, place] each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gram.board import AROUND, NEAR, Board

HERE, RELATED, SILENT = 0.7, 0.5, 0.0  # gains on the usual initial deviation: of W_here, of W_k, of what starts at zero


@dataclass(frozen=True)
class Incidence:
    """The relations of a board as matrices, scaled by 1 / sqrt(size of the group).

    Attributes:
        symbols: vectors at each place.
        kinds: name -> groups, of the kinds that `pool` and `spread` hold, in their order.
        pool: [group, place]. spread: [place, group].
        dense: names of the kinds that are one matrix each, in the order of `matrices` or of those of the puzzle.
        grid: rows and columns, where the dense kinds are moves by one (`gram.board.AROUND`): quicker than matrices.
        matrices: [kind, place, place], or None where each puzzle has its own (`Graph`).
        boxes: bands, rows of a box, stacks, columns of a box, of a grid with boxes: its means can be had by reshaping.
        peers: [kind, place, place], 1 where a place and another (or itself, the first kind) share a line or a box.
    """

    symbols: int
    kinds: dict[str, int]
    pool: Tensor
    spread: Tensor
    dense: tuple[str, ...] = ()
    matrices: Tensor | None = None
    boxes: tuple[int, int, int, int] | None = None
    peers: Tensor | None = None
    grid: tuple[int, int] | None = None


def incidence(board: Board, symbols: int, prefix: int = 0) -> Incidence:
    """The relations of a board, with `prefix` places before it that all others hear, and that hear all others."""
    places, before = board.places, np.arange(prefix + board.places) < prefix
    pools: dict[str, list[np.ndarray]] = {}
    spreads: dict[str, list[np.ndarray]] = {}
    near: dict[str, np.ndarray] = {}
    peers = {"here": np.eye(prefix + places, dtype=bool)}
    for relation in board.relations:
        if not relation.partition:
            near[relation.kind] = np.pad(scaled(relation.matrix), ((prefix, 0), (prefix, 0)))
            continue
        hears = np.arange(len(relation.members))[:, None] == relation.hears
        pools.setdefault(relation.kind, []).append(np.pad(relation.members, ((0, 0), (prefix, 0))))
        spreads.setdefault(relation.kind, []).append(np.pad(hears, ((0, 0), (prefix, 0))))
        if relation.kind != "piece":
            shared = np.pad(relation.matrix & ~np.eye(places, dtype=bool), ((prefix, 0), (prefix, 0)))
            peers[relation.kind] = peers.get(relation.kind, False) | shared
    if prefix:
        pools["before"], spreads["before"] = [before[None]], [np.ones_like(before)[None]]
        pools["after"], spreads["after"] = [~before[None]], [before[None]]
    kinds = {kind: sum(map(len, parts)) for kind, parts in pools.items()}
    pool, spread = (np.concatenate([part for parts in side.values() for part in parts]) for side in (pools, spreads))
    dense = NEAR if board.nodes else tuple(near)
    boxes = None
    if board.box and not prefix:
        boxes = (board.height // board.box[0], board.box[0], board.width // board.box[1], board.box[1])
    return Incidence(
        symbols,
        kinds,
        torch.from_numpy(scaled(pool)),
        torch.from_numpy(np.ascontiguousarray(spread.T, dtype=np.float32)),
        dense,
        torch.from_numpy(np.stack(list(near.values()))) if near else None,
        boxes,
        torch.from_numpy(np.stack(list(peers.values())).astype(np.float32)),
        (board.height, board.width) if near.keys() == AROUND.keys() else None,
    )


def scaled(members: np.ndarray) -> np.ndarray:
    """Rows of [..., group, place], true where a place belongs to it, divided by the root of the group's size."""
    return (members / np.sqrt(members.sum(-1, keepdims=True).clip(1))).astype(np.float32)


def linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    """A linear map without bias whose initial deviation is scaled by `gain` (`gram.models.base.initialize`)."""
    made = nn.Linear(inputs, outputs, bias=False)
    made.gain = gain  # type: ignore[assignment]
    return made


class Relations(nn.Module):
    """[batch, place, symbol, feature] -> same: what each vector hears of itself and of those it is related to."""

    pool: Tensor
    spread: Tensor
    matrices: Tensor | None

    def __init__(self, features: int, incidence: Incidence, peer_heads: int = 0) -> None:
        super().__init__()
        self.here = linear(features, features, HERE)
        among = ("symbols",) if incidence.symbols > 1 else ()
        self.heard = nn.ModuleDict(
            {kind: linear(features, features, RELATED) for kind in (*incidence.kinds, *incidence.dense, *among)}
        )
        self.groups, self.dense, self.boxes = incidence.kinds, incidence.dense, incidence.boxes
        self.grid = incidence.grid
        self.symbols = incidence.symbols
        self.peers = PeerAttention(features, peer_heads, incidence) if peer_heads else None
        self.register_buffer("pool", incidence.pool, persistent=False)
        self.register_buffer("spread", incidence.spread, persistent=False)
        self.register_buffer("matrices", incidence.matrices, persistent=False)

    def forward(self, x: Tensor, graph: Tensor | None = None) -> Tensor:
        """`graph` [batch, kind, place, place]: the matrices of the dense kinds, where each puzzle has its own."""
        heard = self.here(x)
        if self.peers is not None:
            heard = heard + self.peers(x)
        if x.shape[2] > 1:
            heard = heard + self.heard["symbols"](x.mean(2, keepdim=True) * math.sqrt(x.shape[2]))
        if self.boxes:
            heard = self.in_boxes(x, heard)
        elif self.groups:
            heard = heard + self.in_groups(x)
        matrices = self.matrices if graph is None else graph
        if matrices is not None:
            means = self.moved(x) if self.grid else self.by_matrix(matrices, x)
            for kind, mean in zip(self.dense, means, strict=True):
                heard = heard + self.through(kind, mean)
        return heard

    def by_matrix(self, matrices: Tensor, x: Tensor) -> tuple[Tensor, ...]:
        """What each place hears of the dense kinds, one after another, on any board."""
        means = torch.matmul(matrices.flatten(-3, -2), x.flatten(2)).unflatten(2, x.shape[2:])
        return means.split(x.shape[1], 1)

    def moved(self, x: Tensor) -> list[Tensor]:
        """The same on a grid, where it hears of the four places around it: the grid moved by one, equal to the bit."""
        assert self.grid
        prefix = x.shape[1] - math.prod(self.grid)
        grid = x[:, prefix:].unflatten(1, self.grid)
        moves = [(0, 0, 0, 0, -right, right, -down, down) for down, right in AROUND.values()]
        return [F.pad(F.pad(grid, move).flatten(1, 2), (0, 0, 0, 0, prefix, 0)) for move in moves]

    def through(self, kind: str, means: Tensor) -> Tensor:
        """Means [batch, group, symbol, feature] through the weight of their kind, as one matrix.

        As a slice of a larger tensor they would, without a gradient, be one small product for each group.
        """
        if torch.is_grad_enabled():
            return self.heard[kind](means)
        return self.heard[kind](means.flatten(0, -2)).view(means.shape)

    def in_groups(self, x: Tensor) -> Tensor:
        """What `x` hears of the kinds that have groups, on any board."""
        means = torch.matmul(self.pool, x.flatten(2)).unflatten(2, x.shape[2:]).split(list(self.groups.values()), 1)
        messages = torch.cat([self.through(kind, mean) for kind, mean in zip(self.groups, means, strict=True)], 1)
        return torch.matmul(self.spread, messages.flatten(2)).view_as(x)

    def in_boxes(self, x: Tensor, heard: Tensor) -> Tensor:
        """`heard` + `in_groups(x)` on a grid with boxes, by means over axes of a reshaped board: quicker."""
        assert self.boxes
        bands, rows, stacks, columns = self.boxes
        line, piece, box = (self.heard[kind] for kind in ("line", "piece", "box"))
        row_piece = x.view(len(x), bands, rows, stacks, columns, *x.shape[2:]).mean(4)
        column_piece = x.view(len(x), bands, rows, stacks * columns, *x.shape[2:]).mean(2)
        row, column = row_piece.mean(3, keepdim=True), column_piece.mean(1, keepdim=True)
        inside = box(row_piece.mean(2, keepdim=True) * math.sqrt(rows * columns))
        across = piece(row_piece * math.sqrt(columns)) + line(row * math.sqrt(stacks * columns)) + inside
        down = piece(column_piece * math.sqrt(rows)) + line(column * math.sqrt(bands * rows))
        wide = heard.view(len(x), bands * rows, stacks, columns, *x.shape[2:]) + across.flatten(1, 2).unsqueeze(3)
        return (wide.view(len(x), bands, rows, stacks * columns, *x.shape[2:]) + down.unsqueeze(2)).view_as(x)


class PeerAttention(nn.Module):
    """Places look at those that they share a line or a box with, and at themselves; the symbols' scores are summed.

    A learned bias for each head and kind of relation; the output starts at zero.
    """

    peers: Tensor
    closed: Tensor

    def __init__(self, features: int, heads: int, incidence: Incidence) -> None:
        super().__init__()
        if incidence.peers is None:
            raise ValueError("peer_attention needs a board with lines or boxes; set model.network.peer_attention=0")
        self.heads, self.key, self.value = heads, max(1, features // 4), max(1, features // 2)
        self.qkv = nn.Linear(features, heads * (2 * self.key + self.value), bias=False)
        self.out = linear(heads * self.value, features, SILENT)
        self.bias = nn.Parameter(torch.zeros(heads, len(incidence.peers)))
        self.register_buffer("peers", incidence.peers, persistent=False)
        self.register_buffer("closed", torch.where(incidence.peers.any(0), 0.0, -1e4), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, places, symbols, _ = x.shape
        parts = self.qkv(x).split([self.heads * width for width in (self.key, self.key, self.value)], -1)
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).permute(0, 3, 1, 2, 4).reshape(batch, self.heads, places, -1)
            for part in parts
        )  # each [batch, head, place, symbol * width]
        seen = torch.tensordot(self.bias, self.peers, 1) + self.closed
        scores = q @ k.transpose(-1, -2) / math.sqrt(symbols * self.key) + seen.to(q.dtype)
        mixed = (scores.softmax(-1).to(v.dtype) @ v).view(batch, self.heads, places, symbols, self.value)
        return self.out(mixed.permute(0, 2, 3, 1, 4).flatten(3))


def graph(mixes: bool, board: Board) -> Graph | None:
    """How a puzzle decides relations of this board, for a network that mixes along them; None: not at all."""
    return Graph(board) if mixes and board.nodes else None


class Graph(nn.Module):
    """What a puzzle says of a graph's nodes, and how it is given back: its edges are tokens that nobody asks about."""

    pair: Tensor
    first: Tensor
    second: Tensor
    certain: Tensor

    def __init__(self, board: Board) -> None:
        super().__init__()
        self.nodes, self.joined = board.nodes, cast(int, board.joined)
        first, second = torch.tensor(board.pairs).T
        pair = torch.zeros(board.nodes, board.nodes, dtype=torch.int64)
        pair[first, second] = pair[second, first] = torch.arange(len(first))
        (apart,) = set(range(len(board.tokens))) - {*board.blank, *board.exclusive, board.joined}
        certain = F.one_hot(torch.tensor([apart, board.joined]), len(board.tokens)).float()
        for name, buffer in (("pair", pair), ("first", first), ("second", second), ("certain", certain)):
            self.register_buffer(name, buffer, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Matrices [batch, kind, node, node] of `NEAR`, scaled, of puzzles [batch, position]."""
        itself = torch.eye(self.nodes, dtype=torch.bool, device=x.device)
        joined = x[:, self.nodes :].eq(self.joined)[:, self.pair] & ~itself
        near = torch.stack([joined, ~joined & ~itself], 1).float()
        return near * near.sum(-1, keepdim=True).clamp(min=1).rsqrt()

    def pairs(self, graph: Tensor) -> Tensor:
        """What stands at each pair of nodes as given: [batch, pair, token], one-hot."""
        return self.certain[(graph[:, 0, self.first, self.second] > 0).long()]
