"""The `gram bench` command: how fast this machine is at something. `gram/cli.py` mounts `app` and prints errors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from gram.command import CheckpointName, numbers

app = typer.Typer(help="Measure how fast this machine is at something.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("data")
def bench_data(
    preset: Annotated[
        list[str] | None, typer.Option(help="Preset whose model is fed; may be repeated; default sudoku9-extreme-gram.")
    ] = None,
) -> None:
    """Reading the Sudoku files, and feeding models of some presets."""
    from gram.bench.data import data

    print(json.dumps(data(preset or ["sudoku9-extreme-gram"]), indent=2))


@app.command("grid")
def bench_grid(
    checkpoint: CheckpointName,
    depths: Annotated[str, typer.Option(help="Supervision steps of the grid.")] = "4,8,16,64",
    trajectories: Annotated[str, typer.Option(help="Samples per puzzle of the grid.")] = "1,5,20",
    limit: Annotated[int, typer.Option(help="N held-out puzzles, evenly chosen.")] = 6,
) -> None:
    """What a grid of depths and widths costs, beside its largest cell alone."""
    from gram.bench.grid import cost

    rows, columns = numbers("--depths", depths), numbers("--trajectories", trajectories)
    print(json.dumps(cost(checkpoint, depths=rows, trajectories=columns, limit=limit), indent=2))


@app.command("prototype")
def bench_prototype(
    task: Annotated[str, typer.Argument(help="queens, coloring, sudoku or sudoku-gram.")] = "queens",
    prototype: Annotated[
        Path | None, typer.Option(help="The prototype's folder; default: prototype, beside the folder of GRAM_DATA.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="CPU seconds of each training; default 240, 110, 900 and 900.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Our training beside the prototype's at equal CPU time, both scored by our rules on the same held-out puzzles."""
    from gram.bench.prototype import CASES, table
    from gram.bench.prototype import prototype as compare

    if task not in CASES:
        raise typer.BadParameter(f"{task!r} is unknown; known: {', '.join(CASES)}")
    folder = prototype or Path(os.environ.get("GRAM_DATA", ".")).resolve().parent / "prototype"
    found = compare(CASES[task], folder, budget)
    print(json.dumps(found, indent=2) if as_json else table(found))


@app.command("growth")
def bench_growth(
    axes: Annotated[
        list[str] | None, typer.Argument(help="trajectories, depth, board or features; default: all.")
    ] = None,
    mixing: Annotated[str, typer.Option(help="relations, or attention as in the paper.")] = "relations",
    rounds: Annotated[int, typer.Option(help="How often all points take turns; the least of each counts.")] = 3,
    as_json: AsJson = False,
) -> None:
    """How the cost of sampling grows with trajectories, depth, size of the board and width of the state."""
    from gram.bench.growth import curves, table

    found = curves(axes or [], mixing=mixing, rounds=rounds)
    print(json.dumps(found, indent=2) if as_json else table(found))


@app.command("own")
def bench_own(
    checkpoint: CheckpointName = "sudoku9-gram",
    puzzles: Annotated[int, typer.Option(help="How many, one trajectory each.")] = 1_000,
    supervision_steps: Annotated[int, typer.Option(help="Depth of each trajectory.")] = 16,
    rounds: Annotated[int, typer.Option(help="How often the two take turns; medians count.")] = 3,
) -> None:
    """How fast a text file of own puzzles is sampled, beside the held-out set."""
    from gram.bench.own import cost

    print(json.dumps(cost(checkpoint, puzzles=puzzles, supervision_steps=supervision_steps, rounds=rounds), indent=2))


@app.command("rows")
def bench_rows(
    checkpoint: CheckpointName = "sudoku9-gram",
    supervision_steps: Annotated[int, typer.Option(help="Depth of each trajectory.")] = 16,
    rounds: Annotated[int, typer.Option(help="How often the two take turns; medians count.")] = 5,
) -> None:
    """What one trajectory of one puzzle costs, beside its share of a full batch of them."""
    from gram.bench.rows import cost

    print(json.dumps(cost(checkpoint, supervision_steps=supervision_steps, rounds=rounds), indent=2))


@app.command("train")
def bench_train(
    presets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PRESET[:KEY=VALUE,...]]...", help="Default: both large presets, and one of D = 512."),
    ] = None,
    rounds: Annotated[int, typer.Option(help="How often the measurements take turns; medians count.")] = 5,
    as_json: AsJson = False,
) -> None:
    """How fast presets train, beside the same model written plainly and beside the machine's matrix products."""
    from gram.bench.train import CASES, table, train

    found = train(presets or list(CASES), rounds=rounds)
    print(json.dumps(found, indent=2) if as_json else table(found))


@app.command("start")
def bench_start(
    rounds: Annotated[int, typer.Option(help="How often the programs take turns; medians count.")] = 7,
    as_json: AsJson = False,
) -> None:
    """What it costs to start: commands, imports and the first model, beside `import torch`."""
    from gram.bench.start import start, table

    found = start(rounds)
    print(json.dumps(found, indent=2) if as_json else table(found))
