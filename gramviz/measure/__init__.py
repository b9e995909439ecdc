"""Numbers from a rollout, with named dims: what the views draw, what the explorer packs, what a notebook may quote.

Everything takes rollouts (`gram.rollout`) and returns `xarray` objects or small dataclasses of them; nothing draws.
Values that name a moment are labels of the coordinate `step`, so they stay true after `ends` has dropped states.

Where the paper is silent the definition is ours and stands in the docstring: outcome, settled, parting, and that a
trajectory's answer is its last recorded state. `docs/analysis.md` tells how each is read, and its limits.
"""

from __future__ import annotations

from gramviz.measure.answer_space import AnswerSpace, answer_space
from gramviz.measure.basins import Basins, basins, border, on_plane
from gramviz.measure.components import BASES, COMPONENTS, Projection, cell_of, late_from, planes, project, projections
from gramviz.measure.control import random_walk
from gramviz.measure.landscapes import landscape, loss, shepard
from gramviz.measure.modes import DELAYED_SUCCESS, FAILURE, MODES, QUICK, QUICK_SUCCESS, modes, separation
from gramviz.measure.partings import Parting, parting, parting_of
from gramviz.measure.plain import band, changed_tokens, conflict_pairs, full, judged, token_counts
from gramviz.measure.positions import (
    Every,
    address,
    certainty,
    changed,
    distribution,
    ends,
    entropy,
    probability,
    second,
    shades,
    shown,
)
from gramviz.measure.puzzles import matched, per_puzzle
from gramviz.measure.reached import Answer, Answers, answers
from gramviz.measure.score import score_rows, telling
from gramviz.measure.trajectories import (
    CORRECT,
    DRAWN,
    NOT_FINISHED,
    OUTCOMES,
    REST,
    UNKNOWN,
    WRONG,
    conflicts,
    drift,
    first_correct,
    halted,
    halting,
    outcome,
    rest,
    settled,
    spread,
)

__all__ = [
    "BASES", "COMPONENTS", "CORRECT", "DELAYED_SUCCESS", "DRAWN", "FAILURE", "MODES", "NOT_FINISHED",
    "OUTCOMES", "QUICK", "QUICK_SUCCESS", "REST", "UNKNOWN", "WRONG", "Answer", "AnswerSpace", "Answers", "Basins",
    "Every", "Parting", "Projection", "address", "answer_space", "answers", "band", "basins",
    "border", "cell_of", "certainty", "changed", "changed_tokens", "conflict_pairs", "conflicts",
    "distribution", "drift", "ends", "entropy", "first_correct", "full", "halted", "halting", "judged", "landscape",
    "late_from", "loss", "matched", "modes", "on_plane", "outcome", "parting", "parting_of", "per_puzzle", "planes",
    "probability", "project", "projections", "random_walk", "rest", "score_rows", "second", "separation", "settled",
    "shades", "shepard", "shown", "spread", "telling", "token_counts",
]  # fmt: skip
