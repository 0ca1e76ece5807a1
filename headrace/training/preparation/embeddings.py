"""The column `embedding` of items: vectors that another model made, all of one width."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.training.preparation.cells import is_missing, trimmed_texts

# The greatest width that the catalogue takes.
MAX_WIDTH = 4_096
_SEPARATORS = re.compile(r"[\s,;|]+")


class Vectors(NamedTuple):
    """Shapes: values: R lists of E numbers or None, unreadable and other_width [R]."""

    values: Any
    unreadable: NDArray[np.bool_]
    other_width: NDArray[np.bool_]


class EmbeddingColumn:
    """The first embedding that can be read decides on the width E of all."""

    def __init__(self) -> None:
        self._width: int | None = None

    def read(self, column: Any) -> Vectors:
        """Cells that are lists of numbers, or texts of them: `[0.5, -1]` or `0.5 -1`."""
        missing = is_missing(column)
        cells = column.to_pylist() if _is_list(column.type) else trimmed_texts(column).to_pylist()
        vectors: list[NDArray[np.float32] | None] = [None] * len(cells)
        unreadable = np.zeros(len(cells), dtype=bool)
        other_width = np.zeros(len(cells), dtype=bool)
        for row in np.flatnonzero(~missing):
            vector = _vector(cells[row])
            if vector is None:
                unreadable[row] = True
                continue
            if self._width is None:
                self._width = len(vector)
            other_width[row] = len(vector) != self._width
            vectors[row] = vector
        return Vectors(pa.array(vectors, pa.list_(pa.float32())), unreadable, other_width)


def vectors_of(column: Any, rows: int) -> list[NDArray[np.float32] | None]:
    """A column of lists as arrays; None where a cell is null, or where there is no column."""
    if column is None:
        return [None] * rows
    whole = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    return [
        None if not cell.is_valid else cell.values.to_numpy(zero_copy_only=False)
        for chunk in whole.chunks
        for cell in chunk
    ]


def _vector(cell: Any) -> NDArray[np.float32] | None:
    """None for what is no list of 1 to `MAX_WIDTH` finite numbers."""
    parts = _SEPARATORS.split(cell.strip("[] ")) if isinstance(cell, str) else cell
    try:
        with np.errstate(over="ignore"):
            vector = np.array(parts, dtype=np.float64).astype(np.float32)
    except (ValueError, TypeError):
        return None
    if vector.ndim != 1 or not 1 <= len(vector) <= MAX_WIDTH or not np.isfinite(vector).all():
        return None
    return vector


def _is_list(kind: Any) -> bool:
    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))
