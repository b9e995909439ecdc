"""Lessons: chapters, captions and quizzes over one rollout, written as YAML and checked before they reach a page.

    lesson: 1
    title: Why one trajectory is not enough
    chapters:
      - {at: init, say: Both models start at the same point.}
      - at: "7.2"
        say: TRM has entered the wrong valley. Look at row 4.
        highlight: {cells: [r4c6], trajectories: [[B, 12]], part: map}
        play: {to: "9.3", speed: 2}
      - quiz: Which cell changes next?
        kind: cell          # cell | token | answer | trajectory | choice
        until: "7.3"        # the future is hidden while it is asked
        answer: auto        # read from the rollout; or [r7c4]; for a choice the number of the right one

A lesson becomes part of the payload's `meta`, so it plays in a frozen page as it does in a notebook. Notes for the
speaker (`note`) are never baked in. Every error names the line, the key, and what is allowed there.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from gram.bounded import InputError, content
from gram.safe_yaml import BoundedLoader, YamlError, parse_yaml
from gram.suggest import did_you_mean
from gramviz.contract import CONTRACT, LIMITS
from gramviz.explorer.payload import clean
from gramviz.explorer.state import State, StateError, cell_of, is_index, is_trajectory, step_of

KINDS = ("cell", "token", "answer", "trajectory", "choice")
PARTS = ("board", "map", "answers", "curves", "time")
MAX_BYTES = 1_000_000
_LESSON = ("lesson", "title", "chapters")
_CHAPTER = ("at", "say", "show", "highlight", "play", "note")
_ASKED = ("quiz", "kind", "until", "answer", "cell", "choices", "right", "wrong", "hint")
_QUIZ = (*_ASKED, "at", "show", "highlight", "note")
# What a chapter may set: not where it stands, which `at` and the lesson itself say.
_SHOW = tuple(key for key in State.known() if key not in ("v", "puzzle", "cursor", "chapter", "brush", "range"))


class LessonError(InputError):
    """A lesson that cannot be played; the message names the file's line, the key, and what is allowed."""


class _Lines(BoundedLoader):
    """YAML in which every mapping remembers the line of each of its keys."""


class _Map(dict[str, Any]):
    """A mapping of the file; `line(key)` is where a key stands, counted from 1."""

    start = 1
    lines: dict[str, int]

    def line(self, key: str | None = None) -> int:
        return self.lines.get(key, self.start) if key else self.start


def _mapping(loader: _Lines, node: yaml.MappingNode) -> _Map:
    found = _Map()
    found.start = node.start_mark.line + 1
    found.lines = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in found:
            raise LessonError(f"line {key_node.start_mark.line + 1}: the key {key!r} stands here twice; keep one")
        found[key] = loader.construct_object(value_node, deep=True)
        found.lines[key] = key_node.start_mark.line + 1
    return found


_Lines.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read(source: str | os.PathLike[str], meta: Mapping[str, Any]) -> dict[str, Any]:
    """A lesson checked against the payload that it is for, as the page reads it: steps and cells by index.

    Args:
        source: the path of a YAML file, or its text (with a line break).
        meta: of the payload.
    Raises:
        LessonError: the first thing that is wrong, with its file and line, or that the file cannot be read.
    """
    if isinstance(source, str) and "\n" in source:
        return _lesson(source.encode(errors="surrogatepass"), meta)
    try:
        return _lesson(content(Path(source), MAX_BYTES), meta)
    except OSError as error:
        raise LessonError(f"cannot read {source}: {error.strerror}; give a lesson as YAML") from error
    except LessonError as error:
        raise LessonError(f"{source}, {error}") from error


def _lesson(text: bytes, meta: Mapping[str, Any]) -> dict[str, Any]:
    try:
        raw = parse_yaml(text, _Lines)
    except YamlError as error:
        raise LessonError(str(error)) from error
    if not isinstance(raw, _Map):
        raise LessonError("line 1: a lesson is a mapping with the keys lesson, title, chapters")
    _known(raw, _LESSON)
    if raw.get("lesson") != 1:
        raise LessonError(f"line {raw.line('lesson')}: lesson is {raw.get('lesson')!r}; this gramviz reads lesson: 1")
    chapters = raw.get("chapters")
    if not isinstance(chapters, list) or not chapters or not all(isinstance(one, _Map) for one in chapters):
        raise LessonError(f"line {raw.line('chapters')}: chapters must be a list with one mapping or more")
    return {"title": clean(raw.get("title", ""), 200), "chapters": [_chapter(one, meta) for one in chapters]}


