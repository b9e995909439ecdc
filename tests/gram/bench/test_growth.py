"""Curves of cost, and what it costs to start: their shape, not their figures."""

from __future__ import annotations

import pytest

from gram.bench import growth, start
from gram.strict import ConfigError


@pytest.mark.parametrize("mixing", growth.NETWORKS)
def test_each_axis_has_a_cost_at_each_value_and_exponents_between(mixing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "AXES", {"trajectories": (1, 2), "board": (4, 9), "features": (0.25, 0.5)})
    found = growth.curves([], mixing=mixing, rounds=0)
    assert found["curves"].keys() == growth.AXES.keys()
    for axis, curve in found["curves"].items():
        assert curve["values"] == list(growth.AXES[axis])
        assert len(curve["exponents"]) == len(curve["seconds"]) - 1
        assert min(curve["seconds"]) > 0
    assert "| board | 4 | 9 |" in growth.table(found)


def test_an_unknown_axis_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="unknown axis 'width'"):
        growth.curves(["width"], mixing="relations", rounds=0)


def test_programs_are_measured_beside_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "PROGRAMS", {"import torch": ["-c", ""], "more": ["-c", "sum(range(10**7))"]})
    found = start.start(1)
    assert found["import torch"]["ratio"] == 1
    assert found["more"]["ratio"] > 1
    assert start.table(found).splitlines()[2].startswith("| `import torch` |")
