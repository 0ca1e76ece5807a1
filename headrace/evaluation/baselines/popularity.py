"""What most people take, and what they have taken lately."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.evaluation.baselines.base import People, Scores, Training


@dataclass(eq=False)
class MostPopular:
    """Everybody gets what most events were about."""

    def fit(self, train: Training) -> None:
        self._scores = train.counts.astype(np.float32)

    def score(self, people: People) -> Scores:
        return np.tile(self._scores, (len(people), 1))


@dataclass(eq=False)
class RecentlyPopular(MostPopular):
    """Everybody gets what people's `last` events were about.

    People's own order is all that every log has: one with positions instead of times as well.
    """

    last: int = 5

    def fit(self, train: Training) -> None:
        newest = np.concatenate([history[-self.last :] for history in train.histories])
        self._scores = np.bincount(newest, minlength=train.items).astype(np.float32)
