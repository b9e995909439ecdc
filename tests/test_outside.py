"""What comes from outside, file by file and text by text: read, or refused in one sentence before it costs anything."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gramviz as gv
from gram import bounded, rollout
from gram.board import Board
from gram.config import RunConfig
from gram.presets import preset
from gram.release import published_config
from gram.release.published_config import PublishedError
from gram.release.published_files import read_tensors
from gram.safe_yaml import read_yaml
from gram.tasks import TASKS, arc_files, digests, image_files, own, sudoku_files
from gramviz.explorer import chapters
from gramviz.explorer.state import State
from gramviz.reports import notebook, parameters

PUZZLES = {kind: TASKS[kind](TASKS[kind].Config()) for kind in ("sudoku", "nqueens", "coloring")}  # type: ignore[call-arg]
FILES: dict[str, Callable[[Path], Any]] = {
    "rollout": rollout.load,
    "YAML": read_yaml,
    "lesson": lambda path: chapters.read(path, {}),
    "parameters": parameters.stored,
    "configuration of others": lambda path: published_config.read(path, "trm"),
    "weights of others": read_tensors,
    "safetensors of others": lambda path: read_tensors(path.rename(path.with_suffix(".safetensors"))),
    "puzzles": lambda path: own.read(PUZZLES["sudoku"], path),
    "table of Sudokus": lambda path: sudoku_files.read(path, True),
    "archive of ARC": arc_files.read,
    "pictures": image_files.read_images,
    "pictures of Keras": image_files.read_npz,
    "file to recognize": digests.content_digest,
    "notebook": notebook.read,
}
TEXTS: dict[str, Callable[[str], Any]] = {
    **{kind: lambda text, task=task: own.typed(task, text) for kind, task in PUZZLES.items()},
    "run": RunConfig.from_json,
    "board": Board.from_json,
    "state": State.from_json,
    "override": lambda text: preset("debug").override([text, f"train.steps={text}"]),
    "parameter": lambda text: parameters.check(
        {"n": parameters.Parameter("n", "int | dict", 0)}, parameters.assignments([f"n={text}"])
    ),
    "lesson": lambda text: chapters.read(f"{text}\n", {}),
}


def is_ours(error: Exception) -> bool:
    """Whether an error is a sentence of this project."""
    named = type(error).__module__.split(".")[0] in ("gram", "gramviz")
    return named or str(error).startswith("this is not a board: ")


@pytest.mark.parametrize("kind", FILES)
def test_a_pipe_that_nobody_fills_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Exception, match=r"\w") as found:
        FILES[kind](tmp_path / "pipe")
    assert is_ours(found.value), repr(found.value)


def test_a_container_may_have_less_memory_than_its_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, expected in (("1048576\n", 1 << 20), ("max\n", None)):
        (tmp_path / "limit").write_text(limit)
        monkeypatch.setattr(bounded, "CONTAINER", (tmp_path / "limit", tmp_path / "none"))
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        assert bounded.memory() == (expected or whole)


@pytest.mark.parametrize("kind", FILES)
def test_random_bytes_are_refused_in_a_sentence(kind: str, tmp_path: Path) -> None:
    for number, content in enumerate(
        (b"", b"\xff\xfe\x00", b"\x1f\x8b\x08", b"[" * 100_000, b"PK\x03\x04" + bytes(99))
    ):
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(content)
        try:
            FILES[kind](path)
        except Exception as error:
            assert is_ours(error), repr(error)  # noqa: PT017 (an empty file may be read)


HOSTILE = (
    "", "\0", "³", "٣", "9" * 5_000, "[" * 50_000, '{"a":' * 50_000, "1e999", "NaN", "-Infinity", "\ud800", "\u202e",
    '{"__proto__": {"x": 1}}', '{"v": null}', "{[]: 1}", "!!python/name:os.system", "&a [*a]", "? [a]\n: b", "<<: 1",
    "=", "!!int x", "!!timestamp x", "!!binary é", "p edge 8 9999999999999", "p edge 8 1\ne ³ 1", "8/8/8/8/8/8/8/8",
    "²Q6/8/8/8/8/8/8/8", "." * 81, "5" * 81, "/" * 99, "%" * 99, "lesson: 1\nchapters: [{at: .nan, say: [a]}]",
)  # fmt: skip


@pytest.mark.parametrize("kind", TEXTS)
def test_a_hostile_text_is_read_or_refused_in_a_sentence(kind: str) -> None:
    for text in HOSTILE:
        refused(kind, text)


@pytest.mark.parametrize("kind", TEXTS)
@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(text=st.text(max_size=90) | st.text("0123456789.QK/-:{}[],\"' \nep³é*&!", max_size=90))
@example(text="")
def test_a_random_text_is_read_or_refused_in_a_sentence(kind: str, text: str) -> None:
    refused(kind, text)


def refused(kind: str, text: str) -> None:
    try:
        TEXTS[kind](text)
    except Exception as error:
        assert is_ours(error), f"{text[:60]!r}: {error!r}"  # noqa: PT017 (some are read)


def test_a_table_of_one_endless_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.csv.gz"
    path.write_bytes(gzip.compress(b"source,question,answer,rating\n" + b"1" * 50_000_000, compresslevel=1))
    with pytest.raises(sudoku_files.TaskError, match="row 2: 1 fields stand under 4 columns"):
        sudoku_files.read(path, True)


def test_weights_of_others_that_unpack_to_more_than_they_are_get_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(1_000_000)}, tmp_path / "plain")
    with zipfile.ZipFile(tmp_path / "plain") as plain, zipfile.ZipFile(tmp_path / "packed", "w", 8) as packed:
        for entry in plain.namelist():
            packed.writestr(entry, plain.read(entry))
    assert read_tensors(tmp_path / "plain").tensors["w"].shape == (1_000_000,)
    with pytest.raises(PublishedError, match="packed is damaged, or holds more than tensors"):
        read_tensors(tmp_path / "packed")
    torch.save({"w": torch.zeros(1).expand(10**12)}, tmp_path / "wide")
    with pytest.raises(PublishedError, match=r"w in .*wide repeats one value"):
        read_tensors(tmp_path / "wide")


def test_a_rollout_whose_words_for_levels_are_none_is_refused() -> None:
    board = Board.from_json(PUZZLES["sudoku"].board.to_json())
    tokens = PUZZLES["sudoku"].parse("." * 81)[None]
    for levels in ("{", "3", json.dumps({})):
        with pytest.raises(rollout.RolloutError, match=f"levels is '{levels}'; it must be a JSON list"):
            rollout.make(board, {"x": tokens, "tokens": tokens[:, None, None]}, levels=levels)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: gv.explore(None), "a rollout is an xarray.Dataset, not NoneType"),
        (lambda: gv.freeze(None), "a rollout is an xarray.Dataset, not NoneType"),
        (lambda: gv.explore("nqueens8-gram"), "there is no rollout file 'nqueens8-gram'; `gram sample"),
        (lambda: gv.compare([None]), r"compare takes two to four rollouts, not 1; write gv.compare\(trm, gram\)"),
    ],
)
def test_what_is_no_rollout_is_refused_in_a_sentence(act: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says) as found:
        act()
    assert is_ours(found.value)
