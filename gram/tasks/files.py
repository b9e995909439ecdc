"""Where data files come from: a folder that `$GRAM_DATA` names, then a cache; by download only when somebody asks.

`FILES` lists every file that a task may read, with its size and sha256, so that a file can be checked and a wrong one
is never taken for the right one. Only MNIST has public mirrors that hold these very bytes (the addresses are those of
torchvision's `MNIST.mirrors` and of the CVDF copy); the other files were put together for this project.

`pooch` would fetch and check, but it does not go on with a broken download; the standard library does all of it in the
hundred lines below. Left out: parallel downloads, and a lock between two processes that fetch one file (both would
write the same `.partial`; the checksum then refuses what they made).
"""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from gram.bounded import InputError
from gram.suggest import did_you_mean

CHUNK = 1 << 16  # bytes that are read at once
TRIES = 8  # connections to one mirror, each of which resumes where the one before it broke
TIMEOUT = 30.0  # seconds that a mirror may be silent

_MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")


class DataError(InputError):
    """A data file that is absent, altered, damaged or cannot be fetched; one sentence with a cure.

    Attributes:
        missing: the name of the file, where it is one of `FILES` that is simply not here.
    """

    def __init__(self, message: str, missing: str | None = None) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass(frozen=True)
class File:
    """A data file as it must be.

    Attributes:
        name: its path below the data folder, with `/`.
        what: what it holds, in a few words.
        size: in bytes.
        sha256: of its bytes, in hex.
        prepare: the words after `gram data prepare` that read it.
        mirrors: addresses that hold the same bytes, tried in this order.
    """

    name: str
    what: str
    size: int
    sha256: str
    prepare: str
    mirrors: tuple[str, ...] = ()


def _mnist(name: str, what: str, size: int, sha256: str) -> File:
    mirrors = tuple(mirror + name for mirror in _MNIST)
    return File(f"mnist/{name}", what, size, sha256, "images dataset=mnist", mirrors)


