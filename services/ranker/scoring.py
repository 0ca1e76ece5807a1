"""The neural head over the candidates of one person, in one batch."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.features import ItemFacts, candidate_features
from headrace.bundle.known import Counted
from headrace.index.encoding import Vector
from headrace.index.table import Ordinals
from services.ranker.catalogue import Catalogue, Facts

# Times an item's bias.
_ONE = np.ones(1, dtype=np.float32)


class Head(Protocol):
    """The ranking head of a model bundle."""

    @property
    def ranking(self) -> Literal["ncf", "retrieval"]:
        """`retrieval`: the head did no better than the order in which candidates were found."""

    def score(
        self,
        user: Vector,
        candidates: Vector,
        recent: Vector,
        recent_mask: Vector,
        features: Vector,
    ) -> tuple[Vector, Vector]:
        """user [B, D + T], candidates [B, K, D], recent [B, R, D], recent_mask [B, R], features
        [B, K, F] -> preference [B, K], a chance from 0 to 1, and expected rating [B, K]."""


class Counts(Protocol):
    """What training counted about items, by row of the model's table."""

    def counted(self, candidates: NDArray[np.int64], recent: NDArray[np.int64]) -> Counted:
        """Rows of candidates [B, K] and of recent items [B, R]; 0: unknown to training."""


class Scorer:
    """Orders candidates by what the head thinks of them."""

    def __init__(self, head: Head, catalogue: Catalogue, counts: Counts) -> None:
        self._head = head
        self._catalogue = catalogue
        self._counts = counts

    def query(self, vector: Vector) -> Vector:
        """What retrieval is asked with. vector: [D + T], a person's → [1, D + 1]."""
        return np.concatenate([vector[: self._catalogue.width], _ONE])[None]

    def ordered(
        self, user: Vector, recent: Ordinals, candidates: Ordinals, retrieval: Vector
    ) -> tuple[Ordinals, Vector]:
        """Best first, with their preferences.

        user [D + T]; recent [R]; candidates [K], best first, and their retrieval scores [K] ->
        ordinals [K], preferences [K]. Candidates with equal preferences keep their order.
        """
        return self.ordered_many(user[None], [recent], [candidates], [retrieval])[0]

    def ordered_many(
        self,
        users: Vector,
        recent: Sequence[Ordinals],
        candidates: Sequence[Ordinals],
        retrieval: Sequence[Vector],
    ) -> list[tuple[Ordinals, Vector]]:
        """As `ordered`, of B people in one run of the head: users [B, D + T], the others B arrays
        of any lengths."""
        asked, real = _filled(candidates)
        before, touched = _filled(recent)
        about, lately = self._catalogue.facts(asked), self._catalogue.facts(before)
        mask = (touched & lately.present).astype(np.float32)
        counted = self._counts.counted(
            np.where(real, about.rows, 0), np.where(touched, lately.rows, 0)
        )
        features = candidate_features(
            _levelled(retrieval, real),
            about.popularity,
            _facts(about),
            _facts(lately),
            mask,
            counted=counted,
        )
        preference, _ = self._head.score(users, about.vectors, lately.vectors, mask, features)
        return [
            self._in_order(own, scores[: len(own)])
            for own, scores in zip(candidates, preference, strict=True)
        ]

    def _in_order(self, candidates: Ordinals, scores: Vector) -> tuple[Ordinals, Vector]:
        order: NDArray[np.intp] = (
            np.arange(len(candidates))
            if self._head.ranking == "retrieval"
            else np.argsort(-scores, kind="stable")
        )
        return candidates[order], scores[order]


def _filled(rows: Sequence[Ordinals]) -> tuple[Ordinals, NDArray[np.bool_]]:
    """One below the other, filled up with 0: [B, longest], at least one wide as an axis of length 0
    has no maximum; and which are no filling."""
    lengths = np.array([len(row) for row in rows])
    real = np.arange(max(1, lengths.max(initial=0))) < lengths[:, None]
    filled = np.zeros(real.shape, dtype=np.int64)
    filled[real] = np.concatenate(rows)
    return filled, real


def _levelled(scores: Sequence[Vector], real: NDArray[np.bool_]) -> Vector:
    """[B, K], with the lowest of its list in places that are filled up: none is the best there."""
    levelled = np.zeros(real.shape, dtype=np.float32)
    for row, own in zip(levelled, scores, strict=True):
        row[: len(own)] = own
        row[len(own) :] = own.min(initial=np.inf) if len(own) else 0.0
    return levelled


def _facts(facts: Facts) -> ItemFacts:
    return ItemFacts(facts.vectors, facts.categories, facts.attributes)
