"""What callers ask about behaviour and get, as both doors check it and OpenAPI describes it.

Answers are written without passing through their models, which only describe them.
"""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from headrace.contracts.categories import CategoryPath
from headrace.contracts.list_kinds import Window
from headrace.contracts.segments import SegmentName
from services.gateway.behaviour.counts import StageName

TrendSubject = Literal["item", "category"]
TrendDirection = Literal["rising", "falling"]
ClickThroughSplit = Literal["position", "source", "model_version"]

_AS_OF = "When behaviour was counted: what happened later is not in it yet."
_FROM = "First day of the answer."
_UNTIL = "Last day of the answer."


def _day(given: object) -> object:
    # pydantic would take "1764000000" for a Unix time.
    if isinstance(given, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
        raise ValueError("must be a day such as 2026-01-31")
    return given


Day = Annotated[date, BeforeValidator(_day)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FunnelQuery(_Body):
    """Which journeys."""

    since: Day | None = Field(
        default=None,
        description="First day, in UTC, on which they began. Absent: 29 days before `until`.",
        examples=["2026-01-01"],
    )
    until: Day | None = Field(
        default=None,
        description="Last day, included. Absent: that of the last refresh.",
        examples=["2026-01-31"],
    )
    category: CategoryPath | None = Field(
        default=None,
        description="With items of this category or below. Absent: with all.",
        examples=["Home > Kitchen"],
    )
    window: Window = Field(
        default="day",
        description="The longest pause within a journey; after a longer one another begins.",
    )
    n: Annotated[int, Field(ge=0, le=100)] = Field(
        default=10, description="How many of the categories below, most journeys first."
    )


class TrendsQuery(_Body):
    """Which trends."""

    window: Window = Field(
        default="day",
        description="The period up to the last refresh; the one before is as long.",
    )
    by: TrendSubject = Field(default="item", description="Items or categories.")
    direction: TrendDirection = Field(
        default="rising", description="Those that are chosen more than before, or less."
    )
    category: CategoryPath | None = Field(
        default=None,
        description="Items in this category or below; categories below it. Absent: all.",
        examples=["Home > Kitchen"],
    )
    n: Annotated[int, Field(ge=1, le=100)] = 20


class RetentionQuery(_Body):
    """Which cohorts."""

    since: Day | None = Field(
        default=None,
        description="Weeks that begin on this day, in UTC, or later; at most 104 weeks before "
        "`until`. Absent: 11 weeks before it.",
        examples=["2026-01-05"],
    )
    until: Day | None = Field(
        default=None,
        description="Weeks that begin on this day or before. Absent: that of the last refresh.",
        examples=["2026-01-31"],
    )


class SegmentsQuery(_Body):
    """Which segments."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = Field(
        default=None,
        description="Of people who bought in this currency, by what they spent. Absent: of "
        "everybody, by recency and frequency alone.",
        examples=["EUR"],
    )
    n: Annotated[int, Field(ge=1, le=125)] = 25


class ClickThroughQuery(_Body):
    """Which lists."""

    since: Day | None = Field(
        default=None,
        description="First day, in UTC, on which they were served. Absent: 29 days before `until`.",
        examples=["2026-01-01"],
    )
    until: Day | None = Field(
        default=None,
        description="Last day, included. Absent: that of `as_of`.",
        examples=["2026-01-31"],
    )
    by: ClickThroughSplit = Field(default="position", description="What tells shown items apart.")
    n: Annotated[int, Field(ge=1, le=200)] = 50


class StageModel(_Body):
    """A stage and how many journeys reached it."""

    stage: StageName
    journeys: int = Field(description="That came so far or farther.", examples=[1200])
    of_first: float | None = Field(
        description="Their share of all journeys, 0 to 1; null where there are none.",
        examples=[1.0],
    )
    of_before: float | None = Field(
        description="Their share of those at the stage before; null where there are none.",
        examples=[1.0],
    )


class CategoryFunnelModel(_Body):
    """The funnel of a category."""

    category: str = Field(examples=["Home > Kitchen"])
    stages: list[StageModel]


class FunnelModel(_Body):
    """How many journeys of a person with an item came how far."""

    as_of: datetime = Field(description=_AS_OF)
    since: date = Field(description=_FROM, examples=["2026-01-01"])
    until: date = Field(description=_UNTIL, examples=["2026-01-31"])
    stages: list[StageModel] = Field(description="View, click, cart, purchase.")
    categories: list[CategoryFunnelModel] = Field(
        description="Those below the category asked for, most journeys first."
    )


class TrendModel(_Body):
    """How often an item or a category was chosen, and how often before."""

    item_id: str | None = Field(description="Null for a category.", examples=["n-1"])
    title: str | None = Field(description="Null for a category.", examples=["Chef's knife"])
    category: str | None = Field(description="Null for an item.", examples=[None])
    events: int = Field(description="In the period, dislikes left out.", examples=[90])
    events_before: int = Field(description="In the period before.", examples=[54])
    score: float = Field(
        description="(a - b) / sqrt(a + b) for a events and b before: by chance alone, it would "
        "lie between -2 and 2 in 19 of 20 cases.",
        examples=[3.0],
    )
    daily: list[int] = Field(
        description="Events on each of 28 days in UTC, oldest first; the last day is not over.",
        examples=[[8] * 28],
    )


class TrendsModel(_Body):
    """Items or categories, those that change most first."""

    as_of: datetime = Field(description=f"{_AS_OF} The end of the period.")
    first_day: date = Field(description="Of `daily`.", examples=["2026-01-04"])
    trends: list[TrendModel]


class CohortModel(_Body):
    """People whose first event lies in one week."""

    week: date = Field(description="Its Monday.", examples=["2026-01-05"])
    people: int = Field(examples=[40])
    active: list[int] = Field(
        description="How many of them had an event in this week (all of them), in the next one, "
        "and so on until that of the last refresh.",
        examples=[[40, 22, 17]],
    )
    shares: list[float] = Field(
        description="The same as shares of `people`, 0 to 1.", examples=[[1.0, 0.55, 0.425]]
    )
    complete: int = Field(
        description="So many entries, from the first, are of weeks that are over.", examples=[2]
    )


class RetentionModel(_Body):
    """Cohorts, oldest first; weeks in which nobody was new have none."""

    as_of: datetime = Field(description=_AS_OF)
    since: date = Field(description="The first day on which weeks begin.", examples=["2026-01-05"])
    until: date = Field(description="The last.", examples=["2026-01-31"])
    cohorts: list[CohortModel]


class SegmentModel(_Body):
    """People alike in recency, frequency and, where it is known, money."""

    name: SegmentName = Field(description="Recency and frequency in a word.")
    recency: int = Field(
        description="1 to 5: the fifth of all people by time of the last event; 5 came last.",
        examples=[5],
    )
    frequency: int = Field(
        description="1 to 5: the fifth by number of events; 5 have most.", examples=[4]
    )
    money: int | None = Field(
        description="1 to 5: the fifth, by amount, of those who bought in the currency. Null "
        "where no currency was asked for.",
        examples=[5],
    )
    people: int = Field(examples=[31])
    share: float = Field(
        description="Their share of all people in segments, 0 to 1.", examples=[0.08]
    )
    events: int = Field(description="Of all of them together.", examples=[1204])
    amount: int | None = Field(
        description="What all of them together spent, in the smallest unit of the currency. Null "
        "where none was asked for.",
        examples=[482_100],
    )


class SalesModel(_Body):
    """Purchases of items with a price in one currency."""

    currency: str | None = Field(description="Null: items without a price.", examples=["EUR"])
    purchases: int = Field(examples=[310])
    amount: int | None = Field(
        description="At the present prices, in the smallest unit. Null: not known.",
        examples=[1_034_000],
    )


class SegmentsModel(_Body):
    """The most valuable people first."""

    as_of: datetime = Field(description=_AS_OF)
    money_known: bool = Field(
        description="Whether `money` and `amount` are: a currency was asked for, and somebody "
        "bought an item with a price in it."
    )
    people: int = Field(
        description="In all segments, also in those that `n` left out.", examples=[388]
    )
    segments: list[SegmentModel] = Field(
        description="By falling amount; without money, by recency and frequency together."
    )
    sales: list[SalesModel] = Field(description="What was bought at all, by currency.")


class ShownItemsModel(_Body):
    """Items that were shown, alike in what was asked for."""

    name: str = Field(
        description="A position from 1, the name of a source, or the version of a model.",
        examples=["1"],
    )
    shown: int = Field(examples=[12_000])
    clicked: int = Field(description="Of these, chosen within half an hour.", examples=[540])
    bought: int = Field(description="Of these, bought within half an hour.", examples=[36])
    click_rate: float = Field(description="Clicked as a share of shown.", examples=[0.045])
    purchase_rate: float = Field(description="Bought as a share of shown.", examples=[0.003])


class ClickThroughModel(_Body):
    """How much of what lists showed was chosen and bought."""

    as_of: datetime = Field(
        description="Lists that were served before are counted: it takes 35 minutes until it is "
        "known what came of one."
    )
    since: date = Field(description=_FROM, examples=["2026-01-01"])
    until: date = Field(description=_UNTIL, examples=["2026-01-31"])
    rows: list[ShownItemsModel] = Field(
        description="By position; sources and models that were shown most come first."
    )
