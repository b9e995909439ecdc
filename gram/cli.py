"""The `gram` command: train, sample, evaluate, export, results, show, list. Errors are one sentence, exit code 2."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from functools import partial
from mimetypes import MimeTypes
from pathlib import Path
from typing import Annotated, Any

import typer

from gram import atomic, bench_cli, command, data_cli
from gram.command import CheckpointName

app = typer.Typer(
    help="Train recursive reasoning models, sample their trajectories, and measure them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="--debug, anywhere on the line, shows the traceback of an error.",
)
app.add_typer(data_cli.app, name="data")
app.add_typer(bench_cli.app, name="bench")
PresetName = Annotated[str, typer.Argument(help="Name of a preset (see `gram list`), or a YAML file.")]
Seed = Annotated[int, typer.Option(help="Seed of the noise.")]
PuzzleFile = Annotated[
    Path | None,
    typer.Option(help="Own puzzles in any usual form (docs/data.md), or the name that `gram data add` gave them."),
]
Limit = Annotated[int | None, typer.Option(help="Only N puzzles, evenly chosen.")]
Exact = Annotated[bool, typer.Option("--exact", help="Equal to the bit whatever is computed along; few cost as many.")]
Noise = Annotated[
    float | None, typer.Option(help="Factor on the deviation of the guidance; default: the checkpoint's.")
]
Perturb = Annotated[
    float | None,
    typer.Option(help="PTRM: deviation of Gaussian noise on the latent before each supervision step, e.g. 0.3."),
]
RandomStart = Annotated[
    bool | None, typer.Option("--random-start/--stored-start", help="Draw the initial state of each trajectory.")
]
Temperature = Annotated[
    float | None, typer.Option(help="Draw answers from the softmax at this temperature; 0: the most probable.")
]


@app.command()
def train(
    preset: PresetName,
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="train.steps=200 ...")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder of the run; default runs/PRESET, of a file its name.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this many minutes; the run can resume.")] = None,
    quiet: Annotated[bool, typer.Option(help="No progress.")] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard events into the folder: tensorboard --logdir runs.")
    ] = False,
) -> None:
    """Train a preset or a configuration of your own; resume the run if it was stopped."""
    from gram.presets import find
    from gram.training.loop import train as run

    named = find(preset)
    folder = out or Path("runs") / named.name
    print(run(named.config.override(overrides or []), folder, minutes=minutes, quiet=quiet, tensorboard=tensorboard))


@app.command()
def metrics(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a checkpoint.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="CSV file; default: print it.")] = None,
) -> None:
    """Write what a run has measured so far as CSV: a column per metric, a row per report."""
    from gram.run_folder import csv_text, find

    text = csv_text(find(run) or run)
    print(text, end="") if out is None else atomic.write(out, text)


@app.command()
def show(
    preset: PresetName,
    other: Annotated[str | None, typer.Argument(help="Another: print only the difference.")] = None,
) -> None:
    """Print a configuration as YAML with the layer that set each value: `gram show NAME > mine.yaml` to edit it."""
    from gram.presets import find
    from gram.presets.show import difference, text

    print(text(find(preset)) if other is None else difference(find(preset), find(other)))


@app.command()
def sample(
    checkpoint: CheckpointName,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Rollout file; default NAME.nc.")] = None,
    puzzle: Annotated[list[int] | None, typer.Option(help="Index of a held-out puzzle; may be repeated.")] = None,
    board: Annotated[
        str | None, typer.Option(help="A puzzle as text, rows separated by /, e.g. Q.../..../..../....")
    ] = None,
    file: PuzzleFile = None,
    trajectories: Annotated[int, typer.Option(help="Trajectories per puzzle.")] = 50,
    supervision_steps: Annotated[
        int | None, typer.Option(help="Depth of each; default 16, or the checkpoint's if less.")
    ] = None,
    seed: Seed = 0,
    mode: Annotated[str, typer.Option(help="prior, or posterior (sees a solution).")] = "prior",
    noise: Noise = None,
    perturb: Perturb = None,
    random_start: RandomStart = None,
    temperature: Temperature = None,
    low: Annotated[bool, typer.Option(help="Keep the low-level states too.")] = False,
    exact: Exact = False,
) -> None:
    """Sample trajectories of a puzzle and write them as a rollout file (netCDF)."""
    import numpy as np

    from gram import rollout
    from gram.checkpoint import load
    from gram.inference.sample import Record
    from gram.inference.sample import sample as draw

    given = [one for one in (board, puzzle or None, file) if one is not None]
    if len(given) > 1:
        raise typer.BadParameter("give one of --puzzle, --board and --file")
    meant, packed = MimeTypes().guess_type(out.name) if out else (None, None)
    if out and (packed or meant not in (None, "application/x-netcdf", "application/x-hdf5")):
        better = out.with_name(out.name.partition(".")[0] + ".nc")
        raise rollout.RolloutError(
            f"a rollout is netCDF, {str(out)!r} is not named so; -o {better} is, and `gramviz freeze` makes pages of it"
        )
    opened = load(checkpoint)
    data = draw(
        opened, given[0] if given else [0], trajectories=trajectories,
        supervision_steps=supervision_steps, seed=seed, mode=mode, noise=noise, perturb=perturb,
        random_start=random_start, temperature=temperature, record=Record(low=low), exact=exact,
    )  # fmt: skip
    name = "-".join(re.findall(r"[\w.=-]+", data.attrs["name"]))
    path = rollout.save(data, out or Path(f"{name}.nc"))
    if "solutions_known" in data and not data["solutions_known"].all():
        which = np.flatnonzero(data["solutions_known"].values == 0) + 1
        print(f"puzzle {', '.join(map(str, which[:5]))}{', ...' * (len(which) > 5)} has no solution")
    valid = data["valid"].values[:, :, -1]
    sizes, depth, own = data.sizes, int(data["supervision_step"].max()), opened.config.inference.supervision_steps
    judged = opened.task.board.kind != "image"  # no rule says whether a picture is right
    print(
        f"{path}: {sizes['puzzle']} x {sizes['trajectory']} trajectories, {sizes['step']} states, "
        + f"{int(valid.sum())} of {valid.size} end valid after " * judged
        + f"{depth} supervision step{'s' * (depth != 1)}"
        + f"; this model's configuration has {own}: --supervision-steps {own}" * (depth < own)
    )


@app.command()
def evaluate(
    checkpoint: CheckpointName,
    trajectories: Annotated[str, typer.Option(help="Samples per puzzle; several: a grid, e.g. 1,5,20.")] = "20",
    depths: Annotated[str | None, typer.Option(help="Supervision steps of a grid, e.g. 4,8,16,64.")] = None,
    file: PuzzleFile = None,
    split: Annotated[str, typer.Option(help="test or train.")] = "test",
    seed: Seed = 0,
    limit: Limit = None,
    supervision_steps: Annotated[int | None, typer.Option(help="Depth; default: the checkpoint's.")] = None,
    halting: Annotated[
        bool | None, typer.Option(help="Stop when the halting head says so; default: the checkpoint's.")
    ] = None,
    noise: Noise = None,
    perturb: Perturb = None,
    random_start: RandomStart = None,
    temperature: Temperature = None,
    exact: Exact = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure accuracy, coverage and best-of-N on held-out puzzles, at one depth and width or at a grid of them."""
    from gram.checkpoint import load
    from gram.evaluation.evaluate import evaluate as measure
    from gram.evaluation.evaluate import grid

    if depths is not None and supervision_steps is not None:
        raise typer.BadParameter("give --depths or --supervision-steps, not both")
    widths = command.numbers("--trajectories", trajectories)
    opened = load(checkpoint)
    depth = opened.config.inference.supervision_steps if supervision_steps is None else supervision_steps
    rows = [depth] if depths is None else command.numbers("--depths", depths)
    how: dict[str, Any] = {
        "puzzles": file, "split": split, "seed": seed, "limit": limit, "halting": halting, "noise": noise,
        "perturb": perturb, "random_start": random_start, "temperature": temperature, "exact": exact,
    }  # fmt: skip
    if depths is None and len(widths) == 1:
        figures = measure(opened, trajectories=widths[0], supervision_steps=depth, **how)
    else:
        figures = grid(opened, depths=rows, trajectories=widths, **how)
    print(json.dumps(figures, indent=2) if as_json else figures)


