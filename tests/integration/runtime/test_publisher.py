"""A publisher writes in order, carries the trace on, and outlives a record that Kafka refuses."""

import asyncio

import pytest

from headrace.errors import InvalidInput, Unavailable
from headrace.local.waiting import wait_until
from headrace.runtime import context
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from tests.conftest import KafkaServer
from tests.integration.runtime.kafka_world import (
    Handler,
    Topics,
    consuming,
    numbers,
    outgoing,
    publish,
)

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_records_have_arrived_when_it_returns(topics: Topics, publisher: Publisher) -> None:
    topic = topics.create("waited", partitions=3)
    await publisher.publish_and_wait(outgoing(topic, numbers(0, 500)), 20)
    assert len(topics.records(topic)) == 500
    await publisher.publish_and_wait([], 0.001)


async def test_concurrent_calls_keep_the_order_in_which_they_were_made(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("concurrent")
    await asyncio.gather(
        *(publisher.publish_and_wait(outgoing(topic, [n], key="k"), 20) for n in numbers(0, 200))
    )
    assert [record.value for record in topics.records(topic)] == [
        number.encode() for number in numbers(0, 200)
    ]


async def test_the_trace_goes_on_in_the_record(topics: Topics, publisher: Publisher) -> None:
    topic = topics.create("traced")
    with context.within(context.begin(None, TRACEPARENT)):
        await publisher.publish_and_wait(outgoing(topic, ["1"]), 20)
        publisher.publish([Outgoing(topic, b"k", b"own", [("traceparent", b"kept")])])
        publisher.flush()
    first, second = topics.records(topic)
    assert dict(first.headers)["traceparent"].split(b"-")[1] == TRACEPARENT.split("-")[1].encode()
    assert list(second.headers) == [("traceparent", b"kept")]


async def test_a_topic_that_does_not_exist_is_unavailable_and_others_go_on(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("exists")
    with pytest.raises(Unavailable, match=r"absent.*took no record"):
        await publisher.publish_and_wait(outgoing(topics.name("absent"), ["1"]), 20)
    await publisher.publish_and_wait(outgoing(topic, ["1"]), 20)


async def test_a_record_that_is_too_large_is_the_callers_fault(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("large")
    large = [Outgoing(topic, b"k", bytes(1_000_001))]
    with pytest.raises(InvalidInput, match="1000002 bytes; at most 1000000"):
        await publisher.publish_and_wait(large, 20)
    with pytest.raises(InvalidInput, match="1000002 bytes"):
        publisher.publish(large)


async def test_a_record_that_the_broker_refuses_does_not_poison_the_publisher(
    topics: Topics, publisher: Publisher
) -> None:
    strict = topics.create("strict", max_message_bytes="1000")
    topic = topics.create("lenient")
    with pytest.raises(Unavailable, match="MessageSizeTooLarge"):
        await publisher.publish_and_wait([Outgoing(strict, b"k", bytes(5_000))], 20)
    for number in numbers(0, 10):
        await publisher.publish_and_wait(outgoing(topic, [number], key="k"), 20)
    assert [r.value for r in topics.records(topic)] == [n.encode() for n in numbers(0, 10)]


def test_a_lost_publish_makes_the_consumer_repeat_the_work(
    topics: Topics, publisher: Publisher
) -> None:
    topic, strict = topics.create("source"), topics.create("target", max_message_bytes="1000")
    publish(publisher, outgoing(topic, numbers(0, 20)))
    handler = Handler()
    oversized = [Outgoing(strict, b"k", bytes(5_000))]

    def trouble(bodies: object) -> None:
        if len(handler.tried) == 1:
            publisher.publish(oversized)

    handler.trouble = trouble
    with consuming(topics, topic, publisher, handler):
        assert wait_until(lambda: len(handler.done) >= 40, 20)
    assert handler.bodies == numbers(0, 20) * 2
    assert topics.committed(f"{topic}-group", topic) == {0: 20}


def test_records_that_may_wait_for_others_leave_at_a_flush(
    kafka: KafkaServer, topics: Topics
) -> None:
    topic = topics.create("gathered", partitions=2)
    publisher = Publisher(kafka.bootstrap_servers, linger_s=60)
    try:
        publisher.publish(outgoing(topic, numbers(0, 500)))
        assert topics.records(topic) == []
        publisher.flush(20)
        assert len(topics.records(topic)) == 500
    finally:
        publisher.close()
