"""A model at work: an explorer that grows while the model samples, alone or with controls.

    gv.explore(gram.watch("sudoku9-gram", 3))
    gv.live(gram.watch, ["sudoku9-generate-gram", "mnist-gram"])

`watch` is the notebook's: a function like `gram.watch` that yields moments, one per transition. It runs in a thread
of its own, so the page stays quick; what the explorer shall show is packed there too and handed to the kernel's own
loop, at most every `EVERY` seconds and in at most a third of the time. Pause and cancel are heard between two moments,
and what was drawn until then stays. When it ran to its end, that is the rollout of `gram.sample` with the same choices,
bit for bit.
"""

from __future__ import annotations

import asyncio
import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import ipywidgets
import traitlets
import xarray as xr
from IPython.display import display, update_display

from gramviz.explorer.output import bundle
from gramviz.explorer.pack import pack
from gramviz.explorer.payload import PackError, Payload
from gramviz.explorer.source import Source
from gramviz.explorer.widget import Explorer

EVERY = 0.4  # seconds between two payloads; the page reads one in a tenth of that


class Moment(Protocol):
    """What a watched drawing yields; `gram.watch.Moment` is one."""

    @property
    def done(self) -> int:
        """Transitions drawn so far."""

    @property
    def total(self) -> int:
        """Transitions in all."""

    @property
    def whole(self) -> bool:
        """Whether all trajectories have reached the same step, so that there is a new state to show."""

    def rollout(self) -> xr.Dataset:
        """Every state that all trajectories have reached."""


class Worker:
    """Runs a drawing in a thread. No widget and no kernel here.

    Args:
        moments: makes the drawing; called in the thread, so that its errors are reported like those of the drawing.
        report: called in the thread with (done, total, payload or None) when there is something to show, and once at
            the end; each payload comes with the rollout that it was made of.
        ended: called in the thread at the end, with "" or one sentence on what went wrong.
        packed: makes the payload of a rollout; called in the thread.
    """

    def __init__(
        self,
        moments: Callable[[], Iterable[Moment]],
        report: Callable[[int, int, tuple[xr.Dataset, Payload] | None], object],
        ended: Callable[[str], object],
        packed: Callable[[xr.Dataset], Payload] = lambda rollout: pack([rollout]),
    ) -> None:
        self._moments, self._report, self._ended, self._packed = moments, report, ended, packed
        self._cancelled, self._goes = threading.Event(), threading.Event()
        self._goes.set()
        self._thread = threading.Thread(target=self._run, name="gramviz-live", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self, on: bool = True) -> None:
        """Pause before the next transition, or resume."""
        self._goes.clear() if on else self._goes.set()

    def cancel(self) -> None:
        """Stop before the next transition; what exists is still reported."""
        self._cancelled.set()
        self._goes.set()

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._draw()
        except Exception as error:  # a thread has nobody else to tell
            self._ended(" ".join(str(error).split()) or type(error).__name__)
        else:
            self._ended("")

    def _draw(self) -> None:
        shown, pause, pending = -math.inf, 0.0, False
        for moment in self._moments():
            pending = pending or moment.whole
            began = time.monotonic()
            late = began - shown > pause
            if self._cancelled.is_set() or not self._goes.is_set() or moment.done == moment.total or late:
                self._tell(moment, pending)
                shown, pending = time.monotonic(), False
                pause = EVERY and max(EVERY, 2 * (shown - began))
            self._goes.wait()
            if self._cancelled.is_set():
                return

    def _tell(self, moment: Moment, fresh: bool) -> None:
        """Pack what there is, if any of it is new."""
        packed = None
        if fresh:
            rollout = moment.rollout()
            packed = rollout, self._packed(rollout)
        self._report(moment.done, moment.total, packed)


class Sampled(Explorer):
    """An explorer of a sampling that is under way; make it with `explore(gram.watch(...))`.

    What is drawn is on screen, and what follows joins it. When all is drawn, or `cancel` was called, it is the explorer
    of that rollout, `source.rollouts[0]`; other puzzles, branches and comparisons can be asked for from then on.
    """

    def __init__(self, moments: Iterator[Moment], source: Callable[[xr.Dataset], Source], **known: Any) -> None:
        first = next((moment for moment in moments if moment.whole), None)
        if first is None:
            raise PackError("this sampling ended before its first step; give one that has not begun: gram.watch(...)")
        self._of, self._latest = source, source(first.rollout())
        self._at, self._displayed = (first.done, first.total), False
        super().__init__(_partial(self._latest.payload(), *self._at), **known)
        loop = kernel_loop()
        self._worker = Worker(
            lambda: moments,
            lambda *news: _soon(loop, self._grow, *news),
            lambda problem: _soon(loop, self._end, problem),
            lambda rollout: source(rollout).payload(),
        )
        self._worker.start()

    def cancel(self) -> None:
        """Stop the model before its next transition; what exists stays."""
        self._worker.cancel()

    def join(self, timeout: float | None = None) -> None:
        """Wait until all is drawn. For scripts: in a notebook cell the page does not change while this waits."""
        self._worker.join(timeout)

    def _grow(self, done: int, total: int, packed: tuple[xr.Dataset, Payload] | None) -> None:
        self._at = done, total
        if packed:
            self._latest = self._of(packed[0])
            if done == total:
                self._settle()
            self.feed(_partial(packed[1], done, total))

    def _settle(self) -> None:
        """From now on it has a rollout, so that it can be asked for more."""
        self._source = self._latest
        self.asks = self._able()

    def _end(self, problem: str) -> None:
        done, total = self._at
        self._settle()
        self.status = problem
        self.send({"say": problem or f"{'Done' if done == total else 'Cancelled'}: {_drawn(done, total)}"})
        if self._displayed:  # what was drawn is kept in the notebook
            data, metadata = self._repr_mimebundle_()
            update_display(data, metadata=metadata, raw=True, display_id=self.model_id)

    def _ipython_display_(self) -> None:
        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True, display_id=self.model_id)
        self._displayed = True


