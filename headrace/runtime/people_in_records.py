"""Whom a Kafka record tells of, whichever topic it is in, dead letters included."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from headrace.api.events.v1.events_pb2 import Event, Interaction
from headrace.api.impressions.v1.impressions_pb2 import ServedLists
from headrace.api.vectors.v1.vectors_pb2 import UserVector
from headrace.errors import MalformedRecord
from headrace.runtime.dead_letters import is_letter, to_original
from headrace.runtime.kafka_messages import message_in
from headrace.runtime.kafka_records import Record
from headrace.runtime.topics import EVENTS, IMPRESSIONS, INTERACTIONS

KEY_SEPARATOR = "\n"
"""Ends the person's id in keys that say more; no id holds a control character."""


class PeopleFilter:
    """Finds the records that tell of some people."""

    def __init__(self, people: Collection[str]) -> None:
        self._people = frozenset(people)
        self._raw = [person.encode() for person in people]

    def __call__(self, record: Record) -> bool:
        """Whether key or value name one of them. In what cannot be decoded: hold the id at all."""
        value, key = record.value or b"", record.key or b""
        headers = b"\0".join(value for _, value in record.headers)
        # Decoding is slow, and hardly any record holds the bytes.
        if not any(raw in value or raw in key or raw in headers for raw in self._raw):
            return False
        origin = _origin(record)
        if _person_of_key(origin) in self._people:
            return True
        try:
            message = _message(origin)
        except MalformedRecord:
            return any(raw in value for raw in self._raw)
        return not self._people.isdisjoint(_people_of(message))

    def told(self, record: Record) -> dict[str, Any]:
        """What the record says of these people, as JSON has it; of what cannot be decoded: how
        long it is."""
        try:
            message = _message(_origin(record))
        except MalformedRecord:
            return {"undecodable_bytes": len(record.value or b"")}
        if isinstance(message, ServedLists):
            mine = [one for one in message.lists if one.user_id in self._people]
            message = ServedLists(lists=mine)
        told: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
        return told


def _origin(record: Record) -> Record:
    """The record that a dead letter is about; any other itself."""
    if not is_letter(record):
        return record
    original = to_original(record)
    return replace(record, topic=original.topic, key=original.key, value=original.value, headers=())


def _person_of_key(record: Record) -> str:
    key = (record.key or b"").decode(errors="replace")
    return key.partition(KEY_SEPARATOR)[0]


def _message(record: Record) -> Message:
    """Raises: MalformedRecord."""
    if record.topic == EVENTS:
        return message_in(record, Event)
    if record.topic == INTERACTIONS:
        return message_in(record, Interaction)
    if record.topic == IMPRESSIONS:
        return message_in(record, ServedLists)
    return message_in(record, UserVector)


def _people_of(message: Message) -> set[str]:
    if isinstance(message, ServedLists):
        return {one.user_id for one in message.lists}
    assert isinstance(message, (Event, Interaction, UserVector))
    return {message.user_id}
