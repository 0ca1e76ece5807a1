"""With a part away, people still get the best list there can be, and it says so."""

import time
import uuid
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer

from headrace.local.system import LocalSystem
from headrace.runtime import topics
from headrace.runtime.dead_letters import OFFSET, PARTITION, REASON
from tests.e2e.visitor import Visitor, new_events, until

DEADLINE_S = 2.0


def event(user_id: str, item_id: str, type_: str = "click") -> dict[str, str]:
    return {
        "event_id": uuid.uuid4().hex,
        "user_id": user_id,
        "item_id": item_id,
        "type": type_,
    }


def test_an_unknown_person_gets_a_full_list(visitor: Visitor) -> None:
    body = visitor.recommendations("nobody-knows-me", n=10)
    assert len(body["items"]) == 10
    assert body["degraded"] is None


def test_a_click_moves_its_category_up(visitor: Visitor) -> None:
    horror = [event("horror-fan", f"item-{number}") for number in (2, 6, 10)]
    visitor.send(horror)
    body = visitor.recommendations("horror-fan", n=10, after=horror[-1]["event_id"])
    assert body["after"]["status"] == "applied"
    top = [item["categories"] for item in body["items"][:5]]
    assert sum(categories == ["horror"] for categories in top) >= 4


def test_without_the_ranker_the_last_list_is_served_as_degraded(
    visitor: Visitor, system: LocalSystem
) -> None:
    visitor.send([event("regular", "item-1")])
    known = visitor.recommendations("regular", n=10)
    system.terminate("ranker")
    try:
        began = time.monotonic()
        body = visitor.recommendations("regular", n=10)
        stranger = visitor.recommendations("a-stranger", n=10)
        assert time.monotonic() - began < 2 * DEADLINE_S
    finally:
        system.start("ranker")
    assert body["degraded"] == stranger["degraded"] == "ranker_unavailable"
    assert [item["item_id"] for item in body["items"]] == [
        item["item_id"] for item in known["items"]
    ]
    assert len(stranger["items"]) == 10
    until(
        lambda: visitor.recommendations("regular", n=10)["degraded"] is None,
        30,
        "lists are whole again",
    )


def test_without_user_embedding_a_list_still_comes(visitor: Visitor, system: LocalSystem) -> None:
    visitor.send(new_events("uncached-", 1, 3, ["item-1", "item-2"]))
    visitor.until_applied("uncached-", 3)
    # A ranker that has just started has nobody's vector.
    system.terminate("ranker")
    system.start("ranker")
    system.terminate("user_embedding")
    bodies: list[dict[str, Any]] = []

    def without_it() -> bool:
        bodies.append(visitor.recommendations("uncached-0", n=10))
        return bool(bodies[-1]["degraded"] == "user_embedding_unavailable")

    try:
        # At first the gateway may still wait to try the ranker again, and says that.
        until(without_it, 20, "lists are made without user_embedding")
    finally:
        system.start("user_embedding")
    assert all(len(body["items"]) == 10 for body in bodies)
    until(
        lambda: visitor.recommendations("uncached-0", n=10)["degraded"] is None,
        30,
        "lists are personal again",
    )


def test_the_same_event_across_a_restart_has_one_effect(
    visitor: Visitor, system: LocalSystem
) -> None:
    once = event("repeater", "item-3")
    visitor.send([once, once])
    visitor.until_applied("repeater", 1)
    system.terminate("event_ingest")
    system.start("event_ingest")
    visitor.send([once])
    visitor.send([event("repeater", "item-4")])
    visitor.until_applied("repeater", 2)
    visitor.assert_each_stored_once("repeater", 2)


def test_an_event_waits_for_its_item(visitor: Visitor) -> None:
    early = event("early-bird", "not-yet-there")
    visitor.send([early])
    until(
        lambda: status(visitor, "early-bird", early["event_id"]) == "waiting_for_item",
        20,
        "the event waits",
    )
    answer = visitor.http.put(
        "/v1/items/not-yet-there", json={"title": "Here at last", "categories": ["drama"]}
    )
    assert answer.is_success, answer.text
    until(
        lambda: status(visitor, "early-bird", early["event_id"]) == "applied",
        20,
        "the event was applied",
    )


def test_a_deleted_item_is_in_no_list(visitor: Visitor) -> None:
    assert visitor.http.put("/v1/items/short-lived", json={"title": "Soon gone"}).is_success
    assert visitor.http.delete("/v1/items/short-lived").is_success
    assert visitor.http.get("/v1/items/short-lived").status_code == 404
    everything = visitor.recommendations("horror-fan", n=200)["items"]
    assert "short-lived" not in {item["item_id"] for item in everything}


@pytest.mark.parametrize(
    "topic", ["events", "interactions", "items", "item-vectors", "user-vectors"]
)
def test_garbage_is_dead_lettered_and_the_rest_goes_on(
    topic: str, visitor: Visitor, system: LocalSystem
) -> None:
    full_name = {
        "item-vectors": topics.item_vectors(system.model_version),
        "user-vectors": topics.user_vectors(system.model_version),
    }.get(topic, topic)
    producer = KafkaProducer(bootstrap_servers=system.kafka_bootstrap_servers)
    written = producer.send(
        full_name, key=b"who-knows", value=b"\xff\x00garbage", headers=[("origin", b"a test")]
    ).get(10)
    producer.close()
    headers = dead_letter(system, full_name, written.partition, written.offset)
    assert headers["origin"] == b"a test"
    assert headers[REASON]
    after = event(f"after-garbage-on-{topic}", "item-5")
    visitor.send([after])
    until(
        lambda: status(visitor, after["user_id"], after["event_id"]) == "applied",
        20,
        "the next event was applied",
    )


def status(visitor: Visitor, user_id: str, event_id: str) -> str:
    """What became of an event, as a list tells it."""
    answer = visitor.recommendations(user_id, n=1, after=event_id)
    return str(answer["after"]["status"])


def dead_letter(system: LocalSystem, topic: str, partition: int, offset: int) -> dict[str, bytes]:
    """Headers of the dead letter of one record."""
    consumer = KafkaConsumer(
        topics.dead_letters(topic),
        bootstrap_servers=system.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=20_000,
    )
    try:
        for record in consumer:
            headers = dict(record.headers)
            place = (int(headers[PARTITION]), int(headers[OFFSET]))
            if place == (partition, offset) and record.value == b"\xff\x00garbage":
                return headers
    finally:
        consumer.close()
    raise TimeoutError(f"no dead letter for {topic} {partition}/{offset}")
