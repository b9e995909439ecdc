"""What `docs/extending.md` shows is run as it stands, and works with everything else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "extending.md").read_text()
SECTIONS = dict(re.findall(r"^## ((?:A|An) [\w ]+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
TRAINED = """
import pathlib, tempfile, gram, gramviz as gv
config = gram.preset("debug").override([{overrides!r}, "train.prior_rows=0", "train.head_steps=0"])
path = gram.train(config, pathlib.Path(tempfile.mkdtemp()) / "run", quiet=True)
rollout = gram.sample(path, trajectories=2, supervision_steps=2)
assert rollout.attrs["{attribute}"] == "{name}" and "valid" in rollout
assert 0 <= gram.evaluate(path, trajectories=2)["accuracy"] <= 1
assert rollout.attrs["checkpoint"][:8] in gv.freeze(gv.explore(rollout))
"""
DRAWN = """
import sys; sys.path.insert(0, "tests"); import synthetic
figure = VIEWS["__main__"].draw(synthetic.queens(), Cursor(step=3))
assert len(figure.data) == synthetic.queens().sizes["trajectory"]
"""
AFTER = {
    "A task": "from gram.tasks import TASKS\nTASKS['latin'] = Latin"
    + TRAINED.format(overrides="task.kind=latin", attribute="task", name="latin"),
    "A model": "from gram.models import MODELS\nMODELS['leaky'] = Leaky"
    + TRAINED.format(overrides="model.kind=leaky", attribute="model", name="leaky"),
    "A view": DRAWN,
}


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", SECTIONS[section], re.MULTILINE | re.DOTALL)


def test_every_kind_of_extension_has_its_section() -> None:
    assert SECTIONS.keys() == {*AFTER, "An explorer part"}
    assert "## In a package of your own" in TEXT


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_has_at_most_sixty_lines_of_code(section: str) -> None:
    (block,) = blocks(section, r"\w+")
    assert len(block.splitlines()) <= 60


@pytest.mark.slow
@pytest.mark.parametrize("section", AFTER)
def test_what_it_shows_works(section: str) -> None:
    code = "\n".join([*blocks(section, "python"), AFTER[section]])
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=root)
    assert done.returncode == 0, done.stderr[-2000:]
