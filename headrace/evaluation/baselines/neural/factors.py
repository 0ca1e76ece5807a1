"""Neural collaborative filtering: GMF, MLP and NeuMF (He et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from headrace.evaluation.baselines.base import People, Scores, Training, validation_ndcg
from headrace.evaluation.baselines.neural.learning import Effort, batches, learn

Kind = Literal["gmf", "mlp", "neumf"]
_WIDTH = 32
_NEGATIVES = 4  # the paper's 4 for each event
_BATCH = 256  # the paper's
# Bounds the pairs scored at once.
_PAIRS = 262_144


class NeuralFactors:
    """A person's and an item's embedding, multiplied (GMF), through layers (MLP), or both."""

    def __init__(self, kind: Kind, effort: Effort) -> None:
        self._kind: Kind = kind
        self._effort = effort

    def fit(self, train: Training) -> None:
        torch.manual_seed(self._effort.seed)
        self._items = train.items
        self._network = _Network(self._kind, len(train.histories), train.items)
        users = np.repeat(np.arange(len(train.histories)), [len(h) for h in train.histories])
        items = np.concatenate(train.histories)

        def losses(random: np.random.Generator) -> Iterator[Tensor]:
            for rows in batches(len(users), _BATCH, random):
                negatives = random.integers(0, train.items, (len(rows), _NEGATIVES))
                asked = np.concatenate([items[rows, None], negatives], axis=1)  # [B,1+negatives]
                logits = self._network(
                    torch.from_numpy(users[rows])[:, None].expand(asked.shape),
                    torch.from_numpy(asked),
                )
                labels = torch.zeros_like(logits)
                labels[:, 0] = 1
                yield nn.functional.binary_cross_entropy_with_logits(logits, labels)

        learn(self._network, losses, lambda: validation_ndcg(self, train), self._effort, 1e-3)

    @torch.no_grad()
    def score(self, people: People) -> Scores:
        items = torch.arange(self._items)
        users = torch.from_numpy(people.users)
        rows = max(1, _PAIRS // self._items)
        parts = [
            self._network(batch[:, None].expand(-1, self._items), items.expand(len(batch), -1))
            for batch in torch.split(users, rows)
        ]
        scores = torch.cat(parts) if parts else torch.zeros(0, self._items)
        return np.asarray(scores.numpy(), dtype=np.float32)


class _Network(nn.Module):
    """Shapes: users and items [B,M] -> logits [B,M]."""

    def __init__(self, kind: Kind, users: int, items: int) -> None:
        super().__init__()
        self._multiplies, self._layered = kind != "mlp", kind != "gmf"
        tables = [nn.Embedding(size, _WIDTH) for size in (users, items, users, items)]
        for table in tables:
            nn.init.normal_(table.weight, std=0.1)
        self._user, self._item, self._user_deep, self._item_deep = tables
        self._layers = nn.Sequential(
            nn.Linear(2 * _WIDTH, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, _WIDTH // 2), nn.ReLU()
        )
        joined = _WIDTH * self._multiplies + _WIDTH // 2 * self._layered
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
