"""Items as messages, for whoever describes them: the client, the gateway, the catalogue's owner."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from headrace.api.catalogue.v1 import catalogue_pb2


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


def item_message(item: DescribedItem) -> catalogue_pb2.Item:
    return catalogue_pb2.Item(
        item_id=item.item_id,
        title=item.title,
        description=item.description,
        categories=item.categories,
        tags=item.tags,
        attributes=item.attributes,
    )


def item_fields(message: catalogue_pb2.Item) -> dict[str, Any]:
    """The fields of a `DescribedItem`, unchecked."""
    return {
        "item_id": message.item_id,
        "title": message.title,
        "description": message.description,
        "categories": tuple(message.categories),
        "tags": tuple(message.tags),
        "attributes": dict(message.attributes),
    }
