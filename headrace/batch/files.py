"""Files that are whole or absent: written beside, then renamed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from headrace.api.ranker.v1.ranker_pb2 import Source
from headrace.batch.items import ItemArrays
from headrace.batch.lists import Lists, lengths
from headrace.batch.people import People

# By number.
_SOURCES = [name.removeprefix("SOURCE_").lower() for name, _ in Source.items()]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    fresh = beside(path)
    fresh.write_text(text, encoding="utf-8")
    _put(fresh, path)


def write_lists(path: Path, people: People, lists: Lists, items: ItemArrays) -> tuple[int, str]:
    """A row an item: user_id, position from 1, item_id, score, source, personal.

    Returns: the number of rows, and the file's sha256.
    """
    table = _table(people, lists, items)
    fresh = beside(path)
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, fresh)
    else:
        pq.write_table(table, fresh, compression="zstd")
    digest = sha256(fresh)
    _put(fresh, path)
    return table.num_rows, digest


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _table(people: People, lists: Lists, items: ItemArrays) -> Any:
    counts = lengths(lists)
    real = np.isfinite(lists.scores)  # row by row: a list's places lie together
    places = np.broadcast_to(np.arange(1, lists.scores.shape[1] + 1, dtype=np.int32), real.shape)
    owners = np.repeat(np.arange(len(people)), counts)
    return pa.table(
        {
            "user_id": _texts(people.user_ids.tolist()).take(_numbers(owners)),
            "position": _numbers(places[real]),
            "item_id": _texts(items.ids.tolist()).take(_numbers(lists.rows[real])),
            "score": _numbers(lists.scores[real]),
            "source": _texts(_SOURCES).take(_numbers(lists.sources[real])),
            "personal": _flags(np.repeat(people.n > 0, counts)),
        }
    )


# pyarrow.array would do for all three. It imports pandas first where there is one, which takes
# each worker .9 s: as long as the lists of 2,500 people.
def _texts(values: Sequence[str]) -> Any:
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    whole = [pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.LargeStringArray.from_buffers(len(encoded), *whole).cast(pa.string())


def _numbers(values: NDArray[np.generic]) -> Any:
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def _flags(values: NDArray[np.bool_]) -> Any:
    bits = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, bits])


def beside(path: Path) -> Path:
    """Where a file is written first. Runs that share a folder do not share it."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def _put(fresh: Path, path: Path) -> None:
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(path)
