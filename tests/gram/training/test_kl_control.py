"""The KL weights: fixed, adapting to one rate, or each supervision step to its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from gram.config import ConfigError, TrainConfig
from gram.training.kl_control import KLController


def controller(values: float | list[float] | None = None, **settings: Any) -> KLController:
    made = KLController(TrainConfig(**{"supervision_steps": 4, "kl_rate": 0.1, "steps": 100} | settings))
    if values is not None:
        made.restore(values)
    return made


def after(made: KLController, rate: list[float], step: int, age: list[int] | None = None) -> list[float]:
    made.update(np.array(age or [1] * len(rate)), np.array(rate), step)
    return made.values.tolist()


AGES = torch.arange(1, 5)


class TestFixed:
    def test_the_halves_share_beta(self) -> None:
        fixed = controller(kl_weight=3.0, kl_balance=0.7)
        assert fixed.prior == pytest.approx(3 * 0.7)
        assert fixed.posterior(AGES) == pytest.approx([3 * 0.3] * 4)

    def test_nothing_adapts(self) -> None:
        fixed = controller(kl_weight=3.0)
        assert after(fixed, [1e9], 50) == [3.0]
        assert fixed.posterior(AGES) == pytest.approx([3 * 0.2] * 4)


class TestOneWeight:
    def test_the_prior_has_weight_beta_and_the_posterior_what_adapted(self) -> None:
        made = controller(0.25, kl_weight=3.0, kl_balance=0.7, kl_target=0.01)
        assert made.prior == 3.0  # the balance is not used
        assert made.posterior(AGES).tolist() == [0.25] * 4

    def test_it_keeps_its_value_at_the_target_rises_above_and_falls_below(self) -> None:
        def one(start: float, rate: list[float], step: int = 5) -> float:
            return after(controller(start, kl_target=0.02, kl_warmup_steps=5), rate, step)[0]

        assert one(2.0, [0.02]) == pytest.approx(2.0)
        assert one(2.0, [0.01, 0.05]) == pytest.approx(2.0 * np.exp(0.1 * 0.5))  # their mean counts
        assert one(2.0, [0.01]) == pytest.approx(2.0 * np.exp(-0.1 * 0.5))
        assert one(2.0, [1e9]) == pytest.approx(2.0 * np.exp(0.1))  # never faster than its rate
        assert one(2.0, [1e9], step=4) == 2.0  # held
        assert (one(100.0, [1e9]), one(0.01, [0.0])) == (100.0, 0.01)


class TestApart:
    def test_each_supervision_step_follows_its_own_rate(self) -> None:
        made = controller(1.0, kl_target=0.1, kl_per_step=True)
        got = after(made, [0.2, 0.2, 0.05, 0.1], 5, age=[1, 1, 2, 4])
        assert got == pytest.approx([np.exp(0.1), np.exp(-0.05), 1.0, 1.0])  # none of the rows was at its third step
        assert made.posterior(torch.tensor([2, 1])).numpy() == pytest.approx([got[1], got[0]])

    def test_one_saved_number_is_that_of_all(self) -> None:
        made = controller(0.5, kl_target=0.1, kl_per_step=True)
        assert made.values.tolist() == [0.5] * 4
        made.restore([1.0, 2.0, 3.0, 4.0])
        assert controller(made.values.tolist(), kl_target=0.1, kl_per_step=True).values.tolist() == [1.0, 2.0, 3.0, 4.0]


class TestSchedule:
    def test_target_and_minimum_go_geometrically_to_their_ends_and_stay(self) -> None:
        made = controller(kl_target=0.1, kl_target_init=0.4, kl_weight_min=0.4)
        assert [made.target(step) for step in (0, 30, 60, 100)] == pytest.approx([0.4, 0.2, 0.1, 0.1])
        assert [made.minimum(step) for step in (0, 30, 60, 100)] == pytest.approx([0.1, 0.2, 0.4, 0.4])

    def test_without_them_both_are_constant(self) -> None:
        made = controller(kl_target=0.1)
        assert {made.target(step) for step in (0, 50, 100)} == {0.1}
        assert {made.minimum(step) for step in (0, 50, 100)} == {0.01}

    def test_a_step_without_information_keeps_the_least_weight(self) -> None:
        made = controller(0.3, kl_target=0.1, kl_weight_min=0.5, kl_per_step=True)
        for step in range(100):
            after(made, [0.0, 0.1], step, age=[1, 2])
        assert made.values[0] == pytest.approx(0.5)
        assert made.values[1] >= 0.5

    @pytest.mark.parametrize("setting", [{"kl_per_step": True}, {"kl_target_init": 0.4}, {"kl_weight_min": 0.5}])
    def test_they_need_a_target(self, setting: dict[str, Any]) -> None:
        with pytest.raises(ConfigError, match="set kl_target"):
            TrainConfig(**setting)


class TestBound:
    """A floor makes the target an upper bound: the weight cannot fall without end, as it did in runs that ran away."""

    def test_a_rate_below_the_target_does_not_lower_the_weight_below_its_minimum(self) -> None:
        made = controller(1.0, kl_target=0.06, kl_weight_min=0.3, kl_weight_min_init=0.3)
        lowest = min(after(made, [0.001], step)[0] for step in range(300))
        assert lowest == pytest.approx(0.3)

    def test_a_rate_above_the_target_raises_it_up_to_the_maximum(self) -> None:
        made = controller(1.0, kl_target=0.06, kl_weight_min=0.3, kl_weight_min_init=0.3)
        assert max(after(made, [1.0], step)[0] for step in range(300)) == pytest.approx(100)

    def test_the_target_falls_with_the_learning_rate_to_its_end(self) -> None:
        made = controller(kl_target=0.1, kl_target_end=0.2)
        assert [made.target(50, decay) for decay in (1.0, 0.5, 0.0)] == pytest.approx([0.1, 0.06, 0.02])
        assert controller(kl_target=0.1).target(50, 0.02) == pytest.approx(0.1)
