"""What a page asks of a kernel: branches, another puzzle, a further series, the plane of a cell.

A frozen page says what it would take; in JupyterLab a real kernel answers, with a real model where one is needed.
"""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from lab_server import PATIENCE, jupyter, open_notebook, run_cell, write_notebook
from lab_server import SHOWN as EL
from stages import HOST

from gramviz.explorer.freeze import freeze
from gramviz.explorer.link import link

# A model that is not done before the page tells of its view, 150 ms after a gesture.
SOURCE = """\
import time
import gram, gramviz as gv
def rerun(*given, **how):
    time.sleep(0.4)
    return gram.rerun(*given, **how, checkpoints=[{checkpoint!r}])
data = gram.sample({checkpoint!r}, 1, trajectories=9, supervision_steps=3, seed=4, record=gram.Record(l=True))
explorer = gv.explore(data, rerun=rerun)
explorer"""
BESIDE = """\
from functools import partial
import gram, gramviz as gv
from gramviz import measure
data = gram.sample({checkpoint!r}, 1, trajectories=6, supervision_steps=3, seed=4)
trm = gram.sample({trm!r}, 1, trajectories=1, supervision_steps=3, seed=4)
rerun = partial(gram.rerun, checkpoints=[{checkpoint!r}])
explorer = gv.explore(data, others={{"TRM, lent": trm}}, rerun=rerun)
explorer"""
PLANE = """\
print("shares", [round(float(share), 4) for share in measure.project([data], "cell9", late=True).variance], "end")"""
CHECK = """\
series, x = explorer.meta["series"], explorer.meta["x"]
print("view", *(explorer.state.get(key) for key in ("focus", "lanes")))
print("found", [one["name"] for one in series], x == data["x"].values[0].tolist(), sum(x), "end")"""


def test_a_frozen_page_says_what_it_would_take(show, two):
    shown = show(freeze(two))
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("v")
    for role, name in (("menuitemcheckbox", "Edit the puzzle"), ("menuitem", "Branch B #11 from 16.2")):
        entry = shown.page.get_by_role(role, name=name)
        assert entry.is_disabled()
        assert entry.get_attribute("aria-description") == "Needs a kernel: open the rollout in JupyterLab."
    assert shown.page.get_by_role("menuitem", name="half way").count() == 0
    assert shown.text().count("Needs a kernel: open the rollout in JupyterLab.") == 3


@pytest.fixture
def hosted(show, low):
    """`hosted(asks)` shows a small Sudoku with a kernel that only listens."""

    def open_page(asks):
        shown = show("<!doctype html><main></main>", ready=False)
        shown.page.evaluate(HOST, [link(), low.meta, base64.b64encode(low.data).decode(), asks])
        shown.drawn()
        return shown

    return open_page


def pick(shown, name):
    """Choose an entry of View by the keyboard alone."""
    shown.page.evaluate("document.querySelector('main').shadowRoot.querySelector('.gv').focus()")
    shown.page.keyboard.press("v")
    entry = shown.page.locator("[role^=menuitem]", has_text=name)
    entry.focus()
    shown.page.keyboard.press("Enter")
    shown.drawn()


def test_a_kernel_without_a_model_says_how_to_lend_one(hosted):
    shown = hosted([])
    shown.page.get_by_role("button", name="View").click()
    entry = shown.page.get_by_role("menuitemcheckbox", name="Edit the puzzle")
    assert entry.is_disabled()
    assert entry.get_attribute("aria-description") == "Needs a model: gv.explore(rollout, rerun=gram.rerun)"


