"""On real Kafka: lists that were served can be read again, and lists do not wait for Kafka."""

import asyncio
from functools import partial

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic

from headrace.api.impressions.v1.impressions_pb2 import ServedList, ServedLists
from headrace.local.waiting import wait_until
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.readiness import Readiness
from services.gateway.impressions import ImpressionLog
from tests.conftest import KafkaServer
from tests.unit.gateway.doors import http_door
from tests.unit.gateway.memory import World

DEADLINE_S = 30.0


@pytest.fixture
def topic(kafka: KafkaServer, topic_prefix: str) -> str:
    name = f"{topic_prefix}impressions"
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    admin.close()
    return name


def _stored(kafka: KafkaServer, topic: str) -> list[ServedList]:
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers)
    try:
        part = TopicPartition(topic, 0)
        consumer.assign([part])
        consumer.seek_to_beginning(part)
        end = consumer.end_offsets([part])[part]
        found: list[ServedList] = []
        while consumer.position(part) < end:
            for batch in consumer.poll(timeout_ms=200).values():
                for record in batch:
                    found.extend(ServedLists.FromString(record.value).lists)
        return found
    finally:
        consumer.close()


async def test_a_served_list_is_on_the_topic(kafka: KafkaServer, topic: str) -> None:
    log = ImpressionLog(partial(Publisher, kafka.bootstrap_servers), topic)
    log.start()
    world = World(impressions=log)
    async with http_door(world, Readiness()) as client:
        answer = (await client.post("/v1/recommendations", json={"n": 3})).json()
    await asyncio.to_thread(log.close, DEADLINE_S)
    (one,) = await asyncio.to_thread(_stored, kafka, topic)
    assert one.request_id == answer["request_id"]
    shown = [(item["item_id"], item["score"]) for item in answer["items"]]
    assert [(item.item_id, item.score) for item in one.impressions] == shown


async def test_while_kafka_is_away_lists_are_served_and_noted_down_later(
    kafka: KafkaServer, topic: str
) -> None:
    await asyncio.to_thread(kafka.stop)
    log = ImpressionLog(partial(Publisher, kafka.bootstrap_servers), topic)
    world = World(impressions=log)
    try:
        log.start()
        async with http_door(world, Readiness()) as client:
            for _ in range(5):
                assert (await client.post("/v1/recommendations", json={})).status_code == 200
    finally:
        await asyncio.to_thread(kafka.start)
    there = partial(wait_until, lambda: len(_stored(kafka, topic)) == 5, DEADLINE_S)
    assert await asyncio.to_thread(there)
    await asyncio.to_thread(log.close, DEADLINE_S)
