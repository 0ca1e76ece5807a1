"""The source that a file is."""

from __future__ import annotations

from pathlib import Path

from headrace.errors import DataInvalid
from headrace.training.preparation.csv_source import CsvSource
from headrace.training.preparation.parquet_source import ParquetSource
from headrace.training.preparation.source import Source


def file_source(path: Path) -> Source:
    """By name: `.parquet` anywhere in it, as in `.parquet.brotli`, else CSV.

    Raises: DataInvalid if the file cannot be opened or does not name columns.
    """
    if path.is_dir():
        raise DataInvalid(f"{path}: is a folder; name a CSV or Parquet file")
    return ParquetSource(path) if ".parquet" in path.suffixes else CsvSource(path)
