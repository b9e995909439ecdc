"""Answers as a space: hand-made trajectories whose lanes, river and map are known, and vectors shared with the page."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from gram.rollout import RolloutError
from gramviz import measure
from gramviz.measure.answer_map import SHEAR, answer_map
from gramviz.measure.decisive import decisive, medoids, places
from gramviz.measure.families import Families, canonical, families, nearest, warm_up
from gramviz.measure.river import TRUNK, river
from gramviz.measure.score import score_rows

REMAKE = False  # True once, to write tests/vectors/answers.json anew after a change of the definition
CELLS, STEPS, KINDS = 12, 13, 5


def boards(ends: list[int], jumps: list[int], seed: int = 0) -> NDArray[np.int64]:
    """Boards [trajectory, step, cell]: noise of tokens 3 and 4 up to a jump to the board of one token, `end`; a jump
    at `STEPS` never comes."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(3, KINDS, (len(ends), STEPS, CELLS))
    for row, end, jump in zip(tokens, ends, jumps, strict=True):
        row[jump:] = end
    return tokens


def onehot(tokens: NDArray[np.integer]) -> NDArray[np.float32]:
    return (tokens[..., None] == np.arange(KINDS)).astype(np.float32).reshape(*tokens.shape[:-1], CELLS * KINDS)


def of(tokens: NDArray[np.integer], right: list[bool]) -> Families:
    return families(tokens, np.array(right), warm_up(tokens))


def test_trajectories_that_jump_commit_there_and_fill_the_slots_of_their_lane_from_outside() -> None:
    tokens = boards([0, 0, 0, 0, 1, 1, 1, 2], [3, 5, 4, 3, 6, 6, 7, STEPS])
    found = of(tokens, [True] * 4 + [False] * 4)
    assert found.size.tolist() == [4, 3]
    assert found.right.tolist() == [True, False]
    assert found.last.tolist() == [0, 0, 0, 0, 1, 1, 1, -1]
    assert found.commit.tolist() == [3, 5, 4, 3, 6, 6, 7, STEPS]
    assert found.settled.tolist() == [True] * 7 + [False]
    drawn = river(found, 1)
    assert list(drawn.spans) == [1, TRUNK, 0], "wrong below the trunk, right above it"
    low, high = drawn.spans[0]
    assert high - low == 4
    soft = 0.02  # slots: exp(-8) of the weight goes to the other lane
    assert drawn.y[[0, 3, 2, 1], -1] == pytest.approx([high - 0.5, high - 1.5, high - 2.5, high - 3.5], abs=soft)
    assert drawn.y[[4, 5, 6], -1] == pytest.approx([0, 1, 2], abs=soft)
    assert (drawn.y[0, 3:] == drawn.y[0, -1]).all()
    low, high = drawn.spans[TRUNK]
    assert ((drawn.y[7] > low) & (drawn.y[7] < high)).all(), "no answer: it stays in the trunk"


def test_a_lane_left_for_another_and_found_again_commits_late() -> None:
    tokens = boards([0] * 6, [2] * 6)
    tokens[0, 5:8] = 1
    found = of(tokens, [True] * 6)
    assert found.lane[0, 4:9].tolist() == [0, -1, -1, -1, 0]
    assert found.commit.tolist() == [8, 2, 2, 2, 2, 2]


def test_two_right_answers_near_each_other_keep_apart_and_a_tie_is_in_neither() -> None:
    tokens = boards([0] * 8, [4] * 8)
    tokens[4:, 4:, :2] = 1  # another answer, two cells away: radius (2 - 1) // 2
    between = tokens[0, -1].copy()
    between[0] = 1
    tokens[0, 6] = between
    found = of(tokens, [True] * 8)
    assert (found.radius, found.size.tolist()) == (0, [4, 4])
    assert found.distance[0, 6].tolist() == [1, 1]
    assert found.lane[0, 5:8].tolist() == [0, -1, 0]
    assert nearest((found.leaders != between).sum(-1), 1) == 0, "of equals the first"


def test_a_wrong_board_is_a_lane_only_if_three_stay() -> None:
    tokens = boards([1, 1, 1, 2], [4, 5, 6, 4])
    assert of(tokens, [False] * 4).size.tolist() == [3]
    tokens[2, -2] = 4
    assert of(tokens, [False] * 4).size.tolist() == [], "one of them has only just come"


