"""Neural collaborative filtering: GMF, MLP and NeuMF (He et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headrace.evaluation.baselines.base import People, Scores, Training, validation_ndcg
from headrace.evaluation.baselines.neural.learning import Effort, learn
from headrace.evaluation.baselines.neural.pairs import JUDGED, Events, losses, scores_of_all

Kind = Literal["gmf", "mlp", "neumf"]
# Bounds the pairs scored at once.
_PAIRS = 262_144


@dataclass(eq=False)
class NeuralFactors:
    """A person's and an item's embedding, multiplied (GMF), through layers (MLP), or both."""

    kind: Kind
    effort: Effort
    width: int = 32

    def fit(self, train: Training) -> None:
        torch.manual_seed(self.effort.seed)
        self._items = train.items
        network = _Network(self.kind, len(train.histories), train.items, self.width)
        self._network = network.to(self.effort.device)
        events = Events(train)

        def logits(rows: NDArray[np.int64], asked: Tensor) -> Tensor:
            return self._logits(events.users[rows], asked)

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
        return scores_of_all(
            lambda some, items: self._logits(people.users[some], items),
            len(people),
            self._items,
            max(1, _PAIRS // self._items),
            self.effort,
        )

    def _logits(self, users: NDArray[np.int64], items: Tensor) -> Tensor:
        """Shapes: users [B], items [B,M] -> [B,M]."""
        logits: Tensor = self._network(
            self.effort.tensor(users)[:, None].expand(-1, items.shape[1]), items
        )
        return logits


class _Network(nn.Module):
    """Shapes: users and items [B,M] -> logits [B,M]."""

    def __init__(self, kind: Kind, users: int, items: int, width: int) -> None:
        super().__init__()
        self._multiplies, self._layered = kind != "mlp", kind != "gmf"
        tables = [nn.Embedding(size, width) for size in (users, items, users, items)]
        for table in tables:
            nn.init.normal_(table.weight, std=0.1)
        self._user, self._item, self._user_deep, self._item_deep = tables
        self._layers = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width // 2), nn.ReLU()
        )
        joined = width * self._multiplies + width // 2 * self._layered
        self._out = nn.Linear(joined, 1)
        nn.init.kaiming_uniform_(self._out.weight, a=1)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        parts = []
        if self._multiplies:
            parts.append(self._user(users) * self._item(items))
        if self._layered:
            deep = torch.cat([self._user_deep(users), self._item_deep(items)], dim=-1)
            parts.append(self._layers(deep))
        logits: Tensor = self._out(torch.cat(parts, dim=-1)).squeeze(-1)
        return logits
