"""Explain a step of a Sudoku trajectory: which of its changes the rules justify, and which are guesses.

A change is judged by what was **known** before it: the givens, and those cells of the board before the step that were
free of conflict and that the step leaves as they are (what a step gives up cannot be its reason). The reasons, in the
order in which they are tried:

| reason | sign | what it means |
|---|---|---|
| `given` | = | the cell shows its given again |
| `erased` | - | no digit stands there any more |
| `contradicts` | ! | it breaks a given, or the digit is known already in its row, column or box |
| `naked` | n | naked single: every other digit is known in its row, column or box |
| `box`, `row`, `column` | h | hidden single: no other cell of the unit can take the digit |
| `locked` | p | a naked or hidden single, once pairs and pointing digits have been crossed out |
| `rules` | r | every solution of what was known has the digit there (exact search) |
| `contradicts` | ! | as above, with a cell that changed as well or was in conflict before |
| `guess` | ? | nothing that was known forces it: perhaps right, but not for a reason found here |

This explains the board, not the model: it says what a checker could have derived, not how the network came to it. What
was known may be wrong itself; then a single follows from it all the same, and the search, which finds no solution,
justifies nothing. The search gives up after `NODES` boards, and what it has not shown counts as a guess.
`frontend/explain.js` says the same; both are held to `tests/vectors/explain.json`. Only Sudoku has rules of this form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.bounded import InputError
from gram.rollout import board_of
from gramviz import measure
from gramviz.contract import LIMITS

Reason = Literal["given", "erased", "contradicts", "naked", "box", "row", "column", "locked", "rules", "guess"]
FOLLOWS: tuple[Reason, ...] = ("given", "naked", "box", "row", "column", "locked", "rules")
WHY: dict[Reason, str] = {
    "given": "the given again",
    "erased": "erased",
    "contradicts": "contradicts another cell",
    "naked": "naked single",
    "box": "hidden single in its box",
    "row": "hidden single in its row",
    "column": "hidden single in its column",
    "locked": "single after pairs and pointing",
    "rules": "follows from the rules, by search",
    "guess": "guess",
}
NODES = LIMITS[
    "search_boards"
]  # boards that one search looks at; 120 puzzles of the public lists needed 7 at the median, 700 at most


class ExplainError(InputError):
    """Nothing to explain here; the message gives the value, what is allowed, and the fix."""


@dataclass(frozen=True)
class Change:
    """One cell that a step changed: position, token ids before and after, why, and the sentence that says it."""

    cell: int
    old: int
    new: int
    reason: Reason
    text: str


def explain(rollout: xr.Dataset, trajectory: int, step: int | str, puzzle: int = 0) -> list[Change]:
    """What one transition changed on the board of one trajectory, each change with its reason; in order of position.

    Args:
        rollout: of a Sudoku task, of any size with boxes.
        trajectory: which trajectory, from 0.
        step: the transition, by its address ("7.2") or counted from 1, as the explorer's `go` takes them; step 0, the
            initial state, has changed nothing.
        puzzle: which puzzle, from 0.
    Raises:
        ExplainError: the task has no boxes, or there is no such puzzle, trajectory or step.
    """
    board = board_of(rollout)
    if not sudoku(board):
        raise ExplainError(f"the task is {board.task!r}; only Sudoku has rules that this explains")
    states = measure.ends(rollout)
    for name, index in (("puzzle", puzzle), ("trajectory", trajectory)):
        if not 0 <= index < states.sizes[name]:
            raise ExplainError(f"there is no {name} {index}; this rollout has 0 to {states.sizes[name] - 1}")
    last = states.sizes["step"] - 1
    addresses = {measure.address(states, k): k for k in range(last + 1)}
    at = addresses.get(step, -1) if isinstance(step, str) else step
    if not 0 <= at <= last:
        raise ExplainError(f"there is no step {step!r}; write 0 to {last}, or an address like {list(addresses)[-1]!r}")
    tokens = states["tokens"].values[puzzle, trajectory]
    return reasons(board, states["x"].values[puzzle], tokens[max(at - 1, 0)], tokens[at])


def sudoku(board: Board) -> bool:
    """Whether a board has boxes, which is what makes hidden singles and pointing digits what they are called here."""
    return board.box is not None and len(board.exclusive) == board.width == board.height


def reasons(
    board: Board, x: NDArray[np.integer], before: NDArray[np.integer], after: NDArray[np.integer]
) -> list[Change]:
    """Why each cell changed between two boards [position] of the puzzle x [position]; see the head of this module."""
    rules = _Rules(board)
    given = board.given(x)
    changed = np.flatnonzero(before != after).tolist()
    stood = np.where(given, x, before)
    known = [
        rules.digit(stood[k])
        if given[k] or (before[k] == after[k] and not any(stood[k] == stood[peer] for peer in rules.peers[k]))
        else 0
        for k in range(board.positions)
    ]
    options = rules.options(known)
    locked = rules.cross_out(options)
    solved = rules.solve(options) if changed else None

    def why(k: int) -> Reason:
        digit = rules.digit(after[k])
        if given[k]:
            return "given" if after[k] == x[k] else "contradicts"
        if not digit:
            return "erased"
        if not options[k] & digit:
            return "contradicts"
        if options[k] == digit:
            return "naked"
        for unit in rules.units[k]:
            if rules.only(options, unit, k, digit):
                return rules.kind(unit)
        if locked[k] == digit or any(rules.only(locked, unit, k, digit) for unit in rules.units[k]):
            return "locked"
        if solved and solved[k] == digit:
            other = [option & ~digit if k == at else option for at, option in enumerate(options)]
            if rules.solve(other) == []:
                return "rules"
        return "contradicts" if any(after[k] == after[peer] for peer in rules.peers[k]) else "guess"

    changes = []
    for k in changed:
        reason = why(k)
        place = board.place(k).capitalize()
        text = f"{place} became {board.tokens[after[k]].label}: {WHY[reason]}."
        changes.append(Change(k, int(before[k]), int(after[k]), reason, text))
    return changes


class _Rules:
    """The units of a board, and deductions over options: a set of digits for each cell, as bits."""

    def __init__(self, board: Board) -> None:
        self.width = board.width
        self.bits = {token: 1 << k for k, token in enumerate(board.exclusive)}
        self.every = (1 << len(self.bits)) - 1
        self.groups = sorted(board.groups, key=lambda unit: ("box", "row", "column").index(self.kind(unit)))
        self.units = [[unit for unit in self.groups if k in unit] for k in range(board.positions)]
        self.peers = [sorted({p for unit in units for p in unit} - {k}) for k, units in enumerate(self.units)]

    def digit(self, token: int) -> int:
        """The bit of a token, 0 for one that is no digit."""
        return self.bits.get(int(token), 0)

    def kind(self, unit: Sequence[int]) -> Literal["box", "row", "column"]:
        """What to call a unit."""
        rows, columns = ({f(k, self.width) for k in unit} for f in (int.__floordiv__, int.__mod__))
        return "row" if len(rows) == 1 else "column" if len(columns) == 1 else "box"

    def options(self, known: Sequence[int]) -> list[int]:
        """What each cell may hold beside the known ones, which hold one digit. 0: nothing fits."""
        return [known[k] or self.every & ~sum({known[peer] for peer in peers}) for k, peers in enumerate(self.peers)]

    @staticmethod
    def only(options: Sequence[int], unit: Sequence[int], k: int, digit: int) -> bool:
        """Whether k is the one cell of a unit that may hold a digit."""
        return all(bool(options[other] & digit) == (other == k) for other in unit)

    def cross_out(self, options: Sequence[int]) -> list[int]:
        """The options without what pairs and pointing digits exclude, until nothing more does."""
        left = list(options)
        while True:
            out = [0] * len(left)
            for unit in self.groups:
                for a, b in combinations(unit, 2):
                    if left[a] == left[b] and left[a].bit_count() == 2:
                        for k in unit:
                            out[k] |= left[a] * (k not in (a, b))
            for unit, other in permutations(self.groups, 2):
                both = set(unit) & set(other)
                if len(both) < 2:
                    continue
                rest = 0
                for k in unit:
                    rest |= left[k] * (k not in both)
                for k in other:
                    out[k] |= (self.every & ~rest) * (k not in both)
            # A digit that stands is left alone: what was known may be wrong, and is judged elsewhere.
            cut = [option & ~gone if option.bit_count() > 1 else option for option, gone in zip(left, out, strict=True)]
            if cut == left:
                return left
            left = cut

    def solve(self, options: Sequence[int]) -> list[int] | None:
        """A solution within the options: a bit for each cell. [] if there is none, None if `NODES` boards did not tell.

        The cell with the fewest digits is tried first, of equals the first, its digits from the lowest.
        """
        budget = NODES

        def search(left: list[int]) -> list[int] | None:
            nonlocal budget
            budget -= 1
            if budget < 0:
                return None
            if not self._settle(left):
                return []
            open_ = [k for k, option in enumerate(left) if option.bit_count() > 1]
            if not open_:
                return left
            at = min(open_, key=lambda k: left[k].bit_count())
            for bit in self.bits.values():
                if left[at] & bit:
                    found = search([bit if k == at else option for k, option in enumerate(left)])
                    if found != []:
                        return found
            return []

        return search(list(options))

    def _settle(self, left: list[int]) -> bool:
        """Fill in naked and hidden singles, in place, until none is left; whether each cell and digit has room."""
        queue = [k for k, option in enumerate(left) if option.bit_count() == 1]
        while queue:
            for k in queue:  # grows while it is read
                for peer in self.peers[k]:
                    if left[peer] & left[k]:
                        left[peer] &= ~left[k]
                        if left[peer].bit_count() == 1:
                            queue.append(peer)
            queue = []
            for unit in self.groups:
                once = twice = 0
                for k in unit:
                    twice |= once & left[k]
                    once |= left[k]
                if once != self.every:
                    return False
                for k in unit:
                    if (single := left[k] & once & ~twice) and left[k] != single:
                        left[k] = single
                        queue.append(k)
        return all(left)
