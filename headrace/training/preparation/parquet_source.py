"""Parquet, one batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headrace.errors import DataInvalid
from headrace.training.preparation.source import CHUNK, Chunk


class ParquetSource:
    """Rows are counted from 1."""

    place = "row"

    def __init__(self, path: Path) -> None:
        """Raises: DataInvalid if the file is missing or no Parquet."""
        self._path = path
        self._share: float | None = None
        self.name, self.folder = str(path), path.parent
        try:
            self.columns = tuple(pq.read_schema(path).names)
        except FileNotFoundError as error:
            raise DataInvalid(f"{path}: no such file") from error
        except (OSError, pa.ArrowException) as error:
            raise DataInvalid(f"{path}: cannot be read as Parquet: {error}") from error

    def chunks(self) -> Iterator[Chunk]:
        row = 1
        try:
            with pq.ParquetFile(self._path) as file:
                for batch in file.iter_batches(CHUNK):
                    lines = np.arange(row, row + len(batch), dtype=np.int64)
                    row += len(batch)
                    self._share = (row - 1) / file.metadata.num_rows
                    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                    yield Chunk(columns, lines, np.zeros(0, dtype=np.int64))
        except (OSError, pa.ArrowException) as error:
            raise DataInvalid(f"{self._path}: row {row}: cannot be read: {error}") from error

    def share_read(self) -> float | None:
        return self._share
