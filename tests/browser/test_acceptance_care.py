"""Acceptance on four stages: what is missing, hostile, damaged or taken down, and what leaves (19 to 26, 30)."""

from __future__ import annotations

import ast
import base64
import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from PIL import Image
from stages import CANVASES, COMPARED, Stage, moment, random_state

from gram import rollout
from gram.board import Board, Token
from gramviz.contract import LAYERS
from gramviz.explorer.payload import Payload
from gramviz.explorer.state import State

STAGES = ["frozen-dark", "lab-light"]  # what a thing does has no color; test_acceptance_looks has all four

HOSTILE = '=<img src=x onerror="window.hit=1"></script><script>window.hit=1</script>"\'&\u202e${1}`' + "x" * 10_000
TAUGHT = "gv.compare(trm, gram).teach('lesson.yaml').focus('B', 12)"
LESSON = """
lesson: 1
title: Trajectories
chapters:
  - {at: init, say: "Both start **at one point**, from `x` <img src=x onerror=alert(1)>."}
  - {at: "3.1", say: They part., show: {color_by: series, board: all},
     highlight: {cells: [r4c6], trajectories: [[B, 12]], part: map}}
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


def hostile() -> Any:
    """A rollout whose every text is an attack."""
    tokens = (Token("empty", ""), Token(HOSTILE, "<b>"), Token("b", "b"))
    board = Board("grid", HOSTILE, "grid", 2, 2, tokens, blank=(0,))
    drawn = np.random.default_rng(0).integers(0, 3, (1, 4, 6, 4)).astype(np.int8)
    return rollout.make(board, {"x": np.array([[1, 0, 0, 0]], np.int8), "tokens": drawn}, name=HOSTILE, model=HOSTILE)


@pytest.fixture(scope="module", autouse=True)
def files(folder: Path) -> None:
    """More rollouts and two lessons beside the two that are compared."""
    rollout.save(synthetic.sudoku(5), folder / "sudoku.nc")
    rollout.save(synthetic.sudoku(5, supervision_steps=2), folder / "short.nc")
    rollout.save(hostile(), folder / "hostile.nc")
    (folder / "lesson.yaml").write_text(LESSON)
    (folder / "hostile.yaml").write_text(
        json.dumps({"lesson": 1, "title": HOSTILE, "chapters": [{"at": "init", "say": HOSTILE}]})
    )


# ------------------------------------------------------------------------------------------------------------- missing
# What the view says, its menu "View" and its legends included, and whether it says so without the variable or with it.
SAYS = {
    "y": ("Show truth", False),
    "valid": ("Outcome unknown: this rollout has no `valid`.", True),
    "conflict": ("key conflict", False),
    "probability": ("certainty not recorded", True),
    "h": ("this rollout has no `h`; record it with Record(h=True)", True),
    "halt": ("this rollout has no `halt`; record it with Record(halt=True)", True),
    "value": ("this rollout has no `value`; record it with Record(value=True)", True),
    "solutions_known": ("Solutions found: 1 of 1", False),
}
OPTIONAL = [*SAYS, "halted_at"]  # of the last there is nothing to say


@pytest.mark.parametrize(
    ("hall", "gone"),
    [("frozen-dark", [name]) for name in OPTIONAL] + [("frozen-dark", OPTIONAL), ("lab-light", OPTIONAL)],
    ids=lambda value: "+".join(value)[:20] if isinstance(value, list) else None,
    indirect=["hall"],
    scope="module",
)
def test_19_optional_variables_may_be_absent(bare: Stage, gone: list[str]) -> None:
    bare.show(f"gv.explore(rollout.load('sudoku.nc').drop_vars({gone}))")
    bare.calm()
    bare.focus()
    for key in ["Home", "l", "m", "x", "f", "h", "w", "n", "q", "t", "Escape", "End", "v"]:
        bare.press(key)
    bare.set(board="focus")
    keys = bare.page.evaluate(f"[...{bare.root}.querySelectorAll('.key')].map(key => key.className)")
    said = "\n".join([bare.text(), *keys])
    assert "This part failed" not in said
    for name, (words, without) in SAYS.items():
        if name == "solutions_known" and "valid" in gone:
            continue  # what is not known to be a solution is not counted
        assert (words in said) == ((name in gone) == without), name
    bare.press("Escape", "Home")
    assert bare.state["cursor"] == moment(0)
    assert bare.colors(CANVASES["board"]) > 2


# ------------------------------------------------------------------------------------------------------------- hostile
def test_25_hostile_text_stays_text(bare: Stage) -> None:
    bare.show("gv.explore('hostile.nc').teach('hostile.yaml')")
    bare.set(cells=[0, 1], board="all")
    said = ""
    for sheet in (None, "view", "export", "color", "table"):
        bare.page.evaluate(f"open => {bare.store}.poke({{ open }})", sheet)
        bare.drawn()
        said += bare.text()
        assert bare.page.evaluate(f"{bare.root}.querySelectorAll('img, script, iframe, object').length") == 0
    bare.page.evaluate(f"{bare.store}.poke({{ open: null }})")
    bare.drawn()
    assert "<img src=x onerror=" in said
    assert "\u202e" not in said
    assert len(bare.page.locator("h2.title").inner_text()) < 260
    caption = bare.page.get_by_label("Lesson", exact=True).inner_text()
    assert caption.startswith("=<img src=x")
    assert len(caption) < 2100

    name, table = bare.export("Data (CSV)")
    assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    texts = [
        cell for row in csv.reader(io.StringIO(table.decode())) for cell in row if cell.lstrip("'").startswith("=")
    ]
    assert len(texts) == 4 * 6
    assert all(text.startswith("'=") for text in texts)
    _, drawing = bare.export("Drawing (SVG)")
    assert not [node for node in ET.fromstring(drawing).iter() if node.tag.endswith(("script", "image"))]
    line = ast.parse(copied(bare, "y"), mode="eval")
    names = {node.id for node in ast.walk(line) if isinstance(node, ast.Name)}
    assert len(names) == 2, "gv and a variable"
    kinds = (ast.Expression, ast.Call, ast.Attribute, ast.Name, ast.Load, ast.keyword, ast.Constant, ast.List, ast.Dict)
    assert all(isinstance(node, kinds) for node in ast.walk(line))

    assert bare.page.evaluate("window.hit ?? 0") == 0
    assert not [url for url in bare.requests if url.endswith("/x")]


def copied(stage: Stage, *keys: str) -> str:
    """What these keys put on the clipboard, which is not the machine's."""
    stage.page.evaluate(
        "navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }; copied = ''"
    )
    stage.focus()
    stage.press(*keys)
    stage.until("Boolean(copied)")
    return stage.page.evaluate("copied")


