"""A frozen page that runs models: what a person types is computed in Chromium, with the numbers of torch."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import torch
from stages import ShownPage, rewritten

import gram as engine
import gramviz as gv
from gram import rollout
from gram.inference.philox import PhiloxNoise
from gram.run_folder import find, settings
from gramviz.explorer.freeze import freeze
from gramviz.explorer.pack import pack

MODELS = ["nqueens8-trm", "nqueens8-gram"]
CORNER = "Q......./" + "/".join(["........"] * 7)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Says nothing."""


QUICK = {"trajectories": 4, "depth": 5, "seed": 9}


@pytest.fixture(scope="module")
def thinking():
    """The page of a recorded run of 8 queens that carries TRM and GRAM."""
    return freeze(pack(engine.sample(MODELS[1], 1, trajectories=4, supervision_steps=4)), models=MODELS)


def field(shown, name):
    return shown.page.locator(f"[data-field={name}]")


def status(shown):
    return shown.page.locator(".yours > .fields [role=status]").inner_text()


def choose(shown, **settings):
    for name, value in settings.items():
        field(shown, name).fill(str(value))
        field(shown, name).dispatch_event("change")


def ended(shown):
    shown.until(
        f"/^(Done|Stopped|This browser|The comp)/.test({shown.root}.querySelector('.yours [role=status]').textContent)"
    )
    shown.drawn()


def boards(shown, letter):
    """The tokens [trajectory, step, position] of a series as the page shows them."""
    script = """letter => {
      const s = document.querySelector('main').gramviz.payload.series.find(s => s.letter === letter);
      return Array.from({ length: s.n }, (_, i) => Array.from({ length: s.steps }, (_, t) => [...s.tokens(i, t)])); }"""
    return np.array(shown.page.evaluate(script, letter))


def expected(name, text, trajectories, depth, seed):
    """What torch makes of it, with the weights and the noise of the page."""
    checkpoint = engine.load(name)
    model = checkpoint.model
    model.load_state_dict({key: part.half().to(part.dtype) for key, part in model.state_dict().items()})
    x = torch.from_numpy(np.stack([checkpoint.task.parse(text)] * trajectories).astype(np.int64))
    state, noise = model.init(x), PhiloxNoise([(seed, 0, k) for k in range(trajectories)])
    found = [model.decode(state).tokens]
    for _ in range(depth):
        state, _ = model.step(state, noise)
        found.append(model.decode(state).tokens)
    return torch.stack(found, 1).numpy()


def test_a_puzzle_typed_by_keyboard_is_computed_as_torch_does(show, thinking, one_thread):
    shown = show(thinking)
    field(shown, "open").focus()
    shown.page.keyboard.press("Enter")
    choose(shown, **QUICK)
    field(shown, "clear").focus()
    shown.page.keyboard.press("Enter")
    shown.part("board").focus()
    shown.page.keyboard.press("ArrowRight")  # the first arrow chooses the first cell
    while "r1c1" not in shown.state["cells"] and shown.state["cells"] != [0]:
        shown.page.keyboard.press("ArrowLeft")
    shown.page.keyboard.press("q")
    shown.until(f"{shown.root}.querySelector('[data-field=text]').value.startsWith('Q.......')", 15)
    shown.until(f"{shown.root}.querySelector('.typing [role=status]').textContent.includes('several solutions')")
    field(shown, "run").focus()
    shown.page.keyboard.press("Enter")
    ended(shown)
    assert status(shown).startswith("Done: 5 steps")
    assert (boards(shown, "A") == expected(MODELS[0], CORNER, 1, QUICK["depth"], QUICK["seed"])).all()
    assert (
        boards(shown, "B") == expected(MODELS[1], CORNER, QUICK["trajectories"], QUICK["depth"], QUICK["seed"])
    ).all()
    deeper = shown.page.evaluate(f"{shown.host}.gramviz.payload.series.map((one) => one.depth)")
    assert deeper == [settings(find(name))["inference"]["supervision_steps"] for name in MODELS]  # than 5 steps
    # The page was built anew with each step, and the focus is where the next key is wanted.
    assert shown.page.evaluate(f"{shown.root}.getRootNode().activeElement.outerHTML.slice(0, 99)").startswith(
        '<button data-field="open"'
    )
    # What is edited on the board afterwards is run as well, as a kernel would.
    shown.page.keyboard.press("Enter")
    field(shown, "text").fill("no board")
    assert field(shown, "text").get_attribute("aria-invalid") == "true"
    field(shown, "text").fill(CORNER.replace("/", "\n").replace("Q", "."))
    assert field(shown, "text").get_attribute("aria-invalid") == "false"
    shown.part("board").focus()
    shown.page.keyboard.press("Enter")
    ended(shown)
    assert shown.page.evaluate(f"{shown.host}.gramviz.payload.x.includes(2)") is False
    field(shown, "back").click()
    shown.until(f"{shown.host}.gramviz.payload.series[0].steps === 5 && {shown.host}.gramviz.payload.series[0].n === 4")
    assert boards(shown, "A").shape == (4, 5, 64)


