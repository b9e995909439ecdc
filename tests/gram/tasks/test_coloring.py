"""Graph coloring against what is known: chromatic polynomials, brute force, and the paper's counts."""

from __future__ import annotations

import json
import random
import re
from dataclasses import asdict
from itertools import combinations, permutations, product
from math import perm

import networkx as nx
import numpy as np
import pytest
from full import tries

from gram.board import Board
from gram.tasks.base import SPLITS, TaskError
from gram.tasks.coloring import APART, FIRST, JOINED, PAD, Coloring, ColoringConfig, refined

CYCLE = "1-2 2-3 3-4 4-5 1-5"


@pytest.fixture(scope="module")
def eight() -> Coloring:
    return Coloring(ColoringConfig())


@pytest.fixture(scope="module")
def five() -> Coloring:
    return Coloring(ColoringConfig(vertices=5))


def drawn(vertices: int, probability: float, count: int, seed: int = 0) -> np.ndarray:
    """Random puzzles [graph, position]; not all of them can be colored."""
    rng = np.random.default_rng(seed)
    x = np.full((count, vertices + vertices * (vertices - 1) // 2), PAD, np.uint8)
    x[:, vertices:] = np.where(rng.random((count, x.shape[1] - vertices)) < probability, JOINED, APART)
    return x


def graph_of(board: Board, x: np.ndarray) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(board.nodes), label="")
    graph.add_edges_from(board.edges(x))
    return graph


def hashed(graph: nx.Graph) -> str:
    return nx.weisfeiler_lehman_graph_hash(graph, node_attr="label", iterations=len(graph))


class TestData:
    def test_there_are_as_many_graphs_as_in_the_paper(self, eight: Coloring) -> None:
        assert [len(eight.puzzles(split)) for split in SPLITS] == [7002, 255]

    @pytest.mark.slow
    def test_there_are_as_many_graphs_of_ten_nodes_as_in_the_paper(self) -> None:
        config = ColoringConfig(vertices=10, edge_probability=0.5, train_max=13465, test_max=192)
        assert [len(Coloring(config).puzzles(split)) for split in SPLITS] == [13465, 192]

    def test_graphs_are_unique_and_hold_no_color(self, eight: Coloring) -> None:
        x = np.concatenate([eight.puzzles(split).x for split in SPLITS])
        assert len(np.unique(x, axis=0)) == len(x)
        assert (x[:, :8] == PAD).all()
        assert set(np.unique(x[:, 8:])) == {APART, JOINED}
        assert (x[:, 8:] == JOINED).mean() == pytest.approx(0.5, abs=0.05)  # dense graphs are rarely colorable

    def test_most_test_graphs_have_several_colorings(self, eight: Coloring) -> None:
        counts = eight.puzzles("test").counts
        assert (counts >= 2).mean() > 0.6

    def test_one_answer_per_graph_could_cover_what_the_paper_reports_of_trm(self, eight: Coloring) -> None:
        counts = eight.puzzles("test").counts
        assert len(counts) / counts.sum() > 0.223

    def test_no_test_graph_has_an_isomorphic_copy_in_train(self, eight: Coloring) -> None:
        train, test = (eight.puzzles(split).x for split in SPLITS)
        classes = [set(refined(x[:, 8:] == JOINED, 8).tolist()) for x in (train, test)]
        assert not classes[0] & classes[1]
        assert len(classes[1]) == len(test)  # and no two test graphs are copies of each other
        known = {hashed(graph_of(eight.board, x)) for x in train}
        for x in test:
            assert hashed(graph_of(eight.board, x)) not in known

    def test_the_weaker_split_shares_most_classes(self) -> None:
        task = Coloring(ColoringConfig(holdout="graph"))
        train, test = (refined(task.puzzles(split).x[:, 8:] == JOINED, 8) for split in SPLITS)
        assert 0.7 < np.isin(test, train).mean() < 0.9

    def test_the_classes_are_those_of_networkx_on_every_graph_of_five_nodes(self) -> None:
        edges = np.array(list(product((False, True), repeat=10)))
        board = Coloring(ColoringConfig(vertices=5)).board
        ours = refined(edges, 5)
        theirs = [hashed(graph_of(board, np.concatenate([[PAD] * 5, np.where(row, JOINED, APART)]))) for row in edges]
        assert len({*zip(ours.tolist(), theirs, strict=True)}) == len({*theirs}) == len({*ours.tolist()})

    @pytest.mark.parametrize("vertices", [3, 4, 5, 6, 7])
    def test_small_graphs_have_both_splits_and_are_disjoint(self, vertices: int) -> None:
        task = Coloring(ColoringConfig(vertices=vertices, train_max=500, test_max=50))
        train, test = ({x.tobytes() for x in task.puzzles(split).x} for split in SPLITS)
        assert train
        assert test
        assert not train & test

    def test_three_nodes_give_every_graph(self) -> None:
        task = Coloring(ColoringConfig(vertices=3))
        assert sum(len(task.puzzles(split)) for split in SPLITS) == 8

    def test_equal_configurations_give_equal_data_and_other_seeds_other_data(self) -> None:
        small = {"vertices": 6, "train_max": 100, "test_max": 10}
        sets = []
        for change in ({}, {}, {"seed": 1}, {"split_seed": 1}):
            puzzles = Coloring(ColoringConfig(**small, **change)).puzzles("test")
            sets.append({x.tobytes() for x in puzzles.x})
        assert sets[0] == sets[1]
        assert sets[0] != sets[2]
        assert sets[0] != sets[3]

    def test_the_configuration_survives_json(self) -> None:
        config = ColoringConfig(vertices=10, edge_probability=0.5, train_max=13465, test_max=192)
        assert ColoringConfig(**json.loads(json.dumps(asdict(config)))) == config

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"vertices": 2}, "vertices is 2; coloring is offered for 3 to 12"),
            ({"vertices": 13}, "vertices is 13"),
            ({"colors": 1}, "colors is 1; choose 2 or 3"),
            ({"colors": 4}, "colors is 4"),
            ({"edge_probability": 0.0}, "edge_probability is 0.0; it must lie between 0 and 1"),
            ({"train_max": 0}, "train_max is 0; it must be at least 1"),
            ({"test_max": -1}, "test_max is -1"),
            ({"holdout": "none"}, "holdout is 'none'; known: class, graph"),
            ({"seed": -1}, "seed is -1"),
            ({"split_seed": -2}, "split_seed is -2"),
        ],
    )
    def test_an_impossible_choice_of_data_is_refused(self, changes: dict, words: str) -> None:
        with pytest.raises(TaskError, match=words):
            ColoringConfig(**changes)

    def test_a_probability_that_leaves_no_graph_is_refused(self) -> None:
        with pytest.raises(TaskError, match=r"edge_probability 0\.9999 left 0 graphs"):
            Coloring(ColoringConfig(vertices=9, edge_probability=0.9999)).puzzles("train")

    def test_an_unknown_split_names_the_known(self, five: Coloring) -> None:
        with pytest.raises(TaskError, match="unknown split 'validation'; known: train, test"):
            five.puzzles("validation")  # type: ignore[arg-type]


