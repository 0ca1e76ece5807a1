"""EASE: a linear autoencoder without the diagonal, in closed form (Steck 2019, eq. 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from headrace.errors import DataInvalid
from headrace.evaluation.baselines.base import People, Scores, Training

# N x N numbers are inverted in place: 20,000 items take 5 GB.
_MOST_ITEMS = 20_000


@dataclass(eq=False)
class Ease:
    """B = -P / diag(P) with P = (XᵀX + λI)⁻¹ and a zero diagonal; scores are h B."""

    penalty: float

    def fit(self, train: Training) -> None:
        """Raises: DataInvalid where the catalogue is too large to invert."""
        if train.items > _MOST_ITEMS:
            raise DataInvalid(
                f"EASE inverts a matrix of {train.items:,} items; {_MOST_ITEMS:,} at most"
            )
        gram = (train.matrix.T @ train.matrix).toarray(order="F").astype(np.float64, copy=False)
        gram[np.diag_indices_from(gram)] += self.penalty
        weights = linalg.inv(gram, overwrite_a=True, check_finite=False)
        weights /= -np.diag(weights).copy()
        np.fill_diagonal(weights, 0)
        self._weights = weights.astype(np.float32)

    def score(self, people: People) -> Scores:
        scores: Scores = np.asarray(people.matrix(len(self._weights)) @ self._weights)
        return scores
