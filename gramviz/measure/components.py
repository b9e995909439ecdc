"""Principal components of the states that some series share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import ThreadpoolController

from gram.rollout import RolloutError, board_of, extras, need
from gramviz.measure.plain import STATE, each, full

BASES = ("h", "random")
COMPONENTS = 3
SEED = 0  # of the random plane
_CELL = re.compile(r"cell(0|[1-9][0-9]{0,5})")


@dataclass(frozen=True)
class Projection:
    """The states of some series in three principal components that they share.

    Attributes:
        basis: `h`, `random`, `cell40` for the position 40, or `extra.z` for a vector z beyond the schema.
        label: the basis in words.
        of: what the explained variance is of, in words.
        variance: share of the variance that each component explains [component]; of all states that fit it, of all
            trajectories given.
        series: per series `coordinates` [trajectory, step, component] and `outside` [trajectory, step], the share of a
            state's energy (squared distance to the mean) that the first two components do not show; `beyond`
            [trajectory, step], the share that all three do not show.
    """

    basis: str
    label: str
    of: str
    variance: xr.DataArray
    series: tuple[xr.Dataset, ...]

    @property
    def explained_2d(self) -> float:
        """Share of the variance that the first two components explain together."""
        return float(self.variance[:2].sum())

    @property
    def axis(self) -> str:
        """What an axis is called before its number: a random direction is no principal component."""
        return axis(self.basis)


def axis(basis: str) -> str:
    """What an axis of a basis is called before its number."""
    return "Direction" if basis == "random" else "PC"


def cell_of(basis: str) -> int | None:
    """The position whose h a basis `cell40` is of; None for every other basis."""
    found = _CELL.fullmatch(basis)
    return int(found[1]) if found else None


def _variable(basis: str) -> str:
    """The name of the variable that a basis is of."""
    return basis.removeprefix("extra.") if basis.startswith("extra.") else "h"


def planes(rollouts: Sequence[xr.Dataset], basis: str, share_h: bool = False) -> list[tuple[int, ...]]:
    """The sets of series (by index) that may share one plane of a basis.

    The h of two checkpoints are two unrelated spaces, so a distance in a joint plane of them means nothing: only series
    with the same recorded checkpoint share one, unless `share_h`. Series without `h` are left out.
    """
    _known_basis(basis)
    groups: dict[str, list[int]] = {}
    for i, data in enumerate(rollouts):
        name = _variable(basis)
        if name in data and (name == "h" or extras(data)[name] == "map"):
            checkpoint = str(data.attrs.get("checkpoint") or f"unknown, series {i}")
            groups.setdefault("" if share_h else checkpoint, []).append(i)
    return [tuple(group) for group in groups.values()]


def project(
    rollouts: Sequence[xr.Dataset], basis: str = "h", puzzle: int | Sequence[int] = 0, late: bool = False
) -> Projection:
    """Principal components of the states of one puzzle, fitted on the states of all trajectories of all series given.

    Args:
        rollouts: series that may share a plane; see `planes`.
        basis: `h` (positions and features flattened), `cell40` (h of the position 40 alone), `random` (h along three
            directions at right angles, drawn at random: what any plane would show, so that the others can be checked
            against it), or `extra.z`: a vector z beyond the schema, flattened.
        puzzle: index of the puzzle, one for all or one per series.
        late: fit the last third of the steps alone and only project the others, which move so far that they would else
            have the components for themselves. Maps are drawn so.

    Each component's largest loading is positive; those of `random` stand in the order in which they were drawn. States
    with a NaN or infinity are left out of the fit and stay NaN.

    Raises:
        RolloutError: `h` was not recorded, or the series have different numbers per state.
        ValueError: an unknown basis.
    """
    return projections(rollouts, (basis,), puzzle, late)[basis]


def projections(
    rollouts: Sequence[xr.Dataset], bases: Sequence[str] = BASES, puzzle: int | Sequence[int] = 0, late: bool = False
) -> dict[str, Projection]:
    """`project` for several bases, which read the states, which may be large, only once."""
    chosen = [data.isel(puzzle=p) for data, p in zip(rollouts, each(puzzle, rollouts), strict=True)]
    found = {}
    states: list[NDArray[np.floating]] = []
    trajectories_of_h: _Trajectories | None = None
    for basis in bases:
        _known_basis(basis)
        position, name = cell_of(basis), _variable(basis)
        if name == "h":
            states = states or [need(one, "h").transpose("trajectory", "step", *STATE).values for one in chosen]
        if name != "h":
            of = name
            trajectories = _Trajectories([full(one, name).values for one in chosen], late)
        elif position is None:
            trajectories = trajectories_of_h = trajectories_of_h or _Trajectories(states, late)
            of = "h"
        else:
            most = min(one.shape[2] for one in states) - 1
            if position > most:
                raise ValueError(f"there is no position {position}; choose 0 to {most}")
            trajectories = _Trajectories([one[:, :, position : position + 1] for one in states], late)
            of = f"h of {board_of(chosen[0]).place(position)}"
        with one_thread():
            shares, series = _principal(trajectories, np.random.default_rng(SEED) if basis == "random" else None)
        variance = xr.DataArray(shares, dims="component", name="variance")
        of += " in the last third of the steps" if late else ""
        found[basis] = Projection(basis, label(basis, chosen[0]), of, variance, series)
    return found


def label(basis: str, data: xr.Dataset) -> str:
    """A basis in words, its cell as the explorer writes it: "PCA of cell r4c6", in a graph "PCA of node n3"."""
    if basis == "random":
        return f"Random plane (seed {SEED})"
    position = cell_of(basis)
    if position is None:
        return f"PCA of {basis.removeprefix('extra.')}"
    board = board_of(data)
    if board.kind == "graph":
        return f"PCA of node n{position + 1}"
    return f"PCA of cell r{position // board.width + 1}c{position % board.width + 1}"


def late_from(steps: int) -> int:
    """The index from which on states fit a map: the last third."""
    return 2 * steps // 3


class _Trajectories:
    """The states of all trajectories around the mean of those that fit the components, as float32 rows.

    Only the fitting rows are kept, a third of a map's; the others are read again, one trajectory at a time, because one
    fits into the cache. States that are not finite are 0, so that they cannot poison a product.

    Attributes:
        fit: per trajectory [step, feature], from the first step on that fits the components.
        count: rows of these that are finite.
        shapes: (trajectories, steps) of each series.
    """

    def __init__(self, states: Sequence[NDArray[np.floating]], late: bool) -> None:
        sizes = sorted({int(np.prod(one.shape[2:])) for one in states})
        if len(sizes) > 1:
            raise RolloutError(
                f"these series have {' and '.join(map(str, sizes))} numbers per state and share no plane"
            )
        self.shapes = [(one.shape[0], one.shape[1]) for one in states]
        self.states, self.features = states, sizes[0]
        total, self.count = np.zeros(sizes[0]), 0
        first = [late_from(steps) if late else 0 for _, steps in self.shapes]
        # One block for all: it gets large memory pages, which a pass over 50 MB notices.
        block = np.empty(
            (sum(n * (t - skipped) for (n, t), skipped in zip(self.shapes, first, strict=True)), sizes[0]), np.float32
        )
        self.fit: list[NDArray[np.float32]] = []
        known, at = [], 0
        for one, skipped in zip(states, first, strict=True):
            for trajectory in one[:, skipped:]:
                rows = block[at : at + len(trajectory)]
                rows[:] = trajectory.reshape(len(trajectory), -1)
                at += len(trajectory)
                known.append(_finite(rows))
                total += rows.sum(0)
                self.count += int(known[-1].sum())
                self.fit.append(rows)
        self.center = (total / max(self.count, 1)).astype(np.float32)
        for rows, finite in zip(self.fit, known, strict=True):
            rows[finite] -= self.center

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        """Of each trajectory the rows [step, feature], and which are finite [step]."""
        for trajectory in chain.from_iterable(self.states):
            rows = trajectory.reshape(len(trajectory), -1).astype(np.float32)
            finite = _finite(rows)
            rows[finite] -= self.center
            yield rows, finite


def _finite(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which rows are finite; the others become 0."""
    finite = np.isfinite(rows.sum(1))
    rows[~finite] = 0
    return finite