class TestColorings:
    @pytest.mark.parametrize(
        ("vertices", "colors", "probability"),
        [(4, 3, 0.5), (6, 2, 0.3), (6, 3, 0.5), (7, 3, 0.35), (8, 3, 0.25), (10, 3, 0.15)],
    )
    def test_they_are_as_many_as_the_chromatic_polynomial_says(
        self, vertices: int, colors: int, probability: float
    ) -> None:
        """P(G, k) = sum over the canonical colorings of k (k-1) ... (k-used+1), the ways to name the colors used."""
        task = Coloring(ColoringConfig(vertices=vertices, colors=colors))
        graphs = drawn(vertices, probability, 40, seed=vertices)
        few = [x for x in graphs if len(task.board.edges(x)) <= 9]  # networkx takes a time of 2 to the number of edges
        assert len(few) >= 20
        for x in few[:20]:
            found = task.solve(x)[:, :vertices]
            named = sum(perm(colors, len(set(nodes.tolist()))) for nodes in found)
            assert named == nx.chromatic_polynomial(graph_of(task.board, x)).subs("x", colors)

    def test_they_equal_brute_force_on_every_graph_of_four_nodes(self) -> None:
        task = Coloring(ColoringConfig(vertices=4))
        for edges in product((APART, JOINED), repeat=6):
            x = np.array([PAD] * 4 + list(edges), np.uint8)
            joined = task.board.edges(x)
            by_hand = [
                nodes
                for nodes in product(range(FIRST, FIRST + 3), repeat=4)
                if all(nodes[a] != nodes[b] for a, b in joined)
                and all(nodes[i] <= max(nodes[:i], default=FIRST - 1) + 1 for i in range(4))
            ]
            assert [tuple(row) for row in task.solve(x)[:, :4].tolist()] == by_hand  # in lexicographic order too

    def test_given_colors_keep_their_names_and_only_the_others_are_interchangeable(self, five: Coloring) -> None:
        for text in ("1-2 2-3 4=G", "1-2 3=Y 4=B", "1-2 2-3 3-4 5=G 1=Y", CYCLE + " 2=G"):
            x = five.parse(text)
            proper = [
                nodes
                for nodes in product(range(FIRST, FIRST + 3), repeat=5)
                if all(nodes[a] != nodes[b] for a, b in five.board.edges(x))
                and all(given in (PAD, token) for given, token in zip(x[:5], nodes, strict=True))
            ]
            free = [color for color in range(FIRST, FIRST + 3) if color not in x[:5]]
            classes = {
                min(
                    tuple(dict(zip(free, names, strict=True)).get(token, token) for token in nodes)
                    for names in permutations(free)
                )
                for nodes in proper
            }
            assert {tuple(row) for row in five.solve(x)[:, :5].tolist()} == classes

    def test_every_listed_coloring_is_valid_canonical_and_different(self, eight: Coloring) -> None:
        for split in SPLITS:
            puzzles = eight.puzzles(split).take(range(0, 200))
            for x, found in zip(puzzles.x, puzzles.solutions, strict=True):
                assert eight.check(x, found).valid.all()
                np.testing.assert_array_equal(eight.canonical(x, found), found)
                np.testing.assert_array_equal(found, eight.solve(x))
                assert len(np.unique(found, axis=0)) == len(found)

    def test_the_search_stops_at_its_limit(self, eight: Coloring) -> None:
        x = drawn(8, 0.2, 1)[0]
        everything = eight.solve(x)
        np.testing.assert_array_equal(eight.solve(x, 3), everything[:3])
        assert len(eight.solve(x, 10**6)) == len(everything)

    def test_a_graph_that_needs_four_colors_has_none(self, five: Coloring) -> None:
        complete = " ".join(f"{a}-{b}" for a, b in combinations(range(1, 5), 2))
        assert five.solve(five.parse(complete)).shape == (0, 15)
        assert five.solve(five.parse(complete + " 1=B")).shape == (0, 15)

    def test_renaming_the_colors_changes_nothing_canonical(self, eight: Coloring) -> None:
        puzzles = eight.puzzles("test").take(range(30))
        for x, found in zip(puzzles.x, puzzles.solutions, strict=True):
            for names in permutations(range(FIRST, FIRST + 3)):
                table = np.array([PAD, APART, JOINED, *names], np.uint8)
                renamed = np.concatenate([table[found[:, :8]], found[:, 8:]], 1)
                assert eight.check(x, renamed).valid.all()
                np.testing.assert_array_equal(eight.canonical(x, renamed), found)

    def test_canonical_leaves_what_is_no_color_alone(self, five: Coloring) -> None:
        x = five.parse(CYCLE)
        odd = x.copy()
        odd[:5] = [JOINED, FIRST + 2, PAD, FIRST + 2, FIRST]
        np.testing.assert_array_equal(five.canonical(x, odd)[:5], [JOINED, FIRST, PAD, FIRST, FIRST + 1])
        np.testing.assert_array_equal(five.canonical(x, odd[None, None])[0, 0, 5:], x[5:])


