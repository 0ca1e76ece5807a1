"""What only Kafka has: events that are accepted and not in Postgres yet, and dead letters."""

import base64
import gzip
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from headrace.errors import Unavailable
from headrace.runtime.kafka_client import CONNECTION, READ_OR_WRITE, Kafka, connected
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.kafka_records import Record, from_client
from headrace.runtime.topics import EVENTS, holds_dead_letters

INGEST_GROUP = "event_ingest"
"""Whose offsets in `events` are committed once the events are in Postgres."""

_IDLE_S = 30.0
_CHUNK = 500


def save(kafka: Kafka, folder: Path) -> dict[str, int]:
    """Writes a file a topic. Returns: records by topic. Raises: Unavailable."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        begin = _committed(kafka)
        with closing(
            connected(KafkaConsumer, kafka, enable_auto_commit=False, **READ_OR_WRITE)
        ) as consumer:
            names = sorted(
                name for name in consumer.topics() if name == EVENTS or holds_dead_letters(name)
            )
            return {
                name: _write(folder / f"{name}.jsonl.gz", _records(consumer, name, begin))
                for name in names
            }
    except KafkaError as error:
        raise Unavailable(f"Kafka's topics could not be read: {error}") from error


def load(kafka: Kafka, folder: Path, mark: str) -> dict[str, int]:
    """Writes the records of the files to their topics, which exist. Returns: records by topic.

    mark: added to the keys of dead letters, which are places in the Kafka of then: one of the new
        Kafka would take the place of another.
    Raises: Unavailable.
    """
    loaded = {}
    with closing(Publisher(kafka)) as publisher:
        for file in sorted(folder.glob("*.jsonl.gz")):
            name = file.name.removesuffix(".jsonl.gz")
            suffix = f"@{mark}".encode() if holds_dead_letters(name) else b""
            loaded[name] = 0
            for chunk in _chunks(file):
                publisher.publish([_outgoing(name, fields, suffix) for fields in chunk])
                publisher.flush()
                loaded[name] += len(chunk)
    return loaded


def _committed(kafka: Kafka) -> dict[Any, int]:
    with closing(connected(KafkaAdminClient, kafka, **CONNECTION)) as admin:
        offsets = admin.list_group_offsets(INGEST_GROUP).get(INGEST_GROUP, {})
    return {
        partition: known.offset
        for partition, known in offsets.items()
        if partition.topic == EVENTS and known.offset >= 0
    }


def _records(consumer: Any, topic: str, begin: dict[Any, int]) -> Iterator[Record]:
    """From where `begin` says, else from the beginning, to the present end."""
    partitions = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
    consumer.assign(partitions)
    first, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    for partition in partitions:
        consumer.seek(partition, max(first[partition], begin.get(partition, 0)))
    heard_at = time.monotonic()
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for batch in consumer.poll(timeout_ms=500).values():
            heard_at = time.monotonic()
            yield from map(from_client, batch)
        if time.monotonic() - heard_at > _IDLE_S:
            raise Unavailable(f"topic {topic} could not be read to its end")


def _write(file: Path, records: Iterator[Record]) -> int:
    written = 0
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        for record in records:
            fields = {
                "key": _text(record.key),
                "value": _text(record.value),
                "headers": [(name, _text(value)) for name, value in record.headers],
            }
            lines.write(f"{json.dumps(fields)}\n")
            written += 1
    return written


def _chunks(file: Path) -> Iterator[Sequence[dict[str, Any]]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        chunk = []
        for line in lines:
            chunk.append(json.loads(line))
            if len(chunk) == _CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


def _outgoing(topic: str, fields: dict[str, Any], suffix: bytes) -> Outgoing:
    return Outgoing(
        topic=topic,
        key=(_bytes(fields["key"]) or b"") + suffix,
        value=_bytes(fields["value"]),
        headers=[(name, _bytes(value) or b"") for name, value in fields["headers"]],
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
