"""Exact search: FAISS compares with every vector."""

from typing import Any

import faiss
from pyroaring import BitMap

from headrace.index.base import Filter, found_in, view_of
from headrace.index.encoding import Vector
from headrace.index.rows import Rows
from headrace.index.vector_index import Found

# Of fewer than this share the vectors are gathered and scored; above, FAISS passes over those
# that are not allowed. `python -m bench.index`: the two cost the same near a tenth.
_SELECTIVE_SHARE = 0.1


class ExactSearch:
    """Over vectors that lie in a FAISS flat index, in the order of `ordinals`."""

    def __init__(self, rows: Rows, storage: Any) -> None:
        self._storage = storage
        self.rows = Rows(rows.ordinals, view_of(storage))
        self.filter = Filter(rows)

    def search(self, queries: Vector, k: int, allowed: BitMap) -> Found:
        if len(allowed) < _SELECTIVE_SHARE * len(self.rows):
            return self.rows.search(queries, k, allowed)
        selector = self.filter.of(allowed)
        parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # stubs lack it
        return found_in(self._storage, self.rows, queries, k, parameters)


def flat_base(rows: Rows) -> ExactSearch:
    """A base that finds exactly the nearest."""
    storage = faiss.IndexFlatIP(rows.vectors.shape[1])
    storage.add(rows.vectors)
    return ExactSearch(rows, storage)
