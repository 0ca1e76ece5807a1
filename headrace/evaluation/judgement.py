"""Metrics of yes-or-no judgements: "will this be liked?"."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.evaluation.metrics import Values

# "Liked" is a rating of so much or more.
LIKED = 4.0


class Judged(NamedTuple):
    """Shares from 0 to 1; recall and precision are 0 where nothing could be found."""

    accuracy: float
    precision: float
    recall: float
    f1: float


def judged(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> Judged:
    """How often what was said is true. Shapes: both [Q]."""
    right = int((said & true).sum())
    precision = right / max(int(said.sum()), 1)
    recall = right / max(int(true.sum()), 1)
    both = precision + recall
    return Judged(
        accuracy=float(np.mean(said == true)),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / both if both else 0.0,
    )


def best_threshold(scores: NDArray[Any], true: NDArray[np.bool_]) -> float:
    """Saying yes from here on is right most often; +inf where no is always the best answer.

    Shapes: both [Q].
    """
    values, place = np.unique(scores, return_inverse=True)
    # From a value on: the true ones at or above it, and the false ones below it.
    yes = np.bincount(place[true], minlength=len(values))
    no = np.bincount(place[~true], minlength=len(values))
    right = np.append(np.cumsum(yes[::-1])[::-1], 0) + np.append(0, np.cumsum(no))
    return float(np.append(values, np.inf)[right.argmax()])


def auc(scores: NDArray[Any], true: NDArray[np.bool_]) -> float:
    """The chance that a true one scores above a false one, ties counting half; NaN without either.

    Mann and Whitney's U over the number of pairs. Shapes: both [Q].
    """
    yes, no = int(true.sum()), int((~true).sum())
    if not yes or not no:
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    return float((mean_rank[place][true].sum() - yes * (yes + 1) / 2) / (yes * no))


def auc_of_ranks(ranks: NDArray[np.int64], shown: NDArray[np.int64]) -> Values:
    """The share of the wrong items below each person's right one.

    Shapes: ranks [Q], shown [Q] (items that were ranked) -> [Q], 1 where nothing else was.
    """
    shares: Values = np.where(shown > 1, (shown - ranks) / np.maximum(shown - 1, 1), 1.0)
    return shares
