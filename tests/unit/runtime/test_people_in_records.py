"""Who is told of in a record, by key, by content, and in dead letters."""

import pytest

from headrace.api.events.v1.events_pb2 import Event, Interaction
from headrace.api.impressions.v1.impressions_pb2 import ServedList, ServedLists
from headrace.api.vectors.v1.vectors_pb2 import UserVector
from headrace.runtime.dead_letters import to_dead_letter
from headrace.runtime.kafka_records import Record, Refusal
from headrace.runtime.people_in_records import PeopleFilter
from headrace.runtime.topics import EVENTS, IMPRESSIONS, INTERACTIONS, about_people, user_vectors

MINE = PeopleFilter(["ann", "v_1"])


def record(topic: str, value: bytes | None, key: bytes | None = None) -> Record:
    return Record(topic, 0, 7, 0, key, value)


def letter(original: Record) -> Record:
    sent = to_dead_letter(Refusal(original, "invalid_event", "a test"))
    return Record(sent.topic, 0, 0, 0, sent.key, sent.value, sent.headers)


SHOWN = ServedLists(
    lists=[ServedList(user_id="bob"), ServedList(user_id="ann"), ServedList(request_id="r")]
).SerializeToString()


@pytest.mark.parametrize(
    "of_mine",
    [
        record(EVENTS, Event(user_id="ann", event_id="e").SerializeToString()),
        record(INTERACTIONS, Interaction(user_id="v_1", n=1).SerializeToString()),
        record(user_vectors("m1"), UserVector(user_id="ann").SerializeToString()),
        record(IMPRESSIONS, SHOWN),
        record(IMPRESSIONS, ServedLists().SerializeToString(), b"ann\nr1"),
        record(EVENTS, b"", b"ann"),
        record(EVENTS, b"\xff\xff ann"),
        letter(record(EVENTS, Event(user_id="ann").SerializeToString(), b"ann")),
        letter(record(EVENTS, b"\xff\xff", b"ann")),
        letter(record(EVENTS, b"\xff\xff ann", b"")),
    ],
)
def test_a_record_that_tells_of_them_is_found(of_mine: Record) -> None:
    assert MINE(of_mine)


@pytest.mark.parametrize(
    "of_others",
    [
        # The id of an item may be that of a person.
        record(EVENTS, Event(user_id="bob", item_id="ann").SerializeToString(), b"bob"),
        record(EVENTS, Event(user_id="annabel").SerializeToString(), b"annabel"),
        record(IMPRESSIONS, ServedLists().SerializeToString(), b"annabel\nann"),
        record(IMPRESSIONS, ServedLists().SerializeToString(), b"\nann"),
        record(EVENTS, b"\xff\xff", b"bob"),
        letter(record(EVENTS, Event(user_id="bob", item_id="ann").SerializeToString(), b"bob")),
    ],
)
def test_a_record_of_others_is_not(of_others: Record) -> None:
    assert not MINE(of_others)


def test_what_is_told_leaves_out_what_is_told_of_others() -> None:
    assert MINE.told(record(IMPRESSIONS, SHOWN)) == {"lists": [{"user_id": "ann"}]}
    assert MINE.told(record(EVENTS, b"\xff\xff ann")) == {"undecodable_bytes": 6}


def test_topics_of_items_tell_of_nobody() -> None:
    topics = ("events", "events.dlq", "user-vectors.m1.dlq", "items", "item-vectors.m1", "events2")
    assert [about_people(name) for name in topics] == [True, True, True, False, False, False]
