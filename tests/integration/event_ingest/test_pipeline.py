"""From topic `events` to topic `interactions`, over a real Kafka and a real Postgres."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from headrace.api.events.v1.events_pb2 import EventType
from headrace.local.waiting import wait_until
from headrace.runtime.dead_letters import OFFSET, REASON
from headrace.runtime.kafka_consumer import GroupConsumer
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.kafka_records import Record
from headrace.runtime.periodic import Periodic
from headrace.runtime.topics import dead_letters
from services.event_ingest.consumer import (
    EntryPublisher,
    EventHandler,
    ItemHandler,
    decode_event,
    decode_item,
)
from services.event_ingest.service import EventIngest
from services.event_ingest.sweeper import Sweeper
from tests.conftest import KafkaServer, PostgresServer
from tests.integration.event_ingest.world import (
    TRACE,
    Postgres,
    event_record,
    ingest,
    interactions_in,
    item_record,
)
from tests.integration.runtime.kafka_world import Topics, publish
from tests.unit.event_ingest.builders import given

SECONDS = 60


class Pipeline:
    """The consumers of event_ingest, on topics of the test's own."""

    def __init__(self, topics: Topics, service: EventIngest, publisher: Publisher) -> None:
        self.topics = topics
        self._service = service
        self.publisher = publisher
        self.events = topics.create("events", partitions=2)
        self.items = topics.create("items")
        self.interactions = topics.create("interactions", partitions=2)
        self._entries = EntryPublisher(publisher, self.interactions)
        self.failures: list[BaseException] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """As a process would: stopped at the end of the block, offsets committed."""
        consumers = [
            self._consumer(
                self.events,
                decode_event,
                EventHandler(self._service, self._entries),
            ),
            self._consumer(
                self.items,
                decode_item,
                ItemHandler(self._service, self._entries),
            ),
        ]
        for consumer in consumers:
            consumer.start()
        try:
            yield
        finally:
            for consumer in consumers:
                consumer.stop(20)
        assert not self.failures

    def sweeps(self) -> Periodic:
        sweeper = Sweeper(self._service, self._entries, trending_window_h=72)
        return Periodic("sweep", sweeper.sweep, 0.1, on_failure=self.failures.append)

    def send(self, *records: Outgoing) -> None:
        publish(self.publisher, records)

    def published(self, user_id: str = "ann") -> list[tuple[int, str]]:
        """(n, event_id) of the user's interactions, in the order of the topic."""
        found = interactions_in(self.topics.records(self.interactions))
        return [(n, event_id) for user, n, event_id in found if user == user_id]

    def letters(self) -> list[Record]:
        return self.topics.records(dead_letters(self.events))

    def committed(self) -> int:
        return sum(self.topics.committed(f"{self.events}-group", self.events).values())

    def _consumer(self, topic: str, decode: Any, handle: Any) -> GroupConsumer[Any]:
        return GroupConsumer(
            bootstrap_servers=self.topics.bootstrap_servers,
            group=f"{topic}-group",
            topic=topic,
            decode=decode,
            handle=handle,
            publisher=self.publisher,
            on_failure=self.failures.append,
        )


@pytest.fixture
def pipeline(
    kafka: KafkaServer, topic_prefix: str, service: EventIngest, publisher: Publisher
) -> Pipeline:
    return Pipeline(Topics(kafka.bootstrap_servers, topic_prefix), service, publisher)


def test_good_events_go_through_and_bad_ones_become_dead_letters_with_the_reason(
    pipeline: Pipeline, store: Postgres
) -> None:
    store.add_item("kettle")
    events = pipeline.events
    garbage = Outgoing(events, b"ann", b"\xff garbage", [("x-sender", b"fuzzer")])
    pipeline.send(
        event_record(events, "e1"),
        garbage,
        event_record(events, "e2", type=EventType.EVENT_TYPE_UNSPECIFIED),
        event_record(events, "e1", type=EventType.EVENT_TYPE_CART),
        event_record(events, "e3"),
    )
    with pipeline.running():
        assert wait_until(lambda: len(store.log_of("ann")) == 2, SECONDS)
        assert wait_until(lambda: len(pipeline.letters()) == 3, SECONDS)

    letters = {dict(letter.headers)[REASON].decode(): letter for letter in pipeline.letters()}
    assert set(letters) == {"undecodable", "invalid_event", "event_id_conflict"}
    kept = dict(letters["undecodable"].headers)
    assert letters["undecodable"].value == b"\xff garbage"
    assert (kept["x-sender"], kept[OFFSET]) == (b"fuzzer", b"1")
    assert pipeline.published() == [(1, "e1"), (2, "e3")]
    assert pipeline.committed() == 5


