"""DIN (Zhou et al. 2018): of what a person had, that counts which has to do with the item."""

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

# Bounds the activations of one step to 64 MB.
_FLOATS = 16_000_000


@dataclass(eq=False)
class Din:
    """The `last` items of a person, each weighed by an activation unit that sees the item too."""

    effort: Effort
    width: int = 16
    last: int = 20
    unit: int = 16
    layers: int = 64

    def fit(self, train: Training) -> None:
        torch.manual_seed(self.effort.seed)
        self._items = train.items
        network = _Network(train, self.width, self.unit, self.layers)
        self._network = network.to(self.effort.device)
        events = Events(train)

        def logits(rows: NDArray[np.int64], asked: Tensor) -> Tensor:
            had = self.effort.tensor(events.before(rows, self.last))
            found: Tensor = self._network(had, asked)
            return found

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
        had = self.effort.tensor(last_items(people.histories, self.last, self._items))
        return scores_of_all(
            lambda some, items: self._network(had[some], items),
            len(people),
            self._items,
            max(1, _FLOATS // (self._items * self.last * self.unit)),
            self.effort,
        )


class _Network(nn.Module):
    def __init__(self, train: Training, width: int, unit: int, layers: int) -> None:
        super().__init__()
        self._padding = train.items
        self._item = nn.Embedding(train.items + 1, width, padding_idx=train.items)
        nn.init.normal_(self._item.weight, std=0.1)
        self._categories = Categories(train.catalogue, width)
        whole = 2 * width  # an item is its own vector and that of its categories
        self._of_had = nn.Linear(whole, unit)
        self._of_asked = nn.Linear(whole, unit, bias=False)
        self._of_both = nn.Linear(whole, unit, bias=False)
        self._activation = nn.Sequential(nn.PReLU(), nn.Linear(unit, 1))
        self._layers = nn.Sequential(nn.Linear(3 * whole, layers), nn.PReLU(), nn.Linear(layers, 1))

    def forward(self, had: Tensor, items: Tensor) -> Tensor:
        """Shapes: had [B,L] (N: padding), items [B,M] -> [B,M]."""
        history, asked = self._vectors(had), self._vectors(items)  # [B,L,2D], [B,M,2D]
        interest = self._weights(history, asked, had) @ history  # [B,M,2D]
        together = torch.cat([interest, asked, interest * asked], dim=-1)
        logits: Tensor = self._layers(together).squeeze(-1)
        return logits

    def _vectors(self, items: Tensor) -> Tensor:
        return torch.cat([self._item(items), self._categories(items)], dim=-1)

    def _weights(self, history: Tensor, asked: Tensor, had: Tensor) -> Tensor:
        """How much each item of the history counts for each asked one: [B,M,L].

        They need not add up to 1: how much interest there is says something (section 4.3).
        """
        people, length, whole = history.shape
        # The unit's first layer sees both vectors and their product. Multiplying the history by
        # the product's weights first makes it one matrix product for all items.
        crossed = history[:, :, None] * self._of_both.weight  # [B,L,H,2D]
        both = asked @ crossed.reshape(people, -1, whole).transpose(1, 2)  # [B,M,L*H]
        hidden = both.reshape(people, -1, length, crossed.shape[2])
        hidden = hidden + self._of_had(history)[:, None] + self._of_asked(asked)[:, :, None]
        weights: Tensor = self._activation(hidden).squeeze(-1)
        return weights * (had != self._padding)[:, None]
