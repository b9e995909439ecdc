"""From a notebook and its parameters to an executed notebook and one offline page: checked first, published whole.

`run` is what `gramviz report` does:

1. the given parameters are held against the notebook's own `parameters` cell (papermill would only warn);
2. papermill executes the notebook into `NAME.*.partial.ipynb`;
3. the result is *settled*: widget state, wall-clock times and logs go, so that two runs with the same parameters
   differ in nothing but the provenance block;
4. `NAME.ipynb`, `NAME.html` and `metrics.json` are renamed into place. A run that fails leaves `NAME.failed.ipynb`
   and a short `NAME.failed.html` instead, and never touches the report of an earlier run.

A notebook speaks to this module in three ways: the tags of its cells (`parameters`; `setup`, in which an error means
that the *input* was wrong; `hide-input`, whose code a reader of the page need not see; `remove-cell`), an output of
type `METRICS`, which becomes `metrics.json`, and one of type `PROVENANCE`, to which the run adds what only it knows.

The page makes no request: its template has no script of nbconvert's, explorers are frozen frames, and a
Content-Security-Policy forbids the rest. Formulas are therefore to be written in HTML; nothing typesets TeX here.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import datetime
import difflib
import hashlib
import html
import importlib.util
import json
import os
import re
import shlex
import tempfile
import time
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from nbformat import NotebookNode

from gramviz.lesson import METRICS, PROVENANCE, environment, provenance_html

_WIDGET = "application/vnd.jupyter.widget-view+json"


class ReportError(ValueError):
    """The input is wrong: one sentence with the value, the allowed and the cure; nothing was written."""


class RunError(RuntimeError):
    """The notebook itself failed; `page` and `notebook` show where."""

    def __init__(self, message: str, notebook: Path, page: Path) -> None:
        super().__init__(message)
        self.notebook, self.page = notebook, page


@dataclass(frozen=True)
class Parameter:
    """One line `name: type = default  # help` of a `parameters` cell."""

    name: str
    type: str
    default: Any
    help: str = ""


@dataclass(frozen=True)
class Report:
    """What a run has published; `metrics` is None where the notebook reports no numbers."""

    page: Path
    notebook: Path
    metrics: Path | None
    seconds: float


# Parameters -----------------------------------------------------------------------------------------------------------

_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


def read(path: str | os.PathLike[str]) -> NotebookNode:
    """The notebook at `path`.

    Raises:
        ReportError: there is none, or it is not a notebook.
    """
    import nbformat

    path = Path(path)
    if not path.is_file():
        near = ", ".join(sorted(str(p) for p in path.parent.glob("*.ipynb"))) if path.parent.is_dir() else ""
        raise ReportError(
            f"there is no notebook {str(path)!r}; "
            + (f"beside it: {near}" if near else "give the path of an .ipynb file")
        )
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises whatever the text provokes: JSON, schema, unicode, key errors
        raise ReportError(f"{path} is not a notebook (nbformat 4): {str(error).splitlines()[0]}") from error


def parameters(notebook: NotebookNode) -> dict[str, Parameter]:
    """The parameters of a notebook in the order of its `parameters` cell; empty if it has none.

    Raises:
        ReportError: the cell holds more than literals, or a type that a command line cannot give.
    """
    found: dict[str, Parameter] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code" or "parameters" not in tags(cell):
            continue
        comments = {
            token.start[0]: token.string.lstrip("# ")
            for token in tokenize.generate_tokens(StringIO(cell.source).readline)
            if token.type == tokenize.COMMENT
        }
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                name, value, declared = node.target.id, node.value, ast.unparse(node.annotation).split("[")[0]
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name, value, declared = node.targets[0].id, node.value, ""
            else:
                raise ReportError(
                    f"the parameters cell may hold only `name: type = literal`, not {ast.unparse(node)!r}"
                )
            try:
                default = ast.literal_eval(value)
            except ValueError as error:
                raise ReportError(
                    f"the default of parameter {name!r} must be a literal, not {ast.unparse(value)!r}"
                ) from error
            kind = declared or type(default).__name__
            if kind not in _TYPES:
                raise ReportError(f"parameter {name!r} has type {kind!r}; known: {', '.join(_TYPES)}")
            found[name] = Parameter(name, kind, default, comments.get(node.end_lineno or 0, ""))
    return found


def assignments(pairs: list[str]) -> dict[str, str]:
    """`["seed=1", ...]` as a dict of texts.

    Raises:
        ReportError: a pair without `=` or a name that is given twice.
    """
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise ReportError(f"{pair!r} is not name=value; write for example -p seed=0")
        if name in given:
            raise ReportError(f"parameter {name!r} is given twice, as {given[name]!r} and {value!r}; give it once")
        given[name] = value
    return given


def check(known: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, each of its declared type; a text is read as that type, everything else must already have it.

    Raises:
        ReportError: an unknown name (with the known ones and the nearest) or a value of another type.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ReportError(f"unknown parameter {name!r}; known: {', '.join(known) or 'none'}{hint}")
        values[name] = _typed(known[name], value)
    return values


def _typed(parameter: Parameter, value: Any) -> Any:
    kind = _TYPES[parameter.type]
    if isinstance(value, str) and kind is not str:
        text = value.strip()
        with contextlib.suppress(ValueError, SyntaxError):
            # Python's literals and JSON's both, so that true, [1, 2] and {"a": 1} all read as one expects.
            value = json.loads(text) if text in ("true", "false") else ast.literal_eval(text)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:  # not isinstance: True is no int
        allowed, default = parameter.type, parameter.default
        raise ReportError(f"parameter {parameter.name!r} must be {allowed}, not {value!r}; its default is {default!r}")
    return value


# Running --------------------------------------------------------------------------------------------------------------


def run(
    notebook: str | os.PathLike[str],
    given: Mapping[str, Any],
    out: str | os.PathLike[str],
    *,
    pdf: bool = False,
    progress: TextIO | None = None,
) -> Report:
    """Execute `notebook` with the `given` parameters and publish its page under `out`.

    The kernel works in the current folder, so that a relative path means what it means to the caller.

    Args:
        given: name -> value, or its text.
        pdf: also print the page as `NAME.pdf` (needs playwright and Chromium).
        progress: where to say which cell runs; at most one line a second where it is not a terminal.
    Raises:
        ReportError: the input is wrong; nothing is written.
        RunError: a cell failed; `NAME.failed.ipynb` and `NAME.failed.html` tell which.
    """
    source, out = Path(notebook), Path(out)
    draft = read(source)
    known = parameters(draft)
    values = check(known, given)
    browser = _browser() if pdf else ""
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    command = ["gramviz", "report", str(source)]
    for name, value in values.items():
        command += ["-p", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    with _folder(out):
        place = _Place(out, source.stem)
        try:
            executed, log = _execute(draft, values, place.partial(".ipynb"), progress)
            failure = _failure(executed)
            if failure and _is_input(failure):
                raise ReportError(failure.message)
            seconds = time.monotonic() - clock
            record = {
                "notebook": source.name,
                "notebook_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
                "parameters": {name: values.get(name, p.default) for name, p in known.items()},
                "changed": sorted(name for name, value in values.items() if value != known[name].default),
                "command": shlex.join([*command, "-o", str(out)]),
                "started_at": started.isoformat(timespec="seconds"),
                "duration_seconds": round(seconds, 1),
                **environment(),
            }
            settled, log = settle(executed, log)
            if failure:
                raise place.fail(settled, failure, record, log)
            metrics = _outputs(settled, METRICS)
            record = _outputs(settled, PROVENANCE) | record
            settled.metadata["title"] = _title(settled, record["parameters"])
            _insert_record(settled, record, log)
            place.write(".ipynb", _dumps(settled))
            place.write(".html", page(settled))
            if pdf:
                _print(place.partial(".html"), place.partial(".pdf"), browser)
            if metrics:
                body = {
                    "notebook": source.name,
                    "parameters": record["parameters"],
                    "metrics": metrics,
                    "provenance": record,
                }
                place.write("metrics.json", json.dumps(body, indent=2, sort_keys=True) + "\n")
            return place.publish(seconds)
        finally:
            place.sweep()


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
    except (ReportError, KeyboardInterrupt):
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


class _Place:
    """The files of one run: written beside their names, renamed when all are whole."""

    def __init__(self, out: Path, stem: str) -> None:
        self.out, self.stem = out, stem
        self.pending: dict[Path, Path] = {}  # final -> partial

    def partial(self, ending: str) -> Path:
        """Where `ending` is written until it is whole; the process id keeps two runs at once apart."""
        name = ending if ending == "metrics.json" else self.stem + ending
        stem, dot, suffix = name.rpartition(".")
        self.pending[self.out / name] = self.out / f"{stem}.{os.getpid()}.partial{dot}{suffix}"
        return self.pending[self.out / name]

    def write(self, ending: str, text: str) -> None:
        """Write a file of this run, to be published later."""
        self.partial(ending).write_text(text, encoding="utf-8")

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

    def fail(self, notebook: NotebookNode, failure: _Failure, record: dict[str, Any], log: str) -> RunError:
        """Publish what there is under names that say so."""
        self.sweep()
        self.write(".failed.ipynb", _dumps(notebook))
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


@dataclass(frozen=True)
class _Failure:
    """Where and how a notebook stopped."""

    number: int
    heading: str
    source: str
    error: str
    message: str
    traceback: str
    tags: tuple[str, ...]
    last_output: str


# In a kernel, tqdm.auto draws widgets, which nobody sees here; as text, its bars reach the caller's progress.
_PLAIN_BARS = "import tqdm, tqdm.auto; tqdm.auto.tqdm = tqdm.tqdm"


def _execute(
    draft: NotebookNode, values: dict[str, Any], partial: Path, progress: TextIO | None
) -> tuple[NotebookNode, str]:
    """The executed notebook, failed or not, and what the kernel wrote to its standard error."""
    import logging

    import nbformat
    import papermill
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, papermill_engines

    teller = _Progress(progress, draft)
    # A fixed hash seed and no bar that redraws itself: both would change bytes between equal runs.
    kernel_environment = {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }

    class Engine(NBClientEngine):
        """papermill's own, but the kernel's stderr (a warning about TCP, at the least) stays out of the caller's."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> Any:
            client = PapermillNotebookClient(
                nb_man,
                kernel_name=kernel_name,
                timeout=None,
                startup_timeout=120,
                log=logging.getLogger("papermill"),
                store_widget_state=False,
                extra_arguments=[f"--IPKernelApp.exec_lines={_PLAIN_BARS}"],
                on_cell_start=teller.cell,
                stderr_file=teller,
            )
            with tempfile.TemporaryFile() as kernel_log:
                try:
                    return client.execute(stderr=kernel_log, env=kernel_environment)
                finally:
                    kernel_log.seek(0)
                    teller.kernel = kernel_log.read().decode(errors="replace")

    papermill_engines.register("gramviz", Engine)
    logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)  # what it would say, the exception says
    # papermill takes a notebook or a path; the node was read and checked already, so it is not read a second time.
    try:
        executed = papermill.execute_notebook(
            copy.deepcopy(draft), str(partial), values, engine_name="gramviz", progress_bar=False, record_timing=False
        )
    except papermill.PapermillExecutionError:
        executed = nbformat.read(partial, as_version=4)
    except Exception as error:
        # The kernel died, or could not start: no cell holds an error, so the one that ran last is given it.
        executed = nbformat.read(partial, as_version=4) if partial.exists() else copy.deepcopy(draft)
        told = f"{str(error).splitlines()[0] if str(error) else 'no message'}; out of memory is the usual cause"
        broken = nbformat.v4.new_output(
            "error", ename=type(error).__name__, evalue=told, traceback=[teller.kernel[-4000:]]
        )
        executed.cells[teller.running].setdefault("outputs", []).append(broken)
    finally:
        teller.close()
    return executed, teller.kernel


