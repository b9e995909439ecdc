"""The one loop: how large a batch is, who stands in it, and what `run` counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import gram
from gram import compute
from gram.checkpoint import Checkpoint
from gram.inference.chain import EXACT_ROWS, CarriedChain, Chain, Row, batch_size, batches, computing, quickest
from gram.inference.noise import AS_TRAINED
from gram.models.blocks import Block
from gram.models.folded import FoldedBlock


@pytest.fixture(scope="module")
def opened(debug_checkpoint: Path) -> Checkpoint:
    return gram.load(debug_checkpoint)


@pytest.mark.parametrize(("rows", "size", "exact"), [(1, 1, 32), (2, 2, 32), (5, 8, 32), (33, 64, 64), (200, 256, 256)])
def test_a_batch_has_as_many_rows_as_there_is_work(rows: int, size: int, exact: int) -> None:
    assert batch_size(rows, 256) == size
    assert batch_size(rows, 256, exact=True) == exact >= EXACT_ROWS
    assert batch_size(rows, 7, exact=True) <= 7


@pytest.mark.parametrize(
    ("precision", "rows", "bf16"),
    [
        ("auto", 1, False),
        ("auto", 1 << 20, True),
        ("auto", None, True),
        ("bfloat16", 1, True),
        ("float32", None, False),
    ],
)
def test_few_rows_are_in_float32(
    opened: Checkpoint, monkeypatch: pytest.MonkeyPatch, precision: str, rows: int | None, bf16: bool
) -> None:
    monkeypatch.setattr(compute, "quick_bf16", lambda kind: True)
    monkeypatch.setattr(compute, "device", lambda: torch.device("cpu"))
    with computing(opened.model, precision, rows):
        assert torch.is_autocast_enabled("cpu") == bf16


def test_float32_takes_the_folded_form_and_exact_results_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "device", lambda: torch.device("cpu"))
    model = gram.load("sudoku4-gram").model
    for precision, exact, form in (
        ("float32", False, FoldedBlock), ("float32", True, Block), ("bfloat16", False, Block),
    ):  # fmt: skip
        with computing(model, precision):
            (block,) = quickest(model, exact).f_low.blocks  # type: ignore[union-attr, misc]
            assert type(block) is form


def test_along_relations_bf16_pays_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "quick_bf16", lambda kind: True)
    monkeypatch.setattr(compute, "device", lambda: torch.device("cpu"))
    for name, least in (("nqueens8-gram", 16), ("nqueens8-gram-dense", 1)):  # 2^20 and 2^22 multiplications a row
        for rows in (1, 2, 4, 8, 16, 32):
            with computing(gram.load(name).model, "auto", rows):
                assert torch.is_autocast_enabled("cpu") == (rows >= least)


def test_rows_are_padded_by_the_last_one(opened: Checkpoint) -> None:
    puzzles = opened.task.puzzles("test")
    *_, last = batches(puzzles, [Row(n, (0, n, 0)) for n in range(11)], most=8)
    assert (len(last), last.count) == (4, 3)
    assert last.keys == [(0, 8, 0), (0, 9, 0), (0, 10, 0), (0, 10, 0)]
    np.testing.assert_array_equal(last.x, puzzles.x[[8, 9, 10, 10]])
    np.testing.assert_array_equal(last.y[0], puzzles.solutions[8][0])


def test_it_runs_to_the_end_of_a_supervision_step(opened: Checkpoint) -> None:
    (rows,) = batches(opened.task.puzzles("test"), [Row(0, (0, 0, 0))], most=8)
    with computing(opened.model, "float32"):
        chain = Chain(opened.model, rows)
        assert [chain.ends_supervision_step for _ in chain.run(2)] == [False, True, False, True]
        chain.done = 3
        assert len(list(chain.run(2))) == 1
        assert not list(chain.run(2))


def test_a_waiting_row_starts_anew_where_another_has_ended(opened: Checkpoint) -> None:
    puzzles, rows = opened.task.puzzles("test"), [Row(n, (0, n, 0)) for n in range(6)]
    with computing(opened.model, "float32"):
        chain = CarriedChain(opened.model, puzzles, rows, AS_TRAINED, most=4, exact=False)
        chain.supervise()
        first = chain.state.h.clone()
        chain.end(np.array([1]))
        assert chain.number.tolist() == [0, 4, 2, 3]
        alone = Chain(opened.model, next(batches(puzzles, rows[4:5], 1)))
        assert torch.equal(chain.state.h[1:2], alone.state.h)
        assert torch.equal(chain.state.h[[0, 2, 3]], first[[0, 2, 3]])
        chain.supervise()
        for _ in alone.run(1):
            pass
        torch.testing.assert_close(chain.state.h[1:2], alone.state.h)
        chain.end(np.array([0, 2]))  # one row waits for two places, so the batch keeps its size
        assert chain.number.tolist() == [5, 4, -1, 3]
        chain.end(np.array([0]))
        assert chain.number.tolist() == [4, 3]
        chain.end(np.array([0, 1]))
        assert not len(chain.busy)
