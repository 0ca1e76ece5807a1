"""Vectors by ordinal: one growing matrix, written by one thread and read by many."""

import threading

import numpy as np
from numpy.typing import NDArray

from headrace.index.encoding import Vector

Ordinals = NDArray[np.int64]

_FIRST_ROWS = 1_024


class VectorTable:
    """Row `ordinal` holds the vector of that ordinal, so that a gather is one array look-up."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._rows: Vector = np.zeros((_FIRST_ROWS, width), dtype=np.float32)
        self._present: NDArray[np.bool_] = np.zeros(_FIRST_ROWS, dtype=np.bool_)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return int(np.count_nonzero(self._present))

    def put(self, ordinals: Ordinals, vectors: Vector) -> None:
        """Adds or replaces. ordinals: [N], 0 or more; vectors: [N, D]."""
        if len(ordinals) == 0:
            return
        with self._lock:
            self._grow(int(ordinals.max()) + 1)
            self._rows[ordinals] = vectors
            self._present[ordinals] = True

    def get(self, ordinals: Ordinals) -> tuple[Vector, NDArray[np.bool_]]:
        """Returns: vectors [N, D], zeros where absent, and which are present [N]. The ordinals may
        have more axes, and the answers have them too."""
        with self._lock:
            inside = ordinals < len(self._rows)
            places = ordinals if inside.all() else np.where(inside, ordinals, 0)
            # `take` is twice as fast as an index of the same numbers.
            found = self._present.take(places) & inside
            vectors = self._rows.take(places, axis=0)
        if not found.all():
            vectors[~found] = 0.0
        return vectors, found

    def _grow(self, rows: int) -> None:
        if rows <= len(self._rows):
            return
        size = max(rows, 2 * len(self._rows))
        bigger = np.zeros((size, self.width), dtype=np.float32)
        bigger[: len(self._rows)] = self._rows
        present = np.zeros(size, dtype=np.bool_)
        present[: len(self._present)] = self._present
        self._rows, self._present = bigger, present
