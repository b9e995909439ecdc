"""gram beside TRM's own code: the same weights, rows and answers, in turns; how many times theirs takes ours.

    git clone https://github.com/SamsungSAILMontreal/TinyRecursiveModels trm && pip install einops
    python tests/beside_trm.py trm --features 128 --rows 8 [--train] [--compile] [--precision bfloat16]

Seconds of the processor on one thread. `--train` takes optimizer steps (forward, backward, AdamW, averaged weights; no
rows beside those that learn, and no puzzle embeddings, which have an optimizer of their own there); without it, one
supervision step of inference with its readout.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
import numpy as np
import torch
import yaml

from gram import checkpoint
from gram.inference.chain import computing
from gram.release.published import import_checkpoint
from gram.training.run import Run

DATA = ("task.dataset=generated", "task.generated=200", "task.clues_min=40", "task.clues_max=50")
ROUNDS, DECAY, RATE = 5, 0.999, 1e-4


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("clone", type=Path)
    asked.add_argument("--features", type=int, default=128)
    asked.add_argument("--rows", type=int, default=8)
    asked.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    for flag in ("--train", "--compile"):
        asked.add_argument(flag, action="store_true")
    told = asked.parse_args()
    sys.path.insert(0, str(told.clone))
    network, losses = (import_module(f"models.{name}") for name in ("recursive_reasoning.trm", "losses"))

    arch = {
        "halt_exploration_prob": 0.1, "halt_max_steps": 16, "H_cycles": 3, "L_cycles": 6, "H_layers": 0, "L_layers": 2,
        "hidden_size": told.features, "num_heads": max(2, told.features // 64), "expansion": 4, "pos_encodings": "rope",
        "puzzle_emb_ndim": told.features, "puzzle_emb_len": 16, "forward_dtype": told.precision, "mlp_t": False,
        "no_ACT_continue": True,
    }  # fmt: skip
    sizes = {"batch_size": told.rows, "seq_len": 81, "num_puzzle_identifiers": 1, "vocab_size": 11}
    theirs = network.TinyRecursiveReasoningModel_ACTV1(arch | sizes)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        weights = {f"_orig_mod.model.inner.{name}": part.float() for name, part in theirs.inner.state_dict().items()}
        torch.save(weights, folder / "step_1")
        names = {
            "name": "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1",
            "loss": {"name": "losses@ACTLossHead", "loss_type": "stablemax_cross_entropy"},
        }
        config = {"arch": names | arch, "data_paths": ["data/sudoku-extreme"], "global_batch_size": 768, "lr": RATE}
        (folder / "all_config.yaml").write_text(yaml.dump(config))
        warnings.simplefilter("ignore")  # of what an import leaves out
        files = folder / "step_1", "trm", folder / "all_config.yaml", folder / "ours"
        opened = checkpoint.load(import_checkpoint(*files, overrides=DATA))
        puzzles = opened.task.puzzles("train").take(range(told.rows))
        x, y = (torch.from_numpy(part.astype(np.int64)) for part in (puzzles.x, np.concatenate(puzzles.solutions)))
        batch = {"inputs": x, "labels": y, "puzzle_identifiers": torch.zeros(told.rows, dtype=torch.int64)}
        if told.train:
            loss = losses.ACTLossHead(theirs, "stablemax_cross_entropy")
            changes = (f"train.batch={told.rows}", "train.prior_rows=0", f"train.compile={str(told.compile).lower()}")
            precision = "auto" if told.precision == "bfloat16" else "float32"
            run = Run(opened.config.override([*changes, f"train.precision={precision}"]), folder / "run")
            turns = trained(theirs, torch.compile(loss) if told.compile else loss, batch), run.advance
        else:
            turns = inferred(theirs, opened.model, batch, told.precision, told.compile)
        compare(*turns)


def trained(model: torch.nn.Module, loss: Callable, batch: dict[str, torch.Tensor]) -> Callable[[], object]:
    """An optimizer step of theirs."""
    model.train()
    parts = list(model.parameters())
    optimizer = torch.optim.AdamW(parts, lr=RATE, weight_decay=0.1, betas=(0.9, 0.95))
    average, held = [part.detach().clone() for part in parts], {"carry": model.initial_carry(batch)}

    def step() -> None:
        held["carry"], value, *_ = loss(carry=held["carry"], batch=batch, return_keys=[])
        (value / len(batch["inputs"])).backward()
        optimizer.step()
        optimizer.zero_grad()
        torch._foreach_lerp_(average, [part.detach() for part in parts], 1 - DECAY)

    return step


def inferred(
    theirs: torch.nn.Module, ours: torch.nn.Module, batch: dict[str, torch.Tensor], precision: str, compiles: bool
) -> tuple[Callable[[], object], Callable[[], object]]:
    """One supervision step of both; in float32 they must give the same probabilities."""
    theirs.eval()
    called = torch.compile(theirs) if compiles else theirs
    if compiles:
        ours.f.compile(dynamic=False)

    def one() -> torch.Tensor:
        with torch.inference_mode():
            return called(carry=theirs.initial_carry(batch), batch=batch)[1]["logits"].float()

    def other() -> torch.Tensor:
        with computing(ours, "auto" if precision == "bfloat16" else "float32"):
            state = ours.init(batch["inputs"], batch["puzzle_identifiers"])
            for _ in range(ours.high_steps):
                state, _ = ours.step(state, torch.zeros_like)
            return ours.decode(state).logits

    stable = one()
    stable = torch.where(stable < 0, 1 / (1 - stable), stable + 1)
    apart = float((stable / stable.sum(-1, keepdim=True) - other().softmax(-1)).abs().max())
    assert precision == "bfloat16" or apart < 1e-5, f"the probabilities differ by {apart}"
    return one, other


def compare(theirs: Callable[[], object], ours: Callable[[], object]) -> None:
    """Both in turns, and what came out."""
    seconds: dict[Callable[[], object], list[float]] = {theirs: [], ours: []}
    for _ in range(2 + ROUNDS):
        for turn, found in seconds.items():
            start = time.process_time()
            turn()
            found.append(time.process_time() - start)
    one, other = (found[2:] for found in seconds.values())
    ratios = sorted(a / b for a, b in zip(one, other, strict=True))
    print(f"theirs {statistics.median(one):.3f} s, ours {statistics.median(other):.3f} s", end="; ")
    print(f"theirs / ours {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
