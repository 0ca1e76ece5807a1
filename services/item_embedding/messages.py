"""Items and vectors as protobuf messages."""

from typing import Any

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.api.vectors.v1 import vectors_pb2
from services.item_embedding.catalogue import CatalogueItem, EmbeddedItem


def item_change(item: CatalogueItem) -> catalogue_pb2.ItemChange:
    content = item.content
    return catalogue_pb2.ItemChange(
        item=catalogue_pb2.Item(
            item_id=content.item_id,
            title=content.title,
            description=content.description,
            categories=content.categories,
            tags=content.tags,
            attributes=content.attributes,
        ),
        ordinal=item.ordinal,
        revision=item.revision,
        deleted=item.deleted,
    )


def item_vector(embedded: EmbeddedItem, model_version: str, width: int) -> vectors_pb2.ItemVector:
    return vectors_pb2.ItemVector(
        model_version=model_version,
        change=item_change(embedded.item),
        vector=embedded.vector,
        width=width,
        bias=embedded.bias,
    )


def item_body(item: catalogue_pb2.Item) -> dict[str, Any]:
    """The item as `headrace.contracts.items.NewItem` takes it."""
    return {
        "item_id": item.item_id,
        "title": item.title,
        "description": item.description,
        "categories": tuple(item.categories),
        "tags": tuple(item.tags),
        "attributes": dict(item.attributes),
    }
