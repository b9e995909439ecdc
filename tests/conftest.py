"""What all tests share, made once for a session: small trained checkpoints, and a browser.

torch and playwright are imported only by who asks.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

TESTS = Path(__file__).resolve().parent
if str(TESTS) not in sys.path:  # `import synthetic` from any folder of tests
    sys.path.insert(0, str(TESTS))

# Stand in for what is slow to import and not used, here and in every process that a test starts.
STUBS = str(TESTS / "stubs")
sys.path.insert(0, STUBS)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [STUBS, os.environ.get("PYTHONPATH")]))

# Several test processes and a few cores: more threads than this only get in each other's way. Subprocesses inherit it.
os.environ["OMP_NUM_THREADS"] = "1"

BROWSER_FLAGS = ["--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update"]

gc.disable()  # until all is imported and collected, which lives to the end; see below


def pytest_collection_finish() -> None:
    """From here on the collector looks at what is new alone: a twentieth of all time was spent on what stays."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files beside this one and those of reports come first, then others with slow tests: some hold a minute's
    work, with which no worker should end alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path.parent not in (TESTS, TESTS / "gramviz" / "reports"), item.path not in slow))


@pytest.fixture(scope="session")
def one_thread() -> None:
    """torch on one thread: the models here are too small to share."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def debug_checkpoint(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a GRAM trained by the preset `debug`; read only, copy it to change it."""
    return _trained("debug", tmp_path_factory)


@pytest.fixture(scope="session")
def debug_trm_checkpoint(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a TRM trained by the preset `debug-trm`; read only, copy it to change it."""
    return _trained("debug-trm", tmp_path_factory)


def _trained(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from gram.presets import preset
    from gram.training.loop import train

    return train(preset(name), tmp_path_factory.mktemp("checkpoints") / name, quiet=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium, the one that `gramviz doctor --chromium` prints; without one, tests skip and CI fails.

    While it is open, an event loop runs in the main thread, as in a Jupyter kernel.
    """
    from gramviz.browser import chromium as find

    try:
        from playwright import sync_api
    except ImportError:
        _do_without("browser tests need playwright: pip install playwright")
    found = find()
    if found is None:
        _do_without("no Chromium found; install one, or name it in CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=BROWSER_FLAGS)
        except sync_api.Error as error:
            _do_without(f"{found} does not start: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


def _do_without(reason: str) -> NoReturn:
    """Skip what needs the browser; in CI, where no browser test may be left out, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"in CI no browser test may be left out: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core, which the package axe-playwright-python carries."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("the check needs axe-core: pip install axe-playwright-python")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")
