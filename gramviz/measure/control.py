"""Noise controls: what the same picture shows where there is nothing to see."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gram.rollout import need


def random_walk(data: xr.Dataset, seed: int = 0) -> xr.Dataset:
    """The rollout with its h replaced by random walks that make as many steps, each as long, from the same start.

    Every step is as long as the trajectory's own, in a direction drawn evenly among all directions: nothing of the
    model is left but how far it moves. A long walk in many dimensions shows about 6 / pi^2 = 61 % of its variance in
    its first principal component and 15 % in its second (Antognini & Sohl-Dickstein 2018), and draws elegant curves
    there: what a map of a model shows beyond this is the model's.

    Raises:
        RolloutError: h was not recorded.
    """
    h = need(data, "h").transpose("puzzle", "trajectory", "step", "position", "feature")
    rng = np.random.default_rng(seed)
    walk = np.empty(h.shape, np.float32)
    for index in np.ndindex(h.shape[:2]):
        trajectory = h.values[index].astype(np.float32)
        length = np.sqrt(((trajectory[1:] - trajectory[:-1]) ** 2).sum((1, 2), dtype=np.float64))
        step = rng.standard_normal(trajectory[1:].shape)
        step *= (length / np.sqrt((step**2).sum((1, 2))))[:, None, None]
        walk[index] = trajectory[0] + np.concatenate([np.zeros((1, *trajectory.shape[1:])), step.cumsum(0)])
    name = str(data.attrs.get("name") or data.attrs["model"])
    made = data.drop_vars("h").assign(h=(h.dims, walk)).assign_attrs(name=f"random walk as long as {name}")
    return made.assign_attrs(checkpoint=f"random walk, seed {seed}")  # its h is a space of its own
