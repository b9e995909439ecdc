"""The tree of experiments of an explorer: branches beside the original, each with a name, a cause and an outcome.

    branch = explorer.branch("B", 12, "7.2", patch=("B", 3), cells=["r4c6"])
    explorer.branches                                  # the tree
    branch.compare(), branch.pin(), branch.rename("why"), branch.replay(), branch.delete()

A page shows four series, so of more branches the last ones are shown; the others wait in the tree. How a branch is
asked of the model is `gramviz.explorer.experiment`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import xarray as xr

from gramviz import measure
from gramviz.explorer.payload import LETTERS, clean
from gramviz.explorer.source import BranchError, Source

if TYPE_CHECKING:
    from gramviz.explorer.widget import Explorer

NAME = 60  # characters of a name that the page shows


@dataclass(eq=False, repr=False)
class Branch:
    """One experiment; `Explorer.branch` and `Explorer.compare` make it. Its methods show it, and return it.

    Attributes:
        name: in the tree and in the page; `rename` changes it.
        cause: why it differs from what it grew from: "row 4, column 6 set to 7 at 3.2".
        rollout, puzzle: what came of it.
        parent: the branch that it grew from; None: a series that the explorer was opened with.
        series, trajectory, step: the letter of what it grew from, which of its trajectories (None: all), and which step
            of what is shown; "" where it was compared and grew from none.
        followed: how many trajectories followed the change, in words.
        pinned: whether it stays shown where another branch needs a place.
        ask: draws it again; None where it was compared.
        arguments: of the line of Python that makes it, after the series and before the name.
    """

    tree: Branches = field()
    name: str
    cause: str
    rollout: xr.Dataset
    puzzle: int = 0
    parent: Branch | None = None
    series: str = ""
    trajectory: int | None = None
    step: int = 0
    followed: str = ""
    pinned: bool = False
    ask: Callable[[], xr.Dataset] | None = None
    arguments: str = ""

    @property
    def outcome(self) -> str:
        """How many trajectories followed the change, and how many are right, where that is known."""
        one = self.rollout.isel(puzzle=[self.puzzle])
        count = one.sizes["trajectory"]
        right = f"{int(one['valid'].values[0, :, -1].sum())} of {count} right" if measure.judged(one) else ""
        return ", ".join(filter(None, (self.followed, right))) or f"{count} trajectories"

    @property
    def letter(self) -> str | None:
        """The letter under which it is shown; None: it is not."""
        return self.tree.letter(self)

    @property
    def origin(self) -> str:
        """What it grew from: "B #12", or "B" for all trajectories."""
        whose = f"{self.parent.name}," if self.parent else self.series
        return whose.rstrip(",") if self.trajectory is None else f"{whose} #{self.trajectory}"

    @property
    def children(self) -> list[Branch]:
        """The branches that grew from it."""
        return [other for other in self.tree.values() if other.parent is self]

    def show(self) -> Branch:
        """Show it as a series, and go where it begins."""
        self.tree.show(self)
        return self

    def hide(self) -> Branch:
        """Keep it in the tree alone."""
        self.tree.present([other for other in self.tree.shown if other is not self])
        return self

    def compare(self) -> Branch:
        """Show it against what it grew from: that trajectory pinned, and on the board where they differ."""
        self.tree.compare(self)
        return self

    def pin(self, on: bool = True) -> Branch:
        """Have it stay shown where another branch needs a place, or with False no longer."""
        self.pinned = on
        self.tree.publish()
        return self

    def rename(self, name: str) -> Branch:
        """Call it otherwise; a number is added to a name that is taken."""
        if name != self.name:
            self.name = self.tree.free(name)
            self.tree.present(self.tree.shown)
        return self

    def delete(self) -> None:
        """Take it out of the tree, with all that grew from it."""
        self.tree.delete(self)

    def replay(self) -> xr.Dataset:
        """Ask the model the same again; what it gives takes the place of the rollout.

        Raises:
            BranchError: it was compared, so nothing was asked.
        """
        if self.ask is None:
            raise BranchError(f"{self.name!r} was compared, not drawn here, so there is nothing to replay; delete it")
        self.rollout = self.ask()
        self.tree.present(self.tree.shown)
        return self.rollout

    def to_python(self) -> str:
        """The line that makes it again, in an explorer that is called `explorer`."""
        if self.ask is None:
            return f"explorer.compare(rollout, name={self.name!r})"
        series = self.parent.name if self.parent else self.series
        return f"explorer.branch({series!r}{self.arguments}, name={self.name!r})"

    def __repr__(self) -> str:
        return f"Branch({self.row(0)})"

    def row(self, depth: int) -> Row:
        """What the tree says of it."""
        cause = f"{self.origin}: {self.cause}" if self.series else self.cause
        return Row(self.name, cause, self.outcome, self.letter, self.pinned, depth)


@dataclass(frozen=True)
class Row:
    """A line of the tree, as the page is sent it."""

    name: str
    cause: str
    outcome: str
    letter: str | None
    pinned: bool
    depth: int

    def __str__(self) -> str:
        return f"{self.letter or '-'} {self.name}: {self.cause}; {self.outcome}" + (", pinned" if self.pinned else "")


class Branches(Mapping[str, Branch]):
    """The branches of an explorer by name, oldest first; written out, a tree.

    Attributes:
        shown: those that are shown, in the order of their letters.
        made: how many were ever drawn, so that each has a seed of its own.
    """

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._all: list[Branch] = []
        self.shown: list[Branch] = []
        self.made = 0

    def __getitem__(self, name: str) -> Branch:
        for branch in self._all:
            if branch.name == name:
                return branch
        raise KeyError(f"there is no branch {name!r}; known: {', '.join(self) or 'none yet'}")

    def __iter__(self) -> Iterator[str]:
        return iter([branch.name for branch in self._all])

    def __len__(self) -> int:
        return len(self._all)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        own = [f"{meta['letter']} {meta['name']}" for meta in self._explorer.meta["series"][: self._own]]
        return "\n".join([*own, *(f"{'  ' * row.depth}{row}" for row in self.rows())])

    @property
    def _own(self) -> int:
        return len(self._explorer.meta["series"]) - len(self.shown)

    def letter(self, branch: Branch) -> str | None:
        """The letter under which a branch is shown."""
        return LETTERS[self._own + self.shown.index(branch)] if branch in self.shown else None

    def of(self, letter: str) -> Branch | None:
        """The branch that is shown under a letter."""
        return next((branch for branch in self.shown if self.letter(branch) == letter), None)

    def rows(self, parent: Branch | None = None, depth: int = 1) -> list[Row]:
        """The tree from top to bottom."""
        grown = [branch for branch in self._all if branch.parent is parent]
        return [row for one in grown for row in (one.row(depth), *self.rows(one, depth + 1))]

    def publish(self) -> None:
        """Send the tree to the page."""
        self._explorer.tree = [vars(row) for row in self.rows()]

    def free(self, name: str) -> str:
        """The name as the page can show it, with a number where it is taken."""
        name = clean(name, NAME - 5).strip() or "branch"
        return next(new for k in range(1, len(self) + 2) if (new := name if k == 1 else f"{name} ({k})") not in self)

    # -- what is shown
    def source(self) -> Source:
        """What the explorer was made of.

        Raises:
            BranchError: it was made of a payload alone.
        """
        if self._explorer._source is None:
            raise BranchError("this explorer has no rollouts to compare with; open it with gv.explore(rollout)")
        return self._explorer._source

    def add(self, branch: Branch, **state: Any) -> Branch:
        """A new branch, shown, with these keys of the state; if it cannot be shown, it is not kept.

        Where it was drawn here, its first trajectory is focused; else the map goes to one that all models share.
        """
        self._all.append(branch)
        shown = self._with(branch)
        focus = {"focus": [LETTERS[self._own + len(shown) - 1], 0]} if branch.ask else {}
        try:
            self.present(shown, anew=branch.ask is None, **focus, **state)
        except Exception:
            self._all.remove(branch)
            raise
        return branch

    def room(self) -> None:
        """Raise if no further branch could be shown.

        Raises:
            BranchError: says what to do.
        """
        if self._own + sum(branch.pinned for branch in self.shown) >= len(LETTERS):
            fix = "unpin a branch" if self.shown else "open fewer, then branch"
            raise BranchError(f"the explorer shows {len(LETTERS)} series already; {fix}")

    def _with(self, branch: Branch) -> list[Branch]:
        """What is shown, with this branch; where there is no place, the last one that is not pinned makes room."""
        if branch in self.shown:
            return self.shown
        shown = list(self.shown)
        if self._own + len(shown) >= len(LETTERS):
            self.room()
            movable = [other for other in shown if not other.pinned]
            shown.remove(([other for other in movable if other is not branch.parent] or movable)[-1])
        return [*shown, branch]

    def show(self, branch: Branch) -> None:
        """As `Branch.show`."""
        self.present(self._with(branch))
        self._explorer.set(focus=[branch.letter, 0], board="focus", cursor={"step": branch.step, "low": None})

    def compare(self, branch: Branch) -> None:
        """As `Branch.compare`."""
        if branch.parent:
            self.present(self._with(branch.parent))
        self.show(branch)
        letter = (branch.parent.letter if branch.parent else branch.series) or "A"
        self._explorer.set(pinned=[letter, branch.trajectory or 0], board="differ")

    def delete(self, branch: Branch) -> None:
        """As `Branch.delete`."""
        gone = [branch]
        for other in self._all:  # what grew from a branch comes after it
            if other.parent in gone:
                gone.append(other)
        self._all = [other for other in self._all if other not in gone]
        self.present([other for other in self.shown if other not in gone])

    def clear(self) -> None:
        """Forget all: they are of a puzzle that is left."""
        self._all, self.shown = [], []
        self._explorer.effect = {}
        self.publish()

    def present(self, shown: Sequence[Branch], *, anew: bool = False, **state: Any) -> None:
        """Show these branches beside the explorer's own series; nothing changes where they cannot be packed.

        Args:
            anew: whether the map opens as on these series.
            **state: keys that change with it.
        """
        explorer, source = self._explorer, self.source()
        wider = source.beside([(branch.rollout, branch.puzzle, branch.name) for branch in shown])
        if cells := explorer.state.get("cells"):
            state = {"cells": source.moved(cells, wider)} | state
        own = LETTERS[: source.own]
        now: dict[Branch, str] = dict(zip(shown, LETTERS[source.own :], strict=False))
        moved = dict(zip(LETTERS, [*own, *map(now.get, self.shown)], strict=False))
        payload = explorer._show(wider)
        state |= {"basis": payload.meta["default_basis"]} if anew else {}
        self.shown = list(shown)
        with explorer.hold_sync():
            letter = moved.get(explorer.effect.get("series", ""))
            explorer.effect = explorer.effect | {"series": letter} if letter else {}
            explorer.feed(payload, **(_under(explorer.state, moved) | state))
            self.publish()


def _under(state: Mapping[str, Any], moved: Mapping[str, str | None]) -> dict[str, Any]:
    """The keys of a state that name series, under other letters; what names one that is gone takes another."""
    focus, pinned, board = state.get("focus"), state.get("pinned"), state.get("board")
    keys: dict[str, Any] = {
        "selected": {new: chosen for old, chosen in state.get("selected", {}).items() if (new := moved.get(old))},
        "hidden": [new for old in state.get("hidden", []) if (new := moved.get(old))],
    }
    if focus:
        keys["focus"] = [moved[focus[0]], focus[1]] if moved.get(focus[0]) else ["A", 0]
    if pinned:
        keys["pinned"] = [moved[pinned[0]], pinned[1]] if moved.get(pinned[0]) else None
    if board in LETTERS:
        keys["board"] = moved.get(str(board)) or "focus"
    return keys
