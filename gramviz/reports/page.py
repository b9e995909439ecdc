"""An executed notebook as one HTML page that makes no request, and the short page of a run that failed.

The template has no script of nbconvert's, explorers are frozen frames, and a Content-Security-Policy forbids the rest.
Formulas are therefore to be written in HTML; nothing typesets TeX here.
"""

from __future__ import annotations

import base64
import copy
import gzip
import html
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any

import plotly.io
import plotly.offline
from nbformat import NotebookNode
from traitlets.config import Config

from gramviz.explorer.frame import FRAME_HEIGHT
from gramviz.reports.execute import Failure
from gramviz.reports.notebook import FIGURE, tags
from gramviz.reports.provenance import provenance_html
from gramviz.theme import CONFIG, DARK, LIGHT, sequential

# nbconvert's page asks three CDNs for require.js, MathJax and mermaid. Explorers need none of them, and the policy
# makes it sure: what is not in the file cannot be had.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "script-src 'unsafe-inline' 'unsafe-eval' data: blob:",  # plotly's WebGL compiles functions
        "img-src data: blob:",
        "media-src data: blob:",
        "font-src data:",
        "connect-src data: blob:",
        "frame-src data: blob:",
    )
)

# Each color in the light and in the dark, as its reader's system asks for. On paper it is light.
_PALETTE = " ".join(
    f"--{name}: light-dark({getattr(LIGHT, name)}, {getattr(DARK, name)});"
    for name in ("bg", "sunk", "line", "ink", "text2", "blue")
)
_THEMES = f"""
:root {{ color-scheme: light dark; {_PALETTE}
  --link: light-dark(#0060a8, #8ab8f5); --good: light-dark(#1d7a45, #6fcf97); --fine: light-dark(#f2f6f3, #17251d);
  --bad: light-dark(#a01818, #ff9a94); --wrong: light-dark(#fbefef, #2e1a1c);
  --gram-1: light-dark(#0072b2, {DARK.blue}); --gram-2: light-dark(#d55e00, {DARK.vermilion});
  --gram-3: light-dark(#009e73, {DARK.green}); --gram-4: light-dark(#cc79a7, {DARK.purple}); }}
@media print {{ :root {{ color-scheme: light; }} }}
"""

