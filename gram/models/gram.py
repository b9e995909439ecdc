"""GRAM, the generative recursive reasoning model: TRM's recursion with sampling noise at every high-level transition.

Source: GRAM (arXiv 2605.19376), eq. 3 to 8 and Fig. 2:

    l <- f_L(l, h + e_x)   K times          low-level refinement
    u  = f_H(h, l)                          proposal
    h  = u + eps,  eps ~ N(mu(u), sigma(u)^2)    guidance: the prior; the posterior q(eps | u, y) sees the target

Choices where the paper is silent, or where we measured (see docs/training.md): f_L and f_H may be one network
(`shared`); the posterior reads the concatenation of u and e_y; cells know their places by the lines through them.

The ablations of Table 3 are settings of this model: `guided`, `low_steps = 0` (no hierarchy) and `guidance`; deep
supervision is a matter of training. What the paper's words "mean 0", "sigma 0" and "direct" stand for is our reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

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
from gram.models.gaussian import SIGMA_START, GaussianHead
from gram.models.heads import Heads
from gram.models.positions import layout, place
from gram.models.relations import graph
from gram.models.symbols import decoder, embedding
from gram.tasks.base import PAD


@dataclass(frozen=True)
class GRAMConfig:
    """Shape of a GRAM.

    Attributes:
        network: size of f_L and f_H.
        low_steps, high_steps: K and T. K = 0 leaves out the low-level state: u = f_H(h + e_x).
        shared: f_L and f_H are one network, as in TRM.
        guidance_hidden: inner width of the four SwiGLUs that give the guidance.
        sigma_cap, mean_cap: the largest deviation of the guidance, and the largest absolute value of its mean in each
            feature, which a tanh keeps; 0: free. Posterior rows, which see the target, gain by ever larger means that
            make logits sharper, and the prior follows them by the KL until it fails (docs/training.md).
        puzzle_tokens: how many learned tokens a puzzle embedding has (the paper: 16); 0: none.
        guided: False switches the guidance off (h = u): the deterministic limit, an ablation of Table 3.
        guidance: `residual`, as in the paper; `zero-mean`, eps ~ N(0, sigma^2); `zero-sigma`, eps = mu, without noise,
            where the KL is that of deviations 1; `absolute`, h ~ N(mu(u), sigma(u)^2), not added to u.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    low_steps: int = 2
    high_steps: int = 2
    shared: bool = True
    guidance_hidden: int = 128
    sigma_cap: float = math.e
    mean_cap: float = 0.0
    puzzle_tokens: int = 0
    guided: bool = True
    guidance: Literal["residual", "zero-mean", "zero-sigma", "absolute"] = "residual"

    def __post_init__(self) -> None:
        at_least(1, self, "high_steps", "guidance_hidden")
        at_least(0, self, "low_steps", "mean_cap", "puzzle_tokens")
        if not SIGMA_START < self.sigma_cap <= math.e:
            raise ValueError(f"sigma_cap is {self.sigma_cap}; it must lie above {SIGMA_START}, the start, and up to e")


class GRAM(Model):
    """Stochastic recursion: the same parts as TRM, another algorithm."""

    name: ClassVar[str] = "gram"
    Config: ClassVar[type] = GRAMConfig
    l0: Tensor

    def __init__(self, config: GRAMConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__()
        self.config = config
        self.stochastic = config.guided
        self.low_steps, self.high_steps = config.low_steps, config.high_steps
        size = config.network
        self.layout = layout(size, board, config.puzzle_tokens)
        self.embed_x = embedding(size.shared, board, size.features, self.places, board.blank)
        self.embed_y = embedding(size.shared, board, size.features, self.places, (PAD,))
        self.place = place(size, board, config.puzzle_tokens)
        self.puzzle_embedding = PuzzleEmbedding(identifiers, config.puzzle_tokens, self.features)
        self.f_low = Network(size, self.layout)
        self.f_high = self.f_low if config.shared or not config.low_steps else Network(size, self.layout)
        mean, deviation = config.guidance != "zero-mean", config.guidance != "zero-sigma"
        parts = (config.guidance_hidden, size.features, mean, deviation)
        head = partial(GaussianHead, symbols=self.layout.symbols, sigma_cap=config.sigma_cap, mean_cap=config.mean_cap)
        self.prior, self.posterior = head(size.features, *parts), head(2 * size.features, *parts)
        self.decoder = decoder(size.shared, board, size.features)
        self.graph = graph(size.mixing == "relations", board)
        self.heads = Heads(size, self.layout)
        initialize(self)
        self.prior.zero_init()
        self.posterior.zero_init()
        self.register_buffer("h0", draw_z0(size.features))
        self.register_buffer("l0", draw_z0(size.features))

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[State, Transition]:
        e_x, h, l = state.e_x, state.h, state.l
        for _ in range(self.low_steps):
            l = self.f_low(l + (h + e_x), graph=state.graph)
            if watch:
                watch(l)
        u = self.f_high(h + (l if self.low_steps else e_x), graph=state.graph)
        if not (self.config.guided and self.guides):
            return replace(state, h=u.float(), l=l.float()), Transition(u.float())
        prior = self.prior(u)
        posterior = None
        if y is not None:
            e_y = F.pad(
                self.embed_y(y).to(u.dtype), (0, 0, self.prefix, 0)
            )  # a puzzle embedding's tokens have no target
            posterior = self.posterior(u[: len(y)], e_y)
        drawn = posterior.before(prior) if posterior else prior
        eps = drawn.mean if self.config.guidance == "zero-sigma" else drawn.sample(noise(h))
        h = eps if self.config.guidance == "absolute" else u + eps
        return replace(state, h=h, l=l.float()), Transition(u.float(), prior, posterior)
