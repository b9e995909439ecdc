"""What the explorer costs, measured on this machine in Chromium: time, frames, bytes, messages, memory.

The recorded comparison (`gramviz.export.demo`) stands for the designed case of fifty trajectories; for 500, and for 500
of 64 steps on a board of 81 cells, there are random walks, which are no results and say so. The numbers belong to the
machine and its load: `bench` says both.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any, TextIO

import numpy as np
import xarray as xr

from gram import rollout
from gram.board import Board, Token
from gramviz.browser import aside, driven, opened
from gramviz.explorer.freeze import freeze
from gramviz.explorer.link import link
from gramviz.explorer.opening import explore
from gramviz.explorer.widget import Explorer
from gramviz.export.demo import payload

FRAMES = 300
WIDTH = 1200  # CSS pixels
POINTING = 10  # seconds
LARGE = Board(
    "digits", "Digits on 9 x 9", "grid", 9, 9, (Token("blank", "."), *(Token(str(d), str(d)) for d in range(1, 10))),
    blank=(0,), exclusive=tuple(range(1, 10)), required=((0, 0),), box=(3, 3),
    groups=(*(tuple(range(9 * row, 9 * row + 9)) for row in range(9)), *(tuple(range(c, 81, 9)) for c in range(9))),
)  # fmt: skip

# Remembers what every animation frame cost, when the explorer stood for the first time, and how often it wrote its view
# to its address, which it would send to a kernel.
_WATCH = """
window.saves = 0; history.replaceState = () => { saves += 1; };
window.cost = []; window.at = []; window.first = null;
const raf = requestAnimationFrame.bind(window);
window.requestAnimationFrame = f => raf(now => {
  const began = performance.now(); f(now); cost.push(performance.now() - began); at.push(now);
});
const look = () => document.querySelector('main')?.shadowRoot?.querySelector('.board canvas')?.width > 300
  ? (first = performance.now()) : raf(look);
raf(look);
"""
_STORE = "document.querySelector('main').gramviz"
_PLAY = "document.querySelector('main').shadowRoot.querySelector('.play').click()"
# Every frame of the browser, whether the page draws in it or not: a longer gap is one that a person sees.
_FRAMES = """() => {
  window.every = []; window.watching = true;
  const tick = (now) => { every.push(now); if (watching) requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""
_REPLAY = """async times => {
  const store = document.querySelector('main').gramviz, last = store.payload.steps - 1;
  for (let k = 0; k < times; k += 1) {
    for (let step = 0; step <= last; step += 1) { store.set({ cursor: { step, low: null } }); store.paint(); }
    await new Promise(done => setTimeout(done));
  }
}"""


def bench(replays: int = 1000, progress: TextIO | None = None) -> dict[str, Any]:
    """All figures, by name; times in ms, sizes in bytes. Takes a few minutes.

    Raises:
        BrowserError: Chromium or playwright is missing.
    """
    browser = driven()
    fifty = payload()
    walks = random_walks(500)
    began = time.perf_counter()
    many = explore(walks, budget=None)
    packing = 1000 * (time.perf_counter() - began)
    page = freeze(Explorer(fifty))
    figures: dict[str, Any] = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0] if hasattr(os, 'getloadavg') else float('nan'):.1f}",
        "module_bytes": len(link().encode()),
        "payload_bytes": fifty.size,
        "page_bytes": len(page.encode()),
        "pack_500_ms": round(packing),
    }
    cases = {"50": page, "500": freeze(many)}
    for name, html in cases.items():
        _tell(progress, f"{name} trajectories: first picture and {FRAMES} frames")
        figures |= {f"{key}_{name}": value for key, value in aside(lambda h=html: _play(h, browser)).items()}  # type: ignore[misc]
    _tell(progress, "500 trajectories of 64 steps on 81 cells: opening, and pointing")
    walks = random_walks(500, 65, board=LARGE)
    began = time.process_time()
    large = freeze(explore(walks, budget=None))
    figures["open_large_cpu_ms"] = round(1000 * (time.process_time() - began))
    figures |= aside(lambda: _point(large, browser))
    _tell(progress, f"memory over {replays} replays")
    figures |= aside(lambda: _replays(page, browser, replays))
    return figures


