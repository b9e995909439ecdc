"""The explorer as a widget: the payload once, a small state both ways, and the frozen page beside it for reports.

    gv.compare(trm, gram, puzzle=16).go("7.2").pin("A").select("B", [3, 12])

The rollout travels once, as one compressed buffer; playing, scrubbing and pointing happen in the page and send nothing.
What comes back, 150 ms after the last gesture, is `state`: a plain object that also is what Python sets to move the
view. `gramviz.explorer.state` checks it. No torch here, and no logic of the picture: that is `frontend/*.js`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Self

import anywidget
import traitlets
import xarray as xr

from gram import rollout as rollouts_
from gramviz import measure
from gramviz.explorer.branch import TRAJECTORIES, BranchError, Rerun, Source, along_component, changed, to_path
from gramviz.explorer.link import link
from gramviz.explorer.payload import Payload
from gramviz.explorer.state import State, StateError, cell_of, is_index, lead_of, path_name, step_of, trajectory_of

Rollout = xr.Dataset | str | os.PathLike[str]
Other = Rollout | Callable[[xr.Dataset], xr.Dataset]  # what "+ Compare" adds

FRAME_HEIGHT = 900  # px of the frozen frame in a notebook or report: header, panels, three curves, ruler, transport

_EDITED = ", edited"
_DICE = "The same model, other dice"
_LASTING = {"theme", "motion", "lanes", "layers", "speed", "loop", "panel", "cells"}  # what outlives a puzzle


@cache
def _module() -> str:
    return link()


class Explorer(anywidget.AnyWidget):
    """One puzzle of one to four rollouts, linked board, map, curves and timeline. Make it with `explore` or `compare`.

    Attributes:
        meta, data: the payload (docs/payload.md); `feed` sets another one.
        state: what is shown; set it or use the methods, which return the explorer. The page's own changes arrive here
            150 ms after the last gesture, so `explorer.observe(f, "state")` sees settled views only.
        turn, heard: how often Python has set the state, and the last such word that the page had heard when it told of
            its own; a view from before that is dropped, so that a late gesture does not undo what Python showed since.
        status: what went wrong in the page, or "".
        asks: what the page may ask this kernel for: `cell`, the plane of one, where it has the rollouts, as from
            `explore`; `branch` and `edit`, where it was given a `rerun` too; `compare`, with that or with `others`.
        others: the names of the runs that "+ Compare" offers.
    """

    meta = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    turn = traitlets.Int().tag(sync=True)
    heard = traitlets.Int().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    asks = traitlets.List(traitlets.Unicode()).tag(sync=True)
    others = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        payload: Payload,
        *,
        source: Source | None = None,
        rerun: Rerun | None = None,
        others: Mapping[str, Other] | None = None,
        **state: Any,
    ) -> None:
        self._esm = _module()
        self._told: Any = None  # the state that a page is telling at this moment
        self._source, self._rerun, self._others = source, rerun, dict(others or {})
        if rerun:
            self._others.setdefault(_DICE, self._rethrown)
        told = {
            "cell": source,
            "branch": source and rerun,
            "edit": source and rerun,
            "compare": source and self._others,
        }
        super().__init__(
            meta=payload.meta,
            data=payload.data,
            state={"puzzle": payload.meta["puzzle"]} | state,
            asks=[ask for ask, able in told.items() if able],
            others=list(self._others),
        )
        self.on_msg(self._asked)

    @traitlets.validate("state")
    def _checked(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        state = State(**proposal["value"])
        runs = {run["letter"]: run for run in self.meta.get("runs", ())}
        if runs:
            for letter, path in [*filter(None, (state.keys.get("focus"), state.keys.get("pinned")))]:
                self._path(letter, path)
            for letter, paths in state.keys.get("selected", {}).items():
                for path in paths:
                    self._path(letter, path)
        if state.keys != self.state and proposal["value"] != self._told:
            self.turn += 1
        return state.keys

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """What a page tells, as ipywidgets hands it on; a view that is older than Python's last word is left out."""
        if "state" in sync_data and sync_data.get("heard", self.heard) != self.turn:
            sync_data = {name: value for name, value in sync_data.items() if name != "state"}
        self._told = sync_data.get("state")
        try:
            super().set_state(sync_data)
        finally:
            self._told = None

    def feed(self, payload: Payload, **state: Any) -> Self:
        """Show another payload, with these keys of the state on top of what it is: how a model is watched that runs."""
        with self.hold_sync():  # one message
            self.meta, self.data = payload.meta, payload.data
            self.state = {**self.state, "puzzle": payload.meta["puzzle"], **state}
        return self

    # -- moving the view; every method returns the explorer
    def set(self, **keys: Any) -> Self:
        """Change any keys of the state, e.g. `set(color_by="answer", theme="dark")`.

        `basis="cell30"` shows the PCA of h of one cell alone, here of position 30, `gramviz.measure.project`; it is
        packed when it is asked for, from then on it is in the page, and in what `to_html` writes.

        Raises:
            StateError: an unknown key or value, with what is allowed.
            PackError: there is no h, or no room in the budget.
        """
        checked = State(**keys).keys
        cell = measure.cell_of(checked.get("basis") or "")
        if cell is not None and all(basis["name"] != checked["basis"] for basis in self.meta["bases"]):
            return self._with_plane(cell, checked)
        with self.hold_sync():  # `state` and `turn` are one message
            self.state = {**self.state, **checked}
        return self

    def _with_plane(self, cell: int, keys: Mapping[str, Any]) -> Self:
        """Pack the plane of one cell beside those that are here, and show these keys of the state."""
        if self._source is None:
            cure = f"open it with gv.explore(rollout, cells=[{cell}])"
            raise StateError(f"basis is 'cell{cell}', which this explorer did not pack; {cure}")
        packing = self._source.packing
        source = replace(self._source, packing={**packing, "cells": [*packing.get("cells", ()), cell]})
        payload = source.payload()
        payload.meta["lesson"] = self.meta.get("lesson")
        self._source = source
        return self.feed(payload, **keys)

    def go(self, address: str | int) -> Self:
        """Put the cursor at a moment: "7.2" = supervision step 7, transition 2; "init"; "end"; or a step's index."""
        return self.set(cursor=step_of(self.meta, address))

    def focus(self, run: str, path: int = 0) -> Self:
        """Follow one path with board, curves and details."""
        return self.set(focus=self._path(run, path))

    def pin(self, run: str | None, path: int = 0) -> Self:
        """Keep one path in ink beside whatever is focused; `pin(None)` takes it away."""
        return self.set(pinned=None if run is None else self._path(run, path))

    def select(self, run: str, paths: Sequence[int]) -> Self:
        """Choose paths of one run (and keep those of other runs); the rest turns grey."""
        chosen = [self._path(run, int(path))[1] for path in paths]
        kept = {letter: list(old) for letter, old in self.state.get("selected", {}).items() if letter != run}
        return self.set(selected=dict(sorted((kept | {run: chosen}).items())))

    def cells(self, names: Sequence[str | int]) -> Self:
        """Choose cells of the board: `cells(["r4c6"])`, `cells(["n3"])` in a graph, or positions."""
        return self.set(cells=[cell_of(self.meta["board"], name) for name in names])

    @property
    def selection(self) -> dict[str, list[int]]:
        """The chosen paths of each run, by index: `{"B": [3, 12]}`; empty where nothing is chosen. Set it to choose."""
        return {letter: list(paths) for letter, paths in self.state.get("selected", {}).items()}

    @selection.setter
    def selection(self, chosen: Mapping[str, Sequence[int]]) -> None:
        self.set(
            selected={
                letter: sorted(self._path(letter, int(path))[1] for path in paths) for letter, paths in chosen.items()
            }
        )

    def on_selection(self, call: Callable[[dict[str, list[int]]], object]) -> Callable[[], None]:
        """Have `call(selection)` called when another choice of paths has settled; returns what ends that."""
        return self._on("selected", lambda state: call({k: list(v) for k, v in state.get("selected", {}).items()}))

    def on_step(self, call: Callable[[int], object]) -> Callable[[], None]:
        """Have `call(step)` called when the cursor has come to rest elsewhere; returns what ends that."""
        last = lead_of(self.meta)["steps"] - 1  # an untouched page stands at the end
        return self._on("cursor", lambda state: call(int(state.get("cursor", {}).get("step", last))))

    def _on(self, key: str, tell: Callable[[Mapping[str, Any]], object]) -> Callable[[], None]:
        def changed(change: Mapping[str, Any]) -> None:
            before, after = change["old"] or {}, change["new"]
            if before.get(key) != after.get(key):
                tell(after)

        self.observe(changed, "state")
        return lambda: self.unobserve(changed, "state")

    def teach(self, lesson: str | os.PathLike[str]) -> Self:
        """Put a lesson (YAML, `gramviz.explorer.chapters`) into this explorer and open its first chapter; before it is shown.

        Raises:
            LessonError: what is wrong in the lesson, with its line.
        """
        from gramviz.explorer.chapters import read

        self.meta = {**self.meta, "lesson": read(lesson, self.meta)}
        first = self.meta["lesson"]["chapters"][0]
        at = first["at"] if first["at"] is not None else 0
        return self.set(**{"chapter": 0, "cursor": {"step": at, "low": None}} | first.get("show", {}))

    # -- new runs, by a model that the notebook lends
    def branch(
        self,
        run: str,
        path: int = 0,
        at: str | int = "init",
        *,
        towards: tuple[str, int] | None = None,
        along: int | None = None,
        by: float | None = None,
        trajectories: int | None = TRAJECTORIES,
        supervision_steps: int | None = None,
        seed: int | None = None,
    ) -> xr.Dataset:
        """Go on from a recorded state with other dice, and show what comes of it as a further run.

        The new run begins with the recorded past of its path, so both stand on one ruler and part at `at`. Of four
        runs, the last branch makes room.

        Args:
            run, path: whose state.
            at: the end of a transition of that run: "7.2", "init", or the index of a step.
            towards: (run, path) of the same checkpoint whose state at that step pulls it; `by` is the share of the way.
            along: a principal component of h, from 1; `by` counts standard deviations of the states along it.
            by: how far it is moved: 0.5 of the way, or 1 deviation, by default.
            trajectories: how many paths go on from it.
            supervision_steps: where they end, counted from the start; by default where the recorded ones do.
            seed: of the dice; by default one that no branch of this explorer had.
        Returns:
            The rollout of the new run.
        Raises:
            BranchError, StateError: no such path, moment or direction, or no `rerun` was given.
            RolloutError: `h`, or the `l` that the model needs, was not recorded.
            ValueError: what `rerun` refuses, e.g. a checkpoint that is not here.
        """
        source, rerun = self._lent()
        meta = self._run(self._path(run, path)[0])
        one = source.one(self.meta["runs"].index(meta))
        shown, step = self._moment(meta, one, at)
        moved, told = self._moved(meta, path, one, step, towards, along, by)
        source = source.room()
        rollout = rerun(
            one,
            trajectory=trajectory_of(meta, path),
            step=step,
            trajectories=trajectories,
            supervision_steps=supervision_steps,
            seed=int(one.attrs["seed"]) + 1 + source.made if seed is None else seed,
            **moved,
        )
        name = f"{path_name(meta, path)} from {measure.address(one, step)}{told}"
        source = source.joined(rollout.assign_attrs(name=name), name)
        payload = source.payload()
        payload.meta["lesson"] = self.meta.get("lesson")
        self._source = source
        letter = payload.meta["runs"][-1]["letter"]
        self.feed(
            payload,
            cursor={"step": shown, "low": None},
            focus=[letter, 0],
            board="focus",
            pinned=[run, path] if run != letter else None,  # the path that it parts from stays in ink
            selected={k: paths for k, paths in self.state.get("selected", {}).items() if k != letter},
            hidden=[k for k in self.state.get("hidden", []) if k != letter],
        )
        return source.rollouts[-1]

    def _moved(
        self,
        meta: Mapping[str, Any],
        path: int,
        one: xr.Dataset,
        step: int,
        towards: tuple[str, int] | None,
        along: int | None,
        by: float | None,
    ) -> tuple[dict[str, Any], str]:
        """The state that a branch begins from where it is not the recorded one, by name, and that in words."""
        source, _ = self._lent()
        runs = self.meta["runs"]
        if towards is not None and along is not None:
            raise BranchError("a state is moved towards another or along a component, not both; leave one out")
        if towards is not None:
            letter, other = self._path(*towards)
            theirs, share = self._run(letter), 0.5 if by is None else by
            data = one if theirs is meta else source.one(runs.index(theirs))
            states = to_path(one, trajectory_of(meta, path), data, trajectory_of(theirs, other), step, share)
            return states, f", {share:g} to {path_name(theirs, other)}"
        if along is not None:
            number, deviations = runs.index(meta), 1.0 if by is None else by
            group = next((g for g in measure.planes(source.rollouts, "h") if number in g), (number,))
            plane = [source.one(k) for k in group]
            h = along_component(plane, one, trajectory_of(meta, path), along, step, deviations)
            return {"h": h}, f", PC {along} {deviations:+g}"
        if by is not None:
            raise BranchError(f"by is {by:g}, but nothing says where to; give towards=(run, path) or along=component")
        return {}, ""

    def edit(self, cells: Mapping[str | int, Any], *, seed: int | None = None) -> list[xr.Dataset]:
        """Change the puzzle, have every run drawn anew on it, and show that; branches are of the old one and go.

        Args:
            cells: cell -> token as it is written on the board, or None for a blank: `{"r4c6": 7, "r1c1": None}`.
            seed: of the dice; by default the recorded one.
        Returns:
            The rollouts of the runs.
        Raises:
            BranchError, StateError: no such cell or token, or no `rerun` was given.
            ValueError: what `rerun` refuses, e.g. givens that break a rule.
        """
        source, rerun = self._lent()
        positions = {cell_of(self.meta["board"], name): token for name, token in cells.items()}
        runs = [source.one(k) for k in range(source.own)]
        x = changed(runs[0], positions)
        new = tuple(rerun(run, x=x, seed=seed) for run in runs)
        names = [meta["name"].removesuffix(_EDITED) + _EDITED for meta in self.meta["runs"][: source.own]]
        source = Source(new, (0,) * len(new), tuple(names), source.packing, source.own, source.made)
        payload = source.payload()
        self._source = source
        kept = {key: self.state[key] for key in _LASTING & self.state.keys()}
        with self.hold_sync():
            self.state = kept
            self.feed(payload)
        return list(new)

    def compare(self, other: Other, *, name: str | None = None) -> xr.Dataset:
        """Show a further run of this puzzle beside those that are here, up to four.

        Different checkpoints share no plane of `h`, so the map then goes to "PCA of answers".

        Args:
            other: a name of `others`; a rollout that holds this puzzle, or the path of one; or a function that draws
                one, given run A of this puzzle alone.
            name: what a reader calls it; by default the name among `others`, or the rollout's own.
        Returns:
            The rollout of the new run.
        Raises:
            BranchError: there is no place, another puzzle, or this explorer has no rollouts.
            PackError: another board, or over the budget.
        """
        if self._source is None:
            raise BranchError("this explorer has no rollouts to compare with; open it with gv.explore(rollout)")
        lent = other if isinstance(other, str) and other in self._others else None
        wanted = self._others[lent] if lent else other
        rollout = wanted(self._source.one(0)) if callable(wanted) else _opened(wanted)
        own = str(rollout.attrs.get("name") or rollout.attrs["model"])
        called = name or (lent if lent and lent != _DICE else own)
        source = self._source.beside(rollout, called)
        payload = source.payload()
        payload.meta["lesson"] = self.meta.get("lesson")
        moved = {"cells": self._source.moved(cells, source)} if (cells := self.state.get("cells")) else {}
        self._source = source
        self.feed(payload, basis=payload.meta["default_basis"], camera=None, brush=None, **moved)
        return rollout

    def _rethrown(self, one: xr.Dataset) -> xr.Dataset:
        """Run A drawn again with dice that none of the runs had."""
        source, rerun = self._lent()
        seed = 1 + max(int(run.attrs["seed"]) for run in source.rollouts) + source.made
        name = one.attrs.get("name") or one.attrs["model"]
        return rerun(one, seed=seed).assign_attrs(name=f"{name}, seed {seed}")

    def _lent(self) -> tuple[Source, Rerun]:
        if self._source is None or self._rerun is None:
            raise BranchError(
                "this explorer knows no model; open it with a function that does: gv.explore(rollout, rerun=gram.rerun)"
            )
        return self._source, self._rerun

    def _run(self, letter: str) -> Mapping[str, Any]:
        return next(run for run in self.meta["runs"] if run["letter"] == letter)

    def _moment(self, meta: Mapping[str, Any], one: xr.Dataset, at: str | int) -> tuple[int, int]:
        """A moment of a run as an index of what is shown, and of its rollout."""
        cursor = step_of({"runs": [meta]}, at)
        if cursor["low"] is not None:
            raise StateError(f"{at!r} lies within a transition; branch from its end, {str(at).rpartition('.')[0]!r}")
        shown = int(cursor["step"] or 0)
        clock = zip(*(one[name].values.tolist() for name in rollouts_.STEP_COORDS), strict=True)
        return shown, list(clock).index((meta["supervision_step"][shown], meta["transition"][shown], 0))

    def _asked(self, _: object, content: Any, buffers: object) -> None:
        """A person asked for something in the page: say at once that this kernel lives, then do it or say why not."""
        del buffers
        if not isinstance(content, dict) or content.get("ask") not in self.asks:
            return
        reply = {"id": content.get("id")}
        self.send(reply | {"busy": True})
        try:
            if content["ask"] == "edit":
                self.edit({int(cell): token for cell, token in content["cells"].items()})
            elif content["ask"] == "cell":
                self.set(basis=f"cell{int(content['cell'])}", camera=None, brush=None)
            elif content["ask"] == "compare":
                self.compare(self.others[int(content["other"])])  # by number: a page names no file to be opened
            else:
                to = content.get("towards")
                self.branch(
                    content["run"], content["path"], content["step"], along=content.get("along"),
                    towards=(to[0], to[1]) if to else None,
                )  # fmt: skip
        except Exception as error:  # whatever a model fails with, the page has nobody else to hear it from
            self.send(reply | {"ok": False, "say": " ".join(str(error).split()) or type(error).__name__})
        else:
            self.send(reply | {"ok": True})

    # -- leaving the notebook
    def to_python(self) -> str:
        """The line that opens this view."""
        return State(**self.state).to_python(self.meta)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """The explorer as one HTML page that plays without kernel or network; written to `path` if that is given."""
        from gramviz.explorer.freeze import freeze

        return freeze(self, path)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live widget and, as `text/html`, its frozen twin: what a report keeps when the kernel is gone."""
        from gramviz.explorer.freeze import frame

        found = super()._repr_mimebundle_(**kwargs)
        data, metadata = found if isinstance(found, tuple) else (found or {}, {})
        return {**data, "text/html": frame(self)}, metadata

    def __repr__(self) -> str:
        runs = ", ".join(f"{run['letter']} {run['name']} ({run['trajectories']} paths)" for run in self.meta["runs"])
        return f"Explorer({self.meta['title']}, puzzle {self.meta['puzzle'] + 1} of {self.meta['puzzles']}: {runs})"

    def _path(self, letter: str, path: int) -> list[Any]:
        runs = {run["letter"]: run for run in self.meta["runs"]}
        if letter not in runs:
            shown = ", ".join(f"{run['letter']} ({run['name']})" for run in runs.values())
            raise StateError(f"there is no run {letter!r}; this explorer shows {shown}")
        most = runs[letter]["trajectories"] - 1
        if not is_index(path) or path > most:
            raise StateError(f"run {letter} has no path {path!r}; choose 0 to {most}")
        return [letter, path]


def explore(
    rollout: Rollout,
    *,
    puzzle: int = 0,
    name: str | None = None,
    rerun: Rerun | None = None,
    others: Mapping[str, Other] | None = None,
    **packing: Any,
) -> Explorer:
    """Open one rollout.

    Args:
        rollout: a rollout, or the path of one.
        puzzle: which of its puzzles, from 0.
        name: what a reader calls it; by default the rollout's own name.
        rerun: a function that has the model go on, `gram.rerun`: then puzzles can be edited and paths branched.
        others: what "+ Compare" offers in the page, by name: rollouts that hold this puzzle, paths of such, or
            functions that draw one when it is wanted: `{"TRM": lambda one: gram.sample("nqueens8-trm", 16)}`.
        **packing: `budget`, `second`, `every`, `trajectories`, `cells`, as in `gramviz.pack.pack`.
    Raises:
        RolloutError, PackError: it is not a rollout, there is no such puzzle, or it is over the budget.
    """
    return _open([rollout], puzzle, [name], rerun, others, packing)


def compare(
    a: Rollout,
    b: Rollout,
    *more: Rollout,
    puzzle: int | Sequence[int] = 0,
    names: Sequence[str] | None = None,
    share_h: bool = False,
    rerun: Rerun | None = None,
    others: Mapping[str, Other] | None = None,
    **packing: Any,
) -> Explorer:
    """Two to four rollouts of the same puzzle, as runs A, B, ...; if A has one path, it is pinned.

    Different checkpoints open on "PCA of answers", the space that all models share; their `h` are unrelated spaces, and
    "PCA of h" splits the map. `share_h=True` forces one plane, and the page says what that is worth.

    Args:
        a, b, *more: rollouts, or paths of them.
        puzzle: which of their puzzles, from 0; one index each, if they are stored differently.
        names: what a reader calls the runs; by default their models' names where those tell them apart.
        share_h: see above.
        rerun, others: as in `explore`.
        **packing: `budget`, `second`, `every`, `trajectories`, `cells`, as in `gramviz.pack.pack`.
    Raises:
        RolloutError, PackError: not rollouts, not the same puzzle, or over the budget.
    """
    runs = [_opened(run) for run in (a, b, *more)]
    models = [str(run.attrs["model"]).upper() for run in runs]
    if names is None and len(set(models)) == len(models):
        names = models
    return _open(runs, puzzle, names or [None] * len(runs), rerun, others, packing | {"share_h": share_h})


def _open(
    rollouts: Sequence[Rollout],
    puzzle: int | Sequence[int],
    names: Sequence[str | None],
    rerun: Rerun | None,
    others: Mapping[str, Other] | None,
    packing: Mapping[str, Any],
) -> Explorer:
    runs = tuple(_opened(run) for run in rollouts)
    puzzles = tuple(puzzle) if isinstance(puzzle, Sequence) else (puzzle,) * len(runs)
    source = Source(runs, puzzles, tuple(names), packing, own=len(runs))
    return Explorer(source.payload(), source=source, rerun=rerun, others=others)


def _opened(rollout: Rollout) -> xr.Dataset:
    return rollouts_.load(Path(rollout)) if isinstance(rollout, str | os.PathLike) else rollout
