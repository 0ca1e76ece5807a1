"""What the client takes and gives: plain frozen dataclasses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import uuid4

from headrace.contracts.list_kinds import ListKind

EventType = Literal[
    "view", "click", "cart", "purchase", "like", "dislike", "rating", "not_interested"
]
Source = Literal[
    "retrieval", "trending", "popular", "similar", "pinned", "new", "people", "unspecified"
]
Availability = Literal["in_stock", "out_of_stock", "preorder", "backorder"]
EventStatus = Literal["applied", "pending", "waiting_for_item", "refused", "unknown"]


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a person did with an item, or said of a category.

    event_id: made here unless given, so that sending the event again has no further effect.
    occurred_at: with a time zone. None: now.
    value: 1 to 5 for a rating; an amount, 0 or more, for other types.
    category: for `not_interested`, instead of an item, which is None then.
    """

    user_id: str
    item_id: str | None
    type: EventType
    occurred_at: datetime | None = None
    value: float | None = None
    event_id: str = field(default_factory=_new_id)
    category: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that a person did and did not take back; title, categories and picture are the
    item's now. value: of a rating 1 to 5, else an amount, if any."""

    event_id: str
    item_id: str
    title: str
    categories: tuple[str, ...]
    picture_url: str
    type: EventType
    value: float | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Newest first. next_cursor: None on the last page."""

    entries: tuple[HistoryEntry, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class UnwantedItem:
    """An item that a person does not want to be shown, as it is called now."""

    item_id: str
    title: str
    categories: tuple[str, ...]
    picture_url: str
    since: datetime


@dataclass(frozen=True, slots=True)
class UnwantedCategory:
    """A category of which a person wants nothing, nor of those below."""

    category: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Unwanted:
    """What a person wants in no list of theirs, the one said last first."""

    items: tuple[UnwantedItem, ...]
    categories: tuple[UnwantedCategory, ...]


@dataclass(frozen=True, slots=True)
class Price:
    """What an item costs.

    amount: in the smallest unit of the currency: 1999 is 19.99 EUR, and 1999 JPY.
    currency: ISO 4217, three capital letters.
    """

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Item:
    """What is known about an item.

    categories: paths such as `Home > Kitchen`; an item is in those above too.
    publish_at, expire_at: the item is hidden before and after; None: no such bound.
    embedding: what another model made of the item, as wide as the live model takes it.
    revision: grows by one with each change; ignored where the item is sent.
    """

    item_id: str
    title: str
    description: str = ""
    categories: Sequence[str] = ()
    tags: Sequence[str] = ()
    attributes: Mapping[str, float] = field(default_factory=dict)
    text_attributes: Mapping[str, str] = field(default_factory=dict)
    price: Price | None = None
    picture_url: str = ""
    availability: Availability = "in_stock"
    publish_at: datetime | None = None
    expire_at: datetime | None = None
    embedding: Sequence[float] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """One of the person's own items. log_odds: by how much those of the listed item fall where the
    person's history lacks it."""

    item_id: str
    title: str
    log_odds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an item is in a list. The three terms add up to the log-odds of its score.

    anybody: what it is worth to somebody without history. history: what the person's adds.
    boosts: what these add. because: which of the person's own items add most, each alone.
    """

    anybody: float
    history: float
    boosts: float
    because: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class ListedItem:
    """One place in a list.

    score: in lists for a person or a visit the chance, 0 to 1, that the item is chosen; of
    similar items the cosine, -1 to 1; otherwise a number that only orders.
    propensity: where `explore` was given, the probability with which this item was put at this
    place, given the items above it.
    explanation: where `explain` was given and there is a history.
    picture_url: empty where the item has none.
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
class Recommendations:
    """A list, best first.

    as_of: when the person's last event in it happened; when it was computed otherwise.
    degraded: None, or why the list is worse than it should be.
    after: what became of the event that was to be waited for, where one was named.
    next_cursor: for the next page, where pages were asked for and this is not the last.
    personal: whether the person's own events are in it. not_personal_because: None, or
    `personalisation_off` where the person does not want it, `personalisation_unknown` where that
    could not be found out.
    """

    request_id: str
    model_version: str
    as_of: datetime
    degraded: str | None
    items: tuple[ListedItem, ...]
    after: EventStatus | None
    next_cursor: str | None
    personal: bool = False
    not_personal_because: str | None = None


@dataclass(frozen=True, slots=True)
class PersonList:
    """One of many lists, best first.

    as_of: when the person's last event in it happened; when it was made where it is not personal.
    personal: whether something is known of the person. request_id: of the batch that made it.
    kind: as it was asked for.
    """

    user_id: str
    model_version: str
    as_of: datetime
    personal: bool
    items: tuple[ListedItem, ...]
    request_id: str = ""
    kind: ListKind = "for_you"


@dataclass(frozen=True, slots=True)
class SimilarItems:
    """The items nearest to an item, nearest first."""

    request_id: str
    model_version: str
    items: tuple[ListedItem, ...]


@dataclass(frozen=True, slots=True)
class SimilarUser:
    """Somebody whose taste is near. score: the cosine, -1 to 1."""

    user_id: str
    score: float
