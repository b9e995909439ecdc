"""What a notebook needs around its cells: its sizes and puzzles, its parameters checked and shown, and its footer."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gram.bounded import nameable
from gram.rollout import board_of, digest, save
from gramviz.reports.blocks.block import Block, table
from gramviz.reports.provenance import PROVENANCE, device, environment, provenance_html

# `scale` picks sizes from this one table; it never decides which cell runs. (trajectories, supervision steps, puzzles)
SCALES = {"debug": (4, 3, 3), "lesson": (50, 16, 20), "full": (50, 32, 200)}


KEEP = "GRAMVIZ_ROLLOUTS"  # names a folder in which a report keeps the rollouts that its notebook shows


@dataclass(frozen=True)
class Size:
    """How much a notebook does at a scale."""

    trajectories: int
    supervision_steps: int
    puzzles: int


def size(scale: str) -> Size:
    """The sizes of a scale.

    Raises:
        ValueError: unknown scale; the message lists the known ones.
    """
    if scale not in SCALES:
        raise ValueError(f"unknown scale {scale!r}; known: {', '.join(SCALES)}")
    return Size(*SCALES[scale])


def banner(scale: str) -> Block:
    """Says that the numbers of a debug run mean nothing; empty at other scales."""
    if scale != "debug":
        return Block("", "")
    text = "Debug run: models and sizes are tiny, and the numbers mean nothing."
    return Block(f"<p role='note' class='gram-headline'><strong>{text}</strong></p>", text)


def held_out(known: ArrayLike, least: int = 2, up_to: int = 0, limit: int = 0) -> NDArray[np.int64]:
    """Indices of the puzzles with `least` solutions or more (of all, if none has), at most `limit`, evenly chosen.

    Args:
        known: solutions that exist [puzzle].
        up_to: leave out puzzles with more solutions than this; 0 leaves none out.
        limit: 0 keeps all.
    Raises:
        ValueError: `limit` is negative.
    """
    if limit < 0:
        raise ValueError(f"limit is {limit}; it must be at least 1, or 0 for all")
    counts = np.asarray(known)
    fits = (counts >= least) & ((counts <= up_to) | (up_to == 0))
    chosen = np.flatnonzero(fits) if fits.any() else np.arange(len(counts))
    if 0 < limit < len(chosen):
        chosen = chosen[np.linspace(0, len(chosen) - 1, limit).round().astype(int)]
    return chosen


def at_least(least: int, **values: int) -> None:
    """Nothing, if every value is large enough.

    Raises:
        ValueError: names the first parameter that is too small.
    """
    for name, value in values.items():
        if value < least:
            raise ValueError(f"{name} is {value}; it must be at least {least}")


def comparable(first: Any, second: Any) -> None:
    """Nothing, if two checkpoints were made for the same puzzles (their `config.task` are equal).

    Raises:
        ValueError: they were not; a difference between them would mean nothing.
    """
    if first.config.task != second.config.task:
        raise ValueError(
            f"{first.name} and {second.name} were made for different puzzles ({first.config.task} and "
            f"{second.config.task}); choose a reference of the same task, or none with -p reference="
        )


def unconditional(model: Any, other: str) -> None:
    """Nothing, if a checkpoint answers a blank puzzle.

    Raises:
        ValueError: it completes puzzles; the message names the `other` notebook, which judges that.
    """
    if model.task.blank_puzzle is None:
        raise ValueError(f"{model.name} completes {model.task.board.title} and generates nothing; take {other}")


def settings(**values: Any) -> Block:
    """The parameters of this run as a table of names and values."""
    rows = [[name.replace("_", " "), str(value) if value != "" else "(none)"] for name, value in values.items()]
    return Block(table(["Parameter", "Value"], rows, ""), "\n".join(" = ".join(row) for row in rows))


def footer(*rollouts: xr.Dataset, **more: Any) -> Block:
    """The provenance footer of a notebook: what ran, on which checkpoints and rollouts; `gramviz report` adds the rest.

    Args:
        more: anything else that the result depends on, such as `seed` or `scale`; JSON types.
    """
    named = [(str(rollout.attrs.get("name", rollout.attrs["model"])), rollout) for rollout in rollouts]
    shown = {digest(rollout): (name, rollout) for name, rollout in named}
    record: dict[str, Any] = {
        **more,
        "checkpoints": {name: str(rollout.attrs.get("checkpoint", "unknown")) for name, rollout in named},
        "rollouts": [
            {
                "name": name,
                "board": board_of(rollout).title,
                "seed": int(rollout.attrs["seed"]),
                "sha256": sha,
                **_kept(rollout, name, sha),
            }
            for sha, (name, rollout) in shown.items()
        ],
        **device(),
    }
    live = environment() | record
    return Block(provenance_html(live), json.dumps(live, indent=2, sort_keys=True), {PROVENANCE: record})


def _kept(rollout: xr.Dataset, name: str, sha: str) -> dict[str, str]:
    """Where a report keeps the rollout, relative to its page; nowhere in a notebook that nobody reports on."""
    if not os.environ.get(KEEP):
        return {}
    folder = Path(os.environ[KEEP])
    nameable(folder).mkdir(parents=True, exist_ok=True)
    file = folder / f"{re.sub(r'[^A-Za-z0-9_@-]+', '-', name)}-{sha[:8]}.nc"
    save(rollout, file)
    return {"file": f"{folder.name}/{file.name}"}
