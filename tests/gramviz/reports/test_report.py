"""`gramviz.reports.report`: parameters are checked first, runs are published whole, the page is offline."""

from __future__ import annotations

import contextlib
import errno
import html
import io
import json
import random
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from processes import started

from gramviz.reports import notebook as notebooks
from gramviz.reports import report
from gramviz.reports.execute import Progress
from gramviz.reports.notebook import ReportError, read, strip, tags
from gramviz.reports.provenance import PROVENANCE, without_provenance
from gramviz.reports.report import RunError

PARAMETERS = """
model: str = "small"  # which model
seed: int = 0  # of the dice
share: float = 0.5  # of the puzzles
sizes: list[int] = [1, 2]
loud: bool = False
extra: dict = {}
title: str = ""  # name of the page
"""
SETUP = """
import sys
if model == "absent":
    raise ValueError("there is no model 'absent'; known: small")
if model == "typo":
    sed
print("a note for the log\\n<b>and a second line</b>", file=sys.stderr)
"""
# A live widget whose bundle also holds a frozen page, a bare control, a metric, an address in memory, and a failure.
BODY = """
import ipywidgets
from gramviz.reports import blocks

class Alive(ipywidgets.IntSlider):
    def _repr_mimebundle_(self, **kwargs):
        return super()._repr_mimebundle_(**kwargs) | {"text/html": "<iframe srcdoc='<b>frozen</b>'></iframe>"}

if model == "dies":
    import os
    os._exit(9)
1 / 0 if model == "broken" else Alive()
"""


def code(source: str, *tags: str, name: str) -> Any:
    return new_code_cell(source.strip(), id=name, metadata={"tags": list(tags)})


