"""The counts of behaviour in Postgres, as event_ingest last refreshed them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.contracts.categories import SEPARATOR
from headrace.contracts.list_kinds import Window
from headrace.errors import Unavailable
from headrace.store.database import Database
from services.gateway.upstream import SOURCES

DAYS = 28
"""So many days are kept for each item and category."""

_REACHED = """
coalesce(sum(journeys), 0)::bigint,
coalesce(sum(journeys) FILTER (WHERE furthest >= 2), 0)::bigint,
coalesce(sum(journeys) FILTER (WHERE furthest >= 3), 0)::bigint,
coalesce(sum(journeys) FILTER (WHERE furthest >= 4), 0)::bigint
"""
_FUNNEL = f"""
SELECT {_REACHED} FROM behaviour_funnel
WHERE span = %(span)s AND category = %(category)s AND day BETWEEN %(since)s AND %(until)s
"""  # noqa: S608 - constants only
_FUNNELS_BELOW = f"""
SELECT category, {_REACHED} FROM behaviour_funnel
WHERE span = %(span)s AND category <> '' AND starts_with(category, %(below)s)
AND day BETWEEN %(since)s AND %(until)s
GROUP BY category ORDER BY sum(journeys) DESC, category LIMIT %(n)s
"""  # noqa: S608 - constants only

# The order is of the strength of change in one direction: `way` is 1 or -1.
_SCORE = "(events - events_before) / sqrt(events + events_before)"
_ITEM_TRENDS = f"""
WITH strongest AS (
    SELECT t.*, i.item_id, i.title, {_SCORE} AS score
    FROM behaviour_item_trends AS t JOIN items AS i ON i.ordinal = t.item_ordinal
    WHERE t.span = %(span)s AND (t.events - t.events_before) * %(way)s > 0 AND NOT i.deleted
    AND (%(category)s = '' OR EXISTS (
        SELECT FROM unnest(i.categories) AS c
        WHERE c = %(category)s OR starts_with(c, %(below)s)
    ))
    ORDER BY {_SCORE} * %(way)s DESC, events + events_before DESC, item_ordinal LIMIT %(n)s
)
SELECT item_id, title, events, events_before, score, ARRAY(
    SELECT coalesce(d.events, 0) FROM generate_series(0, %(last)s) AS k
    LEFT JOIN behaviour_item_days AS d
        ON d.item_ordinal = strongest.item_ordinal AND d.day = %(first)s + k
    ORDER BY k
)
FROM strongest
ORDER BY score * %(way)s DESC, events + events_before DESC, item_ordinal
"""  # noqa: S608 - constants only
_CATEGORY_TRENDS = f"""
WITH strongest AS (
    SELECT *, {_SCORE} AS score FROM behaviour_category_trends
    WHERE span = %(span)s AND (events - events_before) * %(way)s > 0
    AND starts_with(category, %(below)s)
    ORDER BY {_SCORE} * %(way)s DESC, events + events_before DESC, category LIMIT %(n)s
)
SELECT category, '', events, events_before, score, ARRAY(
    SELECT coalesce(d.events, 0) FROM generate_series(0, %(last)s) AS k
    LEFT JOIN behaviour_category_days AS d
        ON d.category = strongest.category AND d.day = %(first)s + k
    ORDER BY k
)
FROM strongest
ORDER BY score * %(way)s DESC, events + events_before DESC, category
"""  # noqa: S608 - constants only


# Positions in their order, the others by how often they were shown. No model: a search that only
# words had a say in.
_CLICK_THROUGH = """
SELECT CASE %(by)s WHEN 'position' THEN position::text WHEN 'source' THEN source::text
        ELSE model_version END AS name,
    sum(shown)::bigint, sum(clicked)::bigint, sum(bought)::bigint
