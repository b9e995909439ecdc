"""What a widget leaves in a notebook's output, live now and still there when the notebook is opened again.

Jupyter's front ends prefer the mime type of widgets, and show "Error displaying widget: model not found" where that
is saved without its state. So in Jupyter an output has none: it is HTML, the frozen page, and while its kernel lives
`frontend/output.js` puts the live view in its place. Where notebooks are not trusted, HTML loses frames, style sheets
and elements of our own, and what is left is a picture with a sentence. VS Code falls back to HTML by itself when it
has no state, and Colab and VS Code have no place for a script of ours: there the mime type of widgets stays.
"""

from __future__ import annotations

import os
import sys
import zlib
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from html import escape
from typing import Any

import anywidget
import ipywidgets
import traitlets

from gramviz.explorer.frame import frame, summary
from gramviz.explorer.link import link
from gramviz.explorer.payload import Payload
from gramviz.explorer.picture import WIDTH, picture

LARGEST = 4_000_000  # bytes of a payload whose page is kept in the notebook, the default budget of `gramviz.pack`
_VIEW = "application/vnd.jupyter.widget-view+json"
# Whoever bars scripts drops this style sheet too, and the picture shows.
_HIDDEN = "<style>gramviz-output > .gramviz-picture { display: none }</style>"
_BARRED = (
    "A picture of the explorer. To make it live, open the notebook in JupyterLab, Notebook or VS Code and trust it "
    "(JupyterLab: View > Activate Command Palette > Trust Notebook), or run this cell again."
)
_LARGE = (
    "A picture of the explorer, which holds {:.1f} MB, more than the {:.0f} MB that are kept in a notebook. To make it "
    "live, run this cell again; gv.freeze(explorer, 'page.html') writes it as a page of its own."
)
_EMPTY = "Controls that run a model, and nothing drawn yet. To make them live, run this cell again."


class Output(anywidget.AnyWidget):
    """Tells the page which model is live; never displayed itself."""

    child = traitlets.Unicode().tag(sync=True)

    def __init__(self, widget: ipywidgets.DOMWidget) -> None:
        self._esm = _module_text()
        super().__init__(child=widget.model_id)


_outputs: dict[str, Output] = {}  # by the model that each makes live


@cache
def _module_text() -> str:
    return link("output.js")


def is_jupyter() -> bool:
    """Whether the page is one of JupyterLab or Notebook as far as a kernel can know: not VS Code, not Colab."""
    session = os.environ.get("JPY_SESSION_NAME")  # set by a Jupyter server; of one that VS Code uses it names VS Code
    vscode = "VSCODE_PID" in os.environ if session is None else "-jvsc-" in session
    return not vscode and "google.colab" not in sys.modules


def bundle(
    widget: ipywidgets.DOMWidget, found: Any, payload: Payload | None, state: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The mime bundle of an output: `found`, as ipywidgets gives it, with HTML and PNG of the payload if there is one.

    A page that the payload would make larger than `LARGEST` is left out, and the picture says so.
    """
    data, metadata = found if isinstance(found, tuple) else (found or {}, {})
    data, metadata = dict(data), dict(metadata)
    if is_jupyter():
        data.pop(_VIEW, None)
        if widget.model_id not in _outputs:
            _outputs[widget.model_id] = Output(widget)
    html = f"<p>{escape(_EMPTY)}</p>"
    if payload is not None:
        whole = payload.size <= LARGEST
        sentence = _BARRED if whole else _LARGE.format(payload.size / 1e6, LARGEST / 1e6)
        html = frame(payload, state) if whole else ""
        with suppress(zlib.error):  # damaged data have no picture, and the page says so
            plain, data["image/png"] = (b64encode(png).decode() for png in picture(payload, sentence))
            metadata["image/png"] = {"width": WIDTH}
            html += (_HIDDEN if whole else "") + (
                f'<div class="gramviz-picture"><p>{escape(sentence)}</p>'
                f'<img width="{WIDTH}" alt="{escape(summary(payload))}" src="data:image/png;base64,{plain}"></div>'
            )
    data["text/html"] = f'<gramviz-output data-child="{widget.model_id}">{html}</gramviz-output>'
    return data, metadata
