"""Data files: where they are found, what a mirror may do wrong, and the `gram data` command."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gram.data_cli import app
from gram.tasks import files as data
from gram.tasks.files import DataError, File

CONTENT = np.random.default_rng(0).bytes(300_000)
NAME = "mnist/small.gz"
GIVEN = os.environ.get("GRAM_DATA")


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data folder, an empty cache, and a manifest with one file more; the cache folder."""
    monkeypatch.delenv("GRAM_DATA", raising=False)
    monkeypatch.setenv("GRAM_CACHE", str(tmp_path / "cache"))
    file = File(NAME, "a small file", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "images", ("http://nowhere",))
    monkeypatch.setitem(data.FILES, NAME, file)
    return tmp_path / "cache"


class Mirror(ThreadingHTTPServer):
    """A server that offers `content` in one of several ways; `ranges` are the Range headers that it was sent."""

    daemon_threads = True

    def __init__(self, manner: str, content: bytes = CONTENT) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.manner, self.content, self.ranges = manner, content, []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{NAME}"


class Handler(BaseHTTPRequestHandler):
    server: Mirror

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        manner, content, asked = self.server.manner, self.server.content, self.headers.get("Range")
        self.server.ranges.append(asked)
        if manner == "absent":
            self.send_error(404, "Not Found")
            return
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and manner != "no ranges" else 0
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        if manner == "silent":
            time.sleep(1)
        rest = content[begin:]
        self.wfile.write(rest[:90_000] if manner == "breaks" else rest)  # the length promised more: a broken connection
        self.close_connection = True


@pytest.fixture
def mirror() -> Iterator[Callable[..., Mirror]]:
    running: list[Mirror] = []

    def start(manner: str = "good", content: bytes = CONTENT) -> Mirror:
        server = Mirror(manner, content)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


