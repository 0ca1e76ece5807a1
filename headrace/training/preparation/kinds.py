"""Kinds of event that models learn from, by name, and their numbers in the `EventType` proto."""

from headrace.api.events.v1.events_pb2 import (
    EVENT_TYPE_NOT_INTERESTED,
    EVENT_TYPE_RETRACTION,
    EVENT_TYPE_UNSPECIFIED,
    EventType,
)

_NO_TASTE = (EVENT_TYPE_UNSPECIFIED, EVENT_TYPE_RETRACTION, EVENT_TYPE_NOT_INTERESTED)

KINDS = {
    name.removeprefix("EVENT_TYPE_").lower(): int(number)
    for name, number in EventType.items()
    if number not in _NO_TASTE
}
KIND_NAMES = {number: name for name, number in KINDS.items()}
