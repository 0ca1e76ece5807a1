"""Items and vectors as protobuf messages."""

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.api.vectors.v1 import vectors_pb2
from headrace.runtime.item_messages import item_message
from services.item_embedding.catalogue import CatalogueItem, EmbeddedItem


def item_change(item: CatalogueItem) -> catalogue_pb2.ItemChange:
    return catalogue_pb2.ItemChange(
        item=item_message(item.content),
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
