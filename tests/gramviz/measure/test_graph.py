"""Graphs whose edges are tokens: how they are laid out, measured, packed and drawn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import colorings
import networkx as nx
import numpy as np
import pytest
import xarray as xr

from gram.board import Board
from gram.rollout import board_of
from gramviz import measure
from gramviz.explorer.pack import pack
from gramviz.explorer.payload import PackError
from gramviz.measure.graph import Edges, Place, crossing_counter, picture, places
from gramviz.theme import palette
from gramviz.views import VIEWS, Cursor

PRISM = ((0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (0, 3), (1, 4), (2, 5))
CUBE = tuple((a, b) for a in range(8) for b in range(a + 1, 8) if bin(a ^ b).count("1") == 1)


@pytest.fixture(scope="module")
def rollout() -> xr.Dataset:
    return colorings.make(8, (0, 1, 2))


def traces(figure: object, name: str) -> list:
    return [trace for trace in figure.data if (trace.meta or trace.name) == name]  # type: ignore[attr-defined]


def graphs(vertices: int, count: int) -> list[tuple[Board, tuple[tuple[int, int], ...]]]:
    task = colorings.task(vertices)
    return [(task.board, tuple(task.board.edges(x))) for x in task.puzzles("test").x[:count]]


def crossings(at: Sequence[Place], edges: Edges) -> int:
    return crossing_counter(edges)(np.asarray(at) @ np.array([1, 1j]))


class TestPlaces:
    @pytest.mark.parametrize("vertices", [8, 10])
    def test_nodes_stand_apart_inside_the_square_and_no_edge_touches_a_foreign_node(self, vertices: int) -> None:
        for _, edges in graphs(vertices, 6):
            at = np.array(places(vertices, edges))
            assert at.min() >= 0
            assert at.max() <= 1
            gaps = np.hypot(*(at[:, None] - at).transpose(2, 0, 1)) + np.eye(vertices)
            assert gaps.min() > 0.14  # a node is 0.09 wide
            for a, b in edges:
                for node in set(range(vertices)) - {a, b}:
                    along = np.clip((at[node] - at[a]) @ (at[b] - at[a]) / ((at[b] - at[a]) ** 2).sum(), 0, 1)
                    assert np.hypot(*(at[node] - at[a] - along * (at[b] - at[a]))) > 0.045

    @pytest.mark.parametrize(
        ("nodes", "edges"), [(6, PRISM), (8, CUBE), (4, ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))), (5, ())]
    )
    def test_well_known_planar_graphs_have_no_crossing(self, nodes: int, edges: tuple) -> None:
        assert nx.check_planarity(nx.Graph(edges))[0]
        assert crossings(places(nodes, edges), edges) == 0

    def test_crossings_are_few(self) -> None:
        planar = [(e, n) for n in (8, 10) for _, e in graphs(n, 8) if nx.check_planarity(nx.Graph(e))[0]]
        assert len(planar) >= 3
        assert np.mean([crossings(places(n, e), e) for e, n in planar]) < 1.5

    def test_the_counter_of_crossings_knows_a_cross_a_touch_and_a_shared_node(self) -> None:
        square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
        assert crossings(square, [(0, 2), (1, 3)]) == 1
        assert crossings(square, [(0, 1), (2, 3)]) == 0
        assert crossings(square, [(0, 1), (0, 2), (0, 3)]) == 0
        assert crossings(square, []) == 0

    @pytest.mark.parametrize("nodes", [3, 5, 12])
    def test_odd_graphs_have_places_too(self, nodes: int) -> None:
        for edges in ((), ((0, 1),), tuple((0, b) for b in range(1, nodes))):
            at = np.array(places(nodes, edges))
            assert at.shape == (nodes, 2)
            assert np.isfinite(at).all()
            assert len(np.unique(at, axis=0)) == nodes

    def test_the_same_graph_gets_the_same_places_in_another_process(self) -> None:
        program = f"from gramviz.measure.graph import places; print(places(6, {PRISM}))"
        found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert found.stdout.strip() == str(places(6, PRISM))

    def test_a_picture_has_the_puzzles_edges_and_a_board_without_pairs_stays(self, rollout: xr.Dataset) -> None:
        board, x = board_of(rollout), rollout["x"].values[0]
        drawn = picture(board, x)
        assert drawn.groups == tuple(board.edges(x))
        assert len(drawn.xy or ()) == drawn.positions == 8
        assert picture(drawn, x[:8]) is drawn


class TestMeasure:
    def test_what_is_measured_per_position_is_measured_at_the_nodes(self, rollout: xr.Dataset) -> None:
        assert measure.certainty(rollout).sizes["position"] == 8
        assert measure.second(rollout).sizes["position"] == 8
        assert measure.changed(rollout).sizes["position"] == 8
        assert measure.distribution(rollout).sizes["position"] == 8
        assert all(len(answer.tokens) == 8 for answer in measure.answers([rollout]).found)
        assert measure.drift(rollout).shape == measure.conflicts(rollout).shape  # h keeps all positions

    def test_conflicts_are_those_of_the_tasks_own_judgement(self, rollout: xr.Dataset) -> None:
        task = colorings.task(8)
        expected = task.conflicts(rollout["x"].values[:, None, None], rollout["tokens"].values)
        np.testing.assert_array_equal(measure.conflicts(rollout).values, expected)
        assert expected[..., -1].max() > 0

    def test_an_answer_that_drops_an_edge_keeps_the_conflict(self, rollout: xr.Dataset) -> None:
        tokens = rollout["tokens"].copy()
        tokens[:, :, :, 8:] = 1
        loose = rollout.assign(tokens=tokens)
        np.testing.assert_array_equal(measure.conflicts(loose).values, measure.conflicts(rollout).values)
        worst = max(answer.conflicts or 0 for answer in measure.answers([loose]).found)
        assert worst == max(answer.conflicts or 0 for answer in measure.answers([rollout]).found) > 0


class TestPack:
    def test_the_page_gets_the_nodes_with_the_puzzles_edges(self, rollout: xr.Dataset) -> None:
        for puzzle in range(2):
            payload = pack(rollout, puzzle=puzzle)
            board = board_of(rollout)
            edges = board.edges(rollout["x"].values[puzzle])
            assert payload.meta["board"]["groups"] == [list(edge) for edge in edges]
            assert payload.meta["board"]["width"] == len(payload.meta["board"]["xy"]) == 8
            assert len(payload.meta["x"]) == len(payload.meta["y"]) == 8
            np.testing.assert_array_equal(payload.array("tokens"), rollout["tokens"].values[puzzle, ..., :8])
            conflict = np.unpackbits(payload.array("conflict"), axis=-1, bitorder="little")[..., :8]
            np.testing.assert_array_equal(conflict, rollout["conflict"].values[puzzle, ..., :8])
            assert payload.array("certainty").shape == payload.array("second").shape == (6, 7, 8)
            assert all(len(answer["tokens"]) == 8 for answer in payload.meta["answers"])
            np.testing.assert_allclose(
                payload.values("curve_conflicts"), measure.conflicts(rollout).values[puzzle], atol=1e-3
            )

    def test_several_rollouts_of_one_graph_are_compared_and_of_two_graphs_refused(self, rollout: xr.Dataset) -> None:
        other = colorings.make(8, (0, 1, 2), trajectories=2, seed=1, model="trm")
        payload = pack([other, rollout])
        assert payload.array("tokens", "A").shape == (2, 7, 8)
        assert payload.array("tokens", "B").shape == (6, 7, 8)
        with pytest.raises(PackError, match="A and B show different puzzles"):
            pack([other, rollout], puzzle=(0, 1))

    def test_equal_rollouts_give_equal_bytes(self, rollout: xr.Dataset) -> None:
        one, again = pack(rollout), pack(colorings.make(8, (0, 1, 2)))
        assert (one.data, one.meta) == (again.data, again.meta)


class TestBoardView:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("vertices", [8, 10])
    def test_a_wrong_answer_shows_edges_conflicts_colors_and_letters(self, vertices: int, theme: str) -> None:
        data = colorings.make(vertices, (0,), trajectories=3)
        board = board_of(data)
        x, tokens = data["x"].values[0], data["tokens"].values[0, 2, -1]
        figure = VIEWS["board"].draw(data, Cursor(trajectory=2), theme)
        broken = [(a, b) for a, b in board.edges(x) if tokens[a] == tokens[b]]
        calm, angry = (int(np.isnan(np.array(traces(figure, name)[0].x, float)).sum()) for name in ("edge", "conflict"))
        assert (angry, calm) == (len(broken), len(board.edges(x)) - len(broken))
        assert angry >= 1
        assert len(traces(figure, "conflict ring")[0].x) == len({node for edge in broken for node in edge})
        node = traces(figure, "node")[0]
        hues = palette(theme)
        wanted = {3: hues.blue, 4: hues.green, 5: hues.gold}
        assert list(node.marker.color) == [wanted[int(token)] for token in tokens[:vertices]]
        assert hues.vermilion not in node.marker.color
        assert list(traces(figure, "node text")[0].text) == ["BGY"[token - 3] for token in tokens[:vertices]]
        assert len(traces(figure, "cells")[0].text) == vertices
        assert f"{len(broken)} conflict" in figure.layout.title.subtitle.text

    def test_nodes_without_a_color_are_hollow_and_present(self, rollout: xr.Dataset) -> None:
        node = traces(VIEWS["board"].draw(rollout, Cursor(step=0)), "node")[0]
        assert list(node.marker.color) == [palette("light").bg] * 8

    def test_a_node_that_shows_no_color_names_what_it_shows(self, rollout: xr.Dataset) -> None:
        tokens = rollout["tokens"].copy()
        tokens[0, 0, -1, 0] = 2
        figure = VIEWS["board"].draw(rollout.assign(tokens=tokens))
        assert traces(figure, "node")[0].marker.color[0] == palette("light").bg
        assert traces(figure, "node text")[0].text[0] == "–"

    @pytest.mark.parametrize("name", list(VIEWS))
    def test_every_view_draws_a_graph_whose_edges_are_tokens(self, rollout: xr.Dataset, name: str) -> None:
        if missing := [need for need in VIEWS[name].needs if need not in rollout]:
            pytest.skip(f"the view needs {', '.join(missing)}")
        assert VIEWS[name].draw(rollout, Cursor(puzzle=1, step=3)).data
