"""The board: geometry, the one rule of all constraint tasks, JSON."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest

from gram.board import NEAR, Board, Token
from gram.tasks import TASKS, arc, coloring, images, nqueens, sudoku

TOKENS = (Token("pad"), Token("empty", "."), Token("red", "R", "color"), Token("blue", "B", "color"))
EDGES = ((0, 1), (1, 2), (2, 3), (3, 0))


def ring(**changes: object) -> Board:
    """Four nodes on a ring, two colors, one red node wanted twice."""
    settings: dict = {
        "task": "ring", "title": "A ring", "kind": "graph", "height": 1, "width": 4, "tokens": TOKENS, "blank": (0, 1),
        "groups": EDGES, "exclusive": (2, 3), "required": ((2, 2),),
        "xy": ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.5)),
    }  # fmt: skip
    return Board(**(settings | changes))


ALL = np.array(list(product(range(4), repeat=4)))  # every board of four nodes and four tokens


def test_conflict_is_a_position_whose_exclusive_token_stands_again_in_one_of_its_groups() -> None:
    board = ring()
    for tokens, found in zip(ALL, board.conflict(ALL), strict=True):
        for position in range(4):
            again = any(
                tokens[a] == tokens[b] and tokens[a] in (2, 3) for a, b in EDGES if position in (a, b)
            )  # fmt: skip
            assert found[position] == again


def test_violations_count_repetitions_per_group_and_wrong_required_counts() -> None:
    board = ring()
    for tokens, count in zip(ALL, board.violations(ALL), strict=True):
        clashes = sum(tokens[a] == tokens[b] and tokens[a] in (2, 3) for a, b in EDGES)
        assert count == clashes + (list(tokens).count(2) != 2)


def test_a_board_without_violations_has_no_conflict_and_one_with_only_wrong_counts_has_none_either() -> None:
    board = ring(required=())
    np.testing.assert_array_equal(board.violations(ALL) > 0, board.conflict(ALL).any(-1))


def test_conflict_and_violations_take_any_leading_dims() -> None:
    board = ring()
    shaped = ALL.reshape(4, 8, 8, 4)
    np.testing.assert_array_equal(board.conflict(shaped), board.conflict(ALL).reshape(4, 8, 8, 4))
    np.testing.assert_array_equal(board.violations(shaped), board.violations(ALL).reshape(4, 8, 8))


def test_given_is_everything_but_the_blanks() -> None:
    np.testing.assert_array_equal(ring().given(np.array([0, 1, 2, 3])), [False, False, True, True])


def pairs(**changes: object) -> Board:
    """Three nodes and their three pairs; tokens 2 and 3 are colors, 4 is an edge."""
    settings: dict = {
        "width": 6, "tokens": (*TOKENS, Token("edge")), "blank": (0,), "groups": (), "required": (), "xy": None,
        "nodes": 3, "joined": 4,
    }  # fmt: skip
    return ring(**(settings | changes))


class TestEdgesThatAreTokens:
    """A graph whose positions are its nodes and then every pair of them."""

    ALL = np.array(list(product((0, 2, 3, 4), (0, 2, 3, 4), (0, 2, 3, 4), (1, 4), (1, 4), (1, 4))))

    def test_the_pairs_are_in_lexicographic_order_and_name_their_nodes(self) -> None:
        board = pairs()
        assert board.pairs == [(0, 1), (0, 2), (1, 2)]
        assert [board.place(p) for p in (2, 3, 5)] == ["node 3", "nodes 1 and 2", "nodes 2 and 3"]
        assert ring().pairs == []

    def test_an_edge_is_a_pair_that_holds_the_joining_token(self) -> None:
        assert pairs().edges(np.array([0, 0, 0, 4, 1, 4])) == [(0, 1), (1, 2)]

    def test_the_picture_has_the_nodes_alone_and_the_edges_as_groups(self) -> None:
        board = pairs(xy=((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)))
        picture = board.picture(np.array([0, 2, 0, 4, 1, 4]))
        assert (picture.positions, picture.nodes, picture.joined) == (3, 0, None)
        assert picture.groups == ((0, 1), (1, 2))
        assert (picture.xy, picture.tokens, picture.exclusive) == (board.xy, board.tokens, board.exclusive)
        assert ring().picture(np.array([0, 0, 0, 0])) == ring()

    def test_the_board_and_its_picture_agree_on_conflicts_of_every_graph_and_coloring(self) -> None:
        board = pairs()
        for tokens, conflict, count in zip(self.ALL, board.conflict(self.ALL), board.violations(self.ALL), strict=True):
            picture = board.picture(tokens)
            np.testing.assert_array_equal(picture.conflict(tokens[:3]), conflict[:3])
            assert picture.violations(tokens[:3]) == count
            clashing = [tokens[a] == tokens[b] and tokens[a] in (2, 3) for a, b in picture.groups]
            assert count == sum(clashing)
            assert [pair for pair, broken in zip(board.pairs, conflict[3:], strict=True) if broken] == [
                pair for pair, broken in zip(picture.groups, clashing, strict=True) if broken
            ]

    def test_conflict_and_violations_take_any_leading_dims(self) -> None:
        board = pairs()
        shaped = self.ALL.reshape(8, 64, 6)
        np.testing.assert_array_equal(board.conflict(shaped), board.conflict(self.ALL).reshape(8, 64, 6))
        np.testing.assert_array_equal(board.violations(shaped), board.violations(self.ALL).reshape(8, 64))

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"nodes": 4}, "a graph of 4 nodes has 10 positions, its nodes and their pairs; this graph has 6"),
            ({"kind": "grid"}, "this grid has 6"),
            ({"joined": None}, "joined is None; it must be a token id, 0 to 4"),
            ({"joined": 5}, "joined is 5"),
            ({"xy": ((0.0, 0.0),)}, "xy places 1 nodes, but the board has 3"),
        ],
    )
    def test_an_impossible_graph_is_refused(self, changes: dict, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            pairs(**changes)


@pytest.mark.parametrize(
    "board", [ring(), ring(xy=None), ring(kind="grid", height=2, width=2, box=(1, 2)), pairs()], ids=str
)
def test_a_board_survives_json(board: Board) -> None:
    assert Board.from_json(board.to_json()) == board
    assert json.loads(board.to_json())["groups"] == [list(group) for group in board.groups]


def names(board: Board) -> dict[str, str]:
    return {relation.name: relation.kind for relation in board.relations}


def test_relations_that_a_symmetry_of_the_board_exchanges_are_of_one_kind() -> None:
    assert names(nqueens.board(5)) == {
        "row": "line", "column": "line", "falling": "diagonal", "rising": "diagonal",
    }  # fmt: skip
    assert names(sudoku.board(6, "sudoku")) == {
        "row": "line", "column": "line", "box": "box", "row piece": "piece", "column piece": "piece",
    }  # fmt: skip
    sides = {name: name for name in ("row", "column", "above", "below", "left", "right")}
    assert names(images.board("digits", 1)) == names(arc.board(5, "ARC")) == sides
    assert names(coloring.board(5)) == {"all": "all"}
    assert names(ring()) == {"all": "all"} | {name: name for name in NEAR}


@pytest.mark.parametrize("board", [nqueens.board(6), sudoku.board(6, "sudoku"), sudoku.board(9, "sudoku")])
def test_the_groups_of_the_rules_are_among_the_relations(board: Board) -> None:
    related = {tuple(np.flatnonzero(group)) for relation in board.relations for group in relation.members}
    assert set(board.groups) <= related
    for relation in board.relations:
        assert (relation.members.sum(0) == 1).all()  # every position is in one group, and hears of it
        assert relation.matrix.diagonal().all()


def test_pieces_are_where_lines_and_boxes_meet() -> None:
    found = {relation.name: relation.matrix for relation in sudoku.board(6, "sudoku").relations}
    assert np.array_equal(found["row piece"], found["row"] & found["box"])
    assert np.array_equal(found["column piece"], found["column"] & found["box"])


def test_a_place_of_a_picture_hears_of_the_places_around_it() -> None:
    found = {relation.name: relation.matrix for relation in arc.board(3, "ARC").relations}
    assert [np.flatnonzero(found[name][4]).tolist() for name in ("above", "below", "left", "right")] == [
        [1], [7], [3], [5],
    ]  # fmt: skip
    assert not found["above"][:3].any()
    assert not found["left"][::3].any()


def test_nodes_of_a_fixed_graph_are_neighbors_or_not() -> None:
    together, near, far = (relation.matrix for relation in ring().relations)
    assert together.all()
    assert np.argwhere(near).tolist() == sorted([list(edge) for edge in EDGES] + [[b, a] for a, b in EDGES])
    assert np.array_equal(near | far, ~np.eye(4, dtype=bool))


def test_interchangeable_symbols_are_the_exclusive_tokens_and_ink() -> None:
    assert sudoku.board(4, "sudoku").symbols == (2, 3, 4, 5)
    assert nqueens.board(5).symbols == (2,)
    assert coloring.board(5).symbols == (3, 4, 5)
    assert coloring.board(5).places == 5
    assert images.board("digits", 1).symbols == (2,)  # ink
    assert arc.board(5, "ARC").symbols == tuple(range(2, 12))  # its colors
    assert images.board("digits", 2).symbols == ()


def test_places_are_named_from_one() -> None:
    assert ring().place(3) == "node 4"
    assert ring(kind="grid", height=2, width=2).place(2) == "row 2, column 1"
    for task in TASKS.values():
        board = task(task.Config()).board
        assert len({board.place(position) for position in range(board.positions)}) == board.positions


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"groups": ((0, 4),)}, r"group \(0, 4\) leaves the board; positions are 0 to 3"),
        ({"groups": ((-1, 2),)}, "leaves the board"),
        ({"blank": (4,)}, "blank names token 4; known tokens are 0 to 3"),
        ({"exclusive": (-1,)}, "exclusive names token -1"),
        ({"required": ((9, 1),)}, "required names token 9"),
        ({"xy": ((0.0, 0.0),)}, "xy places 1 nodes, but the board has 4 positions"),
        ({"kind": "torus"}, "kind is 'torus'; known: grid, graph, image"),
        ({"height": 0}, "0 x 4"),
    ],
)
def test_an_impossible_geometry_is_refused(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ring(**changes)


@pytest.mark.parametrize(
    "text",
    ["", "no", "3", "null", "[]", "[[]]", '"word"', "{}", '{"tokens": []}', '{"tokens": 3}', '{"tokens": [3]}',
     '{"color": 1}', '{"tokens": [{"label": "a", "wings": 2}]}', "[" * 100_000],
)  # fmt: skip
def test_a_text_that_is_no_board_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"board|unknown key"):
        Board.from_json(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [("groups", [[float("inf")]]), ("groups", 3), ("box", 3), ("xy", [3]), ("width", "4"), ("width", 4.0),
     ("blank", None),
     ("height", None), ("tokens", None), ("kind", None), ("task", ...), ("groups", [["a"]])],
)  # fmt: skip
def test_an_altered_board_is_a_value_error(key: str, value: object) -> None:
    raw = json.loads(ring().to_json())
    if value is ...:
        del raw[key]
    else:
        raw[key] = value
    with pytest.raises(ValueError):  # noqa: PT011 (the sentence differs from key to key)
        Board.from_json(json.dumps(raw))
