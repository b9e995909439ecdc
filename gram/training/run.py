"""A training run: its rows, its optimizer step, and what is kept of it; one for all models.

Models that sample tokens (`gram.models.token_model`) have a loss of their own, and each optimizer step teaches them a
fresh batch. All others are taught by deep supervision, as follows.

Each optimizer step advances every row of a carried batch (`gram.training.carry`) by one supervision step, with gradient
through its last transition only (GRAM, Section 3.3) or, if `gradient_steps` says so, through more of them. Rows are of
three kinds, each for life:

    posterior rows   learn the target; the transitions with gradient sample the posterior, and pay for its KL
    prior rows       learn the target too, but sample the prior, as at inference (`posterior_share` < 1)
    head rows        sample the prior without gradient, and teach the halting and value heads (`prior_rows`)

The first two are the learning rows; of a deterministic model they are alike.

Everything that decides the future of a run is in `training.safetensors` (`gram.training.state`). A run that was killed
and resumed ends with the same weights as one that was not. On several processes (`gram.training.distributed`) each
advances its share of the rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gram import checkpoint as store
from gram.config import ConfigError, RunConfig
from gram.evaluation.evaluate import score_grid
from gram.inference.noise import SamplingNoise
from gram.models import Model, State, TokenModel
from gram.run_folder import SNAPSHOTS, snapshots, thinned
from gram.tasks import Puzzles
from gram.tasks.base import PAD
from gram.training import distributed as processes
from gram.training import losses, optim, state
from gram.training.carry import Carry, Sampler
from gram.training.curriculum import UNHINTED
from gram.training.kl_control import KLController
from gram.training.monitor import Monitor
from gram.training.objective import Objective, TokenObjective

REPLACEMENT = 4  # keeps the random numbers of replacements apart from those of `gram.training.carry`
AS_GOOD = 0.95  # share of the prior's best accuracy from which weights count as no worse


class Run:
    """One training run in its folder: everything that changes while it trains."""

    def __init__(self, config: RunConfig, path: Path) -> None:
        self.config, self.path = config, path
        self.fabric = processes.launch(config.train)
        self.task, self.model = store.build(config)
        if self.model.samples_tokens and config.train.head_steps:
            raise ConfigError(
                f"train.head_steps is {config.train.head_steps}, but {self.model.name} has no heads that could learn; "
                "set it to 0"
            )
        self.device = self.fabric.device
        self.sampler = Sampler(self.task, self.task.puzzles("train"), config, self.device)
        self.average = optim.average(self.model, config.train.optim).to(self.device)
        if config.train.compile:
            for part in self.model.modules():
                if type(part).__name__ == "Network":
                    part.compile(dynamic=False)
        objective: nn.Module = (
            TokenObjective(self.model, self.fabric)
            if isinstance(self.model, TokenModel)
            else Objective(self.model, config, self.fabric)
        )
        self.objective, *self.optimizers = self.fabric.setup(
            objective, *optim.optimizers(self.model, config.train.optim)
        )
        self.generator = torch.Generator(self.device).manual_seed(config.seed)
        self.kl = KLController(config.train)
        self.monitor = Monitor(path, config.train)
        self.best: dict[str, Tensor] = {}  # with `keep_best`, the weights that are kept
        self.best_accuracy, self.best_step = 0.0, 0
        self.step = 0
        self.seconds = self.cpu_seconds = 0.0
        self.carry = self._first_carry()

    @property
    def learning_rows(self) -> int:
        """How many rows learn: `batch`, and none once only the heads do."""
        train = self.config.train
        return 0 if train.head_steps and self.step >= train.steps else train.batch

    @property
    def posterior(self) -> NDArray[np.bool_]:
        """Which of the learning rows [row] follow the posterior: the first ones of each process."""
        rows, share = self.learning_rows, self.learning_rows // self.fabric.world_size
        if not self.model.has_guidance or not rows:
            return np.zeros(rows, dtype=bool)
        return np.arange(rows) % share < round(self.config.train.posterior_share * share)

    @property
    def averaged(self) -> Model:
        """The model with the averaged weights: what is evaluated and exported."""
        return cast(Model, self.average.module)

    @property
    def decay(self) -> float:
        """The learning rate as a share of that on the plateau, without the warm-up."""
        return optim.decay(self.config.train.optim, self.step, self.config.train.steps)

    def _first_carry(self) -> Carry:
        """All rows at z0, their ages spread evenly, so that rows finish in turn and not all at once.

        A model that samples tokens carries none.
        """
        train = self.config.train
        learning, rows = self.learning_rows, train.batch + train.prior_rows
        if self.model.samples_tokens:
            learning = rows = 0
        fresh = self.sampler.fresh(rows, np.arange(rows) < learning)
        start = self._start(fresh.x, fresh.identifier)
        age = torch.cat(
            [
                torch.arange(learning) % train.supervision_steps,
                torch.arange(rows - learning) % train.prior_steps,
            ]
        )
        past = torch.zeros(rows - learning, train.prior_steps, *start.h.shape[1:], dtype=torch.bfloat16)
        return Carry(**vars(fresh), h=start.h.clone(), l=start.l.clone(), age=age, past=past.to(self.device))

    def _start(self, x: Tensor, identifier: Tensor) -> State:
        """The initial state of rows with these puzzles, which were the last to be drawn."""
        with torch.no_grad():
            start = self.model.init(x, identifier)
        keys = [(self.config.seed, self.sampler.drawn, row) for row in range(len(x))]
        return SamplingNoise(random_start=self.config.train.random_start).start(self.model, start, keys)

    def advance(self) -> dict[str, float]:
        """One optimizer step; what it measured, by name (see `docs/training.md`)."""
        self.model.guides = self.step >= self.config.train.guidance_from * self.config.train.steps
        return self._sample_tokens() if isinstance(self.model, TokenModel) else self._supervise()

    def _sample_tokens(self) -> dict[str, float]:
        """One optimizer step on a fresh batch of a model that samples tokens."""
        assert isinstance(self.model, TokenModel)
        fresh = self.sampler.fresh(self.config.train.batch)
        rows = processes.own(self.fabric, len(fresh.x))
        terms = self.objective(fresh.x[rows], fresh.y[rows], fresh.identifier[rows], self.generator)
        return self._learn(terms, self.model.weights, {})

    def _learn(
        self, terms: Mapping[str, Tensor], weights: Mapping[str, float | Tensor], beside: Mapping[str, float]
    ) -> dict[str, float]:
        """Move the weights by the gradient of these terms; what was measured, means over processes."""
        train = self.config.train
        if self.step < train.steps:
            factor = optim.schedule(train.optim, self.step, train.steps)
        else:
            factor = optim.schedule(train.optim, self.step - train.steps, train.head_steps)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            optimizer.zero_grad()
        loss = losses.total(terms, weights)
        self.fabric.backward(loss)
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), train.optim.clip))  # of both optimizers together
        if not math.isfinite(norm):
            raise FloatingPointError(
                f"the gradient is {norm} at step {self.step}; lower train.optim.lr; what was saved before is intact"
            )
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update_parameters(self.model)
        self.step += 1
        measured = {name: float(term.detach().mean()) for name, term in terms.items()} | {"loss": float(loss.detach())}
        measured |= beside
        if self.fabric.world_size > 1:
            mean = self.fabric.all_reduce(torch.tensor(list(measured.values()), dtype=torch.float64))
            measured = dict(zip(measured, torch.as_tensor(mean).tolist(), strict=True))
        return measured | {"lr": train.optim.lr * factor, "grad_norm": norm}

    def _supervise(self) -> dict[str, float]:
        """One optimizer step that advances every carried row by one supervision step."""
        train, carry, learning, posterior = self.config.train, self.carry, self.learning_rows, self.posterior
        carry.age += 1
        ended = torch.cat(
            [
                carry.age[:learning] >= train.supervision_steps,
                carry.age[learning:] >= train.prior_steps,
            ]
        )
        rows, learns, judges = self._own_rows()  # judges: those of the head rows
        done = torch.nonzero(ended[learning:][judges]).flatten()
        lives = carry.past[judges][done] if len(done) else None
        out = self.objective(carry.take(rows), carry.h[rows], carry.l[rows], learns, self.generator, lives, done)
        carry.h[rows], carry.l[rows] = out["h"].detach().float(), out["l"].detach().float()
        answers = self._whole(out["tokens"], learns)
        valid = self._judged(answers[learning:])
        solved = self._solved(answers[:learning])
        terms = dict(out["losses"]) | self._head_terms(out, valid, ended[learning:], done, judges)

        beside = dict(out.get("measured", {}))
        if len(valid):
            right = torch.from_numpy(valid).to(self.device)[judges]
            beside["halt_right"] = float(((out["halt"] > 0) == right).float().mean())
        own = processes.own(self.fabric, learning)
        paying = carry.age[:learning][own][posterior[own]]
        measured = self._learn(terms, self._weights(paying, learns), beside)
        if "kl_posterior" in measured:
            measured["kl_weight"] = float(self.kl.posterior(torch.arange(train.supervision_steps) + 1).mean())
            rate = processes.whole(self.fabric, terms["kl_posterior"].detach()).cpu().double().numpy()
            self.kl.update(carry.age[:learning].numpy()[posterior], rate, self.step, self.decay)
        ended[:learning] |= self._makes_room(solved)
        measured |= self._accuracy(ended, solved, valid, posterior)
        self._replace(ended)
        if self.step == train.steps and train.head_steps:
            self._freeze_to_ema()
        return measured

    def _weights(self, age: Tensor, learning: int) -> dict[str, float | Tensor]:
        """The weight of each term; `age` [row] is of those of this process's `learning` rows that pay for their KL."""
        train, share = self.config.train, len(age) / max(learning, 1)  # a term is the mean over its rows, not over all
        return {
            "token": 1.0,
            "kl_prior": self.kl.prior * share,
            "kl_posterior": self.kl.posterior(age).to(self.device) * share,
            "halt": train.halt_weight,
            "q_continue": train.halt_weight,
            "value": train.value_weight,
        }

    def _head_terms(
        self, out: Mapping[str, Tensor], valid: NDArray[np.bool_], ended: Tensor, done: Tensor, judges: slice
    ) -> dict[str, Tensor]:
        """The losses of the heads, and the states of the head rows kept for the value head.

        Args:
            valid, ended: [head row] of all processes; whether it is right, and at its end.
            done: numbers of this process's head rows at their end; `judges` are this process's among all.
        """
        train, carry, learning = self.config.train, self.carry, self.learning_rows
        terms: dict[str, Tensor] = {}
        right = torch.from_numpy(valid).to(self.device)[judges]
        if len(valid):
            age = carry.age[learning:][judges]
            terms["halt"] = losses.bce_with_logits(out["halt"], right)
            if "q_continue" in out:
                last = ended[judges].to(self.device)
                onward = losses.q_continue(out["q_continue"], out["halt"], out["next_q_continue"], last)
                terms["q_continue"] = onward * (age > 1).to(self.device)  # before its first step none can halt
            at = torch.arange(len(valid))[judges]
            carry.past[at, age - 1] = out["h"][len(out["h"]) - len(at) :].detach().to(carry.past.dtype)
        ending = int(ended.sum())
        if len(done):
            target = right[done].float().repeat_interleave(train.prior_steps)
            share = len(done) * self.fabric.world_size / ending  # processes may end unequally many rows
            terms["value"] = losses.bce_with_logits(out["value"], target) * share
        elif ending:
            terms["value"] = torch.zeros(1, device=self.device)
        return terms

    def _own_rows(self) -> tuple[Tensor, int, slice]:
        """Numbers of this process's rows, how many of them learn, and its share of the head rows."""
        learning, rows = self.learning_rows, len(self.carry.x)
        learns, judges = processes.own(self.fabric, learning), processes.own(self.fabric, rows - learning)
        numbers = torch.arange(rows)
        return torch.cat([numbers[:learning][learns], numbers[learning:][judges]]), learns.stop - learns.start, judges

    def _whole(self, part: Tensor, learns: int) -> Tensor:
        """What all processes have of [own row, ...], whose first `learns` rows learn: [row, ...]."""
        if self.fabric.world_size == 1:
            return part
        return torch.cat([processes.whole(self.fabric, half) for half in (part[:learns], part[learns:]) if len(half)])

    def _freeze_to_ema(self) -> None:
        """The recursion is fixed at its average (with `keep_best`, at its best); from here on only the heads learn."""
        if self.best:
            self.averaged.load_state_dict(self.best)
            self.best = {}
        self.model.load_state_dict(self.averaged.state_dict())
        self.carry = self._first_carry()

    def _judged(self, answers: Tensor) -> NDArray[np.bool_]:
        """Whether the answers of the head rows [row, position] are right, by the task's judgement."""
        if not len(answers):
            return np.zeros(0, dtype=bool)
        x, y = (part[self.learning_rows :].cpu().numpy() for part in (self.carry.x, self.carry.y))
        return self.task.judge(Puzzles(x, tuple(y[:, None])), answers.cpu().numpy()).valid

    def _solved(self, answers: Tensor) -> NDArray[np.bool_]:
        """Whether the answers of the learning rows [row, position] are their target, or another known solution."""
        places = self.model.places
        y, known = (part[: len(answers), ..., :places] for part in (self.carry.y, self.carry.known))
        answers = answers[:, :places]
        solved = ((answers == y) | (y == PAD)).all(-1)
        if known.shape[1]:
            same = ((answers[:, None] == known) | (known == PAD)).all(-1) & (known != PAD).any(-1)
            solved |= same.any(-1)
        return solved.cpu().numpy()

    def _makes_room(self, solved: NDArray[np.bool_]) -> Tensor:
        """Which of the learning rows [row] end before their time, since they are solved."""
        first, last = self.config.train.replace_solved, self.config.train.replace_solved_end
        if not first or not len(solved):
            return torch.zeros(len(solved), dtype=torch.bool)
        drawn = np.random.default_rng([self.config.seed, REPLACEMENT, self.step]).random(len(solved))
        return torch.from_numpy(solved & (drawn < last + (first - last) * self.decay))

    def _accuracy(
        self, ended: Tensor, solved: NDArray[np.bool_], valid: NDArray[np.bool_], posterior: NDArray[np.bool_]
    ) -> dict[str, float]:
        """Shares of solved rows, of those that end: by rows that see the target, and by the prior.

        Rows with extra givens count apart (`hinted_exact`; of stochastic models those that follow the prior, if there
        are any), and move the curriculum. Head rows count at N_sup, or at their end if that is sooner.
        """
        train, learning = self.config.train, len(solved)
        over, level = ended[:learning].numpy(), self.carry.level[:learning].numpy()
        plain, free = level == UNHINTED, ~posterior if not posterior.all() else posterior
        heads = valid[self.carry.age[learning:].numpy() == min(train.supervision_steps, train.prior_steps)]
        rows = {"hinted_exact": solved[over & free & ~plain]}
        if self.model.has_guidance:
            rows["posterior_exact"] = solved[over & posterior & plain]
            rows["prior_exact"] = np.concatenate([solved[over & ~posterior & plain], heads])
        else:
            rows["target_exact"], rows["prior_exact"] = solved[over & plain], heads
        self.sampler.curriculum.learn(level[over & free], solved[over & free])
        return {name: float(part.mean()) for name, part in rows.items() if len(part)}

    def _replace(self, ended: Tensor) -> None:
        """New puzzles at z0 for the rows that ended."""
        rows = torch.nonzero(ended).flatten()
        if not len(rows):
            return
        fresh = self.sampler.fresh(len(rows), (rows < self.learning_rows).numpy())
        start = self._start(fresh.x, fresh.identifier)
        self.carry.replace(rows, fresh, start.h, start.l)

    def keep_best(self, accuracy: float | None) -> None:
        """Keep the averaged weights if the prior's accuracy, measured since the last line, is as good as ever."""
        train = self.config.train
        frozen = train.head_steps and self.step >= train.steps
        if (
            not train.keep_best
            or not self.model.guides
            or frozen
            or accuracy is None
            or accuracy < AS_GOOD * self.best_accuracy
        ):
            return
        self.best = {key: tensor.clone() for key, tensor in self.averaged.state_dict().items()}
        self.best_accuracy, self.best_step = max(accuracy, self.best_accuracy), self.step

    def save(self) -> None:
        """Write the averaged (or best) weights, then what `resume` needs.

        In this order: a run that is killed between the two resumes at the save before and writes both again. The
        other way round, one that is killed between its two last files would count as finished, with older weights.
        """
        if self.fabric.world_size > 1 and not self.model.samples_tokens:
            rows, learns, judges = self._own_rows()
            for name in ("h", "l"):
                setattr(self.carry, name, self._whole(getattr(self.carry, name)[rows], learns))
            self.carry.past = processes.whole(self.fabric, self.carry.past[judges])
        if self.fabric.is_global_zero:
            weights = self.best or dict(self.averaged.state_dict())
            step = self.best_step if self.best else self.step
            store.write_tensors(self.path / store.WEIGHTS, weights, {"step": str(step)})
            state.write(self)
        self.fabric.barrier()

    def snapshot(self) -> None:
        """Keep a copy of the averaged weights as they are now, and thin the older ones (`train.snapshots`)."""
        train, files = self.config.train, snapshots(self.path)
        if not train.snapshots:
            return
        kept = thinned([*files, self.step], train.check_every, train.snapshots)
        if self.step in kept:
            file = self.path / SNAPSHOTS / f"{self.step:06}.safetensors"
            store.write_tensors(file, dict(self.averaged.state_dict()), {"step": str(self.step)})
        for step in files.keys() - set(kept):
            files[step].unlink()

    def resume(self) -> None:
        """Go back to the last `save`; metrics written after it are cut off, since they will be written again."""
        state.read(self)

    def validate(self) -> dict[str, Any]:
        """How the averaged weights do on a few held-out puzzles. To be looked at only: nothing is chosen by it."""
        train = self.config.train
        depth = self.config.inference.supervision_steps if self.model.samples_tokens else train.supervision_steps
        (result,) = score_grid(
            self.averaged.eval(),
            self.task,
            depths=[depth],
            trajectories=[train.check_trajectories],
            limit=train.check_puzzles,
            halting=False,
            precision=train.precision,
            seed=0,
            noise=SamplingNoise(random_start=train.random_start),
        ).values()
        return {name: result[name] for name in ("accuracy", "coverage", "distinct")} | {
            "best_by_value": result["best_of_n"]["value"]
        }