class _Progress:
    """Says on a stream which cell runs, and repeats the last line of what the cell itself reports."""

    def __init__(self, stream: TextIO | None, notebook: NotebookNode) -> None:
        self.stream = stream
        self.terminal = bool(stream and stream.isatty())
        self.total = len(notebook.cells)
        self.began = time.monotonic()
        self.last = float("-inf")
        self.where, self.kernel = "", ""
        # Before any cell has started, it is the first code cell that could not.
        self.running = next((at for at, cell in enumerate(notebook.cells) if cell.cell_type == "code"), 0)

    def cell(self, cell: NotebookNode, cell_index: int) -> None:
        """A hook of nbclient: this cell starts."""
        if cell.cell_type == "markdown":
            heading = re.search(r"^#+\s+(.+)$", cell.source, re.MULTILINE)
            self.where = heading.group(1) if heading else self.where
        self.running = cell_index
        self._tell(f"[{min(cell_index + 1, self.total):>2}/{self.total}] {self.where}")

    def write(self, text: str) -> None:
        """A progress bar of the notebook writes here; only its last state matters."""
        lines = [line for line in re.split(r"[\r\n]", text) if line.strip()]
        if lines:
            self._tell(lines[-1])

    def flush(self) -> None:
        """Part of the stream protocol; every line is flushed as it is written."""

    def close(self) -> None:
        """End the line that a terminal shows."""
        if self.stream and self.terminal:
            print(file=self.stream)

    def _tell(self, text: str) -> None:
        now = time.monotonic()
        if self.stream is None or now - self.last < (0.1 if self.terminal else 1.0):
            return
        self.last = now
        line = f"{now - self.began:6.1f} s  {text}"
        if self.terminal:
            print(f"\r\x1b[2K{line[:110]}", end="", file=self.stream, flush=True)
        else:
            print(line, file=self.stream, flush=True)


