"""The flow is one way: `gram` never imports `gramviz`, and `gramviz` knows two modules of `gram` and no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = {"gram.rollout", "gram.board"}


def imported(path: Path, everywhere: bool) -> set[str]:
    """Modules that a file imports: at its top level, or also inside functions. `from gram import rollout` counts as
    `gram.rollout`; what stands under `if TYPE_CHECKING` never runs and does not count."""
    tree = ast.parse(path.read_text())
    nodes: list[ast.AST] = list(ast.walk(tree)) if everywhere else list(tree.body)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= (
                {f"{node.module}.{a.name}" for a in node.names} if node.module in ("gram", "gramviz") else {node.module}
            )
    return found


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", files("gram"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_engine_does_not_know_gramviz(path: Path) -> None:
    assert not {name for name in imported(path, everywhere=True) if name.split(".")[0] == "gramviz"}


@pytest.mark.parametrize("path", files("gramviz"), ids=lambda path: str(path.relative_to(ROOT)))
def test_gramviz_knows_only_rollouts_and_boards(path: Path) -> None:
    known = {name for name in imported(path, everywhere=True) if name.split(".")[0] == "gram"}
    assert known <= ALLOWED, f"{path.name} imports {', '.join(sorted(known - ALLOWED))}"


@pytest.mark.parametrize("path", files("gramviz"), ids=lambda path: str(path.relative_to(ROOT)))
def test_gramviz_never_names_torch(path: Path) -> None:
    assert "torch" not in {name.split(".")[0] for name in imported(path, everywhere=True)}


# What a function may import on its own: an engine that is slow to load, or a package that need not be installed.
LATE = {"papermill", "nbconvert", "playwright", "av"}


@pytest.mark.parametrize("path", files("gramviz"), ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_import_only_what_must_stay_unloaded(path: Path) -> None:
    if path.name == "cli.py":  # each command loads what it needs
        return
    late = {name.split(".")[0] for name in inside(path)}
    assert late <= LATE, f"{path.name} imports {', '.join(sorted(late - LATE))} in a function; move it to the top"


def inside(path: Path) -> set[str]:
    """Modules that the functions of a file import."""
    found: set[str] = set()
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    found.add(node.module or "")
    return found


def test_no_circle() -> None:
    """Also none that an import inside a function hides; what a package's `__init__` offers lazily does not count."""
    known = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files("gramviz")}
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        wanted = {one for one in imported(path, everywhere=True) if one.startswith("gramviz")}
        for node in ast.walk(ast.parse(path.read_text())):  # `from gramviz.explorer import pack` names a module
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("gramviz"):
                wanted |= {f"{node.module}.{alias.name}" for alias in node.names}
        found = {one if one in known else f"{one}.__init__" for one in wanted} & known.keys()
        graph[name] = found - {name} if name.endswith("__init__") and name.count(".") > 1 else found
    graph["gramviz.__init__"] = set()
    # Importing a package that registers its modules (views) before they import it back is no circle of subjects.
    graph["gramviz.views.__init__"] -= {one for one in known if one.startswith("gramviz.views.")}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"these import each other: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize(
    "module",
    [
        "gram",
        "gram.board",
        "gram.rollout",
        "gramviz",
        "gramviz.explorer.pack",
        "gramviz.reports.blocks",
        "gramviz.reports.report",
        "gramviz.cli",
    ],
)
def test_importing_leaves_torch_unloaded(module: str) -> None:
    code = f"import {module}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0, f"import {module} loads torch"


def test_the_command_line_starts_without_what_it_does_not_need() -> None:
    """`gramviz --help` answers at once: notebooks, plots and widgets are imported by the command that needs them."""
    heavy = {"papermill", "nbconvert", "plotly", "matplotlib"}
    code = f"import gramviz.cli, sys; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
