"""What it costs a page to run its models, beside torch on one thread, in turns: time, and seconds of the processor.

`TORCH` is run in a process of its own, because gramviz knows no model. Both do the same: 20 trajectories of 16
transitions of one puzzle in float32, with noise, and logits after each.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from gramviz.browser import aside, driven, opened
from gramviz.explorer.freeze import freeze

TRAJECTORIES, DEPTH, ROUNDS = 20, 16, 3
PUZZLES = {
    "nqueens8-gram": "Q7/8/8/8/8/8/8/8",
    "coloring8-gram": "1-2 2-3 3-1 4-5 5-6 6-7 7-8 1-8 2-5",
    "sudoku9-gram": "6......../1......4./.....57../.......63/.52....../.7.9...1./...41..../...6...../.3....2..",
}
TORCH = """\
import json, sys, time
import numpy as np, torch
import gram
from gram import rollout
from gram.inference.noise import RowGenerators

torch.set_num_threads(1)
puzzles, trajectories, depth, folder = json.loads(sys.argv[1])
seconds = {}
for name, text in puzzles.items():
    opened = gram.load(name)
    rows = torch.from_numpy(np.stack([opened.task.parse(text)] * trajectories).astype(np.int64))
    for _ in range(2):  # the first warms up
        began = time.process_time()
        with torch.inference_mode():
            state, noise = opened.model.init(rows), RowGenerators([(0, 0, row) for row in range(trajectories)])
            for _ in range(depth):
                state, _ = opened.model.step(state, noise)
                opened.model.decode(state)
        seconds[name] = time.process_time() - began
    rollout.save(gram.sample(opened, text, trajectories=1, supervision_steps=1, progress=False), f"{folder}/{name}.nc")