def _chapter(raw: _Map, meta: Mapping[str, Any]) -> dict[str, Any]:
    quiz = "quiz" in raw
    _known(raw, _QUIZ if quiz else _CHAPTER)
    for key in ("quiz", "kind", "until") if quiz else ("at", "say"):
        if key not in raw:
            raise LessonError(f"line {raw.line()}: this {'quiz' if quiz else 'chapter'} has no {key!r}; add it")
    found: dict[str, Any] = {"say": _text(raw, "quiz" if quiz else "say")}
    found["at"] = _moment(raw, "at", raw["at"], meta) if "at" in raw else None
    if "show" in raw:
        found["show"] = _shown(raw, meta)
    if "highlight" in raw:
        found["highlight"] = _attention(raw, meta)
    if quiz:
        return found | _quiz(raw, meta)
    if "play" in raw:
        play = raw["play"]
        if not isinstance(play, _Map) or "to" not in play:
            raise LessonError(f"line {raw.line('play')}: play is {play!r}; write {{to: '9.3', speed: 2}}")
        _known(play, ("to", "speed"))
        speeds = CONTRACT["state"]["speed"]["enum"]
        if play.get("speed", 4) not in speeds:
            allowed = ", ".join(map(str, speeds))
            raise LessonError(f"line {play.line('speed')}: speed is {play['speed']!r}; allowed: {allowed}")
        found["play"] = {"to": _moment(play, "to", play["to"], meta), "speed": play.get("speed", 4)}
        if found["play"]["to"] <= found["at"]:
            raise LessonError(f"line {play.line('to')}: play ends at {play['to']!r}, not after {raw['at']!r}")
    return found


def _quiz(raw: _Map, meta: Mapping[str, Any]) -> dict[str, Any]:
    kind = raw["kind"]
    if kind not in KINDS:
        raise LessonError(f"line {raw.line('kind')}: kind is {kind!r}; allowed: {', '.join(KINDS)}")
    until = _moment(raw, "until", raw["until"], meta)
    if until < 1:
        raise LessonError(f"line {raw.line('until')}: until is the start; a quiz asks about a later moment")
    quiz: dict[str, Any] = {"kind": kind, "until": until}
    for key in ("right", "wrong", "hint"):
        if key in raw:
            quiz[key] = _text(raw, key)
    answer = raw.get("answer", "auto")
    line = f"line {raw.line('answer')}"
    if kind == "choice":
        choices = raw.get("choices")
        if not isinstance(choices, list) or not 2 <= len(choices) <= 6:
            raise LessonError(f"line {raw.line('choices')}: a choice needs choices, a list of 2 to 6 texts")
        quiz["choices"] = [clean(choice, 200) for choice in choices]
        if not is_index(answer) or not 1 <= answer <= len(choices):
            raise LessonError(f"{line}: answer is {answer!r}; allowed: 1 to {len(choices)}, the right choice's number")
        quiz["answer"] = [answer - 1]
    elif kind == "token":
        if "cell" not in raw:
            raise LessonError(f"line {raw.line()}: a question for a token needs the cell, e.g. cell: r4c6")
        quiz["cell"] = _position(raw, "cell", raw["cell"], meta)
        labels = [token["label"] for token in meta["board"]["tokens"]]
        if answer != "auto" and str(answer) not in labels:
            raise LessonError(f"{line}: answer is {answer!r}; allowed: auto, {', '.join(labels)}")
        quiz["answer"] = "auto" if answer == "auto" else [labels.index(str(answer))]
    elif answer == "auto":
        if kind == "trajectory":
            raise LessonError(f"{line}: a question for a trajectory needs its answer, e.g. answer: [[B, 12]]")
        quiz["answer"] = "auto"
    elif not isinstance(answer, list) or not answer:
        raise LessonError(f"{line}: answer is {answer!r}; allowed: auto, or a list of what is right")
    elif kind == "cell":
        quiz["answer"] = [_position(raw, "answer", name, meta) for name in answer]
    elif kind == "trajectory":
        quiz["answer"] = [_who(raw, "answer", one, meta) for one in answer]
    else:
        letters = [one["letter"] for one in meta["answers"]]
        if not all(one in letters for one in answer):
            raise LessonError(f"{line}: answer is {answer!r}; allowed: {', '.join(filter(None, letters))}")
        quiz["answer"] = [letters.index(one) for one in answer]
    return {"quiz": quiz}


