"""Pages for the tests of what a person sees, cut from every network; `chromium` stands in the conftest above."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
if str(TESTS) not in sys.path:  # `import synthetic` from any folder of tests
    sys.path.insert(0, str(TESTS))

import synthetic  # noqa: E402

READY = "document.querySelector('main').gramviz"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Shown:
    """A page that shows an explorer, with what it asked for and what it complained about."""

    page: Any
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def state(self) -> dict[str, Any]:
        """The store's state."""
        return self.page.evaluate(f"{READY}.state")

    def set(self, **keys: Any) -> None:
        """Change the state as a person's gesture would, and wait until it has been drawn."""
        self.page.evaluate(f"keys => {READY}.set(keys)", keys)
        self.drawn()

    def until(self, expression: str, seconds: float = 30) -> None:
        """Wait until a JavaScript expression holds. Asked from here: the page's policy forbids playwright's own way."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.03)

    def drawn(self) -> None:
        """Wait for two frames: whatever was asked for is on screen."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def heads(self) -> list[dict[str, Any]]:
        """Where the map's heads are, in pixels of its stage, with run, path and emphasis."""
        return self.page.evaluate(f"{READY}.heads()")

    def part(self, name: str) -> Any:
        """A part by its `data-part`."""
        return self.page.locator(f"[data-part={name}]")

    def box(self, name: str) -> dict[str, float]:
        """Where a part is on screen."""
        return self.part(name).bounding_box()

    def pixels(self, selector: str) -> str:
        """The picture of a canvas, to be compared with another."""
        return self.page.locator(selector).first.evaluate("canvas => canvas.toDataURL()")

    def text(self) -> str:
        """Every visible text of the widget."""
        return self.page.evaluate("document.querySelector('main').shadowRoot.querySelector('.gv').innerText")


def watch(context: Any) -> Shown:
    """A page of this context, cut from every network, that remembers requests and complaints."""
    context.route(lambda url: not url.startswith("file:"), lambda route: route.abort())
    shown = Shown(context.new_page())
    shown.page.on("request", lambda request: shown.requests.append(request.url))
    shown.page.on("pageerror", lambda error: shown.problems.append(str(error)))
    shown.page.on("console", lambda message: message.type == "error" and shown.problems.append(message.text))
    # Counts animation frames, so that a test can tell rest from motion.
    shown.page.add_init_script(
        "window.frames_ = 0; const raf = requestAnimationFrame.bind(window);"
        "window.requestAnimationFrame = f => { window.frames_ += 1; return raf(f); };"
    )
    return shown


@pytest.fixture(scope="session")
def one_page(chromium: Any) -> Iterator[Shown]:
    """One page for all tests, which show one frozen file after the other in it: a new process each would cost more."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    yield watch(context)
    context.close()


@pytest.fixture
def show(one_page: Shown, tmp_path: Path) -> Iterator[Callable[..., Shown]]:
    """`show(html, width=1200)` opens a page; afterwards nothing may have been asked of a network, nor complained."""
    shown = one_page
    shown.requests.clear()
    shown.problems.clear()

    def open_page(
        html: str, width: int = 1200, height: int = 900, hash: str = "", ready: bool = True, **media: str
    ) -> Shown:
        file = tmp_path / f"page{len(list(tmp_path.iterdir()))}.html"
        file.write_text(html, encoding="utf-8")
        shown.page.mouse.move(0, 0)
        shown.page.set_viewport_size({"width": width, "height": height})
        shown.page.emulate_media(**({"color_scheme": "light", "reduced_motion": "no-preference"} | media))
        shown.page.goto(file.as_uri() + hash)
        if ready:
            shown.until(f"Boolean({READY})")
            shown.until(
                "/wide|medium|narrow|tiny/.test(document.querySelector('main').shadowRoot.firstChild.className)"
            )
            shown.drawn()
        return shown

    yield open_page
    assert [url for url in shown.requests if not url.startswith(("file:", "blob:", "data:", "about:"))] == []
    assert shown.problems == []


@pytest.fixture(scope="session")
def gram() -> Any:
    """8 queens: 50 paths, 33 states."""
    return synthetic.queens(features=16)


@pytest.fixture(scope="session")
def trm() -> Any:
    """One path on the same puzzle, by another checkpoint."""
    return synthetic.queens(1, model="trm", checkpoint="synthetic-trm", seed=3, wrong=1.0, features=16)


@pytest.fixture(scope="session")
def one(gram: Any) -> Any:
    """The payload of the fifty paths alone."""
    from gramviz.pack import pack

    return pack(gram)


@pytest.fixture(scope="session")
def two(trm: Any, gram: Any) -> Any:
    """The payload of TRM's one path (A) beside the fifty (B)."""
    from gramviz.pack import pack

    return pack([trm, gram])


@pytest.fixture(scope="session")
def low() -> Any:
    """The payload of a small Sudoku with every low-level update."""
    from gramviz.pack import pack

    return pack(synthetic.sudoku(low_steps=3))
