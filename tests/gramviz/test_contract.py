"""The contract that Python and the page share; test_modules.py holds the page to the same vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gramviz.contract import CONTRACT, CURVES, fits
from gramviz.explorer.payload import clean
from gramviz.explorer.state import State
from gramviz.theme import PALETTES


def cases(vectors: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((vectors / f"{name}.json").read_text())["cases"]


def test_vectors_state(vectors: Path) -> None:
    for case in cases(vectors, "state"):
        assert fits(case["value"], CONTRACT["state"][case["key"]]) == case["legal"], case
    assert {case["key"] for case in cases(vectors, "state")} == set(State.known())


def test_what_json_cannot_say_is_no_number() -> None:
    for value in (float("nan"), float("inf"), 1j):
        assert not fits([0, value], CONTRACT["defs"]["pair"])


def test_vectors_text(vectors: Path) -> None:
    for case in cases(vectors, "text"):
        assert clean(case["text"], case["limit"]) == case["expect"], case


def test_every_role_and_category_is_a_hue_of_each_palette() -> None:
    hues = {*CONTRACT["roles"].values(), *CONTRACT["categories"], *CONTRACT["named"].values()}
    for palette in PALETTES.values():
        assert all(getattr(palette, hue).startswith("#") for hue in hues)
    assert set(CONTRACT["outcomes"]) <= set(CONTRACT["roles"])


def test_letters_and_curves_are_said_alike() -> None:
    letters = CONTRACT["letters"]
    assert CONTRACT["defs"]["letter"]["enum"] == letters == list(CONTRACT["state"]["selected"]["properties"])
    assert CONTRACT["state"]["board"]["enum"][3:] == letters
    assert CONTRACT["state"]["lanes"]["description"] == f"a list of {', '.join(CURVES)}, extra.NAME"
