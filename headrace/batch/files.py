"""Files that are whole or absent: written beside, then renamed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

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
    return pa.table(
        {
            "user_id": pa.array(people.user_ids, pa.string()).take(
                pa.array(np.repeat(np.arange(len(people)), counts))
            ),
            "position": pa.array(places[real]),
            "item_id": pa.array(items.ids, pa.string()).take(pa.array(lists.rows[real])),
            "score": pa.array(lists.scores[real]),
            "source": pa.array(_SOURCES, pa.string()).take(pa.array(lists.sources[real])),
            "personal": pa.array(np.repeat(people.n > 0, counts)),
        }
    )


def beside(path: Path) -> Path:
    """Where a file is written first. Runs that share a folder do not share it."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def _put(fresh: Path, path: Path) -> None:
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(path)
