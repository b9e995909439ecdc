"""What the code computes stays what it was: `fingerprint.json`, written by `python tests/fingerprint.py`."""

from __future__ import annotations

import json
import os
import runpy
from pathlib import Path

import pytest

RECORDED = Path(__file__).with_name("fingerprint.json")


@pytest.mark.slow
@pytest.mark.skipif("GRAM_DATA" not in os.environ, reason="needs the Sudoku and MNIST files, in GRAM_DATA")
def test_every_artifact_computes_what_it_did() -> None:
    script = runpy.run_path(str(RECORDED.with_suffix(".py")))
    recorded, found = json.loads(RECORDED.read_text()), script["fingerprint"]()
    for name, near in recorded["near"].items():  # holds on any machine
        assert found["near"][name] == pytest.approx(near, abs=0.02), name
    if found["machine"] == recorded["machine"]:  # the last bits are those of one kind of processor
        assert script["differences"](recorded, found) == []
