"""`gramviz.reports.notebook`: parameters are checked by name and type, and what a run leaves is settled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from gramviz.reports import notebook
from gramviz.reports.notebook import Parameter, ReportError

PARAMETERS = """
model: str = "small"  # which model
seed: int = 0  # of the dice
share: float = 0.5  # of the puzzles
sizes: list[int] = [1, 2]
loud: bool = False
extra: dict = {}
title: str = ""  # name of the page
"""


def cell(source: str) -> Any:
    """A cell that says which parameters a notebook takes."""
    return new_code_cell(source.strip(), id="parameters", metadata={"tags": ["parameters"]})


BOOK = new_notebook(cells=[cell(PARAMETERS)])


# Parameters -----------------------------------------------------------------------------------------------------------


def test_parameters_are_read_with_type_default_and_meaning() -> None:
    known = notebook.parameters(BOOK)
    assert list(known) == ["model", "seed", "share", "sizes", "loud", "extra", "title"]
    assert known["seed"] == Parameter("seed", "int", 0, "of the dice")
    assert known["sizes"].type == "list"
    assert known["loud"].help == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seed=7", 7),
        ("seed=-1", -1),
        ("share=1", 1.0),
        ("share=1e-3", 1e-3),
        ("loud=true", True),
        ("loud=False", False),
        ("sizes=[4, 5]", [4, 5]),
        ('extra={"accuracy": ">=0.85"}', {"accuracy": ">=0.85"}),
        ("model=7", "7"),
        ("model=a=b", "a=b"),
        ("title=", ""),
    ],
)
def test_a_text_is_read_as_the_declared_type(text: str, value: Any) -> None:
    known = notebook.parameters(BOOK)
    (read,) = notebook.check(known, notebook.assignments([text])).values()
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (
            ["sed=1"],
            "unknown parameter 'sed'; known: model, seed, share, sizes, loud, extra, title (did you mean 'seed'?)",
        ),
        (["seed=x"], "parameter 'seed' must be int, not 'x'; its default is 0"),
        (["seed=1.5"], "parameter 'seed' must be int, not 1.5; its default is 0"),
        (["seed=True"], "parameter 'seed' must be int, not True; its default is 0"),
        (["loud=1"], "parameter 'loud' must be bool, not 1; its default is False"),
        (["sizes=3"], "parameter 'sizes' must be list, not 3; its default is [1, 2]"),
        (["seed"], "'seed' is not name=value; write for example -p seed=0"),
        (["se-ed=1"], "'se-ed=1' is not name=value; write for example -p seed=0"),
        (["seed=1", "seed=2"], "parameter 'seed' is given twice, as '1' and '2'; give it once"),
    ],
)
def test_a_wrong_parameter_is_one_sentence(pairs: list[str], message: str) -> None:
    known = notebook.parameters(BOOK)
    with pytest.raises(ReportError) as raised:
        notebook.check(known, notebook.assignments(pairs))
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("seed: int = 1 + 1", "the default of parameter 'seed' must be a literal, not '1 + 1'"),
        ("import os", "the parameters cell may hold only `name: type = literal`, not 'import os'"),
        ("seed: complex = 0", "parameter 'seed' has type 'complex'; known: str, int, float, bool, list, dict"),
        ("seed = None", "parameter 'seed' has type 'NoneType'; known: str, int, float, bool, list, dict"),
    ],
)
def test_a_parameters_cell_holds_literals_only(source: str, message: str) -> None:
    with pytest.raises(ReportError) as raised:
        notebook.parameters(new_notebook(cells=[cell(source)]))
    assert str(raised.value) == message


def test_a_notebook_without_parameters_has_none() -> None:
    assert notebook.parameters(new_notebook(cells=[new_code_cell("x = 1", id="x")])) == {}
    with pytest.raises(ReportError, match="unknown parameter 'x'; known: none"):
        notebook.check({}, {"x": 1})


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
