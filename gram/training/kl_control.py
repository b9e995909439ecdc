"""The weights of the two halves of the KL: fixed, or adapted so that the information rate keeps to a target.

The rate is the KL of the posterior from the prior in a transition, in nats per token. A nat that the posterior puts
into one position saves at most a nat of that position's cross-entropy. So at a weight of 1 or more the latent carries
nothing (posterior collapse), and well below it the posterior dictates the board and the recursion need not reason
(posterior leakage). Rather than search for the narrow band between, a run states a rate that is enough to choose
between solutions and too little to dictate one, and the weight of the posterior's half adapts to it (a capacity
constraint with a dual variable, as in GECO, Rezende & Viola 2018):

    weight *= exp(kl_rate * clip(KL / target - 1, -1, 1)),  weight in [minimum, 100]

The target is an upper bound once the minimum is high enough (`kl_weight_min`, from `kl_weight_min_init` on): a good
model needs
less guidance than at the beginning, and if the weight could fall without end the posterior would be pushed to a rate
that serves nothing, sigma and the mean of the guidance would grow, and in the end the prior would fail.
`kl_target_end` lets the target fall with the learning rate.

Where there is no puzzle, the whole board must come through the guidance, and it matters when. Under one weight for all
supervision steps the first of them carries nearly everything, as it serves all later ones, and no unimodal prior can
follow. `kl_per_step` gives each supervision step a weight of its own, so that all carry about as much, as in diffusion.
The rate must begin high, or the recursion never learns to use the guidance (`kl_target_init`), and a late step, which
has nothing left to carry, must not get its weight for nothing (`kl_weight_min`). Measured in docs/training.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

if TYPE_CHECKING:
    from gram.config import TrainConfig

MIN_WEIGHT, MAX_WEIGHT = 0.01, 100.0
SETTLED = 0.6  # share of the optimizer steps after which the target and the minimum no longer change by themselves


class KLController:
    """Weights of the two halves of the KL.

    Attributes:
        values: the posterior's weight, one number for all supervision steps or one for each.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.values: NDArray[np.float64] = np.full(
            config.supervision_steps if config.kl_per_step else 1, config.kl_weight
        )

    @property
    def prior(self) -> float:
        """Weight of KL(sg(q) || p), which moves the prior."""
        config = self.config
        return config.kl_weight if config.kl_target else config.kl_weight * config.kl_balance

    def posterior(self, age: Tensor) -> Tensor:
        """Weights [row] of KL(q || sg(p)), which moves the posterior, in the supervision steps `age` [row], from 1."""
        if not self.config.kl_target:
            return torch.full(age.shape, self.config.kl_weight * (1 - self.config.kl_balance), device=age.device)
        values = torch.as_tensor(self.values, dtype=torch.float32, device=age.device)
        return values[(age.long() - 1) if self.config.kl_per_step else torch.zeros_like(age, dtype=torch.long)]

    def target(self, step: int, decay: float = 1.0) -> float:
        """Nats per token that a transition with KL may carry after N optimizer steps.

        `decay` is the learning rate as a share of that on the plateau, with which the target falls to `kl_target_end`
        of it.
        """
        config = self.config
        target = (
            self._between(config.kl_target_init, config.kl_target, step) if config.kl_target_init else config.kl_target
        )
        return target * (config.kl_target_end + (1 - config.kl_target_end) * decay)

    def minimum(self, step: int) -> float:
        """The least weight after N optimizer steps."""
        config = self.config
        return (
            self._between(config.kl_weight_min_init, config.kl_weight_min, step) if config.kl_weight_min else MIN_WEIGHT
        )

    def update(self, age: NDArray[np.integer], rate: NDArray[np.floating], step: int, decay: float = 1.0) -> None:
        """Adapt the weights after an optimizer step.

        Args:
            age: [row] supervision steps of the rows that follow the posterior, from 1.
            rate: [row] their KL, nats per token.
            step: optimizer steps so far.
            decay: see `target`.
        """
        config = self.config
        if not config.kl_target or step < config.kl_warmup_steps:
            return
        which = age - 1 if config.kl_per_step else np.zeros(len(age), dtype=int)
        rows = np.bincount(which, minlength=len(self.values))
        mean = np.bincount(which, rate, minlength=len(self.values)) / np.maximum(rows, 1)
        change = np.clip(mean / self.target(step, decay) - 1, -1, 1)
        changed = np.clip(self.values * np.exp(config.kl_rate * change), self.minimum(step), MAX_WEIGHT)
        self.values = np.where(rows > 0, changed, self.values)

    def restore(self, values: ArrayLike) -> None:
        """Go back to saved weights; one number is that of all supervision steps."""
        self.values = np.broadcast_to(np.asarray(values, dtype=np.float64), self.values.shape).copy()

    def _between(self, first: float, last: float, step: int) -> float:
        """Geometrically from `first` to `last` in the first part of the run."""
        way = min(1.0, step / (SETTLED * self.config.steps))
        return float(first ** (1 - way) * last**way)
