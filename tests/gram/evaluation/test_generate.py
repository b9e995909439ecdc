"""Generated samples: each drawn once, whatever happens in between; and their figures against counts by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gram.checkpoint import CheckpointError, load
from gram.evaluation.generate import draw, figures, generate, parts, table
from gram.inference.request import SampleError, sampling_noise
from gram.inference.sample import sample
from gram.presets import preset
from gram.release.export import export
from gram.tasks.files import DataError
from gram.tasks.images import Images, ImagesConfig
from gram.tasks.sudoku import SudokuGeneration, SudokuGenerationConfig
from gram.training.loop import train

KINDS = ("debug", "debug-d3pm")


@pytest.fixture(scope="module", params=KINDS)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generator of 4 x 4 boards that has learned nothing."""
    config = preset(request.param).override(["task.kind=sudoku_generation", "task.size=4", "train.check_puzzles=1"])
    return train(config, tmp_path_factory.mktemp("generators") / request.param, quiet=True)


def told(folder: Path, samples: int) -> np.ndarray:
    return np.concatenate(list(parts(folder, samples)))


class TestGenerate:
    def test_sample_i_is_trajectory_i_of_a_rollout(self, checkpoint: Path, tmp_path: Path) -> None:
        found = generate(checkpoint, tmp_path, 40, supervision_steps=4, seed=3, part=16)
        assert found["samples"] == 40
        recorded = sample(checkpoint, 0, trajectories=40, supervision_steps=4, seed=3, exact=True)
        np.testing.assert_array_equal(told(tmp_path, 40), recorded["tokens"].values[0, :, -1])

    def test_parts_hold_each_sample_once_and_more_can_be_asked_for(self, checkpoint: Path, tmp_path: Path) -> None:
        generate(checkpoint, tmp_path / "much", 300, supervision_steps=2, part=1_000)
        generate(checkpoint, tmp_path / "little", 40, supervision_steps=2, part=64)
        kept = (tmp_path / "little" / "part-00000.safetensors").stat().st_mtime_ns
        generate(checkpoint, tmp_path / "little", 300, supervision_steps=2, part=64)
        assert (tmp_path / "little" / "part-00000.safetensors").stat().st_mtime_ns != kept  # it was not whole
        kept = (tmp_path / "little" / "part-00000.safetensors").stat().st_mtime_ns
        generate(checkpoint, tmp_path / "little", 310, supervision_steps=2, part=64)
        assert (tmp_path / "little" / "part-00000.safetensors").stat().st_mtime_ns == kept
        np.testing.assert_array_equal(told(tmp_path / "much", 300), told(tmp_path / "little", 300))
        assert len(told(tmp_path / "little", 310)) == 310

    def test_a_killed_run_goes_on_without_repeating_or_losing_a_sample(self, checkpoint: Path, tmp_path: Path) -> None:
        words = ["generate", str(checkpoint), "-n", "6000", "--steps", "3", "--part", "300", "--json"]
        command = [sys.executable, "-m", "gram.cli", *words, "-o", str(tmp_path / "killed")]
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
        until = time.monotonic() + 120
        while len(list((tmp_path / "killed").glob("part-*"))) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.wait()
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed").glob("part-*")}
        assert 2 <= len(before) < 20
        ended = subprocess.run(command, capture_output=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        assert json.loads(ended.stdout)["samples"] == 6_000
        assert all(path.stat().st_mtime_ns == moment for path, moment in before.items())
        opened = load(checkpoint)
        how = {"supervision_steps": 3, "seed": 0, "noise": sampling_noise(opened), "precision": "auto"}
        np.testing.assert_array_equal(told(tmp_path / "killed", 6_000), draw(opened, range(6_000), **how))

    def test_other_samples_are_refused(self, checkpoint: Path, tmp_path: Path) -> None:
        generate(checkpoint, tmp_path, 10, supervision_steps=2)
        with pytest.raises(SampleError, match=r"holds samples with seed 0, not 1; choose another folder"):
            generate(checkpoint, tmp_path, 10, supervision_steps=2, seed=1)
        path = tmp_path / "part-00000.safetensors"
        path.write_bytes(path.read_bytes()[:-3])
        with pytest.raises(CheckpointError, match="part-00000"):
            generate(checkpoint, tmp_path, 10, supervision_steps=2)

    def test_a_task_that_asks_is_refused(self, debug_checkpoint: Path, tmp_path: Path) -> None:
        with pytest.raises(SampleError, match=r"there is no blank puzzle of .* to generate from"):
            generate(debug_checkpoint, tmp_path / "none", 10)
        assert not (tmp_path / "none").exists()


class TestWithoutTheData:
    """`mnist-gram` on a machine that has none of MNIST's files."""

    @pytest.fixture(autouse=True)
    def nowhere(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("GRAM_DATA", raising=False)
        monkeypatch.setenv("GRAM_CACHE", str(tmp_path / "cache"))

    def test_pictures_are_drawn_and_the_record_knows_no_answer(self) -> None:
        drawn = sample("mnist-gram", 0, trajectories=2, supervision_steps=1)
        assert drawn["valid"].values[..., -1].all()
        assert not {"y", "solutions_known"} & set(drawn)

    def test_they_are_counted_and_what_was_not_measured_is_said(self, tmp_path: Path) -> None:
        found = generate("mnist-gram", tmp_path / "made", 3, supervision_steps=1)
        assert (found["kinds"], found["valid"]["value"]) == (3, 1)
        assert not {"copies", "held_out", "nearest_training", "fidelity"} & set(found)
        assert "was not measured: there is no mnist/" in table(found)
        assert "gram data prepare images dataset=mnist --download" in found["unmeasured"]

    def test_what_needs_an_answer_says_which_file_holds_it(self) -> None:
        with pytest.raises(DataError, match="there is no mnist/"):
            sample("mnist-gram", 0, trajectories=2, supervision_steps=1, mode="posterior")
        with pytest.raises(DataError, match=r"there is no sudoku/test\.csv\.gz .*, or give a puzzle as text"):
            sample("sudoku9-gram", 0)

    def test_no_card_is_written(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="there is no mnist/"):
            export(load("mnist-gram").path, tmp_path / "card", limit=2)
        assert not (tmp_path / "card").exists()


def test_figures_count_what_was_drawn() -> None:
    task = SudokuGeneration(SudokuGenerationConfig(size=4))
    train_boards, held_out = (task.puzzles(split).solutions[0] for split in ("train", "test"))
    one = train_boards[0].copy()
    other = one.copy()
    other[0] = one[1]  # breaks a row, and differs in one cell
    found = figures(task, lambda: iter([np.stack([one, other]), np.stack([one, held_out[0]])]))
    assert found["valid"]["value"] == 0.75
    assert found["distinct"]["value"] == 0.75
    assert (found["kinds"], found["valid_kinds"]) == (3, 2)
    assert found["copies"]["value"] == 0.5
    assert found["held_out"]["value"] == 0.25
    nearest = (train_boards != held_out[0]).sum(1).min()
    assert found["nearest_training"]["value"] == pytest.approx((0 + 1 + 0 + nearest) / 4)
    low, high = found["valid"]["interval"]
    assert 0 < low < 0.75 < high < 1


def test_pictures_are_measured_by_our_own_classifier() -> None:
    task = Images(ImagesConfig())
    pictures = task.puzzles("test").solutions[0][:50]
    found = figures(task, lambda: iter([pictures]), "digits-classifier")
    assert found["fidelity"]["pictures"] == 50
    assert found["fidelity"]["FID (own classifier)"]["plus_minus"] > 0
    assert found["nearest_training"]["value"] == pytest.approx(found["fidelity"]["nearest_training"])
    assert found["held_out"]["value"] == 1
