"""`docs/results.md` from the words of `tables.yaml` and the numbers of `results.json`; nothing is computed here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from gram.evaluation.metrics import with_interval
from gram.release.tables import FID, IS, Cell, Row, Table, Tables

DIGITS = {"conflicts": 1, IS: 2, FID: 1}  # of other metrics 3
SINGLE = ("accuracy", "conflicts", "valid")  # of each sample by itself
Results = dict[str, Any]


def page(tables: Tables, results: Results) -> str:
    """The page as Markdown. A table without a measured row is left out."""
    head = f"""# Results

<!-- Written by `gram results`; the words are in gram/release/tables.yaml, the numbers in artifacts/results.json. -->

{tables.intro.strip()}

{_made(tables, results["tables"])}
"""
    parts = [
        _table(table, results["tables"][name])
        for name, table in tables.tables.items()
        if any(row["cells"] for row in results["tables"].get(name, {}).get("rows", []))
    ]
    parts.insert(1, _claims(tables, results["claims"]))
    return "\n".join([head, *parts, *([tables.notes.strip() + "\n"] if tables.notes else [])])


def _made(tables: Tables, found: Results) -> str:
    """How the tables were made; if not all by one command, which of them by which."""
    groups: dict[str, list[str]] = {}
    for name in filter(found.__contains__, tables.tables):
        groups.setdefault(found[name]["made"]["command"], []).append(name)
    lines = []
    for command, names in sorted(groups.items(), key=lambda group: -len(group[1])):
        made = found[names[0]]["made"]
        minutes = sum(found[name]["made"]["cpu_seconds"] for name in names) / 60
        where = f"in {minutes:.1f} CPU minutes on {made['machine']}, torch {made['torch']}"
        how = {
            "cards": "from the metrics of the cards",
            "quick": f"{where}, of few inputs: intervals are wide, and targets are not judged",
        }.get(made["effort"], where)
        titles = [table.title for name, table in tables.tables.items() if name in names]
        lines.append(f"`{command}` {how}" + (f": *{'*, *'.join(titles)}*" if len(groups) > 1 else ""))
    return f"Made by {lines[0]}." if len(lines) == 1 else "Made by\n\n" + "\n".join(f"- {line}" for line in lines)


def _table(table: Table, found: Results) -> str:
    """A table with its words, its data and commands, and its targets."""
    rows = {row["artifact"]: row for row in found["rows"] if row["cells"]}
    several = any(len(row["cells"]) > 1 for row in rows.values())
    theirs = [metric for metric in table.columns if any(metric in row["paper"] for row in rows.values())]
    heads = ["model", *(["samples x steps"] if several else []), *table.columns]
    heads += [f"paper: {' / '.join(theirs)}"] if theirs else []
    heads += ["network calls", "weights; CPU minutes of training"]
    lines = [_row(heads), "|---" * len(heads) + "|"]
    for row in table.rows:
        if row.artifact in rows:
            lines += _lines(table, row, rows[row.artifact], several, theirs)
    targets = _targets(table, found["targets"])
    after = [_source(list(rows.values())), _ratings(table, rows), targets, table.notes.strip()]
    parts = [f"## {table.title}", table.text.strip(), "\n".join(lines), *after]
    return "\n\n".join(part for part in parts if part) + "\n"


def _lines(table: Table, row: Row, found: Results, several: bool, theirs: list[str]) -> Iterable[str]:
    """A line of the table for each cell of a row; what is of the whole row stands in the first."""
    training, paper = found["training"], found["paper"]
    minutes = f"{training['cpu_minutes']:g}" if "cpu_minutes" in training else f"{training['minutes']:g} by the clock"
    name = f"[`{row.artifact}`](../artifacts/{row.artifact}/README.md)" + (f", {row.words}" if row.words else "")
    published = " / ".join(f"{paper[of]:.3g}" if of in paper else "–" for of in theirs) if paper else ""
    for at, cell in enumerate(_cells(found)):
        entries = [name if at == 0 else ""]
        entries += [f"{cell['trajectories']:,} x {cell['supervision_steps']}"] if several else []
        entries += [_figure(cell["metrics"], metric) for metric in table.columns]
        entries += [published if at == 0 else ""] if theirs else []
        yield _row([*entries, _calls(cell), f"{found['parameters']:,}; {minutes}" if at == 0 else ""])


def _cells(row: Results) -> list[Results]:
    """The cells of a row; of a deterministic model, whose trajectories are all one, one of each depth."""
    alike = all("calls" in cell and cell["calls"]["trajectory"] == cell["calls"]["all"] for cell in row["cells"])
    first = {cell["supervision_steps"]: cell for cell in reversed(row["cells"])}
    return [cell for cell in row["cells"] if not alike or cell is first[cell["supervision_steps"]]]


def _figure(metrics: Results, name: str) -> str:
    if name not in metrics:
        return ""
    entry, digits = metrics[name], DIGITS.get(name, 3)
    shown = with_interval(entry["value"], entry["interval"], digits=digits)
    if "mean" in entry:
        shown += f"; {len(entry['seeds'])} seeds: {entry['mean']:.{digits}f}"
    return shown


def _calls(cell: Results) -> str:
    """Of one trajectory, and of all of an input where these are several."""
    if "calls" not in cell:
        return ""
    one, every = cell["calls"]["trajectory"], cell["calls"]["all"]
    return f"{one:,.0f}" + (f"; {every:,.0f}" if every != one else "")


def _source(rows: Collection[Results]) -> str:
    """Data and commands of a table, each once, and of which models they are where not of all."""
    data: dict[str, dict[str, None]] = {}
    sizes: dict[str, dict[str, None]] = {}
    commands: dict[str, dict[str, None]] = {}
    exported: dict[str, None] = {}
    for row in rows:
        about, name = row["data"], row["artifact"]
        digest = f"sha256 `{about['sha256'][:12]}`" if "sha256" in about else f"{about['missing']} is not here"
        text = f"{about['name']} ({about.get('held_out', 0):,} held out, {digest})"
        for cell in row["cells"]:
            of = cell["protocol"].removeprefix("all ")
            sizes.setdefault(text, {})[f"{cell['inputs']:,} {of}"] = None
            command = " ".join("NAME" if word == name else word for word in cell["command"].split())
            if cell["protocol"] == "samples":
                command = "gram generate NAME -n SAMPLES --steps STEPS"
            commands.setdefault(f"`{command}`", {})[name] = None
            if cell["measured"] == "by gram export":
                exported[name] = None
            data.setdefault(text, {})[name] = None
    sized = {f"{text}: {', '.join(sizes[text])}": names for text, names in data.items()}
    cards = _each({" Measured by `gram export`": exported}, len(rows))[0] + "." if exported else ""
    return f"Data: {'; '.join(_each(sized, len(rows)))}. Command: {'; '.join(_each(commands, len(rows)))}.{cards}"


def _each(found: dict[str, dict[str, None]], rows: int) -> list[str]:
    return [text + ("" if len(names) == rows else f" ({', '.join(names)})") for text, names in found.items()]


def _ratings(table: Table, rows: Results) -> str:
    """A second table of one metric by the ratings of the inputs."""
    metric = table.by_rating
    groups = dict.fromkeys(
        group for row in rows.values() for cell in row["cells"] for group in cell.get("by_rating", ())
    )
    if not groups:
        return ""
    lines = [f"By rating (dead ends of a solver), {metric}, and in parentheses the number of inputs:\n"]
    lines += [_row(["model", *groups]), "|---" * (len(groups) + 1) + "|"]
    for name, row in rows.items():
        for cell in row["cells"]:
            found = [cell["by_rating"].get(group) for group in groups]
            shown = [f"{_figure(one['metrics'], metric)} ({one['inputs']})" if one else "" for one in found]
            lines.append(_row([f"`{name}`", *shown]))
    return "\n".join(lines)


def _targets(table: Table, found: list[Results]) -> str:
    """What was to be reached, what was, and of what was missed why."""
    lines = []
    for target, result in zip(table.targets, found, strict=False):
        if result["met"] is None:
            continue
        cell, digits = target.cell, DIGITS.get(result["metric"], 3)
        sign, bound = ("≥", target.at_least) if target.at_least is not None else ("≤", target.at_most)
        where = [f"{cell.trajectories} samples"] if cell.trajectories else []
        where += [f"{cell.supervision_steps} steps"] if cell.supervision_steps else []
        line = f"- {'met' if result['met'] else 'missed'}: `{cell.artifact}`, {', '.join([cell.metric, *where])} "
        line += f"{sign} {bound:g}: {result['reached']:.{digits}f}."
        if not result["met"] and target.limits:
            line += f" {target.limits.strip()}"
        if not result["met"] and target.tried:
            line += " Tried: " + "; ".join(f"{what}: {effect}" for what, effect in target.tried) + "."
        lines.append(line)
    return "Targets:\n\n" + "\n".join(lines) if lines else ""


def _claims(tables: Tables, found: Results) -> str:
    """The claims of the paper, a line for each comparison."""
    heads = ["claim", "better", "than", "difference", "holds"]
    lines = [_row(heads), "|---" * len(heads) + "|"]
    for name, claim in tables.claims.items():
        result = found[name]
        for at, (one, both) in enumerate(zip(claim.compare, result["compare"], strict=True)):
            unknown = "of few inputs, undecided" if both["better"] and both["than"] else "not measured"
            holds = {True: "yes", False: "no", None: unknown}[both["holds"]]
            sides = _side(one.better, both["better"]), _side(one.than, both["than"])
            paired = both["paired"]
            gap = _figure({"": {"value": paired["difference"], **paired}}, "") if paired else ""
            lines.append(_row([claim.title if at == 0 else "", *sides, gap, holds]))
    words = (
        "A claim holds where the interval of the difference, paired by puzzle, does not reach 0; without pairs, where "
        "the intervals of both sides do not touch, and no difference is given. A figure is followed by the samples, "
        "their supervision steps, and the network calls that it takes: of one sample for accuracy, conflicts and "
        "valid, else of all."
    )
    return "\n\n".join(["## The paper's claims", words, "\n".join(lines)]) + "\n"


def _side(cell: Cell, side: Results | None) -> str:
    """One side of a comparison."""
    if side is None:
        return f"`{cell.artifact}`"
    of = "trajectory" if cell.metric in SINGLE else "all"
    calls = f", {side['calls'][of]:,.0f} calls" if "calls" in side else ""
    at = f"{side['trajectories']:,} x {side['supervision_steps']}{calls}"
    return f"`{cell.artifact}`, {cell.metric} {_figure({cell.metric: side}, cell.metric)} ({at})"


def _row(cells: Iterable[Any]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
