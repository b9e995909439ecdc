"""What is written is whole or not there, and what a killed process left goes with the next write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import started

from gram import atomic

WRITER = """
import sys, time
from pathlib import Path
from gram import atomic, command
def work():
    with atomic.replacing(Path(sys.argv[1])) as partial:
        partial.write_text("half")
        print("begun", flush=True)
        time.sleep(60)
command.run("gram", work)
"""


@pytest.mark.parametrize(
    ("blow", "code", "left"), [(signal.SIGTERM, 143, 0), (signal.SIGINT, 130, 0), (signal.SIGKILL, -9, 1)]
)
def test_a_process_that_is_ended_leaves_the_old_file(blow: int, code: int, left: int, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    atomic.write(path, "old")
    deaf = "import signal; signal.signal(2, signal.default_int_handler)\n"  # where these tests run in a background
    with started([sys.executable, "-c", deaf + WRITER, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"begun\n"
        writer.send_signal(blow)
        assert writer.wait(20) == code
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1 + left
    atomic.write(tmp_path / "b.txt", "another")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_what_others_write_at_this_moment_stays(tmp_path: Path) -> None:
    kept = [tmp_path / f".a.{atomic.HOST}.{os.getppid()}.partial.nc", tmp_path / ".a.elsewhere.99999999.partial"]
    old = tmp_path / ".b.elsewhere.1.partial"
    for path in (*kept, old):
        path.touch()
    os.utime(old, (time.time() - 2 * atomic.DAY,) * 2)
    atomic.sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    atomic.sweep(tmp_path / "none")