# In the place of JupyterLab's style sheet, which weighs 0.26 MB and is mostly about its own windows.
_STYLE = (
    _THEMES
    + """
:root { --jp-mirror-editor-comment-color: light-dark(#4d6a6a, #8fb0b0);
  --jp-mirror-editor-error-color: var(--bad); --jp-mirror-editor-keyword-color: light-dark(#006b00, #7fd18b);
  --jp-mirror-editor-number-color: light-dark(#006b00, #7fd18b);
  --jp-mirror-editor-operator-color: light-dark(#8a1fd1, #d3a4ff);
  --jp-mirror-editor-punctuation-color: light-dark(#0055aa, #8ab8f5);
  --jp-mirror-editor-string-color: light-dark(#a31f1f, #ffab91); --jp-mirror-editor-variable-color: var(--ink); }
* { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { background: var(--bg); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; margin: 0; padding: 0 1rem; }
main { max-width: 74rem; margin: 0 auto; padding: 2rem 0 4rem; }
.jp-Cell { margin: 0 0 .6rem; }
.jp-Collapser { display: none; }
.jp-MarkdownOutput > :is(p, ul, ol) { max-width: 46rem; }
p { margin: 0 0 1em; }
h1, h2, h3 { line-height: 1.25; font-weight: 650; margin: 2rem 0 .6rem; }
h1 { font-size: 2rem; margin-top: 0; }
h2 { font-size: 1.35rem; }
h3 { font-size: 1.1rem; }
a { color: var(--link); }
blockquote { margin: 1em 2em; padding: 0 1em; border-left: 4px solid var(--line); }
img, svg { max-width: 100%; height: auto; }
.jp-OutputArea table, .jp-MarkdownOutput table { border-collapse: collapse; font-size: .92rem; margin: .4rem 0 1rem; }
.jp-OutputArea :is(th, td), .jp-MarkdownOutput :is(th, td) { text-align: left; vertical-align: top; }
.jp-OutputArea :is(th, td), .jp-MarkdownOutput :is(th, td) { padding: .35rem .8rem .35rem 0; }
.jp-OutputArea tbody tr, .jp-MarkdownOutput tbody tr { border-top: 1px solid var(--line); }
pre, code { font: .86rem/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
:not(pre) > code { background: var(--sunk); padding: 1px 5px; border-radius: 3px; }
.jp-InputArea-editor { background: var(--sunk); border: 1px solid var(--line); border-radius: 4px; padding: 4px 8px; }
.jp-RenderedHTMLCommon pre { background: var(--sunk); padding: .6rem .8rem; overflow-x: auto; }
.ansi-bold { font-weight: bold; }
.ansi-red-fg, .ansi-red-intense-fg { color: light-dark(#b22b31, #ff9a94); }
.ansi-green-fg, .ansi-green-intense-fg { color: light-dark(#007427, #6fcf97); }
.ansi-yellow-fg, .ansi-yellow-intense-fg { color: light-dark(#8a5d00, #f2b05e); }
.ansi-blue-fg, .ansi-blue-intense-fg { color: light-dark(#0065ca, #8ab8f5); }
.ansi-magenta-fg, .ansi-magenta-intense-fg { color: light-dark(#a03196, #e8a6e0); }
.ansi-cyan-fg, .ansi-cyan-intense-fg { color: light-dark(#1d7176, #7fd3d8); }
.gram-headline { font-size: 1.1rem; border-left: 4px solid var(--blue); padding-left: .9rem; }
.gram-figure { margin: .6rem 0 1rem; }
.gram-figure figcaption { font-size: .92rem; color: var(--text2); }
.gram-provenance th { width: 11rem; font-weight: 500; color: var(--text2); }
.gram-provenance td { overflow-wrap: anywhere; }
.gram-verdict { border-left: 6px solid var(--good); background: var(--fine);
  padding: .6rem 1rem; margin-bottom: 1.5rem; }
.gram-verdict.failed { border-color: var(--bad); background: var(--wrong); }
.gram-verdict th { white-space: nowrap; }
.gram-verdict h2 { margin: 0 0 .4rem; }
.gram-verdict.failed h2 { color: var(--bad); }
@media (max-width: 40rem) { /* words stay whole; what is wider than a phone for all that is moved sideways by itself */
  :is(.jp-OutputArea, .jp-MarkdownOutput, .gram-verdict) table { display: block; overflow-x: auto; font-size: .8rem; }
  :is(.jp-OutputArea, .jp-MarkdownOutput, .gram-verdict) :is(th, td) { padding-right: .4rem; }
  .gram-verdict th { white-space: normal; } .gram-verdict svg { min-width: 3rem; }
}
.jp-Cell-outputWrapper { margin-top: .4rem; }
details { margin-bottom: .6rem; }
iframe { border: 0; width: 100%; }
iframe[title^='Explorer'] { width: calc(100% + 16px) !important; margin: 0 -8px; } /* its page has a margin of 8 */
/* Until an explorer has sent its height; its own default is too low where its header wraps. */
iframe[title^='Explorer'] { height: 950px !important; }
@page { margin: 0.5in; }
@media print {
  main { max-width: none; }
  figure, img, svg, tr, .gramviz-picture { break-inside: avoid; }
  .gram-reveal::details-content { content-visibility: visible; }
  gramviz-output > iframe, .gramviz-picture > p { display: none; } /* on paper it would be blank and cut */
  gramviz-output > .gramviz-picture { display: block !important; }
  .gramviz-picture::after { content: "A picture of the explorer, which plays in the page."; font-size: .92rem; }
}
"""
)

_TEMPLATE = """{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}<meta http-equiv="Content-Security-Policy" content="POLICY">
<meta name="generator" content="gramviz report">{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block notebook_css -%}<style>STYLE</style>{%- endblock -%}
"""


