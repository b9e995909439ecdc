"""`gramviz`: reports, frozen pages, the parameters of a notebook, and what this machine has.

Exit codes: 0 done; 1 the notebook failed or its numbers are not as expected, or something that `doctor` looks for
is missing; 2 the input was wrong (one sentence on stderr, nothing written); 130 interrupted.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO

import typer

from gram import atomic, command

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    # A traceback full of boxes hides the message; and what is the caller's mistake gets one sentence anyway.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="gramviz: reports, frozen explorers, and what this machine has.",
    epilog="--debug, anywhere on the line, shows the traceback of an error.",
)
Pairs = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="One parameter; repeat.")
]
OutDir = Annotated[Path | None, typer.Option("--out", "-o", help="Folder; default artifacts/reports/NAME.")]


class LogLevel(StrEnum):
    """How much a report says while it runs."""

    debug = "debug"
    info = "info"
    error = "error"


Notebook = Annotated[Path, typer.Argument(metavar="NOTEBOOK")]


@app.command()
def report(
    notebook: Annotated[Path | None, typer.Argument(metavar="[NOTEBOOK]")] = None,
    parameter: Pairs = None,
    out: OutDir = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="Parameters as YAML, expect and sweep too; those of -p come before them."),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A parameter read from the environment or a prompt, shown nowhere; repeat."),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=[VALUES]", help="A run for each value, and for each combination; repeat."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every notebook of notebooks/; with NOTEBOOK: every model that it fits.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="How many runs of --sweep or --all at once.")] = 1,
    backend: Annotated[str, typer.Option(help="Where these run: threading (here) or dask.")] = "threading",
    scheduler: Annotated[str, typer.Option(metavar="ADDRESS", help="Of Dask, such as tcp://HOST:8786.")] = "",
    timeout: Annotated[float | None, typer.Option(min=1, help="Seconds after which a run fails.")] = None,
    kernel: Annotated[str, typer.Option("--kernel", "-k", help="Default: the notebook's own, else python3.")] = "",
    pdf: Annotated[bool, typer.Option("--pdf", help="Also print the page as PDF (needs Chromium).")] = False,
    whole: Annotated[
        bool | None,
        typer.Option(
            "--whole/--page-only", help="Keep the executed notebook and its rollouts, too; default: of a single run."
        ),
    ] = None,
    log_level: Annotated[
        LogLevel, typer.Option(help="debug: what the kernel writes, too; info: progress; error: failures alone.")
    ] = LogLevel.info,
) -> None:
    """Run NOTEBOOK with checked parameters; leave it, one offline page and metrics.json under --out, or nothing.

    With --sweep or --all: many runs, only what is missing, and an index.html over them.
    """
    from gramviz.reports import report as reports
    from gramviz.reports.parameters import assignments, lists, stored

    given: dict[str, Any] = stored(file) if file else {}
    over = lists(given.pop("sweep", {})) | lists(assignments(sweep or []))
    given |= assignments(parameter or [])
    secrets = {name: _secret(name) for name in secret or []}
    progress = None if log_level is LogLevel.error else sys.stderr
    if every or over:
        options = [*(["--timeout", str(timeout)] if timeout else []), *(["--kernel", kernel] if kernel else [])]
        options += ["--pdf"] * pdf + ["--whole" if whole else "--page-only"]
        _batch(notebook, given, over, out, secrets, every, jobs, backend, scheduler, options, progress)
        return
    if notebook is None:
        _leave("no notebook is given; give its path, or --all for every one of notebooks/", 2)
    try:
        done = reports.run(
            notebook,
            given,
            out or Path("artifacts/reports") / notebook.stem,
            secrets=secrets,
            kernel=kernel,
            timeout=timeout,
            pdf=pdf,
            whole=whole is not False,
            progress=progress,
            log=sys.stderr if log_level is LogLevel.debug else None,
        )
    except reports.RunError as error:
        _leave(str(error), 1)
    except KeyboardInterrupt:
        _leave("interrupted; nothing was published", 130)
    files = [done.page, done.notebook, done.metrics, done.pdf]
    print("\n".join(str(path) for path in files if path))
    if progress:
        print(f"done in {done.seconds:.0f} s; {done.page} is {done.page.stat().st_size / 1e6:.2f} MB", file=progress)
    if done.trouble:
        _leave(f"the page is published, and no PDF of it: {done.trouble}", 1)


def _batch(
    notebook: Path | None,
    given: dict[str, Any],
    over: dict[str, list[Any]],
    out: Path | None,
    secrets: dict[str, str],
    every: bool,
    jobs: int,
    backend: str,
    scheduler: str,
    options: list[str],
    progress: TextIO | None,
) -> None:
    """Many runs; exit code 1 if one failed."""
    from gramviz.reports import batch

    folder = out or Path("artifacts/reports") / (notebook.stem if notebook else "")
    if every and over:
        _leave("--all and --sweep do not go together; give one of them", 2)
    if notebook is None:
        if over:
            _leave("--sweep needs a NOTEBOOK; give its path", 2)
        planned = batch.every_notebook(Path("notebooks"), given, folder, secrets)
    elif every:
        planned = batch.every_model(notebook, given, folder, secrets)
    else:
        planned = batch.sweep(notebook, given, over, folder, secrets)

    def say(text: str) -> None:
        if progress:
            print(text, file=progress, flush=True)

    try:
        failed = batch.run(
            planned, folder, workers=jobs, backend=backend, scheduler=scheduler, options=options, say=say
        )
    except KeyboardInterrupt:
        _leave("interrupted; what ended is published, and the same call makes the rest", 130)
    print(folder / "index.html")
    if failed:
        _leave(f"{failed} of {len(planned)} runs failed; {folder / 'index.html'} says which", 1)


@app.command()
def index(folder: Annotated[Path, typer.Argument(metavar="FOLDER")]) -> None:
    """Write FOLDER/index.html over all reports below it: states, numbers, pictures; sorted and filtered offline."""
    from gramviz.reports.index import write

    if not folder.is_dir():
        _leave(f"there is no folder {str(folder)!r}; give one that holds reports", 2)
    print(write(folder))


@app.command()
def params(
    notebook: Notebook,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """List the parameters that NOTEBOOK takes: name, type, default, meaning."""
    from gramviz.reports.notebook import read
    from gramviz.reports.parameters import parameters

    known = parameters(read(notebook))
    if as_json:
        print(
            json.dumps(
                {p.name: {"type": p.type, "default": p.default, "help": p.help} for p in known.values()}, indent=2
            )
        )
        return
    width = max((len(p.name) for p in known.values()), default=0)
    kinds = max((len(p.type) for p in known.values()), default=0)
    for p in known.values():
        print(f"{p.name:<{width}}  {p.type:<{kinds}}  {p.default!r:<20}  {p.help}".rstrip())


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A rollout, as docs/rollout.md describes.")],
) -> None:
    """Say whether FILE is a legal rollout, what it holds, how that is drawn, and how large its page is."""
    from gramviz.explorer.describe import describe

    print("\n".join(describe(file)))


@app.command()
def freeze(
    rollouts: Annotated[list[Path], typer.Argument(metavar="ROLLOUT...", help="One to four rollout files.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The page to write.")],
    puzzle: Annotated[int, typer.Option(help="Which puzzle, counted from 0.")] = 0,
    also: Annotated[list[int] | None, typer.Option(help="Another puzzle that the page holds; can be repeated.")] = None,
    lesson: Annotated[Path | None, typer.Option(help="Chapters and quizzes, as YAML.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="A model that the page can run; may be repeated.")] = None,
) -> None:
    """Write one HTML file in which the rollouts play without kernel or network, and models run on typed puzzles."""
    from gramviz.explorer.freeze import freeze as write
    from gramviz.explorer.opening import compare, explore

    if lesson is None:
        write(list(rollouts), out, puzzle=puzzle, puzzles=also or (), models=model or ())
    else:
        opened = (compare if len(rollouts) > 1 else explore)(*rollouts, puzzle=puzzle)
        write(opened.teach(lesson), out, puzzles=also or (), models=model or ())
    print(out)


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The page; default: a temporary file.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Open a two-minute lesson in a browser, TRM's one path and GRAM's fifty: no notebook, no network, no training.

    Where their weights are at hand, both models run in the page on puzzles that you type.
    """
    from gram.run_folder import find
    from gramviz.explorer.chapters import opening
    from gramviz.explorer.freeze import freeze as write
    from gramviz.export.demo import MODELS, payload

    page = out or Path(tempfile.mkdtemp(prefix="gramviz-")) / "demo.html"
    shown = payload()
    models = [name for name in MODELS if find(name)]
    write(shown, page, state=opening(shown.meta["lesson"]), models=models)
    print(page)
    if browser and not webbrowser.open(page.resolve().as_uri()):
        print("no browser opened; open the page by hand", file=sys.stderr)


