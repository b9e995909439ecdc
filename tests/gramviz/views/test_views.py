"""Every registered view is held to one contract; then each is asked what it placed where. Figures are read."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import synthetic
import xarray as xr

from gram.board import Board, Token
from gram.rollout import RolloutError, board_of, make
from gramviz import measure, theme
from gramviz.views import (
    LETTERS,
    VIEWS,
    Cursor,
    answer_map,
    answer_river,
    board,
    curves,
    ensemble,
    latent,
    score,
    view,
)
from gramviz.views.cells import UNSURE, collect

OPTIONAL = ("y", "solutions_known", "valid", "conflict", "probability", "h", "halt", "value", "halted_at")


def traces(figure: go.Figure, meta: str) -> list[Any]:
    """The traces with this `meta`."""
    return [trace for trace in figure.data if trace.meta == meta]


def words(figure: go.Figure) -> str:
    """Every visible text of a figure."""
    title = figure.layout.title
    annotations = [str(one.text) for one in figure.layout.annotations]
    return " ".join([str(title.text), str(title.subtitle.text), *annotations, *(str(t.name) for t in figure.data)])


# ------------------------------------------------------------------------------------------------ contract of all views
@pytest.mark.parametrize("name", VIEWS)
def test_every_board_in_both_themes(name: str, any_board: xr.Dataset) -> None:
    if name == "modes" and not measure.judged(any_board):
        with pytest.raises(RolloutError, match="a picture is neither right nor wrong"):
            VIEWS[name].draw(any_board)
        return
    for at, mode in (
        (Cursor(), "light"),
        (Cursor(trajectory=1, step=0), "dark"),
        (Cursor(trajectory=-1, step=3), "light"),
    ):
        figure = VIEWS[name].draw(any_board, at, mode)
        assert isinstance(figure, go.Figure)
        assert figure.data
        assert figure.layout.template.layout.paper_bgcolor == theme.palette(mode).bg
        assert (figure.layout.width or 0) > 200
        assert (figure.layout.height or 0) > 150
        sizes = [one.font.size for one in figure.layout.annotations if one.font.size]
        assert min([*sizes, theme.NOTE]) >= theme.NOTE
    figure.to_json()  # nothing in it that a page could not carry


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("missing", OPTIONAL)
def test_what_was_not_recorded_is_said_or_left_out(name: str, missing: str, small: xr.Dataset) -> None:
    data = synthetic.without(small, missing)
    if missing in VIEWS[name].needs:
        with pytest.raises(RolloutError, match=f"no `{missing}`"):
            VIEWS[name].draw(data)
    else:
        assert VIEWS[name].draw(data).data


@pytest.mark.parametrize("name", VIEWS)
def test_bare_tokens_are_enough(name: str, any_board: xr.Dataset) -> None:
    bare = synthetic.without(any_board, *OPTIONAL)
    if VIEWS[name].needs:
        with pytest.raises(RolloutError, match=f"no `{VIEWS[name].needs[0]}`"):
            VIEWS[name].draw(bare)
    else:
        assert VIEWS[name].draw(bare).data


@pytest.mark.parametrize("name", VIEWS)
def test_one_path_and_one_step(name: str, small: xr.Dataset, any_board: xr.Dataset) -> None:
    if name != "modes" or measure.judged(any_board):
        assert VIEWS[name].draw(any_board.isel(trajectory=[0])).data
        assert VIEWS[name].draw(any_board.isel(step=[0])).data
    assert VIEWS[name].draw(small.isel(trajectory=[0], step=[0], puzzle=[1])).data


@pytest.mark.parametrize("name", VIEWS)
def test_low_level_steps_and_other_puzzles(name: str, low: xr.Dataset, small: xr.Dataset) -> None:
    figure = VIEWS[name].draw(low, Cursor(step=6))
    assert "at step 1.2.2" in figure.layout.title.text
    one, other = (VIEWS[name].draw(small, Cursor(puzzle=p)).to_dict() for p in (0, 1))
    assert str(one) != str(other)


@pytest.mark.parametrize("name", VIEWS)
def test_pure(name: str, small: xr.Dataset) -> None:
    before = small.copy(deep=True)
    first, again = (VIEWS[name].draw(small, Cursor(step=5)).to_json() for _ in range(2))
    assert first == again
    assert before.identical(small)


@pytest.mark.parametrize("name", VIEWS)
def test_wrong_arguments(name: str, small: xr.Dataset) -> None:
    draw = VIEWS[name].draw
    for at, said in (
        (Cursor(puzzle=2), "puzzle 2 is not in this rollout, which holds 0 to 1"),
        (Cursor(trajectory=6), "trajectory 6 is not in this rollout, which holds 0 to 5"),
        (Cursor(step=-14), "step -14 is not in this rollout, which holds 0 to 12"),
    ):
        with pytest.raises(IndexError, match=said):
            draw(small, at)
    with pytest.raises(ValueError, match="unknown theme 'sepia'"):
        draw(small, theme="sepia")
    with pytest.raises(ValueError, match="draws"):
        draw([small] * 5)
    with pytest.raises(RolloutError, match=r"is an xarray\.Dataset|not a rollout"):
        draw([xr.Dataset()])


@pytest.mark.parametrize("name", [name for name in VIEWS if VIEWS[name].many])
def test_only_one_puzzle_is_compared(name: str, gram: xr.Dataset, small: xr.Dataset) -> None:
    with pytest.raises(RolloutError, match="A and B show different boards: 8 queens, Sudoku 4x4"):
        VIEWS[name].draw([gram, small])
    other = gram.copy()
    other["x"] = 3 - gram["x"]
    with pytest.raises(RolloutError, match="A and B show different puzzles under number 1"):
        VIEWS[name].draw([gram, other])


@pytest.mark.parametrize("name", VIEWS)
def test_names_from_files_are_text(name: str, small: xr.Dataset) -> None:
    hostile = small.copy()
    hostile.attrs["name"] = '<a href="javascript:alert(1)">x</a> &amp;'
    text = words(VIEWS[name].draw(hostile))
    assert "<a" not in text
    assert "&lt;a href=" in text


def test_registry() -> None:
    assert sorted(VIEWS) == [
        "answer_map", "answer_river", "basins", "board", "control", "curves", "ensemble", "landscape", "latent",
        "modes", "score",
    ]  # fmt: skip
    assert {VIEWS[name].title for name in ("board", "curves", "ensemble", "latent")} == {
        "Board", "Curves", "Answers", "Latent map",
    }  # fmt: skip
    assert VIEWS["board"].draw is board.draw

    try:

        @view("Toy", needs=("h",))
        def draw(rollout: xr.Dataset, at: Cursor, theme: str) -> go.Figure:
            return go.Figure()

        toy = VIEWS[__name__.rpartition(".")[2]]
        assert toy.needs == ("h",)
        with pytest.raises(RolloutError, match=r"this rollout has no `h`; record it with Record\(h=True\)"):
            toy.draw(synthetic.without(synthetic.sudoku(), "h"))
    finally:
        VIEWS.pop(__name__.rpartition(".")[2], None)


# ---------------------------------------------------------------------------------------------------------------- board
def cells(trace: Any, width: int) -> set[int]:
    """The positions that a trace of outlines in cell units touches, by the middle of each outline."""
    x, y = np.array(trace.x, float), np.array(trace.y, float)
    parts = np.split(np.arange(len(x)), np.flatnonzero(np.isnan(x)) + 1)
    found = set()
    for part in parts:
        part = part[~np.isnan(x[part])]
        if len(part):
            column, row = (np.floor((v[part].min() + v[part].max()) / 2) for v in (x, y))
            found.add(int(row * width + column))
    return found


def test_board_places_every_mark_on_its_cell(gram: xr.Dataset) -> None:
    at = Cursor(trajectory=3, step=9)
    figure = board.draw(gram, at)
    tokens = gram["tokens"].values[0, 3]
    given = set(np.flatnonzero(gram["x"].values[0] == 2))
    queens = set(np.flatnonzero(tokens[9] == 2))
    assert cells(traces(figure, "given")[0], 8) == given
    assert cells(traces(figure, "given queen")[0], 8) == queens & given
    assert cells(traces(figure, "guessed queen")[0], 8) == queens - given
    assert cells(traces(figure, "changed")[0], 8) == set(np.flatnonzero(tokens[9] != tokens[8]))
    assert cells(traces(figure, "conflict")[0], 8) == set(np.flatnonzero(gram["conflict"].values[0, 3, 9]))
    assert traces(figure, "conflict")[0].fillcolor == theme.LIGHT.vermilion
    assert traces(figure, "conflict hatch")  # a conflict is also a pattern
    bars, full = traces(figure, "certainty")[0], traces(figure, "certainty scale")[0]
    lengths = [np.diff(np.array(one.x, float).reshape(-1, 3)[:, :2], axis=1).ravel() for one in (bars, full)]
    order = [int(y) * 8 + int(x) for x, y in zip(bars.x[::3], bars.y[::3], strict=True)]
    certainty = measure.certainty(gram).values[0, 3, 9]
    np.testing.assert_allclose(lengths[0] / lengths[1], certainty[order], atol=1e-6)
    conflicts = int(measure.conflicts(gram)[0, 3, 9])
    assert f"{conflicts} conflicts" in figure.layout.title.subtitle.text
    assert figure.layout.title.text == "8 queens, at step 5.1"


def test_board_says_each_cell() -> None:
    data = synthetic.sudoku(puzzles=1)
    at = Cursor(trajectory=1, step=4)
    sentences = traces(board.draw(data, at), "cells")[0].text
    assert len(sentences) == 16
    token = int(data["tokens"][0, 1, 4, 5])
    assert sentences[5].startswith(f"<b>row 2, column 2</b>: {token - 1 if token > 1 else 'blank'}")
    given = set(np.flatnonzero(data["x"].values[0] != 1))
    assert {p for p, sentence in enumerate(sentences) if "given" in sentence} == given
    assert all("certainty 0." in sentence or "certainty 1." in sentence for sentence in sentences)


def test_board_without_certainty_or_rules(small: xr.Dataset) -> None:
    figure = board.draw(synthetic.without(small, "probability"))
    assert "certainty not recorded" in figure.layout.title.subtitle.text
    assert not traces(figure, "certainty")
    assert "conflict" not in board.draw(synthetic.colors()).layout.title.subtitle.text


def test_runner_up_only_where_the_guess_is_unsure(any_board: xr.Dataset) -> None:
    if any_board.attrs["task"] != "sudoku":
        pytest.skip("symbols are shown on boards of text")
    at = Cursor(trajectory=0, step=4)
    second = measure.second(any_board)["token"].values[0, 0, 4]
    sure = measure.certainty(any_board).values[0, 0, 4]
    given = any_board["x"].values[0] != 1
    expected = int(((sure < UNSURE) & ~given & (second > 1)).sum())
    found = traces(board.draw(any_board, at), "runner-up")
    assert sum(len(trace.x) for trace in found) == expected


def test_graph_marks_edges_not_cells() -> None:
    data = synthetic.graph()
    tokens = data["tokens"].copy()
    tokens[0, 0, -1, 1:3] = 3  # nodes 2 and 3 are neighbors
    broken = make(Board.from_json(data.attrs["board"]), {"x": data["x"], "tokens": tokens})
    figure = board.draw(broken)
    pairs = measure.conflict_pairs(Board.from_json(data.attrs["board"]), tokens.values[0, 0, -1])
    gaps = np.isnan(np.array(traces(figure, "conflict")[0].x, float)).sum()
    assert gaps == len(pairs) >= 1
    assert len(traces(figure, "node text")[0].text) == 8
    calm = np.isnan(np.array(traces(figure, "edge")[0].x, float)).sum()
    assert calm + gaps == 10


def test_image_is_gray_by_token() -> None:
    data = synthetic.image()
    figure = board.draw(data)
    pixels = np.array(figure.data[0].z)
    np.testing.assert_array_equal(pixels.ravel(), data["tokens"].values[0, 0, -1] == 2)


def test_small_cells_have_no_text() -> None:
    side = 30
    tokens = np.random.default_rng(0).integers(2, 12, (1, 1, 1, side * side))
    wide = Board(
        "arc", "Large", "grid", side, side, Board.from_json(synthetic.colors().attrs["board"]).tokens, blank=(1,)
    )
    data = make(wide, {"x": np.ones((1, side * side), int), "tokens": tokens})
    assert traces(board.draw(data, size=330), "guess text") == []
    assert len(traces(board.draw(data, size=600), "guess text")[0].x) == side * side


# ----------------------------------------------------------------------------------------------------------- latent map
def test_latent_places_the_heads_where_measure_says(gram: xr.Dataset) -> None:
    figure = latent.draw(gram, Cursor(trajectory=2, step=20))
    projection = measure.project([gram], "h", late=True)
    place = projection.series[0]["coordinates"].values[..., :2]
    codes = measure.outcome(gram).values[0]
    heads = {code: traces(figure, f"heads {theme.outcome_mark(code).word}") for code in (0, 1, 2)}
    for code, found in heads.items():
        members = [n for n in np.flatnonzero(codes == code) if n != 2]
        np.testing.assert_allclose(np.stack([found[0].x, found[0].y], 1), place[members, 20])
        assert found[0].marker.symbol == theme.outcome_mark(code).symbol
    chosen = traces(figure, "chosen past")[0]
    np.testing.assert_allclose(np.stack([chosen.x, chosen.y], 1), place[2, :21])
    assert chosen.line.color == theme.LIGHT.ink
    assert traces(figure, "chosen future")[0].line.dash == "dot"
    assert len(traces(figure, "supervision steps")[0].x) == 9  # the tenth is the head


def test_latent_says_how_honest_it_is(gram: xr.Dataset) -> None:
    figure = latent.draw(gram, Cursor(trajectory=2, step=20))
    projection = measure.project([gram], "h", late=True)
    for axis, share in zip((figure.layout.xaxis, figure.layout.yaxis), projection.variance.values, strict=False):
        assert f"{100 * share:.1f} % of the variance of h in the last third of the steps" in axis.title.text
    here = 100 * (1 - float(projection.series[0]["outside"][2, 20]))
    subtitle = figure.layout.title.subtitle.text
    assert (
        f"This plane shows {100 * projection.explained_2d:.1f} % of the variance, {here:.0f} % of this state"
        in subtitle
    )
    assert "much lies outside" in subtitle
    outside = projection.series[0]["outside"].values[2, 20]
    size = traces(figure, "halo")[-1].marker.size
    assert float(np.ravel(size)[0]) == pytest.approx(2 * (3 + 12 * np.sqrt(outside)), rel=1e-5)
    assert figure.layout.yaxis.scaleanchor == "x"  # one scale: a distance is a distance


def test_latent_never_joins_two_checkpoints(trm: xr.Dataset, gram: xr.Dataset) -> None:
    apart = latent.draw([trm, gram])
    assert apart.layout.xaxis2.title.text.startswith("PC 1")
    assert {trace.xaxis for trace in apart.data if trace.meta and str(trace.meta).startswith("B ")} == {"x2"}
    assert "Each series in a plane of its own" in apart.layout.title.subtitle.text
    same = latent.draw([gram, gram.isel(trajectory=slice(0, 3))])
    assert same.layout.title.text.startswith("PCA of h")
    assert "xaxis2" not in same.layout.to_plotly_json()
    with pytest.raises(RolloutError, match=r"no `h`; record it with Record\(h=True\)"):
        latent.draw(synthetic.without(gram, "h"))


@pytest.mark.parametrize("flip", [1, -1])
@pytest.mark.parametrize("shape", [[(-2, -2), (0, 2), (2, -2)], [(-2, -2), (2, 0), (-2, 2)]])
def test_latent_puts_the_scale_where_no_state_is(shape: list[tuple[float, float]], flip: int, trm: xr.Dataset) -> None:
    """A trajectory through two corners of its window leaves two free, whichever they are."""
    data = trm.copy(deep=True)
    data["h"].values[:] = 0
    data["h"].values[0, 0, :, 0, :2] = np.tile(flip * np.array(shape), (11, 1))
    figure = latent.draw(data)
    (scale,) = traces(figure, "scale bar")
    (trajectory,) = traces(figure, "chosen past")
    low, high = figure.layout.xaxis.range
    ends = np.stack([scale.x, scale.y], 1)
    apart = np.linalg.norm(np.stack([trajectory.x, trajectory.y], 1)[:, None] - ends, axis=-1)
    assert apart.min() > 0.08 * (high - low)


def test_latent_holds_the_last_state_of_a_shorter_run(gram: xr.Dataset) -> None:
    short = gram.isel(step=slice(0, 9), trajectory=[4])
    figure = latent.draw([gram, short], Cursor(step=-1))
    place = measure.project([gram, short], "h", late=True).series[1]["coordinates"].values[0, -1, :2]
    head = traces(figure, "B chosen outcome")[0]
    np.testing.assert_allclose([head.x[0], head.y[0]], place)


# -------------------------------------------------------------------------------------------------------------- answers
def test_river_and_map_place_the_heads_where_measure_says(gram: xr.Dataset, trm: xr.Dataset) -> None:
    space = measure.answer_space([gram])
    right = space.marks == measure.CORRECT
    right[2] = False  # in ink
    at = Cursor(trajectory=2, step=20)
    flow, plane = answer_river.draw(gram, at), answer_map.draw(gram, at)
    found = next(trace for trace in traces(flow, "heads") if trace.marker.color == theme.LIGHT.blue)
    np.testing.assert_allclose(found.y, space.river.y[right, 20])
    found = next(trace for trace in traces(plane, "heads") if trace.marker.color == theme.LIGHT.blue)
    np.testing.assert_allclose(np.stack([found.x, found.y], 1), space.map.xy[right, 20], rtol=1e-6)
    np.testing.assert_allclose(traces(plane, "in ink")[0].x, space.map.xy[2, :, 0], rtol=1e-6)
    assert len(traces(plane, "answer")) == len(space.map.lanes)
    names = [one.text for one in flow.layout.annotations]
    assert f"<b>a × {space.found.size[0]}</b>" in names
    assert plane.layout.yaxis.scaleanchor == "x", "stretched, noise looks like structure"
    subtitle = plane.layout.title.subtitle.text
    assert f"{100 * space.map.share:.0f} % of the variance" in subtitle
    assert "not of h" in subtitle
    pooled = [one.text for one in answer_river.draw([trm, gram]).layout.annotations]
    assert any(re.fullmatch(r"<b>a × \d+ / \d+</b>", name) for name in pooled), "counts of each series"


def test_a_map_without_lanes_says_so(small: xr.Dataset) -> None:
    lost = small.copy(deep=True)
    lost["tokens"].values[:] = np.random.default_rng(0).integers(2, 6, lost["tokens"].shape)
    lost["valid"].values[:] = False
    assert not len(measure.answer_space([lost]).found.size)
    for draw in (answer_river.draw, answer_map.draw):
        assert "No trajectory stays at an answer" in draw(lost).layout.title.subtitle.text


def test_a_score_has_a_row_for_each_open_cell(small: xr.Dataset) -> None:
    figure = score.draw(small, Cursor(trajectory=1))
    (heat,) = figure.data
    open_ = np.isin(small["x"].values[0], board_of(small).blank)
    assert np.array(heat.z).shape == (open_.sum(), 13)
    assert (np.array(heat.z)[:, -1] >= 0).all(), "what stands there in the end is what stays"
    last = [max(np.flatnonzero(row[1:] != row[:-1]), default=-1) for row in np.sign(np.array(heat.z))]
    assert max(last) < 12


# --------------------------------------------------------------------------------------------------------------- curves
def test_curves_draw_medians_and_bands(gram: xr.Dataset) -> None:
    figure = curves.draw(gram, Cursor(trajectory=2, step=20))
    drift = measure.drift(gram).values[0]
    codes = measure.outcome(gram).values[0]
    members = [n for n in np.flatnonzero(codes == measure.CORRECT) if n != 2]
    low, middle, high = measure.band(drift[members])
    median = next(trace for trace in traces(figure, "A correct median") if trace.yaxis == "y3")
    np.testing.assert_allclose(median.y, middle)
    area = next(trace for trace in traces(figure, "A correct band") if trace.yaxis == "y3")
    np.testing.assert_allclose(area.y, np.concatenate([high[1:], low[1:][::-1]]))  # drift has no value at step 0
    ink = next(trace for trace in traces(figure, "ink A #2") if trace.yaxis == "y3")
    np.testing.assert_allclose(ink.y, drift[2])
    wrong = next(trace for trace in traces(figure, "A wrong median") if trace.yaxis == "y3")
    assert (wrong.line.dash, wrong.line.color) == ("dash", theme.LIGHT.vermilion)
    assert figure.layout.shapes[0].x0 == 20
    assert figure.layout.xaxis.ticktext[:3] == ("init", "1", "2")


def test_few_paths_are_single_lines(small: xr.Dataset) -> None:
    figure = curves.draw(small)
    assert not [trace for trace in figure.data if "band" in str(trace.meta)]
    codes = measure.outcome(small).values[0, 1:]
    lines = [trace for trace in figure.data if trace.meta == "A correct" and trace.yaxis == "y"]
    assert len(lines) == int((codes == measure.CORRECT).sum())


def test_curves_say_what_is_missing(small: xr.Dataset) -> None:
    figure = curves.draw(synthetic.without(small, "h", "probability"))
    assert "Not recorded: certainty, drift." in figure.layout.title.subtitle.text
    with pytest.raises(RolloutError, match=r"no `kl`; record it with Record\(mode='posterior'\)"):
        curves.draw(small, lanes=("kl",))
    with pytest.raises(RolloutError, match="one trajectory has no spread"):
        curves.draw(small.isel(trajectory=[0]), lanes=("spread",))
    with pytest.raises(ValueError, match="unknown lane 'loss'; known: certainty, conflicts, drift"):
        curves.draw(small, lanes=("loss",))


@pytest.mark.parametrize("lane", [name for name in curves.LANES if name != "kl"])
def test_every_lane(lane: str, small: xr.Dataset) -> None:
    figure = curves.draw(small, lanes=(lane,))
    assert f"<b>{curves.LANES[lane].title}</b>" in words(figure)


# ------------------------------------------------------------------------------------------------------------- ensemble
def test_ensemble_groups_paths_by_answer(trm: xr.Dataset, gram: xr.Dataset) -> None:
    figure = ensemble.draw([trm, gram], Cursor(step=20))
    answers = measure.answers([trm, gram])
    text = words(figure)
    for answer in answers.found[:8]:
        counts = ", ".join(f"{LETTERS[series]} {n}" for series, n in enumerate(answer.counts) if n)
        assert f"<b>{answer.letter}</b>  {counts} trajector" in text
    found = sum(bool(answer.valid) for answer in answers.found)
    assert f"Solutions found: {found} of {int(gram['solutions_known'][0])}." in text
    spans = sum(len(trace.x) // 3 for trace in figure.data if str(trace.meta).startswith("bars"))
    assert spans >= 51  # every trajectory shows its own final answer at least at the end
    ends = [x for trace in figure.data if str(trace.meta).startswith("bars") for x in trace.x[1::3]]
    assert sum(x == 32.5 for x in ends) == 51
    assert len({y for trace in figure.data if str(trace.meta).startswith("bars") for y in trace.y[::3]}) == 51
    assert "#0 ▶" in text


def test_ensemble_bars_begin_when_the_answer_stands(small: xr.Dataset) -> None:
    one = small.isel(trajectory=[3])
    figure = ensemble.draw(one)
    shown = measure.answers([one]).at[0].values[0]
    starts = sorted(x + 0.5 for trace in figure.data if str(trace.meta).startswith("bars") for x in trace.x[::3])
    edges = np.flatnonzero(np.diff(np.concatenate([[-1], shown])) > 0)
    assert starts == edges.tolist()
    own = [trace for trace in figure.data if str(trace.meta).startswith("bars") and trace.meta != "bars other answer"]
    assert [len(trace.x) for trace in own] == [3 * int((edges >= 0).sum())]  # alone it has no other's answer to show


def test_ensemble_words_at_the_limits(small: xr.Dataset) -> None:
    same = small.isel(trajectory=[3, 3, 3])
    assert "All trajectories reach the same answer." in words(ensemble.draw(same))
    unknown = words(ensemble.draw(synthetic.without(small, "valid")))
    assert "Outcome unknown: this rollout has no `valid`." in unknown
    assert "outcome unknown 6" in unknown


def test_many_answers_are_summed_up() -> None:
    wide = Board("toy", "Toy", "grid", 1, 1, tuple(Token(str(i)) for i in range(30)))
    data = make(wide, {"x": [[0]], "tokens": np.arange(30).reshape(1, 30, 1, 1)})
    assert "22 other answers, 22 trajectories" in words(ensemble.draw(data))


def test_a_given_stands_as_the_given_and_what_contradicts_it_is_marked(small: xr.Dataset) -> None:
    data, places = small.copy(deep=True), board_of(small)
    x = data["x"].values[0]
    cell = int(np.flatnonzero(places.given(x))[0])
    other = next(k for k in range(2, len(places.tokens)) if k != x[cell])
    data["tokens"][0, 0, -1, cell] = other
    shown = collect(data, places, Cursor().on(data))
    assert (shown.tokens[cell], shown.decoded[cell], shown.conflict[cell]) == (x[cell], other, True)
    spoken = next(trace for trace in VIEWS["board"].draw(data, Cursor()).data if trace.meta == "cells")
    assert f"given, the answer has {places.tokens[other].label} against it" in spoken.text[cell]
