"""The frozen page in Chromium, with the network cut: what is seen, what answers hand and key, what leaves the page."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import synthetic

from gram.board import Board, Token
from gram.rollout import make
from gramviz.explorer import Explorer, State
from gramviz.freeze import frame, freeze

CANVASES = {"board": "[data-part=board] canvas", "map": "[data-layer=top]", "lane": "[data-lane=conflicts]"}
READY = "document.querySelector('main').gramviz"


def inner(box, x, y):
    """A point at shares of a box."""
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page, *points, keys=()):
    """Press at the first point, pass through the others, release."""
    for key in keys:
        page.keyboard.down(key)
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()
    for key in keys:
        page.keyboard.up(key)


# -------------------------------------------------------------------------------------------------- the first picture
def test_opens_on_the_final_step_complete_and_still(show, two):
    shown = show(freeze(two))
    assert shown.state["cursor"] == {"step": 32, "low": None}
    assert shown.state["pinned"] == ["A", 0]
    right = int((two.array("outcome", "B") == 1).sum())
    assert f"{right} of 50 correct" in shown.text()
    assert "transition 32 of 32" in shown.text()
    assert shown.page.evaluate(f"{READY}.transient.playing") is False
    for selector in CANVASES.values():
        painted = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(v => v)"
        assert shown.page.locator(selector).first.evaluate(painted)


def test_the_focus_is_what_a_majority_would_answer(show, one):
    letter, path = show(freeze(one)).state["focus"]
    final = one.array("final", letter)
    assert final[path] == np.bincount(final).argmax()


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
    shown.set(speed=16)
    shown.page.get_by_role("button", name="Play").click()
    shown.until(f"{READY}.state.cursor.step > 3 && {READY}.state.cursor.step < 32")
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


def test_calm_motion_has_no_frames_between_steps(show, one):
    shown = show(freeze(one), reduced_motion="reduce")
    fractions = shown.page.evaluate(
        f"new Promise(done => {{ const seen = []; {READY}.listen(() => seen.push({READY}.transient.fraction));"
        f" {READY}.set({{cursor: {{step: 0, low: null}}}}); document.querySelector('main').shadowRoot"
        ".querySelector('.play').click(); setTimeout(() => done(seen), 900); })"
    )
    assert set(fractions) == {0}


def test_playing_asks_for_no_save_and_settling_for_one(show, one):
    html = freeze(one).replace("save_changes() {", "save_changes() { window.saves = (window.saves ?? 0) + 1;")
    shown = show(html)
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press(" ")
    shown.page.wait_for_timeout(900)
    assert shown.page.evaluate("window.saves ?? 0") == 0
    shown.page.keyboard.press(" ")
    shown.until("window.saves")
    shown.page.wait_for_timeout(400)
    assert shown.page.evaluate("window.saves") == 1


def test_scrubbing_and_pointing_save_once_at_the_end(show, one):
    html = freeze(one).replace("save_changes() {", "save_changes() { window.saves = (window.saves ?? 0) + 1;")
    shown = show(html)
    box = shown.page.locator("[data-part=ruler] canvas").bounding_box()
    board = shown.box("board")
    for k in range(20):
        shown.page.mouse.move(*inner(board, 0.1 + 0.04 * k, 0.5))
    shown.page.mouse.move(*inner(box, 0.9, 0.6))
    shown.page.mouse.down()
    for k in range(30):
        shown.page.mouse.move(*inner(box, 0.9 - 0.02 * k, 0.6))
    shown.page.wait_for_timeout(250)
    assert shown.page.evaluate("window.saves ?? 0") == 0
    shown.page.mouse.up()
    shown.until("window.saves")
    shown.page.wait_for_timeout(400)
    assert shown.page.evaluate("window.saves") == 1
    assert shown.state["cursor"]["step"] == round((0.9 - 0.02 * 29) * 32)


# --------------------------------------------------------------------------------------------------------------- keys
def test_keys_step_and_jump(show, two):
    shown = show(freeze(two))
    page = shown.page
    page.keyboard.press("Tab")
    step = lambda: shown.state["cursor"]["step"]  # noqa: E731
    expected = [
        ("Home", 0), ("l", 1), ("l", 2), ("j", 1), ("ArrowRight", 2), ("Shift+L", 4), ("Shift+L", 6),
        ("Shift+J", 4), ("ArrowLeft", 3), ("End", 32),
    ]  # fmt: skip
    for key, at in expected:
        page.keyboard.press(key)
        assert step() == at, key
    letter, path = shown.state["focus"]
    valid = two.array("valid", letter)[path]
    page.keyboard.press("f")
    assert step() == int(valid.argmax())
    page.keyboard.press("h")
    assert step() == int(two.array("halted", letter)[path])
    tokens = two.array("tokens", letter)[path]
    changed = [t for t in range(1, 33) if (tokens[t] != tokens[t - 1]).any()]
    page.keyboard.press("Home")
    page.keyboard.press("n")
    assert step() == changed[0]
    page.keyboard.press("n")
    assert step() == changed[1]
    page.keyboard.press("Shift+N")
    assert step() == changed[0]


def test_keys_change_the_view(show, two):
    shown = show(freeze(two))
    page = shown.page
    page.keyboard.press("Tab")
    for key, name, value in [
        ("m", "board", "all"), ("m", "board", "focus"), ("x", "board", "differ"), ("x", "board", "focus"),
        ("]", "speed", 8), ("[", "speed", 4), ("u", "loop", True), ("q", "color_by", "answer"),
        ("Shift+Q", "color_by", "outcome"), ("1", "token", 2), ("0", "token", None), ("a", "focus", ["A", 0]),
        ("Shift+B", "hidden", ["B"]), ("Shift+B", "hidden", []), ("p", "pinned", None), ("p", "pinned", ["A", 0]),
        ("b", "focus", None), ("Control+a", "selected", {"A": [0], "B": list(range(50))}), ("Escape", "selected", {}),
    ]:  # fmt: skip
        page.keyboard.press(key)
        if value is not None or name != "focus":
            assert shown.state[name] == value, key
    for key, opened in [("v", "view"), ("e", "export"), ("t", "table"), ("?", "keys")]:
        page.keyboard.press(key)
        shown.drawn()
        assert page.evaluate(f"{READY}.transient.open") == opened
        page.keyboard.press("Escape")
        shown.drawn()
        assert page.evaluate(f"{READY}.transient.open") is None


def test_keys_undo_and_redo(show, one):
    shown = show(freeze(one))
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("m")
    shown.until("location.hash.length > 3")  # settled
    shown.page.keyboard.press("Control+z")
    assert shown.state["board"] == "focus"
    shown.page.keyboard.press("Control+Shift+Z")
    assert shown.state["board"] == "all"


def test_keys_visit_all_three_levels(show, low):
    shown = show(freeze(low))
    page = shown.page
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    for _ in range(2):
        page.keyboard.press(".")
    shown.drawn()
    assert shown.state["cursor"] == {"step": 1, "low": 2}
    assert "Step 1.1.2" in shown.text()
    assert "it changes at the end of the transition" in shown.text()
    for _ in range(2):
        page.keyboard.press(".")
    assert shown.state["cursor"] == {"step": 1, "low": None}
    page.keyboard.press(",")
    assert shown.state["cursor"] == {"step": 1, "low": 3}


def test_keys_stay_in_the_widget(show, one):
    """A host (a notebook) hears none of the keys that are typed inside; Tab passes."""
    shown = show(freeze(one))
    shown.page.evaluate("window.heard = []; document.addEventListener('keydown', e => heard.push(e.key))")
    shown.page.keyboard.press("Tab")
    for key in ["d", "d", "x", "a", "m", "ArrowDown", "Enter", "g", "Shift+O", "Control+Enter"]:
        shown.page.keyboard.press(key)
    assert set(shown.page.evaluate("heard")) <= {"Tab"}


def test_arrows_move_inside_board_and_map(show, one):
    shown = show(freeze(one))
    shown.part("board").focus()
    for key in ["ArrowRight", "ArrowRight", "ArrowDown"]:
        shown.page.keyboard.press(key)
    assert shown.state["cells"] == [9]  # the first press enters at the corner
    shown.drawn()
    assert shown.part("board").get_attribute("aria-activedescendant") == "cell9"
    step = shown.state["cursor"]
    shown.part("map").focus()
    before = {(h["run"], h["path"]): h["at"] for h in shown.heads()}
    start = before[tuple(shown.state["focus"])]
    shown.page.keyboard.press("ArrowUp")
    moved = before[tuple(shown.state["focus"])]
    assert moved[1] < start[1]
    assert shown.state["cursor"] == step


# ------------------------------------------------------------------------------------------------------------ linking
def test_pointing_at_a_head_previews_its_board(show, one):
    shown = show(freeze(one))
    other = next(h for h in shown.heads() if h["path"] != shown.state["focus"][1] and far(h, shown.heads()))
    box = shown.box("map")
    before = shown.state
    shown.page.mouse.move(box["x"] + other["at"][0], box["y"] + other["at"][1])
    shown.drawn()
    assert f"preview {other['run']} #{other['path']}" in shown.text()
    assert sum(h["emphasis"] == 3 for h in shown.heads()) == 1
    assert shown.state == before
    shown.page.mouse.move(5, 5)
    shown.drawn()
    assert "preview" not in shown.text()
    assert all(h["emphasis"] == 3 for h in shown.heads())


def far(head, heads):
    """Whether nothing else lies so near that it could be meant instead: other heads of the same place are fine."""
    return all(h["path"] >= head["path"] or np.hypot(*np.subtract(h["at"], head["at"])) > 1 for h in heads)


def test_clicking_a_head_focuses_that_path(show, one):
    shown = show(freeze(one))
    other = next(h for h in shown.heads() if h["path"] != shown.state["focus"][1] and far(h, shown.heads()))
    box = shown.box("map")
    before = shown.state
    shown.page.mouse.click(box["x"] + other["at"][0], box["y"] + other["at"][1])
    shown.drawn()
    assert shown.state["focus"] == [other["run"], other["path"]]
    assert {k: v for k, v in shown.state.items() if k != "focus"} == {k: v for k, v in before.items() if k != "focus"}
    shown.page.mouse.move(5, 5)
    shown.drawn()
    assert f"{other['run']} #{other['path']}" in shown.text()


def test_pointing_at_a_cell_divides_the_paths(show, one):
    shown = show(freeze(one))
    shown.set(cursor={"step": 10, "low": None})
    letter, path = shown.state["focus"]
    tokens = one.array("tokens", letter)[:, 10]
    cell = int(np.argmin(np.abs((tokens == tokens[path]).mean(0) - 0.5)))
    box = shown.page.locator(CANVASES["board"]).bounding_box()
    shown.page.mouse.move(*inner(box, (cell % 8 + 0.5) / 8, (cell // 8 + 0.5) / 8))
    shown.drawn()
    full = {h["path"] for h in shown.heads() if h["emphasis"] == 3}
    assert full == set(np.flatnonzero(tokens[:, cell] == tokens[path, cell]))
    row, column = divmod(cell, 8)
    assert f"row {row + 1}, column {column + 1}" in shown.part("details").inner_text()


@pytest.mark.parametrize("button", [True, False], ids=["lasso button", "shift+drag"])
def test_lasso_selects_adds_and_removes(show, one, button):
    shown = show(freeze(one))
    box = shown.box("map")
    heads = shown.heads()
    middle = float(np.median([h["at"][1] for h in heads])) - 3

    def lasso(top, bottom, keys=()):
        if button:
            shown.page.get_by_role("button", name="Lasso").click()
        corners = [(4, top), (box["width"] - 4, top), (box["width"] - 4, bottom), (4, bottom)]
        drag(
            shown.page,
            *[(box["x"] + x, box["y"] + y) for x, y in corners],
            keys=[*keys, *([] if button else ["Shift"])],
        )
        shown.page.mouse.move(5, 5)
        shown.drawn()

    within = lambda top, bottom: sorted(h["path"] for h in heads if top < h["at"][1] < bottom)  # noqa: E731
    lasso(2, middle)
    chosen = within(2, middle)
    assert 1 < len(chosen) < 50
    assert shown.state["selected"] == {"A": chosen}
    assert shown.state["board"] == "all"
    assert f"All {len(chosen)}" in shown.text()
    assert f"{len(chosen)} paths" in shown.part("details").inner_text()
    lasso(middle, box["height"] - 20, keys=["Control"])
    everyone = within(2, box["height"] - 20)
    assert shown.state["selected"] == {"A": everyone}
    lasso(2, middle, keys=["Alt"])
    assert shown.state["selected"] == {"A": sorted(set(everyone) - set(chosen))}
    shown.page.keyboard.press("Escape")
    assert shown.state["selected"] == {}


def test_the_board_of_a_selection_counts_as_numpy_does(show, one):
    shown = show(freeze(one))
    chosen = [1, 4, 9, 30]
    shown.set(selected={"A": chosen}, board="all", cursor={"step": 8, "low": None}, cells=[])
    tokens = one.array("tokens", "A")[chosen, 8]
    box = shown.page.locator(CANVASES["board"]).bounding_box()
    cell = int(np.argmax((tokens == 2).mean(0)))
    shown.page.mouse.move(*inner(box, (cell % 8 + 0.5) / 8, (cell // 8 + 0.5) / 8))
    shown.drawn()
    said = shown.part("details").inner_text()
    labels = [token["label"] for token in one.meta["board"]["tokens"]]
    for token, count in zip(*np.unique(tokens[:, cell], return_counts=True), strict=True):
        assert f"{labels[token]} in {count} of 4" in said


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


def test_a_box_in_a_lane_selects_the_paths_through_it(show, one):
    shown = show(freeze(one))
    lane = shown.page.locator("[data-lane=conflicts]")
    box = lane.bounding_box()
    drag(shown.page, inner(box, 0.35, 0.02), inner(box, 0.45, 0.5), keys=["Shift"])
    brush = shown.state["brush"]
    assert brush["kind"] == "box"
    values = one.values("curve_conflicts", "A")
    at = np.arange(values.shape[1]) / (values.shape[1] - 1)
    columns = (at >= brush["x"][0]) & (at <= brush["x"][1])
    inside = (np.rint(values) >= brush["y"][0] - 1e-6) & (np.rint(values) <= brush["y"][1] + 1e-6)
    assert shown.state["selected"].get("A", []) == np.flatnonzero((inside & columns).any(1)).tolist()


def test_answers_sum_and_agree_at_the_end(show, two):
    shown = show(freeze(two))
    rows = "[...document.querySelector('main').shadowRoot.querySelectorAll('.row')]"
    counts = lambda: shown.page.evaluate(f"{rows}.map(r => Number(r.querySelector('.count').textContent))")  # noqa: E731
    final = counts()
    assert sum(final) == 50
    shown.set(answers_at="cursor")
    assert counts() == final
    shown.set(cursor={"step": 0, "low": None})
    assert sum(counts()) == 50
    assert "on the way" in shown.text()


def test_clicking_an_answer_selects_its_paths(show, one):
    shown = show(freeze(one))
    shown.page.locator("[data-answer='0']").click()
    assert shown.state["selected"] == {"A": np.flatnonzero(one.array("final", "A") == 0).tolist()}


def test_pointing_at_an_answer_speaks_of_its_paths(show, one):
    shown = show(freeze(one))
    shown.page.locator("[data-answer='1']").hover()
    shown.drawn()
    paths = np.flatnonzero(one.array("final", "A") == 1)
    assert {h["path"] for h in shown.heads() if h["emphasis"] == 3} == set(paths)
    assert shown.part("details").inner_text().startswith(f"{len(paths)} paths: {len(paths)} answer b")
    assert "preview" in shown.text()


def test_where_paths_part_is_what_measure_says(show, two, trm, gram):
    from gramviz import measure

    shown = show(freeze(two))
    letter, path = shown.state["focus"]
    parted = measure.parting_of(two.array("tokens", "A")[0], two.array("tokens", letter)[path])
    shown.page.get_by_role("button", name="Where paths part").click()
    shown.drawn()
    assert shown.state["cursor"]["step"] == parted.index
    row, column = divmod(parted.position, 8)
    assert f"row {row + 1}, column {column + 1}" in shown.part("details").inner_text()


# ------------------------------------------------------------------------------------------------------------ compare
def test_two_checkpoints_share_answers_and_split_h(show, two):
    shown = show(freeze(two))
    assert shown.state["basis"] == "answers"
    assert "one basis for A and B" in shown.text()
    heads = {h["run"] for h in shown.heads()}
    assert heads == {"A", "B"}
    shown.set(basis="h")
    assert "one plane per run" in shown.text()
    half = shown.box("map")["width"] / 2
    assert all((h["at"][0] < half) == (h["run"] == "A") for h in shown.heads())


def test_share_h_says_what_it_is_worth(show, trm, gram):
    shown = show(freeze([trm, gram], share_h=True, state={"basis": "h"}))
    assert "A and B were trained apart: distances between them mean nothing." in shown.text()


def test_differences_are_counted(show, two):
    shown = show(freeze(two))
    shown.set(board="differ")
    letter, path = shown.state["focus"]
    count = int((two.array("tokens", "A")[0, -1] != two.array("tokens", letter)[path, -1]).sum())
    assert f"differ in {count} cells" in shown.text()


# ------------------------------------------------------------------------------------------------------ what it looks
OVERLAPS = """() => {
  const root = document.querySelector('main').shadowRoot;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const boxes = [], small = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, holder = node.parentElement;
    if (!node.data.trim() || holder.closest('.away, .over, .sheet, style')) continue;
    const range = document.createRange(); range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1 && box.height > 1) {
      boxes.push({ text: node.data.trim(), holder, box });
      if (parseFloat(getComputedStyle(holder).fontSize) < 11) small.push(node.data);
    }
  }
  const hits = [];
  const cut = (holder) => getComputedStyle(holder).overflow === 'hidden';
  for (let i = 0; i < boxes.length; i++) for (let k = i + 1; k < boxes.length; k++) {
    const a = boxes[i], b = boxes[k];
    if (a.holder === b.holder || cut(a.holder) || cut(b.holder)) continue;
    if (a.box.left < b.box.right - 2 && b.box.left < a.box.right - 2
        && a.box.top < b.box.bottom - 3 && b.box.top < a.box.bottom - 3)
      hits.push([a.text, b.text]);
  }
  return { hits, small, scroll: document.documentElement.scrollWidth - innerWidth };
}"""


@pytest.mark.parametrize("width", [1200, 800, 480, 340])
def test_every_width_is_legible(show, two, width):
    shown = show(freeze(two), width=width, height=1100)
    found = shown.page.evaluate(OVERLAPS)
    assert found["scroll"] <= 0
    assert found["small"] == []
    assert found["hits"] == []


def test_resizing_quickly_ends_in_the_last_layout(show, one):
    shown = show(freeze(one))
    for width in (480, 900, 600, 1200):
        shown.page.set_viewport_size({"width": width, "height": 900})
    shown.until("document.querySelector('main').shadowRoot.querySelector('.gv').className === 'gv wide'")


def test_dark_follows_the_system_and_the_menu(show, one):
    shown = show(freeze(one), color_scheme="dark")
    ground = "getComputedStyle(document.querySelector('main').shadowRoot.querySelector('.gv')).backgroundColor"
    assert shown.page.evaluate(ground) == "rgb(18, 23, 31)"
    shown.set(theme="light")
    assert shown.page.evaluate(ground) == "rgb(255, 255, 255)"
    assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_halos_stay_where_the_plane_shows_little(show, two):
    shown = show(freeze(two))
    assert two.meta["bases"][0]["plane"] < 0.8 or any(b["plane"] < 0.8 for b in two.meta["bases"])
    shown.set(layers=[])
    shown.page.locator("[data-menu=view] > button").click()
    halos = shown.page.get_by_role("menuitemcheckbox", name="Halos")
    assert halos.is_disabled()
    assert halos.get_attribute("aria-checked") == "true"


def test_spoken_names_and_roles(show, two):
    shown = show(freeze(two))
    page = shown.page
    assert (
        page.get_by_role(
            "region", name=re.compile("Explorer: 8 queens puzzle 1, A TRM 1 path, B GRAM 50 paths")
        ).count()
        == 1
    )
    slider = page.get_by_role("slider", name="Supervision step")
    assert slider.get_attribute("aria-valuetext").startswith("Step 16.2, transition 32 of 32")
    assert page.locator("[role=gridcell]").count() == 64
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    shown.until("location.hash.length > 3")  # settled
    shown.drawn()
    given = int(np.flatnonzero(np.array(two.meta["x"]) == 2)[0])
    row, column = divmod(given, 8)
    assert page.locator(f"#cell{given}").text_content().startswith(f"row {row + 1}, column {column + 1}, queen, given")
    assert "init" in page.get_by_role("status").last.text_content()


def test_the_table_holds_the_numbers(show, one):
    shown = show(freeze(one))
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("t")
    shown.drawn()
    assert shown.page.locator(".over tbody tr").count() == 200
    shown.page.get_by_role("button", name="Drift").click()
    values = shown.page.locator(".over tbody tr td:last-child").all_inner_texts()
    numbers = [float(value) for value in values if value != "–"]
    assert numbers == sorted(numbers)


# -------------------------------------------------------------------------------------------------- state and exports
def test_state_survives_json_python_and_address(show, two):
    shown = show(freeze(two))
    wanted = {
        "cursor": {"step": 13, "low": None}, "focus": ["B", 12], "selected": {"B": [3, 12]}, "cells": [33],
        "board": "all", "color_by": "answer", "lanes": ["conflicts", "value"], "theme": "dark",
        "camera": {"x": 0.1, "y": -0.2, "k": 2},
    }  # fmt: skip
    shown.set(**wanted)
    shown.until("location.hash.length > 3")
    state = shown.state
    assert {key: state[key] for key in wanted} == wanted
    assert State.from_json(json.dumps(state)).keys == state

    address = shown.page.evaluate("location.hash")
    shown.page.evaluate("navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }")
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("y")
    line = shown.page.evaluate("copied")
    explorer = Explorer(two)
    namespace = {"gv": type("gv", (), {"compare": staticmethod(lambda a, b, puzzle: explorer)}), "trm": 0, "gram": 0}
    eval(line, namespace)
    again = show(freeze(explorer))
    assert again.state == state

    assert show(freeze(two), hash=address).state == state


def test_exports_give_files(show, one):
    shown = show(freeze(one))
    shown.set(cursor={"step": 6, "low": None})
    for item, check in [
        ("Picture (PNG)", lambda b: b[:4] == b"\x89PNG"),
        ("Data (CSV)", lambda b: b.count(b"\n") == 1 + 50 * 33),
    ]:
        shown.page.locator("[data-menu=export] > button").click()
        with shown.page.expect_download() as got:
            shown.page.get_by_role("menuitem", name=item).click()
        assert re.fullmatch(r"8-queens-puzzle-1-step-3\.2\.(png|csv)", got.value.suggested_filename)
        assert check(got.value.path().read_bytes())


def test_a_saved_view_of_another_rollout_is_brought_into_range(show, one):
    shown = show(
        freeze(one, state={"cursor": {"step": 999, "low": 4}, "focus": ["C", 70], "cells": [5000], "basis": "none"})
    )
    state = shown.state
    assert state["cursor"] == {"step": 32, "low": None}
    assert state["focus"][0] == "A"
    assert state["cells"] == []
    assert state["basis"] == "h"


# --------------------------------------------------------------------------------------------- trouble and other boards
HOSTILE = '<img src=x onerror="window.hit=1"></script><script>window.hit=1</script>"\'&\u202e${1}`' + "x" * 300


def test_hostile_text_stays_text(show):
    board = Board(
        "grid", HOSTILE, "grid", 2, 2, (Token("empty", ""), Token(HOSTILE, "<b>"), Token("b", "b")), blank=(0,)
    )
    tokens = np.random.default_rng(0).integers(0, 3, (1, 4, 6, 4)).astype(np.int8)
    data = make(board, {"x": np.array([[1, 0, 0, 0]], np.int8), "tokens": tokens}, name=HOSTILE, model=HOSTILE)
    shown = show(freeze(data))
    shown.set(cells=[0, 1], board="all")
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("t")
    shown.drawn()
    assert shown.page.evaluate("window.hit ?? 0") == 0
    assert shown.page.locator("img").count() == 0
    assert "<img src=x onerror=" in shown.text()
    assert "\u202e" not in shown.text()
    assert len(shown.page.locator("h2").inner_text()) < 260


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda meta: meta | {"format": [2, 0]}, "made by a newer gramviz (format 2). Update gramviz to open it."),
        (lambda meta: meta | {"sha256": "0" * 64}, "The data of this page is damaged (checksum)."),
        (lambda meta: meta | {"bytes": meta["bytes"] + 1}, "The data of this page is damaged (checksum)."),
    ],
    ids=["newer", "checksum", "length"],
)
def test_a_page_that_cannot_be_read_says_so(show, low, change, says):
    shown = show(freeze(type(low)(change(low.meta), low.data)), ready=False)
    shown.page.wait_for_selector("[role=alert]")
    assert says in shown.text()


def test_truncated_data_says_so(show, low):
    shown = show(freeze(type(low)(low.meta, low.data[: len(low.data) // 2])), ready=False)
    shown.page.wait_for_selector("[role=alert]")
    assert "damaged" in shown.text()


@pytest.mark.parametrize("kind", ["sudoku9", "graph", "colours", "image", "one path", "one step", "four runs"])
def test_every_board_draws_and_plays(show, kind):
    data = {
        "sudoku9": lambda: synthetic.sudoku(box=3), "graph": synthetic.graph, "colours": synthetic.colours,
        "image": synthetic.image, "one path": lambda: synthetic.sudoku(1),
        "one step": lambda: synthetic.sudoku(3).isel(step=[0]),
        "four runs": lambda: [
            synthetic.sudoku(paths, supervision_steps=steps, checkpoint=f"c{paths}", name=f"run {paths}")
            for paths, steps in ((1, 3), (1, 6), (4, 6), (7, 4))
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
    if kind == "four runs":
        assert all(f"run {paths}" in shown.text() for paths in (1, 4, 7))
        shown.set(board="D", cursor={"step": 12, "low": None}, cells=[])
        assert "D ended at 4.2" in shown.part("details").inner_text()
    if kind == "one step":
        assert "This rollout has one step." in shown.text()
        assert page.get_by_role("button", name="Play").is_disabled()


OPTIONAL = ["y", "valid", "conflict", "probability", "h", "halt", "value", "halted_at", "solutions_known"]


@pytest.mark.parametrize("gone", [[name] for name in OPTIONAL] + [OPTIONAL], ids=lambda gone: "+".join(gone)[:20])
def test_optional_variables_may_be_absent(show, gone):
    data = synthetic.sudoku(5)
    shown = show(freeze(data.drop_vars([name for name in gone if name in data])))
    page = shown.page
    page.keyboard.press("Tab")
    for key in ["Home", "l", "m", "m", "f", "h", "n", "q", "v", "Escape", "t", "Escape", "End"]:
        page.keyboard.press(key)
        shown.drawn()
    assert "This part failed" not in shown.text()
    if "probability" in gone:
        assert "certainty not recorded" in shown.text()
    if "valid" in gone:
        assert "Outcome unknown" in shown.text()


def test_the_frame_for_reports_plays_in_its_sandbox(show, low):
    page = show(f"<!doctype html><main></main>{frame(Explorer(low))}", ready=False).page
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
    assert "Final answers and how many paths reach each" in said
    assert cells > 64
