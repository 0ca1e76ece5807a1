"""Kafka goes away and comes back: consumers, readers and publishers recover by themselves."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from headrace.errors import DeadlineExceeded, Unavailable
from headrace.local.waiting import wait_until
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from tests.conftest import KafkaServer
from tests.integration.runtime.kafka_world import (
    Handler,
    Topics,
    consuming,
    numbers,
    outgoing,
    publish,
    reading,
)

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@contextmanager
def away(kafka: KafkaServer) -> Iterator[None]:
    """Kafka is stopped inside the block."""
    kafka.stop()
    try:
        yield
    finally:
        kafka.start()


class Stream:
    """Publishes ten numbers at a time in a thread, each until Kafka has them."""

    def __init__(self, publisher: Publisher, topic: str) -> None:
        self.sent: list[str] = []
        self._publisher = publisher
        self._topic = topic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Stream":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(90)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            values = numbers(len(self.sent), len(self.sent) + 10)
            publish(self._publisher, outgoing(self._topic, values), 60)
            self.sent.extend(values)


def test_a_stream_goes_on_after_a_restart_and_nothing_is_lost(
    kafka: KafkaServer, topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("stream", partitions=4)
    handler, reader = Handler(), Handler()
    with reading(topics, topic, publisher, reader, "beginning"):
        with (
            consuming(topics, topic, publisher, handler, group=f"{topic}-stream"),
            Stream(publisher, topic) as stream,
        ):
            assert wait_until(lambda: len(handler.done) >= 100, 30)
            with away(kafka):
                before = len(stream.sent)
                assert not wait_until(lambda: len(stream.sent) > before + 10, 3)
            assert wait_until(lambda: len(stream.sent) >= before + 100, 30)
            assert wait_until(handler.has(stream.sent[: before + 100]), 30)
        assert wait_until(reader.has(stream.sent), 30)
    with consuming(topics, topic, publisher, handler, group=f"{topic}-stream"):
        assert wait_until(handler.has(stream.sent), 30)
    for partition in range(4):
        offsets = {m.record.offset for m in handler.done if m.record.partition == partition}
        assert offsets == set(range(len(offsets)))


async def test_publishing_says_within_the_deadline_that_kafka_is_away_and_recovers(
    kafka: KafkaServer, topics: Topics
) -> None:
    topic = topics.create("waiting")
    publisher = Publisher(kafka.bootstrap_servers, delivery_timeout_s=2)
    try:
        await publisher.publish_and_wait(outgoing(topic, ["first"]), 10)
        with away(kafka):
            began = time.monotonic()
            with pytest.raises(DeadlineExceeded, match=r"within 0\.5 s"):
                await publisher.publish_and_wait(outgoing(topic, ["late"], key="k"), 0.5)
            assert time.monotonic() - began < 5
            with pytest.raises(Unavailable, match="did not take a record"):
                await publisher.publish_and_wait(outgoing(topic, ["expired"], key="k"), 20)
        for number in numbers(0, 20):
            await publisher.publish_and_wait(outgoing(topic, [number], key="k"), 20)
    finally:
        publisher.close()
    values = [(record.value or b"").decode() for record in topics.records(topic)]
    assert values[0] == "first"
    assert values[-20:] == numbers(0, 20)


def test_what_expired_is_reported_by_flush_and_the_producer_goes_on_in_order(
    kafka: KafkaServer, topics: Topics
) -> None:
    topic = topics.create("expired", partitions=2)
    publisher = Publisher(kafka.bootstrap_servers, delivery_timeout_s=1)
    try:
        publisher.publish(outgoing(topic, numbers(0, 20)))
        publisher.flush()
        with away(kafka):
            publisher.publish(outgoing(topic, numbers(20, 40)))
            assert wait_until(lambda: publisher.failures == 20, 20)
            with pytest.raises(Unavailable, match="20 records"):
                publisher.flush()
            with pytest.raises(Unavailable, match="20 records"):
                publisher.flush(since=0)
        for _ in range(3):
            publish(publisher, outgoing(topic, numbers(100, 120), key="k"))
    finally:
        publisher.close()
    written = [r.value for r in topics.records(topic) if r.key == b"k"]
    assert written == [number.encode() for number in numbers(100, 120)] * 3


def test_too_much_waiting_for_kafka_is_refused(kafka: KafkaServer, topics: Topics) -> None:
    topic = topics.create("full")
    publisher = Publisher(kafka.bootstrap_servers, pending_limit_bytes=10_000)
    large = [Outgoing(topic, b"k", bytes(3_000))]
    try:
        publish(publisher, large)
        with away(kafka):
            publisher.publish(large * 3)
            with pytest.raises(Unavailable, match="9003 bytes wait for Kafka"):
                publisher.publish(large)
        publish(publisher, large * 3)
    finally:
        publisher.close()
    assert len(topics.records(topic)) >= 1 + 3 + 3


def test_closing_without_kafka_ends(kafka: KafkaServer, topics: Topics) -> None:
    topic = topics.create("closing")
    publisher = Publisher(kafka.bootstrap_servers)
    publish(publisher, outgoing(topic, ["1"]))
    handler = Handler()
    with consuming(topics, topic, publisher, handler) as consumer:
        assert wait_until(handler.has(["1"]), 20)
        with away(kafka):
            publisher.publish(outgoing(topic, ["2"]))
            consumer.stop(30)
            publisher.close(1)
            alive = [thread.name for thread in threading.enumerate()]
            assert f"consume-{topic}" not in alive


def test_connecting_without_kafka_is_unavailable(kafka: KafkaServer) -> None:
    with away(kafka), pytest.raises(Unavailable, match="accepts no connection"):
        Publisher(kafka.bootstrap_servers)
