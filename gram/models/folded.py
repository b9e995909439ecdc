"""Networks along relations for a few rows at inference: what the plain ones compute, up to rounding.

One row of a small board is bound by its many small operations as much as by arithmetic. What does not depend on the
state is worked out once here: the scales of means and scores are parts of the weights, so that a mean is a sum, and the
bias of attention is kept. Whatever is added to something is added by the product that makes it, or in place. This holds
in float32 and without gradients; what must be the same to the bit takes the plain form.
"""

from __future__ import annotations

import copy
import math
from typing import TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gram.models.blocks import Block, SwiGLU
from gram.models.gaussian import SIGMA_START, Gaussian, GaussianHead
from gram.models.relations import PeerAttention, Relations

M = TypeVar("M", bound=nn.Module)


def folded(model: M) -> M:
    """`model` in this form, as long as its weights stay what they are; it shares all that has no such form."""
    return cast(M, _folded(model, {}))


def _folded(module: nn.Module, known: dict[nn.Module, nn.Module]) -> nn.Module:
    if module not in known:
        inside = {name: part and _folded(part, known) for name, part in module._modules.items()}
        if type(module) is Block and module.mixes == "relations":
            known[module] = FoldedBlock(module)
        elif type(module) is GaussianHead and all((module.mean, module.log_sigma, module.mean_cap)):
            known[module] = FoldedGaussian(module)
        elif inside == module._modules:
            known[module] = module
        else:
            known[module] = made = copy.copy(module)
            made._modules = inside
    return known[module]


class FoldedBlock(nn.Module):
    """The form of `Block`."""

    def __init__(self, plain: Block) -> None:
        super().__init__()
        self.features, self.relations = plain.features, FoldedRelations(plain.relations)
        self.gate_up, self.down = plain.feed_forward.gate_up.weight.t(), plain.feed_forward.down.weight.t()
        self.eps, self.mean = (
            self.down.new_full((1,), plain.eps),
            self.down.new_full((self.features,), 1 / self.features),
        )

    def forward(self, x: Tensor, graph: Tensor | None = None) -> Tensor:
        each = x.reshape(-1, self.features)  # [row x place x symbol, feature]
        gate, up = (self.relations(each, len(x), x.shape[1], graph) @ self.gate_up).chunk(2, -1)
        y = torch.addmm(each, F.silu(gate).mul_(up), self.down)
        return y.mul_(torch.addmv(self.eps, y.square(), self.mean).rsqrt_().unsqueeze(1)).view(x.shape)


class FoldedRelations:
    """The form of `Relations`."""

    def __init__(self, plain: Relations) -> None:
        self.plain, self.peers = plain, plain.peers and FoldedPeers(plain.peers, plain.symbols)
        self.here, self.features = plain.here.weight.t(), len(plain.here.weight)
        self.heard = {kind: cast(nn.Linear, part).weight.t() for kind, part in plain.heard.items()}
        if plain.symbols > 1:
            self.heard["symbols"] = self.heard["symbols"] / math.sqrt(plain.symbols)
        if plain.boxes:
            bands, rows, stacks, columns = plain.boxes
            line, piece, box = (self.heard[kind] for kind in ("line", "piece", "box"))
            self.row, self.column = line / math.sqrt(stacks * columns), line / math.sqrt(bands * rows)
            self.row_piece, self.column_piece = piece / math.sqrt(columns), piece / math.sqrt(rows)
            self.box = box / math.sqrt(rows * columns)

    def __call__(self, each: Tensor, rows: int, places: int, graph: Tensor | None) -> Tensor:
        """What `each` [row x place x symbol, feature] hears."""
        heard = each @ self.here
        if self.peers is not None:
            self.peers(each, heard, rows, places)
        if self.plain.symbols > 1:
            sums = each.view(rows * places, -1, self.features).sum(1)
            heard.view(rows * places, -1, self.features).add_((sums @ self.heard["symbols"]).unsqueeze(1))
        x, wide = each.view(rows, places, -1), heard.view(rows, places, -1)  # [row, place, symbol x feature]
        if self.plain.boxes:
            self.in_boxes(x, wide)
        elif self.plain.groups:
            means = (self.plain.pool @ x).split(list(self.plain.groups.values()), 1)
            said = [self.through(self.heard[kind], mean) for kind, mean in zip(self.plain.groups, means, strict=True)]
            wide += self.plain.spread @ torch.cat(said, 1)
        matrices = self.plain.matrices if graph is None else graph
        if matrices is not None:
            means = (matrices.flatten(-3, -2) @ x).split(places, 1)
            for kind, mean in zip(self.plain.dense, means, strict=True):
                heard.addmm_(mean.reshape(each.shape), self.heard[kind])
        return heard

    def through(self, weight: Tensor, part: Tensor) -> Tensor:
        """[..., symbol x feature] through a weight, as one matrix."""
        return (part.reshape(-1, self.features) @ weight).view(part.shape)

    def in_boxes(self, x: Tensor, heard: Tensor) -> None:
        """Adds to `heard` what `Relations.in_boxes` does."""
        grid = x.view(len(x), *cast(tuple[int, ...], self.plain.boxes), -1)
        row_piece, column_piece = grid.sum(4), grid.sum(2)
        across, down = self.through(self.row_piece, row_piece), self.through(self.column_piece, column_piece)
        across += self.through(self.row, row_piece.sum(3, keepdim=True))
        across += self.through(self.box, row_piece.sum(2, keepdim=True))
        down += self.through(self.column, column_piece.sum(1, keepdim=True))
        heard.view(grid.shape).add_(across.unsqueeze(4)).add_(down.unsqueeze(2))


