"""What a run says of itself: the lines of metrics.jsonl, a summary of one, and alarms.

A line holds means since the line before (docs/training.md lists them). What counts is `prior_exact`, the share of rows
that end solved without having seen the target, beside `posterior_exact`, of rows that see it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gram import checkpoint as store
from gram.config import TrainConfig
from gram.run_folder import lines

SOLVES = 0.5  # share of solved rows from which the posterior is said to know the target
LEAKS = 0.1  # share of the posterior's solved rows below which the prior is said to solve none
FALLEN = 0.6  # share of its best accuracy below which the prior is said to have failed
REPEATED = 20  # lines after which an alarm that lasts is printed again
SUMMARY = {
    "bound": "nats", "token": "ce", "kl_prior": "kl", "guidance_sigma": "sigma", "prior_exact": "prior",
    "posterior_exact": "posterior", "target_exact": "solved",
}  # fmt: skip


class Monitor:
    """Collects what optimizer steps measured, and writes lines of it.

    Attributes:
        since_line: measured since the last line, by name.
        best_prior: the highest `prior_exact` of a line so far.
    """

    def __init__(self, path: Path, config: TrainConfig) -> None:
        self.path, self.config = path, config
        self.since_line: dict[str, list[float]] = defaultdict(list)
        self.best_prior = 0.0
        self._alarmed, self._said = 0, False  # lines in a row with an alarm, and whether one was said
        self._held_out: list[str] = []

    def add(self, measured: Mapping[str, float]) -> None:
        """Take what one optimizer step measured."""
        for name, value in measured.items():
            self.since_line[name].append(value)

    def means(self) -> dict[str, float]:
        """Means of what was measured since the last line."""
        return {name: float(np.mean(values)) for name, values in self.since_line.items()}

    def clear(self) -> None:
        """Begin the next line."""
        self.since_line.clear()

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line to the metrics."""
        with (self.path / store.METRICS).open("a") as file:
            file.write(json.dumps(line) + "\n")

    def summary(self, line: Mapping[str, Any]) -> str:
        """The few numbers that say whether a run is sound: the prior beside the posterior, and the last validation."""
        if "held_out" in line:
            self._held_out = [f"held-out {name} {line['held_out'][name]:.3f}" for name in ("accuracy", "coverage")]
        said = [f"{short} {line[name]:.3f}" for name, short in SUMMARY.items() if name in line]
        return ", ".join(said + self._held_out)

    def alarm(self, line: Mapping[str, Any], say: Callable[[str], None]) -> None:
        """Say what is wrong with a run by this line, once and, while it lasts, every 20 lines."""
        wrong = leakage(line, self.config) or runaway(line, self.best_prior)
        self.best_prior = max(self.best_prior, line.get("prior_exact", 0.0))
        self._alarmed = self._alarmed + 1 if wrong else 0
        if wrong and due(self._alarmed, self._said):
            say(f"step {line['step']}: {wrong}")
            self._said = True

    def cut(self, step: int) -> None:
        """Drop the lines after this step, which will be written again."""
        kept = [line for line in lines(self.path) if line["step"] <= step]
        store.write_atomic(self.path / store.METRICS, "".join(json.dumps(line) + "\n" for line in kept))
        self.best_prior = max((line.get("prior_exact", 0.0) for line in kept), default=0.0)


def leakage(measured: Mapping[str, float], config: TrainConfig) -> str | None:
    """One sentence if a line of `metrics.jsonl` shows posterior leakage, with its numbers and the knob; else None.

    Posterior leakage: the guidance carries the answer, so that rows which see their target are right, and the prior,
    which is all that there is at inference, learns nothing. The limits are ours: of our logged runs of 8 queens and
    9x9 Sudoku they separate those that failed from those that did not (docs/training.md).

    Args:
        measured: of one line; without `posterior_exact`, `prior_exact` and `kl_posterior` there is nothing to say.
        config: the run's, for the knob and its present value.
    """
    names = ("posterior_exact", "prior_exact", "kl_posterior")
    if not all(name in measured for name in names):
        return None
    posterior, prior, rate = (measured[name] for name in names)
    if posterior < SOLVES or prior >= LEAKS * posterior:
        return None
    if config.no_grad_guidance == "posterior":
        fix = "set train.no_grad_guidance=prior, so that no transition escapes the KL"
    elif config.kl_target:
        fix = f"lower train.kl_target (now {config.kl_target:g})"
    else:
        fix = f"raise train.kl_weight (now {config.kl_weight:g}), or fix the rate with train.kl_target=0.02"
    return (
        f"posterior leakage: the posterior solves {posterior:.2f} of its rows and the prior {prior:.2f}, at a KL of "
        f"{rate:.3g} nats per token; {fix}"
    )


def runaway(measured: Mapping[str, float], best_prior: float) -> str | None:
    """One sentence if the prior's accuracy fell from its best while the posterior's did not; else None."""
    names = ("posterior_exact", "prior_exact", "guidance_sigma", "guidance_mean")
    if not all(name in measured for name in names):
        return None
    posterior, prior, sigma, mean = (measured[name] for name in names)
    if best_prior < SOLVES or prior >= FALLEN * best_prior or posterior < SOLVES:
        return None
    return (
        f"runaway guidance: the prior solves {prior:.2f} of its rows, after {best_prior:.2f} at best, while the "
        f"posterior solves {posterior:.2f}, with sigma {sigma:.2g} and |mean| {mean:.2g}; raise "
        "train.kl_weight_min and train.kl_weight_min_init, e.g. to 0.3, and set train.keep_best=true"
    )


def due(lines: int, said: bool) -> bool:
    """Whether to print an alarm that has now stood in n lines in a row: once in a run, and while it lasts."""
    return lines > 0 and ((lines == 1 and not said) or lines % REPEATED == 0)
