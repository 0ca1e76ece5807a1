"""What is derived from the log and the catalogue, and how each of it is made anew.

Vectors and states need the model, which runs in the services: rebuilding them means to mark what
is stored as older than its source, and to wait until the services have caught up. They do the same
after a new model or a crash. Until then what was there before goes on serving.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

Cursor = Any


class Chunk(NamedTuple):
    """What one transaction did: the last key in order, and how many."""

    last: str
    size: int


class Step(Protocol):
    """One kind of derived thing, in an order of keys that are text."""

    name: str
    unit: str
    owner: str
    """The service that does the work; empty: Postgres itself."""

    def total(self, cursor: Cursor) -> int: ...

    def give(self, cursor: Cursor, after: str, limit: int) -> Chunk:
        """Does, or marks to be done, what follows `after`; at most `limit`."""
        ...

    def outstanding(self, cursor: Cursor) -> int:
        """How much the owner still has before it."""
        ...


class Trending:
    """Counts behind what is trending, in one transaction.

    Events are stored and counted in one transaction, counts last. Under the lock none of them is
    half-way: those before are seen, those after wait to add theirs. Meanwhile events wait in Kafka.
    """

    name, unit, owner = "trending", "counts", ""

    def __init__(self, kept_h: float) -> None:
        """kept_h: older events are not counted."""
        self._kept_h = kept_h

    def total(self, cursor: Cursor) -> int:
        cursor.execute("SELECT count(*) FROM item_minute_counts")
        return int(cursor.fetchone()[0])

    def give(self, cursor: Cursor, after: str, limit: int) -> Chunk:
        if after:
            return Chunk(after, 0)
        cursor.execute(_COUNT_ANEW, {"kept_s": self._kept_h * 3_600})
        return Chunk("all", max(1, cursor.rowcount))

    def outstanding(self, _cursor: Cursor) -> int:
        return 0


class Search:
    """What is browsed and searched, and the words that queries may stand for."""

    name, unit, owner = "search", "items", ""

    def total(self, cursor: Cursor) -> int:
        return _items(cursor)

    def give(self, cursor: Cursor, after: str, limit: int) -> Chunk:
        ordinals = _ordinals(cursor, after, limit)
        if not ordinals:
            cursor.execute(_FORGET_WORDS)
            return Chunk(after, 0)
        cursor.execute("SELECT index_items(%s)", (ordinals,))
        return Chunk(str(ordinals[-1]), len(ordinals))

    def outstanding(self, _cursor: Cursor) -> int:
        return 0


class Behaviour:
    """What is counted of behaviour: materialised views, in the order in which they build up."""

    name, unit, owner = "behaviour", "views", ""

    def total(self, cursor: Cursor) -> int:
        return len(self._views(cursor, ""))

    def give(self, cursor: Cursor, after: str, limit: int) -> Chunk:
        for key, view in self._views(cursor, after)[:1]:
            cursor.execute(f"REFRESH MATERIALIZED VIEW {view}")
            return Chunk(key, 1)
        return Chunk(after, 0)

    def outstanding(self, _cursor: Cursor) -> int:
        return 0

    def _views(self, cursor: Cursor, after: str) -> Sequence[tuple[str, str]]:
        cursor.execute(_VIEWS)
        return [(key, view) for key, view in cursor.fetchall() if key > after]


class Changes:
    """Topic `items`: the last change of each item, published again."""

    name, unit, owner = "items", "items", "item_embedding"

    def total(self, cursor: Cursor) -> int:
        return _items(cursor)

    def give(self, cursor: Cursor, after: str, limit: int) -> Chunk:
        ordinals = _ordinals(cursor, after, limit)
        cursor.execute(
            "UPDATE items SET published_revision = 0 WHERE ordinal = ANY(%s)", (ordinals,)
        )
        return Chunk(str(ordinals[-1]) if ordinals else after, len(ordinals))

    def outstanding(self, cursor: Cursor) -> int:
        cursor.execute("SELECT count(*) FROM items WHERE published_revision < revision")
        return int(cursor.fetchone()[0])


class ItemVectors:
    """Vectors of items, embedded and published again."""

    name, unit, owner = "vectors", "items", "item_embedding"

    def __init__(self, model_version: str) -> None:
        self._model_version = model_version

    def total(self, cursor: Cursor) -> int:
        return _items(cursor)

    def give(self, cursor: Cursor, after: str, limit: int) -> Chunk:
        ordinals = _ordinals(cursor, after, limit)
        cursor.execute(_AGE_VECTORS, (self._model_version, ordinals))
        return Chunk(str(ordinals[-1]) if ordinals else after, len(ordinals))

    def outstanding(self, cursor: Cursor) -> int:
        cursor.execute(_VECTORS_BEHIND, (self._model_version,))
        return int(cursor.fetchone()[0])


class States:
    """States and vectors of people: a new epoch of each log, after which its state begins anew."""

    name, unit, owner = "states", "people", "user_embedding"

    def __init__(self, model_version: str) -> None:
        self._model_version = model_version

    def total(self, cursor: Cursor) -> int:
        cursor.execute("SELECT count(*) FROM user_counters")
        return int(cursor.fetchone()[0])

    def give(self, cursor: Cursor, after: str, limit: int) -> Chunk:
        cursor.execute(_NEXT_LOGS, (after, limit))
        people = [user_id for (user_id,) in cursor.fetchall()]
        cursor.execute(
            "UPDATE user_counters SET epoch = epoch + 1, updated_at = now()"
            " WHERE user_id = ANY(%s)",
            (people,),
        )
        return Chunk(people[-1] if people else after, len(people))

    def outstanding(self, cursor: Cursor) -> int:
        cursor.execute(_STATES_BEHIND, (self._model_version,))
        return int(cursor.fetchone()[0])


def steps(model_version: str, trending_window_h: float) -> list[Step]:
    """In the order in which one builds on the other."""
    return [
        Trending(max(trending_window_h, _WEEK_H)),
        Search(),
        Behaviour(),
        Changes(),
        ItemVectors(model_version),
        States(model_version),
    ]


# The longest window that lists ask for: event_ingest keeps as much.
_WEEK_H = 168.0
# As event_ingest counts: no imports, no dislikes (6), nothing that was taken back.
_COUNT_ANEW = """
LOCK TABLE item_minute_counts IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM item_minute_counts;
INSERT INTO item_minute_counts (minute, item_ordinal, events)
SELECT date_trunc('minute', occurred_at), item_ordinal, count(*)
FROM standing_interactions
WHERE NOT backfill AND type <> 6 AND occurred_at > now() - make_interval(secs => %(kept_s)s)
GROUP BY 1, 2
"""
_FORGET_WORDS = """
DELETE FROM search_words w WHERE NOT EXISTS (
    SELECT FROM items i, string_to_table(
        folded(i.title || ' ' || array_to_string(i.tags, ' ')), ' ') AS word
    WHERE word = w.word
)
"""
_VIEWS = """
SELECT lpad(c.oid::text, 10, '0'), format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND n.nspname = current_schema() ORDER BY c.oid
"""
_AGE_VECTORS = """
UPDATE item_vectors SET revision = 0, published = false
WHERE model_version = %s AND ordinal = ANY(%s)
"""
_VECTORS_BEHIND = """
SELECT count(*) FROM items i
LEFT JOIN item_vectors v ON v.model_version = %s AND v.ordinal = i.ordinal
WHERE v.revision IS DISTINCT FROM i.revision OR NOT v.published
"""
# In the order of event_ingest, so that the two wait for each other instead of deadlocking.
_NEXT_LOGS = """
SELECT user_id FROM user_counters WHERE user_id > %s ORDER BY user_id LIMIT %s FOR NO KEY UPDATE
"""
_STATES_BEHIND = """
SELECT count(*) FROM user_counters c
LEFT JOIN user_states s ON s.user_id = c.user_id AND s.model_version = %s
WHERE (c.epoch, c.n) > (coalesce(s.epoch, 0), coalesce(s.n, 0))
"""


def _items(cursor: Cursor) -> int:
    cursor.execute("SELECT count(*) FROM items")
    return int(cursor.fetchone()[0])


def _ordinals(cursor: Cursor, after: str, limit: int) -> list[int]:
    cursor.execute(
        "SELECT ordinal FROM items WHERE ordinal > %s ORDER BY ordinal LIMIT %s",
        (int(after or 0), limit),
    )
    return [ordinal for (ordinal,) in cursor.fetchall()]
