"""Metrics of what is shown, whatever the right answer is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def coverage(lists: NDArray[np.int64], items: int) -> float:
    """The share of the catalogue's N items that somebody is shown. Shapes: lists [B,k]."""
    return len(np.unique(lists)) / items


def novelty(lists: NDArray[np.int64], counts: NDArray[np.int64], people: int) -> float:
    """Mean of -log2 of the share of people who know an item (Vargas and Castells 2011, eq. 5).

    An item that nobody took counts as known to one. Shapes: lists [B,k], counts [N].
    """
    known = np.maximum(counts, 1) / max(people, 1)
    return float(np.mean(-np.log2(np.minimum(known, 1.0))[lists]))


def diversity(lists: NDArray[np.int64], vectors: NDArray[Any]) -> float:
    """One minus the mean cosine of two items of a list (Ziegler 2005), mean over lists.

    Vectors of zeros are as far from everything as unrelated ones. Shapes: lists [B,k], k of 2 or
    more, vectors [N,D].
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(lengths, 1e-12)
    k = lists.shape[1]
    total = unit[lists].sum(axis=1)  # [B,D]; its square is the sum of all cosines
    own = np.square(unit[lists]).sum(axis=(1, 2))
    return float(np.mean(1 - (np.square(total).sum(axis=1) - own) / (k * (k - 1))))
