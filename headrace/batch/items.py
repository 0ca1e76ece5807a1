"""The catalogue as arrays: a row an item, so that facts of many candidates are one look-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.bundle import Bundle, ItemContent
from headrace.bundle.scoring import CatalogueArrays
from headrace.errors import FailedPrecondition
from headrace.index.encoding import matrix_from_bytes
from headrace.index.vector_index import ABSENT
from headrace.store.database import Database

Rows = NDArray[np.int64]

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
    """N items.

    Shapes: ids [N], vectors [N,D], biases [N], visible [V] (rows that a list may show).
    """

    def __init__(self, bundle: Bundle, items: Sequence[StoredItem]) -> None:
        """Raises: FailedPrecondition where no item is visible, or a vector has another width."""
        self.ids = np.array([item.content.item_id for item in items], dtype=np.object_)
        self.visible = np.flatnonzero([item.visible for item in items])
        if not len(self.visible):
            raise FailedPrecondition(
                f"no visible item has a vector of model {bundle.model_version}: is it the bundle "
                "that item_embedding runs, and has it caught up?"
            )
        try:
            self.vectors = matrix_from_bytes([item.vector for item in items], bundle.width)
        except ValueError as error:
            raise FailedPrecondition(f"item_vectors of {bundle.model_version}: {error}") from error
        self.biases = np.array([item.bias for item in items], dtype=np.float32)
        self.facts = CatalogueArrays.of(bundle, [item.content for item in items], self.vectors)
        self._row_of = np.full(items[-1].ordinal + 1, ABSENT, dtype=np.int64)
        self._row_of[[item.ordinal for item in items]] = np.arange(len(items))

    def __len__(self) -> int:
        return len(self.vectors)

    def rows(self, ordinals: Rows) -> Rows:
        """`ABSENT` for an ordinal that the catalogue lacks. Shapes: any -> the same."""
        inside = (ordinals >= 0) & (ordinals < len(self._row_of))
        rows: Rows = np.where(inside, self._row_of[np.where(inside, ordinals, 0)], ABSENT)
        return rows
