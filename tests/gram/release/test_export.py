"""An artifact and its card: every number on it is one of its results."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import gram
from gram import checkpoint as store
from gram.evaluation.generate import generate
from gram.evaluation.metrics import shown, with_interval
from gram.presets import preset
from gram.release.export import export
from gram.training.loop import train


def test_finished_runs_are_exported_with_a_card_that_says_their_results(debug_checkpoint: Path, tmp_path: Path) -> None:
    other = train(preset("debug").override(["seed=1"]), tmp_path / "other", quiet=True)
    out = export(debug_checkpoint, tmp_path / "queens5", also=[other], limit=30, note="Only a test.")
    results, card = json.loads((out / "results.json").read_text()), (out / "README.md").read_text()
    assert gram.load(out).digest == results["sha256"] == gram.load(debug_checkpoint).digest
    assert "Only a test." in card
    assert "One number for each of the training seeds 0, 1, then their mean; the weights are of the first." in card
    first, second = results["by_seed"]
    assert "    gram evaluate queens5 --trajectories 20 --seed 0 --limit 30\n" in card
    for name in ("accuracy", "coverage"):
        mean = (first[name] + second[name]) / 2
        assert f"| {name} | {shown(first, name)}, {second[name]:.3f}, mean {mean:.3f} |" in card
    assert f"| conflicts, of one sample of each input | {shown(first, 'conflicts', digits=1)}, " in card
    above = first["above_one_sample"]["value"]
    assert f"seed 0) | {with_interval(above['difference'], above['interval'], '+')} |" in card
    (command,) = re.findall(r"gram evaluate queens5 (.*--depths.*)", card)
    assert command == "--trajectories 1,5,20 --depths 2,4,8 --no-halting --seed 0 --limit 64"
    cells = results["grid"]
    assert [(cell["supervision_steps"], cell["trajectories"]) for cell in cells] == [
        (depth, width) for depth in (2, 4, 8) for width in (1, 5, 20)
    ]
    inputs, calls = cells[-1]["inputs"], cells[-1]["network_calls"]
    assert f"| 8 | 20 | {inputs} | {calls:.0f} | {shown(cells[-1], 'accuracy')} | " in card
    assert "| best by stability | best by rules | best by any |\n" in card
    for name, found in first["reliability"].items():
        error = found["expected_calibration_error"]
        assert f"Reliability of the {name} head" in card
        assert f"expected calibration error {error:.3f})" in card
        assert f"| answers | {' | '.join(str(each['count']) for each in found['bins'])} |" in card
    assert "deterministic" not in card
    assert "rating" not in card
    assert ["by_solutions" in result for result in (first, second)] == [True, False]
    with pytest.raises(store.CheckpointError, match="has figures of 2 training seeds and weights of one; export the r"):
        export(out, out)
    with pytest.raises(store.CheckpointError, match="the runs have seeds 0, 0; give each training seed once"):
        export(debug_checkpoint, tmp_path / "twice", also=[debug_checkpoint])


def test_runs_of_other_configurations_are_no_seeds(
    debug_checkpoint: Path, debug_trm_checkpoint: Path, tmp_path: Path
) -> None:
    with pytest.raises(store.CheckpointError, match=r"differs from .* in more than its seed; `also` takes runs of one"):
        export(debug_checkpoint, tmp_path / "out", also=[debug_trm_checkpoint])
    assert not (tmp_path / "out").exists()


def test_what_stands_in_the_folder_is_never_replaced_by_something_else(
    debug_checkpoint: Path, debug_trm_checkpoint: Path, tmp_path: Path
) -> None:
    other = export(debug_trm_checkpoint, tmp_path / "other", limit=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/README.md").write_text("mine")
    (tmp_path / "file").touch()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for out, words in (
        ("", "the folder of the artifact is ''; give one with -o"),
        (other, "other holds a model of nqueens; give another folder with -o, or empty it"),
        (tmp_path / "mine", r"mine holds what is no artifact \(README\.md\); give another folder with -o, or empty it"),
        (tmp_path / "file", r"file cannot be written \(File exists\); give a folder that can, with -o"),
    ):
        with pytest.raises(store.CheckpointError, match=words):
            export(debug_checkpoint, out, limit=2)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_artifact_is_measured_anew(debug_trm_checkpoint: Path, tmp_path: Path) -> None:
    out = export(debug_trm_checkpoint, tmp_path / "queens5", limit=30, note="Kept.")
    first = json.loads((out / "results.json").read_text())
    again = json.loads((export(out, out, limit=20) / "results.json").read_text())
    assert again["note"] == "Kept."
    assert again["training"] == first["training"]
    assert (first["by_seed"][0]["limit"], again["by_seed"][0]["limit"]) == (30, 20)


def test_the_card_of_a_sudoku_shows_accuracy_by_rating_and_no_column_twice(one_thread: None, tmp_path: Path) -> None:
    config = preset("debug-trm").override(["task.kind=sudoku", "task.size=6", "task.generated=120"])
    out = export(train(config, tmp_path / "run", quiet=True), tmp_path / "sudoku6")
    first, card = json.loads((out / "results.json").read_text())["by_seed"][0], (out / "README.md").read_text()
    assert sum(row["inputs"] for row in first["by_rating"]) == first["inputs"]
    for row in first["by_rating"]:
        assert f"| {row['rating']} | {row['inputs']} | {shown(row, 'accuracy')} |" in card
    assert len(first["by_rating"]) > 1
    assert f"|  | all inputs ({first['inputs']}) |\n" in card
    assert "solutions |" not in card
    assert "--trajectories 20 --depths 2,4,8 " in card  # all widths of a deterministic model are one
    assert "cannot pass" not in card  # one solution each: one answer is enough


@pytest.mark.parametrize(("base", "steps"), [("debug", [2, 4, 8, 16]), ("debug-d3pm", [6])])
def test_a_generator_is_exported_with_what_its_samples_are_worth(
    base: str, steps: list[int], one_thread: None, tmp_path: Path
) -> None:
    config = preset(base).override(["task.kind=sudoku_generation", "task.size=4"])
    out = export(train(config, tmp_path / "run", quiet=True), tmp_path / "boards", limit=40)
    found, card = json.loads((out / "results.json").read_text())["generated"], (out / "README.md").read_text()
    assert [each["supervision_steps"] for each in found] == steps
    again = generate(out, tmp_path / "samples", 40, supervision_steps=steps[0])
    assert {name: found[0][name] for name in ("valid", "kinds", "sha256")} == {
        name: again[name] for name in ("valid", "kinds", "sha256")
    }
    for each in found:
        assert f"    gram generate boards -n 40 --steps {each['supervision_steps']}\n" in card
        assert (
            f"\n| {each['supervision_steps']} | {with_interval(each['valid']['value'], each['valid']['interval'])} | "
            in card
        )
    assert "99.05" in card
    assert "FID" not in card


def test_an_unfinished_run_is_not_exported(one_thread: None, tmp_path: Path) -> None:
    run = train(preset("debug").override(["train.steps=3"]), tmp_path / "run", quiet=True)
    (run / store.CONFIG).write_text(preset("debug").to_json())
    with pytest.raises(store.CheckpointError, match=r"is at step .*; finish it with `gram train`, then export it"):
        export(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
