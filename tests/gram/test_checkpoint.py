"""A checkpoint: a folder that becomes the same model again, or one sentence about why not. Never pickle."""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from full import sampled
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from gram import atomic
from gram import checkpoint as store
from gram.checkpoint import CONFIG, METRICS, TRAINING, WEIGHTS, CheckpointError
from gram.models import MODELS
from gram.presets import PRESETS, preset
from gram.run_folder import LOCK, SNAPSHOTS


@pytest.fixture
def folder(debug_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(debug_checkpoint, tmp_path / "mine"))


def test_a_checkpoint_becomes_the_model_that_was_saved(tmp_path: Path) -> None:
    config = preset("debug")
    _, model = store.build(replace(config, seed=5))
    store.save_weights(tmp_path / "one", model, 17)
    (tmp_path / "one" / CONFIG).write_text(config.to_json())
    opened = store.load(tmp_path / "one")
    assert (opened.name, opened.path, opened.config, opened.step) == ("one", tmp_path / "one", config, 17)
    assert opened.digest == store.digest(model.state_dict())
    assert opened.task.name == "nqueens"
    for key, tensor in model.state_dict().items():
        assert torch.equal(opened.model.state_dict()[key], tensor), key
    assert not opened.model.training
    assert not any(parameter.requires_grad for parameter in opened.model.parameters())


@pytest.mark.parametrize("shared", [True, False])
def test_a_network_that_serves_twice_is_still_one_after_loading(shared: bool, tmp_path: Path) -> None:
    config = preset("debug").override([f"model.shared={json.dumps(shared)}"])
    store.save_weights(tmp_path, store.build(config)[1], 0)
    (tmp_path / CONFIG).write_text(config.to_json())
    model = store.load(tmp_path).model
    assert (model.f_low is model.f_high) is shared


def test_weights_written_in_bf16_are_read(folder: Path) -> None:
    opened = store.load(folder)
    halves = {key: tensor.bfloat16() for key, tensor in opened.model.state_dict().items()}
    store.write_tensors(folder / WEIGHTS, halves, {"step": "12"})
    again = store.load(folder).model.state_dict()
    for key, tensor in halves.items():
        assert again[key].dtype == torch.float32
        assert torch.equal(again[key], tensor.float())


