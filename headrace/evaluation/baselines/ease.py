"""EASE: a linear autoencoder without the diagonal, in closed form (Steck 2019, eq. 8)."""

from __future__ import annotations

import numpy as np

from headrace.errors import DataInvalid
from headrace.evaluation.baselines.base import People, Scores, Training

# N x N numbers are inverted: 20,000 items take 3 GB.
_MOST_ITEMS = 20_000


class Ease:
    """B = -P / diag(P) with P = (XᵀX + λI)⁻¹ and a zero diagonal; scores are h B."""

    def __init__(self, penalty: float) -> None:
        self._penalty = penalty

    def fit(self, train: Training) -> None:
        """Raises: DataInvalid where the catalogue is too large to invert."""
        if train.items > _MOST_ITEMS:
            raise DataInvalid(
                f"EASE inverts a matrix of {train.items:,} items; {_MOST_ITEMS:,} at most"
            )
        gram = (train.matrix.T @ train.matrix).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += self._penalty
        inverse = np.linalg.inv(gram)
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0)
        self._weights = weights.astype(np.float32)

    def score(self, people: People) -> Scores:
        scores: Scores = np.asarray(people.matrix(len(self._weights)) @ self._weights)
        return scores
