"""Training: what each row sees, what is measured, and that a run goes on as if nothing had happened."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from full import tries

from gram import checkpoint as store
from gram import run_folder
from gram.checkpoint import CONFIG, METRICS, TRAINING, WEIGHTS, CheckpointError
from gram.config import ConfigError, RunConfig
from gram.models import Model
from gram.presets import preset
from gram.training import losses
from gram.training.kl_control import KLController
from gram.training.loop import train
from gram.training.run import Run


def config(*overrides: str) -> RunConfig:
    return preset("debug").override(overrides)


def adapted(settings: RunConfig, weight: float, step: int, rate: float) -> float:
    """The one KL weight of all supervision steps after an optimizer step with this information rate."""
    found = KLController(settings.train)
    found.restore(weight)
    found.update(np.ones(1, dtype=int), np.array([rate]), step)
    return float(found.values[0])


def measured(path: Path) -> list[dict[str, Any]]:
    """The metrics of a run without the clock."""
    lines = [json.loads(line) for line in (path / METRICS).read_text().splitlines()]
    return [{name: value for name, value in line.items() if "seconds" not in name} for line in lines]


def assert_same_run(one: Path, other: Path) -> None:
    """Weights and everything that decides the future, bit for bit, and every measurement."""
    for name in (WEIGHTS, TRAINING):  # not the bytes of the files: safetensors writes its metadata in any order
        (ours, mine), (theirs, yours) = (store.read_tensors(path / name) for path in (one, other))
        assert mine["step"] == yours["step"]
        assert mine["sha256"] == yours["sha256"], [key for key in ours if not torch.equal(ours[key], theirs[key])]
    assert measured(one) == measured(other)


class TestResume:
    """A run that was stopped ends as one that was not."""

    def test_the_same_run_twice_is_the_same_run(self, debug_checkpoint: Path, tmp_path: Path) -> None:
        assert_same_run(train(config(), tmp_path / "run", quiet=True), debug_checkpoint)

    def test_another_seed_is_another_run(self, debug_checkpoint: Path, tmp_path: Path) -> None:
        path = train(config("seed=1"), tmp_path / "run", quiet=True)
        assert store.load(path).digest != store.load(debug_checkpoint).digest

    def test_a_run_stopped_by_the_clock_after_every_single_step(
        self, debug_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for step in range(1, 16):  # across the boundary to the head phase, at 12
            train(config(), tmp_path / "run", minutes=1e-9, quiet=True)
            assert store.load(tmp_path / "run").step == step
            assert f"stopped at step {step} of 16; the same command resumes" in capsys.readouterr().err
        assert_same_run(train(config(), tmp_path / "run", quiet=True), debug_checkpoint)

    @pytest.mark.parametrize("write", range(1, 13))
    def test_a_run_killed_before_each_of_its_writes(
        self, write: int, debug_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Writes of a run: its configuration, then weights and training state at steps 4, 8, 12 and 16, snapshots at 0,
        6 and 12."""

        class Killed(BaseException):
            pass

        count, whole = 0, store.write_atomic

        def write_or_die(path: Path, content: bytes | str) -> None:
            nonlocal count
            count += 1
            if count == write:
                raise Killed
            whole(path, content)

        monkeypatch.setattr(store, "write_atomic", write_or_die)
        with pytest.raises(Killed):
            train(config(), tmp_path / "run", quiet=True)
        monkeypatch.undo()
        if (tmp_path / "run").exists():
            with (tmp_path / "run" / METRICS).open("a") as file:
                file.write('{"step": 3, "tok')  # the line at which it died
        assert_same_run(train(config(), tmp_path / "run", quiet=True), debug_checkpoint)

    def test_ctrl_c_stops_between_two_steps(
        self, debug_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        advance = Run.advance

        def interrupted(run: Any) -> dict[str, float]:
            if run.step == 4:
                os.kill(os.getpid(), signal.SIGINT)
            return advance(run)

        monkeypatch.setattr(Run, "advance", interrupted)
        before = signal.getsignal(signal.SIGINT)
        train(config(), tmp_path / "run", quiet=True)
        assert signal.getsignal(signal.SIGINT) is before
        monkeypatch.undo()
        assert store.load(tmp_path / "run").step == 5
        assert_same_run(train(config(), tmp_path / "run", quiet=True), debug_checkpoint)

    @pytest.mark.parametrize("true", [bool, np.bool_, torch.tensor])
    def test_who_watches_sees_each_line_and_may_stop_the_run(
        self, true: Callable[[bool], Any], debug_checkpoint: Path, tmp_path: Path
    ) -> None:
        seen: list[dict[str, Any]] = []

        def until_step_6(line: dict[str, Any]) -> Any:
            seen.append(line)
            return true(line["step"] == 6)

        path = train(config(), tmp_path / "run", quiet=True, watch=until_step_6)
        assert store.load(path).step == 6

        def counted(line: dict[str, Any]) -> Any:
            seen.append(line)
            return 1  # is no True

        train(config(), path, quiet=True, watch=counted)
        assert seen == run_folder.lines(path)
        assert_same_run(path, debug_checkpoint)
        with pytest.raises(ConfigError, match="watch is 5; give a function"):
            train(config(), tmp_path / "new", watch=5)  # type: ignore[arg-type]
        assert not (tmp_path / "new").exists()
        with pytest.raises(ConfigError, match="watch is called in the process that trains"):
            train(config(), path, watch=print, wait=False)

    def test_a_finished_run_stays_as_it_is(self, debug_checkpoint: Path, tmp_path: Path) -> None:
        copy = Path(shutil.copytree(debug_checkpoint, tmp_path / "run"))
        assert_same_run(train(config(), copy, quiet=True), debug_checkpoint)

    @pytest.mark.parametrize(
        "change",
        [
            "model.kind=trm", "train.no_grad_guidance=posterior", "train.prior_rows=0", "train.kl_target=0.01",
            "model.low_steps=0", "model.guidance=zero-sigma", "train.gradient_steps=0",
        ],
    )  # fmt: skip
    def test_every_kind_of_run_can_be_resumed(self, change: str, tmp_path: Path) -> None:
        other = replace(config(change), model=preset("debug-trm").model) if "trm" in change else config(change)
        whole = train(other, tmp_path / "whole", quiet=True)
        for _ in range(3):
            train(other, tmp_path / "parts", minutes=1e-9, quiet=True)
        assert_same_run(train(other, tmp_path / "parts", quiet=True), whole)

    @pytest.mark.slow
    def test_a_process_killed_at_random_moments(self, tmp_path: Path) -> None:
        """`kill -9` at moments that a seed and the scheduler choose: while it starts, between steps, while it saves."""
        context, rng, folder = multiprocessing.get_context("forkserver"), np.random.default_rng(0), tmp_path / "killed"
        context.set_forkserver_preload(["gram.training.loop"])  # torch is imported once
        killed = dict.fromkeys(("starting", "training", "saving"), 0)
        runs = 1

        def trains(path: Path) -> Any:
            settings = config("train.steps=120", "train.save_every=2", "train.check_every=60", f"seed={runs}")
            process = context.Process(target=train, args=(settings, path), kwargs={"quiet": True})
            process.start()
            return process

        def finish() -> None:
            for path in (folder, tmp_path / "whole"):
                process = trains(path)
                process.join()
                assert process.exitcode == 0
            assert_same_run(folder, tmp_path / "whole")

        while sum(killed.values()) < tries(4, 200):
            kind = list(killed)[int(rng.integers(3))]
            before, process = size(folder / METRICS), trains(folder)
            while process.is_alive() and kind == "training" and size(folder / METRICS) == before:
                time.sleep(0.005)
            time.sleep(float(rng.uniform(0, 0.6)) if process.is_alive() else 0)
            while process.is_alive() and kind == "saving" and not writes(process, folder):
                pass
            process.kill()
            process.join()
            if process.exitcode == -signal.SIGKILL:
                killed["saving" if writes(process, folder) else kind] += 1
            else:  # it had reached its end before
                finish()
                for path in (folder, tmp_path / "whole"):
                    shutil.rmtree(path)
                runs += 1
        finish()
        print(f"{runs} runs, killed {killed}")


def writes(process: Any, folder: Path) -> bool:
    """Whether a process is writing a file, or was when it died."""
    return folder.is_dir() and any(f".{process.pid}.partial" in path.name for path in folder.iterdir())


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


class TestFolder:
    """What a run's folder takes and refuses."""

    def test_the_folder_of_another_configuration_is_refused_and_left_alone(
        self, debug_checkpoint: Path, tmp_path: Path
    ) -> None:
        copy = Path(shutil.copytree(debug_checkpoint, tmp_path / "run"))
        for other in (config("train.steps=20"), config("seed=3"), preset("debug-trm")):
            with pytest.raises(
                ConfigError, match="holds a run with another configuration; choose another folder with -o"
            ):
                train(other, copy, quiet=True)
        assert_same_run(copy, debug_checkpoint)

    @pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b""])
    def test_a_damaged_configuration_is_one_sentence(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / CONFIG).write_bytes(content)
        with pytest.raises(ConfigError, match="not JSON"):
            train(config(), tmp_path, quiet=True)

    def test_a_damaged_training_state_is_refused_and_nothing_is_lost(
        self, debug_checkpoint: Path, tmp_path: Path
    ) -> None:
        copy = Path(shutil.copytree(debug_checkpoint, tmp_path / "run"))
        (copy / TRAINING).write_bytes((copy / TRAINING).read_bytes()[:-1])
        with pytest.raises(CheckpointError, match="may be truncated"):
            train(config(), copy, quiet=True)
        assert (copy / WEIGHTS).read_bytes() == (debug_checkpoint / WEIGHTS).read_bytes()
        assert measured(copy) == measured(debug_checkpoint)

    def test_a_place_that_cannot_be_written_is_refused_before_training(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(CheckpointError, match="cannot write"):
            train(config(), tmp_path / "file" / "run", quiet=True)

    @pytest.mark.parametrize("minutes", [0, -1, float("nan")])
    def test_no_time_is_no_training(self, minutes: float, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"minutes is .* must be positive"):
            train(config(), tmp_path / "run", minutes=minutes)
        assert not (tmp_path / "run").exists()


class TestData:
    """Which pairs are drawn."""

    def test_an_epoch_draws_every_pair_once_and_the_next_in_another_order(self, tmp_path: Path) -> None:
        run = Run(config(), tmp_path)
        pairs = len(run.sampler.pair_puzzle)
        run.sampler.drawn = 0
        drawn = [run.sampler.draw() for _ in range(3 * pairs)]
        epochs = [drawn[start : start + pairs] for start in range(0, 3 * pairs, pairs)]
        for epoch in epochs:
            assert sorted(epoch) == list(range(pairs))
        assert epochs[0] != epochs[1] != epochs[2]

    def test_only_the_training_split_is_seen(self, tmp_path: Path) -> None:
        run = Run(config(), tmp_path)
        held_out = {x.tobytes() for x in run.task.puzzles("test").x}
        assert not any(x.tobytes() in held_out for x in run.sampler.puzzles.x)

    def test_finished_rows_are_replaced_by_new_pairs_at_z0_and_the_others_go_on(self, tmp_path: Path) -> None:
        run = Run(config(), tmp_path)
        z0 = run.model.state_dict()["h0"]
        for _ in range(7):
            before, drawn = run.carry.y.clone(), run.sampler.drawn
            expected = run.carry.age + 1
            limits = torch.tensor([2] * 8 + [3] * 4)  # supervision_steps, prior_steps
            run.advance()
            ended = expected >= limits
            assert torch.equal(run.carry.age, torch.where(ended, 0, expected))
            assert run.sampler.drawn == drawn + int(ended.sum())
            assert torch.equal(run.carry.y[~ended], before[~ended])
            for row in range(12):
                assert bool((run.carry.h[row] == z0).all()) is bool(ended[row])

    def test_the_value_head_learns_from_the_whole_past_of_a_prior_row(self, tmp_path: Path) -> None:
        run, seen = Run(config(), tmp_path), []
        assert run.carry.age[8] == 0
        for step in range(2):
            run.advance()
            seen.append(run.carry.h[8].bfloat16())
            assert torch.equal(run.carry.past[0, : step + 1], torch.stack(seen))


class TestObjective:
    """Who sees the target, and where the gradient goes."""

    def calls(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool, bool]]:
        """(rows, sees the target, has a gradient) of every transition of one optimizer step."""
        made: list[tuple[int, bool, bool]] = []
        step = type(run.model).step

        def spy(model: Model, state: Any, noise: Any, y: Any = None, watch: Any = None) -> Any:
            made.append((len(state.h), y is not None, torch.is_grad_enabled()))
            return step(model, state, noise, y, watch)

        monkeypatch.setattr(type(run.model), "step", spy)
        run.advance()
        return made

    def test_by_default_only_the_last_transition_of_learning_rows_sees_the_target_and_only_it_has_a_gradient(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = self.calls(Run(config(), tmp_path), monkeypatch)
        assert made == [(4, False, False), (4, False, False), (8, False, False), (8, True, True)]

    def test_the_papers_way_shows_it_at_every_transition(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made = self.calls(Run(config("train.no_grad_guidance=posterior"), tmp_path), monkeypatch)
        assert made == [(4, False, False), (4, False, False), (8, True, False), (8, True, True)]

    def test_the_gradient_may_go_through_more_transitions_each_of_which_pays_for_its_kl(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number, (steps, told) in enumerate([("2", 2), ("0", 3), ("9", 3)]):
            run = Run(config("model.high_steps=3", f"train.gradient_steps={steps}"), tmp_path / str(number))
            with monkeypatch.context() as patch:
                learning = [call[1:] for call in self.calls(run, patch) if call[0] == 8]
            assert learning == [(False, False)] * (3 - told) + [(True, True)] * told

    def test_the_kl_of_several_transitions_is_their_sum(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        run = Run(config("train.gradient_steps=2"), tmp_path)
        seen: list[float] = []
        guidance = losses.guidance

        def spy(transition: Any) -> Any:
            halves = guidance(transition)
            seen.append(float(halves["kl_prior"].detach().mean()))
            return halves

        monkeypatch.setattr(losses, "guidance", spy)
        for _ in range(3):
            seen.clear()
            assert run.advance()["kl_prior"] == pytest.approx(sum(seen))
            assert len(seen) == 2

    def test_prior_rows_never_see_their_target(self, tmp_path: Path) -> None:
        for no_grad_guidance in ("prior", "posterior"):
            run = Run(config(f"train.no_grad_guidance={no_grad_guidance}"), tmp_path)
            y, rows = run.carry.y, run.carry.take(torch.arange(12))
            outs = []
            for target in (y, torch.cat([y[:8], y[8:].flip(0)])):
                generator = torch.Generator().manual_seed(0)
                outs.append(run.objective(replace(rows, y=target), run.carry.h, run.carry.l, 8, generator))
            for name in ("h", "l", "tokens"):
                assert torch.equal(outs[0][name][8:], outs[1][name][8:])

    def test_the_loss_is_the_weighted_sum_that_the_configuration_says(self, tmp_path: Path) -> None:
        run = Run(
            config("train.kl_weight=3", "train.kl_balance=0.7", "train.halt_weight=0.2", "train.value_weight=0.4"),
            tmp_path,
        )
        for _ in range(3):
            got = run.advance()
            assert got["kl_prior"] == pytest.approx(got["kl_posterior"])
            by_hand = got["token"] + 3 * (0.7 * got["kl_prior"] + 0.3 * got["kl_posterior"]) + 0.2 * got["halt"]
            assert got["loss"] == pytest.approx(by_hand + 0.4 * got.get("value", 0), rel=1e-5)

    def test_with_a_target_the_prior_has_weight_beta_and_the_posterior_what_adapts(self, tmp_path: Path) -> None:
        run = Run(config("train.kl_weight=3", "train.kl_target=0.01", "train.kl_rate=0.1"), tmp_path)
        weight = 3.0
        for step in range(1, 5):
            got = run.advance()
            assert got["kl_weight"] == pytest.approx(weight)
            by_hand = got["token"] + 3 * got["kl_prior"] + weight * got["kl_posterior"] + 0.5 * got["halt"]
            assert got["loss"] == pytest.approx(by_hand + 0.5 * got.get("value", 0), rel=1e-5)
            weight = adapted(run.config, weight, step, got["kl_posterior"])
            assert run.kl.values == pytest.approx([weight])

    def test_each_supervision_step_may_have_a_kl_weight_of_its_own(self, tmp_path: Path, monkeypatch: Any) -> None:
        settings = config("train.kl_target=0.01", "train.kl_per_step=true", "train.kl_rate=0.1", "train.prior_rows=0")
        run = Run(settings, tmp_path)
        weighed: list[dict[str, Any]] = []
        total = losses.total
        monkeypatch.setattr(
            losses, "total", lambda terms, weights: weighed.append(dict(weights)) or total(terms, weights)
        )
        for _ in range(4):
            before, age = run.kl.values, run.carry.age + 1
            got = run.advance()
            assert weighed[-1]["kl_posterior"].numpy() == pytest.approx(before[age.numpy() - 1])
            assert got["kl_weight"] == pytest.approx(before.mean())
        assert len(set(run.kl.values)) == settings.train.supervision_steps

    def test_the_kl_weight_is_saved_resumed_and_logged(self, tmp_path: Path) -> None:
        settings = config("train.kl_weight=3", "train.kl_target=0.01", "train.kl_rate=0.1", "train.log_every=1")
        for _ in range(5):
            train(settings, tmp_path / "run", minutes=1e-9, quiet=True)
        run = Run(settings, tmp_path / "run")
        assert run.kl.values == [3.0]  # beta, where it starts
        run.resume()
        lines = measured(tmp_path / "run")
        by_hand = 3.0
        for line in lines:
            assert line["kl_weight"] == pytest.approx(by_hand)
            by_hand = adapted(settings, by_hand, line["step"], line["kl_posterior"])
        assert len(lines) == 5
        assert run.kl.values == pytest.approx([by_hand])
        assert run.kl.values != [3.0]

    def test_without_a_target_the_kl_weight_that_is_logged_is_constant(self, debug_checkpoint: Path) -> None:
        settings = config().train
        told = {round(line["kl_weight"], 6) for line in measured(debug_checkpoint) if "kl_weight" in line}
        assert told == {round(settings.kl_weight * (1 - settings.kl_balance), 6)}

    def test_the_value_of_going_on_is_learned_from_the_step_that_follows(self, tmp_path: Path) -> None:
        """Q-learning on the prior rows of HRM: from the state before to that after, once a row could have halted."""
        run = Run(preset("debug-hrm").override(["train.precision=float32"]), tmp_path)
        before = run.carry.h[8:].clone()
        ages = run.carry.age[8:] + 1
        heads = copy.deepcopy(run.model.heads)
        outputs: dict[str, Any] = {}
        run.objective.register_forward_hook(lambda *args: outputs.update(args[-1]))
        measured = run.advance()
        after = outputs["h"][8:]
        with torch.no_grad():
            then, now = heads(before), heads(after)
        expected = []
        for row, age in enumerate(ages.tolist()):
            better = now.q_halt[row] if age == 3 else max(now.q_halt[row], now.q_continue[row])
            target = torch.sigmoid(better)
            belief = torch.sigmoid(then.q_continue[row])
            loss = -(target * belief.log() + (1 - target) * (1 - belief).log())
            expected.append(float(loss) if age > 1 else 0.0)
        assert ages.tolist() == [1, 2, 3, 1]  # of 3 supervision steps
        assert measured["q_continue"] == pytest.approx(np.mean(expected), rel=1e-4)

    @pytest.mark.parametrize("kind", ["debug", "debug-trm", "debug-hrm"])
    def test_training_moves_every_weight_and_leaves_z0(self, kind: str, tmp_path: Path) -> None:
        run = Run(preset(kind), tmp_path)
        before = {key: tensor.clone() for key, tensor in run.model.state_dict().items()}
        for _ in range(4):
            run.advance()
        for key, tensor in run.model.state_dict().items():
            assert torch.equal(tensor, before[key]) is (key in ("h0", "l0")), key

    def test_the_heads_do_not_move_the_recursion(self, tmp_path: Path) -> None:
        weights = []
        for heads in (0.0, 5.0):
            run = Run(
                config(f"train.halt_weight={heads}", f"train.value_weight={heads}", "train.optim.clip=1e9"), tmp_path
            )
            for _ in range(3):
                run.advance()
            weights.append({k: v for k, v in run.model.state_dict().items() if not k.startswith("heads")})
        for key, tensor in weights[0].items():
            assert torch.equal(tensor, weights[1][key]), key

    def test_the_average_follows_the_weights(self, tmp_path: Path) -> None:
        run = Run(config(), tmp_path)
        by_hand = None
        for _ in range(4):
            run.advance()
            now = run.model.state_dict()["decoder.weight"].clone()
            by_hand = now if by_hand is None else 0.9 * by_hand + 0.1 * now
        torch.testing.assert_close(run.average.module.state_dict()["decoder.weight"], by_hand)

    def test_a_gradient_that_is_no_number_stops_the_run_and_leaves_the_checkpoint(
        self, debug_checkpoint: Path, tmp_path: Path
    ) -> None:
        copy = Path(shutil.copytree(debug_checkpoint, tmp_path / "run"))
        run = Run(config(), copy)
        with torch.no_grad():
            run.model.decoder.weight.fill_(float("nan"))
        with pytest.raises(FloatingPointError, match=r"the gradient is nan at step 0; lower train\.optim\.lr"):
            run.advance()
        assert_same_run(copy, debug_checkpoint)


class TestHeadPhase:
    """The last steps: the recursion stands still at its average, and its two heads learn to judge it."""

    @staticmethod
    def at_the_boundary(kind: str, path: Path) -> Any:
        """A run that has made the last of its `steps`."""
        run = Run(preset(kind), path)
        for _ in range(12):
            assert run.learning_rows == 8
            run.advance()
        return run

    @pytest.mark.parametrize("kind", ["debug", "debug-trm", "debug-hrm"])
    def test_the_recursion_rests_at_its_average_and_only_the_heads_move(self, kind: str, tmp_path: Path) -> None:
        run = self.at_the_boundary(kind, tmp_path)
        average = {key: tensor.clone() for key, tensor in run.averaged.state_dict().items()}
        for key, tensor in run.model.state_dict().items():
            assert torch.equal(tensor, average[key]), key
        for _ in range(4):
            run.advance()
        for model in (run.model, run.averaged):
            for key, tensor in model.state_dict().items():
                assert torch.equal(tensor, average[key]) is not key.startswith("heads."), key
        assert run.step == run.config.train.all_steps

    def test_until_then_the_weights_are_not_their_average(self, tmp_path: Path) -> None:
        run = Run(config(), tmp_path)
        for _ in range(11):
            run.advance()
        weights, average = run.model.state_dict(), run.averaged.state_dict()
        assert not torch.equal(weights["decoder.weight"], average["decoder.weight"])

    def test_all_rows_begin_anew_and_follow_the_prior_without_gradient(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = self.at_the_boundary("debug", tmp_path)
        assert run.learning_rows == 0
        assert len(run.carry.x) == len(run.carry.past) == 12
        assert run.carry.age.tolist() == [0, 1, 2] * 4  # prior_steps is 3: each of them stays as long as prior rows do
        assert (run.carry.h == run.model.state_dict()["h0"]).all()
        assert TestObjective().calls(run, monkeypatch) == [(12, False, False), (12, False, False)]
        assert run.carry.age.tolist() == [1, 2, 0] * 4

    def test_its_loss_is_that_of_the_heads(self, tmp_path: Path) -> None:
        run = self.at_the_boundary("debug", tmp_path)
        for _ in range(4):
            got = run.advance()
            assert got["loss"] == pytest.approx(0.5 * got["halt"] + 0.5 * got["value"], rel=1e-5)

    def test_the_kl_weight_is_constant(self, tmp_path: Path) -> None:
        run = Run(config("train.kl_target=0.01", "train.kl_rate=0.1", "train.steps=2"), tmp_path)
        run.advance(), run.advance()
        rests = run.kl.values.copy()
        assert rests != [1.0]
        for _ in range(2):
            assert "kl_weight" not in run.advance()
            assert run.kl.values == rests

    @pytest.mark.parametrize("fixture", ["debug_checkpoint", "debug_trm_checkpoint"])
    def test_its_lines_hold_what_the_prior_does_and_nothing_of_a_target(
        self, fixture: str, request: pytest.FixtureRequest
    ) -> None:
        lines = measured(request.getfixturevalue(fixture))
        assert all("token" in line for line in lines[:6])
        for line in lines[6:]:
            assert line["step"] > 12
            assert {"prior_exact", "halt", "value", "halt_right", "loss", "lr", "grad_norm"} <= set(line)
            assert not {
                "token", "kl_prior", "kl_posterior", "kl_weight", "posterior_exact", "target_exact",
            } & set(line)  # fmt: skip
            assert all(np.isfinite(value) for value in line.values() if isinstance(value, float))

    def test_without_head_steps_there_is_none(self, tmp_path: Path) -> None:
        path = train(config("train.head_steps=0", "train.steps=4"), tmp_path / "run", quiet=True)
        assert store.load(path).step == 4
        assert all("token" in line for line in measured(path))
        tensors, _ = store.read_tensors(path / TRAINING)
        assert len(tensors["carry/past"]) == 4  # the rows are what they were
        assert not torch.equal(tensors["model/decoder.weight"], tensors["average/module.decoder.weight"])

    @pytest.mark.parametrize("change", ["train.prior_rows=0", "train.kl_target=0.01", "train.save_every=5"])
    def test_a_run_stopped_just_before_at_and_after_the_boundary_is_one_that_was_not(
        self, change: str, tmp_path: Path
    ) -> None:
        other = config("train.steps=3", "train.head_steps=3", "train.log_every=4", change)  # a line across the boundary
        whole = train(other, tmp_path / "whole", quiet=True)
        for step in range(1, 6):
            train(other, tmp_path / "parts", minutes=1e-9, quiet=True)
            assert store.load(tmp_path / "parts").step == step
        assert_same_run(train(other, tmp_path / "parts", quiet=True), whole)

    @pytest.mark.parametrize("step", [11, 12, 13])
    def test_a_run_killed_around_the_boundary(
        self, step: int, debug_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Killed in the middle of a step: it goes on from the save at step 8, or at the boundary itself, 12."""

        class Killed(BaseException):
            pass

        advance = Run.advance

        def dying(run: Any) -> dict[str, float]:
            done = advance(run)
            if run.step == step + 1:
                raise Killed
            return done

        monkeypatch.setattr(Run, "advance", dying)
        with pytest.raises(Killed):
            train(config(), tmp_path / "run", quiet=True)
        monkeypatch.undo()
        assert store.load(tmp_path / "run").step == (8 if step == 11 else 12)
        assert_same_run(train(config(), tmp_path / "run", quiet=True), debug_checkpoint)


class TestMetrics:
    """What is written down."""

    def test_every_line_holds_the_prior_beside_the_posterior_and_the_kl(self, debug_checkpoint: Path) -> None:
        lines = measured(debug_checkpoint)
        assert [line["step"] for line in lines] == [2, 4, 6, 8, 10, 12, 14, 16]
        for line in lines[:6]:
            assert {
                "token",
                "kl_prior",
                "kl_posterior",
                "prior_exact",
                "posterior_exact",
                "halt_right",
                "loss",
                "lr",
            } <= set(line)
            assert all(np.isfinite(value) for value in line.values() if isinstance(value, float))
            assert all(0 <= line[name] <= 1 for name in ("prior_exact", "posterior_exact", "halt_right"))

    def test_held_out_puzzles_are_looked_at_when_told_and_at_the_end(self, debug_checkpoint: Path) -> None:
        looked = [line["step"] for line in measured(debug_checkpoint) if "held_out" in line]
        assert looked == [6, 12, 16]
        assert set(measured(debug_checkpoint)[-1]["held_out"]) == {"accuracy", "coverage", "distinct", "best_by_value"}

    def test_a_deterministic_run_has_no_posterior_to_speak_of(self, debug_trm_checkpoint: Path) -> None:
        for line in measured(debug_trm_checkpoint)[:6]:
            assert {"target_exact", "prior_exact"} <= set(line)
            assert not {"posterior_exact", "kl_prior", "kl_posterior"} & set(line)

    def test_a_posterior_that_tells_the_answer_shows_as_posterior_right_and_prior_wrong(self, tmp_path: Path) -> None:
        """Posterior leakage, wired by hand: rows that see the target answer it, rows that do not cannot."""
        run = Run(config(), tmp_path)
        out = run.objective
        ages = run.carry.age

        def leaky(rows: Any, h: Any, l: Any, learning_rows: int, *others: Any) -> dict[str, Any]:
            assert learning_rows == 8
            result = out(rows, h, l, learning_rows, *others)
            return result | {"tokens": torch.cat([rows.y[:8], torch.ones_like(rows.y[8:])])}

        run.objective = leaky
        seen = [run.advance() for _ in range(4)]
        assert {line["posterior_exact"] for line in seen if "posterior_exact" in line} == {1.0}
        assert {line["prior_exact"] for line in seen if "prior_exact" in line} == {0.0}
        assert ages.max() <= 3

    def test_the_learning_rate_follows_the_schedule(self, tmp_path: Path) -> None:
        from gram.training.optim import schedule

        path = train(config("train.log_every=1"), tmp_path / "run", quiet=True)
        settings = config().train
        lines = measured(path)
        assert [line["step"] for line in lines] == list(range(1, 17))
        for line in lines[:12]:
            assert line["lr"] == pytest.approx(settings.optim.lr * schedule(settings.optim, line["step"] - 1, 12))
        for line in lines[12:]:  # the head phase has a schedule of its own
            assert line["lr"] == pytest.approx(settings.optim.lr * schedule(settings.optim, line["step"] - 13, 4))


def test_quiet_says_nothing_on_stdout_and_the_bar_is_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(config("train.steps=2", "train.head_steps=1"), tmp_path / "loud")
    said = capsys.readouterr()
    assert said.out == ""
    assert "3/3" in said.err
    train(config("train.steps=2", "train.head_steps=1"), tmp_path / "quiet", quiet=True)
    assert capsys.readouterr().out == ""
