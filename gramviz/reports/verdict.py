"""What a report's numbers say: whether they meet what was expected, and how they differ from the last good run.

A number has the name of its place in the metrics of a run: `accuracy`, `best_of_n.value`. Compared are those that have
an interval under `intervals`, and those that stand at the top.
"""

from __future__ import annotations

import html
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gram.suggest import did_you_mean
from gramviz.reports.blocks.block import COLORS, number, table, with_interval
from gramviz.reports.notebook import ReportError
from gramviz.reports.provenance import varying

_COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION = re.compile(rf"\s*({'|'.join(_COMPARE)})\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True)
class Expectation:
    """A condition on a number of a run, and what came out; `value` is None where the run has no such number."""

    name: str
    condition: str
    value: float | None
    holds: bool
    known: str = ""

    def __str__(self) -> str:
        found = f"is {number(self.value)}" if self.value is not None else f"was not measured ({self.known})"
        return f"{self.name} should be {self.condition} and {found}"


def conditions(expect: Any) -> dict[str, str]:
    """Expectations as they are given, checked: name of a number -> condition.

    Raises:
        ReportError: it is no mapping of names to conditions.
    """
    example = "write for example expect: {accuracy: '>=0.85'}"
    if not isinstance(expect, Mapping):
        raise ReportError(f"expect must name numbers and conditions, not {expect!r}; {example}")
    for name, condition in expect.items():
        if not isinstance(condition, str) or not _CONDITION.fullmatch(condition):
            known = ", ".join(_COMPARE)
            raise ReportError(
                f"the condition on {str(name)!r} must be one of {known} and a number, not {condition!r}; {example}"
            )
    return {str(name): " ".join(condition.split()) for name, condition in expect.items()}


def judge(expect: Mapping[str, str], metrics: Mapping[str, Any]) -> list[Expectation]:
    """Each condition, and whether the numbers of a run meet it."""
    numbers, found = dict(_numbers(metrics)), []
    for name, condition in expect.items():
        match = _CONDITION.fullmatch(condition)
        assert match
        value = numbers.get(name)
        holds = value is not None and bool(_COMPARE[match[1]](value, float(match[2])))
        known = did_you_mean(name, numbers).strip(" ()") or f"measured: {', '.join(headline(metrics)) or 'nothing'}"
        found.append(Expectation(name, condition, value, holds, "" if value is not None else known))
    return found


def _numbers(tree: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """All numbers in nested dicts, by the path of their keys."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _numbers(value, f"{name}.{key}" if name else str(key))
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield name, float(tree)


def _intervals(tree: Any, name: str = "") -> Iterator[tuple[str, Sequence[float]]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _intervals(value, f"{name}.{key}" if name else str(key))
    elif isinstance(tree, list) and len(tree) == 2:
        yield name, tree


def headline(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The numbers that runs are compared by, in their order; names as in this file's head."""
    inside = dict(_intervals(metrics.get("intervals", {})))
    return {name: value for name, value in _numbers(metrics) if name in inside or "." not in name}


def verdict(
    judged: Sequence[Expectation], metrics: Mapping[str, Any], last: Mapping[str, Any] | None, started_at: str
) -> str:
    """The head of a page: when it ran; passed or failed, and each condition, if anything was expected; and the strip of
    differences to the last run, if there is one.

    Args:
        last: what the last good run left in metrics.json.
        started_at: ISO 8601, UTC.
    """
    when = varying(f"<p><small>Run of {html.escape(started_at[:16].replace('T', ' '))} UTC.</small></p>")
    strip = _strip(metrics, last)
    if not judged:
        return when + varying(_section("", strip) if strip else "")
    broken = [one for one in judged if not one.holds]
    said = f"FAILED: {len(broken)} of {len(judged)} expectations do not hold" if broken else "Passed"
    conditions_met = table(["", "Expected", "Found"], [_row(one) for one in judged], "")
    return when + _section(" failed" if broken else "", f"<h2>{said}</h2>{conditions_met}{varying(strip)}")


def _section(kind: str, inside: str) -> str:
    return f'<section class="gram-verdict{kind}" aria-label="Verdict">{inside}</section>'


def _row(one: Expectation) -> list[str]:
    found = number(one.value) if one.value is not None else f"not measured; {one.known}"
    return [f"{'✓' if one.holds else '✗'} {one.name}", one.condition, found]


def _strip(metrics: Mapping[str, Any], last: Mapping[str, Any] | None) -> str:
    """Each number less that of the last good run, as a table with a picture; nothing where there is none to compare."""
    now = headline(metrics)
    before = headline(last["metrics"]) if last else {}
    shared = [name for name in now if name in before]
    if not shared or last is None:
        return ""
    inside, earlier = (dict(_intervals(one.get("intervals", {}))) for one in (metrics, last["metrics"]))
    wide = {name: max((abs(end - now[name]) for end in inside.get(name, [])), default=0.0) for name in shared}
    rows = []
    for name in shared:
        gap = now[name] - before[name]
        low, high = inside.get(name, [now[name], now[name]])
        least, most = earlier.get(name, [before[name], before[name]])
        mark = "=" if gap == 0 else "○" if low <= most and least <= high else "▲" if gap > 0 else "▼"
        value = with_interval(now[name], inside[name]) if name in inside else number(now[name])
        picture = _bar(gap, before[name], low, high, wide[name])
        may_wrap = re.sub("([._])", r"\1<wbr>", html.escape(name))
        rows.append(
            f'<tr><th scope="row">{may_wrap}</th><td>{value}</td><td>{number(before[name])}</td>'
            f"<td>{mark} {'+' if gap > 0 else ''}{number(gap)}</td><td>{picture}</td></tr>"
        )
    when = html.escape(str(last.get("provenance", {}).get("started_at", "an unknown time")))
    changed = [row for row in rows if "▲" in row or "▼" in row]
    return (
        f"<details{' open' if changed else ''}><summary>{len(changed)} of {len(rows)} numbers moved beyond "
        f"their intervals since the last good run ({when})</summary><table><thead><tr><th>Number</th><th>This run</th>"
        f"<th>Last run</th><th>Difference</th><td></td></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        "<p><small>▲ higher, ▼ lower, ○ the intervals of both runs (95 %) overlap, = equal. Bar: this run.</small></p>"
        "</details>"
    )


def _bar(gap: float, before: float, low: float, high: float, wide: float) -> str:
    """The difference with this run's interval around it, and a line at zero."""
    reach = 1.1 * max(abs(gap) + wide, abs(before) * 0.02, 1e-12)
    x = [100 + 95 * (value - before) / reach for value in (low, before + gap, high)]
    return (
        f'<svg viewBox="0 0 200 18" width="200" role="img" aria-label="difference {number(gap)}">'
        '<line x1="100" x2="100" y1="0" y2="18" stroke="currentColor" opacity=".5"/>'
        f'<line x1="{x[0]:.1f}" x2="{x[2]:.1f}" y1="9" y2="9" stroke="{COLORS[0]}" stroke-width="3"/>'
        f'<circle cx="{x[1]:.1f}" cy="9" r="5" fill="{COLORS[0]}"/></svg>'
    )
