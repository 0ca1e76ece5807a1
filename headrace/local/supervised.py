"""One part under supervision: its state, and when it is started again after it ended."""

import logging
import threading
import time
from dataclasses import dataclass
from enum import StrEnum

from headrace.local.errors import LocalError
from headrace.local.part import Part

log = logging.getLogger(__name__)


class State(StrEnum):
    """What a part is doing."""

    STOPPED = "stopped"
    """Not launched, or ended on our wish."""
    STARTING = "starting"
    READY = "ready"
    NOT_READY = "not ready"
    """It was ready, runs, and cannot do its work now: Kafka is away, say."""
    RESTARTING = "restarting"
    """It ended by itself and waits for its next start."""
    FAILED = "failed"
    """It ended before it was ready the first time, so starting it again would not help."""


@dataclass(frozen=True)
class Backoff:
    """Pauses before restarts: the first, doubled each time up to the longest.

    A part that was ready for `forgiven_after_s` starts over with the first.
    """

    first_s: float = 0.5
    longest_s: float = 30.0
    forgiven_after_s: float = 60.0

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, at least one."""
        return float(min(self.first_s * 2 ** min(failures - 1, 30), self.longest_s))


class Supervised:
    """Watches one part. `look` is called again and again by one thread, the rest by any."""

    # How often a part that is ready is asked whether it still is.
    CHECK_SECONDS = 2.0

    def __init__(self, part: Part, backoff: Backoff) -> None:
        self.part = part
        self.state = State.STOPPED
        self.restarts = 0
        self._backoff = backoff
        self._lock = threading.RLock()
        self._was_ready = False
        self._failures = 0
        self._ready_since = 0.0
        self._next_start = 0.0
        self._next_check = 0.0

    def launch(self) -> None:
        """Start it as if for the first time. Raises LocalError."""
        with self._lock:
            self.part.launch()
            self._was_ready = False
            self._failures = 0
            self._next_check = 0.0
            self.state = State.STARTING

    def stop(self) -> int | None:
        """End it gently and leave it so. Returns its exit code, None if it never ran."""
        with self._lock:
            self.state = State.STOPPED
        self.part.stop()
        return self.part.exit_code

    def kill(self) -> None:
        """End it as a crash would and leave it so."""
        with self._lock:
            self.state = State.STOPPED
        self.part.kill()

    def prefer(self, nice: int) -> None:
        """How much it gets of a busy machine."""
        with self._lock:
            self.part.prefer(nice)

    def look(self) -> None:
        """Notice what happened, and do what is due."""
        with self._lock:
            if self.state in (State.STOPPED, State.FAILED):
                return
            if self.state is State.RESTARTING:
                self._restart_if_due()
                return
            if not self.part.running:
                self._ended()
                return
            if time.monotonic() < self._next_check:
                return
        # Asking takes time, in which others may stop or kill it.
        ready = self.part.ready()
        with self._lock:
            self._asked(ready)

    def _asked(self, ready: bool) -> None:
        if self.state is State.STOPPED or not self.part.running:
            return
        now = time.monotonic()
        if ready and self.state is not State.READY:
            self.state = State.READY
            self._was_ready = True
            self._ready_since = now
        elif not ready and self.state is State.READY:
            self.state = State.NOT_READY
        if self.state is State.READY:
            self._next_check = now + self.CHECK_SECONDS

    def _ended(self) -> None:
        if not self._was_ready:
            self.state = State.FAILED
            return
        now = time.monotonic()
        if self.state is State.READY and now - self._ready_since > self._backoff.forgiven_after_s:
            self._failures = 0
        log.warning("%s", self.part.epitaph())
        self._again(now)

    def _again(self, now: float) -> None:
        self._failures += 1
        self._next_start = now + self._backoff.pause(self._failures)
        self.state = State.RESTARTING

    def _restart_if_due(self) -> None:
        now = time.monotonic()
        if now < self._next_start:
            return
        try:
            self.part.launch()
        except LocalError as error:
            # Its port may still be held by what is left of the last run.
            log.warning("%s could not be started again: %s", self.part.name, error)
            self._again(now)
            return
        self.restarts += 1
        self._next_check = 0.0
        self.state = State.STARTING
