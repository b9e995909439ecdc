"""`gram results`: the tables of `tables.yaml` measured anew from the artifacts, and the page of them.

    artifacts/results.json    all that the page shows and more: `tables`, each with how it was `made`, and `claims`
    docs/results.md           the page (`gram.release.page`)

A row without weights, or one that takes too long (`anew: false`), has the metrics that `gram export` wrote; each cell
says which.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from tqdm.auto import tqdm

from gram import checkpoint as store
from gram.checkpoint import Checkpoint, CheckpointError, folders
from gram.config import RunConfig
from gram.models import MODELS
from gram.provenance import commit
from gram.release import measure
from gram.release.claims import judge, pairs, sides, still, targets
from gram.release.export import machine
from gram.release.page import page
from gram.release.stored import Results, card, results
from gram.release.tables import Pass, Row, Table, Tables
from gram.tasks import TASKS, Task
from gram.tasks.files import DataError

HOME = Path(__file__).resolve().parents[2]
Effort = Literal["full", "quick", "cards", "page"]


def write(
    tables: Tables,
    names: Sequence[str] = (),
    *,
    effort: Effort = "full",
    out: Path | None = None,
    progress: bool = False,
) -> list[str]:
    """Rebuild tables, all or those named, and write `results.json` and the page.

    Args:
        effort: `full`, `quick` (on fewer inputs), `cards` (nothing is measured, the metrics are those of the cards), or
            `page` (the rows are the stored ones; targets, claims and the page follow from the words of today).
        out: folder of both; default: artifacts/ and docs/ of the source tree.
    Returns:
        Lines for a reader: what to know of the results, the claims, and where both files are.
    Raises:
        ConfigError: no such table.
        CheckpointError: `page` where nothing is stored.
    """
    numbers = (out or HOME / "artifacts") / store.RESULTS
    words = (out or HOME / "docs") / "results.md"
    for path in (numbers, words):
        _writable(path)
    found = results(numbers.parent)
    if effort == "page" and not found["tables"]:
        raise CheckpointError(f"there is no {numbers}; `gram results` makes it")
    if effort != "page":
        found = rebuild(tables, names, effort=effort, old=found, progress=progress)
    found = judged(tables, found)
    texts = {numbers: json.dumps(found, indent=1) + "\n", words: page(tables, found)}
    for path, text in texts.items():
        store.write_atomic(path, text)
    return [*remarks(tables, found), f"{words}, {numbers}"]


def rebuild(
    tables: Tables,
    names: Iterable[str] = (),
    *,
    effort: Effort = "full",
    old: Results | None = None,
    progress: bool = False,
) -> Results:
    """The rows of tables, all or those named; of the others what `old` has. Absent artifacts are left out."""
    names = list(names)
    chosen, tasks = tables.choose(names), dict[Any, Task]()
    found = {name: table for name, table in (old or {}).get("tables", {}).items() if name not in chosen}
    about = {
        "command": " ".join(["gram results", *([] if effort == "full" else [f"--{effort}"]), *names]),
        "effort": effort,
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
    }
    wanted = {name: [row for row in tables.tables[name].rows if artifact(row.artifact)] for name in chosen}
    with tqdm(total=sum(map(len, wanted.values())), unit="row", disable=not progress) as bar:
        for name, listed in wanted.items():
            begun, rows = time.process_time(), list[Results]()
            for row in listed:
                bar.set_description(f"{name}: {row.artifact}")
                rows.append(measured(tables.tables[name], row, effort, tasks))
                bar.update()
            made = about | {"cpu_seconds": round(time.process_time() - begun, 1)}
            if rows:
                paired = pairs(tables.claims.values(), name, rows)
                if effort == "cards":  # few cards have what each puzzle gave
                    stored = still((old or {}).get("tables", {}).get(name, {}), rows)
                    paired = stored + [pair for pair in paired if sides(pair) not in map(sides, stored)]
                found[name] = {"made": made, "rows": rows, "pairs": paired}
    return {"tables": found}


def judged(tables: Tables, found: Results) -> Results:
    """Results with their tables in the order of the page, the targets of each, and the claims."""
    ordered = {
        name: {
            **one,
            "targets": targets(table, one["rows"]) if one["made"]["effort"] != "quick" else [],
        }
        for name, table in tables.tables.items()
        if (one := found["tables"].get(name))
    }
    claims = {name: judge(claim, ordered) for name, claim in tables.claims.items()}
    return {"tables": ordered, "claims": claims}


def _writable(path: Path) -> None:
    """Refuse a place that cannot be written before anything is measured for it."""
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder, and a file is to be written there; give another folder with -o")
    if path.parent.exists() and not path.parent.is_dir():
        raise CheckpointError(f"{path.parent} is a file; give a folder with -o")
    store.write_atomic(path.with_name(f".{path.name}.try"), "")
    path.with_name(f".{path.name}.try").unlink()


def artifact(name: str) -> Path | None:
    """The folder of an exported artifact; a run of that name is none."""
    return next((place / name for place in folders() if (place / name / store.RESULTS).is_file()), None)


def measured(table: Table, row: Row, effort: Effort, tasks: dict[Any, Task]) -> Results:
    """A row of a table: what it is, and its cells. Tasks that were opened are kept in `tasks`, by their settings."""
    path = artifact(row.artifact)
    assert path is not None
    written = card(path)
    config = RunConfig.from_json((path / store.CONFIG).read_text())
    kind = config.to_dict()["task"]["kind"]
    task = tasks.setdefault(config.task, TASKS[kind](config.task))  # type: ignore[call-arg]
    opened = replace(store.load(path), task=task) if (path / store.WEIGHTS).is_file() else None
    model = opened.model if opened else MODELS[config.to_dict()["model"]["kind"]](config.model, task.board)
    if not (table.anew and row.anew):
        effort = "cards"
    about = {
        "artifact": row.artifact,
        "model": config.to_dict()["model"]["kind"],
        "parameters": written["parameters"],
        "sha256": opened.digest if opened else written.get("sha256", ""),
        "weights": opened is not None,
        "training": written["training"],
        "training_seeds": [cell["training_seed"] for cell in written.get("by_seed", [])] or [config.seed],
        "paper": table.published(row),
    }
    try:
        about["data"] = measure.data(task)
    except DataError as error:
        if error.missing is None:
            raise
        opened = None
        about["data"] = {"name": task.board.title, "missing": error.missing}
    calls = partial(measure.calls, model, config.inference)
    passes = table.passes or (Pass(),)
    return about | {"cells": [cell for one in passes for cell in _cells(opened, written, table, one, effort, calls)]}


def _cells(
    opened: Checkpoint | None, written: Results, table: Table, one: Pass, effort: Effort, calls: Callable[..., Results]
) -> list[Results]:
    """The cells of a pass: measured here if that can be, else as `gram export` wrote them; `calls` counts of one."""
    exported = measure.stored(written, one) if table.passes else written.get("generated") or written["by_seed"][:1]
    begun, fresh, source, quick = time.process_time(), exported, "by gram export", effort == "quick"
    if opened is not None and (effort == "full" or (quick and one.quick)):
        fresh = measure.cells(opened, one, quick)
        source = f"here, in {time.process_time() - begun:.1f} CPU seconds for {len(fresh)} cells"
    twins = {_at(cell): measure.metrics(cell) for cell in exported}
    others = [measure.metrics(cell) for cell in written.get("by_seed", [])[1:]] if one.single and not quick else []
    found = []
    for cell in fresh:
        metrics = measure.metrics(cell)
        agrees = _equal(metrics, twins.get(_at(cell), {}))
        for name, entry in metrics.items() if others else ():
            entry["seeds"] = [entry["value"], *(other[name]["value"] for other in others)]
            entry["mean"] = sum(entry["seeds"]) / len(entry["seeds"])
        found.append({
            "trajectories": _at(cell)[0],
            "supervision_steps": cell["supervision_steps"],
            "inputs": cell.get("inputs", cell.get("samples")),
            "protocol": cell.get("protocol", "samples"),
            "halting": cell.get("halting", False),
            "precision": cell["precision"],
            "command": measure.command(written["name"], cell, one),
            "measured": source,
            "agrees_with_card": None if quick else agrees,
            "calls": calls(cell),
            "metrics": metrics,
            **({"per_puzzle": cell} if "per_puzzle" in cell else {}),
            **({"by_rating": measure.by_rating(cell)} if table.by_rating else {}),
        })  # fmt: skip
    return found


def _equal(one: Results, other: Results) -> bool:
    """Whether metrics are the same: values to the bit, the ends of intervals up to the rounding of their formula."""
    return one.keys() == other.keys() and all(
        entry["value"] == other[name]["value"]
        and all(map(partial(math.isclose, abs_tol=1e-12), entry["interval"], other[name]["interval"]))
        for name, entry in one.items()
    )


def _at(cell: Results) -> tuple[int, int]:
    """Width (of a generator its samples) and depth."""
    return cell.get("trajectories") or cell["samples"], cell["supervision_steps"]


def remarks(tables: Tables, found: Results) -> list[str]:
    """Sentences on what a reader should know of results: what is absent, what cards say otherwise, targets, claims."""
    known = {row.artifact for name in found["tables"] for row in tables.tables[name].rows}
    rows = [row for table in found["tables"].values() for row in table["rows"]]
    lists = {
        "not trained yet, so left out": known - {row["artifact"] for row in rows},
        "data not here (GRAM_DATA), so with the cards' metrics": {
            row["artifact"] for row in rows if "missing" in row["data"]
        },
        "exported with other settings than tables.yaml has, so without metrics": {
            row["artifact"] for row in rows if not row["cells"]
        },
        "not what the cards say (other weights, settings or processor; export them again)": {
            row["artifact"] for row in rows for cell in row["cells"] if cell["agrees_with_card"] is False
        },
        "targets missed, where tables.yaml must say what `limits` them and three things `tried`": {
            f"{name} ({result['artifact']}, {result['metric']})"
            for name, table in found["tables"].items()
            for target, result in zip(tables.tables[name].targets, table["targets"], strict=False)
            if result["met"] is False and not (target.limits and len(target.tried) >= 3)
        },
    }
    said = [f"{what}: {', '.join(sorted(names))}" for what, names in lists.items() if names]
    for claim in found["claims"].values():
        unknown = f"not measured ({', '.join(claim['absent'])})" if claim["absent"] else "of few inputs, undecided"
        holds = {True: "holds", False: "does not hold", None: unknown}
        said.append(f"{claim['title']}: {holds[claim['holds']]}")
    return said
