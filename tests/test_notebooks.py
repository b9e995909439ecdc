"""Every notebook: clean as committed, readable by everyone, and run from top to bottom.

Runs at `debug` use two tiny checkpoints and take seconds: they show that cells and package fit together. The slow tests
run the shipped models at the size that a reader meets, within the budgets of the lessons.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gramviz.reports import notebook, provenance, report
from gramviz.reports.notebook import ReportError
from gramviz.reports.parameters import parameters

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TAGS = {
    "parameters",
    "setup",
    "predict",
    "reveal",
    "key-figure",
    "exercise",
    "answer",
    "provenance",
    "hide-input",
    "remove-cell",
}
# A parameter of a name has one type in all notebooks.
TYPES = {"seed": "int", "scale": "str", "artifact": "str", "checkpoint": "str", "reference": "str", "puzzle": "int",
         "limit": "int", "trajectories": "int", "supervision_steps": "int", "title": "str", "noise": "list",
         "depths": "list", "widths": "list", "artifacts": "list", "graphs": "list",
         "board_size": "int", "train_steps": "int", "samples": "int", "puzzles": "int",
         "augmentations": "int"}  # fmt: skip

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str, *wanted: str) -> list[Any]:
    found = [cell for cell in notebook.read(path).cells if cell.cell_type == kind]
    return [cell for cell in found if not wanted or set(wanted) & set(notebook.tags(cell))]


# As committed ---------------------------------------------------------------------------------------------------------


def test_the_first_notebooks_are_there() -> None:
    assert {"00_start_here", "report"} <= {path.stem for path in NOTEBOOKS}


@each
def test_it_is_committed_without_outputs(path: Path) -> None:
    book = notebook.read(path)
    nbformat.validate(book)
    assert notebook.strip(book) == book, f"run `gramviz strip {path.relative_to(ROOT)}`"


@each
def test_its_cells_have_names_that_stay(path: Path) -> None:
    """A random id would change with every edit in another editor; ours are words."""
    names = [cell["id"] for cell in notebook.read(path).cells]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{2,40}", name) for name in names), names


@each
def test_its_tags_are_known(path: Path) -> None:
    assert {tag for cell in notebook.read(path).cells for tag in notebook.tags(cell)} <= TAGS


@each
def test_its_parameters_are_typed_explained_and_mean_the_same_everywhere(path: Path) -> None:
    known = parameters(notebook.read(path))
    assert "seed" in known
    for parameter in known.values():
        assert parameter.help, f"{parameter.name} has no comment that says what it means"
        assert TYPES[parameter.name] == parameter.type


@each
def test_it_says_what_it_is(path: Path) -> None:
    about = notebook.read(path).metadata["gram"]
    assert about.keys() - {"tasks"} == {"lesson", "title", "minutes", "needs", "exhibits", "artifacts", "misconception"}
    assert cells(path, "markdown")[0].source.startswith(f"# {about['title']}")


@each
def test_headings_skip_no_level_and_one_is_first(path: Path) -> None:
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@each
def test_links_lead_somewhere_and_say_where(path: Path) -> None:
    for cell in cells(path, "markdown"):
        for words, target in re.findall(r"\[([^\]]+)\]\(([^)]+)\)", cell.source):
            assert words.lower() not in ("here", "link", "this")
            assert target.startswith("https://") or (path.parent / target).exists(), target


@each
def test_no_formula_needs_a_typesetter(path: Path) -> None:
    """The offline page has none; formulas are written in words or HTML."""
    assert not any("$" in cell.source for cell in cells(path, "markdown"))


@each
def test_cells_are_short_and_define_nothing(path: Path) -> None:
    """Logic worth testing lives in the package."""
    for cell in cells(path, "code"):
        # A choice of an exercise lists a reason per line; what is counted is what has to be understood.
        lines = [
            line
            for line in cell.source.splitlines()
            if line.strip() and not line.strip().startswith(('"', "}", ")", "]"))
        ]
        assert len(lines) <= 15, f"cell {cell['id']} has {len(lines)} lines"
        assert not re.search(r"^(def|class) ", cell.source, re.MULTILINE), f"cell {cell['id']} defines something"


@each
def test_answers_are_folded_and_tell_what_is_inside(path: Path) -> None:
    for cell in cells(path, "markdown", "answer"):
        assert re.match(r"<details><summary>[^<]{15,}</summary>\n\n", cell.source)
        assert cell.source.rstrip().endswith("</details>")
        assert not re.search(r"^#", cell.source, re.MULTILINE)


def test_a_lesson_is_no_book() -> None:
    for path in NOTEBOOKS:
        words = sum(len(cell.source.split()) for cell in cells(path, "markdown"))
        assert words <= 1_500, f"{path.name} has {words} words"


# Run from top to bottom -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def debug_models(debug_checkpoint: Path, debug_trm_checkpoint: Path) -> dict[str, dict[str, Any]]:
    """Notebook -> parameters that make a run of it take seconds."""
    gram, trm = str(debug_checkpoint), str(debug_trm_checkpoint)
    return {
        "00_start_here": {"artifact": gram, "reference": trm, "scale": "debug"},
        "01_one_recursion": {"artifact": gram, "scale": "debug"},
        "03_one_path_against_fifty": {"artifact": gram, "reference": trm, "scale": "debug", "puzzle": 0},
        "04_deep_or_wide": {
            "artifact": gram, "reference": trm, "scale": "debug", "puzzle": 0, "depths": [1, 2], "widths": [1, 2, 4],
        },
        "05_many_solutions": {"artifacts": [trm, gram], "graphs": [trm, gram], "scale": "debug", "puzzle": 0},
        "06_generating_a_board": {"scale": "debug"},  # the generators in artifacts/: 5 queens cannot be generated
        "07_generating_a_digit": {"scale": "debug"},
        "08_train_your_own": {"board_size": 5, "scale": "debug"},
        "09_what_matters": {"artifact": gram, "reference": trm, "scale": "debug", "puzzle": 0},
        "10_what_an_arc_score_measures": {"scale": "debug", "puzzles": 6, "augmentations": 3, "puzzle": 3},
        "11_look_inside_your_own_model": {"scale": "debug", "trajectories": 4},
        "report_generation": {"samples": 4},  # the generators in artifacts/
        "report": {"checkpoint": gram, "reference": trm, "trajectories": 4, "title": "Debug"},
    }  # fmt: skip


@pytest.fixture(scope="module")
def pages(debug_models: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, report.Report]:
    """What a run of each notebook at `debug` published."""
    out = tmp_path_factory.mktemp("pages")
    return {path.stem: report.run(answered(path, out), debug_models[path.stem], out / path.stem) for path in NOTEBOOKS}


def coded(path: Path) -> list[Any]:
    """The folded answers that hold code."""
    return [cell for cell in cells(path, "markdown", "answer") if "```python" in cell.source]


def answered(path: Path, folder: Path) -> Path:
    """A copy of a notebook in which each exercise has its folded answer, where that holds code."""
    book = notebook.read(path)
    for exercise, answer in pairwise(book.cells):
        if {"exercise"} & set(notebook.tags(exercise)) and (
            fence := re.search(r"```python\n(.*?)```", answer.source, re.S)
        ):
            stub = exercise.source.split("\n", 1)[0]
            assert stub.endswith(" = None")
            exercise.source = exercise.source.replace(stub, fence[1].rstrip(), 1)
    (folder / "src").mkdir(exist_ok=True)
    nbformat.write(book, folder / "src" / path.name)
    return folder / "src" / path.name


class Frames(HTMLParser):
    """The explorers of a page, and the titles that a screen reader announces them by."""

    def __init__(self) -> None:
        super().__init__()
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "iframe":
            self.titles.append(dict(attrs).get("title") or "")


EXPLORERS = {"00_start_here": 2, "01_one_recursion": 1, "03_one_path_against_fifty": 1, "04_deep_or_wide": 1,
             "05_many_solutions": 2, "06_generating_a_board": 1, "07_generating_a_digit": 1, "08_train_your_own": 1,
             "09_what_matters": 1, "10_what_an_arc_score_measures": 1,
             "11_look_inside_your_own_model": 2, "report": 3, "report_generation": 1}  # fmt: skip
BOARDS = {"06_generating_a_board": "6 x 6 Sudoku", "07_generating_a_digit": "handwritten digits, 8 x 8",
          "10_what_an_arc_score_measures": "ARC practice", "11_look_inside_your_own_model": "Latin square 4 x 4",
          "report_generation": "6 x 6 Sudoku"}  # fmt: skip


@pytest.mark.parametrize(("stem", "explorers"), EXPLORERS.items())
def test_a_run_at_debug_size_becomes_a_page_with_explorers(
    pages: dict[str, report.Report], stem: str, explorers: int
) -> None:
    frames = Frames()
    frames.feed(pages[stem].page.read_text())
    assert len(frames.titles) == explorers
    assert all(title.startswith(f"Explorer: {BOARDS.get(stem, '5 queens')}") for title in frames.titles)


@each
def test_each_folded_answer_passes_its_own_check(path: Path, pages: dict[str, report.Report]) -> None:
    """An exercise whose answer is words is left alone, and says so."""
    shown = pages[path.stem].page.read_text()
    assert shown.count("<strong>Yes</strong>") == len(coded(path))
    assert shown.count("Not tried yet") == len(cells(path, "code", "exercise")) - len(coded(path))
    assert "<strong>Not yet</strong>" not in shown
    assert path.stem.startswith("report") or "the numbers mean nothing" in shown


def test_the_report_hides_its_code_and_shows_its_numbers(pages: dict[str, report.Report]) -> None:
    page = pages["report"].page.read_text()
    assert "blocks.results" not in page
    assert "<title>Debug</title>" in page
    assert 'class="gram-headline"' in page
    assert pages["report"].metrics is not None
    runs = json.loads(pages["report"].metrics.read_text())["metrics"]["runs"]
    assert runs.keys() == {"debug", "debug-trm"}
    assert runs["debug"].keys() >= {"accuracy", "coverage", "best_of_n", "intervals", "trajectories"}


def test_the_footer_names_checkpoints_and_rollouts(pages: dict[str, report.Report]) -> None:
    for stem, done in pages.items():
        machine = re.search(
            r'<script id="gram-provenance" type="application/json">(.*?)</script>', done.page.read_text()
        )
        assert machine
        record = json.loads(machine[1])
        if stem in ("00_start_here", "report"):
            assert record["checkpoints"].keys() == {"debug", "debug-trm"}
        assert all(re.fullmatch("[0-9a-f]{64}", entry["sha256"]) for entry in record["rollouts"])
        assert all((done.page.parent / entry["file"]).is_file() for entry in record["rollouts"])
        assert record.get("threads", 1) >= 1  # none in a notebook without torch


def test_a_missing_checkpoint_is_one_sentence_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"there is no checkpoint 'nqueens8-gran'; known: .*"):
        report.run(ROOT / "notebooks" / "report.ipynb", {"checkpoint": "nqueens8-gran"}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_two_reports_differ_in_nothing_but_provenance(
    pages: dict[str, report.Report], debug_models: dict[str, Any], tmp_path: Path
) -> None:
    again = report.run(ROOT / "notebooks" / "report.ipynb", debug_models["report"], tmp_path)
    first, second = (provenance.without_provenance(done.page.read_text()) for done in (pages["report"], again))
    assert first == second


SHIPPED = all(
    (ROOT / "artifacts" / name / "weights.safetensors").exists() for name in ("nqueens8-gram", "nqueens8-trm")
)
shipped = pytest.mark.skipif(not SHIPPED, reason="artifacts/nqueens8-gram and nqueens8-trm are not trained yet")
LARGEST = 1_000_000  # bytes of a report


@pytest.mark.slow
@shipped
def test_the_first_lesson_runs_on_the_shipped_models(tmp_path: Path) -> None:
    done = report.run(ROOT / "notebooks" / "00_start_here.ipynb", {}, tmp_path)
    assert done.page.stat().st_size > 100_000  # its explorers are in it


@pytest.mark.slow
@shipped
def test_a_report_of_fifty_paths_is_at_most_one_megabyte(tmp_path: Path) -> None:
    done = report.run(
        ROOT / "notebooks" / "report.ipynb", {"limit": 8, "trajectories": 50, "supervision_steps": 16}, tmp_path
    )
    assert done.page.stat().st_size < LARGEST