def link(run, **view):
    return "#v=" + base64.urlsafe_b64encode(json.dumps(view | {"run": run}).encode()).decode().rstrip("=")


def test_a_link_runs_its_puzzle_again_and_the_result_is_a_rollout(show, thinking, one_thread, tmp_path):
    asked = {"text": CORNER, "model": MODELS[1], "noise": 1, **QUICK}
    shown = show(thinking, hash=link(asked, cursor={"step": 2, "low": None}, focus=["A", 3]))
    ended(shown)
    known = expected(MODELS[1], CORNER, QUICK["trajectories"], QUICK["depth"], QUICK["seed"])
    assert (boards(shown, "A") == known).all()
    assert (shown.state["cursor"]["step"], shown.state["focus"]) == (2, ["A", 3])
    name, content = shown.export(f"Rollout of {MODELS[1]}")
    assert name == f"8-queens-puzzle-1-step-2.{MODELS[1]}.npz"
    (tmp_path / name).write_bytes(content)
    saved = rollout.load(tmp_path / name)
    assert (saved["tokens"].values[0] == known).all()
    assert saved.attrs.items() >= {"seed": 9, "checkpoint": engine.load(MODELS[1]).digest}.items()
    assert gv.explore(tmp_path / name).payload.meta["series"][0]["trajectories"] == QUICK["trajectories"]
    # The address holds puzzle and view: opened again, it is the same.
    shown.set(cursor={"step": 4, "low": None})
    shown.page.evaluate(f"{shown.store}.flush()")
    again = show(thinking, hash=shown.page.evaluate("location.hash"))
    ended(again)
    assert (boards(again, "A") == known).all()
    assert again.state["cursor"]["step"] == 4
    # The recorded run has an address without; and so has a link that nobody can read.
    field(again, "back").click()
    again.until(f"{again.store}.payload.series[0].steps === 5")
    again.set(cursor={"step": 1, "low": None})
    again.page.evaluate(f"{again.store}.flush()")
    assert "run" not in base64.urlsafe_b64decode(again.page.evaluate("location.hash.slice(3)") + "==").decode()
    for text in ("Q", None, {"__proto__": 1}):
        odd = show(thinking, hash=link(asked | {"text": text}))
        assert status(odd) == "The puzzle of this link cannot be read; the recorded run is shown."


