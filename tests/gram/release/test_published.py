"""Published weights: the equations of the original code, written out again here on its own names, against our models.

No published file is at hand offline, so state dicts in the official layout are made here, with random weights.
"""

from __future__ import annotations

import itertools
import json
import math
import pickle
import random
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import yaml
from safetensors.torch import save_file
from torch import Tensor

from gram import checkpoint as store
from gram import rollout
from gram.config import RunConfig
from gram.inference.sample import Record, sample
from gram.models import MODELS
from gram.release.published import PublishedWarning, import_checkpoint
from gram.release.published_config import PublishedError, read, run
from gram.tasks import Puzzles
from gram.tasks.arc import ARC, ARCConfig
from gram.tasks.sudoku import Sudoku, SudokuConfig

CLASSES = {
    "trm": "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1",
    "hrm": "hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1",
}
CELLS, VOCABULARY, TOKENS = 81, 11, 3
SMALL = ["task.dataset=generated", "task.generated=20", "task.clues_min=40", "task.clues_max=50"]


def arch(family: str, mlp: bool = False, positions: str = "rope", ndim: int = 40, **changes: Any) -> dict[str, Any]:
    """The part `arch` of their YAML at toy size: width 32, two blocks; 40 entries fill 2 (HRM) or 3 (TRM) tokens."""
    told = {
        "name": CLASSES[family],
        "loss": {"name": "losses@ACTLossHead", "loss_type": "stablemax_cross_entropy"},
        "halt_exploration_prob": 0.1,
        "halt_max_steps": 4,
        "H_cycles": 2,
        "L_cycles": 2,
        "H_layers": 2 if family == "hrm" else 0,
        "L_layers": 2,
        "hidden_size": 32,
        "num_heads": 2,
        "expansion": 4,
        "puzzle_emb_ndim": ndim,
        "pos_encodings": positions,
        "forward_dtype": "bfloat16",
    }
    if family == "trm":
        told |= {"mlp_t": mlp, "puzzle_emb_len": TOKENS if ndim else 0, "no_ACT_continue": True}
    elif mlp:  # as in the HRM of TRM's repository
        told |= {"mlp_t": True, "name": "recursive_reasoning.hrm@HierarchicalReasoningModel_ACTV1"}
    return told | changes