def test_wanderers_have_no_lane_and_the_map_is_that_of_pca() -> None:
    tokens = boards([0] * 20, [STEPS] * 20)
    found = of(tokens, [False] * 20)
    assert found.size.size == 0
    assert (found.commit == STEPS).all()
    y = river(found, 1).y
    assert (y == y[:, :1]).all()
    states = onehot(tokens)
    made = answer_map(states, onehot(found.leaders), found, 1)
    assert (made.kind, made.lanes, made.anchors.size) == ("pca", (), 0)
    fit = PCA(2).fit(states[:, 1:].reshape(-1, states.shape[-1]))
    assert made.share == pytest.approx(fit.explained_variance_ratio_.sum(), rel=0.02)
    assert made.shear == pytest.approx(1, abs=1e-4)
    assert np.abs(made.xy[:, 1].mean(0)).max() < 1e-5, "+ is the mean state after the warm-up"


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_state_at_an_answer_stands_in_its_circle(count: int) -> None:
    ends = np.repeat(np.arange(count), 4)
    tokens = np.stack([boards([0], [STEPS], seed=i)[0] for i in range(len(ends))])
    for row, end in zip(tokens, ends, strict=True):
        row[4:] = np.where(np.arange(CELLS) % count == end, end % 3, (end + 1) % 3)
    found = of(tokens, [True] * len(ends))
    made = answer_map(onehot(tokens), onehot(found.leaders), found, 1)
    assert made.kind == ("star" if count > 2 else "line")
    assert len(made.anchors) == count
    assert np.abs(np.hypot(*made.anchors.T) - 1).max() < 1e-9
    for place, lane in enumerate(made.lanes):
        at = made.xy[found.last == lane, -1]
        assert np.abs(at - made.anchors[place]).max() < 0.1, "ridge regression falls a little short"
    assert made.shear <= SHEAR
    assert 0 < made.share <= 1


def test_answers_too_near_each_other_would_shear_the_star_so_it_is_pca() -> None:
    tokens = np.repeat(boards([0] * 12, [3] * 12), 6, axis=2)
    tokens[4:, 3:] = 1
    tokens[8:, 3:, 0] = 2  # two of three answers differ in one cell of 72
    found = of(tokens, [True] * 12)
    assert len(found.size) == 3
    leaders = np.eye(KINDS, dtype=np.float32)[found.leaders].reshape(3, -1)
    states = np.eye(KINDS, dtype=np.float32)[tokens].reshape(12, STEPS, -1)
    assert answer_map(states, leaders, found, 1).kind == "pca"


def test_all_right_and_one_answer_fill_one_lane() -> None:
    found = of(boards([0] * 5, [3] * 5), [True] * 5)
    assert (found.size.tolist(), found.last.tolist(), found.others) == ([5], [0] * 5, 0)
    assert decisive(boards([0] * 5, [3] * 5), found.last, KINDS) == [], "there is nothing to tell"


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_one_trajectory_has_its_own_last_board(steps: int) -> None:
    data = synthetic.queens(1, supervision_steps=4, transitions=1, features=4).isel(step=slice(steps))
    space = measure.answer_space([data])
    assert space.found.size.tolist() == [1]
    assert space.river.y.shape == (1, steps)
    assert space.map.xy.shape == (1, steps, 2)
    assert np.isfinite(space.map.xy).all()


def test_the_warm_up_ends_when_change_no_longer_halves() -> None:
    tokens = np.zeros((3, 21, 40), np.int64)
    for step, changed in enumerate([40, 15, 5, 4, 4], start=1):
        tokens[:, step] = tokens[:, step - 1]
        tokens[:, step, :changed] += 1
    assert warm_up(tokens[:, :21]) == 3
    assert warm_up(tokens[:, :9]) == 2, "a quarter of the steps at most"
    assert (warm_up(tokens[:, :2]), warm_up(tokens[:, :1])) == (1, 0)


def test_a_cell_that_follows_the_lane_tells_it_from_then_on() -> None:
    last = np.repeat([0, 1], 20)
    tokens = np.random.default_rng(0).integers(0, 3, (40, STEPS, CELLS))
    tokens[:, 4:, 7] = last[:, None]
    (told,) = decisive(tokens, last, KINDS)
    assert (told.step, told.cell, told.share) == (4, 7, 0.75)
    noise = np.random.default_rng(1).integers(0, 3, (6, 1, 60))
    assert decisive(noise, np.repeat([0, 1], 3), KINDS) == [], "of few trajectories some cell always seems to know"


def test_dense_places_are_found_and_named_by_what_differs_there() -> None:
    rng = np.random.default_rng(0)
    xy = rng.uniform(-1, 1, (20, 10, 2))
    states = onehot(np.full((20, 10, CELLS), 3))
    xy[:8, 5:] = rng.normal(0.5, 0.01, (8, 5, 2))
    states[:8, 5:, :KINDS] = np.eye(KINDS)[1]
    (place,) = places(xy, states, KINDS, range(KINDS), np.zeros((0, 2)))[:1]
    assert abs(place.x - 0.5) + abs(place.y - 0.5) < 0.1
    assert place.names[0] == (0, 1)
    assert 0.2 <= place.share < 0.25
    others = places(xy, states, KINDS, range(KINDS), np.array([[0.5, 0.5]]))
    assert all(np.hypot(one.x - 0.5, one.y - 0.5) > 0.1 for one in others), "a circle has a name already"
    assert places(np.zeros((20, 10, 2)), states, KINDS, range(KINDS), np.zeros((0, 2))) == []


def test_the_medoid_is_the_middle_one() -> None:
    states = np.array([[[0.0]], [[1]], [[3]], [[9]]], np.float32)
    assert medoids(states, np.array([0, 0, 0, -1])) == [3, 1]


