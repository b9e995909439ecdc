"""How likely a model finds the target: the full bound of GRAM, beside the surrogate that it is trained with.

Source: GRAM (arXiv 2605.19376), eq. 13 and 14, Fig. 8; the importance-weighted bound, Burda et al. 2016 (IWAE):

    ELBO = E_q[ log p(y | h) ] - sum over all T * N_sup transitions of KL(q || p)
    IW_K = E_q[ log mean_k p(y | h) prod p(eps | u) / q(eps | u, y) ],   ELBO = IW_1 <= IW_2 <= ... <= log p(y | x)

Training pays KL in the last transition of a supervision step alone, so its loss is no bound: what the posterior
    conveys in
another transition, or conveyed in an earlier step, is free there. Here all KL counts. All figures are nats of a
whole (puzzle, solution) pair, summed over positions; per token they are divided by the positions of the board.

A token model has no posterior; what is said of it is its own bound (`TokenModel.loss`), which for AR is log p
itself, and for diffusion a mean over random times.

Leaves out: halting (every trajectory has the depth that was asked for), and noise other than the learned prior's.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gram.checkpoint import Checkpoint, load
from gram.evaluation.metrics import Figures
from gram.inference.chain import Chain, Row, Rows, batches, computing
from gram.inference.noise import AS_TRAINED, RowGenerators
from gram.inference.request import SampleError, Selection, check, data_of, evenly, select
from gram.models import Model, TokenModel
from gram.models.gaussian import Gaussian, kl
from gram.progress import bar
from gram.tasks import Puzzles
from gram.tasks.base import PAD

PROPOSALS = ("posterior", "last", "prior")
MAX_ROWS = 32  # of a batch
DEFAULT_PAIRS = 64


@dataclass(frozen=True)
class Paths:
    """What some trajectories that were drawn with a target went through, in nats.

    Attributes:
        log_likelihood: [row, supervision step], log p(y | h) at the end of each.
        kl: [row, supervision step, transition], KL(q || p) of the guidance, in closed form.
        log_ratio: [row], log p(eps | u) - log q(eps | u, y) of the guidance that was drawn, over all transitions.
    """

    log_likelihood: NDArray[np.float64]
    kl: NDArray[np.float64]
    log_ratio: NDArray[np.float64]

    @property
    def elbo(self) -> NDArray[np.float64]:
        """[row], one draw's estimate of the ELBO, with every KL in closed form."""
        return self.log_likelihood[:, -1] - self.kl.sum((1, 2))

    @property
    def surrogate(self) -> NDArray[np.float64]:
        """[row], the objective of training on the same states (eq. 12 with beta 1), mean over supervision steps."""
        return (self.log_likelihood - self.kl[:, :, -1]).mean(1)

    @property
    def log_weight(self) -> NDArray[np.float64]:
        """[row], log p(y, eps | x) - log q(eps | x, y)."""
        return self.log_likelihood[:, -1] + self.log_ratio


def log_likelihood(logits: Tensor, y: Tensor) -> Tensor:
    """log p(y | h) [batch] in nats, summed over the positions of the target [batch, position] that are not padding."""
    return -F.cross_entropy(logits.transpose(1, 2).double(), y, ignore_index=PAD, reduction="none").sum(1)


def log_ratio(q: Gaussian, p: Gaussian, noise: Tensor) -> Tensor:
    """log p(eps) - log q(eps) [batch] at eps = q.sample(noise), summed over positions and features, in nats."""
    distance = (q.sample(noise) - p.mean) * (-p.log_sigma).exp()
    return (0.5 * (noise.square() - distance.square()) + q.log_sigma - p.log_sigma).double().sum((1, 2))


