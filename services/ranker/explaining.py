"""Why an item is in a person's list, by computing the list again without its causes.

Terms are log-odds and add up to the log-odds of the item's score: what the item is worth to
anybody, what the person's history adds, and boosts. What one past item adds is the difference to
the same computation from a history without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from pyroaring import BitMap

from headrace.index.encoding import Vector
from headrace.index.vector_index import VectorIndex
from services.ranker.answers import Cause, Explanation, RankedItem
from services.ranker.catalogue import Catalogue
from services.ranker.finders import Part, PersonalFinder
from services.ranker.people import LeftOut
from services.ranker.scoring import Scorer
from services.ranker.users import UserVector

# Below, a cause says nothing: odds change by a hundredth.
_NOTHING = 0.01
_CAUSES = 5

LogOdds = Mapping[int, float]


class Explainer:
    """Explains items of lists that the head scored."""

    def __init__(self, catalogue: Catalogue, retrieval: VectorIndex, scorer: Scorer) -> None:
        self._catalogue = catalogue
        self._retrieval = retrieval
        self._scorer = scorer

    def explained(
        self, items: Sequence[RankedItem], candidates: BitMap, person: LeftOut
    ) -> list[RankedItem]:
        """candidates: among which the items were scored."""
        ordinals = self._catalogue.ordinals(item.item_id for item in items)
        among = candidates | BitMap(ordinals)
        user = person.user
        assert user.vector is not None
        whole = self._log_odds(user, user.vector, among)
        nobody = replace(user, recent=user.recent[:0])
        anybody = self._log_odds(nobody, np.zeros_like(user.vector), among)
        without = {
            cause: self._log_odds(_without(user, cause), vector, among)
            for cause, vector in person.without.items()
        }
        return [
            item._replace(explanation=self._explanation(item, n, whole, anybody, without))
            for item, n in zip(items, ordinals, strict=True)
        ]

    def _explanation(
        self,
        item: RankedItem,
        ordinal: int,
        whole: LogOdds,
        anybody: LogOdds,
        without: Mapping[int, LogOdds],
    ) -> Explanation:
        shown = _log_odds_of(item.score)
        added = {cause: whole[ordinal] - rest[ordinal] for cause, rest in without.items()}
        strongest = sorted(added, key=lambda cause: -added[cause])[:_CAUSES]
        return Explanation(
            anybody=anybody[ordinal],
            history=whole[ordinal] - anybody[ordinal],
            boosts=shown - whole[ordinal],
            because=tuple(
                Cause(content.item_id, content.title, added[cause])
                for cause in strongest
                if added[cause] > _NOTHING
                for content in [self._catalogue.item(cause).content]
            ),
        )

    def _log_odds(self, user: UserVector, vector: Vector, among: BitMap) -> LogOdds:
        finder = PersonalFinder(self._retrieval, self._scorer, user, vector)
        found = finder.find([Part(among, len(among))])
        log_odds = finder.log_odds(found.scores)
        return dict(zip(found.ordinals.tolist(), log_odds.tolist(), strict=True))


def _without(user: UserVector, ordinal: int) -> UserVector:
    return replace(user, recent=user.recent[user.recent != ordinal])


def _log_odds_of(chance: float) -> float:
    held = min(max(chance, 1e-6), 1 - 1e-6)
    return float(np.log(held / (1 - held)))
