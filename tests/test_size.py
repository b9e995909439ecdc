"""Files and functions that one can read: at most 450 lines a file, 60 a function below its signature and docstring.

And artifacts that one can clone: 80 MB in all.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILE, FUNCTION = 450, 60  # lines
FILES = sorted(path for package in ("gram", "gramviz") for path in (ROOT / package).rglob("*.py"))
PAGE = sorted((ROOT / "gramviz" / "frontend").rglob("*.js"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    assert lines <= FILE, f"{path.name} has {lines} lines; split it by subject, {FILE} are allowed"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0]
            lines = (node.end_lineno or node.lineno) - first.lineno + 1
            assert lines <= FUNCTION, f"{path.name}: {node.name} has {lines} lines; split it, {FUNCTION} are allowed"


@pytest.mark.parametrize("path", PAGE, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_of_the_page_are_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE, f"{path.name} has {lines} lines; split it by subject, {FILE} are allowed"


def test_all_artifacts_together_have_at_most_80_megabytes() -> None:
    sizes = {path: path.stat().st_size for path in (ROOT / "artifacts").rglob("*") if path.is_file()}
    largest = sorted(sizes, key=lambda path: -sizes[path])[:3]
    total = sum(sizes.values())
    assert total <= 80e6, f"artifacts/ has {total:,} bytes, 80,000,000 are allowed; the largest: {largest}"
