"""Interactions and vectors on the wire."""

from datetime import UTC, datetime

import numpy as np
import pytest
from pyroaring import BitMap

from headrace.api.events.v1 import events_pb2
from headrace.contracts.events import EventType
from headrace.errors import MalformedRecord
from headrace.index.encoding import from_bytes
from headrace.runtime.kafka_records import Record
from services.user_embedding.messages import decode_interaction, user_vector
from tests.unit.user_embedding.linear_tower import WIDTH
from tests.unit.user_embedding.worlds import World, entry


def record(value: bytes | None) -> Record:
    return Record("interactions", 0, 0, 0, b"ada", value)


def message() -> events_pb2.Interaction:
    made = events_pb2.Interaction(
        user_id="ada", n=3, event_id="e", item_ordinal=7, type=events_pb2.EVENT_TYPE_LIKE
    )
    made.occurred_at.FromDatetime(datetime(2026, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC))
    return made


def test_an_interaction_is_read_to_the_microsecond() -> None:
    body = decode_interaction(record(message().SerializeToString()))
    assert (body.user_id, body.n, body.item_ordinal, body.type) == ("ada", 3, 7, EventType.LIKE)
    assert body.occurred_at == datetime(2026, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    assert body.accepted_at is None


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("user_id", "", "user_id"),
        ("event_id", "", "event_id"),
        ("n", 0, "n is 0"),
        ("item_ordinal", 0, "item_ordinal is 0"),
        ("item_ordinal", 2**31, "item_ordinal"),
        ("type", 0, "type is 0"),
        ("type", 99, "type is 99"),
        ("epoch", 2**63, "epoch"),
    ],
)
def test_what_is_wrong_with_an_interaction_is_named(
    field: str, value: str | int, named: str
) -> None:
    wrong = message()
    setattr(wrong, field, value)
    with pytest.raises(MalformedRecord, match=named):
        decode_interaction(record(wrong.SerializeToString()))


def test_a_time_that_no_calendar_has_is_refused() -> None:
    wrong = message()
    wrong.occurred_at.seconds = 2**62
    with pytest.raises(MalformedRecord, match="no time"):
        decode_interaction(record(wrong.SerializeToString()))
    absent = message()
    absent.ClearField("occurred_at")
    with pytest.raises(MalformedRecord, match="occurred_at"):
        decode_interaction(record(absent.SerializeToString()))


def test_without_an_item_are_what_takes_back_and_what_is_said_of_a_category() -> None:
    back = message()
    back.type, back.item_ordinal = events_pb2.EVENT_TYPE_RETRACTION, 0
    assert not decode_interaction(record(back.SerializeToString())).stands
    said = message()
    said.type, said.item_ordinal = events_pb2.EVENT_TYPE_NOT_INTERESTED, 0
    with pytest.raises(MalformedRecord, match="item_ordinal is 0"):
        decode_interaction(record(said.SerializeToString()))
    said.category = "Tea"
    assert decode_interaction(record(said.SerializeToString())).category == "Tea"


@pytest.mark.parametrize(("value", "reason"), [(None, "empty"), (b"\xff\xff\xff", "undecodable")])
def test_garbage_is_refused(value: bytes | None, reason: str) -> None:
    with pytest.raises(MalformedRecord) as refusal:
        decode_interaction(record(value))
    assert refusal.value.reason == reason


def test_a_vector_carries_what_rankers_need() -> None:
    world = World()
    world.apply(entry("ada", 1, 5, EventType.LIKE), entry("ada", 2, 6))
    state = world.states.states["ada"]
    told = user_vector(state, "m1")
    assert (told.user_id, told.model_version, told.n, told.width) == ("ada", "m1", 2, WIDTH)
    np.testing.assert_array_equal(from_bytes(told.vector, WIDTH), state.vector)
    assert list(told.recent_ordinals) == [5, 6]
    assert list(told.recent_event_ids) == ["ada-1", "ada-2"]
    assert BitMap.deserialize(told.seen) == BitMap([5])
    assert told.last_occurred_at.ToDatetime(UTC) == state.last_occurred_at


def test_the_vector_of_somebody_without_history_is_empty() -> None:
    told = user_vector(World().service.current("nobody"), "m1")
    assert (told.vector, told.n) == (b"", 0)
    assert not told.HasField("last_occurred_at")
