"""What is known about items: checked, and made into text, lists and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headrace.bundle.content import ItemContent
from headrace.pictures.pixels import Pixels
from headrace.training.preparation import reasons
from headrace.training.preparation.attributes import Attribute, attributes_of
from headrace.training.preparation.cells import is_missing, texts, trimmed_texts
from headrace.training.preparation.embeddings import EmbeddingColumn, vectors_of
from headrace.training.preparation.output import EMBEDDING, PICTURE
from headrace.training.preparation.pictures import PictureColumn, pictures_of
from headrace.training.preparation.reasons import Reason
from headrace.training.preparation.refusals import Refusals
from headrace.training.preparation.source import Chunk, Source, require

_TEXTS = ("title", "description")
_LISTS = {"categories": "categories", "genres": "categories", "tags": "tags"}


@dataclass(frozen=True)
class Items:
    """The described part of a catalogue, in the order of its file.

    `rows` were read. `attributes` tells what became of each further column.
    """

    contents: tuple[ItemContent, ...] = ()
    rows: int = 0
    attributes: Sequence[Attribute] = field(default_factory=tuple)


def read_source(source: Source, refusals: Refusals, folder: Path) -> Items:
    """Read all rows; the second one of an item is left out. Pictures go to `folder`.

    Raises: DataInvalid if there is no item_id, or the source cannot be read.
    """
    require(source, ("item_id",))
    accepted = []
    seen: set[str] = set()
    embeddings = EmbeddingColumn()
    rows = 0
    with closing(PictureColumn(folder, source.folder)) as pictures:
        for chunk in source.chunks():
            rows += len(chunk.lines) + len(chunk.broken)
            good = _accepted(
                source, chunk, refusals, seen=seen, embeddings=embeddings, pictures=pictures
            )
            accepted.append(good)
        pixels = pictures.pixels()
    if not accepted:
        return Items(rows=rows)
    table = pa.concat_tables(accepted, promote_options="permissive").combine_chunks()
    columns = {name: _whole(table[name]) for name in table.schema.names}
    others = {
        name: column
        for name, column in columns.items()
        if name not in {"item_id", EMBEDDING, PICTURE, *_TEXTS, *_LISTS}
    }
    attributes = attributes_of(others)
    return Items(_contents(columns, table.num_rows, attributes, pixels), rows, attributes)


def _accepted(
    source: Source,
    chunk: Chunk,
    refusals: Refusals,
    *,
    seen: set[str],
    embeddings: EmbeddingColumn,
    pictures: PictureColumn,
) -> Any:
    refusals.add(source, chunk.broken, reasons.CELLS)
    ids = texts(chunk.columns["item_id"])
    names = ids.to_pylist()
    repeated = np.zeros(len(names), dtype=bool)
    for row, name in enumerate(names):
        repeated[row] = name in seen
        seen.add(name)
    length = pc.utf8_length(ids).to_numpy()
    good = np.ones(len(names), dtype=bool)

    def refuse(wrong: NDArray[np.bool_], reason: Reason) -> None:
        refusals.add(source, chunk.lines[good & wrong], reason)
        good[wrong] = False

    refuse(length == 0, reasons.ITEM_EMPTY)
    refuse(length > reasons.MAX_ID, reasons.ITEM_LONG)
    refuse(repeated, reasons.ITEM_TWICE)
    columns = {**chunk.columns, "item_id": ids}
    if EMBEDDING in columns:
        vectors = embeddings.read(columns[EMBEDDING])
        refuse(vectors.unreadable, reasons.EMBEDDING_UNREADABLE)
        refuse(vectors.other_width, reasons.EMBEDDING_WIDTH)
        columns[EMBEDDING] = vectors.values
    if PICTURE in columns:
        looked = pictures.read(columns[PICTURE], good)
        for flaw, rows in looked.flaws.items():
            refusals.add(source, chunk.lines[rows], reasons.PICTURE_FLAWS[flaw])
        columns[PICTURE] = pa.array(looked.given)
    return pa.table(columns).filter(pa.array(good))


def _contents(
    columns: Mapping[str, Any],
    rows: int,
    attributes: Sequence[Attribute],
    pixels: Pixels | None,
) -> tuple[ItemContent, ...]:
    title, description = (_texts(columns, name, rows) for name in _TEXTS)
    lists: dict[str, list[tuple[str, ...]]] = {name: [()] * rows for name in _LISTS.values()}
    for column, name in _LISTS.items():
        if column in columns:
            lists[name] = _lists(columns[column])
    numbers: list[dict[str, float]] = [{} for _ in range(rows)]
    for attribute in attributes:
        for row in np.flatnonzero(~np.isnan(attribute.values)):
            numbers[row][attribute.name] = float(attribute.values[row])
    ids = columns["item_id"].to_pylist()
    embeddings = vectors_of(columns.get(EMBEDDING), rows)
    pictures = pictures_of(columns.get(PICTURE), pixels, rows)
    words_of = (ids, title, description, lists["categories"], lists["tags"])
    rows_of = (*words_of, numbers, embeddings, pictures)
    return tuple(ItemContent(*row) for row in zip(*rows_of, strict=True))


def _texts(columns: Mapping[str, Any], name: str, rows: int) -> list[str]:
    if name not in columns:
        return [""] * rows
    blank = is_missing(columns[name])
    cells = trimmed_texts(columns[name]).to_pylist()
    return ["" if no else cell for cell, no in zip(cells, blank, strict=True)]


def _lists(column: Any) -> list[tuple[str, ...]]:
    """Parts of cells separated by `|`, or cells that are lists: each part once, in order."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        cells = [cell or [] for cell in column.to_pylist()]
    else:
        cells = [cell.split("|") for cell in texts(column).to_pylist()]
    return [
        tuple(dict.fromkeys(part.strip() for part in cell if part and part.strip()))
        for cell in cells
    ]


def _whole(column: Any) -> Any:
    whole = column.combine_chunks()
    # A column without rows combines into no chunk at all.
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