class FoldedPeers:
    """The form of `PeerAttention`."""

    def __init__(self, plain: PeerAttention, symbols: int) -> None:
        self.heads, self.key, self.value = plain.heads, plain.key, plain.value
        self.seen = torch.tensordot(plain.bias, plain.peers, 1) + plain.closed
        query, key, value = plain.qkv.weight.split([plain.heads * width for width in (self.key, self.key, self.value)])
        self.qk = torch.cat([query / math.sqrt(symbols * self.key), key]).t()
        self.v = value.unflatten(0, (self.heads, -1)).transpose(1, 2).contiguous()
        self.out = plain.out.weight.t().split(self.value)

    def __call__(self, each: Tensor, heard: Tensor, rows: int, places: int) -> None:
        """Adds to `heard` [row x place x symbol, feature] what `each` hears of its peers."""
        by_head = (each @ self.qk).view(rows, places, -1, 2 * self.heads, self.key).permute(3, 0, 1, 2, 4)
        q, k = by_head.reshape(2, self.heads * rows, places, -1)
        v = (each @ self.v).view(self.heads * rows, places, -1)
        mixed = torch.baddbmm(self.seen.repeat_interleave(rows, 0), q, k.transpose(1, 2)).softmax(-1) @ v
        for part, out in zip(mixed.view(self.heads, -1, self.value), self.out, strict=True):
            heard.addmm_(part, out)


class FoldedGaussian(nn.Module):
    """The form of `GaussianHead` with a capped mean: both in one product, and tanh(x) as 2 sigmoid(2x) - 1, quicker."""

    def __init__(self, plain: GaussianHead) -> None:
        super().__init__()
        self.symbols, self.cap, self.limits = plain.symbols, plain.mean_cap, plain.limits
        mean, log_sigma = cast(SwiGLU, plain.mean), cast(SwiGLU, plain.log_sigma)
        halves = zip(mean.gate_up.weight.chunk(2), log_sigma.gate_up.weight.chunk(2), strict=True)
        self.gate_up = torch.cat([torch.cat(half) for half in halves]).t()
        self.mean, self.log_sigma = mean.down.weight.t() * (2 / self.cap), log_sigma.down.weight.t()
        self.start = self.log_sigma.new_full((1,), math.log(SIGMA_START))

    def forward(self, *states: Tensor) -> Gaussian:
        each = torch.cat([state.unflatten(-1, (self.symbols, -1)) for state in states], -1).flatten(0, -2)
        gate, up = (each @ self.gate_up).chunk(2, -1)
        mean, log_sigma = F.silu(gate).mul_(up).chunk(2, -1)
        mean = (mean @ self.mean).sigmoid_().mul_(2 * self.cap).sub_(self.cap)
        log_sigma = torch.addmm(self.start, log_sigma, self.log_sigma).clamp_(*self.limits)
        return Gaussian(mean.view(states[0].shape), log_sigma.view(states[0].shape))
