"""A notebook is executed by papermill: progress goes to a stream, and a failure is read from what is left.

A kernel that dies or cannot start is a failure of the cell that ran last. An error in a cell tagged `raises-exception`
is none, nor is `sys.exit()`, with which a notebook ends itself. The kernel's own standard error (a warning
about TCP, at the least) stays out of the caller's and becomes the log of the run.
"""

from __future__ import annotations

import asyncio
import builtins
import copy
import errno
import html
import json
import logging
import os
import re
import signal
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.utils import run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from gramviz.reports.blocks.around import KEEP
from gramviz.reports.notebook import ReportError, ends, tags


@dataclass(frozen=True)
class Failure:
    """Where and how a notebook stopped."""

    number: int
    heading: str
    source: str
    error: str
    message: str
    traceback: str
    tags: tuple[str, ...]
    last_output: str


# In a kernel, tqdm.auto draws widgets, which nobody sees here; as text, its bars reach the caller's progress.
_PLAIN_BARS = "import tqdm, tqdm.auto; tqdm.auto.tqdm = tqdm.tqdm"


def kernel_of(notebook: NotebookNode, chosen: str = "") -> str:
    """The name of the kernel that runs a notebook: the one that is chosen, else the notebook's own, else python3.

    Raises:
        ReportError: that kernel is not installed, or the notebook names none and is not written in Python.
    """
    spec, language = notebook.metadata.get("kernelspec", {}), notebook.metadata.get("language_info", {})
    name = chosen or spec.get("name") or "python3"
    known = sorted(KernelSpecManager().find_kernel_specs())
    if name not in known:
        raise ReportError(f"there is no kernel {name!r}; installed: {', '.join(known)}; give one of them with --kernel")
    if not chosen and not spec and language.get("name", "python") != "python":
        raise ReportError(f"the notebook is in {language['name']!r} and names no kernel; give one with --kernel")
    return name


def execute(
    draft: NotebookNode,
    kernel: str,
    values: dict[str, Any],
    partial: Path,
    progress: TextIO | None,
    *,
    secrets: Mapping[str, Any],
    timeout: float | None,
    keep: Path | None,
) -> tuple[NotebookNode, str]:
    """The executed notebook, failed or not, and what the kernel wrote to its standard error.

    Args:
        keep: a folder, to be made, for the rollouts that the notebook shows; None: nowhere.
    """
    import papermill
    from papermill.engines import papermill_engines

    teller = Progress(progress, draft)
    papermill_engines.register("gramviz", _engine(teller, secrets, timeout, keep))
    logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)  # what it would say, the exception says
    # papermill takes a notebook or a path; the node was read and checked already, so it is not read a second time.
    try:
        executed = papermill.execute_notebook(
            copy.deepcopy(draft),
            str(partial),
            values,
            engine_name="gramviz",
            kernel_name=kernel,
            language="python",
            progress_bar=False,
            record_timing=False,
        )
    except papermill.PapermillExecutionError:
        executed = nbformat.read(partial, as_version=4)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # what the cells gave cannot be kept
        # The kernel died, or could not start: no cell holds an error, so the one that ran last is given it.
        executed = nbformat.read(partial, as_version=4) if partial.exists() else copy.deepcopy(draft)
        broken = nbformat.v4.new_output(
            "error", ename=type(error).__name__, evalue=str(error) or "no message", traceback=[teller.kernel[-4000:]]
        )
        cell = executed.cells[teller.running]
        # An interrupt, which is how a run is stopped that takes too long, is not why it failed.
        cell["outputs"] = [one for one in cell.get("outputs", []) if one.output_type != "error"] + [broken]
        cell.metadata["tags"] = [tag for tag in tags(cell) if tag != "raises-exception"]  # this it does not allow
    finally:
        teller.close()
    return executed, teller.kernel


def _engine(teller: Progress, secrets: Mapping[str, Any], timeout: float | None, keep: Path | None) -> type:
    """papermill's own, but the kernel's stderr (a warning about TCP, at the least) stays out of the caller's.

    Secrets are set in the kernel after the `parameters` cell, and are taken out of what comes back, message by message:
    papermill writes after every cell.
    """
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine

    end = time.monotonic() + timeout if timeout else None
    assign = "\n".join(f"{name} = {value!r}" for name, value in secrets.items())

    class Client(PapermillNotebookClient):
        def execute_cell(self, cell: NotebookNode, cell_index: int, **named: Any) -> Any:
            try:
                done = super().execute_cell(cell, cell_index, **named)
            except DeadKernelError as error:
                raise DeadKernelError(_death(self.km.provisioner.process.returncode)) from error
            except CellTimeoutError as error:
                raise TimeoutError(f"the run took longer than its timeout of {timeout:g} s") from error
            except (KeyboardInterrupt, SystemExit):  # raised by a signal, in whatever the loop was doing
                self.shutdown_kernel = "immediate"
                run_sync(_cancel_all)()
                raise
            if assign and "parameters" in tags(cell):
                self.wait_for_reply(self.kc.execute(assign, silent=True, store_history=False))
            return done

        def end(self) -> None:
            """End a kernel that is left because the client was stopped while it started."""
            process = getattr(self.km and self.km.provisioner, "process", None)
            if process and process.poll() is None:
                process.kill()
                process.wait()
                self.km.cleanup_connection_file()

        def process_message(self, msg: dict[str, Any], *rest: Any) -> Any:
            return super().process_message(msg | {"content": redacted(msg["content"], secrets)}, *rest)

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> Any:
            client = Client(
                nb_man,
                kernel_name=kernel_name,
                timeout_func=(lambda _: max(end - time.monotonic(), 0.1)) if end else None,
                startup_timeout=120,
                log=logging.getLogger("papermill"),
                store_widget_state=True,  # what an Output widget shows is in its state
                extra_arguments=[f"--IPKernelApp.exec_lines={_PLAIN_BARS}"],
                on_cell_start=teller.cell,
                stderr_file=teller,
            )
            with tempfile.TemporaryFile() as kernel_log:
                try:
                    return client.execute(stderr=kernel_log, env=_environment(keep))
                finally:
                    client.end()
                    kernel_log.seek(0)
                    teller.kernel = redacted(kernel_log.read().decode(errors="replace"), secrets)

    return Engine