def page(notebook: NotebookNode) -> str:
    """One HTML file that makes no request; code tagged `hide-input` is left out, prompts are not shown."""
    from nbconvert import HTMLExporter

    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_input_tags = {"hide-input", "injected-parameters"}
    config.TagRemovePreprocessor.remove_cell_tags = {"remove-cell"}
    exporter = HTMLExporter(config=config, raw_template=_TEMPLATE.replace("POLICY", _POLICY).replace("STYLE", _STYLE))
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = exporter.exclude_anchor_links = True
    body, _ = exporter.from_notebook_node(_drawn(notebook))
    # Of nbconvert: Tab stops at every output; and links lead to notebooks, where pages lie beside this one.
    reached = re.sub(r'(<div class="jp-[^>]*) tabindex="0"', r"\1", str(body))
    return _framed(re.sub(r'<a href="([\w-]+)\.ipynb"', r'<a href="../\1/\1.html"', reached))


def _drawn(notebook: NotebookNode) -> NotebookNode:
    """The notebook with its plotly figures as HTML, which nbconvert knows; their scripts wait for `_plotly`. Outputs of
    cells tagged `reveal` are folded: a page cannot wait for its reader's guess otherwise."""
    drawn = copy.deepcopy(notebook)
    shown = [
        output.data for cell in drawn.cells for output in cell.get("outputs", []) if FIGURE in output.get("data", {})
    ]
    for number, data in enumerate(shown):
        figure = data.pop(FIGURE)
        data["text/html"] = plotly.io.to_html(
            figure,
            config=CONFIG | figure.pop("config", {}),
            full_html=False,
            include_plotlyjs=False,
            default_height=525,
            validate=False,
            div_id=f"figure-{number}",
        ).replace("<script>", f"<script type='text/plain' {_WAITS}>")
    for cell in drawn.cells:
        for output in cell.get("outputs", []) if "reveal" in tags(cell) else []:
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = f"<details class='gram-reveal'>{_ASKS}{output.data['text/html']}</details>"
    return drawn


_ASKS = "<summary>What came out: open this when you have written down your guess</summary>"
_WAITS = "data-waits-for-plotly"


def _darker() -> dict[str, str]:
    """Each color of our figures in the light -> the same in the dark."""
    pairs = {getattr(LIGHT, one.name): getattr(DARK, one.name) for one in fields(LIGHT) if one.type == "str"}
    ramps = zip(sequential("light"), sequential("dark"), strict=True)
    return pairs | dict(zip(LIGHT.landscape, DARK.landscape, strict=True)) | {a: b for (_, a), (_, b) in ramps}


@cache
def _plotly() -> str:
    """plotly's script, packed to two fifths of its 4.8 MB, and what unpacks it and then draws the figures."""
    packed = base64.b64encode(gzip.compress(plotly.offline.get_plotlyjs().encode(), mtime=0)).decode()
    return f"""<script type="application/gzip" id="gram-plotly">{packed}</script><script>
(async () => {{
  const packed = document.getElementById("gram-plotly"), figures = document.querySelectorAll("script[{_WAITS}]");
  const bytes = Uint8Array.from(atob(packed.textContent), (character) => character.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const dark = matchMedia("(prefers-color-scheme: dark)").matches && {json.dumps(_darker())};
  const drawn = [...figures].map(({{ textContent: text }}) => // one without our ink has chosen its own colors
    dark && text.includes("{LIGHT.ink}") ? text.replace(/#[0-9A-F]{{6}}/g, (color) => dark[color] ?? color) : text);
  for (const code of [await new Response(unpacked).text(), ...drawn]) {{
    const script = document.createElement("script");
    script.textContent = code;
    document.head.append(script);
  }}
  packed.remove(); // who waits for the figures waits for this
}})();
</script>"""