def _principal(
    trajectories: _Trajectories, rng: np.random.Generator | None
) -> tuple[NDArray[np.float64], tuple[xr.Dataset, ...]]:
    """Explained variance [component], and per series coordinates and energy outside.

    With `rng` the directions are not the leading ones but random.
    """
    scatter = _Scatter(trajectories)
    values, loadings = scatter.along(rng) if rng else scatter.leading()
    places, outside, beyond = [], [], []
    for rows, finite in trajectories:
        place = rows @ loadings
        energy = np.einsum("tf,tf->t", rows, rows).astype(np.float64)
        left = energy[:, None] - (place.astype(np.float64) ** 2).cumsum(1)
        parts = np.divide(left, energy[:, None], out=np.zeros_like(left), where=energy[:, None] > 0).clip(0, 1)
        place, parts = np.where(finite[:, None], place, np.nan), np.where(finite[:, None], parts, np.nan)
        places.append(place.astype(np.float32))
        outside.append(parts[:, 1].astype(np.float32))
        beyond.append(parts[:, 2].astype(np.float32))
    series, at = [], 0
    for count, _ in trajectories.shapes:
        series.append(
            xr.Dataset(
                {
                    "coordinates": (("trajectory", "step", "component"), np.stack(places[at : at + count])),
                    "outside": (("trajectory", "step"), np.stack(outside[at : at + count])),
                    "beyond": (("trajectory", "step"), np.stack(beyond[at : at + count])),
                }
            )
        )
        at += count
    return (values / scatter.total if scatter.total > 0 else np.zeros(COMPONENTS)), tuple(series)


