"""The card of an artifact, written from its results alone: every number has a command, and none is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from gram.checkpoint import Checkpoint
from gram.evaluation import fidelity
from gram.evaluation.metrics import entry, shown, with_interval
from gram.evaluation.paper import published, table_1


def _generated(kind: str) -> str:
    """The paper's values for generators of a kind, with which ours cannot be compared number by number."""
    if kind == "sudoku_generation":
        valid = {row: 100 * values["valid"] for row, values in published("9", kind, 9).items()}
        return (
            "The paper (Table 9, 9 x 9, 100,000 boards, models of other sizes): valid "
            f"{valid['gram']:.2f} % by GRAM at 16 steps, D3PM\n"
            f"uniform {valid['d3pm uniform, big']:.2f} % (big) and {valid['d3pm uniform, small']:.2f} % (small), "
            f"D3PM absorbing {valid['d3pm absorbing, big']:.2f} % and {valid['d3pm absorbing, small']:.2f} %.\n"
        )
    if kind == "images":
        theirs = published("2", kind, 28)
        ours, trm = theirs["gram"], theirs["trm"]
        return (
            "The paper (Table 2, MNIST; its IS and FID are of an unnamed network, and compare with none of ours):\n"
            f"GRAM's IS {ours['is_8_steps']:.2f} to {ours['is_256_steps']:.2f} and FID {ours['fid_8_steps']:.2f} to "
            f"{ours['fid_256_steps']:.2f} from 8 to 256 steps; TRM's FID {trm['fid']:.2f}.\n"
        )
    return ""


def _shape(checkpoint: Checkpoint) -> str:
    """The size of a model, in words."""
    size, model = checkpoint.config.model.network, checkpoint.model
    mixing = {
        "attention": f"{size.heads} heads",
        "mlp": f"an MLP {size.mixing_hidden} wide over positions",
        "relations": "mixing along the board's relations" + ", all symbols alike" * size.shared,
    }[size.mixing]
    return (
        f"D = {size.features}, {mixing}, inner width {size.hidden}, {size.blocks} blocks, K = {model.low_steps}, "
        f"T = {model.high_steps}, N_sup = {checkpoint.config.train.supervision_steps} in training"
    )


def _course(checkpoint: Checkpoint, results: dict[str, Any]) -> str:
    """How long it was trained, on what, in words."""
    training = results["training"]
    cpu = f" ({training['cpu_minutes']} of CPU time)" if "cpu_minutes" in training else ""
    return (
        f"{training['optimizer_steps']:,} optimizer steps of {checkpoint.config.train.batch} learning rows, "
        f"{training['minutes']} minutes{cpu} on {training['machine']}, torch {training['torch']}, "
        f"seed {checkpoint.config.seed}."
    )


def card(checkpoint: Checkpoint, results: dict[str, Any]) -> str:
    """The card of an artifact as Markdown, written from its results alone."""
    config, seeds = checkpoint.config, results["by_seed"]
    first = seeds[0]
    kind, model = config.to_dict()["task"]["kind"], checkpoint.model
    size = config.model.network
    name = results["name"]
    source = checkpoint.task.source()
    shape, course = _shape(checkpoint), _course(checkpoint, results)
    note = f"\n{results['note']}\n" if results["note"] else ""
    cells = results["grid"]
    grid = dict.fromkeys(f"    {cell['command']}" for cell in cells)
    groups = _by(first, "solutions", "number of existing solutions")
    groups += _by(first, "rating", "rating (dead ends of a solver)")
    data = f"`gram/tasks/`, task `{kind}`, its settings in `config.json`{_digest(first)}"
    lines = (
        ", and knows the lines of the board from its position embedding"
        if checkpoint.task.board.kind == "grid" and size.positions == "lines"
        else ""
    )
    return f"""# {name}

{model.name.upper()} for {checkpoint.task.board.title}: {results["parameters"]:,} parameters ({shape}).

## Data

{source[0].upper()}{source[1:]} ({data}). Every number below is on
the held-out inputs; in brackets stand confidence intervals of 95 % over inputs (`gram/evaluation/intervals.py`).

## Training

    gram train {_overrides(checkpoint)}

{course} Settings: `config.json`; course: `metrics.jsonl`.
{note}
## Results

    {first["command"]}

{_setting(checkpoint, results)} {_weights(first)}

{_main(checkpoint, results)}
{_ceiling(checkpoint, first)}
A sample stops after {first["mean_halt_step"]:.1f} steps on average; {first["halted"]:.1%} stop by themselves.
{groups}{_reliability(first)}
By depth and width (seed 0, held-out {cells[0]["protocol"].removeprefix("all ")}):

{_lines(grid)}

{_grid(cells)}

## Limits

The paper's model has about 10 million parameters, D = 512 and batch 768 on eight GPUs. This one is sized for a laptop
and learns {checkpoint.task.board.title} only{lines}.{_protocol(first)}

{_weights_of(results)}
Made at commit `{results["commit"]}`.
"""