class TestFinding:
    def test_the_data_folder_comes_before_the_cache(
        self, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cached = data.folder() / "sudoku" / "train.csv.gz"
        cached.parent.mkdir()
        cached.write_bytes(b"cached")
        assert data.path("sudoku/train.csv.gz") == cached
        given = tmp_path / "given" / "sudoku" / "train.csv.gz"
        given.parent.mkdir(parents=True)
        given.write_bytes(b"given")
        monkeypatch.setenv("GRAM_DATA", str(tmp_path / "given"))
        assert data.path("sudoku/train.csv.gz") == given
        assert data.find("sudoku/train.csv.gz") == ("GRAM_DATA", given)

    def test_a_missing_file_says_where_it_was_sought_and_what_to_do(self, empty: Path) -> None:
        with pytest.raises(DataError, match="set GRAM_DATA to the folder that holds it") as caught:
            data.path("arc/arc-agi-1.zip")
        assert str(empty) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.missing == "arc/arc-agi-1.zip"
        with pytest.raises(DataError, match="`gram data prepare images dataset=mnist --download`"):
            data.path("mnist/train-images-idx3-ubyte.gz")

    def test_an_unknown_name_has_no_missing_file_and_names_the_known(self) -> None:
        with pytest.raises(DataError, match=r"did you mean 'sudoku/train\.csv\.gz'") as caught:
            data.path("sudoku/trian.csv.gz")
        assert caught.value.missing is None

    @pytest.mark.parametrize("name", ["", "/etc/passwd", "../secret", "mnist/../../secret", "a\\b", "a\0b"])
    def test_a_name_that_leads_out_of_the_folder_is_refused(self, name: str) -> None:
        with pytest.raises(DataError, match="is no data file"):
            data.path(name)

    def test_a_cache_that_cannot_be_made_is_one_sentence(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("GRAM_CACHE", str(tmp_path / "file" / "cache"))
        with pytest.raises(DataError, match="set GRAM_CACHE to a folder that can be written"):
            data.folder()

    def test_the_manifest_is_that_of_the_data_folder(self) -> None:
        known = {name: file for name, file in data.FILES.items() if name != NAME}
        assert len(known) == 9
        assert all(name == file.name and len(file.sha256) == 64 and file.size > 0 for name, file in known.items())
        assert {name for name, file in known.items() if file.mirrors} == {n for n in known if n.startswith("mnist/")}


class TestVerifying:
    def test_the_right_bytes_pass_and_others_do_not(self, empty: Path) -> None:
        here = data.folder() / NAME
        here.parent.mkdir()
        here.write_bytes(CONTENT)
        assert data.verify(NAME) == here
        here.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
        with pytest.raises(DataError, match=r"sha256 .* instead of .*; replace it"):
            data.verify(NAME)
        here.write_bytes(CONTENT[:-1])
        with pytest.raises(DataError, match="299,999 bytes instead of 300,000; replace it"):
            data.verify(NAME)

    def test_a_file_outside_the_manifest_cannot_be_verified(self) -> None:
        with pytest.raises(DataError, match=r"the manifest has no data file 'mine\.csv'; known: "):
            data.verify("mine.csv")


class TestDownloading:
    def test_a_file_arrives_whole_under_its_name(self, empty: Path, mirror: Callable[..., Mirror]) -> None:
        server, seen = mirror(), []
        path = data.download(NAME, [server.url], progress=lambda done, size: seen.append((done, size)))
        assert path == empty / NAME == data.path(NAME)
        assert path.read_bytes() == CONTENT
        assert [entry.name for entry in path.parent.iterdir()] == ["small.gz"]
        assert seen[-1] == (len(CONTENT), len(CONTENT))
        assert seen == sorted(seen)

    def test_a_file_that_is_there_is_not_fetched_again(self, mirror: Callable[..., Mirror]) -> None:
        server = mirror()
        data.download(NAME, [server.url])
        data.download(NAME, [server.url])
        assert len(server.ranges) == 1

    def test_a_wrong_file_in_the_cache_is_replaced(self, empty: Path, mirror: Callable[..., Mirror]) -> None:
        here = data.folder() / NAME
        here.parent.mkdir()
        here.write_bytes(b"wrong")
        data.download(NAME, [mirror().url])
        assert here.read_bytes() == CONTENT

    def test_it_goes_on_where_the_connection_broke(self, mirror: Callable[..., Mirror]) -> None:
        server = mirror("breaks")
        assert data.download(NAME, [server.url]).read_bytes() == CONTENT
        assert server.ranges == [None, "bytes=90000-", "bytes=180000-", "bytes=270000-"]

    def test_a_later_call_goes_on_with_what_is_there(self, empty: Path, mirror: Callable[..., Mirror]) -> None:
        _partial(empty, CONTENT[:123_456])
        server = mirror()
        assert data.download(NAME, [server.url]).read_bytes() == CONTENT
        assert server.ranges == ["bytes=123456-"]

    def test_a_part_that_is_already_the_whole_needs_no_mirror(self, empty: Path, mirror: Callable[..., Mirror]) -> None:
        _partial(empty, CONTENT)
        server = mirror("absent")
        assert data.download(NAME, [server.url]).read_bytes() == CONTENT
        assert server.ranges == []

    def test_a_server_without_ranges_starts_over(self, empty: Path, mirror: Callable[..., Mirror]) -> None:
        _partial(empty, b"x" * 1_000)
        assert data.download(NAME, [mirror("no ranges").url]).read_bytes() == CONTENT

    def test_a_wrong_part_is_dropped_and_fetched_afresh(self, empty: Path, mirror: Callable[..., Mirror]) -> None:
        _partial(empty, b"x" * 1_000)
        server = mirror()
        assert data.download(NAME, [server.url]).read_bytes() == CONTENT
        assert server.ranges == ["bytes=1000-", None]

    @pytest.mark.parametrize("length", [len(CONTENT), len(CONTENT) + 1, 10 * len(CONTENT)])
    def test_a_wrong_part_of_full_length_or_more_is_dropped(
        self, empty: Path, mirror: Callable[..., Mirror], length: int
    ) -> None:
        _partial(empty, b"x" * length)
        assert data.download(NAME, [mirror().url]).read_bytes() == CONTENT

    def test_the_next_mirror_is_tried_and_goes_on(self, empty: Path, mirror: Callable[..., Mirror]) -> None:
        good = mirror()
        urls = [mirror("absent").url, mirror(content=b"x" * len(CONTENT)).url, "http://127.0.0.1:1/x", good.url]
        assert data.download(NAME, urls).read_bytes() == CONTENT
        assert good.ranges == [None]

    def test_every_mirror_that_failed_is_named_with_its_reason(self, mirror: Callable[..., Mirror]) -> None:
        absent, wrong = mirror("absent"), mirror(content=CONTENT[::-1])
        long, short = mirror(content=CONTENT * 5), mirror(content=CONTENT[:10])
        with pytest.raises(DataError) as caught:
            data.download(NAME, [absent.url, wrong.url, long.url, short.url, "http://127.0.0.1:1/x"])
        text = str(caught.value)
        assert f"127.0.0.1:{absent.server_port} (404 Not Found)" in text
        assert f"127.0.0.1:{wrong.server_port} (its bytes have another sha256)" in text
        assert f"127.0.0.1:{long.server_port} (it sent more than 300,000 bytes)" in text
        assert f"127.0.0.1:{short.server_port} (the connection broke after 10 of 300,000 bytes)" in text
        assert "127.0.0.1:1 (Connection refused)" in text
        assert "\n" not in text

    def test_a_silent_mirror_is_left_for_the_next(
        self, mirror: Callable[..., Mirror], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(data, "TIMEOUT", 0.1)
        silent = mirror("silent")
        with pytest.raises(DataError, match=rf"{silent.server_port} \(the connection broke: timed out\)"):
            data.download(NAME, [silent.url])
        monkeypatch.setattr(data, "TIMEOUT", 30)
        assert data.download(NAME, [mirror().url]).read_bytes() == CONTENT

    def test_wrong_bytes_never_get_the_name(self, empty: Path, mirror: Callable[..., Mirror]) -> None:
        with pytest.raises(DataError, match="no mirror delivered"):
            data.download(NAME, [mirror(content=CONTENT[::-1]).url])
        assert list((empty / "mnist").iterdir()) == []
        assert data.find(NAME) is None

    def test_a_file_that_nobody_offers_says_so(self) -> None:
        with pytest.raises(DataError, match=r"nobody offers arc/arc-agi-1\.zip for download; set GRAM_DATA"):
            data.download("arc/arc-agi-1.zip")

    @pytest.mark.parametrize("obstacle", ["mnist", f"{NAME}.partial/x"])
    def test_a_cache_that_cannot_be_written_is_one_sentence(self, mirror: Callable[..., Mirror], obstacle: str) -> None:
        here = data.folder() / obstacle
        here.parent.mkdir(parents=True, exist_ok=True)
        here.touch()  # a file where a folder must be, or a folder where a file must be
        with pytest.raises(DataError, match="set GRAM_CACHE to a folder that can be written"):
            data.download(NAME, [mirror().url])


class TestCommand:
    def test_list_tells_what_is_missing_and_where_a_tasks_data_come_from(self, empty: Path) -> None:
        told = CliRunner().invoke(app, ["list"])
        assert told.exit_code == 0
        assert "sudoku/train.csv.gz" in told.stdout
        assert "missing" in told.stdout
        assert "generated: the solutions of 8 queens" in told.stdout

    def test_prepare_builds_a_task_with_its_overrides(self) -> None:
        told = CliRunner().invoke(app, ["prepare", "nqueens", "board_size=5"])
        assert told.exit_code == 0
        assert "5 queens: generated" in told.stdout
        assert told.stdout.count(", all\n") == 2

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["prepare", "nqueen"], "did you mean 'nqueens'"),
            (["prepare", "nqueens", "bord_size=5"], "did you mean 'task.board_size'"),
            (["prepare", "nqueens", "board_size=3"], "board_size is 3"),
        ],
    )
    def test_what_cannot_be_prepared_is_an_error_of_gram(self, words: list[str], said: str) -> None:
        told = CliRunner().invoke(app, words)
        assert said in str(told.exception)
        assert isinstance(told.exception, ValueError)

    def test_prepare_fetches_what_is_missing_only_when_asked(
        self, mirror: Callable[..., Mirror], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from gram.tasks import TASKS, NQueens

        class Reading(NQueens):
            def puzzles(self, split: str) -> object:  # type: ignore[override]
                data.path(NAME)
                return super().puzzles(split)  # type: ignore[arg-type]

        server = mirror("breaks")
        file = data.FILES[NAME]
        monkeypatch.setitem(data.FILES, NAME, File(NAME, file.what, file.size, file.sha256, "nqueens", (server.url,)))
        monkeypatch.setitem(TASKS, "nqueens", Reading)
        told = CliRunner().invoke(app, ["prepare", "nqueens", "board_size=5"])
        assert isinstance(told.exception, DataError)
        assert server.ranges == []
        told = CliRunner().invoke(app, ["prepare", "nqueens", "board_size=5", "--download"])
        assert told.exit_code == 0, told.exception
        assert data.verify(NAME).read_bytes() == CONTENT
        assert "300,000 of 300,000 bytes" in told.stderr

    def test_verify_passes_right_files_and_fails_on_a_wrong_one(self, empty: Path) -> None:
        here = data.folder() / NAME
        here.parent.mkdir()
        here.write_bytes(CONTENT)
        told = CliRunner().invoke(app, ["verify"])
        assert told.exit_code == 0
        assert f"right     {here}" in told.stdout
        here.write_bytes(CONTENT[:-1])
        told = CliRunner().invoke(app, ["verify"])
        assert told.exit_code != 0
        assert isinstance(told.exception, DataError)
        assert "DIFFERS" in told.stdout


@pytest.mark.skipif(not GIVEN and not os.environ.get("CI"), reason="GRAM_DATA is not set")
def test_the_files_of_the_data_folder_are_those_of_the_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAM_DATA", str(GIVEN))
    for name in set(data.FILES) - {NAME}:
        assert data.verify(name) == Path(str(GIVEN)) / name


def _partial(cache: Path, content: bytes) -> None:
    here = data.folder() / f"{NAME}.partial"
    here.parent.mkdir()
    here.write_bytes(content)
