"""The live widget in its other hosts, Notebook 7 and marimo: it shows, plays, tells Python, and follows the theme.

JupyterLab is a stage of `test_acceptance_*.py`, with all that has to hold in a live host. VS Code and Colab cannot run
here: the one needs its own editor, the other Google's servers.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import synthetic
from lab_server import PATIENCE, REPOSITORY, jupyter, open_notebook, run_cell, write_notebook

from gram import rollout

pytestmark = pytest.mark.slow  # a server and a kernel for each host

# marimo puts a widget into a shadow root, Jupyter does not: look through all of them.
FIND = """window.shown = (root = document) => {
  for (const one of root.querySelectorAll("*")) {
    if (one.gramviz) return one;
    const inner = one.shadowRoot && shown(one.shadowRoot);
    if (inner) return inner;
  }
  return null;
}"""
NOTEBOOK = ["from gramviz import explore\nexplorer = explore('small.nc')\nexplorer",
            "print('heard', explorer.state.get('focus'), 'at', explorer.state.get('cursor'))"]  # fmt: skip
MARIMO = """\
import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import marimo as mo

    from gramviz import explore

    explorer = mo.ui.anywidget(explore("small.nc"))
    explorer
    return explorer, mo


@app.cell
def _(explorer, mo):
    _state = explorer.value["state"]
    mo.md(f"heard {_state.get('focus')} at {_state.get('cursor')}")
    return


if __name__ == "__main__":
    app.run()
"""


@dataclass
class Host:
    """A page of a host in which the explorer stands, cut from every other network.

    Attributes:
        ask: what a person does to have Python's last words on the page; in marimo they come by themselves.
        light: what a person does for a light page (True) or a dark one.
        outside, errors: what was asked of other places, and what the page complained about.
    """

    name: str
    page: Any
    ask: Callable[[], None]
    light: Callable[[bool], None]
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def state(self) -> dict[str, Any]:
        return self.page.evaluate("shown().gramviz.state")

    def until(self, expression: str) -> None:
        self.page.wait_for_function(expression, timeout=PATIENCE)

    def pixels(self) -> str:
        return self.page.locator("[data-part=board] canvas").first.evaluate("canvas => canvas.toDataURL()")

    def heard(self, text: str) -> None:
        """Wait until Python has said this."""
        for _ in range(3):  # what has settled is shown after 150 ms, so the first question may come too early
            self.page.wait_for_timeout(700)
            self.ask()
            try:
                self.page.get_by_text(text).first.wait_for(timeout=PATIENCE / 3)
                return
            except Exception as error:
                last = error
        raise last


@contextmanager
def cut(chromium: Any, address: str) -> Iterator[tuple[Any, list[str], list[str]]]:
    """A page that reaches only `address`, with what else it asked for and what it complained about."""
    context = chromium.new_context(viewport={"width": 1500, "height": 1150})
    outside: list[str] = []
    errors: list[str] = []
    context.route(
        lambda url: not url.startswith((address, address.replace("http", "ws"), "blob:", "data:")),
        lambda route: (outside.append(route.request.url), route.abort()),
    )
    page = context.new_page()
    page.add_init_script(FIND)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page, outside, errors
    context.close()


@contextmanager
def notebook7(chromium: Any, folder: Path) -> Iterator[Host]:
    """Notebook 7, which a Jupyter server has at /notebooks once it is installed."""
    pytest.importorskip("notebook")
    write_notebook(folder, NOTEBOOK)
    with jupyter(folder) as (address, token), cut(chromium, address) as (page, outside, errors):
        open_notebook(page, address, token, "notebooks")

        def light(wanted: bool) -> None:
            if page.evaluate("document.body.dataset.jpThemeLight") == str(wanted).lower():
                return
            command = f"Use Theme: JupyterLab {'Light' if wanted else 'Dark'}"
            page.locator(".jp-CodeCell .cm-content").nth(1).click()
            page.keyboard.press("Control+Shift+C")
            page.keyboard.type(command)
            page.locator(".lm-CommandPalette-itemLabel").get_by_text(command, exact=True).click()

        errors.clear()  # Notebook 7.6 complains while it loads, of settings without a schema; with no widget in sight
        run_cell(page)
        yield Host("notebook", page, lambda: run_cell(page, 1), light, outside, errors)


@contextmanager
def marimo(chromium: Any, folder: Path, command: str) -> Iterator[Host]:
    """`marimo run` (an app) or `marimo edit`, with a configuration of its own."""
    pytest.importorskip("marimo")
    (folder / "one.py").write_text(MARIMO)
    (folder / "config" / "marimo").mkdir(parents=True)
    (folder / "config" / "marimo" / "marimo.toml").write_text(
        '[display]\ntheme = "system"\n[runtime]\nauto_instantiate = true\n'
    )
    home = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CONFIG", "CACHE", "STATE", "DATA")}
    paths = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "marimo", "-q", "-y", command, "one.py", "--headless", "--no-token", f"--port={port}"],
        env=os.environ | home | {"PYTHONPATH": paths, "MARIMO_SKIP_UPDATE_CHECK": "1"}, cwd=folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()
            break
        except OSError:
            time.sleep(0.3)
    try:
        with cut(chromium, address) as (page, outside, errors):
            page.goto(address, timeout=PATIENCE)
            light = lambda wanted: page.emulate_media(color_scheme="light" if wanted else "dark")  # noqa: E731
            yield Host(f"marimo {command}", page, lambda: None, light, outside, errors)  # its theme is the system's
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module", params=["notebook", "marimo run", "marimo edit"])
def host(request: pytest.FixtureRequest, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Each host with the explorer in it."""
    folder = tmp_path_factory.mktemp("host")
    rollout.save(synthetic.sudoku(5, low_steps=2), folder / "small.nc")
    name, _, command = request.param.partition(" ")
    with notebook7(chromium, folder) if name == "notebook" else marimo(chromium, folder, command) as found:
        found.until("Boolean(shown()?.gramviz)")
        found.page.wait_for_timeout(500)
        yield found