def write_notebook(folder: Path) -> Path:
    """A small notebook with every kind of cell that the report knows."""
    cells = [
        new_markdown_cell("# Does it work?", id="title"),
        code(PARAMETERS, "parameters", name="parameters"),
        code(SETUP, "setup", name="setup"),
        new_markdown_cell("## Something alive", id="alive-text"),
        code(BODY, name="alive"),
        code("ipywidgets.IntProgress()", name="bar"),
        code("object()", name="address"),
        code("blocks.Block(f'<p>seed {seed}</p>', '', {blocks.METRICS: {'seed': seed}})", "hide-input", name="metric"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / "small.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A small notebook of one's own, to be changed at will."""
    return write_notebook(tmp_path)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one whole run, which several tests read."""
    folder = tmp_path_factory.mktemp("published")
    report.run(write_notebook(folder), {"seed": 3, "loud": "true", "sizes": "[3]"}, folder / "out")
    return folder / "out"


# A whole run ----------------------------------------------------------------------------------------------------------


def test_a_run_leaves_whole_files(published: Path) -> None:
    names = ["metrics.json", "small.html", "small.ipynb", "small.run.json"]
    assert sorted(path.name for path in published.iterdir()) == names
    metrics = json.loads((published / "metrics.json").read_text())
    assert metrics["metrics"] == {"seed": 3}
    assert metrics["parameters"]["sizes"] == [3]
    page = (published / "small.html").read_text()
    assert re.search(r"<small>Run of \d{4}-\d\d-\d\d \d\d:\d\d UTC.</small>", page)
    assert 'aria-label="Verdict"' not in page, "nothing was expected, and there is nothing to compare with yet"


def test_the_page_carries_its_provenance_for_machines(published: Path) -> None:
    page = (published / "small.html").read_text()
    (machine,) = re.findall(r'<script id="gram-provenance" type="application/json">(.*?)</script>', page, re.DOTALL)
    record = json.loads(machine)
    assert record["changed"] == ["loud", "seed", "sizes"]
    assert record["command"].startswith("gramviz report ")
    assert "-p seed=3 -p loud=true -p 'sizes=[3]' -o " in record["command"]
    assert record["packages"]["numpy"]
    assert record.keys() >= {"commit", "dirty", "python", "platform", "processors", "notebook_sha256", "started_at"}
    assert record["duration_seconds"] > 0
    (log,) = re.findall(r"<summary>Log of the run.*?</summary><pre>(.*?)</pre>", page, re.DOTALL)
    assert "[setup] a note for the log\n[setup] <b>and a second line</b>" in html.unescape(log)


class Requests(HTMLParser):
    """What a browser would fetch by itself when it opens a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fetching = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}
        for name, value in attrs:
            if fetching.get(tag) == name and value and not value.startswith(("data:", "#")):
                self.found.append(f"{tag} {value}")


def test_the_page_asks_for_nothing(published: Path) -> None:
    page = (published / "small.html").read_text()
    asked = Requests()
    asked.feed(page)
    assert asked.found == []
    assert "@import" not in page
    assert "Content-Security-Policy" in page
    for name in ("require.js", "MathJax", "html-manager", "mermaid"):
        assert name not in page, f"nbconvert's {name} is still there"


def test_live_widgets_give_way_to_frozen_frames(published: Path) -> None:
    notebook = nbformat.read(published / "small.ipynb", 4)
    cells = {cell["id"]: cell for cell in notebook.cells}
    assert "widgets" not in notebook.metadata
    assert "papermill" not in notebook.metadata
    assert list(cells["alive"].outputs[0].data) == ["text/html", "text/plain"]
    assert cells["bar"].outputs == [], "a control without a frozen form leaves nothing"
    assert cells["address"].outputs[0].data["text/plain"] == "<object at 0x...>"
    assert cells["injected-parameters"].source.count("=") == 3
    assert "frozen" in (published / "small.html").read_text()


def test_hidden_code_stays_in_the_notebook_and_out_of_the_page(published: Path) -> None:
    page = (published / "small.html").read_text()
    assert "blocks.Block" not in page
    assert "blocks.Block" in (published / "small.ipynb").read_text()
    assert "<title>Does it work?</title>" in page


def test_equal_runs_differ_in_nothing_but_provenance(notebook: Path, tmp_path: Path) -> None:
    """The second finds the first in its folder, and compares itself with it."""
    left = []
    for _ in range(2):
        report.run(notebook, {"seed": 5}, tmp_path / "out")
        left.append({path.name: path.read_text() for path in (tmp_path / "out").iterdir()})
    first, second = left
    assert first["small.html"] != second["small.html"]
    assert "0 of 1 numbers moved" in second["small.html"]
    for name in ("small.html", "small.ipynb"):
        assert without_provenance(first[name]) == without_provenance(second[name])
    numbers = [json.loads(each["metrics.json"]) for each in left]
    assert [n.pop("provenance") for n in numbers]
    assert numbers[0] == numbers[1]


def test_a_title_is_the_name_of_the_page(notebook: Path, tmp_path: Path) -> None:
    done = report.run(notebook, {"title": "Night 12 <b>"}, tmp_path / "out")
    assert "<title>Night 12 &lt;b&gt;</title>" in done.page.read_text()


# Notebooks that others wrote ---------------------------------------------------------------------------------------

SECRET = 'so-"secret"&so'
WATCH = """
import ipywidgets, sys
shown = ipywidgets.Output()
with shown:
    print("gone")
    shown.clear_output()
    print("printed inside")
ipywidgets.VBox([ipywidgets.IntSlider(), shown, ipywidgets.HTML("<b>in bold</b>")])
"""


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> report.Report:
    """A run of what a notebook of ours has not: no kernel named, figures, bars, widgets, a secret, errors, an end."""
    folder = tmp_path_factory.mktemp("foreign")
    cells = [
        code("%matplotlib inline\ntoken: str = ''  # to log in\nn = None", "parameters", name="given"),
        code("print(len(token), token, n); import sys; print(token, file=sys.stderr)", name="secret"),
        code("for step in range(500): print(f'\\rstep {step}', end='')", name="bar"),
        code("import plotly.graph_objects as go\ngo.Figure(go.Scatter(y=[1, 3, 2]))", name="figure"),
        code("figure = go.Figure(go.Scatter(y=[2, 3]))\nfigure.show()", name="second"),
        code(WATCH, name="watch"),
        code("1 / 0", "raises-exception", name="error"),
        code("sys.exit(0)", name="end"),
        code("print('never')", name="after"),
    ]
    metadata = {"language_info": {"name": "python", "version": "3.10.4"}}  # as VS Code leaves it
    nbformat.write(new_notebook(cells=cells, metadata=metadata), folder / "foreign.ipynb")
    return report.run(folder / "foreign.ipynb", {"n": "null"}, folder / "out", secrets={"token": SECRET})


def test_outputs_of_any_notebook_are_in_the_page(foreign: report.Report) -> None:
    page, cells = foreign.page.read_text(), {cell["id"]: cell for cell in read(foreign.notebook).cells}
    assert cells["bar"].outputs[0].text == "step 499"
    assert page.count("Plotly.newPlot(") == 2
    assert page.count('id="gram-plotly"') == 1, "the script stands in the page once"
    assert [output.get("text") or output.data["text/html"] for output in cells["watch"].outputs] == [
        "printed inside\n",
        "<b>in bold</b>",
    ]
    assert "ZeroDivisionError" in page
    assert "The notebook ended itself here (sys.exit)" in page
    assert cells["after"].outputs == []
    assert "The notebook names no kernel; python3 ran it." in page


def test_a_secret_is_known_to_the_notebook_and_to_nobody_else(foreign: report.Report) -> None:
    cells = {cell["id"]: cell for cell in read(foreign.notebook).cells}
    assert cells["secret"].outputs[0].text == f"{len(SECRET)} ••• None\n"
    for path in foreign.page.parent.rglob("*"):
        assert not re.search(r"so-.{1,12}secret", path.read_text())
    assert "--secret token" in foreign.page.read_text()


@pytest.mark.parametrize(
    ("given", "secrets", "message"),
    [
        ({}, {"model": "abc"}, "secret 'model' has 3 characters; one that can be hidden has 4 or more"),
        (
            {"model": "x"},
            {"model": "abcd"},
            "parameter 'model' is given twice, as a value and as a secret; give it once",
        ),
    ],
)
def test_a_secret_that_cannot_be_kept_is_refused(
    notebook: Path, given: dict[str, Any], secrets: dict[str, str], message: str
) -> None:
    with pytest.raises(ReportError, match=message):
        report.run(notebook, given, notebook.parent / "out", secrets=secrets)


def test_a_kernel_that_is_not_installed_is_refused_before_anything_runs(notebook: Path) -> None:
    book = nbformat.read(notebook, 4)
    book.metadata.kernelspec.name = "conda-env-research-py"
    nbformat.write(book, notebook)
    with pytest.raises(ReportError, match=r"no kernel 'conda-env-research-py'; installed: .*python3.*--kernel"):
        report.run(notebook, {}, notebook.parent / "out")


@pytest.mark.parametrize(
    ("shown", "message"),
    [
        ({"application/vnd.vega.v5+json": {}, "text/plain": "<Chart>"}, "code cell 1 shows application/vnd.vega.v5"),
        (
            {notebooks._WIDGET: {"model_id": "a"}, "text/plain": "<FigureWidget>"},
            r"code cell 1 shows a widget \(Figure\)",
        ),
    ],
)
def test_what_no_page_can_show_is_refused_with_the_cell_s_number(shown: dict[str, Any], message: str) -> None:
    book = new_notebook(cells=[code("1", name="one")])
    book.cells[0].outputs = [new_output("display_data", shown)]
    state = {"a": {"model_name": "FigureModel", "model_module": "anywidget", "state": {"_view_name": "Figure"}}}
    book.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    with pytest.raises(ReportError, match=message):
        notebooks.settle(book)


def unmarked(page: str) -> str:
    """A page without what a later run that failed has written into it."""
    return re.sub("<!-- gram-stale begins -->.*?<!-- gram-stale ends -->", "", page).replace(
        "<title>STALE: ", "<title>"
    )


# What is expected -----------------------------------------------------------------------------------------------------


def test_a_run_that_is_not_as_expected_fails_and_its_page_says_so(notebook: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report.run(notebook, {"seed": 2, "expect": {"seed": ">= 2"}}, out)
    assert "<h2>Passed</h2>" in (out / "small.html").read_text()
    expect = '{"seed": ">=2", "loss": "<1"}'
    with pytest.raises(
        RunError, match=r"not as expected: seed should be >=2 and is 1; loss .* was not measured \(measured: seed\)"
    ):
        report.run(notebook, {"seed": 1, "expect": expect}, out)
    page = (out / "small.failed.html").read_text()
    assert "<title>FAILED: Does it work?</title>" in page
    assert "FAILED: 2 of 2 expectations do not hold" in page
    assert "<td>▼ -1</td>" in page, "compared with the last good run"
    assert json.loads((out / "metrics.json").read_text())["metrics"] == {"seed": 2}
    assert json.loads((out / "metrics.failed.json").read_text())["metrics"] == {"seed": 1}
    assert json.loads((out / "small.run.json").read_text())["expect"][1] == ["loss", "<1", None, False]
    assert "STALE" in (out / "small.html").read_text()
    assert not list(out.glob(".*"))


@pytest.mark.parametrize("expect", ["3", "{'seed': 3}", "{'seed': '>= x'}"])
def test_an_expectation_that_cannot_be_read_is_refused(notebook: Path, expect: str) -> None:
    with pytest.raises(ReportError, match="expect"):
        report.run(notebook, {"expect": expect}, notebook.parent / "out")


# Runs that do not work ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{"sed": 1}, {"seed": "x"}, {"model": "absent"}])
def test_wrong_input_writes_nothing(notebook: Path, tmp_path: Path, given: dict[str, Any]) -> None:
    with pytest.raises(ReportError):
        report.run(notebook, given, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()


def test_what_setup_refuses_is_input_and_its_sentence_is_passed_on(notebook: Path, tmp_path: Path) -> None:
    with pytest.raises(ReportError) as raised:
        report.run(notebook, {"model": "absent"}, tmp_path / "out")
    assert str(raised.value) == "there is no model 'absent'; known: small"


def test_a_bug_in_setup_is_a_failed_run(notebook: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="name 'sed' is not defined"):
        report.run(notebook, {"model": "typo"}, tmp_path / "out")


def test_a_failed_run_says_where_and_keeps_the_last_report(notebook: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report.run(notebook, {}, out)
    before = (out / "small.html").read_text()
    with pytest.raises(RunError):
        report.run(notebook, {"model": "broken"}, out)
    with pytest.raises(RunError) as raised:
        report.run(notebook, {"model": "broken"}, out)
    assert "small.ipynb failed in cell 3 (Something alive): division by zero; see" in str(raised.value)
    names = ["metrics.json", "small.failed.html", "small.failed.ipynb", "small.html", "small.ipynb", "small.run.json"]
    assert sorted(path.name for path in out.iterdir()) == names
    after = (out / "small.html").read_text()
    assert after.count("STALE") == 2, "in the title and at the head"
    assert unmarked(after) == before
    page = raised.value.page.read_text()
    assert "<title>FAILED: small.ipynb</title>" in page
    assert "ZeroDivisionError" in page
    assert "1 / 0 if model" in page
    assert 'id="gram-provenance"' in page
    done = report.run(notebook, {}, out, whole=False)
    names = ["metrics.json", "small.html", "small.run.json"]
    assert sorted(path.name for path in out.iterdir()) == names, "a run that works ends the failure"
    assert done.notebook is None
    assert "STALE" not in done.page.read_text()


def test_a_kernel_that_dies_is_a_failed_run(notebook: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cell 3 \(Something alive\): the kernel ended itself with exit code 9"):
        report.run(notebook, {"model": "dies"}, tmp_path / "out")
    names = ["small.failed.html", "small.failed.ipynb", "small.run.json"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names


def test_a_run_that_takes_too_long_fails_and_says_so(notebook: Path, tmp_path: Path) -> None:
    book = nbformat.read(notebook, 4)
    book.cells[4].source = "import time; time.sleep(60)"
    nbformat.write(book, notebook)
    with pytest.raises(RunError, match=r"cell \d .*: the run took longer than its timeout of 3 s; see"):
        report.run(notebook, {}, tmp_path / "out", timeout=3)


@pytest.mark.parametrize("place", ["/proc/nowhere/out", "small.ipynb/out"])
def test_a_folder_that_cannot_be_written_is_one_sentence(notebook: Path, place: str) -> None:
    with pytest.raises(ReportError, match=r"cannot write into '.*': .*; choose another folder with -o"):
        report.run(notebook, {}, notebook.parent / place)


@pytest.mark.parametrize("at", ["papermill.iorw.LocalHandler.write", "gramviz.reports.report.page"])
def test_a_disk_that_is_full_is_one_sentence_and_leaves_nothing(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(at, full)
    with pytest.raises(ReportError, match=r"cannot write into '.*': No space left on device; choose another folder"):
        report.run(notebook, {}, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("blow", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_run_that_is_cut_off_publishes_nothing(notebook: Path, tmp_path: Path, blow: int, code: int) -> None:
    book = nbformat.read(notebook, 4)
    book.cells[4].source = "import time; time.sleep(60)"
    nbformat.write(book, notebook)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "gramviz.cli", "report", str(notebook), "-o", str(out)]
    if blow == signal.SIGINT:  # heard again where these tests run in a background that ignores it
        command = [
            sys.executable,
            "-c",
            f"import signal, os; signal.signal(2, signal.SIG_DFL); os.execv({sys.executable!r}, {command!r})",
        ]
    with started(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 60
        while not list(out.glob("*.partial.ipynb")) and time.monotonic() < deadline:
            time.sleep(0.1)
        running.send_signal(blow)
        said = running.communicate(timeout=60)
    # Python ends by SIGINT itself where that came inside of exec(text); a shell says 130 of both.
    assert running.returncode in (code, -2 if blow == signal.SIGINT else code), said
    left = list(out.iterdir()) if out.exists() else []
    assert all(".partial." in path.name for path in left)
    assert not left or blow == signal.SIGKILL


@pytest.mark.slow
def test_ten_kills_leave_nothing_half_and_the_next_run_finishes(notebook: Path, tmp_path: Path) -> None:
    out, chance = tmp_path / "out", random.Random(0)
    command = [sys.executable, "-m", "gramviz.cli", "report", str(notebook), "-o", str(out), "--log-level", "error"]
    for _ in range(10):
        with (
            started(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running,
            contextlib.suppress(subprocess.TimeoutExpired),
        ):
            running.wait(chance.uniform(0.5, 3))
        for path in out.glob("[!.]*"):
            text = path.read_text()
            assert text.endswith("</html>\n" if path.suffix == ".html" else "}\n")
    report.run(notebook, {}, out)
    names = ["metrics.json", "small.html", "small.ipynb", "small.run.json"]
    assert sorted(path.name for path in out.iterdir()) == names


# Progress, stripping, provenance --------------------------------------------------------------------------------------


def test_progress_is_at_most_one_line_a_second(notebook: Path) -> None:
    stream = io.StringIO()
    teller = Progress(stream, read(notebook))
    for number in range(200):
        teller.write(f"\r{number}/200 done")
    assert stream.getvalue().count("\n") == 1


def test_progress_names_the_section(notebook: Path, tmp_path: Path) -> None:
    stream = io.StringIO()
    report.run(notebook, {}, tmp_path / "out", progress=stream)
    assert "Does it work?" in stream.getvalue()
    assert "\r" not in stream.getvalue()


def test_stripping_is_idempotent_and_keeps_what_matters(published: Path) -> None:
    stripped = strip(nbformat.read(published / "small.ipynb", 4))
    assert strip(stripped) == stripped
    assert all(
        cell.outputs == [] and cell.execution_count is None for cell in stripped.cells if cell.cell_type == "code"
    )
    assert {cell["id"]: tags(cell) for cell in stripped.cells}["parameters"] == ["parameters"]


def test_a_notebook_s_own_record_joins_the_provenance(notebook: Path, tmp_path: Path) -> None:
    book = nbformat.read(notebook, 4)
    book.cells.append(
        code(f"blocks.Block('x', 'x', {{{PROVENANCE!r}: {{'checkpoints': {{'small': 'ab12'}}}}}})", name="footer")
    )
    nbformat.write(book, notebook)
    done = report.run(notebook, {}, tmp_path / "out")
    assert done.metrics is not None
    assert json.loads(done.metrics.read_text())["provenance"]["checkpoints"] == {"small": "ab12"}
    assert done.page.read_text().count('id="gram-provenance"') == 1
