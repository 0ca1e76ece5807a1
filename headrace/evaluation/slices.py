"""Who and what a figure is about: means over everybody hide the new and the rare."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from headrace.evaluation.protocol import Questions

_SHARE_OF_PEOPLE = 0.2
_SHARE_OF_EVENTS = 0.5


def slices(questions: Questions, counts: NDArray[np.int64]) -> Mapping[str, NDArray[np.bool_]]:
    """Marks of the questions in each slice, by name: [Q].

    New and heavy users are the fifths with the shortest and the longest histories (more where
    lengths are equal). Popular items are the most chosen ones that have half of all training
    events together; cold items have none; the long tail is what is left. Shapes: counts [N], an
    item's events in training.
    """
    lengths = np.array([len(history) for history in questions.histories])
    popular = _popular(counts)[questions.targets]
    cold = counts[questions.targets] == 0
    shortest, longest = _bounds(lengths)
    return {
        "new users": lengths <= shortest,
        "heavy users": lengths >= longest,
        "popular items": popular,
        "long tail": ~popular & ~cold,
        "cold items": cold,
    }


def _bounds(lengths: NDArray[np.int64]) -> tuple[int, int]:
    """The longest of the short histories and the shortest of the long ones. Shapes: [Q]."""
    if not len(lengths):
        return 0, 0
    short = np.quantile(lengths, _SHARE_OF_PEOPLE, method="lower")
    long = np.quantile(lengths, 1 - _SHARE_OF_PEOPLE, method="higher")
    return int(short), int(long)


def _popular(counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The fewest items that have half of the events: [N]."""
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    popular = np.zeros(len(counts), dtype=np.bool_)
    popular[order] = (before < _SHARE_OF_EVENTS * counts.sum()) & (counts[order] > 0)
    return popular
