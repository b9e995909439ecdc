"""A run's folder as others see it: lines, snapshots, and the process that trains it."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from gram import checkpoint as store
from gram import run_folder
from gram.presets import preset
from gram.training.loop import train


@pytest.fixture
def folder(debug_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(debug_checkpoint, tmp_path / "run"))


def wait(true: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_line_that_is_half_written_is_not_read(folder: Path) -> None:
    whole = run_folder.lines(folder)
    assert [line["step"] for line in whole] == [2, 4, 6, 8, 10, 12, 14, 16]
    with (folder / run_folder.METRICS).open("a") as file:
        file.write('{"step": 18, "tok')
    assert run_folder.lines(folder) == whole
    (folder / run_folder.METRICS).unlink()
    assert run_folder.lines(folder) == []


def test_the_lines_as_csv_have_a_column_for_every_metric(folder: Path) -> None:
    rows = list(csv.DictReader(run_folder.csv_text(folder).splitlines()))
    whole = run_folder.lines(folder)
    assert [float(row["loss"]) for row in rows] == [line["loss"] for line in whole]
    assert [row["held_out/coverage"] != "" for row in rows] == ["held_out" in line for line in whole]
    with pytest.raises(run_folder.RunFolderError, match="has measured nothing"):
        run_folder.csv_text(folder / "snapshots")
    (folder / run_folder.METRICS).write_text("{bad\n")
    with pytest.raises(run_folder.RunFolderError, match=r"metrics\.jsonl is damaged: no line of it is whole"):
        run_folder.csv_text(folder)


@pytest.mark.parametrize("most", [1, 2, 5, 16])
def test_snapshots_are_thinned_evenly_and_begin_at_the_first(most: int) -> None:
    kept: list[int] = []
    for step in range(0, 101_000, 1_000):
        kept = run_folder.thinned([*kept, step], 1_000, most)
        assert len({after - before for before, after in pairwise(kept)}) <= 1
        assert most // 2 <= len(kept) <= most or step < 1_000 * most
        assert kept[0] == 0


def test_a_run_keeps_no_more_snapshots_than_it_is_asked_to(tmp_path: Path) -> None:
    settings = preset("debug").override(["train.check_every=2", "train.head_steps=0", "train.steps=10"])
    few = train(settings.override(["train.snapshots=3"]), tmp_path / "few", quiet=True)
    assert list(run_folder.snapshots(few)) == [0, 4, 8]
    assert run_folder.checkpoints(few) == {0: f"{few}@0", 4: f"{few}@4", 8: f"{few}@8", 10: str(few)}
    assert [store.load(name).step for name in run_folder.checkpoints(few).values()] == [0, 4, 8, 10]
    none = train(settings.override(["train.snapshots=0"]), tmp_path / "none", quiet=True)
    assert run_folder.checkpoints(none) == {10: str(none)}


def test_a_run_in_a_process_of_its_own_is_seen_and_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = preset("debug").override(["train.steps=100000", "train.check_every=1000"])
    path = train(settings, tmp_path / "run", wait=False)
    assert run_folder.is_training(path)  # from the first moment on
    with pytest.raises(run_folder.RunFolderError, match="is being trained already"):
        train(settings, path, wait=False)
    wait(lambda: run_folder.lines(path))
    with monkeypatch.context() as elsewhere:  # as somebody sees it who did not start it
        elsewhere.setattr(run_folder, "_started", {})
        assert run_folder.is_training(path)
        with pytest.raises(run_folder.RunFolderError, match="is being trained by another process"):
            train(settings, path, quiet=True)
        run_folder.stop(path)
        wait(lambda: not run_folder.is_training(path))
    wait(lambda: not run_folder.is_training(path))
    assert run_folder.failure(path) == ""
    stopped = store.load(path).step
    run_folder.stop(path)  # nobody trains it, so nobody is asked
    train(settings, path, minutes=1e-9, quiet=True)
    assert store.load(path).step == stopped + 1

    (path / store.TRAINING).write_bytes(b"cut short")
    run_folder.start(path)
    wait(lambda: not run_folder.is_training(path))
    assert run_folder.failure(path).startswith("gram: ")
    assert "not a readable safetensors file" in run_folder.failure(path)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    for call in (run_folder.all_steps, run_folder.start):
        with pytest.raises(run_folder.RunFolderError, match="holds no run"):
            call(tmp_path)
    (tmp_path / run_folder.CONFIG).write_text(json.dumps(preset("debug").to_dict()))
    assert run_folder.all_steps(tmp_path) == 16
    assert not run_folder.is_training(tmp_path)
