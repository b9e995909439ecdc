"""What browser tests look at: a page that shows an explorer, and the four stages of the acceptance behaviors."""

from __future__ import annotations

import base64
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from lab_server import PATIENCE, run_cell, write_cell

from gramviz import measure
from gramviz.contract import CURVES, LAYERS
from gramviz.explorer.freeze import freeze
from gramviz.explorer.models import packed

MAIN = "document.querySelector('main')"  # where a frozen page shows the explorer
WIDE, TALL = 1200, 1100  # px: the window of a frozen stage
COMPARED = "gv.compare(trm, gram)"  # what the stages show unless a test wants something else
NAMES = "import gramviz as gv; from gram import rollout; trm, gram = 'A.nc', 'B.nc'"  # what such a cell may speak of
# What tests add to a frozen page: a count of what its model would send, and a way to its model and module.
HOOKS = {
    "save_changes() {": " window.saves = (window.saves ?? 0) + 1;",
    "const model =": " window.model_ =",
    "bytesOf(parcel.data) });": " window.widget_ = gramvizWidget;",
}
FOCUS = ["B", 18]
MOMENT = 13  # the step that most behaviors are looked at: 7.1
CANVASES = {"board": "[data-part=board] canvas", "map": "[data-layer=top]", "lane": "[data-lane=conflicts]"}


@dataclass
class ShownPage:
    """A page that shows an explorer, with what it asked for and what it complained about."""

    page: Any
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    host: str = MAIN  # JavaScript: the element that holds the widget

    @property
    def store(self) -> str:
        """JavaScript: the store, a hook for tests."""
        return f"{self.host}.gramviz"

    @property
    def root(self) -> str:
        """JavaScript: the widget's outermost element."""
        return f"{self.host}.shadowRoot.querySelector('.gv')"

    @property
    def state(self) -> dict[str, Any]:
        """The store's state."""
        return self.page.evaluate(f"{self.store}.state")

    def set(self, **keys: Any) -> None:
        """Change the state as a person's gesture would, and wait until it has been drawn."""
        self.page.evaluate(f"keys => {self.store}.set(keys)", keys)
        self.drawn()

    def until(self, expression: str, seconds: float = 120) -> None:
        """Wait until a JavaScript expression holds. Asked from here: the page's policy forbids playwright's own way."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.03)

    def opened(self) -> None:
        """Wait until the widget has been laid out and drawn."""
        self.until(f"Boolean({self.host}?.gramviz)")
        self.until(f"/wide|medium|narrow|tiny/.test({self.root}.className)")
        self.drawn()

    def drawn(self) -> None:
        """Wait for two frames: whatever was asked for is on screen. A browser that draws no more is no endless wait."""
        self.page.evaluate(
            "new Promise((done, fail) => { requestAnimationFrame(() => requestAnimationFrame(done));"
            "setTimeout(() => fail(new Error('no frame within two minutes')), 120000); })"
        )

    def heads(self) -> list[dict[str, Any]]:
        """Where the map's heads are, in pixels of its stage, with series, trajectory and emphasis."""
        return self.page.evaluate(f"{self.store}.heads()")

    def part(self, name: str) -> Any:
        """A part by its `data-part`."""
        return self.page.locator(f"[data-part={name}]")

    def box(self, name: str) -> dict[str, float]:
        """Where a part is on screen."""
        return self.part(name).bounding_box()

    def pixels(self, selector: str) -> str:
        """The picture of a canvas, to be compared with another."""
        return self.page.locator(selector).first.evaluate("canvas => canvas.toDataURL()")

    def colors(self, selector: str) -> int:
        """How many colors a canvas shows; a blank one has one."""
        return self.page.locator(selector).first.evaluate(
            "canvas => new Set(new Uint32Array("
            "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"
        )

    def text(self) -> str:
        """Every visible text of the widget."""
        return self.page.evaluate(f"{self.root}.innerText")

    def export(self, item: str) -> tuple[str, bytes]:
        """The name and the bytes of a download that the menu starts."""
        self.page.locator("[data-menu=export] > button").click()
        with self.page.expect_download(timeout=PATIENCE) as got:
            self.page.get_by_role("menuitem", name=item).click()
        return got.value.suggested_filename, got.value.path().read_bytes()


def rewritten(html: str, changes: dict[str, str]) -> str:
    """A frozen page whose script has other texts in the place of some, each of which stands there once."""
    held = re.compile(r'(?<=id="gv-module">)[^<]*')
    script = zlib.decompress(base64.b64decode(held.search(html)[0])).decode()
    for place, text in changes.items():
        assert script.count(place) == 1
        script = script.replace(place, text)
    return held.sub(packed(script.encode()), html, count=1)


