"""Rollouts for pictures and pages are recorded in a process of its own: torch stays out of the one that draws."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gram.bounded import InputError


class RecordingError(InputError):
    """The rollouts could not be recorded; the message is one sentence."""


def run(code: str, folder: Path) -> None:
    """Run a program in a folder.

    Raises:
        RecordingError: it failed; the message holds its last line.
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise RecordingError(f"the rollouts could not be recorded: {said[-1]}; `gram list` names the checkpoints")
