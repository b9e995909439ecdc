"""An executed notebook as one HTML page that makes no request, and the short page of a run that failed.

The template has no script of nbconvert's, explorers are frozen frames, and a Content-Security-Policy forbids the rest.
Formulas are therefore to be written in HTML; nothing typesets TeX here.
"""

from __future__ import annotations

import base64
import copy
import gzip
import html
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import plotly.io
import plotly.offline
from nbformat import NotebookNode
from traitlets.config import Config

from gramviz.explorer.frame import FRAME_HEIGHT
from gramviz.reports.execute import Failure
from gramviz.reports.notebook import FIGURE
from gramviz.reports.provenance import provenance_html
from gramviz.theme import CONFIG

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

# In the place of JupyterLab's style sheet, which weighs 0.26 MB and is mostly about its own windows.
_STYLE = """
:root { --jp-cell-editor-active-background: #fff; --jp-cell-editor-background: #f6f7f8;
  --jp-mirror-editor-comment-color: #4d6a6a; --jp-mirror-editor-error-color: #c00;
  --jp-mirror-editor-keyword-color: #006b00; --jp-mirror-editor-number-color: #006b00;
  --jp-mirror-editor-operator-color: #8a1fd1; --jp-mirror-editor-punctuation-color: #05a;
  --jp-mirror-editor-string-color: #a31f1f; --jp-mirror-editor-variable-color: #1a1f24; }
* { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { background: #fff; color: #1a1f24; font: 16px/1.6 system-ui, sans-serif; margin: 0; padding: 0 1rem; }
main { max-width: 74rem; margin: 0 auto; padding: 2rem 0 4rem; }
.jp-Cell { margin: 0 0 .6rem; }
.jp-Collapser { display: none; }
.jp-MarkdownOutput > :is(p, ul, ol) { max-width: 46rem; }
p { margin: 0 0 1em; }
h1, h2, h3 { line-height: 1.25; font-weight: 650; margin: 2rem 0 .6rem; }
h1 { font-size: 2rem; margin-top: 0; }
h2 { font-size: 1.35rem; }
h3 { font-size: 1.1rem; }
a { color: #0060a8; }
blockquote { margin: 1em 2em; padding: 0 1em; border-left: 4px solid #c9d0d6; }
img, svg { max-width: 100%; height: auto; }
.jp-OutputArea table, .jp-MarkdownOutput table { border-collapse: collapse; font-size: .92rem; margin: .4rem 0 1rem; }
.jp-OutputArea :is(th, td), .jp-MarkdownOutput :is(th, td) { text-align: left; vertical-align: top; }
.jp-OutputArea :is(th, td), .jp-MarkdownOutput :is(th, td) { padding: .35rem .8rem .35rem 0; }
.jp-OutputArea tbody tr, .jp-MarkdownOutput tbody tr { border-top: 1px solid #e3e7ea; }
pre, code { font: .86rem/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
:not(pre) > code { background: #eef0f2; padding: 1px 5px; border-radius: 3px; }
.jp-InputArea-editor { background: #f6f7f8; border: 1px solid #e3e7ea; border-radius: 4px; padding: 4px 8px; }
.jp-RenderedHTMLCommon pre { background: #f6f7f8; padding: .6rem .8rem; overflow-x: auto; }
.ansi-bold { font-weight: bold; }
.ansi-red-fg, .ansi-red-intense-fg { color: #b22b31; }
.ansi-green-fg, .ansi-green-intense-fg { color: #007427; }
.ansi-yellow-fg, .ansi-yellow-intense-fg { color: #8a5d00; }
.ansi-blue-fg, .ansi-blue-intense-fg { color: #0065ca; }
.ansi-magenta-fg, .ansi-magenta-intense-fg { color: #a03196; }
.ansi-cyan-fg, .ansi-cyan-intense-fg { color: #1d7176; }
.gram-headline { font-size: 1.1rem; border-left: 4px solid #0072b2; padding-left: .9rem; }
.gram-figure { margin: .6rem 0 1rem; }
.gram-figure figcaption { font-size: .92rem; color: #4d5863; }
.gram-provenance th { width: 11rem; font-weight: 500; color: #4d5863; }
.gram-provenance td { overflow-wrap: anywhere; }
.gram-verdict { border-left: 6px solid #1d7a45; background: #f2f6f3; padding: .6rem 1rem; margin-bottom: 1.5rem; }
.gram-verdict.failed { border-color: #a01818; background: #fbefef; }
.gram-verdict th { white-space: nowrap; }
.gram-verdict h2 { margin: 0 0 .4rem; }
.gram-verdict.failed h2 { color: #a01818; }
iframe { border: 0; width: 100%; }
/* Until an explorer has sent its height; its own default is too low where its header wraps. */
iframe[title^='Explorer'] { height: 950px !important; }
@page { margin: 0.5in; }
@media print {
  main { max-width: none; }
  figure, img, svg, tr, .gramviz-picture { break-inside: avoid; }
  gramviz-output > iframe, .gramviz-picture > p { display: none; } /* on paper it would be blank and cut */
  gramviz-output > .gramviz-picture { display: block !important; }
  .gramviz-picture::after { content: "A picture of the explorer, which plays in the page."; font-size: .92rem; }
}
"""

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
    return _framed(str(body))


def _drawn(notebook: NotebookNode) -> NotebookNode:
    """The notebook with its plotly figures as HTML, which nbconvert knows; their scripts wait for `_plotly`."""
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
    return drawn


_WAITS = "data-waits-for-plotly"


@cache
def _plotly() -> str:
    """plotly's script, packed to two fifths of its 4.8 MB, and what unpacks it and then draws the figures."""
    packed = base64.b64encode(gzip.compress(plotly.offline.get_plotlyjs().encode(), mtime=0)).decode()
    return f"""<script type="application/gzip" id="gram-plotly">{packed}</script><script>
(async () => {{
  const packed = document.getElementById("gram-plotly"), figures = document.querySelectorAll("script[{_WAITS}]");
  const bytes = Uint8Array.from(atob(packed.textContent), (character) => character.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  for (const code of [await new Response(unpacked).text(), ...[...figures].map((figure) => figure.textContent)]) {{
    const script = document.createElement("script");
    script.textContent = code;
    document.head.append(script);
  }}
  packed.remove(); // who waits for the figures waits for this
}})();
</script>"""


_MODULE = '<script type="module">'
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
  whole.srcdoc += lender.slice(lender.lastIndexOf('<script type="module">'));
  frame.replaceWith(whole);
}
</script>"""


def _framed(text: str) -> str:
    """The page with frames as high as their explorers, and the module in the first only: the others borrow it.

    Three explorers weigh one module of 0.2 MB instead of three. Without scripts each frame still shows its fallback, at
    the height that the style gives it.
    """
    cut, tell = html.escape(_MODULE), html.escape(_TELL)
    # The page is light, whoever reads it. So are its explorers, which take this for a light notebook.
    body, light = html.escape("<body>"), html.escape(f'<body data-jp-theme-light="true" data-room="{FRAME_HEIGHT}">')
    lender: list[str] = []

    def fit(frame: re.Match[str]) -> str:
        head, _, module = frame[1].rpartition(cut)
        if not head:  # no explorer
            return frame[0]
        head = head.replace(body, light, 1)
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


_FAILURE_STYLE = """
body { font: 16px/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1f24; }
h1, strong { color: #a01818; }
pre { background: #f6f7f8; padding: .8rem; overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid #e3e7ea; }
th { font-weight: 500; }
td { overflow-wrap: anywhere; }
"""