def watch(context: Any) -> ShownPage:
    """A page of this context, cut from every network, that remembers requests and complaints."""
    context.route(lambda url: not url.startswith("file:"), lambda route: route.abort())
    shown = ShownPage(context.new_page())
    shown.page.on("request", lambda request: shown.requests.append(request.url))
    shown.page.on("pageerror", lambda error: shown.problems.append(str(error)))
    shown.page.on("console", lambda message: message.type == "error" and shown.problems.append(message.text))
    # Counts animation frames, so that a test can tell rest from motion.
    shown.page.add_init_script(
        "window.frames_ = 0; const raf = requestAnimationFrame.bind(window);"
        "window.requestAnimationFrame = f => { window.frames_ += 1; return raf(f); };"
    )
    return shown


CALM = """([host, state]) => {
  const store = host.gramviz;
  const rest = { playing: false, down: false, hover: null, open: null, lasso: false, drag: null, fraction: 0 };
  store.poke({ ...rest, from: null });
  if (store.transient.presenter) host.shadowRoot.querySelector(".gv").dispatchEvent(
    new KeyboardEvent("keydown", { key: "P", shiftKey: true, bubbles: true }));
  store.set({ ...store.start, folded: [], ...state });
  store.flush();  // the kernel knows where a test begins, so what the test does is news to it
  document.activeElement?.blur();
}"""

# What is drawn, read at the pens: every fill, stroke and text that has not been cleared since.
RECORD = """() => {
  const kept = {}, log = [], paths = new WeakMap(), names = new WeakMap(), pens = CanvasRenderingContext2D.prototype;
  let canvases = 0;
  const named = ({ canvas }) => names.get(canvas) ?? (names.set(canvas, (canvases += 1)), canvases);
  const wrap = (name, note) => {
    kept[name] = pens[name];
    pens[name] = function (...given) { note(this, given); return kept[name].apply(this, given); };
  };
  const path = (pen) => paths.get(pen) ?? { moves: [], arcs: [], lines: 0 };
  const where = (pen) => ({ canvas: named(pen), alpha: pen.globalAlpha,
    layer: pen.canvas.dataset.layer ?? pen.canvas.dataset.lane ?? pen.canvas.parentElement?.dataset.part ?? "" });
  wrap("clearRect", (pen) => {  // drawn anew: what was there is gone
    for (let k = log.length - 1; k >= 0; k -= 1) if (log[k].canvas === named(pen)) log.splice(k, 1);
  });
  wrap("beginPath", (pen) => paths.set(pen, { moves: [], arcs: [], lines: 0 }));
  wrap("moveTo", (pen, point) => path(pen).moves.push(point));
  wrap("lineTo", (pen) => { path(pen).lines += 1; });
  wrap("arc", (pen, [x, y, r]) => path(pen).arcs.push([x, y, r]));
  for (const kind of ["fill", "stroke"])
    wrap(kind, (pen) =>
      log.push({ kind, ...where(pen), width: pen.lineWidth, ...path(pen) }));
  wrap("fillText", (pen, [text, x, y]) => {
    const size = pen.measureText(text), { a, b, c, d, e, f } = pen.getTransform();
    const ratio = pen.canvas.width / pen.canvas.clientWidth;
    const corners = [-size.actualBoundingBoxLeft, size.actualBoundingBoxRight].flatMap((dx) =>
      [-size.actualBoundingBoxAscent, size.actualBoundingBoxDescent].map((dy) => [x + dx, y + dy]));
    const at = corners.map(([px, py]) => [(a * px + c * py + e) / ratio, (b * px + d * py + f) / ratio]);
    const box = [Math.min, Math.max].map((most) => [0, 1].map((axis) => most(...at.map((corner) => corner[axis]))));
    log.push({ kind: "text", ...where(pen), text, box, size: parseFloat(/([\\d.]+)px/.exec(pen.font)[1]) });
  });
  window.record_ = { log, stop: () => Object.assign(pens, kept) };
}"""


