"""The metrics of generated pictures in closed form, and what they say of real pictures, copies and noise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from scipy.linalg import sqrtm

from gram.checkpoint import CheckpointError, names
from gram.evaluation import fidelity
from gram.evaluation.fidelity import FID, IS, Classifier, ClassifierConfig, FidelityError
from gram.tasks.images import Images, ImagesConfig

QUICK = ClassifierConfig(ImagesConfig(train_max=300), channels=8, features=16, epochs=20, batch=32, lr=1e-2)


class TestClosedForms:
    @pytest.mark.parametrize("classes", [2, 3, 10])
    def test_the_inception_score_runs_from_one_to_the_number_of_classes(self, classes: int) -> None:
        uniform = np.full((7, classes), 1 / classes)
        assert fidelity.inception_score(uniform) == pytest.approx(1)
        assert fidelity.inception_score(np.eye(classes)[[0] * 5]) == pytest.approx(1)
        assert fidelity.inception_score(np.tile(np.eye(classes), (4, 1))) == pytest.approx(classes)

    def test_the_inception_score_of_two_pictures_by_hand(self) -> None:
        p = np.array([[0.9, 0.1], [0.3, 0.7]])
        mean = np.array([0.6, 0.4])
        kl = [float((row * np.log(row / mean)).sum()) for row in p]
        assert fidelity.inception_score(p) == pytest.approx(np.exp(np.mean(kl)))

    def test_gaussians_of_equal_covariance_are_their_means_apart(self) -> None:
        covariance = _covariance(5, 0)
        mean = np.arange(5.0)
        assert fidelity.frechet(mean, covariance, mean + 2, covariance) == pytest.approx(20)
        assert fidelity.frechet(mean, covariance, mean, covariance) == pytest.approx(0, abs=1e-9)

    def test_diagonal_gaussians_are_the_differences_of_their_deviations_apart(self) -> None:
        a, b = np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 0.0])
        zero = np.zeros(3)
        assert fidelity.frechet(zero, np.diag(a**2), zero, np.diag(b**2)) == pytest.approx(((a - b) ** 2).sum())

    @pytest.mark.parametrize("seed", range(3))
    def test_it_equals_the_formula_with_a_matrix_square_root(self, seed: int) -> None:
        a, b = _covariance(6, seed), _covariance(6, seed + 10)
        m, n = np.random.default_rng(seed).normal(size=(2, 6))
        expected = ((m - n) ** 2).sum() + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
        assert fidelity.frechet(m, a, n, b) == pytest.approx(expected, rel=1e-6)
        assert fidelity.frechet(n, b, m, a) == pytest.approx(expected, rel=1e-6)

    def test_a_singular_covariance_is_no_special_case(self) -> None:
        flat = np.diag([4.0, 0.0])
        zero = np.zeros(2)
        assert fidelity.frechet(zero, flat, zero, np.eye(2)) == pytest.approx(1 + 1)  # (2 - 1)^2 + (0 - 1)^2
        assert fidelity.frechet(zero, flat, zero, flat) == pytest.approx(0, abs=1e-12)

    def test_samples_of_two_known_gaussians_come_near_their_distance(self) -> None:
        rng = np.random.default_rng(0)
        a, b = rng.normal(0, 1, (200_000, 3)), rng.normal(1, 2, (200_000, 3))
        assert fidelity.fid(a, b) == pytest.approx(3 * (1 + 1), rel=0.02)  # one deviation of the estimate is 0.4 %
        assert fidelity.fid(a, a) == pytest.approx(0, abs=1e-9)

    def test_one_picture_has_no_covariance(self) -> None:
        with pytest.raises(FidelityError, match="sets of 1 and 5 pictures; it needs at least 2 of each"):
            fidelity.fid(np.zeros((1, 3)), np.zeros((5, 3)))

    def test_the_nearest_picture_is_that_of_a_search_over_all(self) -> None:
        rng = np.random.default_rng(0)
        a, b = (rng.integers(2, size=(count, 4, 4)).astype(np.uint8) for count in (300, 50))
        expected = [(each != b).sum((1, 2)).min() for each in a]
        np.testing.assert_array_equal(fidelity.nearest(a, b), expected)
        assert not fidelity.nearest(b, b).any()

    def test_the_interval_of_a_mean_is_that_of_the_textbook(self) -> None:
        values = np.random.default_rng(0).normal(size=400)
        half = fidelity.half_width(lambda at: float(values[at].mean()), 400, 500, seed=1)
        assert half == pytest.approx(1.96 * values.std() / 20, rel=0.1)  # a deviation of 500 draws is known to 3 %
        assert half == fidelity.half_width(lambda at: float(values[at].mean()), 400, 500, seed=1)


@pytest.fixture(scope="module")
def quick(one_thread: None) -> tuple[Classifier, float]:
    return fidelity.train(QUICK)


class TestClassifier:
    def test_it_learns_and_equal_seeds_give_equal_weights(self, quick: tuple[Classifier, float]) -> None:
        classifier, share = quick
        assert share > 0.75
        again, other = fidelity.train(QUICK)[0], Classifier(QUICK)
        assert all(torch.equal(a, b) for a, b in zip(classifier.parameters(), again.parameters(), strict=True))
        assert not torch.equal(classifier.classes.weight, other.classes.weight)

    def test_it_is_judged_in_chunks_as_at_once(
        self, quick: tuple[Classifier, float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pixels = np.random.default_rng(0).integers(2, size=(25, 8, 8)).astype(np.uint8)
        whole = fidelity.judge(quick[0], pixels)
        monkeypatch.setattr(fidelity, "CHUNK", 7)
        parts = fidelity.judge(quick[0], pixels)
        np.testing.assert_allclose(
            parts.features, whole.features, rtol=1e-5, atol=1e-6
        )  # another order of float32 sums
        np.testing.assert_allclose(parts.probabilities.sum(1), 1)

    def test_it_survives_a_folder_and_is_no_checkpoint(
        self, quick: tuple[Classifier, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GRAM_ARTIFACTS", str(tmp_path))
        fidelity.save(tmp_path / "mine", *quick)
        for name in ("mine", tmp_path / "mine"):
            loaded = fidelity.load(name)
            assert loaded.config == QUICK
            assert all(torch.equal(a, b) for a, b in zip(quick[0].parameters(), loaded.parameters(), strict=True))
        assert "mine" not in names()

    def test_what_is_no_classifier_is_one_sentence(self, quick: tuple[Classifier, float], tmp_path: Path) -> None:
        with pytest.raises(FidelityError, match="there is no classifier 'x'; make one with"):
            fidelity.load("x")
        fidelity.save(tmp_path, *quick)
        content = (tmp_path / fidelity.FILE).read_bytes()
        (tmp_path / fidelity.FILE).write_bytes(content[:-100])
        with pytest.raises(CheckpointError, match="may be truncated"):
            fidelity.load(tmp_path)
        fidelity.save(tmp_path, Classifier(ClassifierConfig(features=5)), 0.0)
        swapped = (tmp_path / fidelity.FILE).read_bytes().replace(b'features\\": 5', b'features\\": 6')
        (tmp_path / fidelity.FILE).write_bytes(swapped)
        with pytest.raises(CheckpointError, match="was altered after it was written"):
            fidelity.load(tmp_path)
        fidelity.save(tmp_path, Classifier(ClassifierConfig(features=5)), 0.0)
        with safe_open(tmp_path / fidelity.FILE, "pt") as file:
            said = {name: text for name, text in file.metadata().items() if name != "seal"}  # as files were before
        said = {name: text.replace('"features": 5', '"features": 6') for name, text in said.items()}
        save_file(load_file(tmp_path / fidelity.FILE), tmp_path / fidelity.FILE, said)
        with pytest.raises(FidelityError, match="does not fit its configuration; restore it") as caught:
            fidelity.load(tmp_path)
        assert "\n" not in str(caught.value)

    def test_shifting_moves_a_picture_and_loses_only_what_leaves(self) -> None:
        pixels = np.zeros((500, 8, 8), np.uint8)
        pixels[:, 4, 4] = 1
        moved = fidelity._shifted(pixels, 1, np.random.default_rng(0))
        assert (moved.sum((1, 2)) == 1).all()
        assert moved[:, 3:6, 3:6].sum((1, 2)).all()
        assert len(np.unique(moved, axis=0)) == 9
        np.testing.assert_array_equal(fidelity._shifted(pixels, 0, np.random.default_rng(0)), pixels)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"features": 0}, "features is 0; it must be at least 1"),
            ({"lr": 0.0}, "lr is 0.0; it must be positive"),
            ({"shift": 8}, "shift is 8; it must lie in 0 to 7 pixels"),
        ],
    )
    def test_an_impossible_classifier_is_refused(self, changes: dict[str, Any], words: str) -> None:
        with pytest.raises(FidelityError, match=words):
            ClassifierConfig(**changes)

    def test_an_unknown_preset_names_the_known(self, tmp_path: Path) -> None:
        with pytest.raises(FidelityError, match="unknown classifier 'emnist'; known: digits, mnist"):
            fidelity.write(tmp_path, "emnist")


@pytest.fixture(scope="module", params=fidelity.PRESETS)
def shipped(one_thread: None, request: pytest.FixtureRequest) -> tuple[Images, Classifier]:
    if request.param == "mnist" and not os.environ.get("GRAM_DATA") and not os.environ.get("CI"):
        pytest.skip("GRAM_DATA is not set")
    return Images(ImagesConfig(request.param)), fidelity.load(f"{request.param}-classifier")


class TestShipped:
    """The classifiers that are part of the laboratory."""

    def test_its_configuration_is_that_of_its_preset(self, shipped: tuple[Images, Classifier]) -> None:
        task, classifier = shipped
        assert classifier.config == fidelity.PRESETS[task.config.dataset]

    def test_it_knows_held_out_pictures(self, shipped: tuple[Images, Classifier]) -> None:
        task, classifier = shipped
        assert fidelity.accuracy(classifier, task) > {"digits": 0.95, "mnist": 0.985}[task.config.dataset]

    def test_halves_of_the_held_out_pictures_are_near_and_noise_is_far(
        self, shipped: tuple[Images, Classifier]
    ) -> None:
        task, classifier = shipped
        rng = np.random.default_rng(0)
        pictures = rng.permutation(task.pixels(task.puzzles("test").solutions[0]))[:1_000]
        one, other = (fidelity.judge(classifier, part).features for part in np.array_split(pictures, 2))
        noise = fidelity.judge(classifier, rng.integers(2, size=pictures.shape).astype(np.uint8)).features
        # Not nearer to 0: a Gaussian of 32 or 64 features fitted to 175 (digits) or 500 pictures is a rough one.
        assert fidelity.fid(one, other) < fidelity.fid(noise, other) / 10

    def test_held_out_pictures_reach_the_floor_that_is_reported(self, shipped: tuple[Images, Classifier]) -> None:
        task, classifier = shipped
        everything = task.puzzles("test").solutions[0]
        chosen = everything[np.random.default_rng(3).permutation(len(everything))[:200]]
        metrics = fidelity.measure(task, classifier, chosen, draws=0, seed=3)
        floor = metrics["held_out"]
        assert (metrics[IS]["value"], metrics[FID]["value"]) == pytest.approx((floor[IS], floor[FID]))
        assert floor["pictures"] == metrics["pictures"] == 200
        assert metrics["copies"] == 0
        assert metrics["nearest_training"] == floor["nearest_training"] > 0
        assert metrics["valid"] == metrics["distinct"] == 1
        assert sum(metrics["classes"]) == 200


class TestMeasuring:
    def test_copies_noise_and_one_picture_again_and_again(self) -> None:
        task, classifier = Images(ImagesConfig()), fidelity.load("digits-classifier")
        train = task.puzzles("train").solutions[0]
        rng = np.random.default_rng(0)
        copied, noise, single = (
            fidelity.measure(task, classifier, tokens, draws=20)
            for tokens in (
                train[rng.permutation(len(train))[:300]],
                rng.integers(1, 3, size=(300, 64)).astype(np.uint8),
                train[[0] * 300],
            )
        )
        assert copied["copies"] == single["copies"] == 1
        assert copied["nearest_training"] == 0
        assert noise["copies"] == 0
        assert copied[FID]["value"] < copied["held_out"][FID] < single[FID]["value"]
        assert copied[FID]["value"] < noise[FID]["value"] / 30
        assert single[IS]["value"] == pytest.approx(1)
        assert single["distinct"] == 1 / 300
        assert 8 < copied[IS]["value"] <= 10
        assert all(0 < copied[figure]["plus_minus"] < copied[figure]["value"] for figure in (IS, FID))
        assert single[IS]["plus_minus"] == pytest.approx(0, abs=1e-9)
        assert max(single["classes"]) == 300

    def test_a_patch_left_blank_is_not_valid(self) -> None:
        task, classifier = Images(ImagesConfig(patch=2)), fidelity.load("digits-classifier")
        tokens = task.puzzles("train").solutions[0][:10].copy()
        tokens[:4, 0] = 0
        assert fidelity.measure(task, classifier, tokens, draws=0)["valid"] == pytest.approx(0.6)

    @pytest.mark.parametrize("shape", [(1, 64), (64,), (5, 16), (2, 2, 64)])
    def test_what_is_no_set_of_pictures_is_refused(self, quick: tuple[Classifier, float], shape: tuple) -> None:
        with pytest.raises(FidelityError, match="measured are at least 2 of 64 tokens each"):
            fidelity.measure(Images(ImagesConfig()), quick[0], np.ones(shape, np.uint8))

    def test_a_classifier_of_other_pictures_is_refused(self, quick: tuple[Classifier, float]) -> None:
        with pytest.raises(FidelityError, match="the classifier knows 'digits', but the pictures are 'mnist'"):
            fidelity.measure(Images(ImagesConfig("mnist")), quick[0], np.ones((2, 196), np.uint8))


def _covariance(size: int, seed: int) -> NDArray[np.float64]:
    root = np.random.default_rng(seed).normal(size=(size, size))
    return root @ root.T
