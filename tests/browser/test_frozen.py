"""The frozen page in Chromium, with the network cut: what is seen, what answers hand and key, what leaves the page."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest
import synthetic
from full import sampled, tries
from hypothesis import given
from stages import CANVASES, drag, inner
from whole import STATE, as_json, changed

from gramviz.explorer.frame import frame, page_text
from gramviz.explorer.freeze import freeze
from gramviz.explorer.pack import pack

READY = "document.querySelector('main').gramviz"


# -------------------------------------------------------------------------------------------------- the first picture
def test_the_focus_is_what_a_majority_would_answer(show, one):
    letter, trajectory = show(freeze(one)).state["focus"]
    final = one.array("final", letter)
    assert final[trajectory] == np.bincount(final).argmax()


HOSTILE = [
    {"__proto__": {"part": "map"}}, {"board": {"zoom": "x"}}, {"step": -1}, {"step": 1e308}, {"step": None}, [], None,
    {"selected": "all"}, {"selected": [[0, 999999]]}, {"selected": {"A": [999999]}}, {"cells": {"length": 4}}, "x" * 99,
    {"constructor": {"prototype": {"x": 1}}}, {"cursor": {"step": 1e308, "low": None}}, {"puzzle": 1e15}, {"v": "x"}, 5,
    {"hidden": ["A"], "basis": "x" * 9999, "chapter": 999, "focus": ["D", 9], "token": 99, "cells": [9999], "tall": []},
]  # fmt: skip


def test_a_state_that_no_view_has_leaves_the_page_whole(show, one):
    default = show(freeze(one)).state
    for state in (None, {"step": -1, "__proto__": {"part": "map"}, "cells": {"length": 4}, "cursor": None}):
        address = base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")
        shown = show(freeze(one), hash=f"#v={address}")
        assert shown.state == default
        assert show(page_text(one, state)).state == default
    for state in HOSTILE:
        shown.page.evaluate(f"state => {READY}.load(JSON.parse(state))", json.dumps(state))
        shown.drawn()
        assert shown.state.keys() == default.keys()
        assert shown.page.locator(".gv .trouble").count() == 0
        refused = not isinstance(state, dict) or not {"hidden", "selected", "cursor", "puzzle"} & state.keys()
        assert not refused or shown.state == default, state


def test_a_random_state_leaves_the_page_whole(show, one):
    shown = show(freeze(one))
    keys = shown.state.keys()

    @sampled(20)
    @given(state=changed(STATE))
    def loads(state):
        shown.page.evaluate(f"state => {READY}.load(JSON.parse(state))", as_json(state))
        assert shown.state.keys() == keys
        assert shown.page.locator(".gv .trouble").count() == 0

    loads()
    shown.drawn()


def test_a_damaged_page_plays_or_says_a_sentence(show, low):
    """What is damaged among the data is always seen; of the rest, some text is left."""
    page = freeze(low).encode()
    payload = page.index(b'id="gv-payload"')
    data = payload + 16, page.index(b"</script", payload)
    times = [found.start() for found in re.finditer(b'"created_at":"', page)]
    rng = np.random.default_rng(0)
    for number in range(tries(8, 2_000)):
        start, end = data if number % 2 else (16, len(page) - 9)
        at, damaged = int(rng.integers(start, end)), bytearray(page)
        if any(made < at < made + 45 for made in times):  # that a report blanks, and that the digest leaves out
            continue
        if number % 4 < 3:
            damaged[at] ^= 1 << int(rng.integers(8))
        else:
            del damaged[at:]
        shown = show(bytes(damaged), ready=False)
        shown.drawn()
        if number % 2:
            assert not shown.page.evaluate("Boolean(document.querySelector('main').shadowRoot)"), (number, at)
        shown.until("Boolean(document.body?.innerText)", 10)
        shown.problems.clear()
    shown.until("document.querySelector('main > p').innerText.includes('is damaged')")


def test_at_rest_there_are_no_frames(show, one):
    shown = show(freeze(one))
    shown.page.wait_for_timeout(400)
    before = shown.page.evaluate("frames_")
    shown.page.wait_for_timeout(600)
    assert shown.page.evaluate("frames_") == before


# ------------------------------------------------------------------------------------------------------------ playing
def test_play_moves_board_and_map_and_pause_stops(show, one):
    shown = show(freeze(one))
    before = {name: shown.pixels(selector) for name, selector in CANVASES.items()}
    shown.set(speed=4)  # slow enough that a loaded machine pauses it before the board is whole, at step 12
    shown.page.keyboard.press(" ")  # nothing is focused: the page has no other use for the key
    shown.until(f"{READY}.state.cursor.step > 3 && {READY}.state.cursor.step < 12")
    shown.page.get_by_role("button", name="Pause").click()
    step = shown.state["cursor"]["step"]
    shown.drawn()
    assert shown.pixels(CANVASES["board"]) != before["board"]
    assert shown.pixels(CANVASES["map"]) != before["map"]
    shown.page.wait_for_timeout(300)
    assert shown.state["cursor"]["step"] == step


def test_play_stops_at_the_end_and_loop_goes_on(show, low):
    shown = show(freeze(low))
    last = shown.state["cursor"]["step"]
    shown.set(speed=16, cursor={"step": last - 3, "low": None})
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press(" ")
    shown.until(f"!{READY}.transient.playing")
    assert shown.state["cursor"]["step"] == last
    shown.set(loop=True, range=[2, 4], cursor={"step": 3, "low": None})
    shown.page.evaluate(f"window.seen = new Set(); {READY}.listen(() => seen.add({READY}.state.cursor.step))")
    shown.page.keyboard.press(" ")
    shown.until("seen.has(4) && seen.has(2)")
    shown.page.wait_for_timeout(300)
    assert set(shown.page.evaluate("[...seen]")) == {2, 3, 4}


# --------------------------------------------------------------------------------------------------------------- keys
def test_arrows_move_inside_board_and_map(show, one):
    shown = show(freeze(one))
    shown.part("board").focus()
    for key in ["ArrowRight", "ArrowRight", "ArrowDown"]:
        shown.page.keyboard.press(key)
    assert shown.state["cells"] == [9]  # the first press enters at the corner
    shown.drawn()
    assert shown.part("board").get_attribute("aria-activedescendant") == "cell9"
    shown.set(basis="h")
    step = shown.state["cursor"]
    shown.part("map").focus()
    before = {(h["series"], h["trajectory"]): h["at"] for h in shown.heads()}
    start = before[tuple(shown.state["focus"])]
    shown.page.keyboard.press("ArrowUp")
    moved = before[tuple(shown.state["focus"])]
    assert moved[1] < start[1]
    assert shown.state["cursor"] == step


# ------------------------------------------------------------------------------------------------------------ linking
def test_pointing_at_a_head_previews_its_board(show, one):
    shown = show(freeze(one))
    other = next(h for h in shown.heads() if h["trajectory"] != shown.state["focus"][1] and far(h, shown.heads()))
    box = shown.box("map")
    before = shown.state
    shown.page.mouse.move(box["x"] + other["at"][0], box["y"] + other["at"][1])
    shown.drawn()
    assert f"preview {other['series']} #{other['trajectory']}" in shown.text()
    assert sum(h["emphasis"] == 3 for h in shown.heads()) == 1
    assert shown.state == before
    shown.page.mouse.move(5, 5)
    shown.drawn()
    assert "preview" not in shown.text()
    assert all(h["emphasis"] == 3 for h in shown.heads())


def far(head, heads):
    """Whether nothing else lies so near that it could be meant instead: other heads of the same place are fine."""
    return all(h["trajectory"] >= head["trajectory"] or np.hypot(*np.subtract(h["at"], head["at"])) > 1 for h in heads)


def test_brushing_cells_chooses_them_and_double_click_filters(show, one):
    shown = show(freeze(one))
    box = shown.page.locator(CANVASES["board"]).bounding_box()
    at = lambda cell: inner(box, (cell % 8 + 0.5) / 8, (cell // 8 + 0.5) / 8)  # noqa: E731
    drag(shown.page, at(9), at(10), at(11))
    assert shown.state["cells"] == [9, 10, 11]
    shown.page.mouse.click(*at(3))
    assert shown.state["cells"] == [3]
    shown.page.mouse.click(*at(3))
    assert shown.state["cells"] == []
    token = int(one.array("tokens", "A")[shown.state["focus"][1], -1][3])
    shown.page.mouse.dblclick(*at(3))
    assert shown.state["token"] == token


def test_clicking_an_answer_selects_its_paths(show, one):
    shown = show(freeze(one, state={"folded": []}))
    shown.page.locator("[data-answer='0']").click()
    assert shown.state["selected"] == {"A": np.flatnonzero(one.array("final", "A") == 0).tolist()}


def test_pointing_at_an_answer_speaks_of_its_paths(show, one):
    shown = show(freeze(one, state={"folded": []}))
    shown.page.locator("[data-answer='1']").hover()
    shown.drawn()
    members = np.flatnonzero(one.array("final", "A") == 1)
    assert {h["trajectory"] for h in shown.heads() if h["emphasis"] == 3} == set(members)
    assert shown.part("details").inner_text().startswith(f"{len(members)} trajectories: {len(members)} answer b")
    assert "preview" in shown.text()


# ------------------------------------------------------------------------------------------------------------- layout
EDGES = """(() => {
  const root = document.querySelector("main").shadowRoot;
  const parts = ["header", ".board canvas", ".map canvas", ".ruler", ".play", "[data-part=details]"];
  return parts.map(name => root.querySelector(name).getBoundingClientRect())
    .map(({ left, top, right, bottom, width }) => [left, top, right, bottom, width]);
})()"""


def edges(shown):
    shown.page.wait_for_timeout(150)  # a new size is heard of a frame later
    shown.drawn()
    return np.array(shown.page.evaluate(EDGES))


def test_a_screen_holds_board_map_ruler_play_and_the_sentence(show, two):
    shown = show(freeze(two))
    for width, height in ((1400, 780), (1000, 700), (640, 900), (1120, 624), (800, 560)):  # the last are two at 125 %
        shown.page.set_viewport_size({"width": width, "height": height})
        found = edges(shown)
        assert (found[:, 2] <= width).all()
        assert (found[:, 3] <= height).all(), (width, height)
        assert (found[1:3, 4] > 170).all(), "board and map are no thumbnails"
        assert found[3, 3] <= found[4, 1], "the transport covers nothing of the ruler"


def test_panels_fold_and_are_sized_and_the_state_remembers_it(show, two):
    shown = show(freeze(two), width=1400, height=780)
    before = edges(shown)
    assert "Solutions found" not in shown.text()
    shown.page.get_by_role("button", name="Answers", exact=True).click()
    assert edges(shown)[2, 4] < before[2, 4] - 150
    assert "Solutions found" in shown.text()
    shown.page.get_by_role("button", name="Answers", exact=True).click()
    x, y = inner(shown.box("divider-board"), 0.5, 0.5)
    drag(shown.page, (x, y), (x - 140, y))
    after = edges(shown)
    assert after[1, 4] < before[1, 4] - 100 < before[2, 4] < after[2, 4] - 100
    kept = shown.state
    assert (kept["folded"], list(kept["sizes"])) == (["answers"], ["board"])
    shown.page.locator("[data-part=lane-certainty]").click()
    shown.page.get_by_text("mean over cells").wait_for()
    assert edges(shown)[4, 3] <= 780
    again = show(freeze(two, state=shown.state), width=1400, height=780)
    assert np.allclose(edges(again)[1:3], edges(shown)[1:3])
    shown.page.locator("[data-part=divider-board]").dblclick()
    assert shown.state["sizes"] == {}


def test_a_set_is_selected_by_one_click_counted_and_undone(show, two):
    shown = show(freeze(two))
    right = np.flatnonzero(two.array("outcome", "B") == 1).tolist()
    for click in (
        lambda: shown.page.locator(".chip", has_text="correct").click(),
        lambda: shown.page.get_by_role("button", name="Right ones").click(),
    ):
        click()
        shown.drawn()
        assert shown.state["selected"] == {"B": right}
        assert f"{len(right)} of 51 selected: {len(right)} right" in shown.text()
        assert {h["emphasis"] for h in shown.heads() if h["trajectory"] in right and h["series"] == "B"} == {4}
        shown.page.keyboard.press("Escape")
        shown.drawn()
        assert shown.state["selected"] == {}
        assert "None selected" in shown.text()


# ------------------------------------------------------------------------------------------------------------ compare
def test_share_h_says_what_it_is_worth(show, trm, gram):
    shown = show(freeze(pack([trm, gram], share_h=True), state={"basis": "h"}))
    assert "A and B were trained apart: distances between them mean nothing." in shown.text()


# ------------------------------------------------------------------------------------------------------ what it looks
def test_dark_follows_the_system_and_the_menu(show, one):
    shown = show(freeze(one), color_scheme="dark")
    ground = "getComputedStyle(document.querySelector('main').shadowRoot.querySelector('.gv')).backgroundColor"
    assert shown.page.evaluate(ground) == "rgb(18, 23, 31)"
    shown.set(theme="light")
    assert shown.page.evaluate(ground) == "rgb(255, 255, 255)"
    assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_table_holds_the_numbers(show, one):
    shown = show(freeze(one))
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("t")
    shown.drawn()
    assert shown.page.locator(".over tbody tr").count() == 200
    shown.page.locator(".over").get_by_role("button", name="Drift").click()
    values = shown.page.locator(".over tbody tr td:last-child").all_inner_texts()
    numbers = [float(value) for value in values if value != "–"]
    assert numbers == sorted(numbers)


# -------------------------------------------------------------------------------------------------- state and exports
def test_a_saved_view_of_another_rollout_is_brought_into_range(show, one):
    shown = show(
        freeze(one, state={"cursor": {"step": 999, "low": 4}, "focus": ["C", 70], "cells": [5000], "basis": "none"})
    )
    state = shown.state
    assert state["cursor"] == {"step": 32, "low": None}
    assert state["focus"][0] == "A"
    assert state["cells"] == []
    assert state["basis"] == one.meta["default_basis"]


# --------------------------------------------------------------------------------------------- trouble and other boards
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda meta: meta | {"format": [3, 0]}, "made by a newer gramviz (format 3). Update gramviz to open it."),
        (lambda meta: meta | {"format": [1, 0]}, "has format 1, this gramviz reads 2. Pack the rollout again."),
        (lambda meta: meta | {"sha256": "0" * 64}, "The data of this page is damaged (checksum)."),
        (lambda meta: meta | {"bytes": meta["bytes"] + 1}, "The data of this page is damaged (checksum)."),
    ],
    ids=["newer", "older", "checksum", "length"],
)
def test_a_page_that_cannot_be_read_says_so(show, low, change, says):
    shown = show(freeze(type(low)(change(low.meta), low.data)), ready=False)
    shown.page.wait_for_selector("[role=alert]")
    assert says in shown.text()


@pytest.mark.parametrize("kind", ["sudoku9", "graph", "colors", "image", "one trajectory", "one step", "four series"])
def test_every_board_draws_and_plays(show, kind):
    data = {
        "sudoku9": lambda: synthetic.sudoku(box=3), "graph": synthetic.graph, "colors": synthetic.colors,
        "image": synthetic.image, "one trajectory": lambda: synthetic.sudoku(1),
        "one step": lambda: synthetic.sudoku(3).isel(step=[0]),
        "four series": lambda: [
            synthetic.sudoku(count, supervision_steps=steps, checkpoint=f"c{count}", name=f"series {count}")
            for count, steps in ((1, 3), (1, 6), (4, 6), (7, 4))
        ],
    }[kind]()  # fmt: skip
    shown = show(freeze(data))
    page = shown.page
    page.keyboard.press("Tab")
    for key in ["Home", "l", "m", "x", "q", "q", "q", "n", "f", "h", "w", "End", "c", "1"]:
        page.keyboard.press(key)
        shown.drawn()
    for name in ["answers", "steps", "h"]:
        shown.set(basis=name)
    shown.set(layers=["hulls", "trail", "truth", "halo", "labels"], cells=[0, 1], color_by="cell")
    if kind == "four series":
        assert all(f"series {count}" in shown.text() for count in (1, 4, 7))
        shown.set(board="D", cursor={"step": 12, "low": None}, cells=[])
        assert "D ended at 4.2" in shown.part("details").inner_text()
    if kind == "one step":
        assert "This rollout has one step." in shown.text()
        assert page.get_by_role("button", name="Play").is_disabled()


def test_the_frame_for_reports_plays_in_its_sandbox(show, low):
    page = show(f"<!doctype html><main></main>{frame(low, {})}", ready=False).page
    inside = page.frames[1] if len(page.frames) > 1 else page.wait_for_event("frameattached")
    for _ in range(600):
        if inside.evaluate(f"Boolean(document.querySelector('main') && {READY})"):
            break
        page.wait_for_timeout(50)
    last = inside.evaluate(f"{READY}.state.cursor.step")
    inside.get_by_role("button", name="Back one transition").click()
    assert inside.evaluate(f"{READY}.state.cursor.step") == last - 1


def test_without_script_the_page_still_answers(chromium, two, tmp_path):
    (tmp_path / "page.html").write_text(freeze(two), encoding="utf-8")
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    said = page.locator("body").inner_text()
    cells = page.locator("noscript td").count()
    context.close()
    assert "Final answers and how many trajectories reach each" in said
    assert cells > 64


@pytest.mark.parametrize(("width", "said"), [(1000, "33 of 50 correct (step 16 of 64)"), (390, "33 of 50 correct")])
def test_what_a_model_would_do_in_more_steps_is_not_judged_in_silence(show, gram, width, said):
    deep = gram.assign_attrs(config='{"inference": {"supervision_steps": 64}}')
    shown = show(freeze(pack(deep)), width)
    assert shown.page.locator(".tally").inner_text() == said
