"""Items for the tests: what the topic tells of them, and their owner, who is asked for the rest."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np

from headrace.api.catalogue.v1.catalogue_pb2 import Item, ItemChange
from headrace.api.item_embedding.v1 import item_embedding_pb2 as pb
from headrace.api.item_embedding.v1.item_embedding_pb2_grpc import (
    add_ItemEmbeddingServiceServicer_to_server,
)
from headrace.api.vectors.v1.vectors_pb2 import ItemVector
from headrace.index.encoding import Vector, to_bytes
from headrace.local.ports import HOST
from headrace.runtime.kafka_publisher import Outgoing
from headrace.runtime.topics import item_vectors
from tests.pretended_item_embedding import PretendedItemEmbedding

ON_TOPIC = range(1, 91)
"""Ordinals on the topic."""
HELD_BACK = range(91, 101)
"""Ordinals that only the owner knows. Others nobody knows."""


class Items:
    """Vectors of the items of one model version."""

    def __init__(self, model_version: str, width: int) -> None:
        self.model_version = model_version
        self.vectors: Vector = (
            np.random.default_rng(5).normal(size=(HELD_BACK.stop, width)).astype(np.float32)
        )

    def records(self) -> list[Outgoing]:
        """Those on the topic."""
        return [
            Outgoing(
                item_vectors(self.model_version),
                f"item-{ordinal}".encode(),
                self.message(ordinal).SerializeToString(),
            )
            for ordinal in ON_TOPIC
        ]

    def message(self, ordinal: int) -> ItemVector:
        return ItemVector(
            model_version=self.model_version,
            change=ItemChange(
                item=Item(item_id=f"item-{ordinal}", title="A thing"), ordinal=ordinal, revision=1
            ),
            vector=to_bytes(self.vectors[ordinal]),
            width=self.vectors.shape[1],
        )


class Owner(PretendedItemEmbedding):
    """item_embedding's door, with the items above behind it. Catalogue calls are not offered."""

    def __init__(self, items: Items) -> None:
        self._items = items
        self.asked: set[int] = set()
        self._server = grpc.server(ThreadPoolExecutor(4))
        add_ItemEmbeddingServiceServicer_to_server(self, self._server)
        self.address = f"{HOST}:{self._server.add_insecure_port(f'{HOST}:0')}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(None).wait()

    def GetItemVectors(  # noqa: N802
        self, request: pb.GetItemVectorsRequest, context: Any
    ) -> pb.GetItemVectorsResponse:
        assert request.model_version == self._items.model_version
        self.asked.update(request.ordinals)
        return pb.GetItemVectorsResponse(vectors=self._known(request.ordinals))

    def _known(self, ordinals: Iterable[int]) -> list[ItemVector]:
        return [self._items.message(o) for o in ordinals if 1 <= o < HELD_BACK.stop]

    def UpsertItems(self, request: object, context: object) -> Any:  # noqa: N802
        raise NotImplementedError

    def DeleteItem(self, request: object, context: object) -> Any:  # noqa: N802
        raise NotImplementedError

    def GetItems(self, request: object, context: object) -> Any:  # noqa: N802
        raise NotImplementedError
