"""The flow is one way: `gram` never imports `gramviz`, and `gramviz` knows two modules of `gram` and no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
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
def test_the_engine_does_not_know_the_eyes(path: Path) -> None:
    assert not {name for name in imported(path, everywhere=True) if name.split(".")[0] == "gramviz"}


@pytest.mark.parametrize("path", files("gramviz"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_eyes_know_only_rollouts_and_boards(path: Path) -> None:
    known = {name for name in imported(path, everywhere=True) if name.split(".")[0] == "gram"}
    assert known <= ALLOWED, f"{path.name} imports {', '.join(sorted(known - ALLOWED))}"


@pytest.mark.parametrize("path", files("gramviz"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_eyes_never_name_torch(path: Path) -> None:
    assert "torch" not in {name.split(".")[0] for name in imported(path, everywhere=True)}


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
