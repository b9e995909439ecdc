"""`gramviz.reports.parameters`: read without running, with type and meaning; what is given is checked against them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from gramviz.reports.notebook import ReportError
from gramviz.reports.parameters import Parameter, assignments, check, parameters

PARAMETERS = """
model: str = "small"  # which model
seed: int = 0  # of the dice
share: float = 0.5  # of the puzzles
sizes: list[int] = [1, 2]
loud: bool = False
extra: dict = {}
title: str = ""  # name of the page
limit: Optional[int] = None
note: str | None = "x"
rule: Literal["first", 2] = "first"
free = None
"""


def cell(source: str) -> Any:
    """A cell that says which parameters a notebook takes."""
    return new_code_cell(source.strip(), id="parameters", metadata={"tags": ["parameters"]})


BOOK = new_notebook(cells=[cell(PARAMETERS)])


def test_parameters_are_read_with_type_default_and_meaning() -> None:
    known = parameters(BOOK)
    assert list(known) == ["model", "seed", "share", "sizes", "loud", "extra", "title", "limit", "note", "rule", "free"]
    assert known["seed"] == Parameter("seed", "int", 0, "of the dice")
    assert known["sizes"].type == "list[int]"
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
        ('extra={"a": true, "b": null}', {"a": True, "b": None}),
        ("extra={'a': True, 'b': None}", {"a": True, "b": None}),
        ("limit=3", 3),
        ("limit=None", None),
        ("limit=null", None),
        ("rule=first", "first"),
        ("rule=2", 2),
        ("free=[1, 2.5]", [1, 2.5]),
        ("note=null", None),
        ("note=7", "7"),
        ("model=7", "7"),
        ("model=a=b", "a=b"),
        ("title=", ""),
    ],
)
def test_a_text_is_read_as_the_declared_type(text: str, value: Any) -> None:
    known = parameters(BOOK)
    (read,) = check(known, assignments([text])).values()
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (
            ["sed=1"],
            "unknown parameter 'sed'; known: model, seed, share, sizes, loud, extra, title, limit, note, rule, free "
            "(did you mean 'seed'?)",
        ),
        (["seed=x"], "parameter 'seed' must be int, not 'x'; its default is 0"),
        (["seed=1.5"], "parameter 'seed' must be int, not 1.5; its default is 0"),
        (["seed=True"], "parameter 'seed' must be int, not True; its default is 0"),
        (["loud=1"], "parameter 'loud' must be bool, not 1; its default is False"),
        (["sizes=3"], "parameter 'sizes' must be list[int], not 3; its default is [1, 2]"),
        (["limit=x"], "parameter 'limit' must be Optional[int], not 'x'; its default is None"),
        (["rule=3"], "parameter 'rule' must be Literal['first', 2], not 3; its default is 'first'"),
        (["free=x"], "parameter 'free' must be int | float | bool | list | dict | None, not 'x'; its default is None"),
        (
            ["extra={1: 2}"],
            "parameter 'extra' cannot be {1: 2}: give numbers, texts, true, false, null, lists, and dicts with texts "
            "as keys",
        ),
        (["seed"], "'seed' is not name=value; write for example -p seed=0"),
        (["se-ed=1"], "'se-ed=1' is not name=value; write for example -p seed=0"),
        (["seed=1", "seed=2"], "parameter 'seed' is given twice, as '1' and '2'; give it once"),
    ],
)
def test_a_wrong_parameter_is_one_sentence(pairs: list[str], message: str) -> None:
    known = parameters(BOOK)
    with pytest.raises(ReportError) as raised:
        check(known, assignments(pairs))
    assert str(raised.value) == message


KNOWN = "known: str, int, float, bool, list, dict, None, and Optional, Union and Literal of these"
NO_PYTHON = "the parameters in code cell 1 are not Python: "


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("seed: int = 1 + 1", "code cell 1: the default of parameter 'seed' must be a literal, not '1 + 1'"),
        ("d: dict = {[]: 1}", "code cell 1: the default of parameter 'd' must be a literal, not '{[]: 1}'"),
        (
            "files = !ls",
            "code cell 1: the default of parameter 'files' must be a literal, not \"get_ipython().getoutput",
        ),
        ("del seed", "code cell 1: the parameters cell may hold only `name: type = literal`, not 'del seed'"),
        ("seed: complex = 0", f"code cell 1: parameter 'seed' has type 'complex'; {KNOWN}"),
        ("seed = (1, 2)", f"code cell 1: parameter 'seed' has type 'tuple'; {KNOWN}"),
        ("n = = 3", f"{NO_PYTHON}line 1: invalid syntax; correct it"),
        ('n = 1\nm = """open', f"{NO_PYTHON}line 2: unterminated triple-quoted string literal"),
        ("if n:\n        n = 1\n    m = 2", f"{NO_PYTHON}line 3: unindent does not match"),
        ("n = " + "(" * 500 + "1" + ")" * 500, f"{NO_PYTHON}line 1: too many nested parentheses"),
        ("n = " + "-" * 20_000 + "1", ""),  # which of two sentences depends on the version of Python
        ("n = " + "9" * 5_000, f"{NO_PYTHON}line 1: Exceeds the limit"),
        ("n = 0x" + "f" * 5_000, "code cell 1: the default of parameter 'n' must be a literal"),
        ("n = 1\0", NO_PYTHON),
    ],
)
def test_a_parameters_cell_holds_literals_only(source: str, message: str) -> None:
    with pytest.raises(ReportError) as raised:
        parameters(new_notebook(cells=[cell(source)]))
    assert str(raised.value).startswith(message)
    assert len(str(raised.value)) < 500


def test_lines_of_ipython_imports_and_comments_are_no_parameters(tmp_path: Path) -> None:
    """And none of them runs."""
    left = tmp_path / "left"
    lines = ["%matplotlib inline", f"!touch {left}", "'A text.'", "from typing import Optional  # for n", "# next"]
    source = "\n".join([*lines, "n = 3  # how many"])
    assert parameters(new_notebook(cells=[cell(source)])) == {"n": Parameter("n", "int", 3, "how many")}
    assert parameters(new_notebook(cells=[cell(f"%%bash\ntouch {left}")])) == {}
    assert not left.exists()


def test_a_notebook_without_parameters_has_none() -> None:
    assert parameters(new_notebook(cells=[new_code_cell("x = 1", id="x")])) == {}
    with pytest.raises(ReportError, match="unknown parameter 'x'; known: none"):
        check({}, {"x": 1})
