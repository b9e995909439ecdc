"""The terms of the objective, one number per example each, and their weighted sum.

Source: GRAM eq. 12 (surrogate objective): per supervision step, the cross-entropy of the target under the state after
the last transition, plus beta times the KL of that transition's guidance.

Units: cross-entropy and KL are nats *per token* (means over positions; the KL summed over features). The paper's beta
for queens, read as a KL summed over tokens, is beta = 4.5 here (0.07 x 64); see docs/training.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from gram.models.base import Transition
from gram.models.gaussian import kl
from gram.tasks.base import PAD

if TYPE_CHECKING:
    from gram.config import TrainConfig

TOLD = 0.5  # share of right answers from which the posterior is said to know the target
KEPT = 0.1  # share of the posterior's right answers below which the prior is said not to
LASTING = 20  # lines after which an alarm that lasts is printed again


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


def further(logit: Tensor, right: Tensor, next_further: Tensor, last: Tensor) -> Tensor:
    """Binary cross-entropy [batch] of the value of going on against the better value at the next supervision step.

    Q-learning without a target network (HRM, Section 2): the target is max(Q_halt', Q_continue') as the head now
    estimates them, and Q_halt' where the next step is the last, since there one must halt. No gradient goes to it.

    Args:
        logit: of going on, at a state.
        right, next_further: logits of halting and of going on, at the next one.
        last: whether that is the last.
    """
    target = torch.where(last, right, torch.maximum(right, next_further)).detach().sigmoid()
    return belief(logit, target)


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


def diagnose(measured: Mapping[str, float], config: TrainConfig) -> str | None:
    """One sentence if a line of `metrics.jsonl` shows the private channel, with its figures and the knob; else None.

    The private channel: the posterior tells the answer, so that rows which see their target are right, and the prior,
    which is all that there is at inference, learns nothing. The limits are ours: of our logged runs of 8 queens and
    9x9 Sudoku they part those that failed from those that did not (docs/training.md).

    Args:
        measured: of one line; without `posterior_exact`, `prior_exact` and `kl_posterior` there is nothing to say.
        config: the run's, for the knob and its present value.
    """
    names = ("posterior_exact", "prior_exact", "kl_posterior")
    if not all(name in measured for name in names):
        return None
    posterior, prior, kl_token = (measured[name] for name in names)
    if posterior < TOLD or prior >= KEPT * posterior:
        return None
    if config.uncharged == "posterior":
        cure = "set train.uncharged=prior, so that no transition is free"
    elif config.kl_target:
        cure = f"lower train.kl_target (now {config.kl_target:g})"
    else:
        cure = f"raise train.kl_weight (now {config.kl_weight:g}), or fix the amount with train.kl_target=0.02"
    return (
        f"private channel: the posterior is right in {posterior:.2f} of its rows and the prior in {prior:.2f}, at a KL "
        f"of {kl_token:.3g} nats per token; {cure}"
    )


def due(lines: int, told: bool) -> bool:
    """Whether to print a warning that has now stood in so many lines in a row: once in a run, and while it lasts."""
    return lines > 0 and ((lines == 1 and not told) or lines % LASTING == 0)
