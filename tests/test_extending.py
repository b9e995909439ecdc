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
import tempfile, pathlib, gram
config = gram.preset("debug").override([{overrides}])
path = gram.train(config, pathlib.Path(tempfile.mkdtemp()) / "run", quiet=True)
rollout = gram.sample(path, trajectories=2, supervision_steps=2)
assert rollout.sizes["trajectory"] in (1, 2) and "valid" in rollout
assert 0 <= gram.evaluate(path, trajectories=2)["accuracy"] <= 1
import gramviz as gv
assert "latin" in gv.freeze(gv.explore(rollout)).lower() or "queens" in gv.freeze(gv.explore(rollout))
"""
AFTER = {"A task": TRAINED.format(overrides='"task.kind=latin"')}


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", SECTIONS[section], re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_has_at_most_sixty_lines_of_code(section: str) -> None:
    assert all(len(block.splitlines()) <= 60 for block in blocks(section, r"\w+")), section


@pytest.mark.slow
@pytest.mark.parametrize("section", AFTER)
def test_what_it_shows_works(section: str) -> None:
    code = "\n".join([*blocks(section, "python"), AFTER[section]])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
