"""Work that is done again and again in a thread of its own, and at once where somebody asks."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from headrace.errors import Unavailable
from headrace.runtime.metrics import ROUND_FAILURES

log = logging.getLogger(__name__)


def _go_on(_error: BaseException) -> None:
    """The next round may do better, and what is there meanwhile can be served."""


class Periodic:
    """Calls `work` every `period_s`, and when woken, from `start` to `stop`.

    A round that fails is counted, logged and tried again.

    busy_share: of the time that rounds may take. Where they take longer they happen less often.
    on_failure: told of an error that does not pass by itself, as Unavailable does.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        period_s: float,
        *,
        busy_share: float = 1.0,
        on_failure: Callable[[BaseException], None] = _go_on,
    ) -> None:
        self._name = name
        self._work = work
        self._period_s = period_s
        self._rest = 1 / busy_share - 1
        self._on_failure = on_failure
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

    def succeeded(self) -> bool:
        """Whether a round ever succeeded."""
        return self._succeeded_at is not None

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
            self._wanted.wait(max(self._period_s, self._rest * (time.monotonic() - began)))
        for future in self._take_waiting():
            future.set_result(False)

    def _attempt(self) -> bool:
        try:
            self._work()
        except Unavailable as error:
            ROUND_FAILURES.labels(self._name).inc()
            log.warning("%s waits: %s", self._name, error)
            return False
        except Exception as error:
            ROUND_FAILURES.labels(self._name).inc()
            log.exception("%s failed", self._name)
            self._on_failure(error)
            return False
        self._succeeded_at = time.monotonic()
        return True

    def _take_waiting(self) -> list[Future[bool]]:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return waiting
