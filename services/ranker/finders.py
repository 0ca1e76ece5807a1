"""What finds the candidates of a list, and on which scale their scores lie."""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.index.encoding import Vector
from headrace.index.rows import as_bitmap
from headrace.index.table import Ordinals
from headrace.index.vector_index import ABSENT, VectorIndex
from headrace.store.trend import Trend
from services.ranker.answers import Source
from services.ranker.catalogue import Catalogue
from services.ranker.metrics import CANDIDATES, RECOMMEND_SECONDS
from services.ranker.neighbours import Near
from services.ranker.scoring import Scorer
from services.ranker.trace import Trace
from services.ranker.users import UserVector

_RETRIEVE = RECOMMEND_SECONDS.labels("retrieve")
_SCORE = RECOMMEND_SECONDS.labels("score")
# Odds of 10^-6 and 10^6: so far from each other, a boost still moves what is certain.
_FARTHEST = 13.8
# A trending score lies above 1: pressed below 1 as s / (1 + s), above this.
_TRENDING_ABOVE = 0.5


class Part(NamedTuple):
    """Where to look, and how many to find there."""

    among: BitMap
    k: int


class Candidates(NamedTuple):
    """Best first: ordinals [K], scores [K] as callers see them, and what found each."""

    ordinals: Ordinals
    scores: Vector
    sources: Sequence[Source]


class Finder(Protocol):
    """Finds candidates of one kind of list."""

    def find(self, parts: Sequence[Part]) -> Candidates:
        """Those of all parts together, each once."""

    def log_odds(self, scores: Vector) -> Vector:
        """Where boosts add up: a boost by f adds ln f."""

    def scores(self, log_odds: Vector) -> Vector:
        """The way back."""


class PersonalFinder:
    """The nearest to a vector, ordered by the head. Scores are chances."""

    def __init__(
        self,
        retrieval: VectorIndex,
        scorer: Scorer,
        user: UserVector,
        vector: Vector,
        trace: Trace | None = None,
    ) -> None:
        """vector: [D + T], the person's or the visit's; retrieval is asked with its first D."""
        self._trace = trace
        self._retrieval = retrieval
        self._scorer = scorer
        self._recent = user.recent
        self._vector = vector
        self._query = scorer.query(vector)

    def find(self, parts: Sequence[Part]) -> Candidates:
        began = time.perf_counter()
        ordinals, scores = _searched(self._retrieval, self._query, parts)
        retrieved = time.perf_counter()
        _RETRIEVE.observe(retrieved - began)
        CANDIDATES.observe(len(ordinals))
        if self._trace is not None:
            self._trace.retrieves(ordinals, scores)
        if len(ordinals):
            ordinals, scores = self._scorer.ordered(self._vector, self._recent, ordinals, scores)
            _SCORE.observe(time.perf_counter() - retrieved)
        return Candidates(ordinals, scores, [Source.RETRIEVAL] * len(ordinals))

    def log_odds(self, scores: Vector) -> Vector:
        return _chance_to_odds(scores)

    def scores(self, log_odds: Vector) -> Vector:
        return _odds_to_chance(log_odds)


def find_many(
    retrieval: VectorIndex,
    scorer: Scorer,
    users: Sequence[UserVector],
    among: Sequence[BitMap],
    k: int,
) -> list[Candidates]:
    """As `PersonalFinder` finds them, of people with vectors, k each; one run of the head."""
    if not users:
        return []
    vectors = np.stack([user.vector for user in users if user.vector is not None])
    found = [
        _searched(retrieval, scorer.query(vector), [Part(allowed, k)])
        for vector, allowed in zip(vectors, among, strict=True)
    ]
    ordered = scorer.ordered_many(
        vectors,
        [user.recent for user in users],
        [ordinals for ordinals, _ in found],
        [scores for _, scores in found],
    )
    return [
        Candidates(ordinals, scores, [Source.RETRIEVAL] * len(ordinals))
        for ordinals, scores in ordered
    ]


class GeneralFinder:
    """What is trending, then what was chosen most in training. Scores only order: those of what is
    trending lie above 1, the others below."""

    def __init__(self, catalogue: Catalogue, trend: Trend) -> None:
        self._catalogue = catalogue
        self._trend = trend

    def find(self, parts: Sequence[Part]) -> Candidates:
        found = [self._found(*part) for part in parts if part.among]
        ordinals, scores = _union(found)
        sources = [Source.TRENDING if score > 1 else Source.POPULAR for score in scores.tolist()]
        return Candidates(ordinals, scores, sources)

    def log_odds(self, scores: Vector) -> Vector:
        return _to_log(scores)

    def scores(self, log_odds: Vector) -> Vector:
        return _from_log(log_odds)

    def _found(self, among: BitMap, k: int) -> tuple[Ordinals, Vector]:
        allowed = np.fromiter(
            (ordinal in among for ordinal in self._trend.ordinals.tolist()), dtype=np.bool_
        )
        ordinals = self._trend.ordinals[allowed][:k]
        scores = 1.0 + self._trend.scores[allowed][:k]
        left = among - BitMap(ordinals.tolist())
        if len(ordinals) == k or not left:
            return ordinals, scores
        popular, popularity = self._catalogue.popular(left, k - len(ordinals))
        return (
            np.concatenate([ordinals, popular]),
            np.concatenate([scores, popularity / (1.0 + popularity)]),
        )


