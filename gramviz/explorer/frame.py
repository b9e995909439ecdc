"""An explorer as one HTML page: the same module, the payload in base64, and a short shim in place of the kernel.

Module and shim lie deflated in it (160 kB of 400), and are put back as an inline script when it opens: inflating the
payload asks no less of a browser. The page makes no request (its content security policy forbids them), touches no
storage, and everything in it that came from a file is text: JSON with `<`, `>`, `&` and the two line separators
escaped, and HTML through `html.escape`. Without script it shows the final board and a table; damaged, or in a browser
that cannot inflate, a sentence. `frame` wraps the page for a notebook or report in a sandboxed iframe.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from gram import atomic, plugins
from gram.bounded import InputError, content
from gramviz.explorer.link import link
from gramviz.explorer.models import Models, packed
from gramviz.explorer.payload import Payload
from gramviz.explorer.puzzles import counted, puzzle_name
from gramviz.views.parts import plural

MAX_PART = 1_000_000  # bytes of a part of another package
FRAME_HEIGHT = 760  # px of the frozen frame in a notebook or report, in which the explorer fits itself

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "media-src blob:; base-uri 'none'; form-action 'none'"
)
_COMPUTING = (
    _POLICY.replace("script-src 'unsafe-inline'", "script-src 'unsafe-inline' 'wasm-unsafe-eval'")
    + "; worker-src blob:"
)

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="gramviz">
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; padding: 8px; font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main, footer, noscript { display: block; max-width: 1440px; margin: 0 auto; }
footer { padding: 8px 16px; font-size: 12px; }
table { border-collapse: collapse; margin: 8px 0 16px; }
th, td { padding: 2px 8px; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
main > p { visibility: hidden; animation: late 0s 3s forwards; } /* where nothing has taken its place by then */
@keyframes late { to { visibility: visible; } }
.board td { border: 1px solid #7C8798; width: 1.6em; height: 1.6em; text-align: center; padding: 0; }
body, body:has([data-gv-theme="light"]) { color: #16202E; background: #FFFFFF; }
@media (prefers-color-scheme: dark) { body { color: #F2F5F9; background: #12171F; } }
body:has([data-gv-theme="dark"]) { color: #F2F5F9; background: #12171F; }
</style>
</head>
<body>
<main id="gv"><p>This page did not start. It is damaged, or the browser is too old for it: get it again, or open it in a
current browser.</p></main>
<noscript><style>main { display: none; }</style>$fallback</noscript>
<footer><details><summary>$title: where $what comes from</summary>$provenance</details></footer>
<script type="application/json" id="gv-payload" data-sha256="$digest">$payload</script>
<script type="application/zlib" id="gv-module">$module</script>
<script type="module">
const text = atob(document.getElementById("gv-module").textContent);
const packed = new Uint8Array(text.length);
for (let k = 0; k < text.length; k += 1) packed[k] = text.charCodeAt(k); // four times as fast as Uint8Array.from
const module = new Response(packed).body.pipeThrough(new DecompressionStream("deflate"));
const script = Object.assign(document.createElement("script"), { type: "module" });
script.textContent = await new Response(module).text();
document.body.append(script); // inline, as this one is: the page's policy allows it
</script>
</body>
</html>
""")

_MADE = r'("created_at"):"[^"]*'  # as in `_SHIM`

# The whole host: what anywidget's model is to the module, plus the view in the page's address.
_SHIM = """
{ // a block: these names are not the module's
const { textContent: text, dataset } = document.getElementById("gv-payload");
const sealed = text.replace(/("created_at"):"[^"]*/g, '$1:"'); // a report blanks the time of its making
if (![null, dataset.sha256].includes(await digest(new TextEncoder().encode(sealed)))) throw Error(words.damaged);
const parcels = JSON.parse(text); // one for each puzzle that is here
const alone = self === top; // in a report's frame the address is not ours
const read = (text) => JSON.parse(new TextDecoder().decode(bytesOf(text.replaceAll("-", "+").replaceAll("_", "/"))));
const write = (value) => btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value))))
  .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const host = (s, L = {}) => ({
  get: (k) => s[k], set(k, v) { s[k] = v; this.emit("change:" + k); },
  on(e, f) { (L[e] ??= []).push(f); }, off(e, f) { L[e] = (L[e] ?? []).filter((g) => g !== f); },
  emit(e, x) { for (const f of L[e] ?? []) f(x); },
  send(q) { // another puzzle that is here, or a question for a model
    if (!("puzzle" in q)) return this.emit("ask", q);
    const { meta, data } = parcels.find(({ meta }) => meta.puzzle === q.puzzle);
    Object.assign(s, { meta, state: { puzzle: q.puzzle }, run: null });
    this.set("data", bytesOf(data)); },
  save_changes() {
    const view = { ...s.state, run: s.run ?? undefined };
    if (alone) try { history.replaceState(null, "", "#v=" + write(view)); } catch {} },
  frozen: true });
let state = parcels[0].state ?? {};
if (alone && location.hash.startsWith("#v=")) try { state = read(location.hash.slice(3)) ?? state; } catch {}
const parcel = parcels.find(({ meta }) => meta.puzzle === state.puzzle) ?? parcels[0];
const { run } = state; // a puzzle that a person typed, and what to run on it
delete state.run;
const held = parcels.map(({ meta }) => meta.puzzle);
const { thinker } = parcels[0];
const asks = thinker && ["branch"];
const model = host({ meta: parcel.meta, state, run, status: "", held, thinker, asks, data: bytesOf(parcel.data) });
await gramvizWidget.render({ model, el: document.getElementById("gv"), signal: new AbortController().signal });
}
"""


