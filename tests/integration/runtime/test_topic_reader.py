"""A reader sees every record of every partition, and knows when it has caught up."""

from headrace.local.waiting import wait_until
from headrace.runtime import dead_letters as letters
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import dead_letters
from tests.integration.runtime.kafka_world import (
    GARBAGE,
    Handler,
    Topics,
    lag,
    numbers,
    outgoing,
    publish,
    reading,
)


def test_from_the_beginning_it_has_everything_once_caught_up(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("all", partitions=3)
    publish(publisher, outgoing(topic, numbers(0, 5_000)))
    handler = Handler()
    with reading(topics, topic, publisher, handler, "beginning") as reader:
        assert wait_until(reader.caught_up, 20)
        assert sorted(handler.bodies, key=int) == numbers(0, 5_000)
        publish(publisher, outgoing(topic, ["5000"]))
        assert wait_until(handler.has(["5000"]), 20)
    for partition in range(3):
        offsets = [m.record.offset for m in handler.done if m.record.partition == partition]
        assert offsets == list(range(len(offsets)))


def test_from_now_on_it_skips_what_was_there(topics: Topics, publisher: Publisher) -> None:
    topic = topics.create("now", partitions=3)
    publish(publisher, outgoing(topic, numbers(0, 100)))
    handler = Handler()
    with reading(topics, topic, publisher, handler, "now") as reader:
        assert wait_until(reader.caught_up, 20)
        publish(publisher, outgoing(topic, numbers(100, 200)))
        assert wait_until(handler.has(numbers(100, 200)), 20)
    assert sorted(handler.bodies, key=int) == numbers(100, 200)


def test_a_reader_that_is_held_up_sees_how_far_it_is_behind(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("behind", partitions=2)
    publish(publisher, outgoing(topic, numbers(0, 300)))
    handler = Handler()
    seen: list[float | None] = []
    handler.trouble = lambda _bodies: seen.append(lag(topic))
    with reading(topics, topic, publisher, handler, "beginning", max_batch=100, lag_period_s=0.0):
        assert wait_until(lambda: lag(topic) == 0 and len(handler.bodies) == 300, 20)
    assert seen == sorted(seen, key=lambda at: -(at or 0))
    assert seen[0] == 300


def test_an_empty_topic_is_caught_up_with_at_once(topics: Topics, publisher: Publisher) -> None:
    topic = topics.create("empty", partitions=2)
    for since in ("beginning", "now"):
        handler = Handler()
        with reading(topics, topic, publisher, handler, since) as reader:
            assert wait_until(reader.caught_up, 20)


def test_a_compacted_topic_with_holes_is_caught_up_with(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create(
        "compacted",
        cleanup_policy="compact",
        segment_ms="100",
        min_cleanable_dirty_ratio="0.0",
        delete_retention_ms="0",
        max_compaction_lag_ms="100",
    )
    for number in range(30):
        publish(publisher, outgoing(topic, [f"old {number}"], key=f"key {number % 3}"))
    # Segments roll when a record comes that is younger than the segment by segment.ms.
    for key in range(3):
        publish(publisher, [Outgoing(topic, f"key {key}".encode(), b"last")])
    publish(publisher, [Outgoing(topic, b"gone", b"soon"), Outgoing(topic, b"gone", None)])
    handler = Handler()
    with reading(topics, topic, publisher, handler, "beginning") as reader:
        assert wait_until(reader.caught_up, 20)
    newest = {(m.record.key or b"").decode(): m.body for m in handler.done}
    assert {newest[f"key {key}"] for key in range(3)} == {"last"}


def test_a_topic_that_comes_later_is_waited_for(topics: Topics, publisher: Publisher) -> None:
    topic = topics.name("later")
    handler = Handler()
    with reading(topics, topic, publisher, handler, "beginning") as reader:
        assert not wait_until(reader.caught_up, 1)
        topics.create("later")
        publish(publisher, outgoing(topic, ["here"]))
        assert wait_until(handler.has(["here"]), 20)
        assert wait_until(reader.caught_up, 20)


def test_garbage_is_dead_lettered_and_reading_goes_on(topics: Topics, publisher: Publisher) -> None:
    topic = topics.create("garbage")
    publish(publisher, [Outgoing(topic, b"k", GARBAGE), Outgoing(topic, b"k", b"fine")])
    handler = Handler()
    with reading(topics, topic, publisher, handler, "beginning") as reader:
        assert wait_until(reader.caught_up, 20)
        publisher.flush()
        [letter] = topics.records(dead_letters(topic))
        assert letters.reason_of(letter) == "not_text"
    assert handler.bodies == ["fine"]


def test_what_cannot_be_applied_ends_the_reader_and_is_reported(
    topics: Topics, publisher: Publisher
) -> None:
    topic = topics.create("broken")
    publish(publisher, outgoing(topic, ["1"]))
    handler = Handler()

    def trouble(_bodies: object) -> None:
        raise RuntimeError("out of places")

    handler.trouble = trouble
    with reading(topics, topic, publisher, handler, "beginning") as reader:
        assert wait_until(lambda: bool(handler.failures), 20)
        assert not reader.caught_up()
        assert "out of places" in str(handler.failures.pop())
