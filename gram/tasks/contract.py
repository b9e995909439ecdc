"""What every task promises: the contract tests of this project, and of whoever writes a task (`gram check-task`).

Each function of `CHECKS` takes a task and raises `ContractError` where it breaks a promise. They read its data, so give
a small configuration where the default is slow.
"""

from __future__ import annotations

import dataclasses
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from gram.board import Board
from gram.bounded import InputError
from gram.strict import ConfigError
from gram.strict import read as read_config
from gram.tasks.base import SPLITS, NoSolverError, Puzzles, Task, TaskError

NO_PUZZLES = ("", "   ", "?", "Q", "\n\n", "Q.\n.Q", "ö" * 49, "/" * 50)


class ContractError(InputError):
    """A promise that a task breaks; one sentence."""


def _hold(condition: Any, sentence: str) -> None:
    if not np.all(condition):
        raise ContractError(sentence)


def solver(task: Task) -> bool:
    """Whether the answers of this task can be searched for."""
    return type(task).solve is not Task.solve


def has_the_name_of_its_board(task: Task) -> None:
    _hold(task.board.task == task.name, f"its board says task {task.board.task!r} and its class {task.name!r}")
    _hold(Board.from_json(task.board.to_json()) == task.board, "its board is another one after JSON")


def has_puzzles_of_the_boards_shape_and_vocabulary(task: Task) -> None:
    for split in SPLITS:
        puzzles = task.puzzles(split)
        _hold(len(puzzles) > 0, f"the {split} split is empty")
        shape = (len(puzzles), task.board.positions)
        _hold(puzzles.x.shape == shape, f"x of {split} has shape {puzzles.x.shape}, not {shape}")
        _hold(len(puzzles.solutions) == len(puzzles), f"{split} has not one entry of `solutions` for each puzzle")
        for tokens in (puzzles.x, *puzzles.solutions):
            _hold(tokens.dtype == np.uint8, f"tokens of {split} are {tokens.dtype}, not uint8")
            _hold(tokens.max() < len(task.board.tokens), f"{split} holds token {tokens.max()}, which the board lacks")


def holds_out_what_is_tested(task: Task) -> None:
    seen: list[set[tuple[int, bytes, bytes]]] = []
    for split in SPLITS:
        puzzles = task.puzzles(split)
        books = np.zeros(len(puzzles), int) if puzzles.identifier is None else puzzles.identifier
        inputs = [(int(book), x.tobytes()) for book, x in zip(books, puzzles.x, strict=True)]
        _hold(len(set(inputs)) == len(inputs), f"an input comes twice in {split}")
        which, y = puzzles.pairs()
        seen.append({(*inputs[puzzle], solution.tobytes()) for puzzle, solution in zip(which, y, strict=True)})
    _hold(not seen[0] & seen[1], "a held-out input is trained on with the same answer")


def numbers_its_puzzle_embeddings(task: Task) -> None:
    for split in SPLITS:
        books = task.puzzles(split).identifier
        _hold(
            (books is None) is (task.identifiers == 0), f"`identifiers` is {task.identifiers}; {split} says otherwise"
        )
        if books is not None:
            _hold((books >= 0) & (books < task.identifiers), f"an identifier of {split} is not 0 to `identifiers` - 1")


def augments_to_what_is_right(task: Task) -> None:
    puzzles = task.puzzles("train")
    which, y = puzzles.pairs()
    chosen = np.random.default_rng(0).integers(len(which), size=64)
    x, y = puzzles.x[which[chosen]], y[chosen]
    new_x, new_y = task.augment(x, y, np.random.default_rng(1))
    same = new_x.dtype == new_y.dtype == np.uint8 and new_x.shape == x.shape and new_y.shape == y.shape
    _hold(same, "`augment` changes shape or dtype")
    _hold(task.judge(Puzzles(new_x, tuple(new_y[:, None])), new_y).valid, "an augmented pair is not right")
    again = task.augment(x, y, np.random.default_rng(1))
    _hold((again[0] == new_x).all() and (again[1] == new_y).all(), "`augment` draws from more than its rng")


def has_one_blank_puzzle_or_several_others(task: Task) -> None:
    for split in SPLITS:
        x = task.puzzles(split).x
        if task.blank_puzzle is None:
            _hold(len(x) > 1, f"{split} has one puzzle, and `blank_puzzle` is None")
        else:
            _hold(np.array_equal(x, task.blank_puzzle[None]), f"{split} is not the blank puzzle alone")
            _hold(~task.board.given(task.blank_puzzle), "the blank puzzle gives something")


def says_where_its_data_come_from(task: Task) -> None:
    said = task.source()
    _hold(said and "\n" not in said and not said.endswith("."), f"`source` is {said!r}; write a line without full stop")


