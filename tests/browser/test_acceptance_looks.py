"""Acceptance on four stages: every width, large and small, every eye and ear, paper (behaviors 5, 6, 20, 27 to 29)."""

from __future__ import annotations

import io
import re
import time
import unicodedata
import zlib
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from PIL import Image
from stages import CANVASES, Stage, moment

from gram import rollout
from gramviz.explorer.bench import random_walks
from gramviz.explorer.payload import Payload

# What has no color needs two of the four stages.
two_stages = pytest.mark.parametrize("hall", ["frozen-dark", "lab-light"], indirect=True, scope="module")

# -------------------------------------------------------------------------------------------------------- what it looks
TEXTS = """host => {
  const root = host.shadowRoot.querySelector(".gv"), walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, holder = node.parentElement, style = getComputedStyle(holder);
    if (!node.data.trim() || holder.closest(".away, .over, .sheet") || style.visibility === "hidden") continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const seen = holder.closest(".answers .body, .title")?.getBoundingClientRect();  // which scroll, or cut
    const gone = (box) => seen && (box.bottom > seen.bottom || box.right > seen.right + 1);
    for (const box of range.getClientRects())
      if (box.width > 1 && box.height > 1 && !gone(box)) found.push({ text: node.data.trim(),
        size: parseFloat(style.fontSize), cut: style.overflow === "hidden",
        box: [[box.left, box.top], [box.right, box.bottom]] });
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
    stage.until(f"{stage.root}.classList.contains('roomy')")
    stage.drawn()
    board, map_, answers = (
        stage.page.locator(f"section.{name}").bounding_box() for name in ("board", "map", "answers")
    )
    assert board["x"] + board["width"] <= map_["x"] + 1
    assert map_["x"] + map_["width"] <= answers["x"] + 1
    assert page.evaluate("faults") == []


CONTRAST = """host => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (text) => {  // whatever the notation, system colors too
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
  const luminance = (color) => color
    .map((part) => part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, k) => sum + part * [0.2126, 0.7152, 0.0722][k], 0);
  const contrast = (text, node, behind = node) => {
    const under = ground(behind), color = rgba(text);
    color[3] *= opacity(node);
    const [high, low] = [luminance(over(color, under)), luminance(under)].sort((a, b) => b - a);
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
    const color = bar.matches(".playhead") ? style.borderLeftColor : style.backgroundColor;
    note("bar", bar, contrast(color, bar, bar.parentElement), 3);
  }
  for (const control of root.querySelectorAll("button, input, [role=slider]")) {
    const style = getComputedStyle(control);
    if (!seen(control) || !parseFloat(style.borderTopWidth) || rgba(style.borderTopColor)[3] < 1) continue;
    const edges = [style.borderTopColor, style.backgroundColor];
    note("control", control, Math.max(...edges.map((color) => contrast(color, control, parent(control)))), 3);
  }
  // What canvases are drawn with, on both of their grounds.
  const given = (name) => root.style.getPropertyValue(`--${name}`);
  for (const ink of ["ink", "text2", "text3", "blue", "vermilion", "green", "purple", "gold", "gray", "edge"])
    for (const under of ["bg", "sunk"]) {
      const pair = [ink, under].map((name) => luminance(rgba(given(name)).slice(0, 3))).sort((a, b) => b - a);
      const ratio = (pair[0] + 0.05) / (pair[1] + 0.05), least = /^(ink|text)/.test(ink) ? 4.5 : 3;
      if (ratio < least) found.push(["canvas", `${ink} on ${under}`, ratio.toFixed(2)]);
    }
  return { found, texts, marks };
}"""


def contrasts(stage: Stage) -> list[Any]:
    """What cannot be seen well enough, in the opening view, with a choice made, and in every sheet."""
    found: list[Any] = []
    views = [({}, None), ({"selected": {"B": [3, 12]}, "cells": [9], "hidden": ["A"]}, None)]
    views += [({}, sheet) for sheet in ("view", "export", "color", "keys", "table")]
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


def test_27_every_text_and_mark_is_seen_in_forced_colors(stage: Stage) -> None:
    stage.page.emulate_media(forced_colors="active")
    try:
        # The colors below ours are the reader's: a dark notebook does not make them dark.
        dark = stage.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        stage.until(f"{stage.host}.dataset.gvTheme === '{'dark' if dark else 'light'}'")
        assert stage.page.evaluate("matchMedia('(forced-colors: active)').matches")
        assert contrasts(stage) == []
    finally:
        stage.page.emulate_media(forced_colors="none")
        stage.until(f"{stage.host}.dataset.gvTheme === '{stage.theme}'")


def test_27_without_color_the_shapes_tell_the_outcomes_apart(stage: Stage, payload: Payload) -> None:
    stage.calm(pinned=None)
    marks = stage.page.locator("[data-part=marks]")
    box = marks.bounding_box()
    gray = np.asarray(Image.open(io.BytesIO(marks.screenshot())).convert("L"), float)
    outcomes = {"A": payload.array("outcome", "A"), "B": payload.array("outcome", "B")}
    places = stage.page.evaluate(
        f"""[...{stage.root}.querySelectorAll('[data-trajectory]')].map(cell => {{
          const {{ x, y }} = cell.querySelector('svg').getBoundingClientRect();
          return [cell.dataset.trajectory, x, y, cell.className];
        }})"""
    )
    shapes: dict[int, list[np.ndarray]] = {}
    for trajectory, x, y, kind in places:
        letter, number = trajectory.split()
        cut = np.s_[round(y - box["y"]) :, round(x - box["x"]) :]
        mark = np.abs(gray[cut][:12, :12] - np.median(gray))
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

    return arc_pairs.make(arc_pairs.task(canvas=30), trajectories=2, steps=3)


def graph10() -> Any:
    """A graph of ten nodes."""
    import colorings

    return colorings.make(10, (0,), trajectories=4)


EXTREMES: dict[str, Callable[[], Any]] = {
    "500 trajectories": lambda: random_walks(500),
    "320 transitions": lambda: synthetic.sudoku(3, supervision_steps=160, transitions=2),
    "one trajectory, one step, 4x4": lambda: synthetic.sudoku(1).isel(step=[0]),
    "ARC 30x30": arc30,
    "graph of 10": graph10,
    "image 28x28": lambda: synthetic.image(size=28),
}


@pytest.fixture(scope="module")
def extremes(folder: Path) -> dict[str, str]:
    """The files of the extremes, by what they are."""
    files = {kind: f"extreme{number}.nc" for number, kind in enumerate(EXTREMES)}
    for kind, file in files.items():
        rollout.save(EXTREMES[kind](), folder / file)
    return files


# How many lines of each width, in pixels of the screen, the ground of the map has.
STROKES = """store => {
  const { prototype } = CanvasRenderingContext2D;
  const { stroke } = prototype;
  const widths = {};
  prototype.stroke = function () {
    const width = (this.lineWidth * devicePixelRatio).toFixed(1).replace(".0", "");
    if (this.canvas.dataset.layer === "base") widths[width] = (widths[width] ?? 0) + 1;
    stroke.call(this);
  };
  store.set({ color_by: "answer" });
  store.paint();
  prototype.stroke = stroke;
  return widths;
}"""


@two_stages
@pytest.mark.parametrize("kind", EXTREMES)
def test_20_large_and_small_are_drawn(bare: Stage, extremes: dict[str, str], kind: str) -> None:
    bare.show(f"gv.explore('{extremes[kind]}')")
    last = bare.state["cursor"]["step"]
    for step in sorted({0, last // 2, last}):
        bare.set(cursor=moment(step))
        for selector in (CANVASES["board"], CANVASES["map"], "[data-lane]", "[data-part=ruler] canvas"):
            if bare.page.locator(selector).count() and (step or selector == CANVASES["board"]):
                assert bare.colors(selector) > 1, (step, selector)
    assert "This part failed" not in bare.text()
    if kind == "500 trajectories":  # without a GPU a line wider than a pixel takes thirty times as long
        strokes = bare.page.evaluate(f"({STROKES})({bare.store})")
        assert strokes["1"] >= 500
        assert sum(strokes.values()) - strokes["1"] < 50


# ----------------------------------------------------------------------------------------------------- ear and motion
@two_stages
def test_28_names_and_roles_are_spoken(stage: Stage, payload: Payload) -> None:
    page = stage.page
    region = re.compile("Explorer: 8 queens puzzle 1, A TRM 1 trajectory, B GRAM 50 trajectories")
    assert page.get_by_role("region", name=region).count() == 1
    slider = page.get_by_role("slider", name="Supervision step")
    assert slider.get_attribute("aria-valuetext").startswith("Step 16.2, transition 32 of 32")
    assert page.locator("[role=gridcell]").count() == 64
    assert "Of answers, not latent: " in stage.part("map").get_attribute("aria-label")
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


def test_28_axe_finds_no_serious_fault(stage: Stage, axe: str) -> None:
    """In a frozen page the whole of it is ours; of a notebook only the widget is; then what opens above it."""
    stage.page.evaluate(axe)
    ours = "document" if stage.kind == "frozen" else stage.host
    opened = f"{stage.root}.querySelector(':is(.sheet, .over):not([hidden])')"
    found = []
    for sheet in [None, "view", "export", "color", "keys", "table"]:
        stage.page.evaluate(f"open => {stage.store}.poke({{ open }})", sheet)
        stage.drawn()
        checked = stage.page.evaluate(f"axe.run({opened if sheet else ours}, {{ resultTypes: ['violations'] }})")
        assert len(checked["passes"]) > (4 if sheet else 10), "the check must have looked into the shadow root"
        for fault in checked["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found.append((sheet, fault["id"], fault["nodes"][0]["target"], fault["nodes"][0]["failureSummary"]))
    assert found == []


HEAR = """host => {
  const live = host.shadowRoot.querySelector("[role=status][aria-live]");
  window.spoken = [];
  window.deaf?.disconnect();
  window.deaf = new MutationObserver(() => spoken.push(live.textContent));
  deaf.observe(live, { childList: true, characterData: true, subtree: true });
}"""


@two_stages
def test_28_while_playing_little_is_spoken(stage: Stage) -> None:
    stage.calm(speed=8, cursor=moment(0), pinned=None)
    stage.quiet()
    stage.page.evaluate(f"({HEAR})({stage.host})")
    stage.focus()
    began = time.monotonic()
    stage.press("Space")
    stage.until(f"!{stage.store}.transient.playing && {stage.store}.state.cursor.step === 32", 120)
    took = time.monotonic() - began
    stage.until(f"spoken.at(-1) === {stage.root}.querySelector('[data-part=details]').textContent")
    spoken = stage.page.evaluate("deaf.disconnect(), spoken")
    during = [said for said in spoken if re.match(r"Step \d", said)]
    assert all(re.fullmatch(r"Step [\d.]+, \d+ conflicts?", said) for said in during)
    assert 2 <= len(during) <= 1 + took / 2, "one in two seconds at the most; and it must have heard something"
    assert len(spoken) <= len(during) + 2, "what it was shown to do, and what has settled"


@two_stages
def test_28_calm_motion_has_no_frames_between_steps(stage: Stage) -> None:
    def play() -> list[tuple[int, float]]:
        """The steps and the shares of the way to the next, as they were shown while it played."""
        stage.calm(speed=2, cursor=moment(0))
        stage.page.evaluate(f"{stage.host}.gramviz.seen_ = []")
        stage.focus()
        stage.press("Space")
        stage.until(f"{stage.store}.state.cursor.step >= 3")
        stage.press("Space")
        return [tuple(one) for one in stage.page.evaluate(f"{stage.store}.seen_")]

    stage.page.evaluate(
        f"{{ const store = {stage.store}; if (!store.seen_) store.listen(() => store.transient.playing && "
        "store.seen_.push([store.state.cursor.step, store.transient.fraction])); store.seen_ = []; }"
    )
    stage.page.emulate_media(reduced_motion="reduce")
    try:
        seen = play()
    finally:
        stage.page.emulate_media(reduced_motion="no-preference")
    assert {0, 1, 2} <= {step for step, _ in seen}
    assert {fraction for _, fraction in seen} == {0}
    assert any(fraction > 0 for _, fraction in play()), "with motion there are such frames"


# --------------------------------------------------------------------------------------------------------------- paper
def printed(sheet: bytes) -> str:
    """The text layer of a PDF as Chromium writes it, without spaces and in the order in which it was drawn."""
    objects = {int(number): body for number, body in re.findall(rb"(\d+) 0 obj\b(.*?)\bendobj", sheet, re.DOTALL)}

    def stream(body: bytes) -> bytes:
        found = re.search(rb"/FlateDecode.*?stream\r?\n(.*)\nendstream", body, re.DOTALL)
        return zlib.decompress(found[1]) if found else b""

    letters: dict[int, dict[int, str]] = {}  # font -> glyph -> what it stands for
    for font, body in objects.items():
        if table := re.search(rb"/ToUnicode (\d+) 0 R", body):
            meaning = stream(objects[int(table[1])]).decode()
            known = letters.setdefault(font, {})
            for block in re.findall(r"beginbfchar(.*?)endbfchar", meaning, re.DOTALL):
                for glyph, text in re.findall(r"<(\w+)> <(\w+)>", block):
                    known[int(glyph, 16)] = bytes.fromhex(text).decode("utf-16-be")
            for block in re.findall(r"beginbfrange(.*?)endbfrange", meaning, re.DOTALL):
                for first, last, text in re.findall(r"<(\w+)> <(\w+)> <(\w+)>", block):
                    for glyph in range(int(first, 16), int(last, 16) + 1):
                        known[glyph] = chr(int(text, 16) + glyph - int(first, 16))
    said = []
    for body in objects.values():
        font = 0
        for name, glyphs in re.findall(rb"/F(\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>(?= Tj)", stream(body)):
            if name:
                font = int(name)
            else:
                codes = [int(glyphs[at : at + 4], 16) for at in range(0, len(glyphs), 4)]
                said.append("".join(letters[font].get(code, "\ufffd") for code in codes))
    return "".join("".join(said).split())


CONTROLS = """host => [...host.shadowRoot.querySelectorAll("button, input, select, textarea, [role=tab]")]
  .filter((node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    && node.getBoundingClientRect().width > 1)
  .filter((node) => {  // a name that is a button on screen is a name on paper, if nothing of a button is seen
    const { borderTopWidth, borderTopColor, backgroundColor } = getComputedStyle(node);
    const ground = getComputedStyle(host.shadowRoot.querySelector(".gv")).backgroundColor;
    const clear = (color) => color.endsWith(", 0)") || color === ground;
    return !clear(backgroundColor) || (parseFloat(borderTopWidth) && !clear(borderTopColor));
  })
  .map((node) => node.textContent || node.getAttribute("aria-label"))"""


def test_29_paper_is_one_light_page_with_its_provenance(stage: Stage, payload: Payload) -> None:
    """The frozen page is printed. Of a notebook, which prints its panels as they stand, only the widget is ours."""
    stage.calm(cursor=moment(13))
    page = stage.page
    ground = f"getComputedStyle({stage.root}).backgroundColor"
    names, color = page.evaluate(f"{stage.root}.className"), page.evaluate(ground)
    assert page.evaluate(f"({CONTROLS})({stage.host})"), "on screen there are controls"
    wanted = ["Step 7.1"] + [series[key][:12] for series in payload.meta["series"] for key in ("hash", "checkpoint")]
    if stage.kind == "frozen":
        margin = dict.fromkeys(("top", "bottom", "left", "right"), "15mm")
        sheet = page.pdf(format="A4", print_background=True, margin=margin)
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", sheet)) == 1
        size = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", sheet)
        assert size
        assert [float(side) for side in size.groups()] == pytest.approx([595, 842], abs=1)
        text = unicodedata.normalize("NFKC", printed(sheet))
        assert [one for one in wanted if one.replace(" ", "") not in text] == []
        assert [control for control in ("Lasso", "Export", "Nextchange", "Speed") if control in text] == []
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    try:
        said = stage.text()
        assert [one for one in wanted if one not in said] == []
        assert page.evaluate(f"({CONTROLS})({stage.host})") == []
        assert page.evaluate(ground) == "rgb(255, 255, 255)"
        box = page.evaluate(f"(({{ width, height }}) => [width, height])({stage.root}.getBoundingClientRect())")
        assert box[0] <= 180 / 25.4 * 96 + 1, "between the margins of A4"
        assert box[1] <= 267 / 25.4 * 96
    finally:
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        stage.drawn()
    assert page.evaluate(f"{stage.root}.className") == names
    assert page.evaluate(ground) == color
    assert stage.button("Play").is_visible()