@app.command()
def bench(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the figures as JSON.")] = None,
    replays: Annotated[int, typer.Option(help="How often the rollout is played for the memory figure.")] = 1000,
    models: Annotated[
        bool, typer.Option("--models", help="Only what it costs a page to run its models, beside torch on one thread.")
    ] = False,
) -> None:
    """Measure the explorer on this machine: first picture, frame times, sizes, messages, memory (needs Chromium)."""
    from gramviz.explorer import bench as explorer
    from gramviz.explorer import bench_models

    figures = bench_models.bench_models() if models else explorer.bench(replays=replays, progress=sys.stderr)
    if out is not None:
        atomic.write(out, json.dumps(figures, indent=2) + "\n")
    print(bench_models.table(figures) if models else explorer.markdown(figures))


@app.command()
def movie(
    rollouts: Annotated[list[Path], typer.Argument(metavar="ROLLOUT...", help="One to four rollout files.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The film to write: .gif, .webp or .mp4.")],
    puzzle: Annotated[int, typer.Option(help="Which puzzle, counted from 0.")] = 0,
    speed: Annotated[int, typer.Option(help="Transitions per second: 1, 2, 4, 8, 16.")] = 4,
    width: Annotated[int, typer.Option(help="Width of the explorer in pixels.")] = 1100,
    scale: Annotated[float, typer.Option(help="Pixels of the film per pixel of the explorer.")] = 1.0,
) -> None:
    """Film the rollouts as they play in the explorer (needs Chromium)."""
    from gramviz.export.movie import movie as write

    print(write(list(rollouts), out, puzzle=puzzle, state={"speed": speed}, width=width, scale=scale))


