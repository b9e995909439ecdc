"""What decides the future of a run, as the tensors and numbers of `training.safetensors`, and back."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gram import checkpoint as store
from gram.training.carry import Carry

if TYPE_CHECKING:
    from gram.training.run import Run


def write(run: Run) -> None:
    """Write weights, average, best weights, optimizers, carried batch, sampler, KL weights and random state."""
    tensors = {f"model/{key}": value for key, value in run.model.state_dict().items()}
    tensors |= {f"average/{key}": value for key, value in run.average.state_dict().items()}
    tensors |= {f"best/{key}": value for key, value in run.best.items()}
    if not run.model.samples_tokens:
        tensors |= {f"carry/{key}": value for key, value in run.carry.tensors().items()}
    tensors["generator"] = run.generator.get_state()
    for number, optimizer in enumerate(run.optimizers):
        for index, slots in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{number}/{index}/{key}": torch.as_tensor(value) for key, value in slots.items()}
    numbers = {name: getattr(run, name) for name in ("step", "seconds", "cpu_seconds", "best_accuracy", "best_step")}
    numbers |= {
        "drawn": run.sampler.drawn,
        "hints": run.sampler.curriculum.most.tolist(),
        "since_line": run.monitor.since_line,
        "kl_weight": run.kl.values.tolist(),
    }
    store.write_tensors(run.path / store.TRAINING, tensors, {"step": str(run.step), "numbers": json.dumps(numbers)})


def read(run: Run) -> None:
    """Take a run back to what `write` wrote, and cut off the metrics after it."""
    tensors, metadata = store.read_tensors(run.path / store.TRAINING)
    groups: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for key, tensor in tensors.items():
        group, _, rest = key.partition("/")
        groups[group][rest] = tensor
    run.model.load_state_dict(groups["model"])
    run.average.load_state_dict(groups["average"])
    run.best = {key: tensor.to(run.device) for key, tensor in groups["best"].items()}
    if not run.model.samples_tokens:
        run.carry = Carry(**groups["carry"]).to(run.device)
    run.generator.set_state(groups["generator"][""])
    for number, optimizer in enumerate(run.optimizers):
        state = optimizer.state_dict()
        state["state"] = defaultdict(dict)
        for key, tensor in groups["optimizer"].items():
            which, index, slot = key.split("/")
            if int(which) == number:
                state["state"][int(index)][slot] = tensor
        optimizer.load_state_dict(state)
    numbers = json.loads(metadata["numbers"])
    for name in ("step", "seconds", "cpu_seconds", "best_accuracy", "best_step"):
        setattr(run, name, numbers[name])
    run.sampler.drawn = numbers["drawn"]
    run.sampler.curriculum.restore(numbers["hints"])
    run.monitor.since_line = defaultdict(list, numbers["since_line"])
    run.monitor.cut(run.step)
    run.kl.restore(numbers["kl_weight"])
