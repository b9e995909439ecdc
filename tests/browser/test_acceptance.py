"""The acceptance behaviours of the explorer, by the numbers of its specification (section 12), on four stages.

A stage is the same comparison shown in JupyterLab or as a frozen page without kernel and network, in light or dark: in
the notebook by JupyterLab's own theme, in the page by what its reader prefers. No stage reaches anything outside. What
is not told on these stages stands elsewhere: pixels (2) in test_same, absent variables (19) and states (23) in
test_modules, hostile strings (25) in test_frozen, sizes (26) in tests/gramviz, paper (29) in test_access, lessons and
exports (30) in test_lessons and test_exports.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from lab_server import PATIENCE, SHOWN, jupyter, open_notebook, run_cell, write_notebook
from PIL import Image
from stages import CANVASES, TALL, WIDE, Shown, Stage, drag, inner, listen, moment, watch

from gram import rollout
from gramviz import measure
from gramviz.bench import random_walks
from gramviz.freeze import freeze
from gramviz.pack import Payload, pack

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
STAGES = ["frozen-light", "frozen-dark", "lab-light", "lab-dark"]
SAVED = "save_changes() {"  # the frozen page's model, where it would send
FOCUS = ["B", 18]
MOMENT = 13  # the step that most behaviours are looked at: 7.1


@pytest.fixture(scope="module")
def rollouts() -> dict[str, Any]:
    """TRM's one path (A) and GRAM's fifty (B) on one puzzle, with their low-level steps, by letter."""
    much = {"features": 16, "low_steps": 2}
    return {
        "A": synthetic.queens(1, model="trm", checkpoint="synthetic-trm", seed=3, wrong=1.0, **much),
        "B": synthetic.queens(**much),
    }


@pytest.fixture(scope="module")
def folder(rollouts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rollouts on disk, beside a notebook that compares them and later moves the view."""
    folder = tmp_path_factory.mktemp("acceptance")
    for letter, data in rollouts.items():
        rollout.save(data, folder / f"{letter}.nc")
    shown = "from gramviz.explorer import compare\nexplorer = compare('A.nc', 'B.nc')\nexplorer"
    moved = "explorer.go('2.1').set(color_by='run'); print('heard', explorer.state['board'])"
    write_notebook(folder, [shown, moved])
    (folder / "jupyter_config_dir").mkdir()  # so that a test can change JupyterLab's theme
    config = {"LabApp": {"expose_app_in_browser": True}}
    (folder / "jupyter_config_dir" / "jupyter_lab_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def payload(rollouts: dict[str, Any]) -> Payload:
    """What all stages show."""
    return pack(list(rollouts.values()))


@pytest.fixture(scope="module")
def lab(chromium: Any, folder: Path) -> Iterator[Stage]:
    """JupyterLab after its first cell was run, cut from everything but its own server."""
    with jupyter(folder) as (address, token):
        context = chromium.new_context(viewport={"width": 1500, "height": 1250})
        home = (address, address.replace("http", "ws"), "blob:", "data:")
        context.route(lambda url: not url.startswith(home), lambda route: route.abort())
        stage = Stage(context.new_page(), host=SHOWN, kind="lab", home=address)

        def frame(content: str | bytes) -> None:
            text = content if isinstance(content, str) else content.decode("utf-8", "replace")
            if '"comm_msg"' in text and '"method":"update"' in text:  # the manager's own questions are not ours
                stage.sent.append(text)

        stage.page.on("websocket", lambda socket: socket.on("framesent", frame))
        open_notebook(stage.page, address, token)
        listen(stage)
        run_cell(stage.page)
        stage.page.wait_for_function(f"{SHOWN}?.gramviz", timeout=PATIENCE)
        stage.opened()
        yield stage
        context.close()


@pytest.fixture(scope="module")
def frozen(chromium: Any, folder: Path, payload: Payload) -> Iterator[Stage]:
    """The frozen page with every request refused, so wide that the widget is as it is in JupyterLab."""
    html = freeze(payload)
    assert html.count(SAVED) == 1
    (folder / "page.html").write_text(html.replace(SAVED, f"{SAVED} window.saves = (window.saves ?? 0) + 1;"))
    context = chromium.new_context(viewport={"width": WIDE, "height": TALL})
    stage = Stage(watch(context).page, kind="frozen")
    listen(stage)
    stage.page.goto((folder / "page.html").as_uri())
    stage.opened()
    yield stage
    context.close()


@pytest.fixture(scope="module", params=STAGES)
def hall(request: pytest.FixtureRequest) -> Stage:
    """A stage with its lights set; the tests of one stage are run together."""
    kind, theme = request.param.split("-")
    stage: Stage = request.getfixturevalue(kind)
    stage.theme = theme
    if kind == "frozen":
        stage.page.emulate_media(color_scheme=theme)
    else:
        change = f"jupyterapp.commands.execute('apputils:change-theme', {{ theme: '{THEMES[theme]}' }})"
        stage.page.evaluate(f"{change}.then(() => true)")
    stage.until(f"{stage.host}.dataset.gvTheme === '{theme}'")
    return stage


@pytest.fixture
def stage(hall: Stage) -> Iterator[Stage]:
    """The stage at its opening view; afterwards nothing may have been asked of others, nor complained."""
    hall.calm()
    yield hall
    hall.settle()
    own = (hall.home, "blob:", "data:", "about:")
    assert [url for url in hall.requests if not url.startswith(own)] == []
    assert hall.problems == []


# ------------------------------------------------------------------------------------------------------------- opening
def test_01_shows_itself_and_asks_for_nothing(stage: Stage) -> None:
    region = stage.page.get_by_role("region", name="Explorer: ")
    assert region.count() == 1
    assert region.is_visible()
    assert stage.page.evaluate(f"{stage.host}.dataset.gvTheme") == stage.theme
    assert stage.problems == []  # what it asked for is looked at after each test


def test_07_first_picture(stage: Stage, payload: Payload) -> None:
    assert stage.state["cursor"] == moment(32)
    assert stage.state["pinned"] == ["A", 0]
    right = int((payload.array("outcome", "B") == 1).sum())
    assert f"{right} of 50 correct" in stage.text()
    assert "transition 32 of 32" in stage.text()
    assert stage.page.evaluate(f"{stage.store}.transient.playing") is False
    for selector in CANVASES.values():
        assert colours_of(stage, selector) > 3, selector


def colours_of(shown: Shown, selector: str) -> int:
    """How many colours a canvas shows; a blank one has one."""
    return shown.page.locator(selector).first.evaluate(
        "canvas => new Set(new Uint32Array("
        "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"
    )


# What has no colour and takes a loaded machine many seconds: once in each host, once in each theme.
ONCE = pytest.mark.parametrize("hall", ["frozen-light", "lab-dark"], indirect=True)


# -------------------------------------------------------------------------------------------------------- what is told
@ONCE
def test_03_playing_tells_nothing_and_pausing_once(stage: Stage) -> None:
    stage.calm(speed=4, cursor=moment(0))
    before = stage.quiet()
    stage.page.get_by_role("button", name="Play", exact=True).click()
    stage.until(f"{stage.store}.state.cursor.step >= 3")
    assert stage.told() == before
    stage.page.get_by_role("button", name="Pause", exact=True).click()
    stage.tells_once(before)
    assert stage.kind == "frozen" or '"cursor"' in stage.sent[-1]


@ONCE
def test_04_scrubbing_and_pointing_tell_nothing_until_release(stage: Stage) -> None:
    before = stage.quiet()
    cells = [stage.cell(k % 64) for k in range(100)]
    for cell in cells:
        stage.page.mouse.move(*cell)
    ruler = stage.page.locator("[data-part=ruler] canvas").bounding_box()
    stage.page.mouse.move(*inner(ruler, 0.95, 0.6))
    stage.page.mouse.down()
    for k in range(60):
        stage.page.mouse.move(*inner(ruler, 0.95 - 0.01 * k, 0.6))
    stage.page.wait_for_timeout(250)
    assert stage.told() == before
    stage.page.mouse.up()
    stage.tells_once(before)
    assert stage.state["cursor"] == moment(round((0.95 - 0.01 * 59) * 32))


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
    ("1-9, 0", None, {}, "1", {"token": 2}),
    ("1-9, 0", None, {"token": 2}, "0", {"token": None}),
    ("Q / Shift+Q", None, {}, "q", {"color_by": "answer"}),
    ("Q / Shift+Q", None, {"color_by": "answer"}, "Shift+Q", {"color_by": "outcome"}),
    ("G, O", None, {}, "g", {"layers": ["halo", "labels"]}),
    ("G, O", None, {}, "o", {"dims": 3, "turn": ANY}),
    ("I", None, {}, "i", {"says": "Only Sudoku has rules that this explains."}),
    ("Shift+W", None, {}, "Shift+W", {"tree": True}),
    ("Z, + / −", None, {}, "+", {"camera": ANY}),
    ("Z, + / −", None, {}, "-", {"camera": ANY}),
    ("Z, + / −", None, {"camera": {"x": 0.1, "y": 0, "k": 2}}, "z", {"camera": None}),
    ("Arrows", "board", {"cells": [9]}, "ArrowRight", {"cells": [10]}),
    ("Arrows", "board", {"cells": [9]}, "ArrowDown", {"cells": [17]}),
    ("Arrows", "board", {"cells": [9]}, "Control+ArrowLeft", {"cells": [9, 8]}),
    ("Arrows", "map", {}, "ArrowUp", {"focus": ANY}),
    ("Arrows", "marks", {}, "ArrowLeft", {"focus": ANY}),
    ("Drag map in 3-D, Shift+arrows", "map", {"dims": 3, "turn": [32, 18]}, "Shift+ArrowRight", {"turn": [42, 18]}),
    ("Enter, Ctrl+Enter", "map", {"selected": {"B": [3]}}, "Enter", {"selected": {"B": [18]}}),
    ("Enter, Ctrl+Enter", "map", {"selected": {"B": [3]}}, "Control+Enter", {"selected": {"B": [3, 18]}}),
    ("Ctrl+A", None, {}, "Control+a", {"selected": {"A": [0], "B": list(range(50))}}),
    ("Esc", None, {"cells": [3]}, "Escape", {"cells": []}),
    ("Esc", None, {"selected": {"B": [3, 4]}, "board": "all"}, "Escape", {"selected": {}, "board": "focus"}),
    ("Esc", None, {"token": 2}, "Escape", {"token": None}),
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
POINTER = {"Drag time", "Drag map or lane"}  # rows of the same table for who has a mouse

SEEN = """host => {
  const { state, transient: { playing, open, presenter } } = host.gramviz, root = host.shadowRoot;
  return { ...state, playing, open, presenter, copied: window.copied ?? "",
    says: root.querySelector("[data-part=details]").textContent,
    spoken: root.querySelector("[role=status][aria-live]").textContent };
}"""


def wanted_moments(rollouts: dict[str, Any]) -> dict[str, int]:
    """The moments to jump to, as numpy and gramviz.measure have them of the same rollout."""
    a, b = (measure.ends(rollouts[letter]) for letter in "AB")
    changes = np.flatnonzero((b["tokens"][0, FOCUS[1]].diff("step") != 0).any("position")) + 1
    parting = measure.parting(a, 0, b, FOCUS[1])
    assert parting is not None
    at = {int(step): index for index, step in enumerate(b["step"])}  # among all that was recorded -> among transitions
    return {
        "next change": int(changes[changes > MOMENT][0]),
        "previous change": int(changes[changes < MOMENT][-1]),
        "first correct": at[int(measure.first_correct(b)[0, FOCUS[1]])],
        "halt": at[int(measure.halted(b)[0, FOCUS[1]])],
        "parting": parting.index,
    }


@ONCE
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


@ONCE
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
    """By buttons; the keys stand in the table of behaviour 8."""
    buttons = {
        "Next change": "next change", "First correct": "first correct", "Halt": "halt", "Where paths part": "parting"
    }  # fmt: skip
    moments = wanted_moments(rollouts)
    for label, name in buttons.items():
        stage.calm(focus=FOCUS, cursor=moment(MOMENT))
        stage.page.get_by_role("button", name=label, exact=True).click()
        assert stage.state["cursor"] == moment(moments[name]), label
    parting = measure.parting(rollouts["A"], 0, rollouts["B"], FOCUS[1])
    assert parting is not None
    stage.drawn()
    row, column = divmod(parting.position, 8)
    assert f"row {row + 1}, column {column + 1}" in stage.part("details").inner_text()


# ----------------------------------------------------------------------------------------------- pointing and choosing
def heads_drawn(log: list[dict[str, Any]]) -> Counter[tuple[int, int, float]]:
    """The heads of the cloud as they were drawn last: place in pixels and strength."""
    found: Counter[tuple[int, int, float]] = Counter()
    for one in log:
        if one["layer"] != "top" or one["kind"] == "text":
            continue
        at = None
        if len(one["arcs"]) == 1 and min(abs(one["arcs"][0][2] - r) for r in (3.4, 3.4 * 0.85)) < 1e-6:
            at = one["arcs"][0][:2]  # a dot or a ring
        elif len(one["moves"]) == one["lines"] == 2 and one["kind"] == "stroke" and not one["arcs"]:
            (a, b), (c, d) = one["moves"]  # a cross: two strokes, begun at its two upper corners
            if abs(b - d) < 1e-6 and abs(c - a - 2 * 0.8 * 3.4) < 1e-6:
                at = ((a + c) / 2, b + 0.8 * 3.4)
        if at:
            found[round(at[0]), round(at[1]), round(one["alpha"], 3)] += 1
    return found


def test_11_pointing_at_a_cell_divides_the_paths(stage: Stage, payload: Payload) -> None:
    stage.calm(focus=FOCUS, cursor=moment(MOMENT))
    tokens = {letter: payload.array("tokens", letter)[:, MOMENT] for letter in "AB"}
    mine = tokens["B"][FOCUS[1]]
    cell = int(np.argmin(np.abs((tokens["B"] == mine).mean(0) - 0.5)))
    same = {letter: tokens[letter][:, cell] == mine[cell] for letter in "AB"}
    with stage.recording() as drawn:
        stage.page.mouse.move(*stage.cell(cell))
        stage.drawn()
        log, heads = drawn(), stage.heads()
        assert heads_drawn(log) == Counter(
            (*map(round, head["at"]), 1.0 if same[head["run"]][head["path"]] else 0.3) for head in heads
        )
        for layer, full in [("past", 0.6), ("base", 0.26)]:
            lines = {round(one["alpha"], 3) for one in log if one["layer"] == layer and one.get("lines", 0) > 99}
            assert lines - {1} == {full, round(0.3 * full, 3)}, layer  # 1: the lines of the landscape
        row, column = divmod(cell, 8)
        assert f"row {row + 1}, column {column + 1}" in stage.part("details").inner_text()
        stage.page.mouse.move(0, 0)
        stage.drawn()  # two frames: sooner than 200 ms
        assert heads_drawn(drawn()) == Counter((*map(round, head["at"]), 1.0) for head in heads)
    assert all(head["emphasis"] == 3 for head in stage.heads())


SNAPSHOT = """({ host, lane }) => {
  const part = (selector) => host.shadowRoot.querySelector(selector);
  return { focus: host.gramviz.state.focus, tab: part(".board [aria-selected=true]").textContent,
    details: part("[data-part=details]").textContent, lane: part(lane).toDataURL() };
}"""


def test_12_clicking_a_head_moves_everything_in_one_frame(stage: Stage) -> None:
    heads = stage.heads()
    other = next(head for head in heads if head["run"] == "B" and head["path"] != stage.state["focus"][1] and
                 all(one["path"] >= head["path"] or np.hypot(*np.subtract(one["at"], head["at"])) > 1
                     for one in heads if one is not head))  # fmt: skip
    before = stage.state
    given = f"{{ host: {stage.host}, lane: '{CANVASES['lane']}' }}"
    first = stage.page.evaluate(f"({SNAPSHOT})({given})")
    stage.page.evaluate(
        f"{stage.store}.listen(keys => keys.includes('focus') && "
        f"requestAnimationFrame(() => {{ window.frame_ ??= ({SNAPSHOT})({given}); }})); window.frame_ = null"
    )
    stage.page.mouse.click(*stage.at(other))
    stage.until("Boolean(frame_)")
    seen = stage.page.evaluate("frame_")
    name = f"B #{other['path']}"
    assert seen["focus"] == ["B", other["path"]]
    assert seen["tab"] == name
    assert seen["details"].startswith(f"{name}, step 16.2")
    assert first["details"].split(":")[0] != seen["details"].split(":")[0]
    assert first["lane"] != seen["lane"]
    assert stage.state == before | {"focus": ["B", other["path"]]}


@pytest.mark.parametrize("button", [True, False], ids=["lasso-button", "shift-drag"])
def test_13_lasso_chooses_adds_and_removes(stage: Stage, payload: Payload, button: bool) -> None:
    box, heads = stage.box("map"), stage.heads()
    middle = float(np.median([head["at"][1] for head in heads])) - 3

    def lasso(top: float, bottom: float, keys: tuple[str, ...] = ()) -> None:
        if button:
            stage.page.get_by_role("button", name="Lasso").click()
        corners = [(4, top), (box["width"] - 4, top), (box["width"] - 4, bottom), (4, bottom)]
        drag(stage.page, *[(box["x"] + x, box["y"] + y) for x, y in corners],
             keys=keys if button else (*keys, "Shift"))  # fmt: skip
        stage.drawn()

    def within(top: float, bottom: float) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for head in heads:
            if top < head["at"][1] < bottom:
                found.setdefault(head["run"], []).append(head["path"])
        return found

    lasso(2, middle)
    chosen = within(2, middle)
    many = sum(map(len, chosen.values()))
    assert 1 < many < 50
    assert stage.state["selected"] == chosen
    assert stage.state["board"] == "all"
    assert f"All {many}" in stage.text()
    assert f"{many} paths" in stage.part("details").inner_text()
    lasso(middle, box["height"] - 20, keys=("Control",))
    everyone = within(2, box["height"] - 20)
    assert stage.state["selected"] == everyone
    lasso(2, middle, keys=("Alt",))
    rest = {letter: sorted(set(paths) - set(chosen.get(letter, []))) for letter, paths in everyone.items()}
    assert stage.state["selected"] == {letter: paths for letter, paths in rest.items() if paths}
    stage.focus()
    stage.press("Escape")
    assert stage.state["selected"] == {}


def test_13_the_board_of_a_selection_counts_as_numpy_does(stage: Stage, payload: Payload) -> None:
    chosen = [1, 4, 9, 30]
    stage.calm(selected={"B": chosen}, board="all", cursor=moment(8))
    tokens = payload.array("tokens", "B")[chosen, 8]
    cell = int(np.argmax((tokens == 2).mean(0)))
    stage.page.mouse.move(*stage.cell(cell))
    stage.drawn()
    said = stage.part("details").inner_text()
    labels = [token["label"] for token in payload.meta["board"]["tokens"]]
    for token, count in zip(*np.unique(tokens[:, cell], return_counts=True), strict=True):
        assert f"{labels[token]} in {count} of 4" in said


def test_14_a_box_in_a_lane_chooses_the_paths_through_it(stage: Stage, payload: Payload) -> None:
    box = stage.page.locator(CANVASES["lane"]).bounding_box()
    drag(stage.page, inner(box, 0.3, 0.3), inner(box, 0.34, 0.7), keys=("Shift",))
    brush = stage.state["brush"]
    assert brush["kind"] == "box"
    for letter in "AB":
        values = payload.values("curve_conflicts", letter)
        at = np.arange(values.shape[1]) / 32
        columns = (at >= brush["x"][0]) & (at <= brush["x"][1])
        inside = (np.rint(values) >= brush["y"][0] - 1e-6) & (np.rint(values) <= brush["y"][1] + 1e-6)
        assert stage.state["selected"].get(letter, []) == np.flatnonzero((inside & columns).any(1)).tolist()
    assert 1 < len(stage.state["selected"]["B"]) < 50


def test_15_answers_sum_keep_their_letters_and_agree_at_the_end(stage: Stage) -> None:
    script = f"""[...{stage.root}.querySelectorAll('.row')].map(row => [row.querySelector('b').textContent,
      row.querySelector('.label').textContent, Number(row.querySelector('.count').textContent)])"""
    rows = lambda: [tuple(row) for row in stage.page.evaluate(script)]  # noqa: E731
    final = rows()
    letters = {letter: label for letter, label, _ in final if letter}
    assert sum(count for *_, count in final) == 50
    stage.set(answers_at="cursor")
    assert rows() == final
    for step in (24, 14, 11, 0):
        stage.set(cursor=moment(step))
        now = rows()
        assert sum(count for *_, count in now) == 50
        assert all(letters[letter] == label for letter, label, _ in now if letter in letters)
    assert [label for _, label, _ in now] == ["on the way"]


def test_16_two_checkpoints_share_answers_and_split_h(stage: Stage, payload: Payload) -> None:
    assert stage.state["basis"] == "answers"
    assert "one basis for A and B" in stage.text()
    places: dict[tuple[int, ...], set[tuple[float, ...]]] = {}
    for head in stage.heads():
        answer = payload.array("tokens", head["run"])[head["path"], -1]
        places.setdefault(tuple(answer.tolist()), set()).add(tuple(round(v) for v in head["at"]))
    assert len(places) > 3
    assert {head["run"] for head in stage.heads()} == {"A", "B"}
    stage.set(basis="h")
    assert "one plane per run" in stage.text()
    half = stage.box("map")["width"] / 2
    assert all((head["at"][0] < half) == (head["run"] == "A") for head in stage.heads())


def test_16_differences_are_counted_and_the_pinned_path_is_ink(stage: Stage, payload: Payload) -> None:
    stage.set(board="differ")
    letter, path = stage.state["focus"]
    count = int((payload.array("tokens", "A")[0, -1] != payload.array("tokens", letter)[path, -1]).sum())
    assert f"differ in {count} cells" in stage.text()


def test_17_halos_say_how_much_lies_outside(stage: Stage, payload: Payload) -> None:
    plane = next(basis["plane"] for basis in payload.meta["bases"] if basis["name"] == "answers")
    assert plane < 0.8
    with stage.recording() as drawn:
        stage.set(layers=[], cursor=moment(MOMENT))
        halos = [one for one in drawn() if one["layer"] == "top" and abs(one["alpha"] - 0.16) < 1e-6]
    found = sorted(round(arc[2], 3) for one in halos for arc in one["arcs"])
    outside = np.concatenate([payload.array("outside_answers", letter)[:, MOMENT] for letter in "AB"]) / 255
    assert found == pytest.approx(sorted(3 + 12 * np.sqrt(outside.astype(float))), abs=2e-3)
    assert np.ptp(found) > 1, "the radii differ, so the formula is seen"
    assert f"In this plane {100 * plane:.1f} %" in stage.text()
    stage.page.locator("[data-menu=view] > button").click()
    halos = stage.page.get_by_role("menuitemcheckbox", name="Halos")
    assert halos.is_disabled()
    assert halos.get_attribute("aria-checked") == "true"


def test_17_axes_show_the_share_that_measure_has(stage: Stage, payload: Payload, rollouts: dict[str, Any]) -> None:
    projection = measure.project([measure.ends(data) for data in rollouts.values()], "answers")
    with stage.recording() as drawn:
        stage.set(layers=["labels"])
        texts = [one["text"] for one in drawn() if one["layer"] == "base" and one["kind"] == "text"]
    assert f"PC 1   {100 * projection.variance[0]:.1f} % of variance" in texts
    assert f"PC 2   {100 * projection.variance[1]:.1f} %" in texts


def test_18_landscape_is_blank_where_none_came_near(stage: Stage, payload: Payload) -> None:
    assert "between recorded states; blank where none came near" in stage.text()
    land = next(basis["landscape"] for basis in payload.meta["bases"] if basis["name"] == "answers")
    shade, (low, high) = payload.array("landscape_answers"), (np.array(land["low"]), np.array(land["high"]))
    # Where the map puts a point: from the heads, whose coordinates the payload has.
    heads = [head for head in stage.heads() if head["run"] == "B"]
    known = payload.values("map_answers", "B")[[head["path"] for head in heads], -1, :2]
    at = np.array([head["at"] for head in heads])
    fit = [np.polyfit(known[:, axis], at[:, axis], 1) for axis in (0, 1)]
    rows, columns = np.mgrid[: shade.shape[0], : shade.shape[1]]
    points = [
        np.polyval(fit[axis], low[axis] + (cells + 0.5) / cells.shape[1 - axis] * (high[axis] - low[axis]))
        for axis, cells in ((0, columns), (1, rows))
    ]
    stage.set(layers=["landscape"])
    with_land = pixels(stage, points)
    stage.set(layers=[])
    without = pixels(stage, points)
    box = stage.box("map")
    inside = (points[0] > 4) & (points[0] < box["width"] - 4) & (points[1] > 4) & (points[1] < box["height"] - 24)
    differs = (with_land != without).any(-1)
    assert not differs[inside & (shade == 255)].any()
    # Of the shades one is as the ground, and a line of the drawing may lie over a point.
    assert differs[inside & (shade < 255)].mean() > 0.5
    assert inside[shade < 255].all()
    stage.set(layers=["landscape"], basis="steps")
    assert "No landscape for this plane." in stage.text()
    stage.set(basis="answers", dims=3)
    assert "No landscape in 3-D." in stage.text()


def pixels(stage: Stage, points: list[np.ndarray]) -> np.ndarray:
    """The colours of the map's lowest layer at places in CSS pixels [..., 4]."""
    found = stage.page.locator("[data-layer=base]").evaluate(
        """(canvas, [xs, ys]) => {
          const ratio = canvas.width / canvas.clientWidth;
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return xs.map((x, k) => {
            const at = 4 * (Math.round(ys[k] * ratio) * canvas.width + Math.round(x * ratio));
            return [...data.slice(at, at + 4)];
          });
        }""",
        [points[0].ravel().tolist(), points[1].ravel().tolist()],
    )
    return np.array([one or [0] * 4 for one in found]).reshape(*points[0].shape, 4)


def test_28_names_and_roles_are_spoken(stage: Stage, payload: Payload) -> None:
    page = stage.page
    region = re.compile("Explorer: 8 queens puzzle 1, A TRM 1 path, B GRAM 50 paths")
    assert page.get_by_role("region", name=region).count() == 1
    slider = page.get_by_role("slider", name="Supervision step")
    assert slider.get_attribute("aria-valuetext").startswith("Step 16.2, transition 32 of 32")
    assert page.locator("[role=gridcell]").count() == 64
    assert "of the variance is in this plane" in stage.part("map").get_attribute("aria-label")
    before = stage.quiet()
    stage.focus()
    stage.press("Home")
    stage.tells_once(before)
    given = int(np.flatnonzero(np.array(payload.meta["x"]) == 2)[0])
    row, column = divmod(given, 8)
    said = page.locator(f"#cell{given}").text_content()
    assert said.startswith(f"row {row + 1}, column {column + 1}, queen, given")
    spoken = page.evaluate(f"{stage.root}.querySelector('[role=status][aria-live]').textContent")
    assert "init" in spoken
    assert spoken == stage.part("details").text_content()


# -------------------------------------------------------------------------------------------------------- what it looks
TEXTS = """host => {
  const root = host.shadowRoot.querySelector(".gv"), walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, holder = node.parentElement, style = getComputedStyle(holder);
    if (!node.data.trim() || holder.closest(".away, .over, .sheet") || style.visibility === "hidden") continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects())
      if (box.width > 1 && box.height > 1) found.push({ text: node.data.trim(), size: parseFloat(style.fontSize),
        cut: style.overflow === "hidden", box: [[box.left, box.top], [box.right, box.bottom]] });
  }
  return { found, scroll: [document.documentElement.scrollWidth - innerWidth, root.scrollWidth - root.clientWidth] };
}"""


def collisions(texts: list[dict[str, Any]], across: float = 2, down: float = 3) -> list[tuple[str, str]]:
    """Texts whose boxes overlap by more than the free room in a box: pixels across, and of the line's height."""
    found = []
    for index, one in enumerate(texts):
        for other in texts[index + 1 :]:
            (left, top), (right, bottom) = one["box"]
            (a, b), (c, d) = other["box"]
            if left < c - across and a < right - across and top < d - down and b < bottom - down:
                found.append((one["text"], other["text"]))
    return found


@pytest.mark.parametrize("width", [1200, 800, 480, 340])
def test_05_every_width_is_legible(stage: Stage, width: int) -> None:
    with stage.recording() as drawn:
        stage.resize(width)
        stage.until(f"Math.abs({stage.root}.getBoundingClientRect().width - {width}) < 20")
        stage.until(f"{stage.root}.classList.contains('{layout_of(width)}')")
        drawn()
        stage.page.evaluate(f"{stage.store}.set({{ theme: '{stage.theme}' }})")  # everything is drawn anew
        stage.drawn()
        painted = [one for one in drawn() if one["kind"] == "text"]
    seen = stage.page.evaluate(f"({TEXTS})({stage.host})")
    assert max(seen["scroll"]) <= 0
    assert [one["text"] for one in seen["found"] if one["size"] < 11] == []
    assert collisions([one for one in seen["found"] if not one["cut"]]) == []
    assert painted, "the canvases have texts of their own"
    assert [one["text"] for one in painted if one["size"] < 11] == []
    for layer in {one["layer"] for one in painted}:
        assert collisions([one for one in painted if one["layer"] == layer], 1, 1) == [], layer


def layout_of(width: int) -> str:
    """The layout that the specification has at a width."""
    return "wide" if width >= 960 else "medium" if width >= 640 else "narrow" if width >= 360 else "tiny"


def test_06_resizing_quickly_ends_in_the_last_layout(stage: Stage) -> None:
    page = stage.page
    page.evaluate("() => { window.faults = []; onerror = (said) => { faults.push(said); return true; }; }")
    # A loop is a complaint of the window's, that no console shows: first, that it would be heard.
    page.evaluate(
        """() => {
          const box = document.body.appendChild(document.createElement("div"));
          box.style.width = "10px";
          const loop = new ResizeObserver(() => { box.style.width = `${box.offsetWidth + 1}px`; });
          loop.observe(box);
          return new Promise((done) => setTimeout(() => { loop.disconnect(); box.remove(); done(); }, 200));
        }"""
    )
    assert any("ResizeObserver loop" in said for said in page.evaluate("faults.splice(0)"))
    for width in (1200, 480, 1200, 700, 340, 1200):
        stage.resize(width)
    stage.until(f"{stage.root}.className === 'gv wide'")
    stage.drawn()
    board, map_, answers = (
        stage.page.locator(f"section.{name}").bounding_box() for name in ("board", "map", "answers")
    )
    assert board["x"] + board["width"] <= map_["x"] + 1
    assert map_["x"] + map_["width"] <= answers["x"] + 1
    assert page.evaluate("faults") == []


CONTRAST = """host => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (text) => {  // whatever the notation, system colours too
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, k) => part * a + under[k] * (1 - a));
  const parent = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host;
  const ground = (node) => {
    if (!node) return [255, 255, 255];
    const own = rgba(getComputedStyle(node).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(parent(node)));
  };
  const opacity = (node) => node ? Number(getComputedStyle(node).opacity) * opacity(parent(node)) : 1;
  const luminance = (colour) => colour
    .map((part) => part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, k) => sum + part * [0.2126, 0.7152, 0.0722][k], 0);
  const contrast = (text, node, behind = node) => {
    const under = ground(behind), colour = rgba(text);
    colour[3] *= opacity(node);
    const [high, low] = [luminance(over(colour, under)), luminance(under)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const root = host.shadowRoot.querySelector(".gv"), found = [];
  const note = (kind, node, ratio, least) => {
    if (ratio < least) found.push([kind, node.textContent.trim().slice(0, 40) || node.className, ratio.toFixed(2)]);
  };
  const seen = (node) => !node.closest(".away, :disabled") && getComputedStyle(node).visibility === "visible"
    && node.getBoundingClientRect().width > 1;
  let texts = 0, marks = 0;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const holder = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !seen(holder)) continue;
    texts += 1;
    note("text", holder, contrast(getComputedStyle(holder).color, holder), 4.5);
  }
  for (const mark of root.querySelectorAll("svg.mark, button > svg")) {
    if (!seen(mark)) continue;
    marks += 1;
    note("mark", mark.parentElement, contrast(getComputedStyle(mark).color, mark), 3);
  }
  for (const bar of root.querySelectorAll(".bars i, .meter i, .playhead")) {
    const style = getComputedStyle(bar);
    const colour = bar.matches(".playhead") ? style.borderLeftColor : style.backgroundColor;
    note("bar", bar, contrast(colour, bar, bar.parentElement), 3);
  }
  for (const control of root.querySelectorAll("button, input, [role=slider]")) {
    const style = getComputedStyle(control);
    if (!seen(control) || !parseFloat(style.borderTopWidth) || rgba(style.borderTopColor)[3] < 1) continue;
    const edges = [style.borderTopColor, style.backgroundColor];
    note("control", control, Math.max(...edges.map((colour) => contrast(colour, control, parent(control)))), 3);
  }
  // What canvases are drawn with, on both of their grounds.
  const given = (name) => root.style.getPropertyValue(`--${name}`);
  for (const ink of ["ink", "ink2", "ink3", "right", "wrong", "green", "pink", "gold", "other", "edge"])
    for (const under of ["bg", "sunk"]) {
      const pair = [ink, under].map((name) => luminance(rgba(given(name)).slice(0, 3))).sort((a, b) => b - a);
      const ratio = (pair[0] + 0.05) / (pair[1] + 0.05), least = ink.startsWith("ink") ? 4.5 : 3;
      if (ratio < least) found.push(["canvas", `${ink} on ${under}`, ratio.toFixed(2)]);
    }
  return { found, texts, marks };
}"""


def contrasts(stage: Stage) -> list[Any]:
    """What cannot be seen well enough, in the opening view, with a choice made, and in every sheet."""
    found: list[Any] = []
    views = [({}, None), ({"selected": {"B": [3, 12]}, "cells": [9], "hidden": ["A"]}, None)]
    views += [({}, sheet) for sheet in ("view", "export", "colour", "keys", "table")]
    for state, sheet in views:
        stage.calm(**state)
        stage.page.evaluate(f"open => {stage.store}.poke({{ open }})", sheet)
        stage.drawn()
        seen = stage.page.evaluate(f"({CONTRAST})({stage.host})")
        assert seen["texts"] > 60
        assert seen["marks"] > 50
        found += [fault for fault in seen["found"] if fault not in found]
    return found


def test_27_every_text_and_mark_is_seen(stage: Stage) -> None:
    assert contrasts(stage) == []


def test_27_every_text_and_mark_is_seen_in_forced_colours(stage: Stage) -> None:
    stage.page.emulate_media(forced_colors="active")
    try:
        # The colours below ours are the reader's: a dark notebook does not make them dark.
        dark = stage.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        stage.until(f"{stage.host}.dataset.gvTheme === '{'dark' if dark else 'light'}'")
        assert stage.page.evaluate("matchMedia('(forced-colors: active)').matches")
        assert contrasts(stage) == []
    finally:
        stage.page.emulate_media(forced_colors="none")
        stage.until(f"{stage.host}.dataset.gvTheme === '{stage.theme}'")


def test_27_without_colour_the_shapes_tell_the_outcomes_apart(stage: Stage, payload: Payload) -> None:
    stage.calm(pinned=None)
    marks = stage.page.locator("[data-part=marks]")
    box = marks.bounding_box()
    grey = np.asarray(Image.open(io.BytesIO(marks.screenshot())).convert("L"), float)
    outcomes = {"A": payload.array("outcome", "A"), "B": payload.array("outcome", "B")}
    places = stage.page.evaluate(
        f"""[...{stage.root}.querySelectorAll('[data-path]')].map(cell => {{
          const {{ x, y }} = cell.querySelector('svg').getBoundingClientRect();
          return [cell.dataset.path, x, y, cell.className];
        }})"""
    )
    shapes: dict[int, list[np.ndarray]] = {}
    for path, x, y, kind in places:
        letter, number = path.split()
        cut = np.s_[round(y - box["y"]) :, round(x - box["x"]) :]
        mark = np.abs(grey[cut][:12, :12] - np.median(grey))
        if not kind:  # neither focused nor pinned: those have a frame
            shapes.setdefault(int(outcomes[letter][int(number)]), []).append(mark / mark.max())
    assert set(shapes) == {0, 1, 2}
    means = {outcome: np.mean(found, 0) for outcome, found in shapes.items()}
    for outcome, found in shapes.items():
        for mark in found:
            away = {other: float(np.abs(mark - mean).mean()) for other, mean in means.items()}
            assert min(away, key=away.get) == outcome  # type: ignore[arg-type]
    assert min(np.abs(means[a] - means[b]).mean() for a, b in combinations(means, 2)) > 0.1


# ---------------------------------------------------------------------------------------------------- large and small
def arc30() -> Any:
    """ARC on its largest canvas."""
    import arc_pairs

    return arc_pairs.make(arc_pairs.task(canvas=30), paths=2, steps=3)


def graph10() -> Any:
    """A graph of ten nodes."""
    import colourings

    return colourings.make(10, (0,), paths=4)


EXTREMES: dict[str, Callable[[], Any]] = {
    "500 paths": lambda: random_walks(500),
    "320 transitions": lambda: synthetic.sudoku(3, supervision_steps=160, transitions=2),
    "one path, one step, 4x4": lambda: synthetic.sudoku(1).isel(step=[0]),
    "ARC 30x30": arc30,
    "graph of 10": graph10,
    "image 28x28": lambda: synthetic.image(size=28),
}


@pytest.mark.parametrize("kind", EXTREMES)
def test_20_large_and_small_are_drawn(show: Callable[..., Shown], kind: str) -> None:
    shown = show(freeze(EXTREMES[kind]()))
    last = shown.state["cursor"]["step"]
    for theme in ("light", "dark"):
        for step in sorted({0, last // 2, last}):
            shown.set(theme=theme, cursor=moment(step))
            for selector in (CANVASES["board"], CANVASES["map"], "[data-lane]", "[data-part=ruler] canvas"):
                if shown.page.locator(selector).count() and (step or selector == CANVASES["board"]):
                    assert colours_of(shown, selector) > 1, (theme, step, selector)
    assert "This part failed" not in shown.text()


@ONCE
def test_21_at_rest_nothing_is_drawn(stage: Stage) -> None:
    stage.quiet()
    with stage.recording() as drawn:
        stage.page.wait_for_timeout(2000)
        assert drawn() == []
        stage.focus()
        stage.press("j")
        stage.drawn()
        assert drawn() != [], "the record would have it"


@pytest.mark.slow  # 300 frames, which a loaded machine draws in half a minute
def test_21_playing_does_not_fill_the_memory(frozen: Stage) -> None:
    session = frozen.page.context.new_cdp_session(frozen.page)

    def heap() -> int:
        session.send("HeapProfiler.collectGarbage")
        return int(session.send("Runtime.getHeapUsage")["usedSize"])

    def play(frames: int) -> None:
        until = frozen.page.evaluate("frames_") + frames
        frozen.page.evaluate(f"{frozen.root}.querySelector('.play').click()")
        frozen.until(f"frames_ >= {until}", 240)
        frozen.page.evaluate(f"{frozen.root}.querySelector('.play').click()")
        frozen.quiet()

    frozen.calm(loop=True, speed=4)
    play(30)  # what is made once is made now
    before = heap()
    play(300)
    assert heap() - before < 1_000_000


# ---------------------------------------------------------------------------------------------------- the kernel's own
@pytest.mark.parametrize("hall", ["lab-light", "lab-dark"], indirect=True)
def test_24_python_moves_the_view_and_hears_nothing_back(stage: Stage) -> None:
    stage.set(board="all")
    before = stage.quiet()
    run_cell(stage.page, 1)
    stage.page.wait_for_selector("text=heard all", timeout=PATIENCE)
    stage.until(f"{stage.store}.state.color_by === 'run'")
    assert stage.state["cursor"] == moment(3)
    assert stage.quiet() == before
