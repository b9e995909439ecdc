"""Reliability of probabilities whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from gram.evaluation.calibration import reliability


def test_a_perfectly_calibrated_head_has_no_error() -> None:
    predicted = np.repeat([0.05, 0.25, 0.5, 0.95, 1.0], 20).reshape(10, 10)
    right = np.concatenate([np.arange(20) < share * 20 for share in (0.05, 0.25, 0.5, 0.95, 1.0)]).reshape(10, 10)
    found = reliability(predicted, right)
    assert found["expected_calibration_error"] == pytest.approx(0)
    assert [(each["low"], each["count"]) for each in found["bins"]] == [(0.0, 20), (0.2, 20), (0.5, 20), (0.9, 40)]
    for each in found["bins"]:
        assert each["mean"] == pytest.approx(each["right"])


def test_the_error_is_the_gap_of_each_bin_weighted_by_its_answers() -> None:
    found = reliability(np.array([0.9, 0.9, 0.9, 0.1]), np.array([True, False, False, True]))
    assert found["bins"] == [
        {"low": 0.1, "mean": 0.1, "right": 1.0, "count": 1},
        {"low": 0.9, "mean": pytest.approx(0.9), "right": pytest.approx(1 / 3), "count": 3},
    ]
    assert found["expected_calibration_error"] == pytest.approx((0.9 + 3 * (0.9 - 1 / 3)) / 4)
