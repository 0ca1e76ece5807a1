"""Work that is done again and again in a thread of its own, and at once where somebody asks."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from headrace.errors import Unavailable
from services.item_embedding.metrics import ROUND_FAILURES

log = logging.getLogger(__name__)

# Rounds that take long on a large catalogue must not take more than a twentieth of the time.
_REST = 20


class Periodic:
    """Calls `work` every `period_s`, less often where it takes long, and when woken.

    A round that fails is logged, counted and tried again: a dependency comes back, and one item
    that cannot be embedded must not keep the catalogue from being served.
    """

    def __init__(self, name: str, work: Callable[[], None], period_s: float) -> None:
        self._name = name
        self._work = work
        self._period_s = period_s
        self._lock = threading.Lock()
        self._waiting: list[Future[bool]] = []
        self._wanted = threading.Event()
        self._stop = threading.Event()
        self._succeeded_at: float | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Lets the round under way end."""
        self._stop.set()
        self._wanted.set()
        self._thread.join(timeout_s)

    def wake(self) -> Future[bool]:
        """Asks for a round now. The future tells whether the first one that begins from here on
        succeeded.
        """
        asked: Future[bool] = Future()
        with self._lock:
            self._waiting.append(asked)
        self._wanted.set()
        return asked

    async def run_now(self, within_s: float) -> bool:
        """`wake`, and wait. False: the round failed, or is not done within `within_s`."""
        asked = asyncio.wrap_future(self.wake())
        done, _ = await asyncio.wait({asked}, timeout=within_s)
        return bool(done) and asked.result()

    def succeeded_within(self, seconds: float) -> bool:
        """Whether a round succeeded lately."""
        at = self._succeeded_at
        return at is not None and time.monotonic() - at <= seconds

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wanted.clear()
            asked = self._take_waiting()
            began = time.monotonic()
            succeeded = self._attempt()
            for future in asked:
                future.set_result(succeeded)
            self._wanted.wait(max(self._period_s, _REST * (time.monotonic() - began)))
        for future in self._take_waiting():
            future.set_result(False)

    def _attempt(self) -> bool:
        try:
            self._work()
        except Unavailable as error:
            ROUND_FAILURES.labels(self._name).inc()
            log.warning("%s waits: %s", self._name, error)
            return False
        except Exception:
            ROUND_FAILURES.labels(self._name).inc()
            log.exception("%s failed", self._name)
            return False
        self._succeeded_at = time.monotonic()
        return True

    def _take_waiting(self) -> list[Future[bool]]:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return waiting
