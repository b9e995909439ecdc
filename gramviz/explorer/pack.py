"""From rollouts to the small binary payload of the explorer; `docs/payload.md` is the contract with the page.

One puzzle of one to four rollouts becomes `meta`, a JSON object, and `data`, one zlib-compressed buffer of quantized
arrays. What needs a decision (a basis, the letters of the answers, what "settled" means) is computed here, by
`gramviz.measure`; what depends on a gesture is computed in the page. Nothing is dropped silently: what does not fit the
budget is refused with the fix, and what the caller allowed to drop is said in `left_out`.

Equal rollouts and arguments give equal bytes. Every text in `meta` may come from a stranger's file, so control and
direction characters are removed and long texts cut; the page writes them as text only.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.rollout import RolloutError, board_of, check, config_of, digest
from gramviz import measure
from gramviz.contract import CONTRACT
from gramviz.explorer.answers import answer_space
from gramviz.explorer.extra import boarded, extra_bases, extra_meta, is_bare, pack_extras
from gramviz.explorer.low import low_maps, low_steps
from gramviz.explorer.maps import maps
from gramviz.explorer.payload import LETTERS, NONE, PackError, Payload, PayloadWriter, clean_tree, fraction
from gramviz.explorer.puzzles import fix, list_puzzles, puzzle_meta
from gramviz.measure import Every
from gramviz.measure.pair import pair

LEVELS = ("Supervision step", "Transition", "Low-level step")
_CERTAINTY_LEVELS = CONTRACT["payload"]["certainty_levels"]
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Packing:
    """What is packed of some rollouts; see `pack`. The puzzle of series from `own` on may be an edited one."""

    budget: str | float | None = "4 MB"
    share_h: bool = False
    second: bool = True
    every: Every = "transition"
    trajectories: int | None = None
    planes_of: tuple[int, ...] = ()
    own: int = len(LETTERS)


def pack(
    rollouts: xr.Dataset | Sequence[xr.Dataset],
    *,
    puzzle: int | Sequence[int] = 0,
    names: Sequence[str] | None = None,
    budget: str | float | None = "4 MB",
    share_h: bool = False,
    second: bool = True,
    every: Every = "transition",
    trajectories: int | None = None,
    planes_of: Sequence[int] = (),
) -> Payload:
    """The payload of one puzzle of one to four rollouts, which become the series A to D.

    Args:
        rollouts: one, or several of the same puzzle.
        puzzle: 0-based index of the puzzle, one for all rollouts or one each.
        names: what a reader calls the series; by default each rollout's `name`, else its `model`.
        budget: most bytes of the compressed payload, as "4 MB" (1 MB = 10^6 bytes) or a number; None for no limit.
        share_h: draw the h of different checkpoints in one plane. Their distances mean nothing, and the page says so.
        second: keep the runner-up token of each cell.
        every: keep each `transition`, or only the last one of each `supervision` step.
        trajectories: keep at most this many of each series, evenly chosen (the first is always among them).
        planes_of: positions whose own h gets a plane too, "PCA of cell r4c6". Each is 15 kB for 50 trajectories of 49
            states, and all 81 of a Sudoku would be more than the rest, so they are asked for.
    Raises:
        PackError: not 1 to 4 rollouts, different puzzles or boards, or more than the budget.
        RolloutError: one of them is not a legal rollout.
        ValueError: an argument out of its range.
    """
    several = [rollouts] if isinstance(rollouts, xr.Dataset) else list(rollouts)
    return packed(several, puzzle, names, Packing(budget, share_h, second, every, trajectories, tuple(planes_of)))


def packed(
    rollouts: Sequence[xr.Dataset], puzzle: int | Sequence[int], names: Sequence[str] | None, packing: Packing
) -> Payload:
    """As `pack`."""
    rollouts = [boarded(check(rollout)) for rollout in rollouts]
    chosen = _same_puzzle(rollouts, puzzle, packing.own)
    planes = _own_planes(rollouts, chosen, packing.planes_of)
    limit, trajectories = _bytes(packing.budget), packing.trajectories
    if trajectories is not None and trajectories < 1:
        raise ValueError(f"trajectories={trajectories} leaves nothing to see; pass 1 or more")
    if names is not None and len(names) != len(rollouts):
        raise ValueError(f"{len(names)} names for {len(rollouts)} rollouts; give one each")
    payload = _pack(rollouts, chosen, names, planes, packing)
    if limit is None or payload.size <= limit:
        return payload
    # Only now, when there is something to say, is the price of each way out worked out.
    fits = f"budget='{_megabytes(_next_budget(payload.size))}'"
    ways = {
        "every='supervision'": replace(packing, every="supervision"),
        "second=False": replace(packing, second=False),
    }
    if max(len(_evenly(one.sizes["trajectory"], trajectories)) for one in rollouts) > 50:
        ways["trajectories=50"] = replace(packing, trajectories=50)
    for words, smaller in ways.items():
        if smaller == packing:
            continue
        size = _pack(rollouts, chosen, names, planes, smaller).size
        if size < 0.8 * payload.size:
            fits = f"{words} ({_megabytes(size)}) or {fits}"
            break
    what = "This rollout packs" if len(rollouts) == 1 else "These rollouts pack"
    raise PackError(f"{what} to {_megabytes(payload.size)}, over {_megabytes(limit)}. Pass {fits}.")


# ------------------------------------------------------------------------------------------------------------- checking
def _sized(board: Board) -> str:
    """A board as a message names it; of a recording, whose title says little, its size too."""
    if board.task == "none":
        return "none (a recording without answers)"
    size = f" of {board.height} x {board.width} and {len(board.tokens)} tokens" if board.task == "recording" else ""
    return f"{board.title}{size}"


def _same_puzzle(rollouts: Sequence[xr.Dataset], puzzle: int | Sequence[int], own: int) -> list[int]:
    """The index of the puzzle in each series, after it was checked that they all show the same one."""
    count = len(rollouts)
    if not 1 <= count <= len(LETTERS):
        raise PackError(f"the explorer shows 1 to {len(LETTERS)} rollouts, not {count}. Pass fewer, or open two.")
    chosen = [puzzle] * count if isinstance(puzzle, int | np.integer) else list(puzzle)
    if len(chosen) != count:
        raise ValueError(f"{len(chosen)} puzzle indices for {count} rollouts; give one, or one for each")
    for letter, rollout, p in zip(LETTERS, rollouts, chosen, strict=False):
        if not 0 <= p < rollout.sizes["puzzle"]:
            raise PackError(f"{letter} has no puzzle {p}; choose puzzle=0 to {rollout.sizes['puzzle'] - 1}.")
        if (kinds := len(board_of(rollout).tokens)) > 256:
            raise PackError(f"{letter} has {kinds} kinds of token; the explorer shows up to 256.")
    first = board_of(rollouts[0])
    for letter, rollout, p in zip(LETTERS[1:], rollouts[1:], chosen[1:], strict=False):
        board = board_of(rollout)
        if board != first:
            raise PackError(
                f"A and {letter} show different boards: {_sized(first)}, {_sized(board)}. Compare one task."
            )
        wanted = rollouts[0]["x"].values[chosen[0]]
        if (rollout["x"].values[p] != wanted).any() and LETTERS.index(letter) < own:
            where = np.flatnonzero((rollout["x"].values == wanted).all(1))
            fix = f"puzzle=({chosen[0]}, {where[0]})" if len(where) and count == 2 else "puzzle=…"
            shown = f"puzzle {chosen[0] + 1}, puzzle {p + 1}"
            raise PackError(f"A and {letter} show different puzzles: {shown}. Choose one with {fix}")
    return [int(p) for p in chosen]


def _own_planes(rollouts: Sequence[xr.Dataset], chosen: Sequence[int], cells: Sequence[int]) -> tuple[str, ...]:
    """The bases of the cells that get a plane of their own, in order and once each."""
    if not cells:
        return ()
    both = pair(rollouts, chosen)
    board = both.board if both else board_of(rollouts[0])
    if not any("h" in rollout for rollout in rollouts):
        raise PackError(f"a plane of one cell needs h: {fix(rollouts[0], 'h')}.")
    last = (board.nodes or board.height * board.width) - 1
    for cell in cells:
        if not 0 <= cell <= last:
            raise ValueError(f"there is no cell {cell}; choose 0 to {last}")
    return tuple(f"cell{cell}" for cell in sorted(set(cells)))


# -------------------------------------------------------------------------------------------------------------- packing
def _pack(
    whole: Sequence[xr.Dataset],
    chosen: Sequence[int],
    names: Sequence[str] | None,
    planes: Sequence[str],
    packing: Packing,
) -> Payload:
    both = pair(whole, chosen)  # of ARC: input and answer, each cut to its grid
    kept = [_evenly(rollout.sizes["trajectory"], packing.trajectories) for rollout in whole]
    full = [rollout.isel(puzzle=slice(p, p + 1)) for rollout, p in zip(whole, chosen, strict=True)]
    if packing.trajectories is not None:
        full = [rollout.isel(trajectory=keep) for rollout, keep in zip(full, kept, strict=True)]
    rollouts = [measure.ends(rollout, packing.every) for rollout in full]
    drawn = [both.cut(rollout) if both else rollout for rollout in rollouts]
    answers = measure.answers(drawn)
    writer = PayloadWriter()
    metas = []
    for i, (letter, rollout) in enumerate(zip(LETTERS, rollouts, strict=False)):
        writer.series, missing = letter, dict[str, str]()
        _boards(writer, drawn[i], missing, packing.second)
        _curves(writer, rollout, drawn[i], missing)
        pack_extras(writer, drawn[i])
        _endings(writer, rollout, full[i], answers.final[i].values, answers.at[i].values, missing)
        updates = low_steps(writer, both.cut(full[i]) if both else full[i], rollout, missing)
        if is_bare(rollout):
            missing.clear()  # a list of what models record would hide the little that this loop has
        metas.append(_series_meta(letter, rollout, whole[i], kept[i], updates, missing, names[i] if names else None))
        if not both and (rollout["x"].values != rollouts[0]["x"].values).any():
            metas[-1]["x"] = measure.shown(rollout)["x"].values[0].tolist()
    space, bases, opening = answer_space(writer, drawn, answers)
    if is_bare(whole[0]):
        bases = []
    bases += maps(writer, rollouts, packing.share_h, ("h", *extra_bases(rollouts)))
    bases += low_maps(writer, full, rollouts, packing.share_h)
    # The cells that a page counts are those that are drawn: of ARC the answer's, wherever on the canvas it lies.
    of_cells = [both.with_latents(rollout) if both else rollout for rollout in rollouts] if planes else rollouts
    bases += maps(writer, of_cells, packing.share_h, planes)
    list_puzzles(writer, whole)
    meta = puzzle_meta(whole, chosen[0], both) | {
        "levels": _levels(whole),
        "series": metas,
        "answers": [_answer_meta(answer) for answer in answers.found],
        "bases": bases,
        "default_basis": next((one["name"] for one in bases), None) if is_bare(whole[0]) else opening,
        "extra": extra_meta(rollouts),
        "answer_space": space,
        "left_out": _left_out(whole, rollouts, metas, packing),
    }
    meta["missing"] |= {
        name: text for name, text in metas[0]["missing"].items() if all(name in one["missing"] for one in metas)
    }
    # Cleaned before the arrays' own entries are added: those names are ours.
    raw = writer.data()
    return Payload(
        clean_tree(meta) | {"arrays": writer.entries, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()},
        zlib.compress(raw, 6),
    )


def _answer_meta(answer: measure.Answer) -> dict[str, Any]:
    return {
        "letter": answer.letter or None,
        "tokens": answer.tokens.tolist(),
        "valid": answer.valid,
        "conflicts": answer.conflicts,
        "counts": dict(zip(LETTERS, answer.counts, strict=False)),
    }


def _boards(writer: PayloadWriter, rollout: xr.Dataset, missing: dict[str, str], second: bool) -> None:
    drawn = measure.shown(rollout)
    writer.add("tokens", drawn["tokens"].values[0].astype(np.uint8), delta=True)
    if "probability" in rollout or "logits" in rollout:
        writer.add("certainty", fraction(measure.certainty(rollout).values[0], _CERTAINTY_LEVELS))
        if second:
            runner_up = measure.second(rollout)
            writer.add("second", runner_up["token"].values[0].astype(np.uint8))
            writer.add("second_certainty", fraction(runner_up["probability"].values[0], _CERTAINTY_LEVELS))
    if board_of(rollout).kind == "image":  # `valid` then says only that nothing is blank, which `outcome` tells
        rollout = rollout.drop_vars(["conflict", "valid"], errors="ignore")
        missing["conflict"] = missing["valid"] = "A picture is neither right nor wrong."
    if is_bare(rollout):
        return
    for name in ("probability", "conflict", "valid"):
        known = name in missing or (name == "probability" and "logits" in rollout)
        if not known and (sentence := fix(rollout, name)):
            missing[name] = sentence
    if "conflict" in rollout:
        writer.add("conflict", np.packbits(drawn["conflict"].values[0], axis=-1, bitorder="little"))
    if "valid" in rollout:
        writer.add("valid", rollout["valid"].values[0].astype(np.uint8))


def _curves(writer: PayloadWriter, rollout: xr.Dataset, drawn: xr.Dataset, missing: dict[str, str]) -> None:
    """Pack the curves of a series; those of single cells from what is `drawn` of it."""
    if "probability" in rollout or "logits" in rollout:
        writer.curve("certainty", measure.certainty(drawn).mean("position").values[0])
    if not is_bare(rollout):
        writer.curve("changed", measure.changed(drawn).sum("position").values[0])
    try:
        writer.curve("conflicts", measure.conflicts(drawn).values[0])
    except RolloutError as error:
        missing.setdefault("conflict", str(error))
    if "h" in rollout:
        writer.curve("drift", measure.drift(rollout).values[0])
        if rollout.sizes["trajectory"] > 1:
            writer.curve("spread", measure.spread(rollout).values)
        else:
            missing["spread"] = "one trajectory has no spread"
    for name in ("h", "halt", "value", "kl"):
        if sentence := fix(rollout, name):
            missing[name] = sentence
        elif name != "h":
            writer.curve(name, rollout[name].values[0])


def _endings(
    writer: PayloadWriter,
    rollout: xr.Dataset,
    full: xr.Dataset,
    final: NDArray[np.integer],
    at: NDArray[np.integer],
    missing: dict[str, str],
) -> None:
    """What became of each trajectory. Judged on every recorded state, so that thinning does not change the verdict."""
    writer.add("answer", np.where(at < 0, NONE, at).astype(np.uint16))
    writer.add("final", final.astype(np.uint16))
    writer.add("outcome", measure.outcome(rollout).values[0])
    # a trajectory of few steps neither rests nor wanders
    if "h" in rollout and np.isfinite(still := measure.rest(full).values[0]).all():
        writer.add("settled", (still <= measure.REST).astype(np.uint8))
    if "halted_at" in full or "halt" in full:
        labels = measure.halted(full).values[0]
        # A model that writes "halts" where it ends anyway.
        if not measure.halting(full) or (labels == full["step"].values[-1]).all():
            return
        index = np.searchsorted(rollout["step"].values, labels)  # the first kept state from then on
        index = index.clip(max=rollout.sizes["step"] - 1)
        writer.add("halted", np.where(labels < 0, -1, index).astype(np.int16))
    else:
        missing["halt"] = str(fix(rollout, "halt"))


# ----------------------------------------------------------------------------------------------------------------- meta
def _series_meta(
    letter: str,
    rollout: xr.Dataset,
    whole: xr.Dataset,
    kept: NDArray[np.integer],
    low_steps: int,
    missing: dict[str, str],
    name: str | None,
) -> dict[str, Any]:
    attrs = whole.attrs
    thinned = len(kept) < whole.sizes["trajectory"]
    return {
        "letter": letter,
        "name": name or str(attrs.get("name") or attrs["model"]),
        "model": str(attrs["model"]),
        "task": str(attrs["task"]),
        "trajectories": len(kept),
        "all_trajectories": whole.sizes["trajectory"],
        "kept": kept.tolist() if thinned else None,
        "steps": rollout.sizes["step"],
        "checkpoint": str(attrs.get("checkpoint", "")),
        "commit": str(attrs.get("commit", "")),
        "mode": str(attrs["mode"]),
        "seed": int(attrs["seed"]),
        "created_at": str(attrs.get("created_at", "")),
        "hash": whole.encoding.get("digest") or digest(whole),
        "supervision_step": rollout["supervision_step"].values.tolist(),
        "transition": rollout["transition"].values.tolist(),
        "low_steps": low_steps,
        "missing": missing,
        **_deeper(whole),
    }


def _deeper(whole: xr.Dataset) -> dict[str, int]:
    """{"depth": the supervision steps that the model's configuration runs} where fewer were recorded."""
    try:
        inference = config_of(whole).get("inference")
    except RolloutError:
        return {}
    depth = inference.get("supervision_steps") if isinstance(inference, dict) else None
    return {"depth": depth} if isinstance(depth, int) and depth > whole["supervision_step"].values.max() else {}


def _left_out(
    whole: Sequence[xr.Dataset], rollouts: Sequence[xr.Dataset], metas: Sequence[dict[str, Any]], packing: Packing
) -> list[str]:
    said = []
    for meta in metas:
        if meta["kept"] is not None:
            said.append("{letter}: {trajectories} of {all_trajectories} trajectories, evenly chosen.".format(**meta))
    if packing.every == "supervision":
        for meta, rollout, kept in zip(metas, whole, rollouts, strict=True):
            before = int((rollout["low_step"].values == 0).sum())
            if kept.sizes["step"] < before:
                states = f"{kept.sizes['step']} of {before} states"
                said.append(f"{meta['letter']}: {states}, the last of each supervision step.")
    if not packing.second and any("probability" in rollout or "logits" in rollout for rollout in rollouts):
        said.append("The second most probable token of each cell.")
    return said


def _levels(rollouts: Sequence[xr.Dataset]) -> list[str]:
    """The model's words for its time levels; of several series those of the one with most levels."""
    known = [list(map(str, json.loads(rollout.attrs["levels"]))) for rollout in rollouts if rollout.attrs.get("levels")]
    return max(known, key=len) if known else list(LEVELS)


def _evenly(count: int, most: int | None) -> NDArray[np.int64]:
    """Indices of at most `most` of `count` trajectories, evenly spread, 0 among them."""
    if most is None or most >= count:
        return np.arange(count)
    return np.arange(most) * count // most


def _bytes(budget: str | float | None) -> float | None:
    if budget is None or isinstance(budget, int | float):
        return budget
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(kB|KB|MB|GB)\s*", budget)
    if not match:
        raise ValueError(f"budget {budget!r} is not a size; write '4 MB', '500 kB' or a number of bytes")
    return float(match[1]) * {"KB": 1e3, "MB": 1e6, "GB": 1e9}[match[2].upper()]


def _megabytes(size: float) -> str:
    return f"{size / _MEGABYTE:.2g} MB" if size < 10 * _MEGABYTE else f"{size / _MEGABYTE:.0f} MB"


def _next_budget(size: float) -> float:
    """The next power of two of MB that holds `size`."""
    return float(2 ** max(0, int(np.ceil(np.log2(size / _MEGABYTE))))) * _MEGABYTE
