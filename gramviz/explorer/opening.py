"""Opening an explorer: one rollout, or two to four side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import xarray as xr

from gram.progress import bar
from gramviz.explorer.live import Moment, Sampled
from gramviz.explorer.pack import Packing
from gramviz.explorer.payload import PackError
from gramviz.explorer.source import Other, Rerun, Rollout, Source, opened
from gramviz.explorer.widget import Explorer
from gramviz.measure import Every


def explore(
    rollout: Rollout | Iterator[Moment],
    *,
    puzzle: int = 0,
    name: str | None = None,
    rerun: Rerun | None = None,
    others: Mapping[str, Other] | None = None,
    budget: str | float | None = "4 MB",
    second: bool = True,
    every: Every = "transition",
    trajectories: int | None = None,
    planes_of: Sequence[int] = (),
) -> Explorer:
    """Open one rollout.

    Args:
        rollout: a rollout, or the path of one; or a sampling that is drawn meanwhile, `gram.watch(...)`: its first
            state is shown at once and the rest as it comes, in `gramviz.explorer.live.Sampled`, which can be cancelled.
        puzzle: which of its puzzles, from 0.
        name: what a reader calls it; by default the rollout's own name.
        rerun: a function that draws it again by its model, `gram.rerun`: then puzzles can be edited and trajectories
            branched.
        others: what "+ Compare" offers in the page, by name: rollouts that hold this puzzle, paths of such, or
            functions that draw one when it is wanted: `{"TRM": lambda one: gram.sample("nqueens8-trm", 16)}`.
        budget, second, every, trajectories, planes_of: what is packed, as in `gramviz.pack`.
    Raises:
        RolloutError, PackError: it is not a rollout, there is no such puzzle, or it is over the budget.
    """
    packing = Packing(budget, False, second, every, trajectories, tuple(planes_of))
    if isinstance(rollout, Iterator) and not isinstance(rollout, xr.Dataset):
        of = lambda drawn: Source.of([drawn], puzzle, [name], packing)  # noqa: E731
        return Sampled(rollout, of, rerun=rerun, others=others)
    return _explorer([rollout], puzzle, [name], rerun, others, packing)


def compare(
    *rollouts: Rollout,
    puzzle: int | Sequence[int] = 0,
    names: Sequence[str] | None = None,
    rerun: Rerun | None = None,
    others: Mapping[str, Other] | None = None,
    budget: str | float | None = "4 MB",
    share_h: bool = False,
    second: bool = True,
    every: Every = "transition",
    trajectories: int | None = None,
    planes_of: Sequence[int] = (),
) -> Explorer:
    """Two to four rollouts of the same puzzle, as series A, B, ...; if A has one trajectory, it is pinned.

    Different checkpoints open on "PCA of answers", the space that all models share; their `h` are unrelated spaces, and
    "PCA of h" splits the map.

    Args:
        *rollouts: two to four, or paths of them.
        puzzle: which of their puzzles, from 0; one index each, if they are stored differently.
        names: what a reader calls the series; by default their models' names where those tell them apart.
        rerun, others: as in `explore`.
        budget, share_h, second, every, trajectories, planes_of: what is packed, as in `gramviz.pack`.
    Raises:
        RolloutError, PackError: not rollouts, not the same puzzle, or over the budget.
    """
    if len(rollouts) < 2:
        raise PackError(f"compare takes two to four rollouts, not {len(rollouts)}; write gv.compare(trm, gram)")
    series = [opened(one) for one in rollouts]
    models = [str(one.attrs["model"]).upper() for one in series]
    if names is None and len(set(models)) == len(models):
        names = models
    packing = Packing(budget, share_h, second, every, trajectories, tuple(planes_of))
    if names is not None and len(names) != len(series):
        raise PackError(f"there are {len(names)} names for {len(series)} rollouts; give each one, or leave them out")
    return _explorer(series, puzzle, names or [None] * len(series), rerun, others, packing)


def _explorer(
    rollouts: Sequence[Rollout],
    puzzle: int | Sequence[int],
    names: Sequence[str | None],
    rerun: Rerun | None,
    others: Mapping[str, Other] | None,
    packing: Packing,
) -> Explorer:
    with bar(1, "explorer", text="explore") as counter:
        source = Source.of(rollouts, puzzle, names, packing)
        payload = source.payload()
        counter.update()
    return Explorer(payload, source=source, rerun=rerun, others=others)
