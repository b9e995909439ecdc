"""Guesses and checks: a reader commits to an answer, and the data say what is so. No answer is no error."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from gramviz.reports.blocks.block import Block, number, svg, with_interval


def reveal(
    question: str,
    guess: float | None,
    truth: float,
    unit: str = "",
    scale: tuple[float, float] | None = None,
    interval: Sequence[float] | None = None,
) -> Block:
    """A guess and the truth in one picture: hollow diamond = guess, dot and bar = truth and its interval.

    Args:
        guess: None shows the truth alone, so that Run All and reports go through.
        scale: the ends of the axis; by default from 0 to a little beyond the larger of the two.
        interval: of the truth, if it has one.
    """
    ends = interval or (truth, truth)
    numbers = [*ends, *([] if guess is None else [float(guess)])]
    low, high = scale or (min(0.0, *numbers), max(1e-9, *numbers) * 1.15)
    unit = f" {unit}" if unit else ""
    shown = with_interval(truth, interval) if interval else number(truth)
    words = f"{question} Truth: {shown}{unit}."
    words += " No guess was made." if guess is None else f" Your guess: {number(float(guess))}{unit}."

    def x(value: float) -> float:
        return 20 + 560 * (min(max(value, low), high) - low) / (high - low)

    marks = f'<line x1="{x(ends[0]):.1f}" x2="{x(ends[1]):.1f}" y1="24" y2="24" class="bar"/>'
    marks += f'<circle cx="{x(truth):.1f}" cy="24" r="6" class="dot"/>'
    if guess is not None:
        at = x(float(guess))
        marks += f'<path d="M{at:.1f} 14 l9 10 l-9 10 l-9 -10 z" class="guess"/>'
    axis = f'<text x="20" y="58">{number(low)}</text>'
    axis += f'<text x="580" y="58" text-anchor="end">{number(high)}{html.escape(unit)}</text>'
    figure = svg(600, 64, f'<line x1="20" x2="580" y1="40" y2="40" class="axis"/>{marks}{axis}', words)
    legend = "Dot: truth" + (", bar: 95 % interval" if interval else "")
    legend += "." if guess is None else ", hollow diamond: your guess."
    return Block(
        f"<figure class='gram-figure'>{figure}<figcaption>{html.escape(words)} {legend}</figcaption></figure>", words
    )


def value(question: str, answer: float | None, truth: float, tolerance: float = 0.0, hint: str = "") -> Block:
    """Check a number against the computed truth; a miss says on which side it lies, not what is right."""
    if answer is None:
        return _verdict(question, None)
    if abs(float(answer) - truth) <= tolerance:
        return _verdict(
            question,
            True,
            f"{number(float(answer))} is right" + (f", within {number(tolerance)}" if tolerance else "") + ".",
        )
    side = "high" if answer > truth else "low"
    return _verdict(question, False, f"{number(float(answer))} is too {side}. {hint}")


def choose(question: str, answer: str | None, right: str, why: Mapping[str, str]) -> Block:
    """One of several; each choice, wrong or right, is answered with its reason, which a page holds in folds.

    Raises:
        ValueError: `right` is not among the choices.
    """
    if right not in why:
        raise ValueError(f"the right choice {right!r} has no reason; choices: {', '.join(why)}")
    if answer is None:
        folds = (
            f"<details><summary>{html.escape(choice)}</summary>{'Right' if choice == right else 'No'}: "
            f"{html.escape(reason)}</details>"
            for choice, reason in why.items()
        )
        asked = _verdict(question, None)
        return Block(f"{asked.html}<p>Or open your choice:</p>{''.join(folds)}", asked.text)
    if answer not in why:
        return _verdict(question, False, f"{answer!r} is no choice; choose one of {', '.join(why)}.")
    return _verdict(question, answer == right, why[answer])


def function(
    question: str,
    answer: Callable[..., Any] | None,
    cases: Sequence[tuple[tuple[Any, ...], float]],
    tolerance: float = 1e-9,
) -> Block:
    """Check a reader's function against cases (arguments, result); a miss says the first that fails, and how."""
    if answer is None:
        return _verdict(question, None)
    for arguments, expected in cases:
        given = ", ".join(map(str, arguments))
        try:
            found = float(answer(*arguments))
        except Exception as error:
            return _verdict(question, False, f"for {given} it raises {type(error).__name__}: {error}.")
        if not abs(found - expected) <= tolerance:
            return _verdict(question, False, f"for {given} it returns {number(found)}, not {number(expected)}.")
    return _verdict(question, True, f"it is right for all {len(cases)} cases.")


def find(question: str, answer: Any, accepted: Collection[Any], hint: str = "") -> Block:
    """Something found in the explorer, verified from the rollout; several finds may be right, or none exist."""
    if answer is None:
        return _verdict(question, None)
    if answer in accepted:
        more = len(accepted) - 1
        return _verdict(
            question, True, f"{answer} is right" + (f"; there are {more} more." if more else ", and the only one.")
        )
    return _verdict(
        question,
        False,
        f"{answer} is not one of them. {hint}" if accepted else f"There is none here, so {answer} cannot be one.",
    )


def _verdict(question: str, right: bool | None, words: str = "") -> Block:
    """✓, ✗ or ○ before the word that says the same."""
    mark, state = {True: ("✓", "Yes"), False: ("✗", "Not yet"), None: ("○", "Not tried yet")}[right]
    words = f": {words.strip()}" if words else "."
    shown = f"{html.escape(question)} <strong>{state}</strong>{html.escape(words)}"
    return Block(f"<p><span aria-hidden='true'>{mark}</span> {shown}</p>", f"{question} {state}{words}")
