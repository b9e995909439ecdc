"""TRM, the tiny recursive model: one network, two latents, one deterministic path.

Source: Jolicoeur-Martineau 2025, "Less is More: Recursive Reasoning with Tiny Networks", Fig. 3 (its n and T are K
and T here; its y and z are h and l).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

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
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    low_steps: int = 2
    high_steps: int = 2
    puzzle_tokens: int = 0
    puzzle_features: int = 0
    judge: Judge = "board"

    def __post_init__(self) -> None:
        at_least(1, self, "low_steps", "high_steps")
        check_tokens(self)


class TRM(Model):
    """Deterministic recursion: l <- f(l + h + e_x), K times; h <- f(h + l)."""

    name: ClassVar[str] = "trm"
    Config: ClassVar[type] = TRMConfig
    l0: Tensor
    stochastic = False

    def __init__(self, config: TRMConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__()
        self.config = config
        self.low_steps, self.high_steps = config.low_steps, config.high_steps
        size = config.network
        self.layout = layout(size, board, config.puzzle_tokens)
        self.embed_x = embedding(size.shared, board, size.features, self.places, board.blank)
        self.place = place(size, board, config.puzzle_tokens)
        self.puzzle_embedding = PuzzleEmbedding(
            identifiers, config.puzzle_tokens, size.features, config.puzzle_features
        )
        self.f = Network(size, self.layout)
        self.decoder = decoder(size.shared, board, size.features)
        self.graph = graph(size.mixing == "relations", board)
        self.heads = heads(config.judge, size, self.layout)
        initialize(self)
        self.register_buffer("h0", draw_z0(size.features))
        self.register_buffer("l0", draw_z0(size.features))

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[State, Transition]:
        e_x, h, l = state.e_x, state.h, state.l
        for _ in range(self.low_steps):
            l = self.f(l + (h + e_x), graph=state.graph)
            if watch:
                watch(l)
        u = self.f(h + l, graph=state.graph).float()
        return replace(state, h=u, l=l.float()), Transition(u)
