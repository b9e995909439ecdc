"""From a notebook and its parameters to an executed notebook and one offline page: checked first, published whole.

`run` is what `gramviz report` does:

1. the given parameters are checked against the notebook's own `parameters` cell (`gramviz.reports.parameters`);
2. papermill executes the notebook into `.NAME.*.partial.ipynb` (`gramviz.reports.execute`);
3. the result is settled and becomes one page (`gramviz.reports.page`), on demand a PDF as well (`gramviz.browser`);
4. `NAME.ipynb`, `NAME.html` and `metrics.json` are renamed into place. A run that fails leaves `NAME.failed.ipynb`
   and a short `NAME.failed.html` instead, and never touches the report of an earlier run.

A notebook speaks to a run in three ways: the tags of its cells (`parameters`; `setup`, in which an error means that the
*input* was wrong; `hide-input`, whose code a reader of the page need not see; `remove-cell`), an output of type
`METRICS`, which becomes `metrics.json`, and one of type `PROVENANCE`, to which the run adds what only it knows.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import shlex
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import nbformat
from nbformat import NotebookNode

from gram import atomic
from gramviz.browser import driven, print_page
from gramviz.reports.blocks import METRICS
from gramviz.reports.execute import Failure, execute, failed, is_input, kernel_of, redacted
from gramviz.reports.notebook import ReportError, dumps, outputs, read, settle
from gramviz.reports.page import failure_page, page, title
from gramviz.reports.parameters import check, parameters
from gramviz.reports.provenance import PROVENANCE, environment, provenance_html


class RunError(RuntimeError):
    """The notebook itself failed; `page` and `notebook` show where."""

    def __init__(self, message: str, notebook: Path, page: Path) -> None:
        super().__init__(message)
        self.notebook, self.page = notebook, page


@dataclass(frozen=True)
class Report:
    """What a run has published; `metrics` is None where the notebook reports no numbers."""

    page: Path
    notebook: Path
    metrics: Path | None
    seconds: float


def run(
    notebook: str | os.PathLike[str],
    given: Mapping[str, Any],
    out: str | os.PathLike[str],
    *,
    secrets: Mapping[str, str] | None = None,
    kernel: str = "",
    timeout: float | None = None,
    pdf: bool = False,
    progress: TextIO | None = None,
) -> Report:
    """Execute `notebook` with the `given` parameters and publish its page under `out`.

    The kernel works in the current folder, so that a relative path means what it means to the caller.

    Args:
        given: name -> value, or its text.
        secrets: more of the same, which stand nowhere in what is published.
        timeout: seconds after which the run fails.
        kernel: the kernel that runs it; default: the one that the notebook names, python3 if it names none.
        pdf: also print the page as `NAME.pdf` (needs playwright and Chromium).
        progress: where to say which cell runs; at most one line a second where it is not a terminal.
    Raises:
        ReportError: the input is wrong; nothing is written.
        RunError: a cell failed; `NAME.failed.ipynb` and `NAME.failed.html` tell which.
    """
    source, out = Path(notebook), Path(out)
    draft = read(source)
    known = parameters(draft)
    values, hidden = check(known, given), check(known, secrets or {})
    _check_secrets(values, hidden)
    runs_in = kernel_of(draft, kernel)
    browser = driven() if pdf else ""
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    with _folder(out):
        place = _Place(out, source.stem, hidden)
        try:
            executed, log = execute(
                draft, runs_in, values, place.partial(".ipynb"), progress, secrets=hidden, timeout=timeout
            )
            if not draft.metadata.get("kernelspec"):
                log = f"The notebook names no kernel; {runs_in} ran it.\n{log}"
            failure = failed(executed)
            if failure and is_input(failure):
                raise ReportError(failure.message)
            seconds = time.monotonic() - clock
            record = {
                "notebook": source.name,
                "notebook_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
                "parameters": {n: "•••" if n in hidden else values.get(n, p.default) for n, p in known.items()},
                "changed": sorted(name for name, value in values.items() if value != known[name].default),
                "command": _command(source, values, hidden, out),
                "started_at": started.isoformat(timespec="seconds"),
                "duration_seconds": round(seconds, 1),
                **environment(),
            }
            settled, log = settle(executed, log)
            if failure:
                raise place.fail(settled, failure, record, log)
            _write(place, settled, record, log)
            if pdf:
                print_page(place.partial(".html"), place.partial(".pdf"), browser)
            return place.publish(seconds)
        finally:
            place.sweep()


def _check_secrets(values: Mapping[str, Any], secrets: Mapping[str, Any]) -> None:
    for name, secret in secrets.items():
        if name in values:
            raise ReportError(f"parameter {name!r} is given twice, as a value and as a secret; give it once")
        if len(str(secret)) < 4:  # it would be cut out of half of the words of the page
            raise ReportError(
                f"secret {name!r} has {len(str(secret))} characters; one that can be hidden has 4 or more"
            )


def _command(source: Path, values: Mapping[str, Any], secrets: Mapping[str, Any], out: Path) -> str:
    """What runs it again."""
    command = ["gramviz", "report", str(source)]
    for name, value in values.items():
        command += ["-p", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    for name in secrets:
        command += ["--secret", name]
    return shlex.join([*command, "-o", str(out)])


def _write(place: _Place, notebook: NotebookNode, record: dict[str, Any], log: str) -> None:
    """The executed notebook, its page, and the numbers that it reports."""
    metrics = outputs(notebook, METRICS)
    record = outputs(notebook, PROVENANCE) | record
    notebook.metadata["title"] = title(notebook, record["parameters"])
    _insert_record(notebook, record, log)
    place.write(".ipynb", dumps(notebook))
    place.write(".html", page(notebook))
    if metrics:
        kept = {name: record[name] for name in ("notebook", "parameters")}
        body = kept | {"metrics": metrics, "provenance": record}
        place.write("metrics.json", json.dumps(body, indent=2, sort_keys=True) + "\n")


@contextlib.contextmanager
def _folder(out: Path) -> Iterator[None]:
    """`out` exists and can be written; if the input turns out to be wrong, folders made for it are gone again."""
    made = []
    for folder in [out, *out.parents]:
        if folder.exists():
            break
        made.append(folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ReportError(f"cannot write into {str(out)!r}: {error.strerror}; choose another folder with -o") from error
    try:
        yield
    except (ReportError, KeyboardInterrupt, SystemExit):
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _insert_record(notebook: NotebookNode, record: dict[str, Any], log: str) -> None:
    """Put the whole record where the notebook shows its own, or at the end."""
    block = provenance_html(record, log)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if PROVENANCE in output.get("data", {}):
                output.data = NotebookNode({"text/html": block, "text/plain": "provenance"})
                return
    notebook.cells.append(
        nbformat.v4.new_markdown_cell(f"## Provenance\n\n{block}", id="provenance", metadata={"tags": ["provenance"]})
    )


class _Place:
    """The files of one run: written beside their names, renamed when all are whole."""

    def __init__(self, out: Path, stem: str, secrets: Mapping[str, Any]) -> None:
        self.out, self.stem, self.secrets = out, stem, secrets
        self.pending: dict[Path, Path] = {}  # final -> partial
        atomic.sweep(out)

    def partial(self, ending: str) -> Path:
        """Where `ending` is written until it is whole."""
        name = ending if ending == "metrics.json" else self.stem + ending
        self.pending[self.out / name] = atomic.temporary(self.out / name)
        return self.pending[self.out / name]

    def write(self, ending: str, text: str) -> None:
        """Write a file of this run, to be published later."""
        self.partial(ending).write_text(redacted(text, self.secrets), encoding="utf-8")

    def publish(self, seconds: float) -> Report:
        """Rename everything into place, the page last: who sees it sees the rest. An earlier failure is over."""
        finals = sorted(self.pending, key=lambda path: path.suffix == ".html")
        for final in finals:
            self.pending.pop(final).replace(final)
        for ending in (".failed.ipynb", ".failed.html"):
            (self.out / (self.stem + ending)).unlink(missing_ok=True)
        metrics = self.out / "metrics.json"
        return Report(
            page=self.out / f"{self.stem}.html",
            notebook=self.out / f"{self.stem}.ipynb",
            metrics=metrics if metrics in finals else None,
            seconds=seconds,
        )

    def fail(self, notebook: NotebookNode, failure: Failure, record: dict[str, Any], log: str) -> RunError:
        """Publish what there is under names that say so."""
        self.sweep()
        self.write(".failed.ipynb", dumps(notebook))
        self.write(".failed.html", failure_page(failure, record, log))
        for final in list(self.pending):
            self.pending.pop(final).replace(final)
        where = f"cell {failure.number}" + (f" ({failure.heading})" if failure.heading else "")
        ipynb, html_ = self.out / f"{self.stem}.failed.ipynb", self.out / f"{self.stem}.failed.html"
        return RunError(f"{record['notebook']} failed in {where}: {failure.message}; see {html_}", ipynb, html_)

    def sweep(self) -> None:
        """Remove what was not published."""
        for partial in self.pending.values():
            partial.unlink(missing_ok=True)
        self.pending.clear()
