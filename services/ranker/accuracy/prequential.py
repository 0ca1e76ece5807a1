"""Each click against the list before it: test, then learn (Dawid 1984, "prequential").

Gama et al. 2013, https://doi.org/10.1007/s10994-012-5320-9, on judging what learns from a stream.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from services.ranker.accuracy import metrics
from services.ranker.accuracy.before import Before
from services.ranker.accuracy.clicks import INTEREST, Click
from services.ranker.accuracy.sampling import Budget
from services.ranker.users import UserVector

# A vector takes some ten milliseconds; user_embedding may be catching up.
PATIENCE_S = 2.0
_QUEUED = 1_000
# A round takes 0.2 s at most.
_ROUND = 100
OUTCOMES = (
    "scored", "import", "no_interest", "not_sampled", "too_many",
    "unremembered", "between", "not_yet", "hidden", "repeat",
)  # fmt: skip


class Places(Protocol):
    """Who ranks: `services.ranker.accuracy.places.Places`."""

    def shows(self, ordinal: int) -> bool: ...

    def place(self, ordinal: int, person: UserVector | None) -> int | None: ...


class _Waiting(NamedTuple):
    click: Click
    weight: float
    since: float


class Prequential:
    """Takes clicks on one thread, scores them on another, in rounds."""

    def __init__(
        self,
        *,
        model_version: str,
        places: Places,
        before: Before,
        budget: Budget,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = places
        self._before = before
        self._budget = budget
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._tallies = {person: Tally(model_version, person) for person in ("known", "new")}
        for outcome in OUTCOMES:
            metrics.EVENTS.labels(outcome)
        metrics.WAITING.set_function(lambda: len(self._queue))

    def take(self, clicks: Sequence[Click]) -> None:
        """Notes what is to be scored, and counts what is not."""
        for click in clicks:
            outcome = self._taken(click)
            if outcome:
                metrics.EVENTS.labels(outcome).inc()

    def score(self) -> None:
        """One round: what can be scored by now, or no more."""
        for waiting in self._next():
            outcome = self._scored(waiting)
            if outcome:
                metrics.EVENTS.labels(outcome).inc()
                continue
            with self._lock:
                self._queue.append(waiting)

    def _taken(self, click: Click) -> str:
        """Empty: it waits to be scored. Else why it does not."""
        if click.backfill:
            return "import"
        if click.type not in INTEREST:
            return "no_interest"
        weight = self._budget.weight(click.event_id)
        if not weight:
            return "not_sampled"
        with self._lock:
            if len(self._queue) >= _QUEUED:
                return "too_many"
            self._queue.append(_Waiting(click, weight, self._clock()))
        return ""

    def _next(self) -> list[_Waiting]:
        with self._lock:
            return [self._queue.popleft() for _ in range(min(_ROUND, len(self._queue)))]

    def _scored(self, waiting: _Waiting) -> str:
        """What became of it; empty: it must wait for the vector."""
        click = waiting.click
        person: UserVector | None = None
        if click.n > 1:
            found = self._before.at(click.user_id, click.before)
            if isinstance(found, str):
                waited = self._clock() - waiting.since
                return "" if found != "between" and waited < PATIENCE_S else found
            person = found
            if click.ordinal in person.seen or click.ordinal in person.recent:
                return "repeat"
        if not self._places.shows(click.ordinal):
            return "hidden"
        tally = self._tallies["new" if person is None else "known"]
        tally.count(self._places.place(click.ordinal, person), waiting.weight)
        return "scored"


class Tally:
    """Sums over the clicks of one kind of person. There from the start, so that rates are known."""

    def __init__(self, model_version: str, person: str) -> None:
        self._clicks = metrics.CLICKS.labels(model_version, person)
        self._hits = {
            k: metrics.HITS.labels(model_version, person, str(k)) for k in metrics.HIT_RATES_AT
        }
        self._gains = metrics.GAINS.labels(model_version, person)
        self._reciprocals = metrics.RECIPROCAL_RANKS.labels(model_version, person)

    def count(self, place: int | None, weight: float) -> None:
        """place: from 1; None: beyond every k."""
        self._clicks.inc(weight)
        if place is None:
            return
        for k, hits in self._hits.items():
            if place <= k:
                hits.inc(weight)
        if place <= metrics.K:
            self._gains.inc(weight / math.log2(place + 1))
            self._reciprocals.inc(weight / place)