def _drawn(done: int, total: int) -> str:
    return f"{done} of {total} transitions are drawn."


def _partial(payload: Payload, done: int, total: int) -> Payload:
    """The payload, which says what is not drawn yet."""
    if done < total:
        payload.meta["left_out"].append(_drawn(done, total))
    return payload


class Live(ipywidgets.VBox):
    """Controls, and below them the explorer. Make it with `live`.

    Attributes:
        rollout: what was drawn last, whole or as far as it came; None before the first step.
        explorer: the explorer; None before the first step.
        busy: whether the model runs.
    """

    busy = traitlets.Bool(False)

    def __init__(self, watch: Callable[..., Iterable[Moment]], checkpoints: Sequence[str]) -> None:
        self._watch = watch
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: Worker | None = None
        self._displayed = False
        self.rollout: xr.Dataset | None = None
        self.explorer: Explorer | None = None
        wide, narrow = {"width": "24em"}, {"width": "11em"}
        wide_label = {"description_width": "initial"}
        self.checkpoint = ipywidgets.Dropdown(
            options=list(checkpoints), description="Checkpoint", style=wide_label, layout=wide
        )
        self.puzzle = ipywidgets.Text(
            "0", description="Puzzle", style=wide_label, layout=wide,
            tooltip="The index of a held-out puzzle, or a board as text, rows separated by /; 0 where one generates.",
        )  # fmt: skip

        def number(value: float, description: str, tooltip: str) -> Any:
            kind = ipywidgets.IntText if isinstance(value, int) else ipywidgets.FloatText
            return kind(value, description=description, tooltip=tooltip, style=wide_label, layout=narrow)

        self.trajectories = number(20, "Trajectories", "How many answers are drawn at once.")
        self.steps = number(0, "Steps", "Supervision steps of each; 0: the checkpoint's, 16 at most.")
        self.seed = number(0, "Seed", "Of all sampling noise: the same seed, the same answers.")
        self.temperature = number(0.0, "Temperature", "Of sampled tokens; 0: the most probable answer.")
        self.perturb = number(0.0, "PTRM noise", "Deviation of noise on the latent before each step; 0: none.")
        self.start = ipywidgets.Button(description="Generate", button_style="primary", icon="play", layout=narrow)
        self.pause = ipywidgets.ToggleButton(description="Pause", icon="pause", disabled=True, layout=narrow)
        self.stop = ipywidgets.Button(description="Cancel", icon="stop", disabled=True, layout=narrow)
        self.progress = ipywidgets.IntProgress(0, 0, 1, layout={"width": "14em"})
        self.status = ipywidgets.Label("Nothing drawn yet.")
        self.start.on_click(lambda _: self.generate())
        self.stop.on_click(lambda _: self.cancel())
        self.pause.observe(lambda change: self._pause(change["new"]), "value")
        self._below = ipywidgets.VBox()
        row = {"flex_flow": "row wrap"}
        super().__init__(
            [
                ipywidgets.HBox([self.checkpoint, self.puzzle, self.trajectories, self.steps], layout=row),
                ipywidgets.HBox([self.seed, self.temperature, self.perturb], layout=row),
                ipywidgets.HBox([self.start, self.pause, self.stop, self.progress, self.status], layout=row),
                self._below,
            ]
        )

    def _ipython_display_(self) -> None:
        data, metadata = self._bundle()
        display(data, metadata=metadata, raw=True, display_id=self.model_id)
        self._displayed = True

    def _bundle(self) -> tuple[dict[str, Any], dict[str, Any]]:
        explorer = self.explorer
        held = (explorer.payload, explorer.state) if explorer else (None, {})
        return bundle(self, self._repr_mimebundle_(), *held)

    @property
    def choices(self) -> dict[str, Any]:
        """The arguments of `watch`, and of `gram.sample`, that the controls stand for."""
        text = self.puzzle.value.strip() or "0"
        chosen: dict[str, Any] = {
            "puzzles": int(text) if re.fullmatch("[0-9]{1,9}", text) else text,
            "trajectories": self.trajectories.value,
            "seed": self.seed.value,
        }
        optional = {
            "supervision_steps": self.steps.value,
            "temperature": self.temperature.value,
            "perturb": self.perturb.value,
        }
        return chosen | {name: value for name, value in optional.items() if value}

    def generate(self) -> Live:
        """Press Generate. While a model runs it does nothing: cancel first."""
        if self._worker and self._worker.running:
            return self
        self._loop = kernel_loop()  # all messages to the page go out from it
        checkpoint, choices = self.checkpoint.value, self.choices
        self._shown, self._first = 0, True
        self._set(busy=True, text="Starting.")
        self.progress.value, self.progress.bar_style = 0, ""
        self._worker = Worker(
            lambda: self._watch(checkpoint, **choices),
            lambda *news: _soon(self._loop, self._update, *news),
            lambda problem: _soon(self._loop, self._end, problem),
        )
        self._worker.start()
        return self

    def cancel(self) -> None:
        """Press Cancel: the model stops before its next transition, and what exists stays."""
        if self._worker:
            self._worker.cancel()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the model has stopped. For scripts: in a notebook cell the page does not change while this
        waits."""
        if self._worker:
            self._worker.join(timeout)

    def _pause(self, on: bool) -> None:
        if self._worker:
            self._worker.pause(on)
            self.pause.description = "Go on" if on else "Pause"
            if self.busy:
                self.status.value = f"{'Paused' if on else 'Running'}, {self.progress.value} of {self.progress.max}."

    def _update(self, done: int, total: int, packed: tuple[xr.Dataset, Payload] | None) -> None:
        self.progress.max, self.progress.value = total, done
        self.status.value = f"{'Paused' if self.pause.value else 'Running'}, {done} of {total}."
        if packed is None:
            return
        self.rollout, payload = packed
        last = self.rollout.sizes["step"] - 1
        if self.explorer is None:
            self.explorer = Explorer(payload, **_opening(payload))
            self._below.children = [self.explorer]
        else:
            with self.explorer.hold_sync():  # one message
                if self._first:  # another drawing: what was chosen in the one before means nothing here
                    old = self.explorer.state
                    self.explorer.state = {key: old[key] for key in _KEPT & old.keys()}
                self.explorer.feed(payload)  # the page knows whether it looks at the end, and follows to the new one
        self._shown, self._first = last, False

    def _end(self, problem: str) -> None:
        done, total = self.progress.value, self.progress.max
        whole = not problem and done == total
        self.progress.bar_style = "danger" if problem else "success" if whole else "warning"
        steps = "nothing was drawn" if self._first else f"{self._shown} steps are here"
        text = problem or (f"Done, {total} of {total}." if whole else f"Cancelled at {done} of {total}; {steps}.")
        self._set(busy=False, text=text)
        if self._displayed and not self._first:  # what was drawn is kept in the notebook
            data, metadata = self._bundle()
            update_display(data, metadata=metadata, raw=True, display_id=self.model_id)

    def _set(self, *, busy: bool, text: str) -> None:
        self.busy, self.status.value = busy, text
        self.start.disabled, self.pause.disabled, self.stop.disabled = busy, not busy, not busy
        if self.pause.value:
            self.pause.value = False


def _soon(loop: asyncio.AbstractEventLoop | None, call: Callable[..., None], *arguments: Any) -> None:
    """Call it from the kernel's loop, if there is one."""
    if loop is None or loop.is_closed():
        call(*arguments)
    else:
        loop.call_soon_threadsafe(call, *arguments)


def kernel_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs the code of this thread, as a kernel's does; none in a script."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


# What means the same in every drawing.
_KEPT = {
    "theme", "motion", "lanes", "speed", "loop", "panel", "folded", "sizes", "tall", "sheet", "samples_by",
}  # fmt: skip


def _opening(payload: Payload) -> dict[str, Any]:
    """What a drawing opens with: where nothing is given, every answer is one of its own, so all are seen at once."""
    x, blank = payload.meta["x"], payload.meta["board"].get("blank") or ()
    several = payload.meta["series"][0]["trajectories"] > 1
    return {"sheet": "samples"} if several and x is not None and set(x) <= set(blank) else {}


def live(watch: Callable[..., Iterable[Moment]], checkpoints: Sequence[str]) -> Live:
    """Controls that run a model and show it at work.

    Args:
        watch: `gram.watch`, or a function like it: (checkpoint, puzzles=, trajectories=, seed=, and what is chosen of
            supervision_steps=, temperature=, perturb=) -> moments.
        checkpoints: their names, e.g. `gram.names()`.
    Raises:
        ValueError: there are none.
    """
    if not checkpoints:
        raise ValueError("checkpoints is empty; give the name of at least one, e.g. nqueens8-gram")
    return Live(watch, checkpoints)
