"""A recorded rollout continued by the model that made it: from its states, or on a changed puzzle.

    again = gram.rerun(rollout, trajectory=12, step=20)             # other noise from step 20 on
    again = gram.rerun(rollout, trajectory=12, step=20, h=h, l=l)   # from a state that somebody has moved
    again = gram.rerun(rollout, trajectory=range(50), step=20, x=x) # each from its own state, on another puzzle
    again = gram.rerun(rollout, x=x, noise=2)                       # the whole of it, with twice the noise

`gramviz.explore(rollout, rerun=gram.rerun)` offers this in the page. The model is found by the sha256 of its weights,
which every rollout carries. A state was recorded in half precision, so what starts from it is another trajectory, not
the recorded one to the last bit; the recorded past stands before it unchanged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from gram.checkpoint import WEIGHTS, Checkpoint, find, load, names
from gram.inference.request import SampleError
from gram.inference.sample import Record, Sampling, Start
from gram.rollout import config_of, need

Array = NDArray[Any]
_RECORDED = ("tokens", "probability", "logits", "halt", "value", "h", "l", "u", "mu_prior", "sigma_prior")


def rerun(
    rollout: xr.Dataset,
    *,
    puzzle: int = 0,
    x: Array | None = None,
    trajectory: int | Sequence[int] = 0,
    step: int | None = None,
    h: Array | None = None,
    l: Array | None = None,
    trajectories: int | None = None,
    supervision_steps: int | None = None,
    seed: int | None = None,
    keys: Sequence[int] | None = None,
    noise: float = 1.0,
    exact: bool = False,
    checkpoints: Sequence[Checkpoint | str | os.PathLike[str]] | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Draw again, by the model and with the sampling noise of a rollout, recording what it records.

    Args:
        puzzle: which of its puzzles.
        x: another puzzle [position]. Without a `step` the whole is drawn anew, with the same seed by default.
        trajectory, step: where to start: the end of a transition (an index of `step`) of one trajectory, or of several,
            each of which then continues once; `None`: at the initial state. The states before it stand in the result as
            they were recorded.
        h, l: the state [position, feature] to start from instead of the recorded one, or one of each trajectory.
        trajectories: how many start from the state of one; default: as many as recorded.
        supervision_steps: where they end, counted from the start; default: where the recorded ones do.
        seed: of the noise; default: the recorded one, and when starting from a state the next.
        keys: of each of several, the number of the trajectory whose noise it has: equal numbers, equal noise. Default:
            0, 1, 2, ...
        noise: factor on the sampling noise of the rollout, that of the guidance and that of `perturb`; 0: none.
        exact, progress: as in `gram.sample`.
        checkpoints: opened ones, names or folders among which the model is looked for; default: all known ones.
    Raises:
        SampleError: there is no such model or state, nothing lies ahead, a state of this model cannot be placed, or the
            rollout is of a graph that a page saved.
        RolloutError: `h`, or the `l` that the model needs, was not recorded.
        TaskError: no puzzle of this task.
    """
    opened = find_checkpoint(rollout, checkpoints)
    one = rollout.isel(puzzle=puzzle)
    known = int(one["supervision_step"].max())
    if (here := one.sizes["position"]) != (wanted := opened.task.board.positions):
        raise SampleError(
            f"this rollout has {here} positions and {opened.name} {wanted}, for a page saves only the nodes of a "
            f"graph; draw it anew: gram.sample({opened.name!r}, '1-2 2-3 ...')"
        )
    given = one["x"].values if x is None else np.asarray(x)
    sampling = Sampling(
        opened,
        opened.task.text(given.astype(np.uint8)),
        trajectories=one.sizes["trajectory"] if trajectories is None else trajectories,
        supervision_steps=max(known if supervision_steps is None else supervision_steps, 1),
        seed=int(rollout.attrs["seed"]) + (step is not None) if seed is None else seed,
        record=_record_of(rollout, opened),
        exact=exact,
        **_noise(rollout, opened, noise),
    )
    if x is None and "data" in rollout.attrs:
        sampling.data = json.loads(str(rollout.attrs["data"]))
    if step is not None:
        several = [trajectory] * sampling.trajectories if isinstance(trajectory, int | np.integer) else list(trajectory)
        numbers = range(len(several)) if keys is None else keys
        if not several or len(numbers) != len(several):
            raise SampleError(
                f"{len(several)} trajectories and {len(numbers)} keys; give at least one, and one key each"
            )
        sampling.trajectories = len(several)
        sampling.begin = _start(one, opened, several, numbers, step, h, l)
        if sampling.transitions <= 1:
            raise SampleError(
                f"step {step} is the last of {known} supervision steps, so nothing lies ahead; choose an earlier one, "
                f"or pass supervision_steps={known + 4}"
            )
    return sampling.draw(progress)


