"""MDLM, masked diffusion: blank positions are written in random order, many at a time.

Source: Sahoo et al. 2024, "Simple and Effective Masked Diffusion Language Models" (arXiv 2406.07524), eq. 10 with the
linear schedule alpha_t = 1 - t, under which a position is masked with probability t:

    loss  = E_t [ 1/t  sum over masked positions of -log p(y_i | board with masks) ]     an upper bound of -log p(y | x)
    step  t -> s: a masked position is written with probability (t - s) / t, at random

Written positions stay as they are (their SUBS parameterization), and the network is not given t: the number of masks
says it. A mask is the padding token. The positions that the puzzle gives are never masked (GRAM, Table 1: conditional).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from gram.board import Board
from gram.models.base import Noise, State, Transition, Watch, initialize
from gram.models.blocks import Network, at_least
from gram.models.token_model import TokenModel, TokenModelConfig, TokenReadout, TokenState, choose, per_token, uniform
from gram.tasks.base import PAD


@dataclass(frozen=True)
class MDLMConfig(TokenModelConfig):
    """Shape of an MDLM.

    Attributes:
        diffusion_steps: T, into how many steps of equal length sampling divides time; training knows no steps.
    """

    diffusion_steps: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, self, "diffusion_steps")


class MDLM(TokenModel):
    """Writes each blank position at a moment of its own."""

    name: ClassVar[str] = "mdlm"
    Config: ClassVar[type] = MDLMConfig
    levels: ClassVar[tuple[str, ...]] = ("Unmasking step", "Pass", "Layer")
    config: MDLMConfig

    def __init__(self, config: MDLMConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__(config, board, identifiers)
        self.low_steps = config.network.blocks
        self.layers = Network(config.network, self.layout)
        initialize(self)

    def init(self, x: Tensor, identifier: Tensor | None = None) -> TokenState:
        time = torch.full((len(x),), self.config.diffusion_steps, device=x.device)
        return self.blank_board(x, self.embed(x, identifier), time)

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[TokenState, Transition]:
        assert isinstance(state, TokenState)
        h = self.read(state.e_x, state.tokens, state.graph, watch)
        logits = self.predict(h, state.graph)
        drawn, moment = choose(logits, noise(logits)), uniform(noise(logits[..., 0]))
        masked = state.free & (state.tokens == PAD)
        now = masked & (moment * state.time[:, None] < 1)  # (t - s) / t = 1 / (steps that are left)
        tokens = torch.where(now & (state.time > 0)[:, None], drawn, state.tokens)
        time = (state.time - 1).clamp(min=0)
        return replace(state, h=h, l=h, tokens=tokens, time=time), Transition(h)

    def read(self, e_x: Tensor, tokens: Tensor, graph: Tensor | None = None, watch: Watch | None = None) -> Tensor:
        """States h [batch, position, feature] of a board with masks."""
        return self.layers((e_x + self.written(tokens)) * 0.5**0.5, watch, graph).float()

    def decode(self, state: State) -> TokenReadout:
        """Of a masked position what the network expects there; a written one is certain."""
        assert isinstance(state, TokenState)
        masked = (state.tokens == PAD)[..., None]
        return self.show(state, torch.where(masked, self.predict(state.h, state.graph), self.known(state.tokens)))

    def loss(self, x: Tensor, y: Tensor, identifier: Tensor | None, noise: Noise) -> dict[str, Tensor]:
        e_x = self.embed(x, identifier)
        t = uniform(noise(e_x[:, :1, 0]))  # [batch, 1]
        free = self.blank[x]
        masked = free & (uniform(noise(x)) < t)
        return {"bound": per_token(self.nats(e_x, torch.where(free, y, x), masked, self.relate(x)) / t, y)}

    def nats(self, e_x: Tensor, y: Tensor, masked: Tensor, graph: Tensor | None = None) -> Tensor:
        """-log p(y_i | board with masks) [batch, position] where it is masked and y is no padding, else 0."""
        h = self.read(e_x, torch.where(masked, PAD, y), graph)
        return -self.predict(h, graph).gather(-1, y[..., None])[..., 0] * (masked & (y != PAD))
