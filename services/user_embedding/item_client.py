"""Items' vectors from item_embedding: its answers, and its records in Kafka."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from collections.abc import Sequence

import grpc
import numpy as np

from headrace.api.item_embedding.v1 import item_embedding_pb2, item_embedding_pb2_grpc
from headrace.api.vectors.v1 import vectors_pb2
from headrace.errors import HeadraceError, MalformedRecord, Unavailable
from headrace.index.encoding import Vector, from_bytes, matrix_from_bytes
from headrace.index.table import Ordinals
from headrace.runtime.grpc_channel import call_blocking
from headrace.runtime.kafka_messages import message_in
from headrace.runtime.kafka_records import Decode, Message, Record
from services.user_embedding.items import KnownItems

_PER_CALL = 1_000  # limit of GetItemVectorsRequest
_TIMEOUT_S = 5.0
_LARGEST_ORDINAL = 2**31 - 1  # Postgres numbers items with an integer


class ItemClient:
    """Asks item_embedding for vectors of one model version, width D."""

    def __init__(self, channel: grpc.Channel, model_version: str, width: int) -> None:
        self._stub = item_embedding_pb2_grpc.ItemEmbeddingServiceStub(channel)
        self._model_version = model_version
        self._width = width

    def fetch(self, ordinals: Sequence[int]) -> tuple[Ordinals, Vector]:
        """Vectors of those ordinals that item_embedding knows: ordinals [N], vectors [N, D].

        Raises: Unavailable where it does not answer as it should; nothing is known then.
        """
        found: list[vectors_pb2.ItemVector] = []
        for start in range(0, len(ordinals), _PER_CALL):
            request = item_embedding_pb2.GetItemVectorsRequest(
                ordinals=ordinals[start : start + _PER_CALL], model_version=self._model_version
            )
            try:
                answer = call_blocking(
                    self._stub.GetItemVectors, request, "item_embedding", _TIMEOUT_S
                )
            except HeadraceError as error:
                # Whatever it is, another model version say, waiting is all that helps.
                raise Unavailable(f"items' vectors cannot be had: {error}") from error
            found.extend(answer.vectors)
        return _matrix(found, self._width)


def item_vector_decoder(model_version: str, width: int) -> Decode[vectors_pb2.ItemVector]:
    """Reads records of `item-vectors.<model version>`."""

    def decode(record: Record) -> vectors_pb2.ItemVector:
        item = message_in(record, vectors_pb2.ItemVector)
        if item.model_version != model_version:
            raise MalformedRecord(
                "other_model_version", f"{item.model_version!r}, not {model_version!r}"
            )
        if item.width != width or len(item.vector) != 4 * width:
            raise MalformedRecord(
                "wrong_width", f"{len(item.vector)} bytes for {item.width}, not {width}, numbers"
            )
        if not np.isfinite(from_bytes(item.vector, width)).all():
            raise MalformedRecord("invalid_vector", "it holds numbers that are not finite")
        if not 0 < item.change.ordinal <= _LARGEST_ORDINAL:
            raise MalformedRecord("invalid_ordinal", f"ordinal {item.change.ordinal}")
        return item

    return decode


class ItemFeed:
    """Puts the records of `item-vectors.<model version>` into memory."""

    def __init__(self, items: KnownItems, width: int) -> None:
        self._items = items
        self._width = width

    def __call__(self, messages: Sequence[Message[vectors_pb2.ItemVector]]) -> None:
        self._items.put(*_matrix([message.body for message in messages], self._width))


def _matrix(items: Sequence[vectors_pb2.ItemVector], width: int) -> tuple[Ordinals, Vector]:
    """Returns: ordinals [N], vectors [N, D]; of two with one ordinal the last."""
    latest = {item.change.ordinal: item.vector for item in items}
    return np.array(list(latest), dtype=np.int64), matrix_from_bytes(list(latest.values()), width)