def markdown(figures: dict[str, Any]) -> str:
    """The figures as a table for docs/performance.md."""
    kilo = lambda name: f"{figures[name] / 1000:.0f} kB"  # noqa: E731
    frames = lambda n: (  # noqa: E731
        f"{figures[f'script_median_ms_{n}']:.1f} ms median, {figures[f'script_p99_ms_{n}']:.1f} ms 99th percentile; "
        f"{figures[f'frame_median_ms_{n}']:.1f} ms between frames"
    )
    rows = [
        ("page opened to first picture, 51 trajectories", f"{figures['first_picture_ms_50']:.0f} ms"),
        ("the same, 500 trajectories", f"{figures['first_picture_ms_500']:.0f} ms"),
        ("`gv.explore` of 500 trajectories (packing)", f"{figures['pack_500_ms']} ms"),
        ("script per frame while playing, 51 trajectories", frames("50")),
        ("the same, 500 trajectories", frames("500")),
        ("500 trajectories × 64 steps × 81 cells: packed and frozen", f"{figures['open_large_cpu_ms']} ms of CPU"),
        (
            f"pointing at its board and map, and scrubbing, for {POINTING} s each",
            "; ".join(
                f"{figures[f'{where}_median_ms']:.1f} ms between frames, longest {figures[f'{where}_most_ms']:.1f} ms, "
                f"{figures[f'{where}_dropped']} of {figures[f'{where}_frames']} above 33 ms ({where})"
                for where in ("board", "map", "ruler")
            ),
        ),
        ("messages to the kernel while playing; after pause", f"{figures['saves_50']}; {figures['saves_after_50']}"),
        ("frames in 2 s while paused", str(figures["frames_paused_50"])),
        ("front end; payload; frozen page", f"{kilo('module_bytes')}; {kilo('payload_bytes')}; {kilo('page_bytes')}"),
        (
            f"heap before and after {figures['replays']} replays",
            f"{figures['heap_before'] / 1e6:.2f} MB; {figures['heap_after'] / 1e6:.2f} MB",
        ),
    ]
    lines = ["| what | figure |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in rows)]
    return "\n".join(lines) + f"\n\nMachine: {figures['machine']}, {figures['chromium_50']}, {WIDTH} px, density 2."


def random_walks(trajectories: int, steps: int = 33, seed: int = 0, board: Board | None = None) -> xr.Dataset:
    """A legal rollout of `trajectories` random walks over boards (8 queens): a load for the page, not a result."""
    rng = np.random.default_rng(seed)
    x = [0] * board.positions if board else payload().meta["x"]
    board = board or Board.from_json(json.dumps(payload().meta["board"]))
    positions = len(x)
    tokens = np.empty((1, trajectories, steps, positions), np.int8)
    tokens[0, :, 0] = rng.integers(1, len(board.tokens), (trajectories, positions))
    for t in range(1, steps):
        flip = rng.random((trajectories, positions)) < 0.05
        tokens[0, :, t] = np.where(
            flip, rng.integers(1, len(board.tokens), (trajectories, positions)), tokens[0, :, t - 1]
        )
    h = rng.normal(size=(1, trajectories, steps, positions, 4)).astype(np.float32).cumsum(2)
    return rollout.make(
        board, {"x": np.asarray([x], np.int8), "tokens": tokens, "h": h}, name="random walks", model="none"
    )


def _opened(html: str, browser: str) -> AbstractContextManager[Any]:
    flags = ["--enable-precise-memory-info"]
    return opened(
        html, browser, WIDTH, scale=2, height=900, ready="first !== null", script=_WATCH, flags=flags
    )  # fmt: skip


def _play(html: str, browser: str) -> dict[str, Any]:
    with _opened(html, browser) as page:
        first = page.evaluate("first")
        page.wait_for_timeout(600)
        still = page.evaluate("cost.length")
        page.wait_for_timeout(2000)
        rest = page.evaluate("cost.length") - still
        page.evaluate(f"{_STORE}.set({{ loop: true, cursor: {{ step: 0, low: null }} }})")
        page.wait_for_timeout(600)
        page.evaluate("cost.length = at.length = 0; window.saves = 0")
        page.evaluate(_PLAY)
        for _ in range(600):
            if page.evaluate("cost.length") >= FRAMES:
                break
            page.wait_for_timeout(100)
        cost, at, saves = page.evaluate("[cost.slice(), at.slice(), window.saves]")
        page.evaluate(_PLAY)
        page.wait_for_timeout(1000)
        after = page.evaluate("window.saves")
        version = f"Chromium {page.context.browser.version}"
    return {
        "first_picture_ms": first,
        "frames_paused": rest,
        "script_median_ms": statistics.median(cost),
        "script_p99_ms": float(np.quantile(cost, 0.99)),
        "frame_median_ms": statistics.median(b - a for a, b in pairwise(at) if b > a),
        "saves": saves,
        "saves_after": after,
        "chromium": version,
    }


def _point(html: str, browser: str) -> dict[str, Any]:
    """How long the browser's frames are while a pointer moves over the board and the map, and drags along the ruler."""
    figures: dict[str, Any] = {}
    with _opened(html, browser) as page:
        page.wait_for_timeout(1500)
        for where in ("board", "map", "ruler"):
            box = page.locator(f"[data-part={where}]:visible").first.bounding_box()
            rng = np.random.default_rng(0)
            at = rng.uniform(0.1, 0.9, 2)
            place = lambda at, box=box: (box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"])  # noqa: E731
            page.mouse.move(*place(at))
            if where == "ruler":
                page.mouse.down()
            page.evaluate(_FRAMES)
            end = time.monotonic() + POINTING
            while time.monotonic() < end:
                at = np.clip(at + rng.normal(0, 0.03, 2), 0.05, 0.95)
                page.mouse.move(*place(at))
            every = page.evaluate("(watching = false, every)")
            if where == "ruler":
                page.mouse.up()
            gaps = [b - a for a, b in pairwise(every)]
            figures |= {
                f"{where}_frames": len(gaps),
                f"{where}_median_ms": statistics.median(gaps),
                f"{where}_most_ms": max(gaps),
                f"{where}_dropped": sum(gap > 33.4 for gap in gaps),
            }
    return figures


def _replays(html: str, browser: str, times: int) -> dict[str, Any]:
    with _opened(html, browser) as page:
        session = page.context.new_cdp_session(page)

        def heap() -> int:
            session.send("HeapProfiler.collectGarbage")
            return int(session.send("Runtime.getHeapUsage")["usedSize"])

        page.evaluate(_REPLAY, 2)  # what is made once is made now
        before = heap()
        page.evaluate(_REPLAY, times)
        return {"replays": times, "heap_before": before, "heap_after": heap()}


def _tell(progress: TextIO | None, text: str) -> None:
    if progress is not None:
        print(text, file=progress, flush=True)
