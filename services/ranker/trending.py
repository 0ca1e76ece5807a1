"""What is chosen most of late: events per item, each counting half after every half-life."""

import logging
import threading
import time
from typing import NamedTuple

import numpy as np

from headrace.errors import Unavailable
from headrace.index.encoding import Vector
from headrace.index.table import Ordinals
from headrace.store.database import Database
from services.ranker.metrics import TRENDING_LOADED

log = logging.getLogger(__name__)

_ITEMS = 1_000
# Reading may take this share of the time: with many counts it then happens less often instead of
# keeping Postgres busy.
_BUSY_SHARE = 0.05

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


class Trending:
    """The latest trend. Replaced as a whole; safe from any thread."""

    def __init__(self) -> None:
        self.now = Trend(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


def read_trend(database: Database, half_life_s: float, window_s: float) -> Trend:
    """Raises: Unavailable where Postgres is away."""
    with database.transaction() as cursor:
        cursor.execute(_QUERY, {"half_life_s": half_life_s, "window_s": window_s, "items": _ITEMS})
        rows = cursor.fetchall()
    return Trend(
        np.array([ordinal for ordinal, _ in rows], dtype=np.int64),
        np.array([score for _, score in rows], dtype=np.float32),
    )


class TrendingReader:
    """Reads the trend again and again in a thread of its own; while Postgres is away the last one
    stays."""

    def __init__(
        self,
        trending: Trending,
        database: Database,
        *,
        half_life_s: float,
        window_s: float,
        refresh_s: float,
    ) -> None:
        self._trending = trending
        self._database = database
        self._half_life_s = half_life_s
        self._window_s = window_s
        self._refresh_s = refresh_s
        self._loaded = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trending", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        self._stop.set()
        self._thread.join(timeout_s)

    def loaded(self) -> bool:
        """True once the trend was read at all."""
        return self._loaded.is_set()

    def _run(self) -> None:
        away = False
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._trending.now = read_trend(self._database, self._half_life_s, self._window_s)
            except Unavailable as error:
                if not away:
                    log.warning("the trend stays as it is: %s", error)
                away = True
            else:
                away = False
                self._loaded.set()
                TRENDING_LOADED.set_to_current_time()
            took = time.monotonic() - began
            self._stop.wait(max(self._refresh_s, took / _BUSY_SHARE))
