"""How a command of ours ends: errors that we foresaw in one sentence and exit code 2, an interrupt in 130, SIGTERM in
143; `--debug`, anywhere on the line, shows the traceback too."""

from __future__ import annotations

import gc
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

FORESEEN = (ValueError, FloatingPointError, OSError, RuntimeError)
OURS = ("gram", "gramviz")
CheckpointName = Annotated[str, typer.Argument(help="Name of a checkpoint (see `gram list`) or its folder.")]


def run(name: str, command: Callable[[], Any]) -> None:
    """Call a command line and leave the process as the head of this file says.

    An error of Python's own that is not about files is a mistake of ours and keeps its traceback.
    """
    gc.set_threshold(20_000)  # imports make 100,000s of objects that stay: a sixth of a start was spent looking at them
    before = signal.signal(signal.SIGTERM, _terminated)  # so that what is half written is removed
    shown = warnings.showwarning

    def warned(message: Warning | str, category: type[Warning], *more: Any) -> None:
        if category.__module__.split(".")[0] in OURS:
            print(f"{name}: {message}", file=sys.stderr)
        else:
            shown(message, category, *more)

    warnings.showwarning = warned  # type: ignore[assignment]
    debug = "--debug" in sys.argv[1:]
    sys.argv[1:] = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        command()
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    except FORESEEN as error:
        if debug or not (
            isinstance(error, OSError | FloatingPointError) or type(error).__module__.split(".")[0] in OURS
        ):
            raise
        print(f"{name}: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    finally:
        signal.signal(signal.SIGTERM, before)
        warnings.showwarning = shown


def numbers(option: str, text: str) -> list[int]:
    """The whole numbers, separated by commas, of an option.

    Raises:
        BadParameter: it says what to write.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"{option} is {text!r}; write whole numbers separated by commas, e.g. 1,5,20"
        ) from None


def _terminated(*_: object) -> NoReturn:
    raise SystemExit(143)
