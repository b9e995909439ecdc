"""The answer map: states of answers in a plane where each answer has a place of its own, by one linear projection.

"+" is the mean state at the end of the warm-up, a circle is an answer, and short of it is doubt. Distances are between
answers, never between latent states.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gramviz.measure.components import upright
from gramviz.measure.families import Families

SHEAR = 2.5  # a star that is sheared more than this misleads; then the plane is that of PCA
_RIDGE = 0.01  # of the mean squared length of the anchors
_FEWEST = 2  # trajectories that give an answer a place of its own
_ROUNDS = 6  # of subspace iteration


@dataclass(frozen=True)
class AnswerMap:
    """States [..., cell and token] in a plane: y = M (p - mu).

    Attributes:
        xy: [trajectory, step, axis].
        M: [axis, cell and token]. mu: [cell and token], the mean state at the end of the warm-up.
        lanes: the lanes that have a place of their own, in the order of `anchors`.
        anchors: [lane, axis] their places; none where the plane is that of PCA.
        kind: `star` of three or more answers; `line` through two, or from the start to one, with the first component of
            what is left across it; `pca` of two components.
        shear: largest over smallest singular value of M.
        share: of the variance of the states from the end of the warm-up on.
    """

    xy: NDArray[np.float32]
    M: NDArray[np.float32]
    mu: NDArray[np.float32]
    lanes: tuple[int, ...]
    anchors: NDArray[np.float64]
    kind: Literal["star", "line", "pca"]
    shear: float
    share: float


def answer_map(states: NDArray[np.float32], onehot: NDArray[np.float32], found: Families, start: int) -> AnswerMap:
    """The map of states [trajectory, step, cell and token].

    Args:
        states: token probabilities (or one-hot tokens) of the open cells.
        onehot: the leaders of the lanes of `found` [lane, cell and token].
        start: the end of the warm-up; only states from there on fit the plane.
    """
    mu = states[:, start].mean(0)
    late = states[:, start:].reshape(-1, states.shape[-1])
    late = late - late.mean(0)
    total = float(np.einsum("sf,sf->", late, late))
    lanes = [k for k, size in enumerate(found.size) if size >= _FEWEST or len(found.size) == 1]
    anchors, shear = np.zeros((0, 2)), 1.0  # axes at right angles with one scale are not sheared
    kind: Literal["star", "line", "pca"] = "pca"
    arms = onehot[lanes] - mu
    if lanes and float((arms**2).sum()) > 1e-6:
        places = _polygon(arms) if len(lanes) > 2 else np.array([[-1.0, 0], [1, 0]])[-len(lanes) :]
        M = _through(arms, places, late)
        shear = _shear(M) if len(lanes) > 2 else 1.0
        if shear <= SHEAR:
            anchors, kind = places, "star" if len(lanes) > 2 else "line"
    if kind == "pca":
        lanes, M, shear = [], _components(late, 2), 1.0
        reach = float(np.abs(late @ M.T).max())
        M = M / reach if reach > 0 else M
    _, extent, basis = np.linalg.svd(M, full_matrices=False)
    basis = basis[extent > 1e-9]
    seen = float(((late @ basis.T) ** 2).sum())
    xy = (states - mu) @ M.T
    return AnswerMap(xy, M, mu, tuple(lanes), anchors, kind, shear, seen / total if total > 0 else 0.0)


def _through(arms: NDArray[np.float32], places: NDArray[np.float64], late: NDArray[np.float32]) -> NDArray[np.float32]:
    """M that takes each arm [lane, feature] near its place [lane, axis] (ridge regression). One or two arms span a line
    alone: across it, at the same scale, the first component of what is left."""
    gram = arms @ arms.T
    ridge = _RIDGE * np.trace(gram) / len(arms) * np.eye(len(arms))
    M = places.T @ np.linalg.solve(gram + ridge, arms)
    if len(arms) < 3:
        span = np.linalg.qr(arms.T)[0]
        M[1] = _components(late - (late @ span) @ span.T, 1)[0] * np.linalg.norm(M[0])
    return M.astype(np.float32)


def _polygon(arms: NDArray[np.float32]) -> NDArray[np.float64]:
    """Places [lane, axis] on a regular polygon from the top on, clockwise along the shortest tour of the arms."""
    count = len(arms)
    apart = np.abs(arms[:, None] - arms[None]).sum(-1)
    tours = np.array([(0, *rest) for rest in permutations(range(1, count)) if rest[0] < rest[-1]])
    tour = tours[apart[tours, np.roll(tours, -1, 1)].sum(1).argmin()]
    angle = np.empty(count)
    angle[tour] = np.pi / 2 - 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def _components(rows: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Leading principal components [component, feature] of centered rows, largest loading positive; 0 where there is
    none. Subspace iteration from a fixed start (Halko, Martinsson & Tropp 2011)."""
    found = np.zeros((count, rows.shape[1]), np.float32)
    if not np.abs(rows).max(initial=0) > 1e-6:
        return found
    width = min(count + 6, *rows.shape)
    start = np.random.default_rng(0).standard_normal((rows.shape[1], width)).astype(np.float32)
    basis = np.linalg.qr(start)[0]
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(rows.T @ (rows @ basis))[0]
    seen = rows @ basis
    values, vectors = np.linalg.eigh(seen.T @ seen)
    for k in range(min(count, width)):
        if values[-1 - k] > 1e-7 * values[-1]:
            found[k] = upright(basis @ vectors[:, -1 - k])
    return found


def _shear(M: NDArray[np.float32]) -> float:
    """Largest over smallest singular value; infinite where all answers fall into one line."""
    large, small = np.linalg.svd(M, compute_uv=False)
    return float(large / small) if small > 1e-6 * large else np.inf
