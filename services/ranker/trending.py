"""What is chosen most of late: events per item, each counting half after every half-life."""

from typing import NamedTuple

import numpy as np

from headrace.index.encoding import Vector
from headrace.index.table import Ordinals
from headrace.store.database import Database
from services.ranker.metrics import TRENDING_LOADED

_ITEMS = 1_000

_QUERY = """
SELECT item_ordinal,
       sum(events * power(2, -extract(epoch FROM now() - minute) / %(half_life_s)s)) AS score
FROM item_minute_counts
WHERE minute > now() - make_interval(secs => %(window_s)s)
GROUP BY item_ordinal
ORDER BY score DESC, item_ordinal
LIMIT %(items)s
"""


class Trend(NamedTuple):
    """Items by falling score: ordinals [N] and scores [N]."""

    ordinals: Ordinals
    scores: Vector


def read_trend(database: Database, half_life_s: float, window_s: float) -> Trend:
    """Raises: Unavailable where Postgres is away."""
    with database.transaction() as cursor:
        cursor.execute(_QUERY, {"half_life_s": half_life_s, "window_s": window_s, "items": _ITEMS})
        rows = cursor.fetchall()
    return Trend(
        np.array([ordinal for ordinal, _ in rows], dtype=np.int64),
        np.array([score for _, score in rows], dtype=np.float32),
    )


class Trending:
    """The latest trend. Replaced as a whole; safe from any thread."""

    def __init__(self) -> None:
        self.now = Trend(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))

    def refresh(self, database: Database, half_life_s: float, window_s: float) -> None:
        """Raises: Unavailable where Postgres is away; the last trend stays then."""
        self.now = read_trend(database, half_life_s, window_s)
        TRENDING_LOADED.set_to_current_time()