@app.command()
def bound(
    checkpoint: CheckpointName,
    limit: Annotated[int, typer.Option(help="N (puzzle, solution) pairs, evenly chosen.")] = 64,
    samples: Annotated[int, typer.Option(help="Draws per pair of the importance-weighted bound.")] = 16,
    split: Annotated[str, typer.Option(help="test or train.")] = "test",
    seed: Seed = 0,
    supervision_steps: Annotated[int | None, typer.Option(help="Depth; default: that of training.")] = None,
    proposal: Annotated[
        str, typer.Option(help="posterior in all transitions, only where KL is paid, or prior (brute force).")
    ] = "posterior",
    exact: Exact = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bound the log-likelihood of the solutions: ELBO, surrogate, and the importance-weighted bound, in nats."""
    from gram.evaluation.likelihood import bound as measure

    figures = measure(
        checkpoint, limit=limit, split=split, samples=samples, seed=seed, supervision_steps=supervision_steps,
        proposal=proposal, exact=exact,
    )  # fmt: skip
    print(json.dumps(figures, indent=2) if as_json else figures)


@app.command()
def generate(
    checkpoint: CheckpointName,
    samples: Annotated[int, typer.Option("-n", "--samples", help="How many there shall be.")] = 1_000,
    steps: Annotated[
        int | None, typer.Option("--steps", help="Supervision steps of each; default: the checkpoint's depth.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder of the samples; default generated/NAME.")
    ] = None,
    seed: Seed = 0,
    noise: Noise = None,
    perturb: Perturb = None,
    random_start: RandomStart = None,
    temperature: Temperature = None,
    exact: Exact = False,
    part: Annotated[int, typer.Option(help="Samples of a file.")] = 2_048,
    classifier: Annotated[
        str | None, typer.Option(help="Of pictures: the classifier of IS and FID; default DATASET-classifier.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Generate boards or pictures without a puzzle, and measure them; a call that was cut off is resumed."""
    from gram.checkpoint import load
    from gram.evaluation.generate import generate as run

    opened = load(checkpoint)
    figures = run(
        opened, out or Path("generated") / opened.name, samples, supervision_steps=steps, seed=seed, noise=noise,
        perturb=perturb, random_start=random_start, temperature=temperature, exact=exact, part=part,
        classifier=classifier,
    )  # fmt: skip
    print(json.dumps(figures, indent=2) if as_json else figures)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the artifact, e.g. artifacts/nqueens8-gram.")],
    also: Annotated[
        list[Path] | None, typer.Option(help="A run with another seed, whose metrics stand beside; may be repeated.")
    ] = None,
    weights: Annotated[bool, typer.Option("--weights/--metrics-only", help="Whether weights are included.")] = True,
    limit: Annotated[
        int, typer.Option(help="Measure on N inputs, or by N samples, if no table of results lists it; 0: all.")
    ] = 0,
    note: Annotated[str, typer.Option(help="Sentences for the card that metrics cannot say.")] = "",
) -> None:
    """Evaluate a finished run, as the tables of results ask, and write it as an artifact with its card."""
    from gram.release.export import export as write

    print(write(run, out, also=also or [], weights=weights, limit=limit, note=note))


