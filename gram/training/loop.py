"""The training loop, one for all models.

Models that write tokens (`gram.models.token_model`) have a loss of their own, and each optimizer step teaches them a fresh
batch. All others are taught by deep supervision, as follows.

A carried batch, as in HRM and TRM: each optimizer step advances every row by one supervision step, with gradient
through its last transition only (GRAM, Section 3.3) or, if `gradient_steps` says so, through more of them; a finished
row is replaced by a new puzzle at z0. Rows are of two kinds. *Learning* rows see their target: the transitions with
gradient sample the posterior and pay for it. *Prior* rows never do; they live as at inference, without gradient, and
teach the halting and value heads what states really occur.

Everything that decides the future of a run is in `training.safetensors`: weights, average, optimizer, carried batch,
the count of puzzles drawn, the random state. A run that was killed and resumed ends with the same weights as one that
was not. On several processes (`gram.training.distributed`) each advances its share of the rows.
"""

from __future__ import annotations

import json
import math
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm.auto import tqdm

from gram import checkpoint as store
from gram.config import ConfigError, RunConfig
from gram.inference.noise import Chance
from gram.models import Model, State, Writer
from gram.tasks import Puzzles
from gram.tasks.base import PAD
from gram.training import distributed as processes
from gram.training import losses, optim
from gram.training.kl_control import Charge
from gram.training.objective import Objective, Writing

AUGMENTATION = 1  # parts its dice from those that order an epoch


