"""Acceptance on four stages: opening, what is shown to the kernel, keys, time, and rest (explorer.md, section 12).

A stage is the same comparison shown in JupyterLab or as a frozen page without kernel and network, in light or dark: in
the notebook by JupyterLab's own theme, in the page by what its reader prefers (`conftest.py`, `stages.py`). No stage
reaches anything outside, which is looked at after each test. The numbers are those of the thirty behaviors; they go
on in test_acceptance_choosing, _looks and _care. Pixels (2) are compared in test_same.
"""

from __future__ import annotations

from typing import Any

import pytest
from lab_server import PATIENCE, run_cell
from stages import CANVASES, FOCUS, MOMENT, Stage, inner, moment, wanted_moments

from gramviz import measure
from gramviz.explorer.payload import Payload

STAGES = ["frozen-dark", "lab-light"]  # what a thing does has no color; test_acceptance_looks has all four


# ------------------------------------------------------------------------------------------------------------- opening
def test_01_shows_itself_and_asks_for_nothing(stage: Stage) -> None:
    region = stage.page.get_by_role("region", name="Explorer: ")
    assert region.count() == 1
    assert region.is_visible()
    assert stage.page.evaluate(f"{stage.host}.dataset.gvTheme") == stage.theme
    assert stage.problems == []  # what it asks for is looked at after each test


def test_07_first_picture(stage: Stage, payload: Payload) -> None:
    assert stage.state["cursor"] == moment(32)
    assert stage.state["pinned"] == ["A", 0]
    right = int((payload.array("outcome", "B") == 1).sum())
    assert f"{right} of 50 correct" in stage.text()
    assert "transition 32 of 32" in stage.text()
    assert stage.page.evaluate(f"{stage.store}.transient.playing") is False
    for selector in CANVASES.values():
        assert stage.colors(selector) > 3, selector


# -------------------------------------------------------------------------------------------------------- what is shown
def test_03_playing_tells_nothing_and_pausing_once(stage: Stage) -> None:
    stage.calm(speed=2, cursor=moment(0))  # 16 s: a loaded machine has not reached the end when it pauses
    before = stage.quiet()
    stage.page.get_by_role("button", name="Play", exact=True).click()
    stage.until(f"{stage.store}.state.cursor.step >= 3")
    assert stage.told() == before
    stage.page.get_by_role("button", name="Pause", exact=True).click()
    stage.tells_once(before)
    assert stage.kind == "frozen" or '"cursor"' in stage.sent[-1]


def test_04_scrubbing_and_pointing_tell_nothing_until_release(stage: Stage) -> None:
    before = stage.quiet()
    cells = [stage.cell(k % 64) for k in range(100)]
    for cell in cells:
        stage.page.mouse.move(*cell)
    ruler = stage.page.locator("[data-part=ruler] canvas").bounding_box()
    stage.page.mouse.move(*inner(ruler, 0.95, 0.6))
    over = "([x, y]) => document.elementsFromPoint(x, y).map((one) => one.outerHTML.slice(0, 120))"
    seen = (ruler, stage.page.evaluate(over, list(inner(ruler, 0.95, 0.6)))[:3])
    stage.page.mouse.down()
    for k in range(60):
        stage.page.mouse.move(*inner(ruler, 0.95 - 0.01 * k, 0.6))
    stage.page.wait_for_timeout(250)
    assert stage.told() == before
    stage.page.mouse.up()
    assert stage.state["cursor"] == moment(round((0.95 - 0.01 * 59) * 32)), seen
    stage.tells_once(before)


# ------------------------------------------------------------------------------------------------------- keys and time
ANY = object()  # it changes; to what is tested elsewhere