_MODULE = '<script type="application/zlib" id="gv-module">'
# An explorer lays itself out for `data-room`, never for the height of its frame, so that telling it cannot go round. A
# scroll bar would take width; without one, and with the bound below, whatever does not fit can still be scrolled to.
_TELL = """<script>
document.documentElement.style.scrollbarWidth = "none";
new ResizeObserver(() => parent.postMessage({ height: document.body.offsetHeight }, "*")).observe(document.body);
</script>"""
_FIT = """<script>
addEventListener("message", ({ source, data }) => {
  const frame = [...document.querySelectorAll("iframe")].find((each) => each.contentWindow === source);
  if (!frame || !(data?.height > 0)) return;
  frame.style.setProperty("height", `${Math.min(data.height, 5000)}px`, "important");
});
</script>"""
# A lazy frame keeps the text that it was parsed with, so it is replaced rather than changed.
_SHARE = """<script>
const lender = document.querySelector("iframe[data-lends-module]").srcdoc;
for (const frame of document.querySelectorAll("iframe[data-shares-module]")) {
  const whole = frame.cloneNode();
  whole.srcdoc += lender.slice(lender.lastIndexOf('MODULE'));
  frame.replaceWith(whole);
}
</script>""".replace("MODULE", _MODULE)


def _framed(text: str) -> str:
    """The page with frames as high as their explorers, and the module in the first only: the others borrow it.

    Three explorers weigh one module of 0.16 MB, not three. Without scripts each frame still shows its fallback, at the
    height that the style gives it.
    """
    cut, tell = html.escape(_MODULE), html.escape(_TELL)
    body, roomy = html.escape("<body>"), html.escape(f'<body data-room="{FRAME_HEIGHT}">')
    lender: list[str] = []

    def fit(frame: re.Match[str]) -> str:
        head, _, module = frame[1].rpartition(cut)
        if not head:  # no explorer
            return frame[0]
        head = head.replace(body, roomy, 1)
        if lender and module == lender[0]:
            return f'data-shares-module="" srcdoc="{head}"'
        role = "" if lender else 'data-lends-module="" '
        lender.append(module)
        return f'{role}srcdoc="{head}{cut}{module}{tell}"'

    text = re.sub(r'srcdoc="([^"]*)"', fit, text)
    if _WAITS in text:
        before, end, after = text.rpartition("</main>")
        text = f"{before}{_plotly()}{end}{after}"
    # A frame may speak before the page is read to its end, so who listens comes before the first of them.
    text = text.replace("<main>", f"{_FIT}<main>", 1) if lender else text
    return text.replace("</main>", f"{_SHARE}</main>", 1) if "data-shares-module" in text else text


def title(notebook: NotebookNode, values: Mapping[str, Any]) -> str:
    """The name of a page: the parameter `title` if it is given, else the first heading."""
    if values.get("title"):
        return str(values["title"])
    for cell in notebook.cells:
        heading = re.search(r"^#\s+(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if heading:
            return heading.group(1)
    return str(notebook.metadata.get("title", "Report"))


def failure_page(failure: Failure, record: Mapping[str, Any], log: str) -> str:
    """A short page for a run that failed: the cell, its message, the last output before it, the provenance."""
    where = f", in “{failure.heading}”" if failure.heading else ""
    last = f"<h2>The last output before it</h2><pre>{html.escape(failure.last_output[-2000:])}</pre>"
    name = html.escape(str(record["notebook"]))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>FAILED: {name}</title><style>{_FAILURE_STYLE}</style></head>
<body><main><h1>FAILED: {name}</h1>
<p><strong>{html.escape(failure.error)}</strong>: {html.escape(failure.message)}</p>
<h2>Code cell {failure.number}{html.escape(where)}</h2><pre>{html.escape(failure.source)}</pre>
<details><summary>Traceback</summary><pre>{html.escape(failure.traceback)}</pre></details>
{last if failure.last_output else ""}
<h2>Provenance</h2>{provenance_html(record, log)}</main></body></html>
"""


_FAILURE_STYLE = (
    _THEMES
    + """
body { font: 16px/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  background: var(--bg); color: var(--ink); }
h1, strong { color: var(--bad); }
pre { background: var(--sunk); padding: .8rem; overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line); }
th { font-weight: 500; }
td { overflow-wrap: anywhere; }
"""
)