def test_the_trace_of_an_event_goes_on_with_its_interaction(
    pipeline: Pipeline, store: Postgres
) -> None:
    store.add_item("kettle")
    pipeline.send(event_record(pipeline.events, "e1"))
    with pipeline.running():
        assert wait_until(lambda: bool(pipeline.published()), SECONDS)
    (record,) = pipeline.topics.records(pipeline.interactions)
    assert (record.key, list(record.headers)) == (b"ann", [("traceparent", TRACE)])


def test_an_event_sent_again_after_a_restart_is_published_again_under_its_number(
    pipeline: Pipeline, store: Postgres
) -> None:
    store.add_item("kettle")
    with pipeline.running():
        pipeline.send(*(event_record(pipeline.events, f"e{n}") for n in (1, 2, 3)))
        assert wait_until(lambda: len(pipeline.published()) == 3, SECONDS)
    with pipeline.running():
        pipeline.send(*(event_record(pipeline.events, f"e{n}") for n in (2, 4)))
        assert wait_until(lambda: len(pipeline.published()) == 5, SECONDS)
    assert pipeline.published()[3:] == [(2, "e2"), (4, "e4")]
    assert store.log_of("ann") == ["e1", "e2", "e3", "e4"]


def test_events_that_were_stored_and_not_published_are_published_when_they_come_again(
    pipeline: Pipeline, store: Postgres, service: EventIngest
) -> None:
    """What a crash between the commit and the publishing leaves."""
    store.add_item("kettle")
    ingest(service, given("e1"), given("e2"))
    pipeline.send(*(event_record(pipeline.events, f"e{n}") for n in (1, 2, 3)))
    with pipeline.running():
        assert wait_until(lambda: len(pipeline.published()) == 3, SECONDS)
    assert pipeline.published() == [(1, "e1"), (2, "e2"), (3, "e3")]


def test_an_event_waits_for_its_item_and_goes_out_when_the_item_arrives(
    pipeline: Pipeline, store: Postgres
) -> None:
    store.add_item("kettle")
    with pipeline.running():
        pipeline.send(
            event_record(pipeline.events, "w1", item_id="toaster"),
            event_record(pipeline.events, "w2", item_id="toaster"),
            event_record(pipeline.events, "e1"),
        )
        assert wait_until(lambda: pipeline.published() == [(1, "e1")], SECONDS)
        assert store.count("waiting_events") == 2
        pipeline.send(item_record(pipeline.items, "toaster", store.add_item("toaster")))
        assert wait_until(lambda: len(pipeline.published()) == 3, SECONDS)
    assert pipeline.published() == [(1, "e1"), (2, "w1"), (3, "w2")]
    assert store.log_of("ann") == ["e1", "w1", "w2"]


def test_the_sweeper_finds_what_began_to_wait_after_the_item_s_message(
    pipeline: Pipeline, store: Postgres, service: EventIngest
) -> None:
    ingest(service, given("w1", item_id="toaster"))
    store.add_item("toaster")  # and nothing about it comes on topic `items`
    sweeps = pipeline.sweeps()
    assert not sweeps.succeeded()
    sweeps.start()
    assert wait_until(lambda: pipeline.published() == [(1, "w1")], SECONDS)
    assert wait_until(sweeps.succeeded, SECONDS)
    sweeps.stop(20)
    assert not pipeline.failures
    assert store.count("waiting_events") == 0


def test_nothing_is_lost_while_postgres_is_away(
    pipeline: Pipeline,
    store: Postgres,
    postgres: PostgresServer,
    database: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store.add_item("kettle")
    sweeps = pipeline.sweeps()
    with pipeline.running():
        pipeline.send(event_record(pipeline.events, "e0"))
        assert wait_until(lambda: store.log_of("ann") == ["e0"], SECONDS)
        store.close()
        with caplog.at_level(logging.WARNING):
            postgres.stop()
            try:
                sweeps.start()
                pipeline.send(*(event_record(pipeline.events, f"e{n}") for n in range(1, 500)))
                assert wait_until(lambda: "batch waits" in caplog.text, SECONDS)
                assert wait_until(lambda: "sweep waits" in caplog.text, SECONDS)
            finally:
                postgres.start()
        back = Postgres(database)
        assert wait_until(lambda: len(back.log_of("ann")) == 500, SECONDS)
        assert wait_until(sweeps.succeeded, SECONDS)
        sweeps.stop(20)
    assert back.log_of("ann") == [f"e{n}" for n in range(500)]
    back.close()
    assert pipeline.published() == [(n + 1, f"e{n}") for n in range(500)]
    assert pipeline.letters() == []
