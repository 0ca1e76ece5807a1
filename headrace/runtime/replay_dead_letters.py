"""Writes dead letters to their topics again: `python -m headrace.runtime.replay_dead_letters`.

For use once what made them unusable is mended. A letter that was replayed leaves the dead-letter
topic; if it is refused again it comes back as a new one.
"""

import argparse
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from headrace.errors import HeadraceError, Unavailable
from headrace.runtime.dead_letters import is_letter, reason_of, to_original
from headrace.runtime.kafka_client import READ_OR_WRITE, Kafka, connected
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.kafka_records import Record, from_client
from headrace.runtime.settings import KafkaSettings, load_settings
from headrace.runtime.topics import dead_letters

_SERVERS = "HEADRACE_KAFKA_BOOTSTRAP_SERVERS"
_CHUNK = 500
_IDLE_LIMIT_S = 30.0


@dataclass(frozen=True)
class Replay:
    """What was found and done: numbers of letters by reason."""

    found: Counter[str]
    replayed: Counter[str]


def replay(kafka: Kafka, topic: str, reason: str | None = None, dry_run: bool = False) -> Replay:
    """Replays the letters of `topic`, those with `reason` where one is given.

    Raises: Unavailable where Kafka does not answer or does not take a record.
    """
    letters = read_letters(kafka, topic)
    chosen = [
        letter for letter in letters if is_letter(letter) and reason in (None, reason_of(letter))
    ]
    if not dry_run and chosen:
        publisher = Publisher(kafka, delivery_timeout_s=30)
        try:
            for start in range(0, len(chosen), _CHUNK):
                chunk = chosen[start : start + _CHUNK]
                publisher.publish([to_original(letter) for letter in chunk])
                publisher.flush()
                publisher.publish(
                    [Outgoing(dead_letters(topic), letter.key or b"", None) for letter in chunk]
                )
                publisher.flush()
        finally:
            publisher.close()
    return Replay(
        found=Counter(map(reason_of, letters)),
        replayed=Counter(map(reason_of, [] if dry_run else chosen)),
    )


def read_letters(kafka: Kafka, topic: str) -> list[Record]:
    """The letters of `topic` that were not replayed yet, oldest first."""
    name = dead_letters(topic)
    latest: dict[bytes, Record] = {}
    consumer = connected(KafkaConsumer, kafka, enable_auto_commit=False, **READ_OR_WRITE)
    try:
        partitions = [
            TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()
        ]
        if not partitions:
            raise Unavailable(f"topic {name} does not exist; does {topic} carry records of ours?")
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        heard_at = time.monotonic()
        while any(consumer.position(part) < end for part, end in ends.items()):
            for batch in consumer.poll(timeout_ms=500).values():
                heard_at = time.monotonic()
                for raw in batch:
                    latest.pop(raw.key, None)
                    if raw.value is not None:
                        latest[raw.key] = from_client(raw)
            if time.monotonic() - heard_at > _IDLE_LIMIT_S:
                raise Unavailable(f"topic {name} could not be read to its end")
    except KafkaError as error:
        raise Unavailable(f"topic {name} could not be read: {error}") from error
    finally:
        consumer.close(autocommit=False)
    return list(latest.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topic", default="events", help="the topic that refused them")
    parser.add_argument("--reason", help="only letters with this reason")
    parser.add_argument("--dry-run", action="store_true", help="count, write nothing")
    parser.add_argument(
        "--bootstrap-servers",
        help="host:port of Kafka (HEADRACE_KAFKA_BOOTSTRAP_SERVERS); else that of `make run`",
    )
    given = parser.parse_args()
    servers = given.bootstrap_servers or os.environ.get(_SERVERS, "127.0.0.1:19092")
    try:
        kafka = load_settings(KafkaSettings, {**os.environ, _SERVERS: servers}).kafka()
        result = replay(kafka, given.topic, given.reason, given.dry_run)
    except HeadraceError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{'reason':30} {'found':>8} {'replayed':>8}\n")
    for reason, found in sorted(result.found.items()):
        sys.stdout.write(f"{reason:30} {found:8} {result.replayed[reason]:8}\n")
    sys.stdout.write(f"{'total':30} {result.found.total():8} {result.replayed.total():8}\n")


if __name__ == "__main__":
    main()
