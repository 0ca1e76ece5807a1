"""Tells rankers of states that were moved on outside the consumer, and again until Kafka has them.

The consumer reads its records again where Kafka did not take a vector; nothing does so for a state
that the sweeper or a call has stored.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence

from headrace.errors import Unavailable
from headrace.runtime.kafka_publisher import Publisher
from services.user_embedding.consumer import VectorPublisher
from services.user_embedding.metrics import UNTOLD
from services.user_embedding.states import UserState

log = logging.getLogger(__name__)

_MOST_WAITING = 10_000
_RETRY_S = 0.5


class Announcer:
    """Publishes in a thread of its own from `start` to `stop`.

    publisher: used by nobody else, so that its flush tells of these records alone.
    """

    def __init__(
        self,
        publisher: Publisher,
        vectors: VectorPublisher,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._publisher = publisher
        self._vectors = vectors
        self._on_failure = on_failure
        self._waiting: dict[str, UserState] = {}
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announce", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Tries once more to publish what waits."""
        self._stop.set()
        self._wanted.set()
        self._thread.join(timeout_s)

    def announce(self, states: Sequence[UserState]) -> None:
        """Takes states and returns at once. Of one person's the later is published."""
        with self._lock:
            for state in states:
                self._add(state)
            while len(self._waiting) > _MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]
                UNTOLD.inc()
        if states:
            self._wanted.set()

    def forget(self, people: Collection[str]) -> int:
        """Tells nothing more of these people. Returns: of how many there was something to tell."""
        with self._lock:
            return sum(self._waiting.pop(user_id, None) is not None for user_id in people)

    def has_room(self) -> bool:
        """Whether states may be moved on in numbers: Kafka takes what there is to tell."""
        return len(self._waiting) < _MOST_WAITING // 2

    def _add(self, state: UserState) -> None:
        other = self._waiting.get(state.user_id)
        if other is None or other.position <= state.position:
            self._waiting[state.user_id] = state

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._wanted.wait()
                self._wanted.clear()
                if not self._tell():
                    self._wanted.set()
                    self._stop.wait(_RETRY_S)
            self._tell()
        except BaseException as error:
            log.critical("announcer ended", exc_info=True)
            self._on_failure(error)

    def _tell(self) -> bool:
        with self._lock:
            states, self._waiting = list(self._waiting.values()), {}
        if not states:
            return True
        try:
            self._vectors.publish(states)
            self._publisher.flush()
        except Unavailable as error:
            log.warning("vectors wait: %s", error, extra={"people": len(states)})
            self.announce(states)
            return False
        return True
