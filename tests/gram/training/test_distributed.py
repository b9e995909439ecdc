"""One run on two processes is the run of one process; and when one process dies, the other says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from gram import checkpoint as store
from gram.checkpoint import METRICS, TRAINING
from gram.config import ConfigError
from gram.presets import preset
from gram.training.distributed import launch, lost
from gram.training.loop import train

# In float32, so that rounding does not hide a wrong share; with heads that end a phase alone.
EXACT = ["train.precision=float32", "train.steps=10", "train.head_steps=4", "train.check_every=7"]


SMALL = ["model.network.features=32", "model.network.hidden=32"]
RUNS = {
    "guided": ["debug", *EXACT],
    "posterior": ["debug", "train.no_grad_guidance=posterior", *EXACT],
    "through all steps": ["debug", "train.gradient_steps=0", *EXACT],
    "trm": ["debug", "model.kind=trm", *SMALL, *EXACT],
    "hrm": ["debug", "model.kind=hrm", *SMALL, *EXACT],
    **{kind: [f"debug-{kind}", *EXACT, "train.head_steps=0"] for kind in ("ar", "mdlm", "d3pm", "vae")},
}


def torchrun(tmp_path: Path, *program: str) -> subprocess.Popen[str]:
    """A program on two processes of this machine."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *program]
    return subprocess.Popen(
        command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all runs, trained one after the other by the same two processes: to start them costs the most."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "runs.py").write_text(
        "from gram.presets import preset\nfrom gram.training.loop import train\n"
        f"for name, (base, *overrides) in {RUNS!r}.items():\n"
        "    train(preset(base).override(overrides), name, quiet=True)\n"
    )
    run = torchrun(folder, "runs.py")
    _, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_two_processes_train_what_one_does(name: str, two: Path, one_thread: None, tmp_path: Path) -> None:
    base, *overrides = RUNS[name]
    folders = [train(preset(base).override(overrides), tmp_path / name, quiet=True), two / name]
    alone, shared = (store.read_tensors(folder / TRAINING)[0] for folder in folders)
    assert alone.keys() == shared.keys()
    for key in alone:
        rtol = 2**-7 if alone[key].dtype == torch.bfloat16 else 1e-3  # what is kept in bf16 may round to its neighbor
        torch.testing.assert_close(
            shared[key], alone[key], rtol=rtol, atol=2e-4, msg=lambda text, key=key: f"{key}: {text}"
        )
    lines = [[json.loads(line) for line in (folder / METRICS).read_text().splitlines()] for folder in folders]
    assert len(lines[0]) == len(lines[1])
    for first, second in zip(*lines, strict=True):
        assert first.keys() == second.keys()
        for key in first.keys() - {"seconds", "cpu_seconds", "held_out"}:
            assert second[key] == pytest.approx(first[key], rel=1e-2, abs=1e-4), key


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_killing_one_process_ends_the_other_in_one_sentence_and_the_checkpoint_resumes(
    victim: int, one_thread: None, tmp_path: Path
) -> None:
    run = torchrun(
        tmp_path, "-m", "gram.cli", "train", "debug", "train.steps=100000", "train.save_every=5", "-o", "two", "--quiet"
    )
    written = tmp_path / "two" / TRAINING
    deadline = time.monotonic() + 120
    while not written.is_file() and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.05)
    assert written.is_file(), run.communicate()[1] if run.poll() is not None else "no save within two minutes"
    workers = subprocess.run(["pgrep", "-P", str(run.pid)], capture_output=True, text=True, check=True).stdout.split()
    ranks = {
        int(dict(item.split("=", 1) for item in Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in item)
            ["RANK"]): int(pid)
        for pid in workers
    }  # fmt: skip
    os.kill(ranks[victim], signal.SIGKILL)
    _, err = run.communicate(timeout=120)
    assert run.returncode != 0
    said = [line for line in err.splitlines() if line.startswith("gram: ")]
    assert len(said) == 1, err
    assert "another process of this run ended at step" in said[0]
    step = int(store.read_tensors(written)[1]["step"])
    assert step >= 5
    alone = preset("debug").override(["train.steps=100000", "train.save_every=5"])
    train(alone, tmp_path / "two", minutes=1e-9, quiet=True)
    assert int(store.read_tensors(written)[1]["step"]) == step + 1


def test_rows_that_cannot_be_shared_equally_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match=r"train\.batch is 8, which 3 processes do not divide; choose a multiple"):
        launch(preset("debug").train)


def test_only_the_failure_of_a_collective_counts_as_a_lost_process() -> None:
    assert lost(RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:1234"))
    assert not lost(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
