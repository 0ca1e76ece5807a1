"""Rows on disk, cut by person, so that each piece fits into memory and holds whole histories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

# Of 20 million rows a piece holds some 300,000: 15 MB. Two more files open than most limits allow
# would be 254 pieces.
_BITS = 6


def hashes(ids: Any) -> NDArray[np.uint64]:
    """A number for each id that depends on nothing else. Shapes: strings [R] -> [R]."""
    values = np.asarray(ids, dtype=object)
    hashed: NDArray[np.uint64] = pd.util.hash_array(values, categorize=False)
    return hashed


class Spill:
    """Appends tables to pieces by the first bits of the hash of `user`, in order of arrival.

    Pieces one after the other, each sorted by hash, are sorted by hash as a whole.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[int, Any] = {}

    def __enter__(self) -> Spill:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def add(self, table: Any) -> None:
        """Rows [R] with a column `user`."""
        if not len(table):
            return
        encoded = table["user"].combine_chunks().dictionary_encode()
        of_user = hashes(encoded.dictionary) >> np.uint64(64 - _BITS)
        pieces = of_user.astype(np.int64)[encoded.indices.to_numpy()]
        order = np.argsort(pieces, kind="stable")
        table = table.take(pa.array(order))
        found, starts = np.unique(pieces[order], return_index=True)
        ends = [*starts[1:], len(order)]
        for piece, start, end in zip(found, starts, ends, strict=True):
            self._writer(int(piece), table.schema).write_table(table.slice(start, end - start))

    def pieces(self) -> Iterator[Path]:
        """Files with rows, in the order of their hashes."""
        for piece in sorted(self._writers):
            yield self._path(piece)

    def _writer(self, piece: int, schema: Any) -> Any:
        if piece not in self._writers:
            self._writers[piece] = pa.ipc.new_stream(str(self._path(piece)), schema)
        return self._writers[piece]

    def _path(self, piece: int) -> Path:
        return self._folder / f"rows-{piece:03}.arrow"
