"""Lists of many people at once: what the ranker does for one, on arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.batch.items import ItemArrays, Rows
from headrace.batch.people import People
from headrace.bundle import Bundle
from headrace.bundle.features import candidate_features
from headrace.index.encoding import Vector
from headrace.index.rows import as_array

# Bounds the scores of a block of people over the whole catalogue to 16 MB.
_RETRIEVAL_FLOATS = 4_000_000
# Bounds the head's inputs, and with them its activations, to a few MB: they stay in the cache.
_HEAD_FLOATS = 1_000_000


class Lists(NamedTuple):
    """Best first; a list that is shorter than n ends in rows of `len(items)` with -inf.

    Shapes: rows [U,n] of the catalogue, scores [U,n].
    """

    rows: Rows
    scores: Vector

    def only(self, people: slice) -> Lists:
        return Lists(self.rows[people], self.scores[people])


class ListMaker:
    """Nearest items that were not seen, ordered by the head."""

    def __init__(self, bundle: Bundle, items: ItemArrays, *, n: int, candidates: int) -> None:
        """candidates: how many the head scores; n where that is more."""
        self._bundle = bundle
        self._items = items
        self._n = n
        self._candidates = min(max(candidates, n), len(items.visible))
        rows = items.visible
        self._index = np.concatenate([items.vectors[rows], items.biases[rows, None]], axis=1)
        self._place_of = np.full(len(items) + 1, len(rows), dtype=np.int64)
        self._place_of[rows] = np.arange(len(rows))

    def make(self, people: People) -> Lists:
        lists = [self._block(people.only(rows)) for rows in self._blocks(len(people))]
        width = min(self._n, self._candidates)
        if not lists:
            return Lists(np.zeros((0, width), np.int64), np.zeros((0, width), np.float32))
        return Lists(
            np.concatenate([one.rows for one in lists]),
            np.concatenate([one.scores for one in lists]),
        )

    def _block(self, people: People) -> Lists:
        found = self._retrieved(people.vectors, people.seen)
        recent = self._items.rows(people.recent)
        scored = [
            self._ordered(people.vectors[rows], found.only(rows), recent[rows])
            for rows in self._head_blocks(len(people), recent.shape[1])
        ]
        return Lists(
            np.concatenate([one.rows for one in scored]),
            np.concatenate([one.scores for one in scored]),
        )

    def _retrieved(self, people: Vector, seen: Sequence[BitMap]) -> Lists:
        """Exact: one product, whatever each person has seen. [B,K], best first."""
        width = self._items.vectors.shape[1]
        ones = np.ones((len(people), 1), dtype=np.float32)
        queries = np.concatenate([people[:, :width], ones], axis=1)
        # One place more takes what was seen and cannot be shown anyhow.
        scores = np.empty((len(people), len(self._index) + 1), dtype=np.float32)
        np.matmul(queries, self._index.T, out=scores[:, :-1])
        for row, own in zip(scores, seen, strict=True):
            row[self._place_of[self._items.rows(as_array(own))]] = -np.inf
        scores = scores[:, :-1]
        k = self._candidates
        chosen = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
        if k < scores.shape[1]:
            chosen = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        own_scores = np.take_along_axis(scores, chosen, axis=1)
        order = np.argsort(-own_scores, axis=1, kind="stable")
        rows = self._items.visible[np.take_along_axis(chosen, order, axis=1)]
        own_scores = np.take_along_axis(own_scores, order, axis=1)
        return Lists(np.where(np.isneginf(own_scores), len(self._items), rows), own_scores)

    def _ordered(self, people: Vector, found: Lists, recent: Rows) -> Lists:
        """The best n by preference. Shapes: people [B,D+T], found [B,K], recent [B,R] -> [B,n]."""
        preference = self._preference(people, found, recent)
        if self._bundle.ranker.ranking == "retrieval":
            return Lists(found.rows[:, : self._n], preference[:, : self._n])
        order = np.argsort(-preference, axis=1, kind="stable")[:, : self._n]
        return Lists(
            np.take_along_axis(found.rows, order, axis=1),
            np.take_along_axis(preference, order, axis=1),
        )

    def _preference(self, people: Vector, found: Lists, recent: Rows) -> Vector:
        """A chance from 0 to 1, -inf where a list has no more: [B,K]."""
        items = self._items
        real = found.rows != len(items)
        mask = (recent != len(items)).astype(np.float32)
        about, lately = items.facts(found.rows), items.facts(recent)
        features = candidate_features(
            np.where(real, found.scores, 0.0 if not real.any() else found.scores[real].min()),
            items.popularity[found.rows],
            about,
            lately,
            mask,
            counted=self._bundle.known.counted(items.known[found.rows], items.known[recent]),
        )
        preference, _ = self._bundle.ranker.score(
            people, about.vectors, lately.vectors, mask, features
        )
        shown: Vector = np.where(real, preference, -np.inf).astype(np.float32)
        return shown

    def _blocks(self, people: int) -> Iterator[slice]:
        return _slices(people, _RETRIEVAL_FLOATS // len(self._index))

    def _head_blocks(self, people: int, recent: int) -> Iterator[slice]:
        most = max(self._candidates, recent)
        return _slices(people, _HEAD_FLOATS // (most * self._bundle.width))


def _slices(count: int, size: int) -> Iterator[slice]:
    size = max(1, size)
    return (slice(start, start + size) for start in range(0, count, size))


def lengths(lists: Lists) -> NDArray[np.int64]:
    """How many each list holds: [U]."""
    counts: NDArray[np.int64] = np.isfinite(lists.scores).sum(axis=1)
    return counts
