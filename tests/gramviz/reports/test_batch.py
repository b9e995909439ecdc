"""`gramviz.reports.batch`: many runs, of which a repeated call makes only those that are missing; and their index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from gramviz.reports import batch, index, record
from gramviz.reports.notebook import ReportError

PARAMETERS = """
model: str = "small"
seed: int = 0
"""
BODY = """
from gramviz.reports import blocks
assert model != "broken", "it broke"
blocks.Block(f'<p>{seed}</p>', '', {blocks.METRICS: {'loss': seed + 0.5}})
"""
SETUP = """
if model == "absent":
    raise ValueError("there is no model 'absent'")
"""


def write_notebook(folder: Path, name: str = "small", **about: Any) -> Path:
    cells = [
        new_code_cell(PARAMETERS.strip(), id="parameters", metadata={"tags": ["parameters"]}),
        new_code_cell(SETUP.strip(), id="setup", metadata={"tags": ["setup"]}),
        new_code_cell(BODY.strip(), id="body"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel, "gram": about}), path)
    return path


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return write_notebook(tmp_path)


# What is to be run ----------------------------------------------------------------------------------------------------


def test_a_sweep_is_every_combination_in_folders_that_say_so(notebook: Path, tmp_path: Path) -> None:
    jobs = batch.sweep(notebook, {}, {"model": ["a", "b/c"], "seed": [1, "2"]}, tmp_path, {})
    assert [job.plan.values for job in jobs] == [
        {"model": model, "seed": seed} for model in ("a", "b/c") for seed in (1, 2)
    ]
    names = [job.out.name for job in jobs]
    assert names[0] == "model=a,seed=1"
    assert names[2].startswith("model=b-c,seed=1-")
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("given", "over", "message"),
    [
        ({"seed": 1}, {"seed": [1]}, "parameter 'seed' is given twice, as a value and as a list"),
        ({}, {"sed": [1]}, "unknown parameter 'sed'"),
        ({}, {"seed": [1, "x"]}, "'seed' must be int, not 'x'"),
    ],
)
def test_a_wrong_sweep_is_refused_before_anything_runs(
    notebook: Path, tmp_path: Path, given: dict[str, Any], over: dict[str, list[Any]], message: str
) -> None:
    with pytest.raises(ReportError, match=message):
        batch.sweep(notebook, given, over, tmp_path, {})


def test_all_is_every_notebook_or_every_model_that_one_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books = tmp_path / "books"
    for name in ("one", "two"):
        write_notebook(books, name)
    jobs = batch.every_notebook(books, {"seed": 3}, tmp_path, {})
    assert [(job.stem, job.out.name, job.plan.values) for job in jobs] == [
        ("one", "one", {"seed": 3}),
        ("two", "two", {"seed": 3}),
    ]
    with pytest.raises(ReportError, match=r"no notebook has a parameter 'sed'; .*did you mean 'seed'"):
        batch.every_notebook(books, {"sed": 3}, tmp_path, {})

    for name, kind in {"queens": "nqueens", "pictures": "images"}.items():
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "weights.safetensors").write_bytes(b"")
        (tmp_path / "models" / name / "config.json").write_text(json.dumps({"task": {"kind": kind}}))
    monkeypatch.setenv("GRAM_ARTIFACTS", str(tmp_path / "models"))
    monkeypatch.setattr("gramviz.reports.models.folders", lambda: [tmp_path / "models"])
    judge = write_notebook(books, "judge", tasks=["nqueens"])
    book = nbformat.read(judge, 4)
    book.cells[0].source = 'artifact: str = ""'
    nbformat.write(book, judge)
    assert [job.plan.values for job in batch.every_model(judge, {}, tmp_path, {})] == [{"artifact": "queens"}]
    with pytest.raises(ReportError, match=r"on tasks of kind nqueens; pictures was made for images: no notebook"):
        batch.sweep(judge, {}, {"artifact": ["pictures"]}, tmp_path, {})
    with pytest.raises(ReportError, match="judges no model of a kind"):
        batch.every_model(books / "one.ipynb", {}, tmp_path, {})


# Running it -----------------------------------------------------------------------------------------------------------


def test_a_repeated_sweep_runs_what_is_missing(notebook: Path, tmp_path: Path) -> None:
    out, said = tmp_path / "out", list[str]()
    (out / "model=absent").mkdir(parents=True)
    yesterday = "<html><head><title>Small</title></head><body><main></main></body></html>"
    (out / "model=absent" / "small.html").write_text(yesterday)
    over = {"model": ["small", "broken", "absent"]}
    jobs = batch.sweep(notebook, {}, over, out, {})
    assert batch.run(jobs, out, workers=3, say=said.append) == 2
    assert said[0] == "3 runs, 0 are done already"
    assert [job.is_done() for job in jobs] == [True, False, False]
    assert "<title>STALE: Small" in (out / "model=absent" / "small.html").read_text()

    shown = {one.about["parameters"]["model"]: one for one in index.entries(out)}
    assert {name: one.state for name, one in shown.items()} == {
        "small": "passed",
        "broken": "failed",
        "absent": "stale",
    }
    assert shown["absent"].about["error"] == "there is no model 'absent'"
    page = (out / "index.html").read_text()
    assert "3 reports: 1 passed, 1 failed, 1 stale" in page
    assert 'href="model%3Dsmall/small.html"' in page
    assert shown["small"].about["run"] in page

    assert batch.run(jobs[:1], out, say=said.append) == 0
    assert "1 runs, 1 are done already" in said
    (changed,) = batch.sweep(write_notebook(tmp_path, needs=["something else"]), {}, {"model": ["small"]}, out, {})
    assert not changed.is_done(), "another notebook"


@pytest.mark.parametrize(
    ("backend", "scheduler", "message"),
    [("ray", "", "there is no backend 'ray'; known: threading, dask"), ("dask", "", "address of a scheduler|Dask")],
)
def test_a_backend_that_is_not_there_is_refused(
    notebook: Path, tmp_path: Path, backend: str, scheduler: str, message: str
) -> None:
    jobs = batch.sweep(notebook, {}, {"seed": [1]}, tmp_path, {})
    with pytest.raises(ReportError, match=message):
        batch.run(jobs, tmp_path, backend=backend, scheduler=scheduler, say=lambda _: None)


def test_a_dask_cluster_makes_the_runs(notebook: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed; pip install 'dask[distributed]'")
    with distributed.LocalCluster(1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        jobs = batch.sweep(notebook, {}, {"seed": [1]}, tmp_path / "out", {})
        said = {"backend": "dask", "scheduler": cluster.scheduler_address, "say": lambda _: None}
        assert batch.run(jobs, tmp_path / "out", **said) == 0
    assert jobs[0].is_done()


# What a run is made from ----------------------------------------------------------------------------------------------


def test_a_run_is_made_from_notebook_parameters_weights_and_data(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = tmp_path / "model", tmp_path / "data"
    for folder in (model, data):
        folder.mkdir()
    (model / "weights.safetensors").write_bytes(b"a")
    (data / "puzzles.csv").write_text("1")
    monkeypatch.setenv("GRAM_DATA", str(data))

    def made_from(seed: int = 0) -> dict[str, str]:
        record._data.cache_clear()
        (job,) = batch.sweep(notebook, {"model": str(model)}, {"seed": [seed]}, tmp_path, {})
        return job.plan.made_from

    before = made_from()
    assert made_from() == before
    assert record.run_id(before) != record.run_id(made_from(1))

    def changed() -> set[str]:
        return {name for name, sha in made_from().items() if sha != before[name]}

    (model / "weights.safetensors").write_bytes(b"b")
    assert changed() == {"weights"}
    (data / "puzzles.csv").write_text("2")
    assert changed() == {"weights", "data"}
    write_notebook(tmp_path, needs=["x"])
    assert changed() == {"weights", "data", "notebook"}


# The index ------------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_thousand_reports_are_sorted_and_filtered_without_a_network(chromium: Any, tmp_path: Path) -> None:
    shown = [
        index.Entry(
            {"title": f"Night {k} <b>", "state": "failed" if k % 100 == 7 else "passed", "run": f"{k:012x}",
             "metrics": {"loss": (k * 7919) % 1000 / 10}, "parameters": {"seed": k}, "changed": ["seed"]},
            f"night-{k}", {"page": f"night-{k}/small.html"},
        )
        for k in range(1000)
    ]  # fmt: skip
    (tmp_path / "index.html").write_text(index.text(shown))
    context = chromium.new_context(offline=True)
    sheet = context.new_page()
    wrong: list[str] = []
    sheet.on("pageerror", lambda error: wrong.append(str(error)))
    sheet.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    sheet.goto((tmp_path / "index.html").as_uri())

    def rows() -> list[str]:
        return sheet.evaluate("[...document.querySelectorAll('tbody tr:not([hidden])')].map((row) => row.innerText)")

    assert len(rows()) == 1000
    for values in (range(1000), range(999, -1, -1)):
        sheet.get_by_role("button", name="loss").click()
        losses = sheet.evaluate("[...document.querySelectorAll('tbody tr')].map((row) => +row.cells[3].dataset.value)")
        assert losses == [value / 10 for value in values]
    sheet.get_by_label("State").select_option("stale")
    assert len(rows()) == 10
    sheet.get_by_label("Filter by words").fill("night seed=107")
    assert [row.count("Night 107 <b>") for row in rows()] == [1]
    assert sheet.get_by_text("1 of 1000 shown").is_visible()
    context.close()
    assert wrong == []
