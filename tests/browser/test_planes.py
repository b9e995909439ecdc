"""The planes of h: what halos say of them, and that of one cell, which a kernel packs when it is asked for."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from stages import HOST

from gramviz.explorer.freeze import freeze
from gramviz.explorer.link import link
from gramviz.explorer.opening import explore
from gramviz.explorer.pack import pack

TOP = "[data-layer=top]"


def menu(shown):
    """The sheet of View, opened by its key."""
    shown.page.evaluate("document.querySelector('main').shadowRoot.querySelector('.gv').focus()")
    shown.page.keyboard.press("v")
    shown.drawn()
    return shown.page.locator("[data-menu=view] [role=menu]")


def test_halos_in_3d_tell_what_three_directions_leave_out(show, one):
    shown = show(freeze(one))
    flat, deep = (one.array(f"{name}_h") / 255 for name in ("outside", "beyond"))
    trajectory, step = np.unravel_index((flat - deep).argmax(), flat.shape)
    flat, deep = flat[trajectory, step], deep[trajectory, step]
    assert flat - deep > 0.05
    shown.set(basis="h", focus=["A", int(trajectory)], cursor={"step": int(step), "low": None}, layers=["halo"])
    assert f"here {100 * (1 - flat):.0f} %" in shown.text()
    shown.set(dims=3, turn=[0, 0])
    assert f"here {100 * (1 - deep):.0f} %" in shown.text()
    assert "halo: energy outside" in shown.text()
    share = sum(next(basis for basis in one.meta["bases"] if basis["name"] == "h")["variance"])
    with_halos = shown.pixels(TOP)
    shown.set(layers=[])
    assert (shown.pixels(TOP) == with_halos) == (share < 0.8), "they can be switched off only where little is unseen"


def test_a_frozen_page_offers_the_planes_it_holds_and_says_what_others_would_take(show, one, gram):
    shown = show(freeze(one))
    entry = menu(shown).get_by_role("menuitem", name="PCA of one cell")
    assert entry.is_disabled()
    assert entry.get_attribute("aria-description") == "Needs a kernel: open the rollout in JupyterLab."
    shown = show(freeze(explore(gram).set(basis="cell9")))
    assert shown.state["basis"] == "cell9"
    assert "PCA of cell r2c2" in shown.text()
    shown.set(cells=[9])
    sheet = menu(shown)
    assert sheet.get_by_role("menuitemradio", name="PCA of cell r2c2").get_attribute("aria-checked") == "true"
    assert sheet.get_by_role("menuitem", name="PCA of").count() == 0, "it is not offered twice"
    shown.page.keyboard.press("Escape")
    shown.set(basis="cell10")
    assert shown.state["basis"] == "answers", "a saved view of a plane that is not here"


def test_places_of_a_cell_are_those_of_python(show, gram):
    payload = pack(gram, planes_of=[20])
    shown = show(freeze(payload))
    shown.set(basis="cell20", cursor={"step": 9, "low": None}, layers=[])
    found = np.array([head["at"] for head in shown.heads()])
    wanted = payload.values("map_cell20")[:, 9, :2] * [1, -1]
    scale = np.ptp(found[:, 0]) / np.ptp(wanted[:, 0])
    apart = (found - found.mean(0)) - scale * (wanted - wanted.mean(0))
    assert np.abs(apart).max() < 0.5  # px


@pytest.fixture
def hosted(show, gram):
    """`hosted(asks, data)` shows a rollout with a kernel that only listens."""

    def open_page(asks, data=gram):
        payload = pack(data)
        shown = show("<!doctype html><main></main>", ready=False)
        shown.page.evaluate(HOST, [link(), payload.meta, base64.b64encode(payload.data).decode(), asks])
        shown.drawn()
        return shown

    return open_page


def test_a_kernel_is_asked_for_the_chosen_cell(hosted, gram):
    shown = hosted(["cell"])
    entry = menu(shown).get_by_role("menuitem", name="PCA of one cell")
    assert entry.get_attribute("aria-description") == "Choose a cell on the board first."
    shown.page.keyboard.press("Escape")
    shown.set(cells=[11])
    menu(shown).get_by_role("menuitem", name="PCA of cell r2c4").click()
    shown.drawn()
    (question,) = shown.page.evaluate("sent")
    assert (question["ask"], question["cell"]) == ("cell", 11)
    assert "Asking the kernel" in shown.text()
    explorer, replies = explore(gram), []
    explorer.send = replies.append
    explorer._asked(None, question, [])
    assert [reply.get("ok") for reply in replies] == [None, True]
    assert explorer.state["basis"] == "cell11"
    explorer._asked(None, question | {"cell": 64}, [])
    assert "there is no cell 64" in replies[-1]["say"]
    explorer._asked(None, question | {"cell": "<img>"}, [])
    assert replies[-1]["ok"] is False


def test_without_rollout_or_h_it_says_so(hosted, gram):
    entry = menu(hosted([])).get_by_role("menuitem", name="PCA of one cell")
    assert entry.get_attribute("aria-description") == "Needs the rollout: gv.explore(rollout)"
    entry = menu(hosted(["cell"], gram.drop_vars("h"))).get_by_role("menuitem", name="PCA of one cell")
    assert "Record(h=True)" in entry.get_attribute("aria-description")


@pytest.mark.parametrize("width", [1200, 480, 340])
def test_its_words_fit(show, gram, width):
    shown = show(freeze(pack(gram, planes_of=[20])), width=width)
    for basis in ("river", "answers", "score", "h", "cell20"):
        shown.set(basis=basis, panel="map")
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