@cache
def _script(module: str) -> str:
    """The module and its host, as `_PAGE` holds them."""
    return packed((module.replace("export default", "const gramvizWidget =", 1) + _SHIM).encode())


@cache
def module_text() -> str:
    """The front end as one ES module, with the parts of other packages; one that cannot be linked is left out."""
    paths: dict[str, Any] = {}
    plugins.load("gramviz.parts", paths, _is_path)
    parts: dict[str, str] = {}
    for entry in plugins.named("gramviz.parts"):
        if entry.name in paths:
            try:
                text = content(Path(paths[entry.name]), MAX_PART).decode("utf-8")
                link(plugins={**parts, entry.name: text})
            except (OSError, ValueError) as error:
                plugins.leave_out(entry, error)
            else:
                parts[entry.name] = text
    return link(plugins=parts)


def _is_path(_name: str, path: Any) -> None:
    """Refuse what is no path."""
    if not isinstance(path, str | os.PathLike):
        raise plugins.PluginError(f"it is {path!r:.80}, and no path of a JavaScript module")


def page_text(
    payload: Payload, state: Mapping[str, Any], more: Sequence[Payload] = (), models: Models | None = None
) -> str:
    """The page of a payload that opens with this state, holds those of `more` puzzles, and runs the models."""
    parcels = [{"meta": one.meta, "data": base64.b64encode(one.data).decode()} for one in (payload, *more)]
    parcels[0]["state"] = state
    if models:
        parcels[0]["thinker"] = models
    title, held = f"{payload.meta['title']}, {puzzle_name(payload.meta)}", _json(parcels)
    return _PAGE.substitute(
        policy=_COMPUTING if models else _POLICY,
        title=escape(title),
        fallback=_fallback(payload),
        what="the recorded run" if models else "this",  # of a run of the page nothing stands here
        provenance=_provenance(payload.meta),
        payload=held,
        module=_script(module_text()),
        digest=hashlib.sha256(re.sub(_MADE, r'\1:"', held).encode()).hexdigest(),
    )


def summary(payload: Payload) -> str:
    """One line: which puzzle, and of every series how many trajectories are correct, where that is known."""
    meta, said = payload.meta, []
    for series in meta["series"]:
        outcome = payload.array("outcome", series["letter"])
        known = not np.isin(outcome, (3, 4)).any()
        of = f"{(outcome == 1).sum()} of {outcome.size} correct" if known else counted(outcome.size)
        said.append(f"{series['letter']} {series['name']} {of}")
    return f"{meta['title']}, {puzzle_name(meta)}: {'; '.join(said)}"


class PageError(InputError):
    """A page that cannot be written; the message gives the place, the reason, and the fix."""


class Page(str):
    """The text of a page, which a notebook shows as one line.

    Attributes:
        path: the file where it was written, or None.
        payload: what it shows.
    """

    path: Path | None
    payload: Payload

    def __repr__(self) -> str:
        size = f"{len(self.encode()) / 1e6:.2f} MB"
        return f"{self.path or 'A page'}, {size}, plays without kernel or network: {summary(self.payload)}"


