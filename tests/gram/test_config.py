"""RunConfig: strict, complete in JSON, and told apart from its neighbors by clear sentences."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

from gram.config import ConfigError, RunConfig
from gram.models import MODELS
from gram.models.trm import TRMConfig
from gram.presets import PRESETS, preset
from gram.tasks import TASKS


def leaves(raw: dict[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Every dotted key of a configuration with its value, kinds apart."""
    for name, value in raw.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{where}{name}.")
        elif name != "kind":
            yield f"{where}{name}", value


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name: str) -> None:
    config = preset(name)
    assert RunConfig.from_json(config.to_json()) == config
    assert json.loads(config.to_json()) == config.to_dict()


@pytest.mark.parametrize("name", PRESETS)
def test_every_key_of_a_preset_can_be_overridden_with_its_own_value(name: str) -> None:
    config = preset(name)
    assert config.override(f"{key}={json.dumps(value)}" for key, value in leaves(config.to_dict())) == config


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("task", TASKS)
def test_every_registered_pair_makes_a_configuration(task: str, kind: str) -> None:
    config = RunConfig().override([f"task.kind={task}", f"model.kind={kind}"])
    assert config == RunConfig(task=TASKS[task].Config(), model=MODELS[kind].Config())
    assert RunConfig.from_json(config.to_json()) == config


def test_a_choice_among_words_names_the_known() -> None:
    with pytest.raises(ConfigError, match=r"task\.holdout is 'x'; known: class, graph"):
        preset("coloring8-gram").override(["task.holdout=x"])


def test_an_empty_object_is_the_default() -> None:
    assert RunConfig.from_json("{}") == RunConfig()


def test_overrides_reach_any_depth_and_leave_the_rest() -> None:
    before = preset("debug")
    after = before.override(
        ["train.steps=200", "train.optim.lr=0.5", "model.network.heads=4", "train.compile=true", "seed=7"]
    )
    assert (after.train.steps, after.train.optim.lr, after.model.network.heads) == (200, 0.5, 4)
    assert (after.train.compile, after.seed) == (True, 7)
    assert after.train.batch == before.train.batch
    assert before == preset("debug")


@pytest.mark.parametrize(
    ("text", "value"), [("True", True), ("true", True), ("False", False), ("false", False)]
)  # fmt: skip
def test_truth_is_written_as_in_python_or_json(text: str, value: bool) -> None:
    assert preset("debug").override([f"inference.halting={text}"]).inference.halting is value


def test_words_need_no_quotes_and_whole_numbers_do_for_fractions() -> None:
    config = preset("debug").override(["train.no_grad_guidance=posterior", "train.kl_weight=2"])
    assert config.train.no_grad_guidance == "posterior"
    assert config.train.kl_weight == 2.0
    assert type(config.train.kl_weight) is float


def test_the_later_override_wins() -> None:
    assert preset("debug").override(["seed=1", "seed=2"]).seed == 2


def test_another_kind_starts_from_its_own_defaults() -> None:
    assert preset("debug").override(["model.kind=trm"]).model == TRMConfig()
    after = preset("debug").override(["model.kind=trm", "model.low_steps=5"])
    assert after.model == TRMConfig(low_steps=5)
    with pytest.raises(ConfigError, match=r"'model\.guidance_hidden'"):
        preset("debug").override(["model.kind=trm", "model.guidance_hidden=5"])


