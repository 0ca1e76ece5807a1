"""Making lists: retrieve, filter, score, fill. Pure computation, run in threads."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from pyroaring import BitMap

from headrace.errors import NotFound
from headrace.index.encoding import Vector
from headrace.index.vector_index import ABSENT, VectorIndex
from services.ranker.answers import RankedItem, Source
from services.ranker.catalogue import Catalogue, unit
from services.ranker.metrics import CANDIDATES, RECOMMEND_SECONDS
from services.ranker.query import RecommendQuery, SimilarQuery
from services.ranker.scoring import Scorer
from services.ranker.trending import Trending
from services.ranker.users import UserVector

_RETRIEVE = RECOMMEND_SECONDS.labels("retrieve")
_SCORE = RECOMMEND_SECONDS.labels("score")
_ONE = np.ones(1, dtype=np.float32)
# Items may be hidden while a list is made. Again is rare; then a list that is short is served.
_TRIES = 3


class ListMaker:
    """Lists for a person, for anybody, and of what is near an item."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        retrieval: VectorIndex,
        similar: VectorIndex,
        scorer: Scorer,
        trending: Trending,
        candidates: int,
    ) -> None:
        """candidates: how many the head scores; more where a longer list is asked for."""
        self._catalogue = catalogue
        self._retrieval = retrieval
        self._similar = similar
        self._scorer = scorer
        self._trending = trending
        self._candidates = candidates

    def personal(
        self, query: RecommendQuery, user: UserVector, vector: Vector
    ) -> Sequence[RankedItem]:
        """vector: [D], the person's or the visit's. Scores are the head's preferences."""
        return _full(
            query.n,
            partial(self._allowed, query, user.seen),
            partial(self._personal, query, user, vector),
        )

    def general(self, query: RecommendQuery, seen: BitMap) -> Sequence[RankedItem]:
        """What is trending, then what was chosen most in training, then what is left."""
        return _full(query.n, partial(self._allowed, query, seen), partial(self._general, query))

    def similar(self, query: SimilarQuery) -> Sequence[RankedItem]:
        """By the cosine of the vectors.

        Raises: NotFound where the item is unknown or hidden.
        """
        ordinal = self._catalogue.ordinal(query.item_id)
        if ordinal is None:
            raise NotFound(f"item {query.item_id} is not in the catalogue; is the id right?")
        own = BitMap([ordinal])
        return _full(
            query.n,
            lambda: self._catalogue.view.of(query.category) - own,
            partial(self._similar_to, ordinal, query.n),
        )

    def _personal(
        self, query: RecommendQuery, user: UserVector, vector: Vector, allowed: BitMap
    ) -> list[RankedItem]:
        began = time.perf_counter()
        wanted = min(max(self._candidates, query.n), len(allowed))
        CANDIDATES.observe(wanted)
        if not wanted:
            return []
        found = self._retrieval.search(np.concatenate([vector, _ONE])[None], wanted, allowed)
        real = found.ordinals[0] != ABSENT
        retrieved = time.perf_counter()
        _RETRIEVE.observe(retrieved - began)
        ordinals, scores = self._scorer.ordered(
            vector, user.recent, found.ordinals[0][real], found.scores[0][real]
        )
        _SCORE.observe(time.perf_counter() - retrieved)
        return self._shown(query.n, ordinals.tolist(), scores.tolist(), Source.RETRIEVAL)

    def _general(self, query: RecommendQuery, allowed: BitMap) -> list[RankedItem]:
        trend = self._trending.now
        trending = [
            (ordinal, score)
            for ordinal, score in zip(trend.ordinals.tolist(), trend.scores.tolist(), strict=True)
            if ordinal in allowed
        ][: query.n]
        # Scores only order: what is trending lies above 1, the rest below.
        items = self._shown(
            query.n,
            [ordinal for ordinal, _ in trending],
            [1.0 + score for _, score in trending],
            Source.TRENDING,
        )
        left = allowed - BitMap(ordinal for ordinal, _ in trending)
        if len(items) == query.n or not left:
            return items
        ordinals, popularity = self._catalogue.popular(left, query.n - len(items))
        scores = (popularity / (1.0 + popularity)).tolist()
        return [*items, *self._shown(query.n, ordinals.tolist(), scores, Source.POPULAR)]

    def _similar_to(self, ordinal: int, n: int, allowed: BitMap) -> list[RankedItem]:
        vector = self._catalogue.facts(np.array([ordinal])).vectors
        found = self._similar.search(unit(vector), n, allowed)
        return self._shown(n, found.ordinals[0].tolist(), found.scores[0].tolist(), Source.SIMILAR)

    def _allowed(self, query: RecommendQuery, seen: BitMap) -> BitMap:
        excluded = self._catalogue.ordinals((*query.exclude, *query.session))
        return self._catalogue.view.of(query.category) - seen - BitMap(excluded)

    def _shown(
        self, n: int, ordinals: Iterable[int], scores: Iterable[float], source: Source
    ) -> list[RankedItem]:
        """The first n that are live by now, as they are shown."""
        live = self._catalogue.view.live
        items: list[RankedItem] = []
        for ordinal, score in zip(ordinals, scores, strict=True):
            if len(items) == n:
                break
            if ordinal != ABSENT and ordinal in live:
                content = self._catalogue.item(ordinal).content
                items.append(
                    RankedItem(content.item_id, score, content.title, content.categories, source)
                )
        return items


def _full(
    n: int, allowed: Callable[[], BitMap], make: Callable[[BitMap], list[RankedItem]]
) -> list[RankedItem]:
    """A list of n, or of all that are allowed: made again where an item was hidden meanwhile."""
    items: list[RankedItem] = []
    for _ in range(_TRIES):
        among = allowed()
        items = make(among)
        if len(items) >= min(n, len(among)):
            break
    return items
