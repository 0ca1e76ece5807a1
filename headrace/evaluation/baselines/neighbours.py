"""Collaborative filtering by neighbours: cosine of who had the same (Sarwar et al. 2001)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from implicit.nearest_neighbours import all_pairs_knn
from sklearn.preprocessing import normalize

from headrace.evaluation.baselines.base import People, Scores, Training


@dataclass(eq=False)
class UserNeighbours:
    """What the most similar people had, weighted by how similar they are."""

    neighbours: int

    def fit(self, train: Training) -> None:
        self._had = train.matrix
        self._directions = normalize(train.matrix)

    def score(self, people: People) -> Scores:
        mine = normalize(people.matrix(self._had.shape[1]))
        likeness = (mine @ self._directions.T).toarray()  # [B,U]
        scores: Scores = np.asarray(_best(likeness, self.neighbours) @ self._had)
        return scores


@dataclass(eq=False)
class ItemNeighbours:
    """Items that were had by the people who had mine."""

    neighbours: int

    def fit(self, train: Training) -> None:
        directions = normalize(train.matrix, axis=0).tocsr().astype(np.float64)
        # Every item is its own nearest neighbour.
        nearest = all_pairs_knn(directions, self.neighbours + 1, num_threads=1, show_progress=False)
        nearest = nearest.tocsr().astype(np.float32)
        nearest.setdiag(0)
        self._likeness = nearest  # [N,N], sparse

    def score(self, people: People) -> Scores:
        scores: Scores = (people.matrix(self._likeness.shape[0]) @ self._likeness).toarray()
        return scores


def _best(likeness: Any, most: int) -> Any:
    """Zero but for each row's greatest. Shapes: [B,M]."""
    if likeness.shape[1] <= most:
        return likeness
    least = np.partition(likeness, -most, axis=1)[:, -most]
    return np.where(likeness >= least[:, None], likeness, 0).astype(np.float32)
