"""Synthetic rollouts for the tests of gramviz, each made once; a test that changes one takes a copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import synthetic
import xarray as xr
from threadpoolctl import threadpool_limits

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module", autouse=True)
def one_blas_thread() -> Iterator[None]:
    """LAPACK with one thread: its threads wait by spinning; a reference SVD took 5 s, not 0.1, on a busy machine."""
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of test vectors that Python and the page share."""
    return TESTS / "vectors"


@pytest.fixture(scope="session")
def gram() -> xr.Dataset:
    """8 queens, 50 trajectories, 33 states of 64 x 128 numbers: the size that the explorer is designed for."""
    return synthetic.queens()


@pytest.fixture(scope="session")
def trm() -> xr.Dataset:
    """One trajectory on the same puzzle, by another checkpoint."""
    return synthetic.queens(1, model="trm", checkpoint="synthetic-trm", seed=3, wrong=1.0)


@pytest.fixture(scope="session")
def small() -> xr.Dataset:
    """4x4 Sudoku, 6 trajectories, 13 states, two puzzles: quick."""
    return synthetic.sudoku(puzzles=2)


@pytest.fixture(scope="session")
def low() -> xr.Dataset:
    """4x4 Sudoku with every low-level update recorded."""
    return synthetic.sudoku(low_steps=3)


@pytest.fixture(scope="session", params=["queens", "sudoku 4x4", "sudoku 9x9", "graph", "colors", "image"])
def any_board(request: pytest.FixtureRequest) -> xr.Dataset:
    """One rollout of each kind of board."""
    make = {
        "queens": lambda: synthetic.queens(6, supervision_steps=4, features=8),
        "sudoku 4x4": synthetic.sudoku,
        "sudoku 9x9": lambda: synthetic.sudoku(box=3),
        "graph": synthetic.graph,
        "colors": synthetic.colors,
        "image": synthetic.image,
    }
    return make[request.param]()
