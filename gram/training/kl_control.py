"""What the posterior pays for what it tells: the weights of the two halves of the KL, fixed or finding themselves.

A nat that the posterior puts into one position saves at most a nat of that position's cross-entropy in the transition
that is charged. So at a charge of 1 or more the latent stays silent, and well below it the posterior dictates the board
and the recursion need not reason. Rather than look for the narrow band between, we say how much may be told, enough to
choose between solutions and too little to dictate one, and let the charge find itself (a capacity constraint, as in
GECO, Rezende & Viola 2018).

Where there is no puzzle, a whole board must be told, and when it is told counts. Under one charge for all supervision
steps the first of them tells nearly everything, as what is told early serves all later ones, and no unimodal prior can
follow. `kl_apart` gives each supervision step a charge of its own, so that all tell about as much: little by little, as
in diffusion. What is told must begin loud, or the recursion never learns to listen (`kl_start`); and a late step, which
has nothing left to tell, must not get its charge for nothing (`kl_floor`). Measured in docs/training.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

if TYPE_CHECKING:
    from gram.config import TrainConfig

LEAST, MOST = 0.01, 100.0
FLOOR_START = 0.1  # of the least charge, where it rises to `kl_floor`
SETTLED = 0.6  # share of the optimizer steps after which the target and the least charge stand still


class Charge:
    """Weights of the two halves of the KL.

    Attributes:
        values: the posterior's charge, one number for all supervision steps or one for each.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.values: NDArray[np.float64] = np.full(config.supervision_steps if config.kl_apart else 1, config.kl_weight)

    @property
    def prior(self) -> float:
        """Weight of KL(sg(q) || p), which moves the prior."""
        config = self.config
        return config.kl_weight if config.kl_target else config.kl_weight * config.kl_balance

    def posterior(self, age: Tensor) -> Tensor:
        """Weights [row] of KL(q || sg(p)), which moves the posterior, in the supervision steps `age` [row], from 1."""
        if not self.config.kl_target:
            return torch.full(age.shape, self.config.kl_weight * (1 - self.config.kl_balance), device=age.device)
        charges = torch.as_tensor(self.values, dtype=torch.float32, device=age.device)
        return charges[(age.long() - 1) if self.config.kl_apart else torch.zeros_like(age, dtype=torch.long)]

    def target(self, step: int) -> float:
        """Nats per token that may be told in a charged transition after so many optimizer steps."""
        config = self.config
        return self._between(config.kl_start, config.kl_target, step) if config.kl_start else config.kl_target

    def least(self, step: int) -> float:
        """The least charge after so many optimizer steps."""
        return self._between(FLOOR_START, self.config.kl_floor, step) if self.config.kl_floor else LEAST

    def adapt(self, age: NDArray[np.integer], told: NDArray[np.floating], step: int) -> None:
        """Change the charges after an optimizer step in which rows told so many nats per token.

        Args:
            age: [row] supervision steps of the rows, from 1.
            told: [row] their KL.
            step: optimizer steps so far.
        """
        config = self.config
        if not config.kl_target or step < config.kl_hold:
            return
        which = age - 1 if config.kl_apart else np.zeros(len(age), dtype=int)
        rows = np.bincount(which, minlength=len(self.values))
        mean = np.bincount(which, told, minlength=len(self.values)) / np.maximum(rows, 1)
        way = np.clip(mean / self.target(step) - 1, -1, 1)
        changed = np.clip(self.values * np.exp(config.kl_rate * way), self.least(step), MOST)
        self.values = np.where(rows > 0, changed, self.values)

    def restore(self, values: ArrayLike) -> None:
        """Go back to saved charges; one number is that of all supervision steps."""
        self.values = np.broadcast_to(np.asarray(values, dtype=np.float64), self.values.shape).copy()

    def _between(self, first: float, last: float, step: int) -> float:
        """Geometrically from `first` to `last` in the first part of the run."""
        way = min(1.0, step / (SETTLED * self.config.steps))
        return float(first ** (1 - way) * last**way)
