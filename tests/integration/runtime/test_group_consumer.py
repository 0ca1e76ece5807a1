"""A group consumer does every record's work at least once and commits after it."""

import threading
from collections.abc import Sequence

from headrace.errors import Unavailable
from headrace.local.waiting import wait_until
from headrace.runtime import dead_letters as letters
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.kafka_records import Message, Refusal
from headrace.runtime.topics import dead_letters
from tests.integration.runtime.kafka_world import (
    GARBAGE,
    Handler,
    Topics,
    consuming,
    lag,
    numbers,
    outgoing,
    publish,
)


def assert_set(event: threading.Event) -> None:
    assert event.wait(30)


def test_every_record_is_handled_once_and_committed(topics: Topics, publisher: Publisher) -> None:
    topic = topics.create("plain", partitions=3)
    publish(publisher, outgoing(topic, numbers(0, 500)))
    handler = Handler()
    with consuming(topics, topic, publisher, handler) as consumer:
        assert wait_until(handler.has(numbers(0, 500)), 20)
        assert consumer.joined()
    assert sorted(handler.bodies, key=int) == numbers(0, 500)
    assert sum(topics.committed(f"{topic}-group", topic).values()) == 500


def test_records_of_a_partition_keep_their_order_across_batches(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("ordered", partitions=3)
    publish(publisher, outgoing(topic, numbers(0, 3_000)))
    handler = Handler()
    with consuming(topics, topic, publisher, handler, max_batch=70):
        assert wait_until(handler.has(numbers(0, 3_000)), 20)
    assert max(map(len, handler.tried)) <= 70
    for partition in range(3):
        seen = [m.record.offset for m in handler.done if m.record.partition == partition]
        assert seen == list(range(len(seen)))


def test_offsets_wait_for_the_work(topics: Topics, publisher: Publisher) -> None:
    topic = topics.create("after")
    publish(publisher, outgoing(topic, numbers(0, 10)))
    handler = Handler()
    allowed = threading.Event()
    handler.trouble = lambda _bodies: assert_set(allowed)
    with consuming(topics, topic, publisher, handler):
        assert wait_until(lambda: bool(handler.tried), 20)
        assert topics.committed(f"{topic}-group", topic) == {}
        allowed.set()
        assert wait_until(lambda: topics.committed(f"{topic}-group", topic) == {0: 10}, 20)


def test_while_a_dependency_is_away_the_same_batch_comes_again_and_nothing_is_lost(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("away", partitions=2)
    publish(publisher, outgoing(topic, numbers(0, 50)))
    handler = Handler()
    away = threading.Event()
    away.set()

    def trouble(_bodies: Sequence[str]) -> None:
        if away.is_set():
            raise Unavailable("Postgres did not answer")

    handler.trouble = trouble
    with consuming(topics, topic, publisher, handler):
        assert wait_until(lambda: len(handler.tried) >= 4, 20)
        publish(publisher, outgoing(topic, numbers(50, 100)))
        tries = len(handler.tried)
        assert wait_until(lambda: len(handler.tried) >= tries + 2, 20)
        assert handler.tried[0] == handler.tried[-1]
        assert topics.committed(f"{topic}-group", topic) == {}
        away.clear()
        assert wait_until(handler.has(numbers(0, 100)), 20)
    assert sorted(handler.bodies, key=int) == numbers(0, 100)
    assert [sorted(lost) for lost in handler.revoked] == [[0, 1]]  # at the end alone
    assert topics.records(dead_letters(topic)) == []


def test_lag_counts_what_waits_while_a_dependency_is_away_and_falls_to_nothing(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("lag", partitions=2)
    publish(publisher, outgoing(topic, numbers(0, 50)))
    handler = Handler()
    away = threading.Event()
    away.set()

    def trouble(_bodies: Sequence[str]) -> None:
        if away.is_set():
            raise Unavailable("Postgres did not answer")

    handler.trouble = trouble
    group = f"{topic}-group"
    with consuming(topics, topic, publisher, handler, lag_period_s=0.1):
        assert wait_until(lambda: lag(topic, group) == 50, 20), lag(topic, group)
        publish(publisher, outgoing(topic, numbers(50, 80)))
        assert wait_until(lambda: lag(topic, group) == 80, 20), lag(topic, group)
        away.clear()
        assert wait_until(lambda: lag(topic, group) == 0, 20), lag(topic, group)
    assert sorted(handler.bodies, key=int) == numbers(0, 80)


def test_one_bad_record_of_a_hundred_is_found_and_dead_lettered(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("bad")
    records = outgoing(topic, numbers(0, 100))
    records[42] = Outgoing(topic, b"the key", b"42", [("traceparent", b"00-x"), ("own", b"\x00")])
    publish(publisher, records)
    handler = Handler()

    def trouble(bodies: Sequence[str]) -> None:
        if "42" in bodies:
            raise ValueError("cannot divide by 42")

    handler.trouble = trouble
    with consuming(topics, topic, publisher, handler):
        others = [number for number in numbers(0, 100) if number != "42"]
        assert wait_until(handler.has(others), 20)
    assert sorted(handler.bodies, key=int) == others
    [letter] = topics.records(dead_letters(topic))
    headers = dict(letter.headers)
    assert letter.value == b"42"
    assert headers[letters.REASON] == b"processing_failed"
    assert b"cannot divide by 42" in headers[letters.DETAIL]
    assert headers[letters.TOPIC] == topic.encode()
    assert (headers[letters.PARTITION], headers[letters.OFFSET]) == (b"0", b"42")
    assert headers[letters.KEY] == b"the key"
    assert (headers["traceparent"], headers["own"]) == (b"00-x", b"\x00")
    assert topics.committed(f"{topic}-group", topic) == {0: 100}


def test_garbage_and_what_the_work_refuses_are_dead_lettered_with_their_reasons(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("garbage")
    publish(
        publisher,
        [
            Outgoing(topic, b"a", b"fine"),
            Outgoing(topic, b"b", GARBAGE),
            Outgoing(topic, b"c", None),
            Outgoing(topic, b"d", b"unwanted"),
            Outgoing(topic, b"e", b"fine too"),
        ],
    )
    handler = Handler()

    class Refusing(Handler):
        def __call__(self, messages: Sequence[Message[str]]) -> Sequence[Refusal]:
            super().__call__(messages)
            return [Refusal(m.record, "unwanted", "no") for m in messages if m.body == "unwanted"]

    handler = Refusing()
    with consuming(topics, topic, publisher, handler):
        assert wait_until(handler.has(["fine", "fine too"]), 20)
    found = {letter.key: letter for letter in topics.records(dead_letters(topic))}
    assert {key: letters.reason_of(letter) for key, letter in found.items()} == {
        b"0/1": "not_text",
        b"0/2": "not_text",
        b"0/3": "unwanted",
    }
    assert found[b"0/1"].value == GARBAGE
    original = letters.to_original(found[b"0/2"])
    assert (original.topic, original.key, original.value) == (topic, b"c", None)
    assert [name for name, _ in original.headers] == [letters.FIRST_WRITTEN_MS]


def test_stop_finishes_the_batch_under_way_and_commits_it(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("stop")
    publish(publisher, outgoing(topic, numbers(0, 10)))
    handler = Handler()
    go_on = threading.Event()
    handler.trouble = lambda _bodies: assert_set(go_on)
    with consuming(topics, topic, publisher, handler) as consumer:
        assert wait_until(lambda: bool(handler.tried), 20)
        stopping = threading.Thread(target=consumer.stop, args=(20,))
        stopping.start()
        go_on.set()
        stopping.join(20)
        assert handler.bodies == numbers(0, 10)
        assert topics.committed(f"{topic}-group", topic) == {0: 10}
        assert handler.revoked == [[0]]


def test_stop_does_not_wait_for_a_dependency_that_is_away(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("stop-away")
    publish(publisher, outgoing(topic, numbers(0, 10)))
    handler = Handler()

    def trouble(_bodies: Sequence[str]) -> None:
        raise Unavailable("away")

    handler.trouble = trouble
    with consuming(topics, topic, publisher, handler):
        assert wait_until(lambda: bool(handler.tried), 20)
    assert topics.committed(f"{topic}-group", topic).get(0, 0) == 0
    again = Handler()
    with consuming(topics, topic, publisher, again):
        assert wait_until(again.has(numbers(0, 10)), 20)


def test_a_topic_that_comes_later_is_waited_for(topics: Topics, publisher: Publisher) -> None:
    topic = topics.name("later")
    handler = Handler()
    with consuming(topics, topic, publisher, handler) as consumer:
        assert not wait_until(consumer.joined, 1)
        topics.create("later")
        publish(publisher, outgoing(topic, ["here"]))
        assert wait_until(handler.has(["here"]), 20)
