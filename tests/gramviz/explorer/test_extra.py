"""Variables beyond the schema, and states without answers: in a payload, in figures, in `gramviz check`."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import foreign
import numpy as np
import pytest
import xarray as xr
from PIL import Image

import gramviz as gv
from gram import rollout, schema
from gram.rollout import RolloutError
from gramviz.explorer.describe import describe
from gramviz.explorer.picture import picture
from gramviz.explorer.state import State, StateError
from gramviz.views import VIEWS


@pytest.fixture(scope="module")
def path_of_adam() -> xr.Dataset:
    return foreign.optimizer()


def test_numbers_a_step_are_curves_and_numbers_a_cell_layers() -> None:
    data = foreign.diffusion()
    payload = gv.pack(data)
    assert payload.meta["extra"] == {"extra.gray": ["gray", ""], "extra.sigma": ["sigma", ""]}
    np.testing.assert_allclose(payload.values("curve_extra.sigma"), data["sigma"].values[0], atol=1e-3)
    np.testing.assert_allclose(payload.values("layer_extra.gray"), data["gray"].values[0], atol=1e-3)


def test_what_does_not_depend_on_the_trajectory_is_one_line() -> None:
    data = foreign.diffusion()
    one = data.assign(rate=("step", np.linspace(1, 0, data.sizes["step"]), {"units": "1 / s"}))
    payload = gv.pack(one)
    assert payload.meta["extra"]["extra.rate"] == ["rate", "1 / s"]
    assert payload.array("curve_extra.rate").shape == (1, data.sizes["step"])


def test_vectors_are_maps_of_their_own() -> None:
    data = foreign.hrm()
    bases = {one["name"]: one for one in gv.pack(data).meta["bases"]}
    assert bases["extra.h_puzzle"]["label"] == "PCA of h_puzzle"
    assert bases["extra.h_puzzle"]["of"] == "h_puzzle in the last third of the steps"
    places = gv.measure.project([data], "extra.h_puzzle").series[0]["coordinates"].values[0]
    states = data["h_puzzle"].values[0, 0]
    apart = np.linalg.norm(states[3] - states[8])
    assert 0 < np.linalg.norm(places[3] - places[8]) <= apart * (1 + 1e-5)


def test_states_without_answers_are_packed_without_any(path_of_adam: xr.Dataset) -> None:
    payload = gv.pack(path_of_adam)
    names = {entry["name"] for entry in payload.meta["arrays"]}
    assert {"map_h", "curve_drift", "curve_extra.loss"} <= names
    assert not {"certainty", "valid", "curve_changed", "curve_conflicts"} & names
    assert [one["name"] for one in payload.meta["bases"]] == ["h"] == [payload.meta["default_basis"]]
    assert len(payload.meta["board"]["tokens"]) == 1
    assert payload.meta["series"][0]["hash"] == rollout.digest(path_of_adam)
    assert Image.open(BytesIO(picture(payload, "")[0])).width > 0


def test_two_paths_without_answers_can_be_compared_and_each_of_many_rows_is_shown(path_of_adam: xr.Dataset) -> None:
    explorer = gv.compare(path_of_adam, foreign.rnn())
    assert [one["series"] for one in explorer.meta["bases"]] == [["A"], ["B"], ["B"]]
    rows = path_of_adam.transpose("trajectory", "puzzle", ...).rename(trajectory="puzzle", puzzle="trajectory")
    several = gv.explore(rollout.check(rows))
    assert several.meta["puzzles"] == 9
    assert several.source is not None
    shown = several.source.at(4).payload().values("map_h")
    assert not np.allclose(shown, several.payload.values("map_h"))


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_draws_states_without_answers_or_says_what_they_lack(name: str, path_of_adam: xr.Dataset) -> None:
    if name in ("latent", "curves", "control"):
        assert VIEWS[name].draw(path_of_adam).data
    else:
        with pytest.raises(RolloutError, match=r"no board|no `valid`"):
            VIEWS[name].draw(path_of_adam)


def test_the_state_names_them_and_nothing_else() -> None:
    state = State(lanes=["drift", "extra.loss"], layers=["extra.gray"])
    assert State.from_json(state.to_json()) == state
    with pytest.raises(StateError, match=r"lanes is \['loss'\]; allowed: a list of certainty, .* extra.NAME"):
        State(lanes=["loss"])


def test_check_says_what_a_file_holds_and_how_it_is_drawn(tmp_path: Path) -> None:
    said = "\n".join(describe(rollout.save(foreign.diffusion(), tmp_path / "a.nc")))
    for words in (
        "a legal gram-rollout 3",
        "trajectory 10, step 13",
        "curve    sigma",
        "layer    gray",
        "budget of 4 MB",
    ):
        assert words in said
    data = foreign.rnn().assign(age=("puzzle", [1]))
    said = "\n".join(describe(rollout.save(data, tmp_path / "b.nc")))
    for words in ("no answers", "map      readout", "kept     age (not drawn)"):
        assert words in said


def test_the_specification_names_all_and_its_examples_are_legal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "rollout.md").read_text()
    assert schema.SCHEMA in text
    for name in (*schema.VARIABLES, *schema.ATTRS, *schema.STEP_COORDS, *schema.PUZZLE_COORDS, *schema.DIMS):
        assert f"`{name}`" in text, name
    monkeypatch.chdir(tmp_path)
    exec(text.split("```python")[1].split("```")[0])
    assert any(line.startswith("map      walk") for line in describe("walk.nc"))
    board = json.loads(text.split("```json")[1].split("```")[0])
    assert rollout.Board.from_json(json.dumps(board)).positions == 4
