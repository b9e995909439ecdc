"""The command: what it prints, its exit codes, and that whatever is wrong is one sentence and leaves nothing behind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from gram import cli, rollout
from gram.checkpoint import CONFIG, WEIGHTS
from gram.config import ConfigError
from gram.models import MODELS
from gram.presets import PRESETS
from gram.tasks import TASKS


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def gram(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, one_thread: None) -> Any:
    """Run the command in an empty folder, in this process: `gram("list")`."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["gram", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return Said(int(stopped.value.code or 0), said.out, said.err)

    return run


def assert_refused(said: Said, words: str) -> None:
    """Exit code 2, nothing on stdout, one sentence on stderr."""
    assert said.code == 2, said
    assert said.out == ""
    assert re.search(words, said.err), said.err
    assert said.err.startswith("gram: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


class TestList:
    def test_it_names_everything_that_is_known(
        self, gram: Any, debug_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GRAM_ARTIFACTS", str(debug_checkpoint.parent))
        said = gram("list")
        assert said.code == 0
        lines = dict(line.split(maxsplit=1) for line in said.out.splitlines())
        words = set(re.findall(r"[\w-]+", lines["presets"]))
        for name in PRESETS:
            parts = name.split("-")
            cuts = [{"-".join(parts[:at]), "-".join(parts[at:])} for at in range(1, len(parts))]
            assert name in words or any(cut <= words for cut in cuts), name
        assert lines["tasks"] == ", ".join(TASKS)
        assert lines["models"] == ", ".join(MODELS)
        assert debug_checkpoint.name in lines["checkpoints"].split(", ")

    def test_on_a_terminal_lines_are_as_wide_as_it(self, gram: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = gram("list").out
        monkeypatch.setattr(sys.stdout.__class__, "isatty", lambda self: True)
        monkeypatch.setenv("COLUMNS", "80")
        narrow = gram("list").out
        assert max(map(len, narrow.splitlines())) <= 80
        assert narrow.split() == whole.split()


class TestShow:
    def test_it_prints_every_value_with_its_layer(self, gram: Any) -> None:
        said = gram("show", "sudoku9-gram")
        assert said.code == 0
        assert yaml.safe_load(said.out)["task"] == PRESETS["sudoku9-gram"].to_dict()["task"]
        assert re.search(r"^  kind: gram +# models\.gram$", said.out, re.MULTILINE)
        assert re.search(r"^    ema: 0\.995 +# models\.relations$", said.out, re.MULTILINE)
        assert re.search(r"^seed: 0 +# defaults$", said.out, re.MULTILINE)

    def test_of_two_it_prints_the_difference(self, gram: Any) -> None:
        lines = gram("show", "digits-gram", "digits-trm").out.splitlines()
        assert lines[0].split() == ["digits-gram", "digits-trm"]
        rows = {line.split()[0]: re.split("  +", line)[1:] for line in lines[1:]}
        assert rows["model.kind"] == ["gram (models.gram)", "trm (models.trm)"]
        assert rows["inference.noise"] == ["0.8 (experiments.generate-digits-gram)", "1.0 (defaults)"]
        assert rows["model.guided"] == ["true (defaults)", "-"]
        assert {key.split(".")[0] for key in rows} == {"model", "inference"}
        assert gram("show", "debug", "debug").out == "debug and debug are the same\n"

    def test_an_unknown_name_is_one_sentence(self, gram: Any) -> None:
        assert_refused(gram("show", "debgu"), r"unknown preset 'debgu' \(did you mean 'debug'\?\); known: ")


class TestTrain:
    def test_it_trains_into_the_folder_and_prints_it(self, gram: Any, tmp_path: Path) -> None:
        said = gram("train", "debug", "train.steps=2", "-o", "mine", "--quiet")
        assert (said.code, said.out) == (0, "mine\n")
        assert (tmp_path / "mine" / WEIGHTS).is_file()
        assert json.loads((tmp_path / "mine" / CONFIG).read_text())["train"]["steps"] == 2

    def test_what_it_measured_is_printed_or_written_as_csv(
        self, gram: Any, debug_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        printed = gram("metrics", debug_checkpoint).out
        assert printed.startswith("step,seconds,cpu_seconds,")
        gram("metrics", debug_checkpoint, "-o", "run.csv")
        assert (tmp_path / "run.csv").read_text() == printed
        assert len(printed.splitlines()) == 1 + 8
        monkeypatch.setenv("GRAM_ARTIFACTS", str(debug_checkpoint.parent))
        assert gram("metrics", debug_checkpoint.name).out == printed

    def test_the_folder_defaults_to_the_name_of_the_preset(self, gram: Any) -> None:
        assert gram("train", "debug", "train.steps=1", "--quiet").out == "runs/debug\n"
        assert gram("sample", "debug", "--trajectories", 1).code == 0  # and is found by name

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("debgu",), r"unknown preset 'debgu' \(did you mean 'debug'\?\); known: "),
            (("debug", "train.stps=3"), r"'train\.stps'.*did you mean 'train\.steps'"),
            (("debug", "steps"), "write key=value"),
            (("debug", "train.steps=x"), r"train\.steps is 'x'; it must be of type int"),
            (("debug", "model.kind=hrn"), "unknown model 'hrn'; known: "),
            (("debug", "task.board_size=99"), "board_size is 99"),
            (("debug", "--minutes", "0"), "minutes is 0"),
        ],
    )
    def test_a_wrong_word_is_one_sentence_and_nothing_is_made(
        self, words: tuple[str, ...], sentence: str, gram: Any, tmp_path: Path
    ) -> None:
        assert_refused(gram("train", *words), sentence)
        assert not [*tmp_path.iterdir()]

    def test_what_show_prints_can_be_edited_and_trained(self, gram: Any, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text(gram("show", "debug").out.replace("  steps: 12", "  steps: 1"))
        assert gram("train", "mine.yaml", "--quiet").out == "runs/mine\n"
        config = json.loads((tmp_path / "runs" / "mine" / CONFIG).read_text())
        assert config == PRESETS["debug"].override(["train.steps=1"]).to_dict()

    def test_the_folder_of_another_run_is_refused(self, gram: Any) -> None:
        gram("train", "debug", "train.steps=1", "--quiet")
        assert_refused(gram("train", "debug", "train.steps=2"), "holds a run with another configuration")
        Path("cut").mkdir()
        Path("cut/config.json").write_text('{"a":')
        assert_refused(
            gram("train", "debug", "-o", "cut"), r"cut/config\.json is damaged \(.*\); restore it, or choose"
        )

    def test_a_folder_that_cannot_be_made_is_refused(self, gram: Any, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert_refused(gram("train", "debug", "-o", "file/run"), "cannot write file/run/config.json: .*choose a folder")
        assert_refused(gram("train", "debug", "-o", "file"), "cannot write file/config.json")

    def test_a_run_that_diverges_is_one_sentence(self, gram: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gram.training.losses.token", lambda logits, y: logits.mean((1, 2)) * float("nan"))
        assert_refused(
            gram("train", "debug", "--quiet"),
            r"the gradient is nan at step 0; lower train\.optim\.lr; what was saved before is intact",
        )


class TestSample:
    def test_it_writes_a_rollout_and_says_what_is_in_it(
        self, gram: Any, debug_checkpoint: Path, tmp_path: Path
    ) -> None:
        said = gram(
            "sample", debug_checkpoint, "-o", "a.nc", "--trajectories", 3, "--puzzle", 1, "--puzzle", 4, "--seed", 7
        )
        assert said.code == 0
        assert said.out.startswith("a.nc: 2 x 3 trajectories, 7 states, ")
        data = rollout.load(tmp_path / "a.nc")
        assert (data.sizes["puzzle"], data.sizes["trajectory"], data.attrs["seed"]) == (2, 3, 7)

    def test_the_file_defaults_to_the_name_of_the_checkpoint(
        self, gram: Any, debug_checkpoint: Path, tmp_path: Path
    ) -> None:
        said = gram("sample", debug_checkpoint, "--trajectories", 1, "--supervision-steps", 1, "--low")
        assert "end valid after 1 supervision step;" in said.out
        data = rollout.load(tmp_path / f"{debug_checkpoint.name}.nc")
        assert data.sizes["puzzle"] == 1
        assert data["low_step"].max() > 0

    def test_a_board_can_be_typed(self, gram: Any, debug_checkpoint: Path, tmp_path: Path) -> None:
        board = "Q..../...../...../...../....."
        assert gram("sample", debug_checkpoint, "--board", board, "--trajectories", 2, "-o", "b.nc").code == 0
        data = rollout.load(tmp_path / "b.nc")
        assert data["x"].values[0].tolist() == [2] + 24 * [1]

    def test_mode_and_noise_reach_the_rollout(self, gram: Any, debug_checkpoint: Path, tmp_path: Path) -> None:
        gram("sample", debug_checkpoint, "--mode", "posterior", "--noise", "0", "--trajectories", 2, "-o", "c.nc")
        data = rollout.load(tmp_path / "c.nc")
        assert data.attrs["mode"] == "posterior"
        assert (data["h"][:, 0] == data["h"][:, 1]).all()

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (
                ("--board", "QQ.../...../...../...../....."),
                "row 1, column 1 and row 1, column 2 attack each other; remove one",
            ),
            (("--board", "Q.../..../..../...."), "rows of 4, 4, 4, 4 characters; this board needs 5 rows of 5"),
            (("--board", "abcde/...../...../...../....."), "row 1 holds 'a'; write Q"),
            (("--board", ""), "rows of no characters"),
            (("--puzzle", "9999"), "puzzle 9999 is not in the test split; it has 0 to"),
            (("--puzzle", "-1"), "puzzle -1 is not in the test split"),
            (("--trajectories", "0"), "trajectories is 0"),
            (("--trajectories", "1000000000"), "this record takes .* GB, over .* GB; draw fewer trajectories or steps"),
            (("--seed", "-1"), "seed is -1"),
            (("--mode", "future"), "mode is 'future'; known: prior, posterior"),
            (("--noise", "nan"), "noise is nan"),
            (("-o", "."), "cannot write"),
            (("-o", "no/such/a.nc"), "cannot write no/such/a.nc"),
            (("-o", "a.html"), "a rollout is netCDF, 'a.html' is not named so; -o a.nc is"),
            (("-o", "a.nc.gz"), "a rollout is netCDF, 'a.nc.gz' is not named so; -o a.nc is"),
        ],
    )
    def test_a_wrong_word_is_one_sentence_and_nothing_is_made(
        self, words: tuple[str, ...], sentence: str, gram: Any, debug_checkpoint: Path, tmp_path: Path
    ) -> None:
        assert_refused(gram("sample", debug_checkpoint, *words), sentence)
        assert not [*tmp_path.iterdir()]

    def test_no_picture_is_called_valid(self, gram: Any) -> None:
        said = gram("sample", "digits-vae", "--trajectories", 2)
        assert said.out == "digits-vae.nc: 1 x 2 trajectories, 2 states, 1 supervision step\n"

    def test_puzzle_and_board_together_are_refused(self, gram: Any, debug_checkpoint: Path) -> None:
        said = gram("sample", debug_checkpoint, "--board", "Q", "--puzzle", 1)
        assert said.code == 2
        assert "give one of --puzzle, --board and --file" in said.err

    def test_an_unknown_checkpoint_names_the_nearest(
        self, gram: Any, debug_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GRAM_ARTIFACTS", str(debug_checkpoint.parent))
        assert_refused(
            gram("sample", "debgu"), f"there is no checkpoint 'debgu'; known: .*did you mean '{debug_checkpoint.name}'"
        )

    def test_a_damaged_checkpoint_is_one_sentence(self, gram: Any, debug_checkpoint: Path, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / CONFIG).write_bytes((debug_checkpoint / CONFIG).read_bytes())
        assert_refused(gram("sample", "mine"), "mine has no weights.safetensors yet")
        whole = (debug_checkpoint / WEIGHTS).read_bytes()
        for broken in (whole[:-100], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
            (tmp_path / "mine" / WEIGHTS).write_bytes(broken)
            for command in ("sample", "evaluate"):
                assert_refused(gram(command, "mine"), "may be truncated|was altered")
        assert [entry.name for entry in tmp_path.iterdir()] == ["mine"]


class TestEvaluate:
    def test_json_is_json_and_nothing_else(self, gram: Any, debug_checkpoint: Path) -> None:
        said = gram(
            "evaluate", debug_checkpoint, "--trajectories", 2, "--split", "test", "--seed", 0, "--limit", 8, "--json"
        )
        assert said.code == 0
        figures = json.loads(said.out)
        assert figures["trajectories"] == 2
        assert set(figures["best_of_n"]) == {"majority", "value", "halt", "residual", "stability", "rules", "any"}
        assert {"accuracy", "coverage", "by_solutions", "distinct", "mean_halt_step", "seconds", "all_inputs"} <= set(
            figures
        )

    def test_the_table_says_the_same_figures(self, gram: Any, debug_checkpoint: Path) -> None:
        words = (
            "evaluate",
            debug_checkpoint,
            "--trajectories",
            2,
            "--limit",
            8,
            "--supervision-steps",
            1,
            "--no-halting",
        )
        table, figures = gram(*words).out, json.loads(gram(*words, "--json").out)
        assert (figures["supervision_steps"], figures["halting"]) == (1, False)
        for part in (figures, figures["all_inputs"]):
            for name in ("accuracy", "coverage"):
                low, high = part["intervals"][name]
                assert re.search(rf"{name} +{part[name]:.3f} \[{low:.3f}, {high:.3f}\]", table)
            above = part["above_one_sample"]["value"]
            low, high = above["interval"]
            words = f"above one sample by {above['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"
            assert re.search(rf"best of 2 by value .*{re.escape(words)}", table)
        assert f"all inputs: {figures['all_inputs']['inputs']} inputs" in table

    def test_a_grid_has_a_cell_for_each_depth_and_width(self, gram: Any, debug_checkpoint: Path) -> None:
        words = ("evaluate", debug_checkpoint, "--limit", 8, "--depths", "1,3", "--trajectories", "2,1")
        table, figures = gram(*words).out, json.loads(gram(*words, "--json").out)
        at = [(cell["supervision_steps"], cell["trajectories"]) for cell in figures["cells"]]
        assert at == [(1, 1), (1, 2), (3, 1), (3, 2)]
        for (depth, width), cell in zip(at, figures["cells"], strict=True):
            counts = rf"{depth} +{width} +{cell['network_calls']:.0f}"
            assert re.search(rf"^ +{counts}  {cell['accuracy']:.3f} \[", table, re.MULTILINE)

    def test_widths_without_depths_are_a_grid_at_the_checkpoints_depth(self, gram: Any, debug_checkpoint: Path) -> None:
        said = gram("evaluate", debug_checkpoint, "--limit", 4, "--trajectories", "1,2", "--json")
        assert [cell["supervision_steps"] for cell in json.loads(said.out)["cells"]] == [3, 3]

    def test_added_chance_is_told(self, gram: Any, debug_trm_checkpoint: Path) -> None:
        words = ("evaluate", debug_trm_checkpoint, "--limit", 4, "--trajectories", 3)
        added = ("--perturb", 0.5, "--random-start", "--temperature", 2)
        figures = json.loads(gram(*words, *added, "--json").out)
        assert (figures["perturb"], figures["random_start"], figures["temperature"]) == (0.5, True, 2.0)
        assert "noise 1, perturb 0.5, temperature 2, random start, with halting" in gram(*words, *added).out

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("--split", "dev"), "unknown split 'dev'; known: train, test"),
            (("--trajectories", "0"), "trajectories is 0"),
            (("--limit", "0"), "limit is 0"),
            (("--seed", "-3"), "seed is -3"),
            (("--supervision-steps", "0"), "supervision_steps is 0"),
            (("--depths", "3,0"), "supervision_steps is 0"),
            (("--perturb", "-1"), "perturb is -1"),
            (("--temperature", "nan"), "temperature is nan"),
        ],
    )
    def test_a_wrong_word_is_one_sentence(
        self, words: tuple[str, ...], sentence: str, gram: Any, debug_checkpoint: Path
    ) -> None:
        assert_refused(gram("evaluate", debug_checkpoint, *words), sentence)


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--stesp", "3"),
        ("sample",),
        ("evaluate", "x", "--trajectories", "many"),
        ("fly",),
        ("evaluate", "x", "--depths", "1;2"),
        ("evaluate", "x", "--depths", "1", "--supervision-steps", "1"),
        ("bench", "prototype", "chess"),
    ],
)
def test_what_typer_refuses_has_exit_code_2_too(words: tuple[str, ...], gram: Any) -> None:
    said = gram(*words)
    assert said.code == 2
    assert "Traceback" not in said.err


