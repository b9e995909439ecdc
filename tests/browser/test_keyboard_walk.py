"""Every feature of the explorer by keys alone, on a page that counts pointer events: a story, then what it left out.

Controls are read from the page, not from a list: whatever shows itself during the walk must have had the focus in it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import synthetic
from stages import ShownPage, watch

from gramviz.explorer.freeze import freeze
from gramviz.explorer.pack import pack
from gramviz.explorer.payload import Payload
from gramviz.explorer.widget import Explorer

LESSON = """
lesson: 1
title: By hand
chapters:
  - {at: init, say: Both start here.}
  - quiz: Which cell changes next?
    kind: cell
    at: "1.1"
    until: "1.2"
    answer: [r1c1]
  - quiz: How does A end?
    kind: choice
    until: "6.2"
    choices: [right, wrong]
    answer: 2
  - {at: "2.1", say: It goes on., play: {to: "3.1", speed: 16}}
"""

# What a person without a pointer must be able to come to. Nodes that only a pointer is listened for count as well.
CONTROLS = (
    "button, input, select, textarea, a[href], summary, [tabindex], [contenteditable], [role=button], [role=link], "
    "[role=slider], [role=tab], [role^=menuitem], [role=option], [role=gridcell], [role=checkbox], [role=switch], "
    "[role=radio], [role=treeitem], [role=spinbutton]"
)
# A lane of curves is the one thing that only a pointer can press: the ruler scrubs the same time, Ctrl+Enter chooses
# the same trajectories, and View makes the lanes high.
POINTER_ONLY = "[data-lane]"
START = f"""
window.pointed = []; // a headless browser may have a pointer of its own, which rests at 0, 0
const kinds = "pointerdown pointermove pointerup mousedown mousemove dblclick wheel touchstart";
const press = ({{ type, clientX, clientY }}) => clientX === 0 && clientY === 0 || pointed.push(type);
for (const kind of kinds.split(" ")) addEventListener(kind, press, {{ capture: true, passive: true }});
addEventListener("click", (event) => event.detail && pointed.push("click"), true);
window.pressable = new Set();
const listen = EventTarget.prototype.addEventListener;
EventTarget.prototype.addEventListener = function (kind, ...given) {{
  if (this instanceof Element && ["click", "dblclick", "pointerdown", "mousedown"].includes(kind)) pressable.add(this);
  return listen.call(this, kind, ...given);
}};
navigator.clipboard.writeText = (text) =>
  window.refuses ? Promise.reject(new Error("refused")) : Promise.resolve(void (window.copied = text));
