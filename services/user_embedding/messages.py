"""Interactions and vectors as protobuf messages."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.events.v1 import events_pb2
from headrace.api.vectors.v1 import vectors_pb2
from headrace.contracts.events import EventType
from headrace.errors import MalformedRecord
from headrace.index.encoding import to_bytes
from headrace.runtime.kafka_messages import message_in
from headrace.runtime.kafka_records import Record
from headrace.runtime.timestamps import to_moment, to_timestamp
from services.user_embedding.interactions import Interaction
from services.user_embedding.states import UserState

_TYPES = frozenset(map(int, EventType))


def decode_interaction(record: Record) -> Interaction:
    """What a record of `interactions` says.

    Raises: MalformedRecord where it is no interaction, naming what is wrong.
    """
    message = message_in(record, events_pb2.Interaction)
    if wrong := _wrong(message):
        raise MalformedRecord("invalid_interaction", wrong)
    return Interaction(
        user_id=message.user_id,
        epoch=message.epoch,
        n=message.n,
        event_id=message.event_id,
        item_ordinal=message.item_ordinal,
        type=message.type,
        occurred_at=_moment(message.occurred_at),
        accepted_at=_moment(message.accepted_at) if message.HasField("accepted_at") else None,
        backfill=message.backfill,
        value=message.value if message.HasField("value") else None,
        category=message.category,
    )


def user_vector(state: UserState, model_version: str) -> vectors_pb2.UserVector:
    """The state as rankers need it."""
    return vectors_pb2.UserVector(
        user_id=state.user_id,
        model_version=model_version,
        epoch=state.epoch,
        n=state.n,
        last_occurred_at=_timestamp(state.last_occurred_at),
        vector=b"" if state.blank else to_bytes(state.vector),
        width=len(state.vector),
        recent_ordinals=state.recent_ordinals,
        seen=state.seen.serialize(),
        recent_event_ids=state.recent_event_ids,
        last_accepted_at=_timestamp(state.last_accepted_at),
        unwanted=state.unwanted.serialize() if state.unwanted else b"",
        unwanted_categories=state.unwanted_categories,
    )


def _wrong(message: events_pb2.Interaction) -> str | None:
    if not message.user_id or not message.event_id:
        return "user_id and event_id must be given"
    if not 1 <= message.n < 2**63 or message.epoch >= 2**63:
        return f"n is {message.n} and epoch {message.epoch}; n must be at least 1, both signed"
    if message.type not in _TYPES:
        return f"type is {message.type}; must be 1 to {max(_TYPES)}"
    without_item = message.category or message.type == events_pb2.EVENT_TYPE_RETRACTION
    first = 0 if without_item else 1
    if not first <= message.item_ordinal < 2**31:
        return f"item_ordinal is {message.item_ordinal}; must be {first} to {2**31 - 1}"
    if not message.HasField("occurred_at"):
        return "occurred_at must be given"
    return None


def _moment(timestamp: Timestamp) -> datetime:
    try:
        return to_moment(timestamp)
    except ValueError as error:
        raise MalformedRecord("invalid_interaction", f"no time: {error}") from error


def _timestamp(moment: datetime | None) -> Timestamp | None:
    return None if moment is None else to_timestamp(moment)
