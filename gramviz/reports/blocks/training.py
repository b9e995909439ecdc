"""Training runs as curves, also while they go on: what rows solve that have seen the target, and rows that have not."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from IPython.display import display

from gram import run_folder
from gramviz.reports.blocks.block import Block, number, say, together
from gramviz.reports.blocks.curves import Curve, curves

_KINDS = {"posterior": "posterior (sees the target)", "prior": "prior (does not)"}
Run = str | os.PathLike[str]


def learning(runs: Mapping[str, Run], kinds: tuple[str, ...] = ("prior", "posterior"), kl: bool = True) -> Block:
    """The share of rows that end solved, over optimizer steps, and the KL rate, of training runs by name.

    Args:
        kinds: of rows, `prior` (solid) and `posterior` (dashed).
        kl: whether the second figure, of the KL, is drawn.
    """
    exact, rate = [], []
    for color, (name, run) in enumerate(runs.items()):
        for kind in kinds:
            points = course(run, f"{kind}_exact")
            if points:
                x, y = zip(*points, strict=True)
                exact.append(Curve(f"{name}: {_KINDS[kind]}", x, y, color=color, dashed=kind == "posterior"))
        points = course(run, "kl_posterior")
        if points:
            x, y = zip(*points, strict=True)
            rate.append(Curve(name, x, y, color=color))
    if not exact:
        return say("Nothing was measured yet.")
    drawn = [curves("Share of rows that end solved", *exact, x="optimizer steps")]
    if kl and rate:
        top = max(0.01, *(max(line.y) for line in rate))
        drawn.append(curves("KL rate, nats per token", *rate, x="optimizer steps", top=top))
    return together(*drawn)


def objective(measured: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> Block:
    """What training pays for a solution beside the bound that pays for all KL, over optimizer steps (Fig. 8), in nats.

    Args:
        measured: name -> optimizer step -> what `gram.evaluation.likelihood.bound` returns of the network as it was.
    """
    lines, said = [], []
    for color, (name, at) in enumerate(measured.items()):
        for metric, words in (("elbo", "minus ELBO"), ("surrogate", "minus surrogate")):
            nats = [-one[metric] for one in at.values()]
            reach = [1.96 * one[f"{metric}_error"] for one in at.values()]
            around = [(value - far, value + far) for value, far in zip(nats, reach, strict=True)]
            dashed = metric == "surrogate"
            lines.append(Curve(f"{name}: {words}", [*at], nats, around, color=color, dashed=dashed))
        first, last = (at[step] for step in (sorted(at)[1], max(at)))
        gains = [last[metric] - first[metric] for metric in ("surrogate", "elbo")]
        said.append(
            say(
                f"{name}: at the end the surrogate says {number(-last['surrogate'])} nats, the ELBO "
                f"{number(-last['elbo'])}, of which {number(last['kl'])} are KL. From step {sorted(at)[1]} to "
                f"{max(at)} the surrogate gains {number(gains[0])}, the ELBO {number(gains[1])}."
            )
        )
    return together(curves("Nats of a solution (less is better)", *lines, x="optimizer steps", base=1.0), *said)


def live(name: str, run: Run, **how: Any) -> Callable[[Mapping[str, Any]], None]:
    """A function for `gram.train(watch=...)` that draws `learning` anew, in the output of the cell that trains."""
    shown = display(say("The first figure comes in a moment."), display_id=True)

    def draw(_: Mapping[str, Any]) -> None:
        if shown is not None:
            shown.update(learning({name: run}, **how))

    return draw


def course(run: Run, metric: str) -> list[tuple[int, float]]:
    """(optimizer step, value) of a metric of a run, wherever it was measured."""
    return [(int(line["step"]), float(line[metric])) for line in run_folder.lines(Path(run)) if metric in line]


def checkpoints(run: Run) -> dict[int, str]:
    """What `gram.load` opens of a run, by optimizer step: its snapshots, and the weights that it keeps."""
    return run_folder.checkpoints(Path(run))


def leaks(run: Run) -> list[int]:
    """Optimizer steps at which half of the posterior's rows or more end solved, and fewer than a tenth as many of the
    prior's: the alarm of posterior leakage (docs/training.md)."""
    prior = dict(course(run, "prior_exact"))
    return [at for at, share in course(run, "posterior_exact") if share >= 0.5 and prior.get(at, 1.0) < 0.1 * share]
