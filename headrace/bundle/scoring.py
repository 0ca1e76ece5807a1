"""The ranking head over the candidates of many people, from arrays of a whole catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.bundle import Bundle
from headrace.bundle.content import ItemContent
from headrace.bundle.features import ItemFacts, candidate_features
from headrace.index.vector_index import ABSENT

Array = NDArray[np.float32]
Rows = NDArray[np.int64]

CANDIDATES = 300
"""How many of a list's candidates the head scores, unless told otherwise."""

# Bounds the head's inputs, and with them its activations, to a few MB: they stay in the cache.
_HEAD_FLOATS = 1_000_000


@dataclass(frozen=True)
class CatalogueArrays:
    """What the head reads of N items.

    Shapes: facts [N,..], popularity [N] (log(1 + count)), known [N] (rows of the model's table).
    """

    facts: ItemFacts
    popularity: Array
    known: Rows

    @classmethod
    def of(cls, bundle: Bundle, items: Sequence[ItemContent], vectors: Array) -> CatalogueArrays:
        """Shapes: vectors [N,D], in the order of the items."""
        encoder = bundle.items
        popularity = [encoder.popularity(item.item_id) for item in items]
        return cls(
            ItemFacts(vectors, encoder.categories(items), encoder.attributes(items)),
            np.array(popularity, dtype=np.float32),
            bundle.known.rows([item.item_id for item in items]),
        )

    def about(self, rows: Rows) -> ItemFacts:
        """Shapes: rows [B,K] -> [B,K,..]."""
        vectors, categories, attributes = self.facts
        return ItemFacts(
            vectors.take(rows, axis=0), categories.take(rows, axis=0), attributes.take(rows, axis=0)
        )


class CatalogueScorer:
    """Scores rows of one catalogue; `ABSENT` fills lists and histories that are shorter."""

    def __init__(self, bundle: Bundle, catalogue: CatalogueArrays) -> None:
        self._bundle = bundle
        self._catalogue = catalogue

    def score(self, people: Array, rows: Rows, scores: Array, recent: Rows) -> tuple[Array, Array]:
        """Preference and rating, the preference -inf where a list has no more.

        Shapes: people [Q,D+T], candidates' rows [Q,K] and retrieval scores [Q,K], rows of recent
        items [Q,R], oldest first -> preference [Q,K], rating [Q,K].
        """
        preference = np.empty(rows.shape, dtype=np.float32)
        rating = np.empty(rows.shape, dtype=np.float32)
        most = max(rows.shape[1], recent.shape[1])
        size = max(1, _HEAD_FLOATS // (most * self._bundle.width))
        for start in range(0, len(rows), size):
            some = slice(start, start + size)
            preference[some], rating[some] = self._block(
                people[some], rows[some], scores[some], recent[some]
            )
        return preference, rating

    def _block(self, people: Array, rows: Rows, scores: Array, recent: Rows) -> tuple[Array, Array]:
        catalogue = self._catalogue
        real = rows != ABSENT
        lowest = scores.min(axis=1, keepdims=True, where=real, initial=np.inf)
        mask = (recent != ABSENT).astype(np.float32)
        about, lately = catalogue.about(rows), catalogue.about(recent)
        features = candidate_features(
            # A filled place must not be the best of its list.
            np.where(real, scores, np.where(np.isfinite(lowest), lowest, 0.0)),
            catalogue.popularity[rows],
            about,
            lately,
            mask,
            counted=self._bundle.known.counted(self._known(rows), self._known(recent)),
        )
        preference, rating = self._bundle.ranker.score(
            people, about.vectors, lately.vectors, mask, features
        )
        return np.where(real, preference, -np.inf), rating

    def _known(self, rows: Rows) -> Rows:
        known: Rows = np.where(rows == ABSENT, 0, self._catalogue.known[rows])
        return known
