"""What token models share, which sample tokens instead of refining a latent state: AR, MDLM, D3PM.

Their state is a board on which some positions are written and others still blank (or, in uniform diffusion, still
noise). What the puzzle gives stands there from the beginning and is never touched. A step is one pass of a network
without memory of the pass before, and a random choice; after `time` steps the board is whole, and further steps leave
it alone. Here are the board, the sampling and the readout; each model's own file has its step and its loss.

Sampling uses the standard normal noise that every model is given (`Noise`): a uniform number is its
distribution function, a choice among tokens the largest of logits plus Gumbel noise. A factor on the noise
(`gram.inference.noise`) of 0 thus gives the most probable token.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from gram.board import Board
from gram.models.base import Model, Noise, PuzzleEmbedding, Readout, State, draw_z0, expand
from gram.models.blocks import NetworkConfig, at_least
from gram.models.positions import layout, place
from gram.models.relations import graph
from gram.models.symbols import NEVER, decoder, embedding
from gram.tasks.base import PAD

SURE = 20.0  # logit of what is certain


@dataclass(frozen=True, kw_only=True)
class TokenState(State):
    """A `State` with the board so far.

    Attributes:
        tokens: [batch, position]; padding where nothing is written yet.
        free: [batch, position], true where the puzzle gives nothing.
        time: [batch], steps until the board is whole.
    """

    tokens: Tensor
    free: Tensor
    time: Tensor


@dataclass(frozen=True)
class TokenReadout(Readout):
    """A `Readout` whose answer is the board as it stands, and whose logits say how likely each token was or is there.

    Attributes:
        board: [batch, position].
    """

    board: Tensor

    @property
    def tokens(self) -> Tensor:
        """The board as it stands."""
        return self.board


@dataclass(frozen=True)
class TokenModelConfig:
    """What all of them have: the size of the network, and the puzzle embedding as in GRAM."""

    network: NetworkConfig = field(default_factory=lambda: NetworkConfig(blocks=4))
    puzzle_tokens: int = 0

    def __post_init__(self) -> None:
        at_least(0, self, "puzzle_tokens")


class TokenModel(Model):
    """The parts that AR, MDLM and D3PM share.

    Attributes:
        exact: whether the bound of `loss` is the log-likelihood itself.
        weights: of the terms of `loss` in the objective.
    """

    recurrent: ClassVar[bool] = False
    samples_tokens: ClassVar[bool] = True
    exact: ClassVar[bool] = False
    stochastic = True
    high_steps = 1
    answers: Tensor
    blank: Tensor

    def __init__(self, config: Any, board: Board, identifiers: int = 0) -> None:
        super().__init__()
        self.config = config
        size, tokens = config.network, len(board.tokens)
        self.layout = layout(size, board, config.puzzle_tokens)
        self.embed_x = embedding(size.shared, board, size.features, self.places, board.blank)
        self.embed_y = embedding(size.shared, board, size.features, self.places, (PAD,))
        self.place = place(size, board, config.puzzle_tokens)
        self.puzzle_embedding = PuzzleEmbedding(identifiers, config.puzzle_tokens, self.features)
        self.decoder = decoder(size.shared, board, size.features)
        self.graph = graph(size.mixing == "relations", board)
        never = {PAD} | {token for token, count in board.required if count == 0}
        self.register_buffer("answers", torch.tensor([t not in never for t in range(tokens)]), persistent=False)
        self.register_buffer("blank", torch.tensor([t in board.blank for t in range(tokens)]), persistent=False)
        self.register_buffer("h0", draw_z0(size.features))

    @property
    def weights(self) -> dict[str, float]:
        """Of the terms of `loss`; by default the bound alone."""
        return {"bound": 1.0}

    @abstractmethod
    def loss(self, x: Tensor, y: Tensor, identifier: Tensor | None, noise: Noise) -> dict[str, Tensor]:
        """The terms of the objective, each [batch] in nats per token.

        `bound` has the mean -log p(y | x) or more, over the noise, divided by the positions of y that are no padding.

        Args:
            x, y: [batch, position], puzzles and their answers.
            identifier: [batch], the puzzle embedding of each.
            noise: decides what of the answer is shown to the network.
        """

    def blank_board(self, x: Tensor, e_x: Tensor, time: Tensor) -> TokenState:
        """Step 0: what the puzzle gives stands on the board."""
        free = self.blank[x]
        start = expand(self.h0, e_x)
        return TokenState(
            e_x=e_x, h=start, l=start, graph=self.relate(x), tokens=torch.where(free, PAD, x), free=free, time=time
        )

    def written(self, tokens: Tensor) -> Tensor:
        """The board's tokens as vectors [batch, position, feature], zero at the puzzle embedding."""
        return F.pad(self.embed_y(tokens), (0, 0, self.prefix, 0))

    def predict(self, h: Tensor, graph: Tensor | None = None) -> Tensor:
        """Log-probabilities [batch, position, token] of the answer, none for tokens that no answer can hold."""
        logits = self.logits(h, graph)
        return logits.masked_fill(~self.answers, NEVER).log_softmax(-1)

    def show(self, state: TokenState, logits: Tensor) -> TokenReadout:
        """The readout: it halts once the board is whole, and predicts nothing."""
        halt = torch.where(state.time == 0, SURE, -state.time.float())
        return TokenReadout(logits, halt, torch.zeros_like(halt), state.tokens)

    def known(self, tokens: Tensor) -> Tensor:
        """Logits [batch, position, token] of tokens that are certain."""
        return NEVER * (1 - F.one_hot(tokens, len(self.answers)).float())


def uniform(noise: Tensor) -> Tensor:
    """Uniform numbers in (0, 1) from standard normal ones."""
    return torch.special.ndtr(noise.double()).clamp(1e-9, 1 - 1e-9).float()


def choose(logits: Tensor, noise: Tensor) -> Tensor:
    """A token [...] drawn from the softmax of logits [..., token], by standard normal noise of the same shape.

    Source: the Gumbel-max trick; -log(-log U) with U the normal's distribution function.
    """
    gumbel = -(-torch.special.log_ndtr(noise.double())).clamp(min=1e-300).log()
    return (logits.double() + gumbel).argmax(-1)


def per_token(nats: Tensor, y: Tensor) -> Tensor:
    """Nats [batch, position] summed and divided by the number of positions of y that are no padding: [batch]."""
    return nats.sum(1) / (y != PAD).sum(1).clamp(min=1)
