"""Files and functions that one can read: short, and with their imports at the top."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILE, FUNCTION = 450, 60  # lines
# What a function may import: what is slow to load, or need not be installed.
LATE = {"papermill", "nbconvert", "playwright", "av"}
FILES = sorted(path for package in ("gram", "gramviz") for path in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    assert lines <= FILE, f"{path.name} has {lines} lines; split it by subject, {FILE} are allowed"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION, f"{path.name}: {node.name} has {lines} lines; split it, {FUNCTION} are allowed"


@pytest.mark.parametrize("path", [path for path in FILES if "gramviz" in path.parts], ids=lambda path: path.name)
def test_functions_import_only_what_must_stay_unloaded(path: Path) -> None:
    if path.name == "cli.py":  # each command loads what it needs
        return
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes = list(ast.walk(function))
            names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
            names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
            late = {name.split(".")[0] for name in names} - LATE
            assert not late, f"{path.name}: {function.name} imports {', '.join(sorted(late))}; move it to the top"
