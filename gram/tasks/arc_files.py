"""ARC tasks in memory, and how they are read from the official JSON, straight from a zip archive.

An ARC task is a few demonstration pairs of grids that follow one rule, and test pairs that follow it too. Format:
https://github.com/fchollet/ARC-AGI (JSON, grids of at most 30 x 30 colors 0 to 9); layouts: `LAYOUTS`.

Nothing is unpacked to disk, and no entry is read before its name and size are found plausible; so an archive can only
be read or refused, in one sentence that names the file and the fault. Left out: the single files of Kaggle's contests.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gram.bounded import parse_json, regular
from gram.tasks.base import TaskError

Grid = NDArray[np.uint8]  # [row, column], colors 0 to 9
Pair = tuple[Grid, Grid]  # input, output

SIDE = 30  # rows and columns of the largest grid
MEMBER = 1 << 20  # bytes of the largest entry; the largest official one has 68,863
ARCHIVE = 64 << 20  # bytes of all of them
ENTRIES = 10_000
PAIRS = 100  # of one part of a task; the official ones have at most 10

# The folders of the archives -> whether their tasks are for training, tests included.
LAYOUTS = {"data/training": True, "data/evaluation": False, "MinimalTasks": True, "corpus/*": False}
_PLACE = re.compile(r"(data/training|data/evaluation|MinimalTasks|corpus/\w{1,64})/(\w{1,64})\.json", re.ASCII)


@dataclass(frozen=True)
class ArcTask:
    """An ARC task.

    Attributes:
        name: its id, e.g. `007bbfb7`.
        demonstrations, tests: pairs that follow its rule.
        training: whether its tests may be trained on too.
    """

    name: str
    demonstrations: tuple[Pair, ...]
    tests: tuple[Pair, ...]
    training: bool

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The demonstrations, then the tests."""
        return self.demonstrations + self.tests

    @property
    def side(self) -> int:
        """Rows or columns, whichever is more, of its largest grid."""
        return max(side for pair in self.pairs for grid in pair for side in grid.shape)


def read(path: Path) -> list[ArcTask]:
    """The tasks of an archive, in the order of its layouts' folders and then of their names.

    Raises:
        TaskError: no archive, a damaged or disguised one, or a task that breaks the format.
    """
    try:
        with zipfile.ZipFile(regular(path)) as archive:
            found = [_book(path.name, name, text) for name, text in sorted(_entries(path.name, archive))]
    except TaskError:
        raise
    except OSError as error:
        raise TaskError(f"cannot read {path}: {error.strerror or error}; give a zip archive of ARC tasks") from error
    except Exception as error:  # zipfile and its decompressors raise whatever the damaged bytes provoke
        reason = shorten(str(error) or type(error).__name__, 120)
        raise TaskError(f"{path.name} is not a readable zip archive ({reason}); fetch it again") from error
    if not found:
        raise TaskError(f"{path.name} holds no ARC task; its JSON files must lie in {', '.join(LAYOUTS)}")
    found.sort(key=lambda arc_task: (not arc_task.training, arc_task.name))
    for name, same in groupby(sorted(arc_task.name for arc_task in found)):
        if len(list(same)) > 1:
            raise TaskError(f"{path.name} holds two tasks named {name}; keep one of them")
    return found