def _failure(notebook: NotebookNode) -> _Failure | None:
    heading, last, number = "", "", 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and "papermill-error-cell-tag" not in tags(cell):
            found = re.findall(r"^#+\s+(.+)$", cell.source, re.MULTILINE)
            heading = found[-1] if found else heading
        if cell.cell_type != "code":
            continue
        number += "injected-parameters" not in tags(cell)
        for output in cell.outputs:
            if output.output_type == "error":
                message = _plain(output.evalue).strip().splitlines() or [""]
                trace = _plain("\n".join(output.traceback))
                return _Failure(number, heading, cell.source, output.ename, message[0], trace, tuple(tags(cell)), last)
            text = output.get("text") or output.get("data", {}).get("text/plain") or ""
            last = text if text.strip() else last
    return None


def _is_input(failure: _Failure) -> bool:
    """Whether the run failed because what it was given was wrong: a `setup` cell refused it, and not by a bug.

    A traceback holds names, no classes. An error of our own packages (CheckpointError, ConfigError, ...) is no builtin,
    and of the builtins, these few are about values and files.
    """
    import builtins

    about_input = ("ValueError", "FileNotFoundError", "NotADirectoryError", "IsADirectoryError", "PermissionError")
    return "setup" in failure.tags and (failure.error in about_input or not hasattr(builtins, failure.error))


