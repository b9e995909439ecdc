"""The parts that the recursive models share: norm, attention, SwiGLU, and the small network applied again and again.

Sources: RMSNorm, Zhang & Sennrich 2019; SwiGLU, Shazeer 2020; post-norm blocks, HRM and TRM; an MLP over positions in
the place of attention, Tolstikhin et al. 2021 (MLP-Mixer), TRM for Sudoku. Every residual stream ends in a norm, so a
state stays bounded however often the network is applied to it.
Leaves out: rotary positions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gram.board import Board


@dataclass(frozen=True)
class NetworkConfig:
    """Size of the recursive network.

    Attributes:
        features: D, width of every state.
        heads: attention heads; must divide `features`.
        hidden: inner width of the feed-forward SwiGLU.
        blocks: blocks in one application.
        mixing: how positions hear of each other: `attention`, or `mlp`, one SwiGLU over positions that all features
            share. It can tell positions apart by itself; on Sudoku-Extreme TRM was better so (its Table 1: 87.4 % for
            74.7 %), and GRAM took it over there.
        mixing_hidden: inner width of that SwiGLU.
    """

    features: int = 128
    heads: int = 4
    hidden: int = 256
    blocks: int = 2
    mixing: Literal["attention", "mlp"] = "attention"
    mixing_hidden: int = 256

    def __post_init__(self) -> None:
        at_least(1, self, "features", "heads", "hidden", "blocks", "mixing_hidden")
        if self.features % self.heads:
            raise ValueError(f"features is {self.features}, which {self.heads} heads do not divide; choose a multiple")


def at_least(least: int, config: Any, *names: str) -> None:
    """Refuse a configuration in which one of these sizes is below `least`."""
    for name in names:
        if getattr(config, name) < least:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {least}")


def rms_norm(x: Tensor) -> Tensor:
    """x / root mean square over the last dim, in float32 inside, in the dtype of x outside. No learned gain (TRM)."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6)).to(x.dtype)


class Place(nn.Module):
    """A learned embedding of where a position lies: [position, feature], entries of variance about 1.

    On a grid or image it is the sum of four, one for each line through the cell: its row, its column and its two
    diagonals. (One free vector per cell, or rotary positions as in the paper, leave it to the network to find out that
    a board has lines; at our size that took several times as many steps. The rules stay unsaid: which lines matter
    must be learned.) A board that is drawn with boxes adds the box. In a graph a node has its own vector, and a pair of
    nodes the sum of theirs.
    """

    lines: Tensor

    def __init__(self, board: Board, features: int) -> None:
        super().__init__()
        if board.kind == "graph":
            lines = _ends(board)
        else:
            row, column = torch.meshgrid(torch.arange(board.height), torch.arange(board.width), indexing="ij")
            kinds = [row, column, row + column, row - column + board.width - 1]
            if board.box:
                kinds.append(row // board.box[0] * (board.width // board.box[1]) + column // board.box[1])
            starts = [0, *itertools.accumulate(int(kind.max()) + 1 for kind in kinds)]
            lines = torch.stack([kind.flatten() + start for kind, start in zip(kinds, starts, strict=False)])
        self.register_buffer("lines", lines, persistent=False)  # [line of a cell, position]
        self.embed = nn.Embedding(int(lines.max()) + 1, features)

    def forward(self) -> Tensor:
        return self.embed(self.lines).sum(0) / math.sqrt(len(self.lines))


def _ends(board: Board) -> Tensor:
    """The two nodes of each position of a graph, and whether it is a node or a pair: [3, position]."""
    nodes = board.nodes or board.positions
    ends = torch.tensor([(node, node) for node in range(nodes)] + board.pairs).T
    return torch.cat([ends, nodes + (ends[0] != ends[1]).long()[None]])


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x)): [..., inputs] -> [..., outputs]."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.gate_up = nn.Linear(inputs, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, -1)
        return self.down(F.silu(gate) * up)


class Attention(nn.Module):
    """Self-attention of every position to every other: [batch, position, feature] -> same."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(features, 3 * features, bias=False)
        self.out = nn.Linear(features, features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, positions, features = x.shape
        shape = (batch, positions, 3, self.heads, features // self.heads)
        q, k, v = self.qkv(x).view(shape).permute(2, 0, 3, 1, 4)  # each [batch, head, position, feature / heads]
        if x.is_cuda:
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            # On CPU the fused kernel's backward costs 7 times its forward at 64 positions; so training is 3x faster.
            scores = (q @ k.transpose(-1, -2)) / math.sqrt(q.shape[-1])
            mixed = scores.softmax(-1).to(v.dtype) @ v  # softmax sums in float32 by itself
        return self.out(mixed.transpose(1, 2).reshape(batch, positions, features))


class Block(nn.Module):
    """Attention or an MLP over positions, then SwiGLU, each added and normalized (post-norm).

    After the MLP each feature is normalized over its positions, as in TRM's code (the paper does not say).
    """

    def __init__(self, config: NetworkConfig, positions: int) -> None:
        super().__init__()
        if config.mixing == "attention":
            self.attention = Attention(config.features, config.heads)
        else:
            self.mixing = SwiGLU(positions, config.mixing_hidden, positions)
        self.mixes = config.mixing
        self.feed_forward = SwiGLU(config.features, config.hidden, config.features)

    def forward(self, x: Tensor) -> Tensor:
        if self.mixes == "attention":
            x = rms_norm(x + self.attention(x))
        else:
            across = x.transpose(1, 2)  # [batch, feature, position]
            x = rms_norm(across + self.mixing(across)).transpose(1, 2)
        return rms_norm(x + self.feed_forward(x))


class Network(nn.Module):
    """The small network f of a recursion: a few blocks, [batch, position, feature] -> same, root mean square 1."""

    def __init__(self, config: NetworkConfig, positions: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(config, positions) for _ in range(config.blocks))

    def forward(self, x: Tensor, watch: Callable[[Tensor], None] | None = None) -> Tensor:
        # Under autocast only products change dtype by themselves; a bf16 residual stream saves a cast around each.
        device = x.device.type
        if torch.is_autocast_enabled(device):
            x = x.to(torch.get_autocast_dtype(device))
        for block in self.blocks:
            x = block(x)
            if watch:
                watch(x)
        return x