@pytest.mark.parametrize("name", PRESETS)
def test_building_follows_the_seed_of_the_run_and_leaves_the_global_random_state(name: str) -> None:
    before = torch.get_rng_state()
    one, same, other = (store.build(replace(preset(name), seed=seed))[1].state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


def test_what_training_writes_is_complete(folder: Path) -> None:
    assert {entry.name for entry in folder.iterdir()} == {CONFIG, WEIGHTS, METRICS, TRAINING, SNAPSHOTS, LOCK}
    opened = store.load(folder)
    assert opened.step == preset("debug").train.all_steps == 16


def test_a_snapshot_opens_by_its_step(folder: Path) -> None:
    opened = store.load(f"{folder}@6")
    assert (opened.name, opened.path, opened.step) == (f"{folder.name}@6", folder, 6)
    assert opened.digest != store.load(folder).digest
    with pytest.raises(CheckpointError, match=r"no snapshot '.*@7'; known: .*@0, .*@6, .*@12$"):
        store.load(f"{folder}@7")


def test_weights_and_configuration_are_enough(folder: Path) -> None:
    for name in (METRICS, TRAINING):
        (folder / name).unlink()
    store.load(folder)


class TestFinding:
    """Names and folders."""

    @pytest.fixture(autouse=True)
    def _places(self, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        shutil.copytree(folder, tmp_path / "shelf" / "nqueens5")
        monkeypatch.setenv("GRAM_ARTIFACTS", str(tmp_path / "shelf"))
        monkeypatch.chdir(tmp_path)

    def test_a_name_is_looked_up_and_a_folder_is_taken(self, tmp_path: Path) -> None:
        assert store.find("nqueens5") == tmp_path / "shelf" / "nqueens5"
        assert store.find(tmp_path / "mine") == tmp_path / "mine"
        assert store.find("mine") == Path("mine")
        assert "nqueens5" in store.names()

    def test_a_folder_here_comes_before_a_name_elsewhere(self, tmp_path: Path) -> None:
        shutil.copytree(tmp_path / "mine", tmp_path / "nqueens5")
        assert store.find("nqueens5") == Path("nqueens5")

    def test_an_unknown_name_lists_the_known_and_the_nearest(self) -> None:
        with pytest.raises(
            CheckpointError, match=r"no checkpoint 'nqueens6'; known: .*did you mean 'nqueens5'.*folder"
        ):
            store.load("nqueens6")

    @pytest.mark.parametrize("name", ["", ".", "/", "no\nsuch", ".."])
    def test_an_odd_name_is_unknown_too(self, name: str) -> None:
        with pytest.raises(CheckpointError, match="there is no checkpoint"):
            store.load(name)

    def test_a_run_that_has_saved_nothing_yet_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "mine" / WEIGHTS).unlink()
        with pytest.raises(CheckpointError, match=f"has no {WEIGHTS} yet; let `gram train` finish"):
            store.load("mine")


class TestDamage:
    """Every damage is one sentence."""

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"trian": {}}', '{"task": {"kind": "chess"}}'])
    def test_an_unreadable_configuration(self, text: str, folder: Path) -> None:
        (folder / CONFIG).write_text(text)
        with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
            store.load(folder)

    def test_a_configuration_of_bytes_or_none(self, folder: Path) -> None:
        (folder / CONFIG).write_bytes(b"\xff\xfe\x00")
        with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
            store.load(folder)
        (folder / CONFIG).unlink()
        with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
            store.load(folder)

    @pytest.mark.parametrize(
        "assignment",
        [
            "model.network.hidden=64",
            "model.network.blocks=2",
            "task.board_size=6",
            "model.kind=trm",
            "model.network.blocks=1000000000",
        ],
    )
    def test_a_configuration_of_another_model(self, assignment: str, folder: Path) -> None:
        (folder / CONFIG).write_text(preset("debug").override([assignment]).to_json())
        with pytest.raises(CheckpointError, match=r"does not fit its config\.json: .*restore both files from one run"):
            store.load(folder)

    def test_two_networks_are_not_squeezed_into_one(self, tmp_path: Path) -> None:
        store.save_weights(tmp_path, store.build(preset("debug").override(["model.shared=false"]))[1], 0)
        (tmp_path / CONFIG).write_text(preset("debug").to_json())
        with pytest.raises(CheckpointError, match=r"does not fit its config\.json: .*restore both files from one run"):
            store.load(tmp_path)

    def test_a_pickle_is_refused_unopened(self, folder: Path) -> None:
        class Trap:
            def __reduce__(self) -> tuple:
                return Path.write_text, (folder / "sprung", "")

        for write in (
            lambda path: path.write_bytes(pickle.dumps(Trap())),
            lambda path: torch.save({"a": Trap()}, path),
        ):
            write(folder / WEIGHTS)
            with pytest.raises(CheckpointError, match="not a readable safetensors file"):
                store.load(folder)
        assert not (folder / "sprung").exists()

    def test_a_safetensors_file_of_somebody_else(self, folder: Path) -> None:
        save_file({"a": torch.zeros(2)}, folder / WEIGHTS)
        with pytest.raises(CheckpointError, match="has format None; this version reads 'gram-checkpoint 2'"):
            store.load(folder)
        save_file({"a": torch.zeros(2)}, folder / WEIGHTS, {"format": "gram-checkpoint 1"})
        with pytest.raises(CheckpointError, match="has format 'gram-checkpoint 1'"):
            store.load(folder)

    def test_an_older_folder_is_refused_by_its_version_although_its_settings_have_other_names(
        self, folder: Path
    ) -> None:
        save_file({"a": torch.zeros(2)}, folder / WEIGHTS, {"format": "gram-checkpoint 1"})
        (folder / CONFIG).write_text((folder / CONFIG).read_text().replace("kl_warmup_steps", "kl_hold"))
        with pytest.raises(CheckpointError, match=r"gram-checkpoint 1.*; this version reads .*: train it again"):
            store.load(folder)

    @pytest.mark.parametrize("step", [{}, {"step": "many"}])
    def test_weights_that_do_not_say_their_step(self, step: dict[str, str], folder: Path) -> None:
        store.write_tensors(folder / WEIGHTS, dict(store.load(folder).model.state_dict()), step)
        with pytest.raises(CheckpointError, match="does not say its optimizer step"):
            store.load(folder)

    @sampled(40, 2_000)
    @given(share=st.floats(0, 1, exclude_max=True))
    def test_a_truncated_file(self, share: float, debug_checkpoint: Path, tmp_path: Path) -> None:
        whole = (debug_checkpoint / WEIGHTS).read_bytes()
        (tmp_path / "cut").write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(CheckpointError, match="may be truncated"):
            store.read_tensors(tmp_path / "cut")

    @sampled(40, 2_000)
    @given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), head=st.booleans())
    def test_a_flipped_bit_never_changes_a_tensor_or_what_is_said_of_them_unseen(
        self, place: float, bit: int, head: bool, debug_checkpoint: Path, tmp_path: Path
    ) -> None:
        content = bytearray((debug_checkpoint / WEIGHTS).read_bytes())
        data = 8 + int.from_bytes(content[:8], "little")
        at = int(place * data) if head else data + int(place * (len(content) - data))
        content[at] ^= 1 << bit
        (tmp_path / "flipped").write_bytes(content)
        try:
            tensors, metadata = store.read_tensors(tmp_path / "flipped")
        except CheckpointError as error:
            assert "\n" not in str(error)  # noqa: PT017 (either outcome is fine)
        else:
            assert head, "a flip among the numbers themselves must be seen"
            # The name of the seal may be what was flipped.
            assert metadata.items() >= store.read_metadata(debug_checkpoint / WEIGHTS).items()
            assert store.digest(tensors) == metadata["sha256"]


