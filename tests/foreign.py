"""Recursions that are not ours, each written as its authors write theirs, small and untrained, and recorded."""

from __future__ import annotations

from itertools import count, pairwise
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from gram.board import Board, Token
from gram.recorder import record

SIDE, WIDTH, PREFIX = 4, 16, 2
CELLS = SIDE * SIDE
_grid = np.arange(CELLS).reshape(SIDE, SIDE)
_groups = np.concatenate([_grid, _grid.T, _grid.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(SIDE, SIDE)])
SUDOKU = Board(
    "sudoku4", "Sudoku 4 x 4", "grid", SIDE, SIDE,
    (Token("pad"), Token("empty"), *(Token(str(k), str(k)) for k in range(1, 5))), blank=(0, 1), box=(2, 2),
    groups=tuple(map(tuple, _groups.tolist())),
    exclusive=(2, 3, 4, 5), required=tuple((token, SIDE) for token in (2, 3, 4, 5)),
)  # fmt: skip
PUZZLE = np.array([2, 1, 1, 1, 1, 1, 3, 1, 1, 5, 1, 1, 1, 1, 1, 4])


class Reasoner(nn.Module):
    """A stack of blocks to whose input something is added (HRM's and TRM's `ReasoningModule`)."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.TransformerEncoderLayer(WIDTH, 2, 32, 0.0, batch_first=True)

    def forward(self, hidden: Tensor, injection: Tensor) -> Tensor:
        return self.block(hidden + injection)


class Hierarchy(nn.Module):
    """HRM with two modules; TRM with one for both. The puzzle's embedding stands before the cells."""

    def __init__(self, tiny: bool) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(6, WIDTH)
        self.puzzle_emb = nn.Parameter(torch.randn(PREFIX, WIDTH))
        self.L_level = Reasoner()
        self.H_level = self.L_level if tiny else Reasoner()
        self.lm_head = nn.Linear(WIDTH, 6)

    def initial_carry(self, rows: int) -> tuple[Tensor, Tensor]:
        return torch.zeros(rows, PREFIX + CELLS, WIDTH), torch.ones(rows, PREFIX + CELLS, WIDTH)

    def forward(self, carry: tuple[Tensor, Tensor], x: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        z_H, z_L = carry
        inputs = torch.cat([self.puzzle_emb.expand(len(x), -1, -1), self.embed_tokens(x)], 1)
        for _ in range(2):
            for _ in range(2):
                z_L = self.L_level(z_L, z_H + inputs)
            z_H = self.H_level(z_H, z_L)
        return (z_H, z_L), self.lm_head(z_H)[:, PREFIX:]


def hrm() -> xr.Dataset:
    """Four supervision steps of two transitions, of which each cell's answer, its state and that of the prefix."""
    torch.manual_seed(0)
    net, x = Hierarchy(tiny=False).eval(), torch.as_tensor(PUZZLE)[None]
    carry = net.initial_carry(1)
    with (
        torch.no_grad(),
        record(
            net, h="H_level", l="L_level", logits=lambda level, h: net.lm_head(h), at="H_level", x=PUZZLE,
            board=SUDOKU, prefix={"puzzle": PREFIX}, attrs={"name": "HRM"},
        ) as rec,
    ):  # fmt: skip
        rec.initial(h=carry[0], l=carry[1])
        for _ in range(4):
            carry, _ = net(carry, x)
    return rec.rollout


def trm() -> xr.Dataset:
    """Four supervision steps of eight trajectories. Every third call of the one module gives h, the others l."""
    torch.manual_seed(0)
    net, x = Hierarchy(tiny=True).eval(), torch.as_tensor(PUZZLE).expand(8, -1)
    carry = (torch.randn(8, PREFIX + CELLS, WIDTH), net.initial_carry(8)[1])
    calls, before = count(1), [carry[0]]

    def h(level: nn.Module, out: Tensor) -> Tensor | None:
        return out if next(calls) % 3 == 0 else None

    def moved(level: nn.Module, out: Tensor) -> Tensor:
        before.append(out)
        return (out - before[-4 if len(before) > 3 else 0]).norm(dim=-1)

    with (
        torch.no_grad(),
        record(
            net, at="L_level", h=h, logits=lambda level, out: net.lm_head(out), moved=moved, rows="trajectories",
            x=PUZZLE, board=SUDOKU, prefix=PREFIX, attrs={"name": "TRM"},
        ) as rec,
    ):  # fmt: skip
        rec.initial(h=carry[0])
        for _ in range(4):
            carry, _ = net(carry, x)
    return rec.rollout


class Looped(nn.Module):
    """Depth recurrence (Huginn): prelude, one block of GPT-2 again and again, coda."""

    def __init__(self) -> None:
        super().__init__()
        self.wte = nn.Embedding(12, WIDTH)
        self.core = nn.TransformerEncoderLayer(WIDTH, 4, 64, 0.0, "gelu", batch_first=True, norm_first=True)
        self.ln_f = nn.LayerNorm(WIDTH)

    def forward(self, ids: Tensor, steps: int = 12) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        embedded = self.wte(ids)
        state = torch.randn(embedded.shape)
        for _ in range(steps):
            state = self.core(state + embedded, mask)
        return self.coda(state)

    def coda(self, state: Tensor) -> Tensor:
        return self.ln_f(state) @ self.wte.weight.T


def looped() -> xr.Dataset:
    """Twelve passes through a block, six starts of one text; the token that each position predicts."""
    torch.manual_seed(0)
    net = Looped().eval()
    with torch.no_grad():
        recording = record(
            net, h="core", logits=lambda core, h: net.coda(h), rows="trajectories", board=(2, 8), steps=12,
            attrs={"name": "Looped block"},
        )  # fmt: skip
        with recording as rec:
            net(torch.randint(12, (1, 16)).expand(6, -1))
    return rec.rollout


class Denoiser(nn.Module):
    """What is left of an image when the noise that it predicts is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.ring = nn.Parameter(ring().flatten())

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        return (x - self.ring) / sigma


def ring() -> Tensor:
    """8 x 8 pixels, 1 on a ring and -1 elsewhere."""
    axis = torch.linspace(-1, 1, 8)
    away = torch.hypot(axis[:, None], axis[None])
    return torch.where((away - 0.7).abs() < 0.22, 1.0, -1.0)


def diffusion() -> xr.Dataset:
    """Twelve steps of an ancestral sampler, ten images: black and white as tokens, the gray value as a layer."""
    torch.manual_seed(0)
    net, sigmas = Denoiser(), torch.logspace(1, -2, 13)
    x = sigmas[0] * torch.randn(10, 64)
    colors = (*(Token(color, glyph="pixel") for color in ("white", "black")), Token("not given"))
    board = Board("images", "Ring, 8 x 8", "image", 8, 8, colors, blank=(2,))
    with torch.no_grad(), record(rows="trajectories", board=board, attrs={"name": "Diffusion"}) as rec:
        rec.initial(h=x, tokens=x > 0, gray=x / sigmas[0], sigma=sigmas[:1].expand(10))
        for now, after in pairwise(sigmas):
            x = x + net(x, now) * (after - now) + 0.3 * after * torch.randn_like(x)
            rec.step(h=x, tokens=x > 0, gray=x / (1 + after), sigma=after.expand(10))
    return rec.rollout


class Rnn(nn.Module):
    """A GRU over a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(3, 24)
        self.readout = nn.Linear(24, 5)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(len(x), 24)
        for at in range(x.shape[1]):
            h = self.cell(x[:, at], h)
        return self.readout(h)


def rnn() -> xr.Dataset:
    """Twenty inputs to a GRU, twelve sequences: no answers, but a state, its readout and the size of both."""
    torch.manual_seed(0)
    net = Rnn()
    with torch.no_grad():
        recording = record(
            net, h="cell", readout=lambda cell, h: net.readout(h), norm=lambda cell, h: h.norm(dim=1),
            rows="trajectories", attrs={"name": "GRU"},
        )  # fmt: skip
        with recording as rec:
            rec.initial(h=torch.zeros(12, 24))
            net(torch.randn(12, 20, 3))
    return rec.rollout


def optimizer() -> xr.Dataset:
    """The path of Adam through Rosenbrock's valley from nine starts: any loop, no module."""
    torch.manual_seed(0)
    theta = nn.Parameter(torch.randn(9, 2))
    adam = torch.optim.Adam([theta], lr=0.1)

    def loss() -> Tensor:
        return (1 - theta[:, 0]) ** 2 + 10 * (theta[:, 1] - theta[:, 0] ** 2) ** 2

    with record(rows="trajectories", attrs={"name": "Adam"}, units={"loss": "Rosenbrock"}) as rec:
        rec.initial(h=theta, loss=loss())
        for _ in range(40):
            adam.zero_grad()
            loss().sum().backward()
            adam.step()
            rec.step(h=theta, loss=loss())
    return rec.rollout


ALL: dict[str, Any] = {
    "trm": trm, "hrm": hrm, "looped": looped, "diffusion": diffusion, "rnn": rnn, "optimizer": optimizer,
}  # fmt: skip
