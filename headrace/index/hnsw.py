"""Approximate search in a graph of near neighbours, for catalogues too large to compare with all.

Malkov and Yashunin 2016, https://arxiv.org/abs/1603.09320.
"""

import faiss
from pyroaring import BitMap

from headrace.index.base import found_in
from headrace.index.encoding import Vector
from headrace.index.flat import ExactSearch
from headrace.index.rows import Rows
from headrace.index.vector_index import ABSENT, Found

# `OPENBLAS_NUM_THREADS=1 python -m bench.index --sizes 200000`, 200,000 x 65 on one core: built in
# 64 s, 104 MB of which 52 are the vectors; 300 of all found in 0.6 ms with twice as many places in
# the queue (recall .943; three times: .948), where flat needs 2.0 ms.
_LINKS = 32
_EF_CONSTRUCTION = 200
_EF_SEARCH = 256
_EF_PER_RESULT = 3
# Members that are not allowed still lead the way and fill the queue: below this share comparing
# with all that are allowed is faster than a queue that is longer in proportion.
_SELECTIVE_SHARE = 0.5


class HnswBase:
    """An HNSW graph over a flat index, which answers exactly where the graph would be slower."""

    def __init__(self, rows: Rows) -> None:
        self._graph = faiss.IndexHNSWFlat(rows.vectors.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT)
        self._graph.hnsw.efConstruction = _EF_CONSTRUCTION
        self._graph.add(rows.vectors)
        self._exact = ExactSearch(rows, faiss.downcast_index(self._graph.storage))

    @property
    def rows(self) -> Rows:
        return self._exact.rows

    def search(self, queries: Vector, k: int, allowed: BitMap) -> Found:
        share = len(allowed) / len(self.rows)
        if share < _SELECTIVE_SHARE or len(allowed) < 2 * k:
            return self._exact.search(queries, k, allowed)
        parameters = faiss.SearchParametersHNSW(  # type: ignore[attr-defined]  # stubs lack it
            sel=self._exact.filter.of(allowed),
            efSearch=int(max(_EF_SEARCH, _EF_PER_RESULT * k) / share),
        )
        found = found_in(self._graph, self.rows, queries, k, parameters)
        if (found.ordinals == ABSENT).any():  # the graph led to too few of them
            return self._exact.search(queries, k, allowed)
        return found
