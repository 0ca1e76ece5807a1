"""Writing to Kafka: idempotent, acknowledged by all in-sync replicas, failures never lost."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from headrace.errors import DeadlineExceeded, Unavailable
from headrace.runtime.context import TRACEPARENT, current
from headrace.runtime.kafka_records import Headers
from headrace.runtime.metrics import KAFKA_PUBLISHED


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to write. `value` None deletes the key from a compacted topic."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers = ()


class Publisher:
    """A producer that remembers failures until `flush` reports them. Safe from any thread."""

    def __init__(self, bootstrap_servers: str, delivery_timeout_s: float = 120.0) -> None:
        """Raises: Unavailable where Kafka does not answer."""
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap_servers.split(","),
                acks="all",
                enable_idempotence=True,
                linger_ms=0,
                delivery_timeout_ms=int(delivery_timeout_s * 1000),
                request_timeout_ms=min(30_000, int(delivery_timeout_s * 1000)),
                max_block_ms=int(delivery_timeout_s * 1000),
                reconnect_backoff_max_ms=1_000,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        except KafkaError as error:
            raise Unavailable(f"Kafka at {bootstrap_servers} did not answer: {error}") from error
        self._lock = threading.Lock()
        self._failure: Exception | None = None

    def publish(self, records: Sequence[Outgoing]) -> None:
        """Hands records over; `flush` tells whether Kafka took them.

        Raises: Unavailable where the buffer stays full.
        """
        for record in records:
            future = self._send(record)
            future.add_callback(partial(self._succeeded, record.topic))
            future.add_errback(self._failed)

    def flush(self, timeout_s: float = 30.0) -> None:
        """Waits until Kafka has every record handed over.

        Raises: Unavailable where one of them was not taken since the last call.
        """
        try:
            self._producer.flush(timeout=timeout_s)
        except KafkaError as error:
            raise DeadlineExceeded(f"Kafka did not take records in {timeout_s} s") from error
        with self._lock:
            failure, self._failure = self._failure, None
        if failure is not None:
            raise Unavailable(f"Kafka did not take a record: {failure}") from failure

    async def publish_and_wait(self, records: Sequence[Outgoing], timeout_s: float) -> None:
        """Writes records and returns once Kafka has all of them.

        Raises: Unavailable where one was not taken; DeadlineExceeded where that is not known in
        time: it may be taken later.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        countdown = _Countdown(len(records), loop, done)

        def send() -> None:
            for record in records:
                future = self._send(record)
                future.add_callback(partial(self._succeeded, record.topic))
                future.add_callback(countdown.one_more)
                future.add_errback(countdown.failed)

        try:
            async with asyncio.timeout(timeout_s):
                # send() blocks where metadata is missing or the buffer is full.
                await asyncio.to_thread(send)
                await done
        except TimeoutError as error:
            raise DeadlineExceeded(f"Kafka did not confirm within {timeout_s} s") from error
        except KafkaError as error:
            raise Unavailable(f"Kafka did not take a record: {error}") from error

    def close(self, timeout_s: float = 10.0) -> None:
        """Waits for what is under way, then closes."""
        self._producer.close(timeout=timeout_s)

    def _send(self, record: Outgoing) -> Any:
        headers = list(record.headers)
        context = current()
        if context is not None and not any(key == TRACEPARENT for key, _ in headers):
            headers.append((TRACEPARENT, context.traceparent().encode()))
        try:
            return self._producer.send(
                record.topic, key=record.key, value=record.value, headers=headers
            )
        except KafkaError as error:
            raise Unavailable(f"Kafka topic {record.topic} took no record: {error}") from error

    def _succeeded(self, topic: str, _metadata: object) -> None:
        KAFKA_PUBLISHED.labels(topic).inc()

    def _failed(self, error: Exception) -> None:
        with self._lock:
            self._failure = error


class _Countdown:
    """Resolves a future after `left` acknowledgements, or on the first failure."""

    def __init__(
        self, left: int, loop: asyncio.AbstractEventLoop, done: "asyncio.Future[None]"
    ) -> None:
        self._left = left
        self._lock = threading.Lock()
        self._loop = loop
        self._done = done

    def one_more(self, _metadata: object) -> None:
        with self._lock:
            self._left -= 1
            finished = self._left == 0
        if finished:
            self._loop.call_soon_threadsafe(self._resolve, None)

    def failed(self, error: Exception) -> None:
        self._loop.call_soon_threadsafe(self._resolve, error)

    def _resolve(self, error: Exception | None) -> None:
        if self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)
