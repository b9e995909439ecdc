"""The map in three dimensions, and the cloud: turned by hand, never by itself, with words for what is left out."""

from __future__ import annotations

import json

import numpy as np
import pytest
import synthetic

from gramviz.explorer.freeze import freeze
from gramviz.explorer.link import FRONTEND
from gramviz.explorer.pack import pack
from gramviz.explorer.state import State
from gramviz.explorer.widget import Explorer

READY = "document.querySelector('main').gramviz"
PAST = "[data-layer=past]"


def places(shown) -> np.ndarray:
    """Where the heads are [trajectory, 2]."""
    return np.array([head["at"] for head in shown.heads()])


def deep(show, payload, turn=(0, 0), **how):
    shown = show(freeze(payload), **how)
    shown.set(dims=3, turn=list(turn), basis="h", cursor={"step": 20, "low": None})
    return shown


def test_heads_stand_where_the_rotation_says(show, one):
    """From the front the plane is PC 1 and PC 2; turned by 90 degrees to the right it is PC 3 and PC 2."""
    states = one.values("map_h")[:, 20]
    shown = deep(show, one)

    def agree(found: np.ndarray, wanted: np.ndarray) -> None:
        scale = np.ptp(found, axis=0) / np.ptp(wanted, axis=0)
        assert scale[0] == pytest.approx(scale[1], rel=1e-3), "one scale for both directions"
        apart = found - found.mean(0) - scale * (wanted - wanted.mean(0)) * [1, 1]
        assert np.abs(apart).max() < 0.5  # px

    front = places(shown)
    agree(front, states[:, :2] * [1, -1])
    shown.set(turn=[90, 0])
    agree(places(shown), states[:, [2, 1]] * [1, -1])
    shown.set(turn=[0, 90])
    agree(places(shown), np.stack([states[:, 0], states[:, 2]], 1))


def test_o_opens_it_aside_and_says_what_it_shows(show, one):
    shown = show(freeze(one))
    shown.set(basis="h", layers=["halo", "labels", "landscape"])
    flat, text = shown.pixels(PAST), shown.text()
    assert "between recorded states" in text
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("o")
    shown.drawn()
    assert (shown.state["dims"], shown.state["turn"]) == (3, [32, 18])
    assert shown.page.get_by_role("button", name="3-D").get_attribute("aria-pressed") == "true"
    text = shown.text()
    assert "No landscape in 3-D." in text
    assert "halo: energy outside" in text
    share = sum(next(basis for basis in one.meta["bases"] if basis["name"] == "h")["variance"])
    assert f"In this space {100 * share:.1f} %" in text
    assert ", in 3-D. " in shown.part("map").get_attribute("aria-label")
    assert shown.pixels(PAST) != flat
    shown.page.keyboard.press("o")
    shown.drawn()
    assert shown.state["dims"] == 2
    assert shown.pixels(PAST) == flat
    assert "between recorded states" in shown.text()


def test_drag_turns_double_click_faces_and_a_click_still_chooses(show, one):
    shown = deep(show, one, (32, 18))
    box = shown.box("map")
    x, y = box["x"] + box["width"] * 0.9, box["y"] + 30
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x - 40, y + 20, steps=4)
    shown.page.mouse.up()
    shown.drawn()
    assert shown.state["turn"] == [12, 28]
    assert shown.state["camera"] is None, "it turns instead of panning"
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x, y + 900, steps=2)
    shown.page.mouse.up()
    assert shown.state["turn"] == [12, 90], "never upside down"
    shown.set(turn=[40, 10])
    head = next(head for head in shown.heads() if head["trajectory"] != shown.state["focus"][1])
    shown.page.mouse.click(box["x"] + head["at"][0], box["y"] + head["at"][1])
    shown.drawn()
    near = [h["trajectory"] for h in shown.heads() if np.hypot(*np.subtract(h["at"], head["at"])) < 12]
    assert shown.state["focus"][1] in near
    assert shown.state["turn"] == [40, 10]
    shown.page.mouse.dblclick(x, y)
    shown.drawn()
    assert shown.state["turn"] is None
    assert shown.state["dims"] == 3


def test_keys_turn_it_and_fit_faces_it(show, one):
    shown = deep(show, one, (170, 0))
    shown.part("map").focus()
    shown.page.keyboard.press("Shift+ArrowRight")
    shown.page.keyboard.press("Shift+ArrowDown")
    assert shown.state["turn"] == [-180, 10]
    shown.page.keyboard.press("Shift+ArrowLeft")
    shown.page.keyboard.press("Shift+ArrowUp")
    assert shown.state["turn"] == [170, 0]
    at = shown.state["focus"]
    shown.page.keyboard.press("ArrowLeft")
    assert shown.state["focus"] != at, "bare arrows go from head to head, in what is seen"
    shown.page.keyboard.press("z")
    assert shown.state["turn"] is None


def test_it_never_turns_by_itself(show, one):
    shown = deep(show, one, (32, 18))
    shown.page.wait_for_timeout(300)
    before, frames = shown.pixels(PAST), shown.page.evaluate("window.frames_")
    shown.page.wait_for_timeout(700)
    assert shown.page.evaluate("window.frames_") == frames
    assert shown.pixels(PAST) == before


