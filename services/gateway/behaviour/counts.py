"""What is answered about behaviour: counts, and what follows from them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from headrace.contracts.segments import SegmentName

StageName = Literal["view", "click", "cart", "purchase"]
STAGES: tuple[StageName, ...] = ("view", "click", "cart", "purchase")


@dataclass(frozen=True, slots=True)
class Stage:
    """journeys: that came so far or farther. Shares are None where there is nothing to share."""

    stage: StageName
    journeys: int
    of_first: float | None
    of_before: float | None


@dataclass(frozen=True, slots=True)
class CategoryFunnel:
    category: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Funnel:
    """categories: those below the one asked for, most journeys first."""

    as_of: datetime
    since: date
    until: date
    stages: tuple[Stage, ...]
    categories: tuple[CategoryFunnel, ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """item_id, title: of an item. category: of a category. daily: events a day, oldest first."""

    item_id: str | None
    title: str | None
    category: str | None
    events: int
    events_before: int
    score: float
    daily: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trends:
    """first_day: of `daily`."""

    as_of: datetime
    first_day: date
    trends: tuple[Trend, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """active: people in this week, the next, and so on. complete: so many of these are over."""

    week: date
    people: int
    active: tuple[int, ...]
    shares: tuple[float, ...]
    complete: int


@dataclass(frozen=True, slots=True)
class Retention:
    as_of: datetime
    since: date
    until: date
    cohorts: tuple[Cohort, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """recency, frequency, money: fifths, 5 the greatest. amount: in the smallest unit."""

    name: SegmentName
    recency: int
    frequency: int
    money: int | None
    people: int
    share: float
    events: int
    amount: int | None


@dataclass(frozen=True, slots=True)
class Sales:
    """currency: None: of items without a price."""

    currency: str | None
    purchases: int
    amount: int | None


@dataclass(frozen=True, slots=True)
class Segments:
    """people: in all segments, also in those left out."""

    as_of: datetime
    money_known: bool
    people: int
    segments: tuple[Segment, ...]
    sales: tuple[Sales, ...]


@dataclass(frozen=True, slots=True)
class ShownItems:
    """name: a position, a source, or the version of a model."""

    name: str
    shown: int
    clicked: int
    bought: int
    click_rate: float
    purchase_rate: float


@dataclass(frozen=True, slots=True)
class ClickThroughRates:
    """as_of: lists that were served before are counted."""

    as_of: datetime
    since: date
    until: date
    rows: tuple[ShownItems, ...]


def stages(journeys: tuple[int, int, int, int]) -> tuple[Stage, ...]:
    """journeys: that came to each stage or farther."""
    return tuple(
        Stage(
            stage=name,
            journeys=count,
            of_first=_share(count, journeys[0]),
            of_before=_share(count, journeys[max(0, place - 1)]),
        )
        for place, (name, count) in enumerate(zip(STAGES, journeys, strict=True))
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
