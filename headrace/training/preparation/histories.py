"""Pieces of whole histories: sorted, without duplicates, read again and again from disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from headrace.training.preparation import reasons
from headrace.training.preparation.refusals import Refusals
from headrace.training.preparation.source import Source
from headrace.training.preparation.spill import Spill, hashes


@dataclass(frozen=True)
class Piece:
    """E events of U people; column `user` counts 0 to U-1, and rows are sorted by it, then time.

    `users` [U] are ids, sorted by their hash.
    """

    users: NDArray[np.object_]
    path: Path

    def column(self, name: str) -> NDArray[Any]:
        """A column from disk, without a copy: [E]."""
        with pa.memory_map(str(self.path)) as file:
            table = pa.ipc.open_file(file).read_all()
        column: NDArray[Any] = table[name].combine_chunks().to_numpy()
        return column


def repeats(table: Any) -> NDArray[np.bool_]:
    """Marks rows that an earlier row says in all but its line: [R]."""
    frame = pd.DataFrame({name: _comparable(table[name], name) for name in table.schema.names})
    repeated: NDArray[np.bool_] = frame.drop(columns="line").duplicated().to_numpy()
    return repeated


def histories(spill: Spill, source: Source, refusals: Refusals, has_times: bool) -> Iterator[Piece]:
    """Sort each piece of the spill and take its duplicates out; the spilled rows go."""
    for path in spill.pieces():
        with pa.memory_map(str(path)) as file:
            table = pa.ipc.open_stream(file).read_all()
        users, table = _in_order(table)
        repeated = repeats(table)
        refusals.add(source, _lines(table, repeated), reasons.DUPLICATE)
        table = _without(table, repeated)
        if has_times:
            corrected = _corrected(table)
            refusals.add(source, _lines(table, corrected), reasons.SAME_MOMENT)
            table = _without(table, corrected)
        sorted_path = path.with_name(f"sorted-{path.name}")
        with pa.ipc.new_file(str(sorted_path), table.schema) as writer:
            writer.write_table(table.combine_chunks(), max_chunksize=max(1, len(table)))
        path.unlink()
        yield Piece(users, sorted_path)


def _in_order(table: Any) -> tuple[NDArray[np.object_], Any]:
    """By the hash of the person, time, position; the sort is stable: ties stay as in the file."""
    encoded = table["user"].combine_chunks().dictionary_encode()
    ids = np.asarray(encoded.dictionary.to_pylist(), dtype=object)
    ranking = np.lexsort((ids.astype(np.str_), hashes(ids)))
    rank = np.empty(len(ids), dtype=np.int32)
    rank[ranking] = np.arange(len(ids), dtype=np.int32)
    owner = rank[encoded.indices.to_numpy()]
    # NaN, where a file has no times or no positions, is equal to itself here.
    order = np.lexsort((table["position"].to_numpy(), table["time"].to_numpy(), owner))
    columns = {name: table[name] for name in table.schema.names} | {"user": pa.array(owner)}
    return ids[ranking], pa.table(columns).take(pa.array(order))


def _corrected(table: Any) -> NDArray[np.bool_]:
    """Marks rows after which another row tells of the same event: [R]."""
    names = ("user", "item", "kind", "time")
    frame = pd.DataFrame({name: _comparable(table[name], name) for name in names})
    marked: NDArray[np.bool_] = frame.duplicated(keep="last").to_numpy()
    return marked


def _comparable(column: Any, name: str) -> NDArray[Any]:
    values: NDArray[Any] = (
        column.combine_chunks().dictionary_encode().indices.to_numpy()
        if name == "user"
        else column.to_numpy()
    )
    return values


def _lines(table: Any, marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    lines: NDArray[np.int64] = table["line"].to_numpy()[marked]
    return lines


def _without(table: Any, marked: NDArray[np.bool_]) -> Any:
    return table.filter(pa.array(~marked)) if marked.any() else table