def _shown(raw: _Map, meta: Mapping[str, Any]) -> dict[str, Any]:
    show = raw["show"]
    if not isinstance(show, _Map):
        raise LessonError(f"line {raw.line('show')}: show is a mapping of keys of the state, e.g. {{color_by: series}}")
    _known(show, _SHOW)
    with _named(raw, "show"):
        return State(**show).keys


def _attention(raw: _Map, meta: Mapping[str, Any]) -> dict[str, Any]:
    marked = raw["highlight"]
    if not isinstance(marked, _Map):
        raise LessonError(f"line {raw.line('highlight')}: highlight is a mapping with cells, trajectories, part")
    _known(marked, ("cells", "trajectories", "part"))
    if marked.get("part", "map") not in PARTS:
        raise LessonError(f"line {marked.line('part')}: part is {marked['part']!r}; allowed: {', '.join(PARTS)}")
    for key, example in (("cells", "[r4c6]"), ("trajectories", "[[B, 12]]")):
        if not isinstance(marked.get(key, []), list):
            raise LessonError(f"line {marked.line(key)}: {key} is {marked[key]!r}; write a list, e.g. {example}")
    return {
        "cells": [_position(marked, "cells", name, meta) for name in marked.get("cells", [])],
        "trajectories": [_who(marked, "trajectories", one, meta) for one in marked.get("trajectories", [])],
        "part": marked.get("part"),
    }


def opening(lesson: Mapping[str, Any]) -> dict[str, Any]:
    """The state in which an explorer opens a lesson: that of its first chapter."""
    first = lesson["chapters"][0]
    at = first["at"] if first["at"] is not None else 0
    return {"chapter": 0, "cursor": {"step": at, "low": None}} | first.get("show", {})


def _known(raw: _Map, allowed: tuple[str, ...]) -> None:
    for key in raw:
        if key not in allowed:
            known = ", ".join(allowed)
            raise LessonError(f"line {raw.line(key)}: unknown key {key!r}; known: {known}{did_you_mean(key, allowed)}")


@contextmanager
def _named(raw: _Map, key: str) -> Generator[None, None, None]:
    """An error of the state names the line of the lesson."""
    try:
        yield
    except StateError as error:
        raise LessonError(f"line {raw.line(key)}: {error}") from error


def _text(raw: _Map, key: str) -> str:
    if not isinstance(raw[key], str) or not raw[key].strip():
        raise LessonError(f"line {raw.line(key)}: {key} is {raw[key]!r}; write a sentence")
    return clean(raw[key].strip(), LIMITS["say"])


def _moment(raw: _Map, key: str, value: Any, meta: Mapping[str, Any]) -> int:
    if isinstance(value, float):  # YAML reads 7.2 as a number; 7.20 would then be 7.2
        raise LessonError(f"line {raw.line(key)}: {key} is {value!r}; put a moment in quotes, as in '7.2'")
    with _named(raw, key):
        return int(step_of(meta, str(value))["step"] or 0)


def _position(raw: _Map, key: str, name: Any, meta: Mapping[str, Any]) -> int:
    with _named(raw, key):
        return cell_of(meta["board"], name)


def _who(raw: _Map, key: str, value: Any, meta: Mapping[str, Any]) -> list[Any]:
    counts = {series["letter"]: series["trajectories"] for series in meta["series"]}
    if not is_trajectory(value) or value[0] not in counts or value[1] >= counts[value[0]]:
        shown = ", ".join(f"[{letter}, 0 to {most - 1}]" for letter, most in counts.items())
        raise LessonError(f"line {raw.line(key)}: {value!r} is no trajectory; allowed: {shown}")
    return [str(value[0]), int(value[1])]
