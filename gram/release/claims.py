"""What the measured tables say of the paper's claims and of our targets; computed, nothing is typed by hand."""

from __future__ import annotations

from typing import Any

from gram.release.tables import LOWER, Cell, Claim, Table

Rows = list[dict[str, Any]]


def pick(rows: Rows, cell: Cell) -> dict[str, Any] | None:
    """A figure among the rows of a table, with the depth and width that it is of; None if it was not measured."""
    for row in rows:
        for found in row["cells"] if row["artifact"] == cell.artifact else []:
            asked = ((cell.trajectories, found["trajectories"]), (cell.supervision_steps, found["supervision_steps"]))
            if all(wanted in (0, has) for wanted, has in asked) and cell.metric in found["metrics"]:
                about = {name: found[name] for name in ("trajectories", "supervision_steps", "calls") if name in found}
                return {"artifact": cell.artifact, "metric": cell.metric, **about, **found["metrics"][cell.metric]}
    return None


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

    It holds where in each of them the whole interval of the better side is better than that of the other.
    """
    compared: list[dict[str, Any]] = []
    absent = set()
    for one in claim.compare:
        rows = tables.get(one.table, {}).get("rows", [])
        better, than = pick(rows, one.better), pick(rows, one.than)
        absent |= {cell.artifact for cell, side in ((one.better, better), (one.than, than)) if side is None}
        holds = None
        if better and than:
            high, low = (than, better) if one.better.metric in LOWER else (better, than)
            holds = high["interval"][0] > low["interval"][1]
        compared.append({"table": one.table, "better": better, "than": than, "holds": holds})
    holds = None if absent else all(one["holds"] for one in compared)
    return {"title": claim.title, "compare": compared, "holds": holds, "absent": sorted(absent)}
