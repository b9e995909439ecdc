"""The looped Transformer: one network applied again and again, with the puzzle added each time.

Source: Giannou et al. 2023 (arXiv 2301.13196), with input injection as in Yang et al. 2024, "Looped Transformers are
Better at Learning Learning Algorithms" (arXiv 2311.12424); the first row of GRAM's Table 3a. Flat: one latent, one time
scale. It is trained without deep supervision: the presets give a row one supervision step of all its loops, with the
gradient through every one of them.
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
    draw_z0,
    initialize,
)
from gram.models.blocks import Network, NetworkConfig, at_least
from gram.models.heads import Heads
from gram.models.positions import layout, place
from gram.models.relations import graph
from gram.models.symbols import decoder, embedding


@dataclass(frozen=True)
class LoopedConfig:
    """Shape of a looped Transformer: `high_steps` loops make a supervision step; `puzzle_tokens` as in GRAM."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    high_steps: int = 16
    puzzle_tokens: int = 0

    def __post_init__(self) -> None:
        at_least(1, self, "high_steps")
        at_least(0, self, "puzzle_tokens")


class Looped(Model):
    """Flat deterministic recursion: h <- f(h + e_x). There is no low-level state; `l` stands still."""

    name: ClassVar[str] = "looped"
    Config: ClassVar[type] = LoopedConfig
    levels: ClassVar[tuple[str, ...]] = ("Supervision step", "Loop", "Low-level step")
    stochastic = False
    low_steps = 0

    def __init__(self, config: LoopedConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__()
        self.config = config
        self.high_steps = config.high_steps
        size = config.network
        self.layout = layout(size, board, config.puzzle_tokens)
        self.embed_x = embedding(size.shared, board, size.features, self.places, board.blank)
        self.place = place(size, board, config.puzzle_tokens)
        self.puzzle_embedding = PuzzleEmbedding(identifiers, config.puzzle_tokens, self.features)
        self.f = Network(size, self.layout)
        self.decoder = decoder(size.shared, board, size.features)
        self.graph = graph(size.mixing == "relations", board)
        self.heads = Heads(size, self.layout)
        initialize(self)
        self.register_buffer("h0", draw_z0(size.features))

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[State, Transition]:
        u = self.f(state.h + state.e_x, graph=state.graph).float()
        return replace(state, h=u), Transition(u)
