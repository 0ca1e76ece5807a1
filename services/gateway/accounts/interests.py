"""What people said they like, or their age band does, for their first lists."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Protocol

from headrace.errors import DeadlineExceeded, Unavailable
from headrace.runtime.circuit import Circuit
from services.gateway.accounts.account_store import AccountStore
from services.gateway.lists import ListedItem, RankedList
from services.gateway.models import RecommendationRequest

ACCOUNT_PREFIX = "u_"
"""Begins the id of everybody with an account: nobody else's interests are looked up."""

_REMEMBERED = 10_000
_FRESH_S = 2.0
_DEADLINE_S = 0.1


class Interests(Protocol):
    """Who likes which categories."""

    async def of(self, user_id: str) -> tuple[str, ...]:
        """Empty where nothing is known, or cannot be found out now."""


class StoredInterests:
    """From the accounts; remembered for two seconds. clock: seconds, monotonic."""

    def __init__(self, accounts: AccountStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._accounts = accounts
        self._clock = clock
        self._circuit = Circuit("accounts")
        self._known: OrderedDict[str, tuple[float, tuple[str, ...]]] = OrderedDict()

    async def of(self, user_id: str) -> tuple[str, ...]:
        if not user_id.startswith(ACCOUNT_PREFIX):
            return ()
        now = self._clock()
        known = self._known.get(user_id)
        if known is not None and known[0] > now:
            return known[1]
        try:
            found = await self._circuit.run(lambda: self._read(user_id))
        except Unavailable:
            return ()  # a list without them is better than none
        self._known[user_id] = (now + _FRESH_S, found)
        self._known.move_to_end(user_id)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found

    def forget(self, people: Collection[str]) -> int:
        """Returns: how many of them were remembered."""
        return sum(self._known.pop(user_id, None) is not None for user_id in people)

    def forget_everybody(self) -> None:
        self._known.clear()

    async def _read(self, user_id: str) -> tuple[str, ...]:
        reading = asyncio.to_thread(self._accounts.interests, user_id)
        try:
            return await asyncio.wait_for(reading, _DEADLINE_S)
        except TimeoutError as error:
            raise DeadlineExceeded(f"no interests within {_DEADLINE_S} s") from error


Recommend = Callable[[RecommendationRequest], Awaitable[RankedList]]


class WarmUp:
    """Lists that follow people's interests while nothing is known from their own events.

    The places go in turn to what is liked of late in each category that the person named; what is
    liked in general fills the rest.
    """

    def __init__(self, recommend: Recommend, interests: Interests) -> None:
        self._recommend = recommend
        self._interests = interests

    async def recommend(self, request: RecommendationRequest) -> RankedList:
        ranked = await self._recommend(request)
        if request.user_id is None or not _is_cold(request, ranked):
            return ranked
        interests = await self._interests.of(request.user_id)
        if not interests:
            return ranked
        lists = await asyncio.gather(
            *(self._recommend(_in_category(request, name)) for name in interests)
        )
        items = tuple(_in_turn([one.items for one in lists], ranked.items))
        return replace(ranked, items=items[: request.n])


def _is_cold(request: RecommendationRequest, ranked: RankedList) -> bool:
    """Whether nothing better is known than what everybody likes."""
    asked_for_more = (
        bool(request.session)
        or request.category is not None
        or request.kind != "for_you"
        or request.arranged
    )
    return not ranked.personal and ranked.degraded is None and not asked_for_more


def _in_category(request: RecommendationRequest, category: str) -> RecommendationRequest:
    """The same, of one category. What the person does not want stays out of it."""
    return request.model_copy(update={"after": None, "category": category})


def _in_turn(
    lists: Iterable[Iterable[ListedItem]], rest: Iterable[ListedItem]
) -> Iterator[ListedItem]:
    """The first of each list, the second of each, and so on, then the rest; each item once."""
    shown: set[str] = set()
    for turn in (*zip_longest(*lists), tuple(rest)):
        for item in turn:
            if item is not None and item.item_id not in shown:
                shown.add(item.item_id)
                yield item
