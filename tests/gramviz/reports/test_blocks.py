"""What notebooks say: guesses, checks, intervals against closed forms, scores by hand, tables, the footer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from gramviz.reports import blocks
from gramviz.reports.blocks import METRICS, Block, Estimate, Scores, findings
from gramviz.reports.provenance import PROVENANCE

# Guesses and checks ---------------------------------------------------------------------------------------------------


def test_a_reveal_without_a_guess_shows_the_truth_alone() -> None:
    block = blocks.reveal("How many?", None, 12, "boards")
    assert block.text == "How many? Truth: 12 boards. No guess was made."
    assert 'class="guess"' not in block.html
    assert 'class="dot"' in block.html


def test_a_reveal_draws_guess_and_interval_on_one_axis() -> None:
    block = blocks.reveal("Which share?", 0.5, Estimate(0.25, 0.0, 0.5, 20), scale=(0, 1))
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
def test_a_value_is_held_against_the_truth(answer: float | None, text: str) -> None:
    assert blocks.value("Ceiling?", answer, 0.349, 0.01, hint="Divide.").text == text


def test_each_choice_is_answered_with_its_reason() -> None:
    why = {"a": "No, because.", "b": "Yes, because."}
    assert blocks.choose("Which?", None, "b", why).text == "Which? Not tried yet."
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


# Numbers with intervals -----------------------------------------------------------------------------------------------


def test_wilson_agrees_with_published_values() -> None:
    """Newcombe 1998, Table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for successes, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = blocks.wilson(successes, n)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)  # the table has four digits


def test_wilson_stays_within_zero_and_one() -> None:
    assert blocks.wilson(0, 5).low == 0
    assert blocks.wilson(5, 5).high == 1
    with pytest.raises(ValueError, match="6 successes of 5 is no share"):
        blocks.wilson(6, 5)


def test_a_ratio_s_interval_is_that_of_the_normal_limit() -> None:
    """For the mean of many equal-weight numbers the bootstrap gives mean ± 1.96 standard errors."""
    values = np.random.default_rng(0).random(400)
    found = blocks.ratio(values, np.ones(400))
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    # 4000 draws place a 2.5 % quantile to about 4 % of the half width; three times that is safe.
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.12 * half)


def test_a_ratio_is_repeatable_and_degenerate_when_all_puzzles_agree() -> None:
    assert blocks.ratio([1, 1], [2, 2]) == Estimate(0.5, 0.5, 0.5, 2)
    assert blocks.ratio([1, 0, 3], [2, 2, 4]) == blocks.ratio([1, 0, 3], [2, 2, 4])
    with pytest.raises(ValueError, match="one number per puzzle"):
        blocks.ratio([1, 2], [1, 2, 3])


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    rng = np.random.default_rng(1)
    hard = rng.random(200)
    gap = blocks.difference(hard + 0.1, hard, np.ones(200))
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.1, 0.1, 0.1))


def test_an_estimate_reads_as_a_number_with_brackets() -> None:
    assert str(Estimate(0.91234, 0.88, 0.93, 40)) == "0.912 [0.880, 0.930]"
    assert str(Estimate(12.0, 9.51, 1234.5, 3)) == "12 [9.510, 1234.5]"


# Scores ---------------------------------------------------------------------------------------------------------------


@dataclass
class Ends:
    """Stands for `gram.evaluate.Answers`."""

    tokens: NDArray[Any]
    value: NDArray[Any]
    depth: NDArray[Any]


def ends() -> tuple[Ends, NDArray[np.bool_], NDArray[np.int64]]:
    """Two puzzles, four samples, boards of one cell: answers 1, 1, 2, 3 (1 and 3 right) and 4, 5, 5, 5 (4 right)."""
    tokens = np.array([[[1], [1], [2], [3]], [[4], [5], [5], [5]]])
    valid = np.array([[True, True, False, True], [True, False, False, False]])
    value = np.array([[0.1, 0.2, 0.9, 0.3], [0.8, 0.1, 0.1, 0.1]])
    depth = np.array([[2, 2, 4, 4], [1, 1, 1, 1]])
    return Ends(tokens, value, depth), valid, np.array([3, 2])


