"""The tree of partings in the page: what it says and shows, by pointer and by keys, for one trajectory and for many."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic

from gramviz import measure
from gramviz.explorer.freeze import freeze
from gramviz.explorer.pack import pack

READY = "document.querySelector('main').gramviz"
ROOT = "document.querySelector('main').shadowRoot"


@pytest.fixture
def tree(show, two, gram):
    """The page with the tree of the fifty trajectories, and what `measure` says of them."""
    shown = show(freeze(two))
    shown.set(tree=True)
    return shown, measure.branching(gram)


def options(shown):
    """What the branches are called, trunk first."""
    return shown.page.evaluate(f"[...{ROOT}.querySelectorAll('.tree [role=option]')].map(o => o.ariaLabel)")


def test_shows_the_forks_and_answers_that_python_finds(tree, gram):
    shown, found = tree
    forks, leaves = len(found.forks), len(found.branches(gram.sizes["step"] - 1))
    said = options(shown)
    assert len(said) == forks + leaves
    assert said[0].startswith(f"50 trajectories that part about {measure.address(gram, round(found.forks[-1].index))}")
    assert not shown.page.locator(".rows").is_visible()
    assert not shown.part("marks").is_visible()
    for step in (0, 5, 9, 32):
        shown.set(cursor={"step": step, "low": None})
        now = len(found.branches(step))
        assert f"{now} branch{'es' * (now > 1)} at " in shown.text()
        assert f"{leaves} answers" in shown.text()
    letters = [text.split("answer ")[1].split(",")[0] for text in said if "answer" in text]
    assert sorted(letters) == sorted("abcdefghijklmnopqrstuvwxyz"[:leaves])
    shapes = shown.page.locator(".tree [role=option] svg").evaluate_all("all => all.map(s => s.dataset.shape)")
    assert len(shapes) == leaves
    assert {"dot", "cross"} <= set(shapes)


def test_pointing_previews_and_clicking_chooses(tree):
    shown, found = tree
    before, pixels = shown.state, shown.pixels("[data-part=tree] canvas")
    parts = found.forks[-1].parts  # the first fork of all
    option = shown.page.locator(".tree [role=option]").nth(1)
    option.hover()
    shown.drawn()
    assert shown.state == before, "pointing changes nothing"
    assert shown.pixels("[data-part=tree] canvas") != pixels
    assert shown.part("details").inner_text().startswith(f"{len(parts[0])} trajectories: ")
    assert f"preview B #{parts[0][0]}" in shown.text()
    faint = shown.page.evaluate(f"{ROOT}.querySelectorAll('.marks > .faint').length")
    assert faint == 51 - len(parts[0])
    option.click()
    shown.drawn()
    assert shown.state["selected"] == {"B": list(parts[0])}
    assert option.get_attribute("aria-selected") == "true"
    shown.page.locator(".tree [role=option]").first.click(modifiers=["Control"])
    assert shown.state["selected"] == {"B": list(range(50))}
    shown.page.locator(".tree [role=option]").first.hover()
    shown.drawn()
    row, column = divmod(found.forks[-1].position, 8)
    assert f"first in row {row + 1}, column {column + 1}." in shown.part("details").inner_text()


def test_all_of_it_without_a_mouse(show, two, gram):
    shown = show(freeze(two))
    found = measure.branching(gram)
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("Shift+W")
    assert shown.state["tree"] is True
    shown.drawn()
    shown.part("tree").focus()
    press = shown.page.keyboard.press
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft"):
        press(key)
        shown.drawn()
    active = shown.part("tree").get_attribute("aria-activedescendant")
    assert active == "branch1"
    assert shown.part("details").inner_text().startswith(f"{len(found.forks[-1].parts[0])} trajectories: ")
    press("Enter")
    shown.drawn()
    assert shown.state["selected"] == {"B": list(found.forks[-1].parts[0])}
    shown.page.wait_for_timeout(300)
    press("Control+z")
    shown.drawn()
    assert shown.state["selected"] == {}
    shown.part("board").focus()
    press("Shift+W")
    assert shown.state["tree"] is False


def test_follows_the_focused_run(tree):
    shown, _ = tree
    shown.set(focus=["A", 0])
    assert len(options(shown)) == 1
    assert options(shown)[0].startswith("1 trajectory: answer ")
    assert "1 branch at 16.2, 1 answer" in shown.text()
    shown.page.get_by_role("tab", name="Final", exact=True).click()
    shown.drawn()
    assert shown.state["tree"] is False
    assert shown.page.locator(".rows").is_visible()


@pytest.mark.parametrize("width", [1200, 800, 480])
def test_every_width_keeps_it_inside(show, two, width):
    shown = show(freeze(two), width=width)
    shown.set(tree=True, panel="answers")
    inside = shown.page.evaluate(
        f"""[...{ROOT}.querySelectorAll('.tree, .tree [role=option], .answers .bar button')].every(one => {{
          const a = one.getBoundingClientRect(), b = {ROOT}.querySelector('.answers').getBoundingClientRect();
          return a.width > 0 && a.left >= b.left && a.right <= b.right + 1; }})"""
    )
    assert inside
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_many_answers_scroll_and_one_path_is_a_line(show):
    many = synthetic.sudoku(200, supervision_steps=4).drop_vars(["valid", "conflict"])
    many["tokens"][..., -2:, :] = np.random.default_rng(0).integers(2, 6, (1, 200, 2, 16))
    shown = show(freeze(pack(many)))
    shown.set(tree=True)
    assert len(options(shown)) == 2 * 200 - 1
    assert shown.part("tree").evaluate("e => e.clientHeight") <= 260
    shown = show(freeze(pack(synthetic.sudoku(1))))
    shown.set(tree=True)
    assert len(options(shown)) == 1
