"""What a model predicts of its own answer, read from the high-level state: the halting head and the value head.

HRM and TRM read the first token of h by one linear map (`FirstToken`). Boards have no spare token here unless a model
has `puzzle_tokens`, and whether a board is right is a relation between its cells, so by default one block compares
them (`Heads`). Either way the state is detached: what the heads learn must not move the recursion (they are taught on
prior rollouts, the recursion on posterior ones); in HRM and TRM it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from gram.models.blocks import Block, Layout, NetworkConfig, SwiGLU

Judge = Literal["board", "first"]


@dataclass(frozen=True)
class HeadOutputs:
    """Logits [batch].

    Attributes:
        q_halt: of "my answer is right", the value of halting (HRM: Q_halt).
        value: of "my final answer will be right" (LPRM).
        further: the value of going on (HRM: Q_continue); None in a model that only learns whether it is right.
    """

    q_halt: Tensor
    value: Tensor
    q_continue: Tensor | None = None

    @property
    def halt(self) -> Tensor:
        """Above 0 where halting is the better choice: `q_halt`, less the value of going on where that is known."""
        return self.q_halt if self.q_continue is None else self.q_halt - self.q_continue


class Heads(nn.Module):
    """[batch, position, feature] -> outputs: a block compares positions, and their mean and maximum are judged.

    With shared symbols mean and maximum are over symbols too.
    """

    def __init__(self, config: NetworkConfig, layout: Layout, q_continue: bool = False) -> None:
        super().__init__()
        self.compare, self.features = Block(config, layout), config.features
        self.judge = SwiGLU(2 * config.features, config.hidden, 3 if q_continue else 2)

    def forward(self, h: Tensor, graph: Tensor | None = None) -> HeadOutputs:
        compared = self.compare(h.detach(), graph)
        compared = compared.unflatten(-1, (-1, self.features)).flatten(1, 2)
        return HeadOutputs(*self.judge(torch.cat([compared.mean(1), compared.amax(1)], -1)).float().unbind(-1))


class FirstToken(nn.Module):
    """[batch, position, feature] -> outputs: a linear map of the first position, the published heads of HRM and TRM."""

    def __init__(self, features: int, q_continue: bool = False) -> None:
        super().__init__()
        self.judge = nn.Linear(features, 3 if q_continue else 2)
        nn.init.zeros_(self.judge.bias)

    def forward(self, h: Tensor, graph: Tensor | None = None) -> HeadOutputs:
        return HeadOutputs(*self.judge(h[:, 0].detach()).float().unbind(-1))


def heads(judge: Judge, config: NetworkConfig, layout: Layout, q_continue: bool = False) -> Heads | FirstToken:
    """The heads that `judge` names: `board` or `first`; `q_continue`: with the value of going on.

    Raises:
        ValueError: the first token of a state with shared symbols is one vector for each symbol.
    """
    if config.shared and judge == "first":
        raise ValueError(
            "judge is 'first', and with symbols 'shared' no token stands before the board; set it to 'board'"
        )
    return Heads(config, layout, q_continue) if judge == "board" else FirstToken(config.features, q_continue)
