"""The benchmark of own puzzles measures what it says."""

from __future__ import annotations

from pathlib import Path

from gram.bench.own import cost


def test_a_file_of_held_out_puzzles_is_sampled_beside_them(debug_checkpoint: Path) -> None:
    found = cost(str(debug_checkpoint), puzzles=3, supervision_steps=1, rounds=1)
    assert found["puzzles"] == 3
    assert 0 < found["ratio"] < 10
