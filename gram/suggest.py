"""The one "did you mean" of the project; standard library only, so that both packages can use it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'steps'?)` with the known name that is nearest to `name`, or nothing if none is near."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {close[0]!r}?)" if close else ""
