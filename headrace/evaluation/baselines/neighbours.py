"""Collaborative filtering by neighbours: cosine of who had the same (Sarwar et al. 2001)."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import normalize

from headrace.evaluation.baselines.base import People, Scores, Training


class UserNeighbours:
    """What the most similar people had, weighted by how similar they are."""

    def __init__(self, neighbours: int) -> None:
        self._neighbours = neighbours

    def fit(self, train: Training) -> None:
        self._had = train.matrix
        self._directions = normalize(train.matrix)

    def score(self, people: People) -> Scores:
        mine = normalize(people.matrix(self._had.shape[1]))
        likeness = (mine @ self._directions.T).toarray()  # [B,U]
        scores: Scores = np.asarray(_best(likeness, self._neighbours) @ self._had)
        return scores


class ItemNeighbours:
    """Items that were had by the people who had mine."""

    def __init__(self, neighbours: int) -> None:
        self._neighbours = neighbours

    def fit(self, train: Training) -> None:
        directions = normalize(train.matrix, axis=0)
        likeness = (directions.T @ directions).toarray()  # [N,N]
        np.fill_diagonal(likeness, 0)
        self._likeness = _best(likeness, self._neighbours)

    def score(self, people: People) -> Scores:
        scores: Scores = np.asarray(people.matrix(len(self._likeness)) @ self._likeness)
        return scores


def _best(likeness: Any, most: int) -> Any:
    """Zero but for each row's greatest. Shapes: [B,M]."""
    if likeness.shape[1] <= most:
        return likeness
    least = np.partition(likeness, -most, axis=1)[:, -most]
    return np.where(likeness >= least[:, None], likeness, 0).astype(np.float32)
