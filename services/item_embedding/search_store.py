"""Browsing and searching in Postgres: table `item_search`."""

from collections.abc import Sequence

from psycopg2 import sql

from headrace.store.database import Database
from services.item_embedding.facets import facets_of
from services.item_embedding.find_statement import VISIBLE, find_statement
from services.item_embedding.found import Finding, Found, Page, Place, Question
from services.item_embedding.item_rows import item_of

_MISSES_KEPT = 10_000
_CATEGORIES = 10_000

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
_CATEGORY_COUNTS = sql.SQL("""
SELECT substr(term, 3) COLLATE "C" AS path, count(*) FROM item_search s, unnest(s.terms) AS term
WHERE {visible} AND starts_with(term, %s) GROUP BY path ORDER BY path LIMIT %s
""").format(visible=VISIBLE)
_TITLES = sql.SQL("""
SELECT i.item_id, i.title FROM item_search s JOIN items i USING (ordinal)
WHERE {visible} AND s.document @@ to_tsquery('headrace', %s)
ORDER BY s.popularity DESC, s.ordinal DESC LIMIT %s
""").format(visible=VISIBLE)


class PostgresSearch:
    """As `SearchStore` says."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, question: Question, n: int, after: Place | None, *, facets: bool) -> Finding:
        rows = self._database.read(*find_statement(question, n, after, facets=facets))
        counted = next((row[1] for row in rows if row[1] is not None), None)
        shown = [row[2:-1] for row in rows if row[2] is not None]
        ranked = question.sort == "relevance"
        items = [Found(item_of(row[1:]), float(row[0]) if ranked else 0.0) for row in shown[:n]]
        end = Place(shown[n - 1][0], shown[n - 1][1]) if len(shown) > n else None
        return Finding(
            total=rows[0][0],
            page=Page(items, end),
            facets=None if counted is None else facets_of(rows[0][0], counted),
        )

    def categories(self, under: str) -> list[tuple[str, int]]:
        prefix = f"c:{under} > " if under else "c:"
        rows = self._database.read(_CATEGORY_COUNTS, [prefix, _CATEGORIES])
        # ` ` and `>` sort before letters but not before all that a name may hold.
        return sorted(((path, n) for path, n in rows), key=lambda row: row[0].split(" > "))

    def known(self, words: Sequence[str]) -> set[str]:
        rows = self._database.read(
            "SELECT word FROM search_words WHERE word = ANY(%s)", [list(words)]
        )
        return {word for (word,) in rows}

    def near(self, word: str, keys: Sequence[str]) -> list[str]:
        # Two slips at most lie between them.
        rows = self._database.read(
            "SELECT words_near(%s, %s, %s)",
            [list(keys), len(word) - 2, len(word) + 2],
        )
        return [known for (known,) in rows]

    def titles(self, words: Sequence[str], n: int) -> list[tuple[str, str]]:
        query = " & ".join([*(f"'{word}':A" for word in words[:-1]), f"'{words[-1]}':*A"])
        rows = self._database.read(_TITLES, [query, n])
        return [(item_id, title) for item_id, title in rows]

    def miss(self, query: str) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(_MISS, (query,))
            cursor.execute(_FORGET_MISSES, (_MISSES_KEPT,))

    def misses(self, n: int) -> list[tuple[str, int]]:
        rows = self._database.read(
            "SELECT query, times FROM search_misses ORDER BY times DESC, query LIMIT %s", [n]
        )
        return [(query, times) for query, times in rows]

    def refresh_popularity(self) -> None:
        """Counts the log anew. Raises: Unavailable."""
        with self._database.transaction() as cursor:
            cursor.execute(_REFRESH_POPULARITY)
