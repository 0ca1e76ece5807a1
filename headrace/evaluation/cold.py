"""Items that training never saw: does their content place them before those who will take them?

Recall@100 as the literature on cold items gives it (CTR, Wang and Blei 2011; DropoutNet, Volkovs
et al. 2017): people are known by their warm items alone, each is asked about all cold items that
they took, and the mean is over people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap
from sklearn.feature_extraction.text import TfidfVectorizer

from headrace.bundle import Bundle, ItemContent
from headrace.bundle.scoring import CANDIDATES
from headrace.bundle.vocabulary import words_of
from headrace.evaluation.evaluate import refuse_seen_test
from headrace.evaluation.intervals import Interval, interval
from headrace.evaluation.metrics import Values
from headrace.evaluation.served import Columns, ServedPipeline, recent_items
from headrace.training.log import EventLog
from headrace.training.preparation.splits import TEST
from headrace.training.split import Part, Split

K = 100
_PEOPLE = 256


@dataclass(frozen=True)
class ColdQuestions:
    """Q people with warm items and cold ones. `part` is where their warm history ends; `wanted`:
    the cold columns that each took. Shapes: cold [N] marks the catalogue's cold items, described
    [N] those of which anything is known."""

    part: Part
    histories: Sequence[Columns]
    wanted: Sequence[Columns]
    cold: NDArray[np.bool_]
    described: NDArray[np.bool_]


@dataclass(frozen=True)
class ColdFigures:
    """Recall@100 by what was ranked, `among cold items` and `whole catalogue`, and then by who
    ranked it. `described`: of wanted items of which anything is known."""

    people: int
    items: int
    described_items: int
    recall: Mapping[str, Mapping[str, Interval]]
    described: Mapping[str, Mapping[str, Interval]]


def cold_questions(log: EventLog, parts: Split) -> ColdQuestions:
    """What is asked where the test part holds cold items alone."""
    assert log.parts is not None
    held_out = log.parts == TEST
    cold = np.zeros(len(log.catalogue), dtype=np.bool_)
    cold[log.items[held_out]] = True
    ends = log.offsets[parts.test.users + 1]
    bounds = list(zip(parts.test.positions, ends, strict=True))
    return ColdQuestions(
        parts.test,
        parts.test.questions(log).histories,
        [np.unique(log.items[start:end]) for start, end in bounds],
        cold,
        np.array([_is_described(item) for item in log.catalogue]),
    )


def evaluate_cold(
    bundle: Bundle,
    log: EventLog,
    parts: Split,
    *,
    candidates: int = CANDIDATES,
    seed: int = 0,
) -> ColdFigures:
    """The served pipeline, retrieval order, and tf-idf profiles that nothing was trained for.

    Raises: FailedPrecondition if the bundle was trained on another split.
    """
    refuse_seen_test(bundle, parts)
    asked = cold_questions(log, parts)
    recall: dict[str, dict[str, Interval]] = {}
    described: dict[str, dict[str, Interval]] = {}
    for ranked, lists in _lists(bundle, log, asked, max(candidates, K)).items():
        of_all = {by: recalls(columns, asked.wanted) for by, columns in lists.items()}
        known = [columns[asked.described[columns]] for columns in asked.wanted]
        of_known = {by: recalls(columns, known) for by, columns in lists.items()}
        recall[ranked] = {by: interval(found, seed=seed) for by, found in of_all.items()}
        described[ranked] = {by: interval(found, seed=seed) for by, found in of_known.items()}
    items = int(asked.cold.sum())
    known_items = int((asked.cold & asked.described).sum())
    return ColdFigures(len(asked.wanted), items, known_items, recall, described)


def recalls(columns: Columns, wanted: Sequence[Columns]) -> Values:
    """The share of what each person wanted that their list holds, for those who wanted any.

    Shapes: columns [Q,K] (-1: the list is at its end).
    """
    each = [
        np.isin(of_person, row).mean()
        for row, of_person in zip(columns, wanted, strict=True)
        if len(of_person)
    ]
    return np.array(each, dtype=np.float64)


def _lists(
    bundle: Bundle, log: EventLog, asked: ColdQuestions, candidates: int
) -> Mapping[str, Mapping[str, Columns]]:
    """The first `K` columns by what is ranked and by whom: [Q,K]."""
    pipeline = ServedPipeline(bundle, log.catalogue)
    people, recent = pipeline.people(log, asked.part), recent_items(log, asked.part)
    everything, cold = BitMap(range(pipeline.items)), BitMap(np.flatnonzero(asked.cold).tolist())
    ranked: Mapping[str, Sequence[BitMap]] = {
        "among cold items": [cold] * len(people),
        "whole catalogue": [everything - BitMap(had.tolist()) for had in asked.histories],
    }
    profiles = _Profiles(log.catalogue)
    lists: dict[str, dict[str, Columns]] = {}
    for what, allowed in ranked.items():
        found = pipeline.retrieved_among(people, allowed, candidates)
        lists[what] = {
            "served": pipeline.ordered(people, found, recent).columns[:, :K],
            "retrieval": found.columns[:, :K],
            "tf-idf": profiles.best(asked.histories, allowed),
        }
    return lists


class _Profiles:
    """Cosine of tf-idf vectors: an item against the sum of all that a person had."""

    def __init__(self, catalogue: Sequence[ItemContent]) -> None:
        texts = [
            [*words_of(item), *map("category {}".format, item.categories)] for item in catalogue
        ]
        vectoriser = TfidfVectorizer(analyzer=list, sublinear_tf=True, dtype=np.float32)
        # A catalogue without a word has nothing to be compared by.
        self._items = vectoriser.fit_transform(texts if any(texts) else [["none"]] * len(texts))

    def best(self, histories: Sequence[Columns], allowed: Sequence[BitMap]) -> Columns:
        """Shapes: Q histories -> [Q,K]."""
        return np.concatenate(list(self._batches(histories, allowed)))

    def _batches(
        self, histories: Sequence[Columns], allowed: Sequence[BitMap]
    ) -> Iterator[Columns]:
        for start in range(0, len(histories), _PEOPLE):
            rows = slice(start, start + _PEOPLE)
            had = [np.asarray(self._items[columns].sum(axis=0)) for columns in histories[rows]]
            scores = np.concatenate(had) @ self._items.T  # [B,N]
            for row, own in enumerate(allowed[rows]):
                hidden = np.ones(scores.shape[1], dtype=np.bool_)
                hidden[np.array(own)] = False
                scores[row, hidden] = -np.inf
            k = min(K, scores.shape[1])
            best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
            yield np.where(np.isfinite(np.take_along_axis(scores, best, axis=1)), best, -1)


def _is_described(item: ItemContent) -> bool:
    seen = item.embedding is not None or item.picture is not None
    return bool(words_of(item) or item.categories or item.attributes or seen)
