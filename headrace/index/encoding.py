"""Vectors as they travel: little-endian float32."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_WIRE = np.dtype("<f4")


def to_bytes(vector: Vector) -> bytes:
    """vector: [D]."""
    return vector.astype(_WIRE, copy=False).tobytes()


def rows_to_bytes(matrix: Vector) -> list[bytes]:
    """`to_bytes` of each row. matrix: [B, D]."""
    data = matrix.astype(_WIRE, copy=False).tobytes()
    size = matrix.shape[1] * _WIRE.itemsize
    return [data[start : start + size] for start in range(0, len(data), size)]


def from_bytes(data: bytes, width: int) -> Vector:
    """Returns: [D], D = width; read-only.

    Raises: ValueError where `data` has another length.
    """
    if len(data) != width * _WIRE.itemsize:
        raise ValueError(f"{len(data)} bytes are not a vector of {width} float32")
    return np.frombuffer(data, dtype=_WIRE).astype(np.float32, copy=False)


def matrix_from_bytes(rows: Sequence[bytes], width: int) -> Vector:
    """Returns: [B, D], a row for each element of `rows`.

    Raises: ValueError where a row has another length.
    """
    if any(len(row) != width * _WIRE.itemsize for row in rows):
        raise ValueError(f"a row is not a vector of {width} float32")
    joined = np.frombuffer(b"".join(rows), dtype=_WIRE)
    return joined.astype(np.float32, copy=False).reshape(len(rows), width)