def test_the_digest_sees_names_values_dtypes_and_shapes() -> None:
    base = {"a": torch.arange(4.0), "b": torch.zeros(())}
    others = [
        {"a": torch.arange(4.0)}, base | {"a": torch.arange(4.0).view(2, 2)}, base | {"a": torch.arange(4)},
        {"a": base["a"], "c": base["b"]}, base | {"b": torch.ones(())}, base | {"a": torch.arange(4.0).flip(0)},
    ]  # fmt: skip
    assert len({store.digest(tensors) for tensors in (base, *others)}) == 1 + len(others)
    assert store.digest(base) == store.digest(dict(reversed(base.items())))
    assert store.digest({"a": torch.arange(6.0).view(2, 3).T}) == store.digest(
        {"a": torch.arange(6.0).view(2, 3).T.contiguous()}
    )


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / WEIGHTS).read_bytes()
    names = sorted(entry.name for entry in folder.iterdir())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"cannot write .*: No space left on device; choose a folder"):
        store.save_weights(folder, store.build(preset("debug"))[1], 1)
    assert (folder / WEIGHTS).read_bytes() == before
    assert sorted(entry.name for entry in folder.iterdir()) == names


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(CheckpointError, match="cannot write"):
        store.write_atomic(tmp_path / "file" / "weights", b"")
    with pytest.raises(CheckpointError, match="cannot write"):
        store.write_atomic(tmp_path, b"")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "kept"


def test_every_model_is_built_by_its_registered_name() -> None:
    for kind, model in MODELS.items():
        assert type(store.build(preset("debug").override([f"model.kind={kind}"]))[1]) is model
