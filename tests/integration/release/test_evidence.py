"""What a report is made of: lists on a real Kafka, acts in a real Postgres."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.impressions.v1.impressions_pb2 import Impression, ServedList, ServedLists
from headrace.api.ranker.v1.list_options_pb2 import LIST_KIND_SEARCH
from headrace.release.evidence import read_acts, read_served
from headrace.release.outcomes import Act, Served, compare
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.topics import IMPRESSIONS, create_topics
from headrace.store.database import Database
from tests.conftest import KafkaServer

SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNTIL = SINCE + timedelta(hours=1)


@pytest.fixture
def publisher(kafka: KafkaServer) -> Iterator[Publisher]:
    create_topics(kafka.bootstrap_servers, "m1")
    publisher = Publisher(kafka.bootstrap_servers)
    yield publisher
    publisher.close()


def served(user_id: str, at: datetime, *items: str) -> ServedList:
    moment = Timestamp()
    moment.FromDatetime(at)
    shown = [Impression(item_id=item_id) for item_id in items]
    return ServedList(user_id=user_id, served_at=moment, impressions=shown)


def test_lists_and_acts_of_the_time_of_a_canary_are_read(
    kafka: KafkaServer, publisher: Publisher, database: str
) -> None:
    ann, bob = (f"{name}-{uuid.uuid4().hex}" for name in ("ann", "bob"))
    second = SINCE + timedelta(seconds=1)
    moment = served(ann, second).served_at
    record = ServedLists(
        lists=[
            served(ann, SINCE, "a", "b"),
            served(bob, second, "b"),
            served("", second, "b"),
            served(ann, SINCE - timedelta(seconds=1), "a"),
            served(ann, UNTIL, "a"),
            ServedList(user_id=ann, served_at=moment, kind=LIST_KIND_SEARCH),
        ]
    )
    publisher.publish([Outgoing(IMPRESSIONS, b"", record.SerializeToString())])
    publisher.flush()
    lists = read_served(kafka.bootstrap_servers, SINCE, UNTIL, 1.0)
    assert sorted(lists) == sorted(
        [
            Served(ann, SINCE.timestamp(), ("a", "b")),
            Served(bob, second.timestamp(), ("b",)),
        ]
    )
    assert read_served(kafka.bootstrap_servers, SINCE, UNTIL, 0.0) == []

    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO items (ordinal, item_id, title, description, categories, tags, attributes,"
            " revision) OVERRIDING SYSTEM VALUE VALUES (7, 'b', 'B', '', '{}', '{}', '{}', 1)"
        )
        cursor.executemany(
            "INSERT INTO interactions (user_id, n, event_id, item_ordinal, type, occurred_at,"
            " accepted_at, backfill, body_hash, retracted_by)"
            " VALUES (%s, %s, %s, 7, %s, now(), %s, %s, '', %s)",
            [
                (ann, 1, "clicked", 2, second, False, None),
                (ann, 2, "too late", 2, UNTIL, False, None),
                (ann, 3, "imported", 2, second, True, None),
                (ann, 4, "taken back", 2, second, False, 5),
            ],
        )
    pool = Database(database, 1)
    acts = read_acts(pool, SINCE, UNTIL, 1.0)
    pool.close()
    assert acts == [Act(ann, second.timestamp(), "b", 2)]
    everybody = compare(lists, acts, "salt", 1.0).candidate
    assert (everybody.people, everybody.lists, everybody.click_through.y) == (2, 2, 1)