@app.command()
def site(out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the pages.")] = Path("docs/site")) -> None:
    """A small static site of pages that run the models: for any static host, or a USB stick (some seconds)."""
    from gramviz.export.site import site as write

    for path in write(out):
        print(path)


@app.command()
def gallery(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the pictures.")] = Path("docs/pictures"),
    index: Annotated[
        Path | None, typer.Option(help="The page that shows them; default: gallery.md beside --out.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="One picture to draw anew; repeat.")] = None,
) -> None:
    """Draw every view from the published models, and the page that shows them (needs Chromium; some minutes)."""
    from gramviz.export.gallery import gallery as write

    for path in write(out, index or out.parent / "gallery.md", only=only or (), progress=sys.stderr):
        print(path)


@app.command()
def exhibits(
    pages: Annotated[Path, typer.Argument(help="Folder of the notebooks' pages, made by `gramviz report --all`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the pictures.")] = Path("docs/exhibits"),
    index: Annotated[
        Path | None, typer.Option(help="The page that shows them; default: exhibits.md beside --out.")
    ] = None,
) -> None:
    """Take pictures of the paper's exhibits from the notebooks' pages, and list where each lives (needs Chromium)."""
    from gramviz.export.exhibits import exhibits as write

    for path in write(pages, out, index or out.parent / "exhibits.md", progress=sys.stderr):
        print(path)


@app.command()
def strip(notebooks: Annotated[list[Path], typer.Argument(metavar="NOTEBOOK...")]) -> None:
    """Take outputs and machine metadata out of notebooks, in place; exit code 1 if one changed (for pre-commit)."""
    from gramviz.reports import notebook as books

    changed = False
    for path in notebooks:
        before = books.read(path)
        after = books.strip(before)
        if after != before:
            atomic.write(path, books.dumps(after))
            print(f"stripped {path}")
            changed = True
    if changed:
        raise typer.Exit(1)


@app.command()
def doctor(
    chromium: Annotated[
        bool, typer.Option("--chromium", help="Only print the path of the browser, if there is one.")
    ] = False,
) -> None:
    """Say what this machine has: versions, Chromium, processors, models; exit code 1 if a package is missing."""
    from gramviz.browser import chromium as find
    from gramviz.reports.provenance import PACKAGES

    browser = find()
    if chromium:
        print(browser or "no Chromium found; Debian: apt install chromium, elsewhere: playwright install chromium")
        raise typer.Exit(0 if browser else 1)
    missing = []
    print(f"python     {platform.python_version()} at {sys.executable}")
    for name in PACKAGES:
        try:
            print(f"{name:<18} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            print(f"{name:<18} missing; pip install -c constraints.txt -e '.[dev]'")
    print(f"processors {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()}")
    print(f"chromium   {browser or 'none (needed for browser tests and --pdf only)'}")
    print(f"models     {', '.join(_artifacts()) or 'none; `gram train PRESET` makes one'}")
    if missing:
        raise typer.Exit(1)


def _artifacts() -> list[str]:
    """Trained models here and beside the source, by file name: gramviz knows folders, not checkpoints."""
    places = [Path("artifacts"), Path(__file__).parent.parent / "artifacts"]
    return sorted({found.parent.name for place in places for found in place.glob("*/weights.safetensors")})


def _secret(name: str) -> str:
    """From the environment, or asked for where somebody can answer."""
    for known in (name, name.upper()):
        if known in os.environ:
            return os.environ[known]
    if not sys.stdin.isatty():
        _leave(f"there is no secret {name!r}; set the environment variable {name.upper()}", 2)
    return str(typer.prompt(name, hide_input=True))


def _leave(message: str, code: int) -> NoReturn:
    print(f"gramviz: {message}", file=sys.stderr)
    raise typer.Exit(code)


def main() -> None:
    """Console entry point; how it ends, `gram.command` says."""
    command.run("gramviz", app)


if __name__ == "__main__":
    main()
