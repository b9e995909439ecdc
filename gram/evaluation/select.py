"""Choosing one answer among many trajectories of one puzzle. GRAM, Section 3.4 and Fig. 4.

| selector | takes the trajectory with | source |
|---|---|---|
| `majority` | the most frequent answer; a tie goes to the one reached first | GRAM |
| `value` | the highest predicted correctness | LPRM of GRAM |
| `halt` | the highest halting probability | PTRM, arXiv 2605.19943 |
| `residual` | the smallest change of h in the last supervision step | EqR, arXiv 2605.21488 |
| `stability` | the answer that has stood unchanged for the most supervision steps | FRM, arXiv 2606.29150 |
| `rules` | an answer that obeys the rules of the task and keeps the givens | |
| `any` | a right answer, if there is one | |
| `votes` | ARC alone: one of two attempts, by the votes of all versions of a task | TRM (`gram.evaluation.attempts`) |

`any` knows which answers are right: it is the bound on all of them, not a method. `rules` knows no solution; it is
absent where the board has no rules that decide an answer (ARC, images), and reaches the bound where they decide it.
`residual` and `stability` are our readings. EqR takes the trajectories that converged best: its paper plots the
residual of its latents against accuracy, its code ranks by the mean change of the logits in the last steps; we take the
mean square of h's, to which GRAM's guidance adds its variance. Of FRM we know that an answer's stability is its
self-verification, not how it is measured; we count supervision steps. Both compare trajectories of equal depth: with
halting, one that stopped early had no time to settle.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import board_of

SELECTORS = ("majority", "value", "halt", "residual", "stability", "rules", "any")
VOTES = "votes"  # chosen among the answers to several puzzles, the versions of one
Scores = Mapping[str, NDArray[np.generic]]


def select(selector: str, tokens: NDArray[np.integer], scores: Scores) -> NDArray[np.intp]:
    """The index [puzzle] of the trajectory that is chosen for each puzzle; of equals, the first.

    Args:
        selector: one of the table above.
        tokens: [puzzle, trajectory, position], the final answers.
        scores: by selector, [puzzle, trajectory]; `majority` has none, of `residual` the lowest is chosen, of the
            others the highest.
    Raises:
        ValueError: unknown selector, or one without scores here.
    """
    if selector == "majority":
        return np.array([_most_frequent(answers) for answers in tokens], dtype=np.intp)
    if selector not in scores:
        known = ", ".join(name for name in SELECTORS if name == "majority" or name in scores)
        raise ValueError(f"there is no selector {selector!r} here; choose one of {known}")
    best = np.argmin if selector == "residual" else np.argmax
    return best(scores[selector], axis=1)


def candidates(rollout: xr.Dataset) -> tuple[NDArray[np.integer], dict[str, NDArray[np.generic]]]:
    """The last answers of a rollout's trajectories and what was recorded of them, for `select`.

    `select("residual", *candidates(rollout))` is what that selector chooses for each puzzle of the rollout.

    Returns:
        tokens [puzzle, trajectory, position], and by selector the scores [puzzle, trajectory] that its variables give.
        h is stored in float16, so residuals below 1e-3 of its size are rough.
    """
    step = rollout["supervision_step"].values
    ends = np.flatnonzero(np.diff(step, append=step[-1] + 1))  # the last record of each supervision step, and step 0
    tokens = rollout["tokens"].values[:, :, ends]
    same = (tokens[:, :, 2:] == tokens[:, :, 1:-1]).all(-1)[..., ::-1]  # backwards from the last supervision step
    scores = {name: rollout[name].values[:, :, -1] for name in ("value", "halt") if name in rollout}
    if "h" in rollout and len(ends) > 1:
        before, after = (rollout["h"].values[:, :, at].astype(np.float32) for at in ends[-2:])
        scores["residual"] = np.square(after - before).mean((-2, -1))
    scores["stability"] = np.cumprod(same, axis=-1).sum(-1)
    if "valid" in rollout:
        valid = rollout["valid"].values[:, :, -1]
        scores |= {"rules": valid, "any": valid} if board_of(rollout).ruled else {"any": valid}
    return tokens[:, :, -1], scores


def _most_frequent(tokens: NDArray[np.integer]) -> int:
    """The first of the trajectories [trajectory, position] with the most frequent answer."""
    _, first, counts = np.unique(tokens, axis=0, return_index=True, return_counts=True)
    return int(first[counts == counts.max()].min())
