"""`gramviz` on the command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
import xarray as xr
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from gram import rollout
from gramviz import cli
from gramviz.reports.provenance import PACKAGES


@dataclass
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def gramviz(*words: str, cwd: Path | None = None, **environment: str) -> Done:
    """The command, in this process (a new one for each would be most of the time of these tests)."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        pytest.MonkeyPatch.context() as patched,
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patched.setattr("sys.argv", ["gramviz", *words])
        for name, value in environment.items():
            patched.setenv(name, value)
        try:
            cli.main()
        except SystemExit as left:
            code = int(left.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells = [
        new_markdown_cell("# Small", id="title"),
        new_code_cell('seed: int = 0  # of the dice\nname: str = "a"', id="p", metadata={"tags": ["parameters"]}),
        new_code_cell("if name == 'absent':\n    raise ValueError('no model')", id="s", metadata={"tags": ["setup"]}),
        new_code_cell("assert name != 'broken', 'it broke'", id="c"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "small.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def one_sentence(done: Done) -> str:
    """The message of a command that refused its input: exit code 2, nothing on stdout, no traceback."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line.startswith("gramviz: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0].removeprefix("gramviz: ")


def test_report_prints_what_it_published(notebook: Path, tmp_path: Path) -> None:
    done = gramviz("report", str(notebook), "-p", "seed=4", "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    page, book = (Path(line) for line in done.stdout.splitlines())
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert "seed = 4" in book.read_text()
    assert "done in" in done.stderr


def test_parameters_come_from_a_file_and_those_of_the_line_come_before_them(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "given.yaml").write_text("name: b\nseed: 7\n")
    words = ["-f", str(tmp_path / "given.yaml"), "-p", "seed=8", "-o", str(tmp_path / "out")]
    done = gramviz("report", str(notebook), *words)
    assert done.returncode == 0, done.stderr
    book = (tmp_path / "out" / "small.ipynb").read_text()
    assert "seed = 8" in book
    assert 'name = \\"b\\"' in book


@pytest.mark.parametrize(
    ("text", "message"),
    [("[1, 2]", "holds no parameters; write one `name: value` a line"), ("a: *b", "is not YAML that is read here")],
)
def test_a_file_without_parameters_is_one_sentence(notebook: Path, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "given.yaml").write_text(text)
    assert message in one_sentence(gramviz("report", str(notebook), "-f", str(tmp_path / "given.yaml")))


def test_a_secret_that_nobody_gives_is_one_sentence(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    message = one_sentence(gramviz("report", str(notebook), "--secret", "name"))
    assert message == "there is no secret 'name'; set the environment variable NAME"


def test_report_goes_to_a_folder_of_its_own_by_default(notebook: Path, tmp_path: Path) -> None:
    done = gramviz("report", notebook.name, cwd=tmp_path)
    assert done.stdout.splitlines()[0] == "artifacts/reports/small/small.html"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-p", "sed=1"], "unknown parameter 'sed'; known: seed, name (did you mean 'seed'?)"),
        (["-p", "seed=x"], "parameter 'seed' must be int, not 'x'; its default is 0"),
        (["-p", "name=absent"], "no model"),
    ],
)
def test_wrong_input_is_one_sentence(notebook: Path, tmp_path: Path, words: list[str], message: str) -> None:
    done = gramviz("report", str(notebook), *words, "-o", str(tmp_path / "out"))
    assert one_sentence(done) == message
    assert not (tmp_path / "out").exists()


def test_a_missing_notebook_is_one_sentence(tmp_path: Path) -> None:
    assert one_sentence(gramviz("report", "nope.ipynb", cwd=tmp_path)).startswith("there is no notebook 'nope.ipynb'")


def test_an_unwritable_folder_is_one_sentence(notebook: Path) -> None:
    assert one_sentence(gramviz("report", str(notebook), "-o", "/proc/x")).startswith("cannot write into '/proc/x'")


def test_a_failed_run_ends_with_1(notebook: Path, tmp_path: Path) -> None:
    done = gramviz("report", str(notebook), "-p", "name=broken", "-o", str(tmp_path / "out"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("gramviz: small.ipynb failed in cell 3 (Small): it broke; see ")
    assert (tmp_path / "out" / "small.failed.html").exists()


def test_unknown_options_are_refused(notebook: Path) -> None:
    done = gramviz("report", str(notebook), "--sed", "1")
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_a_sweep_leaves_an_index_and_a_broken_expectation_ends_with_1(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "given.yaml").write_text("expect:\n  loss: <1\nsweep:\n  seed: [1, 2]\n")
    words = ["report", str(notebook), "-f", str(tmp_path / "given.yaml"), "-o", str(tmp_path / "out")]
    done = gramviz(*words, "--sweep", "seed=[5]")
    assert done.returncode == 1, done.stderr
    assert done.stdout.strip() == str(tmp_path / "out" / "index.html")
    assert (tmp_path / "out" / "seed=5" / "small.failed.html").exists()
    assert "small.ipynb is not as expected: loss should be <1 and was not measured" in done.stderr
    gramviz("index", str(tmp_path))
    assert "out/seed=5" in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no notebook is given; give its path, or --all for every one of notebooks/"),
        (["--sweep", "seed=[1]"], "--sweep needs a NOTEBOOK; give its path"),
        (["--all", "--sweep", "seed=[1]"], "--all and --sweep do not go together; give one of them"),
        (["small.ipynb", "--sweep", "seed=1"], "the values of 'seed' must be a list, not 1; write seed=[1, 2]"),
        (["--all"], "there is no notebook in 'notebooks'; start where notebooks/ is, or give a NOTEBOOK"),
    ],
)
def test_what_cannot_be_run_together_is_one_sentence(notebook: Path, words: list[str], message: str) -> None:
    assert one_sentence(gramviz("report", *words, cwd=notebook.parent)) == message


def test_params_lists_name_type_default_and_meaning(notebook: Path) -> None:
    lines = gramviz("params", str(notebook)).stdout.splitlines()
    assert lines[0].split() == ["seed", "int", "0", "of", "the", "dice"]
    machine = json.loads(gramviz("params", str(notebook), "--json").stdout)
    assert machine["name"] == {"type": "str", "default": "a", "help": ""}


def test_strip_empties_notebooks_and_says_so_once(notebook: Path) -> None:
    book = nbformat.read(notebook, 4)
    book.cells[1].execution_count = 3
    book.cells[1].metadata["collapsed"] = True
    nbformat.write(book, notebook)
    first, second = gramviz("strip", str(notebook)), gramviz("strip", str(notebook))
    assert (first.returncode, second.returncode) == (1, 0)
    assert first.stdout == f"stripped {notebook}\n"
    assert nbformat.read(notebook, 4).cells[1].execution_count is None


def test_freeze_writes_a_page_that_asks_for_nothing(gram: xr.Dataset, trm: xr.Dataset, tmp_path: Path) -> None:
    paths = [str(rollout.save(run, tmp_path / f"{name}.nc")) for name, run in (("trm", trm), ("gram", gram))]
    done = gramviz("freeze", *paths, "-o", str(tmp_path / "page.html"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'page.html'}\n"
    page = (tmp_path / "page.html").read_text()
    assert "Content-Security-Policy" in page
    assert 'src="http' not in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent.nc", "-o", "page.html"], "there is no rollout file 'absent.nc'"),
        (["odd.nc", "-o", "page.html"], "odd.nc is not a readable rollout (netCDF-4, or what a page saves)"),
        (["good.nc", "--puzzle", "9", "-o", "page.html"], "puzzle"),
        (["good.nc", "-o", "absent/page.html"], "cannot write absent/page.html: No such file or directory"),
    ],
)
def test_freeze_refuses_in_one_sentence(small: xr.Dataset, tmp_path: Path, words: list[str], message: str) -> None:
    (tmp_path / "odd.nc").write_text("no netCDF")
    rollout.save(small, tmp_path / "good.nc")
    assert message in one_sentence(gramviz("freeze", *words, cwd=tmp_path))
    assert not (tmp_path / "page.html").exists()


def test_doctor_names_versions_browser_and_models(tmp_path: Path) -> None:
    (tmp_path / "artifacts" / "mine").mkdir(parents=True)
    (tmp_path / "artifacts" / "mine" / "weights.safetensors").touch()
    done = gramviz("doctor", cwd=tmp_path)
    assert done.returncode == 0
    assert all(name in done.stdout for name in PACKAGES)
    (models,) = (line for line in done.stdout.splitlines() if line.startswith("models"))
    assert "mine" in models


def test_doctor_finds_the_browser_that_is_named(tmp_path: Path) -> None:
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    done = gramviz("doctor", "--chromium", CHROMIUM=str(fake))
    assert (done.returncode, done.stdout) == (0, f"{fake}\n")


def test_the_console_script_is_installed_and_helps() -> None:
    script = Path(sys.executable).with_name("gramviz")
    shown = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=120, check=True).stdout
    assert all(command in shown for command in ("report", "params", "freeze", "strip", "doctor"))


def test_check_says_what_a_rollout_holds_or_which_rule_it_breaks(small: xr.Dataset, tmp_path: Path) -> None:
    path = rollout.save(small, tmp_path / "a.nc")
    done = gramviz("check", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{path}: a legal {rollout.SCHEMA}")
    small.assign_attrs(mode="future").to_netcdf(path, engine="h5netcdf")
    done = gramviz("check", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "mode is 'future'; known: prior, posterior" in done.stderr
