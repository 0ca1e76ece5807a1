"""The plainest vector index: what the others must agree with."""

import numpy as np
from pyroaring import BitMap

from headrace.index.encoding import Vector
from headrace.index.rows import Rows, as_bitmap
from headrace.index.table import Ordinals
from headrace.index.vector_index import Found, IndexSizes


class BruteForceIndex:
    """Compares with every vector in numpy."""

    def __init__(self, width: int) -> None:
        self._rows = Rows.none(width)

    def __len__(self) -> int:
        return len(self._rows)

    def upsert(self, ordinals: Ordinals, vectors: Vector) -> None:
        self._rows = self._rows.joined(Rows.of(ordinals, vectors))

    def remove(self, ordinals: Ordinals) -> None:
        self._rows = self._rows.without(as_bitmap(ordinals))

    def search(self, queries: Vector, k: int, allowed: BitMap | None = None) -> Found:
        rows = self._rows if allowed is None else self._rows.only(allowed)
        return rows.search(np.asarray(queries), k, rows.members)

    def sizes(self) -> IndexSizes:
        return IndexSizes(len(self._rows), 0, 0)

    def close(self) -> None:
        """Nothing runs in the background."""
