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
from gramviz.contract import CONTRACT
from gramviz.explorer.branches import Branch, Branches
from gramviz.explorer.chapters import opening, read
from gramviz.explorer.experiment import Change, Patch, branch, patch_each
from gramviz.explorer.frame import Page, module_text, write_page
from gramviz.explorer.output import bundle
from gramviz.explorer.payload import LETTERS, Payload
from gramviz.explorer.puzzles import counted, puzzle_name
from gramviz.explorer.questions import answer
from gramviz.explorer.source import Other, Rerun, Source, opened
from gramviz.explorer.state import State, StateError, cell_of, is_index, lead_of, step_of

_NEW_SEED = "The same model, other seed"


class Explorer(anywidget.AnyWidget):
    """One puzzle of one to four rollouts, linked board, map, curves and timeline. Make it with `explore` or `compare`.

    Attributes:
        meta, data: the payload (docs/payload.md); `feed` sets another one.
        state: what is shown; set it or use the methods, which return the explorer. The page's own changes arrive here
            150 ms after the last gesture, so `explorer.observe(f, "state")` sees settled views only.
        turn, heard: how often Python has set the state, and the last such number that the page had received when it
            sent its own; a view from before that is dropped, so that a late gesture does not undo what Python set.
        status: what went wrong in the page, or "".
        asks: what the page may ask this kernel for: `puzzle`, another one, `cell`, the plane of one, and `tree`, what
            becomes of a branch, where it has the rollouts, as from `explore`; `branch` and `each`, each cell patched in
            turn, where it was given a `rerun` too; `compare`, with that or with `others`.
        others: the names of the rollouts that "+ Compare" offers.
        branches: the experiments, by name; written out, a tree. `tree` is the same for the page.
        effect: what `patch_each` found, as the page draws it; {} for nothing.
    """

    meta = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    turn = traitlets.Int().tag(sync=True)
    heard = traitlets.Int().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    asks = traitlets.List(traitlets.Unicode()).tag(sync=True)
    others = traitlets.List(traitlets.Unicode()).tag(sync=True)
    tree = traitlets.List(traitlets.Dict()).tag(sync=True)
    effect = traitlets.Dict().tag(sync=True)

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
        self.branches = Branches(self)
        if rerun:
            self._others.setdefault(_NEW_SEED, _NEW_SEED)
        super().__init__(
            meta=payload.meta,
            data=payload.data,
            state={"puzzle": payload.meta["puzzle"]} | state,
            asks=self._able(),
            others=list(self._others),
        )
        self.on_msg(self._asked)

    def _able(self) -> list[str]:
        """What the page may ask for."""
        source, rerun = self._source, self._source and self._rerun
        able = {
            "puzzle": source,
            "cell": source,
            "tree": source,
            "branch": rerun,
            "each": rerun,
            "compare": source and self._others,
        }
        return [ask for ask, yes in able.items() if yes]

    @property
    def payload(self) -> Payload:
        """What it shows, without the view."""
        return Payload(dict(self.meta), bytes(self.data))

    @property
    def source(self) -> Source | None:
        """The rollouts that it shows, where it has them."""
        return self._source

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

    def _show(self, source: Source) -> Payload:
        """Keep another source, and return its payload; nothing changes where it cannot be packed."""
        payload = source.payload()
        payload.meta["lesson"] = self.meta.get("lesson")
        self._source = source
        return payload

    # -- moving the view; every method returns the explorer
    def set(self, **keys: Any) -> Self:
        """Change any keys of the state, e.g. `set(color_by="answer", theme="dark")`.

        `basis="cell30"` shows the PCA of h of one cell alone, here of position 30, `gramviz.measure.project`; it is
        packed when it is asked for, from then on it is in the page, and in what `to_html` writes. `puzzle=2` shows
        another puzzle at the same step; what was chosen in the one before, and branches, are of that and go.

        Raises:
            StateError: an unknown key or value, with what is allowed.
            BranchError: there is no such puzzle.
            PackError: there is no h, or no room in the budget.
        """
        checked = State(**keys).keys
        if checked.get("puzzle", self.meta["puzzle"]) != self.meta["puzzle"]:
            return self._turn_to(checked.pop("puzzle")).set(**checked)
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

    def _turn_to(self, puzzle: int) -> Self:
        if self._source is None:
            raise StateError(
                f"puzzle is {puzzle}, but this has no rollout; open it with gv.explore(rollout, puzzle={puzzle})"
            )
        payload = self._show(self._source.at(puzzle))
        payload.meta["lesson"] = None  # it is of the puzzle that is left
        with self.hold_sync():
            self.branches.clear()
            self.effect = {}
            chosen = {"basis"} if self.state.get("basis") != self.meta["default_basis"] else set()
            self.state = {key: self.state[key] for key in {*CONTRACT["lasting"], *chosen} & self.state.keys()}
            return self.feed(payload)

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
        return self.set(**opening(self.meta["lesson"]))

    # -- experiments, by a model that the notebook hands in
    def branch(
        self,
        series: str = "A",
        trajectory: int | None = None,
        at: str | int = "init",
        *,
        edit: Mapping[str | int, Any] | None = None,
        patch: Patch | None = None,
        cells: Sequence[str | int] | None = None,
        by: float = 1.0,
        nudge: tuple[int, float] | None = None,
        noise: float = 1.0,
        seed: int | None = None,
        trajectories: int | None = None,
        supervision_steps: int | None = None,
        name: str | None = None,
    ) -> Branch:
        """Resume from recorded states with a change, and show what comes of it as another series, beside the original.

        It begins with the recorded past of its trajectories, so both stand on one ruler and part at `at`. Without a
        change it has other sampling noise. `branches` keeps it; of more than four series, the last branch that is not
        pinned makes room.

        Args:
            series: a letter, or the name of a branch that is shown.
            trajectory: whose state; None: every trajectory of the series resumes once, from its own.
            at: the end of a transition of that series: "7.2", "init", or the index of a step.
            edit: cell -> token as it is written on the board, or None for a blank: `{"r4c6": 7, "r1c1": None}`.
            patch: (series, trajectory) of the same checkpoint whose state at that step is put in, or (series,
                trajectory, puzzle) of another puzzle of that rollout: activation patching.
            cells: of which cells; by default of all.
            by: the share of the way to that state; 1 puts it in, 0.5 goes half way.
            nudge: (component, deviations): along a principal component of h, from 1, by standard deviations.
            noise: factor on the sampling noise; 0: none.
            seed: of the noise; by default one that no branch of this explorer had, and the recorded one where the whole
                series is drawn again with an edit or other noise.
            trajectories: how many resume from the state of one trajectory; 8.
            supervision_steps: where they end, counted from the start; by default where the recorded ones do.
            name: in the tree; by default what it grew from, and the cause.
        Raises:
            BranchError, InterventionError, StateError: no such series, trajectory, moment, cell or change, or no
                `rerun` was given.
            RolloutError: `h`, or the `l` that the model needs, was not recorded.
            ValueError: what `rerun` refuses, e.g. givens that break a rule, or a checkpoint that is not here.
        """
        arguments = {
            "edit": edit, "patch": patch, "cells": cells, "by": by, "nudge": nudge, "noise": noise,
            "trajectories": trajectories, "supervision_steps": supervision_steps,
        }  # fmt: skip
        said = "".join(f", {key}={value!r}" for key, value in arguments.items() if value not in (None, 1.0))
        board = self.meta["board"]
        change = Change(
            None if edit is None else {cell_of(board, cell): token for cell, token in edit.items()}, patch,
            None if cells is None else [cell_of(board, cell) for cell in cells], by, nudge, noise, seed,
        )  # fmt: skip
        return branch(
            self, series, trajectory, at, change, trajectories=trajectories, supervision_steps=supervision_steps,
            name=name, arguments=f", {trajectory!r}, {at!r}{said}",
        )  # fmt: skip

    def patch_each(
        self, series: str, trajectory: int, at: str | int, patch: Patch, *, seed: int | None = None
    ) -> xr.Dataset:
        """Which cell's state decides: each cell alone is patched from a source, and the effect is drawn on the board.

        `effect = {}` takes the picture away. Over many trajectories or puzzles: `gram.intervene(..., cells="each")`.

        Args:
            series, trajectory, at: whose state, as in `branch`.
            patch: from whom, as in `branch`.
            seed: of the noise, which is the same for all.
        Returns:
            By position: `effect`, on the scale on which the answer is as it was at 0 and the source's at 1
            (`gram.patching.effect`), `changed` cells of the final answer, and whether it `followed` in all cells.
        Raises:
            BranchError: both reach the same answer, or as `branch`.
        """
        return patch_each(self, series, trajectory, at, patch, seed)

    def compare(self, other: Other, *, name: str | None = None) -> Branch:
        """Show another rollout of this puzzle beside those that are here, as a branch that grew from none of them.

        Different checkpoints share no plane of `h`, so the map then goes to the one that all models share.

        Args:
            other: a name of `others`; a rollout that holds this puzzle, or the path of one; or a function that draws
                one, given series A of this puzzle alone.
            name: what a reader calls it; by default the name among `others`, or the rollout's own.
        Raises:
            BranchError: there is no place, another puzzle, or this explorer has no rollouts.
            PackError: another board, or over the budget.
        """
        source = self.branches.source()
        offered = other if isinstance(other, str) and other in self._others else None
        if offered == _NEW_SEED:
            return self.branch(name=name)
        self.branches.room()
        wanted = self._others[offered] if offered else other
        rollout = wanted(source.one(0)) if callable(wanted) else opened(wanted)
        called = name or offered or str(rollout.attrs.get("name") or rollout.attrs["model"])
        puzzle = source.holds(rollout, called)
        found = Branch(self.branches, self.branches.free(called), "compared", rollout, puzzle)
        self.branches.add(found, camera=None, brush=None)
        self.set(basis=self.meta["default_basis"])
        return found

    def _asked(self, _: object, content: Any, buffers: object) -> None:
        """A person asked for something in the page: say at once that this kernel lives, then do it or say why not."""
        del buffers
        if not isinstance(content, dict) or content.get("ask") not in self.asks:
            return
        reply, data = {"id": content.get("id")}, self.data
        self.send(reply | {"busy": True})
        try:
            said = answer(self, content)
        except Exception as error:  # whatever a model fails with, the page is the only one to show it
            self.send(reply | {"ok": False, "say": " ".join(str(error).split()) or type(error).__name__})
        else:
            # Where no other payload follows, the page hears at once that it is done.
            self.send(reply | {"ok": True} | ({"say": said} if self.data == data else {}))

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
        series = ", ".join(f"{m['letter']} {m['name']} ({counted(m['trajectories'])})" for m in self.meta["series"])
        return f"Explorer({self.meta['title']}, {puzzle_name(self.meta)}: {series})"

    def _series(self, letter: str) -> Mapping[str, Any]:
        """The payload's entry of a series, by its letter, or of a branch that is shown, by its name."""
        named = None if letter in LETTERS else self.branches.get(letter)
        if named and not named.letter:
            raise StateError(f"branch {letter!r} is not shown; show it first: explorer.branches[{letter!r}].show()")
        for meta in self.meta["series"]:
            if meta["letter"] == (named.letter if named else letter):
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
