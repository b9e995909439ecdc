"""How a network knows where a position lies: `NetworkConfig.positions`.

    lines     a vector for each line through a cell, added to what stands there (ours)
    relations lines, and a bias of attention between positions that share a line (ours; T5, Graphormer), or that are
              neighbors in a picture (T5; Swin)
    learned   a free vector per position, added (BERT; an option of HRM and TRM)
    rotary    queries and keys turned by angles that grow with the position (RoPE, Su et al. 2021; HRM, TRM and GRAM)
    none      not at all: an MLP over positions has weights for each (TRM for Sudoku)

Positions are counted row by row, after the puzzle embedding (`prefix`). Rotary positions only say how
far apart two stand: where all cells hold the same, they cannot be distinguished.
"""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gram.board import Board
from gram.models.blocks import Layout, NetworkConfig
from gram.models.relations import incidence

NEAR = 2  # rows and columns between neighbors in a picture


def place(config: NetworkConfig, board: Board, prefix: int) -> nn.Module:
    """What makes a state's first vectors [batch, position, feature] tell their places: a module of the same shape."""
    if config.positions in ("lines", "relations"):
        return Lines(board, config.features, prefix, board.places if config.mixing == "relations" else None)
    if config.positions == "learned":
        positions = board.places if config.mixing == "relations" else board.positions
        return Learned(prefix + positions, config.features)
    return nn.Identity()


def layout(config: NetworkConfig, board: Board, prefix: int) -> Layout:
    """The positions of a state, and, for `relations`, which of them share a row, column, diagonal, box or node.

    In a picture, which are neighbors: a relation for each way to go from one patch to another, `NEAR` at most.
    """
    if config.mixing == "relations":
        if config.shared and not board.symbols:
            raise ValueError(
                f"symbols is 'shared', and the board of {board.task} cannot be read symbol by symbol; set "
                "model.network.symbols=embedded"
            )
        symbols = len(board.symbols) if config.shared else 1
        return Layout(prefix + board.places, incidence=incidence(board, symbols, prefix), symbols=symbols)
    positions = prefix + board.positions
    if config.positions != "relations":
        return Layout(positions)
    lines = through(board)
    if board.kind == "graph":  # the two ends of a position are of one kind: a pair and its nodes, two pairs of a node
        ends = lines[:2]
        shared = (ends[:, None, :, None] == ends[None, :, None, :]).any(0).any(0)
        relations = torch.stack([shared, shared & (lines[2][:, None] != lines[2][None])])
    elif board.kind == "image":
        row, column = torch.meshgrid(torch.arange(board.height), torch.arange(board.width), indexing="ij")
        down, right = (ends.flatten()[:, None] - ends.flatten()[None, :] for ends in (row, column))
        ways = itertools.product(range(-NEAR, NEAR + 1), repeat=2)
        relations = torch.stack([(down == rows) & (right == columns) for rows, columns in ways])
    else:
        relations = lines[:, :, None] == lines[:, None, :]
    return Layout(positions, F.pad(relations.float(), (prefix, 0, prefix, 0)))


class Learned(nn.Module):
    """One free vector per position, those of the prefix too; the sum is scaled back to variance 1 (HRM)."""

    def __init__(self, positions: int, features: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(positions, features)

    def forward(self, e: Tensor) -> Tensor:
        return (e + self.embed.weight) * 0.5**0.5


class Lines(nn.Module):
    """A learned embedding of where a position lies: [position, feature], entries of variance about 1.

    On a grid or image it is the sum of four, one for each line through the cell: its row, its column and its two
    diagonals. (One free vector per cell, or rotary positions as in the paper, leave it to the network to find out that
    a board has lines; at our size that took several times as many steps. The rules stay unsaid: which lines matter
    must be learned.) A board that is drawn with boxes adds the box. In a graph a node has its own vector, and a pair of
    nodes the sum of theirs.
    """

    lines: Tensor

    def __init__(self, board: Board, features: int, prefix: int = 0, places: int | None = None) -> None:
        super().__init__()
        self.prefix = prefix
        lines = through(board)[:, :places]
        self.register_buffer("lines", lines, persistent=False)  # [line of a cell, position]
        self.embed = nn.Embedding(int(lines.max()) + 1, features)

    def vectors(self) -> Tensor:
        """That of each position of the board: [position, feature]."""
        return self.embed(self.lines).sum(0) / math.sqrt(len(self.lines))

    def forward(self, e: Tensor) -> Tensor:
        if not self.prefix:
            return (e + self.vectors()) * 0.5**0.5
        return torch.cat([e[:, : self.prefix], (e[:, self.prefix :] + self.vectors()) * 0.5**0.5], 1)


def through(board: Board) -> Tensor:
    """Numbers of the lines through each position, of one kind after another: [line of a position, position]."""
    if board.kind == "graph":
        return _ends(board)
    row, column = torch.meshgrid(torch.arange(board.height), torch.arange(board.width), indexing="ij")
    kinds = [row, column, row + column, row - column + board.width - 1]
    if board.box:
        kinds.append(row // board.box[0] * (board.width // board.box[1]) + column // board.box[1])
    starts = [0, *itertools.accumulate(int(kind.max()) + 1 for kind in kinds)]
    return torch.stack([kind.flatten() + start for kind, start in zip(kinds, starts, strict=False)])


def _ends(board: Board) -> Tensor:
    """The two nodes of each position of a graph, and whether it is a node or a pair: [3, position]."""
    nodes = board.nodes or board.positions
    ends = torch.tensor([(node, node) for node in range(nodes)] + board.pairs).T
    return torch.cat([ends, nodes + (ends[0] != ends[1]).long()[None]])
