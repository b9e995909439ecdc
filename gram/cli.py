"""The `gram` command: train, sample, evaluate, ship, list. Errors are one sentence on stderr and exit code 2."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gram import data_cli

app = typer.Typer(
    help="Train recursive reasoning models, sample their trajectories, and measure them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_cli.app, name="data")
CheckpointName = Annotated[str, typer.Argument(help="Name of a checkpoint (see `gram list`) or its folder.")]
Seed = Annotated[int, typer.Option(help="Seed of the noise.")]


@app.command()
def train(
    preset: Annotated[str, typer.Argument(help="Name of a preset (see `gram list`).")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="train.steps=200 ...")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder of the run; default runs/PRESET.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes; the run can go on later.")] = None,
    quiet: Annotated[bool, typer.Option(help="No progress.")] = False,
) -> None:
    """Train a preset, or go on with it where it stopped."""
    from gram.presets import preset as find
    from gram.train import train as run

    path = run(find(preset).override(overrides or []), out or Path("runs") / preset, minutes=minutes, quiet=quiet)
    print(path)


@app.command()
def sample(
    checkpoint: CheckpointName,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Rollout file; default NAME.nc.")] = None,
    puzzle: Annotated[list[int] | None, typer.Option(help="Index of a held-out puzzle; may be repeated.")] = None,
    board: Annotated[
        str | None, typer.Option(help="A puzzle as text, rows parted by /, e.g. Q.../..../..../....")
    ] = None,
    trajectories: Annotated[int, typer.Option(help="Trajectories per puzzle.")] = 50,
    supervision_steps: Annotated[
        int | None, typer.Option(help="How long each goes on; default 16, or the checkpoint's depth if less.")
    ] = None,
    seed: Seed = 0,
    mode: Annotated[str, typer.Option(help="prior, or posterior (sees a solution).")] = "prior",
    noise: Annotated[
        float | None, typer.Option(help="Factor on the deviation of the guidance; default: the checkpoint's.")
    ] = None,
    low: Annotated[bool, typer.Option(help="Keep the low-level states too.")] = False,
) -> None:
    """Sample trajectories of a puzzle and write them as a rollout file (netCDF)."""
    from gram import rollout
    from gram.sample import Record
    from gram.sample import sample as draw

    if board is not None and puzzle:
        raise typer.BadParameter("give --puzzle or --board, not both")
    data = draw(
        checkpoint, board if board is not None else (puzzle or [0]), trajectories=trajectories,
        supervision_steps=supervision_steps, seed=seed, mode=mode, noise=noise, record=Record(low=low),
    )  # fmt: skip
    path = rollout.save(data, out or Path(f"{data.attrs['name']}.nc"))
    valid = data["valid"].values[:, :, -1]
    sizes = data.sizes
    print(
        f"{path}: {sizes['puzzle']} x {sizes['trajectory']} trajectories, {sizes['step']} states, "
        f"{int(valid.sum())} of {valid.size} end valid",
    )


@app.command()
def evaluate(
    checkpoint: CheckpointName,
    trajectories: Annotated[int, typer.Option(help="Samples per puzzle.")] = 20,
    split: Annotated[str, typer.Option(help="test or train.")] = "test",
    seed: Seed = 0,
    puzzles: Annotated[int | None, typer.Option(help="Only so many puzzles, evenly chosen.")] = None,
    supervision_steps: Annotated[int | None, typer.Option(help="Depth; default: the checkpoint's.")] = None,
    halting: Annotated[
        bool | None, typer.Option(help="Stop when the halting head says so; default: the checkpoint's.")
    ] = None,
    noise: Annotated[
        float | None, typer.Option(help="Factor on the deviation of the guidance; default: the checkpoint's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure accuracy, coverage and best-of-N on held-out puzzles."""
    from gram.evaluate import evaluate as measure

    figures = measure(
        checkpoint, trajectories=trajectories, split=split, seed=seed, puzzles=puzzles,
        supervision_steps=supervision_steps, halting=halting, noise=noise, progress=sys.stderr.isatty(),
    )  # fmt: skip
    print(json.dumps(figures, indent=2) if as_json else _table(figures))


