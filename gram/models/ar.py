"""AR, the autoregressive baseline: the blank positions are written one after another, row by row.

Source: GRAM (arXiv 2605.19376), Table 1, which does not describe it; this is our reading, a Transformer encoder of the
puzzle and a causal decoder of the answer:

    e     = f_enc(x)                        all positions see the whole puzzle
    h_i   = f_dec(e_i + y_{i-1}, ...)       position i sees positions up to i, and the tokens before it
    y_i ~ softmax(W h_i)                    at the first position that is still blank

Along relations (`gram.models.relations`) a position hears of the members of its groups that come before it. There the
decoder runs over two copies of the board: one holds the written tokens, and each of its positions hears of itself and
of those before it; the other holds none, and hears of the first what stands before. h is the second.

The encoder's vector is added at its own position, in the place of cross-attention: answer and puzzle share their
positions. Position i sees the same whatever is written after it, so h keeps the distributions from which all tokens so
far were drawn, and log p(y | x) is their exact sum. Tokens that the puzzle gives are read, never sampled, and cost
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gram.board import Board
from gram.models.base import Noise, State, Transition, Watch, initialize
from gram.models.blocks import Network
from gram.models.relations import Incidence
from gram.models.symbols import NEVER
from gram.models.token_model import TokenModel, TokenModelConfig, TokenReadout, TokenState, choose, per_token
from gram.tasks.base import PAD


@dataclass(frozen=True)
class ARConfig(TokenModelConfig):
    """Shape of an AR: encoder and decoder have `network.blocks` each; `puzzle_tokens` as in GRAM."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.network.mixing == "mlp":
            raise ValueError(
                "mixing is 'mlp', which sees all positions at once, but AR must not see those to come; choose "
                "attention or relations"
            )


class AR(TokenModel):
    """Writes the first blank position, then the next."""

    name: ClassVar[str] = "ar"
    Config: ClassVar[type] = ARConfig
    levels: ClassVar[tuple[str, ...]] = ("Cell", "Pass", "Layer")
    exact: ClassVar[bool] = True

    def __init__(self, config: ARConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__(config, board, identifiers)
        size, layout = config.network, self.layout
        self.low_steps = size.blocks
        self.encoder = Network(size, layout)
        self.past = None
        if layout.incidence is not None:
            self.past = PastRelations(layout.incidence)
            layout = replace(layout, incidence=self.past.incidence)
        self.layers = Network(size, layout)
        for block in self.layers.blocks if self.past is None else ():
            attention = cast(Any, block).attention
            attention.attention_bias = Past(layout.positions, attention.attention_bias)
        initialize(self)

    def init(self, x: Tensor, identifier: Tensor | None = None) -> TokenState:
        e_x = self.encoder(self.embed(x, identifier), graph=self.relate(x))
        return self.blank_board(x, e_x, self.blank[x].sum(1))

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[TokenState, Transition]:
        assert isinstance(state, TokenState)
        h = self.read(state.e_x, state.tokens, state.graph, watch)
        open_ = state.free & (state.tokens == PAD)
        at = open_.int().argmax(1, keepdim=True)  # the first that is still blank; 0 if none is
        here = F.one_hot(at[:, 0], open_.shape[1]).bool() & open_
        logits = self.predict(h, state.graph).gather(1, at[..., None].expand(-1, 1, len(self.answers)))[:, 0]
        drawn = choose(logits, noise(logits))
        tokens = torch.where(here, drawn[:, None], state.tokens)
        time = (state.time - 1).clamp(min=0)
        return replace(state, h=h, l=h, tokens=tokens, time=time), Transition(h)

    def read(self, e_x: Tensor, tokens: Tensor, graph: Tensor | None = None, watch: Watch | None = None) -> Tensor:
        """States h [batch, position, feature], each conditioned on the tokens before it and not its own."""
        if self.past is not None:
            both = torch.cat([e_x + self.written(tokens), e_x + self.written(torch.full_like(tokens, PAD))], 1)
            half = e_x.shape[1]
            look = None if watch is None else lambda state: watch(state[:, half:])
            return self.layers(both * 0.5**0.5, look, self.past(graph))[:, half:].float()
        before = F.pad(tokens[:, :-1], (1, 0), value=PAD)
        return self.layers((e_x + self.written(before)) * 0.5**0.5, watch).float()

    def decode(self, state: State) -> TokenReadout:
        """Of a written position the distribution that its token was drawn from; of the others nothing is known."""
        assert isinstance(state, TokenState)
        nothing = torch.zeros_like(self.answers, dtype=torch.float32).masked_fill(~self.answers, NEVER)
        logits = torch.where((state.tokens == PAD)[..., None], nothing, self.predict(state.h, state.graph))
        return self.show(state, torch.where(state.free[..., None], logits, self.known(state.tokens)))

    def loss(self, x: Tensor, y: Tensor, identifier: Tensor | None, noise: Noise) -> dict[str, Tensor]:
        free = self.blank[x] & (y != PAD)
        graph = self.relate(x)
        h = self.read(self.encoder(self.embed(x, identifier), graph=graph), torch.where(self.blank[x], y, x), graph)
        nats = -self.predict(h, graph).gather(-1, y[..., None])[..., 0]
        return {"bound": per_token(nats * free, y)}


class Past(nn.Module):
    """What is added to the scores of pairs [head, position, position] so that none sees those after it.

    Args:
        positions: how many there are; the puzzle embedding come first.
        attention_bias: what is added beside, if anything.
    """

    later: Tensor

    def __init__(self, positions: int, attention_bias: nn.Module | None) -> None:
        super().__init__()
        self.attention_bias = attention_bias
        later = torch.full((1, positions, positions), -torch.inf).triu(1)
        self.register_buffer("later", later, persistent=False)

    def forward(self) -> Tensor:
        return self.later if self.attention_bias is None else self.attention_bias() + self.later


class PastRelations(nn.Module):
    """A board's relations among two copies of its places, cut so that none hears of what is written after it.

    Attributes:
        incidence: the same relations as dense kinds, over both copies.
    """

    related: Tensor

    def __init__(self, incidence: Incidence) -> None:
        super().__init__()
        self.near = incidence.matrices is None and incidence.dense  # kinds that each puzzle decides
        fixed, starts = [], 0
        for groups in incidence.kinds.values():
            part = slice(starts, starts := starts + groups)
            fixed.append((incidence.spread[:, part] @ incidence.pool[part]).ne(0))
        if incidence.matrices is not None:
            fixed += incidence.matrices.ne(0).unbind()
        self.register_buffer("related", torch.stack(fixed), persistent=False)  # [kind, place, place]
        kinds = (*incidence.kinds, *incidence.dense) if not self.near else (*incidence.dense, *incidence.kinds)
        self.incidence = Incidence(incidence.symbols, {}, incidence.pool, incidence.spread, kinds)

    def forward(self, graph: Tensor | None) -> Tensor:
        """Matrices [kind, 2 place, 2 place], or [batch, ...] where each puzzle has its own."""
        related = self.related
        if graph is not None:
            related = torch.cat([graph.ne(0), related.expand(len(graph), -1, -1, -1)], 1)
        among = torch.cat([related.tril(), related.tril(-1)], -2).float()
        among = among * among.sum(-1, keepdim=True).clamp(min=1).rsqrt()
        return F.pad(among, (0, related.shape[-1]))
