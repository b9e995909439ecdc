"""AR, the autoregressive baseline: the blank positions are written one after another, row by row.

Source: GRAM (arXiv 2605.19376), Table 1, which does not describe it; this is our reading, a Transformer encoder of the
puzzle and a causal decoder of the answer:

    e     = f_enc(x)                        all positions see the whole puzzle
    h_i   = f_dec(e_i + y_{i-1}, ...)       position i sees positions up to i, and the tokens before it
    y_i ~ softmax(W h_i)                    at the first position that is still blank

The encoder's vector is added at its own position, in the place of cross-attention: answer and puzzle share their
positions. Position i sees the same whatever is written after it, so h keeps the distributions from which all tokens so
far were drawn, and log p(y | x) is their exact sum. Tokens that the puzzle gives are read, never drawn or charged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gram.board import Board
from gram.models.base import Noise, State, Transition, Watch, initialize
from gram.models.blocks import Network
from gram.models.positions import layout
from gram.models.token_model import NEVER, Page, Shown, Writer, WriterConfig, choose, per_token
from gram.tasks.base import PAD


@dataclass(frozen=True)
class ARConfig(WriterConfig):
    """Shape of an AR: encoder and decoder have `network.blocks` each; `puzzle_tokens` as in GRAM."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.network.mixing != "attention":
            raise ValueError(
                f"mixing is {self.network.mixing!r}, which sees all positions at once, but AR must not see those to "
                "come; choose attention"
            )


class AR(Writer):
    """Writes the first blank position, then the next."""

    name: ClassVar[str] = "ar"
    Config: ClassVar[type] = ARConfig
    levels: ClassVar[tuple[str, ...]] = ("Cell", "Pass", "Layer")
    exact: ClassVar[bool] = True

    def __init__(self, config: ARConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__(config, board, identifiers)
        size = config.network
        told = layout(size, board, config.puzzle_tokens)
        self.low_steps = size.blocks
        self.encoder = Network(size, told)
        self.layers = Network(size, told)
        for block in self.layers.blocks:
            attention = cast(Any, block).attention
            attention.sight = Past(told.positions, attention.sight)
        initialize(self)

    def init(self, x: Tensor, identifier: Tensor | None = None) -> Page:
        e_x = self.encoder(self.embed(x, identifier))
        return self.blank_board(x, e_x, self.blank[x].sum(1))

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[Page, Transition]:
        assert isinstance(state, Page)
        h = self.read(state.e_x, state.tokens, watch)
        open_ = state.free & (state.tokens == PAD)
        at = open_.int().argmax(1, keepdim=True)  # the first that is still blank; 0 if none is
        here = F.one_hot(at[:, 0], open_.shape[1]).bool() & open_
        logits = self.predict(h).gather(1, at[..., None].expand(-1, 1, len(self.answers)))[:, 0]
        drawn = choose(logits, noise(logits))
        tokens = torch.where(here, drawn[:, None], state.tokens)
        time = (state.time - 1).clamp(min=0)
        return Page(state.e_x, h, h, tokens, state.free, time), Transition(h)

    def read(self, e_x: Tensor, tokens: Tensor, watch: Watch | None = None) -> Tensor:
        """States h [batch, position, feature]; each position is told the token before it."""
        before = F.pad(tokens[:, :-1], (1, 0), value=PAD)
        return self.layers((e_x + self.written(before)) * 0.5**0.5, watch).float()

    def decode(self, state: State) -> Shown:
        """Of a written position the distribution that its token was drawn from; of the others nothing is known."""
        assert isinstance(state, Page)
        nothing = torch.zeros_like(self.answers, dtype=torch.float32).masked_fill(~self.answers, NEVER)
        logits = torch.where((state.tokens == PAD)[..., None], nothing, self.predict(state.h))
        return self.show(state, torch.where(state.free[..., None], logits, self.known(state.tokens)))

    def loss(self, x: Tensor, y: Tensor, identifier: Tensor | None, noise: Noise) -> dict[str, Tensor]:
        free = self.blank[x] & (y != PAD)
        h = self.read(self.encoder(self.embed(x, identifier)), torch.where(self.blank[x], y, x))
        nats = -self.predict(h).gather(-1, y[..., None])[..., 0]
        return {"bound": per_token(nats * free, y)}


class Past(nn.Module):
    """What is added to the scores of pairs [head, position, position] so that none sees those after it.

    Args:
        positions: how many there are; the tokens that name a rule book come first.
        sight: what is added beside, if anything.
    """

    later: Tensor

    def __init__(self, positions: int, sight: nn.Module | None) -> None:
        super().__init__()
        self.sight = sight
        later = torch.full((1, positions, positions), -torch.inf).triu(1)
        self.register_buffer("later", later, persistent=False)

    def forward(self) -> Tensor:
        return self.later if self.sight is None else self.sight() + self.later
