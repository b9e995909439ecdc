"""A row of a table of results: what is measured of an artifact, on which data, at which cost, by which command."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gram.checkpoint import Checkpoint
from gram.config import InferenceConfig
from gram.evaluation import fidelity
from gram.evaluation.evaluate import grid
from gram.evaluation.generate import generate
from gram.evaluation.metrics import entry
from gram.inference.noise import SamplingNoise
from gram.models import Model
from gram.release.tables import Pass
from gram.tasks import Task

SAMPLES = 2_000  # of a generator, where nobody says how many


def cells(opened: Checkpoint, one: Pass, quick: bool = False) -> list[dict[str, Any]]:
    """The metrics of a checkpoint at the cells of a pass, as `gram.grid` or `gram.generate` give them, with seed 0."""
    limit = (one.quick if quick else one.limit) or None
    depths = one.depths or (opened.config.inference.supervision_steps,)
    if opened.task.blank_puzzle is None:
        found = grid(
            opened, depths=depths, trajectories=one.trajectories, halting=one.halting, limit=limit, per_puzzle=True,
            progress=False,
        )  # fmt: skip
        return [{**cell, "limit": limit} for cell in found["cells"]]
    opened.task.puzzles("test")  # without the data nobody would know what the samples are worth
    made = []
    for steps in depths:
        with tempfile.TemporaryDirectory() as folder:
            metrics = generate(opened, Path(folder), limit or SAMPLES, supervision_steps=steps, progress=False)
        made.append({name: value for name, value in metrics.items() if name not in ("folder", "checkpoint")})
    return made


def stored(results: dict[str, Any], one: Pass) -> list[dict[str, Any]]:
    """The cells of a pass among the results of `gram export`; empty if they were measured otherwise."""
    generated = results.get("generated", [])
    steps = one.depths or tuple(cell["supervision_steps"] for cell in generated)
    found = [
        cell for cell in generated
        if cell["samples"] == (one.limit or SAMPLES) and cell["supervision_steps"] in steps
    ]  # fmt: skip
    answered = results.get("by_seed", [])[:1] if one.single else results.get("grid", [])
    return found + [
        cell for cell in answered
        if "intervals" in cell
        and cell["trajectories"] in one.trajectories
        and cell["supervision_steps"] in (one.depths or (cell["supervision_steps"],))
        and cell.get("limit") == (one.limit or None)
        and one.halting in (None, cell["halting"])
    ]  # fmt: skip


def metrics(cell: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The metrics of a cell by the names that tables use: `value` and `interval` of each."""
    found = {}
    if "samples" in cell:
        for name in ("valid", "distinct", "copies", "held_out"):
            if name in cell:
                found[name.replace("_", " ")] = dict(cell[name])
        for name in (fidelity.IS, fidelity.FID):
            if "fidelity" in cell:
                value, side = cell["fidelity"][name]["value"], cell["fidelity"][name]["plus_minus"]
                found[name] = {"value": value, "interval": [value - side, value + side]}
        return found
    paths = {name: share(name) for name in ("accuracy", "coverage", *(f"best by {name}" for name in cell["best_of_n"]))}
    for name, path in paths.items():
        found[name] = {"value": entry(cell, *path), "interval": entry(cell["intervals"], *path)}
    found |= {f"{name} as answer": each for name, each in cell.get("without_learning", {}).items()}
    everywhere = cell["all_inputs"]  # Table 1's conflicts are of all test graphs
    if "conflicts" in everywhere:
        found["conflicts"] = {"value": everywhere["conflicts"], "interval": everywhere["intervals"]["conflicts"]}
    return found


def share(metric: str) -> tuple[str, ...]:
    """Where a share stands in an evaluation, by its name in tables."""
    kind, _, selector = metric.partition(" by ")
    return ("best_of_n", selector) if kind == "best" else (metric,)


def by_rating(cell: dict[str, Any]) -> dict[str, Any]:
    """The metrics of the inputs of each rating, and how many these are."""
    groups = cell["all_inputs"].get("by_rating", [])
    return {
        group["rating"]: {"inputs": group["inputs"], "metrics": metrics(group | {"all_inputs": group})}
        for group in groups
    }


def command(name: str, cell: dict[str, Any], one: Pass) -> str:
    """The command that prints a cell."""
    if "samples" in cell:
        return f"gram generate {name} -n {cell['samples']} --steps {cell['supervision_steps']}"
    limit = f" --limit {cell['limit']}" if cell.get("limit") else ""
    halting = {None: "", True: " --halting", False: " --no-halting"}[one.halting]
    depths = f" --depths {listed(one.depths)}" if one.depths else ""
    return f"gram evaluate {name} --trajectories {listed(one.trajectories)}{depths}{halting} --seed 0{limit}"


def calls(model: Model, config: InferenceConfig, cell: dict[str, Any]) -> dict[str, float]:
    """Network calls as `gram.evaluation.evaluate` counts them: of one trajectory, and of all of one input.

    A deterministic model runs one trajectory, however many it counts for.
    """
    steps = cell.get("mean_halt_step", cell["supervision_steps"])
    trajectory = steps * model.high_steps * model.blocks_per_transition
    noise = SamplingNoise(config.noise, config.perturb, config.random_start, config.temperature)
    return {
        "trajectory": trajectory,
        "all": trajectory * (cell.get("trajectories", 1) if noise.is_stochastic(model) else 1),
    }


def data(task: Task) -> dict[str, Any]:
    """Which held-out data: name, number of inputs (of a generator: of answers), sha256 of inputs and solutions."""
    held_out = task.puzzles("test")
    count = len(held_out) if task.blank_puzzle is None else int(held_out.counts.sum())
    return {"name": task.data_name, "held_out": count, "sha256": held_out.digest}


def listed(numbers: Sequence[int]) -> str:
    """Whole numbers as the command line takes them."""
    return ",".join(map(str, numbers))
