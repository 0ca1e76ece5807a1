"""Records as Headrace sees them, apart from any client library."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from headrace.errors import MalformedRecord

T = TypeVar("T")

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Message(Generic[T]):
    """A record that could be decoded, and what it says."""

    record: Record
    body: T


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that cannot be used: `reason` is one word for metrics, `detail` for people."""

    record: Record
    reason: str
    detail: str


Decode = Callable[[Record], T]
"""Reads a record. Raises MalformedRecord where it cannot be used."""

Handle = Callable[[Sequence[Message[T]]], Sequence[Refusal]]
"""Does the work for a batch and returns what it refuses.

Doing the same batch twice must have the effect of once. Raises Unavailable while a dependency is
away; then nothing is committed and the same batch comes again.
"""


def decoded(records: Sequence[Record], decode: Decode[T]) -> tuple[list[Message[T]], list[Refusal]]:
    """Splits records into what can be read and what is refused."""
    messages: list[Message[T]] = []
    refusals: list[Refusal] = []
    for record in records:
        try:
            messages.append(Message(record, decode(record)))
        except MalformedRecord as error:
            refusals.append(Refusal(record, error.reason, error.detail))
    return messages, refusals


def from_client(raw: Any) -> Record:
    """A record as kafka-python hands it over."""
    return Record(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        timestamp_ms=raw.timestamp,
        key=raw.key,
        value=raw.value,
        headers=raw.headers,
    )
