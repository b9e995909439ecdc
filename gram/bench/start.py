"""What it costs to start, beside `import torch`: `gram bench start`."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from typing import Any

PROGRAMS = {
    "import torch": ["-c", "import torch"],
    "gram.load": ["-c", "import gram; gram.load('nqueens8-gram')"],
    "import gramviz": ["-c", "import gramviz"],
    "gram --help": ["-c", "import sys; from gram.cli import main; sys.argv = ['gram', '--help']; main()"],
}


def start(rounds: int) -> dict[str, Any]:
    """Seconds of the processor of each program, a process each, taking turns, and their ratio to `import torch`."""
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(1 + rounds):  # the first round reads files into memory
        for name, arguments in PROGRAMS.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds[name].append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    medians = {name: statistics.median(measured[1:]) for name, measured in seconds.items()}
    torch = medians["import torch"]
    return {name: {"seconds": round(one, 3), "ratio": round(one / torch, 2)} for name, one in medians.items()}


def table(found: dict[str, Any]) -> str:
    """`start` for a reader."""
    rows = [f"| `{name}` | {one['seconds']:.2f} s | {one['ratio']:.2f} |" for name, one in found.items()]
    return "\n".join(["| program | CPU | times `import torch` |", "|---|---|---|", *rows])
