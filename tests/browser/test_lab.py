"""The live widget in a real JupyterLab: silent while it plays, one message when settled, keys that stay inside."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import synthetic

from gram import rollout

REPOSITORY = Path(__file__).resolve().parents[2]
EL = "document.querySelector('.jp-OutputArea [data-lm-suppress-shortcuts]')"
PATIENCE = 180_000  # ms; a start takes 5 s alone, and far more beside a training run


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A server of our own on 127.0.0.1, with its settings and its notebook in a temporary folder."""
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    rollout.save(synthetic.sudoku(5, low_steps=2), folder / "small.nc")
    source = "from gramviz.explorer import explore\nexplorer = explore('small.nc')\nexplorer"
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / "one.ipynb").write_text(json.dumps(notebook))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
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
    yield address, token
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="module")
def opened(chromium, lab):
    """The notebook after its one cell was run: (page, comm frames sent, outside requests, page errors)."""
    address, token = lab
    context = chromium.new_context(viewport={"width": 1500, "height": 1150})
    outside: list[str] = []
    sent: list[str] = []
    errors: list[str] = []
    context.route(
        lambda url: not url.startswith((address, address.replace("http", "ws"), "blob:", "data:")),
        lambda route: (outside.append(route.request.url), route.abort()),
    )
    page = context.new_page()

    def frame(payload):
        text = payload if isinstance(payload, str) else payload.decode("utf-8", "replace")
        if '"comm_msg"' in text and '"method":"update"' in text:  # the manager's own questions are not ours
            sent.append(text)

    page.on("websocket", lambda socket: socket.on("framesent", frame))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/lab/tree/one.ipynb?reset&token={token}", timeout=PATIENCE)
    page.locator(".jp-CodeCell .cm-content").click(timeout=PATIENCE)
    page.wait_for_selector(
        ".jp-NotebookPanel-toolbar [data-status=idle], .jp-Notebook-ExecutionIndicator[data-status=idle]",
        timeout=PATIENCE,
    )
    page.keyboard.press("Control+Enter")
    page.wait_for_function(f"{EL}?.gramviz", timeout=PATIENCE)
    page.wait_for_timeout(500)
    yield page, sent, outside, errors
    context.close()


def test_shows_itself_and_asks_for_nothing(opened):
    page, sent, outside, errors = opened
    assert page.get_by_role("region", name="Explorer: ").count() == 1
    assert outside == []
    assert errors == []
    assert sent == [], "mounting sends nothing to the kernel"


def quiet(page, sent):
    """Wait until what was done before has settled and been sent, then forget it."""
    count = -1
    while count != len(sent):
        count = len(sent)
        page.wait_for_timeout(1000)
    sent.clear()


def one_message(page, sent):
    """Wait for the message of the settled view; there must be one, and no second."""
    for _ in range(400):
        if sent:
            break
        page.wait_for_timeout(50)
    page.wait_for_timeout(600)
    assert len(sent) == 1


def test_playing_sends_nothing_and_pausing_one_message(opened):
    page, sent, _, _ = opened
    page.evaluate(f"{EL}.gramviz.set({{speed: 1, cursor: {{step: 0, low: null}}}})")
    quiet(page, sent)
    page.locator("[role=region]").get_by_role("button", name="Play").click()
    page.wait_for_function(f"{EL}.gramviz.state.cursor.step >= 2", timeout=PATIENCE)
    assert sent == []
    page.locator("[role=region]").get_by_role("button", name="Pause").click()
    one_message(page, sent)
    assert '"cursor"' in sent[0]


def test_scrubbing_and_pointing_send_nothing_until_release(opened):
    page, sent, _, _ = opened
    quiet(page, sent)
    ruler = page.locator("[data-part=ruler] canvas").bounding_box()
    board = page.locator("[data-part=board]").bounding_box()
    for k in range(30):
        page.mouse.move(board["x"] + 8 * k, board["y"] + 40)
    page.mouse.move(ruler["x"] + 5, ruler["y"] + 25)
    page.mouse.down()
    for k in range(30):
        page.mouse.move(ruler["x"] + 5 + 6 * k, ruler["y"] + 25)
    page.wait_for_timeout(300)
    assert sent == []
    page.mouse.up()
    one_message(page, sent)


def test_keys_do_not_reach_the_notebook(opened):
    page, _, _, _ = opened
    cells = "[...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(cell => cell.textContent.slice(0, 60))"
    shown = page.evaluate(cells)
    page.evaluate(f"{EL}.shadowRoot.querySelector('.gv').focus()")
    for key in [
        "a",
        "b",
        "d",
        "d",
        "x",
        "x",
        "m",
        "j",
        "k",
        "k",
        "y",
        "r",
        "Enter",
        "Shift+Enter",
        "Control+z",
        "Escape",
    ]:
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert page.evaluate(cells) == shown
    page.evaluate(f"{EL}.shadowRoot.querySelector('.gv').focus()")
    page.evaluate(f"{EL}.gramviz.set({{board: 'focus'}})")
    page.keyboard.press("m")
    assert page.evaluate(f"{EL}.gramviz.state.board") == "all"


def test_python_moves_the_view_and_hears_of_it(opened):
    page, _, outside, errors = opened
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("explorer.go('2.1').set(theme='dark'); print('heard', explorer.state['board'])")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=/heard (all|focus)/", timeout=PATIENCE)
    assert outside == []
    assert errors == []
