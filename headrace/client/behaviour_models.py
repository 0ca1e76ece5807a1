"""What is told about behaviour: plain frozen dataclasses. docs/api.md defines each figure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Window = Literal["hour", "day", "week"]
TrendSubject = Literal["item", "category"]
TrendDirection = Literal["rising", "falling"]
ClickThroughSplit = Literal["position", "source", "model_version"]


@dataclass(frozen=True, slots=True)
class FunnelStage:
    """stage: view, click, cart or purchase. journeys: that came so far or farther.

    of_first, of_before: as shares of all and of those at the stage before; None: there are none.
    """

    stage: str
    journeys: int
    of_first: float | None
    of_before: float | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """categories: stages by path of those below the one asked for, most journeys first."""

    as_of: datetime
    since: date
    until: date
    stages: tuple[FunnelStage, ...]
    categories: dict[str, tuple[FunnelStage, ...]]


@dataclass(frozen=True, slots=True)
class Trend:
    """item_id, title: of an item. category: of a category.

    events, events_before: in the period and the one before. score: strength of the change.
    daily: events on each of 28 days from `Trends.first_day` on.
    """

    item_id: str | None
    title: str | None
    category: str | None
    events: int
    events_before: int
    score: float
    daily: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trends:
    """Those that change most first."""

    as_of: datetime
    first_day: date
    trends: tuple[Trend, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """People whose first event lies in the week that begins on the Monday `week`.

    active: how many of them were there in this week, the next, and so on; shares: of `people`.
    complete: so many of these weeks, from the first, are over.
    """

    week: date
    people: int
    active: tuple[int, ...]
    shares: tuple[float, ...]
    complete: int


@dataclass(frozen=True, slots=True)
class Retention:
    """Cohorts, oldest first."""

    as_of: datetime
    since: date
    until: date
    cohorts: tuple[Cohort, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """People alike. recency, frequency, money: fifths, 5 the greatest.

    money, amount: None where money is not known; amount in the smallest unit of the currency.
    """

    name: str
    recency: int
    frequency: int
    money: int | None
    people: int
    share: float
    events: int
    amount: int | None


@dataclass(frozen=True, slots=True)
class Sales:
    """Purchases of items with a price in `currency`; None: of those without a price."""

    currency: str | None
    purchases: int
    amount: int | None


@dataclass(frozen=True, slots=True)
class Segments:
    """The most valuable first. people: in all segments, also in those that were left out."""

    as_of: datetime
    money_known: bool
    people: int
    segments: tuple[Segment, ...]
    sales: tuple[Sales, ...]


@dataclass(frozen=True, slots=True)
class ShownItems:
    """Items that lists showed. name: a position, a source, or a model's version.

    clicked, bought: of these, within half an hour; the rates are shares of `shown`.
    """

    name: str
    shown: int
    clicked: int
    bought: int
    click_rate: float
    purchase_rate: float


@dataclass(frozen=True, slots=True)
class ClickThrough:
    """What came of what was shown. as_of: lists that were served before are counted."""

    as_of: datetime
    since: date
    until: date
    rows: tuple[ShownItems, ...]
