"""Looking through whole topics, from their beginning or a moment to where they end just then."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from headrace.errors import DeadlineExceeded, Unavailable
from headrace.runtime.kafka_client import READ_OR_WRITE, Kafka, connected
from headrace.runtime.kafka_records import Record, from_client

_POLL_MS = 200
_BATCH = 5_000


@dataclass
class Scanned:
    """What a topic has.

    found: records that no tombstone covers. forgotten: how many one covers that are still there,
    until the topic is compacted. read: records looked at; complete: false where more was found
    than kept.
    """

    topic: str
    found: list[Record] = field(default_factory=list)
    forgotten: int = 0
    read: int = 0
    complete: bool = True


def scan(
    kafka: Kafka,
    topics: Callable[[str], bool],
    wanted: Callable[[Record], bool],
    *,
    deadline_s: float,
    most: int,
    since: float | None = None,
) -> list[Scanned]:
    """Reads every topic whose name `topics` accepts; some 50,000 records/s.

    most: so many found records of a topic are kept. since: Unix seconds; records that Kafka was
    given before are passed over. None: everything.
    Raises: Unavailable while Kafka is away; DeadlineExceeded where it takes longer.
    """
    consumer = connected(
        KafkaConsumer,
        kafka,
        group_id=None,
        enable_auto_commit=False,
        max_poll_records=_BATCH,
        **READ_OR_WRITE,
    )
    try:
        names = sorted(name for name in consumer.topics() if topics(name))
        partitions = _assigned(consumer, names)
        ends = _begin(consumer, partitions, since)
        scanned = {name: Scanned(name) for name in names}
        for record in _records(consumer, ends, time.monotonic() + deadline_s):
            _look(scanned[record.topic], record, wanted, most)
        return list(scanned.values())
    except KafkaError as error:
        raise Unavailable(f"Kafka's topics could not be read: {error}") from error
    finally:
        consumer.close(autocommit=False)


def _assigned(consumer: Any, topics: Sequence[str]) -> list[TopicPartition]:
    partitions = [
        TopicPartition(name, number)
        for name in topics
        for number in consumer.partitions_for_topic(name) or ()
    ]
    consumer.assign(partitions)
    return partitions


def _begin(
    consumer: Any, partitions: Sequence[TopicPartition], since: float | None
) -> dict[TopicPartition, int]:
    """Goes to where reading begins. Returns: where it ends."""
    if not partitions:
        return {}
    ends: dict[TopicPartition, int] = consumer.end_offsets(partitions)
    if since is None:
        consumer.seek_to_beginning(*partitions)
        return ends
    found = consumer.offsets_for_times(dict.fromkeys(partitions, int(since * 1_000)))
    for partition in partitions:
        first = found.get(partition)
        consumer.seek(partition, ends[partition] if first is None else first.offset)
    return ends


def _records(consumer: Any, ends: Mapping[TopicPartition, int], until: float) -> Iterator[Record]:
    """Up to the ends. Raises: DeadlineExceeded after `until`, monotonic seconds."""
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        for batch in consumer.poll(timeout_ms=_POLL_MS).values():
            yield from map(from_client, batch)
        if time.monotonic() > until:
            raise DeadlineExceeded("Kafka's topics could not be read to their ends in time")


def _look(topic: Scanned, record: Record, wanted: Callable[[Record], bool], most: int) -> None:
    topic.read += 1
    if record.value is None:
        left = [one for one in topic.found if one.key != record.key]
        topic.forgotten += len(topic.found) - len(left)
        topic.found = left
    elif not wanted(record):
        return
    elif len(topic.found) < most:
        topic.found.append(record)
    else:
        topic.complete = False
