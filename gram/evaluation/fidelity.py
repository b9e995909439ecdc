"""How much generated pictures look like the data: IS and FID with a small classifier of our own, copies, classes.

IS and FID were defined with the Inception network (Salimans et al. 2016; Heusel et al. 2017), which has never seen a
digit. The paper does not name its network; ours depend on the classifier: a small convolutional
one, trained here on the task's own training pictures. So they are called `IS (own classifier)` and `FID (own
classifier)`, compare models with each other, and compare with no published value.

- IS is exp of the mean KL between a picture's class probabilities and their mean: 1 to the number of classes.
- FID is the squared Frechet distance between two Gaussians fitted to the penultimate features of the samples and of
  the training pictures. Held-out pictures have one too; it is reported as the floor. A model that copies the training
  pictures gets below that floor, therefore the distance to the nearest training picture is measured beside it.

A classifier is a folder with `classifier.safetensors` (weights; configuration and held-out accuracy as metadata) and a
card. Left out: precision and recall, and a network trained on other data.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gram.bounded import InputError, parse_json
from gram.checkpoint import folders, read_tensors, write_atomic, write_tensors
from gram.tasks.images import SIDES, Images, ImagesConfig

CLASSES = 10
IS, FID = "IS (own classifier)", "FID (own classifier)"
FILE = "classifier.safetensors"
CHUNK = 1_000  # pictures that are judged at once
_SIDE = 1.96  # deviations on either side of a 95 % interval


class FidelityError(InputError):
    """Pictures or a classifier that cannot be measured with; one sentence with a fix."""


@dataclass(frozen=True)
class ClassifierConfig:
    """How a classifier is built and trained.

    Attributes:
        task: which pictures; the classifier sees pixels, so `patch` does not matter.
        channels: of the first convolution; the second has twice as many.
        features: penultimate units, in which FID is measured.
        epochs, batch, lr: passes over the training pictures, pictures per step, largest step size (one cycle).
        shift: each training picture is moved by up to this many pixels, so that features do not depend on place.
        seed: of the initial weights and of every draw.
    """

    task: ImagesConfig = field(default_factory=ImagesConfig)
    channels: int = 32
    features: int = 32
    epochs: int = 40
    batch: int = 64
    lr: float = 3e-3
    shift: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("channels", "features", "epochs", "batch"):
            if getattr(self, name) < 1:
                raise FidelityError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not self.lr > 0:
            raise FidelityError(f"lr is {self.lr}; it must be positive, e.g. 0.003")
        if not 0 <= self.shift < SIDES[self.task.dataset]:
            raise FidelityError(f"shift is {self.shift}; it must lie in 0 to {SIDES[self.task.dataset] - 1} pixels")


PRESETS = {
    "digits": ClassifierConfig(),
    "mnist": ClassifierConfig(ImagesConfig("mnist"), channels=16, features=64, epochs=8, batch=128),
}


class Classifier(nn.Module):
    """Two convolutions, a layer of features, and the classes."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        C, side = config.channels, SIDES[config.task.dataset]
        halvings = 2 if side > 8 else 1
        left = side >> halvings
        self.first = nn.Conv2d(1, C, 3, stride=halvings, padding=1)
        self.second = nn.Conv2d(C, 2 * C, 3, stride=2, padding=1)
        self.penultimate = nn.Linear(2 * C * left * left, config.features)
        self.classes = nn.Linear(config.features, CLASSES)

    def features(self, pixels: Tensor) -> Tensor:
        """The penultimate features [image, feature] of pictures [image, row, column] of 0 and 1."""
        hidden = F.relu(self.first(pixels[:, None].float() * 2 - 1))
        hidden = F.relu(self.second(hidden))
        return F.relu(self.penultimate(hidden.flatten(1)))

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [image, class] of pictures [image, row, column] of 0 and 1."""
        return self.classes(self.features(pixels))


@dataclass(frozen=True)
class Judged:
    """What a classifier sees: penultimate `features` [image, feature] and class `probabilities` [image, class]."""

    features: NDArray[np.float64]
    probabilities: NDArray[np.float64]


@torch.no_grad()
def judge(classifier: Classifier, pixels: NDArray[np.uint8]) -> Judged:
    """Features and probabilities of pictures [image, row, column] of 0 and 1."""
    features, probabilities = [], []
    for start in range(0, len(pixels), CHUNK):
        seen = classifier.features(torch.from_numpy(np.ascontiguousarray(pixels[start : start + CHUNK])))
        features.append(seen.double())
        probabilities.append(classifier.classes(seen).double().softmax(-1))
    return Judged(torch.cat(features).numpy(), torch.cat(probabilities).numpy())


# --------------------------------------------------------------------------------------------------------- the metrics
def inception_score(probabilities: NDArray[np.floating]) -> float:
    """exp of the mean KL between class probabilities [image, class] and their mean, from 1 to the number of classes.

    Source: Salimans et al. 2016, eq. 1 (one group instead of the mean over ten).
    """
    mean = probabilities.mean(0)
    ratio = np.divide(probabilities, mean, out=np.ones_like(probabilities), where=probabilities > 0)  # 0 log 0 = 0
    return float(np.exp((probabilities * np.log(ratio)).sum(1).mean()))


def frechet(
    mean_a: NDArray[np.floating],
    covariance_a: NDArray[np.floating],
    mean_b: NDArray[np.floating],
    covariance_b: NDArray[np.floating],
) -> float:
    """Squared Frechet distance of two Gaussians, |m_a - m_b|^2 + tr(A + B - 2 (AB)^(1/2)).

    The trace of (AB)^(1/2) is that of (A^(1/2) B A^(1/2))^(1/2): symmetric, so it needs only eigenvalues, and a
    singular covariance (few samples, a dead feature) is no special case.
    Source: Dowson & Landau 1982; Heusel et al. 2017, eq. 6.
    """
    values, vectors = np.linalg.eigh(covariance_a)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ covariance_b @ root), 0, None)).sum()
    difference = mean_a - mean_b
    distance = difference @ difference + np.trace(covariance_a) + np.trace(covariance_b) - 2 * cross
    return max(0.0, float(distance))  # rounding may leave -1e-15


def fid(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Squared Frechet distance of Gaussians fitted to two sets of features [image, feature], at least two of each."""
    if min(len(a), len(b)) < 2:
        raise FidelityError(f"FID compares sets of {len(a)} and {len(b)} pictures; it needs at least 2 of each")
    return frechet(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))


