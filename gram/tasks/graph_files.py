"""Graphs in the usual forms, as the text that `Coloring.parse` reads (`1-2 2-3`): nodes count from 1 there.

Read are DIMACS (`p edge 8 4`, `e 1 2`), an edge list (a pair of nodes a line, as networkx writes it, or a list of
pairs), an adjacency matrix, graph6, and objects: a `networkx.Graph`, or a mapping with `edges` (or `links`) and
`vertices` (or `nodes`), as reasoning-gym and networkx's node-link JSON have it. A list of pairs in which node 0 occurs
counts from 0, another one from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gram.tasks.base import TaskError
from gram.tasks.written import listed, one_puzzle, valued

GRAPH6 = re.compile(r"(>>graph6<<)?[?-~]+")
# Two nodes, and perhaps one weight, or the attributes that networkx writes; both are passed over.
PAIR = re.compile(
    r"([0-9]{1,6})(?:\s*[,;]\s*|\s+)([0-9]{1,6})(?:\s*\{.*\}|(?:\s*[,;]|\s)\s*[-+]?[0-9.]+(?:e[-+]?[0-9]+)?)?\s*"
)


def edges_of(text: str, nodes: int) -> str:
    """A graph in one of these forms as edges, `1-2 2-3`; another text as it is.

    Args:
        nodes: how many the task has; an edge list may leave out nodes without an edge.
    Raises:
        TaskError: it is one of these forms, and damaged or of another size.
    """
    text = one_puzzle(text)
    lines = [line.strip() for line in text.splitlines()]
    plain = [line for line in lines if line and line[0] not in "#%"]
    dimacs = [line.split() for line in plain if line.split()[0] != "c"]
    if dimacs and dimacs[0][0] == "p":
        return _dimacs(dimacs, nodes)
    if len(plain) == 1 and is_graph6(plain[0]):
        return _graph6(plain[0], nodes)
    inner = [line.strip() for line in listed(valued(text)).splitlines()]
    inner = [line for line in inner if re.search(r"\w", line)]
    if len(inner) > 2 and all(re.fullmatch(f"[01]([\\s,;]*[01]){{{len(inner) - 1}}}", line) for line in inner):
        return from_matrix(np.array([re.findall("[01]", line) for line in inner], dtype=int), nodes)
    if inner != plain and inner and all(map(PAIR.fullmatch, inner)):
        plain = inner
    if plain and re.fullmatch(r"(source|from|u)\W+(target|to|v)\b.*", plain[0], re.IGNORECASE):
        plain = plain[1:]
    pairs = [PAIR.fullmatch(line) for line in plain]
    if pairs and all(pairs):
        return _listed(((int(pair[1]), int(pair[2])) for pair in pairs if pair), nodes)
    return text


def is_graph6(line: str) -> bool:
    """Whether a line is a graph in the form graph6: its first character says how many more there are."""
    if not GRAPH6.fullmatch(line):
        return False
    body = line.removeprefix(">>graph6<<")
    count = ord(body[:1] or "~") - 63
    return 2 <= count < 63 and len(body) == 1 + -(-count * (count - 1) // 2 // 6)


def from_object(graph: Any, nodes: int) -> str:
    """A `networkx.Graph`, or a mapping with edges, as text for `Coloring.parse`.

    Raises:
        TaskError: it has no edges that can be read, or another size than `nodes`.
    """
    if isinstance(graph, Mapping):
        edges = graph.get("edges", graph.get("links"))
        names = graph.get("vertices", graph.get("nodes"))
    else:
        edges, names = list(graph.edges()), list(graph.nodes())
    try:
        pairs = [(e["source"], e["target"]) if isinstance(e, Mapping) else tuple(e)[:2] for e in edges]
        names = [n["id"] if isinstance(n, Mapping) else n for n in names or ()]
        order = {name: at for at, name in enumerate(names or sorted({end for pair in pairs for end in pair}), 1)}
        written = " ".join(f"{order[a]}-{order[b]}" for a, b in pairs)
    except (KeyError, TypeError, ValueError) as error:
        raise TaskError(
            f"the graph has edges that cannot be read ({error!r}); give pairs of the nodes that it names"
        ) from error
    return _sized(written or "no edges", len(order), nodes)


def from_matrix(matrix: np.ndarray, nodes: int) -> str:
    """An adjacency matrix [node, node] of 0 and 1 as text for `Coloring.parse`.

    Raises:
        TaskError: it is not square, not symmetric, joins a node to itself, or has another size than `nodes`.
    """
    if matrix.ndim != 2 or len(matrix) != matrix.shape[1]:
        raise TaskError(f"the adjacency matrix is {' x '.join(map(str, matrix.shape))}; it must be square")
    if (matrix != matrix.T).any() or matrix.diagonal().any():
        raise TaskError("the adjacency matrix is not symmetric with 0 on its diagonal; an edge joins two nodes")
    a, b = np.nonzero(np.triu(matrix))
    return _sized(" ".join(f"{i + 1}-{j + 1}" for i, j in zip(a, b, strict=True)) or "no edges", len(matrix), nodes)


def _dimacs(lines: list[list[str]], nodes: int) -> str:
    edges = []
    for line in lines[1:]:
        if len(line) != 3 or line[0] != "e":
            raise TaskError(f"{' '.join(line)[:40]!r} is no edge of a DIMACS file; write it as e 1 2")
        edges.append(f"{line[1]}-{line[2]}")
    if lines[0][2:3] != [str(nodes)]:
        raise TaskError(
            f"the graph is {' '.join(lines[0])[:40]!r}; this task has {nodes} nodes, so write p edge {nodes} ..."
        )
    return " ".join(edges) or "no edges"


def _graph6(line: str, nodes: int) -> str:
    body = line.removeprefix(">>graph6<<")
    count = ord(body[0]) - 63
    bits = np.unpackbits(np.array([[ord(letter) - 63] for letter in body[1:]], np.uint8), axis=1)[:, 2:].ravel()
    matrix = np.zeros((count, count), dtype=int)
    matrix.T[np.tril_indices(count, -1)] = bits[: count * (count - 1) // 2]  # the upper triangle, column by column
    return from_matrix(matrix + matrix.T, nodes)


def _listed(pairs: Iterable[tuple[int, int]], nodes: int) -> str:
    found = list(pairs)
    first = 0 if any(0 in pair for pair in found) else 1
    largest = max(map(max, found)) - first + 1
    if largest > nodes:
        raise TaskError(
            f"the graph has a node {largest + first - 1}, counted from {first}; this task has {nodes} nodes"
        )
    return " ".join(f"{a - first + 1}-{b - first + 1}" for a, b in found)


def _sized(text: str, count: int, nodes: int) -> str:
    if count != nodes:
        raise TaskError(
            f"the graph has {count} nodes and this task {nodes}; give one of {nodes}, or open the checkpoint with "
            f'task={{"vertices": {count}}} if its mixing is by relations'
        )
    return text
