"""The id table: which items training knew, and how often they were touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from headrace.errors import BundleInvalid

FILE = "items.npz"


@dataclass(frozen=True)
class ItemTable:
    """Item `ids[i]` has row i + 1 of the id embedding; row 0 is for items training never saw.

    Shapes: all [N]; counts are interactions in the training part, ratings the mean rating given
    there, less that of all items, damped where there are few; 0 where there are none.
    """

    ids: NDArray[np.str_]
    counts: NDArray[np.int64]
    ratings: NDArray[np.float32]

    def rows(self, item_ids: Sequence[str]) -> NDArray[np.int64]:
        """Row of the id embedding, 0 where unknown: [N]."""
        index = self._index
        return np.fromiter((index.get(i, 0) for i in item_ids), np.int64, len(item_ids))

    def count(self, item_id: str) -> int:
        """Interactions in training; 0 for an item that training never saw."""
        row = self._index.get(item_id)
        return 0 if row is None else int(self.counts[row - 1])

    def popularity(self, item_id: str) -> float:
        """log(1 + training count)."""
        return float(np.log1p(self.count(item_id)))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As they are kept in a file."""
        return {"ids": self.ids, "counts": self.counts, "ratings": self.ratings}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> ItemTable:
        """Raises: BundleInvalid if the arrays are not an id table."""
        if sorted(arrays) != ["counts", "ids", "ratings"]:
            raise BundleInvalid(
                f"{FILE}: holds {', '.join(sorted(arrays))}; must be counts, ids, ratings"
            )
        ids, counts, ratings = arrays["ids"], arrays["counts"], arrays["ratings"]
        if not ids.shape == counts.shape == ratings.shape or ids.ndim != 1 or ids.dtype.kind != "U":
            raise BundleInvalid(
                f"{FILE}: ids {ids.dtype}{ids.shape}, counts {counts.shape} and ratings "
                f"{ratings.shape} do not pair up"
            )
        table = cls(ids.astype(np.str_), counts.astype(np.int64), ratings.astype(np.float32))
        if len(table._index) != len(ids):
            raise BundleInvalid(f"{FILE}: an id occurs twice")
        return table

    @cached_property
    def rating_offsets(self) -> NDArray[np.float32]:
        """`ratings` by row; row 0 has none: [N+1]."""
        return np.concatenate([np.zeros(1, dtype=np.float32), self.ratings])

    @cached_property
    def _index(self) -> dict[str, int]:
        return {str(item_id): row for row, item_id in enumerate(self.ids.tolist(), start=1)}
