"""What the gateway decides about lists of many people."""

import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from headrace.contracts.segments import SegmentName
from services.gateway.batches.models import PEOPLE, BatchRequest, ShownBatchList
from services.gateway.impersonal import UnwantedByPeople, leaving_out
from services.gateway.lists import ListedItem, PersonList, RankedList
from services.gateway.models import RecommendationRequest
from services.gateway.privacy.choices import Choices
from services.gateway.ranker import Ranker
from services.gateway.shown import Impressions, ShownList
from services.gateway.tombstones import Tombstones


class Segments(Protocol):
    """Knows who is in a segment of the behaviour analysis."""

    async def members(self, segment: SegmentName) -> list[str]:
        """Their ids, in order. Raises: Unavailable."""


class Batches:
    """Lists of everybody who is asked for, each as the person gets it alone."""

    def __init__(
        self,
        *,
        ranker: Ranker,
        tombstones: Tombstones,
        choices: Choices,
        unwanted: UnwantedByPeople,
        segments: Segments,
        impressions: Impressions,
    ) -> None:
        self._ranker = ranker
        self._tombstones = tombstones
        self._choices = choices
        self._unwanted = unwanted
        self._segments = segments
        self._impressions = impressions

    async def make(
        self, request: BatchRequest, deadline_s: float
    ) -> AsyncGenerator[list[PersonList], None]:
        """Lists of many people, some at a time, made as they are taken. They are no impressions
        until they are reported: nobody has seen them.

        Raises: InvalidInput, DeadlineExceeded, Unavailable, perhaps after some lists.
        """
        until = time.monotonic() + deadline_s
        for piece in await self._pieces(request):
            left_s = until - time.monotonic()
            async with aclosing(self._ranker.batch(piece, left_s)) as made:
                async for lists in made:
                    chosen = await self._as_chosen(piece, lists)
                    yield [
                        replace(one, items=self._tombstones.without(one.items)) for one in chosen
                    ]

    def shown(self, lists: Sequence[ShownBatchList]) -> None:
        """Notes down lists that people see now: all or none. Of who does not want personal lists,
        as shown to nobody.

        Raises: Unavailable.
        """
        self._impressions.reported([self._seen(one) for one in lists])

    def _seen(self, one: ShownBatchList) -> ShownList:
        wanted = self._choices.why_not(one.user_id) is None
        return ShownList(
            one.request_id,
            one.user_id if wanted else None,
            one.kind,
            one.model_version,
            [
                ListedItem(item.item_id, item.score, "", (), item.source, item.propensity)
                for item in one.items
            ],
            one.personal,
        )

    async def _pieces(self, request: BatchRequest) -> Iterable[BatchRequest]:
        """A request for a segment as ones that name the people in it."""
        if request.segment is None:
            return [request]
        people = await self._segments.members(request.segment)
        return (
            request.model_copy(update={"segment": None, "user_ids": people[start : start + PEOPLE]})
            for start in range(0, len(people), PEOPLE)
        )

    async def _as_chosen(self, request: BatchRequest, lists: list[PersonList]) -> list[PersonList]:
        """Who does not want a personal list has the one that they get alone."""
        if all(self._choices.why_not(one.user_id) is None for one in lists):
            return lists
        anybody = await self._ranker.recommend(request.for_anybody())
        chosen = []
        for one in lists:
            if self._choices.why_not(one.user_id) is None:
                chosen.append(one)
                continue
            own = await self._without_refused(request.for_anybody(), anybody, one.user_id)
            chosen.append(replace(one, as_of=own.as_of, n_applied=0, items=own.items))
        return chosen

    async def _without_refused(
        self, request: RecommendationRequest, anybody: RankedList, user_id: str
    ) -> RankedList:
        """`anybody`, the list of `request`, as somebody gets it who refused something."""
        unwanted = await self._unwanted.of(user_id)
        if unwanted.removed_from(anybody.items) == anybody.items:
            return anybody
        ranked = await self._ranker.recommend(leaving_out(request, unwanted))
        return replace(ranked, items=unwanted.removed_from(ranked.items))