class TestRules:
    def test_the_checker_equals_brute_force_on_every_answer_of_three_nodes(self) -> None:
        task = Coloring(ColoringConfig(vertices=3))
        answers = np.array(list(product(range(6), repeat=6)), np.uint8)
        for text in ("no edges", "1-2", "1-2 2-3", "1-2 2-3 1-3", "1-2 3=B"):
            x = task.parse(text)
            verdict = task.check(x, answers)
            edges = task.board.edges(x)
            for tokens, valid, conflict, count in zip(
                answers, verdict.valid, verdict.conflict, task.conflicts(x, answers), strict=True
            ):
                clashing = [(a, b) for a, b in edges if tokens[a] == tokens[b] and tokens[a] >= FIRST]
                keeps = (tokens[3:] == x[3:]).all() and all(x[i] in (PAD, tokens[i]) for i in range(3))
                assert valid == (keeps and not clashing and (tokens[:3] >= FIRST).all())
                assert count == len(clashing)
                assert set(np.flatnonzero(conflict[:3]).tolist()) == {node for edge in clashing for node in edge}

    def test_an_answer_does_not_escape_a_conflict_by_leaving_the_edge_out(self, five: Coloring) -> None:
        x = five.parse("1-2")
        answer = five.solve(x)[0].copy()
        answer[1] = answer[0]
        answer[5] = APART
        assert five.conflicts(x, answer) == 1
        assert five.check(x, answer).conflict[[0, 1, 5]].all()
        assert five.board.violations(answer) == 0  # the board alone believes the answer's own edges

    def test_an_uncolored_node_is_not_an_answer(self, five: Coloring) -> None:
        x = five.parse(CYCLE)
        verdict = five.check(x, x)
        assert not verdict.valid
        assert not verdict.conflict.any()

    def test_judging_broadcasts_over_puzzles_and_trajectories(self, eight: Coloring) -> None:
        puzzles = eight.puzzles("test").take([0, 1, 2])
        answers = np.stack([np.stack([found[0], x]) for x, found in zip(puzzles.x, puzzles.solutions, strict=True)])
        together = eight.check(puzzles.x[:, None], answers)
        assert together.valid.tolist() == [[True, False]] * 3
        assert together.conflict.shape == answers.shape


