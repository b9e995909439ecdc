"""The plain modules in Chromium, unlinked: the vectors that Python and the page share, and mounting and taking down."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
import synthetic
from full import sampled
from hypothesis import given
from hypothesis import strategies as st
from stages import random_state
from whole import STATE, as_json, changed

from gramviz.contract import CONTRACT as SHARED
from gramviz.contract import LAYERS, fits
from gramviz.explorer.link import FRONTEND
from gramviz.explorer.pack import pack
from gramviz.explorer.state import State
from gramviz.explorer.widget import Explorer

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
SITE = "http://gramviz.test/"
CONTRACT, SCHEMAS = FRONTEND.parent / "contract.json", SHARED["state"]


@pytest.fixture(scope="module")
def page(chromium):
    """An empty page from which `import("/steps.js")` works; every request is answered from the folder or refused."""
    context = chromium.new_context(viewport={"width": 1100, "height": 900})

    def answer(route):
        name = route.request.url.removeprefix(SITE)
        if name == "":
            route.fulfill(body="<!doctype html><main></main>", content_type="text/html")
        elif name == CONTRACT.name:
            route.fulfill(path=CONTRACT, content_type="application/json")
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


# A trajectory as the modules see it: boards [step][position], the last one held.
SERIES = """const series = boards => ({
  steps: boards.length,
  tokens: (trajectory, t) => Uint8Array.from(boards[Math.min(t, boards.length - 1)]),
});"""


def call(page, script, *given):
    """Run the body of an async function `(given) => ...`; `load("x.js")` imports a module and `series` makes one."""
    names = "const load = name => import('/' + name);"
    return page.evaluate(f"async given => {{ {names} {SERIES} {script} }}", *given)


def test_parting(page):
    script = """
      const { parting } = await load("steps.js");
      return given.map(c => parting(series(c.a), 0, series(c.b), 0));"""
    expected = [
        c["expect"] and {"step": c["expect"]["index"], "cell": c["expect"]["position"]} for c in cases("parting")
    ]
    assert call(page, script, cases("parting")) == expected


def test_a_share_that_rounds_to_nothing_is_below_the_least(page):
    script = """
      const { percent } = await load("text.js");
      const { words } = await load("words.js");
      const none = words.map.ofAnswers({ share: 0, shear: 0, kind: "pca" }, false);
      return [none, ...given.map(([share, digits]) => percent(share, digits))];"""
    given = [[0.004, 0], [0.004, 1], [0.0004, 1], [0, 0], [0.006, 0], [1, 1]]
    expected = ["answers, not latent: nothing varies", "< 1 %", "0.4 %", "< 0.1 %", "0 %", "1 %", "100.0 %"]
    assert call(page, script, given) == expected


def test_changed(page):
    script = """
      const { changedCells } = await load("cells.js");
      return given.map(c => c.tokens.map((_, t) => changedCells(series(c.tokens), 0, t)));"""
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
        const trajectories = c.tokens.map(board => [series([board]), 0]);
        const counts = [...distribution({ board: { size, tokens: { length: kinds } } }, trajectories, 0)];
        return Array.from({ length: size }, (_, k) => counts.slice(k * kinds, (k + 1) * kinds));
      });"""
    assert call(page, script, cases("distribution")) == [c["expect"] for c in cases("distribution")]


def test_answers(page):
    """Where a board stands on the map and in which lane, and the rows of a score."""
    script = """
      const { boardPlace, laneOf, originOf } = await load("answerspace.js");
      const { scoreRows } = await load("score.js");
      return given.map(({ leaders, radius, kinds, M, mu, boards, path }) => {
        const space = { m: M.flat(), origin: originOf(M.flat(), mu), kinds, cells: [...path[0].keys()] };
        const board = { tokens: Array(9).fill(0), blank: [], exclusive: [] };
        return {
          xy: boards.map(one => boardPlace(space, one)),
          lanes: boards.map(one => laneOf(leaders, radius, one)),
          rows: scoreRows({ space, board }, series(path), 0).map(({ cell }) => cell),
        };
      });"""
    for found, case in zip(call(page, script, cases("answers")), cases("answers"), strict=True):
        assert found == {name: case[name] for name in ("xy", "lanes", "rows")}


