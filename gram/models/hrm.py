"""HRM, the hierarchical reasoning model: two networks that work at two speeds.

Source: Wang et al. 2025, "Hierarchical Reasoning Model" (arXiv 2506.21734), Section 2, and sapientinc/HRM. Its N cycles
of T low-level updates are T transitions of K here; its z_L and z_H are l and h:

    l <- f_L(l, h + e_x)   K times
    h <- f_H(h, l)

The gradient goes through the last update of each network only (its one-step approximation of the gradient at a fixed
point), or as `low_gradient_steps` says. Halting is learned with two values (Q-learning): of halting, which is 1 where
the answer is right, and of going on, which is the better of both at the next supervision step
(`gram.training.losses.q_continue`). Time costs nothing, so where both are learned well going on is worth as much at
least, and halting saves little; its own evaluation ignores it. Here the rows that teach this live through all their
steps; HRM's end where the values say so, or at a random later step.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import torch
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
class HRMConfig:
    """Shape of an HRM.

    Attributes:
        network: size of f_L and of f_H.
        low_steps, high_steps: K and T.
        low_gradient_steps: low-level updates, counted from the last, through which the gradient goes; 0: all of them.
        halting: `q`, by the values of halting and of going on; `correct`, by the probability that the answer is right
            (TRM).
        puzzle_tokens: how many learned tokens a puzzle embedding has (its code: 1); 0: none.
        puzzle_features: how many of their entries are learned, the others are zero; 0: all.
        judge: what the heads read: the `board`, or the `first` token (its code).
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    low_steps: int = 2
    high_steps: int = 2
    low_gradient_steps: int = 1
    halting: Literal["q", "correct"] = "q"
    puzzle_tokens: int = 0
    puzzle_features: int = 0
    judge: Judge = "board"

    def __post_init__(self) -> None:
        at_least(1, self, "low_steps", "high_steps")
        at_least(0, self, "low_gradient_steps")
        check_tokens(self)


class HRM(Model):
    """Deterministic recursion at two speeds, with a network for each."""

    name: ClassVar[str] = "hrm"
    Config: ClassVar[type] = HRMConfig
    l0: Tensor
    stochastic = False

    def __init__(self, config: HRMConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__()
        self.config = config
        self.low_steps, self.high_steps = config.low_steps, config.high_steps
        size = config.network
        self.layout = layout(size, board, config.puzzle_tokens)
        self.embed_x = embedding(size.shared, board, size.features, self.places, board.blank)
        self.place = place(size, board, config.puzzle_tokens)
        self.puzzle_embedding = PuzzleEmbedding(
            identifiers, config.puzzle_tokens, self.features, config.puzzle_features
        )
        self.f_low = Network(size, self.layout)
        self.f_high = Network(size, self.layout)
        self.decoder = decoder(size.shared, board, size.features)
        self.graph = graph(size.mixing == "relations", board)
        self.heads = heads(config.judge, size, self.layout, q_continue=config.halting == "q")
        initialize(self)
        self.register_buffer("h0", draw_z0(size.features))
        self.register_buffer("l0", draw_z0(size.features))

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[State, Transition]:
        e_x, h, l = state.e_x, state.h, state.l
        learns, first = torch.is_grad_enabled(), self.low_steps - (self.config.low_gradient_steps or self.low_steps)
        for k in range(self.low_steps):
            with torch.set_grad_enabled(learns and k >= first):
                l = self.f_low(l + (h + e_x), graph=state.graph)
            if watch:
                watch(l)
        u = self.f_high(h + l, graph=state.graph).float()
        return replace(state, h=u, l=l.float()), Transition(u)
