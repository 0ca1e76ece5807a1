"""Reading every partition of a topic without a group: each process sees every record.

For what a process keeps in memory: item vectors from the beginning of a compacted topic, user
vectors from now on.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, TypeVar

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from headrace.errors import Unavailable
from headrace.runtime.dead_letters import letters
from headrace.runtime.kafka_client import READ_OR_WRITE, Kafka, connected
from headrace.runtime.kafka_lag import LAG_PERIOD_S, LagMeter
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.kafka_records import Decode, Message, Refusal, decoded, from_client
from headrace.runtime.metrics import KAFKA_PROCESSED
from headrace.runtime.tracing import TRACING

log = logging.getLogger(__name__)

T = TypeVar("T")

_POLL_MS = 100
_RETRY_S = 0.5


class TopicReader(Generic[T]):
    """Reads a topic in a thread of its own from `start` to `stop`.

    apply: takes each batch in order; applying a record twice must be harmless.
    since: `beginning` of the topic, or `now`.
    publisher: of dead letters. None: `decode` refuses nothing.
    on_failure: told of an error that ends the thread.
    """

    def __init__(
        self,
        *,
        bootstrap_servers: Kafka,
        topic: str,
        since: Literal["beginning", "now"],
        decode: Decode[T],
        apply: Callable[[Sequence[Message[T]]], object],
        publisher: Publisher | None,
        on_failure: Callable[[BaseException], None],
        max_batch: int = 2_000,
        lag_period_s: float = LAG_PERIOD_S,
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._topic = topic
        self._since = since
        self._decode = decode
        self._apply = apply
        self._publisher = publisher
        self._on_failure = on_failure
        self._max_batch = max_batch
        self._lag = LagMeter(topic, "", lag_period_s)
        self._goal: dict[Any, int] = {}
        self._caught_up = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"read-{topic}", daemon=True)

    @property
    def topic(self) -> str:
        return self._topic

    @property
    def lag(self) -> int | None:
        """Records that were before it when it last looked; None: not known yet."""
        return self._lag.latest

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        self._stop.set()
        self._thread.join(timeout_s)

    def caught_up(self) -> bool:
        """True once everything is applied that the topic held when reading began."""
        return self._caught_up.is_set()

    def _run(self) -> None:
        try:
            consumer = self._connect()
            if consumer is None:
                return
            try:
                while not self._stop.is_set():
                    self._round(consumer)
            finally:
                self._lag.forget()
                consumer.close(autocommit=False, timeout_ms=1_000)
        except BaseException as error:
            log.critical("reader ended", extra={"topic": self._topic}, exc_info=True)
            self._on_failure(error)

    def _connect(self) -> Any:
        while not self._stop.is_set():
            consumer = None
            try:
                consumer = connected(
                    KafkaConsumer,
                    self._bootstrap_servers,
                    group_id=None,
                    enable_auto_commit=False,
                    auto_offset_reset="earliest",
                    max_poll_records=self._max_batch,
                    **READ_OR_WRITE,
                )
                self._attach(consumer)
            except (KafkaError, Unavailable) as error:
                log.warning("cannot read yet: %s", error, extra={"topic": self._topic})
                if consumer is not None:
                    consumer.close(autocommit=False, timeout_ms=1_000)
                self._stop.wait(_RETRY_S)
            else:
                return consumer
        return None

    def _attach(self, consumer: Any) -> None:
        numbers = consumer.partitions_for_topic(self._topic)
        if not numbers:
            raise Unavailable(f"topic {self._topic} does not exist yet")
        partitions = [TopicPartition(self._topic, number) for number in sorted(numbers)]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        for partition in partitions:
            if self._since == "now":
                consumer.seek(partition, ends[partition])
            else:
                consumer.seek_to_beginning(partition)
        self._goal = ends

    def _round(self, consumer: Any) -> None:
        self._lag.measure(consumer)
        try:
            polled = consumer.poll(timeout_ms=_POLL_MS)
        except KafkaError as error:
            log.warning("poll failed: %s", error, extra={"topic": self._topic})
            self._stop.wait(_RETRY_S)
            return
        records = [from_client(raw) for batch in polled.values() for raw in batch]
        if records:
            traced = TRACING.received(records)
            messages, refusals = decoded(traced.records, self._decode)
            self._refuse(refusals)
            if messages:
                self._apply(messages)
            traced.end("", done=True)
            KAFKA_PROCESSED.labels(self._topic).inc(len(records))
        if not self._caught_up.is_set() and self._reached_goal(consumer):
            self._caught_up.set()

    def _refuse(self, refusals: Sequence[Refusal]) -> None:
        refused = letters(refusals)
        if not refused:
            return
        assert self._publisher is not None
        while not self._stop.is_set():
            try:
                self._publisher.publish(refused)
            except Unavailable as error:
                log.warning("dead letters wait: %s", error, extra={"topic": self._topic})
                self._stop.wait(_RETRY_S)
            else:
                return

    def _reached_goal(self, consumer: Any) -> bool:
        try:
            positions = {part: consumer.position(part, timeout_ms=1_000) for part in self._goal}
        except KafkaError as error:
            log.warning("positions unknown: %s", error, extra={"topic": self._topic})
            return False
        return all((positions[part] or 0) >= end for part, end in self._goal.items())
