"""Protobuf messages as the values of records."""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from headrace.errors import MalformedRecord
from headrace.runtime.kafka_records import Record

M = TypeVar("M", bound=Message)


def message_in(record: Record, kind: type[M]) -> M:
    """What the record's value says, unchecked.

    Raises: MalformedRecord `empty` without a value, `undecodable` where it is no such message.
    """
    if not record.value:
        raise MalformedRecord("empty", f"the record has no value; {kind.__name__} was expected")
    try:
        return kind.FromString(record.value)
    except DecodeError as error:
        raise MalformedRecord("undecodable", f"not {kind.__name__}: {error}") from error
