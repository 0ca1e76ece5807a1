"""The neural head over the candidates of one person, in one batch."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from headrace.bundle.features import ItemFacts, candidate_features
from headrace.bundle.known import Counted
from headrace.index.encoding import Vector
from headrace.index.table import Ordinals
from services.ranker.catalogue import Catalogue, Facts

_NOTHING_RECENT = np.zeros(1, dtype=np.int64)
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
        about = self._catalogue.facts(candidates)
        # An axis of length 0 has no maximum; a masked place says the same as none.
        lately = self._catalogue.facts(recent if len(recent) else _NOTHING_RECENT)
        mask = lately.present[None].astype(np.float32) * (len(recent) > 0)
        counted = self._counts.counted(about.rows[None], lately.rows[None])
        features = candidate_features(
            retrieval[None],
            about.popularity[None],
            _facts(about),
            _facts(lately),
            mask,
            counted=counted,
        )
        preference, _ = self._head.score(
            user[None], about.vectors[None], lately.vectors[None], mask, features
        )
        scores = preference[0]
        order: NDArray[np.intp] = (
            np.arange(len(candidates))
            if self._head.ranking == "retrieval"
            else np.argsort(-scores, kind="stable")
        )
        return candidates[order], scores[order]


def _facts(facts: Facts) -> ItemFacts:
    return ItemFacts(facts.vectors[None], facts.categories[None], facts.attributes[None])