def test_python_and_the_page_agree_on_random_states(page):
    """One schema: what Python refuses, the page leaves out."""
    script = """
      const { contract, fits } = await load("contract.js");
      return JSON.parse(given).map(state => {
        const known = Object.entries(Object(state)).filter(([key]) => Object.hasOwn(contract.state, key));
        return known.map(([key, value]) => fits(value, contract.state[key]));
      });"""

    @sampled(10, 500)
    @given(states=st.lists(changed(STATE), min_size=20, max_size=20))
    def agree(states):
        sent = as_json(states)
        known = [one.items() if isinstance(one, dict) else () for one in json.loads(sent)]
        ours = [[fits(value, SCHEMAS[key]) for key, value in state if key in SCHEMAS] for state in known]
        assert call(page, script, sent) == ours

    agree()


def test_state(page):
    script = """
      const { contract, fits } = await load("contract.js");
      return given.map(({ key, value }) => fits(value, contract.state[key]));"""
    for found, case in zip(call(page, script, cases("state")), cases("state"), strict=True):
        assert found == case["legal"], case


def test_text(page):
    """As JSON text, because a lone surrogate cannot travel otherwise."""
    script = """
      const { clean } = await load("text.js");
      return JSON.parse(given).map(({ text, limit }) => clean(text, limit));"""
    assert call(page, script, json.dumps(cases("text"))) == [case["expect"] for case in cases("text")]


def test_extent(page):
    script = """
      const { gridSize } = await load("pair.js");
      return given.map(({ width, tokens }) =>
        gridSize({ width, height: tokens.length / width, blank: [0, 1] }, Uint8Array.from(tokens)));"""
    assert call(page, script, cases("extent")) == [case["expect"] for case in cases("extent")]


def test_band(page):
    script = """
      const { band } = await load("bands.js");
      return given.map(c => {
        const one = { curve: (name, trajectory, t) => c.values[trajectory][t] ?? NaN };
        const lines = band(c.values.map((_, trajectory) => [one, trajectory]), "any", c.values[0].length);
        const plain = line => [...line].map(v => Number.isFinite(v) ? v : null);
        return [lines.low, lines.median, lines.high].map(plain);
      });"""
    for one, case in zip(call(page, script, cases("band")), cases("band"), strict=True):
        for line, values in zip(one, case["expect"], strict=True):
            assert line == [v if v is None else pytest.approx(v, abs=1e-6) for v in values], case["why"]


def test_explain(page):
    boards = json.loads((VECTORS / "explain.json").read_text())["boards"]
    script = """
      const { reasons } = await load("explain.js");
      const { readBoard } = await load("payload.js");
      const [boards, cases] = given;
      return cases.map(({ size, x, before, after }) =>
        [...reasons(readBoard(boards[size]), x, Uint8Array.from(before), Uint8Array.from(after))]);"""
    for found, case in zip(call(page, script, [boards, cases("explain")]), cases("explain"), strict=True):
        assert found == case["expect"], case["why"]


MANY = """const many = boards => ({
  n: boards.length, steps: boards[0].length, tokens: (trajectory, t) => boards[trajectory][t],
});"""


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
      const shown = [model.saves, model.kept.state.board];
      dispose();
      el.remove();
      return [moved, shown];"""
    )
    moved, shown = call(page, script, parcel)
    assert moved == [2, "dark", 0]
    assert shown == [1, "all"]


def test_a_longer_payload_keeps_the_view_and_its_end_but_the_kernel_has_the_last_word(page, parcel):
    growing = [pack(synthetic.sudoku(supervision_steps=steps)) for steps in (3, 4, 5, 6)]
    script = (
        HOST
        + """
      const { model, el, dispose, listeners } = await mount(given[0]);
      const seen = [];
      const feed = async ([meta, data], said) => {
        model.kept = { ...model.kept, meta, data: Uint8Array.from(atob(data), c => c.charCodeAt(0)) };
        if (said) model.kept.state = { ...model.kept.state, ...said };
        const before = el.gramviz;
        for (const listen of listeners["change:data"]) listen();
        while (el.gramviz === before) await frame();
        const { cursor, theme } = el.gramviz.state;
        seen.push([cursor.step, el.gramviz.payload.steps - 1, theme]);
      };
      el.gramviz.set({ theme: "dark" });
      await feed(given[1]); // before the page has shown of the theme
      const shown = () => model.kept.state.cursor?.step === seen[0][0];
      for (let k = 0; k < 100 && !shown(); k += 1) await wait(50);
      seen.push([model.kept.state.cursor.step, model.kept.state.theme]);
      el.gramviz.set({ cursor: { step: 1, low: null } });
      await feed(given[2]);
      await feed(given[3], { cursor: { step: 3, low: null } });
      dispose();
      el.remove();
      return seen;"""
    )
    parts = [[payload.meta, base64.b64encode(payload.data).decode()] for payload in growing]
    end = [payload.meta["series"][0]["steps"] - 1 for payload in growing]
    assert call(page, script, parts) == [
        [end[1], end[1], "dark"],
        [end[1], "dark"],
        [1, end[2], "dark"],
        [3, end[3], "dark"],
    ]


def test_a_failing_part_says_so_and_the_others_work(page, parcel):
    script = (
        HOST
        + """
      const { model, el, dispose } = await mount(given);
      const store = el.gramviz, root = el.shadowRoot, [one] = store.payload.series, { curve } = one;
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