@app.command()
def bound(
    checkpoint: CheckpointName,
    puzzles: Annotated[int, typer.Option(help="So many (puzzle, solution) pairs, evenly chosen.")] = 64,
    samples: Annotated[int, typer.Option(help="Draws per pair of the importance-weighted bound.")] = 16,
    split: Annotated[str, typer.Option(help="test or train.")] = "test",
    seed: Seed = 0,
    supervision_steps: Annotated[int | None, typer.Option(help="Depth; default: that of training.")] = None,
    proposal: Annotated[
        str, typer.Option(help="posterior in all transitions, only where it is charged, or prior (brute force).")
    ] = "posterior",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bound the log-likelihood of the solutions: ELBO, surrogate, and the importance-weighted bound, in nats."""
    from gram.bound import bound as measure
    from gram.bound import table

    figures = measure(
        checkpoint, puzzles, split=split, samples=samples, seed=seed, supervision_steps=supervision_steps,
        proposal=proposal,
    )  # fmt: skip
    print(json.dumps(figures, indent=2) if as_json else table(figures))


@app.command()
def ship(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the artifact, e.g. artifacts/nqueens8-gram.")],
    seeds: Annotated[int, typer.Option(help="Measure with so many seeds, from 0.")] = 3,
    puzzles: Annotated[
        int | None, typer.Option(help="Measure on only so many held-out puzzles, evenly chosen.")
    ] = None,
    note: Annotated[str, typer.Option(help="Sentences for the card that figures cannot say.")] = "",
) -> None:
    """Evaluate a finished run and write it as an artifact with its card."""
    from gram.ship import ship as write

    print(write(run, out, seeds=seeds, puzzles=puzzles, note=note))


@app.command()
def bench(
    what: Annotated[str, typer.Argument(help="data: reading the Sudoku files, and feeding models of some presets.")],
    preset: Annotated[
        list[str] | None, typer.Option(help="Preset whose model is fed; may be repeated; default sudoku9-extreme-gram.")
    ] = None,
) -> None:
    """Measure how fast this machine is at something; prints JSON."""
    from gram import bench as benchmarks

    if what != "data":
        raise typer.BadParameter(f"unknown benchmark {what!r}; known: data")
    print(json.dumps(benchmarks.data(preset or ["sudoku9-extreme-gram"]), indent=2))


@app.command("list")
def list_all() -> None:
    """Name the presets, checkpoints, tasks and models that are known."""
    from gram.checkpoint import names
    from gram.models import MODELS
    from gram.presets import known
    from gram.tasks import TASKS

    print(f"{'presets':12} {known()}")
    for title, found in (("checkpoints", names()), ("tasks", TASKS), ("models", MODELS)):
        print(f"{title:12} {', '.join(found) or 'none'}")


def _table(figures: dict[str, Any]) -> str:
    """The figures for a reader at a terminal."""
    lines = [
        f"{figures['checkpoint']} ({figures['model']}), {figures['task']}, {figures['split']} split, "
        f"{figures['trajectories']} samples, depth {figures['supervision_steps']}"
        f"{' with halting' if figures['halting'] else ''}, noise {figures['noise']:g}, seed {figures['seed']}"
    ]
    for title, part in ((figures["protocol"], figures), ("all inputs", figures["all_inputs"])):
        best = part["best_of_n"]
        lines += [
            f"\n{title}: {part['inputs']} inputs, {part['solutions']} solutions",
            f"  accuracy {part['accuracy']:.3f}   coverage {part['coverage']:.3f}   distinct {part['distinct']:.2f}   "
            f"mean halt step {part['mean_halt_step']:.1f}",
            f"  best of {figures['trajectories']}: majority {best['majority']:.3f}   value {best['value']:.3f}   "
            f"oracle {best['oracle']:.3f}",
            "  solutions  inputs  accuracy  coverage",
        ]
        lines += [
            f"  {row['solutions']:>9}  {row['inputs']:>6}  {row['accuracy']:>8.3f}  {row['coverage']:>8.3f}"
            for row in part["by_solutions"]
        ]
    return "\n".join([*lines, f"\n{figures['seconds']} s"])


def main() -> None:
    """Entry point: known errors become one sentence and exit code 2."""
    try:
        app()
    except (ValueError, FloatingPointError, OSError, RuntimeError) as error:
        if isinstance(error, ValueError | RuntimeError) and type(error).__module__.split(".")[0] != "gram":
            raise  # not one that we foresaw: it keeps its traceback
        print(f"gram: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
