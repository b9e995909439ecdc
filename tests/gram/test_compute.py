"""In which precision a machine computes, by what its processor says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gram import compute

X86 = {"architecture": "x86_64", "avx2": True}
CPUINFO = "processor\t: 0\nvendor_id\t: {}\ncpu family\t: 25\n"


@pytest.fixture(autouse=True)
def _ask_anew() -> Iterator[None]:
    compute.quick_bf16.cache_clear()
    yield
    compute.quick_bf16.cache_clear()


@pytest.mark.parametrize(
    ("abilities", "maker", "quick"),
    [
        (X86 | {"avx512_bf16": True}, "AuthenticAMD", True),  # Zen 4, Zen 5
        (X86 | {"avx512_bf16": True}, "GenuineIntel", False),  # measured: half as fast as float32
        (X86 | {"avx512_bf16": True}, "", False),
        (X86 | {"avx512_bf16": True, "amx_bf16": True}, "GenuineIntel", True),
        (X86, "AuthenticAMD", False),  # Zen 3
        ({"architecture": "aarch64", "bf16": True}, "", True),
        ({"architecture": "aarch64"}, "", False),
    ],
)
def test_products_run_in_bf16_only_where_they_are_quicker(
    abilities: dict[str, object], maker: str, quick: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(CPUINFO.format(maker))
    monkeypatch.setattr(compute, "CPUINFO", told)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities)
    assert compute.quick_bf16("cpu") is quick
    assert compute.dtype("auto", "cpu") is (torch.bfloat16 if quick else torch.float32)
    assert torch.is_autocast_enabled("cpu") is False
    with compute.autocast("auto", "cpu"):
        assert torch.is_autocast_enabled("cpu") is quick


@pytest.mark.parametrize(
    ("words", "maker"), [("AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD", "AuthenticAMD"), ("arm", "")]
)
def test_without_cpuinfo_the_platform_says_who_made_it(
    words: str, maker: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compute, "CPUINFO", tmp_path / "none")
    monkeypatch.setattr("platform.processor", lambda: words)
    assert compute.maker() == maker


def test_a_precision_that_is_named_is_taken_whatever_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: X86)
    assert compute.dtype("bfloat16", "cpu") is torch.bfloat16
    assert compute.dtype("float32", "cpu") is torch.float32
