"""What ran, where, on what: the record of a run, shown as one block, for people and for machines.

Equal runs make equal pages but for this block and what compares a run with an earlier one, so these stand between two
marks (`varying`) and `without_provenance` takes them out.
"""

from __future__ import annotations

import contextlib
import html
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROVENANCE = "application/vnd.gramviz.provenance+json"
PACKAGES = (
    *("gram-explorer", "torch", "lightning-fabric", "numpy", "xarray", "scikit-learn", "matplotlib", "plotly"),
    *("anywidget", "ipywidgets", "ipykernel", "papermill", "nbconvert"),
)
_BEGIN = "<!-- gram-provenance begins: the only part in which equal runs differ -->"
_END = "<!-- gram-provenance ends -->"


def environment() -> dict[str, Any]:
    """What ran, where: the commit of this source, Python, the platform, processors, package versions."""
    commit = _git("rev-parse", "HEAD")
    return {
        "commit": commit or "unknown",
        "dirty": bool(_git("status", "--porcelain", "-uno")) if commit else None,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "packages": versions(),
    }


def versions() -> dict[str, str]:
    """Of the packages that a result may depend on, as far as they are installed."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def device() -> dict[str, Any]:
    """Device and threads of torch, if this process has loaded it; asking does not load it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    gpu = torch.cuda.is_available()
    return {"device": torch.cuda.get_device_name() if gpu else "cpu", "threads": torch.get_num_threads()}


def _git(*arguments: str) -> str:
    here = str(Path(__file__).parent)
    try:
        done = subprocess.run(["git", "-C", here, *arguments], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):  # no git, or no repository: the record says "unknown"
        return ""
    return done.stdout.strip()


def provenance_html(record: Mapping[str, Any], log: str = "") -> str:
    """A record for people (a table) and for machines (`<script id="gram-provenance">`), between two marks."""

    def line(entry: Any) -> str:
        if not isinstance(entry, Mapping):
            return html.escape(str(entry))
        said = ", ".join(html.escape(str(one)) for name, one in entry.items() if name != "file")
        file = html.escape(str(entry.get("file", "")), quote=True)
        return said + (f', <a href="{file}" download>{file}</a>: gramviz.explore("{file}")' if file else "")

    def text(value: Any) -> str:
        if isinstance(value, Mapping):
            return "<br>".join(f"{html.escape(str(key))} <code>{text(entry)}</code>" for key, entry in value.items())
        if isinstance(value, list | tuple):
            return "<br>".join(map(line, value)) or "none"
        if isinstance(value, bool) or value is None:
            return {True: "yes", False: "no", None: "unknown"}[value]
        return html.escape(str(value)) or "(empty)"

    shown = {key: value for key, value in record.items() if key not in ("command", "changed")}
    rows = "".join(
        f'<tr><th scope="row">{html.escape(key.replace("_", " "))}</th><td>{text(value)}</td></tr>'
        for key, value in shown.items()
    )
    command = record.get("command")
    rerun = f"<p>To run it again:</p><pre><code>{html.escape(command)}</code></pre>" if command else ""
    lines = len(log.splitlines())
    folded = f"<details><summary>Log of the run ({lines} lines)</summary><pre>{html.escape(log)}</pre></details>"
    # `</script>` inside a JSON text would end the element; `\u003c` means the same to every JSON reader.
    machine = json.dumps(record, sort_keys=True).replace("<", "\\u003c")
    return varying(
        f'<section class="gram-provenance" aria-label="Provenance">{rerun}'
        f"<table><tbody>{rows}</tbody></table>{folded if log else ''}"
        f'<script type="application/json" id="gram-provenance">{machine}</script></section>'
    )


def varying(block: str) -> str:
    """HTML in which equal runs may differ, between the two marks."""
    # One line: in Markdown, where it may stand, the HTML of a comment ends with its line; the rest would be escaped.
    return f"{_BEGIN}{block}{_END}".replace("\n", "&#10;")


def without_provenance(text: str) -> str:
    """A page without what stands between the marks; the pages of equal runs are equal in what remains."""
    return re.sub(re.escape(_BEGIN) + ".*?" + re.escape(_END), "", text, flags=re.DOTALL)
