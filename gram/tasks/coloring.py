"""Graph coloring: give each node one of a few colors so that no edge joins two equal ones. GRAM, 5.2 and Table 1.

Data: Erdos-Renyi graphs that can be colored, each different from every other, with *all* canonical colorings of each.
The names of colors are interchangeable, so a coloring counts once: in the canonical one, going through the nodes in
order, a color that is new is always the next unused one (node 1 has the first color). In a puzzle that gives some
nodes their colors, those colors keep their names and only the others are interchangeable. Colorings are found by
exhaustion: every canonical assignment of colors is checked against every graph.

The paper is silent on the edge probability; 0.6 for 8 nodes is our choice. At 0.55 and below an input has very many
colorings that one answer per input could not cover the 22.3 % that Table 1 reports of TRM.

Held out are whole classes of graphs that color refinement (Weisfeiler & Leman 1968) cannot tell apart, so no test
graph has an isomorphic copy among the training graphs. The paper speaks of unique inputs only; `holdout="graph"` is
that weaker split: of 8 nodes, four test graphs in five are then training graphs with their nodes renumbered.

Vocabulary: 0 pad, 1 no edge, 2 edge, 3 onwards the colors. Positions: the nodes, then every pair of nodes (0, 1),
(0, 2), ... A puzzle holds pad at its nodes and 1 or 2 at its pairs; the answer colors the nodes and repeats the pairs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from math import ceil, comb, factorial
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gram.board import Board, Token
from gram.tasks.base import Puzzles, Split, Task, TaskError, Tokens, Verdict
from gram.tasks.graph_files import edges_of, is_graph6

PAD, APART, JOINED, FIRST = 0, 1, 2, 3
COLORS = ("blue", "green", "yellow")  # names that a theme draws as they say, and initials that differ
Holdout = Literal["class", "graph"]
_HELD_OUT = 0.15  # largest share of the graphs that is kept from training
_BATCH = 4096  # graphs drawn at once; part of what a seed means
_BATCHES = 400  # then the supply of new graphs counts as exhausted
_CELLS = 2**24  # numbers in one block of the exhaustive search, 64 MB


@dataclass(frozen=True)
class ColoringConfig:
    """Choices of the data. The defaults are those for the paper's 8 nodes; for 10 take 13465, 192 and 0.5.

    Attributes:
        vertices: number of nodes, 3 to 12.
        colors: number of colors, 2 or 3.
        edge_probability: of each pair of nodes, independently, before graphs that cannot be colored are dropped.
        train_max, test_max: at most N graphs; of few nodes there are fewer.
        holdout: what a test graph may not share with a training graph: its `class` (see above), or only the `graph`.
        seed: which graphs.
        split_seed: which of them are tested on.
    """

    vertices: int = 8
    colors: int = 3
    edge_probability: float = 0.6
    train_max: int = 7002
    test_max: int = 255
    holdout: Holdout = "class"
    seed: int = 0
    split_seed: int = 0

    def __post_init__(self) -> None:
        if not 3 <= self.vertices <= 12:
            raise TaskError(f"vertices is {self.vertices}; coloring is offered for 3 to 12")
        if not 2 <= self.colors <= len(COLORS):
            raise TaskError(f"colors is {self.colors}; choose 2 or {len(COLORS)}")
        if not 0 < self.edge_probability < 1:
            raise TaskError(f"edge_probability is {self.edge_probability}; it must lie between 0 and 1")
        for name in ("train_max", "test_max"):
            if getattr(self, name) < 1:
                raise TaskError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.holdout not in get_args(Holdout):
            raise TaskError(f"holdout is {self.holdout!r}; known: {', '.join(get_args(Holdout))}")
        for name in ("seed", "split_seed"):
            if getattr(self, name) < 0:
                raise TaskError(f"{name} is {getattr(self, name)}; it must be at least 0")


class Coloring(Task):
    """The graph coloring task."""

    name: ClassVar[str] = "coloring"
    Config: ClassVar[type] = ColoringConfig

    def __init__(self, config: ColoringConfig) -> None:
        self.config = config
        self.board = board(config.vertices, config.colors)

    def puzzles(self, split: Split) -> Puzzles:
        self._known_split(split)
        return self._all.take(self._splits[split])

    def source(self) -> str:
        c = self.config
        return (
            f"generated: random graphs of {c.vertices} nodes with edge probability {c.edge_probability:g} that "
            f"{c.colors} colors suffice for, with all their colorings by exhaustion"
        )

    @cached_property
    def _all(self) -> Puzzles:
        """Different graphs that can be colored, with all their canonical colorings, in the order they were drawn."""
        c, n = self.config, self.config.vertices
        rng = np.random.default_rng(c.seed)
        wanted = ceil(c.train_max / (1 - _HELD_OUT)) + c.test_max  # enough for both whatever is held out
        seen: set[bytes] = set()
        graphs: list[NDArray[np.bool_]] = []
        found: list[NDArray[np.intp]] = []
        for _ in range(_BATCHES):
            drawn = rng.random((_BATCH, n * (n - 1) // 2)) < c.edge_probability
            new = []
            for edges, key in zip(drawn, map(bytes, np.packbits(drawn, axis=1)), strict=True):
                if key not in seen:
                    seen.add(key)
                    new.append(edges)
            if not new:
                continue
            fitting = _fitting(np.stack(new), self._canonical_table)
            graphs += [edges for edges, rows in zip(new, fitting, strict=True) if len(rows)]
            found += [rows for rows in fitting if len(rows)]
            if len(graphs) >= wanted or len(seen) == 2 ** drawn.shape[1]:
                break
        if len(graphs) < 2:
            raise TaskError(
                f"edge_probability {c.edge_probability} left {len(graphs)} graphs that {c.colors} colors suffice "
                "for; choose a lower one"
            )
        x = _encode(np.stack(graphs[:wanted]), np.full((1, n), PAD))
        colorings = [self._canonical_table[rows] + FIRST for rows in found[:wanted]]
        return Puzzles(
            x, tuple(_encode(row[None, n:] == JOINED, nodes) for row, nodes in zip(x, colorings, strict=True))
        )

    @cached_property
    def _splits(self) -> dict[str, NDArray[np.intp]]:
        """The graphs of each split, by index.

        Random graphs are held out, each with its whole class, until there are `test_max` classes or 15 % of all graphs
        are held out. Tested on is one graph of each class, then (where classes are few) a second of each, and so on;
        what else is held out is in neither split.
        """
        c, x, n = self.config, self._all.x, self.config.vertices
        most = max(1, int(_HELD_OUT * len(x)))
        classes = np.arange(len(x))
        if c.holdout == "class":
            classes = np.unique(refined(x[:, n:] == JOINED, n), return_inverse=True)[1]
        size = np.bincount(classes)
        order = np.random.default_rng(c.split_seed).permutation(len(x))
        held = np.zeros(len(size), dtype=bool)
        room, wanted = most, c.test_max
        for index in order:
            one = classes[index]
            if wanted and not held[one] and size[one] <= room:
                held[one] = True
                room, wanted = room - size[one], wanted - 1
        out = order[held[classes[order]]]
        if not len(out) or held.all():
            raise TaskError(
                f"{len(x)} graphs in {len(size)} classes cannot be divided; choose more vertices, or holdout='graph'"
            )
        place = dict.fromkeys(np.flatnonzero(held), 0)  # how many of a class have had their turn
        turns = []
        for one in classes[out]:
            turns.append(place[one])
            place[one] += 1
        tested = np.sort(out[np.argsort(turns, kind="stable")][: c.test_max])
        return {"test": tested, "train": np.flatnonzero(~held[classes])[: c.train_max]}

    @cached_property
    def _canonical_table(self) -> NDArray[np.int64]:
        """Every canonical assignment of colors 0, 1, ... [assignment, node], in lexicographic order."""
        rows = np.zeros((1, 1), dtype=np.int64)
        for _ in range(self.config.vertices - 1):
            top = np.minimum(rows.max(1) + 2, self.config.colors)  # how many colors are open to the next node
            rows = np.column_stack([np.repeat(rows, top, axis=0), np.concatenate([np.arange(k) for k in top])])
        return rows

    def parse(self, text: str) -> Tokens:
        """The graph that a person wrote as edges and, if wanted, colors of nodes: `1-2 2-3 3-1 1=B`.

        Nodes count from 1; commas and line breaks separate as blanks do; `no edges` is the graph without any. DIMACS,
        edge lists, adjacency matrices and graph6 are read too (`gram.tasks.graph_files`).
        """
        text = edges_of(text, self.config.vertices)
        text = re.sub(r"([0-9])[ \t]*(?:[-–—]+>?|→)[ \t]*(?=[0-9])", r"\1-", text)
        text = re.sub(r"([0-9])[ \t]*[=:][ \t]*(?=[A-Za-z])", r"\1=", text)
        n, initials = self.config.vertices, {name[0].upper(): name for name in COLORS[: self.config.colors]}
        pieces = re.split(r"[\s,;]+", text.strip(" \t\r\n,;"))
        none = pieces[:2] == ["no", "edges"]
        if none:
            pieces = pieces[2:]
        elif pieces == [""]:
            raise TaskError(f"the graph is empty; write its edges, e.g. 1-2 2-3, with nodes from 1 to {n}")
        nodes, matrix = np.full(n, PAD, dtype=np.uint8), np.zeros((n, n), dtype=bool)

        def node(number: str) -> int:
            if not 1 <= int(number) <= n:
                raise TaskError(f"{number} is not a node of this graph; its nodes are 1 to {n}")
            return int(number) - 1

        for piece in pieces:
            if edge := re.fullmatch(r"([0-9]{1,3})[-–]([0-9]{1,3})", piece):
                a, b = node(edge[1]), node(edge[2])
                if a == b:
                    raise TaskError(f"{piece} joins node {a + 1} to itself; an edge needs two nodes")
                matrix[min(a, b), max(a, b)] = True
            elif color := re.fullmatch(r"([0-9]{1,3})=([A-Za-z]+)", piece):
                at, word = node(color[1]), color[2]
                known = [k for k, name in enumerate(initials.values()) if word.lower() in (name, name[0])]
                if not known:
                    words = ", ".join(f"{initial} {name}" for initial, name in initials.items())
                    raise TaskError(f"{word[:20]!r} is not a color of this task; known: {words}")
                if nodes[at] not in (PAD, FIRST + known[0]):
                    raise TaskError(f"node {at + 1} is given two colors; keep one of them")
                nodes[at] = FIRST + known[0]
            else:
                raise TaskError(f"{piece[:20]!r} is neither an edge, as 1-2, nor a node's color, as 1=B; write it so")
        if none and matrix.any():
            raise TaskError("the graph says 'no edges' and has some; leave these words out")
        x = _encode(matrix[np.triu_indices(n, 1)][None], nodes[None])[0]
        clash = np.flatnonzero(self.board.conflict(x)[n:])
        if len(clash):
            a, b = self.board.pairs[clash[0]]
            raise TaskError(f"nodes {a + 1} and {b + 1} are joined and both {self._color(x[a])}; change one of them")
        return x

    def split(self, text: str) -> list[str]:
        """Graphs of graph6 in a line each; others divided by blank lines."""
        lines = text.removeprefix("\ufeff").split()
        return lines if lines and all(map(is_graph6, lines)) else super().split(text)

    def text(self, tokens: Tokens) -> str:
        """The graph [position] as edges and colors of nodes, `1-2 2-3 1=B`; `parse` reads it back."""
        edges = [f"{a + 1}-{b + 1}" for a, b in self.board.edges(tokens)] or ["no edges"]
        nodes = tokens[: self.config.vertices]
        return " ".join(
            edges + [f"{at + 1}={self._color(token)[0].upper()}" for at, token in enumerate(nodes) if token >= FIRST]
        )

    def solve(self, x: Tokens, limit: int | None = None) -> Tokens:
        """The canonical colorings [solution, position] of a graph [position], in lexicographic order."""
        n = self.config.vertices
        x = np.asarray(x, dtype=np.uint8)
        edges = x[None, n:] == JOINED
        rows = self._canonical_table[_fitting(edges, self._canonical_table)[0]]
        if (x[:n] == PAD).all():
            return _encode(edges, rows[:limit] + FIRST)
        names = np.stack(np.meshgrid(*[np.arange(self.config.colors)] * self.config.colors, indexing="ij"), -1)
        names = names.reshape(-1, self.config.colors)
        names = names[(np.sort(names, 1) == np.arange(self.config.colors)).all(1)]  # every renaming of the colors
        renamed = names[:, rows].reshape(-1, n) + FIRST
        renamed = renamed[((renamed == x[:n]) | (x[:n] == PAD)).all(1)]
        found = _encode(edges, renamed)
        return np.unique(self.canonical(x, found), axis=0)[:limit] if len(found) else found

    def check(self, x: Tokens, tokens: Tokens) -> Verdict:
        """Judge answers [..., position]: right if every node has a color, no *given* edge clashes, the givens stand.

        A proper coloring is valid whatever its colors are called. Conflicts are those of the puzzle's own edges: an
        answer does not escape a rule by leaving an edge out.
        """
        n = self.config.vertices
        keeps = ((tokens == x) | ~self.board.given(x)).all(-1)
        colored = (tokens[..., :n] >= FIRST).all(-1)
        conflict = self.board.conflict(self._on(x, tokens))
        return Verdict(keeps & colored & ~conflict.any(-1), conflict)

    def conflicts(self, x: Tokens, tokens: Tokens) -> NDArray[np.int64]:
        """Number of the puzzle's edges whose ends have the same color [...]; Table 1 sums it over the test set."""
        return self.board.violations(self._on(x, tokens))

    def canonical(self, x: Tokens, tokens: Tokens) -> Tokens:
        """Answers [..., position] with colors renamed canonically: those that differ in names alone become equal."""
        n, k = self.config.vertices, self.config.colors
        x, tokens = np.broadcast_arrays(x, tokens)
        colors = np.arange(FIRST, FIRST + k, dtype=np.uint8)
        given = (x[..., :n, None] == colors).any(-2)  # [..., color]
        here = tokens[..., :n, None] == colors
        first = np.where(here.any(-2), here.argmax(-2), n)  # where each color appears first
        by_appearance = np.argsort(np.where(given, n + 1, first), axis=-1, kind="stable")
        by_name = np.argsort(given, axis=-1, kind="stable")  # free names in their order; given ones keep their own
        names = np.empty(first.shape, dtype=np.uint8)
        np.put_along_axis(names, by_appearance, by_name.astype(np.uint8), -1)
        others = np.broadcast_to(np.arange(FIRST, dtype=np.uint8), (*names.shape[:-1], FIRST))
        table = np.concatenate([others, names + FIRST], -1)  # [..., token]
        renamed = np.take_along_axis(table, tokens[..., :n].astype(np.intp), -1)
        return np.concatenate([renamed, tokens[..., n:]], -1).astype(np.uint8)

    def augment(self, x: Tokens, y: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        """Each graph [row, position] with its nodes renumbered at random, and its coloring canonical again."""
        n = self.config.vertices
        order = rng.random((len(x), n)).argsort(1)  # new node -> old node
        a, b = (order[:, side] for side in np.triu_indices(n, 1))
        number = np.zeros((n, n), dtype=np.intp)  # of the pair of two nodes, among the positions
        number[np.triu_indices(n, 1)] = n + np.arange(n * (n - 1) // 2)
        source = np.concatenate([order, (number + number.T)[a, b]], 1)
        x, y = (np.take_along_axis(tokens, source, 1) for tokens in (x, y))
        return x, self.canonical(x, y)

    def namings(self, x: Tokens, solutions: Tokens) -> Tokens:
        """The colorings [coloring, position] under every permutation of the colors that no node is given."""
        n, k = self.config.vertices, self.config.colors
        free = [token for token in range(FIRST, FIRST + k) if token not in x[:n]]
        tables = np.tile(np.arange(FIRST + k, dtype=np.uint8), (factorial(len(free)), 1))
        tables[:, free] = list(permutations(free))
        return np.unique(tables[:, solutions].reshape(-1, solutions.shape[1]), axis=0)

    def _on(self, x: Tokens, tokens: Tokens) -> Tokens:
        """The nodes of the answers on the edges of the puzzle."""
        n = self.config.vertices
        x, tokens = np.broadcast_arrays(x, tokens)
        return np.concatenate([tokens[..., :n], x[..., n:]], -1)

    def _color(self, token: int) -> str:
        return COLORS[int(token) - FIRST]


def board(vertices: int, colors: int = 3) -> Board:
    """The board of graphs of N nodes; each has edges of its own, so they are tokens."""
    return Board(
        task="coloring",
        title=f"Coloring of {vertices} nodes",
        kind="graph",
        height=1,
        width=vertices + vertices * (vertices - 1) // 2,
        tokens=(
            Token("no color"),
            Token("no edge", "·"),
            Token("edge", "–"),
            *(Token(name, name[0].upper(), "color") for name in COLORS[:colors]),
        ),
        blank=(PAD,),
        exclusive=tuple(range(FIRST, FIRST + colors)),
        nodes=vertices,
        joined=JOINED,
    )


def refined(edges: NDArray[np.bool_], vertices: int) -> NDArray[np.uint64]:
    """A number for each graph [graph, pair] that is the same for all renumberings of its nodes [graph].

    Color refinement of all graphs at once: each node starts from one label, which is mixed, round by round, with the
    sum of its neighbors' (modulo 2^64, so that no order matters). Graphs that it cannot tell apart, e.g. regular ones
    of one degree, share a number; for holding out that errs on the safe side. (networkx has the same refinement, graph
    by graph: seconds for the paper's 13,657.)
    """
    graph = np.zeros((len(edges), vertices, vertices), dtype=np.uint64)
    graph[:, *np.triu_indices(vertices, 1)] = edges
    graph += graph.swapaxes(1, 2)
    label = np.ones((len(edges), vertices), dtype=np.uint64)
    for _ in range(vertices):
        label = _mixed(3 * label + (graph * _mixed(label)[:, None, :]).sum(2))
    return _mixed(label).sum(1)


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64 (Steele, Lea & Flood 2014): unrelated numbers from close ones."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _fitting(edges: NDArray[np.bool_], table: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """For each graph [graph, pair], the rows of the table [assignment, node] in which no edge joins equal colors."""
    nodes, colors = table.shape[1], int(table.max()) + 1
    first, second = np.triu_indices(nodes, 1)
    # Most graphs that cannot be colored hold colors + 1 nodes that are all joined; leaving them out first is quicker.
    cliques = np.zeros((comb(nodes, colors + 1), nodes), dtype=bool)
    members = np.array(list(combinations(range(nodes), colors + 1)), dtype=np.intp).reshape(len(cliques), colors + 1)
    np.put_along_axis(cliques, members, True, 1)
    inside = (cliques[:, first] & cliques[:, second]).astype(np.float32)
    hopeless = (edges.astype(np.float32) @ inside.T == comb(colors + 1, 2)).any(1)
    same = (table[:, first] == table[:, second]).astype(np.float32)  # whole numbers this small are exact in float32
    size = max(1, _CELLS // len(table))
    found = [np.empty(0, dtype=np.intp)] * len(edges)
    open_ = np.flatnonzero(~hopeless)
    for at in range(0, len(open_), size):
        block = open_[at : at + size]
        for graph, clashes in zip(block, edges[block].astype(np.float32) @ same.T, strict=True):
            found[graph] = np.flatnonzero(clashes == 0)
    return found


def _encode(edges: NDArray[np.bool_], nodes: NDArray[np.integer]) -> Tokens:
    """Edges [graph or 1, pair] and tokens of the nodes [graph or 1, node] -> tokens [graph, position]."""
    count = len(nodes) if len(edges) == 1 else len(edges)
    pairs = np.where(edges, JOINED, APART)
    parts = [np.broadcast_to(part, (count, part.shape[1])) for part in (nodes, pairs)]
    return np.concatenate(parts, 1).astype(np.uint8)
