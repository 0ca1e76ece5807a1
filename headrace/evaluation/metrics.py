"""Metrics of ranked lists with one right answer each, from the answer's rank.

A rank is 1 for the best place. Ties count against the model: a model that gives every item the
same score has put the right one last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ranks = NDArray[np.int64]
Values = NDArray[np.float64]

# The rank of an answer that no list holds: beyond every k.
MISSED = np.iinfo(np.int64).max // 2


def ranks_of(scores: NDArray[Any], targets: NDArray[np.int64]) -> Ranks:
    """The rank of each row's target.

    Shapes: scores [B,N] (-inf: not to be shown), targets [B] (column) -> [B].
    """
    own = np.take_along_axis(scores, targets[:, None], axis=1)  # [B,1]
    # The target itself is among those not below it, which makes the best rank 1.
    ranks: Ranks = (scores >= own).sum(axis=1)
    return ranks


def hits(ranks: Ranks, k: int) -> Values:
    """1 where the first k places hold the right answer; with one answer also the recall: [Q]."""
    return (ranks <= k).astype(np.float64)


def gains(ranks: Ranks, k: int) -> Values:
    """1 / log2(rank + 1) within the first k places (Järvelin and Kekäläinen 2002): [Q]."""
    return np.where(ranks <= k, 1.0 / np.log2(ranks + 1.0), 0.0)


def reciprocals(ranks: Ranks, k: int) -> Values:
    """1 / rank within the first k places: [Q]."""
    return np.where(ranks <= k, 1.0 / ranks, 0.0)


def hit_rate(ranks: Ranks, k: int) -> float:
    """The share of lists whose first k places hold the right answer."""
    return float(np.mean(hits(ranks, k)))


def ndcg(ranks: Ranks, k: int) -> float:
    """Mean of `gains`: the best possible gain of one right answer is 1."""
    return float(np.mean(gains(ranks, k)))


def mrr(ranks: Ranks, k: int) -> float:
    """Mean of `reciprocals`."""
    return float(np.mean(reciprocals(ranks, k)))


def summary(ranks: Ranks, k: int = 10) -> dict[str, float]:
    """HR, NDCG and MRR at k, by name."""
    return {
        f"HR@{k}": hit_rate(ranks, k),
        f"NDCG@{k}": ndcg(ranks, k),
        f"MRR@{k}": mrr(ranks, k),
    }


def values_by_name(ranks: Ranks, k: int = 10) -> dict[str, Values]:
    """What `summary` is the mean of, with precision and recall: each [Q], by name."""
    hit = hits(ranks, k)
    return {
        f"HR@{k}": hit,
        f"NDCG@{k}": gains(ranks, k),
        f"MRR@{k}": reciprocals(ranks, k),
        f"recall@{k}": hit,
        f"precision@{k}": hit / k,
    }
