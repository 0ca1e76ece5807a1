"""What the ranker answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

USER_EMBEDDING_UNAVAILABLE = "user_embedding_unavailable"


class Source(IntEnum):
    """What found a candidate; the numbers of headrace.api.ranker.v1.Source."""

    RETRIEVAL = 1
    TRENDING = 2
    POPULAR = 3
    SIMILAR = 4
    PINNED = 5
    NEW = 6
    PEOPLE = 7
    SEARCH = 8  # only in impressions


class EventStatus(IntEnum):
    """What became of an event; the numbers of headrace.api.user_embedding.v1.EventStatus."""

    APPLIED = 1
    PENDING = 2
    WAITING_FOR_ITEM = 3
    REFUSED = 4
    UNKNOWN = 5


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


class RankedItem(NamedTuple):
    """One place in a list. propensity: where places were drawn, how probable the item was.

    A tuple, since a list makes twenty of them: a frozen dataclass takes three times as long.
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
class MadeList:
    """Best first, or as it was to be arranged. next_cursor: empty where no page follows."""

    items: Sequence[RankedItem]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list and what it rests on. as_of: Unix seconds. degraded: a reason, or empty."""

    model_version: str
    as_of: float
    n_applied: int
    degraded: str
    items: Sequence[RankedItem]
    after_status: EventStatus | None
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class LikePerson:
    """Somebody whose vector is near. score: the cosine, -1 to 1."""

    user_id: str
    score: float


class PersonList(NamedTuple):
    """One of many lists. as_of: Unix seconds; n_applied: 0 where the list is not personal."""

    user_id: str
    as_of: float
    n_applied: int
    items: Sequence[RankedItem]


@dataclass(frozen=True, slots=True)
class SimilarItems:
    """The nearest items, nearest first."""

    model_version: str
    items: Sequence[RankedItem]


@dataclass(frozen=True, slots=True)
class SimilarUsers:
    """The nearest people, nearest first."""

    model_version: str
    people: Sequence[LikePerson]
