"""Words and marks that claim no more than somebody checked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import arc_pairs
import numpy as np
import pytest
import synthetic

import gramviz
from gramviz.explorer.freeze import freeze


@pytest.mark.parametrize("width", [1200, 800])
def test_a_picture_is_drawn_and_nobody_calls_it_correct(show, width):
    data = synthetic.image()
    data["valid"][...] = True
    page = show(freeze(data, state={"folded": []}), width).page
    assert page.get_by_text("A picture is neither right nor wrong.").first.is_visible()
    rows = page.locator(".answers .row:not([data-answer='-1']) .label").all_inner_texts()
    assert rows
    assert set(rows) == {"drawn"}
    said = page.locator(".gv").inner_text() + json.dumps(
        page.locator(".gv").evaluate(
            "e => [...e.querySelectorAll('[aria-label]')].map(one => one.getAttribute('aria-label'))"
        )
    )
    for claim in ("correct", "onflict", "olutions found"):
        assert claim not in said


def test_a_wrong_grid_has_wrong_cells(show):
    page = show(freeze(arc_pairs.make(puzzles=(9,)), state={"focus": ["A", 1]})).page
    said = page.locator(".gv").inner_text()
    assert "wrong cell" in said
    assert "Wrong cells" in said
    assert "onflict" not in said


def test_minorities_stay_inside_their_cell(show):
    data = synthetic.sudoku(40, box=3)
    last = data["tokens"][..., -1, :]
    last[...] = np.random.default_rng(0).integers(2, 11, last.shape)  # nine digits in every cell
    page = show(freeze(data)).page
    page.evaluate("""() => {
      const { fillText } = CanvasRenderingContext2D.prototype;
      globalThis.shown = [];
      CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
        shown.push([text, this.measureText(text).width]);
        return fillText.call(this, text, ...place);
      };
    }""")
    page.locator("[data-tab=all]").click()
    page.locator("[data-tab=all][aria-selected=true]").wait_for()
    cell = page.locator("[data-part=board] canvas").bounding_box()["width"] / 9
    several = [width for text, width in page.evaluate("shown") if re.fullmatch(r"\d \d+(  \d \d+)*", text)]
    assert len(several) >= 81
    assert max(several) <= cell


def test_a_given_is_drawn_as_the_given_and_what_contradicts_it_is_marked(show):
    data = synthetic.sudoku(3).assign(solutions_known=("puzzle", [0]))
    x = data["x"].values[0]
    cell = int(np.flatnonzero(x > 1)[0])
    other = 2 + (int(x[cell]) - 1) % 4
    data["tokens"][0, :, -1, cell] = other
    page = show(freeze(data, state={"cells": [cell]})).page
    board = json.loads(data.attrs["board"])
    given, against = (board["tokens"][token]["label"] for token in (x[cell], other))
    assert f"is {given}, given, the answer has {against} against the given" in page.locator(".gv").inner_text()
    assert page.get_by_text("No solution exists.").first.is_visible()


def test_beside_a_step_stands_where_its_trajectory_ends(show):
    """At step 0 the board of a trajectory that ends right breaks rules: "correct" is said of its end."""
    data = synthetic.queens()
    ended = np.argwhere(data["valid"].values[0, :, -1])
    page = show(freeze(data, state={"focus": ["A", int(ended[0, 0])], "cursor": {"step": 0, "low": None}})).page
    assert re.search(r"Ends at \w+, correct", page.locator("[data-part=details]").inner_text())


def test_what_the_sheet_of_keys_quotes_stands_on_the_screen():
    frontend = Path(gramviz.__file__).parent / "frontend"
    quoted = set(re.findall("“(.+?)”", (frontend / "keytable.js").read_text()))
    assert len(quoted) > 20
    said = "".join(path.read_text() for path in sorted(frontend.glob("*words.js")))
    assert quoted <= set(re.findall('"(.+?)"', said))
