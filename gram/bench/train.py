"""How fast a preset trains, beside the same model written plainly and beside the machine itself: `gram bench train`.

Three things take turns on the same machine, so that what else runs there hits all of them alike, and medians count:

    ours      optimizer steps as `gram train PRESET` takes them
    plain     the same steps of the same model: eager, float32, attention by `scaled_dot_product_attention`
    matrices  one large product, in float32 and in bf16: what the machine can do

The floating-point operations of a step are those of its matrix products, forward and backward, as torch counts them in
the eager model; both runs count the same.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from gram import compute
from gram.config import ConfigError, RunConfig
from gram.models.blocks import Attention, Block, SwiGLU
from gram.presets import preset
from gram.release.export import machine
from gram.training.run import Run

# The two sizes of the published models and a width at which products should fill the machine, with a small batch.
WIDE = "model.network.features=512,model.network.heads=8,model.network.hidden=1024,model.guidance_hidden=512"
DENSE = "nqueens8-gram-dense"
CASES = (DENSE, "sudoku9-extreme-gram-dense", f"{DENSE}:{WIDE},train.batch=16,train.prior_rows=4")
DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16}
SIDES = {"cpu": (512, 1024, 2048), "cuda": (2048, 4096, 8192, 16_384)}  # of square matrices, tried in this order
BETTER = 1.03  # a larger matrix that is not so much quicker ends the search


class PlainAttention(nn.Module):
    """Attention as one writes it first, with the weights of ours: [batch, position, feature] -> same."""

    def __init__(self, ours: Attention) -> None:
        super().__init__()
        self.qkv, self.out, self.heads, self.rotary, self.attention_bias = (
            ours.qkv,
            ours.out,
            ours.heads,
            ours.rotary,
            ours.attention_bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [batch, head, position, feature / heads]
            for part in self.qkv(x).chunk(3, -1)
        )
        if self.rotary is not None:
            q, k = self.rotary(q), self.rotary(k)
        bias = None if self.attention_bias is None else self.attention_bias()
        return self.out(F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).flatten(2))


class PlainBlock(nn.Module):
    """A block as one writes it first, with the weights of ours: mixing and SwiGLU, each added and normalized."""

    def __init__(self, ours: Block) -> None:
        super().__init__()
        self.eps, self.mixes, self.feed_forward = ours.eps, ours.mixes, ours.feed_forward
        if ours.mixes == "attention":
            self.attention = PlainAttention(ours.attention)
        else:
            self.mixing = ours.mixing

    def forward(self, x: Tensor, graph: Tensor | None = None) -> Tensor:
        if self.mixes == "attention":
            x = self._norm(x + self.attention(x))
        else:
            x = self._norm(x.transpose(1, 2) + self._swiglu(self.mixing, x.transpose(1, 2))).transpose(1, 2)
        return self._norm(x + self._swiglu(self.feed_forward, x))

    def _norm(self, x: Tensor) -> Tensor:
        return x / (x.pow(2).mean(-1, keepdim=True) + self.eps).sqrt()

    @staticmethod
    def _swiglu(part: SwiGLU, x: Tensor) -> Tensor:
        gate, up = part.gate_up(x).chunk(2, -1)
        return part.down(F.silu(gate) * up)


def plain(model: nn.Module) -> nn.Module:
    """The model with every block of it replaced, in place, by a plain one that has the same weights."""
    for part in list(model.modules()):
        for name, child in part.named_children():
            if isinstance(child, Block):
                setattr(part, name, PlainBlock(child))
    return model


@dataclass
class Case:
    """A preset with changes, as it stands on the command line: `PRESET` or `PRESET:key=value,key=value`."""

    name: str
    config: RunConfig

    @classmethod
    def of(cls, said: str) -> Case:
        """That of these words; unknown presets and keys are `ConfigError`s."""
        name, _, changes = said.partition(":")
        config = preset(name).override(changes.split(",") if changes else [])
        network = config.model.network
        return cls(f"{name}, D = {network.features}", config)


def train(cases: list[str], *, rounds: int = 5, steps: int = 1) -> dict[str, Any]:
    """Sample-steps per second of each case, against the plain model and as a share of what the machine can do.

    A sample-step is one row advanced by one supervision step: an optimizer step makes as many as it has rows.

    Args:
        cases: see `Case`.
        rounds: how often the measurements take turns; medians count.
        steps: optimizer steps at a turn.
    """
    if rounds < 1 or steps < 1:
        raise ConfigError(f"rounds is {rounds} and steps is {steps}; each must be at least 1")
    wanted = [Case.of(said) for said in cases]  # all are read before the first is measured
    sides = {name: _side(dtype) for name, dtype in DTYPES.items()}
    return {
        "machine": machine(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "clock": "seconds of the processor" if _own_core() else "seconds",
        "cases": [_measured(case, sides, rounds, steps) for case in wanted],
    }


def _measured(case: Case, sides: dict[str, int], rounds: int, steps: int) -> dict[str, Any]:
    torch.compiler.reset()  # torch stops compiling what it has met in too many shapes: those of other cases
    with tempfile.TemporaryDirectory() as folder:
        ours = Run(case.config, Path(folder))
        other = Run(case.config.override(["train.compile=false", "train.precision=float32"]), Path(folder))
    flops = _flops(other)
    plain(other.model)
    plain(other.averaged)  # its weights stand in the same order, so it can still be averaged
    turns: dict[str, Callable[[], object]] = {
        "ours": lambda: [ours.advance() for _ in range(steps)],
        "plain": lambda: [other.advance() for _ in range(steps)],
    }
    turns |= {name: _product(side, DTYPES[name]) for name, side in sides.items()}
    for turn in turns.values():  # compiles, and warms up
        turn()
        turn()
    seconds: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            seconds[name].append(_seconds(turn))
    median = {name: statistics.median(found) for name, found in seconds.items()}
    rate = steps * flops / median["ours"]
    peak = {name: 2 * side**3 / median[name] for name, side in sides.items()}
    rows = case.config.train.batch + case.config.train.prior_rows
    ratios = [one / two for one, two in zip(seconds["plain"], seconds["ours"], strict=True)]
    return {
        "case": case.name,
        "precision": str(compute.dtype(case.config.train.precision, compute.device().type)).removeprefix("torch."),
        "compiled": case.config.train.compile,
        "rows": rows,
        "gflop_per_step": _round(flops / 1e9),
        "step_seconds": _round(median["ours"] / steps),
        "sample_steps_per_second": _round(steps * rows / median["ours"]),
        "plain_sample_steps_per_second": _round(steps * rows / median["plain"]),
        "times_plain": _round(statistics.median(ratios)),
        "times_plain_range": [_round(min(ratios)), _round(max(ratios))],
        "gflops": _round(rate / 1e9),
        "machine_gflops": {name: _round(value / 1e9) for name, value in peak.items()},
        "share": {name: _round(rate / value) for name, value in peak.items()},
    }


def _flops(run: Run, steps: int = 2) -> float:
    """Floating-point operations of one optimizer step's matrix products; the run must be eager and not yet plain.

    (Of the fused attention on CPU, which the plain model takes, torch counts nothing.)
    """
    with FlopCounterMode(display=False) as counter:
        for _ in range(steps):
            run.advance()
    return counter.get_total_flops() / steps


def _side(dtype: torch.dtype) -> int:
    """The side of the square matrices from which on larger ones are multiplied no faster."""
    best, found = 0.0, 0
    for side in SIDES["cuda" if compute.device().type == "cuda" else "cpu"]:
        turn = _product(side, dtype)
        turn()
        rate = side**3 / min(_seconds(turn) for _ in range(2))
        if rate < BETTER * best:
            break
        best, found = rate, side
    return found


def _product(side: int, dtype: torch.dtype) -> Callable[[], object]:
    a, b = (torch.randn(side, side, device=compute.device()).to(dtype) for _ in range(2))
    out = torch.empty_like(a)
    return lambda: torch.mm(a, b, out=out)


def _own_core() -> bool:
    """Whether the processor's seconds are shown: with one thread they are those of the clock on an idle machine."""
    return compute.device().type == "cpu" and torch.get_num_threads() == 1


def _seconds(turn: Callable[[], object]) -> float:
    clock = time.process_time if _own_core() else time.perf_counter
    device = compute.device()
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    start = clock()
    turn()
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return clock() - start


def _round(value: float, digits: int = 3) -> float:
    """To N significant digits."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else value


COLUMNS = {
    "model": "case",
    "rows": "rows",
    "sample-steps per second": "sample_steps_per_second",
    "plain": "plain_sample_steps_per_second",
    "times plain": "times_plain",
    "GFLOP/s": "gflops",
}


def table(found: dict[str, Any]) -> str:
    """What `train` found as a Markdown table, for a reader."""
    heads = [*COLUMNS, *(f"share of the {name} rate, GFLOP/s" for name in DTYPES)]
    lines = [heads, ["---"] * len(heads)]
    for case in found["cases"]:
        shares = [f"{case['share'][name]:.0%} of {case['machine_gflops'][name]:g}" for name in DTYPES]
        lines.append([f"{case[key]}" for key in COLUMNS.values()] + shares)
    below = f"{found['machine']}; torch {found['torch']}, threads: {found['threads']}; {found['clock']}"
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n{below}"
