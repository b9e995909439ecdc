"""Read by Python at the start of every process that a test starts, as `gram.command` does for commands."""

import gc

gc.set_threshold(20_000)