@dataclass
class Carry:
    """The carried batch: the learning rows, then the prior rows.

    Attributes:
        h, l: [row, position, feature] states. Of several processes each keeps those of its own rows up to date.
        x, y: [row, position] the row's puzzle and solution, augmented.
        identifier: [row] its rule book.
        age: [row] supervision steps behind it.
        past: [prior row, prior_steps, position, feature] states of the prior rows, for the value head.
    """

    h: Tensor
    l: Tensor
    x: Tensor
    y: Tensor
    identifier: Tensor
    age: Tensor
    past: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """By name, for the checkpoint."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


class Run:
    """One training run in its folder: everything that changes while it trains."""

    def __init__(self, config: RunConfig, path: Path) -> None:
        self.config, self.path = config, path
        self.fabric = processes.launch(config.train)
        self.task, self.model = store.build(config)
        if self.model.writes and config.train.head_steps:
            raise ConfigError(
                f"train.head_steps is {config.train.head_steps}, but {self.model.name} has no heads that could learn; "
                "set it to 0"
            )
        self.device = self.fabric.device
        self.puzzles = self.task.puzzles("train")
        self.pair_puzzle, self.pair_solution = self.puzzles.pairs()
        self.average = optim.average(self.model, config.train.optim).to(self.device)
        if config.train.compile:
            for part in self.model.modules():
                if type(part).__name__ == "Network":
                    part.compile(dynamic=False)
        optimizer = optim.optimizer(self.model, config.train.optim)
        objective: nn.Module = (
            Writing(self.model, self.fabric)
            if isinstance(self.model, Writer)
            else Objective(self.model, config, self.fabric)
        )
        self.objective, self.optimizer = self.fabric.setup(objective, optimizer)
        self.generator = torch.Generator(self.device).manual_seed(config.seed)
        self.step = 0
        self.drawn = 0
        self.seconds = 0.0
        self.charge = Charge(config.train)
        self.since_log: dict[str, list[float]] = defaultdict(list)  # measured since the last line of metrics.jsonl
        self.carry = self._first_carry()

    @property
    def learning_rows(self) -> int:
        """How many rows learn: `batch`, and none once only the heads do."""
        return self.config.train.batch if self.step < self.config.train.steps else 0

    @property
    def averaged(self) -> Model:
        """The model with the averaged weights: what is evaluated and shipped."""
        return cast(Model, self.average.module)

    def _first_carry(self) -> Carry:
        """All rows at z0, their ages spread evenly, so that rows finish in turn and not all at once.

        A model that writes tokens carries none.
        """
        train = self.config.train
        learning, rows = self.learning_rows, train.batch + train.prior_rows
        if self.model.writes:
            learning = rows = 0
        x, y, identifier = self._fresh(rows)
        state = self._start(x, identifier)
        age = torch.cat(
            [
                torch.arange(learning) % train.supervision_steps,
                torch.arange(rows - learning) % train.prior_steps,
            ]
        )
        past = torch.zeros(rows - learning, train.prior_steps, *state.h.shape[1:], dtype=torch.bfloat16)
        return Carry(state.h.clone(), state.l.clone(), x, y, identifier, age, past.to(self.device))

    def _start(self, x: Tensor, identifier: Tensor) -> State:
        """The initial state of rows with these puzzles, which were the last to be drawn."""
        with torch.no_grad():
            state = self.model.init(x, identifier)
        keys = [(self.config.seed, self.drawn, row) for row in range(len(x))]
        return Chance(random_start=self.config.train.random_start).start(self.model, state, keys)

    def _draw(self) -> int:
        """The next training pair: epoch after epoch, each in an order of its own."""
        epoch, at = divmod(self.drawn, len(self.pair_puzzle))
        if at == 0 or not hasattr(self, "_order"):
            self._order = np.random.default_rng([self.config.seed, epoch]).permutation(len(self.pair_puzzle))
        self.drawn += 1
        return int(self._order[at])

    def _fresh(self, rows: int) -> tuple[Tensor, Tensor, Tensor]:
        """x, y [row, position] and identifier [row] of the next training pairs, each augmented anew."""
        pairs = np.array([self._draw() for _ in range(rows)], dtype=np.int64)
        which = self.pair_puzzle[pairs]
        x, y = self.puzzles.x[which], self.pair_solution[pairs]
        if self.config.train.augment and rows:
            x, y = self.task.augment(x, y, np.random.default_rng([self.config.seed, AUGMENTATION, self.drawn]))
        books = self.puzzles.identifier
        identifier = np.zeros(rows) if books is None else books[which]

        def tensor(array: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(array.astype(np.int64)).to(self.device)

        return tensor(x), tensor(y), tensor(identifier)

    def advance(self) -> dict[str, float]:
        """One optimizer step; what it measured, by name (see `docs/training.md`)."""
        return self._write() if isinstance(self.model, Writer) else self._supervise()

    def _write(self) -> dict[str, float]:
        """One optimizer step on a fresh batch of a model that writes tokens."""
        assert isinstance(self.model, Writer)
        x, y, identifier = self._fresh(self.config.train.batch)
        rows = processes.own(self.fabric, len(x))
        terms = self.objective(x[rows], y[rows], identifier[rows], self.generator)
        return self._learn(terms, self.model.weights, {})

    def _learn(
        self, terms: Mapping[str, Tensor], weights: Mapping[str, float | Tensor], beside: Mapping[str, float]
    ) -> dict[str, float]:
        """Move the weights by the gradient of these terms; what was measured, means over processes."""
        train = self.config.train
        if self.step < train.steps:
            rate = optim.learning_rate(train.optim, self.step, train.steps)
        else:
            rate = optim.learning_rate(train.optim, self.step - train.steps, train.head_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = losses.total(terms, weights)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        clipped = self.fabric.clip_gradients(
            self.objective, self.optimizer, max_norm=train.optim.clip, error_if_nonfinite=False
        )
        norm = math.nan if clipped is None else float(clipped)
        if not math.isfinite(norm):
            raise FloatingPointError(
                f"the gradient is {norm} at step {self.step}; lower train.optim.lr; the last save is intact"
            )
        self.optimizer.step()
        self.average.update_parameters(self.model)
        self.step += 1
        measured = {name: float(term.detach().mean()) for name, term in terms.items()} | {"loss": float(loss.detach())}
        measured |= beside
        if self.fabric.world_size > 1:
            mean = self.fabric.all_reduce(torch.tensor(list(measured.values()), dtype=torch.float64))
            measured = dict(zip(measured, torch.as_tensor(mean).tolist(), strict=True))
        return measured | {"lr": rate, "grad_norm": norm}

    def _supervise(self) -> dict[str, float]:
        """One optimizer step that advances every carried row by one supervision step."""
        train, carry, learning = self.config.train, self.carry, self.learning_rows
        x, y = carry.x, carry.y
        carry.age += 1
        ended = torch.cat(
            [
                carry.age[:learning] >= train.supervision_steps,
                carry.age[learning:] >= train.prior_steps,
            ]
        )
        rows, learns, follows = self._own_rows()  # follows: those of the prior rows
        done = torch.nonzero(ended[learning:][follows]).flatten()
        lives = carry.past[follows][done] if len(done) else None
        out = self.objective(
            x[rows], y[rows], carry.identifier[rows], carry.h[rows], carry.l[rows], learns, self.generator, lives, done
        )
        carry.h[rows], carry.l[rows] = out["h"].detach().float(), out["l"].detach().float()

        terms: dict[str, Tensor] = dict(out["losses"])
        answers = self._whole(out["tokens"], learns).cpu().numpy()
        prior_valid = np.zeros(0, dtype=bool)
        if len(answers) > learning:
            judged = Puzzles(x[learning:].cpu().numpy(), tuple(y[learning:, None].cpu().numpy()))
            prior_valid = self.task.judge(judged, answers[learning:]).valid
        right = torch.from_numpy(prior_valid).to(self.device)[follows]
        if len(prior_valid):
            terms["halt"] = losses.belief(out["halt"], right)
            if "further" in out:
                age, last = carry.age[learning:][follows], ended[learning:][follows]
                going_on = losses.further(out["further"], out["halt"], out["next_further"], last.to(self.device))
                terms["further"] = going_on * (age > 1).to(self.device)  # before its first step none can halt
            at = torch.arange(len(prior_valid))[follows]
            carry.past[at, carry.age[learning:][follows] - 1] = out["h"][learns:].detach().to(carry.past.dtype)
        ending = int(ended[learning:].sum())
        if len(done):
            target = right[done].float().repeat_interleave(train.prior_steps)
            share = len(done) * self.fabric.world_size / ending  # processes may end unequally many rows
            terms["value"] = losses.belief(out["value"], target) * share
        elif ending:
            terms["value"] = torch.zeros(1, device=self.device)

        age = carry.age[rows][:learns]
        weights: dict[str, float | Tensor] = {
            "token": 1.0,
            "kl_prior": self.charge.prior,
            "kl_posterior": self.charge.posterior(age).to(self.device),
            "halt": train.halt_weight,
            "further": train.halt_weight,
            "value": train.value_weight,
        }
        beside = {}
        if len(prior_valid):
            beside["halt_right"] = float(((out["halt"] > 0) == right).float().mean())
        measured = self._learn(terms, weights, beside)
        if "kl_posterior" in measured:
            measured["charge"] = float(self.charge.posterior(torch.arange(train.supervision_steps) + 1).mean())
            told = processes.whole(self.fabric, terms["kl_posterior"].detach())
            self.charge.adapt(carry.age[:learning].numpy(), told.cpu().double().numpy(), self.step)
        measured |= self._exactness(answers, y.cpu().numpy(), prior_valid)
        self._replace(ended)
        if self.step == train.steps and train.head_steps:
            self._rest()
        return measured

    def _own_rows(self) -> tuple[Tensor, int, slice]:
        """Numbers of this process's rows, how many of them learn, and its share of the prior rows."""
        learning, rows = self.learning_rows, len(self.carry.x)
        learns, follows = processes.own(self.fabric, learning), processes.own(self.fabric, rows - learning)
        numbers = torch.arange(rows)
        return torch.cat([numbers[:learning][learns], numbers[learning:][follows]]), learns.stop - learns.start, follows

    def _whole(self, part: Tensor, learns: int) -> Tensor:
        """What all processes have of [own row, ...], whose first `learns` rows learn: [row, ...]."""
        if self.fabric.world_size == 1:
            return part
        return torch.cat([processes.whole(self.fabric, half) for half in (part[:learns], part[learns:]) if len(half)])

    def _rest(self) -> None:
        """The recursion comes to rest at its average, the weights that ship; from here on all rows teach the heads."""
        self.model.load_state_dict(self.averaged.state_dict())
        self.carry = self._first_carry()

    def _exactness(self, answers: Any, y: Any, prior_valid: Any) -> dict[str, float]:
        """Shares of right answers after N_sup supervision steps: by rows that see the target, and by the prior."""
        train = self.config.train
        result = {}
        age, rows = self.carry.age.numpy(), len(answers) - len(prior_valid)
        learning = np.flatnonzero(age[:rows] == train.supervision_steps)
        if len(learning):
            exact = ((answers[learning] == y[learning]) | (y[learning] == PAD)).all(-1)
            name = "posterior_exact" if self.model.stochastic else "target_exact"
            result[name] = float(exact.mean())
        prior = np.flatnonzero(age[rows:] == min(train.supervision_steps, train.prior_steps))
        if len(prior):
            result["prior_exact"] = float(prior_valid[prior].mean())
        return result

    def _replace(self, ended: Tensor) -> None:
        """New puzzles at z0 for the rows that ended."""
        rows = torch.nonzero(ended).flatten()
        if not len(rows):
            return
        carry = self.carry
        carry.x[rows], carry.y[rows], carry.identifier[rows] = self._fresh(len(rows))
        fresh = self._start(carry.x[rows], carry.identifier[rows])
        carry.h[rows], carry.l[rows] = fresh.h, fresh.l
        carry.age[rows] = 0

    def save(self) -> None:
        """Write the averaged weights, then what `resume` needs.

        In this order: a run that is killed between the two goes on from the save before and writes both again. The
        other way round, one that is killed between its two last files would count as finished, with older weights.
        """
        if self.fabric.world_size > 1 and not self.model.writes:
            rows, learns, follows = self._own_rows()
            for name in ("h", "l"):
                setattr(self.carry, name, self._whole(getattr(self.carry, name)[rows], learns))
            self.carry.past = processes.whole(self.fabric, self.carry.past[follows])
        if self.fabric.is_global_zero:
            self._write_files()
        self.fabric.barrier()

    def _write_files(self) -> None:
        """The files of `save`."""
        store.save_weights(self.path, self.averaged, self.step)
        tensors = {f"model/{key}": value for key, value in self.model.state_dict().items()}
        tensors |= {f"average/{key}": value for key, value in self.average.state_dict().items()}
        if not self.model.writes:
            tensors |= {f"carry/{key}": value for key, value in self.carry.tensors().items()}
        tensors["generator"] = self.generator.get_state()
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{key}": torch.as_tensor(value) for key, value in slots.items()}
        numbers = {name: getattr(self, name) for name in ("step", "drawn", "seconds", "since_log")}
        numbers["charge"] = self.charge.values.tolist()
        store.write_tensors(
            self.path / store.TRAINING, tensors, {"step": str(self.step), "numbers": json.dumps(numbers)}
        )

    def resume(self) -> None:
        """Go back to the last `save`; metrics written after it are cut off, since they will be written again."""
        tensors, metadata = store.read_tensors(self.path / store.TRAINING)
        groups: dict[str, dict[str, Tensor]] = defaultdict(dict)
        for key, tensor in tensors.items():
            group, _, rest = key.partition("/")
            groups[group][rest] = tensor
        self.model.load_state_dict(groups["model"])
        self.average.load_state_dict(groups["average"])
        if not self.model.writes:
            self.carry = Carry(**groups["carry"])
            for name in ("h", "l", "x", "y", "identifier", "past"):
                setattr(self.carry, name, getattr(self.carry, name).to(self.device))
        self.generator.set_state(groups["generator"][""])
        state = self.optimizer.state_dict()
        state["state"] = defaultdict(dict)
        for key, tensor in groups["optimizer"].items():
            index, _, slot = key.partition("/")
            state["state"][int(index)][slot] = tensor
        self.optimizer.load_state_dict(state)
        numbers = json.loads(metadata["numbers"])
        self.step, self.drawn, self.seconds = numbers["step"], numbers["drawn"], numbers["seconds"]
        self.since_log = defaultdict(list, numbers["since_log"])
        self.charge.restore(numbers["charge"])
        epoch = self.drawn // len(self.pair_puzzle)
        self._order = np.random.default_rng([self.config.seed, epoch]).permutation(len(self.pair_puzzle))
        metrics = self.path / store.METRICS
        if metrics.is_file():
            kept = [line for line in metrics.read_text().splitlines() if _step_of(line) <= self.step]
            store.write_atomic(metrics, "".join(line + "\n" for line in kept))

    def look(self) -> dict[str, Any]:
        """How the averaged weights do on a few held-out puzzles. For the eye only: nothing is chosen by it."""
        from gram.evaluation.evaluate import score

        train = self.config.train
        result = score(
            self.averaged.eval(),
            self.task,
            trajectories=train.check_trajectories,
            puzzles=train.check_puzzles,
            supervision_steps=(
                self.config.inference.supervision_steps if self.model.writes else train.supervision_steps
            ),
            halting=False,
            precision=train.precision,
            seed=0,
            chance=Chance(random_start=train.random_start),
        )
        return {name: result[name] for name in ("accuracy", "coverage", "distinct")} | {
            "best_by_value": result["best_of_n"]["value"]
        }


