"""A model at work in a real JupyterLab: frames arrive while it runs, it can be held and stopped, nothing is lost."""

from __future__ import annotations

import json
import re
import time

import pytest
from lab_server import IDLE, NOTEBOOK, PATIENCE, jupyter, open_notebook, run_cell, write_notebook
from lab_server import SHOWN as EL

STEP = f"{EL}.gramviz.state.cursor.step"
# A tenth of a second between moments: so small a model would be done before a person, or a busy browser, could act.
SOURCE = """\
import time
from gram import rollout
from gram import sample
from gram import watch
from gramviz import live

def slowly(*args, **kwargs):
    for moment in watch(*args, **kwargs):
        yield moment
        time.sleep(0.1)

shown = live(slowly, [{checkpoint!r}])
shown.trajectories.value, shown.steps.value, shown.seed.value, shown.perturb.value = 6, 400, 3, 0.2
shown"""
CHECK = """\
batch = sample({checkpoint!r}, 0, trajectories=6, supervision_steps=5, seed=3, perturb=0.2)
print("the same:", rollout.digest(batch) == rollout.digest(shown.rollout), len(shown.rollout.step))"""

WATCH = """\
from gramviz import watch_training
watch_training({checkpoint!r}, sample=sample, trajectories=3)"""

STREAM = """\
from gramviz import explore
grown = explore(slowly({checkpoint!r}, 0, trajectories=3, supervision_steps=20, seed=3))
grown"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the notebook is."""
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def notebook(chromium, debug_checkpoint, folder):
    """A notebook whose first cell shows the controls: (page, page errors)."""
    write_notebook(folder, [text.format(checkpoint=str(debug_checkpoint)) for text in (SOURCE, CHECK, WATCH, STREAM)])
    with jupyter(folder) as (address, token):
        context = chromium.new_context(viewport={"width": 1500, "height": 1250})
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        open_notebook(page, address, token)
        yield page, errors
        context.close()


@pytest.fixture
def opened(notebook):
    """New controls: no test goes on from where another one stopped."""
    page, _ = notebook
    page.evaluate("document.querySelector('.jp-OutputArea-output')?.setAttribute('data-stale', '')")
    run_cell(page)
    page.locator(".jp-OutputArea-output:not([data-stale])").get_by_role("button", name="Generate").wait_for(
        timeout=PATIENCE
    )
    return notebook


def generate(page):
    """Press the button, and wait for the model's first steps."""
    page.get_by_role("button", name="Generate").click()
    page.wait_for_function(f"{EL}?.gramviz && {STEP} > 0", timeout=PATIENCE)


def status(page, text):
    """Wait until the status says this."""
    page.locator(".widget-label", has_text=text).first.wait_for(timeout=PATIENCE)


def test_frames_arrive_while_the_model_runs_and_the_page_answers(opened):
    page, errors = opened
    generate(page)
    seen = page.evaluate(STEP)
    page.wait_for_function(f"{EL}?.gramviz && {STEP} > {seen}", timeout=PATIENCE)
    assert page.locator(".widget-label", has_text="Running").count() == 1
    page.evaluate(f"{EL}.gramviz.set({{theme: 'dark'}})")
    page.wait_for_function(f"{EL}?.gramviz?.state.theme === 'dark'", timeout=PATIENCE)
    page.evaluate(f"{EL}.gramviz.set({{theme: 'light'}})")
    assert errors == []


def test_pause_holds_the_model_and_lets_it_go_on(opened):
    page, _ = opened
    generate(page)
    page.get_by_role("button", name="Pause").click()
    status(page, "Paused")
    page.wait_for_timeout(1500)
    held = page.evaluate(STEP)
    page.wait_for_timeout(1500)
    assert page.evaluate(STEP) == held
    assert 0 < held < 800
    page.get_by_role("button", name="Go on").click()
    page.wait_for_function(f"{EL}?.gramviz && {STEP} > {held}", timeout=PATIENCE)


def test_cancel_stops_it_and_what_exists_can_be_looked_at(opened):
    page, errors = opened
    generate(page)
    page.get_by_role("button", name="Cancel").click()
    status(page, "Cancelled at")
    page.wait_for_timeout(1000)
    last = page.evaluate(STEP)
    assert 0 < last < 800
    page.locator("[data-part=ruler] canvas").click()
    page.wait_for_function(f"{STEP} < {last}", timeout=PATIENCE)
    assert page.get_by_role("button", name="Generate").is_enabled()
    assert errors == []