# Settling -------------------------------------------------------------------------------------------------------------


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def settle(notebook: NotebookNode, log: str = "") -> tuple[NotebookNode, str]:
    """The notebook without what differs between equal runs or dies outside of Jupyter, and the log that was cut out."""
    nb = copy.deepcopy(notebook)
    nb.cells = [cell for cell in nb.cells if "papermill-error-cell-tag" not in tags(cell)]
    nb.metadata.pop("widgets", None)
    nb.metadata.pop("papermill", None)
    # Which patch release of Python ran is provenance.
    nb.metadata.get("language_info", {}).pop("version", None)
    lines = [line for line in log.splitlines() if line.strip() and "running over TCP" not in line]
    for number, cell in enumerate(nb.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in tags(cell):
            cell["id"] = "injected-parameters"
        cell.setdefault("id", f"cell-{number}")
        if cell.cell_type != "code":
            continue
        kept = []
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                lines += [f"[{cell['id']}] {part.split(chr(13))[-1]}" for part in output.text.rstrip().split(chr(10))]
                continue
            if "data" in output:
                # The view of a live widget outranks the frozen frame beside it, and is blank without a kernel.
                # A control that brings no such frame, such as a progress bar, leaves nothing.
                if output.data.pop(_WIDGET, None) is not None and "text/html" not in output.data:
                    continue
                if "text/plain" in output.data:
                    output.data["text/plain"] = re.sub(r"\b0x[0-9a-f]{6,16}\b", "0x...", output.data["text/plain"])
            kept.append(output)
        cell.outputs = kept
    return nb, "\n".join(lines)


def strip(notebook: NotebookNode) -> NotebookNode:
    """The notebook as it is committed: no outputs, no counts, no widget state, nothing of the machine it came from."""
    nb = copy.deepcopy(notebook)
    language = nb.metadata.get("language_info", {})
    nb.metadata = NotebookNode(
        {key: value for key, value in nb.metadata.items() if key in ("gram", "kernelspec", "title")}
    )
    nb.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nb.metadata["language_info"] = {"name": language.get("name", "python")}
    for cell in nb.cells:
        cell.metadata = NotebookNode({key: value for key, value in cell.metadata.items() if key in ("tags", "jupyter")})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nb


def _outputs(notebook: NotebookNode, mime: str) -> dict[str, Any]:
    """All dicts of this type that the cells displayed, merged."""
    merged: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            merged |= output.get("data", {}).get(mime, {})
    return merged


def _dumps(notebook: NotebookNode) -> str:
    import nbformat

    text: str = nbformat.writes(notebook)
    return text if text.endswith("\n") else text + "\n"


def _plain(text: str) -> str:
    """Without the colour codes of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


# Provenance -----------------------------------------------------------------------------------------------------------


def _insert_record(notebook: NotebookNode, record: dict[str, Any], log: str) -> None:
    """Put the whole record where the notebook shows its own, or at the end."""
    import nbformat

    block = provenance_html(record, log)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if PROVENANCE in output.get("data", {}):
                output.data = NotebookNode({"text/html": block, "text/plain": "provenance"})
                return
    notebook.cells.append(
        nbformat.v4.new_markdown_cell(f"## Provenance\n\n{block}", id="provenance", metadata={"tags": ["provenance"]})
    )


# Pages ----------------------------------------------------------------------------------------------------------------

# nbconvert's page asks three CDNs for require.js, MathJax and mermaid. Explorers need none of them, and the policy
# makes it sure: what is not in the file cannot be had.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "script-src 'unsafe-inline' data: blob:",
        "img-src data: blob:",
        "media-src data: blob:",
        "font-src data:",
        "connect-src data: blob:",
        "frame-src data: blob:",
    )
)

_STYLE = """
body.jp-Notebook { background: #fff; color: #1a1f24; font: 16px/1.6 system-ui, sans-serif; padding: 0 1rem; }
main { max-width: 74rem; margin: 0 auto; padding: 2rem 0 4rem; }
.jp-Notebook .jp-Cell { padding: 0; margin: 0 0 .6rem; }
.jp-Notebook :is(.jp-Cell-inputWrapper, .jp-Cell-outputWrapper) { display: block; }
.jp-Notebook .jp-RenderedHTMLCommon { font: inherit; padding-right: 0; color: inherit; max-width: none; }
.jp-MarkdownOutput > :is(p, ul, ol) { max-width: 46rem; }
.jp-Notebook .jp-RenderedHTMLCommon :is(h1, h2, h3) { line-height: 1.25; font-weight: 650; margin: 2rem 0 .6rem; }
.jp-Notebook .jp-RenderedHTMLCommon h1 { font-size: 2rem; margin-top: 0; }
.jp-Notebook .jp-RenderedHTMLCommon h2 { font-size: 1.35rem; }
.jp-Notebook .jp-RenderedHTMLCommon h3 { font-size: 1.1rem; }
.jp-Notebook .jp-RenderedHTMLCommon table { font-size: .92rem; margin: .4rem 0 1rem; display: table; }
.jp-Notebook .jp-RenderedHTMLCommon :is(th, td) { text-align: left; vertical-align: top; white-space: normal; }
.jp-Notebook .jp-RenderedHTMLCommon :is(th, td) { padding: .35rem .8rem .35rem 0; max-width: none; }
.jp-Notebook .jp-RenderedHTMLCommon tbody tr:nth-child(n) { background: none; }
.jp-Notebook .jp-MarkdownOutput { padding: 0; }
.jp-Notebook .jp-RenderedHTMLCommon tbody tr { border-top: 1px solid #e3e7ea; }
.jp-Notebook .jp-InputArea-editor { background: #f6f7f8; border: 1px solid #e3e7ea; border-radius: 4px; }
.jp-Notebook .jp-RenderedHTMLCommon pre { background: #f6f7f8; padding: .6rem .8rem; overflow-x: auto; }
.jp-Notebook .jp-OutputArea-output { overflow: visible; }
.gram-headline { font-size: 1.1rem; border-left: 4px solid #0072b2; padding-left: .9rem; }
.gram-figure { margin: .6rem 0 1rem; }
.gram-figure figcaption { font-size: .92rem; color: #4d5863; }
.gram-provenance th { width: 11rem; font-weight: 500; color: #4d5863; }
.gram-provenance td { overflow-wrap: anywhere; }
iframe { border: 0; width: 100%; }
/* At the width of this page an explorer may wrap its header and needs a little more than its own default. */
iframe[title^='Explorer'] { height: 950px !important; }
@media print { main { max-width: none; } }
"""

_TEMPLATE = """{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}<meta http-equiv="Content-Security-Policy" content="POLICY">
<meta name="generator" content="gramviz report">{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_css -%}<style>STYLE</style>{%- endblock -%}
"""


def page(notebook: NotebookNode) -> str:
    """One HTML file that makes no request; code tagged `hide-input` is left out, prompts are not shown."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_input_tags = {"hide-input", "injected-parameters"}
    config.TagRemovePreprocessor.remove_cell_tags = {"remove-cell"}
    exporter = HTMLExporter(config=config, raw_template=_TEMPLATE.replace("POLICY", _POLICY).replace("STYLE", _STYLE))
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = exporter.exclude_anchor_links = True
    body, _ = exporter.from_notebook_node(notebook)
    return _shared(str(body))


_MODULE = '<script type="module">'
# A lazy frame keeps the text that it was parsed with, so it is replaced rather than changed.
_SHARE = """<script>
const lender = document.querySelector("iframe[data-lends-module]").srcdoc;
for (const frame of document.querySelectorAll("iframe[data-shares-module]")) {
  const whole = frame.cloneNode();
  whole.srcdoc += lender.slice(lender.lastIndexOf('<script type="module">'));
  frame.replaceWith(whole);
}
</script>"""


def _shared(text: str) -> str:
    """The page with the explorer's module in its first frame only: the others, whose pages end alike, borrow it.

    Three explorers weigh one module of 0.2 MB instead of three. Without scripts each frame still shows its fallback.
    """
    cut = html.escape(_MODULE)
    lender: list[str] = []

    def share(frame: re.Match[str]) -> str:
        head, _, module = frame[1].rpartition(cut)
        if not head or (lender and module != lender[0]):
            return frame[0]
        if not lender:
            lender.append(module)
            return f'data-lends-module="" {frame[0]}'
        return f'data-shares-module="" srcdoc="{head}"'

    text = re.sub(r'srcdoc="([^"]*)"', share, text)
    return text.replace("</main>", f"{_SHARE}</main>", 1) if "data-shares-module" in text else text


def _title(notebook: NotebookNode, values: Mapping[str, Any]) -> str:
    """The parameter `title` if it is given, else the first heading."""
    if values.get("title"):
        return str(values["title"])
    for cell in notebook.cells:
        heading = re.search(r"^#\s+(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if heading:
            return heading.group(1)
    return str(notebook.metadata.get("title", "Report"))


def failure_page(failure: _Failure, record: Mapping[str, Any], log: str) -> str:
    """A short page for a run that failed: the cell, its message, the last output before it, the provenance."""
    where = f", in “{failure.heading}”" if failure.heading else ""
    last = f"<h2>The last output before it</h2><pre>{html.escape(failure.last_output[-2000:])}</pre>"
    name = html.escape(str(record["notebook"]))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>FAILED: {name}</title><style>{_FAILURE_STYLE}</style></head>
<body><main><h1>FAILED: {name}</h1>
<p><strong>{html.escape(failure.error)}</strong>: {html.escape(failure.message)}</p>
<h2>Code cell {failure.number}{html.escape(where)}</h2><pre>{html.escape(failure.source)}</pre>
<details><summary>Traceback</summary><pre>{html.escape(failure.traceback)}</pre></details>
{last if failure.last_output else ""}
<h2>Provenance</h2>{provenance_html(record, log)}</main></body></html>
"""


_FAILURE_STYLE = """
body { font: 16px/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1f24; }
h1, strong { color: #a01818; }
pre { background: #f6f7f8; padding: .8rem; overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid #e3e7ea; }
th { font-weight: 500; }
td { overflow-wrap: anywhere; }
"""


def chromium() -> str | None:
    """Path of a Chromium or Chrome: the one that CHROMIUM names, one on the PATH, or playwright's own; else None."""
    import shutil

    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if name and (path := shutil.which(name)):
            return path
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as driver:
        path = driver.chromium.executable_path
    return path if path and Path(path).exists() else None


def _browser() -> str:
    path = chromium()
    if path is None:
        raise ReportError(
            "--pdf needs Chromium, and none was found; install one (Debian: apt install chromium) or leave --pdf out"
        )
    if importlib.util.find_spec("playwright") is None:
        raise ReportError(
            "--pdf needs playwright, which is not installed; pip install 'gram-explorer[pdf]' or leave --pdf out"
        )
    return path


def _print(source: Path, target: Path, browser: str) -> None:
    """The page as PDF. (nbconvert's webpdf refuses a browser that it did not download itself.)"""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # As root, Chromium's own sandbox cannot start; the page is ours and makes no request.
        chrome = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        sheet = chrome.new_page()
        sheet.goto(source.resolve().as_uri(), wait_until="load")
        sheet.pdf(
            path=str(target),
            format="A4",
            print_background=True,
            margin={"top": "15mm", "bottom": "15mm", "left": "15mm", "right": "15mm"},
        )
        chrome.close()
