"""What the measured tables say of the paper's claims and of our targets; computed, nothing is typed by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from operator import itemgetter
from typing import Any

from gram.evaluation.metrics import gap
from gram.release.measure import share
from gram.release.tables import LOWER, Cell, Claim, Table

Rows = list[dict[str, Any]]


def find(rows: Rows, cell: Cell) -> dict[str, Any] | None:
    """The cell of a table that has a figure; None if it was not measured."""
    for row in rows:
        for found in row["cells"] if row["artifact"] == cell.artifact else []:
            asked = ((cell.trajectories, found["trajectories"]), (cell.supervision_steps, found["supervision_steps"]))
            if all(wanted in (0, has) for wanted, has in asked) and cell.metric in found["metrics"]:
                return found
    return None


def pick(rows: Rows, cell: Cell) -> dict[str, Any] | None:
    """A figure among the rows of a table, with the depth and width that it is of; None if it was not measured."""
    found = find(rows, cell)
    if found is None:
        return None
    about = {name: found[name] for name in ("trajectories", "supervision_steps", "calls") if name in found}
    return {"artifact": cell.artifact, "metric": cell.metric, **about, **found["metrics"][cell.metric]}


def pairs(claims: Iterable[Claim], table: str, rows: Rows) -> list[dict[str, Any]]:
    """The differences that claims compare on a table, paired by puzzle; what each puzzle gave leaves the rows.

    Absent where a side was not measured here, or of other puzzles, and for sums (conflicts), which are no shares.
    """
    evaluations = {id(cell): cell.pop("per_puzzle", None) for row in rows for cell in row["cells"]}
    found = []
    for one in (one for claim in claims for one in claim.compare if one.table == table):
        first, second = (evaluations.get(id(find(rows, cell))) for cell in (one.better, one.than))
        if first and second and _alike(first, second) and one.better.metric not in LOWER:
            difference = gap(first, second, share(one.better.metric), share(one.than.metric))
            found.append({"better": asdict(one.better), "than": asdict(one.than), **difference})
    return found


sides = itemgetter("better", "than")


def still(table: dict[str, Any], rows: Rows) -> list[dict[str, Any]]:
    """The differences that were measured for a table (`pairs`) and whose two figures are the same in these rows."""

    def values(of: Rows, pair: dict[str, Any]) -> list[float | None]:
        figures = [pick(of, Cell(**pair[side])) for side in ("better", "than")]
        return [None if figure is None else figure["value"] for figure in figures]

    return [pair for pair in table.get("pairs", []) if values(table["rows"], pair) == values(rows, pair)]


def targets(table: Table, rows: Rows) -> list[dict[str, Any]]:
    """Each target of a table: what was reached (of several training seeds the mean), and whether that meets it."""
    found = []
    for target in table.targets:
        reached = pick(rows, target.cell)
        value = None if reached is None else reached.get("mean", reached["value"])
        low, high = target.at_least, target.at_most
        wanted = {"at_least": low} if high is None else {"at_most": high}
        met = None if value is None else (low is None or value >= low) and (high is None or value <= high)
        about = {"artifact": target.cell.artifact, "metric": target.cell.metric}
        found.append({**about, **wanted, "reached": value, "met": met})
    return found


def judge(claim: Claim, tables: dict[str, Any]) -> dict[str, Any]:
    """A claim with both sides of its comparisons.

    It holds where in each of them the whole interval of the difference, paired by puzzle, is on the better side of 0;
    where no pairs were measured, where the intervals of both sides do not touch. Few inputs (`--quick`) can show that
    it holds, not that it does not: then it is None.
    """
    compared: list[dict[str, Any]] = []
    absent = set()
    for one in claim.compare:
        rows = tables.get(one.table, {}).get("rows", [])
        paired = _pair(tables.get(one.table, {}).get("pairs", []), asdict(one.better), asdict(one.than))
        better, than = pick(rows, one.better), pick(rows, one.than)
        absent |= {cell.artifact for cell, side in ((one.better, better), (one.than, than)) if side is None}
        holds = None
        if better and than:
            high, low = (than, better) if one.better.metric in LOWER else (better, than)
            holds = paired["interval"][0] > 0 if paired else high["interval"][0] > low["interval"][1]
            if tables[one.table].get("made", {}).get("effort") == "quick":
                holds = holds or None
        compared.append({"table": one.table, "better": better, "than": than, "paired": paired, "holds": holds})
    each = [one["holds"] for one in compared]
    holds = None if absent or (None in each and False not in each) else all(each)
    return {"title": claim.title, "compare": compared, "holds": holds, "absent": sorted(absent)}


def _alike(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two evaluations are of the same puzzles."""
    return first["per_puzzle"]["puzzle"] == second["per_puzzle"]["puzzle"]


def _pair(pairs: list[dict[str, Any]], better: dict[str, Any], than: dict[str, Any]) -> dict[str, Any] | None:
    """The difference and its interval among those of a table; None if it was not measured."""
    for one in pairs:
        if one["better"] == better and one["than"] == than:
            return {name: one[name] for name in ("difference", "interval")}
    return None
