"""What happened since the live model learned, as Postgres has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from headrace.bundle.table import ItemTable
from headrace.evaluation.drift import FEWEST, HISTORIES, POPULARITIES, stability_index
from headrace.store.database import Database
from headrace.training.preparation.kinds import KIND_NAMES
from headrace.training.preparation.postgres_source import TAUGHT_BY

# As live accuracy's reference.
_BEFORE = timedelta(days=7)

_COUNT = f"SELECT count(*) {TAUGHT_BY} AND i.occurred_at > %s"
# Of all events where it is not known what is new.
_CUTS = f"""
    SELECT percentile_disc(ARRAY[%(first)s, %(second)s]::float8[])
        WITHIN GROUP (ORDER BY extract(epoch FROM i.occurred_at)::float8)
    {TAUGHT_BY} AND (%(since)s::timestamptz IS NULL OR i.occurred_at > %(since)s)
"""  # noqa: S608
# Imports are left out, as live accuracy leaves them out. Histories beyond 100 are one range.
_INPUTS = f"""
    SELECT least(i.n, 100), i.type, t.item_id, count(*)
    {TAUGHT_BY} AND NOT i.backfill AND i.occurred_at > %s AND i.occurred_at <= %s
    GROUP BY GROUPING SETS ((least(i.n, 100)), (i.type), (t.item_id))
"""

Inputs = Mapping[str, Mapping[str, float]]
"""Events by input (`history`, `popularity`, `type`), and by its range."""


@dataclass(frozen=True)
class Cuts:
    """Moments from which validation and the test begin, in seconds since 1970."""

    validation: float
    test: float


class News:
    """Every method raises Unavailable while Postgres is away or lacks the schema."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def events(self, since: datetime) -> int:
        """How many a model could learn from now, and could not then."""
        with self._database.transaction() as cursor:
            cursor.execute(_COUNT, (since,))
            row = cursor.fetchone()
            assert row is not None
            return int(row[0])

    def cuts(self, since: datetime | None, share: float) -> Cuts | None:
        """The newest `share` of the events since then is the test, as many before it are
        validation. None: too few events, or all of one moment."""
        shares = {"first": 1 - 2 * share, "second": 1 - share, "since": since}
        with self._database.transaction() as cursor:
            cursor.execute(_CUTS, shares)
            row = cursor.fetchone()
        if row is None or row[0] is None or row[0][0] >= row[0][1]:
            return None
        return Cuts(*row[0])

    def drift(self, since: datetime, until: datetime, known: ItemTable) -> dict[str, float]:
        """Stability index by input: live events since then against those of seven days before.

        Empty where either are too few to tell.
        """
        now = self._inputs(since, until, known)
        before = self._inputs(since - _BEFORE, since, known)
        if any(sum(one["history"].values()) < FEWEST for one in (now, before)):
            return {}
        return {name: stability_index(now[name], before[name]) for name in now}

    def _inputs(self, since: datetime, until: datetime, known: ItemTable) -> Inputs:
        """`known` tells how popular items were in training."""
        counts = {
            "history": Counter[str](),
            "popularity": Counter[str](),
            "type": Counter[str](),
        }
        with self._database.transaction() as cursor:
            cursor.execute(_INPUTS, (since, until))
            for place, kind, item_id, events in cursor:
                if place is not None:
                    counts["history"][HISTORIES.of(place)] += events
                elif kind is not None:
                    counts["type"][KIND_NAMES.get(kind, str(kind))] += events
                else:
                    counts["popularity"][POPULARITIES.of(known.count(item_id))] += events
        return counts