class NewFinder:
    """The newest items; for a person in the order of the head, with its chances as scores. For
    nobody, newest first, with scores that only order."""

    def __init__(self, catalogue: Catalogue, personal: PersonalFinder | None) -> None:
        self._catalogue = catalogue
        self._personal = personal

    def find(self, parts: Sequence[Part]) -> Candidates:
        newest = [self._catalogue.newest(among, k) for among, k in parts if among and k]
        if self._personal is not None:
            found = self._personal.find([Part(as_bitmap(one), len(one)) for one in newest])
            return found._replace(sources=[Source.NEW] * len(found.ordinals))
        ordinals, scores = _union([(one, _falling(len(one))) for one in newest])
        return Candidates(ordinals, scores, [Source.NEW] * len(ordinals))

    def log_odds(self, scores: Vector) -> Vector:
        return _chance_to_odds(scores) if self._personal is not None else _to_log(scores)

    def scores(self, log_odds: Vector) -> Vector:
        return _odds_to_chance(log_odds) if self._personal is not None else _from_log(log_odds)


class PeopleFinder:
    """What people with near vectors touched last, then what is trending or popular.

    Scores only order: 1 and the share of the people, weighed by their cosine, who touched the item;
    others lie below 1.
    """

    def __init__(self, people: Sequence[Near], general: GeneralFinder) -> None:
        self._general = general
        weights: defaultdict[int, float] = defaultdict(float)
        for person, cosine in people:
            for ordinal in set(person.recent.tolist()):
                weights[ordinal] += max(cosine, 0.0)
        total = sum(max(cosine, 0.0) for _, cosine in people)
        heaviest = sorted(weights.items(), key=lambda one: -one[1])
        self._shares = {ordinal: weight / total for ordinal, weight in heaviest if weight > 0}

    def find(self, parts: Sequence[Part]) -> Candidates:
        ordinals, scores = _union([self._found(*part) for part in parts if part.among and part.k])
        sources = map(self._source, ordinals.tolist(), scores.tolist())
        return Candidates(ordinals, scores, list(sources))

    def log_odds(self, scores: Vector) -> Vector:
        return _to_log(scores)

    def scores(self, log_odds: Vector) -> Vector:
        return _from_log(log_odds)

    def _found(self, among: BitMap, k: int) -> tuple[Ordinals, Vector]:
        touched = [(n, 1 + share) for n, share in self._shares.items() if n in among][:k]
        ordinals = np.array([n for n, _ in touched], dtype=np.int64)
        scores = np.array([score for _, score in touched], dtype=np.float32)
        left = among - BitMap(ordinals.tolist())
        if len(ordinals) == k or not left:
            return ordinals, scores
        rest = self._general.find([Part(left, k - len(ordinals))])
        below = rest.scores / (1 + rest.scores)
        return np.concatenate([ordinals, rest.ordinals]), np.concatenate([scores, below])

    def _source(self, ordinal: int, score: float) -> Source:
        if ordinal in self._shares:
            return Source.PEOPLE
        return Source.TRENDING if score > _TRENDING_ABOVE else Source.POPULAR


class SimilarFinder:
    """The nearest to a direction. Scores are cosines; (1 + c) / (1 - c) counts as odds."""

    def __init__(self, similar: VectorIndex, direction: Vector) -> None:
        """direction: [D], of length 1."""
        self._similar = similar
        self._query = direction[None]

    def find(self, parts: Sequence[Part]) -> Candidates:
        ordinals, scores = _searched(self._similar, self._query, parts)
        return Candidates(ordinals, scores, [Source.SIMILAR] * len(ordinals))

    def log_odds(self, scores: Vector) -> Vector:
        cosine = np.clip(scores.astype(np.float64), -1 + 1e-6, 1 - 1e-6)
        return (2 * np.arctanh(cosine)).astype(np.float32)

    def scores(self, log_odds: Vector) -> Vector:
        return np.tanh(log_odds / 2).astype(np.float32)


def _chance_to_odds(chances: Vector) -> Vector:
    chance = np.clip(chances.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.log(chance / (1 - chance)).astype(np.float32)


def _odds_to_chance(log_odds: Vector) -> Vector:
    return (1 / (1 + np.exp(-log_odds))).astype(np.float32)


def _to_log(scores: Vector) -> Vector:
    return np.log(np.maximum(scores, np.exp(-_FARTHEST))).astype(np.float32)


def _from_log(log_odds: Vector) -> Vector:
    return np.exp(log_odds).astype(np.float32)


def _falling(count: int) -> Vector:
    """1, 1/2, 1/3, …: [count]."""
    return (1 / np.arange(1, count + 1)).astype(np.float32)


def _searched(index: VectorIndex, query: Vector, parts: Sequence[Part]) -> tuple[Ordinals, Vector]:
    found = []
    for among, k in parts:
        wanted = min(k, len(among))
        if wanted:
            scores, ordinals = index.search(query, wanted, among)
            real = ordinals[0] != ABSENT
            found.append((ordinals[0][real], scores[0][real]))
    return _union(found)


def _union(found: Sequence[tuple[Ordinals, Vector]]) -> tuple[Ordinals, Vector]:
    """Best first, each once."""
    if len(found) == 1:
        return found[0]
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    ordinals, first = np.unique(np.concatenate([one for one, _ in found]), return_index=True)
    scores = np.concatenate([scores for _, scores in found])[first]
    order: NDArray[np.intp] = np.argsort(-scores, kind="stable")
    return ordinals[order], scores[order]