def has_canonical_answers(task: Task) -> None:
    puzzles = task.puzzles("test")
    for x, found in list(zip(puzzles.x, puzzles.solutions, strict=True))[:20]:
        once = task.canonical(x, found[:50])
        _hold(np.array_equal(task.canonical(x, once), once), "the canonical form of a canonical answer is another one")
        _hold(len(np.unique(once, axis=0)) == len(once), "two listed solutions have one canonical form")
        _hold(task.check(x, once).valid, "a canonical answer is not right")


def lists_right_and_different_solutions(task: Task) -> None:
    for split in SPLITS:
        puzzles = task.puzzles(split)
        for x, found in zip(puzzles.x, puzzles.solutions, strict=True):
            _hold(len(found) >= 1, f"a puzzle of {split} has no solution")
            verdict = task.check(x, found)
            _hold(verdict.valid, f"a listed solution of {split} is not valid")
            _hold(~verdict.conflict, f"a listed solution of {split} has conflicts")
            _hold(len(np.unique(found, axis=0)) == len(found), f"a solution of {split} is listed twice")


def refuses_an_answer_that_drops_a_given(task: Task) -> None:
    puzzles = task.puzzles("test")
    if not task.ruled or not task.board.given(puzzles.x).any():
        return  # it gives nothing that an answer could drop, or knows no rules
    foreign, other = 0, puzzles.solutions[0]
    for x in puzzles.x:
        verdict = task.check(x, other)
        keeps = ((other == x) | ~task.board.given(x)).all(-1)
        _hold(
            verdict.valid == keeps, "a solution of another puzzle is valid though it drops a given, or not though not"
        )
        if not task.board.nodes:  # (the answer to one graph may well break the rules of another)
            _hold(~verdict.conflict, "a board that obeys every rule has conflicts")
        foreign += int((~keeps).sum())
    _hold(foreign > 0, "no puzzle of test gives anything that another's solution drops")


def judges_by_rules_where_it_has_them(task: Task) -> None:
    _hold(task.ruled or not task.board.ruled, "its board has rules, and `ruled` is False")
    if task.board.ruled:
        puzzles = task.puzzles("test").take([0])
        unknown = Puzzles(puzzles.x, (np.empty((0, task.board.positions), np.uint8),), complete=False)
        answers = np.stack([puzzles.solutions[0][0], puzzles.x[0]])[None]
        said = task.judge(unknown, answers).valid.tolist()
        _hold(said == [[True, False]], "without a known answer, rules do not tell a solution from its puzzle")


def judges_many_as_one(task: Task) -> None:
    count = min(3, len(task.puzzles("test")))
    puzzles = task.puzzles("test").take(range(count))
    answers = np.stack([np.stack([found[0], x]) for x, found in zip(puzzles.x, puzzles.solutions, strict=True)])
    together = task.check(puzzles.x[:, None], answers)
    shapes = together.valid.shape == (count, 2) and together.conflict.shape == answers.shape
    _hold(shapes, f"`check` of answers {answers.shape} gives {together.valid.shape} and {together.conflict.shape}")
    _hold(task.judge(puzzles, answers).valid == together.valid, "`judge` and `check` differ")
    for p, n in np.ndindex(count, 2):
        alone = task.check(puzzles.x[p], answers[p, n])
        same = np.array_equal(together.conflict[p, n], alone.conflict) and together.valid[p, n] == alone.valid
        _hold(same, "an answer is judged otherwise alone than among others")


def reads_back_what_it_writes(task: Task) -> None:
    for split in SPLITS:
        for x in task.puzzles(split).x[:50]:
            _hold(np.array_equal(task.parse(task.text(x)), x), f"`parse` does not read back {task.text(x)!r:.90}")


def solves_what_it_lists(task: Task) -> None:
    puzzles = task.puzzles("test")
    if not puzzles.complete or not solver(task):
        return  # nobody can list all solutions of this task
    for x, listed in zip(puzzles.x[:40], puzzles.solutions[:40], strict=True):
        found = task.solve(x)
        _hold(found.dtype == np.uint8, f"`solve` gives {found.dtype}, not uint8")
        same = np.array_equal(np.unique(found, axis=0), np.unique(listed, axis=0))
        _hold(same, "`solve` finds others than the listed solutions")