def test_the_result_is_that_of_a_batch_with_the_same_seed(opened):
    page, errors = opened
    steps = page.get_by_label("Steps")
    steps.fill("5")
    steps.press("Tab")
    page.get_by_role("button", name="Generate").click()
    status(page, "Done, 11 of 11.")
    page.wait_for_function(f"{EL}?.gramviz && {STEP} === 10", timeout=PATIENCE)
    run_cell(page, 1)
    page.wait_for_selector("text=/the same: (True|False) [0-9]+/", timeout=PATIENCE)
    assert page.locator("text=the same: True 11").count() == 1
    assert errors == []


def test_a_run_can_be_watched_and_its_snapshots_solve_a_puzzle(notebook):
    page, errors = notebook
    run_cell(page, 2)
    output = page.locator(".jp-CodeCell").nth(2).locator(".jp-OutputArea-output").first
    output.locator(".widget-label", has_text="Finished, 16 of 16 steps.").wait_for(timeout=PATIENCE)
    output.locator(".js-plotly-plot .scatterlayer path.js-line").nth(3).wait_for(state="attached", timeout=PATIENCE)
    output.get_by_text("after 16 optimizer steps").first.wait_for(timeout=PATIENCE)
    output.locator(".widget-hslider .noUi-handle").press("ArrowLeft")
    output.get_by_text("after 12 optimizer steps").first.wait_for(timeout=PATIENCE)
    assert errors == []


def test_reopened_it_is_there_trusted_or_not(opened, folder):
    """What was drawn stands in the saved notebook: the frozen page where it is trusted, else a picture; no kernel."""
    page, errors = opened
    page.get_by_role("spinbutton", name="Steps").fill("5")
    page.get_by_role("spinbutton", name="Steps").press("Tab")
    page.get_by_role("button", name="Generate").click()
    status(page, "Done, 11 of 11.")
    page.wait_for_timeout(1000)  # the output follows the status
    page.keyboard.press("Control+s")
    file = folder / NOTEBOOK
    until = time.monotonic() + 30
    while "image/png" not in file.read_text() and time.monotonic() < until:
        page.wait_for_timeout(100)
    (output,) = json.loads(file.read_text())["cells"][0]["outputs"]
    assert set(output["data"]) == {"text/html", "image/png", "text/plain"}
    home = page.url.split("/lab")[0]
    xsrf = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "_xsrf")
    for session in page.request.get(f"{home}/api/sessions").json():
        page.request.delete(f"{home}/api/sessions/{session['id']}", headers={"X-XSRFToken": xsrf})
    reopen(page)
    frame = page.frame_locator(".jp-OutputArea iframe")
    frame.get_by_role("region", name="Explorer: ").wait_for(timeout=PATIENCE)
    assert not page.locator(".gramviz-picture").is_visible()
    file.write_text(file.read_text().replace("import time", "import time  # by another hand", 1))
    reopen(page)
    page.get_by_text("A picture of the explorer.").wait_for(timeout=PATIENCE)
    assert page.locator(".jp-OutputArea img").evaluate("image => image.naturalWidth") == 1520
    assert page.locator(".jp-OutputArea iframe").count() == 0
    assert page.get_by_text("model not found").count() == 0
    assert errors == []


def reopen(page):
    """The notebook as a reader finds it."""
    page.reload()
    page.locator(".jp-KernelName", has_text="Python 3").wait_for(timeout=PATIENCE)
    page.wait_for_selector(IDLE, state="attached", timeout=PATIENCE)


def test_a_sampling_in_the_explorer_fills_up_while_it_is_looked_at(opened):
    page, errors = opened
    run_cell(page, 3)
    output = page.locator(".jp-CodeCell").nth(3).locator(".jp-OutputArea-output")
    output.get_by_text(re.compile(r"^\d+ of 41 transitions are drawn")).wait_for(timeout=PATIENCE)
    # A busy page replaces the view that says "Done" by the one that is kept before anybody sees it.
    page.wait_for_function(
        "document.querySelectorAll('.jp-CodeCell')[3].querySelector('[data-lm-suppress-shortcuts]')"
        "?.gramviz?.state.cursor.step === 40",
        timeout=PATIENCE,
    )
    assert errors == []
