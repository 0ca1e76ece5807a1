"""Metrics of ranked lists with one right answer each, from the answer's rank.

A rank is 1 for the best place. Ties count against the model: a model that gives every item the
same score has put the right one last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ranks = NDArray[np.int64]


def ranks_of(scores: NDArray[Any], targets: NDArray[np.int64]) -> Ranks:
    """The rank of each row's target.

    Shapes: scores [B,N] (-inf: not to be shown), targets [B] (column) -> [B].
    """
    own = np.take_along_axis(scores, targets[:, None], axis=1)  # [B,1]
    # The target itself is among those not below it, which makes the best rank 1.
    ranks: Ranks = (scores >= own).sum(axis=1)
    return ranks


def hit_rate(ranks: Ranks, k: int) -> float:
    """The share of lists whose first k places hold the right answer."""
    return float(np.mean(ranks <= k))


def ndcg(ranks: Ranks, k: int) -> float:
    """Mean of 1 / log2(rank + 1) within the first k places (Järvelin and Kekäläinen 2002)."""
    return float(np.mean(np.where(ranks <= k, 1.0 / np.log2(ranks + 1.0), 0.0)))


def mrr(ranks: Ranks, k: int) -> float:
    """Mean of 1 / rank within the first k places."""
    return float(np.mean(np.where(ranks <= k, 1.0 / ranks, 0.0)))


def summary(ranks: Ranks, k: int = 10) -> dict[str, float]:
    """HR, NDCG and MRR at k, by name."""
    return {
        f"HR@{k}": hit_rate(ranks, k),
        f"NDCG@{k}": ndcg(ranks, k),
        f"MRR@{k}": mrr(ranks, k),
    }
