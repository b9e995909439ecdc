"""The chain, the one loop of all inference: initialize a batch of rows, step, read out, replace what has ended.

    for rows in batches(puzzles, [Row(puzzle, key), ...], most=32):
        chain = Chain(model, rows, noise)
        for transition in chain.run(supervision_steps):
            tokens, readout = chain.read_out()

Whoever uses it says which rows there are (puzzle and key of the noise), what is kept at which moment, and when a row
ends. Two schedules share the loop: `batches`, in which all rows run to one depth, and `CarriedChain`, in which a
waiting row takes the place of one that has ended.

A batch has as many rows as there is work, rounded up to a power of two. The noise of a row depends on its key alone, so
a trajectory drawn alone or among 800 is the same up to rounding. On a CPU, matrix products round alike from 16 rows on,
however many there are: `exact` pads to at least `EXACT_ROWS`, and the trajectory is the same bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gram import compute
from gram.inference.noise import AS_TRAINED, Key, RowGenerators, SamplingNoise, generator_for
from gram.models import Model, Readout, State, Transition
from gram.models.base import Noise, Watch
from gram.models.folded import folded
from gram.tasks import Puzzles

EXACT_ROWS = 32  # rows of the smallest batch whose results are the same, bit for bit, as in a larger one
BF16_PAYS = 1 << 22  # multiplications in a layer, from which on a CPU that is quick at bf16 gains by it
BF16_PAYS_RELATIONS = 1 << 24  # the same of a network along relations, which in float32 is quicker (`quickest`)
Step = Callable[[State, Noise, Tensor | None, Watch | None], tuple[State, Transition]]


class Row(NamedTuple):
    """One trajectory: the index of its puzzle, the key of its noise, and which solution is its target if it has one."""

    puzzle: int
    key: Key
    solution: int = 0


@dataclass(frozen=True)
class Rows:
    """The rows of a batch. The first `count` are wanted, the rest is padding."""

    puzzles: Puzzles
    rows: tuple[Row, ...]
    count: int

    @classmethod
    def padded(cls, puzzles: Puzzles, rows: Sequence[Row], size: int) -> Rows:
        """These rows, the last one repeated up to `size`."""
        return cls(puzzles, (*rows, *[rows[-1]] * (size - len(rows))), len(rows))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def keys(self) -> list[Key]:
        """Of the noise, one per row."""
        return [row.key for row in self.rows]

    @property
    def x(self) -> Tensor:
        """The puzzles [row, position]."""
        return _on_device(self.puzzles.x[[row.puzzle for row in self.rows]])

    @property
    def identifier(self) -> Tensor | None:
        """Their identifiers [row], where the task has some."""
        every = self.puzzles.identifier
        return None if every is None else _on_device(every[[row.puzzle for row in self.rows]])

    @property
    def y(self) -> Tensor:
        """The targets [row, position]."""
        return _on_device(np.stack([self.puzzles.solutions[row.puzzle][row.solution] for row in self.rows]))


def batch_size(rows: int, most: int, exact: bool = False) -> int:
    """The number of rows to which a batch of `rows` is padded; at most `most`."""
    size = 1 << (rows - 1).bit_length()
    return min(most, max(size, EXACT_ROWS) if exact else size)


def batches(puzzles: Puzzles, rows: Sequence[Row], most: int, exact: bool = False) -> Iterator[Rows]:
    """These rows in batches of at most `most`."""
    for start in range(0, len(rows), most):
        part = rows[start : start + most]
        yield Rows.padded(puzzles, part, batch_size(len(part), most, exact))


@contextmanager
def computing(model: Model, precision: str, rows: int | None = None) -> Iterator[None]:
    """The mode in which chains run: on this machine's device, without gradients, in this precision.

    With `auto`, batches of so few `rows` that bf16 would save no time on a CPU are computed in float32.
    """
    device = compute.device()
    model.to(device)
    if precision == "auto" and device.type == "cpu" and rows is not None:
        size, layout = model.config.network, model.layout
        row = layout.positions * layout.symbols * size.features * 2 * size.hidden  # the first layer of a SwiGLU
        enough = BF16_PAYS_RELATIONS if size.mixing == "relations" else BF16_PAYS
        precision = "float32" if rows * row < enough else precision
    with torch.inference_mode(), compute.autocast(precision, device.type):
        yield


def quickest(model: Model, exact: bool) -> Model:
    """The model as it computes quickest in the present mode, or, with `exact`, the same bits as in training."""
    plain = exact or compute.device().type != "cpu" or torch.is_autocast_enabled("cpu")
    return model if plain else folded(model)


class Chain:
    """A batch of rows, from their initial states to wherever they are run.

    Args:
        step: in the place of `model.step`.

    Attributes:
        state: of all rows. Assign it (and `done`) to continue from elsewhere.
        done: transitions behind it.
        generators: of the noise, one per row.
    """

    def __init__(self, model: Model, rows: Rows, noise: SamplingNoise = AS_TRAINED, step: Step | None = None) -> None:
        self.model, self.rows, self.noise, self.step = model, rows, noise, step or model.step
        self.generators = RowGenerators(rows.keys, noise.noise)
        self.state = self._initial()
        self.done = 0

    def _initial(self) -> State:
        return self.noise.start(self.model, self.model.init(self.rows.x, self.rows.identifier), self.rows.keys)

    def advance(self, y: Tensor | None = None, watch: Watch | None = None) -> Transition:
        """One transition; with targets `y` [row, position] the guidance is drawn from the posterior."""
        if self.done % self.model.high_steps == 0:
            self.state = self.noise.perturb_state(self.model, self.state, self.generators)
        self.state, transition = self.step(self.state, self.generators, y, watch)
        self.done += 1
        return transition

    def run(self, supervision_steps: int, y: Tensor | None = None, watch: Watch | None = None) -> Iterator[Transition]:
        """All transitions up to the end of a supervision step, counted from the initial state; stops after each."""
        while self.done < supervision_steps * self.model.high_steps:
            yield self.advance(y, watch)

    @property
    def ends_supervision_step(self) -> bool:
        """Whether the last transition was the last of its supervision step."""
        return self.done % self.model.high_steps == 0

    def read_out(self, state: State | None = None) -> tuple[Tensor, Readout]:
        """The answers [row, position], and what they were sampled from, at the present state or at another."""
        readout = self.model.decode(self.state if state is None else state)
        return self.noise.sample_tokens(readout, self.rows.keys), readout


class CarriedChain(Chain):
    """A batch in which waiting rows take the places of those that have ended; it shrinks when none is waiting.

    Attributes:
        number: [place], which of the rows stands there; -1: none.
    """

    def __init__(
        self, model: Model, puzzles: Puzzles, rows: Sequence[Row], noise: SamplingNoise, most: int, exact: bool
    ) -> None:
        self.every, self.most, self.exact = rows, most, exact
        self.begun = min(most, len(rows))
        batch = Rows.padded(puzzles, rows[: self.begun], batch_size(self.begun, most, exact))
        super().__init__(model, batch, noise)
        self.number = np.where(np.arange(len(batch)) < self.begun, np.arange(len(batch)), -1)

    @property
    def busy(self) -> NDArray[np.intp]:
        """The places where a row stands."""
        return np.flatnonzero(self.number >= 0)

    def supervise(self) -> None:
        """One supervision step of all rows."""
        for _ in range(self.model.high_steps):
            self.advance()

    def end(self, places: NDArray[np.intp]) -> None:
        """Say, between two supervision steps, that the rows at these places have ended."""
        self.number[places] = -1
        free = np.flatnonzero(self.number < 0)
        fresh = free[: len(self.every) - self.begun]
        if len(fresh):
            self.number[fresh] = range(self.begun, self.begun + len(fresh))
            self.begun += len(fresh)
            self._replace(fresh)
        busy = self.busy
        size = batch_size(len(busy), self.most, self.exact)
        if len(busy) and self.begun == len(self.every) and size < len(self.number):
            self._take(np.concatenate([busy, np.flatnonzero(self.number < 0)])[:size])

    def _replace(self, places: NDArray[np.intp]) -> None:
        """New rows at these places, at the beginning of their trajectories."""
        rows = list(self.rows.rows)
        for at in places:
            rows[at] = self.every[self.number[at]]
            self.generators.generators[at] = generator_for(rows[at].key)
        self.rows = Rows(self.rows.puzzles, tuple(rows), len(rows))
        self.state = self.state.put(places.tolist(), self._initial())

    def _take(self, places: NDArray[np.intp]) -> None:
        """Keep the rows at these places only."""
        self.number, self.state = self.number[places], self.state.take(places.tolist())
        self.generators.generators = [self.generators.generators[at] for at in places]
        self.rows = Rows(self.rows.puzzles, tuple(self.rows.rows[at] for at in places), len(places))


def _on_device(array: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(array.astype(np.int64)).to(compute.device())
