"""The catalogue as arrays: a row an item, so that facts of many candidates are one look-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from headrace.bundle import Bundle, ItemContent
from headrace.bundle.features import ItemFacts
from headrace.errors import FailedPrecondition
from headrace.index.encoding import matrix_from_bytes
from headrace.store.database import Database

Rows = NDArray[np.int64]
T = TypeVar("T", bound=np.generic)

# Hidden items count as well: a person may have touched them.
_QUERY = """
SELECT v.ordinal, v.vector, v.bias, i.item_id, i.title, i.categories, i.attributes,
    NOT i.deleted
    AND (i.publish_at IS NULL OR i.publish_at <= now())
    AND (i.expire_at IS NULL OR i.expire_at > now())
FROM item_vectors v JOIN items i ON i.ordinal = v.ordinal
WHERE v.model_version = %s
ORDER BY v.ordinal
"""


@dataclass(frozen=True)
class StoredItem:
    """An item with what the model made of it. vector: [D]."""

    ordinal: int
    content: ItemContent
    vector: bytes
    bias: float
    visible: bool


def stored_items(database: Database, model_version: str) -> list[StoredItem]:
    """Those with a vector of this model, by ordinal.

    Raises: Unavailable where Postgres is away.
    """
    with database.transaction() as cursor:
        cursor.execute(_QUERY, (model_version,))
        return [
            StoredItem(
                ordinal,
                ItemContent(item_id, title, "", tuple(categories), (), attributes),
                bytes(vector),
                bias,
                visible,
            )
            for ordinal, vector, bias, item_id, title, categories, attributes, visible in cursor
        ]


class ItemArrays:
    """N items; row N stands for what the catalogue lacks, all zeros.

    Shapes: vectors [N+1,D], biases and popularity [N+1], known [N+1] (rows of the model's table),
    visible [V] (rows that a list may show).
    """

    def __init__(self, bundle: Bundle, items: Sequence[StoredItem]) -> None:
        """Raises: FailedPrecondition where no item is visible, or a vector has another width."""
        self.ids = np.array([item.content.item_id for item in items] + [""], dtype=np.object_)
        self.visible = np.flatnonzero([item.visible for item in items])
        if not len(self.visible):
            raise FailedPrecondition(
                f"no visible item has a vector of model {bundle.model_version}: is it the bundle "
                "that item_embedding runs, and has it caught up?"
            )
        contents = [item.content for item in items]
        try:
            self.vectors = _padded(matrix_from_bytes([i.vector for i in items], bundle.width))
        except ValueError as error:
            raise FailedPrecondition(f"item_vectors of {bundle.model_version}: {error}") from error
        self.biases = _padded(np.array([item.bias for item in items], dtype=np.float32))
        popularity = [bundle.items.popularity(content.item_id) for content in contents]
        self.popularity = _padded(np.array(popularity, dtype=np.float32))
        self.known = _padded(bundle.known.rows([content.item_id for content in contents]))
        self._categories = _padded(bundle.items.categories(contents))
        self._attributes = _padded(bundle.items.attributes(contents))
        self._row_of = np.full(items[-1].ordinal + 1, len(items), dtype=np.int64)
        self._row_of[[item.ordinal for item in items]] = np.arange(len(items))

    def __len__(self) -> int:
        return len(self.vectors) - 1

    def rows(self, ordinals: Rows) -> Rows:
        """N for an ordinal that the catalogue lacks. Shapes: any -> the same."""
        inside = (ordinals >= 0) & (ordinals < len(self._row_of))
        rows: Rows = np.where(inside, self._row_of[np.where(inside, ordinals, 0)], len(self))
        return rows

    def facts(self, rows: Rows) -> ItemFacts:
        """Shapes: rows [B,K] -> vectors [B,K,D], categories [B,K,C], attributes [B,K,M]."""
        return ItemFacts(self.vectors[rows], self._categories[rows], self._attributes[rows])


def _padded(values: NDArray[T]) -> NDArray[T]:
    """With a row of zeros after the last."""
    nothing = np.zeros((1, *values.shape[1:]), dtype=values.dtype)
    return np.concatenate([values, nothing])