def _step_of(line: str) -> float:
    """The step of a metrics line; a line that a kill cut short counts as later than everything."""
    try:
        return float(json.loads(line)["step"])
    except (json.JSONDecodeError, KeyError):
        return math.inf


def train(config: RunConfig, path: Path, *, minutes: float | None = None, quiet: bool = False) -> Path:
    """Train a run in the folder `path`, going on from where it stopped, and return the folder.

    Args:
        config: what to train. A folder that holds another configuration is refused.
        minutes: stop after so many minutes of this call; the run can go on later. None: to the last step.
        quiet: no progress on stderr.
    Raises:
        ConfigError: the folder holds another run.
        CheckpointError: the folder cannot be written, or its checkpoint is damaged.
        LostProcessError: another process of this run ended.
    """
    if minutes is not None and not minutes > 0:
        raise ConfigError(f"minutes is {minutes}; it must be positive, or left out to train to the last step")
    told = path / store.CONFIG
    if told.is_file() and RunConfig.from_json(told.read_text(errors="replace")) != config:
        raise ConfigError(f"{path} holds a run with another configuration; choose another folder with -o, or delete it")
    run = Run(config, path)
    if run.fabric.is_global_zero and not told.is_file():
        store.write_atomic(told, config.to_json())
    run.fabric.barrier()
    if (path / store.TRAINING).is_file():
        run.resume()
    elif run.fabric.is_global_zero:
        (path / store.METRICS).unlink(missing_ok=True)  # of a run that was killed before its first save
    try:
        _go(run, minutes, quiet or not run.fabric.is_global_zero)
    except RuntimeError as error:
        if not processes.lost(error):
            raise
        raise processes.LostProcessError(
            f"another process of this run ended at step {run.step}; what was saved last is intact, and the same "
            "command goes on from there"
        ) from error
    return path


