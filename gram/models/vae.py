"""VAE: draw a latent vector per position from N(0, I), decode it in one pass. The oldest of the generators.

Source: Kingma & Welling 2014, with Transformers for encoder and decoder. As a chain it has one transition, so GRAM's
objective (eq. 12) is here the evidence lower bound itself:

    q(z | x, y) = N(mu, sigma^2),  p(z) = N(0, 1)     guidance: posterior and prior
    h = f_dec(e_x + W z)

trained with one supervision step and `kl_balance=0` (the prior learns nothing). A second step draws anew. Guidance has
as many features as the state, as rollouts want it; those from `latent` onwards are neither set nor read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gram.board import Board
from gram.models.base import (
    Model,
    Noise,
    PuzzleEmbedding,
    State,
    Transition,
    Watch,
    draw_z0,
    initialize,
)
from gram.models.blocks import Network, NetworkConfig, at_least
from gram.models.gaussian import LOG_SIGMA, Gaussian
from gram.models.heads import Heads
from gram.models.positions import layout, place
from gram.models.relations import graph
from gram.models.symbols import decoder, embedding
from gram.tasks.base import PAD


@dataclass(frozen=True)
class VAEConfig:
    """Shape of a VAE: encoder and decoder have `network.blocks` each.

    Attributes:
        latent: numbers that are drawn per position.
        puzzle_tokens: as in GRAM.
    """

    network: NetworkConfig = field(default_factory=lambda: NetworkConfig(blocks=2))
    latent: int = 4
    puzzle_tokens: int = 0

    def __post_init__(self) -> None:
        at_least(0, self, "puzzle_tokens")
        if not 1 <= self.latent <= self.network.features:
            raise ValueError(f"latent is {self.latent}; it must lie in 1 to features, {self.network.features}")


class VAE(Model):
    """One draw, one pass."""

    name: ClassVar[str] = "vae"
    Config: ClassVar[type] = VAEConfig
    levels: ClassVar[tuple[str, ...]] = ("Draw", "Pass", "Layer")
    recurrent: ClassVar[bool] = False
    stochastic = True
    high_steps = 1
    config: VAEConfig

    def __init__(self, config: VAEConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__()
        self.config = config
        size = config.network
        self.low_steps = size.blocks
        self.layout = layout(size, board, config.puzzle_tokens)
        self.embed_x = embedding(size.shared, board, size.features, self.places, board.blank)
        self.embed_y = embedding(size.shared, board, size.features, self.places, (PAD,))
        self.place = place(size, board, config.puzzle_tokens)
        self.puzzle_embedding = PuzzleEmbedding(identifiers, config.puzzle_tokens, self.features)
        self.encoder = Network(size, self.layout)
        self.posterior = nn.Linear(size.features, 2 * config.latent)
        self.embed_z = nn.Linear(config.latent, size.features, bias=False)
        self.layers = Network(size, self.layout)
        self.decoder = decoder(size.shared, board, size.features)
        self.graph = graph(size.mixing == "relations", board)
        self.heads = Heads(size, self.layout)
        initialize(self)
        nn.init.zeros_(self.posterior.bias)
        self.register_buffer("h0", draw_z0(size.features))

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[State, Transition]:
        e_x, features = state.e_x, self.config.network.features
        rest = torch.zeros_like(state.h)
        prior, posterior = Gaussian(rest, rest), None
        if y is not None:
            e_y = F.pad(self.embed_y(y), (0, 0, self.prefix, 0))
            graph = None if state.graph is None else state.graph[: len(y)]
            read = self.encoder((e_x[: len(y)] + e_y) * 0.5**0.5, graph=graph).unflatten(-1, (-1, features))
            mean, log_sigma = self.posterior(read).float().chunk(2, -1)
            padding = (0, features - self.config.latent)
            padded = F.pad(mean, padding), F.pad(log_sigma.clamp(*LOG_SIGMA), padding)
            posterior = Gaussian(*(part.flatten(-2) for part in padded))
        drawn = posterior.before(prior) if posterior else prior
        z = drawn.sample(noise(state.h)).unflatten(-1, (-1, features))[..., : self.config.latent]
        h = self.layers(e_x + self.embed_z(z).flatten(-2), watch, state.graph).float()
        return replace(state, h=h, l=h), Transition(e_x.float(), prior, posterior)
