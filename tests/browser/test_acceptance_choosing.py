"""Acceptance on four stages: pointing, choosing, comparing, and what the map says of itself (behaviors 10 to 18)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from stages import CANVASES, FOCUS, MOMENT, Stage, drag, inner, moment

from gramviz import measure
from gramviz.explorer.payload import Payload

STAGES = ["frozen-dark", "lab-light"]  # what a thing does has no color; test_acceptance_looks has all four


# ----------------------------------------------------------------------------------------------- pointing and choosing
def heads_drawn(log: list[dict[str, Any]]) -> Counter[tuple[int, int, float]]:
    """The heads of the cloud as they were drawn last: place in pixels and strength."""
    found: Counter[tuple[int, int, float]] = Counter()
    for one in log:
        if one["layer"] != "top" or one["kind"] == "text":
            continue
        at = None
        if len(one["arcs"]) == 1 and min(abs(one["arcs"][0][2] - r) for r in (3.4, 3.4 * 0.85)) < 1e-6:
            at = one["arcs"][0][:2]  # a dot or a ring
        elif len(one["moves"]) == one["lines"] == 2 and one["kind"] == "stroke" and not one["arcs"]:
            (a, b), (c, d) = one["moves"]  # a cross: two strokes, begun at its two upper corners
            if abs(b - d) < 1e-6 and abs(c - a - 2 * 0.8 * 3.4) < 1e-6:
                at = ((a + c) / 2, b + 0.8 * 3.4)
        if at:
            found[round(at[0]), round(at[1]), round(one["alpha"], 3)] += 1
    return found


def test_11_pointing_at_a_cell_divides_the_paths(stage: Stage, payload: Payload) -> None:
    stage.calm(focus=FOCUS, cursor=moment(MOMENT), basis="h")
    tokens = {letter: payload.array("tokens", letter)[:, MOMENT] for letter in "AB"}
    mine = tokens["B"][FOCUS[1]]
    cell = int(np.argmin(np.abs((tokens["B"] == mine).mean(0) - 0.5)))
    same = {letter: tokens[letter][:, cell] == mine[cell] for letter in "AB"}
    with stage.recording() as drawn:
        stage.page.mouse.move(*stage.cell(cell))
        stage.drawn()
        log, heads = drawn(), stage.heads()
        assert heads_drawn(log) == Counter(
            (*map(round, head["at"]), 1.0 if same[head["series"]][head["trajectory"]] else 0.3) for head in heads
        )
        for layer, full in [("past", 0.6), ("base", 0.26)]:
            lines = {round(one["alpha"], 3) for one in log if one["layer"] == layer and one.get("lines", 0) > 99}
            assert lines == {full, round(0.3 * full, 3)}, layer
        row, column = divmod(cell, 8)
        assert f"row {row + 1}, column {column + 1}" in stage.part("details").inner_text()
        stage.page.mouse.move(0, 0)
        stage.drawn()  # two frames: sooner than 200 ms
        assert heads_drawn(drawn()) == Counter((*map(round, head["at"]), 1.0) for head in heads)
    assert all(head["emphasis"] == 3 for head in stage.heads())


SNAPSHOT = """({ host, lane }) => {
  const part = (selector) => host.shadowRoot.querySelector(selector);
  return { focus: host.gramviz.state.focus, tab: part(".board [aria-selected=true]").textContent,
    details: part("[data-part=details]").textContent, lane: part(lane).toDataURL() };
}"""


def test_12_clicking_a_head_moves_everything_in_one_frame(stage: Stage) -> None:
    heads = stage.heads()
    other = next(head for head in heads if head["series"] == "B" and head["trajectory"] != stage.state["focus"][1] and
                 all(one["trajectory"] >= head["trajectory"] or np.hypot(*np.subtract(one["at"], head["at"])) > 1
                     for one in heads if one is not head))  # fmt: skip
    before = stage.state
    given = f"{{ host: {stage.host}, lane: '{CANVASES['lane']}' }}"
    first = stage.page.evaluate(f"({SNAPSHOT})({given})")
    stage.page.evaluate(
        f"{stage.store}.listen(keys => keys.includes('focus') && "
        f"requestAnimationFrame(() => {{ window.frame_ ??= ({SNAPSHOT})({given}); }})); window.frame_ = null"
    )
    stage.page.mouse.click(*stage.at(other))
    stage.until("Boolean(frame_)")
    seen = stage.page.evaluate("frame_")
    name = f"B #{other['trajectory']}"
    assert seen["focus"] == ["B", other["trajectory"]]
    assert seen["tab"] == name
    assert seen["details"].startswith(f"{name}, step 16.2")
    assert first["details"].split(":")[0] != seen["details"].split(":")[0]
    assert first["lane"] != seen["lane"]
    assert stage.state == before | {"focus": ["B", other["trajectory"]]}


@pytest.mark.parametrize("button", [True, False], ids=["lasso-button", "shift-drag"])
def test_13_lasso_chooses_adds_and_removes(stage: Stage, payload: Payload, button: bool) -> None:
    box, heads = stage.box("map"), stage.heads()
    middle = float(np.median([head["at"][1] for head in heads])) - 3

    def lasso(top: float, bottom: float, keys: tuple[str, ...] = ()) -> None:
        if button:
            stage.page.get_by_role("button", name="Lasso").click()
        corners = [(4, top), (box["width"] - 4, top), (box["width"] - 4, bottom), (4, bottom)]
        drag(stage.page, *[(box["x"] + x, box["y"] + y) for x, y in corners],
             keys=keys if button else (*keys, "Shift"))  # fmt: skip
        stage.drawn()

    def within(top: float, bottom: float) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for head in heads:
            if top < head["at"][1] < bottom:
                found.setdefault(head["series"], []).append(head["trajectory"])
        return found

    lasso(2, middle)
    chosen = within(2, middle)
    many = sum(map(len, chosen.values()))
    assert 1 < many < 50
    assert stage.state["selected"] == chosen
    assert stage.state["board"] == "all"
    assert f"{many} selected" in stage.text()
    assert f"{many} trajectories" in stage.part("details").inner_text()
    lasso(middle, box["height"] - 20, keys=("Control",))
    everyone = within(2, box["height"] - 20)
    assert stage.state["selected"] == everyone
    lasso(2, middle, keys=("Alt",))
    rest = {letter: sorted(set(each) - set(chosen.get(letter, []))) for letter, each in everyone.items()}
    assert stage.state["selected"] == {letter: each for letter, each in rest.items() if each}
    stage.focus()
    stage.press("Escape")
    assert stage.state["selected"] == {}


def test_13_the_board_of_a_selection_counts_as_numpy_does(stage: Stage, payload: Payload) -> None:
    chosen = [1, 4, 9, 30]
    stage.calm(selected={"B": chosen}, board="all", cursor=moment(8))
    tokens = payload.array("tokens", "B")[chosen, 8]
    cell = int(np.argmax((tokens == 2).mean(0)))
    stage.page.mouse.move(*stage.cell(cell))
    stage.drawn()
    said = stage.part("details").inner_text()
    labels = [token["label"] for token in payload.meta["board"]["tokens"]]
    for token, count in zip(*np.unique(tokens[:, cell], return_counts=True), strict=True):
        assert f"{labels[token]} in {count} of 4" in said


def test_14_a_box_in_a_lane_chooses_the_paths_through_it(stage: Stage, payload: Payload) -> None:
    box = stage.page.locator(CANVASES["lane"]).bounding_box()
    drag(stage.page, inner(box, 0.3, 0.3), inner(box, 0.34, 0.7), keys=("Shift",))
    brush = stage.state["brush"]
    assert brush["kind"] == "box"
    for letter in "AB":
        values = payload.values("curve_conflicts", letter)
        at = np.arange(values.shape[1]) / 32
        columns = (at >= brush["x"][0]) & (at <= brush["x"][1])
        inside = (np.rint(values) >= brush["y"][0] - 1e-6) & (np.rint(values) <= brush["y"][1] + 1e-6)
        assert stage.state["selected"].get(letter, []) == np.flatnonzero((inside & columns).any(1)).tolist()
    assert 1 < len(stage.state["selected"]["B"]) < 50


# A pointer that presses an element and passes through heights, before anything can be drawn.
WITHIN_A_FRAME = """(element, heights) => {
  const at = (kind, clientY) => element.dispatchEvent(
    new PointerEvent(kind, { clientY, bubbles: true, composed: true }));
  at("pointerdown", heights[0]);
  for (const height of heights) at("pointermove", height);
  at("pointerup", heights.at(-1));
}"""


def test_14_a_lane_is_dragged_by_its_name(stage: Stage) -> None:
    """Past the middle of another it takes its place; one message in all; a press that goes nowhere makes it high."""
    page = stage.page
    stage.calm(lanes=["certainty", "conflicts", "drift"])
    before = stage.quiet()
    middle = lambda name: inner(page.locator(f"[data-part=lane-{name}]").bounding_box(), 0.5, 0.5)  # noqa: E731
    first, last = middle("certainty"), middle("drift")
    drag(page, first, (last[0], last[1] + 20))
    stage.drawn()
    assert stage.state["lanes"] == ["conflicts", "drift", "certainty"]
    assert middle("certainty")[1] == pytest.approx(last[1], abs=1)
    stage.tells_once(before)
    high = "e => e.getBoundingClientRect().height"
    assert page.locator("[data-lane=certainty]").evaluate(high) < 30
    drag(page, middle("certainty"), middle("conflicts"), (last[0], last[1] + 20))  # there and back
    stage.drawn()
    assert stage.state["lanes"] == ["conflicts", "drift", "certainty"]
    between = [middle(name)[1] for name in ("certainty", "conflicts", "certainty")]
    page.locator("[data-part=lane-certainty]").evaluate(WITHIN_A_FRAME, [*between, between[0] + 20])
    assert stage.state["lanes"] == ["conflicts", "drift", "certainty"]
    for wanted in (True, False):
        page.mouse.click(*middle("drift"))
        page.locator(f"[data-part=lane-drift][aria-expanded={str(wanted).lower()}]").wait_for()
        stage.drawn()
        assert (page.locator("[data-lane=drift]").evaluate(high) > 80) is wanted
    assert stage.state["lanes"] == ["conflicts", "drift", "certainty"]


def test_15_answers_sum_keep_their_letters_and_agree_at_the_end(stage: Stage) -> None:
    script = f"""[...{stage.root}.querySelectorAll('.row')].map(row => [row.querySelector('b').textContent,
      row.querySelector('.label').textContent, Number(row.querySelector('.count').textContent)])"""
    rows = lambda: [tuple(row) for row in stage.page.evaluate(script)]  # noqa: E731
    final = rows()
    letters = {letter: label for letter, label, _ in final if letter}
    assert sum(count for *_, count in final) == 50
    stage.set(answers_at="cursor")
    assert rows() == final
    for step in (24, 14, 11, 0):
        stage.set(cursor=moment(step))
        now = rows()
        assert sum(count for *_, count in now) == 50
        assert all(letters[letter] == label for letter, label, _ in now if letter in letters)
    assert [label for _, label, _ in now] == ["on the way"]


def test_16_two_checkpoints_share_answers_and_split_h(stage: Stage, payload: Payload) -> None:
    assert stage.state["basis"] == "answers"
    assert "one basis for A and B" in stage.text()
    places: dict[tuple[int, ...], set[tuple[float, ...]]] = {}
    for head in stage.heads():
        answer = payload.array("tokens", head["series"])[head["trajectory"], -1]
        places.setdefault(tuple(answer.tolist()), set()).add(tuple(round(v) for v in head["at"]))
    assert len(places) > 3
    assert {head["series"] for head in stage.heads()} == {"A", "B"}
    stage.set(basis="h")
    assert "one plane per series" in stage.text()
    half = stage.box("map")["width"] / 2
    assert all((head["at"][0] < half) == (head["series"] == "A") for head in stage.heads())


def test_16_differences_are_counted_and_the_pinned_path_is_ink(stage: Stage, payload: Payload) -> None:
    stage.set(board="differ")
    letter, trajectory = stage.state["focus"]
    count = int((payload.array("tokens", "A")[0, -1] != payload.array("tokens", letter)[trajectory, -1]).sum())
    assert f"differ in {count} cells" in stage.text()


def test_17_halos_say_how_much_lies_outside(stage: Stage, payload: Payload) -> None:
    plane = next(basis["plane"] for basis in payload.meta["bases"] if (basis["name"], basis["series"]) == ("h", ["B"]))
    assert plane < 0.8
    stage.set(basis="h")
    with stage.recording() as drawn:
        stage.set(layers=[], cursor=moment(MOMENT))
        halos = [one for one in drawn() if one["layer"] == "top" and abs(one["alpha"] - 0.13) < 1e-6]
    found = sorted(round(arc[2], 3) for one in halos for arc in one["arcs"])
    outside = np.concatenate([payload.array("outside_h", letter)[:, MOMENT] for letter in "AB"]) / 255
    assert found == pytest.approx(sorted(3 + 12 * np.sqrt(outside.astype(float))), abs=2e-3)
    assert np.ptp(found) > 1, "the radii differ, so the formula is seen"
    assert f"In this plane {100 * plane:.1f} %" in stage.text()
    stage.page.locator("[data-menu=view] > button").click()
    halos = stage.page.get_by_role("menuitemcheckbox", name="Halos")
    assert halos.is_disabled()
    assert halos.get_attribute("aria-checked") == "true"


def test_17_axes_show_the_share_that_measure_has(stage: Stage, payload: Payload, rollouts: dict[str, Any]) -> None:
    projection = measure.project([measure.ends(rollouts["B"])], late=True)
    with stage.recording() as drawn:
        stage.set(basis="h", layers=["labels"])
        texts = [one["text"] for one in drawn() if one["layer"] == "base" and one["kind"] == "text"]
    assert f"B   PC 1   {100 * projection.variance[0]:.1f} % of variance" in texts
    assert f"PC 2   {100 * projection.variance[1]:.1f} %" in texts


def test_18_landscape_is_blank_where_none_came_near(stage: Stage, payload: Payload) -> None:
    stage.set(basis="h", layers=["landscape"])
    assert "between recorded states; blank where none came near" in stage.text()
    bases = payload.meta["bases"]
    land = next(basis["landscape"] for basis in bases if (basis["name"], basis["series"]) == ("h", ["B"]))
    shade, (low, high) = payload.array("landscape_h", "B"), (np.array(land["low"]), np.array(land["high"]))
    # Where the map puts a point: from the heads, whose coordinates the payload has.
    heads = [head for head in stage.heads() if head["series"] == "B"]
    known = payload.values("map_h", "B")[[head["trajectory"] for head in heads], -1, :2]
    at = np.array([head["at"] for head in heads])
    fit = [np.polyfit(known[:, axis], at[:, axis], 1) for axis in (0, 1)]
    rows, columns = np.mgrid[: shade.shape[0], : shade.shape[1]]
    points = [
        np.polyval(fit[axis], low[axis] + (cells + 0.5) / cells.shape[1 - axis] * (high[axis] - low[axis]))
        for axis, cells in ((0, columns), (1, rows))
    ]
    with_land = pixels(stage, points)
    stage.set(layers=[])
    without = pixels(stage, points)
    box = stage.box("map")
    inside = (
        (points[0] > box["width"] / 2 + 9)
        & (points[0] < box["width"] - 4)
        & (points[1] > 4)
        & (points[1] < box["height"] - 24)
    )
    differs = (with_land != without).any(-1)
    assert differs[inside & (shade == 255)].sum() <= 3  # of 1,640: where a shaded cell's edge is rounded to a pixel
    # Of the shades one is as the ground, and a line of the drawing may lie over a point.
    assert differs[inside & (shade < 255)].mean() > 0.5
    assert inside[shade < 255].all()
    stage.set(layers=["landscape"], dims=3)
    assert "No landscape in 3-D." in stage.text()


def pixels(stage: Stage, points: list[np.ndarray]) -> np.ndarray:
    """The colors of the map's lowest layer at places in CSS pixels [..., 4]."""
    found = stage.page.locator("[data-layer=base]").evaluate(
        """(canvas, [xs, ys]) => {
          const ratio = canvas.width / canvas.clientWidth;
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return xs.map((x, k) => {
            const at = 4 * (Math.round(ys[k] * ratio) * canvas.width + Math.round(x * ratio));
            return [...data.slice(at, at + 4)];
          });
        }""",
        [points[0].ravel().tolist(), points[1].ravel().tolist()],
    )
    return np.array([one or [0] * 4 for one in found]).reshape(*points[0].shape, 4)
