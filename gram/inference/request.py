"""What a call asks for, checked: which puzzles, how noise enters, how many steps. One sentence where it cannot be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gram.bounded import InputError
from gram.checkpoint import Checkpoint
from gram.inference.noise import SamplingNoise
from gram.models import Model
from gram.tasks import Puzzles, Task, own
from gram.tasks.digests import content_digest, own_file
from gram.tasks.files import DataError
from gram.tasks.own import unanswered

Selection = int | Sequence[int] | Puzzles | str | Path | Sequence[str] | NDArray[Any]
"""Puzzles: an index or indices in a split, `Puzzles`, the text of one, or one's own (`gram.tasks.own.read`): a file,
texts, an array [puzzle, position]."""


class SampleError(InputError):
    """A request that sampling cannot serve; one sentence with a fix."""


def select(
    model: Model,
    task: Task,
    puzzles: Selection | None,
    split: str,
    *,
    limit: int | None = None,
    answered: bool = False,
) -> tuple[Puzzles, list[int]]:
    """The puzzles that were asked for, and the number that keys the noise of each.

    Args:
        puzzles: None: all of the split.
        limit: only this many of them, evenly chosen.
        answered: whether the answers are needed, so that a split whose data are not here is refused.
    """
    if limit is not None and whole("limit", limit) < 1:
        raise SampleError(f"limit is {limit}; it must be at least 1")
    found, ids = _select(model, task, puzzles, split, answered)
    if limit is None or limit >= len(found):
        return found, ids
    at = evenly(len(found), limit)
    return found.take(at), [ids[index] for index in at]


def data_of(task: Task, puzzles: Selection | None, split: str, chosen: Puzzles) -> dict[str, Any]:
    """On which data a figure rests: `name`, `sha256`, and how many `puzzles` of them were `chosen`.

    Of a split the digest is that of all its puzzles with their solutions, of your file that of its content
    (`gram.tasks.digests`), and of other puzzles of yours that of the chosen ones.
    """
    count = {"puzzles": len(chosen)}
    if isinstance(puzzles, Puzzles):
        return {"name": f"{task.board.title}, given puzzles", "sha256": chosen.digest} | count
    if isinstance(puzzles, str | Path) and own.is_own(puzzles):
        path = own_file(str(puzzles)) or Path(puzzles)
        return {"name": f"{task.board.title}, your file {path.name}", "sha256": content_digest(path)} | count
    if isinstance(puzzles, str) or own.is_own(puzzles):
        return {"name": f"{task.board.title}, your puzzles", "sha256": chosen.digest} | count
    whole = _available(task, split, answered=False)
    return {"name": f"{task.data_name}, {split} split", "sha256": whole.digest} | count


def _select(
    model: Model, task: Task, puzzles: Selection | None, split: str, answered: bool
) -> tuple[Puzzles, list[int]]:
    if isinstance(puzzles, Puzzles):
        return puzzles, list(range(len(puzzles)))
    if isinstance(puzzles, str) and not own.is_file(puzzles):
        if model.prefix and task.identifiers:
            raise SampleError(
                f"a typed puzzle of {task.name} does not say which ARC task it belongs to; give the index of one"
            )
        return own.typed(task, puzzles), [0]
    if own.is_own(puzzles):
        found = own.read(task, puzzles)
        return found, list(range(len(found)))
    available = _available(task, split, answered)
    if puzzles is None:
        return available, list(range(len(available)))
    given = list(puzzles) if np.iterable(puzzles) else [puzzles]
    ids = [
        whole("puzzles", index, "an index from 0, several of them, `Puzzles`, a text, or a file of puzzles")
        for index in given
    ]
    if not ids:
        raise SampleError("puzzles is empty; give at least one index")
    for index in ids:
        if not 0 <= index < len(available):
            raise SampleError(f"puzzle {index} is not in the {split} split; it has 0 to {len(available) - 1}")
    return available.take(ids), ids


def _available(task: Task, split: str, answered: bool) -> Puzzles:
    """The puzzles of a split; the blank one of a task that asks nothing is here even where the data are not."""
    try:
        return task.loaded(split)  # type: ignore[arg-type]
    except DataError as error:
        if task.blank_puzzle is None and error.missing:
            raise DataError(f"{error}, or give a puzzle as text", error.missing) from error
        if task.blank_puzzle is None or answered or error.missing is None:
            raise
        return unanswered(task.blank_puzzle)


def evenly(count: int, limit: int) -> NDArray[np.intp]:
    """`limit` of `count` indices, evenly chosen, both ends among them; all if there are fewer."""
    return np.linspace(0, count - 1, min(limit, count)).round().astype(np.intp)


def sampling_noise(
    opened: Checkpoint,
    *,
    noise: float | None = None,
    perturb: float | None = None,
    random_start: bool | None = None,
    temperature: float | None = None,
) -> SamplingNoise:
    """How noise enters: what was asked for, and what the checkpoint says of the rest.

    Raises:
        SampleError: it would enter a state that this model does not read.
    """
    own, model = opened.config.inference, opened.model
    chosen = SamplingNoise(
        noise=own.noise if noise is None else noise,
        perturb=own.perturb if perturb is None else perturb,
        random_start=own.random_start if random_start is None else random_start,
        temperature=own.temperature if temperature is None else temperature,
    )
    if not model.recurrent and (chosen.perturb or chosen.random_start):
        fix = "leave it out" if model.samples_tokens else "leave it out, or give a temperature"
        why = "continues from its tokens alone" if model.samples_tokens else "answers in one pass"
        raise SampleError(
            f"{opened.name} {why} and does not read its latent state, so {chosen.name} changes nothing; {fix}"
        )
    if model.samples_tokens and chosen.temperature:
        raise SampleError(
            f"{opened.name} samples every token that it writes, so there is no decoder with a temperature; leave "
            "temperature out, and give a noise below 1 for the more probable tokens (0: the most probable)"
        )
    return chosen


def whole(name: str, value: Any, allowed: str = "a whole number") -> int:
    """The value as an int.

    Raises:
        SampleError: it is no whole number; True and 1.5 are none.
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    raise SampleError(f"{name} is {value!r}; it must be {allowed}")


def check(
    trajectories: int, *, supervision_steps: int, seed: int, noise: SamplingNoise, precision: str, most: int = 0
) -> None:
    """Refuse settings that neither sampling nor evaluating can serve.

    Raises:
        SampleError: names the first of them.
    """
    for name, count in (("trajectories", trajectories), ("supervision_steps", supervision_steps)):
        if whole(name, count) < 1:
            raise SampleError(f"{name} is {count}; it must be at least 1")
    if most and trajectories > most:
        raise SampleError(f"trajectories is {trajectories}; it must be at most {most}")
    if not 0 <= whole("seed", seed, "a whole number from 0 to 2^63 - 1") < 2**63:
        raise SampleError(f"seed is {seed}; it must be a whole number from 0 to 2^63 - 1")
    for name, meaning in (("noise", "no noise"), ("perturb", "no perturbation"), ("temperature", "the most probable")):
        value = getattr(noise, name)
        if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
            raise SampleError(f"{name} is {value!r}; it must be a number from 0 ({meaning}) upward")
    if precision not in ("auto", "float32", "bfloat16"):
        raise SampleError(f"precision is {precision!r}; known: auto, float32, bfloat16")
