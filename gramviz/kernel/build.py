"""Compiles `kernel.c` to `kernel.wasm`, and says in `kernel.json` which compiler made which bytes.

    pip install ziglang==0.17.1     # 400 MB, and needed for this alone: the compiled file is part of the repository
    python -m gramviz.kernel.build

The same compiler gives the same bytes on every machine.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SOURCE, WASM, RECORD = FOLDER / "kernel.c", FOLDER / "kernel.wasm", FOLDER / "kernel.json"
FLAGS = (
    "--target=wasm32-freestanding -mcpu=generic+simd128+bulk_memory -O2 -ffreestanding -nostdlib -g0 -Wall -Werror "
    "-ffp-contract=off -fno-sanitize=all -Wl,--no-entry -Wl,--import-memory -Wl,--export=__heap_base -Wl,--strip-all "
    "-Wl,-z,stack-size=16384"
)


def compile_kernel(to: Path, python: str = sys.executable) -> None:
    """`kernel.c` compiled to a file by the `ziglang` of a Python.

    Raises:
        subprocess.CalledProcessError: there is none, or it found an error.
    """
    command = [python, "-m", "ziglang", "cc", *FLAGS.split(), "-o", str(to), SOURCE.name]
    subprocess.run(command, cwd=FOLDER, check=True)


def compiler(python: str = sys.executable) -> str | None:
    """The version of the `ziglang` of a Python; None if it has none."""
    done = subprocess.run([python, "-m", "ziglang", "version"], capture_output=True, text=True, check=False)
    return f"zig {done.stdout.strip()}" if done.returncode == 0 else None


def record() -> dict[str, Any]:
    """What `kernel.json` says: compiler, and digests of source and WebAssembly."""
    read: dict[str, Any] = json.loads(RECORD.read_text())
    return read


def digests() -> dict[str, str]:
    """Of source and WebAssembly as they are: sha256."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (SOURCE, WASM)}


def main() -> None:
    """Build both files."""
    version = compiler()
    if version is None:
        sys.exit("this Python has no ziglang; run `pip install ziglang==0.17.1`, then this again")
    compile_kernel(WASM)
    RECORD.write_text(json.dumps({"compiler": version, **digests()}, indent=2) + "\n")
    print(f"{WASM.name}: {WASM.stat().st_size} bytes by {version}")


if __name__ == "__main__":
    main()