class _Scatter:
    """The scatter matrix of the rows of all trajectories that fit the components, as an operator on vectors.

    It is never formed: it acts trajectory by trajectory, so that each trajectory is read from memory once per product.
    Small problems are solved densely, large ones by Lanczos iteration from a fixed start (ARPACK; Lehoucq, Sorensen &
    Yang 1998): as exact as needed, and the same answer every time.
    """

    def __init__(self, trajectories: _Trajectories) -> None:
        self.rows, self.features, self.count = trajectories.fit, trajectories.features, trajectories.count
        self.total = float(sum(np.einsum("tf,tf->t", rows, rows).astype(np.float64).sum() for rows in self.rows))

    def product(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scatter matrix times a vector [feature]."""
        vector = vector.ravel()
        total = np.zeros(self.features, np.float32)
        for rows in self.rows:
            total += (rows @ vector) @ rows
        return total

    def along(self, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Scatter along directions at right angles, drawn uniformly among all such; and their loadings."""
        values, loadings = np.zeros(COMPONENTS), np.zeros((self.features, COMPONENTS), np.float32)
        count = min(COMPONENTS, self.features)
        drawn = np.linalg.qr(rng.standard_normal((self.features, COMPONENTS))[:, :count])[0]
        signs = np.sign(drawn[np.abs(drawn).argmax(0), np.arange(count)])
        loadings[:, :count] = drawn * signs
        if self.total > 0:
            for place in range(count):
                values[place] = loadings[:, place] @ self.product(loadings[:, place])
        return values, loadings

    def leading(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Scatter along the leading components [component] and loadings [feature, component]; 0 where there is none."""
        values, loadings = np.zeros(COMPONENTS), np.zeros((self.features, COMPONENTS), np.float32)
        if self.total <= 0:
            return values, loadings
        if min(self.count, self.features) <= 256:
            rows = np.concatenate(self.rows).astype(np.float64)
            if self.count < self.features:  # eigenvectors of the small Gram matrix, carried over
                found, vectors = np.linalg.eigh(rows @ rows.T)
                vectors = rows.T @ vectors[:, -COMPONENTS:]
            else:
                found, vectors = np.linalg.eigh(rows.T @ rows)
                vectors = vectors[:, -COMPONENTS:]
        else:
            operator = LinearOperator((self.features, self.features), matvec=self.product, dtype=np.float32)
            start = np.random.default_rng(0).uniform(-1, 1, (self.features,)).astype(np.float32)
            # Measured on 1650 x 8192: ncv 10 is quickest, and 1e-4 of an eigenvalue costs 2e-6 of the direction.
            found, vectors = eigsh(operator, COMPONENTS, v0=start, ncv=10, tol=1e-4)
        found = found[-COMPONENTS:]
        for place, i in enumerate(np.argsort(found)[::-1]):
            if found[i] > 1e-7 * self.total:  # below: rounding, whose direction would be random
                vector = vectors[:, i]
                values[place], loadings[:, place] = found[i], upright(vector) / np.linalg.norm(vector)
        return values, loadings


def upright(vector: NDArray[np.floating]) -> NDArray[np.floating]:
    """With its largest loading positive; of those within a thousandth of it the first, for those of paper and ink in a
    picture mirror each other, and rounding must not choose."""
    size = np.abs(vector)
    return vector * np.sign(vector[(size >= 0.999 * size.max()).argmax()])


@cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()  # looking the libraries up takes milliseconds: once


def one_thread() -> AbstractContextManager[object]:
    """One BLAS thread. The products are bound by memory (measured on two shared cores: 6 ms each, with two threads 14),
    and so the sums, hence the bytes of a payload, do not depend on the number of cores."""
    return _thread_pools().limit(limits=1, user_api="blas")


def _known_basis(basis: str) -> None:
    if basis not in BASES and cell_of(basis) is None and _variable(basis) == "h":
        raise ValueError(
            f"unknown basis {basis!r}; known: {', '.join(BASES)}, cell0, cell1, ... for one position, and extra.NAME "
            "for a vector beyond the schema"
        )
