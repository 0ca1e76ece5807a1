"""Brings the demo's films into the catalogue, through its owner."""

from collections.abc import Callable, Iterator

import grpc
import pandas as pd

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.api.item_embedding.v1 import item_embedding_pb2, item_embedding_pb2_grpc
from headrace.runtime.grpc_channel import open_blocking_channel
from headrace.runtime.rpc_errors import from_rpc_error

CHUNK = 500
# The first call may find the service busy with what it does at its start.
_DEADLINE_S = 60.0


def import_catalogue(
    item_embedding: str, items: pd.DataFrame, progressed: Callable[[int], None]
) -> None:
    """Upsert `items` (columns as in DemoData) at host:port `item_embedding`.

    progressed: told the number of items stored, after each chunk.
    Raises: the HeadraceError that the service answers.
    """
    with open_blocking_channel(item_embedding) as channel:
        stub = item_embedding_pb2_grpc.ItemEmbeddingServiceStub(channel)
        for chunk in _chunks(items):
            request = item_embedding_pb2.UpsertItemsRequest(items=chunk)
            try:
                stub.UpsertItems(request, timeout=_DEADLINE_S)
            except grpc.RpcError as failure:
                raise from_rpc_error("item_embedding", failure) from failure
            progressed(len(chunk))


def _chunks(items: pd.DataFrame) -> Iterator[list[catalogue_pb2.Item]]:
    for first in range(0, len(items), CHUNK):
        part = items.iloc[first : first + CHUNK]
        yield [
            catalogue_pb2.Item(
                item_id=item_id,
                title=title,
                categories=categories,
                attributes={} if pd.isna(year) else {"year": float(year)},
            )
            for item_id, title, categories, year in zip(
                part["item_id"], part["title"], part["categories"], part["year"], strict=True
            )
        ]