def test_branches_are_asked_for_in_words_and_answers_are_said(hosted):
    shown = hosted(["branch", "each", "tree"])
    shown.page.evaluate("document.querySelector('main').gramviz.set({focus: ['A', 3], cursor: {step: 5, low: 2}})")
    shown.drawn()
    pick(shown, "Branch A #3 from 3.1")
    (first,) = shown.page.evaluate("sent")
    assert {key: first[key] for key in ("ask", "series", "trajectory", "step")} == {
        "ask": "branch", "series": "A", "trajectory": 3, "step": 5,
    }  # fmt: skip
    assert "Asking the kernel" in shown.text()
    shown.page.evaluate("answer({id: 'another', say: 'not for us'})")
    shown.page.evaluate("id => answer({id, busy: true})", first["id"])
    shown.drawn()
    assert "The model is at work" in shown.text()
    shown.page.evaluate("id => answer({id, ok: false, say: '<img src=x onerror=alert(1)> no'})", first["id"])
    shown.drawn()
    assert "<img src=x onerror=alert(1)> no" in shown.text()
    pick(shown, "… one deviation along PC 2")
    assert shown.page.evaluate("sent.at(-1).nudge") == [2, 1]
    shown.page.get_by_role("button", name="View").click()
    entry = shown.page.get_by_role("menuitem", name="… half way to the pinned trajectory")
    assert entry.is_disabled()
    assert entry.get_attribute("aria-description") == "Pin another trajectory of the same model first (P)."
    shown.page.keyboard.press("Escape")
    shown.set(pinned=["A", 1])  # drawn, so the menu is closed: one opened in the same frame would have its old entries
    pick(shown, "… half way to A #1")
    assert shown.page.evaluate("[sent.at(-1).patch, sent.at(-1).by]") == [["A", 1], 0.5]
    shown.set(cells=[1, 6])
    shown.page.get_by_role("button", name="Patch").click()
    shown.page.get_by_role("menuitem", name="Patch r1c2, r2c3 from A #1").click()
    asked = shown.page.evaluate("sent.at(-1)")
    assert [asked[key] for key in ("ask", "series", "trajectory", "step", "patch", "cells")] == [
        "branch", "A", 3, 5, ["A", 1], [1, 6],
    ]  # fmt: skip
    shown.page.get_by_role("button", name="Patch").click()
    shown.page.get_by_role("menuitem", name="Patch each cell in turn from A #1").click()
    assert shown.page.evaluate("sent.at(-1).ask") == "each"


EFFECT = {
    "series": "A", "trajectory": 3, "at": "3.1", "source": "A #1",
    "values": [0.0, 1.0, -0.25, *[0.1] * 13], "changed": [0, 4, *[0] * 14],
}  # fmt: skip
TREE = [
    {"name": "why", "cause": "A #3: row 1, column 2 patched from A #1 at 3.1", "outcome": "5 of 8 right", "letter": "A",
     "pinned": False, "depth": 1},
    {"name": "<i>deeper</i>", "cause": "why, #0: noise x 2 at 3.2", "outcome": "0 of 8 right", "letter": None,
     "pinned": True, "depth": 2},
]  # fmt: skip


def test_the_effect_of_each_cell_is_on_the_board_and_the_tree_is_tended(hosted):
    shown = hosted(["branch", "each", "tree"])
    shown.set(focus=["A", 3], cursor={"step": 5, "low": None}, cells=[])
    before = shown.pixels("[data-part=board] canvas")
    assert shown.page.get_by_role("list", name="Branches").count() == 0
    shown.page.evaluate("effect => keep('effect', effect)", EFFECT)
    shown.drawn()
    assert shown.pixels("[data-part=board] canvas") != before
    legend = shown.page.locator(".board .legend").inner_text()
    assert "effect of patching from A #1 at 3.1" in legend
    assert "1.00" in legend
    assert "−1.00" in legend, "both ends of the colors"
    shown.page.evaluate("document.querySelector('main').gramviz.set({cells: [1]})")
    shown.drawn()
    assert "Patching row 1, column 2 from A #1: effect 1.00, 4 cells of the answer changed." in shown.text()
    shown.set(focus=["A", 2], cells=[])
    assert "effect of patching" not in shown.text(), "it is of one trajectory"
    shown.page.evaluate("tree => keep('tree', tree)", TREE)
    shown.drawn()
    rows = shown.page.get_by_role("list", name="Branches").get_by_role("listitem")
    assert rows.count() == 2
    assert "A #3: row 1, column 2 patched from A #1 at 3.1; 5 of 8 right" in rows.nth(0).inner_text()
    assert "<i>deeper</i>" in rows.nth(1).inner_text()
    assert rows.nth(1).get_by_role("button", name="Pin").get_attribute("aria-pressed") == "true"
    for act in ("Compare", "Pin", "Delete"):
        rows.nth(1).get_by_role("button", name=act).focus()
        shown.page.keyboard.press("Enter")
        asked = shown.page.evaluate("sent.at(-1)")
        assert (asked["ask"], asked["act"], asked["name"]) == ("tree", act.lower(), "<i>deeper</i>")
    rows.nth(0).get_by_role("button", name="Rename").focus()
    shown.page.keyboard.press("Enter")
    shown.page.keyboard.type("a better name")  # whose letters are keys elsewhere
    shown.page.keyboard.press("Enter")
    asked = shown.page.evaluate("sent.at(-1)")
    assert (asked["act"], asked["name"], asked["to"]) == ("rename", "why", "a better name")
    shown.page.evaluate("id => answer({id, ok: true, say: ''})", asked["id"])
    shown.drawn()
    assert "Asking the kernel" not in shown.text()


