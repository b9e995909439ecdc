"""Whether a head's probability that an answer is right is the share of answers that are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10


def reliability(predicted: NDArray[np.floating], right: NDArray[np.bool_]) -> dict[str, Any]:
    """A reliability diagram and its expected calibration error, as plain data.

    Every answer counts alike. The error is the mean over answers of |mean prediction - share right| of their bin.

    Args:
        predicted: [...], probabilities.
        right: [...], whether the answer is.
    Returns:
        `expected_calibration_error`, and `bins`, those of 10 equal widths that are not empty: `low` (where it begins),
        `mean` (prediction), `right` (share) and `count`.
    Source: Naeini et al. 2015; Guo et al. 2017 (arXiv 1706.04599).
    """
    p, y = np.asarray(predicted, dtype=float).ravel(), np.asarray(right, dtype=float).ravel()
    where = np.minimum((p * BINS).astype(int), BINS - 1)
    bins = [
        {
            "low": at / BINS,
            "mean": float(p[where == at].mean()),
            "right": float(y[where == at].mean()),
            "count": int((where == at).sum()),
        }
        for at in np.unique(where).tolist()
    ]
    error = sum(each["count"] * abs(each["mean"] - each["right"]) for each in bins) / len(p)
    return {"expected_calibration_error": float(error), "bins": bins}
