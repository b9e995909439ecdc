"""Lessons in the frozen page: chapters move the view, a quiz hides the future, counts, and needs no mouse."""

from __future__ import annotations

import numpy as np
import pytest

from gramviz.chapters import bake
from gramviz.freeze import freeze

READY = "document.querySelector('main').gramviz"
ROOT = "document.querySelector('main').shadowRoot"
LESSON = """
lesson: 1
title: Paths
chapters:
  - {at: init, say: "Both start **at one point**, from `x` <img src=x onerror=alert(1)>."}
  - {at: "3.1", say: They part., show: {color_by: run, board: all}, look: {cells: [r4c6], paths: [[B, 12]], part: map}}
  - quiz: Which cell changes next?
    kind: cell
    at: "2.1"
    until: "2.2"
    answer: auto
    hint: Look at the queens.
    wrong: "It was {answer}."
  - quiz: How does it end?
    kind: choice
    until: "16.2"
    choices: [wrong, right]
    answer: 2
  - {at: "4.1", say: It goes on., play: {to: "5.1", speed: 16}}
"""


@pytest.fixture
def lesson(show, two):
    """The page, open at the first chapter."""
    shown = show(
        freeze(bake(two, LESSON), state={"chapter": 0, "cursor": {"step": 0, "low": None}, "focus": ["B", 12]})
    )
    shown.page.keyboard.press("Tab")
    return shown


def test_chapters_move_the_view_and_captions_are_text(lesson):
    page = lesson.page
    caption = page.get_by_label("Lesson", exact=True)
    assert "Both start at one point, from x <img src=x onerror=alert(1)>." in caption.inner_text()
    assert caption.locator("b").inner_text() == "at one point"
    assert caption.locator("img").count() == 0
    assert "1 of 5" in caption.inner_text()
    page.keyboard.press("PageDown")
    lesson.drawn()
    state = lesson.state
    assert (state["chapter"], state["cursor"]["step"], state["color_by"]) == (1, 5, "run")
    assert (state["cells"], state["selected"]) == ([29], {"B": [12]})
    assert page.evaluate(f"{ROOT}.querySelector('.gv').dataset.look") == "map"
    page.keyboard.press("PageUp")
    lesson.drawn()
    assert lesson.state["chapter"] == 0
    assert lesson.state["cursor"]["step"] == 0


def test_a_quiz_hides_the_future_counts_two_tries_and_tells(lesson, two):
    page = lesson.page
    tokens = two.array("tokens", "B")[12]
    changed = np.flatnonzero(tokens[4] != tokens[3])
    still = int(np.flatnonzero(tokens[4] == tokens[3])[0])
    for _ in range(2):
        page.keyboard.press("PageDown")
    lesson.drawn()
    assert lesson.state["cursor"]["step"] == 3
    for key in ["l", "End", "f", "h", "w", "Shift+L", " "]:
        page.keyboard.press(key)
        lesson.drawn()
        assert lesson.state["cursor"]["step"] <= 3, key
    page.keyboard.press("Home")
    page.keyboard.press("End")
    assert "Answer first, or press Esc to skip." in lesson.part("details").inner_text()
    assert not page.get_by_role("button", name="Next", exact=True).is_enabled()
    assert not page.locator(".answers .body").is_visible()
    lesson.set(cells=[still])
    page.get_by_role("button", name="My answer is the chosen cell").click()
    assert "Not that one. Try once more. Look at the queens." in page.get_by_label("Lesson", exact=True).inner_text()
    lesson.set(cells=[int(changed[0])])
    page.get_by_role("button", name="My answer is the chosen cell").click()
    lesson.drawn()
    assert "Right." in page.get_by_label("Lesson", exact=True).inner_text()
    assert lesson.state["cursor"]["step"] == 4
    assert page.locator(".answers .body").is_visible()
    page.keyboard.press("PageDown")
    lesson.drawn()
    for _ in range(2):
        page.get_by_role("button", name="wrong", exact=True).click()
    said = page.get_by_label("Lesson", exact=True).inner_text()
    assert "It was right." in said
    assert "1 of 2 right." in said
    assert lesson.state["cursor"]["step"] == 32


def test_a_quiz_needs_no_mouse_and_escape_skips_it(lesson):
    page = lesson.page
    for _ in range(3):
        page.keyboard.press("PageDown")
        lesson.drawn()
        if lesson.state["chapter"] == 2:
            page.keyboard.press("Escape")
            lesson.drawn()
            assert "Skipped." in page.get_by_label("Lesson", exact=True).inner_text()
    assert lesson.state["chapter"] == 3
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(f"{ROOT}.activeElement?.textContent") == "right":
            break
    page.keyboard.press("Enter")
    lesson.drawn()
    assert "1 of 2 right." in page.get_by_label("Lesson", exact=True).inner_text()
    page.keyboard.press("Escape")
    lesson.drawn()
    assert lesson.state["chapter"] is None
    assert not page.get_by_label("Lesson", exact=True).is_visible()


def test_a_chapter_plays_to_its_end(lesson):
    lesson.page.evaluate(f"{READY}.set({{ chapter: 3 }})")
    lesson.page.keyboard.press("Escape")  # the quiz
    lesson.page.keyboard.press("PageDown")
    lesson.until(f"{READY}.state.chapter === 4 && !{READY}.transient.playing && {READY}.state.cursor.step === 9")


def test_every_rollout_has_chapters_of_its_own(show, two):
    shown = show(freeze(two))
    shown.page.keyboard.press("Tab")
    steps = []
    for _ in range(4):
        shown.page.keyboard.press("PageDown")
        shown.drawn()
        steps.append(shown.state["cursor"]["step"])
    letter, path = shown.state["focus"]
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert steps[-1] == 32
    assert int(two.array("valid", letter)[path].argmax()) in steps


def test_for_a_room_board_and_map_fill_the_screen(show, two):
    shown = show(freeze(two), width=1280, height=800)
    page = shown.page
    before = page.locator(".board canvas").bounding_box()["width"]
    page.keyboard.press("Tab")
    page.keyboard.press("PageDown")
    page.keyboard.press("Shift+P")
    shown.until(f"{ROOT}.querySelector('.gv').classList.contains('presenting')")
    shown.drawn()
    assert page.locator(".board canvas").bounding_box()["width"] > 1.3 * before
    for gone in (".answers", ".lanes", ".tools"):
        assert not page.locator(gone).is_visible()
    size = page.evaluate(f"parseFloat(getComputedStyle({ROOT}.querySelector('.captions[aria-label=Lesson]')).fontSize)")
    assert size == 24
    page.keyboard.press(".")
    assert not page.locator(".board canvas").is_visible()
    page.keyboard.press(".")
    page.keyboard.press("Shift+P")
    shown.drawn()
    assert page.locator(".answers").is_visible()
    assert page.locator(".board canvas").bounding_box()["width"] == before
