"""What a user meets first: names under `gram.` and `gv.`, keywords that complete, types of the README's calls."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gram
import gramviz

ROOT = Path(__file__).resolve().parents[1]
MODULES = {"measure", "reports", "theme", "views"}  # subpackages that gramviz lists beside its functions and classes


def test_dir_lists_functions_and_classes() -> None:
    assert {"load", "names", "preset", "train", "sample", "evaluate", "generate", "rerun", "watch"} <= set(dir(gram))
    assert {"explore", "compare", "freeze", "live", "pack", "movie", "analyze", "explain"} | MODULES <= set(
        dir(gramviz)
    )
    for package in (gram, gramviz):
        for name in set(dir(package)) - MODULES:
            found = getattr(package, name)
            assert inspect.isclass(found) or inspect.isfunction(found), f"{package.__name__}.{name} is {found!r}"
    for name in MODULES:
        assert inspect.ismodule(getattr(gramviz, name))


@pytest.mark.parametrize("package", ["gram", "gramviz"])
def test_no_module_hides_a_function(package: str) -> None:
    """Whatever was imported before: importing a submodule binds its name in the package."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / package).rglob("*.py"))
    ]
    code = (
        f"import importlib, inspect, {package} as p\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(*[n for n in dir(p) if inspect.ismodule(getattr(p, n)) and n not in {MODULES!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert not done.stdout.split(), f"a module stands in the place of {done.stdout.strip()}; rename one of the two"


@pytest.mark.parametrize("name", ["explore", "compare", "freeze", "live", "pack", "movie", "analyze", "explain"])
def test_keywords_are_explicit(name: str) -> None:
    """What stands behind `**` completes in no editor."""
    blind = [p for p in inspect.signature(getattr(gramviz, name)).parameters.values() if p.kind is p.VAR_KEYWORD]
    assert not blind


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'exlpore'; it offers Analysis, .*explore"):
        gramviz.exlpore  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'smaple'; it offers .*sample"):
        gram.smaple  # noqa: B018


@pytest.mark.slow  # unless `make lint` came before, mypy reads everything once: half a minute
def test_a_script_of_the_readmes_calls_passes_mypy_strict(tmp_path: Path) -> None:
    """By the options of `make lint`, whose cache holds for them alone, and those of `--strict` for the script."""
    from mypy.main import define_options

    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.M)
    script, config = tmp_path / "readme.py", tmp_path / "readme.toml"
    script.write_text("\n".join(blocks), encoding="utf-8")
    ours = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    everywhere = tomllib.loads(ours)["tool"]["mypy"]
    assert not everywhere["implicit_reexport"], "what the script imports must be exported by name"
    strict = {name: value for name, value in define_options()[2] if everywhere.get(name) != value}
    flags = "".join(f"{name} = {json.dumps(value)}\n" for name, value in strict.items())
    config.write_text(f'{ours}\n[[tool.mypy.overrides]]\nmodule = "readme"\n{flags}', encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", config, "--cache-dir", ROOT / ".mypy_cache", script]
    environment = os.environ | {"MYPYPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