def test_shows_itself_and_asks_for_nothing(host: Host) -> None:
    region = host.page.get_by_role("region", name="Explorer: ")
    assert region.count() == 1
    assert region.is_visible()
    assert "3 of 5 correct" in region.inner_text()
    painted = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(v => v)"
    for canvas in ("[data-part=board] canvas", "[data-layer=top]", "[data-lane=conflicts]"):
        assert host.page.locator(canvas).first.evaluate(painted)
    assert host.outside == []
    assert host.errors == []


def test_play_moves_it(host: Host) -> None:
    host.page.evaluate("shown().gramviz.set({speed: 4, cursor: {step: 0, low: null}})")
    host.page.wait_for_timeout(300)
    before = host.pixels()
    host.page.get_by_role("region").get_by_role("button", name="Play").click()
    host.until("shown().gramviz.state.cursor.step >= 3")
    host.page.get_by_role("region").get_by_role("button", name="Pause").click()
    assert host.pixels() != before
    step = host.state["cursor"]["step"]
    host.heard(f"'step': {step},")


def test_a_click_and_a_key_arrive_in_python(host: Host) -> None:
    last = host.page.evaluate("shown().gramviz.payload.series[0].steps") - 1
    opening = f"{{...shown().gramviz.start, cursor: {{step: {last}, low: null}}}}"
    host.page.evaluate(f"shown().gramviz.set({opening})")
    host.page.wait_for_timeout(300)
    focus = host.state["focus"]
    others = [head for head in host.page.evaluate("shown().gramviz.heads()") if head["trajectory"] != focus[1]]
    other = max(others, key=lambda head: head["at"][1])
    host.page.locator("[data-part=map]").scroll_into_view_if_needed()
    stage = host.page.locator("[data-part=map]").bounding_box()
    host.page.mouse.click(stage["x"] + other["at"][0], stage["y"] + other["at"][1])
    clicked = host.state["focus"]
    assert clicked[0] == "A"
    assert clicked != focus
    host.heard(f"heard ['A', {clicked[1]}] at ")
    host.page.evaluate("shown().shadowRoot.querySelector('.gv').focus()")
    host.page.keyboard.press("Home")
    host.heard("'step': 0,")


def test_keys_stay_inside(host: Host) -> None:
    cells = ".jp-Notebook .jp-Cell, .marimo-cell"
    before = host.page.locator(cells).all_inner_texts()
    host.page.evaluate("shown().shadowRoot.querySelector('.gv').focus()")
    for key in ["a", "b", "d", "d", "x", "m", "y", "Enter"]:
        host.page.keyboard.press(key)
    host.page.wait_for_timeout(300)
    assert host.page.locator(cells).count() == len(before)


def test_it_follows_the_theme_of_its_host(host: Host) -> None:
    def background() -> list[int]:
        return host.page.evaluate(
            "getComputedStyle(shown().shadowRoot.querySelector('.gv')).backgroundColor.match(/[0-9]+/g).map(Number)"
        )

    host.light(True)
    host.until("shown().dataset.gvTheme === 'light'")
    host.page.wait_for_timeout(500)
    light, board = background(), host.pixels()
    host.light(False)
    host.until("shown().dataset.gvTheme === 'dark'")
    host.page.wait_for_timeout(500)
    assert min(light[:3]) > 200
    assert max(background()[:3]) < 60
    assert host.pixels() != board
    if folder := os.environ.get("GRAMVIZ_PICTURES"):
        host.page.screenshot(path=Path(folder) / f"{host.name.replace(' ', '-')}-dark.png")
    assert host.outside == []
    assert host.errors == []