def nearest(pixels: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Hamming distance [image], in pixels, from each picture to the nearest of the `known` ones (all of 0 and 1)."""
    a = pixels.reshape(len(pixels), -1).astype(np.float32)  # small whole numbers: exact, and a fast product
    b = known.reshape(len(known), -1).astype(np.float32)
    size = b.sum(1)
    closest = [
        (rows.sum(1)[:, None] + size - 2 * rows @ b.T).min(1) for rows in np.array_split(a, max(1, -(-len(a) // 256)))
    ]
    return np.concatenate(closest).round().astype(np.int64)


def half_width(statistic: Callable[[NDArray[np.int64]], float], count: int, draws: int, seed: int) -> float:
    """Half the width of a 95 % interval of a statistic of `count` pictures, by the bootstrap.

    `statistic` is given the indices [count] of resampled pictures. The interval is 1.96 bootstrap deviations on either
    side of the statistic itself, not the percentiles: FID is biased upwards and resampling adds that bias once more.
    """
    rng = np.random.default_rng(seed)
    return _SIDE * float(np.std([statistic(rng.integers(count, size=count)) for _ in range(draws)], ddof=1))


def measure(
    task: Images, classifier: Classifier, tokens: NDArray[np.integer], *, draws: int = 100, seed: int = 0
) -> dict[str, Any]:
    """All metrics of generated pictures [image, position], as plain data.

    Args:
        task: whose training pictures are the reference and whose held-out pictures give the floor.
        draws: bootstrap draws for the intervals (`plus_minus`); 0 leaves them out.
    Returns:
        `IS (own classifier)` and `FID (own classifier)` with `value` and `plus_minus`; `valid` (share without a blank
        patch), `distinct` (number of different pictures by that of all), `copies` (share equal to a training picture),
        `nearest_training` (mean Hamming distance in pixels), `classes` (pictures per class, by the classifier), and
        `held_out`: the same of as many held-out pictures, or of all if they are fewer.
    Raises:
        FidelityError: fewer than two pictures, a shape that is not the task's, or a classifier of other pictures.
    """
    if tokens.ndim != 2 or len(tokens) < 2 or tokens.shape[1] != task.board.positions:
        raise FidelityError(
            f"the pictures have shape {tokens.shape}; measured are at least 2 of {task.board.positions} tokens each"
        )
    if classifier.config.task.dataset != task.config.dataset:
        raise FidelityError(
            f"the classifier knows {classifier.config.task.dataset!r}, but the pictures are {task.config.dataset!r}; "
            f"make one with `gram data classifier {task.config.dataset}`"
        )
    known, held_out = _both(task)
    held_out = held_out[np.random.default_rng(seed).permutation(len(held_out))[: len(tokens)]]
    pixels = task.pixels(tokens)
    seen, reference, floor = (judge(classifier, each) for each in (pixels, known, held_out))
    distance = nearest(pixels, known)
    metrics: dict[str, Any] = {
        "pictures": len(tokens),
        "reference": f"{len(known)} training pictures",
        IS: {"value": inception_score(seen.probabilities)},
        FID: {"value": fid(seen.features, reference.features)},
    }
    if draws:
        count = len(tokens)
        metrics[IS]["plus_minus"] = half_width(lambda at: inception_score(seen.probabilities[at]), count, draws, seed)
        metrics[FID]["plus_minus"] = half_width(
            lambda at: fid(seen.features[at], reference.features), count, draws, seed
        )
    return metrics | {
        "valid": float((tokens != 0).all(1).mean()),
        "distinct": len(np.unique(tokens, axis=0)) / len(tokens),
        "copies": float((distance == 0).mean()),
        "nearest_training": float(distance.mean()),
        "classes": np.bincount(seen.probabilities.argmax(1), minlength=CLASSES).tolist(),
        "held_out": {
            "pictures": len(held_out),
            IS: inception_score(floor.probabilities),
            FID: fid(floor.features, reference.features),
            "nearest_training": float(nearest(held_out, known).mean()),
        },
    }


# ------------------------------------------------------------------------------------------------------ the classifier
def accuracy(classifier: Classifier, task: Images) -> float:
    """Share of held-out pictures whose class the classifier names."""
    judged = judge(classifier, task.pixels(task.puzzles("test").solutions[0]))
    return float((judged.probabilities.argmax(1) == task.labels("test")).mean())


def train(config: ClassifierConfig, log: Callable[[str], object] = lambda line: None) -> tuple[Classifier, float]:
    """A classifier trained from the task's training pictures, and its held-out accuracy.

    Equal configurations give equal weights on one machine with one number of threads.
    """
    task = Images(config.task)
    pixels, labels = task.pixels(task.puzzles("train").solutions[0]), task.labels("train").astype(np.int64)
    rng = np.random.default_rng(config.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        classifier = Classifier(config)
    steps = -(-len(pixels) // config.batch)
    optimizer = torch.optim.AdamW(classifier.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.lr, total_steps=config.epochs * steps)
    for epoch in range(config.epochs):
        total = 0.0
        for rows in np.array_split(rng.permutation(len(pixels)), steps):
            batch = torch.from_numpy(_shifted(pixels[rows], config.shift, rng))
            loss = F.cross_entropy(classifier(batch), torch.from_numpy(labels[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
        log(f"epoch {epoch + 1} of {config.epochs}: loss {total / len(pixels):.4f}")
    classifier.eval().requires_grad_(False)
    return classifier, accuracy(classifier, task)


def _shifted(pixels: NDArray[np.uint8], most: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pictures [image, row, column], each moved by up to `most` pixels either way; what leaves is lost."""
    count, height, width = pixels.shape
    padded = np.pad(pixels, ((0, 0), (most, most), (most, most)))
    down, right = rng.integers(2 * most + 1, size=(2, count))
    rows = down[:, None, None] + np.arange(height)[:, None]
    columns = right[:, None, None] + np.arange(width)
    return padded[np.arange(count)[:, None, None], rows, columns]


def write(folder: Path, preset: str, log: Callable[[str], object] = lambda line: None) -> tuple[Path, float]:
    """Train the classifier of a preset and write its folder with card; the folder and the held-out accuracy.

    Raises:
        FidelityError: unknown preset.
    """
    if preset not in PRESETS:
        raise FidelityError(f"unknown classifier {preset!r}; known: {', '.join(PRESETS)}")
    config = PRESETS[preset]
    began = time.perf_counter()
    classifier, share = train(config, log)
    seconds = time.perf_counter() - began
    save(folder, classifier, share)
    write_atomic(folder / "README.md", _card(folder.name, preset, classifier, share, seconds))
    return folder, share


def save(folder: Path, classifier: Classifier, share: float) -> None:
    """Write the weights, the configuration and the held-out accuracy as the folder's `classifier.safetensors`."""
    metadata = {"classifier": json.dumps(asdict(classifier.config)), "accuracy": repr(share)}
    write_tensors(folder / FILE, dict(classifier.state_dict()), metadata)


def load(name: str | Path) -> Classifier:
    """The classifier in this folder or of this name (looked up where checkpoints are), in eval mode.

    Raises:
        FidelityError: there is none, or it does not fit its configuration.
        CheckpointError: the file is damaged or was altered.
    """
    for place in (Path(name), *(folder / name for folder in folders())):
        if (place / FILE).is_file():
            break
    else:
        raise FidelityError(f"there is no classifier {str(name)!r}; make one with `gram data classifier digits`")
    tensors, metadata = read_tensors(place / FILE)
    try:
        raw = parse_json(metadata["classifier"])
        classifier = Classifier(_config(raw))
        classifier.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise FidelityError(f"{place / FILE} does not fit its configuration; restore it: {reason}") from error
    return classifier.eval().requires_grad_(False)


def _config(raw: Mapping[str, Any]) -> ClassifierConfig:
    return replace(
        ClassifierConfig(**{key: raw[key] for key in raw if key != "task"}), task=ImagesConfig(**raw["task"])
    )


def _card(name: str, preset: str, classifier: Classifier, share: float, seconds: float) -> str:
    """The README of a classifier's folder."""
    task = Images(classifier.config.task)
    known, held_out = _both(task)
    reference, floor = judge(classifier, known), judge(classifier, held_out)
    noise = np.random.default_rng(0).integers(2, size=held_out.shape).astype(np.uint8)
    rows = [
        ("held-out pictures", len(held_out), floor),
        ("noise, each pixel ink with probability 1/2", len(noise), judge(classifier, noise)),
    ]
    table = "\n".join(
        f"| {what} | {count:,} | {inception_score(seen.probabilities):.2f} | "
        f"{fid(seen.features, reference.features):.2f} |"
        for what, count, seen in rows
    )
    parameters = sum(weight.numel() for weight in classifier.parameters())
    config = classifier.config
    made = f"{config.epochs} epochs, seed {config.seed}, {seconds:.0f} s on {torch.get_num_threads()} CPU thread"
    return f"""# {name}

A classifier of {task.board.title} pixels in black and white, with {parameters:,} parameters and {config.features}
penultimate features. With it `gram/evaluation/fidelity.py` computes `{IS}` and
`{FID}`, which compare our models with each other and with no published value.

## Data

{task.source()[0].upper()}{task.source()[1:]}.

{len(known):,} training and {len(held_out):,} held-out pictures (`gram/tasks/images.py` says which are left out).

## Training

    gram data classifier {preset}

{made}, torch {torch.__version__}.

## Results

Held-out accuracy {share:.4f}. FID is taken from the training pictures; it falls as more pictures are compared.

| pictures | count | {IS} | {FID} |
|---|---|---|---|
{table}
"""


def _both(task: Images) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The training and the held-out pictures [image, row, column]."""
    return task.pixels(task.puzzles("train").solutions[0]), task.pixels(task.puzzles("test").solutions[0])