# One row of the table that `?` shows, and what each of its keys does: where the focus is, what the view is before,
# which keys, and all that has changed after. Numbers of steps come from the rollout, below.
KEYS: list[tuple[str, str | None, dict[str, Any], str, dict[str, Any]]] = [
    ("Space, K", None, {"speed": 1}, "Space", {"playing": True}),
    ("Space, K", None, {"speed": 1}, "k", {"playing": True}),
    ("Space, K", None, {"speed": 1}, "k k", {}),
    ("J / L, ← / →", None, {}, "j", {"cursor": moment(12)}),
    ("J / L, ← / →", None, {}, "l", {"cursor": moment(14)}),
    ("J / L, ← / →", None, {}, "ArrowLeft", {"cursor": moment(12)}),
    ("J / L, ← / →", None, {}, "ArrowRight", {"cursor": moment(14)}),
    ("J / L, ← / →", "board", {"cells": [9]}, "l", {"cursor": moment(14)}),
    ("Shift+J / Shift+L", None, {}, "Shift+J", {"cursor": moment(12)}),
    ("Shift+J / Shift+L", None, {}, "Shift+L", {"cursor": moment(14)}),
    ("Shift+J / Shift+L", None, {}, "Shift+L Shift+L", {"cursor": moment(16)}),
    ("Shift+J / Shift+L", None, {}, "Shift+ArrowLeft", {"cursor": moment(12)}),
    (", / .", None, {}, ",", {"cursor": moment(13, 2)}),
    (", / .", None, {}, ".", {"cursor": moment(14, 1)}),
    ("Home / End", None, {}, "Home", {"cursor": moment(0)}),
    ("Home / End", None, {}, "End", {"cursor": moment(32)}),
    ("N / Shift+N", None, {}, "n", {"cursor": "next change"}),
    ("N / Shift+N", None, {}, "Shift+N", {"cursor": "previous change"}),
    ("F, H, W", None, {}, "f", {"cursor": "first correct"}),
    ("F, H, W", None, {}, "h", {"cursor": "halt"}),
    ("F, H, W", None, {}, "w", {"cursor": "parting"}),
    ("[ / ]", None, {}, "[", {"speed": 2}),
    ("[ / ]", None, {}, "]", {"speed": 8}),
    ("U", None, {}, "u", {"loop": True}),
    ("A B C D", None, {}, "a", {"focus": ["A", 0]}),
    ("A B C D", None, {}, "b", {"focus": ["B", 19]}),
    ("A B C D", None, {"selected": {"B": [3, 18, 20]}}, "b", {"focus": ["B", 20]}),
    ("A B C D", None, {}, "c d", {}),
    ("Shift+A … D", None, {}, "Shift+A", {"hidden": ["A"]}),
    ("Shift+A … D", None, {}, "Shift+B", {"hidden": ["B"]}),
    ("Shift+A … D", None, {"hidden": ["B"]}, "Shift+B", {"hidden": []}),
    ("M, X", None, {}, "m", {"board": "all"}),
    ("M, X", None, {}, "x", {"board": "differ"}),
    ("M, X", None, {"board": "differ"}, "x", {"board": "focus"}),
    ("R", None, {}, "r", {"focus": ANY}),
    ("P, Shift+P", None, {}, "p", {"pinned": FOCUS}),
    ("P, Shift+P", None, {"pinned": FOCUS}, "p", {"pinned": None}),
    ("P, Shift+P", None, {}, "Shift+P", {"presenter": True}),
    ("PageUp / PageDown", None, {}, "PageDown", {"chapter": 0, "cursor": moment(0)}),
    ("PageUp / PageDown", None, {"chapter": 1}, "PageUp", {"chapter": 0, "cursor": moment(0)}),
    ("Shift+S", None, {}, "Shift+S", {"sheet": "samples"}),
    ("1-9, 0", None, {}, "1", {"token": 2}),
    ("1-9, 0", None, {"token": 2}, "0", {"token": None}),
    ("Q / Shift+Q", None, {}, "q", {"color_by": "answer"}),
    ("Q / Shift+Q", None, {"color_by": "answer"}, "Shift+Q", {"color_by": "outcome"}),
    ("G, O", None, {}, "g", {"layers": ["halo", "labels", "landscape"]}),
    ("G, O", None, {"basis": "h"}, "o", {"dims": 3, "turn": ANY}),
    ("I", None, {}, "i", {"says": "Only Sudoku has rules that this explains."}),
    ("Z, + / −", None, {}, "+", {"camera": ANY}),
    ("Z, + / −", None, {}, "-", {"camera": ANY}),
    ("Z, + / −", None, {"camera": {"x": 0.1, "y": 0, "k": 2}}, "z", {"camera": None}),
    ("Arrows", "board", {"cells": [9]}, "ArrowRight", {"cells": [10]}),
    ("Arrows", "board", {"cells": [9]}, "ArrowDown", {"cells": [17]}),
    ("Arrows", "board", {"cells": [9]}, "Control+ArrowLeft", {"cells": [9, 8]}),
    ("Arrows", "map", {"basis": "h"}, "ArrowUp", {"focus": ANY}),
    ("Arrows", "marks", {}, "ArrowLeft", {"focus": ANY}),
    (
        "Alt+↑ / Alt+↓",
        "lane-drift",
        {"lanes": ["certainty", "conflicts", "drift"]},
        "Alt+ArrowUp",
        {"lanes": ["certainty", "drift", "conflicts"]},
    ),
    (
        "Alt+↑ / Alt+↓",
        "lane-drift",
        {"lanes": ["certainty", "conflicts", "drift"]},
        "ArrowUp Alt+ArrowUp Alt+ArrowUp",
        {"lanes": ["conflicts", "certainty", "drift"]},
    ),
    ("Alt+↑ / Alt+↓", "lane-drift", {"lanes": ["certainty", "conflicts", "drift"]}, "Alt+ArrowDown", {}),
    (
        "Drag map in 3-D, Shift+arrows",
        "map",
        {"basis": "h", "dims": 3, "turn": [32, 18]},
        "Shift+ArrowRight",
        {"turn": [42, 18]},
    ),
    ("Drag map in 3-D, Shift+arrows", "map", {}, "Shift+ArrowRight", {"camera": ANY}),
    ("Enter, Ctrl+Enter", "map", {"selected": {"B": [3]}}, "Enter", {"selected": {"B": [18]}}),
    ("Enter, Ctrl+Enter", "map", {"selected": {"B": [3]}}, "Control+Enter", {"selected": {"B": [3, 18]}}),
    ("Enter, Ctrl+Enter", "ruler", {}, "Enter l l Enter", {"range": [13, 15], "loop": True}),
    ("Ctrl+A", None, {}, "Control+a", {"selected": {"A": [0], "B": list(range(50))}}),
    ("Esc", None, {"cells": [3]}, "Escape", {"cells": []}),
    ("Esc", None, {"selected": {"B": [3, 4]}, "board": "all"}, "Escape", {"selected": {}, "board": "focus"}),
    ("Esc", None, {"token": 2}, "Escape", {"token": None}),
    ("Esc", None, {"sheet": "samples", "cells": [3]}, "Escape", {"sheet": None}),
    ("Esc", None, {"range": [2, 6], "cells": [3]}, "Escape", {"range": None}),
    ("Esc", None, {}, "v Escape", {}),
    ("V, E, T, ?", None, {}, "v", {"open": "view"}),
    ("V, E, T, ?", None, {}, "e", {"open": "export"}),
    ("V, E, T, ?", None, {}, "t", {"open": "table"}),
    ("V, E, T, ?", None, {}, "?", {"open": "keys"}),
    ("S, Y", None, {}, "s", {"spoken": "the details"}),
    ("S, Y", None, {}, "y", {"copied": "gv.compare("}),
]
UNDO = "Ctrl+Z, Ctrl+Shift+Z"  # needs a view that has settled: a test of its own
POINTER = {"Drag time", "Drag map or lane", "Arrows on a divider"}  # rows for who has a mouse, or is on a divider

