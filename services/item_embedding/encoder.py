"""From items to vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from headrace.bundle import Bundle, ItemContent
from headrace.index.encoding import Vector, rows_to_bytes
from headrace.pictures.pixels import SHAPE
from services.item_embedding.catalogue import CatalogueItem, EmbeddedItem
from services.item_embedding.metrics import ITEMS_ENCODED


class ItemTower(Protocol):
    """The item half of a model."""

    @property
    def model_version(self) -> str: ...

    @property
    def width(self) -> int:
        """D."""

    @property
    def embedding_width(self) -> int:
        """E, the numbers of an item's own embedding; 0: it takes none."""

    def encode(self, items: Sequence[ItemContent]) -> tuple[Vector, Vector]:
        """Vectors [N,D] and biases [N]. Safe from any thread."""


class BundleTower:
    """The tower of a bundle that was loaded with its part `item`."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    @property
    def model_version(self) -> str:
        return self._bundle.model_version

    @property
    def width(self) -> int:
        return self._bundle.width

    @property
    def embedding_width(self) -> int:
        return self._bundle.items.embedding_width

    def encode(self, items: Sequence[ItemContent]) -> tuple[Vector, Vector]:
        return self._bundle.items.encode(items)


def embed(tower: ItemTower, items: Sequence[CatalogueItem]) -> list[EmbeddedItem]:
    """The items with their vectors, in the order given."""
    vectors, biases = tower.encode([_read(tower, item) for item in items])  # [N,D], [N]
    ITEMS_ENCODED.inc(len(items))
    return [
        EmbeddedItem(item, vector, bias)
        for item, vector, bias in zip(items, rows_to_bytes(vectors), biases.tolist(), strict=True)
    ]


def _read(tower: ItemTower, stored: CatalogueItem) -> ItemContent:
    """What a tower reads of an item. An embedding that came for a model of another width is as
    good as none."""
    item, pixels = stored.content, stored.pixels
    fits = tower.embedding_width and len(item.embedding) == tower.embedding_width
    return ItemContent(
        item.item_id,
        item.title,
        item.description,
        item.categories,
        item.tags,
        item.attributes,
        np.array(item.embedding, dtype=np.float32) if fits else None,
        None if pixels is None else np.frombuffer(pixels, dtype=np.uint8).reshape(SHAPE),
    )
