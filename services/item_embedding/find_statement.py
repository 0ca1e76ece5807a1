"""One statement for a search: how many there are, what they have in common, and a page of them.

What is found is read once and kept: rows are long and lie wide apart, so that reading them again
for the next figure costs as much as finding them.
"""

from functools import lru_cache
from typing import Any

from psycopg2 import sql

from headrace.contracts.finding import Sort
from services.item_embedding.conditions import condition_sql
from services.item_embedding.facets import COUNTED_COLUMNS, FACETS
from services.item_embedding.found import KNOWN, RANKED, Groups, Place, Question
from services.item_embedding.item_rows import COLUMNS

VISIBLE = sql.SQL("s.publish_at <= now() AND s.expire_at > now()")

# Description, tags and categories, title. A thousand events make up for an eighth word or so.
_RANK = (
    "(ts_rank('{0, 0.1, 0.4, 1}', s.document, to_tsquery('headrace', %s))"
    " * (1 + 0.1 * s.popularity))"
)

# Facets stand in one row of the page, whichever; where the page is empty there is one row all the
# same, for the total.
_FIND = sql.SQL("""
WITH found AS MATERIALIZED ({found}), page AS ({page})
SELECT (SELECT count(*) FROM found), {facets}, shown.*
FROM (SELECT) AS one LEFT JOIN (
    SELECT page.key::text AS key, {columns}, page.key AS place
    FROM page JOIN items i ON i.ordinal = page.ordinal
) AS shown ON true
ORDER BY shown.place {way}, shown.ordinal {way}
""")
_FACETS = sql.SQL("CASE WHEN row_number() OVER () = 1 THEN ({facets}) END").format(facets=FACETS)

_ANY = sql.SQL("SELECT {counted} FROM item_search s WHERE {where} LIMIT %s")
_MOST_POPULAR = sql.SQL("""
SELECT s.ordinal, s.document, s.popularity{counted} FROM item_search s WHERE {where}
ORDER BY s.popularity DESC, s.ordinal DESC LIMIT %s
""")
_PAGE = sql.SQL("""
SELECT s.ordinal, {key} AS key FROM {source} WHERE {where}
ORDER BY key {way}, s.ordinal {way} LIMIT %s
""")
_BEYOND = sql.SQL("{where} AND ({key}, s.ordinal) {beyond} (%s::{kind}, %s)")
_ALL = sql.SQL("item_search s")
_TO_RANK = sql.SQL("""
(SELECT ordinal, document, popularity FROM found ORDER BY popularity DESC, ordinal DESC LIMIT %s) s
""")

Statement = tuple[str, list[Any]]


class _Order:
    """expression: of `item_search s`, with `%s` for the query by relevance; kind: its type."""

    def __init__(self, expression: str, kind: str, *, descending: bool = False) -> None:
        self.key = sql.SQL(expression)
        self.way = sql.SQL("DESC" if descending else "ASC")
        self._kind = sql.SQL(kind)
        self._beyond = sql.SQL("<" if descending else ">")

    def beyond(self, where: sql.Composable) -> sql.Composable:
        return _BEYOND.format(where=where, key=self.key, kind=self._kind, beyond=self._beyond)

    def page(self, source: sql.Composable, where: sql.Composable) -> sql.Composable:
        return _PAGE.format(key=self.key, source=source, where=where, way=self.way)


_ORDERS: dict[Sort, _Order] = {
    "relevance": _Order(_RANK, "double precision", descending=True),
    "popular": _Order("s.popularity", "real", descending=True),
    "newest": _Order("s.new_since", "timestamptz", descending=True),
    "price": _Order("coalesce(s.price_amount, 9223372036854775807)", "bigint"),
    "price_descending": _Order("coalesce(s.price_amount, -1)", "bigint", descending=True),
    "title": _Order("s.title", "text"),
}


def find_statement(question: Question, n: int, after: Place | None, *, facets: bool) -> Statement:
    """Rows: the total; facets in one of them; the key of the page's order as text, `COLUMNS`. One
    item more than `n` where the page is not the last one."""
    where, asked = _where(question)
    by = [tsquery(question.groups or ())] if question.sort == "relevance" else []
    values: list[Any] = [RANKED] if by else list(asked)
    if after is not None:
        values += [*by, after.key, after.ordinal]
    text = _text(where, question.sort, is_later=after is not None, facets=facets)
    return text, [*asked, KNOWN, *by, *values, n + 1]


@lru_cache(maxsize=256)
def _text(where: str, sort: Sort, *, is_later: bool, facets: bool) -> str:
    """Put together once for each form of question: values are not part of it."""
    order = _ORDERS[sort]
    asked: sql.Composable = sql.SQL(where)
    counted = COUNTED_COLUMNS if facets else sql.SQL("")
    if sort == "relevance":
        comma = sql.SQL(", " if facets else "")
        found = _MOST_POPULAR.format(where=asked, counted=comma + counted)
        source, asked = _TO_RANK, sql.SQL("true")
    else:
        found = _ANY.format(where=asked, counted=counted)
        source = _ALL
    statement = _FIND.format(
        found=found,
        page=order.page(source, order.beyond(asked) if is_later else asked),
        facets=_FACETS if facets else sql.SQL("NULL"),
        columns=COLUMNS,
        way=order.way,
    )
    return statement.as_string(None)  # type: ignore[arg-type]  # all of it is text


def tsquery(groups: Groups) -> str:
    """Words hold letters and digits alone, so that quotes around them are safe."""
    quoted = [" | ".join(f"'{word}'" for word in group) for group in groups]
    return " & ".join(f"({group})" for group in quoted)


def _where(question: Question) -> Statement:
    parts = [VISIBLE.string]
    values: list[Any] = []
    if question.groups is not None:
        parts.append("s.document @@ to_tsquery('headrace', %s)")
        values.append(tsquery(question.groups))
    if question.filter is not None:
        text, given = condition_sql(question.filter)
        parts.append(text)
        values += given
    return " AND ".join(parts), values
