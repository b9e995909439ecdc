"""Turning a finished run into an artifact: its weights, its figures, and a card on which every figure has a command.

`gram ship RUN -o artifacts/NAME` evaluates the run, writes the figures as `results.json`, and the card from them.
Nothing on a card is typed by hand.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from pathlib import Path
from typing import Any

import torch

from gram import checkpoint as store
from gram import compute
from gram.evaluate import evaluate, score_depths
from gram.provenance import commit

RESULTS, CARD = "results.json", "README.md"
DEPTH_PUZZLES = 64  # held-out inputs on which depth without halting is measured: it costs four times a run with it
# Accuracy and coverage with 20 samples, Table 1 of arXiv 2605.19376.
PAPER = {
    ("nqueens", 8): {"trm": (0.668, 0.361), "gram": (0.997, 0.903)},
    ("nqueens", 10): {"trm": (0.175, 0.020), "gram": (0.897, 0.575)},
}


def ship(
    run: Path, out: Path, *, seeds: int = 3, trajectories: int = 20, puzzles: int | None = None, note: str = ""
) -> Path:
    """Write the artifact of a finished run and return its folder.

    Args:
        run: folder of the run, with all its optimizer steps done.
        out: folder of the artifact; made if absent.
        seeds: the figures are measured with seeds 0 to seeds - 1.
        puzzles: measure on only so many held-out inputs, evenly chosen; the card says so. None: on all.
        note: sentences for the card that figures cannot say, e.g. what else ran on the machine.
    Raises:
        CheckpointError: the run is unfinished, damaged, or `out` cannot be written.
    """
    opened = store.load(run)
    settings = opened.config.train
    if opened.step < settings.all_steps:
        raise store.CheckpointError(
            f"{run} stands at step {opened.step} of {settings.all_steps}; finish it with `gram train` before it ships"
        )
    trained = settings.supervision_steps
    depths = (trained, 2 * trained, 4 * trained)
    at_depth = score_depths(
        opened.model,
        opened.task,
        trajectories=trajectories,
        depths=depths,
        halting=False,
        seed=0,
        noise=opened.config.inference.noise,
        puzzles=DEPTH_PUZZLES,
    )
    by_seed = [evaluate(opened, trajectories=trajectories, seed=seed, puzzles=puzzles) for seed in range(seeds)]
    results = {
        "name": out.name,
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "sha256": opened.digest,
        "parameters": sum(weight.numel() for weight in opened.model.parameters()),
        "training": {"optimizer_steps": opened.step, "minutes": round(_minutes(opened), 1)},
        "by_seed": by_seed,
        "by_depth": at_depth,
        "puzzles": puzzles,
        "note": note,
    }
    out.mkdir(parents=True, exist_ok=True)
    for name in (store.CONFIG, store.METRICS):
        shutil.copyfile(opened.path / name, out / name)
    store.save_weights(out, opened.model, opened.step)
    store.write_atomic(out / RESULTS, json.dumps(results, indent=1) + "\n")
    store.write_atomic(out / CARD, card(store.load(out), results))
    return out


def card(checkpoint: store.Checkpoint, results: dict[str, Any]) -> str:
    """The card of an artifact as Markdown, written from its results alone."""
    config, seeds = checkpoint.config, results["by_seed"]
    first, training, inference = seeds[0], config.train, config.inference
    kind, model = config.to_dict()["task"]["kind"], checkpoint.model
    size = config.model.network
    name, samples = results["name"], first["trajectories"]
    source = checkpoint.task.source()
    published = PAPER.get((kind, getattr(config.task, "board_size", 0)), {}).get(model.name)
    rows = []
    for metric, position in (("accuracy", 0), ("coverage", 1)):
        theirs = f"{published[position]:.3f}" if published else "none"
        ours = ", ".join(f"{result[metric]:.3f}" for result in seeds)
        everywhere = ", ".join(f"{result['all_inputs'][metric]:.3f}" for result in seeds)
        rows.append(f"| {metric} | {ours} | {everywhere} | {theirs} |")
    for how in ("majority", "value", "oracle"):
        ours = ", ".join(f"{result['best_of_n'][how]:.3f}" for result in seeds)
        everywhere = ", ".join(f"{result['all_inputs']['best_of_n'][how]:.3f}" for result in seeds)
        rows.append(f"| best of {samples} by {how} | {ours} | {everywhere} | |")
    by_solutions = [
        f"| {row['solutions']} | {row['inputs']} | {row['accuracy']:.3f} | {row['coverage']:.3f} |"
        for row in first["all_inputs"]["by_solutions"]
    ]
    by_depth = [
        f"| {depth} | {row['accuracy']:.3f} | {row['coverage']:.3f} | {row['best_of_n']['value']:.3f} |"
        for depth, row in results["by_depth"].items()
    ]
    overrides = _overrides(checkpoint)
    ceiling = first["inputs"] / first["solutions"]
    deterministic = (
        f"\nThis model is deterministic: all its samples are one answer. On these inputs such a model cannot pass\n"
        f"coverage {ceiling:.3f} ({first['inputs']} inputs / {first['solutions']} solutions), whatever its accuracy.\n"
        if not model.stochastic
        else ""
    )
    note = f"\n{results['note']}\n" if results["note"] else ""
    shape = (
        f"D = {size.features}, {size.heads} heads, inner width {size.hidden}, {size.blocks} blocks, "
        f"K = {model.low_steps}, T = {model.high_steps}, N_sup = {training.supervision_steps} in training"
    )
    course = (
        f"{results['training']['optimizer_steps']:,} optimizer steps of {training.batch} learning rows, "
        f"{results['training']['minutes']} minutes on {results['machine']}, torch {results['torch']}, "
        f"seed {config.seed}."
    )
    halting = f", stopping where the halting head's belief passes {inference.halt_above:g}" if inference.halting else ""
    noise = f", the deviation of the guidance times {inference.noise:g}" if model.stochastic else ""
    setting = (
        f"{samples} samples per input, at most {inference.supervision_steps} supervision steps{halting}{noise}, "
        f"{first['precision']} products; "
        f"{'seed' if len(seeds) == 1 else 'one figure for each of the seeds'} "
        f"{', '.join(str(result['seed']) for result in seeds)}."
    )
    columns = (
        f"| | {first['protocol']} ({first['inputs']}) | all held-out inputs ({first['all_inputs']['inputs']}) | "
        "paper (Table 1) |"
    )
    some = f" --puzzles {results['puzzles']}" if results["puzzles"] else ""
    newline = "\n"
    return f"""# {name}

