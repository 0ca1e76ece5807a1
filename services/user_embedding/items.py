"""Items' vectors in memory, filled from Kafka; what is missing is asked of their owner."""

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.index.encoding import Vector
from headrace.index.table import Ordinals, VectorTable

Fetch = Callable[[Sequence[int]], tuple[Ordinals, Vector]]
"""Asks the owner for vectors: those that it knows, ordinals [N] and vectors [N, D]."""


class KnownItems:
    """Vectors by ordinal. Safe to use from threads."""

    def __init__(self, width: int, fetch: Fetch) -> None:
        self._table = VectorTable(width)
        self._fetch = fetch
        self._writing = threading.Lock()

    def put(self, ordinals: Ordinals, vectors: Vector) -> None:
        """Adds or replaces. ordinals: [N]; vectors: [N, D]."""
        with self._writing:
            self._table.put(ordinals, vectors)

    def get(self, ordinals: Ordinals) -> tuple[Vector, NDArray[np.bool_]]:
        """Returns: vectors [N, D], zeros where nobody knows the ordinal, and which are known [N].

        Raises: Unavailable where one is missing and the owner does not answer.
        """
        vectors, known = self._table.get(ordinals)
        if known.all():
            return vectors, known
        self._add(*self._fetch([int(ordinal) for ordinal in ordinals[~known]]))
        return self._table.get(ordinals)

    def _add(self, ordinals: Ordinals, vectors: Vector) -> None:
        """Leaves alone what Kafka brought in the meantime: it may be newer."""
        with self._writing:
            _, known = self._table.get(ordinals)
            self._table.put(ordinals[~known], vectors[~known])
