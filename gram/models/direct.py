"""Direct prediction: a plain Transformer of many layers, each with weights of its own, that answers in one pass.

Source: the `direct` rows of HRM (Wang et al. 2025, arXiv 2506.21734) and of GRAM's Table 1. As a chain it has one
transition, whose low-level steps are the layers; a second pass starts from the puzzle again and gives the same answer.
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
class DirectConfig:
    """Shape of a direct predictor: `network.blocks` is its number of layers; `puzzle_tokens` as in GRAM."""

    network: NetworkConfig = field(default_factory=lambda: NetworkConfig(blocks=8))
    puzzle_tokens: int = 0

    def __post_init__(self) -> None:
        at_least(0, self, "puzzle_tokens")


class Direct(Model):
    """No recursion: l passes the layers one after the other, and h is what comes out."""

    name: ClassVar[str] = "direct"
    Config: ClassVar[type] = DirectConfig
    levels: ClassVar[tuple[str, ...]] = ("Supervision step", "Pass", "Layer")
    recurrent: ClassVar[bool] = False
    stochastic = False
    high_steps = 1

    def __init__(self, config: DirectConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__()
        self.config = config
        self.low_steps = config.network.blocks
        size = config.network
        self.layout = layout(size, board, config.puzzle_tokens)
        self.embed_x = embedding(size.shared, board, size.features, self.places, board.blank)
        self.place = place(size, board, config.puzzle_tokens)
        self.puzzle_embedding = PuzzleEmbedding(identifiers, config.puzzle_tokens, self.features)
        self.layers = Network(size, self.layout)
        self.decoder = decoder(size.shared, board, size.features)
        self.graph = graph(size.mixing == "relations", board)
        self.heads = Heads(size, self.layout)
        initialize(self)
        self.register_buffer("h0", draw_z0(size.features))

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[State, Transition]:
        l = self.layers(state.e_x, watch, state.graph).float()
        return replace(state, h=l, l=l), Transition(l)