def prefix(told: dict[str, Any]) -> int:
    return int(told.get("puzzle_emb_len") or -(-told["puzzle_emb_ndim"] // told["hidden_size"]))


def official(
    told: dict[str, Any], family: str, vocabulary: int = VOCABULARY, books: int = 1, cells: int = CELLS
) -> dict:
    """A state dict in their layout: the names and shapes of their code.

    Layers have half the deviation of its first weights: the recursion then enlarges rounding (of products whose terms
    are summed in another order) by less, and 1e-5 is held after 6 applications of the network too.
    """
    draw = torch.Generator().manual_seed(5)
    D, L = told["hidden_size"], cells + prefix(told)

    def normal(*shape: int, std: float) -> Tensor:
        return std * torch.randn(shape, generator=draw)

    def linear(inputs: int, outputs: int) -> Tensor:
        return normal(outputs, inputs, std=0.5 * inputs**-0.5)

    def swiglu(name: str, width: int) -> dict[str, Tensor]:
        inner = 256 * math.ceil(round(told["expansion"] * width * 2 / 3) / 256)
        return {
            f"{name}.gate_up_proj.weight": linear(width, 2 * inner),
            f"{name}.down_proj.weight": linear(inner, width),
        }

    state = {
        "H_init": normal(D, std=1.0),
        "L_init": normal(D, std=1.0),
        "embed_tokens.embedding_weight": normal(vocabulary, D, std=D**-0.5),
        "lm_head.weight": normal(vocabulary, D, std=D**-0.5),
        "q_head.weight": normal(2, D, std=D**-0.5),
        "q_head.bias": torch.tensor([-0.5, 0.3]),
    }
    if told["puzzle_emb_ndim"]:
        state["puzzle_emb.weights"] = normal(books, told["puzzle_emb_ndim"], std=D**-0.5)
    if told["pos_encodings"] == "learned":
        state["embed_pos.embedding_weight"] = normal(L, D, std=D**-0.5)
    for level in ["L_level"] + ["H_level"] * (family == "hrm"):
        for layer in range(told["L_layers"]):
            at = f"{level}.layers.{layer}"
            if told.get("mlp_t"):
                state |= swiglu(f"{at}.mlp_t", L)
            else:
                state[f"{at}.self_attn.qkv_proj.weight"] = linear(D, 3 * D)
                state[f"{at}.self_attn.o_proj.weight"] = linear(D, D)
            state |= swiglu(f"{at}.mlp", D)
    return state


def published(
    state: dict[str, Tensor], told: dict[str, Any], family: str, x: Tensor, book: int = 0
) -> tuple[Tensor, ...]:
    """The equations of their code, one supervision step from the start: logits, q_halt, q_continue.

    TRM, Fig. 3 and `trm.py`; HRM, Section 2 and `hrm_act_v1.py`. Post-norm blocks without gains, eps 1e-5.
    """
    D, heads, before = told["hidden_size"], told["num_heads"], prefix(told)

    def norm(z: Tensor) -> Tensor:
        return F.rms_norm(z, z.shape[-1:], eps=1e-5)

    def swiglu(name: str, z: Tensor) -> Tensor:
        gate, up = (state[f"{name}.gate_up_proj.weight"] @ z[..., None]).squeeze(-1).chunk(2, -1)
        return (gate * gate.sigmoid() * up) @ state[f"{name}.down_proj.weight"].T

    def turned(z: Tensor) -> Tensor:  # [batch, position, head, feature], RoPE as multiplication by complex numbers
        half = z.shape[-1] // 2
        angle = torch.arange(z.shape[1])[:, None] * 10_000.0 ** -(torch.arange(half) / half)
        pairs = torch.complex(z[..., :half], z[..., half:]) * torch.polar(torch.ones_like(angle), angle)[:, None]
        return torch.cat([pairs.real, pairs.imag], -1)

    def attention(name: str, z: Tensor) -> Tensor:
        qkv = (z @ state[f"{name}.qkv_proj.weight"].T).unflatten(-1, (3 * heads, D // heads))
        q, k, v = qkv[:, :, :heads], qkv[:, :, heads : 2 * heads], qkv[:, :, 2 * heads :]
        if told["pos_encodings"] == "rope":
            q, k = turned(q), turned(k)
        weight = (torch.einsum("bihd,bjhd->bhij", q, k) / math.sqrt(D // heads)).softmax(-1)
        return torch.einsum("bhij,bjhd->bihd", weight, v).flatten(2) @ state[f"{name}.o_proj.weight"].T

    def network(level: str, z: Tensor) -> Tensor:
        for layer in range(told["L_layers"]):
            at = f"{level}.layers.{layer}"
            if told.get("mlp_t"):
                across = z.mT
                z = norm(across + swiglu(f"{at}.mlp_t", across)).mT
            else:
                z = norm(z + attention(f"{at}.self_attn", z))
            z = norm(z + swiglu(f"{at}.mlp", z))
        return z

    e = state["embed_tokens.embedding_weight"][x]
    if told["puzzle_emb_ndim"]:
        scratch = torch.zeros(before * D)
        scratch[: told["puzzle_emb_ndim"]] = state["puzzle_emb.weights"][book]
        e = torch.cat([scratch.view(1, before, D).expand(len(x), -1, -1), e], 1)
    if told["pos_encodings"] == "learned":
        e = (e + state["embed_pos.embedding_weight"]) / math.sqrt(2)
    e = math.sqrt(D) * e
    z_high, z_low = state["H_init"].expand_as(e), state["L_init"].expand_as(e)
    for _ in range(told["H_cycles"]):
        for _ in range(told["L_cycles"]):
            z_low = network("L_level", z_low + z_high + e)
        z_high = network("H_level" if family == "hrm" else "L_level", z_high + z_low)
    logits = z_high[:, before:] @ state["lm_head.weight"].T
    q_halt, q_continue = (z_high[:, 0] @ state["q_head.weight"].T + state["q_head.bias"]).unbind(-1)
    return logits, q_halt, q_continue


def stable(x: Tensor) -> Tensor:
    """s of their stablemax: probabilities are s over the sum of s."""
    return torch.where(x < 0, 1 / (1 - x + 1e-30), x + 1)


Taken = Callable[..., Path]


@pytest.fixture
def taken(tmp_path: Path) -> Taken:
    """Import a state dict under such an `arch`, and return the folder; the files are as their code writes them."""

    def take(
        state: Any, told: dict[str, Any], family: str, *overrides: str, data: str = "data/sudoku-extreme-1k-aug-1000",
        **keywords: Any,
    ) -> Path:  # fmt: skip
        file, config = tmp_path / "step_26041", tmp_path / "all_config.yaml"
        torch.save({f"_orig_mod.model.inner.{name}": tensor for name, tensor in state.items()}, file)
        config.write_text(yaml.dump({"arch": told, "data_paths": [data], "global_batch_size": 768, "lr": 1e-4}))
        return import_checkpoint(file, family, config, tmp_path / "taken", overrides=overrides or SMALL, **keywords)

    return take


def boards(count: int = 3) -> Tensor:
    return torch.randint(1, VOCABULARY, (count, CELLS), generator=torch.Generator().manual_seed(0))


def answer(folder: Path, x: Tensor, book: int = 0) -> Any:
    """What our model reads out after one supervision step."""
    model = store.load(folder).model
    state = model.init(x, torch.full((len(x),), book))
    for _ in range(model.high_steps):
        state, _ = model.step(state, torch.zeros_like)
    return model.decode(state)


EVERY = [
    (family, mlp, positions, ndim)
    for family, mlp, positions, ndim in itertools.product(
        ("trm", "hrm"), (False, True), ("rope", "learned", "none"), (0, 40)
    )
    if mlp or positions != "none"
]


@pytest.mark.parametrize(("family", "mlp", "positions", "ndim"), EVERY)
def test_equal_weights_and_input_give_equal_logits(
    taken: Taken, family: str, mlp: bool, positions: str, ndim: int
) -> None:
    told = arch(family, mlp, positions, ndim)
    state = official(told, family)
    logits, q_halt, q_continue = published(state, told, family, boards())
    ours = answer(taken(state, told, family), boards())
    assert logits.std() > 0.5  # they are not near zero, so that the tolerance means something
    torch.testing.assert_close(ours.logits, stable(logits).log(), rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.value, q_halt, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.halt, q_halt - q_continue if family == "hrm" else q_halt, rtol=0, atol=1e-5)


def test_a_trm_that_halts_by_both_values_halts_by_their_difference(taken: Taken) -> None:
    told = arch("trm", no_ACT_continue=False)
    state = official(told, "trm")
    _, q_halt, q_continue = published(state, told, "trm", boards())
    ours = answer(taken(state, told, "trm"), boards())
    torch.testing.assert_close(ours.halt, q_halt - q_continue, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.value, q_halt, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "changes", "millions"),
    [  # TRM, Tables 1 and 4: 5 M with an MLP over positions, 7 M with attention; HRM: 27 M
        ("trm", {"mlp_t": True, "pos_encodings": "none"}, 5),
        ("trm", {}, 7),
        ("hrm", {"H_layers": 4, "L_layers": 4}, 27),
    ],
)
def test_the_published_settings_give_models_of_the_published_size(
    tmp_path: Path, family: str, changes: dict[str, Any], millions: int
) -> None:
    size = {"hidden_size": 512, "num_heads": 8, "puzzle_emb_ndim": 512}
    told = arch(family, **size) | ({"puzzle_emb_len": 16} if family == "trm" else {}) | changes
    path = tmp_path / "arch.yaml"
    path.write_text(yaml.dump(told))
    known, _ = read(path, family)
    config = run(known, family, VOCABULARY, "", path)
    with torch.device("meta"):
        model = MODELS[family](config.model, Sudoku(SudokuConfig()).board)  # type: ignore[call-arg]
    assert round(sum(parameter.numel() for parameter in model.parameters()) / 1e6) == millions


def test_tokens_mean_the_same_here_and_there() -> None:
    """Their data. Sudoku: 0 pad, then digits (a blank is 0) plus 1. ARC: 0 pad, 1 end, then colors plus 2."""
    sudoku = Sudoku(SudokuConfig(size=9))
    assert len(sudoku.board.tokens) == VOCABULARY
    digits = np.array([*range(1, 10), *[0] * 72])
    assert (sudoku.parse("".join(map(str, digits)).replace("0", ".")) == digits + 1).all()
    grid = np.array([[0, 9, 3], [1, 1, 2]])
    canvas = ARC(ARCConfig(canvas=30)).parse(json.dumps(grid.tolist())).reshape(30, 30)
    theirs = np.zeros((30, 30), dtype=int)
    theirs[:2, :3], theirs[2, :3], theirs[:2, 3] = grid + 2, 1, 1
    assert (canvas == theirs).all()


class TestOpening:
    """What comes out is a checkpoint like any other."""

    def test_it_is_measured_sampled_and_seen(
        self, taken: Taken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        import gramviz
        from gram import cli

        told = arch("trm", mlp=True, positions="none")
        folder = taken(official(told, "trm"), told, "trm")
        for words in (
            ["evaluate", str(folder), "--trajectories", "1", "--json"],
            ["sample", str(folder), "--trajectories", "2", "-o", str(tmp_path / "rollout.nc")],
        ):
            monkeypatch.setattr("sys.argv", ["gram", *words])
            with pytest.raises(SystemExit) as stopped:
                cli.main()
            assert not stopped.value.code
        figures = json.loads(capsys.readouterr().out.partition("\n}\n")[0] + "\n}")
        assert figures["all_inputs"]["inputs"] == len(store.load(folder).task.puzzles("test"))
        assert figures["supervision_steps"] == told["halt_max_steps"]
        assert figures["halting"] is False
        seen = rollout.load(tmp_path / "rollout.nc")
        assert seen.sizes["step"] == 1 + told["halt_max_steps"] * told["H_cycles"]
        explorer = gramviz.explore(seen).go(f"{told['halt_max_steps']}.{told['H_cycles']}")
        assert explorer.state["cursor"]["step"] == seen.sizes["step"] - 1

    def test_the_command_takes_what_the_function_takes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from gram import cli

        told = arch("hrm")
        (tmp_path / "arch.json").write_text(json.dumps(told))
        save_file(official(told, "hrm"), tmp_path / "weights.safetensors")
        words = ["import-checkpoint", "weights.safetensors", "--family", "hrm", "--config", "arch.json", "-o", "out"]
        monkeypatch.chdir(tmp_path)
        for code in (0, 2):
            monkeypatch.setattr("sys.argv", ["gram", *words, *SMALL])
            with pytest.raises(SystemExit) as stopped:
                cli.main()
            assert int(stopped.value.code or 0) == code
        said = capsys.readouterr()
        assert said.out == "out\n"
        assert said.err.splitlines() == [
            "read: stablemax, of the loss stablemax_cross_entropy",
            "left: name, halt_exploration_prob, forward_dtype of the configuration, which shape no weight here",
            "read: 23 tensors, 115,531 parameters",
            "gram: out holds a checkpoint already; choose another folder, or delete it",
        ]
        assert said.err.splitlines()[0] in (tmp_path / "out" / "README.md").read_text()
        assert store.load(tmp_path / "out").task.config == RunConfig().override(["task.kind=sudoku", *SMALL]).task

    def test_it_knows_its_step_and_says_where_it_comes_from(self, taken: Taken) -> None:
        told = arch("trm")
        folder = taken(official(told, "trm"), told, "trm")
        opened = store.load(folder)
        assert opened.step == 26_041
        assert (opened.config.inference.supervision_steps, opened.config.inference.halting) == (4, False)
        card = (folder / "README.md").read_text()
        assert re.search(r"published TRM.*`step_26041` \(sha256 [0-9a-f]{64}\) and `all_config.yaml`", card)
        assert "No figures were measured" in card

    @pytest.mark.parametrize("prefix", ["", "model.", "_orig_mod.model.inner.", "module.model.inner."])
    def test_the_prefixes_of_wrappers_make_no_difference(self, tmp_path: Path, prefix: str) -> None:
        told = arch("trm")
        (tmp_path / "arch.yaml").write_text(yaml.dump(told))
        state = official(told, "trm")
        torch.save({prefix + name: tensor for name, tensor in state.items()}, tmp_path / "weights.pt")
        folder = import_checkpoint(
            tmp_path / "weights.pt", "trm", tmp_path / "arch.yaml", tmp_path / "out", overrides=SMALL
        )
        assert torch.equal(store.load(folder).model.h0, state["H_init"])

    def test_half_precision_is_widened(self, taken: Taken) -> None:
        told = arch("trm")
        state = {name: tensor.bfloat16() for name, tensor in official(told, "trm").items()}
        assert torch.equal(store.load(taken(state, told, "trm")).model.h0, state["H_init"].float())

    def test_their_yaml_as_it_stands_in_the_repository(self, tmp_path: Path) -> None:
        """Hydra's reference to another key, YAML's numbers that are text, and no data paths."""
        path = tmp_path / "trm.yaml"
        told = {"puzzle_emb_ndim": "${.hidden_size}", "rms_norm_eps": "1e-5", "puzzle_emb_len": 16}
        path.write_text(yaml.dump(arch("trm") | told))
        known, trained_on = read(path, "trm")
        assert (known.puzzle_emb_ndim, known.rms_norm_eps, known.tokens, trained_on) == (32, 1e-5, 16, "")
        path.write_text(yaml.dump(arch("trm") | {"puzzle_emb_len": 0, "puzzle_emb_ndim": 33}))
        assert read(path, "trm")[0].tokens == 2  # as many as hold them


@pytest.mark.parametrize("loss", ["stablemax_cross_entropy", "softmax_cross_entropy"])
@pytest.mark.parametrize("mlp", [False, True])
def test_probabilities_are_those_of_their_code_at_every_supervision_step(taken: Taken, loss: str, mlp: bool) -> None:
    told = arch("trm", mlp, ndim=0, loss={"name": "losses@ACTLossHead", "loss_type": loss})
    state, x = official(told, "trm"), boards(2)
    state["lm_head.weight"] *= 4  # as sharp as a trained one
    folder, steps = taken(state, told, "trm"), told["halt_max_steps"]
    puzzles = Puzzles(x.numpy().astype(np.uint8), tuple(np.empty((0, CELLS), np.uint8) for _ in x), complete=False)
    found = sample(folder, puzzles, record=Record(logits=True, every="supervision"), precision="float32")
    for step in range(1, steps + 1):
        logits, *_ = published(state, told | {"H_cycles": step * told["H_cycles"]}, "trm", x)
        weight = stable(logits.double()) if loss.startswith("stablemax") else logits.double().exp()
        theirs = weight / weight.sum(-1, keepdim=True)
        ours = torch.from_numpy(found["logits"].values[:, 0, step]).double().softmax(-1)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
        assert np.abs(found["probability"].values[:, 0, step] - theirs.numpy()).max() < 5e-4  # half precision
    assert theirs.max() > 0.25


@pytest.mark.parametrize(("size", "vocabulary"), [(4, 6), (6, 8)])
def test_smaller_boards_have_smaller_vocabularies(taken: Taken, size: int, vocabulary: int) -> None:
    told = arch("trm", mlp=True, ndim=0)
    state = official(told, "trm", vocabulary, cells=size * size)
    folder = taken(state, told, "trm", "task.generated=20", *(["task.clues_min=4"] if size == 4 else []))
    x = torch.randint(1, vocabulary, (3, size * size), generator=torch.Generator().manual_seed(0))
    logits, *_ = published(state, told, "trm", x)
    torch.testing.assert_close(answer(folder, x).logits, stable(logits).log(), rtol=0, atol=1e-5)
    assert store.load(folder).task.config.size == size


class Made:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (tempfile.mkdtemp, ("", "ran", "."))


class Carry:
    """Part of a trainer's checkpoint, of a class that is not known here."""

    def __init__(self) -> None:
        self.z = torch.ones(2)


def test_a_trainers_checkpoint_of_eqr_opens_with_its_average(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = arch("trm", mlp=True, ndim=0) | {"name": "eqr@EqRModel", "lambda_": 0.9, "noise_scale": 0.0}
    del told["puzzle_emb_ndim"], told["puzzle_emb_len"], told["no_ACT_continue"]
    full = told | {"puzzle_emb_ndim": 0, "puzzle_emb_len": 0}
    state = {name: tensor for name, tensor in official(full, "trm").items() if name not in ("H_init", "L_init")}
    live = {f"_orig_mod.model.inner.{name}": tensor + 1 for name, tensor in state.items()}
    shadow = {f"model.inner.{name}": tensor for name, tensor in state.items()}
    raw = {"model": live, "ema": {"mu": 0.999, "shadow": shadow}, "carry": Carry(), "trap": Made(),
           "numpy": np.random.get_state(), "python": random.getstate(), "rng": {"torch": torch.get_rng_state()},
           "config": {"arch": told, "data_paths": ["data/sudoku-extreme-1k-aug-1000"]}}  # fmt: skip
    torch.save(raw, "eqr.pth")
    said: list[str] = []
    folder = import_checkpoint("eqr.pth", "eqr", None, "out", overrides=SMALL, say=said.append)
    assert not list(tmp_path.glob("ran*"))
    assert f"read: the moving average of {len(state)} of its {len(state)} tensors, as its authors evaluate" in said
    opened = store.load(folder)
    assert (opened.config.model.relaxation, opened.config.inference.random_start) == (0.9, True)
    model, x, draw = opened.model, boards(2), torch.Generator().manual_seed(1)
    z_high, z_low = (torch.randn(2, CELLS, 32, generator=draw) for _ in range(2))
    ours = replace(model.init(x), h=z_high, l=z_low)
    for _ in range(model.high_steps):
        ours, _ = model.step(ours, torch.zeros_like)

    e = math.sqrt(32) * state["embed_tokens.embedding_weight"][x]
    for _ in range(told["H_cycles"]):
        for _ in range(told["L_cycles"]):
            z_low = 0.1 * z_low + 0.9 * model.f(z_low + z_high + e)
        z_high = 0.1 * z_high + 0.9 * model.f(z_high + z_low)
    logits = z_high @ state["lm_head.weight"].T
    torch.testing.assert_close(model.decode(ours).logits, stable(logits).log(), rtol=0, atol=1e-5)
    found = sample(folder, trajectories=2, supervision_steps=1)["h"].values[0, :, 0].astype(float)
    assert np.ptp(found, axis=0).min() > 0  # a start of its own for every trajectory, and for every position
    assert np.ptp(found, axis=1).min() > 0


def test_noise_of_eqr_makes_trajectories_differ(tmp_path: Path) -> None:
    told = arch("trm", mlp=True, ndim=0) | {"name": "eqr@EqRModel", "noise_scale": 0.3}
    state = {name: tensor for name, tensor in official(told, "trm").items() if name not in ("H_init", "L_init")}
    torch.save(state, tmp_path / "eqr.pth")
    (tmp_path / "arch.yaml").write_text(yaml.dump(told))
    folder = import_checkpoint(tmp_path / "eqr.pth", "eqr", tmp_path / "arch.yaml", tmp_path / "out", overrides=SMALL)
    found = [sample(folder, trajectories=3, supervision_steps=2, random_start=False, noise=noise) for noise in (1, 0)]
    assert np.ptp(found[0]["h"].values[0, :, -1].astype(float), axis=0).max() > 0.1
    assert np.ptp(found[1]["h"].values[0, :, -1].astype(float), axis=0).max() == 0


def test_a_checkpoint_of_lightning_by_nano_trm(tmp_path: Path) -> None:
    told = arch("trm", mlp=True, ndim=0)
    state = official(told, "trm", vocabulary=12)
    named = {
        name.replace("L_level.", "lenet.").replace("embed_tokens.", "input_embedding.").replace("H_init", "z_H_init")
        .replace("L_init", "z_L_init"): tensor for name, tensor in state.items()
    }  # fmt: skip
    named |= {"q_head.weight": state["q_head.weight"][:1], "q_head.bias": state["q_head.bias"][:1]}
    shadow = {name: tensor for name, tensor in named.items() if "init" not in name}
    settings = {
        "hidden_size": 32, "num_layers": 2, "num_heads": 2, "H_cycles": 2, "L_cycles": 2, "N_supervision": 16,
        "N_supervision_val": 4, "ffn_expansion": 4, "puzzle_emb_dim": 0, "puzzle_emb_len": 0, "use_mlp_t": True,
        "pos_emb_type": "null", "rope_theta": 10000, "use_conv_swiglu": False, "learning_rate": 1e-4, "seq_len": 81,
        "vocab_size": 12, "forward_dtype": torch.bfloat16,
    }  # fmt: skip
    raw = {
        "state_dict": {name: tensor + (name in shadow) for name, tensor in named.items()}
        | {"pos_embedding.cos_cached": torch.ones(81, 16)},
        "callbacks": {"ModelCheckpoint": {"dirpath": Path("/home/somebody")}, "EMACallback": {"shadow": shadow}},
        "hyper_parameters": settings, "optimizer_states": [], "epoch": 3, "pytorch-lightning_version": "2.5",
    }  # fmt: skip
    torch.save(raw, tmp_path / "epoch=3-step=900.ckpt")
    said: list[str] = []
    folder = import_checkpoint(
        tmp_path / "epoch=3-step=900.ckpt", "nano-trm", None, tmp_path / "out", overrides=SMALL, say=said.append
    )
    assert store.load(folder).step == 900
    x = boards()
    theirs = torch.where(x >= 1, x + 1, x)  # 0 pad, 1 end, 2 blank, 3 ... digits
    logits, q_halt, _ = published(state, told, "trm", theirs)
    ours = answer(folder, x)
    torch.testing.assert_close(ours.logits, stable(logits[..., [0, *range(2, 12)]]).log(), rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.halt, q_halt, rtol=0, atol=1e-5)
    for line in (
        "read: the moving average of 12 of its 15 tensors, as its authors evaluate",
        "left: pos_embedding.cos_cached, which is computed and not learned",
        "left: the row of the end token, which no cell here can be; probabilities are those without it",
    ):
        assert line in said
    for changes, words in (
        ({"seq_len": 121}, r"boards of 9 x 9 are padded to 121 positions, .* train it with max_grid_size=9"),
        ({"use_conv_swiglu": True}, r"use_conv_swiglu in .* is true; networks with convolutions are not read here"),
        ({"pos_emb_type": "2d"}, r"pos_encodings in .* is '2d'; known: rope, learned, none"),
    ):
        torch.save(raw | {"hyper_parameters": settings | changes}, tmp_path / "other.ckpt")
        with pytest.raises(PublishedError, match=words):
            import_checkpoint(tmp_path / "other.ckpt", "nano-trm", None, tmp_path / "other", overrides=SMALL)
    torch.save(state, tmp_path / "step_1")
    with pytest.raises(PublishedError, match=r"holds no configuration; give their all_config.yaml with --config"):
        import_checkpoint(tmp_path / "step_1", "trm", None, tmp_path / "other")


class TestARC:
    """A vector for each ARC task; which is whose stands in `identifiers.json`."""

    PRACTICE = ("task.dataset=practice", "task.tasks=3", "task.demonstrations=1", "task.tests=1")

    def test_each_task_keeps_its_own_vector(self, taken: Taken, tmp_path: Path) -> None:
        told = arch("trm", ndim=32)
        state = official(told, "trm", vocabulary=12, books=7, cells=900)
        task = ARC(ARCConfig(tasks=3, demonstrations=1, tests=1))
        names = ["<blank>", "other", *reversed(task.task_names), f"{task.task_names[0]}|||t3|||0213456789", "another"]
        (tmp_path / "identifiers.json").write_text(json.dumps(names))
        data = "data/arc1concept-aug-1000"
        folder = taken(state, told, "trm", *self.PRACTICE, data=data, identifiers=tmp_path / "identifiers.json")
        puzzles = task.puzzles("test")
        assert len(puzzles) > 0
        for x, book in zip(puzzles.x, puzzles.identifier.tolist(), strict=True):
            x = torch.from_numpy(x.astype(np.int64))[None]
            theirs = names.index(task.task_names[book])
            logits, *_ = published(state, told, "trm", x, theirs)
            torch.testing.assert_close(answer(folder, x, book).logits, stable(logits).log(), rtol=0, atol=1e-5)
            elsewhere, *_ = published(state, told, "trm", x, 1)
            assert (logits - elsewhere).abs().max() > 1e-3

    def test_tasks_of_another_set_have_the_mean_vector_and_a_warning(self, taken: Taken, tmp_path: Path) -> None:
        told = arch("trm", ndim=32)
        state = official(told, "trm", vocabulary=12, books=7, cells=900)
        (tmp_path / "identifiers.json").write_text(json.dumps(list("abcdefg")))
        with pytest.warns(PublishedWarning, match=r"lacks .* and so 3 of the 3 tasks of practice: they have the mean"):
            folder = taken(state, told, "trm", *self.PRACTICE, identifiers=tmp_path / "identifiers.json")
        vectors = store.load(folder).model.puzzle_embedding.embed
        expected = math.sqrt(32) * state["puzzle_emb.weights"].mean(0).expand(3, -1)
        torch.testing.assert_close(vectors.data, expected)
        assert "assumed: identifiers.json lacks" in (folder / "README.md").read_text()

    @pytest.mark.parametrize(
        ("data", "expected"),
        [("['data/arc1concept-aug-1000']", "arc-agi-1"), ("data/arc-2-aug-1000", "arc-agi-2"),
         ("['data/arc2concept-aug-1000']", "arc-agi-2"), ("data/arc-aug-1000", "arc-agi-1")],
    )  # fmt: skip
    def test_the_path_of_the_data_tells_which_arc(self, tmp_path: Path, data: str, expected: str) -> None:
        path = tmp_path / "arch.yaml"
        path.write_text(yaml.dump(arch("trm")))
        assert run(read(path, "trm")[0], "trm", 12, data, path).task.dataset == expected

    @pytest.mark.parametrize(
        ("names", "more", "said"),
        [
            (None, (), r"holds 7 vectors of ARC tasks, and identifiers.json .* give it with --identifiers"),
            (["a"], (), r"identifiers.json is no list of 7 names"),
            ("{", (), r"identifiers.json cannot be read as JSON"),
            (list("abcdefg"), ("task.augmentations=2",), r"task.augmentations is 2; .* leave it at 0"),
        ],
    )
    def test_without_the_right_list_it_is_refused(
        self, taken: Taken, tmp_path: Path, names: Any, more: tuple[str, ...], said: str
    ) -> None:
        told = arch("trm", ndim=32)
        listed = tmp_path / "identifiers.json"
        if names is not None:
            listed.write_text(names if isinstance(names, str) else json.dumps(names))
        state = official(told, "trm", vocabulary=12, books=7, cells=900)
        with pytest.raises(PublishedError, match=said):
            taken(state, told, "trm", *self.PRACTICE, *more, identifiers=listed if names is not None else None)
        assert not (tmp_path / "taken").exists()


def changed(name: str, tensor: Tensor | None) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    """Another tensor of this name, or none."""

    def change(state: dict[str, Tensor]) -> dict[str, Tensor]:
        rest = {key: value for key, value in state.items() if key != name}
        return rest if tensor is None else rest | {name: tensor}

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed("H_init", None), r"step_26041 lacks H_init, which does not fit a trm of this configuration; give"),
        (changed("extra", torch.ones(2)), r"also holds extra, which does not fit"),
        (lambda state: {"H_init": state["H_init"]}, r"lacks L_init, L_level\S+, L_level\S+ and 11 more"),
        (changed("embed_tokens.embedding_weight", torch.ones(7, 32)), r"vocabulary has 7 tokens; known: 6 .* 12"),
        (changed("embed_tokens.embedding_weight", torch.ones(11, 9)), r"embed_tokens.embedding_weight .* \(11, 9\)"),
        (changed("embed_tokens.embedding_weight", torch.tensor(1.0)), r"vocabulary has 1 tokens"),
        (changed("puzzle_emb.weights", torch.ones(1, 8)), r"puzzle_emb.weights .* \(1, 8\), .* ask for \(1, 40\)"),
        (changed("puzzle_emb.weights", torch.ones(0, 40)), r"puzzle_emb.weights .* \(0, 40\), .* ask for \(1, 40\)"),
        (changed("puzzle_emb.weights", torch.tensor(0.0)), r"puzzle_emb.weights .* \(\), .* ask for \(1, 40\)"),
        (changed("q_head.weight", torch.ones(3, 32)), r"q_head in \S+ is \(3, 32\); theirs has two outputs"),
        (changed("q_head.bias", torch.tensor(1.0)), r"q_head in \S+ is \(\); theirs has two outputs"),
        (changed("L_init", torch.full((32,), math.nan)), r"L_init in \S+ holds what is no finite number"),
        (changed("model.L_init", torch.zeros(32)), r"holds L_init under several prefixes"),
        (changed("L_init", 3), r"is no state dict; it must map names to tensors"),  # type: ignore[arg-type]
    ],
)
def test_weights_that_do_not_fit_are_refused_in_one_sentence(
    taken: Taken, tmp_path: Path, change: Any, said: str
) -> None:
    told = arch("trm")
    with pytest.raises(PublishedError, match=said) as refused:
        taken(change(official(told, "trm")), told, "trm")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "taken").exists()


@pytest.mark.parametrize(
    ("family", "change", "said"),
    [
        ("hrm", {}, r"is of recursive_reasoning.trm@\S+; of the family hrm are hrm, hrm_act_v1"),
        ("trm", {"name": "recursive_reasoning.trm_singlez@TinyRecursiveReasoningModel_ACTV1"}, r"is of \S+trm_singlez"),
        ("tmr", {}, r"family is 'tmr'; known: trm, hrm, eqr, nano-trm"),
        ("trm", {"hiden_size": 3}, r"unknown key 'hiden_size' in \S+; known: .*hidden_size"),
        ("trm", {"hidden_size": "wide"}, r"hidden_size in \S+ is 'wide'; it must be of type int"),
        ("trm", {"mlp_t": 1}, r"mlp_t in \S+ is 1; it must be of type bool"),
        ("trm", {"expansion": "four"}, r"expansion in \S+ is 'four'; it must be of type float"),
        ("trm", {"expansion": -1}, r"expansion in \S+ is -1.0; it must be positive"),
        ("trm", {"L_cycles": 0}, r"L_cycles in \S+ is 0; it must be from 1 to 10,000"),
        ("trm", {"H_cycles": 10**9}, r"H_cycles in \S+ is 1,000,000,000; it must be from 1 to 10,000"),
        ("trm", {"puzzle_emb_len": -1}, r"puzzle_emb_len in \S+ is -1; it must be 0"),
        ("trm", {"puzzle_emb_ndim": 0}, r"puzzle_emb_ndim in \S+ is 0 and puzzle_emb_len 3, which their code cannot"),
        ("trm", {"puzzle_emb_ndim": 97}, r"cannot be: puzzle_features is 97; 3 puzzle_tokens have 96 entries"),
        ("trm", {"num_heads": 5}, r"the model that \S+ says cannot be: features is 32, which 5 heads do not divide"),
        ("trm", {"pos_encodings": "alibi"}, r"pos_encodings in \S+ is 'alibi'; known: rope, learned, none"),
        ("trm", {"pos_encodings": "none"}, r"cannot be: positions is 'none', and attention"),
        ("trm", {"rope_theta": 500.0}, r"rope_theta in \S+ is 500; only 10000 is read here"),
    ],
)
def test_configurations_that_cannot_be_are_refused_in_one_sentence(
    taken: Taken, family: str, change: dict[str, Any], said: str
) -> None:
    told = arch("trm")
    with pytest.raises(PublishedError, match=said) as refused:
        taken(official(told, "trm"), told | change, family)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("override", ["model.network.blocks=3", "model.kind=gram", "model.low_steps=5"])
def test_an_override_cannot_change_the_model(taken: Taken, override: str) -> None:
    told = arch("trm")
    with pytest.raises(PublishedError, match="an override changes the model, which the weights have made; change task"):
        taken(official(told, "trm"), told, "trm", *SMALL, override)


def test_networks_of_different_depth_are_refused(taken: Taken) -> None:
    told = arch("hrm")
    with pytest.raises(PublishedError, match=r"H_layers and L_layers in \S+ are 3 and 2; only equal ones"):
        taken(official(told, "hrm"), told | {"H_layers": 3}, "hrm")


BOMB = "\n".join(["a0: &a0 x", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", r"is not YAML.*; give their all_config.yaml"),
        ("\x00", r"is not YAML.*; give their all_config.yaml"),
        (BOMB, r"line 2: this is not YAML that is read here: aliases .* are not read"),
        ("[1, 2]", r"holds no settings of a model"),
        ("arch: 3", r"holds no settings of a model"),
        ("loss: [1]", r"the loss in \S+ is \[1\]; known: "),
        ("hidden_size: 32", r"lacks H_cycles, L_cycles, .*pos_encodings; give their all_config.yaml"),
        ("!!python/object/apply:os.system ['touch ran']", r"is not YAML.*; give their all_config.yaml"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "all_config.yaml"
    with pytest.raises(PublishedError, match="cannot read"):
        read(path, "trm")
    path.write_text(text)
    with pytest.raises(PublishedError, match=said) as refused:
        read(path, "trm")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "ran").exists()


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran"),))


@pytest.mark.parametrize("name", ["step_1", "step_1.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights", pickle.dumps({"L_init": Trap()}), None])
def test_a_file_that_is_no_state_dict_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "arch.yaml").write_text(yaml.dump(arch("trm")))
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(PublishedError, match="cannot read" if content is None else "is damaged, or holds more") as no:
        import_checkpoint(tmp_path / name, "trm", tmp_path / "arch.yaml", tmp_path / "out")
    assert "\n" not in str(no.value)
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out").exists()
