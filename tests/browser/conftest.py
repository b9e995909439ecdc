"""Pages for the tests of what a person sees, cut from every network; `chromium` stands in the conftest above."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import synthetic
from lab_server import PATIENCE, SHOWN, jupyter, open_notebook, write_notebook
from stages import COMPARED, TALL, WIDE, ShownPage, Stage, listen, watch

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
STAGES = ["frozen-light", "frozen-dark", "lab-light", "lab-dark"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What needs a hall runs in those that its module names, else in all four."""
    own = (mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "hall" in metafunc.fixturenames and not any("hall" in names for names in own):
        stages = getattr(metafunc.module, "STAGES", STAGES)
        metafunc.parametrize("hall", stages, indirect=True, scope="module")


@pytest.fixture(scope="session")
def one_page(chromium: Any) -> Iterator[ShownPage]:
    """One page for all tests, which show one frozen file after the other in it: a new process each would cost more."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    yield watch(context)
    context.close()


@pytest.fixture
def show(one_page: ShownPage, tmp_path: Path) -> Iterator[Callable[..., ShownPage]]:
    """`show(html, width=1200)` opens a page; afterwards nothing may have been asked of a network, nor complained."""
    shown = one_page
    shown.requests.clear()
    shown.problems.clear()

    def open_page(
        html: str | bytes, width: int = 1200, height: int = 900, hash: str = "", ready: bool = True, **media: str
    ) -> ShownPage:
        file = tmp_path / f"page{len(list(tmp_path.iterdir()))}.html"
        file.write_bytes(html.encode() if isinstance(html, str) else html)
        shown.page.mouse.move(0, 0)
        shown.page.set_viewport_size({"width": width, "height": height})
        shown.page.emulate_media(**({"color_scheme": "light", "reduced_motion": "no-preference"} | media))
        shown.page.goto(file.as_uri() + hash)
        if ready:
            shown.opened()
        return shown

    yield open_page
    assert [url for url in shown.requests if not url.startswith(("file:", "blob:", "data:", "about:"))] == []
    assert shown.problems == []


@pytest.fixture(scope="session")
def gram() -> Any:
    """8 queens: 50 trajectories, 33 states."""
    return synthetic.queens(features=16)


@pytest.fixture(scope="session")
def trm() -> Any:
    """One trajectory on the same puzzle, by another checkpoint."""
    return synthetic.queens(1, model="trm", checkpoint="synthetic-trm", seed=3, wrong=1.0, features=16)


@pytest.fixture(scope="session")
def one(gram: Any) -> Any:
    """The payload of the fifty trajectories alone."""
    from gramviz.explorer.pack import pack

    return pack(gram)


@pytest.fixture(scope="session")
def two(trm: Any, gram: Any) -> Any:
    """The payload of TRM's one trajectory (A) beside the fifty (B)."""
    from gramviz.explorer.pack import pack

    return pack([trm, gram])


@pytest.fixture(scope="session")
def low() -> Any:
    """The payload of a small Sudoku with every low-level update."""
    from gramviz.explorer.pack import pack

    return pack(synthetic.sudoku(low_steps=3))


# ------------------------------------------------------------------------------------- four stages (test_acceptance_*)
@pytest.fixture(scope="module")
def rollouts() -> dict[str, Any]:
    """TRM's one trajectory (A) and GRAM's fifty (B) on one puzzle, with their low-level steps, by letter."""
    much = {"features": 16, "low_steps": 2}
    return {
        "A": synthetic.queens(1, model="trm", checkpoint="synthetic-trm", seed=3, wrong=1.0, **much),
        "B": synthetic.queens(**much),
    }


@pytest.fixture(scope="module")
def payload(rollouts: dict[str, Any]) -> Any:
    """What all stages show, unless a test wants something else."""
    from gramviz.explorer.pack import pack

    return pack(list(rollouts.values()), names=["TRM", "GRAM"])


@pytest.fixture(scope="module")
def folder(rollouts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rollouts on disk, beside a notebook that shows what a test wants and later moves the view."""
    from gram import rollout

    folder = tmp_path_factory.mktemp("acceptance")
    for letter, data in rollouts.items():
        rollout.save(data, folder / f"{letter}.nc")
    moved = "explorer.go('2.1').set(color_by='series'); print('heard', explorer.state['board'])"
    write_notebook(folder, ["", moved])
    (folder / "jupyter_config_dir").mkdir()  # so that a test can change JupyterLab's theme, and what a cell says
    config = {"LabApp": {"expose_app_in_browser": True}}
    (folder / "jupyter_config_dir" / "jupyter_lab_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def lab(chromium: Any, folder: Path) -> Iterator[Stage]:
    """JupyterLab with its notebook open, cut from everything but its own server."""
    with jupyter(folder) as (address, token):
        context = chromium.new_context(viewport={"width": 1500, "height": 1250}, accept_downloads=True)
        home = (address, address.replace("http", "ws"), "blob:", "data:")
        context.route(lambda url: not url.startswith(home), lambda route: route.abort())
        stage = Stage(context.new_page(), host=SHOWN, kind="lab", home=address, folder=folder)

        def frame(content: str | bytes) -> None:
            text = content if isinstance(content, str) else content.decode("utf-8", "replace")
            if '"comm_msg"' in text and '"method":"update"' in text:  # the manager's own questions are not ours
                stage.sent.append(text)

        stage.page.on("websocket", lambda socket: socket.on("framesent", frame))
        stage.page.set_default_timeout(PATIENCE)
        open_notebook(stage.page, address, token)
        listen(stage)
        yield stage
        context.close()


@pytest.fixture(scope="module")
def frozen(chromium: Any, folder: Path) -> Iterator[Stage]:
    """A page for frozen explorers with every request refused, so wide that the widget is as it is in JupyterLab."""
    context = chromium.new_context(viewport={"width": WIDE, "height": TALL}, accept_downloads=True)
    stage = Stage(watch(context).page, kind="frozen", home=(folder / "page.html").as_uri(), folder=folder)
    stage.page.set_default_timeout(PATIENCE)
    listen(stage)
    yield stage
    context.close()


@pytest.fixture(scope="module")
def hall(request: pytest.FixtureRequest) -> Stage:
    """A stage with its lights set; the tests of one stage are run together."""
    kind, theme = request.param.split("-")
    stage: Stage = request.getfixturevalue(kind)
    stage.theme = theme
    if kind == "frozen":
        stage.page.emulate_media(color_scheme=theme)
    else:
        change = f"jupyterapp.commands.execute('apputils:change-theme', {{ theme: '{THEMES[theme]}' }})"
        stage.page.evaluate(f"{change}.then(() => true)")
        stage.until(f"document.body.dataset.jpThemeLight === '{'true' if theme == 'light' else 'false'}'")
    return stage


@pytest.fixture
def bare(hall: Stage) -> Iterator[Stage]:
    """A stage whose test says what stands on it; afterwards nothing may have been asked of others, nor complained."""
    yield hall
    own = (hall.home, "blob:", "data:", "about:")
    asked, problems = hall.requests.copy(), hall.problems.copy()
    hall.requests.clear()
    hall.problems.clear()
    assert [url for url in asked if not url.startswith(own)] == []
    assert problems == []


@pytest.fixture
def stage(bare: Stage) -> Iterator[Stage]:
    """The stage with the comparison at its opening view."""
    if bare.shows != COMPARED:
        bare.show(COMPARED)
    bare.calm()  # first: a view before may have chosen a theme of its own
    bare.until(f"{bare.host}.dataset.gvTheme === '{bare.theme}'")
    yield bare
    bare.settle()
