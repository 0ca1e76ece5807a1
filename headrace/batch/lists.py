"""Lists of many people at once: what the ranker does for one, on arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.api.ranker.v1.ranker_pb2 import SOURCE_RETRIEVAL
from headrace.batch.items import ItemArrays, Rows
from headrace.batch.people import People
from headrace.bundle import Bundle
from headrace.bundle.scoring import CatalogueScorer
from headrace.index.encoding import Vector
from headrace.index.rows import as_array
from headrace.index.vector_index import ABSENT

# Bounds the scores of a block of people over the whole catalogue to 16 MB.
_RETRIEVAL_FLOATS = 4_000_000


class Lists(NamedTuple):
    """Best first; a list that is shorter than n ends in `ABSENT` with -inf.

    Shapes: rows [U,n] of the catalogue, scores [U,n], sources [U,n] (numbers of
    headrace.api.ranker.v1.Source).
    """

    rows: Rows
    scores: Vector
    sources: NDArray[np.uint8]


class ListMaker:
    """Nearest items that were not seen, ordered by the head."""

    def __init__(self, bundle: Bundle, items: ItemArrays, *, n: int, candidates: int) -> None:
        """candidates: how many the head scores; n where that is more."""
        self._ranking = bundle.ranker.ranking
        self._scorer = CatalogueScorer(bundle, items.facts)
        self._items = items
        self._n = n
        self._candidates = min(max(candidates, n), len(items.visible))
        rows = items.visible
        self._index = np.concatenate([items.vectors[rows], items.biases[rows, None]], axis=1)
        # The last place of all is that of `ABSENT`.
        self._place_of = np.full(len(items) + 1, len(rows), dtype=np.int64)
        self._place_of[rows] = np.arange(len(rows))

    def make(self, people: People) -> Lists:
        """Of people with n > 0."""
        shape = (len(people), min(self._n, self._candidates))
        lists = Lists(
            np.empty(shape, np.int64),
            np.empty(shape, np.float32),
            np.full(shape, SOURCE_RETRIEVAL, np.uint8),
        )
        for some in self._blocks(len(people)):
            lists.rows[some], lists.scores[some] = self._block(people.only(some))
        return lists

    def _block(self, people: People) -> tuple[Rows, Vector]:
        """The best n by preference."""
        rows, found = self._retrieved(people.vectors, people.seen)
        recent = self._items.rows(people.recent)
        preference, _ = self._scorer.score(people.vectors, rows, found, recent)
        if self._ranking == "retrieval":
            return rows[:, : self._n], preference[:, : self._n]
        order = np.argsort(-preference, axis=1, kind="stable")[:, : self._n]
        return (
            np.take_along_axis(rows, order, axis=1),
            np.take_along_axis(preference, order, axis=1),
        )

    def _retrieved(self, people: Vector, seen: Sequence[BitMap]) -> tuple[Rows, Vector]:
        """Exact: one product, whatever each person has seen. [B,K], best first."""
        width = self._items.vectors.shape[1]
        ones = np.ones((len(people), 1), dtype=np.float32)
        queries = np.concatenate([people[:, :width], ones], axis=1)
        # One place more takes what was seen and cannot be shown anyhow.
        scores = np.empty((len(people), len(self._index) + 1), dtype=np.float32)
        np.matmul(queries, self._index.T, out=scores[:, :-1])
        owners = np.repeat(np.arange(len(people)), [len(own) for own in seen])
        ordinals = np.concatenate([as_array(own) for own in seen])
        scores[owners, self._place_of[self._items.rows(ordinals)]] = -np.inf
        scores = scores[:, :-1]
        k = self._candidates
        chosen = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
        if k < scores.shape[1]:
            chosen = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        own_scores = np.take_along_axis(scores, chosen, axis=1)
        order = np.argsort(-own_scores, axis=1)
        rows = self._items.visible[np.take_along_axis(chosen, order, axis=1)]
        own_scores = np.take_along_axis(own_scores, order, axis=1)
        return np.where(np.isneginf(own_scores), ABSENT, rows), own_scores

    def _blocks(self, people: int) -> Iterator[slice]:
        size = max(1, _RETRIEVAL_FLOATS // len(self._index))
        return (slice(start, start + size) for start in range(0, people, size))


def lengths(lists: Lists) -> NDArray[np.int64]:
    """How many each list holds: [U]."""
    counts: NDArray[np.int64] = np.isfinite(lists.scores).sum(axis=1)
    return counts
