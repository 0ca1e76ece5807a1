"""Items and vectors as protobuf messages."""

import threading

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.api.vectors.v1 import vectors_pb2
from headrace.runtime.item_messages import item_message
from services.item_embedding.catalogue import CatalogueItem, EmbeddedItem

_LIMIT_BYTES = 16 * 1024 * 1024


class Changes:
    """Changes as messages, those of late made once: each goes out on two topics and to its caller.

    Safe from any thread. Bounded by the bytes that messages take on the wire: what was made first
    goes first.
    """

    def __init__(self, limit_bytes: int = _LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._messages: dict[tuple[int, int], catalogue_pb2.ItemChange] = {}
        self._lock = threading.Lock()

    def of(self, item: CatalogueItem) -> catalogue_pb2.ItemChange:
        """Not to be written to: others have it too."""
        key = (item.ordinal, item.revision)
        message = self._messages.get(key)
        if message is None:
            message = item_change(item)
            self._keep(key, message)
        return message

    def _keep(self, key: tuple[int, int], message: catalogue_pb2.ItemChange) -> None:
        with self._lock:
            if key not in self._messages:
                self._messages[key] = message
                self._bytes += message.ByteSize()
            while self._bytes > self._limit_bytes:
                self._bytes -= self._messages.pop(next(iter(self._messages))).ByteSize()


def item_change(item: CatalogueItem) -> catalogue_pb2.ItemChange:
    return catalogue_pb2.ItemChange(
        item=item_message(item.content),
        ordinal=item.ordinal,
        revision=item.revision,
        deleted=item.deleted,
    )


def item_vector(
    embedded: EmbeddedItem, change: catalogue_pb2.ItemChange, model_version: str, width: int
) -> vectors_pb2.ItemVector:
    """change: of the item that was embedded."""
    return vectors_pb2.ItemVector(
        model_version=model_version,
        change=change,
        vector=embedded.vector,
        width=width,
        bias=embedded.bias,
    )
