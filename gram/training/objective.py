"""What one optimizer step computes: the losses of one supervision step, or of what a writing model writes.

The modules that Fabric wraps; `gram/training/loop.py` holds the rows that they are given, and what is done with the losses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gram.config import RunConfig
from gram.models import Model, Writer
from gram.training import distributed as processes
from gram.training import losses


class Objective(nn.Module):
    """One supervision step of every row and the losses that it gives; the module that Fabric wraps."""

    def __init__(self, model: Model, config: RunConfig, fabric: Fabric) -> None:
        super().__init__()
        self.model = model
        self.config = config.train
        self.fabric = fabric

    def forward(
        self, x: Tensor, y: Tensor, identifier: Tensor, h: Tensor, l: Tensor, learning_rows: int,
        generator: torch.Generator, past: Tensor | None = None, done: Tensor | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Advance the rows of this process.

        Args:
            x, y: [row, position]; the first `learning_rows` learn, the others follow the prior.
            identifier: [row], the rule book of each.
            h, l: [row, position, feature].
            done: [done row], numbers of the prior rows whose last supervision step this is; their states so far are
                `past` [done row, prior_steps, position, feature].
        Returns:
            h, l: the new states; losses: {"token", "kl_prior", "kl_posterior"} of the learning rows, each [row];
            tokens: [row, position], the answers; halt: [prior row], logits; value: [done row * prior_steps], logits
            for each state of the done rows. Of a model that learns the value of going on: further and next_further,
            [prior row], its logits before and after this supervision step.
        """
        model, noise = self.model, _noise(self.fabric, generator)
        learns, follows = slice(None, learning_rows), slice(learning_rows, None)
        with torch.no_grad():
            prior = replace(model.init(x[follows], identifier[follows]), h=h[follows], l=l[follows])
            for _ in range(model.high_steps):
                prior, _ = model.step(prior, noise)
            tokens = model.decode(prior).logits.argmax(-1)
        believes = model.heads(prior.h, prior.graph)
        out = {"h": prior.h, "l": prior.l, "tokens": tokens, "halt": believes.right, "losses": {}}
        if believes.further is not None:  # Q-learning: what going on from the state before was worth
            out["further"], out["next_further"] = model.heads(h[follows], prior.graph).further, believes.further
        if past is not None and done is not None:
            lives = torch.cat([past[:, :-1], prior.h[done, None].to(past.dtype)], 1)
            graph = None if prior.graph is None else prior.graph[done].repeat_interleave(lives.shape[1], 0)
            out["value"] = model.heads(lives.flatten(0, 1).float(), graph).value
        if not learning_rows:
            return out

        learning = replace(model.init(x[learns], identifier[learns]), h=h[learns], l=l[learns])
        charged = min(self.config.gradient_steps or model.high_steps, model.high_steps)
        with torch.no_grad():
            for _ in range(model.high_steps - charged):
                learning, _ = model.step(learning, noise, y[learns] if self.config.uncharged == "posterior" else None)
        learning = replace(model.init(x[learns], identifier[learns]), h=learning.h, l=learning.l)
        transitions = []
        for _ in range(charged):
            learning, transition = model.step(learning, noise, y[learns])
            transitions.append(transition)
        logits = model.decode(learning).logits
        terms = {"token": losses.token(logits[:, : model.places], y[learns][:, : model.places])}
        if transition.posterior is not None:
            for halves in map(losses.guidance, transitions):
                terms |= {name: terms.get(name, 0) + half for name, half in halves.items()}
        return out | {
            "h": torch.cat([learning.h.detach(), prior.h]),
            "l": torch.cat([learning.l.detach(), prior.l]),
            "tokens": torch.cat([logits.detach().argmax(-1), tokens]),
            "losses": terms,
        }


class Writing(nn.Module):
    """The losses of a model that writes tokens, on one fresh batch; the module that Fabric wraps."""

    def __init__(self, model: Writer, fabric: Fabric) -> None:
        super().__init__()
        self.model = model
        self.fabric = fabric

    def forward(self, x: Tensor, y: Tensor, identifier: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """The terms [row] of `Writer.loss` for the rows of this process, x and y [row, position]."""
        return self.model.loss(x, y, identifier, _noise(self.fabric, generator))


def _noise(fabric: Fabric, generator: torch.Generator) -> Callable[[Tensor], Tensor]:
    """Standard normal noise: that of all processes, of which this one takes its share."""

    def noise(like: Tensor) -> Tensor:
        rows = len(like) * fabric.world_size
        drawn = torch.randn((rows, *like.shape[1:]), generator=generator, device=like.device)
        return drawn[processes.own(fabric, rows)]

    return noise
