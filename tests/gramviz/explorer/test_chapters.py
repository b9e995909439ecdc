"""Lessons are checked before they play: what is right is resolved to indices, what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gramviz.explorer.chapters import LessonError, read
from gramviz.explorer.pack import pack
from gramviz.explorer.state import StateError
from gramviz.explorer.widget import Explorer

HEAD = "lesson: 1\ntitle: T\nchapters:\n"


@pytest.fixture(scope="module")
def pair(trm, gram):
    """TRM's one trajectory and fifty others."""
    return pack([trm, gram])


def test_moments_cells_and_paths_become_indices(pair) -> None:
    lesson = read(
        HEAD
        + '  - {at: "7.2", say: Look., highlight: {cells: [r4c6], trajectories: [[B, 12]]}, note: for me}\n'
        '  - {quiz: Which one, kind: cell, until: "7.3", answer: [r1c1]}\n'.replace("7.3", "8.1"),
        pair.meta,
    )
    first, second = lesson["chapters"]
    assert first["at"] == 14
    assert first["highlight"] == {"cells": [29], "trajectories": [["B", 12]], "part": None}
    assert "note" not in first
    assert second["quiz"] == {"kind": "cell", "until": 15, "answer": [0]}
    assert read(HEAD + "  - {at: end, say: The end.}\n", pair.meta)["chapters"][0]["at"] == 32


@pytest.mark.parametrize(
    ("chapter", "says"),
    [
        ("- {at: init, says: Hello}", r"line 4: unknown key 'says'; known: .* \(did you mean 'say'\?\)"),
        ("- {at: init}", "line 4: this chapter has no 'say'"),
        ("- at: 7.2\n    say: x", r"line 4: at is 7.2; put a moment in quotes"),
        ("- at: init\n    say: x\n    show: {color: series}", "line 6: unknown key 'color'"),
        ("- at: init\n    say: x\n    show: {color_by: size}", "line 6: color_by is 'size'; allowed: outcome"),
        ("- at: init\n    say: x\n    highlight: {cells: [r9c9]}", "line 6: there is no cell 'r9c9'"),
        ("- at: init\n    say: x\n    highlight: {trajectories: [[B, 70]]}", r"line 6: \['B', 70\] is no trajectory"),
        ("- at: init\n    say: x\n    highlight: {cells: null}", r"line 6: cells is None; write a list, e.g. \[r4c6\]"),
        ("- at: init\n    say: x\n    highlight: {trajectories: 3}", "line 6: trajectories is 3; write a list"),
        ("- at: '3.1'\n    say: x\n    play: {to: '2.1'}", "line 6: play ends at '2.1', not after '3.1'"),
        ("- quiz: x\n    kind: guess\n    until: '2.1'", "line 5: kind is 'guess'; allowed: cell, token"),
        ("- quiz: x\n    kind: choice\n    until: '2.1'\n    choices: [a, b]\n    answer: 3", "line 8: answer is 3; a"),
        ("- quiz: x\n    kind: trajectory\n    until: '2.1'", "needs its answer"),
        ("- at: '90.1'\n    say: x", "line 4: there is no moment '90.1'"),
        ("- {at: init, at: end, say: x}", "line 4: the key 'at' stands here twice"),
        ("- [", "line 5: this is not YAML"),
    ],
)  # fmt: skip
def test_errors_name_line_and_key(pair, chapter: str, says: str) -> None:
    with pytest.raises(LessonError, match=says):
        read(HEAD + f"  {chapter}\n", pair.meta)


ALIASES = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f"a0: &a0 x\n{ALIASES}".encode(), "lesson.yaml, line 2: this is not YAML .*: aliases .* are not read"),
        ("title: Gr\u00fc\u00dfe\n".encode("latin-1"), "lesson.yaml, line 1: .*start byte; save it as UTF-8 text"),
        (b"lesson: 1\ntitle: a\x00b\n", r"lesson.yaml, line 2: .* the character '\\x00' is not allowed"),
        (b"a: " + b"[" * 5_000, "lesson.yaml, line 1: .* it nests more than 50 deep"),
        (b"\nlesson: 2", "lesson.yaml, line 2: lesson is 2"),
        (b"#" * 1_000_001, "lesson.yaml: it has more than 1,000,000 bytes"),
    ],
)
def test_a_file_that_is_no_lesson_is_one_sentence(pair, tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "lesson.yaml").write_bytes(content)
    with pytest.raises(LessonError, match=says):
        read(tmp_path / "lesson.yaml", pair.meta)


def test_an_explorer_teaches_from_a_file(pair, tmp_path: Path) -> None:
    (tmp_path / "lesson.yaml").write_text(HEAD + "  - {at: '2.1', say: Look., show: {theme: dark}}\n")
    explorer = Explorer(pair).teach(tmp_path / "lesson.yaml")
    assert explorer.state["chapter"] == 0
    assert explorer.state["cursor"] == {"step": 3, "low": None}
    assert explorer.state["theme"] == "dark"


def test_python_chooses_and_hears_what_settled(pair) -> None:
    explorer = Explorer(pair)
    chosen, steps = [], []
    end = explorer.on_selection(chosen.append)
    explorer.on_step(steps.append)
    explorer.selection = {"B": [12, 3]}
    explorer.go("2.1").set(theme="dark")
    assert explorer.selection == {"B": [3, 12]}
    assert chosen == [{"B": [3, 12]}]
    assert steps == [3]
    end()
    explorer.selection = {}
    assert len(chosen) == 1
    with pytest.raises(StateError, match="series B has no trajectory 70"):
        explorer.selection = {"B": [70]}
