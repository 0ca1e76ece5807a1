"""Next item, leave-one-out: the whole catalogue is ranked, without what a person already had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headrace.evaluation.metrics import Ranks, ranks_of

_BATCH = 512


@dataclass(frozen=True)
class Questions:
    """For each of Q people, what they had and what they took next.

    `histories[q]` are item columns, `targets` [Q] is an item column.
    """

    histories: Sequence[NDArray[np.int64]]
    targets: NDArray[np.int64]


class Scorer(Protocol):
    """Anything that can score the catalogue for the people of a set of questions."""

    def scores(self, questions: slice) -> NDArray[np.float32]:
        """Scores of all N items for these questions: [B,N]."""
        ...


def rank_targets(scorer: Scorer, questions: Questions) -> Ranks:
    """The rank of each target among the items that its person did not have: [Q].

    A target that the person had before stays in.
    """
    ranks = [
        ranks_of(scores, questions.targets[part])
        for part, scores in unseen_scores(scorer, questions)
    ]
    return np.concatenate(ranks) if ranks else np.zeros(0, dtype=np.int64)


def unseen_scores(
    scorer: Scorer, questions: Questions
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Scores in batches, -inf where the person had the item and it is not the target: [B,N]."""
    for start in range(0, len(questions.targets), _BATCH):
        part = slice(start, min(start + _BATCH, len(questions.targets)))
        scores = scorer.scores(part).copy()
        own = np.take_along_axis(scores, questions.targets[part, None], axis=1)
        for row, history in enumerate(questions.histories[part]):
            scores[row, history] = -np.inf
        np.put_along_axis(scores, questions.targets[part, None], own, axis=1)
        yield part, scores
