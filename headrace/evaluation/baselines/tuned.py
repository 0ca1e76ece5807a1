"""Settings chosen on validation: every baseline gets its best chance."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.evaluation.baselines.base import (
    Baseline,
    People,
    Scores,
    Training,
    validation_ndcg,
)


class Tuned:
    """The best of several by NDCG@10 on validation; the first of equals."""

    def __init__(self, candidates: Sequence[Baseline]) -> None:
        self._candidates = candidates

    def fit(self, train: Training) -> None:
        best = -1.0
        for candidate in self._candidates:
            candidate.fit(train)
            quality = validation_ndcg(candidate, train)
            if quality > best:
                best, self._chosen = quality, candidate

    def score(self, people: People) -> Scores:
        return self._chosen.score(people)