def test_26_truncated_data_says_so(bare: Stage) -> None:
    cut = "setattr(whole, 'data', whole.data[: len(whole.data) // 2])"
    bare.show(f"(lambda whole: {cut} or whole)(gv.explore('short.nc'))", ready=False)
    bare.page.locator(".gv [role=alert]").wait_for()
    assert "The data of this page is damaged" in bare.text()


# ----------------------------------------------------------------------------------------------------- state and views
def picture(stage: Stage) -> np.ndarray:
    """The widget as it stands on the screen once it stands still, with nothing pointed at or focused."""
    stage.page.mouse.move(0, 0)
    stage.page.evaluate("document.activeElement?.blur()")
    before = b""
    for _ in range(40):
        stage.drawn()
        now = stage.page.locator(".gv").screenshot(animations="disabled")
        if now == before:
            return np.asarray(Image.open(io.BytesIO(now)).convert("RGB"), int)
        before = now
    raise AssertionError("the view does not come to rest")


def differing(one: np.ndarray, other: np.ndarray) -> float:
    """The share of pixels that differ."""
    assert one.shape == other.shape
    return float((one != other).any(-1).mean())


VIEWS: list[dict[str, Any]] = [
    {
        "cursor": moment(14, 1), "focus": ["B", 12], "selected": {"B": [3, 12]}, "cells": [33], "board": "all",
        "color_by": "answer", "lanes": ["conflicts", "value"], "camera": {"x": 0.1, "y": -0.2, "k": 2},
    },
    {"random": 7},
]  # fmt: skip


