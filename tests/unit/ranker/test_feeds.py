"""What Kafka may bring, and what is refused."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pyroaring import BitMap

from headrace.api.catalogue.v1.catalogue_pb2 import Item, ItemChange
from headrace.api.vectors.v1.vectors_pb2 import ItemVector, UserVector
from headrace.errors import MalformedRecord
from headrace.index.encoding import to_bytes
from headrace.runtime.kafka_records import Message, Record
from services.ranker.feeds import Gone, item_decoder, user_decoder, user_sink
from services.ranker.users import UserCache
from services.ranker.users import UserVector as UserVectorInCache

WIDTH = 4
VECTOR = to_bytes(np.arange(WIDTH, dtype=np.float32))
BROKEN = to_bytes(np.array([0, 1, np.nan, 0], dtype=np.float32))


def record(value: bytes | None) -> Record:
    return Record("topic", 0, 0, 0, b"key", value)


def item_message(**changes: object) -> ItemVector:
    message = ItemVector(
        model_version="m1",
        change=ItemChange(
            item=Item(
                item_id="a",
                title="A",
                categories=["x"],
                attributes={"year": 1990},
                picture_url="/a.jpg",
            ),
            ordinal=7,
            revision=3,
        ),
        vector=VECTOR,
        width=WIDTH,
        bias=0.5,
    )
    message.MergeFrom(ItemVector(**changes))  # type: ignore[arg-type]
    return message


def user_message(**changes: object) -> UserVector:
    message = UserVector(
        user_id="ann",
        model_version="m1",
        epoch=1,
        n=9,
        vector=VECTOR,
        width=WIDTH,
        recent_ordinals=[3, 1],
        seen=BitMap([1, 3]).serialize(),
        recent_event_ids=["e8", "e9"],
        unwanted=BitMap([4]).serialize(),
        unwanted_categories=["Tea"],
        last_occurred_at=Timestamp(seconds=50, nanos=500_000_000),
    )
    message.MergeFrom(UserVector(**changes))  # type: ignore[arg-type]
    return message


def test_an_item_is_read_whole() -> None:
    item = item_decoder("m1", WIDTH)(record(item_message().SerializeToString()))
    assert (item.content.item_id, item.content.categories) == ("a", ("x",))
    assert item.content.attributes == {"year": 1990}
    assert item.picture_url == "/a.jpg"
    assert (item.ordinal, item.revision, item.deleted, item.bias) == (7, 3, False, 0.5)
    assert item.vector.tolist() == [0, 1, 2, 3]


def test_a_person_is_read_whole() -> None:
    user = user_decoder("m1", WIDTH)(record(user_message().SerializeToString()))
    assert isinstance(user, UserVectorInCache)
    assert (user.user_id, user.version) == ("ann", (1, 9))
    assert user.vector is not None
    assert user.vector.tolist() == [0, 1, 2, 3]
    assert user.recent.tolist() == [3, 1]
    assert user.seen == BitMap([1, 3])
    assert user.event_ids == ("e8", "e9")
    assert (user.last_occurred_at, user.last_accepted_at) == (50.5, None)
    assert (user.unwanted, user.unwanted_categories) == (BitMap([4]), ("Tea",))


def test_a_person_without_history_has_no_vector() -> None:
    message = UserVector(user_id="ann", model_version="m1", width=WIDTH)
    user = user_decoder("m1", WIDTH)(record(message.SerializeToString()))
    assert isinstance(user, UserVectorInCache)
    assert user.vector is None
    assert len(user.seen) == 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"\xff\xff garbage", "undecodable"),
        (item_message(model_version="m2").SerializeToString(), "other_model_version"),
        (item_message(width=5).SerializeToString(), "invalid"),
        (item_message(vector=VECTOR[:-1]).SerializeToString(), "invalid"),
        (item_message(vector=BROKEN).SerializeToString(), "invalid"),
        (item_message(bias=float("inf")).SerializeToString(), "invalid"),
        (item_message(change=ItemChange(ordinal=2**31)).SerializeToString(), "invalid"),
        (ItemVector(model_version="m1").SerializeToString(), "invalid"),
    ],
)
def test_an_item_that_cannot_be_used_is_refused(value: bytes | None, reason: str) -> None:
    with pytest.raises(MalformedRecord) as refused:
        item_decoder("m1", WIDTH)(record(value))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty"),
        (b"\xff\xff garbage", "undecodable"),
        (user_message(model_version="m2").SerializeToString(), "other_model_version"),
        (user_message(width=5).SerializeToString(), "invalid"),
        (user_message(vector=BROKEN).SerializeToString(), "invalid"),
        (user_message(seen=b"\x01").SerializeToString(), "invalid"),
        (user_message(seen=b"garbage garbage").SerializeToString(), "invalid"),
        (UserVector(model_version="m1").SerializeToString(), "invalid"),
    ],
)
def test_a_person_that_cannot_be_used_is_refused(value: bytes | None, reason: str) -> None:
    with pytest.raises(MalformedRecord) as refused:
        user_decoder("m1", WIDTH)(record(value))
    assert refused.value.reason == reason


async def test_a_tombstone_takes_the_person_away_and_what_comes_after_begins_anew() -> None:
    decode = user_decoder("m1", WIDTH)
    old = decode(record(user_message().SerializeToString()))
    gone = decode(replace(record(None), key=b"ann"))
    assert isinstance(old, UserVectorInCache)
    assert gone == Gone("ann")
    cache = UserCache(1_000_000, asyncio.get_running_loop())
    cache.offer(old)
    sink = user_sink(cache)
    with cache.expecting("ann"):
        sink([Message(record(None), body) for body in (old, gone)])
        assert cache.get("ann") is None
        assert cache.size_bytes == 0
        anew = replace(old, epoch=2, n=1)
        sink([Message(record(None), body) for body in (gone, anew)])
        assert cache.get("ann") is anew
