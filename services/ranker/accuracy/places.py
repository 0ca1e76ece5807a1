"""The place of an item in the list that a person would have got."""

from pyroaring import BitMap

from headrace.index.vector_index import ABSENT, VectorIndex
from services.ranker.accuracy.metrics import HIT_RATES_AT
from services.ranker.catalogue import Catalogue
from services.ranker.finders import GeneralFinder, Part
from services.ranker.scoring import Scorer
from services.ranker.trending import Trending
from services.ranker.users import UserVector

LENGTH = max(HIT_RATES_AT)


class Places:
    """Ranks as `ListMaker` does for a list without options, the whole catalogue competing.

    Not against a few items drawn at random: which of two models is better may then come out the
    other way (Krichene and Rendle 2020, https://doi.org/10.1145/3394486.3403226).
    """

    def __init__(
        self,
        catalogue: Catalogue,
        retrieval: VectorIndex,
        scorer: Scorer,
        trending: Trending,
        candidates: int,
    ) -> None:
        self.catalogue = catalogue
        self._retrieval = retrieval
        self._scorer = scorer
        self._trending = trending
        self._candidates = max(candidates, LENGTH)

    def shows(self, ordinal: int) -> bool:
        """Whether any list could hold the item."""
        return ordinal in self.catalogue.view.live

    def place(self, ordinal: int, person: UserVector | None) -> int | None:
        """From 1; None: not among the first `LENGTH`. person: None for somebody new."""
        allowed = self._allowed(person)
        if person is None or person.vector is None:
            general = GeneralFinder(self.catalogue, self._trending.within(None))
            found = general.find([Part(allowed, LENGTH)])
            return _place(found.ordinals[:LENGTH].tolist(), ordinal)
        if not allowed:
            return None
        query = self._scorer.query(person.vector)
        scores, ordinals = self._retrieval.search(
            query, min(self._candidates, len(allowed)), allowed
        )
        real = ordinals[0] != ABSENT
        best, _ = self._scorer.ordered(
            person.vector, person.recent, ordinals[0][real], scores[0][real]
        )
        return _place(best[:LENGTH].tolist(), ordinal)

    def _allowed(self, person: UserVector | None) -> BitMap:
        live = self.catalogue.view.live
        if person is None:
            return live
        named = map(self.catalogue.facets.in_category, person.unwanted_categories)
        return live - person.seen - BitMap.union(person.unwanted, *named)


def _place(ordinals: list[int], ordinal: int) -> int | None:
    return ordinals.index(ordinal) + 1 if ordinal in ordinals else None
