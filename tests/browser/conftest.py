"""Pages for the tests of what a person sees, cut from every network; `chromium` stands in the conftest above."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
if str(TESTS) not in sys.path:  # `import synthetic` from any folder of tests
    sys.path.insert(0, str(TESTS))

import synthetic  # noqa: E402
from stages import Shown, watch  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


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
            shown.opened()
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