ROWS = ["........"] * 8
RULED = """
+-------+-------+-------+
| 5 3 . | . 7 . | . . . |
| 6 . . | 1 9 5 | . . . |
| . 9 8 | . . . | . 6 . |
+-------+-------+-------+
| 8 . . | . 6 . | . . 3 |
| 4 . . | 8 . 3 | . . 1 |
| 7 . . | . 2 . | . . 6 |
+-------+-------+-------+
| . 6 . | . . . | 2 8 . |
| . . . | 4 1 9 | . . 5 |
| . . . | . 8 . | . 7 9 |
+-------+-------+-------+
"""
CLUES = "000000010400000000020000000000050407008000300001090000300400200050100000000806000"
# What somebody types: what the page says of it, and whether it can be run.
TYPED = {
    "sudoku9-trm": [
        (CLUES, "one solution", True),
        (RULED, "one solution", True),
        (str([[int(digit) for digit in CLUES[at : at + 9]] for at in range(0, 81, 9)]), "one solution", True),
        ("", "rows of no characters; this board needs 9 rows of 9, or all 81 in one line", False),
        ("." * 81, "several solutions", True),
        ("55" + "." * 79, "2 givens break a rule; the models may still be run", True),
        ("12345678." + "." * 8 + "9" + "." * 63, "no solution; the models may still be run", True),
        (CLUES + "1", "rows of 82 characters", False),
        (CLUES.replace("4", "four", 1), "rows of 84 characters", False),
        ("k" + CLUES[1:], 'row 1, column 1 holds "k"; write 1', False),
        (CLUES.replace("1", "１", 1), 'row 1, column 8 holds "１"', False),
        (CLUES.replace("1", "𝟏", 1), 'row 1, column 8 holds "𝟏"', False),
        ("1...\n..2.\n.3..\n...4", "rows of 4, 4, 4, 4 characters", False),
        ("1" * 10_000, "rows of 10000 characters", False),
        ("1" * 1_000_000, "This has 1000000 characters, and one puzzle at most 10000", False),
    ],
    MODELS[0]: [
        ("Q7/8/8/8/8/8/8/8", "several solutions", True),
        ("[0, 4, 7, 5, 2, 6, 1, 3]", "one solution", True),
        ("QQ" + "." * 62, "2 givens break a rule", True),
        ("\n".join(["Q.......", "..Q.....", "....Q...", *ROWS[3:]]), "no solution", True),
        ("\n".join(" ".join(row) for row in ROWS), "several solutions", True),
        ("K7/8/8/8/8/8/8/8", 'row 1, column 1 holds "K"; write Q', False),
        ("[0, 8]", "The list has 2 columns; this board needs 8", False),
        ("[0, 8, 7, 5, 2, 6, 1, 3]", "Column 8 is not on this board", False),
    ],
    "coloring8-trm": [
        ("c a triangle\np edge 8 3\ne 1 2\ne 2 3\ne 3 1", "several solutions", True),
        ("1-2 1-3 1-4 2-3 2-4 3-4", "no solution", True),
        ("1-2 1=B 2=B", "2 givens break a rule", True),
        ("p edge 10 1\ne 1 2", "The graph has 10 nodes; this board has 8.", False),
        ("1-2 2-9", "9 is not a node of this graph; its nodes are 1 to 8.", False),
        ("1-2 1=A", '"A" is not a color of this task; known: B blue, G green, Y yellow.', False),
        ("1-2 3-3", "3-3 joins node 3 to itself; an edge needs two nodes.", False),
        ("hello", '"hello" is neither an edge, as 1-2, nor a color, as 1=B.', False),
    ],
}


@pytest.mark.parametrize("model", TYPED)
def test_whatever_is_typed_is_judged_at_once_and_run_where_it_can_be(show, model):
    shown = show(freeze(pack(engine.sample(model, 0, supervision_steps=2)), models=[model]))
    task = engine.load(model).task
    said = shown.part("details").inner_text()
    field(shown, "open").click()
    assert shown.part("details").inner_text() == said  # what is typed changes nothing that was computed
    for text, sentence, runs in TYPED[model]:
        choose(shown, depth=1)
        field(shown, "text").fill(text)
        shown.until(f"{shown.root}.querySelector('.typing [role=status]').textContent.includes({sentence!r})", 15)
        before = shown.page.evaluate(f"{shown.store}.payload.x")
        field(shown, "text").press("Control+Enter")
        if runs:
            ended(shown)
            x = shown.page.evaluate(f"{shown.store}.payload.x")
            assert "givens break" in sentence or x == task.parse(text).tolist()[: len(x)]
            field(shown, "open").click()
        else:
            assert field(shown, "text").input_value() == text
            assert shown.page.evaluate(f"{shown.store}.payload.x") == before
    if model == "coloring8-trm":  # the edges that are typed are drawn, not those of the run that is shown
        pictures = set()
        for text in ("1-2", "3-4", "no edges"):
            field(shown, "text").fill(text)
            shown.drawn()
            pictures.add(shown.pixels("[data-part=board] canvas"))
        assert len(pictures) == 3


