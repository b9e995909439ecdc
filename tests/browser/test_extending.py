"""The explorer part of `docs/extending.md` stands on the page as it is written there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import synthetic

from gramviz import explore, freeze
from gramviz.explorer import frame
from gramviz.explorer.link import FRONTEND, link

DOC = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
MAIN = "document.querySelector('main')"


def test_a_new_part_is_drawn(tmp_path: Path, show: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = re.findall(r"^```js\n(.*?)^```", DOC.read_text(), re.MULTILINE | re.DOTALL)
    folder = tmp_path / "frontend"
    shutil.copytree(FRONTEND, folder)
    shutil.copy(FRONTEND.parent / "contract.json", tmp_path)
    (folder / "parts" / "count.js").write_text(text)
    registry = (folder / "registry.js").read_text()
    registry = registry.replace("\nimport ", '\nimport { createCount } from "./parts/count.js";\nimport ', 1)
    (folder / "registry.js").write_text(
        registry.replace("  [createHeader],\n", "  [createHeader],\n  [createCount],\n")
    )
    monkeypatch.setattr(frame, "module_text", lambda: link(folder=folder))
    shown = show(freeze(explore(synthetic.queens())))
    shown.page.evaluate(f"{MAIN}.gramviz.set({{ selected: {{ A: [0, 2] }} }})")
    shown.page.locator("p", has_text="2 selected").wait_for()
