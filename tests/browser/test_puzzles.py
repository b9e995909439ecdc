"""Many puzzles: their browser, the way from one to the next, and the contact sheet."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import synthetic
from stages import HOST

from gramviz.explorer.freeze import freeze
from gramviz.explorer.link import link
from gramviz.explorer.pack import pack

MANY = 1000


@pytest.fixture(scope="module")
def runs():
    """TRM's one trajectory and GRAM's ten on a thousand puzzles, which are eleven and their repetitions."""
    small = {"size": 6, "features": 2, "supervision_steps": 2, "puzzles": 11, "givens": 1}
    trm = synthetic.queens(1, model="trm", checkpoint="synthetic-trm", seed=3, wrong=0.3, **small)
    return [one.isel(puzzle=np.arange(MANY) % 11) for one in (trm, synthetic.queens(10, wrong=0.5, **small))]


@pytest.fixture(scope="module")
def wanted(runs):
    """The puzzle on which TRM fails and most trajectories of GRAM do not."""
    trm, gram = (one["valid"].values[:, :, -1].mean(1) for one in runs)
    return int((gram - trm).argmax())


def focused(shown, name):
    """Data of the element that has the focus."""
    return shown.page.evaluate(f"{shown.host}.shadowRoot.activeElement.dataset.{name}")


def test_the_puzzle_on_which_one_model_fails_and_the_other_does_not(show, runs, wanted):
    """By three clicks, and by five keys; both from a fresh start."""
    page = freeze(runs, puzzle=1, puzzles=[wanted, 5])
    shown = show(page, width=1400, height=780)
    shown.page.get_by_role("button", name="Puzzles", exact=True).click()
    shown.drawn()
    assert "1000 puzzles. This page holds 3 puzzles; the others need a kernel" in shown.text()
    assert shown.page.get_by_role("button", name="Play").is_visible()
    drawn = f"[...{shown.root}.querySelectorAll('.tile canvas')].filter((one) => one.width).length"
    shown.until(f"{drawn} > 10")
    assert shown.page.evaluate(drawn) < 100, "pictures are drawn when they come into view"
    shown.page.get_by_role("tab", name="TRM fails, GRAM does not").click()
    shown.drawn()
    assert "no trajectory of TRM is right, some of GRAM are" in shown.text()
    tile = shown.page.locator(".tile").first
    right = runs[1]["valid"].values[wanted, :, -1].sum()
    assert tile.inner_text().split("\n")[:3] == [str(wanted + 1), "A 0 of 1 right", f"B {right} of 10 right"]
    tile.click()
    shown.until(f"{shown.store}.state.puzzle === {wanted}")
    assert f"puzzle {wanted + 1} of 1000" in shown.text()

    shown = show(page, width=1400, height=780)
    shown.page.evaluate(f"{shown.root}.focus()")
    shown.page.keyboard.press("Shift+T")
    shown.drawn()
    assert focused(shown, "key") == "1", "the one that is shown"
    for key in ("Shift+Tab", "ArrowLeft", "Tab", "Enter"):
        shown.page.keyboard.press(key)
        shown.drawn()
    shown.until(f"{shown.store}.state.puzzle === {wanted}")
    shown.page.keyboard.press("Shift+T")
    shown.drawn()
    shown.page.keyboard.press("ArrowRight")
    shown.page.keyboard.press("Enter")
    shown.drawn()
    assert shown.state["puzzle"] == wanted, "a puzzle that is not here is not chosen"
    shown.page.keyboard.press("Escape")
    shown.page.keyboard.press("PageDown")  # to the next that is here, in this order, with the focus still in the widget
    shown.until(f"{shown.store}.state.puzzle !== {wanted}")
    shown.page.keyboard.press("PageUp")
    shown.until(f"{shown.store}.state.puzzle === {wanted}")
    assert shown.state["puzzles_by"] == "A<B"


def test_a_kernel_is_asked_for_the_next_puzzle(show, runs):
    shown = show("<!doctype html><main></main>", ready=False)
    payload = pack(runs, puzzle=7)
    shown.page.evaluate(HOST, [link(), payload.meta, base64.b64encode(payload.data).decode(), ["puzzle"]])
    shown.drawn()
    shown.page.get_by_role("button", name="Next puzzle").click()
    assert shown.page.evaluate("sent.map(({ ask, puzzle }) => [ask, puzzle])") == [["puzzle", 8]]


def test_the_contact_sheet_follows_time_and_chooses(show, one):
    shown = show(freeze(one))
    shown.page.get_by_role("button", name="Samples").click()
    shown.drawn()
    assert "50 trajectories, at 16.2" in shown.text()
    assert shown.page.get_by_role("button", name="Play").is_visible()
    assert shown.page.locator(".tiles h4").first.inner_text().startswith("answer a, correct: ")
    shown.until(f"{shown.root}.querySelector('.tile canvas').width > 0")
    before = shown.pixels(".tile canvas")
    shown.page.get_by_role("tab", name="By number").click()
    shown.set(cursor={"step": 3, "low": None})
    assert shown.pixels(".tile canvas") != before
    assert shown.page.locator(".tiles h4").count() == 0
    shown.page.locator(".tile").nth(1).click()
    shown.page.locator(".tile").nth(2).click(modifiers=["Control"])
    shown.drawn()
    assert (shown.state["focus"], shown.state["selected"]) == (["A", 1], {"A": [2]})
    shown.page.keyboard.press("ArrowLeft")
    assert focused(shown, "key") == "A 1"
    shown.page.keyboard.press("Enter")  # what is in focus is shown large
    shown.drawn()
    assert shown.state["sheet"] is None
    assert shown.page.locator("[data-part=board]").is_visible()