def test_help_shows_every_command(gram: Any) -> None:
    said = gram("--help")
    assert said.code == 0
    for command in ("train", "sample", "evaluate", "list"):
        assert re.search(rf"^\s+{command}\s", said.out, re.MULTILINE)


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong() -> None:
        raise ValueError("ours")

    monkeypatch.setattr(cli, "app", wrong)
    with pytest.raises(ValueError, match="ours"):
        cli.main()


@pytest.mark.parametrize("words", [["--debug", "show", "none"], ["show", "none", "--debug"]])
def test_debug_shows_the_traceback_of_an_error(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gram", *words])
    with pytest.raises(ConfigError, match="unknown preset 'none'"):
        cli.main()


def test_the_installed_command_is_this_one() -> None:
    command = Path(sys.executable).parent / "gram"
    said = subprocess.run([command, "train", "debgu"], capture_output=True, text=True)
    assert said.returncode == 2
    assert said.stderr.startswith("gram: unknown preset 'debgu'")
    assert said.stderr.count("\n") == 1


def test_the_cost_of_a_grid_is_measured_beside_its_largest_cell(gram: Any, debug_checkpoint: Path) -> None:
    said = gram("bench", "grid", debug_checkpoint, "--depths", "1,3", "--trajectories", "1,2", "--limit", 4)
    figures = json.loads(said.out)
    for halting in ("with halting", "without halting"):
        assert figures[halting]["same_cell"]
        assert figures[halting]["ratio"] > 0


def test_the_cost_of_one_trajectory_is_measured_beside_its_share_of_a_batch(gram: Any, debug_checkpoint: Path) -> None:
    figures = json.loads(gram("bench", "rows", debug_checkpoint, "--supervision-steps", 1, "--rounds", 1).out)
    assert figures["checkpoint"] == debug_checkpoint.name
    assert figures["ratio"] > 0


def test_without_a_prototype_there_is_nothing_to_compare(gram: Any, tmp_path: Path) -> None:
    assert_refused(gram("bench", "prototype", "--prototype", tmp_path), "has no queens_coloring, .* give it as --proto")
    (tmp_path / "sudoku").mkdir()
    said = gram("bench", "prototype", "sudoku", "--prototype", tmp_path, "--budget", 0)
    assert_refused(said, "budget is 0; it must be a positive number")