def test_the_kind_that_it_already_is_changes_nothing() -> None:
    assert preset("debug").override(["model.kind=gram", "task.kind=nqueens"]) == preset("debug")


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("train.stps=3", r"'train\.stps'.*did you mean 'train\.steps'"),
        ("train.optim.lrr=3", r"'train\.optim\.lrr'.*did you mean 'train\.optim\.lr'"),
        ("trian.steps=3", r"'trian"),
        ("seed.more=3", r"'seed"),
        ("speed=3", "'speed'"),
        ("train.steps", "cannot read 'train.steps'; write key=value"),
        ("train.steps=many", r"train\.steps is 'many'; it must be of type int"),
        ("train.steps=1.5", r"train\.steps is 1\.5; it must be of type int"),
        ("train.steps=true", r"train\.steps is True; it must be of type int"),
        ("train.compile=1", r"train\.compile is 1; it must be of type bool"),
        ("train.kl_weight=high", r"train\.kl_weight is 'high'; it must be of type float"),
        ("train.kl_weight=nan", r"train\.kl_weight is nan; it must be a finite number"),
        ("train.kl_weight=-Inf", r"train\.kl_weight is -Inf; it must be a finite number"),
        ("train.batch=1000000000", r"batch is 1000000000; it must be at most 65536"),
        ("train.steps=99999999999999999999", r"it must be at most 1000000000"),
        ("train.kl_weight=true", r"train\.kl_weight is True; it must be of type float"),
        ("train=3", r"train is 3; it must be an object"),
        ("train.optim=[]", r"train\.optim is \[\]; it must be an object"),
        ("model=gram", "model needs a kind; known: ar, .*direct, gram, .*looped, .*trm"),
        (
            "model.kind=gran",
            r"unknown model 'gran'; known: ar, .*direct, gram, .*looped, .*trm, vae \(did you mean 'gram'\?\)",
        ),
        ("task.kind=queens", "unknown task 'queens'; known: arc, coloring"),
        ("task.board_size=3", "board_size is 3; N-Queens is offered from 4 to 20"),
        ("train.no_grad_guidance=posteriour", r"unknown no_grad_guidance 'posteriour'.*did you mean 'posterior'"),
        ("train.precision=half", "unknown precision 'half'; known: auto, float32, bfloat16"),
        ("train.kl_balance=1.5", r"kl_balance is 1\.5; it must lie in \[0, 1\]"),
        ("train.kl_weight=NaN", "kl_weight is nan; it must be a finite number"),
        ("train.optim.ema=1.0", r"ema is 1\.0"),
        ("train.optim.lr=-1", r"lr is -1\.0; it must be positive"),
        ("model.network.features=33", "features is 33, which 2 heads do not divide"),
        ("train.steps=0", "steps is 0; it must be at least 1"),
        ("train.batch=-1", "batch is -1; it must be at least 1"),
    ],
)
def test_an_override_that_cannot_be_is_one_sentence_with_the_place(assignment: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        preset("debug").override([assignment])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [("model.network.heads", 0), ("model.network.features", 0), ("model.network.hidden", 0),
     ("model.network.blocks", -1),
     ("model.low_steps", -1), ("model.high_steps", 0), ("model.guidance_hidden", 0), ("train.prior_rows", -1),
     ("train.gradient_steps", -1), ("train.check_puzzles", 0), ("train.check_trajectories", 0),
     ("inference.supervision_steps", 0), ("seed", -1),
     ("task.split_seed", -1), ("task.inputs_max", 0), ("train.optim.warmup", -1), ("train.optim.clip", 0)],
)  # fmt: skip
def test_a_size_that_no_run_can_have_is_refused_before_anything_is_built(key: str, value: int) -> None:
    with pytest.raises(ConfigError, match=f"{key.split('.')[-1]} is {value}"):
        preset("debug").override([f"{key}={value}"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"), ("{", "not JSON"),
        ("[" * 9_999, "not JSON: it nests"), ("9" * 5_000, "not JSON"),
        ("[]", "must be an object"), ("3", "must be an object"),
        ('{"trian": {}}', "'trian'"), ('{"task": {"board_size": 5}}', "task needs a kind"),
        ('{"task": {"kind": "nqueens", "size": 5}}', r"'task\.size'"), ('{"model": null}', "model needs a kind"),
        ('{"model": {"kind": ["gram"]}}', "unknown model"), ('{"seed": null}', "seed is None"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_configuration_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        RunConfig.from_json(text)


def test_an_unregistered_part_cannot_be_written() -> None:
    class Alien:
        pass

    with pytest.raises((ConfigError, TypeError)):
        dataclasses.replace(preset("debug"), task=Alien()).to_dict()


def test_an_unknown_preset_names_the_known_and_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown preset 'nqueens8-gran'.*did you mean 'nqueens8-gram'"):
        preset("nqueens8-gran")


@pytest.mark.parametrize("name", [name for name in PRESETS if name.endswith("-trm") and not name.startswith("debug")])
def test_presets_that_are_compared_share_task_rows_and_backbone(name: str) -> None:
    """Steps differ where budgets of CPU time are equal; only TRM breaks ties by its start, only GRAM has guidance."""
    gram = preset(name.removesuffix("-trm") + "-gram")
    other = preset(name)
    assert other.task == gram.task
    own = {name: getattr(other.train, name) for name in ("steps", "random_start", "guidance_from", "posterior_share")}
    assert other.train == dataclasses.replace(gram.train, **own)
    assert other.model.network == gram.model.network
    assert (other.model.low_steps, other.model.high_steps) == (gram.model.low_steps, gram.model.high_steps)
