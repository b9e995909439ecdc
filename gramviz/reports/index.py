"""One page over all reports below a folder: states, numbers, small pictures; sorted and filtered, without a network."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from gram import atomic
from gramviz.reports import record
from gramviz.reports.blocks.block import number

COLUMNS = 3  # of numbers: those that most reports have


@dataclass(frozen=True)
class Entry:
    """A report that is shown: its record, and which of its files are there, relative to the index."""

    about: Mapping[str, Any]
    folder: str
    files: Mapping[str, str]

    @property
    def state(self) -> str:
        """`passed`; `failed`; `stale`: the last run failed, and an older page is there."""
        return "passed" if self.about.get("state") == "passed" else "stale" if "page" in self.files else "failed"


_FILES = {
    "page": ".html",
    "failed": ".failed.html",
    "notebook": ".ipynb",
    "picture": ".png",
    "PDF": ".pdf",
}


def entries(folder: Path) -> list[Entry]:
    """All reports below a folder, by place and name."""
    found = []
    for path in sorted(folder.rglob(f"*{record.ENDING}")):
        about = record.read(path)
        if about is None:
            continue
        stem, place = path.name.removesuffix(record.ENDING), path.parent.relative_to(folder)
        files = {name: path.parent / (stem + ending) for name, ending in _FILES.items()}
        there = {name: file.relative_to(folder).as_posix() for name, file in files.items() if file.is_file()}
        found.append(Entry(about, place.as_posix(), there))
    return found


def write(folder: Path) -> Path:
    """Write `index.html` into the folder, whole or not at all, and return its path.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / "index.html"
    atomic.write(path, text(entries(folder)))
    return path


def text(shown: list[Entry]) -> str:
    """The page."""
    counts = Counter(name for one in shown for name in one.about.get("metrics", {}))
    names = sorted(counts, key=lambda name: (-counts[name], name.count("."), name))[:COLUMNS]
    heads = [("Report", "text"), ("State", "text"), *((name, "number") for name in names)]
    heads += [("Run", "text"), ("Started", "text"), ("Seconds", "number")]
    head = "".join(
        f'<th scope="col"><button type="button" data-kind="{kind}">{html.escape(name)}</button></th>'
        for name, kind in heads
    )
    states = Counter(one.state for one in shown)
    said = ", ".join(f"{states[state]:,} {state}" for state in ("passed", "failed", "stale") if states[state])
    return _PAGE.substitute(
        said=f"{len(shown):,} reports{f': {said}' if said else ''}",
        head=f"<td></td>{head}",
        rows="\n".join(_row(one, names) for one in shown),
    )


def _row(one: Entry, names: list[str]) -> str:
    about, files = one.about, {name: html.escape(quote(path)) for name, path in one.files.items()}
    picture = f'<img src="{files["picture"]}" alt="" loading="lazy">' if "picture" in files else ""
    to = files.get("page") if one.state == "passed" else files.get("failed", files.get("page"))
    title = html.escape(str(about.get("title", "")))
    parameters = about.get("parameters", {})
    changed = ", ".join(f"{name}={_value(parameters[name])}" for name in about.get("changed", []) if name in parameters)
    links = [f'<a href="{files[name]}">{said}</a>' for name, said in _links(one).items() if name in files]
    error = f"<p class='error'>{html.escape(str(about['error']))}</p>" if about.get("error") else ""
    cells = [
        f'<td>{picture}</td><th scope="row">{f"<a href={chr(34)}{to}{chr(34)}>{title}</a>" if to else title}'
        f"<p>{html.escape(one.folder)}</p>{f'<p>{html.escape(changed)}</p>' if changed else ''}{error}"
        f"<p>{' · '.join(links)}</p></th>",
        f'<td><b class="{one.state}">{one.state}</b></td>',
    ]
    measured = about.get("metrics", {})
    for name in names:
        value = measured.get(name)
        cells.append(f'<td data-value="{value}">{number(value)}</td>' if value is not None else "<td></td>")
    seconds = about.get("duration_seconds")
    when = str(about.get("started_at", ""))
    cells.append(f"<td><code>{html.escape(str(about.get('run', '')))}</code></td>")
    cells.append(f'<td data-value="{html.escape(when)}">{html.escape(when[:16].replace("T", " "))}</td>')
    cells.append(f'<td data-value="{seconds}">{seconds:,.0f}</td>' if isinstance(seconds, int | float) else "<td></td>")
    return f'<tr data-state="{one.state}">{"".join(cells)}</tr>'


