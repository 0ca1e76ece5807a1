"""What is answered about behaviour: which days, which shares, what comes first."""

import asyncio
from datetime import UTC, date, timedelta
from itertools import groupby

from headrace.contracts.segments import segment_name
from headrace.errors import InvalidInput
from services.gateway.behaviour.counts import (
    CategoryFunnel,
    ClickThroughRates,
    Cohort,
    Funnel,
    Retention,
    Sales,
    Segment,
    Segments,
    ShownItems,
    Trend,
    Trends,
    stages,
)
from services.gateway.behaviour.models import (
    ClickThroughQuery,
    FunnelQuery,
    RetentionQuery,
    SegmentsQuery,
    TrendsQuery,
)
from services.gateway.behaviour.store import DAYS, BehaviourStore, SegmentRow

_WEEK = timedelta(days=7)
_LAST_DAYS = timedelta(days=29)  # and the last one: 30
_COHORT_WEEKS = 11  # and the last one: 12
_COHORT_WEEKS_AT_MOST = 104


class Behaviour:
    """Both doors call these methods with checked requests; access is checked before.

    Each raises InvalidInput for days in the wrong order, and Unavailable while Postgres is away and
    until behaviour was counted for the first time.
    """

    def __init__(self, store: BehaviourStore) -> None:
        self._store = store

    async def funnel(self, query: FunnelQuery) -> Funnel:
        return await asyncio.to_thread(self._funnel, query)

    async def trends(self, query: TrendsQuery) -> Trends:
        return await asyncio.to_thread(self._trends, query)

    async def retention(self, query: RetentionQuery) -> Retention:
        return await asyncio.to_thread(self._retention, query)

    async def segments(self, query: SegmentsQuery) -> Segments:
        return await asyncio.to_thread(self._segments, query)

    async def click_through(self, query: ClickThroughQuery) -> ClickThroughRates:
        return await asyncio.to_thread(self._click_through, query)

    def _funnel(self, query: FunnelQuery) -> Funnel:
        with self._store.reading() as reading:
            today = reading.as_of.astimezone(UTC).date()
            since, until = _range(query.since, query.until, today, _LAST_DAYS)
            category = query.category or ""
            reached = reading.funnel(query.window, since, until, category)
            below = reading.funnels_below(query.window, since, until, category, query.n)
        return Funnel(
            as_of=reading.as_of,
            since=since,
            until=until,
            stages=stages(reached),
            categories=tuple(CategoryFunnel(path, stages(one)) for path, one in below),
        )

    def _trends(self, query: TrendsQuery) -> Trends:
        by_item = query.by == "item"
        with self._store.reading() as reading:
            first_day = reading.as_of.astimezone(UTC).date() - timedelta(days=DAYS - 1)
            read = reading.item_trends if by_item else reading.category_trends
            rising = query.direction == "rising"
            rows = read(query.window, query.category or "", rising, query.n, first_day)
        return Trends(
            as_of=reading.as_of,
            first_day=first_day,
            trends=tuple(
                Trend(
                    item_id=row.name if by_item else None,
                    title=row.title if by_item else None,
                    category=None if by_item else row.name,
                    events=row.events,
                    events_before=row.events_before,
                    score=row.score,
                    daily=tuple(row.daily),
                )
                for row in rows
            ),
        )

    def _retention(self, query: RetentionQuery) -> Retention:
        with self._store.reading() as reading:
            today = reading.as_of.astimezone(UTC).date()
            present = _monday(today)
            until = query.until or today
            since, until = _range(
                query.since, until, today, until - _monday(until) + _COHORT_WEEKS * _WEEK
            )
            if until - since > _COHORT_WEEKS_AT_MOST * _WEEK:
                raise InvalidInput.of(
                    "since", f"must lie at most {_COHORT_WEEKS_AT_MOST} weeks before until"
                )
            rows = reading.cohorts(since, until)
        cohorts = [
            _cohort(week, {later: people for _, later, people in counts}, present)
            for week, counts in groupby(rows, key=lambda row: row[0])
        ]
        return Retention(reading.as_of, since, until, tuple(cohorts))

    def _segments(self, query: SegmentsQuery) -> Segments:
        currency = query.currency or ""
        with self._store.reading() as reading:
            rows = reading.segments(currency)
            sales = reading.sales()
        people = sum(row.people for row in rows)
        money_known = bool(currency and rows)
        ranked = sorted(rows, key=_by_amount if money_known else _by_recency_and_frequency)
        return Segments(
            as_of=reading.as_of,
            money_known=money_known,
            people=people,
            segments=tuple(_segment(row, people, money_known) for row in ranked[: query.n]),
            sales=tuple(Sales(name or None, count, amount) for name, count, amount in sales),
        )

    def _click_through(self, query: ClickThroughQuery) -> ClickThroughRates:
        with self._store.reading_click_through() as reading:
            last = reading.as_of.astimezone(UTC).date()
            since, until = _range(query.since, query.until, last, _LAST_DAYS)
            rows = reading.click_through(query.by, since, until, query.n)
        return ClickThroughRates(
            as_of=reading.as_of,
            since=since,
            until=until,
            rows=tuple(
                ShownItems(
                    name=name,
                    shown=shown,
                    clicked=clicked,
                    bought=bought,
                    click_rate=clicked / shown,
                    purchase_rate=bought / shown,
                )
                for name, shown, clicked, bought in rows
            ),
        )


def _range(
    since: date | None, until: date | None, today: date, before: timedelta
) -> tuple[date, date]:
    """First and last day. Raises: InvalidInput where they are in the wrong order."""
    last = until or today
    if since is None:
        return (last - before if last - date.min >= before else date.min), last
    if since > last:
        raise InvalidInput.of("since", f"must not lie after until, which is {last}")
    return since, last


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _cohort(week: date, people_later: dict[int, int], present: date) -> Cohort:
    """people_later: by number of weeks. present: Monday of the week of the refresh."""
    # An event may lie five minutes ahead, and so in a week that has not begun.
    begun = max((present - week) // _WEEK, *people_later) + 1
    active = tuple(people_later.get(later, 0) for later in range(begun))
    return Cohort(
        week=week,
        people=active[0],
        active=active,
        shares=tuple(count / active[0] for count in active),
        complete=max(0, (present - week) // _WEEK),
    )


def _by_amount(row: SegmentRow) -> tuple[int, int]:
    return (-row.amount, -row.recency - row.frequency)


def _by_recency_and_frequency(row: SegmentRow) -> tuple[int, int]:
    return (-row.recency - row.frequency, -row.frequency)


def _segment(row: SegmentRow, people: int, money_known: bool) -> Segment:
    return Segment(
        name=segment_name(row.recency, row.frequency),
        recency=row.recency,
        frequency=row.frequency,
        money=row.money if money_known else None,
        people=row.people,
        share=row.people / people,
        events=row.events,
        amount=row.amount if money_known else None,
    )