{model.name.upper()} for {checkpoint.task.board.title}: {results["parameters"]:,} parameters ({shape}).

## Data

{source[0].upper()}{source[1:]} (`gram/tasks/`, task `{kind}`, its settings in `config.json`). Every figure below is on
the held-out inputs.

## Training

    gram train {overrides}

{course} Settings: `config.json`; course: `metrics.jsonl`.
{note}
## Results

    gram evaluate {name} --trajectories {samples} --split test --seed 0{some} --json

{setting} `accuracy` and `coverage` weigh an input by its number of solutions.

{columns}
|---|---|---|---|
{newline.join(rows)}
{deterministic}
A sample stops after {first["mean_halt_step"]:.1f} steps on average; {first["halted"]:.1%} stop by themselves.

By number of existing solutions (seed 0, all held-out inputs):

| solutions | inputs | accuracy | coverage |
|---|---|---|---|
{newline.join(by_solutions)}

By depth without halting (seed 0, {DEPTH_PUZZLES} held-out inputs, of which those with several solutions count):

    gram evaluate {name} --supervision-steps DEPTH --no-halting --puzzles {DEPTH_PUZZLES}

| supervision steps | accuracy | coverage | best of {samples} by value |
|---|---|---|---|
{newline.join(by_depth)}

## Limits

The paper's model has about 10 million parameters, D = 512 and batch 768 on eight GPUs. This one is sized for a laptop,
learns {checkpoint.task.board.title} only, and knows the lines of the board from its position embedding. The paper does
not state which inputs its table averages over; why we read it as those with several solutions, and where the settings
of inference were chosen (on the training split): `docs/training.md`.

Weights: `weights.safetensors`, sha256 of the tensors `{results["sha256"]}`.
Made at commit `{results["commit"]}`.
"""


def machine() -> str:
    """The processor or accelerator, in words."""
    if compute.device().type == "cuda":
        return torch.cuda.get_device_name()
    cores = f"{os.cpu_count()} cores"
    features = "with AVX512-BF16" if compute.quick_bf16("cpu") else "without bf16 products"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{cores} of {line.partition(':')[2].strip()} ({features})"
    except OSError:
        pass
    return f"{cores} of {platform.processor() or platform.machine()} ({features})"


def _minutes(checkpoint: store.Checkpoint) -> float:
    lines = store.metrics_of(checkpoint)
    return float(lines[-1]["seconds"]) / 60 if lines else 0.0


def _overrides(checkpoint: store.Checkpoint) -> str:
    """The preset and the overrides that give this configuration again."""
    from gram.presets import PRESETS

    def flat(raw: dict[str, Any], where: str = "") -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in raw.items():
            found |= flat(value, f"{where}{name}.") if isinstance(value, dict) else {where + name: value}
        return found

    wanted = flat(checkpoint.config.to_dict())
    kinds = ("task.kind", "model.kind")
    offers = {
        name: flat(preset.to_dict())
        for name, preset in PRESETS.items()
        if all(flat(preset.to_dict())[kind] == wanted[kind] for kind in kinds)
    }
    apart = {name: [key for key in wanted if wanted[key] != offer[key]] for name, offer in offers.items()}
    nearest = min(apart, key=lambda name: len(apart[name]))
    return " ".join([nearest, *(f"{key}={json.dumps(wanted[key])}" for key in apart[nearest])])