@pytest.mark.parametrize("view", VIEWS, ids=["chosen", "random"])
def test_23_a_view_survives_python_json_and_address(stage: Stage, payload: Payload, view: dict[str, Any]) -> None:
    if "random" in view:
        view = random_state(np.random.default_rng(view["random"]), payload.meta)
    stage.calm(**view)
    stage.quiet()
    whole, seen = stage.state, picture(stage)
    assert {key: whole[key] for key in view} == view | {
        key: sorted(view[key], key=LAYERS.index) for key in view.keys() & {"layers"}
    }
    address = stage.page.evaluate("location.hash") if stage.kind == "frozen" else None
    line = copied(stage, "y")
    stage.press("e")
    stage.page.evaluate("copied = ''")
    stage.page.get_by_role("menuitem", name="Copy view (JSON)").click()
    stage.until("Boolean(copied)")
    text = stage.page.evaluate("copied")
    assert State.from_json(text).keys == whole

    stage.show(COMPARED)
    opening = picture(stage)
    assert stage.state != whole
    stage.show(line)  # pasted into a cell
    assert stage.state == whole
    assert differing(picture(stage), seen) <= 0.001
    if address is not None:
        stage.show(COMPARED, address)
        assert stage.state == whole
        assert differing(picture(stage), seen) <= 0.001
    if opening.shape == seen.shape:  # the comparison can fail
        assert differing(opening, seen) > 0.01


# ---------------------------------------------------------------------------------------------------------- taken down
# Views of one model that are shown, played and taken down: in JupyterLab by giving the cell its output anew.
MOUNT = {
    "lab": """async times => {
      const { outputArea } = jupyterapp.shell.currentWidget.content.widgets[0], outputs = outputArea.model.toJSON();
      for (let k = 0; k < times; k += 1) {
        const old = HOST;
        outputArea.model.clear();
        for (let k = 0; old.gramviz || old.shadowRoot.childElementCount; k += 1) {
          if (k > 600) throw Error("left behind");
          await frame();
        }
        outputArea.model.fromJSON(outputs);
        await shown(() => HOST);
      }
    }""",
    "frozen": """async times => {
      for (let k = 0; k < times; k += 1) {
        const el = document.body.appendChild(document.createElement("div")), life = new AbortController();
        const dispose = await widget_.render({ model: model_, el, signal: life.signal });
        await shown(() => el);
        if (k % 3 !== 0) life.abort(); // a host may abort, call what render returned, or both
        if (k % 3 !== 1) dispose();
        if (el.gramviz || el.shadowRoot.childElementCount) throw Error("left behind");
        el.remove();
      }
    }""",
}
SHOWN = """const frame = () => new Promise(requestAnimationFrame);
const shown = async (find) => {
  for (let k = 0; !/wide/.test(find()?.shadowRoot?.querySelector(".gv")?.className); k += 1) {
    if (k > 2000) throw Error("never shown");
    await frame();
  }
  await frame();
  if (!find().shadowRoot.querySelector("canvas").width) throw Error("nothing was drawn");
  find().shadowRoot.querySelector(".play").click();
  await frame();
};"""


def test_22_views_come_and_go_and_leave_nothing(stage: Stage) -> None:
    """Fifty in a frozen page; twelve in JupyterLab, where each takes far longer. There is no WebGL to be released."""
    session = stage.page.context.new_cdp_session(stage.page)
    script = f"async times => {{ {SHOWN} await ({MOUNT[stage.kind]})(times) }}".replace("HOST", stage.host)

    def left() -> tuple[int, int, int]:
        session.send("HeapProfiler.collectGarbage")
        found = session.send("Memory.getDOMCounters")
        return found["nodes"], found["jsEventListeners"], session.send("Runtime.getHeapUsage")["usedSize"]

    # What is made once is made now; from about the tenth view on the engine holds one that was taken down, and no more.
    stage.page.evaluate(script, 12)
    before = left()
    stage.page.evaluate(script, 50 if stage.kind == "frozen" else 12)
    for _ in range(20):  # JupyterLab has work of its own, and a collector takes its time
        nodes, listeners, heap = np.subtract(left(), before)
        # The nodes and the listeners of one widget are hundreds; bytes.
        if kept := nodes >= 400 or listeners >= 50 or heap >= 2_000_000:
            stage.page.wait_for_timeout(500)
        else:
            break
    session.detach()
    assert not kept, (nodes, listeners, heap)
    stage.shows = ""  # another view stands here


