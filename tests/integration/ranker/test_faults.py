"""On real Kafka and Postgres: what happens when parts fail or send garbage."""

import signal
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from headrace.local.waiting import wait_until
from headrace.runtime.dead_letters import REASON
from headrace.runtime.topics import dead_letters, item_vectors, user_vectors
from tests.conftest import KafkaServer, PostgresServer
from tests.integration.ranker.running import RankerProcess
from tests.service_process import DEADLINE_S

GARBAGE = b"\xff\xff garbage"


def dead_letters_of(kafka: KafkaServer, topic: str) -> dict[bytes, str]:
    """Reason by value."""
    found: dict[bytes, str] = {}
    consumer: Any = KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers)
    try:
        part = TopicPartition(dead_letters(topic), 0)
        consumer.assign([part])
        consumer.seek_to_beginning()
        end = consumer.end_offsets([part])[part]
        while consumer.position(part) < end:
            for batch in consumer.poll(timeout_ms=200).values():
                found |= {raw.value: dict(raw.headers)[REASON].decode() for raw in batch}
    finally:
        consumer.close()
    return found


@pytest.mark.parametrize("topic_of", [item_vectors, user_vectors])
def test_garbage_is_dead_lettered_and_reading_goes_on(
    running: RankerProcess, kafka: KafkaServer, topic_of: Any
) -> None:
    model = running.model
    topic = topic_of(model.version)
    wrong = model.item(3, revision=9) if topic_of is item_vectors else model.user("ann", 9, likes=3)
    wrong.width = 3
    running.embedding.vectors["ann"] = model.user("ann", 1, likes=0)
    assert running.recommend(user_id="ann").n_applied == 1
    running.publish_bytes(
        (topic, "a", GARBAGE), (topic, "b", b""), (topic, "c", wrong.SerializeToString())
    )
    running.publish(model.user("ann", 2, likes=0), model.item(59, revision=2, deleted=True))
    assert wait_until(lambda: running.recommend(user_id="ann").n_applied == 2, DEADLINE_S)
    assert wait_until(lambda: running.metric("headrace_ranker_catalogue_items") == 59, DEADLINE_S)
    expected = {GARBAGE: "undecodable", b"": "empty", wrong.SerializeToString(): "invalid"}
    assert wait_until(lambda: dead_letters_of(kafka, topic) == expected, DEADLINE_S)


def test_without_user_embedding_lists_are_made_from_what_is_known(running: RankerProcess) -> None:
    running.embedding.vectors["ann"] = running.model.user("ann", 1, likes=0)
    assert running.recommend(user_id="ann").n_applied == 1
    running.embedding.stop()
    for _ in range(20):
        stranger = running.recommend(user_id="bob")
        assert stranger.degraded == "user_embedding_unavailable"
        assert (stranger.n_applied, len(stranger.items)) == (0, 5)
    known = running.recommend(user_id="ann")
    assert (known.degraded, known.n_applied) == ("", 1)
    running.embedding.start()
    running.embedding.vectors["bob"] = running.model.user("bob", 3, likes=1)
    assert wait_until(lambda: running.recommend(user_id="bob").n_applied == 3, DEADLINE_S)


def test_kafka_and_postgres_may_go_and_come_back(
    running: RankerProcess, kafka: KafkaServer, postgres: PostgresServer
) -> None:
    running.embedding.vectors["ann"] = running.model.user("ann", 1, likes=0)
    assert running.recommend(user_id="ann").n_applied == 1
    kafka.stop()
    postgres.stop()
    try:
        assert len(running.recommend(user_id="ann").items) == 5
        assert len(running.recommend().items) == 5
        assert running.ready()
    finally:
        postgres.start()
        kafka.start()
    running.publish(
        running.model.user("ann", 2, likes=1), running.model.item(59, revision=2, deleted=True)
    )
    assert wait_until(lambda: running.recommend(user_id="ann").n_applied == 2, DEADLINE_S)
    assert wait_until(lambda: running.metric("headrace_ranker_catalogue_items") == 59, DEADLINE_S)


def test_sigterm_ends_it_in_order_and_a_new_one_knows_the_same_items(
    running: RankerProcess,
) -> None:
    running.publish(running.model.item(0, revision=2, deleted=True))
    assert wait_until(lambda: running.metric("headrace_ranker_catalogue_items") == 59, DEADLINE_S)
    before = running.recommend(n=200)
    running.child.send(signal.SIGTERM)
    assert running.child.wait(DEADLINE_S)
    assert running.child.exit_code == 0, running.child.last_log_lines()
    running.start_and_wait()
    after = running.recommend(n=200)
    assert [item.item_id for item in after.items] == [item.item_id for item in before.items]
    assert len(after.items) == 59