print(json.dumps(seconds))
"""
_TYPE = """([text, choices]) => {
  const field = name => document.querySelector('main').shadowRoot.querySelector(`[data-field=${name}]`);
  field('open').click();
  for (const [name, value] of Object.entries(choices)) {
    field(name).value = value;
    field(name).dispatchEvent(new Event('change'));
  }
  field('text').value = text;
  field('text').dispatchEvent(new Event('input'));
}"""
_RUN = """() => {
  const host = document.querySelector('main'), recorded = host.gramviz.payload, began = performance.now();
  const frame = (then) => requestAnimationFrame(then);
  const look = () => {
    const { payload } = host.gramviz;
    if (payload === recorded || payload.series[0].steps < 2) frame(look);
    else frame(() => frame(() => { window.first = performance.now() - began; }));
  };
  window.first = null;
  host.shadowRoot.querySelector('[data-field=run]').click();
  frame(look);
}"""
_AGAIN = """() => {
  const root = document.querySelector('main').shadowRoot;
  root.querySelector('[data-field=open]').click();
  window.again = false;
  requestAnimationFrame(() => {
    root.querySelector('[data-field=run]').click();
    window.again = true;
  });
}"""
_STATUS = "document.querySelector('main').shadowRoot.querySelector('.yours [role=status]').textContent"


def bench_models() -> dict[str, Any]:
    """Of each model of `PUZZLES` the least of some rounds.

    `first_step_ms_NAME` is from Run, a second after the last key, to the first computed step on screen,
    `first_step_cpu_ms_NAME` what the page's process spends on that; `workers_cpu_s_NAME` is that of all workers for the
    whole run (None where the system does not say), `workers_again_cpu_s_NAME` for the same run once more, when the
    browser has compiled the kernel to its best, and `torch_cpu_s_NAME` the second run of torch.

    Raises:
        BrowserError: Chromium or playwright is missing.
        subprocess.CalledProcessError: the models could not be run.
    """
    browser, figures = driven(), dict[str, Any]()

    def least(name: str, value: float | None) -> None:
        known = [one for one in (figures.get(name), value) if one is not None]
        figures[name] = round(min(known), 3) if known else None

    with tempfile.TemporaryDirectory() as folder:
        task = json.dumps([PUZZLES, TRAJECTORIES, DEPTH, folder])
        for _ in range(ROUNDS):
            done = subprocess.run([sys.executable, "-c", TORCH, task], check=True, capture_output=True, text=True)
            for name, seconds in json.loads(done.stdout).items():
                least(f"torch_cpu_s_{name}", seconds)
                page = freeze(Path(folder) / f"{name}.nc", models=[name])
                one = aside(lambda html=page, text=PUZZLES[name]: _run(html, text, 1, browser))  # type: ignore[misc]
                whole = aside(lambda html=page, text=PUZZLES[name]: _run(html, text, DEPTH, browser))  # type: ignore[misc]
                least(f"first_step_ms_{name}", whole["first"])
                least(f"first_step_cpu_ms_{name}", one["page_cpu_s"] * 1000)
                least(f"workers_cpu_s_{name}", whole["workers_cpu_s"])
                least(f"workers_again_cpu_s_{name}", whole["workers_again_cpu_s"])
    return figures


def table(figures: dict[str, Any]) -> str:
    """The figures as rows for docs/performance.md."""
    said = lambda value: "not known" if value is None else f"{value:.2f} s"  # noqa: E731
    lines = [
        f"| `{name}` | {figures[f'first_step_ms_{name}']:.0f} ms | {figures[f'first_step_cpu_ms_{name}']:.0f} ms "
        f"| {said(figures[f'workers_cpu_s_{name}'])} | {said(figures[f'workers_again_cpu_s_{name}'])} "
        f"| {said(figures[f'torch_cpu_s_{name}'])} |"
        for name in PUZZLES
    ]
    return "\n".join(
        [
            "| model | first step on screen | its CPU | CPU of workers, first run | second run | torch, second run |",
            "|---|---|---|---|---|---|",
            *lines,
        ]
    )


def _run(html: str, text: str, depth: int, browser: str) -> dict[str, Any]:
    """One run in a new page: `first` (ms), and what it took of the processor, `page_cpu_s` and `workers_cpu_s`."""
    with opened(html, browser, 1200, height=900) as page:
        session = page.context.browser.new_browser_cdp_session()

        def pages() -> list[dict[str, Any]]:
            found = session.send("SystemInfo.getProcessInfo")["processInfo"]
            return [process for process in found if process["type"] == "renderer"]

        def wait(condition: str) -> None:
            while not page.evaluate(condition):
                page.wait_for_timeout(50)

        page.wait_for_timeout(500)
        page.evaluate(_TYPE, [text, {"trajectories": TRAJECTORIES, "depth": depth}])
        page.wait_for_timeout(1000)  # as long as a person takes at least
        before = pages()
        rehearsed = _worker_seconds([process["id"] for process in before])
        page.evaluate(_RUN)
        wait(f"{_STATUS}.startsWith('Done') && first !== null")
        after, workers = pages(), _worker_seconds([process["id"] for process in pages()])
        found = {
            "first": page.evaluate("first"),
            "page_cpu_s": sum(one["cpuTime"] for one in after) - sum(one["cpuTime"] for one in before),
            "workers_cpu_s": workers and rehearsed and workers - rehearsed,
        }
        page.evaluate(_AGAIN)
        wait(f"again && {_STATUS}.startsWith('Done')")
        both = _worker_seconds([process["id"] for process in pages()])
        return found | {"workers_again_cpu_s": both and workers and both - workers}


def _worker_seconds(processes: list[int]) -> float | None:
    """Seconds of the processor of all web workers of some processes, as Linux counts them."""
    threads = [thread for process in processes for thread in Path(f"/proc/{process}/task").glob("*")]
    workers = [one for one in threads if (one / "comm").read_text().startswith("DedicatedWorker")]
    return sum(int((one / "schedstat").read_text().split()[0]) for one in workers) / 1e9 if workers else None
