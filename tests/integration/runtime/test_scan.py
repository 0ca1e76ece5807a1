"""Topics are looked through from their beginning, or from a moment on."""

import time

from kafka import KafkaProducer

from headrace.runtime.kafka_records import Record
from headrace.runtime.kafka_scan import scan
from tests.integration.runtime.kafka_world import Topics


def test_from_a_moment_on_what_came_before_is_not_even_read(topics: Topics) -> None:
    topic = topics.create("shown", partitions=3)  # of which one stays empty
    now_ms = int(time.time() * 1_000)
    producer = KafkaProducer(bootstrap_servers=topics.bootstrap_servers)
    for partition, ago_ms in [(0, 9_000), (0, 5_000), (0, 1_000), (1, 9_000), (1, 8_000)]:
        producer.send(
            topic, str(ago_ms).encode(), partition=partition, timestamp_ms=now_ms - ago_ms
        )
    producer.close()

    def read(since: float | None) -> list[bytes]:
        seen: list[bytes] = []

        def wanted(record: Record) -> bool:
            assert record.value is not None
            seen.append(record.value)
            return True

        (scanned,) = scan(
            topics.bootstrap_servers,
            lambda name: name == topic,
            wanted,
            deadline_s=20,
            most=10,
            since=since,
        )
        assert (scanned.read, len(scanned.found)) == (len(seen), len(seen))
        return sorted(seen)

    assert read(None) == [b"1000", b"5000", b"8000", b"9000", b"9000"]
    assert read(now_ms / 1_000 - 5) == [b"1000", b"5000"]
    assert read(now_ms / 1_000 - 8.5) == [b"1000", b"5000", b"8000"]
    assert read(now_ms / 1_000 + 60) == []
