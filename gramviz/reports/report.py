"""From a notebook and its parameters to an executed notebook and one offline page: checked first, published whole.

`run` is what `gramviz report` does:

1. the given parameters are checked against the notebook's own `parameters` cell (`gramviz.reports.parameters`);
2. papermill executes the notebook into `.NAME.*.partial.ipynb` (`gramviz.reports.execute`);
3. the result is settled and becomes one page (`gramviz.reports.page`), on demand a PDF as well (`gramviz.browser`);
4. `NAME.ipynb`, `NAME.html` and `metrics.json` are renamed into place. A run that fails, or whose numbers are not as
   expected (`gramviz.reports.verdict`), leaves `NAME.failed.ipynb` and `NAME.failed.html` instead; the report of an
   earlier run stays, and says that it is stale;
5. `NAME.run.json` says how it ended and what it was made from (`gramviz.reports.record`).

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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import nbformat
from nbformat import NotebookNode

from gram import atomic
from gram.bounded import nameable
from gramviz.browser import driven, print_page
from gramviz.reports.blocks import METRICS
from gramviz.reports.execute import Failure, execute, failed, is_input, kernel_of, redacted
from gramviz.reports.models import check_kind
from gramviz.reports.notebook import ReportError, dumps, outputs, read, settle
from gramviz.reports.page import failure_page, page, title
from gramviz.reports.parameters import Parameter, check, parameters
from gramviz.reports.provenance import PROVENANCE, environment, provenance_html
from gramviz.reports.record import fingerprint, mark_stale, run_id, thumbnail
from gramviz.reports.record import read as read_record
from gramviz.reports.record import write as write_record
from gramviz.reports.verdict import Expectation, conditions, headline, judge, verdict


class RunError(RuntimeError):
    """The notebook itself failed; `page` and `notebook` show where."""

    def __init__(self, message: str, notebook: Path, page: Path) -> None:
        super().__init__(message)
        self.notebook, self.page = notebook, page


@dataclass(frozen=True)
class Report:
    """What a run has published; None stands for what is not there, `trouble` says why a PDF is not."""

    page: Path
    notebook: Path | None
    metrics: Path | None
    pdf: Path | None
    trouble: str
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
    whole: bool = True,
    progress: TextIO | None = None,
    log: TextIO | None = None,
) -> Report:
    """Execute `notebook` with the `given` parameters and publish its page under `out`.

    The kernel works in the current folder, so that a relative path means what it means to the caller.

    Args:
        given: name -> value, or its text; `expect` may be among them whether or not the notebook has it.
        secrets: more of the same, which stand nowhere in what is published.
        timeout: seconds after which the run fails.
        kernel: the kernel that runs it; default: the one that the notebook names, python3 if it names none.
        pdf: also print the page as `NAME.pdf` (needs playwright and Chromium).
        whole: keep the executed notebook, and in `NAME.rollouts`, which the page links, the rollouts that it shows.
        progress: where to say which cell runs; at most one line a second where it is not a terminal.
        log: where to copy the log of the run: what kernel and cells wrote to their standard error.
    Raises:
        ReportError: the input is wrong; nothing is written.
        RunError: a cell failed, or an expectation; `NAME.failed.ipynb` and `NAME.failed.html` tell which.
    """
    plan = Plan.of(notebook, given, secrets or {})
    runs_in = kernel_of(plan.draft, kernel)
    browser = driven() if pdf else ""
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    with _folder(Path(out)):
        place = _Place(Path(out), plan.notebook.stem, plan.secrets)
        try:
            executed, said = execute(
                plan.draft, runs_in, plan.values, place.partial(".ipynb"), progress,
                secrets=plan.secrets, timeout=timeout, keep=place.rollouts if whole else None,
            )  # fmt: skip
            if not plan.draft.metadata.get("kernelspec"):
                said = f"The notebook names no kernel; {runs_in} ran it.\n{said}"
            failure = failed(executed)
            if failure and is_input(failure):
                raise ReportError(failure.message)
            record = plan.record() | {
                "command": _command(plan, Path(out)),
                "started_at": started.isoformat(timespec="seconds"),
                "duration_seconds": round(time.monotonic() - clock, 1),
                **environment(),
            }
            settled, said = settle(executed, said)
            if log:
                print(redacted(said, plan.secrets), file=log)
            if failure:
                raise place.fail(settled, failure, record, said)
            broken = _write(place, settled, record, said, plan.expect)
            trouble = place.print(".failed" if broken else "", browser) if pdf else ""
            if broken:
                raise place.disappoint(record, broken)
            if not whole:
                place.drop(".ipynb")
            return place.publish(record, trouble)
        finally:
            place.sweep()


@dataclass(frozen=True)
class Plan:
    """A notebook with all that it is given, checked; nothing has run.

    Attributes:
        draft: the notebook as it is stored.
        known: its parameters.
        values, secrets: what is given, of the declared types.
        expect: name of a number -> condition.
    """

    notebook: Path
    draft: NotebookNode
    known: Mapping[str, Parameter]
    values: dict[str, Any]
    secrets: dict[str, Any]
    expect: dict[str, str]

    @classmethod
    def of(cls, notebook: str | os.PathLike[str], given: Mapping[str, Any], secrets: Mapping[str, str]) -> Plan:
        """Read and check.

        Raises:
            ReportError: the notebook, a parameter, a secret or an expectation is wrong, or the model of another kind.
        """
        draft = read(notebook)
        known = parameters(draft)
        own = {"expect": known.get("expect", Parameter("expect", "dict", {}))}
        asked = check(own, {"expect": given["expect"]}) if "expect" in given else {"expect": own["expect"].default}
        values = check(known, {name: value for name, value in given.items() if name != "expect" or name in known})
        check_kind(Path(notebook), draft, {name: parameter.default for name, parameter in known.items()} | values)
        hidden = check(known, secrets)
        _check_secrets(values, hidden)
        return cls(Path(notebook), draft, known, values, hidden, conditions(asked["expect"]))

    @property
    def parameters(self) -> dict[str, Any]:
        """All of the notebook, with dots for secrets."""
        return {n: "•••" if n in self.secrets else self.values.get(n, p.default) for n, p in self.known.items()}

    @property
    def made_from(self) -> dict[str, str]:
        """What decides the outcome, each as a digest."""
        return fingerprint(self.draft, self.parameters, self.expect)

    def record(self) -> dict[str, Any]:
        """What is known of the run before it starts."""
        made_from = self.made_from
        return {
            "run": run_id(made_from),
            "made_from": made_from,
            "notebook": self.notebook.name,
            "notebook_sha256": hashlib.sha256(self.notebook.read_bytes()).hexdigest(),
            "parameters": self.parameters,
            "changed": sorted(name for name, value in self.values.items() if value != self.known[name].default),
        }


def _check_secrets(values: Mapping[str, Any], secrets: Mapping[str, Any]) -> None:
    for name, secret in secrets.items():
        if name in values:
            raise ReportError(f"parameter {name!r} is given twice, as a value and as a secret; give it once")
        if len(str(secret)) < 4:  # it would be cut out of half of the words of the page
            raise ReportError(
                f"secret {name!r} has {len(str(secret))} characters; one that can be hidden has 4 or more"
            )


def _command(plan: Plan, out: Path) -> str:
    """What runs it again."""
    return shlex.join(["gramviz", "report", str(plan.notebook), *words(plan), "-o", str(out)])


def words(plan: Plan) -> list[str]:
    """The given parameters, expectations and names of secrets as words of a command line."""
    given = plan.values | ({"expect": plan.expect} if plan.expect and "expect" not in plan.known else {})
    said = [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in given.items()]
    return [word for one in said for word in ("-p", one)] + [
        word for name in plan.secrets for word in ("--secret", name)
    ]


def _write(
    place: _Place, notebook: NotebookNode, record: dict[str, Any], log: str, expect: Mapping[str, str]
) -> list[Expectation]:
    """The executed notebook, its page, its numbers, a small picture; returns the expectations that do not hold."""
    metrics = outputs(notebook, METRICS)
    judged = judge(expect, metrics)
    broken = [one for one in judged if not one.holds]
    record |= {
        "title": title(notebook, record["parameters"]),
        "metrics": headline(metrics),
        "expect": [[one.name, one.condition, one.value, one.holds] for one in judged],
    }
    whole = outputs(notebook, PROVENANCE) | {name: record[name] for name in record if name not in _ASIDE}
    notebook.metadata["title"] = f"FAILED: {record['title']}" if broken else record["title"]
    if metrics or judged:
        _insert_verdict(
            notebook, verdict(judged, metrics, read_record(place.out / "metrics.json"), record["started_at"])
        )
    _insert_record(notebook, whole, log)
    ending = ".failed" if broken else ""
    place.write(f"{ending}.ipynb", dumps(notebook))
    place.write(f"{ending}.html", page(notebook))
    if metrics:
        kept = {name: record[name] for name in ("notebook", "parameters")}
        body = kept | {"metrics": metrics, "provenance": whole}
        place.write(f"metrics{ending}.json", json.dumps(body, indent=2, sort_keys=True) + "\n")
    if picture := thumbnail(notebook):
        place.partial(f"{ending}.png").write_bytes(picture)
    return broken


# Of the record, what stands elsewhere in the page.
_ASIDE = ("title", "metrics", "expect", "made_from")


def _insert_verdict(notebook: NotebookNode, block: str) -> None:
    """Under the first heading, or at the top."""
    cell = nbformat.v4.new_markdown_cell(block, id="gram-verdict")
    notebook.cells = [one for one in notebook.cells if one["id"] != cell["id"]]  # of a run that is run again
    headed = (at for at, one in enumerate(notebook.cells) if one.cell_type == "markdown" and "# " in one.source)
    notebook.cells.insert(next(headed, -1) + 1, cell)


@contextlib.contextmanager
def _folder(out: Path) -> Iterator[None]:
    """`out` exists and can be written; if the input turns out to be wrong, folders made for it are gone again."""
    made = []
    for folder in [out, *out.parents]:
        if folder.exists():
            break
        made.append(folder)
    refusal = f"cannot write into {str(out)!r}: {{}}; choose another folder with -o"
    try:
        nameable(out).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ReportError(refusal.format(error.strerror)) from error
    try:
        yield
    except BaseException as error:
        for folder in made:
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()
        if isinstance(error, OSError):
            raise ReportError(refusal.format(error.strerror or error)) from error
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

    @property
    def rollouts(self) -> Path:
        """Where a notebook's footer leaves the rollouts that it shows."""
        return self.out / f"{self.stem}.rollouts"

    def final(self, ending: str) -> Path:
        """The file of this ending."""
        return self.out / (ending if ending.startswith("metrics.") else self.stem + ending)

    def partial(self, ending: str) -> Path:
        """Where `ending` is written until it is whole."""
        final = self.final(ending)
        self.pending[final] = atomic.temporary(final)
        return self.pending[final]

    def write(self, ending: str, text: str) -> None:
        """Write a file of this run, to be published later."""
        self.partial(ending).write_text(redacted(text, self.secrets), encoding="utf-8")

    def print(self, ending: str, browser: str) -> str:
        """Print the page as PDF; returns why that failed, which is no reason to lose the page."""
        try:
            print_page(self.pending[self.final(f"{ending}.html")], self.partial(f"{ending}.pdf"), browser)
        except Exception as error:  # whatever the browser's driver raises
            self.drop(f"{ending}.pdf")
            return (str(error) or type(error).__name__).splitlines()[0]
        return ""

    def publish(self, record: Mapping[str, Any], trouble: str = "") -> Report:
        """Rename everything into place, the page last: who sees it sees the rest. An earlier failure is over."""
        finals = self._rename()
        for ending in (*_FAILED, *_PUBLISHED[1:]):  # of earlier runs
            if self.final(ending) not in finals:
                self.final(ending).unlink(missing_ok=True)
        self._record({**record, "state": "passed"})
        there = {ending: final for ending in _PUBLISHED if (final := self.final(ending)) in finals}
        return Report(
            page=there[".html"],
            notebook=there.get(".ipynb"),
            metrics=there.get("metrics.json"),
            pdf=there.get(".pdf"),
            trouble=trouble,
            seconds=record["duration_seconds"],
        )

    def fail(self, notebook: NotebookNode, failure: Failure, record: dict[str, Any], log: str) -> RunError:
        """Publish what there is under names that say so."""
        self.sweep()
        self.write(".failed.ipynb", dumps(notebook))
        self.write(".failed.html", failure_page(failure, record, log))
        where = f"cell {failure.number}" + (f" ({failure.heading})" if failure.heading else "")
        record["title"] = title(notebook, record["parameters"])
        return self._failed(record, f"failed in {where}: {failure.message}")

    def disappoint(self, record: dict[str, Any], broken: Sequence[Expectation]) -> RunError:
        """Publish a whole run under names that say that it is not what was expected."""
        self.drop(".ipynb")  # papermill's own; the settled one has its name
        return self._failed(record, f"is not as expected: {'; '.join(map(str, broken))}")

    def _failed(self, record: dict[str, Any], why: str) -> RunError:
        self._rename()
        failed_page = self.final(".failed.html")
        why = redacted(why, self.secrets)
        mark_stale(self.final(".html"), f"the run of {record['started_at']} failed.", failed_page)
        self._record(record | {"state": "failed", "error": why})
        message = f"{record['notebook']} {why}; see {failed_page}"
        return RunError(message, self.final(".failed.ipynb"), failed_page)

    def _rename(self) -> list[Path]:
        finals = sorted(self.pending, key=lambda path: path.suffix == ".html")
        for final in finals:
            self.pending.pop(final).replace(final)
        return finals

    def _record(self, record: Mapping[str, Any]) -> None:
        """Leave the record of the run."""
        kept = {name: record[name] for name in _KEPT if name in record}
        write_record(self.out, self.stem, redacted(kept, self.secrets))

    def drop(self, ending: str) -> None:
        """Do not publish this file."""
        self.pending.pop(self.final(ending)).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what was not published, and rollouts that no page here links."""
        for partial in self.pending.values():
            partial.unlink(missing_ok=True)
        self.pending.clear()
        pages = [self.final(ending) for ending in (".html", ".failed.html")]
        linked = "".join(page.read_text(encoding="utf-8") for page in pages if page.is_file())
        for path in self.rollouts.glob("*"):
            if path.name not in linked:
                path.unlink()
        with contextlib.suppress(OSError):  # there is none, or it is not empty
            self.rollouts.rmdir()


_PUBLISHED = ("metrics.json", ".html", ".ipynb", ".png", ".pdf")  # the first may be of another notebook
_FAILED = (".failed.ipynb", ".failed.html", ".failed.png", ".failed.pdf", "metrics.failed.json")
# What an index shows, and a repeated call compares.
_KEPT = (
    *("run", "state", "error", "notebook", "title", "parameters", "changed", "started_at", "duration_seconds"),
    *("metrics", "expect", "made_from"),
)
