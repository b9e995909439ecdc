"""The parts that the recursive models share: norm, attention, SwiGLU, and the small network applied again and again.

Mixing along a board's relations is in `gram.models.relations`.

Sources: RMSNorm, Zhang & Sennrich 2019; SwiGLU, Shazeer 2020; post-norm blocks, HRM and TRM; an MLP over positions in
the place of attention, Tolstikhin et al. 2021 (MLP-Mixer), TRM for Sudoku. Every residual stream ends in a norm, so a
state stays bounded however often the network is applied to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gram.models.relations import Incidence, Relations
from gram.models.rotary import Rotary


@dataclass(frozen=True)
class NetworkConfig:
    """Size of the recursive network.

    Attributes:
        features: D, width of every vector: of a place, or with `symbols=shared` of each symbol at a place.
        heads: attention heads; must divide `features`.
        hidden: inner width of the feed-forward SwiGLU.
        blocks: blocks in one application.
        mixing: how positions hear of each other: `attention`; `relations`, along those of the board
            (`gram.models.relations`); or `mlp`, one SwiGLU over positions that all features share. That can tell
            positions apart by itself; on Sudoku-Extreme TRM was better so (its Table 1: 87.4 % for 74.7 %), and GRAM
            took it over there.
        mixing_hidden: inner width of that SwiGLU.
        symbols: `embedded`, a vector for each token, or `shared`, the same for all interchangeable symbols of the board
            (`gram.models.symbols`); those need mixing by relations and positions `none`.
        peer_attention: heads of an attention to places on a common line or in a common box, beside relations; 0: none.
        positions: how it knows where a position lies, see `gram.models.positions`.
        output: what makes probabilities of logits: `softmax`, or `stablemax` (Prieto et al. 2025), which HRM and TRM
            are trained with; it is the softmax of sign(x) log(1 + |x|), so that is what `Model.logits` gives then.
        norm_eps: added to the mean square under the root of every norm (HRM and TRM: 1e-5).
    """

    features: int = 128
    heads: int = 4
    hidden: int = 256
    blocks: int = 2
    mixing: Literal["attention", "relations", "mlp"] = "attention"
    mixing_hidden: int = 256
    symbols: Literal["embedded", "shared"] = "embedded"
    peer_attention: int = 0
    positions: Literal["lines", "relations", "learned", "rotary", "none"] = "lines"
    output: Literal["softmax", "stablemax"] = "softmax"
    norm_eps: float = 1e-6

    def __post_init__(self) -> None:
        at_least(1, self, "features", "heads", "hidden", "blocks", "mixing_hidden")
        if self.features % self.heads:
            raise ValueError(f"features is {self.features}, which {self.heads} heads do not divide; choose a multiple")
        at_least(0, self, "peer_attention")
        if self.shared and (self.mixing != "relations" or self.positions != "none"):
            raise ValueError(
                f"symbols is 'shared', mixing {self.mixing!r} and positions {self.positions!r}; shared symbols need "
                "mixing 'relations' and positions 'none'"
            )
        if self.peer_attention and self.mixing != "relations":
            raise ValueError(f"peer_attention stands beside mixing 'relations', not {self.mixing!r}; set it to 0")
        if self.positions == "rotary" and (self.mixing != "attention" or self.features // self.heads % 2):
            raise ValueError(
                f"rotary positions turn pairs of features of queries and keys; {self.features} features, {self.heads} "
                f"heads and mixing {self.mixing!r} do not have such; choose attention and an even width of each head"
            )
        if self.positions == "relations" and self.mixing != "attention":
            raise ValueError(
                f"positions is 'relations', a bias of attention, and mixing is {self.mixing!r}; choose attention"
            )
        if self.positions == "none" and self.mixing == "attention":
            raise ValueError("positions is 'none', and attention cannot tell places apart; choose lines, or mixing mlp")
        if not self.norm_eps > 0:
            raise ValueError(f"norm_eps is {self.norm_eps}; it must be positive, e.g. 1e-6")

    @property
    def shared(self) -> bool:
        """Whether all interchangeable symbols share their weights."""
        return self.symbols == "shared"


@dataclass(frozen=True)
class Layout:
    """The positions that a network runs over, and what it knows of pairs of them.

    Attributes:
        positions: how many there are.
        relations: [kind, position, position], 1 where a relation holds, for a bias of attention; None: no bias.
        incidence: the board's relations, for mixing along them.
        symbols: vectors at each position.
    """

    positions: int
    relations: Tensor | None = None
    incidence: Incidence | None = None
    symbols: int = 1


def at_least(least: int, config: Any, *names: str) -> None:
    """Refuse a configuration in which one of these sizes is below `least`."""
    for name in names:
        if getattr(config, name) < least:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {least}")


def rms_norm(x: Tensor, eps: float = 1e-6) -> Tensor:
    """x / root mean square over the last dim, in float32 inside, in the dtype of x outside. No learned gain (TRM)."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x)): [..., inputs] -> [..., outputs]."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.gate_up = nn.Linear(inputs, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, -1)
        return self.down(F.silu(gate) * up)


