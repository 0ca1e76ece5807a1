"""Browsing and searching in Postgres: table `item_search`."""

from collections.abc import Sequence
from typing import Any

from psycopg2 import sql

from headrace.contracts.finding import Sort
from headrace.store.database import Database
from services.item_embedding.catalogue_store import COLUMNS, item_of
from services.item_embedding.conditions import condition_sql
from services.item_embedding.facets import FACETS, facets_of
from services.item_embedding.found import (
    COUNTED,
    RANKED,
    TOTAL_KNOWN,
    Facets,
    Found,
    Page,
    Place,
    Question,
)

_VISIBLE = sql.SQL("s.publish_at <= now() AND s.expire_at > now()")
_MISSES_KEPT = 10_000
_CATEGORIES = 10_000

# Description, tags and categories, title. A thousand events make up for an eighth word or so.
_RANK = (
    "(ts_rank('{0, 0.1, 0.4, 1}', s.document, to_tsquery('headrace', %s))"
    " * (1 + 0.1 * s.popularity))"
)
_MISS = """
INSERT INTO search_misses AS known (query) VALUES (%s)
ON CONFLICT (query) DO UPDATE SET times = known.times + 1, last_at = now()
"""
# Rows that somebody changes now are left for the next time: who waits for nobody cannot be part of
# a circle.
# Type 9: somebody does not want to see it.
_REFRESH_POPULARITY = """
WITH counted AS MATERIALIZED (
    SELECT item_ordinal AS ordinal, round(ln(1 + count(*))::numeric, 1)::real AS popularity
    FROM standing_interactions WHERE type <> 9 GROUP BY item_ordinal
), stale AS MATERIALIZED (
    SELECT s.ordinal, coalesce(counted.popularity, 0) AS popularity
    FROM item_search s LEFT JOIN counted USING (ordinal)
    WHERE s.popularity <> coalesce(counted.popularity, 0)
    FOR NO KEY UPDATE OF s SKIP LOCKED
)
UPDATE item_search s SET popularity = stale.popularity
FROM stale WHERE s.ordinal = stale.ordinal
"""
_FORGET_MISSES = """
DELETE FROM search_misses WHERE last_at < (
    SELECT last_at FROM search_misses ORDER BY last_at DESC OFFSET %s LIMIT 1
)
"""


_TOTAL = sql.SQL("SELECT count(*) FROM (SELECT FROM item_search s WHERE {where} LIMIT %s) AS found")
# Read once: text vectors are long, and reading a row again costs as much as finding it.
_MOST_POPULAR = sql.SQL("""
(SELECT s.ordinal, s.document, s.popularity FROM item_search s WHERE {where}
    ORDER BY s.popularity DESC, s.ordinal DESC LIMIT %s) AS s
""")
_ALL = sql.SQL("item_search s")
_CATEGORY_COUNTS = sql.SQL("""
SELECT substr(term, 3) COLLATE "C" AS path, count(*) FROM item_search s, unnest(s.terms) AS term
WHERE {visible} AND starts_with(term, %s) GROUP BY path ORDER BY path LIMIT %s
""").format(visible=_VISIBLE)
_TITLES = sql.SQL("""
SELECT i.item_id, i.title FROM item_search s JOIN items i USING (ordinal)
WHERE {visible} AND s.document @@ to_tsquery('headrace', %s)
ORDER BY s.popularity DESC, s.ordinal DESC LIMIT %s
""").format(visible=_VISIBLE)


class _Order:
    """An order and its statements. The key as text comes first, then `COLUMNS`.

    expression: of `item_search s`, with `%s` for the query by relevance; kind: its type.
    """

    def __init__(self, expression: str, kind: str, *, descending: bool = False) -> None:
        self._key = sql.SQL(expression)
        self._kind = sql.SQL(kind)
        self._way = sql.SQL("DESC" if descending else "ASC")
        self._beyond = sql.SQL("<" if descending else ">")

    def beyond(self, where: sql.Composable) -> sql.Composable:
        return _BEYOND.format(where=where, key=self._key, kind=self._kind, beyond=self._beyond)

    def page(self, source: sql.Composable, where: sql.Composable) -> sql.Composable:
        return _PAGE.format(
            columns=COLUMNS, key=self._key, source=source, where=where, way=self._way
        )


_BEYOND = sql.SQL("{where} AND ({key}, s.ordinal) {beyond} (%s::{kind}, %s)")
_PAGE = sql.SQL("""
SELECT page.key::text, {columns} FROM (
    SELECT s.ordinal, {key} AS key FROM {source} WHERE {where}
    ORDER BY key {way}, s.ordinal {way} LIMIT %s
) AS page JOIN items i ON i.ordinal = page.ordinal
ORDER BY page.key {way}, page.ordinal {way}
""")