@app.command()
def results(
    tables: Annotated[list[str] | None, typer.Argument(metavar="[TABLE]...", help="Only these; default all.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer inputs, minutes; into results-quick.")] = False,
    cards: Annotated[bool, typer.Option("--cards", help="Measure nothing: the cards' metrics.")] = False,
    page: Annotated[bool, typer.Option("--page", help="Only write the page of the stored results.")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder; default artifacts/ and docs/ of the source tree.")
    ] = None,
) -> None:
    """Measure the artifacts anew and write results.json and the page of it, the paper's figures beside ours."""
    from gram.release.results import Effort, write
    from gram.release.tables import load

    if quick + cards + page > 1:
        raise typer.BadParameter("--quick, --cards and --page exclude each other; give one of them")
    if page and tables:
        raise typer.BadParameter(f"--page writes the page of all tables; leave {' '.join(tables)} out")
    out = Path("results-quick") if quick and out is None else out
    effort: Effort = "quick" if quick else "cards" if cards else "page" if page else "full"
    for line in write(load(), tables or [], effort=effort, out=out, progress=sys.stderr.isatty()):
        print(line)


@app.command("import-checkpoint")
def import_checkpoint(
    file: Annotated[Path, typer.Argument(help="Their weights: step_12345, .safetensors, .ckpt of Lightning, .pth.")],
    family: Annotated[str, typer.Option(help="trm, hrm, eqr or nano-trm.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the checkpoint.")],
    config: Annotated[
        Path | None, typer.Option(help="Their all_config.yaml, or its part arch; default: it is in the file.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="task.dataset=generated ...")
    ] = None,
    identifiers: Annotated[
        Path | None, typer.Option(help="Of ARC: the identifiers.json beside the data that it was trained on.")
    ] = None,
) -> None:
    """Open published weights: write them as a checkpoint of ours, and say what was read, what was left, and why."""
    from gram.release.published import import_checkpoint as take

    say = partial(print, file=sys.stderr)
    print(take(file, family, config, out, identifiers=identifiers, overrides=overrides or [], say=say))


@app.command("list")
def list_all() -> None:
    """Name the presets, checkpoints, tasks and models that are known, and what other packages add."""
    from gram import plugins
    from gram.checkpoint import names
    from gram.models import MODELS
    from gram.presets import LAYERS
    from gram.tasks import TASKS

    found = {"presets": LAYERS.known()}
    found |= {
        title: ", ".join(of) or "none" for title, of in (("checkpoints", names()), ("tasks", TASKS), ("models", MODELS))
    }
    plugged = [("plug-in", plugins.described(entry)) for group in plugins.GROUPS for entry in plugins.named(group)]
    for title, words in (*found.items(), *plugged):
        line = f"{title:12} {words}"
        if sys.stdout.isatty():  # a script takes a line as a whole
            line = textwrap.fill(
                line, shutil.get_terminal_size().columns, subsequent_indent=" " * 13, break_on_hyphens=False
            )
        print(line)


@app.command("check-task")
def check_task(
    place: Annotated[str, typer.Argument(metavar="MODULE:CLASS", help="A task of your own, e.g. lab.latin:Latin.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Of its Config.")] = None,
) -> None:
    """Run the contract tests of every task on one of yours; the exit code is 2 if it breaks one."""
    from gram.tasks import contract

    sys.path.insert(0, "")  # as `python -m` does: a module in this folder
    for line in contract.check(place, overrides or []):
        print(line)


def main() -> None:
    """Entry point; how it ends, `gram.command` says."""
    command.run("gram", app)


if __name__ == "__main__":
    main()
