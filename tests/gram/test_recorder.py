"""Recording loops that are not ours: which call is which step, what rows are, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import foreign
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gram import rollout
from gram.board import Board, Token
from gram.recorder import RecordError, record


class Counter(nn.Module):
    """A loop whose states can be checked by eye: h is how often `f` was called, `head` its double."""

    class Add(nn.Module):
        def forward(self, h: Tensor) -> Tensor:
            return h + 1

    class Double(nn.Module):
        def forward(self, h: Tensor) -> Tensor:
            return 2 * h

    def __init__(self, inner: int = 1) -> None:
        super().__init__()
        self.f, self.head, self.inner = self.Add(), self.Double(), inner

    def forward(self, h: Tensor, steps: int = 3) -> Tensor:
        for _ in range(steps):
            for _ in range(self.inner):
                h = self.f(h)
            self.head(h)
        return h


ZERO = torch.zeros(2, 4)


@pytest.mark.parametrize("name", foreign.ALL)
def test_a_foreign_recursion_is_a_legal_rollout_that_a_file_gives_back(name: str, tmp_path: Path) -> None:
    data = foreign.ALL[name]()
    assert rollout.load(rollout.save(data, tmp_path / "a.nc")).identical(data)
    known = rollout.extras(data)
    assert (
        known
        == {
            "trm": {"moved": "layer"},
            "hrm": {"h_puzzle": "map", "l_puzzle": "map"},
            "looped": {},
            "diffusion": {"gray": "layer", "sigma": "curve"},
            "rnn": {"readout": "map", "norm": "curve"},
            "optimizer": {"loss": "curve"},
        }[name]
    )


def test_states_of_hrm_are_those_of_its_own_code() -> None:
    data = foreign.hrm()
    assert data["supervision_step"].values.tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert data["transition"].values.tolist() == [0, 1, 2] + [1, 2] * 3
    torch.manual_seed(0)
    net, x = foreign.Hierarchy(tiny=False).eval(), torch.as_tensor(foreign.PUZZLE)[None]
    carry = net.initial_carry(1)
    for step in (2, 4, 6, 8):
        with torch.no_grad():
            carry, logits = net(carry, x)
        for name, state in zip("hl", carry, strict=True):
            torch.testing.assert_close(torch.tensor(data[name].values[0, 0, step]), state[0, foreign.PREFIX :])
            prefix = torch.tensor(data[f"{name}_puzzle"].values[0, 0, step])
            torch.testing.assert_close(prefix, state[0, : foreign.PREFIX].flatten())
        assert data["tokens"].values[0, 0, step].tolist() == logits[0].argmax(-1).tolist()


def test_every_third_call_of_the_one_module_of_trm_is_its_h() -> None:
    data = foreign.trm()
    assert (data.sizes["trajectory"], data["transition"].values.tolist()) == (8, [0] + [1, 2] * 4)
    torch.manual_seed(0)
    net, x = foreign.Hierarchy(tiny=True).eval(), torch.as_tensor(foreign.PUZZLE).expand(8, -1)
    carry = (torch.randn(8, foreign.PREFIX + foreign.CELLS, foreign.WIDTH), net.initial_carry(8)[1])
    for step in (2, 4, 6, 8):
        with torch.no_grad():
            carry, logits = net(carry, x)
        torch.testing.assert_close(torch.tensor(data["h"].values[0, :, step]), carry[0][:, foreign.PREFIX :])
        torch.testing.assert_close(torch.tensor(data["logits"].values[0, :, step]), logits)


def test_a_step_ends_when_each_variable_has_come_and_the_last_value_counts() -> None:
    net = Counter(inner=2)
    with record(net, h="f", z="head") as rec:
        net(ZERO)
    assert (rec.calls, len(rec)) == ({"f": 6, "head": 3}, 3)
    data = rec.rollout
    assert data["h"].values[0, 0, 1:, 0, 0].tolist() == [2, 4, 6]
    assert data["z"].values[1, 0, 1:, 0].tolist() == [4, 8, 12]
    assert np.isnan(data["h"].values[:, :, 0]).all()  # nobody said where it began
    with record(net, h="f", z=lambda f, h: net.head(h)) as rec:  # a step a call of f; its own call is not recorded
        net(ZERO)
    assert rec.rollout["z"].values[0, 0, 1:, 0].tolist() == [2, 4, 6, 8, 10, 12]


def test_a_call_that_is_left_over_is_said() -> None:
    net = Counter()

    def run() -> None:
        with record(net, h="f", z="head"):
            net.head(ZERO)
            net(ZERO)

    with pytest.warns(UserWarning, match=r"z came once more than the others \(calls: head 4 times, f 3 times\)"):
        run()


def test_each_call_of_the_model_is_a_supervision_step() -> None:
    net = Counter()
    with record(net, h="f") as rec:
        rec.initial(h=ZERO)
        net(net(ZERO))
    data = rec.rollout
    assert data["supervision_step"].values.tolist() == [0, 1, 1, 1, 2, 2, 2]
    assert data["transition"].values.tolist() == [0, 1, 2, 3, 1, 2, 3]
    assert data["h"].values[0, 0, :, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert data.attrs["levels"] == '["Call", "Step"]'


@pytest.mark.parametrize(
    ("rows", "sizes"), [("puzzles", (2, 1)), ("trajectories", (1, 2)), (None, (1, 1))]
)  # fmt: skip
def test_rows_are_what_the_caller_says(rows: Any, sizes: tuple[int, int]) -> None:
    net = Counter()
    with record(net, h="f", rows=rows) as rec:
        net(ZERO)
    data = rec.rollout
    assert (data.sizes["puzzle"], data.sizes["trajectory"]) == sizes


def test_no_hook_stays_and_nothing_is_shared_with_the_model() -> None:
    net = Counter()
    state = torch.ones(1, 3)

    def fails(f: nn.Module, h: Tensor) -> float:
        return 1 / float(h[0, 0] < 2)

    rec = record(net, rows=None, h="f", z=fails)
    with pytest.raises(ZeroDivisionError), rec:
        net(ZERO)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert len(rec) == 1
    with record() as rec:
        rec.step(h=state)
        state.zero_()
    assert rec.rollout["h"].values[0, 0, 1, 0].tolist() == [1, 1, 1]


def test_a_compiled_model_runs_eagerly_meanwhile() -> None:
    net = torch.compile(Counter(), backend="eager")
    net(ZERO)  # it has a graph now, which would pass the hooks by
    with torch.no_grad(), record(net, h="f") as rec:
        net(ZERO)
    assert len(rec) == 3


def test_half_precision_is_kept_as_asked() -> None:
    with record(dtype="float16") as rec:
        rec.step(h=torch.ones(1, 3, dtype=torch.bfloat16), loss=torch.ones(1, dtype=torch.float64))
    assert {str(rec.rollout[name].dtype) for name in ("h", "loss")} == {"float16"}


def test_answers_without_a_puzzle_stand_on_a_board_of_numbers() -> None:
    with record(board=(2, 2)) as rec:
        rec.step(logits=np.eye(3)[[[0, 1, 2, 2]]])
    data = rec.rollout
    board = rollout.board_of(data)
    assert [token.label for token in board.tokens] == ["0", "1", "2", "not given"]
    assert data["tokens"].values[0, 0].tolist() == [[3, 3, 3, 3], [0, 1, 2, 2]]
    assert (data["x"].values == 3).all()


BOARD = Board("one", "One", "grid", 1, 2, (Token("a", "a"), Token("b", "b")), blank=(0,))
STEP = {"h": np.zeros((2, 2, 3)), "tokens": np.zeros((2, 2), int)}
COUNTER = Counter()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": Counter(), "h": "g"}, r"the model has no module 'g'; it has f, head"),
        ({"model": Counter()}, r'name a module, as record\(model, h="f"\)'),
        ({"h": "f"}, r"h cannot be hooked without a model"),
        ({"model": nn.DataParallel(Counter()), "h": "f"}, "record the module in it, model.module"),
        ({"rows": "batch"}, "rows is 'batch'; known: 'puzzles', 'trajectories', None"),
        ({"dtype": "int8"}, "dtype is 'int8'; known: float32, float16"),
        ({"attrs": {"sed": 1}}, "unknown attribute 'sed'.*did you mean 'seed'"),
        ({"attrs": ["name"]}, r"attrs is \['name'\]; give a mapping"),
        ({"attrs": {"name": object()}}, "attribute 'name' is <object.*give a text"),
        ({"attrs": {"checkpoint": 3}}, "attribute 'checkpoint' is 3; give a text"),
        ({"attrs": {"name": "a\0b"}}, r"attribute 'name' is 'a\\x00b'; give a text"),
        ({"attrs": {"name": "a\ud800b"}}, "attribute 'name' is .*; give a text"),
        ({"model": len, "h": "f"}, "which is no torch.nn.Module; give one, or leave it out"),
        ({"model": COUNTER, "h": 3}, "'h' is 3; give the name of a module, or a function"),
        ({"model": COUNTER, "h": COUNTER.f}, "'h' is a module; give its name in the model, h='f'"),
        ({"model": COUNTER, "step": "f"}, "'step' is a dim or a coordinate"),
        ({"model": COUNTER, "a b": "f"}, "'a b' cannot name a variable; use 1 to 40 letters"),
        ({"board": 16}, r"board is 16; give a Board, or \(height, width\)"),
        ({"board": (4, 4, 1)}, r"board is \(4, 4, 1\); give a Board"),
        ({"board": (0, 4)}, r"board is \(0, 4\); give .* whole numbers from 1"),
        ({"prefix": -1}, "prefix is -1; give a count of positions from 0"),
        ({"prefix": {"a": "x"}}, r"prefix is \{'a': 'x'\}; give"),
        ({"steps": "6"}, "steps is '6'; give a whole number from 1"),
        ({"max_bytes": "4GB"}, "max_bytes is '4GB'; give a number of bytes"),
        ({"units": "nats"}, "units is 'nats'; give a text for each variable"),
    ],
)
def test_what_cannot_be_recorded_is_said_before_it_runs(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(RecordError, match=words), record(**arguments):
        pass


@pytest.mark.parametrize(
    ("arguments", "steps", "words"),
    [
        ({}, [{"h": {"a": 1}}], "'h' is a mapping of a; choose one with a function"),
        ({}, [{"h": "text"}], "'h' is str, which is no array of numbers"),
        ({}, [{"loss": 1.0}], "one number, without a batch axis; pass rows=None"),
        ({}, [{"x": np.zeros((1, 2))}], "'x' is not recorded step by step"),
        ({}, [{"h": np.zeros((1, 2))}, {"h": np.zeros((1, 3))}], r"'h' was \(1, 2\) at the first step and is \(1, 3\)"),
        ({}, [{"h": np.zeros((1, 2))}, {"z": np.zeros((1, 2))}], "and is None at step 2|was None at the first step"),
        ({}, [{"h": np.zeros((1, 2)), "z": np.zeros((2, 2))}], "different numbers of rows"),
        ({"steps": 10**6}, [{"h": np.zeros((9, 999))}], r"takes 35,964.0 MB \(0.0 MB a step\), over 4,295.0 MB"),
        ({"board": BOARD}, [{"h": np.zeros((2, 2, 3))}], "a board shows tokens; record tokens or logits"),
        ({"x": [0, 1]}, [{"tokens": [[0, 1]]}], "x needs a board"),
        ({"board": BOARD}, [STEP | {"h": np.zeros((2, 5, 3))}], "'h' has 5 positions, the board 2; drop"),
        ({"board": BOARD, "rows": "trajectories", "x": [[0, 1], [1, 0]]}, [STEP], "rows of x differ"),
        ({"board": BOARD}, [{"logits": np.zeros((2, 2, 3))}], "'logits' knows 3 tokens, the board 2"),
        ({}, [], "nothing was recorded"),
        ({"prefix": 9}, [STEP], "prefix is 9 positions, and 'h' has 2"),
        ({}, [{"h": np.zeros((0, 3))}], r"'h' is \(0, 3\), nothing; give at least one row"),
        ({}, [{"logits": np.zeros((2, 3))}], r"'logits' is \(2, 3\); expected \[row, position, token\]; .* rows=None"),
        (
            {"rows": None}, [{"logits": np.zeros((5, 2, 3))}],
            r"'logits' is \(5, 2, 3\); with rows=None it must be \[position, token\]; .* pass rows='puzzles'",
        ),
        ({}, [{"logits": np.full((1, 2, 3), np.nan)}], "'logits' holds NaN, from which no token can be read"),
        ({}, [{"logits": [[[np.inf, 0.0]]]}], "'logits' holds infinite numbers"),
        ({"dtype": "float16"}, [{"h": np.full((1, 2), 7e4)}], "'h' holds infinite numbers, .* with dtype='float32'"),
        ({}, [{f"v{k}": [[0.0, 1.0]] for k in range(50)}], "50 variables take 100 arrays of a file .*, over 86"),
        ({}, [{"tokens": np.zeros((1, 2))}], "'tokens' are float32 from 0.0 to 0.0; give whole numbers"),
        ({}, [{"tokens": [[-1]]}], "'tokens' are int64 from -1 to -1; give whole numbers from 0"),
        ({}, [{"tokens": [[2**40]]}], "to 1099511627776; give whole numbers from 0 to 65,534"),
        ({}, [{"logits": np.zeros((1, 1, 70_000))}], "knows 70,000 tokens, over 65,535"),
        ({}, [{"z": [[1], [1, 2]]}], r"'z' cannot be an array \(.*\); give one with a function"),
        ({}, [{"z": torch.eye(3).to_sparse()}], "'z' cannot be an array"),
        ({}, [{"z": torch.zeros(1, dtype=torch.complex64)}], "holds complex64"),
        ({}, [{"time step": [1.0]}], "'time step' cannot name a variable"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence(arguments: dict[str, Any], steps: list[dict[str, Any]], words: str) -> None:
    def run() -> Any:
        rec = record(**arguments)
        for step in steps:
            rec.step(**step)
        return rec.rollout

    with pytest.raises(RecordError, match=words) as caught:
        run()
    assert "\n" not in str(caught.value)


def test_an_initial_state_has_what_the_steps_have() -> None:
    rec = record()
    rec.initial(z=np.zeros((1, 3)))
    rec.step(h=np.zeros((1, 3)))
    with pytest.raises(RecordError, match="the initial state has z, which no step has"):
        rec.rollout  # noqa: B018
    rec.initial(h=np.zeros((1, 2)))
    with pytest.raises(RecordError, match=r"the initial 'h' is \(1, 2\); at the steps it is \(1, 3\)"):
        rec.rollout  # noqa: B018


def test_the_size_is_said_before_the_second_step() -> None:
    rec = record(steps=100)
    rec.step(h=np.zeros((2, 250)))
    assert (rec.step_bytes, repr(rec)) == (2000, "Recording(h: 1 steps, 0.0 MB, 2 kB a step)")
