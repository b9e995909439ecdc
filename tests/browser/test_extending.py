"""The explorer part of `docs/extending.md` stands on the page as it is written there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import synthetic

from gramviz import explore, freeze
from gramviz.explorer import frame
from gramviz.explorer.link import link

DOC = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
MAIN = "document.querySelector('main')"


def test_a_new_part_is_drawn(show: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = re.findall(r"^```js\n(.*?)^```", DOC.read_text(), re.MULTILINE | re.DOTALL)
    fails = 'export function createFailing() {\n  throw new Error("no rollout of mine");\n}\n'
    torn = "export function createTorn() {\n  const = 3;\n}\n"
    monkeypatch.setattr(frame, "module_text", lambda: link(plugins={"count": text, "failing": fails, "torn": torn}))
    shown = show(freeze(explore(synthetic.queens())))
    shown.page.evaluate(f"{MAIN}.gramviz.set({{ selected: {{ A: [0, 2] }} }})")
    shown.page.locator("p", has_text="2 selected").wait_for()
    shown.page.locator(".trouble", has_text="failing: Error: no rollout of mine. The others still work.").wait_for()
    shown.page.locator(".trouble", has_text="torn: SyntaxError: ").wait_for()
    shown.problems.clear()  # the console says it too
