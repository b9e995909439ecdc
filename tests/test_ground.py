"""The ground that everything stands on: the three lists of packages agree, and what they name is what is imported."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# What a package is called where: distribution -> conda-forge, and import -> distribution.
CONDA = {"torch": "pytorch", "playwright": "playwright-python", "isal": "python-isal"}
IMPORTS = {
    "sklearn": "scikit-learn",
    "lightning_fabric": "lightning-fabric",
    "yaml": "pyyaml",
    "PIL": "pillow",
    "jupyter_client": "jupyter-client",
}


def declared(*extras: str) -> dict[str, Requirement]:
    """Name -> requirement of the project, with these extras; its own extras are followed."""
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    found = [Requirement(line) for line in lines]
    inner = [extra for requirement in found if requirement.name == PROJECT["name"] for extra in requirement.extras]
    wanted = {canonicalize_name(r.name): r for r in found if r.name != PROJECT["name"]}
    return wanted | (declared(*inner) if inner else {})


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in lines), "every line must be name==version"
    return dict(line.split("==") for line in lines)


def test_each_dependency_is_pinned_within_its_range() -> None:
    for name, requirement in declared("dev").items():
        assert name in pins(), f"constraints.txt lacks {name}"
        assert requirement.specifier.contains(pins()[name]), f"{name}: pin {pins()[name]} is outside {requirement}"


def brought(*extras: str) -> set[str]:
    """What an installation with these extras brings, transitive ones included."""
    seen: set[tuple[str, str]] = set()
    todo = [(name, extra) for name, r in declared(*extras).items() for extra in ("", *r.extras)]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        assert name in pins(), f"constraints.txt lacks {name}, which another package brings along"
        for line in importlib.metadata.requires(name) or []:
            inner = Requirement(line)
            if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(inner.name), of) for of in ("", *inner.extras)]
    return {name for name, _ in seen}


def test_each_transitive_dependency_is_pinned() -> None:
    assert pins().keys() == brought("dev"), "constraints.txt pins what nothing asks for"


def test_licenses_of_what_an_installation_brings_allow_any_use() -> None:
    for name in sorted(brought()):
        about = importlib.metadata.metadata(name)
        said = [about.get("License-Expression", ""), (about.get("License") or "")[:200]]
        text = " ".join(said + [line for line in about.get_all("Classifier") or [] if line.startswith("License")])
        assert re.search(r"MIT|BSD|Apache|PSF|Python Software|ISC|MPL", text), f"{name}: {text}"
        assert not re.search(r"\b[AL]?GPL", text), f"{name}: {text}"


def test_torch_is_pinned_as_promised() -> None:
    assert pins()["torch"] == "2.13.0"


def test_conda_environment_is_the_same_set() -> None:
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    from_pip = next(line["pip"] for line in lines if isinstance(line, dict))
    assert from_pip[-1] == "-e ."
    there = {canonicalize_name(r.name): r.specifier for r in map(Requirement, [*lines[:-1], *from_pip[:-1]])}
    python = there.pop("python")
    there.pop("pip")
    here = {CONDA.get(name, name): requirement.specifier for name, requirement in declared("dev").items()}
    assert there == here
    assert str(python) == PROJECT["requires-python"]


@pytest.mark.parametrize("folder", ["gram", "gramviz", "tests", "notebooks"])
def test_whatever_is_imported_is_declared(folder: str) -> None:
    """Except the standard library, ourselves, and what declared packages promise to bring (Jupyter's IPython)."""
    ours = {"gram", "gramviz", *(path.stem for path in (ROOT / "tests").glob("*.py"))}
    known = {IMPORTS.get(name, name) for name in sys.stdlib_module_names} | ours
    known |= set(declared("dev")) if folder == "tests" else set(declared("pdf", "mp4", "dask"))
    known |= {"IPython", "traitlets", "packaging", "pyyaml", "click"}
    for name, source in sources(folder):
        for module in modules(ast.parse(source)):
            top = module.split(".")[0]
            assert IMPORTS.get(top, top) in known, f"{name} imports {top}, which pyproject.toml does not declare"


def sources(folder: str) -> list[tuple[str, str]]:
    """(name, Python source) of each module or notebook in a folder."""
    found = [(str(path.relative_to(ROOT)), path.read_text()) for path in sorted((ROOT / folder).rglob("*.py"))]
    for path in sorted((ROOT / folder).glob("*.ipynb")):
        cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        found.append((path.name, "\n".join("".join(cell["source"]) for cell in cells)))
    return found


def modules(tree: ast.AST) -> list[str]:
    """Names of all modules that a tree imports absolutely, wherever the import stands."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.append(node.module)
    return found


def test_the_front_end_is_package_data() -> None:
    pattern = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["gramviz"]
    packaged = {path for glob in pattern for path in (ROOT / "gramviz").glob(glob)}
    modules = {path for path in (ROOT / "gramviz" / "frontend").rglob("*") if path.is_file()}
    assert packaged == {
        *modules,
        ROOT / "gramviz" / "py.typed",
        ROOT / "gramviz" / "contract.json",
        ROOT / "gramviz" / "export" / "demo" / "queens8.json",
        *(ROOT / "gramviz" / "kernel" / f"kernel.{end}" for end in ("c", "wasm", "json")),
    }


def test_a_license_a_citation_and_a_changelog_stand_beside_the_code() -> None:
    assert "MIT License" in (ROOT / "LICENSE").read_text()
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"] == importlib.metadata.version(PROJECT["name"])
    assert (ROOT / "CHANGELOG.md").read_text().startswith("# Changelog")


def test_hooks_use_the_tools_of_the_environment_and_no_network() -> None:
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in repos[0]["hooks"])


def test_the_compiler_of_the_page_s_types_is_pinned() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert locked[""]["devDependencies"] == wanted
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted


# Makefile -------------------------------------------------------------------------------------------------------------


def make(*words: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *words], cwd=cwd, env=kept | environment, capture_output=True, text=True, timeout=120
    )


def copied(target: Path) -> Path:
    """A folder with the files that `make` reads and nothing else, as after a fresh clone."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (target / name).write_bytes((ROOT / name).read_bytes())
    return target


def test_an_old_python_is_refused_in_a_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what `python -c` answers when its version is too low
    old.chmod(0o755)
    done = make("lab", f"PYTHON={old}", cwd=copied(tmp_path))
    assert done.returncode != 0
    assert f"no Python 3.11 or newer with venv among: {old}" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_environment_is_made_once(tmp_path: Path) -> None:
    """A stub stands for the interpreter: it makes a `.venv` whose pip only counts how often it was asked."""
    python = tmp_path / "stub"
    count = tmp_path / "asked"
    inner = '#!/bin/sh\\ncase "$*" in *install*) echo "$@" >> ' + str(count) + ";; esac\\n"
    python.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        f"*venv*--clear*) mkdir -p .venv/bin; printf '{inner}' > .venv/bin/python; chmod +x .venv/bin/python;;\n"
        "esac\n"
    )
    python.chmod(0o755)
    for _ in range(2):
        done = make(".venv/.installed", f"PYTHON={python}", cwd=copied(tmp_path))
        assert done.returncode == 0, done.stderr
        os.utime(
            tmp_path / ".venv" / ".installed"
        )  # `copied` has just written the lists anew; the stamp is newer again
    asked = count.read_text().splitlines()
    assert len(asked) <= 2, "pip ran although nothing had changed"
    assert "-c constraints.txt -e .[dev]" in asked[0]
    assert make(".venv/.installed", f"PYTHON={python}", cwd=tmp_path).returncode == 0
    assert count.read_text().splitlines() == asked


def test_help_names_every_target_that_a_newcomer_needs() -> None:
    told = make("help").stdout
    assert all(f"make {target}" in told for target in ("lab", "report", "test", "lint"))


def test_ci_runs_the_readme_s_own_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in script
    assert "\nmake test\n" in script
    assert "make test" in (ROOT / "README.md").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
