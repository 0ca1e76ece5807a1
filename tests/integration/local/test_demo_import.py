"""The demo's way into a system: films through gRPC, ratings through Kafka."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import grpc
import psycopg2
import pytest
from kafka import KafkaConsumer

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.api.events.v1 import events_pb2
from headrace.api.item_embedding.v1 import item_embedding_pb2, item_embedding_pb2_grpc
from headrace.errors import Unavailable
from headrace.local.demo import DemoData, load_demo
from headrace.local.demo_catalogue import import_catalogue
from headrace.local.demo_history import send_history, wait_applied
from headrace.local.imports import HISTORY, is_finished, mark_finished
from headrace.local.kafka import EmbeddedKafka
from headrace.local.ports import free_ports
from headrace.local.waiting import wait_until
from headrace.runtime.topics import create_topics
from tests.pretended_item_embedding import PretendedItemEmbedding

NEWEST = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Catalogue(PretendedItemEmbedding):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: list[list[catalogue_pb2.Item]] = []

    def UpsertItems(  # noqa: N802
        self, request: item_embedding_pb2.UpsertItemsRequest, context: object
    ) -> item_embedding_pb2.UpsertItemsResponse:
        self.requests.append(list(request.items))
        return item_embedding_pb2.UpsertItemsResponse()


@pytest.fixture(scope="module")
def demo() -> DemoData:
    return load_demo(newest=NEWEST)


@pytest.fixture
def catalogue() -> Iterator[tuple[Catalogue, str]]:
    server = grpc.server(ThreadPoolExecutor(1))
    catalogue = Catalogue()
    item_embedding_pb2_grpc.add_ItemEmbeddingServiceServicer_to_server(catalogue, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield catalogue, f"127.0.0.1:{port}"
    server.stop(grace=None).wait()


@pytest.fixture
def kafka_of_its_own(server_folder: Path) -> Iterator[EmbeddedKafka]:
    """Topic `events` of the session's Kafka belongs to other tests."""
    port, controller_port = free_ports(2)
    with EmbeddedKafka(server_folder / "kafka-for-history", port, controller_port) as server:
        yield server


def test_films_arrive_in_chunks_with_year_and_genres(
    demo: DemoData, catalogue: tuple[Catalogue, str]
) -> None:
    store, address = catalogue
    stored: list[int] = []
    import_catalogue(address, demo.items, stored.append)
    assert [len(request) for request in store.requests] == stored == [500, 500, 500, 182]
    first = store.requests[0][0]
    assert (first.item_id, first.title) == ("1", "Toy Story")
    assert list(first.categories) == ["Animation", "Children's", "Comedy"]
    assert dict(first.attributes) == {"year": 1995.0}


def test_a_catalogue_that_is_away_is_said_to_be_away(demo: DemoData) -> None:
    (port,) = free_ports(1)
    with pytest.raises(Unavailable, match="item_embedding"):
        import_catalogue(f"127.0.0.1:{port}", demo.items, lambda _: None)


def test_ratings_arrive_in_order_for_each_person_and_marked_as_history(
    demo: DemoData, kafka_of_its_own: EmbeddedKafka
) -> None:
    kafka = kafka_of_its_own
    create_topics(kafka.bootstrap_servers, "demo-test")
    oldest = demo.interactions.iloc[:3000]
    send_history(kafka.bootstrap_servers, oldest, lambda _: None)
    consumer = KafkaConsumer(
        "events", bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    events: dict[str, list[events_pb2.Event]] = {}

    def all_there() -> bool:
        for records in consumer.poll(timeout_ms=200).values():
            for record in records:
                event = events_pb2.Event.FromString(record.value)
                if event.event_id.startswith("demo-"):
                    assert record.key.decode() == event.user_id
                    events.setdefault(event.user_id, []).append(event)
        return sum(map(len, events.values())) >= len(oldest)

    assert wait_until(all_there, seconds=30)
    consumer.close()
    for user_id, theirs in oldest.groupby("user_id"):
        assert [event.event_id for event in events[str(user_id)]] == [
            f"demo-{row}" for row in theirs["row"]
        ]
    event = events["259"][0]
    assert (event.item_id, event.value, event.backfill) == ("255", 4.0, True)
    assert event.type == events_pb2.EVENT_TYPE_RATING


def test_the_wait_ends_when_every_person_s_state_has_their_whole_log(database: str) -> None:
    connection = psycopg2.connect(database)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO user_counters (user_id, n) VALUES ('a', 2), ('b', 1);"
            "INSERT INTO interactions (user_id, n, event_id, item_ordinal, type, occurred_at,"
            " backfill, body_hash) VALUES ('a', 1, 'demo-0', 1, 7, now(), true, ''),"
            " ('a', 2, 'demo-1', 2, 7, now(), true, ''), ('b', 1, 'demo-2', 1, 7, now(), true, '')"
        )
    applied: list[int] = []

    def advance(count: int) -> None:
        """One more entry is applied each time that somebody looks."""
        applied.append(count)
        n = {"a": min(count + 1, 2), "b": 1 if count >= 2 else 0}
        with connection, connection.cursor() as cursor:
            for user_id, value in n.items():
                cursor.execute(
                    "INSERT INTO user_states (model_version, user_id, epoch, n, state, vector,"
                    " recent_ordinals, seen, recent_event_ids)"
                    " VALUES ('m', %s, 0, %s, '', '', '{}', '', '{}')"
                    " ON CONFLICT (model_version, user_id) DO UPDATE SET n = excluded.n",
                    (user_id, value),
                )

    wait_applied(database, "m", events=3, progressed=advance)
    connection.close()
    assert applied == [0, 1, 2, 3]


def test_a_finished_import_is_remembered_in_the_database(database: str) -> None:
    assert not is_finished(database, HISTORY)
    mark_finished(database, HISTORY)
    mark_finished(database, HISTORY)
    assert is_finished(database, HISTORY)
