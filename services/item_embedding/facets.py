"""What found items have in common."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from psycopg2 import sql

from services.item_embedding.found import Facets, NumberRange, PriceRanges

_CATEGORIES = 100
_TAGS = 50
_NAMES = 20
_VALUES = 20
_CURRENCIES = 5
_RANGES = 4
_TEXT = re.compile(r"a(\d+):(.*)", re.DOTALL)

# What `FACETS` reads of the items that were found.
COUNTED_COLUMNS = sql.SQL("s.terms, s.numbers, s.price_amount, s.price_currency")

FACETS = sql.SQL("""
SELECT json_build_array(
    (SELECT coalesce(json_agg(json_build_array(term, n) ORDER BY n DESC, term), '[]') FROM (
        SELECT term, n, left(term, 1) AS kind,
            row_number() OVER (PARTITION BY left(term, 1) ORDER BY n DESC, term) AS place
        FROM (SELECT term, count(*) AS n FROM found, unnest(terms) AS term GROUP BY term) AS each
    ) AS terms WHERE place <= CASE kind WHEN 'c' THEN {categories} WHEN 't' THEN {tags}
        ELSE 2000 END),
    (SELECT coalesce(json_agg(json_build_array(key, n, least, greatest)), '[]') FROM (
        SELECT key, count(*) AS n, min(value::double precision) AS least,
            max(value::double precision) AS greatest
        FROM found, jsonb_each_text(numbers) GROUP BY key ORDER BY n DESC, key LIMIT 20
    ) AS numbers),
    (SELECT coalesce(json_agg(json_build_array(price_currency, amounts)), '[]') FROM (
        SELECT price_currency, array_agg(price_amount ORDER BY price_amount) AS amounts
        FROM found WHERE price_currency IS NOT NULL
        GROUP BY price_currency ORDER BY count(*) DESC, price_currency LIMIT 5
    ) AS prices)
)
""").format(categories=sql.SQL(str(_CATEGORIES)), tags=sql.SQL(str(_TAGS)))


def facets_of(counted: int, row: Sequence[Any]) -> Facets:
    """From the value of `FACETS`."""
    terms, numbers, prices = row
    facets = Facets(counted)
    for term, count in terms:
        _put(facets, term, count)
    facets.numbers = [NumberRange(*number) for number in numbers[:_NAMES]]
    facets.prices = [PriceRanges(currency, ranges(amounts)) for currency, amounts in prices]
    return facets


def ranges(amounts: Sequence[int]) -> list[tuple[int, int, int]]:
    """At most four ranges of about as many prices each. amounts: [N], ascending, N > 0."""
    found: list[tuple[int, int, int]] = []
    begin = 0
    for part in range(1, _RANGES + 1):
        # A price is in one range, however many items have it.
        end = bisect_right(amounts, amounts[max(len(amounts) * part // _RANGES - 1, 0)])
        if end > begin:
            found.append((amounts[begin], amounts[end - 1], end - begin))
            begin = end
    return found


def _put(facets: Facets, term: str, count: int) -> None:
    kind, value = term[:2], term[2:]
    if kind == "c:":
        if len(facets.categories) < _CATEGORIES:
            facets.categories.append((value, count))
    elif kind == "t:":
        if len(facets.tags) < _TAGS:
            facets.tags.append((value, count))
    elif kind == "v:":
        facets.availability.append((value, count))
    elif (text := _TEXT.match(term)) is not None:
        length, rest = int(text[1]), text[2]
        name, value = rest[:length], rest[length + 1 :]
        if name in facets.texts or len(facets.texts) < _NAMES:
            values = facets.texts.setdefault(name, [])
            if len(values) < _VALUES:
                values.append((value, count))