FROM click_through
WHERE hour >= %(since)s::timestamp AT TIME ZONE 'UTC'
AND hour < (%(until)s::date + 1)::timestamp AT TIME ZONE 'UTC'
AND (%(by)s <> 'model_version' OR model_version <> '')
GROUP BY 1
ORDER BY CASE WHEN %(by)s = 'position' THEN min(position) ELSE -sum(shown) END, name LIMIT %(n)s
"""


class Journeys(NamedTuple):
    """That came to each stage or farther."""

    view: int
    click: int
    cart: int
    purchase: int


class TrendRow(NamedTuple):
    """name: id of an item, path of a category. title: empty for a category."""

    name: str
    title: str
    events: int
    events_before: int
    score: float
    daily: list[int]


class SegmentRow(NamedTuple):
    recency: int
    frequency: int
    money: int
    people: int
    events: int
    amount: int


class BehaviourStore:
    """Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def reading(self) -> Iterator["Reading"]:
        """Everything that is read within the block is of one refresh.

        Raises: Unavailable while Postgres is away, and until the first refresh.
        """
        with self._reading("behaviour_refreshes") as reading:
            yield reading

    @contextmanager
    def reading_click_through(self) -> Iterator["Reading"]:
        """The same for what came of what was shown, which is counted apart."""
        with self._reading("click_through_progress") as reading:
            yield reading

    @contextmanager
    def _reading(self, counted: str) -> Iterator["Reading"]:
        """counted: the table that tells as of when."""
        with self._database.transaction() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(f"SELECT as_of FROM {counted}")  # noqa: S608 - constants only
            row = cursor.fetchone()
            if row is None:
                raise Unavailable(
                    "behaviour has not been counted yet: event_ingest does so once it runs"
                )
            yield Reading(cursor, row[0])


class Reading:
    """as_of: of the refresh."""

    def __init__(self, cursor: Cursor, as_of: datetime) -> None:
        self._cursor = cursor
        self.as_of = as_of

    def funnel(self, span: Window, since: date, until: date, category: str) -> Journeys:
        """category: '': of all items."""
        self._cursor.execute(
            _FUNNEL, {"span": span, "since": since, "until": until, "category": category}
        )
        return Journeys(*self._rows()[0])

    def funnels_below(
        self, span: Window, since: date, until: date, category: str, n: int
    ) -> list[tuple[str, Journeys]]:
        """Of the categories below, those with most journeys first. category: '': of all."""
        self._cursor.execute(
            _FUNNELS_BELOW,
            {"span": span, "since": since, "until": until, "below": _below(category), "n": n},
        )
        return [(path, Journeys(*reached)) for path, *reached in self._rows()]

    def item_trends(
        self, span: Window, category: str, rising: bool, n: int, first_day: date
    ) -> list[TrendRow]:
        """Items of a category and below; '': of all. Deleted ones stay out."""
        self._cursor.execute(_ITEM_TRENDS, _trends_of(span, category, rising, n, first_day))
        return [TrendRow(*row) for row in self._rows()]

    def category_trends(
        self, span: Window, category: str, rising: bool, n: int, first_day: date
    ) -> list[TrendRow]:
        """Categories below one; '': all."""
        self._cursor.execute(_CATEGORY_TRENDS, _trends_of(span, category, rising, n, first_day))
        return [TrendRow(*row) for row in self._rows()]

    def cohorts(self, since: date, until: date) -> list[tuple[date, int, int]]:
        """Monday of the cohort, weeks later, people; in this order."""
        self._cursor.execute(
            "SELECT cohort, weeks_later, people FROM behaviour_retention"
            " WHERE cohort BETWEEN %s AND %s ORDER BY cohort, weeks_later",
            (since, until),
        )
        return self._rows()

    def segments(self, currency: str) -> list[SegmentRow]:
        """currency: '': of everybody, without money."""
        self._cursor.execute(
            "SELECT recency, frequency, money, people, events, amount FROM behaviour_segments"
            " WHERE currency = %s",
            (currency,),
        )
        return [SegmentRow(*row) for row in self._rows()]

    def sales(self) -> list[tuple[str, int, int | None]]:
        """Currency, purchases, amount; the currency without a name last."""
        self._cursor.execute(
            "SELECT currency, purchases, amount FROM behaviour_sales"
            " ORDER BY currency = '', purchases DESC, currency"
        )
        return self._rows()

    def click_through(
        self, by: str, since: date, until: date, n: int
    ) -> list[tuple[str, int, int, int]]:
        """Position, source, or model version; shown, clicked, bought."""
        self._cursor.execute(_CLICK_THROUGH, {"by": by, "since": since, "until": until, "n": n})
        rows = self._rows()
        if by != "source":
            return rows
        return [(SOURCES.get(int(number), number), *counts) for number, *counts in rows]

    def _rows(self) -> list[Any]:
        return self._cursor.fetchall()


def _below(category: str) -> str:
    return category + SEPARATOR if category else ""


def _trends_of(
    span: Window, category: str, rising: bool, n: int, first_day: date
) -> dict[str, object]:
    return {
        "span": span,
        "category": category,
        "below": _below(category),
        "way": 1 if rising else -1,
        "n": n,
        "first": first_day,
        "last": DAYS - 1,
    }
