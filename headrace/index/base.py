"""The bulk of an index: rows that do not change any more, and how they are searched."""

from collections.abc import Callable
from typing import Any, Protocol

import faiss
import numpy as np
from pyroaring import BitMap

from headrace.index.bits import dense_bits
from headrace.index.encoding import Vector
from headrace.index.rows import Rows
from headrace.index.vector_index import ABSENT, Found


class Base(Protocol):
    """Immutable, searchable rows."""

    @property
    def rows(self) -> Rows: ...

    def search(self, queries: Vector, k: int, allowed: BitMap) -> Found:
        """allowed: a subset of `rows.members`, not empty. queries [B, D]."""


Build = Callable[[Rows], Base]


class Filter:
    """FAISS's selector of positions whose ordinals are allowed. Keep it while FAISS searches."""

    def __init__(self, rows: Rows) -> None:
        self._members = len(rows)
        self._ordinals = faiss.Int64Vector()
        faiss.copy_array_to_vector(rows.ordinals, self._ordinals)

    def of(self, allowed: BitMap) -> Any:
        """None where every member is allowed."""
        if len(allowed) == self._members:
            return None
        # FAISS's type stubs describe neither of the two as they are in Python.
        by_ordinal = faiss.IDSelectorBitmap(dense_bits(allowed))  # type: ignore[call-arg, arg-type]
        return faiss.IDSelectorTranslated(self._ordinals, by_ordinal)  # type: ignore[arg-type]


def view_of(storage: Any) -> Vector:
    """The vectors inside a FAISS flat index, not copied; the index must outlive them. [N, D]."""
    flat: Vector = faiss.rev_swig_ptr(storage.get_xb(), storage.ntotal * storage.d)
    return flat.reshape(storage.ntotal, storage.d)


def found_in(index: Any, rows: Rows, queries: Vector, k: int, parameters: Any) -> Found:
    """Runs a FAISS search over positions in `rows`."""
    scores, positions = index.search(np.ascontiguousarray(queries), k, params=parameters)
    absent = positions < 0
    scores[absent] = -np.inf
    return Found(scores, np.where(absent, ABSENT, rows.ordinals[positions]))
