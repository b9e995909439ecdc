"""The `gram data` command: which data files are here, build a task's data, compare files with the manifest.

Works without network; only `prepare --download` asks for one. `gram/cli.py` mounts `app` and prints errors.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

Built = TypeVar("Built")
app = typer.Typer(help="Data files: list, prepare, verify; and the classifiers that measure pictures.")


@app.command("list")
def list_all() -> None:
    """Say which data files are here and where, and where each task's data come from."""
    from gram.tasks import TASKS, digests
    from gram.tasks import files as data

    for place, root in data.places().items():
        print(f"{place:10} {root}{'' if root.is_dir() else ' (no such folder)'}")
    print("\nfile                              size in bytes  sha256        where       what")
    for file in data.FILES.values():
        found = data.find(file.name)
        where = found[0] if found else "missing"
        size = found[1].stat().st_size if found else file.size
        other = found is not None and size != file.size and digests.recognized(found[1]) != file
        wrong = f"; should be {file.size:,} bytes, see `gram data verify`" if other else ""
        print(f"{file.name:32}  {size:>13,}  {file.sha256[:12]}  {where:10}  {file.what}{wrong}")
    for path in digests.own_files():
        digest = digests.content_digest(path)[:12]
        print(f"{f'own/{path.name}':32}  {path.stat().st_size:>13,}  {digest}  {'cache':10}  your file")
    print("\ntask        data")
    for name, task in TASKS.items():
        try:
            text = task(task.Config()).source()  # type: ignore[call-arg]
        except data.DataError as error:
            text = str(error)
        print(f"{name:10}  {text}")


@app.command()
def prepare(
    task: Annotated[str, typer.Argument(help="Name of a task (see `gram list`).")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="dataset=mnist ...")] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch missing files first, where they are public.")
    ] = False,
) -> None:
    """Build a task's data for both splits and say what it is."""
    from gram.config import RunConfig
    from gram.tasks import SPLITS, TASKS, Task

    config = RunConfig().override([f"task.kind={task}", *(f"task.{each}" for each in overrides or [])]).task
    began = time.perf_counter()

    def build() -> tuple[Task, list[str]]:
        made = TASKS[task](config)  # type: ignore[call-arg]
        text = [f"{'split':6} {'puzzles':>11} {'solutions':>11}"]
        for split in SPLITS:
            puzzles = made.puzzles(split)
            which = "all" if puzzles.complete else "those that are known"
            text.append(f"{split:6} {len(puzzles):>11,} {puzzles.counts.sum():>11,}, {which}")
        return made, text

    made, text = _fetching(build) if download else build()
    print("\n".join([f"{made.board.title}: {made.source()}", *text, f"{time.perf_counter() - began:.1f} s"]))


@app.command()
def add(path: Annotated[str, typer.Argument(help="A file, or a folder of ARC tasks or of MNIST.")]) -> None:
    """Register a data file: which one it is, its content says. `--file NAME` then finds your own by its name."""
    from gram.tasks import digests
    from gram.tasks.files import DataError

    if not path:  # which Path would take for the folder that one stands in
        raise DataError("the path is empty; give a file, or a folder of ARC tasks or of MNIST")
    for one in digests.add(Path(path)):
        print(f"{one.name}: {one.text}")


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="Puzzles in any form that is read.")],
    out: Annotated[Path, typer.Argument(help=".csv with answers, .sdm or .txt.")],
    task: Annotated[str, typer.Option(help="Name of a task (see `gram list`).")] = "sudoku",
    overrides: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the task, e.g. size=6.")] = None,
) -> None:
    """Write puzzles in another form, and say how many of them have no solution, one and several."""
    from gram.config import RunConfig
    from gram.tasks import TASKS, own

    config = RunConfig().override([f"task.kind={task}", *(f"task.{each}" for each in overrides or [])]).task
    made = TASKS[task](config)  # type: ignore[call-arg]
    puzzles = own.read(made, file)
    own.write(made, puzzles, out)
    print(f"{out}: {own.counted(puzzles) or f'{len(puzzles):,} puzzles'}")


@app.command()
def verify() -> None:
    """Compare what every data file that is here holds with the manifest; the exit code is 2 if one differs."""
    from gram.tasks import digests
    from gram.tasks import files as data

    wrong = []
    for name in data.FILES:
        if not data.find(name):
            print(f"{name:32}  missing")
            continue
        try:
            print(f"{name:32}  right     {digests.verify(name)}")
        except data.DataError as error:
            print(f"{name:32}  DIFFERS")
            wrong.append(str(error))
    if wrong:
        raise data.DataError("; ".join(wrong))


@app.command()
def classifier(
    preset: Annotated[str, typer.Argument(help="digits or mnist.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Its folder; default artifacts/PRESET-classifier.")
    ] = None,
) -> None:
    """Train the classifier by which generated pictures are measured (`gram/evaluation/fidelity.py`)."""
    from gram.evaluation.fidelity import write

    folder, share = write(out or Path("artifacts") / f"{preset}-classifier", preset, _tell)
    print(f"{folder}: held-out accuracy {share:.4f}")


def _fetching(build: Callable[[], Built]) -> Built:
    """What `build` builds, after each file that it misses was downloaded."""
    from gram.tasks import files as data

    fetched: set[str] = set()
    while True:
        try:
            return build()
        except data.DataError as error:
            if error.missing is None or error.missing in fetched:
                raise
            fetched.add(error.missing)
            path = data.download(error.missing, progress=_Progress(error.missing))
            _tell(f"{error.missing}: {path}")


class _Progress:
    """Prints the share of a download that is done, whenever it is a whole tenth more."""

    def __init__(self, name: str) -> None:
        self.name, self.tenths = name, -1

    def __call__(self, done: int, size: int) -> None:
        if 10 * done // size > self.tenths:
            self.tenths = 10 * done // size
            _tell(f"{self.name}: {done:,} of {size:,} bytes")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
