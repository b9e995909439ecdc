"""TRM, the tiny recursive model: one network, two latents, one deterministic path.

Source: Jolicoeur-Martineau 2025, "Less is More: Recursive Reasoning with Tiny Networks", Fig. 3 (its n and T are K
and T here; its y and z are h and l). Relaxation and noise: Huang, Geng & Kolter 2026, "Equilibrium Reasoners" (EqR,
arXiv 2605.21488), which is trained from random starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from torch import Tensor

from gram.board import Board
from gram.models.base import (
    Model,
    Noise,
    PuzzleEmbedding,
    State,
    Transition,
    Watch,
    check_tokens,
    draw_z0,
    initialize,
)
from gram.models.blocks import Network, NetworkConfig, at_least
from gram.models.heads import Judge, heads
from gram.models.positions import layout, place
from gram.models.relations import graph
from gram.models.symbols import decoder, embedding


@dataclass(frozen=True)
class TRMConfig:
    """Shape of a TRM.

    Attributes:
        network: size of f.
        low_steps, high_steps: K (its n) and T.
        puzzle_tokens: how many learned tokens a puzzle embedding has (its code: 16); 0: none.
        puzzle_features: how many of their entries are learned, the others are zero (its code: `features`); 0: all.
        judge: what the heads read: the `board`, or the `first` token (its code).
        relaxation: lambda of EqR, z <- (1 - lambda) z + lambda f; 1: TRM.
        update_noise: deviation of the Gaussian noise that EqR adds to every update; 0: none.
        start: a random start (`gram.inference.noise`) draws a `vector` for all positions, or one for each `position`
            (EqR).
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    low_steps: int = 2
    high_steps: int = 2
    puzzle_tokens: int = 0
    puzzle_features: int = 0
    judge: Judge = "board"
    relaxation: float = 1.0
    update_noise: float = 0.0
    start: Literal["vector", "position"] = "vector"

    def __post_init__(self) -> None:
        at_least(1, self, "low_steps", "high_steps")
        at_least(0, self, "update_noise")
        if not 0 < self.relaxation <= 1:
            raise ValueError(f"relaxation is {self.relaxation}; it must lie above 0 and at most at 1 (TRM)")
        check_tokens(self)


class TRM(Model):
    """Deterministic recursion: l <- f(l + h + e_x), K times; h <- f(h + l). As EqR says, relaxed and with noise."""

    name: ClassVar[str] = "trm"
    Config: ClassVar[type] = TRMConfig
    l0: Tensor
    stochastic = False

    def __init__(self, config: TRMConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__()
        self.config, self.stochastic = config, config.update_noise > 0
        self.low_steps, self.high_steps = config.low_steps, config.high_steps
        size = config.network
        self.layout = layout(size, board, config.puzzle_tokens)
        self.embed_x = embedding(size.shared, board, size.features, self.places, board.blank)
        self.place = place(size, board, config.puzzle_tokens)
        self.puzzle_embedding = PuzzleEmbedding(
            identifiers, config.puzzle_tokens, self.features, config.puzzle_features
        )
        self.f = Network(size, self.layout)
        self.decoder = decoder(size.shared, board, size.features)
        self.graph = graph(size.mixing == "relations", board)
        self.heads = heads(config.judge, size, self.layout)
        initialize(self)
        self.register_buffer("h0", draw_z0(size.features))
        self.register_buffer("l0", draw_z0(size.features))

    @property
    def has_guidance(self) -> bool:
        return False  # the noise of an update has no posterior

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[State, Transition]:
        e_x, h, l = state.e_x, state.h, state.l
        for _ in range(self.low_steps):
            l = self._updated(l, self.f(l + (h + e_x), graph=state.graph), noise)
            if watch:
                watch(l)
        u = self._updated(h, self.f(h + l, graph=state.graph).float(), noise)
        return replace(state, h=u, l=l.float()), Transition(u)

    def _updated(self, z: Tensor, proposal: Tensor, noise: Noise) -> Tensor:
        """The state after an update: TRM's proposal, or as EqR has it."""
        if self.config.relaxation < 1:
            proposal = (1 - self.config.relaxation) * z + self.config.relaxation * proposal
        return proposal + self.config.update_noise * noise(z) if self.stochastic else proposal