def _links(one: Entry) -> dict[str, str]:
    """The other files of a report, in words."""
    page = {"page": "the page before, stale"} if one.state == "stale" else {}
    return {**page, "notebook": "notebook", "PDF": "PDF"}


def _value(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value)
    return said if len(said) <= 60 else f"{said[:57]}..."


_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src \
'unsafe-inline'; img-src 'self' file: data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reports</title>
<style>
:root { color-scheme: light dark; --ink: #16202E; --text: #3D4A5C; --bg: #FFFFFF; --line: #D5DBE3; --shade: #F3F5F8;
  --good: #14693A; --bad: #A01818; --old: #8A4B00; --link: #0060A8; }
@media (prefers-color-scheme: dark) { :root { --ink: #F2F5F9; --text: #B9C3D0; --bg: #12171F; --line: #3D4A5C;
  --shade: #1B222D; --good: #6FCF97; --bad: #FF9A94; --old: #F2B05E; --link: #8AB8F5; } }
body { margin: 0; padding: 20px 24px 48px; color: var(--text); background: var(--bg);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { color: var(--ink); font-size: 24px; margin: 0 0 4px; }
p { margin: 0 0 12px; }
form { display: flex; flex-wrap: wrap; gap: 12px; align-items: end; margin: 0 0 12px; }
label { display: grid; gap: 2px; }
input, select { font: inherit; padding: 5px 8px; color: var(--ink); background: var(--bg);
  border: 1px solid #7C8798; border-radius: 4px; }
input { width: 26em; max-width: 80vw; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 8px 12px 8px 0; font-weight: 400; overflow-wrap: anywhere; }
thead { position: sticky; top: 0; background: var(--shade); z-index: 1; }
thead th, thead td { padding: 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead button { font: inherit; font-weight: 600; color: var(--ink); background: none; border: 0; padding: 8px 12px 8px 0;
  cursor: pointer; width: 100%; text-align: left; }
thead th[aria-sort=ascending] button::after { content: " ▲"; }
thead th[aria-sort=descending] button::after { content: " ▼"; }
tbody tr { border-bottom: 1px solid var(--line); content-visibility: auto; }
tbody th { min-width: 18em; }
tbody th > a { font-weight: 600; }
tbody th p { margin: 2px 0 0; font-size: 13px; }
td:first-child { width: 168px; }
td:not(:first-child) { white-space: nowrap; }
img { display: block; width: 160px; height: auto; max-height: 110px; object-fit: contain; object-position: left top;
  background: #fff; border-radius: 3px; }
a { color: var(--link); }
.passed { color: var(--good); } .stale { color: var(--old); } .failed, .error { color: var(--bad); }
:is(button, input, select, a):focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
</style>
</head>
<body>
<main>
<h1>Reports</h1>
<p>$said. Passed: the page is of the last run. Failed: the last run failed or broke an expectation. Stale: it
did, and an older page is still here.</p>
<form role="search"><label>Filter by words <input type="search" id="words"></label>
<label>State <select id="state"><option value="">all</option><option>passed</option><option>failed</option>
<option>stale</option></select></label><output id="count" aria-live="polite"></output></form>
<table>
<thead><tr>$head</tr></thead>
<tbody>
$rows
</tbody>
</table>
</main>
<script>
const body = document.querySelector("tbody"), rows = [...body.rows], words = document.getElementById("words");
const state = document.getElementById("state"), count = document.getElementById("count");
const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
function filter() {
  const wanted = words.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    row.hidden = (state.value && row.dataset.state !== state.value) || !wanted.every((w) => texts.get(row).includes(w));
    shown += !row.hidden;
  }
  count.textContent = shown === rows.length ? "" : shown + " of " + rows.length + " shown";
}
words.oninput = state.onchange = filter;
document.querySelector("form").onsubmit = () => false;
const of = (row, at) => row.cells[at].dataset.value ?? row.cells[at].textContent.trim();
for (const button of document.querySelectorAll("thead button")) button.onclick = () => {
  const head = button.parentElement, at = head.cellIndex, down = head.ariaSort === "ascending";
  for (const other of document.querySelectorAll("thead th")) other.ariaSort = null;
  head.ariaSort = down ? "descending" : "ascending";
  const number = button.dataset.kind === "number", sign = down ? -1 : 1;
  body.append(...rows.sort((a, b) => {
    const [x, y] = [of(a, at), of(b, at)];
    if (!x || !y) return !x - !y; // what has no value comes last
    return sign * (number ? x - y : x.localeCompare(y));
  }));
};
</script>
</body>
</html>
""")
