"""What `gram bench train` compares with: the plain model is the same model, and its operations are counted right."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from gram.bench.train import Case, _flops, plain, table, train
from gram.board import Board, Token
from gram.cli import app
from gram.config import ConfigError
from gram.models import MODELS
from gram.models.blocks import Block, NetworkConfig
from gram.presets import preset
from gram.training.run import Run

BOARD = Board("toy", "Three by three", "grid", 3, 3, (Token("a"), Token("b"), Token("c")))
TINY = NetworkConfig(features=16, heads=2, hidden=24, blocks=2)


@pytest.mark.parametrize(
    "change",
    [{}, {"positions": "relations"}, {"positions": "rotary"}, {"mixing": "mlp", "mixing_hidden": 20}],
    ids=["lines", "relations", "rotary", "mlp"],
)
def test_the_plain_model_computes_what_ours_does_with_the_same_weights(change: dict[str, Any]) -> None:
    torch.manual_seed(0)
    kind = MODELS["trm"]
    ours = kind(kind.Config(network=replace(TINY, **change)), BOARD)  # type: ignore[call-arg]
    other = plain(copy.deepcopy(ours))
    assert not any(isinstance(part, Block) for part in other.modules())
    weights = {id(weight) for weight in other.parameters()}
    assert len(weights) == len(list(ours.parameters()))  # no weight of its own, none lost

    x = torch.randint(3, (4, 9))
    results = []
    for model in (ours, other):
        state, _ = model.step(model.init(x), torch.randn_like)
        readout = model.decode(state)
        (readout.logits.square().sum() + readout.halt.sum()).backward()
        results.append([state.h, state.l, readout.logits, readout.halt, model.embed_x.weight.grad])
    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def test_the_operations_of_a_step_are_those_of_its_products(tmp_path: Path) -> None:
    config = preset("nqueens8-direct32").override(
        [
            "task.board_size=5", "model.network.features=16", "model.network.heads=2", "model.network.hidden=24",
            "model.network.blocks=2", "train.batch=4", "train.prior_rows=0", "train.compile=false",
            "train.precision=float32",
        ]
    )  # fmt: skip
    rows, places, wide, hidden, tokens = 4, 25, 16, 24, 3
    weights = 3 * wide * wide + wide * wide + 3 * wide * hidden
    block = 2 * rows * places * weights + 2 * (2 * rows * places**2 * wide)  # and q k^T, and the mixture of v
    decoder = 2 * rows * places * wide * tokens
    # A product's backward is two products, one for each factor.
    assert _flops(Run(config, tmp_path)) == 3 * (2 * block + decoder)


def test_it_says_how_fast_a_preset_trains_beside_the_plain_model_and_the_machine() -> None:
    found = train(["debug", "debug:model.network.features=16"], rounds=1)
    one, other = found["cases"]
    assert (one["case"], other["case"]) == ("debug, D = 32", "debug, D = 16")
    assert one["rows"] == 12
    assert one["gflop_per_step"] > other["gflop_per_step"] > 0
    assert one["times_plain"] == pytest.approx(
        one["sample_steps_per_second"] / one["plain_sample_steps_per_second"], rel=0.02
    )
    assert one["gflops"] == pytest.approx(one["gflop_per_step"] / one["step_seconds"], rel=0.02)
    for name in ("float32", "bf16"):
        assert one["share"][name] == pytest.approx(one["gflops"] / one["machine_gflops"][name], rel=0.02)
    lines = table(found).splitlines()
    assert lines[2].startswith("| debug, D = 32 | 12 |")
    assert len({line.count("|") for line in lines[:4]}) == 1
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("said", ["debgu", "debug:model.network.featurs=3"])
def test_a_case_that_is_unknown_is_refused_before_anything_is_measured(said: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown"):
        Case.of(said)
    assert CliRunner().invoke(app, ["bench", "train", "debug", said]).exit_code != 0


def test_no_rounds_are_refused() -> None:
    with pytest.raises(ConfigError, match="rounds is 0"):
        train(["debug"], rounds=0)
