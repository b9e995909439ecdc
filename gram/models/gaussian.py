"""Diagonal Gaussians: the guidance of a transition, its prior and posterior heads, and the KL between them.

Source: GRAM eq. 5 to 8 and 12; KL balancing from DreamerV2 (Hafner et al. 2021), named here by who gets the gradient.
Everything is computed in float32, also under bf16 autocast: a KL of 1e-4 nats per token decides between the regimes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import e, log

import torch
from torch import Tensor, nn

from gram.models.blocks import SwiGLU

LOG_SIGMA = (-6.0, 1.0)  # clamp: exp(-6) is as good as deterministic, e as good as lost
SIGMA_START = 0.1


@dataclass(frozen=True)
class Gaussian:
    """N(mean, exp(log_sigma)^2), independent in every entry of [batch, position, feature]."""

    mean: Tensor
    log_sigma: Tensor

    @property
    def sigma(self) -> Tensor:
        """Standard deviation."""
        return self.log_sigma.exp()

    def sample(self, noise: Tensor) -> Tensor:
        """mean + sigma * noise, where noise is standard normal: the reparametrized draw."""
        return self.mean + self.sigma * noise

    def first(self, rows: int) -> Gaussian:
        """That of the first rows; itself if it has no more."""
        return self if rows == len(self.mean) else Gaussian(self.mean[:rows], self.log_sigma[:rows])

    def before(self, other: Gaussian) -> Gaussian:
        """This one in its rows, which come first, and `other` in the rows beyond; itself if there are none."""
        rows = len(self.mean)
        if rows == len(other.mean):
            return self
        pairs = ((self.mean, other.mean), (self.log_sigma, other.log_sigma))
        return Gaussian(*(torch.cat([own, others[rows:]]) for own, others in pairs))

    def detach(self) -> Gaussian:
        """The same distribution, cut from the graph."""
        return Gaussian(self.mean.detach(), self.log_sigma.detach())


def kl(q: Gaussian, p: Gaussian) -> Tensor:
    """KL(q || p) [batch, position], summed over features, in nats.

    Raises:
        ValueError: shapes differ; the message shows both.
    Source: Kingma & Welling 2014, Appendix B, for a general p.
    """
    if q.mean.shape != p.mean.shape:
        raise ValueError(f"q has shape {tuple(q.mean.shape)} and p {tuple(p.mean.shape)}; KL needs equal shapes")
    ratio = 2 * (q.log_sigma - p.log_sigma)
    distance = ((q.mean - p.mean) * (-p.log_sigma).exp()).square()
    return 0.5 * (ratio.exp() + distance - 1 - ratio).sum(-1)


class GaussianHead(nn.Module):
    """One SwiGLU per parameter: [batch, position, feature] -> Gaussian over [batch, position, feature].

    With shared symbols there are that many features of each, and each symbol is read by itself.

    The output layers start at zero, so that guidance begins as N(0, 0.1^2) whatever the state. For the ablations of
    Table 3b a head can do without its mean (then 0) or without its deviation (then 1). Both can be capped; `mean_cap` 0
    leaves the mean free.
    """

    def __init__(
        self, inputs: int, hidden: int, features: int, mean: bool = True, deviation: bool = True,
        *, symbols: int = 1, sigma_cap: float = e, mean_cap: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.features, self.symbols, self.mean_cap = features, symbols, mean_cap
        self.limits = (LOG_SIGMA[0], log(sigma_cap))
        self.mean = SwiGLU(inputs, hidden, features) if mean else None
        self.log_sigma = SwiGLU(inputs, hidden, features) if deviation else None

    def zero_init(self) -> None:
        """Zero the output layers; called after the general initialization."""
        for part in (self.mean, self.log_sigma):
            if part is not None:
                nn.init.zeros_(part.down.weight)

    def forward(self, *states: Tensor) -> Gaussian:
        """From states [batch, position, feature], concatenated symbol by symbol."""
        if self.symbols > 1:
            states = tuple(state.unflatten(-1, (self.symbols, -1)) for state in states)
        x = torch.cat(states, -1) if len(states) > 1 else states[0]
        nothing = torch.zeros(*x.shape[:-1], self.features, device=x.device)
        mean = nothing if self.mean is None else self.mean(x).float()
        if self.mean_cap:
            mean = self.mean_cap * torch.tanh(mean / self.mean_cap)
        if self.log_sigma is None:
            log_sigma = nothing
        else:
            log_sigma = torch.clamp(self.log_sigma(x).float() + log(SIGMA_START), *self.limits)
        if self.symbols > 1:
            mean, log_sigma = mean.flatten(-2), log_sigma.flatten(-2)
        return Gaussian(mean, log_sigma)