def test_colors_are_renamed_by_the_last_board_along_the_whole_trajectory() -> None:
    tokens = np.array([[[4, 4, 2], [3, 2, 3]], [[2, 3, 2], [2, 3, 2]]])
    names = canonical(tokens, (2, 3, 4), KINDS)
    assert names[0].tolist() == [0, 1, 3, 2, 4]
    assert names[np.arange(2)[:, None, None], tokens].tolist() == [[[4, 4, 3], [2, 3, 2]], [[2, 3, 2], [2, 3, 2]]]


def test_series_share_their_lanes_and_of_several_models_boards_are_compared() -> None:
    one, other = synthetic.queens(6, features=4), synthetic.queens(4, features=4, seed=5, supervision_steps=8)
    together = measure.answer_space([one, other])
    assert together.sizes == (6, 4)
    assert together.river.y.shape == (10, one.sizes["step"])
    assert together.known == "token probabilities", "of one checkpoint"
    apart = measure.answer_space([one, other.assign_attrs(checkpoint="another")])
    assert apart.known == "one-hot tokens"
    assert np.array_equal(apart.found.lane, together.found.lane)


def test_one_rollout_is_a_series_and_those_of_different_boards_are_refused() -> None:
    one = synthetic.queens(6, features=4)
    assert measure.answer_space(one).sizes == (6,)
    for series, said in (([one, synthetic.sudoku()], "8 queens, "), ([], "none")):
        with pytest.raises(RolloutError, match=f"the boards are {said}"):
            measure.answer_space(series)


@pytest.mark.parametrize("make", [synthetic.graph, synthetic.colors, synthetic.image, synthetic.sudoku])
def test_every_board_has_a_space_and_the_same_one_each_time(make: Any) -> None:
    one, again = measure.answer_space([make()]), measure.answer_space([make()])
    assert np.array_equal(one.map.xy, again.map.xy)
    assert np.array_equal(one.river.y, again.river.y)
    assert one.judged == (make is not synthetic.image)


def test_it_is_quick() -> None:
    data = synthetic.sudoku(50, box=3, supervision_steps=63, transitions=1, features=2)
    open_ = data["x"].values[0] == 1
    for k in range(1, 4):  # besides the right answer three wrong ones
        late = data["tokens"].values[0, 10 * k : 10 * k + 10, 10 + 9 * k :]
        late[..., open_] = (late[..., open_] - 2 + k) % 9 + 2
        data["valid"].values[0, 10 * k : 10 * k + 10, -1] = False
    measure.answer_space([data])
    begin = time.process_time()
    space = measure.answer_space([data])
    assert time.process_time() - begin < 0.3
    assert space.found.size.tolist() == [20, 10, 10, 10]
    assert space.decisive


def test_the_rows_of_a_score_are_by_the_last_change_then_by_their_number() -> None:
    tokens = np.array([[3, 4, 3, 3], [4, 4, 4, 3], [3, 4, 3, 3], [3, 4, 4, 3]])
    assert score_rows(tokens).tolist() == [1, 3, 0, 2]
    assert score_rows(tokens, (4,)).tolist() == [1, 0, 2], "only cells that ever held it"
    assert score_rows(tokens[:1]).tolist() == [0, 1, 2, 3]


# ----------------------------------------------------------------------------------------- vectors shared with the page
def test_vectors_answers(vectors: Path) -> None:
    """Where the page puts a board on the map, and into which lane."""
    rng = np.random.default_rng(0)
    cases = []
    for lanes, cells, kinds in ((1, 4, 2), (2, 6, 3), (4, 9, 4)):
        leaders = rng.integers(0, kinds, (lanes, cells))
        near = leaders[rng.integers(0, lanes, 4)]
        given = np.where(rng.random(near.shape) < 0.25, rng.integers(0, kinds, near.shape), near)
        path = rng.integers(0, kinds, (5, cells)) if lanes > 1 else np.zeros((5, cells), int)
        path[3:, : cells // 2] = path[2, : cells // 2]
        M, mu = rng.integers(-8, 9, (2, cells * kinds)) / 8, rng.integers(0, 9, cells * kinds) / 8
        p = (given[..., None] == np.arange(kinds)).reshape(len(given), -1)
        cases.append(
            {"leaders": leaders.tolist(), "radius": 1, "kinds": kinds, "M": M.tolist(), "mu": mu.tolist(),
             "boards": given.tolist(), "xy": ((p - mu) @ M.T).tolist(),
             "lanes": [int(nearest((leaders != board).sum(-1), 1)) for board in given],
             "path": path.tolist(), "rows": score_rows(path).tolist()}
        )  # fmt: skip
    if REMAKE:
        what = (
            "Boards [board][cell]: xy = M (onehot - mu), the nearest leader within the radius; rows of a path's score."
        )
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        (vectors / "answers.json").write_text(f'{{\n"what": {json.dumps(what)},\n"cases": [\n{lines}\n]}}\n')
    assert cases == json.loads((vectors / "answers.json").read_text())["cases"]