_ORDERS: dict[Sort, _Order] = {
    "relevance": _Order(_RANK, "double precision", descending=True),
    "popular": _Order("s.popularity", "real", descending=True),
    "newest": _Order("s.new_since", "timestamptz", descending=True),
    "price": _Order("coalesce(s.price_amount, 9223372036854775807)", "bigint"),
    "price_descending": _Order("coalesce(s.price_amount, -1)", "bigint", descending=True),
    "title": _Order("s.title", "text"),
}


class PostgresSearch:
    """As `SearchStore` says."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def total(self, question: Question) -> int:
        where, values = _where(question)
        rows = self._rows(_TOTAL.format(where=where), [*values, TOTAL_KNOWN])
        return int(rows[0][0])

    def page(self, question: Question, n: int, after: Place | None) -> Page:
        order = _ORDERS[question.sort]
        by = [_tsquery(question.groups or ())] if question.sort == "relevance" else []
        source: sql.Composable = _ALL
        where, values = _where(question)
        if by:
            source, where = _MOST_POPULAR.format(where=where), sql.SQL("true")
            values = [*values, RANKED]
        if after is not None:
            where = order.beyond(where)
            values = [*values, *by, after.key, after.ordinal]
        rows = self._rows(order.page(source, where), [*by, *values, n + 1])
        items = [Found(item_of(row[1:]), float(row[0]) if by else 0.0) for row in rows[:n]]
        end = Place(rows[n - 1][0], rows[n - 1][1]) if len(rows) > n else None
        return Page(items, end)

    def facets(self, question: Question) -> Facets:
        where, values = _where(question)
        (row,) = self._rows(FACETS.format(where=where), [*values, COUNTED])
        return facets_of(row)

    def categories(self, under: str) -> list[tuple[str, int]]:
        prefix = f"c:{under} > " if under else "c:"
        rows = self._rows(_CATEGORY_COUNTS, [prefix, _CATEGORIES])
        # ` ` and `>` sort before letters but not before all that a name may hold.
        return sorted(rows, key=lambda row: row[0].split(" > "))

    def known(self, words: Sequence[str]) -> set[str]:
        rows = self._rows("SELECT word FROM search_words WHERE word = ANY(%s)", [list(words)])
        return {word for (word,) in rows}

    def near(self, word: str, keys: Sequence[str]) -> list[str]:
        # Two slips at most lie between them.
        rows = self._rows(
            "SELECT word FROM search_words WHERE keys && %s AND length(word) BETWEEN %s AND %s",
            [list(keys), len(word) - 2, len(word) + 2],
        )
        return [known for (known,) in rows]

    def titles(self, words: Sequence[str], n: int) -> list[tuple[str, str]]:
        query = " & ".join([*(f"'{word}':A" for word in words[:-1]), f"'{words[-1]}':*A"])
        rows = self._rows(_TITLES, [query, n])
        return [(item_id, title) for item_id, title in rows]

    def miss(self, query: str) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(_MISS, (query,))
            cursor.execute(_FORGET_MISSES, (_MISSES_KEPT,))

    def misses(self, n: int) -> list[tuple[str, int]]:
        rows = self._rows(
            "SELECT query, times FROM search_misses ORDER BY times DESC, query LIMIT %s", [n]
        )
        return [(query, times) for query, times in rows]

    def refresh_popularity(self) -> None:
        """Counts the log anew. Raises: Unavailable."""
        with self._database.transaction() as cursor:
            cursor.execute(_REFRESH_POPULARITY)

    def _rows(self, statement: str | sql.Composable, values: list[Any]) -> list[tuple[Any, ...]]:
        with self._database.transaction() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())


def _where(question: Question) -> tuple[sql.Composable, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    if question.groups is not None:
        parts.append("s.document @@ to_tsquery('headrace', %s)")
        values.append(_tsquery(question.groups))
    if question.filter is not None:
        text, given = condition_sql(question.filter)
        parts.append(text)
        values += given
    return sql.SQL(" AND ").join([_VISIBLE, *map(sql.SQL, parts)]), values


def _tsquery(groups: Sequence[Sequence[str]]) -> str:
    """Words hold letters and digits alone, so that quotes around them are safe."""
    quoted = [" | ".join(f"'{word}'" for word in group) for group in groups]
    return " & ".join(f"({group})" for group in quoted)