def generator_card(checkpoint: Checkpoint, results: dict[str, Any]) -> str:
    """The card of an artifact that generates from the blank puzzle, as Markdown, written from its results alone."""
    found, training, name = results["generated"], checkpoint.config.train, results["name"]
    first, source, model = found[0], checkpoint.task.source(), checkpoint.model
    kind = checkpoint.config.to_dict()["task"]["kind"]
    learned = "rows of a fresh batch" if model.samples_tokens else "learning rows"
    heads = ["steps", "valid", "distinct", "copies", "held out", "nearest training answer", "samples per second"]
    rows = []
    for each in found:
        shares = [
            with_interval(each[of]["value"], each[of]["interval"]) for of in ("valid", "distinct", "copies", "held_out")
        ]
        nearest = with_interval(each["nearest_training"]["value"], each["nearest_training"]["interval"])
        rows.append([each["supervision_steps"], *shares, nearest, f"{each['samples_per_second']:.1f}"])
    if "fidelity" in first:
        floor = first["fidelity"]["held_out"]
        for of in (fidelity.IS, fidelity.FID):
            heads.append(f"{of}; held-out pictures: {floor[of]:.2f}")
            for row, each in zip(rows, found, strict=True):
                row.append(f"{each['fidelity'][of]['value']:.2f} ± {each['fidelity'][of]['plus_minus']:.2f}")
    theirs = _generated(kind)
    note = f"\n{results['note']}\n" if results["note"] else ""
    return f"""# {name}

{model.name.upper()} that generates {checkpoint.task.board.title} unconditionally: {results["parameters"]:,} parameters.

## Data

{source[0].upper()}{source[1:]} (`gram/tasks/`, task `{kind}`, its settings in `config.json`{_digest(first)}).

## Training

    gram train {_overrides(checkpoint)}

{results["training"]["optimizer_steps"]:,} optimizer steps of {training.batch} {learned},
{results["training"]["minutes"]} minutes on {results["training"]["machine"]}, torch {results["training"]["torch"]},
seed {checkpoint.config.seed}. Settings: `config.json`; course: `metrics.jsonl`.
{note}
## Results

{_lines(f"    gram generate {name} -n {each['samples']} --steps {each['supervision_steps']}" for each in found)}

{first["samples"]:,} samples, seed {first["seed"]}, {first["precision"]} products, the standard deviation of the
sampling noise times {first["noise"]:g}; in brackets intervals of 95 %. `distinct` is the share that is the first of its
kind among these samples; `copies` equal a training answer, `held out` one that was held out; the distance to
the nearest training answer is in cells (of pictures: pixels).

{_lines([_row(heads), "|---" * len(heads) + "|", *map(_row, rows)])}

{theirs}
## Limits

The paper's model has about 10 million parameters, D = 512 and batch 768 on eight GPUs. This one is sized for a laptop.

{_weights_of(results)}
Made at commit `{results["commit"]}`.
"""


def _digest(metrics: dict[str, Any]) -> str:
    """The digest of the data that metrics rest on, in words; empty if they were stored without."""
    return f"; held out: sha256 `{metrics['data']['sha256'][:12]}`" if "data" in metrics else ""


def _weights_of(results: dict[str, Any]) -> str:
    """Which weights the metrics are of."""
    if results["weights"]:
        return f"Weights: `weights.safetensors`, sha256 of the tensors `{results['sha256']}`."
    return f"The weights are not included (sha256 of the tensors `{results['sha256']}`); the command above trains them."


def _setting(checkpoint: Checkpoint, results: dict[str, Any]) -> str:
    """How the main metrics were measured, in a sentence."""
    first, inference, seeds = results["by_seed"][0], checkpoint.config.inference, results["by_seed"]
    halting = f", stopping where the halting probability passes {inference.halt_above:g}" if first["halting"] else ""
    noise = f", the standard deviation of the guidance times {first['noise']:g}" if checkpoint.model.stochastic else ""
    noise += f", PTRM's noise {first['perturb']:g} on the latent" if first["perturb"] else ""
    noise += ", a random initial state" if first["random_start"] else ""
    noise += f", answers drawn at temperature {first['temperature']:g}" if first["temperature"] else ""
    runs = ""
    if len(seeds) > 1:
        trained = ", ".join(str(result["training_seed"]) for result in seeds)
        runs = f" One number for each of the training seeds {trained}, then their mean; the weights are of the first."
    return (
        f"{first['trajectories']} samples per input, at most {first['supervision_steps']} supervision steps{halting}"
        f"{noise}, {first['precision']} products; seed {first['seed']}.{runs}"
    )


