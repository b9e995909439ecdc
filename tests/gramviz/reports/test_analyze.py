"""The analyzes in one call, and what their figures place where. Probes here are synthetic; nothing loads torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import synthetic
import xarray as xr

from gram.rollout import RolloutError
from gramviz import measure
from gramviz.reports.analyze import analyze
from gramviz.theme import outcome_mark
from gramviz.views import VIEWS, Cursor, lyapunov


@dataclass
class Probe:
    """As `gram.probe.Probe`, which lives beside torch."""

    rollout: xr.Dataset
    exponents: xr.Dataset
    landscape: xr.Dataset | None
    starts: xr.Dataset
    left_out: dict[str, str] = field(default_factory=dict)


def exponents(rollout: xr.Dataset) -> xr.Dataset:
    """-0.1 for a trajectory that ends correct, +0.1 for the others, at every step."""
    right = rollout["valid"].values[..., -1]
    values = np.repeat(np.where(right, -0.1, 0.1)[:, :, None, None], rollout.sizes["step"], 2)
    values[:, :, 0] = np.nan
    dims = ("puzzle", "trajectory", "step", "direction")
    return xr.Dataset({"exponent": (dims, values), "growth": (dims, values)})


def starts(rollout: xr.Dataset, size: int = 3) -> xr.Dataset:
    """The first trajectories of a rollout as if they began on a plane."""
    points = np.stack(np.meshgrid(np.arange(size) - size // 2, np.arange(size) - size // 2), -1).reshape(-1, 2)
    first = rollout.isel(trajectory=np.arange(size * size) % rollout.sizes["trajectory"], puzzle=[0]).drop_vars("h")
    return first.assign_coords(column=("trajectory", points[:, 0] + 0.0), row=("trajectory", points[:, 1] + 0.0))


ANSWERS = ("answer_river", "answer_map")


@pytest.fixture(scope="module")
def probe(small: xr.Dataset) -> Probe:
    return Probe(small, exponents(small), measure.landscape(small, size=17), starts(small))


def test_everything_of_a_probe_and_of_a_rollout(probe: Probe, small: xr.Dataset) -> None:
    found = analyze(probe, small.isel(trajectory=[2]))
    per_run = ("modes", "basins", "landscape", "control", "starts", "plane")
    assert set(found.figures) == {"curves", *ANSWERS, "latent", "lyapunov"} | {f"A {name}" for name in per_run} | {
        f"B {name}" for name in per_run if name not in ("starts", "plane")
    }
    assert found.left_out["B plane"] == "it needs the model; give gram.probe(checkpoint) in the place of a rollout"
    one, right = found.numbers["A"], small["valid"].values[0, :, -1]
    assert one["correct"] == right.sum() == one["quick"] + one["delayed"]
    assert one["failed"] == (~right).sum()
    assert one["exponent_correct"] == pytest.approx(-0.1)
    assert one["separation"] == 1
    assert one["start_correct"] == f"{small['valid'].values[0, np.arange(9) % 6, -1].sum()} of 9"
    assert "exponent" not in found.numbers["B"]


def test_it_shows_itself(probe: Probe, tmp_path: Path) -> None:
    found = analyze(probe, theme="dark")
    text = found._repr_html_()
    assert "<table>" in text
    assert "Lyapunov exponent, median" in text
    page = found.to_html(tmp_path / "page.html")
    assert page == (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("plotly.js v") >= 1
    assert page.count("<h1>") == 1


def test_what_was_not_recorded_is_left_out_and_said(small: xr.Dataset) -> None:
    found = analyze(synthetic.without(small, "h", "valid", "halt", "halted_at", "value"))
    assert found.left_out["A control"] == "this rollout has no `h`; record it with Record(h=True)"
    assert "no `valid`" in found.left_out["A modes"]
    assert "it needs the model" in found.left_out["lyapunov"]
    assert "Not shown" in found._repr_html_()
    assert set(found.figures) == {"curves", *ANSWERS, "A basins"}


def test_a_plane_that_could_not_be_computed_gives_its_reason(probe: Probe) -> None:
    lost = Probe(probe.rollout, probe.exponents, None, probe.starts, {"landscape": "the states lie on a line"})
    assert analyze(lost).left_out["A plane"] == "the states lie on a line"


def test_refusals(probe: Probe, small: xr.Dataset, gram: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="0 series to analyze; give 1 to 4"):
        analyze()
    with pytest.raises(RolloutError, match="different boards"):
        analyze(small, gram)
    with pytest.raises(ValueError, match="unknown theme 'sepia'"):
        analyze(small, theme="sepia")
    with pytest.raises(RolloutError, match=r"is an xarray\.Dataset, not str"):
        analyze("nqueens8-gram")  # type: ignore[arg-type]
    with pytest.raises(RolloutError, match="compute both with the same arguments"):
        lyapunov.draw([probe.exponents.isel(trajectory=[0])], [small])
    with pytest.raises(ValueError, match="this plane shows 6 trajectories of 13 states, the rollout has 1 of 13"):
        VIEWS["landscape"].draw(small.isel(trajectory=[0]), plane=probe.landscape)


# ------------------------------------------------------------------------------------------- what the views place where
def test_modes_stand_where_they_are_measured(small: xr.Dataset) -> None:
    figure = VIEWS["modes"].draw(small)
    found = measure.modes(small).isel(puzzle=0)
    right = next(trace for trace in figure.data if trace.meta == "correct")
    assert sorted(right.x) == sorted(found["since"].values[found["since"].values >= 0])
    np.testing.assert_allclose(sorted(right.y), sorted(found["rest"].values[found["since"].values >= 0]), rtol=1e-6)
    counts = {one.name: one.text for one in figure.layout.annotations if one.name in ("quick", "delayed", "failure")}
    assert counts["failure"].endswith(str(int((found["mode"] == measure.FAILURE).sum())))


def test_bars_are_shares_and_a_plane_shows_its_basins(small: xr.Dataset) -> None:
    share = measure.basins(small).share
    figure = VIEWS["basins"].draw(small)
    np.testing.assert_allclose(next(t for t in figure.data if t.meta == "share").x, 100 * share)
    begun = starts(small)
    plane = next(t for t in VIEWS["basins"].draw(begun).data if t.meta == "plane")
    np.testing.assert_array_equal(plane.z, np.minimum(measure.on_plane(begun)[0], 5))


def test_an_answer_that_was_not_finished_has_its_own_mark(small: xr.Dataset) -> None:
    small = small.assign(halted_at=xr.full_like(small["halted_at"], -1))
    reached, codes = measure.answers([small]), measure.outcome(small).values[0]
    ends = [int(codes[np.flatnonzero(reached.final[0].values == k)[0]]) for k in range(len(reached.found))]
    assert measure.NOT_FINISHED in ends
    marks = [
        one.text
        for one in VIEWS["basins"].draw(small).layout.annotations
        if one.name == "answer" and len(one.text) == 1
    ]
    assert marks == [outcome_mark(code).text for code in ends]


def test_a_landscape_is_under_its_paths(small: xr.Dataset) -> None:
    figure = VIEWS["landscape"].draw(small, Cursor(trajectory=3))
    found = measure.landscape(small)
    chosen = next(t for t in figure.data if t.meta == "chosen")
    np.testing.assert_allclose(np.stack([chosen.x, chosen.y], 1), found["coordinates"][3])
    ground = next(t for t in figure.data if t.meta == "landscape")
    np.testing.assert_array_equal(np.isnan(np.array(ground.z, float)), np.isnan(found["loss"]))


def test_exponents_end_where_they_are(small: xr.Dataset) -> None:
    figure = lyapunov.draw([exponents(small)], [small], theme="dark")
    ends = {t.meta: t.y for t in figure.data if str(t.meta).startswith("A ends")}
    assert set(ends["A ends correct"]) == {-0.1}
    assert len(ends["A ends correct"]) == small["valid"].values[0, :, -1].sum()
    sides = [one for one in figure.layout.annotations if one.name == "side"]
    assert len(sides) == 2
    assert all(one.x == 1 and one.xanchor == "left" and one.xshift > 0 for one in sides)  # on no point


def test_the_control_is_not_drawn_in_the_model_s_plane(small: xr.Dataset) -> None:
    figure = VIEWS["control"].draw(small, seed=1)
    assert {t.xaxis for t in figure.data if t.meta and "heads" in str(t.meta)} == {"x", "x2"}


def test_separation_by_hand() -> None:
    value, success = np.array([0.0, 1, 2, 2]), np.array([True, False, True, False])
    assert measure.separation(value, success) == pytest.approx((2 + 0 + 0.5) / 4)
    assert np.isnan(measure.separation(value, np.ones(4, bool)))