# ------------------------------------------------------------------------------------------------------------- lessons
@pytest.fixture
def lesson(bare: Stage) -> Stage:
    """A stage with the lesson open at its first chapter, and the keys in it."""
    bare.show(TAUGHT)
    bare.page.mouse.move(0, 0)
    bare.focus()
    return bare


def test_30_chapters_move_the_view_and_captions_are_text(lesson: Stage) -> None:
    caption = lesson.page.get_by_label("Lesson", exact=True)
    assert "Both start at one point, from x <img src=x onerror=alert(1)>." in caption.inner_text()
    assert caption.locator("b").inner_text() == "at one point"
    assert caption.locator("img").count() == 0
    assert "1 of 5" in caption.inner_text()
    lesson.press("PageDown")
    lesson.drawn()
    state = lesson.state
    assert (state["chapter"], state["cursor"]["step"], state["color_by"]) == (1, 5, "series")
    assert (state["cells"], state["selected"]) == ([29], {"B": [12]})
    assert lesson.page.evaluate(f"{lesson.root}.dataset.highlight") == "map"
    lesson.press("PageUp")
    lesson.drawn()
    assert lesson.state["chapter"] == 0
    assert lesson.state["cursor"]["step"] == 0
    lesson.page.evaluate(f"{lesson.store}.set({{ chapter: 3 }})")
    lesson.press("Escape", "PageDown")  # past the quiz, to the chapter that plays
    lesson.until(
        f"{lesson.store}.state.chapter === 4 && !{lesson.store}.transient.playing && "
        f"{lesson.store}.state.cursor.step === 9"
    )


def test_30_a_quiz_hides_the_future_counts_two_tries_and_tells(lesson: Stage, payload: Payload) -> None:
    page, caption = lesson.page, lesson.page.get_by_label("Lesson", exact=True)
    tokens = payload.array("tokens", "B")[12]
    changed = np.flatnonzero(tokens[4] != tokens[3])
    still = int(np.flatnonzero(tokens[4] == tokens[3])[0])
    lesson.press("PageDown", "PageDown")
    lesson.drawn()
    assert lesson.state["cursor"]["step"] == 3
    for key in ["l", "End", "f", "h", "w", "Shift+L", " "]:
        lesson.press(key)
        lesson.drawn()
        assert lesson.state["cursor"]["step"] <= 3, key
    lesson.press("Home", "End")
    lesson.drawn()
    assert "Answer first, or press Esc to skip." in lesson.part("details").inner_text()
    assert not lesson.button("Next").is_enabled()
    lesson.set(folded=[])
    lesson.drawn()
    hidden = [page.locator(".answers .body"), page.locator(".lanes canvas").first]
    assert not any(one.is_visible() for one in hidden)
    lesson.set(cells=[still])
    lesson.button("My answer is the chosen cell").click()
    lesson.drawn()
    assert "Not that one. Try once more. Look at the queens." in caption.inner_text()
    lesson.set(cells=[int(changed[0])])
    lesson.button("My answer is the chosen cell").click()
    lesson.drawn()
    assert "Right." in caption.inner_text()
    assert lesson.state["cursor"]["step"] == 4
    assert all(one.is_visible() for one in hidden)
    lesson.press("PageDown")
    lesson.drawn()
    for _ in range(2):
        lesson.button("wrong").click()
    lesson.drawn()
    said = caption.inner_text()
    assert "It was right." in said
    assert "1 of 2 right." in said
    assert lesson.state["cursor"]["step"] == 32


