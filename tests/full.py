"""How much the tests of faults try: a seeded sample every day, all of it with FULL=1, a tenth with FULL=0.1."""

from __future__ import annotations

import os
from datetime import timedelta

from hypothesis import HealthCheck, settings

FULL = float(os.environ.get("FULL", 0))


def tries(everyday: int, full: int) -> int:
    """How many: as many as stand here for this run."""
    return max(everyday, round(full * FULL))


def sampled(everyday: int, full: int = 10_000) -> settings:
    """Hypothesis with so many inputs, the same in every run: a suite must not fail by luck."""
    return settings(
        max_examples=tries(everyday, full), derandomize=True, database=None,
        deadline=timedelta(minutes=1),  # one input that takes longer hangs
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
