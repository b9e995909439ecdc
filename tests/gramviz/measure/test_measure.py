"""Numbers: against scikit-learn, against slow readings of the definitions, and at the limits where they are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.decomposition import PCA

from gram import rollout
from gram.board import Board, Token
from gram.rollout import RolloutError
from gramviz import measure

# float32 sums of 8192 numbers: about 1e-4 of the largest coordinate; the map is drawn at 1e-3 of its width.
CLOSE = 1e-3


# ----------------------------------------------------------------------------------------- vectors shared with the page
def cases(vectors: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((vectors / f"{name}.json").read_text())["cases"]


def test_vectors_parting(vectors: Path) -> None:
    for case in cases(vectors, "parting"):
        found = measure.parting_of(np.array(case["a"]), np.array(case["b"]))
        assert (found and vars(found)) == case["expect"], case["why"]


def test_vectors_changed(vectors: Path) -> None:
    for case in cases(vectors, "changed"):
        assert measure.changed_tokens(np.array(case["tokens"])).astype(int).tolist() == case["expect"], case["why"]


def test_vectors_distribution(vectors: Path) -> None:
    for case in cases(vectors, "distribution"):
        found = measure.token_counts(np.array(case["tokens"]), case["vocabulary"])
        assert found.tolist() == case["expect"], case["why"]


def test_vectors_band(vectors: Path) -> None:
    for case in cases(vectors, "band"):
        found = measure.band(np.array(case["values"], float))
        np.testing.assert_allclose(found, np.array(case["expect"], float), atol=1e-12, err_msg=case["why"])


def test_vectors_conflicts(vectors: Path) -> None:
    for case in cases(vectors, "conflicts"):
        board = Board.from_json(json.dumps(case["board"]))
        tokens = np.array(case["tokens"])
        pairs = measure.conflict_pairs(board, tokens)
        assert [list(pair) for pair in pairs] == case["expect"], case["why"]
        # A position is marked exactly if it is in some pair: the two readings of the rule agree.
        assert set(np.flatnonzero(board.conflict(tokens))) == {p for pair in pairs for p in pair}, case["why"]


# ----------------------------------------------------------------------------------------------------------- projection
@pytest.fixture(scope="module")
def dozen(gram: xr.Dataset) -> xr.Dataset:
    """396 states of 1024 numbers: large enough for the iterative solver, small enough for an exact reference."""
    return gram.isel(trajectory=slice(0, 12), position=slice(20, 28))


@pytest.fixture(scope="module")
def states(dozen: xr.Dataset) -> np.ndarray:
    return dozen["h"].values[0].reshape(12, 33, -1).astype(np.float64)


def test_h_agrees_with_scikit_learn(dozen: xr.Dataset, states: np.ndarray) -> None:
    found = measure.project([dozen], "h")
    rows = states.reshape(-1, states.shape[-1])
    exact = PCA(3, svd_solver="full").fit(rows.astype(np.float32))
    np.testing.assert_allclose(found.variance, exact.explained_variance_ratio_, rtol=1e-4)
    place = found.series[0]["coordinates"].values.reshape(-1, 3)
    expected = exact.transform(rows.astype(np.float32)) * np.sign(
        exact.components_[range(3), np.abs(exact.components_).argmax(1)]
    )
    assert np.abs(place - expected).max() < CLOSE * np.ptp(expected)
    away = ((rows - rows.mean(0)) ** 2).sum(1)
    outside = 1 - (expected[:, :2] ** 2).sum(1) / away
    np.testing.assert_allclose(found.series[0]["outside"].values.ravel(), outside, atol=CLOSE)
    assert found.explained_2d == pytest.approx(exact.explained_variance_ratio_[:2].sum(), rel=1e-4)
    assert found.of == "h"


def test_late_states_fit_and_the_others_are_projected(dozen: xr.Dataset, states: np.ndarray) -> None:
    found = measure.project([dozen], "h", late=True)
    rows = states[:, 22:].reshape(-1, states.shape[-1]).astype(np.float32)
    exact = PCA(3, svd_solver="full").fit(rows)
    np.testing.assert_allclose(found.variance, exact.explained_variance_ratio_, rtol=1e-3, atol=1e-6)
    signs = np.sign(exact.components_[range(3), np.abs(exact.components_).argmax(1)])
    expected = exact.transform(states.reshape(-1, states.shape[-1]).astype(np.float32)) * signs
    place = found.series[0]["coordinates"].values.reshape(-1, 3)[:, :2]  # these ends lie in a plane
    assert np.abs(place - expected[:, :2]).max() < CLOSE * np.ptp(expected)
    assert found.of == "h in the last third of the steps"


def test_dense_and_iterative_agree(gram: xr.Dataset) -> None:
    few = gram.isel(position=slice(0, 2), trajectory=slice(0, 10))  # 330 x 256: dense; 330 x 384: iterated
    more = gram.isel(position=slice(0, 3), trajectory=slice(0, 10))
    for data in (few, more):
        rows = data["h"].values[0].reshape(330, -1).astype(np.float64)
        values = np.linalg.svd(rows - rows.mean(0), compute_uv=False) ** 2
        np.testing.assert_allclose(measure.project([data]).variance, values[:3] / values.sum(), rtol=1e-4)


def test_one_plane_for_several_runs(trm: xr.Dataset, gram: xr.Dataset) -> None:
    both = measure.project([gram, gram.isel(trajectory=[3])], "h")
    np.testing.assert_array_equal(both.series[1]["coordinates"][0], both.series[0]["coordinates"][3])
    with pytest.raises(RolloutError, match="1024 and 8192 numbers per state"):
        measure.project([gram, synthetic.queens(2, features=16)], "h")


def test_planes_never_join_two_checkpoints(trm: xr.Dataset, gram: xr.Dataset) -> None:
    assert measure.planes([trm, gram], "h") == [(0,), (1,)]
    assert measure.planes([gram, trm, gram], "random") == [(0, 2), (1,)]
    assert measure.planes([trm, gram], "h", share_h=True) == [(0, 1)]
    assert measure.planes([trm.drop_vars("h"), gram], "h") == [(1,)]
    unknown = gram.copy()
    del unknown.attrs["checkpoint"]
    assert measure.planes([unknown, unknown], "h") == [(0,), (1,)]  # not known to be the same


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_sign_rule(seed: int) -> None:
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=12)
    direction /= np.linalg.norm(direction)
    h = (rng.normal(size=(1, 4, 5, 1)) * direction).reshape(1, 4, 5, 4, 3)
    data = _with_h(h)
    sign = np.sign(direction[np.abs(direction).argmax()])
    expected = sign * (h.reshape(4, 5, 12) - h.reshape(20, 12).mean(0)) @ direction
    found = measure.project([data])
    np.testing.assert_allclose(found.series[0]["coordinates"][..., 0], expected, atol=1e-5)
    np.testing.assert_allclose(found.variance, [1, 0, 0], atol=1e-6)
    assert not found.series[0]["coordinates"][..., 1:].any()  # a direction of pure rounding is not drawn


def test_not_finite_states_are_left_out_and_nothing_else_changes(small: xr.Dataset) -> None:
    clean = measure.project([small.isel(trajectory=slice(0, 5))])
    poisoned = small.copy(deep=True)
    poisoned["h"][0, 5, :, 2, 1] = np.nan
    poisoned["h"][0, 5, 3, 2, 1] = np.inf
    found = measure.project([poisoned])
    np.testing.assert_allclose(found.variance, clean.variance, rtol=1e-5)
    assert np.isnan(found.series[0]["coordinates"][5]).all()
    assert np.isfinite(found.series[0]["coordinates"][:5]).all()
    poisoned["h"][0, 5, 7:] = 0
    place = measure.project([poisoned], late=True).series[0]["coordinates"][5, :, 0]
    assert np.isfinite(place).values.tolist() == [False] * 7 + [True] * 6


def test_large_float16_states_do_not_overflow() -> None:
    h = np.full((1, 2, 3, 4, 3), 60000, np.float16)
    h[0, 0, 1] = -60000
    data = _with_h(h)
    assert measure.drift(data).values[0, 0, 1] == pytest.approx(120000 * np.sqrt(12), rel=1e-3)
    assert measure.project([data]).variance.values.tolist() == pytest.approx([1, 0, 0])


@pytest.mark.filterwarnings("error")
def test_infinite_states_have_neither_drift_nor_spread() -> None:
    data = _with_h(np.full((1, 2, 3, 4, 3), np.inf))
    assert np.isnan(measure.drift(data)).all()
    assert np.isnan(measure.spread(data)).all()


def test_still_states_have_no_variance() -> None:
    found = measure.project([_with_h(np.ones((1, 2, 3, 4, 3)))])
    assert not found.variance.any()
    assert not found.series[0]["outside"].any()


def _with_h(h: np.ndarray) -> xr.Dataset:
    """A board of four positions without rules, with this h."""
    board = Board("toy", "Toy", "grid", 1, h.shape[3], (Token("a"), Token("b")))
    tokens = np.zeros(h.shape[:4], int)
    return rollout.make(board, {"x": np.zeros((h.shape[0], h.shape[3]), int), "tokens": tokens, "h": h})


# --------------------------------------------------------------------------------------------------------------- series
def test_drift_and_spread_by_hand(small: xr.Dataset) -> None:
    h = small["h"].values.astype(np.float64).reshape(2, 6, 13, -1)
    drift = measure.drift(small)
    assert drift.dims == ("puzzle", "trajectory", "step")
    assert np.isnan(drift[..., 0]).all()
    np.testing.assert_allclose(drift[..., 1:], np.linalg.norm(np.diff(h, axis=2), axis=-1), rtol=1e-5)
    spread = measure.spread(small)
    np.testing.assert_allclose(
        spread, np.linalg.norm(h - h.mean(1, keepdims=True), axis=-1).mean(1), rtol=1e-4, atol=1e-6
    )
    assert not measure.spread(small.isel(trajectory=[0])).any()


def test_certainty_entropy_and_runner_up(small: xr.Dataset) -> None:
    p = small["probability"].values.astype(np.float32)
    np.testing.assert_array_equal(
        measure.certainty(small), p.max(-1)
    )  # the synthetic answer is the most probable token
    second = measure.second(small)
    np.testing.assert_array_equal(second["probability"], np.sort(p, -1)[..., -2])
    assert (second["token"] != small["tokens"]).all()
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = -np.nansum(p * np.log(p), -1)
    np.testing.assert_allclose(measure.entropy(small), expected, atol=1e-5)


def test_logits_are_as_good_as_probabilities(small: xr.Dataset) -> None:
    logits = np.log(small["probability"].values.astype(np.float64).clip(1e-9)) + 300  # softmax ignores a shift
    data = small.drop_vars("probability").assign(logits=(small["probability"].dims, logits))
    np.testing.assert_allclose(measure.certainty(data), measure.certainty(small), atol=2e-3)


def test_the_shown_token_need_not_be_the_likeliest() -> None:
    board = Board("toy", "Toy", "grid", 1, 1, tuple(Token(c) for c in "abc"))
    data = rollout.make(
        board,
        {
            "x": [[0]],
            "tokens": np.ones((1, 1, 1, 1), int),
            "probability": np.array([0.6, 0.3, 0.1]).reshape(1, 1, 1, 1, 3),
        },
    )
    assert measure.certainty(data).item() == pytest.approx(0.3)
    second = measure.second(data)
    assert (second["token"].item(), second["probability"].item()) == (0, pytest.approx(0.6))


def test_conflicts_with_and_without_rules(small: xr.Dataset) -> None:
    found = measure.conflicts(small)
    assert (found == 0).where(small["valid"], True).all()
    free = synthetic.colors()
    with pytest.raises(RolloutError, match="has no `conflict`"):
        measure.conflicts(free)
    marked = free.assign(conflict=free["tokens"] != free["y"])
    np.testing.assert_array_equal(measure.conflicts(marked), (free["tokens"] != free["y"]).sum("position"))


def test_ends_and_addresses(low: xr.Dataset) -> None:
    transitions = measure.ends(low)
    assert transitions.sizes["step"] == 13
    assert not transitions["low_step"].any()
    supervision = measure.ends(low, "supervision")
    assert supervision["supervision_step"].values.tolist() == list(range(7))
    assert supervision["transition"].values.tolist() == [0] + [2] * 6
    assert [measure.address(low, i) for i in (0, 1, 4, 8)] == ["init", "1.1.1", "1.1", "1.2"]
    with pytest.raises(ValueError, match="known: 'transition', 'supervision'"):
        measure.ends(low, "step")  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------ one trajectory
def test_first_correct_and_halted_name_steps_by_label(low: xr.Dataset) -> None:
    for data in (low, measure.ends(low)):
        first = measure.first_correct(data)
        for trajectory, label in enumerate(first.values[0]):
            valid = data["valid"].sel(puzzle=0).isel(trajectory=trajectory)
            before = valid if label == -1 else valid.sel(step=slice(0, int(label) - 1))
            assert not before.any()
            assert label == -1 or valid.sel(step=label)
    assert measure.halted(low).equals(low["halted_at"].rename("halted"))
    thinned = measure.ends(low)
    without = measure.halted(thinned.drop_vars("halted_at"))
    assert all(label in [-1, *thinned["step"].values] for label in without.values.ravel())


def test_outcome_words(small: xr.Dataset) -> None:
    valid = small["valid"].values[..., -1]
    halted = small["halted_at"].values >= 0
    expected = np.where(valid, measure.CORRECT, np.where(halted, measure.WRONG, measure.NOT_FINISHED))
    np.testing.assert_array_equal(measure.outcome(small), expected)
    assert (measure.outcome(small.drop_vars("valid")) == measure.UNKNOWN).all()
    headless = measure.outcome(small.drop_vars(["halt", "halted_at"]))
    assert set(np.unique(headless)) <= {measure.WRONG, measure.CORRECT}  # without a halting head none is unfinished
    assert measure.OUTCOMES[measure.NOT_FINISHED] == "not finished"
    start = small.isel(step=[0])  # no step has been made, whatever the halting head says of it
    assert set(np.unique(measure.outcome(start))) == {measure.NOT_FINISHED}


def test_where_nothing_stops_a_path_a_wrong_end_is_wrong(small: xr.Dataset) -> None:
    on, off = (small.assign_attrs(config=json.dumps({"inference": {"halting": h}})) for h in (True, False))
    assert measure.halting(small)
    assert measure.halting(on)
    assert not measure.halting(off)
    assert not measure.halting(small.drop_vars(["halt", "halted_at"]))
    assert measure.outcome(on).equals(measure.outcome(small))
    assert (measure.outcome(on) == measure.NOT_FINISHED).any()
    valid = small["valid"].values[..., -1]
    np.testing.assert_array_equal(measure.outcome(off), np.where(valid, measure.CORRECT, measure.WRONG))
    assert measure.halted(off).equals(measure.halted(small)), "what the head believed is what it was"


def test_settled_by_its_definition() -> None:
    steps = 10
    move = np.zeros((2, steps + 1))
    move[:, 1] = 1.0
    move[0, -3:], move[1, -3:] = 0.049, 0.051
    h = np.cumsum(move, 1).reshape(1, 2, steps + 1, 1, 1)
    assert measure.settled(_with_h(h)).values.tolist() == [[True, False]]
    assert not measure.settled(_with_h(h[:, :, :3])).any()  # too short to tell


def test_answers_are_lettered_by_size(trm: xr.Dataset, gram: xr.Dataset) -> None:
    found = measure.answers([trm, gram])
    totals = [sum(answer.counts) for answer in found.found]
    assert totals == sorted(totals, reverse=True)
    assert sum(totals) == 51
    assert [answer.letter for answer in found.found] == [chr(97 + i) for i in range(len(totals))]
    for series, data in enumerate((trm, gram)):
        for trajectory in range(data.sizes["trajectory"]):
            answer = found.found[int(found.final[series][trajectory])]
            np.testing.assert_array_equal(answer.tokens, data["tokens"].values[0, trajectory, -1])
            assert answer.valid == bool(data["valid"][0, trajectory, -1])
        shows = found.at[series].values
        assert (shows[:, -1] == found.final[series]).all()
        trajectory, step = np.argwhere(shows >= 0)[0]
        np.testing.assert_array_equal(found.found[shows[trajectory, step]].tokens, data["tokens"][0, trajectory, step])
    assert {answer.outcome for answer in found.found if answer.valid} == {"correct"}


def test_answers_beyond_z_have_no_letter() -> None:
    board = Board("toy", "Toy", "grid", 1, 1, tuple(Token(str(i)) for i in range(30)))
    data = rollout.make(board, {"x": [[0]], "tokens": np.arange(30).reshape(1, 30, 1, 1)})
    found = measure.answers([data]).found
    assert [answer.letter for answer in found[25:28]] == ["z", "", ""]
    assert found[0].outcome == "unknown"


def test_an_answer_that_breaks_no_rule_but_the_given_says_so() -> None:
    tokens = (Token("blank"), Token("one", "1"), Token("two", "2"))
    board = Board("toy", "Toy", "grid", 1, 2, tokens, blank=(0,), exclusive=(1, 2), groups=((0, 1),))
    data = rollout.make(board, {"x": [[1, 0]], "tokens": [[[[2, 1]]]], "valid": [[[False]]]})
    (answer,) = measure.answers([data]).found
    assert (answer.conflicts, answer.outcome) == (0, "a given changed or a blank left")


def test_parting_of_rollouts(trm: xr.Dataset, gram: xr.Dataset) -> None:
    trajectory = int(np.flatnonzero((gram["tokens"].values[0, :, -1] != trm["tokens"].values[0, 0, -1]).any(1))[0])
    found = measure.parting(trm, 0, gram, trajectory)
    assert found is not None
    assert found == measure.parting_of(trm["tokens"].values[0, 0], gram["tokens"].values[0, trajectory])
    swapped = measure.parting(gram, trajectory, trm, 0)
    assert swapped == found
    assert measure.parting(gram, 4, gram, 4) is None


boards = arrays(np.int8, st.tuples(st.integers(1, 6), st.just(5)), elements=st.integers(0, 2))


@given(boards, boards)
@settings(max_examples=200, deadline=None)
def test_parting_is_stable(a: np.ndarray, b: np.ndarray) -> None:
    found = measure.parting_of(a, b)
    longer = np.concatenate([a, a[-1:], a[-1:]])
    assert found == measure.parting_of(longer, b)  # holding the last board changes nothing
    if found is None:
        assert (a[-1] == b[-1]).all()
    else:
        assert a[-1][found.position] != b[-1][found.position]
        assert 0 <= found.index < max(len(a), len(b))


def test_distribution_counts_every_path(small: xr.Dataset) -> None:
    found = measure.distribution(small, step=4, puzzle=1)
    assert (found.sum("token") == 6).all()
    assert (measure.distribution(small, trajectories=[2, 3]).sum("token") == 2).all()


@pytest.mark.parametrize(
    ("call", "name", "cure"),
    [
        (measure.drift, "h", "h=True"),
        (measure.spread, "h", "h=True"),
        (measure.settled, "h", "h=True"),
        (measure.certainty, "probability", "probability=True"),
        (measure.entropy, "probability", "probability=True"),
        (lambda data: measure.project([data]), "h", "h=True"),
        (lambda data: measure.halted(data.drop_vars("halted_at")), "halt", "halt=True"),
    ],
)
def test_what_is_missing_says_how_to_record_it(small: xr.Dataset, call: Any, name: str, cure: str) -> None:
    with pytest.raises(RolloutError, match=f"no `{name}`; record it with Record\\({cure}\\)"):
        call(small.drop_vars(name))


def test_wrong_arguments(small: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="unknown basis 'tsne'; known: h, random"):
        measure.project([small], "tsne")
    with pytest.raises(ValueError, match="2 puzzle indices for 1 rollouts"):
        measure.project([small], puzzle=(0, 1))


def test_a_random_plane_is_what_its_directions_show(small: xr.Dataset):
    """Against numpy: two runs of the seed agree, distances never grow, and the shares are the energies along them."""
    found = measure.project([small], "random")
    assert (found.label, found.axis, found.of) == ("Random plane (seed 0)", "Direction", "h")
    states = measure.ends(small)["h"].transpose("puzzle", "trajectory", "step", "position", "feature").values[0]
    rows = states.reshape(-1, states.shape[2] * states.shape[3]).astype(np.float64)
    away = rows - rows.mean(0)
    drawn = np.linalg.qr(np.random.default_rng(0).standard_normal((rows.shape[1], 3)))[0]
    drawn = drawn * np.sign(drawn[np.abs(drawn).argmax(0), range(3)])
    place = found.series[0]["coordinates"].values.reshape(-1, 3)
    np.testing.assert_allclose(place, away @ drawn, atol=1e-4 * np.abs(away).max() * 10)
    np.testing.assert_allclose(found.variance, ((away @ drawn) ** 2).sum(0) / (away**2).sum(), rtol=1e-3)
    beyond = 1 - ((away @ drawn) ** 2).sum(1) / (away**2).sum(1)
    np.testing.assert_allclose(found.series[0]["beyond"].values.ravel(), beyond, atol=1e-4)
    assert found.explained_2d < measure.project([small], "h").explained_2d


def test_the_plane_of_a_cell_is_that_of_its_h_alone(small: xr.Dataset):
    found = measure.project([small], "cell2")
    alone = measure.project([small.assign(h=small["h"].where(small["h"]["position"] == 2, 0))], "h")
    np.testing.assert_allclose(found.variance, alone.variance, atol=1e-5)
    one, other = (np.abs(each.series[0]["coordinates"]) for each in (found, alone))
    np.testing.assert_allclose(one, other, atol=1e-3)
    assert found.label == "PCA of cell r1c3"
    assert found.of == "h of row 1, column 3"
    with pytest.raises(ValueError, match="there is no position 999; choose 0 to"):
        measure.project([small], "cell999")
    for wrong in ("cell", "cell-1", "cell02", "cell1 ", "Cell1", "cell१"):
        with pytest.raises(ValueError, match="unknown basis"):
            measure.project([small], wrong)
