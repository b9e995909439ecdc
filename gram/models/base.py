"""What a model is: a chain `init -> step -> step -> ...` whose state can be decoded into an answer at any step.

A step is one *transition*. `high_steps` transitions make a supervision step. Training, sampling and recording are loops
over `step`, written once for all models (`gram.train`, `gram.sample`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gram import plugins
from gram.models.blocks import Layout, at_least
from gram.models.gaussian import Gaussian
from gram.models.heads import FirstToken, Heads
from gram.models.relations import Graph
from gram.models.symbols import NEVER

Noise = Callable[[Tensor], Tensor]
"""Standard normal noise with the shape and device of the given tensor, in float32."""
Watch = Callable[[Tensor], None]
"""Called with the low-level state after each low-level update."""


@dataclass(frozen=True)
class State:
    """Where a chain stands.

    Attributes:
        e_x: [batch, position, feature], the embedding of the puzzle. With shared symbols a feature is one of a symbol.
        h, l: [batch, position, feature].
        graph: [batch, kind, position, position], relations that the puzzle decides; None where the board knows all.
    """

    e_x: Tensor
    h: Tensor
    l: Tensor
    graph: Tensor | None = None

    def detach(self) -> Self:
        """The same state, cut from the graph."""
        return replace(self, **{name: part.detach() for name, part in self.parts().items()})

    def take(self, rows: Any) -> Self:
        """The state of these rows."""
        return replace(self, **{name: part[rows] for name, part in self.parts().items()})

    def put(self, rows: Any, other: State) -> Self:
        """The state in which these rows stand where they stand in `other`, and the others where they stood."""
        kept = {name: part.clone() for name, part in self.parts().items()}
        for name, part in kept.items():
            part[rows] = getattr(other, name)[rows]
        return replace(self, **kept)

    def parts(self) -> dict[str, Tensor]:
        """By name, everything that it holds."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: part for name, part in held.items() if part is not None}


@dataclass(frozen=True)
class Transition:
    """What one step did, beside its new state.

    Attributes:
        u: proposal [batch, position, feature], the high-level state before guidance.
        prior, posterior: the distributions of the guidance; None for a deterministic model, or without a target. The
            posterior has the first rows alone, if only they have a target.
    """

    u: Tensor
    prior: Gaussian | None = None
    posterior: Gaussian | None = None


@dataclass(frozen=True)
class Readout:
    """The answer at a state.

    Attributes:
        logits: [batch, position, token].
        halt: [batch], logit of "my answer is right"; in a model that learns the value of going on too (HRM), that of
            halting less that of going on. Above 0 it halts.
        value: [batch], logit of "my final answer will be right" (LPRM).
    """

    logits: Tensor
    halt: Tensor
    value: Tensor

    @property
    def tokens(self) -> Tensor:
        """The answer [batch, position]: the most probable token of each position."""
        return self.logits.argmax(-1)


class Model(nn.Module, ABC):
    """A registered chain. `Config` stands beside each class and holds all that shapes its weights.

    Attributes:
        recurrent: whether a step begins from the latent state (h, l) that the last one left.
        samples_tokens: whether it samples tokens instead of refining a latent state (`gram.models.token_model`): then
            it has a loss of its own, and neither guidance nor heads.
        stochastic: whether every step samples.
        guides: whether its guidance is on, if it has any; training may begin without (`train.guidance_from`).
    """

    name: ClassVar[str]
    Config: ClassVar[type]
    recurrent: ClassVar[bool] = True
    samples_tokens: ClassVar[bool] = False
    stochastic: bool
    guides: bool = True
    levels: ClassVar[tuple[str, ...]] = ("Supervision step", "Transition", "Low-level step")
    config: Any
    high_steps: int
    low_steps: int
    embed_x: nn.Embedding
    place: nn.Module
    puzzle_embedding: PuzzleEmbedding
    layout: Layout
    decoder: nn.Module
    heads: Heads | FirstToken
    graph: Graph | None
    h0: Tensor

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        plugins.defined(cls)

    @property
    def has_guidance(self) -> bool:
        """Whether its transitions have a prior, and with a target a posterior."""
        return self.stochastic and self.guides and not self.samples_tokens

    @property
    def prefix(self) -> int:
        """How many positions of a state come before those of the board: the puzzle embedding."""
        return self.puzzle_embedding.tokens

    @property
    def blocks_per_transition(self) -> int:
        """Blocks that a transition applies one after another: those of its network, once per low-level update and u."""
        return int(self.config.network.blocks) * (self.low_steps + 1 if self.recurrent else 1)

    def embed(self, x: Tensor, identifier: Tensor | None) -> Tensor:
        """The puzzles [batch, position] as vectors [batch, position, feature] that know their places."""
        return self.place(self.puzzle_embedding(self.embed_x(x), identifier))

    @property
    def features(self) -> int:
        """Width of a state: of all symbols of a place."""
        return self.layout.symbols * self.config.network.features

    @property
    def places(self) -> int:
        """How many positions of the board, the first ones, have a state: all, or the nodes of a graph."""
        return self.layout.positions - self.config.puzzle_tokens

    def relate(self, x: Tensor) -> Tensor | None:
        """The relations that puzzles [batch, position] decide."""
        return None if self.graph is None else self.graph(x)

    def logits(self, h: Tensor, graph: Tensor | None = None) -> Tensor:
        """The decoder's [batch, position, token] at h; at positions without a state the puzzle's token is certain."""
        logits = self.decoder(h[:, self.prefix :]).float()
        if self.config.network.output == "stablemax":  # s(x) = x + 1, or 1 / (1 - x) below 0; these are log s(x)
            logits = logits.sign() * logits.abs().log1p()
        if self.graph is None or graph is None:
            return logits
        return torch.cat([logits, NEVER * (1 - self.graph.pairs(graph))], 1)

    def on_board(self, part: Tensor) -> Tensor:
        """Of [batch, position, feature] of a state, what is of the board's positions; 0 for those without a state."""
        part = part[:, self.prefix :]
        return part if self.graph is None else F.pad(part, (0, 0, 0, len(self.graph.first)))

    def init(self, x: Tensor, identifier: Tensor | None = None) -> State:
        """Step 0 for the puzzles [batch, position]: the fixed initial state, and the embedded puzzle.

        `identifier` [batch] names each one's puzzle embedding, where a task has several and the model reads them;
        default 0.
        """
        e_x = self.embed(x, identifier)
        l0 = getattr(self, "l0", self.h0)  # a flat model stores one vector
        return State(e_x, expand(self.h0, e_x), expand(l0, e_x), self.relate(x))

    @abstractmethod
    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[State, Transition]:
        """One transition. Without `y` the guidance is drawn from the prior, with it from the posterior.

        `y` [row, position] may have fewer rows than the state: those beyond draw from the prior.
        """

    def decode(self, state: State) -> Readout:
        """The answer at this state."""
        outputs = self.heads(state.h, state.graph)
        return Readout(self.logits(state.h, state.graph), outputs.halt, outputs.value)