def _environment(keep: Path | None) -> dict[str, str]:
    """Of the kernel; `keep` as in `execute`."""
    # A fixed hash seed and no bar that redraws itself: both would change bytes between equal runs. Figures as data,
    # whatever editor this was started from: the page draws them.
    return {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PLOTLY_RENDERER": "plotly_mimetype",
        KEEP: str(keep.absolute()) if keep else "",
    }


async def _cancel_all() -> None:
    """Cancel what still waits for a cell: it would fail when the kernel ends, in a traceback of asyncio."""
    waiting = asyncio.all_tasks() - {asyncio.current_task()}
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def redacted(value: Any, secrets: Mapping[str, Any]) -> Any:
    """Texts, or lists and dicts of texts, in which dots stand for a secret, as it is or as JSON or HTML write it."""
    if isinstance(value, str):
        for secret in map(str, secrets.values()):
            for form in (secret, json.dumps(secret)[1:-1], html.escape(secret)):
                value = value.replace(form, "•••")
    elif isinstance(value, dict):
        return {key: redacted(one, secrets) for key, one in value.items()} if secrets else value
    elif isinstance(value, list):
        return [redacted(one, secrets) for one in value]
    return value


def _death(status: int | None) -> str:
    """How a kernel with this exit status came to its end."""
    if status is None or status >= 0:
        return f"the kernel ended itself with exit code {status}"
    hint = "; the system does that when memory runs out" if status == -signal.SIGKILL else ""
    return f"the kernel was ended by {signal.Signals(-status).name}{hint}"


class Progress:
    """Says on a stream which cell runs, and repeats the last line of what the cell itself reports."""

    def __init__(self, stream: TextIO | None, notebook: NotebookNode) -> None:
        self.stream = stream
        self.terminal = bool(stream and stream.isatty())
        self.total = len(notebook.cells)
        self.began = time.monotonic()
        self.last = float("-inf")
        self.where, self.kernel = "", ""
        # Before any cell has started, it is the first code cell that could not.
        self.running = next((at for at, cell in enumerate(notebook.cells) if cell.cell_type == "code"), 0)

    def cell(self, cell: NotebookNode, cell_index: int) -> None:
        """A hook of nbclient: this cell starts."""
        if cell.cell_type == "markdown":
            heading = re.search(r"^#+\s+(.+)$", cell.source, re.MULTILINE)
            self.where = heading.group(1) if heading else self.where
        self.running = cell_index
        self._tell(f"[{min(cell_index + 1, self.total):>2}/{self.total}] {self.where}")

    def write(self, text: str) -> None:
        """A progress bar of the notebook writes here; only its last state matters."""
        lines = [line for line in re.split(r"[\r\n]", text) if line.strip()]
        if lines:
            self._tell(lines[-1])

    def flush(self) -> None:
        """Part of the stream protocol; every line is flushed as it is written."""

    def close(self) -> None:
        """End the line that a terminal shows."""
        if self.stream and self.terminal:
            print(file=self.stream)

    def _tell(self, text: str) -> None:
        now = time.monotonic()
        if self.stream is None or now - self.last < (0.1 if self.terminal else 1.0):
            return
        self.last = now
        line = f"{now - self.began:6.1f} s  {text}"
        if self.terminal:
            print(f"\r\x1b[2K{line[:110]}", end="", file=self.stream, flush=True)
        else:
            print(line, file=self.stream, flush=True)


def failed(notebook: NotebookNode) -> Failure | None:
    """The first error in the outputs of a notebook; None if there is none."""
    heading, last, number = "", "", 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and "papermill-error-cell-tag" not in tags(cell):
            found = re.findall(r"^#+\s+(.+)$", cell.source, re.MULTILINE)
            heading = found[-1] if found else heading
        if cell.cell_type != "code":
            continue
        number += "injected-parameters" not in tags(cell)
        for output in cell.outputs:
            if output.output_type == "error":
                if "raises-exception" in tags(cell) or ends(output):
                    continue
                message = _plain(output.evalue).strip().splitlines() or [output.ename]
                if output.ename == "SystemExit":
                    message = [f"the notebook ended itself: sys.exit({message[0]})"]
                trace = _plain("\n".join(output.traceback))
                return Failure(number, heading, cell.source, output.ename, message[0], trace, tuple(tags(cell)), last)
            text = output.get("text") or output.get("data", {}).get("text/plain") or ""
            last = text if text.strip() else last
    return None


def is_input(failure: Failure) -> bool:
    """Whether the run failed because what it was given was wrong: a `setup` cell refused it, and not by a bug.

    A traceback holds names, no classes. An error of our own packages (CheckpointError, ConfigError, ...) is no builtin,
    and of the builtins, these few are about values and files.
    """
    about_input = ("ValueError", "FileNotFoundError", "NotADirectoryError", "IsADirectoryError", "PermissionError")
    return "setup" in failure.tags and (failure.error in about_input or not hasattr(builtins, failure.error))


def _plain(text: str) -> str:
    """Without the color codes of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
