"""A model at work: what is shown while it runs, pause and cancel, and what remains. No browser, and no kernel's
loop."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import synthetic
import xarray as xr

import gram
from gram import rollout
from gram.inference.sample import sample
from gram.inference.watch import watch as at_work
from gramviz.explorer.live import Live, Worker, live
from gramviz.explorer.opening import explore
from gramviz.explorer.payload import PackError

MODULE = sys.modules[live.__module__]  # `gramviz.live` is the function


class Moment:
    """A moment of a drawing whose whole rollout is known."""

    def __init__(self, whole: xr.Dataset, done: int, total: int) -> None:
        self.whole, self.done, self.total, self._rollout = True, done, total, whole

    def rollout(self) -> xr.Dataset:
        return self._rollout.isel(step=slice(self.done))


class Scripted:
    """A `watch` that waits for a permit before each transition and remembers what it was asked."""

    def __init__(self, **changes: Any) -> None:
        self.data = synthetic.queens(4, supervision_steps=6, size=5, features=8, **changes)
        self.permits, self.asked, self.reached = threading.Semaphore(0), [], 0

    def __call__(self, checkpoint: str, **choices: Any) -> Iterator[Moment]:
        self.asked.append((checkpoint, choices))
        for done in range(1, self.data.sizes["step"] + 1):
            assert self.permits.acquire(timeout=30)
            self.reached = done
            yield Moment(self.data, done, self.data.sizes["step"])

    def go(self, steps: int) -> None:
        """Let it draw so many more steps, and wait until it has."""
        until = self.reached + steps
        self.permits.release(steps)
        wait(lambda: self.reached >= until)


def wait(true: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "EVERY", 0.0)
    # Playwright's own loop counts as running in this thread from the first browser test on, and stands still between.
    monkeypatch.setattr(MODULE, "kernel_loop", lambda: None)


class TestLive:
    def test_the_explorer_grows_while_the_model_runs(self) -> None:
        watch = Scripted()
        shown = live(watch, ["a", "b"]).generate()
        watch.go(3)
        wait(lambda: shown.rollout is not None and shown.rollout.sizes["step"] == 3)
        assert shown.busy
        assert not shown.stop.disabled
        explorer = shown.explorer
        assert explorer.meta["series"][0]["steps"] == 3
        watch.go(10)
        shown.join(30)
        assert shown.explorer is explorer  # one widget, fed
        assert explorer.meta["series"][0]["steps"] == 13
        assert "cursor" not in explorer.state  # which stands for the final step
        assert rollout.digest(shown.rollout) == rollout.digest(watch.data)
        assert (shown.busy, shown.progress.value, shown.status.value) == (False, 13, "Done, 13 of 13.")

    def test_where_nothing_is_given_all_answers_are_seen_at_once(self) -> None:
        for givens, opening in ((0, "samples"), (1, None)):
            watch = Scripted(givens=givens)
            shown = live(watch, ["a"]).generate()
            watch.go(2)
            wait(lambda now=shown: now.explorer is not None)
            assert shown.explorer.state.get("sheet") == opening
            shown.explorer.set(sheet=None)
            watch.go(11)
            shown.join(30)
            assert shown.explorer.state["sheet"] is None  # closed, it stays so

    def test_cancel_stops_before_the_next_transition_and_keeps_what_exists(self) -> None:
        watch = Scripted()
        shown = live(watch, ["a"]).generate()
        watch.go(4)
        wait(lambda: shown.progress.value == 4)
        shown.cancel()
        watch.permits.release(1)  # the transition that was under way
        shown.join(30)
        assert watch.reached in (4, 5)  # it was between them, or had begun the next
        assert shown.rollout.sizes["step"] == shown.explorer.meta["series"][0]["steps"] == watch.reached
        assert shown.status.value == f"Cancelled at {watch.reached} of 13; {watch.reached - 1} steps are here."
        assert rollout.check(shown.rollout) is shown.rollout
        assert not shown.start.disabled

    def test_pause_holds_it_and_go_on_lets_it_go(self) -> None:
        watch = Scripted()
        shown = live(watch, ["a"]).generate()
        watch.go(2)
        wait(lambda: shown.progress.value == 2)
        shown.pause.value = True
        watch.permits.release(20)
        wait(lambda: shown.progress.value == 3)
        time.sleep(0.1)
        assert watch.reached == 3  # it stands before its next transition
        assert shown.status.value == "Paused, 3 of 13."
        assert shown.rollout.sizes["step"] == 3
        shown.pause.value = False
        shown.join(30)
        assert shown.rollout.sizes["step"] == 13

    def test_a_paused_drawing_can_be_cancelled(self) -> None:
        watch = Scripted()
        shown = live(watch, ["a"]).generate()
        shown.pause.value = True
        watch.permits.release(20)
        wait(lambda: shown.progress.value == 1)
        shown.cancel()
        shown.join(30)
        assert watch.reached == 1
        assert not shown.busy

    def test_a_sampling_opens_with_its_first_state_and_grows(self) -> None:
        watch = Scripted()
        watch.permits.release(1)
        shown = explore(watch("a"), name="at work", rerun=gram.rerun)
        assert shown.meta["series"][0]["steps"] == 1
        assert (shown.meta["left_out"], shown.asks) == (["1 of 13 transitions are drawn."], [])
        watch.go(4)
        wait(lambda: shown.meta["series"][0]["steps"] == 5)
        watch.go(8)
        shown.join(30)
        assert (shown.meta["series"][0]["steps"], shown.meta["series"][0]["name"]) == (13, "at work")
        assert shown.meta["left_out"] == []
        assert {"puzzle", "branch"} <= set(shown.asks)
        assert rollout.digest(shown.source.rollouts[0]) == rollout.digest(watch.data)

    def test_a_cancelled_sampling_keeps_what_was_drawn(self) -> None:
        watch = Scripted()
        watch.permits.release(1)
        shown = explore(watch("a"))
        watch.go(2)
        shown.cancel()
        watch.permits.release(1)  # the transition that was under way
        shown.join(30)
        assert shown.source.rollouts[0].sizes["step"] == shown.meta["series"][0]["steps"] == watch.reached < 5
        assert shown.meta["left_out"] == [f"{watch.reached} of 13 transitions are drawn."]
        with pytest.raises(PackError, match="give one that has not begun"):
            explore(iter(()))

    def test_who_looks_at_an_earlier_step_is_left_there(self) -> None:
        watch = Scripted()
        shown = live(watch, ["a"]).generate()
        watch.go(5)
        wait(lambda: shown.progress.value == 5)
        shown.explorer.go(2)
        watch.go(8)
        shown.join(30)
        assert shown.explorer.state["cursor"]["step"] == 2

    def test_another_drawing_takes_the_place_of_the_first(self) -> None:
        watch = Scripted()
        shown = live(watch, ["a"])
        watch.permits.release(26)
        shown.generate().join(30)
        shown.explorer.set(theme="dark").focus("A", 3).go(2)
        explorer, watch.data = shown.explorer, synthetic.sudoku(2, box=2, supervision_steps=6)
        shown.generate().join(30)
        assert shown.explorer is explorer
        assert explorer.meta["title"] == "Sudoku 4x4"
        assert explorer.state["theme"] == "dark"
        assert not {"focus", "cursor"} & explorer.state.keys()

    def test_the_controls_are_the_arguments_and_nothing_chosen_is_left_out(self) -> None:
        watch = Scripted()
        shown = live(watch, ["a", "b"])
        watch.permits.release(100)
        shown.generate().join(30)
        shown.checkpoint.value, shown.puzzle.value, shown.trajectories.value = "b", " Q..../...../...../...../..... ", 7
        shown.steps.value, shown.seed.value, shown.temperature.value, shown.perturb.value = 9, 3, 0.5, 0.25
        shown.generate().join(30)
        assert watch.asked == [
            ("a", {"puzzles": 0, "trajectories": 20, "seed": 0}),
            (
                "b",
                {
                    "puzzles": "Q..../...../...../...../.....", "trajectories": 7, "seed": 3, "supervision_steps": 9,
                    "temperature": 0.5, "perturb": 0.25,
                },
            ),
        ]  # fmt: skip

    def test_what_went_wrong_is_said_in_the_status(self) -> None:
        def watch(checkpoint: str, **choices: Any) -> Iterator[Moment]:
            raise ValueError("trajectories is 0;\nit must be at least 1")

        shown = live(watch, ["a"]).generate()
        shown.join(30)
        assert shown.status.value == "trajectories is 0; it must be at least 1"
        assert (shown.busy, shown.rollout, shown.progress.bar_style) == (False, None, "danger")
        with pytest.raises(ValueError, match="checkpoints is empty"):
            live(watch, [])

    def test_a_second_press_while_it_runs_starts_nothing(self) -> None:
        watch = Scripted()
        shown = live(watch, ["a"]).generate()
        watch.go(1)
        shown.generate()
        assert len(watch.asked) == 1
        shown.cancel()
        watch.permits.release(1)
        shown.join(30)


def test_a_worker_tells_a_payload_only_when_there_is_something_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "EVERY", 3600.0)
    data, shown, ended = synthetic.queens(2, supervision_steps=3, size=5, features=8), [], []
    moments = [Moment(data, done, data.sizes["step"]) for done in range(1, data.sizes["step"] + 1)]
    worker = Worker(lambda: moments, lambda *what: shown.append(what), ended.append)
    worker.start()
    worker.join(30)
    assert [what[0] for what in shown] == [1, 7]  # the first at once, then nothing new within the hour, and the end
    assert ended == [""]


def test_the_result_is_that_of_gram_sample_bit_for_bit(debug_checkpoint: Path) -> None:
    shown: Live = live(at_work, [str(debug_checkpoint)])
    shown.trajectories.value, shown.seed.value, shown.perturb.value = 35, 6, 0.2
    shown.generate().join(60)
    assert shown.status.value.startswith("Done")
    batch = sample(debug_checkpoint, puzzles=0, trajectories=35, seed=6, perturb=0.2)
    assert rollout.digest(shown.rollout) == rollout.digest(batch)
    assert isinstance(shown, Live)
