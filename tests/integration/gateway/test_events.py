"""202 means that Kafka has the events; without Kafka the answer comes in time."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic

from headrace.api.events.v1 import events_pb2
from headrace.local.waiting import wait_until
from headrace.runtime.readiness import Readiness
from services.gateway.events.kafka_log import KafkaEventLog
from services.gateway.events.service import Events
from tests.conftest import KafkaServer
from tests.unit.gateway.doors import EVENTS_KEY, http_door
from tests.unit.gateway.memory import World

PARTITIONS = 3
# A busy machine may be slow; only a test that waits for the deadline has a short one.
PATIENT_S = 30.0
DEADLINE_S = 3.0


@pytest.fixture
def topic(kafka: KafkaServer, topic_prefix: str) -> str:
    name = f"{topic_prefix}events"
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    admin.create_topics([NewTopic(name, num_partitions=PARTITIONS, replication_factor=1)])
    admin.close()
    return name


@pytest.fixture
def deadline_s() -> float:
    return PATIENT_S


@pytest.fixture
def event_log(kafka: KafkaServer, topic: str, deadline_s: float) -> Iterator[KafkaEventLog]:
    log = KafkaEventLog(kafka.bootstrap_servers, deadline_s, topic)
    log.start()
    yield log
    log.close()


@pytest.fixture
async def http(event_log: KafkaEventLog) -> AsyncIterator[httpx.AsyncClient]:
    world = World()
    events = Events(event_log, world.choices, world.unwanted)
    world.gateway = replace(world.gateway, events=events)
    async with http_door(world, Readiness()) as client:
        yield client


async def _connected(event_log: KafkaEventLog) -> None:
    assert await asyncio.to_thread(wait_until, event_log.connected, 30)


def _stored(kafka: KafkaServer, topic: str) -> list[tuple[int, bytes, events_pb2.Event]]:
    """Everything on the topic: partition, key, event."""
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers)
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    found: list[tuple[int, bytes, events_pb2.Event]] = []

    def read_to_the_end() -> bool:
        for batch in consumer.poll(timeout_ms=200).values():
            found.extend(
                (raw.partition, raw.key, events_pb2.Event.FromString(raw.value)) for raw in batch
            )
        return all(consumer.position(part) >= end for part, end in ends.items())

    assert wait_until(read_to_the_end, 30)
    consumer.close()
    return found


def _clicks(count: int, user_ids: int = 7) -> list[dict[str, Any]]:
    return [
        {"event_id": f"e{n}", "user_id": f"u{n % user_ids}", "item_id": str(n), "type": "click"}
        for n in range(count)
    ]


async def test_accepted_events_are_on_the_topic_in_order_for_each_person(
    kafka: KafkaServer, topic: str, event_log: KafkaEventLog, http: httpx.AsyncClient
) -> None:
    await _connected(event_log)
    answer = await http.post("/v1/events", json={"events": _clicks(500)}, headers=EVENTS_KEY)
    assert answer.status_code == 202
    stored = await asyncio.to_thread(_stored, kafka, topic)
    assert sorted(answer.json()["event_ids"]) == sorted(one.event_id for _, _, one in stored)
    for _, key, event in stored:
        assert key == event.user_id.encode()
        assert event.HasField("accepted_at")
        assert not event.HasField("occurred_at")
    for user in range(7):
        mine = [(part, int(one.item_id)) for part, key, one in stored if key == b"u%d" % user]
        assert len({part for part, _ in mine}) == 1
        assert [number for _, number in mine] == sorted(number for _, number in mine)


async def test_a_refused_batch_leaves_nothing_on_the_topic(
    kafka: KafkaServer, topic: str, event_log: KafkaEventLog, http: httpx.AsyncClient
) -> None:
    await _connected(event_log)
    events = [*_clicks(3), {"user_id": "u", "item_id": "1", "type": "rating", "value": 9}]
    answer = await http.post("/v1/events", json={"events": events}, headers=EVENTS_KEY)
    assert answer.status_code == 400
    assert await asyncio.to_thread(_stored, kafka, topic) == []


@pytest.mark.parametrize("deadline_s", [DEADLINE_S])
async def test_while_kafka_is_away_events_are_refused_in_time_and_accepted_afterwards(
    kafka: KafkaServer, topic: str, event_log: KafkaEventLog, http: httpx.AsyncClient
) -> None:
    await _connected(event_log)
    before = _clicks(2)
    sent = await http.post("/v1/events", json={"events": before}, headers=EVENTS_KEY)
    assert sent.status_code == 202
    await asyncio.to_thread(kafka.stop)
    try:
        body = {"events": [{"user_id": "u", "item_id": "1", "type": "click"}]}
        began = time.monotonic()
        refused = await http.post("/v1/events", json=body, headers=EVENTS_KEY)
        # The bound is the deadline; the rest is room for a busy machine.
        assert time.monotonic() - began < DEADLINE_S + 2
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
    finally:
        await asyncio.to_thread(kafka.start)
    (event_id,) = refused.json()["event_ids"]
    retry = {"events": [{**body["events"][0], "event_id": event_id}]}
    status = 503
    deadline = time.monotonic() + 30
    while status == 503 and time.monotonic() < deadline:
        answer = await http.post("/v1/events", json=retry, headers=EVENTS_KEY)
        status = answer.status_code
    assert status == 202
    stored = {one.event_id for _, _, one in await asyncio.to_thread(_stored, kafka, topic)}
    assert stored == {"e0", "e1", event_id}


async def test_a_gateway_that_starts_before_kafka_serves_lists_and_connects_later(
    kafka: KafkaServer, topic: str
) -> None:
    await asyncio.to_thread(kafka.stop)
    event_log = KafkaEventLog(kafka.bootstrap_servers, DEADLINE_S, topic)
    world = World()
    events = Events(event_log, world.choices, world.unwanted)
    world.gateway = replace(world.gateway, events=events)
    try:
        event_log.start()
        async with http_door(world, Readiness()) as client:
            assert (await client.post("/v1/recommendations", json={})).status_code == 200
            body = {"events": _clicks(1)}
            refused = await client.post("/v1/events", json=body, headers=EVENTS_KEY)
            assert refused.status_code == 503
            await asyncio.to_thread(kafka.start)
            await _connected(event_log)
            accepted = await client.post("/v1/events", json=body, headers=EVENTS_KEY)
            assert accepted.status_code == 202
    finally:
        await asyncio.to_thread(kafka.start)
        event_log.close()
