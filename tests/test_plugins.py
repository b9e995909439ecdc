"""A package in a folder adds a task, a model, a view and a part of the page without touching ours; broken ones are
left out with a sentence each. The package is made of what `docs/extending.md` shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "extending.md").read_text()


def block(section: str, language: str) -> str:
    """The code of a section."""
    (part,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", part, re.MULTILINE | re.DOTALL)[0]


def installed(folder: Path, name: str, points: dict[str, dict[str, str]]) -> None:
    """Metadata as pip writes it beside a package that it installs."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        line
        for group, entries in points.items()
        for line in (f"[{group}]", *(f"{key} = {place}" for key, place in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    package = folder / "lab"
    package.mkdir()
    (package / "__init__.py").write_text('from pathlib import Path\n\nCOUNT = Path(__file__).with_name("count.js")\n')
    for name, section in (("latin", "A task"), ("leaky", "A model"), ("agreement", "A view")):
        (package / f"{name}.py").write_text(block(section, "python"))
    (package / "count.js").write_text(block("An explorer part", "js"))
    points = tomllib.loads(block("In a package of your own", "toml"))["project"]["entry-points"]
    installed(folder, "lab", points)
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=120, cwd=folder,
        env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip


COMMAND = """
def gram(*words):
    import sys
    from gram.cli import main
    sys.argv = ["gram", *words]
    try:
        main()
    except SystemExit as end:
        return end.code or 0
"""
USED = """
from lab.latin import Latin, LatinConfig  # before ours: their module is still being imported when ours looks for it
from gram.config import RunConfig
from gram.models import MODELS
from gram.tasks import TASKS
from gramviz.explorer.frame import module_text
from gramviz.views import VIEWS
assert TASKS["latin"] is Latin
assert MODELS["leaky"].Config().leak == 0.5
assert VIEWS["agreement"].title == "Agreement"
assert type(RunConfig().override(["task.kind=latin", "model.kind=leaky"]).task) is LatinConfig
assert 'createCount=isolated("count",' in module_text() and " selected`" in module_text()
assert gram("list") == 0
assert gram("check-task", "lab.latin:Latin", "blanks=5") == 0
assert gram("check-task", "lab.worse:Worse") == 2
"""


def test_a_package_adds_a_task_a_model_a_view_and_a_part(lab: Path) -> None:
    (lab / "lab" / "worse.py").write_text("from lab.latin import Latin\nclass Worse(Latin):\n    name = 'worse'\n")
    done = run(lab, "-W", "error::UserWarning", "-c", COMMAND + USED)
    assert done.returncode == 0, done.stderr
    assert re.search(r"tasks .*, images, latin\n", done.stdout)
    assert re.search(r"models .*, vae, leaky\n", done.stdout)
    for name, group in (
        ("latin", "gram.tasks"), ("leaky", "gram.models"), ("agreement", "gramviz.views"), ("count", "gramviz.parts")
    ):  # fmt: skip
        assert f"plug-in      {name}, {group} of lab 1.0\n" in done.stdout
    assert done.stdout.count("kept    ") == 18 + 17
    assert "BROKEN  has the name of its board: its board says task 'latin' and its class 'worse'" in done.stdout
    assert done.stderr == "gram: lab.worse:Worse breaks 1 of 18 promises; the lines above say which\n"


LEFT_OUT = """
import sys, warnings
warnings.simplefilter("always")
assert gram("list") == 0
print("views", file=sys.stderr)
import gramviz.views
from gramviz.explorer.frame import module_text
assert "createOdd" not in module_text()
"""


def test_broken_plug_ins_are_one_sentence_each(tmp_path: Path) -> None:
    (tmp_path / "torn.py").write_text("raise SystemExit('bye')\n")
    (tmp_path / "odd.py").write_text("from pathlib import Path\nPAGE = Path(__file__).with_name('odd.js')\nTEN = 10\n")
    (tmp_path / "odd.js").write_text("export function createOdd() {}\nvar x = 1;\n")
    points = {
        "gram.tasks": {"sudoku": "gram.tasks.sudoku:Sudoku", "torn": "torn:Task", "ten": "odd:TEN"},
        "gram.models": {"nowhere": "nowhere:Model"},
        "gramviz.views": {"odd": "odd", "latent": "odd"},
        "gramviz.parts": {"odd": "odd:PAGE", "ten": "odd:TEN", "board": "odd:PAGE"},
    }
    installed(tmp_path, "odd", points)
    done = run(tmp_path, "-c", COMMAND + LEFT_OUT)
    assert done.returncode == 0, done.stderr
    listed, drawn = done.stderr.split("views\n")
    assert sorted(listed.splitlines()) == [
        "gram: gram.models 'nowhere' of odd 1.0 is left out (ModuleNotFoundError: No module named 'nowhere'); "
        "update or uninstall that package",
        "gram: gram.tasks 'sudoku' of odd 1.0 is left out (there is a task of this name already); "
        "update or uninstall that package",
        "gram: gram.tasks 'ten' of odd 1.0 is left out (it is 10 and no Task); update or uninstall that package",
        "gram: gram.tasks 'torn' of odd 1.0 is left out (SystemExit: bye); update or uninstall that package",
    ]
    assert "gram.tasks of odd 1.0, left out" in done.stdout
    assert drawn.count("PluginWarning") == 5
    for words in (
        "it registers no view 'odd'; give its module", "it registers no view 'latent'", "it is 10, and no path",
        "parts/odd.js:2: only named imports", "there is a part 'board' already; name the plug-in otherwise",
    ):  # fmt: skip
        assert words in drawn