def test_scores_by_hand() -> None:
    made, valid, known = ends()
    result = blocks.scores("m", made, valid, known)
    assert result.valid.tolist() == [0.75, 0.25]
    assert result.found.tolist() == [2, 1]
    assert result.majority.tolist() == [True, False]
    assert result.value.tolist() == [False, True]
    assert result.oracle.tolist() == [True, True]
    assert result.accuracy.value == pytest.approx((3 * 0.75 + 2 * 0.25) / 5)
    assert result.coverage.value == pytest.approx(3 / 5)
    assert result.ceiling == pytest.approx(2 / 5)
    assert result.steps.tolist() == [3, 1]


def test_the_first_samples_are_the_scores_of_a_narrower_run() -> None:
    made, valid, known = ends()
    few = blocks.scores("m", made, valid, known, samples=2)
    assert few.samples == 2
    assert few.found.tolist() == [1, 1]
    assert few.majority.tolist() == [True, True], "4 and 5 tie; the one drawn first wins"


def test_scores_of_shapes_that_differ_are_refused() -> None:
    made, valid, known = ends()
    with pytest.raises(ValueError, match="their puzzles and samples differ"):
        blocks.scores("m", made, valid[:, :3], known)


def runs() -> tuple[Scores, Scores]:
    """A run that knows many answers and one that knows one, on forty puzzles with 2 to 11 solutions."""
    known = np.arange(40) % 10 + 2
    right = np.arange(40) % 8 != 0

    def run(name: str, samples: int, found: NDArray[np.int64]) -> Scores:
        shares = np.where(right, 0.9, 0.5)
        return Scores(name, samples, known, shares, found, right, right, np.ones(40, bool), np.full(40, 6.0))

    return run("many", 20, np.maximum(known - 1, 1)), run("one", 1, np.ones(40, dtype=np.int64))


def test_the_headline_says_what_the_data_say() -> None:
    many, one = runs()
    assert "It finds more of the solutions than one" in blocks.headline(many, one).text
    assert "It finds fewer of the solutions than many" in blocks.headline(one, many).text
    same = blocks.headline(many, many).text
    assert "It finds about as many of the solutions as many" in same
    assert "within noise" in same


def test_results_stand_beside_the_paper_s_only_where_they_compare() -> None:
    many, one = runs()
    block = blocks.results(many, one, "nqueens", 8)
    assert "GRAM 0.997, TRM 0.668" in block.html
    assert "GRAM 0.903, TRM 0.361" in block.html, "20 samples, as in the paper"
    assert "0.903" not in blocks.results(one, None, "nqueens", 8).html, "coverage of one sample is no comparison"
    assert "0.997" not in blocks.results(many, one, "nqueens", 7).html
    assert "No reference given." in blocks.results(many, None, "nqueens", 8).html


def test_results_are_metrics_for_machines() -> None:
    many, one = runs()
    machine = blocks.results(many, one, "nqueens", 8).data[METRICS]
    assert machine["puzzles"] == 40
    assert machine["runs"]["one"]["samples"] == 1
    coverage = machine["runs"]["many"]["coverage"]
    assert coverage["low"] < coverage["value"] < coverage["high"]
    assert coverage["value"] == many.coverage.value
    json.dumps(machine)


def test_by_solutions_places_marks_where_the_numbers_are() -> None:
    many, one = runs()
    block = blocks.by_solutions(many, one)
    y = findings._y(float((many.found[many.known == 2] / 2).mean()))
    assert f'cy="{y:.1f}"' in block.html
    assert block.html.count('class="ceiling"') == 5, "four bins and the legend"
    assert "<details>" in block.html
    assert len(block.html) < 20_000