SEEN = """host => {
  const { state, transient: { playing, open, presenter } } = host.gramviz, root = host.shadowRoot;
  return { ...state, playing, open, presenter, copied: window.copied ?? "",
    says: root.querySelector("[data-part=details]").textContent,
    spoken: root.querySelector("[role=status][aria-live]").textContent };
}"""


def test_08_each_key_does_what_its_row_says_and_stays_inside(stage: Stage, rollouts: dict[str, Any]) -> None:
    page = stage.page
    notebook = "[...document.querySelectorAll('.jp-Cell')].map(cell => cell.textContent.slice(0, 80))"
    cells = page.evaluate(notebook)
    page.evaluate("navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }")
    page.evaluate("window.heard = []; document.addEventListener('keydown', event => heard.push(event.key))")
    moments = wanted_moments(rollouts)
    wrong = []
    for row, part, before, keys, changes in KEYS:
        stage.calm(**({"focus": FOCUS, "cursor": moment(MOMENT)} | before))
        stage.focus(part)
        page.evaluate("window.copied = ''")
        was = page.evaluate(f"({SEEN})({stage.host})")
        stage.press(*keys.split())
        if "says" in changes:
            stage.drawn()
        now = page.evaluate(f"({SEEN})({stage.host})")
        for name, value in was.items():
            if name in ("says", "spoken") and name not in changes:
                continue
            if name == "cursor" and "playing" in changes:
                continue  # it may have begun to move
            wanted = changes.get(name, value)
            if name == "cursor" and isinstance(wanted, str):
                wanted = moment(moments[wanted])
            if wanted == "the details":
                wanted = now["says"]
            fits = now[name].startswith(wanted) if name == "copied" else now[name] == wanted
            if not (now[name] != value if wanted is ANY else fits):
                wrong.append((row, keys, name, now[name], wanted))
    assert wrong == []
    assert page.evaluate("heard") == []
    assert page.evaluate(notebook) == cells
    stage.calm()
    stage.focus()
    stage.press("?")
    stage.drawn()
    said = page.evaluate(f"[...{stage.root}.querySelectorAll('.over dt')].map(row => row.textContent)")
    assert set(said) - POINTER == {row for row, *_ in KEYS} | {UNDO}


