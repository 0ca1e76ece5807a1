"""Looking through whole topics, from their beginning to where they end at that moment."""

import time
from collections.abc import Callable, Sequence
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
) -> list[Scanned]:
    """Reads every topic whose name `topics` accepts; some 50,000 records/s.

    most: so many found records of a topic are kept.
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
        return _read(consumer, names, wanted, time.monotonic() + deadline_s, most)
    except KafkaError as error:
        raise Unavailable(f"Kafka's topics could not be read: {error}") from error
    finally:
        consumer.close(autocommit=False)


def _read(
    consumer: Any,
    names: Sequence[str],
    wanted: Callable[[Record], bool],
    until: float,
    most: int,
) -> list[Scanned]:
    scanned = {name: Scanned(name) for name in names}
    partitions = [
        TopicPartition(name, number)
        for name in names
        for number in consumer.partitions_for_topic(name) or ()
    ]
    if not partitions:
        return []
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        for batch in consumer.poll(timeout_ms=_POLL_MS).values():
            for raw in batch:
                _look(scanned[raw.topic], from_client(raw), wanted, most)
        if time.monotonic() > until:
            raise DeadlineExceeded("Kafka's topics could not be read to their ends in time")
    return list(scanned.values())


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
