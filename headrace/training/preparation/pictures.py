"""The column `picture` of items: read once, made small, and kept in a file beside the items."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.errors import DataInvalid
from headrace.pictures.pixels import BYTES, SHAPE, Pixels
from headrace.pictures.reading import Flaw, read_picture
from headrace.training.preparation.cells import is_missing, trimmed_texts
from headrace.training.preparation.output import PICTURES

# Pictures under way at once, 3 kB each once they are small.
_AT_ONCE = 1_024


class Looked(NamedTuple):
    """Shapes: given [R], flaws [R] each, for those that occur."""

    given: NDArray[np.bool_]
    flaws: dict[Flaw, NDArray[np.bool_]]


class PictureColumn:
    """Writes the pixels of accepted items, in their order, to the file `PICTURES` of a folder.

    Items without a picture leave a hole. Without a single picture there is no file.
    """

    def __init__(self, folder: Path, beside: Path | None) -> None:
        """beside: where relative paths begin; None: cells have no paths."""
        self._path = folder / PICTURES
        self._beside = beside or Path()
        self._file: BinaryIO | None = None
        self._rows = 0

    def read(self, column: Any, accepted: NDArray[np.bool_]) -> Looked:
        """Cells that are paths of pictures, or pixels, as Postgres keeps them. Of rows that are not
        `accepted` nothing is read.

        Shapes: column and accepted [R].
        """
        wanted = np.flatnonzero(accepted & ~is_missing(column))
        place = np.cumsum(accepted) - 1  # among the accepted rows
        given = np.zeros(len(column), dtype=bool)
        flaws: dict[Flaw, NDArray[np.bool_]] = {}
        for row, picture in zip(wanted, self._pictures(column, wanted), strict=True):
            if isinstance(picture, Flaw):
                flaws.setdefault(picture, np.zeros(len(column), dtype=bool))[row] = True
            else:
                given[row] = True
                self._write(self._rows + int(place[row]), picture)
        self._rows += int(accepted.sum())
        return Looked(given, flaws)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def pixels(self) -> Pixels | None:
        """Of all accepted items [N,S,S,3], read from the file as they are needed."""
        if self._file is None:
            return None
        self._file.flush()
        lengthen(self._path, self._rows)
        return mapped(self._path, self._rows)

    def _pictures(self, column: Any, wanted: NDArray[np.int64]) -> Iterator[Pixels | Flaw]:
        if pa.types.is_binary(column.type):
            return (_whole(column[int(row)].as_py()) for row in wanted)
        cells = trimmed_texts(column).to_pylist()
        return _read([self._beside / cells[row] for row in wanted])

    def _write(self, row: int, picture: Pixels) -> None:
        if self._file is None:
            self._file = self._path.open("wb")
        self._file.seek(row * BYTES)
        self._file.write(picture.tobytes())


def lengthen(path: Path, items: int) -> None:
    """Makes room for so many items; those beyond the last picture have none."""
    os.truncate(path, items * BYTES)


def mapped(path: Path, items: int) -> Pixels:
    """Pixels [N,S,S,3] in a file, which the system reads as they are needed.

    Raises: DataInvalid where the file is missing or has another size.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataInvalid(f"{path}: is missing, and the items beside it have pictures") from error
    if size != items * BYTES:
        raise DataInvalid(
            f"{path}: has {size:,} bytes; {items:,} items of {BYTES:,} were expected: prepare anew"
        )
    # A private copy of what is written to, or torch would warn that nothing can be.
    return np.asarray(np.memmap(path, np.uint8, mode="c", shape=(items, *SHAPE)))


def pictures_of(column: Any, pixels: Pixels | None, rows: int) -> list[Pixels | None]:
    """A column of marks as the pixels they stand for; None where there is no picture.

    Shapes: column [R] (None: there is none), pixels [R,S,S,3].
    """
    if column is None or pixels is None:
        return [None] * rows
    return [pixels[row] if given else None for row, given in enumerate(column.to_pylist())]


def _whole(pixels: bytes) -> Pixels | Flaw:
    if len(pixels) != BYTES:
        return Flaw.BROKEN
    return np.frombuffer(pixels, dtype=np.uint8).reshape(SHAPE)


def _read(paths: Sequence[Path]) -> Iterator[Pixels | Flaw]:
    """In their order. Decoders let other threads run."""
    with ThreadPoolExecutor(os.cpu_count()) as readers:
        for start in range(0, len(paths), _AT_ONCE):
            yield from readers.map(read_picture, paths[start : start + _AT_ONCE])
