"""What Kafka brings: item vectors from the beginning of time, people's vectors from now on."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from headrace.api.vectors.v1 import vectors_pb2 as vectors
from headrace.errors import MalformedRecord
from headrace.runtime.kafka_messages import message_in
from headrace.runtime.kafka_records import Decode, Message, Record
from services.ranker import messages
from services.ranker.catalogue import Catalogue, ItemVersion
from services.ranker.metrics import FRESHNESS
from services.ranker.users import UserCache, UserVector

P = TypeVar("P", vectors.ItemVector, vectors.UserVector)
T = TypeVar("T")


def item_decoder(model_version: str, width: int) -> Decode[ItemVersion]:
    return _decoder(vectors.ItemVector, model_version, lambda m: messages.item_version(m, width))


@dataclass(frozen=True)
class Gone:
    """A tombstone: the person was erased."""

    user_id: str


def user_decoder(model_version: str, width: int) -> Decode[UserVector | Gone]:
    def read(message: vectors.UserVector) -> UserVector:
        if not message.user_id:
            raise ValueError("user_id is empty")
        return messages.user_vector(message, width)

    vector = _decoder(vectors.UserVector, model_version, read)

    def decode(record: Record) -> UserVector | Gone:
        if record.value is None and record.key:
            return Gone(record.key.decode(errors="replace"))
        return vector(record)

    return decode


def item_sink(catalogue: Catalogue) -> Callable[[Sequence[Message[ItemVersion]]], None]:
    def apply(batch: Sequence[Message[ItemVersion]]) -> None:
        catalogue.apply([message.body for message in batch])

    return apply


def user_sink(
    cache: UserCache,
    before: Callable[[UserVector, UserVector | None], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> Callable[[Sequence[Message[UserVector | Gone]]], None]:
    """before: told of each vector, and of the one that is cached until then."""

    def take(vectors: Sequence[UserVector]) -> None:
        if before is not None:
            for vector in vectors:
                before(vector, cache.peek(vector.user_id))
        cache.update(vectors)
        now = clock()
        for vector in vectors:
            if vector.last_accepted_at is not None:
                FRESHNESS.observe(max(0.0, now - vector.last_accepted_at))

    def apply(batch: Sequence[Message[UserVector | Gone]]) -> None:
        # In their order: whoever was erased may have begun anew.
        bodies = (message.body for message in batch)
        for gone, part in groupby(bodies, lambda body: isinstance(body, Gone)):
            if gone:
                cache.forget([one.user_id for one in part])
            else:
                take([one for one in part if isinstance(one, UserVector)])

    return apply


def _decoder(kind: type[P], model_version: str, read: Callable[[P], T]) -> Decode[T]:
    def decode(record: Record) -> T:
        message = message_in(record, kind)
        if message.model_version != model_version:
            raise MalformedRecord(
                "other_model_version",
                f"made by {message.model_version!r}; this topic is of {model_version}",
            )
        try:
            return read(message)
        except ValueError as error:
            raise MalformedRecord("invalid", str(error)) from error

    return decode