def test_three_telling_puzzles_follow_the_stated_rule() -> None:
    many, _ = runs()
    chosen = blocks.telling(many)
    covered = many.found / many.known
    assert covered[chosen["best"]] == covered.max()
    assert many.valid[chosen["worst"]] == many.valid.min()
    assert abs(covered[chosen["typical"]] - np.median(covered)) == np.abs(covered - np.median(covered)).min()


def test_more_samples_are_compared_with_fewer() -> None:
    made, valid, known = ends()
    few, many = (blocks.scores("m", made, valid, known, n) for n in (2, 4))
    assert blocks.width(few, many).text.startswith("With all 4 samples of each puzzle instead of 2, coverage is 0.600")
    assert "no wider run" in blocks.width(many, many).text


# Rollouts -------------------------------------------------------------------------------------------------------------


def test_endings_count_paths_boards_and_solutions(gram: xr.Dataset, trm: xr.Dataset) -> None:
    tokens, valid = gram["tokens"].values[0, :, -1], gram["valid"].values[0, :, -1]
    found = {tuple(board) for board in tokens[valid].tolist()}
    text = blocks.endings(gram).text
    assert f"{blocks.distinct(gram)} different boards; {valid.sum()} of 50 are valid" in text
    known = int(gram["solutions_known"][0])
    assert text.endswith(f"valid, which gives {len(found)} of the {known} solutions that exist.")
    assert "1 path ends on 1 different board; 0 of 1 is valid" in blocks.endings(trm).text


def test_the_first_valid_step_is_read_from_the_rollout(gram: xr.Dataset) -> None:
    first = blocks.first_valid(gram)
    assert first.shape == (1, 50)
    clock = gram["supervision_step"].values
    for path in range(50):
        valid = gram["valid"].values[0, path]
        assert first[0, path] == (clock[np.flatnonzero(valid)[0]] if valid.any() else -1)


def test_busy_steps_change_at_least_three_cells(gram: xr.Dataset) -> None:
    busy = blocks.busiest(gram)
    clock = gram["supervision_step"].values
    ends_ = {int(step): np.flatnonzero(clock == step)[-1] for step in clock}
    tokens = gram["tokens"].values[0, 0]
    expected = [s for s in range(1, int(clock[-1]) + 1) if (tokens[ends_[s]] != tokens[ends_[s - 1]]).sum() >= 3]
    assert busy == expected


def test_an_undated_rollout_is_the_same_rollout(gram: xr.Dataset) -> None:
    from gram.rollout import check, digest

    assert digest(check(blocks.undated(gram))) == digest(gram)
    assert gram.attrs["created_at"], "the original keeps its date"


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
    assert blocks.held_out(known, most=2).tolist() == [1, 6]
    assert blocks.held_out(known, least=5).tolist() == [2]
    assert blocks.held_out(known, least=2, up_to=3).tolist() == [1, 4, 5, 6]
    assert blocks.held_out([1, 1]).tolist() == [0, 1], "all, if none has several"
    with pytest.raises(ValueError, match="puzzles is -1; it must be at least 1, or 0 for all"):
        blocks.held_out(known, most=-1)


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
    many, one = runs()
    for block in (blocks.by_solutions(many, one), blocks.reveal("?", 1, 2), blocks.dots("?", [1, 2])):
        for style in re.findall(r"<style>(.*?)</style>", block.html):
            assert all(rule.startswith(".gram-svg ") for rule in style.split("}") if rule)


def test_every_figure_says_what_it_shows() -> None:
    many, one = runs()
    for block in (blocks.by_solutions(many, one), blocks.reveal("?", 1, 2), blocks.dots("?", [1, 2])):
        assert re.search(r'<svg [^>]*role="img" aria-label="[^"]{10,}"', block.html)
        assert "<figcaption>" in block.html
