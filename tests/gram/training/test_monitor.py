"""Alarms: posterior leakage and runaway guidance, each named in one sentence, once and while it lasts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gram.checkpoint import METRICS
from gram.config import TrainConfig
from gram.presets import preset
from gram.training import monitor
from gram.training.loop import train
from gram.training.monitor import Monitor, due, leakage, runaway
from gram.training.run import Run

LEAK = {"posterior_exact": 0.88, "prior_exact": 0.0, "kl_posterior": 0.185}  # 8 queens, beta 1, balance 0.8
SOUND = {"posterior_exact": 0.65, "prior_exact": 0.56, "kl_posterior": 0.02}  # nqueens8-gram at step 7,250
COLLAPSED = {"posterior_exact": 0.01, "prior_exact": 0.0, "kl_posterior": 0.0003}  # beta 1 / 1
# 8 queens by orbit after 600 s without a floor of the KL weight; before, the prior solved 0.85.
RUNAWAY = {"posterior_exact": 0.99, "prior_exact": 0.18, "guidance_sigma": 1.5, "guidance_mean": 6.9}


class TestLeakage:
    @pytest.mark.parametrize(
        ("config", "fix"),
        [
            (TrainConfig(), "raise train.kl_weight (now 1), or fix the rate with train.kl_target"),
            (TrainConfig(kl_target=0.3), "lower train.kl_target (now 0.3)"),
            (TrainConfig(kl_target=0.3, no_grad_guidance="posterior"), "set train.no_grad_guidance=prior"),
        ],
    )
    def test_it_is_named_with_its_numbers_and_its_knob(self, config: TrainConfig, fix: str) -> None:
        said = leakage(LEAK, config)
        assert said is not None
        for part in ("posterior leakage", "0.88", "0.00", "0.185 nats per token", fix):
            assert part in said
        assert "\n" not in said

    @pytest.mark.parametrize("measured", [SOUND, COLLAPSED, {"token": 0.1}, {"prior_exact": 0.0, "target_exact": 1.0}])
    def test_a_sound_or_collapsed_run_and_one_without_the_numbers_get_no_alarm(
        self, measured: dict[str, float]
    ) -> None:
        assert leakage(measured, TrainConfig()) is None

    def test_its_limits(self) -> None:
        edge = {
            "posterior_exact": monitor.SOLVES,
            "prior_exact": monitor.LEAKS * monitor.SOLVES,
            "kl_posterior": 0.1,
        }
        assert leakage(edge, TrainConfig()) is None
        assert leakage(edge | {"prior_exact": 0.99 * edge["prior_exact"]}, TrainConfig())
        assert leakage(edge | {"prior_exact": 0.0, "posterior_exact": 0.49}, TrainConfig()) is None

    def test_training_says_so_when_it_sees_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        advance = Run.advance
        monkeypatch.setattr(Run, "advance", lambda run: advance(run) | LEAK)
        train(preset("debug"), tmp_path / "run", quiet=True)
        said = [line for line in capsys.readouterr().err.splitlines() if "posterior leakage" in line]
        assert len(said) == 1  # eight lines show it; it is printed at the first, and would be again at the twentieth
        assert said[0].startswith("step 2: posterior leakage: the posterior solves 0.88")


class TestRunaway:
    def test_it_is_named_with_its_numbers_and_its_knobs(self) -> None:
        said = runaway(RUNAWAY, 0.85)
        assert said is not None
        for part in (
            "runaway guidance",
            "0.18",
            "0.85",
            "0.99",
            "sigma 1.5",
            "6.9",
            "train.kl_weight_min",
            "keep_best",
        ):
            assert part in said
        assert "\n" not in said

    @pytest.mark.parametrize(
        ("changed", "best"),
        [({"prior_exact": 0.8}, 0.85), ({}, 0.3), ({"posterior_exact": 0.2}, 0.85)],
        ids=["the prior keeps up", "the prior never solved much", "both fell"],
    )
    def test_no_alarm(self, changed: dict[str, float], best: float) -> None:
        assert runaway(RUNAWAY | changed, best) is None

    def test_the_monitor_remembers_the_best_line_also_after_a_resume(self, tmp_path: Path) -> None:
        said: list[str] = []
        lines: list[dict[str, Any]] = [{"step": 1, **RUNAWAY, "prior_exact": 0.85}, {"step": 2, **RUNAWAY}]
        (tmp_path / METRICS).write_text(json.dumps(lines[0]) + "\n")
        resumed = Monitor(tmp_path, TrainConfig())
        resumed.cut(1)
        assert resumed.best_prior == 0.85
        resumed.alarm(lines[1], said.append)
        assert said[0].startswith("step 2: runaway guidance")


def test_an_alarm_is_printed_once_and_again_only_while_it_lasts() -> None:
    assert [lines for lines in range(45) if due(lines, said=lines > 1)] == [1, 20, 40]
    assert not due(1, said=True)  # it came back
    assert not due(0, said=False)
