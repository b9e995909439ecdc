"""Watching a run: curves, cancel and resume, one puzzle through the snapshots. No browser, kernel or model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import synthetic
import xarray as xr

from gram import run_folder
from gramviz.explorer.training import watch_training
from gramviz.views import training


def written(path: Path, *lines: dict[str, Any]) -> None:
    with (path / run_folder.METRICS).open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def line(step: int, **more: Any) -> dict[str, Any]:
    rows = {"token_posterior": 0.2, "token_prior": 0.4, "posterior_exact": 0.9, "prior_exact": 0.5}
    return {"step": step, "seconds": step / 10, "kl_posterior": 0.02, "lr": 1e-3, **rows, **more}


def snapshot(path: Path, step: int) -> None:
    (path / run_folder.SNAPSHOTS).mkdir(exist_ok=True)
    (path / run_folder.SNAPSHOTS / f"{step:06}.safetensors").touch()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of 100 steps, 20 of which are done, with two snapshots."""
    path = tmp_path / "queens"
    path.mkdir()
    (path / run_folder.CONFIG).write_text(json.dumps({"train": {"steps": 90, "head_steps": 10}}))
    written(path, line(10), line(20, held_out={"accuracy": 0.6, "coverage": 0.3}))
    snapshot(path, 0)
    snapshot(path, 10)
    return path


@pytest.fixture(autouse=True)
def _no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    # Playwright's own loop counts as running in this thread from the first browser test on, and stands still between.
    monkeypatch.setattr(sys.modules["gramviz.explorer.training"], "kernel_loop", lambda: None)


def sampler(asked: list[str]) -> Any:
    """A `sample` without a model: each checkpoint answers in its own way."""

    def sample(checkpoint: str, puzzles: Any, /, *, trajectories: int, seed: int) -> xr.Dataset:
        asked.append(checkpoint)
        if checkpoint.endswith("@13"):
            raise ValueError("no such weights")
        return synthetic.queens(trajectories, supervision_steps=3, size=5, features=8, seed=len(asked))

    return sample


# ----------------------------------------------------------------------------------------------------------- curves
def test_every_lane_that_was_measured_has_its_curves_and_there_is_one_legend(run: Path) -> None:
    drawn = training.draw(run, "dark", at=10)
    curves = {trace.meta: (list(trace.x), list(trace.y)) for trace in drawn.data if trace.meta != "legend"}
    assert curves["prior_exact"] == ([10, 20], [0.5, 0.5])
    assert curves["held_out/coverage"] == ([20], [0.3])
    assert curves.keys() == {
        "prior_exact", "posterior_exact", "held_out/accuracy", "held_out/coverage", "token_prior", "token_posterior",
        "kl_posterior", "lr",
    }  # fmt: skip
    legend = [trace.name for trace in drawn.data if trace.showlegend is not False]
    assert legend == ["prior rows", "posterior rows", "all learning rows", "held-out puzzles"]
    words = " ".join([drawn.layout.title.subtitle.text, *(one.text for one in drawn.layout.annotations)])
    assert "20 of 100 optimizer steps in 2 seconds" in words
    assert "nats per token" in words
    assert drawn.layout.shapes[0].x0 == 10
    drawn.to_json()


def test_a_deterministic_model_and_an_empty_run_are_drawn_too(run: Path) -> None:
    (run / run_folder.METRICS).write_text(json.dumps({"step": 5, "seconds": 1.0, "token": 0.3, "target_exact": 0.1}))
    assert [t.meta for t in training.draw(run).data if t.meta != "legend"] == ["target_exact", "token"]
    (run / run_folder.METRICS).unlink()
    assert training.draw(run).layout.title.subtitle.text.endswith("Nothing was measured yet.")
    with pytest.raises(run_folder.RunFolderError, match="holds no run"):
        training.draw(run / "snapshots")


# ---------------------------------------------------------------------------------------------------------- the widget
def test_the_curves_and_the_status_follow_the_folder(run: Path) -> None:
    view = watch_training(run)
    assert len(view.children) == 2  # without a model there is no timeline
    assert (view.status.value, view.progress.value) == ("Stopped, 20 of 100 steps.", 20)
    assert (view.cancel.disabled, view.resume.disabled) == (True, False)
    written(run, line(100))
    shown = view.refresh().curves.outputs
    (curve,) = (one for one in shown[0]["data"]["application/vnd.plotly.v1+json"]["data"] if one["meta"] == "lr")
    assert curve["x"] == [10, 20, 100] or "bdata" in curve["x"]
    assert view.refresh().curves.outputs is shown  # nothing has changed
    assert (view.status.value, view.resume.disabled) == ("Finished, 100 of 100 steps.", True)
    data, _ = view._repr_mimebundle_()
    assert "run this cell again" in data["text/html"]  # nothing is drawn yet that a notebook could keep


def test_cancel_asks_the_process_that_trains_and_resume_starts_one(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Path] = []
    monkeypatch.setattr(run_folder, "start", started.append)
    with run_folder.held(run):
        view = watch_training(run)
        assert (view.status.value, view.cancel.disabled) == ("Training, 20 of 100 steps.", False)
        view.cancel.click()
        assert run_folder.is_asked_to_stop(run)
        assert (view.status.value, view.cancel.disabled) == ("Stopping, 20 of 100 steps.", True)
    view.refresh().resume.click()
    assert started == [run]
    monkeypatch.setattr(run_folder, "failure", lambda path: "gram: the disk is full")
    written(run, line(30))
    assert view.refresh().status.value == "gram: the disk is full"


def test_the_puzzle_is_solved_by_each_snapshot_once(run: Path) -> None:
    asked: list[str] = []
    view = watch_training(run, sample=sampler(asked), trajectories=4).join()
    assert view.slider.value == 10
    assert asked == [f"{run}@10"]
    explorer = view.explorer
    assert explorer.meta["series"][0]["name"] == "queens after 10 optimizer steps"
    assert view.figure.layout.shapes[0].x0 == 10
    view.slider.value = 0
    view.join()
    assert view.explorer is explorer
    assert explorer.meta["series"][0]["name"] == "queens after 0 optimizer steps"
    view.slider.value = 10
    assert asked == [f"{run}@10", f"{run}@0"]  # kept
    snapshot(run, 20)
    view.refresh().join()
    assert (view.slider.value, asked[-1]) == (20, f"{run}@20")  # it stood at the newest, and follows
    view.slider.value = 0
    snapshot(run, 13)
    view.refresh().join()
    assert view.slider.value == 0  # it stood elsewhere, and stays
    view.slider.value = 13
    view.join()
    assert view.drawn.value == "no such weights"
    assert list(view.rollouts) == [10, 0, 20]


def test_a_snapshot_that_is_thinned_can_still_be_looked_at_once_sampled(run: Path) -> None:
    view = watch_training(run, sample=sampler([])).join()
    (run / run_folder.SNAPSHOTS / "000010.safetensors").unlink()
    view.refresh()
    assert [value for _, value in view.slider.options] == [0, 10]
