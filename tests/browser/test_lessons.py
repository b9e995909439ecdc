"""Lessons in the frozen page: chapters of any rollout, and a room. The others are in test_acceptance_care."""

from __future__ import annotations

from gramviz.explorer.freeze import freeze

READY = "document.querySelector('main').gramviz"
ROOT = "document.querySelector('main').shadowRoot"


def test_every_rollout_has_chapters_of_its_own(show, two):
    shown = show(freeze(two))
    shown.page.keyboard.press("Tab")
    steps = []
    for _ in range(4):
        shown.page.keyboard.press("PageDown")
        shown.drawn()
        steps.append(shown.state["cursor"]["step"])
    letter, trajectory = shown.state["focus"]
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert steps[-1] == 32
    assert int(two.array("valid", letter)[trajectory].argmax()) in steps


def test_for_a_room_board_and_map_fill_the_screen(show, two):
    shown = show(freeze(two, state={"folded": []}), width=1280, height=800)
    page = shown.page
    page.keyboard.press("Tab")
    page.keyboard.press("PageDown")
    shown.until(f"!{ROOT}.querySelector('.captions[aria-label=Lesson]').hidden")
    page.wait_for_timeout(200)  # the chapter takes its height from board and map
    before = page.locator(".board canvas").bounding_box()["width"]
    page.keyboard.press("Shift+P")
    shown.until(f"{ROOT}.querySelector('.gv').classList.contains('presenting')")
    shown.drawn()
    assert page.locator(".board canvas").bounding_box()["width"] > before
    for gone in ("section.answers", ".lanes", ".tools"):
        assert not page.locator(gone).is_visible()
    size = page.evaluate(f"parseFloat(getComputedStyle({ROOT}.querySelector('.captions[aria-label=Lesson]')).fontSize)")
    assert size == 24
    page.keyboard.press(".")
    assert not page.locator(".board canvas").is_visible()
    page.keyboard.press(".")
    page.keyboard.press("Shift+P")
    shown.drawn()
    assert page.locator("section.answers").is_visible()
    assert page.locator(".board canvas").bounding_box()["width"] == before
