"""What the ranker thinks of items that somebody else has found."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from pyroaring import BitMap

from headrace.contracts.filters import Condition
from headrace.errors import FailedPrecondition, Unavailable
from headrace.index.encoding import Vector
from headrace.index.vector_index import ABSENT, VectorIndex
from services.ranker.answers import RankedItem, Source
from services.ranker.catalogue import Catalogue, unit
from services.ranker.filters import Filters
from services.ranker.finders import Part, PersonalFinder
from services.ranker.people import People
from services.ranker.scoring import Scorer

T = TypeVar("T")


class Opinions:
    """Computation runs in `threads`, waiting on the event loop."""

    def __init__(
        self,
        *,
        model_version: str,
        catalogue: Catalogue,
        retrieval: VectorIndex,
        similar: VectorIndex,
        scorer: Scorer,
        people: People,
        threads: Executor,
        loaded: Callable[[], bool],
    ) -> None:
        """retrieval: [vector, bias]; similar: unit vectors. loaded: as in `Ranker`."""
        self.model_version = model_version
        self._catalogue = catalogue
        self._retrieval = retrieval
        self._similar = similar
        self._scorer = scorer
        self._filters = Filters(catalogue.facets)
        self._people = people
        self._threads = threads
        self._loaded = loaded

    async def scores(self, user_id: str, item_ids: Sequence[str]) -> dict[str, float]:
        """Chances, 0 to 1, of the items that are live; empty where nothing is known of the person.

        Raises: Unavailable.
        """
        self._check_loaded()
        user = await self._people.vector(user_id)
        if user.vector is None:
            return {}
        asked = BitMap(self._catalogue.ordinals(item_ids)) & self._catalogue.view.live
        if not asked:
            return {}
        finder = PersonalFinder(self._retrieval, self._scorer, user, user.vector)
        found = await self._compute(partial(finder.find, [Part(asked, len(asked))]))
        return {
            self._catalogue.item(ordinal).content.item_id: score
            for ordinal, score in zip(found.ordinals.tolist(), found.scores.tolist(), strict=True)
        }

    async def nearest(
        self, vector: Vector, model_version: str, n: int, condition: Condition | None
    ) -> list[RankedItem]:
        """By the cosine with `vector` [D], best first.

        Raises: Unavailable; FailedPrecondition where the vector is another model's.
        """
        self._check_loaded()
        if model_version != self.model_version:
            raise FailedPrecondition(
                f"the vector is of {model_version!r}, this ranker runs {self.model_version!r}"
            )
        return await self._compute(partial(self._nearest, vector, n, condition))

    def _nearest(self, vector: Vector, n: int, condition: Condition | None) -> list[RankedItem]:
        allowed: BitMap = self._catalogue.view.live
        if condition is not None:
            allowed = allowed & self._filters.matching(condition)
        if not allowed:
            return []
        found = self._similar.search(unit(vector[None]), min(n, len(allowed)), allowed)
        pairs = zip(found.ordinals[0].tolist(), found.scores[0].tolist(), strict=True)
        items = []
        for ordinal, score in pairs:
            if ordinal != ABSENT:
                item = self._catalogue.item(ordinal)
                items.append(
                    RankedItem(
                        item.content.item_id,
                        score,
                        item.content.title,
                        item.content.categories,
                        Source.SIMILAR,
                        picture_url=item.picture_url,
                    )
                )
        return items

    async def _compute(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _check_loaded(self) -> None:
        if not self._loaded():
            raise Unavailable("the catalogue is still being loaded; try again soon")