def _entries(file: str, archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every JSON entry; other entries are not opened."""
    entries = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".json")]
    if len(entries) > ENTRIES:
        raise TaskError(f"{file} holds {len(entries):,} JSON files; at most {ENTRIES:,} are read")
    for entry in entries:
        if not _PLACE.fullmatch(entry.filename):
            raise TaskError(f"{file} holds {entry.filename[:80]!r}; ARC tasks lie in {', '.join(LAYOUTS)} only")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others may ask for gigabytes
            raise TaskError(f"{file}: {entry.filename} is packed by method {entry.compress_type}; pack it by deflate")
        if entry.flag_bits & 1:
            raise TaskError(f"{file}: {entry.filename} is encrypted; pack it without a password")
        if entry.file_size > MEMBER:
            raise TaskError(f"{file}: {entry.filename} has {entry.file_size:,} bytes; a task has at most {MEMBER:,}")
    total = sum(entry.file_size for entry in entries)
    if total > ARCHIVE:
        raise TaskError(f"{file} unpacks to {total:,} bytes; at most {ARCHIVE:,} are read")
    for entry in entries:
        with archive.open(entry) as opened:
            yield entry.filename, opened.read(MEMBER + 1)


def _book(file: str, place: str, text: bytes) -> ArcTask:
    match = _PLACE.fullmatch(place)
    assert match is not None  # held by _entries
    try:
        return parse_task(text, match[2], LAYOUTS.get(match[1], False))
    except TaskError as error:
        raise TaskError(f"{file}: {place}: {error}") from None


def parse_task(text: bytes | str, name: str, training: bool) -> ArcTask:
    """The task that an official JSON text describes; keys other than `train` and `test` are left alone.

    Raises:
        TaskError: not JSON, or another form than ARC's.
    """
    try:
        raw = parse_json(text)
    except ValueError as error:  # bad UTF-8 is one too
        raise TaskError(f"this is not JSON ({error}); write an ARC task") from None
    if not isinstance(raw, dict) or not {"train", "test"} <= raw.keys():
        raise TaskError("an ARC task is an object with 'train' and 'test'; this is another thing")
    arc_task = ArcTask(name, _pairs(raw["train"], "train"), _pairs(raw["test"], "test"), training)
    known: dict[tuple[tuple[int, ...], bytes], Grid] = {}
    for at, (given, answer) in enumerate(arc_task.pairs, 1):
        before = known.setdefault((given.shape, given.tobytes()), answer)
        if not np.array_equal(before, answer):
            raise TaskError(f"pair {at} gives another output to an input that came before; a rule has one answer")
    return arc_task


def _pairs(raw: Any, part: str) -> tuple[Pair, ...]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= PAIRS:
        raise TaskError(f"{part!r} must be a list of 1 to {PAIRS} pairs; this one is {_shown(raw)}")
    pairs = []
    for at, pair in enumerate(raw, 1):
        if not isinstance(pair, dict) or not {"input", "output"} <= pair.keys():
            raise TaskError(f"{part} pair {at} must be an object with 'input' and 'output'; it is {_shown(pair)}")
        pairs.append(
            (
                read_grid(pair["input"], f"{part} pair {at}, input"),
                read_grid(pair["output"], f"{part} pair {at}, output"),
            )
        )
    return tuple(pairs)


def read_grid(raw: Any, where: str) -> Grid:
    """The grid [row, column] that JSON lists of whole numbers describe; `where` begins the message of an error.

    Raises:
        TaskError: no list of equally long lists of 1 to 30 whole numbers 0 to 9.
    """
    if not isinstance(raw, list) or not 1 <= len(raw) <= SIDE:
        raise TaskError(f"{where}: a grid is a list of 1 to {SIDE} rows; this one is {_shown(raw)}")
    for at, row in enumerate(raw, 1):
        if not isinstance(row, list) or not 1 <= len(row) <= SIDE:
            raise TaskError(f"{where}: row {at} must be a list of 1 to {SIDE} colors; it is {_shown(row)}")
        if len(row) != len(raw[0]):
            raise TaskError(f"{where}: row {at} has {len(row)} cells and row 1 has {len(raw[0])}; make them equal")
        for cell in row:
            if type(cell) is not int or not 0 <= cell <= 9:  # a bool is an int, but no color
                raise TaskError(f"{where}: row {at} holds {_shown(cell)}; a color is a whole number from 0 to 9")
    return np.array(raw, dtype=np.uint8)


def _shown(value: Any) -> str:
    """A wrong value in a few words."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)} keys"
    text = json.dumps(value)
    return text if len(text) <= 30 else f"{text[:27]}..."
