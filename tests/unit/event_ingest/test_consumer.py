"""Between records and events nothing is lost, and garbage is told from them."""

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.catalogue.v1.catalogue_pb2 import Item, ItemChange
from headrace.api.events.v1.events_pb2 import Event, EventType, Interaction
from headrace.contracts.events import EventType as Kind
from headrace.errors import InvalidInput, MalformedRecord
from services.event_ingest.consumer import decode_event, decode_item, to_outgoing
from services.event_ingest.events import Entry
from services.event_ingest.validation import checked
from tests.unit.event_ingest.builders import record

AT = datetime(2025, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)


def test_an_event_is_read_to_the_microsecond() -> None:
    message = Event(event_id="e1", user_id="ann", item_id="kettle", type=EventType.EVENT_TYPE_CART)
    message.occurred_at.FromDatetime(AT)
    read = decode_event(record(message.SerializeToString()))
    assert (read.key, read.user_id, read.event_id, read.item_id) == (b"ann", "ann", "e1", "kettle")
    assert (read.type, read.occurred_at, read.accepted_at) == (Kind.CART, AT, None)


def test_a_value_of_zero_is_not_an_absent_one() -> None:
    assert decode_event(record(Event(event_id="e", value=0.0).SerializeToString())).value == 0.0
    assert decode_event(record(Event(event_id="e").SerializeToString())).value is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"\xff garbage", "undecodable"),
        (b"\x0a\x7f", "undecodable"),
    ],
)
def test_what_is_no_event_is_told_from_one(value: bytes | None, reason: str) -> None:
    with pytest.raises(MalformedRecord) as refused:
        decode_event(record(value))
    assert refused.value.reason == reason


def test_bytes_that_happen_to_decode_fail_the_checks() -> None:
    with pytest.raises(InvalidInput, match="event_id"):
        checked(decode_event(record(b"\xa0\x06\x01")))


@pytest.mark.parametrize("moment", [Timestamp(seconds=2**62), Timestamp(seconds=1, nanos=-5)])
def test_a_time_that_no_calendar_has_is_refused_by_name(moment: Timestamp) -> None:
    message = Event(event_id="e", user_id="ann", item_id="i", type=EventType.EVENT_TYPE_VIEW)
    message.occurred_at.CopyFrom(moment)
    with pytest.raises(InvalidInput, match="occurred_at: must lie"):
        checked(decode_event(record(message.SerializeToString())))


def test_an_entry_becomes_an_interaction_under_its_person_with_the_trace() -> None:
    entry = Entry("ann", 2, 5, "e1", 7, Kind.RATING, 4.5, AT, AT, True, b"")
    out = to_outgoing("interactions", entry, [("traceparent", b"00-a"), ("other", b"x")])
    message = Interaction.FromString(out.value or b"")
    assert (out.key, list(out.headers)) == (b"ann", [("traceparent", b"00-a")])
    assert (message.user_id, message.epoch, message.n, message.event_id) == ("ann", 2, 5, "e1")
    assert (message.item_ordinal, message.value) == (7, 4.5)
    assert message.type == EventType.EVENT_TYPE_RATING
    assert message.occurred_at.ToDatetime(UTC) == message.accepted_at.ToDatetime(UTC) == AT
    assert message.backfill


def test_what_an_event_lacked_its_interaction_lacks() -> None:
    entry = Entry("ann", 0, 1, "e1", 7, Kind.VIEW, None, AT, None, False, b"")
    message = Interaction.FromString(to_outgoing("interactions", entry).value or b"")
    assert not message.HasField("value")
    assert not message.HasField("accepted_at")


def test_an_item_change_names_its_item() -> None:
    change = ItemChange(item=Item(item_id="kettle", title="Kettle"), ordinal=1, revision=1)
    assert decode_item(record(change.SerializeToString())) == "kettle"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"\xff", "undecodable"),
        (ItemChange(ordinal=1).SerializeToString(), "invalid_item"),
    ],
)
def test_what_names_no_item_is_refused(value: bytes | None, reason: str) -> None:
    with pytest.raises(MalformedRecord) as refused:
        decode_item(record(value))
    assert refused.value.reason == reason