class TestText:
    @pytest.mark.parametrize("split", SPLITS)
    def test_puzzles_and_answers_are_read_back(self, eight: Coloring, split: str) -> None:
        puzzles = eight.puzzles(split).take(range(100))
        for x, found in zip(puzzles.x, puzzles.solutions, strict=True):
            np.testing.assert_array_equal(eight.parse(eight.text(x)), x)
            np.testing.assert_array_equal(eight.parse(eight.text(found[-1])), found[-1])

    def test_a_graph_without_edges_is_read_back(self, five: Coloring) -> None:
        x = np.array([PAD] * 5 + [APART] * 10, np.uint8)
        assert five.text(x) == "no edges"
        np.testing.assert_array_equal(five.parse("no edges"), x)

    def test_a_written_graph_looks_as_a_person_writes_it(self, five: Coloring) -> None:
        assert five.text(five.parse("2-1, 3–2; 1=blue\n5=g")) == "1-2 2-3 1=B 5=G"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "the graph is empty; write its edges, e.g. 1-2 2-3, with nodes from 1 to 5"),
            ("  \n ", "the graph is empty"),
            ("1-6", "6 is not a node of this graph; its nodes are 1 to 5"),
            ("0-1", "0 is not a node"),
            ("2-2", "2-2 joins node 2 to itself"),
            ("1-2-3", "'1-2-3' is neither an edge, as 1-2, nor a node's color, as 1=B"),
            ("1-2 1=R", "'R' is not a color of this task; known: B blue, G green, Y yellow"),
            ("1-2 1=B 1=G", "node 1 is given two colors"),
            ("1-2 1=B 2=B", "nodes 1 and 2 are joined and both blue; change one of them"),
            ("no edges 1-2", "says 'no edges' and has some"),
            ("9" * 5000 + "-1", "is neither an edge"),
            ("²-1", "is neither an edge"),
        ],
    )
    def test_a_text_that_is_no_graph_says_what_is_wrong_and_what_to_do(
        self, five: Coloring, text: str, words: str
    ) -> None:
        with pytest.raises(TaskError, match=words.replace("?", r"\?")) as caught:
            five.parse(text)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 160

    def test_mangled_texts_are_refused_or_read_rightly(self, five: Coloring) -> None:
        rng = random.Random(0)
        good = [CYCLE, "1-2 1=B", "no edges 3=Y", "4-5, 2-3 2=G", five.text(five.solve(five.parse(CYCLE))[0])]
        alphabet = "0123456789-=–,; \n\tBGYbgRnoedgs.²٣\x00/Q"
        read, refused = 0, []
        trials = tries(1_000, 10_000)
        for _ in range(trials):
            text = list(rng.choice(good))
            for _ in range(rng.randint(1, 4)):
                at = rng.randrange(len(text) + 1)
                text[at : at + rng.randint(0, 2)] = rng.choices(alphabet, k=rng.randint(0, 2))
            written = "".join(text)
            try:
                x = five.parse(written)
            except TaskError as error:
                refused.append(str(error))
                continue
            read += 1
            assert (five.board.violations(x) == 0).all()
            if not set("-–=n") & set(written):  # an edge list, `4 5`: test_own reads those
                continue
            plain = re.sub(r"[ \t]*=[ \t]*", "=", re.sub(r"[ \t]*[-–]+[ \t]*", "-", written))
            pieces = plain.replace(",", " ").replace(";", " ").split()
            edges = {tuple(sorted(int(side) - 1 for side in piece.split("-"))) for piece in pieces if "-" in piece}
            assert edges == set(five.board.edges(x))
            colors = {piece.split("=")[0]: piece.split("=")[1][0].upper() for piece in pieces if "=" in piece}
            assert {int(at) - 1: color for at, color in colors.items()} == {
                at: "BGY"[token - FIRST] for at, token in enumerate(x[:5].tolist()) if token
            }
            np.testing.assert_array_equal(five.parse(five.text(x)), x)
        assert read > trials / 25
        assert len(refused) > trials / 20
        assert not any("\n" in sentence or len(sentence) > 160 for sentence in refused)