def _noise(rollout: xr.Dataset, opened: Checkpoint, factor: float) -> dict[str, Any]:
    """The sampling noise of a rollout, as arguments of `Sampling`, its deviations times a factor."""
    recorded: dict[str, Any] = {"noise": opened.config.inference.noise}
    recorded |= json.loads(str(rollout.attrs.get("sampling_noise", "{}")))
    if factor != 1 and not (opened.model.stochastic or recorded.get("perturb")):
        raise SampleError(
            f"noise is {factor:g}, but {opened.name} was sampled without noise, so a factor changes nothing; leave it "
            "out, or sample with perturb=0.5"
        )
    return recorded | {name: factor * recorded[name] for name in ("noise", "perturb") if name in recorded}


def find_checkpoint(
    rollout: xr.Dataset, checkpoints: Sequence[Checkpoint | str | os.PathLike[str]] | None
) -> Checkpoint:
    """The model whose weights the rollout names; only the heads of files are read until it is found."""
    wanted = str(rollout.attrs.get("checkpoint", ""))
    among = list(names() if checkpoints is None else checkpoints)
    for name in among:
        if isinstance(name, Checkpoint):
            if wanted and name.digest == wanted:
                return name
            continue
        try:
            with safe_open(find(name) / WEIGHTS, framework="pt") as opened:
                found = (opened.metadata() or {}).get("sha256")
        except (OSError, SafetensorError):
            continue  # a file that nobody can read is not the one
        if wanted and found == wanted:
            task = dict(config_of(rollout).get("task", {}))
            task.pop("kind", None)
            return load(name, task)
    looked = ", ".join(str(getattr(one, "name", one)) for one in among) or "none"
    raise SampleError(
        f"no checkpoint here has the weights {wanted[:12] or 'of this rollout, which does not name any'}; looked in "
        f"{looked}; pass checkpoints=['runs/NAME'], the folder that made this rollout"
    )


def _record_of(rollout: xr.Dataset, opened: Checkpoint) -> Record:
    """What was recorded."""
    model = opened.model
    ends = rollout["transition"].values[1:]
    return Record(
        guidance="mu_prior" in rollout,
        low=bool(rollout["low_step"].max()),
        every="supervision" if model.high_steps > 1 and (ends == model.high_steps).all() else "transition",
        **{name: name in rollout for name in ("h", "probability", "halt", "value", "logits", "l", "u")},
    )


def _start(
    one: xr.Dataset,
    opened: Checkpoint,
    trajectories: Sequence[int],
    keys: Sequence[int],
    step: int,
    h: Array | None,
    l: Array | None,
) -> Start:
    """The recorded states of some trajectories, or what somebody made of them, with their past."""
    model = opened.model
    if model.samples_tokens or not model.recurrent or model.prefix:
        why = (
            "keeps its puzzle embedding in its state, which a rollout leaves out"
            if model.prefix
            else "does not read its latent state"
        )
        raise SampleError(f"{opened.name} {why}, so it cannot start from a recorded one; pass x to draw it anew")
    for trajectory in trajectories:
        if not 0 <= trajectory < one.sizes["trajectory"]:
            raise SampleError(f"trajectory is {trajectory}; this rollout has 0 to {one.sizes['trajectory'] - 1}")
    if not 0 <= step < one.sizes["step"] or one["low_step"].values[step]:
        raise SampleError(
            f"step is {step}; choose the end of a transition (low_step 0) from 0 to {one.sizes['step'] - 1}"
        )

    def state(name: str, moved: Array | None) -> Array:
        recorded: Array = need(one, name).values[list(trajectories), step]
        if moved is None:
            return recorded
        if moved.shape not in (recorded.shape, recorded.shape[1:]):
            raise SampleError(f"{name} has shape {moved.shape}; that of the recorded state is {recorded.shape[1:]}")
        if not np.isfinite(moved).all():
            raise SampleError(f"{name} holds numbers that are not finite; move the state by less")
        return np.broadcast_to(moved, recorded.shape)

    behind = one["supervision_step"].values[step] - 1, one["transition"].values[step]
    return Start(
        h=state("h", h),
        l=state("l", l) if model.low_steps else None,
        done=max(0, int(behind[0] * model.high_steps + behind[1])),
        keys=[int(key) for key in keys],
        past={name: one[name].values[list(trajectories), :step] for name in _RECORDED if name in one},
    )
