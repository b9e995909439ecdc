"""Presets: sums of layers that keep the origin of every value, read from YAML that cannot do harm."""

from __future__ import annotations

import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

import gram.presets
from gram.config import ConfigError, RunConfig
from gram.presets import LAYERS, find, preset
from gram.presets.layers import Layers
from gram.presets.show import difference, text
from gram.release.tables import FILE as TABLES
from gram.safe_yaml import MAX_BYTES, read_yaml

FOLDER = Path(gram.presets.__file__).parent
ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"
CARDS = [card for card in sorted(ARTIFACTS.glob("*/README.md")) if "    gram train " in card.read_text()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the layers, to which a test appends."""
    return Path(shutil.copytree(FOLDER, tmp_path / "layers"))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.name)
def test_the_command_of_a_card_gives_its_configuration(card: Path) -> None:
    line = next(line for line in card.read_text().splitlines() if line.startswith("    gram train "))
    name, *overrides = shlex.split(line)[2:]
    assert preset(name).override(overrides) == RunConfig.from_json((card.parent / "config.json").read_text())


def test_every_value_of_a_layer_has_its_origin_and_later_layers_win() -> None:
    named = find("sudoku9-extreme-trm-mlp")
    assert named.layers == ("sizes.laptop", "tasks.related", "tasks.sudoku9-extreme", "models.mlp", "models.trm-mlp")
    assert named.origins["train.optim.ema"] == "sizes.laptop"
    assert named.origins["train.batch"] == "tasks.sudoku9-extreme"
    assert named.origins["model.network.mixing"] == "models.mlp"
    assert "train.optim.lr" not in named.origins  # a default


@pytest.mark.parametrize("name", ["sudoku9-gram", "digits-d3pm-uniform-big", "debug-vae"])
def test_what_show_prints_is_the_configuration(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text(find(name)))
    assert preset(path) == preset(name)
    assert difference(find(path), find(name)) == f"mine and {name} are the same"


def test_a_configuration_of_a_checkpoint_can_be_named_too() -> None:
    path = ARTIFACTS / "nqueens8-gram" / "config.json"
    assert preset(path) == RunConfig.from_json(path.read_text()) == preset(str(path))


def test_a_new_experiment_is_one_short_block(folder: Path) -> None:
    block = """
gram-wide:
  tasks: [sudoku6, sudoku9]
  extends: gram
  model.network: {features: 256, hidden: 512}
  train.steps: 4000
"""
    with (folder / "experiments.yaml").open("a") as file:
        file.write(block)
    layers = Layers(folder)
    assert layers.presets.keys() - LAYERS.presets.keys() == {"sudoku6-gram-wide", "sudoku9-gram-wide"}
    wide = layers.compose("sudoku9-gram-wide")
    overrides = ["model.network.features=256", "model.network.hidden=512", "train.steps=4000"]
    assert wide.config == preset("sudoku9-gram").override(overrides)
    assert wide.origins["train.steps"] == "experiments.gram-wide"
    assert layers.compose("sudoku9-gram").config == preset("sudoku9-gram")
    assert "gram-wide" in layers.known()


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ("x: 3", r"experiments\.x is 3; it must be a block of values"),
        ("x: {tasks: sudok9}", r"unknown name in tasks of experiments\.x 'sudok9'; .*did you mean 'sudoku9'"),
        ("x: {models: [gran]}", r"unknown name in models of experiments\.x 'gran'; .*did you mean 'gram'"),
        ("x: {extends: gran}", r"unknown name in extends of experiments\.x 'gran'"),
        ("x: {size: huge}", r"unknown name in size of experiments\.x 'huge'; known: laptop, debug"),
        ("x: {size: 3}", r"experiments\.x\.size is 3; it must be of type str"),
        ("x: {tasks: {a: 1}}", r"experiments\.x\.tasks is .*; it must be a name or a list of names"),
        ("gram: {seed: 1}", r"experiments\.gram has the name of a model"),
    ],
)
def test_a_wrong_block_is_one_sentence(block: str, sentence: str, folder: Path) -> None:
    with (folder / "experiments.yaml").open("a") as file:
        file.write(f"\n{block}\n")
    with pytest.raises(ConfigError, match=sentence) as caught:
        Layers(folder)
    assert "\n" not in str(caught.value)


def test_a_wrong_path_names_the_preset(folder: Path) -> None:
    with (folder / "experiments.yaml").open("a") as file:
        file.write("\nx: {extends: gram, train.stps: 3}\n")
    with pytest.raises(ConfigError, match=r"preset 'x': unknown key 'train\.stps'.*did you mean 'train\.steps'"):
        Layers(folder).compose("x")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", r"mine\.yaml, line 2: .*aliases .* are not read"),
        ("a: !!python/object/apply:os.system [ls]", r"line 1: .*could not determine a constructor"),
        ("seed: 1\nseed: 2", r"line 2: .*key 'seed' stands twice"),
        ("train: [", r"mine\.yaml, line 1: this is not YAML"),
        ("[" * 20_000, "it nests more than 50 deep"),
        ("a: \x00", r"the character .* is not allowed"),
        ("a: 2000-13-45", "month must be in 1..12"),
        ("a: " + "9" * 5_000, "line 1: .*limit"),
        ("#" * (MAX_BYTES + 1), r"more than 100,000 bytes"),
        ("", r"mine\.yaml: the configuration is None; it must be an object"),
        ("train: {stps: 3}", r"mine\.yaml: unknown key 'train\.stps'.*did you mean 'train\.steps'"),
        ("task: {size: 9}", r"task needs a kind"),
    ],
)
def test_a_file_that_is_no_configuration_is_one_sentence(content: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=sentence) as caught:
        preset(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none\.yaml: No such file"):
        preset(tmp_path / "none.yaml")


def test_the_layers_are_package_data() -> None:
    root = FOLDER.parents[1]
    patterns = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["gram"]
    assert {*FOLDER.glob("*.yaml"), TABLES, root / "gram" / "py.typed"} == {
        path for pattern in patterns for path in (root / "gram").glob(pattern)
    }


def test_numbers_are_read_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("[1e-3, -1.5E3, 1e-06, 1e, 3, e3, 1.0e-06]")
    assert read_yaml(path) == [0.001, -1500.0, 1e-06, "1e", 3, "e3", 1e-06]