def _main(checkpoint: Checkpoint, results: dict[str, Any]) -> str:
    """The table of the main metrics: those of each seed, the first with its interval, beside the paper's."""
    seeds = results["by_seed"]
    first, samples = seeds[0], seeds[0]["trajectories"]
    theirs = table_1(checkpoint.task).get(checkpoint.model.name)
    parts = {f"{first['protocol']} ({first['inputs']})": seeds}
    if first["protocol"] != "all inputs":
        everywhere = [result["all_inputs"] for result in seeds]
        parts[f"all held-out inputs ({everywhere[0]['inputs']})"] = everywhere
    heads, rows = ["", *parts], []
    for name in ("accuracy", "coverage"):
        rows.append([name, *(_each(part, name) for part in parts.values())])
    if "conflicts" in first:
        conflicts = (_each(part, "conflicts", digits=1) for part in parts.values())
        rows.append(["conflicts, of one sample of each input", *conflicts])
    for name in first["best_of_n"]:
        rows.append([f"best of {samples} by {name}", *(_each(part, "best_of_n", name) for part in parts.values())])
    for name in ("value", "halt"):
        cells = [part[0]["above_one_sample"][name] for part in parts.values()]
        above = [with_interval(cell["difference"], cell["interval"], "+") for cell in cells]
        rows.append([f"best of {samples} by {name} above one sample (paired; seed {first['seed']})", *above])
    if theirs:
        heads.append("paper (Table 1)")
        metrics = [row[0].partition(",")[0] for row in rows]
        rows = [[*row, f"{theirs[of]:.3g}" if of in theirs else ""] for row, of in zip(rows, metrics, strict=True)]
    return _lines([_row(heads), "|---" * len(heads) + "|", *map(_row, rows)])


def _weights(first: dict[str, Any]) -> str:
    if first["all_inputs"]["inputs"] == first["all_inputs"]["solutions"]:
        return "An answer is right if all of it is."
    return "`accuracy` and `coverage` weigh an input by its number of solutions."


def _each(part: list[dict[str, Any]], *path: str, digits: int = 3) -> str:
    """A metric of each training seed, the first with its interval, and their mean."""
    values = [entry(metrics, *path) for metrics in part]
    others = [f"{value:.{digits}f}" for value in values[1:]]
    mean = [f"mean {sum(values) / len(values):.{digits}f}"] if others else []
    return ", ".join([shown(part[0], *path, digits=digits), *others, *mean])


def _by(first: dict[str, Any], name: str, title: str) -> str:
    """The table of groups of inputs, or nothing where there is one group."""
    groups = first["all_inputs"].get(f"by_{name}", [])
    if len(groups) < 2:
        return ""
    rows = [
        _row([
            group[name], group["inputs"],
            *(shown(group, name) for name in ("accuracy", "coverage")),
            *(shown(group, "best_of_n", name) for name in ("value", "halt")),
        ])
        for group in groups
    ]  # fmt: skip
    best = f"best of {first['trajectories']} by value"
    return (
        f"\nBy {title} (seed {first['seed']}, all held-out inputs):\n\n"
        f"| {name} | inputs | accuracy | coverage | {best} | by halt |\n|---|---|---|---|---|---|\n{_lines(rows)}\n"
    )


def _reliability(first: dict[str, Any]) -> str:
    """A table for each head: of each bin of predictions the mean, the share of answers that are right, the count."""
    tables = []
    for name, found in first.get("reliability", {}).items():
        bins = found["bins"]
        rows = [
            ["mean prediction", *(f"{each['mean']:.3f}" for each in bins)],
            ["share right", *(f"{each['right']:.3f}" for each in bins)],
            ["answers", *(each["count"] for each in bins)],
        ]
        tables.append(
            f"\nReliability of the {name} head (seed {first['seed']}, all held-out inputs, 10 bins without the empty; "
            f"expected calibration error {found['expected_calibration_error']:.3f}):\n\n"
            f"{_row(rows[0])}\n{'|---' * len(rows[0])}|\n{_lines(map(_row, rows[1:]))}\n"
        )
    return "".join(tables)


def _grid(cells: list[dict[str, Any]]) -> str:
    """The table of depth and width."""
    first = cells[0]
    counts = {"supervision_steps": "supervision steps", "trajectories": "samples", "inputs": "inputs"}
    counts |= {"network_calls": "network calls"} if "network_calls" in first else {}
    paths = [("accuracy",), ("coverage",), *(("best_of_n", name) for name in first["best_of_n"])]
    heads = [*counts.values(), *(" by ".join(path).replace("best_of_n", "best") for path in paths)]
    rows = [[*(f"{cell[key]:.0f}" for key in counts), *(shown(cell, *path) for path in paths)] for cell in cells]
    return _lines([_row(heads), "|---" * len(heads) + "|", *map(_row, rows)])


def _ceiling(checkpoint: Checkpoint, first: dict[str, Any]) -> str:
    """What a model that gives one answer per input cannot pass."""
    if checkpoint.model.stochastic or first["inputs"] == first["solutions"]:
        return ""
    return (
        "\nThis model is deterministic: unless sampling noise is added, all its samples are one answer. On these\n"
        f"inputs one answer cannot pass coverage {first['ceiling']:.3f} ({first['inputs']} inputs / "
        f"{first['solutions']} solutions), whatever its accuracy.\n"
    )


def _protocol(first: dict[str, Any]) -> str:
    if first["protocol"] == "all inputs":
        return ""
    return (
        " The paper does\nnot state which inputs its table averages over; why we read it as those with several "
        "solutions, and where the settings\nof inference were chosen (on the training split): `docs/training.md`."
    )


def _row(cells: Iterable[Any]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _lines(rows: Iterable[str]) -> str:
    return "\n".join(rows)


def _overrides(checkpoint: Checkpoint) -> str:
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
