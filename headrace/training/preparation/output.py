"""The prepared files: written a piece at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from headrace.bundle.content import ItemContent
from headrace.training.preparation.kinds import KIND_NAMES
from headrace.training.preparation.splits import PART_NAMES

INTERACTIONS, ITEMS = "interactions.parquet", "items.parquet"
EMBEDDING = "embedding"
# Whether an item has a picture; its pixels lie in a file of the catalogue's order. Neither is there
# where no item has one.
PICTURE, PICTURES = "picture", "pictures.bin"
# In a file's metadata: by it a reader knows that a file needs no preparation.
MARK = b"headrace.preparation"
# Whether a history has an order that means something: times or positions. Absent: it has.
ORDERED = b"headrace.ordered"
_VERSION = b"1"
_WORD = pa.dictionary(pa.int8(), pa.string())
_INTERACTIONS = pa.schema(
    [
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("event_type", _WORD, nullable=False),
        pa.field("rating", pa.float32()),
        pa.field("timestamp", pa.float64()),  # seconds since 1970
        pa.field("position", pa.int64(), nullable=False),  # in the history, from 0
        pa.field("part", _WORD, nullable=False),
    ],
    metadata={MARK: _VERSION},
)
_ITEMS = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("description", pa.string()),
        pa.field("categories", pa.list_(pa.string())),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("attributes", pa.map_(pa.string(), pa.float64())),
        pa.field(EMBEDDING, pa.list_(pa.float32())),
    ],
    metadata={MARK: _VERSION},
)
_KINDS = pa.array([KIND_NAMES.get(number, "") for number in range(max(KIND_NAMES) + 1)])
_PARTS = pa.array(PART_NAMES)


def interactions_writer(folder: Path, *, ordered: bool = True) -> Any:
    """A writer of Parquet for tables of `Histories`."""
    metadata = {**_INTERACTIONS.metadata, ORDERED: b"yes" if ordered else b"no"}
    schema = _INTERACTIONS.with_metadata(metadata)
    return pq.ParquetWriter(folder / INTERACTIONS, schema, compression="zstd")


def is_ordered(path: Path) -> bool:
    """Whether prepared histories came with times or positions."""
    return (pq.read_schema(path).metadata or {}).get(ORDERED) != b"no"


class Histories(NamedTuple):
    """Histories that follow each other. Shapes: [E] each, lengths [U]."""

    users: NDArray[np.object_]
    items: NDArray[np.object_]
    kinds: NDArray[np.int8]
    ratings: NDArray[np.float32]
    times: NDArray[np.float64]
    parts: NDArray[np.int8]
    lengths: NDArray[np.int64]

    def table(self) -> Any:
        """As the file has them."""
        starts = np.repeat(np.cumsum(self.lengths) - self.lengths, self.lengths)
        columns = [
            pa.array(self.users, pa.string()),
            pa.array(self.items, pa.string()),
            pa.DictionaryArray.from_arrays(pa.array(self.kinds), _KINDS),
            pa.array(self.ratings, from_pandas=True),
            pa.array(self.times, from_pandas=True),
            pa.array(np.arange(len(self.users)) - starts),
            pa.DictionaryArray.from_arrays(pa.array(self.parts), _PARTS),
        ]
        return pa.table(columns, schema=_INTERACTIONS)


def write_items(folder: Path, items: Sequence[ItemContent]) -> None:
    """The catalogue, in its order."""
    rows = [
        (
            item.item_id,
            item.title,
            item.description,
            item.categories,
            item.tags,
            list(item.attributes.items()),
            item.embedding,
        )
        for item in items
    ]
    columns = zip(*rows, strict=True) if rows else ((),) * len(_ITEMS)
    arrays = [pa.array(cells, kind) for cells, kind in zip(columns, _ITEMS.types, strict=True)]
    table = pa.table(arrays, schema=_ITEMS)
    given = [item.picture is not None for item in items]
    if any(given):
        table = table.append_column(PICTURE, pa.array(given))
    pq.write_table(table, folder / ITEMS, compression="zstd")


def is_prepared(path: Path) -> bool:
    """Whether a file is one that preparation has written."""
    try:
        with path.open("rb") as file:
            packed = file.read(4) == b"PAR1"
        return packed and MARK in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False  # whoever reads it next says what is wrong with it
