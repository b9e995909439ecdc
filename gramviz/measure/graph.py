"""Where the nodes of a graph stand: few crossings, no node on another, no edge through a node that it does not join.

Every puzzle of a graph task has edges of its own, so its picture is laid out when it is drawn. Layouts of networkx
(Hagberg, Schult & Swart 2008) are the start: Kamada & Kawai's, by springs and, of a planar graph, one without
crossings. Each is improved by moving one node at a time, as Davidson & Harel (1996) do: crossings and what is too close
cost, and the layout of least cost is taken. Seeds are fixed, so the same graph always gets the same places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gram.board import Board

Place = tuple[float, float]
Edges = Sequence[tuple[int, int]]
_SEEDS = 4  # random starts of the springs
_MOVES = 800  # moves tried on each of them
_CROSSING = 3.0  # cost of a crossing
_MARGIN = 0.06  # of the unit square, for the half of a node that leans out
_APART = 0.2  # nodes nearer than this look crowded
_CLEAR = 0.09  # an edge nearer than this to a foreign node seems to end there


def picture(board: Board, x: NDArray[np.integer]) -> Board:
    """The board of the puzzle [position] as it is drawn; a graph whose edges are tokens gets places for its nodes."""
    drawn = board.picture(x)
    if board.nodes and drawn.xy is None:
        return replace(drawn, xy=places(board.nodes, tuple((a, b) for a, b in drawn.groups)))
    return drawn


@lru_cache(maxsize=256)
def places(nodes: int, edges: tuple[tuple[int, int], ...]) -> tuple[Place, ...]:
    """A place (x, y) in the unit square for each node, y down."""
    unclear = _judge(nodes, edges)
    rng = np.random.default_rng(0)
    starts = map(_squared, _layouts(nodes, edges))
    best = min((_squared(_improved(start, unclear, rng)) for start in starts), key=unclear)
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in best)


def _layouts(nodes: int, edges: Edges) -> Iterator[NDArray[np.float64]]:
    """Layouts [node, 2] to start from."""
    import networkx as nx  # a quarter of a second, which boards without a graph need not wait

    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(edges)
    starts = [nx.circular_layout(graph)]
    if nx.check_planarity(graph)[0]:
        starts.append(nx.planar_layout(graph))
    distance = dict(nx.all_pairs_shortest_path_length(graph))
    far = max(max(row.values()) for row in distance.values()) + 1  # between parts that no trajectory joins
    wanted = {a: {b: distance[a].get(b, far) for b in graph} for a in graph}
    found = [*starts, *(nx.kamada_kawai_layout(graph, dist=wanted, pos=start) for start in starts)]
    found += [nx.spring_layout(graph, seed=seed, method="force") for seed in range(_SEEDS)]
    for layout in found:
        yield np.array([layout[node] for node in range(nodes)], np.float64)


def _squared(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """The layout stretched to fill the unit square up to the margin."""
    low, span = at.min(0), np.maximum(np.ptp(at, axis=0), 1e-9)
    return _MARGIN + (1 - 2 * _MARGIN) * (at - low) / span


def _improved(
    at: NDArray[np.float64], unclear: Callable[[NDArray[np.float64]], float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """The layout after moves of single nodes, first far, then near, each kept only if it helps."""
    best, cost = at, unclear(at)
    for reach in np.geomspace(0.6, 0.02, _MOVES):
        moved = best.copy()
        node = rng.integers(len(at))
        moved[node] = np.clip(moved[node] + reach * rng.normal(size=2), _MARGIN, 1 - _MARGIN)
        if (now := unclear(moved)) < cost:
            best, cost = moved, now
    return best


def _judge(nodes: int, edges: Edges) -> Callable[[NDArray[np.float64]], float]:
    """How hard a layout of this graph is to read: the cost of crossings, for what is too close, and for length."""
    first, second = np.triu_indices(nodes, 1)
    foreign = [(node, a, b) for a, b in edges for node in range(nodes) if node not in (a, b)]
    node, start, end = np.array(foreign, np.intp).reshape(-1, 3).T
    long = np.array(edges, np.intp).reshape(-1, 2).T
    count = crossing_counter(edges)

    def unclear(at: NDArray[np.float64]) -> float:
        z = at[:, 0] + 1j * at[:, 1]  # as complex numbers: half the calls, and this series thousands of times
        apart = np.abs(z[first] - z[second])
        span, away = z[end] - z[start], z[node] - z[start]
        along = (away * span.conj()).real / np.maximum((span * span.conj()).real, 1e-12)
        clear = np.abs(away - np.minimum(np.maximum(along, 0), 1) * span)
        crowded = np.maximum(1 - apart / _APART, 0).sum() + np.maximum(1 - clear / _CLEAR, 0).sum()
        return _CROSSING * count(z) + 5 * float(crowded) + 0.05 * float(np.abs(z[long[0]] - z[long[1]]).sum())

    return unclear


def crossing_counter(edges: Edges) -> Callable[[NDArray[np.complex128]], int]:
    """The number of crossings as a function of the places, as complex numbers [node]."""
    pairs = [(*e, *f) for e, f in combinations(edges, 2) if not {*e} & {*f}]
    ids = np.array(pairs, np.intp).reshape(-1, 4).T

    def count(z: NDArray[np.complex128]) -> int:
        a, b, c, d = z[ids]
        ab, cd = (b - a).conj(), (d - c).conj()
        # The sign of the imaginary part tells on which side of a line a point lies.
        apart = (ab * (c - a)).imag * (ab * (d - a)).imag < 0
        return int(np.count_nonzero(apart & ((cd * (a - c)).imag * (cd * (b - c)).imag < 0)))

    return count
