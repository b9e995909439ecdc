"""TAB in JupyterLab: `gram.` and `gv.` list what there is, and inside a call the keywords are named."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from lab_server import PATIENCE, jupyter, open_notebook, run_cell, write_notebook

pytestmark = pytest.mark.slow  # a server and a kernel


def completions(page: Any, typed: str) -> set[str]:
    """What TAB offers after a text in the second cell. JupyterLab gives up on a kernel that is busy for a second."""
    for _ in range(PATIENCE // 3000):
        page.locator(".jp-CodeCell .cm-content").nth(1).click()
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
        page.wait_for_timeout(3000)
        found = {text.strip() for text in page.locator(".jp-Completer:visible .jp-Completer-match").all_inner_texts()}
        page.keyboard.press("Escape")
        if found:
            return found
    raise AssertionError(f"TAB after {typed!r} offers nothing")


def test_tab_shows_functions_and_keywords(chromium, tmp_path: Path):
    write_notebook(tmp_path, ["import gram, gramviz as gv", ""])
    with jupyter(tmp_path) as (address, token), closing(chromium.new_page()) as page:
        open_notebook(page, address, token)
        run_cell(page, 0)
        for typed, wanted in (
            ("gram.", {"sample", "evaluate", "load", "Record"}),
            ("gram.sample(", {"trajectories=", "puzzles=", "seed="}),
            ("gv.", {"explore", "compare", "freeze", "measure"}),
            ("gv.explore(", {"puzzle=", "rerun=", "planes_of=", "budget="}),
        ):
            shown = completions(page, typed)
            assert wanted <= shown, (typed, sorted(shown)[:40])
