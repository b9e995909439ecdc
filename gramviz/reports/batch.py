"""Many runs of notebooks as one list of commands on joblib: a sweep over values, a notebook for every model, a site.

Each run is a process of its own, `gramviz report NOTEBOOK -p ... -o FOLDER`, so that nothing is shared but files, and
joblib only hands the commands out: to threads here, or to the workers of a Dask cluster that see the same folders. What
ended well and was made from the same is not run again.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from gram.bounded import nameable
from gram.suggest import did_you_mean
from gramviz.reports import index, record
from gramviz.reports.models import kind_of, kinds, model_parameter, models
from gramviz.reports.notebook import ReportError, read
from gramviz.reports.parameters import parameters
from gramviz.reports.report import Plan, words

BACKENDS = ("threading", "dask")


@dataclass(frozen=True)
class Job:
    """One run: its plan, and the folder that it publishes into."""

    plan: Plan
    out: Path

    @property
    def stem(self) -> str:
        return self.plan.notebook.stem

    def is_done(self) -> bool:
        """Whether it needs no run."""
        return record.is_done(self.out, self.stem, self.plan.made_from)


# What is to be run ----------------------------------------------------------------------------------------------------


def sweep(
    notebook: Path, given: Mapping[str, Any], over: Mapping[str, Sequence[Any]], out: Path, secrets: Mapping[str, str]
) -> list[Job]:
    """A run for each combination of values, the last name fastest; each in a folder that says which values it has.

    Raises:
        ReportError: a value is wrong, or a name is given twice.
    """
    if twice := sorted(over.keys() & given.keys()):
        raise ReportError(f"parameter {twice[0]!r} is given twice, as a value and as a list; give it once")
    jobs = []
    for values in itertools.product(*over.values()):
        chosen = dict(zip(over, values, strict=True))
        label = ",".join(
            f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in chosen.items()
        )
        jobs.append(Job(Plan.of(notebook, {**given, **chosen}, secrets), out / _folder(label)))
    return jobs


def every_model(notebook: Path, given: Mapping[str, Any], out: Path, secrets: Mapping[str, str]) -> list[Job]:
    """A run for every model with weights that the notebook fits.

    Raises:
        ReportError: the notebook judges no model, or none fits.
    """
    draft = read(notebook)
    known, allowed = parameters(draft), kinds(draft)
    name = model_parameter(known)
    if name is None or not allowed:
        raise ReportError(
            f"{notebook} judges no model of a kind; one that does has a parameter artifact or checkpoint, and "
            "metadata.gram.tasks, the kinds of tasks that it fits"
        )
    found = [model for model in models() if kind_of(model) in allowed]
    if not found:
        raise ReportError(f"no model fits {notebook}; it takes tasks of kind {', '.join(allowed)}")
    # A model is compared with another of its task only where somebody says which.
    alone = {"reference": ""} if "reference" in known else {}
    return [Job(Plan.of(notebook, {**alone, **given, name: model.name}, secrets), out / model.name) for model in found]


def every_notebook(folder: Path, given: Mapping[str, Any], out: Path, secrets: Mapping[str, str]) -> list[Job]:
    """A run for every notebook of a folder; what is given goes to those that know it.

    Raises:
        ReportError: there is none, or none knows a name.
    """
    books = sorted(folder.glob("*.ipynb"))
    if not books:
        raise ReportError(f"there is no notebook in {str(folder)!r}; start where notebooks/ is, or give a NOTEBOOK")
    known = {book: parameters(read(book)) for book in books}
    names = {name for found in known.values() for name in found}
    for name in given:
        if name not in names:
            raise ReportError(
                f"no notebook has a parameter {name!r}; known: {', '.join(sorted(names))}{did_you_mean(name, names)}"
            )
    return [
        Job(
            Plan.of(book, {name: value for name, value in given.items() if name in known[book]}, secrets),
            out / book.stem,
        )
        for book in books
    ]


def _folder(label: str) -> str:
    """A label as the name of a folder."""
    plain = re.sub(r"[^\w.,=+-]+", "-", label)[:100].strip("-.") or "run"
    return plain if plain == label else f"{plain}-{hashlib.sha256(label.encode()).hexdigest()[:6]}"


# Running it -----------------------------------------------------------------------------------------------------------


def run(
    jobs: Sequence[Job],
    out: Path,
    *,
    workers: int = 1,
    backend: str = "threading",
    scheduler: str = "",
    options: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> int:
    """Run what is missing, then write `out`/index.html; returns how many runs failed.

    Args:
        workers: how many runs at once; of Dask, its workers decide.
        scheduler: address of Dask's.
        options: further words for `gramviz report`.
        say: where to report each run that ended.
    Raises:
        ReportError: there is no such backend, or the cluster does not answer.
    """
    missing = [job for job in jobs if not job.is_done()]
    failed, began = 0, time.monotonic()
    say(f"{len(jobs)} runs, {len(jobs) - len(missing)} are done already")
    try:
        with _backend(backend, scheduler), _children():
            pool = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", pre_dispatch="n_jobs")
            tasks = (joblib.delayed(_one)(at, *_command(job, options, workers)) for at, job in enumerate(missing))
            for done, (at, code, said, seconds) in enumerate(pool(tasks) if missing else (), 1):
                job, failed = missing[at], failed + (code != 0)
                if code not in (0, 1):  # it could not tell by itself
                    _refused(job, said if code == 2 else f"the run ended with exit code {code}: {said}")
                say(
                    f"[{done}/{len(missing)}] {'failed' if code else 'passed'} {job.out} in {seconds:.0f} s"
                    + (f": {said}" if code else "")
                )
    finally:
        if out.is_dir():
            index.write(out)
    say(f"{len(missing)} runs in {time.monotonic() - began:.0f} s, {failed} failed; {out / 'index.html'}")
    return failed


def _command(job: Job, options: Sequence[str], workers: int) -> tuple[list[str], dict[str, str]]:
    """The command of a job, and what it adds to the environment."""
    command = [sys.executable, "-m", "gramviz.cli", "report", str(job.plan.notebook), *words(job.plan)]
    threads = str(max(1, (os.cpu_count() or 1) // max(workers, 1)))
    more = {name: str(value) for name, value in job.plan.secrets.items()}
    return [*command, "-o", str(job.out), "--log-level", "error", *options], {
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads),
        **more,
    }


_running: set[subprocess.Popen[str]] = set()  # by this process
_lock = threading.Lock()


def _one(at: int, command: list[str], more: Mapping[str, str]) -> tuple[int, int, str, float]:
    """Run one command where this is called; returns its place, exit code, last line of error and seconds."""
    began = time.monotonic()
    with subprocess.Popen(
        command,
        env={**os.environ, **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        with _lock:
            _running.add(process)
        try:
            said = process.communicate()[1].strip().splitlines()
        finally:
            with _lock:
                _running.discard(process)
    last = said[-1].removeprefix("gramviz: ") if said else ""
    return at, process.returncode, last, time.monotonic() - began


@contextlib.contextmanager
def _children() -> Iterator[None]:
    """When the block ends, by an interrupt too, no run of this process is left."""
    try:
        yield
    finally:
        with _lock:
            left = list(_running)
        for process in left:
            process.send_signal(signal.SIGTERM)
        for process in left:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def _backend(name: str, scheduler: str) -> Iterator[None]:
    if name == "threading":
        with joblib.parallel_config("threading"):
            yield
        return
    if name != "dask":
        raise ReportError(f"there is no backend {name!r}; known: {', '.join(BACKENDS)}")
    try:
        from distributed import Client
    except ImportError as error:
        raise ReportError(
            "--backend dask needs Dask, which is not installed; pip install 'dask[distributed]'"
        ) from error
    if not scheduler:
        raise ReportError("--backend dask needs the address of a scheduler; give --scheduler tcp://HOST:8786")
    try:
        client = Client(scheduler, timeout=20)
    except (OSError, ValueError) as error:
        raise ReportError(f"no Dask scheduler answers at {scheduler!r}; start one with `dask scheduler`") from error
    with client, joblib.parallel_config("dask"):
        yield


def _refused(job: Job, why: str) -> None:
    """A run that left nothing: its record and its earlier page say so."""
    before = record.read(job.out / (job.stem + record.ENDING)) or {}
    about = {
        "notebook": job.plan.notebook.name,
        "title": before.get("title", job.stem),
        "parameters": job.plan.parameters,
    }
    nameable(job.out).mkdir(parents=True, exist_ok=True)
    record.write(
        job.out, job.stem, {**about, "state": "failed", "error": why, "run": record.run_id(job.plan.made_from)}
    )
    record.mark_stale(job.out / f"{job.stem}.html", f"a later run failed: {why}")
