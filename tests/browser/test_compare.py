"""+ Compare in the header: a kernel is asked, by number, for a rollout it was lent; a page says what it would take."""

from __future__ import annotations

import base64

import pytest
import synthetic
from stages import HOST

from gramviz.explorer.freeze import freeze
from gramviz.explorer.link import link
from gramviz.explorer.pack import pack


def choices(shown):
    """The sheet of "+ Compare", opened by the keyboard."""
    shown.page.get_by_role("button", name="+ Compare").focus()
    shown.page.keyboard.press("Enter")
    shown.drawn()
    return shown.page.locator("[data-menu=compare] [role=menu]")


@pytest.fixture
def hosted(show, one):
    """`hosted(asks, others)` shows fifty trajectories with a kernel that only listens."""

    def open_page(asks, others=(), payload=one, width=1200):
        shown = show("<!doctype html><main></main>", ready=False, width=width)
        host = HOST.replace("const kept = { meta,", f"const kept = {{ others: {list(others)!r}, meta,")
        shown.page.evaluate(host, [link(), payload.meta, base64.b64encode(payload.data).decode(), asks])
        shown.drawn()
        return shown

    return open_page


def test_a_kernel_is_asked_by_number_and_names_are_only_shown(hosted):
    hostile = "<img src=x onerror=alert(1)>"
    shown = hosted(["compare"], ["TRM", hostile])
    entry = choices(shown).get_by_role("menuitem", name=hostile)
    entry.focus()
    shown.page.keyboard.press("Enter")
    shown.drawn()
    (question,) = shown.page.evaluate("sent")
    assert {key: question[key] for key in question if key != "id"} == {"ask": "compare", "other": 1}
    assert "Asking the kernel" in shown.text()
    shown.page.evaluate("id => answer({id, ok: false, say: 'no such series'})", question["id"])
    shown.drawn()
    assert "no such series" in shown.text()


@pytest.mark.parametrize(
    ("asks", "others", "says"),
    [
        (["cell"], [], 'Needs another rollout: gv.explore(rollout, others={"TRM": trm})'),
        (None, [], "Needs a kernel: open the rollout in JupyterLab."),
    ],
    ids=["no rollout", "no kernel"],
)
def test_it_says_what_it_would_take(hosted, show, one, asks, others, says):
    shown = hosted(asks, others) if asks else show(freeze(one))
    entry = choices(shown).get_by_role("menuitem", name="Another series of this puzzle")
    assert entry.is_disabled()
    assert entry.get_attribute("aria-description") == says


def test_four_runs_are_all_there_is_room_for(hosted, gram):
    shown = hosted(["compare"], ["TRM"], pack([gram.isel(trajectory=[k]) for k in range(4)]))
    entry = choices(shown).get_by_role("menuitem", name="TRM")
    assert entry.is_disabled()
    assert entry.get_attribute("aria-description") == "Four series are shown, and there is no room for more."


@pytest.mark.parametrize("width", [1200, 800, 480, 340])
def test_it_fits_beside_four_long_names(hosted, width):
    rollouts = [synthetic.queens(2, features=4, checkpoint=f"c{k}") for k in range(4)]
    names = ["a rather long name of a series", "B", "another rather long name", "the last of the four"]
    shown = hosted(["compare"], ["TRM"], pack(rollouts, names=names), width)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 640:  # no room in the header: View offers it
        assert not shown.page.get_by_role("button", name="+ Compare").is_visible()
        shown.page.get_by_role("button", name="View").click()
        shown.drawn()
        assert shown.page.get_by_role("group", name="+ Compare").get_by_role("menuitem", name="TRM").is_visible()
    else:
        assert choices(shown).is_visible()
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
