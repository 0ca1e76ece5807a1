"""What is chosen most of late, or within a window, in which all events count the same."""

import time
from collections.abc import Mapping

from headrace.contracts.list_kinds import Window
from headrace.store.database import Database
from headrace.store.trend import NO_TREND, Trend, read_trend
from services.ranker.metrics import TRENDING_LOADED

# Asked for by category as well, each of which has its share of them.
_ITEMS_OF_WINDOW = 5_000
# Longer than any window by so much that all events count the same.
_FOREVER_S = 1e12
WINDOWS_S: Mapping[Window, float] = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400}


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
