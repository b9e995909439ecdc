"""Turning finished runs into an artifact: weights, figures, and a card on which every figure has a command.

`gram export RUN -o artifacts/NAME` evaluates the run as the tables of results that list NAME ask for
(`gram.release.tables`), writes the figures as `results.json`, and the card from them. Nothing on a card is typed by
hand (`gram.release.card`).
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gram import checkpoint as store
from gram import compute, run_folder
from gram.bounded import nameable
from gram.config import RunConfig
from gram.inference.request import sampling_noise
from gram.provenance import commit
from gram.release import tables
from gram.release.card import card, generator_card
from gram.release.measure import cells, command
from gram.release.tables import Pass

GRID_PUZZLES = 64  # held-out inputs on which depth without halting is measured: it costs four times a run with it


def export(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    also: Sequence[str | os.PathLike[str]] = (),
    weights: bool = True,
    limit: int = 0,
    note: str = "",
) -> Path:
    """Write the artifact of a finished run and return its folder.

    Args:
        run: folder of the run, with all its optimizer steps done; or an artifact, which is measured anew.
        out: folder of the artifact; made if absent.
        also: runs of the same configuration with other seeds, whose metrics stand beside those of the first.
        weights: whether they are included; if not, the artifact is its metrics and its card.
        limit: where no table of results lists the artifact, measure on only N held-out inputs, evenly chosen, or by N
            samples of a generator; 0: all, or 2,000.
        note: sentences for the card that figures cannot say, e.g. what else ran on the machine.
    Raises:
        CheckpointError: a run is unfinished, damaged, or of another configuration, or `out` cannot be written, or holds
            something else.
    """
    if not os.fspath(out).strip():
        raise store.CheckpointError("the folder of the artifact is ''; give one with -o, e.g. artifacts/nqueens8-gram")
    first, *others = runs = [_finished(one) for one in (run, *also)]
    out = Path(out)
    _free(out, first)
    for one in others:
        if replace(one.config, seed=first.config.seed) != first.config:
            raise store.CheckpointError(
                f"{one.path} differs from {first.path} in more than its seed; `also` takes runs of one configuration"
            )
    if len({one.config.seed for one in runs}) < len(runs):
        raise store.CheckpointError(
            f"the runs have seeds {', '.join(str(one.config.seed) for one in runs)}; give each training seed once"
        )
    old = results_of(first)
    if len(old.get("by_seed", [])) > len(runs):
        raise store.CheckpointError(
            f"{first.path} has figures of {len(old['by_seed'])} training seeds and weights of one; "
            "export the runs, with `also`"
        )
    results = {
        "name": out.name,
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "sha256": first.digest,
        "weights": weights,
        "parameters": sum(weight.numel() for weight in first.model.parameters()),
        "training": old.get("training") or _training(first),
        "note": note or old.get("note", ""),
    }
    generates = first.task.blank_puzzle is not None
    passes = tables.load().passes(out.name)
    if generates and others:
        raise store.CheckpointError(f"{first.path} generates; its samples are measured of one run, so leave `also` out")
    if generates:
        results["generated"] = _generated(first, passes, limit)
    else:
        results |= _answered(runs, out.name, passes, limit)
    out.mkdir(parents=True, exist_ok=True)
    if out.resolve() != first.path.resolve():
        for name in (store.CONFIG, store.METRICS):
            shutil.copyfile(first.path / name, out / name)
        if weights:
            store.save_weights(out, first.model, first.step)
    if not weights:
        (out / store.WEIGHTS).unlink(missing_ok=True)
    store.write_atomic(out / store.RESULTS, json.dumps(results) + "\n")
    store.write_atomic(out / store.CARD, (generator_card if generates else card)(first, results))
    return out


def _free(out: Path, run: store.Checkpoint) -> None:
    """Refuse a place that cannot be written, or holds anything but this run or an artifact of its task and model."""
    absent = not out.exists()
    try:
        nameable(out).mkdir(parents=True, exist_ok=True)
        held = sorted(one.name for one in out.iterdir())
        store.write_atomic(out / f".{store.RESULTS}.try", "")
        (out / f".{store.RESULTS}.try").unlink()
        if absent:
            out.rmdir()  # until there is something to write
    except OSError as error:
        raise store.CheckpointError(
            f"{out} cannot be written ({error.strerror}); give a folder that can, with -o"
        ) from error
    if not held or out.resolve() == run.path.resolve():
        return
    try:
        there = RunConfig.from_json((out / store.CONFIG).read_text())
    except (OSError, ValueError):
        there = None
    alike = there and (there.task, there.to_dict()["model"]["kind"]) == (run.config.task, run.model.name)
    if not alike or store.RESULTS not in held:
        what = f"a model of {there.to_dict()['task']['kind']}" if there else f"what is no artifact ({held[0]})"
        raise store.CheckpointError(f"{out} holds {what}; give another folder with -o, or empty it")


def results_of(artifact: store.Checkpoint) -> dict[str, Any]:
    """What `export` wrote of an artifact; of a run nothing."""
    path = artifact.path / store.RESULTS
    return json.loads(path.read_text()) if path.is_file() else {}


def _finished(run: str | os.PathLike[str]) -> store.Checkpoint:
    opened = store.load(run)
    steps = opened.config.train.all_steps
    if opened.step < steps:
        raise store.CheckpointError(
            f"{run} is at step {opened.step} of {steps}; finish it with `gram train`, then export it"
        )
    return opened


def _depths(opened: store.Checkpoint) -> tuple[int, ...]:
    """Supervision steps to measure at: as many as in training, twice and four times as many."""
    return tuple(opened.config.train.supervision_steps * factor for factor in (1, 2, 4))


def _answered(runs: list[store.Checkpoint], name: str, passes: list[Pass], limit: int) -> dict[str, Any]:
    """Metrics of a model that answers puzzles: the main ones of every run, those by depth and width of the first."""
    first = runs[0]
    main = next((one for one in passes if one.single), Pass(limit=limit))
    (most,) = main.trajectories
    widths = [width for width in (1, 5) if width < most and sampling_noise(first).is_stochastic(first.model)]
    default = Pass(trajectories=(*widths, most), depths=_depths(first), halting=False, limit=GRID_PUZZLES)
    several = [one for one in passes if not one.single] or [default]
    by_seed = []
    for opened in runs:
        (cell,) = cells(opened, main)
        by_seed.append({"training_seed": opened.config.seed, **cell, "command": command(name, cell, main)})
    for cell in by_seed[1:]:  # the rest of the card is of the first
        for part in (cell, cell["all_inputs"]):
            for groups in ("by_solutions", "by_rating"):
                part.pop(groups, None)
    found = [(cell, one) for one in several for cell in cells(first, one)]
    return {"by_seed": by_seed, "grid": [{**cell, "command": command(name, cell, one)} for cell, one in found]}


def _generated(opened: store.Checkpoint, passes: list[Pass], limit: int) -> list[dict[str, Any]]:
    """Metrics of a model that generates, by supervision steps, up to eight times those of training.

    One that writes, or draws once, has only its own number of steps.
    """
    once = opened.model.samples_tokens or opened.config.train.supervision_steps == 1
    depths = () if once else (*_depths(opened), 2 * _depths(opened)[-1])
    return [cell for one in passes or [Pass(depths=depths, limit=limit)] for cell in cells(opened, one)]


def machine() -> str:
    """The processor or accelerator, in words."""
    if compute.device().type == "cuda":
        return torch.cuda.get_device_name()
    cores = f"{os.cpu_count()} cores"
    features = "with quick bf16 products" if compute.quick_bf16("cpu") else "without quick bf16 products"
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        about = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    except OSError:
        about = {}
    if "model name" in about:  # under one name there are several generations, whose last bits differ
        generation = f"family {about.get('cpu family', '?')}, model {about.get('model', '?')}"
        return f"{cores} of {about['model name']} ({generation}, {features})"
    return f"{cores} of {platform.processor() or platform.machine()} ({features})"


def _training(run: store.Checkpoint) -> dict[str, Any]:
    """Of a run its steps, minutes, CPU minutes where the metrics have them, and the machine: this one."""
    last = (run_folder.lines(run.path) or [{"seconds": 0.0}])[-1]
    names = {"minutes": "seconds", "cpu_minutes": "cpu_seconds"}
    minutes = {name: round(float(last[seconds]) / 60, 1) for name, seconds in names.items() if seconds in last}
    return {"optimizer_steps": run.step, **minutes, "machine": machine(), "torch": torch.__version__}