def importance(log_weights: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """IW_samples [pair] from log weights [pair, draw]: the mean over blocks of `samples` draws, the rest left out."""
    blocks = log_weights.shape[1] // samples
    divided = log_weights[:, : blocks * samples].reshape(len(log_weights), blocks, samples)
    return (np.logaddexp.reduce(divided, axis=2) - math.log(samples)).mean(1)


def follow(chain: Chain, y: Tensor, supervision_steps: int, proposal: str) -> Paths:
    """Run rows from their initial state towards their targets y [row, position] and note what each nat cost."""
    model, count = chain.model, chain.rows.count
    likelihoods, kls, ratio = [], [], torch.zeros(len(y), dtype=torch.float64, device=y.device)
    for _ in range(supervision_steps):
        for number in range(1, model.high_steps + 1):
            sees = proposal == "posterior" or (proposal == "last" and number == model.high_steps)
            transition = chain.advance(y if sees else None)
            q, p = transition.posterior, transition.prior
            if q is None or p is None:
                kls.append(torch.zeros_like(ratio))
                continue
            kls.append(kl(q, p).double().sum(1))
            ratio += log_ratio(q, p, chain.generators.last)
        likelihoods.append(log_likelihood(chain.read_out()[1].logits, y))
    shape = (count, supervision_steps, model.high_steps)
    return Paths(
        torch.stack(likelihoods, 1).cpu().numpy()[:count],
        torch.stack(kls, 1).cpu().numpy()[:count].reshape(shape),
        ratio.cpu().numpy()[:count],
    )


def bound(
    checkpoint: Checkpoint | str | os.PathLike[str],
    puzzles: Selection | None = None,
    *,
    limit: int | None = None,
    split: str = "test",
    samples: int = 16,
    seed: int = 0,
    supervision_steps: int | None = None,
    proposal: str = "posterior",
    precision: str = "auto",
    exact: bool = False,
    progress: bool | None = None,
) -> dict[str, Any]:
    """The ELBO, the surrogate and the importance-weighted bound of (puzzle, solution) pairs as plain data, in nats.

    Args:
        checkpoint: opened, or its name or folder; a model with guidance, or a token model.
        puzzles: index or indices in the split, `Puzzles`, or the text of one puzzle, with all their solutions; default:
            `limit` pairs of the split.
        limit: only this many of the pairs, evenly chosen; default: 64 where no puzzles are named, else all.
        samples: K draws per pair. The bound rises with it, and so does the time; memory does not.
        seed: of the noise; every draw has a generator of its own, keyed by (seed, puzzle, solution, draw).
        supervision_steps: depth; default: N_sup, with which the checkpoint was trained.
        proposal: what draws the guidance. `posterior`: the posterior in all transitions (eq. 13). `last`: in the
            last of each supervision step only, the prior elsewhere, as training does with `no_grad_guidance=prior`.
            `prior`: brute force, without looking at the target. Each gives lower bounds of the same log p(y | x).
        exact: whether a draw is the same bit for bit however many are computed with it (`gram.sample`).
        progress: whether to show a bar; by default in a notebook and a terminal.
    Returns:
        Means over pairs (`elbo`, `surrogate`, `importance`, `log_likelihood`, `kl`) with their standard errors, the
        bound by number of draws, the terms by supervision step and transition, and `per_pair` lists. Of a model that
        writes tokens: `elbo`, and whether it is `exact`.
    Raises:
        SampleError, TaskError, CheckpointError: see the messages.
    """
    opened = load(checkpoint)
    model, task = opened.model, opened.task
    steps = opened.config.train.supervision_steps if supervision_steps is None else supervision_steps
    if samples < 1:
        raise SampleError(f"samples is {samples}; it must be at least 1")
    check(trajectories=samples, supervision_steps=steps, seed=seed, noise=AS_TRAINED, precision=precision)
    _check_model(opened, proposal)
    chosen, ids = select(model, task, puzzles, split, answered=True)
    if limit is None and puzzles is None:
        limit = DEFAULT_PAIRS
    pairs = _pairs(chosen, limit)
    started = time.perf_counter()
    if isinstance(model, TokenModel) and model.exact:
        samples = 1  # all draws would be equal
    rows = [Row(p, (seed, ids[p], at, draw), at) for p, at in pairs for draw in range(samples)]
    parts = []
    with computing(model, precision), bar(len(rows), "draw", progress, "bound") as counter:
        for part in batches(chosen, rows, MAX_ROWS, exact):
            parts.append(
                _of_token_model(model, part)
                if isinstance(model, TokenModel)
                else _of_chain(model, part, steps, proposal)
            )
            counter.update(part.count)
    about = {
        "checkpoint": opened.name,
        "sha256": opened.digest,
        "model": model.name,
        "task": task.board.title,
        "split": "given" if isinstance(puzzles, Puzzles | str) else split,
        "data": data_of(task, puzzles, split, chosen),
        "pairs": len(pairs),
        "positions": task.board.positions,
        "samples": samples,
        "seed": seed,
    }
    named = {"puzzle": [ids[p] for p, _ in pairs], "solution": [at for _, at in pairs]}
    terms = [np.concatenate(values) for values in zip(*parts, strict=True)]
    if isinstance(model, TokenModel):
        figures = _token_model_metrics(terms[0].reshape(len(pairs), samples), model.exact, named)
    else:
        about |= {"supervision_steps": steps, "transitions": steps * model.high_steps, "proposal": proposal}
        figures = _figures(Paths(*terms), samples, named)
    return Figures(about | figures | {"seconds": round(time.perf_counter() - started, 2)}, table)


def _check_model(opened: Checkpoint, proposal: str) -> None:
    """Refuse a model that has no bound, and an unknown proposal."""
    if not (opened.model.has_guidance or opened.model.samples_tokens):
        raise SampleError(f"{opened.name} is deterministic and has no posterior; the bound needs a guided model (gram)")
    if getattr(opened.model.config, "guidance", "") == "zero-sigma":
        raise SampleError(
            f"{opened.name} has guidance 'zero-sigma', which samples nothing; the bound needs a deviation"
        )
    if proposal not in PROPOSALS:
        raise SampleError(f"proposal is {proposal!r}; known: {', '.join(PROPOSALS)}")


def _of_token_model(model: TokenModel, rows: Rows) -> tuple[NDArray[np.float64], ...]:
    """The bound [row] of a token model, in nats of the whole answer."""
    terms = model.loss(rows.x, rows.y, rows.identifier, RowGenerators(rows.keys))["bound"].double()
    return (-(terms * (rows.y != PAD).sum(1))[: rows.count].cpu().numpy(),)


def _of_chain(model: Model, rows: Rows, supervision_steps: int, proposal: str) -> tuple[NDArray[np.float64], ...]:
    """The fields of `Paths` of some rows."""
    return tuple(vars(follow(Chain(model, rows), rows.y, supervision_steps, proposal)).values())


def _token_model_metrics(per_pair: NDArray[np.float64], exact: bool, named: dict[str, list[int]]) -> dict[str, Any]:
    """The figures of `bound` from the bounds [pair, draw] of a token model."""
    elbo = per_pair.mean(1)
    per = named | {"elbo": elbo.tolist()}
    return {"elbo": float(elbo.mean()), "elbo_error": _error(elbo), "exact": exact, "per_pair": per}


def _figures(paths: Paths, samples: int, named: dict[str, list[int]]) -> dict[str, Any]:
    """The figures of `bound` from rows that are ordered by pair, then by draw."""

    def by_pair(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values.reshape(-1, samples)

    weights = by_pair(paths.log_weight)
    sizes = sorted({*(2**power for power in range(samples.bit_length())), samples})
    share = np.exp(weights - np.logaddexp.reduce(weights, axis=1, keepdims=True))
    per_pair = {
        "elbo": by_pair(paths.elbo).mean(1),
        "surrogate": by_pair(paths.surrogate).mean(1),
        "importance": importance(weights, samples),
        "log_likelihood": by_pair(paths.log_likelihood[:, -1]).mean(1),
        "kl": by_pair(paths.kl.sum((1, 2))).mean(1),
        "effective_samples": 1 / (share**2).sum(1),
    }
    errors = {f"{name}_error": _error(values) for name, values in per_pair.items()}
    return {
        **{name: float(values.mean()) for name, values in per_pair.items()},
        **{name: error for name, error in errors.items() if name != "effective_samples_error"},
        "importance_by_samples": {str(size): float(importance(weights, size).mean()) for size in sizes},
        "log_likelihood_by_step": paths.log_likelihood.mean(0).tolist(),
        "kl_by_transition": paths.kl.mean(0).tolist(),
        "per_pair": named | {name: values.tolist() for name, values in per_pair.items()},
    }


def table(figures: dict[str, Any]) -> str:
    """The figures for a reader at a terminal."""

    def line(label: str, name: str) -> str:
        error = figures[f"{name}_error"]
        per_token = f"{figures[name] / figures['positions']:.4f} per token"
        return f"  {label} {figures[name]:.3f}{'' if error is None else f' +- {error:.3f}'} ({per_token})"

    if "importance_by_samples" not in figures:
        return "\n".join(
            [
                f"{figures['checkpoint']} ({figures['model']}), {figures['task']}, {figures['split']} split, "
                f"{figures['pairs']} pairs, {figures['samples']} draws of each, seed {figures['seed']}; nats per pair",
                line("log p(y | x)" if figures["exact"] else "ELBO", "elbo"),
                f"{figures['seconds']} s",
            ]
        )
    rising = ", ".join(f"{size}: {value:.3f}" for size, value in figures["importance_by_samples"].items())
    return "\n".join(
        [
            f"{figures['checkpoint']} ({figures['model']}), {figures['task']}, {figures['split']} split, "
            f"{figures['pairs']} pairs, {figures['transitions']} transitions, proposal {figures['proposal']}, "
            f"seed {figures['seed']}; nats per pair",
            line("ELBO", "elbo"),
            line("= log p(y | h)", "log_likelihood"),
            line("- KL of all transitions", "kl"),
            line("surrogate", "surrogate"),
            f"  importance-weighted, by draws: {rising}; {figures['effective_samples']:.1f} effective",
            f"{figures['seconds']} s",
        ]
    )


def _error(values: NDArray[np.float64]) -> float | None:
    """Standard error of the mean over pairs; None for a single one."""
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None


def _pairs(puzzles: Puzzles, limit: int | None) -> list[tuple[int, int]]:
    """The (puzzle, solution) indices of all pairs, or of `limit` of them."""
    if limit is not None and limit < 1:
        raise SampleError(f"limit is {limit}; it must be at least 1")
    every = [(puzzle, at) for puzzle, count in enumerate(puzzles.counts) for at in range(count)]
    if not every:
        raise SampleError("none of these puzzles has a known solution; the bound needs pairs of puzzle and solution")
    return every if limit is None else [every[index] for index in evenly(len(every), limit)]


__all__ = ["PROPOSALS", "Paths", "bound", "follow", "importance", "log_likelihood", "log_ratio", "table"]