def test_a_puzzle_is_edited_by_keys_alone(hosted, low):
    shown = hosted(["branch", "each", "tree"])
    x = np.array(low.meta["x"])
    given, free = int(np.flatnonzero(x != 1)[0]), int(np.flatnonzero(x == 1)[0])
    state = "document.querySelector('main').gramviz.state"
    before = shown.pixels("[data-part=board] canvas")
    pick(shown, "Edit the puzzle")
    assert shown.page.get_by_role("region", name="Edit the puzzle").is_visible()
    assert shown.pixels("[data-part=board] canvas") != before, "what is given, not an answer"
    shown.page.keyboard.press("Enter")
    shown.drawn()
    assert "Nothing is changed yet." in shown.text()
    shown.page.keyboard.press("3")
    shown.drawn()
    assert "Choose a cell first." in shown.text()
    shown.page.evaluate(f"document.querySelector('main').gramviz.set({{cells: [{free}]}})")
    shown.page.keyboard.press("3")
    shown.drawn()
    assert "1 cell changed." in shown.text()
    assert shown.page.evaluate(f"{state}.token") is None, "a digit filters nothing now"
    cell = shown.page.locator(f"[role=gridcell]#cell{free}")
    shown.page.evaluate(f"document.querySelector('main').gramviz.set({{cells: [{given}]}})")
    shown.page.keyboard.press("0")
    shown.drawn()
    assert "2 cells changed." in shown.text()
    shown.page.keyboard.press(low.meta["board"]["tokens"][x[given]]["symbol"])  # and back
    shown.drawn()
    assert "1 cell changed." in shown.text()
    assert cell.count() == 1
    shown.page.keyboard.press("Enter")
    shown.drawn()
    (asked,) = shown.page.evaluate("sent")
    assert asked["ask"] == "branch"
    assert asked["edit"] == {str(free): "3"}
    assert "trajectory" not in asked, "the whole series is drawn anew"
    assert shown.page.get_by_role("region", name="Edit the puzzle").count() == 0
    pick(shown, "Edit the puzzle")
    shown.page.keyboard.press("Escape")
    shown.drawn()
    assert shown.page.get_by_role("region", name="Edit the puzzle").count() == 0
    assert len(shown.page.evaluate("sent")) == 1


def test_a_silent_kernel_is_told_of(hosted):
    shown = hosted(["branch", "each", "tree"])
    shown.page.evaluate("const wait = setTimeout; window.setTimeout = (f, ms) => wait(f, ms > 5000 ? 50 : ms)")
    pick(shown, re.compile("^Branch"))
    shown.page.wait_for_timeout(300)
    assert "No answer from the kernel. It may be busy." in shown.text()


# ---------------------------------------------------------------------------------------------------------- JupyterLab
@pytest.fixture(scope="module")
def notebook(chromium, tmp_path_factory):
    """`notebook(name, cells)` opens a new notebook, on one server: (page, page errors)."""
    folder = tmp_path_factory.mktemp("branch")
    with jupyter(folder) as (address, token):
        context = chromium.new_context(viewport={"width": 1500, "height": 1350})

        def open_one(name, cells):
            (folder / name).mkdir()
            write_notebook(folder / name, cells)
            page, errors = context.new_page(), []
            page.on("pageerror", lambda error: errors.append(str(error)))
            open_notebook(page, address, token, f"lab/workspaces/{name}/tree/{name}")  # nothing else is open there
            return page, errors

        yield open_one
        context.close()


def anew(page):
    """Run the first cell, and wait for the explorer that it makes: no test goes on from where another one stopped."""
    page.evaluate(f"{{ const old = {EL}; if (old) old.stale_ = true; }}")
    run_cell(page)
    page.wait_for_function(f"{EL}?.gramviz && !{EL}.stale_", timeout=PATIENCE)


@pytest.fixture(scope="module")
def lent(notebook, debug_checkpoint):
    """A notebook whose explorer is lent the model of its rollout."""
    return notebook("branches", [SOURCE.format(checkpoint=str(debug_checkpoint)), CHECK])


