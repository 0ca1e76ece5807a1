"""Members come and go: every record is handled at least once, and losers are told."""

import threading
from collections.abc import Sequence

from headrace.errors import Unavailable
from headrace.local.waiting import wait_until
from headrace.runtime.kafka_publisher import Publisher
from tests.integration.runtime.kafka_world import (
    Handler,
    Topics,
    consuming,
    numbers,
    outgoing,
    publish,
)


def _of(handler: Handler) -> set[int]:
    return {message.record.partition for message in handler.done}


def test_a_second_member_takes_over_partitions_and_nothing_is_lost_or_repeated(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("second", partitions=4)
    first, second = Handler(), Handler()
    with consuming(topics, topic, publisher, first, max_batch=50) as one:
        publish(publisher, outgoing(topic, numbers(0, 400)))
        assert wait_until(lambda: len(first.done) > 100, 20)
        with consuming(topics, topic, publisher, second, max_batch=50) as two:
            assert wait_until(lambda: two.joined() and one.joined(), 20)
            publish(publisher, outgoing(topic, numbers(400, 800)))
            assert wait_until(lambda: set(numbers(0, 800)) <= {*first.bodies, *second.bodies}, 20)
            assert sorted(first.revoked[0]) == [0, 1, 2, 3]
            assert second.done, "the second member got no partition"
        publish(publisher, outgoing(topic, numbers(800, 900)))
        assert wait_until(first.has(numbers(800, 900)), 20)
    assert sorted([*first.bodies, *second.bodies], key=int) == numbers(0, 900)


def test_a_member_that_waits_for_a_dependency_drops_its_batch_when_others_take_it(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("waiting", partitions=4)
    publish(publisher, outgoing(topic, numbers(0, 200)))
    stuck, healthy = Handler(), Handler()
    away = threading.Event()
    away.set()

    def trouble(_bodies: Sequence[str]) -> None:
        if away.is_set():
            raise Unavailable("away from here")

    stuck.trouble = trouble
    with consuming(topics, topic, publisher, stuck):
        assert wait_until(lambda: len(stuck.tried) >= 2, 20)
        with consuming(topics, topic, publisher, healthy) as two:
            assert wait_until(two.joined, 20)
            assert wait_until(lambda: bool(healthy.done), 20)
            publish(publisher, outgoing(topic, numbers(200, 400)))
            tries = len(stuck.tried)
            assert wait_until(lambda: len(stuck.tried) >= tries + 2, 20)
            away.clear()
            assert wait_until(lambda: set(numbers(0, 400)) <= {*stuck.bodies, *healthy.bodies}, 20)
            assert not _of(stuck) & _of(healthy)
    assert sorted([*stuck.bodies, *healthy.bodies], key=int) == numbers(0, 400)


def test_what_was_done_is_committed_before_partitions_move(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("committed", partitions=4)
    first, second = Handler(), Handler()
    with consuming(topics, topic, publisher, first):
        publish(publisher, outgoing(topic, numbers(0, 100)))
        assert wait_until(first.has(numbers(0, 100)), 20)
        with consuming(topics, topic, publisher, second) as two:
            assert wait_until(two.joined, 20)
            publish(publisher, outgoing(topic, numbers(100, 300)))
            assert wait_until(lambda: set(numbers(100, 300)) <= {*first.bodies, *second.bodies}, 20)
        assert not set(second.bodies) & set(numbers(0, 100))
