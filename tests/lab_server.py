"""A JupyterLab of the tests' own, and notebooks opened and run in it as by hand."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PATIENCE = 180_000  # ms; a start takes 5 s alone, and far more beside a training run
NOTEBOOK = "one.ipynb"
IDLE = ".jp-Notebook-ExecutionIndicator[data-status=idle]"  # no cell runs
SHOWN = "document.querySelector('.jp-OutputArea [data-lm-suppress-shortcuts]')"  # the widget of an output


@contextmanager
def jupyter(folder: Path) -> Iterator[tuple[str, str]]:
    """A server of our own on 127.0.0.1 with its settings and its notebooks in `folder`: its address and token."""
    pytest.importorskip("jupyterlab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    # No question about news: it would stand in front of what a test points at.
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    silent = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(silent))
    home = {
        name: str(folder / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    paths = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
         f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
         f"--ServerApp.root_dir={folder}", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
         f"--LabApp.workspaces_dir={folder / 'workspaces'}", f"--LabApp.user_settings_dir={folder / 'settings'}"],
        env=os.environ | home | {"PYTHONPATH": paths}, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/api?token={token}", timeout=5).close()
            break
        except OSError:
            time.sleep(0.3)
    try:
        yield address, token
    finally:
        server.terminate()
        server.wait(20)


def write_notebook(folder: Path, sources: Sequence[str]) -> None:
    """A notebook with these cells, not yet run."""
    cells = [
        {"cell_type": "code", "id": f"c{at}", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
        for at, source in enumerate(sources)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / NOTEBOOK).write_text(json.dumps(notebook))


def open_notebook(page: Any, address: str, token: str, path: str = "lab/tree") -> None:
    """Open the notebook, and wait until a kernel stands behind it."""
    page.goto(f"{address}/{path}/{NOTEBOOK}?{'reset&' if path == 'lab/tree' else ''}token={token}", timeout=PATIENCE)
    # Without a kernel it is called idle too; what was run then would be lost.
    page.locator(".jp-KernelName", has_text="Python 3").wait_for(timeout=PATIENCE)
    page.wait_for_selector(IDLE, state="attached", timeout=PATIENCE)


def write_cell(page: Any, cell: int, source: str) -> None:
    """Put another text into a cell; the server must show its app to the page (`LabApp.expose_app_in_browser`)."""
    page.evaluate(
        "([cell, source]) => jupyterapp.shell.currentWidget.content.widgets[cell].model.sharedModel.setSource(source)",
        [cell, source],
    )


def run_cell(page: Any, cell: int = 0) -> None:
    """Run a cell by its keys; until its prompt says that it was run, as a page that still loads may swallow them."""
    place = page.locator(".jp-CodeCell").nth(cell)
    prompt = place.locator(".jp-InputPrompt")
    place.locator(".cm-content").click(timeout=PATIENCE)
    before = prompt.inner_text()
    for _ in range(12):
        page.keyboard.press("Control+Enter")
        for _ in range(50):
            if prompt.inner_text() != before:
                return
            page.wait_for_timeout(100)
        place.locator(".cm-content").click(timeout=PATIENCE)
    raise AssertionError(f"cell {cell} was not run; its prompt still says {before!r}")
