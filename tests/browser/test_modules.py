"""The plain modules in Chromium, unlinked: the vectors that Python and the page share, and mounting and taking down."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from gramviz.link import FRONTEND

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
SITE = "http://gramviz.test/"


@pytest.fixture(scope="module")
def page(chromium):
    """An empty page from which `import("/steps.js")` works; every request is answered from the folder or refused."""
    context = chromium.new_context(viewport={"width": 1100, "height": 900})

    def answer(route):
        name = route.request.url.removeprefix(SITE)
        if name == "":
            route.fulfill(body="<!doctype html><main></main>", content_type="text/html")
        elif (FRONTEND / name).is_file():
            route.fulfill(path=FRONTEND / name, content_type="text/javascript")
        else:
            route.abort()

    context.route("**/*", answer)
    page = context.new_page()
    page.goto(SITE)
    yield page
    context.close()


def cases(name):
    """The cases of one file of vectors."""
    return json.loads((VECTORS / f"{name}.json").read_text())["cases"]


# A path as the modules see it: boards [step][position], the last one held.
RUN = """const run = boards => ({
  steps: boards.length,
  tokens: (path, t) => Uint8Array.from(boards[Math.min(t, boards.length - 1)]),
});"""


def call(page, script, *given):
    """Run the body of an async function `(given) => ...`; `load("x.js")` imports a module and `run` makes a path."""
    names = "const load = name => import('/' + name);"
    return page.evaluate(f"async given => {{ {names} {RUN} {script} }}", *given)


def test_parting(page):
    script = """
      const { parting } = await load("steps.js");
      return given.map(c => parting(run(c.a), 0, run(c.b), 0));"""
    expected = [
        c["expect"] and {"step": c["expect"]["index"], "cell": c["expect"]["position"]} for c in cases("parting")
    ]
    assert call(page, script, cases("parting")) == expected


def test_changed(page):
    script = """
      const { changedCells } = await load("cells.js");
      return given.map(c => c.tokens.map((_, t) => changedCells(run(c.tokens), 0, t)));"""
    expected = [[[k for k, changed in enumerate(row) if changed] for row in c["expect"]] for c in cases("changed")]
    assert call(page, script, cases("changed")) == expected


def test_conflicts(page):
    script = """
      const { opponents } = await load("cells.js");
      const { readBoard } = await load("payload.js");
      return given.map(c => {
        const board = readBoard(c.board);
        return c.tokens.flatMap((_, a) => opponents(board, c.tokens, a).filter(b => b > a).map(b => [a, b]));
      });"""
    assert call(page, script, cases("conflicts")) == [c["expect"] for c in cases("conflicts")]


def test_distribution(page):
    script = """
      const { distribution } = await load("cells.js");
      return given.map(c => {
        const size = c.tokens[0].length, kinds = c.vocabulary;
        const paths = c.tokens.map(board => [run([board]), 0]);
        const counts = [...distribution({ board: { size, tokens: { length: kinds } } }, paths, 0)];
        return Array.from({ length: size }, (_, k) => counts.slice(k * kinds, (k + 1) * kinds));
      });"""
    assert call(page, script, cases("distribution")) == [c["expect"] for c in cases("distribution")]


def test_band(page):
    script = """
      const { band } = await load("bands.js");
      return given.map(c => {
        const one = { curve: (name, path, t) => c.values[path][t] ?? NaN };
        const lines = band(c.values.map((_, path) => [one, path]), "any", c.values[0].length);
        const plain = line => [...line].map(v => Number.isFinite(v) ? v : null);
        return [lines.low, lines.median, lines.high].map(plain);
      });"""
    for one, case in zip(call(page, script, cases("band")), cases("band"), strict=True):
        for line, values in zip(one, case["expect"], strict=True):
            assert line == [v if v is None else pytest.approx(v, abs=1e-6) for v in values], case["why"]


def test_lasso_hull_and_camera(page):
    script = """
      const { hull, inside } = await load("draw.js");
      const { zoomed } = await load("planes.js");
      const dented = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]];
      const box = { x: 0, y: 0, width: 200, height: 100 };
      return [
        [[1, 1], [3.9, 3], [2, 3], [-1, 1], [2, 0.5]].map(point => inside(dented, ...point)),
        hull([[0, 0], [2, 0], [1, 1], [2, 2], [0, 2], [1, 0]]).sort(),
        zoomed(zoomed(null, box, 150, 20, 4), box, 150, 20, 0.25),
      ];"""
    within, corners, camera = call(page, script)
    assert within == [True, True, False, False, True]
    assert corners == [[0, 0], [0, 2], [2, 0], [2, 2]]
    assert camera == pytest.approx({"x": 0, "y": 0, "k": 1})


def test_python_literals_are_legal(page):
    values = [None, True, 'a"b\\\n', "\U0001f600 é \u202e", {"k": [1, 2.5, {"x": False}]}]
    lines = call(page, "return given.map((await load('python.js')).literal);", values)
    assert [eval(line) for line in lines] == values


# A host like a notebook's: a model with listeners, which counts what it was asked to save.
HOST = """
const mount = async ([meta, data]) => {
  const widget = (await load("widget.js")).default;
  const listeners = {};
  const model = {
    kept: { meta, data: Uint8Array.from(atob(data), c => c.charCodeAt(0)), state: {}, status: "" },
    saves: 0,
    get(k) { return this.kept[k]; },
    set(k, v) { this.kept[k] = v; },
    on(e, f) { (listeners[e] ??= []).push(f); },
    off(e, f) { listeners[e] = listeners[e].filter(g => g !== f); },
    save_changes() { this.saves += 1; },
  };
  const el = document.querySelector("main").appendChild(document.createElement("div"));
  const life = new AbortController();
  const dispose = await widget.render({ model, el, signal: life.signal });
  await drawn();
  return { model, el, life, dispose, listeners };
};
const frame = () => new Promise(requestAnimationFrame);
const drawn = async () => { await frame(); await frame(); };
const wait = ms => new Promise(done => setTimeout(done, ms));
"""


@pytest.fixture
def parcel(low):
    """The payload as a page can take it."""
    return [low.meta, base64.b64encode(low.data).decode()]


def test_mounting_and_taking_down_leaves_nothing(page, parcel):
    session = page.context.new_cdp_session(page)

    def counters():
        session.send("HeapProfiler.collectGarbage")
        found = session.send("Memory.getDOMCounters")
        return found["nodes"], found["jsEventListeners"]

    script = (
        HOST
        + """
      for (let k = 0; k < 8; k += 1) {
        const { el, life, dispose, listeners } = await mount(given);
        el.shadowRoot.querySelector(".play").click();
        await frame();
        if (k % 3 !== 0) life.abort(); // a host may abort, call what render returned, or both
        if (k % 3 !== 1) dispose();
        const left = [el.gramviz, el.shadowRoot.childElementCount, Object.values(listeners).flat().length];
        if (left.some(Boolean)) throw Error(`left behind: ${left}`);
        el.remove();
      }"""
    )
    call(page, script, parcel)
    before = counters()
    call(page, script, parcel)
    after = counters()
    assert after[0] - before[0] < 150, "the nodes of eight widgets would be thousands"
    assert after[1] - before[1] < 20


def test_the_kernel_moves_the_view_without_an_echo(page, parcel):
    script = (
        HOST
        + """
      const { model, el, dispose, listeners } = await mount(given);
      model.kept.state = { cursor: { step: 2, low: null }, theme: "dark" };
      for (const listen of listeners["change:state"]) listen();
      await wait(450);
      const moved = [el.gramviz.state.cursor.step, el.gramviz.state.theme, model.saves];
      el.gramviz.set({ board: "all" });
      for (let k = 0; k < 100 && !model.saves; k += 1) await wait(50);
      await wait(300);
      const told = [model.saves, model.kept.state.board];
      dispose();
      el.remove();
      return [moved, told];"""
    )
    moved, told = call(page, script, parcel)
    assert moved == [2, "dark", 0]
    assert told == [1, "all"]


def test_a_failing_part_says_so_and_the_others_work(page, parcel):
    script = (
        HOST
        + """
      const { model, el, dispose } = await mount(given);
      const store = el.gramviz, root = el.shadowRoot, [one] = store.payload.runs, { curve } = one;
      one.curve = () => { throw Error("no <b>numbers</b>"); };
      store.set({ lanes: ["conflicts"] });
      await drawn();
      one.curve = curve;
      store.set({ cursor: { step: 0, low: null } });
      await drawn();
      const said = root.querySelector(".lanes [role=alert]").textContent;
      const found = [said, model.kept.status, root.querySelector(".readout").textContent];
      dispose();
      el.remove();
      return found;"""
    )
    said, status, readout = call(page, script, parcel)
    assert said == "This part failed: no <b>numbers</b>. The others still work."
    assert status.startswith(said)
    assert readout.startswith("Init")