@dataclass
class Stage(ShownPage):
    """One of the four: a page with the widget in it, and how much it has told its kernel."""

    kind: str = "frozen"
    theme: str = "light"
    sent: list[str] = field(default_factory=list)  # in JupyterLab: messages that tell the kernel of the view
    home: str = "file:"  # where alone it may ask
    folder: Path = Path()  # of the rollouts
    shows: str = ""  # the expression whose explorer stands on it
    pages: dict[str, str] = field(default_factory=dict)  # expression -> frozen page

    def show(self, expression: str, address: str = "", ready: bool = True) -> None:
        """Show the explorer that a notebook's cell with this expression gives: run there, or frozen from here.

        Args:
            expression: Python, in terms of NAMES; files are those of the folder.
            address: of a frozen page, its view: "#v=...".
            ready: wait until it has been drawn; not where it will say that it cannot.
        """
        self.shows = ""
        if self.kind == "lab":
            self.page.evaluate(f"{{ const old = {self.host}; if (old) old.stale_ = true; }}")
            write_cell(self.page, 0, f"{NAMES}\nexplorer = {expression}\nexplorer")
            run_cell(self.page)
            self.until(
                f"Boolean({self.host}?.shadowRoot?.querySelector('.gv')) && !{self.host}.stale_", PATIENCE / 1000
            )
        else:
            file = self.folder / "page.html"
            file.write_text(self.page_of(expression), encoding="utf-8")
            self.page.goto("about:blank")  # another view of the same page is no new page to a browser
            self.page.goto(file.as_uri() + address)
        if ready:
            self.opened()
            self.until(f"Boolean({self.host}.dataset.gvTheme)")
        self.shows = expression

    def calm(self, **state: Any) -> None:
        """The opening view again, changed by `state`: nothing pointed at, nothing focused, told, and forgotten."""
        self.page.mouse.move(0, 0)
        self.page.evaluate(f"state => ({CALM})([{self.host}, state])", state)
        self.drawn()

    def page_of(self, expression: str) -> str:
        """The frozen page of what an expression gives, which counts what it would tell a kernel."""
        if expression not in self.pages:
            names: dict[str, Any] = {}
            with chdir(self.folder):
                exec(NAMES, names)
                html = freeze(eval(expression, names))
            self.pages[expression] = rewritten(html, {place: place + more for place, more in HOOKS.items()})
        return self.pages[expression]

    def told(self) -> int:
        """How often the view was sent to the kernel, or in a frozen page would have been."""
        return len(self.sent) if self.kind == "lab" else self.page.evaluate("window.saves ?? 0")

    def quiet(self) -> int:
        """Wait until what was done has settled and was sent; how much has been told by then."""
        before = -1
        while before != (before := self.told()):
            self.page.wait_for_timeout(700)
        return before

    def tells_once(self, before: int) -> None:
        """One message comes, and no second."""
        for _ in range(400):
            if self.told() > before:
                break
            self.page.wait_for_timeout(50)
        self.page.wait_for_timeout(600)
        if self.told() != before + 1:
            self.shows = (
                ""  # JupyterLab holds messages back while it waits for an answer: whoever is next opens it anew
            )
        assert self.told() == before + 1, self.sent[before:]

    def focus(self, part: str | None = None) -> None:
        """Keys go to the widget as a whole, or to one of its parts."""
        place = f".querySelector('[data-part={part}]')" if part else ""
        self.page.evaluate(f"{self.root}{place}.focus({{ preventScroll: true }})")

    def press(self, *keys: str) -> None:
        """Keys, one after the other, each seen to have been drawn: no person types two in a frame."""
        for key in keys:
            self.page.keyboard.press(key)
            self.drawn()

    def button(self, name: str) -> Any:
        """A button of the widget; a notebook has others of the same name."""
        return self.page.get_by_role("region", name="Explorer: ").get_by_role("button", name=name, exact=True)

    def cell(self, position: int) -> tuple[float, float]:
        """The middle of a cell of the board, on screen."""
        box = self.page.locator(CANVASES["board"]).bounding_box()
        row, column = divmod(position, 8)
        return box["x"] + (column + 0.5) / 8 * box["width"], box["y"] + (row + 0.5) / 8 * box["height"]

    def at(self, head: dict[str, Any]) -> tuple[float, float]:
        """Where a head is on screen."""
        box = self.box("map")
        return box["x"] + head["at"][0], box["y"] + head["at"][1]

    @contextmanager
    def recording(self) -> Iterator[Callable[[], list[dict[str, Any]]]]:
        """Inside it, the function gives what was drawn since it was last asked."""
        self.page.evaluate(RECORD)
        try:
            yield lambda: self.page.evaluate("record_.log.splice(0)")
        finally:
            self.page.evaluate("record_.stop()")

    def settle(self) -> None:
        """The width that it opened with, wide, where a test has changed it."""
        if self.kind == "lab":
            self.page.evaluate(f"{self.host}.style.width = ''")
        elif self.page.viewport_size["width"] != WIDE:
            self.page.set_viewport_size({"width": WIDE, "height": TALL})
        self.until(f"{self.root}.classList.contains('wide')")

    def resize(self, width: int) -> None:
        """The place that the host gives the widget, in pixels."""
        if self.kind == "frozen":
            self.page.set_viewport_size({"width": width, "height": TALL})
        else:
            self.page.evaluate(f"width => {{ {self.host}.style.width = `${{width}}px`; }}", width)


