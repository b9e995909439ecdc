"""A bar for every call that takes longer than a second, in a notebook and in a terminal."""

from __future__ import annotations

import sys
from threading import Timer
from typing import Any

from tqdm import tqdm

SHOWN_AFTER = 1.0  # seconds


class Bar(tqdm):
    """A bar that appears after a second, also where the first unit takes longer.

    It is text in notebooks too: a bar of widgets is "model not found" in a notebook that is opened again.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(delay=SHOWN_AFTER, dynamic_ncols=True, **settings)
        self._timer = Timer(SHOWN_AFTER, self._appear)
        self._timer.daemon = True
        if not self.disable:
            self._timer.start()

    def _appear(self) -> None:
        self.last_print_t = self._time()  # for tqdm it is shown now, so that closing ends its line
        self.refresh()

    def close(self) -> None:
        """End it."""
        if timer := getattr(self, "_timer", None):
            timer.cancel()
        super().close()


def bar(total: int | None, unit: str, show: bool | None = None, text: str = "", done: int = 0) -> Bar:
    """A bar of `total` units, `done` of them before, with a text before it; for a `with`, and `update` counts.

    Args:
        show: None: where somebody watches, in a notebook or a terminal; True: elsewhere too, a line every half minute;
            False: nowhere, and by our convention an interrupt is then the caller's.
    """
    watched = sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel")
    hidden = not (watched if show is None else show)
    return Bar(
        total=total, initial=done, unit=unit, desc=text or None, mininterval=0.2 if watched else 30, disable=hidden
    )


class UntilInterrupt:
    """Ends its block at an interrupt (Ctrl+C, or the kernel's stop), which is then over; with False it is raised."""

    def __init__(self, show: bool | None) -> None:
        self.raises = show is False

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is KeyboardInterrupt and not self.raises
