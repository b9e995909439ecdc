"""What N samples of each puzzle came to, counted per puzzle; and which puzzles to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gramviz.reports.blocks.estimates import Estimate, ratio


@dataclass(frozen=True)
class Scores:
    """What N samples of each puzzle came to; every field is one number per puzzle, [puzzle].

    Attributes:
        name: what a reader calls this run.
        samples: N.
        known: how many solutions exist.
        valid: share of the samples that obey every rule and keep the givens.
        found: distinct valid solutions among the samples.
        majority, value, oracle: whether the answer chosen in this way is valid (the oracle is a bound, not a method).
        steps: mean supervision steps that a sample took.
    """

    name: str
    samples: int
    known: NDArray[np.int64]
    valid: NDArray[np.float64]
    found: NDArray[np.int64]
    majority: NDArray[np.bool_]
    value: NDArray[np.bool_]
    oracle: NDArray[np.bool_]
    steps: NDArray[np.float64]

    @property
    def accuracy(self) -> Estimate:
        """Share of valid samples; a puzzle weighs as much as it has solutions (the protocol of `gram.evaluate`)."""
        return ratio(self.valid * self.known, self.known)

    @property
    def coverage(self) -> Estimate:
        """Distinct solutions found over solutions that exist, both summed over puzzles."""
        return ratio(self.found, self.known)

    @property
    def ceiling(self) -> float:
        """The best coverage of a model that gives one answer per puzzle: puzzles over solutions."""
        return float(len(self.known) / self.known.sum())


class Answers(Protocol):
    """What `gram.evaluate.answer` returns, as far as it is read here."""

    @property
    def tokens(self) -> NDArray[Any]:
        """Final answers [puzzle, trajectory, position]."""

    @property
    def value(self) -> NDArray[Any]:
        """The model's own estimate that each is right [puzzle, trajectory]."""

    @property
    def depth(self) -> NDArray[Any]:
        """Supervision steps taken [puzzle, trajectory]."""


def scores(
    name: str, answers: Answers, valid: NDArray[np.bool_], known: NDArray[np.integer], samples: int | None = None
) -> Scores:
    """Scores per puzzle from the final answers of a run.

    Args:
        valid: which answers are right [puzzle, trajectory].
        known: solutions that exist [puzzle].
        samples: look only at the first so many trajectories (they are the same however many are drawn).
    Raises:
        ValueError: the shapes do not fit.
    """
    tokens, value, steps = answers.tokens, answers.value, answers.depth
    if tokens.ndim != 3 or {valid.shape, value.shape, steps.shape} != {tokens.shape[:2]} or len(known) != len(tokens):
        shapes = ", ".join(str(array.shape) for array in (tokens, valid, value, steps, known))
        raise ValueError(
            f"tokens, valid, value, depth and known have shapes {shapes}; their puzzles and samples differ"
        )
    cut = slice(samples)
    tokens, valid, value, steps = tokens[:, cut], valid[:, cut], value[:, cut], steps[:, cut]
    found, majority = [], []
    for boards, right in zip(tokens, valid, strict=True):
        _, first, which, counts = np.unique(boards, axis=0, return_index=True, return_inverse=True, return_counts=True)
        found.append(len(np.unique(which.reshape(-1)[right])))
        # A tie goes to the answer that was drawn first.
        majority.append(right[first[counts == counts.max()].min()])
    best = value.argmax(1)
    return Scores(
        name=name,
        samples=tokens.shape[1],
        known=known.astype(np.int64),
        valid=valid.mean(1),
        found=np.array(found, dtype=np.int64),
        majority=np.array(majority, dtype=bool),
        value=np.take_along_axis(valid, best[:, None], 1)[:, 0],
        oracle=np.asarray(valid.any(1)),
        steps=steps.mean(1),
    )


def telling(result: Scores) -> dict[str, int]:
    """Three puzzles to look at, by the rule of `TELLING`: indices of a typical, the best and the worst one."""
    covered = result.found / result.known
    middle = np.median(covered)
    order = {
        "typical": np.lexsort(
            (-result.known, np.abs(result.valid - np.median(result.valid)), np.abs(covered - middle))
        ),
        "best": np.lexsort((-result.known, -result.valid, -covered)),
        "worst": np.lexsort((-result.known, covered, result.valid)),
    }
    return {name: int(indices[0]) for name, indices in order.items()}


TELLING = (
    "Typical: the share of solutions found is nearest to the median puzzle's (then the share of valid samples). "
    "Best: most of its solutions found (then most valid samples). Worst: fewest valid samples (then fewest solutions "
    "found). Ties go to the puzzle with more solutions, then to the lower index."
)
