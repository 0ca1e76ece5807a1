"""Matrix factorisation by descent, from the library implicit: ALS and BPR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from threadpoolctl import threadpool_limits

from headrace.evaluation.baselines.base import People, Scores, Training


@dataclass(eq=False)
class Als:
    """Weighted least squares (Hu, Koren and Volinsky 2008): an event weighs `weight`, none 1.

    A person's factors are solved anew from what they had by now.
    """

    factors: int
    weight: float
    seed: int = 0

    def fit(self, train: Training) -> None:
        self._model = AlternatingLeastSquares(
            self.factors, alpha=self.weight, num_threads=1, random_state=self.seed
        )
        with threadpool_limits(1, "blas"):  # more threads make its small products slower
            self._model.fit(train.matrix, show_progress=False)

    def score(self, people: People) -> Scores:
        items = self._model.item_factors
        with threadpool_limits(1, "blas"):
            mine = self._model.recalculate_user(people.users, people.matrix(len(items)))
        return np.asarray(mine @ items.T, dtype=np.float32)


@dataclass(eq=False)
class Bpr:
    """Each event above an item without one (Rendle et al. 2009), people by their own factors."""

    factors: int
    learning_rate: float
    seed: int = 0

    def fit(self, train: Training) -> None:
        self._model = BayesianPersonalizedRanking(
            self.factors,
            self.learning_rate,
            num_threads=1,  # several write over each other: no run would be like another
            random_state=self.seed,
        )
        self._model.fit(train.matrix, show_progress=False)

    def score(self, people: People) -> Scores:
        mine = self._model.user_factors[people.users]
        return np.asarray(mine @ self._model.item_factors.T, dtype=np.float32)
