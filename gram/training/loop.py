"""The training loop: a run is advanced, reported, saved and stopped here, and resumes where it stopped.

    gram.train("nqueens8-gram", "runs/queens", watch=print)    # here
    gram.train("nqueens8-gram", "runs/queens", wait=False)     # in a process of its own

It stops after `minutes`, at Ctrl+C, when `watch` says so, or when `gram.run_folder.stop` asks it from elsewhere: always
between two optimizer steps, saved whole.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from tqdm import tqdm

from gram import checkpoint as store
from gram import run_folder
from gram.config import ConfigError, RunConfig
from gram.presets import preset
from gram.progress import bar
from gram.training import distributed as processes
from gram.training.run import Run
from gram.training.tensorboard import Events

Watch = Callable[[dict[str, Any]], bool | None]


def train(
    config: RunConfig | str,
    path: str | os.PathLike[str],
    *,
    minutes: float | None = None,
    quiet: bool = False,
    watch: Watch | None = None,
    tensorboard: bool = False,
    wait: bool = True,
) -> Path:
    """Train a run in the folder `path`, resuming it where it stopped, and return the folder.

    Args:
        config: what to train, or the name of a preset. A folder that holds another configuration is refused.
        minutes: stop after this many minutes of this call; the run can be resumed later. None: to the last step.
        quiet: no progress on stderr.
        watch: called with each line of metrics.jsonl (docs/training.md) when it has been written, every
            `train.log_every` steps; if it returns True (of NumPy or PyTorch, too), the run stops, as after `minutes`.
        tensorboard: write TensorBoard events into the folder too (`pip install tensorboard`).
        wait: False: train in a process of its own, which outlives this one, and return at once.
            `gramviz.watch_training` shows how it does and can stop it.
    Raises:
        ConfigError: the folder holds another run.
        RunFolderError: another process trains it.
        CheckpointError: the folder cannot be written, or its checkpoint is damaged.
        LostProcessError: another process of this run ended.
    """
    if minutes is not None and not minutes > 0:
        raise ConfigError(f"minutes is {minutes}; it must be positive, or left out to train to the last step")
    if watch is not None and not callable(watch):
        raise ConfigError(
            f"watch is {watch!r}; give a function that is called with each line of metrics, or leave it out"
        )
    config, path = preset(config) if isinstance(config, str) else config, Path(path)
    written = path / store.CONFIG
    try:
        stored = RunConfig.from_json(written.read_text(errors="replace")) if written.is_file() else config
    except ConfigError as error:
        raise ConfigError(f"{written} is damaged ({error}); restore it, or choose another folder with -o") from error
    if stored != config:
        raise ConfigError(f"{path} holds a run with another configuration; choose another folder with -o, or delete it")
    if not wait:
        if watch is not None:
            raise ConfigError("watch is called in the process that trains; leave out wait=False, or leave out watch")
        store.write_atomic(written, config.to_json())
        run_folder.start(path, minutes=minutes, tensorboard=tensorboard)
        return path
    run = Run(config, path)
    if run.fabric.is_global_zero and not written.is_file():
        store.write_atomic(written, config.to_json())
    run.fabric.barrier()
    try:
        with ExitStack() as stack:
            if run.fabric.is_global_zero:
                stack.enter_context(run_folder.held(path))
            if (path / store.TRAINING).is_file():
                run.resume()
            elif run.fabric.is_global_zero:
                (path / store.METRICS).unlink(missing_ok=True)  # of a run that was killed before its first save
            watchers: list[Watch] = [watch] if watch and run.fabric.is_global_zero else []
            if tensorboard and run.fabric.is_global_zero:
                watchers.append(stack.enter_context(Events(path)).write)
            _go(run, minutes, quiet or not run.fabric.is_global_zero, watchers)
    except RuntimeError as error:
        if not processes.lost(error):
            raise
        raise processes.LostProcessError(
            f"another process of this run ended at step {run.step}; what was saved last is intact, and the same "
            "command resumes there"
        ) from error
    return path


def _is_true(said: Any) -> bool:
    """True, of NumPy or PyTorch as well; a count, as `file.write` returns it, is none."""
    return said is True or (str(getattr(said, "dtype", "")) in ("bool", "torch.bool") and said.ndim == 0 and bool(said))


def _go(run: Run, minutes: float | None, quiet: bool, watchers: Sequence[Watch]) -> None:
    """Train to the last step, to an interrupt, until somebody asks it to stop, or until the time is over."""
    fabric, settings = run.fabric, run.config.train
    started, before = time.monotonic(), run.seconds
    if run.step == 0 and fabric.is_global_zero:
        run.snapshot()
    counter = bar(settings.all_steps, "step", not quiet, run.path.name, done=run.step)
    with counter, _stop_on_interrupt() as asked:
        while run.step < settings.all_steps:
            late = minutes is not None and run.seconds > before and time.monotonic() - started > 60 * minutes
            if _any(fabric, late or asked.is_set() or run_folder.is_asked_to_stop(run.path)):
                break
            cpu = time.process_time()
            run.monitor.add(run.advance())
            run.cpu_seconds += time.process_time() - cpu
            run.seconds = before + time.monotonic() - started
            counter.update()
            last = run.step == settings.all_steps
            if run.step % settings.log_every == 0 or last:
                line = _report(run, counter, run.step % settings.check_every == 0 or last)
                if any([_is_true(watch(line)) for watch in watchers] if line else ()):  # all of them are called
                    asked.set()
            if run.step % settings.save_every == 0 or last:
                run.save()
    if run.step < settings.all_steps:
        run.save()
        if fabric.is_global_zero:
            print(
                f"stopped at step {run.step} of {settings.all_steps}; the same command resumes here",
                file=sys.stderr,
            )


def _report(run: Run, counter: tqdm, validates: bool) -> dict[str, Any] | None:
    """Write a line of the metrics and return it, keep the best weights, show how the run does, and say what is wrong
    with it; None in all processes but the first."""
    measured = run.monitor.means()
    run.keep_best(measured.get("prior_exact", measured.get("target_exact")))
    line: dict[str, Any] | None = None
    if run.fabric.is_global_zero:
        line = {"step": run.step, "seconds": round(run.seconds, 1)}
        line |= {"cpu_seconds": round(run.cpu_seconds, 1), **measured}
        if validates:
            line["held_out"] = run.validate()
            run.snapshot()
        run.monitor.write(line)
        counter.set_postfix_str(run.monitor.summary(line))
        run.monitor.alarm(line, lambda text: counter.write(text, file=sys.stderr))
    run.monitor.clear()
    return line


def _any(fabric: Fabric, stops: bool) -> bool:
    """Whether one of the processes stops: then all do, at the same step."""
    if fabric.world_size == 1:
        return stops
    return bool(torch.as_tensor(fabric.all_reduce(torch.tensor(float(stops)), reduce_op="sum")) > 0)


@contextmanager
def _stop_on_interrupt() -> Iterator[threading.Event]:
    """An event that Ctrl+C (or torchrun, ending a run) sets: a run stops between two steps, its checkpoint whole."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
        yield event
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: event.set()) for number in signals]
    try:
        yield event
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
