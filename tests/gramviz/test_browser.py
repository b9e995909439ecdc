"""`gramviz.browser`: a browser is found and prints, also from a thread in which an event loop runs."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from gramviz import browser as chrome
from gramviz.browser import aside
from gramviz.reports import report


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """The smallest notebook that runs."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "small.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1 + 1", id="sum")], metadata={"kernelspec": kernel}), path)
    return path


def within_a_loop(work: Callable[[], Any]) -> Any:
    """What `work` returns where an event loop runs, as in a Jupyter kernel.

    Not in this thread: a browser that other tests have open keeps a loop of its own in it.
    """

    async def cell() -> Any:
        return work()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, cell()).result()


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")  # where there is none, this skips, or fails in CI
def test_a_page_prints_while_an_event_loop_runs(tmp_path: Path) -> None:
    source, target = tmp_path / "page.html", tmp_path / "page.pdf"
    source.write_text("<h1>Printed</h1>")
    browser = within_a_loop(chrome.driven)
    within_a_loop(lambda: chrome.print_page(source, target, browser))
    assert target.read_bytes().startswith(b"%PDF-")


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.usefixtures("chromium")
def test_a_run_from_a_kernel_prints_to_pdf(notebook: Path, tmp_path: Path) -> None:
    within_a_loop(lambda: report.run(notebook, {}, tmp_path / "out", pdf=True))
    assert (tmp_path / "out" / "small.pdf").read_bytes().startswith(b"%PDF-")


def test_playwright_is_asked_for_its_own_chromium_while_an_event_loop_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    api = pytest.importorskip("playwright.sync_api")
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    here = within_a_loop(chrome.chromium)
    with ThreadPoolExecutor(1) as thread:  # as above, this one may have a loop already

        def ask() -> str:
            with api.sync_playwright() as driver:
                return driver.chromium.executable_path

        place = thread.submit(ask).result()
    assert here == (place if Path(place).exists() else None)


def test_pdf_without_a_browser_is_refused_before_the_run(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chrome, "chromium", lambda: None)
    with pytest.raises(chrome.BrowserError, match="this needs Chromium, and none was found"):
        report.run(notebook, {}, tmp_path / "out", pdf=True)
    assert not (tmp_path / "out").exists()


def test_chromium_is_the_one_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "my-chromium"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(fake))
    assert chrome.chromium() == str(fake)


def test_an_interrupt_stops_what_is_done_aside():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a job of a shell
    stop = Event()

    def work():
        os.kill(os.getpid(), signal.SIGINT)
        return stop.wait(60)

    try:
        with pytest.raises(KeyboardInterrupt):
            aside(work, stop)
    finally:
        signal.signal(signal.SIGINT, before)
    assert stop.is_set()
