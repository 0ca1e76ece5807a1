"""Reading a topic in a group: work first, commit after; what cannot be used is dead-lettered.

A batch that fails because a dependency is away comes again after a pause, with the member staying
in its group. A batch that fails for another reason is halved until the record at fault is alone.
Offsets are committed once Kafka has everything that the work published.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from headrace.errors import Unavailable
from headrace.runtime.dead_letters import letters
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.kafka_records import (
    Decode,
    Handle,
    Message,
    Record,
    Refusal,
    decoded,
    from_client,
)
from headrace.runtime.metrics import KAFKA_BATCH_SECONDS, KAFKA_PROCESSED, KAFKA_RETRIES

log = logging.getLogger(__name__)

T = TypeVar("T")

_POLL_MS = 100
_COMMIT_PERIOD_S = 0.2  # work is idempotent: a later commit only repeats some of it after a crash
_BACKOFF_S = (0.1, 0.2, 0.5, 1.0)


class GroupConsumer(Generic[T]):
    """A member of a consumer group, in a thread of its own from `start` to `stop`.

    on_revoked: told which partitions the member lost, after their offsets were committed.
    on_failure: told of an error that ends the thread.
    """

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        group: str,
        topic: str,
        decode: Decode[T],
        handle: Handle[T],
        publisher: Publisher,
        on_failure: Callable[[BaseException], None],
        on_revoked: Callable[[Sequence[int]], None] = lambda _partitions: None,
        max_batch: int = 1_000,
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._group = group
        self._topic = topic
        self._decode = decode
        self._handle = handle
        self._publisher = publisher
        self._on_failure = on_failure
        self._on_revoked = on_revoked
        self._max_batch = max_batch
        self._consumer: Any = None
        self._done: dict[Any, int] = {}
        self._committed_at = 0.0
        self._joined = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"consume-{topic}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Finishes the batch under way, commits, leaves the group."""
        self._stop.set()
        self._thread.join(timeout_s)

    def joined(self) -> bool:
        """True once the group has given this member its share (which may be empty)."""
        return self._joined.is_set()

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
                self._consumer.close(autocommit=False)
        except BaseException as error:
            log.critical("consumer ended", extra={"topic": self._topic}, exc_info=True)
            self._on_failure(error)

    def _connect(self) -> Any:
        attempt = 0
        while not self._stop.is_set():
            try:
                consumer = KafkaConsumer(
                    bootstrap_servers=self._bootstrap_servers.split(","),
                    group_id=self._group,
                    enable_auto_commit=False,
                    auto_offset_reset="earliest",
                    allow_auto_create_topics=False,
                    max_poll_records=self._max_batch,
                    fetch_max_wait_ms=_POLL_MS * 5,
                    reconnect_backoff_max_ms=1_000,
                    session_timeout_ms=10_000,
                    heartbeat_interval_ms=3_000,
                    metrics_enabled=False,
                )
            except KafkaError as error:
                log.warning("Kafka does not answer: %s", error, extra={"topic": self._topic})
                self._stop.wait(_backoff(attempt))
                attempt += 1
            else:
                consumer.subscribe([self._topic], listener=_Listener(self))
                return consumer
        return None

    def _round(self) -> None:
        try:
            polled = self._consumer.poll(timeout_ms=_POLL_MS)
        except KafkaError as error:
            log.warning("poll failed: %s", error, extra={"topic": self._topic})
            self._stop.wait(_backoff(0))
            return
        records = [from_client(raw) for batch in polled.values() for raw in batch]
        if records:
            began = time.perf_counter()
            if not self._process(records):
                return
            KAFKA_BATCH_SECONDS.labels(self._topic).observe(time.perf_counter() - began)
            KAFKA_PROCESSED.labels(self._topic).inc(len(records))
        if time.monotonic() - self._committed_at >= _COMMIT_PERIOD_S:
            self._commit(wait=False)

    def _process(self, records: Sequence[Record]) -> bool:
        """Does the work for a batch. False: told to stop before it was done."""
        messages, refusals = decoded(records, self._decode)
        outcome = self._handled(messages)
        if outcome is None:
            return False
        self._publisher.publish(letters([*refusals, *outcome]))
        assigned = self._consumer.assignment()
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            if partition in assigned:
                self._done[partition] = record.offset + 1
        return True

    def _handled(self, messages: Sequence[Message[T]]) -> list[Refusal] | None:
        """The refusals of a batch; None: told to stop before it was done."""
        attempt = 0
        while messages:
            try:
                return list(self._handle(messages))
            except Unavailable as error:
                KAFKA_RETRIES.labels(self._topic).inc()
                log.warning(
                    "batch waits: %s", error, extra={"topic": self._topic, "records": len(messages)}
                )
                if not self._wait(_backoff(attempt)):
                    return None
                attempt += 1
            except Exception as error:
                if len(messages) == 1:
                    log.exception("record refused", extra={"topic": self._topic})
                    return [Refusal(messages[0].record, "processing_failed", repr(error))]
                middle = len(messages) // 2
                first = self._handled(messages[:middle])
                second = None if first is None else self._handled(messages[middle:])
                return None if first is None or second is None else first + second
        return []

    def _wait(self, seconds: float) -> bool:
        """Stays in the group without fetching. False: told to stop."""
        self._consumer.pause(*self._consumer.assignment())
        until = time.monotonic() + seconds
        while not self._stop.is_set() and time.monotonic() < until:
            try:
                self._consumer.poll(timeout_ms=50)
            except KafkaError as error:
                log.warning("poll failed: %s", error, extra={"topic": self._topic})
                self._stop.wait(0.05)
        self._consumer.resume(*self._consumer.paused())
        return not self._stop.is_set()

    def _commit(self, *, wait: bool) -> None:
        self._committed_at = time.monotonic()
        if not self._done:
            return
        try:
            self._publisher.flush()
            offsets = {
                partition: OffsetAndMetadata(offset, "", -1)
                for partition, offset in self._done.items()
            }
            if wait:
                self._consumer.commit(offsets, timeout_ms=5_000)
            else:
                self._consumer.commit_async(offsets)
            self._done.clear()
        except Unavailable as error:
            # What was published may be lost: do the work since the last commit again.
            log.warning("rewinding: %s", error, extra={"topic": self._topic})
            self._rewind()
        except KafkaError as error:
            log.warning("offsets not committed: %s", error, extra={"topic": self._topic})

    def _rewind(self) -> None:
        self._done.clear()
        for partition in self._consumer.assignment():
            try:
                offset = self._consumer.committed(partition, timeout_ms=5_000)
            except KafkaError as error:
                log.warning("cannot rewind yet: %s", error, extra={"topic": self._topic})
                self._stop.wait(_backoff(0))
                continue
            if offset is None:
                self._consumer.seek_to_beginning(partition)
            else:
                self._consumer.seek(partition, offset)

    def revoked(self, partitions: Sequence[Any]) -> None:
        """Called by the client while it polls, before other members get the partitions."""
        self._commit(wait=True)
        for partition in partitions:
            self._done.pop(partition, None)
        if partitions:
            self._on_revoked([partition.partition for partition in partitions])

    def assigned(self) -> None:
        """Called by the client while it polls, once the group has settled."""
        self._joined.set()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, consumer: GroupConsumer[Any]) -> None:
        self._consumer = consumer

    def on_partitions_revoked(self, revoked: Sequence[Any]) -> None:
        self._consumer.revoked(list(revoked))

    def on_partitions_assigned(self, assigned: Sequence[Any]) -> None:
        self._consumer.assigned()


def _backoff(attempt: int) -> float:
    return _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)]
