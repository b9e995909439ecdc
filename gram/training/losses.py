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
    """Both halves of the balanced KL, each in nats per token, equal in value, named by who gets the gradient.

    Both are [row] over the rows that follow the posterior, which come first in the transition.

    `kl_prior` = KL(sg(q) || p) pulls the prior to the posterior; `kl_posterior` = KL(q || sg(p)) pulls it back.

    Raises:
        ValueError: the transition has no posterior (a deterministic model, or a step without target).
    """
    q, p = transition.posterior, transition.prior
    if q is None or p is None:
        raise ValueError("this transition has no posterior; pass y to Model.step of a stochastic model")
    p = p.first(len(q.mean))
    return {"kl_prior": kl(q.detach(), p).mean(1), "kl_posterior": kl(q, p.detach()).mean(1)}


def bce_with_logits(logit: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy [batch] of a head's logit against a target in [0, 1], in nats."""
    return F.binary_cross_entropy_with_logits(logit, target.float(), reduction="none")


def q_continue(logit: Tensor, q_halt: Tensor, next_q_continue: Tensor, last: Tensor) -> Tensor:
    """Binary cross-entropy [batch] of the value of continuing against the better value at the next supervision step.

    Q-learning without a target network (HRM, Section 2): the target is max(Q_halt', Q_continue') as the head now
    estimates them, and Q_halt' where the next step is the last, since there one must halt. No gradient goes to it.

    Args:
        logit: of continuing, at a state.
        q_halt, next_q_continue: logits of halting and of continuing, at the next one.
        last: whether that is the last.
    """
    target = torch.where(last, q_halt, torch.maximum(q_halt, next_q_continue)).detach().sigmoid()
    return bce_with_logits(logit, target)


def in_hindsight(logits: Tensor, known: Tensor, uniform: Tensor) -> Tensor:
    """For each row the known solution that it is scored against [batch, position].

    Drawn with p ~ exp(log-likelihood of that solution under the row's logits), by the Gumbel-max trick: a row that has
    settled on one of several solutions is not pulled to another.

    Args:
        logits: [batch, position, token].
        known: [batch, solution, position] tokens; where a row knows fewer solutions, the others are padding throughout.
        uniform: [batch, solution] random numbers in [0, 1).
    """
    log_p = logits.detach().float().log_softmax(-1)[:, None].expand(-1, known.shape[1], -1, -1)
    likelihood = log_p.gather(3, known[..., None].long()).squeeze(3) * (known != PAD)
    gumbel = -(-uniform.clamp(min=1e-20).log()).log()
    score = torch.where((known != PAD).any(-1), likelihood.sum(-1) + gumbel, -torch.inf)
    return known[torch.arange(len(known), device=known.device), score.argmax(1)].long()


def total(losses: Mapping[str, Tensor], weights: Mapping[str, float | Tensor]) -> Tensor:
    """The sum of the weighted batch means, a scalar; a weight is a number, or one per example.

    Raises:
        KeyError: a loss without a weight.
        ValueError: a loss that is not one number per example.
    """
    for name, loss in losses.items():
        if loss.ndim != 1:
            raise ValueError(f"loss {name!r} has shape {tuple(loss.shape)}; a loss is one number per example")
    return torch.stack([(weights[name] * loss).mean() for name, loss in losses.items()]).sum()