def test_30_a_quiz_needs_no_mouse_and_escape_skips_it(lesson: Stage) -> None:
    caption = lesson.page.get_by_label("Lesson", exact=True)
    lesson.press("PageDown", "PageDown")
    lesson.drawn()
    assert lesson.state["chapter"] == 2
    lesson.press("Escape")
    lesson.drawn()
    assert "Skipped." in caption.inner_text()
    lesson.press("PageDown")
    lesson.drawn()
    assert lesson.state["chapter"] == 3
    for _ in range(60):
        lesson.press("Tab")
        if lesson.page.evaluate(f"{lesson.host}.shadowRoot.activeElement?.textContent") == "right":
            break
    lesson.press("Enter")
    lesson.drawn()
    assert "1 of 2 right." in caption.inner_text()
    lesson.press("Escape")
    lesson.drawn()
    assert lesson.state["chapter"] is None
    assert not caption.is_visible()


# ------------------------------------------------------------------------------------------------------------- exports
def test_30_what_is_saved_says_its_step_and_hash(stage: Stage, payload: Payload) -> None:
    stage.calm(cursor=moment(13))
    hashes = [series["hash"][:12] for series in payload.meta["series"]]
    saved = {item: stage.export(item) for item in ("Picture (PNG)", "Drawing (SVG)", "Data (CSV)")}
    assert [name for name, _ in saved.values()] == [
        f"8-queens-puzzle-1-step-7.1.{end}" for end in ("png", "svg", "csv")
    ]
    image = Image.open(io.BytesIO(saved["Picture (PNG)"][1]))
    image.load()  # every chunk's checksum is looked at
    said = image.text["Description"]
    assert "Step 7.1." in said
    assert all(f"rollout {one}" in said for one in hashes)
    root = ET.fromstring(saved["Drawing (SVG)"][1])  # well-formed, or this raises
    assert {said, "Certainty", "Map", "Answers"} <= {text.text for text in root.iter()}, "the foot too"
    space = "{http://www.w3.org/2000/svg}"
    assert len(list(root.iter(f"{space}path"))) > 100  # paths of the map, queens, marks: drawn, not pasted as a picture
    assert not list(root.iter(f"{space}image"))
    rows = list(csv.DictReader(io.StringIO(saved["Data (CSV)"][1].decode())))
    assert {(row["series"], row["rollout"]) for row in rows} == set(zip("AB", hashes, strict=True))
    assert len(rows) == (1 + 50) * 33
    assert {row["step"] for row in rows if row["address"] == "7.1"} == {"13"}


PLAY = """async bytes => {
  const film = document.createElement("video");
  film.muted = true;
  film.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))]));
  await film.play();
  await new Promise((done) => film.requestVideoFrameCallback(done));
  return [film.videoWidth, film.error];
}"""


def test_30_a_film_says_where_it_ends_and_plays(bare: Stage, folder: Path) -> None:
    bare.show("gv.explore('short.nc')")
    bare.calm(speed=16, cursor=moment(0))
    before = bare.state
    name, content = bare.export("Film (WebM)")
    assert name.endswith(".webm")
    said = tag(content, "DESCRIPTION")
    assert "Step 2.2." in said
    assert f"rollout {bare.page.evaluate(f'{bare.store}.payload.series[0].hash')[:12]}" in said
    bare.until(f"!{bare.store}.transient.down")
    assert bare.state == before
    page = bare.page.context.new_page()
    width, error = page.evaluate(PLAY, base64.b64encode(content).decode())
    page.close()
    assert width == round(1.5 * bare.page.evaluate(f"{bare.root}.clientWidth + 2"))  # with its frame
    assert error is None


def tag(film: bytes, name: str) -> str:
    """A tag of a WebM, read element by element from its start: what is skipped has to have the length that it says."""
    inside = [0x18538067, 0x1254C367, 0x7373, 0x67C8]  # segment, tags, tag, simple tag
    at, found = 0, ""
    while at < len(film):
        width = 9 - film[at].bit_length()
        number, at = int.from_bytes(film[at : at + width], "big"), at + width
        width = 9 - film[at].bit_length()
        length, at = int.from_bytes(film[at : at + width], "big") - (1 << 7 * width), at + width
        if number == 0x1F43B675:
            break  # the pictures
        if number == 0x45A3:
            found = film[at : at + length].decode()
        if number == 0x4487 and found == name:
            return film[at : at + length].decode()
        at += 0 if number in inside else length
    raise AssertionError(f"no tag {name}")
