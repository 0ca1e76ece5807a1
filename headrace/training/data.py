"""Interactions and items in memory, as preparation left them."""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from headrace.bundle.content import ItemContent
from headrace.errors import DataInvalid
from headrace.pictures.pixels import Pixels
from headrace.training.log import EventLog
from headrace.training.preparation import file_source, prepare
from headrace.training.preparation.embeddings import vectors_of
from headrace.training.preparation.kinds import KINDS
from headrace.training.preparation.output import (
    EMBEDDING,
    INTERACTIONS,
    ITEMS,
    PICTURE,
    PICTURES,
    is_ordered,
    is_prepared,
)
from headrace.training.preparation.pictures import mapped, pictures_of
from headrace.training.preparation.splits import PART_NAMES
from headrace.training.preparation.staging import REPORT
from headrace.training.split import Holdout

_log = logging.getLogger(__name__)


def read_log(interactions: Path, items: Path | None = None) -> EventLog:
    """Read prepared files, or the folder of both; raw files are prepared for this once.

    The catalogue is every item of either file. The order of people does not depend on the order
    of the rows, and a person's events are in order of time: see `headrace.training.preparation`.

    Raises:
        DataInvalid: a file cannot be read or lacks a column, or too many of its rows cannot be
            used; or prepared interactions come with items that are not prepared.
        Unavailable: there is no room to prepare files in.
    """
    if interactions.is_dir():
        interactions, items, _ = prepared_files(interactions)
    if is_prepared(interactions):
        beside = items or interactions.with_name(ITEMS)
        if not is_prepared(beside):
            raise DataInvalid(f"{beside}: is not prepared, {interactions} is; prepare both at once")
        return _read(interactions, beside)
    with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
        prepared = Path(folder) / "prepared"
        described = file_source(items) if items else None
        report = prepare(file_source(interactions), described, prepared)
        for reason in report.refused:
            _log.warning(
                "%s: left out %s %s: %s; `headrace prepare` writes them aside",
                reason["file"],
                f"{reason['rows']:,}",
                "cells" if reason["kept"] else "rows",
                reason["reason"],
            )
        return _read(prepared / INTERACTIONS, prepared / ITEMS)


def prepared_files(folder: Path) -> tuple[Path, Path, Holdout]:
    """Interactions, items and the holdout of a folder that preparation has written.

    Raises:
        DataInvalid: the folder is something else.
    """
    try:
        facts = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        kind = facts["settings"]["split"]
    except (OSError, ValueError, KeyError) as error:
        raise DataInvalid(
            f"{folder}: holds no prepared data; `headrace prepare` makes it"
        ) from error
    holdout: Holdout = kind if kind in ("leave-one-out", "none") else "prepared"
    return folder / INTERACTIONS, folder / ITEMS, holdout


def _read(interactions: Path, items: Path) -> EventLog:
    events = pq.read_table(interactions, read_dictionary=["user_id", "item_id"])
    events = events.unify_dictionaries()
    catalogue, pictures = _catalogue(items)
    users, owners = _coded(events["user_id"])
    parts = _codes_of(events["part"], {name: code for code, name in enumerate(PART_NAMES)})
    # What is held out may lie in the middle of a history, where items are held out: it goes to
    # its end, and the history that is learned from stays whole.
    order = np.lexsort((parts, owners))
    item_ids, touched = _coded(events["item_id"])
    column_of = {item.item_id: column for column, item in enumerate(catalogue)}
    columns = np.array([column_of[name] for name in item_ids], dtype=np.int64)
    return EventLog(
        user_ids=users,
        catalogue=catalogue,
        offsets=np.searchsorted(owners, np.arange(len(users) + 1)).astype(np.int64),
        items=columns[touched][order],
        kinds=_codes_of(events["event_type"], KINDS).astype(np.int64)[order],
        gap_s=_gaps(owners, _floats(events["timestamp"])[order]),
        ratings=_floats(events["rating"]).astype(np.float32)[order],
        parts=parts.astype(np.int8)[order],
        pictures=pictures,
        ordered=is_ordered(interactions),
    )


def _catalogue(path: Path) -> tuple[tuple[ItemContent, ...], Pixels | None]:
    """The items, and the pixels of their pictures, if there are some: [N,S,S,3]."""
    table = pq.read_table(path)
    # Files from before there were embeddings lack the column; those without pictures this one.
    apart = {name: table[name] for name in (EMBEDDING, PICTURE) if name in table.column_names}
    embeddings = vectors_of(apart.get(EMBEDDING), len(table))
    pixels = mapped(path.with_name(PICTURES), len(table)) if PICTURE in apart else None
    pictures = pictures_of(apart.get(PICTURE), pixels, len(table))
    rows = table.drop_columns([*apart]).to_pylist()
    catalogue = tuple(
        ItemContent(
            item_id=row["item_id"],
            title=row["title"],
            description=row["description"],
            categories=tuple(row["categories"]),
            tags=tuple(row["tags"]),
            attributes=dict(row["attributes"]),
            embedding=embedding,
            picture=picture,
        )
        for row, embedding, picture in zip(rows, embeddings, pictures, strict=True)
    )
    return catalogue, pixels


def _coded(column: Any) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Different values in order of appearance, and which of them each row has: [E]."""
    whole = column.combine_chunks()
    codes = whole.indices.to_numpy().astype(np.int64)
    values = np.asarray(whole.dictionary.to_pylist(), dtype=object)
    used, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    appearance = np.argsort(first)
    rank = np.empty(len(used), dtype=np.int64)
    rank[appearance] = np.arange(len(used))
    return values[used[appearance]], rank[codes]


def _codes_of(column: Any, codes: dict[str, int]) -> NDArray[np.int64]:
    """Numbers for a column of words: [E]."""
    whole = column.combine_chunks()
    of_word = np.array([codes.get(word, -1) for word in whole.dictionary.to_pylist()])
    numbers: NDArray[np.int64] = of_word[whole.indices.to_numpy()]
    return numbers


def _floats(column: Any) -> NDArray[np.float64]:
    floats = pc.fill_null(pc.cast(column, pa.float64()), np.nan)
    values: NDArray[np.float64] = floats.to_numpy()
    return values


def _gaps(owners: NDArray[np.int64], times: NDArray[np.float64]) -> NDArray[np.float32]:
    """Seconds since the person's event before; 0: the first, no times, or held-out items."""
    gaps = np.diff(times, prepend=times[0])
    first = np.diff(owners, prepend=-1) != 0
    known = ~first & (gaps > 0)
    return np.where(known, gaps, 0.0).astype(np.float32)
