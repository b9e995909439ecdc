"""What `gram.evaluation.generate.generate` found, in words and as a table beside a reference, and where samples settle.

Nothing is computed here but the last step at which an answer changes. Two models are compared by their intervals, since
samples of a blank puzzle come in no pairs.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gramviz.reports.blocks.block import METRICS, Block, number, table, with_interval
from gramviz.reports.blocks.curves import Curve

Run = Mapping[str, Any]
# Name -> which way is better: 1 more, -1 less, 0 neither.
_METRICS = {"valid": 1, "distinct": 1, "copies": 0, "held_out": 0, "nearest_training": 0, "fid": -1, "is": 1}
_SHORT = {"valid": "validity", "distinct": "variety", "fid": "FID", "is": "IS"}
_TITLES = {
    "valid": "Valid",
    "distinct": "Distinct: the first of its kind",
    "copies": "Copies of training data",
    "held_out": "Equal to held-out data",
    "nearest_training": "Places that differ from the nearest training sample",
    "fid": "FID, own classifier",
    "is": "IS, own classifier",
}


def generator_headline(result: Run, reference: Run | None = None) -> Block:
    """The result in one sentence, with intervals; with a reference, what is clearly better or worse."""
    found = dict(_found(result))
    text = f"{result['checkpoint']}, {result['samples']} samples: "
    text += ", ".join(f"{_SHORT[name]} {with_interval(*found[name])}" for name in _SHORT if name in found)
    if reference:
        signs = _signs(found, dict(_found(reference)))
        words = {sign: [_SHORT[name] for name, one in signs.items() if one == sign] for sign in (1, -1)}
        said = [f"{how} in {', '.join(words[sign])}" for sign, how in ((1, "better"), (-1, "worse")) if words[sign]]
        text += f". Beside {reference['checkpoint']}: {'; '.join(said) or 'no difference beyond the intervals'}"
    return Block(f"<p class='gram-headline'><strong>{html.escape(text)}.</strong></p>", f"{text}.")


def generator_results(result: Run, reference: Run | None = None, paper: float | None = None) -> Block:
    """The table of results: this run, the reference, the paper's share of valid ones; and the numbers as `METRICS`."""
    runs = [run for run in (result, reference) if run]
    found = [dict(_found(run)) for run in runs]
    signs = _signs(*found) if reference else {}
    rows = []
    for name in found[0]:
        row = [_TITLES[name], *(with_interval(*one[name]) if name in one else "" for one in found)]
        row += [{1: "▲", -1: "▼", 0: "○"}[signs[name]] if name in signs else ""] * bool(reference)
        rows.append([*row, *[number(paper) if paper and name == "valid" else ""] * (paper is not None)])
    header = ["Metric", *(run["checkpoint"] for run in runs), *["Beside"] * bool(reference)]
    header += ["Paper, Table 9"] * (paper is not None)
    note = f"{result['samples']} samples of each model. Brackets: intervals of 95 %. "
    note += "▲ better, ▼ worse, ○ the intervals overlap. " if reference else "No reference given. "
    if "fidelity" in result:
        floor = result["fidelity"]["held_out"]
        note += (
            f"{floor['pictures']} held-out pictures have FID {floor['FID (own classifier)']:.1f} and IS "
            f"{floor['IS (own classifier)']:.1f}; both compare with no published value. "
        )
    for run in runs:
        note += f"{run['checkpoint']}: {run['unmeasured']}. " if "unmeasured" in run else ""
    hidden = ("folder", "seconds", "samples_per_second")
    machine = {run["checkpoint"]: {key: value for key, value in run.items() if key not in hidden} for run in runs}
    values = {name: value for name, (value, _) in found[0].items()}
    around = {"intervals": {name: list(interval) for name, (_, interval) in found[0].items()}}
    return Block(
        table(header, rows, note),
        "\n".join(" | ".join(row) for row in rows),
        {METRICS: {**values, **around, "runs": machine}},
    )


def settled(rollout: xr.Dataset) -> NDArray[np.int64]:
    """The supervision step at which the answer of each trajectory of the first puzzle changes last [trajectory]."""
    tokens, clock = rollout["tokens"].values[0], rollout["supervision_step"].values
    changes = (tokens[:, 1:] != tokens[:, :-1]).any(-1)
    last = changes.shape[1] - changes[:, ::-1].argmax(1)
    return np.where(changes.any(1), clock[last], 0)


def changes_by_step(rollout: xr.Dataset, name: str) -> Curve:
    """The mean share of places of the first puzzle that each supervision step changes, as a curve."""
    clock = rollout["supervision_step"].values
    tokens = rollout["tokens"].values[0][:, np.flatnonzero(np.append(clock[1:] != clock[:-1], True))]
    share = (tokens[:, 1:] != tokens[:, :-1]).mean((0, 2))
    return Curve(name, list(range(1, len(share) + 1)), share.tolist())


def _found(run: Run) -> Iterator[tuple[str, tuple[float, tuple[float, float]]]]:
    """Metric -> value and interval, of those that were measured."""
    for name in _METRICS:
        if name in run:
            yield name, (run[name]["value"], tuple(run[name]["interval"]))
        elif name in ("fid", "is") and "fidelity" in run:
            score = run["fidelity"][f"{name.upper()} (own classifier)"]
            value, around = score["value"], score["plus_minus"]
            yield name, (value, (value - around, value + around))


def _signs(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, int]:
    """Metric -> 1 where ours is better beyond the intervals, -1 where it is worse, 0 where they overlap."""
    signs = {}
    for name, way in _METRICS.items():
        if way and name in ours and name in theirs:
            (_, (low, high)), (_, (least, most)) = ours[name], theirs[name]
            signs[name] = way * (int(low > most) - int(high < least))
    return signs