window.survey = (host) => {{
  const shadow = host.shadowRoot, root = shadow.querySelector(".gv");
  const seen = (node) => node.checkVisibility({{ visibilityProperty: true }}) && !node.closest("[inert], :disabled");
  const called = (node) => {{
    if (node === root) return "explorer";
    const {{ part, tab, at, answer, series, jump, panel }} = node.dataset;
    const place = node.closest("[data-menu]")?.dataset.menu ??
      (node.closest(".over, section, header, .strip, .transport, .time, .tabs")?.className || "header");
    const name = part ?? tab ?? (at && `show ${{at}}`) ?? answer ?? series ?? jump ?? panel ??
      node.getAttribute("aria-label") ?? node.labels?.[0]?.textContent ?? node.textContent;
    // The same at every moment.
    const plain = name.replace(/\\d+(?!-D)/g, "0").replace(/^Loop .*/, "Loop").replace(/ from .*/, "");
    return node.id || `${{place.split(" ").find((word) => word !== "panel")}}: ${{plain}}`;
  }};
  const on = shadow.activeElement, style = on && getComputedStyle(on);
  const active = on?.getAttribute("aria-activedescendant");
  const box = on?.getBoundingClientRect();
  const on_page = (middle, size) => Math.min(size - 1, Math.max(0, middle));
  const top = box && shadow.elementFromPoint(
    on_page(box.x + box.width / 2, innerWidth), on_page(box.y + box.height / 2, innerHeight));
  for (const node of pressable) if (!node.isConnected) pressable.delete(node);
  return {{
    controls: [...shadow.querySelectorAll({CONTROLS!r})].filter(seen).map(called),
    orphans: [...pressable].filter((node) => node !== root && node.getRootNode() === shadow && seen(node) &&
      !node.matches({POINTER_ONLY!r}) && node.closest({CONTROLS!r}) === root).map((node) => node.outerHTML),
    focus: on && called(on),
    row: on ? [...(on.closest("[role=tablist], .lanes")?.querySelectorAll("button") ?? [])].map(called) : [],
    inside: on && active && shadow.getElementById(active) ? active : null,
    ring: !on || (on.matches(":focus-visible") &&
      ((style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none")),
    covered: Boolean(on) && !(top && (on.contains(top) || top.contains(on))),
  }};
}};
"""


class Walk(ShownPage):
    """A page in which only keys are pressed; it remembers what could be pressed and what had the focus."""

    def __init__(self, shown: ShownPage) -> None:
        super().__init__(shown.page, shown.requests, shown.problems)
        self.controls: set[str] = set()
        self.reached: set[str] = set()
        self.now: dict[str, Any] = {}

    def look(self) -> str | None:
        """What has the focus, and that it shows it."""
        self.now = self.page.evaluate(f"survey({self.host})")
        self.controls |= set(self.now["controls"])
        self.reached |= {name for name in (self.now["focus"], self.now["inside"]) if name}
        assert self.now["orphans"] == [], "pressed by a pointer, and no key comes to it"
        assert self.now["ring"], f"no ring around {self.now['focus']}"
        assert not self.now["covered"], f"{self.now['focus']} has the focus below something else"
        return self.now["focus"]

    def press(self, *keys: str) -> None:
        """Keys, each followed by a frame; the focus stays in the widget."""
        for key in keys:
            self.page.keyboard.press(key)
            self.drawn()
            assert self.look() is not None, f"{key} lost the focus"

    def tab(self, back: bool = False) -> str | None:
        """On by Tab; None where that leaves the widget."""
        self.page.keyboard.press("Shift+Tab" if back else "Tab")
        return self.look()

    def go(self, name: str) -> None:
        """By Tab to a control, wherever the focus is now; by arrows within a row that has one stop of Tab."""
        passed = []
        for _ in range(120):
            if name in self.now.get("row", []):
                for _ in self.now["row"]:
                    if self.now["focus"] == name:
                        return
                    self.press("ArrowDown" if name.startswith("time:") else "ArrowRight")
            if self.now.get("focus") == name:
                return
            passed.append(self.tab())
        raise AssertionError(f"no Tab comes to {name}, only to {sorted({str(one) for one in passed})}")

    def enter(self, name: str) -> None:
        """Press a button: by Tab, then Enter."""
        self.go(name)
        self.press("Enter")

    def down(self, at: int) -> None:
        """To an entry of the open menu; only there is it looked at."""
        for key in ["Home", *["ArrowDown"] * at]:
            self.page.keyboard.press(key)
        self.look()

    @property
    def transient(self) -> dict[str, Any]:
        """What is on and never saved."""
        return self.page.evaluate(f"{self.store}.transient")

    @property
    def step(self) -> int:
        """Where the cursor is."""
        return self.state["cursor"]["step"]

    def shown(self, key: str, value: Any) -> None:
        """Wait until the view has settled with this in the page's address."""
        for _ in range(600):
            address = self.page.evaluate("location.hash")[3:]
            if address and json.loads(base64.urlsafe_b64decode(address + "=" * (-len(address) % 4))).get(key) == value:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the address never said {key}={value}")

    def entries(self) -> list[dict[str, Any]]:
        """The entries of the open menu."""
        return self.page.evaluate(
            f"""[...{self.root}.querySelectorAll('.sheet:not([hidden]) button')].map(entry => ({{
              label: entry.textContent, group: entry.parentElement.getAttribute('aria-label'),
              off: entry.getAttribute('aria-disabled') === 'true', why: entry.getAttribute('aria-description') }}))"""
        )


@pytest.fixture(scope="module")
def payload() -> Payload:
    """TRM's one trajectory (A) beside GRAM's sixteen (B): a small Sudoku, low-level steps, a cell's plane, a lesson."""
    trm = synthetic.sudoku(1, model="trm", checkpoint="synthetic-trm", wrong=1.0, seed=3, low_steps=2)
    return Explorer(pack([trm, synthetic.sudoku(16, low_steps=2)], planes_of=[5])).teach(LESSON).payload


@pytest.fixture
def walk(chromium: Any, payload: Payload, tmp_path: Path) -> Iterator[Callable[..., Walk]]:
    """`walk(width)` opens the page where no pointer ever was; nor may one have been there in the end."""
    opened: list[Walk] = []

    def open_page(width: int = 1200, height: int = 1100) -> Walk:
        file = tmp_path / f"{width}.html"
        file.write_text(freeze(payload, state={"folded": []}), encoding="utf-8")
        context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        shown = watch(context)
        shown.page.add_init_script(START)
        shown.page.goto(file.as_uri())
        shown.opened()
        opened.append(Walk(shown))
        return opened[-1]

    yield open_page
    for one in opened:
        assert one.page.evaluate("pointed") == []
        assert one.problems == []
        assert [url for url in one.requests if not url.startswith(("file:", "blob:", "data:"))] == []
        one.page.context.close()


PARTS = ["header", "board", "map", "answers", "time", "transport"]


def sweep(walk: Walk) -> list[str]:
    """Tab through the widget and back: the same way, in the order of its parts, and out at either end."""

    def through(back: bool) -> list[str]:
        while walk.now.get("focus"):  # from wherever it is
            walk.tab(back)
        for _ in range(4):  # what a page has beside the widget, and the browser's own
            if walk.tab(back):
                break
        found = [walk.now["focus"]]
        while (name := walk.tab(back)) is not None:
            found.append(name)
            assert len(found) < 120, f"the focus never leaves: {found[-10:]}"
        return found

    there = through(back=False)
    assert through(back=True)[::-1] == there
    places = [name.split(":")[0] for name in there if ":" in name]
    order = [place for k, place in enumerate(places) if place in PARTS and place not in places[:k]]
    assert order == [part for part in PARTS if part in order]
    walk.go("explorer")
    return there


def keys_of_time(walk: Walk) -> None:
    """Play, pause, scrub, speed, loop; three levels; jumps."""
    last = walk.step
    walk.go("transport: Speed")
    walk.press("Home")
    assert walk.state["speed"] == 1
    walk.press("ArrowRight")
    assert walk.state["speed"] == 2
    walk.press("[", "]", "]", "[", "[")
    assert walk.state["speed"] == 1
    walk.enter("transport: Start")
    assert walk.step == 0
    walk.enter("transport: Play")
    assert walk.transient["playing"]
    walk.until(f"{walk.store}.state.cursor.step > 0")
    walk.press("Enter")  # the same button, "Pause" now
    assert not walk.transient["playing"]
    walk.press("k")
    assert walk.transient["playing"]
    walk.press("k")
    for button, wanted in [("End", last), ("Back one transition", last - 1), ("Forward one transition", last)]:
        walk.enter(f"transport: {button}")
        assert walk.step == wanted
    walk.go("time: ruler")
    walk.press("Home", "l", "Shift+L", ".")
    assert walk.state["cursor"] == {"step": 3, "low": 1}
    walk.press(".", ",", "ArrowRight", "ArrowLeft", "Shift+ArrowRight", "Shift+J", "j")
    walk.press("Home", "ArrowRight", "ArrowRight", "Enter")
    assert "A loop begins at 1.2." in walk.text()
    walk.press("Escape", "Enter", "Shift+ArrowRight", "Enter")
    assert (walk.state["range"], walk.state["loop"], walk.step) == ([2, 4], True, 2)
    walk.press("]", "]", "]", "]", "Space")
    walk.until(f"{walk.store}.state.cursor.step === 4")
    walk.until(f"{walk.store}.state.cursor.step < 4")  # it has begun anew
    walk.press("Space", "Escape", "u")
    assert (walk.state["range"], walk.state["loop"]) == (None, False)
    walk.go("transport: Loop")
    walk.press("Space")
    assert walk.state["loop"]
    walk.press("Space", "l", "Home")  # a box that is ticked by Space has no use for these
    assert walk.step == 0
    jumps = {"n": "change", "f": "correct", "h": "halt", "w": "part"}
    for key, jump in jumps.items():
        walk.press("Home", key)
        by_key = walk.step
        walk.press("Home")
        walk.enter("go: Go to")
        walk.press(*["ArrowDown"] * ("change", "correct", "left", "halt", "part").index(jump), "Enter")
        assert walk.step == by_key
    walk.press("End", "Shift+N")
    assert walk.step < last


def keys_of_board(walk: Walk) -> None:
    """Tabs, every cell, its history, brushing, tokens, explanations."""
    for tab in ("A", "differ", "all", "B"):
        walk.enter(f"board: {tab}")
        assert walk.state["board"] == tab
    walk.press("m", "m", "x", "x")
    walk.go("board: board")
    assert not walk.part("history").is_visible()
    for row in range(4):  # a serpentine
        walk.press("ArrowDown", *["ArrowRight" if row % 2 == 0 else "ArrowLeft"] * 3)
    assert walk.state["cells"] == [12]
    assert walk.part("history").is_visible()
    assert "row 4, column 1" in walk.part("details").inner_text()
    walk.press("Control+ArrowUp")
    assert walk.state["cells"] == [12, 8]
    walk.press("Escape", "2")
    assert walk.state["token"] is not None
    walk.press("0", "Home", "l", "i")
    assert "explain" in walk.state["layers"]
    walk.press("i", "End")


def keys_of_map(walk: Walk) -> None:
    """Lasso, heads, choice, zoom, move; in 3-D: turn; landscape and colors."""
    walk.enter("map: Lasso")
    assert walk.transient["lasso"]
    walk.press("Escape")
    assert not walk.transient["lasso"]
    opening = walk.state["basis"]
    walk.set(basis="h")
    walk.go("map: map")
    focus = walk.state["focus"]
    walk.press("ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowDown", "ArrowUp", "ArrowUp")
    assert walk.state["focus"] != focus
    walk.press("Enter")
    assert sum(map(len, walk.state["selected"].values())) == 1
    walk.press("Control+ArrowRight", "Control+ArrowLeft", "Control+ArrowLeft", "Control+ArrowDown")
    assert sum(map(len, walk.state["selected"].values())) > 1
    walk.press("Escape", "+", "Shift+ArrowRight", "Shift+ArrowUp")
    camera = walk.state["camera"]
    assert camera["k"] > 1
    assert camera["x"] > 0 > camera["y"]
    walk.press("-", "z")
    assert walk.state["camera"] is None
    walk.press("o")
    turn = walk.state["turn"]
    walk.press("Shift+ArrowLeft", "Shift+ArrowDown")
    assert walk.state["turn"] == [turn[0] - 10, turn[1] + 10]
    walk.enter("map: Fit")
    assert walk.state["turn"] is None
    walk.enter("map: 3-D")
    assert walk.state["dims"] == 2
    walk.press("g", "g", "q", "q", "Shift+Q", "Shift+Q")
    walk.set(basis=opening)


def keys_of_answers(walk: Walk) -> None:
    """Rows, every trajectory, pin, hide, nearest, all."""
    walk.enter("answers: show cursor")
    assert walk.state["answers_at"] == "cursor"
    walk.enter("answers: show final")
    walk.enter("answers: 0")
    first = walk.state["selected"]
    assert first
    walk.tab()
    walk.press("Control+Enter")
    assert sum(map(len, walk.state["selected"].values())) > sum(map(len, first.values()))
    walk.press("Escape")
    walk.go("answers: marks")
    walk.press(*["ArrowLeft"] * 17, *["ArrowRight"] * 16, "ArrowUp", "ArrowDown")
    walk.press("p")
    assert walk.state["pinned"] == walk.state["focus"]
    walk.press("p", "a", "p", "b", "b", "r", "Shift+A")
    assert walk.state["hidden"] == ["A"]
    walk.press("Shift+A", "Control+a")
    assert len(walk.state["selected"]["B"]) == 16
    walk.press("Escape")
    for letter in "AB":
        walk.enter(f"header: {letter}")
        assert walk.state["focus"][0] == letter


def keys_of_strip(walk: Walk) -> None:
    """A color selects its trajectories, a set is selected by name; panels fold and are sized."""
    walk.enter("strip: chip")
    many = sum(map(len, walk.state["selected"].values()))
    assert f"{many} of 17 selected" in walk.text()
    walk.enter("strip: Clear")
    assert walk.state["selected"] == {}
    assert "None selected" in walk.text()
    for name in ("Right ones", "Same answer"):
        walk.enter(f"strip: {name}")
        assert walk.state["selected"]
        walk.press("Escape")
        assert walk.state["selected"] == {}
    walk.press("w")  # the buttons speak of the step and the focus that are shown now
    focus = walk.state["focus"]
    walk.enter("strip: Part here")
    assert focus[1] not in walk.state["selected"].get(focus[0], [])
    assert walk.state["pinned"][1] in walk.state["selected"][walk.state["pinned"][0]]
    walk.press("Escape")
    for name in ("Curves", "Answers", "Map", "Board"):
        walk.enter(f"strip: {name}")
        assert walk.state["folded"] == [name.lower()]
        walk.press("Enter")
        assert walk.state["folded"] == []
    for side, key in (("board", "ArrowRight"), ("answers", "ArrowLeft"), ("curves", "ArrowUp")):
        walk.go(f"header: divider-{side}")
        before = walk.now["focus"]
        walk.press(key, key)
        assert walk.state["sizes"][side] > 0
        assert walk.now["focus"] == before
        walk.press("Enter")
        assert walk.state["sizes"] == {}


def keys_of_lanes(walk: Walk) -> None:
    """To the name of each curve; one moves, and one is made high."""
    opening = walk.state["lanes"]
    every = walk.page.evaluate(f"Object.keys({walk.store}.payload.series[1].curves)")
    walk.set(lanes=every)
    for name in every:
        walk.go(f"time: lane-{name}")
    walk.press("ArrowDown", "ArrowUp", "Alt+ArrowUp", "Alt+ArrowUp")
    assert walk.state["lanes"] == [*every[:-3], every[-1], *every[-3:-1]]
    assert walk.look() == f"time: lane-{every[-1]}", "it keeps the focus where it goes"
    high = "e => e.getBoundingClientRect().height"
    before = walk.page.locator(f"[data-lane={every[-1]}]").evaluate(high)
    walk.press("Enter")
    walk.drawn()
    assert walk.page.locator(f"[data-lane={every[-1]}]").evaluate(high) > 2 * before
    walk.press("Enter")
    walk.set(lanes=opening)


def keys_of_menus(walk: Walk) -> None:
    """Every entry of every menu, by arrows and Enter: it does something, or says why it cannot."""
    # Chosen already, or no part of the view.
    silent = {"Outcome", "Auto", "Answer river", "All open, with their axes"}
    buttons = {"view": None, "color": "color: Outcome", "compare": "compare: + Compare"}

    def unfold(menu: str) -> None:
        button = buttons[menu]
        walk.enter(button) if button else walk.press("v")

    for menu in buttons:
        unfold(menu)
        listed = walk.entries()
        if menu == "view":
            groups = {"Curves", "Panels", "Layers", "Map", "Model", "Theme", "Also"}
            assert {entry["group"] for entry in listed} == groups
        for at, entry in enumerate(listed):
            label = entry["label"]
            if walk.transient["open"] != menu:
                unfold(menu)
                walk.down(at)
            elif at:
                walk.press("ArrowDown")
            before = walk.state, walk.transient["presenter"]
            walk.press("Enter")
            after = walk.state, walk.transient["presenter"]
            stays = walk.transient["open"] == menu
            if entry["off"]:
                assert entry["why"], f"{label} cannot be chosen and does not say why"
                assert after == before
            elif label == "Table":
                assert walk.transient["open"] == "table"
                walk.press("Escape")
            else:
                assert after != before or label in silent, f"{label} does nothing"
            if label == "Presenter":
                walk.press("Shift+P")
            elif label == "Lesson":
                walk.press("Escape")
            elif label in ("Dark", "Light", "Auto"):
                pass  # one after the other
            elif stays and not entry["off"]:
                walk.press("Enter")  # as it was, but for the order of the curves
            walk.set(color_by="outcome", theme="auto" if label == "Dark" else walk.state["theme"])
        if walk.transient["open"]:
            walk.press("Escape")
    # Whoever tabs on leaves the sheet behind, shut.
    walk.press("v", "End")
    assert walk.tab() == "export: Export"
    walk.drawn()
    assert walk.transient["open"] is None


def keys_of_exports(walk: Walk) -> None:
    """A file or a text for each entry."""
    walk.go("time: ruler")
    walk.press("Home", "Enter", "l", "l", "Enter")  # a film of three moments is short
    walk.press("e")
    listed = walk.entries()
    walk.press("Escape")
    ends = {"Picture (PNG)": "png", "Drawing (SVG)": "svg", "Film (WebM)": "webm", "Data (CSV)": "csv"}
    for at, entry in enumerate(listed):
        walk.press("e")
        walk.down(at)
        if entry["off"]:
            assert entry["why"].startswith("Needs Python")
            walk.press("Escape")
        elif entry["label"] in ends:
            with walk.page.expect_download(timeout=120_000) as got:
                walk.press("Enter")
            assert got.value.suggested_filename.endswith(ends[entry["label"]])
            assert got.value.path().stat().st_size > 1000
            walk.until(f"{walk.root}.querySelector('[data-part=details]').textContent.startsWith('Saved')")
        else:
            walk.page.evaluate("window.copied = ''")
            walk.press("Enter")
            walk.until("window.copied.length > 10")
    assert {entry["label"] for entry in listed if not entry["off"]} - set(ends) == {
        "Copy as Python",
        "Copy view (JSON)",
    }
    walk.go("time: ruler")
    walk.press("y")
    walk.until("window.copied.startsWith('gv.')")
    walk.page.evaluate("window.refuses = true")
    walk.page.keyboard.press("y")
    walk.until(f"{walk.store}.transient.open === 'copy'")
    walk.drawn()
    assert walk.look() == "over: Press Ctrl+C"
    walk.press("Escape")
    assert walk.look() == "time: ruler"
    walk.press("Escape", "u")
    walk.press("s")
    assert walk.page.evaluate(f"{walk.root}.querySelector('[aria-live][role=status].away').textContent.length") > 20


def keys_of_sheets(walk: Walk) -> None:
    """The table and the keys: in, around, out, and back to where one was."""
    walk.go("board: board")
    for key, sheet in [("t", "table"), ("?", "keys")]:
        walk.press(key)
        assert walk.transient["open"] == sheet
        walk.press("Escape")
        assert walk.look() == "board: board"
    walk.press("t")
    walk.enter("over: Certainty")
    order = f"{walk.root}.querySelectorAll('th')[3].ariaSort"
    assert walk.page.evaluate(order) == "descending" or walk.page.evaluate(order) == "ascending"
    for column in ("Step", "Trajectory", "Answer", "Conflicts", "Drift"):
        walk.enter(f"over: {column}")
        assert walk.now["focus"] == f"over: {column}"
    walk.enter("over: Next page")
    assert "Page 2 of 2" in walk.text()
    assert walk.now["focus"] == "over: Previous page", "the other one has nothing left to do"
    walk.press("Enter")
    assert "Page 1 of 2" in walk.text()
    walk.enter("over: Close")
    assert walk.look() == "board: board"
    walk.enter("header: Keys")
    assert walk.page.locator(".over dt").count() > 20
    walk.enter("over: Close")
    assert walk.look() == "header: Keys"


def keys_of_undo(walk: Walk) -> None:
    """There and back."""
    walk.go("board: board")
    walk.press("x")
    walk.shown("board", "differ")
    walk.press("m")
    walk.shown("board", "all")
    walk.press("Control+z")
    assert walk.state["board"] == "differ"
    walk.press("Control+Shift+Z")
    assert walk.state["board"] == "all"
    walk.press("m")


def keys_of_lesson(walk: Walk) -> None:
    """Chapters, both quizzes, and a room's wall."""
    walk.press("PageDown")
    assert walk.state["chapter"] == 0
    walk.enter("captions: Next")
    assert walk.now["focus"] == "captions: My answer is the chosen cell"
    walk.go("board: board")
    walk.press("ArrowRight")  # the first cell
    walk.enter("captions: My answer is the chosen cell")
    assert "Right." in walk.text()
    walk.press("PageDown")
    walk.go("captions: wrong")
    assert walk.tab(back=True) == "captions: right"
    walk.press("Enter", "Enter")
    assert "It was wrong." in walk.text()
    assert "1 of 2 right." in walk.text()
    walk.enter("captions: Next")
    assert walk.now["focus"] == "captions: Back", "there is no next one"
    walk.until(f"!{walk.store}.transient.playing && {walk.store}.state.cursor.step === 5")
    walk.press("Enter", "PageDown", "PageUp", "PageUp")
    walk.press("PageUp")
    assert walk.state["chapter"] == 0
    walk.go("captions: Next")
    walk.press("Shift+P")
    walk.until(f"{walk.root}.classList.contains('presenting')")
    walk.go("map: map")
    walk.press(".")
    walk.drawn()
    walk.press(".", "Shift+P")
    walk.until(f"!{walk.root}.classList.contains('presenting')")
    walk.go("captions: Next")
    walk.press("Escape")
    assert walk.state["chapter"] is None


def test_28_a_walk_through_everything_without_a_pointer(walk: Callable[..., Walk]) -> None:
    page = walk()
    assert sweep(page)[0] == "explorer"
    for chapter in (
        keys_of_time, keys_of_board, keys_of_map, keys_of_answers, keys_of_strip, keys_of_lanes, keys_of_menus,
        keys_of_exports, keys_of_sheets, keys_of_undo, keys_of_lesson,
    ):  # fmt: skip
        chapter(page)
    assert page.controls - page.reached == set()
    assert len(page.reached) > 120


@pytest.mark.parametrize("width", [800, 480, 340])
def test_28_narrow_pages_too(walk: Callable[..., Walk], width: int) -> None:
    """What is a menu or a tab only where there is little room."""
    page = walk(width)
    sweep(page)
    if width >= 360:
        page.enter("go: Go to")
        page.press("ArrowDown", "ArrowDown", "ArrowDown", "Enter")
        assert page.look() == "go: Go to"
    if 360 <= width < 640:
        for panel in ("map", "answers", "board"):
            page.enter(f"tabs: {panel}")
            assert page.state["panel"] == panel
            sweep(page)
    for key in ("v", "e", "t", "?"):
        page.press(key)
        entries = page.entries()
        page.press(*["ArrowDown"] * len(entries), "Escape")
