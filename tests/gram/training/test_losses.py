"""The terms of the objective: closed forms, one number per example, and who gets which gradient."""

from __future__ import annotations

from math import log

import pytest
import torch

from gram.models import Transition
from gram.models.gaussian import Gaussian
from gram.training import losses

SHAPE = (2, 3, 4)


def transition() -> tuple[Transition, dict[str, torch.Tensor]]:
    """A transition with posterior, and its four parameters as leaves."""
    generator = torch.Generator().manual_seed(0)
    leaves = {
        name: torch.randn(SHAPE, generator=generator).requires_grad_()
        for name in ("prior_mean", "prior_log_sigma", "posterior_mean", "posterior_log_sigma")
    }
    prior = Gaussian(leaves["prior_mean"], leaves["prior_log_sigma"])
    posterior = Gaussian(leaves["posterior_mean"], leaves["posterior_log_sigma"])
    return Transition(torch.zeros(SHAPE), prior, posterior), leaves


def test_token_loss_of_a_uniform_answer_is_log_of_the_vocabulary() -> None:
    y = torch.randint(5, (3, 7))
    torch.testing.assert_close(losses.token(torch.zeros(3, 7, 5), y), torch.full((3,), log(5)))


def test_token_loss_is_the_mean_over_positions_of_minus_log_probability() -> None:
    torch.manual_seed(0)
    logits, y = torch.randn(3, 7, 5), torch.randint(1, 5, (3, 7))
    by_hand = [-sum(logits[b, i].log_softmax(-1)[y[b, i]] for i in range(7)) / 7 for b in range(3)]
    torch.testing.assert_close(losses.token(logits, y), torch.stack(by_hand))


def test_token_loss_leaves_padding_out() -> None:
    logits, y = torch.randn(2, 7, 5), torch.randint(1, 5, (2, 7))
    y[0, 4:], y[1] = 0, 0
    torch.testing.assert_close(losses.token(logits, y)[0], losses.token(logits[:1, :4], y[:1, :4])[0])
    assert losses.token(logits, y)[1] == 0


def test_both_halves_of_the_balanced_kl_are_equal_in_value_per_token() -> None:
    given, _ = transition()
    terms = losses.guidance(given)
    reference = torch.distributions.kl_divergence(
        torch.distributions.Normal(given.posterior.mean, given.posterior.sigma),
        torch.distributions.Normal(given.prior.mean, given.prior.sigma),
    )
    for name in ("kl_prior", "kl_posterior"):
        torch.testing.assert_close(terms[name], reference.sum(-1).mean(1))  # sum over features, mean over positions


@pytest.mark.parametrize("owner", ["prior", "posterior"])
def test_the_balanced_kl_moves_only_the_distribution_that_its_name_says(owner: str) -> None:
    given, leaves = transition()
    losses.guidance(given)[f"kl_{owner}"].sum().backward()
    for name, leaf in leaves.items():
        moved = leaf.grad is not None and bool(leaf.grad.abs().sum() > 0)
        assert moved == name.startswith(f"{owner}_"), name


def test_the_two_halves_add_up_to_the_gradient_of_the_plain_kl() -> None:
    from gram.models.gaussian import kl

    given, leaves = transition()
    plain = torch.autograd.grad(kl(given.posterior, given.prior).mean(1).sum(), [*leaves.values()])
    balanced = torch.autograd.grad(sum(term.sum() for term in losses.guidance(given).values()), [*leaves.values()])
    for one, other in zip(plain, balanced, strict=True):
        torch.testing.assert_close(one, other)


def test_continuing_is_worth_the_better_choice_at_the_next_step_and_halting_at_the_last() -> None:
    """HRM, Section 2: G_continue = Q_halt' at the last step, else max(Q_halt', Q_continue')."""
    q_halt, q_continue = torch.tensor([0.9, 0.2, 0.2]), torch.tensor([0.4, 0.7, 0.7])
    right, onward = torch.logit(q_halt).requires_grad_(), torch.logit(q_continue).requires_grad_()
    logit = torch.zeros(3, requires_grad=True)
    loss = losses.q_continue(logit, right, onward, torch.tensor([False, False, True]))
    loss.sum().backward()
    assert (right.grad, onward.grad) == (None, None)
    torch.testing.assert_close(
        logit.grad, 0.5 - torch.tensor([0.9, 0.7, 0.2])
    )  # of a cross-entropy: probability - target


def test_guidance_without_a_posterior_is_refused() -> None:
    given, _ = transition()
    for lacking in (Transition(given.u), Transition(given.u, given.prior)):
        with pytest.raises(ValueError, match="no posterior; pass y"):
            losses.guidance(lacking)


def test_bce_with_logits_is_binary_cross_entropy_per_example() -> None:
    logit = torch.tensor([0.0, 2.0, -2.0])
    right = torch.tensor([True, True, False])
    by_hand = torch.tensor([log(2), log(1 + 2.718281828459045**-2), log(1 + 2.718281828459045**-2)])
    torch.testing.assert_close(losses.bce_with_logits(logit, right), by_hand)


def test_total_is_the_weighted_sum_of_batch_means() -> None:
    terms = {"a": torch.tensor([1.0, 3.0]), "b": torch.tensor([10.0])}
    assert losses.total(terms, {"a": 2.0, "b": 0.5, "unused": 7.0}) == 2 * 2 + 0.5 * 10


def test_a_loss_without_a_weight_or_not_one_number_per_example_is_refused() -> None:
    with pytest.raises(KeyError, match="b"):
        losses.total({"b": torch.ones(2)}, {"a": 1.0})
    for shape in ((), (2, 3)):
        with pytest.raises(ValueError, match="one number per example"):
            losses.total({"a": torch.ones(shape)}, {"a": 1.0})
