"""Vectors as messages carry them, and as the ranker keeps them."""

import math
from typing import Literal

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from pyroaring import BitMap

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.api.vectors.v1 import vectors_pb2 as vectors
from headrace.bundle.content import ItemContent
from headrace.index.encoding import Vector, from_bytes
from headrace.runtime.item_messages import as_dict, as_tuple
from services.ranker.catalogue import ItemVersion
from services.ranker.facets import Facets
from services.ranker.users import UserVector

# Tables have a row for every ordinal up to the greatest: one wild number must not fill the memory.
_GREATEST_ORDINAL = 2**24
# What is not told counts as in stock.
_AVAILABILITY = {
    number: name.removeprefix("AVAILABILITY_").lower()
    for name, number in catalogue_pb2.Availability.items()
    if number
}


def item_version(message: vectors.ItemVector, width: int) -> ItemVersion:
    """Raises: ValueError where it cannot be used."""
    change = message.change
    item, ordinal, bias = change.item, change.ordinal, message.bias
    if not item.item_id:
        raise ValueError("item_id is empty")
    if ordinal > _GREATEST_ORDINAL:
        raise ValueError(f"ordinal {ordinal} is above {_GREATEST_ORDINAL}")
    if not math.isfinite(bias):
        raise ValueError("bias is not a finite number")
    facets = _facets(item)
    return ItemVersion(
        content=ItemContent(
            item_id=item.item_id,
            title=item.title,
            categories=facets.categories,
            attributes=facets.numbers,
        ),
        facets=facets,
        ordinal=ordinal,
        revision=change.revision,
        deleted=change.deleted,
        vector=_vector(message.vector, message.width, width),
        bias=bias,
        publish_at=_moment(item, "publish_at", -math.inf),
        expire_at=_moment(item, "expire_at", math.inf),
        picture_url=item.picture_url,
    )


def user_vector(message: vectors.UserVector, width: int) -> UserVector:
    """An anonymous visit has no user_id. Raises: ValueError where it cannot be used."""
    return UserVector(
        user_id=message.user_id,
        epoch=message.epoch,
        n=message.n,
        vector=_vector(message.vector, message.width, width) if message.vector else None,
        recent=np.array(message.recent_ordinals, dtype=np.int64),
        seen=BitMap.deserialize(message.seen) if message.seen else BitMap(),
        seen_bytes=len(message.seen) + len(message.unwanted),
        event_ids=tuple(message.recent_event_ids),
        last_occurred_at=_seconds(message, "last_occurred_at"),
        last_accepted_at=_seconds(message, "last_accepted_at"),
        unwanted=BitMap.deserialize(message.unwanted) if message.unwanted else BitMap(),
        unwanted_categories=tuple(message.unwanted_categories),
    )


def timestamp(seconds: float) -> Timestamp:
    whole = int(seconds // 1)
    return Timestamp(seconds=whole, nanos=int((seconds - whole) * 1e9))


def _facets(item: catalogue_pb2.Item) -> Facets:
    return Facets(
        categories=as_tuple(item.categories),
        tags=as_tuple(item.tags),
        numbers=as_dict(item.attributes),
        texts=as_dict(item.text_attributes),
        price=(item.price.amount, item.price.currency) if item.HasField("price") else None,
        availability=_AVAILABILITY.get(item.availability, "in_stock"),
    )


def _moment(
    item: catalogue_pb2.Item, field: Literal["publish_at", "expire_at"], never: float
) -> float:
    if not item.HasField(field):
        return never
    stamp: Timestamp = getattr(item, field)
    return stamp.seconds + stamp.nanos / 1e9


def _vector(data: bytes, given_width: int, width: int) -> Vector:
    if given_width != width:
        raise ValueError(f"the vector is {given_width} wide, the model's are {width}")
    vector = from_bytes(data, width)
    # A square sum that is finite is of finite numbers, and found three times as fast.
    if not (math.isfinite(vector.dot(vector)) or np.isfinite(vector).all()):
        raise ValueError("the vector holds numbers that are not finite")
    return vector


def _seconds(message: vectors.UserVector, field: str) -> float | None:
    if not message.HasField(field):  # type: ignore[arg-type]  # one of the two names above
        return None
    stamp: Timestamp = getattr(message, field)
    return stamp.seconds + stamp.nanos / 1e9