class AttentionBias(nn.Module):
    """What each head adds to the scores of pairs for the relations between them: [head, position, position].

    A learned bias of attention, as in T5 (Raffel et al. 2020, relative positions) and Graphormer (Ying et al. 2021,
    edges). Each head starts by favoring one relation, the heads of a network one after another.

    Args:
        relations: [kind, position, position], see `Layout`.
        heads: how many heads.
        first: the relation that the first head favors.
    """

    relations: Tensor

    def __init__(self, relations: Tensor, heads: int, first: int) -> None:
        super().__init__()
        self.register_buffer("relations", relations.float(), persistent=False)
        favored = (first + torch.arange(heads)) % len(relations)
        self.weight = nn.Parameter(3.0 * F.one_hot(favored, len(relations)).float())

    def forward(self) -> Tensor:
        return torch.einsum("hk,kpq->hpq", self.weight, self.relations)


class Attention(nn.Module):
    """Self-attention of every position to every other: [batch, position, feature] -> same."""

    def __init__(
        self, features: int, heads: int, rotary: Rotary | None = None, attention_bias: AttentionBias | None = None
    ) -> None:
        super().__init__()
        self.heads, self.rotary, self.attention_bias = heads, rotary, attention_bias
        self.qkv = nn.Linear(features, 3 * features, bias=False)
        self.out = nn.Linear(features, features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, positions, features = x.shape
        shape = (batch, positions, 3, self.heads, features // self.heads)
        q, k, v = self.qkv(x).view(shape).permute(2, 0, 3, 1, 4)  # each [batch, head, position, feature / heads]
        if self.rotary is not None:
            q, k = self.rotary(q), self.rotary(k)
        bias = None if self.attention_bias is None else self.attention_bias().to(q.dtype)
        if x.is_cuda:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        else:
            # On some CPUs the fused kernel's backward costs 7 times its forward (64 positions); on others as much.
            scores = (q @ k.transpose(-1, -2)) / math.sqrt(q.shape[-1])
            if bias is not None:
                scores = scores + bias
            mixed = scores.softmax(-1).to(v.dtype) @ v  # softmax sums in float32 by itself
        return self.out(mixed.transpose(1, 2).reshape(batch, positions, features))


class Block(nn.Module):
    """Attention or an MLP over positions, then SwiGLU, each added and normalized (post-norm).

    Relations need one sublayer: what a place hears goes through the SwiGLU, and that is added to the place. After the
    MLP each feature is normalized over its positions, as in TRM's code (the paper does not say).
    """

    def __init__(self, config: NetworkConfig, layout: Layout, index: int = 0) -> None:
        super().__init__()
        if config.mixing == "attention":
            turned = config.positions == "rotary"
            rotary = Rotary(layout.positions, config.features // config.heads) if turned else None
            relations = layout.relations
            attention_bias = None if relations is None else AttentionBias(relations, config.heads, index * config.heads)
            self.attention = Attention(config.features, config.heads, rotary, attention_bias)
        elif config.mixing == "relations":
            assert layout.incidence is not None
            self.relations = Relations(config.features, layout.incidence, config.peer_attention)
        else:
            self.mixing = SwiGLU(layout.positions, config.mixing_hidden, layout.positions)
        self.mixes, self.eps, self.features = config.mixing, config.norm_eps, config.features
        self.feed_forward = SwiGLU(config.features, config.hidden, config.features)

    def forward(self, x: Tensor, graph: Tensor | None = None) -> Tensor:
        if self.mixes == "relations":
            x = x.unflatten(-1, (-1, self.features))
            return rms_norm(x + self.feed_forward(self.relations(x, graph)), self.eps).flatten(-2)
        if self.mixes == "attention":
            x = rms_norm(x + self.attention(x), self.eps)
        else:
            across = x.transpose(1, 2)  # [batch, feature, position]
            x = rms_norm(across + self.mixing(across), self.eps).transpose(1, 2)
        return rms_norm(x + self.feed_forward(x), self.eps)


class Network(nn.Module):
    """The small network f of a recursion: a few blocks, [batch, position, feature] -> same, root mean square 1.

    `graph` holds the relations that each puzzle decides (`gram.models.relations.Graph`).
    """

    def __init__(self, config: NetworkConfig, layout: Layout) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(config, layout, index) for index in range(config.blocks))

    def forward(self, x: Tensor, watch: Callable[[Tensor], None] | None = None, graph: Tensor | None = None) -> Tensor:
        # Under autocast only products change dtype by themselves; a bf16 residual stream saves a cast around each.
        device = x.device.type
        if torch.is_autocast_enabled(device):
            x = x.to(torch.get_autocast_dtype(device))
        for block in self.blocks:
            x = block(x, graph)
            if watch:
                watch(x)
        return x
