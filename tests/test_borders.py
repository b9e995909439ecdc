"""The flow is one way: between the packages, between the rooms of the engine, and between modules.

What stands under `if TYPE_CHECKING` never runs and does not count; an import inside a function does.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# All that gramviz may know of gram.
FROM_GRAM = {
    "gram.evaluation.intervals",
    "gram.rollout",
    "gram.schema",
    "gram.recorder",  # torch only where a module is hooked
    "gram.atomic",
    "gram.board",
    "gram.bounded",
    "gram.command",
    "gram.patching",
    "gram.plugins",
    "gram.run_folder",
    "gram.suggest",
    "gram.progress",
    "gram.safe_yaml",
    "gram.program",
}
# Each room of the engine, and the rooms that it may import. Files beside them (config, checkpoint, ...) join rooms.
ROOMS = {
    "tasks": set(),
    "models": {"tasks"},
    "inference": {"tasks", "models"},
    "evaluation": {"tasks", "models", "inference"},
    "analysis": {"tasks", "models", "inference", "evaluation"},
    "training": {"tasks", "models", "inference", "evaluation", "presets"},
    "release": {"tasks", "models", "inference", "evaluation", "presets"},
    "presets": {"tasks", "models"},
    "bench": {"tasks", "models", "inference", "evaluation", "training", "presets", "release"},
}


def module_of(path: Path) -> str:
    """The name under which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(path): path for package in ("gram", "gramviz") for path in sorted((ROOT / package).rglob("*.py"))}


def running(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from running(child)


def names(tree: ast.AST) -> set[str]:
    """Modules that the statements below a node import."""
    found: set[str] = set()
    for node in running(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & FILES.keys()) or {node.module}
    return found


@cache
def imported(module: str) -> frozenset[str]:
    """Modules that a module imports, anywhere in it; of `from gram import rollout` that is `gram.rollout`."""
    return frozenset(names(ast.parse(FILES[module].read_text())) - {module})


@pytest.mark.parametrize("module", [name for name in FILES if name.split(".")[0] == "gram"])
def test_the_engine_imports_no_views(module: str) -> None:
    assert not {name for name in imported(module) if name.split(".")[0] == "gramviz"}


@pytest.mark.parametrize("module", [name for name in FILES if name.split(".")[0] == "gramviz"])
def test_the_views_import_contracts_alone_and_no_torch(module: str) -> None:
    known = {name for name in imported(module) if name.split(".")[0] in ("gram", "torch")}
    assert known <= FROM_GRAM, f"{module} imports {', '.join(sorted(known - FROM_GRAM))}"


@pytest.mark.parametrize("module", [name for name in FILES if len(name.split(".")) > 2 and name.startswith("gram.")])
def test_rooms_of_the_engine_import_one_way(module: str) -> None:
    room = module.split(".")[1]
    others = {name.split(".")[1] for name in imported(module) if name.startswith("gram.")} & ROOMS.keys() - {room}
    assert others <= ROOMS[room], f"{module} imports {', '.join(sorted(others - ROOMS[room]))}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter({module: imported(module) & FILES.keys() for module in FILES}).prepare()
    except CycleError as error:
        pytest.fail(" > ".join(error.args[1]))


# What a function may import on its own: an engine that is slow to load, or a package that need not be installed.
LATE = {"networkx", "papermill", "nbclient", "nbconvert", "playwright", "av", "distributed"}


@pytest.mark.parametrize("module", [name for name in FILES if name.split(".")[0] == "gramviz"])
def test_functions_import_only_what_must_stay_unloaded(module: str) -> None:
    if module == "gramviz.cli":  # each command loads what it needs
        return
    functions = [node for node in ast.walk(ast.parse(FILES[module].read_text())) if isinstance(node, FUNCTIONS)]
    late = {name.split(".")[0] for node in functions for name in names(node)} - LATE
    assert not late, f"{module} imports {', '.join(sorted(late))} in a function; move it to the top"


# From the least to the most that each brings along, so that a message names the module that is at fault.
WITHOUT_TORCH = (
    "gram",
    "gram.board",
    "gram.schema",
    "gram.run_folder",
    "gramviz",
    "gramviz.cli",
    "gram.rollout",
    "gram.recorder",
    "gramviz.explorer.pack",
    "gramviz.reports.blocks",
    "gramviz.reports.report",
)


@pytest.fixture(scope="module")
def loading_torch() -> list[str]:
    """Those after whose import torch is loaded, one after the other in one process."""
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name); "
    code += "'torch' in sys.modules and print(name)"
    command = [sys.executable, "-c", code, *WITHOUT_TORCH]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout.split()


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_importing_leaves_torch_unloaded(module: str, loading_torch: list[str]) -> None:
    assert module not in loading_torch, f"import of {loading_torch[0]} loads torch"


def test_tasks_leave_scipy_unloaded() -> None:
    """With it `import gram` would cost a third more than torch alone (`gram bench start`)."""
    code = "import gram.tasks, sys; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_the_command_line_starts_without_what_it_does_not_need() -> None:
    """`gramviz --help` answers at once: notebooks, plots and widgets are imported by the command that needs them."""
    heavy = {"papermill", "nbconvert", "plotly", "matplotlib"}
    code = f"import gramviz.cli, sys; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
