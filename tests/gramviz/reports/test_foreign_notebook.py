"""A notebook in which recursions that are not ours are recorded and opened, run as a report."""

from __future__ import annotations

import re
from pathlib import Path

import foreign
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from gramviz.reports import report


@pytest.mark.slow
def test_a_notebook_records_foreign_recursions_and_its_page_holds_each(tmp_path: Path) -> None:
    tests = str(Path(foreign.__file__).parent)
    start = f"import sys\nsys.path.insert(0, {tests!r})\nimport foreign\nimport gramviz as gv"
    cells = [new_code_cell(f"gv.explore(foreign.{make.__name__}())") for make in foreign.ALL.values()]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = tmp_path / "foreign.ipynb"
    nbformat.write(
        new_notebook(cells=[new_markdown_cell("# Foreign"), new_code_cell(start), *cells], metadata=kernel), path
    )
    page = report.run(path, {}, tmp_path / "out").page.read_text()
    titles = re.findall(r'<iframe[^>]*title="Explorer: ([^"]*)"', page)
    assert len(titles) == len(foreign.ALL) >= 5
