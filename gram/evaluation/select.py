"""Choosing one answer among many trajectories of one puzzle. GRAM, Section 3.4 and Fig. 4; `halt`: PTRM.

`majority`, `value` and `halt` are methods; `oracle` knows which answers are right and is a bound, not a method.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SELECTORS = ("majority", "value", "halt", "oracle")


def select(
    selector: str,
    tokens: NDArray[np.integer],
    *,
    value: NDArray[np.floating],
    halt: NDArray[np.floating],
    valid: NDArray[np.bool_],
) -> int:
    """Index of the chosen trajectory; of equals, the first.

    Args:
        selector: `majority` (most frequent answer; a tie goes to the one reached first), `value` (highest predicted
            correctness), `halt` (highest halting probability, as in PTRM, arXiv 2605.19943), or `oracle` (any
            valid answer).
        tokens: [trajectory, position], the final answers.
        value, halt: [trajectory], the predictions of the two heads.
        valid: [trajectory], known only to the oracle.
    Raises:
        ValueError: unknown selector.
    """
    if selector == "majority":
        _, first, counts = np.unique(tokens, axis=0, return_index=True, return_counts=True)
        best = np.flatnonzero(counts == counts.max())
        return int(first[best].min())
    scores = {"value": value, "halt": halt, "oracle": valid}
    if selector not in scores:
        raise ValueError(f"unknown selector {selector!r}; known: {', '.join(SELECTORS)}")
    return int(np.argmax(scores[selector]))
