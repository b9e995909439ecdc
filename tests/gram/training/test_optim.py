"""Learning rate in closed form, AdamW against the textbook, and the average of the weights against a hand loop."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from gram.config import OptimConfig
from gram.training.optim import average, block_matrices, optimizers, schedule


def learning_rate(config: OptimConfig, step: int, steps: int) -> float:
    return config.lr * schedule(config, step, steps)


CONFIG = OptimConfig(lr=2e-3, warmup=10, decay_from=0.5, lr_floor=0.1, ema=0.9)


def test_warm_up_rises_linearly_to_the_plateau() -> None:
    rates = [learning_rate(CONFIG, step, 100) for step in range(12)]
    assert rates[:10] == pytest.approx([2e-3 * (step + 1) / 10 for step in range(10)])
    assert rates[9:] == pytest.approx([2e-3] * 3)


def test_the_plateau_lasts_until_decay_from() -> None:
    assert {learning_rate(CONFIG, step, 100) for step in range(10, 51)} == {2e-3}
    assert learning_rate(CONFIG, 51, 100) < 2e-3


def test_the_cosine_passes_the_middle_at_half_way_and_ends_at_the_floor() -> None:
    assert learning_rate(CONFIG, 75, 100) == pytest.approx(2e-3 * (0.1 + 1) / 2)
    assert learning_rate(CONFIG, 100, 100) == pytest.approx(2e-4)
    assert learning_rate(CONFIG, 1_000, 100) == pytest.approx(2e-4)
    rates = [learning_rate(CONFIG, step, 100) for step in range(50, 101)]
    assert rates == sorted(rates, reverse=True)


def test_without_decay_the_rate_never_falls() -> None:
    flat = replace(CONFIG, decay_from=1.0)
    assert {learning_rate(flat, step, 100) for step in range(10, 200)} == {2e-3}


def test_no_warm_up_starts_on_the_plateau() -> None:
    assert learning_rate(replace(CONFIG, warmup=0), 0, 100) == 2e-3


def test_the_average_equals_a_hand_loop_that_starts_at_the_first_weights_seen() -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    averaged, by_hand = average(model, CONFIG), None
    for _ in range(6):
        with torch.no_grad():
            model.weight.add_(torch.randn_like(model.weight))
        averaged.update_parameters(model)
        now = model.weight.detach().clone()
        by_hand = now if by_hand is None else 0.9 * by_hand + 0.1 * now
    torch.testing.assert_close(averaged.module.weight, by_hand)
    assert averaged.module is not model


def test_an_average_without_memory_is_the_model() -> None:
    model = nn.Linear(3, 2)
    averaged = average(model, replace(CONFIG, ema=0.0))
    for _ in range(3):
        with torch.no_grad():
            model.weight.add_(torch.randn_like(model.weight))
        averaged.update_parameters(model)
    torch.testing.assert_close(averaged.module.weight, model.weight)


def test_the_optimizer_is_adamw_with_decoupled_decay_as_in_the_textbook() -> None:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    holder = nn.Module()
    holder.weight = weight
    (steps,) = optimizers(holder, replace(CONFIG, weight_decay=0.1))
    w, m, v = weight.detach().double(), torch.zeros(2).double(), torch.zeros(2).double()
    for t, gradient in enumerate(torch.tensor([[0.5, -1.0], [2.0, 0.1], [-0.3, 0.7]]), 1):
        weight.grad = gradient.clone()
        steps.step()
        g = gradient.double()
        m, v = 0.9 * m + 0.1 * g, 0.95 * v + 0.05 * g**2
        w = w * (1 - 2e-3 * 0.1) - 2e-3 * (m / (1 - 0.9**t)) / ((v / (1 - 0.95**t)).sqrt() + 1e-8)
    torch.testing.assert_close(weight.detach().double(), w, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ema": 1.0}, "ema is 1.0"),
        ({"ema": -0.1}, "ema"),
        ({"lr": 0.0}, "lr is 0"),
        ({"muon_lr": -1.0}, "muon_lr is -1"),
        ({"beta2": 1.0}, "beta2"),
    ],
)
def test_an_impossible_setting_is_refused(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(CONFIG, **changes)


class TestMuon:
    """Which weights move by which optimizer, and by how much."""

    def test_the_matrices_of_the_recursive_network_move_by_muon_and_the_rest_by_adamw(self) -> None:
        from gram.checkpoint import build
        from gram.presets import preset

        _, model = build(preset("debug"))
        adamw, muon = optimizers(model, replace(CONFIG, muon_lr=0.02))
        names = {id(weight): name for name, weight in model.named_parameters()}
        by_muon = {names[id(weight)] for weight in muon.param_groups[0]["params"]}
        by_adamw = {names[id(weight)] for weight in adamw.param_groups[0]["params"]}
        assert by_muon | by_adamw == set(names.values())
        assert not by_muon & by_adamw
        assert by_muon == {
            name for name in names.values() if name.startswith("f_low.") and "attention_bias" not in name
        }
        assert (adamw.param_groups[0]["peak"], muon.param_groups[0]["peak"]) == (2e-3, 0.02)

    def test_a_network_that_serves_twice_is_counted_once(self) -> None:
        from gram.checkpoint import build
        from gram.presets import preset

        _, model = build(preset("debug"))
        found = block_matrices(model)
        assert len(found) == len({id(weight) for weight in found})
        assert all(weight.ndim == 2 for weight in found)

    def test_an_update_is_orthogonal_whatever_the_size_of_the_gradient(self) -> None:
        torch.manual_seed(0)
        weight = nn.Parameter(torch.zeros(16, 8))
        steps = torch.optim.Muon([weight], lr=0.02, weight_decay=0.0, adjust_lr_fn="original")
        weight.grad = 1e-4 * torch.randn(16, 8)
        steps.step()
        values = torch.linalg.svdvals(weight.detach()) / (
            0.02 * 2**0.5
        )  # the rate grows with the root of rows / columns
        assert ((values > 0.6) & (values < 1.3)).all()
