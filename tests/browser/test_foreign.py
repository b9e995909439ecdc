"""Recursions that are not ours, recorded and frozen: each opens and plays, with what its authors named."""

from __future__ import annotations

import foreign
from stages import CANVASES

import gramviz as gv

READY = "document.querySelector('main').gramviz"
LAYERS = {"trm": "extra.moved", "diffusion": "extra.gray"}
LANES = {"rnn": ["drift", "extra.norm"], "optimizer": ["drift", "extra.loss"], "diffusion": ["drift", "extra.sigma"]}
WITHOUT_ANSWERS = ("rnn", "optimizer")


def test_each_recording_opens_and_plays(show):
    for name, recorded in foreign.ALL.items():
        shown = show(gv.freeze(recorded()))
        page, state = shown.page, shown.state
        assert page.locator(".gv .trouble").count() == 0, name
        assert state["lanes"] == LANES.get(name, state["lanes"]), name
        bare = name in WITHOUT_ANSWERS
        assert page.locator(".panel.board").is_visible() != bare, name
        switches = page.locator(".switches button").all_inner_texts()
        assert switches == (["Map", "Curves"] if bare else ["Board", "Map", "Answers", "Curves"]), name
        said = page.locator(".gv").inner_text()
        assert not bare or not any(word in said for word in ("answer", "Answer", "changed", "Outcome", "valid")), name
        if name in LAYERS:
            before = shown.pixels(CANVASES["board"])
            shown.set(layers=[LAYERS[name]], cursor={"step": 3, "low": None})
            assert shown.pixels(CANVASES["board"]) != before, name
            layer = LAYERS[name].removeprefix("extra.")
            assert layer in page.locator(".board .legend").inner_text()
            shown.set(cells=[0])
            assert f"{layer} " in shown.part("details").inner_text()
            shown.set(cells=[])
        if name == "rnn":
            before = shown.pixels(CANVASES["map"])
            shown.set(basis="extra.readout")
            assert shown.pixels(CANVASES["map"]) != before
            assert "PCA of readout" in page.locator(".panel.map .bar").inner_text()
        shown.set(cursor={"step": max(0, state["cursor"]["step"] - 8), "low": None}, speed=16)
        page.get_by_role("button", name="Play").click()
        shown.until(f"{READY}.state.cursor.step === {READY}.payload.steps - 1 && !{READY}.transient.playing")
        assert page.locator(".gv .trouble").count() == 0, name
