"""CSV, packed with gzip or not: UTF-8, cells with commas and line breaks in quotes."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.errors import DataInvalid
from headrace.training.preparation.source import CHUNK, Chunk

_BUFFER = 2**20
_NOTHING = np.zeros(0, dtype=np.int64)


class CsvSource:
    """The standard library's reader: Arrow's and pandas' lose the line of a row."""

    place = "line"

    def __init__(self, path: Path) -> None:
        """Raises: DataInvalid if the first line does not name columns."""
        self._path = path
        self._share: float | None = None
        self.name, self.folder = str(path), path.parent
        with _opened(path) as (file, _):
            try:
                header = next(csv.reader(file), None)
            except (csv.Error, UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
                raise _unreadable(path, 1, error) from error
        if not header:
            raise DataInvalid(f"{path}: is empty; the first line must name the columns")
        self.columns = tuple(name.strip() for name in header)
        twice = {name for name in self.columns if self.columns.count(name) > 1}
        if twice:
            raise DataInvalid(f"{path}: line 1: names the column {sorted(twice)[0]} twice")

    def chunks(self) -> Iterator[Chunk]:
        with _opened(self._path) as (file, packed):
            size = max(1, self._path.stat().st_size)
            reader = csv.reader(file)
            next(reader)
            while True:
                before = reader.line_num
                try:
                    rows = list(islice(reader, CHUNK))
                except (csv.Error, UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
                    raise _unreadable(self._path, reader.line_num + 1, error) from error
                if not rows:
                    return
                self._share = packed.tell() / size
                yield self._chunk(rows, _lines(rows, before, reader.line_num))

    def share_read(self) -> float | None:
        return self._share

    def _chunk(self, rows: list[list[str]], lines: NDArray[np.int64]) -> Chunk:
        widths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        whole = widths == len(self.columns)
        broken = _NOTHING
        if not whole.all():
            broken = lines[~whole & (widths > 0)]  # blank lines are no rows
            lines = lines[whole]
            rows = [row for row, right in zip(rows, whole, strict=True) if right]
        cells = zip(*rows, strict=True) if rows else ((),) * len(self.columns)
        columns = (pa.array(column, pa.string()) for column in cells)
        return Chunk(dict(zip(self.columns, columns, strict=True)), lines, broken)


def _lines(rows: list[list[str]], before: int, after: int) -> NDArray[np.int64]:
    """The line on which each row begins: [R]."""
    if after - before == len(rows):
        return np.arange(before + 1, after + 1, dtype=np.int64)
    breaks = [sum(cell.count("\n") for cell in row) for row in rows]
    starts: NDArray[np.int64] = before + 1 + np.cumsum([0, *(1 + count for count in breaks[:-1])])
    return starts


@contextmanager
def _opened(path: Path) -> Iterator[tuple[TextIO, BinaryIO]]:
    """The text, and the bytes of the file that it comes from."""
    try:
        packed = path.open("rb")
    except FileNotFoundError as error:
        raise DataInvalid(f"{path}: no such file") from error
    except OSError as error:
        raise DataInvalid(f"{path}: cannot be opened: {error.strerror}") from error
    with packed:
        zipped = path.suffix == ".gz"
        plain = io.BufferedReader(gzip.GzipFile(fileobj=packed), _BUFFER) if zipped else packed
        yield io.TextIOWrapper(plain, encoding="utf-8-sig", newline=""), packed


def _unreadable(path: Path, line: int, error: Exception) -> DataInvalid:
    if isinstance(error, UnicodeDecodeError):
        return DataInvalid(f"{path}: line {_undecodable(path)}: is not in UTF-8: {error.reason}")
    return DataInvalid(f"{path}: line {line} or after: cannot be read as CSV: {error}")


def _undecodable(path: Path) -> int:
    """The first line that is not UTF-8: decoding runs ahead of the rows."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    raise AssertionError(f"{path} changed while it was read")
