"""What was shown, on topic `impressions`: every list that was served, and what others report.

A request pays for one append to a bounded queue; a thread does the rest. Where the queue is full,
lists are served and not noted down, and counted.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, Protocol
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client import Counter, Gauge

from headrace.api.impressions.v1 import impressions_pb2
from headrace.api.ranker.v1.list_options_pb2 import LIST_KIND_SEARCH
from headrace.errors import InvalidInput, Unavailable
from headrace.runtime.filter_messages import filter_message
from headrace.runtime.kafka_publisher import Outgoing
from headrace.runtime.list_option_messages import KINDS
from headrace.runtime.people_in_records import KEY_SEPARATOR
from headrace.runtime.topics import IMPRESSIONS
from services.gateway.shown import ShownList
from services.gateway.upstream import SOURCE_NUMBERS

log = logging.getLogger(__name__)

LISTS = Counter(
    "headrace_gateway_impressions_total",
    "Lists that were served: published to Kafka, or dropped.",
    ["outcome"],
)

QUEUED = Gauge("headrace_gateway_impressions_queued", "Served lists that wait to be noted down.")

# A list of 20 takes about 6 kB here: 12 MB, two seconds of 1,000 lists/s.
_QUEUED_LISTS = 2_000
# 200 lists of 200 take 900 kB at most in Kafka, with ids as long as they may be; usually 100 kB.
_LISTS_AT_ONCE = 200
_IMPRESSIONS_AT_ONCE = 6_000
# What was served meanwhile goes to Kafka together: each time costs a request for each partition
# here, and an answer to each ranker.
LINGER_S = 0.5
"""How long a served list waits for others."""
_RETRY_S = 0.5
_FLUSH_S = 10.0


class Sink(Protocol):
    """Where records go: `headrace.runtime.kafka_publisher.Publisher`."""

    def publish(self, records: Sequence[Outgoing]) -> None: ...

    def flush(self, timeout_s: float = ...) -> None: ...

    def close(self) -> None: ...


class _Served(NamedTuple):
    at: float
    shown: ShownList


class ImpressionLog:
    """Implements `Impressions`. Connects in its thread, from `start` on."""

    def __init__(
        self,
        connect: Callable[[], Sink],
        topic: str = IMPRESSIONS,
        queued_lists: int = _QUEUED_LISTS,
    ) -> None:
        """connect: raises Unavailable while Kafka is away."""
        self._connect = connect
        self._topic = topic
        self._queued_lists = queued_lists
        self._queue: deque[_Served] = deque()
        self._stop = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="impressions", daemon=True)
        QUEUED.set_function(lambda: len(self._queue))

    def start(self) -> None:
        self._thread.start()

    def served(self, shown: ShownList) -> None:
        """Notes down a list, if there is room."""
        if len(self._queue) >= self._queued_lists:
            LISTS.labels("dropped").inc()
            return
        self._queue.append(_Served(time.time(), shown))

    def reported(self, lists: Sequence[ShownList]) -> None:
        if len(self._queue) + len(lists) > self._queued_lists:
            raise Unavailable("too many lists wait to be noted down; report them again in a second")
        now = time.time()
        self._queue.extend(_Served(now, shown) for shown in lists)

    def close(self, timeout_s: float) -> None:
        """Writes what is queued, if Kafka takes it in time."""
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        sink: Sink | None = None
        while not (self._stop.wait(LINGER_S) and not self._queue):
            if sink is None:
                sink = self._connected()
                if sink is None:
                    return
            while self._queue:
                self._write(sink)
        if sink is not None:
            sink.close()

    def _connected(self) -> Sink | None:
        """None where it was to stop before Kafka came."""
        while True:
            try:
                return self._connect()
            except Unavailable as error:
                log.debug("impressions wait for Kafka: %s", error)
            if self._stop.wait(_RETRY_S):
                return None

    def forget(self, people: Collection[str]) -> int:
        """Forgets lists of these people that wait. Afterwards none is on its way, either.

        Returns: how many waited.
        """
        with self._writing:
            waiting = len(self._queue)
            kept = [self._queue.popleft() for _ in range(waiting)]
            kept = [one for one in kept if one.shown.user_id not in people]
            self._queue.extendleft(reversed(kept))
            return waiting - len(kept)

    def forget_everybody(self) -> None:
        """What waits stays: it is written within moments."""

    def _write(self, sink: Sink) -> None:
        with self._writing:
            lists = self._next()
            if lists:
                self._publish(sink, lists)

    def _publish(self, sink: Sink, lists: Sequence[_Served]) -> None:
        try:
            sink.publish([self._record(user_id, theirs) for user_id, theirs in _by_person(lists)])
            sink.flush(_FLUSH_S)
        except (Unavailable, InvalidInput) as error:  # away, or too large a record
            LISTS.labels("dropped").inc(len(lists))
            log.warning("%d lists are not among the impressions: %s", len(lists), error)
        else:
            LISTS.labels("published").inc(len(lists))

    def _record(self, user_id: str, lists: Sequence[_Served]) -> Outgoing:
        """A record that compaction keeps, since no other has its key, until a tombstone comes."""
        key = f"{user_id}{KEY_SEPARATOR}{uuid4().hex}"
        message = impressions_pb2.ServedLists(lists=[_message(one) for one in lists])
        return Outgoing(self._topic, key.encode(), message.SerializeToString())

    def _next(self) -> list[_Served]:
        """What is written at once."""
        lists: list[_Served] = []
        impressions = 0
        while self._queue and len(lists) < _LISTS_AT_ONCE:
            impressions += len(self._queue[0].shown.items)
            if lists and impressions > _IMPRESSIONS_AT_ONCE:
                break
            lists.append(self._queue.popleft())
        return lists


def _by_person(lists: Sequence[_Served]) -> Iterator[tuple[str, list[_Served]]]:
    """The lists of each person, and of nobody under an empty id, in their order."""
    people: dict[str, list[_Served]] = {}
    for one in lists:
        people.setdefault(one.shown.user_id or "", []).append(one)
    yield from people.items()


def _message(served: _Served) -> impressions_pb2.ServedList:
    shown = served.shown
    seconds = int(served.at)
    message = impressions_pb2.ServedList(
        request_id=shown.request_id,
        user_id=shown.user_id or "",
        served_at=Timestamp(seconds=seconds, nanos=int((served.at - seconds) * 1e9)),
        model_version=shown.model_version,
        kind=LIST_KIND_SEARCH if shown.kind == "search" else KINDS[shown.kind],
        degraded=shown.degraded or "",
        personal=shown.personal,
        category=shown.category or "",
        impressions=[
            impressions_pb2.Impression(
                item_id=item.item_id,
                score=item.score,
                source=SOURCE_NUMBERS[item.source],
                propensity=item.propensity,
            )
            for item in shown.items
        ],
    )
    if shown.filter is not None:
        message.filter.CopyFrom(filter_message(shown.filter.model_dump(exclude_none=True)))
    return message
