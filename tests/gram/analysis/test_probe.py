"""A probe is what its parts are when each is asked for alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from gram.analysis.lyapunov import lyapunov
from gram.analysis.plane import landscape, starts
from gram.analysis.probe import probe
from gram.checkpoint import load
from gram.inference.sample import Record, sample

CHOSEN = {"supervision_steps": 3, "seed": 5, "noise": 0.5}


def test_it_holds_what_each_part_says_alone(debug_checkpoint: Path) -> None:
    found = probe(debug_checkpoint, 1, trajectories=4, points=7, start_points=3, **CHOSEN)
    model = load(debug_checkpoint)
    rollout = sample(model, 1, trajectories=4, record=Record(h=True), precision="float32", **CHOSEN)
    for one, other in (
        (found.rollout, rollout),
        (found.exponents, lyapunov(model, 1, trajectories=4, **CHOSEN)),
        (found.starts, starts(model, 1, size=3, **CHOSEN)),
    ):
        xr.testing.assert_equal(one, other)
    assert found.left_out == {}
    assert found.landscape is not None
    xr.testing.assert_equal(found.landscape, landscape(model, rollout, size=7))
    assert np.isfinite(found.landscape["loss"]).any()