@pytest.fixture(scope="module")
def lent_both(notebook, debug_checkpoint, debug_trm_checkpoint):
    """A notebook whose explorer is lent its model and the rollout of another one."""
    source = BESIDE.format(checkpoint=str(debug_checkpoint), trm=str(debug_trm_checkpoint))
    return notebook("beside", [source, CHECK, PLANE])


@pytest.fixture
def opened(lent):
    """An explorer that was lent the model of its rollout."""
    anew(lent[0])
    return lent


@pytest.fixture
def beside(lent_both):
    """An explorer that was lent its model and the rollout of another one."""
    anew(lent_both[0])
    return lent_both


def choose(page, name):
    page.evaluate(f"{EL}.shadowRoot.querySelector('.gv').focus()")
    page.keyboard.press("v")
    page.locator("[role^=menuitem]", has_text=name).click()


def count_of(page):
    return f"{EL}?.gramviz?.payload.series.length"


def grown(page, count):
    """Wait until the explorer shows this many series; if it never does, what the page says is why."""
    from playwright.sync_api import TimeoutError

    try:
        page.wait_for_function(f"{count_of(page)} === {count}", timeout=PATIENCE)
    except TimeoutError:
        said = page.evaluate(f"{EL}?.shadowRoot.querySelector('.gv').innerText")
        pytest.fail(f"{page.evaluate(count_of(page))} series, not {count}; the page says: {said}")


def check(page, wanted):
    """Run the second cell anew, until it says this of the kernel's series."""
    run_cell(page, 1)
    page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea", has_text=wanted).wait_for(timeout=PATIENCE)


def test_a_branch_comes_back_as_a_further_run(opened):
    page, errors = opened
    page.evaluate(f"{EL}.gramviz.set({{focus: ['A', 2], cursor: {{step: 3, low: null}}}})")
    choose(page, "Branch A #2 from 2.1")
    grown(page, 2)
    state = page.evaluate(f"{EL}.gramviz.state")
    assert (state["focus"], state["pinned"], state["cursor"]["step"]) == (["B", 0], ["A", 2], 3)
    one, other = (
        page.evaluate(f"[0, 3].map(t => [...{EL}.gramviz.payload.series[{one}].tokens({trajectory}, t)])")
        for one, trajectory in ((0, 2), (1, 0))
    )
    assert one[0] == other[0], "the recorded past is that of the trajectory"
    check(page, "A #2: seed 5 at 2.1")
    assert errors == []


def test_what_a_person_does_around_a_question_neither_undoes_the_answer_nor_is_undone_by_it(opened):
    """A view is shown 150 ms after the last gesture: here the one before the question is not yet, the other is then."""
    page, errors = opened
    ask = """async ([el, lanes]) => {
      const root = el.shadowRoot, store = el.gramviz;
      store.set({focus: ['A', 2], cursor: {step: 3, low: null}});
      root.querySelector('.gv').focus();
      root.querySelector('.gv').dispatchEvent(new KeyboardEvent('keydown', {key: 'v', bubbles: true, composed: true}));
      const find = () => [...root.querySelectorAll('[role^=menuitem]')].find(e => e.innerText.includes('A #2 from'));
      while (!find()) await new Promise(requestAnimationFrame);
      find().click();
      if (lanes) store.set({lanes, focus: ['A', 5]});
    }"""
    for letter, lanes in (("B", ["certainty"]), ("C", None), ("D", ["drift"])):
        page.evaluate(f"lanes => ({ask})([{EL}, lanes])", lanes)
        grown(page, "ABCD".index(letter) + 1)
        for _ in range(2):  # and a late message changes nothing
            state = page.evaluate(f"{EL}.gramviz.state")
            assert (state["focus"], state["pinned"]) == ([letter, 0], ["A", 2])
            assert lanes is None or state["lanes"] == lanes
            page.wait_for_timeout(1000)
    check(page, "view ['D', 0] ['drift']")
    assert errors == []


def test_a_nudge_towards_the_pinned_path(opened):
    page, errors = opened
    page.evaluate(f"{EL}.gramviz.set({{focus: ['A', 2], pinned: ['A', 4], cursor: {{step: 2, low: null}}}})")
    choose(page, "… half way to A #4")
    grown(page, 2)
    check(page, "A #2: all 0.5 from A #4 at 1.2")
    rows = page.locator(".branches [role=listitem]")
    assert "A #2: patched 0.5 of the way from A #4 at 1.2" in rows.inner_text()
    rows.get_by_role("button", name="Delete").click()
    grown(page, 1)
    assert rows.count() == 0
    assert errors == []


