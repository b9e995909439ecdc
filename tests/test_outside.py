"""What comes from outside, file by file and text by text: read, or refused in one sentence before it costs anything.

Every day a seeded sample; `make faults` tries 10,000 inputs of each kind.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from full import sampled
from hypothesis import given
from hypothesis import strategies as st
from whole import HOSTILE, files, small_rollout, texts, variant

import gramviz as gv
from gram import bounded, rollout
from gram import checkpoint as store
from gram.board import Board
from gram.config import RunConfig
from gram.presets import preset
from gram.release import published_config
from gram.release.published_config import PublishedError
from gram.release.published_files import read_tensors
from gram.safe_yaml import read_yaml
from gram.tasks import TASKS, arc_files, digests, image_files, own, sudoku_files
from gram.training.run import Run
from gramviz.explorer import chapters
from gramviz.explorer.pack import pack
from gramviz.explorer.state import State
from gramviz.explorer.widget import Explorer
from gramviz.reports import parameters
from gramviz.reports.execute import kernel_of
from gramviz.reports.report import Plan

PUZZLES = {kind: TASKS[kind](TASKS[kind].Config()) for kind in ("sudoku", "nqueens", "coloring")}  # type: ignore[call-arg]


@cache
def shown() -> Any:
    """The payload that lessons and states are for."""
    return pack(small_rollout())


def planned(path: Path) -> Any:
    """A notebook, read and checked as before a run."""
    plan = Plan.of(path, {}, {})
    return kernel_of(plan.draft), plan.record()


def puzzles(path: Path) -> Any:
    return own.read(PUZZLES["sudoku"], path)


FILES: dict[str, Callable[[Path], Any]] = {
    "rollout": lambda path: pack(rollout.load(path)),
    "rollout of a page": lambda path: pack(rollout.load(path)),
    "YAML": read_yaml,
    "lesson": lambda path: chapters.read(path, shown().meta),
    "parameters": parameters.stored,
    "configuration of others": lambda path: published_config.read(path, "trm"),
    "weights of others": read_tensors,
    "safetensors of others": lambda path: read_tensors(path.rename(path.with_suffix(".safetensors"))),
    "puzzles": puzzles,
    "puzzles as JSON": puzzles,
    "puzzles as CSV": puzzles,
    "graphs": lambda path: own.read(PUZZLES["coloring"], path),
    "table of Sudokus": lambda path: sudoku_files.read(path, True),
    "task of ARC": arc_files.read,
    "archive of ARC": arc_files.read,
    "pictures": image_files.read_images,
    "pictures of Keras": image_files.read_npz,
    "file to recognize": digests.content_digest,
    "notebook": planned,
}
TEXTS: dict[str, Callable[[str], Any]] = {
    **{kind: lambda text, task=task: own.typed(task, text) for kind, task in PUZZLES.items()},
    "run": RunConfig.from_json,
    "board": Board.from_json,
    "state": lambda text: Explorer(shown(), **State.from_json(text).keys).to_python(),
    "override": lambda text: preset("debug").override([text if "=" in text else f"train.steps={text}"]),
    "parameter": lambda text: parameters.check(
        {"n": parameters.Parameter("n", "int | dict", 0)}, parameters.assignments([f"n={text}"])
    ),
    "lesson": lambda text: chapters.read(f"{text}\n", shown().meta),
}
CHECKPOINT = (store.CONFIG, store.WEIGHTS, store.TRAINING)
MOST_MEMORY = 1 << 30  # bytes that reading one kind may add to what this process ever held


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_MEMORY


def is_ours(error: Exception) -> bool:
    """Whether an error is a sentence of this project."""
    return type(error).__module__.split(".")[0] in ("gram", "gramviz")


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


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A legal file of each kind."""
    return {kind: path.read_bytes() for kind, path in files(tmp_path_factory.mktemp("whole")).items()}


@pytest.mark.parametrize("kind", FILES)
@sampled(20)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_a_sentence(
    kind: str, whole: dict[str, bytes], tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data.draw(variant(whole[kind])))
    accepted(lambda: FILES[kind](path))


@pytest.mark.parametrize("kind", FILES)
def test_a_whole_file_is_read(kind: str, whole: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(whole[kind])
    assert FILES[kind](tmp_path / "file") is not None


@pytest.mark.parametrize("name", CHECKPOINT)
@sampled(20)
@given(data=st.data())
def test_a_damaged_checkpoint_is_read_or_refused_in_a_sentence(
    name: str, debug_checkpoint: Path, tmp_path: Path, data: st.DataObject
) -> None:
    for other in CHECKPOINT:
        if not (tmp_path / other).exists():
            (tmp_path / other).write_bytes((debug_checkpoint / other).read_bytes())
    (tmp_path / name).write_bytes(data.draw(variant((debug_checkpoint / name).read_bytes())))
    if name == store.TRAINING:
        accepted(Run(preset("debug"), tmp_path).resume)
    else:
        accepted(lambda: store.load(tmp_path))


@pytest.mark.parametrize("kind", TEXTS)
def test_a_hostile_text_is_read_or_refused_in_a_sentence(kind: str) -> None:
    for text in HOSTILE:
        accepted(lambda text=text: TEXTS[kind](text))  # type: ignore[misc]


@pytest.mark.parametrize("kind", TEXTS)
@sampled(40)
@given(data=st.data())
def test_a_random_text_is_read_or_refused_in_a_sentence(kind: str, data: st.DataObject) -> None:
    some = st.text(max_size=90) | st.text("0123456789.QK/-:{}[],\"' \nep³é*&!", max_size=90)
    near = variant(texts()[kind].encode()).map(lambda text: text.decode(errors="surrogateescape"))
    text = data.draw(some | near)
    accepted(lambda: TEXTS[kind](text))


@pytest.mark.parametrize("kind", TEXTS)
def test_a_whole_text_is_read(kind: str) -> None:
    TEXTS[kind](texts()[kind])


def accepted(read: Callable[[], Any]) -> None:
    """Fail unless this reads something or is refused in a sentence of ours."""
    try:
        read()
    except Exception as error:
        assert is_ours(error), repr(error)[:500]  # noqa: PT017 (some are read)
        assert "\n" not in str(error), str(error)[:500]  # noqa: PT017
        assert len(str(error)) < 2_000, str(error)[:500]  # noqa: PT017


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