def test_keys_alone_suffice_on_a_page_of_a_phones_size(show, thinking):
    shown = show(thinking, width=390, height=800)
    keyboard = shown.page.keyboard

    def tab_to(name, key="Tab"):
        for _ in range(30):
            keyboard.press(key)
            if shown.page.evaluate(f"{shown.host}.shadowRoot.activeElement?.dataset.field") == name:
                return
        raise AssertionError(f"{key} never comes to {name}")

    tab_to("open")
    keyboard.press("Enter")
    shown.drawn()
    tab_to("text", "Shift+Tab")  # the board has the focus meanwhile, where cells can be typed
    for name, text in {"text": "Q7/8/8/8/8/8/8/8", "depth": "3"}.items():
        tab_to(name) if name != "text" else None
        keyboard.press("Control+a")
        keyboard.type(text)
    wide = shown.page.evaluate(
        f"[...{shown.root}.querySelectorAll('.yours :is(button, input, select, textarea)')]"
        ".map(one => one.getBoundingClientRect()).filter(box => box.width).map(box => [box.left, box.right])"
    )
    assert len(wide) >= 9
    assert all(0 <= left < right <= 390 for left, right in wide)
    assert shown.page.evaluate("document.documentElement.scrollWidth") == 390
    tab_to("run")
    keyboard.press("Enter")
    ended(shown)
    assert boards(shown, "A").shape == (1, 4, 64)
    assert shown.page.evaluate(f"{shown.store}.payload.x.indexOf(2)") == 0


def framed(html, policy=""):
    """A report that shows a page."""
    head = f"<meta http-equiv='Content-Security-Policy' content=\"{policy}\">" if policy else ""
    frame = f'<iframe sandbox="allow-scripts" style="width: 1000px; height: 900px" srcdoc="{escape(html)}"></iframe>'
    return f"<!doctype html><html><head>{head}</head><body>{frame}</body></html>"


def test_a_file_a_server_and_the_sandboxed_frame_of_a_report_give_the_same(chromium, thinking, tmp_path):
    forbidden = framed(thinking, "script-src 'unsafe-inline'; worker-src blob:")
    for name, html in {"page": thinking, "report": framed(thinking), "forbidden": forbidden}.items():
        (tmp_path / f"{name}.html").write_text(html, encoding="utf-8")
    handler = partial(QuietHandler, directory=tmp_path)
    results = []
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, closing(chromium.new_context()) as context:
        Thread(target=server.serve_forever, daemon=True).start()
        file, http = tmp_path.as_uri(), f"http://127.0.0.1:{server.server_port}"
        page = context.new_page()
        for address in (f"{file}/page", f"{http}/page", f"{file}/report", f"{http}/report", f"{file}/forbidden"):
            page.goto(f"{address}.html")
            shown = ShownPage(page.frames[-1])
            shown.opened()
            field(shown, "open").click()
            choose(shown, **QUICK)
            field(shown, "text").fill(CORNER)
            field(shown, "text").press("Control+Enter")
            ended(shown)
            if address.endswith("forbidden"):
                assert status(shown).startswith("This browser does not let the page compute"), address
            else:
                assert status(shown).startswith("Done: 5 steps"), address
                moved = f"{shown.store}.payload.series.map(s => [...s.curves.drift.values].map(String))"
                results.append([boards(shown, "A").tolist(), boards(shown, "B").tolist(), shown.page.evaluate(moved)])
        server.shutdown()
    assert all(result == results[0] for result in results)


def test_a_run_can_be_stopped_and_a_browser_that_cannot_compute_says_so(show, thinking):
    shown = show(thinking)
    field(shown, "open").click()
    choose(shown, trajectories=100, depth=64)
    field(shown, "run").click()
    shown.until(f"/^Step/.test({shown.root}.querySelector('.yours [role=status]').textContent)")
    shown.page.evaluate(  # pressed while the next steps are packed, which then come no more
        f"""(Stream => {{
          CompressionStream = function (name) {{
            CompressionStream = Stream;
            const stop = {shown.root}.querySelector('[data-field=stop]');
            stop.dispatchEvent(new PointerEvent('pointerdown', {{ bubbles: true }}));
            return new Stream(name);
          }};
        }})(CompressionStream)"""
    )
    shown.until(f"/^Stopped/.test({shown.root}.querySelector('.yours [role=status]').textContent)")
    shown.page.wait_for_timeout(500)
    steps = shown.page.evaluate(f"{shown.host}.gramviz.payload.series[0].steps - 1")
    assert status(shown).startswith(f"Stopped after {steps} step")
    shown = show(rewritten(thinking, {"const parcel =": "delete globalThis.WebAssembly; const parcel ="}))
    field(shown, "open").click()
    field(shown, "run").click()
    ended(shown)
    assert status(shown).startswith("This browser does not let the page compute")
    assert shown.page.evaluate(f"{shown.host}.gramviz.payload.series[0].n") == 4