def listen(stage: Stage) -> None:
    """Keep what a page asks for from now on, and what it complains of."""
    stage.page.on("request", lambda request: stage.requests.append(request.url))
    stage.page.on("pageerror", lambda error: stage.problems.append(str(error)))
    stage.page.on("console", lambda message: message.type == "error" and stage.problems.append(message.text))
    stage.page.on("dialog", lambda dialog: (stage.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))


def drag(page: Any, *points: tuple[float, float], keys: tuple[str, ...] = ()) -> None:
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
    page.mouse.move(0, 0)


def inner(box: dict[str, float], x: float, y: float) -> tuple[float, float]:
    """A point at shares of a box."""
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def moment(step: int, low: int | None = None) -> dict[str, int | None]:
    """A cursor."""
    return {"step": step, "low": low}


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


def random_state(rng: np.random.Generator, meta: dict[str, Any]) -> dict[str, Any]:
    """A legal state, with about two keys in three set away from nothing in particular."""
    counts = {series["letter"]: series["trajectories"] for series in meta["series"]}
    steps = max(series["steps"] for series in meta["series"])
    size = meta["board"]["height"] * meta["board"]["width"]
    letter = lambda: str(rng.choice(list(counts)))  # noqa: E731
    trajectory = lambda: [one := letter(), int(rng.integers(counts[one]))]  # noqa: E731
    some = lambda names: [str(name) for name in names if rng.random() < 0.5]  # noqa: E731
    first, last = sorted(rng.choice(steps, 2, replace=False).tolist())
    every = {
        "cursor": {"step": int(rng.integers(steps)), "low": None},
        "focus": trajectory(),
        "pinned": trajectory() if rng.random() < 0.7 else None,
        "selected": {
            one: np.flatnonzero(rng.random(n) < 0.3).tolist() or [0] for one, n in counts.items() if rng.random() < 0.6
        },
        "hidden": [letter()] if rng.random() < 0.5 else [],
        "cells": rng.choice(size, rng.integers(4), replace=False).tolist(),
        "token": int(rng.integers(1, len(meta["board"]["tokens"]))),
        "range": [first, last],
        "board": str(rng.choice(["focus", "differ", "all", *counts])),
        "color_by": str(rng.choice(["outcome", "answer", "series", "value", "certainty", "step"])),
        "answers_at": str(rng.choice(["final", "cursor"])),
        "basis": str(rng.choice([basis["name"] for basis in meta["bases"]])),
        "camera": {"x": float(rng.normal()), "y": float(rng.normal()), "k": float(rng.uniform(0.5, 20))},
        "brush": {"kind": "lasso", "plane": 0, "points": rng.normal(size=(3, 2)).tolist()},
        "layers": some(LAYERS),
        "lanes": [str(name) for name in rng.permutation(CURVES)[: rng.integers(1, 5)]],
        "speed": int(rng.choice([1, 2, 4, 8, 16])),
        "loop": bool(rng.random() < 0.5),
        "theme": str(rng.choice(["auto", "light", "dark"])),
        "motion": str(rng.choice(["auto", "calm"])),
        "panel": str(rng.choice(["board", "map", "answers"])),
        "folded": some(["board", "map", "answers", "curves"]),
        "sizes": {"board": float(rng.uniform(0.2, 0.5)), "curves": float(rng.uniform(0.1, 0.4))},
        "tall": [str(name) for name in rng.permutation(CURVES)[:2]],
    }
    return {key: value for key, value in every.items() if rng.random() < 0.65}


# A page with a kernel that only listens: what is asked of it is kept in `sent`, and `answer(message)` is its reply.
HOST = """async ([source, meta, data, asks]) => {
  const widget = (await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })))).default;
  const hear = {};
  const kept = { meta, asks, data: Uint8Array.from(atob(data), c => c.charCodeAt(0)), state: {}, status: "" };
  window.sent = [];
  window.answer = message => hear["msg:custom"].forEach(f => f(message));
  window.keep = (k, v) => { kept[k] = v; hear["change:" + k].forEach(f => f()); };
  const model = {
    get: k => kept[k], set(k, v) { kept[k] = v; }, save_changes() {}, send: m => window.sent.push(m),
    on: (e, f) => (hear[e] ??= []).push(f), off: (e, f) => { hear[e] = hear[e].filter(g => g !== f); },
  };
  await widget.render({ model, el: document.querySelector("main") });
}"""