def test_an_edited_puzzle_is_drawn_anew_and_an_impossible_one_refused(opened):
    page, errors = opened
    page.evaluate(f"{EL}.gramviz.set({{cursor: {{step: 3, low: null}}}})")
    choose(page, re.compile("^Branch"))
    grown(page, 2)
    x = page.evaluate(f"{EL}.gramviz.payload.x")
    given = next(cell for cell, token in enumerate(x) if token != 1)
    choose(page, "Edit the puzzle")
    page.wait_for_function(f"{EL}.shadowRoot.activeElement?.dataset.part === 'board'", timeout=PATIENCE)
    page.evaluate(f"{EL}.gramviz.set({{cells: [0, 1, 2]}})")
    page.keyboard.press("q")
    page.keyboard.press("Enter")
    page.locator("[role=region]").get_by_text("attack each other; remove one of them").first.wait_for(timeout=PATIENCE)
    assert page.evaluate(count_of(page)) == 2
    choose(page, "Edit the puzzle")
    page.wait_for_function(f"{EL}.shadowRoot.activeElement?.dataset.part === 'board'", timeout=PATIENCE)
    page.evaluate(f"{EL}.gramviz.set({{cells: [{given}]}})")
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    grown(page, 3)
    assert page.evaluate(f"{EL}.gramviz.payload.x") == x, "the original stays"
    x[given] = 1
    assert page.evaluate(f"{EL}.gramviz.payload.series[2].x") == x
    check(page, "= blank at init'] True")
    assert errors == []


def test_the_plane_of_a_chosen_cell_comes_from_the_kernel(beside):
    page, errors = beside
    page.evaluate(f"{EL}.gramviz.set({{cells: [9], cursor: {{step: 3, low: null}}}})")
    choose(page, "PCA of cell")
    page.wait_for_function(f"{EL}?.gramviz?.state.basis === 'cell9'", timeout=PATIENCE)
    place = page.evaluate(f"{EL}.gramviz.payload.board.width")
    label = f"PCA of cell r{9 // place + 1}c{9 % place + 1}"
    page.locator(".map .sub", has_text=label).wait_for(timeout=PATIENCE)
    heads = page.evaluate(f"{EL}.gramviz.heads()")
    assert len({tuple(head["at"]) for head in heads}) > 1, "the trajectories are drawn in it"
    shares = page.evaluate(f"{EL}.gramviz.payload.bases.find(basis => basis.name === 'cell9').variance")
    assert page.evaluate(f"{EL}.gramviz.state.cursor.step") == 3, "what was shown stays"
    run_cell(page, 2)
    said = page.locator(".jp-CodeCell").nth(2).locator(".jp-OutputArea", has_text="end")
    said.wait_for(timeout=PATIENCE)
    wanted = [float(share) for share in re.findall(r"\d\.\d+", said.inner_text())]
    np.testing.assert_allclose(shares, wanted, atol=1e-4)
    assert errors == []


def test_another_run_is_fetched_through_the_kernel_and_is_the_next_letter(beside):
    page, errors = beside
    for count, name, shown in [(2, "TRM, lent", "TRM, lent"), (3, "other seed", "seed")]:
        page.get_by_role("button", name="+ Compare").focus()
        page.keyboard.press("Enter")
        entry = page.locator("[data-menu=compare] [role=menuitem]", has_text=name)
        entry.wait_for(timeout=PATIENCE)
        entry.focus()
        page.keyboard.press("Enter")
        grown(page, count)
        letter = "ABCD"[count - 1]
        new = page.evaluate(
            f"(({{ letter, name, n, steps }}) => [letter, name, n, steps])({EL}.gramviz.payload.series.at(-1))"
        )
        assert new[0] == letter
        assert shown in new[1]
        assert new[2:] == [1 if letter == "B" else 6, page.evaluate(f"{EL}.gramviz.payload.series[0].steps")]
        page.locator(f"header [data-series={letter}]", has_text=shown).wait_for(timeout=PATIENCE)
        page.locator(f"[role=tab][data-tab={letter}]").wait_for(timeout=PATIENCE)
        assert letter in {head["series"] for head in page.evaluate(f"{EL}.gramviz.heads()")}
        check(page, new[1])
    tokens = [page.evaluate(f"[...{EL}.gramviz.payload.series[{one}].tokens(0, 6)]") for one in (0, 1, 2)]
    assert all(len(one) == len(tokens[0]) for one in tokens)
    assert errors == []