def _go(run: Run, minutes: float | None, quiet: bool) -> None:
    """Train to the last step, to an interrupt, or until the time is over."""
    path, fabric = run.path, run.fabric
    started, before = time.monotonic(), run.seconds
    settings = run.config.train
    alarms, told = 0, False  # lines in a row that show the private channel, and whether this call has said so
    bar = tqdm(
        total=settings.all_steps, initial=run.step, unit="step", disable=quiet, dynamic_ncols=True,
        mininterval=0.5 if sys.stderr.isatty() else 30, desc=path.name,
    )  # fmt: skip
    with bar, _stop_on_interrupt() as interrupted:
        while run.step < settings.all_steps:
            late = minutes is not None and run.seconds > before and time.monotonic() - started > 60 * minutes
            if _any(fabric, late or interrupted.is_set()):
                break
            for name, value in run.advance().items():
                run.since_log[name].append(value)
            run.seconds = before + time.monotonic() - started
            bar.update()
            last = run.step == settings.all_steps
            if (run.step % settings.log_every == 0 or last) and fabric.is_global_zero:
                line: dict[str, Any] = {"step": run.step, "seconds": round(run.seconds, 1)}
                line |= {name: float(np.mean(values)) for name, values in run.since_log.items()}
                if run.step % settings.check_every == 0 or last:
                    line["held_out"] = run.look()
                with (path / store.METRICS).open("a") as file:
                    file.write(json.dumps(line) + "\n")
                run.since_log.clear()
                bar.set_postfix_str(_summary(line))
                alarm = losses.diagnose(line, settings)
                alarms = alarms + 1 if alarm else 0
                if alarm and losses.due(alarms, told):
                    bar.write(f"step {run.step}: {alarm}", file=sys.stderr)
                    told = True
            if run.step % settings.save_every == 0 or last:
                run.save()
    if run.step < settings.all_steps:
        run.save()
        if fabric.is_global_zero:
            print(
                f"stopped at step {run.step} of {settings.all_steps}; the same command goes on from here",
                file=sys.stderr,
            )


def _any(fabric: Fabric, stops: bool) -> bool:
    """Whether one of the processes stops: then all do, at the same step."""
    if fabric.world_size == 1:
        return stops
    return bool(torch.as_tensor(fabric.all_reduce(torch.tensor(float(stops)), reduce_op="sum")) > 0)


@contextmanager
def _stop_on_interrupt() -> Iterator[threading.Event]:
    """An event that Ctrl+C (or torchrun, ending a run) sets: a run stops between two steps, its checkpoint whole."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
        yield event
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: event.set()) for number in signals]
    try:
        yield event
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _summary(line: dict[str, Any]) -> str:
    """The few numbers that tell whether a run is well: what counts (prior) beside what flatters (posterior)."""
    names = {"bound": "nats", "token": "ce", "kl_prior": "kl", "prior_exact": "prior", "posterior_exact": "posterior"}
    return ", ".join(f"{short} {line[name]:.3f}" for name, short in names.items() if name in line)
