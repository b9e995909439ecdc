"""Our training beside the prototype's, at equal CPU time and one thread each: `gram bench prototype`.

The prototype is a folder of scripts that is no part of this project. They run in a temporary folder on the puzzles of
our preset, and what both have learned answers the same held-out puzzles, without halting and with noise as trained.
Ours trains without its heads' phase, which no answer here reads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import gram
from gram.checkpoint import Checkpoint, build, load
from gram.config import RunConfig
from gram.evaluation.evaluate import answer
from gram.evaluation.metrics import Answers, difference, measure_puzzles, shown, summary, with_interval
from gram.inference.request import evenly
from gram.presets import preset
from gram.tasks import SPLITS, Puzzles, Task, TaskError
from gram.training.run import Run

STEPS = 16  # supervision steps of every answer
MEASURED = 0.05  # share of the time in which it is measured how long a step of ours takes
NAME = "bench"  # of the prototype's run


@dataclass(frozen=True)
class Case:
    """What is compared: our preset, CPU seconds, the prototype's folder and command, and samples per puzzle."""

    preset: str
    seconds: float
    folder: str
    command: str
    trajectories: int = 20
    limit: int = 240  # held-out puzzles, evenly chosen


_TIED = "train_tied.py --ev 2,1 --steps 1"  # its own evaluation as small as it can be
_SUDOKU = "train3.py --block Block4 --opt muon --adapt .7 --hard .4 --cool .75 --act .5 --act_end .15"
_QUEENS, _COLORING = "--task q --klt .06 --act .5 --act_end .1 --sym 0", "--task c --klt .15 --batch 64"
CASES = {
    "queens": Case("nqueens8-gram", 240, "queens_coloring", f"{_TIED} {_QUEENS}"),
    "coloring": Case("coloring8-gram", 110, "queens_coloring", f"{_TIED} {_COLORING}"),
    "sudoku": Case("sudoku9-extreme-trm", 900, "sudoku", _SUDOKU, trajectories=1),
    "sudoku-gram": Case("sudoku9-extreme-gram", 900, "sudoku", f"{_SUDOKU} --guided 1 --guided_at .12", trajectories=8),
}

_ANSWER_TIED = """
import numpy as np, torch, train_tied as T
saved = torch.load("runs/bench.pt", weights_only=False); a = saved["args"]
m = T.Model(a["task"], a["d"], a["hid"], a["K"], sigma0=a["sigma0"], guided=bool(a["guided"]))
m.load_state_dict(saved["ema"])
def run(x):
    e, c = m.embed(x); h, l = T.start(m, len(x))
    for _ in range(steps): h, l = m.step(e, c, h, l, 1.0)
    return T.answers(a["task"], m.z(h)).numpy()
x = T.load(a["task"])["test_x"]
"""
_ANSWER_SUDOKU = """
import numpy as np, torch, model as M, fast
saved = torch.load("runs/bench.pt", weights_only=False); a = saved["args"]
M.Block = getattr(fast, a["block"])
m = M.Model(a["d"], a["hid"], a["blocks"], a["K"], a["T"])
if a["guided"]: m.add_guidance()
m.load_state_dict(saved["ema"])
def run(x):
    x = x.long(); e = m.embed(x); h, l = m.start(len(x))
    for _ in range(steps): h, l, _ = m.step(e, h, l, noise=1.0 if m.guided else 0)
    return (m.decode(h).argmax(-1) + 2).numpy()
x = np.load("data.npz")["test_x"]
"""
_ANSWER = """
import sys; steps, width = int(sys.argv[1]), int(sys.argv[2])
{model}
torch.set_num_threads(1); torch.manual_seed(0)
rows = torch.from_numpy(x[np.load("chosen.npy")]).repeat_interleave(width, 0)
with torch.inference_mode(): found = [run(part) for part in rows.split(32)]
np.save("answers.npy", np.concatenate(found))
"""


def prototype(case: Case, folder: Path, budget: float | None = None) -> dict[str, Any]:
    """Train and score both: metrics of each with `cpu_seconds`, and by how much ours exceed theirs, paired by puzzle.

    Args:
        folder: the prototype; nothing is written there.
        budget: CPU seconds of each training instead of the case's.
    Raises:
        TaskError: there is no prototype in this folder, or a script of it fails.
    """
    scripts, seconds = folder.resolve() / case.folder, case.seconds if budget is None else budget
    if not scripts.is_dir():
        raise TaskError(f"{folder} has no {case.folder}, so it is not the prototype's folder; give it as --prototype")
    if not seconds > 0:
        raise TaskError(f"budget is {seconds:g}; it must be a positive number of CPU seconds")
    torch.set_num_threads(1)
    config = preset(case.preset)
    task, _ = build(config)
    puzzles = task.puzzles("test")
    chosen = evenly(len(puzzles), case.limit)
    with tempfile.TemporaryDirectory() as place:
        tokens, theirs = _theirs(case, scripts, Path(place), seconds, task, chosen)
        opened, ours = _ours(config, Path(place), seconds)
        found = answer(
            opened.model, puzzles.take(chosen), chosen, trajectories=case.trajectories, depths=[STEPS], halting=False,
            seed=0,
        )[STEPS]  # fmt: skip
    none = np.zeros(tokens.shape[:2], np.float32)  # of its own opinion of an answer
    blind = Answers(tokens, none, none, none, none.astype(np.int32), none.astype(np.int32), none.astype(np.bool_))
    scored = {
        "ours": ours | _score(task, puzzles, chosen, found),
        "prototype": theirs | _score(task, puzzles, chosen, blind),
    }
    gap = difference(scored["ours"], scored["prototype"])
    for part in scored.values():
        del part["per_puzzle"]
    above = {name: gap[name] for name in ("accuracy", "coverage")}
    return {"preset": case.preset, "budget": seconds, **scored, "ours_above": above}