class PuzzleEmbedding(nn.Module):
    """Learned tokens before the board that say which ARC task it belongs to: "puzzle embeddings", HRM and TRM.

    An ARC task is a rule that its demonstrations show and its test input does not, so the model learns a few vectors
    per task. They start at zero, as in HRM, where a task without ARC tasks has them too, as a scratch pad.

    Args:
        books, tokens, features: how many ARC tasks, how many tokens for each, how wide a token is.
        learned: of a puzzle's entries only this many are learned, the others stay zero (TRM); 0: all.
    """

    def __init__(self, books: int, tokens: int, features: int, learned: int = 0) -> None:
        super().__init__()
        self.tokens, self.features = tokens, features
        learned = learned or tokens * features
        self.embed = nn.Parameter(torch.zeros(max(1, books), learned)) if tokens else None

    def forward(self, e_x: Tensor, identifier: Tensor | None) -> Tensor:
        """`e_x` [batch, position, feature] with the tokens of each row's book before it."""
        if self.embed is None:
            return e_x
        book = torch.zeros(len(e_x), dtype=torch.int64, device=e_x.device) if identifier is None else identifier
        entries = F.pad(self.embed[book], (0, self.tokens * self.features - self.embed.shape[1]))
        return torch.cat([entries.view(len(e_x), self.tokens, self.features).to(e_x.dtype), e_x], 1)


def check_tokens(config: Any) -> None:
    """Refuse a configuration whose ARC tasks would learn more entries than their tokens have."""
    at_least(0, config, "puzzle_tokens", "puzzle_features")
    most = config.puzzle_tokens * config.network.features
    if config.puzzle_features > most:
        raise ValueError(
            f"puzzle_features is {config.puzzle_features}; {config.puzzle_tokens} puzzle_tokens have {most} entries"
        )


def initialize(module: nn.Module) -> None:
    """Truncated normal weights with deviation 1 / sqrt(inputs) for every linear layer, 1 for every embedding (TRM).

    A layer's own `gain` scales its deviation (`gram.models.relations.linear`).
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            std = getattr(part, "gain", 1) / math.sqrt(part.in_features)
            if std:
                nn.init.trunc_normal_(part.weight, std=std, a=-2 * std, b=2 * std)
            else:
                nn.init.zeros_(part.weight)
        elif isinstance(part, nn.Embedding):
            nn.init.trunc_normal_(part.weight, std=1, a=-2, b=2)


def expand(z0: Tensor, like: Tensor) -> Tensor:
    """The initial vector z0 at every position, and symbol, of every row of `like` [batch, position, feature]."""
    # In memory of its own: how a state lies there decides, on some processors, the last bit of what follows from it.
    return z0.repeat(like.shape[-1] // len(z0)).expand(like.shape).float().contiguous()


def draw_z0(features: int) -> Tensor:
    """A fixed initial state [feature] from N(0, I), truncated at 2; a buffer, so that the checkpoint stores it."""
    return nn.init.trunc_normal_(torch.empty(features), std=1, a=-2, b=2)