def test_a_lasso_catches_what_is_seen_and_goes_when_it_is_turned(show, one):
    shown = deep(show, one, (60, -20))
    at, box = places(shown), shown.box("map")
    inside = at[:, 0] < np.median(at[:, 0])
    middle = float(np.median(at[:, 0]))
    shown.page.keyboard.down("Shift")
    shown.page.mouse.move(box["x"] + 2, box["y"] + 2)
    shown.page.mouse.down()
    for x, y in [(middle, 2), (middle, box["height"] - 22), (2, box["height"] - 22)]:
        shown.page.mouse.move(box["x"] + x, box["y"] + y)
    shown.page.mouse.up()
    shown.page.keyboard.up("Shift")
    assert shown.state["selected"]["A"] == np.flatnonzero(inside).tolist()
    assert shown.state["brush"]["kind"] == "lasso"
    shown.part("map").focus()
    shown.page.keyboard.press("Shift+ArrowRight")
    assert shown.state["brush"] is None
    assert shown.state["selected"]["A"] == np.flatnonzero(inside).tolist()


def test_further_is_thinner_and_painted_first(show, one):
    """Read back from the drawing as SVG: the lines grow wider from the first to the last that is painted."""
    shown = deep(show, one, (32, 18))
    shown.set(color_by="series", layers=[], focus=["A", 0])
    with shown.page.expect_download() as waiting:
        shown.page.keyboard.press("Tab")
        shown.page.keyboard.press("e")
        shown.page.get_by_role("menuitem", name="Drawing (SVG)").click()
    text = waiting.value.path().read_text()
    widths = [float(found.split('"')[0]) for found in text.split('stroke-width="')[1:]]
    slabs = [round(1.15 * (0.45 + 0.9 * slab / 7), 2) for slab in range(8)]
    found = [width for width in widths if width in slabs]
    assert len(found) >= 12
    half = len(found) // 2
    assert found[: half or 1] == sorted(found[:half])
    assert found[half:] == sorted(found[half:])


def test_a_flat_map_has_no_third_dimension(show):
    data = synthetic.sudoku(3, supervision_steps=2)
    line = data["h"].values[:, :1, :, :1, :1] * np.ones(data["h"].shape)  # every state on one line
    shown = show(freeze(pack(data.assign(h=(data["h"].dims, line)))))
    shown.set(basis="h")
    button = shown.page.get_by_role("button", name="3-D")
    assert button.is_disabled()
    assert button.get_attribute("title") == "This map has fewer than three dimensions."
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("o")
    shown.drawn()
    assert shown.state["dims"] == 2
    assert "This map has fewer than three dimensions." in shown.text()


def test_the_view_survives_json_address_and_python(show, one):
    shown = deep(show, one, (-70, 33))
    state = shown.state
    assert State.from_json(json.dumps(state)).keys == state
    line = State(**state).to_python(one.meta)
    assert "dims=3" in line
    assert "turn=[-70, 33]" in line
    explorer = Explorer(one)
    made = type("gv", (), {"explore": staticmethod(lambda _, puzzle: explorer)})
    eval(line, {"gv": made, "gram": 0})
    assert (explorer.state["dims"], explorer.state["turn"]) == (3, [-70, 33])
    again = show(freeze(explorer))
    assert again.state == state


def test_illegal_turns_are_made_legal_or_refused(show, one):
    shown = deep(show, one)
    for given, wanted in [
        ([200, 120], [-160, 90]),
        ([-190, -95], [170, -90]),
        ([1], [170, -90]),  # what no view can have changes nothing
        (["a", 0], [170, -90]),
        (3, [170, -90]),
    ]:
        shown.set(turn=given)
        assert shown.state["turn"] == wanted
    shown.set(dims=4)
    assert shown.state["dims"] == 3
    with pytest.raises(ValueError, match="dims is 4; allowed: 2, 3"):
        State(dims=4)
    with pytest.raises(ValueError, match=r"turn is \[1\]; allowed: \[degrees to the right, degrees down\]"):
        State(turn=[1])


@pytest.mark.parametrize("width", [1200, 800, 480])
def test_its_words_fit(show, two, width):
    shown = show(freeze(two), width=width)
    shown.set(dims=3, turn=[32, 18], basis="h", panel="map", layers=["halo", "labels", "landscape", "cloud"])
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_cloud_holds_the_shares_that_it_names(show, one):
    """Of many draws from a known density, 50 and 90 % lie inside the lines; counted by even-odd along a ray."""
    shown = show("<!doctype html><main></main>", ready=False)
    source = "\n".join(
        line
        for line in (FRONTEND / "cloud.js").read_text().replace("export ", "").splitlines()
        if not line.startswith("import")
    )
    points = np.random.default_rng(0).normal(size=(400, 2)) * [60, 30]
    found = shown.page.evaluate(
        source.replace("PLAIN", "3")
        + "\n;(points => { const field = density(points); return [0.5, 0.9].map(share => contour(field,"
        " levelOf(field, share))); })",
        points.tolist(),
    )
    for pieces, share in zip(found, [0.5, 0.9], strict=True):
        a, b, c, d = np.array([piece for piece in pieces if piece[1] != piece[3]]).T[:, :, None]
        x, y = points.T[:, None]
        crosses = ((b > y) != (d > y)) & (x < a + (y - b) * (c - a) / (d - b))
        assert (crosses.sum(0) % 2).mean() == pytest.approx(share, abs=0.06)


def test_the_cloud_is_drawn_from_eight_heads_on(show, one, gram):
    shown = show(freeze(one))
    shown.set(basis="h", layers=[], color_by="series", cursor={"step": 20, "low": None})
    bare = shown.pixels(PAST)
    shown.set(layers=["cloud"])
    assert shown.pixels(PAST) != bare
    assert "lines round 50 and 90 % of the density" in shown.text()
    shown.set(selected={"A": list(range(7))}, layers=[])
    bare = shown.pixels(PAST)
    shown.set(layers=["cloud"])
    assert shown.pixels(PAST) == bare
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("v")
    assert shown.page.get_by_role("menuitemcheckbox", name="Cloud").get_attribute("aria-checked") == "true"
