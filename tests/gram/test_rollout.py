"""The contract between engine and eyes: what is legal, what each breach is told, and files that survive anything."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import h5netcdf
import h5py
import numpy as np
import pytest
import xarray as xr
from full import sampled
from hypothesis import given
from hypothesis import strategies as st

from gram import netcdf, rollout
from gram.board import Board, Token
from gram.rollout import RolloutError
from gram.schema import STEP_COORDS, VARIABLES

PUZZLES, PATHS, STEPS, POSITIONS, TOKENS, FEATURES = 2, 3, 4, 4, 3, 5
SIZES = {
    "puzzle": PUZZLES, "trajectory": PATHS, "step": STEPS, "position": POSITIONS, "token": TOKENS, "feature": FEATURES,
}  # fmt: skip
BOARD = Board(
    "pair", "Two by two", "grid", 2, 2, (Token("pad"), Token("empty", "."), Token("stone", "S")), blank=(0, 1),
    groups=((0, 1), (2, 3)), exclusive=(2,), required=((2, 2),),
)  # fmt: skip


def arrays(**changes: Any) -> dict[str, np.ndarray]:
    """Every variable of the schema, with legal values of a dtype that it allows."""
    rng = np.random.default_rng(0)
    made: dict[str, np.ndarray] = {}
    for name, variable in VARIABLES.items():
        shape = tuple(SIZES[dim] for dim in variable.dims)
        if "f" in variable.kinds:
            dtype = np.float16 if name in ("h", "probability") else np.float32
            made[name] = rng.random(shape).astype(dtype)
        elif variable.kinds == "b":
            made[name] = rng.random(shape) < 0.5
        else:
            made[name] = rng.integers(0, TOKENS, shape).astype(np.uint8 if "u" in variable.kinds else np.int32)
    return made | changes


def legal(**changes: Any) -> xr.Dataset:
    return rollout.make(BOARD, arrays(), **changes)


def with_curves(count: int) -> Any:
    """Adds further variables to a rollout."""
    return lambda data: data.assign({f"v{k}": data["kl"] for k in range(count)})


def bare(**variables: Any) -> dict[str, Any]:
    """The two required variables."""
    full = arrays()
    return {"x": full["x"], "tokens": full["tokens"]} | variables


def test_all_variables_together_are_legal_and_keep_their_dims_values_units_and_meaning() -> None:
    data, given_arrays = legal(), arrays()
    assert set(data.data_vars) == set(VARIABLES)
    for name, variable in VARIABLES.items():
        assert data[name].dims == variable.dims
        np.testing.assert_array_equal(data[name].values, given_arrays[name])
        assert data[name].dtype == given_arrays[name].dtype
        assert data[name].attrs == {"units": variable.unit, "long_name": variable.meaning}
    assert rollout.check(data) is data
    assert rollout.board_of(data) == BOARD


def test_two_arrays_and_a_board_are_enough() -> None:
    data = rollout.make(BOARD, bare())
    assert set(data.data_vars) == {"x", "tokens", "valid", "conflict"}
    assert data["supervision_step"].values.tolist() == [0, 1, 2, 3]
    assert data["transition"].values.tolist() == [0, 1, 1, 1]
    assert data["low_step"].values.tolist() == [0, 0, 0, 0]
    assert (data.attrs["seed"], data.attrs["mode"], data.attrs["model"]) == (0, "prior", "unknown")


def test_conflict_and_validity_come_from_the_rules_and_the_givens() -> None:
    x = np.array([[2, 1, 1, 1]])
    answers = np.array(
        [[2, 1, 2, 1], [1, 2, 2, 1], [2, 2, 1, 1], [2, 1, 1, 1]]
    )  # right, drops the given, clash, too few
    data = rollout.make(BOARD, {"x": x, "tokens": answers[None, :, None]})
    assert data["valid"].values[0, :, 0].tolist() == [True, False, False, False]
    assert data["conflict"].values[0, :, 0].tolist() == [
        [False] * 4,
        [False] * 4,
        [True, True, False, False],
        [False] * 4,
    ]


STEPWISE = ("puzzle", "trajectory", "step")


def test_further_variables_are_kept_and_their_dims_say_how_they_are_drawn(tmp_path: Path) -> None:
    rng, shape = np.random.default_rng(0), (PUZZLES, PATHS, STEPS)
    further = {
        "loss": (STEPWISE, rng.random(shape), {"units": "nats"}),
        "rate": ("step", np.arange(STEPS)),
        "energy": ((*STEPWISE, "position"), rng.random((*shape, POSITIONS))),
        "z": ((*STEPWISE, "feature_z"), rng.random((*shape, 2 * FEATURES))),
        "age": ("puzzle", np.arange(PUZZLES)),
    }
    data = rollout.make(BOARD, arrays(**further))
    kinds = {"loss": "curve", "rate": "curve", "energy": "layer", "z": "map", "age": "kept"}
    assert rollout.extras(data) == kinds
    back = rollout.load(rollout.save(data, tmp_path / "a.nc"))
    assert back.identical(data.assign_attrs(back.attrs))
    assert rollout.need(back, "loss").attrs["units"] == "nats"


def test_states_without_answers_need_no_board() -> None:
    data = rollout.make(None, {"h": arrays()["h"], "loss": (STEPWISE, np.zeros((PUZZLES, PATHS, STEPS)))})
    assert "board" not in data.attrs
    with pytest.raises(RolloutError, match="has no board"):
        rollout.board_of(data)
    with pytest.raises(RolloutError, match="attribute 'board' is missing"):
        rollout.make(None, bare())


def test_a_board_without_rules_judges_nothing() -> None:
    free = Board("free", "Free", "grid", 2, 2, BOARD.tokens)
    assert set(rollout.make(free, bare()).data_vars) == {"x", "tokens"}


def test_a_judgement_that_was_given_is_kept() -> None:
    verdict = np.ones((PUZZLES, PATHS, STEPS), dtype=bool)
    assert rollout.make(BOARD, bare(valid=verdict))["valid"].values.all()


def test_a_variable_that_is_none_is_left_out() -> None:
    assert "h" not in rollout.make(BOARD, bare(h=None))


WIDE = (PUZZLES, PATHS, STEPS, POSITIONS, FEATURES)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"x": None}, "needs 'x'; got tokens"),
        ({"x": None, "tokens": None}, "needs 'x'; got nothing"),
        ({"hh": np.zeros(1)}, r"unknown variable 'hh'; known: x, y,.*did you mean 'h'"),
        ({"h": np.zeros((2, 3))}, r"'h' has 2 dims \(2, 3\); expected \[puzzle, trajectory, step, position, feature\]"),
        ({"h": np.zeros(WIDE, dtype=int)}, "'h' has dtype int64; expected a kind of 'f'"),
        ({"h": np.full(WIDE, "a")}, "'h' has dtype <U1"),
        ({"valid": np.zeros((PUZZLES, PATHS, STEPS), dtype=int)}, "'valid' has dtype int64; expected a kind of 'b'"),
        ({"tokens": np.zeros((PUZZLES, PATHS, STEPS, POSITIONS))}, "'tokens' has dtype float64"),
        ({"x": np.zeros((PUZZLES + 1, POSITIONS), dtype=int)}, "along 'puzzle'"),
        ({"x": np.zeros((PUZZLES, POSITIONS + 1), dtype=int)}, "'x' has size 5 along 'position', but the board has 4"),
        ({"tokens": np.zeros((PUZZLES, PATHS, STEPS, 3), dtype=int)}, "'tokens' has size 3 along 'position'"),
        ({"halt": np.zeros((PUZZLES, PATHS, STEPS + 1))}, "'halt' has size 5 along 'step'"),
        ({"tokens": np.full((PUZZLES, PATHS, STEPS, POSITIONS), 3)}, "'tokens' holds tokens 3 to 3; the board knows 0"),
        ({"x": np.full((PUZZLES, POSITIONS), -1)}, "'x' holds tokens -1 to -1"),
        ({"y": np.full((PUZZLES, POSITIONS), 7)}, "'y' holds tokens 7 to 7"),
        ({"x": np.zeros((0, 4), int), "tokens": np.zeros((0, 1, 1, 4), int)}, "the rollout is empty"),
        ({"tokens": np.zeros((PUZZLES, PATHS, 0, 4), int)}, "the rollout is empty"),
    ],
)  # fmt: skip
def test_wrong_variables_are_one_sentence(variables: dict[str, Any], words: str) -> None:
    with pytest.raises(RolloutError, match=words) as caught:
        rollout.make(BOARD, bare(**variables))
    assert "\n" not in str(caught.value)


def test_an_unknown_attribute_names_the_nearest() -> None:
    with pytest.raises(RolloutError, match=r"unknown attribute 'sed'.*did you mean 'seed'"):
        rollout.make(BOARD, bare(), sed=3)


@pytest.mark.parametrize(
    "times",
    [
        [(0, 0, 0), (1, 1, 1), (1, 1, 2), (1, 1, 0)],  # low steps come before the end of their transition
        [(0, 0, 0), (1, 1, 0), (1, 2, 0), (2, 1, 0)],
        [(0, 0, 0), (1, 2, 0), (2, 2, 0), (3, 2, 0)],  # the last transition of each supervision step only
        [(0, 0, 0), (2, 1, 0), (7, 1, 3), (7, 1, 0)],
    ],
)
def test_steps_that_advance_in_time_are_legal(times: list[tuple[int, int, int]]) -> None:
    first, second, third = zip(*times, strict=True)
    data = rollout.make(BOARD, bare(), supervision_step=first, transition=second, low_step=third)
    assert [*zip(*(data[name].values.tolist() for name in STEP_COORDS), strict=True)] == times


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (
            [(1, 1, 0), (1, 2, 0), (2, 1, 0), (2, 2, 0)],
            r"step 0 must be the initial state \(0, 0, 0\), not \(1, 1, 0\)",
        ),
        ([(0, 0, 0), (1, 1, 0), (1, 1, 0), (1, 2, 0)], r"\(1, 1, 0\) follows \(1, 1, 0\)"),
        ([(0, 0, 0), (1, 2, 0), (1, 1, 0), (2, 1, 0)], r"\(1, 1, 0\) follows \(1, 2, 0\)"),
        ([(0, 0, 0), (1, 1, 0), (1, 1, 1), (1, 2, 0)], r"\(1, 1, 1\) follows \(1, 1, 0\)"),
        ([(0, 0, 0), (1, 1, 2), (1, 1, 1), (1, 1, 0)], r"\(1, 1, 1\) follows \(1, 1, 2\)"),
        ([(0, 0, 0), (2, 1, 0), (1, 1, 0), (3, 1, 0)], r"\(1, 1, 0\) follows \(2, 1, 0\)"),
    ],
)
def test_steps_that_do_not_advance_are_refused(times: list[tuple[int, int, int]], words: str) -> None:
    first, second, third = zip(*times, strict=True)
    with pytest.raises(RolloutError, match=words):
        rollout.make(BOARD, bare(), supervision_step=first, transition=second, low_step=third)


@pytest.mark.parametrize("values", [[0, 1], [0, 0.5, 1, 2], ["a", "b", "c", "d"], 3])
def test_step_coordinates_are_one_integer_per_step(values: Any) -> None:
    with pytest.raises(RolloutError, match=r"supervision_step is .* expected an integer for each of the 4 steps"):
        rollout.make(BOARD, bare(), supervision_step=values)


def without_attr(name: str) -> Any:
    return lambda data: data.attrs.pop(name) and None


def with_attr(name: str, value: Any) -> Any:
    return lambda data: data.attrs.update({name: value})


@pytest.mark.parametrize(
    ("breach", "words"),
    [
        *(
            (without_attr(name), f"attribute '{name}' is missing")
            for name in ("schema", "task", "board", "model", "mode")
        ),
        (with_attr("schema", "comic 1"), "schema 'comic 1' is unknown; this version reads 'gram-rollout 3'"),
        (with_attr("schema", ""), "schema '' is unknown"),
        (with_attr("schema", "gram-rollout 1"), "this is a 'gram-rollout 1'; this version reads 'gram-rollout 3'"),
        (with_attr("board", "no"), "board cannot be read"),
        (with_attr("board", "{}"), "board cannot be read"),
        (with_attr("seed", "x"), "seed is 'x'; it must be an integer"),
        (with_attr("model", 5), "model is '5'; it must be a text"),
        (with_attr("checkpoint", 5), "checkpoint is '5'; it must be a text"),
        (with_attr("levels", '["Step", [1]]'), "levels is .*; it must be a JSON list of texts"),
        (with_curves(90), "has 118 variables, coordinates and dims; at most 100 are read again"),
        (with_attr("data", "[]"), r"data is '\[\]'; it must be a JSON dict"),
        (with_attr("data", "{"), "data is '{'; it must be a JSON dict"),
        (with_attr("mode", "future"), "mode is 'future'; known: prior, posterior"),
        (lambda data: data.drop_vars("x"), "needs 'x'"),
        (lambda data: data.drop_vars("tokens"), "needs 'tokens'"),
        (lambda data: data.set_coords("x"), "needs 'x'"),
        (lambda data: data.drop_vars("transition"), "'transition' is missing or not an integer per step"),
        (
            lambda data: data.assign_coords(low_step=("step", np.zeros(STEPS))),
            "'low_step' is missing or not an integer",
        ),
        (
            lambda data: data.assign(more=("place", np.zeros(2))),
            r"has dims \('place',\); allowed: some of puzzle",
        ),
        (lambda data: data.assign(more=(("step", "puzzle"), np.zeros((STEPS, PUZZLES)))), "order, with feature_NAME"),
        (lambda data: data.assign(more=("feature_a/b", np.zeros(2))), r"has dims \('feature_a/b',\); allowed"),
        (lambda data: data.assign({"a b": ("puzzle", np.zeros(PUZZLES))}), "'a b' cannot name a variable"),
        (lambda data: data.assign(more=("puzzle", np.full(PUZZLES, "a"))), "'more' has dtype <U1"),
        (lambda data: data.assign(h=data["h"].transpose()), "'h' has dims .*; expected .*'puzzle', 'trajectory'"),
        (lambda data: data.assign(kl=data["kl"].astype(int)), "'kl' has dtype int64"),
        (lambda data: data.isel(position=slice(0, 3)), "3 positions, but the board has 4"),
        (lambda data: data.isel(trajectory=slice(0, 0)), "the rollout is empty"),
        (lambda data: data.isel(step=slice(1, None)), "step 0 must be the initial state"),
        (lambda data: data.isel(step=[0, 2, 1]), "steps must advance in time"),
    ],
)
def test_check_and_save_name_the_rule_that_is_broken(breach: Any, words: str, tmp_path: Path) -> None:
    data = legal().copy()
    data.attrs = dict(data.attrs)
    data = breach(data) if breach(data) is not None else data
    for act in (rollout.check, lambda broken: rollout.save(broken, tmp_path / "a.nc")):
        with pytest.raises(RolloutError, match=words) as caught:
            act(data)
        assert "\n" not in str(caught.value)
    assert not [*tmp_path.iterdir()]


def test_only_a_dataset_is_a_rollout() -> None:
    with pytest.raises(RolloutError, match="not dict; make one with"):
        rollout.check({})  # type: ignore[arg-type]


def test_every_second_step_of_a_rollout_is_a_rollout() -> None:
    rollout.check(legal().isel(step=[0, 2, 3]))


def test_need_gives_the_variable_or_says_how_to_record_it() -> None:
    data = legal(config="{}")
    assert rollout.need(data, "h") is not None
    for name, variable in VARIABLES.items():
        with pytest.raises(RolloutError, match=f"has no `{name}`") as caught:
            rollout.need(data.drop_vars(name), name)
        assert (f"record it with Record({variable.record})" in str(caught.value)) == bool(variable.record)
    with pytest.raises(RolloutError, match="unknown variable 'g'"):
        rollout.need(data, "g")
    with pytest.raises(RolloutError, match=r"has no `halt`; record it as gv.record\(..., halt=...\)"):
        rollout.need(legal().drop_vars("halt"), "halt")  # of a model that is not ours


class TestFiles:
    """Saving and loading."""

    def test_a_file_gives_back_values_dtypes_attrs_and_digest(self, tmp_path: Path) -> None:
        data = legal(seed=7, name="mine", levels=json.dumps(["a", "b"]), config='{"seed": 7}')
        path = rollout.save(data, tmp_path / "a.nc")
        back = rollout.load(path)
        xr.testing.assert_identical(back, data)
        for name in data.data_vars:
            assert back[name].dtype == data[name].dtype, name
        assert back["h"].dtype == np.float16
        assert rollout.digest(back) == rollout.digest(data)
        assert rollout.config_of(back) == {"seed": 7}

    def test_a_file_saved_again_is_the_same_rollout(self, tmp_path: Path) -> None:
        once = rollout.load(rollout.save(legal(), tmp_path / "a.nc"))
        again = rollout.load(rollout.save(once, tmp_path / "b.nc"))
        xr.testing.assert_identical(again, once)
        assert rollout.load(rollout.save(once.isel(puzzle=[1]), tmp_path / "c.nc")).sizes["puzzle"] == 1

    def test_saving_does_not_touch_the_rollout(self, tmp_path: Path) -> None:
        data, before = legal(), legal()
        rollout.save(data, tmp_path / "a.nc")
        assert data["h"].attrs == before["h"].attrs
        assert rollout.digest(data) == rollout.digest(before)

    def test_every_half_float_survives(self, tmp_path: Path) -> None:
        every = np.arange(2**16, dtype=np.uint16).view(np.float16)
        every = np.resize(every[np.isfinite(every)], (1, 1, 1, 4, 15_872))
        data = rollout.make(BOARD, {"x": np.ones((1, 4), int), "tokens": np.ones((1, 1, 1, 4), int), "h": every})
        back = rollout.load(rollout.save(data, tmp_path / "a.nc"))
        np.testing.assert_array_equal(back["h"].values.view(np.uint16), every.view(np.uint16))

    def test_others_can_read_the_file_without_this_project(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(netcdf, "CHUNK", 12)  # bytes, so that there are many chunks, and some beyond the edge
        data = legal()
        path = rollout.save(data, tmp_path / "a.nc")
        with h5netcdf.File(path, "r") as file:  # raises on what is HDF5 but not netCDF-4
            assert set(VARIABLES) <= set(file.variables)
            assert file.variables["h"].dtype == np.float32
        with h5py.File(path, "r") as raw:
            for name in map(str, data.data_vars):
                found, values = raw[name], data[name].values
                assert found.shuffle
                assert found.compression == "gzip"
                assert found[...].astype(values.dtype).tobytes() == values.tobytes(), name
                assert found[-1:].astype(values.dtype).tobytes() == values[-1:].tobytes(), name
            assert any(size % side for size, side in zip(raw["h"].shape, raw["h"].chunks, strict=True))
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            xr.testing.assert_equal(opened, data)
            assert opened["valid"].dtype == bool

    def test_a_file_is_written_in_less_time_than_zlib_alone_takes(self, tmp_path: Path) -> None:
        h = np.random.default_rng(0).normal(size=(1, 40, 16, 4, 1000)).astype(np.float16)  # 5 MB
        data = rollout.make(BOARD, {"x": np.ones((1, 4), int), "tokens": np.ones((1, 40, 16, 4), int), "h": h})
        shuffled = h.astype("f4").reshape(-1).view("u1").reshape(-1, 4).T.tobytes()
        start = time.process_time()
        zlib.compress(shuffled, 1)
        between = time.process_time()
        rollout.save(data, tmp_path / "a.nc")
        assert time.process_time() - between < 0.8 * (between - start)  # 0.45 on a machine at rest

    def test_the_same_rollout_is_the_same_file(self, tmp_path: Path) -> None:
        data = legal(created_at="today")
        files = [rollout.save(data, tmp_path / f"{name}.nc") for name in "ab"]
        assert files[0].read_bytes() == files[1].read_bytes()

    def test_the_digest_sees_values_names_dtypes_and_steps_but_not_the_time(self) -> None:
        data = legal()
        assert rollout.digest(data) == rollout.digest(data.assign_attrs(created_at="yesterday"))
        others = [
            data.drop_vars("u"), data.assign(halt=data["halt"] + 1), data.assign(halt=data["halt"].astype("float64")),
            data.rename(u="l", l="u"), data.isel(step=[0, 1, 3]),
            data.assign_coords(transition=("step", np.array([0, 1, 1, 2], np.int32))),
        ]  # fmt: skip
        assert len({rollout.digest(other) for other in (data, *others)}) == 1 + len(others)

    def test_a_file_that_is_not_there_is_said_to_be_missing(self, tmp_path: Path) -> None:
        with pytest.raises(RolloutError, match=r"there is no rollout file .*a.nc"):
            rollout.load(tmp_path / "a.nc")
        with pytest.raises(RolloutError, match="there is no rollout file"):
            rollout.load(tmp_path)

    def test_a_place_that_cannot_be_written_is_one_sentence_and_nothing_is_left(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        os.mkfifo(tmp_path / "pipe")  # as /dev/null, which root would replace by the file
        odd = (tmp_path / "pipe", tmp_path / ("a" * 300))
        for place in (tmp_path, tmp_path / "no" / "a.nc", tmp_path / "file" / "a.nc", Path(), *odd):
            with pytest.raises(RolloutError, match="cannot write") as caught:
                rollout.save(legal(), place)
            assert "\n" not in str(caught.value)
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "pipe"]
        assert (tmp_path / "pipe").is_fifo()

    def test_a_write_that_is_interrupted_leaves_the_old_file_and_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = rollout.save(legal(), tmp_path / "a.nc")
        before = path.read_bytes()

        def interrupt(*_: Any) -> bytes:
            raise KeyboardInterrupt

        monkeypatch.setattr(netcdf.isal_zlib, "compress", interrupt)
        with pytest.raises(KeyboardInterrupt):
            rollout.save(legal(seed=1), path)
        assert path.read_bytes() == before
        assert [*tmp_path.iterdir()] == [path]

    @pytest.mark.parametrize("room", [0, 1_000, 9_000, 30_000])  # bytes
    def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(self, room: int, tmp_path: Path) -> None:
        resource = pytest.importorskip("resource")  # without the guard HDF5 ends the process
        path = rollout.save(legal(), tmp_path / "a.nc")
        before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
        assert len(before) > room
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            with pytest.raises(RolloutError, match="File too large; choose a folder that can be written"):
                rollout.save(legal(seed=1), path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert path.read_bytes() == before
        assert [*tmp_path.iterdir()] == [path]

    def test_a_coordinate_that_no_file_keeps_is_refused_before_it_is_written(self, tmp_path: Path) -> None:
        named = legal().assign_coords(of=("trajectory", [*"abc"][: legal().sizes["trajectory"]]))
        with pytest.raises(RolloutError, match="cannot write the coordinate 'of' of <U1"):
            rollout.save(named, tmp_path / "a.nc")

    @pytest.mark.parametrize("value", [True, None, {"a": 1}, 2**70, "a\0"])
    def test_an_attribute_that_no_file_keeps_is_one_sentence(self, value: Any, tmp_path: Path) -> None:
        for data in (legal().assign_attrs(more=value), legal().assign(more=("puzzle", [0.0, 1.0], {"more": value}))):
            with pytest.raises(RolloutError, match="more"):
                rollout.save(data, tmp_path / "a.nc")
        assert not [*tmp_path.iterdir()]

    @pytest.mark.parametrize("name", ["_FillValue", "dtype", "recorded_as", "scale_factor", "coordinates", "CLASS"])
    def test_an_attribute_that_readers_act_on_is_refused(self, name: str, tmp_path: Path) -> None:
        """`_FillValue` 0 made NaN of zeros, `dtype` bool truth of numbers, `recorded_as` halved their digits."""
        for value in (0.0, "bool", "float16"):
            data = legal().assign(more=("puzzle", [0.0, 1.1], {name: value}))
            with pytest.raises(RolloutError, match=f"attribute {name!r}: readers of netCDF act on it; name"):
                rollout.save(data, tmp_path / "a.nc")
        assert not [*tmp_path.iterdir()]

    @pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i4", "u2"])
    def test_the_order_of_bytes_changes_no_digest(self, kind: str, tmp_path: Path) -> None:
        of = {order: legal().assign(more=("puzzle", np.array([0.5, 300.0], order + kind))) for order in "<>"}
        back = rollout.load(rollout.save(of[">"], tmp_path / "a.nc"))
        assert rollout.digest(of["<"]) == rollout.digest(of[">"]) == rollout.digest(back)
        np.testing.assert_array_equal(back["more"], of["<"]["more"])

    def test_a_coordinate_keeps_its_half_precision(self, tmp_path: Path) -> None:
        halves = legal().assign_coords(share=("puzzle", np.array([0.5, 1.5], np.float16)))
        xr.testing.assert_identical(rollout.load(rollout.save(halves, tmp_path / "a.nc")), halves)
        assert rollout.load(tmp_path / "a.nc")["share"].dtype == np.float16

    def test_no_path_holds_nul(self, tmp_path: Path) -> None:
        with pytest.raises(RolloutError, match="no name of a file holds the character NUL"):
            rollout.save(legal(), tmp_path / "a\0.nc")
        with pytest.raises(RolloutError, match="there is no rollout file"):
            rollout.load(tmp_path / "a\0.nc")

    def test_a_unit_of_time_does_not_make_dates_of_numbers(self, tmp_path: Path) -> None:
        dated = legal().assign(more=("puzzle", [0.0, 1.0], {"units": "days since 2000-01-01"}))
        xr.testing.assert_identical(rollout.load(rollout.save(dated, tmp_path / "a.nc")), dated)

    def test_a_file_of_another_kind_is_not_a_rollout(self, tmp_path: Path) -> None:
        xr.Dataset({"a": ("b", [1, 2])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
        with pytest.raises(RolloutError, match="not a rollout: attribute 'schema' is missing"):
            rollout.load(tmp_path / "other.nc")
        for content in (b"", b"\x89HDF\r\n\x1a\n", b"CDF\x01" + bytes(50), b"PK\x03\x04", b"words"):
            (tmp_path / "other.nc").write_bytes(content)
            with pytest.raises(RolloutError, match="may be damaged"):
                rollout.load(tmp_path / "other.nc")

    def test_a_configuration_that_was_altered_is_one_sentence(self) -> None:
        assert rollout.config_of(legal()) == {}
        with pytest.raises(RolloutError, match="configuration in this rollout"):
            rollout.config_of(legal(config="{"))

    @pytest.mark.parametrize("size", [0, 2**64 - 16])
    def test_a_heap_that_hdf5_would_never_leave_is_refused(self, tmp_path: Path, size: int) -> None:
        """Read by another process: in this one no time limit would end it."""
        path = rollout.save(legal(), tmp_path / "a.nc")
        content = bytearray(path.read_bytes())
        head = content.index(b"GCOL") + 16
        struct.pack_into("<HHIQ", content, head, 0 if size == 0 else 1, 0, 0, size)
        path.write_bytes(content)
        read = f"from gram import rollout; rollout.load({str(path)!r})"
        done = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, timeout=60)
        assert f"it may be damaged: the object at byte {head} of a heap" in done.stderr

    @pytest.mark.parametrize("way", ["storage", "external link", "soft link", "virtual"])
    def test_nothing_is_read_from_another_file_or_place(self, way: str, tmp_path: Path) -> None:
        path = rollout.save(legal(), tmp_path / "mine.nc")
        other = tmp_path / "other.h5"
        with h5py.File(path, "r+") as file, h5py.File(other, "w") as theirs:
            shape, dtype = file["value"].shape, file["value"].dtype
            theirs["value"] = np.ones(shape, dtype)
            del file["value"]
            if way == "storage":
                file.create_dataset(
                    "value", shape, dtype, external=[(str(other), 0, int(np.prod(shape)) * dtype.itemsize)]
                )
            elif way == "virtual":
                layout = h5py.VirtualLayout(shape, dtype)
                layout[:] = h5py.VirtualSource(str(other), "value", shape)
                file.create_virtual_dataset("value", layout)
            else:
                file["value"] = (
                    h5py.ExternalLink(str(other), "value") if way == "external link" else h5py.SoftLink("/halt")
                )
        with pytest.raises(RolloutError, match="takes 'value' from elsewhere; a rollout must hold its data itself"):
            rollout.load(path)

    @pytest.mark.parametrize(
        ("way", "message"),
        [
            ("group", "holds 'more', which is no array of numbers"),
            ("loop", "holds 'more', which is no array of numbers"),
            ("many", "holds 20,0.. arrays; a rollout has at most 100"),
            ("words", "holds 'more', which is no array of numbers"),
            ("empty chunks", r"claims 4,0.* bytes of arrays; a file of .* bytes may have"),
        ],
    )
    def test_a_bomb_is_refused_before_it_is_read(self, way: str, message: str, tmp_path: Path) -> None:
        path = rollout.save(legal(), tmp_path / "mine.nc")
        with h5py.File(path, "r+") as file:
            if way == "group":
                file.create_group("more")
            elif way == "loop":
                file["more"] = file["/"]
            elif way == "many":
                for number in range(20_000):
                    file[f"more{number}"] = file["halt"]
            elif way == "words":
                file["more"] = ["word"]
            else:
                file.create_dataset("more", (10**9,), "f4", chunks=(10**6,))
        with pytest.raises(RolloutError, match=message):
            rollout.load(path)


def save_as_a_page(path: Path, attrs: dict[str, Any] | str | None = None, **arrays: Any) -> Path:
    """The rollout `legal()` as a page would save it, with other attributes or arrays."""
    data = legal()
    said = {name: data.attrs[name] for name in ("task", "board", "model", "seed")}
    np.savez(path, **({name: data[name].values for name in ("x", "tokens", *STEP_COORDS)} | arrays))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("attrs.json", attrs if isinstance(attrs, str) else json.dumps(said | (attrs or {})))
    return path


def test_what_a_page_saved_is_a_rollout(tmp_path: Path) -> None:
    data, back = rollout.make(BOARD, bare()), rollout.load(save_as_a_page(tmp_path / "a.npz"))
    for name in ("x", "tokens", "valid", "conflict", *STEP_COORDS):
        assert (back[name] == data[name]).all()
    assert {name: data.attrs[name] for name in ("board", "seed", "mode")}.items() <= back.attrs.items()


@pytest.mark.parametrize(
    ("attrs", "arrays", "message"),
    [
        ({"board": "{}"}, {}, "this is not a board"),
        ({"model": ["a"]}, {}, r"says \['a'\] of 'model'; a text or a whole number can stand there"),
        ({"schema": "gram-rollout 1"}, {}, "says 'gram-rollout 1' of 'schema'"),
        ({"verdict": "right"}, {}, "unknown attribute 'verdict'"),
        ({"data": "x", "variables": "x"}, {}, "may be damaged"),
        ("[" * 100_000, {}, "it nests too deeply"),
        ("{}", {}, "may be damaged"),
        (" " * 10_000_001, {}, "holds more than 100 arrays, or 10,000,000 bytes of attributes"),
        ({}, {f"more{k}": np.zeros(1) for k in range(100)}, "holds more than 100 arrays"),
        ({}, {"tokens": np.array([{}])}, "Object arrays cannot be loaded"),
        ({}, {"g": np.zeros(3)}, "unknown variable 'g'"),
        ({}, {"tokens": np.full((2, 3, 4, 4), 200)}, "'tokens' holds tokens 200 to 200"),
        ({}, {"low_step": np.arange(4.0)}, "low_step is float64"),
    ],
)
def test_a_file_that_no_page_saved_is_one_sentence(attrs: Any, arrays: Any, message: str, tmp_path: Path) -> None:
    path = save_as_a_page(tmp_path / "a.npz", attrs, **arrays)
    with pytest.raises(RolloutError, match=message) as caught:
        rollout.load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_zip_that_unpacks_to_more_than_it_may_is_refused_unread(tmp_path: Path) -> None:
    path = save_as_a_page(tmp_path / "a.npz")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as file:
        file.writestr("h.npy", bytes(30_000_000))
    with pytest.raises(RolloutError, match=r"claims 30,.* bytes of arrays; a file of .* bytes may have"):
        rollout.load(path)


@pytest.fixture(scope="module", params=["netCDF", "page"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rollouts") / "a.nc"
    return rollout.save(legal(), path) if request.param == "netCDF" else save_as_a_page(path.with_suffix(".npz"))


@sampled(60, 2_000)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused(share: float, saved: Path, tmp_path: Path) -> None:
    whole = saved.read_bytes()
    path = tmp_path / "cut.nc"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(RolloutError):
        rollout.load(path)


@sampled(60, 2_000)
@given(content=st.binary(max_size=2_000))
def test_random_bytes_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "random.nc"
    path.write_bytes(content)
    with pytest.raises(RolloutError):
        rollout.load(path)


def test_rollouts_and_boards_leave_torch_unloaded() -> None:
    program = "import sys, gram, gram.rollout, gram.board; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
