"""What one optimizer step computes: the losses of one supervision step, or of a model that samples tokens.

The modules that Fabric wraps; `gram/training/run.py` holds the rows that they are given, and what is done with the
losses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gram.config import RunConfig
from gram.models import Model, State, TokenModel, Transition
from gram.training import distributed as processes
from gram.training import losses
from gram.training.carry import Rows


class Objective(nn.Module):
    """One supervision step of every row and the losses that it gives; the module that Fabric wraps."""

    def __init__(self, model: Model, config: RunConfig, fabric: Fabric) -> None:
        super().__init__()
        self.model = model
        self.config = config.train
        self.fabric = fabric

    def forward(
        self, rows: Rows, h: Tensor, l: Tensor, learning_rows: int, generator: torch.Generator,
        past: Tensor | None = None, done: Tensor | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Advance the rows of this process.

        Args:
            rows: the first `learning_rows` learn their target, the others teach the heads.
            h, l: [row, position, feature].
            done: [done row], numbers of the head rows whose last supervision step this is; their states so far are
                `past` [done row, prior_steps, position, feature].
        Returns:
            h, l: the new states. losses: {"token"} of the learning rows and {"kl_prior", "kl_posterior"} of those that
            follow the posterior, each [row]. measured: numbers to be logged, by name.
            tokens: [row, position], the answers. halt: [head row], logits. value: [done row * prior_steps], logits for
            each state of the done rows. Of a model that learns the value of continuing: further and next_q_continue,
            [head row], its logits before and after this supervision step.
        """
        noise = _noise(self.fabric, generator)
        learning, judging = slice(None, learning_rows), slice(learning_rows, None)
        out = self._judge(rows, h, l, judging, noise, past, done)
        if not learning_rows:
            return out
        state, transitions = self._recur(rows, h, l, learning, noise)
        logits = self.model.logits(state.h, state.graph)
        decided = logits[:, : self.model.places]  # the other positions are given
        token = losses.token(decided, self._targets(rows, decided, learning_rows, generator))
        out["losses"] = {"token": token}
        out["measured"] = self._measured(transitions[-1], token.detach())
        if transitions[-1].posterior is not None:
            for halves in map(losses.guidance, transitions):
                out["losses"] |= {name: out["losses"].get(name, 0) + half for name, half in halves.items()}
        return out | {
            "h": torch.cat([state.h.detach(), out["h"]]),
            "l": torch.cat([state.l.detach(), out["l"]]),
            "tokens": torch.cat([logits.detach().argmax(-1), out["tokens"]]),
        }

    def _measured(self, transition: Transition, token: Tensor) -> dict[str, float]:
        """Size of the prior's guidance, and cross-entropy [row] by the kind of row where there are both."""
        found: dict[str, float] = {}
        if transition.prior is not None:
            prior, posterior = transition.prior.detach(), self.posterior_rows(len(token))
            found |= {"guidance_sigma": float(prior.sigma.mean()), "guidance_mean": float(prior.mean.abs().mean())}
            if 0 < posterior < len(token):
                parts = {"token_posterior": token[:posterior], "token_prior": token[posterior:]}
                found |= {name: float(part.mean()) for name, part in parts.items()}
        return found

    def _targets(self, rows: Rows, logits: Tensor, learning_rows: int, generator: torch.Generator) -> Tensor:
        """What the learning rows are scored against [row, place]; rows of the prior in hindsight."""
        y, known = (part[:learning_rows, ..., : logits.shape[1]] for part in (rows.y, rows.known))
        posterior = self.posterior_rows(learning_rows)
        if not known.shape[1] or posterior == learning_rows:
            return y
        uniform = _uniform(self.fabric, generator, known)[posterior:]
        return torch.cat([y[:posterior], losses.in_hindsight(logits[posterior:], known[posterior:], uniform)])

    def posterior_rows(self, learning_rows: int) -> int:
        """How many of a process's learning rows, the first ones, follow the posterior."""
        return round(self.config.posterior_share * learning_rows) if self.model.has_guidance else 0

    def _recur(
        self, rows: Rows, h: Tensor, l: Tensor, learning: slice, noise: Callable[[Tensor], Tensor]
    ) -> tuple[State, list[Transition]]:
        """The learning rows after a supervision step, and its transitions with gradient."""
        model, config = self.model, self.config
        x, identifier, y = rows.x[learning], rows.identifier[learning], rows.y[learning]
        posterior = self.posterior_rows(len(y))
        target = y[:posterior] if posterior else None
        state = replace(model.init(x, identifier), h=h[learning], l=l[learning])
        with_gradient = min(config.gradient_steps or model.high_steps, model.high_steps)
        with torch.no_grad():
            for _ in range(model.high_steps - with_gradient):
                state, _ = model.step(state, noise, target if config.no_grad_guidance == "posterior" else None)
        state = replace(model.init(x, identifier), h=state.h, l=state.l)
        transitions = []
        for _ in range(with_gradient):
            state, transition = model.step(state, noise, target)
            transitions.append(transition)
        return state, transitions

    @torch.no_grad()
    def _advance(self, rows: Rows, h: Tensor, l: Tensor, judging: slice, noise: Callable[[Tensor], Tensor]) -> State:
        """The rows that teach the heads after a supervision step."""
        state = replace(self.model.init(rows.x[judging], rows.identifier[judging]), h=h[judging], l=l[judging])
        for _ in range(self.model.high_steps):
            state, _ = self.model.step(state, noise)
        return state

    def _judge(
        self, rows: Rows, h: Tensor, l: Tensor, judging: slice, noise: Callable[[Tensor], Tensor],
        past: Tensor | None, done: Tensor | None,
    ) -> dict[str, Any]:  # fmt: skip
        """What the heads say of the rows that teach them, which follow the prior without gradient."""
        model = self.model
        if not len(h[judging]):
            return {"h": h[judging], "l": l[judging], "tokens": rows.x[judging], "halt": h.new_zeros(0), "losses": {}}
        state = self._advance(rows, h, l, judging, noise)
        with torch.no_grad():
            tokens = model.logits(state.h, state.graph).argmax(-1)
        said = model.heads(state.h, state.graph)
        out: dict[str, Any] = {"h": state.h, "l": state.l, "tokens": tokens, "halt": said.q_halt, "losses": {}}
        if said.q_continue is not None:  # Q-learning: what continuing from the state before was worth
            out["q_continue"], out["next_q_continue"] = model.heads(h[judging], state.graph).q_continue, said.q_continue
        if past is not None and done is not None:
            lives = torch.cat([past[:, :-1], state.h[done, None].to(past.dtype)], 1)
            graph = None if state.graph is None else state.graph[done].repeat_interleave(lives.shape[1], 0)
            out["value"] = model.heads(lives.flatten(0, 1).float(), graph).value
        return out


class TokenObjective(nn.Module):
    """The losses of a model that samples tokens, on one fresh batch; the module that Fabric wraps."""

    def __init__(self, model: TokenModel, fabric: Fabric) -> None:
        super().__init__()
        self.model = model
        self.fabric = fabric

    def forward(self, x: Tensor, y: Tensor, identifier: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """The terms [row] of the model's loss for the rows of this process, x and y [row, position]."""
        return self.model.loss(x, y, identifier, _noise(self.fabric, generator))


def _noise(fabric: Fabric, generator: torch.Generator) -> Callable[[Tensor], Tensor]:
    """Standard normal noise: that of all processes, of which this one takes its share."""

    def noise(like: Tensor) -> Tensor:
        rows = len(like) * fabric.world_size
        drawn = torch.randn((rows, *like.shape[1:]), generator=generator, device=like.device)
        return drawn[processes.own(fabric, rows)]

    return noise


def _uniform(fabric: Fabric, generator: torch.Generator, known: Tensor) -> Tensor:
    """Uniform numbers [row, solution], shared among processes as noise is."""
    rows = len(known) * fabric.world_size
    drawn = torch.rand((rows, known.shape[1]), generator=generator, device=known.device)
    return drawn[processes.own(fabric, rows)]
