"""Files from outside, read within a budget: what one may take is known before it is taken.

A path may lead to a device that never ends or a pipe that nobody fills, a small file may unpack to a thousand times its
size, and a text may nest deeper than its reader follows.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import stat
import zlib
from pathlib import Path
from typing import IO, Any

# Where Linux says what a container may take: control groups of version 2, and of version 1.
CONTAINER = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
LONGEST = 1_200  # characters of an error


class InputError(ValueError):
    """An input that cannot be used: one sentence with the value, what is allowed, and the fix.

    A value of a megabyte must not fill a screen: the middle of a long sentence is left out, and all of it is one line.
    """

    def __init__(self, sentence: str) -> None:
        if len(sentence) > LONGEST:
            sentence = f"{sentence[: LONGEST * 2 // 3]} ... {sentence[-LONGEST // 3 :]}"
        super().__init__(" ".join(sentence.split("\n")))


class BudgetError(OSError):
    """A file that is none, or has more than it may; the message is the rest of a sentence about it."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EFBIG, why)

    def __str__(self) -> str:
        return str(self.strerror)


def nameable(path: Path) -> Path:
    """The path itself, if a file can have it.

    Raises:
        OSError: it holds NUL, of which the system says nothing but a ValueError.
    """
    if "\0" in str(path):
        raise BudgetError("no name of a file holds the character NUL")
    return path


def regular(path: Path) -> Path:
    """The path itself, if it leads to a file.

    Raises:
        OSError: there is nothing, or a folder, a device, a pipe or a socket.
    """
    nameable(path)
    if not stat.S_ISREG(path.stat().st_mode):
        raise BudgetError("it is a folder, a device or a pipe, and no file")
    return path


def content(path: Path, most: int) -> bytes:
    """The bytes of a file.

    Raises:
        OSError: it cannot be read, is no file, or has more than `most` bytes.
    """
    with regular(path).open("rb") as file:
        return _within(file, most)


def unpacked(path: Path, most: int) -> bytes:
    """The bytes of a file, unpacked where it is gzipped; errors as in `content`, also where the packing is damaged."""
    with regular(path).open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            return _within(gzip.GzipFile(fileobj=file) if packed else file, most)
        except (EOFError, zlib.error) as error:
            raise BudgetError(f"its packing is damaged ({error})") from error


def parse_json(text: str | bytes) -> Any:
    """The plain data of a JSON text.

    Raises:
        ValueError: it is not JSON, nests too deeply, or holds a number of thousands of digits.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error


def read_json(path: Path, most: int = 10_000_000) -> Any:
    """The plain data of a JSON file; errors as in `content` and `parse_json`."""
    return parse_json(content(path, most))


def memory() -> int:
    """The memory that this process may take, in bytes: that of the machine, or of the container, which has less."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in CONTAINER:
        try:
            limits.append(int(path.read_text()))
        except (OSError, ValueError):  # no container of this kind, or one without a limit ("max")
            continue
    return min(limits)


def _within(file: IO[bytes] | gzip.GzipFile, most: int) -> bytes:
    found = file.read(most + 1)
    if len(found) > most:
        raise BudgetError(f"it has more than {most:,} bytes")
    return found
