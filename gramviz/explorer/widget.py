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
from typing import Any, Self

import anywidget
import traitlets
import xarray as xr

from gramviz import measure
from gramviz.explorer.branch import TRAJECTORIES, changed, moment, start
from gramviz.explorer.chapters import read
from gramviz.explorer.frame import Page, module_text, write_page
from gramviz.explorer.output import bundle
from gramviz.explorer.payload import Payload
from gramviz.explorer.source import BranchError, Other, Rerun, Source, opened
from gramviz.explorer.state import (
    State,
    StateError,
    cell_of,
    is_index,
    lead_of,
    step_of,
    trajectory_name,
    trajectory_of,
)

_EDITED = ", edited"
_NEW_SEED = "The same model, other seed"
_LASTING = {"theme", "motion", "lanes", "layers", "speed", "loop", "panel", "folded", "sizes", "tall", "cells"}


class Explorer(anywidget.AnyWidget):
    """One puzzle of one to four rollouts, linked board, map, curves and timeline. Make it with `explore` or `compare`.

    Attributes:
        meta, data: the payload (docs/payload.md); `feed` sets another one.
        state: what is shown; set it or use the methods, which return the explorer. The page's own changes arrive here
            150 ms after the last gesture, so `explorer.observe(f, "state")` sees settled views only.
        turn, heard: how often Python has set the state, and the last such number that the page had received when it
            sent its own; a view from before that is dropped, so that a late gesture does not undo what Python set.
        status: what went wrong in the page, or "".
        asks: what the page may ask this kernel for: `cell`, the plane of one, where it has the rollouts, as from
            `explore`; `branch` and `edit`, where it was given a `rerun` too; `compare`, with that or with `others`.
        others: the names of the rollouts that "+ Compare" offers.
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
        self._esm = module_text()
        self._incoming: Any = None  # the state that a page is sending at this moment
        self._source, self._rerun, self._others = source, rerun, dict(others or {})
        if rerun:
            self._others.setdefault(_NEW_SEED, self._redrawn)
        able = {
            "cell": source,
            "branch": source and rerun,
            "edit": source and rerun,
            "compare": source and self._others,
        }
        super().__init__(
            meta=payload.meta,
            data=payload.data,
            state={"puzzle": payload.meta["puzzle"]} | state,
            asks=[ask for ask, yes in able.items() if yes],
            others=list(self._others),
        )
        self.on_msg(self._asked)

    @property
    def payload(self) -> Payload:
        """What it shows, without the view."""
        return Payload(dict(self.meta), bytes(self.data))

    @traitlets.validate("state")
    def _checked(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        state = State(**proposal["value"])
        if self.meta.get("series"):
            for letter, trajectory in filter(None, (state.keys.get("focus"), state.keys.get("pinned"))):
                self._trajectory(letter, trajectory)
            for letter, trajectories in state.keys.get("selected", {}).items():
                for trajectory in trajectories:
                    self._trajectory(letter, trajectory)
        if state.keys != self.state and proposal["value"] != self._incoming:
            self.turn += 1
        return state.keys

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """What a page sends, as ipywidgets passes it; a view that is older than Python's last change is dropped."""
        if "state" in sync_data and sync_data.get("heard", self.heard) != self.turn:
            sync_data = {name: value for name, value in sync_data.items() if name != "state"}
        self._incoming = sync_data.get("state")
        try:
            super().set_state(sync_data)
        finally:
            self._incoming = None

    def feed(self, payload: Payload, **state: Any) -> Self:
        """Show another payload, with these keys of the state on top of what it is: for a model that is sampling."""
        with self.hold_sync():  # one message
            self.meta, self.data = payload.meta, payload.data
            self.state = {**self.state, "puzzle": payload.meta["puzzle"], **state}
        return self

    def _show(self, source: Source, *, with_lesson: bool = True) -> Payload:
        """Keep another source, and return its payload; nothing changes where it cannot be packed."""
        payload = source.payload()
        if with_lesson:
            payload.meta["lesson"] = self.meta.get("lesson")
        self._source = source
        return payload

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
        name = checked.get("basis")
        cell = measure.cell_of(name or "")
        known = list(dict.fromkeys(["h", *(basis["name"] for basis in self.meta["bases"])]))
        if name and cell is None and name not in known:
            raise StateError(f"basis is {name!r}; known: {', '.join(known)}, and cell0, cell1, ... for one position")
        if cell is not None and name not in known:
            if self._source is None:
                fix = f"open it with gv.explore(rollout, planes_of=[{cell}])"
                raise StateError(f"basis is 'cell{cell}', which this explorer did not pack; {fix}")
            packing = self._source.packing
            wider = replace(packing, planes_of=(*packing.planes_of, cell))
            return self.feed(self._show(replace(self._source, packing=wider)), **checked)
        with self.hold_sync():  # `state` and `turn` are one message
            self.state = {**self.state, **checked}
        return self

    def go(self, address: str | int) -> Self:
        """Put the cursor at a moment: "7.2" = supervision step 7, transition 2; "init"; "end"; or a step's index."""
        return self.set(cursor=step_of(self.meta, address))

    def focus(self, series: str, trajectory: int = 0) -> Self:
        """Follow one trajectory with board, curves and details."""
        return self.set(focus=self._trajectory(series, trajectory))

    def pin(self, series: str | None, trajectory: int = 0) -> Self:
        """Keep one trajectory in ink beside whatever is focused; `pin(None)` takes it away."""
        return self.set(pinned=None if series is None else self._trajectory(series, trajectory))

    def select(self, series: str, trajectories: Sequence[int]) -> Self:
        """Choose trajectories of one series (and keep those of other series); the rest turns gray."""
        return self._select({**self.selection, series: trajectories})

    def select_cells(self, names: Sequence[str | int]) -> Self:
        """Choose cells of the board: `select_cells(["r4c6"])`, `select_cells(["n3"])` in a graph, or positions."""
        return self.set(cells=[cell_of(self.meta["board"], name) for name in names])

    @property
    def selection(self) -> dict[str, list[int]]:
        """The chosen trajectories of each series: `{"B": [3, 12]}`; empty where nothing is chosen. Set it to choose."""
        return {letter: list(chosen) for letter, chosen in self.state.get("selected", {}).items()}

    @selection.setter
    def selection(self, chosen: Mapping[str, Sequence[int]]) -> None:
        self._select({letter: sorted(map(int, trajectories)) for letter, trajectories in chosen.items()})

    def _select(self, chosen: Mapping[str, Sequence[int]]) -> Self:
        checked = {k: [self._trajectory(k, int(one))[1] for one in chosen[k]] for k in sorted(chosen)}
        return self.set(selected=checked)

    def on_selection(self, call: Callable[[dict[str, list[int]]], object]) -> Callable[[], None]:
        """Have `call(selection)` called when another selection has settled; returns what ends that."""
        return self._on("selected", lambda state: call({k: list(v) for k, v in state.get("selected", {}).items()}))

    def on_step(self, call: Callable[[int], object]) -> Callable[[], None]:
        """Have `call(step)` called when the cursor has settled elsewhere; returns what ends that."""
        last = lead_of(self.meta)["steps"] - 1  # an untouched page stands at the end
        return self._on("cursor", lambda state: call(int(state.get("cursor", {}).get("step", last))))

    def _on(self, key: str, call: Callable[[Mapping[str, Any]], object]) -> Callable[[], None]:
        def changed(change: Mapping[str, Any]) -> None:
            before, after = change["old"] or {}, change["new"]
            if before.get(key) != after.get(key):
                call(after)

        self.observe(changed, "state")
        return lambda: self.unobserve(changed, "state")

    def teach(self, lesson: str | os.PathLike[str]) -> Self:
        """Open a lesson (YAML, `gramviz.explorer.chapters`) at its first chapter.

        Raises:
            LessonError: what is wrong in the lesson, with its line.
        """
        self.meta = {**self.meta, "lesson": read(lesson, self.meta)}
        first = self.meta["lesson"]["chapters"][0]
        at = first["at"] if first["at"] is not None else 0
        return self.set(**{"chapter": 0, "cursor": {"step": at, "low": None}} | first.get("show", {}))

    # -- new series, by a model that the notebook hands in
    def branch(
        self,
        series: str,
        trajectory: int = 0,
        at: str | int = "init",
        *,
        towards: tuple[str, int] | None = None,
        along: int | None = None,
        by: float | None = None,
        trajectories: int | None = TRAJECTORIES,
        supervision_steps: int | None = None,
        seed: int | None = None,
    ) -> xr.Dataset:
        """Resume from a recorded state with other sampling noise, and show the result as another series.

        It begins with the recorded past of its trajectory, so both stand on one ruler and part at `at`. Of four series,
        the last branch makes room.

        Args:
            series, trajectory: whose state.
            at: the end of a transition of that series: "7.2", "init", or the index of a step.
            towards: (series, trajectory) of the same checkpoint whose state at that step pulls it.
            along: a principal component of h, from 1.
            by: how far: by default 0.5 of the way towards, or 1 standard deviation of the states along.
            trajectories: how many resume from it.
            supervision_steps: where they end, counted from the start; by default where the recorded ones do.
            seed: of the noise; by default one that no branch of this explorer had.
        Returns:
            The rollout of the new series.
        Raises:
            BranchError, StateError: no such trajectory, moment or direction, or no `rerun` was given.
            RolloutError: `h`, or the `l` that the model needs, was not recorded.
            ValueError: what `rerun` refuses, e.g. a checkpoint that is not here.
        """
        source, rerun = self._able()
        metas = self.meta["series"]
        meta = self._series(series)
        who = meta, self._trajectory(series, trajectory)[1]
        one = source.one(metas.index(meta))
        shown, step = moment(meta, one, at)
        goal = None if towards is None else (self._series(towards[0]), self._trajectory(*towards)[1])
        states, words = start(source, metas, who, step, goal, along, by)
        source = source.room()
        rollout = rerun(
            one, trajectory=trajectory_of(*who), step=step, trajectories=trajectories,
            supervision_steps=supervision_steps,
            seed=int(one.attrs["seed"]) + 1 + source.made if seed is None else seed, **states,
        )  # fmt: skip
        name = f"{trajectory_name(*who)} from {measure.address(one, step)}{words}"
        rollout = rollout.assign_attrs(name=name)
        self._show_branch(self._show(source.joined(rollout, name)), shown, [series, trajectory])
        return rollout

    def _show_branch(self, payload: Payload, step: int, origin: list[Any]) -> None:
        letter = payload.meta["series"][-1]["letter"]
        self.feed(
            payload,
            cursor={"step": step, "low": None},
            focus=[letter, 0],
            board="focus",
            pinned=origin if origin[0] != letter else None,  # the trajectory that it parts from stays in ink
            selected={k: chosen for k, chosen in self.selection.items() if k != letter},
            hidden=[k for k in self.state.get("hidden", []) if k != letter],
        )

    def edit(self, cells: Mapping[str | int, Any], *, seed: int | None = None) -> list[xr.Dataset]:
        """Change the puzzle, draw every series again on it, and show that; branches are of the old one and go.

        Args:
            cells: cell -> token as it is written on the board, or None for a blank: `{"r4c6": 7, "r1c1": None}`.
            seed: of the noise; by default the recorded one.
        Returns:
            The rollouts of the series.
        Raises:
            BranchError, StateError: no such cell or token, or no `rerun` was given.
            ValueError: what `rerun` refuses, e.g. givens that break a rule.
        """
        source, rerun = self._able()
        positions = {cell_of(self.meta["board"], name): token for name, token in cells.items()}
        old = [source.one(k) for k in range(source.own)]
        x = changed(old[0], positions)
        new = tuple(rerun(one, x=x, seed=seed) for one in old)
        names = tuple(meta["name"].removesuffix(_EDITED) + _EDITED for meta in self.meta["series"][: source.own])
        payload = self._show(replace(source, rollouts=new, puzzles=(0,) * len(new), names=names), with_lesson=False)
        kept = {key: self.state[key] for key in _LASTING & self.state.keys()}
        with self.hold_sync():
            self.state = kept
            self.feed(payload)
        return list(new)

    def compare(self, other: Other, *, name: str | None = None) -> xr.Dataset:
        """Show another rollout of this puzzle beside those that are here, up to four.

        Different checkpoints share no plane of `h`, so the map then goes to "PCA of answers".

        Args:
            other: a name of `others`; a rollout that holds this puzzle, or the path of one; or a function that draws
                one, given series A of this puzzle alone.
            name: what a reader calls it; by default the name among `others`, or the rollout's own.
        Returns:
            The rollout of the new series.
        Raises:
            BranchError: there is no place, another puzzle, or this explorer has no rollouts.
            PackError: another board, or over the budget.
        """
        if self._source is None:
            raise BranchError("this explorer has no rollouts to compare with; open it with gv.explore(rollout)")
        offered = other if isinstance(other, str) and other in self._others else None
        wanted = self._others[offered] if offered else other
        rollout = wanted(self._source.one(0)) if callable(wanted) else opened(wanted)
        own = str(rollout.attrs.get("name") or rollout.attrs["model"])
        source = self._source.beside(rollout, name or (offered if offered and offered != _NEW_SEED else own))
        cells = self.state.get("cells")
        moved = {"cells": self._source.moved(cells, source)} if cells else {}
        payload = self._show(source)
        self.feed(payload, basis=payload.meta["default_basis"], camera=None, brush=None, **moved)
        return rollout

    def _redrawn(self, one: xr.Dataset) -> xr.Dataset:
        """Series A drawn again with a seed that none of the series had."""
        source, rerun = self._able()
        seed = 1 + max(int(old.attrs["seed"]) for old in source.rollouts) + source.made
        name = one.attrs.get("name") or one.attrs["model"]
        return rerun(one, seed=seed).assign_attrs(name=f"{name}, seed {seed}")

    def _able(self) -> tuple[Source, Rerun]:
        if self._source is None or self._rerun is None:
            raise BranchError(
                "this explorer knows no model; open it with a function that does: gv.explore(rollout, rerun=gram.rerun)"
            )
        return self._source, self._rerun

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
                    content["series"], content["trajectory"], content["step"], along=content.get("along"),
                    towards=(to[0], to[1]) if to else None,
                )  # fmt: skip
        except Exception as error:  # whatever a model fails with, the page is the only one to show it
            self.send(reply | {"ok": False, "say": " ".join(str(error).split()) or type(error).__name__})
        else:
            self.send(reply | {"ok": True})

    # -- leaving the notebook
    def to_python(self) -> str:
        """The line that opens this view."""
        return State(**self.state).to_python(self.meta)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> Page:
        """The explorer as one HTML page that plays without kernel or network; written to `path` if that is given."""
        return write_page(self.payload, self.state, path)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live view, its frozen twin as `text/html`, and a picture: what is left where scripts are barred."""
        return bundle(self, super()._repr_mimebundle_(**kwargs), self.payload, self.state)

    def __repr__(self) -> str:
        series = ", ".join(f"{m['letter']} {m['name']} ({m['trajectories']} trajectories)" for m in self.meta["series"])
        return f"Explorer({self.meta['title']}, puzzle {self.meta['puzzle'] + 1} of {self.meta['puzzles']}: {series})"

    def _series(self, letter: str) -> Mapping[str, Any]:
        """The payload's entry of a series."""
        for meta in self.meta["series"]:
            if meta["letter"] == letter:
                found: Mapping[str, Any] = meta
                return found
        shown = ", ".join(f"{meta['letter']} ({meta['name']})" for meta in self.meta["series"])
        raise StateError(f"there is no series {letter!r}; this explorer shows {shown}")

    def _trajectory(self, letter: str, trajectory: int) -> list[Any]:
        """[series, trajectory] as the state has it, if there is one."""
        most = self._series(letter)["trajectories"] - 1
        if not is_index(trajectory) or trajectory > most:
            raise StateError(f"series {letter} has no trajectory {trajectory!r}; choose 0 to {most}")
        return [letter, trajectory]