FILES: dict[str, File] = {
    file.name: file
    for file in (
        _mnist(
            "train-images-idx3-ubyte.gz", "60,000 MNIST images", 9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        _mnist(
            "train-labels-idx1-ubyte.gz", "their labels", 28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        _mnist(
            "t10k-images-idx3-ubyte.gz", "10,000 MNIST test images", 1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        _mnist(
            "t10k-labels-idx1-ubyte.gz", "their labels", 4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
        File(
            "sudoku/train.csv.gz", "185,294 Sudoku puzzles", 12_605_329,
            "3aca1174c67d9f8d83f4253a23e8d7486c9581a12ab530ba1d3f6937e6ea23b4", "sudoku",
        ),
        File(
            "sudoku/test.csv.gz", "19,932 held-out Sudoku puzzles", 1_352_993,
            "98aac3289e89c91b820478c6ee018e20e3f4bf3e36a9c3ecbbe248d49877e799", "sudoku",
        ),
        File(
            "arc/arc-agi-1.zip", "ARC-AGI-1, 400 + 400 tasks", 405_882,
            "483c897e1f9cc1fcf381879a867d7e008bad76ce2f10004018f602ba015a2d65", "arc",
        ),
        File(
            "arc/arc-agi-2.zip", "ARC-AGI-2, 1,000 + 120 tasks", 587_285,
            "02ba9ee89affbb9d1b2143b37d0fc65e8895a512a29b03af149483ae6ea38cbb", "arc",
        ),
        File(
            "arc/conceptarc.zip", "ConceptARC, 160 + 16 tasks", 74_175,
            "db93a9eabed75aac32a3002e1aa0eae9f7d947a4e99cee5addebb8357eb2966d", "arc",
        ),
    )
}  # fmt: skip


def folder() -> Path:
    """The cache folder, made if need be: `$GRAM_CACHE`, else ~/.cache/gram.

    Raises:
        DataError: it cannot be made.
    """
    path = Path(os.environ.get("GRAM_CACHE") or Path.home() / ".cache" / "gram")
    _make(path)
    return path


def places() -> dict[str, Path]:
    """The folders that are searched, by the name of each, in order; none of them need exist."""
    given = os.environ.get("GRAM_DATA")
    cache = Path(os.environ.get("GRAM_CACHE") or Path.home() / ".cache" / "gram")
    return ({"GRAM_DATA": Path(given)} if given else {}) | {"cache": cache}


def find(name: str) -> tuple[str, Path] | None:
    """The place's name (see `places`) and the path of a file that is here, else None.

    Raises:
        DataError: the name leads out of the data folder.
    """
    plain = PurePosixPath(name)
    if not plain.parts or plain.is_absolute() or ".." in plain.parts or "\\" in name or "\0" in name:
        raise DataError(f"{name!r} is no data file; write a path below the data folder, e.g. sudoku/train.csv.gz")
    for place, root in places().items():
        for form in _forms(name):
            if (root / form).is_file() or (name.endswith(".zip") and (root / form).is_dir()):
                return place, root / form
    return None


def _forms(name: str) -> list[str]:
    """Where a file may lie: as it is called, or as others pack it (torchvision keeps MNIST in `raw`)."""
    bare = name.removesuffix(".gz").removesuffix(".zip")
    forms = [name, bare]
    if name.endswith(".zip"):
        forms.append(f"{bare}.json")
    if name.startswith("mnist/"):
        base = bare.removeprefix("mnist/")
        folders = ("mnist/raw", "MNIST/raw", "mnist/MNIST/raw", "mnist")
        forms += [f"{folder}/{one}" for folder in folders for one in (base, f"{base}.gz", base.replace("-idx", ".idx"))]
    return forms


def path(name: str) -> Path:
    """The file of this name, e.g. `sudoku/train.csv.gz`, in `$GRAM_DATA` or else in the cache. Nothing is downloaded.

    Its bytes are not read here; `verify` compares them with the manifest.

    Raises:
        DataError: it is not here; `missing` names it, and the message says how to get it.
    """
    found = find(name)
    if found:
        return found[1]
    sought = " and ".join(str(root) for root in places().values())
    if name not in FILES:
        raise DataError(f"there is no data file {name!r} in {sought}; {_known(name)}")
    cure = "set GRAM_DATA to the folder that holds it (`gram data list` says what it is)"
    if FILES[name].mirrors:
        cure = f"fetch it with `gram data prepare {FILES[name].prepare} --download`, or {cure}"
    raise DataError(f"there is no {name} in {sought}; {cure}", missing=name)


def verify(name: str) -> Path:
    """The file of this name, after all its bytes were compared with the manifest.

    Raises:
        DataError: it is not here, not in the manifest, cannot be read, or has other bytes.
    """
    file, here = _file(name), path(name)
    try:
        size = here.stat().st_size
        found = sha256(here) if size == file.size else None
    except OSError as error:
        raise DataError(f"cannot read {here}: {error.strerror}; see to its permissions") from error
    if found != file.sha256:
        text = f"{size:,} bytes" if found is None else f"sha256 {found[:12]}..."
        due = f"{file.size:,}" if found is None else f"{file.sha256[:12]}..."
        raise DataError(f"{here} is not the file that the manifest names: {text} instead of {due}; replace it")
    return here


def sha256(here: Path) -> str:
    """sha256 of a file's bytes, in hex."""
    with here.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def download(
    name: str, mirrors: Sequence[str] | None = None, progress: Callable[[int, int], object] = lambda done, size: None
) -> Path:
    """Fetch a file into the cache and return its path; a file that is already there and right is left alone.

    The bytes go to `NAME.partial`, which a later call resumes (HTTP Range); only when their sha256 is that of the
    manifest does the file get its name. The mirrors are tried in turn.

    Args:
        mirrors: addresses to try instead of those in the manifest.
        progress: called with the bytes that are here and the size of the whole, after each chunk.
    Raises:
        DataError: nobody offers the file, no mirror delivered it (each is named with its reason), or the cache cannot
            be written.
    """
    file = _file(name)
    mirrors = file.mirrors if mirrors is None else mirrors
    if not mirrors:
        raise DataError(f"nobody offers {name} for download; set GRAM_DATA to the folder that holds it")
    goal = folder() / name
    _make(goal.parent)
    if goal.is_file() and sha256(goal) == file.sha256:
        return goal
    partial = goal.with_name(f"{goal.name}.partial")
    failures = []
    for mirror in mirrors:
        failure = _fetch(mirror, file, partial, progress)
        if failure is None:
            partial.replace(goal)
            return goal
        failures.append(f"{urlsplit(mirror).netloc or mirror} ({failure})")
    raise DataError(
        f"no mirror delivered {name}: {', '.join(failures)}; try again later, or put the file into {goal.parent}"
    )


def _fetch(mirror: str, file: File, partial: Path, progress: Callable[[int, int], object]) -> str | None:
    """Fill `partial` from one mirror until it is the whole file; the reason in words where that fails, else None."""
    for _ in range(TRIES):
        begun = partial.stat().st_size if partial.is_file() else 0
        failure = _download(mirror, file, partial, progress) if begun < file.size else None
        size = partial.stat().st_size if partial.is_file() else 0
        if size == file.size and sha256(partial) == file.sha256:
            return None
        if size >= file.size:  # wrong bytes, perhaps from before: once more from the beginning, if these were resumed
            partial.unlink()
            failure = "its bytes have another sha256" if size == file.size else f"it sent more than {file.size:,} bytes"
            if begun == 0:
                return failure
        elif size <= begun:
            return failure or "it sent nothing"
    return failure or "the connection broke too often"


def _download(mirror: str, file: File, partial: Path, progress: Callable[[int, int], object]) -> str | None:
    """Append to `partial` what one connection yields; why it ended early in words, else None."""
    begun = partial.stat().st_size if partial.is_file() else 0
    request = urllib.request.Request(mirror, headers={"User-Agent": "gram", "Accept-Encoding": "identity"})
    if begun:
        request.add_header("Range", f"bytes={begun}-")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {begun}-")
            done = begun if goes_on else 0
            while chunk := answer.read(CHUNK):
                done += len(chunk)
                _write(partial, chunk, fresh=done == len(chunk))
                progress(done, file.size)
                if done > file.size:
                    break
            return None if done >= file.size else f"the connection broke after {done:,} of {file.size:,} bytes"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.reason}"
    except urllib.error.URLError as error:
        return str(getattr(error.reason, "strerror", None) or error.reason)
    except (OSError, http.client.HTTPException) as error:
        return f"the connection broke: {error}"


def _write(partial: Path, chunk: bytes, fresh: bool) -> None:
    try:
        with partial.open("wb" if fresh else "ab") as opened:
            opened.write(chunk)
    except OSError as error:
        raise DataError(_unwritable(partial, error)) from error


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(_unwritable(path, error)) from error


def _unwritable(path: Path, error: OSError) -> str:
    return f"cannot write {path}: {error.strerror}; set GRAM_CACHE to a folder that can be written"


def _file(name: str) -> File:
    if name not in FILES:
        raise DataError(f"the manifest has no data file {name!r}; {_known(name)}")
    return FILES[name]


def _known(name: str) -> str:
    return f"known: {', '.join(FILES)}{did_you_mean(name, FILES)}"
