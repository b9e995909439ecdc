"""Where and in which precision to compute."""

from __future__ import annotations

import platform
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")


def device() -> torch.device:
    """The accelerator where there is one, else the CPU."""
    return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")  # type: ignore[return-value]


@cache
def quick_bf16(kind: str) -> bool:
    """Whether this kind of device multiplies bf16 matrices faster than float32 ones.

    Asked of the processor, not timed: a timing under load would change results from run to run. That it has such
    instructions says too little. Measured per two cores: AMD with AVX512-BF16 (Zen 4 and 5) 780 GFLOP/s for 180 in
    float32; Intel with AVX512-BF16 but without the matrix unit AMX 166 for 320. So of Intel only AMX counts, and a
    processor whose maker is not known is not believed.
    """
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu":
        return False
    abilities = torch.cpu.get_capabilities()
    if abilities.get("architecture") != "x86_64":
        return bool(abilities.get("bf16", False))  # of ARM: its instructions for products of bf16 matrices
    if abilities.get("amx_bf16", False):
        return True
    return bool(abilities.get("avx512_bf16", False)) and maker() == "AuthenticAMD"


def maker() -> str:
    """Who made the processor, in its own words: "AuthenticAMD", "GenuineIntel"; empty where it cannot be known."""
    if CPUINFO.is_file():  # Linux
        for line in CPUINFO.read_text().splitlines():
            if line.startswith("vendor_id"):
                return line.partition(":")[2].strip()
        return ""
    words = platform.processor()  # Windows: "AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD"
    return next((name for name in ("AuthenticAMD", "GenuineIntel") if name in words), "")


def dtype(precision: str, kind: str) -> torch.dtype:
    """The dtype of matrix products for `auto`, `float32` or `bfloat16` on a kind of device."""
    if precision == "auto":
        return torch.bfloat16 if quick_bf16(kind) else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]


def autocast(precision: str, kind: str) -> AbstractContextManager[None]:
    """A context in which matrix products run in that precision; float32 stays untouched."""
    chosen = dtype(precision, kind)
    return torch.autocast(kind, chosen, enabled=chosen != torch.float32)
