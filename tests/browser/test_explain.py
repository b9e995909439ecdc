"""Explain this step, in the page: what `gramviz.explain` says, by sign and sentence, and why other tasks lack it."""

from __future__ import annotations

import pytest
import synthetic

import gramviz as gv
from gramviz.explorer.freeze import freeze
from gramviz.explorer.pack import pack
from gramviz.measure.explain import FOLLOWS

READY = "document.querySelector('main').gramviz"
ROOT = "document.querySelector('main').shadowRoot"


@pytest.fixture(scope="module")
def sudoku():
    """9 x 9, eight trajectories."""
    return synthetic.sudoku(8, box=3)


@pytest.fixture
def page(show, sudoku):
    """The page with the switch on."""
    shown = show(freeze(pack(sudoku)))
    shown.set(layers=[*shown.state["layers"], "explain"])
    return shown


def tally(changes):
    """The changes in one phrase: `3 changes: 2 follow, 1 guess`."""
    kinds = ["follow" if c.reason in FOLLOWS else c.reason for c in changes]
    names = {"follow": ("follows", "follow"), "erased": ("erased",) * 2, "contradicts": ("contradicts", "contradict"),
             "guess": ("guess", "guesses")}  # fmt: skip
    parts = [f"{n} {names[kind][n > 1]}" for kind in names if (n := kinds.count(kind))]
    return f"{len(changes)} change{'' if len(changes) == 1 else 's'}{': ' if parts else ''}{', '.join(parts)}"


def test_counts_and_names_what_python_names(page, sudoku):
    seen = set()
    for trajectory, step in [(0, 0), (0, 1), (0, 4), (0, 5), (3, 3), (5, 2)]:
        page.set(focus=["A", trajectory], cursor={"step": step, "low": None}, cells=[])
        changes = gv.explain(sudoku, trajectory, step)
        assert page.part("details").inner_text().startswith(f"{tally(changes)}. A #{trajectory}, ")
        for change in changes[:4]:
            seen.add(change.reason)
            page.set(cells=[change.cell])
            assert page.part("details").inner_text().startswith(f"{change.text} A #{trajectory}: row ")
    assert len(seen) >= 3
    assert seen & set(FOLLOWS)


def test_marks_each_changed_cell_with_a_sign_that_the_legend_tells(page):
    page.set(cursor={"step": 4, "low": None})
    legend = page.page.locator(".board .legend")
    assert "! contradicts" in " ".join(legend.inner_text().split())
    assert "n naked single" in " ".join(legend.inner_text().split())
    explained = page.pixels(".board canvas")
    page.set(layers=["halo", "labels"])
    assert page.pixels(".board canvas") != explained
    assert "naked single" not in legend.inner_text()
    assert "changes:" not in page.part("details").inner_text()


def test_is_spoken_with_the_cell(page, sudoku):
    page.set(cursor={"step": 4, "low": None})
    page.page.wait_for_timeout(400)
    for change in gv.explain(sudoku, page.state["focus"][1], 4):
        said = page.page.evaluate(f"{ROOT}.getElementById('cell{change.cell}').textContent")
        assert f"changed, {change.text.split(': ')[1][:-1]}" in said


def test_i_switches_it_and_undo_brings_it_back(page):
    page.page.wait_for_timeout(400)  # what was set before has settled: a step of its own in the undo list
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("i")
    assert "explain" not in page.state["layers"]
    page.page.keyboard.press("Control+z")
    assert "explain" in page.state["layers"]


def test_has_nothing_to_say_of_all_paths_or_between_transitions(show, low):
    shown = show(freeze(low))
    shown.set(layers=["explain"], cursor={"step": 3, "low": 1})
    assert "change:" not in shown.text()
    shown.set(board="all", cursor={"step": 3, "low": None})
    assert "naked single" not in shown.text()


def test_other_tasks_say_why_it_is_not_there(show, one):
    shown = show(freeze(one))
    shown.page.get_by_role("button", name="View").click()
    entry = shown.page.get_by_role("menuitemcheckbox", name="Explain this step")
    assert entry.is_disabled()
    assert "Only Sudoku has rules that this explains." in shown.text()
    shown.page.keyboard.press("Escape")
    shown.page.keyboard.press("i")
    shown.drawn()
    assert "explain" not in shown.state["layers"]
    assert shown.part("details").inner_text() == "Only Sudoku has rules that this explains."


def test_the_menu_says_what_counts_as_known(page):
    page.page.get_by_role("button", name="View").click()
    page.drawn()
    assert page.page.get_by_role("menuitemcheckbox", name="Explain this step").get_attribute("aria-checked") == "true"
    assert "Known are the givens, and the cells free of conflict that the step leaves as they are." in page.text()
    page.page.keyboard.press("Escape")
