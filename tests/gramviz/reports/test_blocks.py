"""What notebooks show: guesses, checks, tables and figures of metrics, rollouts in words, the footer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from gram.board import Board, Token
from gram.rollout import make
from gramviz.reports import blocks
from gramviz.reports.blocks import METRICS, Block, panels
from gramviz.reports.provenance import PROVENANCE

# Guesses and checks ---------------------------------------------------------------------------------------------------


def test_a_reveal_without_a_guess_shows_the_truth_alone() -> None:
    block = blocks.reveal("How many?", None, 12, "boards")
    assert block.text == "How many? Truth: 12 boards. No guess was made."
    assert 'class="guess"' not in block.html
    assert 'class="dot"' in block.html


def test_a_reveal_draws_guess_and_interval_on_one_axis() -> None:
    block = blocks.reveal("Which share?", 0.5, 0.25, scale=(0, 1), interval=(0, 0.5))
    assert block.text == "Which share? Truth: 0.250 [0, 0.500]. Your guess: 0.500."
    assert re.search(r'<circle cx="160\.0"', block.html), "a quarter of the way from 20 to 580"
    assert "M300.0 14" in block.html, "half of the way"


def test_a_guess_beyond_the_axis_stays_on_it() -> None:
    assert "M580.0 14" in blocks.reveal("?", 99, 1, scale=(0, 10)).html


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, "Ceiling? Not tried yet."),
        (0.35, "Ceiling? Yes: 0.350 is right, within 0.010."),
        (0.5, "Ceiling? Not yet: 0.500 is too high. Divide."),
        (0.1, "Ceiling? Not yet: 0.100 is too low. Divide."),
    ],
)
def test_a_value_is_checked_against_the_truth(answer: float | None, text: str) -> None:
    assert blocks.value("Ceiling?", answer, 0.349, 0.01, hint="Divide.").text == text


def test_each_choice_is_answered_with_its_reason() -> None:
    why = {"a": "No, because.", "b": "Yes, because."}
    untried = blocks.choose("Which?", None, "b", why)
    assert untried.text == "Which? Not tried yet."
    assert "<details><summary>b</summary>Right: Yes, because.</details>" in untried.html
    assert blocks.choose("Which?", "a", "b", why).text == "Which? Not yet: No, because."
    assert blocks.choose("Which?", "b", "b", why).text == "Which? Yes: Yes, because."
    assert blocks.choose("Which?", "z", "b", why).text == "Which? Not yet: 'z' is no choice; choose one of a, b."
    with pytest.raises(ValueError, match="the right choice 'c' has no reason; choices: a, b"):
        blocks.choose("Which?", "a", "c", why)


def test_a_find_may_have_several_answers_or_none() -> None:
    assert blocks.find("Step?", 3, [3, 5]).text == "Step? Yes: 3 is right; there are 1 more."
    assert blocks.find("Step?", 3, [3]).text == "Step? Yes: 3 is right, and the only one."
    assert blocks.find("Step?", 4, [3], "Look.").text == "Step? Not yet: 4 is not one of them. Look."
    assert blocks.find("Step?", 4, []).text == "Step? Not yet: There is none here, so 4 cannot be one."
    assert blocks.find("Step?", None, [3]).text == "Step? Not tried yet."


def test_text_from_a_reader_is_text() -> None:
    for block in (
        blocks.say("<b>"),
        blocks.find("<b>", "<i>", []),
        blocks.reveal("<b>", None, 1),
        blocks.settings(a="<b>"),
    ):
        assert "<b>" not in block.html
        assert "<i>" not in block.html


# Results --------------------------------------------------------------------------------------------------------------


def run(name: str, samples: int, accuracy: float, coverage: float) -> dict[str, Any]:
    """Stands for what `gram.evaluate` returns, of 40 puzzles with 2 to 4 solutions."""

    def shares(puzzles: int, ceiling: float) -> dict[str, Any]:
        best = {"majority": accuracy, "value": 1.0, "halt": accuracy, "any": 1.0}
        ends = {"majority": [0.8, 0.99], "value": [0.91, 1.0], "halt": [0.8, 0.99], "any": [0.91, 1.0]}
        around = {"accuracy": [accuracy - 0.1, accuracy + 0.1], "coverage": [coverage - 0.1, coverage + 0.1]}
        return {
            "inputs": puzzles, "accuracy": accuracy, "coverage": coverage, "best_of_n": best, "ceiling": ceiling,
            "intervals": around | {"best_of_n": ends},
        }  # fmt: skip

    return shares(40, 0.4) | {
        "checkpoint": name, "model": name, "trajectories": samples, "solutions": 100, "mean_halt_step": 6.04,
        "distinct": 1.0 if samples == 1 else 2.5, "seconds": 1.0,
        "by_solutions": [{"solutions": "2", **shares(10, 0.5)}, {"solutions": "3-4", **shares(30, 0.3)}],
        "per_puzzle": {
            "puzzle": [3, 5, 8, 9], "solutions": [2, 2, 4, 4], "accuracy": [0.5, 0.75, 0.25, 1.0],
            "coverage": [0.5, 0.5, 0.25, 1.0],
        },
    }  # fmt: skip


def gap(value: float) -> dict[str, Any]:
    one = {"difference": value, "interval": [value - 0.05, value + 0.05]}
    return {"accuracy": one, "coverage": one, "best_of_n": dict.fromkeys(("majority", "value", "halt", "any"), one)}


MANY, ONE = run("gram", 20, 0.875, 0.8), run("trm", 1, 0.6, 0.3)
PAPER = {"gram": {"accuracy": 0.997, "coverage": 0.903}, "trm": {"accuracy": 0.668}, "ar": {"accuracy": 0.963}}


def test_the_headline_says_what_the_data_say() -> None:
    alone = blocks.headline(MANY).text
    assert alone == (
        "gram: accuracy 0.875 [0.775, 0.975], coverage 0.800 [0.700, 0.900], from 20 samples of each of 40 held-out "
        "puzzles."
    )
    more = " It finds more of the solutions than trm (0.300 [0.200, 0.400]): a difference of 0.500 [0.450, 0.550]."
    assert blocks.headline(MANY, ONE, gap(0.5)).text == alone + more
    assert "It finds fewer of the solutions than trm" in blocks.headline(MANY, ONE, gap(-0.5)).text
    same = blocks.headline(MANY, ONE, gap(0.01)).text
    assert "It finds about as many of the solutions as trm" in same
    assert same.endswith("a difference of 0.010 [-0.040, 0.060], within noise.")


def test_results_stand_beside_the_paper_s_of_the_same_models() -> None:
    block = blocks.results(MANY, ONE, gap(0.3), PAPER)
    rows = [line.split(" | ") for line in block.text.splitlines()]
    assert rows[0] == [
        "Accuracy", "0.875 [0.775, 0.975]", "0.600 [0.500, 0.700]", "▲ 0.300 [0.250, 0.350]", "GRAM 0.997, TRM 0.668",
    ]  # fmt: skip
    assert rows[1][-1] == "GRAM 0.903"
    assert rows[3][1] == "1 [0.910, 1]"
    assert "0.963" not in block.html
    assert "trm gives one answer per puzzle and cannot cover more than 0.400." in block.html
    alone = blocks.results(MANY)
    assert "No reference given." in alone.html
    assert len(alone.text.splitlines()[0].split(" | ")) == 2
    assert "Paper" not in alone.html


def test_results_are_metrics_for_machines() -> None:
    machine = blocks.results(MANY, ONE, gap(0.3)).data[METRICS]
    assert machine["runs"]["gram"]["intervals"]["coverage"] == MANY["intervals"]["coverage"]
    assert machine["difference"] == gap(0.3)
    assert not {"seconds", "per_puzzle"} & machine["runs"]["gram"].keys(), "neither time nor bulk"
    json.dumps(machine)


def test_by_solutions_places_marks_where_the_numbers_are() -> None:
    block = blocks.by_solutions(MANY, ONE)
    for share in (0.875, 0.8):
        assert block.html.count(f'cy="{panels.height(share):.1f}"') == 2
    assert block.html.count('class="ceiling"') == 3, "two groups and the legend"
    assert "Coverage | 3-4 | trm (one answer) | 0.300 [0.200, 0.400] | 30" in block.text
    assert "<details>" in block.html
    assert len(block.html) < 20_000


def test_three_examples_follow_the_stated_rule() -> None:
    """Puzzles 3 and 5 have the median coverage, and are equally far from the median accuracy: the lower index."""
    assert blocks.examples(MANY) == {"typical": 3, "best": 9, "worst": 8}
    alike = {name: [values[0]] * len(values) for name, values in MANY["per_puzzle"].items() if name != "puzzle"}
    same = {"per_puzzle": {**alike, "puzzle": MANY["per_puzzle"]["puzzle"]}}
    assert len({*blocks.examples(same).values()}) == 3, "none is shown twice"


def test_more_samples_are_compared_with_fewer() -> None:
    assert blocks.width(ONE, MANY).text == (
        "All 20 samples of each puzzle cover 0.800 [0.700, 0.900] of the solutions, the first 1 of them 0.300 [0.200, "
        "0.400]."
    )
    assert "no more to compare with" in blocks.width(MANY, MANY).text


# Rollouts -------------------------------------------------------------------------------------------------------------


def test_endings_count_trajectories_boards_and_solutions(gram: xr.Dataset, trm: xr.Dataset) -> None:
    tokens, valid = gram["tokens"].values[0, :, -1], gram["valid"].values[0, :, -1]
    found = {tuple(board) for board in tokens[valid].tolist()}
    text = blocks.endings(gram).text
    assert f"{blocks.distinct(gram)} different boards; {valid.sum()} of 50 are valid" in text
    known = int(gram["solutions_known"][0])
    assert text.endswith(f"valid, which gives {len(found)} of the {known} solutions that exist.")
    assert "1 trajectory ends on 1 different board; 0 of 1 is valid" in blocks.endings(trm).text


def test_the_first_valid_step_is_read_from_the_rollout(gram: xr.Dataset) -> None:
    first = blocks.first_valid(gram)
    assert first.shape == (1, 50)
    clock = gram["supervision_step"].values
    for trajectory in range(50):
        valid = gram["valid"].values[0, trajectory]
        assert first[0, trajectory] == (clock[np.flatnonzero(valid)[0]] if valid.any() else -1)


def test_busy_steps_change_at_least_three_cells(gram: xr.Dataset) -> None:
    busy = blocks.busiest(gram)
    clock = gram["supervision_step"].values
    ends_ = {int(step): np.flatnonzero(clock == step)[-1] for step in clock}
    tokens = gram["tokens"].values[0, 0]
    expected = [s for s in range(1, int(clock[-1]) + 1) if (tokens[ends_[s]] != tokens[ends_[s - 1]]).sum() >= 3]
    assert busy == expected


def test_dots_count_the_values_and_those_that_never_came() -> None:
    block = blocks.dots("First valid step.", [2, 3, 3, 7, -1])
    assert block.text == "First valid step. Median 3, from 2 to 7, over 4 of 5; 1 never did."
    assert block.html.count("<circle") == 4
    assert blocks.dots("First.", [-1, -1]).text == "First. None of 2 ever did."
    assert blocks.dots("First.", [4, 4]).html.count("<circle") == 2


# Around the cells -----------------------------------------------------------------------------------------------------


def test_scales_pick_sizes_and_an_unknown_one_names_the_known() -> None:
    assert blocks.size("lesson").trajectories == 50
    with pytest.raises(ValueError, match="unknown scale 'lessen'; known: debug, lesson, full"):
        blocks.size("lessen")
    assert "numbers mean nothing" in blocks.banner("debug").text
    assert blocks.banner("lesson") == Block("", "")


def test_held_out_puzzles_are_those_with_several_solutions_evenly_thinned() -> None:
    known = [1, 2, 5, 1, 2, 3, 2]
    assert blocks.held_out(known).tolist() == [1, 2, 4, 5, 6]
    assert blocks.held_out(known, limit=2).tolist() == [1, 6]
    assert blocks.held_out(known, least=5).tolist() == [2]
    assert blocks.held_out(known, least=2, up_to=3).tolist() == [1, 4, 5, 6]
    assert blocks.held_out([1, 1]).tolist() == [0, 1], "all, if none has several"
    with pytest.raises(ValueError, match="limit is -1; it must be at least 1, or 0 for all"):
        blocks.held_out(known, limit=-1)


def test_checkpoints_of_different_puzzles_are_not_compared() -> None:
    @dataclass
    class Config:
        task: str

    @dataclass
    class Opened:
        name: str
        config: Config

    a, b = Opened("a", Config("8 queens")), Opened("b", Config("10 queens"))
    blocks.comparable(a, a)
    with pytest.raises(ValueError, match="a and b were made for different puzzles"):
        blocks.comparable(a, b)
    with pytest.raises(ValueError, match="trajectories is 0; it must be at least 1"):
        blocks.at_least(1, trajectories=0)


def test_blocks_stand_together(gram: xr.Dataset) -> None:
    both = blocks.together(blocks.say("a"), blocks.footer(gram, seed=0))
    assert both.html.startswith("<p>a</p>")
    assert PROVENANCE in both.data
    assert both._repr_mimebundle_()["text/plain"].startswith("a\n")


def test_the_footer_names_checkpoint_and_rollout(gram: xr.Dataset) -> None:
    from gram.rollout import digest

    record = blocks.footer(gram, seed=3).data[PROVENANCE]
    assert record["seed"] == 3
    assert record["rollouts"][0]["sha256"] == digest(gram)
    assert list(record["checkpoints"].values()) == [gram.attrs["checkpoint"]]
    assert digest(gram) in blocks.footer(gram).html


def test_figures_style_nothing_but_themselves() -> None:
    """A style element in an inline figure holds for the page around it."""
    for block in (blocks.by_solutions(MANY, ONE), blocks.reveal("?", 1, 2), blocks.dots("?", [1, 2])):
        for style in re.findall(r"<style>(.*?)</style>", block.html):
            assert all(rule.startswith(".gram-svg ") for rule in style.split("}") if rule)


def test_every_figure_says_what_it_shows() -> None:
    for block in (blocks.by_solutions(MANY, ONE), blocks.reveal("?", 1, 2), blocks.dots("?", [1, 2])):
        assert re.search(r'<svg [^>]*role="img" aria-label="[^"]{10,}"', block.html)
        assert "<figcaption>" in block.html


# Curves, and boards that are made from a blank one --------------------------------------------------------------------


def test_curves_draw_every_line_and_say_the_same_as_a_table() -> None:
    first = blocks.Curve("trained", [1, 2, 4], [0, 0.5, 1], [(0, 0.2), (0.3, 0.7), (0.8, 1)])
    block = blocks.curves(
        "Share", first, blocks.Curve("not", [1, 4], [0, 0.25], dashed=True), x="steps", log=True, ceiling=(0.4, "bound")
    )
    assert block.html.count("<polyline") == 2
    assert 'points="56.0,210.0 356.0,120.0 656.0,30.0"' in block.html, "2 lies in the middle of 1 and 4"
    assert block.html.count('class="ceiling"') == 2, "the line and the legend"
    assert block.text.splitlines() == [
        "Share",
        "1 | 0 [0, 0.200] | 0",
        "2 | 0.500 [0.300, 0.700] | ",
        "4 | 1 [0.800, 1] | 0.250",
    ]


def test_an_axis_has_few_round_ticks_and_a_share_of_runs_is_a_curve() -> None:
    counts = blocks.curves("Boards", blocks.shares("gram", [0, 16], [MANY, ONE], "best_of_n", "value"), x="steps")
    assert re.findall(r'y="230" text-anchor="middle">(.*?)<', counts.html) == ["0", "4", "8", "12", "16"]
    assert counts.text.splitlines()[1:] == ["0 | 1 [0.910, 1]", "16 | 1 [0.910, 1]"]
    high = blocks.curves("Boards", blocks.Curve("different", [0, 1], [1, 30]), x="steps")
    assert ">30</text>" in high.html, "the axis reaches as high as the curve"


def test_new_kinds_are_compared_with_those_of_random_boards() -> None:
    assert blocks.new_kinds(0, 0, 50, 40).text == "No board is valid, so there is no kind to compare."
    rare = blocks.new_kinds(100, 1, 50, 40).text
    assert rare.startswith("Of 100 valid boards 1 are of a kind that no training board has")
    assert rare.endswith("So the generator makes unseen kinds more rarely than a random search.")


def test_a_film_of_pictures_shades_the_probability_of_ink() -> None:
    pixels = (Token("blank"), Token("paper", "0", "pixel"), Token("ink", "1", "pixel"))
    board = Board("images", "dots", "image", height=1, width=2, tokens=pixels, blank=(0,))
    probability = np.array([[[0, 0.5, 0.5], [0, 0, 1]]] * 3)[None, None]
    tokens = np.array([[0, 0], [1, 2], [2, 2]])[None, None]
    rollout = make(board, {"x": np.zeros((1, 2), np.uint8), "tokens": tokens, "probability": probability})
    block = blocks.film([rollout], ["toy"], [1, 2], [0])
    assert block.html.count('d="M0 0h1v1h-1z" fill="currentColor" fill-opacity="0.5"') == 2
    assert block.text == "toy | 2 | 1", "places that a step changed"


def test_a_sheet_shows_the_pictures_and_the_last_change_of_class_is_a_step() -> None:
    sheet = blocks.sheets({"a": np.ones((40, 1, 1)), "b": np.zeros((2, 1, 1))}, columns=4, rows=2)
    assert sheet.html.count('fill="currentColor" fill-opacity="1"') == 8, "no more than fit"
    assert blocks.last_change([[1, 1, 1], [1, 2, 2], [3, 3, 1]]).tolist() == [0, 1, 2]


def test_a_generator_of_one_board_has_no_shares() -> None:
    share = {"value": 0.5, "interval": [0.25, 0.75]}
    run = {"valid": share, "distinct": share, "copies": share, "steps": 8, "calls": 32}
    block = blocks.generated({"many": run | {"samples": 20}, "one": run | {"samples": 1}}, {"many": 0.9905})
    assert block.text.splitlines() == [
        "many | 20 x 8 | 32 | 0.500 [0.250, 0.750] | 0.500 [0.250, 0.750] | 0.500 [0.250, 0.750] | 0.991",
        "one | 1 x 8 | 32 | yes | the only board it makes |  | ",
    ]


def test_votes_are_ranked_and_the_right_answer_is_marked() -> None:
    wrong, right = np.zeros((1, 2), np.uint8), np.ones((2, 1), np.uint8)
    block = blocks.arc_votes([wrong, right, wrong], right)
    assert block.text.splitlines() == ["Answer 1 | 2 of 3 votes | 0, 2", "Answer 2 | 1 of 3 votes, correct | 1"]
    assert blocks.arc_card([(wrong, right)], wrong).html.count("<rect") == 6


def test_a_view_says_what_a_recording_lacks(gram: xr.Dataset) -> None:
    answers = gram.drop_vars("h")
    lines = blocks.views_of({"answers": answers, "all": gram}).text.splitlines()
    assert "Latent map | ○ needs h | ●" in lines
    assert "latent" in blocks.drawable(gram)
    assert "latent" not in blocks.drawable(answers)


def test_generators_are_compared_by_their_intervals() -> None:
    def generator(name: str, valid: float, copies: float) -> dict[str, Any]:
        shares = {"valid": valid, "copies": copies}
        around = {key: {"value": at, "interval": [at - 0.05, at + 0.05]} for key, at in shares.items()}
        return around | {"checkpoint": name, "samples": 100, "seconds": 1.0}

    gram, d3pm = generator("gram", 0.9, 0.5), generator("d3pm", 0.6, 0.2)
    assert blocks.generator_headline(gram, d3pm).text.endswith("Beside d3pm: better in validity.")
    assert blocks.generator_headline(gram, gram).text.endswith("no difference beyond the intervals.")
    block = blocks.generator_results(gram, d3pm, paper=0.9905)
    assert block.text.splitlines() == [
        "Valid | 0.900 [0.850, 0.950] | 0.600 [0.550, 0.650] | ▲ | 0.991",
        "Copies of training data | 0.500 [0.450, 0.550] | 0.200 [0.150, 0.250] |  | ",
    ], "a share of copies is neither good nor bad"
    assert "seconds" not in block.data[METRICS]["runs"]["gram"], "equal runs have equal metrics"
    assert block.data[METRICS]["valid"] == 0.9


def test_a_trajectory_settles_where_its_answer_changes_last(gram: xr.Dataset) -> None:
    tokens = gram["tokens"].values[0]
    for trajectory, last in enumerate(blocks.settled(gram)):
        at = int(np.flatnonzero(gram["supervision_step"].values == last)[-1])
        assert (tokens[trajectory, at:] == tokens[trajectory, -1]).all()
    assert max(blocks.changes_by_step(gram, "gram").y) <= 1


def test_a_variant_that_was_not_measured_says_so() -> None:
    share = {"value": 0.5, "interval": [0.25, 0.75]}
    rows = {"all": blocks.Variant({"accuracy": share, "coverage": share}, 0.9), "none": blocks.Variant(None)}
    block = blocks.variants(rows, "all", {"none": gap(-0.2)})
    assert block.html.count("not measured</text>") == 2, "in both panels"
    assert block.html.count('class="guess"') == 1, "the paper's"
    assert block.text.splitlines()[1].startswith("none | not measured |  | not measured | ▼ -0.200")


# Training runs, and transitions in sub-steps --------------------------------------------------------------------------


def test_a_claim_says_whether_the_figures_show_it() -> None:
    assert blocks.claim("more is better", True, "2 > 1").text == "Shows here: more is better (2 > 1)."
    assert "<strong>Fails to show here</strong>" in blocks.claim("more is better", False, "1 < 2").html


def test_generators_are_ranked_and_depth_is_held_against_the_intervals() -> None:
    def run(steps: int, fid: float, wide: float) -> dict[str, Any]:
        return {"supervision_steps": steps, "fidelity": {"FID (own classifier)": {"value": fid, "plus_minus": wide}}}

    text = blocks.ranked(
        {"a": [run(16, 30, 1), run(64, 20, 1)], "b": [run(8, 9, 5)], "c": [run(8, 5, 5), run(16, 6, 5)]}
    ).text
    assert "in order: c 5.0 at 8 steps; b 9.0 at 8 steps; a 20.0 at 64 steps" in text
    assert "leads by less than the intervals allow. Depth makes a difference to a" in text
    assert text.endswith("Depth makes no difference to c that exceeds the intervals.")


def test_objective_and_bound_stand_on_one_logarithmic_axis() -> None:
    def measured(elbo: float, surrogate: float) -> dict[str, float]:
        return {"elbo": elbo, "elbo_error": 1.0, "surrogate": surrogate, "surrogate_error": 0.1, "kl": -elbo - 2}

    block = blocks.objective({"run": {0: measured(-55, -46), 10: measured(-800, -50), 20: measured(-100, -6.4)}})
    assert "From step 10 to 20 the surrogate gains 43.6, the ELBO 700." in block.text
    assert "20 | 100 [98.0, 102.0] | 6.400 [6.204, 6.596]" in block.text
    assert [f">{tick}</text>" in block.html for tick in ("1", "10", "100", "1,000")] == [True] * 4


def test_a_run_leaks_where_the_posterior_is_right_and_the_prior_wrong(tmp_path: Path) -> None:
    measured = [(10, 0.2, 0.0), (20, 0.9, 0.05), (30, 1.0, 0.5)]
    lines = [{"step": at, "posterior_exact": q, "prior_exact": p, "kl_posterior": 2.0} for at, q, p in measured]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"step": 40}]))
    assert blocks.leaks(tmp_path) == [20]
    assert blocks.course(tmp_path, "prior_exact") == [(10, 0.0), (20, 0.05), (30, 0.5)]
    drawn = blocks.learning({"mine": tmp_path})
    assert drawn.html.count("<polyline") == 3
    assert drawn.html.count('stroke-dasharray="6 4"') == 2, "the posterior, in the figure and in its legend"
    assert blocks.learning({"none": tmp_path / "none"}).text == "Nothing was measured yet."


def test_a_sub_step_that_moves_nothing_has_no_bar() -> None:
    block = blocks.anatomy(["low 1", "proposal", "guidance"], {"low": [2, 0, 0], "high": [0, 4, 1]}, [0, 3, 1])
    assert block.html.count("<rect") == 3
    assert block.text.splitlines() == ["1: low 1 | 2 | 0 | 0", "2: proposal | 0 | 4 | 3", "3: guidance | 0 | 1 | 1"]


@pytest.mark.parametrize(
    ("paired", "verdict"),
    [
        ({"difference": 0.05, "interval": [0.01, 0.08]}, "more than"),
        ({"difference": 0.05, "interval": [-0.01, 0.11]}, "about as many as"),
        ({"difference": -0.05, "interval": [-0.08, -0.01]}, "fewer than"),
        (None, "about as many as"),
    ],
)
def test_a_comparison_says_what_its_interval_says(paired: dict[str, Any] | None, verdict: str) -> None:
    side = {"artifact": "a", "trajectories": 8, "supervision_steps": 16, "interval": [0.6, 0.8]}
    than = side | {"trajectories": 1, "interval": [0.5, 0.7]}
    text = blocks.compared({"compare": [{"better": side, "than": than, "paired": paired}]}).text
    assert f"a 8 x 16 solves {verdict} a 1 x 16" in text
    assert ("paired by puzzle" in text) is (paired is not None)
