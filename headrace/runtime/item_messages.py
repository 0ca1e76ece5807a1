"""Items as messages, for whoever describes them: the client, the gateway, the catalogue's owner."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.runtime.timestamps import to_moment, to_timestamp

T = TypeVar("T")

_AVAILABILITY = {
    name.removeprefix("AVAILABILITY_").lower(): number
    for name, number in catalogue_pb2.Availability.items()
    if number
}
_AVAILABILITY_NAMES = {number: name for name, number in _AVAILABILITY.items()}


class DescribedPrice(Protocol):
    """What an item costs: in the smallest unit of an ISO 4217 currency."""

    @property
    def amount(self) -> int: ...

    @property
    def currency(self) -> str: ...


class DescribedItem(Protocol):
    """What there is to tell about an item."""

    @property
    def item_id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def categories(self) -> Sequence[str]: ...

    @property
    def tags(self) -> Sequence[str]: ...

    @property
    def attributes(self) -> Mapping[str, float]: ...

    @property
    def text_attributes(self) -> Mapping[str, str]: ...

    @property
    def price(self) -> DescribedPrice | None: ...

    @property
    def picture_url(self) -> str: ...

    @property
    def availability(self) -> str: ...

    @property
    def publish_at(self) -> datetime | None: ...

    @property
    def expire_at(self) -> datetime | None: ...

    @property
    def embedding(self) -> Sequence[float]: ...


def item_message(item: DescribedItem) -> catalogue_pb2.Item:
    message = catalogue_pb2.Item(
        item_id=item.item_id,
        title=item.title,
        description=item.description,
        categories=item.categories,
        attributes=item.attributes,
        picture_url=item.picture_url,
        availability=_availability(item.availability),
    )
    # What an item lacks is what most items lack: naming it costs as much as having it.
    if item.tags:
        message.tags.extend(item.tags)
    if item.text_attributes:
        message.text_attributes.update(item.text_attributes)
    if item.embedding:
        message.embedding.extend(item.embedding)
    if item.price is not None:
        message.price.amount = item.price.amount
        message.price.currency = item.price.currency
    if item.publish_at is not None:
        message.publish_at.CopyFrom(to_timestamp(item.publish_at))
    if item.expire_at is not None:
        message.expire_at.CopyFrom(to_timestamp(item.expire_at))
    return message


def item_fields(message: catalogue_pb2.Item) -> dict[str, Any]:
    """The fields of a `DescribedItem`, unchecked; what is absent is left out."""
    fields: dict[str, Any] = {
        "item_id": message.item_id,
        "title": message.title,
        "description": message.description,
        "categories": as_tuple(message.categories),
        "tags": as_tuple(message.tags),
        "attributes": as_dict(message.attributes),
        "text_attributes": as_dict(message.text_attributes),
        "picture_url": message.picture_url,
        "embedding": as_tuple(message.embedding),
    }
    if message.availability:
        # The number of an unknown one stays, for whoever checks to name.
        fields["availability"] = _AVAILABILITY_NAMES.get(
            message.availability, str(message.availability)
        )
    if message.HasField("price"):
        fields["price"] = {"amount": message.price.amount, "currency": message.price.currency}
    for name in ("publish_at", "expire_at"):
        if message.HasField(name):
            fields[name] = _moment(getattr(message, name))
    return fields


def as_tuple(found: Sequence[T]) -> tuple[T, ...]:
    """A repeated field, most often empty, as it is read fastest."""
    return tuple(found[:]) if found else ()


def as_dict(found: Mapping[str, T]) -> dict[str, T]:
    """A map field. `dict` asks a message's map for its keys, and a view of them for each."""
    return {name: found[name] for name in found} if found else {}


def _availability(name: str) -> catalogue_pb2.Availability.ValueType:
    """0 for a name that does not exist, which no message can carry."""
    return catalogue_pb2.Availability.ValueType(_AVAILABILITY.get(name, 0))


def _moment(timestamp: Timestamp) -> datetime:
    """As far outside of what is allowed, where it is outside of what Python can hold."""
    try:
        return to_moment(timestamp)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
