"""Turning a finished run into an artifact: its weights, its figures, and a card on which every figure has a command.

`gram export RUN -o artifacts/NAME` evaluates the run, writes the figures as `results.json`, and the card from them.
Nothing on a card is typed by hand (`gram.release.card`).
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch

from gram import checkpoint as store
from gram import compute
from gram.evaluation.evaluate import evaluate, grid
from gram.evaluation.generate import generate
from gram.inference.request import sampling_noise
from gram.provenance import commit
from gram.release.card import card, generator_card

RESULTS, CARD = "results.json", "README.md"
GRID_PUZZLES = 64  # held-out inputs on which depth without halting is measured: it costs four times a run with it


def export(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    seeds: int = 3,
    trajectories: int = 20,
    limit: int | None = None,
    samples: int = 2_000,
    note: str = "",
) -> Path:
    """Write the artifact of a finished run and return its folder.

    Args:
        run: folder of the run, with all its optimizer steps done.
        out: folder of the artifact; made if absent.
        seeds: the figures are measured with seeds 0 to seeds - 1.
        limit: measure on only this many held-out inputs, evenly chosen; the card says so. None: on all.
        samples: what a model that generates from the blank puzzle is measured by, instead of the three above.
        note: sentences for the card that figures cannot say, e.g. what else ran on the machine.
    Raises:
        CheckpointError: the run is unfinished, damaged, or `out` cannot be written.
    """
    opened, out = store.load(run), Path(out)
    settings = opened.config.train
    if opened.step < settings.all_steps:
        raise store.CheckpointError(
            f"{run} is at step {opened.step} of {settings.all_steps}; finish it with `gram train`, then export it"
        )
    results = {
        "name": out.name,
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "sha256": opened.digest,
        "parameters": sum(weight.numel() for weight in opened.model.parameters()),
        "training": {"optimizer_steps": opened.step, **_minutes(opened)},
        "note": note,
    }
    generates = opened.task.blank_puzzle is not None
    if generates:
        results["generated"] = _generated(opened, samples)
    else:
        results |= _answered(opened, seeds, trajectories, limit)
    out.mkdir(parents=True, exist_ok=True)
    for name in (store.CONFIG, store.METRICS):
        shutil.copyfile(opened.path / name, out / name)
    store.save_weights(out, opened.model, opened.step)
    store.write_atomic(out / RESULTS, json.dumps(results, indent=1) + "\n")
    store.write_atomic(out / CARD, (generator_card if generates else card)(store.load(out), results))
    return out


def _depths(opened: store.Checkpoint) -> list[int]:
    """Supervision steps to measure at: as many as in training, twice and four times as many."""
    return [opened.config.train.supervision_steps * factor for factor in (1, 2, 4)]


def _answered(opened: store.Checkpoint, seeds: int, trajectories: int, limit: int | None) -> dict[str, Any]:
    """Metrics of a model that answers puzzles."""
    widths = [width for width in (1, 5) if width < trajectories and sampling_noise(opened).is_stochastic(opened.model)]
    without_halting = grid(
        opened,
        depths=_depths(opened),
        trajectories=[*widths, trajectories],
        halting=False,
        limit=GRID_PUZZLES,
        progress=False,
    )
    by_seed = [
        evaluate(opened, trajectories=trajectories, seed=seed, limit=limit, progress=False) for seed in range(seeds)
    ]
    return {"by_seed": by_seed, "grid": without_halting | {"puzzles": GRID_PUZZLES}, "puzzles": limit}


def _generated(opened: store.Checkpoint, samples: int) -> list[dict[str, Any]]:
    """Metrics of a model that generates, by supervision steps, up to eight times those of training.

    One that writes, or draws once, has only its own number of steps.
    """
    once = opened.model.samples_tokens or opened.config.train.supervision_steps == 1
    depths = [opened.config.inference.supervision_steps] if once else [*_depths(opened), 2 * _depths(opened)[-1]]
    opened.task.puzzles("test")  # a card without the data would not say what the samples are worth
    found = []
    for steps in depths:
        with tempfile.TemporaryDirectory() as folder:
            figures = generate(opened, Path(folder), samples, supervision_steps=steps)
        found.append({name: value for name, value in figures.items() if name not in ("folder", "checkpoint")})
    return found


def machine() -> str:
    """The processor or accelerator, in words."""
    if compute.device().type == "cuda":
        return torch.cuda.get_device_name()
    cores = f"{os.cpu_count()} cores"
    features = "with quick bf16 products" if compute.quick_bf16("cpu") else "without quick bf16 products"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{cores} of {line.partition(':')[2].strip()} ({features})"
    except OSError:
        pass
    return f"{cores} of {platform.processor() or platform.machine()} ({features})"


def _minutes(checkpoint: store.Checkpoint) -> dict[str, float]:
    """Of training, and of its CPU time where the metrics have it."""
    last = (store.metrics_of(checkpoint) or [{"seconds": 0.0}])[-1]
    names = {"minutes": "seconds", "cpu_minutes": "cpu_seconds"}
    return {name: round(float(last[seconds]) / 60, 1) for name, seconds in names.items() if seconds in last}
