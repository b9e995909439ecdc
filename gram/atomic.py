"""Files written whole or not at all: under a temporary name beside their own, and then renamed.

A process that is killed while it writes leaves that file behind; the next one that writes into the folder removes it.
"""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gram.bounded import nameable

HOST = re.sub(r"[^A-Za-z0-9_-]", "", platform.node()) or "host"
DAY = 86_400  # seconds
_LEFT = re.compile(r"\..+\.(?P<host>[A-Za-z0-9_-]+)\.(?P<process>\d+)\.partial(\.\w+)?")


def temporary(path: Path) -> Path:
    """Where this process writes what shall become `path`."""
    return path.with_name(f".{path.stem}.{HOST}.{os.getpid()}.partial{path.suffix}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """The place to write; it becomes `path` if all goes well, and is gone if not.

    Raises:
        OSError: the folder cannot be written, or `path` is a device or a pipe, which root would rename a file over.
    """
    if nameable(path).exists() and not path.is_file():
        raise OSError("it is no ordinary file")
    sweep(path.parent)
    partial = temporary(path)
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()


def write(path: Path, content: bytes | str) -> None:
    """Write a file, whole or not at all, and flush it to the disk; errors as in `replacing`."""
    with replacing(path) as partial, partial.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


def sweep(folder: Path) -> None:
    """Remove what killed processes left in a folder: of this machine, at once; of others, when it is a day old."""
    with suppress(OSError):
        for path in folder.iterdir():
            found = _LEFT.fullmatch(path.name)
            if found and (
                not _runs(int(found["process"])) if found["host"] == HOST else time.time() - path.stat().st_mtime > DAY
            ):
                path.unlink()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
