"""Where chance enters a trajectory at inference, and the streams of numbers that it is drawn from.

GRAM throws a die in every transition, and `noise` scales it. The others need no training and give any model many
trajectories:

    perturb         z <- z + eps, eps ~ N(0, perturb^2), before every supervision step
    random_start    z0 drawn anew for each trajectory
    temperature     answer ~ softmax(logits / temperature) in the place of the most probable one

Sources: `perturb` is PTRM (Sghaier, Parviz & Jolicoeur-Martineau 2026, arXiv 2605.19943, Section 4), where z is the
latent of TRM that is not decoded: `l` here, and h in a model without low-level steps. (Of two public reproductions one
perturbs that and one the other; the states have unit root mean square, so a sigma of 0.2 to 1 means what it does
there.) PTRM chooses among trajectories by the halting head: `gram.evaluation.select`, `halt`. The other two are "TRM with random
initial state" and "TRM with stochastic decoder" of GRAM's Table 3b. Where that is silent: a random z0 is, like the
stored one, a vector for h and one for l, the same at every position (with shared symbols one for each symbol and
position, else a network that treats them alike could not tell them apart); and the decoder's die is thrown once per
trajectory (Gumbel-max), so that an answer changes only when the logits do, and no answer depends on what is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from gram.models import Model, Readout, State

Key = tuple[int, ...]
"""Whose numbers: seed, puzzle, trajectory."""
START, DECODER = 1, 2  # further streams of a trajectory, beside that of its guidance


def stream(key: Sequence[int]) -> torch.Generator:
    """A generator that depends on the whole key and on nothing else."""
    seed = int(np.random.SeedSequence(list(key)).generate_state(1, np.uint64)[0])
    return torch.Generator().manual_seed(seed)


class Streams:
    """Standard normal noise, one independent stream per row.

    Args:
        keys: one per row.
        scale: factor on the noise when it is called; 1 as trained, 0 follows the mean of the guidance.
    """

    def __init__(self, keys: Sequence[Key], scale: float = 1.0) -> None:
        self.scale = scale
        self.generators = [stream(key) for key in keys]

    def normal(self, like: Tensor) -> Tensor:
        """The next numbers, of the shape and device of `like`, in float32, without the factor."""
        drawn = torch.empty(like.shape, dtype=torch.float32)
        for row, generator in zip(drawn, self.generators, strict=True):
            row.normal_(generator=generator)
        return drawn.to(like.device)

    def __call__(self, like: Tensor) -> Tensor:
        return self.normal(like) * self.scale


@dataclass(frozen=True)
class Chance:
    """How chance enters; by default only as the model has learned it.

    Attributes:
        noise: factor on the deviation of the guidance.
        perturb: deviation of the noise on the latent.
        random_start: whether each trajectory draws its own z0.
        temperature: of the decoder; 0 gives the most probable answer.
    """

    noise: float = 1.0
    perturb: float = 0.0
    random_start: bool = False
    temperature: float = 0.0

    def divides(self, model: Model) -> bool:
        """Whether trajectories of one puzzle can differ."""
        return model.stochastic or bool(self.perturb or self.random_start or self.temperature)

    @property
    def name(self) -> str:
        """What is not as trained, in words; empty for nothing."""
        told = [f"perturb={self.perturb:g}"] if self.perturb else []
        told += ["random start"] if self.random_start else []
        return ", ".join(told + ([f"temperature={self.temperature:g}"] if self.temperature else []))

    def streams(self, keys: Sequence[Key]) -> Streams:
        """The noise of some rows."""
        return Streams(keys, self.noise)

    def start(self, model: Model, state: State, keys: Sequence[Key]) -> State:
        """The initial state of some rows."""
        if not self.random_start:
            return state
        alike = model.config.network.shared  # only numbers of their own part symbols and places that are treated alike
        z0 = torch.empty(2, len(keys), state.h.shape[1] if alike else 1, state.h.shape[-1])
        for row, key in enumerate(keys):
            nn.init.trunc_normal_(z0[:, row], std=1, a=-2, b=2, generator=stream((*key, START)))
        h, l = (part.expand(state.h.shape).to(state.h) for part in z0)
        return replace(state, h=h, l=l)

    def disturb(self, model: Model, state: State, streams: Streams) -> State:
        """The state from which a supervision step begins."""
        if not self.perturb:
            return state
        if not model.low_steps:
            return replace(state, h=state.h + self.perturb * streams.normal(state.h))
        return replace(state, l=state.l + self.perturb * streams.normal(state.l))

    def answer(self, readout: Readout, keys: Sequence[Key]) -> Tensor:
        """Tokens [row, position] of the answers that some rows show."""
        if not self.temperature:
            return readout.tokens
        logits = readout.logits
        gumbel = torch.empty(logits.shape)
        for row, key in zip(gumbel, keys, strict=True):
            row.exponential_(generator=stream((*key, DECODER))).log_().neg_()
        return (logits.float() / self.temperature + gumbel.to(logits.device)).argmax(-1)
