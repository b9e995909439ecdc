"""Diagonal Gaussians: the KL against a reference, and what the heads promise."""

from __future__ import annotations

from math import log

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from gram.models.gaussian import LOG_SIGMA, SIGMA_START, Gaussian, GaussianHead, kl

SHAPE = (3, 5, 7)


def random_gaussian(seed: int) -> Gaussian:
    generator = torch.Generator().manual_seed(seed)
    mean, log_sigma = torch.randn(2, *SHAPE, generator=generator, dtype=torch.float64)
    return Gaussian(mean, log_sigma)


def test_kl_equals_torchs_summed_over_features() -> None:
    q, p = random_gaussian(0), random_gaussian(1)
    reference = kl_divergence(Independent(Normal(q.mean, q.sigma), 1), Independent(Normal(p.mean, p.sigma), 1))
    assert reference.shape == SHAPE[:2]
    torch.testing.assert_close(kl(q, p), reference)


def test_kl_is_zero_at_equality_and_positive_elsewhere() -> None:
    q, p = random_gaussian(0), random_gaussian(1)
    assert (kl(q, q) == 0).all()
    assert (kl(q, p) > 0).all()


def test_kl_of_shifted_means_is_half_the_squared_distance_in_deviations() -> None:
    p = Gaussian(torch.zeros(1, 1, 1), torch.full((1, 1, 1), log(0.1)))
    q = Gaussian(torch.full((1, 1, 1), 0.3), p.log_sigma)  # three deviations away
    torch.testing.assert_close(kl(q, p), torch.tensor([[4.5]]))


def test_kl_stays_finite_at_the_clamps() -> None:
    narrow, wide = (Gaussian(torch.zeros(SHAPE), torch.full(SHAPE, edge)) for edge in LOG_SIGMA)
    assert kl(narrow, wide).isfinite().all()
    assert kl(wide, narrow).isfinite().all()


def test_kl_of_unequal_shapes_is_refused_with_both_shapes() -> None:
    small = Gaussian(torch.zeros(2, 3, 4), torch.zeros(2, 3, 4))
    with pytest.raises(ValueError, match=r"\(2, 3, 4\).*\(3, 5, 7\)"):
        kl(small, Gaussian(torch.zeros(SHAPE), torch.zeros(SHAPE)))


def test_sample_is_the_reparametrized_draw() -> None:
    q, noise = random_gaussian(0), torch.ones(SHAPE, dtype=torch.float64)
    torch.testing.assert_close(q.sample(noise), q.mean + q.log_sigma.exp())
    assert torch.equal(q.sample(torch.zeros_like(noise)), q.mean)


def test_detach_cuts_both_parameters() -> None:
    leaf = torch.zeros(SHAPE, requires_grad=True)
    cut = Gaussian(leaf * 1, leaf * 2).detach()
    assert not cut.mean.requires_grad
    assert not cut.log_sigma.requires_grad


def test_a_head_at_rest_says_zero_mean_and_the_starting_deviation_whatever_it_reads() -> None:
    head = GaussianHead(4, 8, 7)
    head.zero_init()
    said = head(torch.randn(3, 5, 4))
    assert (said.mean == 0).all()
    torch.testing.assert_close(said.sigma, torch.full(SHAPE, SIGMA_START))


def test_a_heads_log_sigma_is_clamped_on_both_sides() -> None:
    torch.manual_seed(0)
    head = GaussianHead(4, 8, 7)
    said = head(torch.randn(3, 5, 4) * 1e3)
    assert said.log_sigma.min() == LOG_SIGMA[0]
    assert said.log_sigma.max() == LOG_SIGMA[1]


def test_a_head_answers_in_float32_under_autocast() -> None:
    head = GaussianHead(4, 8, 7)
    with torch.autocast("cpu", torch.bfloat16):
        said = head(torch.randn(3, 5, 4))
    assert said.mean.dtype == said.log_sigma.dtype == torch.float32