def write_page(
    payload: Payload,
    state: Mapping[str, Any],
    path: str | os.PathLike[str] | None,
    more: Sequence[Payload] = (),
    models: Models | None = None,
) -> Page:
    """The page of a payload and of those of `more` puzzles, with models to run; written to `path`, whole or not at all.

    Raises:
        PageError: the place cannot be written.
    """
    text = Page(page_text(payload, state, more, models))
    text.path, text.payload = None if path is None else Path(path), payload
    if text.path is not None:
        try:
            atomic.write(text.path, text)
        except OSError as error:
            why = error.strerror or "it is a folder"
            raise PageError(
                f"cannot write {text.path}: {why}; choose a folder that is there, and a file in it"
            ) from error
    return text


def frame(payload: Payload, state: Mapping[str, Any], height: int = FRAME_HEIGHT) -> str:
    """The page in a sandboxed iframe, as HTML for a notebook's output: scripts yes, our origin no."""
    title = escape(f"Explorer: {payload.meta['title']}, {puzzle_name(payload.meta)}", quote=True)
    page = escape(page_text(payload, state), quote=True)
    return (
        f'<iframe srcdoc="{page}" sandbox="allow-scripts allow-downloads" '
        f'allow="clipboard-write; fullscreen" title="{title}" loading="lazy" '
        f'style="width:100%;height:{height}px;border:0"></iframe>'
    )


def _json(value: Any) -> str:
    """JSON that can stand in a <script>: nothing in it ends the element or opens another."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _fallback(payload: Payload) -> str:
    """What a browser without script shows: the puzzle, the most frequent final answer, and a table of all answers."""
    meta = payload.meta
    best = meta["answers"][0] if meta["answers"] else None
    tables = [_board("The puzzle", meta, meta["x"])] if meta["x"] else []
    if meta.get("input"):
        size = {name: meta["input"][name] for name in ("height", "width")}
        tables.append(_board("The input", meta | {"board": meta["board"] | size}, meta["input"]["tokens"]))
    if best:
        tables.append(_board("The most frequent final answer", meta, best["tokens"]))
    letters = [series["letter"] for series in meta["series"]]
    rows = "".join(
        f"<tr><td>{escape(answer['letter'] or '')}</td><td>{verdict(answer, meta['board'])}</td>"
        + "".join(f"<td>{int(answer['counts'].get(letter, 0))}</td>" for letter in letters)
        + "</tr>"
        for answer in meta["answers"][:200]
    )
    heads = "".join(f"<th>{escape(series['letter'])} {escape(series['name'])}</th>" for series in meta["series"])
    return (
        f"<h1>{escape(meta['title'])}, {puzzle_name(meta)}</h1>"
        "<p>This page plays where scripts are allowed. Without them, here is how it ends.</p>"
        f"{''.join(tables)}<table><caption>Final answers and how many trajectories reach each</caption>"
        f"<tr><th>Answer</th><th>Outcome</th>{heads}</tr>{rows}</table>"
    )


def verdict(answer: Mapping[str, Any], board: Mapping[str, Any]) -> str:
    """In the words of `gramviz.measure.Answer.outcome`; of a picture nobody can say more than that it was drawn."""
    if answer.get("valid") is None:
        return "drawn" if board["kind"] == "image" else "unknown"
    if answer["valid"]:
        return "valid"
    ruled = board["kind"] == "graph" or bool(board.get("groups") or board.get("required"))
    if not (count := answer.get("conflicts") or 0):
        return "a given changed or a blank left" if ruled else "not valid"
    return plural(round(count), "conflict" if ruled else "wrong cell")


def _board(caption: str, meta: Mapping[str, Any], tokens: Sequence[int]) -> str:
    board = meta["board"]
    names = [token.get("symbol") or "" for token in board["tokens"]]
    rows = (tokens[row * board["width"] : (row + 1) * board["width"]] for row in range(board["height"]))
    body = "".join("<tr>" + "".join(f"<td>{escape(names[token])}</td>" for token in row) + "</tr>" for row in rows)
    return f'<table class="board"><caption>{escape(caption)}</caption>{body}</table>'


def _provenance(meta: Mapping[str, Any]) -> str:
    """Which series, checkpoints and versions the page was made of, for people and for a citation."""
    columns = ("letter", "name", "model", "task", "trajectories", "steps", "seed", "checkpoint", "hash")
    head = "".join(f"<th>{name}</th>" for name in columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(str(series.get(name, '')))}</td>" for name in columns) + "</tr>"
        for series in meta["series"]
    )
    notes = [*meta.get("left_out", ()), json.dumps(meta.get("provenance", {}), ensure_ascii=False)]
    return f"<table><tr>{head}</tr>{rows}</table>" + "".join(f"<p>{escape(str(note))}</p>" for note in notes)
