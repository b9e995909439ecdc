"""Processes that tests start: none outlives its test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def started(command: Sequence[str | Path], **how: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that is killed where the block ends, however it ends: `with Popen` alone would wait for it forever."""
    with subprocess.Popen(command, **how) as process:
        try:
            yield process
        finally:
            process.kill()