def test_the_recorded_run_comes_back_without_a_warning(show):
    """Its view names a trajectory and a step that the shorter run that goes does not have."""
    run = pack(engine.sample(MODELS[1], 1, trajectories=9, supervision_steps=9))
    shown = show(freeze(run, state={"focus": ["A", 8], "cursor": {"step": 9, "low": None}}, models=MODELS))
    warned = []
    shown.page.on("console", lambda message: message.type == "warning" and warned.append(message.text))
    shown.page.locator("summary", has_text="where the recorded run comes from").wait_for()
    field(shown, "open").click()
    choose(shown, trajectories=2, depth=3)
    field(shown, "run").click()
    shown.until(f"!{shown.root}.querySelector('[data-field=back]').hidden")
    field(shown, "back").click()
    shown.until(f"{shown.host}.gramviz.payload.series[0].n === 9")
    assert (shown.state["focus"], shown.state["cursor"]["step"], warned) == (["A", 8], 9, [])


def test_the_buttons_of_a_typed_puzzle_stand_above_the_transport(show):
    page = show(freeze(pack(engine.sample("sudoku9-gram", "." * 81, trajectories=1)), models=["sudoku9-gram"]))
    page.page.set_viewport_size({"width": 1000, "height": 700})
    field(page, "open").click()
    button = page.page.get_by_role("button", name="blank").bounding_box()
    assert button["y"] + button["height"] <= page.page.locator(".foot").bounding_box()["y"]


def test_a_stroke_becomes_digits_that_nobody_calls_right(show, one_thread):
    """A cell clicked and a key for ink, and the rest drawn by the model, with the numbers of torch."""
    name = "digits-pixels-gram"
    made = pack(engine.sample(name, trajectories=2, supervision_steps=2))
    shown = show(freeze(made, models=[name], state={"sheet": "samples"}))
    tiles = shown.page.locator(".gallery:not([hidden])")
    assert tiles.count() == 1
    field(shown, "open").click()
    shown.drawn()
    assert tiles.count() == 0  # the board is wanted
    assert field(shown, "open").inner_text() == "Your picture"
    choose(shown, trajectories=6, depth=4, seed=3)
    shown.part("board").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "1"):
        shown.page.keyboard.press(key)
    shown.until(f"{shown.root}.querySelector('[data-field=text]').value.includes('#')")
    shown.until(f"{shown.root}.querySelector('.typing [role=status]').textContent.startsWith('Any picture')")
    text = field(shown, "text").input_value()
    field(shown, "run").click()
    ended(shown)
    assert status(shown).startswith("Done: 4 steps")
    assert (boards(shown, "A") == expected(name, text, 6, 4, 3)).all()
    series = f"{shown.host}.gramviz.payload.series[0]"
    assert shown.page.evaluate(f"[0, 1, 2, 3, 4, 5].map(k => {series}.outcome(k))") == [4] * 6  # drawn
    assert tiles.count() == 1
    assert shown.page.evaluate(f"{shown.root}.textContent.includes('neither right nor wrong')")
    field(shown, "open").click()
    field(shown, "text").fill(text.replace("#", "x"))
    shown.until(f"{shown.root}.querySelector('.typing [role=status]').textContent.includes('holds \"x\"')")


def test_only_a_page_that_computes_may_compile(thinking):
    plain = freeze(thinking.payload)
    assert "wasm-unsafe-eval" in thinking.split("</head>")[0]
    assert "worker-src blob:" in thinking.split("</head>")[0]
    assert "wasm-unsafe-eval" not in plain.split("</head>")[0]
    assert len(thinking.encode()) - len(plain.encode()) < 60_000 + 4 * (99_072 + 74_496) / 3 + 10_000  # kernel, weights
