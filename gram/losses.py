"""The terms of the objective, one number per example each, and their weighted sum.

Source: GRAM eq. 12 (surrogate objective): per supervision step, the cross-entropy of the target under the state after
the last transition, plus beta times the KL of that transition's guidance.

Units: cross-entropy and KL are nats *per token* (means over positions; the KL summed over features). The paper's beta
for queens, read as a KL summed over tokens, is beta = 4.5 here (0.07 x 64); see docs/training.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from gram.models.base import Transition
from gram.models.gaussian import kl
from gram.tasks.base import PAD


def token(logits: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of the target [batch, position] under the logits, mean over positions [batch], nats per token.

    Positions whose target is padding (a small ARC grid on its canvas) are left out, as in HRM.
    """
    total = F.cross_entropy(logits.transpose(1, 2), y, ignore_index=PAD, reduction="none").sum(1)
    return total / (y != PAD).sum(1).clamp(min=1)


def guidance(transition: Transition) -> dict[str, Tensor]:
    """Both halves of the balanced KL, each [batch] in nats per token, equal in value, named by who gets the gradient.

    `kl_prior` = KL(sg(q) || p) pulls the prior to the posterior; `kl_posterior` = KL(q || sg(p)) pulls it back.

    Raises:
        ValueError: the transition has no posterior (a deterministic model, or a step without target).
    """
    q, p = transition.posterior, transition.prior
    if q is None or p is None:
        raise ValueError("this transition has no posterior; pass y to Model.step of a stochastic model")
    return {"kl_prior": kl(q.detach(), p).mean(1), "kl_posterior": kl(q, p.detach()).mean(1)}


def belief(logit: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy [batch] of a head's logit against a target in [0, 1], in nats."""
    return F.binary_cross_entropy_with_logits(logit, target.float(), reduction="none")


def total(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The weighted sum of the batch means, a scalar.

    Raises:
        KeyError: a loss without a weight.
        ValueError: a loss that is not one number per example.
    """
    for name, loss in losses.items():
        if loss.ndim != 1:
            raise ValueError(f"loss {name!r} has shape {tuple(loss.shape)}; a loss is one number per example")
    return torch.stack([weights[name] * loss.mean() for name, loss in losses.items()]).sum()
