"""Where noise enters a trajectory at inference, and the generators that it is drawn from.

GRAM samples in every transition, and `noise` scales its deviation. The others need no training and give any model many
trajectories:

    perturb         z <- z + eps, eps ~ N(0, perturb^2), before every supervision step
    random_start    z0 drawn anew for each trajectory
    temperature     tokens ~ softmax(logits / temperature) instead of the most probable ones

Sources: `perturb` is PTRM (Sghaier, Parviz & Jolicoeur-Martineau 2026, arXiv 2605.19943, Section 4), where z is the
latent of TRM that is not decoded: `l` here, and h in a model without low-level steps. (Of two public reproductions one
perturbs that and one the other; the states have unit root mean square, so a sigma of 0.2 to 1 means what it does
there.) PTRM chooses among trajectories by the halting head: `gram.evaluation.select`, `halt`. The other two are "TRM
with random initial state" and "TRM with stochastic decoder" of GRAM's Table 3b. Where that is silent: a random z0 is,
like the stored one, a vector for h and one for l, the same at every position; and the decoder's Gumbel noise is drawn
once per trajectory, so that its tokens change only when the logits do, and do not depend on what is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from gram.models import Model, Readout, State

Key = tuple[int, ...]
"""Of a row's noise: seed, puzzle, trajectory."""
START, DECODER, TANGENT, PLANE = 1, 2, 3, 4  # appended to a key: other noise of the same trajectory


def generator_for(key: Sequence[int]) -> torch.Generator:
    """A generator that depends on the whole key and on nothing else."""
    seed = int(np.random.SeedSequence(list(key)).generate_state(1, np.uint64)[0])
    return torch.Generator().manual_seed(seed)


class RowGenerators:
    """Standard normal noise, one independent generator per row.

    Args:
        keys: one per row.
        scale: factor on the noise when it is called; 1 as trained, 0 follows the mean of the guidance.

    Attributes:
        last: what the last call gave.
    """

    last: Tensor

    def __init__(self, keys: Sequence[Key], scale: float = 1.0) -> None:
        self.scale = scale
        self.generators = [generator_for(key) for key in keys]

    def normal(self, like: Tensor) -> Tensor:
        """The next numbers, of the shape and device of `like`, in float32, without the factor."""
        drawn = torch.empty(like.shape, dtype=torch.float32)
        for row, generator in zip(drawn, self.generators, strict=True):
            row.normal_(generator=generator)
        return drawn.to(like.device)

    def __call__(self, like: Tensor) -> Tensor:
        self.last = self.normal(like) * self.scale
        return self.last


@dataclass(frozen=True)
class SamplingNoise:
    """How noise enters; by default only as the model was trained.

    Attributes:
        noise: factor on the deviation of the guidance.
        perturb: deviation of the noise on the latent.
        random_start: whether each trajectory draws its own z0.
        temperature: of the decoder; 0 gives the most probable tokens.
    """

    noise: float = 1.0
    perturb: float = 0.0
    random_start: bool = False
    temperature: float = 0.0

    def is_stochastic(self, model: Model) -> bool:
        """Whether trajectories of one puzzle can differ."""
        return model.stochastic or bool(self.perturb or self.random_start or self.temperature)

    @property
    def name(self) -> str:
        """What is not as trained, in words; empty for nothing."""
        parts = [f"perturb={self.perturb:g}"] if self.perturb else []
        parts += ["random start"] if self.random_start else []
        return ", ".join(parts + ([f"temperature={self.temperature:g}"] if self.temperature else []))

    def start(self, model: Model, state: State, keys: Sequence[Key]) -> State:
        """The initial state of some rows."""
        if not self.random_start:
            return state
        # Symbols that are treated alike differ only by numbers of their own.
        apart = model.config.network.shared or getattr(model.config, "start", "vector") == "position"
        z0 = torch.empty(2, len(keys), state.h.shape[1] if apart else 1, state.h.shape[-1])
        for row, key in enumerate(keys):
            nn.init.trunc_normal_(z0[:, row], std=1, a=-2, b=2, generator=generator_for((*key, START)))
        h, l = (part.expand(state.h.shape).to(state.h) for part in z0)
        return replace(state, h=h, l=l)

    def perturb_state(self, model: Model, state: State, generators: RowGenerators) -> State:
        """The state from which a supervision step begins."""
        if not self.perturb:
            return state
        if not model.low_steps:
            return replace(state, h=state.h + self.perturb * generators.normal(state.h))
        return replace(state, l=state.l + self.perturb * generators.normal(state.l))

    def sample_tokens(self, readout: Readout, keys: Sequence[Key]) -> Tensor:
        """The answers [row, position] that some rows show."""
        if not self.temperature:
            return readout.tokens
        logits = readout.logits
        gumbel = torch.empty(logits.shape)
        for row, key in zip(gumbel, keys, strict=True):
            row.exponential_(generator=generator_for((*key, DECODER))).log_().neg_()
        return (logits.float() / self.temperature + gumbel.to(logits.device)).argmax(-1)


AS_TRAINED = SamplingNoise()
