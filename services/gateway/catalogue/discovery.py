"""What the gateway decides about finding: the person's say in the order, what to show when nothing
matches, and that answers to a search are noted down as shown."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from headrace.contracts.filters import Condition
from headrace.contracts.finding import FOUND_LENGTH, FindRequest
from headrace.contracts.items import NewItem
from headrace.errors import FailedPrecondition, NotFound, Unavailable
from services.gateway.answers import request_id
from services.gateway.lists import RANKER_UNAVAILABLE, ListedItem
from services.gateway.privacy.choices import Choices
from services.gateway.shown import Impressions, ShownList

log = logging.getLogger(__name__)

RANKED = FOUND_LENGTH
"""So many answers at most are put in a person's order."""
# Half words, half taste: an answer with half the best text score comes first only where the person
# wants it far more than the best one.
_TASTE = 0.5


@dataclass(frozen=True, slots=True)
class FoundItem:
    item: NewItem
    score: float


@dataclass(frozen=True, slots=True)
class FoundPage:
    """facets: as the catalogue's owner counts them, None where they were not asked for.

    query_vector: D numbers as little-endian float32 bytes, where nothing was found.
    model_version: which had a say in the order, or made the vector; empty: none.
    degraded: why the order is worse than it should be, if it is.
    """

    items: list[FoundItem]
    total: int
    next_cursor: str
    match: str
    corrected_query: str
    facets: Mapping[str, Any] | None
    query_vector: bytes = b""
    model_version: str = ""
    personal: bool = False
    degraded: str | None = None


class Taste(NamedTuple):
    """What a model thinks that a person likes: scores from 0 to 1 of those items that it knows;
    none where it knows nothing of the person."""

    model_version: str
    scores: Mapping[str, float]


class Finder(Protocol):
    """Who owns the catalogue. Every method raises InvalidInput and Unavailable."""

    async def find(self, request: FindRequest) -> FoundPage: ...

    async def categories(self, under: str) -> list[tuple[str, int]]: ...

    async def suggest(self, query: str, n: int) -> list[tuple[str, str]]: ...

    async def unanswered(self, n: int) -> list[tuple[str, int]]: ...

    async def read(self, item_ids: Sequence[str]) -> list[NewItem]:
        """Those visible now, in order."""


class Opinions(Protocol):
    """What the ranker thinks of items. Every method raises Unavailable."""

    async def taste(self, user_id: str, item_ids: Sequence[str]) -> Taste: ...

    async def nearest(
        self, vector: bytes, model_version: str, n: int, condition: Condition | None
    ) -> list[tuple[str, float]]:
        """Ids and cosines, nearest first. Raises: FailedPrecondition for another model."""


class Discovery:
    """Both doors call these methods with checked requests; access is checked before."""

    def __init__(
        self, finder: Finder, opinions: Opinions, choices: Choices, impressions: Impressions
    ) -> None:
        self._finder = finder
        self._opinions = opinions
        self._choices = choices
        self._impressions = impressions

    async def find(self, request: FindRequest, user_id: str | None = None) -> FoundPage:
        """A page of what is visible now. user_id: whose taste has a say, if they want it.

        What a search finds is noted down as shown; of who does not want personal lists, as to
        nobody. Browsing is not: it is the catalogue as it stands.

        Raises: InvalidInput, Unavailable.
        """
        if user_id is not None and self._choices.why_not(user_id) is not None:
            user_id = None
        if user_id is None:
            page = await self._finder.find(request)
        else:
            page = await self._personal(request, user_id)
        if page.match == "none":
            page = await self._nearest(request, page)
        if request.query and page.items:
            self._impressions.served(_shown(request, user_id, page))
        return page

    async def categories(self, under: str) -> list[tuple[str, int]]:
        """Paths and counts, parents first. Raises: InvalidInput, Unavailable."""
        return await self._finder.categories(under)

    async def suggest(self, query: str, n: int) -> list[tuple[str, str]]:
        """Ids and titles. Raises: InvalidInput, Unavailable."""
        return await self._finder.suggest(query, n)

    async def unanswered(self, n: int) -> list[tuple[str, int]]:
        """Queries and how often they were asked. Raises: Unavailable."""
        return await self._finder.unanswered(n)

    async def _personal(self, request: FindRequest, user_id: str) -> FoundPage:
        page = await self._finder.find(request.model_copy(update={"n": RANKED}))
        shown = replace(page, items=page.items[: request.n], next_cursor="")
        if not page.items:
            return shown
        try:
            taste = await self._opinions.taste(user_id, [one.item.item_id for one in page.items])
        except Unavailable as error:
            log.warning("a search is not personal: %s", error)
            return replace(shown, degraded=RANKER_UNAVAILABLE)
        if not taste.scores:
            return replace(shown, model_version=taste.model_version)
        items = blended(page.items, taste.scores)[: request.n]
        return replace(shown, items=items, model_version=taste.model_version, personal=True)

    async def _nearest(self, request: FindRequest, page: FoundPage) -> FoundPage:
        """What is nearest to the meaning of words that no item has."""
        if not page.query_vector:
            return page
        try:
            near = await self._opinions.nearest(
                page.query_vector, page.model_version, request.n, request.filter
            )
        except (Unavailable, FailedPrecondition, NotFound) as error:
            log.warning("no nearest items: %s", error)
            return page
        scores = dict(near)
        items = await self._finder.read(list(scores)) if scores else []
        if not items:
            return page
        found = [FoundItem(item, scores[item.item_id]) for item in items]
        return replace(page, items=found, total=len(found), match="nearest")


def _shown(request: FindRequest, user_id: str | None, page: FoundPage) -> ShownList:
    return ShownList(
        request_id(),
        user_id,
        "search",
        page.model_version,
        [ListedItem(one.item.item_id, one.score, "", (), "search") for one in page.items],
        page.personal,
        page.degraded,
        filter=request.filter,
    )


def blended(items: Sequence[FoundItem], taste: Mapping[str, float]) -> list[FoundItem]:
    """Best first: the text's share of the best text score, and taste's of the best taste, in equal
    parts. Of an item that the ranker does not know the words alone count.

    items: with text scores above 0, best first.
    """
    best_text = max(one.score for one in items) or 1.0
    best_taste = max(taste.values()) or 1.0
    mixed = [
        FoundItem(
            one.item,
            (1 - _TASTE) * one.score / best_text
            + _TASTE * taste.get(one.item.item_id, 0.0) / best_taste,
        )
        for one in items
    ]
    return sorted(mixed, key=lambda one: -one.score)