def _theirs(
    case: Case, scripts: Path, place: Path, seconds: float, task: Task, chosen: np.ndarray
) -> tuple[np.ndarray, dict[str, float]]:
    """Tokens [puzzle, trajectory, position] of the prototype, and what its training took."""
    paths = [str(scripts), str(Path(gram.__file__).parents[1])]
    alone = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": os.pathsep.join(paths)}

    def run(*command: str) -> None:
        done = subprocess.run(
            [sys.executable, *command], cwd=place, env=os.environ | alone, capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise TaskError(f"the prototype's {Path(command[0]).name} failed: {last}")

    (place / "runs").mkdir()
    if case.folder == "sudoku":
        grids = {f"{split}_{key}": part for split in SPLITS for key, part in _grids(task.puzzles(split)).items()}
        np.savez(place / "data.npz", **grids)
    else:
        run(str(scripts / "prep.py"))
    script, *options = case.command.split()
    run(str(scripts / script), "--name", NAME, "--budget", str(seconds), *options)
    last = json.loads((place / "runs" / f"{NAME}.jsonl").read_text().splitlines()[-1])
    np.save(place / "chosen.npy", chosen)
    model = _ANSWER_SUDOKU if case.folder == "sudoku" else _ANSWER_TIED
    run("-c", _ANSWER.format(model=model), str(STEPS), str(case.trajectories))
    found = np.load(place / "answers.npy").reshape(len(chosen), case.trajectories, -1)
    if nodes := task.board.nodes:
        pairs = task.puzzles("test").x[chosen][:, None, nodes:].repeat(case.trajectories, 1)
        found = np.concatenate([found.reshape(*found.shape[:2], nodes, -1).argmax(-1) + 3, pairs], -1)
    elif found.dtype == bool:  # where a queen stands
        found = np.where(found, 2, 1)
    return found.astype(np.uint8), {"cpu_seconds": round(last["cpu"], 1), "steps": last["step"]}


def _grids(puzzles: Puzzles) -> dict[str, Any]:
    """Inputs, answers and ratings under the prototype's names."""
    return {"x": puzzles.x, "y": np.concatenate(puzzles.solutions), "r": puzzles.rating}


def _ours(config: RunConfig, place: Path, seconds: float) -> tuple[Checkpoint, dict[str, float]]:
    """Our trained model and what its training took, with as many steps as the time is measured to allow."""
    config = config.override(["train.head_steps=0"])
    run = Run(config, place / "measured")
    taken: list[float] = []
    while sum(taken) < MEASURED * seconds or len(taken) < 10:
        started = time.process_time()
        run.advance()
        taken.append(time.process_time() - started)
    steps = max(1, round(seconds / float(np.median(taken))))
    path = gram.train(config.override([f"train.steps={steps}"]), place / "ours", quiet=True)
    last = json.loads((path / "metrics.jsonl").read_text().splitlines()[-1])
    return load(path), {"cpu_seconds": last["cpu_seconds"], "steps": steps}


def _score(task: Task, puzzles: Puzzles, chosen: np.ndarray, found: Answers) -> dict[str, Any]:
    """Our metrics of these answers, over all of the puzzles, with the shares of each."""
    part = puzzles.take(chosen)
    valid = task.judge(part, found.tokens).valid
    tokens = task.canonical(part.x[:, None], found.tokens)
    each = measure_puzzles(part, replace(found, tokens=tokens), valid)
    every = np.arange(len(part))
    return summary(each, every) | {"per_puzzle": each.plain(every, [int(index) for index in chosen])}


def table(found: dict[str, Any]) -> str:
    """What `prototype` found, for a reader at a terminal."""
    lines = [
        f"{found['preset']} and the prototype, {found['budget']:g} CPU seconds each; in brackets intervals of 95 %"
    ]
    lines += [
        f"  {name:10} {part['cpu_seconds']:8.1f} s {part['steps']:7} steps   accuracy {shown(part, 'accuracy')}   "
        f"coverage {shown(part, 'coverage')}   {part['inputs']} inputs"
        for name, part in ((name, found[name]) for name in ("ours", "prototype"))
    ]
    above = found["ours_above"].items()
    gaps = [f"{name} {with_interval(gap['difference'], gap['interval'], '+')}" for name, gap in above]
    return "\n".join([*lines, f"  ours above {'   '.join(gaps)}"])
