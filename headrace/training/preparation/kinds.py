"""Kinds of event by name, and their numbers in the `EventType` proto."""

from headrace.api.events.v1.events_pb2 import EVENT_TYPE_RETRACTION, EventType

KINDS = {
    name.removeprefix("EVENT_TYPE_").lower(): int(number)
    for name, number in EventType.items()
    if number not in (0, EVENT_TYPE_RETRACTION)
}
KIND_NAMES = {number: name for name, number in KINDS.items()}