def stops_its_solver_at_the_limit(task: Task) -> None:
    puzzles = task.puzzles("train")
    if not solver(task):
        try:
            task.solve(puzzles.x[0])
        except NoSolverError:
            return
        raise ContractError("`solve` raises no NoSolverError")
    most = int(puzzles.counts.argmax())
    x = puzzles.x[most]
    if puzzles.counts[most] == 1:  # one answer each: the empty board has more
        x = np.full_like(x, task.board.blank[-1])
    everything = task.solve(x, 400)
    _hold(len(everything) > 1, "`solve` finds one answer where there are more")
    for limit in (1, 2, len(everything)):
        _hold(len(task.solve(x, limit)) == limit, f"`solve` with limit {limit} gives another number")


def has_equal_data_for_equal_configurations(task: Task) -> None:
    again = type(task)(task.config)  # type: ignore[call-arg]
    for split in SPLITS:
        _hold(task.puzzles(split).digest == again.puzzles(split).digest, f"{split} is another one when it is made anew")


def names_the_known_splits(task: Task) -> None:
    try:
        task.puzzles("validation")  # type: ignore[arg-type]
    except TaskError as error:
        known = "unknown split 'validation'; known: train, test" in str(error)
        _hold(known, f"an unknown split is {str(error)!r:.90}; call self._known_split(split)")
        return
    raise ContractError("an unknown split is no TaskError; call self._known_split(split)")


def refuses_a_text_that_is_no_puzzle(task: Task) -> None:
    for text in NO_PUZZLES:
        try:
            task.parse(text)
        except TaskError as error:
            _hold("\n" not in str(error), f"the error about {text[:20]!r} has several lines")
        else:
            raise ContractError(f"`parse` takes {text[:20]!r} for a puzzle; raise a TaskError")


CHECKS: tuple[Callable[[Task], None], ...] = (
    has_the_name_of_its_board,
    has_puzzles_of_the_boards_shape_and_vocabulary,
    holds_out_what_is_tested,
    numbers_its_puzzle_embeddings,
    augments_to_what_is_right,
    has_one_blank_puzzle_or_several_others,
    says_where_its_data_come_from,
    has_canonical_answers,
    lists_right_and_different_solutions,
    refuses_an_answer_that_drops_a_given,
    judges_by_rules_where_it_has_them,
    judges_many_as_one,
    reads_back_what_it_writes,
    solves_what_it_lists,
    stops_its_solver_at_the_limit,
    has_equal_data_for_equal_configurations,
    names_the_known_splits,
    refuses_a_text_that_is_no_puzzle,
)


def check(place: str, overrides: Iterable[str] = ()) -> Iterator[str]:
    """Run every check on the task `module:Class`; a line for each.

    Raises:
        ContractError: there is no such task, or it breaks a promise; the message names all that it breaks.
    """
    task = _opened(place, overrides)
    broken = []
    for one in CHECKS:
        name = one.__name__.replace("_", " ")
        try:
            one(task)
        except Exception as error:  # a task of others may raise whatever it likes
            what = "" if isinstance(error, ContractError) else f"{type(error).__name__}: "
            broken.append(f"{name}: {what}{' '.join(str(error).split())[:200]}")
            yield f"BROKEN  {broken[-1]}"
        else:
            yield f"kept    {name}"
    if broken:
        raise ContractError(f"{place} breaks {len(broken)} of {len(CHECKS)} promises; the lines above say which")


def _opened(place: str, overrides: Iterable[str]) -> Task:
    try:
        kind = pkgutil.resolve_name(place)
    except (ImportError, AttributeError, ValueError) as error:
        raise ContractError(
            f"{place!r} cannot be imported ({error}); write module:Class, e.g. lab.latin:Latin"
        ) from error
    except (Exception, SystemExit) as error:  # whatever code of others may raise
        why = " ".join(str(error).split())[:200]
        raise ContractError(f"{place!r} fails as it is imported ({type(error).__name__}: {why}); correct it") from error
    if not (isinstance(kind, type) and issubclass(kind, Task)):
        raise ContractError(f"{place} is no task; derive its class from gram.tasks.base.Task")
    values: dict[str, Any] = {}
    for assignment in overrides:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise ContractError(f"cannot read {assignment!r}; write key=value, e.g. size=6")
        default = {field.name: field.type for field in dataclasses.fields(kind.Config)}.get(name)
        values[name] = text if default in (str, "str") else _number(text)
    try:
        return kind(read_config(kind.Config, values))  # type: ignore[call-arg]
    except (ConfigError, TaskError) as error:
        raise ContractError(f"{place} cannot be made: {error}") from error
    except (Exception, SystemExit) as error:
        why = " ".join(str(error).split())[:200]
        raise ContractError(f"{place} cannot be made ({type(error).__name__}: {why}); correct it") from error


def _number(text: str) -> Any:
    """The value of an override: true, false, a number, or else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"true": True, "false": False}.get(text.lower(), text)
