"""What every vector index does."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.index.encoding import Vector
from headrace.index.table import Ordinals

ABSENT = -1


class Found(NamedTuple):
    """The nearest vectors, best first: scores [B, k] and ordinals [B, k].

    Where fewer than k exist the rest is -inf and `ABSENT`.
    """

    scores: Vector
    ordinals: NDArray[np.int64]


@dataclass(frozen=True)
class IndexSizes:
    """Vectors in the base, in the delta, and in the base but removed or replaced since."""

    base: int
    delta: int
    tombstones: int


class VectorIndex(Protocol):
    """Maximum inner product search over vectors by ordinal.

    A write is visible to every search that begins after it returned; a search sees either all of
    a write or nothing. Safe from any thread.
    """

    def __len__(self) -> int: ...

    def upsert(self, ordinals: Ordinals, vectors: Vector) -> None:
        """Adds or replaces; of equal ordinals the last counts. ordinals [N], vectors [N, D]."""

    def remove(self, ordinals: Ordinals) -> None:
        """Forgets; absent ordinals are passed over. ordinals [N]."""

    def search(self, queries: Vector, k: int, allowed: BitMap | None = None) -> Found:
        """The k best of `allowed` (None: of all) for each query. queries [B, D]."""

    def sizes(self) -> IndexSizes: ...

    def close(self) -> None:
        """Waits for work in the background to end."""
