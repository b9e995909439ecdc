"""Where and in which precision to compute."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

import torch


def device() -> torch.device:
    """The accelerator where there is one, else the CPU."""
    return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")  # type: ignore[return-value]


@cache
def quick_bf16(kind: str) -> bool:
    """Whether this kind of device multiplies bf16 matrices faster than float32 ones.

    Asked of the processor, not timed: a timing under load would change results from run to run. Measured with
    AVX512-BF16: 3.1 to 4.5 times.
    """
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu":
        return False
    abilities = torch.cpu.get_capabilities()
    return any(abilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def dtype(precision: str, kind: str) -> torch.dtype:
    """The dtype of matrix products for `auto`, `float32` or `bfloat16` on a kind of device."""
    if precision == "auto":
        return torch.bfloat16 if quick_bf16(kind) else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]


def autocast(precision: str, kind: str) -> AbstractContextManager[None]:
    """A context in which matrix products run in that precision; float32 stays untouched."""
    chosen = dtype(precision, kind)
    return torch.autocast(kind, chosen, enabled=chosen != torch.float32)
