"""`gramviz.reports.notebook`: a file is a notebook or refused in a sentence, and what a run leaves is settled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from gramviz.reports import notebook
from gramviz.reports.notebook import ReportError


def test_a_missing_notebook_names_its_neighbors(tmp_path: Path) -> None:
    (tmp_path / "small.ipynb").touch()
    with pytest.raises(ReportError, match=r"there is no notebook '.*smal\.ipynb'; beside it: .*small\.ipynb"):
        notebook.read(tmp_path / "smal.ipynb")


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"cells": 1}', "\x00\xff"])
def test_what_is_no_notebook_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.ipynb"
    path.write_text(text)
    with pytest.raises(ReportError, match="is not a notebook"):
        notebook.read(path)


CELL: dict[str, Any] = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}


def write(path: Path, cells: list[Any], minor: int = 5) -> Path:
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": minor, "metadata": {}, "cells": cells}))
    return path


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"metadata": {"tags": 5}}, "cell 2, metadata.tags: 5 is not of type 'array'"),
        ({"metadata": {"tags": None}}, "cell 2, metadata.tags: None is not of type 'array'"),
        ({"source": None}, "cell 2, source: None is not valid"),
        ({"cell_type": "cod"}, "cell 2: cell_type is none of code, markdown, raw"),
        ({"source": "'\ud800'"}, "cell 2: it holds half of a character"),
    ],
)
def test_a_faulty_cell_is_refused_with_its_number(tmp_path: Path, cell: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "odd.ipynb", [CELL | {"id": "one"}, CELL | {"id": "two"} | cell])
    with pytest.raises(
        ReportError, match=rf"odd\.ipynb is not a notebook \(nbformat 4\): {message}.*; correct it there"
    ):
        notebook.read(path)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"gram": None}, "metadata.gram: None is not of type 'object'"),
        ({"gram": {"tasks": None}}, "metadata.gram.tasks: None is not of type 'array'"),
        ({"gram": {"needs": [3]}}, "metadata.gram.needs.0: 3 is not of type 'string'"),
        ({"widgets": []}, "metadata.widgets: \\[\\] is not of type 'object'"),
        ({"kernelspec": None}, "metadata.kernelspec: None is not of type 'object'"),
    ],
)
def test_metadata_of_the_wrong_type_are_refused_with_their_place(
    tmp_path: Path, metadata: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "odd.ipynb", [CELL | {"id": "one"}])
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metadata": metadata}))
    with pytest.raises(ReportError, match=f"{message}; correct it there"):
        notebook.read(path)


@pytest.mark.parametrize("minor", [2, 5])
def test_cells_without_names_get_the_same_in_every_run(tmp_path: Path, minor: int) -> None:
    path = write(tmp_path / "old.ipynb", [CELL, CELL | {"outputs": [{"output_type": "broken"}]}], minor)
    assert [cell["id"] for cell in notebook.read(path).cells] == ["cell-0", "cell-1"]


# Settling -------------------------------------------------------------------------------------------------------------


def test_settling_cuts_the_log_out_and_keeps_results() -> None:
    busy = new_code_cell("1", id="one")
    busy.outputs = [
        new_output("stream", name="stderr", text=" 10%\r 90%\r100%\n"),
        new_output("stream", name="stdout", text="kept\n"),
    ]
    settled, log = notebook.settle(new_notebook(cells=[busy]), "[IPKernelApp] running over TCP\nreal trouble\n")
    assert log == "real trouble\n[one] 100%"
    assert [output.text for output in settled.cells[0].outputs] == ["kept\n"]


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ([f"\rstep {step}" for step in range(500)], "step 499"),
        ([" 50%|##  |", "\r100%|####|", "\n", "then\n"], "100%|####|\nthen\n"),
    ],
)
def test_a_line_that_is_overwritten_ends_as_in_a_terminal(pieces: list[str], shown: str) -> None:
    busy = new_code_cell("1", id="one", outputs=[new_output("stream", name="stdout", text=text) for text in pieces])
    settled, _ = notebook.settle(new_notebook(cells=[busy]))
    assert [output.text for output in settled.cells[0].outputs] == [shown]
