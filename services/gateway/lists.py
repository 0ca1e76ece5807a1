"""Lists of items as the gateway hands them out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from headrace.contracts.categories import with_ancestors
from services.gateway.privacy.choices import NotPersonalBecause

ListSource = Literal["retrieval", "trending", "popular", "similar", "pinned", "new", "people"]
"""What finds the items of lists."""
Source = Literal[ListSource, "search"]
AfterStatus = Literal["applied", "pending", "waiting_for_item", "refused", "unknown"]

RANKER_UNAVAILABLE = "ranker_unavailable"
"""Why a list is degraded that the gateway made from what it remembers."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One of the person's own items, and what it adds to the log-odds of another."""

    item_id: str
    title: str
    log_odds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Terms that add up to the log-odds of an item's score, and the items behind `history`."""

    anybody: float
    history: float
    boosts: float
    because: tuple[Cause, ...]


@dataclass(slots=True)
class ListedItem:
    """One place in a list; not to be changed. `score` is a chance from 0 to 1 in personal lists,
    else it orders. propensity: where places were drawn, how probable the item was at this one.
    picture_url: empty where the item has none.

    Not frozen, since a list makes twenty of them: that would take three times as long.
    """

    item_id: str
    score: float
    title: str
    categories: tuple[str, ...]
    source: Source
    propensity: float | None = None
    explanation: Explanation | None = None
    picture_url: str = ""


@dataclass(frozen=True, slots=True)
class Unwanted:
    """What a person wants in no list: ids of items, and categories with those below."""

    items: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    def has(self, item: ListedItem) -> bool:
        return item.item_id in self.items or not self.categories.isdisjoint(
            with_ancestors(item.categories)
        )

    def removed_from(self, items: tuple[ListedItem, ...]) -> tuple[ListedItem, ...]:
        return tuple(item for item in items if not self.has(item))


@dataclass(frozen=True, slots=True)
class RankedList:
    """A list, best first.

    as_of: when the last event in it happened; when it was computed if it is not personal.
    personal: a person's own events are in it.
    degraded: why it is worse than it should be, if it is.
    after: what became of the event that was to be waited for, where one was named.
    next_cursor: for the next page, where pages were asked for and this is not the last.
    not_personal_because: why it may not be, if it may not.
    """

    model_version: str
    as_of: datetime
    items: tuple[ListedItem, ...]
    personal: bool = False
    degraded: str | None = None
    after: AfterStatus | None = None
    next_cursor: str | None = None
    not_personal_because: NotPersonalBecause | None = None


@dataclass(frozen=True, slots=True)
class PersonList:
    """One of many lists, as `RankedList`. n_applied: the person's last event in it; 0: none is."""

    user_id: str
    model_version: str
    as_of: datetime
    n_applied: int
    items: tuple[ListedItem, ...]


@dataclass(frozen=True, slots=True)
class SimilarList:
    """The items nearest to an item, nearest first. `score` is the cosine, -1 to 1."""

    model_version: str
    items: tuple[ListedItem, ...]


@dataclass(frozen=True, slots=True)
class NearPerson:
    """Somebody whose taste is near. score: the cosine, -1 to 1."""

    user_id: str
    score: float


@dataclass(frozen=True, slots=True)
class NearPeople:
    """The nearest people, nearest first."""

    model_version: str
    users: tuple[NearPerson, ...]
