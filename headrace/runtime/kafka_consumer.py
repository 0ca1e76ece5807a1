"""Reading a topic in a group: work first, commit after.

While a batch waits for a dependency (`kafka_batches`) the member stays in its group. Offsets are
committed once Kafka has everything that the work published.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from headrace.errors import Unavailable
from headrace.runtime.kafka_batches import BatchWork, backoff_s
from headrace.runtime.kafka_client import READ_OR_WRITE, Kafka, connected
from headrace.runtime.kafka_lag import LAG_PERIOD_S, LagMeter
from headrace.runtime.kafka_partitions import partition_of
from headrace.runtime.kafka_progress import Progress
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.kafka_records import Decode, Handle, Record, from_client
from headrace.runtime.metrics import KAFKA_BATCH_SECONDS, KAFKA_PROCESSED
from headrace.runtime.tracing import TRACING

log = logging.getLogger(__name__)

T = TypeVar("T")

_POLL_MS = 100
_COMMIT_PERIOD_S = 0.2  # work is idempotent: a later commit only repeats some of it after a crash
_FLUSH_S = 5.0  # half the session: a rebalance flushes on the thread that sends heartbeats
_CLOSE_S = 2.0
_GATHERED_BYTES = 1024 * 1024


class GroupConsumer(Generic[T]):
    """A member of a consumer group, in a thread of its own from `start` to `stop`.

    on_revoked: told which partitions the member lost, after their offsets were sent. It may run on
    another thread than `handle`, never at the same time, and must not call this consumer.
    on_failure: told of an error that ends the thread.
    begin: where a group begins that never committed anything.
    gather_s: how long Kafka may hold records back, so that more of them come at once.
    """

    def __init__(
        self,
        *,
        bootstrap_servers: Kafka,
        group: str,
        topic: str,
        decode: Decode[T],
        handle: Handle[T],
        publisher: Publisher,
        on_failure: Callable[[BaseException], None],
        on_revoked: Callable[[Sequence[int]], None] = lambda _partitions: None,
        max_batch: int = 1_000,
        begin: Literal["earliest", "latest"] = "earliest",
        gather_s: float = 0.0,
        lag_period_s: float = LAG_PERIOD_S,
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._gathering = _gathering(gather_s)
        self._group = group
        self._topic = topic
        self._publisher = publisher
        self._on_failure = on_failure
        self._on_revoked = on_revoked
        self._max_batch = max_batch
        self._begin = begin
        self._partitions = 0
        self._owned: frozenset[int] = frozenset()
        self._work = BatchWork(
            topic=topic,
            decode=decode,
            handle=handle,
            publish=publisher.publish,
            wait=self._wait,
        )
        self._lag = LagMeter(topic, group, lag_period_s)
        self._under_way = 0
        self._consumer: Any = None
        self._progress: Progress[Any] = Progress()
        self._failures_known = 0
        self._committed_at = 0.0
        self._rebalances = 0
        self._joined = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"consume-{topic}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Finishes the batch under way, commits, leaves the group."""
        self._stop.set()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            log.warning("did not stop in %s s", timeout_s, extra={"topic": self._topic})

    def joined(self) -> bool:
        """True once the group has given this member its share (which may be empty)."""
        return self._joined.is_set()

    def owns(self, key: bytes) -> bool:
        """Whether records of this key come to this member, at this moment."""
        owned = self._owned
        if len(owned) == self._partitions:
            return bool(owned)
        return partition_of(key, self._partitions) in owned

    def _run(self) -> None:
        try:
            self._consumer = self._connect()
            if self._consumer is None:
                return
            try:
                while not self._stop.is_set():
                    self._round()
                self._commit(wait=True)
            finally:
                self._close()
        except BaseException as error:
            log.critical("consumer ended", extra={"topic": self._topic}, exc_info=True)
            self._on_failure(error)

    def _connect(self) -> Any:
        attempt = 0
        while not self._stop.is_set():
            try:
                return self._subscribed()
            except (KafkaError, Unavailable) as error:
                log.warning("cannot join yet: %s", error, extra={"topic": self._topic})
                self._stop.wait(backoff_s(attempt))
                attempt += 1
        return None

    def _subscribed(self) -> Any:
        consumer = connected(
            KafkaConsumer,
            self._bootstrap_servers,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset=self._begin,
            max_poll_records=self._max_batch,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=1_000,  # also how soon a rebalance is noticed
            **self._gathering,
            **READ_OR_WRITE,
        )
        self._failures_known = self._publisher.failures
        consumer.subscribe([self._topic], listener=_Listener(self))
        try:
            # A leader that joins before it has the topic's metadata deals the partitions out twice.
            if self._topic not in consumer.topics():
                raise Unavailable(f"topic {self._topic} does not exist yet")
            self._partitions = len(consumer.partitions_for_topic(self._topic) or ())
        except (KafkaError, Unavailable):
            consumer.close(autocommit=False, timeout_ms=_CLOSE_S * 1000)
            raise
        return consumer

    def _close(self) -> None:
        self._lag.forget()
        try:
            self._consumer.close(autocommit=False, timeout_ms=_CLOSE_S * 1000)
        except KafkaError as error:
            # The group will notice by the session's timeout.
            log.warning("left the group without a word: %s", error, extra={"topic": self._topic})

    def _round(self) -> None:
        records = self._poll(_POLL_MS)
        if records:
            began = time.perf_counter()
            if not self._process(records):
                if self._flush():
                    self._progress.flushed()
                    self._rewind()
                return
            KAFKA_BATCH_SECONDS.labels(self._topic).observe(time.perf_counter() - began)
            KAFKA_PROCESSED.labels(self._topic).inc(len(records))
        if time.monotonic() - self._committed_at >= _COMMIT_PERIOD_S:
            self._commit(wait=False)

    def _poll(self, timeout_ms: int) -> list[Record]:
        self._lag.measure(self._consumer, self._under_way)
        try:
            polled = self._consumer.poll(timeout_ms=timeout_ms)
        except KafkaError as error:
            log.warning("poll failed: %s", error, extra={"topic": self._topic})
            self._stop.wait(backoff_s(0))
            return []
        return [from_client(raw) for batch in polled.values() for raw in batch]

    def _process(self, records: Sequence[Record]) -> bool:
        """Does the work for a batch. False: it must be read again."""
        for record in records:
            self._progress.begin(_partition(record), record.offset)
        self._under_way = len(records)
        traced = TRACING.received(records)
        done = self._work.do(traced.records)
        traced.end(self._group, done=done)
        self._under_way = 0
        if not done:
            return False
        for record in records:
            self._progress.did(_partition(record), record.offset)
        return True

    def _wait(self, seconds: float) -> bool:
        """Stays in the group without taking records. False: told to stop, or rebalanced."""
        rebalances = self._rebalances
        until = time.monotonic() + seconds
        while (
            not self._stop.is_set() and rebalances == self._rebalances and time.monotonic() < until
        ):
            self._consumer.pause(*self._consumer.assignment())
            # Partitions that a rebalance brings during the call are not paused.
            for record in reversed(self._poll(50)):
                self._consumer.seek(_partition(record), record.offset)
        self._consumer.resume(*self._consumer.paused())
        return not self._stop.is_set() and rebalances == self._rebalances

    def _commit(self, *, wait: bool) -> None:
        """Makes sure that Kafka has what was published, then commits."""
        self._committed_at = time.monotonic()
        if not self._progress.uncommitted():
            return
        if not self._flush():
            return
        self._progress.flushed()
        offsets = {
            partition: OffsetAndMetadata(offset, "", -1)
            for partition, offset in self._progress.uncommitted().items()
        }
        try:
            if wait:
                self._consumer.commit(offsets, timeout_ms=_CLOSE_S * 1000)
                self._committed(offsets, None)
            else:
                self._consumer.commit_async(offsets, callback=self._committed)
        except KafkaError as error:
            self._committed(offsets, error)

    def _flush(self) -> bool:
        """False: some of what was published may be lost, and the work since begins again."""
        try:
            self._publisher.flush(_FLUSH_S, since=self._failures_known)
        except Unavailable as error:
            self._failures_known = self._publisher.failures
            log.warning("rewinding: %s", error, extra={"topic": self._topic})
            self._rewind()
            return False
        return True

    def _committed(self, offsets: Mapping[Any, Any], outcome: object) -> None:
        if isinstance(outcome, Exception):
            log.warning("offsets not committed: %s", outcome, extra={"topic": self._topic})
            return
        self._progress.committed({part: offset.offset for part, offset in offsets.items()})

    def _rewind(self) -> None:
        assigned = self._consumer.assignment()
        for partition, offset in self._progress.rewind().items():
            if partition in assigned:
                self._consumer.seek(partition, offset)

    def revoked(self, partitions: Sequence[Any]) -> None:
        """Called while this member polls, before others get the partitions.

        On kafka-python's own thread, where blocking calls of the consumer are refused. An offset
        sent here is on its way before the request that gives the partitions up.
        """
        self._rebalances += 1
        self._owned = frozenset()
        if not self._stop.is_set():  # else the last commit was made
            self._commit(wait=False)
        if partitions:
            self._on_revoked([partition.partition for partition in partitions])

    def lost(self, partitions: Sequence[Any]) -> None:
        """The group has gone on without this member: others may have the partitions already."""
        self._rebalances += 1
        self._owned = frozenset()
        self._progress.keep(())
        if partitions:
            self._on_revoked([partition.partition for partition in partitions])

    def assigned(self, partitions: Sequence[Any]) -> None:
        """Called while this member polls, once the group has settled."""
        self._progress.keep(partitions)
        self._owned = frozenset(partition.partition for partition in partitions)
        self._joined.set()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, consumer: GroupConsumer[Any]) -> None:
        self._consumer = consumer

    def on_partitions_revoked(self, revoked: Sequence[Any]) -> None:
        self._consumer.revoked(list(revoked))

    def on_partitions_lost(self, lost: Sequence[Any]) -> None:
        self._consumer.lost(list(lost))

    def on_partitions_assigned(self, assigned: Sequence[Any]) -> None:
        self._consumer.assigned(list(assigned))


def _gathering(seconds: float) -> dict[str, int]:
    """The client's settings for it; its own where nothing is to be gathered."""
    if not seconds:
        return {}
    return {"fetch_min_bytes": _GATHERED_BYTES, "fetch_max_wait_ms": int(seconds * 1000)}


def _partition(record: Record) -> Any:
    return TopicPartition(record.topic, record.partition)
