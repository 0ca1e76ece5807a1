"""Finds people whose state is behind their log, and brings it up to date.

That is what an interaction lost on its way leaves behind, and what a new model version begins with.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from headrace.runtime.share import Share
from services.user_embedding.interactions import Mark

log = logging.getLogger(__name__)

# A log at rest for so long has not merely its interactions on their way.
SETTLED_S = 3.0
# Rows are dated when their transaction begins and seen when it ends: look again at the last ones.
_OVERLAP = timedelta(seconds=SETTLED_S + 12)
# Some 30 ms of work at once, with 50 events each.
_PEOPLE = 40


class LaggingLogs(Protocol):
    """Finds logs that are ahead of the states of a model version. See `log_store`."""

    def now(self) -> datetime: ...

    def behind(self, after: str, settled_s: float, limit: int) -> Sequence[str]: ...

    def behind_lately(self, since: Mark, settled_s: float, limit: int) -> Sequence[Mark]: ...


class Sweeper:
    """The work of one round: all logs once, then those that changed lately.

    repair: brings people's states up to date. may_sweep: whether that can be done now. share: of a
    new model everybody is behind, and lists are made meanwhile.
    """

    def __init__(
        self,
        logs: LaggingLogs,
        repair: Callable[[Sequence[str]], None],
        share: Share,
        may_sweep: Callable[[], bool] = lambda: True,
    ) -> None:
        self._logs = logs
        self._repair = repair
        self._may_sweep = may_sweep
        self._share = share
        self._after = ""
        self._seen_all = False
        self._since: Mark | None = None
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ends a sweep under way after its present people."""
        self._stopping.set()

    def sweep(self) -> None:
        """Repairs until nobody is left, `_PEOPLE` at a time. Raises: as `sweep_some`."""
        while self._may_sweep():
            began = time.monotonic()
            if not self.sweep_some():
                return
            if self._stopping.wait(self._share.rest_s(time.monotonic() - began)):
                return

    def sweep_some(self) -> bool:
        """Repairs some people. Returns: whether more are waiting.

        Raises: Unavailable where that cannot be done now; the next call goes on from there.
        """
        if self._since is None:
            self._since = Mark(self._logs.now() - _OVERLAP)
        more_of_late = self._sweep_late(self._since)
        return self._sweep_all() or more_of_late

    def _sweep_late(self, since: Mark) -> bool:
        now = self._logs.now()
        found = self._logs.behind_lately(since, SETTLED_S, _PEOPLE)
        self._mend([mark.user_id for mark in found])
        more = len(found) == _PEOPLE
        self._since = found[-1] if more else Mark(now - _OVERLAP)
        return more

    def _sweep_all(self) -> bool:
        if self._seen_all:
            return False
        found = self._logs.behind(self._after, SETTLED_S, _PEOPLE)
        self._mend(found)
        self._seen_all = len(found) < _PEOPLE
        self._after = found[-1] if found else ""
        return not self._seen_all

    def _mend(self, user_ids: Sequence[str]) -> None:
        if user_ids:
            log.info("states behind their logs", extra={"people": len(user_ids)})
            self._repair(user_ids)
