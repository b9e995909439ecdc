"""What the posterior pays: fixed, adapting to one amount, or to an amount of each supervision step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from gram.config import ConfigError, TrainConfig
from gram.training.kl_control import Charge


def charge(values: float | list[float] | None = None, **settings: Any) -> Charge:
    made = Charge(TrainConfig(**{"supervision_steps": 4, "kl_rate": 0.1, "steps": 100} | settings))
    if values is not None:
        made.restore(values)
    return made


def after(made: Charge, told: list[float], step: int, age: list[int] | None = None) -> list[float]:
    made.adapt(np.array(age or [1] * len(told)), np.array(told), step)
    return made.values.tolist()


AGES = torch.arange(1, 5)


class TestFixed:
    def test_the_halves_share_beta(self) -> None:
        fixed = charge(kl_weight=3.0, kl_balance=0.7)
        assert fixed.prior == pytest.approx(3 * 0.7)
        assert fixed.posterior(AGES) == pytest.approx([3 * 0.3] * 4)

    def test_nothing_adapts(self) -> None:
        fixed = charge(kl_weight=3.0)
        assert after(fixed, [1e9], 50) == [3.0]
        assert fixed.posterior(AGES) == pytest.approx([3 * 0.2] * 4)


class TestOneCharge:
    def test_the_prior_pays_beta_and_the_posterior_what_adapted(self) -> None:
        made = charge(0.25, kl_weight=3.0, kl_balance=0.7, kl_target=0.01)
        assert made.prior == 3.0  # the balance is not used
        assert made.posterior(AGES).tolist() == [0.25] * 4

    def test_it_rests_at_its_target_rises_above_and_falls_below(self) -> None:
        def one(start: float, told: list[float], step: int = 5) -> float:
            return after(charge(start, kl_target=0.02, kl_hold=5), told, step)[0]

        assert one(2.0, [0.02]) == pytest.approx(2.0)
        assert one(2.0, [0.01, 0.05]) == pytest.approx(2.0 * np.exp(0.1 * 0.5))  # their mean counts
        assert one(2.0, [0.01]) == pytest.approx(2.0 * np.exp(-0.1 * 0.5))
        assert one(2.0, [1e9]) == pytest.approx(2.0 * np.exp(0.1))  # never faster than its rate
        assert one(2.0, [1e9], step=4) == 2.0  # held
        assert (one(100.0, [1e9]), one(0.01, [0.0])) == (100.0, 0.01)


class TestApart:
    def test_each_supervision_step_follows_what_it_tells(self) -> None:
        made = charge(1.0, kl_target=0.1, kl_apart=True)
        got = after(made, [0.2, 0.2, 0.05, 0.1], 5, age=[1, 1, 2, 4])
        assert got == pytest.approx([np.exp(0.1), np.exp(-0.05), 1.0, 1.0])  # none of the rows was at its third step
        assert made.posterior(torch.tensor([2, 1])).numpy() == pytest.approx([got[1], got[0]])

    def test_one_saved_number_is_that_of_all(self) -> None:
        made = charge(0.5, kl_target=0.1, kl_apart=True)
        assert made.values.tolist() == [0.5] * 4
        made.restore([1.0, 2.0, 3.0, 4.0])
        assert charge(made.values.tolist(), kl_target=0.1, kl_apart=True).values.tolist() == [1.0, 2.0, 3.0, 4.0]


class TestSchedule:
    def test_target_and_floor_go_geometrically_to_their_ends_and_stay(self) -> None:
        made = charge(kl_target=0.1, kl_start=0.4, kl_floor=0.4)
        assert [made.target(step) for step in (0, 30, 60, 100)] == pytest.approx([0.4, 0.2, 0.1, 0.1])
        assert [made.least(step) for step in (0, 30, 60, 100)] == pytest.approx([0.1, 0.2, 0.4, 0.4])

    def test_without_them_both_are_constant(self) -> None:
        made = charge(kl_target=0.1)
        assert {made.target(step) for step in (0, 50, 100)} == {0.1}
        assert {made.least(step) for step in (0, 50, 100)} == {0.01}

    def test_a_silent_step_keeps_the_least_charge(self) -> None:
        made = charge(0.3, kl_target=0.1, kl_floor=0.5, kl_apart=True)
        for step in range(100):
            after(made, [0.0, 0.1], step, age=[1, 2])
        assert made.values[0] == pytest.approx(0.5)
        assert made.values[1] >= 0.5

    @pytest.mark.parametrize("setting", [{"kl_apart": True}, {"kl_start": 0.4}, {"kl_floor": 0.5}])
    def test_they_need_a_target(self, setting: dict[str, Any]) -> None:
        with pytest.raises(ConfigError, match="set kl_target"):
            TrainConfig(**setting)
