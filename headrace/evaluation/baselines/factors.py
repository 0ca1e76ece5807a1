"""Matrix factorisation in closed form: what a person had, through the strongest factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD

from headrace.errors import DataInvalid
from headrace.evaluation.baselines.base import People, Scores, Training


@dataclass(eq=False)
class Svd:
    """PureSVD (Cremonesi, Koren and Turrin 2010): h V Vᵀ."""

    factors: int
    seed: int = 0

    def fit(self, train: Training) -> None:
        """Raises: DataInvalid where there are fewer than two people or items."""
        svd = TruncatedSVD(_possible(self.factors, train), random_state=self.seed).fit(train.matrix)
        self._items = svd.components_.astype(np.float32)  # [F,N]

    def score(self, people: People) -> Scores:
        scores: Scores = (people.matrix(self._items.shape[1]) @ self._items.T) @ self._items
        return scores


@dataclass(eq=False)
class Pca:
    """The same around the mean person: the commonest taste is no factor."""

    factors: int
    seed: int = 0

    def fit(self, train: Training) -> None:
        """Raises: DataInvalid where there are fewer than two people or items."""
        pca = PCA(_possible(self.factors, train), svd_solver="randomized", random_state=self.seed)
        pca.fit(train.matrix.toarray())
        self._pca: Any = pca

    def score(self, people: People) -> Scores:
        had = people.matrix(self._pca.n_features_in_).toarray()
        return np.asarray(self._pca.inverse_transform(self._pca.transform(had)), dtype=np.float32)


def _possible(factors: int, train: Training) -> int:
    """As many factors as wanted, at least one less than either side of the matrix."""
    most = min(len(train.histories), train.items) - 1
    if most < 1:
        raise DataInvalid("factors need two people and two items at least")
    return min(factors, most)
