"""What Kafka brings: item vectors from the beginning of time, people's vectors from now on."""

import time
from collections.abc import Callable, Sequence
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


def user_decoder(model_version: str, width: int) -> Decode[UserVector]:
    def read(message: vectors.UserVector) -> UserVector:
        if not message.user_id:
            raise ValueError("user_id is empty")
        return messages.user_vector(message, width)

    return _decoder(vectors.UserVector, model_version, read)


def item_sink(catalogue: Catalogue) -> Callable[[Sequence[Message[ItemVersion]]], None]:
    def apply(batch: Sequence[Message[ItemVersion]]) -> None:
        catalogue.apply([message.body for message in batch])

    return apply


def user_sink(
    cache: UserCache,
    before: Callable[[UserVector, UserVector | None], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> Callable[[Sequence[Message[UserVector]]], None]:
    """before: told of each vector, and of the one that is cached until then."""

    def apply(batch: Sequence[Message[UserVector]]) -> None:
        if before is not None:
            for message in batch:
                before(message.body, cache.peek(message.body.user_id))
        cache.update([message.body for message in batch])
        now = clock()
        for message in batch:
            if message.body.last_accepted_at is not None:
                FRESHNESS.observe(max(0.0, now - message.body.last_accepted_at))

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