def test_08_undo_and_redo(stage: Stage) -> None:
    stage.quiet()
    stage.focus()
    stage.press("m")
    stage.quiet()
    stage.press("Control+z")
    assert stage.state["board"] == "focus"
    stage.press("Control+Shift+Z")
    assert stage.state["board"] == "all"


def test_09_three_levels_of_time(stage: Stage) -> None:
    stage.focus()
    seen = []
    for key in ["Home", "l", "Shift+L", ".", ".", "."]:
        stage.press(key)
        stage.drawn()
        seen.append(stage.page.evaluate(f"{stage.root}.querySelector('.readout b').textContent"))
        decoded = "The answer is decoded from h; it changes at the end of the transition."
        assert (decoded in stage.text()) == (stage.state["cursor"]["low"] is not None)
    assert seen == ["Init", "Step 1.1", "Step 1.2", "Step 2.1.1", "Step 2.1.2", "Step 2.1"]


def test_10_jumps_go_where_measure_says(stage: Stage, rollouts: dict[str, Any]) -> None:
    """By buttons; the keys stand in the table of behavior 8."""
    buttons = {
        "Next change": "next change", "First correct": "first correct", "Halt": "halt",
        "Where trajectories part": "parting",
    }  # fmt: skip
    moments = wanted_moments(rollouts)
    for label, name in buttons.items():
        stage.calm(focus=FOCUS, cursor=moment(MOMENT))
        stage.page.get_by_role("button", name="Go to").click()
        stage.page.get_by_role("menuitem", name=label, exact=True).click()
        assert stage.state["cursor"] == moment(moments[name]), label
    parting = measure.parting(rollouts["A"], 0, rollouts["B"], FOCUS[1])
    assert parting is not None
    stage.drawn()
    row, column = divmod(parting.position, 8)
    assert f"row {row + 1}, column {column + 1}" in stage.part("details").inner_text()


def test_21_at_rest_nothing_is_drawn(stage: Stage) -> None:
    stage.quiet()
    with stage.recording() as drawn:
        stage.page.wait_for_timeout(2000)
        assert drawn() == []
        stage.focus()
        stage.press("j")
        stage.drawn()
        assert drawn() != [], "the record would have it"


COUNT = """() => {
  if (window.frames_ !== undefined) return;
  const ask = requestAnimationFrame.bind(window);
  window.frames_ = 0;
  window.requestAnimationFrame = (then) => { window.frames_ += 1; return ask(then); };
}"""


@pytest.mark.slow  # 300 frames, which a loaded machine draws in half a minute
def test_21_playing_does_not_fill_the_memory(stage: Stage) -> None:
    session = stage.page.context.new_cdp_session(stage.page)
    stage.page.evaluate(COUNT)

    def heap() -> int:
        session.send("HeapProfiler.collectGarbage")
        return int(session.send("Runtime.getHeapUsage")["usedSize"])

    def play(frames: int) -> None:
        until = stage.page.evaluate("frames_") + frames
        stage.page.evaluate(f"{stage.root}.querySelector('.play').click()")
        stage.until(f"frames_ >= {until}", 240)
        stage.page.evaluate(f"{stage.root}.querySelector('.play').click()")
        stage.quiet()

    stage.calm(loop=True, speed=4)
    play(30)  # what is made once is made now
    before = heap()
    play(300)
    for _ in range(20):  # JupyterLab has work of its own
        if (grown := heap() - before) < 1_000_000:
            break
        stage.page.wait_for_timeout(500)
    session.detach()
    assert grown < 1_000_000  # bytes


# ---------------------------------------------------------------------------------------------------- the kernel's own
@pytest.mark.parametrize("hall", ["lab-light"], indirect=True)
def test_24_python_moves_the_view_and_hears_nothing_back(stage: Stage) -> None:
    stage.set(board="all")
    before = stage.quiet()
    run_cell(stage.page, 1)
    stage.until(f"{stage.store}.state.color_by === 'series'", PATIENCE / 1000)
    stage.page.wait_for_selector("text=heard all", timeout=PATIENCE)
    assert stage.state["cursor"] == moment(3)
    assert stage.quiet() == before
