"""How tokens become vectors and vectors tokens again: `NetworkConfig.symbols`.

    embedded  a vector for each token; a place has one vector, and a linear map reads all logits from it
    shared    a place has one vector for each interchangeable symbol of the board, which says whether that symbol stands
              there, another does, or nothing is known; one vector reads the logit of each symbol from its own

With shared symbols nothing in a network knows which symbol is which, so a permutation of them permutes the answer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gram.board import Board
from gram.tasks.base import PAD

NEVER = -1e4  # logit of a token that cannot be
THIS, OTHER, UNKNOWN = 0, 1, 2


class Tokens(nn.Embedding):
    """A vector for each token: [batch, position] -> [batch, place, feature]."""

    def __init__(self, board: Board, features: int, places: int) -> None:
        super().__init__(len(board.tokens), features)
        self.places = places

    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(tokens[:, : self.places])


class Symbols(nn.Embedding):
    """A vector for each symbol of a place: [batch, position] -> [batch, place, symbol x feature].

    Args:
        blank: tokens that say nothing.
    """

    seen: Tensor

    def __init__(self, board: Board, features: int, blank: tuple[int, ...]) -> None:
        super().__init__(3, features)
        self.places = board.places
        seen = torch.full((len(board.tokens), len(board.symbols)), OTHER)
        seen[list(blank)] = UNKNOWN
        seen[list(board.symbols), range(len(board.symbols))] = THIS
        self.register_buffer("seen", seen, persistent=False)  # [token, symbol]

    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(self.seen[tokens[:, : self.places]]).flatten(2)


class SymbolDecoder(nn.Module):
    """Logits [batch, place, token] of a state [batch, place, symbol x feature].

    A token that is no symbol has a learned logit, the same everywhere, if an answer can hold it (the empty field of a
    chess board), else `NEVER`. Where puzzle and answer are two pictures, it depends on the place (the end of a grid):
    it is read from the mean of the symbols there.
    """

    order: Tensor
    never: Tensor

    def __init__(self, board: Board, features: int, never: set[int]) -> None:
        super().__init__()
        self.features = features
        self.score = nn.Linear(features, 1, bias=False)
        others = [token for token in range(len(board.tokens)) if token not in board.symbols]
        possible = [token for token in others if token not in never]
        impossible = [token for token in others if token in never]
        self.other = nn.Parameter(torch.zeros(len(possible))) if possible else None
        self.others = nn.Linear(features, len(possible), bias=False) if board.apart else None
        order = torch.tensor([*board.symbols, *possible, *impossible]).argsort()
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("never", torch.full((len(impossible),), NEVER), persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        symbols = h.unflatten(-1, (-1, self.features))
        parts = [self.score(symbols)[..., 0].float()]
        parts += [p.expand(*h.shape[:2], -1) for p in (self.other, self.never) if p is not None]
        if self.others is not None:
            parts[1] = parts[1] + self.others(symbols.mean(2)).float()
        return torch.cat(parts, -1)[..., self.order]


def never(board: Board) -> set[int]:
    """The tokens that no answer holds at a place."""
    absent = {PAD} | {token for token, count in board.required if count == 0}
    if board.nodes:
        absent |= set(range(len(board.tokens))) - set(board.exclusive)
    return absent


def embedding(shared: bool, board: Board, features: int, places: int, blank: tuple[int, ...]) -> Tokens | Symbols:
    """Tokens -> vectors, by symbol or by token."""
    return Symbols(board, features, blank) if shared else Tokens(board, features, places)


def decoder(shared: bool, board: Board, features: int) -> nn.Module:
    """Vectors -> logits, by symbol or by token."""
    if shared:
        return SymbolDecoder(board, features, never(board))
    return nn.Linear(features, len(board.tokens), bias=False)