def test_two_hundred_views_survive_json_address_and_python(page, two):
    rng = np.random.default_rng(6)
    states = [random_state(rng, two.meta) for _ in range(200)]
    script = (
        HOST
        + """
      const { el, dispose } = await mount(given[0]);
      const { pythonLine } = await load("python.js");
      const store = el.gramviz;
      const found = given[1].map(state => {
        store.load(state);
        const whole = store.state;
        const address = btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(whole))));
        const back = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(address), c => c.charCodeAt(0))));
        store.load({});
        store.load(back);
        return { whole, again: store.state, line: pythonLine(store.payload, whole, store.start), start: store.start };
      });
      dispose();
      el.remove();
      return found;"""
    )
    for wanted, found in zip(
        states, call(page, script, [[two.meta, base64.b64encode(two.data).decode()], states]), strict=True
    ):
        whole = found["whole"]
        assert {key: whole[key] for key in wanted} == wanted | {
            key: sorted(wanted[key], key=LAYERS.index) for key in ("layers",) if key in wanted
        }
        assert found["again"] == whole
        assert State.from_json(json.dumps(whole)).keys == whole
        explorer = Explorer(two)
        opened = type("gv", (), {"compare": staticmethod(lambda a, b, puzzle, made=explorer: made)})
        eval(found["line"], {"gv": opened, "trm": 0, "gram": 0})
        assert found["start"] | explorer.state == whole  # the line leaves out what the opening view has


OPTIONAL = ["y", "valid", "conflict", "probability", "h", "halt", "value", "halted_at", "solutions_known"]


def test_any_of_nine_variables_may_be_absent(page):
    """Forty of the 512 subsets, drawn once; the single ones and the whole are tested through the keys elsewhere."""
    rng = np.random.default_rng(9)
    whole = synthetic.sudoku(3, supervision_steps=2)
    parcels = []
    for _ in range(40):
        gone = [name for name in OPTIONAL if name in whole and rng.random() < 0.5]
        packed = pack(whole.drop_vars(gone))
        parcels.append([gone, packed.meta, base64.b64encode(packed.data).decode()])
    script = (
        HOST
        + """
      const troubles = [];
      for (const [gone, meta, data] of given) {
        const { model, el, dispose } = await mount([meta, data]);
        const store = el.gramviz;
        for (const state of [
          { cursor: { step: 0, low: null }, board: "all" }, { board: "differ", color_by: "step" },
          { cells: [0, 1], color_by: "cell", layers: ["halo", "labels", "hulls", "trail", "truth"] },
          { lanes: ["certainty", "conflicts", "drift", "halt", "value", "spread"], answers_at: "cursor" },
        ]) { store.set(state); await drawn(); }
        const said = el.shadowRoot.querySelector(".gv").innerText;
        if (model.kept.status || said.includes("This part failed")) troubles.push([gone, model.kept.status]);
        if (gone.includes("probability") && store.payload.series[0].certainty) troubles.push([gone, "certainty"]);
        if (gone.includes("valid") && !said.includes("Outcome unknown")) troubles.push([gone, "outcome"]);
        dispose();
        el.remove();
      }
      return troubles;"""
    )
    assert call(page, script, parcels) == []