class TestAugmentation:
    def test_a_renumbered_graph_is_isomorphic_and_its_coloring_valid_and_canonical(self, eight: Coloring) -> None:
        puzzles = eight.puzzles("train")
        which, y = puzzles.pairs()
        x, y = puzzles.x[which[:600]], y[:600]
        new_x, new_y = eight.augment(x, y, np.random.default_rng(0))
        assert eight.check(new_x, new_y).valid.all()
        np.testing.assert_array_equal(eight.canonical(new_x, new_y), new_y)
        np.testing.assert_array_equal(refined(x[:, 8:] == JOINED, 8), refined(new_x[:, 8:] == JOINED, 8))
        assert (new_x != x).any(1).mean() > 0.95
        for old, new in zip(x[:40], new_x[:40], strict=True):
            assert nx.is_isomorphic(graph_of(eight.board, old), graph_of(eight.board, new))
        np.testing.assert_array_equal(np.sort([len(eight.solve(row)) for row in x[:40]]),
                                      np.sort([len(eight.solve(row)) for row in new_x[:40]]))  # fmt: skip

    def test_every_order_of_the_nodes_is_drawn(self) -> None:
        task = Coloring(ColoringConfig(vertices=3))
        x = np.repeat(task.parse("1-2")[None], 300, 0)
        y = np.repeat(task.solve(x[0])[:1], 300, 0)
        new_x, _ = task.augment(x, y, np.random.default_rng(0))
        assert len(np.unique(new_x, axis=0)) == 3
        assert np.unique(new_x, axis=0, return_counts=True)[1].min() > 70
