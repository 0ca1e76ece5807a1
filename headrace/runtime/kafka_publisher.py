"""Writing to Kafka: idempotent, acknowledged by all in-sync replicas, failures never lost."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError
from prometheus_client import Counter

from headrace.errors import DeadlineExceeded, InvalidInput, Unavailable
from headrace.runtime.context import TRACEPARENT, current
from headrace.runtime.kafka_acknowledgements import Answer, Parcel
from headrace.runtime.kafka_client import READ_OR_WRITE, Kafka, connected
from headrace.runtime.kafka_partitions import ByKey
from headrace.runtime.kafka_records import Headers
from headrace.runtime.metrics import KAFKA_PENDING, KAFKA_PUBLISHED
from headrace.runtime.topics import LETTER_BYTES, RECORD_BYTES, holds_dead_letters

log = logging.getLogger(__name__)

_METADATA_S = 5.0
_BATCH_BYTES = 16_384
# Of records that may wait for each other, by partition; below what a topic takes at once.
_GATHERED_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to write. `value` None deletes the key from a compacted topic."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers = ()


class Publisher:
    """A producer that remembers failures until `flush` reports them. Safe from any thread."""

    def __init__(
        self,
        bootstrap_servers: Kafka,
        delivery_timeout_s: float = 120.0,
        pending_limit_bytes: int = 64 * 1024 * 1024,
        linger_s: float = 0.0,
    ) -> None:
        """
        delivery_timeout_s: after this a record that Kafka has not taken counts as failed.
        pending_limit_bytes: of keys and values on their way to Kafka. kafka-python itself would
            take records until memory ends.
        linger_s: how long a record may wait for others to be sent with; `flush` waits for none.
        Raises: Unavailable where Kafka does not answer.
        """
        self._pending_limit_bytes = pending_limit_bytes
        self._bootstrap_servers = bootstrap_servers
        self._delivery_timeout_s = delivery_timeout_s
        self._linger_s = linger_s
        self._lock = threading.Lock()
        self._failures = 0
        self._failures_reported = 0
        self._last_failure: Exception | None = None
        self._pending_bytes = 0
        self._poisoned: Any = None
        self._producer = self._connect()
        # One thread: records of concurrent calls keep the order in which the calls were made, and
        # calls that wait for metadata do not use up the threads of everybody else.
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="publish")

    @property
    def failures(self) -> int:
        """Number of records, ever, that were handed to `publish` and not taken by Kafka."""
        return self._failures

    def publish(self, records: Sequence[Outgoing]) -> None:
        """Hands records over; `flush` tells whether Kafka took them.

        Raises: Unavailable where too much is waiting for Kafka already; InvalidInput where a
        record is too large. Then none of them is handed over.
        """
        self._send(records, self._remember, _nothing_to_tell)

    def flush(self, timeout_s: float = 30.0, since: int | None = None) -> None:
        """Waits until Kafka has every record handed over.

        since: value of `failures` that the caller knows about. Without it: those that no call
        without it has reported, which suits a publisher with one user.
        Raises: Unavailable where a record was not taken.
        """
        try:
            self._producer.flush(timeout=timeout_s)
        except KafkaError as error:
            raise DeadlineExceeded(f"Kafka did not take records in {timeout_s} s") from error
        with self._lock:
            known = self._failures_reported if since is None else since
            if since is None:
                self._failures_reported = self._failures
            failed, reason = self._failures - known, self._last_failure
        if failed > 0:
            raise Unavailable(f"Kafka did not take {failed} records: {reason!r}") from reason

    async def publish_and_wait(self, records: Sequence[Outgoing], timeout_s: float) -> None:
        """Writes records and returns once Kafka has all of them.

        Raises: Unavailable where one was not taken; DeadlineExceeded where that is not known in
        time: it may be taken later. InvalidInput where a record is too large.
        """
        if not records:
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Exception | None] = loop.create_future()
        answer = Answer(loop, done)

        def send() -> None:
            self._send(records, answer.give, answer.give)

        try:
            async with asyncio.timeout(timeout_s):
                # In a thread, since it blocks while metadata is missing.
                await loop.run_in_executor(self._sender, contextvars.copy_context().run, send)
                failure = await done
        except TimeoutError as error:
            raise DeadlineExceeded(f"Kafka did not confirm within {timeout_s} s") from error
        if failure is not None:
            raise Unavailable(f"Kafka did not take a record: {failure!r}") from failure

    def close(self, timeout_s: float = 10.0) -> None:
        """Waits for what is under way, then closes. What Kafka has not taken by then is lost."""
        self._sender.shutdown(wait=False, cancel_futures=True)
        _close(self._producer, timeout_s)

    def _connect(self) -> Any:
        delivery_timeout_ms = int(self._delivery_timeout_s * 1000)
        linger_ms = int(self._linger_s * 1000)
        # kafka-python wants lingering and one request within the time of delivery.
        request_timeout_ms = min(
            READ_OR_WRITE["request_timeout_ms"], delivery_timeout_ms - linger_ms
        )
        settings = {
            **READ_OR_WRITE,
            "request_timeout_ms": request_timeout_ms,
            "delivery_timeout_ms": delivery_timeout_ms,
            "max_block_ms": min(int(_METADATA_S * 1000), delivery_timeout_ms),
        }
        return connected(
            KafkaProducer,
            self._bootstrap_servers,
            acks="all",
            enable_idempotence=True,
            linger_ms=linger_ms,
            batch_size=_GATHERED_BYTES if self._linger_s else _BATCH_BYTES,
            max_request_size=LETTER_BYTES,
            partitioner=ByKey(),
            **settings,
        )

    def _healthy(self) -> Any:
        """The producer; a new one where a record of the last one failed.

        kafka-python 3.0.12's idempotent producer never sends again once it gave up a record that it
        had sent before (it drops its producer id and asks for no other), nor after an error that is
        not worth a retry, such as a record that the broker finds invalid.
        """
        with self._lock:
            if self._producer is self._poisoned:
                self._producer = self._connect()
                log.warning("replaced a producer that failed: %r", self._last_failure)
                _close(self._poisoned, 0.0)
                self._poisoned = None
            return self._producer

    def _send(
        self,
        records: Sequence[Outgoing],
        failed: Callable[[Exception], None],
        taken: Callable[[], None],
    ) -> None:
        """failed: told of each record that Kafka did not take. taken: called once all are."""
        if not records:
            return
        size = sum(map(_checked_size, records))
        producer = self._healthy()
        with self._lock:
            if self._pending_bytes + size > self._pending_limit_bytes:
                raise Unavailable(f"{self._pending_bytes} bytes wait for Kafka already")
            self._pending_bytes += size
        KAFKA_PENDING.inc(size)

        def fail(error: Exception) -> None:
            with self._lock:
                self._last_failure = error
                self._poisoned = producer
            failed(error)

        def settled(counts: Mapping[str, int]) -> None:
            with self._lock:
                self._pending_bytes -= size
            KAFKA_PENDING.dec(size)
            for topic, count in counts.items():
                _published(topic).inc(count)

        parcel = Parcel(len(records), fail, taken, settled)
        context = current()
        trace = [] if context is None else [(TRACEPARENT, context.traceparent().encode())]
        for place, record in enumerate(records):
            headers = list(record.headers)
            if trace and not any(key == TRACEPARENT for key, _ in headers):
                headers += trace
            try:
                future = producer.send(
                    record.topic, key=record.key, value=record.value, headers=headers
                )
            except KafkaError as error:
                parcel.withdraw(len(records) - place)
                raise Unavailable(f"Kafka topic {record.topic} took no record: {error}") from error
            future.chain(parcel)

    def _remember(self, _failure: Exception) -> None:
        with self._lock:
            self._failures += 1


def _checked_size(record: Outgoing) -> int:
    size = len(record.key) + len(record.value or b"")
    if size > RECORD_BYTES and not holds_dead_letters(record.topic):
        raise InvalidInput.of(record.topic, f"a record of {size} bytes; at most {RECORD_BYTES}")
    return size


def _nothing_to_tell() -> None:
    """Whoever publishes without waiting asks `flush`."""


@cache
def _published(topic: str) -> Counter:
    return KAFKA_PUBLISHED.labels(topic)


def _close(producer: Any, timeout_s: float) -> None:
    try:
        producer.close(timeout=timeout_s)
    except KafkaError as error:
        log.warning("closing without what Kafka has not taken: %s", error)
        # close() gives up where flush() does, and leaves its thread waiting for Kafka.
        producer._sender.force_close()
