"""A training run in the same room: live curves, cancel and resume, and one puzzle solved by the checkpoints so far.

    run = gram.train("nqueens8-gram", "runs/queens", wait=False)     # in a process of its own
    gv.watch_training(run, sample=gram.sample)

It reads the run's folder, so it does not matter who trains: this notebook, a terminal, or nobody any more. With
`sample`, a slider goes through training: at each of the run's snapshots the same puzzle is solved with the same
sampling noise, and the explorer below shows how. That is drawn in a thread, once per snapshot and when it is looked at.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import ipywidgets
import plotly.graph_objects as go
import xarray as xr

from gram import run_folder
from gramviz import measure
from gramviz.explorer.live import kernel_loop
from gramviz.explorer.output import bundle
from gramviz.explorer.pack import pack
from gramviz.explorer.payload import Payload
from gramviz.explorer.widget import Explorer
from gramviz.theme import CONFIG
from gramviz.views import training

EVERY = 1.0  # seconds between two looks at the folder


class Sample(Protocol):
    """Draws trajectories of a puzzle; `gram.sample` is one."""

    def __call__(self, checkpoint: str, puzzles: Any, /, *, trajectories: int, seed: int) -> xr.Dataset:
        """A rollout of one puzzle."""


class Training(ipywidgets.VBox):
    """Curves, controls, and below them the explorer. Make it with `watch_training`.

    Attributes:
        run: the run's folder.
        figure: the curves as they are now, of plotly.
        rollouts: what was sampled, by optimizer step.
        explorer: the explorer; None before the first rollout.
    """

    def __init__(
        self, run: Path, sample: Sample | None, puzzle: int | str, trajectories: int, seed: int, theme: str
    ) -> None:
        self.run, self._theme = run, theme
        self._sample, self._choices = sample, (puzzle, trajectories, seed)
        self.figure: go.Figure
        self.rollouts: dict[int, xr.Dataset] = {}
        self._payloads: dict[int, Payload] = {}
        self._wanted: int | None = None  # the optimizer step that is being sampled
        self.explorer: Explorer | None = None
        self._thread = ThreadPoolExecutor(1, "gramviz-training")
        self._loop = kernel_loop()
        self._read: tuple[Any, ...] = ()  # what of the folder is shown
        self.curves = ipywidgets.Output()
        total = run_folder.all_steps(run)
        self.cancel = ipywidgets.Button(description="Cancel", icon="stop", layout={"width": "8em"})
        self.resume = ipywidgets.Button(description="Resume", icon="play", layout={"width": "8em"})
        self.progress = ipywidgets.IntProgress(0, 0, total, layout={"width": "14em"})
        self.status = ipywidgets.Label()
        self.slider = ipywidgets.SelectionSlider(
            options=[("none yet", -1)], description="The puzzle after N optimizer steps", continuous_update=False,
            style={"description_width": "initial"}, layout={"width": "40em"},
        )  # fmt: skip
        self.drawn = ipywidgets.Label()
        self._below = ipywidgets.VBox()
        self.cancel.on_click(lambda _: self._press(run_folder.stop))
        self.resume.on_click(lambda _: self._press(run_folder.start))
        self.slider.observe(self._turned, "value")
        row = {"flex_flow": "row wrap"}
        timeline = [ipywidgets.HBox([self.slider, self.drawn], layout=row), self._below] if sample else []
        controls = ipywidgets.HBox([self.cancel, self.resume, self.progress, self.status], layout=row)
        super().__init__([controls, self.curves, *timeline])
        self.refresh()
        if self._loop is not None:
            self._following = self._loop.create_task(self._follow())

    async def _follow(self) -> None:
        try:
            while self.comm is not None:  # until it is closed
                await asyncio.sleep(EVERY)
                self.refresh()
        except (ValueError, OSError) as error:  # the folder is gone
            self.status.value = str(error)

    def refresh(self) -> Training:
        """Show what the folder holds now. In a notebook this happens by itself, every second."""
        steps = list(run_folder.checkpoints(self.run))
        busy, lines = run_folder.is_training(self.run), self.run / run_folder.METRICS
        read = (lines.stat().st_size if lines.is_file() else 0, steps, busy, run_folder.is_asked_to_stop(self.run))
        if read != self._read:
            self._read = read
            self._show_curves()
            self._show_status(busy)
            self._offer(steps)
        return self

    def _show_curves(self) -> None:
        """Draw them anew, at a fixed height so that nothing below moves.

        Not as plotly's FigureWidget: that weighs 5 MB, and loses what is sent to it before the page has loaded it.
        """
        chosen = self.slider.value
        self.figure = training.draw(self.run, self._theme, at=chosen if self._sample and chosen >= 0 else None)
        self.curves.layout.height = f"{self.figure.layout.height + 10}px"
        self.curves.outputs = ({"output_type": "display_data", "data": self._picture(), "metadata": {}},)

    def _picture(self) -> dict[str, Any]:
        return {"application/vnd.plotly.v1+json": json.loads(self.figure.to_json()) | {"config": CONFIG}}

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live view and, for who has no kernel, the explorer as it stands now."""
        held = (self.explorer.payload, self.explorer.state) if self.explorer else (None, {})
        return bundle(self, super()._repr_mimebundle_(**kwargs), *held)

    def _show_status(self, busy: bool) -> None:
        lines = run_folder.lines(self.run)
        step, total = int(lines[-1]["step"]) if lines else 0, self.progress.max
        at = f"{step:,} of {total:,} steps"
        finished, failure = step == total, run_folder.failure(self.run)
        stopping = busy and run_folder.is_asked_to_stop(self.run)
        words = "Stopping" if stopping else "Training" if busy else "Finished" if finished else "Stopped"
        self.status.value = failure or f"{words}, {at}."
        self.progress.value = step
        self.progress.bar_style = "danger" if failure else "success" if finished else "" if busy else "warning"
        self.cancel.disabled = not busy or stopping
        self.resume.disabled = busy or finished

    def _press(self, call: Callable[[Path], None]) -> None:
        try:
            call(self.run)
        except (ValueError, OSError) as error:
            self.status.value = str(error)
        else:
            self.refresh()

    # -- the same puzzle through training
    def _offer(self, steps: list[int]) -> None:
        """Let the slider offer these optimizer steps; one that stands at the newest follows to the new one."""
        known = [value for _, value in self.slider.options]
        steps = sorted({*steps, *self.rollouts})
        if not self._sample or not steps or steps == known:
            return
        chosen = self.slider.value if self.slider.value in steps[:-1] and self.slider.value != known[-1] else steps[-1]
        self.slider.unobserve(self._turned, "value")  # options that change put it on the first one for a moment
        self.slider.options = [(f"{step:,}", step) for step in steps]
        self.slider.value = chosen
        self.slider.observe(self._turned, "value")
        self._look(chosen)

    def _turned(self, change: Mapping[str, Any]) -> None:
        self._look(change["new"])

    def _look(self, step: int) -> None:
        """Show the puzzle as solved after this many optimizer steps, when it has been sampled."""
        if step in self._payloads:
            self._show(step)
        elif step >= 0 and step != self._wanted:
            self._wanted = step
            self.drawn.value = f"Sampling after {step:,} steps."
            self._thread.submit(self._draw, step).add_done_callback(
                lambda future: self._soon(self._arrived, step, future)
            )

    def _draw(self, step: int) -> tuple[xr.Dataset, Payload] | None:
        """In the thread; nothing if the slider has moved on before its turn came."""
        assert self._sample is not None
        if step != self._wanted:
            return None
        name = run_folder.checkpoints(self.run).get(step)
        if name is None:
            raise ValueError(f"The weights after {step:,} steps are gone; choose others.")
        puzzle, trajectories, seed = self._choices
        rollout = self._sample(name, puzzle, trajectories=trajectories, seed=seed)
        rollout = rollout.assign_attrs(name=f"{self.run.resolve().name} after {step:,} optimizer steps")
        return rollout, pack([rollout])

    def _arrived(self, step: int, future: Future[tuple[xr.Dataset, Payload] | None]) -> None:
        if self._wanted == step:
            self._wanted = None
        if error := future.exception():
            self.drawn.value = " ".join(str(error).split()) or type(error).__name__
        elif found := future.result():
            self.rollouts[step], self._payloads[step] = found
            if self.slider.value == step:
                self._show(step)

    def _show(self, step: int) -> None:
        rollout, payload = self.rollouts[step], self._payloads[step]
        if self.explorer is None:
            self.explorer = Explorer(payload, theme=self._theme)
            self._below.children = [self.explorer]
        else:
            self.explorer.feed(payload)
        correct = measure.outcome(rollout).values[0] == measure.CORRECT
        self.drawn.value = f"{correct.sum()} of {correct.size} end right." if measure.judged(rollout) else ""
        self._show_curves()

    def _soon(self, call: Callable[..., None], *arguments: Any) -> None:
        if self._loop is None or self._loop.is_closed():
            call(*arguments)
        else:
            self._loop.call_soon_threadsafe(call, *arguments)

    def join(self) -> Training:
        """Wait for what is being sampled, in a script. In a notebook cell nothing arrives while this waits."""
        self._thread.submit(lambda: None).result()
        return self


def watch_training(
    run: str | os.PathLike[str],
    *,
    sample: Sample | None = None,
    puzzle: int | str = 0,
    trajectories: int = 8,
    seed: int = 0,
    theme: str = "light",
) -> Training:
    """Watch a run while it trains, or look at one that has ended, or at an artifact.

    Cancel stops it, saved, after its present optimizer step, wherever it was started; Resume trains on in a process of
    its own.

    Args:
        run: its folder, as `gram.train` returns it.
        sample: `gram.sample`, or a function like it: then a puzzle is solved by the checkpoints so far.
        puzzle, trajectories, seed: what `sample` is asked for: the index of a held-out puzzle, or a puzzle as text.
        theme: light or dark.
    Raises:
        RunFolderError: there is no run in this folder.
    """
    return Training(Path(run), sample, puzzle, trajectories, seed, theme)
