"""The bar: when it appears, where, and what an interrupt does."""

from __future__ import annotations

import io
import sys
import time

import pytest

from gram import progress


class Terminal(io.StringIO):
    """A stream at which somebody watches."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SHOWN_AFTER", 0.05)


@pytest.mark.parametrize(
    ("stream", "show", "seconds", "appears"),
    [
        (Terminal, None, 0.2, True), (Terminal, None, 0.0, False), (Terminal, False, 0.2, False),
        (io.StringIO, None, 0.2, False), (io.StringIO, True, 0.2, True),
    ],
)  # fmt: skip
def test_it_appears_after_a_while_where_somebody_watches(
    soon: None, monkeypatch: pytest.MonkeyPatch, stream: type, show: bool | None, seconds: float, appears: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", stream())
    with progress.bar(4, "step", show, "sample"):
        time.sleep(seconds)  # no unit is done
    assert ("sample:   0%" in sys.stderr.getvalue()) == appears


@pytest.mark.parametrize("show", [None, True, False])
def test_an_interrupt_ends_the_block_unless_it_is_the_callers(show: bool | None) -> None:
    def interrupted() -> None:
        with progress.UntilInterrupt(show):
            raise KeyboardInterrupt

    if show is False:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    else:
        interrupted()
    with pytest.raises(ValueError, match="no interrupt"), progress.UntilInterrupt(show):
        raise ValueError("no interrupt")
