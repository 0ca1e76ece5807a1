"""What is chosen most of late: events per item, each counting half after every half-life."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headrace.index.encoding import Vector
from headrace.index.table import Ordinals
from headrace.store.database import Database

_ITEMS = 1_000

_QUERY = """
SELECT item_ordinal,
       sum(events * power(2, -extract(epoch FROM now() - minute) / %(half_life_s)s)) AS score
FROM item_minute_counts
WHERE minute > now() - make_interval(secs => %(window_s)s) AND events > 0
GROUP BY item_ordinal
ORDER BY score DESC, item_ordinal
LIMIT %(items)s
"""


class Trend(NamedTuple):
    """Items by falling score: ordinals [N] and scores [N]."""

    ordinals: Ordinals
    scores: Vector


NO_TREND = Trend(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


def read_trend(
    database: Database, half_life_s: float, window_s: float, items: int = _ITEMS
) -> Trend:
    """window_s: older events do not count. Raises: Unavailable where Postgres is away."""
    with database.transaction() as cursor:
        cursor.execute(_QUERY, {"half_life_s": half_life_s, "window_s": window_s, "items": items})
        rows = cursor.fetchall()
    return Trend(
        np.array([ordinal for ordinal, _ in rows], dtype=np.int64),
        np.array([score for _, score in rows], dtype=np.float32),
    )
