"""DeepFM (Guo et al. 2017): pairs of fields multiplied, and all fields through layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headrace.evaluation.baselines.base import People, Scores, Training, validation_ndcg
from headrace.evaluation.baselines.neural.learning import Effort, learn
from headrace.evaluation.baselines.neural.pairs import (
    JUDGED,
    Categories,
    Events,
    last_items,
    losses,
    scores_of_all,
)

# Bounds the pairs scored at once.
_PAIRS = 131_072


@dataclass(eq=False)
class DeepFm:
    """Fields: the person, what they took last, the item, and its categories."""

    effort: Effort
    width: int = 16
    layers: int = 64

    def fit(self, train: Training) -> None:
        torch.manual_seed(self.effort.seed)
        self._items = train.items
        self._network = _Network(train, self.width, self.layers).to(self.effort.device)
        events = Events(train)

        def logits(rows: NDArray[np.int64], asked: Tensor) -> Tensor:
            return self._logits(events.users[rows], events.before(rows, 1), asked)

        judged = train.judged_by(JUDGED)
        learn(
            self._network,
            losses(events, train.items, logits, self.effort),
            lambda: validation_ndcg(self, judged),
            self.effort,
            1e-3,
        )

    @torch.no_grad()
    def score(self, people: People) -> Scores:
        last = last_items(people.histories, 1, self._items)
        return scores_of_all(
            lambda some, items: self._logits(people.users[some], last[some], items),
            len(people),
            self._items,
            max(1, _PAIRS // self._items),
            self.effort,
        )

    def _logits(self, users: NDArray[np.int64], last: NDArray[np.int64], items: Tensor) -> Tensor:
        """Shapes: users [B], last [B,1], items [B,M] -> [B,M]."""
        tensor = self.effort.tensor
        logits: Tensor = self._network(tensor(users), tensor(last[:, 0]), items)
        return logits


class _Network(nn.Module):
    def __init__(self, train: Training, width: int, layers: int) -> None:
        super().__init__()
        # One column more is a field's own weight: the linear part of the machine.
        self._user = nn.Embedding(len(train.histories), width + 1)
        self._last = nn.Embedding(train.items + 1, width + 1)
        self._item = nn.Embedding(train.items, width + 1)
        for table in (self._user, self._last, self._item):
            nn.init.normal_(table.weight, std=0.1)
        self._categories = Categories(train.catalogue, width + 1)
        self._deep = nn.Sequential(
            nn.Linear(4 * width, layers),
            nn.ReLU(),
            nn.Linear(layers, layers // 2),
            nn.ReLU(),
            nn.Linear(layers // 2, 1),
        )

    def forward(self, users: Tensor, last: Tensor, items: Tensor) -> Tensor:
        """Shapes: users and last [B], items [B,M] -> [B,M]."""
        pairs = items.shape[1]
        fields = torch.stack(
            [
                self._user(users)[:, None].expand(-1, pairs, -1),
                self._last(last)[:, None].expand(-1, pairs, -1),
                self._item(items),
                self._categories(items),
            ],
            dim=2,
        )  # [B,M,F,D+1]
        factors, weights = fields[..., :-1], fields[..., -1]
        deep = self._deep(factors.flatten(2)).squeeze(-1)
        logits: Tensor = weights.sum(dim=2) + products_of_pairs(factors) + deep
        return logits


def products_of_pairs(factors: Tensor) -> Tensor:
    """Inner products of every two fields, added up (Rendle 2010, lemma 3.1).

    Shapes: factors [B,M,F,D] -> [B,M].
    """
    squares = factors.sum(dim=2).square() - factors.square().sum(dim=2)
    return 0.5 * squares.sum(dim=2)
