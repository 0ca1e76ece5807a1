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
        self._candidates = list(candidates)
        self._settings = repr(candidates)

    def __repr__(self) -> str:
        return self._settings

    @property
    def chosen(self) -> Baseline:
        """Of a fit."""
        return self._chosen

    def fit(self, train: Training) -> None:
        best = -1.0
        while self._candidates:  # what is beaten is let go: each may be large
            candidate = self._candidates.pop(0)
            candidate.fit(train)
            quality = validation_ndcg(candidate, train)
            if quality > best:
                best, self._chosen = quality, candidate

    def score(self, people: People) -> Scores:
        return self._chosen.score(people)
