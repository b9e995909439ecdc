"""Choosing one answer among many trajectories of one puzzle. GRAM, Section 3.4 and Fig. 4.

`majority` and `value` are methods; `oracle` knows which answers are right and is a bound, not a method.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SELECTORS = ("majority", "value", "oracle")


def select(how: str, tokens: NDArray[np.integer], value: NDArray[np.floating], valid: NDArray[np.bool_]) -> int:
    """Index of the chosen trajectory.

    Args:
        how: `majority` (most frequent answer; a tie goes to the one reached first), `value` (highest predicted
            correctness), or `oracle` (any valid answer).
        tokens: [trajectory, position], the final answers.
        value: [trajectory], predicted correctness.
        valid: [trajectory], known only to the oracle.
    Raises:
        ValueError: unknown `how`.
    """
    if how == "majority":
        _, first, counts = np.unique(tokens, axis=0, return_index=True, return_counts=True)
        best = np.flatnonzero(counts == counts.max())
        return int(first[best].min())
    if how == "value":
        return int(np.argmax(value))
    if how == "oracle":
        return int(np.argmax(valid))
    raise ValueError(f"unknown selector {how!r}; known: {', '.join(SELECTORS)}")
