"""What this code computes, as digests: every artifact loaded, sampled, evaluated or generated from; small trainings.

    python tests/fingerprint.py print.json     # write it
    python tests/fingerprint.py a.json b.json  # compare two; exit 1 where they differ

Sizes are as small as they can be and still pass through every kind of model, task and loop. Digests hold for one kind
of processor and one version of torch (`machine`); `near` holds means that agree across machines to a few digits.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # `tests/gram` is no package to import
import numpy as np
import torch

import gram

TRAINED = ("debug", "debug-trm", "debug-hrm", "debug-vae", "debug-ar", "debug-mdlm", "debug-d3pm")
VARIANTS = {
    "debug-kl-per-step": ("debug", ("kl_target=0.15", "kl_per_step=true", "kl_target_init=0.4", "kl_weight_min=0.6")),
    "debug-one-pass": ("debug-trm", ("supervision_steps=1", "gradient_steps=0", "prior_steps=1")),
}
SCORED = ("accuracy", "coverage", "best_of_n", "distinct", "mean_halt_step", "halted")
PASSING = (
    "seconds",
    "cpu_seconds",
    "guidance_sigma",
    "guidance_mean",
    "samples_per_second",
    "folder",
    "checkpoint",
    "sha256",
    "data",
    "time",
    "rows_per_second",
)


def machine() -> str:
    """What decides the last bits: the processor and torch."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().split("\n\n")[0].splitlines() if info.is_file() else []
    about = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    processor = "/".join(about.get(key, "?") for key in ("vendor_id", "cpu family", "model", "stepping"))
    amx = " amx" if "amx_bf16" in about.get("flags", "") else ""
    return f"{platform.machine()} {processor} {torch.backends.cpu.get_cpu_capability()}{amx}, torch {torch.__version__}"


def digest(array: Any) -> str:
    """Of an array's numbers, dtype and shape."""
    array = np.ascontiguousarray(array)
    return hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).hexdigest()[:16]


def numbers(found: Any) -> Any:
    """Metrics without what differs from run to run."""
    if isinstance(found, Mapping):
        return {key: numbers(value) for key, value in found.items() if key not in PASSING}
    return [numbers(value) for value in found] if isinstance(found, list | tuple) else found


def text(found: Any) -> str:
    """Digest of plain data, by value and not by the order or names of keys."""

    def values(part: Any) -> Any:
        if isinstance(part, Mapping):
            return sorted((json.dumps(values(value)) for value in part.values()), key=str)
        return [values(item) for item in part] if isinstance(part, list) else part

    return hashlib.sha256(json.dumps(values(numbers(found))).encode()).hexdigest()[:16]


def of_rollout(rollout: Any) -> dict[str, Any]:
    return {name: digest(rollout[name].values) for name in sorted(rollout.data_vars)}


def of_artifact(name: str, tasks: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, float]]:
    """Digests, and means that hold on other machines; `tasks` of models seen before are not read again."""
    checkpoint = gram.load(name)
    task = ({} if tasks is None else tasks).setdefault(repr(checkpoint.task.config), checkpoint.task)
    checkpoint, model = replace(checkpoint, task=task), checkpoint.model
    weights = {key: digest(tensor.numpy()) for key, tensor in model.state_dict().items()}
    found: dict[str, Any] = {"weights": hashlib.sha256(json.dumps(sorted(weights.values())).encode()).hexdigest()[:16]}
    rollout = gram.sample(checkpoint, 0, trajectories=3, supervision_steps=2, seed=3, exact=True)
    found["rollout"] = of_rollout(rollout)
    near = {"probability": float((rollout["probability"].astype(np.float64) ** 2).mean())}
    if task.blank_puzzle is None:
        scored = gram.evaluate(checkpoint, trajectories=3, supervision_steps=2, seed=1, limit=3, exact=True)
        found["evaluate"] = text([[part[key] for key in SCORED] for part in (scored, scored["all_inputs"])])
        near["accuracy"] = scored["accuracy"]
    else:
        with tempfile.TemporaryDirectory() as folder:
            made = gram.generate(checkpoint, Path(folder), 5, supervision_steps=2, seed=1, exact=True)
            from safetensors.torch import load_file

            (part,) = Path(folder).glob("*.safetensors")
            found["generated"] = digest(load_file(part)["tokens"].numpy())
        found["generate"] = text([made[key]["value"] for key in ("valid", "distinct")])
    return found, near


def of_analysis(name: str) -> dict[str, Any]:
    """Likelihood, exponents, planes and a branch of one model of queens."""
    from gram.analysis.lyapunov import lyapunov
    from gram.analysis.plane import landscape, starts

    found = {}
    if gram.load(name).model.stochastic:
        bound = gram.bound(name, limit=2, samples=2, supervision_steps=2, exact=True)
        found["likelihood"] = text([bound[key] for key in ("elbo", "surrogate", "importance", "per_pair")])
    found["lyapunov"] = of_rollout(lyapunov(name, 0, trajectories=2, supervision_steps=2, exact=True))
    rollout = gram.sample(name, 1, trajectories=20, supervision_steps=4, record=gram.Record(l=True), exact=True)
    found["landscape"] = of_rollout(landscape(name, rollout, size=5))
    found["starts"] = of_rollout(starts(name, 0, size=3, supervision_steps=2, exact=True))
    found["rerun"] = of_rollout(gram.rerun(rollout, trajectory=0, step=4, trajectories=2, exact=True))
    return found


def of_training(preset: str, changes: tuple[str, ...]) -> dict[str, Any]:
    """Twenty optimizer steps of a small run."""
    config = gram.preset(preset).override(["train.steps=20", *(f"train.{change}" for change in changes)])
    with tempfile.TemporaryDirectory() as folder:
        path = gram.train(config, Path(folder) / "run", quiet=True)
        weights = sorted(digest(value.numpy()) for value in gram.load(path).model.state_dict().values())
        lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return {"weights": text(weights), "metrics": text(lines)}


def fingerprint(names: list[str] | None = None) -> dict[str, Any]:
    """All of it; artifacts whose data are not here are left out."""
    torch.set_num_threads(1)
    artifacts, near, tasks = {}, {}, {}
    for name in names or gram.names():
        artifacts[name], near[name] = of_artifact(name, tasks)
    return {
        "machine": machine(),
        "artifacts": artifacts,
        "near": near,
        "analysis": {name: of_analysis(name) for name in ("nqueens8-gram-dense", "nqueens8-trm-dense")},
        "training": {preset: of_training(preset, ()) for preset in TRAINED}
        | {name: of_training(*what) for name, what in VARIANTS.items()},
    }


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two fingerprints differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return [
            line
            for key in sorted(one.keys() | other.keys())
            for line in differences(one.get(key), other.get(key), f"{place}/{key}")
        ]
    return [] if one == other else [f"{place}: {one} != {other}"]


def main() -> None:
    first, *second = map(Path, sys.argv[1:])
    if not second:
        first.write_text(json.dumps(fingerprint(), indent=1, sort_keys=True) + "\n")
        return
    found = differences(json.loads(first.read_text()), json.loads(second[0].read_text()))
    print("\n".join(found) or "equal")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
