"""What the tests of Kafka clients need: topics of their own, records, and a consumer to watch."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from prometheus_client import REGISTRY

from headrace.errors import HeadraceError, MalformedRecord
from headrace.local.waiting import wait_until
from headrace.runtime.kafka_consumer import GroupConsumer
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.kafka_reader import TopicReader
from headrace.runtime.kafka_records import Message, Record, Refusal, from_client
from headrace.runtime.topics import dead_letters

GARBAGE = b"\xff garbage"


class Topics:
    """Topics of one test, each with its dead letters."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self.bootstrap_servers = bootstrap_servers
        self._prefix = prefix

    def create(self, name: str, partitions: int = 1, **settings: str) -> str:
        """`settings` are Kafka's, with `_` for `.`. Returns the topic's full name."""
        topic = self._prefix + name
        configs = {key.replace("_", "."): value for key, value in settings.items()}
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        try:
            admin.create_topics(
                {
                    topic: {
                        "num_partitions": partitions,
                        "replication_factor": 1,
                        "configs": configs,
                    },
                    dead_letters(topic): {
                        "num_partitions": 1,
                        "replication_factor": 1,
                        "configs": {"cleanup.policy": "compact,delete"},
                    },
                },
                wait_for_metadata=True,
            )
        finally:
            admin.close()
        return topic

    def name(self, name: str) -> str:
        return self._prefix + name

    def records(self, topic: str) -> list[Record]:
        """Everything that the topic holds now."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap_servers)
        try:
            parts = [TopicPartition(topic, part) for part in consumer.partitions_for_topic(topic)]
            consumer.assign(parts)
            consumer.seek_to_beginning(*parts)
            ends = consumer.end_offsets(parts)
            found: list[Record] = []

            def at_the_end() -> bool:
                for batch in consumer.poll(timeout_ms=100).values():
                    found.extend(map(from_client, batch))
                # No position yet, where the broker was slow to tell the beginning.
                reached = {part: consumer.position(part) for part in parts}
                return all((reached[part] or 0) >= end for part, end in ends.items())

            assert wait_until(at_the_end, 20, 0), f"{topic} could not be read to its end"
            return found
        finally:
            consumer.close()

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Offsets of the group by partition."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        try:
            offsets = admin.list_group_offsets(group)[group]
            return {
                part.partition: offset.offset
                for part, offset in offsets.items()
                if part.topic == topic and offset.offset >= 0
            }
        finally:
            admin.close()


def lag(topic: str, group: str = "") -> float | None:
    """What a consumer in this process last measured."""
    return REGISTRY.get_sample_value("headrace_kafka_lag_records", {"topic": topic, "group": group})


def decode(record: Record) -> str:
    """Text; GARBAGE is malformed."""
    if record.value is None or record.value == GARBAGE:
        raise MalformedRecord("not_text", "the value is no text")
    return record.value.decode()


def outgoing(topic: str, values: Sequence[str], key: str | None = None) -> list[Outgoing]:
    """A record for each value, keyed by it unless `key` is given."""
    return [Outgoing(topic, (key or value).encode(), value.encode()) for value in values]


def numbers(first: int, end: int) -> list[str]:
    return [str(number) for number in range(first, end)]


class Handler:
    """Work for a consumer: remembers what it did and fails as it is told to."""

    def __init__(self) -> None:
        self.done: list[Message[str]] = []
        self.tried: list[list[str]] = []
        self.revoked: list[Sequence[int]] = []
        self.failures: list[BaseException] = []
        self.trouble: Callable[[Sequence[str]], None] = lambda _bodies: None
        self._lock = threading.Lock()

    def __call__(self, messages: Sequence[Message[str]]) -> Sequence[Refusal]:
        bodies = [message.body for message in messages]
        self.tried.append(bodies)
        self.trouble(bodies)
        with self._lock:
            self.done.extend(messages)
        return ()

    def apply(self, messages: Sequence[Message[str]]) -> None:
        self(messages)

    @property
    def bodies(self) -> list[str]:
        with self._lock:
            return [message.body for message in self.done]

    def has(self, values: Sequence[str]) -> Callable[[], bool]:
        return lambda: set(values) <= set(self.bodies)


@contextmanager
def consuming(
    topics: Topics, topic: str, publisher: Publisher, handler: Any, **changes: Any
) -> Iterator[GroupConsumer[str]]:
    """A consumer with `handler` in group `<topic>-group`, stopped at the end."""
    settings: dict[str, Any] = {
        "group": f"{topic}-group",
        "on_failure": handler.failures.append,
        "on_revoked": handler.revoked.append,
        **changes,
    }
    consumer: GroupConsumer[str] = GroupConsumer(
        bootstrap_servers=topics.bootstrap_servers,
        topic=topic,
        decode=decode,
        handle=handler,
        publisher=publisher,
        **settings,
    )
    consumer.start()
    try:
        yield consumer
    finally:
        consumer.stop(20)
    assert not handler.failures, handler.failures


def publish(publisher: Publisher, records: Sequence[Outgoing], seconds: float = 60) -> None:
    """Publishes until Kafka has the records, whatever happens in between."""

    def taken() -> bool:
        with suppress(HeadraceError):
            publisher.publish(records)
            publisher.flush(seconds)
            return True
        return False

    assert wait_until(taken, seconds, 0.2)


@contextmanager
def reading(
    topics: Topics,
    topic: str,
    publisher: Publisher,
    handler: Handler,
    since: Literal["beginning", "now"],
    **changes: Any,
) -> Iterator[TopicReader[str]]:
    """A reader with `handler`, stopped at the end."""
    reader: TopicReader[str] = TopicReader(
        bootstrap_servers=topics.bootstrap_servers,
        topic=topic,
        since=since,
        decode=decode,
        apply=handler.apply,
        publisher=publisher,
        on_failure=handler.failures.append,
        **changes,
    )
    reader.start()
    try:
        yield reader
    finally:
        reader.stop(20)
    assert not handler.failures, handler.failures
