"""D3PM, discrete diffusion: a board of noise becomes an answer in T steps t -> t - 1. GRAM, Table 9.

Source: Austin et al. 2021, "Structured Denoising Diffusion Models in Discrete State-Spaces" (arXiv 2107.03006):

    q(x_t | x_0)  = Cat(x_0 Qbar_t),   Qbar_t = a_t I + (1 - a_t) 1 pi                                        (eq. 3)
    q(x_{t-1} | x_t, x_0)  ~  (x_t Q_t^T) * (x_0 Qbar_{t-1})                                                  (eq. 3)
    p(x_{t-1} | x_t)  ~  (x_t Q_t^T) * (p(x_0 | x_t) Qbar_{t-1})            the network predicts x_0          (eq. 4)
    loss = sum over t of KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)) + auxiliary * -log p(x_0 | x_t)        (eq. 5)

`uniform`: pi is uniform over the tokens that an answer can hold, and a_t follows the cosine schedule (Nichol & Dhariwal
2021, as there). `absorbing`: pi is the mask, here the padding token, and a_t = 1 - t/T. Either way a_T = 0, so x_T is
pure noise and the bound has no term for it. The sum over t is estimated by one t per example, times T.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gram.board import Board
from gram.models.base import Noise, State, Transition, Watch, initialize
from gram.models.blocks import Network, at_least
from gram.models.token_model import TokenModel, TokenModelConfig, TokenReadout, TokenState, choose, per_token, uniform
from gram.tasks.base import PAD

TINY = 1e-30  # below every probability that matters; its logarithm is finite
COSINE_OFFSET = 0.008  # Nichol & Dhariwal 2021


@dataclass(frozen=True)
class D3PMConfig(TokenModelConfig):
    """Shape of a D3PM.

    Attributes:
        diffusion: what noise is: `uniform` tokens, or `absorbing`, masks.
        diffusion_steps: T.
        auxiliary: weight of the cross-entropy of x_0 beside the bound, both in nats per token.
    """

    diffusion: Literal["uniform", "absorbing"] = "uniform"
    diffusion_steps: int = 32
    auxiliary: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, self, "diffusion_steps")
        if not self.auxiliary >= 0:
            raise ValueError(f"auxiliary is {self.auxiliary}; it must be 0 (the bound alone) or more")


class D3PM(TokenModel):
    """Draws x_T, then x_{T-1}, down to x_0."""

    name: ClassVar[str] = "d3pm"
    Config: ClassVar[type] = D3PMConfig
    levels: ClassVar[tuple[str, ...]] = ("Denoising step", "Pass", "Layer")
    config: D3PMConfig
    back: Tensor
    through: Tensor

    def __init__(self, config: D3PMConfig, board: Board, identifiers: int = 0) -> None:
        super().__init__(config, board, identifiers)
        size = config.network
        self.low_steps = size.blocks
        self.embed_time = nn.Embedding(config.diffusion_steps + 1, size.features)
        self.layers = Network(size, self.layout)
        initialize(self)
        one, through = transitions(config.diffusion, config.diffusion_steps, self.answers)
        self.register_buffer("back", one.mT.contiguous(), persistent=False)  # Q_t^T [time, token, token before]
        self.register_buffer("through", through, persistent=False)  # Qbar_t [time, token at 0, token at t]

    @property
    def weights(self) -> dict[str, float]:
        return {"bound": 1.0, "token": self.config.auxiliary}

    def init(self, x: Tensor, identifier: Tensor | None = None) -> TokenState:
        time = torch.full((len(x),), self.config.diffusion_steps, device=x.device)
        return self.blank_board(x, self.embed(x, identifier), time)

    def step(
        self, state: State, noise: Noise, y: Tensor | None = None, watch: Watch | None = None
    ) -> tuple[TokenState, Transition]:
        assert isinstance(state, TokenState)
        time, goes_on = state.time, (state.time > 0)[:, None]
        thrown, drawn = noise(state.tokens), noise(self.known(state.tokens))
        tokens = torch.where(
            state.free & (time == self.config.diffusion_steps)[:, None], self.noise(thrown), state.tokens
        )
        h = torch.where(goes_on[..., None], self.read(state.e_x, tokens, time, state.graph, watch), state.h)
        before = self.posterior(tokens, self.predict(h, state.graph).exp(), time.clamp(min=1))
        tokens = torch.where(state.free & goes_on, choose(before.clamp(min=TINY).log(), drawn), tokens)
        return replace(state, h=h, l=h, tokens=tokens, time=(time - 1).clamp(min=0)), Transition(h)

    def noise(self, thrown: Tensor) -> Tensor:
        """x_T [batch, position] from standard normal noise of that shape."""
        if self.config.diffusion == "absorbing":
            return torch.full_like(thrown, PAD, dtype=torch.int64)
        (choices,) = self.answers.nonzero(as_tuple=True)
        return choices[(uniform(thrown) * len(choices)).long().clamp(max=len(choices) - 1)]

    def read(
        self, e_x: Tensor, tokens: Tensor, time: Tensor, graph: Tensor | None = None, watch: Watch | None = None
    ) -> Tensor:
        """States h [batch, position, feature] of the boards x_t at the times t [batch]."""
        e = e_x + self.written(tokens) + self.embed_time(time).repeat(1, self.layout.symbols)[:, None]
        return self.layers(e * 3**-0.5, watch, graph).float()

    def posterior(self, tokens: Tensor, answer: Tensor, time: Tensor) -> Tensor:
        """q(x_{t-1} | x_t, x_0) [batch, position, token], x_0 given by its probabilities (eq. 3, and eq. 4 for p).

        Args:
            tokens: x_t [batch, position].
            answer: [batch, position, token]; one-hot if x_0 is known.
            time: t [batch], from 1.
        """
        likely = self.back[time[:, None], tokens] * (answer @ self.through[time - 1])
        return likely / likely.sum(-1, keepdim=True).clamp(min=TINY)

    def decode(self, state: State) -> TokenReadout:
        """What the network expects at x_0; a mask that was lifted, and what is given, are certain."""
        assert isinstance(state, TokenState)
        certain = ~state.free
        if self.config.diffusion == "absorbing":
            certain = certain | (state.tokens != PAD)
        return self.show(
            state, torch.where(certain[..., None], self.known(state.tokens), self.predict(state.h, state.graph))
        )

    def loss(self, x: Tensor, y: Tensor, identifier: Tensor | None, noise: Noise) -> dict[str, Tensor]:
        e_x = self.embed(x, identifier)
        T = self.config.diffusion_steps
        time = 1 + (uniform(noise(e_x[:, 0, 0])) * T).long().clamp(max=T - 1)
        free = self.blank[x]
        y = torch.where(free, y, x)
        drawn = choose(self.through[time[:, None], y].clamp(min=TINY).log(), noise(self.known(y)))
        counted = free & (y != PAD)
        bound, token = self.nats(e_x, y, torch.where(counted, drawn, y), time, self.relate(x))
        return {"bound": per_token(T * bound * counted, y), "token": per_token(token * counted, y)}

    def nats(
        self, e_x: Tensor, y: Tensor, tokens: Tensor, time: Tensor, graph: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)) and -log p(x_0 | x_t), each [batch, position]."""
        predicted = self.predict(self.read(e_x, tokens, time, graph), graph)
        q = self.posterior(tokens, F.one_hot(y, len(self.answers)).float(), time)
        p = self.posterior(tokens, predicted.exp(), time)
        apart = torch.xlogy(q, q) - q * p.clamp(min=TINY).log()
        return apart.sum(-1), -predicted.gather(-1, y[..., None])[..., 0]


def transitions(diffusion: str, steps: int, answers: Tensor) -> tuple[Tensor, Tensor]:
    """Q_t and Qbar_t for t = 0 to `steps`, each [time, token before, token after], rows that sum to 1.

    Args:
        answers: [token], true for those that an answer can hold; the others stay what they are.
    """
    t = np.arange(steps + 1) / steps
    if diffusion == "absorbing":
        kept = 1 - t
        goal = torch.zeros(len(answers), dtype=torch.float64)
        goal[PAD] = 1
    else:
        kept = np.cos((t + COSINE_OFFSET) / (1 + COSINE_OFFSET) * np.pi / 2) ** 2
        kept = kept / kept[0]
        goal = answers.double() / answers.sum()
    kept[-1] = 0  # but for rounding

    def mixed(share: np.ndarray) -> Tensor:
        a = torch.from_numpy(share)[:, None, None]
        stays = torch.eye(len(answers), dtype=torch.float64)
        return torch.where(answers[:, None], a * stays + (1 - a) * goal, stays).float()

    return mixed(np.append(1.0, kept[1:] / kept[:-1])), mixed(kept)
