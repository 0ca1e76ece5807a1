"""What is chosen most of late: events per item, each counting half after every half-life, or each
the same within a window."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from headrace.contracts.list_kinds import Window
from headrace.index.encoding import Vector
from headrace.index.table import Ordinals
from headrace.store.database import Database
from services.ranker.metrics import TRENDING_LOADED

_ITEMS = 1_000
# Asked for by category as well, each of which has its share of them.
_ITEMS_OF_WINDOW = 5_000
# Longer than any window by so much that all events count the same.
_FOREVER_S = 1e12
WINDOWS_S: Mapping[Window, float] = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400}

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


def read_trend(
    database: Database, half_life_s: float, window_s: float, items: int = _ITEMS
) -> Trend:
    """Raises: Unavailable where Postgres is away."""
    with database.transaction() as cursor:
        cursor.execute(_QUERY, {"half_life_s": half_life_s, "window_s": window_s, "items": items})
        rows = cursor.fetchall()
    return Trend(
        np.array([ordinal for ordinal, _ in rows], dtype=np.int64),
        np.array([score for _, score in rows], dtype=np.float32),
    )


NO_TREND = Trend(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


class Trending:
    """The latest trends. Replaced as a whole; safe from any thread. loaded_at: Unix seconds."""

    def __init__(self) -> None:
        self.now = NO_TREND
        self.windows: dict[Window, Trend] = {}
        self.loaded_at: float | None = None

    def refresh(self, database: Database, half_life_s: float, window_s: float) -> None:
        """Raises: Unavailable where Postgres is away; the last trend stays then."""
        self.now = read_trend(database, half_life_s, window_s)
        self.loaded_at = time.time()
        TRENDING_LOADED.set(self.loaded_at)

    def within(self, window: Window | None) -> Trend:
        """None: of late, the latest counting most."""
        return self.now if window is None else self.windows.get(window, NO_TREND)

    def refresh_windows(self, database: Database) -> None:
        """Raises: Unavailable where Postgres is away; the last trends stay then."""
        for window, seconds in WINDOWS_S.items():
            self.windows[window] = read_trend(database, _FOREVER_S, seconds, _ITEMS_OF_WINDOW)
