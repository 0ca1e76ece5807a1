"""The target against a few items drawn at random: only for comparing with tables made that way.

He et al. 2017 rank 99 items that a person never touched and the target. Which of two models is
better may come out the other way than on the whole catalogue (Krichene and Rendle 2020).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DataInvalid
from headrace.evaluation.intervals import Interval, interval
from headrace.evaluation.losses import Asked
from headrace.evaluation.metrics import Ranks, values_by_name
from headrace.evaluation.served import ServedLists, ServedPipeline
from headrace.training.log import EventLog
from headrace.training.split import Part

Drawn = NDArray[np.int64]
_K = 10
_PEOPLE = 512


def drawn_items(log: EventLog, part: Part, count: int, seed: int) -> Drawn:
    """Different items for each question, none of which its person ever touched: [Q,count].

    Raises:
        DataInvalid: somebody has touched too many.
    """
    random = np.random.default_rng((seed, count))
    drawn = np.empty((len(part.users), count), dtype=np.int64)
    for row, user in enumerate(part.users):
        untouched = np.ones(len(log.catalogue), dtype=np.bool_)
        untouched[log.history(log.offsets[user], log.offsets[user + 1])] = False
        others = np.flatnonzero(untouched)
        if len(others) < count:
            raise DataInvalid(
                f"user {log.user_ids[user]} has not touched {len(others)} of {len(untouched)} "
                f"items; {count} cannot be drawn from them"
            )
        drawn[row] = random.choice(others, count, replace=False)
    return drawn


def ranks_among(scores: NDArray[np.float32], targets: NDArray[np.int64], drawn: Drawn) -> Ranks:
    """Of each target among the items drawn; ties count against the model.

    Shapes: scores [B,N], targets [B], drawn [B,M] -> [B], from 1 to M+1.
    """
    own = np.take_along_axis(scores, targets[:, None], axis=1)
    ranks: Ranks = 1 + (np.take_along_axis(scores, drawn, axis=1) >= own).sum(axis=1)
    return ranks


def served_ranks_among(pipeline: ServedPipeline, asked: Asked, drawn: Drawn) -> tuple[Ranks, Ranks]:
    """The same of a bundle: by inner product, and as the head orders just these items.

    Shapes: drawn [Q,M] -> both [Q].
    """
    columns = np.concatenate([asked.questions.targets[:, None], drawn], axis=1)
    scores = np.empty(columns.shape, dtype=np.float32)
    for start in range(0, len(columns), _PEOPLE):
        some = slice(start, start + _PEOPLE)
        vectors = pipeline.vectors[columns[some]]
        products = np.einsum("qd,qmd->qm", pipeline.queries(asked.people[some]), vectors)
        scores[some] = products + pipeline.biases[columns[some]]
    found = ServedLists(columns, scores)
    shown = pipeline.ordered(asked.people, found, asked.recent)
    return found.ranks(asked.questions.targets), shown.ranks(asked.questions.targets)


def figures(ranks: Ranks, *, seed: int = 0) -> Mapping[str, Interval]:
    """HR@10 and NDCG@10."""
    values = values_by_name(ranks, _K)
    return {name: interval(values[name], seed=seed) for name in (f"HR@{_K}", f"NDCG@{_K}")}
